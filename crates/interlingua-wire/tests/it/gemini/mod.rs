//! Gemini, both halves.

mod corpus;
mod laws;
mod requests;

use interlingua_model::Effort;
use interlingua_wire::gemini::{Dialect, Gemini};

use crate::check::cases;

const PROTOCOL: &str = "gemini";

fn codec() -> Gemini {
    Gemini::default()
}

/// A dialect that says everything.
fn lossless() -> Gemini {
    let mut dialect = Dialect::default();
    dialect.thinking_levels = Effort::ALL.into_iter().filter(|level| *level != Effort::None).collect();
    dialect.thinking_off = true;
    dialect.display_name = true;
    dialect.labels = true;
    Gemini::new(dialect)
}

#[test]
fn answers_and_refusals() {
    cases(&|_| Box::new(codec()), PROTOCOL);
}

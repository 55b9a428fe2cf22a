//! Gemini Interactions, both halves.

mod corpus;
mod laws;
mod requests;

use interlingua_model::Effort;
use interlingua_wire::gemini_interactions::{Dialect, GeminiInteractions};

use crate::check::cases;

const PROTOCOL: &str = "gemini_interactions";

fn codec() -> GeminiInteractions {
    GeminiInteractions::default()
}

/// A dialect that says everything.
fn lossless() -> GeminiInteractions {
    let mut dialect = Dialect::default();
    dialect.thinking_levels = Effort::ALL.to_vec();
    GeminiInteractions::new(dialect)
}

#[test]
fn answers_and_refusals() {
    cases(&|_| Box::new(codec()), PROTOCOL);
}

//! Chat Completions, both halves.

mod asking;
mod corpus;
mod laws;
mod serving;

use interlingua_wire::Serve;
use interlingua_wire::openai_chat::{Dialect, OpenaiChat};

use crate::check::cases;

/// Every case is read in the default dialect, but for those that show a field of it.
#[test]
fn answers() {
    cases(
        &|case| {
            let mut dialect = Dialect::default();
            dialect.cumulative_deltas = case == "cumulative_deltas";
            Box::new(OpenaiChat::new(dialect)) as Box<dyn Serve>
        },
        "openai_chat",
    );
}

//! Chat Completions, both halves.

mod asking;
mod corpus;
mod envelope;
mod laws;
mod serving;

use interlingua_wire::Serve;
use interlingua_wire::markup::{Calls, Markup, Thinking};
use interlingua_wire::openai_chat::{Dialect, OpenaiChat};

use crate::check::cases;

/// Every case is read in the default dialect, but for those that show a field of it.
#[test]
fn answers() {
    cases(
        &|case| {
            let mut dialect = Dialect::default();
            dialect.cumulative_deltas = case == "cumulative_deltas";
            dialect.markup = markup(case);
            Box::new(OpenaiChat::new(dialect)) as Box<dyn Serve>
        },
        "openai_chat",
    );
}

fn markup(case: &str) -> Markup {
    let mut markup = Markup::default();
    (markup.thinking, markup.calls) = match case {
        "markup_is_text_elsewhere" => (Thinking::None, vec![]),
        "markup_whole" => (Thinking::Begun, vec![Calls::ToolCallsToken]),
        case if case.starts_with("markup_") => (Thinking::Tags, vec![Calls::ToolCallTags]),
        _ => (Thinking::None, vec![]),
    };
    markup
}

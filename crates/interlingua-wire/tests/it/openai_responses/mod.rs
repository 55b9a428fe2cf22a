//! `OpenAI` Responses, tried from outside.

mod corpus;
mod laws;
mod requests;

use interlingua_wire::openai_responses::{Dialect, OpenaiResponses};

use crate::check;

fn codec() -> OpenaiResponses {
    OpenaiResponses::new(Dialect::openai())
}

#[test]
fn cases() {
    check::cases(&|_| Box::new(codec()), "openai_responses");
}

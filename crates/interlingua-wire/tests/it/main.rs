//! What the codecs promise, tried from outside.

#![cfg(test)]
#![expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test may read files and say what it skips; what it tests may not"
)]

mod anthropic;
mod catalog;
mod check;
mod core;
mod openai_chat;
mod openai_responses;

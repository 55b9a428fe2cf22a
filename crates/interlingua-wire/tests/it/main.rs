//! What the codecs promise, tried from outside.

mod anthropic;
mod check;
mod core;
mod openai_chat;
mod openai_responses;

//! What the codecs promise, tried from outside.

#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "a test may read files; what it tests may not")]

mod anthropic;
mod bedrock;
mod catalog;
mod check;
mod cohere;
mod core;
mod decision;
mod found;
mod gemini;
mod gemini_interactions;
mod golden;
mod laws;
mod ollama;
mod openai_chat;
mod openai_responses;
mod recorded;
mod repeat;
mod ring;
mod table;

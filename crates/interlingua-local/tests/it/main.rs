//! The model in the process, with tiny models that the tests write themselves, and with the real one where it is.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod answers;
mod damaged;
mod gguf;
mod real;

//! A chat model in the process.
//!
//! [`LocalModel`] reads a GGUF file of the llama, qwen2, qwen3, gemma3 or phi3 family, with its tokenizer and its
//! chat template, and answers a [`Request`](interlingua_model::Request) with the same events as any provider. The
//! arithmetic is our own: it packs the weights into four- or eight-bit blocks and finds out at run time what the
//! processor can do, so that a portable build is as fast as one made for the machine. The README has the measurements.
//!
//! ```no_run
//! use interlingua_local::LocalModel;
//! use interlingua_model::Request;
//!
//! # fn main() -> Result<(), interlingua_model::Error> {
//! let model = LocalModel::open("SmolLM2-135M-Instruct.Q4_1.gguf")?;
//! let mut answer = model.stream(&Request::new("smollm2").user("Why is the sky blue?"))?;
//! while let Some(event) = answer.blocking_next() {
//!     println!("{:?}", event?);
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
mod date;
mod error;
#[cfg(feature = "fetch")]
mod fetch;
mod format;
mod gguf;
mod kernel;
mod matrix;
mod model;
mod prompt;
mod sample;
mod shape;
mod stop;
mod tokenizer;
mod transformer;

pub use answer::Answer;
pub use error::ContextOverflow;
#[cfg(feature = "fetch")]
pub use fetch::{DEFAULT_MODEL, Progress, Store};
pub use model::LocalModel;

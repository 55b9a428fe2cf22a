//! The neutral model of a conversation with a language model.
//!
//! This crate says *what* is said: [`Request`], [`Message`], [`Event`], [`Response`], [`Usage`], [`Error`]. How it
//! is said on a wire is the business of `interlingua-wire`; who dials is the business of `interlingua`.
//! Nothing here does I/O, knows a clock or draws a random number.
//!
//! A stream of answers is a sequence of [`Event`]s, and [`Fold`] is the only thing that makes a [`Response`] out of
//! them, so that a streamed answer and a whole one cannot differ:
//!
//! ```
//! use interlingua_model::{Delta, Event, Finish, FinishReason, Fold, Output, Start, Text};
//!
//! let mut fold = Fold::new();
//! fold.push(&Event::start(Start::default()));
//! fold.push(&Event::open(0, Output::Text(Text::default())));
//! fold.push(&Event::delta(0, Delta::text("Hello")));
//! fold.push(&Event::delta(0, Delta::text(", world")));
//! fold.push(&Event::close(0));
//! fold.push(&Event::finish(Finish::new(FinishReason::Stop)));
//! let response = fold.into_response()?;
//! assert_eq!(response.text(), "Hello, world");
//! # Ok::<(), interlingua_model::Error>(())
//! ```
//!
//! All types serialize in a shape of our own, which carries a version ([`Version`]) at the top of a [`Request`], a
//! [`Response`] and a [`Start`]. It is not the shape of any wire.

mod citation;
mod error;
mod estimate;
mod event;
mod extra;
mod finish;
mod fold;
mod json;
mod media;
mod message;
mod part;
mod partial_json;
mod piece;
mod pile;
mod request;
mod response;
mod tool;
mod usage;
mod version;
mod warning;

pub use citation::{Citation, Place, Span};
pub use error::{Error, ErrorKind, Retry};
pub use event::{Delta, Event, Frame, Start};
pub use extra::{Extra, Fields};
pub use finish::{Finish, FinishReason};
pub use fold::Fold;
pub use json::Json;
pub use media::{Data, Media, MediaKind, Source};
pub use message::{Assistant, Message, Origin, System, User};
pub use part::{
    Content, Custom, Input, Logprob, Output, Reasoning, RunBy, Text, TokenLogprob, ToolCall, ToolKind,
    ToolResult,
};
pub use partial_json::PartialJson;
pub use piece::Piece;
pub use request::{Cache, Effort, Format, Request, Retention, Sampling, SchemaFormat, Verbosity};
pub use response::Response;
pub use tool::{CustomTool, FunctionTool, Grammar, ProviderTool, Tool, ToolChoice, ToolMode};
pub use usage::Usage;
pub use version::Version;
pub use warning::{Warning, WarningKind};

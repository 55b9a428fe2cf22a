//! How it is said: sans-IO codecs between the neutral model and the wire protocols of language models.
//!
//! Each protocol is a folder with two halves. The client half ([`Codec`]) encodes a request and decodes the answer;
//! the server half ([`Serve`]) decodes a request and encodes the answer. Between them stand the neutral types of
//! `interlingua-model`, so any client can talk to any model. Providers and their quirks are data ([`catalog`]).
//! Nothing here does I/O, knows a clock, the environment or a random source.
//!
//! The feature `server`, on by default, brings the server halves of the protocols; without it only the client halves are built.
//! Each protocol is a feature of the same name, with dashes; `protocols`, on by default as well, is all of them. The table of
//! providers is whole in any case: a provider that speaks a protocol which was left out says so when it is asked.
#![cfg_attr(
    not(all(feature = "server", feature = "protocols")),
    allow(
        dead_code,
        unreachable_code,
        unused_imports,
        unused_variables,
        reason = "what halves and protocols share is wanted by some of them alone"
    )
)]

#[cfg(feature = "anthropic")]
pub mod anthropic;
#[cfg(feature = "bedrock")]
pub mod bedrock;
pub mod catalog;
#[cfg(feature = "cohere")]
pub mod cohere;
#[cfg(feature = "openai-responses")]
pub mod decision;
pub mod frame;
#[cfg(feature = "gemini")]
pub mod gemini;
#[cfg(feature = "gemini-interactions")]
pub mod gemini_interactions;
pub mod markup;
#[cfg(feature = "ollama")]
pub mod ollama;
#[cfg(feature = "openai-chat")]
pub mod openai_chat;
#[cfg(feature = "openai-responses")]
pub mod openai_responses;
pub mod replay;
pub mod schema;

mod binary;
mod codec;
mod count;
mod data_url;
mod date;
mod decode;
mod draft;
mod encode;
mod exception;
mod fields;
mod grammar;
mod in_turn;
mod limits;
mod mend;
mod object;
mod parts;
mod percent;
mod places;
mod protocol;
mod provider;
mod refusal;
mod repeat;
mod rpc;
mod shape;
mod table;
mod tool_object;
mod tree;

pub use codec::{Call, Codec, Encoded, Limits, Mint, Mode, Refusal, Reply, Serve};
pub use decode::{Decoder, Reader};
pub use encode::{Encoder, Writer};
pub use grammar::{Grammar, Violation};
pub use limits::{RateLimit, RateLimits, Reset, request_id};
pub use object::Object;
pub use parts::Parts;
pub use protocol::Protocol;
pub use provider::{
    Auth, Case, DecisionStyle, Decisions, Dialect, Endpoint, Exchange, Expiry, Family, Header, Key, Kind,
    Listing, ModelInfo, Models, Page, Patch, Provider, Text, Variable, join, with_model,
};
pub use repeat::{Figures, Varying};
pub use table::Table;

//! The native chat protocol of Ollama: `POST /chat` below `/api`.
//!
//! A request holds messages of the roles `system`, `user`, `assistant` and `tool`; settings of the model stand in
//! `options`. It is streamed unless it says `"stream":false`. A stream has one JSON object in each line:
//!
//! ```text
//! {"model":"qwen3","created_at":"2026-11-22T10:00:00Z","message":{"role":"assistant","content":"","thinking":"Hm."},"done":false}
//! {"model":"qwen3","created_at":"2026-11-22T10:00:01Z","message":{"role":"assistant","content":"Hi"},"done":false}
//! {"model":"qwen3","created_at":"2026-11-22T10:00:02Z","message":{"role":"assistant","content":"","tool_calls":[{"function":{…}}]},"done":false}
//! {"model":"qwen3","created_at":"2026-11-22T10:00:03Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",…}
//! ```
//!
//! Thinking and content are deltas, calls come whole and often without an id, and their arguments are objects. The last line
//! is the one with `"done":true`; a stream without it was cut, and a line `{"error":"…"}` ends one that failed. An answer
//! that is not streamed is one such line with everything in it. That a model was loaded or unloaded is an answer that
//! says nothing, with `done_reason` `load` or `unload`. Durations, in nanoseconds, are in the `extra` of the figures.
//!
//! A conversation longer than `num_ctx` is cut without a word: it can be set in `extra["ollama"]["options"]`, or for all
//! requests in the dialect.

#[cfg(feature = "server")]
mod ask;
mod call;
mod complaint;
mod dialect;
mod events;
#[cfg(feature = "server")]
mod history;
mod messages;
mod picture;
mod request;
#[cfg(feature = "server")]
mod serve;
mod usage;

use std::sync::Arc;

use interlingua_model::{Error, Request};

pub use dialect::Dialect;

use crate::frame::Framing;
use crate::mend::Mending;
use crate::{Call, Codec, Decoder, Encoded, Encoder, Limits, Mint, Mode, Protocol, Refusal, Reply, Serve};

/// The namespace of the protocol.
const PROTOCOL: &str = Protocol::Ollama.id();
/// The field of the body that holds settings of the model.
const OPTIONS: &str = "options";

/// The native chat protocol of Ollama in the dialect of one service.
///
/// ```
/// use interlingua_model::Request;
/// use interlingua_wire::ollama::{Dialect, Ollama};
/// use interlingua_wire::{Codec, Mode};
///
/// let codec = Ollama::new(Dialect::default());
/// let call = codec.encode(&Request::new("qwen3").user("hi").max_output(9), Mode::Stream)?.call;
/// assert_eq!(call.path, "/chat");
/// assert_eq!(
///     &call.body[..],
///     br#"{"model":"qwen3","stream":true,"options":{"num_predict":9},"messages":[{"role":"user","content":"hi"}]}"#
/// );
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Ollama {
    dialect: Arc<Dialect>,
}

impl Ollama {
    /// The protocol in a dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect: Arc::new(dialect) }
    }

    /// The dialect.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }
}

impl Codec for Ollama {
    fn protocol(&self) -> Protocol {
        Protocol::Ollama
    }

    fn encode_as(&self, model: &str, request: &Request, mode: Mode) -> Result<Encoded, Error> {
        Ok(request::encode(&self.dialect, model, request, mode))
    }

    fn decoder(&self, mode: Mode, limits: Limits) -> Decoder {
        Decoder::new(mode, limits, Box::new(Mending::new(events::ChatReader::default())))
            .with_framing(Framing::Ndjson)
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Error {
        complaint::read(refusal.body).refused(refusal)
    }
}

#[cfg(feature = "server")]
impl Serve for Ollama {
    fn decode_request(&self, call: &Call) -> Result<(Request, Mode), Error> {
        ask::decode(call)
    }

    fn encoder(&self, asked: &Request, mode: Mode, mint: Mint) -> Encoder {
        Encoder::new(mode, Box::new(serve::ChatWriter::new(asked, &mint))).with_framing(Framing::Ndjson)
    }

    fn encode_error(&self, error: &Error) -> Reply {
        complaint::reply(error)
    }
}

//! The Anthropic Messages protocol: `POST /v1/messages`.
//!
//! A request holds the leading instructions in `system`, and messages whose content is a list of blocks. An answer is
//! one message; its stream is
//!
//! ```text
//! event: message_start        data: {"type":"message_start","message":{"id":"msg_1","role":"assistant","content":[],"usage":{…}}}
//! event: content_block_start  data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}
//! event: content_block_delta  data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}
//! event: content_block_stop   data: {"type":"content_block_stop","index":0}
//! event: message_delta        data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}
//! event: message_stop         data: {"type":"message_stop"}
//! ```
//!
//! `ping` may stand anywhere, `error` ends a stream, and a stream without `message_stop` was cut. Usage figures are
//! cumulative and never added up; `input_tokens` leaves out what came from or went to a cache. Two versions of the
//! protocol live side by side: `2023-06-01`, and `2026-10-21`, which has no sampling parameters.
//!
//! What is kept in `extra["anthropic"]` of a part are fields of its block under their own names: `signature` and
//! `data` seal reasoning, `type` tells which kind of block a provider-run tool was.

#[cfg(feature = "server")]
mod ask;
mod block;
mod complaint;
mod dialect;
mod events;
mod invoke;
mod messages;
mod place;
mod request;
#[cfg(feature = "server")]
mod serve;
mod types;
mod usage;

use std::sync::Arc;

use interlingua_model::{Error, Request};

pub use dialect::{CallForm, Dialect, Version};

use crate::frame::Framing;
use crate::mend::Mending;
use crate::{
    Call, Codec, Decoder, Encoded, Encoder, Limits, Mint, Mode, Protocol, Refusal, Reply, Serve, exception,
};

/// The namespace of the protocol.
const PROTOCOL: &str = Protocol::Anthropic.id();
/// The field of `extra` that holds the features in beta, which travel in a header.
const BETAS: &str = "betas";

/// Anthropic Messages in the dialect of one service.
///
/// ```
/// use interlingua_model::Request;
/// use interlingua_wire::anthropic::{Anthropic, Dialect};
/// use interlingua_wire::{Codec, Mode};
///
/// let codec = Anthropic::new(Dialect::default());
/// let call = codec.encode(&Request::new("claude-opus-5-5").user("hi").max_output(100), Mode::Whole)?.call;
/// assert_eq!(call.path, "/v1/messages");
/// assert_eq!(
///     &call.body[..],
///     br#"{"model":"claude-opus-5-5","max_tokens":100,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}"#
/// );
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Anthropic {
    dialect: Arc<Dialect>,
}

impl Anthropic {
    /// The protocol in a dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect: Arc::new(dialect) }
    }

    /// The dialect.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }
}

/// The fields of a request that are taken by the call which counts its tokens.
const COUNTED: [&str; 10] = [
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "cache_control",
    "context_management",
    "mcp_servers",
];

impl Codec for Anthropic {
    fn protocol(&self) -> Protocol {
        Protocol::Anthropic
    }

    fn encode_as(&self, model: &str, request: &Request, mode: Mode) -> Result<Encoded, Error> {
        Ok(request::encode(&self.dialect, model, request, mode))
    }

    fn count(&self, model: &str, request: &Request) -> Option<Result<Call, Error>> {
        self.dialect.count_tokens.then(|| {
            let encoded = request::encode(&self.dialect, model, request, Mode::Whole);
            crate::count::call(encoded, "/v1/messages/count_tokens", &COUNTED)
        })
    }

    fn decoder(&self, mode: Mode, limits: Limits) -> Decoder {
        let reader = Mending::new(events::MessageReader::default());
        if self.dialect.call == CallForm::Invoke {
            let reader = Box::new(invoke::InvokeReader(reader));
            return Decoder::new(mode, limits, reader).with_framing(Framing::Aws);
        }
        Decoder::new(mode, limits, Box::new(reader))
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Error {
        if self.dialect.call == CallForm::Invoke {
            return exception::of_refusal(refusal).refused(refusal);
        }
        complaint::read(refusal.body).refused(refusal)
    }
}

#[cfg(feature = "server")]
impl Serve for Anthropic {
    fn decode_request(&self, call: &Call) -> Result<(Request, Mode), Error> {
        ask::decode(self.dialect.call, call)
    }

    fn encoder(&self, asked: &Request, mode: Mode, mint: Mint) -> Encoder {
        let writer = serve::MessageWriter::new(asked, mint);
        if self.dialect.call == CallForm::Invoke {
            return Encoder::new(mode, Box::new(invoke::InvokeWriter(writer))).with_framing(Framing::Aws);
        }
        Encoder::new(mode, Box::new(writer))
    }

    fn encode_error(&self, error: &Error) -> Reply {
        if self.dialect.call == CallForm::Invoke {
            return exception::reply(error);
        }
        complaint::reply(error)
    }
}

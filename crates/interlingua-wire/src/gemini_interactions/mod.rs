//! The Gemini Interactions protocol: `POST /interactions`.
//!
//! A conversation is a list of steps: what the user puts in, what the model puts out, its thoughts, calls and results of
//! functions and of the provider's own tools. An answer is an interaction, whose steps are streamed one by one:
//!
//! ```text
//! data: {"event_type":"interaction.created","interaction":{"id":"int_1","model":"gemini-3.8-flash","status":"in_progress"}}
//! data: {"event_type":"step.start","index":0,"step":{"type":"model_output","content":[]}}
//! data: {"event_type":"step.delta","index":0,"delta":{"type":"text","text":"Hi"}}
//! data: {"event_type":"step.stop","index":0}
//! data: {"event_type":"interaction.completed","interaction":{"id":"int_1","status":"completed","usage":{…}}}
//! data: [DONE]
//! ```
//!
//! A stream without `interaction.completed` was cut. Before the protocol was finished its events were called
//! `interaction.start`, `content.start`, `content.delta`, `content.stop` and `interaction.complete`; they are read as well.
//!
//! What is kept in `extra["gemini_interactions"]` of a part are fields of its step under their own names: `signature` seals
//! thoughts and calls, `type` tells which kind of step a tool of the provider made. Each content of a `model_output` is a part
//! of its own. What is said at the end of an interaction (`created`, `service_tier`) is in the finish.

#[cfg(feature = "server")]
mod ask;
mod dialect;
mod events;
mod messages;
mod request;
#[cfg(feature = "server")]
mod serve;
mod step;
mod usage;

use std::sync::Arc;

use interlingua_model::{Error, Request};

pub use dialect::Dialect;

use crate::frame::Framing;
use crate::mend::Mending;
use crate::rpc;
use crate::{Call, Codec, Decoder, Encoded, Encoder, Limits, Mint, Mode, Protocol, Refusal, Reply, Serve};

/// The namespace of the protocol.
const PROTOCOL: &str = Protocol::GeminiInteractions.id();
/// The field that seals a step.
const SIGNATURE: &str = "signature";

/// Gemini Interactions in the dialect of one service.
///
/// ```
/// use interlingua_model::Request;
/// use interlingua_wire::gemini_interactions::{Dialect, GeminiInteractions};
/// use interlingua_wire::{Codec, Mode};
///
/// let codec = GeminiInteractions::new(Dialect::default());
/// let call = codec.encode(&Request::new("gemini-3.8-flash").user("hi"), Mode::Whole)?.call;
/// assert_eq!(call.path, "/interactions");
/// assert_eq!(
///     &call.body[..],
///     br#"{"model":"gemini-3.8-flash","input":[{"type":"user_input","content":[{"type":"text","text":"hi"}]}]}"#
/// );
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct GeminiInteractions {
    dialect: Arc<Dialect>,
}

impl GeminiInteractions {
    /// The protocol in a dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect: Arc::new(dialect) }
    }

    /// The dialect.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }
}

impl Codec for GeminiInteractions {
    fn protocol(&self) -> Protocol {
        Protocol::GeminiInteractions
    }

    fn encode_as(&self, model: &str, request: &Request, mode: Mode) -> Result<Encoded, Error> {
        Ok(request::encode(&self.dialect, model, request, mode))
    }

    fn decoder(&self, mode: Mode, limits: Limits) -> Decoder {
        let reader = Box::new(Mending::new(events::InteractionReader::default()));
        Decoder::new(mode, limits, reader).with_framing(Framing::SseWithJson)
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Error {
        rpc::read(refusal.body).refused(refusal)
    }
}

#[cfg(feature = "server")]
impl Serve for GeminiInteractions {
    fn decode_request(&self, call: &Call) -> Result<(Request, Mode), Error> {
        ask::decode(call)
    }

    fn encoder(&self, asked: &Request, mode: Mode, mint: Mint) -> Encoder {
        Encoder::new(mode, Box::new(serve::InteractionWriter::new(asked, mint)))
    }

    fn encode_error(&self, error: &Error) -> Reply {
        rpc::reply_in_words(error)
    }
}

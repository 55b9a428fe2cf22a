//! The Cohere v2 chat protocol: `POST /v2/chat`.
//!
//! A request holds messages of the roles `system`, `user`, `assistant` and `tool`, and `documents` that an answer may
//! cite. An answer is one message of content blocks (`text`, `thinking`), a plan (`tool_plan`), tool calls and citations;
//! its stream is
//!
//! ```text
//! event: message-start    data: {"type":"message-start","id":"c1","delta":{"message":{"role":"assistant","content":[],…}}}
//! event: tool-plan-delta  data: {"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will look."}}}
//! event: content-start    data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}
//! event: content-delta    data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}}}
//! event: citation-start   data: {"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,…}}}}
//! event: citation-end     data: {"type":"citation-end","index":0}
//! event: content-end      data: {"type":"content-end","index":0}
//! event: tool-call-start  data: {"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f_1",…}}}}
//! event: tool-call-delta  data: {"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{…}}}}}
//! event: tool-call-end    data: {"type":"tool-call-end","index":0}
//! event: message-end      data: {"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{…}}}
//! data: [DONE]
//! ```
//!
//! `tool_calls` and `citations` of a delta are single objects. A stream without `message-end` was cut, and one whose
//! finish reason is `ERROR` has failed. Content, calls and citations are counted apart.
//!
//! The plan is reasoning whose `extra["cohere"]["field"]` is `tool_plan`; nothing seals reasoning here. Documents are text
//! of a user, as media of type `text/plain`, or of type `application/json` where they have fields of their own.

#[cfg(feature = "server")]
mod ask;
mod citation;
mod complaint;
mod dialect;
mod document;
mod events;
#[cfg(feature = "server")]
mod history;
mod message;
mod messages;
mod request;
#[cfg(feature = "server")]
mod serve;
mod types;
mod usage;

use std::sync::Arc;

use interlingua_model::{Error, Request};

pub use dialect::Dialect;

use crate::mend::Mending;
use crate::{Call, Codec, Decoder, Encoded, Encoder, Limits, Mint, Mode, Protocol, Refusal, Reply, Serve};

/// The namespace of the protocol.
const PROTOCOL: &str = Protocol::Cohere.id();
/// The field of `extra` that says in which field of a message reasoning stands, when it is not among its content.
const FIELD: &str = "field";
/// The plan that a model makes before it calls tools.
const PLAN: &str = "tool_plan";

/// Cohere v2 chat in the dialect of one service.
///
/// ```
/// use interlingua_model::Request;
/// use interlingua_wire::cohere::{Cohere, Dialect};
/// use interlingua_wire::{Codec, Mode};
///
/// let codec = Cohere::new(Dialect::default());
/// let call = codec.encode(&Request::new("command-a-03-2025").user("hi"), Mode::Stream)?.call;
/// assert_eq!(call.path, "/v2/chat");
/// assert_eq!(
///     &call.body[..],
///     br#"{"model":"command-a-03-2025","stream":true,"messages":[{"role":"user","content":"hi"}]}"#
/// );
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Cohere {
    dialect: Arc<Dialect>,
}

impl Cohere {
    /// The protocol in a dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect: Arc::new(dialect) }
    }

    /// The dialect.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }
}

impl Codec for Cohere {
    fn protocol(&self) -> Protocol {
        Protocol::Cohere
    }

    fn encode_as(&self, model: &str, request: &Request, mode: Mode) -> Result<Encoded, Error> {
        Ok(request::encode(&self.dialect, model, request, mode))
    }

    fn decoder(&self, mode: Mode, limits: Limits) -> Decoder {
        Decoder::new(mode, limits, Box::new(Mending::new(events::ChatReader::default())))
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Error {
        complaint::read(refusal.body).refused(refusal)
    }
}

#[cfg(feature = "server")]
impl Serve for Cohere {
    fn decode_request(&self, call: &Call) -> Result<(Request, Mode), Error> {
        ask::decode(call)
    }

    fn encoder(&self, _asked: &Request, mode: Mode, mint: Mint) -> Encoder {
        Encoder::new(mode, Box::new(serve::ChatWriter::new(mint)))
    }

    fn encode_error(&self, error: &Error) -> Reply {
        complaint::reply(error)
    }
}

//! Amazon Bedrock Converse: `POST /model/{model}/converse` and `…/converse-stream`.
//!
//! One form for the models of all publishers. The model stands in the path, percent-encoded; a request holds the leading
//! instructions in `system`, and messages whose content is a list of blocks, each an object with one key. A whole answer
//! is one JSON object; a stream is an AWS event stream ([`Framing::Aws`]) of
//!
//! ```text
//! messageStart       {"role":"assistant"}
//! contentBlockStart  {"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t1","name":"now"}}}    never for text or reasoning
//! contentBlockDelta  {"contentBlockIndex":0,"delta":{"text":"Hi"}}
//! contentBlockStop   {"contentBlockIndex":0}
//! messageStop        {"stopReason":"end_turn"}
//! metadata           {"usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5},"metrics":{"latencyMs":9}}
//! ```
//!
//! `metadata` comes after `messageStop` and is the end; some servers send it before, or not at all. A stream without
//! `messageStop` was cut. An exception is a message of its own, at any place. Payloads hold padding (`p`), which is nothing.
//! `inputTokens` leaves out what came from or went to a cache.
//!
//! A cache mark is a block behind what it marks. What a publisher's model takes and the protocol has no word for
//! stands in `additionalModelRequestFields`: how much to reason and top-k are written there as the [`Dialect`] says.
//!
//! What is kept in `extra["bedrock"]` of a part are fields of its block under their own names: `signature` and
//! `redactedContent` seal reasoning, `type` tells which kind of tool the provider ran.

#[cfg(feature = "server")]
mod ask;
mod block;
mod citation;
mod dialect;
mod events;
mod media;
mod messages;
mod node;
mod path;
mod reasoning;
mod request;
#[cfg(feature = "server")]
mod serve;
mod types;
mod usage;

use std::sync::Arc;

use interlingua_model::{Error, Request};

pub use dialect::{Dialect, ReasoningField};

use crate::frame::Framing;
use crate::mend::Mending;
use crate::{
    Call, Codec, Decoder, Encoded, Encoder, Limits, Mint, Mode, Protocol, Refusal, Reply, Serve, exception,
};

/// The namespace of the protocol.
const PROTOCOL: &str = Protocol::Bedrock.id();

/// Bedrock Converse in the dialect of one publisher's models.
///
/// ```
/// use interlingua_model::Request;
/// use interlingua_wire::bedrock::{Bedrock, Dialect};
/// use interlingua_wire::{Codec, Mode};
///
/// let codec = Bedrock::new(Dialect::default());
/// let call = codec.encode(&Request::new("us.amazon.nova-lite-v1:0").user("hi").max_output(100), Mode::Whole)?.call;
/// assert_eq!(call.path, "/model/us.amazon.nova-lite-v1%3A0/converse");
/// assert_eq!(
///     &call.body[..],
///     br#"{"inferenceConfig":{"maxTokens":100},"messages":[{"role":"user","content":[{"text":"hi"}]}]}"#
/// );
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Bedrock {
    dialect: Arc<Dialect>,
}

impl Bedrock {
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
const COUNTED: [&str; 4] = ["messages", "system", "toolConfig", "additionalModelRequestFields"];

impl Codec for Bedrock {
    fn protocol(&self) -> Protocol {
        Protocol::Bedrock
    }

    fn encode_as(&self, model: &str, request: &Request, mode: Mode) -> Result<Encoded, Error> {
        Ok(request::encode(&self.dialect, model, request, mode))
    }

    fn count(&self, model: &str, request: &Request) -> Option<Result<Call, Error>> {
        let encoded = request::encode(&self.dialect, model, request, Mode::Whole);
        let path = encoded.call.path.strip_suffix("/converse").map(|path| format!("{path}/count-tokens"))?;
        let call = crate::count::call(encoded, &path, &COUNTED);
        Some(call.map(|call| crate::count::wrapped(call, r#"{"input":{"converse":"#, "}}")))
    }

    fn counted(&self, body: &[u8]) -> Result<u64, Error> {
        crate::count::number(body, "inputTokens")
    }

    fn decoder(&self, mode: Mode, limits: Limits) -> Decoder {
        Decoder::new(mode, limits, Box::new(Mending::new(events::MessageReader::default())))
            .with_framing(Framing::Aws)
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Error {
        exception::of_refusal(refusal).refused(refusal)
    }
}

#[cfg(feature = "server")]
impl Serve for Bedrock {
    fn decode_request(&self, call: &Call) -> Result<(Request, Mode), Error> {
        ask::decode(call)
    }

    fn encoder(&self, _asked: &Request, mode: Mode, _mint: Mint) -> Encoder {
        Encoder::new(mode, Box::new(serve::MessageWriter::default())).with_framing(Framing::Aws)
    }

    fn encode_error(&self, error: &Error) -> Reply {
        exception::reply(error)
    }
}

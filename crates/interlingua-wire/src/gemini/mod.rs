//! The Gemini protocol: `POST …/models/{model}:generateContent` and `:streamGenerateContent?alt=sse`.
//!
//! The model and the mode stand in the address. A request holds `systemInstruction`, and `contents` whose parts each hold one
//! thing: a text, a function call, a file. An answer has candidates, of which we ask for one; a stream repeats the whole answer,
//! each time with what is new:
//!
//! ```text
//! data: {"candidates":[{"content":{"role":"model","parts":[{"text":"Hel"}]},"index":0}],"usageMetadata":{…},"responseId":"r1"}
//! data: {"candidates":[{"content":{"role":"model","parts":[{"text":"lo"}]},"index":0,"finishReason":"STOP"}],"usageMetadata":{…}}
//! ```
//!
//! There are no event names and no end marker: a stream ends by the end of the body, and one that has told no `finishReason` was cut. A finish reason is not the end, for more may follow it. Texts are pieces to be joined; a part with a
//! `thoughtSignature` is joined with nothing. Without `alt=sse` the stream is one JSON list of the same objects. A blocked
//! prompt is an answer without candidates. Calls of functions have ids in newer answers only; where there is none we make one
//! up, which does not go over the wire.
//!
//! What is kept in `extra["gemini"]` of a part are fields of the part under their own names: `thoughtSignature` seals whatever
//! part it stands on. `part` tells which kind of part a call or a result of the provider was, and an `id` of `null` says that
//! the wire gave none. In `extra["gemini"]` of a request stand fields of the body; `generationConfig` and `toolConfig` there
//! are added to what the neutral settings make, field by field.

#[cfg(feature = "server")]
mod ask;
mod calls;
mod dialect;
mod events;
mod finish;
mod messages;
mod part;
mod request;
#[cfg(feature = "server")]
mod serve;
mod sources;
mod usage;

use std::sync::Arc;

use interlingua_model::{Error, Json, Request};

pub use dialect::Dialect;

use crate::frame::Framing;
use crate::mend::Mending;
use crate::rpc;
use crate::{Call, Codec, Decoder, Encoded, Encoder, Limits, Mint, Mode, Protocol, Refusal, Reply, Serve};

/// The namespace of the protocol.
const PROTOCOL: &str = Protocol::Gemini.id();
/// The field of a part that seals it.
const SIGNATURE: &str = "thoughtSignature";
/// What stands in the place of a signature where there is none.
const UNSIGNED: &str = "skip_thought_signature_validator";
/// The field of `extra` of a request that says how a stream is framed, and what it says of a list.
const FRAMING: &str = "alt";
const LIST: &str = "json";
/// The header for the class of service, where it does not stand in the body.
const TIER_HEADER: &str = "x-vertex-ai-llm-shared-request-type";

/// Gemini in the dialect of one service.
///
/// ```
/// use interlingua_model::Request;
/// use interlingua_wire::gemini::{Dialect, Gemini};
/// use interlingua_wire::{Codec, Mode};
///
/// let codec = Gemini::new(Dialect::default());
/// let call = codec.encode(&Request::new("gemini-3.8-flash").user("hi").max_output(100), Mode::Stream)?.call;
/// assert_eq!(call.path, "/models/gemini-3.8-flash:streamGenerateContent?alt=sse");
/// assert_eq!(
///     &call.body[..],
///     br#"{"generationConfig":{"maxOutputTokens":100},"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#
/// );
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Gemini {
    dialect: Arc<Dialect>,
}

impl Gemini {
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
const COUNTED: [&str; 5] = ["contents", "systemInstruction", "tools", "toolConfig", "generationConfig"];

impl Codec for Gemini {
    fn protocol(&self) -> Protocol {
        Protocol::Gemini
    }

    fn encode_as(&self, model: &str, request: &Request, mode: Mode) -> Result<Encoded, Error> {
        Ok(request::encode(&self.dialect, model, request, mode))
    }

    fn count(&self, model: &str, request: &Request) -> Option<Result<Call, Error>> {
        let encoded = request::encode(&self.dialect, model, request, Mode::Whole);
        let path = encoded.call.path.replacen(":generateContent", ":countTokens", 1);
        let call = crate::count::call(encoded, &path, &COUNTED);
        if self.dialect.count_bare {
            return Some(call);
        }
        let name = if model.contains('/') { model.to_owned() } else { format!("models/{model}") };
        let before = format!("{{\"generateContentRequest\":{{\"model\":{},", Json::string(&name));
        Some(call.map(|mut call| {
            // The object goes on after the name of the model.
            call.body = call.body.slice(1..);
            crate::count::wrapped(call, &before, "}")
        }))
    }

    fn counted(&self, body: &[u8]) -> Result<u64, Error> {
        crate::count::number(body, "totalTokens")
    }

    fn decoder(&self, mode: Mode, limits: Limits) -> Decoder {
        Decoder::new(mode, limits, Box::new(Mending::new(events::AnswerReader::new(mode))))
            .with_framing(Framing::SseWithJson)
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Error {
        rpc::read(refusal.body).refused(refusal)
    }
}

#[cfg(feature = "server")]
impl Serve for Gemini {
    fn decode_request(&self, call: &Call) -> Result<(Request, Mode), Error> {
        ask::decode(call)
    }

    fn encoder(&self, asked: &Request, mode: Mode, mint: Mint) -> Encoder {
        let is_list = asked.extra.read::<String>(PROTOCOL, FRAMING).as_deref() == Some(LIST);
        let framing = if is_list { Framing::JsonList } else { Framing::SseWithJson };
        Encoder::new(mode, Box::new(serve::AnswerWriter::new(asked, mint, is_list))).with_framing(framing)
    }

    fn encode_error(&self, error: &Error) -> Reply {
        rpc::reply(error)
    }
}

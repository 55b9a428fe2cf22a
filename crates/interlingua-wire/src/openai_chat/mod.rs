//! `OpenAI` Chat Completions, the common tongue of compatible services.
//!
//! `POST /chat/completions`; a stream is server-sent events of data alone, ended by `[DONE]`:
//!
//! ```text
//! data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795000000,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}
//! data: {…,"choices":[{"index":0,"delta":{"content":"Checking."},"finish_reason":null}]}
//! data: {…,"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}]}
//! data: {…,"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":\"Paris\"}"}}]},"finish_reason":null}]}
//! data: {…,"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}
//! data: {…,"choices":[],"usage":{"prompt_tokens":2060,"completion_tokens":57,"total_tokens":2117}}
//! data: [DONE]
//! ```
//!
//! | neutral | on this wire |
//! |---|---|
//! | system, user, assistant | messages of the role `system` or `developer`, `user`, `assistant` |
//! | tool result | a message of the role `tool`, text only: media follow in a user message |
//! | reasoning | not at `OpenAI`; elsewhere `reasoning_content`, `reasoning`, `reasoning_details`, thinking parts |
//! | a refusal | `refusal` |
//! | finish | `finish_reason`, delivered at `[DONE]` or at the end of the stream |
//! | further choices (`n`) | [`Event::Other`](interlingua_model::Event::Other) of the kind `choice`, verbatim |
//!
//! A stream that ends without a finish reason and without `[DONE]` is cut. `[DONE]` after content without a finish
//! reason is an end, since some services never name one; `[DONE]` after nothing is a cut.
//! Sources: OpenAI's API reference, and traffic of about forty services; see [`Dialect`] for their differences.

#[cfg(feature = "server")]
mod ask;
mod body;
mod calls;
mod chunk;
mod complaint;
mod dialect;
mod envelope;
mod events;
#[cfg(feature = "server")]
mod history;
mod media;
mod messages;
mod reasoning;
mod request;
mod seen;
#[cfg(feature = "server")]
mod serve;
mod types;
mod usage;

use std::sync::Arc;

use interlingua_model::{Error, Request};

pub use envelope::Envelope;

pub use dialect::{
    AutomaticCache, CacheMarks, Dialect, EmptyContent, EndUser, FileParts, MaxTokens, ReasoningDisplay,
    ReasoningEcho, ReasoningSwitch, RequiredWord, SamplingRule, Seed, StreamEnd, SystemRole, ToolCallIds,
    ToolChoiceWords, ToolDeltas,
};

use crate::mend::Mending;
use crate::{Call, Codec, Decoder, Encoded, Encoder, Limits, Mint, Mode, Protocol, Refusal, Reply, Serve};

/// The namespace of the protocol.
const PROTOCOL: &str = Protocol::OpenaiChat.id();
/// Before the name of a field in a part's `extra`: the field stands in the message, not in the part.
const MESSAGE_FIELD: &str = "message.";
/// Before the name of a field in a tool's `extra`: the field stands in the tool's `function`.
const FUNCTION_FIELD: &str = "function.";
/// What seals a message as a whole and must go back with it (Gemini's thought signatures).
const REPLAYED: [&str; 2] = ["extra_content", "thought_signature"];
/// The field of a request that asks for usage in a stream. In the `extra` of a request that was read, `null` says that
/// the client did not ask.
const STREAM_OPTIONS: &str = "stream_options";

/// Chat Completions in the dialect of one service.
///
/// ```
/// use interlingua_model::{Event, Request};
/// use interlingua_wire::openai_chat::{Dialect, OpenaiChat};
/// use interlingua_wire::{Codec, Limits, Mode};
///
/// let chat = OpenaiChat::new(Dialect::openai());
/// let call = chat.encode(&Request::new("gpt-6-sol").user("hi"), Mode::Whole)?.call;
/// assert_eq!(call.path, "/chat/completions");
/// assert_eq!(&call.body[..], br#"{"model":"gpt-6-sol","messages":[{"role":"user","content":"hi"}]}"#);
///
/// let mut decoder = chat.decoder(Mode::Whole, Limits::default());
/// decoder.push(br#"{"choices":[{"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}"#)?;
/// decoder.end()?;
/// assert!(matches!(decoder.poll(), Some(Event::Start(_))));
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct OpenaiChat {
    dialect: Arc<Dialect>,
}

impl OpenaiChat {
    /// The protocol in a dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect: Arc::new(dialect) }
    }

    /// The dialect.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }
}

impl Codec for OpenaiChat {
    fn protocol(&self) -> Protocol {
        Protocol::OpenaiChat
    }

    fn encode_as(&self, model: &str, request: &Request, mode: Mode) -> Result<Encoded, Error> {
        let encoded = request::encode(&self.dialect, model, request, mode)?;
        Ok(self.dialect.envelope.wrap(encoded, mode))
    }

    fn decoder(&self, mode: Mode, limits: Limits) -> Decoder {
        let reader = events::ChatReader::new(Arc::clone(&self.dialect));
        let envelope = self.dialect.envelope;
        if envelope.is_none() {
            return Decoder::new(mode, limits, Box::new(Mending::new(reader)));
        }
        Decoder::new(mode, limits, Box::new(Mending::new(envelope::EnvelopeReader::new(envelope, reader))))
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Error {
        complaint::complaint(&self.dialect.envelope.unwrap(refusal.body, Mode::Whole)).refused(refusal)
    }
}

#[cfg(feature = "server")]
impl Serve for OpenaiChat {
    fn decode_request(&self, call: &Call) -> Result<(Request, Mode), Error> {
        ask::decode(self.dialect.envelope.asked(call).as_ref().unwrap_or(call))
    }

    fn encoder(&self, asked: &Request, mode: Mode, mint: Mint) -> Encoder {
        let writer = serve::ChatWriter::new(&self.dialect, asked, &mint);
        let envelope = self.dialect.envelope;
        if envelope.is_none() {
            return Encoder::new(mode, Box::new(writer));
        }
        Encoder::new(mode, Box::new(envelope::EnvelopeWriter::new(envelope, writer)))
    }

    fn encode_error(&self, error: &Error) -> Reply {
        self.dialect.envelope.refuse(serve::refuse(error))
    }
}

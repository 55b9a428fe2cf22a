//! `OpenAI` Responses: one request with the whole conversation as items, an answer of items.

mod ask;
mod dialect;
mod events;
mod items;
mod mend;
mod request;
mod seal;
mod serve;
mod types;
mod write;

use interlingua_model::{Error, Request};

use crate::{Call, Codec, Decoder, Encoded, Encoder, Limits, Mint, Mode, Protocol, Refusal, Reply, Serve};

pub use dialect::{
    AutomaticCache, CacheMarks, Dialect, EndUser, Instructions, ReasoningEcho, SamplingRule, Store,
    SystemRole,
};

/// The id of the protocol, which is also its namespace.
const P: &str = Protocol::OpenaiResponses.id();

/// The codec of Responses in one dialect.
///
/// ```
/// use interlingua_model::Request;
/// use interlingua_wire::openai_responses::{Dialect, OpenaiResponses};
/// use interlingua_wire::{Codec, Mode};
///
/// let codec = OpenaiResponses::new(Dialect::openai());
/// let encoded = codec.encode(&Request::new("gpt-6-sol").user("Hello"), Mode::Stream)?;
/// assert_eq!(encoded.call.path, "/responses");
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct OpenaiResponses {
    dialect: Dialect,
}

impl OpenaiResponses {
    /// The codec that speaks a dialect.
    pub const fn new(dialect: Dialect) -> Self {
        Self { dialect }
    }

    fn reading(&self) -> items::Reading {
        items::Reading { hosted_custom_calls: self.dialect.hosted_custom_calls }
    }
}

impl Codec for OpenaiResponses {
    fn protocol(&self) -> Protocol {
        Protocol::OpenaiResponses
    }

    fn encode(&self, request: &Request, mode: Mode) -> Result<Encoded, Error> {
        let (body, warnings) = request::body(&self.dialect, request, mode);
        Ok(Encoded::new(Call::post("/responses", body), warnings))
    }

    fn decoder(&self, mode: Mode, limits: Limits) -> Decoder {
        Decoder::new(mode, limits, Box::new(events::Events::new(self.reading())))
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Error {
        events::complaint(refusal.body).refused(refusal)
    }
}

impl Serve for OpenaiResponses {
    fn decode_request(&self, call: &Call) -> Result<(Request, Mode), Error> {
        ask::request(&self.dialect, &call.body)
    }

    fn encoder(&self, asked: &Request, mode: Mode, mint: Mint) -> Encoder {
        Encoder::new(mode, Box::new(serve::Answer::new(asked, mint)))
    }

    fn encode_error(&self, error: &Error) -> Reply {
        serve::refusal(error)
    }
}

//! `OpenAI` Responses: a conversation of items goes out, an answer of items comes back.
//!
//! `POST /responses`. The body holds `model`, `instructions`, `tools`, the settings, and `input`: a list of *items*.
//! An item is a message, a piece of reasoning, a call of a tool, the output of a tool, or something that only the
//! service knows. Nothing is kept by the service unless the dialect or the request says so (`store`): every call
//! carries the whole conversation, and asks for the reasoning in sealed form, which goes back with the next.
//!
//! # An answer
//!
//! ```text
//! event: response.created                       {"response": {"id": "resp_1", "model": "gpt-6-sol", …}}      Start
//! event: response.output_item.added             {"output_index": 0, "item": {"id": "rs_1", "type": "reasoning", …}}
//! event: response.reasoning_summary_part.added  {"output_index": 0, "summary_index": 0, …}                   Open 0
//! event: response.reasoning_summary_text.delta  {"delta": "Need the weather."}                               Delta 0
//! event: response.output_item.done              {"item": {…, "encrypted_content": "gAAA"}}                   Delta 0, Close 0
//! event: response.output_item.added             {"output_index": 1, "item": {"id": "msg_1", "type": "message", …}}
//! event: response.content_part.added            {"output_index": 1, "content_index": 0, …}                   Open 1
//! event: response.output_text.delta             {"delta": "Checking."}                                       Delta 1
//! event: response.output_item.done              {"item": {"id": "msg_1", …}}                                 Close 1
//! event: response.output_item.added             {"output_index": 2, "item": {"type": "function_call", …}}    Open 2
//! event: response.function_call_arguments.delta {"delta": "{\"city\":\"Paris\"}"}                            Delta 2
//! event: response.output_item.done              {"item": {"id": "fc_1", "call_id": "call_1", …}}             Close 2
//! event: response.completed                     {"response": {"status": "completed", "usage": {…}}}          Usage, Finish
//! ```
//! `response.incomplete` and `response.failed` end an answer too, and a bare `error` event. The end of the bytes does
//! not. A whole answer is the `response` of the last event.
//!
//! # Items and parts
//!
//! | item | parts |
//! |---|---|
//! | `message` | a [`Text`](interlingua_model::Text) for each part of its content |
//! | `reasoning` | a [`Reasoning`](interlingua_model::Reasoning) for each part of its summary and content; one that is empty when there is none. The encrypted content is on the last |
//! | `function_call`, `custom_tool_call` | a [`ToolCall`](interlingua_model::ToolCall) with the `call_id` |
//! | `web_search_call`, `file_search_call`, `code_interpreter_call`, `mcp_call`, `x_search_call` | a `ToolCall` that the provider ran |
//! | `computer_call`, `local_shell_call`, `apply_patch_call`, `shell_call` (unless in a container), `tool_search_call` (if the client executes it) | a `ToolCall` for the caller to run, named without `_call`; its result is written as the output item of that kind |
//! | `image_generation_call` | a [`Media`](interlingua_model::Media) |
//! | everything else | a [`Custom`](interlingua_model::Custom), verbatim |
//!
//! What must go back unchanged lies in the namespace `openai_responses` of each part: `id`, `phase`, `status` (unless
//! completed), `kind` of reasoning (`summary` or `content`), `encrypted_content`, and for hosted calls the whole
//! `item`. Parts that stand together and have the same `id` become one item again. A part of a message's content that is unknown is a
//! `Custom` whose kind begins with `message.`.
//!
//! The wire has no finish reason. It is derived: calls for the caller to run mean tool use, a refusal a refusal, and
//! the reason for which an answer is incomplete the rest. Statuses of background runs (`queued`, `in_progress`,
//! `cancelled`) are passed on as [`FinishReason::Other`](interlingua_model::FinishReason::Other) with the raw word.
//! Fields of the response that neither repeat the request nor are understood lie in the finish.
//!
//! Sources: the type definitions of the official clients, and recorded answers of OpenAI, Azure, Bedrock, xAI,
//! OpenRouter, GitHub Copilot and local servers.

#[cfg(feature = "server")]
mod ask;
mod dialect;
mod events;
mod items;
mod request;
mod seal;
#[cfg(feature = "server")]
mod serve;
mod types;
mod write;

use interlingua_model::{Error, Request};

use crate::mend::Mending;
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

/// The fields of a request that are taken by the call which counts its tokens.
const COUNTED: [&str; 11] = [
    "model",
    "instructions",
    "input",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "text",
    "truncation",
    "previous_response_id",
    "conversation",
];

impl Codec for OpenaiResponses {
    fn protocol(&self) -> Protocol {
        Protocol::OpenaiResponses
    }

    fn encode_as(&self, model: &str, request: &Request, mode: Mode) -> Result<Encoded, Error> {
        let (body, warnings) = request::body(&self.dialect, model, request, mode);
        Ok(Encoded::new(Call::post("/responses", body), warnings))
    }

    fn count(&self, model: &str, request: &Request) -> Option<Result<Call, Error>> {
        self.dialect.count_tokens.then(|| {
            let encoded = self.encode_as(model, request, Mode::Whole)?;
            crate::count::call(encoded, "/responses/input_tokens", &COUNTED)
        })
    }

    fn decoder(&self, mode: Mode, limits: Limits) -> Decoder {
        Decoder::new(mode, limits, Box::new(Mending::new(events::Events::new(self.reading()))))
    }

    fn refusal(&self, refusal: &Refusal<'_>) -> Error {
        events::complaint(refusal.body).refused(refusal)
    }
}

#[cfg(feature = "server")]
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

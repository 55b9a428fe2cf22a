//! What the fuzz targets try, what they begin with, and how a test without a fuzzer changes it.
//!
//! The workspace includes this file by its path, so that the laws are held by a stable compiler as well.

mod laws;
mod mutation;
mod seeds;

use interlingua_wire::Protocol;
use interlingua_wire::anthropic::Anthropic;
use interlingua_wire::bedrock::Bedrock;
use interlingua_wire::cohere::Cohere;
use interlingua_wire::gemini::Gemini;
use interlingua_wire::gemini_interactions::GeminiInteractions;
use interlingua_wire::ollama::Ollama;
use interlingua_wire::openai_chat::OpenaiChat;
use interlingua_wire::openai_responses::OpenaiResponses;

pub use mutation::trial;
pub use seeds::Seeds;

/// A law, and what it is tried with.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name, which is that of the binary.
    pub name: &'static str,
    /// Panics when the law is broken.
    pub law: fn(&[u8]),
    /// What its inputs are made of.
    pub food: Food,
}

/// What the inputs of a target are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Food {
    /// Answers of any protocol, after a byte of flags.
    Frames,
    /// The payloads of such answers as lines, after a byte of flags.
    Lines,
    /// The payloads of such answers as messages of AWS, after a byte of flags.
    Messages,
    /// Answers of one protocol, after a byte of flags.
    Answers(Protocol),
    /// Bodies of requests of one protocol.
    Bodies(Protocol),
    /// Requests, answers and events in our own shape.
    Shapes,
    /// Requests in our own shape.
    Requests,
    /// Lists of events in our own shape.
    Events,
    /// JSON Schemas.
    Schemas,
    /// JSON texts, after a byte of flags.
    Texts,
    /// Requests in our own shape, after a byte that says to whom they go.
    Histories,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "sse", law: laws::sse, food: Food::Frames },
    Target { name: "ndjson", law: laws::ndjson, food: Food::Lines },
    Target { name: "aws", law: laws::aws, food: Food::Messages },
    Target { name: "shape", law: laws::shape, food: Food::Shapes },
    Target { name: "request", law: laws::request, food: Food::Requests },
    Target { name: "events", law: laws::events, food: Food::Events },
    Target { name: "schema", law: laws::schema, food: Food::Schemas },
    Target { name: "partial_json", law: laws::partial_json, food: Food::Texts },
    Target { name: "replay", law: laws::replay, food: Food::Histories },
    Target {
        name: "openai_chat_decode",
        law: |data| laws::decode(&OpenaiChat::default(), data),
        food: Food::Answers(Protocol::OpenaiChat),
    },
    Target {
        name: "openai_chat_serve",
        law: |data| laws::serve(&OpenaiChat::default(), data),
        food: Food::Bodies(Protocol::OpenaiChat),
    },
    Target {
        name: "openai_chat_answer",
        law: |data| laws::answer(&OpenaiChat::default(), data),
        food: Food::Answers(Protocol::OpenaiChat),
    },
    Target {
        name: "openai_responses_decode",
        law: |data| laws::decode(&OpenaiResponses::default(), data),
        food: Food::Answers(Protocol::OpenaiResponses),
    },
    Target {
        name: "openai_responses_serve",
        law: |data| laws::serve(&OpenaiResponses::default(), data),
        food: Food::Bodies(Protocol::OpenaiResponses),
    },
    Target {
        name: "openai_responses_answer",
        law: |data| laws::answer(&OpenaiResponses::default(), data),
        food: Food::Answers(Protocol::OpenaiResponses),
    },
    Target {
        name: "anthropic_decode",
        law: |data| laws::decode(&Anthropic::default(), data),
        food: Food::Answers(Protocol::Anthropic),
    },
    Target {
        name: "anthropic_serve",
        law: |data| laws::serve(&Anthropic::default(), data),
        food: Food::Bodies(Protocol::Anthropic),
    },
    Target {
        name: "anthropic_answer",
        law: |data| laws::answer(&Anthropic::default(), data),
        food: Food::Answers(Protocol::Anthropic),
    },
    Target {
        name: "cohere_decode",
        law: |data| laws::decode(&Cohere::default(), data),
        food: Food::Answers(Protocol::Cohere),
    },
    Target {
        name: "cohere_serve",
        law: |data| laws::serve(&Cohere::default(), data),
        food: Food::Bodies(Protocol::Cohere),
    },
    Target {
        name: "cohere_answer",
        law: |data| laws::answer(&Cohere::default(), data),
        food: Food::Answers(Protocol::Cohere),
    },
    Target {
        name: "bedrock_decode",
        law: |data| laws::decode(&Bedrock::default(), data),
        food: Food::Answers(Protocol::Bedrock),
    },
    Target {
        name: "bedrock_serve",
        law: |data| laws::serve(&Bedrock::default(), data),
        food: Food::Bodies(Protocol::Bedrock),
    },
    Target {
        name: "bedrock_answer",
        law: |data| laws::answer(&Bedrock::default(), data),
        food: Food::Answers(Protocol::Bedrock),
    },
    Target {
        name: "ollama_decode",
        law: |data| laws::decode(&Ollama::default(), data),
        food: Food::Answers(Protocol::Ollama),
    },
    Target {
        name: "ollama_serve",
        law: |data| laws::serve(&Ollama::default(), data),
        food: Food::Bodies(Protocol::Ollama),
    },
    Target {
        name: "ollama_answer",
        law: |data| laws::answer(&Ollama::default(), data),
        food: Food::Answers(Protocol::Ollama),
    },
    Target {
        name: "gemini_decode",
        law: |data| laws::decode(&Gemini::default(), data),
        food: Food::Answers(Protocol::Gemini),
    },
    Target {
        name: "gemini_serve",
        law: |data| laws::serve(&Gemini::default(), data),
        food: Food::Bodies(Protocol::Gemini),
    },
    Target {
        name: "gemini_answer",
        law: |data| laws::answer(&Gemini::default(), data),
        food: Food::Answers(Protocol::Gemini),
    },
    Target {
        name: "gemini_interactions_decode",
        law: |data| laws::decode(&GeminiInteractions::default(), data),
        food: Food::Answers(Protocol::GeminiInteractions),
    },
    Target {
        name: "gemini_interactions_serve",
        law: |data| laws::serve(&GeminiInteractions::default(), data),
        food: Food::Bodies(Protocol::GeminiInteractions),
    },
    Target {
        name: "gemini_interactions_answer",
        law: |data| laws::answer(&GeminiInteractions::default(), data),
        food: Food::Answers(Protocol::GeminiInteractions),
    },
];

/// Tries the law of a target on an input.
///
/// # Panics
/// When the law is broken, or no target has that name.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("there is no target `{name}`")).law)(data);
}

//! What an SDK must return, by scenario: written down by hand, in the vendor's own words.

use interlingua_wire::Protocol;
use serde_json::{Value, json};

use super::kit::Language;
use super::scenario::{Scenario, seal_of};

/// One question to one SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) language: Language,
    /// Whose SDK it is.
    pub(crate) vendor: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) scenario: Scenario,
    pub(crate) way: Way,
}

impl Question {
    /// Whether a vendor is asked whose protocol another one made.
    pub(crate) fn is_mistral(self) -> bool {
        is_mistral(self.vendor)
    }
}

fn is_mistral(vendor: &str) -> bool {
    vendor == "mistral"
}

/// How the SDK is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// An answer that is not streamed.
    Whole,
    /// A stream as it is iterated, put together by the script.
    Raw,
    /// A stream that the SDK puts together.
    Helper,
    /// An answer that is not streamed, parsed by the SDK after a schema.
    Parse,
    /// A stream that the SDK puts together and parses after a schema.
    ParseHelper,
    /// A rich request, whose answer does not matter.
    Rich,
}

impl Way {
    /// The word by which a script knows it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Raw => "raw",
            Self::Helper => "helper",
            Self::Parse => "parse",
            Self::ParseHelper => "parse-helper",
            Self::Rich => "rich",
        }
    }

    const fn is_streamed(self) -> bool {
        matches!(self, Self::Raw | Self::Helper | Self::ParseHelper)
    }
}

impl Scenario {
    /// The ways in which a scenario is asked for.
    pub(crate) fn ways(self, vendor: &str, protocol: Protocol) -> &'static [Way] {
        match self {
            Self::Rich => &[Way::Rich],
            // Their SDKs put no stream together and parse nothing.
            _ if is_bare(protocol) || is_mistral(vendor) => &[Way::Whole, Way::Raw],
            // Anthropic's SDKs parse a refusal as the JSON that it is not, from their own service too.
            Self::Refusal if protocol == Protocol::Anthropic => &[Way::Whole, Way::Raw, Way::Helper],
            Self::Structured | Self::Refusal => {
                &[Way::Whole, Way::Raw, Way::Helper, Way::Parse, Way::ParseHelper]
            }
            _ => &[Way::Whole, Way::Raw, Way::Helper],
        }
    }
}

/// Whether the SDK of a protocol returns what comes as it comes.
const fn is_bare(protocol: Protocol) -> bool {
    is_googles(protocol) || matches!(protocol, Protocol::Bedrock | Protocol::Cohere | Protocol::Ollama)
}

/// Whether a model's refusal is nothing but its text.
const fn refuses_in_text(protocol: Protocol) -> bool {
    is_googles(protocol)
        || matches!(protocol, Protocol::Anthropic | Protocol::Bedrock | Protocol::Cohere | Protocol::Ollama)
}

/// What must come back.
pub(crate) fn expected(question: Question) -> Value {
    let Question { protocol, scenario, way, .. } = question;
    let mut said = json!({
        "text": if scenario == Scenario::Broken && way == Way::Whole { "" } else { text(protocol, scenario) },
        "refusal": refusal(question),
        "reasoning": reasoning(question),
        "seal": seal(question),
        "calls": calls(question),
        "parsed": null,
        "finish": finish(protocol, scenario),
        "usage": usage(question),
        "model": (!matches!(protocol, Protocol::Bedrock | Protocol::Cohere)).then_some("model-1"),
        "error": null,
    });
    if matches!(way, Way::Parse | Way::ParseHelper) && scenario == Scenario::Structured {
        set(&mut said, "parsed", json!({ "city": "Málaga", "degrees": 21.5 }));
    }
    if let Some(error) = error(question) {
        set(&mut said, "finish", Value::Null);
        set(&mut said, "usage", Value::Null);
        if !knows_the_model(question) {
            set(&mut said, "model", Value::Null);
        }
        set(&mut said, "error", error);
    }
    if let Some(error) = cut(question) {
        set(&mut said, "error", error);
    }
    said
}

fn set(said: &mut Value, name: &str, value: Value) {
    if let Some(members) = said.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

fn text(protocol: Protocol, scenario: Scenario) -> &'static str {
    match scenario {
        Scenario::Text | Scenario::Usage | Scenario::Broken => "Looking at Málaga:\n\n☀ 你好 🌍",
        Scenario::Reasoning => "It is warm.",
        Scenario::Tools | Scenario::Mixed => "Let me look.",
        Scenario::Structured => "{\"city\":\"Málaga\",\"degrees\":21.5}",
        Scenario::Length => "It is wa",
        Scenario::Refusal if refuses_in_text(protocol) => "I will not help with that.",
        _ => "",
    }
}

const fn is_googles(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Gemini | Protocol::GeminiInteractions)
}

/// Some models refuse in plain text and by the reason for which they stop; Mistral's SDK knows no other text.
fn refusal(question: Question) -> Option<&'static str> {
    let is_told = !refuses_in_text(question.protocol) && !question.is_mistral();
    let refuses = question.scenario == Scenario::Refusal && is_told;
    refuses.then_some("I will not help with that.")
}

/// The text of reasoning is no field of OpenAI's own, and JavaScript's accumulator keeps the last piece alone of a
/// field that it does not know.
fn reasoning(question: Question) -> &'static str {
    let keeps_last = question.language == Language::Javascript
        && question.protocol == Protocol::OpenaiChat
        && question.way == Way::Helper;
    match has_reasoning(question.scenario) {
        true if keeps_last => "sun.",
        true => "South means sun.",
        false => "",
    }
}

/// Elsewhere there is no place for one.
fn seal(question: Question) -> Option<&'static str> {
    let has_seals =
        matches!(question.protocol, Protocol::Anthropic | Protocol::Bedrock | Protocol::OpenaiResponses);
    let is_told = has_reasoning(question.scenario) && (has_seals || is_googles(question.protocol));
    is_told.then_some(seal_of(question.protocol))
}

const fn has_reasoning(scenario: Scenario) -> bool {
    matches!(scenario, Scenario::Reasoning | Scenario::Mixed)
}

fn calls(question: Question) -> Value {
    // Ollama's SDK for Python keeps no ids.
    let is_kept = question.protocol != Protocol::Ollama || question.language == Language::Javascript;
    let of = |id: &'static str| is_kept.then_some(id);
    let malaga = json!([of("call_a1"), "weather", { "city": "Málaga", "days": 2 }]);
    let oslo = |id: &'static str| json!([of(id), "weather", { "city": "Oslo", "days": 1 }]);
    match question.scenario {
        Scenario::Tools | Scenario::Interleaved => json!([malaga, oslo("call_b2")]),
        Scenario::Bare => json!([[of("call_a1"), "now", {}], oslo("call_b2")]),
        Scenario::Mixed => json!([oslo("call_a1")]),
        Scenario::CutCall => json!([[of("call_a1"), "weather", cut_input(question)]]),
        _ => json!([]),
    }
}

/// What an SDK makes of input that was cut: text where it leaves the parsing to its user.
fn cut_input(question: Question) -> Value {
    match (question.protocol, question.way) {
        (Protocol::Anthropic, Way::Helper) => json!({}),
        // The protocol wants an object, so the server half wraps what is none.
        (Protocol::Anthropic | Protocol::Bedrock | Protocol::GeminiInteractions, Way::Whole)
        | (Protocol::Ollama | Protocol::Gemini, _) => json!({ "input": "{\"city\":\"Os" }),
        _ => json!("{\"city\":\"Os"),
    }
}

fn finish(protocol: Protocol, scenario: Scenario) -> &'static str {
    let is_call =
        matches!(scenario, Scenario::Tools | Scenario::Interleaved | Scenario::Bare | Scenario::Mixed);
    let is_cut = matches!(scenario, Scenario::Length | Scenario::CutCall);
    match protocol {
        Protocol::OpenaiChat if is_call => "tool_calls",
        Protocol::OpenaiChat | Protocol::Ollama if is_cut => "length",
        Protocol::OpenaiChat | Protocol::Ollama => "stop",
        Protocol::OpenaiResponses if is_cut => "incomplete/max_output_tokens",
        Protocol::Cohere if is_call => "TOOL_CALL",
        Protocol::Cohere | Protocol::Gemini if is_cut => "MAX_TOKENS",
        Protocol::Cohere => "COMPLETE",
        Protocol::GeminiInteractions if is_call => "requires_action",
        Protocol::GeminiInteractions if is_cut => "incomplete",
        Protocol::GeminiInteractions if scenario == Scenario::Refusal => "failed",
        Protocol::OpenaiResponses | Protocol::GeminiInteractions => "completed",
        Protocol::Gemini if scenario == Scenario::Refusal => "SAFETY",
        Protocol::Gemini => "STOP",
        _ if is_call => "tool_use",
        _ if is_cut => "max_tokens",
        Protocol::Bedrock if scenario == Scenario::Refusal => "content_filtered",
        _ if scenario == Scenario::Refusal => "refusal",
        _ => "end_turn",
    }
}

fn usage(question: Question) -> Value {
    let Question { protocol, scenario, .. } = question;
    let is_full = scenario == Scenario::Usage;
    let (input, output) = if is_full { (100, 20) } else { (12, 9) };
    let (read, written, reasoning) = if is_full { (60, 30, 5) } else { (0, 0, 0) };
    match protocol {
        Protocol::Cohere => return json!({ "input": input, "output": output, "cache_read": read }),
        Protocol::Ollama => return json!({ "input": input, "output": output }),
        _ if question.is_mistral() => {
            return json!({ "input": input, "output": output, "total": input + output });
        }
        Protocol::Bedrock => {
            return json!({
                "input": input - read - written, "output": output, "total": input + output,
                "cache_read": read, "cache_write": written,
            });
        }
        _ => {}
    }
    let mut usage = json!({
        "input": input, "output": output, "total": input + output,
        "cache_read": read, "cache_write": written, "reasoning": reasoning,
    });
    if is_googles(protocol) {
        // It does not tell what was written to a cache.
        set(&mut usage, "cache_write", json!(0));
    }
    if protocol == Protocol::Anthropic {
        // Its input is what no cache had a part in, and it has no total.
        set(&mut usage, "input", json!(input - read - written));
        usage.as_object_mut().map(|members| members.remove("total"));
    }
    usage
}

/// Whether the first frames, which the script has read before the error, named the model.
fn knows_the_model(question: Question) -> bool {
    question.scenario == Scenario::Broken
        && question.way == Way::Raw
        && !matches!(
            question.protocol,
            Protocol::OpenaiResponses | Protocol::Bedrock | Protocol::Cohere | Protocol::GeminiInteractions
        )
}

/// Python's helper for Chat Completions answers a cut with an error of its own, with or without a schema.
fn cut(question: Question) -> Option<Value> {
    let is_cut = matches!(question.scenario, Scenario::Length | Scenario::CutCall);
    let has_own = question.protocol == Protocol::OpenaiChat
        && question.way == Way::Helper
        && question.language == Language::Python;
    (is_cut && has_own).then(|| json!({ "class": "LengthFinishReasonError" }))
}

/// How each SDK says that a call was refused, or failed after its first words.
fn error(question: Question) -> Option<Value> {
    let Question { scenario, way, .. } = question;
    let message = match scenario {
        Scenario::Limited => "too many requests for now",
        Scenario::Key => "this key is not known",
        Scenario::Invalid => "temperature is out of range",
        Scenario::Overloaded => "no room for now",
        Scenario::Broken => "no room in the middle",
        _ => return None,
    };
    let (class, status, kind) = if scenario == Scenario::Broken && way.is_streamed() {
        in_the_middle(question)
    } else {
        at_once(question)
    };
    let tells_id = scenario != Scenario::Broken
        && question.protocol != Protocol::Ollama
        && !is_googles(question.protocol);
    let id = tells_id.then_some("req_7");
    let kind = Some(kind).filter(|kind| !kind.is_empty());
    if question.is_mistral() && way.is_streamed() && scenario == Scenario::Broken {
        // Its SDKs know of no error in the middle of a stream and say that they cannot read it.
        return Some(json!({ "class": class }));
    }
    Some(json!({ "class": class, "status": status, "message": message, "kind": kind, "request_id": id }))
}

fn at_once(question: Question) -> (&'static str, Option<u16>, &'static str) {
    if question.protocol == Protocol::Gemini {
        return googles(question);
    }
    match (question.scenario, question.protocol) {
        (_, Protocol::OpenaiChat) if question.is_mistral() => mistrals(question.scenario),
        (Scenario::Limited, Protocol::Bedrock) => ("ThrottlingException", Some(429), "ThrottlingException"),
        // One that all services know is not among those of this one.
        (Scenario::Key, Protocol::Bedrock) => ("ClientError", Some(403), "UnrecognizedClientException"),
        (Scenario::Invalid, Protocol::Bedrock) => ("ValidationException", Some(400), "ValidationException"),
        (_, Protocol::Bedrock) => ("ServiceUnavailableException", Some(503), "ServiceUnavailableException"),
        (Scenario::Limited, Protocol::Cohere) => ("TooManyRequestsError", Some(429), ""),
        (Scenario::Key, Protocol::Cohere) => ("UnauthorizedError", Some(401), ""),
        (Scenario::Invalid, Protocol::Cohere) => ("BadRequestError", Some(400), ""),
        (_, Protocol::Cohere) => ("ServiceUnavailableError", Some(503), ""),
        (Scenario::Limited, Protocol::Ollama) => ("ResponseError", Some(429), ""),
        (Scenario::Key, Protocol::Ollama) => ("ResponseError", Some(401), ""),
        (Scenario::Invalid, Protocol::Ollama) => ("ResponseError", Some(400), ""),
        (_, Protocol::Ollama) => ("ResponseError", Some(503), ""),
        (Scenario::Limited, Protocol::GeminiInteractions) => {
            ("RateLimitError", Some(429), "resource_exhausted")
        }
        (Scenario::Key, Protocol::GeminiInteractions) => {
            ("AuthenticationError", Some(401), "unauthenticated")
        }
        (Scenario::Invalid, Protocol::GeminiInteractions) => {
            ("BadRequestError", Some(400), "invalid_request")
        }
        (_, Protocol::GeminiInteractions) => ("InternalServerError", Some(503), "unavailable"),
        (Scenario::Limited, _) => ("RateLimitError", Some(429), "rate_limit_error"),
        (Scenario::Key, _) => ("AuthenticationError", Some(401), "authentication_error"),
        (Scenario::Invalid, _) => ("BadRequestError", Some(400), "invalid_request_error"),
        (_, Protocol::Anthropic) => ("OverloadedError", Some(529), "overloaded_error"),
        (_, Protocol::OpenaiChat) => ("InternalServerError", Some(503), "service_unavailable"),
        _ => ("InternalServerError", Some(503), "server_error"),
    }
}

/// Mistral's SDKs have one class for all that goes wrong.
const fn mistrals(scenario: Scenario) -> (&'static str, Option<u16>, &'static str) {
    match scenario {
        Scenario::Limited => ("SDKError", Some(429), "rate_limit_error"),
        Scenario::Key => ("SDKError", Some(401), "authentication_error"),
        Scenario::Invalid => ("SDKError", Some(400), "invalid_request_error"),
        _ => ("SDKError", Some(503), "service_unavailable"),
    }
}

/// Google's SDK for Python tells by class whose fault it is, the one for JavaScript does not.
const fn googles(question: Question) -> (&'static str, Option<u16>, &'static str) {
    let (python, status, kind) = match question.scenario {
        Scenario::Limited => ("ClientError", 429, "RESOURCE_EXHAUSTED"),
        Scenario::Key => ("ClientError", 401, "UNAUTHENTICATED"),
        Scenario::Invalid => ("ClientError", 400, "INVALID_ARGUMENT"),
        _ => ("ServerError", 503, "UNAVAILABLE"),
    };
    let class = match question.language {
        Language::Python => python,
        Language::Javascript => "ApiError",
    };
    (class, Some(status), kind)
}

fn in_the_middle(question: Question) -> (&'static str, Option<u16>, &'static str) {
    match (question.protocol, question.language) {
        (Protocol::Gemini, _) => googles(question),
        (Protocol::GeminiInteractions, _) => ("error", None, "unavailable"),
        (Protocol::Anthropic, Language::Python) => ("APIStatusError", Some(200), "overloaded_error"),
        (Protocol::Anthropic, Language::Javascript) => ("APIError", None, "overloaded_error"),
        (Protocol::OpenaiChat, Language::Python) if question.is_mistral() => {
            ("ResponseValidationError", None, "")
        }
        (Protocol::OpenaiChat, _) if question.is_mistral() => ("ZodError", None, ""),
        (Protocol::OpenaiChat, _) => ("APIError", None, "service_unavailable"),
        (Protocol::Bedrock, _) => ("EventStreamError", None, "serviceUnavailableException"),
        (Protocol::Cohere, _) => ("message-end", None, "ERROR"),
        (Protocol::Ollama, Language::Python) => ("ResponseError", None, ""),
        (Protocol::Ollama, Language::Javascript) => ("Error", None, ""),
        _ => ("response.failed", None, "slow_down"),
    }
}

/// How many rich requests an SDK composes.
pub(crate) fn rich_requests(vendor: &str, protocol: Protocol) -> usize {
    match protocol {
        Protocol::OpenaiChat | Protocol::Anthropic if !is_mistral(vendor) => 3,
        _ => 2,
    }
}

/// What must be understood of the first rich request, a line for each thing.
pub(crate) fn outline(vendor: &str, protocol: Protocol) -> Vec<&'static str> {
    let outline = match protocol {
        Protocol::OpenaiChat if is_mistral(vendor) => MISTRAL,
        Protocol::Gemini => GEMINI,
        Protocol::GeminiInteractions => INTERACTIONS,
        Protocol::OpenaiChat => CHAT,
        Protocol::OpenaiResponses => RESPONSES,
        Protocol::Bedrock => BEDROCK,
        Protocol::Cohere => COHERE,
        Protocol::Ollama => OLLAMA,
        _ => ANTHROPIC,
    };
    outline.lines().collect()
}

const CHAT: &str = r#"model gpt-4.1
system: text "Be brief."
user: text "How is Málaga?"
assistant: text "Which day?"
user: text "The day of this picture."
user: media image/png 70 bytes
user: media image/* https://example.com/sky.jpg
user: media application/pdf 15 bytes
user: media audio/wav 4 bytes
assistant: text "Let me look."
assistant: call call_a1 weather {"city":"Málaga","days":2}
assistant: call call_b2 now {}
user: result call_a1 [text "Sunny."]
user: result call_b2 [text "no clock"]
assistant: refusal "I will not say."
user: text "Well?"
tool weather "The weather." strict true city+days
tool now "The time." strict true
choice {"tool":"weather"}
parallel false
schema "City" strict true city+degrees
sampling {"temperature":0.5,"top_p":0.9,"seed":7,"presence_penalty":0.25,"frequency_penalty":0.5,"stop":["END","STOP"],"logprobs":2}
max_output 4096
cache {"key":"key-1"}
tier flex
metadata run=r1
metadata team=south
end_user user-7"#;

const RESPONSES: &str = r#"model gpt-4.1
system: text "Be brief."
user: text "How is Málaga?"
assistant: text "Which day?"
user: text "The day of this picture."
user: media image/png 70 bytes
user: media image/* https://example.com/sky.jpg
user: media application/pdf 15 bytes
assistant: reasoning sealed "South means sun."
assistant: text "Let me look."
assistant: call call_a1 weather {"city":"Málaga","days":2}
assistant: call call_b2 now {}
user: result call_a1 [text "Sunny."]
user: result call_b2 [text "no clock"]
user: text "Well?"
tool weather "The weather." strict true city+days
tool now "The time."
choice {"tool":"weather"}
parallel false
schema "City" strict true city+degrees
sampling {"temperature":0.5,"top_p":0.9,"logprobs":2}
max_output 4096
cache {"key":"key-1"}
tier flex
metadata run=r1
metadata team=south
end_user user-7"#;

const ANTHROPIC: &str = r#"model claude-opus-4-6
system: text "Be brief." cache "default"
user: text "How is Málaga?"
assistant: text "Which day?"
user: text "The day of this picture."
user: media image/png 70 bytes
user: media image/* https://example.com/sky.jpg
user: media application/pdf 15 bytes
assistant: reasoning sealed "South means sun."
assistant: reasoning sealed ""
assistant: text "Let me look."
assistant: call toolu_a1 weather {"city":"Málaga","days":2}
assistant: call toolu_b2 now {}
user: result toolu_a1 [text "Sunny.", media image/png 70 bytes]
user: error toolu_b2 [text "no clock"]
user: text "Well?"
tool weather "The weather." strict true city+days
tool now "The time." cache "default"
choice "auto"
parallel false
sampling {"stop":["END","STOP"]}
max_output 4096
budget 2048
tier auto
end_user user-7"#;

const BEDROCK: &str = r#"model us.anthropic.claude-opus-4-8
system: text "Be brief." cache "default"
user: text "How is Málaga?"
user: media image/png 70 bytes
user: media application/pdf 15 bytes
user: media video/mp4 s3://bucket/sky.mp4
assistant: reasoning sealed "South means sun."
assistant: reasoning sealed ""
assistant: text "Let me look."
assistant: call tooluse_a1 weather {"city":"Málaga","days":2}
assistant: call tooluse_b2 now {}
user: result tooluse_a1 [text "Sunny.", verbatim {"custom":{"kind":"json","protocol":"bedrock","value":{"json":{"degrees":21}}}}, media image/png 70 bytes]
user: error tooluse_b2 [text "no clock"]
user: text "Well?"
user: verbatim {"custom":{"kind":"guardContent","protocol":"bedrock","value":{"guardContent":{"text":{"qualifiers":["query"],"text":"Well?"}}}}}
tool weather "The weather." cache "default" city+days
choice {"tool":"weather"}
sampling {"stop":["END","STOP"]}
max_output 4096
metadata team=south
metadata run=r1"#;

const COHERE: &str = r#"model command-a-03-2025
system: text "Be brief."
user: media text/plain 24 bytes
user: media text/plain 11 bytes
user: text "How is Málaga?"
assistant: text "Which day?"
user: text "The day of this picture."
user: media image/png 70 bytes
user: media image/* https://example.com/sky.jpg
assistant: reasoning open "South means sun."
assistant: text "Let me look."
assistant: reasoning sealed "I will look."
assistant: call call_a1 weather {"city":"Málaga","days":2}
assistant: call call_b2 now {}
user: result call_a1 [text "Sunny.", media text/plain 12 bytes]
user: result call_b2 [text "no clock"]
user: text "Well?"
tool weather "The weather." strict true city+days
tool now "The time." strict true
choice "required"
sampling {"temperature":0.5,"top_p":0.9,"top_k":40,"seed":7,"presence_penalty":0.25,"frequency_penalty":0.5,"stop":["END","STOP"],"logprobs":0}
max_output 4096
budget 2048"#;

const OLLAMA: &str = r#"model qwen3
system: text "Be brief."
user: text "How is Málaga?"
assistant: text "Which day?"
user: text "The day of this picture."
user: media image/png 70 bytes
assistant: reasoning open "South means sun."
assistant: text "Let me look."
assistant: call call_0 weather {"city":"Málaga","days":2}
assistant: call call_1 now {}
user: result call_0 [text "Sunny."]
user: result call_1 [text "no clock"]
user: text "Well?"
tool weather "The weather." city+days
sampling {"temperature":0.5,"top_p":0.9,"top_k":40,"seed":7,"presence_penalty":0.25,"frequency_penalty":0.5,"stop":["END","STOP"]}
max_output 4096
effort high"#;

const MISTRAL: &str = r#"model mistral-medium-latest
system: text "Be brief."
user: text "How is Málaga?"
assistant: text "Which day?"
user: text "The day of this picture."
user: media image/png 70 bytes
user: media image/* https://example.com/sky.jpg
user: media application/* https://example.com/almanac.pdf
user: verbatim {"custom":{"kind":"input_audio","protocol":"openai_chat","value":{"input_audio":"UklGRg==","type":"input_audio"}}}
assistant: reasoning sealed "South means sun."
assistant: text "Let me look."
assistant: call call0000a weather {"city":"Málaga","days":2}
assistant: call call0000b now {}
user: result call0000a [text "Sunny."]
user: result call0000b [text "no clock"]
user: text "Well?"
tool weather "The weather." strict true city+days
tool now "The time."
choice {"tool":"weather"}
parallel false
sampling {"temperature":0.5,"top_p":0.9,"seed":7,"presence_penalty":0.25,"frequency_penalty":0.5,"stop":["END","STOP"]}
max_output 4096
cache {"key":"key-1"}
metadata run=r1
metadata team=south"#;

const GEMINI: &str = r#"model gemini-2.5-flash
system: text "Be brief."
user: text "How is Málaga?"
assistant: text "Which day?"
user: text "The day of this picture."
user: media image/png 70 bytes
user: media application/pdf 15 bytes
user: media image/jpeg https://example.com/sky.jpg
assistant: reasoning open "South means sun."
assistant: text "Let me look."
assistant: call call_a1 weather {"city":"Málaga","days":2}
assistant: call call_b2 now {}
user: result call_a1 [text "Sunny."]
user: error call_b2 [text "no clock"]
user: text "Well?"
tool weather "The weather." city+days
tool now "The time."
choice {"tool":"weather"}
sampling {"temperature":0.5,"top_p":0.9,"top_k":40,"seed":7,"presence_penalty":0.25,"frequency_penalty":0.5,"stop":["END","STOP"],"logprobs":2}
max_output 4096
budget 2048
show_reasoning true"#;

const INTERACTIONS: &str = r#"model gemini-3-pro-preview
system: text "Be brief."
user: text "How is Málaga?"
assistant: text "Which day?"
user: text "The day of this picture."
user: media image/png 70 bytes
user: media image/jpeg https://example.com/sky.jpg
user: media application/pdf 15 bytes
assistant: reasoning sealed "South means sun."
assistant: text "Let me look."
assistant: call call_a1 weather {"city":"Málaga","days":2}
assistant: call call_b2 now {}
user: result call_a1 [text "Sunny."]
user: error call_b2 [text "no clock"]
user: text "Well?"
tool weather "The weather." city+days
tool now "The time."
choice {"tool":"weather"}
sampling {"temperature":0.5,"top_p":0.9,"seed":7,"stop":["END","STOP"]}
max_output 4096
effort high
show_reasoning true"#;

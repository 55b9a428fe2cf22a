//! A request that an SDK composed is read, written again, and both bodies are held against each other.

use interlingua_model::{
    Content, Error, Format, Input, Json, Media, Message, Output, Request, Source, Text, Tool, ToolResult,
};
use interlingua_wire::{Call, Mode, Protocol, Serve, catalog};
use serde_json::Value;

use super::meaning::{self, Words};
use super::server::broken;

/// What came of one request.
#[derive(Debug)]
pub(crate) struct Mirrored {
    pub(crate) protocol: Protocol,
    /// Whether the SDK asked for a stream.
    pub(crate) streamed: bool,
    /// What is not the same, a line each.
    pub(crate) differences: Vec<String>,
    /// What was understood of the conversation, a line a part.
    pub(crate) outline: Vec<String>,
}

/// The codec of the vendor whose SDK asks, for the model that is asked.
pub(crate) fn codec(vendor: &str, protocol: Protocol, call: &Call) -> Result<Box<dyn Serve>, Error> {
    let asked = body(&call.body)?;
    let model = asked.get("model").and_then(Value::as_str).or_else(|| named(&call.path)).unwrap_or_default();
    let row = catalog::find(vendor).ok_or_else(|| broken(format!("`{vendor}` is not in the table")))?;
    row.server(protocol, model)
}

/// The model that a path names, in Amazon's way or in Google's.
fn named(path: &str) -> Option<&str> {
    let (_, rest) = path.rsplit_once("/model/").or_else(|| path.rsplit_once("/models/"))?;
    rest.split(['/', ':']).next()
}

/// Reads a request, writes it again, and reads that.
pub(crate) fn hold(protocol: Protocol, codec: &dyn Serve, call: &Call) -> Mirrored {
    let mut mirrored = Mirrored { protocol, streamed: false, differences: Vec::new(), outline: Vec::new() };
    if let Err(error) = fill(&mut mirrored, codec, call) {
        mirrored.differences.push(format!("{error}"));
    }
    mirrored
}

fn fill(mirrored: &mut Mirrored, codec: &dyn Serve, call: &Call) -> Result<(), Error> {
    let (request, mode) = codec.decode_request(call)?;
    mirrored.streamed = mode == Mode::Stream;
    mirrored.outline = outline(&request);
    let again = codec.encode(&request, mode)?;
    mirrored.differences.extend(again.warnings.iter().map(|warning| format!("warning: {warning}")));
    let words = match mirrored.protocol {
        Protocol::OpenaiResponses => Words::Responses,
        Protocol::Gemini => Words::Gemini,
        _ => Words::Chat,
    };
    let (mut came, mut went) = (body(&call.body)?, body(&again.call.body)?);
    if mirrored.protocol == Protocol::Ollama {
        // Its SDK sends no ids of calls: they are made up, and sent.
        without_ids(&mut came);
        without_ids(&mut went);
    }
    mirrored.differences.extend(meaning::differences(words, &came, &went));
    let (second, _) = codec.decode_request(&again.call)?;
    let (first, second) = (neutral(&request)?, neutral(&second)?);
    let unequal = meaning::differences(words, &first, &second);
    mirrored.differences.extend(unequal.into_iter().map(|line| format!("request {line}")));
    Ok(())
}

fn body(bytes: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(bytes).map_err(|error| broken(format!("a body is not JSON: {error}")))
}

/// Takes the ids of calls out of a body.
fn without_ids(body: &mut Value) {
    let messages = body.get_mut("messages").and_then(Value::as_array_mut);
    for message in messages.into_iter().flatten() {
        let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
        for call in calls.into_iter().flatten().filter_map(Value::as_object_mut) {
            call.remove("id");
        }
        if let Some(message) = message.as_object_mut() {
            message.remove("tool_call_id");
        }
    }
}

fn neutral(request: &Request) -> Result<Value, Error> {
    serde_json::to_value(request).map_err(|error| broken(format!("a request cannot be serialized: {error}")))
}

/// What a request says in neutral terms, a line for each thing. What a codec only carries along verbatim is not here,
/// so that a line stands for something that was understood.
pub(crate) fn outline(request: &Request) -> Vec<String> {
    let mut lines = vec![format!("model {}", request.model)];
    lines.extend(request.messages.iter().flat_map(of_message));
    lines.extend(request.tools.iter().map(of_tool));
    lines.extend(request.tool_choice.as_ref().map(|choice| format!("choice {}", json(choice))));
    lines.extend(request.parallel_tool_calls.map(|parallel| format!("parallel {parallel}")));
    lines.extend(request.format.as_ref().map(of_format));
    lines.extend(Some(format!("sampling {}", json(&request.sampling))));
    lines.extend(request.max_output.map(|tokens| format!("max_output {tokens}")));
    lines.extend(request.effort.map(|effort| format!("effort {effort}")));
    lines.extend(request.reasoning_budget.map(|tokens| format!("budget {tokens}")));
    lines.extend(request.show_reasoning.map(|show| format!("show_reasoning {show}")));
    lines.extend(request.verbosity.map(|verbosity| format!("verbosity {}", verbosity.as_str())));
    lines.extend(Some(format!("cache {}", json(&request.cache))).filter(|_| !request.cache.is_empty()));
    lines.extend(request.service_tier.as_ref().map(|tier| format!("tier {tier}")));
    lines.extend(request.metadata.iter().map(|(name, value)| format!("metadata {name}={value}")));
    lines.extend(request.end_user.as_ref().map(|user| format!("end_user {user}")));
    lines
}

fn of_message(message: &Message) -> Vec<String> {
    let (role, parts): (&str, Vec<String>) = match message {
        Message::System(system) => ("system", system.parts.iter().map(of_input).collect()),
        Message::User(user) => ("user", user.parts.iter().map(of_input).collect()),
        Message::Assistant(assistant) => ("assistant", assistant.parts.iter().map(of_output).collect()),
        _ => ("?", Vec::new()),
    };
    parts.into_iter().map(|part| format!("{role}: {part}")).collect()
}

fn of_input(part: &Input) -> String {
    match part {
        Input::Text(text) => of_text(text),
        Input::Media(media) => of_media(media),
        Input::ToolResult(result) => of_result(result),
        other => verbatim(other),
    }
}

fn of_output(part: &Output) -> String {
    match part {
        Output::Text(text) => of_text(text),
        Output::Media(media) => of_media(media),
        Output::ToolResult(result) => of_result(result),
        Output::Reasoning(reasoning) => {
            let sealed = if reasoning.extra.is_empty() { "open" } else { "sealed" };
            format!("reasoning {sealed} {:?}", reasoning.text)
        }
        Output::ToolCall(call) => format!("call {} {} {}", call.id, call.name, compact(&call.input)),
        other => verbatim(other),
    }
}

fn of_text(text: &Text) -> String {
    let kind = if text.refusal { "refusal" } else { "text" };
    let cache = text.cache.map_or_else(String::new, |cache| format!(" cache {}", json(&cache)));
    format!("{kind} {:?}{cache}", text.text)
}

fn of_media(media: &Media) -> String {
    match &media.source {
        Source::Bytes(data) => format!("media {} {} bytes", media.mime, data.as_bytes().len()),
        Source::Url(url) => format!("media {} {url}", media.mime),
        other => format!("media {} {}", media.mime, json(other)),
    }
}

fn of_result(result: &ToolResult) -> String {
    let of_content = |content: &Content| match content {
        Content::Text(text) => of_text(text),
        Content::Media(media) => of_media(media),
        other => verbatim(other),
    };
    let content: Vec<String> = result.content.iter().map(of_content).collect();
    let word = if result.is_error { "error" } else { "result" };
    format!("{word} {} [{}]", result.call, content.join(", "))
}

fn of_tool(tool: &Tool) -> String {
    match tool {
        Tool::Function(function) => {
            let strict = function.strict.map_or_else(String::new, |strict| format!(" strict {strict}"));
            let cache = function.cache.map_or_else(String::new, |cache| format!(" cache {}", json(&cache)));
            let described = function.description.as_deref().unwrap_or_default();
            format!("tool {} {described:?}{strict}{cache} {}", function.name, members(&function.input))
                .trim_end()
                .to_owned()
        }
        other => format!("tool {}", json(other)),
    }
}

fn of_format(format: &Format) -> String {
    match format {
        Format::Schema(schema) => {
            let strict = schema.strict.map_or_else(String::new, |strict| format!(" strict {strict}"));
            format!("schema {:?}{strict} {}", schema.name, members(&schema.schema))
        }
        other => format!("format {}", json(other)),
    }
}

/// The names of the members that a schema describes.
fn members(schema: &Json) -> String {
    let schema = schema.to_value().unwrap_or_default();
    let names = schema.get("properties").and_then(Value::as_object).map(|members| members.keys().cloned());
    names.into_iter().flatten().collect::<Vec<_>>().join("+")
}

/// JSON without spaces, so that two spellings of the same are the same line.
fn compact(json: &Json) -> String {
    json.to_value().map_or_else(|_| json.as_str().to_owned(), |value| value.to_string())
}

/// What a codec carries along, with its names sorted: the SDKs send them in different orders.
fn verbatim(value: &impl serde::Serialize) -> String {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    value.sort_all_objects();
    format!("verbatim {value}")
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).map_or_else(|error| error.to_string(), |value| value.to_string())
}

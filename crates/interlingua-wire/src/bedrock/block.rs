//! Content blocks, both ways. A block is an object with one key, which tells its kind. Every field that has no place in
//! the neutral part stays in its `extra` under its own name, and goes back from there; a block that is not known stays
//! whole.

use interlingua_model::{
    Content, Custom, Extra, Input, Json, Output, Reasoning, Retention, RunBy, Text, ToolCall, ToolResult,
};
use serde_json::value::RawValue;

use super::node::{Node, array};
use super::{PROTOCOL, citation, media};
use crate::Object;

/// How the type of the result of a tool ends that the provider ran.
const RESULT: &str = "_result";
/// The type of a call that the provider runs.
const SERVER_CALL: &str = "server_tool_use";
/// The keys of the blocks that are known. Another key beside one of them is no block.
const KINDS: [&str; 9] = [
    "text",
    "toolUse",
    "toolResult",
    "reasoningContent",
    "citationsContent",
    "image",
    "document",
    "video",
    "audio",
];

/// The kind of a block and what is in it.
pub(super) fn split(raw: &RawValue) -> Option<(String, &RawValue)> {
    let block = Object::parse(raw.get()).ok()?;
    let known = block.iter().find(|(name, _)| KINDS.contains(name));
    let (name, inner) = known.or_else(|| block.iter().next())?;
    Some((name.to_owned(), inner))
}

/// A block of an answer, or of an assistant's message.
pub(super) fn output(raw: &RawValue) -> Output {
    let Some((kind, inner)) = split(raw) else { return Output::Custom(custom("unknown", raw)) };
    let object = || Object::parse(inner.get()).ok();
    let part = match &*kind {
        "text" => read_text(raw, inner).map(Output::Text),
        "citationsContent" => object().and_then(read_cited).map(Output::Text),
        "reasoningContent" => object().and_then(read_reasoning).map(Output::Reasoning),
        "toolUse" => object().and_then(read_call).map(Output::ToolCall),
        "toolResult" => object().and_then(read_result).map(Output::ToolResult),
        kind => object().and_then(|object| media::read(kind, object)).map(Output::Media),
    };
    part.unwrap_or_else(|| Output::Custom(custom(&kind, raw)))
}

/// A block of a user's or a system message.
pub(super) fn input(raw: &RawValue) -> Input {
    match content(raw) {
        Content::Text(text) => Input::Text(text),
        Content::Media(media) => Input::Media(media),
        Content::Custom(custom) => {
            let result = split(raw)
                .filter(|(kind, _)| kind == "toolResult")
                .and_then(|(_, inner)| read_result(Object::parse(inner.get()).ok()?));
            result.map_or(Input::Custom(custom), Input::ToolResult)
        }
        _ => Input::Custom(custom("unknown", raw)),
    }
}

/// A block of the result of a tool.
fn content(raw: &RawValue) -> Content {
    let Some((kind, inner)) = split(raw) else { return Content::Custom(custom("unknown", raw)) };
    let part = match &*kind {
        "text" => read_text(raw, inner).map(Content::Text),
        kind => {
            let object = Object::parse(inner.get()).ok();
            object.and_then(|object| media::read(kind, object)).map(Content::Media)
        }
    };
    part.unwrap_or_else(|| Content::Custom(custom(&kind, raw)))
}

/// A list of blocks, each cache mark put to what stands before it.
pub(super) fn list<Part>(
    blocks: Vec<&RawValue>,
    read: impl Fn(&RawValue) -> Part,
    mark: impl Fn(&mut Part) -> Option<&mut Option<Retention>>,
) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::with_capacity(blocks.len());
    for raw in blocks {
        let place = parts.last_mut().and_then(&mark).filter(|cache| cache.is_none());
        match (place, cache_point(raw)) {
            (Some(place), Some(retention)) => *place = Some(retention),
            _ => parts.push(read(raw)),
        }
    }
    parts
}

/// Where the cache mark of a part stands.
pub(super) const fn input_mark(part: &mut Input) -> Option<&mut Option<Retention>> {
    match part {
        Input::Text(text) => Some(&mut text.cache),
        Input::Media(media) => Some(&mut media.cache),
        Input::ToolResult(result) => Some(&mut result.cache),
        _ => None,
    }
}

/// Where the cache mark of a part stands.
pub(super) const fn output_mark(part: &mut Output) -> Option<&mut Option<Retention>> {
    match part {
        Output::Text(text) => Some(&mut text.cache),
        Output::ToolCall(call) => Some(&mut call.cache),
        Output::ToolResult(result) => Some(&mut result.cache),
        _ => None,
    }
}

/// The retention that a cache mark asks for; one of another shape is none.
pub(super) fn cache_point(raw: &RawValue) -> Option<Retention> {
    let block = Object::parse(raw.get()).ok()?;
    let mark: Object<'_> = block.peek("cachePoint")?;
    let is_known = block.iter().count() == 1
        && mark.iter().all(|(name, _)| matches!(name, "type" | "ttl"))
        && mark.peek("type") == Some("default");
    match (is_known, mark.peek::<&str>("ttl")) {
        (true, None) if mark.get("ttl").is_none() => Some(Retention::Default),
        (true, Some("5m")) => Some(Retention::Short),
        (true, Some("1h")) => Some(Retention::Long),
        _ => None,
    }
}

/// A cache mark.
pub(super) fn write_cache_point(retention: Retention) -> Json {
    Json::from_text(match retention {
        Retention::Short => r#"{"cachePoint":{"type":"default","ttl":"5m"}}"#,
        Retention::Long => r#"{"cachePoint":{"type":"default","ttl":"1h"}}"#,
        _ => r#"{"cachePoint":{"type":"default"}}"#,
    })
}

fn custom(kind: &str, raw: &RawValue) -> Custom {
    Custom::new(PROTOCOL, kind, Json::from(raw))
}

fn rest(object: Object<'_>) -> Extra {
    let mut extra = Extra::default();
    object.rest_into(&mut extra, PROTOCOL);
    extra
}

/// A text alone; what stands beside it in its block is kept.
fn read_text(raw: &RawValue, inner: &RawValue) -> Option<Text> {
    let mut text = Text::new(serde_json::from_str::<String>(inner.get()).ok()?);
    let mut block = Object::parse(raw.get()).ok()?;
    block.take_raw("text");
    text.extra = rest(block);
    Some(text)
}

/// A text with its citations, one of which may be empty. The pieces of the text are one text.
fn read_cited(mut object: Object<'_>) -> Option<Text> {
    let pieces: Vec<Object<'_>> = object.take("content").ok()?.unwrap_or_default();
    let citations: Vec<&RawValue> = object.take("citations").ok()?.unwrap_or_default();
    let mut text = Text::default();
    for mut piece in pieces {
        text.text.push_str(&piece.take::<String>("text").ok()??);
        if !piece.is_empty() {
            return None;
        }
    }
    text.citations = citations.into_iter().map(citation::read).collect::<Option<_>>()?;
    object.is_empty().then_some(text)
}

fn read_reasoning(mut object: Object<'_>) -> Option<Reasoning> {
    if object.get("redactedContent").is_some() {
        let mut reasoning = Reasoning::default();
        reasoning.extra = rest(object);
        return Some(reasoning);
    }
    let mut inner: Object<'_> = object.take("reasoningText").ok()??;
    let mut reasoning = Reasoning::new(inner.take::<String>("text").ok()?.unwrap_or_default());
    if inner.peek("signature") == Some("") {
        inner.take_raw("signature");
    }
    reasoning.extra = rest(inner);
    object.is_empty().then_some(reasoning)
}

/// Reads a call; also the beginning of one in a stream, which has no input.
pub(super) fn read_call(mut object: Object<'_>) -> Option<ToolCall> {
    let (id, name): (String, String) = (object.take("toolUseId").ok()??, object.take("name").ok()??);
    let input = object.take_raw("input").map_or_else(|| Json::from_text(""), Json::from);
    let mut call = ToolCall::new(id, name, input);
    match object.peek::<&str>("type") {
        Some(SERVER_CALL) => call.run_by = RunBy::Provider,
        // Some models say what is so anyway, and what the protocol does not take back.
        Some("tool_use") => drop(object.take_raw("type")),
        _ => {}
    }
    call.extra = rest(object);
    Some(call)
}

/// Reads a result; also the beginning of one in a stream, which has no content.
pub(super) fn read_result(mut object: Object<'_>) -> Option<ToolResult> {
    let mut result = ToolResult::default();
    result.call = object.take("toolUseId").ok()??;
    let blocks: Vec<&RawValue> = object.take("content").ok()?.unwrap_or_default();
    result.content = contents(blocks);
    match object.peek::<&str>("status") {
        Some("error") => result.is_error = true,
        Some("success") => {}
        _ => return Some(finished(result, object)),
    }
    object.take_raw("status");
    Some(finished(result, object))
}

fn finished(mut result: ToolResult, object: Object<'_>) -> ToolResult {
    let kind: Option<String> = object.peek("type");
    if let Some(name) = kind.as_deref().and_then(|kind| kind.strip_suffix(RESULT)) {
        name.clone_into(&mut result.name);
    }
    result.extra = rest(object);
    result
}

/// What a result says.
pub(super) fn contents(blocks: Vec<&RawValue>) -> Vec<Content> {
    blocks.into_iter().map(content).collect()
}

/// A text block, with its citations where there are some of this protocol; `None` for what says nothing.
pub(super) fn write_text(text: &Text, with_citations: bool) -> Option<Json> {
    let own = text.citations.iter().filter(|citation| with_citations && citation::is_own(citation));
    let citations: Vec<Json> = own.map(citation::write).collect();
    // The protocol refuses blank text.
    let is_blank = text.text.trim().is_empty();
    if !citations.is_empty() {
        let mut node = Node::default();
        if !text.text.is_empty() {
            node.put("content", array(&[Node::default().text("text", &text.text).json()]));
        }
        return Some(Node::of("citationsContent", node.set("citations", array(&citations)).json()).json());
    }
    (!is_blank).then(|| bare(text))
}

/// A text block, be it blank or not.
pub(super) fn bare(text: &Text) -> Json {
    Node::default().text("text", &text.text).extra(&text.extra).json()
}

/// Whether what the provider wants back of reasoning is there.
pub(super) fn is_sealed(reasoning: &Reasoning) -> bool {
    ["signature", "redactedContent"].iter().any(|name| reasoning.extra.get(PROTOCOL, name).is_some())
}

/// A reasoning block.
pub(super) fn write_reasoning(reasoning: &Reasoning) -> Json {
    let inner = if reasoning.extra.get(PROTOCOL, "redactedContent").is_some() {
        Node::default().extra(&reasoning.extra)
    } else {
        let text = Node::default().text("text", &reasoning.text).extra(&reasoning.extra);
        Node::of("reasoningText", text.json())
    };
    Node::of("reasoningContent", inner.json()).json()
}

/// A call. Input that is no object, which the protocol cannot carry, is wrapped; the caller has warned.
pub(super) fn write_call(call: &ToolCall) -> Json {
    let input = match () {
        () if call.input.is_blank() => Json::object(),
        () if call.input.is_object() && call.kind.is_function() => call.input.clone(),
        () => Node::default().text("input", call.input.as_str()).json(),
    };
    let node = Node::default().text("toolUseId", &call.id).text("name", &call.name).set("input", input);
    Node::of("toolUse", node.extra(&call.extra).json()).json()
}

/// A result with content that has been written.
pub(super) fn write_result(result: &ToolResult, content: &[Json]) -> Json {
    let mut node = Node::default().text("toolUseId", &result.call).set("content", array(content));
    if result.is_error {
        node = node.text("status", "error");
    }
    Node::of("toolResult", node.extra(&result.extra).json()).json()
}

/// Whether a call is the caller's to run, or one of this protocol that the provider ran.
pub(super) fn is_own_call(call: &ToolCall) -> bool {
    call.run_by.is_caller() || call.extra.get(PROTOCOL, "type").is_some()
}

/// Whether a custom part is one of this protocol.
pub(super) fn is_known(custom: &Custom) -> bool {
    custom.protocol == PROTOCOL
}

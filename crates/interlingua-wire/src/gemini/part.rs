//! Parts, both ways. What a part says beside its content (`thoughtSignature`, `videoMetadata`) stays in `extra` under its own
//! name and goes back from there; a part that is not known stays whole.

use interlingua_model::{
    Content, Custom, Extra, Input, Json, Media, Output, Reasoning, RunBy, Source, Text, ToolCall, ToolResult,
};
use serde_json::value::RawValue;

use super::calls::Ids;
use super::{PROTOCOL, SIGNATURE, UNSIGNED};
use crate::tree::{Tree, camel};
use crate::{Object, binary};

/// The name under which code that the provider runs is called.
pub(super) const CODE: &str = "code_execution";
/// The field of `extra` that tells which kind of part a call or a result of the provider was.
pub(super) const KIND: &str = "part";
/// The field of `extra` that says of a call or a result that the wire gave it no id.
pub(super) const ID: &str = "id";

/// What parts hold, each at most one of these.
const CONTENTS: [&str; 9] = [
    "text",
    "functionCall",
    "inlineData",
    "fileData",
    "functionResponse",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
];

/// What a part holds.
pub(super) fn content_of(part: &Object<'_>) -> Option<&'static str> {
    let mut found = CONTENTS.into_iter().filter(|name| part.get(name).is_some());
    match (found.next(), found.next()) {
        (Some(name), None) => Some(name),
        // A signature alone seals thoughts that nobody may read.
        (None, _) if part.get(SIGNATURE).is_some() => Some("text"),
        _ => None,
    }
}

/// A part of an answer, or of what the model has said before.
pub(super) fn output(raw: &RawValue, ids: &mut Ids) -> Output {
    let Ok(part) = Object::parse(raw.get()).map(camel) else { return Output::Custom(custom("", raw)) };
    let kind = content_of(&part);
    let found = match kind {
        Some("text") => read_words(part),
        Some("functionCall") => read_call(part, ids).map(Output::ToolCall),
        Some("executableCode") => read_code(part, ids).map(Output::ToolCall),
        Some("toolCall") => read_tool_call(part, ids).map(Output::ToolCall),
        Some("codeExecutionResult") => read_code_result(part, ids).map(Output::ToolResult),
        Some("toolResponse") => read_tool_response(part, ids).map(Output::ToolResult),
        Some("inlineData") => read_inline(part).map(Output::Media),
        Some("fileData") => read_file(part).map(Output::Media),
        _ => None,
    };
    found.unwrap_or_else(|| Output::Custom(custom(kind.unwrap_or_default(), raw)))
}

/// A part of what the user says, or of the instructions.
pub(super) fn input(raw: &RawValue, ids: &mut Ids) -> Input {
    let Ok(part) = Object::parse(raw.get()).map(camel) else { return Input::Custom(custom("", raw)) };
    let kind = content_of(&part);
    let found = match kind {
        Some("text") => match read_words(part) {
            Some(Output::Text(text)) => Some(Input::Text(text)),
            _ => None,
        },
        Some("functionResponse") => read_result(part, ids).map(Input::ToolResult),
        Some("inlineData") => read_inline(part).map(Input::Media),
        Some("fileData") => read_file(part).map(Input::Media),
        _ => None,
    };
    found.unwrap_or_else(|| Input::Custom(custom(kind.unwrap_or_default(), raw)))
}

fn custom(kind: &str, raw: &RawValue) -> Custom {
    Custom::new(PROTOCOL, kind, Json::from(raw))
}

/// What a part says beside its content. A word that stands in for a signature is none.
pub(super) fn rest(part: Object<'_>) -> Extra {
    let mut extra = Extra::default();
    part.rest_into(&mut extra, PROTOCOL);
    if extra.read::<String>(PROTOCOL, SIGNATURE).is_some_and(|word| word.is_empty() || word == UNSIGNED) {
        extra.take(PROTOCOL, SIGNATURE);
    }
    extra
}

/// What a call, a result or a file says beyond what has a place of its own.
fn keep_inner(extra: &mut Extra, name: &str, inner: &Object<'_>) {
    if !inner.is_empty() {
        let mut tree = Tree::default();
        for (name, value) in inner.iter() {
            tree.put(name, Json::from(value));
        }
        extra.set(PROTOCOL, name, tree.json());
    }
}

/// Text, or reasoning, which is text that is marked as thought, or nothing but its seal.
fn read_words(mut part: Object<'_>) -> Option<Output> {
    let text: String = part.take("text").ok()?.unwrap_or_default();
    let thought = part.peek::<bool>("thought");
    if thought.is_some() {
        part.take_raw("thought");
    }
    let mut extra = rest(part);
    if thought == Some(true) {
        let mut reasoning = Reasoning::new(text);
        reasoning.extra = extra;
        return Some(Output::Reasoning(reasoning));
    }
    if text.is_empty() && extra.get(PROTOCOL, SIGNATURE).is_some() {
        extra.set(PROTOCOL, "thought", Json::from_text("false"));
        let mut reasoning = Reasoning::default();
        reasoning.extra = extra;
        return Some(Output::Reasoning(reasoning));
    }
    let mut text = Text::new(text);
    text.extra = extra;
    Some(Output::Text(text))
}

/// An id that the wire gave, or one that it did not give and that stays off it.
fn identified(id: Option<String>, extra: &mut Extra, other: impl FnOnce() -> String) -> String {
    id.filter(|id| !id.is_empty()).unwrap_or_else(|| {
        extra.set(PROTOCOL, ID, Json::from_text("null"));
        other()
    })
}

fn read_call(mut part: Object<'_>, ids: &mut Ids) -> Option<ToolCall> {
    let mut call = part.take::<Object<'_>>("functionCall").ok()?.map(camel)?;
    let name: String = call.take("name").ok()??;
    let id = call.take("id").ok()?;
    let args = call.take_raw("args").filter(|args| args.get() != "null");
    let mut extra = rest(part);
    keep_inner(&mut extra, "functionCall", &call);
    let id = identified(id, &mut extra, || ids.call());
    ids.called(&id, &name);
    let mut call = ToolCall::new(id, name, args.map_or_else(|| Json::from_text(""), Json::from));
    call.extra = extra;
    Some(call)
}

fn read_code(mut part: Object<'_>, ids: &mut Ids) -> Option<ToolCall> {
    let mut code = part.take::<Object<'_>>("executableCode").ok()??;
    let id = code.take("id").ok()?;
    let mut input = Tree::default();
    for (name, value) in code.iter() {
        input.put(name, Json::from(value));
    }
    Some(provider_call(part, "executableCode", CODE, id, input.json(), ids))
}

fn read_tool_call(mut part: Object<'_>, ids: &mut Ids) -> Option<ToolCall> {
    let mut call = part.take::<Object<'_>>("toolCall").ok()?.map(camel)?;
    let (name, id): (String, _) = (call.take("toolType").ok()??, call.take("id").ok()?);
    let args = call.take_raw("args").map_or_else(|| Json::from_text(""), Json::from);
    let inner = call;
    let mut found = provider_call(part, "toolCall", &name, id, args, ids);
    keep_inner(&mut found.extra, "toolCall", &inner);
    Some(found)
}

fn provider_call(
    part: Object<'_>,
    kind: &str,
    name: &str,
    id: Option<String>,
    input: Json,
    ids: &mut Ids,
) -> ToolCall {
    let mut extra = rest(part);
    extra.set(PROTOCOL, KIND, Json::string(kind));
    let id = identified(id, &mut extra, || ids.call());
    ids.called(&id, name);
    let mut call = ToolCall::new(id, name, input);
    call.run_by = RunBy::Provider;
    call.extra = extra;
    call
}

fn read_code_result(mut part: Object<'_>, ids: &mut Ids) -> Option<ToolResult> {
    let mut inner = part.take::<Object<'_>>("codeExecutionResult").ok()??;
    let id = inner.take("id").ok()?;
    let output: Option<String> = inner.take("output").ok()?;
    let mut result = provider_result(part, "codeExecutionResult", CODE, id, ids);
    result.is_error = inner.peek::<String>("outcome").is_some_and(|outcome| outcome != "OUTCOME_OK");
    result.content = output.map(|text| Content::Text(Text::new(text))).into_iter().collect();
    keep_inner(&mut result.extra, "codeExecutionResult", &inner);
    Some(result)
}

fn read_tool_response(mut part: Object<'_>, ids: &mut Ids) -> Option<ToolResult> {
    let mut inner = part.take::<Object<'_>>("toolResponse").ok()?.map(camel)?;
    let (name, id): (Option<String>, _) = (inner.take("toolType").ok()?, inner.take("id").ok()?);
    let value = inner.take_raw("response");
    let mut result = provider_result(part, "toolResponse", &name.unwrap_or_default(), id, ids);
    result.content = value.map(|value| Content::Custom(custom("toolResponse", value))).into_iter().collect();
    keep_inner(&mut result.extra, "toolResponse", &inner);
    Some(result)
}

fn provider_result(
    part: Object<'_>,
    kind: &str,
    name: &str,
    id: Option<String>,
    ids: &mut Ids,
) -> ToolResult {
    let mut result = ToolResult::default();
    result.extra = rest(part);
    result.extra.set(PROTOCOL, KIND, Json::string(kind));
    result.call = identified(id, &mut result.extra, || ids.answered(name));
    ids.returned(&result.call);
    name.clone_into(&mut result.name);
    result
}

fn read_result(mut part: Object<'_>, ids: &mut Ids) -> Option<ToolResult> {
    let mut inner = part.take::<Object<'_>>("functionResponse").ok()?.map(camel)?;
    let (name, id): (String, _) = (inner.take("name").ok()?.unwrap_or_default(), inner.take("id").ok()?);
    let mut result = ToolResult::default();
    if let Some(value) = inner.take_raw("response") {
        response(value, &mut result);
    }
    let media: Vec<&RawValue> = inner.take("parts").ok()?.unwrap_or_default();
    result.content.extend(media.into_iter().map(|raw| match input(raw, ids) {
        Input::Media(media) => Content::Media(media),
        _ => Content::Custom(custom("parts", raw)),
    }));
    result.extra = rest(part);
    keep_inner(&mut result.extra, "functionResponse", &inner);
    result.call = identified(id, &mut result.extra, || ids.answered(&name));
    ids.returned(&result.call);
    result.name = name;
    Some(result)
}

/// What a function returned: `{"output": text}`, `{"error": text}`, or an object that is the result itself.
fn response(value: &RawValue, result: &mut ToolResult) {
    let object = Object::parse(value.get()).unwrap_or_default();
    let only = |name: &str| object.peek::<String>(name).filter(|_| object.iter().count() == 1);
    let text = match (only("output"), only("error")) {
        (Some(text), _) => text,
        (None, Some(text)) => {
            result.is_error = true;
            text
        }
        (None, None) => value.get().to_owned(),
    };
    if !text.is_empty() {
        result.content.push(Content::Text(Text::new(text)));
    }
}

fn read_inline(mut part: Object<'_>) -> Option<Media> {
    let mut inner = part.take::<Object<'_>>("inlineData").ok()?.map(camel)?;
    let mime: String = inner.take("mimeType").ok()??;
    let data = binary::decoded(&inner.take::<String>("data").ok()??)?;
    Some(named(Media::new(mime, Source::Bytes(data)), part, "inlineData", inner))
}

fn read_file(mut part: Object<'_>) -> Option<Media> {
    let mut inner = part.take::<Object<'_>>("fileData").ok()?.map(camel)?;
    let mime: Option<String> = inner.take("mimeType").ok()?;
    let uri: String = inner.take("fileUri").ok()??;
    let source = if uri.contains("://") { Source::Url(uri) } else { Source::File(uri) };
    Some(named(Media::new(mime.as_deref().unwrap_or(ANY), source), part, "fileData", inner))
}

/// The type of a file of which nothing is told.
const ANY: &str = "application/*";

fn named(mut media: Media, part: Object<'_>, kind: &str, mut inner: Object<'_>) -> Media {
    media.name = inner.peek("displayName");
    if media.name.is_some() {
        inner.take_raw("displayName");
    }
    media.extra = rest(part);
    keep_inner(&mut media.extra, kind, &inner);
    media
}

/// The fields of `extra` that are no fields of the part.
const MARKS: [&str; 2] = [KIND, ID];

/// A part with its content and what stands beside it.
fn with_extra(tree: Tree, extra: &Extra) -> Json {
    let mut beside = extra.clone();
    for mark in MARKS {
        beside.take(PROTOCOL, mark);
    }
    tree.extra(PROTOCOL, &beside).json()
}

/// A text.
pub(super) fn write_text(text: &Text) -> Json {
    with_extra(Tree::default().text("text", &text.text), &text.extra)
}

/// Reasoning, or the seal of reasoning that nobody may read.
pub(super) fn write_reasoning(reasoning: &Reasoning) -> Json {
    let tree = Tree::default().text("text", &reasoning.text);
    let mut extra = reasoning.extra.clone();
    let is_seal = extra.take(PROTOCOL, "thought").is_some_and(|thought| thought.as_str() == "false");
    with_extra(if is_seal { tree } else { tree.plain("thought", true) }, &extra)
}

/// Whether a call or a result goes out with its id.
pub(super) fn has_id(extra: &Extra, allowed: bool) -> bool {
    allowed && extra.get(PROTOCOL, ID).is_none()
}

/// A call of the caller's tools, or one that the provider has run; `None` for one that another provider has run.
/// Input that is no object, which the protocol cannot carry, is wrapped; the caller has warned.
pub(super) fn write_call(call: &ToolCall, with_id: bool) -> Option<Json> {
    let id = Some(&*call.id).filter(|_| has_id(&call.extra, with_id));
    let kind: Option<String> = call.extra.read(PROTOCOL, KIND);
    let tree = match kind.as_deref() {
        Some("executableCode") => {
            let mut code = Tree::default().maybe("id", id);
            for (name, value) in Object::parse(call.input.as_str()).unwrap_or_default().iter() {
                code.put(name, Json::from(value));
            }
            Tree::of("executableCode", code.json())
        }
        Some("toolCall") => {
            let inner = arguments(Tree::default().maybe("id", id).text("toolType", &call.name), call);
            Tree::of("toolCall", inner.json())
        }
        _ if !call.run_by.is_caller() => return None,
        _ => {
            let inner = arguments(Tree::default().maybe("id", id).text("name", &call.name), call);
            Tree::of("functionCall", inner.json())
        }
    };
    Some(with_extra(tree, &call.extra))
}

fn arguments(tree: Tree, call: &ToolCall) -> Tree {
    match () {
        () if call.input.is_blank() => tree,
        () if is_carried(call) => tree.set("args", call.input.clone()),
        () => tree.set("args", Tree::default().text("input", call.input.as_str()).json()),
    }
}

/// Whether the input of a call goes out as it is.
pub(super) fn is_carried(call: &ToolCall) -> bool {
    call.input.is_blank() || call.kind.is_function() && call.input.is_object()
}

/// What came of a tool that the provider ran; `None` for one of another provider.
pub(super) fn write_provider_result(result: &ToolResult, with_id: bool) -> Option<Json> {
    let id = Some(&*result.call).filter(|_| has_id(&result.extra, with_id));
    let kind: String = result.extra.read(PROTOCOL, KIND)?;
    let inner = Tree::default().maybe("id", id);
    let inner = match kind.as_str() {
        "codeExecutionResult" => {
            let text = Some(result.text()).filter(|_| !result.content.is_empty());
            let inner = inner.maybe("output", text.as_deref());
            let outcome = if result.is_error { "OUTCOME_FAILED" } else { "OUTCOME_OK" };
            let is_told = result.extra.get(PROTOCOL, &kind).is_some();
            inner.maybe("outcome", Some(outcome).filter(|_| !is_told))
        }
        "toolResponse" => {
            let name = Some(&*result.name).filter(|name| !name.is_empty());
            let inner = inner.maybe("toolType", name);
            match result.content.as_slice() {
                [Content::Custom(custom)] => inner.set("response", custom.value.clone()),
                _ => inner,
            }
        }
        _ => return None,
    };
    Some(with_extra(Tree::of(&kind, inner.json()), &result.extra))
}

/// The result of a function with the media that stand in it.
pub(super) fn write_result(result: &ToolResult, text: &str, media: &[Json], with_id: bool) -> Json {
    let id = Some(&*result.call).filter(|_| has_id(&result.extra, with_id));
    let mut inner = Tree::default().maybe("id", id).text("name", &result.name);
    inner.put("response", returned(text, result.is_error));
    if !media.is_empty() {
        inner.put("parts", crate::tree::array(media));
    }
    with_extra(Tree::of("functionResponse", inner.json()), &result.extra)
}

/// An object is the result itself, unless it could be taken for the protocol's own; everything else is its output.
fn returned(text: &str, is_error: bool) -> Json {
    if !is_error
        && let Ok(object) = Object::parse(text)
        && object.get("output").is_none()
        && object.get("error").is_none()
    {
        return Json::from_text(text);
    }
    Tree::default().text(if is_error { "error" } else { "output" }, text).json()
}

/// An image, a document, a sound or a video.
pub(super) fn write_media(media: &Media, with_name: bool) -> Option<Json> {
    let name = media.name.as_deref().filter(|_| with_name);
    let tree = match &media.source {
        Source::Bytes(data) => {
            let inner = Tree::default().text("mimeType", &media.mime).text("data", &data.to_base64());
            Tree::of("inlineData", inner.maybe("displayName", name).json())
        }
        Source::Url(uri) | Source::File(uri) => {
            let mime = Some(&*media.mime).filter(|mime| !mime.ends_with("/*"));
            let inner = Tree::default().maybe("mimeType", mime.or_else(|| mime_of(uri))).text("fileUri", uri);
            Tree::of("fileData", inner.maybe("displayName", name).json())
        }
        _ => return None,
    };
    Some(with_extra(tree, &media.extra))
}

/// The type of a file by the ending of its name, where nothing more is known; services want one.
fn mime_of(uri: &str) -> Option<&'static str> {
    let path = uri.split(['?', '#']).next()?;
    Some(match path.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "ogg" => "audio/ogg",
        "flac" => "audio/flac",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        _ => return None,
    })
}

/// Whether a part is one of this protocol.
pub(super) fn is_known(custom: &Custom) -> bool {
    custom.protocol == PROTOCOL
}

//! Steps and their contents, both ways. Fields that have no place in the neutral part stay in its `extra` under their own
//! names and go back from there; what is not known stays whole.

use interlingua_model::{
    Citation, Content, Custom, Extra, Input, Json, Media, MediaKind, Output, Reasoning, RunBy, Source, Span,
    Text, ToolCall, ToolResult,
};
use serde_json::value::RawValue;

use super::{PROTOCOL, SIGNATURE};
use crate::tree::{Tree, array};
use crate::{Object, binary};

/// The field of `extra` that tells which kind of step a tool of the provider made.
pub(super) const TYPE: &str = "type";
/// How the kind of a custom part begins that is a content, and not a step.
const CONTENT: &str = "content/";
const CALL: &str = "_call";
const RESULT: &str = "_result";

/// The kind of a step or a content.
pub(super) fn kind_of(step: &Object<'_>) -> String {
    step.peek(TYPE).unwrap_or_default()
}

/// The parts that a step of an answer makes.
pub(super) fn outputs(raw: &RawValue) -> Vec<Output> {
    let Ok(step) = Object::parse(raw.get()) else { return vec![Output::Custom(custom("", raw))] };
    let kind = kind_of(&step);
    if kind == "model_output"
        && let Some(contents) = step.peek::<Vec<&RawValue>>("content")
    {
        return contents.into_iter().map(output).collect();
    }
    let found = match kind.as_str() {
        "thought" => Some(Output::Reasoning(read_thought(step))),
        "function_call" => read_call(step).map(Output::ToolCall),
        kind if kind.ends_with(CALL) => read_run(step, kind).map(Output::ToolCall),
        kind if kind.ends_with(RESULT) && kind != "function_result" => {
            read_run_result(step, kind).map(Output::ToolResult)
        }
        "text" | "image" | "audio" | "video" | "document" => return vec![output(raw)],
        _ => None,
    };
    vec![found.unwrap_or_else(|| Output::Custom(custom(&kind, raw)))]
}

/// A content of what the model puts out.
pub(super) fn output(raw: &RawValue) -> Output {
    match content(raw) {
        Content::Text(text) => Output::Text(text),
        Content::Media(media) => Output::Media(media),
        Content::Custom(custom) => Output::Custom(custom),
        _ => Output::Custom(custom(CONTENT, raw)),
    }
}

/// A content of what the user puts in.
pub(super) fn input(raw: &RawValue) -> Input {
    match content(raw) {
        Content::Text(text) => Input::Text(text),
        Content::Media(media) => Input::Media(media),
        Content::Custom(custom) => Input::Custom(custom),
        _ => Input::Custom(custom(CONTENT, raw)),
    }
}

fn content(raw: &RawValue) -> Content {
    let Ok(content) = Object::parse(raw.get()) else { return Content::Custom(custom(CONTENT, raw)) };
    let kind = kind_of(&content);
    let found = match kind.as_str() {
        "text" => read_text(content).map(Content::Text),
        "image" | "audio" | "video" | "document" => read_media(content, &kind).map(Content::Media),
        _ => None,
    };
    found.unwrap_or_else(|| Content::Custom(custom(&format!("{CONTENT}{kind}"), raw)))
}

pub(super) fn custom(kind: &str, raw: &RawValue) -> Custom {
    Custom::new(PROTOCOL, kind, Json::from(raw))
}

/// What a step says beyond what has a place of its own. An empty seal is none.
pub(super) fn rest(mut step: Object<'_>) -> Extra {
    step.take_raw(TYPE);
    if step.peek(SIGNATURE) == Some("") {
        step.take_raw(SIGNATURE);
    }
    let mut extra = Extra::default();
    for (name, value) in step.iter().filter(|(_, value)| value.get() != "null") {
        extra.set(PROTOCOL, name, Json::from(value));
    }
    extra
}

fn read_text(mut content: Object<'_>) -> Option<Text> {
    let mut text = Text::new(content.take::<String>("text").ok()?.unwrap_or_default());
    if let Some(annotations) = content.peek::<Vec<&RawValue>>("annotations") {
        content.take_raw("annotations");
        text.citations = annotations.into_iter().filter_map(citation).collect();
    }
    text.extra = rest(content);
    Some(text)
}

/// A source of a text.
pub(super) fn citation(raw: &RawValue) -> Option<Citation> {
    let mut fields = Object::parse(raw.get()).ok()?;
    let mut citation = Citation::new(fields.take::<String>(TYPE).ok()??);
    let mut words = |name: &str| {
        let text = fields.peek::<String>(name)?;
        fields.take_raw(name);
        Some(text)
    };
    citation.url = words("url");
    citation.title = words("title");
    if let (Some(start), Some(end)) = (fields.peek("start_index"), fields.peek("end_index")) {
        citation.span = Some(Span { start, end });
        fields.take_raw("start_index");
        fields.take_raw("end_index");
    }
    fields.rest_into(&mut citation.extra, PROTOCOL);
    Some(citation)
}

/// Thoughts, whose summary may be told in several texts.
fn read_thought(mut step: Object<'_>) -> Reasoning {
    let mut reasoning = Reasoning::default();
    if let Some(summary) = step.peek::<Vec<Object<'_>>>("summary")
        && summary.iter().all(|content| content.peek(TYPE) == Some("text"))
    {
        step.take_raw("summary");
        reasoning.text = summary.iter().filter_map(|content| content.peek::<String>("text")).collect();
    }
    reasoning.extra = rest(step);
    reasoning
}

fn read_call(mut step: Object<'_>) -> Option<ToolCall> {
    let (id, name): (String, String) = (step.take("id").ok()??, step.take("name").ok()??);
    let arguments = step.take_raw("arguments").filter(|arguments| !is_nothing(arguments));
    let mut call = ToolCall::new(id, name, arguments.map_or_else(|| Json::from_text(""), Json::from));
    call.extra = rest(step);
    Some(call)
}

/// Whether arguments are null, or an object of nothing, as they are for a function that takes none.
pub(super) fn is_nothing(arguments: &RawValue) -> bool {
    arguments.get() == "null" || Object::parse(arguments.get()).is_ok_and(|object| object.is_empty())
}

fn read_run(mut step: Object<'_>, kind: &str) -> Option<ToolCall> {
    let id: String = step.take("id").ok()??;
    let input = step.take_raw("arguments").map_or_else(|| Json::from_text(""), Json::from);
    let mut call = ToolCall::new(id, kind.strip_suffix(CALL)?, input);
    call.run_by = RunBy::Provider;
    call.extra = rest(step);
    call.extra.set(PROTOCOL, TYPE, Json::string(kind));
    Some(call)
}

fn read_run_result(mut step: Object<'_>, kind: &str) -> Option<ToolResult> {
    let mut result = ToolResult::default();
    result.call = step.take("call_id").ok()??;
    kind.strip_suffix(RESULT)?.clone_into(&mut result.name);
    result.is_error = step.peek("is_error") == Some(true);
    let value = step.take_raw("result");
    result.content = value.map(|value| Content::Custom(custom(kind, value))).into_iter().collect();
    result.extra = rest(step);
    result.extra.set(PROTOCOL, TYPE, Json::string(kind));
    Some(result)
}

/// What a function returned: a text, contents, or an object that is the result itself.
pub(super) fn read_result(mut step: Object<'_>) -> Option<ToolResult> {
    let mut result = ToolResult::default();
    result.call = step.take("call_id").ok()??;
    result.name = step.take("name").ok()?.unwrap_or_default();
    result.is_error = step.take("is_error").ok()?.unwrap_or(false);
    if let Some(raw) = step.take_raw("result") {
        result.content = if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
            vec![Content::Text(Text::new(text))]
        } else if let Ok(contents) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            contents.into_iter().map(content).collect()
        } else {
            vec![Content::Text(Text::new(raw.get()))]
        };
    }
    result.extra = rest(step);
    Some(result)
}

fn read_media(mut content: Object<'_>, kind: &str) -> Option<Media> {
    let mime: Option<String> = content.take("mime_type").ok()?;
    let wildcard = if kind == "document" { "application/*".to_owned() } else { format!("{kind}/*") };
    let mime = mime.unwrap_or(wildcard);
    let source = match (content.take::<String>("data").ok()?, content.take::<String>("uri").ok()?) {
        (Some(data), None) => Source::Bytes(binary::decoded(&data)?),
        (None, Some(uri)) if uri.contains("://") => Source::Url(uri),
        (None, Some(uri)) => Source::File(uri),
        _ => return None,
    };
    let mut media = Media::new(mime, source);
    if kind_word(&media) != kind {
        return None;
    }
    media.extra = rest(content);
    Some(media)
}

fn kind_word(media: &Media) -> &'static str {
    match media.kind() {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        _ => "document",
    }
}

/// A step or a content of a kind, with what stands beside.
fn written(kind: &str, tree: &Tree, extra: &Extra) -> Json {
    let mut step = Tree::default().text(TYPE, kind);
    tree.each(|name, value| step.put(name, value.clone()));
    step.extra(PROTOCOL, extra).json()
}

pub(super) fn write_text(text: &Text, with_sources: bool) -> Json {
    let mut tree = Tree::default().text("text", &text.text);
    let sources: Vec<Json> =
        text.citations.iter().filter(|_| with_sources).filter_map(write_citation).collect();
    if !sources.is_empty() {
        tree.put("annotations", array(&sources));
    }
    written("text", &tree, &text.extra)
}

/// A source; one of another protocol is an address, or nothing.
pub(super) fn write_citation(citation: &Citation) -> Option<Json> {
    let is_own = matches!(citation.kind.as_str(), "url_citation" | "file_citation" | "place_citation")
        || citation.extra.fields(PROTOCOL).is_some();
    if !is_own && citation.url.is_none() {
        return None;
    }
    let kind = if is_own { citation.kind.as_str() } else { "url_citation" };
    let tree =
        Tree::default().maybe("url", citation.url.as_deref()).maybe("title", citation.title.as_deref());
    let tree = match citation.span {
        Some(span) => tree.plain("start_index", span.start).plain("end_index", span.end),
        None => tree,
    };
    Some(written(kind, &tree, &citation.extra))
}

/// An image, a sound, a video or a document.
pub(super) fn write_media(media: &Media) -> Option<Json> {
    let mime = Some(&*media.mime).filter(|mime| !mime.ends_with("/*"));
    let tree = match &media.source {
        Source::Bytes(data) => Tree::default().text("data", &data.to_base64()),
        Source::Url(uri) | Source::File(uri) => Tree::default().text("uri", uri),
        _ => return None,
    };
    Some(written(kind_word(media), &tree.maybe("mime_type", mime), &media.extra))
}

pub(super) fn write_thought(reasoning: &Reasoning) -> Json {
    let mut tree = Tree::default();
    if !reasoning.text.is_empty() {
        let text = Tree::default().text(TYPE, "text").text("text", &reasoning.text);
        tree.put("summary", array(&[text.json()]));
    }
    written("thought", &tree, &reasoning.extra)
}

/// Whether the input of a call goes out as it is.
pub(super) fn is_carried(call: &ToolCall) -> bool {
    call.input.is_blank() || call.kind.is_function() && call.input.is_object()
}

/// A call of the caller's tools, or one that the provider has run; `None` for one that another provider has run.
pub(super) fn write_call(call: &ToolCall) -> Option<Json> {
    let kind: Option<String> = call.extra.read(PROTOCOL, TYPE);
    let tree = Tree::default().text("id", &call.id);
    let (kind, tree) = match kind {
        Some(kind) => (kind, tree),
        None if call.run_by.is_caller() => ("function_call".to_owned(), tree.text("name", &call.name)),
        None => return None,
    };
    let arguments = match () {
        () if call.input.is_blank() && call.run_by.is_caller() => Some(Json::object()),
        () if call.input.is_blank() => None,
        () if is_carried(call) => Some(call.input.clone()),
        () => Some(Tree::default().text("input", call.input.as_str()).json()),
    };
    let tree = arguments.map_or(tree.clone(), |arguments| tree.set("arguments", arguments));
    Some(written(&kind, &tree, &call.extra))
}

/// What came of a tool that the provider ran; `None` for one of another provider.
pub(super) fn write_run_result(result: &ToolResult) -> Option<Json> {
    let kind: String = result.extra.read(PROTOCOL, TYPE)?;
    let mut tree = Tree::default().text("call_id", &result.call);
    if let [Content::Custom(custom)] = result.content.as_slice() {
        tree.put("result", custom.value.clone());
    }
    Some(written(&kind, &tree, &result.extra))
}

/// The result of a function: a text, an object that is the result itself, or contents where there is more than text.
pub(super) fn write_result(result: &ToolResult, name: &str, contents: Option<&[Json]>) -> Json {
    let text = result.text();
    let value = match contents {
        Some(contents) => array(contents),
        None if Json::from_text(&*text).is_object() => Json::from_text(&*text),
        None => Json::string(&text),
    };
    let name = Some(name).filter(|name| !name.is_empty());
    let mut tree = Tree::default().text("call_id", &result.call).maybe("name", name).set("result", value);
    if result.is_error {
        tree = tree.plain("is_error", true);
    }
    written("function_result", &tree, &result.extra)
}

/// Whether a part is one of this protocol.
pub(super) fn is_known(custom: &Custom) -> bool {
    custom.protocol == PROTOCOL
}

/// Whether a custom part of this protocol is a content.
pub(super) fn is_content(custom: &Custom) -> bool {
    custom.kind.starts_with(CONTENT)
}

/// Whether something of this kind is a step, and not a content.
#[cfg(feature = "server")]
pub(super) fn is_step(kind: &str) -> bool {
    matches!(kind, "user_input" | "model_output" | "thought")
        || kind.ends_with(CALL)
        || kind.ends_with(RESULT)
}

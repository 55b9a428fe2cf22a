//! Items of the wire to parts of the model.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use interlingua_model::{
    Citation, Custom, Data, Extra, Json, Logprob, Media, Output, Reasoning, Retention, RunBy, Source, Span,
    Text, TokenLogprob, ToolCall, ToolKind,
};
use serde_json::value::RawValue;

use super::P;
use super::types::{LogprobIn, Word};
use crate::Object;
pub(super) use crate::object::string as text_of;

/// Which part of an item it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The whole item.
    Whole,
    /// Reasoning of which nothing is readable (so far).
    Bare,
    /// A part of the summary.
    Summary(u64),
    /// A part of the content.
    Content(u64),
}

impl Key {
    /// Its place in an item: the parts of the summary stand before those of the content.
    pub(super) fn number(self) -> u64 {
        const HALF: u64 = 1 << 63;
        match self {
            Self::Whole => 0,
            Self::Bare => 1,
            Self::Summary(number) => number.saturating_add(2).min(HALF - 1),
            Self::Content(number) => number.saturating_add(HALF),
        }
    }
}

/// How much of an item is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has begun: what may still grow or change is left out.
    Begun,
    /// It is complete.
    Done,
}

/// How items are to be understood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Calls of custom tools are run by the provider.
    pub(super) hosted_custom_calls: bool,
}

/// The parts of an item of output, each with its place in the item.
pub(super) fn read(raw: &RawValue, stage: Stage, reading: Reading) -> Vec<(Key, Output)> {
    let Ok(object) = Object::parse(raw.get()) else { return vec![whole(raw, "")] };
    // A message may leave out its type.
    let unnamed = || if object.get("role").is_some() { "message".into() } else { Cow::default() };
    let kind: Cow<'_, str> = word(&object, "type").unwrap_or_else(unnamed);
    match &*kind {
        "message" if role_is_assistant(&object) => message(raw, object, stage),
        "reasoning" => reasoning(object, stage),
        "function_call" => vec![(Key::Whole, call(object, ToolKind::Function, stage, RunBy::Caller))],
        "custom_tool_call" => {
            let run_by = if reading.hosted_custom_calls { RunBy::Provider } else { RunBy::Caller };
            vec![(Key::Whole, call(object, ToolKind::Custom, stage, run_by))]
        }
        "image_generation_call" => {
            image(object, stage).map(|media| (Key::Whole, Output::Media(media))).into_iter().collect()
        }
        // Its call id may still change, and nothing of it is streamed.
        "tool_search_call" if stage == Stage::Begun => Vec::new(),
        kind => match hosted_name(kind) {
            Some(name) => vec![(Key::Whole, hosted(raw, &object, kind, name, stage))],
            None => vec![whole(raw, kind)],
        },
    }
}

/// A string field that is not empty.
#[inline(never)]
pub(super) fn word<'a>(object: &Object<'a>, name: &str) -> Option<Cow<'a, str>> {
    let text: Cow<'a, str> = text_of(object.get(name)?)?;
    (!text.is_empty()).then_some(text)
}

fn role_is_assistant(object: &Object<'_>) -> bool {
    word(object, "role").is_none_or(|role| role == "assistant")
}

fn whole(raw: &RawValue, kind: &str) -> (Key, Output) {
    (Key::Whole, Output::Custom(Custom::new(P, kind, Json::from(raw))))
}

/// Puts what is left of an object into the namespace; nulls say nothing.
pub(super) fn leftover(object: &Object<'_>, extra: &mut Extra) {
    for (name, value) in object.iter().filter(|(_, value)| value.get() != "null") {
        extra.set(P, name, Json::from(value));
    }
}

fn message(raw: &RawValue, mut object: Object<'_>, stage: Stage) -> Vec<(Key, Output)> {
    if stage == Stage::Begun {
        return Vec::new();
    }
    let seal = MessageSeal::take(&mut object);
    let status = word(&object, "status").filter(|status| status != "completed");
    let content = object.take_raw("content");
    for name in ["type", "role", "status"] {
        object.take_raw(name);
    }
    let mut parts = contents(content, &seal);
    let Some((_, last)) = parts.last_mut() else { return vec![whole(raw, "message")] };
    let extra = match last {
        Output::Text(text) => &mut text.extra,
        _ => return parts,
    };
    if let Some(status) = status {
        extra.set(P, "status", Json::string(&status));
    }
    leftover(&object, extra);
    parts
}

/// A text with its seal.
pub(super) fn text_part(words: impl Into<String>, refusal: bool, extra: Extra) -> Text {
    let mut text = Text::new(words);
    text.refusal = refusal;
    text.extra = extra;
    text
}

/// Reasoning with its seal.
pub(super) fn reasoning_part(text: impl Into<String>, extra: Extra) -> Reasoning {
    let mut reasoning = Reasoning::new(text);
    reasoning.extra = extra;
    reasoning
}

/// What every part of a message carries.
#[derive(Debug, Clone, Default)]
pub(super) struct MessageSeal {
    pub(super) id: Option<String>,
    pub(super) phase: Option<String>,
}

impl MessageSeal {
    pub(super) fn take(object: &mut Object<'_>) -> Self {
        let mut taken = |name: &str| {
            let text = word(object, name).map(Cow::into_owned);
            object.take_raw(name);
            text
        };
        Self { id: taken("id"), phase: taken("phase") }
    }

    pub(super) fn extra(&self) -> Extra {
        let mut extra = Extra::default();
        for (name, value) in [("id", &self.id), ("phase", &self.phase)] {
            if let Some(value) = value {
                extra.set(P, name, Json::string(value));
            }
        }
        extra
    }
}

fn contents(content: Option<&RawValue>, seal: &MessageSeal) -> Vec<(Key, Output)> {
    let Some(content) = content else { return Vec::new() };
    if let Some(text) = text_of(content) {
        let part = text_part(text, false, seal.extra());
        return vec![(Key::Content(0), Output::Text(part))];
    }
    let list: Vec<&RawValue> = serde_json::from_str(content.get()).unwrap_or_default();
    (0..).map(Key::Content).zip(list.into_iter().map(|part| content_part(part, seal))).collect()
}

/// A part of a message's content.
pub(super) fn content_part(raw: &RawValue, seal: &MessageSeal) -> Output {
    let unknown = |kind: &str| Output::Custom(Custom::new(P, format!("message.{kind}"), Json::from(raw)));
    let Ok(mut object) = Object::parse(raw.get()) else { return unknown("") };
    let kind = word(&object, "type").unwrap_or_default();
    let (field, refusal) = match &*kind {
        "output_text" | "text" | "input_text" => ("text", false),
        "refusal" => ("refusal", true),
        other => return unknown(other),
    };
    object.take_raw("type");
    let words = object.take_raw(field).and_then(text_of).unwrap_or_default();
    let mut text = text_part(words, refusal, seal.extra());
    text.citations = list(object.take_raw("annotations")).into_iter().map(citation).collect();
    text.logprobs = object.take_raw("logprobs").map(logprobs).unwrap_or_default();
    text.cache = object.take_raw("prompt_cache_breakpoint").map(retention);
    let mut rest = Extra::default();
    leftover(&object, &mut rest);
    if let Some(value) = rest.fields(P).and_then(|fields| Json::of(fields).ok()) {
        text.extra.set(P, "part", value);
    }
    Output::Text(text)
}

fn list(raw: Option<&RawValue>) -> Vec<&RawValue> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// An annotation of a text.
pub(super) fn citation(raw: &RawValue) -> Citation {
    let Ok(mut object) = Object::parse(raw.get()) else {
        let mut citation = Citation::new("");
        citation.extra.set(P, "value", Json::from(raw));
        return citation;
    };
    let mut taken = |name: &str| {
        let text = object.get(name).and_then(text_of).map(Cow::into_owned);
        if text.is_some() {
            object.take_raw(name);
        }
        text
    };
    let mut citation = Citation::new(taken("type").unwrap_or_default());
    citation.url = taken("url");
    citation.file = taken("file_id");
    citation.title = if citation.file.is_some() { taken("filename") } else { taken("title") };
    let ends = (object.peek("start_index"), object.peek("end_index"));
    if let (Some(start), Some(end)) = ends {
        citation.span = Some(Span { start, end });
        object.take_raw("start_index");
        object.take_raw("end_index");
    }
    leftover(&object, &mut citation.extra);
    citation
}

/// Token probabilities; a list that is empty or malformed gives none.
pub(super) fn logprobs(raw: &RawValue) -> Vec<TokenLogprob> {
    let list: Vec<LogprobIn<'_>> = serde_json::from_str(raw.get()).unwrap_or_default();
    list.into_iter()
        .map(|mut one| {
            let top = one.top_logprobs.take().unwrap_or_default();
            TokenLogprob::new(logprob(one), top.into_iter().map(logprob).collect())
        })
        .collect()
}

fn logprob(one: LogprobIn<'_>) -> Logprob {
    Logprob::new(one.token.text(), one.logprob.unwrap_or_default(), one.bytes)
}

fn reasoning(mut object: Object<'_>, stage: Stage) -> Vec<(Key, Output)> {
    let mut extra = Extra::default();
    if let Some(id) = word(&object, "id") {
        extra.set(P, "id", Json::string(&id));
    }
    if stage == Stage::Begun {
        return vec![(Key::Bare, Output::Reasoning(reasoning_part("", extra)))];
    }
    let status = word(&object, "status").filter(|status| status != "completed");
    let (summary, content) = (object.take_raw("summary"), object.take_raw("content"));
    for name in ["type", "id", "status"] {
        object.take_raw(name);
    }
    let of_kind = |kind: &'static str, key: fn(u64) -> Key, raw: Option<&RawValue>| {
        let texts = list(raw).into_iter().map(reasoning_text).collect::<Vec<_>>();
        (0..).zip(texts).map(move |(at, text)| (key(at), kind, text)).collect::<Vec<_>>()
    };
    let mut found = of_kind("summary", Key::Summary, summary);
    found.extend(of_kind("content", Key::Content, content));
    let mut parts: Vec<(Key, Reasoning)> = found
        .into_iter()
        .map(|(key, kind, text)| {
            let mut extra = extra.clone();
            extra.set(P, "kind", Json::string(kind));
            (key, reasoning_part(text, extra))
        })
        .collect();
    if parts.is_empty() {
        parts.push((Key::Bare, reasoning_part("", extra)));
    }
    if let Some((_, last)) = parts.last_mut() {
        leftover(&object, &mut last.extra);
        if let Some(status) = status {
            last.extra.set(P, "status", Json::string(&status));
        }
    }
    parts.into_iter().map(|(key, part)| (key, Output::Reasoning(part))).collect()
}

fn reasoning_text(raw: &RawValue) -> String {
    let object = Object::parse(raw.get()).ok();
    object.and_then(|object| word(&object, "text")).map(Cow::into_owned).unwrap_or_default()
}

fn call(mut object: Object<'_>, kind: ToolKind, stage: Stage, run_by: RunBy) -> Output {
    let id = word(&object, "id");
    let call_id = word(&object, "call_id").or_else(|| id.clone()).unwrap_or_default();
    let name = word(&object, "name").unwrap_or_default();
    let field = if kind.is_function() { "arguments" } else { "input" };
    let input = object.take_raw(field).map(input_of).unwrap_or_default();
    let status = word(&object, "status").filter(|status| status != "completed");
    for name in ["type", "id", "call_id", "name", "status"] {
        object.take_raw(name);
    }
    let begun = stage == Stage::Begun;
    let mut call = ToolCall::new(call_id, name, Json::from_text(if begun { "" } else { &*input }));
    call.kind = kind;
    call.run_by = run_by;
    if let Some(id) = id {
        call.extra.set(P, "id", Json::string(&id));
    }
    leftover(&object, &mut call.extra);
    if let Some(status) = status.filter(|_| !begun) {
        call.extra.set(P, "status", Json::string(&status));
    }
    Output::ToolCall(call)
}

/// The input of a call: text as the model wrote it, or an object that some services send in its place.
fn input_of(raw: &RawValue) -> Cow<'_, str> {
    match text_of(raw) {
        Some(text) => text,
        None if raw.get() == "null" => Cow::Borrowed(""),
        None => Cow::Borrowed(raw.get()),
    }
}

/// The name of the tool behind an item of a provider's own kind of call.
pub(super) fn hosted_name(kind: &str) -> Option<&str> {
    let known = matches!(
        kind,
        "web_search_call"
            | "file_search_call"
            | "code_interpreter_call"
            | "computer_call"
            | "local_shell_call"
            | "shell_call"
            | "apply_patch_call"
            | "mcp_call"
            | "x_search_call"
            | "tool_search_call"
    );
    kind.strip_suffix("_call").filter(|_| known)
}

fn hosted(raw: &RawValue, object: &Object<'_>, kind: &str, name: &str, stage: Stage) -> Output {
    let named = word(object, "name").unwrap_or(Cow::Borrowed(name));
    let id = word(object, "call_id").or_else(|| word(object, "id")).unwrap_or_default();
    let mut call = ToolCall::new(id, named, Json::from_text(""));
    let is_code = kind == "code_interpreter_call" && object.get("arguments").is_none();
    call.kind = if is_code { ToolKind::Custom } else { ToolKind::Function };
    call.run_by = hosted_by(object, kind);
    if let Some(id) = word(object, "id") {
        call.extra.set(P, "id", Json::string(&id));
    }
    call.extra.set(P, "type", Json::string(kind));
    if stage == Stage::Done {
        call.input = Json::from_text(hosted_input(object));
        call.extra.set(P, "item", Json::from(raw));
    }
    Output::ToolCall(call)
}

/// Who runs a call of a provider's own kind.
fn hosted_by(object: &Object<'_>, kind: &str) -> RunBy {
    let by_caller = match kind {
        "computer_call" | "local_shell_call" | "apply_patch_call" => true,
        "shell_call" => {
            let environment: Option<Object<'_>> = object.peek("environment");
            environment
                .is_none_or(|environment| word(&environment, "type").is_some_and(|kind| kind == "local"))
        }
        "tool_search_call" => word(object, "execution").is_some_and(|by| by == "client"),
        _ => false,
    };
    if by_caller { RunBy::Caller } else { RunBy::Provider }
}

fn hosted_input(object: &Object<'_>) -> String {
    for name in ["arguments", "code", "action", "operation"] {
        if let Some(raw) = object.get(name) {
            return input_of(raw).into_owned();
        }
    }
    object.get("queries").map(|queries| format!(r#"{{"queries":{}}}"#, queries.get())).unwrap_or_default()
}

fn image(mut object: Object<'_>, stage: Stage) -> Option<Media> {
    let result = object.take_raw("result").filter(|raw| raw.get() != "null");
    let text = result.and_then(text_of).unwrap_or_default();
    let format = word(&object, "output_format");
    let format = match (&format, stage) {
        (Some(format), _) => &**format,
        (None, Stage::Begun) => return None,
        (None, Stage::Done) => sniffed(&text),
    };
    let mut media = Media::new(format!("image/{format}"), Source::Bytes(Data::from(Vec::new())));
    if let Some(id) = word(&object, "id") {
        media.extra.set(P, "id", Json::string(&id));
    }
    if stage == Stage::Begun {
        return Some(media);
    }
    for name in ["type", "id", "output_format"] {
        object.take_raw(name);
    }
    match STANDARD.decode(&*text) {
        Ok(bytes) => media.source = Source::Bytes(Data::from(bytes)),
        // What is not base64 is kept as it came.
        Err(_) => media.extra.set(P, "result", Json::string(&text)),
    }
    leftover(&object, &mut media.extra);
    Some(media)
}

/// The kind of an image, by how its base64 begins.
fn sniffed(base64: &str) -> &'static str {
    match base64 {
        text if text.starts_with("/9j/") => "jpeg",
        text if text.starts_with("UklGR") => "webp",
        _ => "png",
    }
}

/// Whether a field holds text.
pub(super) fn is_some(word: &Word<'_>) -> bool {
    word.get().is_some_and(|text| !text.is_empty())
}

/// How long a cache mark lasts.
pub(super) fn retention(mark: &RawValue) -> Retention {
    let object = Object::parse(mark.get()).unwrap_or_default();
    match word(&object, "ttl").as_deref() {
        Some("12h" | "24h") => Retention::Long,
        Some(_) => Retention::Short,
        None => Retention::Default,
    }
}

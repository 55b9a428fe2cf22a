//! Parts of the model to items of the wire, for a history and for an answer.

use std::borrow::Cow;

use interlingua_model::{
    Citation, Custom, Extra, Json, Logprob, Media, Output, Reasoning, Retention, Source, Text, TokenLogprob,
    ToolCall,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::P;
use super::types::{
    Annotation, Breakpoint, CallItem, ImageItem, LogprobOut, MessageContent, MessageItem, ReasoningItem,
    ReasoningPart, RefusalPart, Rest, TextPart, Verbatim,
};

/// Where an item is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Into the history of a request.
    History,
    /// Into an answer, where clients want every field.
    Answer,
}

/// Parts that make one item.
#[derive(Debug)]
pub(super) enum Group<'a> {
    Message(Vec<&'a Output>),
    Reasoning(Vec<&'a Reasoning>),
    Single(&'a Output),
}

/// Finds the parts that belong to one item, each group with the index of its first part.
pub(super) fn groups(parts: &[Output], side: Side) -> Vec<(usize, Group<'_>)> {
    let mut groups: Vec<(usize, Group<'_>)> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let last = groups.last_mut().map(|(_, group)| group);
        match (last, part) {
            (Some(Group::Message(known)), part)
                if known.last().is_some_and(|last| joins(last, part, side)) =>
            {
                known.push(part);
            }
            (Some(Group::Reasoning(known)), Output::Reasoning(reasoning))
                if known.last().is_some_and(|last| continues(last, reasoning, side)) =>
            {
                known.push(reasoning);
            }
            (_, Output::Reasoning(reasoning)) => groups.push((at, Group::Reasoning(vec![reasoning]))),
            (_, part) if is_message(part) => groups.push((at, Group::Message(vec![part]))),
            (_, part) => groups.push((at, Group::Single(part))),
        }
    }
    groups
}

/// Whether a part is one of a message's content.
pub(super) fn is_message(part: &Output) -> bool {
    match part {
        Output::Text(_) => true,
        Output::Custom(custom) => content_kind(custom).is_some(),
        _ => false,
    }
}

/// Whether a part goes on with the message that another one belongs to.
pub(super) fn joins(last: &Output, part: &Output, side: Side) -> bool {
    match (last, part) {
        (Output::Text(last), Output::Text(text)) => same_item(&last.extra, &text.extra, side),
        (Output::Custom(_), Output::Text(_)) => true,
        (_, Output::Custom(custom)) => content_kind(custom).is_some(),
        _ => false,
    }
}

/// Whether reasoning goes on with the item that other reasoning belongs to. What is sealed is complete.
pub(super) fn continues(last: &Reasoning, next: &Reasoning, side: Side) -> bool {
    let sealed = last.extra.get(P, "encrypted_content").is_some();
    let own = last.extra.fields(P).is_some() && next.extra.fields(P).is_some();
    same_item(&last.extra, &next.extra, side) && (!sealed || item_id(&last.extra).is_some()) && own
}

fn same_item(last: &Extra, next: &Extra, side: Side) -> bool {
    match (item_id(last), item_id(next)) {
        (Some(last), Some(next)) => last == next,
        (None, None) => side == Side::History,
        _ => false,
    }
}

/// The id that an item came with.
pub(super) fn item_id(extra: &Extra) -> Option<Cow<'_, str>> {
    word(extra, "id")
}

/// A text in the namespace of this protocol.
pub(super) fn word<'a>(extra: &'a Extra, name: &str) -> Option<Cow<'a, str>> {
    let json = extra.get(P, name)?.as_str();
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(json).ok().map(Cow::Owned) } else { Some(inner.into()) }
}

/// Writes a value; a value that cannot be written (there is none among the types here) stands as null.
pub(super) fn verbatim<T: Serialize + ?Sized>(value: &T) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The type word of a custom part that is part of a message's content.
pub(super) fn content_kind(custom: &Custom) -> Option<&str> {
    (custom.protocol == P).then(|| custom.kind.strip_prefix("message."))?
}

/// A message of the model.
pub(super) fn message(parts: &[&Output], id: Option<Cow<'_, str>>, side: Side, phase: bool) -> Box<RawValue> {
    let extras: Vec<&Extra> = parts
        .iter()
        .filter_map(|part| match part {
            Output::Text(text) => Some(&text.extra),
            _ => None,
        })
        .collect();
    let mut rest = Rest::default();
    for extra in &extras {
        rest.join(Rest::of(extra, &["id", "phase", "status", "part"]));
    }
    let find = |name: &str| extras.iter().rev().find_map(|extra| word(extra, name));
    let completed = id.is_some().then_some(Cow::Borrowed("completed"));
    verbatim(&MessageItem {
        kind: "message",
        role: "assistant",
        status: find("status").or(completed),
        phase: find("phase").filter(|_| phase),
        content: MessageContent::Parts(parts.iter().filter_map(|part| content(part, side)).collect()),
        id,
        rest,
    })
}

/// A part of a message's content.
pub(super) fn content(part: &Output, side: Side) -> Option<Box<RawValue>> {
    match part {
        Output::Text(text) if text.refusal => {
            let (kind, refusal) = ("refusal", &*text.text);
            Some(verbatim(&RefusalPart { kind, refusal, rest: Rest::default() }))
        }
        Output::Text(text) => Some(output_text(text, side)),
        Output::Custom(custom) => Some(verbatim(&Verbatim(&custom.value))),
        _ => None,
    }
}

fn output_text(text: &Text, side: Side) -> Box<RawValue> {
    let answer = side == Side::Answer;
    let strict = answer || item_id(&text.extra).is_some();
    let annotations: Vec<_> = text.citations.iter().map(annotation).collect();
    let logprobs: Vec<_> = text.logprobs.iter().map(logprob).collect();
    let own = text.extra.get(P, "part").and_then(|part| part.parse().ok());
    let own = own.as_ref().map(of_fields).unwrap_or_default();
    verbatim(&TextPart {
        kind: "output_text",
        text: &text.text,
        annotations: (strict || !annotations.is_empty()).then_some(annotations),
        logprobs: (answer || !logprobs.is_empty()).then_some(logprobs),
        prompt_cache_breakpoint: text.cache.map(breakpoint),
        rest: Rest::of(&own, &[]),
    })
}

/// Fields as those of this protocol.
pub(super) fn of_fields(fields: &interlingua_model::Fields) -> Extra {
    let mut extra = Extra::default();
    for (name, value) in fields.iter() {
        extra.set(P, name, value.clone());
    }
    extra
}

/// A mark after which the prompt is cached.
pub(super) const fn breakpoint(retention: Retention) -> Breakpoint {
    let ttl = match retention {
        Retention::Short => Some("30m"),
        Retention::Long => Some("12h"),
        _ => None,
    };
    Breakpoint { mode: "explicit", ttl }
}

/// An annotation of a text.
pub(super) fn annotation(citation: &Citation) -> Annotation<'_> {
    let title = citation.title.as_deref();
    let of_file = citation.file.is_some();
    Annotation {
        kind: &citation.kind,
        url: citation.url.as_deref(),
        title: title.filter(|_| !of_file),
        file_id: citation.file.as_deref(),
        filename: title.filter(|_| of_file),
        start_index: citation.span.map(|span| span.start),
        end_index: citation.span.map(|span| span.end),
        rest: Rest::of(&citation.extra, &[]),
    }
}

/// The probability of a token.
pub(super) fn logprob(one: &TokenLogprob) -> LogprobOut<'_> {
    let top = one.top.iter().map(|near| bare_logprob(near, None)).collect();
    bare_logprob(&one.chosen, Some(top))
}

fn bare_logprob<'a>(one: &'a Logprob, top_logprobs: Option<Vec<LogprobOut<'a>>>) -> LogprobOut<'a> {
    LogprobOut { token: &one.token, bytes: one.bytes.as_deref(), logprob: one.logprob, top_logprobs }
}

/// A reasoning item.
pub(super) fn reasoning(
    parts: &[&Reasoning],
    id: Option<Cow<'_, str>>,
    sealed: Option<String>,
) -> Box<RawValue> {
    let (mut summary, mut content, mut rest) = (Vec::new(), Vec::new(), Rest::default());
    for part in parts {
        let text = &*part.text;
        match word(&part.extra, "kind").as_deref() {
            Some("summary") => summary.push(ReasoningPart { kind: "summary_text", text }),
            Some(_) => content.push(ReasoningPart { kind: "reasoning_text", text }),
            None if text.is_empty() => {}
            None => summary.push(ReasoningPart { kind: "summary_text", text }),
        }
        rest.join(Rest::of(&part.extra, &["id", "kind", "encrypted_content"]));
    }
    let own = parts.iter().rev().find_map(|part| word(&part.extra, "encrypted_content"));
    let encrypted_content = own.or(sealed.map(Cow::Owned));
    verbatim(&ReasoningItem { kind: "reasoning", id, summary, content, encrypted_content, rest })
}

/// A call; one of a provider's own kind goes as it came.
pub(super) fn call(call: &ToolCall, id: Option<Cow<'_, str>>, side: Side) -> Box<RawValue> {
    if let Some(item) = call.extra.get(P, "item") {
        return verbatim(&Verbatim(item));
    }
    let is_function = call.kind.is_function();
    let input = call.input.as_str();
    let completed = (side == Side::Answer).then_some(Cow::Borrowed("completed"));
    let cut = call.partial.then_some(Cow::Borrowed("incomplete"));
    verbatim(&CallItem {
        kind: if is_function { "function_call" } else { "custom_tool_call" },
        id,
        call_id: call_id(&call.id),
        name: &call.name,
        arguments: is_function.then_some(if input.is_empty() { "{}" } else { input }),
        input: (!is_function).then_some(input),
        status: word(&call.extra, "status").or(cut).or(completed),
        rest: Rest::of(&call.extra, &["id", "status"]),
    })
}

/// An id of a call in at most 64 characters, which is what OpenAI takes. A longer one keeps its beginning and ends in
/// a hash of the whole, the same in the call and in its result.
pub(super) fn call_id(id: &str) -> Cow<'_, str> {
    if id.chars().count() <= 64 {
        return Cow::Borrowed(id);
    }
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let head: String = id.chars().take(47).collect();
    Cow::Owned(format!("{head}_{hash:016x}"))
}

/// An image that the model made; other media have no item.
pub(super) fn image<'a>(media: &'a Media, id: Option<Cow<'a, str>>) -> Option<Box<RawValue>> {
    let format = media.mime.strip_prefix("image/")?;
    let Source::Bytes(data) = &media.source else { return None };
    let base64 = (!data.as_bytes().is_empty()).then(|| Cow::Owned(data.to_base64()));
    Some(verbatim(&ImageItem {
        kind: "image_generation_call",
        id,
        status: word(&media.extra, "status").unwrap_or(Cow::Borrowed("completed")),
        output_format: format,
        result: word(&media.extra, "result").or(base64),
        rest: Rest::of(&media.extra, &["id", "status", "result"]),
    }))
}

/// The item that a custom part of this protocol came as.
pub(super) fn custom(custom: &Custom) -> Option<Box<RawValue>> {
    (custom.protocol == P && custom.value.is_valid()).then(|| verbatim(&Verbatim(&custom.value)))
}

/// The text that stands before the output of a tool that failed, since the protocol has no flag for it.
pub(super) const ERROR_PREFIX: &str = "Error: ";

/// A JSON value of a text.
pub(super) fn json_text(text: &str) -> Box<RawValue> {
    verbatim(&Json::string(text).to_raw().unwrap_or_else(|_| RawValue::NULL.to_owned()))
}

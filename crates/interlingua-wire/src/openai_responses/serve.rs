//! Events to the frames and bodies of an answer.
//!
//! What the official clients insist on: `response.created` comes first; numbers ascend; the id of an item is the same
//! in all its events; an item is announced before its parts and they before their text; every item is done before the
//! response is; the final response repeats the items as they were done, and the settings of the request.
//!
//! What the protocol has no item for is left out: parts of other protocols (`Custom`), results of tools that another
//! provider ran, sounds and documents. A call that another provider ran is shown as an `mcp_call`.

use std::borrow::Cow;

use http::HeaderValue;
use interlingua_model::{
    Citation, Custom, Delta, Error, ErrorKind, Event, Extra, Fields, Finish, FinishReason, Fold, Json,
    Output, Reasoning, Request, Response, Retry, Start, ToolCall, Usage,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::types::{Annotation, LogprobOut, Rest, Verbatim};
use super::write::{self, Group, Side, verbatim, word};
use super::{P, items, request, seal};
use crate::{Mint, Object, Reply, Writer};

/// Writes one answer.
#[derive(Debug)]
pub(super) struct Answer {
    mint: Mint,
    settings: Vec<(String, Box<RawValue>)>,
    start: Start,
    started: bool,
    sequence: u64,
    parts: Vec<Part>,
    items: Vec<Item>,
    /// How many of the first items are done.
    settled: usize,
    /// A call that has ended, and of which the next event tells whether it was cut.
    pending: Option<usize>,
    usage: Usage,
}

/// A part of the answer.
#[derive(Debug)]
struct Part {
    /// The item it belongs to; `None` when the protocol has none for it.
    item: Option<usize>,
    /// Its index among the parts of the item.
    index: u64,
    fold: Fold,
    kind: Kind,
    citations: u64,
    /// Reasoning of which it is known whether it is a summary, and the part was announced.
    announced: Option<bool>,
    closed: bool,
    /// A call inside which the answer was cut.
    cut: bool,
}

/// An item of output.
#[derive(Debug)]
struct Item {
    id: String,
    /// The parts of it.
    parts: Vec<usize>,
    /// Its final form.
    done: Option<Box<RawValue>>,
}

/// Any event; what does not belong to it is left out.
#[derive(Default, Serialize)]
struct Frame<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    sequence_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotation_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<Vec<LogprobOut<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotation: Option<Annotation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

#[derive(Serialize)]
struct ResponseOut<'a> {
    id: Cow<'a, str>,
    object: &'static str,
    created_at: u64,
    status: &'a str,
    error: Option<ErrorOut<'a>>,
    incomplete_details: Option<Incomplete<'a>>,
    model: &'a str,
    output: &'a [&'a RawValue],
    usage: Option<Box<RawValue>>,
    #[serde(flatten)]
    settings: Settings<'a>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

#[derive(Serialize)]
struct ErrorOut<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Incomplete<'a> {
    reason: &'a str,
}

#[derive(Serialize)]
struct UsageOut<'a> {
    input_tokens: u64,
    input_tokens_details: InputDetails<'a>,
    output_tokens: u64,
    output_tokens_details: OutputDetails<'a>,
    total_tokens: u64,
    #[serde(flatten)]
    rest: Rest<'a>,
}

#[derive(Serialize)]
struct InputDetails<'a> {
    cached_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_tokens_details: Option<CacheWrite>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_tokens: Option<u64>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

#[derive(Serialize)]
struct CacheWrite {
    ttl_30m_tokens: u64,
    ttl_12h_tokens: u64,
}

#[derive(Serialize)]
struct OutputDetails<'a> {
    reasoning_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_tokens: Option<u64>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

/// The settings of the request, and what clients expect in the place of those that were left open.
struct Settings<'a>(&'a [(String, Box<RawValue>)]);

/// An item as it is announced: what is known before its content.
#[derive(Serialize)]
struct Announced<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_label: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_format: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Null>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Null>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(flatten)]
    rest: Rest<'a>,
}

/// A null that is written.
#[derive(Serialize)]
struct Null;

#[derive(Serialize)]
struct Environment {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The settings that a response carries, and how it says that one was left open.
const SETTINGS: [(&str, &str); 13] = [
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("previous_response_id", "null"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("store", "false"),
    ("temperature", "null"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_p", "null"),
    ("truncation", r#""disabled""#),
];

impl Serialize for Settings<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = |(name, open): (&'static str, &'static str)| {
            let set = self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            let value = set.or_else(|| RawValue::from_string(open.to_owned()).ok());
            (name, value)
        };
        serializer.collect_map(SETTINGS.into_iter().map(value))
    }
}

impl Answer {
    pub(super) fn new(asked: &Request, mint: Mint) -> Self {
        let mut settings = request::settings(asked);
        settings.retain(|(name, _)| SETTINGS.iter().any(|(known, _)| known == name));
        let start = Start::new(None, Some(asked.model.clone()));
        Self {
            mint,
            settings,
            start,
            started: false,
            sequence: 0,
            parts: Vec::new(),
            items: Vec::new(),
            settled: 0,
            pending: None,
            usage: Usage::default(),
        }
    }
}

impl Writer for Answer {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        match event {
            Event::Start(start) => self.begin(start, out),
            Event::Open { at: _, part } => self.open(part, out),
            Event::Delta { at, delta } => self.delta(*at, delta, out),
            Event::Close { at } => self.close(*at, out),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Finish(finish) => self.finish(finish, out),
            Event::Other(custom) => self.other(custom, out),
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, response: &Response, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut start = Start::new(response.id.clone(), response.model.clone());
        start.created = response.created;
        start.extra = response.extra.clone();
        self.take(&start);
        self.usage = response.usage.clone();
        let output = self.output(&response.message.parts);
        let output: Vec<&RawValue> = output.iter().map(|item| &**item).collect();
        let open = Finish::new(FinishReason::Other);
        let finish = response.finish.as_ref().unwrap_or(&open);
        let body = self.response(&Ending::of(finish), &output, Some(&finish.extra));
        out.extend_from_slice(body.get().as_bytes());
        Ok(())
    }

    fn fail(&mut self, error: &Error, out: &mut Vec<u8>) {
        let (code, message) = (code(error), error.message());
        if !self.started {
            let frame =
                Frame { kind: "error", code: Some(&code), message: Some(message), ..Frame::default() };
            return self.send(frame, out);
        }
        let output: Vec<&RawValue> = self.items.iter().filter_map(|item| item.done.as_deref()).collect();
        let ending = Ending {
            event: "response.failed",
            status: "failed".into(),
            cut: None,
            error: Some((&code, message)),
        };
        let response = self.response(&ending, &output, None);
        self.send(Frame { kind: ending.event, response: Some(&response), ..Frame::default() }, out);
    }
}

/// How a response stands.
struct Ending<'a> {
    event: &'static str,
    status: Cow<'a, str>,
    cut: Option<Cow<'a, str>>,
    error: Option<(&'a str, &'a str)>,
}

impl<'a> Ending<'a> {
    const fn open() -> Self {
        Self { event: "response.created", status: Cow::Borrowed("in_progress"), cut: None, error: None }
    }

    fn of(finish: &'a Finish) -> Self {
        let raw = finish.raw.as_deref();
        let completed =
            Self { event: "response.completed", status: Cow::Borrowed("completed"), cut: None, error: None };
        let cut = |reason: &'a str| Self {
            event: "response.incomplete",
            status: Cow::Borrowed("incomplete"),
            cut: Some(Cow::Borrowed(reason)),
            error: None,
        };
        match finish.reason {
            FinishReason::Length => cut(raw.filter(|raw| is_length(raw)).unwrap_or("max_output_tokens")),
            FinishReason::Filtered => cut("content_filter"),
            FinishReason::Paused => cut(raw.unwrap_or("paused")),
            FinishReason::Other => match raw {
                Some(status @ ("queued" | "in_progress" | "cancelled")) => {
                    Self { event: "response.incomplete", status: status.into(), cut: None, error: None }
                }
                Some(reason) => cut(reason),
                None => completed,
            },
            _ => completed,
        }
    }
}

/// The words by which a reader of this protocol knows that an answer was cut.
fn is_length(raw: &str) -> bool {
    matches!(raw, "max_output_tokens" | "max_tokens" | "length")
}

/// Writes one event.
fn send(sequence: &mut u64, mut frame: Frame<'_>, out: &mut Vec<u8>) {
    frame.sequence_number = *sequence;
    *sequence += 1;
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(frame.kind.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    // The fields are texts and numbers, which always can be written.
    let from = out.len();
    let written = serde_json::to_writer(&mut *out, &frame);
    debug_assert!(written.is_ok(), "an event cannot be written");
    end_line(out, from);
}

/// Ends an event. What is verbatim may hold line breaks between its tokens, which may not stand in an event and mean
/// nothing in JSON.
fn end_line(out: &mut Vec<u8>, from: usize) {
    let is_broken = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if out.iter().skip(from).any(is_broken) {
        let line = out.split_off(from);
        out.extend(line.into_iter().filter(|byte| !is_broken(byte)));
    }
    out.extend_from_slice(b"\n\n");
}

impl Answer {
    fn send(&mut self, frame: Frame<'_>, out: &mut Vec<u8>) {
        send(&mut self.sequence, frame, out);
    }

    fn take(&mut self, start: &Start) {
        self.started = true;
        let asked = self.start.model.take();
        self.start = start.clone();
        if self.start.model.is_none() {
            self.start.model = asked;
        }
    }

    fn begin(&mut self, start: &Start, out: &mut Vec<u8>) {
        self.take(start);
        let response = self.response(&Ending::open(), &[], None);
        for kind in ["response.created", "response.in_progress"] {
            self.send(Frame { kind, response: Some(&response), ..Frame::default() }, out);
        }
    }

    fn response(&self, ending: &Ending<'_>, output: &[&RawValue], last: Option<&Extra>) -> Box<RawValue> {
        let mut rest = Rest::of(&self.start.extra, &["previous_response_id"]);
        if let Some(last) = last {
            rest.join(Rest::of(last, &[]));
        }
        let id = match &self.start.id {
            Some(id) => Cow::Borrowed(&**id),
            None => Cow::Owned(format!("resp_{}", self.mint.id)),
        };
        let mut settings = self.settings.clone();
        if let Some(previous) = self.start.extra.get(P, "previous_response_id") {
            settings.retain(|(name, _)| name != "previous_response_id");
            settings.push(("previous_response_id".to_owned(), verbatim(&Verbatim(previous))));
        }
        verbatim(&ResponseOut {
            id,
            object: "response",
            created_at: self.start.created.unwrap_or(self.mint.created),
            status: &ending.status,
            error: ending.error.map(|(code, message)| ErrorOut { code, message }),
            incomplete_details: ending.cut.as_deref().map(|reason| Incomplete { reason }),
            model: self.start.model.as_deref().unwrap_or_default(),
            output,
            usage: self.usage(last.is_some()),
            settings: Settings(&settings),
            rest,
        })
    }

    /// Figures, which are null until the end.
    fn usage(&self, ended: bool) -> Option<Box<RawValue>> {
        let usage = &self.usage;
        if !ended || usage.is_empty() {
            return None;
        }
        let (input, output) = (usage.input.unwrap_or(0), usage.output.unwrap_or(0));
        let write = usage.cache_write.unwrap_or(0);
        let long =
            |long: u64| CacheWrite { ttl_30m_tokens: write.saturating_sub(long), ttl_12h_tokens: long };
        let details = |name: &str| -> Extra {
            let fields = usage.extra.get(P, name).and_then(|json| json.parse().ok());
            fields.as_ref().map(write::of_fields).unwrap_or_default()
        };
        let (of_input, of_output) = (details("input_tokens_details"), details("output_tokens_details"));
        Some(verbatim(&UsageOut {
            input_tokens: input,
            input_tokens_details: InputDetails {
                cached_tokens: usage.cache_read.unwrap_or(0),
                cache_write_tokens: usage.cache_write,
                cache_write_tokens_details: usage.cache_write_long.map(long),
                audio_tokens: usage.input_audio,
                rest: Rest::of(&of_input, &[]),
            },
            output_tokens: output,
            output_tokens_details: OutputDetails {
                reasoning_tokens: usage.reasoning.unwrap_or(0),
                audio_tokens: usage.output_audio,
                rest: Rest::of(&of_output, &[]),
            },
            total_tokens: usage.extra.read(P, "total_tokens").unwrap_or_else(|| input.saturating_add(output)),
            rest: Rest::of(&usage.extra, &["total_tokens", "input_tokens_details", "output_tokens_details"]),
        }))
    }

    fn open(&mut self, part: &Output, out: &mut Vec<u8>) {
        if !self.started {
            self.begin(&Start::new(None, self.start.model.clone()), out);
        }
        self.release(false, out);
        let joined = self.joined(part);
        if joined.is_none() {
            self.settle(out);
        }
        let at = self.parts.len();
        let item = joined.or_else(|| self.announce(part, out));
        let index = item.and_then(|item| self.items.get(item)).map_or(0, |item| item.parts.len());
        if let Some(item) = item.and_then(|item| self.items.get_mut(item)) {
            item.parts.push(at);
        }
        let mut fold = Fold::new();
        fold.push(&Event::open(0, hollow(part)));
        let index = u64::try_from(index).unwrap_or_default();
        self.parts.push(Part {
            item,
            index,
            fold,
            kind: Kind::of(part),
            citations: 0,
            announced: None,
            closed: false,
            cut: false,
        });
        self.open_content(at, part, out);
    }

    /// The item that a part goes on with: the last one, if it is not done.
    fn joined(&self, part: &Output) -> Option<usize> {
        let at = self.items.len().checked_sub(1)?;
        let item = self.items.get(at).filter(|item| item.done.is_none())?;
        let last = self.parts.get(*item.parts.last()?)?.folded()?;
        let joins = match (&last, part) {
            (Output::Reasoning(last), Output::Reasoning(next)) => write::continues(last, next, Side::Answer),
            (last, part) => write::is_message(last) && write::joins(last, part, Side::Answer),
        };
        joins.then_some(at)
    }

    /// Announces a new item, if the protocol has one for the part.
    fn announce(&mut self, part: &Output, out: &mut Vec<u8>) -> Option<usize> {
        let at = self.items.len();
        let id = self.item_id(part, at);
        let item = announced(part, &id)?;
        self.items.push(Item { id, parts: Vec::new(), done: None });
        let output_index = u64::try_from(at).ok();
        let frame =
            Frame { kind: "response.output_item.added", output_index, item: Some(&item), ..Frame::default() };
        self.send(frame, out);
        Some(at)
    }

    /// The id that an item came with, or a new one.
    fn item_id(&self, part: &Output, at: usize) -> String {
        let known = extra_of(part).and_then(write::item_id).map(Cow::into_owned);
        let known = known.or_else(|| match part {
            Output::Custom(custom) => {
                let object = Object::parse(custom.value.as_str()).ok()?;
                items::word(&object, "id").map(Cow::into_owned)
            }
            _ => None,
        });
        let prefix = match part {
            Output::Text(_) => "msg",
            Output::Reasoning(_) => "rs",
            Output::ToolCall(call) if !call.run_by.is_caller() => "mcp",
            Output::ToolCall(call) if call.kind.is_function() => "fc",
            Output::ToolCall(_) => "ctc",
            Output::Media(_) => "ig",
            _ => "item",
        };
        known.unwrap_or_else(|| format!("{prefix}_{}{at}", self.mint.id))
    }

    /// Announces the content of a part, and sends what it begins with.
    fn open_content(&mut self, at: usize, part: &Output, out: &mut Vec<u8>) {
        match part {
            Output::Text(text) => {
                let empty = raw(if text.refusal { Empty::REFUSAL } else { Empty::TEXT });
                let frame =
                    Frame { kind: "response.content_part.added", part: empty.as_deref(), ..Frame::default() };
                self.send_of(at, frame, true, out);
                for delta in [Delta::text(&*text.text), Delta::Logprobs(text.logprobs.clone())] {
                    self.grow(at, &delta, out);
                }
                for citation in &text.citations {
                    self.grow(at, &Delta::Citation(Box::new(citation.clone())), out);
                }
            }
            Output::Reasoning(reasoning) => {
                if word(&reasoning.extra, "kind").is_some() {
                    self.announce_reasoning(at, out);
                }
                self.grow(at, &Delta::text(&*reasoning.text), out);
            }
            Output::ToolCall(call) => self.grow(at, &Delta::input(call.input.as_str()), out),
            Output::Custom(custom) if write::content_kind(custom).is_some() => {
                let value = verbatim(&Verbatim(&custom.value));
                let frame =
                    Frame { kind: "response.content_part.added", part: Some(&value), ..Frame::default() };
                self.send_of(at, frame, true, out);
            }
            _ => {}
        }
    }

    /// Announces a part of reasoning, once it is known whether it is of the summary.
    fn announce_reasoning(&mut self, at: usize, out: &mut Vec<u8>) {
        let Some(part) = self.parts.get_mut(at).filter(|part| part.announced.is_none()) else { return };
        let Some(Output::Reasoning(reasoning)) = part.folded() else { return };
        let is_summary = is_summary(&reasoning);
        part.announced = Some(is_summary);
        let (kind, part) = if is_summary {
            ("response.reasoning_summary_part.added", raw(Empty::SUMMARY))
        } else {
            ("response.reasoning_part.added", raw(Empty::REASONING))
        };
        self.send_of(at, Frame { kind, part: part.as_deref(), ..Frame::default() }, true, out);
    }

    /// Sends an event about a part.
    fn send_of<'f>(&'f mut self, at: usize, mut frame: Frame<'f>, of_content: bool, out: &mut Vec<u8>) {
        let Some(part) = self.parts.get(at) else { return };
        let Some((number, item)) = part.item.and_then(|number| Some((number, self.items.get(number)?)))
        else {
            return;
        };
        frame.output_index = u64::try_from(number).ok();
        frame.item_id = Some(&item.id);
        if of_content && part.announced == Some(true) {
            frame.summary_index = Some(part.index);
        } else if of_content {
            frame.content_index = Some(part.index);
        }
        send(&mut self.sequence, frame, out);
    }

    fn delta(&mut self, at: u32, delta: &Delta, out: &mut Vec<u8>) {
        let Ok(at) = usize::try_from(at) else { return };
        self.grow(at, delta, out);
    }

    fn grow(&mut self, at: usize, delta: &Delta, out: &mut Vec<u8>) {
        let Some(part) = self.parts.get_mut(at) else { return };
        let kind = part.kind;
        part.fold.push(&Event::delta(0, delta.clone()));
        match (kind, delta) {
            (Kind::Text { refusal }, Delta::Text(piece)) if !piece.is_empty() => {
                let kind = if refusal { "response.refusal.delta" } else { "response.output_text.delta" };
                let logprobs = (!refusal).then(Vec::new);
                self.send_of(at, Frame { kind, delta: Some(piece), logprobs, ..Frame::default() }, true, out);
            }
            (Kind::Text { .. }, Delta::Logprobs(logprobs)) if !logprobs.is_empty() => {
                let logprobs = Some(logprobs.iter().map(write::logprob).collect());
                let kind = "response.output_text.delta";
                self.send_of(at, Frame { kind, delta: Some(""), logprobs, ..Frame::default() }, true, out);
            }
            (Kind::Text { .. }, Delta::Citation(citation)) => self.citation(at, citation, out),
            (Kind::Reasoning, Delta::Text(piece)) if !piece.is_empty() => {
                self.announce_reasoning(at, out);
                let is_summary = self.parts.get(at).and_then(|part| part.announced) == Some(true);
                let kind = if is_summary {
                    "response.reasoning_summary_text.delta"
                } else {
                    "response.reasoning_text.delta"
                };
                self.send_of(at, Frame { kind, delta: Some(piece), ..Frame::default() }, true, out);
            }
            (Kind::Reasoning, Delta::Extra(extra)) if extra.get(P, "kind").is_some() => {
                self.announce_reasoning(at, out);
            }
            (Kind::Call { input: Some(kind), .. }, Delta::Input(piece)) if !piece.is_empty() => {
                self.send_of(at, Frame { kind, delta: Some(piece), ..Frame::default() }, false, out);
            }
            (_, Delta::Progress(custom)) => self.progress(at, custom, out),
            _ => {}
        }
    }

    fn citation(&mut self, at: usize, citation: &Citation, out: &mut Vec<u8>) {
        let Some(part) = self.parts.get_mut(at) else { return };
        let number = part.citations;
        part.citations += 1;
        let frame = Frame {
            kind: "response.output_text.annotation.added",
            annotation_index: Some(number),
            annotation: Some(write::annotation(citation)),
            ..Frame::default()
        };
        self.send_of(at, frame, true, out);
    }

    /// News of a provider of this protocol, with the numbers of this answer.
    fn progress(&mut self, at: usize, news: &Custom, out: &mut Vec<u8>) {
        let Some(item) = self.parts.get(at).and_then(|part| part.item) else { return };
        let id = self.items.get(item).map(|item| item.id.clone()).unwrap_or_default();
        self.relay(news, Some((item, &id)), out);
    }

    fn other(&mut self, news: &Custom, out: &mut Vec<u8>) {
        if self.started {
            self.relay(news, None, out);
        }
    }

    fn relay(&mut self, news: &Custom, item: Option<(usize, &str)>, out: &mut Vec<u8>) {
        if news.protocol != P || news.kind.is_empty() || news.kind.contains(['\n', '\r']) {
            return;
        }
        let Ok(mut object) = Object::parse(news.value.as_str()) else { return };
        let mut own = Extra::of(P, "type", Json::string(&news.kind));
        own.set(P, "sequence_number", Json::from_text(self.sequence.to_string()));
        if let Some((item, id)) = item {
            own.set(P, "item_id", Json::string(id));
            own.set(P, "output_index", Json::from_text(item.to_string()));
        }
        for (name, _) in own.fields(P).into_iter().flat_map(Fields::iter) {
            object.take_raw(name);
        }
        items::leftover(&object, &mut own);
        self.sequence += 1;
        out.extend_from_slice(format!("event: {}\ndata: ", news.kind).as_bytes());
        let from = out.len();
        out.extend_from_slice(verbatim(&Rest::of(&own, &[])).get().as_bytes());
        end_line(out, from);
    }

    fn close(&mut self, at: u32, out: &mut Vec<u8>) {
        let Some(at) = usize::try_from(at).ok().filter(|at| *at < self.parts.len()) else { return };
        let Some(part) = self.parts.get_mut(at) else { return };
        part.closed = true;
        let Some(folded) = part.folded() else { return };
        if matches!(&folded, Output::ToolCall(call) if call.run_by.is_caller()) {
            self.release(false, out);
            self.pending = Some(at);
            return;
        }
        self.close_content(at, &folded, out);
        // A part with an id of its own may be followed by another of the same item.
        let may_grow = match &folded {
            Output::Text(text) => write::item_id(&text.extra).is_some(),
            Output::Reasoning(reasoning) => write::item_id(&reasoning.extra).is_some(),
            Output::Custom(custom) => write::content_kind(custom).is_some(),
            _ => false,
        };
        if !may_grow {
            self.settle(out);
        }
    }

    /// Ends the call that waits, complete or cut.
    fn release(&mut self, cut: bool, out: &mut Vec<u8>) {
        let Some(at) = self.pending.take() else { return };
        let is_last = at + 1 == self.parts.len();
        let Some(part) = self.parts.get_mut(at) else { return };
        part.cut = cut && is_last;
        let Some(folded) = part.folded() else { return };
        self.close_content(at, &folded, out);
        self.settle(out);
    }

    fn close_content(&mut self, at: usize, part: &Output, out: &mut Vec<u8>) {
        match part {
            Output::Text(text) => {
                let (kind, words) = (text.refusal, Some(&*text.text));
                let kind = if kind { "response.refusal.done" } else { "response.output_text.done" };
                let frame = Frame {
                    kind,
                    text: words.filter(|_| !text.refusal),
                    refusal: words.filter(|_| text.refusal),
                    logprobs: (!text.refusal).then(|| text.logprobs.iter().map(write::logprob).collect()),
                    ..Frame::default()
                };
                self.send_of(at, frame, true, out);
                self.part_done(
                    at,
                    "response.content_part.done",
                    write::content(part, Side::Answer).as_deref(),
                    out,
                );
            }
            Output::Custom(custom) if write::content_kind(custom).is_some() => {
                self.part_done(
                    at,
                    "response.content_part.done",
                    write::content(part, Side::Answer).as_deref(),
                    out,
                );
            }
            Output::Reasoning(reasoning) => self.reasoning_done(at, reasoning, out),
            Output::ToolCall(call) => self.input_done(at, call, out),
            _ => {}
        }
    }

    fn part_done(&mut self, at: usize, kind: &'static str, part: Option<&RawValue>, out: &mut Vec<u8>) {
        self.send_of(at, Frame { kind, part, ..Frame::default() }, true, out);
    }

    fn reasoning_done(&mut self, at: usize, reasoning: &Reasoning, out: &mut Vec<u8>) {
        let Some(is_summary) = self.parts.get(at).and_then(|part| part.announced) else { return };
        let (text, part, kind) = if is_summary {
            ("response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "summary_text")
        } else {
            ("response.reasoning_text.done", "response.reasoning_part.done", "reasoning_text")
        };
        self.send_of(at, Frame { kind: text, text: Some(&reasoning.text), ..Frame::default() }, true, out);
        let whole = verbatim(&super::types::ReasoningPart { kind, text: &reasoning.text });
        self.part_done(at, part, Some(&whole), out);
    }

    fn input_done(&mut self, at: usize, call: &ToolCall, out: &mut Vec<u8>) {
        let Some(Kind::Call { done: Some(kind), .. }) = self.parts.get(at).map(|part| part.kind) else {
            return;
        };
        let is_input = !call.kind.is_function();
        // A client that puts the pieces together must get an object, as the item says.
        let is_bare = self.parts.get(at).is_some_and(Part::is_bare);
        let input = if is_bare { "{}" } else { call.input.as_str() };
        if let Some(Kind::Call { input: Some(kind), .. }) = self.parts.get(at).map(|part| part.kind)
            && is_bare
        {
            self.send_of(at, Frame { kind, delta: Some(input), ..Frame::default() }, false, out);
        }
        let frame = Frame {
            kind,
            name: (kind == "response.function_call_arguments.done").then_some(&*call.name),
            arguments: (!is_input).then_some(input),
            input: is_input.then_some(input).filter(|_| kind.ends_with("input.done")),
            code: is_input.then_some(input).filter(|_| kind.ends_with("code.done")),
            ..Frame::default()
        };
        self.send_of(at, frame, false, out);
    }

    /// Ends the items whose parts have all ended.
    fn settle(&mut self, out: &mut Vec<u8>) {
        for at in self.settled..self.items.len() {
            let Some(item) = self.items.get(at).filter(|item| item.done.is_none()) else { continue };
            let parts: Vec<&Part> = item.parts.iter().filter_map(|part| self.parts.get(*part)).collect();
            let waits = self.pending.is_some_and(|pending| item.parts.contains(&pending));
            if parts.is_empty() || waits || parts.iter().any(|part| !part.closed) {
                continue;
            }
            let folded: Vec<Output> = parts.iter().filter_map(|part| part.folded()).collect();
            let id = Cow::Borrowed(&*item.id);
            let Some(whole) = finished(&folded, id) else { continue };
            let frame = Frame {
                kind: "response.output_item.done",
                output_index: u64::try_from(at).ok(),
                item: Some(&whole),
                ..Frame::default()
            };
            self.send(frame, out);
            if let Some(item) = self.items.get_mut(at) {
                item.done = Some(whole);
            }
        }
        while self.items.get(self.settled).is_some_and(|item| item.done.is_some()) {
            self.settled += 1;
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut Vec<u8>) {
        if !self.started {
            self.begin(&Start::new(None, self.start.model.clone()), out);
        }
        self.release(finish.reason == FinishReason::Length, out);
        self.settle(out);
        let output: Vec<&RawValue> = self.items.iter().filter_map(|item| item.done.as_deref()).collect();
        let ending = Ending::of(finish);
        let response = self.response(&ending, &output, Some(&finish.extra));
        self.send(Frame { kind: ending.event, response: Some(&response), ..Frame::default() }, out);
    }

    /// The items of a whole answer.
    fn output(&self, parts: &[Output]) -> Vec<Box<RawValue>> {
        let mut output = Vec::new();
        for (_, group) in write::groups(parts, Side::Answer) {
            let owned: Vec<Output> = match group {
                Group::Message(parts) => parts.into_iter().cloned().collect(),
                Group::Reasoning(parts) => parts.into_iter().cloned().map(Output::Reasoning).collect(),
                Group::Single(part) => vec![part.clone()],
            };
            let id = owned.first().map(|first| self.item_id(first, output.len())).unwrap_or_default();
            let expressible = owned.first().is_some_and(|first| announced(first, &id).is_some());
            output.extend(finished(&owned, Cow::Owned(id)).filter(|_| expressible));
        }
        output
    }
}

/// What kind of events a part makes.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text { refusal: bool },
    Reasoning,
    Call { input: Option<&'static str>, done: Option<&'static str> },
    Other,
}

impl Part {
    /// Whether it is a call of a function for which no input was sent.
    fn is_bare(&self) -> bool {
        let parts = self.fold.message().parts;
        matches!(parts.first(), Some(Output::ToolCall(call)) if call.kind.is_function() && call.input.is_blank())
    }

    /// The part as it stands.
    fn folded(&self) -> Option<Output> {
        let mut fold = self.fold.clone();
        fold.push(&Event::close(0));
        fold.push(&Event::finish(Finish::new(FinishReason::Stop)));
        let mut part = fold.message().parts.into_iter().next()?;
        if let Output::ToolCall(call) = &mut part {
            call.partial |= self.cut;
        }
        Some(part)
    }
}

/// A part without what is sent as its first deltas.
fn hollow(part: &Output) -> Output {
    let mut part = part.clone();
    match &mut part {
        Output::Text(text) => {
            text.text.clear();
            text.citations.clear();
            text.logprobs.clear();
        }
        Output::Reasoning(reasoning) => reasoning.text.clear(),
        Output::ToolCall(call) => call.input = Json::from_text(""),
        _ => {}
    }
    part
}

fn is_summary(reasoning: &Reasoning) -> bool {
    word(&reasoning.extra, "kind").is_none_or(|kind| kind == "summary")
}

fn extra_of(part: &Output) -> Option<&Extra> {
    match part {
        Output::Text(text) => Some(&text.extra),
        Output::Reasoning(reasoning) => Some(&reasoning.extra),
        Output::ToolCall(call) => Some(&call.extra),
        Output::Media(media) => Some(&media.extra),
        _ => None,
    }
}

/// Parts that have no content yet, as they are announced.
struct Empty;

impl Empty {
    const TEXT: &'static str = r#"{"type":"output_text","text":"","annotations":[],"logprobs":[]}"#;
    const REFUSAL: &'static str = r#"{"type":"refusal","refusal":""}"#;
    const SUMMARY: &'static str = r#"{"type":"summary_text","text":""}"#;
    const REASONING: &'static str = r#"{"type":"reasoning_text","text":""}"#;
}

fn raw(json: &'static str) -> Option<Box<RawValue>> {
    RawValue::from_string(json.to_owned()).ok()
}

/// An item as it is announced; `None` when the protocol has none for the part.
fn announced(part: &Output, id: &str) -> Option<Box<RawValue>> {
    let mut item = Announced::new(id);
    match part {
        Output::Text(text) => item.message(word(&text.extra, "phase")),
        Output::Reasoning(_) => {
            item.kind = "reasoning";
            item.status = None;
            item.summary = Some([]);
        }
        Output::ToolCall(call) => item.call(call),
        Output::Media(media) => {
            write::image(media, None)?;
            item.kind = "image_generation_call";
            item.output_format = media.mime.strip_prefix("image/");
        }
        Output::Custom(custom) if write::content_kind(custom).is_some() => item.message(None),
        Output::Custom(custom) => return write::custom(custom),
        _ => return None,
    }
    Some(verbatim(&item))
}

impl<'a> Announced<'a> {
    fn new(id: &'a str) -> Self {
        Self {
            kind: "",
            id,
            role: None,
            phase: None,
            call_id: None,
            name: None,
            server_label: None,
            arguments: None,
            input: None,
            execution: None,
            environment: None,
            output_format: None,
            content: None,
            summary: None,
            output: None,
            error: None,
            status: Some("in_progress"),
            rest: Rest::default(),
        }
    }

    fn message(&mut self, phase: Option<Cow<'a, str>>) {
        self.kind = "message";
        self.role = Some("assistant");
        self.phase = phase;
        self.content = Some([]);
    }

    fn call(&mut self, call: &'a ToolCall) {
        let hosted =
            call.extra.get(P, "type").and_then(|kind| kind.as_str().strip_prefix('"')?.strip_suffix('"'));
        if let Some(kind) = hosted {
            return self.hosted(call, kind);
        }
        if !call.run_by.is_caller() && call.extra.fields(P).is_none() {
            return self.foreign(call, "");
        }
        let is_function = call.kind.is_function();
        self.kind = if is_function { "function_call" } else { "custom_tool_call" };
        self.call_id = Some(Cow::Borrowed(&call.id));
        self.name = Some(&call.name);
        self.arguments = is_function.then_some("");
        self.input = (!is_function).then_some("");
        self.rest = Rest::of(&call.extra, &["id", "status"]);
    }

    /// A call of a provider's own kind.
    fn hosted(&mut self, call: &'a ToolCall, kind: &'a str) {
        let by_caller = call.run_by.is_caller();
        self.kind = kind;
        self.call_id = (call.id != self.id).then_some(Cow::Borrowed(&call.id));
        self.name = items::hosted_name(kind).filter(|usual| *usual != call.name).map(|_| &*call.name);
        match kind {
            "code_interpreter_call" => self.arguments = call.kind.is_function().then_some(""),
            "mcp_call" => self.arguments = Some(""),
            "tool_search_call" => self.execution = Some(if by_caller { "client" } else { "server" }),
            "shell_call" => {
                let kind = if by_caller { "local" } else { "container_reference" };
                self.environment = Some(Environment { kind });
            }
            _ => {}
        }
    }

    /// A call that a provider of another protocol ran.
    fn foreign(&mut self, call: &'a ToolCall, arguments: &'a str) {
        self.kind = "mcp_call";
        self.server_label = Some("provider");
        self.name = Some(&call.name);
        self.arguments = Some(arguments);
        self.output = Some(Null);
        self.error = Some(Null);
    }
}

/// An item in its final form.
fn finished(parts: &[Output], id: Cow<'_, str>) -> Option<Box<RawValue>> {
    match parts.first()? {
        Output::Reasoning(_) => {
            let parts: Vec<&Reasoning> = parts
                .iter()
                .filter_map(|part| match part {
                    Output::Reasoning(reasoning) => Some(reasoning),
                    _ => None,
                })
                .collect();
            Some(write::reasoning(&parts, Some(id), seal::pack(&parts)))
        }
        Output::ToolCall(call) => Some(finished_call(call, id)),
        Output::Media(media) => write::image(media, Some(id)),
        Output::Custom(custom) if write::content_kind(custom).is_none() => write::custom(custom),
        _ => {
            let parts: Vec<&Output> = parts.iter().collect();
            Some(write::message(&parts, Some(id), Side::Answer, true))
        }
    }
}

fn finished_call(call: &ToolCall, id: Cow<'_, str>) -> Box<RawValue> {
    let cut = call.extra.get(P, "type").is_some() && call.extra.get(P, "item").is_none();
    let foreign = !call.run_by.is_caller() && call.extra.fields(P).is_none();
    if !cut && !foreign {
        return write::call(call, Some(id), Side::Answer);
    }
    let mut item = Announced::new(&id);
    if foreign {
        item.foreign(call, call.input.as_str());
        item.status = Some("completed");
    } else {
        item.call(call);
        item.status = Some("incomplete");
    }
    verbatim(&item)
}

impl Kind {
    fn of(part: &Output) -> Self {
        match part {
            Output::Text(text) => Self::Text { refusal: text.refusal },
            Output::Reasoning(_) => Self::Reasoning,
            Output::ToolCall(call) => call_kind(call),
            _ => Self::Other,
        }
    }
}

fn call_kind(call: &ToolCall) -> Kind {
    let hosted = word(&call.extra, "type");
    let foreign = !call.run_by.is_caller() && call.extra.fields(P).is_none();
    let (input, done) = match (hosted.as_deref(), call.kind.is_function()) {
        (Some("mcp_call"), _) => ("response.mcp_call_arguments.delta", "response.mcp_call_arguments.done"),
        (None, _) if foreign => ("response.mcp_call_arguments.delta", "response.mcp_call_arguments.done"),
        (Some("code_interpreter_call"), false) => {
            ("response.code_interpreter_call_code.delta", "response.code_interpreter_call_code.done")
        }
        (Some(_), _) => return Kind::Call { input: None, done: None },
        (None, true) => ("response.function_call_arguments.delta", "response.function_call_arguments.done"),
        (None, false) => ("response.custom_tool_call_input.delta", "response.custom_tool_call_input.done"),
    };
    Kind::Call { input: Some(input), done: Some(done) }
}

/// The word for programs that stands for an error.
fn code(error: &Error) -> Cow<'_, str> {
    let word = match error.kind() {
        _ if error.code().is_some() => return Cow::Borrowed(error.code().unwrap_or_default()),
        ErrorKind::Authentication => "invalid_api_key",
        ErrorKind::Permission => "permission_denied",
        ErrorKind::NotFound => "not_found",
        ErrorKind::RateLimited => "rate_limit_exceeded",
        ErrorKind::QuotaExceeded => "insufficient_quota",
        ErrorKind::ContextOverflow => "context_length_exceeded",
        ErrorKind::Filtered => "content_filter",
        // Not `invalid_prompt`, which is the word for a prompt that the policy blocks.
        ErrorKind::InvalidRequest | ErrorKind::Unsupported | ErrorKind::TooLarge => "invalid_request",
        ErrorKind::Overloaded => "slow_down",
        _ => "server_error",
    };
    Cow::Borrowed(word)
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Refused<'a>,
}

#[derive(Serialize)]
struct Refused<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'static str>,
    code: &'a str,
}

/// The answer to a call that failed before its first event.
pub(super) fn refusal(error: &Error) -> Reply {
    let status = error.status().filter(|status| *status >= 400).unwrap_or_else(|| status_of(error.kind()));
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    };
    let code = code(error);
    let refused = Refused { message: error.message(), kind, param: None, code: &code };
    let mut reply = Reply::json(status, verbatim(&Envelope { error: refused }).get().to_owned());
    if let Some(id) = error.request_id().and_then(|id| id.parse().ok()) {
        reply.headers.insert("x-request-id", id);
    }
    match error.retry() {
        Retry::After(pause) => {
            let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
            reply.headers.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        Retry::Never if status >= 408 => {
            reply.headers.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        _ => {}
    }
    reply
}

const fn status_of(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::Authentication => 401,
        ErrorKind::Permission => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::TooLarge => 413,
        ErrorKind::RateLimited | ErrorKind::QuotaExceeded => 429,
        ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::ContextOverflow
        | ErrorKind::Filtered => 400,
        ErrorKind::Overloaded => 503,
        ErrorKind::Timeout => 504,
        ErrorKind::Connect | ErrorKind::Tls | ErrorKind::Truncated | ErrorKind::Protocol => 502,
        _ => 500,
    }
}

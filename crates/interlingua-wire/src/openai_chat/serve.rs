//! From events to chunks and whole answers.
//!
//! Chunks are shaped for the accumulators of the official clients: role, call ids and names are sent once, every call
//! has an index counted from 0, `id`, `created`, `model` and `object` never change, and usage comes only in a chunk of
//! its own that the client asked for.

use std::borrow::Cow;

use http::HeaderValue;
use interlingua_model::{
    Citation, Custom as CustomPart, Delta as PartDelta, Error, ErrorKind, Event, Extra, Finish, FinishReason,
    Media, MediaKind, Output, Reasoning, Request, Response, Retry, Source, Start, Text, ToolCall, ToolKind,
    Usage,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::body::{Plain, Verbatim, raw};
use super::calls::{CALL_KIND, LEGACY};
use super::chunk::{
    Annotation, AnyCall, AnyChoice, AnyLogprobs, Audio, Call, Choice, Chunk, Content, Custom, Delta, Failure,
    FailureBody, Figures, Function, Image, ImageUrl, Logprobs, Part, TextPart, Thinking,
};
use super::dialect::{Dialect, ReasoningEcho};
use super::media::data_url;
use super::reasoning::{DETAILS, FIELD, SIGNATURE};
use super::{MESSAGE_FIELD, PROTOCOL, STREAM_OPTIONS};
use crate::{Mint, Object, Reply, Writer};

/// The fields of a chunk that are written in any case: what a service said beside the end under such a name stood in the
/// choice.
const OF_CHUNK: [&str; 6] = ["id", "object", "created", "model", "choices", "usage"];

/// What a choice says beside its message; everything else stands beside the choices.
const IN_CHOICE: [&str; 6] = [
    "native_finish_reason",
    "stop_reason",
    "content_filter_results",
    "content_filter_result",
    "seed",
    "token_ids",
];

/// Writes the answer to one call.
#[derive(Debug)]
pub(super) struct ChatWriter {
    id: String,
    created: u64,
    model: String,
    include_usage: bool,
    manner: Manner,
    start: Extra,
    parts: Vec<Kind>,
    calls: u32,
    usage: Usage,
}

/// What the clients of a service want of an answer.
#[derive(Debug, Clone, Copy)]
struct Manner {
    /// The field of reasoning that came in none of this protocol.
    reasoning: Field,
    /// A call comes in one piece.
    whole_calls: bool,
}

impl Manner {
    fn of(dialect: &Dialect) -> Self {
        let reasoning = match dialect.reasoning_echo {
            ReasoningEcho::ThinkingChunks => Field::Thinking,
            _ => Field::ReasoningContent,
        };
        Self { reasoning, whole_calls: dialect.whole_calls }
    }
}

/// What a part is, as far as its deltas depend on it.
#[derive(Debug)]
enum Kind {
    Text,
    Refusal,
    /// Reasoning, and how many of its details were sent.
    Reasoning(Field, usize),
    /// A call, and whether any input was sent.
    Call {
        index: u32,
        kind: ToolKind,
        filled: bool,
    },
    /// A call that is sent when it is whole.
    Held {
        index: u32,
        call: Box<ToolCall>,
        input: String,
    },
    /// A call in the form before `tool_calls`.
    Legacy,
    Audio,
    /// A picture, whose address is sent when it is whole.
    Picture {
        mime: String,
        data: Vec<u8>,
    },
    Silent,
}

/// The field in which reasoning is told.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Field {
    ReasoningContent,
    Reasoning,
    ReasoningText,
    Thinking,
}

impl Writer for ChatWriter {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        match event {
            Event::Start(start) => {
                self.start(start);
                self.delta(
                    Delta { role: Some("assistant"), content: Some(text("")), ..Delta::default() },
                    out,
                )
            }
            Event::Open { part, .. } => self.open(part, out),
            Event::Delta { at, delta } => self.grow(*at, delta, out),
            Event::Close { at } => self.close(*at, out),
            Event::Usage(usage) => {
                self.usage.update(usage);
                Ok(())
            }
            Event::Other(custom) => self.other(custom, out),
            Event::Finish(finish) => self.finish(finish, out),
            _ => Ok(()),
        }
    }

    fn whole(&mut self, response: &Response, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut start = Start::new(response.id.clone(), response.model.clone());
        start.created = response.created;
        start.extra = response.extra.clone();
        self.start(&start);
        let finish = response.finish.clone().unwrap_or_else(|| Finish::new(FinishReason::Other));
        let (message, logprobs) = message(response, self.manner.reasoning);
        let mut choice = Choice { message: Some(message), logprobs, ..Choice::default() };
        let extra = end(&finish, &mut choice);
        let mut choices = vec![AnyChoice::Known(Box::new(choice))];
        choices.extend(others(&response.other));
        let chunk = Chunk {
            object: "chat.completion",
            choices,
            usage: Some(&response.usage).filter(|usage| !usage.is_empty()).map(Figures),
            ..self.chunk(extra)
        };
        serde_json::to_writer(out, &chunk).map_err(unwritable)
    }

    fn fail(&mut self, error: &Error, out: &mut Vec<u8>) {
        let failure = failure(error);
        // The envelope holds nothing but texts, so it can always be written.
        let _ = send(&failure, out);
    }
}

impl ChatWriter {
    /// A writer for the answer to a request.
    pub(super) fn new(dialect: &Dialect, asked: &Request, mint: &Mint) -> Self {
        // Where nobody can ask for usage, it comes without being asked for.
        let options = asked.extra.get(PROTOCOL, STREAM_OPTIONS).filter(|_| dialect.stream_usage);
        let include_usage = options.is_none_or(|options| {
            Object::parse(options.as_str()).is_ok_and(|options| options.peek("include_usage") == Some(true))
        });
        Self {
            id: format!("chatcmpl-{}", mint.id),
            created: mint.created,
            model: asked.model.clone(),
            include_usage,
            manner: Manner::of(dialect),
            start: Extra::default(),
            parts: Vec::new(),
            calls: 0,
            usage: Usage::default(),
        }
    }

    fn start(&mut self, start: &Start) {
        if let Some(id) = &start.id {
            self.id.clone_from(id);
        }
        if let Some(model) = &start.model {
            self.model.clone_from(model);
        }
        self.created = start.created.unwrap_or(self.created);
        self.start.clone_from(&start.extra);
    }

    fn open(&mut self, part: &Output, out: &mut Vec<u8>) -> Result<(), Error> {
        match part {
            Output::Text(text) => self.open_text(text, out),
            Output::Reasoning(reasoning) => self.open_reasoning(reasoning, out),
            Output::ToolCall(call) if call.run_by.is_caller() => self.open_call(call, out),
            Output::Media(media) if media.kind() == MediaKind::Audio => self.open_audio(media, out),
            Output::Media(media) => self.open_picture(media, out),
            Output::Custom(custom) => {
                self.parts.push(Kind::Silent);
                let Some(value) = raw(&custom.value).filter(|_| custom.protocol == PROTOCOL) else {
                    return Ok(());
                };
                self.delta(custom_delta(custom, value), out)
            }
            // What the provider ran itself is no business of a client of this protocol: it would run it again.
            _ => {
                self.parts.push(Kind::Silent);
                Ok(())
            }
        }
    }

    fn open_text(&mut self, part: &Text, out: &mut Vec<u8>) -> Result<(), Error> {
        self.parts.push(if part.refusal { Kind::Refusal } else { Kind::Text });
        if !part.text.is_empty() {
            self.delta(text_delta(part.refusal, Cow::Borrowed(&part.text)), out)?;
        }
        for citation in &part.citations {
            self.citation(citation, out)?;
        }
        self.message_fields(&part.extra, out)
    }

    fn open_reasoning(&mut self, part: &Reasoning, out: &mut Vec<u8>) -> Result<(), Error> {
        let field = Field::of(part, self.manner.reasoning);
        self.parts.push(Kind::Reasoning(field, details(&part.extra).len()));
        if !part.text.is_empty() {
            self.delta(field.delta(Cow::Borrowed(&part.text)), out)?;
        }
        self.seal(field, 0, &part.extra, out)
    }

    fn open_call(&mut self, call: &ToolCall, out: &mut Vec<u8>) -> Result<(), Error> {
        if is_legacy(call) {
            self.parts.push(Kind::Legacy);
            let function_call = Some(Function { name: Some(&call.name), arguments: call.input.as_str() });
            return self.delta(Delta { function_call, ..Delta::default() }, out);
        }
        let index = self.calls;
        self.calls = index.saturating_add(1);
        if self.manner.whole_calls {
            let input = call.input.as_str().to_owned();
            self.parts.push(Kind::Held { index, call: Box::new(call.clone()), input });
            return self.message_fields(&call.extra, out);
        }
        self.parts.push(Kind::Call { index, kind: call.kind, filled: !call.input.is_blank() });
        self.delta(
            calls(vec![AnyCall::Known(Box::new(opened(call, Some(index), call.input.as_str())))]),
            out,
        )?;
        self.message_fields(&call.extra, out)
    }

    fn open_audio(&mut self, media: &Media, out: &mut Vec<u8>) -> Result<(), Error> {
        self.parts.push(Kind::Audio);
        let audio = audio(media);
        if audio.data.is_none() && audio.transcript.is_none() && audio.extra.0.is_empty() {
            return Ok(());
        }
        self.delta(Delta { audio: Some(audio), ..Delta::default() }, out)
    }

    fn open_picture(&mut self, media: &Media, out: &mut Vec<u8>) -> Result<(), Error> {
        match &media.source {
            Source::Bytes(data) => {
                self.parts.push(Kind::Picture { mime: media.mime.clone(), data: data.as_bytes().to_vec() });
                Ok(())
            }
            Source::Url(url) => {
                self.parts.push(Kind::Silent);
                self.delta(Delta { images: vec![image(url.clone())], ..Delta::default() }, out)
            }
            _ => {
                self.parts.push(Kind::Silent);
                Ok(())
            }
        }
    }

    fn grow(&mut self, at: u32, delta: &PartDelta, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(kind) = usize::try_from(at).ok().and_then(|at| self.parts.get_mut(at)) else {
            return Ok(());
        };
        match (kind, delta) {
            (Kind::Text, PartDelta::Text(piece)) => self.delta(text_delta(false, Cow::Borrowed(piece)), out),
            (Kind::Refusal, PartDelta::Text(piece)) => {
                self.delta(text_delta(true, Cow::Borrowed(piece)), out)
            }
            (Kind::Reasoning(field, _), PartDelta::Text(piece)) => {
                let delta = field.delta(Cow::Borrowed(piece));
                self.delta(delta, out)
            }
            (Kind::Reasoning(field, sent), PartDelta::Extra(extra)) => {
                let field = *field;
                let before = std::mem::replace(sent, details(extra).len().max(*sent));
                self.seal(field, before, extra, out)
            }
            (Kind::Legacy, PartDelta::Input(piece)) => {
                let function_call = Some(Function { name: None, arguments: piece });
                self.delta(Delta { function_call, ..Delta::default() }, out)
            }
            (Kind::Call { index, kind, filled }, PartDelta::Input(piece)) => {
                *filled |= !piece.trim_ascii().is_empty();
                let delta = input_delta(*index, *kind, piece);
                self.delta(delta, out)
            }
            (Kind::Held { input, .. }, PartDelta::Input(piece)) => {
                input.push_str(piece);
                Ok(())
            }
            (Kind::Held { call, .. }, PartDelta::Extra(extra)) => {
                call.extra.merge(extra);
                self.message_fields(extra, out)
            }
            (Kind::Call { index, .. }, PartDelta::Extra(extra)) => {
                let call = Call { index: Some(*index), extra: call_fields(extra), ..Call::default() };
                if !call.extra.0.is_empty() {
                    self.delta(calls(vec![AnyCall::Known(Box::new(call))]), out)?;
                }
                self.message_fields(extra, out)
            }
            (Kind::Picture { data, .. }, PartDelta::Data(more)) => {
                data.extend_from_slice(more.as_bytes());
                Ok(())
            }
            (Kind::Audio, delta) => match audio_delta(delta) {
                Some(audio) => self.delta(Delta { audio: Some(audio), ..Delta::default() }, out),
                None => Ok(()),
            },
            (Kind::Text | Kind::Refusal, PartDelta::Citation(citation)) => self.citation(citation, out),
            (Kind::Text | Kind::Refusal, PartDelta::Logprobs(tokens)) => {
                let logprobs = Some(AnyLogprobs::Known(Logprobs::of(tokens)));
                self.choice(Choice { delta: Some(Delta::default()), logprobs, ..Choice::default() }, out)
            }
            (Kind::Text | Kind::Refusal, PartDelta::Extra(extra)) => self.message_fields(extra, out),
            _ => Ok(()),
        }
    }

    fn close(&mut self, at: u32, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(kind) = usize::try_from(at).ok().and_then(|at| self.parts.get_mut(at)) else {
            return Ok(());
        };
        match std::mem::replace(kind, Kind::Silent) {
            Kind::Picture { mime, data } => {
                let url = data_url(&mime, &data.into());
                self.delta(Delta { images: vec![image(url)], ..Delta::default() }, out)
            }
            other => {
                *kind = other;
                Ok(())
            }
        }
    }

    fn citation(&self, citation: &Citation, out: &mut Vec<u8>) -> Result<(), Error> {
        self.delta(Delta { annotations: vec![Annotation(citation)], ..Delta::default() }, out)
    }

    /// What seals reasoning: the details that were not sent before, or the signature of a thinking chunk.
    fn seal(&self, field: Field, sent: usize, extra: &Extra, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut details = details(extra);
        let details = details.split_off(sent.min(details.len()));
        if !details.is_empty() {
            self.delta(Delta { reasoning_details: details, ..Delta::default() }, out)?;
        }
        let signature = extra.get(PROTOCOL, SIGNATURE).and_then(raw);
        if let Some(signature) = signature.filter(|_| field == Field::Thinking) {
            let part =
                Part::Thinking(Thinking { kind: "thinking", parts: Vec::new(), signature: Some(signature) });
            self.delta(Delta { content: Some(Content::Parts(vec![part])), ..Delta::default() }, out)?;
        }
        self.message_fields(extra, out)
    }

    /// What came with the message as a whole.
    fn message_fields(&self, extra: &Extra, out: &mut Vec<u8>) -> Result<(), Error> {
        let fields = message_fields(extra);
        if fields.0.is_empty() {
            return Ok(());
        }
        self.delta(Delta { extra: fields, ..Delta::default() }, out)
    }

    fn other(&self, custom: &CustomPart, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(value) = raw(&custom.value).filter(|_| custom.protocol == PROTOCOL) else { return Ok(()) };
        if custom.kind == "choice" {
            let chunk =
                Chunk { choices: vec![AnyChoice::Verbatim(value)], ..self.chunk(Verbatim::default()) };
            return send(&chunk, out);
        }
        if custom.kind == "logprobs" {
            let logprobs = Some(AnyLogprobs::Verbatim(value));
            return self.choice(Choice { delta: Some(Delta::default()), logprobs, ..Choice::default() }, out);
        }
        let Some(name) = custom.kind.strip_prefix(MESSAGE_FIELD) else { return Ok(()) };
        self.delta(Delta { extra: Verbatim(vec![(name, Plain::Json(value))]), ..Delta::default() }, out)
    }

    fn finish(&self, finish: &Finish, out: &mut Vec<u8>) -> Result<(), Error> {
        self.whole_calls(out)?;
        if finish.reason != FinishReason::Length {
            self.fill_calls(out)?;
        }
        let mut choice = Choice { delta: Some(Delta::default()), ..Choice::default() };
        let extra = end(finish, &mut choice);
        let chunk = Chunk { choices: vec![AnyChoice::Known(Box::new(choice))], ..self.chunk(extra) };
        send(&chunk, out)?;
        if self.include_usage && !self.usage.is_empty() {
            let usage = Some(Figures(&self.usage));
            send(&Chunk { choices: Vec::new(), usage, ..self.chunk(Verbatim::default()) }, out)?;
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
        Ok(())
    }

    /// The calls that were held back.
    fn whole_calls(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        for part in &self.parts {
            let Kind::Held { index, call, input } = part else { continue };
            let input = if input.trim_ascii().is_empty() && call.kind.is_function() { "{}" } else { input };
            self.delta(calls(vec![AnyCall::Known(Box::new(opened(call, Some(*index), input)))]), out)?;
        }
        Ok(())
    }

    /// Clients parse the arguments that they have got, and nothing is not JSON.
    fn fill_calls(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        for part in &self.parts {
            if let Kind::Call { index, kind: ToolKind::Function, filled: false } = part {
                self.delta(input_delta(*index, ToolKind::Function, "{}"), out)?;
            }
        }
        Ok(())
    }

    fn delta(&self, delta: Delta<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        self.choice(Choice { delta: Some(delta), ..Choice::default() }, out)
    }

    fn choice(&self, choice: Choice<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let choices = vec![AnyChoice::Known(Box::new(choice))];
        send(&Chunk { choices, ..self.chunk(Verbatim::default()) }, out)
    }

    /// A chunk with what all chunks have.
    fn chunk<'a>(&'a self, more: Verbatim<'a>) -> Chunk<'a> {
        let mut extra = Verbatim::of(self.start.fields(PROTOCOL));
        extra.0.retain(|(name, _)| more.0.iter().all(|(other, _)| other != name));
        extra.0.extend(more.0);
        extra.0.retain(|(name, _)| !OF_CHUNK.contains(name));
        Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            choices: Vec::new(),
            usage: None,
            extra,
        }
    }
}

impl Field {
    /// The field that reasoning came in, or another one.
    fn of(part: &Reasoning, otherwise: Self) -> Self {
        match part.extra.read::<String>(PROTOCOL, FIELD).as_deref() {
            Some("reasoning") => Self::Reasoning,
            Some("reasoning_text") => Self::ReasoningText,
            Some("thinking") => Self::Thinking,
            Some(_) => Self::ReasoningContent,
            None => otherwise,
        }
    }

    fn delta(self, words: Cow<'_, str>) -> Delta<'_> {
        let mut delta = Delta::default();
        match self {
            Self::ReasoningContent => delta.reasoning_content = Some(words),
            Self::Reasoning => delta.reasoning = Some(words),
            Self::ReasoningText => delta.reasoning_text = Some(words),
            Self::Thinking => delta.content = Some(Content::Parts(vec![thinking(words, None)])),
        }
        delta
    }
}

/// The message of a whole answer, and the probabilities of its tokens.
fn message(response: &Response, field: Field) -> (Delta<'_>, Option<AnyLogprobs<'_>>) {
    let mut message = Delta { role: Some("assistant"), ..Delta::default() };
    let (mut parts, mut logprobs, mut refusal) = (Vec::new(), None, None);
    for part in &response.message.parts {
        match part {
            Output::Text(text) => {
                if text.refusal {
                    append(&mut refusal, &text.text);
                } else {
                    parts.push(Part::Known(TextPart { kind: "text", text: Cow::Borrowed(&text.text) }));
                }
                message.annotations.extend(text.citations.iter().map(Annotation));
                message.extra.0.extend(message_fields(&text.extra).0);
                if !text.logprobs.is_empty() {
                    logprobs = Some(AnyLogprobs::Known(Logprobs::of(&text.logprobs)));
                }
            }
            Output::Reasoning(reasoning) => whole_reasoning(reasoning, field, &mut message, &mut parts),
            Output::ToolCall(call) if is_legacy(call) => {
                message.function_call = Some(Function { name: Some(&call.name), arguments: arguments(call) });
            }
            Output::ToolCall(call) if call.run_by.is_caller() => {
                message.tool_calls.push(AnyCall::Known(Box::new(opened(call, None, arguments(call)))));
                message.extra.0.extend(message_fields(&call.extra).0);
            }
            Output::Media(media) => whole_media(media, &mut message),
            Output::Custom(custom) => {
                let Some(value) = raw(&custom.value).filter(|_| custom.protocol == PROTOCOL) else {
                    continue;
                };
                if custom.kind.starts_with(CALL_KIND) {
                    message.tool_calls.push(AnyCall::Verbatim(value));
                } else {
                    parts.push(Part::Verbatim(value));
                }
            }
            _ => {}
        }
    }
    let called = !message.tool_calls.is_empty() || message.function_call.is_some();
    let silent = parts.is_empty() && (called || message.audio.is_some() || refusal.is_some());
    message.refusal = Some(refusal.map_or(Content::Null(()), Content::Text));
    message.content = Some(if silent { Content::Null(()) } else { content(parts) });
    message.extra.0.extend(response.other.iter().filter_map(|custom| {
        let name = custom.kind.strip_prefix(MESSAGE_FIELD).filter(|_| custom.protocol == PROTOCOL)?;
        Some((name, Plain::Json(raw(&custom.value)?)))
    }));
    let of_other =
        || response.other.iter().find(|custom| custom.protocol == PROTOCOL && custom.kind == "logprobs");
    let logprobs =
        logprobs.or_else(|| of_other().and_then(|custom| raw(&custom.value)).map(AnyLogprobs::Verbatim));
    (message, logprobs)
}

/// Texts alone are one text; only what cannot be said otherwise makes an array.
fn content(parts: Vec<Part<'_>>) -> Content<'_> {
    let texts: Option<Vec<&str>> = parts
        .iter()
        .map(|part| match part {
            Part::Known(part) => Some(&*part.text),
            Part::Thinking(_) | Part::Verbatim(_) => None,
        })
        .collect();
    match texts {
        Some(texts) => Content::Text(Cow::Owned(texts.concat())),
        None => Content::Parts(parts),
    }
}

fn whole_reasoning<'a>(
    part: &'a Reasoning,
    field: Field,
    message: &mut Delta<'a>,
    parts: &mut Vec<Part<'a>>,
) {
    let words = Cow::Borrowed(&*part.text);
    match Field::of(part, field) {
        Field::Thinking => parts.push(thinking(words, part.extra.get(PROTOCOL, SIGNATURE).and_then(raw))),
        _ if part.text.is_empty() => {}
        Field::Reasoning => append(&mut message.reasoning, &words),
        Field::ReasoningText => append(&mut message.reasoning_text, &words),
        Field::ReasoningContent => append(&mut message.reasoning_content, &words),
    }
    message.reasoning_details.extend(details(&part.extra));
    message.extra.0.extend(message_fields(&part.extra).0);
}

fn whole_media<'a>(media: &'a Media, message: &mut Delta<'a>) {
    match (&media.source, media.kind()) {
        (_, MediaKind::Audio) => message.audio = Some(audio(media)),
        (Source::Bytes(data), _) => message.images.push(image(data_url(&media.mime, data))),
        (Source::Url(url), _) => message.images.push(image(url.clone())),
        _ => {}
    }
}

/// Further choices, verbatim.
fn others(customs: &[CustomPart]) -> impl Iterator<Item = AnyChoice<'_>> {
    let ours = customs.iter().filter(|custom| custom.protocol == PROTOCOL && custom.kind == "choice");
    ours.filter_map(|custom| raw(&custom.value).map(AnyChoice::Verbatim))
}

/// Adds what an answer ends with; what stands beside the choices is returned.
fn end<'a>(finish: &'a Finish, choice: &mut Choice<'a>) -> Verbatim<'a> {
    choice.finish_reason = Some(finish_word(finish));
    choice.stop_reason = finish.stop_sequence.as_deref();
    let mut extra = Verbatim::of(finish.extra.fields(PROTOCOL));
    let stop = choice.stop_reason.is_some();
    extra.0.retain(|(name, value)| {
        let inside =
            (IN_CHOICE.contains(name) || OF_CHUNK.contains(name)) && !(stop && *name == "stop_reason");
        if inside {
            choice.extra.0.push((name, *value));
        }
        !inside && *name != "stop_reason"
    });
    extra
}

/// One of the five words that every client knows.
fn finish_word(finish: &Finish) -> &'static str {
    match (finish.reason, finish.raw.as_deref()) {
        (FinishReason::ToolUse, Some("function_call")) => "function_call",
        (FinishReason::ToolUse, _) => "tool_calls",
        (FinishReason::Length, _) => "length",
        (FinishReason::Filtered, _) => "content_filter",
        _ => "stop",
    }
}

fn text_delta(refusal: bool, words: Cow<'_, str>) -> Delta<'_> {
    if refusal {
        return Delta { refusal: Some(Content::Text(words)), ..Delta::default() };
    }
    Delta { content: Some(Content::Text(words)), ..Delta::default() }
}

fn text(words: &str) -> Content<'_> {
    Content::Text(Cow::Borrowed(words))
}

fn thinking<'a>(words: Cow<'a, str>, signature: Option<&'a RawValue>) -> Part<'a> {
    let parts = vec![TextPart { kind: "text", text: words }];
    Part::Thinking(Thinking { kind: "thinking", parts, signature })
}

fn calls(tool_calls: Vec<AnyCall<'_>>) -> Delta<'_> {
    Delta { tool_calls, ..Delta::default() }
}

/// A call with its id and name; official clients need `type`, `name` and `arguments` in the first piece.
fn opened<'a>(call: &'a ToolCall, index: Option<u32>, input: &'a str) -> Call<'a> {
    let name = Some(&*call.name);
    let mut opened = Call { index, id: Some(&call.id), extra: call_fields(&call.extra), ..Call::default() };
    if call.kind == ToolKind::Custom {
        opened.kind = Some("custom");
        opened.custom = Some(Custom { name, input });
    } else {
        opened.kind = Some("function");
        opened.function = Some(Function { name, arguments: input });
    }
    opened
}

fn is_legacy(call: &ToolCall) -> bool {
    call.run_by.is_caller() && call.extra.get(PROTOCOL, LEGACY).is_some()
}

fn arguments(call: &ToolCall) -> &str {
    if call.input.is_blank() && call.kind.is_function() { "{}" } else { call.input.as_str() }
}

fn input_delta(index: u32, kind: ToolKind, piece: &str) -> Delta<'_> {
    let mut call = Call { index: Some(index), ..Call::default() };
    match kind {
        ToolKind::Custom => call.custom = Some(Custom { name: None, input: piece }),
        _ => call.function = Some(Function { name: None, arguments: piece }),
    }
    calls(vec![AnyCall::Known(Box::new(call))])
}

fn custom_delta<'a>(custom: &CustomPart, value: &'a RawValue) -> Delta<'a> {
    if custom.kind.starts_with(CALL_KIND) {
        return calls(vec![AnyCall::Verbatim(value)]);
    }
    Delta { content: Some(Content::Parts(vec![Part::Verbatim(value)])), ..Delta::default() }
}

fn call_fields(extra: &Extra) -> Verbatim<'_> {
    let mut fields = Verbatim::of(extra.fields(PROTOCOL));
    fields.0.retain(|(name, _)| *name != LEGACY && !name.starts_with(MESSAGE_FIELD));
    fields
}

fn message_fields(extra: &Extra) -> Verbatim<'_> {
    let mut fields = Verbatim::of(extra.fields(PROTOCOL));
    fields.0 = fields
        .0
        .into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(MESSAGE_FIELD)?, value)))
        .collect();
    fields
}

fn details(extra: &Extra) -> Vec<&RawValue> {
    let details = extra.get(PROTOCOL, DETAILS);
    details.and_then(|details| serde_json::from_str(details.as_str()).ok()).unwrap_or_default()
}

fn audio(media: &Media) -> Audio<'_> {
    let data = match &media.source {
        Source::Bytes(data) if !data.as_bytes().is_empty() => Some(data.to_base64()),
        _ => None,
    };
    let transcript = media.transcript.as_deref().map(Cow::Borrowed);
    Audio { data, transcript, extra: Verbatim::of(media.extra.fields(PROTOCOL)) }
}

fn audio_delta(delta: &PartDelta) -> Option<Audio<'_>> {
    match delta {
        PartDelta::Text(piece) => Some(Audio { transcript: Some(Cow::Borrowed(piece)), ..Audio::default() }),
        PartDelta::Data(data) => Some(Audio { data: Some(data.to_base64()), ..Audio::default() }),
        PartDelta::Extra(extra) => {
            let fields = Verbatim::of(extra.fields(PROTOCOL));
            (!fields.0.is_empty()).then(|| Audio { extra: fields, ..Audio::default() })
        }
        _ => None,
    }
}

fn image(url: String) -> Image {
    Image { kind: "image_url", image_url: ImageUrl { url } }
}

fn append(to: &mut Option<Cow<'_, str>>, words: &str) {
    to.get_or_insert_default().to_mut().push_str(words);
}

/// The answer of a call that failed before its first event.
pub(super) fn refuse(error: &Error) -> Reply {
    let status = error.status().filter(|status| *status >= 400).unwrap_or_else(|| status(error.kind()));
    let body = serde_json::to_vec(&failure(error)).unwrap_or_default();
    let mut reply = Reply::json(status, body);
    if let Some(id) = error.request_id().and_then(|id| id.parse().ok()) {
        reply.headers.insert("x-request-id", id);
    }
    if let Retry::After(pause) = error.retry() {
        let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
        reply.headers.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    reply
}

fn failure(error: &Error) -> Failure<'_> {
    let (kind, code) = words(error.kind());
    Failure {
        error: FailureBody { message: error.message(), kind, param: None, code: error.code().or(code) },
    }
}

/// `type` and `code` of an error, in OpenAI's words.
fn words(kind: ErrorKind) -> (&'static str, Option<&'static str>) {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::Unsupported | ErrorKind::TooLarge => {
            ("invalid_request_error", None)
        }
        ErrorKind::ContextOverflow => ("invalid_request_error", Some("context_length_exceeded")),
        ErrorKind::Filtered => ("invalid_request_error", Some("content_policy_violation")),
        ErrorKind::Authentication => ("authentication_error", Some("invalid_api_key")),
        ErrorKind::Permission => ("permission_error", None),
        ErrorKind::NotFound => ("not_found_error", Some("model_not_found")),
        ErrorKind::RateLimited => ("rate_limit_error", Some("rate_limit_exceeded")),
        ErrorKind::QuotaExceeded => ("insufficient_quota", Some("insufficient_quota")),
        ErrorKind::Overloaded => ("service_unavailable", None),
        _ => ("server_error", None),
    }
}

fn status(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::ContextOverflow
        | ErrorKind::Filtered => 400,
        ErrorKind::Authentication => 401,
        ErrorKind::Permission => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::TooLarge => 413,
        ErrorKind::RateLimited | ErrorKind::QuotaExceeded => 429,
        ErrorKind::Overloaded => 503,
        ErrorKind::Timeout => 504,
        ErrorKind::Connect | ErrorKind::Tls | ErrorKind::Protocol | ErrorKind::Truncated => 502,
        _ => 500,
    }
}

fn send<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(b"data: ");
    let begin = out.len();
    serde_json::to_writer(&mut *out, value).map_err(unwritable)?;
    // Verbatim values may be written over several lines, and a frame has one. In JSON a line end is always white space.
    for byte in out.iter_mut().skip(begin).filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
    out.extend_from_slice(b"\n\n");
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "the error becomes the source")]
fn unwritable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Protocol, format!("the answer cannot be written: {error}"))
}

//! Events to wire: the server half's writing. Content blocks and calls carry an index, so what overlaps goes out as it
//! comes.

use std::collections::BTreeMap;

use interlingua_model::{
    Custom, Delta, Error, Event, Extra, Fields, Finish, FinishReason, Json, Media, MediaKind, Output,
    Reasoning, Response, Start, Text, TokenLogprob, ToolCall, ToolKind, Usage,
};

use super::{PLAN, PROTOCOL, citation, message, usage};
use crate::draft::{Draft, array, named_event};
use crate::{Mint, Writer};

/// Writes the stream of one message, or a whole one.
#[derive(Debug)]
pub(super) struct ChatWriter {
    mint: Mint,
    begun: bool,
    usage: Usage,
    parts: BTreeMap<u32, Kind>,
    contents: usize,
    calls: usize,
    citations: usize,
}

/// A part that is being written, with its index on the wire.
#[derive(Debug)]
enum Kind {
    /// Text, so far as it is needed for citations.
    Text(usize, String),
    Thinking(usize),
    Plan,
    Call(usize),
    /// A call with free text, which goes out as the one text of an object.
    FreeCall(usize),
    /// A block that goes out whole at its end.
    Whole(Box<Custom>),
    /// What has no place here.
    Nothing,
}

/// What stands before and after free text, so that both are an object.
const FREE_BEGIN: &str = "{\"input\":\"";
const FREE_END: &str = "\"}";

impl ChatWriter {
    pub(super) fn new(mint: Mint) -> Self {
        Self {
            mint,
            begun: false,
            usage: Usage::default(),
            parts: BTreeMap::new(),
            contents: 0,
            calls: 0,
            citations: 0,
        }
    }
}

impl Writer for ChatWriter {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        match event {
            Event::Start(start) => self.begin(start, out),
            Event::Open { at, part } => self.open(*at, part, out),
            Event::Delta { at, delta } => self.delta(*at, delta, out),
            Event::Close { at } => self.close(*at, out),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Other(custom) if custom.protocol == PROTOCOL => self.other(custom, out),
            Event::Finish(finish) => self.finish(finish, out),
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, response: &Response, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut said = message::Said::default();
        for part in &response.message.parts {
            say(&mut said, part);
        }
        for custom in response.other.iter().filter(|custom| custom.protocol == PROTOCOL) {
            if custom.kind == "citation-start" {
                said.custom(custom);
            }
        }
        let fallback = Finish::new(FinishReason::Other);
        let finish = response.finish.as_ref().unwrap_or(&fallback);
        let mut answer = Draft::default()
            .text("id", response.id.as_deref().unwrap_or(&self.mint.id))
            .text("finish_reason", &finish_reason(finish))
            .set("message", said.draft().json())
            .set("usage", usage::write(&response.usage));
        if let Some(logprobs) = all_logprobs(&response.message.parts) {
            answer = answer.set("logprobs", logprobs);
        }
        let answer = answer.extra(&response.extra, PROTOCOL).extra(&finish.extra, PROTOCOL);
        out.extend_from_slice(answer.json().as_str().as_bytes());
        Ok(())
    }

    fn fail(&mut self, error: &Error, out: &mut Vec<u8>) {
        let delta = Draft::default().text("finish_reason", "ERROR").text("error", error.message());
        self.end(&delta, out);
    }
}

impl ChatWriter {
    fn begin(&mut self, start: &Start, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let empty = || array(&[]);
        let message = Draft::default()
            .text("role", "assistant")
            .set("content", empty())
            .text(PLAN, "")
            .set("tool_calls", empty())
            .set("citations", empty());
        let event = Draft::of("message-start")
            .text("id", start.id.as_deref().unwrap_or(&self.mint.id))
            .set("delta", Draft::default().set("message", message.json()).json())
            .extra(&start.extra, PROTOCOL);
        named_event(out, "message-start", &event.json());
    }

    fn open(&mut self, at: u32, part: &Output, out: &mut Vec<u8>) {
        let kind = match part {
            Output::Text(text) => self.open_text(text, out),
            Output::Reasoning(reasoning) => self.open_reasoning(reasoning, out),
            Output::ToolCall(call) if call.run_by.is_caller() => self.open_call(call, out),
            Output::Custom(custom) if custom.protocol == PROTOCOL => Kind::Whole(Box::new(custom.clone())),
            Output::Media(media) => self.open_text(&Text::new(note(media)), out),
            _ => Kind::Nothing,
        };
        self.parts.insert(at, kind);
    }

    fn open_text(&mut self, text: &Text, out: &mut Vec<u8>) -> Kind {
        let index = self.content_start(&Draft::of("text").text("text", "").extra(&text.extra, PROTOCOL), out);
        if !text.text.is_empty() {
            content_delta(index, &Draft::default().text("text", &text.text), out);
        }
        for token in &text.logprobs {
            logprob(index, token, out);
        }
        for citation in &text.citations {
            self.citation(citation::write(citation, index, &text.text), out);
        }
        Kind::Text(index, text.text.clone())
    }

    fn open_reasoning(&mut self, reasoning: &Reasoning, out: &mut Vec<u8>) -> Kind {
        if message::is_plan(reasoning) {
            plan(&reasoning.text, out);
            return Kind::Plan;
        }
        let begun = Draft::of("thinking").text("thinking", "").extra(&reasoning.extra, PROTOCOL);
        let index = self.content_start(&begun, out);
        if !reasoning.text.is_empty() {
            content_delta(index, &Draft::default().text("thinking", &reasoning.text), out);
        }
        Kind::Thinking(index)
    }

    fn open_call(&mut self, call: &ToolCall, out: &mut Vec<u8>) -> Kind {
        let index = self.calls;
        self.calls += 1;
        event("tool-call-start", index, "tool_calls", message::call_object(call, ""), out);
        if call.kind == ToolKind::Custom {
            arguments(index, FREE_BEGIN, out);
            arguments(index, &escaped(call.input.as_str()), out);
            return Kind::FreeCall(index);
        }
        arguments(index, call.input.as_str(), out);
        Kind::Call(index)
    }

    fn delta(&mut self, at: u32, delta: &Delta, out: &mut Vec<u8>) {
        let Some(kind) = self.parts.get_mut(&at) else { return };
        match (kind, delta) {
            (Kind::Text(index, said), Delta::Text(text)) => {
                said.push_str(text);
                content_delta(*index, &Draft::default().text("text", text), out);
            }
            (Kind::Text(index, _), Delta::Logprobs(tokens)) => {
                for token in tokens {
                    logprob(*index, token, out);
                }
            }
            (Kind::Text(index, said), Delta::Citation(citation)) => {
                let citation = citation::write(citation, *index, said);
                self.citation(citation, out);
            }
            (Kind::Thinking(index), Delta::Text(text)) => {
                content_delta(*index, &Draft::default().text("thinking", text), out);
            }
            (Kind::Text(index, _), Delta::Extra(extra)) => content_extra(*index, "text", extra, out),
            (Kind::Thinking(index), Delta::Extra(extra)) => content_extra(*index, "thinking", extra, out),
            (Kind::Plan, Delta::Text(text)) => plan(text, out),
            (Kind::Call(index), Delta::Input(text)) => arguments(*index, text, out),
            (Kind::FreeCall(index), Delta::Input(text)) => arguments(*index, &escaped(text), out),
            (Kind::Call(index) | Kind::FreeCall(index), Delta::Extra(extra)) => {
                call_extra(*index, extra, out);
            }
            (Kind::Whole(whole), Delta::Value(value)) => whole.clone_from(value),
            _ => {}
        }
    }

    fn close(&mut self, at: u32, out: &mut Vec<u8>) {
        match self.parts.remove(&at) {
            Some(Kind::Text(index, _) | Kind::Thinking(index)) => end("content-end", index, out),
            Some(Kind::Call(index)) => end("tool-call-end", index, out),
            Some(Kind::FreeCall(index)) => {
                arguments(index, FREE_END, out);
                end("tool-call-end", index, out);
            }
            Some(Kind::Whole(custom)) => {
                let index = self.contents;
                self.contents += 1;
                event("content-start", index, "content", custom.value, out);
                end("content-end", index, out);
            }
            Some(Kind::Plan | Kind::Nothing) | None => {}
        }
    }

    fn content_start(&mut self, content: &Draft, out: &mut Vec<u8>) -> usize {
        let index = self.contents;
        self.contents += 1;
        event("content-start", index, "content", content.json(), out);
        index
    }

    fn citation(&mut self, citation: Json, out: &mut Vec<u8>) {
        let index = self.citations;
        self.citations += 1;
        event("citation-start", index, "citations", citation, out);
        end("citation-end", index, out);
    }

    fn other(&mut self, custom: &Custom, out: &mut Vec<u8>) {
        if custom.kind == "citation-start" && !is_event(&custom.value) {
            return self.citation(custom.value.clone(), out);
        }
        named_event(out, &custom.kind, &custom.value);
    }

    fn finish(&mut self, finish: &Finish, out: &mut Vec<u8>) {
        let mut delta = Draft::default().text("finish_reason", &finish_reason(finish));
        if finish.reason == FinishReason::Filtered {
            delta = delta.text("error", "the answer was filtered");
        }
        self.end(&delta.extra(&finish.extra, PROTOCOL), out);
    }

    fn end(&self, delta: &Draft, out: &mut Vec<u8>) {
        let delta = delta.clone().set("usage", usage::write(&self.usage));
        let event = Draft::of("message-end").set("delta", delta.json());
        named_event(out, "message-end", &event.json());
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

/// One event that adds a value to a field of the message.
fn event(kind: &str, index: usize, field: &str, value: Json, out: &mut Vec<u8>) {
    let message = Draft::default().set(field, value);
    let delta = Draft::default().set("message", message.json());
    let event = Draft::of(kind).figure("index", index).set("delta", delta.json());
    named_event(out, kind, &event.json());
}

fn end(kind: &str, index: usize, out: &mut Vec<u8>) {
    named_event(out, kind, &Draft::of(kind).figure("index", index).json());
}

fn plan(text: &str, out: &mut Vec<u8>) {
    if text.is_empty() {
        return;
    }
    let message = Draft::default().text(PLAN, text);
    let delta = Draft::default().set("message", message.json());
    named_event(out, "tool-plan-delta", &Draft::of("tool-plan-delta").set("delta", delta.json()).json());
}

fn content_delta(index: usize, content: &Draft, out: &mut Vec<u8>) {
    event("content-delta", index, "content", content.json(), out);
}

fn content_extra(index: usize, field: &str, extra: &Extra, out: &mut Vec<u8>) {
    if extra.fields(PROTOCOL).is_some() {
        content_delta(index, &Draft::default().text(field, "").extra(extra, PROTOCOL), out);
    }
}

fn call_extra(index: usize, extra: &Extra, out: &mut Vec<u8>) {
    let fields = Draft::default().fields(extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter));
    if !fields.is_empty() {
        event("tool-call-delta", index, "tool_calls", fields.json(), out);
    }
}

fn arguments(index: usize, text: &str, out: &mut Vec<u8>) {
    if text.is_empty() {
        return;
    }
    let function = Draft::default().text("arguments", text);
    event(
        "tool-call-delta",
        index,
        "tool_calls",
        Draft::default().set("function", function.json()).json(),
        out,
    );
}

fn logprob(index: usize, token: &TokenLogprob, out: &mut Vec<u8>) {
    let content = Draft::default().text("text", "");
    let message = Draft::default().set("content", content.json());
    let event = Draft::of("content-delta")
        .figure("index", index)
        .set("delta", Draft::default().set("message", message.json()).json())
        .set("logprobs", write_logprob(token));
    named_event(out, "content-delta", &event.json());
}

fn write_logprob(token: &TokenLogprob) -> Json {
    let mut written = Draft::default().text("text", &token.chosen.token).set("token_ids", array(&[]));
    written.put("logprobs", &[token.chosen.logprob]);
    written.json()
}

/// The probabilities of an answer that is one text.
fn all_logprobs(parts: &[Output]) -> Option<Json> {
    let [Output::Text(text)] = parts else { return None };
    let tokens: Vec<Json> = text.logprobs.iter().map(write_logprob).collect();
    (!tokens.is_empty()).then(|| array(&tokens))
}

/// A part of a whole answer. What the protocol cannot say is a note in words, so that it is not silent.
fn say(said: &mut message::Said, part: &Output) {
    match part {
        Output::Text(text) => said.text(text),
        Output::Reasoning(reasoning) => said.reasoning(reasoning),
        Output::ToolCall(call) if call.run_by.is_caller() => said.call(call),
        Output::Custom(custom) if custom.protocol == PROTOCOL => said.custom(custom),
        Output::Media(media) => said.text(&Text::new(note(media))),
        _ => true,
    };
}

fn note(media: &Media) -> String {
    let what = match media.kind() {
        MediaKind::Image => "image",
        MediaKind::Audio => "sound",
        MediaKind::Video => "video",
        _ => "document",
    };
    let words = media.transcript.as_deref().map_or_else(String::new, |text| format!(": {text}"));
    format!("[the model made a {what} of type {}, which this protocol cannot carry{words}]", media.mime)
}

/// The provider's own word where it is one of this protocol, else the nearest.
fn finish_reason(finish: &Finish) -> String {
    const WORDS: [&str; 6] = ["COMPLETE", "STOP_SEQUENCE", "MAX_TOKENS", "TOOL_CALL", "ERROR", "TIMEOUT"];
    // A word that nobody knows yet is better than one that means something else.
    let is_own = |word: &&String| WORDS.contains(&word.as_str()) || finish.reason == FinishReason::Other;
    if let Some(word) = finish.raw.as_ref().filter(is_own) {
        return word.clone();
    }
    let word = match finish.reason {
        FinishReason::Stop if finish.stop_sequence.is_some() => "STOP_SEQUENCE",
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::ToolUse => "TOOL_CALL",
        FinishReason::Filtered => "ERROR",
        _ => "COMPLETE",
    };
    word.to_owned()
}

/// A piece of text as it stands inside a JSON string.
fn escaped(piece: &str) -> String {
    let quoted = Json::string(piece);
    let inside = quoted.as_str().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or_default().to_owned()
}

fn is_event(value: &Json) -> bool {
    crate::Object::parse(value.as_str()).is_ok_and(|object| object.get("delta").is_some())
}

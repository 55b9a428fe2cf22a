//! Wire to events.

use std::borrow::Cow;

use interlingua_model::{
    Custom, Delta, Error, ErrorKind, Extra, Fields, Finish, FinishReason, Json, Output, Reasoning, Start,
    Text, Warning,
};
use serde_json::value::RawValue;

use super::types::{BlockDelta, StreamEvent};
use super::usage::Counts;
use super::{PROTOCOL, block, complaint};
use crate::frame::Frame;
use crate::object::{self, string};
use crate::places::Places;
use crate::{Object, Parts, Reader, Varying};

/// Reads the stream of one message, or a whole one.
#[derive(Debug, Default)]
pub(super) struct MessageReader {
    /// The blocks that are open, by their index on the wire.
    blocks: Places<Open>,
    counts: Counts,
    finish: Option<Finish>,
    /// What the end of the answer says and only this protocol knows.
    last_words: Extra,
    /// The field of the delta that the last frame brought to a known block, if the next may repeat it.
    again: Option<&'static str>,
}

/// A block that has begun.
#[derive(Debug)]
struct Open {
    at: u32,
    /// Input that came with the beginning; it counts when no deltas follow.
    input: Option<Json>,
    /// A block that is not known, with what its deltas have brought.
    unknown: Option<(Custom, Fields)>,
}

impl Reader for MessageReader {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        self.again = None;
        if frame.data == b"[DONE]" {
            return Ok(());
        }
        let event = match object::read::<StreamEvent<'_>>(frame.data) {
            Ok(event) => event,
            Err(error) => return unshaped(frame, error, out),
        };
        match &*event.kind.0 {
            "content_block_delta" => self.block_delta(&event, frame, out),
            "content_block_start" => self.block_start(&event, out),
            "content_block_stop" => self.block_stop(event.index, out),
            "message_start" => self.message_start(event.message, out)?,
            "message_delta" => self.message_delta(frame, out)?,
            "message_stop" => {
                // A cloud counts here what it has served.
                if let Ok(mut event) = Object::from_slice(frame.data) {
                    event.take_raw("type");
                    self.keep(&event);
                }
                self.message_stop(out);
            }
            "ping" => {}
            "error" => return Err(complaint::in_frame(frame.data)),
            "" => return untyped(frame, out),
            kind => out.other(Custom::new(PROTOCOL, kind, text_of(frame))),
        }
        Ok(())
    }

    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error> {
        let message = Object::from_slice(body).map_err(malformed)?;
        if complaint::is_envelope(&message) {
            return Err(complaint::in_frame(body));
        }
        if message.get("content").is_none() {
            return Err(Error::new(ErrorKind::Protocol, "the answer is no message: it has no `content`"));
        }
        self.message(&message, out)?;
        self.message_stop(out);
        Ok(())
    }

    fn end(&mut self, _out: &mut Parts) -> Result<(), Error> {
        // Only `message_stop` ends a stream; without it the answer was cut, whatever came before.
        Ok(())
    }

    fn varying(&self) -> Option<Varying> {
        self.again.map(|field| Varying::new(field, &["p", "obfuscation"]))
    }
}

impl MessageReader {
    /// A second start occurs where the provider went on with its own tools; it goes on with the same message.
    fn message_start(&mut self, message: Option<&RawValue>, out: &mut Parts) -> Result<(), Error> {
        let message =
            message.ok_or_else(|| Error::new(ErrorKind::Protocol, "`message_start` without a message"))?;
        self.message(&Object::parse(message.get()).map_err(malformed)?, out)
    }

    /// A message as it stands at the beginning of a stream, or as a whole.
    fn message(&mut self, message: &Object<'_>, out: &mut Parts) -> Result<(), Error> {
        let mut start = Start::default();
        let (mut usage, mut content) = (None, Vec::new());
        let (mut reason, mut stop_sequence) = (None, None);
        let text = |value| string(value).map(Cow::into_owned);
        for (name, value) in message.iter() {
            match name {
                "id" => start.id = text(value),
                "model" => start.model = text(value),
                "usage" => usage = Some(value),
                "content" => content = blocks(value)?,
                "stop_reason" => reason = text(value),
                "stop_sequence" => stop_sequence = text(value),
                "type" | "role" => {}
                _ if value.get() == "null" => {}
                // A stream tells these at its end.
                "stop_details" | "container" | "context_management" => {
                    self.last_words.set(PROTOCOL, name, Json::from(value));
                }
                _ => start.extra.set(PROTOCOL, name, Json::from(value)),
            }
        }
        self.stopped(reason, stop_sequence);
        out.start(start);
        for raw in content {
            out.whole(block::output(raw));
        }
        if let Some(usage) = usage {
            out.usage(self.counts.update(usage));
        }
        Ok(())
    }

    fn stopped(&mut self, reason: Option<String>, stop_sequence: Option<String>) {
        let Some(word) = reason else { return };
        let mut finish = Finish::new(reason_of(&word)).with_raw(word);
        finish.stop_sequence = stop_sequence;
        self.finish = Some(finish);
    }

    fn block_start(&mut self, event: &StreamEvent<'_>, out: &mut Parts) {
        let (Some(index), Some(raw)) = (event.index, event.content_block) else {
            return out
                .warning(Warning::dropped("events", "a block began without an index or without a block"));
        };
        let mut part = block::output(raw);
        let mut open = Open { at: 0, input: None, unknown: None };
        match &mut part {
            Output::ToolCall(call) => {
                let input = std::mem::replace(&mut call.input, Json::from_text(""));
                open.input = Some(input).filter(|input| !block::is_empty(input));
            }
            Output::Custom(custom) => open.unknown = Some((custom.clone(), Fields::default())),
            _ => {}
        }
        self.block_stop(Some(index), out);
        open.at = out.open(part);
        self.blocks.insert(index, open);
    }

    fn block_delta(&mut self, event: &StreamEvent<'_>, frame: &Frame<'_>, out: &mut Parts) {
        let (Some(index), Some(delta)) = (event.index, &event.delta) else {
            return out.other(Custom::new(PROTOCOL, "content_block_delta", text_of(frame)));
        };
        if let Some(part) = unannounced(&delta.kind.0).filter(|_| !self.blocks.contains(index)) {
            self.blocks.insert(index, Open { at: out.open(part), input: None, unknown: None });
        }
        let Some(open) = self.blocks.get_mut(index) else {
            return out.other(Custom::new(PROTOCOL, "content_block_delta", text_of(frame)));
        };
        match delta {
            BlockDelta { text: Some(text), .. } if &*delta.kind.0 == "text_delta" => {
                self.again = Some("text");
                out.text(open.at, &*text.0);
            }
            BlockDelta { partial_json: Some(json), .. } if &*delta.kind.0 == "input_json_delta" => {
                if !json.0.is_empty() {
                    open.input = None;
                    self.again = Some("partial_json");
                    out.input(open.at, &*json.0);
                }
            }
            BlockDelta { thinking: Some(text), .. } if &*delta.kind.0 == "thinking_delta" => {
                self.again = Some("thinking");
                out.text(open.at, &*text.0);
            }
            BlockDelta { signature: Some(signature), .. } if &*delta.kind.0 == "signature_delta" => {
                if !signature.0.is_empty() {
                    let extra = Extra::of(PROTOCOL, "signature", Json::string(&signature.0));
                    out.delta(open.at, Delta::extra(extra));
                }
            }
            BlockDelta { citation: Some(raw), .. } if &*delta.kind.0 == "citations_delta" => {
                cite(open.at, raw, out);
            }
            _ => open.unknown_delta(&delta.kind.0, frame, out),
        }
    }

    fn block_stop(&mut self, index: Option<u64>, out: &mut Parts) {
        let Some(mut open) = index.and_then(|index| self.blocks.remove(index)) else { return };
        open.close(out);
    }

    /// The figures of the last one count; a stop reason once given stays.
    fn message_delta(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        let mut event = Object::from_slice(frame.data).map_err(malformed)?;
        event.take_raw("type");
        if let Some(usage) = event.take_raw("usage").filter(|usage| usage.get() != "null") {
            out.usage(self.counts.update(usage));
        }
        let delta: Option<Object<'_>> = event.take("delta").map_err(as_protocol)?;
        if let Some(mut delta) = delta {
            let reason = delta.take("stop_reason").map_err(as_protocol)?;
            self.stopped(reason, delta.take("stop_sequence").unwrap_or(None));
            self.keep(&delta);
        }
        self.keep(&event);
        Ok(())
    }

    fn keep(&mut self, object: &Object<'_>) {
        for (name, value) in object.iter().filter(|(_, value)| value.get() != "null") {
            self.last_words.set(PROTOCOL, name, Json::from(value));
        }
    }

    fn message_stop(&mut self, out: &mut Parts) {
        self.blocks.drain(|open| open.close(out));
        let mut finish = self.finish.take().unwrap_or_else(|| Finish::new(FinishReason::Other));
        finish.extra.merge(&std::mem::take(&mut self.last_words));
        out.finish(finish);
    }
}

impl Open {
    /// A delta of a kind that is not known. What it brings to a block that is not known either is put into that block.
    fn unknown_delta(&mut self, kind: &str, frame: &Frame<'_>, out: &mut Parts) {
        if let Some((_, fields)) = &mut self.unknown {
            gather(fields, frame);
        }
        let event = Object::from_slice(frame.data).ok();
        let value = event.and_then(|event| event.get("delta")).map_or_else(|| text_of(frame), Json::from);
        out.delta(self.at, Delta::Progress(Box::new(Custom::new(PROTOCOL, kind, value))));
    }

    fn close(&mut self, out: &mut Parts) {
        if let Some(input) = self.input.take() {
            out.input(self.at, input.as_str());
        }
        if let Some((custom, fields)) = self.unknown.take().filter(|(_, fields)| !fields.is_empty()) {
            out.delta(self.at, Delta::Value(Box::new(completed(custom, &fields))));
        }
        out.close(self.at);
    }
}

/// Adds the fields of a delta: text grows, everything else is replaced.
fn gather(fields: &mut Fields, frame: &Frame<'_>) {
    let Ok(event) = Object::from_slice(frame.data) else { return };
    let Some(delta) = event.peek::<Object<'_>>("delta") else { return };
    for (name, value) in delta.iter().filter(|(name, value)| *name != "type" && value.get() != "null") {
        let text = |json: &Json| serde_json::from_str::<String>(json.as_str()).ok();
        let newer = Json::from(value);
        let grown =
            fields.get(name).and_then(text).zip(text(&newer)).map(|(old, new)| Json::string(&(old + &new)));
        fields.set(name, grown.unwrap_or(newer));
    }
}

fn completed(custom: Custom, fields: &Fields) -> Custom {
    let Ok(block) = Object::parse(custom.value.as_str()) else { return custom };
    let mut whole = Fields::default();
    for (name, value) in block.iter() {
        whole.set(name, Json::from(value));
    }
    for (name, value) in fields.iter() {
        whole.set(name, value.clone());
    }
    Custom::new(PROTOCOL, &*custom.kind, block::json(&whole))
}

/// The block that some servers forget to begin before they add to it.
fn unannounced(delta: &str) -> Option<Output> {
    match delta {
        "text_delta" => Some(Output::Text(Text::default())),
        "thinking_delta" => Some(Output::Reasoning(Reasoning::default())),
        _ => None,
    }
}

/// A frame that has not the shape of the known events: an event that is not known, or damage.
fn unshaped(frame: &Frame<'_>, error: serde_json::Error, out: &mut Parts) -> Result<(), Error> {
    let Ok(event) = Object::from_slice(frame.data) else { return Err(malformed(error)) };
    match event.peek::<String>("type") {
        Some(kind) if kind == "error" => Err(complaint::in_frame(frame.data)),
        Some(kind) if !kind.starts_with("message_") && !kind.starts_with("content_block_") => {
            out.other(Custom::new(PROTOCOL, kind, text_of(frame)));
            Ok(())
        }
        _ => Err(malformed(error)),
    }
}

/// A frame without a type: an error envelope of a proxy, or nothing known.
fn untyped(frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
    let object = Object::from_slice(frame.data).map_err(malformed)?;
    if complaint::is_envelope(&object) {
        return Err(complaint::in_frame(frame.data));
    }
    out.other(Custom::new(PROTOCOL, "", text_of(frame)));
    Ok(())
}

/// The blocks of a message.
fn blocks(content: &RawValue) -> Result<Vec<&RawValue>, Error> {
    let blocks: Option<Vec<&RawValue>> = serde_json::from_str(content.get()).map_err(malformed)?;
    Ok(blocks.unwrap_or_default())
}

fn cite(at: u32, raw: &RawValue, out: &mut Parts) {
    match block::citation(raw) {
        Some(citation) => out.delta(at, Delta::Citation(Box::new(citation))),
        None => out.delta(at, Delta::Progress(Box::new(Custom::new(PROTOCOL, "citation", Json::from(raw))))),
    }
}

/// The reasons of the protocol; compatible services add words of their own.
fn reason_of(word: &str) -> FinishReason {
    match word {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolUse,
        // After a compaction, too, the conversation is sent again with this message.
        "pause_turn" | "compaction" => FinishReason::Paused,
        "refusal" => FinishReason::Refused,
        "sensitive" | "content_filtered" => FinishReason::Filtered,
        _ => FinishReason::Other,
    }
}

fn text_of(frame: &Frame<'_>) -> Json {
    Json::from_text(&*String::from_utf8_lossy(frame.data))
}

fn malformed(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Protocol, format!("the answer is not the JSON of this protocol: {error}"))
        .with_source(error)
}

fn as_protocol(error: Error) -> Error {
    Error::new(ErrorKind::Protocol, error.message().to_owned()).with_source(error)
}

//! Events to wire: the server half's writing.
//!
//! Clients want blocks one after another with indexes that have no gaps. So what arrives for a later block waits until
//! the earlier one has ended.

use std::collections::VecDeque;

use interlingua_model::{
    Content, Delta, Error, Event, Fields, Finish, FinishReason, Fold, Json, Media, MediaKind, Output,
    Reasoning, Response, Source, Text, ToolCall, ToolKind, ToolResult, Usage,
};

use super::node::{Node, array};
use super::{PROTOCOL, block, citation, media, usage};
use crate::frame::{Value, write_message};
use crate::{Writer, exception};

/// Writes the stream of one message, or a whole one.
#[derive(Debug, Default)]
pub(super) struct MessageWriter {
    begun: bool,
    /// What only this protocol says at the beginning.
    start: Node,
    usage: Usage,
    index: u64,
    current: Option<Current>,
    waiting: VecDeque<(u32, Vec<Event>)>,
}

/// The block that is being written.
#[derive(Debug)]
struct Current {
    at: u32,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Text,
    /// Reasoning; its seal goes out at its end. It has said something or not.
    Reasoning {
        seal: Option<Json>,
        spoke: bool,
    },
    Call,
    /// A call with free text, which goes out as the one text of an object.
    FreeCall,
    /// A block that goes out whole at its end.
    Whole(Box<Fold>),
}

impl Writer for MessageWriter {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        match event {
            Event::Start(start) => self.start.add(start.extra.fields(PROTOCOL)),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Open { at, .. } | Event::Delta { at, .. } | Event::Close { at } => {
                return self.part(*at, event, out);
            }
            Event::Other(custom) if custom.protocol == PROTOCOL && !custom.kind.is_empty() => {
                self.begin(out)?;
                return frame(&custom.kind, &custom.value, out);
            }
            Event::Finish(finish) => return self.finish(finish, out),
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, response: &Response, out: &mut Vec<u8>) -> Result<(), Error> {
        let blocks: Vec<Json> = response.message.parts.iter().filter_map(whole_block).collect();
        let message = Node::default().text("role", "assistant").set("content", array(&blocks));
        let mut answer = Node::of("output", Node::of("message", message.json()).json());
        let fallback = Finish::new(FinishReason::Other);
        let finish = response.finish.as_ref().unwrap_or(&fallback);
        answer = answer.text("stopReason", &stop_reason(finish)).set("usage", usage::write(&response.usage));
        answer = answer.set("metrics", Json::from_text(NO_METRICS)).extra(&finish.extra);
        out.extend_from_slice(answer.json().as_str().as_bytes());
        Ok(())
    }

    fn fail(&mut self, error: &Error, out: &mut Vec<u8>) {
        exception::write(error, out);
    }
}

/// The protocol wants a latency, which is not ours to measure.
const NO_METRICS: &str = r#"{"latencyMs":0}"#;

impl MessageWriter {
    /// Writes the first event, once.
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let start = std::mem::take(&mut self.start);
        frame("messageStart", &start.text("role", "assistant").json(), out)
    }

    fn part(&mut self, at: u32, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        self.begin(out)?;
        match &self.current {
            Some(current) if current.at != at => {
                match self.waiting.iter_mut().find(|(waiting, _)| *waiting == at) {
                    Some((_, events)) => events.push(event.clone()),
                    None => self.waiting.push_back((at, vec![event.clone()])),
                }
                Ok(())
            }
            _ => self.now(event, out),
        }
    }

    fn now(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        match event {
            Event::Open { at, part } => self.open(*at, part, event, out),
            Event::Delta { delta, .. } => self.delta(delta, event, out),
            Event::Close { .. } => self.close(event, out),
            _ => Ok(()),
        }
    }

    fn open(&mut self, at: u32, part: &Output, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        let kind = match part {
            Output::Text(text) => self.open_text(text, out)?,
            Output::Reasoning(reasoning) if !is_redacted(reasoning) => self.open_reasoning(reasoning, out)?,
            Output::ToolCall(call) if block::is_own_call(call) => self.open_call(call, out)?,
            _ => {
                let mut fold = Fold::new();
                fold.push(&renumbered(event));
                Kind::Whole(Box::new(fold))
            }
        };
        self.current = Some(Current { at, kind });
        Ok(())
    }

    fn open_text(&self, text: &Text, out: &mut Vec<u8>) -> Result<Kind, Error> {
        // What stands beside a text goes where the text would begin, if texts began.
        if text.extra.fields(PROTOCOL).is_some_and(|fields| !fields.is_empty()) {
            let empty = Node::default().text("text", "").extra(&text.extra);
            self.block_start(&empty.json(), out)?;
        }
        if !text.text.is_empty() {
            self.block_delta("text", &Json::string(&text.text), out)?;
        }
        for citation in text.citations.iter().filter(|citation| citation::is_own(citation)) {
            self.block_delta("citation", &citation::write(citation), out)?;
        }
        Ok(Kind::Text)
    }

    fn open_reasoning(&self, reasoning: &Reasoning, out: &mut Vec<u8>) -> Result<Kind, Error> {
        let spoke = !reasoning.text.is_empty();
        if spoke {
            self.reasoning_text(&reasoning.text, out)?;
        }
        Ok(Kind::Reasoning { seal: reasoning.extra.get(PROTOCOL, "signature").cloned(), spoke })
    }

    fn reasoning_text(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        self.block_delta("reasoningContent", &Node::default().text("text", text).json(), out)
    }

    fn open_call(&self, call: &ToolCall, out: &mut Vec<u8>) -> Result<Kind, Error> {
        let begun = Node::default().text("toolUseId", &call.id).text("name", &call.name).extra(&call.extra);
        self.block_start(&Node::of("toolUse", begun.json()).json(), out)?;
        if call.kind == ToolKind::Custom {
            self.input(FREE_BEGIN, out)?;
            self.input(&escaped(call.input.as_str()), out)?;
            return Ok(Kind::FreeCall);
        }
        self.input(call.input.as_str(), out)?;
        Ok(Kind::Call)
    }

    /// A piece of a call's input; nothing is no piece.
    fn input(&self, piece: &str, out: &mut Vec<u8>) -> Result<(), Error> {
        if piece.is_empty() {
            return Ok(());
        }
        self.block_delta("toolUse", &Node::default().text("input", piece).json(), out)
    }

    fn delta(&mut self, delta: &Delta, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(mut current) = self.current.take() else { return Ok(()) };
        let outcome = match (&mut current.kind, delta) {
            (Kind::Whole(fold), _) => {
                fold.push(&renumbered(event));
                Ok(())
            }
            (Kind::Text, Delta::Text(text)) => self.block_delta("text", &Json::string(text), out),
            (Kind::Reasoning { spoke, .. }, Delta::Text(text)) => {
                *spoke = true;
                self.reasoning_text(text, out)
            }
            (Kind::Call, Delta::Input(text)) => self.input(text, out),
            (Kind::FreeCall, Delta::Input(text)) => self.input(&escaped(text), out),
            (Kind::Text, Delta::Citation(citation)) if citation::is_own(citation) => {
                self.block_delta("citation", &citation::write(citation), out)
            }
            (Kind::Reasoning { seal, .. }, Delta::Extra(extra)) => {
                *seal = extra.get(PROTOCOL, "signature").cloned().or(seal.take());
                Ok(())
            }
            (Kind::Text, Delta::Progress(custom)) if block::is_known(custom) && custom.kind == "citation" => {
                self.block_delta("citation", &custom.value, out)
            }
            _ => Ok(()),
        };
        self.current = Some(current);
        outcome
    }

    fn close(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(current) = self.current.take() else { return Ok(()) };
        match current.kind {
            Kind::Text | Kind::Call => self.block_stop(out)?,
            Kind::FreeCall => {
                self.input(FREE_END, out)?;
                self.block_stop(out)?;
            }
            Kind::Reasoning { seal, spoke } => {
                if !spoke {
                    self.reasoning_text("", out)?;
                }
                if let Some(signature) = seal {
                    self.block_delta("reasoningContent", &Node::of("signature", signature).json(), out)?;
                }
                self.block_stop(out)?;
            }
            Kind::Whole(mut fold) => {
                fold.push(&renumbered(event));
                for part in &fold.message().parts {
                    self.whole_part(part, out)?;
                }
            }
        }
        self.next(out)
    }

    /// Writes a part that is whole.
    fn whole_part(&mut self, part: &Output, out: &mut Vec<u8>) -> Result<(), Error> {
        match part {
            Output::ToolResult(result) => {
                if result.extra.get(PROTOCOL, "type").is_none() {
                    return Ok(());
                }
                let begun = Node::default().text("toolUseId", &result.call);
                let begun = begun.text("status", if result.is_error { "error" } else { "success" });
                self.block_start(&Node::of("toolResult", begun.extra(&result.extra).json()).json(), out)?;
                self.block_delta("toolResult", &array(&contents(result)), out)?;
            }
            Output::Reasoning(reasoning) => {
                let redacted = Node::default().extra(&reasoning.extra);
                self.block_delta("reasoningContent", &redacted.json(), out)?;
            }
            Output::Media(found) if media::write(found, None).is_err() => {
                self.block_delta("text", &Json::string(&note(found)), out)?;
            }
            Output::Media(found) if media::image_format(found).is_some() => self.image(found, out)?,
            part => match whole_block(part) {
                Some(block) => self.block_start(&block, out)?,
                None => return Ok(()),
            },
        }
        self.block_stop(out)
    }

    fn image(&self, image: &Media, out: &mut Vec<u8>) -> Result<(), Error> {
        let format = Node::default().text("format", media::image_format(image).unwrap_or_default());
        self.block_start(&Node::of("image", format.extra(&image.extra).json()).json(), out)?;
        let Some(source) = media::write_source(&image.source) else { return Ok(()) };
        self.block_delta("image", &Node::of("source", source).json(), out)
    }

    /// Writes what has waited for the block that has ended.
    fn next(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some((at, events)) = self.waiting.pop_front() else { return Ok(()) };
        events.iter().try_for_each(|event| self.part(at, event, out))
    }

    fn finish(&mut self, finish: &Finish, out: &mut Vec<u8>) -> Result<(), Error> {
        self.begin(out)?;
        let mut stop = Node::default().text("stopReason", &stop_reason(finish));
        let mut metadata = Node::default()
            .set("usage", usage::write(&self.usage))
            .set("metrics", Json::from_text(NO_METRICS));
        for (name, value) in finish.extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter) {
            // The one thing that is said before the figures.
            if name == "additionalModelResponseFields" {
                stop.put(name, value.clone());
            } else {
                metadata.put(name, value.clone());
            }
        }
        frame("messageStop", &stop.json(), out)?;
        frame("metadata", &metadata.json(), out)
    }

    fn block_start(&self, block: &Json, out: &mut Vec<u8>) -> Result<(), Error> {
        let event = Node::default().number("contentBlockIndex", self.index).set("start", block.clone());
        frame("contentBlockStart", &event.json(), out)
    }

    fn block_delta(&self, kind: &str, value: &Json, out: &mut Vec<u8>) -> Result<(), Error> {
        let delta = Node::of(kind, value.clone()).json();
        let event = Node::default().number("contentBlockIndex", self.index).set("delta", delta);
        frame("contentBlockDelta", &event.json(), out)
    }

    fn block_stop(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let event = Node::default().number("contentBlockIndex", self.index);
        self.index += 1;
        frame("contentBlockStop", &event.json(), out)
    }
}

/// What stands before and after free text, so that both are an object.
const FREE_BEGIN: &str = "{\"input\":\"";
const FREE_END: &str = "\"}";

/// A piece of text as it stands inside a JSON string.
fn escaped(piece: &str) -> String {
    let quoted = Json::string(piece);
    let inside = quoted.as_str().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or_default().to_owned()
}

/// The same event for the first part of a message of its own.
fn renumbered(event: &Event) -> Event {
    match event.clone() {
        Event::Open { part, .. } => Event::Open { at: 0, part },
        Event::Delta { delta, .. } => Event::Delta { at: 0, delta },
        Event::Close { .. } => Event::Close { at: 0 },
        other => other,
    }
}

fn is_redacted(reasoning: &Reasoning) -> bool {
    reasoning.extra.get(PROTOCOL, "redactedContent").is_some()
}

/// A block as it stands in a message. What the protocol cannot say is a note in words, so that it is not silent.
fn whole_block(part: &Output) -> Option<Json> {
    match part {
        Output::Text(text) => Some(block::write_text(text, true).unwrap_or_else(|| block::bare(text))),
        Output::Reasoning(reasoning) => Some(block::write_reasoning(reasoning)),
        Output::ToolCall(call) => block::is_own_call(call).then(|| block::write_call(call)),
        Output::ToolResult(result) => {
            result.extra.get(PROTOCOL, "type")?;
            Some(block::write_result(result, &contents(result)))
        }
        Output::Media(found) => Some(
            media::write(found, found.name.as_deref())
                .unwrap_or_else(|_| Node::default().text("text", &note(found)).json()),
        ),
        Output::Custom(custom) => block::is_known(custom).then(|| custom.value.clone()),
        _ => None,
    }
}

fn contents(result: &ToolResult) -> Vec<Json> {
    let blocks = result.content.iter().filter_map(|content| match content {
        Content::Text(text) => Some(block::bare(text)),
        Content::Media(found) => media::write(found, found.name.as_deref()).ok(),
        Content::Custom(custom) => block::is_known(custom).then(|| custom.value.clone()),
        _ => None,
    });
    blocks.collect()
}

fn note(media: &Media) -> String {
    let what = match media.kind() {
        MediaKind::Image => "image",
        MediaKind::Audio => "sound",
        MediaKind::Video => "video",
        _ => "document",
    };
    let place = match &media.source {
        Source::Url(url) => format!(" at {url}"),
        _ => String::new(),
    };
    let words = media.transcript.as_deref().map_or_else(String::new, |text| format!(": {text}"));
    let mime = &media.mime;
    format!("[the model made a {what} of type {mime}{place}, which this protocol cannot carry{words}]")
}

/// The provider's own word where it is one of this protocol, else the nearest.
fn stop_reason(finish: &Finish) -> String {
    const WORDS: [&str; 9] = [
        "end_turn",
        "tool_use",
        "max_tokens",
        "stop_sequence",
        "guardrail_intervened",
        "content_filtered",
        "malformed_model_output",
        "malformed_tool_use",
        "model_context_window_exceeded",
    ];
    // A word that nobody knows yet is better than one that means something else.
    let is_own = |word: &&String| WORDS.contains(&word.as_str()) || finish.reason == FinishReason::Other;
    if let Some(word) = finish.raw.as_ref().filter(is_own) {
        return word.clone();
    }
    let word = match finish.reason {
        FinishReason::Stop if finish.stop_sequence.is_some() => "stop_sequence",
        FinishReason::Length => "max_tokens",
        FinishReason::ToolUse => "tool_use",
        FinishReason::Filtered | FinishReason::Refused => "content_filtered",
        _ => "end_turn",
    };
    word.to_owned()
}

/// One message of the stream.
fn frame(name: &str, data: &Json, out: &mut Vec<u8>) -> Result<(), Error> {
    let headers = [
        (":event-type", Value::Text(name)),
        (":content-type", Value::Text("application/json")),
        (":message-type", Value::Text("event")),
    ];
    write_message(&headers, data.as_str().as_bytes(), out)
}

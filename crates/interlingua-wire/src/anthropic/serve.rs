//! Events to wire: the server half's writing.
//!
//! Clients want blocks one after another with indexes that have no gaps, each begun with its full skeleton, and the
//! prompt's figures in the first event. So what arrives for a later block waits until the earlier one has ended, and
//! the first event waits until something follows it.

use std::collections::VecDeque;

use interlingua_model::{
    Delta, Error, Event, Fields, Finish, FinishReason, Fold, Json, Media, MediaKind, Output, Reasoning,
    Request, Response, Start, Text, ToolCall, ToolKind, Usage,
};

use super::block::{self, Block, array};
use super::{PROTOCOL, complaint, usage};
use crate::{Mint, Writer};

/// Writes the stream of one message, or a whole one.
#[derive(Debug)]
pub(super) struct MessageWriter {
    mint: Mint,
    model: String,
    start: Option<Start>,
    begun: bool,
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
    /// Text, or a note in place of what an assistant cannot say here.
    Text,
    /// Reasoning; its seal goes out at its end.
    Reasoning(Option<Json>),
    Call,
    /// A call with free text, which goes out as the one text of an object.
    FreeCall,
    /// A block that goes out whole at its end.
    Whole(Box<Fold>),
}

impl MessageWriter {
    pub(super) fn new(asked: &Request, mint: Mint) -> Self {
        Self {
            mint,
            model: asked.model.clone(),
            start: None,
            begun: false,
            usage: Usage::default(),
            index: 0,
            current: None,
            waiting: VecDeque::new(),
        }
    }
}

impl Writer for MessageWriter {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        match event {
            Event::Start(start) => self.start = Some((**start).clone()),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Open { at, .. } | Event::Delta { at, .. } | Event::Close { at } => {
                self.part(*at, event, out);
            }
            Event::Other(custom) if custom.protocol == PROTOCOL => {
                self.begin(out);
                frame(out, &custom.kind, &custom.value);
            }
            Event::Finish(finish) => self.finish(finish, out),
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, response: &Response, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut start = Start::new(response.id.clone(), response.model.clone());
        start.extra = response.extra.clone();
        let blocks: Vec<Json> = response.message.parts.iter().filter_map(whole_block).collect();
        let mut message = self.message(&start, &blocks);
        let fallback = Finish::new(FinishReason::Other);
        for (name, value) in ending(response.finish.as_ref().unwrap_or(&fallback)).iter() {
            message = message.set(name, value.clone());
        }
        out.extend_from_slice(message.set("usage", usage::write(&response.usage)).json().as_str().as_bytes());
        Ok(())
    }

    fn fail(&mut self, error: &Error, out: &mut Vec<u8>) {
        frame(out, "error", &Json::from_text(complaint::write(error)));
    }
}

impl MessageWriter {
    fn message(&self, start: &Start, content: &[Json]) -> Block {
        let id = start.id.clone().unwrap_or_else(|| format!("msg_{}", self.mint.id));
        let model = start.model.as_deref().unwrap_or(&self.model);
        Block::default()
            .text("id", &id)
            .text("type", "message")
            .text("role", "assistant")
            .text("model", model)
            .set("content", array(content))
            .set("stop_reason", null())
            .set("stop_sequence", null())
            .extra(&start.extra)
    }

    /// Writes the first event, once.
    fn begin(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let start = self.start.take().unwrap_or_default();
        let message = self.message(&start, &[]).set("usage", usage::write(&self.usage)).json();
        frame(out, "message_start", &Block::new("message_start").set("message", message).json());
    }

    fn part(&mut self, at: u32, event: &Event, out: &mut Vec<u8>) {
        self.begin(out);
        match &self.current {
            None => self.now(event, out),
            Some(current) if current.at == at => self.now(event, out),
            Some(_) => match self.waiting.iter_mut().find(|(waiting, _)| *waiting == at) {
                Some((_, events)) => events.push(event.clone()),
                None => self.waiting.push_back((at, vec![event.clone()])),
            },
        }
    }

    fn now(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Open { at, part } => self.open(*at, part, event, out),
            Event::Delta { delta, .. } => self.delta(delta, event, out),
            Event::Close { .. } => self.close(event, out),
            _ => {}
        }
    }

    fn open(&mut self, at: u32, part: &Output, event: &Event, out: &mut Vec<u8>) {
        let kind = match part {
            Output::Text(text) => self.open_text(text, out),
            Output::Reasoning(reasoning) if reasoning.extra.get(PROTOCOL, "data").is_none() => {
                self.open_reasoning(reasoning, out)
            }
            Output::ToolCall(call)
                if call.run_by.is_caller() || call.extra.get(PROTOCOL, "type").is_some() =>
            {
                self.open_call(call, out)
            }
            _ => {
                let mut fold = Fold::new();
                fold.push(&renumbered(event));
                Kind::Whole(Box::new(fold))
            }
        };
        self.current = Some(Current { at, kind });
    }

    fn open_text(&mut self, text: &Text, out: &mut Vec<u8>) -> Kind {
        self.block_start(&Block::new("text").text("text", "").extra(&text.extra), out);
        if !text.text.is_empty() {
            self.block_delta(&Block::new("text_delta").text("text", &text.text), out);
        }
        for citation in text.citations.iter().filter(|citation| block::is_own(citation)) {
            self.block_delta(
                &Block::new("citations_delta").set("citation", block::write_citation(citation)),
                out,
            );
        }
        Kind::Text
    }

    fn open_reasoning(&mut self, reasoning: &Reasoning, out: &mut Vec<u8>) -> Kind {
        self.block_start(&Block::new("thinking").text("thinking", "").text("signature", ""), out);
        if !reasoning.text.is_empty() {
            self.block_delta(&Block::new("thinking_delta").text("thinking", &reasoning.text), out);
        }
        Kind::Reasoning(reasoning.extra.get(PROTOCOL, "signature").cloned())
    }

    fn open_call(&mut self, call: &ToolCall, out: &mut Vec<u8>) -> Kind {
        let mut begun = call.clone();
        begun.input = Json::object();
        begun.kind = ToolKind::Function;
        self.block_start(&Block::default().fields(&block::write_call(&begun)), out);
        if !call.kind.is_function() {
            self.block_delta(&input(FREE_BEGIN), out);
            if !call.input.is_blank() {
                self.block_delta(&input(&escaped(call.input.as_str())), out);
            }
            return Kind::FreeCall;
        }
        if !block::is_empty(&call.input) {
            self.block_delta(&input(call.input.as_str()), out);
        }
        Kind::Call
    }

    fn delta(&mut self, delta: &Delta, event: &Event, out: &mut Vec<u8>) {
        let Some(current) = &mut self.current else { return };
        let block = match (&mut current.kind, delta) {
            (Kind::Whole(fold), _) => return fold.push(&renumbered(event)),
            (Kind::Text, Delta::Text(text)) => Block::new("text_delta").text("text", text),
            (Kind::Reasoning(_), Delta::Text(text)) => Block::new("thinking_delta").text("thinking", text),
            (Kind::Call, Delta::Input(text)) => input(text),
            (Kind::FreeCall, Delta::Input(text)) => input(&escaped(text)),
            (_, Delta::Progress(custom)) if custom.protocol == PROTOCOL && &*custom.kind == "citation" => {
                Block::new("citations_delta").set("citation", custom.value.clone())
            }
            (_, Delta::Progress(custom)) if block::is_known(custom) && custom.value.is_object() => {
                Block::default().fields(&custom.value)
            }
            (Kind::Text, Delta::Citation(citation)) if block::is_own(citation) => {
                Block::new("citations_delta").set("citation", block::write_citation(citation))
            }
            (Kind::Reasoning(seal), Delta::Extra(extra)) => {
                if let Some(signature) = extra.get(PROTOCOL, "signature") {
                    *seal = Some(signature.clone());
                }
                return;
            }
            _ => return,
        };
        self.block_delta(&block, out);
    }

    fn close(&mut self, event: &Event, out: &mut Vec<u8>) {
        let Some(current) = self.current.take() else { return };
        match current.kind {
            Kind::Text | Kind::Call => self.block_stop(out),
            Kind::FreeCall => {
                self.block_delta(&input(FREE_END), out);
                self.block_stop(out);
            }
            Kind::Reasoning(seal) => {
                if let Some(signature) = seal {
                    self.block_delta(&Block::new("signature_delta").set("signature", signature), out);
                }
                self.block_stop(out);
            }
            Kind::Whole(mut fold) => {
                fold.push(&renumbered(event));
                for block in fold.message().parts.iter().filter_map(whole_block) {
                    self.block_start(&Block::default().fields(&block), out);
                    self.block_stop(out);
                }
            }
        }
        self.next(out);
    }

    /// Writes what has waited for the block that has ended.
    fn next(&mut self, out: &mut Vec<u8>) {
        let Some((at, events)) = self.waiting.pop_front() else { return };
        for event in &events {
            self.part(at, event, out);
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut Vec<u8>) {
        self.begin(out);
        let delta = block::json(&ending(finish));
        let event = Block::new("message_delta").set("delta", delta).set("usage", usage::write(&self.usage));
        frame(out, "message_delta", &event.json());
        frame(out, "message_stop", &Block::new("message_stop").json());
    }

    fn block_start(&self, block: &Block, out: &mut Vec<u8>) {
        let event =
            Block::new("content_block_start").set("index", self.number()).set("content_block", block.json());
        frame(out, "content_block_start", &event.json());
    }

    fn block_delta(&self, delta: &Block, out: &mut Vec<u8>) {
        let event = Block::new("content_block_delta").set("index", self.number()).set("delta", delta.json());
        frame(out, "content_block_delta", &event.json());
    }

    fn block_stop(&mut self, out: &mut Vec<u8>) {
        frame(
            out,
            "content_block_stop",
            &Block::new("content_block_stop").set("index", self.number()).json(),
        );
        self.index += 1;
    }

    fn number(&self) -> Json {
        Json::from_text(self.index.to_string())
    }
}

/// What stands before and after free text, so that both are an object.
const FREE_BEGIN: &str = "{\"input\":\"";
const FREE_END: &str = "\"}";

fn input(piece: &str) -> Block {
    Block::new("input_json_delta").text("partial_json", piece)
}

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

/// A block as it stands in a message. What the protocol cannot say is a note in words, so that it is not silent.
fn whole_block(part: &Output) -> Option<Json> {
    match part {
        Output::Text(text) => Some(block::write_text(text, text.cache, true)),
        Output::Reasoning(reasoning) => {
            Some(block::write_reasoning(reasoning).unwrap_or_else(|| block::write_unsigned(reasoning)))
        }
        Output::ToolCall(call) if call.run_by.is_caller() || call.extra.get(PROTOCOL, "type").is_some() => {
            Some(block::write_call(call))
        }
        Output::ToolResult(result) => block::write_run_result(result),
        Output::Custom(custom) if block::is_known(custom) => Some(custom.value.clone()),
        Output::Media(media) => Some(Block::new("text").text("text", &note(media)).json()),
        _ => None,
    }
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

/// How an answer ended, as fields of a message or of its last delta.
fn ending(finish: &Finish) -> Fields {
    let mut fields = Fields::default();
    fields.set("stop_reason", Json::string(&stop_reason(finish)));
    fields.set("stop_sequence", finish.stop_sequence.as_deref().map_or_else(null, Json::string));
    for (name, value) in finish.extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter) {
        fields.set(name, value.clone());
    }
    fields
}

/// The provider's own word where it is one of this protocol, else the nearest.
fn stop_reason(finish: &Finish) -> String {
    const WORDS: [&str; 9] = [
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
        "compaction",
        "sensitive",
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
        FinishReason::Filtered | FinishReason::Refused => "refusal",
        FinishReason::Paused => "pause_turn",
        _ => "end_turn",
    };
    word.to_owned()
}

fn null() -> Json {
    Json::from_text("null")
}

/// One event. Its data is one line: in JSON, line breaks stand only between tokens, where a space does as well.
fn frame(out: &mut Vec<u8>, name: &str, data: &Json) {
    let is_break = |byte: u8| matches!(byte, b'\n' | b'\r');
    out.extend_from_slice(b"event: ");
    out.extend(name.bytes().filter(|byte| !is_break(*byte)));
    out.extend_from_slice(b"\ndata: ");
    out.extend(data.as_str().bytes().map(|byte| if is_break(byte) { b' ' } else { byte }));
    out.extend_from_slice(b"\n\n");
}

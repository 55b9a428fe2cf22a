//! Wire to events.

use std::collections::BTreeMap;

use interlingua_model::{
    Custom, Delta as Growth, Error, ErrorKind, Extra, Finish, FinishReason, Json, Media, Output, Reasoning,
    Source, Start, Text, ToolResult,
};
use serde_json::value::RawValue;

use super::types::{BlockDelta, BlockEdge, Delta, ReasoningDelta};
use super::{PROTOCOL, block, citation, media, usage};
use crate::frame::Frame;
use crate::{Object, Parts, Reader, Varying, exception, object};

/// Reads the stream of one message, or a whole one.
#[derive(Debug, Default)]
pub(super) struct MessageReader {
    /// The blocks that are open, by their index on the wire.
    blocks: BTreeMap<u64, Open>,
    finish: Option<Finish>,
    /// What the end of the answer says and only this protocol knows.
    last_words: Extra,
    /// Whether the figures came, which come last.
    counted: bool,
    /// The field of the delta that the last frame brought, if the next may repeat it.
    again: Option<&'static str>,
}

/// A block that has begun.
#[derive(Debug)]
enum Open {
    Text(u32),
    /// Reasoning, and the signature so far.
    Reasoning(u32, String),
    Call(u32),
    /// The result of a tool that the provider ran, which is one part and told at its end.
    Result(Box<ToolResult>),
    /// An image whose type is known and whose bytes are not.
    Image(String),
    Media(u32),
    Other(u32),
}

impl Reader for MessageReader {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        self.again = None;
        if let Some(error) = exception::in_frame(frame) {
            return Err(error);
        }
        let name = frame.name.map(String::from_utf8_lossy).unwrap_or_default();
        match &*name {
            "contentBlockDelta" => self.block_delta(frame, out)?,
            "contentBlockStart" => self.block_start(frame, out)?,
            "contentBlockStop" => {
                let edge: BlockEdge<'_> = object::read(frame.data).map_err(malformed)?;
                self.block_stop(edge.index, out);
            }
            "messageStart" => message_start(frame, out)?,
            "messageStop" => self.message_stop(Object::from_slice(frame.data).map_err(malformed)?, out),
            "metadata" => self.metadata(Object::from_slice(frame.data).map_err(malformed)?, out),
            name => out.other(Custom::new(PROTOCOL, name, text_of(frame))),
        }
        Ok(())
    }

    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error> {
        let mut answer = Object::from_slice(body).map_err(malformed)?;
        if exception::is_envelope(&answer) {
            return Err(exception::of_body(body).reported());
        }
        let output: Option<Object<'_>> = answer.take("output").map_err(as_protocol)?;
        let message: Option<Object<'_>> = output.and_then(|output| output.peek("message"));
        let Some(message) = message else {
            return Err(Error::new(ErrorKind::Protocol, "the answer holds no `output.message`"));
        };
        out.start(Start::default());
        let content: Vec<&RawValue> = message.peek("content").unwrap_or_default();
        for raw in content {
            out.whole(block::output(raw));
        }
        let stop = answer.take_raw("stopReason");
        self.stopped(stop.and_then(|raw| serde_json::from_str(raw.get()).ok()));
        self.metadata(answer, out);
        Ok(())
    }

    fn end(&mut self, out: &mut Parts) -> Result<(), Error> {
        // The figures come last and may be missing; without a reason to stop the answer was cut.
        if self.finish.is_some() {
            self.finish(out);
        }
        Ok(())
    }

    fn varying(&self) -> Option<Varying> {
        self.again.map(|field| Varying::new(field, &["p"]))
    }
}

impl MessageReader {
    fn block_start(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        let edge: BlockEdge<'_> = object::read(frame.data).map_err(malformed)?;
        self.block_stop_if_open(edge.index, out);
        // Some servers begin a text with nothing.
        let Some((raw, (kind, inner))) = edge.start.and_then(|raw| Some((raw, block::split(raw)?))) else {
            return Ok(());
        };
        let object = Object::parse(inner.get()).ok();
        let open = match (&*kind, object) {
            ("toolUse", Some(object)) => {
                block::read_call(object).map(|call| Open::Call(out.open(Output::ToolCall(call))))
            }
            ("toolResult", Some(object)) => {
                block::read_result(object).map(|result| Open::Result(Box::new(result)))
            }
            ("image", Some(object)) if object.get("source").is_none() => {
                object.peek::<String>("format").map(Open::Image)
            }
            _ => None,
        };
        self.blocks.insert(edge.index, open.unwrap_or_else(|| begin(block::output(raw), out)));
        Ok(())
    }

    fn block_delta(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        let Ok(BlockDelta { index, delta }) = object::read(frame.data) else {
            Object::from_slice(frame.data).map_err(malformed)?;
            out.other(Custom::new(PROTOCOL, "contentBlockDelta", text_of(frame)));
            return Ok(());
        };
        match delta {
            Delta { text: Some(text), .. } => {
                self.again = Some("text");
                let at = self.text_at(index, out);
                out.text(at, &*text.0);
            }
            Delta { tool_use: Some(call), .. } => match self.blocks.get(&index) {
                Some(Open::Call(at)) if !call.input.0.is_empty() => {
                    self.again = Some("input");
                    out.input(*at, &*call.input.0);
                }
                Some(Open::Call(_)) => {}
                _ => out.other(Custom::new(PROTOCOL, "contentBlockDelta", text_of(frame))),
            },
            Delta { reasoning_content: Some(reasoning), .. } => self.reasoning(index, &reasoning, out),
            Delta { citation: Some(raw), .. } => self.cite(index, raw, out),
            Delta { tool_result: Some(blocks), .. } => match self.blocks.get_mut(&index) {
                Some(Open::Result(result)) => result.content.extend(block::contents(blocks)),
                _ => out.other(Custom::new(PROTOCOL, "contentBlockDelta", text_of(frame))),
            },
            Delta { image: Some(raw), .. } => self.image(index, raw, out),
            _ => self.unknown_delta(index, frame, out),
        }
        Ok(())
    }

    /// The text that is open at an index; one is begun where there is none, for a stream does not say so.
    fn text_at(&mut self, index: u64, out: &mut Parts) -> u32 {
        if let Some(Open::Text(at)) = self.blocks.get(&index) {
            return *at;
        }
        self.block_stop_if_open(index, out);
        let at = out.open(Output::Text(Text::default()));
        self.blocks.insert(index, Open::Text(at));
        at
    }

    fn reasoning(&mut self, index: u64, delta: &ReasoningDelta<'_>, out: &mut Parts) {
        if let Some(redacted) = &delta.redacted_content {
            self.block_stop_if_open(index, out);
            let mut reasoning = Reasoning::default();
            reasoning.extra = Extra::of(PROTOCOL, "redactedContent", Json::string(&redacted.0));
            let at = out.open(Output::Reasoning(reasoning));
            self.blocks.insert(index, Open::Other(at));
            return;
        }
        if !matches!(self.blocks.get(&index), Some(Open::Reasoning(..))) {
            self.block_stop_if_open(index, out);
            let at = out.open(Output::Reasoning(Reasoning::default()));
            self.blocks.insert(index, Open::Reasoning(at, String::new()));
        }
        let Some(Open::Reasoning(at, signature)) = self.blocks.get_mut(&index) else { return };
        if let Some(text) = &delta.text {
            self.again = Some("text").filter(|_| delta.signature.is_none());
            out.text(*at, &*text.0);
        }
        if let Some(piece) = delta.signature.as_ref().filter(|piece| !piece.0.is_empty()) {
            signature.push_str(&piece.0);
            out.delta(*at, Growth::extra(Extra::of(PROTOCOL, "signature", Json::string(signature))));
        }
    }

    fn cite(&mut self, index: u64, raw: &RawValue, out: &mut Parts) {
        let at = self.text_at(index, out);
        match citation::read(raw) {
            Some(citation) => out.delta(at, Growth::Citation(Box::new(citation))),
            None => out.delta(at, progress("citation", Json::from(raw))),
        }
    }

    /// The first bytes of an image tell where it is.
    fn image(&mut self, index: u64, raw: &RawValue, out: &mut Parts) {
        let delta = Object::parse(raw.get()).ok();
        let format = match self.blocks.get(&index) {
            Some(Open::Image(format)) => Some(format.clone()),
            _ => None,
        };
        if let Some(format) = format {
            let source = delta.as_ref().and_then(|delta| delta.get("source")).and_then(media::read_source);
            let (source, mime) = (source, media::mime_of("image", &format).unwrap_or("image/*"));
            let (source, is_plain) = source.unwrap_or((Source::Bytes(Vec::new().into()), false));
            let at = out.open(Output::Media(Media::new(mime, source)));
            self.blocks.insert(index, Open::Media(at));
            if !is_plain {
                out.delta(at, progress("image", Json::from(raw)));
            }
            return;
        }
        let source = delta.and_then(|delta| delta.get("source")).and_then(media::read_source);
        match (self.blocks.get(&index), source) {
            (Some(Open::Media(at)), Some((Source::Bytes(data), _))) => out.delta(*at, Growth::Data(data)),
            (Some(Open::Media(at)), _) => out.delta(*at, progress("image", Json::from(raw))),
            _ => out.other(Custom::new(PROTOCOL, "contentBlockDelta", Json::from(raw))),
        }
    }

    /// A delta of a kind that is not known; it begins a block where none has begun.
    fn unknown_delta(&mut self, index: u64, frame: &Frame<'_>, out: &mut Parts) {
        let delta = Object::from_slice(frame.data).ok().and_then(|event| event.get("delta"));
        let Some((raw, (kind, _))) = delta.and_then(|raw| Some((raw, block::split(raw)?))) else {
            return out.other(Custom::new(PROTOCOL, "contentBlockDelta", text_of(frame)));
        };
        match self.blocks.get(&index).and_then(Open::part) {
            Some(at) => out.delta(at, progress(&kind, Json::from(raw))),
            None if self.blocks.contains_key(&index) => {
                out.other(Custom::new(PROTOCOL, "contentBlockDelta", text_of(frame)));
            }
            None => {
                let at = out.open(Output::Custom(Custom::new(PROTOCOL, kind, Json::from(raw))));
                self.blocks.insert(index, Open::Other(at));
            }
        }
    }

    /// A block that ends without having begun is an empty text.
    fn block_stop(&mut self, index: u64, out: &mut Parts) {
        if !self.blocks.contains_key(&index) {
            self.text_at(index, out);
        }
        self.block_stop_if_open(index, out);
    }

    fn block_stop_if_open(&mut self, index: u64, out: &mut Parts) {
        if let Some(open) = self.blocks.remove(&index) {
            open.close(out);
        }
    }

    fn stopped(&mut self, reason: Option<String>) {
        let word = reason.unwrap_or_default();
        let finish = Finish::new(reason_of(&word));
        self.finish = Some(if word.is_empty() { finish } else { finish.with_raw(word) });
    }

    fn message_stop(&mut self, mut event: Object<'_>, out: &mut Parts) {
        self.stopped(event.peek("stopReason"));
        event.take_raw("stopReason");
        self.keep(event);
        for open in std::mem::take(&mut self.blocks).into_values() {
            open.close(out);
        }
        if self.counted {
            self.finish(out);
        }
    }

    fn metadata(&mut self, mut event: Object<'_>, out: &mut Parts) {
        if let Some(raw) = event.take_raw("usage") {
            out.usage(usage::read(raw));
        }
        self.keep(event);
        self.counted = true;
        if self.finish.is_some() {
            self.finish(out);
        }
    }

    fn keep(&mut self, mut event: Object<'_>) {
        event.take_raw("p");
        for (name, value) in event.iter().filter(|(_, value)| value.get() != "null") {
            self.last_words.set(PROTOCOL, name, Json::from(value));
        }
    }

    fn finish(&mut self, out: &mut Parts) {
        for open in std::mem::take(&mut self.blocks).into_values() {
            open.close(out);
        }
        let mut finish = self.finish.take().unwrap_or_else(|| Finish::new(FinishReason::Other));
        finish.extra.merge(&std::mem::take(&mut self.last_words));
        out.finish(finish);
    }
}

impl Open {
    /// The part that grows.
    const fn part(&self) -> Option<u32> {
        match self {
            Self::Text(at) | Self::Reasoning(at, _) | Self::Call(at) | Self::Media(at) | Self::Other(at) => {
                Some(*at)
            }
            Self::Result(_) | Self::Image(_) => None,
        }
    }

    fn close(self, out: &mut Parts) {
        match self {
            Self::Result(result) => drop(out.whole(Output::ToolResult(*result))),
            Self::Image(format) => {
                let mime = media::mime_of("image", &format).unwrap_or("image/*");
                out.whole(Output::Media(Media::bytes(mime, Vec::new())));
            }
            open => {
                if let Some(at) = open.part() {
                    out.close(at);
                }
            }
        }
    }
}

/// A block that came whole at its beginning.
fn begin(part: Output, out: &mut Parts) -> Open {
    let open = match &part {
        Output::Text(_) => Open::Text,
        Output::ToolCall(_) => Open::Call,
        Output::Media(_) => Open::Media,
        _ => Open::Other,
    };
    open(out.open(part))
}

fn message_start(frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
    let mut event = Object::from_slice(frame.data).map_err(malformed)?;
    let mut start = Start::default();
    for name in ["role", "p"] {
        event.take_raw(name);
    }
    event.rest_into(&mut start.extra, PROTOCOL);
    out.start(start);
    Ok(())
}

fn progress(kind: &str, value: Json) -> Growth {
    Growth::Progress(Box::new(Custom::new(PROTOCOL, kind, value)))
}

fn reason_of(word: &str) -> FinishReason {
    match word {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "tool_use" => FinishReason::ToolUse,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "guardrail_intervened" | "content_filtered" => FinishReason::Filtered,
        "refusal" => FinishReason::Refused,
        "pause_turn" => FinishReason::Paused,
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

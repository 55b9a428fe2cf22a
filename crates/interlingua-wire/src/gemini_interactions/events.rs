//! Wire to events.

use std::collections::BTreeMap;

use interlingua_model::{
    Custom, Data, Delta, Error, ErrorKind, Extra, Finish, FinishReason, Json, Output, Reasoning, Source,
    Start, Text, Warning,
};
use serde_json::value::RawValue;

use super::{PROTOCOL, SIGNATURE, step, usage};
use crate::frame::Frame;
use crate::shape::{Str, shape};
use crate::tree::Tree;
use crate::{Object, Parts, Reader, Varying, object, rpc};

shape! {
    /// Every event of a stream.
    #[derive(Debug, Default)]
    struct StreamEvent<'a> {
        event_type: Str<'a>,
        index: Option<u64>,
        delta: Option<StepDelta<'a>>,
    }
}

shape! {
    /// The delta of a step, as far as it is text.
    #[derive(Debug, Default)]
    struct StepDelta<'a> {
        kind ["type"]: Str<'a>,
        text: Option<Str<'a>>,
        arguments: Option<&'a RawValue>,
    }
}

/// Reads the stream of one interaction, or a whole one.
#[derive(Debug, Default)]
pub(super) struct InteractionReader {
    /// The steps that are open, by their index on the wire.
    steps: BTreeMap<u64, Open>,
    has_calls: bool,
    /// The newest state.
    status: Option<String>,
    /// What only this protocol says of the interaction; it goes out with the end.
    last_words: Tree,
    /// The field of the delta that the last frame brought, if the next may repeat it.
    again: Option<&'static str>,
}

/// A step that has begun.
#[derive(Debug)]
enum Open {
    /// What the model puts out, and the content that grows.
    Output(Option<Growing>),
    Thought(u32),
    Call {
        at: u32,
        input: Option<Json>,
    },
    /// A step that is read whole at its end, with what its deltas have brought.
    Held(Tree),
}

/// A content that grows.
#[derive(Debug)]
enum Growing {
    Text(u32),
    Sound { at: u32, mime: String },
}

impl Reader for InteractionReader {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        self.again = None;
        if frame.data == b"[DONE]" {
            return Ok(());
        }
        let Ok(event) = object::read::<StreamEvent<'_>>(frame.data) else {
            return self.unshaped(frame, out);
        };
        match &*event.event_type.0 {
            "step.delta" | "content.delta" => self.delta(&event, frame, out),
            _ => self.event(frame, out),
        }
    }

    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error> {
        if body.trim_ascii_start().starts_with(b"[") {
            return Err(rpc::reported(body));
        }
        let interaction = Object::from_slice(body).map_err(malformed)?;
        if interaction.get("error").is_some_and(|error| error.get() != "null") {
            return Err(rpc::reported(body));
        }
        if interaction.get("steps").is_none() && interaction.get("status").is_none() {
            return Err(Error::new(ErrorKind::Protocol, "the answer is no interaction: it has no `steps`"));
        }
        self.completed(interaction, out)
    }

    fn end(&mut self, out: &mut Parts) -> Result<(), Error> {
        // Only `interaction.completed` ends a stream. What was held is told as far as it came.
        let held: Vec<u64> = self
            .steps
            .iter()
            .filter(|(_, open)| matches!(open, Open::Held(_)))
            .map(|(index, _)| *index)
            .collect();
        for index in held {
            self.stop(index, out);
        }
        Ok(())
    }

    fn varying(&self) -> Option<Varying> {
        self.again.map(|field| Varying::new(field, &["event_id"]))
    }
}

impl InteractionReader {
    fn event(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        let mut event = Object::from_slice(frame.data).map_err(malformed)?;
        if event.get("error").is_some_and(|error| error.get() != "null") {
            return Err(rpc::reported(frame.data));
        }
        let kind: String = event.peek("event_type").unwrap_or_default();
        match kind.as_str() {
            "interaction.created" | "interaction.start" => {
                self.created(event.peek("interaction").unwrap_or_default(), out);
            }
            "interaction.completed" | "interaction.complete" => {
                let interaction = event.take::<Object<'_>>("interaction").map_err(as_protocol)?;
                return self.completed(interaction.unwrap_or_default(), out);
            }
            "interaction.status_update" => self.status = event.peek("status").or(self.status.take()),
            "step.start" | "content.start" => {
                let step = event.get("step").or_else(|| event.get("content"));
                self.start(event.peek("index"), step, out);
            }
            "step.stop" | "content.stop" => {
                if let Some(index) = event.peek("index") {
                    self.stop(index, out);
                }
            }
            _ => out.other(Custom::new(PROTOCOL, kind, text_of(frame))),
        }
        Ok(())
    }

    /// A frame that has not the shape of the known events: one that is not known, or damage.
    fn unshaped(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        if frame.data.trim_ascii_start().starts_with(b"[") {
            return Err(rpc::reported(frame.data));
        }
        self.event(frame, out)
    }

    fn created(&mut self, mut interaction: Object<'_>, out: &mut Parts) {
        let model = interaction.peek("model").or_else(|| interaction.peek("agent"));
        let start = Start::new(interaction.peek("id"), model);
        self.status = interaction.peek("status").or(self.status.take());
        for (name, is_read) in
            [("id", start.id.is_some()), ("model", start.model.is_some()), ("object", true), ("status", true)]
        {
            if is_read {
                interaction.take_raw(name);
            }
        }
        interaction.take_raw("role");
        self.keep(&interaction);
        out.start(start);
    }

    /// The interaction at its end. The steps were told before, if it was streamed.
    fn completed(&mut self, mut interaction: Object<'_>, out: &mut Parts) -> Result<(), Error> {
        let steps: Vec<&RawValue> = interaction.take("steps").map_err(as_protocol)?.unwrap_or_default();
        let figures = interaction.take_raw("usage");
        self.created(interaction, out);
        for index in self.steps.keys().copied().collect::<Vec<_>>() {
            self.stop(index, out);
        }
        if out.count() == 0 {
            for raw in steps {
                self.whole(raw, out);
            }
        }
        if let Some(figures) = figures {
            out.usage(usage::read(figures));
        }
        let mut finish = Finish::new(FinishReason::Other);
        if let Some(status) = self.status.take() {
            finish.reason = reason_of(&status, self.has_calls);
            finish.raw = Some(status);
        }
        self.last_words.each(|name, value| finish.extra.set(PROTOCOL, name, value.clone()));
        out.finish(finish);
        Ok(())
    }

    fn keep(&mut self, object: &Object<'_>) {
        for (name, value) in object.iter().filter(|(_, value)| value.get() != "null") {
            self.last_words.over(name, &Json::from(value));
        }
    }

    fn start(&mut self, index: Option<u64>, raw: Option<&RawValue>, out: &mut Parts) {
        let (Some(index), Some(raw)) = (index, raw) else {
            return out
                .warning(Warning::dropped("events", "a step began without an index or without a step"));
        };
        self.stop(index, out);
        let step = Object::parse(raw.get()).unwrap_or_default();
        let open = match step::kind_of(&step).as_str() {
            "model_output" => {
                if step.get("content").is_some() {
                    self.whole(raw, out);
                }
                Open::Output(None)
            }
            // The earlier spelling begins contents and no steps.
            "text" | "image" | "audio" | "video" | "document" if step.iter().count() == 1 => {
                Open::Output(None)
            }
            "thought" => thought(raw, out),
            "function_call" => match self.call(raw, out) {
                Some(open) => open,
                None => Open::Held(Tree::read(&step)),
            },
            _ => Open::Held(Tree::read(&step)),
        };
        self.steps.insert(index, open);
    }

    fn call(&mut self, raw: &RawValue, out: &mut Parts) -> Option<Open> {
        let Some(Output::ToolCall(mut call)) = step::outputs(raw).pop() else { return None };
        self.has_calls = true;
        let input = std::mem::replace(&mut call.input, Json::from_text(""));
        let at = out.open(Output::ToolCall(call));
        Some(Open::Call { at, input: Some(input).filter(|input| !input.is_blank()) })
    }

    fn delta(&mut self, event: &StreamEvent<'_>, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        let (Some(index), Some(delta)) = (event.index, &event.delta) else { return self.event(frame, out) };
        let open = self.steps.entry(index).or_insert_with(|| Open::Output(None));
        match (open, &*delta.kind.0, &delta.text) {
            (Open::Output(Some(Growing::Text(at))), "text", Some(Str(text))) => {
                self.again = Some("text");
                out.text(*at, text.clone());
            }
            (Open::Call { at, input }, "arguments_delta", _) => {
                let piece = delta.arguments.and_then(|raw| serde_json::from_str::<Str<'_>>(raw.get()).ok());
                if let Some(Str(piece)) = piece.filter(|piece| !piece.0.is_empty()) {
                    *input = None;
                    self.again = Some("arguments");
                    out.input(*at, piece);
                }
            }
            _ => self.other_delta(index, frame, out),
        }
        if let Some(total) = metadata(frame) {
            out.usage(usage::read(total));
        }
        Ok(())
    }

    /// The deltas that come less often.
    fn other_delta(&mut self, index: u64, frame: &Frame<'_>, out: &mut Parts) {
        let event = Object::from_slice(frame.data).unwrap_or_default();
        let Some(raw) = event.get("delta") else { return };
        let delta = Object::parse(raw.get()).unwrap_or_default();
        let kind = step::kind_of(&delta);
        let Some(open) = self.steps.get_mut(&index) else { return };
        let at = match open {
            Open::Output(growing) => return output_delta(growing, &delta, &kind, raw, out),
            Open::Held(tree) => return held_delta(tree, &delta, &kind),
            Open::Thought(at) | Open::Call { at, .. } => *at,
        };
        let is_thought = matches!(self.steps.get(&index), Some(Open::Thought(_)));
        let summary = delta.peek::<Object<'_>>("content").and_then(|content| content.peek::<String>("text"));
        match (kind.as_str(), summary) {
            ("thought_signature", _) => {
                if let Some(signature) = delta.peek::<String>(SIGNATURE).filter(|seal| !seal.is_empty()) {
                    let extra = Extra::of(PROTOCOL, SIGNATURE, Json::string(&signature));
                    out.delta(at, Delta::extra(extra));
                }
            }
            ("thought_summary", Some(text)) if is_thought => out.text(at, text),
            ("text", _) if is_thought => {
                // Seen in the earlier spelling.
                out.text(at, delta.peek::<String>("text").unwrap_or_default());
            }
            _ => out.delta(at, Delta::Progress(Box::new(Custom::new(PROTOCOL, kind, Json::from(raw))))),
        }
    }

    fn stop(&mut self, index: u64, out: &mut Parts) {
        match self.steps.remove(&index) {
            Some(Open::Output(growing)) => end(growing.as_ref(), out),
            Some(Open::Thought(at)) => out.close(at),
            Some(Open::Call { at, input }) => {
                if let Some(input) = input {
                    out.input(at, input.as_str());
                }
                out.close(at);
            }
            Some(Open::Held(tree)) => {
                if let Ok(raw) = tree.json().to_raw() {
                    self.whole(&raw, out);
                }
            }
            None => {}
        }
    }

    /// A step as a whole.
    fn whole(&mut self, raw: &RawValue, out: &mut Parts) {
        let object = Object::parse(raw.get()).unwrap_or_default();
        if step::kind_of(&object) == "model_output"
            && let Some(error) = object.get("error").filter(|error| error.get() != "null")
        {
            self.last_words.over("step_error", &Json::from(error));
        }
        for mut output in step::outputs(raw) {
            let input = match &mut output {
                Output::ToolCall(call) => {
                    self.has_calls |= call.run_by.is_caller();
                    std::mem::replace(&mut call.input, Json::from_text(""))
                }
                _ => Json::from_text(""),
            };
            let at = out.open(output);
            if !input.is_blank() {
                out.input(at, input.as_str());
            }
            out.close(at);
        }
    }
}

/// Begins thoughts.
fn thought(raw: &RawValue, out: &mut Parts) -> Open {
    let mut outputs = step::outputs(raw);
    match outputs.pop() {
        Some(Output::Reasoning(mut reasoning)) => {
            let text = std::mem::take(&mut reasoning.text);
            let at = out.open(Output::Reasoning(reasoning));
            if !text.is_empty() {
                out.text(at, text);
            }
            Open::Thought(at)
        }
        _ => Open::Thought(out.open(Output::Reasoning(Reasoning::default()))),
    }
}

/// A delta of what the model puts out: text, a source of it, an image, a sound.
fn output_delta(
    growing: &mut Option<Growing>,
    delta: &Object<'_>,
    kind: &str,
    raw: &RawValue,
    out: &mut Parts,
) {
    match kind {
        "text" => {
            let at = text_at(growing, out);
            if let Some(text) = delta.peek::<String>("text").filter(|text| !text.is_empty()) {
                out.text(at, text);
            }
        }
        "text_annotation_delta" | "text_annotation" => {
            let at = text_at(growing, out);
            let annotations: Vec<&RawValue> = delta.peek("annotations").unwrap_or_default();
            for citation in annotations.into_iter().filter_map(step::citation) {
                out.delta(at, Delta::Citation(Box::new(citation)));
            }
        }
        "thought_signature" => {
            let at = text_at(growing, out);
            if let Some(signature) = delta.get(SIGNATURE) {
                out.delta(at, Delta::extra(Extra::of(PROTOCOL, SIGNATURE, Json::from(signature))));
            }
        }
        _ => media_delta(growing, raw, out),
    }
}

/// The text that grows, which is begun where there is none.
fn text_at(growing: &mut Option<Growing>, out: &mut Parts) -> u32 {
    if let Some(Growing::Text(at)) = growing {
        return *at;
    }
    end(growing.take().as_ref(), out);
    let at = out.open(Output::Text(Text::default()));
    *growing = Some(Growing::Text(at));
    at
}

fn end(growing: Option<&Growing>, out: &mut Parts) {
    if let Some(Growing::Text(at) | Growing::Sound { at, .. }) = growing {
        out.close(*at);
    }
}

/// An image, a video, a document, or a piece of a sound.
fn media_delta(growing: &mut Option<Growing>, raw: &RawValue, out: &mut Parts) {
    let output = step::output(raw);
    if let (Some(Growing::Sound { at, mime }), Output::Media(media)) = (&*growing, &output)
        && let (Source::Bytes(data), true) = (&media.source, *mime == media.mime && media.extra.is_empty())
    {
        return out.delta(*at, Delta::Data(Data::clone(data)));
    }
    end(growing.take().as_ref(), out);
    match &output {
        Output::Media(media) if media.mime.starts_with("audio/") => {
            let mime = media.mime.clone();
            let at = out.open(output);
            *growing = Some(Growing::Sound { at, mime });
        }
        _ => {
            out.whole(output);
        }
    }
}

/// A delta of a step that is read at its end: its fields are those of the step; of other deltas, texts grow.
fn held_delta(tree: &mut Tree, delta: &Object<'_>, kind: &str) {
    let is_own = tree.text_of(step::TYPE).as_deref() == Some(kind);
    for (name, value) in delta.iter().filter(|(name, value)| *name != step::TYPE && value.get() != "null") {
        let text = serde_json::from_str::<String>(value.get()).ok();
        match (tree.text_of(name), text) {
            (Some(before), Some(more)) if !is_own => tree.put(name, Json::string(&(before + &more))),
            _ => tree.put(name, Json::from(value)),
        }
    }
}

/// The figures so far, which some deltas bring.
fn metadata<'a>(frame: &Frame<'a>) -> Option<&'a RawValue> {
    memchr::memmem::find(frame.data, b"\"total_usage\"")?;
    let event = Object::from_slice(frame.data).ok()?;
    event.peek::<Object<'a>>("metadata")?.get("total_usage").filter(|total| total.get() != "null")
}

/// What a state means.
fn reason_of(status: &str, has_calls: bool) -> FinishReason {
    match status {
        "completed" if has_calls => FinishReason::ToolUse,
        "completed" => FinishReason::Stop,
        "requires_action" => FinishReason::ToolUse,
        "incomplete" | "budget_exceeded" => FinishReason::Length,
        "requires_continuation" => FinishReason::Paused,
        _ => FinishReason::Other,
    }
}

/// The protocol's word for an end.
#[cfg(feature = "server")]
pub(super) fn status_of(finish: &Finish) -> String {
    let has_calls = finish.reason == FinishReason::ToolUse;
    let is_word =
        |raw: &&String| !raw.is_empty() && raw.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let raw = finish.raw.as_ref().filter(is_word);
    if let Some(raw) = raw.filter(|raw| reason_of(raw, has_calls) == finish.reason) {
        return raw.clone();
    }
    let word = match finish.reason {
        FinishReason::Stop => "completed",
        FinishReason::ToolUse => "requires_action",
        FinishReason::Length => "incomplete",
        FinishReason::Paused => "requires_continuation",
        _ => "failed",
    };
    word.to_owned()
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

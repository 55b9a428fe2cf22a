//! Events to wire: the server half's writing.
//!
//! Clients want steps one after another with indexes that have no gaps. So what arrives for a later part waits until the
//! earlier one has ended.

use std::collections::VecDeque;

use interlingua_model::{
    Delta, Error, Event, Finish, FinishReason, Fold, Json, Output, Reasoning, Request, Response, Start, Text,
    ToolCall, Usage,
};

use super::events::status_of;
use super::{PROTOCOL, SIGNATURE, step, usage};
use crate::tree::{Tree, array};
use crate::{Mint, Object, Writer, rpc};

/// Writes the stream of one interaction, or a whole one.
#[derive(Debug)]
pub(super) struct InteractionWriter {
    id: String,
    model: String,
    begun: bool,
    start: Start,
    usage: Usage,
    index: u64,
    current: Option<Current>,
    waiting: VecDeque<(u32, Vec<Event>)>,
}

/// The step that is being written.
#[derive(Debug)]
struct Current {
    at: u32,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Text,
    /// Thoughts; their seal goes out at their end.
    Thought(Option<Json>),
    Call,
    /// A step that goes out whole at its end.
    Whole(Box<Fold>),
}

impl InteractionWriter {
    pub(super) fn new(asked: &Request, mint: Mint) -> Self {
        Self {
            id: mint.id,
            model: asked.model.clone(),
            begun: false,
            start: Start::default(),
            usage: Usage::default(),
            index: 0,
            current: None,
            waiting: VecDeque::new(),
        }
    }
}

impl Writer for InteractionWriter {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        match event {
            Event::Start(start) => {
                self.start = (**start).clone();
                self.begin(out);
            }
            Event::Usage(usage) => self.usage.update(usage),
            Event::Open { at, .. } | Event::Delta { at, .. } | Event::Close { at } => {
                self.part(*at, event, out);
            }
            Event::Other(custom) if custom.protocol == PROTOCOL && custom.value.is_object() => {
                self.begin(out);
                frame(&custom.value, out);
            }
            Event::Finish(finish) => self.finish(finish, out),
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, response: &Response, out: &mut Vec<u8>) -> Result<(), Error> {
        self.start = Start::new(response.id.clone(), response.model.clone());
        self.start.extra = response.extra.clone();
        self.usage.clone_from(&response.usage);
        let steps: Vec<Json> = response.message.parts.iter().filter_map(written).collect();
        let fallback = Finish::new(FinishReason::Other);
        let finish = response.finish.as_ref().unwrap_or(&fallback);
        let interaction = self.ended(finish).set("steps", array(&steps));
        out.extend_from_slice(interaction.json().as_str().as_bytes());
        Ok(())
    }

    fn fail(&mut self, error: &Error, out: &mut Vec<u8>) {
        let inner = rpc::write_in_words(error);
        let inner = Object::parse(inner.as_str()).unwrap_or_default();
        let mut event = Tree::default().text("event_type", "error");
        for (name, value) in inner.iter() {
            event.put(name, Json::from(value));
        }
        frame(&event.json(), out);
    }
}

impl InteractionWriter {
    fn interaction(&self, status: &str) -> Tree {
        let id = self.start.id.clone().unwrap_or_else(|| format!("int_{}", self.id));
        let model = self.start.model.as_deref().unwrap_or(&self.model);
        let tree = Tree::default().text("id", &id).text("object", "interaction").text("model", model);
        tree.text("status", status)
    }

    fn ended(&self, finish: &Finish) -> Tree {
        let mut tree = self.interaction(&status_of(finish));
        if !self.usage.is_empty() {
            tree.put("usage", usage::write(&self.usage));
        }
        tree.extra(PROTOCOL, &self.start.extra).extra(PROTOCOL, &finish.extra)
    }

    /// Writes the first event, once.
    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            let interaction = self.interaction("in_progress").json();
            frame(&event("interaction.created").set("interaction", interaction).json(), out);
        }
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
            Output::Text(text) if text.extra.fields(PROTOCOL).is_none() => self.open_text(text, out),
            Output::Reasoning(reasoning) => self.open_thought(reasoning, out),
            Output::ToolCall(call) if call.run_by.is_caller() && call.kind.is_function() => {
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

    fn open_text(&self, text: &Text, out: &mut Vec<u8>) -> Kind {
        let step = Tree::default().text(step::TYPE, "model_output").set("content", array(&[]));
        self.step_start(&step.json(), out);
        if !text.text.is_empty() {
            self.step_delta(&delta("text").text("text", &text.text), out);
        }
        for citation in &text.citations {
            self.cite(citation, out);
        }
        Kind::Text
    }

    fn cite(&self, citation: &interlingua_model::Citation, out: &mut Vec<u8>) {
        if let Some(annotation) = step::write_citation(citation) {
            self.step_delta(&delta("text_annotation_delta").set("annotations", array(&[annotation])), out);
        }
    }

    fn open_thought(&self, reasoning: &Reasoning, out: &mut Vec<u8>) -> Kind {
        let mut begun = Reasoning::default();
        begun.extra = reasoning.extra.clone();
        let seal = begun.extra.take(PROTOCOL, SIGNATURE);
        self.step_start(&step::write_thought(&begun), out);
        if !reasoning.text.is_empty() {
            self.summary(&reasoning.text, out);
        }
        Kind::Thought(seal)
    }

    fn summary(&self, text: &str, out: &mut Vec<u8>) {
        let content = Tree::default().text(step::TYPE, "text").text("text", text);
        self.step_delta(&delta("thought_summary").set("content", content.json()), out);
    }

    fn open_call(&self, call: &ToolCall, out: &mut Vec<u8>) -> Kind {
        let mut begun = call.clone();
        begun.input = Json::from_text("");
        if let Some(step) = step::write_call(&begun) {
            self.step_start(&step, out);
        }
        if !call.input.is_blank() {
            self.step_delta(&delta("arguments_delta").text("arguments", call.input.as_str()), out);
        }
        Kind::Call
    }

    fn delta(&mut self, news: &Delta, event: &Event, out: &mut Vec<u8>) {
        let Some(mut current) = self.current.take() else { return };
        match (&mut current.kind, news) {
            (Kind::Whole(fold), _) => fold.push(&renumbered(event)),
            (Kind::Text, Delta::Text(text)) => self.step_delta(&delta("text").text("text", text), out),
            (Kind::Text, Delta::Citation(citation)) => self.cite(citation, out),
            (Kind::Thought(_), Delta::Text(text)) => self.summary(text, out),
            (Kind::Call, Delta::Input(text)) => {
                self.step_delta(&delta("arguments_delta").text("arguments", text), out);
            }
            (Kind::Thought(seal), Delta::Extra(extra)) => {
                if let Some(signature) = extra.get(PROTOCOL, SIGNATURE) {
                    *seal = Some(signature.clone());
                }
            }
            (Kind::Call | Kind::Text, Delta::Extra(extra)) => self.seal(extra.get(PROTOCOL, SIGNATURE), out),
            _ => {}
        }
        self.current = Some(current);
    }

    fn seal(&self, signature: Option<&Json>, out: &mut Vec<u8>) {
        if let Some(signature) = signature {
            self.step_delta(&delta("thought_signature").set(SIGNATURE, signature.clone()), out);
        }
    }

    fn close(&mut self, event: &Event, out: &mut Vec<u8>) {
        let Some(current) = self.current.take() else { return };
        match current.kind {
            Kind::Text | Kind::Call => self.step_stop(out),
            Kind::Thought(seal) => {
                self.seal(seal.as_ref(), out);
                self.step_stop(out);
            }
            Kind::Whole(mut fold) => {
                fold.push(&renumbered(event));
                for step in fold.message().parts.iter().filter_map(written) {
                    self.step_start(&step, out);
                    self.step_stop(out);
                }
            }
        }
        self.next(out);
    }

    /// Writes what has waited for the part that has ended.
    fn next(&mut self, out: &mut Vec<u8>) {
        let Some((at, events)) = self.waiting.pop_front() else { return };
        for event in &events {
            self.part(at, event, out);
        }
    }

    fn finish(&mut self, finish: &Finish, out: &mut Vec<u8>) {
        self.begin(out);
        let interaction = self.ended(finish).json();
        frame(&event("interaction.completed").set("interaction", interaction).json(), out);
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn step_start(&self, step: &Json, out: &mut Vec<u8>) {
        frame(&event("step.start").plain("index", self.index).set("step", step.clone()).json(), out);
    }

    fn step_delta(&self, delta: &Tree, out: &mut Vec<u8>) {
        frame(&event("step.delta").plain("index", self.index).set("delta", delta.json()).json(), out);
    }

    fn step_stop(&mut self, out: &mut Vec<u8>) {
        frame(&event("step.stop").plain("index", self.index).json(), out);
        self.index += 1;
    }
}

fn event(kind: &str) -> Tree {
    Tree::default().text("event_type", kind)
}

fn delta(kind: &str) -> Tree {
    Tree::default().text(step::TYPE, kind)
}

/// A part as a step of a whole interaction; what says nothing is none.
fn written(part: &Output) -> Option<Json> {
    let content = match part {
        Output::Text(text) if text.text.is_empty() && text.extra.fields(PROTOCOL).is_none() => return None,
        Output::Text(text) => step::write_text(text, true),
        Output::Media(media) => step::write_media(media)?,
        Output::Reasoning(reasoning) => return Some(step::write_thought(reasoning)),
        Output::ToolCall(call) => return step::write_call(call),
        Output::ToolResult(result) => return step::write_run_result(result),
        Output::Custom(custom) if !step::is_known(custom) => return None,
        Output::Custom(custom) if !step::is_content(custom) => return Some(custom.value.clone()),
        Output::Custom(custom) => custom.value.clone(),
        _ => return None,
    };
    let step = Tree::default().text(step::TYPE, "model_output").set("content", array(&[content]));
    Some(step.json())
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

/// One event. Its data is one line: in JSON, line breaks stand only between tokens, where a space does as well.
fn frame(event: &Json, out: &mut Vec<u8>) {
    let is_break = |byte: u8| matches!(byte, b'\n' | b'\r');
    out.extend_from_slice(b"data: ");
    out.extend(event.as_str().bytes().map(|byte| if is_break(byte) { b' ' } else { byte }));
    out.extend_from_slice(b"\n\n");
}

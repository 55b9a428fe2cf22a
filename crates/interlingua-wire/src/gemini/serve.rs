//! Events to wire: the server half's writing.
//!
//! Clients join texts that follow each other and take everything else whole. So texts go out as they come, other parts at
//! their end, and what arrives for a later part waits until the earlier one has ended.

use std::collections::VecDeque;

use interlingua_model::{
    Citation, Delta, Error, Event, Finish, FinishReason, Fold, Json, Output, Request, Response, Start, Text,
    TokenLogprob, Usage,
};

use super::{PROTOCOL, SIGNATURE, finish, part, sources, usage};
use crate::rpc;
use crate::tree::{Tree, array};
use crate::{Mint, Object, Writer};

/// Writes the stream of one answer, or a whole one.
#[derive(Debug)]
pub(super) struct AnswerWriter {
    id: String,
    model: String,
    start: Start,
    /// Whether the stream is one JSON list.
    is_list: bool,
    begun: bool,
    usage: Usage,
    current: Option<Current>,
    waiting: VecDeque<(u32, Vec<Event>)>,
    /// Sources in the words of other protocols, which go out at the end.
    cited: Vec<Citation>,
}

/// The part that is being written.
#[derive(Debug)]
struct Current {
    at: u32,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Text with what was said so far and the sources that it has.
    Text(String, Vec<Citation>),
    Reasoning,
    /// A part that goes out whole at its end.
    Whole(Box<Fold>),
}

impl AnswerWriter {
    pub(super) fn new(asked: &Request, mint: Mint, is_list: bool) -> Self {
        Self {
            id: mint.id,
            model: asked.model.clone(),
            start: Start::default(),
            is_list,
            begun: false,
            usage: Usage::default(),
            current: None,
            waiting: VecDeque::new(),
            cited: Vec::new(),
        }
    }
}

impl Writer for AnswerWriter {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        match event {
            Event::Start(start) => self.start = (**start).clone(),
            Event::Usage(usage) => self.usage.update(usage),
            Event::Open { at, .. } | Event::Delta { at, .. } | Event::Close { at } => {
                self.part(*at, event, out);
            }
            Event::Other(custom) if custom.protocol == PROTOCOL && custom.kind == "candidate" => {
                let chunk = self.head(Tree::of("candidates", array(std::slice::from_ref(&custom.value))));
                self.frame(&chunk.json(), out);
            }
            Event::Finish(finish) => self.finish(finish, out),
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, response: &Response, out: &mut Vec<u8>) -> Result<(), Error> {
        self.start = Start::new(response.id.clone(), response.model.clone());
        self.start.created = response.created;
        self.start.extra = response.extra.clone();
        self.usage.clone_from(&response.usage);
        let parts: Vec<Json> = response.message.parts.iter().filter_map(written).collect();
        let texts: Vec<&Text> = response.message.parts.iter().filter_map(as_text).collect();
        for text in &texts {
            self.ground(&text.text, &text.citations);
        }
        let beside = beside(&texts);
        let fallback = Finish::new(FinishReason::Other);
        let ending = response.finish.as_ref().unwrap_or(&fallback);
        let others =
            response.other.iter().filter(|custom| custom.protocol == PROTOCOL && custom.kind == "candidate");
        let others: Vec<Json> = others.map(|custom| custom.value.clone()).collect();
        let chunk = self.ending(ending, &parts, &beside, others);
        out.extend_from_slice(chunk.json().as_str().as_bytes());
        Ok(())
    }

    fn fail(&mut self, error: &Error, out: &mut Vec<u8>) {
        self.frame(&rpc::write(error), out);
        self.end(out);
    }
}

impl AnswerWriter {
    fn part(&mut self, at: u32, event: &Event, out: &mut Vec<u8>) {
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
            Output::Text(text) if text.extra.fields(PROTOCOL).is_none() => {
                if !text.text.is_empty() {
                    self.words(&text.text, false, out);
                }
                let mut bare = text.clone();
                let said = std::mem::take(&mut bare.text);
                self.told(&beside(&[&bare]), out);
                let cited = text.citations.iter().filter(|citation| sources::is_foreign(citation));
                Kind::Text(said, cited.cloned().collect())
            }
            Output::Reasoning(reasoning) if reasoning.extra.fields(PROTOCOL).is_none() => {
                if !reasoning.text.is_empty() {
                    self.words(&reasoning.text, true, out);
                }
                Kind::Reasoning
            }
            _ => {
                let mut fold = Fold::new();
                fold.push(&renumbered(event));
                Kind::Whole(Box::new(fold))
            }
        };
        self.current = Some(Current { at, kind });
    }

    fn delta(&mut self, delta: &Delta, event: &Event, out: &mut Vec<u8>) {
        let Some(mut current) = self.current.take() else { return };
        match (&mut current.kind, delta) {
            (Kind::Whole(fold), _) => fold.push(&renumbered(event)),
            (Kind::Text(said, _), Delta::Text(text)) => {
                said.push_str(text);
                self.words(text, false, out);
            }
            (Kind::Reasoning, Delta::Text(text)) => self.words(text, true, out),
            (Kind::Text(_, cited), Delta::Citation(citation)) if sources::is_foreign(citation) => {
                cited.push((**citation).clone());
            }
            (Kind::Text(..), Delta::Citation(citation)) => {
                self.told(&citations([&**citation]), out);
            }
            (Kind::Text(..), Delta::Logprobs(tokens)) => self.told(&logprobs(tokens), out),
            (_, Delta::Extra(extra)) => {
                if let Some(signature) = extra.get(PROTOCOL, SIGNATURE) {
                    let seal = Tree::default().text("text", "").set(SIGNATURE, signature.clone());
                    self.parts(&[seal.json()], &Tree::default(), out);
                }
            }
            _ => {}
        }
        self.current = Some(current);
    }

    fn close(&mut self, event: &Event, out: &mut Vec<u8>) {
        let Some(current) = self.current.take() else { return };
        match current.kind {
            Kind::Reasoning => {}
            Kind::Text(said, cited) => self.ground(&said, &cited),
            Kind::Whole(mut fold) => {
                fold.push(&renumbered(event));
                let message = fold.message();
                let texts: Vec<&Text> = message.parts.iter().filter_map(as_text).collect();
                for text in &texts {
                    self.ground(&text.text, &text.citations);
                }
                let parts: Vec<Json> = message.parts.iter().filter_map(written).collect();
                if !parts.is_empty() {
                    self.parts(&parts, &beside(&texts), out);
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

    /// Keeps the sources of a text that are in the words of another protocol.
    fn ground(&mut self, said: &str, cited: &[Citation]) {
        for citation in cited.iter().filter(|citation| sources::is_foreign(citation)) {
            let mut citation = citation.clone();
            citation.span = citation.span.map(|span| sources::bytes(span, said));
            self.cited.push(citation);
        }
    }

    /// A piece of text or of reasoning.
    fn words(&mut self, text: &str, is_thought: bool, out: &mut Vec<u8>) {
        let part = Tree::default().text("text", text);
        let part = if is_thought { part.plain("thought", true) } else { part };
        self.parts(&[part.json()], &Tree::default(), out);
    }

    /// News of the answer that are no parts, if there are any.
    fn told(&mut self, news: &Tree, out: &mut Vec<u8>) {
        if !news.is_empty() {
            self.parts(&[], news, out);
        }
    }

    fn parts(&mut self, parts: &[Json], beside: &Tree, out: &mut Vec<u8>) {
        let candidate = candidate(parts, beside);
        let chunk = self.head(Tree::of("candidates", array(&[candidate.json()])));
        self.frame(&chunk.json(), out);
    }

    /// What every chunk says of the answer as a whole.
    fn head(&self, mut chunk: Tree) -> Tree {
        if !self.usage.is_empty() {
            chunk.put("usageMetadata", usage::write(&self.usage));
        }
        let model = self.start.model.as_deref().unwrap_or(&self.model);
        let id = self.start.id.as_deref().unwrap_or(&self.id);
        let chunk = chunk.text("modelVersion", model).text("responseId", id);
        if self.begun { chunk } else { chunk.extra(PROTOCOL, &self.start.extra) }
    }

    fn finish(&mut self, finish: &Finish, out: &mut Vec<u8>) {
        let nothing = Tree::default().text("text", "").json();
        let chunk = self.ending(finish, &[nothing], &Tree::default(), Vec::new()).json();
        self.frame(&chunk, out);
        self.end(out);
    }

    /// The last chunk, which says how the answer ended. A prompt that was blocked has no candidate.
    fn ending(&self, finish: &Finish, parts: &[Json], beside: &Tree, others: Vec<Json>) -> Tree {
        let mut extra = finish.extra.clone();
        let feedback = extra.take(PROTOCOL, "promptFeedback");
        let is_blocked = feedback.as_ref().is_some_and(|feedback| is_block(feedback, finish));
        let mut candidates = others;
        if !is_blocked || self.begun || parts.len() > 1 {
            let mut candidate = candidate(parts, beside);
            if !is_blocked {
                candidate = candidate.text("finishReason", &finish::word(finish));
            }
            if let Some(grounding) = sources::write_grounded(&self.cited) {
                candidate.put("groundingMetadata", grounding);
            }
            candidates.insert(0, candidate.extra(PROTOCOL, &extra).json());
        }
        let mut chunk = Tree::default();
        if !candidates.is_empty() {
            chunk.put("candidates", array(&candidates));
        }
        if let Some(feedback) = feedback {
            chunk.put("promptFeedback", feedback);
        }
        self.head(chunk)
    }

    /// One chunk on one line: in JSON, line breaks stand only between tokens, where a space does as well.
    fn frame(&mut self, chunk: &Json, out: &mut Vec<u8>) {
        let begun = std::mem::replace(&mut self.begun, true);
        out.extend_from_slice(match (self.is_list, begun) {
            (false, _) => b"data: ",
            (true, false) => b"[",
            (true, true) => b",\r\n",
        });
        let is_break = |byte: u8| matches!(byte, b'\n' | b'\r');
        out.extend(chunk.as_str().bytes().map(|byte| if is_break(byte) { b' ' } else { byte }));
        if !self.is_list {
            out.extend_from_slice(b"\r\n\r\n");
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.is_list {
            out.push(b']');
        }
    }
}

fn candidate(parts: &[Json], beside: &Tree) -> Tree {
    let content = Tree::default().set("parts", array(parts)).text("role", "model");
    let mut candidate = Tree::of("content", content.json());
    beside.each(|name, value| candidate.put(name, value.clone()));
    candidate.plain("index", 0)
}

/// Whether it was the prompt that was blocked, and not an answer that was cut.
fn is_block(feedback: &Json, finish: &Finish) -> bool {
    let Ok(feedback) = Object::parse(feedback.as_str()) else { return false };
    let number = feedback.peek::<u64>("blockReason").map(|number| number.to_string());
    let reason = feedback.peek::<String>("blockReason").or(number);
    let is_told = reason.is_some() || feedback.get("blockReasonMessage").is_some();
    is_told && finish.reason == FinishReason::Filtered && finish.raw == reason
}

const fn as_text(part: &Output) -> Option<&Text> {
    match part {
        Output::Text(text) => Some(text),
        _ => None,
    }
}

/// What a candidate says of its texts.
fn beside(texts: &[&Text]) -> Tree {
    let mut tree = citations(texts.iter().flat_map(|text| &text.citations));
    let tokens: Vec<TokenLogprob> = texts.iter().flat_map(|text| text.logprobs.iter().cloned()).collect();
    logprobs(&tokens).each(|name, value| tree.put(name, value.clone()));
    tree
}

fn citations<'c>(citations: impl IntoIterator<Item = &'c Citation>) -> Tree {
    sources::write_recited(citations).map_or_else(Tree::default, |found| Tree::of("citationMetadata", found))
}

fn logprobs(tokens: &[TokenLogprob]) -> Tree {
    if tokens.is_empty() {
        return Tree::default();
    }
    let written = |token: &interlingua_model::Logprob| {
        let probability = Json::of(&token.logprob).unwrap_or_else(|_| Json::from_text("0"));
        Tree::default().text("token", &token.token).set("logProbability", probability).json()
    };
    let chosen: Vec<Json> = tokens.iter().map(|token| written(&token.chosen)).collect();
    let near = tokens.iter().map(|token| {
        let near: Vec<Json> = token.top.iter().map(written).collect();
        Tree::of("candidates", array(&near)).json()
    });
    let result =
        Tree::of("chosenCandidates", array(&chosen)).set("topCandidates", array(&near.collect::<Vec<_>>()));
    Tree::of("logprobsResult", result.json())
}

/// A part as it stands in a content; what says nothing is none.
fn written(output: &Output) -> Option<Json> {
    match output {
        Output::Text(text) if text.text.is_empty() && text.extra.fields(PROTOCOL).is_none() => None,
        Output::Text(text) => Some(part::write_text(text)),
        Output::Reasoning(reasoning)
            if reasoning.text.is_empty() && reasoning.extra.fields(PROTOCOL).is_none() =>
        {
            None
        }
        Output::Reasoning(reasoning) => Some(part::write_reasoning(reasoning)),
        Output::ToolCall(call) => part::write_call(call, true),
        Output::ToolResult(result) => part::write_provider_result(result, true),
        Output::Media(media) => part::write_media(media, true),
        Output::Custom(custom) => part::is_known(custom).then(|| custom.value.clone()),
        _ => None,
    }
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

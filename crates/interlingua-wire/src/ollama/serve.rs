//! Events to wire: the server half's writing. Nothing in a line says to which part it belongs, so parts go out in turn.

use interlingua_model::{
    Custom, Delta, Error, Event, Finish, FinishReason, Fold, Json, Logprob, Media, MediaKind, Output,
    Request, Response, Start, TokenLogprob, ToolCall, Usage,
};

use serde_json::value::RawValue;

use super::{PROTOCOL, call, complaint, picture, usage};
use crate::draft::{Draft, array, one_line};
use crate::in_turn::InTurn;
use crate::{Mint, Object, Writer, date};

/// Writes the lines of one answer, or a whole one.
#[derive(Debug)]
pub(super) struct ChatWriter {
    turns: InTurn,
    lines: Lines,
}

/// The lines as they go out.
#[derive(Debug)]
struct Lines {
    /// What every line says.
    head: Draft,
    usage: Usage,
    calls: usize,
    current: Kind,
}

/// The part that is being written.
#[derive(Debug)]
enum Kind {
    Text,
    Thinking,
    /// A call, which goes out whole at its end.
    Call(Box<Fold>),
    /// What has no place here.
    Nothing,
}

impl ChatWriter {
    pub(super) fn new(asked: &Request, mint: &Mint) -> Self {
        let lines = Lines {
            head: head(&asked.model, mint.created),
            usage: Usage::default(),
            calls: 0,
            current: Kind::Nothing,
        };
        Self { turns: InTurn::default(), lines }
    }
}

impl Writer for ChatWriter {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        let Self { turns, lines } = self;
        match event {
            Event::Start(start) => lines.start(start),
            Event::Usage(usage) => lines.usage.update(usage),
            Event::Open { at, .. } | Event::Delta { at, .. } | Event::Close { at } => {
                turns.push(*at, event, &mut |event| lines.part(event, out));
            }
            Event::Other(custom) if custom.protocol == PROTOCOL => lines.other(custom, out),
            Event::Finish(finish) => {
                turns.end(&mut |event| lines.part(event, out));
                lines.finish(finish, out);
            }
            _ => {}
        }
        Ok(())
    }

    fn whole(&mut self, response: &Response, out: &mut Vec<u8>) -> Result<(), Error> {
        let mut start = Start::new(None, response.model.clone());
        start.created = response.created;
        start.extra = response.extra.clone();
        self.lines.start(&start);
        let (message, logprobs) = whole(&response.message.parts);
        let mut line = self.lines.head.clone().set("message", message.json());
        if let Some(logprobs) = all_logprobs(&response.other, logprobs.as_ref()) {
            line = line.set("logprobs", logprobs);
        }
        let fallback = Finish::new(FinishReason::Other);
        let line = ended(line, response.finish.as_ref().unwrap_or(&fallback), &response.usage);
        one_line(out, &line.json());
        Ok(())
    }

    fn fail(&mut self, error: &Error, out: &mut Vec<u8>) {
        put(out, &complaint::write(error).json());
    }
}

impl Lines {
    fn start(&mut self, start: &Start) {
        if let Some(model) = &start.model {
            self.head.put("model", model);
        }
        if let Some(created) = start.created {
            self.head.put("created_at", &date::to_rfc3339(created));
        }
        self.head = std::mem::take(&mut self.head).extra(&start.extra, PROTOCOL);
    }

    fn part(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Open { part, .. } => self.open(part, out),
            Event::Delta { delta, .. } => self.delta(delta, out),
            Event::Close { .. } => self.close(out),
            _ => {}
        }
    }

    fn open(&mut self, part: &Output, out: &mut Vec<u8>) {
        self.current = match part {
            Output::Text(text) => {
                self.say("content", &text.text, out);
                self.logprobs(&text.logprobs, out);
                Kind::Text
            }
            Output::Reasoning(reasoning) => {
                self.say("thinking", &reasoning.text, out);
                Kind::Thinking
            }
            Output::ToolCall(call) if call.run_by.is_caller() => {
                let mut fold = Fold::new();
                fold.push(&Event::open(0, part.clone()));
                Kind::Call(Box::new(fold))
            }
            Output::Media(media) => {
                self.media(media, out);
                Kind::Nothing
            }
            _ => Kind::Nothing,
        };
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        match (&mut self.current, delta) {
            (Kind::Text, Delta::Text(text)) => self.say("content", text, out),
            (Kind::Thinking, Delta::Text(text)) => self.say("thinking", text, out),
            (Kind::Text, Delta::Logprobs(tokens)) => self.logprobs(tokens, out),
            (Kind::Call(fold), delta) => fold.push(&Event::delta(0, delta.clone())),
            _ => {}
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        let Kind::Call(mut fold) = std::mem::replace(&mut self.current, Kind::Nothing) else { return };
        fold.push(&Event::close(0));
        for part in &fold.message().parts {
            if let Output::ToolCall(call) = part {
                self.call(call, out);
            }
        }
    }

    fn call(&mut self, call: &ToolCall, out: &mut Vec<u8>) {
        let call = call::write(call, Some(self.calls));
        self.calls += 1;
        self.line(&said("").set("tool_calls", array(&[call])), out);
    }

    fn media(&self, media: &Media, out: &mut Vec<u8>) {
        match picture::write(media).filter(|_| media.kind() == MediaKind::Image) {
            Some(image) => self.line(&said("").set("images", array(&[Json::string(&image)])), out),
            None => self.say("content", &note(media), out),
        }
    }

    fn say(&self, field: &str, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() {
            self.line(&said("").text(field, text), out);
        }
    }

    fn logprobs(&self, tokens: &[TokenLogprob], out: &mut Vec<u8>) {
        if !tokens.is_empty() {
            let line = self.head.clone().set("message", said("").json()).figure("done", false);
            put(out, &line.set("logprobs", logprobs(tokens)).json());
        }
    }

    fn other(&self, custom: &Custom, out: &mut Vec<u8>) {
        let fields = Object::parse(custom.value.as_str()).unwrap_or_default();
        let (mut message, mut line) = (said(""), self.head.clone().figure("done", false));
        match custom.kind.as_str() {
            "message" => message = message.object(&fields),
            "line" => line = line.object(&fields),
            name => line = line.set(name, custom.value.clone()),
        }
        let line = line.set("message", message.json()).json();
        put(out, &line);
    }

    fn line(&self, message: &Draft, out: &mut Vec<u8>) {
        put(out, &self.head.clone().set("message", message.json()).figure("done", false).json());
    }

    fn finish(&self, finish: &Finish, out: &mut Vec<u8>) {
        let line = self.head.clone().set("message", said("").json());
        put(out, &ended(line, finish, &self.usage).json());
    }
}

fn head(model: &str, created: u64) -> Draft {
    Draft::default().text("model", model).text("created_at", &date::to_rfc3339(created))
}

fn said(content: &str) -> Draft {
    Draft::default().text("role", "assistant").text("content", content)
}

fn ended(line: Draft, finish: &Finish, figures: &Usage) -> Draft {
    let line = line.figure("done", true).text("done_reason", &done_reason(finish));
    usage::add(line, figures).extra(&finish.extra, PROTOCOL)
}

/// One line of a stream.
fn put(out: &mut Vec<u8>, line: &Json) {
    one_line(out, line);
    out.push(b'\n');
}

/// The message of a whole answer, and the probabilities of its text.
fn whole(parts: &[Output]) -> (Draft, Option<Json>) {
    let (mut content, mut thinking) = (String::new(), String::new());
    let (mut images, mut calls, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        match part {
            Output::Text(text) => {
                content.push_str(&text.text);
                tokens.extend_from_slice(&text.logprobs);
            }
            Output::Reasoning(reasoning) => thinking.push_str(&reasoning.text),
            Output::ToolCall(call) if call.run_by.is_caller() => {
                calls.push(call::write(call, Some(calls.len())));
            }
            Output::Media(media) => {
                match picture::write(media).filter(|_| media.kind() == MediaKind::Image) {
                    Some(image) => images.push(Json::string(&image)),
                    None => content.push_str(&note(media)),
                }
            }
            _ => {}
        }
    }
    let mut message = said(&content);
    if !thinking.is_empty() {
        message = message.text("thinking", &thinking);
    }
    for (name, list) in [("images", images), ("tool_calls", calls)] {
        if !list.is_empty() {
            message = message.set(name, array(&list));
        }
    }
    (message, (!tokens.is_empty()).then(|| logprobs(&tokens)))
}

/// The probabilities of what was thought, and then of what was said.
fn all_logprobs(other: &[Custom], said: Option<&Json>) -> Option<Json> {
    let thought = other.iter().filter(|custom| custom.protocol == PROTOCOL && custom.kind == "logprobs");
    let lists = thought.map(|custom| &custom.value).chain(said);
    let tokens: Vec<&RawValue> = lists
        .flat_map(|list| serde_json::from_str::<Vec<&RawValue>>(list.as_str()).unwrap_or_default())
        .collect();
    (!tokens.is_empty()).then(|| array(&tokens.into_iter().map(Json::from).collect::<Vec<_>>()))
}

fn logprobs(tokens: &[TokenLogprob]) -> Json {
    let tokens: Vec<Json> = tokens
        .iter()
        .map(|token| {
            let top: Vec<Json> = token.top.iter().map(|token| logprob(token).json()).collect();
            let chosen = logprob(&token.chosen);
            if top.is_empty() { chosen.json() } else { chosen.set("top_logprobs", array(&top)).json() }
        })
        .collect();
    array(&tokens)
}

fn logprob(token: &Logprob) -> Draft {
    let mut written = Draft::default().text("token", &token.token);
    written.put("logprob", &token.logprob);
    if let Some(bytes) = &token.bytes {
        written.put("bytes", bytes);
    }
    written
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
fn done_reason(finish: &Finish) -> String {
    const WORDS: [&str; 4] = ["stop", "length", "load", "unload"];
    // A word that nobody knows yet is better than one that means something else.
    let is_own = |word: &&String| WORDS.contains(&word.as_str()) || finish.reason == FinishReason::Other;
    if let Some(word) = finish.raw.as_ref().filter(is_own) {
        return word.clone();
    }
    if finish.reason == FinishReason::Length { "length" } else { "stop" }.to_owned()
}

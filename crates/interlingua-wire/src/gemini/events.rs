//! Wire to events.

use interlingua_model::{
    Custom, Delta, Error, ErrorKind, Extra, Finish, FinishReason, Json, Logprob, Output, Reasoning, Source,
    Start, Text, TokenLogprob, Usage, Warning,
};
use serde_json::value::RawValue;

use super::calls::{Arguments, Ids};
use super::finish::{reason_of, word_of};
use super::{PROTOCOL, part, sources, usage};
use crate::frame::Frame;
use crate::rpc;
use crate::shape::Str;
use crate::tree::Tree;
use crate::{Figures, Mode, Object, Parts, Reader, Varying, date};

const GROUNDING: &str = "groundingMetadata";

/// Reads the stream of one answer, or a whole one.
#[derive(Debug)]
pub(super) struct AnswerReader {
    /// Whether parts are pieces of larger ones.
    in_pieces: bool,
    open: Option<Open>,
    /// The text of the newest text part, to count its characters.
    said: String,
    ids: Ids,
    has_calls: bool,
    figures: String,
    usage: Usage,
    counts: usage::Counts,
    /// The newest finish reason.
    word: Option<String>,
    /// Why the prompt was blocked, if it was.
    block: Option<Block>,
    /// What only this protocol says of the answer; it goes out with the end.
    last_words: Tree,
    /// Whether the last frame brought a piece of text, which the next may do as well.
    again: bool,
}

/// A prompt that was blocked.
#[derive(Debug)]
struct Block {
    reason: Option<String>,
}

/// The part that has begun.
#[derive(Debug)]
enum Open {
    Text { at: u32, is_sealed: bool },
    Reasoning { at: u32 },
    Call { at: u32, arguments: Arguments },
    Sound { at: u32, mime: String },
}

impl Reader for AnswerReader {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        self.again = false;
        if frame.data == b"[DONE]" {
            return Ok(());
        }
        if frame.data.trim_ascii_start().starts_with(b"[") {
            return self.list(frame.data.trim_ascii_start(), out);
        }
        let chunk = Object::from_slice(frame.data).map_err(malformed)?;
        self.chunk(chunk, frame.data, out)
    }

    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error> {
        let body = body.trim_ascii_start();
        if body.starts_with(b"[") {
            self.list(body, out)?;
            return self.end(out);
        }
        let answer = Object::from_slice(body).map_err(malformed)?;
        self.in_pieces = false;
        let is_answer = answer.get("candidates").is_some() || answer.get("promptFeedback").is_some();
        if !is_answer && answer.get("error").is_none() {
            return Err(Error::new(ErrorKind::Protocol, "the answer has no `candidates`"));
        }
        self.chunk(answer, body, out)?;
        self.finish(out);
        Ok(())
    }

    /// The end of the body is the end of the answer, if a reason for it was told.
    fn end(&mut self, out: &mut Parts) -> Result<(), Error> {
        if self.word.is_some() || self.block.is_some() {
            self.finish(out);
        } else if let Some(Open::Call { at, arguments }) = self.open.take() {
            // What has come of the arguments is told; the call stays open, for it was cut.
            out.input(at, arguments.text().unwrap_or_default());
        }
        Ok(())
    }

    fn varying(&self) -> Option<Varying> {
        self.again.then(|| Varying::new("text", &[]).with_figures("usageMetadata", usage::COUNTS))
    }

    fn repeated(&mut self, text: &str, figures: Figures<'_>, out: &mut Parts) {
        if matches!(self.open, Some(Open::Text { .. })) {
            self.said.push_str(text);
        }
        for (name, count) in figures.iter() {
            self.counts.set(name, count);
        }
        if self.counts.total(&mut self.usage) {
            self.figures.clear();
            out.usage(self.usage.clone());
        }
    }
}

impl AnswerReader {
    pub(super) fn new(mode: Mode) -> Self {
        Self {
            in_pieces: mode == Mode::Stream,
            open: None,
            said: String::new(),
            ids: Ids::default(),
            has_calls: false,
            figures: String::new(),
            usage: Usage::default(),
            counts: usage::Counts::default(),
            word: None,
            block: None,
            last_words: Tree::default(),
            again: false,
        }
    }

    /// A list of chunks, which is a stream that was asked for without `alt=sse`, or of errors.
    fn list(&mut self, list: &[u8], out: &mut Parts) -> Result<(), Error> {
        self.in_pieces = true;
        let mut rest = list.get(1..).unwrap_or_default();
        loop {
            rest = rest.trim_ascii_start();
            rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
            if rest.starts_with(b"]") {
                return Ok(());
            }
            let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
            let raw = match values.next() {
                Some(Ok(raw)) => raw,
                Some(Err(error)) if !error.is_eof() => return Err(malformed(error)),
                _ => return Err(Error::new(ErrorKind::Truncated, "the list of chunks was cut")),
            };
            let length = values.byte_offset();
            self.chunk(Object::parse(raw.get()).map_err(malformed)?, raw.get().as_bytes(), out)?;
            rest = rest.get(length..).unwrap_or_default();
        }
    }

    /// The answer with what is new in it.
    fn chunk(&mut self, mut chunk: Object<'_>, whole: &[u8], out: &mut Parts) -> Result<(), Error> {
        if chunk.get("error").is_some_and(|error| error.get() != "null") {
            return Err(rpc::reported(whole));
        }
        let candidates: Vec<&RawValue> = chunk.take("candidates").map_err(as_protocol)?.unwrap_or_default();
        let figures = chunk.take_raw("usageMetadata");
        let feedback = chunk.take_raw("promptFeedback");
        self.head(chunk, out);
        for candidate in candidates {
            self.candidate(candidate, out)?;
        }
        if let Some(feedback) = feedback {
            self.feedback(feedback);
        }
        if let Some(figures) = figures {
            self.figures(figures, out);
        }
        Ok(())
    }

    /// What every chunk says of the answer as a whole; the first one counts, and later news are last words.
    fn head(&mut self, mut chunk: Object<'_>, out: &mut Parts) {
        if out.is_started() {
            for name in ["responseId", "modelVersion", "createTime"] {
                chunk.take_raw(name);
            }
            return self.keep(&chunk);
        }
        let mut start = Start::new(chunk.peek("responseId"), chunk.peek("modelVersion"));
        let time = chunk.peek::<String>("createTime").and_then(|time| date::rfc3339(&time));
        let time = time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        start.created = time.map(|time| time.as_secs());
        for (name, is_read) in [("responseId", start.id.is_some()), ("modelVersion", start.model.is_some())] {
            if is_read {
                chunk.take_raw(name);
            }
        }
        for (name, value) in chunk.iter().filter(|(_, value)| value.get() != "null") {
            start.extra.set(PROTOCOL, name, Json::from(value));
        }
        self.ids.prefix = start.id.clone().unwrap_or_default();
        out.start(start);
    }

    /// A candidate. We ask for one; further ones are passed on as they are.
    fn candidate(&mut self, raw: &RawValue, out: &mut Parts) -> Result<(), Error> {
        let mut candidate = Object::parse(raw.get()).map_err(malformed)?;
        if candidate.peek::<u64>("index").is_some_and(|index| index > 0) {
            out.other(Custom::new(PROTOCOL, "candidate", Json::from(raw)));
            return Ok(());
        }
        candidate.take_raw("index");
        if let Some(content) = candidate.take::<Object<'_>>("content").map_err(as_protocol)? {
            self.content(content, out)?;
        }
        if let Some(reason) = candidate.take_raw("finishReason") {
            self.reason(reason);
        }
        if let Some(raw) = candidate.take_raw("citationMetadata") {
            self.cite(raw, out);
        }
        if let Some(raw) = candidate.take_raw("logprobsResult") {
            self.logprobs(raw, out);
        }
        self.keep(&candidate);
        Ok(())
    }

    fn content(&mut self, mut content: Object<'_>, out: &mut Parts) -> Result<(), Error> {
        let parts: Vec<&RawValue> = content.take("parts").map_err(as_protocol)?.unwrap_or_default();
        content.take_raw("role");
        for raw in parts {
            self.part(raw, out)?;
        }
        if !content.is_empty() {
            let mut tree = Tree::default();
            for (name, value) in content.iter() {
                tree.put(name, Json::from(value));
            }
            self.remember("content", &tree.json());
        }
        Ok(())
    }

    fn part(&mut self, raw: &RawValue, out: &mut Parts) -> Result<(), Error> {
        let found = Object::parse(raw.get()).map_err(malformed)?;
        match part::content_of(&found) {
            Some("text") => self.words(&found, raw, out),
            Some("functionCall") => self.call(&found, raw, out),
            Some("inlineData") => self.media(&found, raw, out),
            _ if found.is_empty() => {}
            _ => {
                let output = part::output(raw, &mut self.ids);
                self.whole(output, out);
            }
        }
        Ok(())
    }

    /// A part that does not grow. The input of a call is told as that of calls which do.
    fn whole(&mut self, mut output: Output, out: &mut Parts) {
        self.close(out);
        let input = match &mut output {
            Output::ToolCall(call) => std::mem::replace(&mut call.input, Json::from_text("")),
            _ => Json::from_text(""),
        };
        let at = out.open(output);
        if !input.is_blank() {
            out.input(at, input.as_str());
        }
        out.close(at);
    }

    /// Text or reasoning. A part that says nothing but its text goes on with the one before it.
    fn words(&mut self, found: &Object<'_>, raw: &RawValue, out: &mut Parts) {
        let text = found.peek::<Str<'_>>("text");
        let is_plain = found.iter().all(|(name, _)| matches!(name, "text" | "thought"));
        let (Some(Str(text)), true) = (text, is_plain) else {
            return self.sealed(raw, out);
        };
        if text.is_empty() {
            return;
        }
        let is_thought = found.peek("thought") == Some(true);
        let at = match self.open {
            Some(Open::Text { at, is_sealed: false }) if self.in_pieces && !is_thought => at,
            Some(Open::Reasoning { at }) if self.in_pieces && is_thought => at,
            _ => self.begin(is_thought, out),
        };
        if !is_thought {
            self.said.push_str(&text);
        }
        self.again = true;
        out.text(at, text);
    }

    fn begin(&mut self, is_thought: bool, out: &mut Parts) -> u32 {
        self.close(out);
        if is_thought {
            let at = out.open(Output::Reasoning(Reasoning::default()));
            self.open = Some(Open::Reasoning { at });
            return at;
        }
        let at = out.open(Output::Text(Text::default()));
        self.open = Some(Open::Text { at, is_sealed: false });
        self.said.clear();
        at
    }

    /// Text or reasoning with a seal, which is joined with nothing.
    fn sealed(&mut self, raw: &RawValue, out: &mut Parts) {
        self.close(out);
        let mut output = part::output(raw, &mut self.ids);
        let text = match &mut output {
            Output::Text(text) => std::mem::take(&mut text.text),
            Output::Reasoning(reasoning) => std::mem::take(&mut reasoning.text),
            _ => String::new(),
        };
        let is_text = matches!(output, Output::Text(_));
        let at = out.open(output);
        if !text.is_empty() {
            out.text(at, &*text);
        }
        if is_text {
            // Sources may still come for it.
            self.open = Some(Open::Text { at, is_sealed: true });
            self.said = text;
        } else {
            out.close(at);
        }
    }

    /// A call, whole or with arguments that come in pieces.
    fn call(&mut self, found: &Object<'_>, raw: &RawValue, out: &mut Parts) {
        let inner: Object<'_> = found.peek("functionCall").unwrap_or_default();
        let goes_on = inner.peek("willContinue") == Some(true);
        if inner.peek::<Str<'_>>("name").is_none_or(|name| name.0.is_empty()) {
            return self.call_goes_on(found, &inner, raw, out);
        }
        self.close(out);
        self.has_calls = true;
        let pieces: Vec<&RawValue> = inner.peek("partialArgs").unwrap_or_default();
        let mut output = part::output(raw, &mut self.ids);
        let Output::ToolCall(call) = &mut output else { return self.whole(output, out) };
        if !goes_on && pieces.is_empty() {
            return self.whole(output, out);
        }
        let arguments = Arguments::begin(call);
        call.extra.take(PROTOCOL, "functionCall");
        let at = out.open(output);
        self.open = Some(Open::Call { at, arguments });
        self.pieces(&pieces, goes_on, out);
    }

    fn call_goes_on(&mut self, found: &Object<'_>, inner: &Object<'_>, raw: &RawValue, out: &mut Parts) {
        let Some(Open::Call { at, .. }) = self.open else {
            // Without a name and without a call that it goes on with it is nothing that we know.
            let output = part::output(raw, &mut self.ids);
            return self.whole(output, out);
        };
        let mut beside = Extra::default();
        for (name, value) in found.iter().filter(|(name, _)| *name != "functionCall") {
            beside.set(PROTOCOL, name, Json::from(value));
        }
        if !beside.is_empty() {
            out.delta(at, Delta::extra(beside));
        }
        let pieces: Vec<&RawValue> = inner.peek("partialArgs").unwrap_or_default();
        self.pieces(&pieces, inner.peek("willContinue") == Some(true), out);
    }

    fn pieces(&mut self, pieces: &[&RawValue], goes_on: bool, out: &mut Parts) {
        if let Some(Open::Call { at, arguments }) = &mut self.open {
            for raw in pieces {
                let is_taken = Object::parse(raw.get()).is_ok_and(|piece| arguments.take(&piece));
                if !is_taken {
                    let detail = format!("a piece of arguments has no place: {}", raw.get());
                    out.warning(Warning::dropped("events", detail));
                }
                let news = Custom::new(PROTOCOL, "partialArgs", Json::from(*raw));
                out.delta(*at, Delta::Progress(Box::new(news)));
            }
        }
        if !goes_on {
            self.close(out);
        }
    }

    /// An image or a sound. Raw sound comes in pieces that are one.
    fn media(&mut self, found: &Object<'_>, raw: &RawValue, out: &mut Parts) {
        let output = part::output(raw, &mut self.ids);
        let is_bare = found.iter().count() == 1;
        let (Output::Media(media), true) = (&output, self.in_pieces && is_bare) else {
            return self.whole(output, out);
        };
        if let (Some(Open::Sound { at, mime }), Source::Bytes(data)) = (&self.open, &media.source)
            && *mime == media.mime
            && media.extra.is_empty()
        {
            return out.delta(*at, Delta::Data(data.clone()));
        }
        let mime = media.mime.clone();
        if !is_samples(&mime) {
            return self.whole(output, out);
        }
        self.close(out);
        let at = out.open(output);
        self.open = Some(Open::Sound { at, mime });
    }

    fn cite(&mut self, raw: &RawValue, out: &mut Parts) {
        let Some(Open::Text { at, .. }) = self.open else {
            return self.remember("citationMetadata", &Json::from(raw));
        };
        for citation in sources::recited(raw) {
            out.delta(at, Delta::Citation(Box::new(citation)));
        }
    }

    fn logprobs(&mut self, raw: &RawValue, out: &mut Parts) {
        match (&self.open, tokens(raw)) {
            (Some(Open::Text { at, .. }), Some(tokens)) if !tokens.is_empty() => {
                out.delta(*at, Delta::Logprobs(tokens));
            }
            _ => self.remember("logprobsResult", &Json::from(raw)),
        }
    }

    fn reason(&mut self, raw: &RawValue) {
        let word = serde_json::from_str::<String>(raw.get()).ok();
        let number = || raw.get().parse().ok().map(word_of);
        if let Some(word) = word.or_else(number) {
            self.word = Some(word);
        }
    }

    fn feedback(&mut self, raw: &RawValue) {
        let feedback = Object::parse(raw.get()).unwrap_or_default();
        if feedback.get("blockReason").is_some() || feedback.get("blockReasonMessage").is_some() {
            let number = feedback.peek::<u64>("blockReason").map(|number| number.to_string());
            self.block = Some(Block { reason: feedback.peek("blockReason").or(number) });
        }
        if !feedback.is_empty() {
            self.remember("promptFeedback", &Json::from(raw));
        }
    }

    /// Figures are those of the whole answer so far, and most frames repeat them.
    fn figures(&mut self, raw: &RawValue, out: &mut Parts) {
        if self.figures == raw.get() {
            return;
        }
        raw.get().clone_into(&mut self.figures);
        let (usage, counts) = usage::read(raw);
        self.counts = counts;
        if usage != self.usage {
            self.usage.clone_from(&usage);
            out.usage(usage);
        }
    }

    /// What has no place of its own; a newer value counts, and objects grow.
    fn keep(&mut self, object: &Object<'_>) {
        for (name, value) in object.iter().filter(|(_, value)| !matches!(value.get(), "null" | "{}")) {
            self.remember(name, &Json::from(value));
        }
    }

    fn remember(&mut self, name: &str, value: &Json) {
        self.last_words.over(name, value);
    }

    /// Ends the part that is open.
    fn close(&mut self, out: &mut Parts) {
        match self.open.take() {
            Some(Open::Call { at, arguments }) => {
                if let Some(text) = arguments.text() {
                    out.input(at, text);
                }
                out.close(at);
            }
            Some(Open::Text { at, .. } | Open::Reasoning { at } | Open::Sound { at, .. }) => out.close(at),
            None => {}
        }
    }

    fn finish(&mut self, out: &mut Parts) {
        let mut extra = Extra::default();
        self.last_words.each(|name, value| extra.set(PROTOCOL, name, value.clone()));
        if let (Some(Open::Text { at, .. }), Some(metadata)) = (&self.open, extra.get(PROTOCOL, GROUNDING)) {
            for citation in sources::grounded(metadata, &self.said) {
                out.delta(*at, Delta::Citation(Box::new(citation)));
            }
        }
        self.close(out);
        let mut finish = match (self.word.take(), self.block.take()) {
            (Some(word), _) => Finish::new(reason_of(&word, self.has_calls)).with_raw(word),
            (None, Some(block)) => {
                let mut finish = Finish::new(FinishReason::Filtered);
                finish.raw = block.reason;
                finish
            }
            (None, None) => Finish::new(FinishReason::Other),
        };
        finish.extra = extra;
        out.finish(finish);
    }
}

/// Whether sound of a type is bare samples, of which pieces are one.
fn is_samples(mime: &str) -> bool {
    let kind = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(kind.as_str(), "audio/l16" | "audio/pcm")
}

/// The probabilities of a `logprobsResult`; `None` when it has another shape.
fn tokens(raw: &RawValue) -> Option<Vec<TokenLogprob>> {
    let result = Object::parse(raw.get()).ok()?;
    let chosen: Vec<Object<'_>> = result.peek("chosenCandidates")?;
    let near: Vec<Object<'_>> = result.peek("topCandidates").unwrap_or_default();
    let mut near = near.into_iter();
    let mut tokens = Vec::with_capacity(chosen.len());
    for candidate in &chosen {
        let top = near.next().and_then(|top| top.peek::<Vec<Object<'_>>>("candidates")).unwrap_or_default();
        let top: Option<Vec<Logprob>> = top.iter().map(token).collect();
        tokens.push(TokenLogprob::new(token(candidate)?, top?));
    }
    Some(tokens)
}

fn token(candidate: &Object<'_>) -> Option<Logprob> {
    let probability = candidate.peek("logProbability").unwrap_or(0.0);
    Some(Logprob::new(candidate.peek::<String>("token")?, probability, None))
}

fn malformed(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Protocol, format!("the answer is not the JSON of this protocol: {error}"))
        .with_source(error)
}

fn as_protocol(error: Error) -> Error {
    Error::new(ErrorKind::Protocol, error.message().to_owned()).with_source(error)
}

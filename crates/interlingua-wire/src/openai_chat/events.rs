//! From chunks and whole answers to events.

use std::borrow::Cow;
use std::sync::Arc;

use interlingua_model::{
    Citation, Custom, Data, Delta as PartDelta, Error, ErrorKind, Extra, Finish, FinishReason, Json, Logprob,
    Media, Output, Source, Span, Start, Text, TokenLogprob, Usage, Warning,
};
use serde_json::value::RawValue;

use super::PROTOCOL;
use super::calls::{Calls, rest_of};
use super::complaint::reported;
use super::dialect::{Dialect, StreamEnd};
use super::messages::{REFERENCE, REFERENCE_IDS};
use super::reasoning::{Open, SIGNATURE, detail_text, extra_of, spoken, thinking_text};
use super::seen::Seen;
use super::types::{
    Annotation, Audio, Choice, Chunk, ContentPart, Count, Delta, ImageUrl, Logprobs, RawChoices, Rest, Str,
    string,
};
use super::usage::usage;
use crate::frame::Frame;
use crate::markup::{Found, Splitter};
use crate::refusal::kept;
use crate::{Object, Parts, Reader, Varying, object};

/// Reads the answer to one call.
#[derive(Debug)]
pub(super) struct ChatReader {
    dialect: Arc<Dialect>,
    calls: Calls,
    text: Option<TextPart>,
    reasoning: Option<Open>,
    audio: Option<u32>,
    /// Whether a refusal was spoken.
    refused: bool,
    /// Citations that came before any text.
    citations: Vec<Citation>,
    /// What came so far, where each delta repeats it.
    content: String,
    thought: String,
    usage: Option<Box<Usage>>,
    /// The unknown fields. Where there are too many of them, the values of further ones are passed on at once.
    seen: Seen,
    finish: Ending,
    /// Whether the answer comes at once, so that no field is said twice.
    whole: bool,
    /// Takes reasoning and calls out of the text, where the models write them into it.
    splitter: Option<Splitter>,
    /// The only field of the last chunk that said anything, if the next may repeat it.
    again: Option<&'static str>,
}

#[derive(Debug)]
struct TextPart {
    at: u32,
    refusal: bool,
    /// A tool call has begun since: new text belongs to a new part.
    passed: bool,
}

/// What is known of the end so far.
#[derive(Debug, Default)]
struct Ending {
    word: Option<String>,
    stop_sequence: Option<String>,
    extra: Extra,
}

impl Reader for ChatReader {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        self.again = None;
        let data = frame.data.trim_ascii();
        if data.starts_with(b"[DONE]") {
            return self.done(out);
        }
        if data.is_empty() {
            return Ok(());
        }
        let chunk: Chunk<'_> = parse(data)?;
        let is_plain = !self.dialect.cumulative_deltas && self.splitter.is_none();
        let again = chunk.only_word().filter(|_| is_plain);
        self.chunk(chunk, data, out)?;
        self.again = again;
        Ok(())
    }

    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error> {
        let data = body.trim_ascii();
        if data.starts_with(b"[") && object::read::<Vec<&RawValue>>(data).is_ok() {
            return Err(reported(data));
        }
        let chunk: Chunk<'_> = parse(data)?;
        let answered = chunk.choices.as_ref().is_some_and(|choices| choices.first.is_some());
        self.whole = true;
        self.chunk(chunk, data, out)?;
        if !answered {
            return Err(Error::new(ErrorKind::Protocol, "the answer has no choices"));
        }
        self.end_of_answer(out);
        Ok(())
    }

    fn end(&mut self, out: &mut Parts) -> Result<(), Error> {
        if self.finish.word.is_some() && self.dialect.stream_end == StreamEnd::DoneOrEof {
            self.end_of_answer(out);
        } else {
            self.split(out, Splitter::cut);
        }
        Ok(())
    }

    fn varying(&self) -> Option<Varying> {
        self.again.map(|field| Varying::new(field, &["id", "created", "obfuscation", "p"]))
    }
}

fn parse(data: &[u8]) -> Result<Chunk<'_>, Error> {
    object::read(data).map_err(|error| {
        let message = format!("a chunk is not a Chat Completions chunk: {error}");
        Error::new(ErrorKind::Protocol, message).with_source(error)
    })
}

impl ChatReader {
    /// A reader for one answer.
    pub(super) fn new(dialect: Arc<Dialect>) -> Self {
        Self {
            calls: Calls::new(dialect.tool_deltas, dialect.cumulative_deltas),
            splitter: (!dialect.markup.is_empty()).then(|| Splitter::new(dialect.markup.clone())),
            dialect,
            text: None,
            reasoning: None,
            audio: None,
            refused: false,
            citations: Vec::new(),
            content: String::new(),
            thought: String::new(),
            usage: None,
            seen: Seen::default(),
            finish: Ending::default(),
            whole: false,
            again: None,
        }
    }

    fn chunk(&mut self, mut chunk: Chunk<'_>, data: &[u8], out: &mut Parts) -> Result<(), Error> {
        let failed = is_failure(&chunk);
        let choices = chunk.choices.take();
        let answered = choices.as_ref().is_some_and(|choices| choices.first.is_some() || choices.others);
        self.start(&chunk, answered && !failed, out);
        if out.is_started() && !self.whole {
            for (name, value) in chunk.said_at_start() {
                self.field(name, value, out);
            }
        }
        self.rest(&chunk.rest, out);
        let mut failure = failed.then(|| reported(data));
        if let Some(choices) = choices {
            if choices.others {
                others(data, out);
            }
            if let Some(choice) = choices.first {
                failure = failure
                    .or_else(|| choice.error.filter(|error| is_truthy(error)).map(|_| choice_error(data)));
                self.choice(choice, out)?;
            }
        }
        self.report(chunk.usage, out);
        if let Some(groq) = chunk.x_groq {
            self.report(groq.usage, out);
            self.keep_groq(groq.id.and_then(Str::filled).as_deref(), &groq.rest);
        }
        failure.map_or(Ok(()), Err)
    }

    /// Keeps what Groq says beside usage, in one object; later chunks add to it.
    fn keep_groq(&mut self, id: Option<&str>, rest: &Rest<'_>) {
        let known = self.finish.extra.get(PROTOCOL, "x_groq").cloned();
        let known = known.as_ref().and_then(|known| Object::parse(known.as_str()).ok()).unwrap_or_default();
        let mut fields: Vec<(String, String)> =
            known.iter().map(|(name, value)| (name.to_owned(), value.get().to_owned())).collect();
        fields.extend(id.map(|id| ("id".to_owned(), Json::string(id).to_string())));
        fields.extend(rest.iter().map(|(name, value)| (name.to_owned(), value.get().to_owned())));
        if fields.is_empty() {
            return;
        }
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}:{value}", Json::string(name))).collect();
        self.finish.extra.set(PROTOCOL, "x_groq", Json::from_text(format!("{{{}}}", fields.join(","))));
    }

    fn start(&mut self, chunk: &Chunk<'_>, answered: bool, out: &mut Parts) {
        if out.is_started() || !(answered || chunk.usage.is_some()) {
            return;
        }
        let text = |field: &Option<Str<'_>>| field.clone().and_then(Str::filled).map(Cow::into_owned);
        let mut start = Start::new(text(&chunk.id), text(&chunk.model));
        start.created = chunk.created.and_then(|Count(created)| created).filter(|created| *created > 0);
        for (name, value) in chunk.said_at_start() {
            start.extra.set(PROTOCOL, name, Json::from(value));
            if !self.whole {
                self.seen.is_news(name, value.get());
            }
        }
        self.calls.answer.clone_from(&start.id);
        self.seen.begin();
        out.start(start);
    }

    /// Keeps unknown fields: what an answer says about itself, and says for good at its end.
    fn rest(&mut self, rest: &Rest<'_>, out: &mut Parts) {
        for (name, value) in rest.iter() {
            self.field(name, value, out);
        }
    }

    fn field(&mut self, name: &str, value: &RawValue, out: &mut Parts) {
        if self.whole {
            self.finish.extra.set(PROTOCOL, name, Json::from(value));
        } else if self.seen.is_too_many(name) {
            out.other(Custom::new(PROTOCOL, name, Json::from(value)));
        } else if self.seen.is_news(name, value.get()) {
            // What goes back to the value it began with has not changed.
            if self.seen.is_as_begun(name, value.get()) {
                self.finish.extra.take(PROTOCOL, name);
            } else {
                self.finish.extra.set(PROTOCOL, name, Json::from(value));
            }
        }
    }

    fn report(&mut self, value: Option<&RawValue>, out: &mut Parts) {
        let Some(value) = value else { return };
        let found = usage(value);
        if self.usage.as_deref() != Some(&found) {
            self.usage = Some(Box::new(found.clone()));
            out.usage(found);
        }
    }

    fn choice(&mut self, choice: Choice<'_>, out: &mut Parts) -> Result<(), Error> {
        // A stream's delta goes before the whole text that some services repeat beside it. A whole answer has a message.
        let whole = out.count() == 0 && choice.delta.as_ref().is_none_or(Delta::is_empty);
        let message = choice.message.filter(|_| whole).map(|message| *message);
        let delta = message.or(choice.delta);
        if let Some(delta) = delta {
            self.delta(delta, out)?;
        }
        if let Some(logprobs) = choice.logprobs {
            self.logprobs(logprobs, out);
        }
        self.report(choice.usage, out);
        if let Some(word) = choice.finish_reason.and_then(Str::filled) {
            self.finish.word = Some(word.into_owned());
        }
        if let Some(stop) = choice.stop_reason {
            match string(stop) {
                Some(text) => self.finish.stop_sequence = Some(text.into_owned()),
                None => self.finish.extra.set(PROTOCOL, "stop_reason", Json::from(stop)),
            }
        }
        self.rest(&choice.rest, out);
        Ok(())
    }

    fn delta(&mut self, delta: Delta<'_>, out: &mut Parts) -> Result<(), Error> {
        self.reasoning(&delta, out);
        if let Some(content) = delta.content {
            self.content(content, out)?;
        }
        if let Some(refusal) = delta.refusal.and_then(Str::filled) {
            self.refused = true;
            self.words(refusal, true, out);
        }
        for annotation in delta.annotations.iter().flatten() {
            self.annotation(annotation, out);
        }
        for image in delta.images.iter().flatten() {
            self.image(image, out);
        }
        if let Some(audio) = delta.audio {
            self.audio(*audio, out);
        }
        for call in delta.tool_calls.iter().flatten() {
            self.passed(out);
            self.calls.take(call, out).map_err(|error| {
                Error::new(ErrorKind::Protocol, format!("a tool call cannot be read: {error}"))
                    .with_source(error)
            })?;
        }
        if let Some(call) = &delta.function_call {
            if call.is_filled() {
                self.passed(out);
            }
            self.calls.legacy(call, out);
        }
        if !delta.rest.is_empty() {
            self.message_fields(&delta.rest, out);
        }
        Ok(())
    }

    fn reasoning(&mut self, delta: &Delta<'_>, out: &mut Parts) {
        let fields = [
            ("reasoning_content", delta.reasoning_content),
            ("reasoning", delta.reasoning),
            ("reasoning_text", delta.reasoning_text),
        ];
        let details = delta.reasoning_details.as_deref().unwrap_or_default();
        if let Some((field, text)) = spoken(fields) {
            self.think(field, &text, out);
        } else if !details.is_empty() && !self.reasoning.as_ref().is_some_and(|open| open.spoken) {
            self.think(super::reasoning::DETAILS, &detail_text(details), out);
        }
        if details.is_empty() {
            return;
        }
        let open = self.reasoning.get_or_insert_with(|| Open::new(super::reasoning::DETAILS, out));
        open.details(details);
    }

    /// Adds to the reasoning that is open, or opens a new part when something else has come since.
    fn think(&mut self, field: &str, text: &str, out: &mut Parts) {
        let new = if self.dialect.cumulative_deltas { rest_of(&self.thought, text) } else { text };
        if new.is_empty() {
            return;
        }
        if self.dialect.cumulative_deltas {
            self.thought.push_str(new);
        }
        self.think_on(field, new, out);
    }

    fn think_on(&mut self, field: &str, new: &str, out: &mut Parts) {
        if let Some(text) = self.text.take() {
            out.close(text.at);
        }
        if let Some(old) = self.reasoning.take_if(|open| open.passed) {
            old.close(out);
        }
        let open = self.reasoning.get_or_insert_with(|| Open::new(field, out));
        open.spoken |= field != super::reasoning::DETAILS;
        out.text(open.at, new);
    }

    /// Something else than reasoning begins.
    fn reasoned(&mut self, out: &mut Parts) {
        if let Some(open) = self.reasoning.take_if(|open| !open.is_sealed()) {
            open.close(out);
        }
        if let Some(open) = &mut self.reasoning {
            open.passed = true;
            open.flush(out);
        }
    }

    /// Something else than text begins.
    fn passed(&mut self, out: &mut Parts) {
        self.reasoned(out);
        if let Some(text) = &mut self.text {
            text.passed = true;
        }
    }

    /// `content`: a text, or an array of parts.
    fn content(&mut self, content: &RawValue, out: &mut Parts) -> Result<(), Error> {
        if let Some(text) = string(content) {
            self.words(text, false, out);
            return Ok(());
        }
        let unreadable = |error: serde_json::Error| {
            Error::new(ErrorKind::Protocol, format!("`content` cannot be read: {error}")).with_source(error)
        };
        if content.get().starts_with('{') {
            return self.content_part(content, out).map_err(unreadable);
        }
        let parts: Vec<&RawValue> = serde_json::from_str(content.get()).map_err(unreadable)?;
        for part in parts {
            self.content_part(part, out).map_err(unreadable)?;
        }
        Ok(())
    }

    fn content_part(&mut self, raw: &RawValue, out: &mut Parts) -> Result<(), serde_json::Error> {
        if let Some(text) = string(raw) {
            self.words(text, false, out);
            return Ok(());
        }
        let part: ContentPart<'_> = serde_json::from_str(raw.get())?;
        let kind = part.kind.and_then(Str::filled).unwrap_or_default();
        match (&*kind, part.text, part.thinking) {
            ("text" | "output_text" | "", Some(text), _) => self.words(text.0, false, out),
            ("refusal", text, _) => {
                self.refused = true;
                self.words(part.refusal.or(text).unwrap_or_default().0, true, out);
            }
            ("thinking", _, Some(thinking)) => {
                self.think("thinking", &thinking_text(thinking), out);
                self.sign(part.signature, out);
            }
            ("image_url", _, _) if part.image_url.is_some() => self.image(raw, out),
            ("reference", _, _) => {
                let mut citation = Citation::new(REFERENCE);
                if let Some(ids) = part.reference_ids {
                    citation.extra.set(PROTOCOL, REFERENCE_IDS, Json::from(ids));
                }
                self.cite(citation, out);
            }
            (kind, _, _) => {
                self.passed(out);
                out.whole(Output::Custom(Custom::new(PROTOCOL, kind, Json::from(raw))));
            }
        }
        Ok(())
    }

    /// The signature of a thinking chunk, which may come without any text.
    fn sign(&mut self, signature: Option<Str<'_>>, out: &mut Parts) {
        let Some(signature) = signature.and_then(Str::filled) else { return };
        let open = self.reasoning.get_or_insert_with(|| Open::new("thinking", out));
        out.delta(open.at, PartDelta::extra(Extra::of(PROTOCOL, SIGNATURE, Json::string(&signature))));
    }

    fn words(&mut self, text: Cow<'_, str>, refusal: bool, out: &mut Parts) {
        if text.is_empty() {
            return;
        }
        if !self.dialect.cumulative_deltas || refusal {
            return self.say(text, refusal, out);
        }
        let new = rest_of(&self.content, &text).to_owned();
        if !new.is_empty() {
            self.content.push_str(&new);
            self.say(Cow::Owned(new), refusal, out);
        }
    }

    /// Adds text, without the markup that it may hold.
    fn say(&mut self, text: Cow<'_, str>, refusal: bool, out: &mut Parts) {
        if self.splitter.is_some() && !refusal {
            return self.split(out, |splitter, each| splitter.push(&text, each));
        }
        let at = self.text_part(refusal, out);
        out.text(at, text);
    }

    fn split(&mut self, out: &mut Parts, work: impl FnOnce(&mut Splitter, &mut dyn FnMut(Found<'_>))) {
        let Some(mut splitter) = self.splitter.take() else { return };
        work(&mut splitter, &mut |found| match found {
            Found::Text(text) => {
                let at = self.text_part(false, out);
                out.text(at, text);
            }
            Found::Reasoning(text) => self.think_on("reasoning_content", text, out),
            Found::Call(call) => {
                self.passed(out);
                self.calls.written(call, out);
            }
        });
        self.splitter = Some(splitter);
    }

    /// The text part that is open, or a new one when something else has come since.
    fn text_part(&mut self, refusal: bool, out: &mut Parts) -> u32 {
        if let Some(text) = &self.text {
            if text.refusal == refusal && !text.passed {
                return text.at;
            }
            out.close(text.at);
        }
        self.reasoned(out);
        let text = if refusal { Text::refusal("") } else { Text::default() };
        let at = out.open(Output::Text(text));
        self.text = Some(TextPart { at, refusal, passed: false });
        for citation in std::mem::take(&mut self.citations) {
            out.delta(at, PartDelta::Citation(Box::new(citation)));
        }
        at
    }

    fn annotation(&mut self, raw: &RawValue, out: &mut Parts) {
        let Ok(annotation) = serde_json::from_str::<Annotation<'_>>(raw.get()) else {
            out.other(Custom::new(PROTOCOL, "annotation", Json::from(raw)));
            return;
        };
        let kind = annotation.kind.and_then(Str::filled).unwrap_or_default();
        let mut citation = Citation::new(&*kind);
        let page = match annotation.url_citation {
            Some(page) => Some(page),
            None => serde_json::from_str(raw.get()).ok(),
        };
        if let Some(page) = page {
            let text = |field: Option<Str<'_>>| field.and_then(Str::filled).map(Cow::into_owned);
            let index = |field: Option<Count>| field.and_then(|Count(index)| index);
            citation.url = text(page.url);
            citation.title = text(page.title);
            if let (Some(start), Some(end)) = (index(page.start_index), index(page.end_index)) {
                citation.span = Some(Span { start, end });
            }
            citation.extra = extra_of(&page.rest);
        }
        self.cite(citation, out);
    }

    fn cite(&mut self, citation: Citation, out: &mut Parts) {
        match &self.text {
            Some(text) => out.delta(text.at, PartDelta::Citation(Box::new(citation))),
            None => self.citations.push(citation),
        }
    }

    fn image(&mut self, raw: &RawValue, out: &mut Parts) {
        let object = Object::parse(raw.get()).unwrap_or_default();
        let address = object.get("image_url").and_then(address);
        self.passed(out);
        match address {
            Some(url) => out.whole(Output::Media(super::media::of_url("image/*", &url))),
            None => out.whole(Output::Custom(Custom::new(PROTOCOL, "image", Json::from(raw)))),
        };
    }

    fn audio(&mut self, audio: Audio<'_>, out: &mut Parts) {
        let expires = audio.expires_at.and_then(|Count(at)| at).filter(|at| *at > 0);
        let id = audio.id.and_then(Str::filled);
        let data = audio.data.and_then(Str::filled);
        let transcript = audio.transcript.and_then(Str::filled);
        if id.is_none() && data.is_none() && transcript.is_none() && expires.is_none() {
            return;
        }
        self.passed(out);
        let at = *self.audio.get_or_insert_with(|| {
            out.open(Output::Media(Media::new("audio/*", Source::Bytes(Data::from(Vec::new())))))
        });
        let mut extra = extra_of(&audio.rest);
        if let Some(id) = id {
            extra.set(PROTOCOL, "id", Json::string(&id));
        }
        if let Some(expires) = expires {
            extra.set(PROTOCOL, "expires_at", Json::from_text(expires.to_string()));
        }
        if !extra.is_empty() {
            out.delta(at, PartDelta::extra(extra));
        }
        if let Some(data) = data {
            match Data::from_base64(&data) {
                Ok(data) => out.delta(at, PartDelta::Data(data)),
                Err(error) => out.warning(Warning::dropped("audio.data", format!("not base64: {error}"))),
            }
        }
        if let Some(transcript) = transcript {
            out.text(at, transcript);
        }
    }

    /// Token probabilities: those of the text go to the text, all others are passed on as they are.
    fn logprobs(&mut self, raw: &RawValue, out: &mut Parts) {
        let Ok(logprobs) = serde_json::from_str::<Logprobs<'_>>(raw.get()) else {
            out.other(Custom::new(PROTOCOL, "logprobs", Json::from(raw)));
            return;
        };
        let spoken = logprobs.content.filter(|tokens| !tokens.is_empty()).or(logprobs.refusal);
        let spoken = spoken.filter(|tokens| !tokens.is_empty());
        match (&self.text, spoken) {
            (Some(text), Some(tokens)) => {
                if !logprobs.rest.is_empty() {
                    out.other(Custom::new(PROTOCOL, "logprobs", object_of(&logprobs.rest)));
                }
                let tokens = tokens.into_iter().map(|token| token_logprob(&token)).collect();
                out.delta(text.at, PartDelta::Logprobs(tokens));
            }
            (None, Some(_)) => out.other(Custom::new(PROTOCOL, "logprobs", Json::from(raw))),
            (_, None) if !logprobs.rest.is_empty() => {
                out.other(Custom::new(PROTOCOL, "logprobs", Json::from(raw)));
            }
            (_, None) => {}
        }
    }

    /// Unknown fields of a message. What seals it (Gemini's thought signatures) must go back, so it belongs to the last
    /// part; the rest is passed on.
    fn message_fields(&mut self, rest: &Rest<'_>, out: &mut Parts) {
        for (name, value) in rest.iter() {
            let key = format!("{}{name}", super::MESSAGE_FIELD);
            if !self.seen.is_news(&key, value.get()) {
                continue;
            }
            let last = out.count().checked_sub(1).filter(|at| out.is_open(*at));
            match last {
                Some(at) if super::REPLAYED.contains(&name) => {
                    out.delta(at, PartDelta::extra(Extra::of(PROTOCOL, &key, Json::from(value))));
                }
                _ => out.other(Custom::new(PROTOCOL, key, Json::from(value))),
            }
        }
    }

    /// `[DONE]`. Some services (Snowflake, OpenAI's sound models, Hugging Face) never say why an answer ended, but one
    /// that never began was cut.
    fn done(&mut self, out: &mut Parts) -> Result<(), Error> {
        if self.finish.word.is_none() && out.count() == 0 {
            return Err(Error::new(ErrorKind::Truncated, "the stream ended before an answer"));
        }
        self.end_of_answer(out);
        Ok(())
    }

    fn end_of_answer(&mut self, out: &mut Parts) {
        self.split(out, Splitter::end);
        self.calls.finish(out);
        if let Some(open) = self.reasoning.take() {
            open.close(out);
        }
        for citation in std::mem::take(&mut self.citations) {
            if let Ok(value) = Json::of(&citation) {
                out.other(Custom::new(PROTOCOL, "citation", value));
            }
        }
        let ending = std::mem::take(&mut self.finish);
        let mut finish = Finish::new(self.reason(ending.word.as_deref()));
        finish.raw = ending.word;
        finish.stop_sequence = ending.stop_sequence;
        finish.extra = ending.extra;
        out.finish(finish);
    }

    /// The reason in neutral terms. OpenAI says `stop` for calls that were forced, so calls decide.
    fn reason(&self, word: Option<&str>) -> FinishReason {
        let calls = !self.calls.is_empty();
        let known =
            word.map(|word| self.dialect.finish_words.get(word).copied().unwrap_or_else(|| of_word(word)));
        match known {
            None | Some(FinishReason::Stop) if calls => FinishReason::ToolUse,
            None | Some(FinishReason::Stop) if self.refused => FinishReason::Refused,
            None => FinishReason::Stop,
            Some(FinishReason::ToolUse) if !calls => FinishReason::Other,
            Some(reason) => reason,
        }
    }
}

/// Fields that are not known, as an object of their own.
fn object_of(rest: &Rest<'_>) -> Json {
    let fields: Vec<String> =
        rest.iter().map(|(name, value)| format!("{}:{}", Json::string(name), value.get())).collect();
    Json::from_text(format!("{{{}}}", fields.join(",")))
}

/// Whether a chunk reports an error instead of an answer.
fn is_failure(chunk: &Chunk<'_>) -> bool {
    let code = chunk.base_resp.as_ref().and_then(|base| base.status_code).and_then(|Count(code)| code);
    let object = chunk.object.as_ref().map_or("", |Str(object)| object);
    chunk.error.is_some_and(is_truthy)
        || chunk.x_groq.as_ref().and_then(|groq| groq.error).is_some_and(is_truthy)
        || code.is_some_and(|code| code != 0)
        || object == "error"
        || (chunk.choices.is_none()
            && chunk.rest.iter().any(|(name, _)| matches!(name, "detail" | "message")))
}

/// The words that services use.
fn of_word(word: &str) -> FinishReason {
    match word.to_ascii_lowercase().as_str() {
        "stop" | "end" | "eos" | "eos_token" | "end_turn" | "stop_sequence" | "complete" | "completed" => {
            FinishReason::Stop
        }
        "length" | "max_tokens" | "max_output_tokens" | "model_length" | "model_context_window_exceeded" => {
            FinishReason::Length
        }
        "tool_calls" | "tool_call" | "tool_use" | "function_call" => FinishReason::ToolUse,
        "content_filter" | "content_filtered" | "sensitive" | "safety" => FinishReason::Filtered,
        "refusal" => FinishReason::Refused,
        "pause_turn" => FinishReason::Paused,
        _ => FinishReason::Other,
    }
}

/// The address of an image: a text, or an object that holds it.
fn address(value: &RawValue) -> Option<String> {
    if let Some(url) = string(value) {
        return Some(url.into_owned());
    }
    let image: ImageUrl<'_> = serde_json::from_str(value.get()).ok()?;
    image.url.and_then(Str::filled).map(Cow::into_owned)
}

/// Whether an `error` field says anything: `null`, `false`, `""` and `{}` do not.
fn is_truthy(value: &RawValue) -> bool {
    !matches!(value.get(), "null" | "false" | "\"\"" | "{}" | "0")
}

/// The error inside a choice (OpenRouter).
fn choice_error(data: &[u8]) -> Error {
    let chunk: Option<RawChoices<'_>> = object::read(data).ok();
    let choice = chunk.and_then(|chunk| chunk.choices.first().copied());
    let error = reported(choice.map_or(data, |choice| choice.get().as_bytes()));
    error.with_body(kept(data))
}

/// Passes on the answers besides the first.
fn others(data: &[u8], out: &mut Parts) {
    let Ok(raw) = object::read::<RawChoices<'_>>(data) else { return };
    let mut first = true;
    for choice in raw.choices {
        let index =
            Object::parse(choice.get()).ok().and_then(|object| object.peek::<u64>("index")).unwrap_or(0);
        if index == 0 && std::mem::take(&mut first) {
            continue;
        }
        out.other(Custom::new(PROTOCOL, "choice", Json::from(choice)));
    }
}

fn token_logprob(token: &super::types::TokenLogprob<'_>) -> TokenLogprob {
    let plain = |token: &super::types::TokenLogprob<'_>| {
        let text = token.token.clone().unwrap_or_default().0;
        Logprob::new(text, token.logprob.unwrap_or(f64::MIN), token.bytes.clone())
    };
    let top = token.top_logprobs.iter().flatten().map(plain).collect();
    TokenLogprob::new(plain(token), top)
}

impl<'a> Chunk<'a> {
    /// What is said of an answer as a whole from its beginning; everything else is certain only at its end.
    fn said_at_start(&self) -> impl Iterator<Item = (&'static str, &'a RawValue)> + use<'a> {
        let fields = [
            ("service_tier", self.service_tier),
            ("system_fingerprint", self.system_fingerprint),
            ("provider", self.provider),
        ];
        fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .filter(|(_, value)| value.get() != "\"\"")
    }
}

impl Delta<'_> {
    /// Whether it says nothing of the answer.
    fn is_empty(&self) -> bool {
        self.content.is_none_or(|content| matches!(content.get(), "\"\"" | "[]"))
            && self.refusal.as_ref().is_none_or(|Str(text)| text.is_empty())
            && self.tool_calls.as_ref().is_none_or(Vec::is_empty)
            && self.function_call.is_none()
            && self.reasoning_content.is_none()
            && self.reasoning.is_none()
            && self.reasoning_text.is_none()
            && self.reasoning_details.is_none()
            && self.audio.is_none()
            && self.images.is_none()
    }
}

//! Wire to events.

use interlingua_model::{
    Custom, Delta, Error, ErrorKind, Extra, Finish, FinishReason, Json, Logprob, Output, Reasoning, Start,
    Text, TokenLogprob,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{PROTOCOL, call, complaint, picture, usage};
use crate::draft::Draft;
use crate::frame::Frame;
use crate::{Object, Parts, Reader, Varying, date};

/// Reads the lines of one answer, or a whole one, which is one line with everything in it.
#[derive(Debug, Default)]
pub(super) struct ChatReader {
    /// The part that grows.
    current: Option<(Kind, u32)>,
    calls: usize,
    /// What the first line says of the answer, which the others repeat.
    said: Extra,
    /// The field of the message that the last line brought, if the next may repeat it.
    again: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
}

/// A probability as the service tells it.
#[derive(Debug, Deserialize)]
struct Probability {
    token: String,
    logprob: f64,
    #[serde(default)]
    bytes: Option<Vec<u8>>,
    #[serde(default)]
    top_logprobs: Vec<Self>,
}

impl Reader for ChatReader {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        self.again = None;
        let line = Object::from_slice(frame.data).map_err(malformed)?;
        self.line(line, frame.data, out)
    }

    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error> {
        let line = Object::from_slice(body).map_err(malformed)?;
        let is_cut = line.peek("done") == Some(false);
        if line.get("message").is_none() && line.get("done").is_none() && !complaint::is_envelope(&line) {
            return Err(Error::new(ErrorKind::Protocol, "the answer is no message: it has no `message`"));
        }
        self.line(line, body, out)?;
        if !out.is_finished() && !is_cut {
            self.finish(None, Extra::default(), out);
        }
        Ok(())
    }

    fn end(&mut self, _out: &mut Parts) -> Result<(), Error> {
        // Only a line that is done ends a stream; without it the answer was cut, whatever came before.
        Ok(())
    }

    fn varying(&self) -> Option<Varying> {
        self.again.map(|field| Varying::new(field, &["created_at"]))
    }
}

impl ChatReader {
    fn line(&mut self, mut line: Object<'_>, raw: &[u8], out: &mut Parts) -> Result<(), Error> {
        if complaint::is_envelope(&line) {
            return Err(complaint::read(raw).reported());
        }
        let figures = usage::take(&mut line);
        let message = line.take_raw("message").filter(|message| message.get() != "null");
        let logprobs = line.take_raw("logprobs").filter(|logprobs| !matches!(logprobs.get(), "null" | "[]"));
        let is_done = line.take::<bool>("done").unwrap_or(None) == Some(true);
        let reason: Option<String> = line.take("done_reason").unwrap_or(None);
        let created: Option<String> = line.take("created_at").unwrap_or(None);
        let is_first = !out.is_started();
        if is_first {
            self.start(&mut line, created.as_deref(), out);
        }
        line.take_raw("model");
        let thought = match message {
            Some(message) => self.message(message, created.as_deref(), out)?,
            None => false,
        };
        if let Some(logprobs) = logprobs {
            self.logprobs(logprobs, thought, out);
        }
        let more = self.unsaid(&line);
        if is_done {
            out.close_all();
            out.usage(figures);
            self.finish(reason, more, out);
        } else if !more.is_empty() {
            self.again = None;
            out.other(Custom::new(PROTOCOL, "line", object(&more)));
        }
        Ok(())
    }

    fn start(&mut self, line: &mut Object<'_>, created: Option<&str>, out: &mut Parts) {
        let mut start = Start::new(None, line.take("model").unwrap_or(None));
        start.created = created
            .and_then(date::rfc3339)
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_secs()));
        start.extra = self.unsaid(line);
        self.said = start.extra.clone();
        out.start(start);
    }

    /// What a line says that no line before it has said.
    fn unsaid(&self, line: &Object<'_>) -> Extra {
        let mut extra = Extra::default();
        for (name, value) in line.iter().filter(|(_, value)| value.get() != "null") {
            if self.said.get(PROTOCOL, name).is_none_or(|said| said.as_str() != value.get()) {
                extra.set(PROTOCOL, name, Json::from(value));
            }
        }
        extra
    }

    /// Reads a message; whether it brought thinking.
    fn message(&mut self, raw: &RawValue, created: Option<&str>, out: &mut Parts) -> Result<bool, Error> {
        let mut message = Object::parse(raw.get()).map_err(malformed)?;
        message.take_raw("role");
        let mut text = |name| message.take::<String>(name).map_err(as_protocol);
        let (thinking, content) =
            (text("thinking")?.unwrap_or_default(), text("content")?.unwrap_or_default());
        self.grow(Kind::Thinking, &thinking, out);
        self.grow(Kind::Text, &content, out);
        let images: Vec<String> = message.take("images").unwrap_or(None).unwrap_or_default();
        for image in images {
            self.end(out);
            match picture::read(&image) {
                Some(media) => out.whole(Output::Media(media)),
                None => out.whole(Output::Custom(Custom::new(PROTOCOL, picture::KIND, Json::string(&image)))),
            };
        }
        let calls: Vec<&RawValue> = message.take("tool_calls").unwrap_or(None).unwrap_or_default();
        for raw in calls {
            self.call(raw, created, out);
        }
        let mut more = Extra::default();
        for (name, value) in message.iter().filter(|(_, value)| value.get() != "null") {
            more.set(PROTOCOL, name, Json::from(value));
        }
        if !more.is_empty() {
            out.other(Custom::new(PROTOCOL, "message", object(&more)));
        }
        Ok(!thinking.is_empty())
    }

    fn grow(&mut self, kind: Kind, text: &str, out: &mut Parts) {
        if text.is_empty() {
            return;
        }
        let at = match self.current {
            Some((current, at)) if current == kind => at,
            _ => {
                self.end(out);
                let at = out.open(match kind {
                    Kind::Text => Output::Text(Text::default()),
                    Kind::Thinking => Output::Reasoning(Reasoning::default()),
                });
                self.current = Some((kind, at));
                at
            }
        };
        self.again = Some(if kind == Kind::Text { "content" } else { "thinking" });
        out.text(at, text);
    }

    /// A call comes whole. One without an id gets one that the time of its line makes unique.
    fn call(&mut self, raw: &RawValue, created: Option<&str>, out: &mut Parts) {
        self.end(out);
        self.calls += 1;
        let number = self.calls;
        match call::read(raw, |name| made_up(created.unwrap_or_default(), name, number)) {
            Some(mut call) => {
                let input = std::mem::replace(&mut call.input, Json::from_text(""));
                let at = out.open(Output::ToolCall(call));
                out.input(at, input.as_str());
                out.close(at);
            }
            None => {
                out.whole(Output::Custom(Custom::new(PROTOCOL, "tool_call", Json::from(raw))));
            }
        }
    }

    /// Probabilities belong to the text that comes with them; those of thinking have no part that takes them.
    fn logprobs(&mut self, raw: &RawValue, thought: bool, out: &mut Parts) {
        self.again = None;
        let text = self.current.filter(|(kind, _)| *kind == Kind::Text && !thought);
        let found: Option<Vec<Probability>> = serde_json::from_str(raw.get()).ok();
        match (text, found) {
            (Some((_, at)), Some(found)) => {
                out.delta(at, Delta::Logprobs(found.into_iter().map(Probability::token).collect()));
            }
            _ => out.other(Custom::new(PROTOCOL, "logprobs", Json::from(raw))),
        }
    }

    fn end(&mut self, out: &mut Parts) {
        if let Some((_, at)) = self.current.take() {
            out.close(at);
        }
    }

    /// That the model wants its tools run is nowhere said: it has called some.
    fn finish(&mut self, word: Option<String>, extra: Extra, out: &mut Parts) {
        let reason = match word.as_deref() {
            None | Some("stop" | "tool_calls") if self.calls > 0 => FinishReason::ToolUse,
            None | Some("stop") => FinishReason::Stop,
            Some("length") => FinishReason::Length,
            Some(_) => FinishReason::Other,
        };
        let mut finish = Finish::new(reason);
        finish.raw = word;
        finish.extra = extra;
        out.finish(finish);
    }
}

impl Probability {
    fn one(self) -> Logprob {
        Logprob::new(self.token, self.logprob, self.bytes)
    }

    fn token(mut self) -> TokenLogprob {
        let top = std::mem::take(&mut self.top_logprobs);
        TokenLogprob::new(self.one(), top.into_iter().map(Self::one).collect())
    }
}

/// Fields that are not known, as an object.
fn object(extra: &Extra) -> Json {
    Draft::default().extra(extra, PROTOCOL).json()
}

/// An id for a call without one: FNV-1a, so that the same bytes always give the same id.
fn made_up(created: &str, name: &str, number: usize) -> String {
    let bytes = created.bytes().chain(name.bytes()).chain(number.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("call_{hash:016x}")
}

fn malformed(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Protocol, format!("the answer is not the JSON of this protocol: {error}"))
        .with_source(error)
}

fn as_protocol(error: Error) -> Error {
    Error::new(ErrorKind::Protocol, error.message().to_owned()).with_source(error)
}

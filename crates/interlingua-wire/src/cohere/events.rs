//! Wire to events.

use std::collections::BTreeMap;

use interlingua_model::{
    Custom, Delta as PartDelta, Error, ErrorKind, Extra, Fields, Finish, FinishReason, Json, Logprob, Output,
    Reasoning, Start, Text, TokenLogprob,
};
use serde_json::value::RawValue;

use super::types::{Delta, Logprobs, MessageDelta, StreamEvent};
use super::{PLAN, PROTOCOL, citation, complaint, message, usage};
use crate::draft::Draft;
use crate::frame::Frame;
use crate::shape::Str;
use crate::{Object, Parts, Reader, Varying, object};

/// Reads the stream of one message, or a whole one.
#[derive(Debug, Default)]
pub(super) struct ChatReader {
    /// The content blocks that are open, by their index on the wire.
    blocks: BTreeMap<u64, Block>,
    /// How many content blocks have begun.
    count: u64,
    /// The calls that are open, by their index, which is counted apart.
    calls: BTreeMap<u64, u32>,
    /// The plan, while nothing else has begun.
    plan: Option<u32>,
    /// The field of the delta that the last frame brought, if the next may repeat it.
    again: Option<&'static str>,
}

/// A content block that has begun.
#[derive(Debug)]
struct Block {
    at: u32,
    /// Its place among all content blocks. Services may begin to count anew behind reasoning; citations do not.
    place: u64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Text,
    Thinking,
    /// A block that is not known, with all its fields, those that its deltas have brought included.
    Unknown(Box<(Custom, Fields)>),
}

impl Reader for ChatReader {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        self.again = None;
        if frame.data == b"[DONE]" {
            return Ok(());
        }
        let event = match object::read::<StreamEvent<'_>>(frame.data) {
            Ok(event) => event,
            Err(error) => return unshaped(frame, error, out),
        };
        let kind = kind_of(&event, frame);
        match &*kind {
            "message-start" => Self::message_start(frame, out)?,
            "message-end" => self.message_end(frame, out)?,
            "content-end" => self.content_end(event.index, out),
            "tool-call-end" => self.call_end(event.index, out),
            "citation-end" => {}
            "error" => return Err(complaint::read(frame.data).reported()),
            "" => return untyped(frame, out),
            _ => {
                let taken =
                    delta_of(&event).is_some_and(|delta| self.message_delta(&kind, &event, &delta, out));
                if !taken {
                    self.again = None;
                    out.other(Custom::new(PROTOCOL, &*kind, text_of(frame)));
                }
            }
        }
        Ok(())
    }

    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error> {
        let mut answer = Object::from_slice(body).map_err(malformed)?;
        if complaint::is_envelope(&answer) {
            return Err(complaint::read(body).reported());
        }
        let told: Object<'_> = answer.peek("message").ok_or_else(|| {
            Error::new(ErrorKind::Protocol, "the answer is no message: it has no `message`")
        })?;
        answer.take_raw("message");
        let figures = answer.take_raw("usage");
        let reason: Option<String> = answer.take("finish_reason").unwrap_or(None);
        let mut heard = message::read(&told);
        if let [Output::Text(text)] = heard.parts.as_mut_slice() {
            probable(&mut answer, text);
        }
        let mut start = start_of(&mut answer);
        start.extra.merge(&heard.extra);
        let id = start.id.clone();
        out.start(start);
        for part in heard.parts {
            out.whole(part);
        }
        heard.citations.into_iter().for_each(|citation| out.other(citation));
        if let Some(figures) = figures {
            out.usage(usage::read(figures));
        }
        finish(reason, None, id, Extra::default(), out)
    }

    fn end(&mut self, _out: &mut Parts) -> Result<(), Error> {
        // Only `message-end` ends a stream; without it the answer was cut, whatever came before.
        Ok(())
    }

    fn varying(&self) -> Option<Varying> {
        self.again.map(|field| Varying::new(field, &[]))
    }
}

impl ChatReader {
    /// The first event says the same as a whole message that holds nothing yet.
    fn message_start(frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        let mut event = Object::from_slice(frame.data).map_err(malformed)?;
        event.take_raw("type");
        let delta: Object<'_> = event.peek("delta").unwrap_or_default();
        event.take_raw("delta");
        let told: Object<'_> = delta.peek("message").unwrap_or_default();
        let heard = message::read(&told);
        let mut start = start_of(&mut event);
        start.extra.merge(&heard.extra);
        out.start(start);
        for part in heard.parts {
            out.whole(part);
        }
        Ok(())
    }

    /// What an event between the first and the last adds; `false` when it is not understood.
    fn message_delta(
        &mut self,
        kind: &str,
        event: &StreamEvent<'_>,
        delta: &MessageDelta<'_>,
        out: &mut Parts,
    ) -> bool {
        match (kind, delta) {
            ("tool-plan-delta", MessageDelta { tool_plan: Some(Str(text)), .. }) => {
                let at = *self.plan.get_or_insert_with(|| out.open(Output::Reasoning(message::planned())));
                self.again = Some(PLAN);
                out.text(at, &**text);
                true
            }
            ("content-start", MessageDelta { content: Some(raw), .. }) => {
                self.content_start(event.index, raw, out);
                true
            }
            ("content-delta", MessageDelta { content: Some(raw), .. }) => self.content_delta(event, raw, out),
            ("citation-start", MessageDelta { citations: Some(raw), .. }) => self.cite(raw, out),
            ("tool-call-start", MessageDelta { tool_calls: Some(raw), .. }) => {
                self.call_start(event.index, raw, out)
            }
            ("tool-call-delta", MessageDelta { tool_calls: Some(raw), .. }) => {
                self.call_delta(event.index, raw, out)
            }
            _ => false,
        }
    }

    fn content_start(&mut self, index: Option<u64>, raw: &RawValue, out: &mut Parts) {
        self.end_plan(out);
        self.content_end(index, out);
        let part = message::content(raw);
        let kind = match &part {
            Output::Text(_) => Kind::Text,
            Output::Reasoning(_) => Kind::Thinking,
            _ => {
                let mut fields = Fields::default();
                gather(&mut fields, raw);
                Kind::Unknown(Box::new((Custom::new(PROTOCOL, word(raw), Json::from(raw)), fields)))
            }
        };
        self.begin(index.unwrap_or(0), part, kind, out);
    }

    fn begin(&mut self, index: u64, part: Output, kind: Kind, out: &mut Parts) {
        self.blocks.insert(index, Block { at: out.open(part), place: self.count, kind });
        self.count += 1;
    }

    fn content_delta(&mut self, event: &StreamEvent<'_>, raw: &RawValue, out: &mut Parts) -> bool {
        let index = event.index.unwrap_or(0);
        let Ok(mut content) = Object::parse(raw.get()) else { return false };
        let said = ["text", "thinking"].into_iter().find_map(|name| Some((name, content.take_raw(name)?)));
        let said =
            said.and_then(|(name, text)| Some((name, serde_json::from_str::<Str<'_>>(text.get()).ok()?)));
        if !self.blocks.contains_key(&index) {
            let Some(begun) = said.as_ref().and_then(|(name, _)| unannounced(name)) else { return false };
            self.end_plan(out);
            let kind = if matches!(begun, Output::Text(_)) { Kind::Text } else { Kind::Thinking };
            self.begin(index, begun, kind, out);
        }
        let Some(block) = self.blocks.get_mut(&index) else { return false };
        if let Kind::Unknown(unknown) = &mut block.kind {
            gather(&mut unknown.1, raw);
            out.delta(
                block.at,
                PartDelta::Progress(Box::new(Custom::new(PROTOCOL, "content", Json::from(raw)))),
            );
            return true;
        }
        let Some((name, Str(text))) = said else { return false };
        if !text.is_empty() {
            self.again = Some(name);
            out.text(block.at, &*text);
        }
        content.take_raw("type");
        let mut extra = Extra::default();
        content.rest_into(&mut extra, PROTOCOL);
        if !extra.is_empty() {
            out.delta(block.at, PartDelta::extra(extra));
        }
        if let Some(raw) = event.logprobs {
            block.logprobs(raw, out);
        }
        true
    }

    fn content_end(&mut self, index: Option<u64>, out: &mut Parts) {
        let Some(block) = self.blocks.remove(&index.unwrap_or(0)) else { return };
        block.close(out);
    }

    /// A citation goes to the text it is of, while that is open.
    fn cite(&mut self, raw: &RawValue, out: &mut Parts) -> bool {
        let (index, is_of_text) = citation::target(raw);
        let mut texts =
            self.blocks.iter().filter(|(_, block)| is_of_text && matches!(block.kind, Kind::Text));
        let block = match index {
            Some(index) => texts
                .clone()
                .find(|(_, block)| block.place == index)
                .or_else(|| texts.find(|(counted, _)| **counted == index)),
            None => texts.next_back(),
        };
        match (block, citation::read(raw)) {
            (Some((_, block)), Some(citation)) => {
                out.delta(block.at, PartDelta::Citation(Box::new(citation)));
            }
            _ => out.other(Custom::new(PROTOCOL, "citation-start", Json::from(raw))),
        }
        true
    }

    fn call_start(&mut self, index: Option<u64>, raw: &RawValue, out: &mut Parts) -> bool {
        let Some(mut call) = message::call(raw) else { return false };
        self.end_plan(out);
        self.call_end(index, out);
        let input = std::mem::replace(&mut call.input, Json::from_text(""));
        let at = out.open(Output::ToolCall(call));
        if !input.is_blank() {
            out.input(at, input.as_str());
        }
        self.calls.insert(index.unwrap_or(0), at);
        true
    }

    fn call_delta(&mut self, index: Option<u64>, raw: &RawValue, out: &mut Parts) -> bool {
        let Some(at) = self.calls.get(&index.unwrap_or(0)).copied() else { return false };
        let Ok(mut object) = Object::parse(raw.get()) else { return false };
        let mut function: Object<'_> = object.peek("function").unwrap_or_default();
        object.take_raw("function");
        let text = function.take_raw("arguments");
        if let Some(Str(text)) = text.and_then(|text| serde_json::from_str(text.get()).ok())
            && !text.is_empty()
        {
            self.again = Some("arguments");
            out.input(at, &*text);
        }
        // Name and id were told at the beginning.
        for name in ["id", "type"] {
            object.take_raw(name);
        }
        function.take_raw("name");
        let extra = message::call_extra(&object, &function);
        if !extra.is_empty() {
            out.delta(at, PartDelta::extra(extra));
        }
        true
    }

    fn call_end(&mut self, index: Option<u64>, out: &mut Parts) {
        if let Some(at) = self.calls.remove(&index.unwrap_or(0)) {
            out.close(at);
        }
    }

    fn end_plan(&mut self, out: &mut Parts) {
        if let Some(at) = self.plan.take() {
            out.close(at);
        }
    }

    fn message_end(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        let mut event = Object::from_slice(frame.data).map_err(malformed)?;
        event.take_raw("type");
        let mut delta: Object<'_> = event.peek("delta").unwrap_or_default();
        event.take_raw("delta");
        for block in std::mem::take(&mut self.blocks).into_values() {
            block.close(out);
        }
        out.close_all();
        if let Some(figures) = delta.take_raw("usage") {
            out.usage(usage::read(figures));
        }
        let id: Option<String> = event.take("id").unwrap_or(None);
        let reason: Option<String> = delta.take("finish_reason").unwrap_or(None);
        let error: Option<String> = delta.take("error").unwrap_or(None);
        let mut extra = Extra::default();
        for (name, value) in delta.iter().chain(event.iter()).filter(|(_, value)| value.get() != "null") {
            extra.set(PROTOCOL, name, Json::from(value));
        }
        finish(reason, error, id, extra, out)
    }
}

impl Block {
    /// The probabilities of a piece of text; a piece of several tokens has the probability of all of them. The numbers of the
    /// tokens have no place in neutral terms and are left out.
    fn logprobs(&self, raw: &RawValue, out: &mut Parts) {
        let delta = match probability(raw).filter(|_| matches!(self.kind, Kind::Text)) {
            Some(token) => PartDelta::Logprobs(vec![token]),
            None => PartDelta::Progress(Box::new(Custom::new(PROTOCOL, "logprobs", Json::from(raw)))),
        };
        out.delta(self.at, delta);
    }

    fn close(self, out: &mut Parts) {
        if let Kind::Unknown(unknown) = self.kind {
            let (mut custom, fields) = *unknown;
            let value = Draft::default().fields(fields.iter()).json();
            if value != custom.value {
                custom.value = value;
                out.delta(self.at, PartDelta::Value(Box::new(custom)));
            }
        }
        out.close(self.at);
    }
}

/// The type of an event: the word in its data, else the name of the frame.
fn kind_of<'e>(event: &'e StreamEvent<'_>, frame: &'e Frame<'_>) -> std::borrow::Cow<'e, str> {
    match frame.name {
        Some(name) if event.kind.0.is_empty() => String::from_utf8_lossy(name),
        _ => std::borrow::Cow::Borrowed(&*event.kind.0),
    }
}

fn delta_of<'a>(event: &StreamEvent<'a>) -> Option<MessageDelta<'a>> {
    serde_json::from_str::<Delta<'a>>(event.delta?.get()).ok()?.message
}

/// What an answer says of itself: its id, and what is not known.
fn start_of(answer: &mut Object<'_>) -> Start {
    let mut start = Start::new(answer.take("id").unwrap_or(None), answer.take("model").unwrap_or(None));
    for (name, value) in answer.iter().filter(|(_, value)| value.get() != "null") {
        start.extra.set(PROTOCOL, name, Json::from(value));
    }
    start
}

/// The probabilities of an answer that is one text.
fn probable(answer: &mut Object<'_>, text: &mut Text) {
    let Some(raw) = answer.get("logprobs") else { return };
    let pieces: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    let found: Option<Vec<TokenLogprob>> = pieces.into_iter().map(probability).collect();
    if let Some(found) = found {
        text.logprobs = found;
        answer.take_raw("logprobs");
    }
}

fn probability(raw: &RawValue) -> Option<TokenLogprob> {
    let piece: Logprobs = serde_json::from_str(raw.get()).ok()?;
    let token = Logprob::new(piece.text?, piece.logprobs.iter().sum(), None);
    Some(TokenLogprob::new(token, Vec::new()))
}

/// The block that some servers forget to begin before they add to it.
fn unannounced(field: &str) -> Option<Output> {
    match field {
        "text" => Some(Output::Text(Text::default())),
        "thinking" => Some(Output::Reasoning(Reasoning::default())),
        _ => None,
    }
}

/// Adds the fields of a block or of its delta: text grows, everything else is replaced.
fn gather(fields: &mut Fields, raw: &RawValue) {
    let text = |json: &Json| serde_json::from_str::<String>(json.as_str()).ok();
    for (name, value) in Object::parse(raw.get()).unwrap_or_default().iter() {
        let newer = Json::from(value);
        let older = fields.get(name).filter(|_| name != "type").and_then(text);
        let grown = older.zip(text(&newer)).map(|(old, new)| Json::string(&(old + &new)));
        fields.set(name, grown.unwrap_or(newer));
    }
}

fn word(raw: &RawValue) -> String {
    Object::parse(raw.get()).unwrap_or_default().peek("type").unwrap_or_default()
}

/// Ends an answer, or says that it has failed.
fn finish(
    reason: Option<String>,
    error: Option<String>,
    id: Option<String>,
    extra: Extra,
    out: &mut Parts,
) -> Result<(), Error> {
    if error.is_some() || reason.as_deref() == Some("ERROR") {
        return Err(complaint::told(error, id));
    }
    let word = reason.unwrap_or_default();
    let mut finish = Finish::new(reason_of(&word));
    finish.raw = Some(word).filter(|word| !word.is_empty());
    finish.extra = extra;
    out.finish(finish);
    Ok(())
}

fn reason_of(word: &str) -> FinishReason {
    match word {
        "COMPLETE" | "STOP_SEQUENCE" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "TOOL_CALL" => FinishReason::ToolUse,
        _ => FinishReason::Other,
    }
}

/// A frame that has not the shape of the known events: an event that is not known, or damage.
fn unshaped(frame: &Frame<'_>, error: serde_json::Error, out: &mut Parts) -> Result<(), Error> {
    let Ok(event) = Object::from_slice(frame.data) else { return Err(malformed(error)) };
    match event.peek::<String>("type") {
        Some(kind) if kind == "error" => Err(complaint::read(frame.data).reported()),
        Some(kind) if !is_known(&kind) => {
            out.other(Custom::new(PROTOCOL, kind, text_of(frame)));
            Ok(())
        }
        _ => Err(malformed(error)),
    }
}

fn is_known(kind: &str) -> bool {
    ["message-", "content-", "tool-", "citation-"].iter().any(|prefix| kind.starts_with(prefix))
}

/// A frame without a type: an error envelope, or nothing known.
fn untyped(frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
    let object = Object::from_slice(frame.data).map_err(malformed)?;
    if complaint::is_envelope(&object) {
        return Err(complaint::read(frame.data).reported());
    }
    out.other(Custom::new(PROTOCOL, "", text_of(frame)));
    Ok(())
}

fn text_of(frame: &Frame<'_>) -> Json {
    Json::from_text(&*String::from_utf8_lossy(frame.data))
}

fn malformed(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Protocol, format!("the answer is not the JSON of this protocol: {error}"))
        .with_source(error)
}

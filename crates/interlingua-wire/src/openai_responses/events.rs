//! Frames and whole bodies to events.

use std::borrow::Cow;
use std::collections::BTreeMap;

use interlingua_model::{
    Custom, Delta, Error, ErrorKind, Extra, Finish, FinishReason, Json, Media, Output, Source, Start, Text,
    Usage, Warning,
};
use serde_json::value::RawValue;

use super::P;
use super::items::{self, Key, MessageSeal, Reading, Stage, word};
use super::types::{StreamEvent, UsageIn, Word};
use crate::frame::Frame;
use crate::places::{Places, Words};
use crate::refusal::Complaint;
use crate::{Figures, Object, Parts, Reader, Varying, object};

/// Reads the answer to one call.
#[derive(Debug)]
pub(super) struct Events {
    reading: Reading,
    items: Vec<Item>,
    /// The newest item of each output index.
    by_index: BTreeMap<u64, usize>,
    by_id: Words,
    /// The item of the last event, since the next one is mostly of the same.
    last: usize,
    seen: Seen,
    /// The part that the last frame added text or input to and did nothing else, if the next may repeat it.
    again: Option<(usize, Key)>,
}

/// What decides how the answer ended, for the wire does not say it.
#[derive(Debug, Default)]
struct Seen {
    call: bool,
    refusal: bool,
}

/// One item of output.
#[derive(Debug, Default)]
struct Item {
    index: Option<u64>,
    id: String,
    begun: bool,
    done: bool,
    seal: MessageSeal,
    slots: Places<Slot>,
    /// Input that came before the item itself did.
    pending: String,
}

/// One part of an item that has begun.
#[derive(Debug)]
struct Slot {
    at: u32,
    kind: Kind,
    sent: Sent,
    citations: usize,
    logprobs: usize,
    bytes: bool,
    extra: Extra,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Reasoning,
    Call,
    Media,
    Custom,
}

/// What has been streamed of a text: enough to tell whether the final text goes on from there, and where.
#[derive(Debug, Clone, Copy)]
struct Sent {
    length: usize,
    hash: u64,
    contradicted: bool,
}

/// What a text delta opens when it comes before its part was announced.
#[derive(Debug, Clone, Copy)]
enum Opening {
    Text,
    Refusal,
    Reasoning,
}

impl Events {
    pub(super) fn new(reading: Reading) -> Self {
        Self {
            reading,
            items: Vec::new(),
            by_index: BTreeMap::new(),
            by_id: Words::default(),
            last: 0,
            seen: Seen::default(),
            again: None,
        }
    }
}

impl Reader for Events {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        self.again = None;
        let data = frame.data.trim_ascii();
        if data.is_empty() || data == b"[DONE]" {
            return Ok(());
        }
        let event: StreamEvent<'_> = object::read(data)
            .map_err(|error| protocol(format!("a frame of the stream is not a JSON object: {error}")))?;
        let name = frame.name.and_then(|name| std::str::from_utf8(name).ok());
        let kind = event.kind.get().or(name).unwrap_or_default();
        self.event(kind, &event, data, out)
    }

    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error> {
        let object = Object::from_slice(body).map_err(|error| {
            protocol(format!("the answer is not a JSON object: {error}")).with_source(error)
        })?;
        let response = Answer::read(object);
        response.check()?;
        if response.output.is_none() && response.status.is_none() {
            return Err(protocol("the answer has neither `output` nor `status`: it is not one of Responses"));
        }
        out.start(response.start());
        for raw in response.items() {
            self.whole(raw, out);
        }
        out.usage(response.usage());
        out.finish(self.finish(&response, &Extra::default()));
        Ok(())
    }

    fn end(&mut self, _: &mut Parts) -> Result<(), Error> {
        Ok(())
    }

    fn varying(&self) -> Option<Varying> {
        self.again.map(|_| Varying::new("delta", &["sequence_number", "obfuscation"]))
    }

    fn repeated(&mut self, text: &str, _: Figures<'_>, _: &mut Parts) {
        let Some((item, key)) = self.again else { return };
        if let Some(slot) = self.items.get_mut(item).and_then(|item| item.find(key)) {
            slot.sent.add(text);
        }
    }
}

impl Events {
    fn event(
        &mut self,
        kind: &str,
        event: &StreamEvent<'_>,
        data: &[u8],
        out: &mut Parts,
    ) -> Result<(), Error> {
        let Some(kind) = kind.strip_prefix("response.") else { return Self::bare(kind, event, data, out) };
        match kind {
            "output_text.delta" => self.text(event, content(event), Opening::Text, out),
            "refusal.delta" => self.text(event, content(event), Opening::Refusal, out),
            "reasoning_summary_text.delta" => self.text(event, summary(event), Opening::Reasoning, out),
            "reasoning_text.delta" => self.text(event, content(event), Opening::Reasoning, out),
            "function_call_arguments.delta"
            | "custom_tool_call_input.delta"
            | "mcp_call_arguments.delta"
            | "mcp_call.arguments_delta"
            | "code_interpreter_call_code.delta"
            | "code_interpreter_call.code.delta" => self.input(event, out),
            "output_text.done" => self.text_done(event, content(event), &event.text, Opening::Text, out),
            "refusal.done" => self.text_done(event, content(event), &event.refusal, Opening::Refusal, out),
            "reasoning_summary_text.done" => {
                self.text_done(event, summary(event), &event.text, Opening::Reasoning, out);
            }
            "reasoning_text.done" => {
                self.text_done(event, content(event), &event.text, Opening::Reasoning, out);
            }
            "function_call_arguments.done" | "mcp_call_arguments.done" | "mcp_call.arguments_done" => {
                self.input_done(event, &event.arguments, out);
            }
            "custom_tool_call_input.done" => self.input_done(event, &event.input, out),
            "code_interpreter_call_code.done" | "code_interpreter_call.code.done" => {
                self.input_done(event, &event.code, out);
            }
            "output_text.annotation.added" | "output_text_annotation.added" => self.annotation(event, out),
            "content_part.added" => self.part_added(event, content(event), out),
            "reasoning_part.added" => self.reasoning_added(event, content(event), out),
            "reasoning_summary_part.added" => self.reasoning_added(event, summary(event), out),
            "content_part.done" => self.part_done(event, out),
            "reasoning_part.done" | "reasoning_summary_part.done" => {}
            "output_item.added" => self.item_added(event, out),
            "output_item.done" => self.item_done(event, out),
            "created" | "in_progress" | "queued" => Self::begin(event, out),
            "completed" | "incomplete" | "failed" | "cancelled" => return self.terminal(event, data, out),
            _ => self.progress(kind, event, data, out),
        }
        Ok(())
    }

    /// An event whose name lacks the usual prefix.
    fn bare(kind: &str, event: &StreamEvent<'_>, data: &[u8], out: &mut Parts) -> Result<(), Error> {
        match kind {
            "keepalive" | "ping" => return Ok(()),
            "error" => return Err(complaint(data).reported()),
            _ => {}
        }
        if event.kind.get().is_none() {
            if event.error.is_some() {
                return Err(complaint(data).reported());
            }
            let object = Object::from_slice(data).unwrap_or_default();
            if object.get("choices").is_some() {
                return Err(protocol("the stream is one of Chat Completions, not of Responses"));
            }
        }
        out.other(custom(kind, data));
        Ok(())
    }

    fn begin(event: &StreamEvent<'_>, out: &mut Parts) {
        let Some(raw) = event.response.filter(|_| !out.is_started()) else { return };
        if let Ok(object) = Object::parse(raw.get()) {
            out.start(Answer::read(object).start());
        }
    }

    fn item_added(&mut self, event: &StreamEvent<'_>, out: &mut Parts) {
        let Some(raw) = event.item else { return };
        let object = Object::parse(raw.get()).unwrap_or_default();
        let id = word(&object, "id").unwrap_or_default();
        let index = event.output_index.get();
        let known = self.locate(index, &id).filter(|at| self.items.get(*at).is_some_and(|item| !item.begun));
        let at = known.unwrap_or_else(|| self.insert(index, &id));
        self.begin_item(at, raw, out);
    }

    /// Opens what an announced item shows of itself.
    fn begin_item(&mut self, at: usize, raw: &RawValue, out: &mut Parts) {
        let parts = items::read(raw, Stage::Begun, self.reading);
        let Some(item) = self.items.get_mut(at) else { return };
        item.begun = true;
        item.seal =
            Object::parse(raw.get()).map(|mut object| MessageSeal::take(&mut object)).unwrap_or_default();
        for (key, part) in parts {
            self.seen.note(&part);
            if item.find(key).is_none() {
                item.open(key, part, out);
            }
        }
        item.flush(out);
    }

    fn item_done(&mut self, event: &StreamEvent<'_>, out: &mut Parts) {
        let Some(raw) = event.item else { return };
        let object = Object::parse(raw.get()).unwrap_or_default();
        let id = word(&object, "id").unwrap_or_default();
        let index = event.output_index.get();
        let at = self.locate(index, &id).unwrap_or_else(|| self.insert(index, &id));
        self.complete(at, raw, out);
    }

    /// Brings an item to its final form and closes its parts.
    fn complete(&mut self, at: usize, raw: &RawValue, out: &mut Parts) {
        let Some(item) = self.items.get_mut(at).filter(|item| !item.done) else { return };
        for (key, part) in items::read(raw, Stage::Done, self.reading) {
            self.seen.note(&part);
            item.settle(key, part, out);
        }
        item.close(out);
    }

    /// An item that was never streamed.
    fn whole(&mut self, raw: &RawValue, out: &mut Parts) {
        for (_, part) in items::read(raw, Stage::Done, self.reading) {
            self.seen.note(&part);
            out.whole(part);
        }
    }

    fn text(&mut self, event: &StreamEvent<'_>, key: Key, opening: Opening, out: &mut Parts) {
        let Some(delta) = event.delta.get() else { return };
        let refusal = matches!(opening, Opening::Refusal);
        self.seen.refusal |= refusal;
        let Some(item) = self.item_of(event) else { return };
        let slot = item.text_slot(key, opening, out);
        if !delta.is_empty() && slot.takes_text() {
            slot.sent.add(delta);
            out.text(slot.at, delta);
        }
        let Some(raw) = event.logprobs.filter(|raw| raw.get() != "[]") else {
            self.again = Some((self.last, key));
            return;
        };
        let logprobs = items::logprobs(raw);
        if !logprobs.is_empty() && slot.kind == Kind::Text {
            slot.logprobs += logprobs.len();
            out.delta(slot.at, Delta::Logprobs(logprobs));
        }
    }

    fn text_done(
        &mut self,
        event: &StreamEvent<'_>,
        key: Key,
        text: &Word<'_>,
        opening: Opening,
        out: &mut Parts,
    ) {
        if !items::is_some(text) {
            return;
        }
        let Some(item) = self.item_of(event) else { return };
        let slot = item.text_slot(key, opening, out);
        if let Some(rest) = slot.sent.complete(text.text(), out).filter(|_| slot.takes_text()) {
            out.text(slot.at, rest);
        }
    }

    fn input(&mut self, event: &StreamEvent<'_>, out: &mut Parts) {
        let Some(delta) = event.delta.get().filter(|delta| !delta.is_empty()) else { return };
        let Some(item) = self.item_of(event) else { return };
        match item.find(Key::Whole) {
            Some(slot) if slot.kind == Kind::Call => {
                slot.sent.add(delta);
                out.input(slot.at, delta);
                self.again = Some((self.last, Key::Whole));
            }
            Some(_) => {}
            None => item.pending.push_str(delta),
        }
    }

    fn input_done(&mut self, event: &StreamEvent<'_>, input: &Word<'_>, out: &mut Parts) {
        if !items::is_some(input) {
            return;
        }
        let Some(item) = self.item_of(event) else { return };
        match item.find(Key::Whole) {
            Some(slot) if slot.kind == Kind::Call => {
                if let Some(rest) = slot.sent.complete(input.text(), out) {
                    out.input(slot.at, rest);
                }
            }
            Some(_) => {}
            None => input.text().clone_into(&mut item.pending),
        }
    }

    fn annotation(&mut self, event: &StreamEvent<'_>, out: &mut Parts) {
        let Some(raw) = event.annotation else { return };
        let key = content(event);
        let Some(item) = self.item_of(event) else { return };
        let slot = item.text_slot(key, Opening::Text, out);
        if slot.kind == Kind::Text {
            slot.citations += 1;
            out.delta(slot.at, Delta::Citation(Box::new(items::citation(raw))));
        }
    }

    fn part_added(&mut self, event: &StreamEvent<'_>, key: Key, out: &mut Parts) {
        let Some(raw) = event.part else { return };
        let object = Object::parse(raw.get()).unwrap_or_default();
        if word(&object, "type").is_some_and(|kind| kind == "reasoning_text") {
            return self.reasoning_added(event, key, out);
        }
        let Some(item) = self.item_of(event) else { return };
        if item.find(key).is_some() {
            return;
        }
        let part = items::content_part(raw, &item.sealed());
        let begun = match part {
            Output::Text(mut text) => {
                let words = std::mem::take(&mut text.text);
                text.citations.clear();
                text.logprobs.clear();
                let refusal = text.refusal;
                let slot = item.open(key, Output::Text(text), out);
                if !words.is_empty() {
                    slot.sent.add(&words);
                    out.text(slot.at, words);
                }
                refusal
            }
            other => {
                item.open(key, other, out);
                false
            }
        };
        self.seen.refusal |= begun;
    }

    fn reasoning_added(&mut self, event: &StreamEvent<'_>, key: Key, out: &mut Parts) {
        let text = event.part.and_then(|raw| Object::parse(raw.get()).ok());
        let text = text.as_ref().and_then(|object| word(object, "text"));
        let Some(item) = self.item_of(event) else { return };
        let slot = item.text_slot(key, Opening::Reasoning, out);
        if let Some(text) = text.filter(|_| slot.sent.length == 0 && slot.takes_text()) {
            slot.sent.add(&text);
            out.text(slot.at, text);
        }
    }

    fn part_done(&mut self, event: &StreamEvent<'_>, out: &mut Parts) {
        let Some(raw) = event.part else { return };
        let key = content(event);
        let Some(item) = self.item_of(event) else { return };
        let object = Object::parse(raw.get()).unwrap_or_default();
        if word(&object, "type").is_some_and(|kind| kind == "reasoning_text") {
            return;
        }
        let part = items::content_part(raw, &item.sealed());
        item.settle(key, part, out);
    }

    /// News of an item that changes nothing in it; and what belongs to no item.
    fn progress(&mut self, kind: &str, event: &StreamEvent<'_>, data: &[u8], out: &mut Parts) {
        let news = custom(&format!("response.{kind}"), data);
        let known = self.locate(event.output_index.get(), event.item_id.text());
        let Some(item) = known.and_then(|at| self.items.get_mut(at)) else { return out.other(news) };
        let picture = kind.starts_with("image_generation_call.") && !item.done;
        if picture && item.slots.is_empty() {
            // Nothing can begin before the format is known; a state alone says no more than the opening will.
            let Some(format) = event.output_format.get() else { return };
            let mut media = Media::new(format!("image/{format}"), Source::Bytes(Vec::new().into()));
            if !item.id.is_empty() {
                media.extra.set(P, "id", Json::string(&item.id));
            }
            item.open(Key::Whole, Output::Media(media), out);
        }
        match item.slots.last().filter(|slot| out.is_open(slot.at)) {
            Some(slot) => out.delta(slot.at, Delta::Progress(Box::new(news))),
            None => out.other(news),
        }
    }

    fn terminal(&mut self, event: &StreamEvent<'_>, data: &[u8], out: &mut Parts) -> Result<(), Error> {
        let text = event.response.map_or("{}", RawValue::get);
        let mut response = Answer::read(Object::parse(text).unwrap_or_default());
        let kind = event.kind.get().and_then(|kind| kind.strip_prefix("response.")).unwrap_or_default();
        response.status.get_or_insert(kind.to_owned().into());
        response.check()?;
        out.start(response.start());
        self.catch_up(&response, out);
        out.usage(response.usage());
        let mut beside = Extra::default();
        let mut object = Object::from_slice(data).unwrap_or_default();
        for name in ["type", "sequence_number", "response", "output_index", "item_id"] {
            object.take_raw(name);
        }
        items::leftover(&object, &mut beside);
        out.finish(self.finish(&response, &beside));
        Ok(())
    }

    /// Takes from the final response what the stream left out: whole items, and the ends of items.
    fn catch_up(&mut self, response: &Answer<'_>, out: &mut Parts) {
        let streamed = self.items.len();
        for (position, raw) in response.items().into_iter().enumerate() {
            let index = u64::try_from(position).ok();
            let object = Object::parse(raw.get()).unwrap_or_default();
            let id = word(&object, "id").unwrap_or_default();
            match self.locate_any(index, &id) {
                Some(at) => self.complete(at, raw, out),
                None if position >= streamed => self.whole(raw, out),
                None => {}
            }
        }
        for item in &mut self.items {
            item.abandon(out);
        }
    }

    fn finish(&self, response: &Answer<'_>, beside: &Extra) -> Finish {
        let (reason, raw) = response.reason(&self.seen);
        let mut finish = Finish::new(reason);
        finish.raw = raw;
        finish.extra = response.rest();
        finish.extra.merge(beside);
        finish
    }

    /// The item that an event is about; one that was never announced begins here.
    fn item_of(&mut self, event: &StreamEvent<'_>) -> Option<&mut Item> {
        let (index, id) = (event.output_index.get(), event.item_id.text());
        let at = match self.locate(index, id) {
            Some(at) => at,
            None => self.insert(index, id),
        };
        self.last = at;
        self.items.get_mut(at)
    }

    /// The position of an item that is not done. The output index counts, since some services change the id with
    /// every event; the id helps where several items share an index or have none.
    fn locate(&self, index: Option<u64>, id: &str) -> Option<usize> {
        let fits = |at: &usize| self.items.get(*at).is_some_and(|item| item.index == index && item.id == id);
        if fits(&self.last) && self.items.get(self.last).is_some_and(|item| !item.done) {
            return Some(self.last);
        }
        let by_id = || self.by_id.get(id);
        let by_index = || index.and_then(|index| self.by_index.get(&index)).copied();
        by_id().filter(fits).or_else(|| {
            by_index().or_else(by_id).filter(|at| self.items.get(*at).is_some_and(|item| !item.done))
        })
    }

    /// The position of an item, done or not.
    fn locate_any(&self, index: Option<u64>, id: &str) -> Option<usize> {
        self.by_id.get(id).or_else(|| self.by_index.get(&index?).copied())
    }

    fn insert(&mut self, index: Option<u64>, id: &str) -> usize {
        let at = self.items.len();
        self.items.push(Item { index, id: id.to_owned(), ..Item::default() });
        if let Some(index) = index {
            self.by_index.insert(index, at);
        }
        if !id.is_empty() {
            self.by_id.set(id, at);
        }
        at
    }
}

impl Item {
    fn find(&mut self, key: Key) -> Option<&mut Slot> {
        self.slots.get_mut(key.number())
    }

    fn open(&mut self, key: Key, part: Output, out: &mut Parts) -> &mut Slot {
        let slot = Slot::new(&part, out.count());
        out.open(part);
        self.slots.get_or_insert(key.number(), slot)
    }

    /// The id and phase for a part of a message that is not complete.
    fn sealed(&self) -> MessageSeal {
        let mut seal = self.seal.clone();
        if seal.id.is_none() && !self.id.is_empty() {
            seal.id = Some(self.id.clone());
        }
        seal
    }

    /// The slot of a text, opened if it is not yet.
    fn text_slot(&mut self, key: Key, opening: Opening, out: &mut Parts) -> &mut Slot {
        if !self.slots.contains(key.number()) {
            match opening {
                Opening::Reasoning => self.open_reasoning(key, out),
                Opening::Text | Opening::Refusal => {
                    let refusal = matches!(opening, Opening::Refusal);
                    let text = items::text_part("", refusal, self.sealed().extra());
                    self.open(key, Output::Text(text), out);
                }
            }
        }
        self.slots.get_or_insert(key.number(), Slot::new(&Output::Text(Text::default()), u32::MAX))
    }

    /// Opens a part of reasoning, or takes the one that was opened when the item was announced.
    fn open_reasoning(&mut self, key: Key, out: &mut Parts) {
        let kind = Json::string(if matches!(key, Key::Summary(_)) { "summary" } else { "content" });
        if let Some(mut bare) = self.slots.remove(Key::Bare.number()) {
            bare.extra.set(P, "kind", kind.clone());
            out.delta(bare.at, Delta::extra(Extra::of(P, "kind", kind)));
            self.slots.insert(key.number(), bare);
            return;
        }
        let mut extra = self.sealed().extra();
        extra.take(P, "phase");
        extra.set(P, "kind", kind);
        self.open(key, Output::Reasoning(items::reasoning_part("", extra)), out);
    }

    /// Hands on the input that came before its call.
    fn flush(&mut self, out: &mut Parts) {
        let pending = std::mem::take(&mut self.pending);
        let Some(slot) = self.slots.get_mut(Key::Whole.number()).filter(|slot| slot.kind == Kind::Call)
        else {
            return;
        };
        if !pending.is_empty() {
            slot.sent.add(&pending);
            out.input(slot.at, pending);
        }
    }

    /// Brings a part to its final form.
    fn settle(&mut self, key: Key, part: Output, out: &mut Parts) {
        if matches!(part, Output::Reasoning(_)) && key != Key::Bare && self.slots.contains(Key::Bare.number())
        {
            self.open_reasoning(key, out);
        }
        if let Some(slot) = self.slots.get_mut(key.number()) {
            return slot.settle(part, out);
        }
        let settled = Slot::settled(&part, out.count());
        out.open(part);
        self.slots.insert(key.number(), settled);
    }

    fn close(&mut self, out: &mut Parts) {
        self.done = true;
        self.pending = String::new();
        self.slots.drain(|slot| out.close(slot.at));
    }

    /// The answer has ended and nothing more was said of this item.
    fn abandon(&mut self, out: &mut Parts) {
        if !self.done && !self.pending.is_empty() && self.slots.is_empty() {
            let detail = format!("input of {} bytes came for a call that never did", self.pending.len());
            out.warning(Warning::dropped("events", detail));
        }
    }
}

impl Slot {
    fn new(part: &Output, at: u32) -> Self {
        let (kind, extra) = match part {
            Output::Text(text) => (Kind::Text, text.extra.clone()),
            Output::Reasoning(reasoning) => (Kind::Reasoning, reasoning.extra.clone()),
            Output::ToolCall(call) => (Kind::Call, call.extra.clone()),
            Output::Media(media) => (Kind::Media, media.extra.clone()),
            _ => (Kind::Custom, Extra::default()),
        };
        Self { at, kind, sent: Sent::default(), citations: 0, logprobs: 0, bytes: false, extra }
    }

    /// A slot of a part that was opened with all its content.
    fn settled(part: &Output, at: u32) -> Self {
        let mut slot = Self::new(part, at);
        match part {
            Output::Text(text) => {
                slot.sent.add(&text.text);
                slot.citations = text.citations.len();
                slot.logprobs = text.logprobs.len();
            }
            Output::Reasoning(reasoning) => slot.sent.add(&reasoning.text),
            Output::ToolCall(call) => slot.sent.add(call.input.as_str()),
            Output::Media(_) => slot.bytes = true,
            _ => {}
        }
        slot
    }

    fn takes_text(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Reasoning)
    }

    /// Sends what the final form of the part has and the stream did not.
    fn settle(&mut self, part: Output, out: &mut Parts) {
        match (self.kind, part) {
            (Kind::Text, Output::Text(text)) => self.settle_text(text, out),
            (Kind::Reasoning, Output::Reasoning(reasoning)) => {
                if let Some(rest) = self.sent.complete(&reasoning.text, out) {
                    out.text(self.at, rest);
                }
                self.settle_extra(&reasoning.extra, out);
            }
            (Kind::Call, Output::ToolCall(call)) => {
                if let Some(rest) = self.sent.complete(call.input.as_str(), out) {
                    out.input(self.at, rest);
                }
                self.settle_extra(&call.extra, out);
            }
            (Kind::Media, Output::Media(media)) => {
                if let Source::Bytes(data) = media.source
                    && !self.bytes
                    && !data.as_bytes().is_empty()
                {
                    self.bytes = true;
                    out.delta(self.at, Delta::Data(data));
                }
                self.settle_extra(&media.extra, out);
            }
            (Kind::Custom, Output::Custom(custom)) => out.delta(self.at, Delta::Value(Box::new(custom))),
            (_, part) => out.warning(Warning::dropped(
                "events",
                format!("part {} began as something else than it ended as: {part:?}", self.at),
            )),
        }
    }

    fn settle_text(&mut self, text: Text, out: &mut Parts) {
        if let Some(rest) = self.sent.complete(&text.text, out) {
            out.text(self.at, rest);
        }
        for citation in text.citations.into_iter().skip(self.citations) {
            self.citations += 1;
            out.delta(self.at, Delta::Citation(Box::new(citation)));
        }
        let logprobs: Vec<_> = text.logprobs.into_iter().skip(self.logprobs).collect();
        if !logprobs.is_empty() {
            self.logprobs += logprobs.len();
            out.delta(self.at, Delta::Logprobs(logprobs));
        }
        self.settle_extra(&text.extra, out);
    }

    fn settle_extra(&mut self, extra: &Extra, out: &mut Parts) {
        let mut news = Extra::default();
        for (name, value) in extra.fields(P).into_iter().flat_map(interlingua_model::Fields::iter) {
            // An item keeps the id it began with, whatever a service calls it later.
            let same = self.extra.get(P, name).is_some_and(|known| known == value || name == "id");
            if !same {
                news.set(P, name, value.clone());
            }
        }
        if !news.is_empty() {
            self.extra.merge(&news);
            out.delta(self.at, Delta::extra(news));
        }
    }
}

impl Default for Sent {
    fn default() -> Self {
        Self { length: 0, hash: 0xcbf2_9ce4_8422_2325, contradicted: false }
    }
}

impl Sent {
    /// FNV-1a.
    fn add(&mut self, text: &str) {
        self.length += text.len();
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// What of the final text was not streamed. A final text that contradicts what was streamed is reported, and what
    /// was streamed stays.
    fn complete<'t>(&mut self, text: &'t str, out: &mut Parts) -> Option<&'t str> {
        let Some((head, rest)) = text.split_at_checked(self.length) else {
            self.contradict(text.is_empty(), out);
            return None;
        };
        let mut again = Self::default();
        again.add(head);
        if again.hash != self.hash {
            self.contradict(false, out);
            return None;
        }
        self.add(rest);
        (!rest.is_empty()).then_some(rest)
    }

    /// A final text that is left out contradicts nothing.
    fn contradict(&mut self, absent: bool, out: &mut Parts) {
        if !absent && !std::mem::replace(&mut self.contradicted, true) {
            let detail = "the final text of a part is not the one that was streamed, which is kept";
            out.warning(Warning::adjusted("events", detail));
        }
    }
}

impl Seen {
    fn note(&mut self, part: &Output) {
        match part {
            Output::ToolCall(call) => self.call |= call.run_by.is_caller(),
            Output::Text(text) => self.refusal |= text.refusal,
            _ => {}
        }
    }
}

/// The object that a whole answer is, and that the first and the last event of a stream carry.
#[derive(Debug)]
struct Answer<'a> {
    status: Option<Cow<'a, str>>,
    output: Option<&'a RawValue>,
    usage: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    cut: Option<Cow<'a, str>>,
    object: Object<'a>,
}

/// Fields that repeat the request, or that stand elsewhere in the model.
const ECHO: [&str; 37] = [
    "id",
    "object",
    "created_at",
    "model",
    "status",
    "output",
    "usage",
    "error",
    "incomplete_details",
    "instructions",
    "tools",
    "tool_choice",
    "temperature",
    "top_p",
    "top_logprobs",
    "parallel_tool_calls",
    "text",
    "reasoning",
    "metadata",
    "max_output_tokens",
    "max_tool_calls",
    "truncation",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "store",
    "presence_penalty",
    "frequency_penalty",
    "prompt",
    "include",
    "background",
    "conversation",
    "previous_response_id",
    "output_text",
    "stream",
];

/// Fields that say where the answer belongs, which is known when it begins.
pub(super) const PLACE: [&str; 3] = ["background", "conversation", "previous_response_id"];

impl<'a> Answer<'a> {
    fn read(object: Object<'a>) -> Self {
        let details: Option<Object<'a>> = object.peek("incomplete_details");
        let some = |name: &str| object.get(name).filter(|raw| raw.get() != "null");
        Self {
            status: word(&object, "status"),
            output: some("output"),
            usage: some("usage"),
            error: some("error"),
            cut: details.and_then(|details| word(&details, "reason")),
            object,
        }
    }

    /// An error that the answer reports in place of itself.
    fn check(&self) -> Result<(), Error> {
        if self.error.is_none() && self.status.as_deref() != Some("failed") {
            return Ok(());
        }
        Err(complaint_of(&self.object).reported())
    }

    fn start(&self) -> Start {
        let text = |name: &str| word(&self.object, name).map(Cow::into_owned);
        let mut start = Start::new(text("id"), text("model"));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked by the filter")]
        let seconds = |time: f64| time as u64;
        let created: Option<f64> = self.object.peek("created_at");
        start.created = created.filter(|time| (0.0..9e15).contains(time)).map(seconds);
        for name in PLACE {
            let value = self.object.get(name).filter(|raw| !matches!(raw.get(), "null" | "false"));
            if let Some(value) = value {
                start.extra.set(P, name, Json::from(value));
            }
        }
        start
    }

    fn items(&self) -> Vec<&'a RawValue> {
        self.output.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    fn usage(&self) -> Usage {
        self.usage.map(usage).unwrap_or_default()
    }

    /// Why the answer ended, and the wire's word for it.
    fn reason(&self, seen: &Seen) -> (FinishReason, Option<String>) {
        let status = self.status.as_deref().unwrap_or("completed");
        let reason = match (status, self.cut.as_deref()) {
            ("completed" | "complete", None) if seen.call => FinishReason::ToolUse,
            ("completed" | "complete", None) if seen.refusal => FinishReason::Refused,
            ("completed" | "complete", None) => FinishReason::Stop,
            (_, Some("max_output_tokens" | "max_tokens" | "length")) => FinishReason::Length,
            (_, Some("content_filter")) => FinishReason::Filtered,
            _ => FinishReason::Other,
        };
        (reason, Some(self.cut.as_deref().unwrap_or(status).to_owned()))
    }

    /// What the answer says beside all that is understood.
    fn rest(&self) -> Extra {
        let mut extra = Extra::default();
        for (name, value) in self.object.iter().filter(|(_, value)| value.get() != "null") {
            if !ECHO.contains(&name) {
                extra.set(P, name, Json::from(value));
            }
        }
        extra
    }
}

fn usage(raw: &RawValue) -> Usage {
    let read: UsageIn = serde_json::from_str(raw.get()).unwrap_or_default();
    let mut usage = Usage::default();
    usage.input = read.input_tokens.get();
    usage.output = read.output_tokens.get();
    if let Some(details) = &read.input_tokens_details {
        usage.cache_read = details.cached_tokens.get();
        usage.cache_write = details.cache_write_tokens.get();
        usage.input_audio = details.audio_tokens.get();
        let by_time = details.cache_write_tokens_details.as_ref();
        usage.cache_write_long = by_time.and_then(|write| write.ttl_12h_tokens.get());
    }
    if let Some(details) = &read.output_tokens_details {
        usage.reasoning = details.reasoning_tokens.get();
        usage.output_audio = details.audio_tokens.get();
    }
    let mut object = Object::parse(raw.get()).unwrap_or_default();
    let known =
        ["input_tokens", "output_tokens", "total_tokens", "input_tokens_details", "output_tokens_details"];
    let total = read.total_tokens.get().filter(|total| usage.total().is_some_and(|sum| sum != *total));
    let details = [
        (
            "input_tokens_details",
            &["cached_tokens", "cache_write_tokens", "audio_tokens", "cache_write_tokens_details"]
                as &[&str],
        ),
        ("output_tokens_details", &["reasoning_tokens", "audio_tokens"]),
    ];
    let unknown: Vec<(&str, Extra)> =
        details.into_iter().map(|(name, known)| (name, unknown_details(&object, name, known))).collect();
    for name in known {
        object.take_raw(name);
    }
    items::leftover(&object, &mut usage.extra);
    if let Some(total) = total {
        usage.extra.set(P, "total_tokens", Json::from_text(total.to_string()));
    }
    for (name, rest) in unknown {
        if let Some(value) = rest.fields(P).and_then(|fields| Json::of(fields).ok()) {
            usage.extra.set(P, name, value);
        }
    }
    usage
}

fn unknown_details(object: &Object<'_>, name: &str, known: &[&str]) -> Extra {
    let mut details: Object<'_> = object.peek(name).unwrap_or_default();
    for name in known {
        details.take_raw(name);
    }
    let mut extra = Extra::default();
    items::leftover(&details, &mut extra);
    extra
}

/// What an error says, in any of its shapes: `{error: {…}}`, `{error: "…"}`, `{code, message}`, `{detail}`.
pub(super) fn complaint(data: &[u8]) -> Complaint {
    let text = crate::mend::text(data);
    Object::parse(&text).map(|object| complaint_of(&object)).unwrap_or_default()
}

fn complaint_of(object: &Object<'_>) -> Complaint {
    let inner: Option<Object<'_>> = object.peek("error");
    let inner = inner.as_ref();
    let outer: Option<Object<'_>> = object.peek("response");
    if inner.is_none()
        && let Some(outer) = outer.filter(|outer| outer.get("error").is_some())
    {
        return complaint_of(&outer);
    }
    let text = |object: &Object<'_>, name: &str| {
        let value = object.get(name)?;
        let number = || value.get().bytes().all(|byte| byte.is_ascii_digit()).then(|| value.get().into());
        items::text_of(value).or_else(number).map(Cow::into_owned).filter(|text| !text.is_empty())
    };
    let find = |name: &str| inner.and_then(|inner| text(inner, name)).or_else(|| text(object, name));
    let kind = inner.and_then(|inner| text(inner, "type"));
    let message = find("message").or_else(|| text(object, "error")).or_else(|| text(object, "detail"));
    Complaint { message, code: find("code"), kind, request_id: find("request_id") }
}

fn content(event: &StreamEvent<'_>) -> Key {
    Key::Content(event.content_index.get().unwrap_or_default())
}

fn summary(event: &StreamEvent<'_>) -> Key {
    Key::Summary(event.summary_index.get().unwrap_or_default())
}

fn custom(kind: &str, data: &[u8]) -> Custom {
    Custom::new(P, kind, Json::from_text(&*String::from_utf8_lossy(data)))
}

fn protocol(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Protocol, message)
}

//! Messages to `contents`, and what is lost on the way.

use std::collections::HashMap;

use interlingua_model::{
    Assistant, Content, Custom, Extra, Input, Json, Media, Message, Output, Text, ToolCall, ToolResult, User,
    Warning,
};

use super::dialect::Dialect;
use super::{PROTOCOL, SIGNATURE, UNSIGNED, part};
use crate::tree::{Tree, array};

/// Writes messages and gathers warnings.
#[derive(Debug)]
pub(super) struct Messages<'a> {
    dialect: &'a Dialect,
    pub(super) warnings: Vec<Warning>,
    /// The names and ids of the calls that were made, since a result must carry the name of its call, and must not carry an
    /// id that its call has not.
    calls: HashMap<&'a str, Called<'a>>,
    /// How many calls there were.
    made: usize,
}

/// A call that was made.
#[derive(Debug, Clone, Copy)]
struct Called<'a> {
    name: &'a str,
    has_id: bool,
    /// How many calls were made before it.
    number: usize,
}

/// What one message makes of `contents`.
#[derive(Debug)]
struct Turn<'a> {
    role: &'static str,
    /// How many results of functions lead the parts.
    results: usize,
    parts: Vec<Json>,
    extra: &'a Extra,
}

impl<'a> Messages<'a> {
    pub(super) fn new(dialect: &'a Dialect) -> Self {
        Self { dialect, warnings: Vec::new(), calls: HashMap::new(), made: 0 }
    }

    /// The leading instructions, and the messages after them.
    pub(super) fn write(&mut self, messages: &'a [Message]) -> (Option<Json>, Json) {
        let leading = messages.iter().take_while(|message| matches!(message, Message::System(_))).count();
        let (leading, following) = messages.split_at(leading);
        let system = self.system(leading);
        let mut turns = Vec::with_capacity(following.len());
        for (message, index) in following.iter().zip(leading.len()..) {
            turns.extend(self.message(message, index));
        }
        let turns: Vec<Json> = grouped(turns).iter().map(Turn::json).collect();
        (system, array(&turns))
    }

    /// Takes note of the calls of an answer, to which the results after it belong.
    fn note_calls(&mut self, assistant: &'a Assistant) {
        for part in &assistant.parts {
            if let Output::ToolCall(call) = part {
                let has_id = part::has_id(&call.extra, self.dialect.call_ids);
                let number = self.made;
                self.made += 1;
                self.calls.insert(&call.id, Called { name: &call.name, has_id, number });
            }
        }
    }

    fn system(&mut self, messages: &'a [Message]) -> Option<Json> {
        let mut parts = Vec::new();
        let mut beside = Tree::default();
        for (index, message) in messages.iter().enumerate() {
            let Message::System(system) = message else { continue };
            parts.extend(self.inputs(&system.parts, index));
            beside = beside.extra(PROTOCOL, &system.extra);
        }
        if parts.is_empty() {
            return None;
        }
        let mut content = Tree::of("parts", array(&parts));
        beside.each(|name, value| content.over(name, value));
        Some(content.json())
    }

    fn message(&mut self, message: &'a Message, index: usize) -> Option<Turn<'a>> {
        let turn = match message {
            Message::System(system) => {
                let parts = self.inputs(&system.parts, index);
                if !parts.is_empty() {
                    let why = "instructions are taken at the beginning only; the user says them here";
                    self.warnings.push(Warning::adjusted(format!("messages[{index}]"), why));
                }
                Turn { role: "user", results: 0, parts, extra: &system.extra }
            }
            Message::User(user) => self.user(user, index),
            Message::Assistant(assistant) => {
                self.note_calls(assistant);
                let parts = self.assistant(assistant, index);
                Turn { role: "model", results: 0, parts, extra: &assistant.extra }
            }
            _ => return None,
        };
        if turn.parts.is_empty() {
            let why = "an empty message cannot be sent";
            self.warnings.push(Warning::dropped(format!("messages[{index}]"), why));
            return None;
        }
        Some(turn)
    }

    /// Results lead their message, those without ids in the order of their calls.
    fn user(&mut self, user: &'a User, index: usize) -> Turn<'a> {
        let mut results: Vec<(usize, &ToolResult)> = Vec::new();
        let mut leading = 0;
        for (place, part) in user.parts.iter().enumerate() {
            if let Input::ToolResult(result) = part {
                leading += usize::from(place == results.len());
                results.push((place, result));
            }
        }
        if leading < results.len() {
            let why = "results of functions were moved to the front of their message";
            self.warnings.push(Warning::adjusted(format!("messages[{index}]"), why));
        }
        let number =
            |result: &ToolResult| self.calls.get(&*result.call).map_or(usize::MAX, |call| call.number);
        let has_ids = results.iter().all(|(_, result)| self.has_id(result));
        if !has_ids {
            results.sort_by_key(|(_, result)| number(result));
        }
        let (mut parts, mut behind) = (Vec::with_capacity(user.parts.len()), Vec::new());
        for (place, result) in &results {
            parts.push(self.result(result, index, *place, &mut behind));
        }
        let results = parts.len();
        parts.append(&mut behind);
        for (place, part) in user.parts.iter().enumerate() {
            parts.extend(self.input(part, index, place));
        }
        Turn { role: "user", results, parts, extra: &user.extra }
    }

    fn has_id(&self, result: &ToolResult) -> bool {
        let is_called_by_id = self.calls.get(&*result.call).is_none_or(|call| call.has_id);
        is_called_by_id && part::has_id(&result.extra, self.dialect.call_ids)
    }

    fn inputs(&mut self, parts: &[Input], message: usize) -> Vec<Json> {
        let found = parts.iter().enumerate().map(|(index, part)| self.input(part, message, index));
        found.flatten().collect()
    }

    /// A part of a user's message; results of functions are written apart.
    fn input(&mut self, part: &Input, message: usize, index: usize) -> Option<Json> {
        match part {
            Input::Text(text) => self.text(text, false, message, index),
            Input::Media(media) => self.media(media, message, index),
            Input::Custom(custom) => self.custom(custom, message, index),
            _ => None,
        }
    }

    fn assistant(&mut self, assistant: &Assistant, message: usize) -> Vec<Json> {
        let mut parts = Vec::with_capacity(assistant.parts.len());
        let mut has_called = false;
        for (index, output) in assistant.parts.iter().enumerate() {
            let found = match output {
                Output::Text(text) => self.text(text, true, message, index),
                Output::Reasoning(reasoning) => Some(part::write_reasoning(reasoning)),
                Output::ToolCall(call) => {
                    let is_first = call.run_by.is_caller() && !std::mem::replace(&mut has_called, true);
                    self.call(call, is_first, message, index)
                }
                Output::ToolResult(result) => {
                    let found = part::write_provider_result(result, self.dialect.call_ids);
                    self.or_dropped(found, message, index, "the result of a tool that another provider ran")
                }
                Output::Media(media) => self.media(media, message, index),
                Output::Custom(custom) => self.custom(custom, message, index),
                _ => None,
            };
            parts.extend(found);
        }
        parts
    }

    /// Empty text is refused; it says nothing, so nothing is lost.
    fn text(&mut self, text: &Text, by_model: bool, message: usize, index: usize) -> Option<Json> {
        if text.cache.is_some() {
            self.cached();
        }
        let is_sealed = text.extra.fields(PROTOCOL).is_some();
        if text.text.is_empty() && !is_sealed {
            return None;
        }
        if !by_model && !text.citations.is_empty() {
            let setting = format!("messages[{message}].parts[{index}].citations");
            self.warnings.push(Warning::ignored(setting, "a user's text cannot have citations"));
        }
        Some(part::write_text(text))
    }

    fn media(&mut self, media: &Media, message: usize, index: usize) -> Option<Json> {
        if media.cache.is_some() {
            self.cached();
        }
        if media.name.is_some() && !self.dialect.display_name {
            let setting = format!("messages[{message}].parts[{index}].name");
            self.warnings.push(Warning::ignored(setting, "this service takes no names of files"));
        }
        let found = part::write_media(media, self.dialect.display_name);
        self.or_dropped(found, message, index, "media from a source that the protocol does not know")
    }

    /// A call. Services want a signature on the first call of a step, or the word that says that there is none.
    fn call(&mut self, call: &ToolCall, is_first: bool, message: usize, index: usize) -> Option<Json> {
        if call.cache.is_some() {
            self.cached();
        }
        let is_own = call.run_by.is_caller() || call.extra.get(PROTOCOL, part::KIND).is_some();
        if is_own && call.run_by.is_caller() && !part::is_carried(call) {
            let setting = format!("messages[{message}].parts[{index}].input");
            let why = "input that is no JSON object is sent as {\"input\": text}";
            self.warnings.push(Warning::adjusted(setting, why));
        }
        let is_unsigned = call.extra.get(PROTOCOL, SIGNATURE).is_none();
        let found = if is_first && is_unsigned && self.dialect.unsigned_calls {
            let mut marked = call.clone();
            marked.extra.set(PROTOCOL, SIGNATURE, Json::string(UNSIGNED));
            part::write_call(&marked, self.dialect.call_ids)
        } else {
            part::write_call(call, self.dialect.call_ids)
        };
        self.or_dropped(found, message, index, "the call of a tool that another provider ran")
    }

    /// The result of a function. Media that may not stand in it stand behind all results.
    fn result(&mut self, result: &ToolResult, message: usize, index: usize, behind: &mut Vec<Json>) -> Json {
        if result.cache.is_some() {
            self.cached();
        }
        let mut media = Vec::new();
        for content in &result.content {
            match content {
                Content::Media(found) => media.extend(self.media(found, message, index)),
                Content::Custom(custom) => media.extend(self.custom(custom, message, index)),
                _ => {}
            }
        }
        if !media.is_empty() && !self.dialect.media_in_results {
            let setting = format!("messages[{message}].parts[{index}]");
            let why = "media cannot stand in the result of a function here; they stand behind it";
            self.warnings.push(Warning::adjusted(setting, why));
            behind.append(&mut media);
        }
        let with_id = self.has_id(result);
        let text = result.text();
        match self.calls.get(&*result.call).filter(|call| call.name != result.name) {
            Some(call) => {
                let mut named = result.clone();
                call.name.clone_into(&mut named.name);
                part::write_result(&named, &text, &media, with_id)
            }
            None => part::write_result(result, &text, &media, with_id),
        }
    }

    fn custom(&mut self, custom: &Custom, message: usize, index: usize) -> Option<Json> {
        let value = part::is_known(custom).then(|| custom.value.clone());
        self.or_dropped(value, message, index, "a part of another protocol")
    }

    fn or_dropped(
        &mut self,
        part: Option<Json>,
        message: usize,
        index: usize,
        why: &'static str,
    ) -> Option<Json> {
        if part.is_none() {
            self.warnings.push(Warning::dropped(format!("messages[{message}].parts[{index}]"), why));
        }
        part
    }

    /// Says once that there are no cache marks.
    pub(super) fn cached(&mut self) {
        let why = "the service caches beginnings by itself, or what was made a `cachedContent` before";
        let warning = Warning::ignored("cache", why);
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

impl Turn<'_> {
    fn json(&self) -> Json {
        Tree::default()
            .text("role", self.role)
            .set("parts", array(&self.parts))
            .extra(PROTOCOL, self.extra)
            .json()
    }

    /// Adds a later message of the same user: its results stand behind the results that are there, the rest at the end.
    fn append(&mut self, later: Self) {
        let Self { results, mut parts, .. } = later;
        let others = parts.split_off(results.min(parts.len()));
        let at = self.results.min(self.parts.len());
        self.parts.splice(at..at, parts);
        self.results += results;
        self.parts.extend(others);
    }
}

/// The results of parallel calls belong into one content. Where a later message of a user brings some, the user's
/// messages before it become one with it; all others stay apart.
fn grouped(turns: Vec<Turn<'_>>) -> Vec<Turn<'_>> {
    let mut grouped: Vec<Turn<'_>> = Vec::with_capacity(turns.len());
    let mut run = 0;
    for turn in turns {
        let (is_user, results) = (turn.role == "user", turn.results);
        grouped.push(turn);
        if !is_user {
            run = grouped.len();
        } else if results > 0 && grouped.len() > run + 1 {
            let mut later = grouped.drain(run..);
            if let Some(mut first) = later.next() {
                later.by_ref().for_each(|turn| first.append(turn));
                drop(later);
                grouped.push(first);
            }
        }
    }
    grouped
}

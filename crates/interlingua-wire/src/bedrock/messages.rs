//! Messages to wire messages, and what is lost on the way.

use std::collections::BTreeSet;

use interlingua_model::{
    Assistant, Content, Custom, Extra, Input, Json, Media, MediaKind, Message, Output, Retention, System,
    Text, ToolCall, ToolResult, User, Warning,
};

use super::dialect::Dialect;
use super::node::{Node, array};
use super::{block, citation, media};

/// Most cache marks that a request may carry.
const MARKS: usize = 4;

/// Writes messages and gathers warnings.
#[derive(Debug)]
pub(super) struct Messages<'a> {
    dialect: &'a Dialect,
    pub(super) warnings: Vec<Warning>,
    /// Cache marks that may still be set.
    marks: usize,
    /// The names of the documents so far, which must all differ.
    documents: BTreeSet<String>,
    /// Whether a call of a tool or its result was written.
    pub(super) has_calls: bool,
}

impl<'a> Messages<'a> {
    pub(super) const fn new(dialect: &'a Dialect) -> Self {
        Self { dialect, warnings: Vec::new(), marks: MARKS, documents: BTreeSet::new(), has_calls: false }
    }

    /// The leading instructions, and the messages after them. The whole prompt is cached where that is asked for.
    pub(super) fn write(&mut self, messages: &[Message], cache: Option<Retention>) -> (Option<Json>, Json) {
        let leading = messages.iter().take_while(|message| matches!(message, Message::System(_))).count();
        let leading = if self.dialect.system { leading } else { 0 };
        let (leading, following) = messages.split_at(leading);
        let mut system = Vec::new();
        for (index, message) in leading.iter().enumerate() {
            if let Message::System(instructions) = message {
                system.extend(self.instructions(instructions, index));
            }
        }
        let mut turns = Vec::with_capacity(following.len());
        for (message, index) in following.iter().zip(leading.len()..) {
            turns.extend(self.message(message, index));
        }
        let mut turns = joined(self.placed(turns));
        self.mark_whole(cache, &mut turns);
        let system = (!system.is_empty()).then(|| array(&system));
        (system, array(&turns.iter().map(Turn::json).collect::<Vec<_>>()))
    }

    /// Instructions between the turns follow a user's turn; those right behind an answer wait for it, since it may
    /// hold the results of the answer's calls.
    fn placed<'m>(&mut self, turns: Vec<Turn<'m>>) -> Vec<Turn<'m>> {
        let mut placed: Vec<Turn<'m>> = Vec::with_capacity(turns.len());
        let mut waiting: Vec<Turn<'m>> = Vec::new();
        for turn in turns {
            let after_answer = placed.last().is_some_and(|last| last.role == Role::Assistant);
            match turn.role {
                Role::System if after_answer => {
                    waiting.push(turn);
                    continue;
                }
                Role::User if after_answer && !waiting.is_empty() => {
                    let why = "instructions right behind an answer were put behind the user's turn";
                    self.warnings.push(Warning::adjusted("messages", why));
                }
                Role::User => {}
                Role::System | Role::Assistant => placed.append(&mut waiting),
            }
            placed.push(turn);
        }
        placed.append(&mut waiting);
        placed
    }

    fn message<'m>(&mut self, message: &'m Message, index: usize) -> Option<Turn<'m>> {
        let (role, results, content, extra) = match message {
            Message::System(system) => return self.system_between(system, index),
            Message::User(user) => {
                let results = user.parts.iter().filter(|part| is_result(part)).count();
                (Role::User, results, self.user(user, index), &user.extra)
            }
            Message::Assistant(assistant) => {
                (Role::Assistant, 0, self.assistant(assistant, index), &assistant.extra)
            }
            _ => return None,
        };
        if content.is_empty() {
            let why = "an empty message cannot be sent";
            self.warnings.push(Warning::dropped(format!("messages[{index}]"), why));
            return None;
        }
        Some(Turn { role, results, content, extra: vec![extra] })
    }

    /// Instructions between the turns; where they are not taken, the user says them.
    fn system_between<'m>(&mut self, system: &'m System, index: usize) -> Option<Turn<'m>> {
        let content = self.instructions(system, index);
        if content.is_empty() {
            return None;
        }
        let role =
            if self.dialect.system_anywhere && self.dialect.system { Role::System } else { Role::User };
        if role == Role::User {
            let why = "the model takes no instructions here; the user says them";
            self.warnings.push(Warning::adjusted(format!("messages[{index}]"), why));
        }
        Some(Turn { role, results: 0, content, extra: vec![&system.extra] })
    }

    /// Instructions are texts, cache marks and what only this protocol knows.
    fn instructions(&mut self, system: &System, message: usize) -> Vec<Json> {
        let mut blocks = Vec::with_capacity(system.parts.len());
        for (index, part) in system.parts.iter().enumerate() {
            match part {
                Input::Text(text) => self.text(text, false, message, index, &mut blocks),
                Input::Custom(custom) => blocks.extend(self.custom(custom, message, index)),
                _ => self.dropped(message, index, "instructions are texts only"),
            }
        }
        blocks
    }

    /// Results lead their message, or the call counts as unanswered.
    fn user(&mut self, user: &User, index: usize) -> Vec<Json> {
        let results = user.parts.iter().filter(|part| is_result(part)).count();
        let leading = user.parts.iter().take_while(|part| is_result(part)).count();
        if results != leading {
            let why = "tool results were moved to the front of their message";
            self.warnings.push(Warning::adjusted(format!("messages[{index}]"), why));
        }
        let mut blocks = Vec::with_capacity(user.parts.len());
        let numbered = || user.parts.iter().enumerate();
        for (part, input) in numbered().filter(|(_, part)| is_result(part)) {
            self.input(input, index, part, &mut blocks);
        }
        for (part, input) in numbered().filter(|(_, part)| !is_result(part)) {
            self.input(input, index, part, &mut blocks);
        }
        blocks
    }

    fn input(&mut self, input: &Input, message: usize, part: usize, blocks: &mut Vec<Json>) {
        match input {
            Input::Text(text) => self.text(text, false, message, part, blocks),
            Input::Media(media) => {
                if let Some(block) = self.media(media, message, part) {
                    blocks.push(block);
                    self.mark(media.cache, blocks);
                }
            }
            Input::ToolResult(result) => {
                blocks.push(self.result(result, message, part));
                self.mark(result.cache, blocks);
            }
            Input::Custom(custom) => blocks.extend(self.custom(custom, message, part)),
            _ => {}
        }
    }

    fn assistant(&mut self, assistant: &Assistant, message: usize) -> Vec<Json> {
        let mut blocks = Vec::with_capacity(assistant.parts.len());
        for (index, part) in assistant.parts.iter().enumerate() {
            match part {
                Output::Text(text) => self.text(text, true, message, index, &mut blocks),
                Output::Reasoning(reasoning) => {
                    if block::is_sealed(reasoning) || self.dialect.unsigned_reasoning {
                        blocks.push(block::write_reasoning(reasoning));
                    } else {
                        self.dropped(
                            message,
                            index,
                            "reasoning without this protocol's seal cannot be sent back",
                        );
                    }
                }
                Output::ToolCall(call) => {
                    if let Some(block) = self.call(call, message, index) {
                        blocks.push(block);
                        self.mark(call.cache, &mut blocks);
                    }
                }
                Output::ToolResult(result) if result.extra.get(super::PROTOCOL, "type").is_some() => {
                    blocks.push(self.result(result, message, index));
                    self.mark(result.cache, &mut blocks);
                }
                Output::Custom(custom) => blocks.extend(self.custom(custom, message, index)),
                Output::ToolResult(_) => {
                    self.dropped(message, index, "the result of a tool that another provider ran");
                }
                // The service takes images and documents of users alone.
                _ => self.dropped(message, index, "an assistant's message cannot hold media"),
            }
        }
        blocks
    }

    fn text(&mut self, text: &Text, by_model: bool, message: usize, part: usize, blocks: &mut Vec<Json>) {
        let foreign = |citation| !by_model || !citation::is_own(citation);
        if text.citations.iter().any(foreign) {
            let setting = format!("messages[{message}].parts[{part}].citations");
            let why = "only a model's text can have citations, and only of this protocol";
            self.warnings.push(Warning::ignored(setting, why));
        }
        match block::write_text(text, by_model) {
            Some(block) => {
                blocks.push(block);
                self.mark(text.cache, blocks);
            }
            // An empty text says nothing, so nothing is lost but a mark.
            None if text.text.is_empty() && text.cache.is_none() => {}
            None => self.dropped(message, part, "a blank text cannot be sent, nor be marked for caching"),
        }
    }

    fn media(&mut self, media: &Media, message: usize, part: usize) -> Option<Json> {
        let is_document = media.kind() == MediaKind::Document;
        let name = is_document.then(|| self.document_name(media, message, part));
        match media::write(media, name.as_deref()) {
            Ok(block) => Some(block),
            Err(why) => {
                self.dropped(message, part, why);
                None
            }
        }
    }

    /// A document needs a name that no other has, in few characters.
    fn document_name(&mut self, media: &Media, message: usize, part: usize) -> String {
        let given = media.name.as_deref();
        let clean = given.map(media::clean_name).filter(|name| !name.is_empty());
        let wanted = clean.unwrap_or_else(|| format!("Document {}", self.documents.len() + 1));
        let numbered = (2..).map(|number| format!("{wanted} ({number})"));
        let mut names = std::iter::once(wanted.clone()).chain(numbered);
        let name = names.find(|name| !self.documents.contains(name)).unwrap_or(wanted);
        if given.is_some_and(|given| given != name) {
            let setting = format!("messages[{message}].parts[{part}].name");
            let detail = format!("the document goes by the name `{name}`");
            self.warnings.push(Warning::adjusted(setting, detail));
        }
        self.documents.insert(name.clone());
        name
    }

    fn call(&mut self, call: &ToolCall, message: usize, part: usize) -> Option<Json> {
        if !block::is_own_call(call) {
            self.dropped(message, part, "the call of a tool that another provider ran");
            return None;
        }
        let is_carried = call.input.is_blank() || call.input.is_object() && call.kind.is_function();
        if !is_carried {
            let setting = format!("messages[{message}].parts[{part}].input");
            let why = "input that is no JSON object is sent as {\"input\": text}";
            self.warnings.push(Warning::adjusted(setting, why));
        }
        self.has_calls = true;
        Some(block::write_call(call))
    }

    fn result(&mut self, result: &ToolResult, message: usize, part: usize) -> Json {
        self.has_calls = true;
        let mut blocks = Vec::with_capacity(result.content.len());
        for content in &result.content {
            match content {
                Content::Text(text) => {
                    let mut bare = text.clone();
                    bare.cache = None;
                    self.text(&bare, false, message, part, &mut blocks);
                }
                Content::Media(media) => blocks.extend(self.media(media, message, part)),
                Content::Custom(custom) => blocks.extend(self.custom(custom, message, part)),
                _ => {}
            }
        }
        block::write_result(result, &blocks)
    }

    fn custom(&mut self, custom: &Custom, message: usize, part: usize) -> Option<Json> {
        if block::is_known(custom) {
            return Some(custom.value.clone());
        }
        self.dropped(message, part, "a part of another protocol");
        None
    }

    fn dropped(&mut self, message: usize, part: usize, why: &'static str) {
        self.warnings.push(Warning::dropped(format!("messages[{message}].parts[{part}]"), why));
    }

    /// Puts a mark behind all that a user has said, since the service places none by itself.
    fn mark_whole(&mut self, cache: Option<Retention>, turns: &mut [Turn<'_>]) {
        let last = turns.iter_mut().rev().find(|turn| turn.role == Role::User);
        let Some(last) = last.filter(|_| self.dialect.cache) else { return };
        if !last.content.last().is_some_and(is_mark) {
            self.mark(cache, &mut last.content);
        }
    }

    /// Adds a cache mark, if marks are taken and one is left.
    pub(super) fn mark(&mut self, cache: Option<Retention>, blocks: &mut Vec<Json>) {
        let Some(retention) = cache else { return };
        let why = match (self.dialect.cache, self.marks.checked_sub(1)) {
            (true, Some(left)) => {
                self.marks = left;
                blocks.push(block::write_cache_point(retention));
                return;
            }
            (false, _) => "this model takes no cache marks",
            (true, None) => "a request may carry four cache marks; later ones are left out",
        };
        let warning = Warning::ignored("cache", why);
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

const fn is_result(part: &Input) -> bool {
    matches!(part, Input::ToolResult(_))
}

/// A message as it is being written.
#[derive(Debug)]
struct Turn<'m> {
    role: Role,
    /// How many results of tools lead the content.
    results: usize,
    content: Vec<Json>,
    extra: Vec<&'m Extra>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    User,
    Assistant,
    System,
}

impl Turn<'_> {
    fn json(&self) -> Json {
        let role = match self.role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System => "system",
        };
        let node = Node::default().text("role", role).set("content", array(&self.content));
        self.extra.iter().fold(node, |node, extra| node.extra(extra)).json()
    }
}

/// The protocol refuses two turns of one speaker in a row, so they become one, in which the results of tools lead.
fn joined(turns: Vec<Turn<'_>>) -> Vec<Turn<'_>> {
    let mut joined: Vec<Turn<'_>> = Vec::with_capacity(turns.len());
    for turn in turns {
        let Some(last) = joined.last_mut().filter(|last| last.role == turn.role) else {
            joined.push(turn);
            continue;
        };
        let Turn { results, mut content, extra, .. } = turn;
        // Each result may have a cache mark behind it, so results are told by what they are.
        let is_leading = |block: &Json| block.as_str().starts_with("{\"toolResult\"");
        let others = content.split_off(leading(&content, is_leading));
        let at = leading(&last.content, is_leading);
        last.content.splice(at..at, content);
        last.content.extend(others);
        last.results += results;
        last.extra.extend(extra);
    }
    joined
}

fn is_mark(block: &Json) -> bool {
    block.as_str().starts_with("{\"cachePoint\"")
}

/// How many blocks at the beginning are results, with the marks behind them.
fn leading(blocks: &[Json], is_leading: impl Fn(&Json) -> bool) -> usize {
    let mut end = 0;
    while let Some(block) = blocks.get(end) {
        if !(is_leading(block) || end > 0 && is_mark(block)) {
            break;
        }
        end += 1;
    }
    end
}

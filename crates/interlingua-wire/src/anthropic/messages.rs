//! Messages to wire messages, and what is lost on the way.

use interlingua_model::{
    Assistant, Content, Extra, Fields, Input, Json, Media, Message, Output, System, Text, ToolResult, User,
    Warning,
};

use super::block::{self, Block, array};
use super::dialect::Dialect;

/// Most cache marks that a request may carry.
const MARKS: usize = 4;

/// Writes messages and gathers warnings.
#[derive(Debug)]
pub(super) struct Messages<'a> {
    dialect: &'a Dialect,
    pub(super) warnings: Vec<Warning>,
    /// Cache marks that may still be set.
    pub(super) marks: usize,
}

impl<'a> Messages<'a> {
    pub(super) fn new(dialect: &'a Dialect) -> Self {
        Self { dialect, warnings: Vec::new(), marks: MARKS }
    }

    /// The leading instructions, and the messages after them.
    pub(super) fn write<'m>(&mut self, messages: &'m [Message]) -> (Option<Json>, Vec<Turn<'m>>) {
        let leading = messages.iter().take_while(|message| matches!(message, Message::System(_))).count();
        let (leading, following) = messages.split_at(leading);
        let system = self.system(leading);
        let mut turns = Vec::with_capacity(following.len());
        for (message, index) in following.iter().zip(leading.len()..) {
            turns.extend(self.message(message, index));
        }
        (system, grouped(self.placed(turns)))
    }

    /// Instructions between the turns follow a user's turn; those right behind an answer wait for it.
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
        if !self.dialect.system_anywhere {
            for turn in placed.iter_mut().filter(|turn| turn.role == Role::System) {
                turn.role = Role::User;
            }
        }
        placed
    }

    fn system(&mut self, messages: &[Message]) -> Option<Json> {
        let mut blocks = Vec::new();
        let mut plain = None;
        for (index, message) in messages.iter().enumerate() {
            let Message::System(system) = message else { continue };
            plain = plain_text(&system.parts);
            blocks.extend(self.inputs(&system.parts, index));
        }
        match (blocks.len(), plain) {
            (0, _) => None,
            (1, Some(text)) => Some(Json::string(text)),
            _ => Some(array(&blocks)),
        }
    }

    fn message<'m>(&mut self, message: &'m Message, index: usize) -> Option<Turn<'m>> {
        let (role, results, content, extra) = match message {
            Message::System(system) => return self.system_between(system, index),
            Message::User(user) => {
                let results = user.parts.iter().filter(|part| matches!(part, Input::ToolResult(_))).count();
                (Role::User, results, self.user(user, index), &user.extra)
            }
            Message::Assistant(assistant) => {
                (Role::Assistant, 0, self.assistant(assistant, index), &assistant.extra)
            }
            _ => return None,
        };
        if content.is_empty() {
            self.warnings
                .push(Warning::dropped(format!("messages[{index}]"), "an empty message cannot be sent"));
            return None;
        }
        Some(Turn { role, results, content, extra })
    }

    /// Instructions between the turns; where they are not taken, the user says them.
    fn system_between<'m>(&mut self, system: &'m System, index: usize) -> Option<Turn<'m>> {
        let content = self.inputs(&system.parts, index);
        if content.is_empty() {
            return None;
        }
        if !self.dialect.system_anywhere {
            let why = "the model takes instructions at the beginning only; the user says them here";
            self.warnings.push(Warning::adjusted(format!("messages[{index}]"), why));
        }
        Some(Turn { role: Role::System, results: 0, content, extra: &system.extra })
    }

    /// Results lead their message, or the call counts as unanswered.
    fn user(&mut self, user: &User, index: usize) -> Vec<Json> {
        let is_result = |part: &&Input| matches!(part, Input::ToolResult(_));
        let results = user.parts.iter().filter(is_result).count();
        let leading = user.parts.iter().take_while(is_result).count();
        if results == leading {
            return self.inputs(&user.parts, index);
        }
        let why = "tool results were moved to the front of their message";
        self.warnings.push(Warning::adjusted(format!("messages[{index}]"), why));
        let (mut first, rest): (Vec<_>, Vec<_>) =
            user.parts.iter().cloned().partition(|part| is_result(&part));
        first.extend(rest);
        self.inputs(&first, index)
    }

    fn inputs(&mut self, parts: &[Input], message: usize) -> Vec<Json> {
        let mut blocks = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            let block = match part {
                Input::Text(text) => self.text(text, false, message, index),
                Input::Media(media) => self.media(media, message, index),
                Input::ToolResult(result) => Some(self.result(result, message, index)),
                Input::Custom(custom) => self.custom(custom, message, index),
                _ => None,
            };
            blocks.extend(block);
        }
        blocks
    }

    fn assistant(&mut self, assistant: &Assistant, message: usize) -> Vec<Json> {
        let mut blocks = Vec::with_capacity(assistant.parts.len());
        for (index, part) in assistant.parts.iter().enumerate() {
            let block = match part {
                Output::Text(text) => self.text(text, true, message, index),
                Output::Reasoning(reasoning) => {
                    let why = "reasoning without this protocol's signature cannot be sent back";
                    let unsigned =
                        || self.dialect.unsigned_thinking.then(|| block::write_unsigned(reasoning));
                    let block = block::write_reasoning(reasoning).or_else(unsigned);
                    self.or_dropped(block, message, index, why)
                }
                Output::ToolCall(call) => self.call(call, message, index),
                Output::ToolResult(result) => {
                    let why = "the result of a tool that another provider ran";
                    self.or_dropped(block::write_run_result(result), message, index, why)
                }
                Output::Media(_) => {
                    self.or_dropped(None, message, index, "an assistant's message cannot hold media")
                }
                Output::Custom(custom) => self.custom(custom, message, index),
                _ => None,
            };
            blocks.extend(block);
        }
        blocks
    }

    fn text(&mut self, text: &Text, by_model: bool, message: usize, part: usize) -> Option<Json> {
        if text.text.trim().is_empty() {
            // The protocol refuses blank text; it says nothing, so nothing is lost but a mark.
            if text.cache.is_some() {
                return self.or_dropped(
                    None,
                    message,
                    part,
                    "a blank text cannot be sent, nor be marked for caching",
                );
            }
            return None;
        }
        if !by_model && !text.citations.is_empty() {
            let setting = format!("messages[{message}].parts[{part}].citations");
            self.warnings.push(Warning::ignored(setting, "a user's text cannot have citations"));
        }
        if by_model && text.citations.iter().any(|citation| !block::is_own(citation)) {
            let setting = format!("messages[{message}].parts[{part}].citations");
            self.warnings.push(Warning::ignored(setting, "citations of another protocol cannot be sent"));
        }
        Some(block::write_text(text, self.mark(text.cache), by_model))
    }

    fn media(&mut self, media: &Media, message: usize, part: usize) -> Option<Json> {
        let mut media = media.clone();
        media.cache = self.mark(media.cache);
        let block = block::write_media(&media);
        if block.is_some() && block::is_flattened(&media) {
            let detail = format!("a document of type {} is sent as plain text", media.mime);
            self.warnings.push(Warning::adjusted(format!("messages[{message}].parts[{part}]"), detail));
        }
        self.or_dropped(block, message, part, "the protocol carries images, PDF and text only")
    }

    fn call(&mut self, call: &interlingua_model::ToolCall, message: usize, part: usize) -> Option<Json> {
        if !call.run_by.is_caller() && call.extra.get(super::PROTOCOL, "type").is_none() {
            return self.or_dropped(None, message, part, "the call of a tool that another provider ran");
        }
        if !call.input.is_blank() && !call.input.is_object() {
            let setting = format!("messages[{message}].parts[{part}].input");
            self.warnings.push(Warning::adjusted(
                setting,
                "input that is no JSON object is sent as {\"input\": text}",
            ));
        }
        let mut call = call.clone();
        call.cache = self.mark(call.cache);
        Some(block::write_call(&call))
    }

    fn result(&mut self, result: &ToolResult, message: usize, part: usize) -> Json {
        let mut block = Block::new("tool_result").text("tool_use_id", &result.call);
        match result.content.as_slice() {
            [] => {}
            [Content::Text(text)] if is_plain(text) => block = block.text("content", &text.text),
            contents => {
                let blocks: Vec<Json> =
                    contents.iter().filter_map(|content| self.content(content, message, part)).collect();
                block = block.set("content", array(&blocks));
            }
        }
        if result.is_error {
            block = block.set("is_error", Json::from_text("true"));
        }
        let cache = self.mark(result.cache);
        block.cache(cache).extra(&result.extra).json()
    }

    fn content(&mut self, content: &Content, message: usize, part: usize) -> Option<Json> {
        match content {
            Content::Text(text) => self.text(text, false, message, part),
            Content::Media(media) => self.media(media, message, part),
            Content::Custom(custom) => self.custom(custom, message, part),
            _ => None,
        }
    }

    fn custom(&mut self, custom: &interlingua_model::Custom, message: usize, part: usize) -> Option<Json> {
        let value = block::is_known(custom).then(|| custom.value.clone());
        self.or_dropped(value, message, part, "a part of another protocol")
    }

    fn or_dropped(
        &mut self,
        block: Option<Json>,
        message: usize,
        part: usize,
        why: &'static str,
    ) -> Option<Json> {
        if block.is_none() {
            self.warnings.push(Warning::dropped(format!("messages[{message}].parts[{part}]"), why));
        }
        block
    }

    /// A cache mark, if marks are taken and one is left.
    pub(super) fn mark(
        &mut self,
        cache: Option<interlingua_model::Retention>,
    ) -> Option<interlingua_model::Retention> {
        let retention = cache?;
        if !self.dialect.cache {
            self.warn_once("cache", "this service takes no cache marks");
            return None;
        }
        let Some(left) = self.marks.checked_sub(1) else {
            self.warn_once("cache", "a request may carry four cache marks; later ones are left out");
            return None;
        };
        self.marks = left;
        Some(retention)
    }

    #[cold]
    pub(super) fn warn_once(&mut self, setting: &'static str, why: &'static str) {
        let warning = Warning::ignored(setting, why);
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

/// A message as it is being written.
#[derive(Debug)]
pub(super) struct Turn<'m> {
    role: Role,
    /// How many results of tools lead the content.
    results: usize,
    content: Vec<Json>,
    extra: &'m Extra,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    User,
    Assistant,
    System,
}

impl Turn<'_> {
    /// About how long its text is.
    pub(super) fn length(&self) -> usize {
        block::length(&self.content) + r#"{"role":"assistant","content":},"#.len()
    }

    /// Writes it behind what is there.
    pub(super) fn write(&self, out: &mut String) {
        let role = match self.role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System => "system",
        };
        if !self.extra.is_empty() {
            let turn = Block::default().text("role", role).set("content", array(&self.content));
            return out.push_str(turn.extra(self.extra).json().as_str());
        }
        out.extend([r#"{"role":""#, role, r#"","content":"#]);
        block::add_array(out, &self.content);
        out.push('}');
    }

    /// Adds a later message of the same user: its results stand behind the results that are there, the rest at the end.
    fn append(&mut self, later: Self) {
        let Self { results, mut content, .. } = later;
        let others = content.split_off(results.min(content.len()));
        let at = self.results.min(self.content.len());
        self.content.splice(at..at, content);
        self.results += results;
        self.content.extend(others);
    }
}

/// The results of parallel calls belong into one message. Where a later message of a user brings some, the user's
/// messages before it become one with it; all others stay apart, for the service joins them itself.
fn grouped(turns: Vec<Turn<'_>>) -> Vec<Turn<'_>> {
    let mut grouped: Vec<Turn<'_>> = Vec::with_capacity(turns.len());
    let mut run = 0;
    for turn in turns {
        let (is_user, results) = (turn.role == Role::User, turn.results);
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

/// The text of instructions that can be written as a bare string.
fn plain_text(parts: &[Input]) -> Option<&str> {
    match parts {
        [Input::Text(text)] if is_plain(text) => Some(&text.text),
        _ => None,
    }
}

fn is_plain(text: &Text) -> bool {
    text.cache.is_none()
        && text.extra.fields(super::PROTOCOL).is_none_or(Fields::is_empty)
        && !text.text.is_empty()
}

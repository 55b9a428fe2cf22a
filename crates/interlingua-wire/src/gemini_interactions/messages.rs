//! Messages to steps, and what is lost on the way.

use std::collections::HashMap;

use interlingua_model::{
    Assistant, Content, Custom, Extra, Input, Json, Media, Message, Output, System, Text, ToolCall,
    ToolResult, User, Warning,
};

use super::{PROTOCOL, step};
use crate::tree::{Tree, array};

/// Writes messages and gathers warnings.
#[derive(Debug, Default)]
pub(super) struct Messages<'a> {
    pub(super) warnings: Vec<Warning>,
    /// The names of the calls that were made: a result must carry the name of its call.
    names: HashMap<&'a str, &'a str>,
}

impl<'a> Messages<'a> {
    /// The leading instructions, and the messages after them as steps.
    pub(super) fn write(&mut self, messages: &'a [Message]) -> (Option<Json>, Json) {
        let leading = messages.iter().take_while(|message| matches!(message, Message::System(_))).count();
        let (leading, following) = messages.split_at(leading);
        let system = self.system(leading);
        let mut steps = Vec::with_capacity(following.len());
        for (message, index) in following.iter().zip(leading.len()..) {
            self.message(message, index, &mut steps);
        }
        (system, array(&steps))
    }

    /// Instructions are one text.
    fn system(&mut self, messages: &'a [Message]) -> Option<Json> {
        let mut texts: Vec<&str> = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            let Message::System(System { parts, .. }) = message else { continue };
            for (place, part) in parts.iter().enumerate() {
                match part {
                    Input::Text(text) if text.text.is_empty() => {}
                    Input::Text(text) => texts.push(&text.text),
                    _ => self.dropped(index, place, "instructions are text here"),
                }
            }
        }
        (!texts.is_empty()).then(|| Json::string(&texts.join("\n\n")))
    }

    fn message(&mut self, message: &'a Message, index: usize, steps: &mut Vec<Json>) {
        let before = steps.len();
        match message {
            Message::System(system) => {
                self.user_input(&system.parts, &system.extra, index, steps);
                if steps.len() > before {
                    let why = "instructions are taken at the beginning only; the user says them here";
                    self.warnings.push(Warning::adjusted(format!("messages[{index}]"), why));
                }
            }
            Message::User(user) => self.user(user, index, steps),
            Message::Assistant(assistant) => self.assistant(assistant, index, steps),
            _ => return,
        }
        if steps.len() == before {
            let why = "an empty message cannot be sent";
            self.warnings.push(Warning::dropped(format!("messages[{index}]"), why));
        }
    }

    /// Results of functions are steps of their own, which come first.
    fn user(&mut self, user: &'a User, index: usize, steps: &mut Vec<Json>) {
        let mut leading = true;
        let mut is_moved = false;
        for (place, part) in user.parts.iter().enumerate() {
            if let Input::ToolResult(result) = part {
                is_moved |= !leading;
                let step = self.result(result, index, place);
                steps.push(step);
            } else {
                leading = false;
            }
        }
        if is_moved {
            let why = "results of functions were moved to the front of their message";
            self.warnings.push(Warning::adjusted(format!("messages[{index}]"), why));
        }
        self.user_input(&user.parts, &user.extra, index, steps);
    }

    fn user_input(&mut self, parts: &[Input], extra: &Extra, index: usize, steps: &mut Vec<Json>) {
        let mut contents = Vec::with_capacity(parts.len());
        for (place, part) in parts.iter().enumerate() {
            contents.extend(match part {
                Input::Text(text) => self.text(text, false, index, place),
                Input::Media(media) => self.media(media, index, place),
                Input::Custom(custom) if step::is_known(custom) => Some(custom.value.clone()),
                Input::Custom(_) => {
                    self.dropped(index, place, "a part of another protocol");
                    None
                }
                _ => None,
            });
        }
        if !contents.is_empty() {
            let tree = Tree::default().text(step::TYPE, "user_input").set("content", array(&contents));
            steps.push(tree.extra(PROTOCOL, extra).json());
        }
    }

    /// Contents that follow each other make one step.
    fn assistant(&mut self, assistant: &'a Assistant, index: usize, steps: &mut Vec<Json>) {
        let mut contents: Vec<Json> = Vec::new();
        for (place, part) in assistant.parts.iter().enumerate() {
            let content = match part {
                Output::Text(text) => self.text(text, true, index, place),
                Output::Media(media) => self.media(media, index, place),
                Output::Custom(custom) if step::is_content(custom) => self.custom(custom, index, place),
                _ => {
                    steps.extend(put_out(&mut contents));
                    steps.extend(self.step(part, index, place));
                    continue;
                }
            };
            contents.extend(content);
        }
        steps.extend(put_out(&mut contents));
    }

    fn step(&mut self, part: &'a Output, index: usize, place: usize) -> Option<Json> {
        match part {
            Output::Reasoning(reasoning) if reasoning.text.is_empty() && reasoning.extra.is_empty() => None,
            Output::Reasoning(reasoning) => Some(step::write_thought(reasoning)),
            Output::ToolCall(call) => self.call(call, index, place),
            Output::ToolResult(result) => {
                let step = step::write_run_result(result);
                self.or_dropped(step, index, place, "the result of a tool that another provider ran")
            }
            Output::Custom(custom) => self.custom(custom, index, place),
            _ => None,
        }
    }

    fn custom(&mut self, custom: &Custom, index: usize, place: usize) -> Option<Json> {
        let value = step::is_known(custom).then(|| custom.value.clone());
        self.or_dropped(value, index, place, "a part of another protocol")
    }

    fn text(&mut self, text: &Text, by_model: bool, index: usize, place: usize) -> Option<Json> {
        if text.cache.is_some() {
            self.cached();
        }
        if text.text.is_empty() && text.extra.fields(PROTOCOL).is_none() {
            return None;
        }
        if !by_model && !text.citations.is_empty() {
            let setting = format!("messages[{index}].parts[{place}].citations");
            self.warnings.push(Warning::ignored(setting, "a user's text cannot have citations"));
        }
        Some(step::write_text(text, by_model))
    }

    fn media(&mut self, media: &Media, index: usize, place: usize) -> Option<Json> {
        if media.cache.is_some() {
            self.cached();
        }
        if media.name.is_some() {
            let setting = format!("messages[{index}].parts[{place}].name");
            self.warnings.push(Warning::ignored(setting, "the protocol takes no names of files"));
        }
        self.or_dropped(step::write_media(media), index, place, "media from a source that is not known")
    }

    fn call(&mut self, call: &'a ToolCall, index: usize, place: usize) -> Option<Json> {
        if call.cache.is_some() {
            self.cached();
        }
        self.names.insert(&call.id, &call.name);
        if call.run_by.is_caller() && !step::is_carried(call) {
            let setting = format!("messages[{index}].parts[{place}].input");
            let why = "input that is no JSON object is sent as {\"input\": text}";
            self.warnings.push(Warning::adjusted(setting, why));
        }
        let why = "the call of a tool that another provider ran";
        self.or_dropped(step::write_call(call), index, place, why)
    }

    fn result(&mut self, result: &ToolResult, index: usize, place: usize) -> Json {
        if result.cache.is_some() {
            self.cached();
        }
        let is_text = result.content.iter().all(|content| matches!(content, Content::Text(_)));
        let name = self.names.get(&*result.call).copied().unwrap_or(&*result.name).to_owned();
        if is_text && result.content.len() < 2 {
            return step::write_result(result, &name, None);
        }
        let mut contents = Vec::with_capacity(result.content.len());
        for content in &result.content {
            contents.extend(match content {
                Content::Text(text) => Some(step::write_text(text, false)),
                Content::Media(media) => self.media(media, index, place),
                Content::Custom(custom) => self.custom(custom, index, place),
                _ => None,
            });
        }
        step::write_result(result, &name, Some(&contents))
    }

    fn or_dropped(
        &mut self,
        step: Option<Json>,
        index: usize,
        place: usize,
        why: &'static str,
    ) -> Option<Json> {
        if step.is_none() {
            self.dropped(index, place, why);
        }
        step
    }

    fn dropped(&mut self, index: usize, place: usize, why: &'static str) {
        self.warnings.push(Warning::dropped(format!("messages[{index}].parts[{place}]"), why));
    }

    /// Says once that there are no cache marks.
    pub(super) fn cached(&mut self) {
        let warning = Warning::ignored("cache", "the service caches beginnings by itself");
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

/// The step of the contents that were gathered, if any were.
fn put_out(contents: &mut Vec<Json>) -> Option<Json> {
    let contents = std::mem::take(contents);
    let tree = Tree::default().text(step::TYPE, "model_output").set("content", array(&contents));
    (!contents.is_empty()).then(|| tree.json())
}

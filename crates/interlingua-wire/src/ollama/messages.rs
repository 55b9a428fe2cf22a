//! Messages to wire messages, and what is lost on the way. Content is one text; images stand beside it.

use interlingua_model::{
    Assistant, Content, Custom, Input, Json, Media, MediaKind, Message, Output, Source, System, ToolCall,
    ToolResult, User, Warning,
};

use super::dialect::Dialect;
use super::{PROTOCOL, call, picture};
use crate::draft::{Draft, array};

/// What stands between texts that become one.
const BETWEEN: &str = "\n";

/// Writes messages and gathers warnings.
#[derive(Debug)]
pub(super) struct Messages<'a> {
    dialect: &'a Dialect,
    /// The message and the part that are being written, for the paths of warnings.
    message: usize,
    part: usize,
    pub(super) warnings: Vec<Warning>,
}

/// The content of a message.
#[derive(Debug, Default)]
struct Said {
    content: String,
    images: Vec<Json>,
}

impl Said {
    fn text(&mut self, text: &str) {
        if !self.content.is_empty() && !text.is_empty() {
            self.content.push_str(BETWEEN);
        }
        self.content.push_str(text);
    }

    fn is_empty(&self) -> bool {
        self.content.is_empty() && self.images.is_empty()
    }

    fn add(&self, message: Draft) -> Draft {
        let message = message.text("content", &self.content);
        if self.images.is_empty() { message } else { message.set("images", array(&self.images)) }
    }
}

impl<'a> Messages<'a> {
    pub(super) fn new(dialect: &'a Dialect) -> Self {
        Self { dialect, message: 0, part: 0, warnings: Vec::new() }
    }

    pub(super) fn write(&mut self, messages: &[Message]) -> Json {
        let mut written = Vec::with_capacity(messages.len());
        for (index, message) in messages.iter().enumerate() {
            (self.message, self.part) = (index, 0);
            match message {
                Message::System(system) => self.system(system, &mut written),
                Message::User(user) => self.user(user, &mut written),
                Message::Assistant(assistant) => self.assistant(assistant, &mut written),
                _ => self.drop_part("this kind of message is unknown to the protocol"),
            }
        }
        array(&written)
    }

    fn system(&mut self, system: &System, written: &mut Vec<Json>) {
        let mut said = Said::default();
        self.inputs(&system.parts, &mut said);
        if said.is_empty() {
            return self.empty();
        }
        let message = said.add(Draft::default().text("role", "system"));
        written.push(message.extra(&system.extra, PROTOCOL).json());
    }

    /// Results of tools are messages of their own and come first; their images follow in the user's message.
    fn user(&mut self, user: &User, written: &mut Vec<Json>) {
        let mut said = Said::default();
        let mut has_results = false;
        for (index, part) in user.parts.iter().enumerate() {
            self.part = index;
            if let Input::ToolResult(result) = part {
                has_results = true;
                written.push(self.result(result, &mut said));
            }
        }
        self.inputs(&user.parts, &mut said);
        if said.is_empty() {
            if !has_results {
                self.empty();
            }
            return;
        }
        let message = said.add(Draft::default().text("role", "user"));
        written.push(message.extra(&user.extra, PROTOCOL).json());
    }

    fn inputs(&mut self, inputs: &[Input], said: &mut Said) {
        for (index, input) in inputs.iter().enumerate() {
            self.part = index;
            match input {
                Input::Text(text) => {
                    self.unmarked(text.cache.is_some());
                    said.text(&text.text);
                }
                Input::Media(media) => self.media(media, said),
                Input::Custom(custom) => self.custom(custom, said),
                Input::ToolResult(_) => {}
                _ => self.drop_part("this kind of part is unknown to the protocol"),
            }
        }
    }

    fn media(&mut self, media: &Media, said: &mut Said) {
        self.unmarked(media.cache.is_some());
        match media.kind() {
            MediaKind::Image if self.dialect.images => match picture::write(media) {
                Some(image) => said.images.push(Json::string(&image)),
                None => self.drop_part("images are sent as bytes here: fetch them first"),
            },
            MediaKind::Document => match document(media) {
                Some(text) => {
                    self.adjust("a document of text is a part of the message here");
                    said.text(&text);
                }
                None => self.drop_part("documents are text here"),
            },
            _ => self.drop_part("this service takes no such media"),
        }
    }

    fn result(&mut self, result: &ToolResult, moved: &mut Said) -> Json {
        self.unmarked(result.cache.is_some());
        let mut said = Said::default();
        for content in &result.content {
            match content {
                Content::Text(text) => said.text(&text.text),
                Content::Media(media) => self.media(media, &mut said),
                Content::Custom(custom) => self.custom(custom, &mut said),
                _ => self.drop_part("this kind of part is unknown to the protocol"),
            }
        }
        if result.is_error {
            self.adjust("results of tools have no error flag here: the text begins with \"Error: \"");
            let told = if said.content.is_empty() { "the tool failed" } else { &said.content };
            said.content = format!("Error: {told}");
        }
        if !said.images.is_empty() {
            self.adjust("results of tools hold no images here: they follow in a user message");
            moved.text(&format!("Media of the result of tool call {}:", result.call));
            moved.images.append(&mut said.images);
        }
        let mut message = Draft::default().text("role", "tool").text("content", &said.content);
        for (name, word) in [("tool_name", &result.name), ("tool_call_id", &result.call)] {
            if !word.is_empty() {
                message = message.text(name, word);
            }
        }
        message.extra(&result.extra, PROTOCOL).json()
    }

    fn assistant(&mut self, assistant: &Assistant, written: &mut Vec<Json>) {
        let (mut said, mut thinking, mut calls) = (Said::default(), String::new(), Vec::new());
        for (index, part) in assistant.parts.iter().enumerate() {
            self.part = index;
            match part {
                Output::Text(text) => {
                    self.unmarked(text.cache.is_some());
                    self.kept_in_place(calls.is_empty());
                    said.content.push_str(&text.text);
                }
                Output::Reasoning(reasoning) => {
                    self.kept_in_place(calls.is_empty() && said.is_empty());
                    thinking.push_str(&reasoning.text);
                }
                Output::Media(media) => self.media(media, &mut said),
                Output::ToolCall(call) => calls.extend(self.call(call)),
                Output::ToolResult(_) => {
                    self.drop_part("results of tools that a provider ran cannot go back here");
                }
                Output::Custom(custom) if custom.protocol == PROTOCOL && custom.kind == "tool_call" => {
                    calls.push(custom.value.clone());
                }
                Output::Custom(custom) => self.custom(custom, &mut said),
                _ => self.drop_part("this kind of part is unknown to the protocol"),
            }
        }
        if said.is_empty() && thinking.is_empty() && calls.is_empty() {
            return self.empty();
        }
        let mut message = said.add(Draft::default().text("role", "assistant"));
        if !thinking.is_empty() {
            message = message.text("thinking", &thinking);
        }
        if !calls.is_empty() {
            message = message.set("tool_calls", array(&calls));
        }
        written.push(message.extra(&assistant.extra, PROTOCOL).json());
    }

    fn call(&mut self, call: &ToolCall) -> Option<Json> {
        if !call.run_by.is_caller() {
            self.drop_part("calls of tools that a provider ran cannot go back here");
            return None;
        }
        self.unmarked(call.cache.is_some());
        if !call::is_plain(call) {
            self.adjust("input that is no JSON object is sent as {\"input\": text}");
        }
        Some(call::write(call, None))
    }

    fn kept_in_place(&mut self, is_kept: bool) {
        if !is_kept {
            self.adjust("thinking, text and calls are kept apart here: what stood behind others was moved");
        }
    }

    fn custom(&mut self, custom: &Custom, said: &mut Said) {
        if custom.protocol == PROTOCOL && custom.kind == picture::KIND {
            return said.images.push(custom.value.clone());
        }
        self.drop_part("a part of another protocol, or one that cannot go back");
    }

    /// The server keeps what it has read of a conversation by itself.
    pub(super) fn unmarked(&mut self, is_marked: bool) {
        let warning = Warning::ignored("cache", "there are no cache marks: the server caches by itself");
        if is_marked && !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    fn empty(&mut self) {
        let path = format!("messages[{}]", self.message);
        self.warnings.push(Warning::dropped(path, "an empty message cannot be sent"));
    }

    fn drop_part(&mut self, why: &'static str) {
        self.warnings.push(Warning::dropped(self.path(), why));
    }

    fn adjust(&mut self, why: &'static str) {
        self.warnings.push(Warning::adjusted(self.path(), why));
    }

    fn path(&self) -> String {
        format!("messages[{}].parts[{}]", self.message, self.part)
    }
}

/// The words of a document, below its name; `None` where they are not words.
fn document(media: &Media) -> Option<String> {
    let Source::Bytes(bytes) = &media.source else { return None };
    let is_text = media.mime.starts_with("text/")
        || matches!(&*media.mime, "application/json" | "application/xml" | "application/yaml");
    let text = std::str::from_utf8(bytes.as_bytes()).ok().filter(|_| is_text)?;
    Some(match &media.name {
        Some(name) => format!("{name}:{BETWEEN}{text}"),
        None => text.to_owned(),
    })
}

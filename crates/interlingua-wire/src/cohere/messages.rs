//! Messages to wire messages, and what is lost on the way.

use std::borrow::Cow;

use interlingua_model::{
    Assistant, Content, Custom, Input, Json, Media, MediaKind, Message, Output, Reasoning, Source, System,
    Text, ToolCall, ToolKind, ToolResult, User, Warning,
};
use serde_json::value::RawValue;

use super::dialect::Dialect;
use super::{PROTOCOL, document, message};
use crate::data_url;
use crate::draft::{Draft, array};

/// Writes messages and gathers documents and warnings.
#[derive(Debug)]
pub(super) struct Messages<'a> {
    dialect: &'a Dialect,
    /// The message and the part that are being written, for the paths of warnings.
    message: usize,
    part: usize,
    /// Documents belong to the request, wherever they stand.
    pub(super) documents: Vec<Json>,
    pub(super) warnings: Vec<Warning>,
}

impl<'a> Messages<'a> {
    pub(super) fn new(dialect: &'a Dialect) -> Self {
        Self { dialect, message: 0, part: 0, documents: Vec::new(), warnings: Vec::new() }
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
        let blocks = self.inputs(&system.parts);
        if blocks.is_empty() {
            return self.empty();
        }
        let message = Draft::default().text("role", "system").set("content", content(&system.parts, &blocks));
        written.push(message.extra(&system.extra, PROTOCOL).json());
    }

    /// Results of tools are messages of their own and come first; their media follow in the user's message.
    fn user(&mut self, user: &User, written: &mut Vec<Json>) {
        let mut blocks = Vec::new();
        for (index, part) in user.parts.iter().enumerate() {
            self.part = index;
            if let Input::ToolResult(result) = part {
                written.push(self.result(result, &mut blocks));
            }
        }
        let documents = self.documents.len();
        let moved = blocks.len();
        blocks.extend(self.inputs(&user.parts));
        let is_told = self.documents.len() > documents
            || user.parts.iter().any(|part| matches!(part, Input::ToolResult(_)));
        if blocks.is_empty() {
            if !is_told {
                self.empty();
            }
            return;
        }
        let content = if moved == 0 { content(&user.parts, &blocks) } else { array(&blocks) };
        let message = Draft::default().text("role", "user").set("content", content);
        written.push(message.extra(&user.extra, PROTOCOL).json());
    }

    fn inputs(&mut self, inputs: &[Input]) -> Vec<Json> {
        let mut blocks = Vec::with_capacity(inputs.len());
        for (index, input) in inputs.iter().enumerate() {
            self.part = index;
            match input {
                Input::Text(text) => blocks.extend(self.text(text)),
                Input::Media(media) => blocks.extend(self.media(media)),
                Input::Custom(custom) => blocks.extend(self.custom(custom)),
                Input::ToolResult(_) => {}
                _ => self.drop_part("this kind of part is unknown to the protocol"),
            }
        }
        blocks
    }

    fn text(&mut self, text: &Text) -> Option<Json> {
        self.unmarked(text.cache.is_some());
        if !text.citations.is_empty() {
            let path = format!("{}.citations", self.path());
            self.warnings.push(Warning::ignored(path, "a user's text cannot have citations"));
        }
        (!text.text.is_empty()).then(|| message::write_text(text))
    }

    fn media(&mut self, media: &Media) -> Option<Json> {
        self.unmarked(media.cache.is_some());
        match media.kind() {
            MediaKind::Image if self.dialect.images => {
                let image = image(media);
                if image.is_none() {
                    self.drop_part("images come from an address or as bytes, and not by the id of a file");
                }
                image
            }
            MediaKind::Document => {
                match document::write(media) {
                    Some(document) => self.documents.push(document),
                    None => self.drop_part("documents are text here"),
                }
                None
            }
            _ => {
                self.drop_part("this service takes no such media");
                None
            }
        }
    }

    fn result(&mut self, result: &ToolResult, moved: &mut Vec<Json>) -> Json {
        self.unmarked(result.cache.is_some());
        let contents = self.told(result);
        let mut blocks = Vec::new();
        let mut pictures = Vec::new();
        for content in contents.iter() {
            match content {
                Content::Text(text) => blocks.extend(self.text(text)),
                Content::Media(media) if media.kind() == MediaKind::Image => {
                    pictures.extend(self.media(media));
                }
                Content::Media(media) => match document::write_block(media) {
                    Some(block) => blocks.push(block),
                    None => {
                        self.drop_part("results of tools are text and documents of text here");
                    }
                },
                Content::Custom(custom) => blocks.extend(self.custom(custom)),
                _ => self.drop_part("this kind of part is unknown to the protocol"),
            }
        }
        if !pictures.is_empty() {
            self.adjust("results of tools hold no images here: they follow in a user message");
            let heading = format!("Media of the result of tool call {}:", result.call);
            moved.push(message::write_text(&Text::new(heading)));
            moved.append(&mut pictures);
        }
        let content = match &*contents {
            [Content::Text(text)] if is_plain(text) => Json::string(&text.text),
            [] => Json::string(""),
            _ => array(&blocks),
        };
        let message = Draft::default().text("role", "tool").text("tool_call_id", &result.call);
        message.set("content", content).extra(&result.extra, PROTOCOL).json()
    }

    /// There is no error flag: the text says so.
    fn told<'r>(&mut self, result: &'r ToolResult) -> Cow<'r, [Content]> {
        if !result.is_error {
            return Cow::Borrowed(&result.content);
        }
        self.adjust("results of tools have no error flag here: the text begins with \"Error: \"");
        let mut contents = result.content.clone();
        let first = contents.iter_mut().find_map(|content| match content {
            Content::Text(text) => Some(text),
            _ => None,
        });
        match first {
            Some(text) => text.text.insert_str(0, "Error: "),
            None => contents.insert(0, Content::Text(Text::new("Error: the tool failed"))),
        }
        Cow::Owned(contents)
    }

    fn assistant(&mut self, assistant: &Assistant, written: &mut Vec<Json>) {
        let mut said = message::Said::default();
        for (index, part) in assistant.parts.iter().enumerate() {
            self.part = index;
            if !self.output(part, &mut said) {
                self.adjust("text, plan and calls are kept apart here: what stood between others was moved");
            }
        }
        let mut extra = assistant.extra.clone();
        let left = extra.take(PROTOCOL, "citations");
        let left: Vec<&RawValue> =
            left.as_ref().and_then(|left| serde_json::from_str(left.as_str()).ok()).unwrap_or_default();
        for citation in left {
            said.custom(&Custom::new(PROTOCOL, "citation-start", Json::from(citation)));
        }
        if said.is_empty() {
            return self.empty();
        }
        written.push(said.draft().extra(&extra, PROTOCOL).json());
    }

    /// Writes a part; `false` when it could not stay in its place.
    fn output(&mut self, part: &Output, said: &mut message::Said) -> bool {
        match part {
            Output::Text(text) if text.text.is_empty() => {}
            Output::Text(text) => {
                self.unmarked(text.cache.is_some());
                return said.text(text);
            }
            Output::Reasoning(reasoning) => return self.reasoning(reasoning, said),
            Output::ToolCall(call) => return self.call(call, said),
            Output::Custom(custom) if custom.protocol == PROTOCOL => return said.custom(custom),
            Output::Media(_) => self.drop_part("an assistant's message cannot hold media"),
            Output::ToolResult(_) => {
                self.drop_part("results of tools that a provider ran cannot go back here");
            }
            _ => self.drop_part("a part of another protocol"),
        }
        true
    }

    fn reasoning(&mut self, reasoning: &Reasoning, said: &mut message::Said) -> bool {
        if reasoning.text.is_empty() {
            return true;
        }
        if !message::is_plan(reasoning) && !self.dialect.thinking {
            self.drop_part("this model takes no reasoning back");
            return true;
        }
        said.reasoning(reasoning)
    }

    fn call(&mut self, call: &ToolCall, said: &mut message::Said) -> bool {
        if !call.run_by.is_caller() {
            self.drop_part("calls of tools that a provider ran cannot go back here");
            return true;
        }
        self.unmarked(call.cache.is_some());
        if call.kind == ToolKind::Custom {
            self.adjust("there are no tools of free text: the text is the argument `input` of a function");
        }
        said.call(call)
    }

    fn custom(&mut self, custom: &Custom) -> Option<Json> {
        let value = (custom.protocol == PROTOCOL).then(|| custom.value.clone());
        if value.is_none() {
            self.drop_part("a part of another protocol");
        }
        value
    }

    /// The protocol caches by itself.
    pub(super) fn unmarked(&mut self, is_marked: bool) {
        let warning = Warning::ignored("cache", "there are no cache marks: the service caches by itself");
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

/// Content is a bare text where it is one plain text, else a list of blocks.
fn content(parts: &[Input], blocks: &[Json]) -> Json {
    match parts {
        [Input::Text(text)] if is_plain(text) => Json::string(&text.text),
        _ => array(blocks),
    }
}

fn is_plain(text: &Text) -> bool {
    text.extra.fields(PROTOCOL).is_none()
}

/// An image at an address, or in it; `None` for a file of a service.
fn image(media: &Media) -> Option<Json> {
    let url = match &media.source {
        Source::Bytes(data) => Cow::Owned(data_url::write(&media.mime, data)),
        Source::Url(url) => Cow::Borrowed(&**url),
        _ => return None,
    };
    let address = Draft::default().text("url", &url).extra(&media.extra, PROTOCOL);
    Some(Draft::of("image_url").set("image_url", address.json()).json())
}

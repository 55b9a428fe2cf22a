//! Wire messages to messages.

use std::collections::HashMap;

use interlingua_model::{
    Assistant, Content, Custom, Error, Extra, Input, Json, Media, Message, Output, System, Text, ToolResult,
    User,
};
use serde_json::value::RawValue;

use super::ask::invalid;
use super::{PROTOCOL, document, message};
use crate::{Object, data_url};

/// The messages read so far, and the names of the calls in them.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) messages: Vec<Message>,
    names: HashMap<String, String>,
}

impl History {
    /// Reads the next message.
    pub(super) fn message(&mut self, raw: &RawValue) -> Result<(), Error> {
        let mut message = Object::parse(raw.get()).map_err(|error| invalid(error.to_string()))?;
        let role: String = message.require("role")?;
        match role.as_str() {
            "assistant" => self.assistant(&message),
            "tool" => self.tool(message)?,
            "system" | "developer" => {
                let mut system = System::new(inputs(message.take_raw("content"))?);
                system.extra = rest(&message);
                self.messages.push(Message::System(system));
            }
            "user" => {
                let mut user = User::new(inputs(message.take_raw("content"))?);
                user.extra = rest(&message);
                self.messages.push(Message::User(user));
            }
            other => {
                return Err(invalid(format!("the role `{other}` is not user, assistant, tool or system")));
            }
        }
        Ok(())
    }

    /// Puts documents before all else that the user says; `false` when no user says anything.
    pub(super) fn documents(&mut self, documents: Vec<Media>) -> bool {
        let first = self.messages.iter_mut().find_map(|message| match message {
            Message::User(user) if !is_results(user) => Some(user),
            _ => None,
        });
        match first {
            Some(user) => user.parts.splice(..0, documents.into_iter().map(Input::Media)),
            None => return documents.is_empty(),
        };
        true
    }

    fn assistant(&mut self, told: &Object<'_>) {
        let mut heard = message::read(told);
        // Clients send an empty text beside calls, which says nothing.
        heard.parts.retain(|part| !matches!(part, Output::Text(text) if *text == Text::default()));
        for part in &heard.parts {
            if let Output::ToolCall(call) = part {
                self.names.insert(call.id.clone(), call.name.clone());
            }
        }
        let mut assistant = Assistant::new(heard.parts);
        assistant.extra = heard.extra;
        let left: Vec<Json> = heard.citations.into_iter().map(|custom| custom.value).collect();
        if !left.is_empty() {
            assistant.extra.set(PROTOCOL, "citations", crate::draft::array(&left));
        }
        self.messages.push(Message::Assistant(assistant));
    }

    /// A tool's message; those that follow one another answer the calls of one message and are put together.
    fn tool(&mut self, mut message: Object<'_>) -> Result<(), Error> {
        let id: String = message.require("tool_call_id")?;
        message.take_raw("role");
        let name = self.names.get(&id).cloned().unwrap_or_default();
        let mut result = ToolResult::new(id, name, "");
        result.content = contents(message.take_raw("content"))?;
        result.extra = rest(&message);
        match self.messages.last_mut() {
            Some(Message::User(user)) if is_results(user) => user.parts.push(Input::ToolResult(result)),
            _ => self.messages.push(Message::tool_results([result])),
        }
        Ok(())
    }
}

/// Whether a message holds results of tools and nothing else.
fn is_results(user: &User) -> bool {
    !user.parts.is_empty()
        && user.extra.is_empty()
        && user.parts.iter().all(|part| matches!(part, Input::ToolResult(_)))
}

/// Unknown fields that say something.
fn rest(message: &Object<'_>) -> Extra {
    let mut extra = Extra::default();
    for (name, value) in message.iter().filter(|(name, value)| *name != "role" && value.get() != "null") {
        extra.set(PROTOCOL, name, Json::from(value));
    }
    extra
}

/// Content is a text, which says nothing when it is empty, or a list of blocks.
fn blocks(content: Option<&RawValue>) -> Result<Result<String, Vec<&RawValue>>, Error> {
    let Some(content) = content.filter(|content| content.get() != "null") else { return Ok(Err(Vec::new())) };
    if let Ok(text) = serde_json::from_str::<String>(content.get()) {
        return Ok(Ok(text));
    }
    let blocks = serde_json::from_str(content.get());
    blocks
        .map(Err)
        .map_err(|error| invalid(format!("`content` is neither text nor a list of blocks: {error}")))
}

fn inputs(content: Option<&RawValue>) -> Result<Vec<Input>, Error> {
    Ok(match blocks(content)? {
        Ok(text) if text.is_empty() => Vec::new(),
        Ok(text) => vec![Input::Text(Text::new(text))],
        Err(blocks) => blocks.into_iter().map(input).collect(),
    })
}

fn input(raw: &RawValue) -> Input {
    let block = Object::parse(raw.get()).unwrap_or_default();
    if block.peek::<String>("type").is_some_and(|kind| kind == "image_url")
        && let Some(media) = image(&block)
    {
        return Input::Media(media);
    }
    match message::content(raw) {
        Output::Text(text) => Input::Text(text),
        Output::Custom(custom) => Input::Custom(custom),
        _ => Input::Custom(Custom::new(PROTOCOL, "thinking", Json::from(raw))),
    }
}

/// An image, unless more is said of it than there is a place for.
fn image(block: &Object<'_>) -> Option<Media> {
    if block.iter().any(|(name, _)| !matches!(name, "type" | "image_url")) {
        return None;
    }
    let mut address: Object<'_> = block.peek("image_url")?;
    let url: String = address.take("url").ok()??;
    let mut media = match data_url::read(&url) {
        Some((mime, data)) => Media::bytes(mime, data),
        None => Media::url("image/*", url),
    };
    address.rest_into(&mut media.extra, PROTOCOL);
    Some(media)
}

fn contents(content: Option<&RawValue>) -> Result<Vec<Content>, Error> {
    Ok(match blocks(content)? {
        Ok(text) if text.is_empty() => Vec::new(),
        Ok(text) => vec![Content::Text(Text::new(text))],
        Err(blocks) => blocks.into_iter().map(part_of_result).collect(),
    })
}

fn part_of_result(raw: &RawValue) -> Content {
    let block = Object::parse(raw.get()).unwrap_or_default();
    let is_document =
        block.peek::<String>("type").is_some_and(|kind| kind == "document") && block.iter().count() == 2;
    if let Some(document) = block.get("document").filter(|_| is_document).and_then(document::read) {
        return Content::Media(document);
    }
    match message::content(raw) {
        Output::Text(text) => Content::Text(text),
        Output::Custom(custom) => Content::Custom(custom),
        _ => Content::Custom(Custom::new(PROTOCOL, "thinking", Json::from(raw))),
    }
}

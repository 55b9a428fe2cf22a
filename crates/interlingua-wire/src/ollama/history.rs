//! Wire messages to messages. Calls and results often have no ids: calls are numbered, and results belong to the first
//! call of their name that has none yet.

use interlingua_model::{
    Assistant, Content, Custom, Error, Extra, Input, Json, Media, Message, Output, Reasoning, System, Text,
    ToolResult, User,
};
use serde_json::value::RawValue;

use super::ask::invalid;
use super::{PROTOCOL, call, picture};
use crate::Object;

/// The messages read so far.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) messages: Vec<Message>,
    calls: Vec<Known>,
}

/// A call that was made.
#[derive(Debug)]
struct Known {
    id: String,
    name: String,
    is_answered: bool,
}

impl History {
    /// Reads the next message.
    pub(super) fn message(&mut self, raw: &RawValue) -> Result<(), Error> {
        let mut message = Object::parse(raw.get()).map_err(|error| invalid(error.to_string()))?;
        let role: String = message.require("role")?;
        match role.as_str() {
            "assistant" => self.assistant(message)?,
            "tool" => self.tool(message)?,
            "system" | "developer" => {
                let mut system = System::new(inputs(&mut message)?);
                system.extra = rest(&message);
                self.messages.push(Message::System(system));
            }
            "user" => {
                let mut user = User::new(inputs(&mut message)?);
                user.extra = rest(&message);
                self.messages.push(Message::User(user));
            }
            other => {
                return Err(invalid(format!("the role `{other}` is not user, assistant, tool or system")));
            }
        }
        Ok(())
    }

    fn assistant(&mut self, mut message: Object<'_>) -> Result<(), Error> {
        let mut parts = Vec::new();
        if let Some(thinking) = text(&mut message, "thinking")? {
            parts.push(Output::Reasoning(Reasoning::new(thinking)));
        }
        if let Some(content) = text(&mut message, "content")? {
            parts.push(Output::Text(Text::new(content)));
        }
        parts.extend(images(&mut message)?.into_iter().map(|image| match image {
            Ok(media) => Output::Media(media),
            Err(custom) => Output::Custom(custom),
        }));
        for raw in message.take::<Vec<&RawValue>>("tool_calls")?.unwrap_or_default() {
            let number = self.calls.len();
            let Some(call) = call::read(raw, |_| format!("call_{number}")) else {
                parts.push(Output::Custom(Custom::new(PROTOCOL, "tool_call", Json::from(raw))));
                continue;
            };
            self.calls.push(Known { id: call.id.clone(), name: call.name.clone(), is_answered: false });
            parts.push(Output::ToolCall(call));
        }
        let mut assistant = Assistant::new(parts);
        assistant.extra = rest(&message);
        self.messages.push(Message::Assistant(assistant));
        Ok(())
    }

    /// A tool's message; those that follow one another answer the calls of one message and are put together.
    fn tool(&mut self, mut message: Object<'_>) -> Result<(), Error> {
        let id = text(&mut message, "tool_call_id")?;
        let name = text(&mut message, "tool_name")?;
        let (id, name) = self.answered(id, name);
        let mut result = ToolResult::new(id, name, "");
        result.content =
            text(&mut message, "content")?.map(|text| Content::Text(Text::new(text))).into_iter().collect();
        result.content.extend(images(&mut message)?.into_iter().map(|image| match image {
            Ok(media) => Content::Media(media),
            Err(custom) => Content::Custom(custom),
        }));
        result.extra = rest(&message);
        match self.messages.last_mut() {
            Some(Message::User(user)) if is_results(user) => user.parts.push(Input::ToolResult(result)),
            _ => self.messages.push(Message::tool_results([result])),
        }
        Ok(())
    }

    /// The call that a result answers: by id, else by name, else the first that waits.
    fn answered(&mut self, id: Option<String>, name: Option<String>) -> (String, String) {
        let found = self.calls.iter_mut().find(|call| match (&id, &name) {
            (Some(id), _) => call.id == *id,
            (None, Some(name)) => !call.is_answered && call.name == *name,
            (None, None) => !call.is_answered,
        });
        let Some(call) = found else { return (id.unwrap_or_default(), name.unwrap_or_default()) };
        call.is_answered = true;
        (call.id.clone(), name.unwrap_or_else(|| call.name.clone()))
    }
}

/// Whether a message holds results of tools and nothing else.
fn is_results(user: &User) -> bool {
    !user.parts.is_empty()
        && user.extra.is_empty()
        && user.parts.iter().all(|part| matches!(part, Input::ToolResult(_)))
}

/// A text, which says nothing when it is empty.
fn text(message: &mut Object<'_>, name: &str) -> Result<Option<String>, Error> {
    Ok(message.take::<String>(name)?.filter(|text| !text.is_empty()))
}

fn inputs(message: &mut Object<'_>) -> Result<Vec<Input>, Error> {
    let text = text(message, "content")?.map(|text| Input::Text(Text::new(text)));
    let images = images(message)?.into_iter().map(|image| match image {
        Ok(media) => Input::Media(media),
        Err(custom) => Input::Custom(custom),
    });
    Ok(text.into_iter().chain(images).collect())
}

/// Images, each as it came where it is not base64.
fn images(message: &mut Object<'_>) -> Result<Vec<Result<Media, Custom>>, Error> {
    let images: Vec<String> = message.take("images")?.unwrap_or_default();
    let image = |image: String| {
        picture::read(&image).ok_or_else(|| Custom::new(PROTOCOL, picture::KIND, Json::string(&image)))
    };
    Ok(images.into_iter().map(image).collect())
}

/// Unknown fields that say something.
fn rest(message: &Object<'_>) -> Extra {
    let mut extra = Extra::default();
    for (name, value) in message.iter().filter(|(name, value)| *name != "role" && value.get() != "null") {
        extra.set(PROTOCOL, name, Json::from(value));
    }
    extra
}

use serde::{Deserialize, Serialize};

use crate::{Extra, Input, Output, Text, ToolResult};

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Message {
    /// Instructions; usually the first message, but some protocols take them anywhere.
    System(System),
    /// What the user says, and the results of tools.
    User(User),
    /// What the model said.
    Assistant(Assistant),
}

/// Instructions to the model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct System {
    /// The parts, in order.
    pub parts: Vec<Input>,
    /// What only one protocol knows of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// What the user says, and the results of tools.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The parts, in order.
    pub parts: Vec<Input>,
    /// What only one protocol knows of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// What a model said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Assistant {
    /// The parts, in order.
    pub parts: Vec<Output>,
    /// Who said it; sealed parts may go back to no one else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What only one protocol knows of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// Who wrote an assistant's message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Origin {
    /// Protocol id, such as `openai_responses`.
    pub protocol: String,
    /// Provider id, such as `openai`; empty when the codec was used without a client.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub provider: String,
    /// The model, as it was asked for.
    pub model: String,
}

impl Message {
    /// A system message of one text.
    pub fn system(part: impl Into<Input>) -> Self {
        Self::System(System { parts: vec![part.into()], extra: Extra::default() })
    }

    /// A user message of one part.
    pub fn user(part: impl Into<Input>) -> Self {
        Self::User(User { parts: vec![part.into()], extra: Extra::default() })
    }

    /// An assistant message of one text, without an origin.
    pub fn assistant(text: impl Into<Text>) -> Self {
        Self::Assistant(Assistant { parts: vec![Output::Text(text.into())], ..Assistant::default() })
    }

    /// The user message that answers the calls of one assistant message, all results in it.
    pub fn tool_results(results: impl IntoIterator<Item = ToolResult>) -> Self {
        Self::User(User::new(results.into_iter().map(Input::ToolResult).collect()))
    }
}

impl System {
    /// Instructions of several parts.
    pub fn new(parts: Vec<Input>) -> Self {
        Self { parts, extra: Extra::default() }
    }
}

impl User {
    /// A user message of several parts.
    pub fn new(parts: Vec<Input>) -> Self {
        Self { parts, extra: Extra::default() }
    }
}

impl Assistant {
    /// An assistant message of several parts, without an origin.
    pub fn new(parts: Vec<Output>) -> Self {
        Self { parts, origin: None, extra: Extra::default() }
    }

    /// The text parts joined, without reasoning.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match part {
            Output::Text(text) => Some(&*text.text),
            _ => None,
        });
        texts.collect()
    }
}

impl Origin {
    /// An origin.
    pub fn new(protocol: impl Into<String>, provider: impl Into<String>, model: impl Into<String>) -> Self {
        Self { protocol: protocol.into(), provider: provider.into(), model: model.into() }
    }
}

impl From<Assistant> for Message {
    fn from(message: Assistant) -> Self {
        Self::Assistant(message)
    }
}

impl From<User> for Message {
    fn from(message: User) -> Self {
        Self::User(message)
    }
}

impl From<System> for Message {
    fn from(message: System) -> Self {
        Self::System(message)
    }
}

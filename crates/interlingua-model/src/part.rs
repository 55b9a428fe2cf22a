use serde::{Deserialize, Serialize};

use crate::{Citation, Extra, Json, Media, Retention};

/// A part of what goes into a model: in a system or a user message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Input {
    /// Text.
    Text(Text),
    /// An image, a document, a sound, a video.
    Media(Media),
    /// The result of a tool call that the model made.
    ToolResult(ToolResult),
    /// A part that only one protocol knows.
    Custom(Custom),
}

/// A part of what comes out of a model, and goes back into the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Output {
    /// Text.
    Text(Text),
    /// Reasoning, readable or sealed.
    Reasoning(Reasoning),
    /// An image, a sound, a file.
    Media(Media),
    /// A call of a tool.
    ToolCall(ToolCall),
    /// The result of a tool that the provider ran.
    ToolResult(ToolResult),
    /// A part that only one protocol knows.
    Custom(Custom),
}

/// A part of a tool's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// Text.
    Text(Text),
    /// An image, a document, a sound, a video.
    Media(Media),
    /// A part that only one protocol knows.
    Custom(Custom),
}

/// Text, with what belongs to it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Text {
    /// The text.
    pub text: String,
    /// Whether the model says here that it refuses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refusal: bool,
    /// Sources of the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    /// Probabilities of its tokens, if asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logprobs: Vec<TokenLogprob>,
    /// Ask the provider to cache the prompt up to and including this part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Retention>,
    /// What only one protocol knows of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// The model's reasoning. What seals it (a signature, encrypted content) lies in `extra` under its protocol.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reasoning {
    /// The readable text; empty where the provider keeps it to itself.
    pub text: String,
    /// Signature, encrypted content, item id: what must go back unchanged.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCall {
    /// The id that the result must carry; unique within a conversation.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// The JSON text as the model wrote it; free text for a custom tool.
    pub input: Json,
    /// Whether `input` is JSON or free text.
    #[serde(default, skip_serializing_if = "ToolKind::is_function")]
    pub kind: ToolKind,
    /// Who runs the tool.
    #[serde(default, skip_serializing_if = "RunBy::is_caller")]
    pub run_by: RunBy,
    /// The answer was cut inside this call: it is not to be run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Ask the provider to cache the prompt up to and including this part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Retention>,
    /// What only one protocol knows of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// Whether a tool takes JSON or free text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolKind {
    /// A function with JSON arguments.
    #[default]
    Function,
    /// A custom tool with free text, perhaps bound by a grammar.
    Custom,
}

/// Who runs a tool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunBy {
    /// The program that asked.
    #[default]
    Caller,
    /// The provider, during the answer.
    Provider,
}

/// The result of a tool call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolResult {
    /// The id of the call.
    pub call: String,
    /// The name of the tool; some protocols need it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What the tool said.
    pub content: Vec<Content>,
    /// Whether the tool failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// Whether the call was one of a custom tool.
    #[serde(default, skip_serializing_if = "ToolKind::is_function")]
    pub kind: ToolKind,
    /// Ask the provider to cache the prompt up to and including this part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Retention>,
    /// What only one protocol knows of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// A block, item or event that only one protocol knows, kept verbatim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Custom {
    /// The protocol it belongs to, such as `anthropic`.
    pub protocol: String,
    /// The protocol's own type word.
    pub kind: String,
    /// The whole thing as it stood on the wire.
    pub value: Json,
}

/// The probability of one token and of those that were near.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenLogprob {
    /// The token that was chosen.
    pub chosen: Logprob,
    /// The most likely tokens in its place, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<Logprob>,
}

/// The probability of one token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Logprob {
    /// The token's text.
    pub token: String,
    /// Natural logarithm of its probability.
    pub logprob: f64,
    /// Its bytes, where a token is not whole text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Vec<u8>>,
}

impl Text {
    /// Plain text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// The model's words of refusal.
    pub fn refusal(text: impl Into<String>) -> Self {
        Self { text: text.into(), refusal: true, ..Self::default() }
    }

    /// The same with a cache mark.
    #[must_use]
    pub fn cached(mut self, retention: Retention) -> Self {
        self.cache = Some(retention);
        self
    }
}

impl Reasoning {
    /// Readable reasoning without a seal.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

impl ToolCall {
    /// A call of a function.
    pub fn new(id: impl Into<String>, name: impl Into<String>, input: Json) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            input,
            kind: ToolKind::Function,
            run_by: RunBy::Caller,
            partial: false,
            cache: None,
            extra: Extra::default(),
        }
    }
}

impl ToolResult {
    /// What the tool answered, as text.
    pub fn new(call: impl Into<String>, name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            call: call.into(),
            name: name.into(),
            content: vec![Content::Text(Text::new(text))],
            ..Self::default()
        }
    }

    /// The message of a tool that failed.
    pub fn error(call: impl Into<String>, name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::new(call, name, text) }
    }

    /// The text of the content, joined.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|content| match content {
            Content::Text(text) => Some(&*text.text),
            Content::Media(_) | Content::Custom(_) => None,
        });
        texts.collect()
    }
}

impl Custom {
    /// A block, item or event of a protocol.
    pub fn new(protocol: impl Into<String>, kind: impl Into<String>, value: Json) -> Self {
        Self { protocol: protocol.into(), kind: kind.into(), value }
    }
}

impl TokenLogprob {
    /// A chosen token and its neighbours.
    pub fn new(chosen: Logprob, top: Vec<Logprob>) -> Self {
        Self { chosen, top }
    }
}

impl Logprob {
    /// The probability of one token.
    pub fn new(token: impl Into<String>, logprob: f64, bytes: Option<Vec<u8>>) -> Self {
        Self { token: token.into(), logprob, bytes }
    }
}

impl ToolKind {
    /// Whether the tool takes JSON.
    pub const fn is_function(&self) -> bool {
        matches!(self, Self::Function)
    }
}

impl RunBy {
    /// Whether the program that asked runs the tool.
    pub const fn is_caller(&self) -> bool {
        matches!(self, Self::Caller)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl<T: Into<Text>> From<T> for Input {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl From<Media> for Input {
    fn from(media: Media) -> Self {
        Self::Media(media)
    }
}

impl From<ToolResult> for Input {
    fn from(result: ToolResult) -> Self {
        Self::ToolResult(result)
    }
}

impl<T: Into<Text>> From<T> for Content {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl From<Media> for Content {
    fn from(media: Media) -> Self {
        Self::Media(media)
    }
}

use std::fmt;

use interlingua_model::{Content, Json, Media, Text, ToolCall, ToolResult};

/// What a tool says.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ToolOutput {
    /// What is told to the model.
    pub content: Vec<Content>,
    /// Whether it is told as an error.
    pub is_error: bool,
}

impl ToolOutput {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: vec![Content::Text(Text::new(text))], is_error: false }
    }

    /// Words that say what went wrong.
    pub fn error(text: impl Into<String>) -> Self {
        Self { is_error: true, ..Self::text(text) }
    }

    /// Any value, as JSON text; one that cannot be written so is an error.
    pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Self {
        match Json::of(value) {
            Ok(json) => json.into(),
            Err(error) => Self::error(format!("the result cannot be written as JSON: {error}")),
        }
    }

    /// The result of a call.
    pub(crate) fn answer(self, call: &ToolCall) -> ToolResult {
        let mut result = ToolResult::default();
        result.call.clone_from(&call.id);
        result.name.clone_from(&call.name);
        result.kind = call.kind;
        result.content = self.content;
        result.is_error = self.is_error;
        result
    }
}

impl From<()> for ToolOutput {
    fn from((): ()) -> Self {
        Self::text("done")
    }
}

impl From<String> for ToolOutput {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for ToolOutput {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<Json> for ToolOutput {
    fn from(json: Json) -> Self {
        Self::text(json.as_str())
    }
}

impl From<serde_json::Value> for ToolOutput {
    fn from(value: serde_json::Value) -> Self {
        Self::text(value.to_string())
    }
}

impl From<Media> for ToolOutput {
    fn from(media: Media) -> Self {
        Self { content: vec![Content::Media(media)], is_error: false }
    }
}

impl From<Vec<Content>> for ToolOutput {
    fn from(content: Vec<Content>) -> Self {
        Self { content, is_error: false }
    }
}

impl<T: Into<Self>, E: fmt::Display> From<Result<T, E>> for ToolOutput {
    fn from(result: Result<T, E>) -> Self {
        result.map_or_else(|error| Self::error(error.to_string()), Into::into)
    }
}

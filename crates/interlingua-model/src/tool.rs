use serde::{Deserialize, Serialize};

use crate::{Extra, Json, Retention};

/// A tool that the model may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tool {
    /// A function with JSON arguments, run by the caller.
    Function(FunctionTool),
    /// A tool that takes free text, perhaps bound by a grammar, run by the caller.
    Custom(CustomTool),
    /// A tool that the provider defines, in that provider's own words.
    Provider(ProviderTool),
}

/// A function with JSON arguments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionTool {
    /// Name; letters, digits, `_` and `-`, at most 64 of them, suits every provider.
    pub name: String,
    /// What it does and when to call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of the arguments, verbatim; models fill fields in the order of `properties`.
    pub input: Json,
    /// Whether the provider must keep to the schema; `None` leaves it to the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// Ask the provider to cache the prompt up to and including this tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Retention>,
    /// What only one protocol knows of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// A tool that takes free text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CustomTool {
    /// Name.
    pub name: String,
    /// What it does and when to call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The grammar that the text must follow, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grammar: Option<Grammar>,
    /// What only one protocol knows of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// A grammar for the input of a custom tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Grammar {
    /// `lark` or `regex`.
    pub syntax: String,
    /// The grammar.
    pub definition: String,
}

/// A tool that the provider defines: web search, code execution, a remote MCP server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProviderTool {
    /// The protocol whose words these are.
    pub protocol: String,
    /// The tool's type word, such as `web_search_20260318`.
    pub kind: String,
    /// The whole definition as it goes on the wire.
    pub value: Json,
}

/// Which tool the model may or must call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// No tool.
    None,
    /// Some tool.
    Required,
    /// The tool of this name.
    Tool(String),
    /// Only these tools, although others are listed (which keeps a cached prefix valid).
    Allowed {
        /// Whether one of them must be called.
        mode: ToolMode,
        /// Their names.
        names: Vec<String>,
    },
}

/// Whether an allowed subset of tools is offered or demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ToolMode {
    /// The model decides whether to call one.
    Auto,
    /// One must be called.
    Required,
}

impl Tool {
    /// The name under which the model calls it; a provider's tool is known by its type word.
    pub fn name(&self) -> &str {
        match self {
            Self::Function(tool) => &tool.name,
            Self::Custom(tool) => &tool.name,
            Self::Provider(tool) => &tool.kind,
        }
    }
}

impl FunctionTool {
    /// A function with a JSON Schema for its arguments.
    pub fn new(name: impl Into<String>, description: impl Into<String>, input: Json) -> Self {
        Self {
            name: name.into(),
            description: Some(description.into()).filter(|text: &String| !text.is_empty()),
            input,
            strict: None,
            cache: None,
            extra: Extra::default(),
        }
    }

    /// The same, strict or not.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = Some(strict);
        self
    }
}

impl CustomTool {
    /// A tool that takes free text.
    pub fn new(name: impl Into<String>, description: impl Into<String>, grammar: Option<Grammar>) -> Self {
        Self {
            name: name.into(),
            description: Some(description.into()).filter(|text: &String| !text.is_empty()),
            grammar,
            extra: Extra::default(),
        }
    }
}

impl Grammar {
    /// A grammar in a syntax, `lark` or `regex`.
    pub fn new(syntax: impl Into<String>, definition: impl Into<String>) -> Self {
        Self { syntax: syntax.into(), definition: definition.into() }
    }
}

impl ProviderTool {
    /// A tool in a protocol's own words.
    pub fn new(protocol: impl Into<String>, kind: impl Into<String>, value: Json) -> Self {
        Self { protocol: protocol.into(), kind: kind.into(), value }
    }
}

impl From<FunctionTool> for Tool {
    fn from(tool: FunctionTool) -> Self {
        Self::Function(tool)
    }
}

impl From<CustomTool> for Tool {
    fn from(tool: CustomTool) -> Self {
        Self::Custom(tool)
    }
}

impl From<ProviderTool> for Tool {
    fn from(tool: ProviderTool) -> Self {
        Self::Provider(tool)
    }
}

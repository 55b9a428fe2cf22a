use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Extra, Input, Json, Message, System, Tool, ToolChoice, Version};

/// What is asked of a model.
///
/// Every knob is optional: one that is `None` or empty is not sent, and the provider's default holds. A knob that the
/// target cannot express becomes a [`Warning`](crate::Warning), in strict mode an error.
///
/// ```
/// use interlingua_model::{Effort, FunctionTool, Json, Request};
///
/// let schema = Json::new(r#"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#)?;
/// let request = Request::new("anthropic/claude-opus-5-5")
///     .system("Answer in one sentence.")
///     .user("What is the weather in Paris?")
///     .tool(FunctionTool::new("get_weather", "Current weather of a city", schema))
///     .effort(Effort::Low)
///     .max_output(500);
/// assert_eq!(request.messages.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Request {
    /// The version of this shape, when serialized.
    #[serde(default)]
    pub interlingua: Version,
    /// The model: `provider/model` for a client, the bare name on the wire.
    pub model: String,
    /// The conversation, oldest message first.
    pub messages: Vec<Message>,
    /// The tools that the model may call, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Which of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// Whether the model may call several tools in one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// How tokens are drawn.
    #[serde(default, skip_serializing_if = "Sampling::is_empty")]
    pub sampling: Sampling,
    /// At most this many tokens of answer, reasoning included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u32>,
    /// How much the model should reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// At most this many tokens of reasoning, for models that take a figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_budget: Option<u32>,
    /// Whether readable reasoning (or its summary) is to be returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_reasoning: Option<bool>,
    /// How long the answer should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbosity: Option<Verbosity>,
    /// Prompt caching for the request as a whole; marks on parts are on the parts.
    #[serde(default, skip_serializing_if = "Cache::is_empty")]
    pub cache: Cache,
    /// The provider's word for a class of service, such as `auto`, `flex`, `priority`, `standard_only`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Labels that the provider stores with the request, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<(String, String)>,
    /// An opaque id of the person behind the request, for the provider's abuse detection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_user: Option<String>,
    /// What only one protocol knows; its codec puts these fields into the body.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// How tokens are drawn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sampling {
    /// 0 is nearly deterministic; most providers take 0 to 2, Anthropic 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Draw from the most likely tokens whose probabilities sum to this, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Draw from this many most likely tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    /// Makes draws repeatable, as far as the provider can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Penalty for tokens that have appeared at all, −2 to 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    /// Penalty for tokens by how often they have appeared, −2 to 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    /// Texts at which the answer ends, themselves left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// Return token probabilities, with this many alternatives for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<u8>,
}

/// How much a model should reason, from not at all to as much as it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Effort {
    /// No reasoning.
    None,
    /// As little as the model can.
    Minimal,
    /// Little.
    Low,
    /// The middle.
    Medium,
    /// Much.
    High,
    /// More than much.
    XHigh,
    /// All that the model can.
    Max,
}

/// How long an answer should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verbosity {
    /// Short.
    Low,
    /// The middle.
    Medium,
    /// Long.
    High,
}

/// The form of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Format {
    /// Free text.
    Text,
    /// Some JSON object.
    Json,
    /// JSON that follows a schema.
    Schema(SchemaFormat),
}

/// A JSON Schema that an answer must follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SchemaFormat {
    /// A name for the schema; letters, digits, `_` and `-`, at most 64 of them.
    pub name: String,
    /// What the answer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The schema, verbatim.
    pub schema: Json,
    /// Whether the provider must keep to it; `None` leaves it to the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// Prompt caching for a request as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cache {
    /// Let the provider place the mark: cache as much of the prompt as can be, for this long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic: Option<Retention>,
    /// Requests with the same key are routed to the same cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// How long a cached prefix is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Retention {
    /// The provider's usual time.
    #[default]
    Default,
    /// The shorter of the times that the provider offers: minutes.
    Short,
    /// The longer of the times that the provider offers: hours.
    Long,
}

impl Request {
    /// An empty request to a model.
    pub fn new(model: impl Into<String>) -> Self {
        Self { model: model.into(), ..Self::default() }
    }

    /// Adds instructions.
    #[must_use]
    pub fn system(self, text: impl Into<Input>) -> Self {
        self.message(System::new(vec![text.into()]))
    }

    /// Adds a user message of one part.
    #[must_use]
    pub fn user(self, part: impl Into<Input>) -> Self {
        self.message(Message::user(part))
    }

    /// Adds a message.
    #[must_use]
    pub fn message(mut self, message: impl Into<Message>) -> Self {
        self.messages.push(message.into());
        self
    }

    /// A copy of everything but the messages, with these in their place.
    #[must_use]
    pub fn with_messages(&self, messages: Vec<Message>) -> Self {
        // All fields by name, so that none is forgotten.
        let Self {
            interlingua,
            model,
            messages: _,
            tools,
            tool_choice,
            parallel_tool_calls,
            format,
            sampling,
            max_output,
            effort,
            reasoning_budget,
            show_reasoning,
            verbosity,
            cache,
            service_tier,
            metadata,
            end_user,
            extra,
        } = self;
        Self {
            interlingua: *interlingua,
            model: model.clone(),
            messages,
            tools: tools.clone(),
            tool_choice: tool_choice.clone(),
            parallel_tool_calls: *parallel_tool_calls,
            format: format.clone(),
            sampling: sampling.clone(),
            max_output: *max_output,
            effort: *effort,
            reasoning_budget: *reasoning_budget,
            show_reasoning: *show_reasoning,
            verbosity: *verbosity,
            cache: cache.clone(),
            service_tier: service_tier.clone(),
            metadata: metadata.clone(),
            end_user: end_user.clone(),
            extra: extra.clone(),
        }
    }

    /// Adds a tool.
    #[must_use]
    pub fn tool(mut self, tool: impl Into<Tool>) -> Self {
        self.tools.push(tool.into());
        self
    }

    /// Sets which tool may be called.
    #[must_use]
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = Some(choice);
        self
    }

    /// Sets the form of the answer.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Sets the most tokens of answer.
    #[must_use]
    pub fn max_output(mut self, tokens: u32) -> Self {
        self.max_output = Some(tokens);
        self
    }

    /// Sets the temperature.
    #[must_use]
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.sampling.temperature = Some(temperature);
        self
    }

    /// Sets how much the model should reason.
    #[must_use]
    pub fn effort(mut self, effort: Effort) -> Self {
        self.effort = Some(effort);
        self
    }
}

impl Sampling {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Cache {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl SchemaFormat {
    /// A named schema.
    pub fn new(name: impl Into<String>, schema: Json) -> Self {
        Self { name: name.into(), description: None, schema, strict: None }
    }

    /// The same, strict or not.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = Some(strict);
        self
    }
}

impl Effort {
    /// All levels, least first.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::XHigh, Self::Max];

    /// The usual word: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }
}

impl Verbosity {
    /// The usual word: `low`, `medium`, `high`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Effort {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|effort| effort.as_str() == word);
        found.ok_or_else(|| {
            format!("unknown effort `{word}`, expected none, minimal, low, medium, high, xhigh or max")
        })
    }
}

impl FromStr for Verbosity {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = [Self::Low, Self::Medium, Self::High].into_iter().find(|level| level.as_str() == word);
        found.ok_or_else(|| format!("unknown verbosity `{word}`, expected low, medium or high"))
    }
}

use serde::{Deserialize, Serialize};

use crate::Extra;

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finish {
    /// The reason in neutral terms.
    pub reason: FinishReason,
    /// The provider's own word, when it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// The stop sequence that was met, when the provider named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_sequence: Option<String>,
    /// What only one protocol says at the end of an answer.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// The reason for which an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FinishReason {
    /// The model was done, or met a stop sequence.
    Stop,
    /// The output limit or the context window was reached; the answer is cut.
    Length,
    /// The model waits for the results of tool calls.
    ToolUse,
    /// A content filter cut or blocked the answer.
    Filtered,
    /// The model refused.
    Refused,
    /// The provider paused a long turn; send the conversation again with this message to go on.
    Paused,
    /// Something else; see [`Finish::raw`].
    Other,
}

impl Finish {
    /// A finish with a reason and nothing else.
    pub fn new(reason: FinishReason) -> Self {
        Self { reason, raw: None, stop_sequence: None, extra: Extra::default() }
    }

    /// The same, with the provider's own word.
    #[must_use]
    pub fn with_raw(mut self, raw: impl Into<String>) -> Self {
        self.raw = Some(raw.into());
        self
    }
}

impl FinishReason {
    /// Whether the answer is as long as the model meant it to be.
    pub const fn is_normal(self) -> bool {
        matches!(self, Self::Stop | Self::ToolUse)
    }

    /// The word by which the reason is serialized: `stop`, `length`, `tool_use`, `filtered`, `refused`, `paused`, `other`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolUse => "tool_use",
            Self::Filtered => "filtered",
            Self::Refused => "refused",
            Self::Paused => "paused",
            Self::Other => "other",
        }
    }
}

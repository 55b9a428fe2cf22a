use serde::{Deserialize, Serialize};

use crate::{Assistant, Custom, Extra, Finish, Output, ToolCall, Usage, Version, Warning};

/// A whole answer. Only [`Fold`](crate::Fold) makes one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Response {
    /// The version of this shape, when serialized.
    #[serde(default)]
    pub interlingua: Version,
    /// The provider's id of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The model that answered, by its own account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When the provider made it, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// What was said.
    pub message: Assistant,
    /// What it used.
    #[serde(default, skip_serializing_if = "Usage::is_empty")]
    pub usage: Usage,
    /// How it ended; `None` only in the partial answer of an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<Finish>,
    /// What could not be expressed, sending and receiving.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Events that belong to no part and that only one protocol knows, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<Custom>,
    /// What only one protocol says at the start of an answer; its last words are in `finish`.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl Response {
    /// The text parts joined, without reasoning.
    pub fn text(&self) -> String {
        self.message.text()
    }

    /// The readable reasoning, joined.
    pub fn reasoning(&self) -> String {
        let texts = self.message.parts.iter().filter_map(|part| match part {
            Output::Reasoning(reasoning) => Some(&*reasoning.text),
            _ => None,
        });
        texts.collect()
    }

    /// The calls that the caller has to run: complete ones, in order. A call that was cut is not among them; calls that
    /// grew side by side may all have been cut, so in an answer without a normal end broken input tells as well.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        let is_whole = self.finish.as_ref().is_some_and(|finish| finish.reason.is_normal());
        self.message.parts.iter().filter_map(move |part| match part {
            Output::ToolCall(call) if call.run_by.is_caller() && !call.partial => {
                let is_broken = call.kind.is_function() && !call.input.is_blank() && !call.input.is_valid();
                (is_whole || !is_broken).then_some(call)
            }
            _ => None,
        })
    }
}

//! The frames of a stream, borrowed from their bytes. What is not on the hot path is read in a second step.

use crate::shape::{Str, shape};
use serde::Deserialize;
use serde_json::value::RawValue;

/// `contentBlockDelta`.
#[derive(Debug, Deserialize)]
pub(super) struct BlockDelta<'a> {
    #[serde(rename = "contentBlockIndex", default)]
    pub(super) index: u64,
    #[serde(borrow)]
    pub(super) delta: Delta<'a>,
}

shape! {
    /// What is added to a block: one of these, or what is not known.
    #[derive(Debug, Default)]
    pub(super) struct Delta<'a> {
        pub(super) text: Option<Str<'a>>,
        pub(super) tool_use ["toolUse"]: Option<ToolUseDelta<'a>>,
        pub(super) reasoning_content ["reasoningContent"]: Option<ReasoningDelta<'a>>,
        pub(super) citation: Option<&'a RawValue>,
        pub(super) tool_result ["toolResult"]: Option<Vec<&'a RawValue>>,
        pub(super) image: Option<&'a RawValue>,
    }
}

shape! {
    #[derive(Debug, Default)]
    pub(super) struct ToolUseDelta<'a> {
        pub(super) input: Str<'a>,
    }
}

shape! {
    #[derive(Debug, Default)]
    pub(super) struct ReasoningDelta<'a> {
        pub(super) text: Option<Str<'a>>,
        pub(super) signature: Option<Str<'a>>,
        pub(super) redacted_content ["redactedContent"]: Option<Str<'a>>,
    }
}

shape! {
    /// `contentBlockStart` and `contentBlockStop`.
    #[derive(Debug, Default)]
    pub(super) struct BlockEdge<'a> {
        pub(super) index ["contentBlockIndex"]: u64,
        pub(super) start: Option<&'a RawValue>,
    }
}

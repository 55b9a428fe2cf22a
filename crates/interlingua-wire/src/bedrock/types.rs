//! The frames of a stream, borrowed from their bytes. What is not on the hot path is read in a second step.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Text that is borrowed where it holds no escapes. `Option<Cow<str>>` itself never borrows.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Str<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// `contentBlockDelta`.
#[derive(Debug, Deserialize)]
pub(super) struct BlockDelta<'a> {
    #[serde(rename = "contentBlockIndex", default)]
    pub(super) index: u64,
    #[serde(borrow)]
    pub(super) delta: Delta<'a>,
}

/// What is added to a block: one of these, or what is not known.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delta<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) tool_use: Option<ToolUseDelta<'a>>,
    #[serde(borrow, default)]
    pub(super) reasoning_content: Option<ReasoningDelta<'a>>,
    #[serde(borrow, default)]
    pub(super) citation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) tool_result: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    pub(super) image: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ToolUseDelta<'a> {
    #[serde(borrow, default)]
    pub(super) input: Str<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReasoningDelta<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) signature: Option<Str<'a>>,
    #[serde(borrow, default)]
    pub(super) redacted_content: Option<Str<'a>>,
}

/// `contentBlockStart` and `contentBlockStop`.
#[derive(Debug, Deserialize)]
pub(super) struct BlockEdge<'a> {
    #[serde(rename = "contentBlockIndex", default)]
    pub(super) index: u64,
    #[serde(borrow, default)]
    pub(super) start: Option<&'a RawValue>,
}

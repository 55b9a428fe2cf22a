use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Citation, Custom, Data, Extra, Finish, Output, Piece, TokenLogprob, Usage, Version, Warning};

/// One event of an answer.
///
/// ```text
/// stream = Start item* Finish
/// item   = Open(i) Delta(i)* Close(i) | Usage | Warning | Other | Raw        parts may overlap; i = 0, 1, 2, …
/// ```
/// The number `at` of a part is its index in the final message. A [`Event::Raw`] stands before the events that were
/// read from it, and may stand before `Start` and after `Finish`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The answer begins.
    Start(Box<Start>),
    /// A part begins, with what is known of it so far.
    Open {
        /// Index of the part in the final message.
        at: u32,
        /// The part as it stands at its beginning.
        part: Box<Output>,
    },
    /// A part grows.
    Delta {
        /// Index of the part.
        at: u32,
        /// What is added.
        delta: Delta,
    },
    /// A part is complete.
    Close {
        /// Index of the part.
        at: u32,
    },
    /// Figures so far; cumulative.
    Usage(Box<Usage>),
    /// Something could not be understood or expressed.
    Warning(Box<Warning>),
    /// An event of one protocol that belongs to no part.
    Other(Box<Custom>),
    /// The answer is complete.
    Finish(Box<Finish>),
    /// A frame as it came, on request.
    Raw(Box<Frame>),
}

/// What the provider says before the first part.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Start {
    /// The version of this shape, when serialized.
    #[serde(default)]
    pub interlingua: Version,
    /// The provider's id of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The model that answers, by its own account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When the provider made it, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// What only one protocol says here.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// What is added to a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Delta {
    /// Text of a text or reasoning part, or the transcript of a media part.
    Text(Piece),
    /// Input of a tool call.
    Input(Piece),
    /// Bytes of a media part.
    Data(Data),
    /// A source of the text.
    Citation(Box<Citation>),
    /// Token probabilities of the text.
    Logprobs(Vec<TokenLogprob>),
    /// Values that only one protocol knows: a signature, the final form of an item. They replace earlier ones.
    Extra(Box<Extra>),
    /// The final form of a custom part, which replaces what the part began with.
    Value(Box<Custom>),
    /// News of one protocol about the part that changes nothing in the final message, such as the state of a search.
    Progress(Box<Custom>),
}

/// A frame as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Frame {
    /// The name of the event, where the framing has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// The payload; bytes that are no UTF-8 are replaced by U+FFFD.
    pub data: Arc<str>,
}

impl Event {
    /// A start.
    pub fn start(start: Start) -> Self {
        Self::Start(Box::new(start))
    }

    /// The beginning of a part.
    pub fn open(at: u32, part: Output) -> Self {
        Self::Open { at, part: Box::new(part) }
    }

    /// The growth of a part.
    pub const fn delta(at: u32, delta: Delta) -> Self {
        Self::Delta { at, delta }
    }

    /// The end of a part.
    pub const fn close(at: u32) -> Self {
        Self::Close { at }
    }

    /// Usage figures.
    pub fn usage(usage: Usage) -> Self {
        Self::Usage(Box::new(usage))
    }

    /// The end of the answer.
    pub fn finish(finish: Finish) -> Self {
        Self::Finish(Box::new(finish))
    }

    /// A warning.
    pub fn warning(warning: Warning) -> Self {
        Self::Warning(Box::new(warning))
    }

    /// An event of one protocol that belongs to no part.
    pub fn other(custom: Custom) -> Self {
        Self::Other(Box::new(custom))
    }

    /// A raw frame.
    pub fn raw(frame: Frame) -> Self {
        Self::Raw(Box::new(frame))
    }

    /// Whether the event carries something of the answer itself: once one was seen, a call must not be repeated.
    pub const fn is_content(&self) -> bool {
        matches!(self, Self::Open { .. } | Self::Delta { .. } | Self::Close { .. } | Self::Finish(_))
    }
}

impl Delta {
    /// Text.
    pub fn text(text: impl Into<Piece>) -> Self {
        Self::Text(text.into())
    }

    /// Input of a tool call.
    pub fn input(text: impl Into<Piece>) -> Self {
        Self::Input(text.into())
    }

    /// Values of one protocol.
    pub fn extra(extra: Extra) -> Self {
        Self::Extra(Box::new(extra))
    }
}

impl Frame {
    /// A frame.
    pub fn new(name: Option<&str>, data: impl Into<Arc<str>>) -> Self {
        Self { name: name.map(Arc::from), data: data.into() }
    }
}

impl Start {
    /// A start with an id and a model.
    pub fn new(id: Option<String>, model: Option<String>) -> Self {
        Self { id, model, ..Self::default() }
    }
}

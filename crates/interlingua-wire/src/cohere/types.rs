//! The frames of a stream, borrowed from their bytes. What is not on the hot path is read in a second step.

use crate::shape::{Str, shape};
use serde_json::value::RawValue;

shape! {
    /// Every event of a stream.
    #[derive(Debug, Default)]
    pub(super) struct StreamEvent<'a> {
        pub(super) kind ["type"]: Str<'a>,
        pub(super) index: Option<u64>,
        pub(super) delta: Option<&'a RawValue>,
        pub(super) logprobs: Option<&'a RawValue>,
    }
}

shape! {
    /// What a delta holds, but that of `message-end`.
    #[derive(Debug, Default)]
    pub(super) struct Delta<'a> {
        pub(super) message: Option<MessageDelta<'a>>,
    }
}

shape! {
    /// What a delta adds to the message.
    #[derive(Debug, Default)]
    pub(super) struct MessageDelta<'a> {
        pub(super) content: Option<&'a RawValue>,
        pub(super) tool_plan: Option<Str<'a>>,
        pub(super) tool_calls: Option<&'a RawValue>,
        pub(super) citations: Option<&'a RawValue>,
    }
}

shape! {
    /// The probabilities of the tokens of one piece of text.
    #[derive(Debug, Default)]
    pub(super) struct Logprobs {
        pub(super) text: Option<String>,
        pub(super) logprobs: Vec<f64>,
    }
}

//! The frames of a stream, borrowed from their bytes. What is not on the hot path is read in a second step.

use crate::shape::{Str, shape};
use serde_json::value::RawValue;

shape! {
    /// Every event of a stream.
    #[derive(Debug, Default)]
    pub(super) struct StreamEvent<'a> {
        pub(super) kind ["type"]: Str<'a>,
        pub(super) index: Option<u64>,
        pub(super) delta: Option<BlockDelta<'a>>,
        pub(super) content_block: Option<&'a RawValue>,
        pub(super) message: Option<&'a RawValue>,
    }
}

shape! {
    /// The delta of a block; that of a message has none of these fields and is read from the whole frame.
    #[derive(Debug, Default)]
    pub(super) struct BlockDelta<'a> {
        pub(super) kind ["type"]: Str<'a>,
        pub(super) text: Option<Str<'a>>,
        pub(super) partial_json: Option<Str<'a>>,
        pub(super) thinking: Option<Str<'a>>,
        pub(super) signature: Option<Str<'a>>,
        pub(super) citation: Option<&'a RawValue>,
    }
}

//! Framing: bytes in, frames out, in bounded memory.

mod sse;

pub use sse::Sse;

/// One frame of a stream, borrowed from the bytes it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame<'a> {
    /// The name of the event, if the stream gave one.
    pub name: Option<&'a [u8]>,
    /// The payload.
    pub data: &'a [u8],
    /// The id of the event, if the stream gave one.
    pub id: Option<&'a [u8]>,
    /// The stream ended before the frame did; the payload may be cut.
    pub cut: bool,
}

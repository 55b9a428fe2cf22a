//! Framing: bytes in, frames out, in bounded memory.

mod aws;
mod headers;
mod ndjson;
mod sse;

use interlingua_model::Error;

pub use aws::{Aws, write_message};
pub use headers::{Headers, Value};
pub use ndjson::Ndjson;
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
    /// The headers of a message of an AWS event stream; there are none in other streams.
    pub headers: Headers<'a>,
    /// The stream ended before the frame did; the payload may be cut.
    pub cut: bool,
}

/// How the frames of a stream are told apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Framing {
    /// Server-sent events.
    #[default]
    Sse,
    /// Server-sent events between which bare JSON may stand, as the services of Google report errors.
    SseWithJson,
    /// One JSON list of frames. It is read as a whole body.
    JsonList,
    /// One JSON value in each line.
    Ndjson,
    /// Binary messages of AWS (`application/vnd.amazon.eventstream`).
    Aws,
}

impl Framing {
    /// The content type of a stream.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Sse | Self::SseWithJson => "text/event-stream; charset=utf-8",
            Self::JsonList => "application/json; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Aws => "application/vnd.amazon.eventstream",
        }
    }

    /// A splitter for a stream whose frames are at most `limit` bytes large.
    pub(crate) fn splitter(self, limit: usize) -> Splitter {
        match self {
            Self::Sse => Splitter::Sse(Sse::new(limit)),
            Self::SseWithJson | Self::JsonList => Splitter::Sse(Sse::new(limit).with_json(true)),
            Self::Ndjson => Splitter::Ndjson(Ndjson::new(limit)),
            Self::Aws => Splitter::Aws(Aws::new(limit)),
        }
    }
}

/// What splits the stream that is being read.
#[derive(Debug)]
pub(crate) enum Splitter {
    Sse(Sse),
    Ndjson(Ndjson),
    Aws(Aws),
}

/// Where frames go to.
type Each<'e> = &'e mut dyn FnMut(&Frame<'_>) -> Result<(), Error>;

impl Splitter {
    pub(crate) fn push(&mut self, bytes: &[u8], each: Each<'_>) -> Result<(), Error> {
        match self {
            Self::Sse(sse) => sse.push(bytes, each),
            Self::Ndjson(lines) => lines.push(bytes, each),
            Self::Aws(messages) => messages.push(bytes, each),
        }
    }

    pub(crate) fn end(&mut self, each: Each<'_>) -> Result<(), Error> {
        match self {
            Self::Sse(sse) => sse.end(each),
            Self::Ndjson(lines) => lines.end(each),
            Self::Aws(messages) => messages.end(),
        }
    }
}

fn too_large(limit: usize) -> Error {
    let message = format!("a frame of the stream is larger than the limit of {limit} bytes");
    Error::new(interlingua_model::ErrorKind::TooLarge, message)
}

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, Method};
use interlingua_model::{Error, Request, Warning};

use crate::{Decoder, Encoder, Protocol};

/// The client half of a protocol: a request goes out, an answer comes in.
///
/// A codec knows its dialect and never whom it talks to. It does no I/O. Its laws, each a test:
/// any split of the bytes decodes the same; every event sequence obeys [`Grammar`](crate::Grammar); a streamed and a
/// whole answer fold to the same response; any bytes at all give events or an error, never a panic; encoding is
/// deterministic, and the body of a longer conversation begins with the bytes of the shorter one.
pub trait Codec: Send + Sync {
    /// The protocol that is spoken.
    fn protocol(&self) -> Protocol;

    /// Writes a request. `request.model` is the bare name of the model. Headers for the key are the caller's business.
    ///
    /// # Errors
    /// Only when no sensible request can be made; what merely gets lost is in [`Encoded::warnings`].
    fn encode(&self, request: &Request, mode: Mode) -> Result<Encoded, Error> {
        self.encode_as(&request.model, request, mode)
    }

    /// Writes a request to a model of another name than the request has, so that nobody need copy it to change one word.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    fn encode_as(&self, model: &str, request: &Request, mode: Mode) -> Result<Encoded, Error>;

    /// The call that asks the service how many tokens a prompt has; `None` where the protocol or the dialect has none.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    fn count(&self, model: &str, request: &Request) -> Option<Result<Call, Error>> {
        let _ = (model, request);
        None
    }

    /// Reads the answer to the call that [`count`](Self::count) makes: the tokens of the prompt.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](interlingua_model::ErrorKind::Protocol) when it does not say.
    fn counted(&self, body: &[u8]) -> Result<u64, Error> {
        crate::count::number(body, "input_tokens")
    }

    /// A decoder for the answer to one call.
    fn decoder(&self, mode: Mode, limits: Limits) -> Decoder;

    /// Makes an error out of an answer whose status is not a success. It never fails.
    fn refusal(&self, refusal: &Refusal<'_>) -> Error;
}

impl fmt::Debug for dyn Codec + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Codec").field(&self.protocol()).finish()
    }
}

/// The server half of a protocol: a request comes in, an answer goes out.
pub trait Serve: Codec {
    /// Reads a client's request.
    ///
    /// # Errors
    /// When the body is not a request of this protocol; the message says which field.
    fn decode_request(&self, call: &Call) -> Result<(Request, Mode), Error>;

    /// An encoder for the answer to a request.
    fn encoder(&self, asked: &Request, mode: Mode, mint: Mint) -> Encoder;

    /// The whole answer of a call that failed before its first event.
    fn encode_error(&self, error: &Error) -> Reply;
}

impl fmt::Debug for dyn Serve + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Serve").field(&self.protocol()).finish()
    }
}

/// Whether an answer is streamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an answer comes in pieces or at once")]
pub enum Mode {
    /// In pieces.
    Stream,
    /// At once.
    Whole,
}

/// One HTTP request, relative to the base URL of a provider.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path below the base URL, with a leading slash and, if any, the query.
    pub path: String,
    /// The headers that the protocol wants; none of them carries a key.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// A request as it goes out, and what could not be said in it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Encoded {
    /// The HTTP request.
    pub call: Call,
    /// What could not be expressed.
    pub warnings: Vec<Warning>,
}

/// How much memory the other side may make us use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Most bytes of one frame of a stream; 32 MiB by default.
    pub frame: usize,
    /// Most bytes of an answer that is not streamed, and of an error's body; 64 MiB by default.
    pub body: usize,
}

/// An answer whose status is not a success.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Refusal<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, or as much of it as was read.
    pub body: &'a [u8],
    /// The time at which it came, to make a duration of a `retry-after` date.
    pub now: Option<SystemTime>,
}

/// What a server half needs and cannot make itself: time and a unique word for its ids.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Mint {
    /// Seconds since 1970.
    pub created: u64,
    /// Letters and digits that are unique to this answer.
    pub id: String,
}

/// A whole HTTP answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, content type included.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// A `POST` of a JSON body.
    pub fn post(path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        Self { method: Method::POST, path: path.into(), headers, body: body.into() }
    }

    /// A `GET`.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), headers: HeaderMap::new(), body: Bytes::new() }
    }
}

impl Encoded {
    /// A call and its warnings.
    pub const fn new(call: Call, warnings: Vec<Warning>) -> Self {
        Self { call, warnings }
    }
}

impl Limits {
    /// Both limits, in bytes.
    pub const fn new(frame: usize, body: usize) -> Self {
        Self { frame, body }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(32 << 20, 64 << 20)
    }
}

impl<'a> Refusal<'a> {
    /// An answer that is not a success.
    pub const fn new(status: u16, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self { status, headers, body, now: None }
    }

    /// The same, with the time at which it came.
    #[must_use]
    pub const fn at(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }
}

impl Mint {
    /// A time, in seconds since 1970, and a unique word.
    pub fn new(created: u64, id: impl Into<String>) -> Self {
        Self { created, id: id.into() }
    }
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        Self { status, headers, body: body.into() }
    }
}

//! Answers that are recorded once and played again, byte for byte.

mod asked;
mod mask;
mod recorder;
mod tape;
mod unrecorded;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, HeaderValue};
use interlingua_model::{Error, ErrorKind};
use tokio::time::{Instant, sleep};

use crate::{Body, BoxFuture, Secret, Timeouts, Transport};

use asked::Asked;
use mask::Mask;
use recorder::Recorder;
use tape::{Chunk, End, Recording, Said, Tape};

pub use unrecorded::Unrecorded;

/// A transport that records answers into a file, and plays them again.
///
/// An answer is played with its status, its headers, and its body in the pieces in which it came; a packed body (gzip) is
/// kept unpacked. A request is found again by its method, host, path, query and body, and by the headers that matter:
/// `content-type`, and those whose names end in `-version` or `-beta`. Bodies of JSON are compared as values. Each
/// recording is played once, in the order of the file.
///
/// Secrets are not written: of the headers of a request only those that matter are, and those that carry keys are not; a
/// key of eight bytes or more is masked wherever it stands in the address, the body or the answer, and so are fields that
/// carry credentials (`access_token`, `client_secret`, …). A conversation itself is written as it is.
///
/// ```
/// use std::sync::Arc;
///
/// use interlingua::{Cassette, Client, Request};
///
/// # fn example() -> Result<(), interlingua::Error> {
/// let cassette = Cassette::replay("tests/cassettes/sky.jsonl")?;
/// let client = Client::builder().transport(Arc::new(cassette)).key("openai", "none").build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Cassette {
    tape: Arc<Tape>,
    inner: Option<Arc<dyn Transport>>,
    plays: bool,
    timing: Timing,
    reuse: bool,
    headers: Vec<HeaderName>,
    secrets: Vec<Secret>,
}

/// How long a recording waits between the pieces of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub enum Timing {
    /// Not at all.
    #[default]
    None,
    /// As long as it took when it was recorded, to the millisecond.
    Original,
    /// So many times as long.
    Scaled(f64),
}

impl Cassette {
    /// Makes each call by `inner` and records it. A file that is there is written anew.
    ///
    /// A recording is written when its answer has ended, or is dropped. A call that brings no answer is not recorded.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn record(path: impl Into<PathBuf>, inner: Arc<dyn Transport>) -> Result<Self, Error> {
        Ok(Self::new(Tape::create(path.into())?, Some(inner), false))
    }

    /// Plays what was recorded, and makes no call.
    ///
    /// # Errors
    /// When the file cannot be read, or is none that this version can play.
    pub fn replay(path: impl Into<PathBuf>) -> Result<Self, Error> {
        Ok(Self::new(Tape::open(path.into())?, None, true))
    }

    /// Plays what was recorded, and records what was not. A file that is not there is made.
    ///
    /// # Errors
    /// As [`record`](Self::record) and [`replay`](Self::replay).
    pub fn auto(path: impl Into<PathBuf>, inner: Arc<dyn Transport>) -> Result<Self, Error> {
        Ok(Self::new(Tape::extend(path.into())?, Some(inner), true))
    }

    fn new(tape: Tape, inner: Option<Arc<dyn Transport>>, plays: bool) -> Self {
        Self {
            tape: Arc::new(tape),
            inner,
            plays,
            timing: Timing::default(),
            reuse: false,
            headers: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// Sets how long is waited when a recording is played; not at all by default.
    #[must_use]
    pub const fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Sets whether the last recording of a request is played again when all of them were played.
    #[must_use]
    pub const fn reuse(mut self, reuse: bool) -> Self {
        self.reuse = reuse;
        self
    }

    /// Adds a header of requests that matters: it is written, and compared. One that carries a key stays out all the same.
    #[must_use]
    pub fn header(mut self, name: HeaderName) -> Self {
        self.headers.push(name);
        self
    }

    /// Adds what must not be written either, however short it is.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// How many recordings were not played yet.
    pub fn left(&self) -> usize {
        self.tape.left()
    }

    fn play(&self, asked: &Asked) -> Result<Option<Arc<Recording>>, Error> {
        if !self.plays {
            return Ok(None);
        }
        match (self.tape.take(asked, self.reuse), &self.inner) {
            (Some(recording), _) => Ok(Some(recording)),
            (None, Some(_)) => Ok(None),
            (None, None) => Err(Unrecorded::new(asked, &self.tape).into_error()),
        }
    }

    async fn call(
        &self,
        call: http::Request<Bytes>,
        timeouts: Timeouts,
    ) -> Result<http::Response<Body>, Error> {
        self.tape.check()?;
        let mask = Mask::of(&call, &self.secrets);
        let asked = Asked::of(&call, &self.headers, &mask);
        if let Some(recording) = self.play(&asked)? {
            return played(&recording.answer, self.timing).await;
        }
        let Some(inner) = &self.inner else {
            return Err(Unrecorded::new(&asked, &self.tape).into_error());
        };
        let begun = Instant::now();
        let credential = mask::is_credential(&call);
        let (head, body) = inner.send(call, timeouts).await?.into_parts();
        let recorder = Recorder::new(Arc::clone(&self.tape), asked, mask, credential, begun, &head);
        Ok(http::Response::from_parts(head, recorder.watch(body)))
    }
}

impl Transport for Cassette {
    fn send(
        &self,
        call: http::Request<Bytes>,
        timeouts: Timeouts,
    ) -> BoxFuture<'_, Result<http::Response<Body>, Error>> {
        Box::pin(self.call(call, timeouts))
    }
}

impl Timing {
    fn pause(self, ms: u64) -> Duration {
        let original = Duration::from_millis(ms);
        match self {
            Self::None => Duration::ZERO,
            Self::Original => original,
            Self::Scaled(times) => {
                Duration::try_from_secs_f64(original.as_secs_f64() * times).unwrap_or_default()
            }
        }
    }

    async fn wait(self, ms: u64) {
        let pause = self.pause(ms);
        if !pause.is_zero() {
            sleep(pause).await;
        }
    }
}

/// An answer as it was recorded.
async fn played(said: &Said, timing: Timing) -> Result<http::Response<Body>, Error> {
    timing.wait(said.after_ms).await;
    let wrong = |what: String| Error::new(ErrorKind::Configuration, format!("the cassette holds {what}"));
    let mut response = http::Response::new(Body::from_stream(stream::unfold(
        (said.chunks.clone().into_iter(), Some(said.end.clone())),
        move |(chunks, end)| piece(chunks, end, timing),
    )));
    *response.status_mut() = http::StatusCode::from_u16(said.status)
        .map_err(|_| wrong(format!("the status {}, which is none", said.status)))?;
    for (name, value) in &said.headers {
        let pair = (HeaderName::try_from(name), HeaderValue::try_from(value));
        let (Ok(name), Ok(value)) = pair else { return Err(wrong(format!("a broken header `{name}`"))) };
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

type Rest = (std::vec::IntoIter<Chunk>, Option<End>);

async fn piece(
    mut chunks: std::vec::IntoIter<Chunk>,
    end: Option<End>,
    timing: Timing,
) -> Option<(Result<Bytes, Error>, Rest)> {
    if let Some(chunk) = chunks.next() {
        timing.wait(chunk.after_ms).await;
        return Some((Ok(chunk.content.into_bytes()), (chunks, end)));
    }
    let error = end?.into_error()?;
    Some((Err(error), (chunks, None)))
}

/// The page on cassettes, so that its examples are tried.
#[cfg(doctest)]
#[doc = include_str!("../../../../../docs/cassette.md")]
struct Page;

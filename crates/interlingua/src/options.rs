use std::sync::LazyLock;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use interlingua_model::{Error, ErrorKind, Json};
use interlingua_wire::Protocol;

use crate::{RetryPolicy, Secret};

/// What differs for one call from what the client was built with.
///
/// ```
/// use interlingua::{Json, Options, Secret};
///
/// let options = Options::default()
///     .key(Secret::new("sk-of-this-customer"))
///     .header("x-trace", "42")?
///     .body_field("store", Json::from_text("false"))
///     .strict(true);
/// # Ok::<(), interlingua::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// The key, in place of the client's.
    pub key: Option<Secret>,
    /// The base URL, in place of the provider's. A key of the client is not sent to another host: give one as well.
    pub base_url: Option<String>,
    /// Headers that are added or replaced. With one of those that carry a key, no other key is sent.
    pub headers: HeaderMap,
    /// Fields that are added to the JSON body or replace a field of it.
    pub body: Vec<(String, Json)>,
    /// Whether frames are passed on as they come, as [`Event::Raw`](crate::Event::Raw).
    pub raw: bool,
    /// Whether what cannot be expressed is an error; `None` leaves it to the client.
    pub strict: Option<bool>,
    /// Timeouts, in place of the client's.
    pub timeouts: Option<Timeouts>,
    /// When a call is made again, in place of the client's rule.
    pub retry: Option<RetryPolicy>,
    /// The protocol, where the provider speaks several.
    pub protocol: Option<Protocol>,
    /// What happens to a prompt that seems longer than the model takes, in place of the client's rule.
    #[cfg(feature = "models")]
    pub context_guard: Option<ContextGuard>,
}

/// What happens to a prompt that seems longer than the model takes.
///
/// The limit is that of the [catalogue](crate::Client::catalog); of a model that is not in it nothing is said. The length is
/// [estimated](crate::Request::estimate_tokens), and only where the body has more bytes than the model takes tokens.
#[cfg(feature = "models")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextGuard {
    /// It is sent.
    Off,
    /// It is sent, with a warning that has the numbers; strict mode does not make an error of it.
    #[default]
    Warn,
    /// It is not sent: [`ErrorKind::ContextOverflow`].
    Refuse,
}

/// How long a call may take to come forward. None of them limits the whole of an answer that keeps coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For name, connection and TLS handshake; 10 s by default.
    pub connect: Duration,
    /// For the head of the answer, and then for the first byte of its body; 600 s by default, since an answer that is
    /// not streamed comes when the model is done.
    pub first_byte: Duration,
    /// Between two pieces of the body; 300 s by default. It may take a sixteenth longer to be noticed.
    pub idle: Duration,
}

impl Options {
    /// Those of a call that is given none. A call that made its own would hold them in its future.
    pub(crate) fn none() -> &'static Self {
        static NONE: LazyLock<Options> = LazyLock::new(Options::default);
        &NONE
    }

    /// Sets the key for this call.
    #[must_use]
    pub fn key(mut self, key: impl Into<Secret>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the base URL for this call.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Adds or replaces a header.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the name or the value cannot be that of a header; the value is not shown.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let malformed = |what: &str| {
            Error::new(ErrorKind::Configuration, format!("the {what} of header `{name}` is malformed"))
        };
        let key = HeaderName::try_from(name).map_err(|_| malformed("name"))?;
        let value = HeaderValue::try_from(value).map_err(|_| malformed("value"))?;
        self.headers.insert(key, value);
        Ok(self)
    }

    /// Adds or replaces a field of the JSON body.
    #[must_use]
    pub fn body_field(mut self, name: impl Into<String>, value: Json) -> Self {
        self.body.push((name.into(), value));
        self
    }

    /// Passes on frames as they come, or not.
    #[must_use]
    pub fn raw(mut self, raw: bool) -> Self {
        self.raw = raw;
        self
    }

    /// Makes an error of what cannot be expressed, or a warning.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = Some(strict);
        self
    }

    /// Sets the timeouts.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// Sets when the call is made again.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = Some(retry);
        self
    }

    /// Sets what happens to a prompt that seems longer than the model takes.
    #[cfg(feature = "models")]
    #[must_use]
    pub fn context_guard(mut self, rule: ContextGuard) -> Self {
        self.context_guard = Some(rule);
        self
    }

    /// What of them holds whoever is asked.
    pub(crate) fn elsewhere(&self) -> Self {
        Self {
            key: None,
            base_url: None,
            headers: HeaderMap::new(),
            body: Vec::new(),
            protocol: None,
            ..self.clone()
        }
    }

    /// Sets the protocol.
    #[must_use]
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = Some(protocol);
        self
    }
}

impl Timeouts {
    /// Sets the time for name, connection and TLS handshake.
    #[must_use]
    pub const fn connect(mut self, time: Duration) -> Self {
        self.connect = time;
        self
    }

    /// Sets the time for the first byte.
    #[must_use]
    pub const fn first_byte(mut self, time: Duration) -> Self {
        self.first_byte = time;
        self
    }

    /// Sets the time between two pieces of the body.
    #[must_use]
    pub const fn idle(mut self, time: Duration) -> Self {
        self.idle = time;
        self
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(600),
            idle: Duration::from_secs(300),
        }
    }
}

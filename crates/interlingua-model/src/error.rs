use std::error::Error as StdError;
use std::fmt;
use std::mem::ManuallyDrop;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Response;

/// Everything that can go wrong, in one type the size of a pointer.
///
/// The message is one line, says what to do where that is known, and never contains a secret.
///
/// ```
/// use interlingua_model::{Error, ErrorKind, Retry};
///
/// let error = Error::new(ErrorKind::RateLimited, "too many requests").with_status(429).with_retry(Retry::Soon);
/// assert_eq!(error.kind(), ErrorKind::RateLimited);
/// assert!(error.retry().is_allowed());
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    retry: Retry,
    status: Option<u16>,
    code: Option<String>,
    provider: Option<String>,
    model: Option<String>,
    request_id: Option<String>,
    body: Option<String>,
    partial: Partial,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What had come of an answer. A `Response` is much to drop, and errors are dropped in a great many places: here it is a call of
/// one function.
#[derive(Default)]
struct Partial(ManuallyDrop<Option<Box<Response>>>);

impl Partial {
    #[cold]
    fn clear(&mut self) {
        drop(std::mem::take(&mut *self.0));
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.0.is_some() {
            self.clear();
        }
    }
}

/// What went wrong, in terms that a program can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is malformed or holds a value that the provider refuses.
    InvalidRequest,
    /// The request holds something that the target cannot express, and strict mode is on.
    Unsupported,
    /// The program's own set-up is wrong: an unknown provider, a missing key, an unreadable file.
    Configuration,
    /// The key is missing, malformed or refused.
    Authentication,
    /// The key is valid and may not do this.
    Permission,
    /// The model, the endpoint or the file does not exist.
    NotFound,
    /// Too many requests or tokens for now.
    RateLimited,
    /// Credit, quota or a spending limit is used up; waiting does not help.
    QuotaExceeded,
    /// The conversation is longer than the model's context window.
    ContextOverflow,
    /// A body, a frame or a part is larger than a limit of the provider or of this library.
    TooLarge,
    /// The provider's policy blocked the request.
    Filtered,
    /// The provider is overloaded.
    Overloaded,
    /// The provider failed.
    Server,
    /// No name, no route, connection refused or reset before an answer.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// Nothing came for too long.
    Timeout,
    /// The answer ended before its end marker; what came is in [`Error::partial`].
    Truncated,
    /// What came is not what the protocol says.
    Protocol,
    /// The caller stopped the call.
    Cancelled,
    /// A tool failed in a way that ends the run.
    Tool,
    /// The model in the process cannot be loaded or run.
    Model,
    /// Reading or writing a local file failed.
    Io,
}

/// Whether the same call may succeed when it is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Retry {
    /// No: the same call fails again.
    Never,
    /// Yes, after a pause of the caller's choice.
    Soon,
    /// Yes, not before this much time has passed.
    After(Duration),
}

impl Error {
    /// An error of a kind, with a message of one line.
    ///
    /// Whether it may be retried follows from the kind until [`Error::with_retry`] says otherwise.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::of(kind, message.into())
    }

    #[cold]
    #[inline(never)]
    fn of(kind: ErrorKind, message: String) -> Self {
        Self(Box::new(Inner {
            kind,
            message,
            retry: kind.retry(),
            status: None,
            code: None,
            provider: None,
            model: None,
            request_id: None,
            body: None,
            partial: Partial::default(),
            source: None,
        }))
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message alone, without provider, model and status.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the same call may succeed when it is made again.
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The HTTP status, when there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The provider's own word for the error, such as `insufficient_quota`.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The provider that was asked.
    pub fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// The model that was asked.
    pub fn model(&self) -> Option<&str> {
        self.0.model.as_deref()
    }

    /// The provider's id of the call, which its support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What the provider answered, as far as it is text.
    pub fn body(&self) -> Option<&str> {
        self.0.body.as_deref()
    }

    /// What had come before the error.
    pub fn partial(&self) -> Option<&Response> {
        self.0.partial.0.as_deref()
    }

    /// The same error with an HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// The same error with the provider's own word for it.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// The same error with another answer to whether it may be retried.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// The same error, of this provider and model, where none was named before.
    #[must_use]
    pub fn with_target(mut self, provider: &str, model: &str) -> Self {
        self.0.provider.get_or_insert_with(|| provider.into());
        self.0.model.get_or_insert_with(|| model.into());
        self
    }

    /// The same error with the provider's id of the call.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.0.request_id = Some(id.into());
        self
    }

    /// The same error with what the provider answered.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<String>) -> Self {
        self.0.body = Some(body.into());
        self
    }

    /// The same error with what had come before it.
    #[must_use]
    pub fn with_partial(mut self, partial: Response) -> Self {
        *self.0.partial.0 = Some(Box::new(partial));
        self
    }

    /// The same error with its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }
}

impl ErrorKind {
    /// Whether an error of this kind may be retried, where nothing else is known.
    pub const fn retry(self) -> Retry {
        match self {
            Self::RateLimited
            | Self::Overloaded
            | Self::Server
            | Self::Connect
            | Self::Timeout
            | Self::Truncated => Retry::Soon,
            _ => Retry::Never,
        }
    }

    /// The kind that an HTTP status stands for, where nothing else is known.
    ///
    /// Statuses of 520 and up are those of proxies and of Anthropic (529).
    pub const fn from_status(status: u16) -> Self {
        match status {
            401 => Self::Authentication,
            402 => Self::QuotaExceeded,
            403 => Self::Permission,
            404 | 405 | 410 => Self::NotFound,
            408 | 504 | 524 => Self::Timeout,
            413 => Self::TooLarge,
            409 | 423 | 425 | 424 | 499 => Self::Server,
            429 => Self::RateLimited,
            503 | 529 => Self::Overloaded,
            400..=499 => Self::InvalidRequest,
            500..=599 => Self::Server,
            _ => Self::Protocol,
        }
    }
}

impl Retry {
    /// Whether the call may be made again.
    pub const fn is_allowed(self) -> bool {
        !matches!(self, Self::Never)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.provider(), self.model()) {
            (Some(provider), Some(model)) if !model.is_empty() => write!(f, "{provider}/{model}: ")?,
            (Some(provider), _) => write!(f, "{provider}: ")?,
            _ => {}
        }
        f.write_str(self.message())?;
        if let Some(status) = self.status() {
            write!(f, " (HTTP {status})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("retry", &self.0.retry)
            .field("status", &self.0.status)
            .field("code", &self.0.code)
            .field("provider", &self.0.provider)
            .field("model", &self.0.model)
            .field("request_id", &self.0.request_id)
            .field("body", &self.0.body)
            .field("partial", &self.0.partial.0.is_some())
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

//! How the program ends: exit codes, and failures that carry one.

use std::io;

use interlingua::{Error, ErrorKind, FinishReason, Retry};
use serde_json::{Value, json};

/// The exit codes. `docs/il.md` lists them for users; a test compares both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// A whole answer.
    Success = 0,
    /// Something that has no code of its own.
    Other = 1,
    /// Options or input that make no sense.
    Usage = 2,
    /// Unknown provider or model, missing key, broken config file.
    Configuration = 3,
    /// The key was refused, or may not do this.
    Authentication = 4,
    /// The provider refuses the request, or cannot do what it asks for.
    Request = 5,
    /// Too many requests, or the quota is used up.
    RateLimit = 6,
    /// No connection: name, route, TLS, proxy, timeout.
    Network = 7,
    /// The provider failed or is overloaded.
    Provider = 8,
    /// The answer was cut off or is not what the protocol says.
    Broken = 9,
    /// The answer is complete up to the output limit.
    Length = 10,
    /// The model refused, or a filter blocked the answer.
    Refused = 11,
    /// The conversation does not fit the context window.
    Context = 12,
    /// The model in the process cannot be loaded, fetched or run.
    Local = 13,
    /// A local file cannot be read or written.
    File = 14,
    /// The answer ended in an unusual way: paused, or a reason of the provider's own, or too many turns with tools.
    Unfinished = 15,
    /// Interrupted by Ctrl+C; what had come is printed.
    Interrupted = 130,
    /// The reader of standard output went away.
    Pipe = 141,
}

/// Why the program ends early: a line for the user and an exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    cause: Option<Error>,
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Exit {
    /// The code for an error of the library.
    pub(crate) const fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidRequest | ErrorKind::Unsupported | ErrorKind::TooLarge => Self::Request,
            ErrorKind::Configuration | ErrorKind::NotFound => Self::Configuration,
            ErrorKind::Authentication | ErrorKind::Permission => Self::Authentication,
            ErrorKind::RateLimited | ErrorKind::QuotaExceeded => Self::RateLimit,
            ErrorKind::ContextOverflow => Self::Context,
            ErrorKind::Filtered => Self::Refused,
            ErrorKind::Overloaded | ErrorKind::Server => Self::Provider,
            ErrorKind::Connect | ErrorKind::Tls | ErrorKind::Timeout => Self::Network,
            ErrorKind::Truncated | ErrorKind::Protocol => Self::Broken,
            ErrorKind::Cancelled => Self::Interrupted,
            ErrorKind::Model => Self::Local,
            ErrorKind::Io => Self::File,
            _ => Self::Other,
        }
    }

    /// The code for the way in which an answer ended.
    pub(crate) const fn of_finish(reason: FinishReason) -> Self {
        match reason {
            FinishReason::Stop => Self::Success,
            FinishReason::Length => Self::Length,
            FinishReason::Filtered | FinishReason::Refused => Self::Refused,
            _ => Self::Unfinished,
        }
    }

    /// The number that the shell sees.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }
}

impl Failure {
    /// A failure with a line that says what to do.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), cause: None }
    }

    /// Options or input that make no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Something in the user's set-up that is wrong.
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(Exit::Configuration, message)
    }

    /// A local file that cannot be read or written.
    pub(crate) fn file(doing: &str, path: &std::path::Path, error: &io::Error) -> Self {
        let path = path.display();
        let message = match error.kind() {
            io::ErrorKind::NotFound => format!("cannot {doing} {path}: there is no such file"),
            io::ErrorKind::PermissionDenied => format!("cannot {doing} {path}: permission denied"),
            io::ErrorKind::IsADirectory => format!("cannot {doing} {path}: it is a directory"),
            io::ErrorKind::StorageFull => format!("cannot {doing} {path}: the disk is full"),
            _ => format!("cannot {doing} {path}: {error}"),
        };
        Self::new(Exit::File, message)
    }

    /// The code to end with.
    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// The line for the user.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What the library said, where it was the library.
    pub(crate) const fn cause(&self) -> Option<&Error> {
        self.cause.as_ref()
    }

    /// The failure as a JSON object, for `--json`.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({ "message": self.message, "exit": self.exit.code() });
        let (Some(cause), Some(fields)) = (&self.cause, error.as_object_mut()) else {
            return json!({ "error": error });
        };
        fields.insert("kind".into(), json!(cause.kind()));
        let texts = [
            ("provider", cause.provider()),
            ("model", cause.model()),
            ("code", cause.code()),
            ("request_id", cause.request_id()),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                fields.insert(name.into(), text.into());
            }
        }
        if let Some(status) = cause.status() {
            fields.insert("status".into(), status.into());
        }
        if let Retry::After(pause) = cause.retry() {
            fields.insert("retry_after".into(), pause.as_secs_f64().into());
        }
        json!({ "error": error })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        // Without a status nobody has refused the key: it is missing or malformed, which is a matter of the set-up.
        let is_unsent = error.kind() == ErrorKind::Authentication && error.status().is_none();
        let exit = if is_unsent { Exit::Configuration } else { Exit::of(error.kind()) };
        Self { exit, message: error.to_string(), cause: Some(error) }
    }
}

/// Errors of standard output: a reader that went away ends the program in silence.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Exit::Pipe, "");
        }
        Self::new(Exit::File, format!("cannot write the answer: {error}"))
    }
}

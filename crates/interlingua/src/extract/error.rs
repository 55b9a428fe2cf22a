use std::fmt;

use interlingua_model::{Error, ErrorKind, Response, Usage};
use interlingua_wire::schema::Mismatch;

use super::answer::Trouble;
use super::total;

/// No value came, with everything that came in its place.
pub struct ExtractError(Box<Inner>);

struct Inner {
    stopped: Stopped,
    responses: Vec<Response>,
}

/// Why no value came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// The schema cannot be asked for.
    Schema,
    /// A call failed, or its answer broke off: [`ExtractError::error`].
    Call,
    /// The model refused. It is not asked again.
    Refused,
    /// The provider blocked the answer. It is not asked for again.
    Filtered,
    /// The answer reached its limit ([`Request::max_output`](crate::Request::max_output)) before its end. It is not asked for
    /// again, since it would be cut again.
    Cut,
    /// No answer followed the schema, however often it was asked for: [`ExtractError::mismatches`].
    Mismatch,
}

/// Why it stopped, before the answers are added.
#[derive(Debug)]
pub(super) struct Stopped {
    failure: Failure,
    error: Error,
    mismatches: Vec<Mismatch>,
}

impl Stopped {
    pub(super) fn call(error: Error) -> Self {
        Self { failure: Failure::Call, error, mismatches: Vec::new() }
    }

    pub(super) fn schema(error: Error) -> Self {
        Self { failure: Failure::Schema, error, mismatches: Vec::new() }
    }

    pub(super) fn of(trouble: Trouble) -> Self {
        let (failure, kind, message) = match &trouble {
            Trouble::Refused(text) => {
                let said = if text.is_empty() { String::new() } else { format!(": {}", line(text)) };
                (Failure::Refused, ErrorKind::Filtered, format!("the model refused{said}"))
            }
            Trouble::Filtered => {
                (Failure::Filtered, ErrorKind::Filtered, "the provider blocked the answer".to_owned())
            }
            Trouble::Cut => {
                let message = "the answer was cut before its end: set a higher max_output, or ask for less";
                (Failure::Cut, ErrorKind::TooLarge, message.to_owned())
            }
            Trouble::Paused => {
                let message = "the model paused and was not done when it was asked to go on";
                (Failure::Mismatch, ErrorKind::Protocol, message.to_owned())
            }
            Trouble::NoJson(why) => (Failure::Mismatch, ErrorKind::Protocol, why.clone()),
            Trouble::Mismatch(found) => {
                let found: Vec<_> = found.iter().take(3).map(ToString::to_string).collect();
                let message = format!("the answer does not follow the schema: {}", found.join("; "));
                (Failure::Mismatch, ErrorKind::Protocol, message)
            }
        };
        let mismatches = if let Trouble::Mismatch(found) = trouble { found } else { Vec::new() };
        Self { failure, error: Error::new(kind, message), mismatches }
    }

    /// The error, with the answers that came.
    pub(super) fn after(mut self, mut responses: Vec<Response>) -> ExtractError {
        responses.extend(self.error.partial().cloned());
        if let Some(origin) = responses.last().and_then(|response| response.message.origin.clone()) {
            self.error = self.error.with_target(&origin.provider, &origin.model);
        }
        ExtractError(Box::new(Inner { stopped: self, responses }))
    }
}

/// The first line of a text, and not too much of it.
fn line(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().chars().take(200).collect()
}

impl ExtractError {
    /// Why no value came.
    pub fn failure(&self) -> Failure {
        self.0.stopped.failure
    }

    /// What went wrong, in the terms of a call.
    pub fn error(&self) -> &Error {
        &self.0.stopped.error
    }

    /// Where the last answer does not follow the schema.
    pub fn mismatches(&self) -> &[Mismatch] {
        &self.0.stopped.mismatches
    }

    /// The last answer, or as much of it as came.
    pub fn response(&self) -> Option<&Response> {
        self.0.responses.last()
    }

    /// Every answer.
    pub fn responses(&self) -> &[Response] {
        &self.0.responses
    }

    /// What all answers used together; a figure that one of them lacks is unknown.
    pub fn usage(&self) -> Usage {
        total(&self.0.responses)
    }
}

impl From<Stopped> for ExtractError {
    fn from(stopped: Stopped) -> Self {
        stopped.after(Vec::new())
    }
}

impl From<ExtractError> for Error {
    fn from(error: ExtractError) -> Self {
        let Inner { stopped, mut responses } = *error.0;
        match responses.pop() {
            Some(response) if stopped.error.partial().is_none() => stopped.error.with_partial(response),
            _ => stopped.error,
        }
    }
}

impl fmt::Debug for ExtractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { stopped: Stopped { failure, error, mismatches }, responses } = &*self.0;
        let mut shown = f.debug_struct("ExtractError");
        shown.field("failure", failure).field("error", error).field("mismatches", mismatches);
        shown.field("responses", &responses.len()).finish()
    }
}

impl fmt::Display for ExtractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.stopped.error, f)
    }
}

impl std::error::Error for ExtractError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.stopped.error)
    }
}

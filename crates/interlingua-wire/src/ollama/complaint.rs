//! Errors: `{"error":"…"}`, as a body and as a line of a stream.

use interlingua_model::{Error, ErrorKind};

use crate::draft::Draft;
use crate::refusal::Complaint;
use crate::{Object, Reply};

/// Reads the body of an error, or as much of one as there is.
pub(super) fn read(body: &[u8]) -> Complaint {
    let mut complaint = Complaint::default();
    let Ok(envelope) = Object::from_slice(body) else { return complaint };
    complaint.message = envelope.peek("error").or_else(|| envelope.peek("message"));
    // The compatible paths of the server, and proxies, answer in the shape of OpenAI.
    if let Some(inner) = envelope.peek::<Object<'_>>("error") {
        complaint.message = inner.peek("message").or(complaint.message);
        complaint.kind = inner.peek("type");
        complaint.code = inner.peek("code");
    }
    complaint
}

/// Whether an object reports an error.
pub(super) fn is_envelope(object: &Object<'_>) -> bool {
    object.get("error").is_some_and(|error| !matches!(error.get(), "null" | "\"\""))
}

/// An error as an object.
pub(super) fn write(error: &Error) -> Draft {
    Draft::default().text("error", error.message())
}

/// The whole answer of a call that failed.
pub(super) fn reply(error: &Error) -> Reply {
    Reply::json(status(error), write(error).body())
}

fn status(error: &Error) -> u16 {
    error.status().filter(|status| *status >= 400).unwrap_or(match error.kind() {
        ErrorKind::Authentication => 401,
        ErrorKind::QuotaExceeded => 402,
        ErrorKind::Permission => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::TooLarge => 413,
        ErrorKind::RateLimited => 429,
        ErrorKind::Overloaded => 503,
        ErrorKind::Timeout => 504,
        ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::ContextOverflow
        | ErrorKind::Filtered => 400,
        _ => 500,
    })
}

//! Errors: `{"message","id"}`, and `error` at the end of a stream.

use interlingua_model::{Error, ErrorKind};

use crate::draft::Draft;
use crate::refusal::Complaint;
use crate::{Object, Reply};

/// Reads the body of an error, or as much of one as there is.
pub(super) fn read(body: &[u8]) -> Complaint {
    let mut complaint = Complaint::default();
    let Ok(envelope) = Object::from_slice(body) else { return complaint };
    complaint.request_id = envelope.peek("id");
    complaint.message = ["message", "error", "detail"].iter().find_map(|name| envelope.peek(name));
    complaint.kind = envelope.peek("error_type");
    // Proxies answer in the shape of OpenAI.
    if let Some(inner) = envelope.peek::<Object<'_>>("error") {
        complaint.message = inner.peek("message").or(complaint.message);
        complaint.kind = inner.peek("type").or(complaint.kind);
        complaint.code = inner.peek("code");
    }
    complaint
}

/// The error of an answer that has failed after its status.
pub(super) fn told(message: Option<String>, id: Option<String>) -> Error {
    Complaint { message, request_id: id, ..Complaint::default() }.reported()
}

/// Whether an object is an error in spite of the status: a message for people in place of a model's.
pub(super) fn is_envelope(body: &Object<'_>) -> bool {
    let has_error = body.get("error").is_some_and(|error| error.get() != "null");
    body.peek::<Object<'_>>("message").is_none() && (body.peek::<String>("message").is_some() || has_error)
}

/// The whole answer of a call that failed.
pub(super) fn reply(error: &Error) -> Reply {
    let body = Draft::default().maybe("id", error.request_id()).text("message", error.message());
    let mut reply = Reply::json(status(error), body.body());
    if let Some(id) = error.request_id().and_then(|id| id.parse().ok()) {
        reply.headers.insert("x-debug-trace-id", id);
    }
    reply
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
        ErrorKind::InvalidRequest | ErrorKind::ContextOverflow => 400,
        ErrorKind::Unsupported | ErrorKind::Filtered => 422,
        _ => 500,
    })
}

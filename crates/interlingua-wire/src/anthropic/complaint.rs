//! Error envelopes: `{"type":"error","error":{"type","message","details"},"request_id"}`.

use interlingua_model::{Error, ErrorKind};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::refusal::Complaint;
use crate::{Object, Reply};

/// Reads an error envelope, or as much of one as there is.
pub(super) fn read(body: &[u8]) -> Complaint {
    let mut complaint = Complaint::default();
    let Ok(envelope) = Object::from_slice(body) else { return complaint };
    complaint.request_id = envelope.peek("request_id");
    complaint.message = envelope.peek("message");
    match envelope.get("error").map(|error| (error, Object::parse(error.get()))) {
        Some((_, Ok(error))) => {
            complaint.message = error.peek("message").or(complaint.message);
            complaint.kind = error.peek("type");
            // The details tell a spending limit, which lasts, from a rate limit.
            complaint.code =
                error.peek::<Object<'_>>("details").and_then(|details| details.peek("error_code"));
            complaint.code = complaint.code.or_else(|| error.peek("code"));
        }
        Some((error, Err(_))) => {
            complaint.message = serde_json::from_str(error.get()).ok().or(complaint.message);
        }
        None => {}
    }
    complaint
}

/// The envelope of an error, on one line.
pub(super) fn write(error: &Error) -> String {
    #[derive(Serialize)]
    struct Envelope<'a> {
        r#type: &'static str,
        error: Inner<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<&'a str>,
    }
    #[derive(Serialize)]
    struct Inner<'a> {
        r#type: &'a str,
        message: &'a str,
    }
    let inner = Inner { r#type: word(error), message: error.message() };
    let envelope = Envelope { r#type: "error", error: inner, request_id: error.request_id() };
    serde_json::to_string(&envelope).unwrap_or_default()
}

/// The whole answer of a call that failed.
pub(super) fn reply(error: &Error) -> Reply {
    let mut reply = Reply::json(status(error), write(error));
    if let Some(id) = error.request_id().and_then(|id| id.parse().ok()) {
        reply.headers.insert("request-id", id);
    }
    reply
}

/// Reads the value of an `error` field of a frame, as [`read`] reads a body.
pub(super) fn in_frame(frame: &[u8]) -> Error {
    read(frame).reported()
}

/// Whether a body is an error in spite of its status.
pub(super) fn is_envelope(body: &Object<'_>) -> bool {
    let is_error = body.peek::<&RawValue>("error").is_some();
    is_error && body.get("content").is_none()
}

/// The protocol's own word, kept where the error came from this protocol.
fn word(error: &Error) -> &str {
    if let Some(code) = error.code().filter(|code| code.ends_with("_error")) {
        return code;
    }
    match error.kind() {
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::QuotaExceeded => "billing_error",
        ErrorKind::Permission => "permission_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::TooLarge => "request_too_large",
        ErrorKind::RateLimited => "rate_limit_error",
        ErrorKind::Overloaded => "overloaded_error",
        ErrorKind::Timeout => "timeout_error",
        ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::ContextOverflow
        | ErrorKind::Filtered => "invalid_request_error",
        _ => "api_error",
    }
}

fn status(error: &Error) -> u16 {
    error.status().filter(|status| *status >= 400).unwrap_or(match error.kind() {
        ErrorKind::Authentication => 401,
        ErrorKind::QuotaExceeded => 402,
        ErrorKind::Permission => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::TooLarge => 413,
        ErrorKind::RateLimited => 429,
        ErrorKind::Overloaded => 529,
        ErrorKind::Timeout => 504,
        ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::ContextOverflow
        | ErrorKind::Filtered => 400,
        _ => 500,
    })
}

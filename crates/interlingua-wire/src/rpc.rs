//! Error envelopes: `{"error":{"code","message","status","details"}}`, a `google.rpc.Status`, or a list of one.

use std::time::Duration;

use interlingua_model::{Error, ErrorKind, Json, Retry};
use serde_json::value::RawValue;

use crate::refusal::{Complaint, kept};
use crate::tree::{Tree, array};
use crate::{Object, Reply, date, object};

/// Reads an error envelope, or as much of one as there is.
pub(crate) fn read(body: &[u8]) -> Complaint {
    let mut complaint = Complaint::default();
    let Some(error) = status_of(body) else { return complaint };
    let Ok(status) = Object::parse(error.get()) else {
        complaint.message = serde_json::from_str(error.get()).ok();
        return complaint;
    };
    complaint.message = status.peek("message");
    complaint.kind = status.peek("status");
    if complaint.kind.is_none() {
        complaint.kind = status.get("code").map(|code| code.get().trim_matches('"').to_owned());
    }
    // A wrong key is an invalid argument by its status; the reason in the details tells it.
    complaint.code = details(&status).iter().find_map(|detail| detail.peek("reason"));
    complaint
}

/// The `error` field of an envelope.
fn status_of(body: &[u8]) -> Option<&RawValue> {
    if let Ok(items) = object::read::<Vec<&RawValue>>(body) {
        return items.into_iter().find_map(|item| Object::parse(item.get()).ok()?.get("error"));
    }
    Object::from_slice(body).ok()?.get("error")
}

fn details<'a>(status: &Object<'a>) -> Vec<Object<'a>> {
    status.peek("details").unwrap_or_default()
}

/// The error that an answer reports after a status of success.
pub(crate) fn reported(body: &[u8]) -> Error {
    let error = read(body).reported().with_body(kept(body));
    match pause(body) {
        Some(pause) if error.retry().is_allowed() => error.with_retry(Retry::After(pause)),
        _ => error,
    }
}

/// The pause that a `RetryInfo` among the details asks for.
fn pause(body: &[u8]) -> Option<Duration> {
    let status = Object::parse(status_of(body)?.get()).ok()?;
    let delay: String = details(&status).iter().find_map(|detail| detail.peek("retryDelay"))?;
    date::duration(&delay)
}

/// The envelope of an error, on one line.
pub(crate) fn write(error: &Error) -> Json {
    let code = code_of(error);
    let inner = Tree::default()
        .plain("code", code)
        .text("message", error.message())
        .text("status", status(error, code))
        .set("details", array(&told(error)));
    Tree::of("error", inner.json()).json()
}

/// The envelope with a word for its code, as newer services write it: their clients take no number there.
pub(crate) fn write_in_words(error: &Error) -> Json {
    let word = match status(error, code_of(error)) {
        "INVALID_ARGUMENT" => "invalid_request".to_owned(),
        status => status.to_ascii_lowercase(),
    };
    let mut inner = Tree::default().text("code", &word).text("message", error.message());
    let details = told(error);
    if !details.is_empty() {
        inner.put("details", array(&details));
    }
    Tree::of("error", inner.json()).json()
}

/// What is told of an error beside its words.
fn told(error: &Error) -> Vec<Json> {
    let mut details = Vec::new();
    if let Some(reason) = error.code().filter(|code| is_reason(code)) {
        let info = Tree::default().text("@type", "type.googleapis.com/google.rpc.ErrorInfo");
        details.push(info.text("reason", reason).text("domain", "googleapis.com").json());
    }
    if let Retry::After(pause) = error.retry() {
        let info = Tree::default().text("@type", "type.googleapis.com/google.rpc.RetryInfo");
        details.push(info.text("retryDelay", &format!("{}s", pause.as_secs_f64())).json());
    }
    details
}

/// The whole answer of a call that failed.
pub(crate) fn reply(error: &Error) -> Reply {
    Reply::json(code_of(error), write(error).as_str().to_owned())
}

/// The same with a word for its code.
pub(crate) fn reply_in_words(error: &Error) -> Reply {
    Reply::json(code_of(error), write_in_words(error).as_str().to_owned())
}

/// The canonical words, with the HTTP status of each.
const STATUSES: [(&str, u16); 14] = [
    ("INVALID_ARGUMENT", 400),
    ("FAILED_PRECONDITION", 400),
    ("OUT_OF_RANGE", 400),
    ("UNAUTHENTICATED", 401),
    ("PERMISSION_DENIED", 403),
    ("NOT_FOUND", 404),
    ("ABORTED", 409),
    ("ALREADY_EXISTS", 409),
    ("RESOURCE_EXHAUSTED", 429),
    ("CANCELLED", 499),
    ("INTERNAL", 500),
    ("UNIMPLEMENTED", 501),
    ("UNAVAILABLE", 503),
    ("DEADLINE_EXCEEDED", 504),
];

/// Whether a code is a reason of this protocol, such as `API_KEY_INVALID`, and not one of the canonical words.
fn is_reason(code: &str) -> bool {
    let is_word = !code.is_empty()
        && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    is_word
        && code.bytes().any(|byte| byte.is_ascii_uppercase())
        && STATUSES.iter().all(|(word, _)| *word != code)
}

/// The protocol's own word, kept where the error came from this protocol.
fn status(error: &Error, code: u16) -> &'static str {
    let own = error.code().and_then(|code| STATUSES.iter().find(|(word, _)| *word == code));
    let by_code = || STATUSES.iter().find(|(_, known)| *known == code);
    own.or_else(by_code).map_or(if code < 500 { "INVALID_ARGUMENT" } else { "INTERNAL" }, |(word, _)| word)
}

fn code_of(error: &Error) -> u16 {
    error.status().filter(|status| *status >= 400).unwrap_or(match error.kind() {
        ErrorKind::Authentication => 401,
        ErrorKind::Permission => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::TooLarge => 413,
        ErrorKind::RateLimited | ErrorKind::QuotaExceeded => 429,
        ErrorKind::Cancelled => 499,
        ErrorKind::Overloaded => 503,
        ErrorKind::Timeout => 504,
        ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::ContextOverflow
        | ErrorKind::Filtered => 400,
        _ => 500,
    })
}

//! Errors of AWS: `{"message":"…"}`, the kind of it in the header `x-amzn-errortype`, in the body as `__type`, or in the
//! headers of a message of a stream.

use http::HeaderValue;
use interlingua_model::{Error, ErrorKind, Json};

use crate::frame::{Frame, Value, write_message};
use crate::refusal::Complaint;
use crate::{Object, Refusal, Reply};

/// What a refusal says.
pub(crate) fn of_refusal(refusal: &Refusal<'_>) -> Complaint {
    let mut complaint = of_body(refusal.body);
    let told = refusal.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
    complaint.code = told.map(bare).or(complaint.code);
    complaint
}

/// What a body says, or as much of it as there is.
pub(crate) fn of_body(body: &[u8]) -> Complaint {
    let mut complaint = Complaint::default();
    let Ok(object) = Object::from_slice(body) else { return complaint };
    complaint.message = ["message", "Message", "errorMessage"].iter().find_map(|name| object.peek(name));
    complaint.code =
        ["__type", "code"].iter().find_map(|name| object.peek::<String>(name)).map(|kind| bare(&kind));
    // An error of the model itself comes with the words of the model's own server.
    if complaint.message.is_none() {
        complaint.message = object.peek("originalMessage");
    }
    complaint
}

/// The error that a message of a stream reports, if it reports one.
pub(crate) fn in_frame(frame: &Frame<'_>) -> Option<Error> {
    let kind = frame.headers.text(":message-type");
    let name = frame.name.map(String::from_utf8_lossy);
    // A gateway that makes server-sent events of the stream has the name alone.
    let is_named = || name.as_deref().is_some_and(|name| name.ends_with("Exception"));
    match kind {
        Some("event") => return None,
        None if !is_named() => return None,
        _ => {}
    }
    let mut complaint = of_body(frame.data);
    complaint.code = name.as_deref().map(bare).or(complaint.code);
    let told = frame.headers.text(":error-message").map(str::to_owned);
    complaint.message = complaint.message.or(told);
    Some(complaint.reported())
}

/// Whether a body is an error in spite of its status.
pub(crate) fn is_envelope(body: &Object<'_>) -> bool {
    body.get("output").is_none()
        && ["message", "Message", "__type"].iter().any(|name| body.peek::<&str>(name).is_some())
}

/// The word alone: `com.amazon.coral.service#ThrottlingException:http://…` is a `ThrottlingException`.
fn bare(kind: &str) -> String {
    let kind = kind.split(':').next().unwrap_or(kind);
    kind.rsplit('#').next().unwrap_or(kind).trim().to_owned()
}

/// The whole answer of a call that failed.
pub(crate) fn reply(error: &Error) -> Reply {
    let mut reply = Reply::json(status(error), body(error));
    let kind = HeaderValue::from_str(&word(error)).ok();
    let id = error.request_id().and_then(|id| id.parse().ok());
    for (name, value) in [("x-amzn-errortype", kind), ("x-amzn-requestid", id)] {
        if let Some(value) = value {
            reply.headers.insert(name, value);
        }
    }
    reply
}

/// The message by which a stream reports an error. Its names begin in lower case.
pub(crate) fn write(error: &Error, out: &mut Vec<u8>) {
    let word = word(error);
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    let word: String = first.into_iter().chain(letters).collect();
    // These alone are exceptions of a stream; clients do not know another.
    let known = [
        "internalServerException",
        "modelStreamErrorException",
        "validationException",
        "throttlingException",
        "serviceUnavailableException",
    ];
    let word = known.into_iter().find(|known| *known == word).unwrap_or("modelStreamErrorException");
    let headers = [
        (":exception-type", Value::Text(word)),
        (":content-type", Value::Text("application/json")),
        (":message-type", Value::Text("exception")),
    ];
    // A name of ours is never too long; a message that is longer than a frame can be is not told.
    if write_message(&headers, body(error).as_bytes(), out).is_err() {
        let _ = write_message(&headers, b"{}", out);
    }
}

fn body(error: &Error) -> String {
    ["{\"message\":", Json::string(error.message()).as_str(), "}"].concat()
}

/// The protocol's own word, kept where the error came from this protocol.
fn word(error: &Error) -> String {
    if let Some(code) = error.code().filter(|code| code.ends_with("Exception")) {
        let mut letters = code.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        return first.into_iter().chain(letters).collect();
    }
    let word = match error.kind() {
        ErrorKind::Authentication => "UnrecognizedClientException",
        ErrorKind::Permission => "AccessDeniedException",
        ErrorKind::QuotaExceeded => "ServiceQuotaExceededException",
        ErrorKind::NotFound => "ResourceNotFoundException",
        ErrorKind::RateLimited => "ThrottlingException",
        ErrorKind::Overloaded => "ServiceUnavailableException",
        ErrorKind::Timeout => "ModelTimeoutException",
        ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::TooLarge
        | ErrorKind::ContextOverflow
        | ErrorKind::Filtered => "ValidationException",
        ErrorKind::Truncated | ErrorKind::Protocol => "ModelErrorException",
        _ => "InternalServerException",
    };
    word.to_owned()
}

fn status(error: &Error) -> u16 {
    error.status().filter(|status| *status >= 400).unwrap_or(match error.kind() {
        ErrorKind::Authentication | ErrorKind::Permission => 403,
        ErrorKind::NotFound => 404,
        ErrorKind::RateLimited => 429,
        ErrorKind::Overloaded => 503,
        ErrorKind::Timeout => 408,
        ErrorKind::QuotaExceeded
        | ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::TooLarge
        | ErrorKind::ContextOverflow
        | ErrorKind::Filtered => 400,
        ErrorKind::Truncated | ErrorKind::Protocol => 424,
        _ => 500,
    })
}

//! What a service says when it refuses: every known shape of an error body.

use interlingua_model::Error;
use serde_json::value::RawValue;

use super::types::{Str, string};
use crate::Object;
use crate::refusal::{Complaint, kept};

/// The most characters of a plain text, or of an upstream's own words, that go into a message.
const EXCERPT: usize = 500;

/// Reads an error body of any shape: `{"error": {…}}`, `{"error": "…"}`, `[{"error": …}]`, `{"message": …}`,
/// `{"detail": …}`, MiniMax's `base_resp`, plain text, a web page.
pub(super) fn complaint(body: &[u8]) -> Complaint {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if let Ok(object) = Object::parse(text) {
        return of_object(&object);
    }
    if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
        let first = items.first().and_then(|item| Object::parse(item.get()).ok());
        return first.map(|object| of_object(&object)).unwrap_or_default();
    }
    if text.is_empty() || text.starts_with('<') {
        return Complaint::default();
    }
    let message = serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned());
    Complaint { message: Some(excerpt(&message)), ..Complaint::default() }
}

/// The error that a stream or a whole answer reports after a status of success.
pub(super) fn reported(body: &[u8]) -> Error {
    complaint(body).reported().with_body(kept(body))
}

fn of_object(object: &Object<'_>) -> Complaint {
    let mut found = match object.get("error") {
        Some(error) => of_error(error),
        None => of_fields(object),
    };
    found.code = found.code.or_else(|| word(object, "code"));
    found.kind = found.kind.or_else(|| word(object, "type"));
    found.request_id = word(object, "request_id");
    if found.message.is_none() {
        found.message = message(object);
    }
    found
}

/// The value of `error`: an object, a text, or an object that was written into a text.
fn of_error(error: &RawValue) -> Complaint {
    if let Ok(object) = Object::parse(error.get()) {
        return of_fields(&object);
    }
    let message = string(error).map(|text| excerpt(&text));
    Complaint { message, ..Complaint::default() }
}

fn of_fields(object: &Object<'_>) -> Complaint {
    if let Some(base) = object.peek::<Object<'_>>("base_resp") {
        return Complaint {
            message: word(&base, "status_msg"),
            code: word(&base, "status_code"),
            ..Complaint::default()
        };
    }
    let message = message(object).map(|message| match upstream(object) {
        Some(words) => format!("{message} ({words})"),
        None => message,
    });
    Complaint {
        message,
        code: word(object, "code"),
        kind: word(object, "type").or_else(|| word(object, "status")),
        request_id: None,
    }
}

/// The words for people: `message`, or what other services call it.
fn message(object: &Object<'_>) -> Option<String> {
    ["message", "detail", "msg", "title", "reason", "error_description"].into_iter().find_map(|name| {
        let value = object.get(name)?;
        let text = string(value).map(std::borrow::Cow::into_owned).or_else(|| details(value))?;
        Some(excerpt(&text)).filter(|text| !text.is_empty())
    })
}

/// The list of findings of a validator: `[{"loc": ["body", "tools"], "msg": "…"}]`.
fn details(value: &RawValue) -> Option<String> {
    if let Ok(object) = Object::parse(value.get()) {
        return message(&object);
    }
    let items: Vec<Object<'_>> = serde_json::from_str(value.get()).ok()?;
    let findings = items.iter().filter_map(|item| {
        let text = message(item)?;
        let place: Vec<Str<'_>> = item.peek("loc").unwrap_or_default();
        let place: Vec<&str> = place.iter().map(|Str(word)| &**word).collect();
        Some(if place.is_empty() { text } else { format!("{}: {text}", place.join(".")) })
    });
    Some(findings.collect::<Vec<_>>().join("; ")).filter(|text| !text.is_empty())
}

/// What a router says of the provider behind it: `metadata: {provider_name, raw}` (OpenRouter).
fn upstream(object: &Object<'_>) -> Option<String> {
    let metadata: Object<'_> = object.peek("metadata")?;
    let raw = metadata.get("raw").and_then(string).map(|raw| excerpt(&raw)).filter(|raw| !raw.is_empty());
    match (word(&metadata, "provider_name"), raw) {
        (Some(name), Some(raw)) => Some(format!("{name}: {raw}")),
        (name, raw) => name.or(raw),
    }
}

fn word(object: &Object<'_>, name: &str) -> Option<String> {
    object.peek::<Str<'_>>(name)?.filled().map(std::borrow::Cow::into_owned)
}

fn excerpt(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

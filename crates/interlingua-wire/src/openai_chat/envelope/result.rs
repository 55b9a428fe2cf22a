//! `{"result":{"response":"…"},"success":true}` and frames `{"response":"…"}`. The model is in the address.

use std::fmt::Write as _;

use interlingua_model::Json;
use serde_json::value::RawValue;

use super::{choice, items, said};
use crate::draft::{Draft, array};
use crate::{Call, Mode, Object};

/// Before the model in the address.
const RUN: &str = "/run/";

/// A request as it goes out.
pub(super) fn wrap(mut body: Object<'_>) -> Call {
    let model: String = body.take("model").unwrap_or(None).unwrap_or_default();
    body.take_raw("stream_options");
    let mut written = Draft::default().object(&body);
    // The schema stands without a name here.
    if let Some(format) = body.peek::<Object<'_>>("response_format")
        && let Some(schema) = format.peek::<Object<'_>>("json_schema").and_then(|named| named.get("schema"))
    {
        let format = Draft::of("json_schema").set("json_schema", Json::from(schema));
        written = written.set("response_format", format.json());
    }
    Call::post(address(&model), written.body())
}

/// The path to a model: its name may hold slashes and an `@`.
fn address(model: &str) -> String {
    let mut path = RUN.to_owned();
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@/:".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

/// An answer, or one frame of it; errors get the shape that Chat Completions has.
pub(super) fn unwrap(mut body: Object<'_>, mode: Mode) -> Option<Draft> {
    if body.get("choices").is_some() || body.get("error").is_some() {
        return None;
    }
    let told = items(body.get("errors"));
    if let Some(error) = told.first() {
        return Some(Draft::default().set("error", Json::from(*error)));
    }
    if mode == Mode::Whole {
        let result: Object<'_> = body.peek("result")?;
        if result.get("choices").is_some() {
            return Some(Draft::default().object(&result));
        }
        body = result;
    }
    let mut answer = Draft::default();
    if let Some(figures) = body.take_raw("usage") {
        answer = answer.set("usage", Json::from(figures));
    }
    // Random padding against eavesdroppers.
    body.take_raw("p");
    let mut message = Draft::default();
    if let Some(response) = body.take_raw("response").filter(|response| response.get() != "null") {
        message = message.set("content", content(response));
    }
    if let Some(calls) = body.take_raw("tool_calls") {
        message =
            message.set("tool_calls", array(&items(Some(calls)).into_iter().map(call).collect::<Vec<_>>()));
    }
    Some(answer.set("choices", choice(mode, &message.object(&body), None)))
}

/// Text, or JSON that was asked for and stands as itself.
fn content(response: &RawValue) -> Json {
    if response.get().starts_with('"') { Json::from(response) } else { Json::string(response.get()) }
}

/// A call: older models have its name and arguments at the top.
fn call(raw: &RawValue) -> Json {
    let Ok(mut call) = Object::parse(raw.get()) else { return Json::from(raw) };
    if call.get("function").is_some() {
        return Json::from(raw);
    }
    let mut function = Draft::default();
    for name in ["name", "arguments"] {
        if let Some(value) = call.take_raw(name) {
            function = function.set(name, Json::from(value));
        }
    }
    Draft::of("function").set("function", function.json()).object(&call).json()
}

/// A client's request as Chat Completions has it.
#[cfg(feature = "server")]
pub(super) fn asked(mut body: Object<'_>, call: &Call) -> Draft {
    let model = call.path.split_once(RUN).map_or("", |(_, model)| model);
    let mut asked = Draft::default().text("model", &plain(model));
    if let Some(prompt) = body.take_raw("prompt") {
        let message = Draft::default().text("role", "user").set("content", Json::from(prompt));
        asked = asked.set("messages", array(&[message.json()]));
    }
    asked = asked.object(&body);
    if let Some(format) = body.peek::<Object<'_>>("response_format")
        && let Some(schema) = format.get("json_schema").filter(|schema| schema.get().starts_with('{'))
        && format.peek::<Object<'_>>("json_schema").is_some_and(|schema| schema.get("schema").is_none())
    {
        let named = Draft::default().text("name", "output").set("schema", Json::from(schema));
        asked =
            asked.set("response_format", Draft::of("json_schema").set("json_schema", named.json()).json());
    }
    if body.peek("stream") == Some(true) {
        // Figures come whether they are asked for or not.
        asked = asked.set("stream_options", Draft::default().figure("include_usage", true).json());
    }
    asked
}

/// A name as it stood before it became a part of an address.
#[cfg(feature = "server")]
fn plain(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.split('?').next().unwrap_or_default().as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|code| std::str::from_utf8(code).ok()).filter(|_| *first == b'%');
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A chunk or a whole answer of Chat Completions in the words of the service, which has none for why an answer ended.
#[cfg(feature = "server")]
pub(super) fn answered(answer: &Object<'_>, mode: Mode) -> Draft {
    if let Some(error) = answer.get("error") {
        return Draft::default().figure("success", false).set("errors", array(&[Json::from(error)]));
    }
    let choices = items(answer.get("choices"));
    let first = choices.first().and_then(|choice| Object::parse(choice.get()).ok()).unwrap_or_default();
    let message: Object<'_> = first.peek(said(mode)).unwrap_or_default();
    let mut result = Draft::default();
    for (name, value) in message.iter().filter(|(_, value)| value.get() != "null") {
        result = match name {
            "role" => result,
            "content" => result.set("response", Json::from(value)),
            name => result.set(name, Json::from(value)),
        };
    }
    if let Some(figures) = answer.get("usage").filter(|figures| figures.get() != "null") {
        result = result.set("usage", Json::from(figures));
    }
    if mode == Mode::Stream {
        return result;
    }
    let none = || array(&[]);
    Draft::default()
        .set("result", result.json())
        .figure("success", true)
        .set("errors", none())
        .set("messages", none())
}

/// An error in the words of the service.
#[cfg(feature = "server")]
pub(super) fn failed(body: &Object<'_>) -> Draft {
    let error: Object<'_> = body.peek("error").unwrap_or_default();
    let message: String = error.peek("message").unwrap_or_default();
    let mut told = Draft::default();
    if let Some(code) = error.get("code").filter(|code| code.get() != "null") {
        told = told.set("code", Json::from(code));
    }
    let errors = array(&[told.text("message", &message).json()]);
    Draft::default().set("result", Json::from_text("null")).figure("success", false).set("errors", errors)
}

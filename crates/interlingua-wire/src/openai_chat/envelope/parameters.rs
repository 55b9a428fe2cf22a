//! `{"model","parameters":{…},"input":{"messages":[…]}}` and `{"output":{"choices":[…]},"usage","request_id"}`.

use http::HeaderValue;
use interlingua_model::Json;
use serde_json::value::RawValue;

use super::{choice, items, said};
use crate::draft::{Draft, array};
use crate::{Call, Mode, Object};

/// The header by which a stream is asked for.
const STREAMED: &str = "x-dashscope-sse";

/// A request as it goes out. Messages come last, so that a longer conversation begins with the bytes of the shorter one.
pub(super) fn wrap(mut body: Object<'_>, mode: Mode) -> Call {
    let messages = items(body.take_raw("messages"));
    let model = body.take_raw("model");
    let own: Option<Object<'_>> = body.peek("input");
    for name in ["input", "stream", "stream_options"] {
        body.take_raw(name);
    }
    let sees = messages.iter().any(|message| shows(message));
    let messages: Vec<Json> = messages.into_iter().map(|message| written(message, sees)).collect();
    let mut parameters = Draft::default().text("result_format", "message");
    if mode == Mode::Stream {
        parameters = parameters.figure("incremental_output", true);
    }
    let input = Draft::default().object(&own.unwrap_or_default()).set("messages", array(&messages));
    let whole = Draft::default()
        .set("model", model.map_or_else(|| Json::string(""), Json::from))
        .set("parameters", parameters.object(&body).json())
        .set("input", input.json());
    let kind = if sees { "multimodal-generation" } else { "text-generation" };
    let mut call = Call::post(format!("/services/aigc/{kind}/generation"), whole.body());
    if mode == Mode::Stream {
        call.headers.insert(STREAMED, HeaderValue::from_static("enable"));
    }
    call
}

/// Whether a message holds more than text.
fn shows(message: &RawValue) -> bool {
    let message = Object::parse(message.get()).unwrap_or_default();
    let parts = items(message.get("content"));
    parts.iter().any(|part| Object::parse(part.get()).is_ok_and(|part| part.peek("type") != Some("text")))
}

/// A message with its content in the words of the service, which are lists wherever there is something to see.
fn written(raw: &RawValue, sees: bool) -> Json {
    let Ok(message) = Object::parse(raw.get()) else { return Json::from(raw) };
    let mut written = Draft::default().object(&message);
    if let Some(text) = message.peek::<String>("content").filter(|_| sees) {
        written = written.set("content", array(&[Draft::default().text("text", &text).json()]));
    }
    let parts = items(message.get("content"));
    if sees && !parts.is_empty() {
        let parts: Vec<Json> = parts.into_iter().map(part).collect();
        written = written.set("content", array(&parts));
    } else if !parts.is_empty() {
        let texts = parts.iter().filter_map(|part| Object::parse(part.get()).ok()?.peek::<String>("text"));
        written = written.text("content", &texts.collect::<Vec<_>>().join("\n"));
    }
    written.json()
}

/// A part is named by its one field.
fn part(raw: &RawValue) -> Json {
    let Ok(mut part) = Object::parse(raw.get()) else { return Json::from(raw) };
    for (kind, name) in [("image_url", "image"), ("video_url", "video")] {
        if let Some(url) = part.peek::<Object<'_>>(kind).and_then(|address| address.peek::<String>("url")) {
            return Draft::default().text(name, &url).json();
        }
    }
    if let Some(sound) = part.peek::<Object<'_>>("input_audio") {
        let (data, format): (String, String) =
            (sound.peek("data").unwrap_or_default(), sound.peek("format").unwrap_or_default());
        return Draft::default().text("audio", &format!("data:audio/{format};base64,{data}")).json();
    }
    part.take_raw("type");
    Draft::default().object(&part).json()
}

/// An answer, or one chunk of it; nothing when there is no output.
pub(super) fn unwrap(mut body: Object<'_>, mode: Mode) -> Option<Draft> {
    let mut output: Object<'_> = body.peek("output")?;
    body.take_raw("output");
    let mut answer = Draft::default();
    if let Some(id) = body.take_raw("request_id") {
        answer = answer.set("id", Json::from(id));
    }
    // A client library adds these to every answer.
    for name in ["code", "message", "status_code"] {
        if body.get(name).is_some_and(|value| matches!(value.get(), "\"\"" | "null" | "200")) {
            body.take_raw(name);
        }
    }
    let reason = output.take_raw("finish_reason").filter(|reason| is_reason(reason));
    let choices = items(output.take_raw("choices"));
    let choices = if choices.is_empty() {
        let text = output.take_raw("text").map_or_else(|| Json::string(""), Json::from);
        choice(mode, &Draft::default().set("content", text), reason)
    } else {
        array(&choices.into_iter().map(|choice| chosen(choice, mode)).collect::<Vec<_>>())
    };
    Some(answer.set("choices", choices).object(&output).object(&body))
}

/// "null" stands for no reason yet.
fn is_reason(reason: &RawValue) -> bool {
    !matches!(reason.get(), "null" | "\"null\"" | "\"\"")
}

fn chosen(raw: &RawValue, mode: Mode) -> Json {
    let Ok(mut choice) = Object::parse(raw.get()) else { return Json::from(raw) };
    let reason = choice.take_raw("finish_reason").filter(|reason| is_reason(reason));
    let message = choice.take_raw("message").map_or_else(Json::object, Json::from);
    let written = Draft::default().object(&choice).set(said(mode), message);
    written.set("finish_reason", reason.map_or_else(|| Json::from_text("null"), Json::from)).json()
}

/// A client's request as Chat Completions has it.
#[cfg(feature = "server")]
pub(super) fn asked(mut body: Object<'_>, call: &Call) -> Draft {
    let mut input: Object<'_> = body.peek("input").unwrap_or_default();
    let parameters: Object<'_> = body.peek("parameters").unwrap_or_default();
    for name in ["input", "parameters"] {
        body.take_raw(name);
    }
    let streams = call.headers.get(STREAMED).is_some_and(|value| value == "enable");
    let mut messages: Vec<Json> = items(input.take_raw("messages")).into_iter().map(heard).collect();
    if let Some(prompt) = input.take_raw("prompt") {
        messages.push(Draft::default().text("role", "user").set("content", Json::from(prompt)).json());
    }
    let mut asked = Draft::default().object(&body);
    for (name, value) in parameters.iter() {
        if !matches!(name, "result_format" | "incremental_output" | "stream") {
            asked = asked.set(name, Json::from(value));
        }
    }
    if !input.is_empty() {
        asked = asked.set("input", Draft::default().object(&input).json());
    }
    if streams {
        // Figures come whether they are asked for or not.
        let options = Draft::default().figure("include_usage", true);
        asked = asked.figure("stream", true).set("stream_options", options.json());
    }
    asked.set("messages", array(&messages))
}

#[cfg(feature = "server")]
fn heard(raw: &RawValue) -> Json {
    let Ok(message) = Object::parse(raw.get()) else { return Json::from(raw) };
    let parts = items(message.get("content"));
    if parts.is_empty() {
        return Json::from(raw);
    }
    let parts: Vec<Json> = parts.into_iter().map(part_heard).collect();
    Draft::default().object(&message).set("content", array(&parts)).json()
}

#[cfg(feature = "server")]
fn part_heard(raw: &RawValue) -> Json {
    let Ok(part) = Object::parse(raw.get()) else { return Json::from(raw) };
    let address = |kind, url: &RawValue| {
        Draft::of(kind).set(kind, Draft::default().set("url", Json::from(url)).json()).json()
    };
    let Some((name, value)) = part.iter().next() else { return Json::from(raw) };
    match name {
        "image" => address("image_url", value),
        "video" if value.get().starts_with('"') => address("video_url", value),
        _ if part.get("type").is_some() => Json::from(raw),
        name => Draft::of(name).object(&part).json(),
    }
}

/// A chunk or a whole answer of Chat Completions in the words of the service.
#[cfg(feature = "server")]
pub(super) fn answered(answer: &Object<'_>, mode: Mode) -> Draft {
    let choices = items(answer.get("choices")).into_iter().map(|raw| {
        let mut choice = Object::parse(raw.get()).unwrap_or_default();
        let message = choice.take_raw(said(mode)).map_or_else(Json::object, Json::from);
        let reason = choice.take_raw("finish_reason").filter(|reason| is_reason(reason));
        let reason = reason.map_or_else(|| Json::string("null"), Json::from);
        Draft::default().object(&choice).set("message", message).set("finish_reason", reason).json()
    });
    let output = Draft::default().set("choices", array(&choices.collect::<Vec<_>>()));
    let mut written = Draft::default().set("output", output.json());
    for (name, value) in answer.iter().filter(|(_, value)| value.get() != "null") {
        written = match name {
            "choices" | "object" | "created" | "model" => written,
            "id" => written.set("request_id", Json::from(value)),
            "usage" => written.set("usage", figures(value)),
            name => written.set(name, Json::from(value)),
        };
    }
    written
}

#[cfg(feature = "server")]
fn figures(raw: &RawValue) -> Json {
    let Ok(figures) = Object::parse(raw.get()) else { return Json::from(raw) };
    let mut written = Draft::default();
    for (name, value) in figures.iter() {
        let name = match name {
            "prompt_tokens" => "input_tokens",
            "completion_tokens" => "output_tokens",
            name => name,
        };
        written = written.set(name, Json::from(value));
    }
    written.json()
}

/// An error in the words of the service.
#[cfg(feature = "server")]
pub(super) fn failed(body: &Object<'_>) -> Draft {
    let error: Object<'_> = body.peek("error").unwrap_or_default();
    let code = error.peek::<String>("code").or_else(|| error.peek("type")).unwrap_or_default();
    let message: String = error.peek("message").unwrap_or_default();
    Draft::default().text("code", &code).text("message", &message)
}

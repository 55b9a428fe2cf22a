//! From the messages of a client's call to neutral messages.

use interlingua_model::{
    Assistant, Content, Custom, Data, Error, Extra, Input, Json, Media, Message, Output, Reasoning, Source,
    System, Text, ToolCall, ToolKind, ToolResult, User,
};
use serde_json::value::RawValue;

use super::PROTOCOL;
use super::ask::{named, take_cache_mark};
use super::calls::{CALL_KIND, LEGACY, input_text};
use super::media::{audio_mime, of_data_url, of_url};
use super::messages::IMAGE_FIELD;
use super::reasoning::{DETAILS, FIELD, SIGNATURE, detail_text, thinking_text};
use super::types::{Str, string};
use crate::Object;

/// The messages read so far, and the names of the calls in them.
#[derive(Debug, Default)]
pub(super) struct History {
    messages: Vec<Message>,
    /// Id, name and kind of every call.
    calls: Vec<(String, String, ToolKind)>,
}

impl History {
    /// Reads all messages.
    pub(super) fn read(mut self, messages: &[&RawValue]) -> Result<Vec<Message>, Error> {
        for raw in messages {
            let mut object = named(Object::parse(raw.get()), "messages")?;
            let role: String = object.require("role")?;
            match role.as_str() {
                "assistant" => self.assistant(object)?,
                "tool" | "function" => self.tool(object, role == "function")?,
                "system" | "developer" => {
                    let mut system = System::new(inputs(object.take_raw("content"))?);
                    rest(&object, &mut system.extra);
                    self.messages.push(Message::System(system));
                }
                _ => {
                    let mut user = User::new(inputs(object.take_raw("content"))?);
                    rest(&object, &mut user.extra);
                    self.messages.push(Message::User(user));
                }
            }
        }
        Ok(self.messages)
    }

    /// A tool's message; those that follow one another answer the calls of one message and are put together.
    fn tool(&mut self, mut object: Object<'_>, legacy: bool) -> Result<(), Error> {
        let id: Option<String> = object.take("tool_call_id")?;
        let name: Option<String> = object.take("name")?;
        let of_name =
            |name: &String| self.calls.iter().rev().find(|call| call.1 == *name).map(|call| call.0.clone());
        let id = id.or_else(|| name.as_ref().and_then(of_name)).unwrap_or_default();
        let call = self.calls.iter().rev().find(|call| call.0 == id);
        let name = name.or_else(|| call.map(|call| call.1.clone())).unwrap_or_default();
        let kind = call.map(|call| call.2).unwrap_or_default();
        let mut result = ToolResult::new(id, name, "");
        result.kind = kind;
        result.content = inputs(object.take_raw("content"))?.into_iter().filter_map(content).collect();
        rest(&object, &mut result.extra);
        if legacy {
            result.extra.set(PROTOCOL, LEGACY, Json::from_text("true"));
        }
        let follows = matches!(self.messages.last(), Some(Message::User(user)) if is_results(user));
        match self.messages.last_mut() {
            Some(Message::User(user)) if follows => user.parts.push(Input::ToolResult(result)),
            _ => self.messages.push(Message::tool_results([result])),
        }
        Ok(())
    }

    fn assistant(&mut self, mut object: Object<'_>) -> Result<(), Error> {
        let mut parts = Vec::new();
        reasoning(&mut object, &mut parts);
        outputs(object.take_raw("content"), &mut parts)?;
        if let Some(refusal) = object.take::<String>("refusal")?.filter(|text| !text.is_empty()) {
            parts.push(Output::Text(Text::refusal(refusal)));
        }
        if let Some(audio) = object.take::<Object<'_>>("audio")? {
            parts.push(Output::Media(stored_audio(&audio)));
        }
        for raw in object.take::<Vec<&RawValue>>("tool_calls")?.unwrap_or_default() {
            parts.push(tool_call(raw)?);
        }
        if let Some(function) = object.take::<Object<'_>>("function_call")? {
            parts.push(Output::ToolCall(self.legacy_call(&function)));
        }
        for part in &parts {
            if let Output::ToolCall(call) = part {
                self.calls.push((call.id.clone(), call.name.clone(), call.kind));
            }
        }
        let mut assistant = Assistant::new(parts);
        rest(&object, &mut assistant.extra);
        self.messages.push(Message::Assistant(assistant));
        Ok(())
    }

    /// A call from before there were ids.
    fn legacy_call(&self, function: &Object<'_>) -> ToolCall {
        let name: String = function.peek("name").unwrap_or_default();
        let input = Json::from_text(&*input_text(function.get("arguments")));
        let mut call = ToolCall::new(format!("call_{}", self.calls.len()), name, input);
        call.extra.set(PROTOCOL, LEGACY, Json::from_text("true"));
        call
    }
}

/// Whether a message holds results of tools and nothing else.
fn is_results(user: &User) -> bool {
    user.extra.is_empty() && user.parts.iter().all(|part| matches!(part, Input::ToolResult(_)))
}

/// Unknown fields that say something.
fn rest(object: &Object<'_>, extra: &mut Extra) {
    for (name, value) in object.iter().filter(|(_, value)| !matches!(value.get(), "null" | "[]")) {
        extra.set(PROTOCOL, name, Json::from(value));
    }
}

/// `content` of what goes in: a text, or parts.
fn inputs(content: Option<&RawValue>) -> Result<Vec<Input>, Error> {
    let Some(content) = content.filter(|content| content.get() != "null") else { return Ok(Vec::new()) };
    if let Some(text) = string(content) {
        return Ok(vec![Input::Text(Text::new(text))]);
    }
    if content.get().starts_with('{') {
        return Ok(vec![input(content)?]);
    }
    let parts: Vec<&RawValue> = named(serde_json::from_str(content.get()), "content")?;
    parts.into_iter().map(input).collect()
}

fn input(raw: &RawValue) -> Result<Input, Error> {
    if let Some(text) = string(raw) {
        return Ok(Input::Text(Text::new(text)));
    }
    let mut object = named(Object::parse(raw.get()), "content")?;
    let kind = object.peek::<Str<'_>>("type").map(|Str(kind)| kind.into_owned()).unwrap_or_default();
    let media = match kind.as_str() {
        "text" | "input_text" | "output_text" | "" if object.get("text").is_some() => {
            return text(object).map(Input::Text);
        }
        "image_url" => address(&mut object, "image_url", "image/*"),
        "video_url" => address(&mut object, "video_url", "video/*"),
        "document_url" => address(&mut object, "document_url", "application/*").map(|mut media| {
            media.name = object.peek("document_name");
            object.take_raw("document_name");
            media
        }),
        "input_audio" => sound(&mut object),
        "file" => file(&mut object),
        _ => None,
    };
    let Some(mut media) = media else {
        return Ok(Input::Custom(Custom::new(PROTOCOL, kind, Json::from(raw))));
    };
    object.take_raw("type");
    media.cache = take_cache_mark(&mut object);
    rest(&object, &mut media.extra);
    Ok(Input::Media(media))
}

fn text(mut object: Object<'_>) -> Result<Text, Error> {
    let mut text = Text::new(object.take::<String>("text")?.unwrap_or_default());
    object.take_raw("type");
    text.cache = take_cache_mark(&mut object);
    rest(&object, &mut text.extra);
    Ok(text)
}

/// An address: a text, or an object with `url` and what belongs to it.
fn address(object: &mut Object<'_>, field: &str, mime: &str) -> Option<Media> {
    let value = object.get(field)?;
    let media = match string(value) {
        Some(url) => of_url(mime, &url),
        None => inner_address(value, mime)?,
    };
    object.take_raw(field);
    Some(media)
}

fn inner_address(value: &RawValue, mime: &str) -> Option<Media> {
    let mut inner = Object::parse(value.get()).ok()?;
    let mut media = of_url(mime, &inner.take::<String>("url").ok()??);
    for (name, value) in inner.iter().filter(|(_, value)| value.get() != "null") {
        let name = if name == "detail" { name.to_owned() } else { format!("{IMAGE_FIELD}{name}") };
        media.extra.set(PROTOCOL, &name, Json::from(value));
    }
    Some(media)
}

fn sound(object: &mut Object<'_>) -> Option<Media> {
    let inner: Object<'_> = object.peek("input_audio")?;
    let data = Data::from_base64(&inner.peek::<Str<'_>>("data")?.0).ok()?;
    let mime = audio_mime(&inner.peek::<Str<'_>>("format")?.0);
    object.take_raw("input_audio");
    Some(Media::bytes(mime, data))
}

fn file(object: &mut Object<'_>) -> Option<Media> {
    if object.get("file").is_none() {
        // A stored file as Mistral names it.
        let id: String = object.peek("file_id")?;
        object.take_raw("file_id");
        return Some(Media::file("application/*", id));
    }
    let inner: Object<'_> = object.peek("file")?;
    let id: Option<String> = inner.peek("file_id").or_else(|| object.peek("file_id"));
    let mut media = match (id, inner.peek::<Str<'_>>("file_data")) {
        (Some(id), _) => Media::file("application/*", id),
        (None, Some(Str(data))) => {
            let (mime, data) = of_data_url(&data)?;
            Media::new(mime, Source::Bytes(data))
        }
        (None, None) => return None,
    };
    media.name = inner.peek("filename");
    object.take_raw("file");
    Some(media)
}

fn content(input: Input) -> Option<Content> {
    match input {
        Input::Text(text) => Some(Content::Text(text)),
        Input::Media(media) => Some(Content::Media(media)),
        Input::Custom(custom) => Some(Content::Custom(custom)),
        _ => None,
    }
}

/// Reasoning of an earlier turn, in any spelling.
fn reasoning(object: &mut Object<'_>, parts: &mut Vec<Output>) {
    let mut found: Option<Reasoning> = None;
    for field in ["reasoning_content", "reasoning", "reasoning_text"] {
        let Some(text) = object.get(field).and_then(string) else { continue };
        object.take_raw(field);
        if found.is_none() {
            let mut part = Reasoning::new(text);
            if field != "reasoning_content" {
                part.extra.set(PROTOCOL, FIELD, Json::string(field));
            }
            found = Some(part);
        }
    }
    let details: Option<Vec<&RawValue>> = object.peek(DETAILS);
    if let (Some(raw), Some(items)) = (object.get(DETAILS), details.filter(|items| !items.is_empty())) {
        let part = found.get_or_insert_with(|| Reasoning::new(detail_text(&items)));
        part.extra.set(PROTOCOL, DETAILS, Json::from(raw));
        object.take_raw(DETAILS);
    }
    parts.extend(found.map(Output::Reasoning));
}

/// `content` of what came out.
fn outputs(content: Option<&RawValue>, parts: &mut Vec<Output>) -> Result<(), Error> {
    let Some(content) = content.filter(|content| content.get() != "null") else { return Ok(()) };
    if let Some(text) = string(content) {
        if !text.is_empty() {
            parts.push(Output::Text(Text::new(text)));
        }
        return Ok(());
    }
    let items: Vec<&RawValue> = named(serde_json::from_str(content.get()), "content")?;
    for raw in items {
        parts.push(output(raw)?);
    }
    Ok(())
}

fn output(raw: &RawValue) -> Result<Output, Error> {
    let object = Object::parse(raw.get()).unwrap_or_default();
    let kind = object.peek::<Str<'_>>("type").map(|Str(kind)| kind.into_owned()).unwrap_or_default();
    match kind.as_str() {
        "refusal" => Ok(Output::Text(Text::refusal(object.peek::<String>("refusal").unwrap_or_default()))),
        "thinking" => {
            let mut part = Reasoning::new(object.get("thinking").map(thinking_text).unwrap_or_default());
            part.extra.set(PROTOCOL, FIELD, Json::string("thinking"));
            if let Some(signature) = object.get(SIGNATURE).filter(|value| value.get() != "null") {
                part.extra.set(PROTOCOL, SIGNATURE, Json::from(signature));
            }
            Ok(Output::Reasoning(part))
        }
        _ => input(raw).map(|input| match input {
            Input::Text(text) => Output::Text(text),
            Input::Media(media) => Output::Media(media),
            Input::Custom(custom) => Output::Custom(custom),
            _ => Output::Custom(Custom::new(PROTOCOL, kind, Json::from(raw))),
        }),
    }
}

/// Sound that the service keeps under an id.
fn stored_audio(audio: &Object<'_>) -> Media {
    let mut media = Media::bytes("audio/*", Vec::new());
    if let Some(id) = audio.get("id") {
        media.extra.set(PROTOCOL, "id", Json::from(id));
    }
    media
}

fn tool_call(raw: &RawValue) -> Result<Output, Error> {
    let mut object = named(Object::parse(raw.get()), "tool_calls")?;
    let function = object.take::<Object<'_>>("function")?;
    let custom = object.take::<Object<'_>>("custom")?;
    let (body, kind) = match (function, custom) {
        (Some(function), _) => (function, ToolKind::Function),
        (None, Some(custom)) => (custom, ToolKind::Custom),
        (None, None) => {
            let kind = object.peek::<Str<'_>>("type").unwrap_or_default().0;
            return Ok(Output::Custom(Custom::new(PROTOCOL, format!("{CALL_KIND}{kind}"), Json::from(raw))));
        }
    };
    let id = object.take::<Str<'_>>("id")?.unwrap_or_default().0.into_owned();
    let input = input_text(body.get("arguments").or_else(|| body.get("input")));
    let mut call =
        ToolCall::new(id, body.peek::<String>("name").unwrap_or_default(), Json::from_text(&*input));
    call.kind = kind;
    object.take_raw("type");
    object.take_raw("index");
    rest(&object, &mut call.extra);
    Ok(Output::ToolCall(call))
}

//! A client's request to the model.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use interlingua_model::{
    Assistant, Content, Custom, CustomTool, Effort, Error, ErrorKind, Extra, Format, FunctionTool, Grammar,
    Input, Json, Media, Message, Output, ProviderTool, Reasoning, Request, Retention, SchemaFormat, System,
    Text, Tool, ToolChoice, ToolKind, ToolMode, ToolResult, User, Verbosity,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::dialect::{Dialect, Store, SystemRole};
use super::items::{self, Key, Reading, Stage, leftover, text_of, word};
use super::write::{self, Side};
use super::{P, seal};
use crate::{Mode, Object};

/// Reads the body of a request.
pub(super) fn request(dialect: &Dialect, body: &[u8]) -> Result<(Request, Mode), Error> {
    let text = crate::mend::text(body);
    let mut object = Object::parse(&text).map_err(|error| {
        let message = format!("the body is not a JSON object: {error}");
        Error::new(ErrorKind::InvalidRequest, message).with_source(error)
    })?;
    let mut request = Request::new(taken::<Cow<'_, str>>(&mut object, "model").unwrap_or_default());
    let mode = if taken(&mut object, "stream").unwrap_or(false) { Mode::Stream } else { Mode::Whole };
    conversation(dialect, &mut object, &mut request)?;
    tools(&mut object, &mut request)?;
    knobs(&mut object, &mut request);
    text_settings(&mut object, &mut request);
    reasoning(&mut object, &mut request);
    cache(&mut object, &mut request);
    include(&mut object, &mut request);
    store(dialect, &mut object);
    leftover(&object, &mut request.extra);
    Ok((request, mode))
}

/// Removes a field and reads it; one of another shape stays where it is, to be kept verbatim.
fn taken<'a, T: Deserialize<'a>>(object: &mut Object<'a>, name: &str) -> Option<T> {
    let value = object.peek(name);
    if value.is_some() || object.get(name).is_some_and(|raw| raw.get() == "null") {
        object.take_raw(name);
    }
    value
}

/// A text field, removed.
fn taken_text(object: &mut Object<'_>, name: &str) -> Option<String> {
    taken::<Cow<'_, str>>(object, name).map(Cow::into_owned)
}

fn malformed(field: &str, what: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest, format!("`{field}` must be {what}"))
}

fn conversation(dialect: &Dialect, object: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let mut talk = Talk { dialect, messages: Vec::new(), calls: BTreeMap::new() };
    if let Some(text) = taken_text(object, "instructions") {
        talk.messages.push(Message::system(text));
    }
    if let Some(input) = object.take_raw("input").filter(|raw| raw.get() != "null") {
        if let Some(text) = text_of(input) {
            talk.messages.push(Message::user(text.into_owned()));
        } else {
            let items: Vec<&RawValue> = serde_json::from_str(input.get())
                .map_err(|_| malformed("input", "a string or a list of items"))?;
            for (at, raw) in items.into_iter().enumerate() {
                let item =
                    Object::parse(raw.get()).map_err(|_| malformed(&format!("input[{at}]"), "an object"))?;
                talk.item(raw, item);
            }
        }
    }
    request.messages = talk.messages;
    Ok(())
}

/// The conversation as far as it is read.
struct Talk<'a> {
    dialect: &'a Dialect,
    messages: Vec<Message>,
    /// The names of the tools behind the calls that the caller ran, by call id.
    calls: BTreeMap<String, String>,
}

impl Talk<'_> {
    fn item(&mut self, raw: &RawValue, item: Object<'_>) {
        let kind = word(&item, "type").unwrap_or(Cow::Borrowed("message"));
        let role = word(&item, "role");
        match (&*kind, role.as_deref()) {
            ("message", Some("user")) => self.user(item),
            ("message", Some(role @ ("system" | "developer"))) => self.system(item, role),
            ("message", Some("assistant")) => self.said(raw),
            ("message", _) => self.control(raw, &kind),
            ("function_call_output", _) => self.result(raw, item, ToolKind::Function),
            ("custom_tool_call_output", _) => self.result(raw, item, ToolKind::Custom),
            (kind, _) if self.is_result(&item, kind) => self.result(raw, item, ToolKind::Function),
            (kind, _) if is_control(kind, &item) => self.control(raw, kind),
            _ => self.said(raw),
        }
    }

    /// Whether an item answers a call of a provider's own kind that the caller ran.
    fn is_result(&self, item: &Object<'_>, kind: &str) -> bool {
        let hosted = kind.strip_suffix("_output").and_then(items::hosted_name).is_some();
        let call = word(item, "call_id").or_else(|| word(item, "id")).unwrap_or_default();
        hosted && self.calls.contains_key(&*call)
    }

    fn user(&mut self, mut item: Object<'_>) {
        let parts = contents(item.take_raw("content"));
        let mut user = User::new(parts);
        user.extra = own(item);
        self.messages.push(user.into());
    }

    fn system(&mut self, mut item: Object<'_>, role: &str) {
        let usual = match self.dialect.system_role {
            SystemRole::System => "system",
            SystemRole::Developer => "developer",
        };
        let mut system = System::new(contents(item.take_raw("content")));
        if role != usual {
            system.extra.set(P, "role", Json::string(role));
        }
        system.extra.merge(&own(item));
        self.messages.push(system.into());
    }

    /// What steers the conversation and is said by no one.
    fn control(&mut self, raw: &RawValue, kind: &str) {
        let mut user = User::new(vec![Input::Custom(Custom::new(P, kind, Json::from(raw)))]);
        user.extra.set(P, "items", Json::from_text("true"));
        self.messages.push(user.into());
    }

    /// What the model said. One turn of the model may be of many items; it is split only where two items would grow
    /// into one.
    fn said(&mut self, raw: &RawValue) {
        let reading = Reading { hosted_custom_calls: self.dialect.hosted_custom_calls };
        let mut parts = items::read(raw, Stage::Done, reading);
        if let [(key, Output::Reasoning(reasoning))] = &mut *parts {
            unseal(*key, reasoning);
        }
        for (_, part) in &mut parts {
            if let Output::ToolCall(call) = part {
                call.partial = write::word(&call.extra, "status").as_deref() == Some("incomplete");
                if call.run_by.is_caller() {
                    self.calls.insert(call.id.clone(), call.name.clone());
                }
            }
        }
        let parts: Vec<Output> = parts.into_iter().map(|(_, part)| part).collect();
        match self.messages.last_mut() {
            Some(Message::Assistant(last)) if !grows(last.parts.last(), parts.first()) => {
                last.parts.extend(parts);
            }
            _ => self.messages.push(Assistant::new(parts).into()),
        }
    }

    fn result(&mut self, raw: &RawValue, mut item: Object<'_>, kind: ToolKind) {
        let hosted = word(&item, "type")
            .is_some_and(|kind| !matches!(&*kind, "function_call_output" | "custom_tool_call_output"));
        let call = word(&item, "call_id").or_else(|| word(&item, "id")).unwrap_or_default().into_owned();
        let mut result = ToolResult::default();
        result.name = self.calls.get(&call).cloned().unwrap_or_default();
        result.call = call;
        result.kind = kind;
        let output = item.take_raw("output");
        let content = output.and_then(outputs).filter(|_| !hosted);
        if let Some(content) = content {
            for name in ["type", "call_id"] {
                item.take_raw(name);
            }
            leftover(&item, &mut result.extra);
            result.content = content;
        } else {
            let text = output.map(|raw| text_of(raw).unwrap_or(Cow::Borrowed(raw.get()))).unwrap_or_default();
            result.content = vec![Content::from(text.into_owned())];
            result.extra.set(P, "item", Json::from(raw));
        }
        let result = Input::ToolResult(result);
        match self.messages.last_mut() {
            Some(Message::User(user))
                if user.parts.iter().all(|part| matches!(part, Input::ToolResult(_))) =>
            {
                user.parts.push(result);
            }
            _ => self.messages.push(User::new(vec![result]).into()),
        }
    }
}

/// Whether two parts would make one item when they are written.
fn grows(last: Option<&Output>, next: Option<&Output>) -> bool {
    match (last, next) {
        (Some(Output::Reasoning(last)), Some(Output::Reasoning(next))) => {
            write::continues(last, next, Side::History)
        }
        (Some(last), Some(next)) => write::is_message(last) && write::joins(last, next, Side::History),
        _ => false,
    }
}

/// Takes a seal of another protocol out of the encrypted content that a server half had put it into.
fn unseal(key: Key, reasoning: &mut Reasoning) {
    let sealed = write::word(&reasoning.extra, "encrypted_content");
    let foreign = sealed.as_deref().and_then(seal::unpack);
    if let (Some(foreign), Key::Bare | Key::Summary(0)) = (foreign, key) {
        reasoning.extra = foreign;
    }
}

/// Items that are neither the model's nor the results of its calls.
fn is_control(kind: &str, item: &Object<'_>) -> bool {
    let known = matches!(
        kind,
        "item_reference"
            | "mcp_approval_response"
            | "additional_tools"
            | "configuration_update"
            | "compaction_trigger"
    );
    let by_client = kind == "tool_search_output" && word(item, "execution").is_some_and(|by| by == "client");
    known || by_client
}

fn own(mut item: Object<'_>) -> Extra {
    for name in ["type", "role", "content"] {
        item.take_raw(name);
    }
    let mut extra = Extra::default();
    leftover(&item, &mut extra);
    extra
}

fn contents(content: Option<&RawValue>) -> Vec<Input> {
    let Some(content) = content else { return Vec::new() };
    if let Some(text) = text_of(content) {
        return vec![Input::from(text.into_owned())];
    }
    let parts: Vec<&RawValue> = serde_json::from_str(content.get()).unwrap_or_default();
    parts.into_iter().map(input_part).collect()
}

/// The output of a tool: text or a list of parts.
fn outputs(output: &RawValue) -> Option<Vec<Content>> {
    if let Some(text) = text_of(output) {
        return Some(vec![Content::from(text.into_owned())]);
    }
    let parts: Vec<&RawValue> = serde_json::from_str(output.get()).ok()?;
    let content = |raw| match input_part(raw) {
        Input::Text(text) => Content::Text(text),
        Input::Media(media) => Content::Media(media),
        Input::Custom(custom) => Content::Custom(custom),
        _ => Content::Custom(Custom::new(P, "", Json::from(raw))),
    };
    Some(parts.into_iter().map(content).collect())
}

/// A part of a message that the model reads.
fn input_part(raw: &RawValue) -> Input {
    let unknown = |kind: &str| Input::Custom(Custom::new(P, kind, Json::from(raw)));
    let Ok(mut object) = Object::parse(raw.get()) else { return unknown("") };
    let kind = word(&object, "type").unwrap_or_default();
    object.take_raw("type");
    let cache =
        object.take_raw("prompt_cache_breakpoint").filter(|raw| raw.get() != "null").map(items::retention);
    if matches!(&*kind, "input_text" | "text") {
        let mut text = Text::new(taken_text(&mut object, "text").unwrap_or_default());
        text.cache = cache;
        leftover(&object, &mut text.extra);
        return Input::Text(text);
    }
    let media = match &*kind {
        "input_image" => image(&mut object),
        "input_file" => file(&mut object),
        "input_audio" => audio(&mut object),
        _ => None,
    };
    let Some(mut media) = media else { return unknown(&kind) };
    media.cache = cache;
    leftover(&object, &mut media.extra);
    Input::Media(media)
}

fn image(object: &mut Object<'_>) -> Option<Media> {
    let detail: Option<Cow<'_, str>> = object.peek("detail");
    if detail.is_some_and(|detail| detail == "auto") {
        object.take_raw("detail");
    }
    if let Some(id) = taken_text(object, "file_id") {
        return Some(Media::file("image/*", id));
    }
    let url = taken_text(object, "image_url")?;
    Some(data(&url).unwrap_or_else(|| Media::url("image/*", url)))
}

fn file(object: &mut Object<'_>) -> Option<Media> {
    let media = if let Some(id) = taken_text(object, "file_id") {
        Media::file("application/*", id)
    } else if let Some(url) = taken_text(object, "file_url") {
        Media::url("application/*", url)
    } else {
        let text: Cow<'_, str> = object.peek("file_data")?;
        let media = data(&text)?;
        object.take_raw("file_data");
        media
    };
    let name = taken_text(object, "filename");
    Some(match name {
        Some(name) => media.named(name),
        None => media,
    })
}

fn audio(object: &mut Object<'_>) -> Option<Media> {
    let inner: Object<'_> = object.peek("input_audio")?;
    let bytes = STANDARD.decode(&*word(&inner, "data")?).ok()?;
    let format = word(&inner, "format")?;
    let media = Media::bytes(format!("audio/{}", if format == "mp3" { "mpeg" } else { &*format }), bytes);
    object.take_raw("input_audio");
    Some(media)
}

/// The content of a `data:` URL in base64; one that would not be written the same again is left as it is.
fn data(url: &str) -> Option<Media> {
    let (mime, base64) = url.strip_prefix("data:")?.split_once(";base64,")?;
    let bytes = STANDARD.decode(base64).ok()?;
    Some(Media::bytes(mime, bytes))
}

fn tools(object: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    if let Some(raw) = object.take_raw("tools").filter(|raw| raw.get() != "null") {
        let tools: Vec<&RawValue> =
            serde_json::from_str(raw.get()).map_err(|_| malformed("tools", "a list"))?;
        for (at, raw) in tools.into_iter().enumerate() {
            let tool =
                Object::parse(raw.get()).map_err(|_| malformed(&format!("tools[{at}]"), "an object"))?;
            request.tools.push(self::tool(raw, tool));
        }
    }
    request.parallel_tool_calls = taken(object, "parallel_tool_calls");
    request.tool_choice = object.get("tool_choice").and_then(choice);
    if request.tool_choice.is_some() {
        object.take_raw("tool_choice");
    }
    Ok(())
}

fn tool(raw: &RawValue, mut tool: Object<'_>) -> Tool {
    let kind = word(&tool, "type").unwrap_or_default();
    let provider = || Tool::Provider(ProviderTool::new(P, &*kind, Json::from(raw)));
    if !matches!(&*kind, "function" | "custom") {
        return provider();
    }
    let Some(name) = taken_text(&mut tool, "name") else { return provider() };
    tool.take_raw("type");
    let description = taken_text(&mut tool, "description").unwrap_or_default();
    if kind == "custom" {
        let grammar = grammar(&mut tool);
        let mut custom = CustomTool::new(name, description, grammar);
        leftover(&tool, &mut custom.extra);
        return Tool::Custom(custom);
    }
    let parameters = tool.take_raw("parameters").filter(|raw| raw.get() != "null");
    let mut function = FunctionTool::new(name, description, parameters.map_or_else(Json::object, Json::from));
    match tool.take_raw("strict").map(RawValue::get) {
        Some("true") => function.strict = Some(true),
        // What is said outright is what is written for a tool that says nothing.
        Some("false") => {}
        // Silence means strict in this protocol, as far as the schema allows.
        _ => function.extra.set(P, "strict", Json::from_text("null")),
    }
    leftover(&tool, &mut function.extra);
    Tool::Function(function)
}

fn grammar(tool: &mut Object<'_>) -> Option<Grammar> {
    let format: Object<'_> = tool.peek("format")?;
    let kind = word(&format, "type").unwrap_or_default();
    let found = match (&*kind, word(&format, "syntax"), word(&format, "definition")) {
        ("grammar", Some(syntax), Some(definition)) => Some(Grammar::new(syntax, definition)),
        _ => None,
    };
    if found.is_some() || kind == "text" {
        tool.take_raw("format");
    }
    found
}

fn choice(raw: &RawValue) -> Option<ToolChoice> {
    if let Some(word) = text_of(raw) {
        return match &*word {
            "auto" => Some(ToolChoice::Auto),
            "none" => Some(ToolChoice::None),
            "required" => Some(ToolChoice::Required),
            _ => None,
        };
    }
    let object = Object::parse(raw.get()).ok()?;
    if word(&object, "type").is_none_or(|kind| kind != "allowed_tools") {
        return chosen(&object).map(ToolChoice::Tool);
    }
    let mode = match word(&object, "mode").as_deref() {
        Some("required") => ToolMode::Required,
        _ => ToolMode::Auto,
    };
    let tools: Vec<Object<'_>> = object.peek("tools")?;
    let names = tools.iter().map(chosen).collect::<Option<_>>()?;
    Some(ToolChoice::Allowed { mode, names })
}

/// The name of a tool that is named or, when it is a provider's, known by its type alone.
fn chosen(object: &Object<'_>) -> Option<String> {
    let kind = word(object, "type")?;
    match &*kind {
        "function" | "custom" => word(object, "name").map(Cow::into_owned),
        kind if object.iter().count() == 1 => Some(kind.to_owned()),
        _ => None,
    }
}

fn knobs(object: &mut Object<'_>, request: &mut Request) {
    request.max_output = taken(object, "max_output_tokens");
    request.sampling.temperature = taken(object, "temperature");
    request.sampling.top_p = taken(object, "top_p");
    request.service_tier = taken_text(object, "service_tier");
    request.end_user = taken_text(object, "safety_identifier");
    if request.end_user.is_none() {
        request.end_user = taken_text(object, "user");
    }
    if let Some(Pairs(pairs)) = taken(object, "metadata") {
        request.metadata = pairs;
    }
}

/// Labels in the order in which they stand.
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Object::deserialize(deserializer)?;
        let pair = |(name, raw): (&str, &RawValue)| Some((name.to_owned(), text_of(raw)?.into_owned()));
        let pairs: Option<Vec<_>> = object.iter().map(pair).collect();
        pairs.map(Self).ok_or_else(|| serde::de::Error::custom("expected texts"))
    }
}

/// `text`: what is not understood in it stays, whole, beside what is.
fn text_settings(object: &mut Object<'_>, request: &mut Request) {
    let Some(mut text) = object.peek::<Object<'_>>("text") else { return };
    if let Some(verbosity) =
        text.peek::<Cow<'_, str>>("verbosity").and_then(|word| word.parse::<Verbosity>().ok())
    {
        request.verbosity = Some(verbosity);
        text.take_raw("verbosity");
    }
    if let Some(format) = text.peek::<Object<'_>>("format").and_then(format) {
        request.format = Some(format);
        text.take_raw("format");
    }
    if text.iter().all(|(_, value)| value.get() == "null") {
        object.take_raw("text");
    }
}

fn format(mut format: Object<'_>) -> Option<Format> {
    let kind = word(&format, "type")?;
    format.take_raw("type");
    let found = match &*kind {
        "text" => Format::Text,
        "json_object" => Format::Json,
        "json_schema" => {
            let schema = format.take_raw("schema")?;
            let mut found = SchemaFormat::new(taken_text(&mut format, "name")?, Json::from(schema));
            found.description = taken_text(&mut format, "description");
            found.strict = taken(&mut format, "strict");
            Format::Schema(found)
        }
        _ => return None,
    };
    format.is_empty().then_some(found)
}

fn reasoning(object: &mut Object<'_>, request: &mut Request) {
    let Some(mut reasoning) = object.peek::<Object<'_>>("reasoning") else {
        if object.get("reasoning").is_some_and(|raw| raw.get() == "null") {
            object.take_raw("reasoning");
        }
        return;
    };
    if let Some(effort) =
        reasoning.peek::<Cow<'_, str>>("effort").and_then(|word| word.parse::<Effort>().ok())
    {
        request.effort = Some(effort);
        reasoning.take_raw("effort");
    }
    if let Some(summary) = reasoning.peek::<Cow<'_, str>>("summary") {
        request.show_reasoning = Some(true);
        if summary == "auto" {
            reasoning.take_raw("summary");
        }
    }
    if reasoning.iter().all(|(_, value)| value.get() == "null") {
        object.take_raw("reasoning");
    }
}

fn cache(object: &mut Object<'_>, request: &mut Request) {
    request.cache.key = taken_text(object, "prompt_cache_key");
    if let Some(options) = object.peek::<Object<'_>>("prompt_cache_options") {
        let implicit = word(&options, "mode").is_none_or(|mode| mode == "implicit");
        if implicit && options.iter().all(|(name, _)| matches!(name, "mode" | "ttl")) {
            request.cache.automatic = object.take_raw("prompt_cache_options").map(items::retention);
        }
    }
    let kept = match object.peek::<Cow<'_, str>>("prompt_cache_retention").as_deref() {
        Some("24h") => Some(Retention::Long),
        Some("in_memory" | "in-memory") => Some(Retention::Short),
        _ => None,
    };
    if kept.is_some() && request.cache.automatic.is_none() {
        request.cache.automatic = kept;
        object.take_raw("prompt_cache_retention");
    }
}

/// `include`: what every request asks for is left out, the rest stays.
fn include(object: &mut Object<'_>, request: &mut Request) {
    let words: Vec<Cow<'_, str>> = object.peek("include").unwrap_or_default();
    let probabilities = words.iter().any(|word| word == "message.output_text.logprobs");
    let count: Option<u8> = taken(object, "top_logprobs");
    request.sampling.logprobs =
        count.filter(|count| *count > 0 || probabilities).or(probabilities.then_some(0));
    let known = ["reasoning.encrypted_content", "message.output_text.logprobs"];
    let rest: Vec<&Cow<'_, str>> = words.iter().filter(|word| !known.contains(&&***word)).collect();
    if rest.is_empty() {
        object.take_raw("include");
    } else if let Ok(json) = Json::of(&rest) {
        object.take_raw("include");
        request.extra.set(P, "include", json);
    }
}

/// `store`: what the dialect says anyhow is left out.
fn store(dialect: &Dialect, object: &mut Object<'_>) {
    let usual = match dialect.store {
        Store::Never => "false",
        Store::Always => "true",
        Store::Omitted => "null",
    };
    if object.get("store").is_some_and(|raw| raw.get() == usual) {
        object.take_raw("store");
    }
}

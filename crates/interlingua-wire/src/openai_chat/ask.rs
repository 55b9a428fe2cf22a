//! From the body of a client's call to a neutral request.
//!
//! Nothing that real clients send is refused: what is unknown stays in `extra`, verbatim.

use interlingua_model::{
    CustomTool, Effort, Error, ErrorKind, Extra, Format, FunctionTool, Grammar, Json, ProviderTool, Request,
    Retention, SchemaFormat, Tool, ToolChoice, ToolMode,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::history::History;
use super::types::{Count, Str, string};
use super::{FUNCTION_FIELD, PROTOCOL, STREAM_OPTIONS};
use crate::{Call, Mode, Object};

/// Reads a client's call.
///
/// # Errors
/// When the body is not a JSON object, or a known field is of a shape that cannot be read; the message names it.
pub(super) fn decode(call: &Call) -> Result<(Request, Mode), Error> {
    let mut object = Object::from_slice(&call.body).map_err(|error| {
        let message = format!("the body is not a JSON object: {error}");
        Error::new(ErrorKind::InvalidRequest, message).with_source(error)
    })?;
    let mode = if object.take::<bool>("stream")?.unwrap_or(false) { Mode::Stream } else { Mode::Whole };
    let mut request = Request::new(model(&mut object, &call.path)?);
    let messages: Vec<&RawValue> = object.require("messages")?;
    request.messages = History::default().read(&messages)?;
    tools(&mut object, &mut request)?;
    sampling(&mut object, &mut request)?;
    output(&mut object, &mut request)?;
    reasoning(&mut object, &mut request)?;
    cache(&mut object, &mut request)?;
    labels(&mut object, &mut request)?;
    stream_options(&mut object, mode, &mut request.extra);
    object.rest_into(&mut request.extra, PROTOCOL);
    Ok((request, mode))
}

/// The model in the body, else the deployment in the path, as clients of Azure write it, else none, as clients of a
/// server with a single model write it.
fn model(object: &mut Object<'_>, path: &str) -> Result<String, Error> {
    if let Some(model) = object.take::<String>("model")? {
        return Ok(model);
    }
    let deployment = path.split_once("/deployments/").and_then(|(_, rest)| rest.split('/').next());
    Ok(deployment.unwrap_or_default().to_owned())
}

fn tools(object: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    for raw in object.take::<Vec<&RawValue>>("tools")?.unwrap_or_default() {
        request.tools.push(tool(raw)?);
    }
    request.parallel_tool_calls = object.take("parallel_tool_calls")?;
    let choice = object.get("tool_choice").and_then(tool_choice);
    if choice.is_some() {
        object.take_raw("tool_choice");
        request.tool_choice = choice;
    }
    if request.tools.is_empty() {
        // Without tools these say nothing, and some services refuse them then.
        request.tool_choice.take_if(|choice| matches!(choice, ToolChoice::Auto | ToolChoice::None));
        request.parallel_tool_calls = None;
    }
    Ok(())
}

fn tool(raw: &RawValue) -> Result<Tool, Error> {
    let mut object = named(Object::parse(raw.get()), "tools")?;
    let kind = object.peek::<Str<'_>>("type").map(|Str(kind)| kind.into_owned()).unwrap_or_default();
    match kind.as_str() {
        "function" | "" if object.get("function").is_some() => {
            object.take_raw("type");
            function_tool(object).map(Tool::Function)
        }
        "custom" if object.get("custom").is_some() => {
            object.take_raw("type");
            custom_tool(object).map(Tool::Custom)
        }
        _ => Ok(Tool::Provider(ProviderTool::new(PROTOCOL, kind, Json::from(raw)))),
    }
}

fn function_tool(mut object: Object<'_>) -> Result<FunctionTool, Error> {
    let mut function: Object<'_> = object.require("function")?;
    let name: String = function.require("name")?;
    let description: Option<String> = function.take("description")?;
    let parameters = function.take_raw("parameters").filter(|schema| schema.get() != "null");
    let mut tool = FunctionTool::new(
        name,
        description.unwrap_or_default(),
        parameters.map_or_else(Json::object, Json::from),
    );
    tool.strict = function.take("strict")?;
    tool.cache = take_cache_control(&mut object);
    for (name, value) in function.iter() {
        tool.extra.set(PROTOCOL, &format!("{FUNCTION_FIELD}{name}"), Json::from(value));
    }
    object.rest_into(&mut tool.extra, PROTOCOL);
    Ok(tool)
}

fn custom_tool(mut object: Object<'_>) -> Result<CustomTool, Error> {
    let mut custom: Object<'_> = object.require("custom")?;
    let name: String = custom.require("name")?;
    let description: Option<String> = custom.take("description")?;
    let format: Option<Object<'_>> = custom.take("format")?;
    let grammar = format.and_then(|format| format.peek::<Object<'_>>("grammar")).map(|grammar| {
        let text = |name| grammar.peek::<String>(name).unwrap_or_default();
        Grammar::new(text("syntax"), text("definition"))
    });
    let mut tool = CustomTool::new(name, description.unwrap_or_default(), grammar);
    object.rest_into(&mut tool.extra, PROTOCOL);
    Ok(tool)
}

/// A choice in neutral terms, or `None` when it is of an unknown form.
fn tool_choice(raw: &RawValue) -> Option<ToolChoice> {
    if let Some(word) = string(raw) {
        return match &*word {
            "auto" => Some(ToolChoice::Auto),
            "none" => Some(ToolChoice::None),
            "required" | "any" => Some(ToolChoice::Required),
            _ => None,
        };
    }
    let object = Object::parse(raw.get()).ok()?;
    if let Some(allowed) = object.peek::<Object<'_>>("allowed_tools") {
        let required = allowed.peek::<Str<'_>>("mode").is_some_and(|Str(mode)| mode == "required");
        let tools: Vec<Object<'_>> = allowed.peek("tools").unwrap_or_default();
        let mode = if required { ToolMode::Required } else { ToolMode::Auto };
        return Some(ToolChoice::Allowed { mode, names: tools.iter().filter_map(tool_name).collect() });
    }
    tool_name(&object).map(ToolChoice::Tool)
}

fn tool_name(object: &Object<'_>) -> Option<String> {
    let inner: Option<Object<'_>> = object.peek("function").or_else(|| object.peek("custom"));
    inner.and_then(|inner| inner.peek("name")).or_else(|| object.peek("name"))
}

fn sampling(object: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let sampling = &mut request.sampling;
    sampling.temperature = object.take("temperature")?;
    sampling.top_p = object.take("top_p")?;
    sampling.presence_penalty = object.take("presence_penalty")?;
    sampling.frequency_penalty = object.take("frequency_penalty")?;
    sampling.top_k = take_known(object, "top_k");
    sampling.seed = take_known(object, "seed").or_else(|| take_known(object, "random_seed"));
    sampling.stop = stop(object)?;
    let top = object.peek::<u8>("top_logprobs");
    match object.get("logprobs").map(RawValue::get) {
        Some("true") => sampling.logprobs = Some(top.unwrap_or(0)),
        Some("false" | "null") => {}
        _ => return Ok(()),
    }
    object.take_raw("logprobs");
    if sampling.logprobs.is_some() || object.get("top_logprobs").is_some_and(|top| top.get() == "null") {
        object.take_raw("top_logprobs");
    }
    Ok(())
}

/// Removes and reads a field of the known shape; another shape stays where it is.
fn take_known<'a, T: Deserialize<'a>>(object: &mut Object<'a>, name: &str) -> Option<T> {
    let found = object.peek(name)?;
    object.take_raw(name);
    Some(found)
}

/// `stop`: one text or several.
fn stop(object: &mut Object<'_>) -> Result<Vec<String>, Error> {
    match object.get("stop").and_then(string) {
        Some(text) => {
            object.take_raw("stop");
            Ok(vec![text.into_owned()])
        }
        None => Ok(object.take::<Vec<String>>("stop")?.unwrap_or_default()),
    }
}

fn output(object: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let limits = [object.take::<Count>("max_completion_tokens")?, object.take::<Count>("max_tokens")?];
    let limit = limits.into_iter().flatten().find_map(|Count(limit)| limit);
    request.max_output = limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
    let format = object.get("response_format").and_then(format);
    if format.is_some() || object.get("response_format").is_some_and(|value| value.get() == "null") {
        object.take_raw("response_format");
        request.format = format;
    }
    let verbosity = object.peek::<Str<'_>>("verbosity").and_then(|Str(word)| word.parse().ok());
    if verbosity.is_some() {
        object.take_raw("verbosity");
        request.verbosity = verbosity;
    }
    Ok(())
}

/// A form of answer in neutral terms, or `None` when it is of an unknown form.
fn format(raw: &RawValue) -> Option<Format> {
    let object = Object::parse(raw.get()).ok()?;
    let kind = object.peek::<Str<'_>>("type")?.0;
    match &*kind {
        "text" => Some(Format::Text),
        "json_object" => Some(Format::Json),
        "json_schema" => {
            let schema: Object<'_> = object.peek("json_schema")?;
            let mut format = SchemaFormat::new(
                schema.peek::<String>("name").unwrap_or_default(),
                schema.get("schema").map(Json::from)?,
            );
            format.description = schema.peek("description");
            format.strict = schema.peek("strict");
            Some(Format::Schema(format))
        }
        _ => None,
    }
}

fn reasoning(object: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let effort = object.peek::<Str<'_>>("reasoning_effort").and_then(|Str(word)| word.parse().ok());
    if effort.is_some() {
        object.take_raw("reasoning_effort");
        request.effort = effort;
    }
    request.show_reasoning = object.take("include_reasoning")?;
    if object.get("reasoning").is_some_and(|raw| reasoning_object(raw, request).is_some()) {
        object.take_raw("reasoning");
    }
    Ok(())
}

/// OpenRouter's object, where all of it is understood.
fn reasoning_object(raw: &RawValue, request: &mut Request) -> Option<()> {
    let mut object = Object::parse(raw.get()).ok()?;
    let mut effort = None;
    if let Some(word) = object.take::<String>("effort").ok()? {
        effort = Some(word.parse::<Effort>().ok()?);
    }
    match object.take::<bool>("enabled").ok()? {
        Some(false) => effort = Some(Effort::None),
        Some(true) if effort.is_none() => return None,
        _ => {}
    }
    let budget = object.take::<u32>("max_tokens").ok()?;
    let exclude = object.take::<bool>("exclude").ok()?;
    if !object.is_empty() {
        return None;
    }
    request.effort = effort.or(request.effort);
    request.reasoning_budget = budget;
    request.show_reasoning = exclude.map(|exclude| !exclude).or(request.show_reasoning);
    Some(())
}

fn cache(object: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    request.cache.key = object.take("prompt_cache_key")?;
    let retention = object.get("prompt_cache_retention").and_then(string).and_then(|word| match &*word {
        "in_memory" | "in-memory" => Some(Retention::Short),
        "24h" => Some(Retention::Long),
        _ => None,
    });
    if retention.is_some() {
        object.take_raw("prompt_cache_retention");
    }
    let options = object.get("prompt_cache_options").and_then(cache_options);
    if options.is_some() {
        object.take_raw("prompt_cache_options");
    }
    request.cache.automatic = options.or(retention);
    Ok(())
}

fn cache_options(raw: &RawValue) -> Option<Retention> {
    let mut object = Object::parse(raw.get()).ok()?;
    let mode: Option<String> = object.take("mode").ok()?;
    let ttl: Option<String> = object.take("ttl").ok()?;
    if mode.as_deref() != Some("implicit") || !object.is_empty() {
        return None;
    }
    match ttl.as_deref() {
        None => Some(Retention::Default),
        Some("30m") => Some(Retention::Short),
        Some(_) => None,
    }
}

fn labels(object: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    request.service_tier = object.take("service_tier")?;
    if let Some(metadata) = object.peek::<Object<'_>>("metadata") {
        let labels: Option<Vec<(String, String)>> = metadata
            .iter()
            .map(|(name, value)| Some((name.to_owned(), string(value)?.into_owned())))
            .collect();
        if let Some(labels) = labels {
            object.take_raw("metadata");
            request.metadata = labels;
        }
    }
    let field = if object.get("safety_identifier").is_some() { "safety_identifier" } else { "user" };
    request.end_user = object.take(field)?;
    Ok(())
}

/// What the client wants a stream to hold. Usage is asked for anyway; that a client did not ask is noted, so that it
/// is not sent what it does not expect.
fn stream_options(object: &mut Object<'_>, mode: Mode, extra: &mut Extra) {
    let options = object.take_raw(STREAM_OPTIONS).filter(|options| options.get() != "null");
    if mode == Mode::Whole {
        return;
    }
    let Some(options) = options else {
        extra.set(PROTOCOL, STREAM_OPTIONS, Json::from_text("null"));
        return;
    };
    let plain = Object::parse(options.get())
        .is_ok_and(|fields| fields.iter().count() == 1 && fields.peek::<bool>("include_usage") == Some(true));
    if !plain {
        extra.set(PROTOCOL, STREAM_OPTIONS, Json::from(options));
    }
}

/// Removes a cache mark in Anthropic's or OpenAI's words, where it is understood.
pub(super) fn take_cache_mark(object: &mut Object<'_>) -> Option<Retention> {
    let found = object.get("prompt_cache_breakpoint").and_then(|raw| {
        let mark = Object::parse(raw.get()).ok()?;
        match mark.peek::<Str<'_>>("ttl").map(|Str(ttl)| ttl).as_deref() {
            None => Some(Retention::Default),
            Some("30m") => Some(Retention::Short),
            Some("12h") => Some(Retention::Long),
            Some(_) => None,
        }
    });
    if found.is_some() {
        object.take_raw("prompt_cache_breakpoint");
    }
    found.or_else(|| take_cache_control(object))
}

fn take_cache_control(object: &mut Object<'_>) -> Option<Retention> {
    let mark = Object::parse(object.get("cache_control")?.get()).ok()?;
    if mark.peek::<Str<'_>>("type")?.0 != "ephemeral" {
        return None;
    }
    let retention = match mark.peek::<Str<'_>>("ttl").map(|Str(ttl)| ttl).as_deref() {
        None => Retention::Default,
        Some("5m") => Retention::Short,
        Some("1h") => Retention::Long,
        Some(_) => return None,
    };
    object.take_raw("cache_control");
    Some(retention)
}

/// A reading error with the name of the field.
pub(super) fn named<T>(found: Result<T, serde_json::Error>, field: &str) -> Result<T, Error> {
    found.map_err(|error| {
        Error::new(ErrorKind::InvalidRequest, format!("`{field}`: {error}")).with_source(error)
    })
}

//! Wire to request: the server half's reading.

use std::collections::HashMap;

use interlingua_model::{
    Assistant, Effort, Error, ErrorKind, Extra, Format, FunctionTool, Input, Json, Message, Output,
    ProviderTool, Request, SchemaFormat, System, Tool, ToolChoice, User,
};
use serde_json::value::RawValue;

use super::block::{self, input, input_mark, list, output, output_mark};
use super::{PROTOCOL, path};
use crate::{Call, Mode, Object};

/// The name that a schema gets where the request gives it none.
const SCHEMA_NAME: &str = "output";

/// Reads a request. What is not understood is kept under its own name.
pub(super) fn decode(call: &Call) -> Result<(Request, Mode), Error> {
    let (model, mode) = path::read(&call.path).ok_or_else(|| {
        invalid("the path is neither /model/{model}/converse nor /model/{model}/converse-stream".to_owned())
    })?;
    let mut body = Object::from_slice(&call.body)
        .map_err(|error| invalid(format!("the body is not a JSON object: {error}")).with_source(error))?;
    let mut request = Request::new(model);
    let system: Vec<&RawValue> = body.take("system")?.unwrap_or_default();
    if !system.is_empty() {
        request.messages.push(Message::System(System::new(list(system, input, input_mark))));
    }
    let messages: Vec<&RawValue> = body.take("messages")?.unwrap_or_default();
    for (index, raw) in messages.into_iter().enumerate() {
        let message =
            message(raw).map_err(|error| invalid(format!("messages[{index}]: {}", error.message())))?;
        request.messages.push(message);
    }
    name_results(&mut request.messages);
    inference(&mut body, &mut request)?;
    output_config(&mut body, &mut request);
    tools(&mut body, &mut request)?;
    of_model(&mut body, &mut request);
    labels(&mut body, &mut request);
    body.rest_into(&mut request.extra, PROTOCOL);
    Ok((request, mode))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

fn message(raw: &RawValue) -> Result<Message, Error> {
    let mut message = Object::parse(raw.get()).map_err(|error| invalid(error.to_string()))?;
    let role: String = message.require("role")?;
    let content: Vec<&RawValue> = message.require("content")?;
    let mut extra = Extra::default();
    message.rest_into(&mut extra, PROTOCOL);
    Ok(match role.as_str() {
        "assistant" => {
            let mut assistant = Assistant::new(list(content, output, output_mark));
            assistant.extra = extra;
            Message::Assistant(assistant)
        }
        "system" => {
            let mut system = System::new(list(content, input, input_mark));
            system.extra = extra;
            Message::System(system)
        }
        "user" => {
            let mut user = User::new(list(content, input, input_mark));
            user.extra = extra;
            Message::User(user)
        }
        other => return Err(invalid(format!("the role `{other}` is not user, assistant or system"))),
    })
}

/// Results carry no name on this wire; they get that of their call, which other protocols need.
fn name_results(messages: &mut [Message]) {
    let mut names: HashMap<String, String> = HashMap::new();
    for message in messages {
        match message {
            Message::Assistant(assistant) => {
                for part in &assistant.parts {
                    if let Output::ToolCall(call) = part {
                        names.insert(call.id.clone(), call.name.clone());
                    }
                }
            }
            Message::User(user) => {
                for part in &mut user.parts {
                    if let Input::ToolResult(result) = part {
                        result.name = names.get(&result.call).cloned().unwrap_or_default();
                    }
                }
            }
            _ => {}
        }
    }
}

/// Takes an object of the body apart; what `read` leaves of it is kept under its name.
fn within(
    body: &mut Object<'_>,
    request: &mut Request,
    name: &str,
    read: impl FnOnce(&mut Object<'_>, &mut Request) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(mut object) = body.peek::<Object<'_>>(name) else { return Ok(()) };
    body.take_raw(name);
    read(&mut object, request).map_err(|error| invalid(format!("{name}.{}", error.message())))?;
    if !object.is_empty() {
        let mut rest = Extra::default();
        object.rest_into(&mut rest, PROTOCOL);
        request.extra.set(PROTOCOL, name, super::node::Node::default().extra(&rest).json());
    }
    Ok(())
}

fn inference(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    within(body, request, "inferenceConfig", |config, request| {
        let most: Option<u64> = config.take("maxTokens")?;
        request.max_output = most.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
        request.sampling.temperature = config.take("temperature")?;
        request.sampling.top_p = config.take("topP")?;
        request.sampling.stop = config.take("stopSequences")?.unwrap_or_default();
        Ok(())
    })
}

/// What has no exact neutral form stays as it is.
fn output_config(body: &mut Object<'_>, request: &mut Request) {
    let _ = within(body, request, "outputConfig", |config, request| {
        let level = config.peek::<String>("effort").and_then(|word| word.parse().ok());
        if let Some(level) = level.filter(|level| *level != Effort::None) {
            request.effort = Some(level);
            config.take_raw("effort");
        }
        if let Some(format) = config.peek::<Object<'_>>("textFormat").and_then(schema) {
            request.format = Some(Format::Schema(format));
            config.take_raw("textFormat");
        }
        Ok(())
    });
}

fn schema(mut format: Object<'_>) -> Option<SchemaFormat> {
    let kind: String = format.take("type").ok()??;
    let mut structure: Object<'_> = format.take("structure").ok()??;
    let mut inner: Object<'_> = structure.take("jsonSchema").ok()??;
    let schema: String = inner.take("schema").ok()??;
    let name: Option<String> = inner.take("name").ok()?;
    let description: Option<String> = inner.take("description").ok()?;
    let is_whole = [&format, &structure, &inner].iter().all(|object| object.is_empty());
    if !is_whole || kind != "json_schema" {
        return None;
    }
    let mut found =
        SchemaFormat::new(name.unwrap_or_else(|| SCHEMA_NAME.to_owned()), Json::from_text(schema));
    found.description = description.filter(|text| !text.is_empty());
    Some(found)
}

fn tools(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    within(body, request, "toolConfig", |config, request| {
        let tools: Vec<&RawValue> = config.take("tools")?.unwrap_or_default();
        request.tools = list(tools, tool, |tool| match tool {
            Tool::Function(function) => Some(&mut function.cache),
            _ => None,
        });
        let choice: Option<Object<'_>> = config.peek("toolChoice");
        let choice = choice.filter(|_| !request.tools.is_empty()).and_then(tool_choice);
        if choice.is_some() {
            request.tool_choice = choice;
            config.take_raw("toolChoice");
        }
        Ok(())
    })
}

fn tool_choice(mut choice: Object<'_>) -> Option<ToolChoice> {
    let mut take = |name| choice.take::<Object<'_>>(name).ok().flatten();
    let (auto, any, tool) = (take("auto"), take("any"), take("tool"));
    if !choice.is_empty() {
        return None;
    }
    match (auto, any, tool) {
        (Some(auto), None, None) if auto.is_empty() => Some(ToolChoice::Auto),
        (None, Some(any), None) if any.is_empty() => Some(ToolChoice::Required),
        (None, None, Some(mut tool)) => {
            let name = tool.take("name").ok()??;
            tool.is_empty().then_some(ToolChoice::Tool(name))
        }
        _ => None,
    }
}

/// A function, or a tool in the protocol's own words.
fn tool(raw: &RawValue) -> Tool {
    let (kind, inner) = block::split(raw).unwrap_or_else(|| ("unknown".to_owned(), raw));
    let spec = Object::parse(inner.get()).ok().filter(|_| kind == "toolSpec");
    spec.and_then(function)
        .map_or_else(|| ProviderTool::new(PROTOCOL, kind, Json::from(raw)).into(), Tool::Function)
}

fn function(mut spec: Object<'_>) -> Option<FunctionTool> {
    let name: String = spec.take("name").ok()??;
    let description: Option<String> = spec.take("description").ok()?;
    let mut input: Object<'_> = spec.take("inputSchema").ok()?.unwrap_or_default();
    let schema = input.take_raw("json").map_or_else(Json::object, Json::from);
    if !input.is_empty() {
        return None;
    }
    let mut function = FunctionTool::new(name, "", schema);
    function.description = description.filter(|text| !text.is_empty());
    function.strict = spec.take("strict").ok()?;
    spec.rest_into(&mut function.extra, PROTOCOL);
    Some(function)
}

/// What publishers have of their own for what others share. What has no exact neutral form stays as it is.
fn of_model(body: &mut Object<'_>, request: &mut Request) {
    let _ = within(body, request, "additionalModelRequestFields", |fields, request| {
        thinking(fields, request);
        level(fields, request);
        if request.sampling.top_k.is_none() {
            request.sampling.top_k = fields.peek("top_k");
            if request.sampling.top_k.is_some() {
                fields.take_raw("top_k");
            }
        }
        let nova: Option<Object<'_>> = fields.peek("inferenceConfig");
        let top_k = nova.filter(|nova| nova.iter().count() == 1).and_then(|nova| nova.peek("topK"));
        if top_k.is_some() && request.sampling.top_k.is_none() {
            request.sampling.top_k = top_k;
            fields.take_raw("inferenceConfig");
        }
        let choice: Option<Object<'_>> = fields.peek("tool_choice");
        let is_single = choice.is_some_and(|choice| {
            choice.iter().all(|(name, _)| matches!(name, "type" | "disable_parallel_tool_use"))
                && choice.peek("disable_parallel_tool_use") == Some(true)
                && choice.peek::<&str>("type").is_none_or(|kind| kind == "auto")
        });
        if is_single && !request.tools.is_empty() {
            request.parallel_tool_calls = Some(false);
            fields.take_raw("tool_choice");
        }
        Ok(())
    });
}

/// Thinking as Claude is asked for it.
fn thinking(fields: &mut Object<'_>, request: &mut Request) {
    let config: Option<Object<'_>> = fields.peek("output_config");
    let level = config.filter(|config| config.iter().count() == 1).and_then(|config| {
        config.peek::<String>("effort")?.parse::<Effort>().ok().filter(|level| *level != Effort::None)
    });
    let Some(thinking) = fields.peek::<Object<'_>>("thinking") else { return };
    if thinking.iter().any(|(name, _)| !matches!(name, "type" | "budget_tokens" | "display")) {
        return;
    }
    let show = match thinking.peek::<&str>("display") {
        None => None,
        Some("summarized") => Some(true),
        Some("omitted") => Some(false),
        Some(_) => return,
    };
    let budget: Option<u32> = thinking.peek("budget_tokens");
    match (thinking.peek::<&str>("type"), budget) {
        (Some("disabled"), None) if level.is_none() && show.is_none() => request.effort = Some(Effort::None),
        (Some("enabled"), Some(budget)) => {
            request.reasoning_budget = Some(budget);
            request.effort = request.effort.or(level);
        }
        (Some("adaptive"), None) if level.is_some() || show.is_some() => {
            request.effort = request.effort.or(level);
        }
        _ => return,
    }
    request.show_reasoning = show;
    fields.take_raw("thinking");
    if level.is_some() {
        fields.take_raw("output_config");
    }
}

/// A level in the words of other publishers.
fn level(fields: &mut Object<'_>, request: &mut Request) {
    if request.effort.is_some() {
        return;
    }
    let word = |object: Option<Object<'_>>, name: &str, count: usize| {
        object.filter(|object| object.iter().count() == count)?.peek::<String>(name)
    };
    let config: Option<Object<'_>> = fields.peek("reasoningConfig");
    let nova = match config.as_ref().and_then(|config| config.peek::<&str>("type")) {
        Some("enabled") => word(config, "maxReasoningEffort", 2),
        Some("disabled") => word(config, "type", 1).map(|_| Effort::None.as_str().to_owned()),
        _ => None,
    };
    let candidates = [
        ("reasoningConfig", nova),
        ("reasoning_effort", fields.peek("reasoning_effort")),
        ("reasoning", word(fields.peek("reasoning"), "effort", 1)),
    ];
    for (name, word) in candidates {
        if let Some(level) = word.and_then(|word| word.parse().ok()) {
            request.effort = Some(level);
            fields.take_raw(name);
            return;
        }
    }
}

fn labels(body: &mut Object<'_>, request: &mut Request) {
    let tier: Option<Object<'_>> = body.peek("serviceTier");
    request.service_tier = tier.filter(|tier| tier.iter().count() == 1).and_then(|tier| tier.peek("type"));
    if request.service_tier.is_some() {
        body.take_raw("serviceTier");
    }
    let Some(labels) = body.peek::<Object<'_>>("requestMetadata") else { return };
    let read: Option<Vec<(String, String)>> = labels
        .iter()
        .map(|(name, value)| Some((name.to_owned(), serde_json::from_str(value.get()).ok()?)))
        .collect();
    if let Some(read) = read.filter(|read| !read.is_empty()) {
        request.metadata = read;
        body.take_raw("requestMetadata");
    }
}

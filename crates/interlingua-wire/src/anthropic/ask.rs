//! Wire to request: the server half's reading.

use std::collections::HashMap;

use interlingua_model::{
    Assistant, Effort, Error, ErrorKind, Extra, Format, FunctionTool, Input, Json, Message, Output,
    ProviderTool, Request, SchemaFormat, System, Text, Tool, ToolChoice, User,
};
use serde_json::value::RawValue;

use super::block::{input, output, take_cache};
use super::{BETAS, CallForm, PROTOCOL, place};
use crate::{Call, Mode, Object};

/// The name that a schema gets, for the protocol gives it none.
const SCHEMA_NAME: &str = "output";

/// Reads a request. What is not understood is kept under its own name.
pub(super) fn decode(form: CallForm, call: &Call) -> Result<(Request, Mode), Error> {
    let mut body = Object::from_slice(&call.body)
        .map_err(|error| invalid(format!("the body is not a JSON object: {error}")).with_source(error))?;
    // Platforms that have the model in the address have the version in the body; it is chosen anew for each call.
    let version = body.take_raw("anthropic_version");
    let in_path = place::read(form, &call.path);
    if form != CallForm::Messages && in_path.is_none() {
        return Err(invalid("the path names no model and no operation".to_owned()));
    }
    let (model, mode) = in_path.map_or((None, None), |(model, mode)| (Some(model), Some(mode)));
    let model = match version {
        _ if model.is_some() => model.unwrap_or_default(),
        Some(_) => body.take("model")?.unwrap_or_default(),
        None => body.require::<String>("model")?,
    };
    let mut request = Request::new(model);
    let stream = body.take::<bool>("stream")?.unwrap_or(false);
    system(&mut body, &mut request)?;
    let messages: Vec<&RawValue> = body.require("messages")?;
    for (index, raw) in messages.into_iter().enumerate() {
        let message =
            message(raw).map_err(|error| invalid(format!("messages[{index}]: {}", error.message())))?;
        request.messages.push(message);
    }
    name_results(&mut request.messages);
    settings(&mut body, &mut request)?;
    tools(&mut body, &mut request)?;
    thinking(&mut body, &mut request);
    let in_body: Vec<String> = body.take("anthropic_beta")?.unwrap_or_default();
    body.rest_into(&mut request.extra, PROTOCOL);
    betas(call, &in_body, &mut request.extra);
    let mode = mode.unwrap_or(if stream { Mode::Stream } else { Mode::Whole });
    Ok((request, mode))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

/// Empty instructions are none.
fn system(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    if let Some(raw) = body.take_raw("system").filter(|raw| raw.get() != "null") {
        let parts = inputs(raw)?;
        if !parts.is_empty() {
            request.messages.push(Message::System(System::new(parts)));
        }
    }
    Ok(())
}

/// Content is a string, which says nothing when it is empty, or a list of blocks.
fn inputs(raw: &RawValue) -> Result<Vec<Input>, Error> {
    Ok(match contents(raw)? {
        Ok(text) if text.is_empty() => Vec::new(),
        Ok(text) => vec![Input::Text(Text::new(text))],
        Err(blocks) => blocks.into_iter().map(input).collect(),
    })
}

fn contents(raw: &RawValue) -> Result<Result<String, Vec<&RawValue>>, Error> {
    if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
        return Ok(Ok(text));
    }
    let blocks = serde_json::from_str(raw.get());
    blocks
        .map(Err)
        .map_err(|error| invalid(format!("`content` is neither text nor a list of blocks: {error}")))
}

fn message(raw: &RawValue) -> Result<Message, Error> {
    let mut message = Object::parse(raw.get()).map_err(|error| invalid(error.to_string()))?;
    let role: String = message.require("role")?;
    let content = message.take_raw("content").ok_or_else(|| invalid("`content` is missing".to_owned()))?;
    let mut extra = Extra::default();
    message.rest_into(&mut extra, PROTOCOL);
    Ok(match role.as_str() {
        "assistant" => {
            let parts = match contents(content)? {
                Ok(text) if text.is_empty() => Vec::new(),
                Ok(text) => vec![Output::Text(Text::new(text))],
                Err(blocks) => blocks.into_iter().map(output).collect(),
            };
            let mut assistant = Assistant::new(parts);
            assistant.extra = extra;
            Message::Assistant(assistant)
        }
        "system" => {
            let mut system = System::new(inputs(content)?);
            system.extra = extra;
            Message::System(system)
        }
        "user" => {
            let mut user = User::new(inputs(content)?);
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

fn settings(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let most: Option<u64> = body.take("max_tokens")?;
    request.max_output = most.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
    request.sampling.temperature = body.take("temperature")?;
    request.sampling.top_p = body.take("top_p")?;
    request.sampling.top_k = body.take("top_k")?;
    request.sampling.stop = body.take("stop_sequences")?.unwrap_or_default();
    request.service_tier = body.take("service_tier")?;
    request.cache.automatic = take_cache(body);
    let metadata: Option<Object<'_>> = body.peek("metadata");
    if let Some(mut metadata) = metadata {
        request.end_user = metadata.take("user_id").ok().flatten();
        if metadata.is_empty() && request.end_user.is_some() {
            body.take_raw("metadata");
        } else {
            // More than a user's id is kept whole, as it came.
            request.end_user = None;
        }
    }
    Ok(())
}

fn tools(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let tools: Vec<&RawValue> = body.take("tools")?.unwrap_or_default();
    request.tools = tools.into_iter().map(tool).collect::<Result<_, _>>()?;
    let Some(raw) = body.get("tool_choice") else { return Ok(()) };
    let Ok(mut choice) = Object::parse(raw.get()) else { return Ok(()) };
    let kind: String = choice.take("type")?.unwrap_or_default();
    let name: Option<String> = choice.take("name")?;
    let disabled: Option<bool> = choice.take("disable_parallel_tool_use")?;
    request.tool_choice = match (kind.as_str(), name) {
        ("auto", _) => Some(ToolChoice::Auto),
        ("any", _) => Some(ToolChoice::Required),
        ("none", _) => Some(ToolChoice::None),
        ("tool", Some(name)) => Some(ToolChoice::Tool(name)),
        _ => return Ok(()),
    };
    request.parallel_tool_calls = disabled.map(|disabled| !disabled);
    body.take_raw("tool_choice");
    Ok(())
}

fn tool(raw: &RawValue) -> Result<Tool, Error> {
    let mut tool =
        Object::parse(raw.get()).map_err(|error| invalid(format!("a tool is not an object: {error}")))?;
    match tool.peek::<String>("type") {
        Some(kind) if kind != "custom" => {
            return Ok(ProviderTool::new(PROTOCOL, kind, Json::from(raw)).into());
        }
        _ => tool.take_raw("type"),
    };
    let name: String = tool.require("name")?;
    let description: Option<String> = tool.take("description")?;
    let schema = tool.take_raw("input_schema").map_or_else(Json::object, Json::from);
    let mut function = FunctionTool::new(name, "", schema);
    function.description = description;
    function.strict = tool.take("strict")?;
    function.cache = take_cache(&mut tool);
    tool.rest_into(&mut function.extra, PROTOCOL);
    Ok(function.into())
}

/// Thinking, effort and the form of the answer. What has no exact neutral form stays as it is.
fn thinking(body: &mut Object<'_>, request: &mut Request) {
    let effort = output_config(body, request);
    request.effort = effort;
    let Some(raw) = body.get("thinking").filter(|raw| raw.get() != "null") else {
        if effort.is_some() {
            // A level alone does not ask for thinking; saying nothing of it must stay so.
            request.extra.set(PROTOCOL, "thinking", Json::from_text("null"));
        }
        body.take_raw("thinking");
        return;
    };
    let Ok(thinking) = Object::parse(raw.get()) else { return };
    let known = thinking.iter().all(|(name, _)| matches!(name, "type" | "budget_tokens" | "display"));
    let (kind, budget): (Option<String>, Option<u32>) =
        (thinking.peek("type"), thinking.peek("budget_tokens"));
    let show = match thinking.peek::<String>("display").as_deref() {
        None => None,
        Some("summarized") => Some(true),
        Some("omitted") => Some(false),
        Some(_) => return,
    };
    match (kind.as_deref(), budget) {
        _ if !known => return,
        (Some("disabled"), None) if effort.is_none() && show.is_none() => request.effort = Some(Effort::None),
        (Some("enabled"), Some(budget)) => request.reasoning_budget = Some(budget),
        (Some("adaptive"), None) if effort.is_some() || show.is_some() => {}
        _ => return,
    }
    request.show_reasoning = show;
    body.take_raw("thinking");
}

fn output_config(body: &mut Object<'_>, request: &mut Request) -> Option<Effort> {
    let mut config: Object<'_> = body.peek("output_config")?;
    let level = config.peek::<String>("effort").and_then(|word| word.parse().ok());
    let format: Option<Object<'_>> = config.peek("format");
    let schema = format
        .filter(|format| format.peek("type") == Some("json_schema"))
        .and_then(|format| format.get("schema"));
    if level.is_some() {
        config.take_raw("effort");
    }
    if schema.is_some() {
        config.take_raw("format");
    }
    if !config.is_empty() {
        return None;
    }
    request.format = schema.map(|schema| Format::Schema(SchemaFormat::new(SCHEMA_NAME, Json::from(schema))));
    body.take_raw("output_config");
    level
}

/// The features in beta travel in a header, as a list with commas, or in the body.
fn betas(call: &Call, in_body: &[String], extra: &mut Extra) {
    let values = call.headers.get_all("anthropic-beta").iter().filter_map(|value| value.to_str().ok());
    let in_header = values.flat_map(|value| value.split(',')).map(str::trim).filter(|beta| !beta.is_empty());
    let betas: Vec<&str> = in_header.chain(in_body.iter().map(String::as_str)).collect();
    if !betas.is_empty()
        && let Ok(json) = Json::of(&betas)
    {
        extra.set(PROTOCOL, BETAS, json);
    }
}

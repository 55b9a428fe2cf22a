//! Wire to request: the server half's reading.

use interlingua_model::{
    Assistant, Effort, Error, ErrorKind, Extra, Format, FunctionTool, Json, Message, ProviderTool, Request,
    SchemaFormat, System, Tool, ToolChoice, ToolMode, User,
};
use serde_json::value::RawValue;

use super::calls::Ids;
use super::{FRAMING, LIST, PROTOCOL, TIER_HEADER, part};
use crate::tree::{Tree, camel};
use crate::{Call, Mode, Object, schema};

/// The name that a schema gets, for the protocol gives it none.
const SCHEMA_NAME: &str = "output";
const CONFIG: &str = "generationConfig";
const TOOL_CONFIG: &str = "toolConfig";

/// Reads a request. What is not understood is kept under its own name.
pub(super) fn decode(call: &Call) -> Result<(Request, Mode), Error> {
    let mut body = Object::from_slice(&call.body)
        .map_err(|error| invalid(format!("the body is not a JSON object: {error}")).with_source(error))
        .map(camel)?;
    let address = Address::of(&call.path);
    let named: Option<String> = body.take("model")?;
    let named = named.map(|name| name.strip_prefix("models/").map_or(name.clone(), str::to_owned));
    let mut request = Request::new(address.model.or(named).unwrap_or_default());
    if address.is_list {
        request.extra.set(PROTOCOL, FRAMING, Json::string(LIST));
    }
    system(&mut body, &mut request)?;
    contents(&mut body, &mut request)?;
    tools(&mut body, &mut request)?;
    config(&mut body, &mut request)?;
    labels(&mut body, &mut request);
    let tier = call.headers.get(TIER_HEADER).and_then(|tier| tier.to_str().ok());
    request.service_tier = body.take("serviceTier")?.or_else(|| tier.map(str::to_owned));
    for (name, value) in body.iter().filter(|(_, value)| value.get() != "null") {
        request.extra.set(PROTOCOL, name, Json::from(value));
    }
    Ok((request, address.mode))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

/// What the address says.
struct Address {
    model: Option<String>,
    mode: Mode,
    is_list: bool,
}

impl Address {
    /// Reads `…/models/{model}:{method}?{query}`.
    fn of(path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (resource, method) = path.rsplit_once(':').unwrap_or((path, ""));
        let is_stream = method == "streamGenerateContent";
        // `$alt` is the same as `alt`.
        let framing = query.split('&').filter_map(|field| field.split_once('='));
        let mut framing = framing.filter(|(name, _)| matches!(*name, "alt" | "$alt" | "%24alt"));
        let is_sse = framing.any(|(_, value)| value == "sse");
        let name = resource.rsplit_once("/models/").map(|(_, name)| name);
        let tuned = || resource.find("tunedModels/").and_then(|at| resource.get(at..));
        let model = name.or_else(tuned).map(unescaped).filter(|name| !name.is_empty());
        let mode = if is_stream { Mode::Stream } else { Mode::Whole };
        Self { model, mode, is_list: is_stream && !is_sse }
    }
}

/// A name without the escapes of an address; what is no escape stays.
fn unescaped(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|code| std::str::from_utf8(code).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = tail.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Instructions are a content, a list of parts, or a text.
fn system(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let Some(raw) = body.take_raw("systemInstruction").filter(|raw| raw.get() != "null") else {
        return Ok(());
    };
    let mut ids = Ids::default();
    let mut system = System::default();
    if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
        system.parts.push(text.into());
    } else if let Ok(parts) = serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
        system.parts = parts.into_iter().map(|raw| part::input(raw, &mut ids)).collect();
    } else {
        let mut content = Object::parse(raw.get())
            .map_err(|error| invalid(format!("`systemInstruction` is no content: {error}")))?;
        content.take_raw("role");
        system.parts = parts(&mut content)?.into_iter().map(|raw| part::input(raw, &mut ids)).collect();
        content.rest_into(&mut system.extra, PROTOCOL);
    }
    if !system.parts.is_empty() {
        request.messages.push(Message::System(system));
    }
    Ok(())
}

/// The parts of a content; one that says nothing at all is none.
fn parts<'a>(content: &mut Object<'a>) -> Result<Vec<&'a RawValue>, Error> {
    let mut parts: Vec<&RawValue> = match content.get("parts") {
        // A part that stands alone need not stand in a list.
        Some(raw) if raw.get().starts_with('{') => content.take_raw("parts").into_iter().collect(),
        _ => content.take("parts")?.unwrap_or_default(),
    };
    parts.retain(|raw| !says_nothing(raw));
    Ok(parts)
}

/// Whether a part is empty, or an empty text.
fn says_nothing(raw: &RawValue) -> bool {
    let Ok(part) = Object::parse(raw.get()) else { return false };
    part.iter().all(|(name, value)| match name {
        "text" => value.get() == "\"\"",
        "thought" => value.get() == "false",
        _ => false,
    })
}

/// The conversation: a list of contents, or one content, or a text.
fn contents(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let raw = body.take_raw("contents").ok_or_else(|| invalid("`contents` is missing".to_owned()))?;
    if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
        request.messages.push(Message::user(text));
        return Ok(());
    }
    let contents: Vec<&RawValue> = if raw.get().starts_with('{') {
        vec![raw]
    } else {
        serde_json::from_str(raw.get()).map_err(|error| invalid(format!("`contents`: {error}")))?
    };
    let mut ids = Ids::default();
    for (index, raw) in contents.into_iter().enumerate() {
        ids.begin(index);
        let found = content(raw, &mut ids)
            .map_err(|error| invalid(format!("contents[{index}]: {}", error.message())))?;
        request.messages.push(found);
    }
    Ok(())
}

fn content(raw: &RawValue, ids: &mut Ids) -> Result<Message, Error> {
    let mut content = Object::parse(raw.get()).map_err(|error| invalid(error.to_string()))?;
    let role: Option<String> = content.take("role")?;
    let parts = parts(&mut content)?;
    let mut extra = Extra::default();
    content.rest_into(&mut extra, PROTOCOL);
    match role.as_deref() {
        Some("model") => {
            ids.forget();
            let mut message = Assistant::new(parts.into_iter().map(|raw| part::output(raw, ids)).collect());
            message.extra = extra;
            Ok(message.into())
        }
        // Results of functions had a role of their own once.
        Some("user" | "function") | None => {
            let mut message = User::new(parts.into_iter().map(|raw| part::input(raw, ids)).collect());
            message.extra = extra;
            Ok(message.into())
        }
        Some(other) => Err(invalid(format!("the role `{other}` is neither user nor model"))),
    }
}

/// Each function becomes a tool, and so does each tool of the provider.
fn tools(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let tools: Vec<Object<'_>> = body.take("tools")?.unwrap_or_default();
    for tool in tools {
        for (name, value) in camel(tool).iter() {
            if name == "functionDeclarations" {
                let functions: Vec<Object<'_>> = serde_json::from_str(value.get())
                    .map_err(|error| invalid(format!("`functionDeclarations`: {error}")))?;
                for declared in functions {
                    request.tools.push(function(camel(declared))?.into());
                }
            } else {
                let value = Tree::of(name, Json::from(value)).json();
                request.tools.push(ProviderTool::new(PROTOCOL, name, value).into());
            }
        }
    }
    let Some(mut config) = body.peek::<Object<'_>>(TOOL_CONFIG).map(camel) else { return Ok(()) };
    body.take_raw(TOOL_CONFIG);
    let mut rest = Tree::default();
    if let Some(calling) = config.take::<Object<'_>>("functionCallingConfig")?.map(camel)
        && let Some(left) = calling_config(calling, request)
    {
        rest.put("functionCallingConfig", left);
    }
    for (name, value) in config.iter() {
        rest.put(name, Json::from(value));
    }
    // What we say by ourselves where tools of both kinds are there.
    let is_mixed = request.tools.iter().any(|tool| matches!(tool, Tool::Provider(_)))
        && request.tools.iter().any(|tool| !matches!(tool, Tool::Provider(_)));
    if is_mixed && config.peek("includeServerSideToolInvocations") == Some(true) {
        rest.forget("includeServerSideToolInvocations");
    }
    if !rest.is_empty() {
        request.extra.set(PROTOCOL, TOOL_CONFIG, rest.json());
    }
    Ok(())
}

fn function(mut declared: Object<'_>) -> Result<FunctionTool, Error> {
    let name: String = declared.require("name")?;
    let description: Option<String> = declared.take("description")?;
    let input = match declared.take_raw("parametersJsonSchema") {
        Some(schema) => Json::from(schema),
        None => match declared.take_raw("parameters").filter(|schema| schema.get() != "null") {
            Some(schema) => schema::from_gemini(&Json::from(schema)),
            None => Json::from_text(""),
        },
    };
    let mut function = FunctionTool::new(name, "", input);
    function.description = description;
    declared.rest_into(&mut function.extra, PROTOCOL);
    Ok(function)
}

/// Which function may be called; what has no neutral form is returned.
fn calling_config(mut calling: Object<'_>, request: &mut Request) -> Option<Json> {
    let mode = calling.peek::<String>("mode").unwrap_or_default().to_ascii_uppercase();
    let names: Option<Vec<String>> = calling.peek("allowedFunctionNames");
    let names = names.filter(|names| !names.is_empty());
    let choice = match (mode.as_str(), names) {
        ("AUTO", None) => Some(ToolChoice::Auto),
        ("NONE", _) => Some(ToolChoice::None),
        ("ANY", None) => Some(ToolChoice::Required),
        ("ANY", Some(mut names)) if names.len() == 1 => names.pop().map(ToolChoice::Tool),
        ("ANY", Some(names)) => Some(ToolChoice::Allowed { mode: ToolMode::Required, names }),
        ("VALIDATED", Some(names)) => Some(ToolChoice::Allowed { mode: ToolMode::Auto, names }),
        ("VALIDATED", None) if has_functions(request) => {
            for tool in &mut request.tools {
                if let Tool::Function(function) = tool {
                    function.strict = Some(true);
                }
            }
            None
        }
        _ => return Some(whole(&calling)),
    };
    // Without functions there is nothing to choose from, which goes on as it is.
    if choice.is_some() && request.tools.is_empty() {
        return Some(whole(&calling));
    }
    request.tool_choice = choice;
    calling.take_raw("mode");
    calling.take_raw("allowedFunctionNames");
    (!calling.is_empty()).then(|| whole(&calling))
}

fn has_functions(request: &Request) -> bool {
    request.tools.iter().any(|tool| matches!(tool, Tool::Function(_)))
}

fn whole(object: &Object<'_>) -> Json {
    Tree::read(object).json()
}

/// The settings of generation. Those that have no neutral form stay together as they are.
fn config(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let Some(mut config) = body.take::<Object<'_>>(CONFIG)?.map(camel) else { return Ok(()) };
    let sampling = &mut request.sampling;
    sampling.temperature = config.take("temperature")?;
    sampling.top_p = config.take("topP")?;
    sampling.seed = config.take("seed")?;
    sampling.presence_penalty = config.take("presencePenalty")?;
    sampling.frequency_penalty = config.take("frequencyPenalty")?;
    sampling.stop = config.take("stopSequences")?.unwrap_or_default();
    // Some clients write counts as numbers with a fraction.
    sampling.top_k = count(&mut config, "topK");
    request.max_output = count(&mut config, "maxOutputTokens");
    if config.peek("responseLogprobs") == Some(true) {
        config.take_raw("responseLogprobs");
        sampling.logprobs = Some(config.peek("logprobs").unwrap_or(0));
        config.take_raw("logprobs");
    }
    format(&mut config, request);
    let mut rest = Tree::default();
    if let Some(thinking) = config.peek::<Object<'_>>("thinkingConfig").map(camel) {
        config.take_raw("thinkingConfig");
        if let Some(left) = thinking_config(thinking, request) {
            rest.put("thinkingConfig", left);
        }
    }
    for (name, value) in config.iter().filter(|(_, value)| value.get() != "null") {
        rest.put(name, Json::from(value));
    }
    if !rest.is_empty() {
        request.extra.set(PROTOCOL, CONFIG, rest.json());
    }
    Ok(())
}

/// A whole number that may be written with a fraction of nothing; anything else stays where it is.
fn count(config: &mut Object<'_>, name: &str) -> Option<u32> {
    let text = config.get(name)?.get();
    let text = text.strip_suffix(".0").unwrap_or(text);
    let number: u64 = text.parse().ok()?;
    config.take_raw(name);
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}

fn format(config: &mut Object<'_>, request: &mut Request) {
    let mime: Option<String> = config.peek("responseMimeType");
    let schema = match mime.as_deref() {
        Some("application/json") => config
            .get("responseJsonSchema")
            .map(Json::from)
            .or_else(|| config.get("responseSchema").map(|schema| schema::from_gemini(&Json::from(schema)))),
        Some("text/plain") if config.get("responseSchema").is_none() => {
            config.take_raw("responseMimeType");
            request.format = Some(Format::Text);
            return;
        }
        _ => return,
    };
    let schema = schema.filter(|schema| schema.as_str() != "null");
    for name in ["responseMimeType", "responseJsonSchema", "responseSchema"] {
        config.take_raw(name);
    }
    request.format = Some(match schema {
        Some(schema) => Format::Schema(SchemaFormat::new(SCHEMA_NAME, schema)),
        None => Format::Json,
    });
}

/// How the model thinks; what has no neutral form is returned.
fn thinking_config(mut thinking: Object<'_>, request: &mut Request) -> Option<Json> {
    request.show_reasoning = thinking.peek("includeThoughts");
    if request.show_reasoning.is_some() {
        thinking.take_raw("includeThoughts");
    }
    let level = thinking.peek::<String>("thinkingLevel");
    let level: Option<Effort> = level.and_then(|level| level.to_ascii_lowercase().parse().ok());
    if level.is_some() {
        thinking.take_raw("thinkingLevel");
    }
    request.effort = level;
    // A budget below nothing leaves it to the model, for which there is no neutral word.
    match (count(&mut thinking, "thinkingBudget"), level) {
        (Some(0), None) => request.effort = Some(Effort::None),
        (budget, _) => request.reasoning_budget = budget,
    }
    (!thinking.is_empty()).then(|| whole(&thinking))
}

/// Labels are texts by name; others stay as they are.
fn labels(body: &mut Object<'_>, request: &mut Request) {
    let Some(labels) = body.peek::<Object<'_>>("labels") else { return };
    let texts: Option<Vec<(String, String)>> =
        labels.iter().map(|(name, _)| Some((name.to_owned(), labels.peek::<String>(name)?))).collect();
    if let Some(texts) = texts {
        request.metadata = texts;
        body.take_raw("labels");
    }
}

//! Wire to request: the server half's reading.

use std::collections::HashMap;

use interlingua_model::{
    Assistant, Effort, Error, ErrorKind, Extra, Format, FunctionTool, Input, Json, Message, Output,
    ProviderTool, Request, SchemaFormat, Text, Tool, ToolChoice, ToolMode, User,
};
use serde_json::value::RawValue;

use super::{PROTOCOL, step};
use crate::tree::Tree;
use crate::{Call, Mode, Object};

/// The name that a schema gets, for the protocol gives it none.
const SCHEMA_NAME: &str = "output";
const CONFIG: &str = "generation_config";

/// Reads a request. What is not understood is kept under its own name.
pub(super) fn decode(call: &Call) -> Result<(Request, Mode), Error> {
    let mut body = Object::from_slice(&call.body)
        .map_err(|error| invalid(format!("the body is not a JSON object: {error}")).with_source(error))?;
    // An agent takes the place of a model.
    let model: Option<String> = body.take("model")?;
    if model.is_none() && body.get("agent").is_none() {
        return Err(invalid("`model` is missing".to_owned()));
    }
    let mut request = Request::new(model.unwrap_or_default());
    let is_stream = body.take::<bool>("stream")?.unwrap_or(false);
    if let Some(text) = body.take::<String>("system_instruction")?.filter(|text| !text.is_empty()) {
        request.messages.push(Message::system(text));
    }
    input(&mut body, &mut request)?;
    tools(&mut body, &mut request)?;
    config(&mut body, &mut request)?;
    format(&mut body, &mut request);
    labels(&mut body, &mut request);
    request.service_tier = body.take("service_tier")?;
    for (name, value) in body.iter().filter(|(_, value)| value.get() != "null") {
        request.extra.set(PROTOCOL, name, Json::from(value));
    }
    Ok((request, if is_stream { Mode::Stream } else { Mode::Whole }))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

/// The input is a text, a content, contents, or steps.
fn input(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let raw = body.take_raw("input").ok_or_else(|| invalid("`input` is missing".to_owned()))?;
    if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
        request.messages.push(Message::user(text));
        return Ok(());
    }
    let items: Vec<&RawValue> = if raw.get().starts_with('{') {
        vec![raw]
    } else {
        serde_json::from_str(raw.get()).map_err(|error| invalid(format!("`input`: {error}")))?
    };
    let mut history = History::default();
    for (index, raw) in items.into_iter().enumerate() {
        history.take(raw).map_err(|error| invalid(format!("input[{index}]: {}", error.message())))?;
    }
    history.end();
    request.messages.append(&mut history.messages);
    name_results(&mut request.messages);
    Ok(())
}

/// The conversation as it is gathered from steps. Those of the model that follow each other are one message, and so are
/// results; each input of the user is one.
#[derive(Default)]
struct History {
    messages: Vec<Message>,
    said: Vec<Output>,
    asked: Vec<Input>,
    extra: Extra,
}

impl History {
    fn take(&mut self, raw: &RawValue) -> Result<(), Error> {
        let mut item = Object::parse(raw.get()).map_err(|error| invalid(error.to_string()))?;
        let kind = step::kind_of(&item);
        match kind.as_str() {
            // Turns are an older form of steps.
            "" if item.get("role").is_some() => self.turn(&mut item),
            "user_input" => self.user_input(item),
            "function_result" => {
                self.turn_to_user();
                let result = step::read_result(item);
                let custom = || Input::Custom(step::custom("function_result", raw));
                // Results stand before what the user says.
                if self.asked.iter().any(|part| !matches!(part, Input::ToolResult(_))) {
                    self.end();
                }
                self.asked.push(result.map_or_else(custom, Input::ToolResult));
                Ok(())
            }
            kind if step::is_step(kind) => {
                self.turn_to_model();
                self.said.extend(step::outputs(raw).into_iter().filter(|part| !says_nothing(part)));
                Ok(())
            }
            _ => {
                self.turn_to_user();
                self.asked.push(step::input(raw));
                Ok(())
            }
        }
    }

    fn user_input(&mut self, mut item: Object<'_>) -> Result<(), Error> {
        self.end();
        self.asked.extend(inputs(&mut item)?);
        item.take_raw(step::TYPE);
        item.rest_into(&mut self.extra, PROTOCOL);
        Ok(())
    }

    fn turn(&mut self, item: &mut Object<'_>) -> Result<(), Error> {
        let role: String = item.require("role")?;
        match role.as_str() {
            "user" => {
                self.end();
                self.asked = inputs(item)?;
            }
            "model" => {
                self.turn_to_model();
                let contents = contents(item)?;
                self.said.extend(contents.into_iter().map(|content| match content {
                    Ok(text) => Output::Text(Text::new(text)),
                    Err(raw) => step::output(raw),
                }));
            }
            other => return Err(invalid(format!("the role `{other}` is neither user nor model"))),
        }
        Ok(())
    }

    fn turn_to_user(&mut self) {
        if !self.said.is_empty() {
            self.messages.push(Assistant::new(std::mem::take(&mut self.said)).into());
        }
    }

    fn turn_to_model(&mut self) {
        if !self.asked.is_empty() {
            let mut user = User::new(std::mem::take(&mut self.asked));
            user.extra = std::mem::take(&mut self.extra);
            self.messages.push(user.into());
        }
    }

    fn end(&mut self) {
        self.turn_to_user();
        self.turn_to_model();
    }
}

fn says_nothing(part: &Output) -> bool {
    matches!(part, Output::Text(text) if *text == Text::default())
}

/// Content is a text, a list, or a content that stands alone.
fn contents<'a>(item: &mut Object<'a>) -> Result<Vec<Result<String, &'a RawValue>>, Error> {
    let Some(raw) = item.take_raw("content").filter(|raw| raw.get() != "null") else { return Ok(Vec::new()) };
    if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
        return Ok(vec![Ok(text)]);
    }
    if raw.get().starts_with('{') {
        return Ok(vec![Err(raw)]);
    }
    let list: Vec<&RawValue> =
        serde_json::from_str(raw.get()).map_err(|error| invalid(format!("`content`: {error}")))?;
    Ok(list.into_iter().map(Err).collect())
}

fn inputs(item: &mut Object<'_>) -> Result<Vec<Input>, Error> {
    let inputs = contents(item)?.into_iter().map(|content| match content {
        Ok(text) => Input::Text(Text::new(text)),
        Err(raw) => step::input(raw),
    });
    Ok(inputs.filter(|part| !matches!(part, Input::Text(text) if *text == Text::default())).collect())
}

/// Results may leave out the name of their call, which other protocols need.
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
                    if let Input::ToolResult(result) = part
                        && let Some(name) = names.get(&result.call)
                    {
                        result.name.clone_from(name);
                    }
                }
            }
            _ => {}
        }
    }
}

fn tools(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let tools: Vec<&RawValue> = body.take("tools")?.unwrap_or_default();
    for raw in tools {
        let mut tool =
            Object::parse(raw.get()).map_err(|error| invalid(format!("a tool is not an object: {error}")))?;
        let kind: String = tool.peek(step::TYPE).unwrap_or_default();
        if kind != "function" {
            request.tools.push(ProviderTool::new(PROTOCOL, kind, Json::from(raw)).into());
            continue;
        }
        tool.take_raw(step::TYPE);
        let name: String = tool.require("name")?;
        let description: Option<String> = tool.take("description")?;
        let schema = tool.take_raw("parameters").filter(|schema| schema.get() != "null");
        let schema = schema.map_or_else(|| Json::from_text(""), Json::from);
        let mut function = FunctionTool::new(name, "", schema);
        function.description = description;
        tool.rest_into(&mut function.extra, PROTOCOL);
        request.tools.push(function.into());
    }
    Ok(())
}

/// The settings of generation. Those that have no neutral form stay together as they are.
fn config(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let Some(mut config) = body.take::<Object<'_>>(CONFIG)? else { return Ok(()) };
    let sampling = &mut request.sampling;
    sampling.temperature = config.take("temperature")?;
    sampling.top_p = config.take("top_p")?;
    sampling.seed = config.take("seed")?;
    sampling.stop = config.take("stop_sequences")?.unwrap_or_default();
    let most: Option<u64> = config.take("max_output_tokens")?;
    request.max_output = most.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
    let level: Option<Effort> = config.peek::<String>("thinking_level").and_then(|level| level.parse().ok());
    if level.is_some() {
        config.take_raw("thinking_level");
        request.effort = level;
    }
    let show = match config.peek::<String>("thinking_summaries").as_deref() {
        Some("auto") => Some(true),
        Some("none") => Some(false),
        _ => None,
    };
    if show.is_some() {
        config.take_raw("thinking_summaries");
        request.show_reasoning = show;
    }
    if config.get("tool_choice").is_some_and(|choice| tool_choice(choice, request)) {
        config.take_raw("tool_choice");
    }
    let mut rest = Tree::default();
    for (name, value) in config.iter().filter(|(_, value)| value.get() != "null") {
        rest.put(name, Json::from(value));
    }
    if !rest.is_empty() {
        request.extra.set(PROTOCOL, CONFIG, rest.json());
    }
    Ok(())
}

/// Reads which function may be called; `false` for what has no neutral form.
fn tool_choice(raw: &RawValue, request: &mut Request) -> bool {
    if request.tools.is_empty() {
        return false;
    }
    let word = serde_json::from_str::<String>(raw.get()).ok();
    let choice = match word.as_deref() {
        Some("auto") => ToolChoice::Auto,
        Some("none") => ToolChoice::None,
        Some("any") => ToolChoice::Required,
        Some("validated") => return make_strict(request),
        Some(_) => return false,
        None => match allowed(raw) {
            Some(choice) => choice,
            None => return false,
        },
    };
    request.tool_choice = Some(choice);
    true
}

fn make_strict(request: &mut Request) -> bool {
    let mut has_functions = false;
    for tool in &mut request.tools {
        if let Tool::Function(function) = tool {
            function.strict = Some(true);
            has_functions = true;
        }
    }
    has_functions
}

fn allowed(raw: &RawValue) -> Option<ToolChoice> {
    let choice = Object::parse(raw.get()).ok()?;
    let allowed: Object<'_> = choice.peek("allowed_tools").filter(|_| choice.iter().count() == 1)?;
    if allowed.iter().any(|(name, _)| !matches!(name, "mode" | "tools")) {
        return None;
    }
    let mut names: Vec<String> = allowed.peek("tools")?;
    match allowed.peek::<String>("mode").as_deref() {
        Some("any") if names.len() == 1 => names.pop().map(ToolChoice::Tool),
        Some("any") => Some(ToolChoice::Allowed { mode: ToolMode::Required, names }),
        Some("auto") | None => Some(ToolChoice::Allowed { mode: ToolMode::Auto, names }),
        Some(_) => None,
    }
}

/// The form of the answer; images, sounds and several forms stay as they are.
fn format(body: &mut Object<'_>, request: &mut Request) {
    let Some(format) = body.peek::<Object<'_>>("response_format") else { return };
    let is_known = format.iter().all(|(name, _)| matches!(name, "type" | "mime_type" | "schema"));
    if !is_known || format.peek(step::TYPE) != Some("text") {
        return;
    }
    request.format = match (format.peek::<String>("mime_type").as_deref(), format.get("schema")) {
        (Some("application/json"), Some(schema)) => {
            Some(Format::Schema(SchemaFormat::new(SCHEMA_NAME, Json::from(schema))))
        }
        (Some("application/json"), None) => Some(Format::Json),
        (None, None) => Some(Format::Text),
        _ => return,
    };
    body.take_raw("response_format");
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

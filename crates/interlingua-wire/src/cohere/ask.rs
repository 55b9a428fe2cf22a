//! Wire to request: the server half's reading.

use interlingua_model::{Effort, Error, ErrorKind, Format, Json, Request, SchemaFormat, Tool, ToolChoice};
use serde_json::value::RawValue;

use super::PROTOCOL;
use super::history::History;
use crate::{Call, Mode, Object, tool_object};

/// The name that a schema gets, for the protocol gives it none.
const SCHEMA_NAME: &str = "output";

/// Reads a request. What is not understood is kept under its own name.
pub(super) fn decode(call: &Call) -> Result<(Request, Mode), Error> {
    let mut body = Object::from_slice(&call.body)
        .map_err(|error| invalid(format!("the body is not a JSON object: {error}")).with_source(error))?;
    let mut request = Request::new(body.require::<String>("model")?);
    let stream = body.take::<bool>("stream")?.unwrap_or(false);
    let messages: Vec<&RawValue> = body.require("messages")?;
    let mut history = History::default();
    for (index, raw) in messages.into_iter().enumerate() {
        history.message(raw).map_err(|error| invalid(format!("messages[{index}]: {}", error.message())))?;
    }
    documents(&mut body, &mut history);
    request.messages = history.messages;
    settings(&mut body, &mut request)?;
    tools(&mut body, &mut request)?;
    thinking(&mut body, &mut request);
    format(&mut body, &mut request);
    for (name, value) in body.iter().filter(|(_, value)| value.get() != "null") {
        request.extra.set(PROTOCOL, name, Json::from(value));
    }
    Ok((request, if stream { Mode::Stream } else { Mode::Whole }))
}

pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

/// Documents go to the first user message, so that they can be told in other protocols.
fn documents(body: &mut Object<'_>, history: &mut History) {
    let documents: Vec<&RawValue> = body.peek("documents").unwrap_or_default();
    let found: Option<Vec<_>> = documents.into_iter().map(super::document::read).collect();
    if found.is_some_and(|found| history.documents(found)) {
        body.take_raw("documents");
    }
}

fn settings(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let most: Option<u64> = body.take("max_tokens")?;
    request.max_output = most.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
    let sampling = &mut request.sampling;
    sampling.temperature = body.take("temperature")?;
    sampling.frequency_penalty = body.take("frequency_penalty")?;
    sampling.presence_penalty = body.take("presence_penalty")?;
    sampling.seed = body.take("seed")?;
    sampling.top_k = body.take("k")?;
    sampling.top_p = body.take("p")?;
    sampling.stop = body.take("stop_sequences")?.unwrap_or_default();
    sampling.logprobs = body.take::<bool>("logprobs")?.filter(|asked| *asked).map(|_| 0);
    Ok(())
}

fn tools(body: &mut Object<'_>, request: &mut Request) -> Result<(), Error> {
    let tools: Vec<&RawValue> = body.take("tools")?.unwrap_or_default();
    request.tools =
        tools.into_iter().map(|raw| tool_object::read(raw, PROTOCOL)).collect::<Result<_, _>>()?;
    if !request.tools.is_empty() {
        let strict: Option<bool> = body.take("strict_tools")?;
        for tool in &mut request.tools {
            if let Tool::Function(tool) = tool {
                tool.strict = strict;
            }
        }
    }
    // Clients write the words in small letters too.
    let choice: Option<String> = body.peek("tool_choice");
    request.tool_choice = match choice.map(|word| word.to_ascii_uppercase()).as_deref() {
        Some("REQUIRED") => Some(ToolChoice::Required),
        Some("NONE") => Some(ToolChoice::None),
        _ => return Ok(()),
    };
    body.take_raw("tool_choice");
    Ok(())
}

/// What has no exact neutral form stays as it is.
fn thinking(body: &mut Object<'_>, request: &mut Request) {
    let Some(thinking) = body.peek::<Object<'_>>("thinking") else { return };
    let is_known = thinking.iter().all(|(name, _)| matches!(name, "type" | "token_budget"));
    match (thinking.peek::<String>("type").as_deref(), thinking.peek::<u32>("token_budget")) {
        _ if !is_known => return,
        (Some("disabled"), None) => request.effort = Some(Effort::None),
        (Some("enabled"), Some(budget)) => request.reasoning_budget = Some(budget),
        _ => return,
    }
    body.take_raw("thinking");
}

fn format(body: &mut Object<'_>, request: &mut Request) {
    let Some(format) = body.peek::<Object<'_>>("response_format") else { return };
    // Some clients write the schema's own word for the type.
    let schema = format.get("json_schema").filter(|schema| schema.get().starts_with('{'));
    request.format = match (format.peek::<String>("type").as_deref(), schema) {
        (Some("text"), None) => Some(Format::Text),
        (Some("json_object"), None) => Some(Format::Json),
        (Some("json_object" | "json_schema"), Some(schema)) => {
            Some(Format::Schema(SchemaFormat::new(SCHEMA_NAME, Json::from(schema))))
        }
        _ => return,
    };
    body.take_raw("response_format");
}

//! Wire to request: the server half's reading.

use interlingua_model::{Effort, Error, ErrorKind, Format, Json, Request, SchemaFormat};
use serde_json::value::RawValue;

use super::history::History;
use super::{OPTIONS, PROTOCOL};
use crate::draft::Draft;
use crate::{Call, Mode, Object, tool_object};

/// The name that a schema gets, for the protocol gives it none.
const SCHEMA_NAME: &str = "output";

/// Reads a request. What is not understood is kept under its own name.
pub(super) fn decode(call: &Call) -> Result<(Request, Mode), Error> {
    let mut body = Object::from_slice(&call.body)
        .map_err(|error| invalid(format!("the body is not a JSON object: {error}")).with_source(error))?;
    let mut request = Request::new(body.require::<String>("model")?);
    let stream = body.take::<bool>("stream")?.unwrap_or(true);
    // A request without messages asks for the model to be loaded.
    let messages: Vec<&RawValue> = body.take("messages")?.unwrap_or_default();
    let mut history = History::default();
    for (index, raw) in messages.into_iter().enumerate() {
        history.message(raw).map_err(|error| invalid(format!("messages[{index}]: {}", error.message())))?;
    }
    request.messages = history.messages;
    let tools: Vec<&RawValue> = body.take("tools")?.unwrap_or_default();
    request.tools =
        tools.into_iter().map(|raw| tool_object::read(raw, PROTOCOL)).collect::<Result<_, _>>()?;
    format(&mut body, &mut request);
    thinking(&mut body, &mut request);
    if body.take::<bool>("logprobs")? == Some(true) {
        request.sampling.logprobs = Some(body.take("top_logprobs")?.unwrap_or(0));
    }
    if let Some(options) = body.take::<Object<'_>>(OPTIONS)? {
        settings(options, &mut request)?;
    }
    for (name, value) in body.iter().filter(|(_, value)| value.get() != "null") {
        request.extra.set(PROTOCOL, name, Json::from(value));
    }
    Ok((request, if stream { Mode::Stream } else { Mode::Whole }))
}

pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidRequest, message)
}

fn format(body: &mut Object<'_>, request: &mut Request) {
    let Some(raw) = body.get("format") else { return };
    request.format = match raw.get() {
        "\"json\"" => Some(Format::Json),
        "\"\"" => None,
        text if text.starts_with('{') => {
            Some(Format::Schema(SchemaFormat::new(SCHEMA_NAME, Json::from(raw))))
        }
        _ => return,
    };
    body.take_raw("format");
}

fn thinking(body: &mut Object<'_>, request: &mut Request) {
    match (body.peek::<bool>("think"), body.peek::<String>("think").map(|word| word.parse::<Effort>())) {
        (Some(true), _) => request.show_reasoning = Some(true),
        (Some(false), _) => request.effort = Some(Effort::None),
        (None, Some(Ok(level))) if level != Effort::None => request.effort = Some(level),
        _ => return,
    }
    body.take_raw("think");
}

/// The settings of the model; those that only this protocol has stay together.
fn settings(mut options: Object<'_>, request: &mut Request) -> Result<(), Error> {
    // -1 and -2 stand for no limit and for all of the context.
    if let Some(most) = options.peek::<u32>("num_predict") {
        request.max_output = Some(most);
        options.take_raw("num_predict");
    }
    let sampling = &mut request.sampling;
    sampling.temperature = options.take("temperature")?;
    sampling.top_p = options.take("top_p")?;
    sampling.presence_penalty = options.take("presence_penalty")?;
    sampling.frequency_penalty = options.take("frequency_penalty")?;
    sampling.top_k = options.take("top_k")?;
    sampling.seed = options.take("seed")?;
    if let Some(stop) = options.peek::<Vec<String>>("stop") {
        sampling.stop = stop;
        options.take_raw("stop");
    }
    let mut left = Draft::default();
    for (name, value) in options.iter().filter(|(_, value)| value.get() != "null") {
        left = left.set(name, Json::from(value));
    }
    if !left.is_empty() {
        request.extra.set(PROTOCOL, OPTIONS, left.json());
    }
    Ok(())
}

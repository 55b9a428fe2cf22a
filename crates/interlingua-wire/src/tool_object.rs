//! Function tools in the object that many protocols took over from OpenAI: `{"type":"function","function":{…}}`.

use interlingua_model::{Error, ErrorKind, Fields, FunctionTool, Json, ProviderTool, Tool};
use serde_json::value::RawValue;

use crate::Object;
use crate::draft::Draft;

/// Before the name of a field that stands inside `function`.
const FUNCTION: &str = "function.";

/// A tool of a request. One of another type is kept as a tool of the protocol.
///
/// # Errors
/// When it is no tool.
pub(crate) fn read(raw: &RawValue, protocol: &str) -> Result<Tool, Error> {
    let mut tool = Object::parse(raw.get()).map_err(|error| {
        Error::new(ErrorKind::InvalidRequest, format!("a tool is not an object: {error}"))
    })?;
    let kind: String = tool.peek("type").unwrap_or_else(|| "function".to_owned());
    if kind != "function" {
        return Ok(ProviderTool::new(protocol, kind, Json::from(raw)).into());
    }
    tool.take_raw("type");
    let mut inner: Object<'_> = tool.require("function")?;
    let name: String = inner.require("name")?;
    let description: Option<String> = inner.take("description")?;
    let schema = inner.take_raw("parameters").filter(|schema| schema.get() != "null");
    let mut function = FunctionTool::new(name, "", schema.map_or_else(Json::object, Json::from));
    function.description = description;
    for (name, value) in inner.iter().filter(|(_, value)| value.get() != "null") {
        function.extra.set(protocol, &format!("{FUNCTION}{name}"), Json::from(value));
    }
    tool.rest_into(&mut function.extra, protocol);
    Ok(function.into())
}

/// A tool for a request; strictness and cache marks are the caller's business.
pub(crate) fn write(tool: &FunctionTool, protocol: &str) -> Json {
    let schema = if tool.input.is_blank() {
        Json::from_text(r#"{"type":"object","properties":{}}"#)
    } else {
        tool.input.clone()
    };
    let own = || tool.extra.fields(protocol).into_iter().flat_map(Fields::iter);
    let function = Draft::default()
        .text("name", &tool.name)
        .maybe("description", tool.description.as_deref())
        .set("parameters", schema)
        .fields(own().filter_map(|(name, value)| Some((name.strip_prefix(FUNCTION)?, value))));
    let outer = Draft::of("function").set("function", function.json());
    outer.fields(own().filter(|(name, _)| !name.starts_with(FUNCTION))).json()
}

/// A custom tool as a function with one text, for protocols that have no tools of free text.
pub(crate) fn of_free_text(tool: &interlingua_model::CustomTool) -> FunctionTool {
    let schema = r#"{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}"#;
    let description = tool.description.clone().unwrap_or_default();
    FunctionTool::new(&tool.name, description, Json::from_text(schema))
}

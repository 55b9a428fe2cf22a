//! Tool calls, both ways: `{"id","function":{"index","name","arguments":{…}}}`.

use interlingua_model::{Extra, Fields, Json, ToolCall, ToolKind};
use serde_json::value::RawValue;

use super::PROTOCOL;
use crate::Object;
use crate::draft::Draft;

/// Before the name of a field that stands inside `function`.
const FUNCTION: &str = "function.";

/// A call; `None` when it has no name. One without an id gets the one that is given.
pub(super) fn read(raw: &RawValue, id: impl FnOnce(&str) -> String) -> Option<ToolCall> {
    let mut object = Object::parse(raw.get()).ok()?;
    let mut function: Object<'_> = object.take("function").ok()??;
    let name: String = function.take("name").ok()??;
    let own: Option<String> = object.take("id").ok()?;
    let input = function.take_raw("arguments").map_or_else(Json::object, arguments);
    // The index says where the call stands, which it does anyway.
    function.take_raw("index");
    object.take_raw("type");
    let id = own.filter(|own| !own.is_empty()).unwrap_or_else(|| id(&name));
    let mut call = ToolCall::new(id, name, input);
    call.extra = rest(&object, &function);
    Some(call)
}

fn rest(object: &Object<'_>, function: &Object<'_>) -> Extra {
    let mut extra = Extra::default();
    for (name, value) in object.iter().filter(|(_, value)| value.get() != "null") {
        extra.set(PROTOCOL, name, Json::from(value));
    }
    for (name, value) in function.iter().filter(|(_, value)| value.get() != "null") {
        extra.set(PROTOCOL, &format!("{FUNCTION}{name}"), Json::from(value));
    }
    extra
}

/// Arguments are an object; a text that holds one is taken as well.
fn arguments(raw: &RawValue) -> Json {
    match serde_json::from_str::<Option<String>>(raw.get()) {
        Ok(text) => {
            Json::from_text(text.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| "{}".to_owned()))
        }
        Err(_) => Json::from(raw),
    }
}

/// Whether the input of a call is an object, as it must be here.
pub(super) fn is_plain(call: &ToolCall) -> bool {
    call.kind != ToolKind::Custom && (call.input.is_blank() || call.input.is_object())
}

/// A call. Input that is no object is the one text of an object; the caller has warned.
pub(super) fn write(call: &ToolCall, index: Option<usize>) -> Json {
    let arguments = match () {
        () if !is_plain(call) => Draft::default().text("input", call.input.as_str()).json(),
        () if call.input.is_blank() => Json::object(),
        () => call.input.clone(),
    };
    let own = || call.extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter);
    let mut function = Draft::default();
    if let Some(index) = index {
        function = function.figure("index", index);
    }
    let function = function
        .text("name", &call.name)
        .set("arguments", arguments)
        .fields(own().filter_map(|(name, value)| Some((name.strip_prefix(FUNCTION)?, value))));
    let mut written = Draft::default();
    if !call.id.is_empty() {
        written = written.text("id", &call.id);
    }
    written
        .set("function", function.json())
        .fields(own().filter(|(name, _)| !name.starts_with(FUNCTION)))
        .json()
}

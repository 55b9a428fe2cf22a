//! Types as JSON Schemas.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The schema of a type, its fields in the order of the type, and without references where it does not refer to itself:
/// models were seen to fill referenced enums wrongly.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.shift_remove("title");
    }
    without_widths(&mut schema);
    schema
}

/// Takes out formats such as `uint32`, which no service knows; what they bound stands in `minimum` and `maximum`.
fn without_widths(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_number = |kind: &Value| matches!(kind.as_str(), Some("integer" | "number"));
            let is_numeric = match members.get("type") {
                Some(Value::Array(kinds)) => kinds.iter().any(is_number),
                kind => kind.is_some_and(is_number),
            };
            if is_numeric && members.get("format").is_some_and(Value::is_string) {
                members.shift_remove("format");
            }
            members.values_mut().for_each(without_widths);
        }
        Value::Array(items) => items.iter_mut().for_each(without_widths),
        _ => {}
    }
}

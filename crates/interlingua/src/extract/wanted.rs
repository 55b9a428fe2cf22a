use interlingua_model::Json;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::error::{ExtractError, Stopped};
use super::{ExtractOptions, wrong};
use crate::described::schema_of;

/// The member in which a value stands that is no object.
pub(super) const WRAPPER: &str = "value";

/// What an answer must be.
#[derive(Debug)]
pub(super) struct Wanted {
    /// What the value follows.
    pub(super) bare: Value,
    /// The same as an object, where it is none.
    pub(super) wrapped: Option<Value>,
    pub(super) name: String,
    pub(super) description: Option<String>,
}

impl Wanted {
    pub(super) fn new(schema: Value, name: &str, options: &ExtractOptions) -> Result<Self, ExtractError> {
        if !matches!(schema, Value::Object(_) | Value::Bool(true)) {
            let message = format!("a JSON Schema is an object, and this is none: {schema}");
            return Err(Stopped::schema(wrong(message)).into());
        }
        let said = schema.get("description").and_then(Value::as_str).map(str::to_owned);
        let wrapped = (!is_plain_object(&schema)).then(|| wrapped(&schema));
        let name = sanitised(options.name.as_deref().unwrap_or(name));
        Ok(Self { bare: schema, wrapped, name, description: options.description.clone().or(said) })
    }

    pub(super) fn of<T: JsonSchema>(options: &ExtractOptions) -> Result<Self, ExtractError> {
        Self::new(schema_of::<T>(), &T::schema_name(), options)
    }

    /// A list, and what each of its elements must be.
    pub(super) fn list_of<T: JsonSchema>(options: &ExtractOptions) -> Result<(Self, Value), ExtractError> {
        let element = schema_of::<T>();
        let (items, definitions) = inside(&element, "#/items");
        let mut list = json!({"type": "array", "items": items});
        define(&mut list, definitions);
        Ok((Self::new(list, &format!("{}_list", T::schema_name()), options)?, element))
    }

    /// The schema of what is asked for where it must be an object.
    pub(super) fn object(&self) -> &Value {
        self.wrapped.as_ref().unwrap_or(&self.bare)
    }

    pub(super) fn json(&self) -> Json {
        Json::from(self.object())
    }
}

/// Whether a schema says of itself that it is an object and nothing else.
fn is_plain_object(schema: &Value) -> bool {
    let unions = ["anyOf", "oneOf", "allOf", "$ref", "not", "if", "enum", "const", "nullable"];
    schema.get("type").and_then(Value::as_str) == Some("object")
        && unions.iter().all(|keyword| schema.get(keyword).is_none())
}

fn wrapped(schema: &Value) -> Value {
    let (inner, definitions) = inside(schema, &format!("#/properties/{WRAPPER}"));
    let mut object = json!({
        "type": "object",
        "properties": {WRAPPER: inner},
        "required": [WRAPPER],
        "additionalProperties": false
    });
    define(&mut object, definitions);
    object
}

/// A schema as it is written where it stands within another, and the definitions that go to the root of that.
fn inside(schema: &Value, place: &str) -> (Value, Vec<(&'static str, Value)>) {
    let mut schema = schema.clone();
    moved(&mut schema, place);
    let definitions = ["$defs", "definitions"].into_iter();
    let taken =
        definitions.filter_map(|keyword| Some((keyword, schema.as_object_mut()?.shift_remove(keyword)?)));
    let taken = taken.collect();
    (schema, taken)
}

fn define(root: &mut Value, definitions: Vec<(&'static str, Value)>) {
    if let Some(root) = root.as_object_mut() {
        root.extend(definitions.into_iter().map(|(keyword, value)| (keyword.to_owned(), value)));
    }
}

/// Lets references to the root lead to where the root is now. Definitions go with the root.
fn moved(schema: &mut Value, place: &str) {
    match schema {
        Value::Object(members) => moved_members(members, place),
        Value::Array(items) => items.iter_mut().for_each(|item| moved(item, place)),
        _ => {}
    }
}

fn moved_members(members: &mut Map<String, Value>, place: &str) {
    for (keyword, value) in members {
        match (keyword.as_str(), value) {
            ("$ref", Value::String(reference)) => {
                let Some(path) = reference.strip_prefix('#') else { continue };
                let stays = ["/$defs/", "/definitions/"].iter().any(|kept| path.starts_with(kept));
                if !stays && (path.is_empty() || path.starts_with('/')) {
                    *reference = format!("{place}{path}");
                }
            }
            // What stands there is data.
            ("const" | "enum" | "default" | "examples", _) => {}
            (_, value) => moved(value, place),
        }
    }
}

/// A name that every service takes.
fn sanitised(name: &str) -> String {
    let plain = |char: char| if char.is_ascii_alphanumeric() || char == '-' { char } else { '_' };
    let name: String = name.chars().take(64).map(plain).collect();
    if name.is_empty() { "value".to_owned() } else { name }
}

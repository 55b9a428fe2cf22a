//! Gemini's part of JSON Schema, which leaves out what it does not know without a word, and its older form of `OpenAPI`.

use interlingua_model::Warning;
use serde_json::{Map, Value, json};

use super::Put as _;

use super::rewrite::{below, short, short_value};

/// Keywords that the service keeps to, or that harm nobody.
const KEPT: [&str; 22] = [
    "$id",
    "$anchor",
    "$ref",
    "$defs",
    "type",
    "format",
    "title",
    "description",
    "enum",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "anyOf",
    "oneOf",
    "properties",
    "additionalProperties",
    "required",
    "propertyOrdering",
    "nullable",
];
/// Keywords that constrain nothing.
const SILENT: [&str; 9] = [
    "$schema",
    "$comment",
    "$vocabulary",
    "$dynamicAnchor",
    "id",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];
/// Keywords of the older form that may also be spelt like this.
const SPELLINGS: [(&str, &str); 9] = [
    ("any_of", "anyOf"),
    ("min_items", "minItems"),
    ("max_items", "maxItems"),
    ("min_length", "minLength"),
    ("max_length", "maxLength"),
    ("min_properties", "minProperties"),
    ("max_properties", "maxProperties"),
    ("property_ordering", "propertyOrdering"),
    ("additional_properties", "additionalProperties"),
];
/// Most warnings: a schema that is all wrong need not say so without end.
const WARNINGS: usize = 256;

/// The schema as the service keeps to it, and what it does not keep to.
pub(super) fn rewrite(root: &Value) -> (Value, Vec<Warning>) {
    let mut warnings = Vec::new();
    (node(root, "#", &mut warnings), warnings)
}

fn node(schema: &Value, at: &str, warnings: &mut Vec<Warning>) -> Value {
    let Value::Object(map) = schema else { return schema.clone() };
    let (mut out, mut restated) = (Map::new(), Vec::new());
    for (keyword, value) in map {
        let path = below(at, keyword);
        match keyword.as_str() {
            "$defs" | "definitions" | "properties" => {
                let name = if keyword == "definitions" { "$defs" } else { keyword };
                let found = named(value, &path, warnings);
                match (out.get_mut(name), found) {
                    (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
                    (_, found) => out.put(name, found),
                }
            }
            "items" | "additionalProperties" => {
                out.put(keyword, node(value, &path, warnings));
            }
            "anyOf" | "oneOf" | "prefixItems" => {
                out.put(keyword, listed(value, &path, warnings));
            }
            "$ref" => {
                out.put(keyword, reference(value));
            }
            "const" if !map.contains_key("enum") => {
                out.put("enum", json!([value]));
            }
            "allOf" if only_member(map).is_some() => {
                let member = only_member(map).map(|member| node(member, &path, warnings));
                if let Some(Value::Object(member)) = member {
                    for (name, value) in member {
                        out.entry(name).or_insert(value);
                    }
                }
            }
            known if KEPT.contains(&known) => out.put(keyword, value.clone()),
            silent if SILENT.contains(&silent) => {}
            _ => {
                if warnings.len() < WARNINGS {
                    let why = "not taken by the service; said in the description";
                    warnings.push(Warning::adjusted(path, why));
                }
                restated.push(format!("{} {}", short(keyword), short_value(value)));
            }
        }
    }
    if !restated.is_empty() {
        let constraints = format!("Must satisfy: {}.", restated.join(", "));
        let text = match out.get("description").and_then(Value::as_str) {
            Some(text) if !text.is_empty() => format!("{text}\n{constraints}"),
            _ => constraints,
        };
        out.put("description", Value::String(text));
    }
    Value::Object(out)
}

/// The only schema of an `allOf` beside which nothing but words stands.
fn only_member(map: &Map<String, Value>) -> Option<&Value> {
    let [member] = map.get("allOf")?.as_array()?.as_slice() else { return None };
    let is_word =
        |name: &String| matches!(name.as_str(), "allOf" | "title" | "description" | "default" | "$defs");
    (member.is_object() && map.keys().all(is_word)).then_some(member)
}

fn named(value: &Value, at: &str, warnings: &mut Vec<Warning>) -> Value {
    let Value::Object(map) = value else { return value.clone() };
    let schemas = map.iter().map(|(name, schema)| (name.clone(), node(schema, &below(at, name), warnings)));
    Value::Object(schemas.collect())
}

fn listed(value: &Value, at: &str, warnings: &mut Vec<Warning>) -> Value {
    let Value::Array(list) = value else { return value.clone() };
    let schemas =
        list.iter().enumerate().map(|(index, schema)| node(schema, &format!("{at}/{index}"), warnings));
    Value::Array(schemas.collect())
}

fn reference(value: &Value) -> Value {
    let pointer = value.as_str().and_then(|pointer| pointer.strip_prefix("#/definitions/"));
    pointer.map_or_else(|| value.clone(), |name| Value::String(format!("#/$defs/{name}")))
}

/// A schema of the older form in the words of JSON Schema: its types are in capitals, and `nullable` stands beside them.
pub(super) fn plain(schema: &Value) -> Value {
    let Value::Object(map) = schema else { return schema.clone() };
    let is_nullable =
        map.get("nullable") == Some(&Value::Bool(true)) && map.get("type").is_some_and(Value::is_string);
    let mut out = Map::new();
    for (keyword, value) in map {
        let keyword =
            SPELLINGS.iter().find(|(other, _)| other == keyword).map_or(&**keyword, |(_, name)| name);
        let value = match (keyword, value) {
            ("type", Value::String(name)) if is_nullable => json!([name.to_ascii_lowercase(), "null"]),
            ("type", Value::String(name)) => Value::String(name.to_ascii_lowercase()),
            ("nullable", _) if is_nullable => continue,
            ("properties" | "$defs" | "defs", Value::Object(inner)) => {
                Value::Object(inner.iter().map(|(name, schema)| (name.clone(), plain(schema))).collect())
            }
            ("items" | "additionalProperties", inner) => plain(inner),
            ("anyOf" | "prefixItems", Value::Array(list)) => Value::Array(list.iter().map(plain).collect()),
            _ => value.clone(),
        };
        out.put(keyword, value);
    }
    Value::Object(out)
}

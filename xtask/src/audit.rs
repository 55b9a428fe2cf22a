//! Whether what stood on the wire is still there after decoding.
//!
//! Every text in an answer's JSON must be found in the neutral answer, as a whole or, for the pieces of a stream, as a
//! part of one of its texts. Only words of the protocol itself are exempt, by the name of their field.

use std::collections::BTreeSet;

use serde_json::Value;

/// Fields whose text is the protocol's own grammar and is expressed by types, order or other words on our side.
const GRAMMAR: &[&str] = &[
    "type", "object", "role", "obfuscation", "status", "event", "finish_reason", "native_finish_reason", "stop_reason",
];

/// The texts of one neutral answer, to be searched.
#[derive(Debug, Default)]
pub(crate) struct Haystack {
    text: String,
}

impl Haystack {
    /// Gathers every text of a JSON tree, the names of fields included, and also what lies in JSON within text.
    pub(crate) fn of(value: &Value) -> Self {
        let mut haystack = Self::default();
        haystack.gather(value);
        haystack
    }

    fn gather(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add(text),
            Value::Array(items) => items.iter().for_each(|item| self.gather(item)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                self.add(name);
                self.gather(value);
            }),
            Value::Number(number) => self.add(&number.to_string()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn add(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\u{0}');
    }

    fn contains(&self, needle: &str) -> bool {
        self.text.contains(needle)
    }
}

/// The texts of a wire value that cannot be found, with the path to each.
pub(crate) fn lost(wire: &Value, kept: &Haystack) -> BTreeSet<String> {
    let mut missing = BTreeSet::new();
    walk(wire, "", kept, &mut missing);
    missing
}

fn walk(value: &Value, path: &str, kept: &Haystack, missing: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if !is_kept(text, kept) => {
            let start: String = text.chars().take(60).collect();
            missing.insert(format!("{path} = {start:?}"));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, &format!("{path}[]"), kept, missing)),
        Value::Object(fields) => {
            for (name, value) in fields.iter().filter(|(name, _)| !GRAMMAR.contains(&name.as_str())) {
                walk(value, &format!("{path}.{name}"), kept, missing);
            }
        }
        _ => {}
    }
}

/// A text is kept as it stands, or as the content of a data URL, or as JSON that was written anew.
fn is_kept(text: &str, kept: &Haystack) -> bool {
    if text.is_empty() || kept.contains(text) {
        return true;
    }
    let content = text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    if let Some((mime, content)) = content {
        return kept.contains(content) && kept.contains(mime);
    }
    let parsed = serde_json::from_str::<Value>(text).ok().filter(|value| value.is_object() || value.is_array());
    parsed.is_some_and(|value| lost(&value, kept).is_empty())
}

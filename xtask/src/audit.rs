//! Whether what stood on the wire is still there after decoding.
//!
//! Every text in an answer's JSON must be found in the neutral answer, as a whole or, for the pieces of a stream, as a
//! part of one of its texts. Only words of the protocol itself are exempt, by the name of their field.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Fields whose text is the protocol's own grammar and is expressed by types, order or other words on our side.
const GRAMMAR: &[&str] = &[
    "type",
    "object",
    "role",
    "status",
    "event",
    "event_type",
    "finish_reason",
    "native_finish_reason",
    "stop_reason",
    "finishReason",
    // Random padding against eavesdroppers, in the spellings of several services.
    "obfuscation",
    "padding",
    "p",
];

/// Places that repeat what the client has sent, or what another event says with more authority.
const REPEATED: &[&str] = &[
    // The place of a piece of arguments, which the arguments have.
    "gemini .candidates[].content.parts[].functionCall.partialArgs[].jsonPath",
    // An event repeats the id of its interaction.
    "gemini_interactions .interaction_id",
    // A chunk repeats the id of its answer; some services count chunks there.
    "openai_chat .id",
    "openai_chat .system_fingerprint",
    // Each line has the time at which it was made.
    "ollama .created_at",
    // The status of an answer that did not fail.
    "openai_chat .base_resp.status_msg",
    // The state of an answer before its end, which the last event states again.
    "openai_responses .response.service_tier",
    // The request, as the server understood it.
    "openai_responses .truncation",
    "openai_responses .tool_choice",
    "openai_responses .tools[]",
    "openai_responses .text",
    "openai_responses .instructions",
    "openai_responses .reasoning",
    "openai_responses .prompt_cache_key",
    "openai_responses .prompt_cache_retention",
    "openai_responses .prompt_cache_options",
    "openai_responses .metadata",
    "openai_responses .safety_identifier",
    "openai_responses .user",
    "openai_responses .include[]",
    "openai_responses .prompt",
    // Some services number an item anew when they repeat it.
    "openai_responses .output[].id",
    // Sealed content counts as it stands in `response.output_item.done` only.
    "openai_responses .item.encrypted_content",
    "openai_responses .output[].encrypted_content",
    "openai_responses .output[].fingerprint",
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
            Value::String(text) => {
                self.add(text);
                // A text that was kept verbatim stands as the JSON of a text.
                if let Ok(inner @ Value::String(_)) = serde_json::from_str(text) {
                    self.gather(&inner);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.gather(item)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                self.add(name);
                self.gather(value);
            }),
            Value::Number(number) => self.add(&number.to_string()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Adds a text that is not in the tree as it stood.
    pub(crate) fn add(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\u{0}');
    }

    fn contains(&self, needle: &str) -> bool {
        self.text.contains(needle)
    }
}

/// The texts of a wire value that cannot be found, with the path to each.
pub(crate) fn lost(protocol: &str, wire: &Value, kept: &Haystack) -> BTreeSet<String> {
    let mut missing = BTreeSet::new();
    walk(wire, &format!("{protocol} "), kept, &mut missing);
    missing
}

/// Takes out of the frames of a stream what later frames say with more authority: an item as it was announced where it
/// comes once more when it is done, and names that a service gives anew in every event, of which the first counts.
pub(crate) fn supersede(frames: &mut [Value]) {
    let done: BTreeSet<u64> =
        frames.iter().filter(|frame| is(frame, "response.output_item.done")).filter_map(index).collect();
    let (mut items, mut answer) = (BTreeMap::new(), None);
    for frame in frames {
        let at = index(frame);
        for place in ["/item/id", "/item_id"] {
            if let (Some(at), Some(name)) = (at, frame.pointer_mut(place)) {
                *name = items.entry(at).or_insert_with(|| name.clone()).clone();
            }
        }
        if let Some(name) = frame.pointer_mut("/response/id") {
            *name = answer.get_or_insert_with(|| name.clone()).clone();
        }
        if is(frame, "response.output_item.added") && at.is_some_and(|at| done.contains(&at)) {
            frame.as_object_mut().and_then(|frame| frame.remove("item"));
        }
    }
}

fn is(frame: &Value, kind: &str) -> bool {
    frame.get("type").is_some_and(|name| name == kind)
}

fn index(frame: &Value) -> Option<u64> {
    frame.get("output_index")?.as_u64()
}

/// The first place in which two JSON trees differ.
pub(crate) fn difference(left: &Value, right: &Value, path: &str) -> Option<String> {
    match (left, right) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            names.into_iter().find_map(|name| {
                let value =
                    |object: &serde_json::Map<String, Value>| object.get(name).cloned().unwrap_or_default();
                difference(&value(one), &value(other), &format!("{path}.{name}"))
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            one.iter().zip(other).find_map(|(left, right)| difference(left, right, &format!("{path}[]")))
        }
        _ if left == right => None,
        _ => Some(format!("{path}: {} -> {}", start(&left.to_string()), start(&right.to_string()))),
    }
}

fn start(text: &str) -> String {
    text.chars().take(100).collect()
}

fn walk(value: &Value, path: &str, kept: &Haystack, missing: &mut BTreeSet<String>) {
    if REPEATED.contains(&path) || REPEATED.contains(&path.replace(" .response.", " .").as_str()) {
        return;
    }
    match value {
        Value::String(text) if !is_kept(text, kept) => {
            missing.insert(format!("{path} = {:?}", start(text)));
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
    // Line breaks behind a tag belong to the tag.
    if text.is_empty() || kept.contains(text.trim_start_matches('\n')) {
        return true;
    }
    // Reasoning between tags is a part of its own, without the tags; a stream may cut them anywhere.
    let untagged =
        ["<think>", "</think>"].iter().fold(text.to_owned(), |text, tag| text.replace(tag, "\u{0}"));
    if untagged != text {
        return untagged.split('\u{0}').all(|piece| is_kept(piece.trim(), kept));
    }
    let content = text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    if let Some((mime, content)) = content {
        return kept.contains(content) && kept.contains(mime);
    }
    let parsed =
        serde_json::from_str::<Value>(text).ok().filter(|value| value.is_object() || value.is_array());
    parsed.is_some_and(|value| lost("", &value, kept).is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_said_once_more_is_not_looked_for_where_it_was_said_first() {
        let item = |kind: &str, id: &str, call: &str| json!({"type": kind, "output_index": 0, "item": {"id": id, "call_id": call}});
        let mut frames = [
            item("response.output_item.added", "a", "first"),
            json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "b", "delta": "x"}),
            item("response.output_item.done", "c", "last"),
        ];
        supersede(&mut frames);
        let kept = Haystack::of(&json!(["a", "x", "last"]));
        assert!(frames.iter().all(|frame| lost("openai_responses", frame, &kept).is_empty()), "{frames:?}");
        let kept = Haystack::of(&json!(["a", "x", "first"]));
        assert!(frames.iter().any(|frame| !lost("openai_responses", frame, &kept).is_empty()));
        let mut cut = [item("response.output_item.added", "a", "first")];
        supersede(&mut cut);
        assert!(!lost("openai_responses", &cut[0], &Haystack::of(&json!(["a"]))).is_empty());
    }
}

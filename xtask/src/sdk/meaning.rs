//! When two JSON values mean the same.
//!
//! Two bodies of a request are equal in meaning when they are equal after these steps, and no other:
//!
//! 1. A member that is `null` is as good as absent.
//! 2. `"stream": false` is as good as absent.
//! 3. Content that is one string is as good as a list of one text block.
//! 4. In Responses, an item with a role and no type is a `message`.
//! 5. In Responses, an item whose `status` is `completed` is as good as one without: only complete items go back.
//! 6. In Chat Completions, a `developer` is a `system`, one stop sequence a list of one, the choice `any` is `required`, a
//!    picture may be its address alone, and a call that goes back has a place in its list and needs no `index`.
//! 7. `$schema`, the name of the dialect in which a schema is written, is as good as absent.
//! 8. `1` and `1.0` are the same number.
//! 9. In Gemini, names may be in snake case, bytes in the alphabet of URLs, and an instruction has no `role`.

use serde_json::{Map, Value};

/// The words in which a request is written, as far as they decide what means the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// Chat Completions, and what has nothing of its own here.
    Chat,
    /// Responses names a block of text after the side that speaks; the other protocols call it `text`.
    Responses,
    /// Gemini.
    Gemini,
}

/// What differs between two bodies of a request, a line for each JSON path.
pub(crate) fn differences(words: Words, came: &Value, went: &Value) -> Vec<String> {
    unequal(&plain(words, came.clone()), &plain(words, went.clone()))
}

/// What differs between two values, a line for each JSON path.
pub(crate) fn unequal(left: &Value, right: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    walk("$", Some(left), Some(right), &mut lines);
    lines
}

fn walk(path: &str, left: Option<&Value>, right: Option<&Value>, lines: &mut Vec<String>) {
    match (left, right) {
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            let added = right.keys().filter(|name| !left.contains_key(*name));
            for name in left.keys().chain(added) {
                walk(&format!("{path}.{name}"), left.get(name), right.get(name), lines);
            }
        }
        (Some(Value::Array(left)), Some(Value::Array(right))) => {
            for number in 0..left.len().max(right.len()) {
                walk(&format!("{path}[{number}]"), left.get(number), right.get(number), lines);
            }
        }
        (Some(Value::Number(left)), Some(Value::Number(right))) if left.as_f64() == right.as_f64() => {}
        _ if left == right => {}
        _ => lines.push(format!("{path}: {} became {}", shown(left), shown(right))),
    }
}

fn shown(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn plain(words: Words, value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| plain(words, item)).collect(),
        Value::Object(members) if words == Words::Gemini => googles(members),
        Value::Object(members) => Value::Object(plain_object(words == Words::Responses, members)),
        other => other,
    }
}

/// An object of Gemini in its first spelling.
fn googles(members: Map<String, Value>) -> Value {
    let mut object = Map::new();
    for (name, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
        let name = camel(&name);
        let value = match value {
            Value::String(bytes) if name == "data" => bytes.replace('-', "+").replace('_', "/").into(),
            value => plain(Words::Gemini, value),
        };
        object.insert(name, value);
    }
    if let Some(instruction) = object.get_mut("systemInstruction").and_then(Value::as_object_mut) {
        instruction.remove("role");
    }
    Value::Object(object)
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, tail) = word.split_at_checked(1).unwrap_or((word, ""));
        name + &head.to_uppercase() + tail
    })
}

fn plain_object(of_responses: bool, members: Map<String, Value>) -> Map<String, Value> {
    let words = if of_responses { Words::Responses } else { Words::Chat };
    let members_of_call = members.contains_key("function");
    let is_absent = |name: &str, value: &Value| {
        value.is_null()
            || name == "$schema"
            || (name == "stream" && value == false)
            || (of_responses && name == "status" && value == "completed")
            || (name == "index" && members_of_call)
    };
    let role = members.get("role").and_then(Value::as_str).map(str::to_owned);
    let kind = members.get("type").and_then(Value::as_str).map(str::to_owned);
    let block = if !of_responses {
        "text"
    } else if role.as_deref() == Some("assistant") {
        "output_text"
    } else {
        "input_text"
    };
    let holds_content = role.is_some() || kind.as_deref() == Some("tool_result");
    let mut object = Map::new();
    for (name, value) in members {
        if is_absent(&name, &value) {
            continue;
        }
        let is_content = (name == "content" && holds_content)
            || (name == "system" && role.is_none())
            || (name == "output" && of_responses);
        let value = match value {
            Value::String(word) if word == "developer" && name == "role" && !of_responses => "system".into(),
            Value::String(word) if name == "stop" => vec![word].into(),
            Value::String(word) if name == "tool_choice" && word == "any" => "required".into(),
            Value::String(url) if name == "image_url" && !of_responses => serde_json::json!({ "url": url }),
            Value::String(text) if is_content => serde_json::json!([{ "type": block, "text": text }]),
            value => plain(words, value),
        };
        object.insert(name, value);
    }
    if of_responses && role.is_some() && kind.is_none() {
        object.insert("type".to_owned(), "message".into());
    }
    object
}

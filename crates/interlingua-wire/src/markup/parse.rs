//! The bodies of written calls. What is not exactly a call is none.

use interlingua_model::Json;
use serde_json::value::RawValue;

use super::{Calls, Written};
use crate::Object;
use crate::draft::Draft;

const TOKEN: &str = "[TOOL_CALLS]";
const ARGS: &str = "[ARGS]";
const CALL_ID: &str = "[CALL_ID]";

/// The calls in what stands between the marks; `None` where that is something else.
pub(super) fn calls(format: Calls, body: &str) -> Option<Vec<Written>> {
    let found = match format {
        Calls::ToolCallTags => tagged(body.trim())?,
        Calls::ToolCallsToken => token(body)?,
        Calls::PythonTag | Calls::BareJson => values(without_tokens(body))?,
        Calls::DeepSeekTokens => between(body, "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", deep_seek)?,
        Calls::SectionTokens => between(body, "<|tool_call_begin|>", "<|tool_call_end|>", section)?,
    };
    (!found.is_empty()).then_some(found)
}

fn tagged(body: &str) -> Option<Vec<Written>> {
    if body.starts_with(['{', '[']) {
        return values(body);
    }
    let call = if body.starts_with("<function=") { function(body) } else { arguments(body) };
    call.map(|call| vec![call])
}

/// A call in JSON: a name and arguments, and nothing that is not known.
fn json(text: &str) -> Option<Written> {
    let mut call = Object::parse(text).ok()?;
    let name: String = call.take("name").ok()??;
    let id: Option<String> = call.take("id").ok()?;
    let input = call.take_raw("arguments").or_else(|| call.take_raw("parameters"))?;
    call.take_raw("type");
    let input = match serde_json::from_str::<String>(input.get()) {
        Ok(text) => Json::from_text(text),
        Err(_) => Json::from(input),
    };
    (call.is_empty() && input.is_object()).then(|| written(id, &name, input)).flatten()
}

fn written(id: Option<String>, name: &str, input: Json) -> Option<Written> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/');
    let fits = !name.is_empty() && name.len() <= 256 && name.chars().all(is_name);
    fits.then(|| Written { id: id.filter(|id| !id.is_empty()), name: name.to_owned(), input })
}

/// Calls in JSON, one after another, or in lists.
fn values(text: &str) -> Option<Vec<Written>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let value = stream.next()?.ok()?;
        let used = stream.byte_offset();
        match serde_json::from_str::<Vec<&RawValue>>(value.get()) {
            Ok(list) => {
                for call in list {
                    found.push(json(call.get())?);
                }
            }
            Err(_) => found.push(json(value.get())?),
        }
        rest = rest.get(used..)?.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
    }
    Some(found)
}

/// A body without the tokens with which some servers leave it.
fn without_tokens(body: &str) -> &str {
    let mut body = body.trim();
    for token in ["<|eom_id|>", "<|eot_id|>", "<|python_tag|>"] {
        body = body.strip_suffix(token).unwrap_or(body).trim_end();
    }
    body
}

/// Lists of JSON, or names with arguments, each behind the token.
fn token(body: &str) -> Option<Vec<Written>> {
    let mut found = Vec::new();
    for piece in body.split(TOKEN).map(|piece| piece.trim().trim_end_matches("</s>")) {
        if piece.starts_with(['[', '{']) {
            found.extend(values(piece)?);
            continue;
        }
        let (head, input) = match piece.split_once(ARGS) {
            Some(split) => split,
            None => piece.split_at_checked(piece.find('{')?)?,
        };
        let (name, id) = match head.split_once(CALL_ID) {
            Some((name, id)) => (name, Some(id.trim().to_owned())),
            None => (head, None),
        };
        found.push(object(id, name.trim(), input)?);
    }
    Some(found)
}

fn object(id: Option<String>, name: &str, input: &str) -> Option<Written> {
    let input = Json::from_text(input.trim());
    if input.is_object() { written(id, name, input) } else { None }
}

/// Calls between marks of their own, with nothing but white space around them.
fn between(
    body: &str,
    opening: &str,
    closing: &str,
    read: fn(&str) -> Option<Written>,
) -> Option<Vec<Written>> {
    let mut found = Vec::new();
    let mut rest = body.trim();
    while !rest.is_empty() {
        let inner = rest.strip_prefix(opening)?;
        let (call, after) = match inner.split_once(closing) {
            Some(split) => split,
            None => (inner, ""),
        };
        found.push(read(call)?);
        rest = after.trim_start();
    }
    Some(found)
}

/// `function<｜tool▁sep｜>name`, a fence of JSON; or `name<｜tool▁sep｜>` and JSON.
fn deep_seek(call: &str) -> Option<Written> {
    let (before, after) = call.split_once("<｜tool▁sep｜>")?;
    let after = after.trim();
    if after.starts_with('{') {
        return object(None, before.trim(), after);
    }
    let (name, fenced) = after.split_once('\n')?;
    let input = fenced.trim().strip_prefix("```json")?.strip_suffix("```")?;
    object(None, name.trim(), input)
}

/// `functions.name:0<|tool_call_argument_begin|>` and JSON.
fn section(call: &str) -> Option<Written> {
    let (id, input) = call.split_once("<|tool_call_argument_begin|>")?;
    let id = id.trim();
    let name = id.strip_prefix("functions.").unwrap_or(id);
    let name = name.rsplit_once(':').map_or(name, |(name, _)| name);
    object(Some(id.to_owned()), name, input)
}

/// A name, then pairs of `<arg_key>` and `<arg_value>`.
fn arguments(body: &str) -> Option<Written> {
    let (name, mut rest) = match body.find("<arg_key>") {
        Some(at) => body.split_at_checked(at)?,
        None => (body, ""),
    };
    let mut input = Draft::default();
    while !rest.trim_start().is_empty() {
        let (key, after) = rest.trim_start().strip_prefix("<arg_key>")?.split_once("</arg_key>")?;
        let (value, after) = after.trim_start().strip_prefix("<arg_value>")?.split_once("</arg_value>")?;
        input = input.set(key.trim(), untyped(value));
        rest = after;
    }
    written(None, name.trim(), input.json())
}

/// `<function=name>` around `<parameter=name>` and a value each.
fn function(body: &str) -> Option<Written> {
    let (name, rest) = body.strip_prefix("<function=")?.split_once('>')?;
    let mut rest = rest.trim().strip_suffix("</function>").unwrap_or(rest).trim();
    let mut input = Draft::default();
    while !rest.is_empty() {
        let (key, after) = rest.strip_prefix("<parameter=")?.split_once('>')?;
        let (value, after) = after.split_once("</parameter>")?;
        let value = value.strip_prefix('\n').unwrap_or(value);
        input = input.set(key.trim(), untyped(value.strip_suffix('\n').unwrap_or(value)));
        rest = after.trim_start();
    }
    written(None, name.trim(), input.json())
}

/// A value without a type: JSON where it is some, else the text that it is.
fn untyped(value: &str) -> Json {
    match Json::new(value.trim()) {
        Ok(json) => json,
        Err(_) => Json::string(value),
    }
}

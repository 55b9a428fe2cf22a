//! What shapes every request of a conversation: the command line over the config file.

use std::path::Path;

use interlingua::{Effort, Format, Json, Message, Request, SchemaFormat, Tool};
use serde_json::Value;

use crate::args::Ask;
use crate::config::Config;
use crate::exit::{Failure, Result};

/// The knobs of a conversation. The command line wins over the config file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Instructions.
    pub(crate) system: Option<String>,
    effort: Option<Effort>,
    schema: Option<SchemaFormat>,
    max_tokens: Option<u32>,
    temperature: Option<f64>,
    show_reasoning: bool,
}

impl Settings {
    /// Reads the knobs.
    ///
    /// # Errors
    /// When the schema cannot be read or is none.
    pub(crate) fn new(ask: &Ask, config: &Config) -> Result<Self> {
        Ok(Self {
            system: ask.system.clone().or_else(|| config.system.clone()).filter(|text| !text.is_empty()),
            effort: ask.effort.or(config.effort),
            schema: ask.schema.as_deref().map(schema).transpose()?,
            max_tokens: ask.max_tokens.or(config.max_tokens),
            temperature: ask.temperature.or(config.temperature),
            show_reasoning: !ask.quiet,
        })
    }

    /// A request for the next message of a conversation.
    pub(crate) fn request(&self, model: &str, conversation: &[Message], tools: Vec<Tool>) -> Request {
        let mut request = Request::new(model);
        if let Some(system) = &self.system {
            request = request.system(system.as_str());
        }
        request.messages.extend_from_slice(conversation);
        request.tools = tools;
        request.effort = self.effort;
        // Reasoning that the user asked for by a level is worth seeing; otherwise the provider's default holds.
        request.show_reasoning =
            self.effort.filter(|effort| *effort > Effort::None && self.show_reasoning).map(|_| true);
        request.format = self.schema.clone().map(Format::Schema);
        request.max_output = self.max_tokens;
        request.sampling.temperature = self.temperature;
        request
    }
}

/// Reads a JSON Schema: the text itself when it begins with a brace, a file otherwise.
fn schema(given: &str) -> Result<SchemaFormat> {
    let inline = given.trim_start().starts_with('{');
    let (text, origin) = if inline {
        (given.to_owned(), "the schema".to_owned())
    } else {
        let path = Path::new(given);
        let text =
            std::fs::read_to_string(path).map_err(|error| Failure::file("read the schema", path, &error))?;
        (text, format!("the schema {given}"))
    };
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("{origin} is not valid JSON: {error}")))?;
    check_schema(&value, "")
        .map_err(|problem| Failure::usage(format!("{origin} is no JSON Schema: {problem}")))?;
    let title = value.get("title").and_then(Value::as_str);
    let stem = Path::new(given).file_stem().and_then(|stem| stem.to_str()).filter(|_| !inline);
    Ok(SchemaFormat::new(schema_name(title.or(stem)), Json::from_text(text)).strict(true))
}

/// Providers take letters, digits, `_` and `-`, at most 64 of them.
fn schema_name(title: Option<&str>) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = title.unwrap_or_default().chars().map(allowed).take(64).collect();
    if name.chars().any(|c| c.is_ascii_alphanumeric()) { name } else { "answer".into() }
}

const TYPES: [&str; 7] = ["object", "array", "string", "number", "integer", "boolean", "null"];

/// Finds the mistakes that would otherwise come back as a provider's error, or not at all.
fn check_schema(schema: &Value, at: &str) -> Result<(), String> {
    let place = |problem: &str| {
        if at.is_empty() { problem.to_owned() } else { format!("{problem}, at {at}") }
    };
    if schema.is_boolean() && !at.is_empty() {
        return Ok(());
    }
    let Some(fields) = schema.as_object() else { return Err(place("it must be an object")) };
    if let Some(kind) = fields.get("type") {
        check_type(kind).map_err(|problem| place(&problem))?;
    }
    if fields
        .get("required")
        .is_some_and(|names| names.as_array().is_none_or(|names| !names.iter().all(Value::is_string)))
    {
        return Err(place("`required` must be a list of names"));
    }
    for key in ["properties", "$defs", "definitions", "patternProperties"] {
        let Some(children) = fields.get(key) else { continue };
        let children = children.as_object().ok_or_else(|| place(&format!("`{key}` must be an object")))?;
        for (name, child) in children {
            check_schema(child, &format!("{at}/{key}/{name}"))?;
        }
    }
    for key in ["anyOf", "oneOf", "allOf", "prefixItems"] {
        let Some(children) = fields.get(key) else { continue };
        let children = children.as_array().ok_or_else(|| place(&format!("`{key}` must be a list")))?;
        for (index, child) in children.iter().enumerate() {
            check_schema(child, &format!("{at}/{key}/{index}"))?;
        }
    }
    for key in ["items", "additionalProperties", "not"] {
        if let Some(child) = fields.get(key) {
            check_schema(child, &format!("{at}/{key}"))?;
        }
    }
    Ok(())
}

fn check_type(kind: &Value) -> Result<(), String> {
    let known = |kind: &Value| kind.as_str().is_some_and(|kind| TYPES.contains(&kind));
    let sound = match kind {
        Value::Array(kinds) => !kinds.is_empty() && kinds.iter().all(known),
        kind => known(kind),
    };
    if sound { Ok(()) } else { Err(format!("unknown type {kind}, expected one of {}", TYPES.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn schemas_are_checked_before_anything_is_sent() {
        for (text, expected) in [
            (r#"{"type":"object""#, "is not valid JSON"),
            (r#"{"type":"strnig"}"#, "unknown type \"strnig\""),
            (r#"{"type":"object","properties":{"a":{"type":7}}}"#, "at /properties/a"),
            (r#"{"type":"object","properties":[]}"#, "`properties` must be an object"),
            (r#"{"anyOf":{}}"#, "`anyOf` must be a list"),
            (r#"{"type":"array","items":{"required":"a"}}"#, "at /items"),
        ] {
            let failure = schema(text).unwrap_err();
            assert_eq!(failure.exit(), Exit::Usage);
            assert!(failure.message().contains(expected), "{text}: {}", failure.message());
        }
        assert_eq!(schema("/no/such/schema.json").unwrap_err().exit(), Exit::File);
    }

    #[test]
    fn a_schema_is_kept_verbatim_and_named() {
        let text = r#"{ "title": "A city!", "type": ["object", "null"], "additionalProperties": false }"#;
        let format = schema(text).unwrap();
        assert_eq!(format.schema.as_str(), text);
        assert_eq!(format.name, "A_city_");
        assert_eq!(schema("{}").unwrap().name, "answer");
    }

    #[test]
    fn the_command_line_wins_over_the_config_file() {
        let config = Config { system: Some("config".into()), max_tokens: Some(1), ..Config::default() };
        let ask = Ask { system: Some("args".into()), ..Ask::default() };
        let request =
            Settings::new(&ask, &config).unwrap().request("a/b", &[Message::user("hi")], Vec::new());
        assert_eq!(request, Request::new("a/b").system("args").user("hi").max_output(1));
    }
}

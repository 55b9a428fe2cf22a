//! Holds arguments against the schema of their tool, before the tool sees them.

use std::sync::OnceLock;

use interlingua_model::{Json, Tool, ToolCall};
use interlingua_wire::schema;
use serde_json::Value;

use super::ToolOutput;

/// Most of what is wrong that the model is told at once.
const TOLD: usize = 10;

/// The schema of a tool, read when it is asked for first.
#[derive(Debug, Default)]
pub(super) struct Schema(OnceLock<Option<Value>>);

impl Schema {
    /// The call with arguments that fit, or what the model is told.
    pub(super) fn check(&self, tool: &Tool, call: ToolCall, repair: bool) -> Result<Checked, ToolOutput> {
        let Tool::Function(function) = tool else { return Ok(Checked::whole(call)) };
        let given = if call.input.is_blank() { "{}" } else { call.input.as_str() };
        let (arguments, repaired) = match serde_json::from_str::<Value>(given) {
            Ok(Value::String(text)) if repair => match serde_json::from_str(&text) {
                Ok(arguments) => (arguments, true),
                Err(_) => (Value::String(text), false),
            },
            Ok(arguments) => (arguments, false),
            Err(error) => match mended(given).filter(|_| repair) {
                Some(arguments) => (arguments, true),
                None => return Err(refused(&[format!("they are no JSON: {error}")])),
            },
        };
        let schema = self.0.get_or_init(|| function.input.parse().ok());
        let found = schema.as_ref().map(|schema| schema::check(schema, &arguments)).unwrap_or_default();
        if !found.is_empty() {
            return Err(refused(&found.iter().map(ToString::to_string).collect::<Vec<_>>()));
        }
        let mut checked = Checked::whole(call);
        if repaired {
            checked.call.input = Json::from(arguments);
            checked.repaired = true;
        }
        Ok(checked)
    }
}

/// A call that may reach its tool.
pub(super) struct Checked {
    pub(super) call: ToolCall,
    /// Whether its arguments were repaired.
    pub(super) repaired: bool,
}

impl Checked {
    const fn whole(call: ToolCall) -> Self {
        Self { call, repaired: false }
    }
}

fn refused(wrong: &[String]) -> ToolOutput {
    let mut message = "the arguments do not fit the schema of this tool:".to_owned();
    for one in wrong.iter().take(TOLD) {
        message.push_str("\n- ");
        message.push_str(one);
    }
    if wrong.len() > TOLD {
        message.push_str("\n- and more");
    }
    ToolOutput::error(message)
}

/// JSON that is nearly right, as it was meant: without a fence around it, commas before a closing bracket, brackets that are
/// missing at the end, line breaks within texts, and the words of Python. A text that is cut is not mended.
fn mended(text: &str) -> Option<Value> {
    let mut made = String::with_capacity(text.len() + 8);
    let mut open = Vec::new();
    let mut quoted = false;
    let mut rest = unfenced(text).chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' if quoted => {
                made.push(character);
                made.extend(rest.next());
                continue;
            }
            '"' => quoted = !quoted,
            '\n' if quoted => {
                made.push_str("\\n");
                continue;
            }
            '\t' if quoted => {
                made.push_str("\\t");
                continue;
            }
            '{' if !quoted => open.push('}'),
            '[' if !quoted => open.push(']'),
            '}' | ']' if !quoted => {
                if open.pop() != Some(character) {
                    return None;
                }
                drop_comma(&mut made);
            }
            'T' | 'F' | 'N' if !quoted => {
                let word: String = std::iter::once(character)
                    .chain(std::iter::from_fn(|| rest.next_if(char::is_ascii_alphabetic)))
                    .collect();
                made.push_str(match word.as_str() {
                    "True" => "true",
                    "False" => "false",
                    "None" => "null",
                    _ => return None,
                });
                continue;
            }
            _ => {}
        }
        made.push(character);
    }
    if quoted {
        return None;
    }
    drop_comma(&mut made);
    made.extend(open.into_iter().rev());
    serde_json::from_str(&made).ok()
}

fn drop_comma(made: &mut String) {
    let length = made.trim_end().len();
    if made.get(..length).is_some_and(|made| made.ends_with(',')) {
        made.truncate(length - 1);
    }
}

fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|text| text.strip_suffix("```"));
    inner.map_or(text, |inner| inner.trim_start_matches(|first: char| first.is_ascii_alphabetic()).trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use interlingua_model::FunctionTool;
    use serde_json::json;

    fn check(input: &str, repair: bool) -> Result<(Value, bool), String> {
        let schema = json!({
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
            "required": ["city"],
            "additionalProperties": false
        });
        let tool = FunctionTool::new("weather", "The weather.", Json::from(schema)).into();
        let call = ToolCall::new("1", "weather", Json::from_text(input));
        match Schema::default().check(&tool, call, repair) {
            Ok(checked) => Ok((checked.call.input.parse().unwrap(), checked.repaired)),
            Err(output) => match &output.content[0] {
                interlingua_model::Content::Text(text) => Err(text.text.clone()),
                other => panic!("{other:?}"),
            },
        }
    }

    #[test]
    fn the_model_is_told_all_that_is_wrong_and_where() {
        let told = check(r#"{"days": 0, "town": "Paris"}"#, false).unwrap_err();
        for words in ["the property `city` is missing", "/days", "`town`"] {
            assert!(told.contains(words), "{told}");
        }
        assert!(check(r#"{"city":"#, false).unwrap_err().contains("they are no JSON"));
        assert!(check(r#"{"city":"Paris","days":2}"#, false).is_ok());
    }

    #[test]
    fn arguments_are_repaired_only_where_that_is_wanted() {
        let paris = || json!({"city": "Paris"});
        for (input, meant) in [
            (r#"{"city":"Paris",}"#, paris()),
            (r#"{"city":"Paris""#, paris()),
            (r#"{"city":"Paris", "#, paris()),
            ("```json\n{\"city\":\"Paris\"}\n```", paris()),
            (r#""{\"city\":\"Paris\"}""#, paris()),
            ("{\"city\":\"Paris\nFrance\"}", json!({"city": "Paris\nFrance"})),
        ] {
            assert!(check(input, false).is_err(), "{input}");
            assert_eq!(check(input, true), Ok((meant, true)), "{input}");
        }
        for hopeless in
            [r#"{"city":"Par"#, "{'city': 'Paris'}", "Paris", r#"{"city":"Paris"]}"#, r#"{"city":True}"#]
        {
            assert!(check(hopeless, true).is_err(), "{hopeless}");
        }
    }
}

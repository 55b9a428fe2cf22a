//! From an answer to the value in it.

use interlingua_model::{FinishReason, Response};
use interlingua_wire::schema::{Mismatch, check};
use serde_json::Value;

use super::Way;
use super::ask::Asked;
use super::prose;
use super::wanted::Wanted;

/// Why an answer gives no value.
#[derive(Debug)]
pub(super) enum Trouble {
    Refused(String),
    Filtered,
    Cut,
    /// The provider wants to be asked to go on.
    Paused,
    /// There is no JSON, for this reason.
    NoJson(String),
    Mismatch(Vec<Mismatch>),
}

impl Asked {
    /// The value as the model wrote it, which follows the schema.
    pub(super) fn value(&self, response: &Response, wanted: &Wanted) -> Result<Value, Trouble> {
        ended(response)?;
        let schema = self.schema(wanted);
        match self.way {
            Way::Tool => fitted(schema, self.arguments(response)?),
            Way::Prompt => prose::value(&response.text(), schema),
            Way::Schema => {
                let text = response.text();
                if text.trim().is_empty() {
                    return Err(Trouble::NoJson("the answer has no text".to_owned()));
                }
                let value = serde_json::from_str(&text);
                fitted(
                    schema,
                    value.map_err(|error| Trouble::NoJson(format!("the answer is no JSON: {error}")))?,
                )
            }
        }
    }

    fn arguments(&self, response: &Response) -> Result<Value, Trouble> {
        let tool = self.tool.as_deref().unwrap_or_default();
        let Some(call) = response.tool_calls().find(|call| call.name == tool) else {
            return Err(Trouble::NoJson(format!("the tool `{tool}` was not called")));
        };
        let wrong = |error| Trouble::NoJson(format!("the arguments of `{tool}` are no JSON: {error}"));
        call.input.to_value().map_err(wrong)
    }
}

/// Whether the answer is as long as it was meant to be.
pub(super) fn ended(response: &Response) -> Result<(), Trouble> {
    match response.finish.as_ref().map(|finish| finish.reason) {
        Some(FinishReason::Refused) => Err(Trouble::Refused(response.text())),
        Some(FinishReason::Filtered) => Err(Trouble::Filtered),
        None | Some(FinishReason::Length) => Err(Trouble::Cut),
        Some(FinishReason::Paused) => Err(Trouble::Paused),
        Some(_) => Ok(()),
    }
}

/// The value, if it follows the schema. Where a service wants every property to be given, a model says null for one that
/// it leaves out: those nulls are taken out.
pub(super) fn fitted(schema: &Value, value: Value) -> Result<Value, Trouble> {
    let first = check(schema, &value);
    let (mut lighter, mut found) = (value, first.clone());
    while !found.is_empty() {
        let mut less = false;
        for mismatch in found {
            less |= removed(&mut lighter, &mismatch.path);
        }
        if !less {
            return Err(Trouble::Mismatch(first));
        }
        found = check(schema, &lighter);
    }
    Ok(lighter)
}

/// Takes a null out of the object that it stands in.
fn removed(value: &mut Value, path: &str) -> bool {
    if !value.pointer(path).is_some_and(Value::is_null) {
        return false;
    }
    let Some((parent, name)) = path.rsplit_once('/') else { return false };
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = value.pointer_mut(parent).and_then(Value::as_object_mut);
    parent.is_some_and(|parent| parent.shift_remove(&name).is_some())
}

impl Trouble {
    /// Whether the model may do better when it is asked again.
    pub(super) const fn may_pass(&self) -> bool {
        matches!(self, Self::Paused | Self::NoJson(_) | Self::Mismatch(_))
    }

    /// What the model is told.
    pub(super) fn complaint(&self, tool: Option<&str>) -> Option<String> {
        let again = match tool {
            Some(tool) => format!("Call the tool `{tool}` again, with all of the arguments."),
            None => "Answer again, with the whole of the JSON and nothing else.".to_owned(),
        };
        match self {
            Self::NoJson(why) => Some(format!("That cannot be read: {why}. {again}")),
            Self::Mismatch(found) => {
                let lines: Vec<_> =
                    found.iter().map(|mismatch| format!("- {}\n", placed(mismatch))).collect();
                Some(format!("That does not follow the JSON Schema:\n{}{again}", lines.concat()))
            }
            Self::Paused | Self::Refused(_) | Self::Filtered | Self::Cut => None,
        }
    }
}

/// A mismatch with its place, also where that is the whole.
fn placed(mismatch: &Mismatch) -> String {
    if mismatch.path.is_empty() { format!("the whole: {}", mismatch.message) } else { mismatch.to_string() }
}

//! Calls: the ids that the wire does not give, and arguments that come in pieces.

use interlingua_model::{Json, ToolCall};
use serde_json::{Map, Value};

use crate::Object;

/// Most nulls that stand in an array before an element which came too early.
const GAP: usize = 64;
/// Deepest place in the arguments of a call.
const DEPTH: usize = 64;

/// Gives ids to calls and results that the wire gives none, so that they belong together.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// What is unique to the answer, or to the message of a history.
    pub(super) prefix: String,
    count: usize,
    /// Calls that no result has answered, with their names.
    open: Vec<(String, String)>,
}

impl Ids {
    /// Goes on with the content of this number of a history.
    #[cfg(feature = "server")]
    pub(super) fn begin(&mut self, number: usize) {
        self.prefix = number.to_string();
        self.count = 0;
    }

    /// Forgets the calls that were not answered: results belong to the newest answer.
    #[cfg(feature = "server")]
    pub(super) fn forget(&mut self) {
        self.open.clear();
    }

    /// An id for the next call.
    pub(super) fn call(&mut self) -> String {
        self.count += 1;
        format!("call_{}_{}", self.prefix, self.count)
    }

    /// The id of the call that a result without one answers: the first open one of its name.
    pub(super) fn answered(&mut self, name: &str) -> String {
        let is_it = |(_, called): &&(String, String)| name.is_empty() || called == name;
        let found = self.open.iter().find(is_it).map(|(id, _)| id.clone());
        found.unwrap_or_else(|| self.call())
    }

    /// Takes note of a call.
    pub(super) fn called(&mut self, id: &str, name: &str) {
        self.open.push((id.to_owned(), name.to_owned()));
    }

    /// Takes note of a result.
    pub(super) fn returned(&mut self, id: &str) {
        if let Some(at) = self.open.iter().position(|(open, _)| open == id) {
            self.open.remove(at);
        }
    }
}

/// The arguments of a call that come in pieces, each with the path to its place.
#[derive(Debug)]
pub(super) struct Arguments {
    value: Option<Value>,
    /// The path of a text that goes on.
    growing: Option<String>,
}

impl Arguments {
    /// The arguments that a call has at its beginning.
    pub(super) fn begin(call: &mut ToolCall) -> Self {
        let begun = std::mem::replace(&mut call.input, Json::from_text(""));
        let value = if begun.is_blank() { None } else { begun.to_value().ok() };
        Self { value, growing: None }
    }

    /// Takes a piece; `false` when its place makes no sense.
    pub(super) fn take(&mut self, piece: &Object<'_>) -> bool {
        let Some(path) = piece.peek::<String>("jsonPath") else { return false };
        let Some(value) = value_of(piece) else { return true };
        let goes_on = piece.peek("willContinue") == Some(true);
        let has_begun = self.growing.as_deref() == Some(&*path);
        let Some(place) = steps(&path).and_then(|steps| place(&mut self.value, &steps)) else { return false };
        match (&mut *place, value) {
            (Value::String(text), Value::String(more)) if has_begun => text.push_str(&more),
            (place, value) => *place = value,
        }
        self.growing = Some(path).filter(|_| goes_on);
        true
    }

    /// All of them as JSON text, if any came.
    pub(super) fn text(&self) -> Option<String> {
        self.value.as_ref().map(Value::to_string)
    }
}

fn value_of(piece: &Object<'_>) -> Option<Value> {
    if piece.get("nullValue").is_some() {
        return Some(Value::Null);
    }
    ["stringValue", "numberValue", "boolValue"].iter().find_map(|name| piece.peek(name))
}

/// A step of a path.
#[derive(Debug, PartialEq)]
enum Step {
    Field(String),
    Element(usize),
}

/// The steps of a path such as `$.recipe.ingredients[0].amount` or `$['a b']`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, tail) = if let Some(tail) = rest.strip_prefix('.') {
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            let (name, tail) = tail.split_at(end);
            (Step::Field(name.to_owned()), tail)
        } else {
            bracket(rest.strip_prefix('[')?)?
        };
        steps.push(step);
        rest = tail;
    }
    (!steps.is_empty() && steps.len() <= DEPTH).then_some(steps)
}

/// A step in brackets, behind the opening one: a number, or a name in quotes.
fn bracket(rest: &str) -> Option<(Step, &str)> {
    for quote in ['\'', '"'] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            let (name, tail) = quoted.split_once(quote)?;
            return Some((Step::Field(name.to_owned()), tail.strip_prefix(']')?));
        }
    }
    let (number, tail) = rest.split_once(']')?;
    Some((Step::Element(number.parse().ok()?), tail))
}

/// The place to which the steps lead, made where it is not there.
fn place<'v>(root: &'v mut Option<Value>, steps: &[Step]) -> Option<&'v mut Value> {
    let mut at = root.get_or_insert_with(|| Value::Object(Map::new()));
    for step in steps {
        at = match step {
            Step::Field(name) => {
                if at.is_null() {
                    *at = Value::Object(Map::new());
                }
                at.as_object_mut()?.entry(name.clone()).or_insert(Value::Null)
            }
            Step::Element(index) => {
                if at.is_null() {
                    *at = Value::Array(Vec::new());
                }
                let list = at.as_array_mut()?;
                if *index > list.len() + GAP {
                    return None;
                }
                while list.len() <= *index {
                    list.push(Value::Null);
                }
                list.get_mut(*index)?
            }
        };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_their_places() {
        let mut arguments = Arguments { value: None, growing: None };
        let pieces = [
            r#"{"jsonPath":"$.recipe.name","stringValue":"Las","willContinue":true}"#,
            r#"{"jsonPath":"$.recipe.name","stringValue":"agna","willContinue":true}"#,
            r#"{"jsonPath":"$.recipe.name","stringValue":""}"#,
            r#"{"jsonPath":"$.recipe.steps[1]['for how long']","numberValue":2.5}"#,
            r#"{"jsonPath":"$.recipe.steps[0]","boolValue":true}"#,
            r#"{"jsonPath":"$.note","nullValue":"NULL_VALUE"}"#,
            r#"{"jsonPath":"$.note"}"#,
        ];
        for piece in pieces {
            assert!(arguments.take(&Object::parse(piece).unwrap()), "{piece}");
        }
        let expected = r#"{"recipe":{"name":"Lasagna","steps":[true,{"for how long":2.5}]},"note":null}"#;
        assert_eq!(arguments.text().as_deref(), Some(expected));
    }

    #[test]
    fn places_that_make_no_sense_are_refused() {
        let mut arguments = Arguments { value: None, growing: None };
        assert!(arguments.take(&Object::parse(r#"{"jsonPath":"$.a","stringValue":"x"}"#).unwrap()));
        for path in ["", "$", "a.b", "$.a.b", "$.a[0]", "$.l[4000000000]", "$.l[-1]", "$.l[0", "$x"] {
            let piece = format!(r#"{{"jsonPath":"{path}","stringValue":"y"}}"#);
            assert!(!arguments.take(&Object::parse(&piece).unwrap()), "{path}");
        }
    }
}

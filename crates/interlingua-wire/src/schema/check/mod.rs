//! Whether a value follows a schema, told so that a model can mend it.

mod bounds;
mod members;
mod unions;

use std::fmt;

use serde_json::{Map, Value};

/// Something in a value that its schema does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// Where in the value, as a JSON Pointer (RFC 6901); empty for the whole of it.
    pub path: String,
    /// What is there and what is wanted, in one line.
    pub message: String,
}

/// Most mismatches that are told.
const MOST: usize = 32;
/// How deep schemas and references may lead into each other.
const DEPTH: usize = 320;
/// How many schemas are looked at before the check is given up: unions of unions may multiply.
const LOOKS: usize = 200_000;

/// Holds a value against a JSON Schema (2020-12, and what older drafts and `OpenAPI` write in its place) and tells each
/// place where it does not fit, at most 32 of them. Nothing is told of a value that fits.
///
/// Checked are `type`, `enum`, `const`, `properties`, `required`, `additionalProperties`, `propertyNames`, `minProperties`,
/// `maxProperties`, `dependentRequired`, `dependentSchemas`, `items`, `prefixItems` (and lists in `items` with
/// `additionalItems`), `contains`, `minItems`, `maxItems`, `uniqueItems`, `minLength`, `maxLength`, `minimum`, `maximum`,
/// `exclusiveMinimum`, `exclusiveMaximum` (numbers, or truth values as in draft 4), `multipleOf`, `anyOf`, `oneOf`, `allOf`,
/// `not`, `if` with `then` and `else`, `$ref` within the document (`#` and `#/…`), and `nullable`.
///
/// Passed over are `pattern`, `patternProperties` (beside which other names pass `additionalProperties`), `format`,
/// `unevaluated…`, `$dynamicRef`, and references that lead out of the document or nowhere. Of a union of which no
/// alternative fits, what is wrong with the nearest one is told. A check that goes too deep or on for too long is itself
/// told as a mismatch, so that what was not checked does not pass.
///
/// ```
/// use interlingua_wire::schema::check;
/// use serde_json::json;
///
/// let schema = json!({
///     "type": "object",
///     "properties": {"city": {"type": "string"}, "mood": {"enum": ["good", "bad"]}},
///     "required": ["city"]
/// });
/// assert!(check(&schema, &json!({"city": "Paris", "mood": "good"})).is_empty());
///
/// let found: Vec<_> = check(&schema, &json!({"mood": "god"})).iter().map(ToString::to_string).collect();
/// assert_eq!(found, ["the property `city` is missing", r#"/mood: is "god", and must be one of "good", "bad""#]);
/// ```
pub fn check(schema: &Value, value: &Value) -> Vec<Mismatch> {
    let mut check = Check {
        root: schema,
        path: String::new(),
        found: Vec::new(),
        depth: 0,
        looks: LOOKS,
        is_given_up: false,
    };
    check.node(schema, value);
    if check.is_given_up {
        check.path.clear();
        check.tell("cannot be checked: the schema leads too deep");
    }
    check.found.truncate(MOST);
    check.found
}

/// One check under way.
struct Check<'s> {
    root: &'s Value,
    path: String,
    found: Vec<Mismatch>,
    depth: usize,
    looks: usize,
    is_given_up: bool,
}

impl<'s> Check<'s> {
    /// Holds a value against a schema.
    fn node(&mut self, schema: &'s Value, value: &Value) {
        if self.looks == 0 || self.depth >= DEPTH {
            self.is_given_up = true;
            return;
        }
        self.looks -= 1;
        self.depth += 1;
        match schema {
            Value::Bool(false) => self.tell(format!("is {}, and nothing may stand there", shown(value))),
            Value::Object(schema) => self.keywords(schema, value),
            _ => {}
        }
        self.depth -= 1;
    }

    fn keywords(&mut self, schema: &'s Map<String, Value>, value: &Value) {
        if value.is_null() && schema.get("nullable") == Some(&Value::Bool(true)) {
            return;
        }
        if let Some(target) =
            schema.get("$ref").and_then(Value::as_str).and_then(|target| self.target(target))
        {
            self.node(target, value);
        }
        // What has the wrong type altogether is told once.
        if !self.kind(schema, value) || !self.constants(schema, value) {
            return;
        }
        match value {
            Value::Object(members) => self.members(schema, members),
            Value::Array(items) => self.items(schema, items),
            Value::String(text) => self.length(schema, text),
            Value::Number(number) => self.number(schema, number),
            Value::Null | Value::Bool(_) => {}
        }
        self.unions(schema, value);
    }

    /// What a reference within the document leads to.
    fn target(&self, reference: &str) -> Option<&'s Value> {
        let pointer = reference.strip_prefix('#')?;
        if !pointer.contains('%') {
            return self.root.pointer(pointer);
        }
        self.root.pointer(&crate::percent::decoded(pointer)?)
    }

    fn kind(&mut self, schema: &Map<String, Value>, value: &Value) -> bool {
        let wanted: Vec<&str> = match schema.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        let fits = wanted.iter().any(|name| is_kind(name, value));
        if !fits {
            let wanted: Vec<_> = wanted.into_iter().map(article).collect();
            self.tell(format!("is {}, and must be {}", shown(value), wanted.join(" or ")));
        }
        fits
    }

    fn constants(&mut self, schema: &Map<String, Value>, value: &Value) -> bool {
        let wanted = match (schema.get("const"), schema.get("enum")) {
            (Some(one), _) if !same(one, value) => std::slice::from_ref(one),
            (_, Some(Value::Array(all))) if !all.iter().any(|one| same(one, value)) => all,
            _ => return true,
        };
        let names: Vec<_> = wanted.iter().take(24).map(shown).collect();
        let more = if wanted.len() > names.len() { ", …" } else { "" };
        let one_of = if wanted.len() == 1 { "" } else { "one of " };
        self.tell(format!("is {}, and must be {one_of}{}{more}", shown(value), names.join(", ")));
        false
    }

    fn tell(&mut self, message: impl Into<String>) {
        // A few more than are told, since alternatives are compared by how much is wrong with them.
        if self.found.len() < 2 * MOST {
            self.found.push(Mismatch { path: self.path.clone(), message: message.into() });
        }
    }

    /// Holds a member of the value against a schema.
    fn below(&mut self, name: &str, schema: &'s Value, value: &Value) {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(&name.replace('~', "~0").replace('/', "~1"));
        self.node(schema, value);
        self.path.truncate(length);
    }

    /// What would be told of a value, without telling it.
    fn tried(&mut self, schema: &'s Value, value: &Value) -> Vec<Mismatch> {
        let told = std::mem::take(&mut self.found);
        self.node(schema, value);
        std::mem::replace(&mut self.found, told)
    }

    fn fits(&mut self, schema: &'s Value, value: &Value) -> bool {
        self.tried(schema, value).is_empty()
    }
}

/// Whether a value is of a type of JSON Schema. A number without a fraction is an integer, however it is written.
fn is_kind(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        ("integer", Value::Number(number)) => {
            !number.is_f64() || number.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        _ => false,
    }
}

fn article(name: &str) -> &str {
    match name {
        "integer" => "an integer",
        "number" => "a number",
        "string" => "a string",
        "boolean" => "true or false",
        "array" => "an array",
        "object" => "an object",
        other => other,
    }
}

/// Whether two values are the same to JSON Schema: 1 and 1.0 are, and the order of members does not count.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || bounds::compare(a, b).is_eq(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// A value in a message: short ones as they are, long ones by their kind.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::String(text) if text.chars().count() > LONGEST => {
            let start: String = text.chars().take(LONGEST).collect();
            format!("{}…", Value::from(start).to_string().trim_end_matches('"'))
        }
        Value::Array(items) if items.len() > 3 => format!("an array of {} items", items.len()),
        Value::Object(members) if members.len() > 3 => {
            let names: Vec<_> = members.keys().take(8).map(|name| format!("`{name}`")).collect();
            format!("an object with {}", names.join(", "))
        }
        other => {
            let text = other.to_string();
            match other {
                Value::Array(_) if text.len() > LONGEST => "an array".to_owned(),
                Value::Object(_) if text.len() > LONGEST => "an object".to_owned(),
                _ => text,
            }
        }
    }
}

impl Mismatch {
    /// A mismatch at a place, which is a JSON Pointer.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}

use interlingua_model::{Error, ErrorKind, Json};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fields::{Field, fields, wrong};
use crate::object::written;
use crate::provider::Text;
use crate::{Object, Protocol, Table};

fields! {
    from Self::new([] as [Text; 0]); needs "models";

    /// What holds for some models of a provider only.
    ///
    /// ```
    /// use interlingua_wire::Family;
    ///
    /// let reasoners = Family::new(["o1*", "o3*"]);
    /// assert!(reasoners.matches("o3-mini") && !reasoners.matches("gpt-4o"));
    /// ```
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[non_exhaustive]
    pub struct Family {
        /// The names of the models, where `*` stands for any letters and `?` for one; case does not matter.
        pub models: Vec<Text>,
        /// The protocol that these models are asked in, when not the first one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub protocol: Option<Protocol>,
        /// What these models change in the row's dialects.
        #[serde(default, skip_serializing_if = "Table::is_empty")]
        pub dialect: Table<Protocol, Patch>,
        /// What is changed in the body of each request to these models, after the codec has written it: see
        /// [`Patch::apply_to`].
        #[serde(default, skip_serializing_if = "Patch::is_empty")]
        pub body: Patch,
    }
}

/// A change of some fields of a dialect, in the dialect's own serialized form.
///
/// Objects are merged and everything else is replaced, as in a merge patch, except that null is a value like others. A
/// field that the dialect does not have is an error, not a silence.
///
/// ```
/// use interlingua_wire::{Patch, openai_chat::Dialect};
///
/// let patch: Patch = serde_json::from_str(r#"{ "max_tokens": "max_completion_tokens" }"#)?;
/// assert_ne!(patch.read::<Dialect>()?, Dialect::default());
///
/// let misspelt: Patch = serde_json::from_str(r#"{ "max_token": 1 }"#)?;
/// assert!(misspelt.read::<Dialect>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Patch(Map<String, Value>);

/// How a service speaks one protocol: a struct with one field per quirk, whose default suits an unknown service.
pub trait Dialect: Default + DeserializeOwned {
    /// The protocol.
    const PROTOCOL: Protocol;
}

impl Family {
    /// A family of models by the patterns of their names, with nothing special yet.
    pub fn new<T: Into<Text>>(models: impl IntoIterator<Item = T>) -> Self {
        Self {
            models: models.into_iter().map(Into::into).collect(),
            protocol: None,
            dialect: Table::new(),
            body: Patch::default(),
        }
    }

    /// Whether a model belongs to the family.
    pub fn matches(&self, model: &str) -> bool {
        self.models.iter().any(|pattern| glob(pattern.as_bytes(), model.as_bytes()))
    }
}

impl Patch {
    /// A patch of these fields.
    pub const fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// The fields and their new values.
    pub fn into_fields(self) -> Map<String, Value> {
        self.0
    }

    /// The fields and their new values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes the changes of another patch on top of these.
    pub fn merge(&mut self, other: &Self) {
        merge(&mut self.0, &other.0);
    }

    /// The same patch with every text in it changed.
    pub(crate) fn try_map(self, change: &dyn Fn(&str) -> Result<String, Error>) -> Result<Self, Error> {
        let Value::Object(fields) = mapped(Value::Object(self.0), change)? else {
            return Ok(Self::default());
        };
        Ok(Self(fields))
    }

    /// The object with the changes made to its text, by the rules of JSON merge patches (RFC 7396): objects are merged, null
    /// takes a field out, everything else is replaced. What is not changed stays as it is, to the letter.
    ///
    /// ```
    /// use interlingua_wire::Patch;
    ///
    /// let patch: Patch = serde_json::from_str(r#"{ "user": null, "options": { "seed": 7 } }"#)?;
    /// let body = patch.apply_to(br#"{"model":"m","user":"u","options":{"size":1.0}}"#)?;
    /// assert_eq!(body, br#"{"model":"m","options":{"size":1.0,"seed":7}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] when the text is no JSON object.
    pub fn apply_to(&self, body: &[u8]) -> Result<Vec<u8>, Error> {
        let object = Object::from_slice(body).map_err(|error| {
            Error::new(ErrorKind::InvalidRequest, "the body that is to be patched is no JSON object")
                .with_source(error)
        })?;
        Ok(patched(&object, &self.0).into_bytes())
    }

    /// The dialect that differs from the default one in these fields.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when a field does not exist or a value does not fit it.
    pub fn read<D: Dialect>(&self) -> Result<D, Error> {
        if self.is_empty() {
            return Ok(D::default());
        }
        // By way of text: a second reader for trees would be code that nothing else needs.
        let text = serde_json::to_string(self).unwrap_or_default();
        serde_json::from_str(&text).map_err(|error| {
            let message = format!("has a dialect that does not fit {}: {error}", D::PROTOCOL);
            Error::new(ErrorKind::Configuration, message).with_source(error)
        })
    }
}

impl Field for Patch {
    fn read(value: Value) -> Result<Self, String> {
        if let Value::Object(fields) = value { Ok(Self(fields)) } else { Err(wrong(&value, "a table")) }
    }
}

impl From<Map<String, Value>> for Patch {
    fn from(fields: Map<String, Value>) -> Self {
        Self(fields)
    }
}

/// Objects merge, everything else is replaced. The depth is that of the patch, which a parser has bounded.
fn merge(fields: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, change) in patch {
        match (fields.get_mut(name), change) {
            (Some(Value::Object(own)), Value::Object(inner)) => merge(own, inner),
            _ => {
                fields.insert(name.clone(), change.clone());
            }
        }
    }
}

/// A value with every text in it changed. The depth is that of the patch, which a parser has bounded.
fn mapped(value: Value, change: &dyn Fn(&str) -> Result<String, Error>) -> Result<Value, Error> {
    Ok(match value {
        Value::String(text) => Value::String(change(&text)?),
        Value::Array(values) => {
            Value::Array(values.into_iter().map(|value| mapped(value, change)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let field = |(name, value)| Ok((name, mapped(value, change)?));
            Value::Object(fields.into_iter().map(field).collect::<Result<_, Error>>()?)
        }
        value => value,
    })
}

/// The text of an object with a merge patch applied. The depth is that of the patch, which a parser has bounded.
fn patched(object: &Object<'_>, patch: &Map<String, Value>) -> String {
    let kept = object.iter().filter_map(|(name, value)| {
        let value = match patch.get(name) {
            None => value.get().to_owned(),
            Some(Value::Null) => return None,
            Some(Value::Object(inner)) => patched(&Object::parse(value.get()).unwrap_or_default(), inner),
            Some(value) => written(value),
        };
        Some((name, value))
    });
    let added = patch.iter().filter_map(|(name, value)| {
        let value = match value {
            _ if object.get(name).is_some() => return None,
            Value::Null => return None,
            Value::Object(inner) => patched(&Object::default(), inner),
            value => written(value),
        };
        Some((name.as_str(), value))
    });
    let fields = kept.chain(added).map(|(name, value)| format!("{}:{value}", Json::string(name)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// Whether a name fits a pattern in which `*` stands for any letters and `?` for one. No recursion.
pub(super) fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = name.get(n) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(letter) => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        let fits = |pattern: &str, name: &str| glob(pattern.as_bytes(), name.as_bytes());
        assert!(fits("gpt-5*", "GPT-5.4-mini"));
        assert!(fits("*opus-4-5*", "anthropic.claude-opus-4-5-20251101-v1:0"));
        assert!(fits("*opus-4?5*", "claude-opus-4.5") && !fits("opus-4?5", "opus-45"));
        assert!(fits("*", ""));
        assert!(fits("a*b*c", "a-b-b-c"));
        assert!(!fits("a*b*c", "a-b-b"));
        assert!(!fits("gpt-5", "gpt-5.4"));
        assert!(!fits("", "x"));
    }

    #[test]
    fn a_body_is_patched_as_the_standard_says() {
        // The examples of RFC 7396, as far as they are about objects.
        let examples = [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
            (r#"{"n":12345678901234567890123}"#, r#"{"a":1}"#, r#"{"n":12345678901234567890123,"a":1}"#),
        ];
        for (body, patch, expected) in examples {
            let patch: Patch = serde_json::from_str(patch).unwrap();
            let found = String::from_utf8(patch.apply_to(body.as_bytes()).unwrap()).unwrap();
            assert_eq!(found, expected, "{body} with {patch:?}");
        }
        assert!(Patch::default().apply_to(b"[1]").is_err());
    }

    #[test]
    fn a_patch_merges_objects_and_replaces_the_rest() {
        let mut value = serde_json::json!({ "a": { "b": 1, "c": 2 }, "d": [1, 2], "e": 3 });
        let patch = serde_json::json!({ "a": { "b": 9 }, "d": [3], "e": null });
        merge(value.as_object_mut().unwrap(), patch.as_object().unwrap());
        assert_eq!(value, serde_json::json!({ "a": { "b": 9, "c": 2 }, "d": [3], "e": null }));
    }
}

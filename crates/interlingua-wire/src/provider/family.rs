use interlingua_model::{Error, ErrorKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Protocol;
use crate::provider::Text;

/// What holds for some models of a provider only.
///
/// ```
/// use interlingua_wire::Family;
///
/// let reasoners = Family::new(["o1*", "o3*"]);
/// assert!(reasoners.matches("o3-mini") && !reasoners.matches("gpt-4o"));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Family {
    /// The names of the models, where `*` stands for any letters and `?` for one; case does not matter.
    pub models: Vec<Text>,
    /// The protocol that these models are asked in, when not the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// What these models change in the row's Chat Completions dialect.
    #[serde(default, skip_serializing_if = "Patch::is_empty")]
    pub chat: Patch,
    /// What these models change in the row's Responses dialect.
    #[serde(default, skip_serializing_if = "Patch::is_empty")]
    pub responses: Patch,
    /// What these models change in the row's Messages dialect.
    #[serde(default, skip_serializing_if = "Patch::is_empty")]
    pub anthropic: Patch,
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
/// assert_ne!(patch.apply(&Dialect::default())?, Dialect::default());
///
/// let misspelt: Patch = serde_json::from_str(r#"{ "max_token": 1 }"#)?;
/// assert!(misspelt.apply(&Dialect::default()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Patch(Map<String, Value>);

impl Family {
    /// A family of models by the patterns of their names, with nothing special yet.
    pub fn new<T: Into<Text>>(models: impl IntoIterator<Item = T>) -> Self {
        Self {
            models: models.into_iter().map(Into::into).collect(),
            protocol: None,
            chat: Patch::default(),
            responses: Patch::default(),
            anthropic: Patch::default(),
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

    /// The dialect with the changes made.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when a field does not exist or a value does not fit it.
    pub fn apply<T: Serialize + DeserializeOwned>(&self, dialect: &T) -> Result<T, Error> {
        let wrong = |error| {
            Error::new(ErrorKind::Configuration, format!("a dialect's patch does not fit: {error}"))
                .with_source(error)
        };
        // By way of text: a second reader and writer for trees would be code that nothing else needs.
        let text = serde_json::to_string(dialect).map_err(wrong)?;
        let mut value: Value = serde_json::from_str(&text).map_err(wrong)?;
        if let Some(name) = self.0.keys().find(|name| value.get(name.as_str()).is_none()) {
            return Err(Error::new(ErrorKind::Configuration, format!("no dialect has the field `{name}`")));
        }
        merge(&mut value, &self.0);
        serde_json::from_str(&value.to_string()).map_err(wrong)
    }
}

impl From<Map<String, Value>> for Patch {
    fn from(fields: Map<String, Value>) -> Self {
        Self(fields)
    }
}

/// Objects merge, everything else is replaced. The depth is that of the patch, which a parser has bounded.
fn merge(target: &mut Value, patch: &Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (name, change) in patch {
        match change {
            Value::Object(inner) => merge(fields.entry(name.clone()).or_insert(Value::Null), inner),
            change => {
                fields.insert(name.clone(), change.clone());
            }
        }
    }
}

/// Whether a name fits a pattern in which `*` stands for any letters and `?` for one. No recursion.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
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
    fn a_patch_merges_objects_and_replaces_the_rest() {
        let mut value = serde_json::json!({ "a": { "b": 1, "c": 2 }, "d": [1, 2], "e": 3 });
        let patch = serde_json::json!({ "a": { "b": 9 }, "d": [3], "e": null });
        merge(&mut value, patch.as_object().unwrap());
        assert_eq!(value, serde_json::json!({ "a": { "b": 9, "c": 2 }, "d": [3], "e": null }));
    }
}

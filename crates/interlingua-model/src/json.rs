use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// JSON text kept verbatim, byte for byte as it was written.
///
/// The text of a tool call's input is what the model wrote: key order, white space and number spelling are kept, and
/// a cut or sloppy model may have written something that is not valid JSON. Reading it is a view, not a conversion.
/// The input of a custom (grammar) tool is free text in the same type.
///
/// ```
/// use interlingua_model::Json;
///
/// let input = Json::from_text(r#"{ "city": "Paris" }"#);
/// let map: std::collections::HashMap<String, String> = input.parse()?;
/// assert_eq!(map["city"], "Paris");
/// assert_eq!(input.as_str(), r#"{ "city": "Paris" }"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Serialized, a valid document that is not a string stands as itself; anything else stands as a string that holds
/// the text, so that reading it back always gives the same bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Json(Arc<str>);

impl Json {
    /// Wraps text without looking at it.
    #[inline(never)]
    pub fn from_text(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Checks that the text is one JSON document and wraps it.
    ///
    /// # Errors
    /// When the text is not valid JSON.
    pub fn new(text: impl Into<Arc<str>>) -> Result<Self, serde_json::Error> {
        let text = text.into();
        serde_json::from_str::<serde::de::IgnoredAny>(&text)?;
        Ok(Self(text))
    }

    /// Writes any serializable value as JSON text.
    ///
    /// # Errors
    /// When the value cannot be written as JSON (a map with keys that are not strings, for example).
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        Ok(Self(serde_json::to_string(value)?.into()))
    }

    /// The empty object, `{}`.
    pub fn object() -> Self {
        Self("{}".into())
    }

    /// A JSON string that holds `text`.
    #[inline(never)]
    pub fn string(text: &str) -> Self {
        if text.bytes().any(|byte| matches!(byte, b'"' | b'\\' | ..=0x1f)) {
            return Self(serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned()).into());
        }
        let mut quoted = String::with_capacity(text.len() + 2);
        quoted.extend(["\"", text, "\""]);
        Self(quoted.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing but white space, as when a model calls a tool that takes no arguments.
    pub fn is_blank(&self) -> bool {
        self.0.trim_ascii().is_empty()
    }

    /// Whether the text is one valid JSON document.
    pub fn is_valid(&self) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(&self.0).is_ok()
    }

    /// Whether the text is one valid JSON object.
    pub fn is_object(&self) -> bool {
        self.0.trim_ascii_start().starts_with('{') && self.is_valid()
    }

    /// Reads the text as a `T`; blank text reads as `{}`.
    ///
    /// # Errors
    /// When the text is not valid JSON or not a `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(if self.is_blank() { "{}" } else { &self.0 })
    }

    /// The text as a raw value that serializes verbatim into a JSON document.
    ///
    /// # Errors
    /// When the text is not valid JSON.
    pub fn to_raw(&self) -> Result<Box<RawValue>, serde_json::Error> {
        RawValue::from_string((*self.0).to_owned())
    }

    /// The text as a JSON tree.
    ///
    /// # Errors
    /// When the text is not valid JSON.
    pub fn to_value(&self) -> Result<serde_json::Value, serde_json::Error> {
        self.parse()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Json").field(&&*self.0).finish()
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&serde_json::Value> for Json {
    fn from(value: &serde_json::Value) -> Self {
        // Its `Display` can indent as well, which is twice the code.
        Self(serde_json::to_string(value).unwrap_or_default().into())
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self::from(&value)
    }
}

impl From<&RawValue> for Json {
    fn from(value: &RawValue) -> Self {
        Self(value.get().into())
    }
}

impl From<Box<RawValue>> for Json {
    fn from(value: Box<RawValue>) -> Self {
        Self::from(&*value)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stands_as_itself = self.0.starts_with(|c: char| c != '"' && !c.is_ascii_whitespace())
            && !self.0.ends_with(|c: char| c.is_ascii_whitespace());
        match self.to_raw() {
            Ok(raw) if stands_as_itself => raw.serialize(serializer),
            _ => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('"') {
            let text: String = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
            return Ok(Self(text.into()));
        }
        Ok(Self(raw.get().into()))
    }
}

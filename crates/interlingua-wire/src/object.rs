use std::borrow::Cow;

use interlingua_model::{Error, ErrorKind, Extra, Json};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::shape::Str;

/// A JSON object read in its first step: names and verbatim values, in order.
///
/// The second step takes the known fields out one by one; what remains is unknown and is kept as it is. Serde's
/// tagged and flattened shapes buffer values and lose their text, which this does not. Where a name stands twice the
/// last value counts, as with nearly every reader of JSON.
#[derive(Debug, Clone, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A tree as text. Its `Display` can indent as well, which is twice the code.
pub(crate) fn written(value: &serde_json::Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl<'a> Object<'a> {
    /// Reads an object from text.
    ///
    /// # Errors
    /// When the text is not a JSON object.
    pub fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Reads an object from bytes.
    ///
    /// # Errors
    /// When the bytes are not a JSON object in UTF-8.
    pub fn from_slice(bytes: &'a [u8]) -> Result<Self, serde_json::Error> {
        read(bytes)
    }

    /// The verbatim value of a field.
    #[inline(never)]
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rfind(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// The value of a field, read as a `T`; `None` when it is absent, null or of another shape.
    pub fn peek<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        serde_json::from_str::<Option<T>>(self.get(name)?.get()).ok().flatten()
    }

    /// Removes a field and returns its verbatim value.
    #[inline(never)]
    pub fn take_raw(&mut self, name: &str) -> Option<&'a RawValue> {
        let mut found = None;
        self.0.retain(|(key, value)| {
            let is_it = key == name;
            if is_it {
                found = Some(*value);
            }
            !is_it
        });
        found
    }

    /// Removes a field and reads it as a `T`; `None` when it is absent or null.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`], naming the field, when it is of another shape.
    pub fn take<T: Deserialize<'a>>(&mut self, name: &str) -> Result<Option<T>, Error> {
        let Some(value) = self.take_raw(name) else { return Ok(None) };
        serde_json::from_str(value.get()).map_err(|error| {
            Error::new(ErrorKind::InvalidRequest, format!("`{name}`: {error}")).with_source(error)
        })
    }

    /// Removes a field that must be there and reads it as a `T`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`], naming the field, when it is absent or of another shape.
    pub fn require<T: Deserialize<'a>>(&mut self, name: &str) -> Result<T, Error> {
        let value = self.take(name)?;
        value.ok_or_else(|| Error::new(ErrorKind::InvalidRequest, format!("`{name}` is missing")))
    }

    /// The same object with other names for some of its fields.
    pub(crate) fn renamed(mut self, rename: impl Fn(&str) -> Option<String>) -> Self {
        for (name, _) in &mut self.0 {
            if let Some(other) = rename(name) {
                *name = Cow::Owned(other);
            }
        }
        self
    }

    /// The fields that are still there, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    /// Whether no field is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts the fields that are still there into the namespace of a protocol.
    pub fn rest_into(self, extra: &mut Extra, protocol: &str) {
        for (name, value) in self.0 {
            extra.set(protocol, &name, Json::from(value));
        }
    }
}

/// Reads JSON from bytes, which are checked to be text once and not string by string.
pub(crate) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, serde_json::Error> {
    serde_json::from_str(std::str::from_utf8(bytes).map_err(serde::de::Error::custom)?)
}

/// The text in a JSON string, or `None` when the value is anything else.
pub(crate) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
    // The value is valid JSON: without an escape its text stands between the quotes.
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(value.get()).ok().map(Cow::Owned)
}

/// As many fields as there is room for at once.
const FIELDS: usize = 8;

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Vec::with_capacity(FIELDS);
        deserializer
            .deserialize_map(Each(|name: Cow<'de, str>, value: &'de RawValue| fields.push((name, value))))?;
        Ok(Object(fields))
    }
}

/// Shows the fields of an object one by one, in order.
///
/// # Errors
/// When the value is no object.
pub(crate) fn each<'a>(
    object: &'a RawValue,
    mut see: impl FnMut(&str, &'a RawValue),
) -> Result<(), serde_json::Error> {
    let each = Each(|name: Cow<'a, str>, value: &'a RawValue| see(&name, value));
    serde_json::Deserializer::from_str(object.get()).deserialize_map(each)
}

/// Reads an object for a function that takes its fields.
struct Each<F>(F);

impl<'de, F: FnMut(Cow<'de, str>, &'de RawValue)> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((Str(name), value)) = map.next_entry::<Str<'de>, &'de RawValue>()? {
            (self.0)(name, value);
        }
        Ok(())
    }
}

//! From a value to a type, with the place where that fails.

use std::cell::{Cell, RefCell};

use interlingua_model::PartialJson;
use interlingua_wire::schema::Mismatch;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Error, Value};

/// Reads a value as a type.
#[expect(clippy::needless_pass_by_value, reason = "a reader of any value may keep it")]
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Mismatch> {
    let text = value.to_string();
    serde_json::from_str(&text).map_err(|error| mismatch::<T>(&value, &text, &error))
}

fn mismatch<T: DeserializeOwned>(value: &Value, text: &str, error: &Error) -> Mismatch {
    let said = error.to_string();
    let message = said.rsplit_once(" at line ").map_or(&*said, |(message, _)| message);
    let trace = Trace::default();
    let path = match T::deserialize(Traced { value, trace: &trace }) {
        Err(again) if again.to_string() == message => trace.path.into_inner(),
        // The type reads a text otherwise than a value, so the text must do: what was read of it last.
        _ => place(text, error.column()),
    };
    Mismatch::new(path, message)
}

/// The place where a text of one line stands behind so many bytes.
fn place(text: &str, column: usize) -> String {
    let mut reader = PartialJson::new();
    let read = reader.push(text.as_bytes().get(..column).unwrap_or_default());
    read.map_or_else(|_| String::new(), |()| reader.path().to_owned())
}

/// Where a value is read; after an error, where that came up.
#[derive(Debug, Default)]
struct Trace {
    path: RefCell<String>,
    has_failed: Cell<bool>,
}

impl Trace {
    /// Reads a member.
    fn member<'de, S: DeserializeSeed<'de>>(
        &self,
        name: &str,
        value: &'de Value,
        seed: S,
    ) -> Result<S::Value, Error> {
        let length = self.path.borrow().len();
        let name = name.replace('~', "~0").replace('/', "~1");
        self.path.borrow_mut().extend(["/", &name]);
        let read = seed.deserialize(Traced { value, trace: self });
        self.has_failed.set(self.has_failed.get() || read.is_err());
        if !self.has_failed.get() {
            self.path.borrow_mut().truncate(length);
        }
        read
    }
}

/// A value that is read under a trace.
struct Traced<'de, 't> {
    value: &'de Value,
    trace: &'t Trace,
}

impl<'de> Deserializer<'de> for Traced<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(Items { rest: items.iter(), at: 0, trace: self.trace }),
            Value::Object(members) => {
                visitor.visit_map(Members { rest: members.iter(), last: None, trace: self.trace })
            }
            value => value.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value.deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de, 't> {
    rest: std::slice::Iter<'de, Value>,
    at: usize,
    trace: &'t Trace,
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(item) = self.rest.next() else { return Ok(None) };
        let at = self.at.to_string();
        self.at += 1;
        self.trace.member(&at, item, seed).map(Some)
    }
}

struct Members<'de, 't> {
    rest: serde_json::map::Iter<'de>,
    last: Option<(&'de str, &'de Value)>,
    trace: &'t Trace,
}

impl<'de> MapAccess<'de> for Members<'de, '_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.last = Some((name, value));
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let (name, value) = self.last.take().unwrap_or(("", &Value::Null));
        self.trace.member(name, value, seed)
    }
}

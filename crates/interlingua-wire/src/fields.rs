//! Rows and dialects, read field by field out of a tree.
//!
//! A derived reader is a kilobyte of code for each field, once for each format. These types are read when a model is first
//! asked, and never in a hurry, so that a table of names and a few shared functions do: a twentieth of the code.

use std::borrow::Cow;
use std::str::FromStr;

use interlingua_model::{Effort, FinishReason};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde_json::Value;

use crate::Protocol;

/// A value that can be read out of a tree.
pub(crate) trait Field: Sized {
    /// The value, or why it is none.
    fn read(value: Value) -> Result<Self, String>;

    /// Reads the value into its place.
    #[inline(never)]
    fn put(&mut self, value: Value) -> Result<(), String> {
        *self = Self::read(value)?;
        Ok(())
    }
}

/// A name of a field in a table of any names.
pub(crate) trait Name: Sized + Ord {
    /// The name that is written so.
    fn of(word: String) -> Result<Self, String>;
}

/// Defines a struct that is read field by field, with `Deserialize`. It begins as its default; or as what stands after `from`, and
/// then the fields after `needs` must be there. A field that it does not have is an error.
macro_rules! fields {
    ($(#[$meta:meta])* $vis:vis struct $type:ident { $($(#[$about:meta])* $shown:vis $name:ident: $of:ty,)* }) => {
        $(#[$meta])*
        $vis struct $type {
            $($(#[$about])* $shown $name: $of,)*
        }
        $crate::fields::fields!(@read $type, <$type>::default(), [], [$($name),*]);
    };
    (from $blank:expr; needs $($needed:literal),+;
     $(#[$meta:meta])* $vis:vis struct $type:ident { $($(#[$about:meta])* $shown:vis $name:ident: $of:ty,)* }) => {
        $(#[$meta])*
        $vis struct $type {
            $($(#[$about])* $shown $name: $of,)*
        }
        $crate::fields::fields!(@read $type, $blank, [$($needed),+], [$($name),*]);
    };
    (@read $type:ident, $blank:expr, [$($needed:literal),*], [$($name:ident),*]) => {
        impl $crate::fields::Field for $type {
            fn read(value: serde_json::Value) -> Result<Self, String> {
                let mut made = $blank;
                $crate::fields::each(value, &[$($needed),*], concat!($(stringify!($name), " "),*), &mut |name, value| match name {
                    $(stringify!($name) => $crate::fields::Field::put(&mut made.$name, value),)*
                    _ => Ok(()),
                })?;
                Ok(made)
            }
        }
        $crate::fields::deserialize!($type);
    };
}

/// Defines an enum of words, with `Serialize` and `Deserialize`.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $type:ident { $($(#[$about:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        pub enum $type {
            $($(#[$about])* $variant,)*
        }

        impl $crate::fields::Field for $type {
            fn read(value: serde_json::Value) -> Result<Self, String> {
                let word = $crate::fields::word(&value)?;
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err($crate::fields::unknown("variant", word, concat!($($word, " "),*))),
                }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(match self {
                    $(Self::$variant => $word,)*
                })
            }
        }
        $crate::fields::deserialize!($type);
    };
}

/// `Deserialize` by way of a tree.
macro_rules! deserialize {
    ($type:ident) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = serde_json::Value::deserialize(deserializer)?;
                $crate::fields::Field::read(value).map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use {deserialize, fields, words};

/// Reads each field of a table; the names that are needed are given, and in one text all that are known.
pub(crate) fn each(
    value: Value,
    needed: &[&str],
    known: &str,
    put: &mut dyn FnMut(&str, Value) -> Result<(), String>,
) -> Result<(), String> {
    let Value::Object(table) = value else { return Err(wrong(&value, "a table")) };
    if let Some(name) = needed.iter().find(|name| !table.contains_key(**name)) {
        return Err(format!("missing field `{name}`"));
    }
    for (name, value) in table {
        if !known.split_ascii_whitespace().any(|known| known == name) {
            return Err(unknown("field", &name, known));
        }
        put(&name, value).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}

/// A word that is none of those that are known, which stand in one text.
#[cold]
pub(crate) fn unknown(what: &str, word: &str, known: &str) -> String {
    format!("unknown {what} `{word}`, expected one of `{}`", known.trim().replace(' ', "`, `"))
}

/// A value of another kind than is wanted.
#[cold]
pub(crate) fn wrong(value: &Value, wanted: &str) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    };
    format!("found {kind}, expected {wanted}")
}

/// A value that is a word.
pub(crate) fn word(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| wrong(value, "a string"))
}

fn whole(value: &Value) -> Result<u64, String> {
    value.as_u64().ok_or_else(|| match value {
        Value::Number(number) => format!("found {number}, expected a whole number"),
        value => wrong(value, "a whole number"),
    })
}

impl Field for Value {
    fn read(value: Value) -> Result<Self, String> {
        Ok(value)
    }
}

impl Field for bool {
    fn read(value: Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| wrong(&value, "a boolean"))
    }
}

macro_rules! whole_numbers {
    ($($type:ident)*) => {
        $(impl Field for $type {
            fn read(value: Value) -> Result<Self, String> {
                let number = whole(&value)?;
                Self::try_from(number).map_err(|_| format!("found {number}, expected at most {}", Self::MAX))
            }
        })*
    };
}

whole_numbers!(u8 u16 u32);

impl Field for f64 {
    fn read(value: Value) -> Result<Self, String> {
        value.as_f64().ok_or_else(|| wrong(&value, "a number"))
    }
}

impl Field for String {
    fn read(value: Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(text),
            value => Err(wrong(&value, "a string")),
        }
    }
}

impl Field for Cow<'static, str> {
    fn read(value: Value) -> Result<Self, String> {
        String::read(value).map(Cow::Owned)
    }
}

impl<T: Field> Field for Option<T> {
    fn read(value: Value) -> Result<Self, String> {
        if value.is_null() { Ok(None) } else { T::read(value).map(Some) }
    }
}

impl<T: Field> Field for Box<T> {
    fn read(value: Value) -> Result<Self, String> {
        T::read(value).map(Self::new)
    }
}

impl<T: Field> Field for Vec<T> {
    fn read(value: Value) -> Result<Self, String> {
        let mut list = Self::new();
        items(value, &mut |value| {
            list.push(T::read(value)?);
            Ok(())
        })?;
        Ok(list)
    }
}

fn items(value: Value, take: &mut dyn FnMut(Value) -> Result<(), String>) -> Result<(), String> {
    let Value::Array(values) = value else { return Err(wrong(&value, "a list")) };
    values.into_iter().try_for_each(take)
}

impl Name for String {
    fn of(word: String) -> Result<Self, String> {
        Ok(word)
    }
}

macro_rules! named {
    ($($type:ident)*) => {
        $(
            impl Name for $type {
                fn of(word: String) -> Result<Self, String> {
                    Self::from_str(&word)
                }
            }

            impl Field for $type {
                fn read(value: Value) -> Result<Self, String> {
                    Self::from_str(word(&value)?)
                }
            }
        )*
    };
}

named!(Effort Protocol);

impl Field for FinishReason {
    fn read(value: Value) -> Result<Self, String> {
        let read = Self::deserialize(word(&value)?.into_deserializer());
        read.map_err(|error: serde::de::value::Error| error.to_string())
    }
}

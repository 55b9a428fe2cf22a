//! Frames and what is in them, read into structs that borrow their texts.

use std::borrow::Cow;

use serde::Deserialize;

/// Text that is borrowed where it holds no escapes. `Option<Cow<str>>` itself never borrows.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Str<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Defines a struct that is read out of an object in one pass. Every field may be absent; a field that it does not know is passed
/// over, and where a name stands twice the last value counts. A field whose name on the wire is another has it in brackets.
///
/// A derived reader would take lists as well, and is twice the code.
macro_rules! shape {
    ($(#[$meta:meta])* $vis:vis struct $type:ident<$life:lifetime> { $($field:tt)* }) => {
        $crate::shape::shape!(@define [$(#[$meta])* $vis struct $type<$life>] $($field)*);
        $crate::shape::shape!(@read $type, $type<'de>, [$life], $($field)*);
    };
    ($(#[$meta:meta])* $vis:vis struct $type:ident { $($field:tt)* }) => {
        $crate::shape::shape!(@define [$(#[$meta])* $vis struct $type] $($field)*);
        $crate::shape::shape!(@read $type, $type, [], $($field)*);
    };
    (@define [$($head:tt)*] $($(#[$about:meta])* $shown:vis $name:ident $([$word:literal])?: $of:ty,)*) => {
        $($head)* {
            $($(#[$about])* $shown $name: $of,)*
        }
    };
    (@read $type:ident, $made:ty, [$($life:lifetime)?], $($(#[$about:meta])* $shown:vis $name:ident $([$word:literal])?: $of:ty,)*) => {
        impl<'de $(: $life, $life)?> serde::Deserialize<'de> for $type$(<$life>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;

                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $made;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$made, A::Error> {
                        let mut made = $type::default();
                        while let Some($crate::shape::Str(name)) = map.next_key()? {
                            match &*name {
                                $($crate::shape::name!($name $($word)?) => made.$name = map.next_value()?,)*
                                _ => {
                                    map.next_value::<serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok(made)
                    }
                }

                deserializer.deserialize_map(Visitor)
            }
        }
    };
}

/// The name of a field on the wire.
macro_rules! name {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $word:literal) => {
        $word
    };
}

pub(crate) use {name, shape};

#[cfg(test)]
mod tests {
    use super::*;

    shape! {
        #[derive(Debug, Default, PartialEq)]
        struct Sample<'a> {
            kind ["type"]: Str<'a>,
            index: Option<u64>,
        }
    }

    #[test]
    fn the_last_value_counts_and_strangers_are_passed_over() {
        let read = |text| serde_json::from_str::<Sample<'_>>(text);
        let found = read(r#"{"type":"a","other":[{}],"index":null,"t\u0079pe":"b","index":7}"#).unwrap();
        assert_eq!(found, Sample { kind: Str("b".into()), index: Some(7) });
        assert!(matches!(found.kind.0, Cow::Borrowed(_)));
        assert_eq!(read("{}").unwrap(), Sample::default());
        assert!(read(r#"["a",7]"#).is_err());
        assert!(read(r#"{"index":"7"}"#).is_err());
    }
}

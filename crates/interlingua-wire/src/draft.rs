use std::fmt::Display;

use interlingua_model::{Extra, Fields, Json};
use serde::Serialize;

use crate::Object;

/// A JSON object being written: named values in their order, each as it stands.
///
/// It is the counterpart of [`Object`](crate::Object): what was kept verbatim goes out verbatim, and the same fields always
/// make the same bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft(Fields);

impl Draft {
    /// An object whose `type` is this word.
    pub(crate) fn of(kind: &str) -> Self {
        Self::default().text("type", kind)
    }

    /// Sets a text.
    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.set(name, Json::string(text))
    }

    /// Sets a number, or a truth value.
    pub(crate) fn figure(self, name: &str, figure: impl Display) -> Self {
        self.set(name, Json::from_text(figure.to_string()))
    }

    /// Sets a value.
    pub(crate) fn set(mut self, name: &str, value: Json) -> Self {
        self.0.set(name, value);
        self
    }

    /// Sets a text, if there is one.
    pub(crate) fn maybe(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// Sets a value that serializes.
    pub(crate) fn put<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        if let Ok(json) = Json::of(value) {
            self.0.set(name, json);
        }
    }

    /// Adds what a part keeps for a protocol; it overrides the rest.
    pub(crate) fn extra(self, extra: &Extra, protocol: &str) -> Self {
        self.fields(extra.fields(protocol).into_iter().flat_map(Fields::iter))
    }

    /// Adds fields; they override the rest.
    pub(crate) fn fields<'f>(mut self, fields: impl Iterator<Item = (&'f str, &'f Json)>) -> Self {
        for (name, value) in fields {
            self.0.set(name, value.clone());
        }
        self
    }

    /// Adds the fields of an object that was read; they override the rest.
    pub(crate) fn object(mut self, object: &Object<'_>) -> Self {
        for (name, value) in object.iter() {
            self.0.set(name, Json::from(value));
        }
        self
    }

    /// Whether nothing is set.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object.
    pub(crate) fn json(&self) -> Json {
        Json::from_text(self.written(|_| true))
    }

    /// The object without the fields that are `null`, by which a caller takes a field out of a body.
    pub(crate) fn body(&self) -> String {
        self.written(|value| value.as_str() != "null")
    }

    fn written(&self, wanted: impl Fn(&Json) -> bool) -> String {
        let length = self.0.iter().map(|(name, value)| name.len() + value.as_str().len() + 4).sum::<usize>();
        let mut text = String::with_capacity(length + 2);
        text.push('{');
        for (name, value) in self.0.iter().filter(|(_, value)| wanted(value)) {
            if text.len() > 1 {
                text.push(',');
            }
            text.extend([Json::string(name).as_str(), ":", value.as_str()]);
        }
        text.push('}');
        text
    }
}

/// A list of JSON values, each as it stands.
pub(crate) fn array(items: &[Json]) -> Json {
    let mut text = String::with_capacity(items.iter().map(|item| item.as_str().len() + 1).sum::<usize>() + 2);
    for item in items {
        text.push(if text.is_empty() { '[' } else { ',' });
        text.push_str(item.as_str());
    }
    text.push_str(if text.is_empty() { "[]" } else { "]" });
    Json::from_text(text)
}

/// One event of a stream of named events. Its data is one line: in JSON, line breaks stand only between tokens, where a
/// space does as well.
pub(crate) fn named_event(out: &mut Vec<u8>, name: &str, data: &Json) {
    out.extend_from_slice(b"event: ");
    out.extend(name.bytes().filter(|byte| !is_break(*byte)));
    out.extend_from_slice(b"\ndata: ");
    one_line(out, data);
    out.extend_from_slice(b"\n\n");
}

/// A JSON value on one line.
pub(crate) fn one_line(out: &mut Vec<u8>, data: &Json) {
    out.extend(data.as_str().bytes().map(|byte| if is_break(byte) { b' ' } else { byte }));
}

const fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

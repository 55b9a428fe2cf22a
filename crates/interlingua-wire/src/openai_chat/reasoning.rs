//! Reasoning as it grows: readable text and the details that seal it.

use std::borrow::Cow;

use interlingua_model::{Delta, Extra, Json, Output, Reasoning};
use serde_json::value::RawValue;

use super::PROTOCOL;
use super::types::{Rest, Str, string};
use crate::{Object, Parts};

/// The name in `extra` of the field in which reasoning came, where that is not `reasoning_content`.
pub(super) const FIELD: &str = "field";
/// The name in `extra` of OpenRouter's details.
pub(super) const DETAILS: &str = "reasoning_details";
/// The name in `extra` of a thinking chunk's signature.
pub(super) const SIGNATURE: &str = "signature";

/// A reasoning part that is open.
#[derive(Debug)]
pub(super) struct Open {
    /// Its index.
    pub(super) at: u32,
    /// Other parts have begun since: new text belongs to a new part, a late seal still to this one.
    pub(super) passed: bool,
    /// The text came in a field of its own: that of details repeats it.
    pub(super) spoken: bool,
    details: Vec<Detail>,
    /// Details have come that are not passed on yet.
    news: bool,
}

/// One item of `reasoning_details`, put together from its pieces.
#[derive(Debug)]
struct Detail {
    key: (Option<u64>, String),
    fields: Vec<(String, Field)>,
}

#[derive(Debug)]
enum Field {
    /// A text that grows.
    Growing(String),
    /// The last value that was not empty, verbatim.
    Last(String),
}

impl Open {
    /// Opens a part whose text comes in `field`.
    pub(super) fn new(field: &str, out: &mut Parts) -> Self {
        let mut part = Reasoning::default();
        if field != "reasoning_content" && field != DETAILS {
            part.extra.set(PROTOCOL, FIELD, Json::string(field));
        }
        Self {
            at: out.open(Output::Reasoning(part)),
            passed: false,
            spoken: field != DETAILS,
            details: Vec::new(),
            news: false,
        }
    }

    /// Whether the part must stay open for seals that may come later.
    pub(super) fn is_sealed(&self) -> bool {
        !self.details.is_empty()
    }

    /// Takes the pieces of details of one chunk.
    pub(super) fn details(&mut self, items: &[&RawValue]) {
        self.news = true;
        for item in items {
            let Ok(object) = Object::parse(item.get()) else { continue };
            let kind = object.peek::<Str<'_>>("type").map(|Str(kind)| kind.into_owned()).unwrap_or_default();
            let key = (object.peek::<u64>("index"), kind);
            let position = key.0.and_then(|_| self.details.iter().rposition(|detail| detail.key == key));
            let position = position.unwrap_or_else(|| {
                self.details.push(Detail { key, fields: Vec::new() });
                self.details.len().saturating_sub(1)
            });
            let Some(detail) = self.details.get_mut(position) else { continue };
            for (name, value) in object.iter() {
                detail.take(name, value);
            }
        }
    }

    /// Closes the part, its details with it.
    pub(super) fn close(mut self, out: &mut Parts) {
        self.flush(out);
        out.close(self.at);
    }

    /// Passes on the details as they stand.
    pub(super) fn flush(&mut self, out: &mut Parts) {
        if std::mem::take(&mut self.news) {
            let items: Vec<String> = self.details.iter().map(Detail::to_json).collect();
            let value = Json::from_text(format!("[{}]", items.join(",")));
            out.delta(self.at, Delta::extra(Extra::of(PROTOCOL, DETAILS, value)));
        }
    }
}

impl Detail {
    fn take(&mut self, name: &str, value: &RawValue) {
        let grown = matches!(name, "text" | "summary" | "data").then(|| string(value)).flatten();
        let old = self.fields.iter_mut().find(|(key, _)| key == name).map(|(_, field)| field);
        match (old, grown) {
            (Some(Field::Growing(text)), Some(more)) => text.push_str(&more),
            (Some(_), None) if matches!(value.get(), "null" | "\"\"") => {}
            (Some(field), _) => *field = Field::Last(value.get().to_owned()),
            (None, Some(text)) => self.fields.push((name.to_owned(), Field::Growing(text.into_owned()))),
            (None, None) => self.fields.push((name.to_owned(), Field::Last(value.get().to_owned()))),
        }
    }

    fn to_json(&self) -> String {
        let fields = self.fields.iter().map(|(name, field)| match field {
            Field::Growing(text) => format!("{}:{}", Json::string(name), Json::string(text)),
            Field::Last(value) => format!("{}:{value}", Json::string(name)),
        });
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    }
}

/// The readable text in details, joined.
pub(super) fn detail_text(items: &[&RawValue]) -> String {
    let texts = items.iter().filter_map(|item| {
        let object = Object::parse(item.get()).ok()?;
        object.peek::<Str<'_>>("text").or_else(|| object.peek("summary")).map(|Str(text)| text.into_owned())
    });
    texts.collect()
}

/// The text of a thinking chunk: a string, or an array of text chunks.
pub(super) fn thinking_text(value: &RawValue) -> Cow<'_, str> {
    if let Some(text) = string(value) {
        return text;
    }
    let items: Vec<Object<'_>> = serde_json::from_str(value.get()).unwrap_or_default();
    let texts = items.iter().filter_map(|item| item.peek::<Str<'_>>("text"));
    Cow::Owned(texts.map(|Str(text)| text.into_owned()).collect())
}

/// What a chunk says about reasoning as text: the field and the words. Some services say it twice.
pub(super) fn spoken<'a>(
    fields: [(&'static str, Option<&'a RawValue>); 3],
) -> Option<(&'static str, Cow<'a, str>)> {
    fields.into_iter().find_map(|(name, value)| {
        let text = string(value?)?;
        (!text.is_empty()).then_some((name, text))
    })
}

/// Unknown fields as values of a part.
pub(super) fn extra_of(rest: &Rest<'_>) -> Extra {
    let mut extra = Extra::default();
    for (name, value) in rest.iter() {
        extra.set(PROTOCOL, name, Json::from(value));
    }
    extra
}

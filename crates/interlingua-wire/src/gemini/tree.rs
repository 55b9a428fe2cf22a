//! JSON objects as they are written, field by field, each value as it stands.

use std::fmt::Display;

use interlingua_model::{Extra, Fields, Json};

use super::PROTOCOL;
use crate::Object;

/// An object being written.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree(Fields);

impl Tree {
    pub(super) fn of(name: &str, value: Json) -> Self {
        Self::default().set(name, value)
    }

    pub(super) fn set(mut self, name: &str, value: Json) -> Self {
        self.put(name, value);
        self
    }

    pub(super) fn put(&mut self, name: &str, value: Json) {
        self.0.set(name, value);
    }

    pub(super) fn text(self, name: &str, text: &str) -> Self {
        self.set(name, Json::string(text))
    }

    pub(super) fn maybe(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// Sets a field to a number or a truth value.
    pub(super) fn plain(self, name: &str, value: impl Display) -> Self {
        self.set(name, Json::from_text(value.to_string()))
    }

    /// Adds a field over one that may be there: objects become one, anything else is replaced.
    pub(super) fn over(&mut self, name: &str, value: &Json) {
        let value = match self.0.get(name) {
            Some(old) => merged(old, value),
            None => value.clone(),
        };
        self.put(name, value);
    }

    /// Adds what only this protocol knows; it overrides what is there.
    pub(super) fn extra(mut self, extra: &Extra) -> Self {
        for (name, value) in extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter) {
            self.over(name, value);
        }
        self
    }

    /// Leaves a field out.
    pub(super) fn forget(&mut self, name: &str) {
        let fields = std::mem::take(&mut self.0);
        for (kept, value) in fields.iter().filter(|(kept, _)| *kept != name) {
            self.0.set(kept, value.clone());
        }
    }

    /// Looks at every field.
    pub(super) fn each(&self, mut look: impl FnMut(&str, &Json)) {
        self.0.iter().for_each(|(name, value)| look(name, value));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn json(&self) -> Json {
        let mut text = String::from("{");
        for (name, value) in self.0.iter() {
            if text.len() > 1 {
                text.push(',');
            }
            text.extend([Json::string(name).as_str(), ":", value.as_str()]);
        }
        text.push('}');
        Json::from_text(text)
    }
}

/// Two objects as one, in which the newer wins; what is no object is replaced.
fn merged(old: &Json, new: &Json) -> Json {
    let (Ok(old), Ok(newer)) = (Object::parse(old.as_str()), Object::parse(new.as_str())) else {
        return new.clone();
    };
    let mut tree = Tree::default();
    for (name, value) in old.iter() {
        tree.put(name, Json::from(value));
    }
    for (name, value) in newer.iter() {
        tree.over(name, &Json::from(value));
    }
    tree.json()
}

/// A list of JSON values, each as it stands.
pub(super) fn array(items: &[Json]) -> Json {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(item.as_str());
    }
    text.push(']');
    Json::from_text(text)
}

/// The names of this protocol in one spelling: `snake_case`, which services take as well, becomes `camelCase`.
pub(super) fn camel(object: Object<'_>) -> Object<'_> {
    object.renamed(|name| name.contains('_').then(|| capitalised(name)))
}

fn capitalised(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (index, word) in name.split('_').enumerate() {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if index > 0 => out.extend(first.to_uppercase()),
            Some(first) => out.push(first),
            None => {}
        }
        out.push_str(letters.as_str());
    }
    out
}

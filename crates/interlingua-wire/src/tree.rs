//! JSON objects as they are written, field by field, each value as it stands.

use std::fmt::Display;

use interlingua_model::{Extra, Fields, Json};

use crate::Object;

/// An object being written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree(Fields);

impl Tree {
    pub(crate) fn of(name: &str, value: Json) -> Self {
        Self::default().set(name, value)
    }

    pub(crate) fn set(mut self, name: &str, value: Json) -> Self {
        self.put(name, value);
        self
    }

    pub(crate) fn put(&mut self, name: &str, value: Json) {
        self.0.set(name, value);
    }

    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.set(name, Json::string(text))
    }

    pub(crate) fn maybe(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// Sets a field to a number or a truth value.
    pub(crate) fn plain(self, name: &str, value: impl Display) -> Self {
        self.set(name, Json::from_text(value.to_string()))
    }

    /// Adds a field over one that may be there: objects become one, anything else is replaced.
    pub(crate) fn over(&mut self, name: &str, value: &Json) {
        let value = match self.0.get(name) {
            Some(old) => merged(old, value),
            None => value.clone(),
        };
        self.put(name, value);
    }

    /// An object that was read.
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let mut tree = Self::default();
        for (name, value) in object.iter() {
            tree.put(name, Json::from(value));
        }
        tree
    }

    /// Adds what only one protocol knows; it overrides what is there.
    pub(crate) fn extra(mut self, protocol: &str, extra: &Extra) -> Self {
        for (name, value) in extra.fields(protocol).into_iter().flat_map(Fields::iter) {
            self.over(name, value);
        }
        self
    }

    /// The text of a field, if it holds one.
    pub(crate) fn text_of(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.0.get(name)?.as_str()).ok()
    }

    /// Leaves a field out.
    pub(crate) fn forget(&mut self, name: &str) {
        let fields = std::mem::take(&mut self.0);
        for (kept, value) in fields.iter().filter(|(kept, _)| *kept != name) {
            self.0.set(kept, value.clone());
        }
    }

    /// Looks at every field.
    pub(crate) fn each(&self, mut look: impl FnMut(&str, &Json)) {
        self.0.iter().for_each(|(name, value)| look(name, value));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn json(&self) -> Json {
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
pub(crate) fn array(items: &[Json]) -> Json {
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
pub(crate) fn camel(object: Object<'_>) -> Object<'_> {
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

use interlingua_model::{Extra, Fields, Json};

use super::PROTOCOL;

/// A JSON object being written, its values verbatim.
#[derive(Debug, Default)]
pub(super) struct Node(Fields);

impl Node {
    /// An object of one value, which is what a block is.
    pub(super) fn of(name: &str, value: Json) -> Self {
        Self::default().set(name, value)
    }

    pub(super) fn set(mut self, name: &str, value: Json) -> Self {
        self.0.set(name, value);
        self
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

    pub(super) fn number(self, name: &str, number: u64) -> Self {
        self.set(name, Json::from_text(number.to_string()))
    }

    /// Adds the fields that only this protocol knows; they override the others.
    pub(super) fn extra(mut self, extra: &Extra) -> Self {
        self.add(extra.fields(PROTOCOL));
        self
    }

    pub(super) fn add(&mut self, fields: Option<&Fields>) {
        for (name, value) in fields.into_iter().flat_map(Fields::iter) {
            self.0.set(name, value.clone());
        }
    }

    pub(super) fn put(&mut self, name: &str, value: Json) {
        self.0.set(name, value);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn json(&self) -> Json {
        Json::from_text(self.to_text(|_| true))
    }

    /// The object with those values that are wanted.
    pub(super) fn to_text(&self, wanted: impl Fn(&Json) -> bool) -> String {
        let length = self.0.iter().map(|(name, value)| name.len() + value.as_str().len() + 4).sum::<usize>();
        let mut text = String::with_capacity(length + 2);
        text.push('{');
        for (name, value) in self.0.iter().filter(|(_, value)| wanted(value)) {
            if text.len() > 1 {
                text.push(',');
            }
            if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                text.extend(["\"", name, "\":"]);
            } else {
                text.extend([Json::string(name).as_str(), ":"]);
            }
            text.push_str(value.as_str());
        }
        text.push('}');
        text
    }
}

/// A list of JSON values, each as it stands.
pub(super) fn array(items: &[Json]) -> Json {
    let mut text = String::with_capacity(items.iter().map(|item| item.as_str().len() + 1).sum::<usize>() + 2);
    for item in items {
        text.push(if text.is_empty() { '[' } else { ',' });
        text.push_str(item.as_str());
    }
    text.push_str(if text.is_empty() { "[]" } else { "]" });
    Json::from_text(text)
}

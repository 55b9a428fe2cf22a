use std::collections::BTreeMap;

use interlingua_model::Effort;
use serde_json::Value;

use crate::provider::{
    Auth, Endpoint, Family, Header, Key, Kind, Listing, Page, Patch, Provider, Text, Variable,
};
use crate::{Protocol, anthropic, openai_chat, openai_responses};

/// A row while it is written down.
#[derive(Debug)]
pub(super) struct Row(Provider);

/// Protocols by a short name.
pub(super) const CHAT: Protocol = Protocol::OpenaiChat;
pub(super) const RESPONSES: Protocol = Protocol::OpenaiResponses;
pub(super) const ANTHROPIC: Protocol = Protocol::Anthropic;

/// A row of a kind, verified until it says otherwise.
pub(super) fn row(kind: Kind, id: &'static str, name: &'static str) -> Row {
    let mut provider = Provider::new(id, CHAT, "");
    provider.endpoints.clear();
    provider.name = Text::Borrowed(name);
    provider.kind = kind;
    provider.verified = true;
    Row(provider)
}

impl Row {
    pub(super) fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.0.aliases = texts(aliases);
        self
    }

    pub(super) fn chat(self, base_url: &'static str) -> Self {
        self.endpoint(CHAT, base_url)
    }

    pub(super) fn responses(self, base_url: &'static str) -> Self {
        self.endpoint(RESPONSES, base_url)
    }

    pub(super) fn anthropic(self, base_url: &'static str) -> Self {
        self.endpoint(ANTHROPIC, base_url)
    }

    fn endpoint(mut self, protocol: Protocol, base_url: &'static str) -> Self {
        self.0.endpoints.push(Endpoint::new(protocol, base_url));
        self
    }

    /// The endpoint just named takes its key in its own way.
    pub(super) fn with_auth(mut self, auth: Auth) -> Self {
        if let Some(endpoint) = self.0.endpoints.last_mut() {
            endpoint.auth = Some(auth);
        }
        self
    }

    /// Recorded traffic of the endpoint just named was decoded.
    pub(super) fn recorded(mut self) -> Self {
        if let Some(endpoint) = self.0.endpoints.last_mut() {
            endpoint.recorded = true;
        }
        self
    }

    pub(super) fn root(mut self, root: &'static str) -> Self {
        self.0.root = Text::Borrowed(root);
        self
    }

    pub(super) fn auth(mut self, auth: Auth) -> Self {
        self.0.auth = auth;
        self
    }

    pub(super) fn keys(mut self, variables: &'static [&'static str]) -> Self {
        self.0.keys = variables.iter().copied().map(Key::new).collect();
        self
    }

    /// One more variable, whose key is sent in its own way.
    pub(super) fn key_as(mut self, variable: &'static str, auth: Auth) -> Self {
        let mut key = Key::new(variable);
        key.auth = Some(auth);
        self.0.keys.push(key);
        self
    }

    pub(super) fn base_url_env(mut self, variables: &'static [&'static str]) -> Self {
        self.0.base_url_env = texts(variables);
        self
    }

    pub(super) fn variable(mut self, name: &'static str, env: &'static [&'static str]) -> Self {
        self.0.variables.push(Variable::new(name, env.iter().copied()));
        self
    }

    /// The variable just named has a value even when it is not set.
    pub(super) fn or(mut self, value: &'static str) -> Self {
        if let Some(variable) = self.0.variables.last_mut() {
            variable.default = Some(Text::Borrowed(value));
        }
        self
    }

    pub(super) fn models(mut self, url: &'static str) -> Self {
        self.0.models = Some(Listing::new(url));
        self
    }

    /// Models in a list of another shape.
    pub(super) fn models_in(mut self, url: &'static str, items: &'static str, id: &'static str) -> Self {
        let mut listing = Listing::new(url);
        (listing.items, listing.id) = (Text::Borrowed(items), Text::Borrowed(id));
        self.0.models = Some(listing);
        self
    }

    /// Changes the listing just named.
    pub(super) fn listing(mut self, change: impl FnOnce(&mut Listing)) -> Self {
        if let Some(listing) = &mut self.0.models {
            change(listing);
        }
        self
    }

    pub(super) fn default_model(mut self, model: &'static str) -> Self {
        self.0.default_model = Text::Borrowed(model);
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.0.headers.push(Header::new(name, value));
        self
    }

    pub(super) fn note(mut self, note: &'static str) -> Self {
        self.0.note = Text::Borrowed(note);
        self
    }

    pub(super) fn unverified(mut self) -> Self {
        self.0.verified = false;
        self
    }

    pub(super) fn speaks_chat(mut self, change: impl FnOnce(&mut openai_chat::Dialect)) -> Self {
        change(&mut self.0.chat);
        self
    }

    pub(super) fn speaks_responses(mut self, change: impl FnOnce(&mut openai_responses::Dialect)) -> Self {
        change(&mut self.0.responses);
        self
    }

    pub(super) fn speaks_anthropic(mut self, change: impl FnOnce(&mut anthropic::Dialect)) -> Self {
        change(&mut self.0.anthropic);
        self
    }

    pub(super) fn families(mut self, families: impl IntoIterator<Item = Family>) -> Self {
        self.0.families.extend(families);
        self
    }
}

impl From<Row> for Provider {
    fn from(row: Row) -> Self {
        row.0
    }
}

impl Family {
    /// These models are asked in this protocol.
    pub(super) const fn in_protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = Some(protocol);
        self
    }

    /// These models change this in both OpenAI dialects, which have the field by the same name.
    pub(super) fn both(self, patch: &Value) -> Self {
        self.chat(patch).responses(patch)
    }

    pub(super) fn chat(mut self, patch: &Value) -> Self {
        extend(&mut self.chat, patch);
        self
    }

    pub(super) fn responses(mut self, patch: &Value) -> Self {
        extend(&mut self.responses, patch);
        self
    }

    pub(super) fn anthropic(mut self, patch: &Value) -> Self {
        extend(&mut self.anthropic, patch);
        self
    }
}

fn extend(patch: &mut Patch, more: &Value) {
    if let Value::Object(fields) = more {
        let mut all = std::mem::take(patch).into_fields();
        all.extend(fields.clone());
        *patch = Patch::new(all);
    }
}

fn texts(words: &'static [&'static str]) -> Vec<Text> {
    words.iter().copied().map(Text::Borrowed).collect()
}

/// A bare key in a header.
pub(super) const fn in_header(name: &'static str) -> Auth {
    Auth::Header(Text::Borrowed(name))
}

/// A way to log in that is not known yet.
pub(super) const fn unsupported(what: &'static str) -> Auth {
    Auth::Unsupported(Text::Borrowed(what))
}

/// The words of levels of effort.
pub(super) fn words(of: &[(Effort, &str)]) -> BTreeMap<Effort, String> {
    of.iter().map(|(effort, word)| (*effort, (*word).to_owned())).collect()
}

/// A field of every body.
pub(super) fn field(name: &str, value: Value) -> (String, Value) {
    (name.to_owned(), value)
}

/// The page after an item by its name, as lists with `has_more` have it.
pub(super) fn after_last() -> Page {
    let mut page = Page::new("last_id", "after_id");
    page.more = Text::Borrowed("has_more");
    page
}

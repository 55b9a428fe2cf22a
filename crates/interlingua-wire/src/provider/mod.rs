//! A provider is a row: where it is, how it is paid for, what it speaks, and in which dialect.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use interlingua_model::{Error, ErrorKind};
use serde::Serialize;
use serde_json::Value;

#[cfg(feature = "server")]
use crate::Serve;
use crate::fields::{Field, deserialize, each, fields, unknown, words};
use crate::{Codec, Protocol, Table};

mod decisions;
mod exchange;
mod family;
mod listing;
mod url;
mod variable;

pub use decisions::{DecisionStyle, Decisions};
pub use exchange::{Exchange, Expiry};
pub use family::{Dialect, Family, Patch};
pub use listing::{Listing, ModelInfo, Models, Page};
pub use url::join;
use url::{completed, placeholders, rebase};
pub use variable::{Case, Variable, with_model};
use variable::{LATER, MODEL};

/// Text of a row: static in the built-in table, owned when it comes from a user's file.
pub type Text = Cow<'static, str>;

fields! {
    from Self::new("", Protocol::OpenaiChat, ""); needs "id", "endpoints";

    /// A service that answers requests, as data.
    ///
    /// The built-in rows are in [`catalog`](crate::catalog); a user's own file adds rows of the same shape with the same
    /// power. Fields that a row leaves out have their defaults. Placeholders in URLs and header values stand in braces
    /// and are filled from [`variables`](Self::variables).
    ///
    /// ```
    /// use interlingua_wire::{Protocol, Provider};
    ///
    /// let row = r#"{
    ///     "id": "attic",
    ///     "endpoints": [{ "protocol": "openai_chat", "base_url": "http://attic:8000/v1" }],
    ///     "auth": "none_or_bearer",
    ///     "keys": ["ATTIC_KEY"]
    /// }"#;
    /// let attic: Provider = serde_json::from_str(row)?;
    /// attic.check()?;
    /// assert_eq!(attic.protocol_for("any-model")?, Protocol::OpenaiChat);
    /// assert_eq!(attic.base_url(Protocol::OpenaiChat, None, &|_| None)?, "http://attic:8000/v1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[non_exhaustive]
    pub struct Provider {
        /// The word before the slash in `provider/model`: small letters, digits and dashes.
        pub id: Text,
        /// The name for people; the id when empty.
        #[serde(default, skip_serializing_if = "str::is_empty")]
        pub name: Text,
        /// Other words that mean the same provider.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub aliases: Vec<Text>,
        /// What kind of service it is.
        #[serde(default)]
        pub kind: Kind,
        /// What the base URLs have in common, when another host can stand in for it; else empty, and the base URL of the
        /// first endpoint takes its place. See [`base_url`](Self::base_url).
        #[serde(default, skip_serializing_if = "str::is_empty")]
        pub root: Text,
        /// The protocols it speaks and where. The first one is preferred.
        pub endpoints: Vec<Endpoint>,
        /// How a key is sent.
        #[serde(default)]
        pub auth: Auth,
        /// The environment variables that may hold the key, the first one first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub keys: Vec<Key>,
        /// The environment variables that may hold another [`root`](Self::root).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub base_url_env: Vec<Text>,
        /// What fills the placeholders.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub variables: Vec<Variable>,
        /// Where its models are listed, when they are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub models: Option<Listing>,
        /// Where it decides typed questions, when it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub decisions: Option<Decisions>,
        /// Headers that every call carries. Values may hold placeholders; one that comes out empty is left out.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub headers: Vec<Header>,
        /// How it speaks its protocols: the fields in which it differs from the default dialect of each.
        #[serde(default, skip_serializing_if = "Table::is_empty")]
        pub dialect: Table<Protocol, Patch>,
        /// What is changed in the body of each request, after the codec has written it: see [`Patch::apply_to`]. For fields of the
        /// service that no dialect has.
        #[serde(default, skip_serializing_if = "Patch::is_empty")]
        pub body: Patch,
        /// The model for someone who names none: able and cheap enough for any question. Empty when none was vetted.
        #[serde(default, skip_serializing_if = "str::is_empty")]
        pub default_model: Text,
        /// What holds for some of its models only, applied in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub families: Vec<Family>,
        /// Whether its URL was seen in the vendor's own or another client's source; a row that says no is a good guess.
        #[serde(default)]
        pub verified: bool,
        /// Its name in traces and metrics, where OpenTelemetry's conventions have one that is not its id.
        #[serde(default, skip_serializing_if = "str::is_empty")]
        pub telemetry: Text,
        /// What a user should know before the first call, in one line.
        #[serde(default, skip_serializing_if = "str::is_empty")]
        pub note: Text,
    }
}

words! {
    /// What kind of service a provider is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
    #[non_exhaustive]
    pub enum Kind {
        /// It serves the models it makes.
        Vendor = "vendor",
        /// A cloud platform with its own accounts.
        Cloud = "cloud",
        /// It serves models that others make.
        #[default]
        Host = "host",
        /// It passes requests on to other services.
        Gateway = "gateway",
        /// A program on this machine or in this house.
        Local = "local",
    }
}

fields! {
    from Self::new(Protocol::OpenaiChat, ""); needs "protocol", "base_url";

    /// One protocol that a provider speaks.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Endpoint {
        /// The protocol.
        pub protocol: Protocol,
        /// The URL to which the path of a [`Call`](crate::Call) is appended.
        pub base_url: Text,
        /// How a key is sent here, when not as [`Provider::auth`] says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub auth: Option<Auth>,
        /// Whether real traffic of this provider in this protocol was decoded by this library. Otherwise the row is known
        /// from documents and from other clients' source only.
        #[serde(default)]
        pub recorded: bool,
    }
}

/// How a key is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Auth {
    /// `Authorization: Bearer KEY`.
    #[default]
    Bearer,
    /// The bare key in a header of this name.
    Header(Text),
    /// No key.
    None,
    /// `Authorization: Bearer KEY` when there is a key, else nothing.
    NoneOrBearer,
    /// Signed with AWS credentials for the service of this name (`SigV4`). How a key is sent that is given all the same, see
    /// [`Provider::given_auth`].
    Sigv4(Text),
    /// `Authorization: Bearer TOKEN`, where the token is got with credentials of Google Cloud.
    Google,
    /// Signed with the key of a user of Oracle Cloud (HTTP signatures). How a key is sent that is given all the same, see
    /// [`Provider::given_auth`].
    Oracle,
    /// `Authorization: Bearer TOKEN`, where the token is got for the key.
    Exchange(Box<Exchange>),
    /// A way that this library does not know yet, by name.
    Unsupported(Text),
}

/// An environment variable that may hold a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "KeyShape")]
#[non_exhaustive]
pub struct Key {
    /// The name of the variable.
    pub variable: Text,
    /// How the key in it is sent, when not as [`Provider::auth`] says.
    pub auth: Option<Auth>,
}

/// In a file a key is its variable's name, or a table when it is sent in its own way.
#[derive(Serialize)]
#[serde(untagged)]
enum KeyShape {
    Name(Text),
    Table { variable: Text, auth: Option<Auth> },
}

fields! {
    from Self::new("", ""); needs "name", "value";

    /// A header that every call carries.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Header {
        /// The name.
        pub name: Text,
        /// The value, which may hold placeholders.
        pub value: Text,
    }
}

/// A codec of one of the protocols with all the halves that are built.
#[cfg(feature = "server")]
type Made = dyn Serve;
#[cfg(not(feature = "server"))]
type Made = dyn Codec;

impl Provider {
    /// A row with an id and one endpoint; the rest is set field by field.
    pub fn new(id: impl Into<Text>, protocol: Protocol, base_url: impl Into<Text>) -> Self {
        Self {
            id: id.into(),
            name: Text::default(),
            aliases: Vec::new(),
            kind: Kind::default(),
            root: Text::default(),
            endpoints: vec![Endpoint::new(protocol, base_url)],
            auth: Auth::default(),
            keys: Vec::new(),
            base_url_env: Vec::new(),
            variables: Vec::new(),
            models: None,
            decisions: None,
            headers: Vec::new(),
            dialect: Table::new(),
            body: Patch::default(),
            default_model: Text::default(),
            families: Vec::new(),
            verified: false,
            telemetry: Text::default(),
            note: Text::default(),
        }
    }

    /// The name for people.
    pub fn display_name(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }

    /// Whether a word means this provider.
    pub fn answers_to(&self, word: &str) -> bool {
        self.id == word || self.aliases.iter().any(|alias| alias == word)
    }

    /// The protocol in which a model is asked: that of its family, else the first one that is part of this program.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the row has no endpoint.
    pub fn protocol_for(&self, model: &str) -> Result<Protocol, Error> {
        let asked = self.families_of(model).filter_map(|family| family.protocol).last();
        let spoken = || self.endpoints.iter().map(|endpoint| endpoint.protocol);
        let first = || spoken().find(|protocol| protocol.is_built()).or_else(|| spoken().next());
        asked.or_else(first).ok_or_else(|| self.unasked())
    }

    /// The codec that speaks to a model: the row's dialect, changed by the families of the model.
    ///
    /// ```
    /// use interlingua_model::Request;
    /// use interlingua_wire::{Mode, Protocol, catalog};
    ///
    /// let codec = catalog::find("mistral").expect("a row").codec(Protocol::OpenaiChat, "mistral-small")?;
    /// let call = codec.encode(&Request::new("mistral-small").user("hi"), Mode::Whole)?.call;
    /// assert_eq!(call.path, "/chat/completions");
    /// # Ok::<(), interlingua_model::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the provider does not speak the protocol or a family's patch does not fit.
    pub fn codec(&self, protocol: Protocol, model: &str) -> Result<Box<dyn Codec>, Error> {
        let codec: Box<dyn Codec> = self.made(protocol, model)?;
        Ok(codec)
    }

    /// The same codec with its server half. A program that is a client only leaves this one out, and the code of the server
    /// halves with it.
    ///
    /// # Errors
    /// As [`codec`](Self::codec).
    #[cfg(feature = "server")]
    pub fn server(&self, protocol: Protocol, model: &str) -> Result<Box<dyn Serve>, Error> {
        self.made(protocol, model)
    }

    /// The list of the codecs: the one place to which a new protocol is added.
    fn made(&self, protocol: Protocol, model: &str) -> Result<Box<Made>, Error> {
        self.endpoint(protocol)?;
        Ok(match protocol {
            #[cfg(feature = "openai-chat")]
            Protocol::OpenaiChat => Box::new(crate::openai_chat::OpenaiChat::new(self.dialect(model)?)),
            #[cfg(feature = "openai-responses")]
            Protocol::OpenaiResponses => {
                Box::new(crate::openai_responses::OpenaiResponses::new(self.dialect(model)?))
            }
            #[cfg(feature = "anthropic")]
            Protocol::Anthropic => Box::new(crate::anthropic::Anthropic::new(self.dialect(model)?)),
            #[cfg(feature = "cohere")]
            Protocol::Cohere => Box::new(crate::cohere::Cohere::new(self.dialect(model)?)),
            #[cfg(feature = "bedrock")]
            Protocol::Bedrock => Box::new(crate::bedrock::Bedrock::new(self.dialect(model)?)),
            #[cfg(feature = "gemini")]
            Protocol::Gemini => Box::new(crate::gemini::Gemini::new(self.dialect(model)?)),
            #[cfg(feature = "ollama")]
            Protocol::Ollama => Box::new(crate::ollama::Ollama::new(self.dialect(model)?)),
            #[cfg(feature = "gemini-interactions")]
            Protocol::GeminiInteractions => {
                Box::new(crate::gemini_interactions::GeminiInteractions::new(self.dialect(model)?))
            }
            #[cfg(not(feature = "protocols"))]
            other => return Err(not_built(other, model)),
        })
    }

    /// How a model is spoken to in the protocol of this dialect: the row's own fields, changed by the families of the
    /// model.
    ///
    /// ```
    /// use interlingua_wire::{catalog, openai_chat};
    ///
    /// let openai = catalog::find("openai").expect("a row");
    /// let dialect: openai_chat::Dialect = openai.dialect("gpt-4o-mini")?;
    /// assert_eq!(dialect.reasoning, openai_chat::ReasoningSwitch::Refused);
    /// # Ok::<(), interlingua_model::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when a field does not exist or a value does not fit it.
    pub fn dialect<D: Dialect>(&self, model: &str) -> Result<D, Error> {
        let own = self.dialect.get(&D::PROTOCOL);
        let families = self.families_of(model).filter_map(|family| family.dialect.get(&D::PROTOCOL));
        let mut all = own.cloned().unwrap_or_default();
        families.for_each(|patch| all.merge(patch));
        all.read().map_err(|error| self.wrong(error.message()))
    }

    /// Whether a family of a model says something of one of these fields of a dialect, so that nobody else's word counts.
    ///
    /// ```
    /// use interlingua_wire::{Protocol, catalog};
    ///
    /// let openai = catalog::find("openai").expect("a row");
    /// assert!(openai.family_says(Protocol::OpenaiResponses, "gpt-6-sol", &["sampling"]));
    /// assert!(!openai.family_says(Protocol::OpenaiResponses, "gpt-6-sol", &["tools"]));
    /// ```
    pub fn family_says(&self, protocol: Protocol, model: &str, fields: &[&str]) -> bool {
        let mut patches = self.families_of(model).filter_map(|family| family.dialect.get(&protocol));
        patches.any(|patch| patch.iter().any(|(name, _)| fields.contains(&name)))
    }

    /// What is changed in the body of a request to a model, after the codec has written it. Texts in which all placeholders
    /// are variables of the row are filled.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when a placeholder has no value.
    pub fn body_patch(&self, model: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Patch, Error> {
        let mut all = self.body.clone();
        self.families_of(model).for_each(|family| all.merge(&family.body));
        all.try_map(&|text| {
            let is_own = |name: &str| self.variables.iter().any(|variable| variable.name == name);
            let mut names = placeholders(text).peekable();
            if names.peek().is_some() && names.all(is_own) {
                self.fill(text, lookup)
            } else {
                Ok(text.to_owned())
            }
        })
    }

    /// Where a protocol is spoken.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], naming what it does speak, when the provider does not speak the protocol.
    pub fn endpoint(&self, protocol: Protocol) -> Result<&Endpoint, Error> {
        let found = self.endpoints.iter().find(|endpoint| endpoint.protocol == protocol);
        found.ok_or_else(|| {
            let spoken: Vec<_> = self.endpoints.iter().map(|endpoint| endpoint.protocol.id()).collect();
            self.wrong(&format!("does not speak {protocol}, only {}", spoken.join(", ")))
        })
    }

    /// How a key is sent: as the variable it came from says, else the endpoint, else the row.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] when this library does not know the way, with what to do instead.
    pub fn auth_for(&self, protocol: Protocol, variable: Option<&str>) -> Result<&Auth, Error> {
        let endpoint = self.endpoints.iter().find(|endpoint| endpoint.protocol == protocol);
        let own = || endpoint.and_then(|endpoint| endpoint.auth.as_ref());
        self.known(self.key_auth(variable).or_else(own).unwrap_or(&self.auth))
    }

    /// How a key is sent that the program gives: as [`auth_for`](Self::auth_for) says, and where calls are signed without a
    /// key, as the key of the first variable is sent.
    ///
    /// ```
    /// use interlingua_wire::{Auth, Protocol, catalog};
    ///
    /// let platform = catalog::find("claude-platform-aws").expect("a row");
    /// assert_eq!(platform.auth_for(Protocol::Anthropic, None)?, &Auth::Sigv4("aws-external-anthropic".into()));
    /// assert_eq!(platform.given_auth(Some(Protocol::Anthropic))?, &Auth::Header("x-api-key".into()));
    /// # Ok::<(), interlingua_model::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`auth_for`](Self::auth_for).
    pub fn given_auth(&self, protocol: Option<Protocol>) -> Result<&Auth, Error> {
        let auth =
            protocol.map_or_else(|| self.listing_auth(None), |protocol| self.auth_for(protocol, None))?;
        let first = || self.keys.first().map(|key| key.auth.as_ref().unwrap_or(&Auth::Bearer));
        Ok(if matches!(auth, Auth::Sigv4(_) | Auth::Oracle) { first().unwrap_or(auth) } else { auth })
    }

    /// How a key is sent when the models are listed, which no endpoint but the row decides.
    ///
    /// # Errors
    /// As [`auth_for`](Self::auth_for).
    pub fn listing_auth(&self, variable: Option<&str>) -> Result<&Auth, Error> {
        self.known(self.key_auth(variable).unwrap_or(&self.auth))
    }

    /// The environment variables that may hold the key, the first one first.
    pub fn key_vars(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| &*key.variable)
    }

    /// The value of a placeholder, such as the region that a signature is for.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when it has none.
    pub fn variable(&self, name: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, Error> {
        variable::value_of(self, &self.variables, name, lookup)
    }

    /// Whether a call without a key is bound to fail.
    pub const fn needs_key(&self) -> bool {
        !matches!(self.auth, Auth::None | Auth::NoneOrBearer)
    }

    /// Whether it runs on this machine or in this house, so that nothing leaves it.
    pub const fn is_local(&self) -> bool {
        matches!(self.kind, Kind::Local)
    }

    /// The base URL of a protocol with every placeholder filled.
    ///
    /// `root` is what the caller wants in place of [`root`](Self::root); without it the variables of
    /// [`base_url_env`](Self::base_url_env) are asked. `lookup` answers for environment variables. Another root may be
    /// given with or without a scheme and with or without the path that follows the root in the row. Where the row wants the
    /// name of the model in its URL, `{model}` stays in its place for [`with_model`].
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the protocol is not spoken or a placeholder has no value.
    pub fn base_url(
        &self,
        protocol: Protocol,
        root: Option<&str>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<String, Error> {
        let endpoint = self.endpoint(protocol)?;
        let template = match self.other_root(root, lookup) {
            Some(other) => rebase(&endpoint.base_url, self.own_root(), &other),
            None => endpoint.base_url.to_string(),
        };
        self.fill(&template, lookup)
    }

    /// The URL of the list of models with every placeholder filled; `None` when there is no list.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when a placeholder has no value.
    pub fn models_url(
        &self,
        root: Option<&str>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, Error> {
        self.models.as_ref().map(|listing| self.placed(&listing.url, root, lookup)).transpose()
    }

    /// The URL at which questions are decided with every placeholder filled; `None` when there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when a placeholder has no value.
    pub fn decisions_url(
        &self,
        root: Option<&str>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<String>, Error> {
        self.decisions.as_ref().map(|decisions| self.placed(&decisions.url, root, lookup)).transpose()
    }

    /// A URL below the root of the row or another one, or whole.
    fn placed(
        &self,
        url: &str,
        root: Option<&str>,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Result<String, Error> {
        if url.contains("://") {
            return self.fill(url, lookup);
        }
        let own = self.own_root();
        let whole = join(own, url);
        let other = self.other_root(root, lookup);
        self.fill(&other.map_or_else(|| whole.clone(), |other| rebase(&whole, own, &other)), lookup)
    }

    /// The headers that every call carries, with every placeholder filled.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when a placeholder has no value or a header is malformed.
    pub fn static_headers(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::with_capacity(self.headers.len());
        for header in &self.headers {
            let value = self.fill(&header.value, lookup)?;
            if value.is_empty() {
                continue;
            }
            let malformed = || self.wrong(&format!("has a malformed header `{}`", header.name));
            let name = HeaderName::try_from(&*header.name).map_err(|_| malformed())?;
            headers.insert(name, HeaderValue::try_from(value).map_err(|_| malformed())?);
        }
        Ok(headers)
    }

    /// Says what is wrong with the row: the one call to make after reading it from a file.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a malformed id, no endpoint and no note that says why, a URL that is none, a placeholder without a
    /// variable, a malformed header, a family whose protocol is not spoken or a field that a dialect does not have.
    pub fn check(&self) -> Result<(), Error> {
        let of_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if self.id.is_empty() || !self.id.chars().all(of_id) {
            return Err(self.wrong("needs an id of small letters, digits and dashes"));
        }
        if self.endpoints.is_empty() && self.note.is_empty() {
            return Err(self.wrong("has no endpoint, and no note that says why"));
        }
        variable::check(self)?;
        variable::check_texts(self, self.endpoints.iter().map(|endpoint| &*endpoint.base_url), &[MODEL])?;
        variable::check_texts(self, self.headers.iter().map(|header| &*header.value), &[])?;
        variable::check_texts(self, self.models.iter().map(|listing| &*listing.url), &[])?;
        variable::check_texts(self, self.decisions.iter().map(|decisions| &*decisions.url), &[])?;
        for exchange in self.exchanges() {
            variable::check_texts(self, [&*exchange.url], &[])?;
            variable::check_texts(self, exchange.values(), &LATER)?;
        }
        let sample = |_: &str| Some("x".to_owned());
        for endpoint in &self.endpoints {
            let url = self.base_url(endpoint.protocol, Some(&endpoint.base_url), &sample)?;
            self.check_url(&with_model(url, "x"))?;
        }
        self.static_headers(&sample)?;
        self.families
            .iter()
            .filter_map(|family| family.protocol)
            .try_for_each(|p| self.endpoint(p).map(|_| ()))?;
        let of_families = self.families.iter().flat_map(|family| &family.dialect);
        self.dialect
            .iter()
            .chain(of_families)
            .try_for_each(|(protocol, patch)| self.check_patch(*protocol, patch))
    }

    /// Every way in which a key of the row is exchanged.
    fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        let of_keys = self.keys.iter().filter_map(|key| key.auth.as_ref());
        let of_endpoints = self.endpoints.iter().filter_map(|endpoint| endpoint.auth.as_ref());
        let all = std::iter::once(&self.auth).chain(of_endpoints).chain(of_keys);
        all.filter_map(|auth| if let Auth::Exchange(exchange) = auth { Some(&**exchange) } else { None })
    }

    fn check_patch(&self, protocol: Protocol, patch: &Patch) -> Result<(), Error> {
        let read: Result<(), Error> = match protocol {
            #[cfg(feature = "openai-chat")]
            Protocol::OpenaiChat => patch.read::<crate::openai_chat::Dialect>().map(|_| ()),
            #[cfg(feature = "openai-responses")]
            Protocol::OpenaiResponses => patch.read::<crate::openai_responses::Dialect>().map(|_| ()),
            #[cfg(feature = "anthropic")]
            Protocol::Anthropic => patch.read::<crate::anthropic::Dialect>().map(|_| ()),
            #[cfg(feature = "cohere")]
            Protocol::Cohere => patch.read::<crate::cohere::Dialect>().map(|_| ()),
            #[cfg(feature = "bedrock")]
            Protocol::Bedrock => patch.read::<crate::bedrock::Dialect>().map(|_| ()),
            #[cfg(feature = "gemini")]
            Protocol::Gemini => patch.read::<crate::gemini::Dialect>().map(|_| ()),
            #[cfg(feature = "ollama")]
            Protocol::Ollama => patch.read::<crate::ollama::Dialect>().map(|_| ()),
            #[cfg(feature = "gemini-interactions")]
            Protocol::GeminiInteractions => patch.read::<crate::gemini_interactions::Dialect>().map(|_| ()),
            #[cfg(not(feature = "protocols"))]
            _ => Ok(()),
        };
        read.map_err(|error| self.wrong(error.message()))
    }

    fn check_url(&self, url: &str) -> Result<(), Error> {
        let uri = url
            .parse::<http::Uri>()
            .map_err(|error| self.wrong(&format!("has a bad URL `{url}`: {error}")))?;
        match uri.scheme_str() {
            Some("http" | "https") if uri.host().is_some_and(|host| !host.is_empty()) => Ok(()),
            _ => Err(self.wrong(&format!("has a URL that is neither http nor https: `{url}`"))),
        }
    }

    fn key_auth(&self, variable: Option<&str>) -> Option<&Auth> {
        let name = variable?;
        self.keys.iter().find(|key| key.variable == name)?.auth.as_ref()
    }

    fn known<'a>(&self, auth: &'a Auth) -> Result<&'a Auth, Error> {
        let Auth::Unsupported(what) = auth else { return Ok(auth) };
        let message = format!(
            "provider `{}` wants {what}, which is not supported yet; a row of your own with `auth = \"bearer\"` can \
             send a token that you obtained elsewhere",
            self.id
        );
        Err(Error::new(ErrorKind::Unsupported, message))
    }

    fn families_of<'a>(&'a self, model: &'a str) -> impl Iterator<Item = &'a Family> {
        self.families.iter().filter(move |family| family.matches(model))
    }

    fn own_root(&self) -> &str {
        let first = || self.endpoints.first().map_or("", |endpoint| &endpoint.base_url);
        if self.root.is_empty() { first() } else { &self.root }
    }

    fn other_root(&self, root: Option<&str>, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let set = || {
            self.base_url_env.iter().find_map(|name| lookup(name).filter(|value| !value.trim().is_empty()))
        };
        let root = root.map(ToOwned::to_owned).or_else(set)?;
        Some(completed(root.trim().trim_end_matches('/'), self.own_root()))
    }

    /// A text of the row with every placeholder filled, as the URLs are.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when a placeholder has no value.
    pub fn filled(&self, template: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, Error> {
        self.fill(template, lookup)
    }

    fn fill(&self, template: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, Error> {
        variable::fill(self, &self.variables, template, lookup)
    }

    /// The error of a service that does not take conversations.
    fn unasked(&self) -> Error {
        let message = format!("provider `{}` cannot be asked: {}", self.id, self.note);
        Error::new(ErrorKind::Unsupported, message)
    }

    fn wrong(&self, what: &str) -> Error {
        let message = format!("provider `{}` {what}", self.id);
        Error::new(ErrorKind::Configuration, message)
    }
}

impl Endpoint {
    /// A protocol and its base URL.
    pub fn new(protocol: Protocol, base_url: impl Into<Text>) -> Self {
        Self { protocol, base_url: base_url.into(), auth: None, recorded: false }
    }
}

impl Key {
    /// A key in a variable, sent as the row says.
    pub fn new(variable: impl Into<Text>) -> Self {
        Self { variable: variable.into(), auth: None }
    }
}

impl Field for Key {
    fn read(value: Value) -> Result<Self, String> {
        let mut key = Self::new("");
        if value.is_string() {
            key.variable.put(value)?;
            return Ok(key);
        }
        each(value, &["variable"], "variable auth", &mut |name, value| match name {
            "variable" => key.variable.put(value),
            _ => key.auth.put(value),
        })?;
        Ok(key)
    }
}

deserialize!(Key);

impl Field for Auth {
    fn read(value: Value) -> Result<Self, String> {
        const PLAIN: &str = "bearer none none_or_bearer google oracle";
        const TABLES: &str = "header sigv4 exchange unsupported";
        if let Value::String(word) = &value {
            return Ok(match word.as_str() {
                "bearer" => Self::Bearer,
                "none" => Self::None,
                "none_or_bearer" => Self::NoneOrBearer,
                "google" => Self::Google,
                "oracle" => Self::Oracle,
                _ => return Err(unknown("variant", word, PLAIN)),
            });
        }
        let mut auth = None;
        each(value, &[], TABLES, &mut |name, value| {
            auth = Some(match name {
                "header" => Self::Header(Text::read(value)?),
                "sigv4" => Self::Sigv4(Text::read(value)?),
                "exchange" => Self::Exchange(Box::read(value)?),
                _ => Self::Unsupported(Text::read(value)?),
            });
            Ok(())
        })?;
        auth.ok_or_else(|| unknown("table", "", TABLES))
    }
}

deserialize!(Auth);

impl From<Key> for KeyShape {
    fn from(key: Key) -> Self {
        match key.auth {
            None => Self::Name(key.variable),
            auth => Self::Table { variable: key.variable, auth },
        }
    }
}

impl Header {
    /// A header of a name and a value.
    pub fn new(name: impl Into<Text>, value: impl Into<Text>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

#[cfg(not(feature = "protocols"))]
fn not_built(protocol: Protocol, model: &str) -> Error {
    let feature = protocol.id().replace('_', "-");
    let message = format!(
        "{protocol}, in which `{model}` is asked, is not part of this program: build it with the feature `{feature}`"
    );
    Error::new(ErrorKind::Unsupported, message)
}

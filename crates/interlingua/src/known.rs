//! What is known of models beforehand: limits, abilities, prices.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, Method};
use interlingua_catalog::{Catalog, Cost, Model, Tier};
use interlingua_model::{Error, ErrorKind, Json, Request, Response, Warning};

use crate::client::Inner;
use crate::exchange::fetch;
use crate::plan::Outgoing;
use crate::route::Route;
use crate::{Client, ContextGuard};

impl Inner {
    pub(crate) fn catalog(&self) -> &Catalog {
        self.catalog.as_ref().unwrap_or_else(|| Catalog::built_in())
    }
}

impl Client {
    /// What is known of models: the built-in catalogue, or the one that the client was [given](crate::ClientBuilder::catalog).
    pub fn catalog(&self) -> &Catalog {
        self.0.catalog()
    }

    /// What is known of a model, which is written `provider/model`.
    ///
    /// ```
    /// use interlingua::Client;
    ///
    /// let client = Client::builder().env(|_| None).build()?;
    /// let model = client.known("claude/claude-opus-5-5")?.expect("a known model");
    /// assert_eq!(model.context, Some(1_000_000));
    /// assert!(client.known("openai/gpt-of-tomorrow")?.is_none());
    /// # Ok::<(), interlingua::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is no such provider.
    pub fn known(&self, model: &str) -> Result<Option<Model>, Error> {
        let (word, model) = self.0.registry.split(model)?;
        match self.0.registry.answerer(word)? {
            crate::registry::Answerer::Provider(provider) => Ok(self.catalog().find(&provider.id, model)),
            crate::registry::Answerer::Backend(..) => Ok(None),
        }
    }

    /// Reads a catalogue from a file or from an address that begins with `https://` or `http://`: the text form of
    /// [`Catalog`], or the JSON of litellm, whose newest is [`CATALOG_URL`].
    ///
    /// # Errors
    /// When the file cannot be read, the server does not answer with it, or it is neither of the two.
    pub async fn read_catalog(&self, source: &str) -> Result<Catalog, Error> {
        let is_address = ["https://", "http://"].iter().any(|scheme| source.starts_with(scheme));
        let text = if is_address { self.0.fetch_text(source).await? } else { read_file(source)? };
        if !text.trim_start().starts_with('{') {
            return Catalog::parse(text).map_err(|error| wrong(source, &error));
        }
        let made = interlingua_catalog::convert(&text).map_err(|error| wrong(source, &error))?;
        if made.models.is_empty() {
            return Err(wrong(source, "it has no models"));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let day = interlingua_catalog::day(now.as_secs());
        Ok(Catalog::new(&day, &format!("{source} (litellm, MIT License)"), made.models))
    }

    /// What an answer cost, exactly; `None` when a price that it needs, or a figure of its use, is not known.
    ///
    /// The prices are those of the model that was asked, at the class of service that the provider says it has given.
    pub fn cost(&self, response: &Response) -> Option<Cost> {
        let origin = response.message.origin.as_ref()?;
        let model = self.catalog().find(&origin.provider, &origin.model)?;
        model.prices.cost(&response.usage, tier(response, &origin.protocol)?)
    }
}

/// Where litellm keeps its newest catalogue.
pub const CATALOG_URL: &str =
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json";

impl Inner {
    /// The text at an address, all of it.
    async fn fetch_text(&self, address: &str) -> Result<String, Error> {
        let failed = |kind, message: String| Error::new(kind, format!("{address}: {message}"));
        let uri = address.parse().map_err(|error| failed(ErrorKind::Configuration, format!("{error}")))?;
        let headers = HeaderMap::new();
        let outgoing =
            Outgoing { method: Method::GET, uri, headers, body: Bytes::new(), secret: None, signer: None };
        let answer = fetch(self, &outgoing, self.settings.timeouts).await?;
        if !answer.status().is_success() {
            return Err(failed(ErrorKind::NotFound, format!("the server answers {}", answer.status())));
        }
        let mut body = answer.into_body();
        let mut read = Vec::new();
        while let Some(chunk) = body.chunk().await {
            read.extend_from_slice(&chunk?);
            if read.len() > self.settings.limits.body {
                return Err(failed(ErrorKind::TooLarge, "it is larger than a catalogue can be".to_owned()));
            }
        }
        String::from_utf8(read).map_err(|_| failed(ErrorKind::Protocol, "it is not text".to_owned()))
    }
}

fn read_file(path: &str) -> Result<String, Error> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::new(ErrorKind::Io, format!("{path}: {error}")).with_source(error))
}

fn wrong(source: &str, why: &str) -> Error {
    Error::new(ErrorKind::Configuration, format!("{source}: {why}"))
}

/// The class of service that an answer was given at; `None` when its word is not known.
fn tier(response: &Response, protocol: &str) -> Option<Tier> {
    let places = [
        response.finish.as_ref().map(|finish| &finish.extra),
        Some(&response.extra),
        Some(&response.usage.extra),
    ];
    let said = places.into_iter().flatten().find_map(|extra| extra.get(protocol, "service_tier"));
    match said.map(Json::parse::<String>) {
        Some(Ok(word)) => Tier::from_word(&word),
        _ => Some(Tier::Standard),
    }
}

/// Looks at the length of a prompt before it is sent, where it may be too long: an estimate is made only when the body
/// has more bytes than the model takes tokens.
pub(crate) fn guard(
    inner: &Inner,
    route: &Route,
    request: &Request,
    length: usize,
    rule: Option<ContextGuard>,
) -> Result<Option<Warning>, Error> {
    let rule = rule.unwrap_or(inner.settings.context_guard);
    if rule == ContextGuard::Off {
        return Ok(None);
    }
    let Some(most) = route.known(inner).and_then(|model| model.context) else { return Ok(None) };
    if u64::try_from(length).is_ok_and(|length| length <= most) {
        return Ok(None);
    }
    let tokens = request.estimate_tokens();
    if tokens <= most {
        return Ok(None);
    }
    let message = format!("the prompt has about {tokens} tokens, and the model takes {most}");
    match rule {
        ContextGuard::Refuse => Err(Error::new(ErrorKind::ContextOverflow, message)),
        _ => Ok(Some(Warning::adjusted("messages", format!("{message}; it may be refused or cut")))),
    }
}

use std::fmt;
use std::sync::Arc;

use interlingua_model::Error;
use interlingua_wire::{Limits, Provider};

use crate::client::Ask;
use crate::client::Inner;
use crate::keys::{Given, KeyCommand};
use crate::layer::{self, Layer, Notice, OnNotice};
use crate::login::Logins;
use crate::named::Named;
use crate::registry::Registry;
use crate::route::Routes;
use crate::{
    Backend, Client, HttpTransport, Lookup, RetryNote, RetryPolicy, Secret, Timeouts, Transport, aws, google,
    observe, oracle,
};

/// Makes a [`Client`].
///
/// ```
/// use std::time::Duration;
///
/// use interlingua::{Client, RetryPolicy, Timeouts};
///
/// let client = Client::builder()
///     .key("openai", "sk-1234")
///     .key_command("anthropic", "pass show anthropic")
///     .timeouts(Timeouts::default().idle(Duration::from_secs(60)))
///     .retry(RetryPolicy::default().retries(4))
///     .strict(true)
///     .build()?;
/// # Ok::<(), interlingua::Error>(())
/// ```
pub struct ClientBuilder {
    registry: Registry,
    keys: Named<Given>,
    base_urls: Named<String>,
    transport: Option<Arc<dyn Transport>>,
    settings: Settings,
    lookup: Box<Lookup>,
    on_retry: Option<Box<OnRetry>>,
    layers: Vec<Box<dyn Layer>>,
    ask: Ask,
    on_notice: Option<Box<OnNotice>>,
    observe: observe::Settings,
    #[cfg(feature = "models")]
    catalog: Option<interlingua_catalog::Catalog>,
}

/// What holds for every call unless its options say otherwise.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Settings {
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) limits: Limits,
    pub(crate) strict: bool,
    pub(crate) redirects: bool,
    pub(crate) plain: bool,
    #[cfg(feature = "models")]
    pub(crate) context_guard: crate::ContextGuard,
}

/// What is told of each retry as it begins.
pub(crate) type OnRetry = dyn Fn(&RetryNote) + Send + Sync;

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            registry: Registry::default(),
            keys: Named::new(),
            base_urls: Named::new(),
            transport: None,
            settings: Settings::default(),
            lookup: Box::new(|name| std::env::var(name).ok()),
            on_retry: None,
            layers: Vec::new(),
            ask: Client::bare,
            on_notice: None,
            observe: observe::Settings::default(),
            #[cfg(feature = "models")]
            catalog: None,
        }
    }

    /// Adds a provider, or replaces the built-in row of the same id.
    #[must_use]
    pub fn provider(mut self, row: Provider) -> Self {
        self.registry.add(row);
        self
    }

    /// Adds a model in this process as one more provider.
    #[must_use]
    pub fn backend(mut self, id: impl Into<String>, backend: Arc<dyn Backend>) -> Self {
        self.registry.add_backend(id.into(), backend);
        self
    }

    /// Sets the key of a provider, by its id.
    #[must_use]
    pub fn key(mut self, provider: impl Into<String>, key: impl Into<Secret>) -> Self {
        self.keys.insert(provider.into(), Given::Explicit(key.into()));
        self
    }

    /// Sets the shell command that prints the key of a provider. It runs at the first call that needs the key.
    #[must_use]
    pub fn key_command(mut self, provider: impl Into<String>, command: impl Into<String>) -> Self {
        self.keys.insert(provider.into(), Given::Command(Box::new(KeyCommand::new(command.into()))));
        self
    }

    /// Sets another root of a provider's URLs. A key out of the environment is not sent to another host than that of
    /// the row: give the key as well, or set the provider's own variable for its base URL.
    #[must_use]
    pub fn base_url(mut self, provider: impl Into<String>, url: impl Into<String>) -> Self {
        self.base_urls.insert(provider.into(), url.into());
        self
    }

    /// Sets the transport.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sets the timeouts.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.settings.timeouts = timeouts;
        self
    }

    /// Sets when a call is made again.
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.settings.retry = retry;
        self
    }

    /// Sets how much memory an answer may take.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Makes an error of whatever a provider cannot express, before anything is sent.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.settings.strict = strict;
        self
    }

    /// Follows redirects that keep the method and the body, five at most; to another host only without key and without
    /// the headers of [`Options`](crate::Options).
    #[must_use]
    pub fn follow_redirects(mut self, follow: bool) -> Self {
        self.settings.redirects = follow;
        self
    }

    /// Sends keys over plain HTTP to other machines, where anyone on the way can read them. Off by default.
    #[must_use]
    pub fn allow_plain_http(mut self, allow: bool) -> Self {
        self.settings.plain = allow;
        self
    }

    /// Sets what is known of models, in place of the built-in catalogue.
    #[cfg(feature = "models")]
    #[must_use]
    pub fn catalog(mut self, catalog: interlingua_catalog::Catalog) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// Sets what happens to a prompt that seems longer than the model takes.
    #[cfg(feature = "models")]
    #[must_use]
    pub fn context_guard(mut self, rule: crate::ContextGuard) -> Self {
        self.settings.context_guard = rule;
        self
    }

    /// Sets what answers for environment variables: keys, base URLs, placeholders, proxies.
    #[must_use]
    pub fn env(mut self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.lookup = Box::new(lookup);
        self
    }

    /// Is told of each retry as it begins to wait.
    #[must_use]
    pub fn on_retry(mut self, told: impl Fn(&RetryNote) + Send + Sync + 'static) -> Self {
        self.on_retry = Some(Box::new(told));
        self
    }

    /// Adds a layer, which every call goes through. The first one that is added is the outermost; retries are made within
    /// all of them. See [`layer`](crate::layer).
    #[must_use]
    pub fn layer(mut self, layer: impl Layer + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self.ask = layer::call;
        self
    }

    /// Is told of what layers do as they do it, on the task of the call: it must not block.
    #[must_use]
    pub fn on_notice(mut self, told: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        self.on_notice = Some(Box::new(told));
        self
    }

    /// Writes conversations into spans: what is asked, what is answered, and what tools take and give. Off by default,
    /// since whoever reads the traces reads them too.
    #[cfg(feature = "tracing")]
    #[must_use]
    pub const fn trace_content(mut self, content: bool) -> Self {
        self.observe.content = content;
        self
    }

    /// Measures calls, runs and calls of tools with the instruments of a meter: tokens, durations, what layers do. Which
    /// ones says `docs/observability.md`.
    ///
    /// ```
    /// let meter = opentelemetry::global::meter("interlingua");
    /// let client = interlingua::Client::builder().meter(&meter).build()?;
    /// # Ok::<(), interlingua::Error>(())
    /// ```
    #[cfg(feature = "otel")]
    #[must_use]
    pub fn meter(mut self, meter: &opentelemetry::metrics::Meter) -> Self {
        self.observe.metrics = Some(observe::Metrics::new(meter));
        self
    }

    /// Makes the client. Nothing is dialled or read yet.
    ///
    /// # Errors
    /// When a row is malformed, or a key or base URL is for a provider that does not exist.
    pub fn build(self) -> Result<Client, Error> {
        #[cfg(feature = "models")]
        let catalog = self.catalog;
        let Self {
            mut registry,
            mut keys,
            mut base_urls,
            transport,
            settings,
            lookup,
            on_retry,
            layers,
            ask,
            on_notice,
            observe,
            ..
        } = self;
        registry.check()?;
        let lookup = oracle::with_profile(aws::with_region(lookup));
        let canonical = |word: &str| registry.provider(word).map(|row| row.id.to_string());
        keys.rename(&canonical)?;
        base_urls.rename(&canonical)?;
        let transport = transport.unwrap_or_else(|| Arc::new(HttpTransport::with_lookup(&*lookup)));
        let drains = Arc::default();
        Ok(Client(Arc::new(Inner {
            registry,
            keys,
            base_urls,
            transport,
            settings,
            lookup,
            on_retry,
            layers,
            ask,
            on_notice,
            observe,
            drains,
            routes: Routes::default(),
            #[cfg(feature = "models")]
            catalog,
            aws: aws::Chain::default(),
            google: google::Tokens::default(),
            oracle: oracle::Keys::default(),
            logins: Logins::default(),
        })))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

use std::fmt;
use std::sync::Arc;

use interlingua_model::{Error, ErrorKind, Request, Response};
use interlingua_wire::{Auth, Mode, ModelInfo, Provider};

use crate::builder::{OnRetry, Settings};
use crate::drain::Drains;
use crate::exchange::Call;
use crate::keys::{self, Given};
use crate::layer::{Layer, OnNotice};
use crate::login::Logins;
use crate::named::Named;
use crate::plan::Draft;
use crate::registry::{Answerer, Registry};
use crate::route::{Home, Route, Routes};
use crate::{
    Answer, BoxFuture, ClientBuilder, Events, KeyStatus, Lookup, Options, Prepared, Run, RunError, RunLimits,
    Runner, Toolbox, Transport, aws, exchange, google, models, observe, oracle,
};

/// A way of asking.
pub(crate) type Ask =
    for<'a> fn(&'a Client, &'a Request, Mode, &'a Options) -> BoxFuture<'a, Result<Events, Error>>;

/// Asks models. It is cheap to clone, and clones share their connections.
///
/// ```no_run
/// use interlingua::{Client, Request};
///
/// # async fn example() -> Result<(), interlingua::Error> {
/// let client = Client::from_env()?;
/// let response = client.send(&Request::new("openai/gpt-6-sol").user("Say hello.")).await?;
/// println!("{}", response.text());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) registry: Registry,
    pub(crate) keys: Named<Given>,
    pub(crate) base_urls: Named<String>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) settings: Settings,
    pub(crate) lookup: Box<Lookup>,
    pub(crate) on_retry: Option<Box<OnRetry>>,
    pub(crate) layers: Vec<Box<dyn Layer>>,
    /// Asks through all layers, or without any: a program that has none carries nothing of them.
    pub(crate) ask: Ask,
    pub(crate) on_notice: Option<Box<OnNotice>>,
    pub(crate) observe: observe::Settings,
    pub(crate) drains: Arc<Drains>,
    pub(crate) routes: Routes,
    #[cfg(feature = "models")]
    pub(crate) catalog: Option<interlingua_catalog::Catalog>,
    pub(crate) aws: aws::Chain,
    pub(crate) google: google::Tokens,
    pub(crate) oracle: oracle::Keys,
    pub(crate) logins: Logins,
}

impl Client {
    /// A client with the built-in providers and the keys of the environment.
    ///
    /// # Errors
    /// Never today; a broken environment may become one.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// A client that is told what it needs.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Asks for an answer in pieces.
    ///
    /// # Errors
    /// Everything up to the status line of the answer: an unknown provider, a missing key, a request that cannot be
    /// made, a host that does not answer, a refusal.
    pub async fn stream(&self, request: &Request) -> Result<Events, Error> {
        self.stream_with(request, Options::none()).await
    }

    /// Asks for an answer in pieces, with options.
    ///
    /// # Errors
    /// As [`stream`](Self::stream).
    pub async fn stream_with(&self, request: &Request, options: &Options) -> Result<Events, Error> {
        self.events_with(request, Mode::Stream, options).await
    }

    /// Asks for an answer at once.
    ///
    /// # Errors
    /// As [`stream`](Self::stream), and everything that goes wrong within the answer.
    pub async fn send(&self, request: &Request) -> Result<Response, Error> {
        self.events_with(request, Mode::Whole, Options::none()).await?.into_response().await
    }

    /// Asks for an answer at once, with options.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_with(&self, request: &Request, options: &Options) -> Result<Answer, Error> {
        self.events_with(request, Mode::Whole, options).await?.into_answer().await
    }

    /// Asks for an answer in pieces or at once; either way it is handed out as the same events.
    ///
    /// # Errors
    /// As [`stream`](Self::stream).
    pub async fn events_with(
        &self,
        request: &Request,
        mode: Mode,
        options: &Options,
    ) -> Result<Events, Error> {
        let asking = (self.0.ask)(self, request, mode, options);
        #[cfg(any(feature = "tracing", feature = "otel"))]
        let asking = observe::call(self, request, mode, options, asking);
        asking.await
    }

    /// Asks without any layer. In a box, since the state of a call is large, and what awaits it would otherwise hold a copy of
    /// its code: this crate's layers, and each program.
    pub(crate) fn bare<'a>(
        &'a self,
        request: &'a Request,
        mode: Mode,
        options: &'a Options,
    ) -> BoxFuture<'a, Result<Events, Error>> {
        Box::pin(async move {
            let (word, model) = self.0.registry.split(&request.model)?;
            match self.0.registry.answerer(word)? {
                Answerer::Provider(provider) => {
                    let draft = Draft::new(&self.0, provider, model, request, mode, options)?;
                    let plan = draft.authorized(&self.0, options).await?;
                    let opened = exchange::open(Call::new(Arc::clone(&self.0), plan)).await?;
                    Ok(Events::of_call(opened))
                }
                Answerer::Backend(id, backend) => backend.ask(id, model, request).await,
            }
        })
    }

    /// The HTTP request that a call would send, with a mask in place of the key. Nothing is sent, no key is needed and
    /// no key command runs.
    ///
    /// ```
    /// use interlingua::wire::Mode;
    /// use interlingua::{Client, Options, Request};
    ///
    /// let client = Client::builder().env(|_| None).build()?;
    /// let request = Request::new("groq/llama-4").user("hi");
    /// let prepared = client.prepare(&request, Mode::Stream, &Options::default())?;
    /// assert_eq!(prepared.url, "https://api.groq.com/openai/v1/chat/completions");
    /// assert!(prepared.to_string().contains("authorization: Bearer ***"));
    /// # Ok::<(), interlingua::Error>(())
    /// ```
    ///
    /// # Errors
    /// When no request can be made; a missing key is none.
    pub fn prepare(&self, request: &Request, mode: Mode, options: &Options) -> Result<Prepared, Error> {
        let (word, model) = self.0.registry.split(&request.model)?;
        let provider = match self.0.registry.answerer(word)? {
            Answerer::Provider(provider) => provider,
            Answerer::Backend(id, _) => {
                let message = format!("`{id}` is a model in this process: no HTTP request is made");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        Draft::new(&self.0, provider, model, request, mode, options)?.masked(&self.0, options)
    }

    /// The models that a provider lists, in its order.
    ///
    /// # Errors
    /// When the provider is unknown, lists none, or the call fails.
    pub async fn models(&self, provider: &str) -> Result<Vec<ModelInfo>, Error> {
        match self.0.registry.answerer(provider)? {
            Answerer::Provider(provider) => models::list(&self.0, provider).await,
            Answerer::Backend(_, backend) => backend.models().await,
        }
    }

    /// Every provider that has a row, those of the program first.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.0.registry.providers()
    }

    /// The provider that a word means, by id or alias.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration), with those that may be meant, when there is none.
    pub fn provider(&self, word: &str) -> Result<&Provider, Error> {
        self.0.registry.provider(word)
    }

    /// Whether the key of a provider is known, and where from. No key command runs for it. An unknown provider and a
    /// model in the process need none.
    pub fn key_status(&self, provider: &str) -> KeyStatus {
        let Ok(provider) = self.0.registry.provider(provider) else { return KeyStatus::NotNeeded };
        let from = match self.0.keys.get(&*provider.id) {
            Some(Given::Explicit(_)) => Some("explicit".to_owned()),
            Some(Given::Command(_)) => Some("key command".to_owned()),
            None => keys::in_environment(provider, &*self.0.lookup).map(|(name, _)| format!("env {name}")),
        };
        let from = from.or_else(|| match provider.auth {
            Auth::Sigv4(_) => aws::is_set(&*self.0.lookup),
            Auth::Google => google::is_set(&*self.0.lookup),
            Auth::Oracle => oracle::is_set(&*self.0.lookup),
            _ => None,
        });
        match from {
            Some(from) => KeyStatus::Present { from },
            None if provider.needs_key() => {
                let cloud = match provider.auth {
                    Auth::Google => Some("GOOGLE_APPLICATION_CREDENTIALS"),
                    Auth::Oracle => Some("OCI_CONFIG_FILE"),
                    _ => None,
                };
                KeyStatus::Missing {
                    expected: provider.key_vars().chain(cloud).map(ToOwned::to_owned).collect(),
                }
            }
            None => KeyStatus::NotNeeded,
        }
    }

    /// Where a provider is asked by default, with every placeholder filled; `None` when the provider is unknown or a
    /// placeholder has no value.
    pub fn address(&self, provider: &str) -> Option<String> {
        let provider = self.0.registry.provider(provider).ok()?;
        let protocol = provider.endpoints.first()?.protocol;
        provider.base_url(protocol, self.0.base_url(provider), &*self.0.lookup).ok()
    }

    /// Asks, runs the tools that the model calls, and asks again, until the model is done. A [`Runner`] does so with
    /// events, approval and more rules.
    ///
    /// The calls of one answer run at the same time, and their results go back in the order of the calls. A tool that
    /// fails, is unknown or gets arguments that do not fit is told to the model as an error.
    ///
    /// # Errors
    /// [`RunError`], which carries the run as far as it came: what a call fails with, and
    /// [`ErrorKind::Tool`](crate::ErrorKind::Tool) when a limit was reached before the model was done.
    pub async fn run(&self, request: Request, tools: &Toolbox, limits: RunLimits) -> Result<Run, RunError> {
        let runner = Runner::new(self).tools(tools).mode(Mode::Whole);
        runner.complete(Run::new(request).with_limits(limits)).await
    }
}

impl Inner {
    /// The root that the program set for a provider.
    pub(crate) fn base_url(&self, provider: &Provider) -> Option<&str> {
        self.base_urls.get(&*provider.id).map(String::as_str)
    }

    /// Where the calls of a route go.
    pub(crate) fn home<'r>(&self, provider: &Provider, route: &'r Route) -> Result<&'r Home, Error> {
        route.home(provider, || self.base_url(provider), &*self.lookup)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

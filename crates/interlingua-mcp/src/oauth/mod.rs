//! Logins to servers that want OAuth: tokens are got when a server asks for them, kept, and renewed.

mod ask;
mod challenge;
mod discover;
mod flow;
mod form;
mod loopback;
mod pkce;
mod store;
mod tokens;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};
use interlingua::{BoxFuture, Secret};
use tokio::sync::Mutex;

use self::ask::Asker;
use self::challenge::Challenge;
use self::store::Memory;
pub use self::store::{FileStore, TokenStore};
use self::tokens::Tokens;
use crate::server::Http;

/// How often a request is sent: with the token at hand, with one that was renewed, after a login.
const TRIES: u32 = 3;

type Ask = Arc<dyn Fn(String) -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

/// How to log in to a server that wants OAuth: for [`McpServer::login`](crate::McpServer::login).
///
/// ```no_run
/// use interlingua_mcp::{FileStore, McpLogin, McpServer};
///
/// # async fn example() -> Result<(), interlingua_mcp::McpError> {
/// let login = McpLogin::loopback(|url| eprintln!("Log in at {url}")).store(FileStore::new("/home/me/.tokens"));
/// let server = McpServer::http("tracker", "https://mcp.example.com/mcp").login(login).connect().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct McpLogin {
    way: Way,
    name: String,
    client: Option<(String, Option<Secret>)>,
    scopes: BTreeSet<String>,
    limit: Duration,
    store: Arc<dyn TokenStore>,
    state: Arc<Mutex<State>>,
    waiting: Arc<AtomicUsize>,
}

#[derive(Clone)]
enum Way {
    /// A person at a browser that comes back to an address, or else to a port of this machine.
    Person(Option<String>, Ask),
    Machine(String, Secret),
}

#[derive(Default)]
struct State {
    is_loaded: bool,
    tokens: Option<Tokens>,
    /// All scopes that were ever asked for.
    asked: BTreeSet<String>,
    /// Whether the tokens were got without a login.
    is_renewed: bool,
}

/// How a server refused a request.
pub(crate) struct Refusal<'a> {
    pub(crate) status: StatusCode,
    pub(crate) headers: &'a HeaderMap,
    /// How often the request was sent.
    pub(crate) tries: u32,
}

impl McpLogin {
    /// A person logs in at a browser on this machine. `show` tells them the address to open; the browser comes back to a
    /// port on 127.0.0.1 that is open for this login alone.
    pub fn loopback(show: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let ask: Ask = Arc::new(move |page| {
            show(&page);
            Box::pin(std::future::ready(Ok(String::new())))
        });
        Self::new(Way::Person(None, ask))
    }

    /// A person logs in at a browser that comes back to an address of the program's. `ask` opens the address that it is
    /// given and returns the address that the browser came back to, with its query, or why there is none.
    pub fn redirect<F, T>(address: impl Into<String>, ask: F) -> Self
    where
        F: Fn(String) -> T + Send + Sync + 'static,
        T: Future<Output = Result<String, String>> + Send + 'static,
    {
        Self::new(Way::Person(Some(address.into()), Arc::new(move |page| Box::pin(ask(page)))))
    }

    /// The program logs in for itself, with an id and a secret that it has been given (client credentials).
    pub fn machine(id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self::new(Way::Machine(id.into(), secret.into()))
    }

    fn new(way: Way) -> Self {
        Self {
            way,
            name: "Interlingua".into(),
            client: None,
            scopes: BTreeSet::new(),
            limit: Duration::from_secs(300),
            store: Arc::new(Memory::default()),
            state: Arc::default(),
            waiting: Arc::default(),
        }
    }

    /// Sets the id, and the secret if there is one, that the authorization server knows the program by. Without it, the
    /// program registers itself before a login.
    #[must_use]
    pub fn client(mut self, id: impl Into<String>, secret: Option<Secret>) -> Self {
        self.client = Some((id.into(), secret));
        self
    }

    /// Sets the name under which the program registers itself, which the person at the browser sees.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds scopes that are asked for whatever the server says.
    #[must_use]
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Sets how long a person may take to log in; five minutes by default. The timeouts of connecting and of calls stand
    /// still meanwhile.
    #[must_use]
    pub const fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Sets where tokens are kept, in place of the program's memory.
    #[must_use]
    pub fn store(mut self, store: impl TokenStore + 'static) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// A login of its own, for one server: tokens of one never go to another.
    pub(crate) fn apart(mut self) -> Self {
        self.state = Arc::default();
        self.waiting = Arc::default();
        self
    }

    /// Whether somebody is logging in right now.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// The header for a request, if there is a token.
    pub(crate) async fn header(&self, http: &Http) -> Result<Option<HeaderValue>, String> {
        let _waiting = Waits::new(&self.waiting);
        let mut state = self.state.lock().await;
        self.load(&mut state, http)?;
        if state.tokens.as_ref().is_some_and(|tokens| !tokens.is_fresh()) {
            self.renew(&mut state, http).await?;
        }
        state.tokens.as_ref().map(bearer).transpose()
    }

    /// The header to try a refused request with once more; `None` if nothing better is to be had.
    pub(crate) async fn better(
        &self,
        http: &Http,
        used: Option<&HeaderValue>,
        refusal: &Refusal<'_>,
    ) -> Result<Option<HeaderValue>, String> {
        let challenge = Challenge::of(refusal.headers);
        let status = refusal.status;
        let is_step =
            status == StatusCode::FORBIDDEN && challenge.error.as_deref() == Some("insufficient_scope");
        if refusal.tries >= TRIES || (status != StatusCode::UNAUTHORIZED && !is_step) {
            return Ok(None);
        }
        let _waiting = Waits::new(&self.waiting);
        let mut state = self.state.lock().await;
        let held = state.tokens.as_ref().map(bearer).transpose()?;
        if held.is_some() && held.as_ref() != used {
            return Ok(held);
        }
        let wanted = words(challenge.scope.as_deref().unwrap_or_default());
        if is_step && wanted.is_subset(&state.asked) {
            return Ok(None);
        }
        let is_again = refusal.tries > 1;
        if is_again && !is_step && !state.is_renewed {
            return Ok(None);
        }
        if is_step || is_again || !self.renew(&mut state, http).await? {
            self.log_in(&mut state, http, &challenge, wanted).await?;
        }
        state.tokens.as_ref().map(bearer).transpose()
    }

    async fn log_in(
        &self,
        state: &mut State,
        http: &Http,
        challenge: &Challenge,
        wanted: BTreeSet<String>,
    ) -> Result<(), String> {
        state.asked.extend(wanted);
        state.asked.extend(self.scopes.iter().cloned());
        let scope = state.asked.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let tokens = self.fresh(asker(http), challenge, &scope).await?;
        state.is_renewed = false;
        state.asked.extend(words(&tokens.scope));
        self.keep(state, http, tokens)
    }

    /// Renews the tokens, and says whether that was possible. A refusal means that somebody has to log in again.
    async fn renew(&self, state: &mut State, http: &Http) -> Result<bool, String> {
        // A request that is given up meanwhile leaves the tokens where they are.
        let Some(tokens) = &state.tokens else { return Ok(false) };
        match tokens.renewed(asker(http)).await {
            Some(Ok(tokens)) => {
                state.is_renewed = true;
                self.keep(state, http, tokens).map(|()| true)
            }
            Some(Err(why)) if !why.contains(ask::REFUSED) => Err(why),
            Some(Err(_)) | None => {
                state.tokens = None;
                Ok(false)
            }
        }
    }

    fn keep(&self, state: &mut State, http: &Http, tokens: Tokens) -> Result<(), String> {
        let text = serde_json::to_string(&tokens).map_err(|_| "the token cannot be stored".to_owned())?;
        state.tokens = Some(tokens);
        let saved = self.store.save(&http.url, &Secret::new(text));
        saved.map_err(|error| format!("the token cannot be stored: {error}"))
    }

    fn load(&self, state: &mut State, http: &Http) -> Result<(), String> {
        if std::mem::replace(&mut state.is_loaded, true) {
            return Ok(());
        }
        let kept =
            self.store.load(&http.url).map_err(|error| format!("its token cannot be read: {error}"))?;
        // What another version has written is no token of ours: somebody logs in again.
        state.tokens = kept.and_then(|kept| serde_json::from_str(kept.expose()).ok());
        if let Some(tokens) = &state.tokens {
            state.asked = words(&tokens.scope);
        }
        Ok(())
    }
}

/// Counts who waits for a login.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn asker(http: &Http) -> Asker<'_> {
    Asker { transport: &*http.transport, server: &http.url }
}

fn bearer(tokens: &Tokens) -> Result<HeaderValue, String> {
    ask::sensitive(&Secret::new(format!("Bearer {}", tokens.access)))
}

fn words(scope: &str) -> BTreeSet<String> {
    scope.split_ascii_whitespace().map(str::to_owned).collect()
}

impl fmt::Debug for McpLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("McpLogin");
        shown.field("scopes", &self.scopes).field("limit", &self.limit).finish_non_exhaustive()
    }
}

//! What stands between a client and the models that it asks: fallback, keys, limits, a breaker, a second call, a cache,
//! budgets, and layers of your own.
//!
//! A layer is added by [`ClientBuilder::layer`](crate::ClientBuilder::layer); the first one that is added is the outermost.
//! Every call goes through them, streamed or not, and each turn of [`Client::run`]. Retries ([`RetryPolicy`](crate::RetryPolicy))
//! are made within all of them, so that a layer sees one call, whose error is that of the last attempt. What a layer does
//! is a [`Notice`], what it refuses a [`Refusal`].

mod account;
mod book;
mod budget;
mod cache;
mod circuit_breaker;
mod concurrency;
mod fallback;
mod hedge;
mod key_pool;
mod notice;
mod price;
mod rate_limit;
mod refusal;
mod scope;
mod watch;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use interlingua_model::{Error, Request};
use interlingua_wire::Mode;
use tokio::time::Instant;

use crate::{BoxFuture, Client, Events, Options};

pub use account::Spent;
pub use budget::Budget;
pub use cache::Cache;
pub use circuit_breaker::CircuitBreaker;
pub use concurrency::Concurrency;
pub use fallback::{Attempt, Attempts, Fallback};
pub use hedge::Hedge;
pub use key_pool::KeyPool;
pub use notice::{Notice, Teller};
pub use rate_limit::RateLimit;
pub use refusal::Refusal;
pub use scope::Scope;
pub use watch::{End, Watch};

pub(crate) use notice::OnNotice;
pub(crate) use watch::Watches;

/// Stands between a client and the models that it asks.
///
/// A layer may change what is asked, ask several times or not at all, wait, and watch the answer. It is added by
/// [`ClientBuilder::layer`](crate::ClientBuilder::layer).
///
/// ```
/// use interlingua::layer::{Ask, Layer, Next};
/// use interlingua::{BoxFuture, Client, Error, Events};
///
/// /// Keeps every answer short.
/// #[derive(Debug)]
/// struct Terse;
///
/// impl Layer for Terse {
///     fn call<'a>(&'a self, mut ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>> {
///         if ask.request.max_output.is_none_or(|most| most > 100) {
///             ask.request.to_mut().max_output = Some(100);
///         }
///         next.call(ask)
///     }
/// }
///
/// let client = Client::builder().layer(Terse).build()?;
/// # Ok::<(), Error>(())
/// ```
pub trait Layer: Send + Sync + fmt::Debug {
    /// Answers a call, as a rule by asking `next`. Dropping the future must undo what was begun.
    ///
    /// # Errors
    /// What `next` fails with, and what the layer itself refuses, as a rule with a [`Refusal`] inside.
    fn call<'a>(&'a self, ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>>;
}

/// What is asked: borrowed from the caller until a layer changes it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ask<'a> {
    /// The request; its model is written `provider/model`.
    pub request: Cow<'a, Request>,
    /// Whether the answer comes in pieces or at once.
    pub mode: Mode,
    /// What is special about this call.
    pub options: Cow<'a, Options>,
}

/// The rest of the way: the layers further in, and the call itself. It may be asked several times.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    client: &'a Client,
    layers: &'a [Box<dyn Layer>],
    teller: &'a Teller,
}

impl Ask<'_> {
    /// The same, borrowed, for another attempt.
    pub fn again(&self) -> Ask<'_> {
        Ask { request: Cow::Borrowed(&self.request), mode: self.mode, options: Cow::Borrowed(&self.options) }
    }

    /// The same for another model, written `provider/model`. Another provider gets neither key, base URL, protocol, headers
    /// nor body fields of the options: they were meant for the first one.
    pub fn to_model(&self, model: &str, next: Next<'_>) -> Ask<'_> {
        let mut moved = self.again();
        if model == self.request.model {
            return moved;
        }
        model.clone_into(&mut moved.request.to_mut().model);
        let provider = |model| next.client().0.registry.target(model).map(|(provider, _)| provider).ok();
        if provider(model) != provider(&self.request.model) {
            moved.options = Cow::Owned(self.options.elsewhere());
        }
        moved
    }
}

impl<'a> Next<'a> {
    /// Asks, and resolves as [`Client::events_with`] does: after the status line, as long as no layer waits for more.
    pub fn call(self, ask: Ask<'a>) -> BoxFuture<'a, Result<Events, Error>> {
        let Some((layer, rest)) = self.layers.split_first() else {
            return Box::pin(async move { self.client.bare(&ask.request, ask.mode, &ask.options).await });
        };
        layer.call(ask, Self { layers: rest, ..self })
    }

    /// Asks, and resolves with the first piece of content.
    ///
    /// # Errors
    /// Also those of an answer that fails before it.
    pub async fn begin(self, ask: Ask<'a>) -> Result<Events, Error> {
        let mut events = self.call(ask).await?;
        events.begin().await?;
        Ok(events)
    }

    /// The client that is asked. What is asked of it begins anew, with all layers.
    pub const fn client(self) -> &'a Client {
        self.client
    }

    /// Tells what the layer does.
    pub fn tell(self, notice: Notice) {
        self.teller.tell(notice);
    }

    /// For telling later, when the call has returned: from a [`Watch`].
    pub fn teller(self) -> Teller {
        self.teller.clone()
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("layers", &self.layers).finish_non_exhaustive()
    }
}

impl<L: Layer + ?Sized> Layer for Arc<L> {
    fn call<'a>(&'a self, ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>> {
        (**self).call(ask, next)
    }
}

/// Longer than any program runs. Times are cut to it, so that they can be added to a moment: servers may say anything.
pub(crate) const AGES: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// A call through all layers.
pub(crate) fn call<'a>(
    client: &'a Client,
    request: &'a Request,
    mode: Mode,
    options: &'a Options,
) -> BoxFuture<'a, Result<Events, Error>> {
    Box::pin(async move {
        let begun = Instant::now();
        let teller = Teller::new(client);
        let ask = Ask { request: Cow::Borrowed(request), mode, options: Cow::Borrowed(options) };
        let next = Next { client, layers: &client.0.layers, teller: &teller };
        let events = next.call(ask).await?;
        Ok(events.told_by(teller, begun))
    })
}

/// The page on layers, so that its examples are tried.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/layers.md")]
struct Page;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use interlingua_model::{Error, ErrorKind, Retry};
use tokio::time::Instant;

use crate::layer::{AGES, Ask, End, Layer, Next, Notice, Refusal, Teller, Watch};
use crate::{BoxFuture, Events, Secret};

/// Several keys of a provider, of which each call takes the one that was used longest ago.
///
/// A key that is rate limited is left alone for as long as the provider says, else for a minute; one that is refused or has
/// no credit left, for an hour. The call goes on with the next key at once, and only the last one that is left is waited
/// for by the rule of retries. When none is left, nothing is sent: [`Refusal::KeysCooling`].
///
/// Calls to other providers go through, and so do those whose options have a key or a base URL of their own.
///
/// ```
/// use interlingua::Client;
/// use interlingua::layer::KeyPool;
///
/// let keys = KeyPool::new("anthropic", ["sk-ant-1", "sk-ant-2"]);
/// let client = Client::builder().layer(keys).build()?;
/// # Ok::<(), interlingua::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyPool {
    provider: String,
    keys: Vec<Secret>,
    round_robin: bool,
    limited: Duration,
    refused: Duration,
    turns: Arc<Mutex<Turns>>,
}

/// Whose turn it is.
#[derive(Debug)]
struct Turns {
    taken: u64,
    last: usize,
    keys: Vec<Turn>,
}

/// What became of a key.
#[derive(Debug, Clone, Default)]
struct Turn {
    /// The number of the call that took it last.
    taken: u64,
    cooling: Option<(Instant, ErrorKind)>,
}

/// A key that a call takes.
struct Taken {
    at: usize,
    /// Whether there is another one to go on with.
    more: bool,
}

impl KeyPool {
    /// The keys of a provider, which is named by id or alias.
    pub fn new<K: Into<Secret>>(provider: impl Into<String>, keys: impl IntoIterator<Item = K>) -> Self {
        let keys: Vec<Secret> = keys.into_iter().map(Into::into).collect();
        let turns = Turns { taken: 0, last: keys.len(), keys: vec![Turn::default(); keys.len()] };
        Self {
            provider: provider.into(),
            keys,
            round_robin: false,
            limited: Duration::from_secs(60),
            refused: Duration::from_secs(60 * 60),
            turns: Arc::new(Mutex::new(turns)),
        }
    }

    /// Takes the keys in turn, and not the one that was used longest ago: they differ once keys were left alone.
    #[must_use]
    pub fn round_robin(mut self) -> Self {
        self.round_robin = true;
        self
    }

    /// Sets for how long a key is left alone that is rate limited, where the provider does not say, and one that is refused
    /// or has no credit left.
    #[must_use]
    pub fn cooldown(mut self, limited: Duration, refused: Duration) -> Self {
        (self.limited, self.refused) = (limited, refused);
        self
    }

    async fn answer(&self, ask: Ask<'_>, next: Next<'_>) -> Result<Events, Error> {
        if !self.is_for(&ask, next)? {
            return next.call(ask).await;
        }
        let mut tried = vec![false; self.keys.len()];
        let mut last = None;
        while let Some(Taken { at, more }) = self.take(&tried) {
            let error = match next.call(self.with_key(&ask, at, more, next)).await {
                Ok(events) => return Ok(events.watch(self.watch(at, next))),
                Err(error) => error,
            };
            if !self.cool(at, &error, &next.teller()) {
                return Err(error);
            }
            tried.iter_mut().skip(at).take(1).for_each(|tried| *tried = true);
            last = Some(error);
        }
        Err(last.unwrap_or_else(|| self.none_left()))
    }

    fn is_for(&self, ask: &Ask<'_>, next: Next<'_>) -> Result<bool, Error> {
        let registry = &next.client().0.registry;
        let own = registry.provider(&self.provider)?;
        let (asked, _) = registry.target(&ask.request.model)?;
        Ok(*asked == *own.id && ask.options.key.is_none() && ask.options.base_url.is_none())
    }

    fn with_key<'a>(&self, ask: &'a Ask<'_>, at: usize, more: bool, next: Next<'_>) -> Ask<'a> {
        let mut ask = ask.again();
        let options = ask.options.to_mut();
        options.key = self.keys.get(at).cloned();
        if more {
            let policy = options.retry.unwrap_or(next.client().0.settings.retry);
            options.retry = Some(policy.rate_limited(false));
        }
        ask
    }

    /// The key whose turn it is, of those that are neither tried nor left alone.
    fn take(&self, tried: &[bool]) -> Option<Taken> {
        let now = Instant::now();
        let mut turns = self.turns();
        let last = turns.last;
        let free = |(at, turn): &(usize, &Turn)| {
            !tried.get(*at).is_some_and(|tried| *tried) && turn.cooling.is_none_or(|(until, _)| until <= now)
        };
        let more = turns.keys.iter().enumerate().filter(free).count() > 1;
        let free = turns.keys.iter().enumerate().filter(free);
        let (at, _) = if self.round_robin {
            free.min_by_key(|(at, _)| (*at <= last && last < self.keys.len(), *at))?
        } else {
            free.min_by_key(|(_, turn)| turn.taken)?
        };
        turns.taken += 1;
        turns.last = at;
        let number = turns.taken;
        if let Some(turn) = turns.keys.get_mut(at) {
            *turn = Turn { taken: number, cooling: None };
        }
        Some(Taken { at, more })
    }

    /// Leaves a key alone, when it is the key that an error is about.
    fn cool(&self, at: usize, error: &Error, teller: &Teller) -> bool {
        let usual = match error.kind() {
            ErrorKind::RateLimited => self.limited,
            ErrorKind::Authentication | ErrorKind::QuotaExceeded => self.refused,
            _ => return false,
        };
        // What a layer further in refused says nothing of the key.
        if Refusal::of(error).is_some() {
            return false;
        }
        let (time, kind) = (if let Retry::After(wait) = error.retry() { wait } else { usual }, error.kind());
        if let Some(turn) = self.turns().keys.get_mut(at) {
            turn.cooling = Some((Instant::now() + time.min(AGES), kind));
        }
        teller.tell(Notice::KeyCooled { provider: self.provider.clone(), key: at, time, kind });
        true
    }

    /// An answer may be refused after its status line as well.
    fn watch(&self, at: usize, next: Next<'_>) -> impl Watch + use<> {
        Watched { pool: self.clone(), at, teller: next.teller() }
    }

    fn none_left(&self) -> Error {
        let turns = self.turns();
        let Some((until, kind)) =
            turns.keys.iter().filter_map(|turn| turn.cooling).min_by_key(|(until, _)| *until)
        else {
            let message = format!("the pool of keys of `{}` is empty", self.provider);
            return Error::new(ErrorKind::Authentication, message);
        };
        let wait = until.saturating_duration_since(Instant::now());
        Refusal::KeysCooling { provider: self.provider.clone(), wait, kind }.into_error()
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Watched {
    pool: KeyPool,
    at: usize,
    teller: Teller,
}

impl Watch for Watched {
    fn end(&mut self, end: &End<'_>) {
        if let Some(error) = end.error() {
            self.pool.cool(self.at, error, &self.teller);
        }
    }
}

impl Layer for KeyPool {
    fn call<'a>(&'a self, ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>> {
        Box::pin(self.answer(ask, next))
    }
}

impl fmt::Debug for KeyPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPool")
            .field("provider", &self.provider)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

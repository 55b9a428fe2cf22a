//! Answers that are kept, and given again.

mod disk;
mod entry;
mod key;
mod memory;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use interlingua_model::{Error, Event, Request};

use crate::layer::{Ask, End, Layer, Next, Notice, Teller, Watch};
use crate::{BoxFuture, Events};

use disk::Disk;
use entry::{Entry, weight};
use memory::Memory;

/// Keeps answers, and gives them again when the very same is asked.
///
/// Adding it is the opt-in: it keeps answers whatever the temperature, since no provider promises the same answer twice, and
/// the first answer is as good as a second one where it is asked for. [`when`](Self::when) and
/// [`only_deterministic`](Self::only_deterministic) keep it from some requests.
///
/// The same is asked when provider, model, address, protocol and every word of the request are the same, and the headers and body
/// fields of the options; whether the answer comes in pieces does not matter, and keys do not: who must not see each other's answers
/// needs caches apart, or an [`end_user`](Request::end_user). Only whole answers that ended by themselves are kept: a cut, filtered or
/// failed one is not, nor one of another model than was asked. A hit hands out the same events at once, usage
/// included; [`Meta::is_cached`](crate::Meta::is_cached) tells it. Calls that want frames as they come ([`Options::raw`](crate::Options))
/// go past it. In [`Client::run`](crate::Client::run) each turn is looked up by itself, and tools run as always.
///
/// Clones share what is kept.
///
/// ```
/// use std::time::Duration;
///
/// use interlingua::Client;
/// use interlingua::layer::Cache;
///
/// let cache = Cache::memory(64 << 20).fresh(Duration::from_secs(60 * 60)).only_deterministic();
/// let client = Client::builder().layer(cache).build()?;
/// # Ok::<(), interlingua::Error>(())
/// ```
#[derive(Clone)]
pub struct Cache {
    store: Arc<Store>,
    fresh: Duration,
    when: Option<Arc<Rule>>,
}

/// Says whether a request is for the cache.
type Rule = dyn Fn(&Request) -> bool + Send + Sync;

#[derive(Debug)]
enum Store {
    Memory(Mutex<Memory>),
    Disk(Disk),
}

/// A day.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// An answer may take this part of the whole room.
const PART: u64 = 4;

impl Cache {
    /// A cache of so many bytes of memory. What was used longest ago makes room.
    pub fn memory(bytes: u64) -> Self {
        Self::new(Store::Memory(Mutex::new(Memory::new(bytes))))
    }

    /// A cache of about so many bytes in a folder, which is made when it is needed and may be shared by programs. What was
    /// written first makes room.
    ///
    /// Its files hold answers in readable form, for this user alone (mode 600). They are read and written on the task of the
    /// call. A folder that cannot be read or written is no error: nothing is kept then.
    pub fn disk(folder: impl Into<PathBuf>, bytes: u64) -> Self {
        Self::new(Store::Disk(Disk::new(folder.into(), bytes)))
    }

    fn new(store: Store) -> Self {
        Self { store: Arc::new(store), fresh: FRESH, when: None }
    }

    /// Sets how long an answer is good; a day by default.
    #[must_use]
    pub fn fresh(mut self, time: Duration) -> Self {
        self.fresh = time;
        self
    }

    /// Is for requests that this says yes to.
    #[must_use]
    pub fn when(mut self, rule: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        self.when = Some(Arc::new(rule));
        self
    }

    /// Is for requests with a temperature of 0 or a seed.
    #[must_use]
    pub fn only_deterministic(self) -> Self {
        self.when(|request| {
            let sampling = &request.sampling;
            sampling.seed.is_some() || sampling.temperature.is_some_and(|temperature| temperature <= 0.0)
        })
    }

    async fn answer(&self, ask: Ask<'_>, next: Next<'_>) -> Result<Events, Error> {
        let wanted = !ask.options.raw && self.when.as_ref().is_none_or(|when| when(&ask.request));
        let key = if wanted { key::of(&ask, next)? } else { None };
        let Some(key) = key else {
            return next.call(ask).await;
        };
        if let Some((entry, age)) = self.store.get(&key, self.fresh) {
            next.tell(Notice::CacheHit { key, age });
            return Ok(entry.replay());
        }
        next.tell(Notice::CacheMiss { key: key.clone() });
        let (provider, model) = next.client().0.registry.target(&ask.request.model)?;
        let target = (provider.to_owned(), model.to_owned());
        let events = next.call(ask).await?;
        let room = self.store.room() / PART;
        let (store, teller) = (Arc::clone(&self.store), next.teller());
        let (fresh, seen) = (self.fresh, Some(Vec::new()));
        Ok(events.watch(Recorder { store, fresh, teller, key, target, room, weight: 0, seen }))
    }
}

impl Store {
    fn get(&self, key: &str, fresh: Duration) -> Option<(Arc<Entry>, Duration)> {
        match self {
            Self::Memory(memory) => memory.lock().unwrap_or_else(PoisonError::into_inner).get(key, fresh),
            Self::Disk(disk) => disk.get(key, fresh),
        }
    }

    /// Keeps an answer; how many bytes that takes, when it was kept.
    fn put(&self, key: &str, entry: Entry, weight: u64, fresh: Duration) -> Option<u64> {
        match self {
            Self::Memory(memory) => {
                memory.lock().unwrap_or_else(PoisonError::into_inner).put(key, entry, weight);
                Some(weight)
            }
            Self::Disk(disk) => disk.put(key, entry, fresh),
        }
    }

    fn room(&self) -> u64 {
        match self {
            Self::Memory(memory) => memory.lock().unwrap_or_else(PoisonError::into_inner).room(),
            Self::Disk(disk) => disk.room(),
        }
    }
}

/// Writes an answer down as it is handed out.
struct Recorder {
    store: Arc<Store>,
    fresh: Duration,
    teller: Teller,
    key: String,
    /// The provider and the model that were asked.
    target: (String, String),
    room: u64,
    weight: u64,
    /// What came; `None` once it is too much.
    seen: Option<Vec<Event>>,
}

impl Watch for Recorder {
    fn event(&mut self, event: &Event) {
        self.weight = self.weight.saturating_add(weight(event));
        if self.weight > self.room {
            self.seen = None;
        }
        if let Some(seen) = &mut self.seen {
            seen.push(event.clone());
        }
    }

    fn end(&mut self, end: &End<'_>) {
        let Some(events) = self.seen.take().filter(|_| end.error().is_none()) else { return };
        let response = end.response();
        let whole = response.finish.as_ref().is_some_and(|finish| finish.reason.is_normal());
        let Some(origin) = response.message.origin.filter(|_| whole) else { return };
        if (&origin.provider, &origin.model) != (&self.target.0, &self.target.1) {
            return;
        }
        let entry = Entry::new(origin, end.meta(), events);
        if let Some(bytes) = self.store.put(&self.key, entry, self.weight, self.fresh) {
            self.teller.tell(Notice::CacheStored { key: std::mem::take(&mut self.key), bytes });
        }
    }
}

impl Layer for Cache {
    fn call<'a>(&'a self, ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>> {
        Box::pin(self.answer(ask, next))
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("store", &self.store)
            .field("fresh", &self.fresh)
            .finish_non_exhaustive()
    }
}

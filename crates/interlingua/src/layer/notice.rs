use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use interlingua_model::ErrorKind;

use crate::{Client, observe};

/// What is told of each notice as it comes.
pub(crate) type OnNotice = dyn Fn(&Notice) + Send + Sync;

/// What a layer did, for programs; it displays as a line for people.
///
/// All of a call stand in [`Meta::notices`](crate::Meta::notices), and all of a client go to
/// [`ClientBuilder::on_notice`](crate::ClientBuilder::on_notice). No notice holds a key or a word of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Another model is asked.
    FellBack {
        /// The model that failed.
        from: String,
        /// The model that is asked now.
        to: String,
        /// What it failed with, for programs.
        kind: ErrorKind,
        /// What it failed with, for people.
        reason: String,
    },
    /// A key is left alone for a while.
    KeyCooled {
        /// The id of the provider.
        provider: String,
        /// Which key of the pool it is, from 0.
        key: usize,
        /// For how long.
        time: Duration,
        /// What it failed with.
        kind: ErrorKind,
    },
    /// The call waited for a rate limit.
    LimitWaited {
        /// What the limit is for: `all`, a provider, or a model.
        scope: String,
        /// How long.
        time: Duration,
    },
    /// The call waited for others to end.
    Queued {
        /// What the limit is for: `all`, a provider, or a model.
        scope: String,
        /// How long.
        time: Duration,
    },
    /// Nothing is asked for a while, since too much failed.
    BreakerOpened {
        /// What is not asked: `all`, a provider, or a model.
        scope: String,
        /// For how long.
        time: Duration,
    },
    /// One call may try whether it works again.
    BreakerHalfOpened {
        /// What is tried.
        scope: String,
    },
    /// It works again.
    BreakerClosed {
        /// What works.
        scope: String,
    },
    /// A second call was made, since the first one is slow. It is paid for as well.
    HedgeSent {
        /// The model that the second call asks.
        model: String,
        /// How long the first one was waited for.
        after: Duration,
        /// About how many tokens of prompt are sent once more.
        tokens: u64,
        /// What these cost in femtodollars (10⁻¹⁵ dollars); `None` where the price is not known.
        femtodollars: Option<u128>,
    },
    /// One of two calls has begun to answer, and the other was given up.
    HedgeWon {
        /// The model that answers.
        model: String,
        /// Whether it was the second call.
        second: bool,
    },
    /// The answer was in the cache.
    CacheHit {
        /// The name of the entry.
        key: String,
        /// How old it is.
        age: Duration,
    },
    /// The answer was not in the cache.
    CacheMiss {
        /// The name of the entry.
        key: String,
    },
    /// The answer was put into the cache.
    CacheStored {
        /// The name of the entry.
        key: String,
        /// How large it is.
        bytes: u64,
    },
    /// A call was charged to a budget.
    BudgetSpent {
        /// What it cost in femtodollars (10⁻¹⁵ dollars); `None` where the price is not known.
        femtodollars: Option<u128>,
        /// How many tokens it used.
        tokens: u64,
        /// Whether these are estimates, since the provider did not say.
        estimated: bool,
    },
    /// A call was refused, since the budget is spent.
    BudgetRefused {
        /// What is spent, for people.
        reason: String,
    },
    /// What a layer of the program's own did.
    Other {
        /// The name of the layer.
        layer: String,
        /// What it did.
        what: String,
    },
}

/// Tells what a layer does, also when its call has returned. Clones tell of the same call.
#[derive(Clone)]
pub struct Teller {
    client: Client,
    told: Arc<Mutex<Vec<Notice>>>,
    span: observe::Span,
}

impl Notice {
    /// The name of the notice, for logs and metrics: `fell_back`, `key_cooled`, …
    pub const fn name(&self) -> &'static str {
        match self {
            Self::FellBack { .. } => "fell_back",
            Self::KeyCooled { .. } => "key_cooled",
            Self::LimitWaited { .. } => "limit_waited",
            Self::Queued { .. } => "queued",
            Self::BreakerOpened { .. } => "breaker_opened",
            Self::BreakerHalfOpened { .. } => "breaker_half_opened",
            Self::BreakerClosed { .. } => "breaker_closed",
            Self::HedgeSent { .. } => "hedge_sent",
            Self::HedgeWon { .. } => "hedge_won",
            Self::CacheHit { .. } => "cache_hit",
            Self::CacheMiss { .. } => "cache_miss",
            Self::CacheStored { .. } => "cache_stored",
            Self::BudgetSpent { .. } => "budget_spent",
            Self::BudgetRefused { .. } => "budget_refused",
            Self::Other { .. } => "other",
        }
    }
}

impl Teller {
    pub(crate) fn new(client: &Client) -> Self {
        Self { client: client.clone(), told: Arc::default(), span: observe::Span::here() }
    }

    /// Tells.
    pub fn tell(&self, notice: Notice) {
        if let Some(told) = &self.client.0.on_notice {
            told(&notice);
        }
        self.client.0.observe.noticed(&self.span, &notice);
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
    }

    /// What was told and not yet taken.
    pub(crate) fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Teller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Teller").finish_non_exhaustive()
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FellBack { from, to, reason, .. } => {
                write!(f, "{to} is asked in place of {from}, which failed: {reason}")
            }
            Self::KeyCooled { provider, key, time, .. } => {
                write!(f, "key {} of {provider} is left alone for {}", key + 1, Seconds(*time))
            }
            Self::LimitWaited { scope, time } => {
                write!(f, "waited {} for the rate limit of {scope}", Seconds(*time))
            }
            Self::Queued { scope, time } => {
                write!(f, "waited {} for other calls of {scope} to end", Seconds(*time))
            }
            Self::BreakerOpened { scope, time } => {
                write!(f, "{scope} fails and is left alone for {}", Seconds(*time))
            }
            Self::BreakerHalfOpened { scope } => write!(f, "one call tries whether {scope} works again"),
            Self::BreakerClosed { scope } => write!(f, "{scope} works again"),
            Self::HedgeSent { model, after, .. } => {
                write!(f, "{model} is asked as well, since nothing came for {}", Seconds(*after))
            }
            Self::HedgeWon { model, second } => {
                write!(f, "{model} answers to the {} call", if *second { "second" } else { "first" })
            }
            Self::CacheHit { age, .. } => write!(f, "the answer is out of the cache, {} old", Seconds(*age)),
            Self::CacheMiss { .. } => f.write_str("the answer is not in the cache"),
            Self::CacheStored { bytes, .. } => {
                write!(f, "the answer was put into the cache, {bytes} bytes")
            }
            Self::BudgetSpent { tokens, estimated, .. } => {
                let about = if *estimated { "about " } else { "" };
                write!(f, "{about}{tokens} tokens were charged to the budget")
            }
            Self::BudgetRefused { reason } => f.write_str(reason),
            Self::Other { layer, what } => write!(f, "{layer}: {what}"),
        }
    }
}

/// A time in seconds, for people.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let digits = if seconds < 10.0 { 3 } else { 0 };
        let text = format!("{seconds:.digits$}");
        let text = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        write!(f, "{text} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        let read = |ms| Seconds(Duration::from_millis(ms)).to_string();
        assert_eq!([read(0), read(1), read(1500), read(60_000)], ["0 s", "0.001 s", "1.5 s", "60 s"]);
    }
}

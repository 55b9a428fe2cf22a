use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use interlingua_model::{Error, ErrorKind, Retry};

/// When a call that failed is made again: never once a piece of the answer was handed out.
///
/// The pause before the n-th retry is a random part of `base` · 2ⁿ⁻¹, at most of `cap`. Where the provider says how
/// long to wait, that is waited for instead, unless it is longer than `longest_wait`: then the error is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Most retries of one call; 2 by default.
    pub retries: u32,
    /// The longest pause before the first retry; 0.5 s by default.
    pub base: Duration,
    /// The longest pause of all; 8 s by default.
    pub cap: Duration,
    /// The longest time to wait because the provider says so; 60 s by default.
    pub longest_wait: Duration,
    /// Whether a call that was rate limited is made again; it is by default. A layer that has another key or model
    /// goes on with that at once.
    pub rate_limited: bool,
}

/// One retry, for those who want to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryNote {
    /// Which retry it is, from 1.
    pub attempt: u32,
    /// How long is waited before it.
    pub pause: Duration,
    /// What went wrong, for people.
    pub reason: String,
    /// What went wrong, for programs.
    pub kind: ErrorKind,
    /// The HTTP status of the attempt that failed, when there was an answer.
    pub status: Option<u16>,
}

impl RetryPolicy {
    /// No retries at all.
    pub fn never() -> Self {
        Self { retries: 0, ..Self::default() }
    }

    /// Sets the most retries of one call.
    #[must_use]
    pub const fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// Sets the longest pause before the first retry, and the longest of all.
    #[must_use]
    pub const fn pauses(mut self, base: Duration, cap: Duration) -> Self {
        self.base = base;
        self.cap = cap;
        self
    }

    /// Sets the longest time to wait because the provider says so.
    #[must_use]
    pub const fn longest_wait(mut self, time: Duration) -> Self {
        self.longest_wait = time;
        self
    }

    /// Sets whether a call that was rate limited is made again.
    #[must_use]
    pub const fn rate_limited(mut self, again: bool) -> Self {
        self.rate_limited = again;
        self
    }

    /// The pause before the next retry, after `done` retries; `None` when there is none.
    pub(crate) fn pause(&self, error: &Error, done: u32) -> Option<Duration> {
        if done >= self.retries || (!self.rate_limited && error.kind() == ErrorKind::RateLimited) {
            return None;
        }
        let jitter = self.ceiling(done).mul_f64(random());
        match error.retry() {
            Retry::Soon => Some(jitter),
            Retry::After(wait) if wait <= self.longest_wait => Some(wait.max(jitter)),
            _ => None,
        }
    }

    fn ceiling(&self, done: u32) -> Duration {
        self.base.saturating_mul(1_u32.checked_shl(done).unwrap_or(u32::MAX)).min(self.cap)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 2,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(8),
            longest_wait: Duration::from_secs(60),
            rate_limited: true,
        }
    }
}

impl RetryNote {
    pub(crate) fn new(attempt: u32, pause: Duration, error: &Error) -> Self {
        Self { attempt, pause, reason: error.to_string(), kind: error.kind(), status: error.status() }
    }
}

/// A number from 0 to 1. The keys of the standard library's hash maps are random enough to spread retries.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(0_u8);
    f64::from((bits >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64) -> Error {
        Error::new(ErrorKind::RateLimited, "slow down").with_retry(Retry::After(Duration::from_secs(seconds)))
    }

    #[test]
    fn pauses_grow_up_to_the_cap() {
        let policy = RetryPolicy::default();
        let ceilings: Vec<_> = (0..6).map(|done| policy.ceiling(done).as_millis()).collect();
        assert_eq!(ceilings, [500, 1000, 2000, 4000, 8000, 8000]);
        assert_eq!(policy.ceiling(u32::MAX), policy.cap);
    }

    #[test]
    fn a_pause_is_random_within_its_ceiling() {
        let policy = RetryPolicy::default().retries(u32::MAX);
        let error = Error::new(ErrorKind::Overloaded, "busy");
        let pauses: Vec<_> = (0..50).filter_map(|_| policy.pause(&error, 3)).collect();
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(4)));
        assert!(pauses.iter().any(|pause| *pause != pauses[0]), "fifty equal pauses are no jitter");
    }

    #[test]
    fn the_provider_s_wait_is_kept_up_to_a_limit() {
        let policy = RetryPolicy::default();
        assert!(policy.pause(&after(20), 0).is_some_and(|pause| pause >= Duration::from_secs(20)));
        assert_eq!(policy.pause(&after(61), 0), None);
        assert_eq!(policy.pause(&after(1), 2), None, "two retries are all");
        assert_eq!(policy.pause(&Error::new(ErrorKind::Authentication, "no"), 0), None);
    }
}

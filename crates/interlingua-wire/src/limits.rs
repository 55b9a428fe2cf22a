use std::time::{Duration, SystemTime};

use http::HeaderMap;

use crate::date;

/// Most limits that are kept of one answer.
const MOST: usize = 64;

/// The rate limits that an answer's headers tell of.
///
/// Read by their shape, whoever sends them: `x-ratelimit-limit-requests`, `x-ratelimit-remaining-tokens`,
/// `anthropic-ratelimit-input-tokens-reset`, `ratelimit-reset`.
///
/// ```
/// use http::HeaderMap;
/// use interlingua_wire::{RateLimits, Reset};
/// use std::time::Duration;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("x-ratelimit-remaining-tokens", "149984".parse()?);
/// headers.insert("x-ratelimit-reset-tokens", "6m0s".parse()?);
/// let limits = RateLimits::of(&headers);
/// let tokens = limits.get("tokens").ok_or("no limit of tokens")?;
/// assert_eq!(tokens.remaining, Some(149_984));
/// assert_eq!(tokens.reset, Some(Reset::In(Duration::from_secs(360))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RateLimits(Vec<RateLimit>);

/// One rate limit and how much of it is left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// What is counted, in the provider's words: `requests`, `tokens`, `input-tokens`, `requests-day`.
    pub name: String,
    /// How many are allowed in a window.
    pub limit: Option<u64>,
    /// How many are left.
    pub remaining: Option<u64>,
    /// When all are allowed again.
    pub reset: Option<Reset>,
}

/// When a limit is reset, as the provider put it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reset {
    /// After this much time from the answer on.
    In(Duration),
    /// At this time by the provider's clock.
    At(SystemTime),
}

/// The three figures of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Limit,
    Remaining,
    Reset,
}

impl RateLimits {
    /// Reads the limits out of the headers of an answer; what cannot be read is left out.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut limits = Self::default();
        for (header, value) in headers {
            let Some((name, figure)) = recognise(header.as_str()) else { continue };
            let Ok(value) = value.to_str() else { continue };
            limits.set(name, figure, value.trim());
        }
        limits
    }

    /// The limit of this name.
    pub fn get(&self, name: &str) -> Option<&RateLimit> {
        self.0.iter().find(|limit| limit.name == name)
    }

    /// The limits, in the order of the headers.
    pub fn iter(&self) -> impl Iterator<Item = &RateLimit> {
        self.0.iter()
    }

    /// Whether the provider told of none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The latest reset among the limits that are used up, as a pause from `now` on.
    pub(crate) fn pause(&self, now: Option<SystemTime>) -> Option<Duration> {
        let used_up = self.0.iter().filter(|limit| limit.remaining == Some(0));
        used_up.filter_map(|limit| limit.reset?.pause(now)).max()
    }

    fn set(&mut self, name: &str, figure: Figure, value: &str) {
        let is_readable = match figure {
            Figure::Limit | Figure::Remaining => count(value).is_some(),
            Figure::Reset => reset(value).is_some(),
        };
        if !is_readable {
            return;
        }
        let Some(limit) = self.entry(name) else { return };
        match figure {
            Figure::Limit => limit.limit = count(value),
            Figure::Remaining => limit.remaining = count(value),
            Figure::Reset => limit.reset = reset(value),
        }
    }

    fn entry(&mut self, name: &str) -> Option<&mut RateLimit> {
        let found = self.0.iter().position(|limit| limit.name == name);
        if found.is_none() && self.0.len() < MOST {
            self.0.push(RateLimit { name: name.to_owned(), limit: None, remaining: None, reset: None });
            return self.0.last_mut();
        }
        self.0.get_mut(found?)
    }
}

impl Reset {
    /// The pause that this makes from `now` on, where the time is known.
    pub fn pause(self, now: Option<SystemTime>) -> Option<Duration> {
        match self {
            Self::In(pause) => Some(pause),
            Self::At(time) => Some(time.duration_since(now?).unwrap_or_default()),
        }
    }
}

/// The provider's id of a call, which its support asks for.
///
/// Looked for in `x-request-id`, `request-id`, `apim-request-id`, `x-amzn-requestid`, `x-generation-id`,
/// `x-debug-trace-id`, `x-trace-id`, and last in `cf-ray`, which only names the way there.
pub fn request_id(headers: &HeaderMap) -> Option<&str> {
    const NAMES: [&str; 8] = [
        "x-request-id",
        "request-id",
        "apim-request-id",
        "x-amzn-requestid",
        "x-generation-id",
        "x-debug-trace-id",
        "x-trace-id",
        "cf-ray",
    ];
    NAMES.iter().find_map(|name| headers.get(*name)?.to_str().ok().map(str::trim).filter(|id| !id.is_empty()))
}

/// Whether a word stands in a name.
fn has(name: &str, word: &[u8]) -> bool {
    name.as_bytes().windows(word.len()).any(|part| part == word)
}

/// What a header counts, and which of the figures it gives.
fn recognise(header: &str) -> Option<(&str, Figure)> {
    if !has(header, b"limit") && !header.starts_with("anthropic-") && !header.starts_with("x-trial-") {
        return None;
    }
    let rest =
        ["x-ratelimit-", "x-rate-limit-", "ratelimit-", "anthropic-ratelimit-", "anthropic-", "x-trial-"]
            .iter()
            .find_map(|prefix| header.strip_prefix(prefix))
            .or_else(|| Some(header.split_once("ratelimit-")?.1))?;
    for (word, figure) in
        [("limit", Figure::Limit), ("remaining", Figure::Remaining), ("reset", Figure::Reset)]
    {
        if rest == word {
            return Some(("requests", figure));
        }
        if let Some(name) = rest.strip_prefix(word).and_then(|rest| rest.strip_prefix('-')) {
            return Some((name, figure));
        }
        if let Some(name) = rest.strip_suffix(word).and_then(|rest| rest.strip_suffix('-')) {
            return Some((name, figure));
        }
    }
    None
}

/// A whole number, perhaps with a window after it: `100, 100;w=60`.
fn count(value: &str) -> Option<u64> {
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    value.get(..end)?.parse().ok()
}

/// `6m0s`, seconds, seconds or milliseconds since 1970, or a date of RFC 3339.
fn reset(value: &str) -> Option<Reset> {
    if let Some(time) = date::rfc3339(value).or_else(|| date::http_date(value)) {
        return Some(Reset::At(time));
    }
    let epoch = value.split('.').next().and_then(|whole| whole.parse::<i64>().ok());
    match epoch {
        Some(milliseconds) if milliseconds >= 100_000_000_000 => {
            date::at(milliseconds / 1_000).map(Reset::At)
        }
        Some(seconds) if seconds >= 1_000_000_000 => date::at(seconds).map(Reset::At),
        _ => date::duration(value).map(Reset::In),
    }
}

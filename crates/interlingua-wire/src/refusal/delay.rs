use std::time::{Duration, SystemTime};

use http::HeaderMap;

use crate::{RateLimits, date};

/// The pause that the headers ask for: `retry-after-ms`, `retry-after` in seconds or as a date, or the reset of a limit
/// that is used up.
pub(super) fn of_headers(headers: &HeaderMap, now: Option<SystemTime>) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let milliseconds = text("retry-after-ms").and_then(|text| text.parse::<f64>().ok());
    milliseconds
        .and_then(|figure| date::seconds(figure / 1_000.0))
        .or_else(|| retry_after(text("retry-after")?, now))
        .or_else(|| RateLimits::of(headers).pause(now).and_then(|pause| date::seconds(pause.as_secs_f64())))
}

fn retry_after(text: &str, now: Option<SystemTime>) -> Option<Duration> {
    if let Ok(figure) = text.parse::<f64>() {
        return date::seconds(figure);
    }
    if let Some(time) = date::http_date(text) {
        return date::seconds(time.duration_since(now?).unwrap_or_default().as_secs_f64());
    }
    date::duration(text)
}

/// The pause that a field of the body asks for.
pub(super) fn of_body(body: &str) -> Option<Duration> {
    const FIELDS: [(&str, f64); 7] = [
        ("\"retryDelay\"", 1.0),
        ("\"retry_after_ms\"", 1e-3),
        ("\"retry_after\"", 1.0),
        ("\"retry_after_seconds\"", 1.0),
        ("\"retryAfter\"", 1.0),
        ("\"retry-after\"", 1.0),
        ("\"retry_delay\"", 1.0),
    ];
    FIELDS.iter().find_map(|(field, scale)| {
        let (_, rest) = body.split_once(field)?;
        let value = rest.trim_start().strip_prefix(':')?.trim_start().trim_start_matches('"');
        date::seconds(date::duration(value)?.as_secs_f64() * scale)
    })
}

/// The pause that the words ask for: "try again in 1.5s".
pub(super) fn of_message(message: &str) -> Option<Duration> {
    const PHRASES: [&str; 7] = [
        "try again in ",
        "retry in ",
        "retry after ",
        "try again after ",
        "wait for ",
        "please wait ",
        "available in ",
    ];
    let message = message.to_ascii_lowercase();
    PHRASES.iter().find_map(|phrase| {
        let (_, rest) = message.split_once(phrase)?;
        date::duration(rest.trim_start_matches("about ").trim_start_matches("approximately "))
    })
}

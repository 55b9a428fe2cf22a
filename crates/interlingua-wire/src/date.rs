//! Dates and durations as headers and error bodies spell them. Nothing here knows what time it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longest pause that is believed: a day.
const LONGEST: f64 = 86_400.0;

/// A duration of this many seconds; `None` when the figure makes no sense, a day at most.
pub(crate) fn seconds(figure: f64) -> Option<Duration> {
    (figure >= 0.0).then(|| Duration::from_secs_f64(figure.min(LONGEST)))
}

/// Reads the duration at the start of a text: `6m0s`, `12ms`, `1.5s`, `2 minutes`, or bare seconds.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim_start();
    let mut total = None;
    while let Some((figure, after)) = number(rest) {
        let spaced = after.trim_start_matches(' ');
        let length = spaced.find(|c: char| !c.is_alphabetic()).unwrap_or(spaced.len());
        let (unit, tail) = spaced.split_at(length);
        let Some(scale) = unit_seconds(unit) else {
            // A figure without a unit is one of seconds, unless it stands after figures with units.
            return if total.is_none() { seconds(figure) } else { seconds(total?) };
        };
        total = Some(total.unwrap_or(0.0) + figure * scale);
        rest = tail;
    }
    seconds(total?)
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" | "millis" | "millisecond" | "milliseconds" => 1e-3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    })
}

/// The plain decimal number at the start of a text, and what follows it.
pub(crate) fn number(text: &str) -> Option<(f64, &str)> {
    let mut dots = 0;
    let end = text.find(|c: char| {
        dots += usize::from(c == '.');
        !(c.is_ascii_digit() || c == '.' && dots == 1)
    });
    let (figure, mut rest) = text.split_at(end.unwrap_or(text.len()));
    let trimmed = figure.trim_end_matches('.');
    if trimmed.len() < figure.len() {
        rest = text.get(trimmed.len()..)?;
    }
    Some((trimmed.parse().ok()?, rest))
}

/// Reads a date of RFC 3339, such as `2026-11-25T12:00:00Z`.
pub(crate) fn rfc3339(text: &str) -> Option<SystemTime> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (figure(date.next()?)?, figure(date.next()?)?, figure(date.next()?)?);
    let clock = time.get(..8)?;
    let (fraction, zone) = split_fraction(time.get(8..)?)?;
    let seconds = instant(year, month, day, clock)?.checked_sub(offset(zone)?)?;
    at(seconds)?.checked_add(Duration::from_secs_f64(fraction))
}

/// Writes a date of RFC 3339 in UTC, from seconds since 1970.
pub(crate) fn to_rfc3339(seconds: u64) -> String {
    let (days, clock) = (seconds / 86_400, seconds % 86_400);
    // Days are counted from March of the year 0, so that a leap day is the last of its year.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let of_years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_years + of_years / 4 - of_years / 100);
    let of_months = (5 * of_year + 2) / 153;
    let day = of_year - (153 * of_months + 2) / 5 + 1;
    let month = if of_months < 10 { of_months + 3 } else { of_months - 9 };
    let year = of_years + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads a date as HTTP writes it, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn http_date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.trim().split_once(", ")?.1.split(' ');
    let day = figure(words.next()?)?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| *month == name)?;
    let year = figure(words.next()?)?;
    let seconds = instant(year, i64::try_from(month).ok()? + 1, day, words.next()?)?;
    (words.next() == Some("GMT")).then(|| at(seconds)).flatten()
}

/// The time at this many seconds since 1970, not before.
pub(crate) fn at(seconds: i64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

fn figure(text: &str) -> Option<i64> {
    let is_plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

fn instant(year: i64, month: i64, day: i64, clock: &str) -> Option<i64> {
    let mut clock = clock.splitn(3, ':');
    let (hour, minute, second) = (figure(clock.next()?)?, figure(clock.next()?)?, figure(clock.next()?)?);
    let is_sane = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && year >= 1970;
    is_sane.then(|| ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Days since 1970-01-01 of a date in the Gregorian calendar, counted in eras of 400 years that begin in March.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn split_fraction(text: &str) -> Option<(f64, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0.0, text)) };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, zone) = digits.split_at(end);
    Some((format!("0.{digits}0").parse().ok()?, zone))
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) =
        zone.strip_prefix('+').map(|rest| (1, rest)).or_else(|| Some((-1, zone.strip_prefix('-')?)))?;
    let (hours, minutes) = rest.split_once(':')?;
    Some(sign * (figure(hours)? * 3_600 + figure(minutes)? * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_every_spelling() {
        let cases = [
            ("6m0s", 360.0),
            ("12ms", 0.012),
            ("1h2m3.5s", 3_723.5),
            ("20", 20.0),
            ("1.5s.", 1.5),
            ("2 minutes and a bit", 120.0),
            ("34.07s", 34.07),
            ("30 tokens", 30.0),
            ("1e300", 1.0),
            ("99999999999999999999s", 86_400.0),
        ];
        for (text, expected) in cases {
            let found = duration(text).map(|found| found.as_secs_f64());
            assert!(found.is_some_and(|found| (found - expected).abs() < 1e-9), "{text}: {found:?}");
        }
        for text in ["", "s", "-3", ".", "soon"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn dates_of_both_standards() {
        let expected = at(784_111_777);
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), expected);
        for text in ["1994-11-06T08:49:37Z", "1994-11-06T09:49:37+01:00", "1994-11-06t03:19:37.000-05:30"] {
            assert_eq!(rfc3339(text), expected, "{text}");
        }
        assert_eq!(rfc3339("2000-02-29T00:00:00Z"), at(951_782_400));
        for text in ["", "1994", "1994-13-06T08:49:37Z", "1994-11-06T08:49:37", "1994-11-06T0é:49:37Z", "x"]
        {
            assert_eq!(rfc3339(text), None, "{text}");
            assert_eq!(http_date(text), None, "{text}");
        }
    }
}

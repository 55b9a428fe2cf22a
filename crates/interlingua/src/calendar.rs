//! Dates as logins write them and signatures want them.

use std::time::{Duration, SystemTime};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// The first of January 1970 was a Thursday.
const WEEK: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// `20150830T123600Z`; `None` before 1970.
pub(crate) fn stamp(now: SystemTime) -> Option<String> {
    let (days, [hour, minute, second]) = moment(now)?;
    let (year, month, day) = date(days);
    Some(format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z"))
}

/// `Sun, 30 Aug 2015 12:36:00 GMT`, as HTTP writes dates; `None` before 1970.
pub(crate) fn http_date(now: SystemTime) -> Option<String> {
    let (days, [hour, minute, second]) = moment(now)?;
    let (year, month, day) = date(days);
    let week = WEEK.get(usize::try_from(days % 7).ok()?)?;
    let month = MONTHS.get(usize::try_from(month - 1).ok()?)?;
    Some(format!("{week}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT"))
}

/// Days since 1970, and the time of the day.
fn moment(now: SystemTime) -> Option<(u64, [u64; 3])> {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    Some((days, [second / 3_600, second / 60 % 60, second % 60]))
}

/// Year, month and day of a day since 1970, by the calendar of 400 years that begins in March.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

/// The time that an RFC 3339 date of UTC tells, as `2026-11-22T12:00:00Z`; fractions of a second do not matter.
pub(crate) fn time(text: &str) -> Option<SystemTime> {
    let text = text.trim().strip_suffix('Z').or_else(|| text.trim().strip_suffix("+00:00"))?;
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let second = number(11, 13)? * 3_600 + number(14, 16)? * 60 + number(17, 19)?;
    // The same calendar the other way round.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let (era, of_era) = (year / 400, year % 400);
    let day = (153 * month + 2) / 5 + day.checked_sub(1)?;
    let day = of_era * 365 + of_era / 4 - of_era / 100 + day;
    let days = (era * 146_097 + day).checked_sub(719_468)?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(days * 86_400 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, expected, http) in [
            (0, "19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_399, "20000228T235959Z", "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "20000229T000000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "20240229T235959Z", "Thu, 29 Feb 2024 23:59:59 GMT"),
            (4_107_542_400, "21000301T000000Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            let then = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(stamp(then).unwrap(), expected);
            assert_eq!(http_date(then).unwrap(), http);
            let (date, clock) = expected.split_once('T').unwrap();
            let written = format!(
                "{}-{}-{}T{}:{}:{}.5Z",
                &date[..4],
                &date[4..6],
                &date[6..],
                &clock[..2],
                &clock[2..4],
                &clock[4..6]
            );
            assert_eq!(time(&written), Some(then), "{written}");
        }
        for odd in
            ["", "Z", "2026", "2026-00-00T00:00:00Z", "1969-12-31T00:00:00Z", "2026-11-22T12:00:00+01:00"]
        {
            assert_eq!(time(odd), None, "{odd}");
        }
        assert_eq!(stamp(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), None);
        assert_eq!(http_date(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), None);
    }
}

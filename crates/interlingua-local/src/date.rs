//! Today's date as chat templates ask for it.

use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// A moment, in UTC, by a pattern of C's `strftime`. Letters that no known chat template uses stay as they are.
pub(crate) fn format(pattern: &str, moment: SystemTime) -> String {
    let seconds = moment.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let days = seconds / 86_400;
    let (year, month, day) = civil(days);
    let name = |names: &[&'static str], index: u64| {
        usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
    };
    let (month_name, day_name) = (name(&MONTHS, month - 1), name(&DAYS, days % 7));
    let two = |number: u64| format!("{number:02}");
    let mut out = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('Y') => out.push_str(&year.to_string()),
            Some('m') => out.push_str(&two(month)),
            Some('d') => out.push_str(&two(day)),
            Some('B') => out.push_str(month_name),
            Some('b') => out.extend(month_name.chars().take(3)),
            Some('A') => out.push_str(day_name),
            Some('a') => out.extend(day_name.chars().take(3)),
            Some('H') => out.push_str(&two(seconds / 3600 % 24)),
            Some('M') => out.push_str(&two(seconds / 60 % 60)),
            Some('S') => out.push_str(&two(seconds % 60)),
            Some(other) => out.extend(['%', other].into_iter().skip(usize::from(other == '%'))),
            None => out.push('%'),
        }
    }
    out
}

/// Year, month and day of a number of days since 1970, by
/// [Howard Hinnant's algorithm](https://howardhinnant.github.io/date_algorithms.html#civil_from_days).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(format("%A, %d %B %Y %H:%M:%S", at(0)), "Thursday, 01 January 1970 00:00:00");
        assert_eq!(format("%d %b %Y", at(951_782_400)), "29 Feb 2000");
        assert_eq!(format("%Y-%m-%d %a 100%% %", at(1_764_069_825)), "2025-11-25 Tue 100% %");
    }
}

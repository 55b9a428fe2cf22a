//! What the user says.

use std::time::Duration;

/// How long, how many, and by which chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) time: Duration,
    pub(crate) conversations: u64,
    pub(crate) seed: u64,
    /// Whether calls go through layers, which are to change nothing.
    pub(crate) layers: bool,
}

impl Options {
    /// Reads flags.
    pub(crate) fn read(flags: &[&str]) -> Result<Self, String> {
        let mut options = Self { time: Duration::from_secs(600), conversations: 200, seed: 1, layers: false };
        for pair in flags.chunks(2) {
            let [flag, value] = pair else { return Err(format!("`{}` wants a number", pair.concat())) };
            let number: u64 = value.parse().map_err(|_| format!("`{flag} {value}`: that is no number"))?;
            match *flag {
                "--minutes" => options.time = Duration::from_secs(number.saturating_mul(60)),
                "--seconds" => options.time = Duration::from_secs(number),
                "--conversations" => options.conversations = number,
                "--seed" => options.seed = number,
                "--layers" => options.layers = number != 0,
                other => return Err(format!("soak takes no `{other}`")),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read() {
        let read = Options::read(&["--minutes", "2", "--seed", "9"]).unwrap();
        assert_eq!((read.time, read.conversations, read.seed), (Duration::from_secs(120), 200, 9));
        for wrong in [&["--minutes"][..], &["--minutes", "x"], &["--hours", "1"]] {
            assert!(Options::read(wrong).is_err(), "{wrong:?}");
        }
    }
}

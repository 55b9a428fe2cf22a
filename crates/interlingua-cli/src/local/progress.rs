//! A bar that says how far a fetch has come.

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the bar is drawn.
const PAUSE: Duration = Duration::from_millis(100);
/// The cells of the bar.
const CELLS: u64 = 30;
/// The columns of the bar with its figures, and of a key that was typed meanwhile.
const WIDTH: usize = 60;

/// A bar on standard error; silent where that is no terminal. Clones are the same bar.
#[derive(Debug, Clone)]
pub(super) struct Bar(Arc<Mutex<State>>);

/// Takes the bar away when it is dropped, also when the fetch is not waited for any more.
#[derive(Debug)]
pub(super) struct Shown(Bar);

#[derive(Debug)]
enum State {
    /// It is not to be drawn, or not any more.
    Away,
    /// It was drawn last at this time.
    There(Option<Instant>),
}

impl Bar {
    /// A bar that is drawn or not.
    pub(super) fn new(draws: bool) -> Self {
        let state = if draws { State::There(None) } else { State::Away };
        Self(Arc::new(Mutex::new(state)))
    }

    /// What ends the bar.
    pub(super) fn shown(&self) -> Shown {
        Shown(self.clone())
    }

    /// Draws how far it is, unless it was drawn a moment ago.
    pub(super) fn show(&self, done: u64, total: u64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State::There(drawn) = &mut *state else { return };
        if total == 0 || done < total && drawn.is_some_and(|drawn| drawn.elapsed() < PAUSE) {
            return;
        }
        *drawn = Some(Instant::now());
        write(&format!("\r{}", line(done, total)));
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::There(Some(_)) = std::mem::replace(&mut *state, State::Away) {
            write(&format!("\r{}\r", " ".repeat(WIDTH)));
        }
    }
}

fn line(done: u64, total: u64) -> String {
    let done = done.min(total);
    let filled = usize::try_from(done.saturating_mul(CELLS) / total.max(1)).unwrap_or(0);
    let empty = usize::try_from(CELLS).unwrap_or(0).saturating_sub(filled);
    let megabytes = |bytes: u64| bytes / 1_000_000;
    format!("[{}{}] {} of {} MB", "#".repeat(filled), ".".repeat(empty), megabytes(done), megabytes(total))
}

/// A bar that cannot be drawn is no reason to stop.
fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills() {
        assert_eq!(line(0, 98_000_000), format!("[{}] 0 of 98 MB", ".".repeat(30)));
        assert_eq!(
            line(49_000_000, 98_000_000),
            format!("[{}{}] 49 of 98 MB", "#".repeat(15), ".".repeat(15))
        );
        assert_eq!(line(7, 0), format!("[{}] 0 of 0 MB", ".".repeat(30)));
    }
}

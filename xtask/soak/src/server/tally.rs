//! What the server counts.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use interlingua::Error;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::nonce::Nonce;

/// The running counts of a server.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Running>);

#[derive(Debug, Default)]
struct Running {
    counts: Counts,
    /// The last question of each conversation and how often it was asked. A conversation asks one at a time.
    asked: HashMap<u64, (u64, u64)>,
}

/// What was counted in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Connections that were taken.
    pub(crate) connections: u64,
    /// Questions that came, each once.
    pub(crate) turns: u64,
    /// Times that any question came again.
    pub(crate) retried: u64,
    /// How often each fault was done, by name.
    pub(crate) faults: Vec<(String, u64)>,
    /// Requests that were not what they should have been, and the first of them.
    pub(crate) wrong: u64,
    pub(crate) example: Option<String>,
}

impl Tally {
    /// A connection was taken.
    pub(super) fn connection(&self) {
        self.lock().counts.connections += 1;
    }

    /// A question came; which attempt it is, from 0.
    pub(super) fn attempt(&self, nonce: Nonce) -> u64 {
        let mut running = self.lock();
        let last = running.asked.get(&nonce.slot).copied();
        let number = match last {
            Some((turn, number)) if turn == nonce.turn => number + 1,
            // One that was cancelled may come late; nobody waits for its answer.
            Some((turn, _)) if turn > nonce.turn => return 0,
            _ => 0,
        };
        running.asked.insert(nonce.slot, (nonce.turn, number));
        if number == 0 {
            running.counts.turns += 1;
        } else {
            running.counts.retried += 1;
        }
        number
    }

    /// A fault is done.
    pub(super) fn fault(&self, fault: Fault) {
        let faults = &mut self.lock().counts.faults;
        match faults.iter_mut().find(|(name, _)| name == fault.name()) {
            Some((_, count)) => *count += 1,
            None => faults.push((fault.name().to_owned(), 1)),
        }
    }

    /// A request was not what it should have been.
    pub(super) fn fail(&self, error: &Error) {
        let counts = &mut self.lock().counts;
        counts.wrong += 1;
        counts.example.get_or_insert_with(|| error.to_string());
    }

    /// The counts so far.
    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// One line for the other process.
    pub(crate) fn to_line(&self) -> String {
        let Self { connections, turns, retried, faults, wrong, example } = self;
        json!({
            "connections": connections, "turns": turns, "retried": retried, "faults": faults, "wrong": wrong,
            "example": example,
        })
        .to_string()
    }

    /// What the other process wrote.
    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let number = |name: &str| value.get(name)?.as_u64();
        let fault = |pair: &Value| Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.as_u64()?));
        Some(Self {
            connections: number("connections")?,
            turns: number("turns")?,
            retried: number("retried")?,
            faults: value.get("faults")?.as_array()?.iter().filter_map(fault).collect(),
            wrong: number("wrong")?,
            example: value.get("example")?.as_str().map(str::to_owned),
        })
    }

    /// How often a fault was done.
    pub(crate) fn of(&self, fault: Fault) -> u64 {
        self.faults.iter().find(|(name, _)| name == fault.name()).map_or(0, |(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_comes_again_is_a_retry() {
        let tally = Tally::default();
        let attempts: Vec<u64> = [(1, 0), (1, 0), (2, 0), (1, 1), (1, 0), (1, 1)]
            .map(|(slot, turn)| tally.attempt(Nonce { slot, turn }))
            .to_vec();
        assert_eq!(attempts, [0, 1, 0, 0, 0, 1]);
        assert_eq!((tally.counts().turns, tally.counts().retried), (3, 2));
    }

    #[test]
    fn the_counts_survive_the_way() {
        let tally = Tally::default();
        tally.connection();
        tally.attempt(Nonce { slot: 1, turn: 0 });
        tally.fault(Fault::Stall);
        tally.fail(&super::super::broken("a \"quoted\" word".to_owned()));
        let counts = tally.counts();
        assert_eq!(Counts::from_line(&counts.to_line()), Some(counts.clone()));
        assert_eq!((counts.of(Fault::Stall), counts.of(Fault::None)), (1, 0));
    }
}

//! What became of every question.

/// Most examples that are kept of what went wrong.
const EXAMPLES: usize = 8;

/// The account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Questions that were asked.
    pub(crate) sent: u64,
    /// Answers that came whole and right.
    pub(crate) answered: u64,
    /// Typed errors that say what the server said: a status, an error event, a page that is no answer.
    pub(crate) refused: u64,
    /// Typed errors of an answer that broke off, stood still or never began.
    pub(crate) cut: u64,
    /// Calls that the caller dropped.
    pub(crate) cancelled: u64,
    /// Answers that are not what was said, in part or as a whole.
    pub(crate) wrong: u64,
    /// Answers taken as whole that the server had cut.
    pub(crate) swallowed: u64,
    /// Retries that the client told of.
    pub(crate) told: u64,
    /// Conversations that were begun.
    pub(crate) conversations: u64,
    /// The first things that were wrong, in words.
    pub(crate) examples: Vec<String>,
}

/// What became of one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was answered.
    Answered,
    /// It was refused.
    Refused,
    /// Its answer was cut.
    Cut,
    /// The caller dropped it.
    Cancelled,
    /// Its answer is not what was said.
    Wrong(String),
    /// A cut answer was taken as whole.
    Swallowed(String),
    /// Nothing explains what became of it.
    Unexplained(String),
}

impl Ledger {
    /// Enters one question.
    pub(crate) fn enter(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Answered => self.answered += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Cut => self.cut += 1,
            Outcome::Cancelled => self.cancelled += 1,
            // It was answered and is no loss, but it is wrong.
            Outcome::Wrong(what) => {
                self.answered += 1;
                self.wrong += 1;
                self.remember(what);
            }
            Outcome::Swallowed(what) => {
                self.answered += 1;
                self.swallowed += 1;
                self.remember(what);
            }
            // It stays without an entry, and so it is lost.
            Outcome::Unexplained(what) => self.remember(what),
        }
    }

    /// Questions of which nothing is known in the end.
    pub(crate) const fn lost(&self) -> u64 {
        let known = self.answered + self.refused + self.cut + self.cancelled;
        self.sent.saturating_sub(known) + self.swallowed
    }

    fn remember(&mut self, what: String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_has_no_entry_is_lost() {
        let mut ledger = Ledger { sent: 7, ..Ledger::default() };
        for outcome in [Outcome::Answered, Outcome::Refused, Outcome::Cut, Outcome::Cancelled] {
            ledger.enter(outcome);
        }
        ledger.enter(Outcome::Unexplained("an error out of the blue".to_owned()));
        assert_eq!((ledger.lost(), ledger.wrong), (3, 0));
        ledger.enter(Outcome::Swallowed("half".to_owned()));
        ledger.enter(Outcome::Wrong("another".to_owned()));
        assert_eq!((ledger.lost(), ledger.wrong), (2, 1));
        assert_eq!(ledger.examples, ["an error out of the blue", "half", "another"]);
    }
}

use std::fmt;
use std::time::Duration;

use interlingua_model::{Error, ErrorKind, Usage};
use serde::{Deserialize, Serialize};

/// How far a run may go. Each is looked at before the model is asked, so that a run exceeds none by more than one turn and
/// the calls of it.
///
/// ```
/// use std::time::Duration;
///
/// use interlingua::RunLimits;
///
/// let limits = RunLimits::default().turns(40).tokens(200_000).time(Duration::from_secs(600));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunLimits {
    /// Most answers of the model; 16 by default.
    pub turns: u32,
    /// Most tokens, of prompts and answers together. An answer that does not say how many it used ends the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Most money. An answer whose price is not known ends the run.
    #[cfg(feature = "models")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<crate::catalog::Money>,
    /// Longest time, in which calls run and decisions are waited for. The [`Runner`](crate::Runner) ends an answer or a
    /// call that exceeds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Duration>,
}

/// What a run has spent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spent {
    /// How many answers there were.
    pub turns: u32,
    /// What all answers used together. A figure that one of them lacks is unknown for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// How long it took.
    #[serde(default)]
    pub time: Duration,
    /// What was paid for so many answers.
    #[cfg(feature = "models")]
    #[serde(default)]
    paid: (crate::catalog::Money, u32),
    /// Answers, with those of runs within tools.
    #[serde(default)]
    answers: u32,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The model is done.
    Finished,
    /// The run was ended before.
    Stopped(Stop),
    /// There was no answer.
    Failed {
        /// What went wrong, for programs.
        kind: ErrorKind,
        /// What went wrong, for people.
        message: String,
    },
}

/// Why a run was ended before the model was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stop {
    /// After [`RunLimits::turns`].
    Turns(u32),
    /// [`RunLimits::tokens`] were used; `None` when an answer did not say how many.
    Tokens(Option<u64>),
    /// The money of [`RunLimits`] is spent; `None` when a price is not known. The amount is in dollars.
    Cost(Option<String>),
    /// After [`RunLimits::time`].
    Time,
    /// It was cancelled.
    Cancelled,
    /// A condition of the program's own, in its words.
    Condition(String),
}

impl RunLimits {
    /// Sets the most answers of the model.
    #[must_use]
    pub const fn turns(mut self, turns: u32) -> Self {
        self.turns = turns;
        self
    }

    /// Sets the most tokens.
    #[must_use]
    pub const fn tokens(mut self, tokens: u64) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Sets the most money.
    #[cfg(feature = "models")]
    #[must_use]
    pub const fn cost(mut self, cost: crate::catalog::Money) -> Self {
        self.cost = Some(cost);
        self
    }

    /// Sets the longest time.
    #[must_use]
    pub const fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// The limit that is reached, if one is.
    pub(super) fn reached(&self, spent: &Spent) -> Option<Stop> {
        if spent.turns >= self.turns {
            return Some(Stop::Turns(spent.turns));
        }
        if self.time.is_some_and(|most| spent.time >= most) {
            return Some(Stop::Time);
        }
        let tokens = spent.tokens();
        if self.tokens.is_some_and(|most| tokens.is_none_or(|tokens| tokens >= most)) {
            return Some(Stop::Tokens(tokens));
        }
        #[cfg(feature = "models")]
        if let Some(most) = self.cost
            && spent.cost().is_none_or(|cost| cost >= most)
        {
            return Some(Stop::Cost(spent.cost().map(|cost| cost.to_string())));
        }
        None
    }
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            turns: 16,
            tokens: None,
            #[cfg(feature = "models")]
            cost: None,
            time: None,
        }
    }
}

impl Spent {
    /// The tokens of prompts and answers together; `None` when an answer did not say.
    pub fn tokens(&self) -> Option<u64> {
        match &self.usage {
            None => Some(0),
            Some(usage) => usage.input?.checked_add(usage.output?),
        }
    }

    /// What it cost; `None` when a price is not known.
    #[cfg(feature = "models")]
    pub fn cost(&self) -> Option<crate::catalog::Money> {
        (self.paid.1 == self.answers).then_some(self.paid.0)
    }

    /// One answer that used this.
    pub(crate) fn of(usage: &Usage) -> Self {
        let mut spent = Self::default();
        spent.add_answer(usage);
        spent
    }

    pub(super) fn add_answer(&mut self, usage: &Usage) {
        self.turns = self.turns.saturating_add(1);
        self.answers = self.answers.saturating_add(1);
        self.add_usage(usage);
    }

    /// Adds what another run has spent, but for its turns and its time.
    pub(crate) fn add(&mut self, other: &Self) {
        if let Some(usage) = &other.usage {
            self.add_usage(usage);
        }
        self.answers = self.answers.saturating_add(other.answers);
        #[cfg(feature = "models")]
        {
            self.paid = (self.paid.0 + other.paid.0, self.paid.1.saturating_add(other.paid.1));
        }
    }

    #[cfg(feature = "models")]
    pub(crate) fn add_price(&mut self, cost: crate::catalog::Money) {
        self.paid = (self.paid.0 + cost, self.paid.1.saturating_add(1));
    }

    fn add_usage(&mut self, usage: &Usage) {
        match &mut self.usage {
            Some(sum) => sum.add(usage),
            None => self.usage = Some(usage.clone()),
        }
    }
}

impl Outcome {
    /// Whether the model is done.
    pub const fn is_finished(&self) -> bool {
        matches!(self, Self::Finished)
    }

    pub(super) fn failed(error: &Error) -> Self {
        Self::Failed { kind: error.kind(), message: error.to_string() }
    }

    /// The error that this is for one who wanted the model to be done.
    pub(crate) fn error(&self) -> Option<Error> {
        match self {
            Self::Finished => None,
            Self::Stopped(Stop::Cancelled) => {
                Some(Error::new(ErrorKind::Cancelled, Stop::Cancelled.to_string()))
            }
            Self::Stopped(Stop::Time) => Some(Error::new(ErrorKind::Timeout, Stop::Time.to_string())),
            Self::Stopped(stop) => Some(Error::new(ErrorKind::Tool, stop.to_string())),
            Self::Failed { kind, message } => Some(Error::new(*kind, message.clone())),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Turns(turns) => write!(f, "the model was not done after {turns} answers"),
            Self::Tokens(Some(tokens)) => write!(f, "the run has used {tokens} tokens, which is its limit"),
            Self::Tokens(None) => {
                f.write_str("an answer did not say how many tokens it used, and the run has a limit")
            }
            Self::Cost(Some(cost)) => write!(f, "the run has cost ${cost}, which is its limit"),
            Self::Cost(None) => f.write_str("the price of an answer is not known, and the run has a limit"),
            Self::Time => f.write_str("the time of the run is over"),
            Self::Cancelled => f.write_str("the run was cancelled"),
            Self::Condition(words) => f.write_str(words),
        }
    }
}

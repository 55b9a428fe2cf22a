//! What is spent and what is held. It knows no clock.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::layer::Refusal;

/// What was spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spent {
    /// Money in femtodollars (10⁻¹⁵ dollars), as far as prices are known.
    pub femtodollars: u128,
    /// Tokens of prompts and answers.
    pub tokens: u64,
    /// Calls that were made.
    pub calls: u64,
}

#[cfg(feature = "models")]
impl Spent {
    /// The money, exactly, as far as prices are known.
    pub const fn money(&self) -> interlingua_catalog::Money {
        interlingua_catalog::Money::from_femtodollars(self.femtodollars)
    }
}

/// What a call costs, or may cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Amount {
    pub(crate) femtodollars: u128,
    pub(crate) tokens: u64,
    pub(crate) calls: u64,
}

/// How much may be spent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) femtodollars: Option<u128>,
    pub(crate) tokens: Option<u64>,
    pub(crate) calls: Option<u64>,
}

/// The account of a budget.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// What was spent since when, in slices of time; a single one where all time counts.
    slices: VecDeque<(Instant, Amount)>,
    spent: Amount,
    held: Amount,
}

/// Slices of a rolling window. What is spent in one is forgotten together.
const SLICES: u32 = 1000;

impl Account {
    /// Holds what a call may cost, when something is left of every limit.
    pub(crate) fn hold(
        &mut self,
        amount: Amount,
        now: Instant,
        limits: Limits,
        window: Option<Duration>,
    ) -> Result<(), Refusal> {
        self.forget(now, window);
        let all = self.spent.plus(self.held);
        if let Some(what) = limits.reached(all) {
            let free = || self.free_again(limits, window).map(|at| at.saturating_duration_since(now));
            let wait = if limits.reached(self.spent).is_some() { free() } else { Some(Duration::ZERO) };
            return Err(Refusal::BudgetSpent { what, wait });
        }
        self.held = self.held.plus(amount);
        Ok(())
    }

    /// Puts what a call has cost in place of what was held for it.
    pub(crate) fn settle(&mut self, held: Amount, spent: Amount, now: Instant, window: Option<Duration>) {
        self.held = self.held.minus(held);
        self.spent = self.spent.plus(spent);
        let Some(window) = window else { return };
        match self.slices.back_mut() {
            Some((since, slice)) if now < *since + window / SLICES => *slice = slice.plus(spent),
            _ => self.slices.push_back((now, spent)),
        }
    }

    /// Forgets what is out of the window.
    pub(crate) fn forget(&mut self, now: Instant, window: Option<Duration>) {
        let Some(window) = window else { return };
        while let Some((_, slice)) = self.slices.front().filter(|(since, _)| gone(*since, window) <= now) {
            self.spent = self.spent.minus(*slice);
            self.slices.pop_front();
        }
    }

    pub(crate) fn spent(&self) -> Spent {
        let Amount { femtodollars, tokens, calls } = self.spent;
        Spent { femtodollars, tokens, calls }
    }

    /// When enough is forgotten for another call.
    fn free_again(&self, limits: Limits, window: Option<Duration>) -> Option<Instant> {
        let mut spent = self.spent;
        for (since, slice) in &self.slices {
            spent = spent.minus(*slice);
            if limits.reached(spent).is_none() {
                return Some(gone(*since, window?));
            }
        }
        None
    }
}

/// When a slice is out of the window as a whole.
fn gone(since: Instant, window: Duration) -> Instant {
    since + window + window / SLICES
}

impl Limits {
    /// What is used up.
    fn reached(self, amount: Amount) -> Option<&'static str> {
        if self.calls.is_some_and(|most| amount.calls >= most) {
            return Some("calls");
        }
        if self.tokens.is_some_and(|most| amount.tokens >= most) {
            return Some("tokens");
        }
        self.femtodollars.is_some_and(|most| amount.femtodollars >= most).then_some("money")
    }
}

impl Amount {
    fn plus(self, other: Self) -> Self {
        Self {
            femtodollars: self.femtodollars.saturating_add(other.femtodollars),
            tokens: self.tokens.saturating_add(other.tokens),
            calls: self.calls.saturating_add(other.calls),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            femtodollars: self.femtodollars.saturating_sub(other.femtodollars),
            tokens: self.tokens.saturating_sub(other.tokens),
            calls: self.calls.saturating_sub(other.calls),
        }
    }
}

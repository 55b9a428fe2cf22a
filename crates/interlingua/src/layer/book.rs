//! What was sent lately, what waits, and when the next one may go. It knows no clock.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// How much may be sent in any stretch of a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) requests: Option<u64>,
    pub(crate) tokens: Option<u64>,
    pub(crate) window: Duration,
}

/// The account of a rate limit.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// What was sent, the oldest first; its numbers grow.
    sent: VecDeque<Entry>,
    /// The tokens of all that.
    tokens: u128,
    /// What waits, in its order.
    queue: VecDeque<Waiting>,
    numbers: u64,
    told: Vec<Told>,
    closed: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    number: u64,
    at: Instant,
    tokens: u64,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    number: u64,
    tokens: u64,
}

/// What a provider told of a limit with the answer to a call.
#[derive(Debug)]
struct Told {
    name: String,
    /// The call whose answer told it: those after it are not in the figure.
    by: u64,
    left: u64,
    until: Instant,
}

/// Most limits of a provider that are kept.
const LIMITS: usize = 16;

impl Book {
    /// Whether nothing of it matters any more.
    pub(crate) fn is_idle(&self, now: Instant, rules: Rules) -> bool {
        let recent = self.sent.back().is_some_and(|last| last.at + rules.window > now);
        let told = self.told.iter().any(|told| told.until > now);
        !recent && !told && self.queue.is_empty() && self.closed.is_none_or(|until| until <= now)
    }

    /// Takes a place in the queue: its number, and when it may be let through as things are.
    pub(crate) fn queue(&mut self, now: Instant, tokens: u64, rules: Rules) -> (u64, Instant) {
        self.forget(now, rules);
        self.numbers += 1;
        let waiting = Waiting { number: self.numbers, tokens: tokens.min(rules.tokens.unwrap_or(u64::MAX)) };
        self.queue.push_back(waiting);
        let mut plan = Plan::new(self, now, rules);
        let mut at = now;
        for waiting in &self.queue {
            at = plan.place(*waiting);
        }
        (waiting.number, at)
    }

    /// Lets the first one in the queue through if it may: when it may go, which is not after `now` if it was let through;
    /// `None` when others are before it.
    pub(crate) fn enter(&mut self, number: u64, now: Instant, rules: Rules) -> Option<Instant> {
        let first = *self.queue.front().filter(|first| first.number == number)?;
        self.forget(now, rules);
        let at = Plan::new(self, now, rules).place(first);
        if at <= now {
            self.queue.pop_front();
            self.sent.push_back(Entry { number, at: now, tokens: first.tokens });
            self.tokens += u128::from(first.tokens);
        }
        Some(at)
    }

    /// Gives up a place in the queue.
    pub(crate) fn leave(&mut self, number: u64) {
        self.queue.retain(|waiting| waiting.number != number);
    }

    /// Puts the tokens of a call right.
    pub(crate) fn correct(&mut self, number: u64, tokens: u64) {
        let found = self.sent.binary_search_by_key(&number, |entry| entry.number);
        if let Some(entry) = found.ok().and_then(|at| self.sent.get_mut(at)) {
            self.tokens = self.tokens - u128::from(entry.tokens) + u128::from(tokens);
            entry.tokens = tokens;
        }
    }

    /// Takes what the answer to a call told: so much of a limit is left until a time.
    pub(crate) fn learn(&mut self, by: u64, name: &str, left: u64, until: Instant) {
        if let Some(told) = self.told.iter_mut().find(|told| told.name == name) {
            if told.by <= by {
                (told.by, told.left, told.until) = (by, left, until);
            }
        } else if self.told.len() < LIMITS && (name.contains("request") || name.contains("token")) {
            self.told.push(Told { name: name.to_owned(), by, left, until });
        }
    }

    /// Lets nothing through until a time.
    pub(crate) fn close(&mut self, until: Instant) {
        self.closed = self.closed.max(Some(until));
    }

    fn forget(&mut self, now: Instant, rules: Rules) {
        while let Some(entry) = self.sent.front().filter(|entry| entry.at + rules.window <= now) {
            self.tokens -= u128::from(entry.tokens);
            self.sent.pop_front();
        }
        self.told.retain(|told| told.until > now);
    }
}

impl Told {
    /// How much of the limit a call needs.
    fn needs(&self, tokens: u64) -> u64 {
        if self.name.contains("request") { 1 } else { tokens }
    }
}

/// Places what waits in time, one after the other, behind what was sent.
struct Plan<'a> {
    book: &'a Book,
    rules: Rules,
    placed: Vec<Entry>,
    /// The first of those, sent or placed, that are still in the window.
    oldest: usize,
    /// The tokens of those in the window.
    tokens: u128,
    at: Instant,
}

impl<'a> Plan<'a> {
    const fn new(book: &'a Book, now: Instant, rules: Rules) -> Self {
        Self { book, rules, placed: Vec::new(), oldest: 0, tokens: book.tokens, at: now }
    }

    /// When a call may go, after all that were placed before it.
    fn place(&mut self, waiting: Waiting) -> Instant {
        let Waiting { number, tokens } = waiting;
        loop {
            self.pass_by();
            let Some(later) = self.later(tokens) else { break };
            self.at = later;
        }
        self.placed.push(Entry { number, at: self.at, tokens });
        self.tokens += u128::from(tokens);
        self.at
    }

    fn oldest(&self) -> Option<&Entry> {
        let sent = &self.book.sent;
        sent.get(self.oldest).or_else(|| self.placed.get(self.oldest.checked_sub(sent.len())?))
    }

    /// Leaves behind what is out of the window.
    fn pass_by(&mut self) {
        let (at, window) = (self.at, self.rules.window);
        while let Some(entry) = self.oldest().copied().filter(|entry| entry.at + window <= at) {
            self.tokens -= u128::from(entry.tokens);
            self.oldest += 1;
        }
    }

    /// When to look again, if a call of so many tokens may not go now.
    fn later(&self, tokens: u64) -> Option<Instant> {
        if let Some(until) = self.book.closed.filter(|until| *until > self.at) {
            return Some(until);
        }
        if let Some(oldest) = self.oldest() {
            let count = self.book.sent.len() + self.placed.len() - self.oldest;
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            let most = |most| self.tokens + u128::from(tokens) > u128::from(most);
            if self.rules.requests.is_some_and(|most| count >= most) || self.rules.tokens.is_some_and(most) {
                return Some(oldest.at + self.rules.window);
            }
        }
        let exhausted =
            self.book.told.iter().filter(|told| told.until > self.at && !self.has_room(told, tokens));
        exhausted.map(|told| told.until).max()
    }

    fn has_room(&self, told: &Told, tokens: u64) -> bool {
        // Numbers grow, so that those since the answer stand at the end.
        let sent = self.book.sent.iter().rev().take_while(|entry| entry.number > told.by);
        let since = sent.chain(&self.placed);
        let used = since.map(|entry| told.needs(entry.tokens)).fold(0, u64::saturating_add);
        used.saturating_add(told.needs(tokens)) <= told.left
    }
}

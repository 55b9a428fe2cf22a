use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use interlingua_model::{Error, ErrorKind, Retry, Usage};
use interlingua_wire::RateLimits;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::layer::book::{Book, Rules};
use crate::layer::scope::Scoped;
use crate::layer::{AGES, Ask, End, Layer, Next, Notice, Refusal, Scope, Watch};
use crate::{BoxFuture, Events};

/// Keeps to so many requests and tokens in a time, by waiting before a call is made.
///
/// No stretch of that time, wherever it begins, holds more requests or tokens than are allowed. The tokens of a call are
/// [estimated](interlingua_model::Request::estimate_tokens) before it is made, and put right when it has ended. Calls are let
/// through in the order in which they came; one that would have to wait too long is refused at once
/// ([`Refusal::RateLimit`]), and a [`Fallback`](crate::layer::Fallback) moves on from it.
///
/// It learns: where the headers of an answer say that less is left than it thought, or the provider says how long to wait,
/// it keeps to that as well. Without limits of its own it knows only these.
///
/// Clones count together.
///
/// ```
/// use std::time::Duration;
///
/// use interlingua::Client;
/// use interlingua::layer::{RateLimit, Scope};
///
/// let limit = RateLimit::new().requests(50).tokens(40_000).per(Scope::Model).longest_wait(Duration::from_secs(20));
/// let client = Client::builder().layer(limit).build()?;
/// # Ok::<(), interlingua::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RateLimit {
    scope: Scope,
    rules: Rules,
    output: u64,
    longest_wait: Duration,
    learns: bool,
    gates: Arc<Scoped<Gate>>,
}

/// Where the calls of a scope are let through.
#[derive(Debug, Default)]
struct Gate {
    book: Mutex<Book>,
    changed: Notify,
}

impl RateLimit {
    /// No limit but those that are learned, for each provider; a minute is the time that limits are for.
    pub fn new() -> Self {
        Self {
            scope: Scope::Provider,
            rules: Rules { requests: None, tokens: None, window: Duration::from_secs(60) },
            output: 500,
            longest_wait: Duration::from_secs(60),
            learns: true,
            gates: Arc::default(),
        }
    }

    /// At most so many requests, at least one.
    #[must_use]
    pub fn requests(mut self, most: u64) -> Self {
        self.rules.requests = Some(most.max(1));
        self
    }

    /// At most so many tokens of prompts and answers. A call that has more of them takes all of the time for itself.
    #[must_use]
    pub fn tokens(mut self, most: u64) -> Self {
        self.rules.tokens = Some(most);
        self
    }

    /// Sets the time that the limits are for.
    #[must_use]
    pub fn window(mut self, time: Duration) -> Self {
        self.rules.window = time.min(AGES);
        self
    }

    /// Counts for each model, or for all calls together.
    #[must_use]
    pub fn per(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Sets how many tokens of answer are expected where the request has no limit of them; 500 by default.
    #[must_use]
    pub fn expected_output(mut self, tokens: u64) -> Self {
        self.output = tokens;
        self
    }

    /// Sets how long a call may wait; a minute by default.
    #[must_use]
    pub fn longest_wait(mut self, time: Duration) -> Self {
        self.longest_wait = time.min(AGES);
        self
    }

    /// Keeps to what providers tell as well, or not; it does by default. Not, where the calls have keys of several accounts.
    #[must_use]
    pub fn learn(mut self, learns: bool) -> Self {
        self.learns = learns;
        self
    }

    async fn answer(&self, ask: Ask<'_>, next: Next<'_>) -> Result<Events, Error> {
        let scope = self.scope.name(&ask, next)?;
        let gate =
            self.gates.get(&scope, Gate::default, |gate| gate.book().is_idle(Instant::now(), self.rules));
        let output = ask.request.max_output.map_or(self.output, u64::from);
        let tokens = ask.request.estimate_tokens().saturating_add(output);
        let (number, waited) = self.pass(&gate, tokens, &scope).await?;
        if let Some(time) = waited {
            next.tell(Notice::LimitWaited { scope, time });
        }
        let mut call = Admitted { limit: self.clone(), gate, number };
        match next.call(ask).await {
            Ok(events) => {
                call.learn(&events.meta().rate_limits);
                Ok(events.watch(call))
            }
            Err(error) => {
                call.failed(&error);
                Err(error)
            }
        }
    }

    /// Waits until a call may be made, and enters it: its number, and how long it had to wait.
    async fn pass(
        &self,
        gate: &Arc<Gate>,
        tokens: u64,
        scope: &str,
    ) -> Result<(u64, Option<Duration>), Error> {
        let begun = Instant::now();
        let deadline = begun + self.longest_wait;
        let refuse = |until: Instant| {
            let wait = until.saturating_duration_since(Instant::now());
            Refusal::RateLimit { scope: scope.to_owned(), wait }.into_error()
        };
        let (number, planned) = gate.book().queue(begun, tokens, self.rules);
        let place = Place { gate, number };
        if planned > deadline {
            return Err(refuse(planned));
        }
        let mut waited = None;
        loop {
            let changed = gate.changed.notified();
            let now = Instant::now();
            // Only the first one in the queue needs to know when it may go.
            let wake = match gate.book().enter(number, now, self.rules) {
                Some(at) if at <= now => break,
                Some(at) if at > deadline => return Err(refuse(at)),
                Some(at) => at,
                None if now >= deadline => return Err(refuse(planned)),
                None => deadline,
            };
            let _ = futures_util::future::select(std::pin::pin!(changed), std::pin::pin!(sleep_until(wake)))
                .await;
            waited = Some(begun.elapsed());
        }
        drop(place);
        Ok((number, waited))
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue, which is given up when it is dropped; the next one looks then.
struct Place<'a> {
    gate: &'a Gate,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.book().leave(self.number);
        self.gate.changed.notify_waiters();
    }
}

/// A call that was let through.
struct Admitted {
    limit: RateLimit,
    gate: Arc<Gate>,
    number: u64,
}

impl Admitted {
    fn correct(&self, tokens: u64) {
        self.gate.book().correct(self.number, tokens);
        self.gate.changed.notify_waiters();
    }

    fn learn(&self, limits: &RateLimits) {
        if !self.limit.learns || limits.is_empty() {
            return;
        }
        let (now, clock) = (Instant::now(), SystemTime::now());
        for limit in limits.iter() {
            let (Some(left), Some(reset)) = (limit.remaining, limit.reset) else { continue };
            let Some(pause) = reset.pause(Some(clock)) else { continue };
            self.gate.book().learn(self.number, &limit.name, left, now + pause.min(AGES));
        }
    }

    /// A call that was refused used no tokens.
    fn failed(&mut self, error: &Error) {
        if error.partial().is_none() {
            self.correct(0);
        }
        if let (true, ErrorKind::RateLimited, Retry::After(wait), None) =
            (self.limit.learns, error.kind(), error.retry(), Refusal::of(error))
        {
            self.gate.book().close(Instant::now() + wait.min(AGES));
        }
    }
}

impl Watch for Admitted {
    fn end(&mut self, end: &End<'_>) {
        let Usage { input, output, .. } = end.usage();
        if input.is_some() || output.is_some() {
            self.correct(input.unwrap_or(0).saturating_add(output.unwrap_or(0)));
        }
        if let Some(error) = end.error() {
            self.failed(error);
        }
    }
}

impl Layer for RateLimit {
    fn call<'a>(&'a self, ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>> {
        Box::pin(self.answer(ask, next))
    }
}

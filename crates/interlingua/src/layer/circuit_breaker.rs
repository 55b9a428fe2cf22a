use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use interlingua_model::{Error, ErrorKind, Event};
use tokio::time::Instant;

use crate::layer::scope::Scoped;
use crate::layer::{AGES, Ask, End, Layer, Next, Notice, Refusal, Scope, Teller, Watch};
use crate::{BoxFuture, Events};

/// Stops asking a model that fails, and tries it again after a while.
///
/// ```text
///          fails too often                    after the pause, one call tries
/// closed ───────────────────▶ open ─────────────────────────────▶ half open
///    ▲                          ▲                                      │
///    │                          └──────────────── it fails ────────────┤
///    └─────────────────────────────────────────── it answers ──────────┘
/// ```
/// While it is open, and for all calls but one while it is half open, nothing is sent: [`Refusal::BreakerOpen`], which a
/// [`Fallback`](crate::layer::Fallback) moves on from. A call that tries has answered with its first piece of content.
///
/// What counts as a failure is what says that the service does not work: overload, failures of the server and of the
/// connection, silence, answers that are cut or that nobody understands. A refused request does not count either way, nor
/// does an answer that the caller gave up, nor what a layer further in refuses.
///
/// Clones count together.
///
/// ```
/// use std::time::Duration;
///
/// use interlingua::Client;
/// use interlingua::layer::{CircuitBreaker, Fallback};
///
/// let breaker = CircuitBreaker::new().failures(3).rate(0.5, 20).pause(Duration::from_secs(10));
/// let client = Client::builder().layer(Fallback::to(["openai/gpt-6-sol"])).layer(breaker).build()?;
/// # Ok::<(), interlingua::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CircuitBreaker {
    rules: Rules,
    circuits: Arc<Scoped<Circuit>>,
}

#[derive(Debug, Clone)]
struct Rules {
    scope: Scope,
    failures: u32,
    rate: Option<(f64, u32)>,
    window: Duration,
    pause: Duration,
    on: Vec<ErrorKind>,
}

/// Most calls that a rate looks back upon.
const MOST: usize = 1024;

#[derive(Debug, Default)]
struct Circuit(Mutex<State>);

#[derive(Debug)]
enum State {
    Closed(Recent),
    Open { until: Instant },
    HalfOpen,
}

/// What happened lately.
#[derive(Debug, Default)]
struct Recent {
    /// Failures in a row.
    row: u32,
    /// When calls ended, and whether they failed.
    calls: VecDeque<(Instant, bool)>,
}

/// Whether a call may be made.
enum Pass {
    Usual,
    Trial,
    Refused(Duration),
}

impl CircuitBreaker {
    /// A breaker for each model that opens after five failures in a row, for 30 s.
    pub fn new() -> Self {
        let rules = Rules {
            scope: Scope::Model,
            failures: 5,
            rate: None,
            window: Duration::from_secs(60),
            pause: Duration::from_secs(30),
            on: Vec::new(),
        };
        Self { rules, circuits: Arc::default() }
    }

    /// One breaker for each provider, or for all.
    #[must_use]
    pub fn per(mut self, scope: Scope) -> Self {
        self.rules.scope = scope;
        self
    }

    /// Opens after so many failures in a row, at least one.
    #[must_use]
    pub fn failures(mut self, in_a_row: u32) -> Self {
        self.rules.failures = in_a_row.max(1);
        self
    }

    /// Opens as well when such a part of the calls of the last minute has failed (0.5 is half of them), once there were at
    /// least so many.
    #[must_use]
    pub fn rate(mut self, part: f64, calls: u32) -> Self {
        self.rules.rate = Some((part, calls.max(1)));
        self
    }

    /// Sets how far back the rate looks; a minute by default, and no more than 1,024 calls.
    #[must_use]
    pub fn window(mut self, time: Duration) -> Self {
        self.rules.window = time;
        self
    }

    /// Sets how long nothing is asked once it has opened.
    #[must_use]
    pub fn pause(mut self, time: Duration) -> Self {
        self.rules.pause = time.min(AGES);
        self
    }

    /// Counts errors of these kinds as failures as well.
    #[must_use]
    pub fn on(mut self, kinds: impl IntoIterator<Item = ErrorKind>) -> Self {
        self.rules.on.extend(kinds);
        self
    }

    async fn answer(&self, ask: Ask<'_>, next: Next<'_>) -> Result<Events, Error> {
        let scope = self.rules.scope.name(&ask, next)?;
        let circuit = self.circuits.get(&scope, Circuit::default, Circuit::is_idle);
        let trial = match circuit.pass(Instant::now(), self.rules.pause) {
            Pass::Refused(wait) => return Err(Refusal::BreakerOpen { scope, wait }.into_error()),
            Pass::Usual => false,
            Pass::Trial => true,
        };
        if trial {
            next.tell(Notice::BreakerHalfOpened { scope: scope.clone() });
        }
        let mut call = Watched { rules: self.rules.clone(), circuit, scope, trial, teller: next.teller() };
        match next.call(ask).await {
            Ok(events) => Ok(events.watch(call)),
            Err(error) => {
                call.failed(&error);
                Err(error)
            }
        }
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self::new()
    }
}

impl Rules {
    fn is_failure(&self, error: &Error) -> bool {
        use ErrorKind::{Connect, Overloaded, Protocol, Server, Timeout, Tls, Truncated};
        let counts =
            matches!(error.kind(), Connect | Overloaded | Protocol | Server | Timeout | Tls | Truncated);
        Refusal::of(error).is_none() && (counts || self.on.contains(&error.kind()))
    }
}

impl Circuit {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_idle(&self) -> bool {
        matches!(&*self.state(), State::Closed(recent) if recent.row == 0)
    }

    fn pass(&self, now: Instant, pause: Duration) -> Pass {
        let mut state = self.state();
        match *state {
            State::Closed(_) => Pass::Usual,
            State::Open { until } if now < until => Pass::Refused(until - now),
            State::Open { .. } => {
                *state = State::HalfOpen;
                Pass::Trial
            }
            // Nobody knows how long the trial takes.
            State::HalfOpen => Pass::Refused(pause),
        }
    }
}

/// A call that is under way.
struct Watched {
    rules: Rules,
    circuit: Arc<Circuit>,
    scope: String,
    /// Whether it tries if all works again, and nobody knows yet.
    trial: bool,
    teller: Teller,
}

impl Watched {
    fn failed(&mut self, error: &Error) {
        if !self.rules.is_failure(error) {
            return;
        }
        let now = Instant::now();
        let mut state = self.circuit.state();
        let opens = match &mut *state {
            State::Closed(recent) => recent.add(now, true, &self.rules),
            State::HalfOpen => self.trial,
            State::Open { .. } => false,
        };
        if !opens {
            return;
        }
        let time = self.rules.pause;
        *state = State::Open { until: now + time };
        drop(state);
        self.trial = false;
        self.teller.tell(Notice::BreakerOpened { scope: self.scope.clone(), time });
    }

    fn succeeded(&self) {
        if let State::Closed(recent) = &mut *self.circuit.state() {
            recent.add(Instant::now(), false, &self.rules);
        }
    }
}

impl Recent {
    /// Adds a call; whether that is one failure too many.
    fn add(&mut self, now: Instant, failed: bool, rules: &Rules) -> bool {
        self.row = if failed { self.row.saturating_add(1) } else { 0 };
        let Some((part, least)) = rules.rate else { return self.row >= rules.failures };
        self.calls.push_back((now, failed));
        while self.calls.len() > MOST
            || self.calls.front().is_some_and(|(at, _)| now.duration_since(*at) >= rules.window)
        {
            self.calls.pop_front();
        }
        let all = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        let bad = self.calls.iter().filter(|(_, failed)| *failed).count();
        let bad = u32::try_from(bad).unwrap_or(u32::MAX);
        let too_often = failed && all >= least && f64::from(bad) >= part * f64::from(all);
        too_often || self.row >= rules.failures
    }
}

impl Watch for Watched {
    fn event(&mut self, event: &Event) {
        if self.trial && event.is_content() {
            self.trial = false;
            *self.circuit.state() = State::default();
            self.teller.tell(Notice::BreakerClosed { scope: self.scope.clone() });
        }
    }

    fn end(&mut self, end: &End<'_>) {
        match end.error() {
            Some(error) => self.failed(error),
            None => self.succeeded(),
        }
    }
}

impl Drop for Watched {
    /// A trial that told nothing is left to the next call.
    fn drop(&mut self) {
        if self.trial {
            *self.circuit.state() = State::Open { until: Instant::now() };
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::Closed(Recent::default())
    }
}

impl Layer for CircuitBreaker {
    fn call<'a>(&'a self, ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>> {
        Box::pin(self.answer(ask, next))
    }
}

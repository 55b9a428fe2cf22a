use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use interlingua_model::{Error, Usage};
use tokio::time::{Instant, sleep};

use crate::layer::scope::Scoped;
use crate::layer::{AGES, Ask, Layer, Next, Notice, Scope, price};
use crate::{BoxFuture, Events};

/// Asks a second time where the first call is slow, and takes the answer that begins first.
///
/// The second call is made when no piece of content was there after a delay: a fixed one, or the time in which most of the
/// calls to the model had begun to answer lately. The call that loses is dropped, which cancels it; what its prompt costs is
/// told ([`Notice::HedgeSent`]), since a provider charges for it as a rule. Where one of both fails, the other is waited for.
///
/// ```
/// use std::time::Duration;
///
/// use interlingua::Client;
/// use interlingua::layer::Hedge;
///
/// // When it takes longer than 19 of 20 calls did; until that is known, 10 s.
/// let hedge = Hedge::percentile(0.95, Duration::from_secs(10)).model("groq/llama-4");
/// let client = Client::builder().layer(hedge).build()?;
/// # Ok::<(), interlingua::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Hedge {
    after: Duration,
    part: Option<f64>,
    model: Option<String>,
    seen: Arc<Scoped<Seen>>,
}

/// How long the last calls to a model took to begin.
#[derive(Debug, Default)]
struct Seen(Mutex<VecDeque<Duration>>);

/// How many calls are looked back upon, and how many there must be.
const KEPT: usize = 200;
const ENOUGH: usize = 20;

impl Hedge {
    /// A second call after a fixed time.
    pub fn after(time: Duration) -> Self {
        Self { after: time.min(AGES), part: None, model: None, seen: Arc::default() }
    }

    /// A second call after the time in which such a part of the last 200 calls to the model had begun to answer (0.95 is 19 of
    /// 20); until there were 20 of them, after a fixed time.
    pub fn percentile(part: f64, until_known: Duration) -> Self {
        Self { part: Some(part.clamp(0.0, 1.0)), ..Self::after(until_known) }
    }

    /// Asks another model the second time. Of the options, another provider gets what a
    /// [`Fallback`](crate::layer::Fallback) gives it.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    async fn answer(&self, ask: Ask<'_>, next: Next<'_>) -> Result<Events, Error> {
        let scope = Scope::Model.name(&ask, next)?;
        let seen = self.seen.get(&scope, Seen::default, |_| true);
        let after = self.part.and_then(|part| seen.percentile(part)).unwrap_or(self.after);
        let begun = Instant::now();
        let first = pin!(next.begin(ask.again()));
        let answer = match select(first, pin!(sleep(after))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), first)) => self.race(first, &ask, after, next).await,
        };
        if answer.is_ok() {
            seen.add(begun.elapsed());
        }
        answer
    }

    /// Makes the second call beside the first.
    async fn race(
        &self,
        first: impl Future<Output = Result<Events, Error>> + Unpin,
        ask: &Ask<'_>,
        after: Duration,
        next: Next<'_>,
    ) -> Result<Events, Error> {
        let model = self.model.clone().unwrap_or_else(|| ask.request.model.clone());
        let tokens = ask.request.estimate_tokens();
        let mut usage = Usage::default();
        (usage.input, usage.output) = (Some(tokens), Some(0));
        let femtodollars = price::of(next.client(), &model, &usage);
        next.tell(Notice::HedgeSent { model: model.clone(), after, tokens, femtodollars });
        let second = pin!(next.begin(ask.to_model(&model, next)));
        let (answer, second) = match select(first, second).await {
            Either::Left((Ok(events), _)) => (Ok(events), false),
            Either::Right((Ok(events), _)) => (Ok(events), true),
            Either::Left((Err(error), second)) => (second.await.map_err(|_| error), true),
            Either::Right((Err(_), first)) => (first.await, false),
        };
        if answer.is_ok() {
            let model = if second { model } else { ask.request.model.clone() };
            next.tell(Notice::HedgeWon { model, second });
        }
        answer
    }
}

impl Seen {
    fn add(&self, time: Duration) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= KEPT {
            seen.pop_front();
        }
        seen.push_back(time);
    }

    /// The time in which such a part of the calls had begun, once there were enough of them.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "there are at most a few hundred, and the part is between 0 and 1"
    )]
    fn percentile(&self, part: f64) -> Option<Duration> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<_> = seen.iter().copied().collect();
        drop(seen);
        sorted.sort_unstable();
        let at = (part * sorted.len() as f64).ceil() as usize;
        sorted.get(at.saturating_sub(1)).copied().filter(|_| sorted.len() >= ENOUGH)
    }
}

impl Layer for Hedge {
    fn call<'a>(&'a self, ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>> {
        Box::pin(self.answer(ask, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_seen_last() {
        let seen = Seen::default();
        for ms in 0..19 {
            seen.add(Duration::from_millis(ms));
        }
        assert_eq!(seen.percentile(0.5), None, "too few");
        for ms in 1..=200 {
            seen.add(Duration::from_millis(ms));
        }
        let ms = |part| seen.percentile(part).unwrap().as_millis();
        assert_eq!([ms(0.0), ms(0.5), ms(0.95), ms(1.0)], [1, 100, 190, 200]);
    }
}

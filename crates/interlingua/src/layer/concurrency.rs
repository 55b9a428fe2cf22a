use std::sync::Arc;
use std::time::Duration;

use interlingua_model::{Error, Event};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::layer::scope::Scoped;
use crate::layer::{AGES, Ask, Layer, Next, Notice, Refusal, Scope, Watch};
use crate::{BoxFuture, Events};

/// Lets so many calls be under way at once, and the others wait their turn.
///
/// A call is under way until its answer has ended or is dropped. The others are let through in the order in which they
/// came. Who holds an answer that has not ended and waits for another one may wait for ever: set a longest wait.
///
/// Clones count together.
///
/// ```
/// use std::time::Duration;
///
/// use interlingua::Client;
/// use interlingua::layer::{Concurrency, Scope};
///
/// let client = Client::builder()
///     .layer(Concurrency::new(64))
///     .layer(Concurrency::new(8).per(Scope::Provider).longest_wait(Duration::from_secs(30)))
///     .build()?;
/// # Ok::<(), interlingua::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Concurrency {
    most: usize,
    scope: Scope,
    longest_wait: Option<Duration>,
    gates: Arc<Scoped<Semaphore>>,
}

impl Concurrency {
    /// At most so many calls at once in all; at least one.
    pub fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Self { most, scope: Scope::All, longest_wait: None, gates: Arc::default() }
    }

    /// Counts apart for each provider or model.
    #[must_use]
    pub fn per(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Refuses a call ([`Refusal::Busy`]) that has waited for so long; there is no limit by default.
    #[must_use]
    pub fn longest_wait(mut self, time: Duration) -> Self {
        self.longest_wait = Some(time.min(AGES));
        self
    }

    async fn answer(&self, ask: Ask<'_>, next: Next<'_>) -> Result<Events, Error> {
        let scope = self.scope.name(&ask, next)?;
        let is_idle = |gate: &Semaphore| gate.available_permits() == self.most;
        let gate = self.gates.get(&scope, || Semaphore::new(self.most), is_idle);
        let permit = self.permit(gate, scope, next).await?;
        let events = next.call(ask).await?;
        Ok(events.watch(UnderWay { _permit: permit }))
    }

    async fn permit(
        &self,
        gate: Arc<Semaphore>,
        scope: String,
        next: Next<'_>,
    ) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = Arc::clone(&gate).try_acquire_owned() {
            return Ok(permit);
        }
        let begun = Instant::now();
        let turn = gate.acquire_owned();
        let taken = match self.longest_wait {
            Some(wait) => timeout_at(begun + wait, turn).await.ok().and_then(Result::ok),
            None => turn.await.ok(),
        };
        let Some(permit) = taken else { return Err(Refusal::Busy { scope, most: self.most }.into_error()) };
        next.tell(Notice::Queued { scope, time: begun.elapsed() });
        Ok(permit)
    }
}

/// Lets the next one go when it is dropped.
struct UnderWay {
    _permit: OwnedSemaphorePermit,
}

impl Watch for UnderWay {
    fn event(&mut self, _: &Event) {}
}

impl Layer for Concurrency {
    fn call<'a>(&'a self, ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>> {
        Box::pin(self.answer(ask, next))
    }
}

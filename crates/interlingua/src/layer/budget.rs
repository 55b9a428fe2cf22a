use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use interlingua_model::{Delta, Error, Event, Usage};
use tokio::time::Instant;

use crate::layer::account::{Account, Amount, Limits};
use crate::layer::{AGES, Ask, End, Layer, Next, Notice, Refusal, Spent, Teller, Watch, price};
use crate::{BoxFuture, Client, Events};

/// Lets so much be spent: money, tokens, calls; in all, or in any stretch of a time.
///
/// A call is refused before it is sent ([`Refusal::BudgetSpent`]) once nothing is left. While it is under way, what it may
/// cost at most is held: the estimated prompt and as much of an answer as the request allows. So whatever runs at the
/// same time, no more than what one call costs is spent too much.
///
/// What a call cost is what the provider says that it used, at the price that the catalogue knows. Where the provider does not
/// say, or the answer is given up, it is estimated. What comes out of a [`Cache`](crate::layer::Cache) further in, or is refused by a layer
/// further in, is free. A model in the process costs no money.
///
/// Clones share what is spent.
///
/// ```
/// use std::time::Duration;
///
/// use interlingua::Client;
/// use interlingua::layer::Budget;
///
/// let budget = Budget::new().tokens(1_000_000).calls(500).over(Duration::from_secs(24 * 60 * 60));
/// let client = Client::builder().layer(budget.clone()).build()?;
/// // Later:
/// println!("{} tokens in {} calls", budget.spent().tokens, budget.spent().calls);
/// # Ok::<(), interlingua::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Budget {
    limits: Limits,
    window: Option<Duration>,
    output: u64,
    allows_unknown: bool,
    account: Arc<Mutex<Account>>,
}

impl Budget {
    /// A budget without any limit, which only counts.
    pub fn new() -> Self {
        Self {
            limits: Limits::default(),
            window: None,
            output: 4096,
            allows_unknown: false,
            account: Arc::default(),
        }
    }

    /// At most so much money. A model whose price nobody knows is refused ([`Refusal::UnknownPrice`]), unless that is
    /// [allowed](Self::allow_unknown_prices).
    ///
    /// ```
    /// use interlingua::catalog::Money;
    /// use interlingua::layer::Budget;
    ///
    /// let dollars = |dollars: u128| Money::from_femtodollars(dollars * 1_000_000_000_000_000);
    /// let budget = Budget::new().money(dollars(20));
    /// assert_eq!(budget.spent().money(), Money::ZERO);
    /// ```
    #[cfg(feature = "models")]
    #[must_use]
    pub fn money(mut self, most: interlingua_catalog::Money) -> Self {
        self.limits.femtodollars = Some(most.femtodollars());
        self
    }

    /// At most so many tokens of prompts and answers.
    #[must_use]
    pub fn tokens(mut self, most: u64) -> Self {
        self.limits.tokens = Some(most);
        self
    }

    /// At most so many calls. Retries are within a call.
    #[must_use]
    pub fn calls(mut self, most: u64) -> Self {
        self.limits.calls = Some(most);
        self
    }

    /// Counts what was spent in this time up to now, and not in all. What was spent is forgotten a thousandth of it late.
    #[must_use]
    pub fn over(mut self, time: Duration) -> Self {
        self.window = Some(time.min(AGES));
        self
    }

    /// Lets models be asked whose price nobody knows. They are charged as if they were free.
    #[must_use]
    pub fn allow_unknown_prices(mut self) -> Self {
        self.allows_unknown = true;
        self
    }

    /// Sets how many tokens of answer are held where the request has no limit of them; 4,096 by default.
    #[must_use]
    pub fn expected_output(mut self, tokens: u64) -> Self {
        self.output = tokens;
        self
    }

    /// What is spent by calls that have ended.
    pub fn spent(&self) -> Spent {
        let mut account = self.account();
        account.forget(Instant::now(), self.window);
        account.spent()
    }

    async fn answer(&self, ask: Ask<'_>, next: Next<'_>) -> Result<Events, Error> {
        let model = ask.request.model.clone();
        let prompt = ask.request.estimate_tokens();
        let output = ask.request.max_output.map_or(self.output, u64::from);
        let cost = price::of(next.client(), &model, &usage(prompt, output));
        if cost.is_none() && self.limits.femtodollars.is_some() && !self.allows_unknown {
            return Err(refused(Refusal::UnknownPrice { model }, next));
        }
        let tokens = prompt.saturating_add(output);
        let held = Amount { femtodollars: cost.unwrap_or(0), tokens, calls: 1 };
        self.account()
            .hold(held, Instant::now(), self.limits, self.window)
            .map_err(|refusal| refused(refusal, next))?;
        let (client, teller) = (next.client().clone(), next.teller());
        let mut call = Charged {
            budget: self.clone(),
            client,
            teller,
            model,
            held: Some(held),
            said: 0,
            prompt,
            usage: Usage::default(),
        };
        match next.call(ask).await {
            Ok(events) => Ok(events.watch(call)),
            Err(error) => {
                // What was refused is not charged for; it was a call all the same, unless it was never made.
                let calls = u64::from(Refusal::of(&error).is_none());
                call.settle(Amount { femtodollars: 0, tokens: 0, calls });
                Err(error)
            }
        }
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

fn refused(refusal: Refusal, next: Next<'_>) -> Error {
    next.tell(Notice::BudgetRefused { reason: refusal.to_string() });
    refusal.into_error()
}

fn usage(input: u64, output: u64) -> Usage {
    let mut usage = Usage::default();
    (usage.input, usage.output) = (Some(input), Some(output));
    usage
}

/// A call that is under way. Dropped before its end, it is charged for what had come.
struct Charged {
    budget: Budget,
    client: Client,
    teller: Teller,
    model: String,
    held: Option<Amount>,
    /// How many bytes the answer has so far.
    said: usize,
    prompt: u64,
    usage: Usage,
}

impl Charged {
    fn settle(&mut self, spent: Amount) {
        if let Some(held) = self.held.take() {
            self.budget.account().settle(held, spent, Instant::now(), self.budget.window);
        }
    }

    fn charge(&mut self, cost: Option<u128>, tokens: u64, estimated: bool) {
        self.settle(Amount { femtodollars: cost.unwrap_or(0), tokens, calls: 1 });
        self.teller.tell(Notice::BudgetSpent { femtodollars: cost, tokens, estimated });
    }

    /// Charges for an answer of which the provider did not say all.
    fn estimate(&mut self) {
        let said = u64::try_from(self.said).unwrap_or(u64::MAX).div_ceil(4);
        let input = self.usage.input.unwrap_or(self.prompt);
        let output = self.usage.output.unwrap_or(0).max(said);
        let cost = price::of(&self.client, &self.model, &usage(input, output));
        self.charge(cost, input.saturating_add(output), true);
    }
}

impl Watch for Charged {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Delta { delta: Delta::Text(piece) | Delta::Input(piece), .. } => self.said += piece.len(),
            Event::Usage(usage) => self.usage.update(usage),
            _ => {}
        }
    }

    fn end(&mut self, end: &End<'_>) {
        if end.meta().is_cached() {
            return self.settle(Amount::default());
        }
        let Some(tokens) = end.usage().total().filter(|_| end.error().is_none()) else {
            return self.estimate();
        };
        let cost = price::of_answer(&self.client, &end.response());
        // Another model than the one that was asked may have answered, and nobody knows its price.
        let cost = cost.or_else(|| price::of(&self.client, &self.model, end.usage()));
        self.charge(cost, tokens, false);
    }
}

impl Drop for Charged {
    fn drop(&mut self) {
        if self.held.is_some() {
            self.estimate();
        }
    }
}

impl Layer for Budget {
    fn call<'a>(&'a self, ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>> {
        Box::pin(self.answer(ask, next))
    }
}

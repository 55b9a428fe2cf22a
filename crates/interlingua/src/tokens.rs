//! How many tokens a prompt has: asked of the provider, or estimated.

use std::time::SystemTime;

use interlingua_model::{Error, Request};
use interlingua_wire::{Encoded, Mode, Refusal, replay};

use crate::client::Inner;
use crate::exchange::{fetch, read_some, scrubbed, scrubbed_error};
use crate::plan::Draft;
use crate::{Client, Options};

/// How many tokens a prompt has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenCount {
    /// The provider has counted them.
    Exact(u64),
    /// The provider cannot be asked; this is [`Request::estimate_tokens`].
    Estimate(u64),
}

impl TokenCount {
    /// The number, exact or not.
    pub const fn tokens(self) -> u64 {
        match self {
            Self::Exact(tokens) | Self::Estimate(tokens) => tokens,
        }
    }

    /// Whether the provider has counted.
    pub const fn is_exact(self) -> bool {
        matches!(self, Self::Exact(_))
    }
}

impl Client {
    /// How many tokens the prompt of a request has: counted by the provider where its protocol has a call for that,
    /// else an estimate that says so.
    ///
    /// ```no_run
    /// use interlingua::{Client, Request};
    ///
    /// # async fn example(client: &Client) -> Result<(), interlingua::Error> {
    /// let request = Request::new("anthropic/claude-opus-5-5").user("How long is this?");
    /// let count = client.count_tokens(&request).await?;
    /// println!("{} tokens{}", count.tokens(), if count.is_exact() { "" } else { ", estimated" });
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Everything that can go wrong with a call, where the provider is asked.
    pub async fn count_tokens(&self, request: &Request) -> Result<TokenCount, Error> {
        let (word, model) = self.0.registry.split(&request.model)?;
        let crate::registry::Answerer::Provider(provider) = self.0.registry.answerer(word)? else {
            return Ok(TokenCount::Estimate(request.estimate_tokens()));
        };
        let options = Options::default();
        let route = self.0.routes.to(provider, model, None, &request.model)?;
        let (history, _) = replay::prepare(request, &route.author, replay::Rules::default());
        let Some(call) = route.codec.count(model, &history) else {
            return Ok(TokenCount::Estimate(request.estimate_tokens()));
        };
        let call = call.map_err(|error| route.sign(error))?;
        let draft =
            Draft::of_call(&self.0, provider, route, Mode::Whole, Encoded::new(call, Vec::new()), &options)?;
        let plan = draft.authorized(&self.0, &options).await?;
        counted(&self.0, plan).await.map(TokenCount::Exact)
    }
}

async fn counted(inner: &Inner, plan: crate::plan::Plan) -> Result<u64, Error> {
    let told = |error| plan.route.sign(scrubbed_error(error, plan.outgoing.secret.as_ref()));
    let answer = fetch(inner, &plan.outgoing, plan.timeouts).await.map_err(told)?;
    let (head, body) = answer.into_parts();
    let body = read_some(body, &head.headers, inner.settings.limits.body).await;
    let body = scrubbed(&body, plan.outgoing.secret.as_ref());
    if head.status.is_success() {
        return plan.route.codec.counted(&body).map_err(told);
    }
    let refusal = Refusal::new(head.status.as_u16(), &head.headers, &body).at(SystemTime::now());
    Err(told(plan.route.codec.refusal(&refusal)))
}

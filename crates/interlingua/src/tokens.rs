//! How many tokens a prompt has: asked of the provider, or estimated.

use std::sync::Arc;

use interlingua_model::{Error, Request};
use interlingua_wire::{Encoded, Mode, replay};

use crate::exchange::Call;
use crate::plan::Draft;
use crate::{Client, Options, exchange};

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
        let options = Options::none();
        let route = self.0.routes.to(provider, model, None, &request.model)?;
        let (history, _) = replay::prepare(request, &route.author, replay::Rules::default());
        let Some(call) = route.codec.count(model, &history) else {
            return Ok(TokenCount::Estimate(request.estimate_tokens()));
        };
        let call = call.map_err(|error| route.sign(error))?;
        let draft =
            Draft::of_call(&self.0, provider, route, Mode::Whole, Encoded::new(call, Vec::new()), options)?;
        let plan = draft.authorized(&self.0, options).await?;
        let route = Arc::clone(&plan.route);
        let body = exchange::whole(Call::new(Arc::clone(&self.0), plan)).await?;
        route.codec.counted(&body).map(TokenCount::Exact).map_err(|error| route.sign(error))
    }
}

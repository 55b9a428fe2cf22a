//! What calls cost, as far as it is known. A model in the process costs nothing.

use interlingua_model::{Response, Usage};

use crate::Client;
use crate::registry::Answerer;

/// What a model, written `provider/model`, costs for such a use, in femtodollars; `None` when nobody knows.
pub(crate) fn of(client: &Client, model: &str, usage: &Usage) -> Option<u128> {
    let (word, model) = client.0.registry.split(model).ok()?;
    match client.0.registry.answerer(word).ok()? {
        Answerer::Backend(..) => Some(0),
        Answerer::Provider(provider) => of_known(client, &provider.id, model, usage),
    }
}

/// What an answer cost, in femtodollars.
pub(crate) fn of_answer(client: &Client, response: &Response) -> Option<u128> {
    let origin = response.message.origin.as_ref()?;
    if client.0.registry.backend(&origin.provider).is_some() {
        return Some(0);
    }
    cost(client, response)
}

#[cfg(feature = "models")]
fn of_known(client: &Client, provider: &str, model: &str, usage: &Usage) -> Option<u128> {
    let model = client.catalog().find(provider, model)?;
    Some(model.prices.cost(usage, interlingua_catalog::Tier::Standard)?.total().femtodollars())
}

#[cfg(not(feature = "models"))]
fn of_known(_: &Client, _: &str, _: &str, _: &Usage) -> Option<u128> {
    None
}

#[cfg(feature = "models")]
fn cost(client: &Client, response: &Response) -> Option<u128> {
    Some(client.cost(response)?.total().femtodollars())
}

#[cfg(not(feature = "models"))]
fn cost(_: &Client, _: &Response) -> Option<u128> {
    None
}

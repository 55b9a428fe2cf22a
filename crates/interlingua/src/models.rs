use std::time::SystemTime;

use interlingua_model::{Error, ErrorKind, Retry};
use interlingua_wire::{ModelInfo, Provider, Refusal, join};
use tokio::time::sleep;

use crate::client::Inner;
use crate::exchange::{fetch, read_some, scrubbed, scrubbed_error};
use crate::plan::{self, Outgoing};

/// Most pages of one list; a server that has more of them is lost in a circle.
const PAGES: usize = 64;

/// The models of a provider, page by page.
pub(crate) async fn list(inner: &Inner, provider: &Provider) -> Result<Vec<ModelInfo>, Error> {
    let none = || {
        let message = format!("`{}` does not list its models: its documentation names them", provider.id);
        Error::new(ErrorKind::Unsupported, message)
    };
    let mut outgoing = plan::listing(inner, provider).await?.ok_or_else(none)?;
    let listing = provider.models.as_ref().ok_or_else(none)?;
    let first = outgoing.uri.to_string();
    let mut models = Vec::new();
    for _ in 0..PAGES {
        let told = |error| scrubbed_error(error, outgoing.secret.as_ref()).with_target(&provider.id, "");
        let body = page(inner, provider, &outgoing).await.map_err(told)?;
        let read = listing.read(&body).map_err(told)?;
        models.extend(read.list);
        let Some(query) = read.next else { break };
        let next = join(&first, &format!("?{query}"));
        outgoing.uri = next.replace("/?", "?").parse().map_err(|error| {
            Error::new(ErrorKind::Protocol, format!("the next page of the list has no address: {error}"))
        })?;
    }
    Ok(models)
}

async fn page(inner: &Inner, provider: &Provider, outgoing: &Outgoing) -> Result<Vec<u8>, Error> {
    let mut done = 0;
    loop {
        let error = match attempt(inner, provider, outgoing).await {
            Ok(body) => return Ok(body),
            Err(error) => error,
        };
        let worth = error.retry() != Retry::Never && error.kind() != ErrorKind::Connect;
        let Some(pause) = inner.settings.retry.pause(&error, done).filter(|_| worth) else {
            return Err(error);
        };
        done += 1;
        sleep(pause).await;
    }
}

async fn attempt(inner: &Inner, provider: &Provider, outgoing: &Outgoing) -> Result<Vec<u8>, Error> {
    let answer = fetch(inner, outgoing, inner.settings.timeouts).await?;
    let (head, body) = answer.into_parts();
    let body = read_some(body, &head.headers, inner.settings.limits.body).await;
    if head.status.is_success() {
        return Ok(body);
    }
    let body = scrubbed(&body, outgoing.secret.as_ref());
    let refusal = Refusal::new(head.status.as_u16(), &head.headers, &body).at(SystemTime::now());
    let protocol = provider.protocol_for("")?;
    Err(provider.codec(protocol, "")?.refusal(&refusal))
}

//! Which model answers when the user does not say.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use interlingua::wire::{Auth, Kind, ModelInfo, Provider};
use interlingua::{Client, Error, KeyStatus};
use tokio::task::JoinSet;

use crate::config::Config;
use crate::exit::{Failure, Result};
use crate::local;

/// How long a server on this machine may take to accept a connection, and to list its models.
const CONNECT: Duration = Duration::from_millis(200);
const LIST: Duration = Duration::from_millis(1500);

/// A model and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// `provider/model`.
    pub(crate) model: String,
    /// Why this one, in a few words; empty when the user named it.
    pub(crate) why: String,
}

impl Choice {
    fn new(model: impl Into<String>, why: impl Into<String>) -> Self {
        Self { model: model.into(), why: why.into() }
    }
}

/// Chooses: what was asked for, then the config file, then the first provider in the table whose key is found, then
/// the first server on this machine that answers, then the model in the process.
///
/// # Errors
/// When a name is no model, or nothing at all can answer.
pub(crate) async fn choose(asked: Option<&str>, config: &Config, client: &Client) -> Result<Choice> {
    if let Some(word) = asked {
        return named(config.model_named(word), "", client).await;
    }
    if let Some(word) = &config.model {
        return named(config.model_named(word), "set in the config file", client).await;
    }
    if let Some((provider, from)) = with_key(client).next() {
        let usual = usual_model(provider, client).await?;
        return Ok(Choice::new(usual.model, format!("its key is found ({from})")));
    }
    let servers = local_servers(client).await;
    if let Some((provider, model)) =
        servers.iter().find_map(|server| Some((&server.id, server.models.first()?)))
    {
        return Ok(Choice::new(
            format!("{provider}/{}", model.id),
            format!("{provider} answers on this machine"),
        ));
    }
    match local::DEFAULT_MODEL {
        Some(model) => Ok(Choice::new(model, "no key and no server on this machine was found")),
        None => Err(Failure::configuration(nothing_found(client))),
    }
}

/// Checks that a word names a model, and completes a lone provider by its usual model.
async fn named(word: &str, why: &str, client: &Client) -> Result<Choice> {
    let (provider, model) = word.split_once('/').unwrap_or((word, ""));
    if local::PROVIDER == Some(provider) {
        return Ok(Choice::new(local::DEFAULT_MODEL.filter(|_| model.is_empty()).unwrap_or(word), why));
    }
    let row = client.provider(provider).map_err(|error| unknown(error, word))?;
    if model.is_empty() { usual_model(row, client).await } else { Ok(Choice::new(word, why)) }
}

/// Says how a model is written, to one who wrote its name alone.
fn unknown(error: Error, word: &str) -> Failure {
    if word.contains('/') {
        return error.into();
    }
    let message = error.message();
    Failure::configuration(format!("{message}; a model is written as provider/model, such as openai/{word}"))
}

/// The providers whose key is found, in the order of the table. Left out are programs on this machine, and services
/// of which no model could be named.
pub(crate) fn with_key(client: &Client) -> impl Iterator<Item = (&Provider, String)> {
    let usable = |provider: &&Provider| {
        let names_models = !provider.default_model.is_empty() || provider.models.is_some();
        let is_asked = !provider.endpoints.is_empty() && !matches!(provider.auth, Auth::Unsupported(_));
        names_models && is_asked && provider.kind != Kind::Local
    };
    client.providers().filter(usable).filter_map(|provider| match client.key_status(&provider.id) {
        KeyStatus::Present { from } => Some((provider, from)),
        _ => None,
    })
}

/// The model of a provider for someone who names none: the one in its row, or the first that it lists.
async fn usual_model(provider: &Provider, client: &Client) -> Result<Choice> {
    let id = &provider.id;
    if !provider.default_model.is_empty() {
        return Ok(Choice::new(format!("{id}/{}", provider.default_model), format!("the usual one of {id}")));
    }
    let models = client.models(id).await?;
    let first = models
        .first()
        .ok_or_else(|| Failure::configuration(format!("{id} lists no model: name one with -m {id}/MODEL")))?;
    Ok(Choice::new(format!("{id}/{}", first.id), format!("the first that {id} lists")))
}

/// A server on this machine that answers.
#[derive(Debug)]
pub(crate) struct Server {
    /// The provider's id.
    pub(crate) id: String,
    /// What it serves.
    pub(crate) models: Vec<ModelInfo>,
}

/// Asks every server of the table that may run on this machine, all at once, and returns those that answer, in order.
pub(crate) async fn local_servers(client: &Client) -> Vec<Server> {
    let mut asked = JoinSet::new();
    let rows = client.providers().filter(|provider| provider.kind == Kind::Local).enumerate();
    for (order, provider) in rows {
        let (client, id) = (client.clone(), provider.id.to_string());
        let Some(address) = client.address(&id).and_then(|url| loopback(&url)) else { continue };
        asked.spawn(async move {
            let connected = tokio::time::timeout(CONNECT, tokio::net::TcpStream::connect(address)).await;
            connected.ok()?.ok()?;
            let models = tokio::time::timeout(LIST, client.models(&id)).await.ok()?.ok()?;
            Some((order, Server { id, models }))
        });
    }
    let mut found: Vec<_> = asked.join_all().await.into_iter().flatten().collect();
    found.sort_by_key(|(order, _)| *order);
    found.into_iter().map(|(_, server)| server).collect()
}

/// The socket address in a URL, when it is one of this machine.
fn loopback(url: &str) -> Option<SocketAddr> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let port = if scheme == "https" { 443 } else { 80 };
    let authority = if has_port { authority.to_owned() } else { format!("{authority}:{port}") };
    let addresses: Vec<_> =
        authority.to_socket_addrs().ok()?.filter(|address| is_here(address.ip())).collect();
    addresses.iter().find(|address| address.is_ipv4()).or_else(|| addresses.first()).copied()
}

/// The unspecified address is how a server is told to listen everywhere; to a client it means this machine.
fn is_here(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}

fn nothing_found(client: &Client) -> String {
    let keys = client.providers().filter(|row| row.kind != Kind::Local && !row.endpoints.is_empty());
    let keys: Vec<_> = keys.filter_map(|provider| provider.key_vars().next()).take(3).collect();
    format!(
        "no model: set a key ({}, …), start a local server such as Ollama, or name a model with -m",
        keys.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked() {
        for (url, expected) in [
            ("http://127.0.0.1:11434/v1", Some("127.0.0.1:11434")),
            ("http://127.0.0.1", Some("127.0.0.1:80")),
            ("http://user:word@127.0.0.1:8080", Some("127.0.0.1:8080")),
            ("http://[::1]:8000/v1", Some("[::1]:8000")),
            ("http://0.0.0.0:11434", Some("0.0.0.0:11434")),
            ("http://192.0.2.1:11434", None),
            ("nonsense", None),
        ] {
            assert_eq!(loopback(url), expected.map(|address| address.parse().unwrap()), "{url}");
        }
    }
}

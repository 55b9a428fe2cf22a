//! `il providers`: who can be talked to, and whose key is found.

use interlingua::wire::Provider;
use interlingua::{Client, KeyStatus};
use serde_json::json;

use crate::args::Providers;
use crate::config::Found;
use crate::connect;
use crate::exit::{Exit, Result};
use crate::table;
use crate::terminal::Terminal;

/// Lists the providers.
///
/// # Errors
/// When the config file is broken.
pub(crate) fn run(asked: &Providers, terminal: &mut Terminal) -> Result<Exit> {
    let client = connect::client(&Found::read()?.config)?;
    let rows = client.providers().map(|provider| (provider, client.key_status(&provider.id)));
    let rows: Vec<_> =
        rows.filter(|(_, status)| !asked.with_key || matches!(status, KeyStatus::Present { .. })).collect();
    let text = if asked.json {
        rows.iter().map(|(provider, status)| line(provider, status) + "\n").collect()
    } else {
        let cells = |(provider, status): &(&Provider, KeyStatus)| {
            vec![provider.id.to_string(), protocols(provider).join(" "), key(status)]
        };
        table::columns(&rows.iter().map(cells).collect::<Vec<_>>())
    };
    terminal.print(&text)?;
    Ok(Exit::Success)
}

/// Where a provider's key comes from, in a few words that never hold the key.
pub(crate) fn key(status: &KeyStatus) -> String {
    match status {
        KeyStatus::Present { from } => format!("key: {from}"),
        KeyStatus::Missing { expected } => format!("no key: set {}", expected.join(" or ")),
        _ => "needs no key".into(),
    }
}

/// The keys that are found, provider by provider.
pub(crate) fn keys_found(client: &Client) -> Vec<(String, String)> {
    let statuses =
        client.providers().map(|provider| (provider.id.to_string(), client.key_status(&provider.id)));
    statuses
        .filter(|(_, status)| matches!(status, KeyStatus::Present { .. }))
        .map(|(provider, status)| (provider, key(&status)))
        .collect()
}

fn protocols(provider: &Provider) -> Vec<&'static str> {
    provider.endpoints.iter().map(|endpoint| endpoint.protocol.id()).collect()
}

fn line(provider: &Provider, status: &KeyStatus) -> String {
    let (found, from, expected) = match status {
        KeyStatus::Present { from } => (true, Some(from.as_str()), Vec::new()),
        KeyStatus::Missing { expected } => (false, None, expected.clone()),
        _ => (false, None, Vec::new()),
    };
    json!({
        "id": provider.id,
        "name": provider.display_name(),
        "protocols": protocols(provider),
        "base_url": provider.endpoints.first().map(|endpoint| &endpoint.base_url),
        "key_found": found,
        "key_from": from,
        "key_expected": expected,
        "verified": provider.verified,
    })
    .to_string()
}

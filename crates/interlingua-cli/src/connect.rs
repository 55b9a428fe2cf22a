//! Builds the client out of the command line and the config file.

use std::io::{self, Write as _};
use std::sync::Arc;

use interlingua::catalog::Catalog;
use interlingua::layer::{Budget, Fallback, Notice};
use interlingua::wire::{Auth, Listing, Protocol, Provider};
use interlingua::{Cassette, Client, ClientBuilder, HttpTransport, RetryNote};

use crate::args::Ask;
use crate::config::Config;
use crate::exit::{Failure, Result};
use crate::{folders, hygiene, local};

/// The provider that `--base-url` makes when the model names none of the table.
const AD_HOC: &str = "custom";

/// The client, and the model word as it is to be understood.
pub(crate) struct Connection {
    /// Who dials.
    pub(crate) client: Client,
    /// The model that was asked for.
    pub(crate) asked: Option<String>,
}

/// A client for lists and checks.
///
/// # Errors
/// When the config file holds what the client refuses.
pub(crate) fn client(config: &Config) -> Result<Client> {
    Ok(configured(config, Client::builder()).build()?)
}

/// A client for questions.
///
/// # Errors
/// When the config file or the command line holds what the client refuses.
pub(crate) fn connection(ask: &Ask, config: &Config) -> Result<Connection> {
    let mut builder = configured(config, Client::builder());
    let mut asked = ask.model.as_deref().map(|word| config.model_named(word).to_owned());
    if let Some(url) = &ask.base_url {
        check_address(url)?;
        let provider = asked.as_deref().and_then(provider_of);
        if provider
            .is_none_or(|provider| client(config).is_ok_and(|client| client.provider(provider).is_err()))
        {
            builder = builder.provider(ad_hoc(url));
            asked = Some(format!("{AD_HOC}/{}", asked.unwrap_or_default()));
        } else if let Some(provider) = provider {
            builder = builder.base_url(provider, url.clone());
        }
    }
    if let Some(command) = &ask.key_command {
        let provider = asked.as_deref().and_then(provider_of).ok_or_else(|| {
            Failure::usage("--key-command needs -m provider/model, which says whose key it is")
        })?;
        builder = builder.key_command(provider, command.clone());
    }
    if !ask.fallbacks.is_empty() {
        let models = ask.fallbacks.iter().map(|word| config.model_named(word));
        builder = builder.layer(Fallback::to(models));
    }
    if let Some(most) = ask.budget {
        builder = builder.layer(Budget::new().money(most));
    }
    if let Some(path) = &ask.cassette {
        builder = builder.transport(Arc::new(Cassette::auto(path, Arc::new(HttpTransport::new()))?));
    }
    if !ask.quiet {
        builder = builder.on_retry(tell_retry).on_notice(tell_notice);
    }
    Ok(Connection { client: builder.build()?, asked })
}

fn configured(config: &Config, mut builder: ClientBuilder) -> ClientBuilder {
    for provider in &config.providers {
        builder = builder.provider(provider.clone());
    }
    for (provider, command) in &config.key_commands {
        builder = builder.key_command(provider, command.clone());
    }
    for (provider, url) in &config.base_urls {
        builder = builder.base_url(provider, url.clone());
    }
    if let Some(catalog) = fetched() {
        builder = builder.catalog(catalog);
    }
    local::install(builder)
}

/// Limits and prices that were fetched, where they are newer than those of the program.
fn fetched() -> Option<Catalog> {
    let text = std::fs::read_to_string(folders::catalog_file()?).ok()?;
    let catalog = Catalog::parse(text).ok()?;
    (catalog.date() > Catalog::built_in().date()).then_some(catalog)
}

/// A server that speaks the common tongue; where it wants a key, `--key-command` has it.
fn ad_hoc(url: &str) -> Provider {
    let mut provider = Provider::new(AD_HOC, Protocol::OpenaiChat, url.to_owned());
    provider.auth = Auth::NoneOrBearer;
    provider.models = Some(Listing::new("/models"));
    provider
}

fn provider_of(model: &str) -> Option<&str> {
    model.split_once('/').map(|(provider, _)| provider)
}

fn check_address(url: &str) -> Result<()> {
    let is_address = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .is_some_and(|rest| !rest.is_empty());
    if is_address {
        Ok(())
    } else {
        Err(Failure::usage(format!("--base-url `{url}` must begin with https:// or http://")))
    }
}

/// What a layer does is told, unless all is well.
fn tell_notice(notice: &Notice) {
    if let Notice::FellBack { .. } = notice {
        let _ = writeln!(io::stderr(), "{}", hygiene::line(&notice.to_string()));
    }
}

/// A retry is told as it happens, because a pause without a reason looks like a hang.
fn tell_retry(note: &RetryNote) {
    let line = hygiene::line(&format!(
        "retry {} in {:.1} s: {}",
        note.attempt,
        note.pause.as_secs_f64(),
        note.reason
    ));
    let _ = writeln!(io::stderr(), "{line}");
}

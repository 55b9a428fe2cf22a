//! `il models`: what there is to talk to.

use std::time::Duration;

use interlingua::catalog::{Model, Price, Tier, Trait};
use interlingua::wire::ModelInfo;
use interlingua::{Client, ListedModel, ModelCache, ModelList};
use serde_json::json;
use tokio::task::JoinSet;

use crate::args::{Models, ModelsAction};
use crate::config::{Config, Found};
use crate::exit::{Exit, Failure, Result};
use crate::terminal::Terminal;
use crate::{choose, connect, find, folders, hygiene, local, table};

/// A provider's models, or why they are not to be had.
struct Listed {
    provider: String,
    list: std::result::Result<ModelList, interlingua::Error>,
}

/// How long a list is good for.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Lists models, or fetches one.
///
/// # Errors
/// When the provider that was named cannot list its models, or nothing is found at all.
pub(crate) fn run(models: &Models, terminal: &mut Terminal) -> Result<Exit> {
    let runtime = crate::runtime()?;
    let work = async {
        match &models.action {
            Some(ModelsAction::Pull { name }) => local::pull(name.as_deref(), terminal).await,
            Some(ModelsAction::Update { source }) => update(source.as_deref(), terminal).await,
            None => list(models, &Found::read()?.config, terminal).await,
        }
    };
    let exit = runtime.block_on(async {
        tokio::select! {
            exit = work => exit,
            _ = tokio::signal::ctrl_c() => Err(crate::session::interrupted()),
        }
    });
    runtime.shutdown_background();
    exit
}

async fn list(asked: &Models, config: &Config, terminal: &mut Terminal) -> Result<Exit> {
    let client = connect::client(config)?;
    let wanted = traits(&asked.can)?;
    let listed = match (&asked.provider, asked.known) {
        (None, true) => known(&client),
        (Some(word), true) => {
            vec![Listed { provider: word.clone(), list: Ok(of_catalog(client.known_models(word)?)) }]
        }
        (Some(word), false) => {
            let provider = client.provider(word)?.id.to_string();
            let list = Ok(ask(&client, &provider, asked.refresh).await?);
            vec![Listed { provider, list }]
        }
        (None, false) => reachable(&client, asked.refresh).await,
    };
    let mut rows = Vec::new();
    for Listed { provider, list } in listed {
        match list {
            Ok(list) => {
                if let Some(trouble) = &list.trouble {
                    let line = format!("{provider} cannot be asked, this list is old: {}", trouble.message());
                    terminal.warn(&line);
                }
                rows.extend(list.models);
            }
            Err(error) => terminal.warn(&format!("{provider} lists no models: {}", error.message())),
        }
    }
    rows.retain(|model| fits(model, asked, &wanted));
    if let Some(text) = &asked.filter {
        rows = find::best(rows, text, |model| format!("{}/{}", model.provider, model.id));
    }
    if rows.is_empty() {
        return Err(nothing(asked));
    }
    terminal.print(&if asked.json { lines(&rows) } else { columns(&rows) })?;
    Ok(Exit::Success)
}

/// Whether a model can do and hold what was asked for; what is not known is not.
fn fits(model: &ListedModel, asked: &Models, wanted: &[Trait]) -> bool {
    let can = |what: &Trait| model.known.as_ref().and_then(|known| known.can(*what)) == Some(true);
    let holds = asked.context.is_none_or(|least| model.context().is_some_and(|most| most >= least));
    holds && wanted.iter().all(can)
}

fn traits(words: &[String]) -> Result<Vec<Trait>> {
    let read = |word: &String| {
        Trait::from_word(word.trim()).ok_or_else(|| {
            let all: Vec<_> = Trait::ALL.iter().map(|what| what.word()).collect();
            Failure::usage(format!("--can does not know `{word}`, only {}", all.join(", ")))
        })
    };
    words.iter().map(read).collect()
}

/// The list of a provider, from the disk while it is less than a day old.
async fn ask(
    client: &Client,
    provider: &str,
    refresh: bool,
) -> std::result::Result<ModelList, interlingua::Error> {
    match folders::cache() {
        Some(folder) => {
            let cache = ModelCache::new(folder.join("models"), DAY);
            if refresh { cache.refresh(client, provider).await } else { cache.list(client, provider).await }
        }
        None => client.list_models(provider).await,
    }
}

fn of_catalog(models: Vec<ListedModel>) -> ModelList {
    let mut list = ModelList::default();
    list.models = models;
    list
}

/// The models that are known of all providers of the table.
fn known(client: &Client) -> Vec<Listed> {
    let providers: Vec<_> = client.providers().map(|provider| provider.id.to_string()).collect();
    let models = providers.into_iter().filter_map(|provider| {
        let models = client.known_models(&provider).ok()?;
        Some(Listed { provider, list: Ok(of_catalog(models)) })
    });
    models.collect()
}

/// Fetches limits and prices, and keeps them where every later run finds them.
async fn update(source: Option<&str>, terminal: &mut Terminal) -> Result<Exit> {
    let client = connect::client(&Found::read()?.config)?;
    let catalog = client.read_catalog(source.unwrap_or(interlingua::CATALOG_URL)).await?;
    let file = folders::catalog_file()
        .ok_or_else(|| Failure::configuration("there is no folder for it: set XDG_CACHE_HOME or HOME"))?;
    let failed = |error: std::io::Error| Failure::new(Exit::File, format!("{}: {error}", file.display()));
    let part = file.with_extension("part");
    file.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(failed)?;
    std::fs::write(&part, catalog.as_text()).and_then(|()| std::fs::rename(&part, &file)).map_err(failed)?;
    let count = catalog.all().count();
    terminal.print(&format!("{count} models of {}, from {}\n", catalog.date(), catalog.source()))?;
    Ok(Exit::Success)
}

/// The models in the process, of the servers on this machine, and of every provider with a key, asked all at once.
async fn reachable(client: &Client, refresh: bool) -> Vec<Listed> {
    let mut asked = JoinSet::new();
    let keyed: Vec<_> = choose::with_key(client).map(|(provider, _)| provider.id.to_string()).collect();
    for (order, provider) in local::PROVIDER.into_iter().map(str::to_owned).chain(keyed).enumerate() {
        let client = client.clone();
        asked.spawn(async move {
            let list = ask(&client, &provider, refresh).await;
            (order, Listed { provider, list })
        });
    }
    let servers = choose::local_servers(client).await;
    let mut found = asked.join_all().await;
    found.sort_by_key(|(order, _)| *order);
    let servers = servers.into_iter().map(|server| {
        let told = |model: ModelInfo| ListedModel::told(server.id.clone(), model);
        let list = of_catalog(server.models.into_iter().map(told).collect());
        Listed { provider: server.id, list: Ok(list) }
    });
    found.into_iter().map(|(_, listed)| listed).chain(servers).collect()
}

fn nothing(asked: &Models) -> Failure {
    let whose = asked.provider.as_deref().map(|provider| format!(" of {provider}")).unwrap_or_default();
    let narrowed = asked.context.is_some() || !asked.can.is_empty();
    Failure::configuration(match &asked.filter {
        Some(text) => format!("no model{whose} is like `{text}`"),
        None if narrowed => format!("no model{whose} is known to hold or do that"),
        None => format!("no model{whose} was found; `il doctor` says what is missing"),
    })
}

fn columns(rows: &[ListedModel]) -> String {
    let row = |model: &ListedModel| {
        let tokens = |count: Option<u64>| count.map(short).unwrap_or_default();
        let cells = [
            format!("{}/{}", model.provider, model.id),
            tokens(model.context()),
            tokens(model.output()),
            model.known.as_ref().map(price).unwrap_or_default(),
            model.name().unwrap_or_default().to_owned(),
        ];
        cells.iter().map(|cell| hygiene::line(cell)).collect()
    };
    let head = ["model", "context", "output", "$ in/out", "name"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows.iter().map(row)).collect();
    table::columns(&rows)
}

/// A number of tokens as people say it.
fn short(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{}k", count / 1000),
        _ => format!("{}.{}M", count / 1_000_000, count % 1_000_000 / 100_000).replace(".0M", "M"),
    }
}

/// Dollars for a million tokens of prompt and of answer.
fn price(model: &Model) -> String {
    let Some(rates) = model.prices.at(Tier::Standard, 0) else { return String::new() };
    let word = |price: Option<Price>| price.map_or("?".to_owned(), |price| price.to_string());
    format!("{}/{}", word(rates.input), word(rates.output))
}

fn lines(rows: &[ListedModel]) -> String {
    let line = |model: &ListedModel| {
        let (told, known) = (model.told.as_ref(), model.known.as_ref());
        let rates = known.and_then(|known| known.prices.at(Tier::Standard, 0));
        let price = |price: Option<Price>| price.map(|price| price.to_string());
        let can: Vec<_> = known.map_or_else(Vec::new, |known| {
            known.traits.iter().filter(|(_, can)| *can).map(|(what, _)| what.word()).collect()
        });
        let model = json!({
            "model": format!("{}/{}", model.provider, model.id),
            "provider": model.provider,
            "id": model.id,
            "name": told.and_then(|told| told.name.as_deref()),
            "context": model.context(),
            "output": model.output(),
            "created": told.and_then(|told| told.created),
            "owner": told.and_then(|told| told.owner.as_deref()),
            "can": can,
            "input_price": rates.and_then(|rates| price(rates.input)),
            "output_price": rates.and_then(|rates| price(rates.output)),
            "ends": known.and_then(|known| known.ends.as_deref()),
        });
        format!("{model}\n")
    };
    rows.iter().map(line).collect()
}

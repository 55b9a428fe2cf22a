//! `il models`: what there is to talk to.

use interlingua::Client;
use interlingua::wire::ModelInfo;
use serde_json::json;
use tokio::task::JoinSet;

use crate::args::{Models, ModelsAction};
use crate::config::{Config, Found};
use crate::exit::{Exit, Failure, Result};
use crate::terminal::Terminal;
use crate::{choose, connect, hygiene, local, table};

/// A provider's models, or why they are not to be had.
struct Listed {
    provider: String,
    models: Result<Vec<ModelInfo>, interlingua::Error>,
}

/// Lists models, or fetches one.
///
/// # Errors
/// When the provider that was named cannot list its models, or nothing is found at all.
pub(crate) fn run(models: &Models, terminal: &mut Terminal) -> Result<Exit> {
    let runtime = crate::runtime()?;
    let work = async {
        match &models.action {
            Some(ModelsAction::Pull { name }) => local::pull(name.as_deref(), terminal).await,
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
    let listed = match &asked.provider {
        Some(word) => {
            let provider = client.provider(word)?.id.to_string();
            let models = Ok(client.models(&provider).await?);
            vec![Listed { provider, models }]
        }
        None => reachable(&client).await,
    };
    let mut rows = Vec::new();
    for Listed { provider, models } in listed {
        match models {
            Ok(models) => rows.extend(models.into_iter().map(|model| (provider.clone(), model))),
            Err(error) => terminal.warn(&format!("{provider} lists no models: {}", error.message())),
        }
    }
    if let Some(text) = &asked.filter {
        let text = text.to_lowercase();
        rows.retain(|(provider, model)| format!("{provider}/{}", model.id).to_lowercase().contains(&text));
    }
    if rows.is_empty() {
        return Err(nothing(asked));
    }
    terminal.print(&if asked.json { lines(&rows) } else { columns(&rows) })?;
    Ok(Exit::Success)
}

/// The models in the process, of the servers on this machine, and of every provider with a key, asked all at once.
async fn reachable(client: &Client) -> Vec<Listed> {
    let mut asked = JoinSet::new();
    let keyed: Vec<_> = choose::with_key(client).map(|(provider, _)| provider.id.to_string()).collect();
    for (order, provider) in local::PROVIDER.into_iter().map(str::to_owned).chain(keyed).enumerate() {
        let client = client.clone();
        asked.spawn(async move {
            let models = client.models(&provider).await;
            (order, Listed { provider, models })
        });
    }
    let servers = choose::local_servers(client).await;
    let mut found = asked.join_all().await;
    found.sort_by_key(|(order, _)| *order);
    let servers = servers.into_iter().map(|server| Listed { provider: server.id, models: Ok(server.models) });
    found.into_iter().map(|(_, listed)| listed).chain(servers).collect()
}

fn nothing(asked: &Models) -> Failure {
    let whose = asked.provider.as_deref().map(|provider| format!(" of {provider}")).unwrap_or_default();
    Failure::configuration(match &asked.filter {
        Some(text) => format!("no model{whose} has `{text}` in its name"),
        None => format!("no model{whose} was found; `il doctor` says what is missing"),
    })
}

fn columns(rows: &[(String, ModelInfo)]) -> String {
    let tokens = |count: Option<u64>| count.map(|count| format!("{count} tokens")).unwrap_or_default();
    let row = |(provider, model): &(String, ModelInfo)| {
        let name = model.name.as_deref().filter(|name| *name != model.id).unwrap_or_default();
        let cells = [format!("{provider}/{}", model.id), tokens(model.context), name.to_owned()];
        cells.iter().map(|cell| hygiene::line(cell)).collect()
    };
    table::columns(&rows.iter().map(row).collect::<Vec<_>>())
}

fn lines(rows: &[(String, ModelInfo)]) -> String {
    let line = |(provider, model): &(String, ModelInfo)| {
        let model = json!({
            "model": format!("{provider}/{}", model.id),
            "provider": provider,
            "id": model.id,
            "name": model.name,
            "context": model.context,
            "output": model.output,
            "created": model.created,
            "owner": model.owner,
        });
        format!("{model}\n")
    };
    rows.iter().map(line).collect()
}

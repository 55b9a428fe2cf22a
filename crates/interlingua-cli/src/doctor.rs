//! `il doctor`: what is set up, and what is missing.

use std::path::Path;

use crate::config::Found;
use crate::exit::{Exit, Failure, Result};
use crate::terminal::Terminal;
use crate::{choose, connect, folders, local, providers, table};

/// Checks the set-up and says which model would answer.
///
/// # Errors
/// When the config file is broken, or nothing can answer.
pub(crate) fn run(terminal: &mut Terminal) -> Result<Exit> {
    let runtime = crate::runtime()?;
    let outcome = runtime.block_on(examine(terminal));
    runtime.shutdown_background();
    outcome
}

async fn examine(terminal: &mut Terminal) -> Result<Exit> {
    let path = folders::config_file();
    let found = match Found::read() {
        Ok(found) => found,
        Err(failure) => {
            say(&[row("config file", path.as_deref(), "broken")], terminal)?;
            return Err(failure);
        }
    };
    let client = connect::client(&found.config)?;
    let mut rows = vec![
        vec!["version".into(), env!("CARGO_PKG_VERSION").into()],
        row("config file", path.as_deref(), if found.exists { "read" } else { "none, which is fine" }),
        row("history", folders::history_file().as_deref(), ""),
        row("cache", folders::cache().as_deref(), ""),
    ];
    for (provider, key) in providers::keys_found(&client) {
        rows.push(vec![provider, key]);
    }
    let servers = choose::local_servers(&client).await;
    for server in &servers {
        rows.push(vec![
            server.id.clone(),
            format!("answers on this machine, {} models", server.models.len()),
        ]);
    }
    if servers.is_empty() {
        rows.push(vec!["local servers".into(), "none answers".into()]);
    }
    rows.push(vec!["model in the process".into(), local::state()]);
    say(&rows, terminal)?;
    let choice = choose::choose(None, &found.config, &client).await?;
    let why = if choice.why.is_empty() { "named" } else { &choice.why };
    say(&[vec!["without -m".into(), format!("{}: {why}", choice.model)]], terminal)?;
    Ok(Exit::Success)
}

fn row(name: &str, path: Option<&Path>, state: &str) -> Vec<String> {
    let path =
        path.map_or_else(|| "nowhere: there is no home folder".into(), |path| path.display().to_string());
    vec![name.into(), if state.is_empty() { path } else { format!("{path} ({state})") }]
}

fn say(rows: &[Vec<String>], terminal: &mut Terminal) -> Result<(), Failure> {
    // One width for all blocks, so that blocks printed one after the other line up.
    let wide = rows.iter().map(|row| {
        let name = row.first().map(String::as_str).unwrap_or_default();
        let rest = row.get(1).cloned().unwrap_or_default();
        vec![format!("{name:<20}"), rest]
    });
    Ok(terminal.print(&table::columns(&wide.collect::<Vec<_>>()))?)
}

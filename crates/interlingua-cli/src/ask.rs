//! One question, one answer.

use interlingua::User;

use crate::args::{Args, Ask};
use crate::choose::{self, Choice};
use crate::config::{Config, Found};
use crate::connect;
use crate::conversation::Conversation;
use crate::exit::{Exit, Failure, Result};
use crate::session::{self, Session};
use crate::settings::Settings;
use crate::terminal::Terminal;
use crate::tools::Tools;
use crate::{chat, local, mcp, prompt};

/// Answers the prompt of the command line, or opens the chat when there is none.
///
/// # Errors
/// When there is no answer; the failure says why and what to do.
pub(crate) fn run(args: &Args, terminal: &mut Terminal) -> Result<Exit> {
    let question = prompt::message(&args.words, &args.ask.files)?;
    let config = Found::read()?.config;
    let settings = Settings::new(&args.ask, &config)?;
    let runtime = crate::runtime()?;
    let exit = match question {
        Some(question) => runtime.block_on(one(question, &args.ask, &config, settings, terminal)),
        None => chat::run(&runtime, &args.ask, &config, settings, terminal),
    };
    // A task that fetches a model or reads a key must not hold the program back.
    runtime.shutdown_background();
    exit
}

/// Prepares a session: the client, the model, the tools. Says which model was chosen when the user named none.
///
/// # Errors
/// When nothing can answer.
pub(crate) async fn session(
    ask: &Ask,
    config: &Config,
    settings: Settings,
    terminal: &mut Terminal,
) -> Result<Session> {
    let mut tools = Tools::new(ask.tools.iter().chain(&config.tools), &config.allow, ask.yes)?;
    tools.add_foreign(mcp::connected(&ask.mcp, ask.verbose).await?);
    let connection = connect::connection(ask, config)?;
    let choice = choose::choose(connection.asked.as_deref(), config, &connection.client).await?;
    tell(&choice, terminal);
    if local::runs(&choice.model) && (ask.dry_run || ask.raw && !ask.json) {
        return Err(Failure::usage(format!(
            "{} runs in this program and is sent no HTTP request: name another model with -m, or use --json",
            choice.model
        )));
    }
    if !ask.dry_run {
        local::provide(&choice.model, terminal).await?;
    }
    Ok(Session::new(connection.client, choice.model, settings, tools, ask))
}

async fn one(
    question: User,
    ask: &Ask,
    config: &Config,
    settings: Settings,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let outcome = tokio::select! {
        outcome = answer(question, ask, config, settings, terminal) => outcome,
        _ = tokio::signal::ctrl_c() => Err(session::interrupted()),
    };
    if !ask.json && !ask.raw {
        terminal.end_answer()?;
    }
    outcome
}

async fn answer(
    question: User,
    ask: &Ask,
    config: &Config,
    settings: Settings,
    terminal: &mut Terminal,
) -> Result<Exit> {
    let mut session = session(ask, config, settings, terminal).await?;
    let mut conversation = Conversation::default();
    conversation.ask(question);
    if ask.dry_run {
        session.dry_run(&conversation, terminal)?;
        return Ok(Exit::Success);
    }
    let finish = session.answer(&mut conversation, terminal).await?;
    if !ask.json && !ask.raw {
        terminal.end_answer()?;
    }
    if let Some(words) = session::unusual(&finish) {
        terminal.alert(&words);
    }
    Ok(Exit::of_finish(finish.reason))
}

fn tell(choice: &Choice, terminal: &mut Terminal) {
    if choice.why.is_empty() {
        terminal.detail(&format!("model {}", choice.model));
    } else {
        terminal.note(&format!("model {}: {}", choice.model, choice.why));
    }
}

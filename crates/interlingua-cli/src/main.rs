//! `il`: talk to any language model from the terminal.
//!
//! ```text
//! main      reads the command line, ends with an exit code       args, exit
//! ask       one question, one answer                             prompt, attach, settings
//! chat      a conversation line by line                          chat/{command, editor, transcript}
//! session   sends, shows, runs tools, until the model is done    conversation, render, tools/{…}
//! agent     the run of an agent file, saved after each step       agent/{file, show, state}
//! connect   the client out of command line and config file       config, folders, choose, local
//! mcp       tools of servers, and tools served                   tools
//! models, providers, doctor                                      what there is, and what is wrong
//! terminal  the only place that writes to the standard streams   hygiene, progress
//! ```

mod agent;
mod args;
mod ask;
mod attach;
mod chat;
mod choose;
mod config;
mod connect;
mod conversation;
mod doctor;
mod exit;
mod find;
mod folders;
mod hygiene;
mod local;
mod mcp;
mod models;
mod prompt;
mod providers;
mod render;
mod session;
mod settings;
mod table;
mod terminal;
mod tools;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::error::ErrorKind;
use clap_complete::Shell;
use tokio::runtime::{Builder, Runtime};

use args::{Args, Command};
use exit::{Exit, Failure, Result};
use terminal::Terminal;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let args = match Args::read(arguments.clone()) {
        Ok(args) => args,
        Err(message) => return ExitCode::from(explain(&message).code()),
    };
    let (quiet, verbose, json) = args.manner();
    let mut terminal = Terminal::new(quiet, verbose);
    let outcome = args.check_meaning(&arguments).and_then(|()| run(&args, &mut terminal));
    let exit = outcome.unwrap_or_else(|failure| report(&failure, json, &mut terminal));
    ExitCode::from(exit.code())
}

fn run(args: &Args, terminal: &mut Terminal) -> Result<Exit> {
    match &args.command {
        None => ask::run(args, terminal),
        Some(Command::Models(models)) => models::run(models, terminal),
        Some(Command::Providers(providers)) => providers::run(providers, terminal),
        Some(Command::Run(run)) => agent::run(run, terminal),
        Some(Command::Mcp { action }) => mcp::run(action, terminal),
        Some(Command::Doctor) => doctor::run(terminal),
        Some(Command::Completions { shell }) => completions((*shell).into(), terminal),
    }
}

/// A runtime of one thread: the program waits for one thing at a time, and starts faster so.
fn runtime() -> Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::new(Exit::Other, format!("cannot start: {error}")))
}

/// Says what is wrong with the command line, or prints the help or the version that was asked for.
fn explain(message: &clap::Error) -> Exit {
    // Nobody is left to be told when neither stream can be written.
    let _ = message.print();
    match message.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Success,
        _ => Exit::Usage,
    }
}

/// Says in one line why there is no answer; with `--json` on standard output too, where the reader is a program.
fn report(failure: &Failure, json: bool, terminal: &mut Terminal) -> Exit {
    let exit = failure.exit();
    if exit == Exit::Pipe {
        return exit;
    }
    if json && terminal.print(&format!("{}\n", failure.to_json())).is_err() {
        return Exit::Pipe;
    }
    let id = failure.cause().and_then(|error| error.request_id()).map(|id| format!(" [request {id}]"));
    terminal.alert(&format!("il: {}{}", failure.message(), id.unwrap_or_default()));
    exit
}

fn completions(shell: Shell, terminal: &mut Terminal) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "il", &mut script);
    terminal.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}

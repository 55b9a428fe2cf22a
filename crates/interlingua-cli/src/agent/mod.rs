//! Runs the agent of a file: shows each step, and saves the run after it.

mod file;
mod show;
mod state;

use interlingua::{Approval, Client, Outcome, Run, RunEvent, RunLimits, Running, Stop};

use crate::args::Run as Command;
use crate::config::{Config, Found};
use crate::exit::{Exit, Failure, Result};
use crate::settings::Settings;
use crate::terminal::Terminal;
use crate::tools::{Decision, Tools};
use crate::{choose, connect, local, mcp, prompt};

use file::Agent;
use show::Show;
use state::State;

/// Runs to the end, to a limit, or to a call that nobody is there to allow.
///
/// # Errors
/// When the run does not come to its end; it is saved then, and the failure says how to go on.
pub(crate) fn run(command: &Command, terminal: &mut Terminal) -> Result<Exit> {
    let agent = Agent::read(&command.file)?;
    let config = Found::read()?.config;
    let task = task(command, &agent)?;
    let state = State::of(command);
    let runtime = crate::runtime()?;
    let outcome = runtime.block_on(async {
        let mut work = Work::new(command, &agent, &config, task, state, terminal).await?;
        let outcome = tokio::select! {
            outcome = work.go_on(terminal) => outcome,
            _ = tokio::signal::ctrl_c() => Err(crate::session::interrupted()),
        };
        work.leave(outcome, terminal)
    });
    runtime.shutdown_background();
    outcome
}

/// What the command line, standard input and the file say that is to be done.
fn task(command: &Command, agent: &Agent) -> Result<Option<interlingua::User>> {
    let said = prompt::message(&command.words, &[])?;
    if said.is_some() || command.resume {
        return Ok(said);
    }
    let own = agent.task.as_deref().map(|task| interlingua::User::new(vec![task.into()]));
    own.map(Some).ok_or_else(|| {
        let file = command.file.display();
        Failure::usage(format!(
            "{file} has no `task`: write one there, or say what to do: il run {file} TASK"
        ))
    })
}

/// A run under way.
struct Work<'c> {
    command: &'c Command,
    client: Client,
    tools: Tools,
    running: Running,
    state: State,
    show: Show,
}

impl<'c> Work<'c> {
    async fn new(
        command: &'c Command,
        agent: &Agent,
        config: &Config,
        task: Option<interlingua::User>,
        state: State,
        terminal: &mut Terminal,
    ) -> Result<Self> {
        let saved = saved(command, task.is_some(), &state)?;
        let ask = agent.ask(command);
        let mut tools = Tools::new(&ask.tools, agent.allow.iter().chain(&config.allow), command.yes)?;
        tools.add_foreign(mcp::connected(&ask.mcp, ask.verbose).await?);
        let connection = connect::connection(&ask, config)?;
        let choice = choose::choose(connection.asked.as_deref(), config, &connection.client).await?;
        terminal.detail(&format!("model {}", choice.model));
        local::provide(&choice.model, terminal).await?;
        let limits = agent.limits(command.budget)?;
        let run = if let Some(run) = saved {
            resumed(run, task, limits, ask.model.is_some().then_some(&*choice.model))
        } else {
            let task: Vec<_> = task.into_iter().map(interlingua::Message::from).collect();
            let request = Settings::new(&ask, config)?.request(&choice.model, &task, Vec::new());
            Run::new(request).with_limits(limits)
        };
        let runner = agent.runner(&connection.client).tools(&tools.toolbox());
        let running = runner.start(run);
        let show = Show::new(command.json);
        Ok(Self { command, client: connection.client, tools, running, state, show })
    }

    /// Goes on until nothing is left to do without a person.
    async fn go_on(&mut self, terminal: &mut Terminal) -> Result<()> {
        while let Some(event) = self.running.next().await {
            self.show.event(&event, &self.running, &self.client, terminal)?;
            if let RunEvent::Undecided { at, call } = &event {
                self.decide(*at, call, terminal)?;
            }
            if !matches!(event, RunEvent::Model(_) | RunEvent::Progress { .. }) {
                self.state.save(self.running.run())?;
            }
        }
        Ok(())
    }

    fn decide(&mut self, at: u32, call: &interlingua::ToolCall, terminal: &mut Terminal) -> Result<()> {
        let refused = self.command.deny.as_ref().filter(|_| self.tools.asks(call));
        let decision = match refused {
            Some(reason) => Decision::Deny(reason.clone()),
            None => self.tools.decide(call, terminal),
        };
        let approval = match decision {
            Decision::Run => Approval::Run,
            Decision::Deny(reason) => Approval::Deny(reason),
            Decision::Nobody(question) => {
                terminal.note(&format!("waits for approval: {question}"));
                return Ok(());
            }
            Decision::Stop => return Err(crate::session::interrupted()),
        };
        Ok(self.running.decide(at, approval)?)
    }

    /// Saves the run, says how it ended, and how to go on.
    fn leave(self, outcome: Result<()>, terminal: &mut Terminal) -> Result<Exit> {
        let Self { running, state, command, mut show, .. } = self;
        show.end(terminal)?;
        let run = running.into_run();
        if is_finished(&run) {
            show::summary(&run, terminal);
            state.finished(&run)?;
            return Ok(run
                .response()
                .and_then(|answer| answer.finish.as_ref())
                .map_or(Exit::Success, |finish| Exit::of_finish(finish.reason)));
        }
        state.save(&run)?;
        show::summary(&run, terminal);
        let go_on = format!("il run {} --resume", command.file.display());
        terminal.note(&format!("the run is saved in {}; `{go_on}` goes on with it", state.path().display()));
        outcome?;
        Err(unfinished(&run, &go_on))
    }
}

/// The run to go on with, if that was asked for.
fn saved(command: &Command, has_task: bool, state: &State) -> Result<Option<Run>> {
    if command.new {
        return Ok(None);
    }
    let path = state.path().display();
    let problem = match state.read()? {
        None if !command.resume => return Ok(None),
        None => format!("there is no saved run in {path}"),
        Some(run) if !command.resume && !is_finished(&run) => {
            format!("{path} holds a run that is not done: --resume goes on with it, --new forgets it")
        }
        Some(_) if !command.resume => return Ok(None),
        Some(run) if is_finished(&run) && !has_task => {
            "the saved run is done: say what else there is to do".to_owned()
        }
        Some(run) => return Ok(Some(run)),
    };
    Err(Failure::usage(problem))
}

fn is_finished(run: &Run) -> bool {
    run.outcome().is_some_and(Outcome::is_finished)
}

/// A saved run that goes on. Where calls are under way the model stays, for they are answered to the one that made them.
fn resumed(mut run: Run, task: Option<interlingua::User>, limits: RunLimits, model: Option<&str>) -> Run {
    run.set_limits(limits);
    if let Some(task) = task {
        run.say(task);
    }
    run.again();
    if let Some(model) = model {
        let _ = run.edit(|request| model.clone_into(&mut request.model));
    }
    run
}

/// Why there is no answer.
fn unfinished(run: &Run, go_on: &str) -> Failure {
    match run.outcome() {
        Some(Outcome::Stopped(Stop::Cancelled)) => crate::session::interrupted(),
        Some(Outcome::Stopped(stop)) => {
            Failure::new(Exit::Unfinished, format!("{stop}; the limits stand in the agent's file"))
        }
        Some(Outcome::Failed { kind, message }) => Failure::new(Exit::of(*kind), message.clone()),
        _ => {
            let names: Vec<_> = run.undecided().map(|(_, call)| call.name.as_str()).collect();
            let names = names.join(", ");
            Failure::new(
                Exit::Unfinished,
                format!(
                    "{names}: waits for approval, and there is no terminal to ask on; `{go_on} --yes` allows it, `--deny REASON` refuses it"
                ),
            )
        }
    }
}

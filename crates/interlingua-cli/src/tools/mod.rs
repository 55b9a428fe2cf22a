//! The built-in tools, and the question that stands before those that are not read-only.

mod approval;
mod clock;
mod command;
mod files;

use std::collections::BTreeSet;

use interlingua::{FunctionTool, Handler, Json, Progress, Tool, ToolCall, ToolKind, ToolResult, Toolbox};
use interlingua_mcp::McpClient;
use serde::de::DeserializeOwned;

use crate::exit::{Failure, Result};
use crate::hygiene;
use crate::terminal::Terminal;

use approval::Answer;

/// A built-in tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Builtin {
    /// The current date and time.
    Clock,
    /// The text of a file.
    ReadFile,
    /// What is in a folder.
    ListDirectory,
    /// Any command of the shell.
    RunCommand,
}

/// The tools that a conversation offers, and what the user has allowed so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tools {
    offered: BTreeSet<Builtin>,
    allowed: BTreeSet<Builtin>,
    /// Tools of MCP servers, and the connections to those, which end when nobody has them any more.
    foreign: Toolbox,
    connections: Vec<McpClient>,
    allowed_foreign: BTreeSet<String>,
    /// `--yes`: nothing is asked.
    all_allowed: bool,
}

/// Whether a call may run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It may.
    Run,
    /// It may not, for this reason.
    Deny(String),
    /// This is to be asked, and there is no terminal to ask it on.
    Nobody(String),
    /// The user stopped instead of deciding.
    Stop,
}

/// What became of a call.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The result, an error's words included, that the model is told.
    Result(ToolResult),
    /// The user stopped the answer instead of deciding.
    Stopped,
}

impl Builtin {
    const ALL: [Self; 4] = [Self::Clock, Self::ReadFile, Self::ListDirectory, Self::RunCommand];

    /// The name by which it is offered.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::ReadFile => "read_file",
            Self::ListDirectory => "list_directory",
            Self::RunCommand => "run_command",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// What the model is told about it.
    pub(crate) fn definition(self) -> FunctionTool {
        match self {
            Self::Clock => clock::definition(),
            Self::ReadFile => files::read_definition(),
            Self::ListDirectory => files::list_definition(),
            Self::RunCommand => command::definition(),
        }
    }

    /// What the user has to approve before this call runs; `None` when it only reads what it may read.
    pub(crate) fn question(self, input: &Json) -> Result<Option<String>, String> {
        match self {
            Self::Clock => Ok(None),
            Self::ReadFile | Self::ListDirectory => files::question(self.name(), input),
            Self::RunCommand => command::question(input).map(Some),
        }
    }

    /// Runs it.
    pub(crate) async fn run(self, input: &Json) -> Result<String, String> {
        match self {
            Self::Clock => Ok(clock::run()),
            Self::ReadFile => files::read(input),
            Self::ListDirectory => files::list(input),
            Self::RunCommand => command::run(input).await,
        }
    }
}

impl Tools {
    /// The tools by name: those that are offered, and those that need no approval.
    ///
    /// # Errors
    /// When a name is unknown; the message lists the known ones.
    pub(crate) fn new<'a>(
        offered: impl IntoIterator<Item = &'a String>,
        allowed: impl IntoIterator<Item = &'a String>,
        all_allowed: bool,
    ) -> Result<Self> {
        let (offered, allowed) = (named(offered)?, named(allowed)?);
        Ok(Self { offered, allowed, all_allowed, ..Self::default() })
    }

    /// Adds tools of MCP servers.
    pub(crate) fn add_foreign(&mut self, (tools, connections): (Toolbox, Vec<McpClient>)) {
        self.foreign = tools;
        self.connections = connections;
    }

    /// The definitions, for a request.
    pub(crate) fn definitions(&self) -> Vec<Tool> {
        let builtin = self.offered.iter().map(|tool| tool.definition().into());
        builtin.chain(self.foreign.definitions()).collect()
    }

    /// Asks if need be, runs the call, and says what came of it.
    pub(crate) async fn call(&mut self, call: &ToolCall, terminal: &mut Terminal) -> Outcome {
        let problem = match self.decide(call, terminal) {
            Decision::Run => {
                terminal.note(&format!("tool {} {}", call.name, call.input));
                let result = self.result(call, terminal).await;
                if result.is_error {
                    terminal.note(&format!("tool {}: {}", call.name, result.text()));
                }
                return Outcome::Result(result);
            }
            Decision::Deny(reason) => reason,
            Decision::Nobody(question) => {
                terminal
                    .alert(&format!("refused: {question}; there is no terminal to ask on, --yes allows it"));
                "refused: there is no terminal to ask the user on".to_owned()
            }
            Decision::Stop => return Outcome::Stopped,
        };
        terminal.note(&format!("tool {}: {problem}", call.name));
        let mut result = ToolResult::error(&call.id, &call.name, problem);
        result.kind = call.kind;
        Outcome::Result(result)
    }

    /// What comes of a call that may run.
    async fn result(&self, call: &ToolCall, terminal: &mut Terminal) -> ToolResult {
        let told = |progress: Progress| terminal.detail(&format!("tool {}: {}", call.name, progress.message));
        let Some(tool) = Builtin::named(&call.name) else { return self.foreign.call_with(call, told).await };
        match tool.run(&call.input).await {
            Ok(text) => ToolResult::new(&call.id, &call.name, text),
            Err(problem) => ToolResult::error(&call.id, &call.name, problem),
        }
    }

    /// Asks if need be whether a call may run.
    pub(crate) fn decide(&mut self, call: &ToolCall, terminal: &mut Terminal) -> Decision {
        let question = match self.question(call) {
            Err(problem) => return Decision::Deny(problem),
            Ok(None) => return Decision::Run,
            Ok(Some(question)) => question,
        };
        match approval::ask(&question, terminal) {
            Answer::Once => Decision::Run,
            Answer::Always => {
                match Builtin::named(&call.name) {
                    Some(tool) => self.allowed.insert(tool),
                    None => self.allowed_foreign.insert(call.name.clone()),
                };
                Decision::Run
            }
            Answer::No => Decision::Deny("the user refused this call".into()),
            Answer::Nobody => Decision::Nobody(question),
            Answer::Stop => Decision::Stop,
        }
    }

    /// What the user is asked about a call; `None` when it may run.
    fn question(&self, call: &ToolCall) -> Result<Option<String>, String> {
        let builtin = Builtin::named(&call.name).filter(|tool| self.offered.contains(tool));
        if let Some(tool) = builtin.filter(|_| call.kind == ToolKind::Function) {
            return Ok(tool.question(&call.input)?.filter(|_| !self.is_allowed(tool)));
        }
        if builtin.is_some() || self.foreign.get(&call.name).is_none() {
            return Err(format!("there is no tool `{}`", call.name));
        }
        if self.all_allowed || self.allowed_foreign.contains(&call.name) {
            return Ok(None);
        }
        let shown = hygiene::visible(call.input.as_str()).replace('\n', "\n  ");
        Ok(Some(format!("the MCP tool {} wants to run with:\n  {shown}", call.name)))
    }

    /// Whether the user would be asked about a call.
    pub(crate) fn asks(&self, call: &ToolCall) -> bool {
        matches!(self.question(call), Ok(Some(_)))
    }

    /// The tools as a run takes them, those of MCP servers among them as they come and go. Those that only read may run
    /// twice.
    pub(crate) fn toolbox(&self) -> Toolbox {
        let toolbox = self.foreign.clone();
        for tool in self.offered.iter().copied() {
            let run = move |call: ToolCall| async move { tool.run(&call.input).await };
            toolbox.insert(Handler::new(tool.definition(), run).idempotent(tool != Builtin::RunCommand));
        }
        toolbox
    }

    fn is_allowed(&self, tool: Builtin) -> bool {
        self.all_allowed || self.allowed.contains(&tool)
    }
}

/// The tools of some names.
///
/// # Errors
/// When a name is unknown; the message lists the known ones.
pub(crate) fn named<'a>(names: impl IntoIterator<Item = &'a String>) -> Result<BTreeSet<Builtin>> {
    let mut tools = BTreeSet::new();
    for name in names {
        if name == "all" {
            tools.extend(Builtin::ALL);
            continue;
        }
        let known = || Builtin::ALL.map(Builtin::name).join(", ");
        let tool = Builtin::named(name).ok_or_else(|| {
            Failure::usage(format!("unknown tool `{name}`, expected one of {}, all", known()))
        })?;
        tools.insert(tool);
    }
    Ok(tools)
}

/// Reads a call's arguments.
fn arguments<T: DeserializeOwned>(input: &Json) -> Result<T, String> {
    input.parse().map_err(|error| format!("the arguments are not what the tool takes: {error}"))
}

/// A tool whose schema is one of ours.
fn tool(name: &str, description: &str, schema: &str) -> FunctionTool {
    FunctionTool::new(name, description, Json::from_text(schema))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools(offered: &[&str]) -> Tools {
        let names: Vec<String> = offered.iter().map(ToString::to_string).collect();
        Tools::new(&names, [], false).unwrap()
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(tools(&["all"]).definitions().len(), 4);
        let failure = Tools::new(&["browser".to_owned()], [], false).unwrap_err();
        assert!(failure.message().contains("read_file"), "{}", failure.message());
    }

    #[test]
    fn every_schema_is_json_and_every_name_is_known() {
        for tool in Builtin::ALL {
            assert!(tool.definition().input.is_object(), "{tool:?}");
            assert_eq!(Builtin::named(&tool.definition().name), Some(tool));
        }
    }

    #[tokio::test]
    async fn a_tool_that_was_not_offered_does_not_run() {
        let mut terminal = Terminal::new(true, false);
        let call = ToolCall::new("1", "run_command", Json::from_text(r#"{"command":"true"}"#));
        let Outcome::Result(result) = tools(&["clock"]).call(&call, &mut terminal).await else {
            panic!("stopped")
        };
        assert!(result.is_error);
        assert_eq!(result.call, "1");
    }

    #[tokio::test]
    async fn what_is_allowed_runs_without_a_question() {
        let mut terminal = Terminal::new(true, false);
        let mut tools = Tools::new(&["run_command".to_owned()], [], true).unwrap();
        let call = ToolCall::new(
            "1",
            "run_command",
            Json::from_text(r#"{"command":"echo out; echo err >&2; exit 3"}"#),
        );
        let Outcome::Result(result) = tools.call(&call, &mut terminal).await else { panic!("stopped") };
        assert_eq!(result.text(), "exit code 3\n\nstandard output:\nout\n\nstandard error:\nerr\n");
        assert!(!result.is_error);
    }
}

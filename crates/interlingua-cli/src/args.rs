//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as Group, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use interlingua::Effort;
use interlingua::catalog::Money;

use crate::exit::{Failure, Result};

/// What stands below the options; lines are broken by hand, because the terminal's width is not asked for.
const AFTER: &str = "\
Examples:
  il \"Why is the sky blue?\"                  one question, one answer
  git diff | il \"Write a commit message.\"    standard input stands below the prompt
  il -m anthropic/claude-sonnet-5 -f plan.pdf \"What is missing?\"
  il                                         a chat, in a terminal

Without -m the model is that of the config file, of the first key found, of a server on this machine, or a small
model that runs in this program; standard error says which.

Exit codes:
  0 answered   2 usage   3 configuration   4 key refused   5 request refused   6 rate limit   7 network   8 provider
  9 cut answer   10 length   11 refusal   12 context   13 local model   14 file   15 unfinished   130 interrupted";

/// Talk to a language model.
#[derive(Debug, Parser)]
#[command(
    name = "il",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = AFTER
)]
pub(crate) struct Args {
    /// The prompt; standard input is added below it, and `-` takes that alone
    #[arg(value_name = "PROMPT")]
    pub(crate) words: Vec<String>,

    #[command(flatten)]
    pub(crate) ask: Ask,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What shapes an answer.
#[derive(Debug, Clone, Default, Group)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Ask {
    /// Model: provider/model, a provider, or an alias of the config file
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) model: Option<String>,

    /// Instructions to the model
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) system: Option<String>,

    /// Add a text, an image, a PDF, a sound, or its address; repeatable
    #[arg(short, long = "file", value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// How much to reason: none, minimal, low, medium, high, xhigh, max
    #[arg(long, value_name = "LEVEL")]
    pub(crate) effort: Option<Effort>,

    /// Answer in JSON that follows this JSON Schema
    #[arg(long, value_name = "FILE|JSON")]
    pub(crate) schema: Option<String>,

    /// At most this many tokens of answer
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_tokens: Option<u32>,

    /// Randomness: 0 is nearly none, most providers take 0 to 2
    #[arg(long, value_name = "NUMBER", value_parser = temperature)]
    pub(crate) temperature: Option<f64>,

    #[expect(
        clippy::doc_markdown,
        reason = "the doc comment is the help text, in which backticks would be printed"
    )]
    /// Offer a tool: clock, read_file, list_directory, run_command, all; repeatable
    #[arg(long = "tool", value_name = "NAME")]
    pub(crate) tools: Vec<String>,

    /// Offer the tools of MCP servers: a name in mcp.json of the config folder, or a file like it; repeatable
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) mcp: Vec<String>,

    /// Let tools run without asking first
    #[arg(long)]
    pub(crate) yes: bool,

    /// Print events as JSON lines
    #[arg(long)]
    pub(crate) json: bool,

    /// Print the frames as they come; with --json, as events among the others
    #[arg(long)]
    pub(crate) raw: bool,

    /// Fetch the answer at once
    #[arg(long)]
    pub(crate) no_stream: bool,

    /// Print the HTTP request, its key masked, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Fail before sending when something cannot be expressed
    #[arg(long)]
    pub(crate) strict: bool,

    /// Say more on standard error: timings, usage, request id
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// Print nothing but the answer and errors: no reasoning, no notes
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Ask this model when the one before it does not begin to answer; repeatable
    #[arg(long = "fallback", value_name = "MODEL")]
    pub(crate) fallbacks: Vec<String>,

    /// Spend at most this much, by the prices that are known
    #[arg(long, value_name = "DOLLARS")]
    pub(crate) budget: Option<Money>,

    /// Send to this address instead of the provider's own
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// Get the key from the output of this command
    #[arg(long, value_name = "COMMAND")]
    pub(crate) key_command: Option<String>,

    /// Play answers from this file, and record in it those that it lacks
    #[arg(long, value_name = "FILE")]
    pub(crate) cassette: Option<PathBuf>,
}

/// What the program does besides asking.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List models, or fetch one for use in the process
    #[command(args_conflicts_with_subcommands = true)]
    Models(Models),
    /// List providers, and where their keys come from
    Providers(Providers),
    /// Run the agent of a file to its end, or go on with a run that was stopped
    Run(Box<Run>),
    /// Serve tools to MCP clients, or list those of MCP servers
    Mcp {
        #[command(subcommand)]
        action: McpAction,
    },
    /// Check the set-up: config file, keys, local servers, local model
    Doctor,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: ShellName,
    },
}

/// `il run`
#[derive(Debug, Clone, Group)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Run {
    /// The agent: model, instructions, tools and limits in TOML
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// What to do, in place of the task of the file; standard input is added below it
    #[arg(value_name = "TASK")]
    pub(crate) words: Vec<String>,

    /// Go on with the saved run; a task is said to the model then
    #[arg(long, conflicts_with = "new")]
    pub(crate) resume: bool,

    /// Forget the saved run, and begin anew
    #[arg(long)]
    pub(crate) new: bool,

    /// Save the run here after each step, instead of beside the agent
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,

    /// Model, in place of that of the file
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) model: Option<String>,

    /// Spend at most this much in this run, in place of the limit of the file
    #[arg(long, value_name = "DOLLARS")]
    pub(crate) budget: Option<Money>,

    /// Play answers from this file, and record in it those that it lacks
    #[arg(long, value_name = "FILE")]
    pub(crate) cassette: Option<PathBuf>,

    /// Let tools run without asking first
    #[arg(long, conflicts_with = "deny")]
    pub(crate) yes: bool,

    /// Refuse the calls that would be asked about, for this reason
    #[arg(long, value_name = "REASON")]
    pub(crate) deny: Option<String>,

    /// Print steps as JSON lines
    #[arg(long)]
    pub(crate) json: bool,

    /// Say more on standard error: timings, usage, request id
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// Print nothing but the answer and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// `il models`
#[derive(Debug, Group)]
pub(crate) struct Models {
    #[command(subcommand)]
    pub(crate) action: Option<ModelsAction>,

    /// Only this provider; without it, every provider that has a key, and the local ones
    #[arg(value_name = "PROVIDER")]
    pub(crate) provider: Option<String>,

    /// Only models whose name has the letters of each word in order, the likeliest first
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,

    /// Only models that can do this, such as tools,images,reasoning,schema
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    pub(crate) can: Vec<String>,

    /// Only models that take prompts of so many tokens
    #[arg(long, value_name = "TOKENS")]
    pub(crate) context: Option<u64>,

    /// The models that are known for any provider; nobody is asked
    #[arg(long)]
    pub(crate) known: bool,

    /// Ask providers anew, although a list of theirs is less than a day old
    #[arg(long, conflicts_with = "known")]
    pub(crate) refresh: bool,

    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `il models` does besides listing.
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsAction {
    /// Fetch a model for use in the process
    Pull {
        /// A file of the model hub: owner/repository/file.gguf; without it, the default model
        name: Option<String>,
    },
    /// Fetch the newest limits and prices
    Update {
        /// A file or an address; without it, that of litellm
        source: Option<String>,
    },
}

/// What `il mcp` does.
#[derive(Debug, Subcommand)]
pub(crate) enum McpAction {
    /// Serve tools on standard input and output: `ask_model`, and those that are named
    Serve(McpServe),
    /// List MCP servers with their tools
    List(McpList),
}

/// `il mcp serve`
#[derive(Debug, Group)]
pub(crate) struct McpServe {
    #[expect(
        clippy::doc_markdown,
        reason = "the doc comment is the help text, in which backticks would be printed"
    )]
    /// Serve a tool, which then runs without asking: clock, read_file, list_directory, run_command, all; repeatable
    #[arg(long = "tool", value_name = "NAME")]
    pub(crate) tools: Vec<String>,

    /// The model to ask: provider/model, a provider, or an alias of the config file
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
}

/// `il mcp list`
#[derive(Debug, Group)]
pub(crate) struct McpList {
    /// Only this server of mcp.json in the config folder, or those of a file like it
    #[arg(value_name = "NAME|FILE")]
    pub(crate) from: Option<String>,

    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,

    /// Say what the servers write beside the protocol
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// `il providers`
#[derive(Debug, Group)]
pub(crate) struct Providers {
    /// Only providers whose key was found
    #[arg(long)]
    pub(crate) with_key: bool,

    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// The shells for which there is a completion script.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ShellName {
    /// GNU Bash
    Bash,
    /// Elvish
    Elvish,
    /// fish
    Fish,
    /// `PowerShell`
    #[value(name = "powershell")]
    PowerShell,
    /// Z shell
    Zsh,
}

impl Args {
    /// Reads the command line.
    ///
    /// # Errors
    /// What clap says, help and version included.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(arguments)
    }

    /// How much is told on standard error, quiet and verbose, and whether standard output is JSON.
    pub(crate) fn manner(&self) -> (bool, bool, bool) {
        match &self.command {
            Some(Command::Run(run)) => (run.quiet, run.verbose, run.json),
            _ => (self.ask.quiet, self.ask.verbose, self.ask.json),
        }
    }

    /// Refuses a lone prompt such as `models` after an option, which is surely meant as the command.
    ///
    /// # Errors
    /// A usage error that says how to write either meaning.
    pub(crate) fn check_meaning(&self, arguments: &[OsString]) -> Result<()> {
        let [word] = self.words.as_slice() else { return Ok(()) };
        let meant = Self::command().find_subcommand(word).is_some();
        if !meant || arguments.iter().any(|argument| argument == "--") {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "`{word}` is a command: write `il {word} …` with options after it, or `-- {word}` to send it as a prompt"
        )))
    }
}

impl From<ShellName> for Shell {
    fn from(shell: ShellName) -> Self {
        match shell {
            ShellName::Bash => Self::Bash,
            ShellName::Elvish => Self::Elvish,
            ShellName::Fish => Self::Fish,
            ShellName::PowerShell => Self::PowerShell,
            ShellName::Zsh => Self::Zsh,
        }
    }
}

fn temperature(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("expected a number of 0 or more".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Args {
        Args::read(line.split(' ').map(OsString::from)).unwrap()
    }

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn words_are_a_prompt_unless_the_first_is_a_command() {
        assert_eq!(read("il tell me -m a/b about models").words, ["tell", "me", "about", "models"]);
        assert!(matches!(read("il models openai").command, Some(Command::Models(_))));
        assert!(read("il -- models").command.is_none());
        let pull = read("il models pull").command;
        let Some(Command::Models(Models { action: Some(ModelsAction::Pull { name: None }), .. })) = pull
        else {
            panic!("not a pull")
        };
    }

    #[test]
    fn a_command_after_an_option_is_not_sent_as_a_prompt() {
        for (line, accepted) in [
            ("il -v doctor", false),
            ("il -v -- doctor", true),
            ("il -v doctor who", true),
            ("il -v hi", true),
        ] {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let meaning = Args::read(arguments.clone()).unwrap().check_meaning(&arguments);
            assert_eq!(meaning.is_ok(), accepted, "{line}");
        }
    }
}

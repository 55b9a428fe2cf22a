//! The file of an agent.

use std::path::Path;
use std::time::Duration;

use interlingua::catalog::Money;
use interlingua::{Approvals, Client, Compaction, Effort, RunLimits, Runner};
use serde::Deserialize;

use crate::args::{Ask, Run};
use crate::exit::{Failure, Result};

/// What the file may hold; only the tools and the limits need thought.
///
/// ```toml
/// model = "anthropic/claude-sonnet-5"   # or an alias of the config file; without it, as for a question
/// system = "You tidy folders. Delete nothing."
/// task = "Sort the files of this folder by year."
/// effort = "low"
/// max_tokens = 4000                     # of each answer
/// temperature = 0.2
/// tools = ["list_directory", "read_file", "run_command"]
/// allow = ["list_directory"]            # run without asking
/// mcp = ["servers.json"]                # or names of mcp.json in the config folder
/// fallback = ["openai/gpt-6-sol"]       # asked when the model does not begin to answer
///
/// [limits]
/// turns = 30                            # 16 without it
/// tokens = 200000
/// cost = "0.50"                         # dollars
/// seconds = 600
///
/// [compaction]                          # makes a long history shorter
/// above_tokens = 100000                 # or above_messages
/// keep = 20                             # newest messages that stay
/// summary = true                        # the model writes what the others said
/// ```
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Agent {
    model: Option<String>,
    system: Option<String>,
    pub(super) task: Option<String>,
    #[serde(deserialize_with = "crate::config::effort")]
    effort: Option<Effort>,
    max_tokens: Option<u32>,
    temperature: Option<f64>,
    tools: Vec<String>,
    pub(super) allow: Vec<String>,
    mcp: Vec<String>,
    fallback: Vec<String>,
    limits: Limits,
    compaction: Option<Shorter>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Limits {
    turns: Option<u32>,
    tokens: Option<u64>,
    cost: Option<String>,
    seconds: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Shorter {
    above_tokens: Option<u64>,
    above_messages: Option<usize>,
    keep: Option<usize>,
    summary: bool,
}

impl Agent {
    /// Reads the file of an agent.
    ///
    /// # Errors
    /// When it cannot be read or is none; the message names the line.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).map_err(|error| Failure::file("read the agent", path, &error))?;
        let agent = Self::parse(&text, path)?;
        agent.limits(None)?;
        Ok(agent)
    }

    fn parse(text: &str, path: &Path) -> Result<Self> {
        let agent: Self = crate::config::from_toml(text, path)?;
        let wrong = |what: &str| Err(Failure::configuration(format!("{}: {what}", path.display())));
        match &agent.compaction {
            Some(Shorter { above_tokens: None, above_messages: None, .. }) => {
                wrong("`compaction` needs `above_tokens` or `above_messages`")
            }
            Some(Shorter { above_tokens: Some(_), above_messages: Some(_), .. }) => {
                wrong("`compaction` takes `above_tokens` or `above_messages`, not both")
            }
            _ => Ok(agent),
        }
    }

    /// What the command line of a question would say.
    pub(super) fn ask(&self, command: &Run) -> Ask {
        Ask {
            model: command.model.clone().or_else(|| self.model.clone()),
            system: self.system.clone(),
            effort: self.effort,
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            tools: self.tools.clone(),
            fallbacks: self.fallback.clone(),
            mcp: self.mcp.clone(),
            cassette: command.cassette.clone(),
            yes: command.yes,
            json: command.json,
            verbose: command.verbose,
            quiet: command.quiet,
            ..Ask::default()
        }
    }

    /// How far a run may go.
    ///
    /// # Errors
    /// When the cost is no amount of dollars.
    pub(super) fn limits(&self, budget: Option<Money>) -> Result<RunLimits> {
        let mut limits = RunLimits::default();
        if let Some(turns) = self.limits.turns {
            limits = limits.turns(turns);
        }
        if let Some(tokens) = self.limits.tokens {
            limits = limits.tokens(tokens);
        }
        if let Some(seconds) = self.limits.seconds {
            limits = limits.time(Duration::from_secs(seconds));
        }
        let own = self.limits.cost.as_deref().map(|cost| {
            cost.parse::<Money>().map_err(|error| Failure::configuration(format!("limits.cost: {error}")))
        });
        if let Some(cost) = budget.map(Ok).or(own).transpose()? {
            limits = limits.cost(cost);
        }
        Ok(limits)
    }

    /// What drives the run.
    pub(super) fn runner(&self, client: &Client) -> Runner {
        let runner = Runner::new(client).approvals(Approvals::Ask);
        let Some(shorter) = &self.compaction else { return runner };
        let mut compaction = match (shorter.above_tokens, shorter.above_messages) {
            (Some(tokens), _) => Compaction::above_tokens(tokens),
            (None, messages) => Compaction::above_messages(messages.unwrap_or(usize::MAX)),
        };
        if let Some(keep) = shorter.keep {
            compaction = compaction.keep(keep);
        }
        runner.compaction(if shorter.summary { compaction.summary(None) } else { compaction })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_is_an_agent() {
        let example = crate::config::documented(include_str!("file.rs"));
        let agent = Agent::parse(&example, Path::new("agent.toml")).unwrap();
        let limits = agent.limits(None).unwrap();
        assert_eq!((limits.turns, limits.tokens), (30, Some(200_000)));
        assert_eq!(limits.cost.unwrap().to_string(), "0.5");
        assert_eq!(agent.limits(Some("2".parse().unwrap())).unwrap().cost.unwrap().to_string(), "2");
    }

    #[test]
    fn the_example_of_the_manual_is_an_agent() {
        let manual = include_str!("../../../../docs/il.md");
        let (_, agents) = manual.split_once("## Agents").unwrap();
        let agent = Agent::parse(&crate::config::documented(agents), Path::new("agent.toml")).unwrap();
        assert_eq!((agent.mcp.len(), agent.limits(None).unwrap().turns), (1, 30));
        assert!(agent.compaction.is_some_and(|shorter| shorter.summary));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, expected) in [
            ("modle = 'x'", "line 1: unknown field `modle`"),
            ("[limits]\nturn = 3", "line 2: unknown field `turn`"),
            ("[compaction]\nkeep = 3", "needs `above_tokens`"),
            ("[compaction]\nabove_tokens = 1\nabove_messages = 1", "not both"),
        ] {
            let failure = Agent::parse(text, Path::new("agent.toml")).unwrap_err();
            assert!(failure.message().contains(expected), "{text}: {}", failure.message());
        }
        let agent = Agent::parse("[limits]\ncost = '1 dollar'", Path::new("agent.toml")).unwrap();
        assert!(agent.limits(None).unwrap_err().message().contains("is not an amount of dollars"));
    }
}

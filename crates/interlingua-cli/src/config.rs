//! The config file.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use interlingua::Effort;
use interlingua::wire::Provider;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::exit::{Failure, Result};
use crate::folders;

/// What `config.toml` may hold; everything is optional.
///
/// ```toml
/// model = "fast"                      # used when -m is absent: provider/model or an alias
/// system = "Answer briefly."
/// effort = "low"
/// max_tokens = 4000
/// temperature = 0.7
/// tools = ["clock", "read_file"]      # offered in every conversation
/// allow = ["run_command"]             # run without asking
///
/// [aliases]
/// fast = "groq/llama-3.3-70b-versatile"
///
/// [key_commands]                      # the first line of the output is the key
/// openai = "pass show openai"
///
/// [base_urls]
/// ollama = "http://attic:11434"
///
/// [[provider]]                        # a provider of your own, or a built-in one replaced
/// id = "attic"
/// auth = "none"
/// endpoints = [{ protocol = "openai_chat", base_url = "http://attic:8000/v1" }]
/// ```
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The model to use without `-m`.
    pub(crate) model: Option<String>,
    /// Instructions to use without `-s`.
    pub(crate) system: Option<String>,
    /// How much to reason without `--effort`.
    #[serde(deserialize_with = "effort")]
    pub(crate) effort: Option<Effort>,
    /// Most tokens of answer without `--max-tokens`.
    pub(crate) max_tokens: Option<u32>,
    /// Temperature without `--temperature`.
    pub(crate) temperature: Option<f64>,
    /// Tools that are always offered.
    pub(crate) tools: Vec<String>,
    /// Tools that run without asking.
    pub(crate) allow: Vec<String>,
    /// Short words for `provider/model`.
    pub(crate) aliases: BTreeMap<String, String>,
    /// Commands that print a provider's key.
    pub(crate) key_commands: BTreeMap<String, String>,
    /// Other addresses for providers.
    pub(crate) base_urls: BTreeMap<String, String>,
    /// Providers of the user's own.
    #[serde(rename = "provider")]
    pub(crate) providers: Vec<Provider>,
}

/// A config file as it was found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// Whether it is there.
    pub(crate) exists: bool,
    /// What it says.
    pub(crate) config: Config,
}

impl Found {
    /// Reads the user's config file; one that is not there says nothing.
    ///
    /// # Errors
    /// When it cannot be read or is not a config file; the message names the line.
    pub(crate) fn read() -> Result<Self> {
        let path = folders::config_file();
        let Some(text) = path.as_deref().map(read).transpose()?.flatten() else {
            return Ok(Self::default());
        };
        let config = parse(&text, path.as_deref().unwrap_or_else(|| Path::new("config.toml")))?;
        Ok(Self { exists: true, config })
    }
}

impl Config {
    /// The model that a word stands for: an alias is looked up, everything else stands for itself.
    pub(crate) fn model_named<'a>(&'a self, word: &'a str) -> &'a str {
        self.aliases.get(word).map_or(word, String::as_str)
    }
}

fn read(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let failure = Failure::file("read the config file", path, &error);
            Err(Failure::configuration(failure.message()))
        }
    }
}

fn parse(text: &str, path: &Path) -> Result<Config> {
    let config: Config = from_toml(text, path)?;
    for provider in &config.providers {
        provider.check().map_err(|error| Failure::configuration(format!("{}: {error}", path.display())))?;
    }
    Ok(config)
}

/// Reads a TOML file.
///
/// # Errors
/// When it is not what it should be; the message names the line.
pub(crate) fn from_toml<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .map_or(1, |span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
        Failure::configuration(format!("{}, line {line}: {}", path.display(), error.message()))
    })
}

/// Reads an effort by its word.
pub(crate) fn effort<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Effort>, D::Error> {
    let word = String::deserialize(deserializer)?;
    word.parse().map(Some).map_err(serde::de::Error::custom)
}

/// The first TOML example in the doc comments of a source.
#[cfg(test)]
pub(crate) fn documented(source: &str) -> String {
    let example = source.lines().skip_while(|line| !line.contains("```toml")).skip(1);
    let lines = example.take_while(|line| !line.contains("```"));
    let plain = lines.map(|line| line.trim_start_matches("/// ").trim_start_matches("///"));
    plain.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str) -> Result<Config> {
        parse(text, Path::new("config.toml"))
    }

    #[test]
    fn the_documented_example_is_a_config() {
        let config = parse_text(&documented(include_str!("config.rs"))).unwrap();
        assert_eq!(config.model_named("fast"), "groq/llama-3.3-70b-versatile");
        assert_eq!(config.model_named("a/b"), "a/b");
        assert_eq!(config.effort, Some(Effort::Low));
        assert_eq!(config.providers[0].id, "attic");
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, expected) in [
            ("modle = 'x'", "line 1: unknown field `modle`"),
            ("model = 'x'\neffort = 'huge'", "unknown effort `huge`"),
            ("model = 'x'\n\nsystem = [", "line 3"),
            ("[[provider]]\nname = 'x'", "missing field"),
        ] {
            let failure = parse_text(text).unwrap_err();
            assert_eq!(failure.exit(), crate::exit::Exit::Configuration);
            assert!(failure.message().contains(expected), "{text}: {}", failure.message());
        }
    }
}

use std::fmt;
use std::process::{Command, Stdio};

use interlingua_model::{Error, ErrorKind};
use interlingua_wire::Provider;
use tokio::sync::OnceCell;

use crate::{BoxFuture, Lookup, Secret};

/// Whether the key of a provider is known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyStatus {
    /// There is one.
    Present {
        /// Where it came from: `env OPENAI_API_KEY`, `key command`, `explicit`.
        from: String,
    },
    /// There is none, and a call is bound to fail.
    Missing {
        /// The environment variables that may hold it.
        expected: Vec<String>,
    },
    /// There is none, and none is needed.
    NotNeeded,
}

/// How the program gave the key of a provider.
#[derive(Debug)]
pub(crate) enum Given {
    Explicit(Secret),
    Command(Box<dyn KeySource>),
}

/// What gives a key when a call needs it. It is known by this trait alone, so that a program without such a thing carries
/// nothing of it.
pub(crate) trait KeySource: Send + Sync + fmt::Debug {
    /// The key of a provider.
    fn key<'a>(&'a self, provider: &'a str) -> BoxFuture<'a, Result<Secret, Error>>;
}

/// A command that prints a key. It runs at most once with success.
#[derive(Debug)]
pub(crate) struct KeyCommand {
    command: String,
    key: OnceCell<Secret>,
}

/// A key and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) secret: Secret,
    pub(crate) source: Source,
}

/// Where a key came from, which decides where it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Given with this call.
    Call,
    /// Given to the client, for this provider.
    Explicit,
    /// Printed by the provider's key command.
    Command,
    /// The environment variable of this name.
    Variable(String),
    /// Credentials of a cloud, which the environment, the user's files or the machine give.
    Cloud(&'static str),
}

impl Source {
    /// The environment variable, which may decide how the key is sent.
    pub(crate) fn variable(&self) -> Option<&str> {
        match self {
            Self::Variable(name) => Some(name),
            Self::Call | Self::Explicit | Self::Command | Self::Cloud(_) => None,
        }
    }

    /// The source, for people.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Call => "this call's options".into(),
            Self::Explicit => "explicit".into(),
            Self::Command => "key command".into(),
            Self::Variable(name) => format!("env {name}"),
            Self::Cloud(cloud) => format!("{cloud} credentials"),
        }
    }
}

impl KeyCommand {
    pub(crate) fn new(command: String) -> Self {
        Self { command, key: OnceCell::new() }
    }
}

impl KeySource for KeyCommand {
    fn key<'a>(&'a self, provider: &'a str) -> BoxFuture<'a, Result<Secret, Error>> {
        let run = move || async move {
            let command = self.command.clone();
            let output = tokio::task::spawn_blocking(move || printed(&command)).await;
            let output = output.map_err(|_| failed(provider, "did not end"))?;
            output.map_err(|what| failed(provider, &what))
        };
        Box::pin(async move { self.key.get_or_try_init(run).await.cloned() })
    }
}

/// What a command prints that the shell runs. It is never part of the error.
pub(crate) fn printed(command: &str) -> Result<Secret, String> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let ran = Command::new(shell).args([flag, command]).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let ran = ran.map_err(|error| format!("cannot be started: {error}"))?;
    if !ran.status.success() {
        return Err(format!("failed ({}): run it by hand to see why", ran.status));
    }
    let text = zeroize::Zeroizing::new(ran.stdout);
    let text = std::str::from_utf8(&text).map_err(|_| "printed something that is no text".to_owned())?;
    Ok(Secret::new(text.trim()))
}

fn failed(provider: &str, what: &str) -> Error {
    Error::new(ErrorKind::Authentication, format!("the key command of `{provider}` {what}"))
}

/// The variable of the environment that holds a provider's key, and the key.
pub(crate) fn in_environment(provider: &Provider, lookup: &Lookup) -> Option<(String, Secret)> {
    provider.key_vars().find_map(|name| {
        let key = lookup(name).filter(|key| !key.trim().is_empty())?;
        Some((name.to_owned(), Secret::new(key)))
    })
}

/// The error of a call that lacks its key.
pub(crate) fn missing(provider: &Provider) -> Error {
    let names: Vec<_> = provider.key_vars().collect();
    let advice = if names.is_empty() {
        "give one to the client".to_owned()
    } else {
        format!("set {}", names.join(" or "))
    };
    let message = format!("there is no key for `{}`: {advice}", provider.id);
    Error::new(ErrorKind::Authentication, message)
}

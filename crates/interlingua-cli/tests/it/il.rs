//! Runs the real program, in an environment of its own.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::server::Server;

/// One run of `il` in preparation.
pub(crate) struct Il {
    home: TempDir,
    arguments: Vec<OsString>,
    variables: Vec<(String, String)>,
    stdin: Vec<u8>,
}

/// What a run did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Il {
    /// A run with these arguments, without config file, keys and local servers.
    pub(crate) fn new<A: Into<OsString>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            variables: Vec::new(),
            stdin: Vec::new(),
        }
    }

    /// The same, asking the model `test/model` of a server, in its protocol.
    pub(crate) fn asking<A: Into<OsString>>(server: &Server, arguments: impl IntoIterator<Item = A>) -> Self {
        let mut il = Self::new(["-m", "test/model"]);
        il.arguments.extend(arguments.into_iter().map(Into::into));
        il.config(&server.provider_row("test")).variable("TEST_KEY", KEY)
    }

    /// The same with other arguments.
    pub(crate) fn replace<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments = arguments.into_iter().map(Into::into).collect();
        self
    }

    /// Puts text before what the config file holds.
    pub(crate) fn config(self, text: &str) -> Self {
        let path = self.home.path().join("config/interlingua/config.toml");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let old = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(&path, format!("{text}\n{old}")).unwrap();
        self
    }

    /// Writes the user's file of MCP servers.
    pub(crate) fn servers(self, text: &str) -> Self {
        std::fs::write(self.home.path().join("config/interlingua/mcp.json"), text).unwrap();
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    pub(crate) fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = bytes.as_ref().to_vec();
        self
    }

    /// Puts a file into the working directory.
    pub(crate) fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.home.path().join(name), bytes).unwrap();
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Runs to the end.
    pub(crate) fn run(&self) -> Ran {
        let output = self.start().wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Starts, feeds standard input, and leaves the rest to the test.
    pub(crate) fn start(&self) -> Child {
        let home = |folder: &str| self.home.path().join(folder);
        let mut child = Command::new(program())
            .args(&self.arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", home("config"))
            .env("XDG_STATE_HOME", home("state"))
            .env("XDG_CACHE_HOME", home("cache"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that ends before it reads its input closes the pipe, which is its right.
        let _ = child.stdin.take().unwrap().write_all(&self.stdin);
        child
    }
}

/// The key that no output may show.
pub(crate) const KEY: &str = "sk-test-1234567890abcdefghij";

impl Ran {
    /// Checks the exit code, and that no key was shown.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        assert!(!self.out.contains(KEY) && !self.err.contains(KEY), "the key is shown: {self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn said(self, words: &str) -> Self {
        assert!(self.err.contains(words), "standard error lacks {words:?}: {self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn printed(self, text: &str) -> Self {
        assert_eq!(self.out, text, "{self:#?}");
        self
    }
}

pub(crate) fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_il").into()
}

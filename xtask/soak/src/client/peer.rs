//! The server, in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::server::Counts;

/// A server that runs until it is finished or dropped.
#[derive(Debug)]
pub(super) struct Peer {
    child: Child,
    says: BufReader<ChildStdout>,
    address: String,
}

impl Peer {
    /// Starts this program once more, as the server.
    pub(super) fn start(seed: u64) -> Result<Self, String> {
        let cannot = |error: std::io::Error| format!("the server cannot be started: {error}");
        let mut command = Command::new(std::env::current_exe().map_err(cannot)?);
        command.args(["serve", &seed.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(cannot)?;
        let says = child.stdout.take().ok_or("the server says nothing")?;
        let mut peer = Self { child, says: BufReader::new(says), address: String::new() };
        peer.address = peer.line()?;
        Ok(peer)
    }

    /// Where it listens.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it and takes what it has counted.
    pub(super) fn finish(mut self) -> Result<Counts, String> {
        drop(self.child.stdin.take());
        let line = self.line()?;
        Counts::from_line(&line).ok_or_else(|| format!("the server counts nothing: {line}"))
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.says.read_line(&mut line).map_err(|error| format!("the server is gone: {error}"))?;
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

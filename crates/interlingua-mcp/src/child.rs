//! A server that is a program: started with a small environment, heard, and ended for sure.

use std::collections::VecDeque;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::server::{Command, Rules};
use crate::text;

/// The variables that every program sees.
const PASSED_ON: [&str; 22] = [
    "APPDATA",
    "COMSPEC",
    "HOME",
    "HOMEDRIVE",
    "HOMEPATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOCALAPPDATA",
    "LOGNAME",
    "PATH",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "SHELL",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USERPROFILE",
];
/// How long a program may take to end after its standard input is closed.
const GRACE: Duration = Duration::from_secs(2);
/// Most bytes of a line of standard error; what is longer comes in pieces.
const LONGEST_LINE: u64 = 4 << 10;
/// How many lines are remembered, to say why a program ended.
const REMEMBERED: usize = 3;

/// The standard streams of a program, and the program.
pub(crate) struct ChildTransport {
    pipes: AsyncRwTransport<RoleClient, ChildStdout, ChildStdin>,
    child: Child,
}

/// The last lines that a program wrote to its standard error.
#[derive(Default)]
pub(crate) struct LastWords {
    lines: Lines,
    hearing: Option<JoinHandle<()>>,
}

type Lines = Arc<Mutex<VecDeque<String>>>;

impl ChildTransport {
    /// Starts the program.
    pub(crate) fn start(command: &Command, rules: &Rules) -> io::Result<(Self, LastWords)> {
        let mut child = prepare(command).spawn()?;
        let missing = || io::Error::other("the standard streams are missing");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        let mut words = LastWords::default();
        if let Some(errors) = child.stderr.take() {
            let lines = Arc::clone(&words.lines);
            words.hearing = Some(tokio::spawn(hear(errors, lines, rules.clone(), secrets(command))));
        }
        Ok((Self { pipes: AsyncRwTransport::new(output, input), child }, words))
    }
}

impl Transport<RoleClient> for ChildTransport {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        self.pipes.send(message)
    }

    fn receive(&mut self) -> impl Future<Output = Option<RxJsonRpcMessage<RoleClient>>> + Send {
        self.pipes.receive()
    }

    /// Closes the program's standard input, waits for its end, and kills it when it does not end.
    async fn close(&mut self) -> io::Result<()> {
        let closed = self.pipes.close().await;
        if timeout(GRACE, self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        closed
    }
}

impl LastWords {
    /// What can be added to an error of a program that has ended; empty when nothing was written.
    pub(crate) async fn told(self) -> String {
        if let Some(hearing) = self.hearing {
            // Somebody else may hold its standard error open.
            let _ = timeout(Duration::from_millis(500), hearing).await;
        }
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            return String::new();
        }
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        format!("; it wrote: {}", lines.join(" / "))
    }
}

fn prepare(command: &Command) -> tokio::process::Command {
    let mut process = tokio::process::Command::new(&command.program);
    process.args(&command.args).env_clear();
    for name in PASSED_ON {
        if let Some(value) = std::env::var_os(name) {
            process.env(name, value);
        }
    }
    for (name, value) in &command.env {
        process.env(name, value.expose());
    }
    if let Some(folder) = &command.cwd {
        process.current_dir(folder);
    }
    process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // Ctrl+C on the terminal is meant for this program, which ends its servers itself.
    #[cfg(unix)]
    process.process_group(0);
    process
}

/// Values that do not belong into an error, since they were handed over as variables.
fn secrets(command: &Command) -> Vec<String> {
    let values = command.env.values().map(|value| value.expose().to_owned());
    values.filter(|value| value.len() >= 6).collect()
}

/// Reads standard error to its end, so that the program never waits for a reader.
async fn hear(errors: impl AsyncRead + Unpin, lines: Lines, rules: Rules, secrets: Vec<String>) {
    let mut errors = BufReader::new(errors);
    let mut bytes = Vec::new();
    while let Ok(read) = (&mut errors).take(LONGEST_LINE).read_until(b'\n', &mut bytes).await {
        if read == 0 {
            return;
        }
        let mut line = text::line(String::from_utf8_lossy(&bytes).trim_end(), text::MESSAGE);
        for secret in &secrets {
            line = line.replace(secret, "[secret]");
        }
        bytes.clear();
        if !line.is_empty() {
            rules.log(&line);
            remember(&lines, line);
        }
    }
}

fn remember(lines: &Lines, line: String) {
    let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.len() == REMEMBERED {
        lines.pop_front();
    }
    lines.push_back(line);
}

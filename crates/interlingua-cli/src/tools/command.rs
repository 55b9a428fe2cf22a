//! Commands of the shell.

use std::process::{Output, Stdio};
use std::time::Duration;

use interlingua::{FunctionTool, Json};
use serde::Deserialize;
use tokio::process::Command;

use crate::hygiene;

/// How long a command may run.
const LONGEST: Duration = Duration::from_secs(120);
/// Most bytes of each output stream that a model is given.
const MOST_BYTES: usize = 64 << 10;

#[derive(Debug, Deserialize)]
struct Arguments {
    command: String,
}

/// What the model is told about the tool.
pub(super) fn definition() -> FunctionTool {
    let schema = r#"{"type":"object","properties":{"command":{"type":"string","description":"The command line"}},"required":["command"],"additionalProperties":false}"#;
    let shell = if cfg!(windows) { "cmd" } else { "sh" };
    let description = format!(
        "Runs a command line with {shell} in the working directory, after the user has approved it, and returns its exit code and output"
    );
    super::tool("run_command", &description, schema)
}

/// Shows exactly what would run.
pub(super) fn question(input: &Json) -> Result<String, String> {
    let Arguments { command } = super::arguments(input)?;
    Ok(format!("run_command wants to run:\n  {}", hygiene::visible(&command).replace('\n', "\n  ")))
}

/// Runs it, without standard input.
pub(super) async fn run(input: &Json) -> Result<String, String> {
    let Arguments { command } = super::arguments(input)?;
    let running = shell(&command).stdin(Stdio::null()).kill_on_drop(true).output();
    match tokio::time::timeout(LONGEST, running).await {
        Ok(Ok(output)) => Ok(told(&output)),
        Ok(Err(error)) => Err(format!("the command could not be started: {error}")),
        Err(_) => Err(format!("the command was stopped after {} seconds", LONGEST.as_secs())),
    }
}

fn shell(line: &str) -> Command {
    let (program, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut command = Command::new(program);
    command.arg(flag).arg(line);
    command
}

fn told(output: &Output) -> String {
    let status = output
        .status
        .code()
        .map_or_else(|| format!("ended by {}", output.status), |code| format!("exit code {code}"));
    let streams = [("standard output", &output.stdout), ("standard error", &output.stderr)];
    let streams = streams.into_iter().filter(|(_, bytes)| !bytes.is_empty());
    streams.fold(status, |text, (name, bytes)| {
        format!("{}\n\n{name}:\n{}", text.trim_end_matches('\n'), cut(bytes))
    })
}

/// The beginning and the end, where what matters usually is.
fn cut(bytes: &[u8]) -> String {
    let half = MOST_BYTES / 2;
    match (bytes.get(..half), bytes.len().checked_sub(half).and_then(|from| bytes.get(from..))) {
        (Some(head), Some(tail)) if bytes.len() > MOST_BYTES => {
            let left_out = bytes.len() - MOST_BYTES;
            let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
            format!("{head}\n[cut: {left_out} bytes]\n{tail}")
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_hides_nothing() {
        let input = Json::from_text(r#"{"command":"ls\u001b[2K\rrm -r x\nsecond"}"#);
        assert_eq!(
            question(&input).unwrap(),
            "run_command wants to run:\n  ls\\u{1b}[2K\\u{d}rm -r x\n  second"
        );
        assert!(question(&Json::from_text("not json")).unwrap_err().contains("arguments"));
    }

    #[test]
    fn long_output_keeps_both_ends() {
        let text = cut(&[vec![b'a'; MOST_BYTES], vec![b'b'; 10]].concat());
        assert!(text.starts_with('a') && text.ends_with('b') && text.contains("[cut: 10 bytes]"));
        assert_eq!(cut(b"short"), "short");
    }
}

//! The question before a tool does something that cannot be taken back.

use std::fs::File;

use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Behavior, Editor};

use crate::terminal::Terminal;

/// What the user decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// This call.
    Once,
    /// This call and all later ones of the tool, until the program ends.
    Always,
    /// Not this call.
    No,
    /// There is no terminal to ask on.
    Nobody,
    /// Ctrl+C or Ctrl+D: stop the whole answer.
    Stop,
}

/// Asks on the terminal, also when standard input is a pipe.
pub(super) fn ask(question: &str, terminal: &mut Terminal) -> Answer {
    if !terminal.has_terminal() || !terminal_is_readable() {
        return Answer::Nobody;
    }
    terminal.prompt(&format!("{question}\n"));
    loop {
        match line("Allow? [y]es, [N]o, [a]lways this tool: ") {
            Ok(text) => {
                if let Some(answer) = understood(&text) {
                    return answer;
                }
            }
            Err(ReadlineError::Interrupted | ReadlineError::Eof) => return Answer::Stop,
            Err(_) => return Answer::Nobody,
        }
    }
}

/// The terminal itself rather than standard input, which may be a pipe that holds the prompt.
fn line(prompt: &str) -> Result<String, ReadlineError> {
    let config = rustyline::Config::builder().behavior(Behavior::PreferTerm).build();
    Editor::<(), MemHistory>::with_history(config, MemHistory::new())?.readline(prompt)
}

fn understood(text: &str) -> Option<Answer> {
    match text.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(Answer::Once),
        "a" | "always" => Some(Answer::Always),
        "" | "n" | "no" => Some(Answer::No),
        _ => None,
    }
}

fn terminal_is_readable() -> bool {
    let device = if cfg!(windows) { "CONIN$" } else { "/dev/tty" };
    File::open(device).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        for (text, expected) in [
            ("y", Some(Answer::Once)),
            (" YES ", Some(Answer::Once)),
            ("", Some(Answer::No)),
            ("n", Some(Answer::No)),
            ("a", Some(Answer::Always)),
            ("yea", None),
            ("sure", None),
        ] {
            assert_eq!(understood(text), expected, "{text:?}");
        }
    }
}

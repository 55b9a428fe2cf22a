//! Line editing: history, completion of commands, input of several lines.

use std::io;
use std::path::{Path, PathBuf};

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Cmd, Config, Context, EventHandler, Helper, KeyCode, KeyEvent, Modifiers};

use crate::chat::command;
use crate::exit::{Exit, Failure, Result};
use crate::folders;

/// Most lines of history that are kept.
const HISTORY: usize = 10_000;
/// The mark that opens and closes a text of several lines.
const BLOCK: &str = "\"\"\"";

/// What the user typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A message or a command.
    Text(String),
    /// Ctrl+C.
    Interrupted,
    /// Ctrl+D, or the end of the input.
    End,
}

/// A line editor whose history is kept from one chat to the next.
pub(super) struct Editor {
    editor: rustyline::Editor<Rules, DefaultHistory>,
    history: Option<PathBuf>,
}

impl Editor {
    /// An editor with the history of earlier chats.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub(super) fn open() -> Result<Self> {
        let config =
            Config::builder().max_history_size(HISTORY).map_err(failure)?.auto_add_history(false).build();
        let mut editor = rustyline::Editor::with_config(config).map_err(failure)?;
        editor.set_helper(Some(Rules));
        editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), EventHandler::Simple(Cmd::Newline));
        editor.bind_sequence(KeyEvent::ctrl('J'), EventHandler::Simple(Cmd::Newline));
        let history = folders::history_file().filter(|path| is_ready(path));
        if let Some(path) = &history {
            // A history that cannot be read is no reason not to talk.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// Reads the next message or command.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub(super) fn read(&mut self) -> Result<Line> {
        match self.editor.readline("> ") {
            Ok(text) => {
                self.remember(&text);
                Ok(Line::Text(joined(&text)))
            }
            Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
            Err(ReadlineError::Eof) => Ok(Line::End),
            Err(error) => Err(failure(error)),
        }
    }

    /// Written at once, so that a chat that is killed loses nothing; the file is the user's alone.
    fn remember(&mut self, text: &str) {
        let is_new = !text.trim().is_empty() && self.editor.add_history_entry(text).unwrap_or(false);
        if let Some(path) = self.history.as_deref().filter(|_| is_new) {
            let _ = self.editor.append_history(path);
        }
    }
}

/// Makes the folder, and the file for the user alone before the first line is written.
fn is_ready(path: &Path) -> bool {
    let Some(folder) = path.parent() else { return false };
    std::fs::create_dir_all(folder).and_then(|()| private(path)).is_ok()
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn private(path: &Path) -> io::Result<()> {
    std::fs::OpenOptions::new().create(true).append(true).open(path).map(drop)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
fn failure(error: ReadlineError) -> Failure {
    Failure::new(Exit::File, format!("cannot read from the terminal: {error}"))
}

/// Whether more lines belong to what was typed so far.
fn is_open(text: &str) -> bool {
    match text.trim_start().strip_prefix(BLOCK) {
        Some(rest) => !rest.contains(BLOCK),
        None => text.ends_with('\\') && !text.ends_with("\\\\"),
    }
}

/// The message without the marks that kept it open.
fn joined(text: &str) -> String {
    if let Some((block, after)) =
        text.trim_start().strip_prefix(BLOCK).and_then(|rest| rest.split_once(BLOCK))
    {
        let block = block.strip_prefix('\n').unwrap_or(block);
        return format!("{}{after}", block.strip_suffix('\n').unwrap_or(block));
    }
    text.replace("\\\n", "\n")
}

/// The rules of input: when it goes on, and what Tab completes.
struct Rules;

impl Helper for Rules {}
impl Highlighter for Rules {}

impl Hinter for Rules {
    type Hint = String;
}

impl Validator for Rules {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_open(context.input()) {
            ValidationResult::Incomplete
        } else {
            ValidationResult::Valid(None)
        })
    }
}

impl Completer for Rules {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = line.get(..position).unwrap_or(line);
        let names = command::NAMES.iter().filter(|name| typed.starts_with('/') && name.starts_with(typed));
        Ok((0, names.map(ToString::to_string).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_goes_on_until_it_is_whole() {
        for (text, open, message) in [
            ("one line", false, "one line"),
            ("first \\", true, ""),
            ("first \\\nsecond", false, "first \nsecond"),
            ("a path C:\\\\", false, "a path C:\\\\"),
            ("\"\"\"", true, ""),
            ("\"\"\"\nif x:\n  y \\", true, ""),
            ("\"\"\"\nif x:\n  y\n\"\"\"", false, "if x:\n  y"),
            ("\"\"\"a\"\"\" b", false, "a b"),
        ] {
            assert_eq!(is_open(text), open, "{text:?}");
            if !open {
                assert_eq!(joined(text), message);
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_history_is_the_users_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/history");
        assert!(is_ready(&path));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

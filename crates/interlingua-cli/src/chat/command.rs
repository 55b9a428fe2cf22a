//! The commands of the chat, `/help` or `.help`.

use std::path::PathBuf;

use crate::exit::{Failure, Result};

/// A command of the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Shows or changes the model.
    Model(Option<String>),
    /// Shows or changes the instructions.
    System(Option<String>),
    /// Adds a file to the next message.
    File(PathBuf),
    /// Writes the conversation to a file.
    Save(PathBuf),
    /// Asks the last question again.
    Retry,
    /// Forgets the conversation.
    Clear,
    /// Lists the commands.
    Help,
    /// Leaves.
    Exit,
}

/// The names, for completion.
pub(super) const NAMES: [&str; 8] =
    ["/clear", "/exit", "/file", "/help", "/model", "/retry", "/save", "/system"];

/// Reads a line as a command. A line that does not begin like one is a message; so is `...` and a path such as
/// `/etc/hosts`, because the word after the mark must consist of letters.
///
/// # Errors
/// When it begins like a command and is none.
pub(super) fn read(line: &str) -> Result<Option<Command>> {
    let line = line.trim();
    let Some(rest) = line.strip_prefix(['/', '.']) else { return Ok(None) };
    let (word, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if word.is_empty() || !word.chars().all(|c| c.is_ascii_alphabetic()) {
        return Ok(None);
    }
    let rest = Some(rest.trim()).filter(|rest| !rest.is_empty());
    let path =
        || rest.map(PathBuf::from).ok_or_else(|| Failure::usage(format!("/{word} needs the path of a file")));
    let command = match word {
        "model" => Command::Model(rest.map(str::to_owned)),
        "system" => Command::System(rest.map(str::to_owned)),
        "file" => Command::File(path()?),
        "save" => Command::Save(path()?),
        "retry" => Command::Retry,
        "clear" | "new" => Command::Clear,
        "help" => Command::Help,
        "exit" | "quit" | "q" => Command::Exit,
        _ => return Err(Failure::usage(format!("unknown command {line}; /help lists them"))),
    };
    Ok(Some(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_marks_begin_a_command() {
        for (line, expected) in [
            ("/help", Some(Command::Help)),
            (".help", Some(Command::Help)),
            (" /model  a/b ", Some(Command::Model(Some("a/b".into())))),
            (".model", Some(Command::Model(None))),
            ("/save my notes.md", Some(Command::Save("my notes.md".into()))),
            ("/quit", Some(Command::Exit)),
            ("... and then?", None),
            ("/etc/hosts is what?", None),
            (".5 is a number", None),
            ("plain /help", None),
        ] {
            assert_eq!(read(line).unwrap(), expected, "{line}");
        }
    }

    #[test]
    fn mistakes_are_said() {
        assert!(read("/modle x").unwrap_err().message().contains("/help"));
        assert!(read("/save").unwrap_err().message().contains("path"));
    }

    #[test]
    fn every_name_that_is_completed_is_a_command() {
        for name in NAMES {
            assert!(read(&format!("{name} word")).unwrap().is_some(), "{name}");
        }
    }
}

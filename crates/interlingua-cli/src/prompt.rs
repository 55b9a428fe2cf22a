//! The prompt: words of the command line, standard input and attached files make one user message.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;

use interlingua::{Input, Media, Text, User};

use crate::attach::{self, Sort};
use crate::exit::{Exit, Failure, Result};

/// The user message that the command line and standard input make; `None` when there is neither prompt nor input.
///
/// Attached files come first, because models answer best when the question follows its material. Then the words, a
/// blank line, and standard input. A lone `-` stands for standard input.
///
/// # Errors
/// When a file or standard input cannot be read or is of no use.
pub(crate) fn message(words: &[String], files: &[PathBuf]) -> Result<Option<User>> {
    let only_stdin = matches!(words, [word] if word == "-");
    let words = if only_stdin { String::new() } else { words.join(" ") };
    let mut parts = files.iter().map(|path| attach::file(path)).collect::<Result<Vec<_>>>()?;
    let piped = match standard_input(only_stdin)? {
        Some(Sort::Text(text)) => text,
        Some(Sort::Media(mime, bytes)) => {
            parts.push(Input::Media(Media::bytes(mime, bytes)));
            String::new()
        }
        Some(Sort::Unknown) => return Err(binary_input()),
        None => String::new(),
    };
    let text = join(&words, &piped);
    if text.is_empty() && (parts.is_empty() || only_stdin && parts.len() == files.len()) {
        return if only_stdin { Err(Failure::usage("standard input is empty")) } else { Ok(None) };
    }
    if !text.is_empty() {
        parts.push(Input::Text(Text::new(text)));
    }
    Ok(Some(User::new(parts)))
}

/// The words, a blank line, and what was piped in.
fn join(words: &str, piped: &str) -> String {
    match (words.trim().is_empty(), piped.trim().is_empty()) {
        (_, true) => words.trim().to_owned(),
        (true, false) => piped.to_owned(),
        (false, false) => format!("{words}\n\n{piped}"),
    }
}

/// What is piped in; a terminal is read only when it was asked for by `-`.
fn standard_input(asked: bool) -> Result<Option<Sort>> {
    let mut stdin = io::stdin();
    if stdin.is_terminal() && !asked {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    match stdin.read_to_end(&mut bytes) {
        Ok(_) => Ok(Some(attach::classify(bytes, None))),
        // A program that is started without standard input has nothing to say there.
        Err(_) if !asked => Ok(None),
        Err(error) => Err(Failure::new(Exit::File, format!("cannot read standard input: {error}"))),
    }
}

fn binary_input() -> Failure {
    Failure::usage(
        "standard input is binary: pipe in UTF-8 text, an image, a PDF or a sound, or attach a file with -f",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_first_then_a_blank_line_then_what_was_piped() {
        for (words, piped, expected) in [
            ("explain", "fn main() {}\n", "explain\n\nfn main() {}\n"),
            ("explain", "", "explain"),
            ("explain", " \n", "explain"),
            ("", "  indented\n", "  indented\n"),
            ("", "", ""),
        ] {
            assert_eq!(join(words, piped), expected);
        }
    }
}

//! The conversation as a file.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use interlingua::{Input, Message, Output};

use crate::conversation::Conversation;
use crate::exit::{Exit, Failure, Result};
use crate::session::Session;

/// Writes the conversation to a new file: as a request in our own JSON when its name ends in `.json`, else as Markdown.
///
/// # Errors
/// When the file is there already or cannot be written.
pub(super) fn save(path: &Path, session: &Session, conversation: &Conversation) -> Result<()> {
    let request = session.settings.request(&session.model, conversation.messages(), Vec::new());
    let text = if path.extension().is_some_and(|extension| extension == "json") {
        serde_json::to_string_pretty(&request)
            .map_err(|error| Failure::new(Exit::Other, error.to_string()))?
    } else {
        markdown(&request.messages)
    };
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    match file.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Failure::new(Exit::File, format!("{} is there already; name another file", path.display())))
        }
        Err(error) => Err(Failure::file("write", path, &error)),
    }
}

fn markdown(messages: &[Message]) -> String {
    let mut text = String::new();
    for message in messages {
        let (who, parts): (_, Vec<String>) = match message {
            Message::System(system) => ("System", system.parts.iter().map(input).collect()),
            Message::User(user) => ("User", user.parts.iter().map(input).collect()),
            Message::Assistant(assistant) => ("Assistant", assistant.parts.iter().map(output).collect()),
            _ => ("Other", Vec::new()),
        };
        let _ = write!(text, "## {who}\n\n{}\n\n", parts.join("\n\n"));
    }
    text
}

fn input(part: &Input) -> String {
    match part {
        Input::Text(text) => text.text.clone(),
        Input::Media(media) => {
            format!("*{} {}*", media.mime, media.name.as_deref().unwrap_or("without a name"))
        }
        Input::ToolResult(result) => format!("*result of {}:*\n\n```\n{}\n```", result.name, result.text()),
        _ => "*a part of one protocol alone*".into(),
    }
}

fn output(part: &Output) -> String {
    match part {
        Output::Text(text) => text.text.clone(),
        Output::Reasoning(reasoning) => format!("> {}", reasoning.text.replace('\n', "\n> ")),
        Output::Media(media) => format!("*{}*", media.mime),
        Output::ToolCall(call) => format!("*call of {}:* `{}`", call.name, call.input),
        _ => "*a part of one protocol alone*".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use interlingua::{Media, User};

    #[test]
    fn a_conversation_reads_as_markdown() {
        let messages = [
            Message::system("Be brief."),
            User::new(vec![
                Input::Media(Media::bytes("image/png", *b"x").named("cat.png")),
                "What is it?".into(),
            ])
            .into(),
            Message::assistant("A cat."),
        ];
        let expected = "## System\n\nBe brief.\n\n## User\n\n*image/png cat.png*\n\nWhat is it?\n\n## Assistant\n\nA cat.\n\n";
        assert_eq!(markdown(&messages), expected);
    }
}

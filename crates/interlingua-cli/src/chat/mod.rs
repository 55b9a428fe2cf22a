//! The chat: a conversation line by line.

mod command;
mod editor;
mod transcript;

use std::io::IsTerminal as _;

use interlingua::User;
use tokio::runtime::Runtime;

use crate::args::Ask;
use crate::ask;
use crate::choose;
use crate::config::Config;
use crate::conversation::Conversation;
use crate::exit::{Exit, Failure, Result};
use crate::session::{self, Session};
use crate::settings::Settings;
use crate::terminal::Terminal;
use crate::{attach, local};

use command::Command;
use editor::{Editor, Line};

/// What a user who types `/help` sees.
const HELP: &str = "\
/model [MODEL]   show or change the model          /clear        forget the conversation
/system [TEXT]   show or change the instructions   /retry        ask the last question again
/file PATH       add a file to the next message    /save PATH    write the conversation to a file (.md or .json)
/help            this list                         /exit         leave (also Ctrl+D)
Alt+Enter or Ctrl+J begins a new line; so does a backslash at the end of one; \"\"\" opens and closes a longer text.
Ctrl+C stops an answer and keeps what came.";

/// Talks until the user leaves.
///
/// # Errors
/// When there is no terminal to talk on, or nothing can answer.
pub(crate) fn run(
    runtime: &Runtime,
    ask: &Ask,
    config: &Config,
    settings: Settings,
    terminal: &mut Terminal,
) -> Result<Exit> {
    if !std::io::stdin().is_terminal()
        || !std::io::stdout().is_terminal()
        || ask.json
        || ask.raw
        || ask.dry_run
    {
        return Err(Failure::usage(
            "there is no prompt: write one, as in il \"Why is the sky blue?\", or pipe it in",
        ));
    }
    let session = runtime.block_on(async {
        tokio::select! {
            session = ask::session(ask, config, settings, terminal) => session,
            _ = tokio::signal::ctrl_c() => Err(session::interrupted()),
        }
    })?;
    terminal.note(&format!("chat with {}; /help lists the commands, Ctrl+D leaves", session.model));
    let editor = Editor::open()?;
    let mut chat =
        Chat { runtime, config, session, conversation: Conversation::default(), attached: Vec::new() };
    chat.talk(editor, terminal)
}

struct Chat<'a> {
    runtime: &'a Runtime,
    config: &'a Config,
    session: Session,
    conversation: Conversation,
    /// Files that go along with the next message.
    attached: Vec<interlingua::Input>,
}

/// Whether the chat goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Read,
    Leave,
}

impl Chat<'_> {
    fn talk(&mut self, mut editor: Editor, terminal: &mut Terminal) -> Result<Exit> {
        let mut interrupted = false;
        loop {
            match editor.read()? {
                Line::End => return Ok(Exit::Success),
                Line::Interrupted if interrupted => return Ok(Exit::Success),
                Line::Interrupted => {
                    interrupted = true;
                    terminal.note("Ctrl+C again or Ctrl+D leaves");
                }
                Line::Text(text) => {
                    interrupted = false;
                    match self.line(&text, terminal) {
                        Ok(Next::Read) => {}
                        Ok(Next::Leave) => return Ok(Exit::Success),
                        Err(failure) if failure.exit() == Exit::Pipe => return Err(failure),
                        Err(failure) if failure.exit() == Exit::Interrupted => {
                            interrupted = true;
                            terminal.note("stopped; Ctrl+C again or Ctrl+D leaves");
                        }
                        Err(failure) => terminal.alert(&format!("error: {}", failure.message())),
                    }
                }
            }
        }
    }

    fn line(&mut self, text: &str, terminal: &mut Terminal) -> Result<Next> {
        match command::read(text)? {
            None if text.trim().is_empty() => Ok(Next::Read),
            None => self.say(text, terminal),
            Some(command) => self.command(command, terminal),
        }
    }

    fn say(&mut self, text: &str, terminal: &mut Terminal) -> Result<Next> {
        let mut parts = std::mem::take(&mut self.attached);
        parts.push(text.into());
        self.conversation.ask(User::new(parts));
        self.answer(terminal)
    }

    /// Gets an answer; Ctrl+C stops it and keeps what came.
    fn answer(&mut self, terminal: &mut Terminal) -> Result<Next> {
        let outcome = self.runtime.block_on(async {
            tokio::select! {
                outcome = self.session.answer(&mut self.conversation, terminal) => outcome,
                _ = tokio::signal::ctrl_c() => Err(session::interrupted()),
            }
        });
        self.conversation.settle();
        terminal.end_answer()?;
        if let Some(words) = session::unusual(&outcome?) {
            terminal.alert(&words);
        }
        Ok(Next::Read)
    }

    fn command(&mut self, command: Command, terminal: &mut Terminal) -> Result<Next> {
        match command {
            Command::Exit => return Ok(Next::Leave),
            Command::Help => terminal.print(&format!("{HELP}\n"))?,
            Command::Clear => {
                self.conversation = Conversation::default();
                self.attached.clear();
                terminal.note("the conversation is forgotten");
            }
            Command::Model(None) => terminal.print(&format!("{}\n", self.session.model))?,
            Command::Model(Some(word)) => self.change_model(&word, terminal)?,
            Command::System(None) => {
                let system = self.session.settings.system.as_deref().unwrap_or("no instructions");
                terminal.print(&format!("{system}\n"))?;
            }
            Command::System(Some(text)) => {
                self.session.settings.system = Some(text);
                terminal.note("the instructions are changed");
            }
            Command::File(path) => {
                self.attached.push(attach::file(&path)?);
                terminal.note(&format!("{} goes along with the next message", path.display()));
            }
            Command::Save(path) => {
                transcript::save(&path, &self.session, &self.conversation)?;
                terminal.note(&format!("saved to {}", path.display()));
            }
            Command::Retry => return self.retry(terminal),
        }
        Ok(Next::Read)
    }

    fn retry(&mut self, terminal: &mut Terminal) -> Result<Next> {
        let Some(question) = self.conversation.take_back() else {
            return Err(Failure::usage("there is no question to ask again"));
        };
        self.conversation.ask(question);
        self.answer(terminal)
    }

    fn change_model(&mut self, word: &str, terminal: &mut Terminal) -> Result<()> {
        let client = self.session.client().clone();
        let model = self.runtime.block_on(async {
            let choice = choose::choose(Some(word), self.config, &client).await?;
            local::provide(&choice.model, terminal).await?;
            Ok::<_, Failure>(choice.model)
        })?;
        terminal.note(&format!("model {model}"));
        self.session.model = model;
        Ok(())
    }
}

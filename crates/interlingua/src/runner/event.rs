use std::fmt;

use interlingua_model::{Error, ErrorKind, Event, Message, ToolCall, Usage};

use crate::{Outcome, Progress, Run, Spent, ToolOutput};

/// What happens in a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunEvent {
    /// The model is asked; turns are counted from 1.
    Turn(u32),
    /// An event of the answer.
    Model(Event),
    /// The answer is whole; it is [`Run::response`]. This much was spent so far.
    Answered(Spent),
    /// A call waits for [`Running::decide`](crate::Running::decide). Others go on; when nothing else is left to do,
    /// [`Running::next`](crate::Running::next) returns `None`, and goes on after the decision.
    Undecided {
        /// The place of the call in its message.
        at: u32,
        /// The call.
        call: ToolCall,
    },
    /// A call begins to run.
    Started {
        /// The place of the call in its message.
        at: u32,
        /// The call.
        call: ToolCall,
    },
    /// A call tells how far it has come.
    Progress {
        /// The place of the call in its message.
        at: u32,
        /// How far.
        progress: Progress,
    },
    /// A call is done.
    Returned {
        /// The place of the call in its message.
        at: u32,
        /// The call.
        call: ToolCall,
        /// What the model is told.
        output: ToolOutput,
    },
    /// The history was made shorter.
    Compacted {
        /// How many messages were taken out.
        messages: usize,
        /// What stands in their place, if something does.
        summary: Option<String>,
    },
    /// The summary for a shorter history could not be had; the run goes on with the whole history.
    NotCompacted(Error),
    /// The model could not be asked, and is asked again since a hook says so.
    Again(Error),
    /// The run has ended.
    Ended(Outcome),
}

/// A run that did not come to its end, with the run as far as it came: every call in it has its result, so that it can be
/// sent again.
pub struct RunError(Box<(Error, Run)>);

impl RunError {
    pub(crate) fn new(error: Error, run: Run) -> Self {
        Self(Box::new((error, run)))
    }

    /// What went wrong.
    pub fn error(&self) -> &Error {
        &self.0.0
    }

    /// The run as far as it came. [`Run::again`] goes on from there.
    pub fn run(&self) -> &Run {
        &self.0.1
    }

    /// The conversation as far as it came.
    pub fn messages(&self) -> &[Message] {
        self.run().messages()
    }

    /// What all answers used together.
    pub fn usage(&self) -> Usage {
        self.run().usage()
    }

    /// How many answers there were.
    pub fn turns(&self) -> u32 {
        self.run().turns()
    }

    /// Takes the error and the run.
    pub fn into_parts(self) -> (Error, Run) {
        *self.0
    }
}

/// The error of a run that was left while calls wait for a decision.
pub(crate) fn undecided(run: &Run) -> Error {
    let names: Vec<_> = run.undecided().map(|(_, call)| call.name.as_str()).collect();
    let message = format!("calls wait for a decision: {}", names.join(", "));
    Error::new(ErrorKind::Cancelled, message)
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Self {
        error.0.0
    }
}

impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RunError");
        shown.field("error", self.error()).field("messages", &self.messages().len());
        shown.field("turns", &self.turns()).finish_non_exhaustive()
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.error(), f)
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.error())
    }
}

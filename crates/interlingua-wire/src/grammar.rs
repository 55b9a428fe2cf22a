use std::fmt;

use interlingua_model::{Delta, Event, Output};

/// Checks that a sequence of events is a well-formed answer.
///
/// ```text
/// stream = Start item* Finish
/// item   = Open(i) Delta(i)* Close(i) | Usage | Warning | Other | Raw        parts may overlap; i = 0, 1, 2, …
/// ```
/// A raw frame may stand anywhere.
///
/// ```
/// use interlingua_model::{Event, Finish, FinishReason, Start};
/// use interlingua_wire::Grammar;
///
/// let mut grammar = Grammar::default();
/// grammar.check(&Event::start(Start::default()))?;
/// assert!(grammar.check(&Event::close(0)).is_err());
/// grammar.check(&Event::finish(Finish::new(FinishReason::Stop)))?;
/// grammar.end()?;
/// # Ok::<(), interlingua_wire::Violation>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Grammar {
    started: bool,
    finished: bool,
    parts: Vec<Option<Kind>>,
}

/// The kind of an open part, as far as deltas depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Reasoning,
    Media,
    ToolCall,
    ToolResult,
    Custom,
}

/// How a sequence of events breaks the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation(String);

impl Grammar {
    /// Takes the next event.
    ///
    /// # Errors
    /// When the event must not stand here. The state is unchanged then.
    pub fn check(&mut self, event: &Event) -> Result<(), Violation> {
        if matches!(event, Event::Raw(_)) {
            return Ok(());
        }
        if self.finished {
            return violation(format!("{event:?} after the finish"));
        }
        if !self.started && !matches!(event, Event::Start(_)) {
            return violation(format!("{event:?} before the start"));
        }
        match event {
            Event::Start(_) => self.start(),
            Event::Open { at, part } => self.open(*at, part),
            Event::Delta { at, delta } => self.delta(*at, delta),
            Event::Close { at } => self.close(*at),
            Event::Finish(_) => self.finish(),
            _ => Ok(()),
        }
    }

    /// Says that there are no more events.
    ///
    /// # Errors
    /// When there was no finish.
    pub fn end(&self) -> Result<(), Violation> {
        if self.finished { Ok(()) } else { violation("no finish".to_owned()) }
    }

    fn start(&mut self) -> Result<(), Violation> {
        if self.started {
            return violation("a second start".to_owned());
        }
        self.started = true;
        Ok(())
    }

    fn open(&mut self, at: u32, part: &Output) -> Result<(), Violation> {
        if usize::try_from(at) != Ok(self.parts.len()) {
            return violation(format!("part {at} opened, expected {}", self.parts.len()));
        }
        self.parts.push(Some(Kind::of(part)));
        Ok(())
    }

    fn delta(&self, at: u32, delta: &Delta) -> Result<(), Violation> {
        let kind = usize::try_from(at).ok().and_then(|at| self.parts.get(at)).copied().flatten();
        match kind {
            None => violation(format!("delta for part {at}, which is not open")),
            Some(kind) if kind.takes(delta) => Ok(()),
            Some(kind) => violation(format!("part {at} is {kind:?} and cannot take {delta:?}")),
        }
    }

    fn close(&mut self, at: u32) -> Result<(), Violation> {
        let slot = usize::try_from(at).ok().and_then(|at| self.parts.get_mut(at));
        match slot.and_then(Option::take) {
            Some(_) => Ok(()),
            None => violation(format!("part {at} closed, which is not open")),
        }
    }

    fn finish(&mut self) -> Result<(), Violation> {
        if let Some(at) = self.parts.iter().position(Option::is_some) {
            return violation(format!("finish while part {at} is open"));
        }
        self.finished = true;
        Ok(())
    }
}

impl Kind {
    pub(crate) const fn of(part: &Output) -> Self {
        match part {
            Output::Reasoning(_) => Self::Reasoning,
            Output::Media(_) => Self::Media,
            Output::ToolCall(_) => Self::ToolCall,
            Output::ToolResult(_) => Self::ToolResult,
            Output::Custom(_) => Self::Custom,
            _ => Self::Text,
        }
    }

    pub(crate) const fn takes(self, delta: &Delta) -> bool {
        match delta {
            Delta::Text(_) => matches!(self, Self::Text | Self::Reasoning | Self::Media),
            Delta::Input(_) => matches!(self, Self::ToolCall),
            Delta::Data(_) => matches!(self, Self::Media),
            Delta::Citation(_) | Delta::Logprobs(_) => matches!(self, Self::Text),
            Delta::Extra(_) => !matches!(self, Self::Custom),
            Delta::Value(_) => matches!(self, Self::Custom),
            _ => true,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Violation {}

fn violation(what: String) -> Result<(), Violation> {
    Err(Violation(what))
}

//! Shows the events of an answer.

use std::io;

use interlingua::{Delta, Event, Frame, Output, RunBy, ToolResult};

use crate::args::Ask;
use crate::terminal::Terminal;

/// What is printed of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Its text; reasoning and notes on standard error.
    Text,
    /// Its events as JSON lines.
    Json,
    /// The frames as they came.
    Raw,
}

/// Prints the events of one answer.
#[derive(Debug)]
pub(crate) struct Printer {
    style: Style,
    parts: Vec<Kind>,
}

/// What the deltas of a part are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Answer,
    Reasoning,
    Hidden,
}

impl Style {
    /// The style that the command line asks for.
    pub(crate) const fn of(ask: &Ask) -> Self {
        match (ask.json, ask.raw) {
            (true, _) => Self::Json,
            (false, true) => Self::Raw,
            (false, false) => Self::Text,
        }
    }
}

impl Printer {
    /// A printer for the next answer.
    pub(crate) const fn new(style: Style) -> Self {
        Self { style, parts: Vec::new() }
    }

    /// Prints one event.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn event(&mut self, event: &Event, terminal: &mut Terminal) -> io::Result<()> {
        match (self.style, event) {
            (Style::Json, event) => json(event, terminal),
            (Style::Raw, Event::Raw(frame)) => raw(frame, terminal),
            (Style::Raw, _) => Ok(()),
            (Style::Text, event) => self.text(event, terminal),
        }
    }

    fn text(&mut self, event: &Event, terminal: &mut Terminal) -> io::Result<()> {
        match event {
            Event::Open { part, .. } => self.open(part, terminal),
            Event::Delta { at, delta: Delta::Text(piece) } => self.piece(*at, piece, terminal),
            Event::Close { at } => {
                if self.kind(*at) == Kind::Reasoning {
                    terminal.end_reasoning();
                }
                Ok(())
            }
            Event::Warning(warning) => {
                terminal.warn(&warning.to_string());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, part: &Output, terminal: &mut Terminal) -> io::Result<()> {
        let (kind, text) = match part {
            Output::Text(text) => (Kind::Answer, Some(&text.text)),
            Output::Reasoning(reasoning) => (Kind::Reasoning, Some(&reasoning.text)),
            Output::Media(media) => {
                terminal.note(&format!("the answer holds {}, which --json prints", media.mime));
                (Kind::Answer, media.transcript.as_ref())
            }
            Output::ToolCall(call) if call.run_by == RunBy::Provider => {
                terminal.note(&format!("the provider runs {}", call.name));
                (Kind::Hidden, None)
            }
            Output::Custom(custom) => {
                terminal.detail(&format!("the answer holds a part of {}: {}", custom.protocol, custom.kind));
                (Kind::Hidden, None)
            }
            _ => (Kind::Hidden, None),
        };
        self.parts.push(kind);
        let at = u32::try_from(self.parts.len() - 1).unwrap_or(u32::MAX);
        text.map_or(Ok(()), |text| self.piece(at, text, terminal))
    }

    fn piece(&self, at: u32, piece: &str, terminal: &mut Terminal) -> io::Result<()> {
        match self.kind(at) {
            Kind::Answer if !piece.is_empty() => terminal.answer(piece),
            Kind::Reasoning => {
                terminal.reasoning(piece);
                Ok(())
            }
            Kind::Answer | Kind::Hidden => Ok(()),
        }
    }

    fn kind(&self, at: u32) -> Kind {
        usize::try_from(at).ok().and_then(|at| self.parts.get(at)).copied().unwrap_or(Kind::Hidden)
    }
}

/// Prints what a tool answered, where events are printed.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn tool_result(result: &ToolResult, style: Style, terminal: &mut Terminal) -> io::Result<()> {
    if style != Style::Json {
        return Ok(());
    }
    let line = serde_json::json!({ "tool_result": result });
    terminal.print(&format!("{line}\n"))
}

fn json(event: &Event, terminal: &mut Terminal) -> io::Result<()> {
    // JSON that is kept verbatim may hold line breaks, which stand between its values only.
    let line = serde_json::to_string(event)?.replace(['\n', '\r'], " ");
    terminal.print(&format!("{line}\n"))
}

/// A frame in the form of server-sent events; one without a name and of several lines is a body that came at once.
fn raw(frame: &Frame, terminal: &mut Terminal) -> io::Result<()> {
    if let Some(name) = &frame.name {
        terminal.answer(&format!("event: {name}\n"))?;
    }
    for line in frame.data.split('\n') {
        terminal.answer(&format!("data: {line}\n"))?;
    }
    terminal.answer("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use interlingua::{Finish, FinishReason, Reasoning, Start, Text};

    #[test]
    fn json_lines_are_events() {
        let (mut terminal, shown) = Terminal::recorded();
        let events = [
            Event::start(Start::default()),
            Event::open(0, Output::Text(Text::default())),
            Event::delta(0, Delta::text("two\nlines")),
            Event::close(0),
            Event::finish(Finish::new(FinishReason::Stop)),
        ];
        let mut printer = Printer::new(Style::Json);
        for event in &events {
            printer.event(event, &mut terminal).unwrap();
        }
        let read: Vec<Event> = shown.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, events);
    }

    #[test]
    fn only_text_reaches_standard_output() {
        let (mut terminal, shown) = Terminal::recorded();
        let mut printer = Printer::new(Style::Text);
        for event in [
            Event::open(0, Output::Reasoning(Reasoning::new("let me"))),
            Event::delta(0, Delta::text(" think")),
            Event::close(0),
            Event::open(1, Output::Text(Text::new("So"))),
            Event::delta(1, Delta::text(": yes")),
            Event::close(1),
        ] {
            printer.event(&event, &mut terminal).unwrap();
        }
        assert_eq!(shown.out(), "So: yes");
        assert_eq!(shown.err(), "let me think\n");
    }

    #[test]
    fn frames_are_printed_as_they_came() {
        let (mut terminal, shown) = Terminal::recorded();
        let frame = Event::raw(Frame::new(Some("ping"), "{\n}"));
        Printer::new(Style::Raw).event(&frame, &mut terminal).unwrap();
        assert_eq!(shown.out(), "event: ping\ndata: {\ndata: }\n\n");
    }
}

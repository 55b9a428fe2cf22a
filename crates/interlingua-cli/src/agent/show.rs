//! Shows the steps of a run: answers on standard output, everything else on standard error.

use std::io;

use interlingua::{Client, Content, Run, RunEvent, Running, ToolOutput};
use serde_json::{Value, json};

use crate::render::{Printer, Style};
use crate::terminal::Terminal;

/// Longest line of a result that is shown.
const LINE: usize = 160;

pub(super) struct Show {
    style: Style,
    printer: Printer,
}

impl Show {
    pub(super) const fn new(json: bool) -> Self {
        let style = if json { Style::Json } else { Style::Text };
        Self { style, printer: Printer::new(style) }
    }

    /// Shows what happened.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(super) fn event(
        &mut self,
        event: &RunEvent,
        running: &Running,
        client: &Client,
        terminal: &mut Terminal,
    ) -> io::Result<()> {
        if let RunEvent::Model(event) = event {
            return self.printer.event(event, terminal);
        }
        if let RunEvent::Turn(_) = event {
            self.printer = Printer::new(self.style);
        }
        if self.style == Style::Json {
            return step(event).map_or(Ok(()), |step| terminal.print(&format!("{step}\n")));
        }
        match event {
            RunEvent::Turn(turn) => terminal.detail(&format!("turn {turn}")),
            RunEvent::Answered(_) => {
                terminal.end_answer()?;
                let price = running.run().response().and_then(|answer| client.cost(answer));
                let price = price.map(|cost| format!(", ${}", cost.total().rounded(6))).unwrap_or_default();
                let tokens = running
                    .run()
                    .spent()
                    .tokens()
                    .map_or_else(|| "?".to_owned(), |tokens| tokens.to_string());
                terminal.detail(&format!("{tokens} tokens so far{price}"));
            }
            RunEvent::Started { call, .. } => terminal.note(&format!("call {} {}", call.name, call.input)),
            RunEvent::Progress { progress, .. } => terminal.note(&format!("  {}", progress.message)),
            RunEvent::Returned { call, output, .. } => {
                terminal.note(&format!("  {}: {}", call.name, first_line(output)));
            }
            RunEvent::Compacted { messages, .. } => {
                terminal.note(&format!("{messages} messages of the history were taken out"));
            }
            RunEvent::NotCompacted(error) => {
                terminal.warn(&format!("the history could not be made shorter: {error}"));
            }
            RunEvent::Again(error) => terminal.warn(&format!("asked again after: {error}")),
            _ => {}
        }
        Ok(())
    }

    /// Ends the last line.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(super) fn end(&mut self, terminal: &mut Terminal) -> io::Result<()> {
        if self.style == Style::Text { terminal.end_answer() } else { Ok(()) }
    }
}

/// Says what the run has spent.
pub(super) fn summary(run: &Run, terminal: &mut Terminal) {
    let spent = run.spent();
    let mut facts = vec![format!("{} answers", spent.turns)];
    facts.extend(spent.tokens().map(|tokens| format!("{tokens} tokens")));
    facts.extend(spent.cost().filter(|_| spent.turns > 0).map(|cost| format!("${}", cost.rounded(6))));
    facts.push(format!("{:.1} s", spent.time.as_secs_f64()));
    terminal.note(&facts.join(", "));
}

/// A step as a JSON object.
fn step(event: &RunEvent) -> Option<Value> {
    Some(match event {
        RunEvent::Turn(turn) => json!({ "turn": turn }),
        RunEvent::Answered(spent) => json!({ "answered": { "spent": spent } }),
        RunEvent::Undecided { at, call } => json!({ "undecided": { "at": at, "call": call } }),
        RunEvent::Started { at, call } => json!({ "started": { "at": at, "call": call } }),
        RunEvent::Progress { at, progress } => {
            json!({ "progress": { "at": at, "message": progress.message } })
        }
        RunEvent::Returned { at, call, output } => json!({
            "returned": { "at": at, "call": call.id, "is_error": output.is_error, "content": output.content }
        }),
        RunEvent::Compacted { messages, summary } => {
            json!({ "compacted": { "messages": messages, "summary": summary } })
        }
        RunEvent::NotCompacted(error) => json!({ "not_compacted": error.to_string() }),
        RunEvent::Again(error) => json!({ "again": error.to_string() }),
        RunEvent::Ended(outcome) => json!({ "ended": outcome }),
        _ => return None,
    })
}

/// The beginning of what a tool said.
fn first_line(output: &ToolOutput) -> String {
    let text = output.content.iter().find_map(|content| match content {
        Content::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    let mut lines = text.unwrap_or("no text").lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let more = lines.next().is_some() || first.chars().count() > LINE;
    let first: String = first.chars().take(LINE).collect();
    let failed = if output.is_error { "error: " } else { "" };
    format!("{failed}{first}{}", if more { " …" } else { "" })
}

//! Standard output and standard error: who may write what to which, and how.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _, Write};

use crate::hygiene::{self, Hygiene};

/// Where the answer and the notes go.
///
/// Standard output carries the answer alone. Notes, reasoning, warnings and errors go to standard error. What a model
/// or a provider wrote is freed of control sequences where the reader is a terminal, and verbatim elsewhere. Nothing
/// here panics when the reader goes away.
pub(crate) struct Terminal {
    out: Stream,
    err: Stream,
    quiet: bool,
    verbose: bool,
    /// Warnings that were told: every request of a chat earns those of the earlier ones again.
    warned: BTreeSet<String>,
}

struct Stream {
    sink: Box<dyn Write>,
    hygiene: Option<Hygiene>,
    colour: bool,
    /// Whether the last byte written was not a line feed.
    open_line: bool,
}

const DIM: &str = "\u{1b}[2m";
const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

impl Terminal {
    /// The process's own streams.
    pub(crate) fn new(quiet: bool, verbose: bool) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let (out_is_terminal, err_is_terminal) = (out.is_terminal(), err.is_terminal());
        let (out, err) =
            (Stream::new(Box::new(out), out_is_terminal), Stream::new(Box::new(err), err_is_terminal));
        Self { quiet, verbose, ..Self::of(out, err) }
    }

    const fn of(out: Stream, err: Stream) -> Self {
        Self { out, err, quiet: false, verbose: false, warned: BTreeSet::new() }
    }

    /// A piece of the answer, as the model wrote it.
    pub(crate) fn answer(&mut self, piece: &str) -> io::Result<()> {
        self.end_note_line();
        self.out.foreign(piece)?;
        self.out.sink.flush()
    }

    /// Our own text on standard output: a list, a JSON line.
    pub(crate) fn print(&mut self, text: &str) -> io::Result<()> {
        self.out.own(text)?;
        self.out.sink.flush()
    }

    /// Ends the answer's last line, unless it is ended.
    pub(crate) fn end_answer(&mut self) -> io::Result<()> {
        if self.out.open_line {
            self.out.own("\n")?;
            self.out.sink.flush()?;
        }
        Ok(())
    }

    /// A piece of reasoning, dim.
    pub(crate) fn reasoning(&mut self, piece: &str) {
        if self.quiet || piece.is_empty() {
            return;
        }
        self.separate_from_answer();
        // Standard error is a courtesy: that it cannot be written is no reason to stop the answer.
        let _ = self.err.dim(piece);
    }

    /// Ends a block of reasoning.
    pub(crate) fn end_reasoning(&mut self) {
        self.end_note_line();
    }

    /// A line for the user, unless quiet.
    pub(crate) fn note(&mut self, line: &str) {
        if !self.quiet {
            self.line(line, DIM);
        }
    }

    /// A line for the user who asked for details.
    pub(crate) fn detail(&mut self, line: &str) {
        if self.verbose {
            self.line(line, DIM);
        }
    }

    /// A warning: what could not be expressed as it was meant. Each is told once.
    pub(crate) fn warn(&mut self, line: &str) {
        if !self.quiet && self.warned.insert(line.to_owned()) {
            self.line(&format!("warning: {line}"), "");
        }
    }

    /// A line that matters even when quiet: an error, an unusual end.
    pub(crate) fn alert(&mut self, line: &str) {
        self.line(line, BOLD);
    }

    /// Raw text on standard error, for a prompt or a progress bar.
    pub(crate) fn prompt(&mut self, text: &str) {
        self.separate_from_answer();
        let _ = self.err.own(text).and_then(|()| self.err.sink.flush());
    }

    /// Whether standard error is a terminal.
    pub(crate) const fn has_terminal(&self) -> bool {
        self.err.hygiene.is_some()
    }

    /// Whether a progress bar is wanted.
    #[cfg(feature = "local")]
    pub(crate) const fn draws(&self) -> bool {
        self.has_terminal() && !self.quiet
    }

    fn line(&mut self, line: &str, style: &str) {
        self.separate_from_answer();
        self.end_note_line();
        let line = hygiene::line(line);
        let (before, after) = if self.err.colour { (style, PLAIN) } else { ("", "") };
        let _ = self.err.own(&format!("{before}{line}{after}\n")).and_then(|()| self.err.sink.flush());
    }

    fn end_note_line(&mut self) {
        if self.err.open_line {
            let _ = self.err.own("\n").and_then(|()| self.err.sink.flush());
        }
    }

    /// On a terminal both streams share the screen, so a note must not begin in the middle of the answer's line.
    fn separate_from_answer(&mut self) {
        if self.out.open_line && self.out.hygiene.is_some() && self.has_terminal() {
            let _ = self.out.own("\n").and_then(|()| self.out.sink.flush());
        }
    }
}

impl Stream {
    fn new(sink: Box<dyn Write>, is_terminal: bool) -> Self {
        let colour = is_terminal && colour_is_wanted();
        Self { sink, hygiene: is_terminal.then(Hygiene::default), colour, open_line: false }
    }

    fn foreign(&mut self, text: &str) -> io::Result<()> {
        match &mut self.hygiene {
            Some(hygiene) => {
                let clean = hygiene.clean(text);
                self.own(&clean)
            }
            None => self.own(text),
        }
    }

    fn dim(&mut self, text: &str) -> io::Result<()> {
        if self.colour {
            self.sink.write_all(DIM.as_bytes())?;
        }
        self.foreign(text)?;
        if self.colour {
            self.sink.write_all(PLAIN.as_bytes())?;
        }
        self.sink.flush()
    }

    fn own(&mut self, text: &str) -> io::Result<()> {
        let Some(last) = text.chars().last() else { return Ok(()) };
        self.open_line = last != '\n';
        self.sink.write_all(text.as_bytes())
    }
}

/// Colour unless `NO_COLOR` is set (<https://no-color.org>) or the terminal is a dumb one.
fn colour_is_wanted() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !no_color && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was written to a stream of a test.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    /// What was written to both streams of a test.
    pub(crate) struct Shown(Written, Written);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Shown {
        pub(crate) fn out(&self) -> String {
            self.0.text()
        }

        pub(crate) fn err(&self) -> String {
            self.1.text()
        }
    }

    impl Terminal {
        /// A terminal whose streams are pipes into a test.
        pub(crate) fn recorded() -> (Self, Shown) {
            let (out, err) = (Written::default(), Written::default());
            let stream = |written: &Written| Stream::new(Box::new(written.clone()), false);
            (Self::of(stream(&out), stream(&err)), Shown(out, err))
        }

        /// A terminal whose streams share one screen.
        fn screen() -> (Self, Written) {
            let screen = Written::default();
            let stream = || Stream {
                sink: Box::new(screen.clone()),
                hygiene: Some(Hygiene::default()),
                colour: false,
                open_line: false,
            };
            (Self::of(stream(), stream()), screen)
        }
    }

    #[test]
    fn notes_never_break_into_a_line() {
        let (mut terminal, screen) = Terminal::screen();
        terminal.reasoning("hmm");
        terminal.answer("Hello").unwrap();
        terminal.note("a note");
        terminal.answer("again\n").unwrap();
        terminal.end_answer().unwrap();
        assert_eq!(screen.text(), "hmm\nHello\na note\nagain\n");
    }

    #[test]
    fn a_sequence_cut_in_two_is_stripped_on_a_terminal_and_kept_elsewhere() {
        let pieces = ["a\u{1b}[3", "1mb"];
        let (mut terminal, screen) = Terminal::screen();
        for piece in pieces {
            terminal.answer(piece).unwrap();
        }
        assert_eq!(screen.text(), "ab");
        let (mut terminal, shown) = Terminal::recorded();
        for piece in pieces {
            terminal.answer(piece).unwrap();
        }
        assert_eq!(shown.out(), pieces.concat());
    }

    #[test]
    fn a_warning_is_told_once() {
        let (mut terminal, shown) = Terminal::recorded();
        for line in ["ignored x", "ignored y", "ignored x"] {
            terminal.warn(line);
        }
        assert_eq!(shown.err(), "warning: ignored x\nwarning: ignored y\n");
    }

    #[test]
    fn foreign_words_in_a_message_stay_on_its_line() {
        let (mut terminal, screen) = Terminal::screen();
        terminal.alert("openai: bad\u{1b}]0;x\u{7}\nsecond line");
        assert_eq!(screen.text(), "openai: bad second line\n");
    }
}

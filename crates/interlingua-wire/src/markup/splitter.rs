use memchr::{memchr2_iter, memmem};

use super::parse::calls;
use super::{Calls, Found, Markup, Thinking};

const THINK: &str = "<think>";
const END_THINK: &str = "</think>";

/// Most bytes of one call, or list of calls, that are held back; longer ones are text.
const LONGEST: usize = 1 << 20;
/// White space before the first word that is held back, for a tag may follow.
const BLANK: usize = 256;

/// Takes markup out of text that comes in pieces.
///
/// Any split of a text gives the same parts, up to where text and reasoning are cut. Text without the markup comes out
/// byte for byte; white space next to a tag belongs to the tag. Memory is bounded by a mebibyte and the piece at hand,
/// time is linear.
#[derive(Debug, Clone)]
pub struct Splitter {
    markup: Markup,
    state: State,
    /// What cannot be told yet.
    held: String,
    /// Bytes of what is held in which the end of a call was looked for.
    searched: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The template has begun the reasoning; its tag may be repeated.
    Begun,
    /// Nothing but white space has come since the beginning, or since reasoning or a call has ended, which drops it.
    Fresh {
        after: bool,
    },
    Text,
    /// Reasoning, of which white space alone has come or more.
    Thinking {
        blank: bool,
    },
    /// A call, which begins what is held.
    Call(Calls),
}

/// What one step has used, and whether another can be made.
struct Step(usize, bool);

impl Splitter {
    /// A splitter that looks for this markup.
    pub const fn new(markup: Markup) -> Self {
        let state = match markup.thinking {
            Thinking::Begun => State::Begun,
            _ => State::Fresh { after: false },
        };
        Self { markup, state, held: String::new(), searched: 0 }
    }

    /// Takes the next piece and hands on what can be told.
    pub fn push(&mut self, text: &str, each: &mut dyn FnMut(Found<'_>)) {
        self.held.push_str(text);
        self.run(false, each);
    }

    /// Says that the text is complete. A call at its end may lack its closing tag.
    pub fn end(&mut self, each: &mut dyn FnMut(Found<'_>)) {
        self.run(true, each);
    }

    /// Says that the text was cut: what is held back is no call.
    pub fn cut(&mut self, each: &mut dyn FnMut(Found<'_>)) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            each(if matches!(self.state, State::Thinking { .. } | State::Begun) {
                Found::Reasoning(&held)
            } else {
                Found::Text(&held)
            });
        }
    }

    fn run(&mut self, ended: bool, each: &mut dyn FnMut(Found<'_>)) {
        let mut held = std::mem::take(&mut self.held);
        let mut at = 0;
        while let Some(rest) = held.get(at..) {
            let Step(used, more) = self.step(rest, ended, each);
            at += used;
            if !more || (ended && at >= held.len()) {
                break;
            }
        }
        held.drain(..at.min(held.len()));
        self.held = held;
    }

    fn step(&mut self, rest: &str, ended: bool, each: &mut dyn FnMut(Found<'_>)) -> Step {
        match self.state {
            State::Begun => self.begun(rest, ended),
            State::Fresh { after } => self.fresh(rest, after, ended, each),
            State::Text => self.text(rest, ended, each),
            State::Thinking { blank } => self.thinking(rest, blank, ended, each),
            State::Call(format) => self.call(format, rest, ended, each),
        }
    }

    fn begun(&mut self, rest: &str, ended: bool) -> Step {
        let word = rest.trim_start();
        let blank = rest.len() - word.len();
        if !ended && THINK.starts_with(word) && word.len() < THINK.len() {
            // White space is of no use here, so it need not be kept.
            return Step(blank, false);
        }
        self.state = State::Thinking { blank: true };
        Step(blank + if word.starts_with(THINK) { THINK.len() } else { 0 }, true)
    }

    fn fresh(&mut self, rest: &str, after: bool, ended: bool, each: &mut dyn FnMut(Found<'_>)) -> Step {
        let word = rest.trim_start();
        let blank = rest.len() - word.len();
        if after && blank > 0 {
            return Step(blank, true);
        }
        if blank > BLANK {
            self.state = State::Text;
            return self.text(rest, ended, each);
        }
        if word.is_empty() && !ended {
            return Step(0, false);
        }
        let thinks = self.markup.thinking != Thinking::None;
        if thinks && word.starts_with(THINK) {
            self.state = State::Thinking { blank: true };
            return Step(blank + THINK.len(), true);
        }
        if let Some(format) = self.opened(word) {
            self.begin(format);
            return Step(blank, true);
        }
        let may_follow = thinks && THINK.starts_with(word) || self.may_open(word);
        if may_follow && !ended && !word.is_empty() {
            return Step(0, false);
        }
        if word.starts_with('{') && self.markup.calls.contains(&Calls::BareJson) {
            self.begin(Calls::BareJson);
            return Step(0, true);
        }
        if rest.is_empty() {
            return Step(0, false);
        }
        self.state = State::Text;
        self.text(rest, ended, each)
    }

    fn text(&mut self, rest: &str, ended: bool, each: &mut dyn FnMut(Found<'_>)) -> Step {
        for at in memchr2_iter(b'<', b'[', rest.as_bytes()) {
            let Some(tail) = rest.get(at..) else { continue };
            let (opened, may_open) = (self.opened(tail), self.may_open(tail) && !ended);
            if opened.is_none() && !may_open {
                continue;
            }
            say(rest.get(..at), each);
            if let Some(format) = opened {
                self.begin(format);
            }
            return Step(at, opened.is_some());
        }
        say(Some(rest), each);
        Step(rest.len(), false)
    }

    fn thinking(&mut self, rest: &str, blank: bool, ended: bool, each: &mut dyn FnMut(Found<'_>)) -> Step {
        if blank {
            let space = rest.len() - rest.trim_start().len();
            if space > 0 || rest.is_empty() {
                return Step(space, space > 0);
            }
            self.state = State::Thinking { blank: false };
        }
        if let Some(at) = memmem::find(rest.as_bytes(), END_THINK.as_bytes()) {
            think(rest.get(..at), each);
            self.state = State::Fresh { after: true };
            return Step(at + END_THINK.len(), true);
        }
        let kept = if ended { 0 } else { overlap(rest, END_THINK) };
        let used = rest.len() - kept;
        think(rest.get(..used), each);
        Step(used, false)
    }

    fn call(&mut self, format: Calls, rest: &str, ended: bool, each: &mut dyn FnMut(Found<'_>)) -> Step {
        let opening = format.opening().len();
        let closed = format.closing().and_then(|closing| {
            let from = self.searched.max(opening);
            let found = memmem::find(rest.as_bytes().get(from..)?, closing.as_bytes())?;
            Some((from + found, from + found + closing.len()))
        });
        if let Some((end, used)) = closed.filter(|(_, used)| *used <= LONGEST) {
            return self.called(format, rest, end, used, each);
        }
        if rest.len() > LONGEST {
            let most = (0..=LONGEST).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0);
            say(rest.get(..most), each);
            self.state = State::Text;
            return Step(most, true);
        }
        if ended {
            return self.called(format, rest, rest.len(), rest.len(), each);
        }
        self.searched = rest.len().saturating_sub(format.closing().map_or(0, str::len));
        Step(0, false)
    }

    /// A call whose body ends at `end`, and which takes up `used` bytes.
    fn called(
        &mut self,
        format: Calls,
        rest: &str,
        end: usize,
        used: usize,
        each: &mut dyn FnMut(Found<'_>),
    ) -> Step {
        let opening = format.opening();
        let body = rest.get(opening.len()..end).unwrap_or_default();
        // Words may name the tag before a call follows: then the last one counts.
        let last = if opening.is_empty() { None } else { body.rfind(opening) };
        let found = calls(format, body).map(|found| (0, found)).or_else(|| {
            let from = last? + opening.len();
            Some((from, calls(format, body.get(from..)?)?))
        });
        let Some((before, found)) = found else {
            say(rest.get(..used), each);
            self.state = State::Text;
            return Step(used, used < rest.len());
        };
        say(rest.get(..before), each);
        for call in found {
            each(Found::Call(call));
        }
        self.state = State::Fresh { after: true };
        Step(used, used < rest.len())
    }

    fn begin(&mut self, format: Calls) {
        self.state = State::Call(format);
        self.searched = 0;
    }

    fn opened(&self, text: &str) -> Option<Calls> {
        let is_open = |format: &Calls| !format.opening().is_empty() && text.starts_with(format.opening());
        self.markup.calls.iter().copied().find(is_open)
    }

    /// Whether a call may begin here, as far as the text has come.
    fn may_open(&self, text: &str) -> bool {
        self.markup.calls.iter().any(|format| format.opening().starts_with(text))
    }
}

fn say(text: Option<&str>, each: &mut dyn FnMut(Found<'_>)) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        each(Found::Text(text));
    }
}

fn think(text: Option<&str>, each: &mut dyn FnMut(Found<'_>)) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        each(Found::Reasoning(text));
    }
}

/// Bytes at the end of a text that may begin a tag.
fn overlap(text: &str, tag: &str) -> usize {
    (1..tag.len())
        .rev()
        .find(|length| tag.get(..*length).is_some_and(|start| text.ends_with(start)))
        .unwrap_or(0)
}

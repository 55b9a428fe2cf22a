use std::collections::VecDeque;

use crate::grammar::Kind;
use interlingua_model::{Custom, Delta, Event, Finish, Frame, Output, Piece, Start, Usage, Warning};

/// Opens, numbers and closes the parts of an answer, so that readers do not.
///
/// Whatever a reader does, the events that come out obey the [`Grammar`](crate::Grammar): a start is made up when the
/// provider forgot it, a part that is still open is closed before the finish, a delta that a part cannot take
/// becomes a warning, nothing follows the finish.
#[derive(Debug, Default)]
pub struct Parts {
    queue: VecDeque<Event>,
    /// The kind of each part that has begun; nothing once it has ended.
    open: Vec<Option<Kind>>,
    /// What is reported as soon as the answer has begun.
    early: Option<Box<Warning>>,
    started: bool,
    finished: bool,
}

impl Parts {
    /// Begins the answer; a second start is ignored.
    pub fn start(&mut self, start: Start) {
        if !self.started {
            self.started = true;
            self.queue.push_back(Event::start(start));
            self.queue.extend(self.early.take().map(Event::Warning));
        }
    }

    /// Whether the answer has begun.
    pub const fn is_started(&self) -> bool {
        self.started
    }

    /// Begins a part and returns its index in the final message.
    pub fn open(&mut self, part: Output) -> u32 {
        let at = u32::try_from(self.open.len()).unwrap_or(u32::MAX);
        let kind = Kind::of(&part);
        if self.emit(|| Event::open(at, part)) {
            self.open.push(Some(kind));
        }
        at
    }

    /// Begins a part, and ends it at once.
    pub fn whole(&mut self, part: Output) -> u32 {
        let at = self.open(part);
        self.close(at);
        at
    }

    /// Adds text to a part.
    pub fn text(&mut self, at: u32, text: impl Into<Piece>) {
        self.delta(at, Delta::Text(text.into()));
    }

    /// Adds input to a tool call.
    pub fn input(&mut self, at: u32, text: impl Into<Piece>) {
        self.delta(at, Delta::Input(text.into()));
    }

    /// Adds anything to a part.
    pub fn delta(&mut self, at: u32, delta: Delta) {
        if self.kind(at).is_some_and(|kind| kind.takes(&delta)) {
            self.queue.push_back(Event::delta(at, delta));
        } else {
            self.warning(Warning::dropped("events", format!("part {at} cannot take {delta:?}")));
        }
    }

    /// Ends a part; one that has ended stays so.
    pub fn close(&mut self, at: u32) {
        let slot = usize::try_from(at).ok().and_then(|at| self.open.get_mut(at));
        if slot.and_then(Option::take).is_some() {
            self.queue.push_back(Event::close(at));
        }
    }

    /// Ends every part that is open, in order.
    pub fn close_all(&mut self) {
        for at in 0..u32::try_from(self.open.len()).unwrap_or(u32::MAX) {
            self.close(at);
        }
    }

    /// Whether a part has begun and not ended.
    pub fn is_open(&self, at: u32) -> bool {
        self.kind(at).is_some()
    }

    fn kind(&self, at: u32) -> Option<Kind> {
        usize::try_from(at).ok().and_then(|at| self.open.get(at)).copied().flatten()
    }

    /// How many parts have begun.
    pub fn count(&self) -> u32 {
        u32::try_from(self.open.len()).unwrap_or(u32::MAX)
    }

    /// Reports figures; an empty report is none.
    pub fn usage(&mut self, usage: Usage) {
        if !usage.is_empty() {
            self.emit(|| Event::usage(usage));
        }
    }

    /// Reports that something could not be understood or expressed.
    pub fn warning(&mut self, warning: Warning) {
        self.emit(|| Event::warning(warning));
    }

    /// Reports something now, or as soon as the answer has begun.
    pub(crate) fn early_warning(&mut self, warning: Warning) {
        if self.started {
            self.warning(warning);
        } else {
            self.early = Some(Box::new(warning));
        }
    }

    /// Passes on an event of the protocol that belongs to no part.
    pub fn other(&mut self, custom: Custom) {
        self.emit(|| Event::other(custom));
    }

    /// Ends the answer, and every part that is still open. What comes after it is ignored.
    pub fn finish(&mut self, finish: Finish) {
        self.close_all();
        self.emit(|| Event::finish(finish));
        self.finished = true;
    }

    /// Whether the answer has ended.
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// Takes the next event.
    pub fn poll(&mut self) -> Option<Event> {
        self.queue.pop_front()
    }

    /// Makes room for events.
    pub(crate) fn reserve(&mut self, events: usize) {
        self.queue.reserve(events);
    }

    /// How many events wait to be taken.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// The delta that came since so many events were waiting, if nothing else came but a report of figures behind it,
    /// where that is allowed.
    pub(crate) fn only_delta(&self, before: usize, with_figures: bool) -> Option<&Event> {
        let mut new = self.queue.range(before..);
        let delta = new.next()?;
        let rest_fits = match new.next() {
            None => true,
            Some(Event::Usage(_)) => with_figures && new.next().is_none(),
            Some(_) => false,
        };
        rest_fits.then_some(delta)
    }

    /// Passes on a frame as it came.
    pub(crate) fn raw(&mut self, frame: Frame) {
        self.queue.push_back(Event::raw(frame));
    }

    fn emit(&mut self, event: impl FnOnce() -> Event) -> bool {
        if self.finished {
            return false;
        }
        self.start(Start::default());
        self.queue.push_back(event());
        true
    }
}

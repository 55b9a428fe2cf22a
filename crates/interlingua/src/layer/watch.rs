use std::fmt;

use interlingua_model::{Error, Event, Fold, Response, Usage};

use crate::Meta;
use crate::layer::Teller;

/// Watches an answer; see [`Events::watch`](crate::Events::watch).
///
/// It is dropped when the end was handed out, or with an answer that nobody wants any more: what was not ended until
/// then was cancelled.
pub trait Watch: Send {
    /// Sees an event as it is handed out.
    fn event(&mut self, event: &Event) {
        let _ = event;
    }

    /// Sees the end, at most once: right after the finish, or before the error is handed out.
    fn end(&mut self, end: &End<'_>) {
        let _ = end;
    }
}

/// The end of an answer.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    fold: &'a Fold,
    meta: &'a Meta,
    error: Option<&'a Error>,
}

impl<'a> End<'a> {
    /// The error; `None` when the answer is whole.
    pub const fn error(&self) -> Option<&'a Error> {
        self.error
    }

    /// What is known of the call.
    pub const fn meta(&self) -> &'a Meta {
        self.meta
    }

    /// What the answer used, as far as it was told.
    pub const fn usage(&self) -> &'a Usage {
        self.fold.usage()
    }

    /// The answer as it stands, assembled from the events.
    pub fn response(&self) -> Response {
        self.fold.response()
    }
}

/// Those who watch an answer, the innermost first, and who tells what they say.
#[derive(Default)]
pub(crate) struct Watches {
    all: Vec<Box<dyn Watch>>,
    teller: Option<Teller>,
}

impl Watches {
    pub(crate) fn add(&mut self, watch: Box<dyn Watch>) {
        self.all.push(watch);
    }

    pub(crate) fn tell_by(&mut self, teller: Teller, meta: &mut Meta) {
        meta.notices.extend(teller.take());
        self.teller = Some(teller);
    }

    pub(crate) fn event(&mut self, event: &Event) {
        for watch in &mut self.all {
            watch.event(event);
        }
    }

    pub(crate) fn end(&mut self, fold: &Fold, meta: &mut Meta, error: Option<&Error>) {
        for mut watch in std::mem::take(&mut self.all) {
            watch.end(&End { fold, meta, error });
        }
        if let Some(teller) = &self.teller {
            meta.notices.extend(teller.take());
        }
    }
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watches").field("all", &self.all.len()).finish_non_exhaustive()
    }
}

//! Parts that overlap, one after another.

use std::collections::VecDeque;

use interlingua_model::Event;

/// Puts the events of parts in turn: what arrives for a later part waits until the earlier one has ended.
///
/// It is for protocols in which parts follow each other and nothing says which one is meant.
#[derive(Debug, Default)]
pub(crate) struct InTurn {
    current: Option<u32>,
    waiting: VecDeque<(u32, Vec<Event>)>,
}

impl InTurn {
    /// Takes the next event of a part, and hands on those that are in turn.
    pub(crate) fn push(&mut self, at: u32, event: &Event, each: &mut dyn FnMut(&Event)) {
        if self.current.is_some_and(|current| current != at) {
            match self.waiting.iter_mut().find(|(waiting, _)| *waiting == at) {
                Some((_, events)) => events.push(event.clone()),
                None => self.waiting.push_back((at, vec![event.clone()])),
            }
            return;
        }
        self.current = Some(at);
        each(event);
        let mut has_ended = matches!(event, Event::Close { .. });
        while has_ended {
            self.current = None;
            let Some((next, events)) = self.waiting.pop_front() else { return };
            self.current = Some(next);
            events.iter().for_each(&mut *each);
            has_ended = matches!(events.last(), Some(Event::Close { .. }));
        }
    }

    /// Hands on all that still waits.
    pub(crate) fn end(&mut self, each: &mut dyn FnMut(&Event)) {
        for (_, events) in self.waiting.drain(..) {
            events.iter().for_each(&mut *each);
        }
    }
}

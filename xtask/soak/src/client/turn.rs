//! One question, and what becomes of it.

use std::time::Duration;

use interlingua::wire::Mode;
use interlingua::{Answer, Assistant, Delta, Error, Event, Events, Options, Request};
use tokio::time::{sleep, timeout};

use super::Shared;
use super::check::Check;
use crate::ledger::Outcome;
use crate::nonce::Nonce;

/// One question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn<'a> {
    pub(super) shared: &'a Shared,
    pub(super) request: &'a Request,
    pub(super) nonce: Nonce,
    pub(super) mode: Mode,
    pub(super) patience: Patience,
}

/// How the caller reads an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// To the end.
    Endless,
    /// To the end, with a pause after every event.
    Slow(Duration),
    /// So many events, and then it drops the call.
    Events(usize),
    /// So long, and then it drops the call, perhaps before there is an answer.
    Time(Duration),
}

/// What was heard of an answer, delta by delta.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Everything that was said, part after part. Parts of these answers do not overlap.
    pub(super) all: String,
    /// Whether the end was seen.
    pub(super) is_finished: bool,
}

/// How reading ended.
enum Ended {
    Whole(Box<Answer>),
    Dropped(Box<Assistant>),
    Failed(Error),
}

impl Turn<'_> {
    /// Asks, and holds what comes against what was said.
    pub(super) async fn ask(self) -> (Outcome, Option<Assistant>) {
        let mut heard = Heard::default();
        let ended = match self.patience {
            Patience::Time(time) => match timeout(time, self.read(&mut heard)).await {
                Ok(ended) => ended,
                Err(_) => return (Check::new(&self).dropped(&heard, None), None),
            },
            _ => self.read(&mut heard).await,
        };
        let check = Check::new(&self);
        match ended {
            Ended::Whole(answer) => {
                let Answer { response, meta, .. } = *answer;
                let number =
                    meta.headers.get("x-attempt").and_then(|value| value.to_str().ok()?.parse().ok());
                (check.answered(&heard, &response, number), Some(response.message))
            }
            Ended::Dropped(message) => (check.dropped(&heard, Some(&message)), None),
            Ended::Failed(error) => (check.failed(&heard, &error), None),
        }
    }

    async fn read(&self, heard: &mut Heard) -> Ended {
        let options = Options::default();
        let mut events = match self.shared.client.events_with(self.request, self.mode, &options).await {
            Ok(events) => events,
            Err(error) => return Ended::Failed(error),
        };
        let mut seen = 0;
        loop {
            if self.patience == Patience::Events(seen) {
                return Ended::Dropped(Box::new(events.message()));
            }
            match events.next().await {
                Some(Ok(event)) => heard.event(&event),
                Some(Err(error)) => return Ended::Failed(error),
                None => return whole(events).await,
            }
            seen += 1;
            if let Patience::Slow(pause) = self.patience {
                sleep(pause).await;
            }
        }
    }
}

async fn whole(events: Events) -> Ended {
    match events.into_answer().await {
        Ok(answer) => Ended::Whole(Box::new(answer)),
        Err(error) => Ended::Failed(error),
    }
}

impl Heard {
    /// Takes what came.
    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Delta { delta: Delta::Text(piece) | Delta::Input(piece), .. } => {
                self.all.push_str(piece.as_str());
            }
            Event::Finish(_) => self.is_finished = true,
            _ => {}
        }
    }
}

//! The calls of one answer, and what became of each.

use interlingua_model::{Error, ErrorKind, ToolCall, ToolResult};
use serde::{Deserialize, Serialize};

use super::Approval;
use crate::ToolOutput;

/// In the order of the message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Calls(Vec<Slot>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Slot {
    at: u32,
    call: ToolCall,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    New,
    /// It was handed out to be decided.
    Open,
    Allowed,
    Running,
    Done(ToolResult),
}

impl Calls {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn are_done(&self) -> bool {
        self.0.iter().all(|slot| matches!(slot.state, State::Done(_)))
    }

    pub(super) fn call(&self, at: u32) -> Option<&ToolCall> {
        self.0.iter().find(|slot| slot.at == at).map(|slot| &slot.call)
    }

    pub(super) fn undecided(&self) -> impl Iterator<Item = (u32, &ToolCall)> {
        let open = self.0.iter().filter(|slot| matches!(slot.state, State::New | State::Open));
        open.map(|slot| (slot.at, &slot.call))
    }

    /// Adds a call, unless it is there.
    pub(super) fn add(&mut self, at: u32, call: ToolCall) {
        let place = self.0.partition_point(|slot| slot.at < at);
        if self.0.get(place).is_none_or(|slot| slot.at != at) {
            self.0.insert(place, Slot { at, call, state: State::New });
        }
    }

    /// Forgets the calls that came early and are not among those of the whole answer.
    pub(super) fn keep(&mut self, calls: &[(u32, ToolCall)]) {
        self.0.retain(|slot| calls.iter().any(|(at, call)| (*at, call) == (slot.at, &slot.call)));
    }

    /// The next call to decide, or to start, which is told by `true`. Decisions come first, so that one who ends the run
    /// with the first of them ends it before anything has run.
    pub(super) fn hand_out(&mut self) -> Option<(u32, bool)> {
        let place = |state: &State| self.0.iter().position(|slot| slot.state == *state);
        let place = place(&State::New).or_else(|| place(&State::Allowed))?;
        let slot = self.0.get_mut(place)?;
        let starts = slot.state == State::Allowed;
        slot.state = if starts { State::Running } else { State::Open };
        Some((slot.at, starts))
    }

    pub(super) fn decide(&mut self, at: u32, approval: Approval) -> Result<(), Error> {
        let slot = self.slot(at)?;
        if !matches!(slot.state, State::New | State::Open) {
            return Err(wrong(at, "was decided before"));
        }
        slot.state = match approval {
            Approval::Run => State::Allowed,
            Approval::Deny(reason) => slot.done(ToolOutput::error(reason)),
            Approval::Answer(output) => slot.done(output),
            Approval::Stop => slot.done(ToolOutput::error(NEVER_RAN)),
        };
        Ok(())
    }

    pub(super) fn finish(&mut self, at: u32, output: ToolOutput) -> Result<(), Error> {
        let slot = self.slot(at)?;
        if slot.state != State::Running {
            return Err(wrong(at, "is not running"));
        }
        slot.state = slot.done(output);
        Ok(())
    }

    /// Ends those that have no result.
    pub(super) fn stop(&mut self) {
        for slot in &mut self.0 {
            match slot.state {
                State::New | State::Open | State::Allowed => {
                    slot.state = slot.done(ToolOutput::error(NEVER_RAN));
                }
                State::Running => slot.state = slot.done(ToolOutput::error(CUT)),
                State::Done(_) => {}
            }
        }
    }

    pub(super) fn restart(&mut self, harmless: impl Fn(&ToolCall) -> bool) {
        for slot in &mut self.0 {
            match slot.state {
                State::Open => slot.state = State::New,
                State::Running if harmless(&slot.call) => slot.state = State::Allowed,
                State::Running => slot.state = slot.done(ToolOutput::error(CUT)),
                State::New | State::Allowed | State::Done(_) => {}
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The results in the order of the calls.
    pub(super) fn take_results(&mut self) -> Vec<ToolResult> {
        let results = std::mem::take(&mut self.0).into_iter().filter_map(|slot| match slot.state {
            State::Done(result) => Some(result),
            _ => None,
        });
        results.collect()
    }

    fn slot(&mut self, at: u32) -> Result<&mut Slot, Error> {
        self.0.iter_mut().find(|slot| slot.at == at).ok_or_else(|| wrong(at, "is not under way"))
    }
}

const NEVER_RAN: &str = "the run was stopped before this ran";
const CUT: &str = "the run was stopped while this ran: it is not known whether it took effect";

impl Slot {
    fn done(&self, output: ToolOutput) -> State {
        State::Done(output.answer(&self.call))
    }
}

fn wrong(at: u32, what: &str) -> Error {
    Error::new(ErrorKind::InvalidRequest, format!("the call at place {at} {what}"))
}

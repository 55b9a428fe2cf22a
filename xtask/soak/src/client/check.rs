//! Holds what came against what was said, and what became of a call against what was done to it.

use interlingua::wire::Mode;
use interlingua::{Assistant, Error, ErrorKind, Response, ToolCall};

use super::RETRIES;
use super::turn::{Heard, Turn};
use crate::fault::{Fate, Fault};
use crate::ledger::Outcome;
use crate::nonce::Nonce;
use crate::said::{Said, TOOL};
use crate::server::same_json;

/// What should have come.
#[derive(Debug)]
pub(super) struct Check {
    said: Said,
    nonce: Nonce,
    seed: u64,
    mode: Mode,
    model: String,
}

impl Check {
    pub(super) fn new(turn: &Turn<'_>) -> Self {
        let (nonce, seed, mode) = (turn.nonce, turn.shared.seed, turn.mode);
        Self { said: Said::to(nonce), nonce, seed, mode, model: turn.request.model.clone() }
    }

    /// An answer that was taken as whole, and the attempt that brought it.
    pub(super) fn answered(&self, heard: &Heard, response: &Response, number: Option<u64>) -> Outcome {
        if let Err(what) = self.is_whole(heard, response) {
            return Outcome::Wrong(self.named(&format!("{what}: {response:.2000?}")));
        }
        let Some(number) = number else { return Outcome::Wrong(self.named("the head is of no attempt")) };
        let fault = Fault::of(self.seed, self.nonce, number);
        match fault.fate() {
            Fate::Whole => Outcome::Answered,
            Fate::Fails(_) => {
                Outcome::Swallowed(self.named(&format!("whole in spite of `{}`", fault.name())))
            }
        }
    }

    /// A call that the caller dropped.
    pub(super) fn dropped(&self, heard: &Heard, message: Option<&Assistant>) -> Outcome {
        let text = message.map(Assistant::text).unwrap_or_default();
        if self.is_beginning(heard) && self.said.text.concat().starts_with(&text) {
            Outcome::Cancelled
        } else {
            Outcome::Wrong(
                self.named(&format!("dropped, and what came before is not what was said: {:?}", heard.all)),
            )
        }
    }

    /// A call that failed.
    pub(super) fn failed(&self, heard: &Heard, error: &Error) -> Outcome {
        if !self.explains(error.kind()) {
            let done: Vec<_> = self.attempts().map(Fault::name).collect();
            return Outcome::Unexplained(self.named(&format!("{error} ({:?}) after {done:?}", error.kind())));
        }
        if let Err(what) = self.is_partial(heard, error.partial()) {
            return Outcome::Wrong(self.named(&format!("{what}: {error}, heard {:.2000?}", heard.all)));
        }
        match error.kind() {
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Truncated | ErrorKind::TooLarge => {
                Outcome::Cut
            }
            _ => Outcome::Refused,
        }
    }

    /// What was done to the attempts of this call, up to the one that could not fail.
    fn attempts(&self) -> impl Iterator<Item = Fault> {
        let mut over = false;
        (0..=u64::from(RETRIES)).map(|number| Fault::of(self.seed, self.nonce, number)).take_while(
            move |fault| {
                let is_reached = !over;
                over |= fault.fate() == Fate::Whole;
                is_reached
            },
        )
    }

    /// Whether something that was done makes such an error. A call that met a connection which was closed behind the answer
    /// of another has one attempt less, so where a single one is left it may end with that.
    fn explains(&self, kind: ErrorKind) -> bool {
        let failures: Vec<&[ErrorKind]> = self
            .attempts()
            .filter_map(|fault| match fault.fate() {
                Fate::Fails(kinds) => Some(kinds),
                Fate::Whole => None,
            })
            .collect();
        let is_exhausted = u32::try_from(failures.len()).is_ok_and(|count| count >= RETRIES);
        failures.iter().any(|kinds| kinds.contains(&kind)) || is_exhausted && kind == ErrorKind::Connect
    }

    fn is_whole(&self, heard: &Heard, response: &Response) -> Result<(), &'static str> {
        let said = &self.said;
        let calls: Vec<&ToolCall> = response.tool_calls().collect();
        let is_right = |holds: bool, what| if holds { Ok(()) } else { Err(what) };
        is_right(response.text() == said.text.concat(), "not the text that was said")?;
        is_right(response.reasoning() == said.reasoning.concat(), "not the reasoning that was said")?;
        is_right(response.message.parts.len() == said.parts(), "not the parts that were said")?;
        is_right(calls.len() == said.calls.len() && self.are_said(&calls), "not the calls that were said")?;
        is_right(
            (response.usage.input, response.usage.output) == (Some(said.usage.0), Some(said.usage.1)),
            "usage",
        )?;
        is_right(
            response.finish.as_ref().is_some_and(|finish| finish.reason == said.reason()),
            "not the finish",
        )?;
        is_right(heard.is_finished, "no finish was heard")?;
        // A whole answer brings each part at once, in its own spelling.
        is_right(self.mode == Mode::Whole || heard.all == self.in_order(), "not the deltas that were said")
    }

    /// What came before a failure must be the beginning of what was said, and be in the error.
    fn is_partial(&self, heard: &Heard, partial: Option<&Response>) -> Result<(), &'static str> {
        if !self.is_beginning(heard) {
            return Err("what came is not how it began");
        }
        let Some(partial) = partial else {
            return if heard.all.is_empty() { Ok(()) } else { Err("the error does not hold what had come") };
        };
        let (text, reasoning) = (partial.text(), partial.reasoning());
        let calls: Vec<&ToolCall> = partial.tool_calls().collect();
        if !heard.all.starts_with(&format!("{reasoning}{text}")) {
            return Err("the error holds something else than what had come");
        }
        if !self.said.text.concat().starts_with(&text)
            || !self.said.reasoning.concat().starts_with(&reasoning)
        {
            return Err("the error holds something else than what was said");
        }
        if !self.are_said(&calls) {
            return Err("a call that was cut was handed out");
        }
        if partial.finish.is_some() {
            return Err("an answer that failed has a finish");
        }
        Ok(())
    }

    fn is_beginning(&self, heard: &Heard) -> bool {
        self.mode == Mode::Whole || self.in_order().starts_with(&heard.all)
    }

    /// Everything that is said, in its order.
    fn in_order(&self) -> String {
        let Said { reasoning, text, calls, .. } = &self.said;
        let inputs = calls.iter().flat_map(|call| &call.input);
        reasoning.iter().chain(text).chain(inputs).map(String::as_str).collect()
    }

    fn are_said(&self, calls: &[&ToolCall]) -> bool {
        calls.iter().zip(&self.said.calls).all(|(call, said)| {
            call.id == said.id && call.name == TOOL && same_json(&call.input, &said.input.concat())
        })
    }

    fn named(&self, what: &str) -> String {
        format!("{} {} {:?}: {what}", self.nonce, self.model, self.mode)
    }
}

#[cfg(test)]
mod tests {
    use interlingua::wire::Protocol;
    use interlingua::{Delta, Event, Fold};

    use super::*;

    /// The check of a question whose attempts, from the first on, meet what is wanted.
    fn check(wanted: impl Fn(Fault) -> bool) -> Check {
        let mut all = (0..).map(|turn| Nonce { slot: 2, turn });
        let nonce = all.find(|nonce| {
            let said = Said::to(*nonce);
            wanted(Fault::of(1, *nonce, 0)) && said.calls.len() == 2 && said.text.len() > 3
        });
        let nonce = nonce.unwrap();
        Check { said: Said::to(nonce), nonce, seed: 1, mode: Mode::Stream, model: "m".to_owned() }
    }

    /// The check of a question whose first attempt meets nothing.
    fn sound() -> Check {
        check(|fault| fault == Fault::None)
    }

    /// What is heard when these events come.
    fn hear(events: &[Event]) -> (Heard, Response) {
        let (mut heard, mut fold) = (Heard::default(), Fold::new());
        for event in events {
            heard.event(event);
            fold.push(event);
        }
        (heard, fold.response())
    }

    fn deltas(events: &[Event]) -> Vec<usize> {
        let is_text =
            |event: &Event| matches!(event, Event::Delta { delta: Delta::Text(_) | Delta::Input(_), .. });
        (0..events.len()).filter(|at| is_text(&events[*at])).collect()
    }

    #[test]
    fn what_was_said_is_answered_and_a_cut_attempt_cannot_bring_it() {
        let good = sound();
        let (heard, response) = hear(&good.said.events(Protocol::OpenaiChat));
        assert_eq!(good.answered(&heard, &response, Some(0)), Outcome::Answered);
        assert!(matches!(good.answered(&heard, &response, None), Outcome::Wrong(_)));
        let cut = check(|fault| fault == Fault::End);
        let (heard, response) = hear(&cut.said.events(Protocol::OpenaiChat));
        assert!(matches!(cut.answered(&heard, &response, Some(0)), Outcome::Swallowed(_)));
    }

    #[test]
    fn a_delta_that_is_lost_doubled_or_moved_is_wrong() {
        let check = sound();
        let events = check.said.events(Protocol::OpenaiChat);
        let places = deltas(&events);
        for pair in places.windows(2) {
            let [one, two] = [pair[0], pair[1]];
            let (mut lost, mut doubled, mut moved) = (events.clone(), events.clone(), events.clone());
            lost.remove(one);
            doubled.insert(one, events[one].clone());
            moved.swap(one, two);
            for changed in [lost, doubled, moved] {
                let (heard, response) = hear(&changed);
                assert!(
                    matches!(check.answered(&heard, &response, Some(0)), Outcome::Wrong(_)),
                    "{changed:?}"
                );
            }
        }
    }

    #[test]
    fn the_answer_to_another_question_is_wrong() {
        let check = sound();
        let other = Said::to(Nonce { slot: 3, turn: 0 });
        let (heard, response) = hear(&other.events(Protocol::OpenaiChat));
        assert!(matches!(check.answered(&heard, &response, Some(0)), Outcome::Wrong(_)));
        assert!(matches!(check.dropped(&heard, None), Outcome::Wrong(_)));
    }

    #[test]
    fn an_error_must_have_its_cause_and_hold_what_had_come() {
        let check = check(|fault| fault == Fault::Close);
        let events = check.said.events(Protocol::OpenaiChat);
        let begun = &events[..deltas(&events)[2]];
        let (heard, response) = hear(begun);
        let cut = || Error::new(ErrorKind::Truncated, "cut");
        assert_eq!(check.failed(&heard, &cut().with_partial(response.clone())), Outcome::Cut);
        assert!(matches!(check.failed(&heard, &cut()), Outcome::Wrong(_)), "nothing in the error");
        let blue = Error::new(ErrorKind::NotFound, "out of the blue").with_partial(response);
        assert!(matches!(check.failed(&heard, &blue), Outcome::Unexplained(_)));
        let sound = sound();
        assert!(matches!(sound.failed(&Heard::default(), &cut()), Outcome::Unexplained(_)));
    }

    #[test]
    fn a_call_that_was_cut_must_not_be_handed_out() {
        let check = check(|fault| fault == Fault::Close);
        let events = check.said.events(Protocol::OpenaiChat);
        let (heard, response) = hear(&events);
        let mut broken = response;
        broken.finish = None;
        for part in &mut broken.message.parts {
            if let interlingua::Output::ToolCall(call) = part {
                call.input = interlingua::Json::from_text("{}");
            }
        }
        let error = Error::new(ErrorKind::Truncated, "cut").with_partial(broken);
        assert!(matches!(check.failed(&heard, &error), Outcome::Wrong(_)));
    }
}

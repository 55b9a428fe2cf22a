//! One conversation after another, in one place.

use std::sync::Arc;
use std::time::Duration;

use interlingua::wire::{Mode, Protocol};
use interlingua::{FunctionTool, Json, Message, Output, Request, ToolResult};
use tokio::time::{Instant, sleep};

use super::Shared;
use super::turn::{Patience, Turn};
use crate::dice::Dice;
use crate::ledger::Outcome;
use crate::nonce::Nonce;
use crate::said::{Said, TOOL};
use crate::server::output;

/// What a conversation remembers.
#[derive(Debug)]
pub(super) struct Conversation {
    shared: Arc<Shared>,
    next: Nonce,
    history: Vec<Message>,
    /// The calls that wait for their results.
    calls: Vec<String>,
    /// The turns that are left before another conversation begins.
    left: usize,
    protocol: Protocol,
}

impl Conversation {
    /// The first one of a place.
    pub(super) fn new(shared: Arc<Shared>, slot: u64) -> Self {
        let (history, calls) = (Vec::new(), Vec::new());
        Self {
            shared,
            next: Nonce { slot, turn: 0 },
            history,
            calls,
            left: 0,
            protocol: Protocol::OpenaiChat,
        }
    }

    /// Goes on until time is up.
    pub(super) async fn hold(mut self) {
        while Instant::now() < self.shared.end {
            let nonce = self.next;
            self.next.turn += 1;
            let mut dice = Dice::of(&[self.shared.seed, nonce.slot, nonce.turn, u64::MAX]);
            sleep(milliseconds(&mut dice, 400)).await;
            self.begin(&mut dice);
            self.turn(nonce, &mut dice).await;
        }
    }

    /// Begins another conversation when this one is long enough, and moves to another protocol now and then.
    fn begin(&mut self, dice: &mut Dice) {
        if self.left == 0 {
            self.left = dice.between(2, 10);
            self.history.clear();
            self.calls.clear();
            self.shared.ledger().conversations += 1;
        }
        self.left -= 1;
        if self.history.is_empty() || dice.once_in(8) {
            self.protocol = dice.pick(&Protocol::ALL).copied().unwrap_or(self.protocol);
        }
    }

    async fn turn(&mut self, nonce: Nonce, dice: &mut Dice) {
        let question = self.question(nonce, dice);
        let mode = if dice.once_in(4) { Mode::Whole } else { Mode::Stream };
        let request = self.request(&question);
        let turn =
            Turn { shared: &self.shared, request: &request, nonce, mode, patience: patience(mode, dice) };
        self.shared.ledger().sent += 1;
        let (outcome, answer) = turn.ask().await;
        let is_answered = outcome == Outcome::Answered;
        self.shared.ledger().enter(outcome);
        let Some(answer) = answer.filter(|_| is_answered) else { return };
        let calls = answer.parts.iter().filter_map(|part| match part {
            Output::ToolCall(call) => Some(call.id.clone()),
            _ => None,
        });
        self.calls = calls.collect();
        self.history.extend([question, Message::Assistant(answer)]);
        if Said::to(nonce).is_huge {
            self.left = 0;
        }
    }

    /// What is said next: the results of the calls that wait for them, or something new.
    fn question(&self, nonce: Nonce, dice: &mut Dice) -> Message {
        if self.calls.is_empty() {
            return Message::user(format!("{nonce} {}", "And then? ".repeat(dice.between(1, 40))));
        }
        let results = self.calls.iter().map(|call| ToolResult::new(call, TOOL, output(nonce, call)));
        Message::tool_results(results)
    }

    fn request(&self, question: &Message) -> Request {
        let schema = Json::from_text(r#"{"type":"object","properties":{"of":{"type":"string"}}}"#);
        let tool = FunctionTool::new(TOOL, "Looks something up.", schema);
        let mut request = Request::new(format!("{}/model-1", self.protocol.id())).system("Be thorough.");
        request.messages.extend(self.history.iter().cloned());
        request.message(question.clone()).max_output(4_096).tool(tool)
    }
}

/// How the caller reads: to the end, slowly, or not to the end.
fn patience(mode: Mode, dice: &mut Dice) -> Patience {
    match (dice.between(1, 60), mode) {
        (1..=4, Mode::Stream) => Patience::Events(dice.between(0, 60)),
        (5..=6, _) | (1..=4, Mode::Whole) => Patience::Time(milliseconds(dice, 60)),
        (7..=8, Mode::Stream) => Patience::Slow(Duration::from_millis(3)),
        _ => Patience::Endless,
    }
}

fn milliseconds(dice: &mut Dice, most: usize) -> Duration {
    Duration::from_millis(u64::try_from(dice.between(0, most)).unwrap_or(0))
}

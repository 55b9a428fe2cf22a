//! What is said in answer to a question: it follows from the mark of the question alone, so both sides know it.

use interlingua::wire::Protocol;
use interlingua::{
    Delta, Event, Extra, Finish, FinishReason, Json, Output, Reasoning, Start, Text, ToolCall, Usage,
};

use crate::dice::Dice;
use crate::nonce::Nonce;

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// Pieces of reasoning.
    pub(crate) reasoning: Vec<String>,
    /// Pieces of text.
    pub(crate) text: Vec<String>,
    /// Calls of a tool.
    pub(crate) calls: Vec<Called>,
    /// Tokens in and out.
    pub(crate) usage: (u64, u64),
    /// Whether it is so long that a conversation ends with it.
    pub(crate) is_huge: bool,
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Called {
    /// The id of the call.
    pub(crate) id: String,
    /// The arguments, in pieces.
    pub(crate) input: Vec<String>,
}

/// The tool that is offered and called.
pub(crate) const TOOL: &str = "look_up";

/// Words that are hard to carry: quotes, line ends of every kind, frames within frames, letters of several bytes.
const WORDS: [&str; 16] = [
    "plain",
    " ",
    "\"quoted\"",
    "back\\slash",
    "line\nend",
    "line\r\nend",
    "data: [DONE]\n\n",
    "event: x\ndata: {}\n\n",
    "{\"choices\":[]}",
    "Málaga",
    "日本語",
    "🌍🌒",
    "\u{2028}",
    "\u{0}\u{1b}",
    "</script>",
    "\\u00e9",
];

impl Said {
    /// What is said to this question.
    pub(crate) fn to(nonce: Nonce) -> Self {
        let mut dice = nonce.dice(1);
        let is_huge = dice.once_in(150);
        let calls = if is_huge { 0 } else { [0, 0, 1, 2].get(dice.between(0, 3)).copied().unwrap_or(0) };
        let reasoning = if dice.once_in(3) { pieces(&mut dice, nonce, "thought", 12) } else { Vec::new() };
        let mut text =
            if calls == 0 || dice.once_in(2) { pieces(&mut dice, nonce, "word", 60) } else { Vec::new() };
        if is_huge {
            text.push("long, ".repeat(dice.between(20_000, 120_000)));
            text.push(format!("the end of {nonce}"));
        }
        let calls = (0..calls).map(|number| Called::new(&mut dice, nonce, number)).collect();
        let usage = (dice.next() % 100_000 + 1, dice.next() % 1_000 + 1);
        Self { reasoning, text, calls, usage, is_huge }
    }

    /// The events of the answer. Only the seal of reasoning depends on the protocol.
    pub(crate) fn events(&self, protocol: Protocol) -> Vec<Event> {
        let mut events = vec![Event::start(Start::new(None, Some("model-1".to_owned())))];
        let mut at = 0;
        let mut part = |open: Output, deltas: Vec<Delta>| {
            events.push(Event::open(at, open));
            events.extend(deltas.into_iter().map(|delta| Event::delta(at, delta)));
            events.push(Event::close(at));
            at += 1;
        };
        if !self.reasoning.is_empty() {
            let mut deltas: Vec<Delta> =
                self.reasoning.iter().map(|piece| Delta::text(piece.as_str())).collect();
            deltas.extend(seal(protocol));
            part(Output::Reasoning(Reasoning::default()), deltas);
        }
        if !self.text.is_empty() {
            part(
                Output::Text(Text::default()),
                self.text.iter().map(|piece| Delta::text(piece.as_str())).collect(),
            );
        }
        for call in &self.calls {
            let open = ToolCall::new(&*call.id, TOOL, Json::from_text(""));
            part(
                Output::ToolCall(open),
                call.input.iter().map(|piece| Delta::input(piece.as_str())).collect(),
            );
        }
        events.push(Event::usage(self.used()));
        events.push(Event::finish(Finish::new(self.reason())));
        events
    }

    /// How many parts the answer has.
    pub(crate) fn parts(&self) -> usize {
        usize::from(!self.reasoning.is_empty()) + usize::from(!self.text.is_empty()) + self.calls.len()
    }

    /// How the answer ends.
    pub(crate) fn reason(&self) -> FinishReason {
        if self.calls.is_empty() { FinishReason::Stop } else { FinishReason::ToolUse }
    }

    fn used(&self) -> Usage {
        let mut usage = Usage::default();
        (usage.input, usage.output) = (Some(self.usage.0), Some(self.usage.1));
        usage
    }
}

impl Called {
    fn new(dice: &mut Dice, nonce: Nonce, number: usize) -> Self {
        let words: Vec<String> = pieces(dice, nonce, "argument", 12);
        let input =
            serde_json::json!({ "of": nonce.to_string(), "call": number, "words": words }).to_string();
        let id = format!("call_{}_{}_{number}", nonce.slot, nonce.turn);
        Self { id, input: split(dice, &input) }
    }
}

/// Some protocols carry back only reasoning that is sealed.
fn seal(protocol: Protocol) -> Option<Delta> {
    let name = match protocol {
        Protocol::Anthropic => "signature",
        Protocol::OpenaiResponses => "encrypted_content",
        _ => return None,
    };
    Some(Delta::extra(Extra::of(protocol.id(), name, Json::string("c2VhbGVk/+=="))))
}

/// Numbered pieces that belong to one question: one that is lost, doubled or out of place is seen.
fn pieces(dice: &mut Dice, nonce: Nonce, kind: &str, most: usize) -> Vec<String> {
    let count = dice.between(1, most);
    let piece = |number| {
        let word = dice.pick(&WORDS).copied().unwrap_or_default();
        format!("{word} {kind} {number} of {nonce} ")
    };
    (0..count).map(piece).collect()
}

/// Splits a text anywhere between two letters.
fn split(dice: &mut Dice, text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for letter in text.chars() {
        if dice.once_in(24) {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(letter);
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_follows_from_the_mark_and_differs_from_every_other() {
        let nonce = Nonce { slot: 3, turn: 9 };
        assert_eq!(Said::to(nonce), Said::to(nonce));
        assert_ne!(Said::to(nonce), Said::to(Nonce { slot: 9, turn: 3 }));
    }

    #[test]
    fn there_are_answers_of_every_kind() {
        let all: Vec<Said> = (0..2_000).map(|turn| Said::to(Nonce { slot: 0, turn })).collect();
        assert!(all.iter().any(|said| said.is_huge));
        for calls in 0..3 {
            assert!(all.iter().any(|said| said.calls.len() == calls && !said.reasoning.is_empty()));
        }
        assert!(all.iter().all(|said| !said.text.is_empty() || !said.calls.is_empty()));
    }

    #[test]
    fn the_arguments_of_a_call_are_json() {
        let calls = (0..200).flat_map(|turn| Said::to(Nonce { slot: 1, turn }).calls);
        assert!(calls.map(|call| Json::from_text(call.input.concat())).all(|input| input.is_object()));
    }
}

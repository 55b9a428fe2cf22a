use std::ops::Range;

use interlingua_model::{Input, Message, Request, ToolChoice};

/// When and how a long history is made shorter, between two turns.
///
/// The instructions and the first thing that the user said stay, and so do the newest messages; what lies between goes.
/// A call and its result stay or go together.
///
/// ```
/// use interlingua::Compaction;
///
/// let forget = Compaction::above_messages(200).keep(40);
/// let summarize = Compaction::above_tokens(100_000).keep(20).summary(Some("openai/gpt-6-luna"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compaction {
    above: Above,
    keep: usize,
    summary: Option<Summary>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Above {
    Messages(usize),
    Tokens(u64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Summary {
    /// The model that writes it, if not the one of the run.
    model: Option<String>,
}

/// What the model is told when it is to write the summary.
const INSTRUCTION: &str = "Summarize the conversation so far for yourself, since what lies between its first message and \
    this one will be removed. Keep every fact, decision, name, number and open task that is needed to go on. Answer \
    with the summary alone.";
const HEADING: &str = "Summary of what was said and done since:\n\n";

impl Compaction {
    /// When there are more messages than this.
    pub const fn above_messages(messages: usize) -> Self {
        Self { above: Above::Messages(messages), keep: 10, summary: None }
    }

    /// When the request has more tokens than this, by [estimate](Request::estimate_tokens).
    pub const fn above_tokens(tokens: u64) -> Self {
        Self { above: Above::Tokens(tokens), keep: 10, summary: None }
    }

    /// Sets how many of the newest messages stay, 10 by default; a few more do where a call and its result would be
    /// parted.
    #[must_use]
    pub const fn keep(mut self, messages: usize) -> Self {
        self.keep = messages;
        self
    }

    /// Has a model write a summary of what goes: the one that is named, or that of the run. When it fails, the run goes
    /// on with the whole history.
    #[must_use]
    pub fn summary(mut self, model: Option<&str>) -> Self {
        self.summary = Some(Summary { model: model.map(ToOwned::to_owned) });
        self
    }

    /// The messages that go now, if any do.
    pub(super) fn plan(&self, request: &Request) -> Option<Range<usize>> {
        let messages = &request.messages;
        let is_long = match self.above {
            Above::Messages(most) => messages.len() > most,
            Above::Tokens(most) => request.estimate_tokens() > most,
        };
        if !is_long {
            return None;
        }
        let start = 1 + messages.iter().position(|message| matches!(message, Message::User(_)))?;
        let tail = messages.len().saturating_sub(self.keep).max(start);
        let end = (start + 1..=tail).rev().find(|at| messages.get(*at).is_some_and(begins))?;
        Some(start..end)
    }

    /// The request that asks for a summary of the messages that go; `None` when they go without.
    pub(super) fn question(&self, request: &Request, gone: &Range<usize>) -> Option<Request> {
        let summary = self.summary.as_ref()?;
        let mut asked = request.clone();
        asked.messages.truncate(gone.end);
        asked.messages.push(Message::user(INSTRUCTION));
        asked.format = None;
        asked.tool_choice = (!asked.tools.is_empty()).then_some(ToolChoice::None);
        if let Some(model) = &summary.model {
            asked.model.clone_from(model);
        }
        Some(asked)
    }

    /// Takes the messages out, and puts the summary in their place.
    pub(super) fn cut(request: &mut Request, gone: Range<usize>, summary: Option<&str>) {
        let note = summary.map(|summary| Message::user(format!("{HEADING}{summary}")));
        request.messages.splice(gone, note);
    }
}

/// Whether a history may be cut before this message: it does not answer calls of the message before.
fn begins(message: &Message) -> bool {
    match message {
        Message::User(user) => !user.parts.iter().any(|part| matches!(part, Input::ToolResult(_))),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use interlingua_model::{Assistant, Json, Output, ToolCall, ToolResult};

    /// Instructions, a question, and rounds of a call and its result.
    fn request(rounds: usize) -> Request {
        let mut request = Request::new("test/m").system("Be short.").user("Begin.");
        for round in 0..rounds {
            let call = ToolCall::new(format!("c{round}"), "f", Json::object());
            let result = ToolResult::new(format!("c{round}"), "f", "ok");
            request.messages.push(Assistant::new(vec![Output::ToolCall(call)]).into());
            request.messages.push(Message::tool_results([result]));
        }
        request
    }

    #[test]
    fn calls_and_results_stay_together() {
        for keep in 0..30 {
            for rounds in 0..12 {
                let mut request = request(rounds);
                let before = request.messages.len();
                let Some(gone) = Compaction::above_messages(4).keep(keep).plan(&request) else { continue };
                assert_eq!(gone.start, 2, "the beginning stays");
                assert!(before - gone.end >= keep, "{keep} of {before} stay, and {gone:?} goes");
                assert!(gone.len().is_multiple_of(2), "{gone:?} parts a call from its result");
                Compaction::cut(&mut request, gone.clone(), None);
                assert_eq!(request.messages.len(), before - gone.len());
            }
        }
    }

    #[test]
    fn a_short_history_stays() {
        assert_eq!(Compaction::above_messages(22).plan(&request(10)), None);
        assert_eq!(Compaction::above_tokens(1_000_000).plan(&request(10)), None);
        assert!(Compaction::above_tokens(1).keep(2).plan(&request(10)).is_some());
    }

    #[test]
    fn a_summary_is_asked_for_without_calls() {
        let compaction = Compaction::above_messages(4).keep(2).summary(Some("test/small"));
        let mut request = request(10);
        let gone = compaction.plan(&request).unwrap();
        let asked = compaction.question(&request, &gone).unwrap();
        assert_eq!((asked.model.as_str(), asked.messages.len()), ("test/small", gone.end + 1));
        Compaction::cut(&mut request, gone, Some("it went well"));
        assert_eq!(request.messages.len(), 5);
        assert_eq!(request.messages[2], Message::user(format!("{HEADING}it went well")));
    }
}

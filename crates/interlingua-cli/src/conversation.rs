//! A conversation that stays sound whenever it is stopped.

use interlingua::{Assistant, Events, Message, Output, ToolCall, ToolResult, User};

/// The messages so far, and what is under way.
///
/// An answer that is stopped keeps its text, and every call of a tool gets a result, so that the conversation can
/// always go on.
#[derive(Default)]
pub(crate) struct Conversation {
    messages: Vec<Message>,
    running: Option<Events>,
    calls: Vec<ToolCall>,
    results: Vec<ToolResult>,
}

impl Conversation {
    /// The messages, oldest first.
    pub(crate) fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// Adds what the user says.
    pub(crate) fn ask(&mut self, user: User) {
        self.settle();
        self.messages.push(user.into());
    }

    /// Takes the last question back, and everything after it.
    pub(crate) fn take_back(&mut self) -> Option<User> {
        self.settle();
        let at = self.messages.iter().rposition(is_question)?;
        match self.messages.drain(at..).next() {
            Some(Message::User(user)) => Some(user),
            _ => None,
        }
    }

    /// An answer begins to come.
    pub(crate) fn begin(&mut self, events: Events) {
        self.running = Some(events);
    }

    /// The answer that is coming.
    pub(crate) fn running(&mut self) -> Option<&mut Events> {
        self.running.as_mut()
    }

    /// The answer has come to its end.
    pub(crate) fn end(&mut self) -> Option<Events> {
        self.running.take()
    }

    /// Adds a whole answer, whose calls are to be run now.
    pub(crate) fn answer(&mut self, message: Assistant, calls: Vec<ToolCall>) {
        self.messages.push(message.into());
        self.calls = calls;
    }

    /// The next call that has no result yet.
    pub(crate) fn next_call(&self) -> Option<ToolCall> {
        self.calls.get(self.results.len()).cloned()
    }

    /// Adds the result of that call.
    pub(crate) fn result(&mut self, result: ToolResult) {
        self.results.push(result);
        if self.results.len() >= self.calls.len() {
            self.calls.clear();
            self.messages.push(Message::tool_results(std::mem::take(&mut self.results)));
        }
    }

    /// Ends whatever is under way: keeps the text of a stopped answer, and says of calls that never ran that they did not.
    pub(crate) fn settle(&mut self) {
        if let Some(events) = self.running.take() {
            self.keep(events.message());
        }
        while let Some(call) = self.next_call() {
            let mut result =
                ToolResult::error(call.id, call.name, "the user stopped the answer before this call ran");
            result.kind = call.kind;
            self.result(result);
        }
    }

    /// Keeps the text of an answer that was stopped or cut. Its calls and its reasoning are not whole, so they go.
    pub(crate) fn keep(&mut self, mut partial: Assistant) {
        partial.parts.retain(|part| matches!(part, Output::Text(text) if !text.text.is_empty()));
        if !partial.parts.is_empty() {
            self.messages.push(partial.into());
        }
    }
}

/// Whether a message is one that the user wrote, and not the results of tools.
fn is_question(message: &Message) -> bool {
    let Message::User(user) = message else { return false };
    !user.parts.iter().all(|part| matches!(part, interlingua::Input::ToolResult(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use interlingua::{Json, Reasoning, Text};

    fn call(id: &str) -> ToolCall {
        ToolCall::new(id, "clock", Json::object())
    }

    #[test]
    fn calls_that_never_ran_are_answered() {
        let mut conversation = Conversation::default();
        conversation.ask(User::new(vec!["what time is it?".into()]));
        let calls = vec![call("1"), call("2")];
        conversation.answer(Assistant::new(calls.iter().cloned().map(Output::ToolCall).collect()), calls);
        conversation.result(ToolResult::new("1", "clock", "noon"));
        conversation.settle();
        let Some(Message::User(results)) = conversation.messages().last() else { panic!("no results") };
        assert_eq!(results.parts.len(), 2);
        assert!(conversation.next_call().is_none());
        assert_eq!(conversation.take_back(), Some(User::new(vec!["what time is it?".into()])));
        assert!(conversation.messages().is_empty());
    }

    #[test]
    fn of_a_cut_answer_the_text_stays() {
        let mut conversation = Conversation::default();
        conversation.keep(Assistant::new(vec![
            Output::Reasoning(Reasoning::new("hm")),
            Output::Text(Text::new("Once upon")),
            Output::ToolCall(call("1")),
        ]));
        assert_eq!(conversation.messages(), [Message::assistant("Once upon")]);
        conversation.keep(Assistant::new(vec![Output::ToolCall(call("1"))]));
        assert_eq!(conversation.messages().len(), 1);
    }
}

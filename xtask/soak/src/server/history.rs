//! Holds the conversation that came against what was said in it.

use interlingua::{Assistant, Error, Input, Json, Message, Output, Request, ToolResult, User};

use super::{asked, broken};
use crate::nonce::Nonce;
use crate::said::{Said, TOOL};

/// The question that a request asks last, when everything before it is as it was said.
///
/// # Errors
/// When a message is not what was said, or not where it was said.
pub(super) fn check(request: &Request) -> Result<Nonce, Error> {
    let mut last: Option<(Nonce, Said)> = None;
    let mut open: Option<Nonce> = None;
    for message in &request.messages {
        match message {
            Message::User(user) => {
                let nonce = question(user, last.as_ref())?;
                // Results of tools may come as one message or as several.
                if open.is_some_and(|open| open != nonce) {
                    return Err(broken(format!("{nonce} follows a question without an answer")));
                }
                open = Some(nonce);
            }
            Message::Assistant(assistant) => {
                let nonce = open.take().ok_or_else(|| broken("an answer without a question".to_owned()))?;
                let said = Said::to(nonce);
                repeated(assistant, &said)
                    .map_err(|what| broken(format!("{what} of {nonce} came back changed")))?;
                last = Some((nonce, said));
            }
            _ => {}
        }
    }
    open.ok_or_else(|| broken("nothing is asked".to_owned()))
}

/// The mark of a user's message, whose results belong to the calls before it.
fn question(user: &User, last: Option<&(Nonce, Said)>) -> Result<Nonce, Error> {
    let mut found = None;
    for part in &user.parts {
        let nonce = match part {
            Input::Text(text) => asked(&text.text)?,
            Input::ToolResult(result) => {
                let nonce = asked(&result.text())?;
                if !answers(result, nonce, last) {
                    return Err(broken(format!("a result of {nonce} belongs to no call")));
                }
                nonce
            }
            _ => return Err(broken("a part that nobody sent".to_owned())),
        };
        if found.replace(nonce).is_some_and(|other| other != nonce) {
            return Err(broken(format!("{nonce} is mixed with another question")));
        }
    }
    found.ok_or_else(|| broken("an empty message".to_owned()))
}

fn answers(result: &ToolResult, nonce: Nonce, last: Option<&(Nonce, Said)>) -> bool {
    let Some((_, said)) = last else { return false };
    said.calls.iter().any(|call| call.id == result.call && result.text() == output(nonce, &call.id))
}

/// What the tool of the client answers to a call.
pub(crate) fn output(nonce: Nonce, call: &str) -> String {
    format!("{nonce} found \"{call}\"\n✓")
}

/// Whether an answer came back as it was said. Reasoning goes back only where the protocol takes it.
fn repeated(assistant: &Assistant, said: &Said) -> Result<(), &'static str> {
    if assistant.text() != said.text.concat() {
        return Err("the text");
    }
    let calls: Vec<_> = assistant
        .parts
        .iter()
        .filter_map(|part| match part {
            Output::ToolCall(call) => Some(call),
            _ => None,
        })
        .collect();
    let same = calls.len() == said.calls.len()
        && calls.iter().zip(&said.calls).all(|(call, said)| {
            call.id == said.id && call.name == TOOL && same_json(&call.input, &said.input.concat())
        });
    if same { Ok(()) } else { Err("a call") }
}

/// Whether two texts are the same JSON.
pub(crate) fn same_json(one: &Json, other: &str) -> bool {
    let other = Json::from_text(other);
    matches!((one.to_value(), other.to_value()), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Nonce = Nonce { slot: 4, turn: 0 };
    const SECOND: Nonce = Nonce { slot: 4, turn: 1 };

    fn conversation(answer: String) -> Request {
        Request::new("m")
            .user(format!("Hi {FIRST}"))
            .message(Message::assistant(answer))
            .user(format!("Then {SECOND}"))
    }

    fn without_calls() -> Nonce {
        let mut all = (0..).map(|turn| Nonce { slot: 4, turn });
        all.find(|nonce| Said::to(*nonce).calls.is_empty()).unwrap()
    }

    #[test]
    fn a_conversation_is_what_was_said() {
        let nonce = without_calls();
        let said = Said::to(nonce).text.concat();
        let next = Nonce { slot: 4, turn: nonce.turn + 1 };
        let ask = |text: String| {
            let request = Request::new("m").user(format!("Hi {nonce}"));
            check(&request.message(Message::assistant(text)).user(format!("Then {next}")))
        };
        assert_eq!(ask(said.clone()).ok(), Some(next));
        assert!(ask(format!("{said} ")).is_err(), "a letter more");
        assert!(ask(said.replacen("of [", "of  [", 1)).is_err(), "a letter within");
    }

    #[test]
    fn a_question_of_another_conversation_is_seen() {
        assert!(check(&conversation("not what was said".to_owned())).is_err());
        assert!(check(&Request::new("m").user(format!("Hi {FIRST}")).user(format!("Hi {SECOND}"))).is_err());
        let result = ToolResult::new("call_9", TOOL, output(SECOND, "call_9"));
        assert!(check(&Request::new("m").message(Message::tool_results([result]))).is_err());
    }
}

//! What a target takes of a history. The fuzz targets hold it as well.

use std::collections::HashSet;

use interlingua_model::{Content, Extra, Input, Message, Output, Request, RunBy, Text, ToolResult};

/// Nothing is left that only another protocol knows.
pub(crate) fn assert_nothing_foreign(request: &Request, protocol: &str) {
    let foreign = |extra: &Extra| extra.protocols().any(|other| other != protocol);
    let text =
        |text: &Text| foreign(&text.extra) || text.citations.iter().any(|citation| foreign(&citation.extra));
    let result = |result: &ToolResult| {
        foreign(&result.extra)
            || result.content.iter().any(|part| match part {
                Content::Text(part) => text(part),
                Content::Media(media) => foreign(&media.extra),
                Content::Custom(custom) => custom.protocol != protocol,
                _ => false,
            })
    };
    let input = |part: &Input| match part {
        Input::Text(part) => text(part),
        Input::Media(media) => foreign(&media.extra),
        Input::ToolResult(part) => result(part),
        Input::Custom(custom) => custom.protocol != protocol,
        _ => false,
    };
    let output = |part: &Output| match part {
        Output::Text(part) => text(part),
        Output::Reasoning(reasoning) => foreign(&reasoning.extra),
        Output::Media(media) => foreign(&media.extra),
        Output::ToolCall(call) => foreign(&call.extra),
        Output::ToolResult(part) => result(part),
        Output::Custom(custom) => custom.protocol != protocol,
        _ => false,
    };
    for message in &request.messages {
        let is_foreign = match message {
            Message::System(system) => foreign(&system.extra) || system.parts.iter().any(input),
            Message::User(user) => foreign(&user.extra) || user.parts.iter().any(input),
            Message::Assistant(assistant) => foreign(&assistant.extra) || assistant.parts.iter().any(output),
            _ => false,
        };
        assert!(!is_foreign, "{message:?}");
    }
}

/// Every call is answered at once, every result has its call, and no call is partial.
pub(crate) fn assert_paired(request: &Request) {
    let mut open: HashSet<&str> = HashSet::new();
    for message in &request.messages {
        match message {
            Message::Assistant(assistant) => {
                assert!(open.is_empty(), "unanswered {open:?} in {request:#?}");
                for part in &assistant.parts {
                    if let Output::ToolCall(call) = part
                        && call.run_by == RunBy::Caller
                    {
                        assert!(!call.partial);
                        assert!(open.insert(&call.id), "{} twice", call.id);
                    }
                }
            }
            Message::User(user) => {
                for part in &user.parts {
                    match part {
                        Input::ToolResult(result) => {
                            assert!(open.remove(&*result.call), "{} orphan", result.call);
                        }
                        _ => assert!(open.is_empty(), "something before the results"),
                    }
                }
            }
            _ => assert!(open.is_empty(), "something before the results"),
        }
    }
    assert!(open.is_empty(), "unanswered {open:?}");
}

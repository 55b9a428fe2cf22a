//! What goes back to whom, for every pair of protocols, and what holds for any conversation.

use std::borrow::Cow;

use interlingua_model::{
    Assistant, Citation, Content, Custom, Extra, Input, Json, Media, Message, Origin, Output, Reasoning,
    Request, RunBy, Text, ToolCall, ToolResult, User, Warning, WarningKind,
};
use interlingua_wire::Protocol;
use interlingua_wire::replay::{Rules, prepare};
use proptest::prelude::*;

use super::fit::{assert_nothing_foreign, assert_paired};

fn origin(protocol: &str) -> Origin {
    Origin::new(protocol, format!("{protocol}-service"), "model-1")
}

fn custom(protocol: &str, kind: &str) -> Custom {
    serde_json::from_value(serde_json::json!({"protocol": protocol, "kind": kind, "value": {"x": 1}}))
        .unwrap()
}

fn call(id: &str, protocol: &str, run_by: RunBy) -> ToolCall {
    let mut call = ToolCall::new(id, "lookup", Json::from_text(r#"{"q":1}"#));
    call.run_by = run_by;
    call.extra = Extra::of(protocol, "id", Json::string("item_1"));
    call
}

/// A conversation with everything in it that is bound to its author.
fn rich(protocol: &str) -> Request {
    let sealed = |text: &str| {
        let mut reasoning = Reasoning::new(text);
        reasoning.extra = Extra::of(protocol, "signature", Json::string("seal"));
        Output::Reasoning(reasoning)
    };
    let mut text = Text::new("As found.");
    text.extra = Extra::of(protocol, "id", Json::string("msg_1"));
    let mut citation = Citation::new("web");
    citation.extra = Extra::of(protocol, "encrypted_index", Json::string("seal"));
    text.citations.push(citation);
    let mut first = Assistant::new(vec![
        sealed("I think."),
        sealed(""),
        Output::ToolCall(call("srv_1", protocol, RunBy::Provider)),
        Output::ToolResult(ToolResult::new("srv_1", "lookup", "found")),
        Output::Custom(custom(protocol, "mystery")),
        Output::Text(text),
        Output::ToolCall(call("call_1", protocol, RunBy::Caller)),
        Output::ToolCall(call("call_2", protocol, RunBy::Caller)),
    ]);
    first.origin = Some(origin(protocol));
    first.extra = Extra::of(protocol, "phase", Json::string("final"));
    let results = [ToolResult::new("call_1", "lookup", "one"), ToolResult::new("call_2", "lookup", "two")];
    let mut last = Assistant::new(vec![Output::Text(Text::new("Done."))]);
    last.origin = Some(origin(protocol));
    Request::new("model-1")
        .system("Be brief.")
        .user("Look it up.")
        .message(first)
        .message(Message::tool_results(results))
        .message(last)
        .user("Thanks.")
}

fn parts(request: &Request, message: usize) -> &[Output] {
    match &request.messages[message] {
        Message::Assistant(assistant) => &assistant.parts,
        other => panic!("{other:?}"),
    }
}

fn kinds(parts: &[Output]) -> Vec<&'static str> {
    let kind = |part: &Output| match part {
        Output::Text(_) => "text",
        Output::Reasoning(_) => "reasoning",
        Output::Media(_) => "media",
        Output::ToolCall(_) => "call",
        Output::ToolResult(_) => "result",
        _ => "custom",
    };
    parts.iter().map(kind).collect()
}

#[test]
fn every_pair_of_protocols() {
    for from in Protocol::ALL {
        for to in Protocol::ALL {
            let request = rich(from.id());
            let (found, warnings) = prepare(&request, &origin(to.id()), Rules::default());
            if from == to {
                assert!(
                    matches!(found, Cow::Borrowed(_)) && warnings.is_empty(),
                    "{from} to itself: {warnings:?}"
                );
                continue;
            }
            assert_eq!(kinds(parts(&found, 2)), ["text", "call", "call"], "{from} to {to}");
            assert_nothing_foreign(&found, to.id());
            let said: Vec<_> = warnings.iter().map(|warning| (warning.kind, &*warning.setting)).collect();
            let dropped = WarningKind::Dropped;
            let places = ["messages[2].parts[0]", "messages[2].parts[2]", "messages[2].parts[4]"];
            assert_eq!(said, places.map(|place| (dropped, place)), "{from} to {to}");
        }
    }
}

#[test]
fn another_model_of_the_same_provider() {
    for protocol in Protocol::ALL {
        let request = rich(protocol.id());
        let mut target = origin(protocol.id());
        "model-1-2026-11-01".clone_into(&mut target.model);
        let (found, _) = prepare(&request, &target, Rules::default());
        let expected: &[&str] = match protocol {
            Protocol::OpenaiChat | Protocol::Cohere | Protocol::Ollama => {
                &["reasoning", "reasoning", "call", "result", "custom", "text", "call", "call"]
            }
            Protocol::OpenaiResponses => &["custom", "text", "call", "call"],
            _ => &["call", "result", "custom", "text", "call", "call"],
        };
        assert_eq!(kinds(parts(&found, 2)), expected, "{protocol}");
        let has_ids = parts(&found, 2).iter().any(|part| match part {
            Output::Text(text) => text.extra.get(protocol.id(), "id").is_some(),
            Output::ToolCall(call) => call.extra.get(protocol.id(), "id").is_some(),
            _ => false,
        });
        assert_eq!(has_ids, protocol != Protocol::OpenaiResponses, "{protocol}");
    }
}

#[test]
fn seals_of_parts_that_are_no_reasoning_go_to_their_author_alone() {
    let mut call = ToolCall::new("call_1", "lookup", Json::object());
    call.extra = Extra::of("gemini", "thoughtSignature", Json::string("seal"));
    call.extra.set("gemini", "id", Json::from_text("null"));
    let mut said = Assistant::new(vec![Output::ToolCall(call)]);
    said.origin = Some(origin("gemini"));
    let request = Request::new("model-1").user("Look.").message(said);
    let request = request.message(Message::tool_results([ToolResult::new("call_1", "lookup", "one")]));
    let kept = |target: &Origin| {
        let (found, warnings) = prepare(&request, target, Rules::default());
        assert_eq!(warnings, []);
        let Output::ToolCall(call) = &parts(&found, 1)[0] else { panic!("{found:?}") };
        let has = |name| call.extra.get("gemini", name).is_some();
        (has("thoughtSignature"), has("id"))
    };
    assert_eq!(kept(&origin("gemini")), (true, true));
    assert_eq!(kept(&Origin::new("gemini", "gemini-service", "model-2")), (false, true));
    assert_eq!(kept(&Origin::new("gemini", "another-service", "model-1")), (false, false));
    assert_eq!(kept(&origin("anthropic")), (false, false));
}

#[test]
fn reasoning_becomes_text_when_the_rules_say_so() {
    let request = rich("anthropic");
    let rules = Rules::default().with_reasoning_as_text(true);
    let (found, warnings) = prepare(&request, &origin("openai_chat"), rules);
    assert_eq!(parts(&found, 2)[0], Output::Text(Text::new("I think.")));
    assert_eq!(kinds(parts(&found, 2)), ["text", "text", "call", "call"]);
    assert_eq!(
        warnings.iter().map(|warning| warning.kind).collect::<Vec<_>>()[..2],
        [WarningKind::Adjusted, WarningKind::Dropped]
    );
}

#[test]
fn a_message_without_an_origin() {
    let mut request = rich("anthropic");
    for message in &mut request.messages {
        if let Message::Assistant(assistant) = message {
            assistant.origin = None;
        }
    }
    let (found, _) = prepare(&request, &origin("anthropic"), Rules::default());
    assert_eq!(
        kinds(parts(&found, 2)),
        ["call", "result", "custom", "text", "call", "call"],
        "a result goes with its call"
    );
    let (found, warnings) =
        prepare(&request, &origin("anthropic"), Rules::default().with_trust_in_unknown(true));
    assert!(matches!(found, Cow::Borrowed(_)) && warnings.is_empty());
    let (found, _) =
        prepare(&request, &origin("openai_responses"), Rules::default().with_trust_in_unknown(true));
    assert_nothing_foreign(&found, "openai_responses");
}

#[test]
fn calls_and_results_are_paired() {
    use WarningKind::{Adjusted, Dropped};
    let mut cut = ToolCall::new("cut", "f", Json::from_text("{\"a"));
    cut.partial = true;
    let calls = ["a", "b", "c"].map(|id| Output::ToolCall(ToolCall::new(id, "f", Json::object())));
    let request = Request::new("m")
        .message(Assistant::new(calls.into_iter().chain([Output::ToolCall(cut)]).collect()))
        .message(User::new(vec![
            Input::from("meanwhile"),
            Input::ToolResult(ToolResult::new("c", "f", "3")),
            Input::ToolResult(ToolResult::new("nobody", "g", "4")),
            Input::ToolResult(ToolResult::new("cut", "f", "5")),
        ]))
        .user("and")
        .message(Message::tool_results([ToolResult::new("a", "f", "1")]));
    let (found, warnings) =
        prepare(&request, &origin("anthropic"), Rules::default().with_trust_in_unknown(true));
    assert_eq!(kinds(parts(&found, 0)), ["call", "call", "call"]);
    let expected = Message::tool_results([
        ToolResult::new("a", "f", "1"),
        ToolResult::error("b", "f", "no result"),
        ToolResult::new("c", "f", "3"),
    ]);
    assert_eq!(found.messages[1], expected);
    let texts = ["meanwhile", "Result of g:", "4", "Result of f:", "5"];
    assert_eq!(found.messages[2], Message::from(User::new(texts.map(Input::from).to_vec())));
    assert_eq!(found.messages[3], Message::user("and"));
    assert_eq!(found.messages.len(), 4, "a message of moved results alone is gone");
    let kinds: Vec<_> = warnings.iter().map(|warning| warning.kind).collect();
    assert_eq!(kinds, [Dropped, Adjusted, Adjusted, Adjusted], "{warnings:?}");
    assert!(warnings.iter().any(|warning| warning.detail.contains("2 times")), "grouped: {warnings:?}");
}

#[test]
fn results_of_a_conversation_that_lies_with_the_provider_stay() {
    let mut request = Request::new("m").message(Message::tool_results([ToolResult::new("call_9", "f", "x")]));
    request.extra.set("openai_responses", "previous_response_id", Json::string("resp_1"));
    assert!(matches!(prepare(&request, &origin("openai_responses"), Rules::default()).0, Cow::Borrowed(_)));
    let (found, warnings) = prepare(&request, &origin("anthropic"), Rules::default());
    assert!(matches!(found, Cow::Owned(_)) && warnings.len() == 1);
}

#[test]
fn results_in_several_messages_are_left_there() {
    let calls = ["a", "b"].map(|id| Output::ToolCall(ToolCall::new(id, "f", Json::object())));
    let request = Request::new("m")
        .message(Assistant::new(calls.to_vec()))
        .message(Message::tool_results([ToolResult::new("b", "f", "2")]))
        .message(Message::tool_results([ToolResult::new("a", "f", "1")]));
    assert!(matches!(prepare(&request, &origin("openai_chat"), Rules::default()).0, Cow::Borrowed(_)));
}

#[test]
fn ids_are_rewritten_in_calls_and_results() {
    let long = "x".repeat(100);
    let ids = ["functions.f:0", "", &long, "fine", "fine"];
    let calls = ids.map(|id| Output::ToolCall(ToolCall::new(id, "f", Json::object())));
    let results = ids.map(|id| ToolResult::new(id, "f", "x"));
    let request =
        Request::new("m").message(Assistant::new(calls.to_vec())).message(Message::tool_results(results));
    for (protocol, changed) in [("anthropic", 4), ("openai_responses", 3), ("openai_chat", 2), ("cohere", 2)]
    {
        let (found, warnings) = prepare(&request, &origin(protocol), Rules::default());
        let (again, _) = prepare(&request, &origin(protocol), Rules::default());
        assert_eq!(found, again);
        let Message::User(user) = &found.messages[1] else { panic!() };
        let calls: Vec<_> = parts(&found, 0)
            .iter()
            .map(|part| match part {
                Output::ToolCall(call) => &*call.id,
                _ => panic!(),
            })
            .collect();
        let results: Vec<_> = user
            .parts
            .iter()
            .map(|part| match part {
                Input::ToolResult(result) => &*result.call,
                _ => panic!(),
            })
            .collect();
        assert_eq!(calls, results, "{protocol}");
        assert_eq!(
            calls.iter().zip(ids).filter(|(new, old)| *new != old).count(),
            changed,
            "{protocol}: {calls:?}"
        );
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    }
}

fn any_extra() -> impl Strategy<Value = Extra> {
    prop_oneof![
        3 => Just(Extra::default()),
        1 => ("(anthropic|openai_chat|openai_responses)", "(id|signature)")
            .prop_map(|(protocol, name)| Extra::of(&protocol, &name, Json::string("v"))),
    ]
}

fn any_result() -> impl Strategy<Value = ToolResult> {
    ("(|a|b|c|d:e)", any_extra(), any::<bool>()).prop_map(|(id, extra, has_custom)| {
        let mut result = ToolResult::new(id, "f", "x");
        result.extra = extra;
        if has_custom {
            result.content.push(Content::Custom(custom("anthropic", "search_result")));
        }
        result
    })
}

fn any_call() -> impl Strategy<Value = ToolCall> {
    ("(|a|b|c|d:e)", any_extra(), 0..8u8).prop_map(|(id, extra, kind)| {
        let mut call = ToolCall::new(id, "f", Json::object());
        call.extra = extra;
        call.partial = kind == 0;
        if kind == 1 {
            call.run_by = RunBy::Provider;
        }
        call
    })
}

fn any_text() -> impl Strategy<Value = Text> {
    any_extra().prop_map(|extra| {
        let mut text = Text::new("words");
        text.extra = extra;
        text
    })
}

fn any_message() -> impl Strategy<Value = Message> {
    let protocol = "(anthropic|openai_chat|openai_responses)";
    let input = prop_oneof![
        any_text().prop_map(Input::Text),
        Just(Input::Media(Media::url("image/png", "https://example.com/x.png"))),
        any_result().prop_map(Input::ToolResult),
        any_result().prop_map(Input::ToolResult),
        protocol.prop_map(|protocol| Input::Custom(custom(&protocol, "thing"))),
    ];
    let output = prop_oneof![
        any_text().prop_map(Output::Text),
        ("(|thought)", any_extra()).prop_map(|(text, extra)| {
            let mut reasoning = Reasoning::new(text);
            reasoning.extra = extra;
            Output::Reasoning(reasoning)
        }),
        any_call().prop_map(Output::ToolCall),
        any_call().prop_map(Output::ToolCall),
        any_result().prop_map(Output::ToolResult),
        protocol.prop_map(|protocol| Output::Custom(custom(&protocol, "thing"))),
    ];
    let author = proptest::option::of((protocol, "(s|t)", "(m|n)"));
    prop_oneof![
        1 => any_extra().prop_map(|extra| {
            let mut user = User::new(vec![Input::from("hello")]);
            user.extra = extra;
            Message::from(user)
        }),
        1 => Just(Message::system("rules")),
        3 => proptest::collection::vec(input, 1..4).prop_map(|parts| Message::from(User::new(parts))),
        3 => (proptest::collection::vec(output, 1..5), author, any_extra()).prop_map(|(parts, author, extra)| {
            let mut assistant = Assistant::new(parts);
            assistant.origin = author.map(|(protocol, provider, model)| Origin::new(protocol, provider, model));
            assistant.extra = extra;
            Message::from(assistant)
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_conversation_is_made_fit(
        messages in proptest::collection::vec(any_message(), 0..8),
        protocol in "(anthropic|openai_chat|openai_responses|cohere|ollama)",
        text in any::<bool>(),
        trust in any::<bool>(),
    ) {
        let mut request = Request::new("m");
        request.messages = messages;
        request.max_output = Some(7);
        let target = Origin::new(&*protocol, "s", "m");
        let rules = Rules::default().with_reasoning_as_text(text).with_trust_in_unknown(trust);
        let (found, warnings) = prepare(&request, &target, rules);
        assert_nothing_foreign(&found, &protocol);
        if matches!(&*protocol, "anthropic" | "openai_responses") {
            assert_paired(&found);
        }
        prop_assert_eq!(found.max_output, Some(7));
        prop_assert!(warnings.len() <= 9);
        let (again, more) = prepare(&found, &target, rules);
        prop_assert!(matches!(again, Cow::Borrowed(_)), "{:#?}\nbecame\n{:#?}", found, again);
        prop_assert_eq!(more, Vec::<Warning>::new());
        if matches!(found, Cow::Borrowed(_)) {
            prop_assert!(warnings.is_empty(), "{warnings:?}");
        }
    }
}

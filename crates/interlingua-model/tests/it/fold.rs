//! How events become an answer.

use interlingua_model::{
    Citation, Custom, Data, Delta, ErrorKind, Event, Extra, Finish, FinishReason, Fold, Json, Media, Origin,
    Output, Reasoning, Response, RunBy, Source, Start, Text, ToolCall, ToolKind, ToolResult, Usage, Warning,
};
use proptest::prelude::*;

use crate::any;

fn fold(events: &[Event]) -> Fold {
    let mut fold = Fold::new();
    for event in events {
        fold.push(event);
    }
    fold
}

fn call(id: &str) -> Output {
    Output::ToolCall(ToolCall::new(id, "f", Json::from_text("")))
}

fn finish(reason: FinishReason) -> Event {
    Event::finish(Finish::new(reason))
}

fn partial(response: &Response) -> Vec<bool> {
    let calls = response.message.parts.iter().filter_map(|part| match part {
        Output::ToolCall(call) => Some(call.partial),
        _ => None,
    });
    calls.collect()
}

#[test]
fn parts_that_overlap_keep_their_order() {
    let events = [
        Event::start(Start::new(Some("id".into()), Some("m".into()))),
        Event::open(0, Output::Reasoning(Reasoning::default())),
        Event::open(1, call("a")),
        Event::open(2, call("b")),
        Event::delta(2, Delta::input("{\"y\":")),
        Event::delta(1, Delta::input("{\"x\":")),
        Event::delta(0, Delta::text("hm")),
        Event::delta(1, Delta::input(" 1}")),
        Event::delta(2, Delta::input("2 }")),
        Event::delta(0, Delta::extra(Extra::of("p", "signature", Json::string("seal")))),
        Event::close(1),
        Event::close(0),
        Event::close(2),
        finish(FinishReason::ToolUse),
    ];
    let response = fold(&events).into_response().unwrap();
    let inputs: Vec<_> = response.tool_calls().map(|call| call.input.as_str()).collect();
    assert_eq!(inputs, ["{\"x\": 1}", "{\"y\":2 }"], "verbatim");
    assert_eq!((&*response.reasoning(), response.id.as_deref()), ("hm", Some("id")));
    let Output::Reasoning(reasoning) = &response.message.parts[0] else { panic!() };
    assert_eq!(reasoning.extra, Extra::of("p", "signature", Json::string("seal")));
}

#[test]
fn a_call_that_was_cut_is_partial() {
    let open = [
        Event::start(Start::default()),
        Event::open(0, call("a")),
        Event::open(1, call("b")),
        Event::delta(0, Delta::input("{}")),
        Event::delta(1, Delta::input("{\"x")),
    ];
    let closed = [&open[..], &[Event::close(0), Event::close(1)]].concat();
    let with = |reason| [&closed[..], &[finish(reason)]].concat();
    assert_eq!(partial(&fold(&open).response()), [true, true], "still open");
    assert_eq!(partial(&fold(&closed).response()), [false, true], "no finish: the last may be cut");
    assert_eq!(partial(&fold(&with(FinishReason::Length)).response()), [false, true]);
    assert_eq!(
        partial(&fold(&with(FinishReason::ToolUse)).response()),
        [false, false],
        "sloppy, but said to be whole"
    );
    let response = fold(&with(FinishReason::Length)).into_response().unwrap();
    assert_eq!(
        response.tool_calls().map(|call| &*call.id).collect::<Vec<_>>(),
        ["a"],
        "a cut call is not handed out"
    );
}

#[test]
fn a_call_without_input_has_no_arguments() {
    let custom = |mut call: ToolCall| {
        call.kind = ToolKind::Custom;
        Output::ToolCall(call)
    };
    let mut served = ToolCall::new("s", "search", Json::from_text(""));
    served.run_by = RunBy::Provider;
    let events = [
        Event::start(Start::default()),
        Event::open(0, call("a")),
        Event::close(0),
        Event::open(1, custom(ToolCall::new("b", "g", Json::from_text("")))),
        Event::close(1),
        Event::open(2, Output::ToolCall(served)),
        Event::close(2),
        finish(FinishReason::Length),
    ];
    let response = fold(&events).into_response().unwrap();
    let inputs = response.message.parts.iter().map(|part| match part {
        Output::ToolCall(call) => (call.input.as_str(), call.partial),
        other => panic!("{other:?}"),
    });
    assert_eq!(inputs.collect::<Vec<_>>(), [("{}", false), ("", false), ("{}", false)]);
}

#[test]
fn media_text_citations_and_custom_parts_grow() {
    let media = Output::Media(Media::bytes("audio/wav", vec![1, 2]));
    let empty = Output::Media(Media::url("image/*", ""));
    let shape = |value: u8| -> Custom {
        serde_json::from_value(serde_json::json!({"protocol": "p", "kind": "k", "value": value})).unwrap()
    };
    let events = [
        Event::start(Start::default()),
        Event::open(0, media),
        Event::delta(0, Delta::Data(Data::from(vec![3]))),
        Event::delta(0, Delta::Data(Data::from(vec![4, 5]))),
        Event::delta(0, Delta::text("spoken")),
        Event::open(1, Output::Text(Text::new("a"))),
        Event::delta(1, Delta::Citation(Box::new(Citation::new("c")))),
        Event::delta(1, Delta::text("b")),
        Event::open(2, Output::Custom(shape(1))),
        Event::delta(2, Delta::Progress(Box::new(shape(7)))),
        Event::delta(2, Delta::Value(Box::new(shape(2)))),
        Event::open(3, empty),
        Event::delta(3, Delta::Data(Data::from(vec![9]))),
        Event::open(4, Output::ToolResult(ToolResult::new("s", "search", "found"))),
        Event::delta(4, Delta::extra(Extra::of("p", "x", Json::object()))),
        finish(FinishReason::Stop),
    ];
    let response = fold(&events).into_response().unwrap();
    let parts = &response.message.parts;
    let Output::Media(media) = &parts[0] else { panic!() };
    assert_eq!(media.source, Source::Bytes(Data::from(vec![1, 2, 3, 4, 5])));
    assert_eq!(media.transcript.as_deref(), Some("spoken"));
    let Output::Text(text) = &parts[1] else { panic!() };
    assert_eq!((&*text.text, text.citations.len()), ("ab", 1));
    assert_eq!(parts[2], Output::Custom(shape(2)));
    let Output::Media(media) = &parts[3] else { panic!() };
    assert_eq!(media.source, Source::Bytes(Data::from(vec![9])));
    let Output::ToolResult(result) = &parts[4] else { panic!() };
    assert!(result.extra.get("p", "x").is_some());
    assert!(response.warnings.is_empty());
}

#[test]
fn nothing_is_dropped_in_silence() {
    let events = [
        Event::start(Start::default()),
        Event::delta(0, Delta::text("lost")),
        Event::close(5),
        Event::open(0, Output::Text(Text::default())),
        Event::delta(0, Delta::input("wrong")),
        Event::warning(Warning::ignored("x", "y")),
        Event::close(0),
        finish(FinishReason::Stop),
    ];
    let response = fold(&events).into_response().unwrap();
    assert_eq!(response.warnings.len(), 4);
    assert!(response.warnings[0].detail.contains("lost") && response.warnings[2].detail.contains("wrong"));
}

#[test]
fn an_answer_without_an_end_is_truncated() {
    let mut fold = Fold::with_origin(Origin::new("p", "s", "m"));
    fold.push(&Event::start(Start::default()));
    fold.push(&Event::open(0, Output::Text(Text::new("half"))));
    assert!(!fold.is_finished());
    let error = fold.into_response().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    let partial = error.partial().unwrap();
    assert_eq!(
        (&*partial.text(), partial.message.origin.as_ref().map(|origin| &*origin.model)),
        ("half", Some("m"))
    );
}

#[test]
fn usage_is_cumulative_and_null_never_wins() {
    let mut first = Usage::default();
    (first.input, first.output) = (Some(10), Some(1));
    first.extra = Extra::of("p", "x", Json::from_text("1"));
    let mut second = Usage::default();
    (second.output, second.reasoning) = (Some(7), Some(3));
    let events = [
        Event::start(Start::default()),
        Event::usage(first),
        Event::usage(second),
        finish(FinishReason::Stop),
    ];
    let usage = fold(&events).into_response().unwrap().usage;
    assert_eq!(
        (usage.input, usage.output, usage.reasoning, usage.total()),
        (Some(10), Some(7), Some(3), Some(17))
    );
    assert_eq!(usage.extra.read::<u8>("p", "x"), Some(1));
    assert_eq!(Usage::default().total(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_events_fold(events in proptest::collection::vec(any::event(), 0..20)) {
        let folded = fold(&events);
        let response = folded.response();
        prop_assert_eq!(&folded.message(), &response.message);
        let opened = events.iter().filter(|event| matches!(event, Event::Open { .. })).count();
        prop_assert_eq!(response.message.parts.len(), opened, "no part is lost");
        prop_assert!(response.tool_calls().all(|call| !call.partial));
        prop_assert_eq!(folded.into_response().is_ok(), response.finish.is_some());
    }

    #[test]
    fn the_size_of_deltas_does_not_matter(text in "[a-zé ]{0,200}", sizes in proptest::collection::vec(1..50usize, 1..20)) {
        let characters: Vec<char> = text.chars().collect();
        let mut events = vec![Event::start(Start::default()), Event::open(0, Output::Text(Text::default())), Event::open(1, call("a"))];
        let (mut rest, mut sizes) = (&*characters, sizes.iter().cycle());
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            let piece: String = piece.iter().collect();
            events.push(Event::delta(0, Delta::text(piece.clone())));
            events.push(Event::delta(1, Delta::input(piece)));
            rest = tail;
        }
        events.extend([Event::close(0), Event::close(1), finish(FinishReason::ToolUse)]);
        let response = fold(&events).into_response().unwrap();
        prop_assert_eq!(&response.text(), &text);
        let expected = if text.trim_ascii().is_empty() { "{}" } else { &text };
        prop_assert_eq!(response.tool_calls().next().unwrap().input.as_str(), expected);
    }
}

#[test]
fn of_calls_that_grew_side_by_side_no_cut_one_is_handed_out() {
    use interlingua_model::{Delta, Event, Finish, FinishReason, Fold, Json, Output, Start, ToolCall};

    let answer = |reason| {
        let mut fold = Fold::new();
        fold.push(&Event::start(Start::default()));
        for (at, id) in (0..).zip(["a", "b", "c"]) {
            let call = ToolCall::new(id, "now", Json::from_text(""));
            fold.push(&Event::open(at, Output::ToolCall(call)));
        }
        for (at, input) in (0..).zip(["{\"x\":", "{\"x\":1}", "{\"x\""]) {
            fold.push(&Event::delta(at, Delta::input(input)));
        }
        (0..3).for_each(|at| fold.push(&Event::close(at)));
        fold.push(&Event::finish(Finish::new(reason)));
        let response = fold.into_response().unwrap();
        response.tool_calls().map(|call| call.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(answer(FinishReason::Length), ["b"]);
    // A model that ends in order and writes broken input is told so by the tool.
    assert_eq!(answer(FinishReason::ToolUse), ["a", "b", "c"]);
}

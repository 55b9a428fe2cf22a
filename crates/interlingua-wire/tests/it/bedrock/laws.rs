//! What holds for any request and any answer.

use interlingua_model::{
    Assistant, Citation, Content, Custom, Delta, Effort, Event, Extra, Finish, FinishReason, Format,
    FunctionTool, Input, Json, Media, Message, Output, Place, ProviderTool, Reasoning, Request, Retention,
    RunBy, SchemaFormat, Span, Start, System, Text, ToolCall, ToolChoice, ToolKind, ToolResult, User,
};
use interlingua_wire::Mode;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{PROTOCOL, body, claude, codec};
use crate::check::{decode, decoded, events_round_trip, round_trip};
use crate::laws;

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Zäß世😀\"\\\\ \n]{0,12}"
}

fn retention() -> impl Strategy<Value = Option<Retention>> {
    let any = prop::sample::select(vec![Retention::Default, Retention::Short, Retention::Long]);
    prop_oneof![4 => Just(None), 1 => any.prop_map(Some)]
}

fn place() -> impl Strategy<Value = (&'static str, Place)> {
    (0_u64..9, 0_u64..9, 9_u64..20).prop_flat_map(|(index, start, end)| {
        let span = Span { start, end };
        prop::sample::select(vec![
            ("documentChar", Place::Characters { document: index, span }),
            ("documentPage", Place::Pages { document: index, span }),
            ("documentChunk", Place::Blocks { document: index, span }),
            ("searchResultLocation", Place::SearchResult { result: index, span }),
        ])
    })
}

fn citation() -> impl Strategy<Value = Citation> {
    let placed = (place(), words(), prop::option::of(words())).prop_map(|((kind, place), quote, title)| {
        let mut citation = Citation::new(kind);
        citation.place = Some(place);
        citation.quote = Some(quote);
        citation.title = title;
        citation
    });
    let web = words().prop_map(|domain| {
        let mut citation = Citation::new("web");
        citation.url = Some("https://example.org".to_owned());
        citation.extra = Extra::of(PROTOCOL, "domain", Json::string(&domain));
        citation
    });
    prop_oneof![placed, web]
}

fn spoken() -> impl Strategy<Value = Text> {
    (words(), prop::collection::vec(citation(), 0..2), any::<bool>()).prop_map(|(text, citations, alone)| {
        let mut text = Text::new(if alone && !citations.is_empty() { String::new() } else { text });
        text.citations = citations;
        text
    })
}

fn reasoning() -> impl Strategy<Value = Reasoning> {
    let signed = (words(), words()).prop_map(|(text, seal)| {
        let mut reasoning = Reasoning::new(text);
        reasoning.extra = Extra::of(PROTOCOL, "signature", Json::string(&seal));
        reasoning
    });
    let redacted = words().prop_map(|data| {
        let mut reasoning = Reasoning::default();
        reasoning.extra = Extra::of(PROTOCOL, "redactedContent", Json::string(&data));
        reasoning
    });
    prop_oneof![signed, redacted]
}

fn input() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::object()),
        words().prop_map(|word| Json::from_text(json!({ "x": word }).to_string()))
    ]
}

fn tool_call() -> impl Strategy<Value = ToolCall> {
    ("tooluse_[a-z0-9]{4}", "[a-z_]{3,8}", input(), any::<bool>()).prop_map(|(id, name, input, provider)| {
        let mut call = ToolCall::new(id, name, input);
        if provider {
            call.run_by = RunBy::Provider;
            call.extra.set(PROTOCOL, "type", Json::string("server_tool_use"));
        }
        call
    })
}

fn run_result() -> impl Strategy<Value = ToolResult> {
    (words(), any::<bool>()).prop_map(|(word, is_error)| {
        let mut result = ToolResult::default();
        result.call = "tooluse_1".to_owned();
        result.name = "nova_grounding".to_owned();
        let value = Json::from_text(json!({ "json": { "out": word } }).to_string());
        result.content =
            vec![Content::Custom(Custom::new(PROTOCOL, "json", value)), Content::Text(Text::new(word))];
        result.is_error = is_error;
        result.extra.set(PROTOCOL, "type", Json::string("nova_grounding_result"));
        result
    })
}

fn output() -> impl Strategy<Value = Output> {
    prop_oneof![
        3 => spoken().prop_map(Output::Text),
        2 => reasoning().prop_map(Output::Reasoning),
        2 => tool_call().prop_map(Output::ToolCall),
        1 => run_result().prop_map(Output::ToolResult),
        1 => words().prop_map(|word| {
            let value = json!({ "hologram": { "id": word } }).to_string();
            Output::Custom(Custom::new(PROTOCOL, "hologram", Json::from_text(value)))
        }),
    ]
}

fn media() -> impl Strategy<Value = Media> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| Media::bytes("image/png", bytes)),
        Just(Media::url("image/webp", "s3://bucket/a.webp")),
        Just(Media::bytes("video/mpeg", vec![1_u8])),
        Just(Media::bytes("audio/mpeg", vec![1_u8])),
    ]
}

fn said() -> impl Strategy<Value = Vec<Input>> {
    let result = words().prop_map(|text| {
        let mut result = ToolResult::new("tooluse_9", "", text);
        result.name = String::new();
        Input::ToolResult(result)
    });
    let part = prop_oneof![3 => words().prop_map(|text| Input::from(text.as_str())), 1 => media().prop_map(Input::Media)];
    (prop::option::of(result), prop::collection::vec(part, 1..4), retention()).prop_map(
        |(result, mut parts, cache)| {
            if let Some(Input::Text(text)) = parts.first_mut() {
                text.cache = cache;
            }
            parts.splice(0..0, result);
            parts
        },
    )
}

/// Turns of two speakers, one after the other, as the protocol wants them.
fn messages() -> impl Strategy<Value = Vec<Message>> {
    let turn = (said(), prop::collection::vec(output(), 1..5));
    (prop::collection::vec(turn, 0..3), prop::option::of(said())).prop_map(|(turns, last)| {
        let mut messages = Vec::new();
        let mut documents = 0;
        let mut user = |mut parts: Vec<Input>| {
            documents += 1;
            let pdf = Media::bytes("application/pdf", vec![1_u8]).named(format!("plan {documents}"));
            parts.push(Input::Media(pdf));
            Message::User(User::new(parts))
        };
        for (said, answered) in turns {
            messages.extend([user(said), Message::from(Assistant::new(answered))]);
        }
        messages.extend(last.map(user));
        messages
    })
}

fn request() -> impl Strategy<Value = Request> {
    let knobs = (
        prop::option::of(0_u8..=10),
        prop::option::of(1_u32..90_000),
        prop::option::of(prop::sample::select(vec![Effort::None, Effort::Low, Effort::High, Effort::Max])),
        prop::option::of(any::<bool>()),
        prop::option::of(prop::sample::select(vec![
            ToolChoice::Auto,
            ToolChoice::Required,
            ToolChoice::Tool("see".to_owned()),
        ])),
        prop::collection::vec((words(), words()), 0..2),
    );
    (prop::option::of(words()), messages(), knobs, any::<bool>()).prop_map(
        |(system, messages, knobs, cached)| {
            let (temperature, max_output, effort, show, choice, metadata) = knobs;
            let mut request = Request::new("us.anthropic.claude-test-1:0");
            request
                .messages
                .extend(system.map(|text| Message::System(System::new(vec![Input::from(&*text)]))));
            request.messages.extend(messages);
            let thinks = effort.map_or(show.is_some(), |effort| effort != Effort::None);
            let temperature = temperature.filter(|tenths| !thinks || *tenths == 10);
            request.sampling.temperature = temperature.map(|tenths| f64::from(tenths) / 10.0);
            request.sampling.top_k = max_output.filter(|most| most % 2 == 0);
            request.max_output = max_output;
            request.effort = effort;
            request.show_reasoning = show.filter(|_| effort != Some(Effort::None));
            request.metadata = metadata;
            let schema = r#"{"type":"object","properties":{"b":{},"a":{}}}"#;
            let mut tool = FunctionTool::new("see", "look", Json::from_text(schema));
            tool.cache = cached.then_some(Retention::Short);
            let grounding = Json::from_text(r#"{"systemTool":{"name":"nova_grounding"}}"#);
            request = request.tool(tool).tool(ProviderTool::new(PROTOCOL, "systemTool", grounding));
            request.parallel_tool_calls =
                choice.as_ref().filter(|choice| **choice == ToolChoice::Auto).map(|_| false);
            request.tool_choice = choice;
            let schema = r#"{"type":"object","properties":{},"required":[],"additionalProperties":false}"#;
            request.format =
                cached.then(|| Format::Schema(SchemaFormat::new("output", Json::from_text(schema))));
            request
        },
    )
}

fn response() -> impl Strategy<Value = Vec<Output>> {
    prop::collection::vec(output(), 0..6)
}

fn whole(parts: &[Output]) -> Value {
    let request = Request::new("m").user("hi").message(Assistant::new(parts.to_vec()));
    let content = match body(&request)["messages"].as_array().unwrap().get(1) {
        Some(message) => message["content"].clone(),
        None => json!([]),
    };
    json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "end_turn",
        "usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 9, "cacheReadInputTokens": 2},
        "metrics": {"latencyMs": 8}, "trace": {"guardrail": {}}})
}

fn events(parts: &[Output]) -> Vec<Event> {
    decode(&codec(), Mode::Whole, whole(parts).to_string().as_bytes(), &[]).events
}

#[test]
fn free_text_reaches_a_client_as_the_one_text_of_an_object() {
    let mut call = ToolCall::new("call_1", "patch", Json::from_text(""));
    call.kind = ToolKind::Custom;
    let mut events = vec![Event::start(Start::default()), Event::open(0, Output::ToolCall(call))];
    events.extend(["say \"", "hi\"\n", "{}"].map(|piece| Event::delta(0, Delta::input(piece))));
    events.extend([Event::close(0), Event::finish(Finish::new(FinishReason::ToolUse))]);
    for mode in [Mode::Stream, Mode::Whole] {
        let back = events_round_trip(&codec(), &Request::new("m"), mode, &events);
        let call = back.response.tool_calls().next().unwrap();
        assert_eq!(call.input.as_str(), r#"{"input":"say \"hi\"\n{}"}"#);
    }
}

#[test]
fn an_image_that_the_model_makes_comes_through_and_what_cannot_is_told() {
    for (media, expected) in [
        (Media::bytes("image/png", vec![1_u8, 2]), None),
        (Media::url("image/png", "s3://b/a.png"), None),
        (Media::bytes("audio/wav", vec![1_u8]), None),
        (Media::url("image/png", "https://example.org/a.png"), Some("https://example.org/a.png")),
        (Media::bytes("image/tiff", vec![1_u8]), Some("image/tiff")),
    ] {
        let events = [
            Event::start(Start::default()),
            Event::open(0, Output::Media(media.clone())),
            Event::close(0),
            Event::finish(Finish::new(FinishReason::Stop)),
        ];
        for mode in [Mode::Stream, Mode::Whole] {
            let back = events_round_trip(&codec(), &Request::new("m"), mode, &events);
            assert_eq!(back.error, None);
            match (back.response.message.parts.as_slice(), expected) {
                ([Output::Media(found)], None) => assert_eq!(*found, media, "{mode:?}"),
                ([Output::Text(note)], Some(word)) => assert!(note.text.contains(word), "{mode:?} {note:?}"),
                (parts, _) => panic!("{mode:?} {media:?} became {parts:?}"),
            }
        }
    }
}

#[test]
fn an_unknown_reason_to_stop_stays_what_it_is() {
    for mode in [Mode::Stream, Mode::Whole] {
        let finish = Finish::new(FinishReason::Other).with_raw("a_word_of_next_year");
        let events = [Event::start(Start::default()), Event::finish(finish.clone())];
        let back = events_round_trip(&codec(), &Request::new("m"), mode, &events).response.finish.unwrap();
        assert_eq!((back.reason, back.raw), (finish.reason, finish.raw));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_comes_back_as_it_went_out(request in request(), stream in any::<bool>()) {
        let mode = if stream { Mode::Stream } else { Mode::Whole };
        let mut request = request;
        // The name of a result is that of its call, which stands elsewhere.
        prop_assert_eq!(interlingua_wire::Codec::encode(&claude(), &request, mode).unwrap().warnings, vec![]);
        let mut back = round_trip(&claude(), &request, mode);
        for messages in [&mut back.messages, &mut request.messages] {
            for message in messages {
                if let Message::User(user) = message {
                    for part in &mut user.parts {
                        if let Input::ToolResult(result) = part {
                            result.name.clear();
                        }
                    }
                }
            }
        }
        prop_assert_eq!(back, request);
    }

    #[test]
    fn what_was_sealed_goes_back_byte_for_byte(parts in response()) {
        let answered = decode(&codec(), Mode::Whole, whole(&parts).to_string().as_bytes(), &[]).response;
        let again = whole(&answered.message.parts);
        prop_assert_eq!(again, whole(&parts));
    }

    #[test]
    fn a_stream_and_a_whole_answer_fold_alike(parts in response()) {
        let asked = Request::new("m");
        let events = events(&parts);
        let streamed = events_round_trip(&codec(), &asked, Mode::Stream, &events);
        let at_once = events_round_trip(&codec(), &asked, Mode::Whole, &events);
        prop_assert_eq!(&streamed.error, &None);
        prop_assert_eq!(&at_once.error, &None);
        prop_assert_eq!(streamed.response, at_once.response);
    }

    #[test]
    fn events_come_back_through_both_halves(parts in response()) {
        let asked = Request::new("m");
        let first = events_round_trip(&codec(), &asked, Mode::Stream, &events(&parts));
        let second = events_round_trip(&codec(), &asked, Mode::Stream, &first.events);
        prop_assert_eq!(first.events, second.events);
    }

    #[test]
    fn overlapping_parts_are_written_one_after_another(texts in prop::collection::vec(words(), 2..4)) {
        let back = laws::overlapping_parts_are_told_apart(&codec(), &texts);
        prop_assert_eq!(back.message.parts.len(), texts.len());
    }

    #[test]
    fn any_bytes_are_events_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), whole in any::<bool>()) {
        laws::any_bytes_are_survived(&codec(), &bytes, !whole);
    }

    #[test]
    fn any_payloads_are_events_or_an_error(names in prop::collection::vec(0_usize..6, 1..8), bodies in prop::collection::vec("[\\[\\]{}:,\"a-z0-9]{0,40}", 8)) {
        const NAMES: [&str; 6] =
            ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"];
        let lines = names.iter().zip(&bodies).map(|(name, body)| format!("event {} {body}\n", NAMES[*name]));
        let bytes = crate::core::messages::bytes_of(&lines.collect::<String>());
        decoded(&codec(), Mode::Stream, &bytes);
    }

    #[test]
    fn a_damaged_stream_is_events_or_an_error(parts in response(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        // The figures come after the end and may be missing.
        let bytes = laws::bytes(&codec(), &events(&parts), Mode::Stream);
        laws::a_cut_stream_is_an_error(&codec(), bytes, at, byte, |_, _, answer| answer.finish.is_some());
    }
}

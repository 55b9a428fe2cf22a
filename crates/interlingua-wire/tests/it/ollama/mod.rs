//! The native chat protocol of Ollama, both halves.

mod corpus;
mod laws;

use interlingua_model::{
    Assistant, CustomTool, Delta, Effort, Error, ErrorKind, Event, Finish, FinishReason, Format,
    FunctionTool, Input, Json, Media, Message, Output, Reasoning, Request, Retention, Start, Text, ToolCall,
    ToolChoice, ToolKind, ToolMode, ToolResult, User, Warning,
};
use interlingua_wire::ollama::{Dialect, Ollama};
use interlingua_wire::{Codec, Mint, Mode, Serve};
use serde_json::{Value, json};

use crate::check::{call, cases, decode, events_round_trip};

const PROTOCOL: &str = "ollama";
const PNG: [u8; 5] = [0x89, b'P', b'N', b'G', 1];

fn codec() -> Ollama {
    Ollama::default()
}

fn sent_by(dialect: Dialect, request: &Request) -> (Value, Vec<Warning>) {
    let encoded = Ollama::new(dialect).encode(request, Mode::Whole).unwrap();
    (serde_json::from_slice(&encoded.call.body).unwrap(), encoded.warnings)
}

fn sent(request: &Request) -> (Value, Vec<Warning>) {
    sent_by(Dialect::default(), request)
}

fn settings(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|warning| &*warning.setting).collect()
}

fn read(body: &Value) -> Request {
    codec().decode_request(&call("/api/chat", &[], body)).unwrap().0
}

#[test]
fn answers_and_refusals() {
    cases(&|_| Box::new(codec()), PROTOCOL);
}

#[test]
fn a_conversation_with_a_tool_as_the_vendor_writes_it() {
    let calls = ["a_1", "b_2"].map(|id| ToolCall::new(id, "see", Json::from_text(r#"{"x":1}"#)));
    let mut parts = vec![Output::Reasoning(Reasoning::new("Hm.")), Output::Text(Text::new("One moment."))];
    parts.extend(calls.into_iter().map(Output::ToolCall));
    let user = vec![Input::Text(Text::new("Look.")), Input::Media(Media::bytes("image/png", PNG))];
    let request = Request::new("qwen3")
        .system("Be kind.")
        .message(User::new(user))
        .message(Assistant::new(parts))
        .message(Message::tool_results([
            ToolResult::new("a_1", "see", "a cat"),
            ToolResult::new("b_2", "see", "a dog"),
        ]))
        .tool(FunctionTool::new("see", "look", Json::object()))
        .max_output(9)
        .effort(Effort::Low);
    let call = |id| json!({"id": id, "function": {"name": "see", "arguments": {"x": 1}}});
    let (body, warnings) = sent(&request);
    assert_eq!(warnings, []);
    assert_eq!(
        body,
        json!({
            "model": "qwen3", "stream": false, "think": "low", "options": {"num_predict": 9},
            "tools": [{"type": "function", "function": {"name": "see", "description": "look", "parameters": {}}}],
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "Look.", "images": ["iVBORwE="]},
                {"role": "assistant", "content": "One moment.", "thinking": "Hm.", "tool_calls": [call("a_1"), call("b_2")]},
                {"role": "tool", "content": "a cat", "tool_name": "see", "tool_call_id": "a_1"},
                {"role": "tool", "content": "a dog", "tool_name": "see", "tool_call_id": "b_2"},
            ]
        })
    );
    assert_eq!(read(&body), request);
}

#[test]
fn calls_without_ids_are_numbered_and_results_find_them() {
    let call = |name| json!({"function": {"name": name, "arguments": {}}});
    let body = json!({"model": "m", "messages": [
        {"role": "assistant", "content": "", "tool_calls": [call("see"), call("hear"), call("see")]},
        {"role": "tool", "content": "noise", "tool_name": "hear"},
        {"role": "tool", "content": "a cat", "tool_name": "see"},
        {"role": "tool", "content": "a dog"},
        {"role": "tool", "content": "nobody asked", "tool_name": "smell"}]});
    let request = read(&body);
    let Message::User(user) = &request.messages[1] else { panic!("{request:?}") };
    let found: Vec<(&str, &str, String)> = user
        .parts
        .iter()
        .map(|part| match part {
            Input::ToolResult(result) => (&*result.call, &*result.name, result.text()),
            _ => panic!("{part:?}"),
        })
        .collect();
    let expected = [
        ("call_1", "hear", "noise"),
        ("call_0", "see", "a cat"),
        ("call_2", "see", "a dog"),
        ("", "smell", "nobody asked"),
    ];
    assert_eq!(found, expected.map(|(call, name, text)| (call, name, text.to_owned())));
}

#[test]
fn a_stream_is_what_comes_unless_it_is_refused() {
    let mode = |body: Value| codec().decode_request(&call("/api/chat", &[], &body)).unwrap().1;
    assert_eq!(mode(json!({"model": "m", "messages": []})), Mode::Stream);
    assert_eq!(mode(json!({"model": "m", "stream": true})), Mode::Stream);
    assert_eq!(mode(json!({"model": "m", "stream": false})), Mode::Whole);
    let load = sent(&Request::new("m")).0;
    assert_eq!(load, json!({"model": "m", "stream": false, "messages": []}));
}

#[test]
fn thinking_is_on_or_off_or_at_a_level() {
    let think = |dialect: Dialect, effort: Option<Effort>, show: Option<bool>| {
        let mut request = Request::new("m").user("hi");
        (request.effort, request.show_reasoning) = (effort, show);
        let (body, warnings) = sent_by(dialect, &request);
        (body["think"].clone(), warnings.len())
    };
    let all = Dialect::default;
    assert_eq!(think(all(), None, None), (Value::Null, 0));
    assert_eq!(think(all(), None, Some(true)), (json!(true), 0));
    assert_eq!(think(all(), None, Some(false)), (Value::Null, 1));
    assert_eq!(think(all(), Some(Effort::None), None), (json!(false), 0));
    assert_eq!(think(all(), Some(Effort::High), None), (json!("high"), 0));
    assert_eq!(think(all(), Some(Effort::Max), None), (json!("high"), 1));
    assert_eq!(think(all(), Some(Effort::Minimal), Some(false)), (json!("low"), 2));
    let mut plain = Dialect::default();
    plain.efforts = Vec::new();
    assert_eq!(think(plain, Some(Effort::High), None), (json!(true), 1));
    let mut none = Dialect::default();
    none.thinking = false;
    assert_eq!(think(none.clone(), Some(Effort::High), None), (Value::Null, 1));
    assert_eq!(think(none, Some(Effort::None), None), (Value::Null, 0));
    let mut budget = Request::new("m").user("hi");
    budget.reasoning_budget = Some(99);
    let (body, warnings) = sent(&budget);
    assert_eq!((&body["think"], settings(&warnings)), (&json!(true), vec!["reasoning_budget"]));
}

#[test]
fn tools_that_may_not_be_called_are_left_out() {
    let names = |choice| {
        let tools = ["see", "hear"].map(|name| FunctionTool::new(name, "", Json::object()));
        let [see, hear] = tools;
        let request = Request::new("m").user("hi").tool(see).tool(hear).tool_choice(choice);
        let (body, warnings) = sent(&request);
        let tools = body["tools"].as_array().cloned().unwrap_or_default();
        let names: Vec<&str> = tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap()).collect();
        (names.join(" "), warnings.len())
    };
    assert_eq!(names(ToolChoice::Auto), ("see hear".to_owned(), 0));
    assert_eq!(names(ToolChoice::Required), ("see hear".to_owned(), 1));
    assert_eq!(names(ToolChoice::None), (String::new(), 1));
    assert_eq!(names(ToolChoice::Tool("hear".to_owned())), ("hear".to_owned(), 2));
    let allowed = |mode| ToolChoice::Allowed { mode, names: vec!["see".to_owned()] };
    assert_eq!(names(allowed(ToolMode::Auto)), ("see".to_owned(), 1));
    assert_eq!(names(allowed(ToolMode::Required)), ("see".to_owned(), 2));
}

#[test]
fn options_that_only_this_protocol_has_stand_beside_the_others() {
    let body = json!({
        "model": "m", "stream": false, "keep_alive": "5m", "format": "json", "think": "max", "truncate": false,
        "logprobs": true, "top_logprobs": 3,
        "options": {"temperature": 1.5, "top_k": 4, "seed": 7, "stop": ["END"], "num_ctx": 8192, "num_predict": -1, "min_p": 0.1},
        "messages": [{"role": "user", "content": "hi", "images": ["not base64!"]}]
    });
    let request = read(&body);
    assert_eq!(
        (request.max_output, request.sampling.seed, request.effort),
        (None, Some(7), Some(Effort::Max))
    );
    let mut dialect = Dialect::default();
    dialect.efforts.push(Effort::Max);
    dialect.num_ctx = Some(4096);
    let (again, warnings) = sent_by(dialect.clone(), &request);
    assert_eq!((&again, warnings), (&body, vec![]));
    let plain = sent_by(dialect, &Request::new("m").user("hi")).0;
    assert_eq!(plain["options"], json!({"num_ctx": 4096}));
}

#[test]
fn pictures_of_results_follow_and_documents_are_told() {
    let mut result = ToolResult::error("a_1", "see", "no");
    result.content.push(Media::bytes("image/png", PNG).into());
    let request = Request::new("m")
        .message(Assistant::new(vec![Output::ToolCall(ToolCall::new(
            "a_1",
            "see",
            Json::from_text("seven"),
        ))]))
        .message(User::new(vec![
            Input::ToolResult(result),
            Input::Text(Text::new("and?")),
            Input::Media(Media::bytes("text/csv", b"a,b".to_vec()).named("table")),
            Input::Media(Media::bytes("application/pdf", vec![1_u8])),
            Input::Media(Media::url("image/*", "https://a.example/x.png")),
        ]));
    let (body, warnings) = sent(&request);
    assert_eq!(body["messages"][0]["tool_calls"][0]["function"]["arguments"], json!({"input": "seven"}));
    assert_eq!(
        body["messages"][1],
        json!({"role": "tool", "content": "Error: no", "tool_name": "see", "tool_call_id": "a_1"})
    );
    assert_eq!(
        body["messages"][2],
        json!({"role": "user", "images": ["iVBORwE="],
            "content": "Media of the result of tool call a_1:\nand?\ntable:\na,b"})
    );
    let one = |part| format!("messages[1].parts[{part}]");
    let told = ["messages[0].parts[0]".to_owned(), one(0), one(0), one(2), one(3), one(4)];
    assert_eq!(settings(&warnings), told.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn what_the_protocol_does_not_have_is_a_warning() {
    let mut request = Request::new("m")
        .user(Media::bytes("audio/wav", vec![1_u8]))
        .user(Text::new("hi").cached(Retention::Short))
        .message(Assistant::new(vec![
            Output::ToolCall(ToolCall::new("a", "f", Json::object())),
            Output::Text(Text::new("late")),
        ]))
        .tool(CustomTool::new("patch", "", None))
        .tool(FunctionTool::new("f", "", Json::object()).strict(true));
    request.parallel_tool_calls = Some(false);
    request.cache.key = Some("k".to_owned());
    request.metadata = vec![("a".to_owned(), "b".to_owned())];
    request.end_user = Some("u".to_owned());
    request.service_tier = Some("flex".to_owned());
    let warnings = sent(&request).1;
    let told = settings(&warnings);
    for setting in [
        "messages[0].parts[0]",
        "messages[0]",
        "cache",
        "messages[2].parts[1]",
        "tools[0]",
        "tools[1].strict",
        "parallel_tool_calls",
        "cache.key",
        "metadata",
        "end_user",
        "service_tier",
    ] {
        assert!(told.contains(&setting), "{setting} is lost in silence: {told:?}");
    }
}

#[test]
fn a_bad_request_is_told_which_field() {
    for (sent, field) in [
        (json!({"messages": []}), "`model`"),
        (json!({"model": "m", "messages": [{"role": "wizard", "content": "x"}]}), "messages[0]"),
        (json!({"model": "m", "messages": [{"role": "user", "content": 7}]}), "`content`"),
        (json!({"model": "m", "messages": [{"role": "user", "images": "x"}]}), "`images`"),
        (json!({"model": "m", "options": {"top_k": "many"}}), "`top_k`"),
    ] {
        let error = codec().decode_request(&call("/api/chat", &[], &sent)).unwrap_err();
        assert!(error.message().contains(field), "{error}");
    }
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
fn parts_that_overlap_go_out_in_turn() {
    let call = ToolCall::new("call_1", "see", Json::from_text(""));
    let events = [
        Event::start(Start::default()),
        Event::open(0, Output::Text(Text::default())),
        Event::open(1, Output::ToolCall(call)),
        Event::open(2, Output::Text(Text::default())),
        Event::delta(2, Delta::text("last")),
        Event::delta(1, Delta::input("{}")),
        Event::close(2),
        Event::delta(0, Delta::text("first")),
        Event::close(1),
        Event::close(0),
        Event::finish(Finish::new(FinishReason::ToolUse)),
    ];
    let back = events_round_trip(&codec(), &Request::new("m"), Mode::Stream, &events).response;
    let [Output::Text(first), Output::ToolCall(_), Output::Text(last)] = back.message.parts.as_slice() else {
        panic!("{back:?}")
    };
    assert_eq!((&*first.text, &*last.text), ("first", "last"));
}

#[test]
fn a_failure_is_a_line_and_a_body() {
    let error = Error::new(ErrorKind::Overloaded, "come back later");
    let mut encoder = codec().encoder(&Request::new("m"), Mode::Stream, Mint::new(1_795_000_000, "x"));
    assert_eq!(encoder.content_type(), "application/x-ndjson");
    encoder.push(&Event::start(Start::default())).unwrap();
    encoder.push(&Event::open(0, Output::Text(Text::default()))).unwrap();
    encoder.push(&Event::delta(0, Delta::text("Hel"))).unwrap();
    encoder.fail(&error);
    let bytes = encoder.take();
    let lines: Vec<Value> =
        bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    assert_eq!(
        lines,
        [
            json!({"model": "m", "created_at": "2026-11-18T11:06:40Z", "message": {"role": "assistant", "content": "Hel"}, "done": false}),
            json!({"error": "come back later"})
        ]
    );
    let heard = decode(&codec(), Mode::Stream, &bytes, &[]);
    assert!(heard.error.unwrap().contains("come back later"));
    assert_eq!(heard.response.text(), "Hel");
    let reply = codec().encode_error(&error);
    assert_eq!((reply.status, &reply.body[..]), (503, &br#"{"error":"come back later"}"#[..]));
}

#[test]
fn a_longer_conversation_begins_with_the_bytes_of_the_shorter() {
    let tool = FunctionTool::new("now", "time", Json::object());
    let first = Request::new("m").system("be kind").user("one").tool(tool);
    let next = first.clone().message(Message::assistant("two")).user("three");
    let first = codec().encode(&first, Mode::Stream).unwrap().call.body;
    let next = codec().encode(&next, Mode::Stream).unwrap().call.body;
    let common = first.len() - b"]}".len();
    assert_eq!(first[..common], next[..common]);
}

#[test]
fn every_finish_reaches_a_client_in_a_word_that_it_knows() {
    for (finish, expected) in [
        (Finish::new(FinishReason::Stop), "stop"),
        (Finish::new(FinishReason::ToolUse).with_raw("TOOL_CALL"), "stop"),
        (Finish::new(FinishReason::Length).with_raw("max_tokens"), "length"),
        (Finish::new(FinishReason::Filtered), "stop"),
        (Finish::new(FinishReason::Other).with_raw("load"), "load"),
        (Finish::new(FinishReason::Other).with_raw("tired"), "tired"),
    ] {
        for mode in [Mode::Stream, Mode::Whole] {
            let mut encoder = codec().encoder(&Request::new("m"), mode, Mint::new(1, "x"));
            encoder.push(&Event::start(Start::default())).unwrap();
            encoder.push(&Event::finish(finish.clone())).unwrap();
            let line: Value = serde_json::from_slice(&encoder.take()).unwrap();
            assert_eq!((&line["done"], &line["done_reason"]), (&json!(true), &json!(expected)));
        }
    }
    let format = Request::new("m").format(Format::Text);
    assert_eq!(sent(&format).0.get("format"), None);
}

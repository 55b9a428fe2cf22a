//! The exact frames that official clients get.

use std::time::Duration;

use interlingua_model::{
    Delta, Error, ErrorKind, Event, Extra, Finish, FinishReason, Json, Output, Reasoning, Request, Retry,
    RunBy, Start, Text, ToolCall, Usage,
};
use interlingua_wire::openai_chat::{Dialect, OpenaiChat, ReasoningEcho};
use interlingua_wire::{Call, Mint, Mode, Serve};
use serde_json::Value;

/// Text, a call that the provider ran itself, and two calls for the client.
fn answer() -> Vec<Event> {
    let mut internal = ToolCall::new("srv_1", "web_search", Json::object());
    internal.run_by = RunBy::Provider;
    let mut usage = Usage::default();
    (usage.input, usage.output, usage.cache_read) = (Some(30), Some(7), Some(20));
    vec![
        Event::start(Start::new(None, None)),
        Event::open(0, Output::Text(Text::default())),
        Event::delta(0, Delta::text("Checking.")),
        Event::close(0),
        Event::open(1, Output::ToolCall(internal)),
        Event::delta(1, Delta::input("{\"q\":1}")),
        Event::close(1),
        Event::open(2, Output::ToolCall(ToolCall::new("call_a", "f", Json::from_text("")))),
        Event::delta(2, Delta::input("{\"a\":")),
        Event::open(3, Output::ToolCall(ToolCall::new("call_b", "g", Json::from_text("")))),
        Event::delta(2, Delta::input("1}")),
        Event::close(2),
        Event::close(3),
        Event::usage(usage),
        Event::finish(Finish::new(FinishReason::ToolUse).with_raw("tool_use")),
    ]
}

fn serve(asked: &Request, mode: Mode, events: &[Event]) -> String {
    served_in(Dialect::default(), asked, mode, events)
}

fn served_in(dialect: Dialect, asked: &Request, mode: Mode, events: &[Event]) -> String {
    let mut encoder = OpenaiChat::new(dialect).encoder(asked, mode, Mint::new(1_795_000_000, "0a1b2c"));
    for event in events {
        encoder.push(event).unwrap();
    }
    String::from_utf8(encoder.take().to_vec()).unwrap()
}

/// The frames with what all of them share taken off.
fn frames(text: &str) -> Vec<String> {
    let head = concat!(
        r#"data: {"id":"chatcmpl-0a1b2c","object":"chat.completion.chunk","#,
        r#""created":1795000000,"model":"m","choices":"#
    );
    text.split_terminator("\n\n").map(|frame| frame.strip_prefix(head).unwrap_or(frame).to_owned()).collect()
}

/// The clients of a service read what that service writes.
#[test]
fn a_dialect_has_its_own_chunks() {
    let mut dialect = Dialect::default();
    dialect.reasoning_echo = ReasoningEcho::ThinkingChunks;
    dialect.whole_calls = true;
    dialect.stream_usage = false;
    let mut events = answer();
    events.insert(1, Event::close(0));
    events.insert(1, Event::delta(0, Delta::text("Hm.")));
    events.insert(1, Event::open(0, Output::Reasoning(Reasoning::default())));
    for event in events.iter_mut().skip(4) {
        *event = match event.clone() {
            Event::Open { at, part } => Event::open(at + 1, *part),
            Event::Delta { at, delta } => Event::delta(at + 1, delta),
            Event::Close { at } => Event::close(at + 1),
            other => other,
        };
    }
    let (asked, _) = OpenaiChat::new(dialect.clone())
        .decode_request(&Call::post("/", r#"{"model":"m","stream":true,"messages":[]}"#))
        .unwrap();
    let found = frames(&served_in(dialect.clone(), &asked, Mode::Stream, &events));
    let delta =
        |delta: &str| format!(r#"[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":null}}]}}"#);
    let call = |index: u32, id: &str, name: &str, input: &str| {
        delta(&format!(
            r#"{{"tool_calls":[{{"index":{index},"id":"{id}","type":"function","function":{{"name":"{name}","arguments":{input:?}}}}}]}}"#
        ))
    };
    let expected = [
        delta(r#"{"role":"assistant","content":""}"#),
        delta(r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm."}]}]}"#),
        delta(r#"{"content":"Checking."}"#),
        call(0, "call_a", "f", r#"{"a":1}"#),
        call(1, "call_b", "g", "{}"),
    ];
    assert_eq!(found[..expected.len()], expected);
    assert!(found[expected.len() + 1].starts_with(r#"[],"usage":{"prompt_tokens":30"#), "{found:#?}");
    let whole = served_in(dialect, &asked, Mode::Whole, &events);
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["choices"][0]["message"]["content"][0]["type"], "thinking");
}

#[test]
fn a_stream_is_shaped_for_accumulators() {
    let delta =
        |delta: &str| format!(r#"[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":null}}]}}"#);
    let expected = [
        delta(r#"{"role":"assistant","content":""}"#),
        delta(r#"{"content":"Checking."}"#),
        delta(
            r#"{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"f","arguments":""}}]}"#,
        ),
        delta(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}"#),
        delta(
            r#"{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"g","arguments":""}}]}"#,
        ),
        delta(r#"{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"#),
        delta(r#"{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}"#),
        r#"[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}"#.to_owned(),
        concat!(
            r#"[],"usage":{"prompt_tokens":30,"completion_tokens":7,"total_tokens":37,"#,
            r#""prompt_tokens_details":{"cached_tokens":20}}}"#
        )
        .to_owned(),
        "data: [DONE]".to_owned(),
    ];
    assert_eq!(frames(&serve(&Request::new("m"), Mode::Stream, &answer())), expected);
}

#[test]
fn usage_is_not_sent_where_it_was_not_asked_for() {
    let mut asked = Request::new("m");
    asked.extra = Extra::of("openai_chat", "stream_options", Json::from_text("null"));
    assert!(!serve(&asked, Mode::Stream, &answer()).contains("usage"));
    asked.extra = Extra::of(
        "openai_chat",
        "stream_options",
        Json::from_text(r#"{"include_usage":true,"include_obfuscation":false}"#),
    );
    assert!(serve(&asked, Mode::Stream, &answer()).contains("usage"));
}

#[test]
fn a_whole_answer_has_what_clients_demand() {
    let found: Value = serde_json::from_str(&serve(&Request::new("m"), Mode::Whole, &answer())).unwrap();
    let expected = serde_json::json!({
        "id": "chatcmpl-0a1b2c",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": "m",
        "choices": [{
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Checking.",
                "refusal": null,
                "tool_calls": [
                    {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
                    {"id": "call_b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
                ],
            },
            "logprobs": null,
            "finish_reason": "tool_calls",
        }],
        "usage": {
            "prompt_tokens": 30,
            "completion_tokens": 7,
            "total_tokens": 37,
            "prompt_tokens_details": {"cached_tokens": 20},
        },
    });
    assert_eq!(found, expected);
}

#[test]
fn an_error_midway_is_a_chunk_of_its_own() {
    let mut encoder = OpenaiChat::default().encoder(&Request::new("m"), Mode::Stream, Mint::new(1, "x"));
    encoder.push(&Event::start(Start::default())).unwrap();
    encoder.take();
    encoder.fail(&Error::new(ErrorKind::Overloaded, "try later"));
    let expected = concat!(
        r#"data: {"error":{"message":"try later","type":"service_unavailable","param":null,"code":null}}"#,
        "\n\n"
    );
    assert_eq!(encoder.take(), expected);
    assert!(encoder.is_finished());
}

#[test]
fn an_error_before_the_answer_has_a_status() {
    let error =
        Error::new(ErrorKind::RateLimited, "slow down").with_retry(Retry::After(Duration::from_millis(1500)));
    let reply = OpenaiChat::default().encode_error(&error.with_request_id("req_7"));
    assert_eq!(reply.headers["x-request-id"], "req_7");
    assert_eq!(reply.status, 429);
    assert_eq!(reply.headers["retry-after"], "2");
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["error"]["type"], "rate_limit_error");
    assert_eq!(body["error"]["code"], "rate_limit_exceeded");
    for (kind, status) in [
        (ErrorKind::InvalidRequest, 400),
        (ErrorKind::ContextOverflow, 400),
        (ErrorKind::Authentication, 401),
        (ErrorKind::NotFound, 404),
        (ErrorKind::TooLarge, 413),
        (ErrorKind::QuotaExceeded, 429),
        (ErrorKind::Overloaded, 503),
        (ErrorKind::Truncated, 502),
        (ErrorKind::Server, 500),
    ] {
        assert_eq!(OpenaiChat::default().encode_error(&Error::new(kind, "x")).status, status, "{kind:?}");
    }
}

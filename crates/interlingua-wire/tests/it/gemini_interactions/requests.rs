//! Requests, both ways, and what the server half says.

use interlingua_model::{
    Assistant, Delta, Effort, Error, ErrorKind, Event, Finish, FinishReason, Format, FunctionTool, Input,
    Json, Media, Message, Output, Reasoning, Request, Retry, Start, Text, ToolCall, ToolChoice, ToolResult,
    User,
};
use interlingua_wire::gemini_interactions::{Dialect, GeminiInteractions};
use interlingua_wire::{Codec, Mint, Mode, Refusal, Serve};
use serde_json::{Value, json};

use super::{PROTOCOL, codec};
use crate::check::call;

fn sent_by(dialect: Dialect, request: &Request) -> (Value, Vec<String>) {
    let encoded = GeminiInteractions::new(dialect).encode(request, Mode::Whole).unwrap();
    let settings = encoded.warnings.iter().map(|warning| warning.setting.to_string());
    (serde_json::from_slice(&encoded.call.body).unwrap(), settings.collect())
}

fn body(request: &Request) -> Value {
    sent_by(Dialect::default(), request).0
}

#[test]
fn levels_become_the_nearest_that_is_known() {
    let level = |dialect: &Dialect, effort| {
        let (body, warnings) = sent_by(dialect.clone(), &Request::new("m").user("hi").effort(effort));
        (body["generation_config"]["thinking_level"].clone(), warnings.len())
    };
    let mut dialect = Dialect::default();
    assert_eq!(level(&dialect, Effort::High), (json!("high"), 0));
    assert_eq!(level(&dialect, Effort::Max), (json!("high"), 1));
    assert_eq!(level(&dialect, Effort::None), (json!("minimal"), 1));
    dialect.thinking_levels.clear();
    assert_eq!(level(&dialect, Effort::High), (Value::Null, 1));
}

#[test]
fn what_the_protocol_does_not_have_is_a_warning() {
    let mut request = Request::new("m").user("hi").temperature(0.5);
    request.sampling.top_k = Some(1);
    request.sampling.presence_penalty = Some(1.0);
    request.sampling.frequency_penalty = Some(1.0);
    request.sampling.logprobs = Some(1);
    request.reasoning_budget = Some(1);
    request.cache.key = Some("k".to_owned());
    request.metadata = vec![("a".to_owned(), "b".to_owned())];
    request.end_user = Some("u".to_owned());
    request.parallel_tool_calls = Some(false);
    request.tool_choice = Some(ToolChoice::Required);
    request.messages.push(Message::system("Now in French."));
    request =
        request.user(Media::bytes("image/png", vec![1_u8]).named("a.png")).message(Assistant::default());
    let mut dialect = Dialect::default();
    (dialect.sampling, dialect.labels) = (false, false);
    let (body, settings) = sent_by(dialect, &request);
    for setting in [
        "sampling",
        "sampling.top_k",
        "sampling.presence_penalty",
        "sampling.frequency_penalty",
        "sampling.logprobs",
        "reasoning_budget",
        "cache.key",
        "metadata",
        "end_user",
        "parallel_tool_calls",
        "tool_choice",
        "messages[1]",
        "messages[2].parts[0].name",
        "messages[3]",
    ] {
        assert!(settings.iter().any(|found| found == setting), "{setting} is lost in silence: {settings:?}");
    }
    let text = |text: &str| json!({"type": "user_input", "content": [{"type": "text", "text": text}]});
    let image = json!({"type": "image", "data": "AQ==", "mime_type": "image/png"});
    let steps = json!([text("hi"), text("Now in French."), {"type": "user_input", "content": [image]}]);
    assert_eq!(body, json!({"model": "m", "input": steps}));
}

#[test]
fn a_conversation_is_a_list_of_steps() {
    let mut thought = Reasoning::new("Hm.");
    thought.extra.set(PROTOCOL, "signature", Json::string("c2ln"));
    let calls = ["a", "b"].map(|id| Output::ToolCall(ToolCall::new(id, "now", Json::from_text(""))));
    let said =
        [vec![Output::Reasoning(thought), Output::Text(Text::new("Looking."))], calls.to_vec()].concat();
    let mut pictured = ToolResult::new("b", "", "a clock");
    pictured.content.push(Media::bytes("image/png", vec![1_u8]).into());
    let user = vec![
        Input::Text(Text::new("and?")),
        Input::ToolResult(ToolResult::error("a", "now", "no clock")),
        Input::ToolResult(pictured),
    ];
    let request = Request::new("m").user("time?").message(Assistant::new(said)).message(User::new(user));
    let (body, warnings) = sent_by(Dialect::default(), &request);
    assert_eq!(warnings, ["messages[2]"]);
    let text = |text: &str| json!({"type": "text", "text": text});
    let image = json!({"type": "image", "data": "AQ==", "mime_type": "image/png"});
    let steps = json!([
        {"type": "user_input", "content": [text("time?")]},
        {"type": "thought", "summary": [text("Hm.")], "signature": "c2ln"},
        {"type": "model_output", "content": [text("Looking.")]},
        {"type": "function_call", "id": "a", "name": "now", "arguments": {}},
        {"type": "function_call", "id": "b", "name": "now", "arguments": {}},
        {"type": "function_result", "call_id": "a", "name": "now", "result": "no clock", "is_error": true},
        {"type": "function_result", "call_id": "b", "name": "now", "result": [text("a clock"), image]},
        {"type": "user_input", "content": [text("and?")]},
    ]);
    assert_eq!(body["input"], steps);
}

#[test]
fn requests_of_the_vendors_clients_are_understood_and_kept() {
    let sent = json!({
        "model": "m", "stream": true, "system_instruction": "Be brief.",
        "tools": [{"type": "function", "name": "see", "description": "Looks", "parameters": {"type": "object"},
            "defer_loading": true}, {"type": "google_search"}],
        "generation_config": {"temperature": 0.5, "max_output_tokens": 100, "seed": 1, "stop_sequences": ["END"],
            "thinking_level": "low", "thinking_summaries": "auto",
            "tool_choice": {"allowed_tools": {"mode": "any", "tools": ["see", "look"]}}, "speech_config": {"voice": "a"}},
        "response_format": {"type": "text", "mime_type": "application/json", "schema": {"type": "object"}},
        "service_tier": "flex", "labels": {"a": "b"}, "store": false, "previous_interaction_id": "int_0",
        "a_field_of_next_year": [1, 2],
        "input": [
            {"type": "user_input", "content": [{"type": "text", "text": "hi"},
                {"type": "video", "uri": "https://youtu.be/x", "resolution": "low"}]},
            {"type": "thought", "signature": "c2ln"},
            {"type": "google_search_call", "id": "s1", "arguments": {"queries": ["x"]}, "search_type": "web"},
            {"type": "google_search_result", "call_id": "s1", "result": [{"u": 1}], "is_error": false},
            {"type": "oracle_call", "says": "hm"},
            {"type": "function_call", "id": "f1", "name": "see", "arguments": {"b": 1, "a": 2}, "signature": "Zm4="},
            {"type": "function_result", "call_id": "f1", "name": "see", "result": {"a": 1}}]
    });
    let (request, mode) = codec().decode_request(&call("/v1beta/interactions", &[], &sent)).unwrap();
    assert_eq!(mode, Mode::Stream);
    let encoded = codec().encode(&request, mode).unwrap();
    assert_eq!((&*encoded.call.path, encoded.warnings), ("/interactions?alt=sse", vec![]));
    let back: Value = serde_json::from_slice(&encoded.call.body).unwrap();
    assert_eq!(back, sent);
}

#[test]
fn the_short_forms_of_clients_are_understood() {
    let read = |input: Value| {
        let sent = json!({"model": "m", "input": input});
        codec().decode_request(&call("/interactions", &[], &sent)).unwrap().0.messages
    };
    let hi = Request::new("m").user("hi").messages;
    assert_eq!(read(json!("hi")), hi);
    assert_eq!(read(json!({"type": "text", "text": "hi"})), hi);
    assert_eq!(read(json!([{"type": "text", "text": "hi"}])), hi);
    assert_eq!(read(json!([{"role": "user", "content": "hi"}])), hi);
    let turns = json!([{"role": "user", "content": [{"type": "text", "text": "hi"}]}, {"role": "model", "content": "Hello."},
        {"role": "user", "content": "And?"}]);
    let expected = Request::new("m").user("hi").message(Message::assistant("Hello.")).user("And?");
    assert_eq!(read(turns), expected.messages);
}

#[test]
fn a_bad_request_is_told_which_field() {
    for (sent, field) in [
        (json!({"input": "hi"}), "`model`"),
        (json!({"model": "m"}), "`input`"),
        (json!({"model": "m", "input": 7}), "`input`"),
        (json!({"model": "m", "input": [{"role": "wizard", "content": "x"}]}), "input[0]"),
        (json!({"model": "m", "input": [{"type": "user_input", "content": 7}]}), "`content`"),
        (json!({"model": "m", "input": "hi", "generation_config": {"seed": "x"}}), "`seed`"),
        (json!({"model": "m", "input": "hi", "tools": [{"type": "function"}]}), "`name`"),
    ] {
        let error = codec().decode_request(&call("/interactions", &[], &sent)).unwrap_err();
        assert!(error.message().contains(field), "{error}");
    }
}

#[test]
fn schemas_bind_functions_all_or_none() {
    let tool = FunctionTool::new("a", "", Json::object()).strict(true);
    let request = Request::new("m").user("hi").tool(tool);
    assert_eq!(body(&request)["generation_config"]["tool_choice"], "validated");
    let encoded = codec().encode(&request, Mode::Whole).unwrap();
    assert_eq!(codec().decode_request(&encoded.call).unwrap().0, request);
    let mut form = Request::new("m").user("hi");
    form.format = Some(Format::Json);
    assert_eq!(body(&form)["response_format"], json!({"type": "text", "mime_type": "application/json"}));
}

#[test]
fn a_stream_is_what_the_vendors_clients_can_read() {
    let events = [
        Event::start(Start::default()),
        Event::open(0, Output::Text(Text::default())),
        Event::delta(0, Delta::text("Hi\n")),
        Event::close(0),
        Event::open(1, Output::ToolCall(ToolCall::new("call_1", "now", Json::from_text("")))),
        Event::delta(1, Delta::input("{\"a\":")),
        Event::delta(1, Delta::input("1}")),
        Event::close(1),
        Event::finish(Finish::new(FinishReason::ToolUse).with_raw("tool_calls")),
    ];
    let mut encoder = codec().encoder(&Request::new("m"), Mode::Stream, Mint::new(1, "x1"));
    for event in &events {
        encoder.push(event).unwrap();
    }
    let text = String::from_utf8(encoder.take().to_vec()).unwrap();
    let interaction = |status: &str| {
        format!(r#""interaction":{{"id":"int_x1","object":"interaction","model":"m","status":"{status}"}}"#)
    };
    let frames = [
        format!(r#"{{"event_type":"interaction.created",{}}}"#, interaction("in_progress")),
        r#"{"event_type":"step.start","index":0,"step":{"type":"model_output","content":[]}}"#.to_owned(),
        r#"{"event_type":"step.delta","index":0,"delta":{"type":"text","text":"Hi\n"}}"#.to_owned(),
        r#"{"event_type":"step.stop","index":0}"#.to_owned(),
        r#"{"event_type":"step.start","index":1,"step":{"type":"function_call","id":"call_1","name":"now","arguments":{}}}"#.to_owned(),
        r#"{"event_type":"step.delta","index":1,"delta":{"type":"arguments_delta","arguments":"{\"a\":"}}"#.to_owned(),
        r#"{"event_type":"step.delta","index":1,"delta":{"type":"arguments_delta","arguments":"1}"}}"#.to_owned(),
        r#"{"event_type":"step.stop","index":1}"#.to_owned(),
        format!(r#"{{"event_type":"interaction.completed",{}}}"#, interaction("requires_action")),
        "[DONE]".to_owned(),
    ];
    let expected = frames.map(|frame| format!("data: {frame}\n\n")).concat();
    assert_eq!(text, expected);
}

#[test]
fn a_failure_in_the_middle_is_told_with_its_pause() {
    let error = Error::new(ErrorKind::RateLimited, "slow down")
        .with_retry(Retry::After(std::time::Duration::from_millis(1500)));
    let mut encoder = codec().encoder(&Request::new("m"), Mode::Stream, Mint::new(1, "x1"));
    encoder.push(&Event::start(Start::default())).unwrap();
    encoder.push(&Event::open(0, Output::Text(Text::default()))).unwrap();
    encoder.push(&Event::delta(0, Delta::text("Hel"))).unwrap();
    encoder.fail(&error);
    let found = crate::check::decode(&codec(), Mode::Stream, &encoder.take(), &[]);
    assert_eq!(found.response.text(), "Hel");
    assert_eq!(found.error.as_deref(), Some("RateLimited After(1.5s) \"resource_exhausted\": slow down"));
    let reply = codec().encode_error(&error);
    assert!(reply.body.starts_with(br#"{"error":{"code":"resource_exhausted","message":"slow down","#));
    let back = codec().refusal(&Refusal::new(reply.status, &reply.headers, &reply.body));
    assert_eq!((back.kind(), back.status()), (ErrorKind::RateLimited, Some(429)));
}

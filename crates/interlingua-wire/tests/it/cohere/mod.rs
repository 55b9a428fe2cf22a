//! Cohere v2 chat, both halves.

mod corpus;
mod laws;

use interlingua_model::{
    Assistant, Content, CustomTool, Delta, Effort, Error, ErrorKind, Event, Extra, Finish, FinishReason,
    Format, FunctionTool, Input, Json, Media, Message, Output, Reasoning, Request, Retention, Start, System,
    Text, ToolCall, ToolChoice, ToolKind, ToolMode, ToolResult, User, Warning,
};
use interlingua_wire::cohere::{Cohere, Dialect};
use interlingua_wire::{Codec, Mint, Mode, Serve};
use serde_json::{Value, json};

use crate::check::{call, cases, decode, events_round_trip};

const PROTOCOL: &str = "cohere";

fn codec() -> Cohere {
    Cohere::default()
}

fn sent(request: &Request) -> (Value, Vec<Warning>) {
    let encoded = codec().encode(request, Mode::Whole).unwrap();
    (serde_json::from_slice(&encoded.call.body).unwrap(), encoded.warnings)
}

fn settings(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|warning| &*warning.setting).collect()
}

fn read(body: &Value) -> Request {
    codec().decode_request(&call("/v2/chat", &[], body)).unwrap().0
}

#[test]
fn answers_and_refusals() {
    cases(&|_| Box::new(codec()), PROTOCOL);
}

#[test]
fn a_conversation_with_a_tool_as_the_vendor_writes_it() {
    let mut plan = Reasoning::new("I will look.");
    plan.extra = Extra::of(PROTOCOL, "field", Json::string("tool_plan"));
    let calls = ["a_1", "b_2"].map(|id| ToolCall::new(id, "see", Json::from_text(r#"{"x":1}"#)));
    let mut parts = vec![Output::Reasoning(Reasoning::new("Hm.")), Output::Reasoning(plan)];
    parts.extend(calls.into_iter().map(Output::ToolCall));
    let request = Request::new("command-a-03-2025")
        .system("Be kind.")
        .user(Media::bytes("image/png", vec![1, 2, 3]))
        .message(Assistant::new(parts))
        .message(Message::tool_results([
            ToolResult::new("a_1", "see", "a cat"),
            ToolResult::new("b_2", "see", "a dog"),
        ]))
        .tool(FunctionTool::new("see", "look", Json::object()).strict(true))
        .tool_choice(ToolChoice::Required)
        .max_output(9);
    let call =
        |id| json!({"id": id, "type": "function", "function": {"name": "see", "arguments": "{\"x\":1}"}});
    let (body, warnings) = sent(&request);
    assert_eq!(warnings, []);
    assert_eq!(
        body,
        json!({
            "model": "command-a-03-2025", "max_tokens": 9,
            "tools": [{"type": "function", "function": {"name": "see", "description": "look", "parameters": {}}}],
            "strict_tools": true, "tool_choice": "REQUIRED",
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": [
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AQID"}}]},
                {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm."}],
                    "tool_plan": "I will look.", "tool_calls": [call("a_1"), call("b_2")]},
                {"role": "tool", "tool_call_id": "a_1", "content": "a cat"},
                {"role": "tool", "tool_call_id": "b_2", "content": "a dog"},
            ]
        })
    );
    assert_eq!(read(&body), request);
}

#[test]
fn documents_belong_to_the_request_and_to_what_the_user_says() {
    let documents = json!([
        "a bare text",
        {"id": "d1", "data": {"text": "Cats purr.", "title": "Cats"}},
        {"data": {"text": "Dogs bark."}},
        {"id": "d2", "data": {"snippet": "Birds sing.", "region": "north"}}
    ]);
    let body =
        json!({"model": "m", "documents": documents, "messages": [{"role": "user", "content": "Which?"}]});
    let request = read(&body);
    let Message::User(user) = &request.messages[0] else { panic!("{request:?}") };
    let [Input::Media(bare), Input::Media(titled), Input::Media(_), Input::Media(own), Input::Text(_)] =
        user.parts.as_slice()
    else {
        panic!("{user:?}")
    };
    assert_eq!((&*bare.mime, &bare.name), ("text/plain", &None));
    assert_eq!((&*titled.mime, titled.name.as_deref()), ("text/plain", Some("Cats")));
    assert_eq!(own.mime, "application/json");
    let (again, warnings) = sent(&request);
    assert_eq!(
        (&again["documents"], &again["messages"][0]["content"]),
        (&documents, &json!([{"type": "text", "text": "Which?"}]))
    );
    assert_eq!(warnings, []);
    let nobody = json!({"model": "m", "documents": ["x"], "messages": [{"role": "system", "content": "s"}]});
    assert_eq!(sent(&read(&nobody)).0, nobody);
}

#[test]
fn documents_of_text_are_told_and_others_are_not() {
    let mut request = Request::new("m")
        .user(Media::bytes("text/csv", b"a,b".to_vec()).named("table"))
        .user(Media::bytes("application/pdf", vec![1_u8]))
        .user(Media::url("application/pdf", "https://a.example/x"))
        .user("Which?");
    request.extra.set(PROTOCOL, "documents", Json::from_text(r#"["mine"]"#));
    let (body, warnings) = sent(&request);
    assert_eq!(body["documents"], json!(["mine", {"data": {"text": "a,b", "title": "table"}}]));
    assert_eq!(body["messages"], json!([{"role": "user", "content": "Which?"}]));
    assert_eq!(
        settings(&warnings),
        ["messages[1].parts[0]", "messages[1]", "messages[2].parts[0]", "messages[2]"]
    );
}

#[test]
fn results_hold_documents_and_their_pictures_follow() {
    let mut result = ToolResult::error("a_1", "see", "no");
    result.content.push(Content::Media(Media::bytes("text/plain", b"Cats purr.".to_vec()).named("Cats")));
    result.content.push(Content::Media(Media::url("image/*", "https://a.example/cat.png")));
    let call = ToolCall::new("a_1", "see", Json::from_text(""));
    let request = Request::new("m")
        .user("look")
        .message(Assistant::new(vec![Output::ToolCall(call)]))
        .message(User::new(vec![Input::ToolResult(result), Input::Text(Text::new("and?"))]));
    let (body, warnings) = sent(&request);
    assert_eq!(body["messages"][1]["tool_calls"][0]["function"]["arguments"], "{}");
    assert_eq!(
        body["messages"][2],
        json!({"role": "tool", "tool_call_id": "a_1", "content": [
            {"type": "text", "text": "Error: no"},
            {"type": "document", "document": {"data": {"text": "Cats purr.", "title": "Cats"}}}]})
    );
    assert_eq!(
        body["messages"][3],
        json!({"role": "user", "content": [
            {"type": "text", "text": "Media of the result of tool call a_1:"},
            {"type": "image_url", "image_url": {"url": "https://a.example/cat.png"}},
            {"type": "text", "text": "and?"}]})
    );
    assert_eq!(settings(&warnings), ["messages[2].parts[0]", "messages[2].parts[0]"]);
    let Message::User(user) = &read(&body).messages[2] else { panic!("{body}") };
    let Input::ToolResult(result) = &user.parts[0] else { panic!("{user:?}") };
    assert_eq!((&*result.name, result.content.len()), ("see", 2));
}

#[test]
fn a_choice_cannot_name_tools_so_the_others_are_left_out() {
    let request = |choice| {
        let tools = ["see", "hear"].map(|name| FunctionTool::new(name, "", Json::object()));
        let [see, hear] = tools;
        Request::new("m").user("hi").tool(see).tool(hear).tool_choice(choice)
    };
    let names = |choice| {
        let (body, warnings) = sent(&request(choice));
        let names: Vec<String> = body["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["function"]["name"].as_str().unwrap().to_owned())
            .collect();
        (names.join(" "), body["tool_choice"].clone(), warnings.len())
    };
    let required = json!("REQUIRED");
    assert_eq!(names(ToolChoice::Auto), ("see hear".to_owned(), Value::Null, 0));
    assert_eq!(names(ToolChoice::None), ("see hear".to_owned(), json!("NONE"), 0));
    assert_eq!(names(ToolChoice::Tool("hear".to_owned())), ("hear".to_owned(), required.clone(), 1));
    let allowed = |mode| ToolChoice::Allowed { mode, names: vec!["see".to_owned()] };
    assert_eq!(names(allowed(ToolMode::Required)), ("see".to_owned(), required, 1));
    assert_eq!(names(allowed(ToolMode::Auto)), ("see".to_owned(), Value::Null, 1));
}

#[test]
fn reasoning_is_on_with_a_budget_or_off() {
    let thinking = |effort: Option<Effort>, budget: Option<u32>| {
        let mut request = Request::new("m").user("hi");
        (request.effort, request.reasoning_budget) = (effort, budget);
        let (body, warnings) = sent(&request);
        (body["thinking"].clone(), warnings.len())
    };
    assert_eq!(thinking(None, None), (Value::Null, 0));
    assert_eq!(thinking(Some(Effort::None), None), (json!({"type": "disabled"}), 0));
    assert_eq!(thinking(None, Some(500)), (json!({"type": "enabled", "token_budget": 500}), 0));
    assert_eq!(thinking(Some(Effort::High), None), (json!({"type": "enabled"}), 1));
    let mut dialect = Dialect::default();
    (dialect.thinking, dialect.images) = (false, false);
    let thought =
        Assistant::new(vec![Output::Reasoning(Reasoning::new("Hm.")), Output::Text(Text::new("Hi."))]);
    let request = Request::new("m")
        .user(Media::url("image/*", "https://a.example/x.png"))
        .message(thought)
        .effort(Effort::Low);
    let encoded = Cohere::new(dialect).encode(&request, Mode::Whole).unwrap();
    let body: Value = serde_json::from_slice(&encoded.call.body).unwrap();
    assert_eq!(
        body["messages"],
        json!([{"role": "assistant", "content": [{"type": "text", "text": "Hi."}]}])
    );
    assert_eq!(
        settings(&encoded.warnings),
        ["messages[0].parts[0]", "messages[0]", "messages[1].parts[0]", "effort"]
    );
}

#[test]
fn what_the_protocol_does_not_have_is_a_warning() {
    let mut request = Request::new("m")
        .user(Media::bytes("audio/wav", vec![1_u8]))
        .user(Text::new("hi").cached(Retention::Short))
        .tool(CustomTool::new("patch", "", None))
        .tool_choice(ToolChoice::Auto)
        .format(Format::Json)
        .temperature(1.5);
    request.sampling.presence_penalty = Some(-1.0);
    request.sampling.logprobs = Some(3);
    request.sampling.stop = ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec();
    request.parallel_tool_calls = Some(false);
    request.show_reasoning = Some(false);
    request.cache.key = Some("k".to_owned());
    request.metadata = vec![("a".to_owned(), "b".to_owned())];
    request.end_user = Some("u".to_owned());
    request.service_tier = Some("flex".to_owned());
    let (body, warnings) = sent(&request);
    let told = settings(&warnings);
    for setting in [
        "messages[0].parts[0]",
        "cache",
        "tools[0]",
        "format",
        "sampling.temperature",
        "sampling.presence_penalty",
        "sampling.logprobs",
        "sampling.stop",
        "parallel_tool_calls",
        "show_reasoning",
        "cache.key",
        "metadata",
        "end_user",
        "service_tier",
    ] {
        assert!(told.contains(&setting), "{setting} is lost in silence: {told:?}");
    }
    assert_eq!((&body["temperature"], &body["presence_penalty"]), (&json!(1.0), &json!(0.0)));
    assert_eq!(body["stop_sequences"].as_array().unwrap().len(), 5);
    assert_eq!(body.get("response_format"), None);
}

#[test]
fn what_only_this_protocol_knows_goes_through() {
    let body = json!({
        "model": "m", "stream": true, "safety_mode": "STRICT", "citation_options": {"mode": "FAST"}, "priority": 3,
        "response_format": {"type": "json_object", "json_schema": {"type": "object"}},
        "thinking": {"type": "enabled"},
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "hi"},
                {"type": "image_url", "image_url": {"url": "https://a.example/x.png", "detail": "low"}},
                {"type": "hologram", "hologram": 1}]},
            {"role": "assistant", "content": [{"type": "text", "text": "The cat."}],
                "citations": [{"start": 4, "end": 7, "text": "cat", "sources": [{"type": "document", "id": "d1",
                    "document": {"id": "d1", "title": "Cats", "url": "https://a.example/c", "snippet": "A cat."}}],
                    "type": "TEXT_CONTENT", "content_index": 0},
                    {"start": 0, "end": 1, "text": "x", "sources": [], "type": "PLAN"}]}]
    });
    let (request, mode) = codec().decode_request(&call("/v2/chat", &[], &body)).unwrap();
    let Message::Assistant(assistant) = &request.messages[1] else { panic!("{request:?}") };
    let [Output::Text(text)] = assistant.parts.as_slice() else { panic!("{assistant:?}") };
    let [citation] = text.citations.as_slice() else { panic!("{text:?}") };
    assert_eq!(
        (
            citation.title.as_deref(),
            citation.url.as_deref(),
            citation.file.as_deref(),
            citation.quote.as_deref()
        ),
        (Some("Cats"), Some("https://a.example/c"), Some("d1"), Some("A cat."))
    );
    let encoded = codec().encode(&request, mode).unwrap();
    assert_eq!(encoded.warnings, []);
    let again: Value = serde_json::from_slice(&encoded.call.body).unwrap();
    assert_eq!(again, body);
    let words = json!({"model": "m", "tool_choice": "required", "tools": [{"type": "function", "function": {"name": "f"}}],
        "response_format": {"type": "json_schema", "json_schema": {"type": "object"}},
        "messages": [{"role": "tool", "tool_call_id": "x", "content": [{"type": "text", "text": ""}]}]});
    let request = read(&words);
    assert_eq!(request.tool_choice, Some(ToolChoice::Required));
    assert!(matches!(request.format, Some(Format::Schema(_))));
}

#[test]
fn a_bad_request_is_told_which_field() {
    for (sent, field) in [
        (json!({"messages": []}), "`model`"),
        (json!({"model": "m"}), "`messages`"),
        (json!({"model": "m", "messages": [{"role": "wizard", "content": "x"}]}), "messages[0]"),
        (json!({"model": "m", "messages": [{"role": "user", "content": 7}]}), "`content`"),
        (json!({"model": "m", "messages": [{"role": "tool", "content": "x"}]}), "`tool_call_id`"),
        (json!({"model": "m", "messages": [], "max_tokens": "many"}), "`max_tokens`"),
        (json!({"model": "m", "messages": [], "tools": [{"type": "function", "function": {}}]}), "`name`"),
    ] {
        let error = codec().decode_request(&call("/v2/chat", &[], &sent)).unwrap_err();
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
fn every_finish_reaches_a_client_in_a_word_that_it_knows() {
    let word = |finish: Finish| {
        let mut encoder = codec().encoder(&Request::new("m"), Mode::Whole, Mint::new(1, "x"));
        encoder.push(&Event::start(Start::default())).unwrap();
        encoder.push(&Event::finish(finish)).unwrap();
        let body: Value = serde_json::from_slice(&encoder.take()).unwrap();
        body["finish_reason"].as_str().unwrap().to_owned()
    };
    let mut stopped = Finish::new(FinishReason::Stop);
    stopped.stop_sequence = Some("END".to_owned());
    assert_eq!(word(stopped), "STOP_SEQUENCE");
    for (reason, expected) in [
        (FinishReason::Stop, "COMPLETE"),
        (FinishReason::Length, "MAX_TOKENS"),
        (FinishReason::ToolUse, "TOOL_CALL"),
        (FinishReason::Filtered, "ERROR"),
        (FinishReason::Refused, "COMPLETE"),
        (FinishReason::Paused, "COMPLETE"),
        (FinishReason::Other, "COMPLETE"),
    ] {
        assert_eq!(word(Finish::new(reason)), expected);
    }
    assert_eq!(word(Finish::new(FinishReason::Other).with_raw("TIMEOUT")), "TIMEOUT");
    assert_eq!(word(Finish::new(FinishReason::Stop).with_raw("end_turn")), "COMPLETE");
}

#[test]
fn a_failure_is_told_at_the_end_of_the_stream_and_as_a_whole_answer() {
    let error = Error::new(ErrorKind::Overloaded, "come back later").with_request_id("req_1");
    let mut encoder = codec().encoder(&Request::new("m"), Mode::Stream, Mint::new(1, "x"));
    encoder.push(&Event::start(Start::default())).unwrap();
    encoder.push(&Event::open(0, Output::Text(Text::default()))).unwrap();
    encoder.push(&Event::delta(0, Delta::text("Hel"))).unwrap();
    encoder.fail(&error);
    let heard = decode(&codec(), Mode::Stream, &encoder.take(), &[]);
    assert!(heard.error.unwrap().contains("come back later"));
    assert_eq!(heard.response.text(), "Hel");
    let reply = codec().encode_error(&error);
    assert_eq!(reply.status, 503);
    assert_eq!(reply.body, r#"{"id":"req_1","message":"come back later"}"#);
}

#[test]
fn a_citation_of_another_protocol_becomes_a_document() {
    let mut citation = interlingua_model::Citation::new("url_citation");
    citation.url = Some("https://a.example/c".to_owned());
    citation.title = Some("Cats".to_owned());
    citation.span = Some(interlingua_model::Span { start: 4, end: 7 });
    let mut text = Text::new("The cat.");
    text.citations.push(citation);
    let events = [
        Event::start(Start::default()),
        Event::open(0, Output::Text(text)),
        Event::close(0),
        Event::finish(Finish::new(FinishReason::Stop)),
    ];
    for mode in [Mode::Stream, Mode::Whole] {
        let back = events_round_trip(&codec(), &Request::new("m"), mode, &events);
        let [Output::Text(text)] = back.response.message.parts.as_slice() else { panic!("{back:?}") };
        let [citation] = text.citations.as_slice() else { panic!("{text:?}") };
        assert_eq!(
            (citation.title.as_deref(), citation.url.as_deref()),
            (Some("Cats"), Some("https://a.example/c"))
        );
        assert_eq!(citation.extra.read::<String>(PROTOCOL, "text").as_deref(), Some("cat"));
    }
}

#[test]
fn a_longer_conversation_begins_with_the_bytes_of_the_shorter() {
    let tool = FunctionTool::new("now", "time", Json::object());
    let first = Request::new("m").message(System::new(vec!["be kind".into()])).user("one").tool(tool);
    let next = first.clone().message(Message::assistant("two")).user("three");
    let (first, next) =
        (codec().encode(&first, Mode::Stream).unwrap(), codec().encode(&next, Mode::Stream).unwrap());
    let (first, next) = (&first.call.body, &next.call.body);
    let common = first.len() - b"]}".len();
    assert_eq!(first[..common], next[..common]);
}

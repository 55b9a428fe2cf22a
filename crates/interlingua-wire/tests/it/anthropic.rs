//! Anthropic Messages, both halves.

mod clouds;
mod corpus;

use interlingua_model::{
    Citation, Content, Custom, Delta, Effort, Event, Extra, Finish, FinishReason, Format, FunctionTool,
    Input, Json, Media, Message, Origin, Output, Place, ProviderTool, Reasoning, Request, Response,
    Retention, RunBy, SchemaFormat, Span, Start, System, Text, ToolCall, ToolChoice, ToolKind, ToolResult,
    User,
};
use interlingua_wire::anthropic::{Anthropic, Dialect, Version};
use interlingua_wire::{Codec, Mode, Serve};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::check::{call, cases, decode, events_round_trip, round_trip};
use crate::laws;

const PROTOCOL: &str = "anthropic";

fn codec() -> Anthropic {
    Anthropic::default()
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&codec().encode(request, Mode::Whole).unwrap().call.body).unwrap()
}

#[test]
fn answers_and_refusals() {
    cases(&|_| Box::new(codec()), PROTOCOL);
}

#[test]
fn the_version_follows_the_request() {
    let version = |dialect: Dialect, request: &Request| {
        let call = Anthropic::new(dialect).encode(request, Mode::Whole).unwrap().call;
        call.headers.get("anthropic-version").unwrap().to_str().unwrap().to_owned()
    };
    let plain = Request::new("m").user("hi");
    let warm = plain.clone().temperature(0.5);
    assert_eq!(version(Dialect::default(), &plain), "2026-10-21");
    assert_eq!(version(Dialect::default(), &warm), "2023-06-01");
    let mut pinned = Dialect::default();
    pinned.version = Version::V2026;
    let encoded = Anthropic::new(pinned.clone()).encode(&warm, Mode::Whole).unwrap();
    assert!(!String::from_utf8_lossy(&encoded.call.body).contains("temperature"));
    assert_eq!(encoded.warnings[0].setting, "sampling");
    assert_eq!(version(pinned, &warm), "2026-10-21");
}

#[test]
fn thinking_takes_the_form_that_the_model_knows() {
    let thinking = |dialect: &Dialect, request: &Request| {
        let encoded = Anthropic::new(dialect.clone()).encode(request, Mode::Whole).unwrap();
        let body: Value = serde_json::from_slice(&encoded.call.body).unwrap();
        (body["thinking"].clone(), body["output_config"]["effort"].clone(), encoded.warnings.len())
    };
    let request = |effort| Request::new("m").user("hi").effort(effort).max_output(50_000);
    let all = Dialect::default();
    assert_eq!(thinking(&all, &request(Effort::High)), (json!({"type": "adaptive"}), json!("high"), 0));
    assert_eq!(thinking(&all, &request(Effort::Minimal)), (json!({"type": "adaptive"}), json!("low"), 1));
    assert_eq!(thinking(&all, &request(Effort::None)), (json!({"type": "disabled"}), Value::Null, 0));
    let mut old = Dialect::default();
    old.adaptive_thinking = false;
    old.efforts = Vec::new();
    let budget = json!({"type": "enabled", "budget_tokens": 16384});
    assert_eq!(thinking(&old, &request(Effort::High)), (budget, Value::Null, 1));
    let mut newest = Dialect::default();
    newest.thinking_off = false;
    newest.thinking_budget = false;
    assert_eq!(thinking(&newest, &request(Effort::None)), (Value::Null, Value::Null, 1));
    let mut figure = Request::new("m").user("hi").max_output(4000);
    figure.reasoning_budget = Some(9000);
    assert_eq!(thinking(&all, &figure).0["budget_tokens"], 3999);
    assert_eq!(thinking(&newest, &figure), (json!({"type": "adaptive"}), Value::Null, 1));
}

#[test]
fn what_the_protocol_does_not_have_is_a_warning() {
    let mut request = Request::new("m").user("hi").user(Media::bytes("audio/wav", vec![1_u8]));
    request.sampling.seed = Some(1);
    request.sampling.presence_penalty = Some(1.0);
    request.sampling.frequency_penalty = Some(1.0);
    request.sampling.logprobs = Some(2);
    request.sampling.stop = vec!["END".to_owned(), "\n".to_owned()];
    request.cache.key = Some("k".to_owned());
    request.metadata = vec![("a".to_owned(), "b".to_owned())];
    request.format = Some(Format::Json);
    let encoded = codec().encode(&request, Mode::Whole).unwrap();
    let settings: Vec<&str> = encoded.warnings.iter().map(|warning| &*warning.setting).collect();
    for setting in [
        "sampling.seed",
        "sampling.presence_penalty",
        "sampling.frequency_penalty",
        "sampling.logprobs",
        "sampling.stop",
        "cache.key",
        "metadata",
        "format",
        "messages[1].parts[0]",
    ] {
        assert!(settings.contains(&setting), "{setting} is lost in silence: {settings:?}");
    }
}

#[test]
fn results_lead_their_message_and_empty_texts_stay_out() {
    let user = User::new(vec![
        Input::Text(Text::new("and?")),
        Input::Text(Text::new("")),
        Input::ToolResult(ToolResult::error("toolu_1", "now", "no clock")),
    ]);
    let call = ToolCall::new("toolu_1", "now", Json::from_text(""));
    let request = Request::new("m")
        .user("time?")
        .message(interlingua_model::Assistant::new(vec![Output::ToolCall(call)]))
        .message(user);
    let body = body(&request);
    assert_eq!(body["messages"][1]["content"][0]["input"], json!({}));
    assert_eq!(
        body["messages"][2]["content"],
        json!([
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "no clock", "is_error": true},
            {"type": "text", "text": "and?"},
        ])
    );
}

#[test]
fn at_most_four_cache_marks_go_out() {
    let mut request = Request::new("m");
    for index in 0..6 {
        request = request.user(Text::new(format!("part {index}")).cached(Retention::Long));
    }
    let encoded = codec().encode(&request, Mode::Whole).unwrap();
    assert_eq!(String::from_utf8_lossy(&encoded.call.body).matches(r#""ttl":"1h""#).count(), 4);
    assert_eq!(encoded.warnings.len(), 1);
}

#[test]
fn a_forced_choice_becomes_a_free_one_where_it_is_refused() {
    let mut dialect = Dialect::default();
    dialect.forced_tool_choice = false;
    let tool = FunctionTool::new("now", "", Json::object());
    let request = Request::new("m").user("hi").tool(tool).tool_choice(ToolChoice::Required);
    let encoded = Anthropic::new(dialect).encode(&request, Mode::Whole).unwrap();
    assert!(String::from_utf8_lossy(&encoded.call.body).contains(r#""tool_choice":{"type":"auto"}"#));
    assert_eq!(encoded.warnings[0].setting, "tool_choice");
    assert_eq!(body(&request)["tool_choice"], json!({"type": "any"}));
}

#[test]
fn requests_of_the_vendors_clients_are_understood_and_kept() {
    let sent = json!({
        "model": "claude-test-1", "max_tokens": 100, "stream": true,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "tool_use", "id": "toolu_1", "name": "see", "input": {"b": 1, "a": 2}, "caller": {"type": "direct"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [
                {"type": "text", "text": "a cat"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AQID"}}]}]},
            {"role": "system", "content": "Now in French.", "clear_at": "never"}],
        "tools": [
            {"name": "see", "input_schema": {"type": "object"}, "eager_input_streaming": true},
            {"type": "web_search_20260318", "name": "web_search", "max_uses": 3}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "thinking": {"type": "between_tools"},
        "context_management": {"edits": []},
        "metadata": {"user_id": "u"},
        "a_field_of_next_year": [1, 2]
    });
    let headers =
        [("anthropic-beta", "context-management-2025-06-27, x-1"), ("anthropic-version", "2023-06-01")];
    let (request, mode) = codec().decode_request(&call("/v1/messages?beta=true", &headers, &sent)).unwrap();
    assert_eq!(mode, Mode::Stream);
    let encoded = codec().encode(&request, mode).unwrap();
    assert_eq!(encoded.warnings, []);
    let mut back: Value = serde_json::from_slice(&encoded.call.body).unwrap();
    // A text alone is written as a block, which means the same.
    assert_eq!(back["messages"][0]["content"], json!([{"type": "text", "text": "hi"}]));
    back["messages"][0]["content"] = json!("hi");
    assert_eq!(back["messages"][3]["content"], json!([{"type": "text", "text": "Now in French."}]));
    back["messages"][3]["content"] = json!("Now in French.");
    assert_eq!(back, sent);
    assert_eq!(encoded.call.headers["anthropic-beta"], "context-management-2025-06-27,x-1");
    let Message::User(user) = &request.messages[3] else { panic!("{:?}", request.messages[3]) };
    let Input::ToolResult(result) = &user.parts[0] else { panic!("{user:?}") };
    assert_eq!(result.name, "see");
}

#[test]
fn a_bad_request_is_told_which_field() {
    for (sent, field) in [
        (json!({"messages": []}), "`model`"),
        (json!({"model": "m"}), "`messages`"),
        (json!({"model": "m", "messages": [{"role": "wizard", "content": "x"}]}), "messages[0]"),
        (json!({"model": "m", "messages": [{"role": "user", "content": 7}]}), "`content`"),
        (json!({"model": "m", "messages": [], "max_tokens": "many"}), "`max_tokens`"),
    ] {
        let error = codec().decode_request(&call("/v1/messages", &[], &sent)).unwrap_err();
        assert!(error.message().contains(field), "{error}");
    }
}

#[test]
fn a_longer_conversation_begins_with_the_bytes_of_the_shorter() {
    let tool = FunctionTool::new("now", "time", Json::object());
    let first = Request::new("m").system("be kind").user("one").tool(tool).effort(Effort::Low);
    let next = first.clone().message(Message::assistant("two")).user("three");
    let (first, next) =
        (codec().encode(&first, Mode::Stream).unwrap(), codec().encode(&next, Mode::Stream).unwrap());
    let (first, next) = (&first.call.body, &next.call.body);
    let common = first.len() - b"]}".len();
    assert_eq!(first[..common], next[..common]);
}

#[test]
fn an_event_is_one_line_of_data_whatever_the_spelling_of_what_is_kept() {
    let value = Json::from_text("{\n  \"type\": \"container_upload\",\r\n  \"file_id\": \"a\\nb\"\n}");
    let events = [
        Event::start(Start::default()),
        Event::open(0, Output::Custom(Custom::new(PROTOCOL, "container_upload", value.clone()))),
        Event::close(0),
        Event::finish(Finish::new(FinishReason::Stop)),
    ];
    let back = events_round_trip(&codec(), &Request::new("m"), Mode::Stream, &events);
    assert_eq!(back.error, None);
    let [Output::Custom(custom)] = back.response.message.parts.as_slice() else { panic!("{back:?}") };
    assert_eq!(custom.value.to_value().unwrap(), value.to_value().unwrap());
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
fn an_unknown_reason_to_stop_stays_what_it_is() {
    for mode in [Mode::Stream, Mode::Whole] {
        let finish = Finish::new(FinishReason::Other).with_raw("a_word_of_next_year");
        let events = [Event::start(Start::default()), Event::finish(finish.clone())];
        let back = events_round_trip(&codec(), &Request::new("m"), mode, &events);
        assert_eq!(back.response.finish, Some(finish));
    }
}

#[test]
fn what_a_thinking_model_refuses_is_not_sent() {
    let tool = FunctionTool::new("now", "", Json::from_text(""));
    let mut request =
        Request::new("m").user("hi").tool(tool).tool_choice(ToolChoice::Required).max_output(5000);
    request.reasoning_budget = Some(2048);
    (request.sampling.temperature, request.sampling.top_p) = (Some(0.3), Some(0.5));
    request.sampling.top_k = Some(4);
    let encoded = codec().encode(&request, Mode::Whole).unwrap();
    let sent: Value = serde_json::from_slice(&encoded.call.body).unwrap();
    assert_eq!(sent["thinking"], json!({"type": "enabled", "budget_tokens": 2048}));
    assert_eq!(sent["tool_choice"], json!({"type": "auto"}));
    assert_eq!(sent["tools"][0]["input_schema"], json!({"type": "object", "properties": {}}));
    for name in ["temperature", "top_p", "top_k"] {
        assert_eq!(sent.get(name), None);
    }
    assert_eq!(encoded.warnings.len(), 4, "{:?}", encoded.warnings);
    (request.sampling.temperature, request.sampling.top_p) = (Some(1.0), Some(0.97));
    let sent = body(&request);
    assert_eq!((&sent["temperature"], &sent["top_p"]), (&json!(1.0), &json!(0.97)));
}

#[test]
fn a_setting_that_means_nothing_here_is_a_warning() {
    let mut request = Request::new("m").user("hi").tool_choice(ToolChoice::Required).max_output(500);
    request.service_tier = Some("flex".to_owned());
    request.reasoning_budget = Some(4000);
    let encoded = codec().encode(&request, Mode::Whole).unwrap();
    let settings: Vec<&str> = encoded.warnings.iter().map(|warning| &*warning.setting).collect();
    assert_eq!(settings, ["service_tier", "reasoning_budget", "tool_choice"]);
    let sent: Value = serde_json::from_slice(&encoded.call.body).unwrap();
    assert_eq!(
        sent,
        json!({"model": "m", "max_tokens": 500,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]})
    );
}

#[test]
fn results_of_parallel_calls_are_one_message_and_instructions_follow_it() {
    let calls = ["a", "b"].map(|id| Output::ToolCall(ToolCall::new(id, "now", Json::object())));
    let request = Request::new("m")
        .user("hi")
        .message(interlingua_model::Assistant::new(calls.to_vec()))
        .message(Message::system("Be quick."))
        .user(ToolResult::new("a", "now", "1"))
        .user("oh")
        .user(ToolResult::new("b", "now", "2"));
    let result = |id, text| json!({"type": "tool_result", "tool_use_id": id, "content": text});
    let text = |text| json!({"type": "text", "text": text});
    let user = json!({"role": "user", "content": [result("a", "1"), result("b", "2"), text("oh")]});
    let sent = body(&request);
    assert_eq!(sent["messages"][2], user);
    assert_eq!(sent["messages"][3], json!({"role": "system", "content": [text("Be quick.")]}));
    assert_eq!(sent["messages"].as_array().unwrap().len(), 4);

    let mut dialect = Dialect::default();
    dialect.system_anywhere = false;
    let encoded = Anthropic::new(dialect).encode(&request, Mode::Whole).unwrap();
    let sent: Value = serde_json::from_slice(&encoded.call.body).unwrap();
    assert_eq!(sent["messages"][3], json!({"role": "user", "content": [text("Be quick.")]}));
    assert_eq!(encoded.warnings.len(), 2);
}

#[test]
fn platforms_have_version_and_betas_in_the_body() {
    let mut dialect = Dialect::default();
    (dialect.model_in_body, dialect.betas_in_body) = (false, true);
    dialect.version_in_body = Some("vertex-2023-10-16".to_owned());
    let mut request = Request::new("").user("hi").max_output(9);
    request.extra.set(PROTOCOL, "betas", Json::from_text(r#"["x-1"]"#));
    let vertex = Anthropic::new(dialect);
    let call = vertex.encode(&request, Mode::Whole).unwrap().call;
    let sent: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(sent["anthropic_version"], "vertex-2023-10-16");
    assert_eq!(sent["anthropic_beta"], json!(["x-1"]));
    assert_eq!((sent.get("model"), sent.get("betas")), (None, None));
    assert!(!call.headers.contains_key("anthropic-beta"));
    assert_eq!(vertex.decode_request(&call).unwrap().0, request);
}

#[test]
fn thinking_without_a_seal_goes_back_only_where_none_is_made() {
    let parts = vec![Output::Reasoning(Reasoning::new("hm")), Output::Text(Text::new("Hello."))];
    let request = Request::new("m").user("hi").message(interlingua_model::Assistant::new(parts));
    let sent = |dialect: Dialect| {
        let encoded = Anthropic::new(dialect).encode(&request, Mode::Whole).unwrap();
        let sent: Value = serde_json::from_slice(&encoded.call.body).unwrap();
        (sent["messages"][1]["content"].clone(), encoded.warnings.len())
    };
    assert_eq!(sent(Dialect::default()), (json!([{"type": "text", "text": "Hello."}]), 1));
    let mut unsigned = Dialect::default();
    unsigned.unsigned_thinking = true;
    let thinking = json!({"type": "thinking", "thinking": "hm", "signature": ""});
    assert_eq!(sent(unsigned), (json!([thinking, {"type": "text", "text": "Hello."}]), 0));
}

#[test]
fn a_document_that_is_neither_pdf_nor_text_is_flattened_or_dropped() {
    let request = Request::new("m")
        .user(Media::bytes("text/csv", b"a,b".to_vec()))
        .user(Media::bytes("application/msword", vec![0xFF_u8]));
    let encoded = codec().encode(&request, Mode::Whole).unwrap();
    let sent: Value = serde_json::from_slice(&encoded.call.body).unwrap();
    let source = json!({"type": "text", "media_type": "text/plain", "data": "a,b"});
    assert_eq!(
        sent["messages"],
        json!([{"role": "user", "content": [{"type": "document", "source": source}]}])
    );
    let settings: Vec<&str> = encoded.warnings.iter().map(|warning| &*warning.setting).collect();
    assert_eq!(settings, ["messages[0].parts[0]", "messages[1].parts[0]", "messages[1]"]);
}

fn words() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Zäß世😀\"\\\\ \n]{0,12}"
}

fn retention() -> impl Strategy<Value = Option<Retention>> {
    prop_oneof![4 => Just(None), 1 => prop::sample::select(vec![Retention::Default, Retention::Short, Retention::Long]).prop_map(Some)]
}

fn text() -> impl Strategy<Value = Text> {
    words().prop_map(Text::new)
}

fn place() -> impl Strategy<Value = (&'static str, Place)> {
    (0_u64..9, 0_u64..9, 9_u64..20).prop_flat_map(|(index, start, end)| {
        let span = Span { start, end };
        prop::sample::select(vec![
            ("char_location", Place::Characters { document: index, span }),
            ("page_location", Place::Pages { document: index, span }),
            ("content_block_location", Place::Blocks { document: index, span }),
            ("search_result_location", Place::SearchResult { result: index, span }),
        ])
    })
}

fn citation() -> impl Strategy<Value = Citation> {
    (place(), words(), prop::option::of(words())).prop_map(|((kind, place), quote, title)| {
        let mut citation = Citation::new(kind);
        citation.place = Some(place);
        citation.quote = Some(quote);
        citation.title = title;
        citation
    })
}

fn spoken() -> impl Strategy<Value = Text> {
    (text(), prop::collection::vec(citation(), 0..2)).prop_map(|(mut text, citations)| {
        text.citations = citations;
        text
    })
}

fn reasoning() -> impl Strategy<Value = Reasoning> {
    prop_oneof![
        (words(), words()).prop_map(|(text, seal)| {
            let mut reasoning = Reasoning::new(text);
            reasoning.extra = Extra::of(PROTOCOL, "signature", Json::string(&seal));
            reasoning
        }),
        words().prop_map(|data| {
            let mut reasoning = Reasoning::default();
            reasoning.extra = Extra::of(PROTOCOL, "data", Json::string(&data));
            reasoning.extra.set(PROTOCOL, "type", Json::string("redacted_thinking"));
            reasoning
        }),
    ]
}

fn input() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::object()),
        words().prop_map(|word| Json::from_text(json!({ "x": word }).to_string()))
    ]
}

fn tool_call() -> impl Strategy<Value = ToolCall> {
    ("toolu_[a-z0-9]{4}", "[a-z_]{3,8}", input(), any::<bool>()).prop_map(|(id, name, input, provider)| {
        let mut call = ToolCall::new(id, name, input);
        if provider {
            call.run_by = RunBy::Provider;
            call.extra.set(PROTOCOL, "type", Json::string("server_tool_use"));
        }
        call
    })
}

fn run_result() -> impl Strategy<Value = ToolResult> {
    words().prop_map(|word| {
        let kind = "web_search_tool_result";
        let mut result = ToolResult::default();
        result.call = "srvtoolu_1".to_owned();
        result.name = "web_search".to_owned();
        let value = Json::from_text(json!([{ "type": "web_search_result", "title": word }]).to_string());
        result.content = vec![Content::Custom(Custom::new(PROTOCOL, kind, value))];
        result.extra.set(PROTOCOL, "type", Json::string(kind));
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
            let value = json!({"type": "container_upload", "file_id": word}).to_string();
            Output::Custom(Custom::new(PROTOCOL, "container_upload", Json::from_text(value)))
        }),
    ]
}

fn media() -> impl Strategy<Value = Media> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| Media::bytes("image/png", bytes)),
        Just(Media::url("image/*", "https://example.org/a.png")),
        words().prop_map(|name| Media::bytes("application/pdf", vec![1_u8, 2]).named(name)),
        words().prop_map(|text| Media::bytes("text/plain", text.into_bytes())),
        Just(Media::file("application/pdf", "file_1")),
    ]
}

fn said() -> impl Strategy<Value = Message> {
    let part = prop_oneof![text().prop_map(Input::Text), media().prop_map(Input::Media)];
    prop_oneof![
        (prop::collection::vec(part, 1..4), retention()).prop_map(|(mut parts, cache)| {
            if let Some(Input::Text(text)) = parts.first_mut() {
                text.cache = cache;
            }
            Message::User(User::new(parts))
        }),
        prop::collection::vec(output(), 1..5)
            .prop_map(|parts| Message::from(interlingua_model::Assistant::new(parts))),
    ]
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
        prop::option::of(words()),
    );
    let messages = prop::collection::vec(said(), 0..5);
    (prop::option::of(text()), messages, knobs, any::<bool>()).prop_map(|(system, messages, knobs, tools)| {
        let (temperature, max_output, effort, show, choice, user) = knobs;
        let mut request = Request::new("claude-test-1");
        if let Some(system) = system {
            request.messages.push(Message::System(System::new(vec![Input::Text(system)])));
        }
        request.messages.extend(messages);
        let thinks = effort.map_or(show.is_some(), |effort| effort != Effort::None);
        let temperature = temperature.filter(|tenths| !thinks || *tenths == 10);
        request.sampling.temperature = temperature.map(|tenths| f64::from(tenths) / 10.0);
        request.max_output = Some(max_output.unwrap_or(8192));
        request.effort = effort;
        request.show_reasoning = show.filter(|_| effort != Some(Effort::None));
        request.end_user = user;
        if tools {
            let schema = r#"{"type":"object","properties":{"b":{},"a":{}}}"#;
            let mut tool = FunctionTool::new("see", "look", Json::from_text(schema));
            tool.cache = Some(Retention::Short);
            request = request.tool(tool).tool(ProviderTool::new(
                PROTOCOL,
                "bash_20250124",
                Json::from_text(r#"{"type":"bash_20250124","name":"bash"}"#),
            ));
            request.parallel_tool_calls = choice.is_some().then_some(false);
            request.tool_choice = choice;
        }
        let schema = Json::from_text(
            r#"{"type":"object","properties":{},"required":[],"additionalProperties":false}"#,
        );
        request.format = tools.then(|| Format::Schema(SchemaFormat::new("output", schema)));
        request
    })
}

fn response() -> impl Strategy<Value = Vec<Output>> {
    prop::collection::vec(output(), 0..6)
}

/// The events of a message, each part begun empty where that can be and grown by deltas.
fn events(parts: &[Output]) -> Vec<Event> {
    let wire = whole(parts);
    decode(&codec(), Mode::Whole, wire.to_string().as_bytes(), &[]).events
}

fn whole(parts: &[Output]) -> Value {
    let request = Request::new("m").message(interlingua_model::Assistant::new(parts.to_vec()));
    let content = match body(&request)["messages"].as_array().unwrap().first() {
        Some(message) => message["content"].clone(),
        None => json!([]),
    };
    json!({"id": "msg_9", "type": "message", "role": "assistant", "model": "claude-test-1", "content": content,
        "stop_reason": "end_turn", "stop_sequence": null, "usage": {"input_tokens": 3, "output_tokens": 4}})
}

fn without_warnings(mut response: Response) -> Response {
    response.message.origin = None::<Origin>;
    response
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_request_comes_back_as_it_went_out(mut request in request(), stream in any::<bool>()) {
        if request.effort.is_none() && request.show_reasoning.is_none() {
            request.effort = None;
        }
        let mode = if stream { Mode::Stream } else { Mode::Whole };
        let back = round_trip(&codec(), &request, mode);
        // Results have no name on this wire, and a call that nobody answered is still a call.
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
        let asked = Request::new("claude-test-1");
        let events = events(&parts);
        let streamed = events_round_trip(&codec(), &asked, Mode::Stream, &events);
        let at_once = events_round_trip(&codec(), &asked, Mode::Whole, &events);
        prop_assert_eq!(&streamed.error, &None);
        prop_assert_eq!(&at_once.error, &None);
        prop_assert_eq!(without_warnings(streamed.response), without_warnings(at_once.response));
    }

    #[test]
    fn events_come_back_through_both_halves(parts in response()) {
        let asked = Request::new("claude-test-1");
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
    fn a_damaged_stream_is_events_or_an_error(parts in response(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        // The last event is whole without the blank line that ends it.
        let bytes = laws::bytes(&codec(), &events(&parts), Mode::Stream);
        laws::a_cut_stream_is_an_error(&codec(), bytes, at, byte, |at, total, _| at + 2 >= total);
    }
}

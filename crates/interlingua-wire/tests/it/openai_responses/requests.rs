//! What goes out, what is lost on the way, and what clients send.

use interlingua_model::{
    Assistant, Custom, CustomTool, Effort, Error, ErrorKind, Extra, Format, FunctionTool, Grammar, Input,
    Json, Media, Message, Output, Reasoning, Request, Retention, RunBy, SchemaFormat, Text, Tool, ToolCall,
    ToolChoice, ToolKind, ToolMode, ToolResult, User,
};
use interlingua_wire::openai_responses::{
    AutomaticCache, Dialect, EndUser, Instructions, OpenaiResponses, SamplingRule, Store,
};
use interlingua_wire::{Codec, Mode, Serve};
use serde_json::{Value, json};

use super::codec;
use crate::check;

const P: &str = "openai_responses";

/// The body and the warnings of a request in a dialect.
fn said(dialect: Dialect, request: &Request) -> (Value, Vec<String>) {
    let encoded = OpenaiResponses::new(dialect).encode(request, Mode::Whole).unwrap();
    let body = serde_json::from_slice(&encoded.call.body).unwrap();
    (body, encoded.warnings.iter().map(ToString::to_string).collect())
}

fn heard(body: &Value) -> Request {
    codec().decode_request(&check::call("/v1/responses?x=1", &[], body)).unwrap().0
}

fn dialect(change: impl FnOnce(&mut Dialect)) -> Dialect {
    let mut dialect = Dialect::openai();
    change(&mut dialect);
    dialect
}

#[test]
fn nothing_is_sent_that_was_not_asked_for() {
    let (body, warnings) = said(Dialect::openai(), &Request::new("m").user("hi"));
    let wanted = json!({
        "model": "m", "store": false, "include": ["reasoning.encrypted_content"],
        "input": [{ "type": "message", "role": "user", "content": "hi" }],
    });
    assert_eq!(body, wanted);
    assert!(warnings.is_empty());
}

#[test]
fn what_is_stored_needs_no_sealed_reasoning() {
    let (body, _) = said(dialect(|d| d.store = Store::Always), &Request::new("m").user("hi"));
    assert_eq!(body["store"], true);
    assert!(body.get("include").is_none());
    let mut request = Request::new("m").user("hi");
    request.extra.set(P, "store", Json::from_text("true"));
    request.extra.set(P, "previous_response_id", Json::string("resp_1"));
    let (body, _) = said(Dialect::openai(), &request);
    assert_eq!((&body["store"], &body["previous_response_id"]), (&json!(true), &json!("resp_1")));
    assert!(body.get("include").is_none());
}

#[test]
fn instructions_go_where_the_dialect_says() {
    let request = Request::new("m").system("Be kind.").system("Be brief.").user("hi");
    let (body, _) = said(Dialect::openai(), &request);
    assert_eq!(body["instructions"], "Be kind.");
    assert_eq!(body["input"][0], json!({ "type": "message", "role": "developer", "content": "Be brief." }));
    let (body, _) = said(dialect(|d| d.instructions = Instructions::Items), &request);
    assert!(body.get("instructions").is_none());
    assert_eq!(body["input"][0]["content"], "Be kind.");
}

#[test]
fn knobs_without_a_field_are_reported() {
    let mut request = Request::new("m").user("hi").max_output(5).temperature(0.5);
    request.sampling.top_k = Some(4);
    request.sampling.seed = Some(1);
    request.sampling.presence_penalty = Some(0.1);
    request.sampling.frequency_penalty = Some(0.1);
    request.sampling.stop = vec!["END".to_owned()];
    request.reasoning_budget = Some(1_000);
    let (body, warnings) = said(dialect(|d| d.sampling = SamplingRule::Refused), &request);
    assert_eq!(body["max_output_tokens"], 16);
    let settings: Vec<&str> = warnings.iter().map(|warning| warning.split(':').next().unwrap()).collect();
    let wanted = [
        "adjusted max_output",
        "ignored sampling.temperature",
        "ignored sampling.top_k",
        "ignored sampling.seed",
        "ignored sampling.presence_penalty",
        "ignored sampling.frequency_penalty",
        "ignored sampling.stop",
        "ignored reasoning_budget",
    ];
    assert_eq!(settings, wanted);
}

#[test]
fn sampling_may_depend_on_the_effort() {
    let rule = || dialect(|d| d.sampling = SamplingRule::WithoutReasoning);
    let request = Request::new("m").user("hi").temperature(0.5);
    assert_eq!(said(rule(), &request.clone().effort(Effort::None)).0["temperature"], 0.5);
    assert!(said(rule(), &request.effort(Effort::Low)).0.get("temperature").is_none());
}

#[test]
fn effort_becomes_the_nearest_word() {
    let words = dialect(|d| {
        d.effort_words = [(Effort::Low, "lo".to_owned()), (Effort::High, "hi".to_owned())].into();
    });
    let (body, warnings) = said(words, &Request::new("m").user("x").effort(Effort::Max));
    assert_eq!(body["reasoning"], json!({ "effort": "hi" }));
    assert_eq!(warnings.len(), 1);
}

#[test]
fn functions_always_say_whether_they_are_strict() {
    let schema = Json::new(r#"{"type":"object","properties":{"a":{"type":"string"}}}"#).unwrap();
    let request = Request::new("m")
        .user("x")
        .tool(FunctionTool::new("loose", "", schema.clone()))
        .tool(FunctionTool::new("tight", "", schema).strict(true));
    let (body, warnings) = said(Dialect::openai(), &request);
    assert_eq!(body["tools"][0]["strict"], false);
    assert_eq!(body["tools"][1]["strict"], true);
    assert_eq!(body["tools"][1]["parameters"]["additionalProperties"], false);
    assert!(
        warnings.iter().any(|warning| warning.starts_with("adjusted tools[1].input#/properties/a")),
        "{warnings:?}"
    );
    let (body, _) = said(dialect(|d| d.strict = false), &request);
    assert!(body["tools"][1].get("strict").is_none());
}

#[test]
fn tools_of_every_kind_and_choices_of_every_form() {
    let mut request = Request::new("m")
        .user("x")
        .tool(CustomTool::new("sql", "Asks", Some(Grammar::new("lark", "start: /.+/"))))
        .tool(Tool::Provider(interlingua_model::ProviderTool::new(
            P,
            "web_search",
            Json::from_text(r#"{"type":"web_search"}"#),
        )))
        .tool(Tool::Provider(interlingua_model::ProviderTool::new("anthropic", "bash", Json::object())));
    let choose = |request: &mut Request, choice| {
        request.tool_choice = Some(choice);
        said(Dialect::openai(), request)
    };
    let (body, warnings) = choose(&mut request, ToolChoice::Tool("sql".to_owned()));
    let format = json!({ "type": "grammar", "syntax": "lark", "definition": "start: /.+/" });
    assert_eq!(
        body["tools"][0],
        json!({ "type": "custom", "name": "sql", "description": "Asks", "format": format })
    );
    assert_eq!(body["tools"][1], json!({ "type": "web_search" }));
    assert_eq!(body["tool_choice"], json!({ "type": "custom", "name": "sql" }));
    assert_eq!(warnings, ["dropped tools[2]: the tool is one of another protocol"]);
    let names = vec!["sql".to_owned(), "web_search".to_owned()];
    let (body, _) = choose(&mut request, ToolChoice::Allowed { mode: ToolMode::Required, names });
    let tools = json!([{ "type": "custom", "name": "sql" }, { "type": "web_search" }]);
    assert_eq!(body["tool_choice"], json!({ "type": "allowed_tools", "mode": "required", "tools": tools }));
    let (body, warnings) = said(Dialect::default(), &request);
    assert_eq!((&body["tool_choice"], body["tools"].as_array().unwrap().len()), (&json!("required"), 1));
    assert_eq!(warnings.len(), 3 - 1, "{warnings:?}");
}

#[test]
fn reasoning_goes_back_before_what_it_led_to() {
    let reasoning = |text: &str, kind: &str, seal: Option<&str>| {
        let mut reasoning = Reasoning::new(text);
        reasoning.extra.set(P, "id", Json::string("rs_1"));
        reasoning.extra.set(P, "kind", Json::string(kind));
        if let Some(seal) = seal {
            reasoning.extra.set(P, "encrypted_content", Json::string(seal));
        }
        Output::Reasoning(reasoning)
    };
    let parts = vec![
        reasoning("a", "summary", None),
        reasoning("b", "summary", Some("S==")),
        Output::ToolCall(ToolCall::new("call_1", "f", Json::from_text(""))),
        Output::Reasoning(Reasoning::new("of someone else")),
    ];
    let request = Request::new("m").user("x").message(Assistant::new(parts));
    let (body, warnings) = said(Dialect::openai(), &request);
    let summary = json!([{ "type": "summary_text", "text": "a" }, { "type": "summary_text", "text": "b" }]);
    let item = json!({ "type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "S==" });
    assert_eq!(body["input"][1], item);
    assert_eq!(
        body["input"][2],
        json!({ "type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}" })
    );
    assert_eq!(body["input"].as_array().unwrap().len(), 3);
    assert_eq!(warnings, ["dropped messages[1].parts[3]: the reasoning was not written by this service"]);
}

#[test]
fn results_take_the_form_of_their_calls() {
    let mut shell = ToolCall::new("call_2", "shell", Json::object());
    shell.extra.set(P, "type", Json::string("shell_call"));
    shell.extra.set(P, "item", Json::from_text(r#"{"type":"shell_call","call_id":"call_2"}"#));
    let mut search = ToolCall::new("srv_1", "web_search", Json::object());
    search.run_by = RunBy::Provider;
    let long = "x".repeat(80);
    let parts = vec![
        Output::ToolCall(ToolCall::new(&*long, "f", Json::object())),
        Output::ToolCall(shell),
        Output::ToolCall(search),
    ];
    let mut rich = ToolResult::error(&*long, "f", "no");
    rich.content.push(Media::url("image/*", "https://a.example/b.png").into());
    let results = [rich, ToolResult::new("call_2", "shell", "out")];
    let request = Request::new("m").message(Assistant::new(parts)).message(Message::tool_results(results));
    let (body, warnings) = said(Dialect::openai(), &request);
    let id = body["input"][0]["call_id"].as_str().unwrap();
    assert_eq!((id.len(), id), (64, body["input"][2]["call_id"].as_str().unwrap()));
    let output = json!([
        { "type": "input_text", "text": "Error: " }, { "type": "input_text", "text": "no" },
        { "type": "input_image", "detail": "auto", "image_url": "https://a.example/b.png" },
    ]);
    assert_eq!(body["input"][2]["output"], output);
    let output = json!([{ "stdout": "out", "stderr": "", "outcome": { "type": "exit", "exit_code": 0 } }]);
    assert_eq!(
        body["input"][3],
        json!({ "type": "shell_call_output", "call_id": "call_2", "output": output })
    );
    assert_eq!(warnings.len(), 2, "{warnings:?}");
}

#[test]
fn parts_without_a_form_are_dropped_aloud() {
    let user = User::new(vec![
        "hear".into(),
        Media::bytes("audio/wav", vec![1]).into(),
        Input::Custom(Custom::new("anthropic", "container_upload", Json::object())),
    ]);
    let (body, warnings) = said(Dialect::openai(), &Request::new("m").message(user));
    assert_eq!(body["input"][0]["content"], "hear");
    assert_eq!(warnings.len(), 2);
    let sound = User::new(vec![Media::bytes("audio/mpeg", vec![1]).into()]);
    let (body, _) = said(dialect(|d| d.audio = true), &Request::new("m").message(sound));
    let audio = json!({ "data": "AQ==", "format": "mp3" });
    assert_eq!(body["input"][0]["content"][0], json!({ "type": "input_audio", "input_audio": audio }));
}

#[test]
fn caches_and_labels_follow_the_dialect() {
    let mut request = Request::new("m").user(Text::new("x").cached(Retention::Long));
    request.cache.automatic = Some(Retention::Long);
    request.cache.key = Some("k".repeat(70));
    request.end_user = Some("u".to_owned());
    request.metadata = vec![("b".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())];
    let (body, warnings) = said(Dialect::openai(), &request);
    assert_eq!(body["prompt_cache_options"], json!({ "mode": "implicit", "ttl": "12h" }));
    assert_eq!(body["prompt_cache_key"].as_str().unwrap().len(), 64);
    assert_eq!(body["safety_identifier"], "u");
    let mark = json!({ "mode": "explicit", "ttl": "12h" });
    assert_eq!(body["input"][0]["content"][0]["prompt_cache_breakpoint"], mark);
    assert_eq!(warnings.len(), 1);
    let older = dialect(|d| {
        d.automatic_cache = AutomaticCache::Retention;
        d.end_user = EndUser::Refused;
        d.metadata = false;
        d.refused_fields = vec!["store".to_owned()];
    });
    let (body, warnings) = said(older, &request);
    assert_eq!(body["prompt_cache_retention"], "24h");
    assert!(body.get("store").is_none() && body.get("metadata").is_none());
    assert_eq!(warnings.len(), 4, "{warnings:?}");
}

#[test]
fn schemas_go_into_text_format() {
    let schema = Json::new(r#"{"type":"object","properties":{}}"#).unwrap();
    let request =
        Request::new("m").user("x").format(Format::Schema(SchemaFormat::new("answer", schema.clone())));
    let (body, _) = said(Dialect::openai(), &request);
    assert_eq!(
        body["text"]["format"],
        json!({ "type": "json_schema", "name": "answer", "schema": { "type": "object", "properties": {} } })
    );
    let (body, warnings) = said(dialect(|d| d.json_schema = false), &request);
    assert_eq!((&body["text"]["format"]["type"], warnings.len()), (&json!("json_object"), 1));
}

#[test]
fn clients_are_understood_in_every_form() {
    let request = heard(&json!({
        "model": "m", "input": "hi", "instructions": null, "stream": false, "tools": null, "temperature": null,
        "reasoning": { "effort": "high", "summary": "detailed", "context": "all_turns" },
        "tool_choice": { "type": "mcp", "server_label": "dice" }, "max_tool_calls": 3, "user": "u", "store": true,
    }));
    assert_eq!(request.messages, [Message::user("hi")]);
    assert_eq!((request.effort, request.show_reasoning), (Some(Effort::High), Some(true)));
    assert_eq!(request.end_user.as_deref(), Some("u"));
    for kept in ["reasoning", "tool_choice", "max_tool_calls", "store"] {
        assert!(request.extra.get(P, kept).is_some(), "{kept}");
    }
}

#[test]
fn one_turn_of_the_model_is_one_message() {
    let request = heard(&json!({ "model": "m", "input": [
        { "role": "user", "content": [{ "type": "input_text", "text": "x" }] },
        { "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "S" },
        { "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary",
          "content": [{ "type": "output_text", "text": "so", "annotations": [] }] },
        { "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\": 1}" },
        { "type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "free" },
        { "type": "function_call_output", "call_id": "c1", "output": "one" },
        { "type": "custom_tool_call_output", "call_id": "c2", "output": [{ "type": "input_text", "text": "two" }] },
        { "role": "assistant", "content": "done" },
        { "role": "assistant", "content": "really" },
        { "type": "item_reference", "id": "msg_9" },
    ]}));
    let kinds: Vec<&str> = request
        .messages
        .iter()
        .map(|message| match message {
            Message::System(_) => "system",
            Message::User(_) => "user",
            _ => "assistant",
        })
        .collect();
    assert_eq!(kinds, ["user", "assistant", "user", "assistant", "assistant", "user"]);
    let Message::Assistant(turn) = &request.messages[1] else { panic!() };
    assert_eq!(turn.parts.len(), 4);
    let Message::User(results) = &request.messages[2] else { panic!() };
    let [Input::ToolResult(one), Input::ToolResult(two)] = &*results.parts else { panic!() };
    assert_eq!((&*one.name, one.text()), ("f", "one".to_owned()));
    assert_eq!((&*two.name, two.text(), two.kind), ("g", "two".to_owned(), ToolKind::Custom));
}

#[test]
fn silence_about_strictness_stays_silence() {
    let body = json!({ "model": "m", "input": "x", "tools": [{ "type": "function", "name": "f", "parameters": {} }] });
    let request = heard(&body);
    let (again, _) = said(Dialect::openai(), &request);
    assert_eq!(again["tools"][0]["strict"], Value::Null);
    assert!(again["tools"][0].as_object().unwrap().contains_key("strict"));
}

#[test]
fn malformed_requests_are_refused_by_name() {
    for (body, named) in [
        (json!([]), "JSON object"),
        (json!({ "input": 3 }), "`input`"),
        (json!({ "input": [3] }), "`input[0]`"),
        (json!({ "input": "x", "tools": {} }), "`tools`"),
    ] {
        let error = codec().decode_request(&check::call("/responses", &[], &body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.message().contains(named), "{error}");
    }
}

#[test]
fn seals_of_other_protocols_travel_through_clients() {
    let mut thought = Reasoning::new("Because.");
    thought.extra = Extra::of("anthropic", "signature", Json::string("c2ln"));
    let response = check::events_round_trip(
        &codec(),
        &Request::new("m"),
        Mode::Whole,
        &[
            interlingua_model::Event::open(0, Output::Reasoning(thought.clone())),
            interlingua_model::Event::close(0),
            interlingua_model::Event::open(1, Output::Text(Text::new("So."))),
            interlingua_model::Event::close(1),
            interlingua_model::Event::finish(interlingua_model::Finish::new(
                interlingua_model::FinishReason::Stop,
            )),
        ],
    );
    let (body, _) = said(Dialect::openai(), &Request::new("m").message(response.response.message));
    let request = heard(&json!({ "model": "m", "input": body["input"] }));
    let Message::Assistant(turn) = &request.messages[0] else { panic!() };
    assert_eq!(turn.parts[0], Output::Reasoning(thought));
}

#[test]
fn errors_are_written_in_the_envelope() {
    let error = Error::new(ErrorKind::RateLimited, "slow down")
        .with_retry(interlingua_model::Retry::After(std::time::Duration::from_millis(1_500)))
        .with_request_id("req_7");
    let reply = codec().encode_error(&error);
    assert_eq!(reply.headers["x-request-id"], "req_7");
    assert_eq!((reply.status, reply.headers["retry-after"].to_str().unwrap()), (429, "2"));
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let wanted = json!({ "message": "slow down", "type": "rate_limit_error", "param": null, "code": "rate_limit_exceeded" });
    assert_eq!(body["error"], wanted);
}

#[test]
fn a_call_without_arguments_streams_an_object() {
    use interlingua_model::{Event, Finish, FinishReason, Start};
    let mut encoder = codec().encoder(&Request::new("m"), Mode::Stream, interlingua_wire::Mint::new(1, "x"));
    let call = Output::ToolCall(ToolCall::new("call_1", "now", Json::from_text("")));
    let finish = Event::finish(Finish::new(FinishReason::ToolUse));
    for event in [Event::start(Start::default()), Event::open(0, call), Event::close(0), finish] {
        encoder.push(&event).unwrap();
    }
    let bytes = encoder.take();
    let frames = std::str::from_utf8(&bytes).unwrap().lines().filter_map(|line| line.strip_prefix("data: "));
    let frames: Vec<Value> = frames.map(|data| serde_json::from_str(data).unwrap()).collect();
    let of = |kind: &str| frames.iter().filter(|frame| frame["type"] == kind).collect::<Vec<_>>();
    let deltas = of("response.function_call_arguments.delta");
    assert_eq!(deltas.iter().map(|frame| &frame["delta"]).collect::<Vec<_>>(), ["{}"]);
    assert_eq!(of("response.function_call_arguments.done")[0]["arguments"], "{}");
    assert_eq!(of("response.completed")[0]["response"]["output"][0]["arguments"], "{}");
}

#[test]
fn failures_midway_are_reported_in_the_stream() {
    let error = Error::new(ErrorKind::Overloaded, "too busy");
    for begun in [false, true] {
        let mut encoder =
            codec().encoder(&Request::new("m"), Mode::Stream, interlingua_wire::Mint::new(1, "x"));
        if begun {
            encoder.push(&interlingua_model::Event::start(interlingua_model::Start::default())).unwrap();
        }
        encoder.fail(&error);
        let found = check::decode(&codec(), Mode::Stream, &encoder.take(), &[]);
        let message = found.error.unwrap();
        assert!(message.starts_with("Overloaded") && message.contains("too busy"), "{message}");
    }
}

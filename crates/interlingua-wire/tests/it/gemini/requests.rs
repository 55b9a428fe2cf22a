//! Requests, both ways, and what the server half says.

use interlingua_model::{
    Assistant, Delta, Effort, Error, ErrorKind, Event, Extra, Finish, FinishReason, Format, FunctionTool,
    Input, Json, Media, Message, Output, ProviderTool, Reasoning, Request, Retention, Retry, Start, Text,
    ToolCall, ToolChoice, ToolKind, ToolResult, User,
};
use interlingua_wire::gemini::{Dialect, Gemini};
use interlingua_wire::{Call, Codec, Mint, Mode, Refusal, Serve};
use serde_json::{Value, json};

use super::{PROTOCOL, codec};
use crate::check::{call, events_round_trip};

fn sent_by(dialect: Dialect, request: &Request) -> (Value, Vec<String>) {
    let encoded = Gemini::new(dialect).encode(request, Mode::Whole).unwrap();
    let settings = encoded.warnings.iter().map(|warning| warning.setting.to_string());
    (serde_json::from_slice(&encoded.call.body).unwrap(), settings.collect())
}

fn body(request: &Request) -> Value {
    sent_by(Dialect::default(), request).0
}

fn read(path: &str, body: &Value) -> (Request, Mode) {
    codec().decode_request(&call(path, &[], body)).unwrap()
}

#[test]
fn the_address_tells_model_and_mode() {
    let path = |model: &str, mode| codec().encode(&Request::new(model).user("hi"), mode).unwrap().call.path;
    assert_eq!(path("gemini-3.8-flash", Mode::Whole), "/models/gemini-3.8-flash:generateContent");
    assert_eq!(path("tunedModels/a b?", Mode::Whole), "/tunedModels/a%20b%3F:generateContent");
    let asked = |path: &str| {
        let (request, mode) = read(path, &json!({"contents": []}));
        let alt: Option<String> = request.extra.read(PROTOCOL, "alt");
        (request.model, mode, alt)
    };
    for (path, model, mode, alt) in [
        ("/v1beta/models/m-1:generateContent", "m-1", Mode::Whole, None),
        ("/v1/models/m:streamGenerateContent?key=k&alt=sse", "m", Mode::Stream, None),
        ("/v1/models/m:streamGenerateContent?%24alt=sse", "m", Mode::Stream, None),
        ("/v1beta/models/m:streamGenerateContent", "m", Mode::Stream, Some("json")),
        ("/v1beta/tunedModels/a%20b%3F:generateContent", "tunedModels/a b?", Mode::Whole, None),
        (
            "/v1/projects/p/locations/global/publishers/google/models/m:generateContent",
            "m",
            Mode::Whole,
            None,
        ),
    ] {
        assert_eq!(asked(path), (model.to_owned(), mode, alt.map(str::to_owned)), "{path}");
    }
    let (request, _) = read("/", &json!({"model": "models/m", "contents": []}));
    assert_eq!(request.model, "m");
    let (request, mode) = read("/models/m:streamGenerateContent", &json!({"contents": []}));
    assert_eq!(codec().encode(&request, mode).unwrap().call.path, "/models/m:streamGenerateContent");
}

#[test]
fn thinking_takes_the_form_that_the_model_knows() {
    let thinking = |dialect: &Dialect, request: &Request| {
        let (body, warnings) = sent_by(dialect.clone(), request);
        (body["generationConfig"]["thinkingConfig"].clone(), warnings.len())
    };
    let request = |effort| Request::new("m").user("hi").effort(effort);
    let new = Dialect::default();
    assert_eq!(thinking(&new, &request(Effort::High)), (json!({"thinkingLevel": "HIGH"}), 0));
    assert_eq!(thinking(&new, &request(Effort::Max)), (json!({"thinkingLevel": "HIGH"}), 1));
    assert_eq!(thinking(&new, &request(Effort::None)), (json!({"thinkingLevel": "MINIMAL"}), 1));
    let mut old = Dialect::default();
    old.thinking_levels.clear();
    old.thinking_off = true;
    assert_eq!(thinking(&old, &request(Effort::High)), (json!({"thinkingBudget": 16384}), 1));
    assert_eq!(thinking(&old, &request(Effort::None)), (json!({"thinkingBudget": 0}), 0));
    old.thinking_off = false;
    assert_eq!(thinking(&old, &request(Effort::None)), (Value::Null, 1));
    let mut shown = Request::new("m").user("hi");
    shown.reasoning_budget = Some(2048);
    shown.show_reasoning = Some(true);
    let both = json!({"thinkingBudget": 2048, "includeThoughts": true});
    assert_eq!(thinking(&new, &shown), (both.clone(), 0));
    // A level and a budget together are refused.
    assert_eq!(thinking(&new, &shown.clone().effort(Effort::Low)), (both, 1));
    let mut levels = Dialect::default();
    levels.thinking_budget = false;
    assert_eq!(thinking(&levels, &shown), (json!({"includeThoughts": true}), 1));
    let low = json!({"thinkingLevel": "LOW", "includeThoughts": true});
    assert_eq!(thinking(&levels, &shown.clone().effort(Effort::Low)), (low, 1));
    levels.thinking_levels.clear();
    assert_eq!(thinking(&levels, &shown), (Value::Null, 1));
}

#[test]
fn what_the_protocol_does_not_have_is_a_warning() {
    let mut request = Request::new("m").user(Text::new("hi").cached(Retention::Long)).temperature(0.5);
    request.sampling.stop = ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec();
    request.cache.key = Some("k".to_owned());
    request.metadata = vec![("a".to_owned(), "b".to_owned())];
    request.end_user = Some("u".to_owned());
    request.parallel_tool_calls = Some(false);
    request.tool_choice = Some(ToolChoice::Required);
    request.messages.push(Message::system("Now in French."));
    let media = Media::bytes("image/png", vec![1_u8]).named("a.png");
    request = request.user(media).message(Assistant::new(Vec::new()));
    let mut dialect = Dialect::default();
    dialect.sampling = false;
    let (body, settings) = sent_by(dialect, &request);
    for setting in [
        "sampling",
        "sampling.stop",
        "cache",
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
    assert_eq!(body["generationConfig"], json!({"stopSequences": ["a", "b", "c", "d", "e"]}));
    let text = |text| json!({"role": "user", "parts": [{"text": text}]});
    assert_eq!(body["contents"][1], text("Now in French."));
    assert_eq!(
        body["contents"][2]["parts"],
        json!([{"inlineData": {"mimeType": "image/png", "data": "AQ=="}}])
    );
    assert_eq!(body["contents"].as_array().unwrap().len(), 3);
}

/// A conversation in which a model has called two functions.
fn called(calls: Vec<ToolCall>) -> Request {
    let calls = calls.into_iter().map(Output::ToolCall).collect();
    Request::new("m").user("time?").message(Assistant::new(calls))
}

#[test]
fn the_first_call_of_a_step_has_a_signature_or_says_that_there_is_none() {
    let mut signed = ToolCall::new("a", "now", Json::object());
    signed.extra = Extra::of(PROTOCOL, "thoughtSignature", Json::string("c2ln"));
    let bare = ToolCall::new("b", "now", Json::object());
    let parts = |calls: Vec<ToolCall>, dialect: Dialect| {
        sent_by(dialect, &called(calls)).0["contents"][1]["parts"].clone()
    };
    let call = |id: &str| json!({"functionCall": {"id": id, "name": "now", "args": {}}});
    let with = |mut call: Value, seal: &str| {
        call["thoughtSignature"] = json!(seal);
        call
    };
    let own = parts(vec![signed.clone(), bare.clone()], Dialect::default());
    assert_eq!(own, json!([with(call("a"), "c2ln"), call("b")]));
    let foreign = parts(vec![bare.clone(), signed], Dialect::default());
    assert_eq!(
        foreign,
        json!([with(call("b"), "skip_thought_signature_validator"), with(call("a"), "c2ln")])
    );
    let mut old = Dialect::default();
    old.unsigned_calls = false;
    assert_eq!(parts(vec![bare.clone()], old), json!([call("b")]));
    // The word is no signature: it does not come back as one.
    let encoded = codec().encode(&called(vec![bare]), Mode::Whole).unwrap();
    let (back, _) = codec().decode_request(&encoded.call).unwrap();
    let Message::Assistant(said) = &back.messages[1] else { panic!("{back:?}") };
    let Output::ToolCall(call) = &said.parts[0] else { panic!("{said:?}") };
    assert_eq!(call.extra.get(PROTOCOL, "thoughtSignature"), None);
}

#[test]
fn ids_that_the_wire_did_not_give_stay_off_it() {
    let answer = json!({"candidates": [{"content": {"parts": [
        {"functionCall": {"name": "see", "args": {"n": 1}}}, {"functionCall": {"name": "see", "args": {"n": 2}}}]},
        "finishReason": "STOP"}], "responseId": "r7"});
    let response = crate::check::decode(&codec(), Mode::Whole, answer.to_string().as_bytes(), &[]).response;
    let ids: Vec<String> = response.tool_calls().map(|call| call.id.clone()).collect();
    assert_eq!(ids, ["call_r7_1", "call_r7_2"]);
    // Results without ids stand in the order of their calls, whatever the order in which they are given.
    let results = [ToolResult::new(&*ids[1], "see", "two"), ToolResult::new(&*ids[0], "", "one")];
    let request =
        Request::new("m").user("?").message(response.message).message(Message::tool_results(results));
    let mut dialect = Dialect::default();
    dialect.unsigned_calls = false;
    let (body, warnings) = sent_by(dialect, &request);
    assert_eq!(warnings, Vec::<String>::new());
    assert!(!body.to_string().contains("\"id\""), "{body}");
    let result = |text: &str| json!({"functionResponse": {"name": "see", "response": {"output": text}}});
    assert_eq!(body["contents"][2]["parts"], json!([result("one"), result("two")]));
    let (back, _) = read("/models/m:generateContent", &body);
    let Message::User(user) = &back.messages[2] else { panic!("{back:?}") };
    let calls: Vec<&str> = user
        .parts
        .iter()
        .map(|part| match part {
            Input::ToolResult(result) => &*result.call,
            _ => "",
        })
        .collect();
    assert_eq!(calls, ["call_1_1", "call_1_2"]);
}

#[test]
fn services_that_refuse_ids_get_none() {
    let call = ToolCall::new("toolu_1", "now", Json::object());
    let request =
        called(vec![call]).message(Message::tool_results([ToolResult::new("toolu_1", "now", "12")]));
    let mut dialect = Dialect::default();
    dialect.call_ids = false;
    let (body, _) = sent_by(dialect, &request);
    assert!(!body.to_string().contains("toolu_1"), "{body}");
    assert_eq!(self::body(&request).to_string().matches("toolu_1").count(), 2);
}

#[test]
fn results_of_functions_in_every_shape() {
    let image = Media::bytes("image/png", vec![1_u8]);
    let mut pictured = ToolResult::new("d", "see", "a cat");
    pictured.content.push(image.into());
    let results = vec![
        ToolResult::error("a", "now", "no clock"),
        ToolResult::new("b", "now", r#"{"time":"12:00"}"#),
        ToolResult::new("c", "now", r#"{"output":"x"}"#),
        pictured,
    ];
    let calls = ["a", "b", "c", "d"]
        .map(|id| ToolCall::new(id, if id == "d" { "see" } else { "now" }, Json::object()));
    let mut user = vec![Input::Text(Text::new("and?"))];
    user.extend(results.into_iter().map(Input::ToolResult));
    let request = called(calls.to_vec()).message(User::new(user));
    let (body, warnings) = sent_by(Dialect::default(), &request);
    assert_eq!(warnings, ["messages[2]"]);
    let parts = body["contents"][2]["parts"].clone();
    let said = |at: usize| parts[at]["functionResponse"]["response"].clone();
    assert_eq!(said(0), json!({"error": "no clock"}));
    assert_eq!(said(1), json!({"time": "12:00"}));
    assert_eq!(said(2), json!({"output": "{\"output\":\"x\"}"}));
    let picture = json!({"inlineData": {"mimeType": "image/png", "data": "AQ=="}});
    assert_eq!(parts[3]["functionResponse"]["parts"], json!([picture]));
    assert_eq!(parts[4], json!({"text": "and?"}));
    let mut old = Dialect::default();
    old.media_in_results = false;
    let (body, warnings) = sent_by(old, &request);
    assert_eq!(warnings, ["messages[2]", "messages[2].parts[4]"]);
    assert_eq!(body["contents"][2]["parts"][4], picture);
    assert_eq!(body["contents"][2]["parts"][5], json!({"text": "and?"}));
}

#[test]
fn results_of_parallel_calls_are_one_content() {
    let calls = ["a", "b"].map(|id| ToolCall::new(id, "now", Json::object()));
    let request = called(calls.to_vec())
        .user(ToolResult::new("a", "now", "1"))
        .user("oh")
        .user(ToolResult::new("b", "now", "2"));
    let sent = body(&request);
    let result =
        |id, text| json!({"functionResponse": {"id": id, "name": "now", "response": {"output": text}}});
    assert_eq!(sent["contents"][2]["parts"], json!([result("a", "1"), result("b", "2"), {"text": "oh"}]));
    assert_eq!(sent["contents"].as_array().unwrap().len(), 3);
}

#[test]
fn schemas_bind_functions_all_or_none() {
    let tool = |name: &str, strict| {
        let mut tool = FunctionTool::new(name, "", Json::object());
        tool.strict = strict;
        tool
    };
    let request = Request::new("m").user("hi").tool(tool("a", Some(true)));
    let mode = |request: &Request| {
        let (body, warnings) = sent_by(Dialect::default(), request);
        (body["toolConfig"]["functionCallingConfig"]["mode"].clone(), warnings.len())
    };
    assert_eq!(mode(&request), (json!("VALIDATED"), 0));
    assert_eq!(mode(&request.clone().tool(tool("b", None))), (json!("VALIDATED"), 1));
    assert_eq!(mode(&request.clone().tool_choice(ToolChoice::Required)), (json!("ANY"), 0));
    let encoded = codec().encode(&request, Mode::Whole).unwrap();
    assert_eq!(codec().decode_request(&encoded.call).unwrap().0, request);
}

#[test]
fn tools_of_both_kinds_want_their_invocations_told() {
    let search = ProviderTool::new(PROTOCOL, "googleSearch", Json::from_text(r#"{"googleSearch":{}}"#));
    let request = Request::new("m")
        .user("hi")
        .tool(FunctionTool::new("a", "", Json::object()))
        .tool(search)
        .tool(FunctionTool::new("b", "", Json::object()))
        .tool(ProviderTool::new("anthropic", "web_search_20260318", Json::object()));
    let (body, warnings) = sent_by(Dialect::default(), &request);
    assert_eq!(warnings, ["tools[3]"]);
    let function = |name| json!({"functionDeclarations": [{"name": name, "parametersJsonSchema": {}}]});
    assert_eq!(body["tools"], json!([function("a"), {"googleSearch": {}}, function("b")]));
    assert_eq!(body["toolConfig"], json!({"includeServerSideToolInvocations": true}));
    let mut vertex = Dialect::default();
    vertex.server_side_invocations = false;
    assert_eq!(sent_by(vertex, &request).0.get("toolConfig"), None);
}

#[test]
fn what_stands_in_extra_is_added_field_by_field() {
    let mut request = Request::new("m").user("hi").max_output(9);
    let config = r#"{"responseModalities":["IMAGE"],"maxOutputTokens":10}"#;
    request.extra.set(PROTOCOL, "generationConfig", Json::from_text(config));
    request.extra.set(PROTOCOL, "safetySettings", Json::from_text("[]"));
    request.extra.set(PROTOCOL, "labels", Json::from_text("null"));
    let expected = json!({"generationConfig": {"maxOutputTokens": 10, "responseModalities": ["IMAGE"]},
        "safetySettings": [], "contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
    assert_eq!(body(&request), expected);
}

#[test]
fn the_class_of_service_stands_where_the_service_wants_it() {
    let mut request = Request::new("m").user("hi");
    request.service_tier = Some("flex".to_owned());
    assert_eq!(body(&request)["serviceTier"], "flex");
    let mut vertex = Dialect::default();
    vertex.service_tier = false;
    let call = Gemini::new(vertex).encode(&request, Mode::Whole).unwrap().call;
    assert_eq!(call.headers["x-vertex-ai-llm-shared-request-type"], "flex");
    assert!(!String::from_utf8_lossy(&call.body).contains("flex"));
    assert_eq!(codec().decode_request(&call).unwrap().0, request);
}

#[test]
fn requests_of_the_vendors_clients_are_understood_and_kept() {
    let sent = json!({
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "tools": [{"functionDeclarations": [
            {"name": "see", "description": "Looks", "parametersJsonSchema": {"type": "object"}, "behavior": "BLOCKING"}]},
            {"codeExecution": {}}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "streamFunctionCallArguments": true},
            "includeServerSideToolInvocations": true, "retrievalConfig": {"languageCode": "en"}},
        "generationConfig": {"temperature": 0.5, "topK": 3, "maxOutputTokens": 100, "stopSequences": ["END"], "seed": 1,
            "responseMimeType": "application/json", "responseJsonSchema": {"type": "object"},
            "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": true, "new": 1}, "responseModalities": ["TEXT"]},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "a_field_of_next_year": [1, 2],
        "contents": [
            {"role": "user", "parts": [{"text": "hi"},
                {"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"}, "videoMetadata": {"fps": 1}}]},
            {"role": "model", "parts": [{"text": "hm", "thought": true, "thoughtSignature": "c2ln"},
                {"functionCall": {"id": "f1", "name": "see", "args": {"b": 1, "a": 2}}, "thoughtSignature": "Zm4="},
                {"executableCode": {"language": "PYTHON", "code": "1"}},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}]},
            {"role": "user", "parts": [{"functionResponse": {"id": "f1", "name": "see", "response": {"a": 1},
                "scheduling": "SILENT"}}]}]
    });
    let (request, mode) = read("/v1beta/models/m:streamGenerateContent?alt=sse", &sent);
    let encoded = codec().encode(&request, mode).unwrap();
    assert_eq!(encoded.warnings, []);
    let mut back: Value = serde_json::from_slice(&encoded.call.body).unwrap();
    back["aFieldOfNextYear"].take();
    let mut sent = sent;
    sent["a_field_of_next_year"].take();
    sent["aFieldOfNextYear"] = Value::Null;
    sent.as_object_mut().unwrap().shift_remove("a_field_of_next_year");
    assert_eq!(back, sent);
}

#[test]
fn names_with_underscores_are_the_same() {
    let snake = json!({"system_instruction": {"parts": {"text": "Be brief."}},
        "generation_config": {"max_output_tokens": 5, "thinking_config": {"thinking_budget": 0}},
        "tools": [{"function_declarations": [{"name": "see",
            "parameters": {"type": "OBJECT", "properties": {"my_name": {"type": "STRING", "nullable": true}}}}]}],
        "tool_config": {"function_calling_config": {"mode": "any", "allowed_function_names": ["see"]}},
        "contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": "_-8"}}]},
            {"role": "model", "parts": [{"function_call": {"name": "see", "args": {"my_name": 1}}, "thought_signature": "c2ln"}]},
            {"role": "function", "parts": [{"function_response": {"name": "see", "response": {"my_name": 2}}}]}]});
    let (request, _) = read("/models/m:generateContent", &snake);
    assert_eq!((request.max_output, request.effort), (Some(5), Some(Effort::None)));
    assert_eq!(request.tool_choice, Some(ToolChoice::Tool("see".to_owned())));
    let mut dialect = Dialect::default();
    dialect.thinking_off = true;
    let (body, warnings) = sent_by(dialect, &request);
    assert_eq!(warnings, Vec::<String>::new());
    let schema = json!({"type": "object", "properties": {"my_name": {"type": ["string", "null"]}}});
    assert_eq!(body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"], schema);
    assert_eq!(body["contents"][0]["parts"][0]["inlineData"]["data"], "/+8=");
    let call = json!({"functionCall": {"name": "see", "args": {"my_name": 1}}, "thoughtSignature": "c2ln"});
    assert_eq!(body["contents"][1]["parts"], json!([call]));
    let result = json!({"functionResponse": {"name": "see", "response": {"my_name": 2}}});
    assert_eq!(body["contents"][2], json!({"role": "user", "parts": [result]}));
}

#[test]
fn a_bad_request_is_told_which_field() {
    for (sent, field) in [
        (json!({}), "`contents`"),
        (json!({"contents": 7}), "`contents`"),
        (json!({"contents": [{"role": "wizard", "parts": []}]}), "contents[0]"),
        (json!({"contents": [{"role": "user", "parts": 7}]}), "`parts`"),
        (json!({"contents": [], "generationConfig": {"temperature": "hot"}}), "`temperature`"),
        (json!({"contents": [], "tools": [{"functionDeclarations": [{}]}]}), "`name`"),
        (json!({"contents": [], "systemInstruction": 7}), "`systemInstruction`"),
    ] {
        let error = codec().decode_request(&call("/models/m:generateContent", &[], &sent)).unwrap_err();
        assert!(error.message().contains(field), "{error}");
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
}

#[test]
fn the_short_forms_of_clients_are_understood() {
    let (request, _) =
        read("/models/m:generateContent", &json!({"contents": "hi", "systemInstruction": "Be brief."}));
    assert_eq!(request.messages, Request::new("m").system("Be brief.").user("hi").messages);
    let one = json!({"contents": {"parts": {"text": "hi"}}, "systemInstruction": [{"text": "Be brief."}]});
    assert_eq!(read("/models/m:generateContent", &one).0.messages, request.messages);
}

#[test]
fn a_longer_conversation_begins_with_the_bytes_of_the_shorter() {
    let tool = FunctionTool::new("now", "time", Json::object());
    let first = Request::new("m").system("be kind").user("one").tool(tool).effort(Effort::Low);
    let next = first.clone().message(Message::assistant("two")).user("three");
    let bytes = |request: &Request| codec().encode(request, Mode::Stream).unwrap().call.body;
    let (first, next) = (bytes(&first), bytes(&next));
    let common = first.len() - b"]}".len();
    assert_eq!(first[..common], next[..common]);
}

#[test]
fn input_that_is_no_object_is_wrapped() {
    let mut free = ToolCall::new("a", "patch", Json::from_text("say \"hi\""));
    free.kind = ToolKind::Custom;
    let (body, warnings) = sent_by(Dialect::default(), &called(vec![free]));
    assert_eq!(warnings, ["messages[1].parts[0].input"]);
    let args = &body["contents"][1]["parts"][0]["functionCall"]["args"];
    assert_eq!(*args, json!({"input": "say \"hi\""}));
}

#[test]
fn a_schema_that_is_not_kept_to_is_restated() {
    let schema = r##"{"type":"object","properties":{"a":{"type":"string","pattern":"x+"},"b":{"$ref":"#/definitions/B"}},
        "definitions":{"B":{"const":1}},"$schema":"s"}"##;
    let mut request = Request::new("m").user("hi");
    request.format = Some(Format::Schema(interlingua_model::SchemaFormat::new("x", Json::from_text(schema))));
    let (body, warnings) = sent_by(Dialect::default(), &request);
    assert_eq!(warnings, ["#/properties/a/pattern"]);
    let expected = json!({"type": "object", "properties": {
        "a": {"type": "string", "description": "Must satisfy: pattern \"x+\"."}, "b": {"$ref": "#/$defs/B"}},
        "$defs": {"B": {"enum": [1]}}});
    assert_eq!(body["generationConfig"]["responseJsonSchema"], expected);
}

/// What the server half writes for these events, as text.
fn written(events: &[Event], asked: &Request, mode: Mode) -> String {
    let mut encoder = codec().encoder(asked, mode, Mint::new(1, "x1"));
    for event in events {
        encoder.push(event).unwrap();
    }
    String::from_utf8(encoder.take().to_vec()).unwrap()
}

#[test]
fn a_stream_is_what_the_vendors_clients_can_read() {
    let mut call = ToolCall::new("call_1", "now", Json::from_text(""));
    call.extra.set("openai_chat", "id", Json::string("x"));
    let events = [
        Event::start(Start::default()),
        Event::open(0, Output::Reasoning(Reasoning::default())),
        Event::delta(0, Delta::text("Hm.")),
        Event::close(0),
        Event::open(1, Output::Text(Text::default())),
        Event::delta(1, Delta::text("Hi\n")),
        Event::close(1),
        Event::open(2, Output::ToolCall(call)),
        Event::delta(2, Delta::input("{\"a\":\n")),
        Event::delta(2, Delta::input("1}")),
        Event::close(2),
        Event::finish(Finish::new(FinishReason::ToolUse).with_raw("tool_calls")),
    ];
    let text = written(&events, &Request::new("m"), Mode::Stream);
    let chunk = |part: &str, end: &str| {
        format!(
            "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{part}],\"role\":\"model\"}},\"index\":0{end}}}],\"modelVersion\":\"m\",\"responseId\":\"x1\"}}\r\n\r\n"
        )
    };
    let expected = [
        chunk(r#"{"text":"Hm.","thought":true}"#, ""),
        chunk(r#"{"text":"Hi\n"}"#, ""),
        chunk(r#"{"functionCall":{"id":"call_1","name":"now","args":{"a": 1}}}"#, ""),
        chunk(r#"{"text":""}"#, r#","finishReason":"STOP""#),
    ];
    assert_eq!(text, expected.concat());
    let mut listed = Request::new("m");
    listed.extra.set(PROTOCOL, "alt", Json::string("json"));
    let list: Vec<Value> = serde_json::from_str(&written(&events, &listed, Mode::Stream)).unwrap();
    assert_eq!(list.len(), 4);
    let content_type = |asked: &Request, mode| codec().encoder(asked, mode, Mint::new(1, "x")).content_type();
    assert_eq!(content_type(&listed, Mode::Stream), "application/json; charset=utf-8");
    assert_eq!(content_type(&Request::new("m"), Mode::Stream), "text/event-stream; charset=utf-8");
    assert_eq!(content_type(&listed, Mode::Whole), "application/json");
}

#[test]
fn a_failure_in_the_middle_is_told_with_its_pause() {
    let error = Error::new(ErrorKind::RateLimited, "slow down")
        .with_retry(Retry::After(std::time::Duration::from_millis(1500)));
    for alt in ["sse", "json"] {
        let mut asked = Request::new("m");
        asked.extra.set(PROTOCOL, "alt", Json::string(alt));
        let mut encoder = codec().encoder(&asked, Mode::Stream, Mint::new(1, "x1"));
        encoder.push(&Event::start(Start::default())).unwrap();
        encoder.push(&Event::open(0, Output::Text(Text::default()))).unwrap();
        encoder.push(&Event::delta(0, Delta::text("Hel"))).unwrap();
        encoder.fail(&error);
        let bytes = encoder.take();
        let found = crate::check::decode(&codec(), Mode::Stream, &bytes, &[]);
        assert_eq!(found.response.text(), "Hel");
        assert_eq!(found.error.as_deref(), Some("RateLimited After(1.5s) \"RESOURCE_EXHAUSTED\": slow down"));
    }
}

#[test]
fn refusals_come_back_as_they_went_out() {
    for (kind, status, code) in [
        (ErrorKind::InvalidRequest, 400, "INVALID_ARGUMENT"),
        (ErrorKind::Authentication, 401, "UNAUTHENTICATED"),
        (ErrorKind::Permission, 403, "PERMISSION_DENIED"),
        (ErrorKind::NotFound, 404, "NOT_FOUND"),
        (ErrorKind::RateLimited, 429, "RESOURCE_EXHAUSTED"),
        (ErrorKind::Server, 500, "INTERNAL"),
        (ErrorKind::Overloaded, 503, "UNAVAILABLE"),
        (ErrorKind::Timeout, 504, "DEADLINE_EXCEEDED"),
    ] {
        let reply = codec().encode_error(&Error::new(kind, "no"));
        let back = codec().refusal(&Refusal::new(reply.status, &reply.headers, &reply.body));
        assert_eq!((back.kind(), back.status(), back.code()), (kind, Some(status), Some(code)), "{back}");
    }
    let error = Error::new(ErrorKind::Authentication, "API key not valid.")
        .with_code("API_KEY_INVALID")
        .with_status(400);
    let reply = codec().encode_error(&error);
    let back = codec().refusal(&Refusal::new(reply.status, &reply.headers, &reply.body));
    assert_eq!((back.kind(), back.code()), (ErrorKind::Authentication, Some("API_KEY_INVALID")));
}

#[test]
fn a_blocked_prompt_has_no_candidate() {
    let mut finish = Finish::new(FinishReason::Filtered).with_raw("SAFETY");
    finish.extra.set(PROTOCOL, "promptFeedback", Json::from_text(r#"{"blockReason":"SAFETY"}"#));
    let events = [Event::start(Start::default()), Event::finish(finish.clone())];
    for mode in [Mode::Stream, Mode::Whole] {
        assert!(!written(&events, &Request::new("m"), mode).contains("candidates"));
        let back = events_round_trip(&codec(), &Request::new("m"), mode, &events);
        assert_eq!((back.error, back.response.finish), (None, Some(finish.clone())));
    }
}

#[test]
fn reasons_of_other_protocols_become_the_nearest() {
    for (reason, raw, word) in [
        (FinishReason::Stop, "end_turn", "STOP"),
        (FinishReason::Length, "length", "MAX_TOKENS"),
        (FinishReason::Filtered, "content_filter", "SAFETY"),
        (FinishReason::Refused, "refusal", "SAFETY"),
        (FinishReason::Other, "eos", "OTHER"),
        (FinishReason::Other, "A_REASON_OF_NEXT_YEAR", "A_REASON_OF_NEXT_YEAR"),
    ] {
        let events = [Event::start(Start::default()), Event::finish(Finish::new(reason).with_raw(raw))];
        let back = events_round_trip(&codec(), &Request::new("m"), Mode::Stream, &events);
        assert_eq!(back.response.finish.unwrap().raw.as_deref(), Some(word));
    }
}

#[test]
fn a_call_without_a_path_is_read_as_far_as_it_goes() {
    let (request, mode) = codec().decode_request(&Call::post("/", r#"{"contents":[]}"#)).unwrap();
    assert_eq!((&*request.model, mode), ("", Mode::Whole));
}

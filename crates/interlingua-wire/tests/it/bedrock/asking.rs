//! What requests become on the wire.

use interlingua_model::{
    Assistant, Content, Custom, Effort, Extra, Format, FunctionTool, Input, Json, Media, Message, Output,
    Reasoning, Request, Retention, SchemaFormat, System, Text, ToolCall, ToolChoice, ToolMode, ToolResult,
    User,
};
use interlingua_wire::bedrock::{Bedrock, Dialect, ReasoningField};
use interlingua_wire::{Call, Codec, Mode, Serve};
use serde_json::{Value, json};

use super::{PROTOCOL, body, claude, codec};

/// What a dialect sends, and which settings it warns of.
fn sent(dialect: &Dialect, request: &Request) -> (Value, Vec<String>) {
    let encoded = Bedrock::new(dialect.clone()).encode(request, Mode::Whole).unwrap();
    let settings = encoded.warnings.iter().map(|warning| warning.setting.to_string()).collect();
    (serde_json::from_slice(&encoded.call.body).unwrap(), settings)
}

#[test]
fn the_model_stands_in_the_path() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.x:0/ü";
    for (model, encoded) in [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0"),
        (arn, "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Feu.x%3A0%2F%C3%BC"),
    ] {
        for (mode, operation) in [(Mode::Whole, "converse"), (Mode::Stream, "converse-stream")] {
            let request = Request::new(model).user("hi");
            let call = codec().encode(&request, mode).unwrap().call;
            assert_eq!(call.path, format!("/model/{encoded}/{operation}"));
            let (back, mode_back) = codec().decode_request(&call).unwrap();
            assert_eq!((back, mode_back), (request, mode));
        }
    }
    for path in [
        "/",
        "/model//converse",
        "/model/x/invoke",
        "/model/%zz/converse",
        "/converse",
        "/model/%ff/converse",
    ] {
        let error = codec().decode_request(&Call::post(path, "{}")).unwrap_err();
        assert!(error.message().contains("/model/{model}/converse"), "{path}: {error}");
    }
    let (request, _) = codec().decode_request(&Call::post("/base/model/a%2Fb/converse?x=1", "{}")).unwrap();
    assert_eq!(request.model, "a/b");
}

#[test]
fn how_much_to_reason_takes_the_form_that_the_publisher_knows() {
    let mut request = Request::new("m").user("hi").effort(Effort::Medium);
    let form = |field: ReasoningField, request: &Request| {
        let mut dialect = Dialect::default();
        dialect.reasoning = field;
        dialect.efforts = vec![Effort::Low, Effort::Medium, Effort::High];
        let (body, warned) = sent(&dialect, request);
        (body["outputConfig"].clone(), body["additionalModelRequestFields"].clone(), warned)
    };
    let none = Vec::<String>::new;
    let level = |field| form(field, &request);
    assert_eq!(level(ReasoningField::OutputConfig), (json!({"effort": "medium"}), Value::Null, none()));
    let adaptive = json!({"output_config": {"effort": "medium"}, "thinking": {"type": "adaptive"}});
    assert_eq!(level(ReasoningField::Adaptive), (Value::Null, adaptive, none()));
    let budget = json!({"thinking": {"type": "enabled", "budget_tokens": 8192}});
    assert_eq!(level(ReasoningField::Budget), (Value::Null, budget, vec!["effort".to_owned()]));
    let nova = json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}});
    assert_eq!(level(ReasoningField::ReasoningConfig), (Value::Null, nova, none()));
    assert_eq!(level(ReasoningField::ReasoningEffort).1, json!({"reasoning_effort": "medium"}));
    assert_eq!(level(ReasoningField::ReasoningObject).1, json!({"reasoning": {"effort": "medium"}}));
    assert_eq!(level(ReasoningField::None), (Value::Null, Value::Null, vec!["effort".to_owned()]));

    request.effort = Some(Effort::None);
    let off = json!({"thinking": {"type": "disabled"}});
    assert_eq!(form(ReasoningField::Budget, &request), (Value::Null, off.clone(), none()));
    assert_eq!(form(ReasoningField::Adaptive, &request).1, off);
    assert_eq!(
        form(ReasoningField::ReasoningConfig, &request).1,
        json!({"reasoningConfig": {"type": "disabled"}})
    );
    assert_eq!(form(ReasoningField::ReasoningEffort, &request).2, ["effort"]);

    request.effort = Some(Effort::Max);
    assert_eq!(form(ReasoningField::ReasoningEffort, &request).2, ["effort"]);
    assert_eq!(form(ReasoningField::ReasoningEffort, &request).1, json!({"reasoning_effort": "high"}));

    (request.effort, request.reasoning_budget) = (None, Some(100));
    request.show_reasoning = Some(true);
    let shown = json!({"thinking": {"type": "enabled", "budget_tokens": 1024, "display": "summarized"}});
    assert_eq!(
        form(ReasoningField::Adaptive, &request),
        (Value::Null, shown, vec!["reasoning_budget".to_owned()])
    );
    assert_eq!(form(ReasoningField::OutputConfig, &request).2, ["reasoning_budget", "show_reasoning"]);
}

#[test]
fn what_a_reasoning_model_refuses_is_not_sent() {
    let tool = FunctionTool::new("now", "", Json::from_text(""));
    let mut request =
        Request::new("m").user("hi").tool(tool).tool_choice(ToolChoice::Required).max_output(5000);
    request.reasoning_budget = Some(2048);
    request.sampling.temperature = Some(0.3);
    let mut dialect = Dialect::default();
    dialect.reasoning = ReasoningField::Budget;
    let (found, warned) = sent(&dialect, &request);
    assert_eq!(found["inferenceConfig"], json!({"maxTokens": 5000}));
    assert_eq!(found["toolConfig"]["toolChoice"], json!({"auto": {}}));
    let spec = json!({"name": "now", "inputSchema": {"json": {"type": "object", "properties": {}}}});
    assert_eq!(found["toolConfig"]["tools"], json!([{"toolSpec": spec}]));
    assert_eq!(warned, ["sampling.temperature", "tool_choice"]);

    dialect.reasoning = ReasoningField::ReasoningConfig;
    (request.reasoning_budget, request.effort) = (None, Some(Effort::High));
    let (found, warned) = sent(&dialect, &request);
    assert_eq!(found.get("inferenceConfig"), None);
    assert_eq!(warned, ["max_output", "sampling.temperature"]);
}

#[test]
fn what_the_protocol_does_not_have_is_a_warning() {
    let mut request = Request::new("m").user("hi").user(Media::bytes("image/tiff", vec![1_u8]));
    request = request.user(Media::url("image/png", "https://example.org/a.png"));
    request = request.user(Media::file("application/pdf", "file_1")).tool_choice(ToolChoice::Auto);
    request.sampling.seed = Some(1);
    request.sampling.presence_penalty = Some(1.0);
    request.sampling.frequency_penalty = Some(1.0);
    request.sampling.logprobs = Some(2);
    request.sampling.top_k = Some(3);
    request.sampling.temperature = Some(1.5);
    request.cache.key = Some("k".to_owned());
    request.end_user = Some("u".to_owned());
    request.format = Some(Format::Json);
    let (found, warned) = sent(&Dialect::default(), &request);
    for setting in [
        "sampling.seed",
        "sampling.presence_penalty",
        "sampling.frequency_penalty",
        "sampling.logprobs",
        "sampling.top_k",
        "sampling.temperature",
        "cache.key",
        "end_user",
        "format",
        "tool_choice",
        "messages[1].parts[0]",
        "messages[2].parts[0]",
        "messages[3].parts[0]",
    ] {
        assert!(warned.iter().any(|found| found == setting), "{setting} is lost in silence: {warned:?}");
    }
    assert_eq!(found["inferenceConfig"], json!({"temperature": 1.0}));
    assert_eq!(found["messages"], json!([{"role": "user", "content": [{"text": "hi"}]}]));
}

#[test]
fn the_whole_prompt_is_marked_where_that_is_asked_for() {
    let mark = json!({"cachePoint": {"type": "default", "ttl": "5m"}});
    let mut request =
        Request::new("m").system("Be kind.").user("hi").message(Message::assistant("Yes?")).user("Why?");
    request.cache.automatic = Some(Retention::Short);
    let (found, warned) = sent(&Dialect::default(), &request);
    assert_eq!(found["messages"][2]["content"], json!([{"text": "Why?"}, mark]));
    assert_eq!((found["messages"][0]["content"].as_array().unwrap().len(), warned), (1, vec![]));

    // What is marked already is not marked twice, and what an answer is begun with stays behind the mark.
    let text = Text::new("Why?").cached(Retention::Short);
    let mut marked = Request::new("m").user(text).message(Message::assistant("Because"));
    marked.cache.automatic = Some(Retention::Short);
    let (found, _) = sent(&Dialect::default(), &marked);
    assert_eq!(found["messages"][0]["content"], json!([{"text": "Why?"}, mark]));
    assert_eq!(found["messages"][1]["content"], json!([{"text": "Because"}]));

    let mut dialect = Dialect::default();
    dialect.cache = false;
    let (found, warned) = sent(&dialect, &request);
    assert_eq!(
        (found["messages"][2]["content"].clone(), warned),
        (json!([{"text": "Why?"}]), vec!["cache.automatic".to_owned()])
    );
}

#[test]
fn two_turns_of_one_speaker_become_one_and_results_lead() {
    let calls = ["a", "b"].map(|id| Output::ToolCall(ToolCall::new(id, "now", Json::object())));
    let mut first = ToolResult::new("a", "now", "1");
    first.cache = Some(Retention::Default);
    let request = Request::new("m")
        .system("Be kind.")
        .user("hi")
        .user("there")
        .message(Assistant::new(calls.to_vec()))
        .message(Message::system("Be quick."))
        .user(first)
        .message(User::new(vec![Input::from("oh"), Input::ToolResult(ToolResult::error("b", "now", ""))]));
    let mut dialect = Dialect::default();
    dialect.system_anywhere = true;
    let (found, warned) = sent(&dialect, &request);
    assert_eq!(found["system"], json!([{"text": "Be kind."}]));
    assert_eq!(found["messages"][0], json!({"role": "user", "content": [{"text": "hi"}, {"text": "there"}]}));
    let results = json!([
        {"toolResult": {"toolUseId": "a", "content": [{"text": "1"}]}},
        {"cachePoint": {"type": "default"}},
        {"toolResult": {"toolUseId": "b", "content": [], "status": "error"}},
        {"text": "oh"}]);
    assert_eq!(found["messages"][2], json!({"role": "user", "content": results}));
    assert_eq!(found["messages"][3], json!({"role": "system", "content": [{"text": "Be quick."}]}));
    assert_eq!(warned, ["messages[6]", "messages", "tools"]);

    let (found, warned) = sent(&Dialect::default(), &request);
    assert_eq!(found["messages"].as_array().unwrap().len(), 3);
    assert_eq!(found["messages"][2]["content"][3], json!({"text": "Be quick."}));
    assert!(warned.contains(&"messages[4]".to_owned()), "{warned:?}");

    dialect.system = false;
    let (found, warned) = sent(&dialect, &request);
    assert_eq!((found.get("system"), found["messages"][0]["content"].as_array().unwrap().len()), (None, 3));
    assert!(warned.contains(&"messages[0]".to_owned()), "{warned:?}");
}

#[test]
fn tools_are_there_where_the_conversation_holds_calls() {
    let tool = || FunctionTool::new("now", "time", Json::object());
    let asked = Request::new("m").user("hi").tool(tool()).tool_choice(ToolChoice::None);
    let (found, warned) = sent(&Dialect::default(), &asked);
    assert_eq!((found.get("toolConfig"), warned), (None, Vec::new()));

    let call = Output::ToolCall(ToolCall::new("a", "now", Json::object()));
    let answered = asked.message(Assistant::new(vec![call])).user(ToolResult::new("a", "now", "1"));
    let (found, warned) = sent(&Dialect::default(), &answered);
    assert_eq!(found["toolConfig"]["tools"][0]["toolSpec"]["name"], "now");
    assert_eq!(warned, ["tool_choice"]);

    let mut bare = answered.clone();
    (bare.tools, bare.tool_choice) = (Vec::new(), None);
    let (found, warned) = sent(&Dialect::default(), &bare);
    assert_eq!(found["toolConfig"]["tools"].as_array().unwrap().len(), 1);
    assert_eq!(warned, ["tools"]);

    let allowed = ToolChoice::Allowed { mode: ToolMode::Required, names: vec!["now".to_owned()] };
    let narrowed = Request::new("m").user("hi").tool(tool()).tool(FunctionTool::new("b", "", Json::object()));
    let (found, warned) = sent(&Dialect::default(), &narrowed.tool_choice(allowed));
    assert_eq!(found["toolConfig"]["tools"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&found["toolConfig"]["toolChoice"], warned),
        (&json!({"any": {}}), vec!["tool_choice".to_owned()])
    );
}

#[test]
fn a_document_gets_a_name_that_the_protocol_takes() {
    let pdf = |name: Option<&str>| {
        let media = Media::bytes("application/pdf", vec![1_u8]);
        name.map_or(media.clone(), |name| media.named(name))
    };
    let request = Request::new("m")
        .user(pdf(Some("plan  v1.2.pdf")))
        .user(pdf(None))
        .user(pdf(Some("notes (1)")))
        .user(pdf(Some("notes (1)")))
        .user(pdf(Some("..")));
    let (found, warned) = sent(&Dialect::default(), &request);
    let content = found["messages"][0]["content"].as_array().unwrap();
    let names: Vec<_> = content.iter().map(|block| block["document"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["plan v1-2-pdf", "Document 2", "notes (1)", "notes (1) (2)", "--"]);
    assert_eq!(warned.len(), 3, "{warned:?}");
}

#[test]
fn at_most_four_cache_marks_go_out() {
    let mut tool = FunctionTool::new("now", "", Json::object());
    tool.cache = Some(Retention::Short);
    let mut request = Request::new("m").tool(tool);
    for index in 0..6 {
        request = request.user(Text::new(format!("part {index}")).cached(Retention::Long));
    }
    let encoded = codec().encode(&request, Mode::Whole).unwrap();
    let text = String::from_utf8_lossy(&encoded.call.body).into_owned();
    assert_eq!((text.matches(r#""ttl":"1h""#).count(), text.matches(r#""ttl":"5m""#).count()), (3, 1));
    assert_eq!(encoded.warnings.len(), 1);
    let mut dialect = Dialect::default();
    dialect.cache = false;
    let (found, warned) = sent(&dialect, &request);
    assert!(!found.to_string().contains("cachePoint") && warned == ["cache"], "{warned:?}");
}

#[test]
fn reasoning_without_a_seal_goes_back_only_where_none_is_made() {
    let parts = vec![Output::Reasoning(Reasoning::new("hm")), Output::Text(Text::new("Hello."))];
    let request = Request::new("m").user("hi").message(Assistant::new(parts));
    let (found, warned) = sent(&Dialect::default(), &request);
    assert_eq!((&found["messages"][1]["content"], warned.len()), (&json!([{"text": "Hello."}]), 1));
    let mut dialect = Dialect::default();
    dialect.unsigned_reasoning = true;
    let (found, warned) = sent(&dialect, &request);
    let unsigned = json!({"reasoningContent": {"reasoningText": {"text": "hm"}}});
    assert_eq!((&found["messages"][1]["content"][0], warned.len()), (&unsigned, 0));
}

#[test]
fn a_request_of_the_vendors_clients_is_understood_and_kept() {
    let sent = json!({
        "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"], "odd": 1},
        "toolConfig": {"tools": [
            {"toolSpec": {"name": "see", "description": "look", "inputSchema": {"json": {"type": "object"}}}},
            {"cachePoint": {"type": "default", "ttl": "5m"}},
            {"systemTool": {"name": "nova_grounding"}}],
            "toolChoice": {"tool": {"name": "see"}}},
        "serviceTier": {"type": "flex"},
        "requestMetadata": {"team": "a", "run": "7"},
        "outputConfig": {"effort": "high", "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {
            "schema": "{\"type\":\"object\",\"properties\":{},\"required\":[],\"additionalProperties\":false}", "name": "n", "description": "d"}}}},
        "additionalModelRequestFields": {"anthropic_beta": ["x-1"]},
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"},
        "performanceConfig": {"latency": "optimized"},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
        "promptVariables": {"x": {"text": "y"}},
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}, {"guardContent": {"text": {"text": "g"}}}],
        "messages": [
            {"role": "user", "content": [
                {"text": "hi"}, {"cachePoint": {"type": "default", "ttl": "1h"}}, {"cachePoint": {"type": "other"}},
                {"image": {"format": "jpeg", "source": {"bytes": "AQID"}}},
                {"document": {"name": "a", "format": "md", "source": {"text": "# x"}, "context": "c", "citations": {"enabled": true}}},
                {"document": {"name": "b", "format": "txt", "source": {"content": [{"text": "x"}]}}},
                {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://b/v.mp4", "bucketOwner": "1"}}}},
                {"audio": {"format": "mp3", "source": {"bytes": "AQID"}}},
                {"guardContent": {"text": {"text": "q", "qualifiers": ["query"]}}}]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
                {"reasoningContent": {"redactedContent": "AAEC"}},
                {"citationsContent": {"content": [{"text": "so"}], "citations": [{"title": "t", "location": {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}}}]}},
                {"toolUse": {"toolUseId": "t", "name": "see", "input": {"b": 1, "a": 2}}}]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "t", "status": "error", "content": [
                    {"json": {"a": 1}}, {"text": "x"}, {"image": {"format": "png", "source": {"bytes": "AQID"}}},
                    {"searchResult": {"source": "s", "title": "t", "content": [{"text": "x"}]}}]}}]},
            {"role": "system", "content": [{"text": "Now in French."}]}]
    });
    let call = Call::post("/model/m/converse-stream", sent.to_string());
    let (request, mode) = codec().decode_request(&call).unwrap();
    assert_eq!((mode, request.model.as_str()), (Mode::Stream, "m"));
    let mut dialect = Dialect::default();
    dialect.system_anywhere = true;
    let encoded = Bedrock::new(dialect).encode(&request, mode).unwrap();
    assert_eq!(encoded.warnings, []);
    let back: Value = serde_json::from_slice(&encoded.call.body).unwrap();
    assert_eq!(back, sent);
    let Message::User(user) = &request.messages[3] else { panic!("{:?}", request.messages) };
    let Input::ToolResult(result) = &user.parts[0] else { panic!("{user:?}") };
    assert_eq!((result.name.as_str(), result.is_error, result.content.len()), ("see", true, 4));
    assert_eq!(request.effort, Some(Effort::High));
    assert_eq!(request.metadata.len(), 2);
}

#[test]
fn what_publishers_have_of_their_own_is_understood() {
    let decoded = |fields: Value| {
        let tools = json!({"tools": [{"toolSpec": {"name": "a", "inputSchema": {"json": {}}}}]});
        let sent = json!({"messages": [], "toolConfig": tools, "additionalModelRequestFields": fields});
        codec().decode_request(&Call::post("/model/m/converse", sent.to_string())).unwrap().0
    };
    let is_kept = |request: &Request| request.extra.get(PROTOCOL, "additionalModelRequestFields").is_some();
    let found = decoded(json!({"thinking": {"type": "enabled", "budget_tokens": 2000}, "top_k": 5}));
    assert_eq!((found.reasoning_budget, found.sampling.top_k, is_kept(&found)), (Some(2000), Some(5), false));
    let found = decoded(json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}));
    assert_eq!((found.effort, is_kept(&found)), (Some(Effort::Low), false));
    let found = decoded(json!({"thinking": {"type": "disabled"}}));
    assert_eq!((found.effort, is_kept(&found)), (Some(Effort::None), false));
    let found = decoded(json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}}));
    assert_eq!((found.effort, is_kept(&found)), (Some(Effort::Medium), false));
    let found = decoded(json!({"reasoning_effort": "high", "inferenceConfig": {"topK": 9}}));
    assert_eq!((found.effort, found.sampling.top_k, is_kept(&found)), (Some(Effort::High), Some(9), false));
    let found = decoded(json!({"tool_choice": {"disable_parallel_tool_use": true}}));
    assert_eq!((found.parallel_tool_calls, is_kept(&found)), (Some(false), false));
    for own in [
        json!({"thinking": {"type": "adaptive"}}),
        json!({"thinking": {"type": "enabled", "budget_tokens": 1, "x": 2}}),
        json!({"reasoning": {"effort": "high", "summary": "auto"}}),
        json!({"inferenceConfig": {"topK": 9, "x": 1}}),
        json!({"tool_choice": {"type": "any", "disable_parallel_tool_use": true}}),
        json!({"output_config": {"effort": "high"}}),
    ] {
        assert!(is_kept(&decoded(own.clone())), "{own}");
    }
}

#[test]
fn a_bad_request_is_told_which_field() {
    for (sent, field) in [
        (json!({"messages": [{"role": "wizard", "content": []}]}), "messages[0]"),
        (json!({"messages": [{"role": "user", "content": "hi"}]}), "`content`"),
        (json!({"messages": [{"content": []}]}), "`role`"),
        (json!({"messages": [], "inferenceConfig": {"maxTokens": "many"}}), "inferenceConfig.`maxTokens`"),
        (json!({"messages": 7}), "`messages`"),
        (json!([1]), "not a JSON object"),
    ] {
        let error = codec().decode_request(&Call::post("/model/m/converse", sent.to_string())).unwrap_err();
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
fn the_schema_of_an_answer_is_json_inside_a_text() {
    let schema = r#"{"type":"object","properties":{},"required":[],"additionalProperties":false}"#;
    let format = SchemaFormat::new("out", Json::from_text(schema)).strict(true);
    let request = Request::new("m").user("hi").format(Format::Schema(format));
    let inner = json!({"schema": schema, "name": "out"});
    let expected = json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": inner}}});
    assert_eq!(body(&request)["outputConfig"], expected);
    let mut dialect = Dialect::default();
    dialect.schema = false;
    assert_eq!(sent(&dialect, &request).1, ["format"]);
}

#[test]
fn what_only_this_protocol_knows_goes_in_and_can_take_out() {
    let mut request = Request::new("m").user("hi").max_output(9);
    request.extra.set(PROTOCOL, "guardrailConfig", Json::from_text(r#"{"guardrailIdentifier":"g"}"#));
    request.extra.set(PROTOCOL, "inferenceConfig", Json::from_text(r#"{"odd":1}"#));
    request.extra.set(PROTOCOL, "toolConfig", Json::from_text("null"));
    request.sampling.top_k = Some(7);
    let found = body(&request);
    assert_eq!(found["inferenceConfig"], json!({"maxTokens": 9, "odd": 1}));
    assert_eq!(found["additionalModelRequestFields"], json!({"top_k": 7}));
    assert_eq!(
        (&found["guardrailConfig"]["guardrailIdentifier"], found.get("toolConfig")),
        (&json!("g"), None)
    );
    request.parallel_tool_calls = Some(false);
    request.tools.push(FunctionTool::new("a", "", Json::object()).into());
    request.extra = Extra::default();
    let choice = json!({"type": "auto", "disable_parallel_tool_use": true});
    assert_eq!(body(&request)["additionalModelRequestFields"]["tool_choice"], choice);
}

#[test]
fn parts_of_other_protocols_stay_out() {
    let foreign = Custom::new("anthropic", "x", Json::object());
    let mut run = ToolCall::new("s", "search", Json::object());
    run.run_by = interlingua_model::RunBy::Provider;
    let mut result = ToolResult::new("s", "search", "found");
    result.content.push(Content::Custom(foreign.clone()));
    let parts = vec![
        Output::Custom(foreign.clone()),
        Output::ToolCall(run),
        Output::ToolResult(result.clone()),
        Output::Media(Media::bytes("image/png", vec![1_u8])),
        Output::Text(Text::new("hi")),
    ];
    let system =
        System::new(vec![Input::Custom(foreign), Input::Media(Media::bytes("image/png", vec![1_u8]))]);
    let request = Request::new("m").message(system).user(result).message(Assistant::new(parts));
    let encoded = claude().encode(&request, Mode::Whole).unwrap();
    let settings: Vec<&str> = encoded.warnings.iter().map(|warning| &*warning.setting).collect();
    assert_eq!(
        settings,
        [
            "messages[0].parts[0]",
            "messages[0].parts[1]",
            "messages[1].parts[0]",
            "messages[2].parts[0]",
            "messages[2].parts[1]",
            "messages[2].parts[2]",
            "messages[2].parts[3]",
            "tools"
        ]
    );
    let found: Value = serde_json::from_slice(&encoded.call.body).unwrap();
    assert_eq!(found["messages"][1]["content"], json!([{"text": "hi"}]));
}

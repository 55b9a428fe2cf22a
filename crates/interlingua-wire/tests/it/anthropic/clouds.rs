//! The protocol as clouds wrap it: the model in the path, events in the messages of another stream.

use http::HeaderMap;
use interlingua_model::{
    Delta, ErrorKind, Event, Finish, FinishReason, Json, Output, Request, Start, Text, ToolCall, Usage,
};
use interlingua_wire::anthropic::{Anthropic, CallForm, Dialect};
use interlingua_wire::frame::{Value, write_message};
use interlingua_wire::{Call, Codec, Mint, Mode, Refusal, Serve, catalog};
use serde_json::json;

use crate::check::{corpus, decoded, events_round_trip};
use crate::core::messages::bytes_of;

fn invoke() -> Anthropic {
    let mut dialect = Dialect::default();
    dialect.call = CallForm::Invoke;
    dialect.version_in_body = Some("bedrock-2023-05-31".to_owned());
    dialect.model_in_body = false;
    dialect.betas_in_body = true;
    Anthropic::new(dialect)
}

fn predict() -> Anthropic {
    let mut dialect = Dialect::default();
    dialect.call = CallForm::RawPredict;
    dialect.version_in_body = Some("vertex-2023-10-16".to_owned());
    dialect.model_in_body = false;
    Anthropic::new(dialect)
}

/// Events of the protocol in the messages of AWS, with padding.
fn messages(events: &[serde_json::Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        let inner = interlingua_model::Data::from(event.to_string().into_bytes()).to_base64();
        let payload = json!({ "bytes": inner, "p": "abcdefgh" }).to_string();
        let headers = [(":event-type", Value::Text("chunk")), (":message-type", Value::Text("event"))];
        write_message(&headers, payload.as_bytes(), &mut bytes).unwrap();
    }
    bytes
}

fn answer() -> Vec<serde_json::Value> {
    vec![
        json!({"type": "message_start", "message": {"id": "msg_bdrk_1", "role": "assistant", "content": [], "usage": {"input_tokens": 3}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo."}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"invocationLatency": 7}}),
    ]
}

#[test]
fn the_model_stands_in_the_path_and_the_version_in_the_body() {
    let mut request = Request::new("us.anthropic.claude-x-v1:0").user("hi").max_output(9);
    request.extra.set("anthropic", "betas", Json::from_text(r#"["x-1"]"#));
    let message = json!([{"role": "user", "content": [{"type": "text", "text": "hi"}]}]);
    let cases = [
        (
            invoke(),
            Mode::Whole,
            "/model/us.anthropic.claude-x-v1%3A0/invoke",
            json!({"anthropic_version": "bedrock-2023-05-31", "anthropic_beta": ["x-1"], "max_tokens": 9, "messages": message}),
        ),
        (
            invoke(),
            Mode::Stream,
            "/model/us.anthropic.claude-x-v1%3A0/invoke-with-response-stream",
            json!({"anthropic_version": "bedrock-2023-05-31", "anthropic_beta": ["x-1"], "max_tokens": 9, "messages": message}),
        ),
        (
            predict(),
            Mode::Whole,
            "/models/us.anthropic.claude-x-v1%3A0:rawPredict",
            json!({"anthropic_version": "vertex-2023-10-16", "max_tokens": 9, "messages": message}),
        ),
        (
            predict(),
            Mode::Stream,
            "/models/us.anthropic.claude-x-v1%3A0:streamRawPredict",
            json!({"anthropic_version": "vertex-2023-10-16", "max_tokens": 9, "stream": true, "messages": message}),
        ),
    ];
    for (codec, mode, path, body) in cases {
        let call = codec.encode(&request, mode).unwrap().call;
        assert_eq!(call.path, path);
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&call.body).unwrap(), body);
        assert_eq!(codec.decode_request(&call).unwrap(), (request.clone(), mode), "{path}");
        let is_invoked = path.contains("invoke");
        assert_eq!(call.headers.contains_key("anthropic-beta"), !is_invoked);
        assert_eq!(call.headers.contains_key("accept"), is_invoked);
        let error = codec.decode_request(&Call::post("/v1/messages", call.body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
}

#[test]
fn events_come_out_of_messages() {
    let found = decoded(&invoke(), Mode::Stream, &messages(&answer()));
    assert_eq!(found.error, None);
    assert_eq!(found.response.text(), "Hello.");
    assert_eq!((found.response.usage.input, found.response.usage.output), (Some(3), Some(2)));
    let finish = found.response.finish.unwrap();
    let kept = finish.extra.get("anthropic", "amazon-bedrock-invocationMetrics").unwrap();
    assert_eq!(kept.as_str(), r#"{"invocationLatency":7}"#);
}

#[test]
fn a_stream_that_is_cut_or_fails_says_so() {
    let cut = decoded(&invoke(), Mode::Stream, &messages(&answer()[..5]));
    assert!(cut.error.unwrap().starts_with("Truncated"));
    let mut bytes = messages(&answer()[..3]);
    bytes.extend(bytes_of("exception throttlingException {\"message\":\"Too many tokens.\"}"));
    let failed = decoded(&invoke(), Mode::Stream, &bytes);
    assert_eq!(failed.error.unwrap(), "RateLimited Soon \"throttlingException\": Too many tokens.");
    assert_eq!(failed.response.text(), "Hel");
    for broken in [
        "event chunk {\"bytes\":\"%%%\"}",
        "event chunk {\"byte\":\"\"}",
        "event chunk {",
        "event chunk {\"bytes\":\"e30\"}",
    ] {
        let error = decoded(&invoke(), Mode::Stream, &bytes_of(broken)).error.unwrap();
        assert!(error.starts_with("Protocol"), "{broken}: {error}");
    }
}

#[test]
fn refusals_are_those_of_the_cloud() {
    let mut headers = HeaderMap::new();
    headers.insert("x-amzn-errortype", "ThrottlingException:http://internal".parse().unwrap());
    let error = invoke().refusal(&Refusal::new(429, &headers, b"{\"message\":\"Too many requests\"}"));
    assert_eq!((error.kind(), error.code()), (ErrorKind::RateLimited, Some("ThrottlingException")));
    let body = br#"{"message":"The model is not ready","__type":"ModelNotReadyException"}"#;
    let whole = decoded(&invoke(), Mode::Whole, body);
    assert!(whole.error.unwrap().starts_with("Overloaded"));
}

#[test]
fn both_halves_agree() {
    let mut usage = Usage::default();
    (usage.input, usage.output) = (Some(5), Some(6));
    let call = ToolCall::new("toolu_1", "now", Json::from_text(r#"{"a":1}"#));
    let events = [
        Event::start(Start::new(Some("msg_1".to_owned()), Some("m".to_owned()))),
        Event::open(0, Output::Text(Text::default())),
        Event::delta(0, Delta::text("Hi.\n")),
        Event::close(0),
        Event::open(1, Output::ToolCall(call)),
        Event::close(1),
        Event::usage(usage),
        Event::finish(Finish::new(FinishReason::ToolUse).with_raw("tool_use")),
    ];
    let asked = Request::new("m");
    let streamed = events_round_trip(&invoke(), &asked, Mode::Stream, &events);
    let whole = events_round_trip(&invoke(), &asked, Mode::Whole, &events);
    assert_eq!((&streamed.error, &whole.error), (&None, &None));
    assert_eq!(streamed.response, whole.response);
    assert_eq!(streamed.response.tool_calls().count(), 1);
    let mut encoder = invoke().encoder(&asked, Mode::Stream, Mint::new(1, "x"));
    assert_eq!(encoder.content_type(), "application/vnd.amazon.eventstream");
    encoder.fail(&interlingua_model::Error::new(ErrorKind::Server, "boom"));
    assert!(decoded(&invoke(), Mode::Stream, &encoder.take()).error.unwrap().contains("boom"));
}

#[test]
fn rows_speak_it_in_the_form_of_their_cloud() {
    let request = Request::new("claude-sonnet-4-5@20250929").user("hi");
    for (row, path) in [
        ("amazon-bedrock", "/model/claude-sonnet-4-5%4020250929/invoke"),
        ("google-vertex", "/models/claude-sonnet-4-5@20250929:rawPredict"),
        ("azure-foundry-claude", "/v1/messages"),
    ] {
        let row = catalog::find(row).unwrap();
        let codec = row.codec(interlingua_wire::Protocol::Anthropic, &request.model).unwrap();
        assert_eq!(codec.encode(&request, Mode::Whole).unwrap().call.path, path);
    }
}

#[test]
fn recorded_streams_of_claude_are_read() {
    let Some(root) = corpus("bedrock-invoke") else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(root.join("bedrock")).unwrap() {
        let folder = entry.unwrap().path();
        let meta: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.join("meta.json")).unwrap()).unwrap();
        let model = meta["model"].as_str().unwrap_or_default();
        // The second generation had a protocol of its own.
        let is_asked = model.contains("claude") && !model.contains("claude-v2") && meta["status"] == 200;
        let Ok(bytes) = std::fs::read(folder.join("response.eventstream")) else { continue };
        if !is_asked {
            continue;
        }
        let found = decoded(&invoke(), Mode::Stream, &bytes);
        assert_eq!((&found.error, &*found.response.warnings), (&None, &[][..]), "{}", folder.display());
        assert!(found.response.usage.output > Some(0), "{}", folder.display());
        count += 1;
    }
    assert!(count > 9, "{count}");
}

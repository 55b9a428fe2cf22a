//! Services that put the protocol into an object of their own.

use std::fs;
use std::path::Path;

use interlingua_model::{
    Assistant, Delta, Error, ErrorKind, Event, Finish, FinishReason, Fold, Format, FunctionTool, Json, Media,
    Message, Output, Reasoning, Request, Response, SchemaFormat, Start, Text, ToolCall, ToolResult, Usage,
};
use interlingua_wire::openai_chat::{Dialect, Envelope, OpenaiChat};
use interlingua_wire::{Call, Codec, Mint, Mode, Refusal, Serve};
use serde_json::{Value, json};

use crate::check::{Decoded, decode, decoded, events_round_trip};
use crate::recorded::{self, Recorded};

const BOTH: [Envelope; 2] = [Envelope::Parameters, Envelope::Result];

fn chat(envelope: Envelope) -> OpenaiChat {
    let mut dialect = Dialect::default();
    dialect.envelope = envelope;
    dialect.video = true;
    dialect.string_content = envelope == Envelope::Result;
    OpenaiChat::new(dialect)
}

fn call(chat: &OpenaiChat, request: &Request, mode: Mode) -> (Call, Value) {
    let call = chat.encode(request, mode).unwrap().call;
    let body = serde_json::from_slice(&call.body).unwrap();
    (call, body)
}

fn asked() -> Request {
    let tool_call = ToolCall::new("call_1", "see", Json::from_text(r#"{"x":1}"#));
    Request::new("@cf/meta/model 1")
        .system("Be kind.")
        .user("Look.")
        .message(Assistant::new(vec![Output::Text(Text::new("One moment.")), Output::ToolCall(tool_call)]))
        .message(Message::tool_results([ToolResult::new("call_1", "see", "a cat")]))
        .tool(FunctionTool::new("see", "look", Json::from_text(r#"{"type":"object"}"#)))
        .max_output(9)
        .temperature(0.5)
}

#[test]
fn a_request_of_input_and_parameters() {
    let chat = chat(Envelope::Parameters);
    let (call_out, body) = call(&chat, &Request::new("qwen").user("hi").max_output(9), Mode::Stream);
    assert_eq!(call_out.path, "/services/aigc/text-generation/generation");
    assert_eq!(call_out.headers["x-dashscope-sse"], "enable");
    assert_eq!(
        body,
        json!({"model": "qwen", "input": {"messages": [{"role": "user", "content": "hi"}]},
            "parameters": {"result_format": "message", "incremental_output": true, "max_tokens": 9}})
    );
    let pictures = Request::new("qwen-vl")
        .system("Be kind.")
        .user(Media::url("image/*", "https://a.example/x.png"))
        .user(Media::url("video/*", "https://a.example/x.mp4"))
        .user(Media::bytes("audio/wav", vec![1_u8, 2, 3]));
    let (call_out, body) = call(&chat, &pictures, Mode::Whole);
    assert_eq!(call_out.path, "/services/aigc/multimodal-generation/generation");
    assert_eq!(call_out.headers.get("x-dashscope-sse"), None);
    let contents: Vec<&Value> =
        body["input"]["messages"].as_array().unwrap().iter().map(|message| &message["content"]).collect();
    assert_eq!(
        contents,
        [
            &json!([{"text": "Be kind."}]),
            &json!([{"image": "https://a.example/x.png"}]),
            &json!([{"video": "https://a.example/x.mp4"}]),
            &json!([{"audio": "data:audio/wav;base64,AQID"}]),
        ]
    );
    let seen = chat.decode_request(&call_out).unwrap().0;
    assert_eq!(seen.messages[..3], pictures.messages[..3]);
}

#[test]
fn a_request_below_the_model() {
    let schema = Json::from_text(r#"{"type":"object"}"#);
    let request = asked().format(Format::Schema(SchemaFormat::new("output", schema)));
    let (call_out, body) = call(&chat(Envelope::Result), &request, Mode::Stream);
    assert_eq!(call_out.path, "/run/@cf/meta/model%201");
    assert_eq!(body.get("model"), None);
    assert_eq!(body["stream"], true);
    assert_eq!(body["response_format"], json!({"type": "json_schema", "json_schema": {"type": "object"}}));
    assert_eq!(body["messages"][1], json!({"role": "user", "content": "Look."}));
}

#[test]
fn requests_come_back_and_grow_at_their_end() {
    for envelope in BOTH {
        let chat = chat(envelope);
        for mode in [Mode::Stream, Mode::Whole] {
            let call_out = chat.encode(&asked(), mode).unwrap().call;
            let (mut back, mode_back) = chat.decode_request(&call_out).unwrap();
            back.extra.take("openai_chat", "stream_options");
            assert_eq!((back, mode_back), (asked(), mode), "{envelope:?}");
            let longer = chat.encode(&asked().user("and?"), mode).unwrap().call.body;
            let end = if envelope == Envelope::Parameters { "]}}" } else { "]}" };
            assert!(longer.starts_with(call_out.body.strip_suffix(end.as_bytes()).unwrap()));
        }
    }
    let prompt =
        json!({"model": "qwen", "input": {"prompt": "hi", "history": []}, "parameters": {"seed": 7}});
    let call_in = Call::post("/services/aigc/text-generation/generation", prompt.to_string());
    let request = chat(Envelope::Parameters).decode_request(&call_in).unwrap().0;
    assert_eq!((&request.messages[..], request.sampling.seed), (&[Message::user("hi")][..], Some(7)));
    let call_in = Call::post("/ai/run/@cf/meta/m%2D1?x=1", json!({"prompt": "hi"}).to_string());
    let request = chat(Envelope::Result).decode_request(&call_in).unwrap().0;
    assert_eq!((&*request.model, &request.messages[..]), ("@cf/meta/m-1", &[Message::user("hi")][..]));
}

fn events() -> Vec<Event> {
    let mut usage = Usage::default();
    (usage.input, usage.output) = (Some(12), Some(9));
    vec![
        Event::start(Start::new(Some("req-1".to_owned()), None)),
        Event::open(0, Output::Reasoning(Reasoning::default())),
        Event::delta(0, Delta::text("Hm.")),
        Event::close(0),
        Event::open(1, Output::Text(Text::default())),
        Event::delta(1, Delta::text("It is")),
        Event::delta(1, Delta::text(" \"warm\".\n")),
        Event::close(1),
        Event::open(2, Output::ToolCall(ToolCall::new("call_1", "see", Json::from_text("")))),
        Event::delta(2, Delta::input(r#"{"x":1}"#)),
        Event::close(2),
        Event::usage(usage),
        Event::finish(Finish::new(FinishReason::ToolUse).with_raw("tool_calls")),
    ]
}

fn canonical(mut response: Response) -> Response {
    (response.id, response.model, response.created) = (None, None, None);
    response.extra = interlingua_model::Extra::default();
    if let Some(finish) = &mut response.finish {
        finish.raw = None;
    }
    response
}

#[test]
fn answers_come_back_streamed_and_whole() {
    let mut fold = Fold::new();
    for event in &events() {
        fold.push(event);
    }
    let told = canonical(fold.into_response().unwrap());
    for envelope in BOTH {
        let chat = chat(envelope);
        // Figures come in a stream of these services without being asked for.
        let call_out = chat.encode(&Request::new("m").user("hi"), Mode::Stream).unwrap().call;
        let request = chat.decode_request(&call_out).unwrap().0;
        for mode in [Mode::Stream, Mode::Whole] {
            let back = events_round_trip(&chat, &request, mode, &events());
            assert_eq!(back.error, None, "{envelope:?}");
            assert_eq!(canonical(back.response), told, "{envelope:?} {mode:?}");
        }
    }
}

#[test]
fn failures_are_told_in_the_words_of_the_service() {
    let error = Error::new(ErrorKind::RateLimited, "too many requests for now");
    for envelope in BOTH {
        let chat = chat(envelope);
        let reply = chat.encode_error(&error);
        let again = chat.refusal(&Refusal::new(reply.status, &reply.headers, &reply.body));
        assert_eq!((again.kind(), again.message()), (ErrorKind::RateLimited, "too many requests for now"));
        let mut encoder = chat.encoder(&Request::new("m"), Mode::Stream, Mint::new(1, "x"));
        for event in &events()[..6] {
            encoder.push(event).unwrap();
        }
        encoder.fail(&error);
        let heard = decode(&chat, Mode::Stream, &encoder.take(), &[]);
        assert!(heard.error.unwrap().contains("too many requests for now"), "{envelope:?}");
        assert_eq!(heard.response.text(), "It is");
    }
    let whole =
        json!({"result": null, "success": false, "errors": [{"code": 5023, "message": "JSON mode: no"}]});
    let heard = decode(&chat(Envelope::Result), Mode::Whole, whole.to_string().as_bytes(), &[]);
    assert!(heard.error.unwrap().contains("JSON mode: no"));
}

#[test]
fn odd_answers_are_read() {
    let parameters = chat(Envelope::Parameters);
    let stream = concat!(
        "id:1\nevent:result\n:HTTP_STATUS/200\n",
        r#"data:{"output":{"finish_reason":"null","text":"Hel"},"usage":{"input_tokens":3,"output_tokens":1},"request_id":"r1"}"#,
        "\n\nid:2\nevent:result\n:HTTP_STATUS/200\n",
        r#"data:{"output":{"finish_reason":"stop","text":"lo"},"usage":{"input_tokens":3,"output_tokens":2},"request_id":"r1"}"#,
        "\n\n",
    );
    let heard = decoded(&parameters, Mode::Stream, stream.as_bytes());
    assert_eq!((heard.error, heard.response.text().as_str()), (None, "Hello"));
    assert_eq!((heard.response.id.as_deref(), heard.response.usage.output), (Some("r1"), Some(2)));
    let cut = decoded(&parameters, Mode::Stream, &stream.as_bytes()[..stream.len() / 2]);
    assert!(cut.error.unwrap().contains("Truncated"));
    let failed = "id:1\nevent:error\n:HTTP_STATUS/400\ndata:{\"code\":\"InvalidParameter\",\"message\":\"no such model\",\"request_id\":\"r2\"}\n\n";
    assert!(decoded(&parameters, Mode::Stream, failed.as_bytes()).error.unwrap().contains("no such model"));
    let whole = json!({"status_code": 200, "code": "", "message": "", "request_id": "r3", "usage": {"input_tokens": 1},
        "output": {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": [{"text": "A cat."}]}}]}});
    let heard = decode(&parameters, Mode::Whole, whole.to_string().as_bytes(), &[]);
    assert_eq!((heard.error, heard.response.text().as_str()), (None, "A cat."));

    let result = chat(Envelope::Result);
    let stream = "data: {\"response\":\"{\\\"ok\\\":\",\"p\":\"abc\"}\n\ndata: {\"response\":true}\n\ndata: {\"response\":\"}\",\"tool_calls\":[]}\n\ndata: {}\n\ndata: {\"response\":\"\",\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
    let heard = decoded(&result, Mode::Stream, stream.as_bytes());
    assert_eq!((heard.error, heard.response.text().as_str()), (None, "{\"ok\":true}"));
    let whole = json!({"success": true, "errors": [], "messages": [], "result": {"response": {"ok": true},
        "tool_calls": [{"name": "see", "arguments": {"x": 1}}], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}});
    let heard = decode(&result, Mode::Whole, whole.to_string().as_bytes(), &[]).response;
    assert_eq!(heard.text(), "{\"ok\":true}");
    assert_eq!(heard.tool_calls().next().unwrap().input.as_str(), r#"{"x":1}"#);
    assert_eq!(heard.finish.unwrap().reason, FinishReason::ToolUse);
}

/// The codec for a recording: a client may have asked for deltas that repeat what came before.
fn of_recording(envelope: Envelope, folder: &Path) -> OpenaiChat {
    let mut dialect = chat(envelope).dialect().clone();
    let asked: Value = fs::read(folder.join("request.json"))
        .ok()
        .and_then(|body| serde_json::from_slice(&body).ok())
        .unwrap_or_default();
    let streams = folder.join("response.sse").exists();
    dialect.cumulative_deltas = envelope == Envelope::Parameters
        && streams
        && asked["parameters"]["incremental_output"] != json!(true);
    OpenaiChat::new(dialect)
}

fn recordings(folder: &str, envelope: Envelope) {
    let recorded = Recorded { folder, list: "envelopes", prefix: "" };
    recorded.walk(&|folder, meta| {
        let served = |read: &Decoded| {
            let call_out = chat(envelope).encode(&Request::new("m").user("hi"), Mode::Stream).unwrap().call;
            let request = chat(envelope).decode_request(&call_out).unwrap().0;
            let again = events_round_trip(&chat(envelope), &request, Mode::Stream, &read.events);
            let (told, heard) = (&read.response, again.response);
            (told.text() != heard.text() || again.error.is_some() || told.usage.output != heard.usage.output)
                .then(|| format!("served again, {told:#?}\nbecame {heard:#?}"))
        };
        let read = recorded::read(&of_recording(envelope, folder), 97, folder, meta);
        read.map_or_else(Some, |all| all.iter().find_map(served))
    });
}

#[test]
fn recorded_answers_in_output() {
    recordings("dashscope-native", Envelope::Parameters);
}

#[test]
fn recorded_answers_in_result() {
    recordings("cloudflare-run", Envelope::Result);
}

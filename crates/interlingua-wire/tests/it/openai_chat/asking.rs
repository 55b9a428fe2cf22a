//! What goes out, in which dialect, and what is said to be lost.
//!
//! A case is a folder under `tests/cases/openai_chat_requests/`: `request.json` in the neutral shape, `dialect.json`
//! where it is not the default, and `expected.json` with the body and the warnings, which is rewritten when the
//! environment has `UPDATE_EXPECTED=1`.

use std::fs;
use std::path::Path;

use interlingua_model::{ErrorKind, FunctionTool, Json, Request, ToolChoice};
use interlingua_wire::openai_chat::{Dialect, OpenaiChat};
use interlingua_wire::{Codec, Mode, Serve};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::call;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Expected {
    body: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn check(folder: &Path) -> Option<String> {
    let dialect = folder.join("dialect.json");
    let dialect: Dialect = if dialect.exists() { read(&dialect) } else { Dialect::default() };
    let request: Request = read(&folder.join("request.json"));
    let encoded = OpenaiChat::new(dialect).encode(&request, Mode::Stream).unwrap();
    let found = Expected {
        body: serde_json::from_slice(&encoded.call.body).unwrap(),
        warnings: encoded.warnings.iter().map(ToString::to_string).collect(),
    };
    let path = folder.join("expected.json");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
        return None;
    }
    let expected: Expected = read(&path);
    (found != expected).then(|| format!("{}: found {found:#?}", folder.display()))
}

#[test]
fn requests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/openai_chat_requests");
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    let failures: Vec<String> = folders.iter().filter_map(|folder| check(folder)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_stored_file_may_be_named_beside_the_type() {
    let mut dialect = Dialect::default();
    dialect.files = interlingua_wire::openai_chat::FileParts::DocumentUrl;
    let chat = OpenaiChat::new(dialect);
    let content =
        serde_json::json!([{"type": "file", "file_id": "file_1"}, {"type": "text", "text": "and?"}]);
    let sent = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": content}]});
    let (request, mode) = chat.decode_request(&call("/v1/chat/completions", &[], &sent)).unwrap();
    let interlingua_model::Message::User(user) = &request.messages[0] else { panic!("{request:?}") };
    assert_eq!(user.parts[0], interlingua_model::Media::file("application/*", "file_1").into());
    let encoded = chat.encode(&request, mode).unwrap();
    let again: Value = serde_json::from_slice(&encoded.call.body).unwrap();
    assert_eq!(again["messages"][0]["content"], content);
}

#[test]
fn a_tool_name_that_can_never_be_accepted_is_an_error() {
    let request = Request::new("m").user("hi").tool(FunctionTool::new("get weather", "x", Json::object()));
    let error = OpenaiChat::new(Dialect::openai()).encode(&request, Mode::Whole).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.message().contains("get weather"), "{error}");
}

/// What real clients send, and what is understood of it.
#[test]
fn clients_are_understood() {
    let body = serde_json::json!({
        "model": "m",
        "stream": true,
        "stream_options": {"include_usage": true},
        "max_tokens": 5,
        "max_completion_tokens": 7,
        "stop": "END",
        "user": "u1",
        "n": 2,
        "tool_choice": "any",
        "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "web_search", "x": 1}],
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "ann", "content": [
                {"type": "text", "text": "What is this?", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "image_url", "image_url": {"url": "https://a.example/x.png", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "AAEC", "format": "mp3"}},
                {"type": "hologram", "hologram": 3},
            ]},
            {"role": "assistant", "content": null, "refusal": null, "annotations": [], "audio": null,
             "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "done"}]},
            {"role": "function", "name": "f", "content": "old"},
        ],
    });
    let (request, mode) =
        OpenaiChat::default().decode_request(&call("/v1/chat/completions", &[], &body)).unwrap();
    assert_eq!(mode, Mode::Stream);
    assert_eq!(request.max_output, Some(7));
    assert_eq!(request.sampling.stop, ["END"]);
    assert_eq!(request.end_user.as_deref(), Some("u1"));
    assert_eq!(request.tool_choice, Some(ToolChoice::Required));
    assert_eq!(request.extra.read::<u8>("openai_chat", "n"), Some(2));
    assert_eq!(request.extra.get("openai_chat", "stream_options"), None);
    let neutral = serde_json::to_value(&request).unwrap();
    let parts = &neutral["messages"][1]["user"]["parts"];
    assert_eq!(parts[0]["text"]["cache"], "long");
    assert_eq!(parts[1]["media"]["source"]["url"], "https://a.example/x.png");
    assert_eq!(parts[2]["media"]["mime"], "audio/mpeg");
    assert_eq!(parts[3]["custom"]["kind"], "hologram");
    assert_eq!(neutral["tools"][1]["provider"]["kind"], "web_search");
    let results = &neutral["messages"][3]["user"]["parts"];
    assert_eq!(
        (&results[0]["tool_result"]["name"], &results[0]["tool_result"]["call"]),
        (&"f".into(), &"c1".into())
    );
    assert_eq!(results[1]["tool_result"]["call"], "c1");
}

/// That a client did not ask for usage is known, and does not keep us from asking.
#[test]
fn usage_is_asked_for_and_passed_on_only_where_it_was_asked_for() {
    let chat = OpenaiChat::default();
    let body = serde_json::json!({"model": "m", "stream": true, "messages": []});
    let (request, _) = chat.decode_request(&call("/chat/completions", &[], &body)).unwrap();
    assert_eq!(request.extra.get("openai_chat", "stream_options").map(Json::as_str), Some("null"));
    let body = chat.encode(&request, Mode::Stream).unwrap().call.body;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["stream_options"]["include_usage"], true);
}

#[test]
fn what_is_no_request_is_refused_by_name() {
    let chat = OpenaiChat::default();
    for (body, word) in [
        (serde_json::json!({"model": "m"}), "messages"),
        (serde_json::json!({"model": "m", "messages": "hi"}), "messages"),
        (serde_json::json!({"model": "m", "messages": [], "temperature": "hot"}), "temperature"),
        (serde_json::json!([1]), "object"),
    ] {
        let error = chat.decode_request(&call("/chat/completions", &[], &body)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.message().contains(word), "{error}");
    }
}

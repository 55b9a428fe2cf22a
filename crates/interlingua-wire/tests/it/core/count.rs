//! The calls that count the tokens of a prompt.

use interlingua_model::{Error, ErrorKind, FunctionTool, Json, Request};
use interlingua_wire::{Call, Codec, Protocol, catalog};
use serde_json::{Value, json};

fn asked() -> Request {
    let schema = Json::new(r#"{"type":"object","properties":{"city":{"type":"string"}}}"#).unwrap();
    Request::new("m")
        .system("Be terse.")
        .user("hi")
        .tool(FunctionTool::new("weather", "The weather.", schema))
        .max_output(5)
        .temperature(0.5)
}

fn codec(provider: &str, protocol: Protocol, model: &str) -> Box<dyn Codec> {
    catalog::find(provider).unwrap().codec(protocol, model).unwrap()
}

fn count(provider: &str, protocol: Protocol, model: &str) -> (Call, Value) {
    let call = codec(provider, protocol, model).count(model, &asked()).unwrap().unwrap();
    let body = serde_json::from_slice(&call.body).unwrap();
    (call, body)
}

#[test]
fn the_call_has_what_makes_the_prompt_and_no_settings() {
    let (call, body) = count("google", Protocol::Gemini, "gemini-x");
    assert_eq!(call.path, "/models/gemini-x:countTokens");
    let inner = &body["generateContentRequest"];
    assert_eq!(
        (&inner["model"], &inner["systemInstruction"]["parts"][0]["text"]),
        (&json!("models/gemini-x"), &json!("Be terse."))
    );
    assert_eq!(inner["tools"][0]["functionDeclarations"][0]["name"], "weather");

    let (call, body) = count("google-vertex", Protocol::Gemini, "gemini-x");
    assert!(call.path.ends_with("gemini-x:countTokens"), "{}", call.path);
    assert_eq!(body["contents"][0]["parts"][0]["text"], "hi");

    let (call, body) = count("amazon-bedrock", Protocol::Bedrock, "anthropic.claude-x-v1:0");
    assert_eq!(call.path, "/model/anthropic.claude-x-v1%3A0/count-tokens");
    let inner = &body["input"]["converse"];
    assert_eq!(
        (&inner["messages"][0]["content"][0]["text"], inner.get("inferenceConfig")),
        (&json!("hi"), None)
    );

    assert!(codec("groq", Protocol::OpenaiChat, "m").count("m", &asked()).is_none());
}

#[test]
fn the_answer_is_a_number() {
    let read = |provider: &str, protocol, body: &str| -> Result<u64, Error> {
        codec(provider, protocol, "m").counted(body.as_bytes())
    };
    let gemini = r#"{"totalTokens": 7, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 7}]}"#;
    assert_eq!(read("google", Protocol::Gemini, gemini).unwrap(), 7);
    assert_eq!(read("amazon-bedrock", Protocol::Bedrock, r#"{"inputTokens":15}"#).unwrap(), 15);
    assert_eq!(read("anthropic", Protocol::Anthropic, r#"{"input_tokens":588}"#).unwrap(), 588);
    for wrong in ["{}", "[]", "<html>", "", r#"{"input_tokens":"many"}"#] {
        assert_eq!(read("anthropic", Protocol::Anthropic, wrong).unwrap_err().kind(), ErrorKind::Protocol);
    }
}

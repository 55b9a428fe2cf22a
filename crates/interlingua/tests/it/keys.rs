//! A key goes to the host that it was meant for, and is shown to nobody.

use std::sync::{Arc, Mutex};

use interlingua::wire::Limits;
use interlingua::{Client, ClientBuilder, ErrorKind, KeyStatus, Options, Request, Secret};

use crate::script::{Said, Script};
use crate::server::{Server, answer, whole_hello};

const KEY: &str = "sk-environment-1";

fn ask() -> Request {
    Request::new("groq/llama").user("hi")
}

/// A client whose environment holds a key for groq.
fn builder(script: &Arc<Script>) -> ClientBuilder {
    script.builder().env(|name| (name == "GROQ_API_KEY").then(|| KEY.to_owned()))
}

fn sent_key(script: &Script) -> Option<String> {
    script.with_sent(0, |request| {
        request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned())
    })
}

#[tokio::test]
async fn the_environment_s_key_goes_to_the_row_s_host() {
    let script = Script::answers([Said::ok(whole_hello())]);
    builder(&script).build().unwrap().send(&ask()).await.unwrap();
    assert_eq!(sent_key(&script).as_deref(), Some("Bearer sk-environment-1"));
}

#[tokio::test]
async fn the_environment_s_key_goes_to_no_other_host() {
    let script = Script::answers([]);
    let elsewhere = Options::default().base_url("https://groq.evil.test/openai/v1");
    let error = builder(&script).build().unwrap().send_with(&ask(), &elsewhere).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(
        error.message().contains("GROQ_API_KEY") && error.message().contains("groq.evil.test"),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains(KEY));
    let client = builder(&script).base_url("groq", "https://groq.evil.test/v1").build().unwrap();
    assert_eq!(client.send(&ask()).await.unwrap_err().kind(), ErrorKind::Configuration);
    assert_eq!(script.count(), 0);
}

#[tokio::test]
async fn a_call_before_changes_nothing_of_where_a_key_goes() {
    let script = Script::answers([Said::ok(whole_hello())]);
    let client = builder(&script).build().unwrap();
    client.send(&ask()).await.unwrap();
    let elsewhere = Options::default().base_url("https://groq.evil.test/openai/v1");
    assert_eq!(client.send_with(&ask(), &elsewhere).await.unwrap_err().kind(), ErrorKind::Configuration);
    assert_eq!(script.count(), 1);
}

#[tokio::test]
async fn a_key_that_is_rotated_is_sent_from_the_next_call_on() {
    let script = Script::answers([Said::ok(whole_hello()), Said::ok(whole_hello())]);
    let key = Arc::new(Mutex::new("sk-old-1"));
    let current = Arc::clone(&key);
    let client = script
        .builder()
        .env(move |name| (name == "GROQ_API_KEY").then(|| (*current.lock().unwrap()).to_owned()));
    let client = client.build().unwrap();
    client.send(&ask()).await.unwrap();
    *key.lock().unwrap() = "sk-new-1";
    client.send(&ask()).await.unwrap();
    let sent = |at| script.with_sent(at, |request| request.headers()["authorization"].clone());
    assert_eq!((sent(0), sent(1)), ("Bearer sk-old-1".parse().unwrap(), "Bearer sk-new-1".parse().unwrap()));
}

#[tokio::test]
async fn a_key_that_is_given_with_the_url_goes_there() {
    let script = Script::answers([Said::ok(whole_hello()), Said::ok(whole_hello())]);
    let options = Options::default().base_url("https://proxy.test/v1").key("sk-call-1");
    builder(&script).build().unwrap().send_with(&ask(), &options).await.unwrap();
    assert_eq!(sent_key(&script).as_deref(), Some("Bearer sk-call-1"));
    let script = Script::answers([Said::ok(whole_hello())]);
    let client =
        builder(&script).base_url("groq", "https://proxy.test/v1").key("groq", "sk-own-1").build().unwrap();
    client.send(&ask()).await.unwrap();
    assert_eq!(sent_key(&script).as_deref(), Some("Bearer sk-own-1"));
}

#[tokio::test]
async fn a_server_on_this_machine_needs_no_key_and_gets_none_that_is_not_its_own() {
    let script = Script::answers([Said::ok(whole_hello())]);
    let options = Options::default().base_url("http://127.0.0.1:8080/v1");
    builder(&script).build().unwrap().send_with(&ask(), &options).await.unwrap();
    assert_eq!(sent_key(&script), None);
}

#[tokio::test]
async fn a_key_does_not_travel_in_the_open() {
    let script = Script::answers([Said::ok(whole_hello())]);
    let options = Options::default().base_url("http://box.test/v1").key("sk-call-1");
    let error = builder(&script).build().unwrap().send_with(&ask(), &options).await.unwrap_err();
    assert!(error.message().contains("plain HTTP"), "{error}");
    let client = builder(&script).allow_plain_http(true).build().unwrap();
    client.send_with(&ask(), &options).await.unwrap();
}

#[tokio::test]
async fn a_missing_or_malformed_key_is_named_by_its_variable() {
    let script = Script::answers([]);
    let error = script.client().send(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(error.message().contains("set GROQ_API_KEY"), "{error}");
    for bad in ["sk-line\nbreak", "sk two words", "sk-smart\u{201d}quote", "sk-\u{7f}"] {
        let client = script.builder().env(move |name| (name == "GROQ_API_KEY").then(|| bad.to_owned()));
        let error = client.build().unwrap().send(&ask()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert!(error.message().contains("env GROQ_API_KEY"), "{error}");
        assert!(!format!("{error:?}").contains("sk-"), "{error:?}");
    }
}

#[tokio::test]
async fn a_key_command_runs_once_and_its_output_stays_secret() {
    let script = Script::answers([Said::ok(whole_hello()), Said::ok(whole_hello())]);
    let folder = std::env::temp_dir().join(format!("interlingua-key-{}", std::process::id()));
    let command = format!("echo run >> {0}; echo sk-printed-1", folder.display());
    let client = script.builder().key_command("groq", command).build().unwrap();
    assert_eq!(client.key_status("groq"), KeyStatus::Present { from: "key command".into() });
    client.send(&ask()).await.unwrap();
    client.send(&ask()).await.unwrap();
    assert_eq!(sent_key(&script).as_deref(), Some("Bearer sk-printed-1"));
    assert_eq!(std::fs::read_to_string(&folder).unwrap(), "run\n");
    std::fs::remove_file(&folder).unwrap();
    let failing = script.builder().key_command("groq", "echo sk-printed-2; exit 3").build().unwrap();
    let error = failing.send(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(!format!("{error:?}").contains("sk-printed"), "{error:?}");
}

#[test]
fn where_a_key_comes_from_is_told_without_it() {
    let client =
        Client::builder().env(|name| (name == "OPENAI_API_KEY").then(|| KEY.into())).build().unwrap();
    assert_eq!(client.key_status("openai"), KeyStatus::Present { from: "env OPENAI_API_KEY".into() });
    assert_eq!(client.key_status("groq"), KeyStatus::Missing { expected: vec!["GROQ_API_KEY".into()] });
    assert_eq!(client.key_status("ollama"), KeyStatus::NotNeeded);
    assert!(!format!("{client:?} {:?}", Secret::new(KEY)).contains(KEY));
}

#[tokio::test]
async fn a_server_that_sends_the_key_back_does_not_get_it_into_an_error() {
    let body = r#"{"error":{"message":"Incorrect API key: sk-test-1"}}"#;
    let server = Server::start(move |_| answer("401 Unauthorized", "", body)).await;
    let error = server.client().send(&Request::new("test/m").user("hi")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(error.message().contains("Incorrect API key: [key]"), "{error}");
    assert!(!format!("{error:?}").contains("sk-test-1"), "{error:?}");
    let said = "data: {\"error\":{\"message\":\"no such key sk-test-1\"}}\n\n";
    let script = Script::answers([Said::ok(said), Said::ok(said), Said::ok(said)]);
    let events = script.client().stream(&Request::new("test/m").user("hi")).await.unwrap();
    let error = events.into_response().await.unwrap_err();
    assert!(!format!("{error:?}").contains("sk-test-1"), "{error:?}");
}

#[tokio::test]
async fn a_key_in_the_headers_of_an_answer_is_not_shown() {
    let refused = Said::status(400, "{}").header("x-request-id", "of sk-test-1");
    let packed = Said::ok(whole_hello()).header("content-encoding", "sk-test-1");
    let told = Said::ok(whole_hello()).header("x-you-sent", "Bearer sk-test-1");
    let script = Script::answers([refused, packed, told]);
    let error = script.client().send(&ask_test()).await.unwrap_err();
    assert_eq!(error.request_id(), Some("of [key]"));
    let error = script.client().send(&ask_test()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(!format!("{error} {error:?}").contains("sk-test-1"), "{error:?}");
    let answer = script.client().send_with(&ask_test(), &Options::default()).await.unwrap();
    assert!(!format!("{:?}", answer.meta).contains("sk-test-1"), "{:?}", answer.meta);
    assert_eq!(answer.meta.headers["x-you-sent"], "Bearer sk-test-1");
}

#[tokio::test]
async fn a_list_of_models_that_fails_does_not_show_the_key() {
    let said = [
        ("401 Unauthorized", "x-request-id: for sk-test-1\r\n", "{}"),
        ("200 OK", "", "{\"data\":\"sk-test-1\"}"),
        ("307 Temporary Redirect", "location: https://sk-test-1.test/\r\n", ""),
    ];
    for (status, headers, body) in said {
        let server = Server::start(move |_| answer(status, headers, body)).await;
        let error = server.client().models("test").await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sk-test"), "{error:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_read_up_to_the_limit_of_a_body() {
    let server = Server::start(|_| answer("400 Bad", "", &"x".repeat(100_000))).await;
    let client = server.builder().limits(Limits::new(1 << 16, 1_000)).build().unwrap();
    let error = client.send(&ask_test()).await.unwrap_err();
    assert_eq!(error.status(), Some(400));
    assert!(error.body().is_some_and(|body| body.len() <= 1_000), "{error:?}");
}

fn ask_test() -> Request {
    Request::new("test/m").user("hi")
}

#[test]
fn a_password_in_a_url_is_refused() {
    let client = Client::builder().env(|_| None).build().unwrap();
    let options = Options::default().base_url("https://me:word@proxy.test/v1");
    let error = client.prepare(&ask(), interlingua::Mode::Whole, &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(!error.to_string().contains("word@"), "{error}");
}

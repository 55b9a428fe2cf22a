//! What a call sends and what it brings, when all is well.

use interlingua::wire::Mode;
use interlingua::{Client, ErrorKind, Event, FinishReason, Json, Options, Origin, Request, Warning};

use crate::script::{Said, Script};
use crate::server::{hello, whole_hello};

fn ask() -> Request {
    Request::new("test/vendor/model:free").user("hi")
}

#[tokio::test]
async fn an_answer_comes_in_pieces_and_folds_to_a_response() {
    let script = Script::answers([Said::ok(hello()).header("x-request-id", "req-7")]);
    let mut events = script.client().stream(&ask()).await.unwrap();
    let mut seen = Vec::new();
    while let Some(event) = events.next().await {
        seen.push(event.unwrap());
        if seen.len() == 3 {
            assert_eq!(events.message().text(), "Hel", "the message is there as it stands");
        }
    }
    assert!(matches!(seen.first(), Some(Event::Start(_))));
    assert!(matches!(seen.last(), Some(Event::Finish(_))));
    let meta = events.meta().clone();
    assert_eq!((meta.status, meta.request_id.as_deref()), (Some(200), Some("req-7")));
    assert!(
        meta.timings.first_byte.is_some()
            && meta.timings.first_token.is_some()
            && meta.timings.total.is_some()
    );
    let response = events.into_response().await.unwrap();
    assert_eq!(response.text(), "Hello, wörld");
    assert_eq!((response.usage.input, response.usage.output), (Some(7), Some(2)));
    let origin = Origin::new("openai_chat", "test", "vendor/model:free");
    assert_eq!(response.message.origin, Some(origin));
}

#[tokio::test]
async fn a_whole_answer_is_the_same_answer() {
    let script = Script::answers([Said::ok(hello()), Said::ok(whole_hello())]);
    let client = script.client();
    let streamed = client.stream(&ask()).await.unwrap().into_response().await.unwrap();
    let whole = client.send(&ask()).await.unwrap();
    assert_eq!(streamed, whole);
    assert_eq!(whole.finish.map(|finish| finish.reason), Some(FinishReason::Stop));
}

#[tokio::test]
async fn a_server_that_answers_in_the_other_mode_is_understood() {
    let script = Script::answers([Said::ok(whole_hello()), Said::ok(hello())]);
    let client = script.client();
    assert_eq!(client.stream(&ask()).await.unwrap().into_response().await.unwrap().text(), "Hello, wörld");
    assert_eq!(client.send(&ask()).await.unwrap().text(), "Hello, wörld");
}

#[tokio::test]
async fn the_request_goes_where_the_row_says_with_the_rest_of_the_word_as_model() {
    let script = Script::answers([Said::ok(hello())]);
    script.client().stream(&ask()).await.unwrap();
    script.with_sent(0, |request| {
        assert_eq!(request.uri(), "https://api.test/v1/chat/completions");
        assert_eq!(request.method(), "POST");
        assert_eq!(request.headers()["authorization"], "Bearer sk-test-1");
        assert!(request.headers()["authorization"].is_sensitive());
        assert_eq!(request.headers()["accept-encoding"], "identity");
    });
    assert_eq!(script.body(0)["model"], "vendor/model:free");
    assert_eq!(script.body(0)["stream"], true);
}

#[tokio::test]
async fn a_row_patches_the_body_for_some_models() {
    let row = r#"{
        "id": "patched", "auth": "none",
        "endpoints": [{ "protocol": "openai_chat", "base_url": "https://patched.test" }],
        "variables": [{ "name": "team", "env": ["TEAM"], "default": "blue" }],
        "body": { "provider": { "only": ["a"] }, "stream_options": null, "tags": ["{team}/x", "{other}"] },
        "families": [{ "models": ["slow*"], "body": { "provider": { "sort": "price" }, "stream": null } }]
    }"#;
    let script = Script::answers([Said::ok(hello()), Said::ok(hello())]);
    let client = script.builder().provider(serde_json::from_str(row).unwrap()).build().unwrap();
    client.stream(&Request::new("patched/fast").user("hi")).await.unwrap();
    client.stream(&Request::new("patched/slow-1").user("hi")).await.unwrap();
    assert_eq!(script.body(0)["provider"], serde_json::json!({"only": ["a"]}));
    assert_eq!(script.body(0)["tags"], serde_json::json!(["blue/x", "{other}"]));
    assert_eq!((script.body(0).get("stream_options"), &script.body(0)["stream"]), (None, &true.into()));
    assert_eq!(script.body(1)["provider"], serde_json::json!({"only": ["a"], "sort": "price"}));
    assert_eq!(script.body(1).get("stream"), None);
}

#[tokio::test]
async fn options_add_headers_and_body_fields() {
    let script = Script::answers([Said::ok(hello())]);
    let options = Options::default()
        .header("x-trace", "42")
        .unwrap()
        .body_field("model", Json::string("other"))
        .body_field("store", Json::from_text("false"));
    script.client().stream_with(&ask(), &options).await.unwrap();
    let body = script.body(0);
    assert_eq!((&body["model"], &body["store"]), (&"other".into(), &false.into()));
    script.with_sent(0, |request| assert_eq!(request.headers()["x-trace"], "42"));
    let bad = Options::default().body_field("store", Json::from_text("{"));
    let error = script.client().stream_with(&ask(), &bad).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn raw_frames_come_on_request() {
    let script = Script::answers([Said::ok(hello()), Said::ok(hello())]);
    let client = script.client();
    let raw = |events: Vec<Event>| events.iter().filter(|event| matches!(event, Event::Raw(_))).count();
    let plain = client.stream(&ask()).await.unwrap();
    assert_eq!(raw(collect(plain).await), 0);
    let with = client.stream_with(&ask(), &Options::default().raw(true)).await.unwrap();
    assert_eq!(raw(collect(with).await), 5, "two texts, a finish, the usage, and [DONE]");
}

async fn collect(mut events: interlingua::Events) -> Vec<Event> {
    let mut all = Vec::new();
    while let Some(event) = events.next().await {
        all.push(event.unwrap());
    }
    all
}

fn with_top_k() -> Request {
    let mut request = Request::new("openai/gpt-6-sol").user("hi");
    request.sampling.top_k = Some(4);
    request
}

#[tokio::test]
async fn what_cannot_be_said_is_a_warning_right_after_the_start() {
    let script = Script::answers([Said::ok(hello())]);
    let client = script.builder().key("openai", "sk-2").build().unwrap();
    let chat = Options::default().protocol(interlingua::Protocol::OpenaiChat);
    let mut events = client.stream_with(&with_top_k(), &chat).await.unwrap();
    assert!(matches!(events.next().await, Some(Ok(Event::Start(_)))));
    let Some(Ok(Event::Warning(warning))) = events.next().await else { panic!("no warning") };
    assert_eq!(warning.setting, "sampling.top_k");
    assert_eq!(events.meta().warnings, [(*warning).clone()]);
    let response = events.into_response().await.unwrap();
    assert_eq!(response.warnings, [*warning]);
}

#[tokio::test]
async fn strict_mode_refuses_before_anything_is_sent() {
    let script = Script::answers([]);
    let client = script.builder().key("openai", "sk-2").strict(true).build().unwrap();
    let error = client.stream(&with_top_k()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("sampling.top_k"), "{error}");
    assert_eq!(script.count(), 0);
}

#[test]
fn a_word_that_names_no_provider_is_answered_with_advice() {
    let client = Client::builder().env(|_| None).build().unwrap();
    let message = |model: &str| {
        let prepared = client.prepare(&Request::new(model).user("hi"), Mode::Stream, &Options::default());
        let error = prepared.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        error.to_string()
    };
    assert!(
        message("antropic/claude").contains("did you mean `anthropic`?"),
        "{}",
        message("antropic/claude")
    );
    assert_eq!(message("qqqqqq/x"), "there is no provider `qqqqqq`");
    assert!(message("gpt-6").contains("must be written as provider/model, for instance openai/gpt-6"));
    assert!(message("openai/").contains("for instance openai/"));
    assert!(message("").contains("for instance openai/MODEL"));
}

#[test]
fn a_dry_run_shows_the_request_without_the_key() {
    let script = Script::answers([]);
    let prepared = script.client().prepare(&ask(), Mode::Stream, &Options::default()).unwrap();
    let text = prepared.to_string();
    assert!(text.starts_with("POST https://api.test/v1/chat/completions\n"), "{text}");
    assert!(text.contains("authorization: Bearer ***\n"), "{text}");
    assert!(!text.contains("sk-test-1"));
    assert!(text.ends_with('}'));
    assert_eq!(prepared.warnings, Vec::<Warning>::new());
    let options = Options::default().header("x-api-key", "sk-own").unwrap();
    let own = script.client().prepare(&ask(), Mode::Stream, &options).unwrap().to_string();
    assert!(!own.contains("sk-own") && !own.contains("Bearer"), "{own}");
}

#[tokio::test]
async fn models_are_listed_page_by_page() {
    let script = Script::answers([
        Said::ok(r#"{"data":[{"id":"claude-a","type":"model"}],"has_more":true,"last_id":"claude-a"}"#),
        Said::ok(r#"{"data":[{"id":"claude-b","type":"model"}],"has_more":false,"last_id":"claude-b"}"#),
    ]);
    let client = script.builder().key("anthropic", "sk-ant-1").build().unwrap();
    let models = client.models("anthropic").await.unwrap();
    let ids: Vec<_> = models.iter().map(|model| model.id.as_str()).collect();
    assert_eq!(ids, ["claude-a", "claude-b"]);
    script.with_sent(0, |request| {
        assert_eq!(request.headers()["x-api-key"], "sk-ant-1");
        assert_eq!(request.method(), "GET");
        assert_eq!(request.uri().path(), "/v1/models");
    });
    let query = script.with_sent(1, |request| request.uri().query().unwrap_or_default().to_owned());
    assert!(query.contains("after_id=claude-a"), "{query}");
}

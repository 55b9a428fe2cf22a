//! Typed questions, asked over loopback.

use interlingua::decision::{Answered, Asked, Choice, Decided, Question, Value};
use interlingua::{Client, Error, ErrorKind, Media, Message, Options, RetryPolicy, User};
use serde_json::{Value as Json, json};

use crate::script::{Said, Script};
use crate::server::{Received, Server, answer};

fn asked(model: &str) -> Asked {
    let choices = ["fire", "flood"].map(Choice::new);
    Asked::new(model, Message::user("It burns!"))
        .question(Question::predicate("Is it urgent?").named("urgent"))
        .question(Question::choice("What is it?", choices).named("kind"))
}

/// Asks a provider that stands on loopback, and what came there.
async fn decided(provider: &str, body: &'static str) -> (Result<Decided, Error>, Received) {
    let server = Server::start(move |_| answer("200 OK", "", body)).await;
    let builder = Client::builder().env(|_| None).base_url(provider, server.url()).key(provider, "sk-decide");
    let found = builder.build().unwrap().decide(&asked(&format!("{provider}/m"))).await;
    (found, server.received().remove(0))
}

fn sent(received: &Received) -> Json {
    serde_json::from_str(&received.body).unwrap()
}

fn check(decided: &Decided) {
    assert_eq!(decided.answers[0].answered, Answered::Predicate { probability: 0.9 });
    let Answered::Choice { value, confidence, .. } = &decided.answers[1].answered else {
        panic!("{decided:?}")
    };
    assert_eq!((value, *confidence), (&Value::Text("fire".to_owned()), 0.8));
    assert_eq!((decided.usage.input, decided.warnings.len()), (Some(7), 0));
}

#[tokio::test]
async fn questions_are_asked_as_a_list() {
    let body = r#"{"model":"m","answers":[{"type":"predicate","name":"urgent","probability":0.9},{"type":"choice","name":"kind","choice":"fire","confidence":0.8}],"usage":{"input_tokens":7}}"#;
    let (found, received) = decided("openai", body).await;
    check(&found.unwrap());
    assert!(received.head.starts_with("POST /decisions HTTP/1.1"), "{}", received.head);
    assert_eq!(received.header("authorization"), Some("Bearer sk-decide"));
    assert_eq!(
        (sent(&received)["model"].clone(), sent(&received)["input"].clone()),
        (json!("m"), json!("It burns!"))
    );
}

const NAMED: &str = r#"{"answers":{"urgent":{"type":"noul","noul":0.9},"kind":{"type":"choice","choice":"fire","confidence":0.8,"probabilities":{"fire":0.8,"flood":0.2}}},"usage":{"input_tokens":7}}"#;

#[tokio::test]
async fn questions_are_asked_by_their_names() {
    for (provider, path) in [("ollama", "/v1/systemone"), ("perplexity", "/v1/decisions")] {
        let (found, received) = decided(provider, NAMED).await;
        check(&found.unwrap());
        assert!(received.head.starts_with(&format!("POST {path} HTTP/1.1")), "{}", received.head);
        let sent = sent(&received);
        assert_eq!(sent["state"], "It burns!");
        assert_eq!(sent["questions"]["kind"]["criteria"], json!({ "fire": null, "flood": null }));
    }
}

#[tokio::test]
async fn gemini_is_asked_in_its_words_and_may_refuse() {
    let body = r#"{"answers":{"urgent":{"type":"noul","noul":0.9,"confidence":0.9},"kind":{"type":"choice","choice":"fire","confidence":0.8,"probabilities":{}}},"usage":{"total_input_tokens":7}}"#;
    let (found, received) = decided("google", body).await;
    check(&found.unwrap());
    assert!(received.head.starts_with("POST /v1beta/decisions HTTP/1.1"), "{}", received.head);
    assert_eq!(received.header("x-goog-api-key"), Some("sk-decide"));
    let sent = sent(&received);
    assert_eq!((sent["model"].clone(), sent["input"].clone()), (json!("models/m"), json!("It burns!")));
    assert_eq!(sent["questions"]["kind"]["criteria"], json!({ "fire": "", "flood": "" }));

    let (found, _) = decided("google", r#"{"prompt_feedback":{"block_reason":"safety"}}"#).await;
    let answered: Vec<_> = found.unwrap().answers.into_iter().map(|answer| answer.answered).collect();
    assert_eq!(answered, [Answered::Refusal, Answered::Refusal]);
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_its_kind() {
    let script = Script::answers([]);
    let client = script.client();
    let error = client.decide(&asked("mistral/m")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(
        error.message().contains("`mistral` decides no typed questions; those that do: openai"),
        "{error}"
    );
    let error = client.decide(&asked("openai/m")).await.unwrap_err();
    assert_eq!((error.kind(), error.message().contains("OPENAI_API_KEY")), (ErrorKind::Authentication, true));
    let none = Asked::new("openai/m", Message::user("hi"));
    assert_eq!(client.decide(&none).await.unwrap_err().kind(), ErrorKind::InvalidRequest);

    let (found, _) = decided("ollama", r#"{"error":"model 'm' does not decide"}"#).await;
    assert!(found.unwrap_err().message().contains("does not decide"));
    let (found, _) = decided("ollama", "<html>").await;
    let error = found.unwrap_err();
    assert_eq!(
        (error.kind(), error.provider(), error.model()),
        (ErrorKind::Protocol, Some("ollama"), Some("m"))
    );

    let refused = Script::answers([Said::status(401, r#"{"error":{"message":"bad sk-decide","type":"x"}}"#)]);
    let client = refused.builder().key("openai", "sk-decide").build().unwrap();
    let error = client.decide(&asked("openai/m")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(!format!("{error} {error:?}").contains("sk-decide"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_made_again_and_strict_mode_refuses_what_cannot_be_said() {
    let script = Script::answers([Said::status(503, "{}"), Said::ok(NAMED)]);
    let client = script.builder().key("openrouter", "sk").retry(RetryPolicy::default()).build().unwrap();
    check(&client.decide(&asked("openrouter/m")).await.unwrap());
    assert_eq!(script.count(), 2);
    let url = script.with_sent(1, |request| request.uri().to_string());
    assert_eq!(url, "https://openrouter.ai/api/alpha/decisions");

    let picture = User::new(vec![Media::bytes("image/png", vec![1_u8]).into()]);
    let shown = Asked::new("openrouter/m", picture).question(Question::predicate("Is it a cat?"));
    let error = client.decide_with(&shown, &Options::default().strict(true)).await.unwrap_err();
    assert_eq!((error.kind(), script.count()), (ErrorKind::Unsupported, 2));

    // A key goes to no host that it was not meant for.
    let given = script.builder().env(|name| (name == "OPENROUTER_API_KEY").then(|| "sk".to_owned()));
    let elsewhere = Options::default().base_url("https://evil.test");
    let error = given.build().unwrap().decide_with(&asked("openrouter/m"), &elsewhere).await.unwrap_err();
    assert!(error.message().contains("is not meant for https://evil.test"), "{error}");
}

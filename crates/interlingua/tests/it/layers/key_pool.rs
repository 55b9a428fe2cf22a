//! Keys in turn, and those left alone that failed.

use std::time::Duration;

use interlingua::layer::{KeyPool, Notice, Refusal};
use interlingua::{Client, ErrorKind, Options, Request, RetryPolicy};
use tokio::time::advance;

use crate::script::{Said, Script};
use crate::server::whole_hello;

const KEYS: [&str; 3] = ["sk-1", "sk-2", "sk-3"];

fn ask() -> Request {
    Request::new("test/m").user("hi")
}

fn ok() -> Said {
    Said::ok(whole_hello())
}

/// The keys that were sent, by their last letter.
fn keys(script: &Script) -> String {
    let key = |at| {
        script.with_sent(at, |request| {
            request.headers()["authorization"].to_str().unwrap().chars().last().unwrap()
        })
    };
    (0..script.count()).map(key).collect()
}

async fn asked(client: &Client, times: usize) {
    for _ in 0..times {
        client.send(&ask()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn keys_take_turns() {
    for round_robin in [false, true] {
        let script = Script::answers((0..7).map(|_| ok()));
        let pool = KeyPool::new("test", KEYS);
        let pool = if round_robin { pool.round_robin() } else { pool };
        let client = script.builder().layer(pool).build().unwrap();
        asked(&client, 7).await;
        assert_eq!(keys(&script), "1231231");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limited_key_is_left_alone_and_the_next_one_taken_at_once() {
    let script = Script::answers([
        Said::status(429, "{}").header("retry-after", "30"),
        ok(),
        ok(),
        ok(),
        ok(),
        ok(),
        ok(),
    ]);
    let client = script.builder().layer(KeyPool::new("test", KEYS)).build().unwrap();
    let answer = client.send_with(&ask(), &Options::default()).await.unwrap();
    let cooled = Notice::KeyCooled {
        provider: "test".into(),
        key: 0,
        time: Duration::from_secs(30),
        kind: ErrorKind::RateLimited,
    };
    assert_eq!(answer.meta.notices, [cooled]);
    assert_eq!(script.pauses(), [Duration::ZERO]);
    asked(&client, 2).await;
    advance(Duration::from_secs(30)).await;
    asked(&client, 3).await;
    assert_eq!(keys(&script), "1232132", "the key that was used longest ago");
}

#[tokio::test(start_paused = true)]
async fn refused_keys_are_out_for_an_hour_and_nothing_is_sent_without_one() {
    let quota =
        r#"{"error":{"message":"no credit","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let script = Script::answers([Said::status(401, "{}"), Said::status(429, quota), ok(), ok()]);
    let pool = KeyPool::new("test", ["sk-1", "sk-2"]);
    let client = script.builder().layer(pool).build().unwrap();
    let error = client.send(&ask()).await.unwrap_err();
    assert_eq!(
        (error.kind(), Refusal::of(&error)),
        (ErrorKind::QuotaExceeded, None),
        "the provider's own word"
    );
    let error = client.send(&ask()).await.unwrap_err();
    assert!(matches!(Refusal::of(&error), Some(Refusal::KeysCooling { wait, .. }) if wait.as_secs() >= 3590));
    assert_eq!(error.to_string(), "every key of test has failed: the first may be used in 3600 s");
    assert_eq!(script.count(), 2);
    advance(Duration::from_secs(3600)).await;
    asked(&client, 2).await;
    assert_eq!(keys(&script), "1212");
}

#[tokio::test(start_paused = true)]
async fn the_last_key_is_waited_for() {
    let limited = || Said::status(429, "{}").header("retry-after", "5");
    let script = Script::answers([limited(), limited(), ok()]);
    let client = script.builder().layer(KeyPool::new("test", ["sk-1", "sk-2"])).build().unwrap();
    client.send(&ask()).await.unwrap();
    assert_eq!((keys(&script).as_str(), script.pauses()[1] >= Duration::from_secs(5)), ("122", true));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_key_s_fault_cools_none() {
    let script = Script::answers([Said::status(503, ""), Said::status(400, "{}"), ok()]);
    let retry = RetryPolicy::never();
    let client = script.builder().retry(retry).layer(KeyPool::new("test", KEYS)).build().unwrap();
    assert_eq!(client.send(&ask()).await.unwrap_err().kind(), ErrorKind::Overloaded);
    assert_eq!(client.send(&ask()).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    client.send(&ask()).await.unwrap();
    assert_eq!(keys(&script), "123");
}

#[tokio::test(start_paused = true)]
async fn keys_go_nowhere_else_and_show_nowhere() {
    let row = interlingua::Provider::new("other", interlingua::Protocol::OpenaiChat, "https://other.test/v1");
    let script = Script::answers((0..3).map(|_| ok()));
    let pool = KeyPool::new("test", KEYS);
    assert!(!format!("{pool:?}").contains("sk-"), "{pool:?}");
    let client = script.builder().provider(row).key("other", "sk-9").layer(pool).build().unwrap();
    client.send(&Request::new("other/m").user("hi")).await.unwrap();
    client.send_with(&ask(), &Options::default().key("sk-8")).await.unwrap();
    assert_eq!(keys(&script), "98");
    let elsewhere = Options::default().base_url("https://elsewhere.test/v1");
    let error = client.send_with(&ask(), &elsewhere).await.unwrap_err();
    assert_eq!((error.kind(), script.count()), (ErrorKind::Configuration, 2), "{error}");
    let none =
        Script::answers([]).builder().layer(KeyPool::new("test", Vec::<String>::new())).build().unwrap();
    assert!(none.send(&ask()).await.unwrap_err().to_string().contains("is empty"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_within_the_answer_cools_as_well() {
    let body = "data: {\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit_error\",\"code\":\"rate_limit_exceeded\"}}\n\n";
    let script = Script::answers([Said::ok(body), ok()]);
    let pool = KeyPool::new("test", ["sk-1", "sk-2"]);
    let client = script.builder().retry(RetryPolicy::never()).layer(pool).build().unwrap();
    let error = client.stream(&ask()).await.unwrap().into_response().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    client.send(&ask()).await.unwrap();
    assert_eq!(keys(&script), "12");
}

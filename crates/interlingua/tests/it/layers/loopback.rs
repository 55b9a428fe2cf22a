//! Layers over real connections.

use std::sync::Arc;
use std::time::Duration;

use interlingua::layer::{
    Budget, Cache, CircuitBreaker, Concurrency, Fallback, Hedge, KeyPool, Notice, RateLimit,
};
use interlingua::{Client, Protocol, Request, RetryPolicy};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::server::{Server, Step, answer, chunk, hello, last_chunk, stream_head, text_frame, whole_hello};

const LONG: Duration = Duration::from_secs(20);

/// A client with two servers: `test` and `other`, of which the first speaks another protocol.
fn client_of(first: &Server, second: &Server) -> interlingua::ClientBuilder {
    let mut other = second.row();
    other.id = "other".into();
    Client::builder()
        .env(|_| None)
        .retry(RetryPolicy::never())
        .provider(first.row_of(Protocol::Anthropic))
        .provider(other)
        .key("test", "sk-test-1")
        .key("other", "sk-other-1")
}

#[tokio::test]
async fn a_conversation_goes_on_with_another_protocol() {
    let busy = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let first = Server::start(move |_| answer("529 Overloaded", "", busy)).await;
    let second = Server::start(|_| answer("200 OK", "", whole_hello())).await;
    let client = client_of(&first, &second).layer(Fallback::to(["other/n"])).build().unwrap();
    let request = Request::new("test/m").system("Be terse.").user("hi");
    let response = client.send(&request).await.unwrap();
    assert_eq!(response.text(), "Hello, wörld");
    assert_eq!(response.message.origin.unwrap().protocol, "openai_chat");
    let asked = second.received();
    assert_eq!(asked[0].header("authorization"), Some("Bearer sk-other-1"));
    assert!(asked[0].body.contains("\"model\":\"n\"") && asked[0].body.contains("Be terse."));
    assert_eq!(first.received()[0].header("authorization"), Some("Bearer sk-test-1"));
}

#[tokio::test]
async fn the_call_that_loses_is_closed() {
    let gone = Arc::new(Notify::new());
    let watch = Arc::clone(&gone);
    let never =
        Server::start(move |_| vec![Step::Write(stream_head()), Step::Watch(Arc::clone(&watch))]).await;
    let second = Server::start(|_| {
        vec![
            Step::Write(stream_head()),
            Step::Write(chunk(text_frame("Hel").as_bytes())),
            Step::Write(chunk(hello().as_bytes())),
            Step::Write(last_chunk()),
        ]
    })
    .await;
    let hedge = Hedge::after(Duration::ZERO).model("other/n");
    let client = client_of(&never, &second).layer(hedge).build().unwrap();
    let events = client.stream(&Request::new("test/m").user("hi")).await.unwrap();
    timeout(LONG, gone.notified()).await.expect("the server must see that the call was given up");
    assert!(events.meta().notices.contains(&Notice::HedgeWon { model: "other/n".into(), second: true }));
    assert_eq!(events.into_response().await.unwrap().text(), "HelHello, wörld");
}

#[tokio::test]
async fn all_layers_together_leave_an_answer_what_it_is() {
    let server = Server::start(|_| {
        vec![Step::Write(stream_head()), Step::Write(chunk(hello().as_bytes())), Step::Write(last_chunk())]
    })
    .await;
    let budget = Budget::new();
    let client = server
        .builder()
        .layer(Cache::memory(1 << 20))
        .layer(Fallback::to(["test/n"]))
        .layer(Hedge::after(LONG))
        .layer(budget.clone())
        .layer(CircuitBreaker::new())
        .layer(RateLimit::new().requests(100))
        .layer(Concurrency::new(1))
        .layer(KeyPool::new("test", ["sk-1", "sk-2"]))
        .build()
        .unwrap();
    for number in 0..3 {
        let request = Request::new("test/m").user(number.to_string());
        let answer = client.stream(&request).await.unwrap().into_answer().await.unwrap();
        assert_eq!((answer.response.text().as_str(), answer.meta.status), ("Hello, wörld", Some(200)));
        assert_eq!(answer.meta.request_id.as_deref(), Some("req-7"));
        let names: Vec<_> = answer.meta.notices.iter().map(Notice::name).collect();
        assert_eq!(names, ["cache_miss", "budget_spent", "cache_stored"]);
    }
    let keys: Vec<_> =
        server.received().iter().map(|one| one.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(keys, ["Bearer sk-1", "Bearer sk-2", "Bearer sk-1"]);
    assert_eq!((budget.spent().calls, budget.spent().tokens, server.connections()), (3, 27, 1));
}

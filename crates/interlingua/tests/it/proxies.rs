//! Through a proxy, plain and tunnelled.

use std::time::Duration;

use interlingua::wire::{Protocol, Provider};
use interlingua::{Client, ErrorKind, Request, RetryPolicy, Timeouts};

use crate::server::{Server, answer, whole_hello};

fn client(proxy: &Server, base_url: &str) -> Client {
    let address = format!("http://user:word@{}", proxy.address);
    let builder = Client::builder().env(move |name| (name == "ALL_PROXY").then(|| address.clone()));
    let row = Provider::new("test", Protocol::OpenaiChat, base_url.to_owned());
    let timeouts = Timeouts::default().connect(Duration::from_secs(3));
    let builder = builder.provider(row).key("test", "sk-test-1").allow_plain_http(true).timeouts(timeouts);
    builder.retry(RetryPolicy::never()).build().unwrap()
}

fn ask() -> Request {
    Request::new("test/m").user("hi")
}

#[tokio::test]
async fn a_plain_call_is_handed_to_the_proxy_whole() {
    let proxy = Server::start(|_| answer("200 OK", "", whole_hello())).await;
    client(&proxy, "http://api.test/v1").send(&ask()).await.unwrap();
    let received = &proxy.received()[0];
    assert!(
        received.head.starts_with("POST http://api.test/v1/chat/completions HTTP/1.1"),
        "{}",
        received.head
    );
    assert_eq!(received.header("proxy-authorization"), Some("Basic dXNlcjp3b3Jk"));
    assert_eq!(received.header("authorization"), Some("Bearer sk-test-1"));
}

#[tokio::test]
async fn a_secret_call_asks_the_proxy_for_a_tunnel_and_tells_it_nothing() {
    let proxy = Server::start(|_| answer("407 Proxy Authentication Required", "", "")).await;
    let error = client(&proxy, "https://api.test/v1").send(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.message().contains(&proxy.address.to_string()), "{error}");
    assert!(!format!("{error:?}").contains("word"), "{error:?}");
    let received = &proxy.received()[0];
    assert!(received.head.starts_with("CONNECT api.test:443 HTTP/1.1"), "{}", received.head);
    assert_eq!(received.header("proxy-authorization"), Some("Basic dXNlcjp3b3Jk"));
    assert_eq!((received.header("authorization"), &*received.body), (None, ""));
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_says_nothing_is_given_up_in_time() {
    let never = std::sync::Arc::new(tokio::sync::Notify::new());
    let proxy = Server::start(move |_| vec![crate::server::Step::Await(std::sync::Arc::clone(&never))]).await;
    let error = client(&proxy, "https://api.test/v1").send(&ask()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("api.test within 3 s"), "{error}");
}

//! Connections: used again, given up, slowed down.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use interlingua::{Body, BoxFuture, Error, Event, HttpTransport, Request, RetryPolicy, Timeouts, Transport};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::server::{
    Server, Step, answer, chunk, hello, last_chunk, last_frames, stream_head, text_frame, whole_hello,
};

const LONG: Duration = Duration::from_secs(20);

fn ask() -> Request {
    Request::new("test/m").user("hi")
}

/// Lets the tasks of this runtime come forward.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

/// The transport that is built in, and a bell that rings when the end of a body was read.
#[derive(Debug)]
struct Belled {
    http: HttpTransport,
    bell: Arc<Notify>,
}

impl Transport for Belled {
    fn send(
        &self,
        call: http::Request<Bytes>,
        timeouts: Timeouts,
    ) -> BoxFuture<'_, Result<http::Response<Body>, Error>> {
        Box::pin(async move {
            let answer = self.http.send(call, timeouts).await?;
            let bell = Arc::clone(&self.bell);
            Ok(answer.map(|body| {
                Body::from_stream(stream::unfold((body, bell), |(mut body, bell)| async move {
                    let chunk = body.chunk().await;
                    if chunk.is_none() {
                        bell.notify_one();
                    }
                    chunk.map(|chunk| (chunk, (body, bell)))
                }))
            }))
        })
    }
}

/// A server whose bodies end some time after the answer.
async fn ends_late(end: Arc<Notify>) -> Server {
    let script = move |_| {
        vec![
            Step::Write([stream_head(), chunk(hello().as_bytes())].concat()),
            Step::Await(Arc::clone(&end)),
            Step::Write(last_chunk()),
        ]
    };
    Server::start(script).await
}

/// The end is handed out at the end marker, and yet the next call finds the connection, whose body ends a little later.
#[tokio::test]
async fn calls_wait_for_a_connection_that_is_about_to_be_free() {
    let end = Arc::new(Notify::new());
    let server = ends_late(Arc::clone(&end)).await;
    let client = server.client();
    let ask = async || {
        let events = client.stream(&ask()).await.unwrap();
        timeout(LONG, events.into_response()).await.expect("the end must not wait for the body's").unwrap()
    };
    ask().await;
    for _ in 1..20 {
        // The next call begins before the body of the last one has ended.
        let body_ends = async {
            settle().await;
            end.notify_one();
        };
        tokio::join!(ask(), body_ends);
    }
    assert_eq!(server.received().len(), 20);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn twenty_streams_in_a_row_use_one_connection() {
    let (end, bell) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let server = ends_late(Arc::clone(&end)).await;
    let transport = Arc::new(Belled { http: HttpTransport::new(), bell: Arc::clone(&bell) });
    let client = server.builder().transport(transport).build().unwrap();
    for _ in 0..20 {
        let mut events = client.stream(&ask()).await.unwrap();
        while let Some(event) =
            timeout(LONG, events.next()).await.expect("the end must not wait for the body's")
        {
            if matches!(event.unwrap(), Event::Finish(_)) {
                break;
            }
        }
        end.notify_one();
        timeout(LONG, bell.notified()).await.expect("the rest must be read in the background");
        settle().await;
    }
    assert_eq!(server.received().len(), 20);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn whole_answers_and_refusals_leave_the_connection_in_use() {
    let server = Server::start(|number| {
        if number % 2 == 0 { answer("200 OK", "", whole_hello()) } else { answer("400 Bad", "", "{}") }
    })
    .await;
    let client = server.client();
    for number in 0..6 {
        let sent = client.send(&ask()).await;
        assert_eq!(sent.is_ok(), number % 2 == 0);
        settle().await;
    }
    assert_eq!(server.connections(), 1);
    assert_eq!(server.received()[0].header("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn dropping_the_events_closes_the_connection() {
    let gone = Arc::new(Notify::new());
    let watch = Arc::clone(&gone);
    let server = Server::start(move |_| {
        let begin = [stream_head(), chunk(text_frame("Hel").as_bytes())].concat();
        vec![Step::Write(begin), Step::Watch(Arc::clone(&watch))]
    })
    .await;
    let mut events = server.client().stream(&ask()).await.unwrap();
    assert!(events.next().await.is_some_and(|event| event.is_ok()));
    drop(events);
    timeout(LONG, gone.notified()).await.expect("the server must see the end");
}

#[tokio::test]
async fn a_slow_reader_slows_the_sender_down() {
    const TIMES: usize = 448;
    let written = Arc::new(AtomicUsize::new(0));
    let frame = chunk(text_frame(&"x".repeat(64 << 10)).as_bytes());
    let size = frame.len();
    let count = Arc::clone(&written);
    let server = Server::start(move |_| {
        let flood = Step::Flood { bytes: frame.clone(), times: TIMES, written: Arc::clone(&count) };
        let end = [chunk(last_frames().as_bytes()), last_chunk()].concat();
        vec![Step::Write(stream_head()), flood, Step::Write(end)]
    })
    .await;
    let mut events = server.client().stream(&ask()).await.unwrap();
    assert!(events.next().await.is_some_and(|event| event.is_ok()));
    let mut before = usize::MAX;
    while before != written.load(Ordering::SeqCst) {
        before = written.load(Ordering::SeqCst);
        settle().await;
    }
    assert!(before < TIMES * size / 2, "{before} of {} bytes were taken by nobody", TIMES * size);
    let response = events.into_response().await.unwrap();
    assert_eq!(response.text().len(), TIMES * (64 << 10));
}

#[tokio::test]
async fn redirects_are_followed_only_when_allowed_and_the_key_stays_at_home() {
    let other = Server::start(|_| answer("200 OK", "", whole_hello())).await;
    let there = format!("location: {}/elsewhere\r\n", other.url());
    let server = Server::start(move |_| answer("307 Temporary Redirect", &there, "")).await;
    let error = server.client().send(&ask()).await.unwrap_err();
    assert_eq!(error.status(), Some(307));
    assert!(error.message().contains(&other.url()), "{error}");
    assert!(other.received().is_empty());
    let client = server.builder().follow_redirects(true).build().unwrap();
    assert_eq!(client.send(&ask()).await.unwrap().text(), "Hello, wörld");
    let received = &other.received()[0];
    assert!(received.head.starts_with("POST /elsewhere "));
    assert_eq!(received.header("authorization"), None);
    assert_eq!(received.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_redirect_on_the_same_host_keeps_the_key() {
    let server = Server::start(|number| match number {
        0 => answer("308 Permanent Redirect", "location: /v2/chat/completions\r\n", ""),
        _ => answer("200 OK", "", whole_hello()),
    })
    .await;
    let client = server.builder().follow_redirects(true).build().unwrap();
    client.send(&ask()).await.unwrap();
    let received = &server.received()[1];
    assert!(received.head.starts_with("POST /v2/chat/completions "));
    assert_eq!(received.header("authorization"), Some("Bearer sk-test-1"));
    assert_eq!(received.body, server.received()[0].body);
}

#[tokio::test]
async fn redirects_do_not_go_in_circles() {
    let server = Server::start(|_| answer("307 Temporary Redirect", "location: /again\r\n", "")).await;
    let client = server.builder().follow_redirects(true).build().unwrap();
    let error = client.send(&ask()).await.unwrap_err();
    assert!(error.message().contains("without end"), "{error}");
    assert_eq!(server.received().len(), 6);
}

/// Once an answer has begun it needs the client no more.
#[tokio::test]
async fn the_client_may_be_dropped_while_an_answer_is_read() {
    let dropped = Arc::new(Notify::new());
    let until = Arc::clone(&dropped);
    let server = Server::start(move |_| {
        vec![
            Step::Write([stream_head(), chunk(text_frame("Hel").as_bytes())].concat()),
            Step::Await(Arc::clone(&until)),
            Step::Write(chunk([&*text_frame("lo"), last_frames()].concat().as_bytes())),
            Step::Write(last_chunk()),
        ]
    })
    .await;
    let client = server.client();
    let mut events = client.stream(&ask()).await.unwrap();
    events.begin().await.unwrap();
    drop(client);
    dropped.notify_one();
    let response = timeout(LONG, events.into_response()).await.expect("the answer must go on").unwrap();
    assert_eq!(response.text(), "Hello");
}

/// Servers close connections that wait too long. The request that finds out goes out over another one, and nobody is told.
#[tokio::test]
async fn a_connection_that_was_closed_while_it_waited_costs_no_call() {
    let script = |_| answer("200 OK", "", whole_hello()).into_iter().chain([Step::Close]).collect();
    let server = Server::start(script).await;
    let client = server.builder().retry(RetryPolicy::never()).build().unwrap();
    for calls in 1..=5 {
        client.send(&ask()).await.unwrap();
        assert_eq!(server.connections(), calls);
    }
}

/// As many connections as calls at once, and no more afterwards.
#[tokio::test]
async fn connections_of_calls_at_once_are_used_again() {
    let server = Server::start(|_| answer("200 OK", "", whole_hello())).await;
    let client = server.client();
    for _ in 0..3 {
        let calls = (0..8).map(|_| async { client.send(&ask()).await.unwrap() });
        futures_util::future::join_all(calls).await;
        assert!(server.connections() <= 8, "{}", server.connections());
    }
}

#[tokio::test]
async fn a_connection_is_closed_when_nobody_needs_it() {
    let server = Server::start(|_| answer("200 OK", "", whole_hello())).await;
    let client = server.client();
    client.send(&ask()).await.unwrap();
    // From here on the clock runs on by itself while everything waits.
    tokio::time::pause();
    timeout(Duration::from_secs(120), server.left()).await.unwrap();
    drop(client);
}

//! Everything that servers are known to get wrong, over a real connection.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use interlingua::wire::Limits;
use interlingua::{Error, ErrorKind, Request, Response, RetryPolicy};

use crate::server::{
    Server, Step, answer, chunk, hello, last_chunk, last_frames, stream, stream_head, text_frame, whole_hello,
};

async fn ask(steps: Vec<Step>) -> Result<Response, Error> {
    let server = Server::start(move |_| steps.clone()).await;
    let builder = server.builder().retry(RetryPolicy::never()).limits(Limits::new(1 << 20, 1 << 20));
    let client = builder.build().unwrap();
    client.stream(&Request::new("test/m").user("hi")).await?.into_response().await
}

fn each_byte(body: &str) -> Vec<Step> {
    let chunks = body.bytes().flat_map(|byte| chunk(&[byte]));
    vec![Step::Write([stream_head(), chunks.collect(), last_chunk()].concat())]
}

fn with(change: impl Fn(&str) -> String) -> Vec<Step> {
    stream(change(&hello()).as_bytes())
}

/// The same events, an odd frame between the two texts.
fn between(frame: &str) -> Vec<Step> {
    stream([&text_frame("Hel"), frame, &text_frame("lo, wörld"), last_frames()].concat().as_bytes())
}

fn gzipped(text: &str) -> Vec<Step> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    writer.write_all(text.as_bytes()).unwrap();
    let packed = writer.finish().unwrap();
    let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunks = packed.iter().flat_map(|byte| chunk(&[*byte]));
    vec![Step::Write([head.as_bytes().to_vec(), chunks.collect(), last_chunk()].concat())]
}

fn odd_and_right() -> Vec<(&'static str, Vec<Step>)> {
    let data_only = |body: &str| body.replace("data: ", "data:");
    let multiline = |body: &str| body.replace(",\"choices\"", ",\ndata: \"choices\"");
    let without_done = |body: &str| body.replace("data: [DONE]\n\n", "");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    vec![
        ("base", with(str::to_owned)),
        ("every byte on its own", each_byte(&hello())),
        ("CRLF", with(|body| body.replace('\n', "\r\n"))),
        ("CRLF, every byte on its own", each_byte(&hello().replace('\n', "\r\n"))),
        ("CR alone", with(|body| body.replace('\n', "\r"))),
        ("byte order mark", with(|body| format!("\u{feff}{body}"))),
        ("no space after the colon", with(data_only)),
        ("several data lines in one frame", with(multiline)),
        ("no [DONE]", with(without_done)),
        ("comments", between(": keep-alive\n\n: keep-alive\n")),
        ("id, retry and unknown fields", between("id: 7\nretry: 100\nodd: field\n\n")),
        ("an event of an unknown kind", between("event: news\ndata: {\"object\":\"news\"}\n\n")),
        (
            "nulls",
            between(
                "data: {\"id\":null,\"choices\":[{\"index\":0,\"delta\":{\"content\":null}}],\"usage\":null}\n\n",
            ),
        ),
        ("an unknown field", with(|body| body.replace("\"id\":\"c1\"", "\"odd\":[1],\"id\":\"c1\""))),
        ("a thin server", with(|body| body.replace("\"id\":\"c1\",", "").replace("\"model\":\"m\",", ""))),
        (
            "a whole answer to a streamed call",
            answer("200 OK", "content-type: application/json\r\n", whole_hello()),
        ),
        ("gzip in a stream that did not ask for it", gzipped(&hello())),
        ("gzip of a whole answer", gzipped(whole_hello())),
        (
            "a body that ends with the connection",
            vec![Step::Write([head.as_bytes(), hello().as_bytes()].concat()), Step::Close],
        ),
    ]
}

#[tokio::test]
async fn what_is_odd_and_right_is_read() {
    for (name, steps) in odd_and_right() {
        let response = ask(steps).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(response.text(), "Hello, wörld", "{name}");
    }
}

fn cut(end: Vec<Step>) -> Vec<Step> {
    let begin = [stream_head(), chunk(text_frame("Hel").as_bytes())].concat();
    let mut steps = vec![Step::Write(begin)];
    steps.extend(end);
    steps
}

fn wrong() -> Vec<(&'static str, Vec<Step>, ErrorKind)> {
    let eof_head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let half = text_frame("Hel");
    let error = "data: {\"error\":{\"message\":\"it broke\",\"type\":\"server_error\"}}\n\n";
    vec![
        ("reset in the body", cut(vec![Step::Reset]), ErrorKind::Truncated),
        ("closed in a chunked body", cut(vec![Step::Close]), ErrorKind::Truncated),
        ("a clean end without a finish", cut(vec![Step::Write(last_chunk())]), ErrorKind::Truncated),
        (
            "closed, where the connection is the frame",
            vec![Step::Write([eof_head.as_bytes(), half.as_bytes()].concat()), Step::Close],
            ErrorKind::Truncated,
        ),
        (
            "cut in a frame",
            cut(vec![Step::Write([chunk(b"data: {\"choices\":[{\"del"), last_chunk()].concat())]),
            ErrorKind::Truncated,
        ),
        (
            "an error in the middle",
            cut(vec![Step::Write([chunk(error.as_bytes()), last_chunk()].concat())]),
            ErrorKind::Server,
        ),
        ("an error at once", stream(error.as_bytes()), ErrorKind::Server),
        (
            "a whole error after 200",
            answer("200 OK", "", "{\"error\":{\"message\":\"it broke\",\"type\":\"server_error\"}}"),
            ErrorKind::Server,
        ),
        ("nothing", answer("200 OK", "", ""), ErrorKind::Truncated),
        (
            "a web page",
            answer("200 OK", "content-type: text/html\r\n", "<!doctype html><title>Sign in</title>"),
            ErrorKind::Protocol,
        ),
        ("JSON that is none", stream(b"data: {\"choices\":[}\n\n"), ErrorKind::Protocol),
        ("an unknown packing", answer("200 OK", "content-encoding: br\r\n", "xyz"), ErrorKind::Protocol),
        (
            "gzip that is none",
            answer("200 OK", "content-encoding: gzip\r\n", "xyzxyzxyzxyz"),
            ErrorKind::Protocol,
        ),
        (
            "too many requests",
            answer("429 Too Many Requests", "", "{\"error\":{\"message\":\"slow\"}}"),
            ErrorKind::RateLimited,
        ),
        ("a server error", answer("500 Oops", "", ""), ErrorKind::Server),
        (
            "a gateway's page",
            answer("502 Bad Gateway", "content-type: text/html\r\n", "<html>bad gateway</html>"),
            ErrorKind::Server,
        ),
        ("no HTTP", vec![Step::Write(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()), Step::Close], ErrorKind::Protocol),
        ("closed before the head", vec![Step::Close], ErrorKind::Connect),
        ("reset before the head", vec![Step::Reset], ErrorKind::Connect),
    ]
}

#[tokio::test]
async fn what_is_wrong_is_an_error_of_its_kind() {
    for (name, steps, kind) in wrong() {
        let error = ask(steps).await.err().unwrap_or_else(|| panic!("{name}: no error"));
        assert_eq!(error.kind(), kind, "{name}: {error:?}");
        assert_eq!((error.provider(), error.model()), (Some("test"), Some("m")), "{name}");
        assert!(!error.to_string().contains('\n'), "{name}: {error}");
    }
}

#[tokio::test]
async fn what_had_come_is_kept_when_the_rest_is_cut() {
    for end in [vec![Step::Reset], vec![Step::Write(last_chunk())]] {
        let error = ask(cut(end)).await.unwrap_err();
        assert_eq!(error.partial().map(Response::text).as_deref(), Some("Hel"), "{error:?}");
    }
}

#[tokio::test]
async fn a_frame_without_end_is_stopped_at_the_limit() {
    let written = Arc::new(AtomicUsize::new(0));
    let bytes = chunk(&vec![b'x'; 64 << 10]);
    let flood = Step::Flood { bytes, times: 3200, written };
    let steps = vec![Step::Write([stream_head(), chunk(b"data: ")].concat()), flood];
    assert_eq!(ask(steps).await.unwrap_err().kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_refusal_without_end_is_cut() {
    let written = Arc::new(AtomicUsize::new(0));
    let bytes = vec![b'x'; 64 << 10];
    let flood = Step::Flood { bytes, times: 3200, written: Arc::clone(&written) };
    let head = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 209715200\r\n\r\n".to_vec();
    let error = ask(vec![Step::Write(head), flood]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.body().is_some_and(|body| body.len() <= 256 << 10));
}

#[tokio::test]
async fn a_packed_bomb_is_stopped_at_the_limit() {
    let bomb = format!("{{\"choices\":[{}", " ".repeat(32 << 20));
    assert_eq!(ask(gzipped(&bomb)).await.unwrap_err().kind(), ErrorKind::TooLarge);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let head = format!("HTTP/1.1 200 OK\r\nx-pad: {}\r\n\r\n", "x".repeat(512 << 10));
    let error = ask(vec![Step::Write(head.into_bytes())]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:?}");
}

#[tokio::test]
async fn nobody_who_listens_is_told_with_the_place() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let row =
        interlingua::Provider::new("test", interlingua::Protocol::OpenaiChat, format!("http://{address}"));
    let builder = interlingua::Client::builder().env(|_| None).provider(row).retry(RetryPolicy::never());
    let error = builder.build().unwrap().send(&Request::new("test/m").user("hi")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.message().contains(&address.to_string()) && error.message().contains("refused"), "{error}");
}

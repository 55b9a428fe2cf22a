//! The client against the server halves of the protocols, over a real connection.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use interlingua::wire::{Auth, Call, Mint, Mode, Serve};
use interlingua::{
    Client, Delta, Error, ErrorKind, Event, Finish, FinishReason, FunctionTool, Json, Output, Protocol,
    Provider, Request, Response, RetryPolicy, Start, Text, ToolCall, Usage,
};

use crate::server::{Received, Server, Step, chunk, last_chunk};

pub(crate) type Answer = dyn Fn(&dyn Serve, &Request, Mode) -> Vec<Step> + Send + Sync;

/// A server that speaks a protocol, the client for it, and the requests that came.
pub(crate) async fn start(protocol: Protocol, answer: Box<Answer>) -> (Client, Arc<Mutex<Vec<Request>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let codec = Provider::new("test", protocol, "").server(protocol, "m").unwrap();
    let server = Server::start_with(move |_, received| {
        let (request, mode) = codec.decode_request(&call(received)).unwrap();
        seen.lock().unwrap().push(request.clone());
        answer(&*codec, &request, mode)
    })
    .await;
    let mut row = Provider::new("test", protocol, server.url());
    row.auth = Auth::None;
    let client = Client::builder().env(|_| None).provider(row).retry(RetryPolicy::never()).build().unwrap();
    (client, requests)
}

fn call(received: &Received) -> Call {
    let path = received.head.split(' ').nth(1).unwrap().to_owned();
    let mut call = Call::post(path, Bytes::from(received.body.clone()));
    for (name, value) in received.head.lines().skip(1).filter_map(|line| line.split_once(": ")) {
        call.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
    }
    call
}

fn events() -> Vec<Event> {
    let tool = ToolCall::new("call_1", "weather", Json::from_text(""));
    let mut usage = Usage::default();
    usage.input = Some(12);
    usage.output = Some(9);
    vec![
        Event::start(Start::new(Some("answer_1".into()), Some("m".into()))),
        Event::open(0, Output::Text(Text::default())),
        Event::delta(0, Delta::text("Looking at ")),
        Event::delta(0, Delta::text("Málaga.")),
        Event::close(0),
        Event::open(1, Output::ToolCall(tool)),
        Event::delta(1, Delta::input("{\"city\":")),
        Event::delta(1, Delta::input("\"Málaga\"}")),
        Event::close(1),
        Event::usage(usage),
        Event::finish(Finish::new(FinishReason::ToolUse)),
    ]
}

/// What a server half makes of events, each piece in a chunk of its own, and then perhaps of an error.
pub(crate) fn said(
    codec: &dyn Serve,
    request: &Request,
    mode: Mode,
    events: &[Event],
    failure: Option<&Error>,
) -> Vec<Step> {
    let mut encoder = codec.encoder(request, mode, Mint::new(1_790_000_000, "x1"));
    let kind = encoder.content_type();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
    let mut bytes = head.into_bytes();
    for event in events {
        encoder.push(event).unwrap();
        let piece = encoder.take();
        if !piece.is_empty() {
            bytes.extend(chunk(&piece));
        }
    }
    if let Some(failure) = failure {
        encoder.fail(failure);
        bytes.extend(chunk(&encoder.take()));
    }
    bytes.extend(last_chunk());
    vec![Step::Write(bytes)]
}

fn ask() -> Request {
    let schema = Json::from_text(r#"{"type":"object","properties":{"city":{"type":"string"}}}"#);
    let request = Request::new("test/m").system("Be brief.").user("How is Málaga?").max_output(64);
    request.tool(FunctionTool::new("weather", "The weather now.", schema))
}

fn check(response: &Response) {
    assert_eq!(response.text(), "Looking at Málaga.");
    let calls: Vec<_> = response.tool_calls().map(|call| (&*call.name, call.input.as_str())).collect();
    assert_eq!(calls, [("weather", "{\"city\":\"Málaga\"}")]);
    assert_eq!((response.usage.input, response.usage.output), (Some(12), Some(9)));
    assert_eq!(response.finish.as_ref().map(|finish| finish.reason), Some(FinishReason::ToolUse));
}

#[tokio::test]
async fn every_protocol_asks_and_answers_in_both_modes() {
    for protocol in Protocol::ALL {
        let answer =
            |codec: &dyn Serve, request: &Request, mode: Mode| said(codec, request, mode, &events(), None);
        let (client, requests) = start(protocol, Box::new(answer)).await;
        check(&client.stream(&ask()).await.unwrap().into_response().await.unwrap());
        check(&client.send(&ask()).await.unwrap());
        for request in requests.lock().unwrap().iter() {
            assert_eq!(request.messages, ask().messages, "{protocol}");
            assert_eq!((request.tools.len(), request.max_output), (1, Some(64)), "{protocol}");
        }
    }
}

#[tokio::test]
async fn every_protocol_refuses_in_its_own_words() {
    for protocol in Protocol::ALL {
        let answer = |codec: &dyn Serve, _: &Request, _: Mode| {
            let reply = codec.encode_error(&Error::new(ErrorKind::RateLimited, "too many requests for now"));
            let head =
                format!("HTTP/1.1 {} No\r\ncontent-length: {}\r\n\r\n", reply.status, reply.body.len());
            vec![Step::Write([head.as_bytes(), &reply.body[..]].concat())]
        };
        let (client, _) = start(protocol, Box::new(answer)).await;
        let error = client.stream(&ask()).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::RateLimited, Some(429)), "{protocol}");
        assert_eq!(error.message(), "too many requests for now", "{protocol}");
    }
}

#[tokio::test]
async fn every_protocol_can_fail_in_the_middle() {
    for protocol in Protocol::ALL {
        let answer = |codec: &dyn Serve, request: &Request, mode: Mode| {
            let failure = Error::new(ErrorKind::Overloaded, "no room for now");
            said(codec, request, mode, &events()[..3], Some(&failure))
        };
        let (client, _) = start(protocol, Box::new(answer)).await;
        let error = client.stream(&ask()).await.unwrap().into_response().await.unwrap_err();
        assert!(error.message().contains("no room for now"), "{protocol}: {error:?}");
        assert_eq!(error.partial().map(Response::text).as_deref(), Some("Looking at "), "{protocol}");
    }
}

//! Layers as such: their order, what they may do, and what an answer keeps when it is watched.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use interlingua::layer::{
    Ask, Budget, CircuitBreaker, Concurrency, End, Hedge, KeyPool, Layer, Next, Notice, RateLimit, Teller,
    Watch,
};
use interlingua::{BoxFuture, Delta, Error, ErrorKind, Event, Events, Options, Origin, Request};

use super::stand::{Act, Stand, word};
use crate::script::{Said, Script};
use crate::server::hello;

type Seen = Arc<Mutex<Vec<String>>>;

/// Writes down what it sees, and says so.
#[derive(Debug)]
struct Scribe(&'static str, Seen);

struct Pen(&'static str, Seen, Teller);

impl Layer for Scribe {
    fn call<'a>(&'a self, ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>> {
        Box::pin(async move {
            self.1.lock().unwrap().push(format!("{} asks {}", self.0, ask.request.model));
            let events = next.call(ask).await?;
            Ok(events.watch(Pen(self.0, Arc::clone(&self.1), next.teller())))
        })
    }
}

impl Watch for Pen {
    fn event(&mut self, event: &Event) {
        if let Event::Delta { delta: Delta::Text(text), .. } = event {
            self.1.lock().unwrap().push(format!("{} sees {}", self.0, &**text));
        }
    }

    fn end(&mut self, end: &End<'_>) {
        let error = end.error().map(Error::kind);
        let text = end.response().text();
        self.1.lock().unwrap().push(format!("{} ends {text:?} {error:?} {:?}", self.0, end.usage().output));
        self.2.tell(Notice::Other { layer: self.0.into(), what: "the end".into() });
    }
}

impl Drop for Pen {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(format!("{} goes", self.0));
    }
}

fn scribes(stand: &Arc<Stand>) -> (interlingua::Client, Seen) {
    let seen = Seen::default();
    let client = stand
        .builder()
        .layer(Scribe("outer", Arc::clone(&seen)))
        .layer(Arc::new(Scribe("inner", Arc::clone(&seen))))
        .build()
        .unwrap();
    (client, seen)
}

#[tokio::test(start_paused = true)]
async fn the_first_layer_is_the_outermost_and_answers_pass_back() {
    let stand = Stand::new(|_, _| word("hello", 1, 1));
    let (client, seen) = scribes(&stand);
    let mut events = client.stream(&Request::new("a/m").user("hi")).await.unwrap();
    while let Some(event) = events.next().await {
        event.unwrap();
    }
    let said = seen.lock().unwrap().join(", ");
    assert_eq!(
        said,
        "outer asks a/m, inner asks a/m, inner sees hello, outer sees hello, inner ends \"hello\" None Some(5), \
         inner goes, outer ends \"hello\" None Some(5), outer goes"
    );
    let lines: Vec<_> = events.meta().notices.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["inner: the end", "outer: the end"], "what is told at the end is there at the end");
    assert_eq!(events.into_response().await.unwrap().text(), "hello");
}

#[tokio::test(start_paused = true)]
async fn a_watch_sees_errors_and_goes_with_a_dropped_answer() {
    let stand = Stand::new(|_, _| vec![Act::Say("hel"), Act::Break(ErrorKind::Server)]);
    let (client, seen) = scribes(&stand);
    client.send(&Request::new("a/m").user("hi")).await.unwrap_err();
    assert!(seen.lock().unwrap().contains(&"outer ends \"hel\" Some(Server) None".to_owned()));

    seen.lock().unwrap().clear();
    let mut events = client.stream(&Request::new("a/m").user("hi")).await.unwrap();
    assert!(matches!(events.next().await, Some(Ok(Event::Start(_)))));
    assert_eq!(stand.live(), 1);
    drop(events);
    assert_eq!(stand.live(), 0, "dropped is cancelled");
    assert_eq!(seen.lock().unwrap()[2..], ["inner goes", "outer goes"], "no end was seen");
}

/// Answers by itself, and writes all in capitals.
#[derive(Debug)]
struct Loud;

impl Layer for Loud {
    fn call<'a>(&'a self, ask: Ask<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Events, Error>> {
        Box::pin(async move {
            let mut events = next.call(ask).await?;
            events.begin().await?;
            let origin = Origin::new("", "loud", "m");
            let meta = events.meta().clone();
            let louder = events.map(|event| match event {
                Ok(Event::Delta { at, delta: Delta::Text(text) }) => {
                    Ok(Event::delta(at, Delta::text(text.to_uppercase())))
                }
                event => event,
            });
            Ok(Events::from_stream(origin, meta, Box::pin(louder)))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_may_change_what_comes() {
    let script = Script::answers([Said::ok(hello()).header("x-request-id", "r1")]);
    let client = script.builder().layer(Loud).build().unwrap();
    let request = Request::new("test/m").user("hi").temperature(0.1);
    let options = Options::default().raw(true);
    let mut events = client.stream_with(&request, &options).await.unwrap();
    let mut frames = 0;
    while let Some(event) = events.next().await {
        frames += usize::from(matches!(event.unwrap(), Event::Raw(_)));
    }
    let answer = events.into_answer().await.unwrap();
    assert_eq!((answer.response.text().as_str(), frames), ("HELLO, WÖRLD", 5), "frames pass");
    assert_eq!(answer.meta.request_id.as_deref(), Some("r1"));
    assert_eq!(answer.response.message.origin.unwrap().provider, "loud");
}

#[tokio::test(start_paused = true)]
async fn begin_takes_nothing_and_fails_early() {
    let stand = Stand::new(|number, _| match number {
        0 => word("hello", 1, 5000),
        _ => vec![Act::Use(1, 1), Act::Wait(Duration::from_secs(9)), Act::Break(ErrorKind::Server)],
    });
    let client = stand.builder().build().unwrap();
    let begun = tokio::time::Instant::now();
    let mut events = client.stream(&Request::new("a/m").user("hi")).await.unwrap();
    events.begin().await.unwrap();
    events.begin().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert!(matches!(events.next().await, Some(Ok(Event::Start(_)))));
    assert_eq!(events.into_response().await.unwrap().text(), "hello");
    let mut events = client.stream(&Request::new("a/m").user("hi")).await.unwrap();
    assert_eq!(events.begin().await.unwrap_err().kind(), ErrorKind::Server);
    let cut = stream::iter([Ok(Event::start(interlingua::Start::default()))]);
    let cut = Events::from_stream(Origin::new("", "x", "y"), interlingua::Meta::default(), cut.boxed());
    let error = cut.into_response().await.unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Truncated, Some("x")));
}

#[tokio::test(start_paused = true)]
async fn times_without_end_are_no_trouble() {
    let ages = Duration::MAX;
    let said = |status| {
        Said::status(status, crate::server::whole_hello())
            .header("retry-after", "18446744073709551615")
            .header("x-ratelimit-remaining-requests", "5")
            .header("x-ratelimit-reset-requests", "18446744073709551615s")
    };
    let script = Script::answers([said(200), said(429), said(200), said(503)]);
    let rate = RateLimit::new().requests(9).window(ages).longest_wait(ages);
    let client = script
        .builder()
        .retry(interlingua::RetryPolicy::never())
        .layer(Hedge::after(ages))
        .layer(Budget::new().calls(9).over(ages))
        .layer(CircuitBreaker::new().failures(1).window(ages).pause(ages))
        .layer(rate.learn(false))
        .layer(RateLimit::new())
        .layer(Concurrency::new(1).longest_wait(ages))
        .layer(KeyPool::new("test", ["sk-1", "sk-2"]).cooldown(ages, ages))
        .build()
        .unwrap();
    let request = Request::new("test/m").user("hi");
    for ok in [true, true, false, false] {
        assert_eq!(client.send(&request).await.is_ok(), ok);
    }
    assert_eq!(script.count(), 4);
}

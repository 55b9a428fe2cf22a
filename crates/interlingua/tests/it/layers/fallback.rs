//! Another model where one fails, and never once it has begun.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use interlingua::layer::{Attempts, Fallback, Notice};
use interlingua::{Error, ErrorKind, Event, Json, Options, Request, RetryPolicy};

use super::stand::{Act, Stand, word};
use crate::script::{Piece, Said, Script};
use crate::server::{hello, text_frame, whole_hello};

fn ask() -> Request {
    Request::new("a/one").user("hi")
}

#[tokio::test(start_paused = true)]
async fn the_first_model_that_begins_answers() {
    let stand = Stand::new(|number, _| match number {
        0 => vec![Act::Refuse(ErrorKind::Overloaded)],
        1 => vec![Act::Use(1, 0), Act::Break(ErrorKind::Server)],
        _ => word("hello", 10, 10),
    });
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let client = stand
        .builder()
        .layer(Fallback::to(["b/two", "c/three", "a/four"]))
        .on_notice(move |notice| teller.lock().unwrap().push(notice.clone()))
        .build()
        .unwrap();
    let mut events = client.stream(&ask()).await.unwrap();
    let Some(Ok(Event::Start(start))) = events.next().await else { panic!("no start") };
    assert_eq!(start.model.as_deref(), Some("three"), "what failed shows in no event");
    let answer = events.into_answer().await.unwrap();
    assert_eq!(answer.response.text(), "hello");
    assert_eq!(answer.response.message.origin.unwrap().provider, "c");
    assert_eq!(stand.models(), ["a/one", "b/two", "c/three"]);
    let moves: Vec<_> = answer
        .meta
        .notices
        .iter()
        .map(|notice| match notice {
            Notice::FellBack { from, to, kind, .. } => (from.as_str(), to.as_str(), *kind),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(moves, [("a/one", "b/two", ErrorKind::Overloaded), ("b/two", "c/three", ErrorKind::Server)]);
    assert_eq!(*told.lock().unwrap(), answer.meta.notices);
}

#[tokio::test(start_paused = true)]
async fn no_model_is_asked_after_the_first_piece() {
    let play = |_: usize, _: &Request| vec![Act::Say("Hel"), Act::Break(ErrorKind::Overloaded)];
    let stand = Stand::new(play);
    let client = stand.builder().layer(Fallback::to(["b/two"])).build().unwrap();
    let error = client.send(&ask()).await.unwrap_err();
    assert_eq!((error.kind(), stand.count()), (ErrorKind::Overloaded, 1));
    assert_eq!(error.partial().unwrap().text(), "Hel");
}

#[tokio::test(start_paused = true)]
async fn the_last_error_tells_every_attempt() {
    let kinds = [ErrorKind::Authentication, ErrorKind::NotFound, ErrorKind::InvalidRequest];
    let stand = Stand::new(move |number, _| vec![Act::Refuse(kinds[number])]);
    let client = stand.builder().layer(Fallback::to(["b/two", "c/three", "c/four"])).build().unwrap();
    let error = client.send(&ask()).await.unwrap_err();
    assert_eq!(stand.count(), 3, "a bad request is bad for all");
    let attempts = Attempts::of(&error).unwrap();
    let seen: Vec<_> =
        attempts.iter().map(|attempt| (attempt.model.as_str(), attempt.error.kind())).collect();
    assert_eq!(seen, [("a/one", kinds[0]), ("b/two", kinds[1]), ("c/three", kinds[2])]);
    assert_eq!(error.to_string(), "no model answered: a/one: as told; b/two: as told; c/three: as told");
    assert_eq!((error.kind(), error.retry().is_allowed()), (ErrorKind::InvalidRequest, false));
}

#[tokio::test(start_paused = true)]
async fn which_errors_move_on_can_be_said() {
    let cases = [
        (ErrorKind::InvalidRequest, Fallback::to(["b/two"]), 1),
        (ErrorKind::InvalidRequest, Fallback::to(["b/two"]).on([ErrorKind::InvalidRequest]), 2),
        (ErrorKind::Overloaded, Fallback::to(["b/two"]).not_on([ErrorKind::Overloaded]), 1),
        (ErrorKind::Overloaded, Fallback::to(["b/two"]).of("a/one", Vec::<String>::new()), 1),
        (ErrorKind::Overloaded, Fallback::to(["b/two"]).of("a/one", ["c/x", "c/y"]), 3),
        (ErrorKind::Overloaded, Fallback::to(["a/one", "b/two"]), 2),
    ];
    for (kind, fallback, asked) in cases {
        let stand = Stand::new(move |_, _| vec![Act::Refuse(kind)]);
        let shown = format!("{fallback:?}");
        let client = stand.builder().layer(fallback).build().unwrap();
        let error = client.send(&ask()).await.unwrap_err();
        assert_eq!((error.kind(), stand.count()), (kind, asked), "{shown}");
        assert_eq!(Attempts::of(&error).is_some(), asked > 1);
    }
}

#[tokio::test(start_paused = true)]
async fn retries_are_made_before_another_model_is_asked() {
    let script = Script::answers([
        Said::status(503, ""),
        Said::status(503, ""),
        Said::ok(text_frame("")).then(Piece::Break),
        Said::ok(hello()),
    ]);
    let retry = RetryPolicy::default().retries(1);
    let client = script.builder().retry(retry).layer(Fallback::to(["test/n"])).build().unwrap();
    let answer =
        client.stream(&Request::new("test/m").user("hi")).await.unwrap().into_answer().await.unwrap();
    assert_eq!((0..4).map(|at| script.body(at)["model"].clone()).collect::<Vec<_>>(), ["m", "m", "n", "n"]);
    assert_eq!((answer.meta.retries.len(), answer.meta.notices.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn another_provider_gets_nothing_that_was_meant_for_the_first() {
    let script = Script::answers([Said::status(401, "{}"), Said::status(401, "{}"), Said::ok(whole_hello())]);
    let row = interlingua::Provider::new("other", interlingua::Protocol::OpenaiChat, "https://other.test/v1");
    let client = script
        .builder()
        .provider(row)
        .key("other", "sk-other")
        .layer(Fallback::to(["test/n", "other/o"]))
        .build()
        .unwrap();
    let options = Options::default()
        .key("sk-of-mine")
        .header("x-own", "1")
        .unwrap()
        .body_field("store", Json::from_text("false"))
        .retry(RetryPolicy::never());
    client.send_with(&Request::new("test/m").user("hi"), &options).await.unwrap();
    for (at, key, own) in
        [(0, "Bearer sk-of-mine", true), (1, "Bearer sk-of-mine", true), (2, "Bearer sk-other", false)]
    {
        script.with_sent(at, |request| {
            assert_eq!(request.headers()["authorization"], key);
            assert_eq!(request.headers().contains_key("x-own"), own);
        });
        assert_eq!(script.body(at).get("store").is_some(), own);
    }
}

#[tokio::test(start_paused = true)]
async fn the_times_are_those_of_the_caller() {
    let stand = Stand::new(|number, _| match number {
        0 => vec![Act::Wait(Duration::from_secs(3)), Act::Refuse(ErrorKind::Timeout)],
        _ => word("hello", 1000, 2000),
    });
    let client = stand.builder().layer(Fallback::to(["b/two"])).build().unwrap();
    let answer = client.send_with(&ask(), &Options::default()).await.unwrap();
    let timings = answer.meta.timings;
    assert_eq!(timings.first_token.map(|time| time.as_secs()), Some(4));
    assert_eq!(timings.total.map(|time| time.as_secs()), Some(6));
}

/// Whatever happens, an answer is whole, or is an error that says what came: one model speaks in it.
#[tokio::test(start_paused = true)]
async fn every_call_is_answered_by_one_model() {
    let turns = [
        vec![Act::Refuse(ErrorKind::Server)],
        vec![Act::Break(ErrorKind::Truncated)],
        vec![],
        vec![Act::Say("x"), Act::Break(ErrorKind::Server)],
        vec![Act::Say("x"), Act::Finish],
        vec![Act::Finish],
    ];
    let speaks = |turn: &[Act]| matches!(turn.first(), Some(Act::Say(_) | Act::Finish));
    for first in &turns {
        for second in &turns {
            for third in &turns {
                let play = [first.clone(), second.clone(), third.clone()];
                let at = play.iter().position(|turn| speaks(turn));
                let stand = Stand::new({
                    let play = play.clone();
                    move |number, _| play[number].clone()
                });
                let client = stand.builder().layer(Fallback::to(["b/two", "c/three"])).build().unwrap();
                let answer: Result<_, Error> = client.send(&ask()).await;
                assert_eq!(stand.count(), at.map_or(3, |at| at + 1), "{play:?}");
                let whole = at.is_some_and(|at| matches!(play[at].last(), Some(Act::Finish)));
                assert_eq!(answer.is_ok(), whole, "{play:?}");
                if let (Some(at), Err(error)) = (at, &answer) {
                    assert_eq!(error.partial().unwrap().text(), "x", "{at}");
                }
            }
        }
    }
}

//! When a call is made again, and how long nothing is waited for. Time is the test's own here.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use interlingua::{Error, ErrorKind, Event, Options, Request, Response, RetryPolicy, Timeouts};

use crate::script::{Piece, Said, Script, Turn};
use crate::server::{hello, last_frames, text_frame};

fn ask() -> Request {
    Request::new("test/m").user("hi")
}

/// How fine the clock of the runtime is.
const TICK: Duration = Duration::from_millis(2);

async fn answer(script: &Arc<Script>) -> Result<Response, Error> {
    script.client().stream(&ask()).await?.into_response().await
}

#[tokio::test(start_paused = true)]
async fn a_busy_provider_is_asked_again_and_it_shows() {
    let script = Script::answers([Said::status(529, ""), Said::status(500, "oops"), Said::ok(hello())]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let client =
        script.builder().on_retry(move |note| teller.lock().unwrap().push(note.clone())).build().unwrap();
    let events = client.stream(&ask()).await.unwrap();
    let notes = events.meta().retries.clone();
    assert_eq!(
        notes.iter().map(|note| (note.attempt, note.status)).collect::<Vec<_>>(),
        [(1, Some(529)), (2, Some(500))]
    );
    assert_eq!(*told.lock().unwrap(), notes);
    for (pause, note) in script.pauses().into_iter().zip(&notes) {
        assert!(pause.abs_diff(note.pause) <= TICK, "{pause:?} is not {:?}", note.pause);
    }
    assert!(notes[0].pause <= Duration::from_millis(501) && notes[1].pause <= Duration::from_millis(1001));
}

#[tokio::test(start_paused = true)]
async fn retries_end() {
    let script = Script::answers((0..3).map(|_| Said::status(503, "")));
    assert_eq!(answer(&script).await.unwrap_err().kind(), ErrorKind::Overloaded);
    assert_eq!(script.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_pass_is_not_tried_again() {
    for status in [400, 401, 402, 403, 404, 413, 422] {
        let script = Script::answers([Said::status(status, "{}")]);
        assert_eq!(answer(&script).await.unwrap_err().status(), Some(status));
        assert_eq!(script.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_fails_is_tried_again() {
    let script = Script::new([Turn::Fail(ErrorKind::Connect), Turn::Answer(Said::ok(hello()))]);
    assert_eq!(answer(&script).await.unwrap().text(), "Hello, wörld");
    let script = Script::new([Turn::Fail(ErrorKind::Tls)]);
    assert_eq!(answer(&script).await.unwrap_err().kind(), ErrorKind::Tls);
}

const BUSY: &str = "data: {\"error\":{\"message\":\"busy\",\"type\":\"server_error\"}}\n\n";
const ROLE: &str = "data: {\"id\":\"c0\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"}}]}\n\n";

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_before_its_first_word_is_asked_for_again_unseen() {
    let beginnings = [
        Said::ok(BUSY),
        Said::ok(format!("{ROLE}{BUSY}")),
        Said::ok(ROLE).then(Piece::Break),
        Said::ok(ROLE),
        Said::ok(""),
    ];
    for beginning in beginnings {
        let script = Script::answers([beginning.clone(), Said::ok(hello())]);
        let mut events = script.client().stream(&ask()).await.unwrap();
        let mut starts = 0;
        while let Some(event) = events.next().await {
            starts += usize::from(matches!(event.unwrap(), Event::Start(_)));
        }
        assert_eq!((starts, events.meta().retries.len()), (1, 1), "{beginning:?}");
        assert_eq!(events.into_response().await.unwrap().text(), "Hello, wörld");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_after_its_first_word_is_not() {
    for end in [Piece::Text(BUSY.into()), Piece::Break, Piece::Text(String::new())] {
        let script = Script::answers([Said::ok(text_frame("Hel")).then(end)]);
        let error = answer(&script).await.unwrap_err();
        assert_eq!(error.partial().map(Response::text).as_deref(), Some("Hel"));
        assert_eq!(script.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_waited_for_so_long_and_no_longer() {
    let timeouts = Timeouts::default()
        .connect(Duration::from_secs(1))
        .first_byte(Duration::from_secs(9))
        .idle(Duration::from_secs(4));
    let options = Options::default().timeouts(timeouts).retry(RetryPolicy::never());
    let stalled = Said::ok(text_frame("Hel")).then(Piece::Wait(Duration::from_secs(3)));
    let stalled = stalled.then(Piece::Text(text_frame("lo"))).then(Piece::Forever);
    let cases = [
        (Turn::Never, 10, None),
        (Turn::Answer(Said { status: 200, headers: Vec::new(), pieces: vec![Piece::Forever] }), 9, Some("")),
        (Turn::Answer(stalled), 7, Some("Hello")),
    ];
    for (turn, seconds, text) in cases {
        let script = Script::new([turn]);
        let begun = tokio::time::Instant::now();
        let asked = script.client().stream_with(&ask(), &options).await;
        let error = match asked {
            Ok(events) => events.into_response().await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(begun.elapsed().as_secs(), seconds, "{error}");
        assert_eq!(error.partial().map(Response::text).as_deref(), text);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_keeps_coming_may_take_all_day() {
    let mut said = Said::ok(text_frame("x"));
    for _ in 0..300 {
        said = said.then(Piece::Wait(Duration::from_secs(290))).then(Piece::Text(text_frame("x")));
    }
    let script = Script::answers([said.then(Piece::Text(last_frames().into()))]);
    let events = script.client().stream(&ask()).await.unwrap();
    let answer = events.into_answer().await.unwrap();
    assert_eq!(answer.response.text().len(), 301);
    assert_eq!(answer.meta.timings.total, Some(Duration::from_secs(300 * 290)));
    assert_eq!(answer.meta.timings.first_token, Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn the_provider_s_wait_is_kept_in_every_spelling() {
    let refused = |headers: &[(&str, &str)], body: &str| {
        headers.iter().fold(Said::status(429, body), |said, (name, value)| said.header(name, value))
    };
    let google = r#"{"error":{"code":429,"message":"slow","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"21s"}]}}"#;
    let cases = [
        (refused(&[("retry-after", "20")], "{}"), 20_000),
        (refused(&[("retry-after-ms", "20500")], "{}"), 20_500),
        (refused(&[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], "{}"), 0),
        (refused(&[], google), 21_000),
    ];
    for (said, wait) in cases {
        let script = Script::answers([said.clone(), Said::ok(hello())]);
        answer(&script).await.unwrap_or_else(|error| panic!("{said:?}: {error:?}"));
        let (pause, wait) = (script.pauses()[0], Duration::from_millis(wait));
        assert!(pause >= wait && pause <= wait.max(Duration::from_millis(500)) + TICK, "{said:?}: {pause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_and_a_quota_are_the_caller_s_to_know() {
    let quota = r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    let cases = [
        (Said::status(429, "{}").header("retry-after", "3600"), ErrorKind::RateLimited),
        (Said::status(429, quota), ErrorKind::QuotaExceeded),
        (Said::status(503, "{}").header("x-should-retry", "false"), ErrorKind::Overloaded),
    ];
    for (said, kind) in cases {
        let script = Script::answers([said]);
        assert_eq!(answer(&script).await.unwrap_err().kind(), kind);
        assert_eq!(script.count(), 1);
    }
}

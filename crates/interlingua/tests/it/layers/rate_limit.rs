//! Never more than the limit in any stretch of time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use interlingua::layer::{Fallback, Notice, RateLimit, Refusal, Scope};
use interlingua::{ErrorKind, Options, Request, RetryPolicy};
use tokio::time::{Instant, advance, sleep};

use super::stand::{Act, Random, Stand, word};
use crate::script::{Said, Script};
use crate::server::whole_hello;

const MINUTE: Duration = Duration::from_secs(60);

fn ask() -> Request {
    Request::new("a/m").user("hi").max_output(5)
}

/// The most that stands in any minute, of things that have a time and a size.
fn most(sent: &[(Duration, u64)]) -> u64 {
    let within = |from: Duration| {
        let minute = sent.iter().filter(move |(at, _)| *at >= from && *at < from + MINUTE);
        minute.map(|(_, size)| size).sum()
    };
    sent.iter().map(|(at, _)| within(*at)).max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn no_minute_holds_more_requests_than_are_allowed() {
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let limit = random.below(8) as u64 + 1;
        let stand = Stand::new(|_, _| word("x", 5, 5));
        let rate = RateLimit::new().requests(limit).longest_wait(MINUTE * 60);
        let client = stand.builder().layer(rate).build().unwrap();
        let begun = Instant::now();
        let request = ask();
        let calls: Vec<_> = (0..60).map(|_| (random.below(200) as u64, random.below(10) == 0)).collect();
        let given_up = calls.iter().filter(|(_, given_up)| *given_up).count();
        join_all(calls.into_iter().map(async |(after, given_up)| {
            sleep(Duration::from_millis(after * 700)).await;
            let call = client.send(&request);
            if given_up {
                let _ = tokio::time::timeout(Duration::from_secs(20), call).await;
            } else {
                call.await.unwrap();
            }
        }))
        .await;
        let sent: Vec<_> = stand.times(begun).into_iter().map(|at| (at, 1)).collect();
        assert!(most(&sent) <= limit, "{} of {limit} with seed {seed}", most(&sent));
        assert!(sent.len() >= 60 - given_up, "all that were not given up are answered");
        let least = MINUTE * u32::try_from((sent.len() as u64 - 1) / limit).unwrap();
        assert!(sent.last().unwrap().0 <= least + Duration::from_secs(200), "nobody waits for nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn no_minute_holds_more_tokens_than_are_allowed() {
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let sizes: Vec<u32> = (0..40).map(|_| u32::try_from(random.below(90)).unwrap() + 11).collect();
        // Every other answer is half as long as it might be.
        let used = |number: usize, size: u64| if number.is_multiple_of(2) { size } else { size / 2 };
        let stand = Stand::new(move |number, request| {
            let size = request.estimate_tokens() + u64::from(request.max_output.unwrap());
            vec![Act::Say("x"), Act::Use(used(number, size) - 1, 1), Act::Finish]
        });
        let rate = RateLimit::new().tokens(200).longest_wait(MINUTE * 60);
        let client = stand.builder().layer(rate).build().unwrap();
        let begun = Instant::now();
        let requests: Vec<_> = sizes.iter().map(|size| ask().max_output(*size)).collect();
        join_all(requests.iter().map(|request| client.send(request))).await;
        let sizes = requests.iter().zip(&sizes).enumerate();
        let sizes = sizes.map(|(at, (request, size))| used(at, request.estimate_tokens() + u64::from(*size)));
        let sent: Vec<_> = stand.times(begun).into_iter().zip(sizes).collect();
        assert_eq!(sent.len(), 40);
        assert!(most(&sent) <= 200, "{} with seed {seed}", most(&sent));
        assert!(sent.last().unwrap().0 < MINUTE * 20, "and no minute is wasted: {:?}", sent.last());
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_used_is_put_right() {
    let stand = Stand::new(|_, _| vec![Act::Say("x"), Act::Use(30, 20), Act::Finish]);
    let rate = RateLimit::new().tokens(1_000);
    let client = stand.builder().layer(rate).build().unwrap();
    let begun = Instant::now();
    for _ in 0..21 {
        client.send(&ask().max_output(900)).await.unwrap();
    }
    let times = stand.times(begun);
    let at_once = times.iter().filter(|at| at.is_zero()).count();
    assert_eq!(at_once, 2, "two of fifty tokens, and then an estimate of more than 900 has no room");
    assert!(times[2] >= MINUTE);
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_used_no_tokens() {
    let stand = Stand::new(|number, _| match number {
        0..5 => vec![Act::Refuse(ErrorKind::InvalidRequest)],
        _ => word("x", 0, 0),
    });
    let client = stand.builder().layer(RateLimit::new().tokens(100)).build().unwrap();
    let begun = Instant::now();
    for _ in 0..6 {
        let _ = client.send(&ask().max_output(90)).await;
    }
    assert_eq!((stand.count(), begun.elapsed()), (6, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn waits_are_told_and_too_long_ones_refused_at_once() {
    let stand = Stand::new(|_, _| word("x", 0, 0));
    let rate = RateLimit::new().requests(2).longest_wait(Duration::from_secs(50));
    let client = stand.builder().layer(rate).build().unwrap();
    let request = ask();
    client.send(&request).await.unwrap();
    advance(Duration::from_secs(20)).await;
    client.send(&request).await.unwrap();
    let options = Options::default();
    let (waits, refused) =
        tokio::join!(client.send_with(&request, &options), client.send_with(&request, &options));
    let waited = Notice::LimitWaited { scope: "a".into(), time: Duration::from_secs(40) };
    assert_eq!(waits.unwrap().meta.notices, [waited]);
    let error = refused.unwrap_err();
    let wait = Duration::from_secs(60);
    assert_eq!(Refusal::of(&error), Some(&Refusal::RateLimit { scope: "a".into(), wait }));
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::RateLimited, "the rate limit of a is used up for 60 s")
    );
}

#[tokio::test(start_paused = true)]
async fn a_fallback_moves_on_from_a_limit() {
    let stand = Stand::new(|_, _| word("x", 0, 0));
    let rate = RateLimit::new().requests(1).per(Scope::Model).longest_wait(Duration::ZERO);
    let client = stand.builder().layer(Fallback::to(["a/n", "b/m"])).layer(rate).build().unwrap();
    for _ in 0..3 {
        client.send(&ask()).await.unwrap();
    }
    client.send(&ask()).await.unwrap_err();
    assert_eq!(stand.models(), ["a/m", "a/n", "b/m"]);
}

fn limited(script: &Arc<Script>, rate: RateLimit) -> interlingua::Client {
    script.builder().retry(RetryPolicy::never()).layer(rate).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_learns_from_what_providers_tell() {
    let ok = |left: &str, reset: &str| {
        Said::ok(whole_hello())
            .header("x-ratelimit-remaining-requests", left)
            .header("x-ratelimit-reset-requests", reset)
    };
    let script =
        Script::answers([ok("2", "30s"), ok("1", "30s"), ok("0", "30s"), ok("9", "1s"), ok("9", "1s")]);
    let client = limited(&script, RateLimit::new());
    let request = Request::new("test/m").user("hi");
    for _ in 0..5 {
        client.send(&request).await.unwrap();
    }
    let pauses: Vec<_> = script.pauses().iter().map(Duration::as_secs).collect();
    assert_eq!(pauses, [0, 0, 30, 0]);

    let script = Script::answers([ok("2", "30s")].into_iter().chain((0..3).map(|_| Said::ok(whole_hello()))));
    let client = limited(&script, RateLimit::new());
    client.send(&request).await.unwrap();
    join_all([client.stream(&request), client.stream(&request), client.stream(&request)]).await;
    let pauses: Vec<_> = script.pauses().iter().map(Duration::as_secs).collect();
    assert_eq!(pauses, [0, 0, 30], "the third of three at once is one too many");

    let tokens = |left: &str| {
        Said::ok(whole_hello())
            .header("anthropic-ratelimit-input-tokens-remaining", left)
            .header("anthropic-ratelimit-input-tokens-reset", "20")
    };
    let script = Script::answers([tokens("1000"), tokens("200"), tokens("1000")]);
    let client = limited(&script, RateLimit::new());
    for _ in 0..3 {
        client.send(&request).await.unwrap();
    }
    let pauses: Vec<_> = script.pauses().iter().map(Duration::as_secs).collect();
    assert_eq!(pauses, [0, 20], "500 tokens of answer are expected, and 200 are left");

    let script = Script::answers([ok("0", "30s"), ok("0", "30s")]);
    let client = limited(&script, RateLimit::new().learn(false));
    client.send(&request).await.unwrap();
    client.send(&request).await.unwrap();
    assert_eq!(script.pauses(), [Duration::ZERO]);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_met_is_kept_to() {
    let script = Script::answers([
        Said::status(429, "{}").header("retry-after", "25"),
        Said::ok(whole_hello()),
        Said::status(429, "{}").header("retry-after", "3600"),
    ]);
    let client = limited(&script, RateLimit::new());
    let request = Request::new("test/m").user("hi");
    client.send(&request).await.unwrap_err();
    client.send(&request).await.unwrap();
    assert_eq!(script.pauses(), [Duration::from_secs(25)]);
    client.send(&request).await.unwrap_err();
    let error = client.send(&request).await.unwrap_err();
    assert!(matches!(Refusal::of(&error), Some(Refusal::RateLimit { .. })), "{error}");
    assert_eq!(script.count(), 3);
}

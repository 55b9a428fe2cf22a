//! What fails is left alone, and tried again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use interlingua::layer::{CircuitBreaker, Fallback, Notice, Refusal, Scope};
use interlingua::{Client, ErrorKind, Options, Request};
use tokio::time::advance;

use super::stand::{Act, Random, Stand, word};

fn ask() -> Request {
    Request::new("a/m").user("hi")
}

/// A model that fails while the switch is off.
fn switched() -> (Arc<Stand>, Arc<AtomicBool>) {
    let works = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&works);
    let stand = Stand::new(move |_, _| {
        if switch.load(Ordering::SeqCst) { word("x", 1, 1) } else { vec![Act::Refuse(ErrorKind::Overloaded)] }
    });
    (stand, works)
}

async fn fail(client: &Client, times: usize) {
    for _ in 0..times {
        client.send(&ask()).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn it_opens_tries_and_closes() {
    let (stand, works) = switched();
    let client = stand.builder().layer(CircuitBreaker::new().failures(3)).build().unwrap();
    fail(&client, 2).await;
    assert!(Refusal::of(&client.send(&ask()).await.unwrap_err()).is_none());
    advance(Duration::from_secs(10)).await;
    let error = client.send(&ask()).await.unwrap_err();
    assert_eq!(
        Refusal::of(&error),
        Some(&Refusal::BreakerOpen { scope: "a/m".into(), wait: Duration::from_secs(20) })
    );
    assert_eq!(error.to_string(), "a/m failed too often and is not asked for 20 s");
    assert_eq!(stand.count(), 3, "nothing is sent");
    client.send(&Request::new("a/other").user("hi")).await.unwrap_err();
    assert_eq!(stand.count(), 4, "other models are none of its business");

    advance(Duration::from_secs(20)).await;
    fail(&client, 2).await;
    assert_eq!(stand.count(), 5, "one call tries, fails, and it is open again");

    advance(Duration::from_secs(30)).await;
    works.store(true, Ordering::SeqCst);
    let answer = client.send_with(&ask(), &Options::default()).await.unwrap();
    let scope = || "a/m".to_owned();
    assert_eq!(
        answer.meta.notices,
        [Notice::BreakerHalfOpened { scope: scope() }, Notice::BreakerClosed { scope: scope() }]
    );
    works.store(false, Ordering::SeqCst);
    fail(&client, 2).await;
    assert_eq!(stand.count(), 8, "it counts from nothing again");
}

#[tokio::test(start_paused = true)]
async fn one_call_tries_and_the_others_are_refused_until_it_has_begun() {
    let (stand, works) = switched();
    let client = stand.builder().layer(CircuitBreaker::new().failures(1)).build().unwrap();
    fail(&client, 1).await;
    advance(Duration::from_secs(30)).await;
    works.store(true, Ordering::SeqCst);
    let requests = [ask(), ask(), ask()];
    let answers = join_all(requests.iter().map(|request| client.send(request))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(stand.count(), 2);

    works.store(false, Ordering::SeqCst);
    fail(&client, 1).await;
    advance(Duration::from_secs(30)).await;
    works.store(true, Ordering::SeqCst);
    let trial = client.stream(&ask()).await.unwrap();
    client.send(&ask()).await.unwrap_err();
    drop(trial);
    client.send(&ask()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_no_failure_of_the_service_does_not_count() {
    let neutral =
        [ErrorKind::InvalidRequest, ErrorKind::Authentication, ErrorKind::RateLimited, ErrorKind::Filtered];
    let stand = Stand::new(move |number, _| vec![Act::Refuse(neutral[number % neutral.len()])]);
    let client = stand.builder().layer(CircuitBreaker::new().failures(1)).build().unwrap();
    fail(&client, 8).await;
    assert_eq!(stand.count(), 8);
    let strict = CircuitBreaker::new().failures(1).on([ErrorKind::InvalidRequest]);
    let client = stand.builder().layer(strict).build().unwrap();
    fail(&client, 8).await;
    assert_eq!(stand.count(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_failure_within_an_answer_counts_and_one_that_is_given_up_does_not() {
    let stand = Stand::new(|_, _| vec![Act::Say("x"), Act::Break(ErrorKind::Truncated)]);
    let client = stand.builder().layer(CircuitBreaker::new().failures(2)).build().unwrap();
    for _ in 0..5 {
        drop(client.stream(&ask()).await.unwrap());
    }
    fail(&client, 3).await;
    assert_eq!(stand.count(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_rate_of_failures_opens_it_as_well() {
    let stand = Stand::new(|number, _| match number % 2 {
        0 => word("x", 0, 0),
        _ => vec![Act::Refuse(ErrorKind::Server)],
    });
    let breaker = CircuitBreaker::new().rate(0.5, 10).window(Duration::from_secs(60));
    let client = stand.builder().layer(breaker.clone()).build().unwrap();
    for _ in 0..8 {
        let _ = client.send(&ask()).await;
    }
    advance(Duration::from_secs(61)).await;
    for _ in 0..20 {
        let _ = client.send(&ask()).await;
    }
    // What is older than a minute is forgotten: eight calls, then ten more, of which half have failed.
    assert_eq!(stand.count(), 8 + 10);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_moves_on_at_once() {
    let stand = Stand::new(|_, request| match request.model.as_str() {
        "bad" => vec![Act::Wait(Duration::from_secs(9)), Act::Refuse(ErrorKind::Timeout)],
        _ => word("x", 1, 1),
    });
    let breaker = CircuitBreaker::new().failures(2).per(Scope::Provider);
    let client = stand.builder().layer(Fallback::to(["b/good"])).layer(breaker).build().unwrap();
    let mut times = Vec::new();
    for _ in 0..4 {
        let begun = tokio::time::Instant::now();
        client.send(&Request::new("a/bad").user("hi")).await.unwrap();
        times.push(begun.elapsed().as_secs());
    }
    assert_eq!(times, [9, 9, 0, 0]);
}

/// Whatever comes, it is never open for ever, and lets at most one call try at a time.
#[tokio::test(start_paused = true)]
async fn it_always_comes_back() {
    for seed in 0..20 {
        let (stand, works) = switched();
        let client = stand.builder().layer(CircuitBreaker::new().failures(2)).build().unwrap();
        let mut random = Random::new(seed);
        for _ in 0..100 {
            works.store(random.below(2) == 0, Ordering::SeqCst);
            match random.below(3) {
                0 => drop(client.stream(&ask()).await),
                1 => drop(client.send(&ask()).await),
                _ => {
                    let requests = [ask(), ask()];
                    let calls = requests.iter().map(|request| client.send(request));
                    let _ = tokio::time::timeout(Duration::from_millis(1), join_all(calls)).await;
                }
            }
            advance(Duration::from_secs(random.below(12) as u64)).await;
        }
        works.store(true, Ordering::SeqCst);
        advance(Duration::from_secs(30)).await;
        client.send(&ask()).await.unwrap();
        client.send(&ask()).await.unwrap();
    }
}

//! Never more at once than are allowed.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use interlingua::layer::{Concurrency, Notice, Refusal, Scope};
use interlingua::{ErrorKind, Options, Request};
use tokio::time::Instant;

use super::stand::{Act, Random, Stand, word};

fn ask(model: &str) -> Request {
    Request::new(model).user("hi")
}

#[tokio::test(start_paused = true)]
async fn never_more_than_so_many_are_under_way_and_all_are_answered() {
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let most = random.below(6) + 1;
        let (times, before) =
            ((0..40).map(|_| random.below(900)).collect::<Vec<_>>(), random.below(50) as u64);
        let stand = Stand::new(move |number, _| match number % 5 {
            2 => vec![Act::Wait(Duration::from_millis(10)), Act::Refuse(ErrorKind::Server)],
            1 => vec![Act::Say("x"), Act::Break(ErrorKind::Server)],
            _ => word("x", before, times[number % 40] as u64),
        });
        let client = stand.builder().layer(Concurrency::new(most)).build().unwrap();
        let calls = (0..40).map(|number| {
            let client = client.clone();
            async move {
                // Some lose their patience, while they wait or within the answer.
                let request = ask("a/m");
                let call = client.send(&request);
                if number % 7 == 3 {
                    let _ = tokio::time::timeout(Duration::from_millis(300), call).await;
                } else {
                    let _ = call.await;
                }
            }
        });
        join_all(calls).await;
        let seen = stand.most.load(Ordering::SeqCst);
        assert!(seen <= most, "{seen} of {most} with seed {seed}");
        assert!(stand.count() >= 34 && stand.live() == 0, "{} with seed {seed}", stand.count());
        assert!(client.stream(&ask("a/m")).await.is_ok_and(|events| events.meta().notices.is_empty()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_is_held_until_the_answer_ends_or_is_dropped() {
    let stand = Stand::new(|_, _| word("x", 0, 0));
    let gate = Concurrency::new(1).longest_wait(Duration::from_secs(5));
    let client = stand.builder().layer(gate).build().unwrap();
    let mut first = client.stream(&ask("a/m")).await.unwrap();
    first.next().await.unwrap().unwrap();
    let begun = Instant::now();
    let error = client.stream(&ask("a/m")).await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert_eq!(Refusal::of(&error), Some(&Refusal::Busy { scope: "all".into(), most: 1 }));
    assert_eq!((error.kind(), error.retry().is_allowed()), (ErrorKind::Overloaded, true));
    while first.next().await.is_some() {}
    let second = client.stream(&ask("a/m")).await.unwrap();
    assert!(second.meta().notices.is_empty(), "the ended answer is still held, and its place is free");
    drop(second);
    client.send(&ask("a/m")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_told_and_keep_their_order() {
    let stand = Stand::new(|_, _| word("x", 100, 900));
    let client = stand.builder().layer(Concurrency::new(2)).build().unwrap();
    let options = Options::default();
    let models: Vec<_> = (0..6).map(|number| format!("a/{number}")).collect();
    let requests: Vec<_> = models.iter().map(|model| ask(model)).collect();
    let answers = join_all(requests.iter().map(|request| client.send_with(request, &options))).await;
    assert_eq!(stand.models(), models);
    let waited = |at: usize| answers[at].as_ref().unwrap().meta.notices.clone();
    assert!(waited(0).is_empty() && waited(1).is_empty());
    let queued = |seconds| Notice::Queued { scope: "all".into(), time: Duration::from_secs(seconds) };
    assert_eq!((waited(2), waited(5)), (vec![queued(1)], vec![queued(2)]));
}

#[tokio::test(start_paused = true)]
async fn providers_and_models_may_count_apart() {
    for (scope, models, most) in [
        (Scope::Provider, ["a/x", "b/x", "a/y", "b/y"], 2),
        (Scope::Model, ["a/x", "a/y", "b/x", "b/y"], 4),
        (Scope::All, ["a/x", "a/y", "b/x", "b/y"], 1),
    ] {
        let stand = Stand::new(|_, _| word("x", 10, 10));
        let client = stand.builder().layer(Concurrency::new(1).per(scope)).build().unwrap();
        let requests = models.map(ask);
        join_all(requests.iter().map(|request| client.send(request))).await;
        assert_eq!(stand.most.load(Ordering::SeqCst), most, "{scope:?}");
    }
}

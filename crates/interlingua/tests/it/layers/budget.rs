//! No more is spent than may be.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use interlingua::catalog::{Catalog, Money};
use interlingua::layer::{Budget, Cache, Fallback, Notice, RateLimit, Refusal};
use interlingua::{Client, ErrorKind, Options, Request, RetryPolicy};
use tokio::time::{advance, sleep};

use super::stand::{Act, Random, Stand, word};
use crate::script::{Said, Script};
use crate::server::{hello, text_frame, whole_hello};

const KNOWN: &str =
    "interlingua models 1\ndate 2026-11-28\nsource by hand\n[test]\nm\tchat\t100\t50\ttools\ti2 o10\n";
/// What an answer costs that uses seven tokens of prompt and two of answer, at 2 and 10 dollars a million.
const ONE: u128 = (7 * 2 + 2 * 10) * 1_000_000_000;

fn ask() -> Request {
    Request::new("test/m").user("hi").max_output(5)
}

fn priced(script: &Arc<Script>, budget: &Budget) -> Client {
    let catalog = Catalog::parse(KNOWN).unwrap();
    script.builder().retry(RetryPolicy::never()).catalog(catalog).layer(budget.clone()).build().unwrap()
}

fn money(femtodollars: u128) -> Money {
    Money::from_femtodollars(femtodollars)
}

#[tokio::test(start_paused = true)]
async fn money_is_counted_to_the_femtodollar_and_refused_before_sending() {
    let script = Script::answers((0..3).map(|_| Said::ok(whole_hello())));
    let budget = Budget::new().money(money(2 * ONE + 1));
    let client = priced(&script, &budget);
    let answer = client.send_with(&ask(), &Options::default()).await.unwrap();
    let spent = Notice::BudgetSpent { femtodollars: Some(ONE), tokens: 9, estimated: false };
    assert_eq!(answer.meta.notices, [spent]);
    client.send(&ask()).await.unwrap();
    client.clone().send(&ask()).await.unwrap();
    let error = client.send(&ask()).await.unwrap_err();
    assert_eq!(Refusal::of(&error), Some(&Refusal::BudgetSpent { what: "money", wait: None }));
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::QuotaExceeded, "the budget of money is spent")
    );
    assert_eq!((budget.spent().money(), budget.spent().calls, script.count()), (money(3 * ONE), 3, 3));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_price_is_refused_or_allowed() {
    let script = Script::answers([Said::ok(whole_hello())]);
    let unknown = Request::new("test/unheard-of").user("hi");
    let budget = Budget::new().money(money(1));
    let error = priced(&script, &budget).send(&unknown).await.unwrap_err();
    assert_eq!(Refusal::of(&error), Some(&Refusal::UnknownPrice { model: "test/unheard-of".into() }));
    assert_eq!(script.count(), 0);
    let budget = budget.allow_unknown_prices();
    priced(&script, &budget).send(&unknown).await.unwrap();
    assert_eq!((budget.spent().femtodollars, budget.spent().tokens), (0, 9));
    let stand = Stand::new(|_, _| word("x", 0, 0));
    let free = stand.builder().layer(Budget::new().money(money(1))).build().unwrap();
    for _ in 0..3 {
        free.send(&Request::new("a/m").user("hi")).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_rolling_budget_is_free_again() {
    let stand = Stand::new(|_, _| word("x", 0, 0));
    let hour = Duration::from_secs(3600);
    let budget = Budget::new().calls(2).over(hour);
    let client = stand.builder().layer(budget.clone()).build().unwrap();
    let ask = Request::new("a/m").user("hi");
    client.send(&ask).await.unwrap();
    advance(hour / 2).await;
    client.send(&ask).await.unwrap();
    let error = client.send(&ask).await.unwrap_err();
    let Some(Refusal::BudgetSpent { what: "calls", wait: Some(wait) }) = Refusal::of(&error) else {
        panic!("{error}")
    };
    assert_eq!(wait.as_millis(), 1_803_600, "half an hour, and a thousandth of an hour");
    sleep(*wait).await;
    assert_eq!(budget.spent().calls, 1);
    client.send(&ask).await.unwrap();
    client.send(&ask).await.unwrap_err();
    assert_eq!(stand.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_or_fails_is_estimated_and_what_was_not_sent_is_free() {
    let script = Script::answers([
        Said::status(503, ""),
        Said::ok(text_frame("twelve bytes")),
        Said::ok(hello()),
        Said::ok(whole_hello()),
    ]);
    let budget = Budget::new();
    let client = priced(&script, &budget);
    client.send(&ask()).await.unwrap_err();
    assert_eq!((budget.spent().calls, budget.spent().tokens), (1, 0), "a refused call is a call");
    client.stream(&ask()).await.unwrap().into_response().await.unwrap_err();
    let prompt = ask().estimate_tokens();
    assert_eq!(
        (budget.spent().calls, budget.spent().tokens),
        (2, prompt + 3),
        "cut: the prompt and three tokens"
    );
    let events = client.stream(&ask()).await.unwrap();
    drop(events);
    assert_eq!((budget.spent().calls, budget.spent().tokens), (3, 2 * prompt + 3), "given up: the prompt");
    assert_eq!(budget.spent().femtodollars, u128::from(2 * prompt * 2 + 3 * 10) * 1_000_000_000);

    let limit = RateLimit::new().requests(1).longest_wait(Duration::ZERO);
    let stand = Stand::new(|_, _| word("x", 0, 0));
    let budget = Budget::new();
    let client =
        stand.builder().layer(budget.clone()).layer(Cache::memory(1 << 20)).layer(limit).build().unwrap();
    for _ in 0..3 {
        client.send(&Request::new("a/m").user("hi")).await.unwrap();
    }
    client.send(&Request::new("a/n").user("hi")).await.unwrap_err();
    assert_eq!((budget.spent().calls, budget.spent().tokens), (1, 15), "cached and refused calls are free");
}

#[tokio::test(start_paused = true)]
async fn a_fallback_within_is_charged_as_what_it_is() {
    let stand = Stand::new(
        |number, _| if number == 0 { vec![Act::Refuse(ErrorKind::Server)] } else { word("x", 0, 0) },
    );
    let (whole, each) = (Budget::new(), Budget::new());
    let client = stand
        .builder()
        .layer(whole.clone())
        .layer(Fallback::to(["b/n"]))
        .layer(each.clone())
        .build()
        .unwrap();
    client.send(&Request::new("a/m").user("hi")).await.unwrap();
    assert_eq!((whole.spent().calls, each.spent().calls), (1, 2));
    assert_eq!((whole.spent().tokens, each.spent().tokens), (15, 15));
}

/// Whatever runs at once, no more than one call too much is spent, and never a call too many.
#[tokio::test(start_paused = true)]
async fn a_budget_is_exceeded_by_one_call_at_most() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let (tokens, calls) = (random.below(900) as u64 + 1, random.below(30) as u64 + 1);
        let stand = Stand::new(move |number, request| {
            // No more than was held for it.
            let prompt = request.estimate_tokens();
            let output = u64::from(request.max_output.unwrap());
            let wait = Act::Wait(Duration::from_millis(number as u64 * 37 % 400));
            match number % 9 {
                7 => vec![wait, Act::Refuse(ErrorKind::Server)],
                8 => vec![wait, Act::Say("x"), Act::Break(ErrorKind::Server)],
                _ => vec![wait, Act::Say("x"), Act::Use(prompt, output - number as u64 % 3), Act::Finish],
            }
        });
        let budget = Budget::new().tokens(tokens).calls(calls);
        let client = stand.builder().layer(budget.clone()).build().unwrap();
        let requests: Vec<_> = (0..40).map(|_| u32::try_from(random.below(100)).unwrap() + 5).collect();
        let requests: Vec<_> =
            requests.into_iter().map(|most| Request::new("a/m").user("hi").max_output(most)).collect();
        let asked = requests.iter().enumerate().map(async |(at, request)| {
            sleep(Duration::from_millis(at as u64 % 10 * 100)).await;
            client.send(request).await
        });
        let answers = join_all(asked).await;
        let largest = 105 + requests[0].estimate_tokens();
        let spent = budget.spent();
        assert!(spent.tokens < tokens + largest, "{} of {tokens} with seed {seed}", spent.tokens);
        assert!(spent.calls <= calls, "{} of {calls} with seed {seed}", spent.calls);
        assert_eq!(spent.calls, stand.count() as u64);
        let refused =
            answers.iter().filter(|answer| answer.as_ref().is_err_and(|error| Refusal::of(error).is_some()));
        assert_eq!(refused.count() + stand.count(), 40);
    }
}

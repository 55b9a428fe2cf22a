//! A second call where the first one is slow.

use std::time::Duration;

use interlingua::layer::{Hedge, Notice};
use interlingua::{Client, ErrorKind, Options, Request};
use tokio::time::Instant;

use super::stand::{Act, Stand, word};

fn ask() -> Request {
    Request::new("a/m").user("hi")
}

async fn answered(client: &Client) -> (Result<String, ErrorKind>, Vec<Notice>, u128) {
    let begun = Instant::now();
    let options = Options::default();
    let (text, notices) = match client.send_with(&ask(), &options).await {
        Ok(answer) => (Ok(answer.response.text()), answer.meta.notices),
        Err(error) => (Err(error.kind()), Vec::new()),
    };
    (text, notices, begun.elapsed().as_millis())
}

#[tokio::test(start_paused = true)]
async fn the_first_to_begin_answers_and_the_other_is_cancelled() {
    let ms = Duration::from_millis;
    let late = |word: &'static str, ms| {
        vec![Act::Use(1, 0), Act::Wait(Duration::from_millis(ms)), Act::Say(word), Act::Finish]
    };
    // How long both take, who wins, and when.
    for (first, second, winner, after) in
        [(1_000, 0, "first", 1_000), (5_000, 1_000, "second", 3_000), (5_000, 4_000, "first", 5_000)]
    {
        let stand = Stand::new(move |number, _| match number {
            0 => late("first", first),
            _ => late("second", second),
        });
        let client = stand.builder().layer(Hedge::after(ms(2_000)).model("b/n")).build().unwrap();
        let (text, notices, time) = answered(&client).await;
        assert_eq!((text.as_deref(), time), (Ok(winner), after));
        let hedged = after > 2_000;
        assert_eq!((stand.count(), stand.live()), (1 + usize::from(hedged), 0), "nothing runs on");
        let second = winner == "second";
        let model = |second| if second { "b/n".to_owned() } else { "a/m".to_owned() };
        let sent =
            Notice::HedgeSent { model: "b/n".into(), after: ms(2_000), tokens: 5, femtodollars: Some(0) };
        let won = Notice::HedgeWon { model: model(second), second };
        assert_eq!(notices, if hedged { vec![sent, won] } else { vec![] });
    }
}

#[tokio::test(start_paused = true)]
async fn where_one_fails_the_other_is_waited_for() {
    let refuse = |ms, kind| vec![Act::Wait(Duration::from_millis(ms)), Act::Refuse(kind)];
    let (server, timeout) = (ErrorKind::Server, ErrorKind::Timeout);
    let cases = [
        (refuse(100, server), None, Err(server), 100),
        (refuse(2_000, server), Some(word("second", 3_000, 0)), Ok("second"), 4_000),
        (word("first", 5_000, 0), Some(refuse(500, server)), Ok("first"), 5_000),
        (refuse(4_000, server), Some(refuse(500, timeout)), Err(server), 4_000),
        (refuse(2_000, server), Some(refuse(5_000, timeout)), Err(server), 6_000),
    ];
    for (first, second, text, time) in cases {
        let calls = 1 + usize::from(second.is_some());
        let play = [first, second.unwrap_or_default()];
        let stand = Stand::new(move |number, _| play[number].clone());
        let client = stand.builder().layer(Hedge::after(Duration::from_secs(1))).build().unwrap();
        let (answer, _, took) = answered(&client).await;
        assert_eq!((answer.as_deref(), took, stand.count()), (text.as_ref().copied(), time, calls));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_cancels_both() {
    let stand = Stand::new(|_, _| word("x", 60_000, 0));
    let client = stand.builder().layer(Hedge::after(Duration::from_secs(1))).build().unwrap();
    let gave_up = tokio::time::timeout(Duration::from_secs(2), client.send(&ask())).await;
    assert!(gave_up.is_err());
    assert_eq!((stand.count(), stand.live()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn the_delay_is_learned_from_what_was_seen() {
    let stand = Stand::new(|number, _| match number {
        0..20 => word("x", 10 * (number as u64 + 1), 0),
        20 => word("slow", 60_000, 0),
        _ => word("x", 0, 0),
    });
    let client = stand.builder().layer(Hedge::percentile(0.95, Duration::from_secs(30))).build().unwrap();
    for _ in 0..20 {
        answered(&client).await.0.unwrap();
    }
    assert_eq!(stand.count(), 20);
    let (text, notices, time) = answered(&client).await;
    assert_eq!(text.as_deref(), Ok("x"));
    let Some(Notice::HedgeSent { after, .. }) = notices.first() else { panic!("{notices:?}") };
    assert_eq!((after.as_millis(), time), (190, 190));
}

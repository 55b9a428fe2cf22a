//! Values that are shown while they come.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use interlingua::extract::{ExtractOptions, Failure, Way};
use interlingua::{
    Backend, BoxFuture, BoxStream, Client, Delta, Error, ErrorKind, Event, Finish, FinishReason, ModelInfo,
    Output, Request, Start, Text,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::model::{Model, called, said};
use super::{Stop, TRIP, Trip, ask, trip};

#[tokio::test]
async fn each_value_is_a_beginning_of_the_next() {
    let prose = format!("Here [it] is: {{no}} {TRIP} Bye {{}}");
    for (way, turn) in [
        (Way::Schema, said(TRIP, FinishReason::Stop)),
        (Way::Prompt, said(&prose, FinishReason::Stop)),
        (Way::Tool, called(TRIP).into_iter().map(Ok).collect()),
    ] {
        let model = Model::new([turn]);
        let options = ExtractOptions::default().way(way);
        let mut stream = model.client().stream_extract_with::<Trip>(&ask(), &options).await.unwrap();
        let (mut cities, mut completed) = (Vec::new(), Vec::new());
        while let Some(partial) = stream.next().await {
            let partial = partial.unwrap();
            cities.extend(partial.value.get("city").and_then(Value::as_str).map(str::to_owned));
            completed.extend_from_slice(partial.completed);
            if partial.value.get("stops").is_none() {
                assert!(partial.parse::<Trip>().is_err(), "it has no stops yet");
            }
        }
        assert!(
            cities.is_sorted_by_key(String::len) && cities.last().unwrap() == "Málaga",
            "{way}: {cities:?}"
        );
        let all = [
            "/city",
            "/days",
            "/stops/0/kind",
            "/stops/0/name",
            "/stops/0",
            "/stops/1/kind",
            "/stops/1/km",
            "/stops/1",
            "/stops",
            "/mood",
            "",
        ];
        assert_eq!(completed, all, "{way}");
        let extracted = stream.into_extracted().await.unwrap();
        assert_eq!((extracted.value.clone(), extracted.way, extracted.usage.output), (trip(), way, Some(5)));
    }
}

#[tokio::test]
async fn a_part_can_be_read_where_the_type_has_defaults() {
    #[derive(Debug, Default, PartialEq, serde::Deserialize, interlingua::schemars::JsonSchema)]
    #[serde(default)]
    struct Draft {
        title: String,
        words: Vec<String>,
    }

    let model = Model::saying([r#"{"title":"A day","words":["sun","sea"]}"#]);
    let mut stream = model.client().stream_extract::<Draft>(&ask()).await.unwrap();
    let mut drafts = Vec::new();
    while let Some(partial) = stream.next().await {
        drafts.push(partial.unwrap().parse::<Draft>().unwrap());
    }
    assert_eq!(drafts[0], Draft::default());
    assert!(drafts.contains(&Draft { title: "A day".into(), words: vec![String::new()] }), "{drafts:?}");
    assert_eq!(
        drafts.last(),
        Some(&Draft { title: "A day".into(), words: vec!["sun".into(), "sea".into()] })
    );
}

#[tokio::test]
async fn numbers_and_words_can_be_streamed_too() {
    let schema = json!({"type": "integer"});
    for (way, text) in
        [(Way::Schema, r#"{"value":12345}"#), (Way::Prompt, "12345"), (Way::Prompt, "```\n12345\n```")]
    {
        let model = Model::saying([text]);
        let options = ExtractOptions::default().way(way);
        let stream = model.client().stream_extract_value(&ask(), &schema, &options).await.unwrap();
        assert_eq!(stream.into_extracted().await.unwrap().value, json!(12345), "{text}");
    }
}

#[tokio::test]
async fn what_is_cut_or_does_not_fit_never_passes() {
    let cut = &TRIP[..40];
    let wrong = TRIP.replace("\"days\":3", "\"days\":-3");
    let broken = TRIP.replace(",\"days\"", ";\"days\"");
    for (way, text, failure, message) in [
        (Way::Schema, cut, Failure::Mismatch, "before its value is complete"),
        (Way::Prompt, cut, Failure::Mismatch, "no complete JSON value"),
        (Way::Schema, wrong.as_str(), Failure::Mismatch, "/days: is -3, and must be at least 0"),
        (Way::Schema, broken.as_str(), Failure::Mismatch, "a character that cannot stand there"),
        (Way::Schema, "", Failure::Mismatch, "ends after 0 bytes"),
        (Way::Schema, "Sorry.", Failure::Mismatch, "begins no value"),
    ] {
        let model = Model::saying([text]);
        let options = ExtractOptions::default().way(way);
        let mut stream = model.client().stream_extract_with::<Trip>(&ask(), &options).await.unwrap();
        let error = loop {
            match stream.next().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => break error,
                None => panic!("{text} passed"),
            }
        };
        assert_eq!(error.failure(), failure, "{text}");
        assert!(error.to_string().contains(message), "{error}");
        assert!(stream.next().await.is_none());
        let error = stream.into_extracted().await.unwrap_err();
        assert!(error.to_string().contains("has failed before"), "{error}");
    }
    let mut broken = said(TRIP, FinishReason::Stop);
    broken.truncate(TRIP.chars().count().div_ceil(3) + 2);
    let stream = Model::new([broken]).client().stream_extract::<Trip>(&ask()).await.unwrap();
    let error = stream.into_extracted().await.unwrap_err();
    assert_eq!(
        (error.failure(), error.error().kind()),
        (Failure::Call, ErrorKind::Truncated),
        "all came but the end"
    );
}

/// A model that says what it is handed.
#[derive(Debug)]
struct Handed(Mutex<Option<mpsc::UnboundedReceiver<Event>>>);

impl Backend for Handed {
    fn stream(
        &self,
        _: Request,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<Event, Error>>, Error>> {
        let events = self.0.lock().unwrap().take().unwrap();
        let stream = futures_util::stream::unfold(events, |mut events| async {
            Some((Ok(events.recv().await?), events))
        });
        Box::pin(async move { Ok(Box::pin(stream) as BoxStream<'static, _>) })
    }

    fn models(&self) -> BoxFuture<'static, Result<Vec<ModelInfo>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

#[tokio::test]
async fn elements_come_before_the_list_is_complete() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let client = Client::builder().env(|_| None);
    let client = client.backend("test", Arc::new(Handed(Mutex::new(Some(receiver))))).build().unwrap();
    let options = ExtractOptions::default().way(Way::Schema);
    let mut elements = client.stream_elements_with::<Stop>(&ask(), &options).await.unwrap();
    let say = |text: &str| sender.send(Event::delta(0, Delta::text(text))).unwrap();
    sender.send(Event::start(Start::default())).unwrap();
    sender.send(Event::open(0, Output::Text(Text::default()))).unwrap();
    say(r#"{"value":[{"kind":"walk","km":1},{"kind":"mus"#);
    assert_eq!(elements.next().await.unwrap().unwrap(), Stop::Walk { km: 1.0 });
    say(r#"eum","name":"A"}"#);
    assert_eq!(elements.next().await.unwrap().unwrap(), Stop::Museum { name: "A".into() });
    say("]}");
    sender.send(Event::close(0)).unwrap();
    sender.send(Event::finish(Finish::new(FinishReason::Stop))).unwrap();
    drop(sender);
    assert!(elements.next().await.is_none());
    assert!(elements.next().await.is_none());
}

#[tokio::test]
async fn an_element_that_does_not_fit_ends_the_list() {
    let list = r#"[{"kind":"walk","km":1},{"kind":"walk"},{"kind":"walk","km":3}]"#;
    let elements = Model::saying([list]).client().stream_elements::<Stop>(&ask()).await.unwrap();
    let found: Vec<_> = elements.collect().await;
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].as_ref().unwrap(), &Stop::Walk { km: 1.0 });
    let error = found[1].as_ref().unwrap_err();
    assert_eq!(
        (error.failure(), error.mismatches().last().unwrap().path.as_str()),
        (Failure::Mismatch, "/1")
    );
}

#[tokio::test]
async fn a_list_that_is_cut_is_an_error_behind_its_elements() {
    let list = r#"[{"kind":"walk","km":1},{"kind":"walk","km":2"#;
    for (reason, failure) in [(FinishReason::Length, Failure::Cut), (FinishReason::Stop, Failure::Mismatch)] {
        let model = Model::new([said(list, reason)]);
        let elements = model.client().stream_elements::<Stop>(&ask()).await.unwrap();
        let found: Vec<_> = elements.collect().await;
        assert_eq!(found.len(), 2, "{reason:?}");
        assert!(found[0].is_ok());
        assert_eq!(found[1].as_ref().unwrap_err().failure(), failure);
    }
}

//! Answers that do not fit, and answers that are none.

use interlingua::extract::{ExtractOptions, Failure, Way};
use interlingua::schemars::{self, JsonSchema};
use interlingua::{Error, ErrorKind, Event, FinishReason, Input, Message, Start};
use serde_json::{Value, json};

use super::model::{Model, called, said};
use super::{TRIP, Trip, ask, trip};

/// What the model was told last.
fn told(message: Option<&Message>) -> String {
    let Some(Message::User(user)) = message else { panic!("{message:?}") };
    match user.parts.as_slice() {
        [Input::Text(text)] => text.text.clone(),
        [Input::ToolResult(result)] => {
            assert!(result.is_error && result.call == "call_1" && result.name == "answer");
            format!("{:?}", result.content)
        }
        parts => panic!("{parts:?}"),
    }
}

#[tokio::test]
async fn what_is_wrong_goes_back_with_the_answer() {
    let wrong = r#"{"city":"Málaga","days":"3","stops":[{"kind":"museum"}]}"#;
    let model = Model::saying(["I would go to Málaga.", wrong, TRIP]);
    let extracted = model.client().extract::<Trip>(&ask()).await.unwrap();
    assert_eq!((extracted.value.clone(), extracted.attempts(), extracted.way), (trip(), 3, Way::Prompt));
    assert_eq!((extracted.usage.input, extracted.usage.output), (Some(30), Some(15)));
    let asked = model.asked();
    let lengths: Vec<_> = asked.iter().map(|request| request.messages.len()).collect();
    assert_eq!(lengths, [1, 3, 5], "the conversation grows");
    assert_eq!(
        told(asked[1].messages.last()),
        "That cannot be read: there is no complete JSON value in the answer. \
         Answer again, with the whole of the JSON and nothing else."
    );
    assert_eq!(
        told(asked[2].messages.last()),
        "That does not follow the JSON Schema:\n\
         - /days: is \"3\", and must be an integer\n\
         - /stops/0: fits none of 2 alternatives; to be alternative 1:\n\
         - /stops/0: the property `name` is missing\n\
         Answer again, with the whole of the JSON and nothing else."
    );
    let Message::Assistant(said) = &asked[2].messages[3] else { panic!() };
    assert_eq!(said.text(), wrong);
}

#[tokio::test]
async fn a_call_that_does_not_fit_is_answered_as_a_call() {
    let wrong = called(r#"{"city":"Málaga"}"#).into_iter().map(Ok).collect::<Vec<_>>();
    let model = Model::new([wrong, called(TRIP).into_iter().map(Ok).collect()]);
    let options = ExtractOptions::default().way(Way::Tool);
    let extracted = model.client().extract_with::<Trip>(&ask(), &options).await.unwrap();
    assert_eq!((extracted.value.clone(), extracted.attempts(), extracted.way), (trip(), 2, Way::Tool));
    let told = told(model.asked()[1].messages.last());
    assert!(
        told.contains("the property `days` is missing") && told.contains("Call the tool `answer` again"),
        "{told}"
    );
}

#[tokio::test]
async fn after_the_last_answer_it_is_an_error_that_keeps_them() {
    let model = Model::saying([r#"{"city":1}"#, r#"{"city":2}"#, r#"{"city":3}"#]);
    let error = model.client().extract::<Trip>(&ask()).await.unwrap_err();
    assert_eq!((error.failure(), error.responses().len()), (Failure::Mismatch, 3));
    assert_eq!(error.response().unwrap().text(), r#"{"city":3}"#);
    assert_eq!(error.usage().input, Some(30));
    assert_eq!(error.mismatches()[2].path, "/city");
    assert_eq!(
        error.to_string(),
        "test/m: the answer does not follow the schema: the property `days` is missing; the property `stops` is missing; \
         /city: is 3, and must be a string"
    );
    let plain = Error::from(error);
    assert_eq!(
        (plain.kind(), plain.partial().unwrap().text().as_str()),
        (ErrorKind::Protocol, r#"{"city":3}"#)
    );

    let model = Model::saying(["{}"]);
    let error =
        model.client().extract_with::<Trip>(&ask(), &ExtractOptions::default().reasks(0)).await.unwrap_err();
    assert_eq!((error.failure(), error.responses().len()), (Failure::Mismatch, 1));
}

#[tokio::test]
async fn refusals_and_cuts_are_not_asked_for_again() {
    for (reason, failure, kind, message) in [
        (
            FinishReason::Refused,
            Failure::Refused,
            ErrorKind::Filtered,
            "the model refused: I would rather not.",
        ),
        (FinishReason::Filtered, Failure::Filtered, ErrorKind::Filtered, "the provider blocked the answer"),
        (
            FinishReason::Length,
            Failure::Cut,
            ErrorKind::TooLarge,
            "the answer was cut before its end: set a higher max_output, or ask for less",
        ),
    ] {
        let model = Model::new([said("I would rather not.", reason)]);
        let error = model.client().extract::<Trip>(&ask()).await.unwrap_err();
        assert_eq!(
            (error.failure(), error.error().kind(), error.error().message()),
            (failure, kind, message)
        );
        assert_eq!((model.asked().len(), error.responses().len()), (1, 1));
        // Also where all of the JSON came.
        let model = Model::new([said(TRIP, reason), said(TRIP, reason)]);
        assert_eq!(model.client().extract::<Trip>(&ask()).await.unwrap_err().failure(), failure);
        let streamed = model.client().stream_extract::<Trip>(&ask()).await.unwrap();
        assert_eq!(streamed.into_extracted().await.unwrap_err().failure(), failure);
    }
}

#[tokio::test]
async fn a_pause_is_gone_on_from() {
    let model = Model::new([said("Let me think. ", FinishReason::Paused), said(TRIP, FinishReason::Stop)]);
    let extracted = model.client().extract::<Trip>(&ask()).await.unwrap();
    assert_eq!(extracted.value, trip());
    assert!(matches!(model.asked()[1].messages.as_slice(), [Message::User(_), Message::Assistant(_)]));
}

#[tokio::test]
async fn a_call_that_breaks_off_keeps_what_came() {
    let mut broken = said(TRIP, FinishReason::Stop);
    broken.truncate(6);
    broken.push(Err(Error::new(ErrorKind::Overloaded, "no room")));
    let model = Model::new([broken, vec![Ok(Event::start(Start::default()))]]);
    let error = model.client().extract::<Trip>(&ask()).await.unwrap_err();
    assert_eq!((error.failure(), error.error().kind()), (Failure::Call, ErrorKind::Overloaded));
    assert_eq!(error.response().unwrap().text(), r#"{"city":"Mál"#);
    let error = model.client().extract::<Trip>(&ask()).await.unwrap_err();
    assert_eq!((error.failure(), error.error().kind()), (Failure::Call, ErrorKind::Truncated));
}

#[tokio::test]
async fn what_the_type_itself_refuses_has_its_place() {
    /// A day of the week.
    #[derive(Debug, serde::Deserialize)]
    #[serde(try_from = "u8")]
    struct Day(#[expect(dead_code, reason = "it is only read")] u8);

    impl TryFrom<u8> for Day {
        type Error = String;

        fn try_from(day: u8) -> Result<Self, String> {
            if day < 7 { Ok(Self(day)) } else { Err(format!("there is no day {day}")) }
        }
    }

    impl JsonSchema for Day {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Day".into()
        }

        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({"type": "integer"})
        }
    }

    #[derive(Debug, serde::Deserialize, JsonSchema)]
    struct Plan {
        #[serde(rename = "on days")]
        #[expect(dead_code, reason = "it is only read")]
        days: Vec<Day>,
    }

    let model = Model::saying([r#"{"note":"x\ny","on days":[1,9]}"#]);
    let error =
        model.client().extract_with::<Plan>(&ask(), &ExtractOptions::default().reasks(0)).await.unwrap_err();
    let mismatch = &error.mismatches()[0];
    assert_eq!((mismatch.path.as_str(), mismatch.message.as_str()), ("/on days/1", "there is no day 9"));
    let listed = r#"{"value":[1,9]}"#;
    let model = Model::new([called(listed).into_iter().map(Ok)]);
    let options = ExtractOptions::default().way(Way::Tool).reasks(0);
    let error = model.client().extract_with::<Vec<Day>>(&ask(), &options).await.unwrap_err();
    assert_eq!(error.mismatches()[0].path, "/1", "the place is that in the value");
}

#[tokio::test]
async fn a_schema_that_is_none_is_not_asked_for() {
    let model = Model::saying([]);
    let options = ExtractOptions::default();
    for schema in [json!([]), json!("object"), json!(false), Value::Null] {
        let error = model.client().extract_value(&ask(), &schema, &options).await.unwrap_err();
        assert_eq!((error.failure(), error.error().kind()), (Failure::Schema, ErrorKind::InvalidRequest));
    }
    let error = model.client().classify(&ask(), Vec::<String>::new()).await.unwrap_err();
    assert_eq!(error.to_string(), "there are no labels to choose from: give at least one");
}

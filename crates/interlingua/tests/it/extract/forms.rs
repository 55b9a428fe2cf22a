//! What stands in answers, and what it is made into.

use interlingua::extract::{ExtractOptions, Failure, Way};
use serde_json::{Value, json};

use super::model::{Model, called, said};
use super::{Mood, TRIP, Trip, ask, trip};

#[tokio::test]
async fn json_is_found_among_words() {
    let fenced = format!("Sure! Here is the trip [as asked]:\n\n```json\n{TRIP}\n```\nEnjoy {{it}}!");
    let bare_fence = format!("```\n{TRIP}\n```");
    let between = format!("First {{\"city\": 1}}, or rather {TRIP}. Bye.");
    let spaced = format!("\n\n  {TRIP}\n");
    for text in [TRIP, &spaced, &fenced, &bare_fence, &between] {
        let extracted = Model::saying([text]).client().extract::<Trip>(&ask()).await.unwrap();
        assert_eq!((extracted.value.clone(), extracted.attempts()), (trip(), 1), "{text}");
    }
    // What a service binds to a schema is JSON and nothing else.
    let model = Model::saying([fenced.as_str()]);
    let options = ExtractOptions::default().way(Way::Schema).reasks(0);
    let error = model.client().extract_with::<Trip>(&ask(), &options).await.unwrap_err();
    assert_eq!(error.failure(), Failure::Mismatch);
    assert!(error.to_string().contains("the answer is no JSON"), "{error}");
}

#[tokio::test]
async fn a_text_of_brackets_is_searched_in_bounded_time() {
    let text = "[{\"a\":".repeat(50_000);
    let model = Model::saying([text.as_str()]);
    let options = ExtractOptions::default().reasks(0);
    let error = model.client().extract_with::<Trip>(&ask(), &options).await.unwrap_err();
    assert_eq!(error.failure(), Failure::Mismatch);
}

#[tokio::test]
async fn nulls_of_properties_that_need_not_be_there_are_left_out() {
    let text = r#"{"city":"Rome","days":1,"stops":[],"mood":"glad","budget":null}"#;
    let trip = Model::saying([text]).client().extract::<Trip>(&ask()).await.unwrap().value;
    assert_eq!((trip.mood, trip.budget), (Some(Mood::Glad), 0));
    let text = r#"{"city":null,"days":1,"stops":[]}"#;
    let options = ExtractOptions::default().reasks(0);
    let error = Model::saying([text]).client().extract_with::<Trip>(&ask(), &options).await.unwrap_err();
    assert_eq!(error.mismatches()[0].to_string(), "/city: is null, and must be a string");
}

#[tokio::test]
async fn any_schema_can_be_asked_for() {
    let linked = json!({
        "type": ["array", "null"],
        "prefixItems": [{"$ref": "#/$defs/name"}, {"$ref": "#"}],
        "$defs": {"name": {"type": "string", "enum": ["a", "$ref"]}}
    });
    let cases = [
        (json!({"type": "integer", "minimum": 1}), json!(7)),
        (json!({"enum": ["red", "green"]}), json!("red")),
        (json!({"anyOf": [{"type": "string"}, {"type": "null"}]}), json!(null)),
        (linked, json!(["a", ["$ref", null]])),
        (json!(true), json!({"any": ["thing"]})),
    ];
    for (schema, value) in cases {
        let wrapped = json!({"value": value}).to_string();
        let bare = value.to_string();
        let model = Model::new([
            called(&wrapped).into_iter().map(Ok).collect(),
            said(&bare, interlingua::FinishReason::Stop),
        ]);
        for way in [Way::Tool, Way::Prompt] {
            let options = ExtractOptions::default().way(way).reasks(0).name("näme of it");
            let extracted = model.client().extract_value(&ask(), &schema, &options).await.unwrap();
            assert_eq!(extracted.value, value, "{schema}");
        }
        let asked = model.asked();
        let interlingua::Tool::Function(tool) = &asked[0].tools[0] else { panic!() };
        let wrapped: Value = tool.input.to_value().unwrap();
        assert_eq!(wrapped["required"], json!(["value"]));
        assert_eq!(tool.description.as_deref(), Some("Takes the answer: n_me_of_it."));
    }
}

#[tokio::test]
async fn references_to_the_root_follow_it() {
    let schema = json!({"type": "array", "items": {"$ref": "#"}, "default": {"$ref": "#"}});
    let model = Model::new([called(r#"{"value":[[],[[1]]]}"#).into_iter().map(Ok)]);
    let options = ExtractOptions::default().way(Way::Tool).reasks(0);
    let error = model.client().extract_value(&ask(), &schema, &options).await.unwrap_err();
    assert_eq!(error.mismatches()[0].to_string(), "/1/0/0: is 1, and must be an array");
    let asked = model.asked();
    let interlingua::Tool::Function(tool) = &asked[0].tools[0] else { panic!() };
    let sent = tool.input.to_value().unwrap();
    assert_eq!(sent["properties"]["value"]["items"], json!({"$ref": "#/properties/value"}));
    assert_eq!(sent["properties"]["value"]["default"], json!({"$ref": "#"}), "data is left alone");
}

#[tokio::test]
async fn labels_and_truths() {
    let model = Model::saying(["\"angry\"", "cross", "\"glad\"", "true"]);
    let client = model.client();
    assert_eq!(client.classify(&ask(), ["glad", "angry"]).await.unwrap().value, "angry");
    let second = client.classify(&ask(), ["glad", "angry"]).await.unwrap();
    assert_eq!((second.value.as_str(), second.attempts()), ("glad", 2));
    assert!(client.yes_no(&ask()).await.unwrap().value);
    let mood = Model::saying(["\"tired\""]).client().extract::<Mood>(&ask()).await.unwrap().value;
    assert_eq!(mood, Mood::Tired);
}

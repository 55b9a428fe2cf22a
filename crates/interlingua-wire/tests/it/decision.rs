//! Decisions, in both styles.

use http::HeaderMap;
use interlingua_model::{ErrorKind, Json, Media, Message};
use interlingua_wire::Refusal;
use interlingua_wire::decision::{Answered, Asked, Choice, Kind, Level, Question, Style, Value};
use serde_json::json;

fn asked() -> Asked {
    let choices = [Choice::new("true").described("a text"), Choice::new(true), Choice::new("fire")];
    let levels = [Level::new("calm"), Level::new("loud").described("many marks")];
    let mut asked = Asked::new("m", Message::user("The house is on fire!"))
        .question(Question::predicate("Is it urgent?").named("urgent"))
        .question(Question::choice("What is it?", choices))
        .question(Question::score("How loud?", levels).named("loud"));
    asked.cache_key = Some("k".to_owned());
    asked.end_user = Some("u".to_owned());
    asked
}

fn sent(style: Style, asked: &Asked) -> (String, serde_json::Value, usize) {
    let encoded = style.encode(asked).unwrap();
    let body = serde_json::from_slice(&encoded.call.body).unwrap();
    (encoded.call.path, body, encoded.warnings.len())
}

#[test]
fn questions_as_a_list() {
    let (path, body, warnings) = sent(Style::Decisions, &asked());
    assert_eq!((path.as_str(), warnings), ("/decisions", 0));
    assert_eq!(
        body,
        json!({"model": "m", "input": "The house is on fire!", "prompt_cache_key": "k", "safety_identifier": "u",
            "questions": [
                {"type": "predicate", "instructions": "Is it urgent?", "name": "urgent"},
                {"type": "choice", "instructions": "What is it?", "choices": [
                    {"value": "true", "description": "a text"}, {"value": true}, {"value": "fire"}]},
                {"type": "score", "instructions": "How loud?", "name": "loud", "levels": [
                    {"label": "calm"}, {"label": "loud", "description": "many marks"}]}]})
    );
    let mut seen = asked();
    seen.input =
        vec![Message::system("Be strict."), Message::user(Media::url("image/*", "https://a.example/x.png"))];
    let body = sent(Style::Decisions, &seen).1;
    let text = body["input"].to_string();
    assert!(
        body["input"].is_array() && text.contains("Be strict.") && text.contains("https://a.example/x.png"),
        "{text}"
    );
}

#[test]
fn answers_as_a_list() {
    let body = json!({"model": "m-1", "answers": [
        {"type": "predicate", "name": "urgent", "probability": 0.93},
        {"type": "choice", "choice": true, "confidence": 0.8, "probabilities": [
            {"value": true, "probability": 0.8}, {"value": "true", "probability": 0.2}]},
        {"type": "score", "name": "loud", "score": 0.75, "confidence": 0.6, "probabilities": [
            {"label": "calm", "value": 0, "probability": 0.25}, {"label": "loud", "value": 1, "probability": 0.75}]}],
        "usage": {"input_tokens": 12, "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 0},
            "output_tokens": 3, "output_tokens_details": {"reasoning_tokens": 1}, "total_tokens": 15}});
    let decided = Style::Decisions.decode(&asked(), body.to_string().as_bytes()).unwrap();
    assert_eq!(
        (decided.model.as_deref(), decided.usage.input, decided.usage.cache_read),
        (Some("m-1"), Some(12), Some(8))
    );
    assert_eq!(decided.answers[0].name.as_deref(), Some("urgent"));
    assert_eq!(decided.answers[0].answered, Answered::Predicate { probability: 0.93 });
    let truth = Value::Truth(true);
    assert_eq!(
        decided.answers[1].answered,
        Answered::Choice {
            value: truth.clone(),
            confidence: 0.8,
            probabilities: vec![(truth, 0.8), (Value::Text("true".to_owned()), 0.2)],
        }
    );
    let places = vec![("calm".to_owned(), 0.25), ("loud".to_owned(), 0.75)];
    let score = Answered::Score { score: 0.75, confidence: 0.6, probabilities: places };
    assert_eq!(decided.answers[2].answered, score);
    let odd = json!({"answers": [{"type": "refusal", "name": "urgent"}, {"type": "essay", "text": "Well…"}]});
    let decided = Style::Decisions.decode(&asked(), odd.to_string().as_bytes()).unwrap();
    let answered: Vec<&Answered> = decided.answers.iter().map(|answer| &answer.answered).collect();
    let essay = Answered::Other(Json::from_text(json!({"type": "essay", "text": "Well…"}).to_string()));
    assert_eq!(answered, [&Answered::Refusal, &essay, &Answered::Missing]);
}

#[test]
fn questions_and_answers_under_names() {
    let mut asked = asked();
    // Values are texts here, so a truth value and its spelling cannot both be offered.
    asked.questions[1] =
        Question::choice("What is it?", [Choice::new(false).described("nothing"), Choice::new("fire")]);
    let (path, body, warnings) = sent(Style::SystemOne, &asked);
    assert_eq!((path.as_str(), warnings), ("/systemone", 2));
    assert_eq!(
        body,
        json!({"model": "m", "state": "The house is on fire!", "questions": {
            "urgent": {"type": "noul", "instructions": "Is it urgent?"},
            "question_2": {"type": "choice", "instructions": "What is it?", "criteria": {"false": "nothing", "fire": null}},
            "loud": {"type": "score", "instructions": "How loud?", "criteria": ["calm", "loud: many marks"]}}})
    );
    let body = json!({"model": "m-1", "usage": {"input_tokens": 12, "output_tokens": 3}, "answers": {
        "loud": {"type": "score", "score": 0.75, "confidence": 0.6, "legend": {"0": "calm"}, "probabilities": {"0": 0.25, "1": 0.75}},
        "urgent": {"type": "noul", "noul": 0.93},
        "question_2": {"type": "choice", "choice": "false", "confidence": 0.9, "probabilities": {"false": 0.9, "fire": 0.1}}}});
    let decided = Style::SystemOne.decode(&asked, body.to_string().as_bytes()).unwrap();
    let answered: Vec<Answered> = decided.answers.into_iter().map(|answer| answer.answered).collect();
    let no = Value::Truth(false);
    assert_eq!(
        answered,
        [
            Answered::Predicate { probability: 0.93 },
            Answered::Choice {
                value: no.clone(),
                confidence: 0.9,
                probabilities: vec![(no, 0.9), (Value::Text("fire".to_owned()), 0.1)],
            },
            Answered::Score {
                score: 0.75,
                confidence: 0.6,
                probabilities: vec![("calm".to_owned(), 0.25), ("loud".to_owned(), 0.75)],
            },
        ]
    );
    asked.input =
        vec![Message::system("Be strict."), Message::user(Media::url("image/*", "https://a.example/x.png"))];
    let (_, body, warnings) = sent(Style::SystemOne, &asked);
    assert_eq!(
        body["state"],
        json!([{"role": "system", "content": "Be strict."}, {"role": "user", "content": ""}])
    );
    assert_eq!(warnings, 3);
}

#[test]
fn what_is_no_decision_is_an_error() {
    let none = Asked::new("m", Message::user("hi"));
    assert_eq!(Style::Decisions.encode(&none).unwrap_err().kind(), ErrorKind::InvalidRequest);
    for style in [Style::Decisions, Style::SystemOne] {
        let error = style
            .decode(&asked(), br#"{"error":{"message":"no room for now","type":"server_error"}}"#)
            .unwrap_err();
        assert!(error.message().contains("no room for now"), "{error}");
        for body in [&b"{}"[..], b"<html>", b"[]"] {
            assert_eq!(style.decode(&asked(), body).unwrap_err().kind(), ErrorKind::Protocol);
        }
        let headers = HeaderMap::new();
        let body = br#"{"error":{"message":"this key is not known","type":"invalid_request_error"}}"#;
        let error = style.refusal(&Refusal::new(401, &headers, body));
        assert_eq!((error.kind(), error.message()), (ErrorKind::Authentication, "this key is not known"));
    }
    assert!(matches!(asked().questions[0].kind, Kind::Predicate));
}

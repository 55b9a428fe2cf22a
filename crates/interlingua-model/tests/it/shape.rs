//! The serialized shape: what is written is read back the same, and other versions are refused.

use std::fmt::Debug;

use interlingua_model::{Event, Extra, Json, Message, Piece, Request, Response, Start, Version};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::any;

fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    let back: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"));
    assert_eq!(&back, value, "{text}");
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests(value in any::request()) {
        round_trip(&value);
        round_trip(&value.with_messages(Vec::new()));
        prop_assert_eq!(&value.with_messages(value.messages.clone()), &value);
    }

    #[test]
    fn responses(value in any::response()) {
        round_trip(&value);
    }

    #[test]
    fn events(value in any::event()) {
        round_trip(&value);
    }

    #[test]
    fn extras(value in any::extra()) {
        round_trip(&value);
        prop_assert_eq!(value.is_empty(), value == Extra::default());
    }

    #[test]
    fn json_is_kept_byte_for_byte(text in prop_oneof!["\\PC{0,20}", "[ \t\n{}\\[\\]\":,0-9a]{0,12}"]) {
        let json = Json::from_text(&*text);
        round_trip(&json);
        prop_assert_eq!(json.as_str(), &*text);
        prop_assert_eq!(Json::new(&*text).is_ok(), json.is_valid());
        prop_assert_eq!(json.to_raw().is_ok(), json.is_valid());
        if let Ok(raw) = json.to_raw() {
            let value: serde_json::Value = serde_json::from_str(raw.get()).unwrap();
            prop_assert_eq!(value, json.to_value().unwrap());
        }
    }

    #[test]
    fn pieces_hold_any_text(text in "\\PC{0,60}") {
        let piece = Piece::from(&*text);
        prop_assert_eq!(&*piece, &*text);
        prop_assert_eq!(piece.is_inline(), text.len() <= 38);
        prop_assert_eq!(&Piece::from(text.clone()), &piece);
        prop_assert_eq!(format!("{piece} {piece:?}"), format!("{text} {text:?}"));
        round_trip(&piece);
    }
}

#[test]
fn other_versions_are_refused() {
    let request = serde_json::to_value(Request::new("m")).unwrap();
    assert_eq!(request["interlingua"], Version::NUMBER);
    for (field, text) in [
        ("a request", r#"{"interlingua":2,"model":"m","messages":[]}"#),
        ("a request", r#"{"interlingua":"1","model":"m","messages":[]}"#),
    ] {
        let error = serde_json::from_str::<Request>(text).unwrap_err();
        assert!(!error.to_string().is_empty(), "{field}");
    }
    let error =
        serde_json::from_str::<Request>(r#"{"interlingua":2,"model":"m","messages":[]}"#).unwrap_err();
    assert!(error.to_string().contains("version 2 is not supported"), "{error}");
    assert!(serde_json::from_str::<Response>(r#"{"interlingua":9,"message":{"parts":[]}}"#).is_err());
    assert!(serde_json::from_str::<Start>(r#"{"interlingua":0}"#).is_err());
    assert!(
        serde_json::from_str::<Request>(r#"{"model":"m","messages":[]}"#).is_ok(),
        "by hand, without a version"
    );
}

#[test]
fn the_shape_is_our_own() {
    let request = Request::new("a/b").system("Be brief.").user("Hi").max_output(5).temperature(0.5);
    let expected = r#"{"interlingua":1,"model":"a/b","messages":[{"system":{"parts":[{"text":{"text":"Be brief."}}]}},{"user":{"parts":[{"text":{"text":"Hi"}}]}}],"sampling":{"temperature":0.5},"max_output":5}"#;
    assert_eq!(serde_json::to_string(&request).unwrap(), expected);
    let event = Event::close(3);
    assert_eq!(serde_json::to_string(&event).unwrap(), r#"{"close":{"at":3}}"#);
}

#[test]
fn json_stands_as_itself_or_as_a_string() {
    let cases = [
        (r#"{ "a":1.0 }"#, r#"{ "a":1.0 }"#),
        ("null", "null"),
        (r#""text""#, r#""\"text\"""#),
        ("", r#""""#),
        ("{\"cut", r#""{\"cut""#),
        ("{\n}", "{\n}"),
        (" {}", r#"" {}""#),
    ];
    for (text, expected) in cases {
        assert_eq!(serde_json::to_string(&Json::from_text(text)).unwrap(), expected);
    }
    assert!(Json::from_text(" \n").is_blank() && !Json::from_text(" \n").is_valid());
    assert!(Json::from_text(" {}").is_object() && !Json::from_text("[]").is_object());
    assert_eq!(Json::from_text("").parse::<std::collections::BTreeMap<String, u8>>().unwrap().len(), 0);
}

#[test]
fn an_extra_without_values_is_none() {
    let extra: Extra = serde_json::from_str(r#"{"anthropic":{},"openai_chat":{"a":1}}"#).unwrap();
    assert_eq!(extra.protocols().collect::<Vec<_>>(), ["openai_chat"]);
    assert_eq!(serde_json::from_str::<Extra>(r#"{"anthropic":{}}"#).unwrap(), Extra::default());
    let mut extra = Extra::of("a", "x", Json::object());
    assert_eq!(extra.take("a", "x"), Some(Json::object()));
    assert_eq!((extra.is_empty(), &extra), (true, &Extra::default()));
    let mut extra = Extra::of("a", "x", Json::object());
    extra.merge(&Extra::of("b", "y", Json::from_text("1")));
    extra.merge(&Extra::of("a", "x", Json::from_text("2")));
    assert_eq!(extra.read::<u8>("a", "x"), Some(2));
    extra.retain("b");
    assert_eq!(extra, Extra::of("b", "y", Json::from_text("1")));
    extra.retain("c");
    assert_eq!(extra, Extra::default());
}

#[test]
fn unknown_fields_of_a_later_minor_shape_are_passed_over() {
    let message: Message = serde_json::from_str(r#"{"user":{"parts":[],"later":1}}"#).unwrap();
    assert_eq!(message, Message::from(interlingua_model::User::default()));
}

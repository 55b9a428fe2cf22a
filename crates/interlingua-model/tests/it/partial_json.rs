//! JSON that is read while it comes, against `serde_json` on the whole text.

use interlingua_model::{ErrorKind, PartialJson};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Any value, with text that needs escapes.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..5).prop_map(|members| Map::from_iter(members).into()),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,6}", "[\\\\\"/~ \n\t\u{1}é日😀-]{0,6}", any::<String>()]
}

/// Texts that are nearly JSON.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    const TOKENS: [&[u8]; 28] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\"a\"",
        b"\"a\":",
        b"\\",
        b"\\u",
        b"d83d",
        b"\\ude00",
        b"\\n",
        b" ",
        b"-",
        b"0",
        b"12",
        b".5",
        b"e9",
        b"e999",
        b"true",
        b"nul",
        b"l",
        b"\xc3\xa9",
        b"\xf0\x9f",
        b"\x98\x80",
        b"\x01",
    ];
    let token = prop::sample::select(&TOKENS[..]);
    prop::collection::vec(token, 0..14).prop_map(|tokens| tokens.concat())
}

/// The text with every character escaped that is no plain one.
fn escaped(value: &Value) -> String {
    let mut out = String::new();
    for char in value.to_string().chars() {
        match char {
            ' '..='~' => out.push(char),
            _ => out.extend(char.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
        }
    }
    out
}

/// Cuts at any places.
fn pieces(text: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut places: Vec<_> =
        cuts.iter().map(|cut| cut.index(text.len() + 1)).chain([0, text.len()]).collect();
    places.sort_unstable();
    places.windows(2).map(|pair| text[pair[0]..pair[1]].to_vec()).collect()
}

/// Whether `early` is what one may see of `late` on the way: the last member of each container may be a part.
fn begins(early: &Value, late: &Value) -> bool {
    match (early, late) {
        (Value::String(early), Value::String(late)) => late.starts_with(early),
        (Value::Array(early), Value::Array(late)) => {
            let all_but_last = early.len().saturating_sub(1);
            early.len() <= late.len()
                && early[..all_but_last] == late[..all_but_last]
                && early.last().is_none_or(|last| begins(last, &late[all_but_last]))
        }
        (Value::Object(early), Value::Object(late)) => {
            let mut pairs = early.iter().zip(late).peekable();
            let mut fits = early.len() <= late.len();
            while let Some(((name, early), (same, late))) = pairs.next() {
                fits &=
                    name == same && if pairs.peek().is_some() { early == late } else { begins(early, late) };
            }
            fits
        }
        (early, late) => early == late,
    }
}

/// What became of a text: the value, or what was said.
type Outcome = Result<Value, (ErrorKind, String)>;

/// Reads pieces: the values so far, what was completed, and the outcome.
fn read(pieces: &[Vec<u8>]) -> (Vec<Value>, Vec<String>, Outcome) {
    let mut reader = PartialJson::new();
    let (mut seen, mut done) = (Vec::new(), Vec::new());
    let mut outcome = Ok(());
    for piece in pieces {
        outcome = outcome.and(reader.push_with(piece, |path, value| done.push(format!("{path} {value}"))));
        seen.extend(reader.value().cloned());
    }
    let ended = outcome.and_then(|()| reader.end_with(|path, value| done.push(format!("{path} {value}"))));
    let outcome = ended.and_then(|()| reader.into_value());
    (seen, done, outcome.map_err(|error| (error.kind(), error.message().to_owned())))
}

/// Every path of a value, members before what holds them.
fn paths(path: &str, value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| paths(&format!("{path}/{at}"), item, out));
        }
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            paths(&format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), value, out);
        }),
        _ => {}
    }
    out.push(format!("{path} {value}"));
}

proptest! {
    #[test]
    fn any_split_gives_what_serde_json_gives(
        value in values(),
        form in 0..3,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let text = match form {
            0 => value.to_string(),
            1 => serde_json::to_string_pretty(&value).unwrap(),
            _ => escaped(&value),
        };
        let (seen, done, outcome) = read(&pieces(text.as_bytes(), &cuts));
        prop_assert_eq!(outcome.as_ref(), Ok(&serde_json::from_str(&text).unwrap()));
        prop_assert_eq!(outcome.as_ref(), Ok(&value));
        for (at, early) in seen.iter().enumerate() {
            prop_assert!(begins(early, &value), "{early} of {value}");
            prop_assert!(at == 0 || begins(&seen[at - 1], early));
        }
        let mut all = Vec::new();
        paths("", &value, &mut all);
        prop_assert_eq!(done, all);
    }

    #[test]
    fn what_is_no_json_is_refused_where_serde_json_refuses_it(
        text in broken(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let (_, done, outcome) = read(&pieces(&text, &cuts));
        let (_, whole_done, whole) = read(std::slice::from_ref(&text));
        prop_assert_eq!(&outcome, &whole);
        prop_assert_eq!(done, whole_done);
        let judge = serde_json::from_slice::<Value>(&text);
        prop_assert_eq!(outcome.is_ok(), judge.is_ok(), "{:?}: {:?}", judge, outcome);
        if let Ok(value) = judge {
            prop_assert_eq!(outcome, Ok(value));
        }
    }

    #[test]
    fn the_cost_is_the_length_and_the_depth(value in values(), size in 1_usize..9) {
        let text = value.to_string();
        let mut reader = PartialJson::new();
        let mut pushes = 0;
        for piece in text.as_bytes().chunks(size) {
            reader.push(piece).unwrap();
            pushes += 1;
        }
        reader.end().unwrap();
        let most = text.len() as u64 + (pushes + 1) * 6 + text.matches(['[', '{']).count() as u64 + 1;
        prop_assert!(reader.steps() <= most, "{} steps for {} bytes", reader.steps(), text.len());
    }
}

#[test]
fn a_long_text_costs_no_more_for_each_piece() {
    let mut reader = PartialJson::new();
    reader.push(r#"{"list":[{"text":""#).unwrap();
    let begun = reader.steps();
    for _ in 0..100_000 {
        reader.push("abc").unwrap();
    }
    assert_eq!(reader.steps() - begun, 100_000 * (3 + 4), "three bytes, four levels");
    assert_eq!(reader.value().unwrap()["list"][0]["text"].as_str().unwrap().len(), 300_000);
}

#[test]
fn a_name_that_stands_twice_has_its_last_value_as_in_serde_json() {
    let text = r#"{"a":{"b":1},"c":2,"a":[3,"x"]}"#;
    let (_, done, outcome) = read(&text.bytes().map(|byte| vec![byte]).collect::<Vec<_>>());
    assert_eq!(outcome, Ok(serde_json::from_str(text).unwrap()));
    assert_eq!(
        done,
        [
            "/a/b 1",
            "/a {\"b\":1}",
            "/c 2",
            "/a/0 3",
            "/a/1 \"x\"",
            "/a [3,\"x\"]",
            &format!(" {}", json!({"a": [3, "x"], "c": 2}))
        ]
    );
}

#[test]
fn depth_and_size_are_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for depth in [1, 126, 127, 128, 200_000] {
        let (_, _, outcome) = read(&[nested(depth).into_bytes()]);
        let judge = serde_json::from_str::<Value>(&nested(depth));
        assert_eq!(outcome.is_ok(), judge.is_ok(), "{depth}");
    }
    let mut reader = PartialJson::with_limits(2, 10);
    assert_eq!(reader.push("[[[").unwrap_err().kind(), ErrorKind::TooLarge);
    let mut reader = PartialJson::with_limits(2, 10);
    reader.push("\"12345").unwrap();
    let error = reader.push("6789\"").unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::TooLarge, "the JSON text is longer than it may be at byte 10")
    );
    assert_eq!(reader.value(), Some(&json!("123456789")), "what came stays");
    assert_eq!(reader.push(" ").unwrap_err().message(), error.message(), "it does not go on");
}

#[test]
fn errors_say_what_and_where() {
    for (text, message) in [
        ("{\"a\":1,}", "the JSON text has a character that cannot stand there at byte 7"),
        ("[1] x", "the JSON text goes on behind its value at byte 4"),
        ("[nope]", "the JSON text has a malformed value before it at byte 5"),
        ("\"\\ud800x\"", "the JSON text has a wrong escape at byte 7"),
        ("{\"a", "the JSON text ends after 3 bytes, before its value is complete"),
        ("", "the JSON text ends after 0 bytes, before its value is complete"),
        ("-", "the JSON text has a malformed value before it at byte 1"),
    ] {
        let (_, _, outcome) = read(&[text.as_bytes().to_vec()]);
        assert_eq!(outcome.unwrap_err().1, message);
    }
}

//! When two bodies of a request mean the same.

use serde_json::{Value, json};

#[path = "../../src/sdk/meaning.rs"]
mod meaning;

use meaning::Words;

const CHAT: Words = Words::Chat;
const RESPONSES: Words = Words::Responses;

fn same(words: Words, left: &Value, right: &Value) {
    for (came, went) in [(left, right), (right, left)] {
        assert_eq!(meaning::differences(words, came, went), Vec::<String>::new());
    }
}

fn differ(words: Words, left: &Value, right: &Value, lines: &[&str]) {
    assert_eq!(meaning::differences(words, left, right), lines);
}

#[test]
fn absence_has_several_spellings() {
    same(CHAT, &json!({ "stream": false, "user": null, "a": { "b": null } }), &json!({ "a": {} }));
    same(
        CHAT,
        &json!({ "parameters": { "$schema": "x", "type": "object" } }),
        &json!({ "parameters": { "type": "object" } }),
    );
    differ(CHAT, &json!({ "stream": true }), &json!({}), &["$.stream: true became nothing"]);
    differ(CHAT, &json!({ "store": false }), &json!({}), &["$.store: false became nothing"]);
}

#[test]
fn a_string_is_one_block_of_text() {
    let message = |role: &str, content: Value| json!({ "messages": [{ "role": role, "content": content }] });
    let block = |kind: &str| json!([{ "type": kind, "text": "Hi" }]);
    same(CHAT, &message("user", json!("Hi")), &message("user", block("text")));
    same(CHAT, &json!({ "system": "Hi" }), &json!({ "system": block("text") }));
    let result = |content: Value| json!([{ "type": "tool_result", "content": content }]);
    same(CHAT, &result(json!("Hi")), &result(block("text")));

    let item = |role: &str, content: Value| json!([{ "role": role, "content": content }]);
    same(RESPONSES, &item("user", json!("Hi")), &item("user", block("input_text")));
    same(RESPONSES, &item("assistant", json!("Hi")), &item("assistant", block("output_text")));
    same(RESPONSES, &json!([{ "output": "Hi" }]), &json!([{ "output": block("input_text") }]));
    let lines = ["$[0].content[0].type: \"input_text\" became \"output_text\""];
    differ(RESPONSES, &item("user", json!("Hi")), &item("user", block("output_text")), &lines);
    differ(
        CHAT,
        &json!({ "content": "Hi" }),
        &json!({ "content": block("text") }),
        &["$.content: \"Hi\" became [{\"type\":\"text\",\"text\":\"Hi\"}]"],
    );
}

#[test]
fn words_are_the_same_in_their_own_protocol_alone() {
    let role = |role: &str| json!([{ "role": role }]);
    same(CHAT, &role("developer"), &role("system"));
    differ(RESPONSES, &role("developer"), &role("system"), &["$[0].role: \"developer\" became \"system\""]);
    same(RESPONSES, &role("user"), &json!([{ "type": "message", "role": "user", "status": "completed" }]));
    differ(CHAT, &json!({ "status": "completed" }), &json!({}), &["$.status: \"completed\" became nothing"]);
    differ(
        RESPONSES,
        &json!({ "status": "incomplete" }),
        &json!({}),
        &["$.status: \"incomplete\" became nothing"],
    );
    same(CHAT, &json!({ "stop": "END" }), &json!({ "stop": ["END"] }));
    same(CHAT, &json!({ "top_p": 1 }), &json!({ "top_p": 1.0 }));
}

#[test]
fn google_spells_names_and_bytes_in_two_ways() {
    let left =
        json!({ "systemInstruction": { "role": "user" }, "a_b": { "inline_data": { "data": "_-8=" } } });
    let right = json!({ "systemInstruction": {}, "aB": { "inlineData": { "data": "/+8=" } } });
    same(Words::Gemini, &left, &right);
    assert_eq!(meaning::differences(CHAT, &left, &right).len(), 3);
}

#[test]
fn mistral_has_shorter_words() {
    let picture = |picture: Value| json!({ "type": "image_url", "image_url": picture });
    same(CHAT, &picture(json!("x")), &picture(json!({ "url": "x" })));
    same(CHAT, &json!({ "tool_choice": "any" }), &json!({ "tool_choice": "required" }));
    same(CHAT, &json!([{ "index": 0, "function": {} }]), &json!([{ "function": {} }]));
    differ(CHAT, &json!({ "index": 0 }), &json!({}), &["$.index: 0 became nothing"]);
}

#[test]
fn a_difference_is_told_by_its_path() {
    let (left, right) = (json!({ "a": [1, { "b": "x" }], "c": 2 }), json!({ "a": [1, { "b": "y" }, 3] }));
    let wanted = ["$.a[1].b: \"x\" became \"y\"", "$.a[2]: nothing became 3", "$.c: 2 became nothing"];
    assert_eq!(meaning::unequal(&left, &right), wanted);
    let long = json!("x".repeat(500));
    let line = meaning::unequal(&long, &Value::Null).remove(0);
    assert!(line.contains('…') && line.chars().count() < 200, "{line}");
    // Two lists that hold the same in another order say different things.
    assert_eq!(meaning::unequal(&json!([1, 2]), &json!([2, 1])).len(), 2);
}

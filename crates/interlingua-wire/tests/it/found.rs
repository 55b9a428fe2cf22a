//! What fuzzing has found: what one half made could not be read by the other.

use interlingua_model::Event;
use interlingua_wire::anthropic::Anthropic;
use interlingua_wire::bedrock::Bedrock;
use interlingua_wire::openai_chat::OpenaiChat;
use interlingua_wire::openai_responses::OpenaiResponses;
use interlingua_wire::{Call, Codec, Mint, Mode, Serve};

use crate::check::{decode, decoded};

/// Reads an answer, passes it on to a client of the same protocol and reads it again.
fn passed_on(codec: &dyn Serve, path: &str, mode: Mode, body: &str) -> Vec<Event> {
    let first = decode(codec, mode, body.as_bytes(), &[]);
    assert_eq!(first.error, None);
    let asked = Call::post(path, &br#"{"model":"m","max_tokens":9,"messages":[]}"#[..]);
    let (asked, _) = codec.decode_request(&asked).unwrap();
    let mut encoder = codec.encoder(&asked, mode, Mint::new(1_795_000_000, "0a1b2c"));
    for event in &first.events {
        encoder.push(event).unwrap();
    }
    let bytes = encoder.take();
    let second = decode(codec, mode, &bytes, &[]);
    assert_eq!(second.error, None, "in {}", String::from_utf8_lossy(&bytes));
    second.events
}

#[test]
fn a_citation_that_is_none_is_still_that_of_a_delta() {
    let body = concat!(
        r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        "\n\n",
        r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":2}}}"#,
        "\n\n",
        r#"data: {"type":"message_stop"}"#,
        "\n\n",
    );
    let events = passed_on(&Anthropic::default(), "/v1/messages", Mode::Stream, body);
    assert!(events.iter().any(|event| format!("{event:?}").contains(r#"{\"type\":2}"#)), "{events:#?}");
}

#[test]
fn a_field_of_a_choice_may_be_called_like_one_of_the_answer() {
    let body =
        r#"{"choices":[{"index":0,"choices":{"a":1},"message":{"content":"x"},"finish_reason":"stop"}]}"#;
    let events = passed_on(&OpenaiChat::default(), "/v1/chat/completions", Mode::Whole, body);
    assert!(
        events.iter().any(|event| format!("{event:?}").contains(r#"("choices", Json("{\"a\":1}"))"#)),
        "{events:#?}"
    );
}

/// A second mark was skipped only where a cut fell between it and the first.
#[test]
fn marks_before_an_answer_are_skipped_wherever_it_is_cut() {
    let body = "\n\n\u{feff}\n \n\u{feff}\n{\"output\":{\"message\":{\"content\":[{\"text\":\"x\"}]}},\"stopReason\":\"end_turn\"}";
    for mode in [Mode::Stream, Mode::Whole] {
        let read = decoded(&Bedrock::default(), mode, body.as_bytes());
        assert_eq!((read.error, read.response.text()), (None, "x".to_owned()));
        assert!(decoded(&Bedrock::default(), mode, "\u{feff}\n\u{feff}\nne\"".as_bytes()).error.is_some());
    }
}

#[test]
fn a_name_that_stands_twice_has_its_last_value_and_goes_out_once() {
    let body = r#"{"model":"m","tools":"none","input":"hi","tools":[{"type":"function","name":"f","parameters":{}}]}"#;
    let codec = OpenaiResponses::default();
    let (request, mode) = codec.decode_request(&Call::post("/v1/responses", body)).unwrap();
    assert_eq!(request.tools.len(), 1);
    let out = codec.encode(&request, mode).unwrap().call.body;
    assert_eq!(String::from_utf8_lossy(&out).matches("\"tools\"").count(), 1);
}

/// An answer with very many names or calls takes its time once and not squared: this test would last for minutes
/// otherwise.
#[test]
fn very_many_names_are_read() {
    let fields = |name: &dyn Fn(u32) -> String| -> String {
        (0..200_000).fold(String::new(), |text, number| text + "\"" + &name(number) + "\":1,")
    };
    for names in [fields(&|number| format!("n{number}")), fields(&|_| "usage".to_owned())] {
        let chat = format!(
            "{{{names}\"choices\":[{{\"message\":{{{names}\"content\":\"x\"}},\"finish_reason\":\"stop\"}}]}}"
        );
        let read = decode(&OpenaiChat::default(), Mode::Whole, chat.as_bytes(), &[]);
        assert_eq!(read.response.text(), "x");
        let message = format!(
            "{{{names}\"content\":[{{{names}\"type\":\"text\",\"text\":\"x\"}}],\"stop_reason\":\"end_turn\"}}"
        );
        let read = decode(&Anthropic::default(), Mode::Whole, message.as_bytes(), &[]);
        assert_eq!(read.response.text(), "x");
    }
}

#[test]
fn very_many_calls_are_read() {
    let call = |number: u32| {
        format!(r#"{{"index":{number},"id":"c{number}","function":{{"name":"f","arguments":""}}}}"#)
    };
    let calls: Vec<String> = (0..100_000).map(call).collect();
    let body = format!(
        r#"{{"choices":[{{"message":{{"tool_calls":[{}]}},"finish_reason":"tool_calls"}}]}}"#,
        calls.join(",")
    );
    let read = decode(&OpenaiChat::default(), Mode::Whole, body.as_bytes(), &[]);
    assert_eq!(read.response.tool_calls().count(), 100_000);
}

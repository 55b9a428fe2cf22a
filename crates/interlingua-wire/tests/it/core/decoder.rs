//! Decoder, parts, grammar and encoder, with a protocol of one word per frame.

use interlingua_model::{
    Delta, Error, ErrorKind, Event, Finish, FinishReason, Fold, Json, Output, Reasoning, Response, Start,
    Text, Usage, Warning,
};
use interlingua_wire::frame::{Frame, Framing, Value, write_message};
use interlingua_wire::{Decoder, Encoder, Grammar, Limits, Mode, Object, Parts, Reader, Writer};
use proptest::prelude::*;

/// Every frame is text; `END` ends the answer, `BAD` is malformed. A whole body is an object with `text`.
#[derive(Debug, Default)]
struct Words {
    at: Option<u32>,
    ends_at_eof: bool,
}

impl Reader for Words {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        match frame
            .data
            .strip_prefix(b"{\"word\":\"")
            .and_then(|word| word.strip_suffix(b"\"}"))
            .unwrap_or(frame.data)
        {
            b"END" => out.finish(Finish::new(FinishReason::Stop)),
            b"BAD" => return Err(Error::new(ErrorKind::Protocol, "no word")),
            word => {
                let at = *self.at.get_or_insert_with(|| out.open(Output::Text(Text::default())));
                out.text(at, String::from_utf8_lossy(word));
            }
        }
        Ok(())
    }

    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error> {
        let mut object = Object::from_slice(body)
            .map_err(|error| Error::new(ErrorKind::Protocol, format!("the answer is not JSON: {error}")))?;
        let text: String =
            object.require("text").map_err(|error| Error::new(ErrorKind::Protocol, error.message()))?;
        out.whole(Output::Text(Text::new(text)));
        out.finish(Finish::new(FinishReason::Stop));
        Ok(())
    }

    fn end(&mut self, out: &mut Parts) -> Result<(), Error> {
        if self.ends_at_eof {
            out.finish(Finish::new(FinishReason::Stop));
        }
        Ok(())
    }
}

/// What an answer decodes to, in chunks of a size: the text, or the kind of the error.
fn decoded(mode: Mode, bytes: &[u8], size: usize) -> Result<String, ErrorKind> {
    framed(Framing::Sse, mode, bytes, size)
}

/// The same, where another framing is expected.
fn framed(framing: Framing, mode: Mode, bytes: &[u8], size: usize) -> Result<String, ErrorKind> {
    let mut decoder = Decoder::new(mode, Limits::default(), Box::new(Words::default())).with_framing(framing);
    let mut outcome = Ok(());
    for chunk in bytes.chunks(size) {
        outcome = outcome.and_then(|()| decoder.push(chunk));
    }
    outcome.and_then(|()| decoder.end()).map_err(|error| error.kind())?;
    let (mut fold, mut grammar) = (Fold::new(), Grammar::default());
    while let Some(event) = decoder.poll() {
        grammar.check(&event).unwrap();
        fold.push(&event);
    }
    grammar.end().unwrap();
    Ok(fold.into_response().unwrap().text())
}

#[test]
fn an_answer_is_read_as_what_it_is() {
    let stream = "data: one\n\ndata: two\n\ndata: END\n\n";
    let body = r#"{"text":"onetwo"}"#;
    let page = "<html><title>Sign in</title></html>";
    let good: [&str; 12] = [
        stream,
        body,
        &format!("\n\r\n {stream}"),
        &format!(" \r\n\t{body}\n"),
        &format!("\u{FEFF}{stream}"),
        &format!("\u{FEFF}{body}"),
        &format!("\u{FEFF} \n{body}"),
        &format!(": comment\n\n{stream}"),
        &format!("event: x\n{stream}"),
        &format!("id: 1\n{stream}"),
        &format!("retry: 1\n{stream}"),
        "data: one\n\ndata: two\n\ndata: END\n\nBAD\n\ndata: more\n\n",
    ];
    for mode in [Mode::Stream, Mode::Whole] {
        for size in [1, 2, 3, 1_000] {
            for bytes in good {
                assert_eq!(
                    decoded(mode, bytes.as_bytes(), size),
                    Ok("onetwo".to_owned()),
                    "{mode:?} {size} {bytes:?}"
                );
            }
            assert_eq!(decoded(mode, page.as_bytes(), size), Err(ErrorKind::Protocol), "{mode:?} {size}");
            assert_eq!(decoded(mode, b"{\"text\":", size), Err(ErrorKind::Protocol));
            for empty in ["", " ", "\n\n", "\u{FEFF}", ": only a comment\n\n", "data: one\n\n"] {
                assert_eq!(
                    decoded(mode, empty.as_bytes(), size),
                    Err(ErrorKind::Truncated),
                    "{mode:?} {empty:?}"
                );
            }
        }
    }
    for size in [1, 2, 1_000] {
        assert_eq!(
            decoded(Mode::Whole, b"internal error", size),
            Err(ErrorKind::Protocol),
            "a word is no stream"
        );
        assert_eq!(decoded(Mode::Whole, b"da", size), Err(ErrorKind::Protocol));
    }
}

/// Words as lines of JSON, and as messages of AWS.
fn lines(words: &[&str]) -> Vec<u8> {
    words.iter().flat_map(|word| format!("{{\"word\":\"{word}\"}}\n").into_bytes()).collect()
}

fn messages(words: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in words {
        write_message(&[(":event-type", Value::Text("word"))], word.as_bytes(), &mut bytes).unwrap();
    }
    bytes
}

#[test]
fn an_answer_in_another_framing_is_read_as_what_it_is() {
    let words = ["one", "two", "END"];
    let body = b"{\"text\":\"onetwo\"}".to_vec();
    let spread = b"{\n  \"text\":\n  \"onetwo\"\n}\n".to_vec();
    let events = b"data: one\n\ndata: two\n\ndata: END\n\n".to_vec();
    let marked = ["\u{FEFF}\r\n".as_bytes(), &lines(&words)].concat();
    let unended = lines(&words).trim_ascii_end().to_vec();
    let good = [
        (Framing::Ndjson, vec![lines(&words), marked, unended, spread.clone(), events.clone()]),
        (Framing::Aws, vec![messages(&words), body.clone(), spread, events]),
    ];
    for (framing, answers) in good {
        for mode in [Mode::Stream, Mode::Whole] {
            for size in [1, 2, 3, 1_000] {
                for bytes in &answers {
                    let text = String::from_utf8_lossy(bytes);
                    let found = framed(framing, mode, bytes, size);
                    assert_eq!(found, Ok("onetwo".to_owned()), "{framing:?} {mode:?} {size} {text}");
                }
                for bad in ["<html>", "{\"text\":", "[1,\n2]", "internal error", "{\n\"error\":\n\"x\"\n}"] {
                    let found = framed(framing, mode, bad.as_bytes(), size);
                    let is_cut_line =
                        framing == Framing::Ndjson && mode == Mode::Stream && bad.ends_with(':');
                    let expected = if is_cut_line { ErrorKind::Truncated } else { ErrorKind::Protocol };
                    assert_eq!(found, Err(expected), "{framing:?} {mode:?} {size} {bad}");
                }
                for cut in [&b""[..], b"\n\n", &lines(&["one"]), &messages(&["one"])] {
                    let is_other = cut.len() > 2 && (cut[0] == 0) != (framing == Framing::Aws);
                    let is_one_body = framing == Framing::Aws || mode == Mode::Whole;
                    let expected = if is_other || (cut.starts_with(b"{") && is_one_body) {
                        ErrorKind::Protocol
                    } else {
                        ErrorKind::Truncated
                    };
                    assert_eq!(
                        framed(framing, mode, cut, size),
                        Err(expected),
                        "{framing:?} {mode:?} {size} {cut:?}"
                    );
                }
            }
        }
    }
    assert_eq!(framed(Framing::Ndjson, Mode::Whole, &body, 3), Ok("onetwo".to_owned()));
}

#[test]
fn a_body_where_lines_were_expected_is_quoted() {
    let body = b"{\n  \"error\": {\n    \"message\": \"no such model\"\n  }\n}";
    for size in [1, 9, 1_000] {
        let reader = Box::new(Words::default());
        let mut decoder = Decoder::new(Mode::Stream, Limits::default(), reader).with_framing(Framing::Ndjson);
        body.chunks(size).for_each(|chunk| decoder.push(chunk).unwrap());
        let error = decoder.end().unwrap_err();
        assert!(error.body().is_some_and(|body| body.contains("no such model")), "{error}");
    }
}

#[test]
fn limits_hold_in_every_framing() {
    let long = "x".repeat(200);
    for framing in [Framing::Ndjson, Framing::Aws] {
        for bytes in [lines(&[&long]), messages(&[&long]), format!("{{\n\"a\":\"{long}\"}}").into_bytes()] {
            for size in [1, 10, 1_000] {
                let reader = Box::new(Words::default());
                let mut decoder =
                    Decoder::new(Mode::Stream, Limits::new(100, 100), reader).with_framing(framing);
                let outcome = bytes.chunks(size).try_for_each(|chunk| decoder.push(chunk));
                let kind = outcome.and_then(|()| decoder.end()).unwrap_err().kind();
                assert_eq!(kind, ErrorKind::TooLarge, "{framing:?} {size} {}", bytes.escape_ascii());
            }
        }
    }
}

#[test]
fn a_web_page_is_quoted() {
    let page = format!("\n <!DOCTYPE html>{}", "é".repeat(1 << 20));
    let mut decoder = Decoder::new(Mode::Stream, Limits::default(), Box::new(Words::default()));
    decoder.push(page.as_bytes()).unwrap();
    let error = decoder.end().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.body().is_some_and(|body| body.starts_with("<!DOCTYPE") && body.len() <= 64 << 10));
}

#[test]
fn limits_are_typed_errors() {
    for (mode, bytes) in [(Mode::Stream, "data: 0123456789"), (Mode::Whole, "{\"text\":\"0123456789\"}")] {
        let mut decoder = Decoder::new(mode, Limits::new(8, 8), Box::new(Words::default()));
        let pushed = decoder.push(bytes.as_bytes()).and_then(|()| decoder.end());
        assert_eq!(pushed.unwrap_err().kind(), ErrorKind::TooLarge, "{mode:?}");
    }
}

#[test]
fn events_before_an_error_are_still_there() {
    let mut decoder = Decoder::new(Mode::Stream, Limits::default(), Box::new(Words::default()));
    assert!(decoder.push(b"data: one\n\ndata: BAD\n\n").is_err());
    let events: Vec<_> = std::iter::from_fn(|| decoder.poll()).collect();
    assert!(matches!(&*events, [Event::Start(_), Event::Open { .. }, Event::Delta { .. }]), "{events:?}");
}

#[test]
fn a_frame_that_was_cut_is_no_protocol_error() {
    let mut decoder = Decoder::new(Mode::Stream, Limits::default(), Box::new(Words::default()));
    decoder.push(b"data: BAD").unwrap();
    assert_eq!(decoder.end().unwrap_err().kind(), ErrorKind::Truncated);
}

#[test]
fn the_end_of_the_stream_may_be_the_end_of_the_answer() {
    let words = Words { ends_at_eof: true, ..Words::default() };
    let mut decoder = Decoder::new(Mode::Stream, Limits::default(), Box::new(words));
    decoder.push(b"data: one\n\n").unwrap();
    assert!(!decoder.is_finished());
    decoder.end().unwrap();
    assert!(decoder.is_finished());
}

#[test]
fn raw_frames_stand_before_their_events() {
    let mut decoder =
        Decoder::new(Mode::Stream, Limits::default(), Box::new(Words::default())).with_raw(true);
    decoder.push(b"event: word\ndata: one\n\ndata: END\n\n").unwrap();
    let events: Vec<_> = std::iter::from_fn(|| decoder.poll()).collect();
    let Some(Event::Raw(frame)) = events.first() else { panic!("{events:?}") };
    assert_eq!((frame.name.as_deref(), &*frame.data), (Some("word"), "one"));
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Raw(_))).count(), 2);
    let mut decoder = Decoder::new(Mode::Whole, Limits::default(), Box::new(Words::default())).with_raw(true);
    decoder.push(b"{\"text\":\"x\"}").unwrap();
    decoder.end().unwrap();
    assert!(matches!(decoder.poll(), Some(Event::Raw(frame)) if &*frame.data == "{\"text\":\"x\"}"));
}

/// What a reader may do to its parts, sensible or not.
#[derive(Debug, Clone)]
enum Act {
    Start,
    Open(u8),
    Delta(u32),
    Close(u32),
    CloseAll,
    Usage,
    Other,
    Finish,
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        Just(Act::Start),
        any::<u8>().prop_map(Act::Open),
        (0..5u32).prop_map(Act::Delta),
        (0..5u32).prop_map(Act::Close),
        Just(Act::CloseAll),
        Just(Act::Usage),
        Just(Act::Other),
        Just(Act::Finish),
    ]
}

fn act(act: &Act, parts: &mut Parts) {
    match act {
        Act::Start => parts.start(Start::default()),
        Act::Open(kind) => {
            parts.open(if kind % 2 == 0 {
                Output::Text(Text::default())
            } else {
                Output::Reasoning(Reasoning::default())
            });
        }
        Act::Delta(at) => parts.text(*at, "x"),
        Act::Close(at) => parts.close(*at),
        Act::CloseAll => parts.close_all(),
        Act::Usage => {
            let mut usage = Usage::default();
            usage.input = Some(1);
            parts.usage(usage);
        }
        Act::Other => parts.warning(Warning::ignored("x", "y")),
        Act::Finish => parts.finish(Finish::new(FinishReason::Stop)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_reader_does_the_grammar_holds(acts in proptest::collection::vec(any_act(), 0..40)) {
        let mut parts = Parts::default();
        for item in &acts {
            act(item, &mut parts);
        }
        parts.finish(Finish::new(FinishReason::Stop));
        let mut grammar = Grammar::default();
        while let Some(event) = parts.poll() {
            grammar.check(&event).unwrap();
        }
        grammar.end().unwrap();
    }

    #[test]
    fn any_bytes_decode_or_fail(bytes in proptest::collection::vec(any::<u8>(), 0..100), size in 1..10usize) {
        for mode in [Mode::Stream, Mode::Whole] {
            let whole = decoded(mode, &bytes, 1_000);
            prop_assert_eq!(decoded(mode, &bytes, size), whole);
            for framing in [Framing::Ndjson, Framing::Aws] {
                let whole = framed(framing, mode, &bytes, 1_000);
                prop_assert_eq!(framed(framing, mode, &bytes, size), whole);
            }
        }
    }
}

#[test]
fn the_grammar_finds_every_violation() {
    let start = || Event::start(Start::default());
    let open = |at| Event::open(at, Output::Text(Text::default()));
    let text = |at| Event::delta(at, Delta::text("x"));
    let finish = || Event::finish(Finish::new(FinishReason::Stop));
    let bad: Vec<Vec<Event>> = vec![
        vec![open(0)],
        vec![start(), start()],
        vec![start(), open(1)],
        vec![start(), open(0), open(0)],
        vec![start(), text(0)],
        vec![start(), open(0), Event::delta(0, Delta::input("x"))],
        vec![start(), open(0), Event::close(0), text(0)],
        vec![start(), Event::close(0)],
        vec![start(), open(0), finish()],
        vec![start(), finish(), Event::warning(Warning::ignored("x", "y"))],
    ];
    for events in bad {
        let mut grammar = Grammar::default();
        let (last, good) = events.split_last().unwrap();
        assert!(good.iter().all(|event| grammar.check(event).is_ok()), "{events:?}");
        assert!(grammar.check(last).is_err(), "{events:?}");
    }
    assert!(Grammar::default().end().is_err());
    let mut grammar = Grammar::default();
    for event in
        [start(), open(0), open(1), text(0), text(1), Event::close(1), text(0), Event::close(0), finish()]
    {
        grammar.check(&event).unwrap();
    }
    grammar.end().unwrap();
}

/// Writes events and answers as the words of their texts.
#[derive(Debug)]
struct Plain;

impl Writer for Plain {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) -> Result<(), Error> {
        if let Event::Delta { delta: Delta::Text(piece), .. } = event {
            out.extend_from_slice(piece.as_bytes());
        }
        Ok(())
    }

    fn whole(&mut self, response: &Response, out: &mut Vec<u8>) -> Result<(), Error> {
        out.extend_from_slice(response.text().as_bytes());
        Ok(())
    }

    fn fail(&mut self, error: &Error, out: &mut Vec<u8>) {
        out.extend_from_slice(error.message().as_bytes());
    }
}

#[test]
fn an_encoder_writes_at_once_or_at_the_end() {
    let events = [
        Event::start(Start::default()),
        Event::open(0, Output::Text(Text::default())),
        Event::delta(0, Delta::text("one")),
        Event::close(0),
    ];
    for (mode, first) in [(Mode::Stream, "one"), (Mode::Whole, "")] {
        let mut encoder = Encoder::new(mode, Box::new(Plain));
        for event in &events {
            encoder.push(event).unwrap();
        }
        assert_eq!((&*encoder.take(), encoder.is_finished()), (first.as_bytes(), false), "{mode:?}");
        encoder.push(&Event::finish(Finish::new(FinishReason::Stop))).unwrap();
        assert!(encoder.is_finished());
        let rest = if mode == Mode::Whole { "one" } else { "" };
        assert_eq!(&*encoder.take(), rest.as_bytes());
        let mut encoder = Encoder::new(mode, Box::new(Plain));
        encoder.push(&events[0]).unwrap();
        encoder.fail(&Error::new(ErrorKind::Server, "broken"));
        assert_eq!((&*encoder.take(), encoder.is_finished()), (&b"broken"[..], true));
    }
    assert!(Encoder::new(Mode::Stream, Box::new(Plain)).content_type().starts_with("text/event-stream"));
    for (framing, expected) in
        [(Framing::Ndjson, "application/x-ndjson"), (Framing::Aws, "application/vnd.amazon.eventstream")]
    {
        let encoder = |mode| Encoder::new(mode, Box::new(Plain)).with_framing(framing);
        assert_eq!(encoder(Mode::Stream).content_type(), expected);
        assert_eq!(encoder(Mode::Whole).content_type(), "application/json");
    }
    assert_eq!(Encoder::new(Mode::Whole, Box::new(Plain)).content_type(), "application/json");
}

#[test]
fn an_object_is_read_in_two_steps() {
    let text = r#"{"a": 1.50, "b" : {"x":  [1]}, "c":null, "d\u0041":"e"}"#;
    let mut object = Object::parse(text).unwrap();
    assert_eq!(object.take::<f64>("a").unwrap(), Some(1.5));
    assert_eq!(object.take::<String>("c").unwrap(), None);
    assert_eq!(object.take::<String>("missing").unwrap(), None);
    assert_eq!(object.require::<String>("missing").unwrap_err().kind(), ErrorKind::InvalidRequest);
    assert_eq!(object.peek::<String>("dA").as_deref(), Some("e"));
    assert!(object.take::<u8>("b").unwrap_err().message().contains("`b`"));
    let mut object = Object::parse(text).unwrap();
    object.take_raw("a");
    let mut extra = interlingua_model::Extra::default();
    object.rest_into(&mut extra, "p");
    assert_eq!(extra.get("p", "b").map(Json::as_str), Some(r#"{"x":  [1]}"#), "verbatim");
    assert!(Object::parse("[]").is_err() && Object::from_slice(b"\xff").is_err());
}

#[test]
fn public_types_cross_threads() {
    fn check<T: Send + Sync>() {}
    fn check_send<T: Send>() {}
    check::<interlingua_wire::Call>();
    check::<interlingua_wire::Encoded>();
    check::<interlingua_wire::Reply>();
    check::<interlingua_wire::RateLimits>();
    check::<interlingua_wire::Mint>();
    check::<interlingua_wire::Provider>();
    check::<Grammar>();
    check::<Parts>();
    check::<interlingua_wire::frame::Sse>();
    check::<interlingua_wire::replay::Rules>();
    check::<Box<dyn interlingua_wire::Serve>>();
    check_send::<Decoder>();
    check_send::<Encoder>();
}

//! What lost a byte, or half of a character, costs an answer that character and a warning, in every protocol.

use interlingua_model::{Delta, Event, Finish, FinishReason, Output, Request, Start, Text};
use interlingua_wire::anthropic::Anthropic;
use interlingua_wire::bedrock::Bedrock;
use interlingua_wire::cohere::Cohere;
use interlingua_wire::frame::{Aws, Value, write_message};
use interlingua_wire::gemini::Gemini;
use interlingua_wire::gemini_interactions::GeminiInteractions;
use interlingua_wire::ollama::Ollama;
use interlingua_wire::openai_chat::OpenaiChat;
use interlingua_wire::openai_responses::OpenaiResponses;
use interlingua_wire::{Mint, Mode, Protocol, Serve};

use crate::check::{decode, decoded};

/// A letter of two bytes without its second, and half of a pair of escapes.
const BROKEN: [&[u8]; 2] = [b"\xc3", b"\\ud83d"];

fn codecs() -> [Box<dyn Serve>; 8] {
    [
        Box::new(OpenaiChat::default()),
        Box::new(OpenaiResponses::default()),
        Box::new(Anthropic::default()),
        Box::new(Gemini::default()),
        Box::new(GeminiInteractions::default()),
        Box::new(Bedrock::default()),
        Box::new(Cohere::default()),
        Box::new(Ollama::default()),
    ]
}

/// An answer of two pieces, as a service sends it.
fn sent(codec: &dyn Serve, mode: Mode, pieces: [&str; 2]) -> Vec<u8> {
    let mut encoder = codec.encoder(&Request::new("m"), mode, Mint::new(1, "x"));
    let [one, two] = pieces.map(|piece| Event::delta(0, Delta::text(piece)));
    let open = Event::open(0, Output::Text(Text::default()));
    let finish = Event::finish(Finish::new(FinishReason::Stop));
    for event in [Event::start(Start::default()), open, one, two, Event::close(0), finish] {
        encoder.push(&event).unwrap();
    }
    encoder.take().to_vec()
}

/// The bytes with every `é` replaced.
fn replaced(bytes: &[u8], by: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(2).position(|pair| pair == "é".as_bytes()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(by);
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
    out
}

fn broken(codec: &dyn Serve, mode: Mode, bytes: &[u8], by: &[u8]) -> Vec<u8> {
    if codec.protocol() != Protocol::Bedrock || mode == Mode::Whole {
        return replaced(bytes, by);
    }
    // Messages say how long they are, and what their bytes come to.
    let mut out = Vec::new();
    Aws::new(bytes.len())
        .push(bytes, &mut |frame| {
            let name = std::str::from_utf8(frame.name.unwrap()).unwrap();
            let headers = [(":event-type", Value::Text(name)), (":message-type", Value::Text("event"))];
            write_message(&headers, &replaced(frame.data, by), &mut out)
        })
        .unwrap();
    out
}

#[test]
fn a_broken_character_costs_itself_and_a_warning() {
    for codec in &codecs() {
        for (mode, by) in [Mode::Stream, Mode::Whole].into_iter().flat_map(|mode| BROKEN.map(|by| (mode, by)))
        {
            let protocol = codec.protocol();
            let bytes = sent(&**codec, mode, ["Sol é ", "y é."]);
            let read = decoded(&**codec, mode, &broken(&**codec, mode, &bytes, by));
            assert_eq!(read.error, None, "{protocol} {mode:?}");
            assert_eq!(read.response.text(), "Sol \u{fffd} y \u{fffd}.", "{protocol} {mode:?}");
            let warnings: Vec<String> = read.response.warnings.iter().map(ToString::to_string).collect();
            assert!(
                matches!(warnings.as_slice(), [warning] if warning.contains("U+FFFD")),
                "{protocol} {mode:?}: {warnings:?}"
            );
            let whole = decode(&**codec, mode, &bytes, &[]);
            assert!(whole.response.warnings.is_empty() && whole.response.text() == "Sol é y é.");
        }
    }
}

//! The laws that hold for every protocol, and what they are tried with. What a protocol can say is its own.

use interlingua_model::{
    Delta, Event, Extra, Finish, FinishReason, Fold, Json, Output, Request, Response, Start, Text,
};
use interlingua_wire::{Call, Codec, Limits, Mint, Mode, Serve};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::check::{decode, decode_in_full, decoded, events_round_trip, round_trip};

pub(crate) fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z0-9 .,\"\\\\{}\n]{1,60}", "\\PC{1,20}"]
}

pub(crate) fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z][a-zA-Z0-9_-]{0,20}"
}

/// The input of a call that is whole.
pub(crate) fn object() -> impl Strategy<Value = Json> {
    let written = words()
        .prop_map(|text| Json::from_text(format!(r#"{{ "text": {} , "n": 1.50}}"#, Json::string(&text))));
    prop_oneof![Just(Json::object()), written]
}

/// The input of a call, which may have been cut.
pub(crate) fn input() -> impl Strategy<Value = Json> {
    prop_oneof![2 => object(), 1 => Just(Json::from_text(r#"{"cut": "off"#))]
}

/// Perhaps a field that only its protocol knows.
pub(crate) fn extra(protocol: &'static str, field: &'static str) -> impl Strategy<Value = Extra> {
    prop::option::of(words()).prop_map(move |text| {
        text.map(|text| Extra::of(protocol, field, Json::string(&text))).unwrap_or_default()
    })
}

/// JSON of any shape whose names are those of a protocol.
pub(crate) fn shapes(
    leaf: impl Strategy<Value = serde_json::Value> + 'static,
    names: &'static [&'static str],
) -> BoxedStrategy<serde_json::Value> {
    leaf.prop_recursive(6, 60, 5, move |inner| {
        let fields = prop::collection::vec((prop::sample::select(names), inner.clone()), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(serde_json::Value::from),
            fields.prop_map(|fields| fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
    .boxed()
}

pub(crate) fn fold(events: &[Event]) -> Response {
    let mut fold = Fold::new();
    for event in events {
        fold.push(event);
    }
    fold.into_response().unwrap()
}

/// What the server half writes.
pub(crate) fn bytes(codec: &dyn Serve, events: &[Event], mode: Mode) -> Vec<u8> {
    let mut encoder = codec.encoder(&Request::new("m"), mode, Mint::new(1, "x"));
    for event in events {
        encoder.push(event).unwrap();
    }
    encoder.take().to_vec()
}

/// A text in two pieces, or one, or none.
pub(crate) fn in_pieces(text: &str, delta: &dyn Fn(&str) -> Delta) -> Vec<Delta> {
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
    let (head, tail) = text.split_at(middle);
    [head, tail].into_iter().filter(|text| !text.is_empty()).map(delta).collect()
}

/// L4 and L7: a request that the protocol can express comes back as it was, and nothing is said to be lost.
pub(crate) fn a_request_comes_back(codec: &dyn Serve, request: &Request, stream: bool) {
    let mode = if stream { Mode::Stream } else { Mode::Whole };
    assert_eq!(&round_trip(codec, request, mode), request);
    assert_eq!(codec.encode(request, mode).unwrap().warnings, vec![]);
}

/// L7: the body of a longer conversation begins with the bytes of the shorter one.
pub(crate) fn a_body_grows_at_its_end(codec: &dyn Codec, shorter: &Request, longer: &Request) {
    let body = |request: &Request| codec.encode(request, Mode::Stream).unwrap().call.body;
    let (shorter, longer) = (body(shorter), body(longer));
    assert!(longer.starts_with(shorter.strip_suffix(b"]}").unwrap()));
}

/// L3 and L8: what goes out through the server half comes back through the client half, in either mode.
pub(crate) fn an_answer_comes_back(codec: &dyn Serve, events: &[Event]) {
    let told = fold(events);
    for mode in [Mode::Stream, Mode::Whole] {
        let found = events_round_trip(codec, &Request::new("m"), mode, events);
        assert_eq!(found.error, None);
        assert_eq!(found.response, told, "in {mode:?}");
    }
}

/// L1 and L2: any split of the bytes decodes the same, and so does reading every frame in full.
pub(crate) fn a_split_does_not_matter(codec: &dyn Codec, bytes: &[u8], cuts: &[Index]) {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
    cuts.sort_unstable();
    let whole = decode(codec, Mode::Stream, bytes, &[]);
    assert_eq!(whole.events, decode(codec, Mode::Stream, bytes, &cuts).events);
    assert_eq!(whole.response, decode_in_full(codec, Mode::Stream, bytes).response);
}

/// Parts that overlap keep their text and their order.
pub(crate) fn overlapping_parts_are_told_apart(codec: &dyn Serve, texts: &[String]) -> Response {
    let mut events = vec![Event::start(Start::default())];
    let count = u32::try_from(texts.len()).unwrap();
    events.extend((0..count).map(|at| Event::open(at, Output::Text(Text::default()))));
    let deltas = (0..count).zip(texts).map(|(at, text)| Event::delta(at, Delta::text(text.as_str())));
    events.extend(deltas.rev());
    events.extend((0..count).rev().map(Event::close));
    events.push(Event::finish(Finish::new(FinishReason::Stop)));
    let back = events_round_trip(codec, &Request::new("m"), Mode::Stream, &events);
    assert_eq!(back.error, None);
    assert_eq!(back.response.text(), texts.concat());
    back.response
}

/// L6: any bytes give events or an error.
pub(crate) fn any_bytes_are_survived(codec: &dyn Codec, bytes: &[u8], stream: bool) {
    let mode = if stream { Mode::Stream } else { Mode::Whole };
    let mut decoder = codec.decoder(mode, Limits::default());
    let _ = decoder.push(bytes).and_then(|()| decoder.end());
    decode(codec, mode, bytes, &[]);
}

/// L6: so do an answer and a request of which some bytes were changed.
pub(crate) fn broken_bytes_do_no_harm(
    codec: &dyn Serve,
    events: &[Event],
    path: &str,
    breaks: &[(Index, u8)],
) {
    for mode in [Mode::Stream, Mode::Whole] {
        let mut bytes = bytes(codec, events, mode);
        for (at, byte) in breaks {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        decoded(codec, mode, &bytes);
        let _ = codec.decode_request(&Call::post(path, bytes));
    }
}

/// L6: so do events in any order.
pub(crate) fn shuffled_frames_do_no_harm(codec: &dyn Codec, bytes: &[u8], end: &str, order: &[Index]) {
    let text = std::str::from_utf8(bytes).unwrap();
    let frames: Vec<&str> = text.split_inclusive(end).collect();
    let shuffled: String = order.iter().map(|at| frames[at.index(frames.len())]).collect();
    decode(codec, Mode::Stream, shuffled.as_bytes(), &[]);
}

/// A stream that was damaged is events or an error, and one that was cut never passes for a whole one: it is an error
/// unless `is_whole` says that enough of it was there.
pub(crate) fn a_cut_stream_is_an_error(
    codec: &dyn Codec,
    mut bytes: Vec<u8>,
    at: Index,
    byte: u8,
    is_whole: impl Fn(usize, usize, &Response) -> bool,
) {
    let total = bytes.len();
    let at = at.index(total);
    bytes[at] = byte;
    decode(codec, Mode::Stream, &bytes, &[]);
    bytes.truncate(at);
    let cut = decoded(codec, Mode::Stream, &bytes);
    assert!(cut.error.is_some() || is_whole(at, total, &cut.response), "a cut stream passes for a whole one");
}

//! Server-sent events, against the WHATWG text and a simple parser of the whole.

use std::time::{Duration, Instant};

use interlingua_model::{Error, ErrorKind};
use interlingua_wire::frame::{Frame, Sse};
use proptest::prelude::*;

/// A frame that owns its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Owned {
    name: Option<String>,
    data: String,
    id: Option<String>,
    cut: bool,
}

fn owned(frame: &Frame<'_>) -> Owned {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Owned { name: frame.name.map(text), data: text(frame.data), id: frame.id.map(text), cut: frame.cut }
}

fn split<'b>(chunks: impl IntoIterator<Item = &'b [u8]>, limit: usize) -> Result<Vec<Owned>, Error> {
    let mut sse = Sse::new(limit);
    let mut frames = Vec::new();
    let mut take = |frame: &Frame<'_>| {
        frames.push(owned(frame));
        Ok(())
    };
    for chunk in chunks {
        sse.push(chunk, &mut take)?;
    }
    sse.end(&mut take)?;
    Ok(frames)
}

/// The whole text at once, by the letter of the standard, but for the last event, which need not be complete.
fn reference(bytes: &[u8]) -> Vec<Owned> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes).into_owned();
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut frames = Vec::new();
    let (mut name, mut id, mut data): (Option<String>, Option<String>, Option<String>) = (None, None, None);
    let mut rest = &*lines;
    loop {
        let (line, is_last) = match rest.split_once('\n') {
            Some((line, tail)) => {
                rest = tail;
                (line, false)
            }
            None => (std::mem::take(&mut rest), true),
        };
        if line.is_empty() || is_last {
            if !line.is_empty() {
                field(line, &mut name, &mut id, &mut data);
            }
            if let Some(data) = data.take() {
                let name = name.take().filter(|name| !name.is_empty());
                frames.push(Owned { name, data, id: id.take(), cut: is_last });
            }
            (name, id) = (None, None);
        } else {
            field(line, &mut name, &mut id, &mut data);
        }
        if is_last {
            return frames;
        }
    }
}

fn field(line: &str, name: &mut Option<String>, id: &mut Option<String>, data: &mut Option<String>) {
    let (key, value) = line.split_once(':').unwrap_or((line, ""));
    let value = value.strip_prefix(' ').unwrap_or(value);
    match key {
        "event" => *name = Some(value.to_owned()),
        "id" if !value.contains('\0') => *id = Some(value.to_owned()),
        "data" => match data {
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => *data = Some(value.to_owned()),
        },
        _ => {}
    }
}

fn whole(text: &str) -> Vec<(Option<String>, String)> {
    let frames = split([text.as_bytes()], 1 << 20).unwrap();
    frames.into_iter().map(|frame| (frame.name, frame.data)).collect()
}

fn data(text: &str) -> Vec<String> {
    whole(text).into_iter().map(|(_, data)| data).collect()
}

#[test]
fn the_examples_of_the_standard() {
    assert_eq!(data("data: YHOO\ndata: +2\ndata: 10\n\n"), ["YHOO\n+2\n10"]);
    let text = ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
    let frames = split([text.as_bytes()], 100).unwrap();
    let found: Vec<_> = frames.iter().map(|frame| (&*frame.data, frame.id.as_deref())).collect();
    assert_eq!(found, [("first event", Some("1")), ("second event", Some("")), (" third event", None)]);
    assert_eq!(data("data\n\ndata\ndata\n\ndata:\n\n"), ["", "\n", ""]);
    assert_eq!(data("data:test\n\ndata: test\n\n"), ["test", "test"]);
    let text = "event: add\ndata: 1\n\nevent: remove\ndata: 2\n\ndata: 3\n\n";
    let names: Vec<_> = whole(text).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [Some("add".to_owned()), Some("remove".to_owned()), None],
        "a name holds for one event"
    );
}

#[test]
fn what_is_no_event() {
    assert!(data("").is_empty());
    assert!(data("\n\n\r\r\r\n\r\n").is_empty());
    assert!(data(": only\n: comments\n\n").is_empty());
    assert!(data("event: x\nid: 1\nretry: 10\n\n").is_empty(), "without data");
    assert_eq!(data("event: x\n\ndata: 1\n\n"), ["1"]);
    assert_eq!(
        whole("event: x\n\ndata: 1\n\n"),
        [(None, "1".to_owned())],
        "the name of an event without data is gone"
    );
    assert_eq!(whole("event:\ndata: 1\n\n"), [(None, "1".to_owned())]);
    assert_eq!(data("datax: 1\ndata : 2\nDATA: 3\ndata: 4\n\n"), ["4"]);
}

#[test]
fn an_id_with_a_null_is_ignored() {
    let frames = split([&b"id: 1\nid: a\0b\ndata: x\n\n"[..]], 100).unwrap();
    assert_eq!(frames[0].id.as_deref(), Some("1"));
}

#[test]
fn a_byte_order_mark_is_skipped_once() {
    for cut in 0..6 {
        let bytes = b"\xEF\xBB\xBFdata: 1\n\n";
        let (left, right) = bytes.split_at(cut);
        assert_eq!(split([left, right], 100).unwrap()[0].data, "1", "cut at {cut}");
    }
    assert!(data("\u{FEFF}\u{FEFF}data: 1\n\n").is_empty(), "the second belongs to the name of a field");
    for prefix in [&b"\xEF"[..], b"\xEF\xBB", b"\xEF\xBBx"] {
        let bytes = [prefix, b"\ndata: 1\n\n"].concat();
        for cut in 0..bytes.len() {
            let (left, right) = bytes.split_at(cut);
            assert_eq!(split([left, right], 100).unwrap().len(), 1, "{prefix:?} cut at {cut}");
        }
        assert!(split([prefix], 100).unwrap().is_empty());
    }
}

#[test]
fn the_last_event_needs_no_blank_line() {
    for text in ["data: 1", "data: 1\n", "data: 1\r", "data: 1\r\n", "event: x\ndata: 1"] {
        let frames = split([text.as_bytes()], 100).unwrap();
        assert_eq!((frames.len(), &*frames[0].data, frames[0].cut), (1, "1", true), "{text:?}");
    }
    for text in ["data: 1\n\n", "data: 1\r\r", "data: 1\r\n\r\n", "data: 1\n\r"] {
        assert!(!split([text.as_bytes()], 100).unwrap()[0].cut, "{text:?}");
    }
}

#[test]
fn a_frame_beyond_the_limit_is_an_error() {
    let line = format!("data: {}\n\n", "x".repeat(100));
    assert!(split([line.as_bytes()], 200).is_ok());
    let many = "data: x\n".repeat(100) + "\n";
    for text in [&line, &many] {
        for size in [1, 7, 50, 1_000] {
            let error = split(text.as_bytes().chunks(size), 60).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge, "in chunks of {size}");
        }
    }
    let small = "data: 0123456789\n\n".repeat(1_000);
    assert_eq!(split([small.as_bytes()], 60).unwrap().len(), 1_000, "the limit is one of frames");
    assert_eq!(split(small.as_bytes().chunks(7), 60).unwrap().len(), 1_000);
}

#[test]
fn comments_and_unknown_fields_take_no_memory() {
    let comments = ": keep-alive, keep-alive\n".repeat(100_000);
    for size in [1 << 20, 1_000, 13] {
        assert!(split(comments.as_bytes().chunks(size), 64).unwrap().is_empty(), "in chunks of {size}");
    }
    let inside = format!("data: 1\n{}data: 2\n\n", ": keep-alive\nretry: 1\n".repeat(10_000));
    for size in [1 << 20, 1_000, 13] {
        assert_eq!(split(inside.as_bytes().chunks(size), 64).unwrap()[0].data, "1\n2", "in chunks of {size}");
    }
    let names = format!("{}data: 1\n\n", "event: x\nid: 1\n".repeat(10_000));
    for size in [1 << 20, 1_000, 13] {
        assert_eq!(split(names.as_bytes().chunks(size), 64).unwrap()[0].data, "1", "in chunks of {size}");
    }
}

#[test]
fn long_lines_in_many_pieces_are_whole() {
    let long = "x".repeat(70_000);
    let other = "y".repeat(70_000);
    let cases = [
        (format!("data: {long}\n\n"), vec![long.clone()]),
        (format!("data:{long}\ndata: {other}\n\ndata: z\n\n"), vec![format!("{long}\n{other}"), "z".into()]),
        (format!("data: z\ndata: {long}\nevent: e\n\n"), vec![format!("z\n{long}")]),
        (format!("data: {long}\ndata\n\n"), vec![format!("{long}\n")]),
    ];
    for (text, expected) in cases {
        for size in [4096, 65_536, text.len()] {
            let frames = split(text.as_bytes().chunks(size), 1 << 20).unwrap();
            assert!(frames == reference(text.as_bytes()), "in pieces of {size}");
            let found: Vec<_> = frames.into_iter().map(|frame| frame.data).collect();
            assert!(found == expected, "in pieces of {size}");
        }
    }
}

#[test]
fn time_is_linear() {
    let long = format!("data: {}\n\n", "x".repeat(4 << 20));
    let begun = Instant::now();
    assert_eq!(split(long.as_bytes().chunks(8 << 10), 8 << 20).unwrap()[0].data.len(), 4 << 20);
    let lines = format!("{}\n", "data: x\n".repeat(200_000));
    for size in [1, 100, 8 << 10, 4 << 20] {
        assert_eq!(split(lines.as_bytes().chunks(size), 8 << 20).unwrap()[0].data.len(), 399_999);
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn what_the_receiver_says_comes_back() {
    let mut sse = Sse::new(100);
    let outcome = sse.push(b"data: 1\n\n", &mut |_| Err(Error::new(ErrorKind::Protocol, "no")));
    assert_eq!(outcome.unwrap_err().message(), "no");
}

fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just("\n"), 2 => Just("\r"), 2 => Just("\r\n"), 3 => Just("data: "), 2 => Just("data:"), 1 => Just("data"),
        1 => Just("event: "), 1 => Just("event"), 1 => Just("id: "), 1 => Just("id:\0"), 1 => Just(": comment"),
        1 => Just("retry: 5"), 3 => Just("word"), 1 => Just(" "), 1 => Just(":"), 1 => Just("é"), 1 => Just("\u{FEFF}"),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_what_the_reference_gives(bytes in any_text(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let expected = reference(&bytes);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        let mut chunks = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([bytes.len()]) {
            chunks.push(&bytes[from..cut]);
            from = cut;
        }
        prop_assert_eq!(&split(chunks, 1 << 20).unwrap(), &expected);
        prop_assert_eq!(&split([&*bytes], 1 << 20).unwrap(), &expected);
        prop_assert_eq!(&split(bytes.chunks(1), 1 << 20).unwrap(), &expected);
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), size in 1..20usize) {
        if let Ok(frames) = split(bytes.chunks(size), 64) {
            prop_assert!(frames.iter().all(|frame| frame.data.len() <= 200));
        }
    }
}

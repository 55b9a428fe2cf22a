//! Lines of JSON, against a simple parser of the whole.

use std::time::{Duration, Instant};

use interlingua_model::{Error, ErrorKind};
use interlingua_wire::frame::{Frame, Ndjson};
use proptest::prelude::*;

type Lines = Vec<(Vec<u8>, bool)>;

fn split<'b>(chunks: impl IntoIterator<Item = &'b [u8]>, limit: usize) -> Result<Lines, Error> {
    let mut lines = Ndjson::new(limit);
    let mut frames = Vec::new();
    let mut take = |frame: &Frame<'_>| {
        assert!(frame.name.is_none() && frame.id.is_none() && frame.headers.is_empty());
        frames.push((frame.data.to_vec(), frame.cut));
        Ok(())
    };
    for chunk in chunks {
        lines.push(chunk, &mut take)?;
    }
    lines.end(&mut take)?;
    Ok(frames)
}

/// The whole text at once.
fn reference(bytes: &[u8]) -> Lines {
    let count = bytes.split(|byte| *byte == b'\n').count();
    let mut is_first = true;
    let mut frames = Vec::new();
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let mut line = line.trim_ascii();
        if is_first && !line.is_empty() {
            is_first = false;
            line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
        }
        if !line.is_empty() {
            frames.push((line.to_vec(), number + 1 == count));
        }
    }
    frames
}

#[test]
fn lines_are_frames_and_blank_ones_are_none() {
    let found = split([&b"\xEF\xBB\xBF{\"a\":1}\r\n\n  \r\n\t{\"b\":2} \n{\"c\""[..]], 100).unwrap();
    let expected: Lines =
        vec![(b"{\"a\":1}".into(), false), (b"{\"b\":2}".into(), false), (b"{\"c\"".into(), true)];
    assert_eq!(found, expected);
    for blank in ["", "\n", "\r\n\r\n", "  \t", "\u{FEFF}\n"] {
        assert!(split([blank.as_bytes()], 100).unwrap().is_empty(), "{blank:?}");
    }
}

#[test]
fn a_line_beyond_the_limit_is_an_error() {
    let line = format!("{}\n", "x".repeat(100));
    for size in [1, 7, 50, 1_000] {
        assert_eq!(split(line.as_bytes().chunks(size), 100).unwrap().len(), 1, "in chunks of {size}");
        let error = split(line.as_bytes().chunks(size), 60).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "in chunks of {size}");
        let many = "0123456789\n".repeat(1_000);
        let found = split(many.as_bytes().chunks(size), 10).unwrap();
        assert_eq!(found.len(), 1_000, "the limit is one of lines");
    }
}

#[test]
fn white_space_between_lines_takes_no_memory() {
    let blank = " \r\n\t\n   ".repeat(100_000);
    for size in [1 << 20, 1_000, 13] {
        let text = format!("{blank}\n1\n{blank}");
        assert_eq!(split(text.as_bytes().chunks(size), 8).unwrap(), [(b"1".to_vec(), false)]);
    }
}

#[test]
fn time_is_linear() {
    let long = format!("{}\n", "x".repeat(4 << 20));
    let begun = Instant::now();
    assert_eq!(split(long.as_bytes().chunks(8 << 10), 8 << 20).unwrap()[0].0.len(), 4 << 20);
    let lines = "x\n".repeat(200_000);
    for size in [1, 100, 8 << 10, 4 << 20] {
        assert_eq!(split(lines.as_bytes().chunks(size), 8).unwrap().len(), 200_000);
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn what_the_receiver_says_comes_back() {
    let mut lines = Ndjson::new(100);
    for bytes in [&b"1\n"[..], b"2", b"\n"] {
        let outcome = lines.push(bytes, &mut |_| Err(Error::new(ErrorKind::Protocol, "no")));
        assert_eq!(outcome.is_err(), bytes.ends_with(b"\n"));
    }
}

fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just("\n"), 2 => Just("\r"), 2 => Just("\r\n"), 3 => Just("{\"a\":1}"), 2 => Just("word"), 1 => Just(" "),
        1 => Just("é"), 1 => Just("\u{FEFF}"),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_what_the_reference_gives(bytes in any_text(), size in 1..20usize) {
        let expected = reference(&bytes);
        prop_assert_eq!(&split([&*bytes], 1 << 20).unwrap(), &expected);
        prop_assert_eq!(&split(bytes.chunks(size), 1 << 20).unwrap(), &expected);
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1..20usize) {
        let whole = split([&*bytes], 40);
        prop_assert_eq!(split(bytes.chunks(size), 40).ok(), whole.ok());
    }
}

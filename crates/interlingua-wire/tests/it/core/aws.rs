//! AWS event streams, against messages that AWS's own decoder reads.

use std::time::{Duration, Instant};

use interlingua_model::{Error, ErrorKind};
use interlingua_wire::frame::{Aws, Frame, Value, write_message};
use proptest::prelude::*;

const EMPTY: &str = "000000100000000005c248eb7d98c8ff";
const EVENT: &str = "0000009400000057b4ab9aee0b3a6576656e742d74797065070011636f6e74656e74426c6f636b44656c74610d3a636f6e74656e742d74\
    7970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22636f6e74656e74426c6f\
    636b496e646578223a302c2264656c7461223a7b2274657874223a224869227d7d1f944657";
const EXCEPTION: &str = "00000090000000618e91a9b70f3a657863657074696f6e2d747970650700137468726f74746c696e67457863657074696f6e0d3a636f6e74\
    656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d74797065070009657863657074696f6e7b226d\
    657373616765223a22546f6f206d616e79207265717565737473227de67f8005";

/// A message that owns its bytes: name, headers as they print, payload.
type Owned = (Option<String>, String, Vec<u8>);

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn split<'b>(chunks: impl IntoIterator<Item = &'b [u8]>, limit: usize) -> (Vec<Owned>, Result<(), Error>) {
    let mut messages = Aws::new(limit);
    let mut found = Vec::new();
    let mut take = |frame: &Frame<'_>| {
        let name = frame.name.map(|name| String::from_utf8_lossy(name).into_owned());
        found.push((name, format!("{:?}", frame.headers), frame.data.to_vec()));
        Ok(())
    };
    let outcome = chunks.into_iter().try_for_each(|chunk| messages.push(chunk, &mut take));
    (found, outcome.and_then(|()| messages.end()))
}

fn kind(bytes: &[u8], limit: usize) -> Option<ErrorKind> {
    let whole = split([bytes], limit);
    for size in [1, 5, 13] {
        let pieces = split(bytes.chunks(size), limit);
        assert_eq!(pieces.0, whole.0, "in chunks of {size}");
        let kinds = [&pieces.1, &whole.1].map(|outcome| outcome.as_ref().err().map(Error::kind));
        assert_eq!(kinds[0], kinds[1], "in chunks of {size}");
    }
    whole.1.err().map(|error| error.kind())
}

#[test]
fn known_messages_are_read_and_written() {
    let bytes = [bytes_of(EMPTY), bytes_of(EVENT), bytes_of(EXCEPTION)].concat();
    let (found, outcome) = split([&*bytes], 1 << 20);
    outcome.unwrap();
    let names: Vec<_> = found.iter().map(|(name, ..)| name.as_deref()).collect();
    assert_eq!(names, [None, Some("contentBlockDelta"), Some("throttlingException")]);
    assert_eq!(found[1].2, br#"{"contentBlockIndex":0,"delta":{"text":"Hi"}}"#);
    assert_eq!(
        found[2].1,
        r#"{":exception-type": Text("throttlingException"), ":content-type": Text("application/json"), ":message-type": Text("exception")}"#
    );
    let mut written = Vec::new();
    let json = (":content-type", Value::Text("application/json"));
    write_message(&[], b"", &mut written).unwrap();
    let event =
        [(":event-type", Value::Text("contentBlockDelta")), json, (":message-type", Value::Text("event"))];
    write_message(&event, &found[1].2, &mut written).unwrap();
    let exception = [
        (":exception-type", Value::Text("throttlingException")),
        json,
        (":message-type", Value::Text("exception")),
    ];
    write_message(&exception, &found[2].2, &mut written).unwrap();
    assert_eq!(written, bytes);
}

#[test]
fn every_kind_of_header_is_read() {
    let headers = [
        ("true", Value::Bool(true)),
        ("false", Value::Bool(false)),
        ("i8", Value::I8(-8)),
        ("i16", Value::I16(-1600)),
        ("i32", Value::I32(i32::MIN)),
        ("i64", Value::I64(i64::MAX)),
        ("bytes", Value::Bytes(&[0, 255])),
        (":error-code", Value::Text("500 é")),
        ("time", Value::Timestamp(1_795_000_000_000)),
        ("uuid", Value::Uuid([7; 16])),
        ("", Value::Bytes(&[])),
    ];
    let mut bytes = Vec::new();
    write_message(&headers, b"payload", &mut bytes).unwrap();
    let mut seen = 0;
    let mut messages = Aws::new(1 << 20);
    messages
        .push(&bytes, &mut |frame| {
            seen += 1;
            assert_eq!(frame.headers.iter().collect::<Vec<_>>(), headers);
            assert_eq!(frame.name, Some("500 é".as_bytes()));
            assert_eq!((frame.headers.text(":error-code"), frame.headers.text("i8")), (Some("500 é"), None));
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn what_is_too_long_is_not_written() {
    let (name, text) = ("x".repeat(256), "y".repeat(65_536));
    for header in [(&*name, Value::Bool(true)), ("x", Value::Text(&text))] {
        let mut out = b"before".to_vec();
        let error = write_message(&[header], b"", &mut out).unwrap_err();
        assert_eq!((error.kind(), &*out), (ErrorKind::TooLarge, &b"before"[..]));
    }
}

#[test]
fn a_cut_message_is_truncated() {
    let bytes = [bytes_of(EVENT), bytes_of(EXCEPTION)].concat();
    let first = bytes_of(EVENT).len();
    for end in 1..bytes.len() {
        let expected = (end != first).then_some(ErrorKind::Truncated);
        assert_eq!(kind(&bytes[..end], 1 << 20), expected, "cut at {end}");
    }
}

#[test]
fn every_broken_byte_is_seen() {
    let bytes = bytes_of(EVENT);
    for at in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut broken = bytes.clone();
            broken[at] ^= bit;
            assert_eq!(kind(&broken, 1 << 20), Some(ErrorKind::Protocol), "byte {at}");
        }
    }
}

/// A message with right checksums and these lengths.
fn forged(length: u32, headers: u32, inside: &[u8]) -> Vec<u8> {
    let mut bytes = [length.to_be_bytes(), headers.to_be_bytes()].concat();
    bytes.extend(checksum(&bytes).to_be_bytes());
    bytes.extend(inside);
    bytes.extend(checksum(&bytes).to_be_bytes());
    bytes
}

/// CRC-32, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

#[test]
fn lengths_that_lie_are_errors() {
    assert_eq!(forged(16, 0, b""), bytes_of(EMPTY));
    for (length, headers) in [(0, 0), (15, 0), (16, 1), (40, 25), (u32::MAX, u32::MAX), (16, u32::MAX)] {
        assert_eq!(
            kind(&forged(length, headers, b""), 1 << 20),
            Some(ErrorKind::Protocol),
            "{length} {headers}"
        );
    }
    assert_eq!(kind(&forged(u32::MAX, 0, b""), 1 << 20), Some(ErrorKind::TooLarge));
    assert_eq!(kind(&forged(101, 0, &[0; 85]), 100), Some(ErrorKind::TooLarge));
    assert_eq!(kind(&forged(100, 0, &[0; 84]), 100), None);
}

#[test]
fn malformed_headers_are_errors() {
    let bad: [&[u8]; 9] = [
        b"\x01",
        b"\x01a",
        b"\x01a\x0a",
        b"\x01a\x02",
        b"\x01a\x05\0\0\0\0\0\0\0",
        b"\x01a\x07\0\x05abcd",
        b"\x01a\x07\0\x01\xff",
        b"\x01\xff\x00",
        b"\x01a\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ];
    for headers in bad {
        let length = u32::try_from(headers.len()).unwrap();
        assert_eq!(
            kind(&forged(16 + length, length, headers), 1 << 20),
            Some(ErrorKind::Protocol),
            "{headers:?}"
        );
    }
}

#[test]
fn time_is_linear() {
    let begun = Instant::now();
    let mut long = Vec::new();
    write_message(&[(":event-type", Value::Text("x"))], &vec![b'x'; 4 << 20], &mut long).unwrap();
    for size in [100, 8 << 10, 8 << 20] {
        assert_eq!(split(long.chunks(size), 8 << 20).0[0].2.len(), 4 << 20);
    }
    let many = bytes_of(EMPTY).repeat(100_000);
    for size in [1, 100, 8 << 10, 4 << 20] {
        assert_eq!(split(many.chunks(size), 100).0.len(), 100_000);
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

#[test]
fn what_the_receiver_says_comes_back() {
    let bytes = bytes_of(EMPTY);
    for size in [1, 100] {
        let mut messages = Aws::new(100);
        let outcome = bytes
            .chunks(size)
            .try_for_each(|chunk| messages.push(chunk, &mut |_| Err(Error::new(ErrorKind::Protocol, "no"))));
        assert_eq!(outcome.unwrap_err().message(), "no");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_messages_that_were_written(
        payloads in proptest::collection::vec((any::<[u8; 3]>(), proptest::collection::vec(any::<u8>(), 0..60)), 0..8),
        size in 1..50usize,
    ) {
        let mut bytes = Vec::new();
        for (name, payload) in &payloads {
            let header = (":event-type", Value::Bytes(name));
            write_message(&[header], payload, &mut bytes).unwrap();
        }
        for size in [size, 1, 10_000] {
            let (found, outcome) = split(bytes.chunks(size), 1 << 10);
            outcome.unwrap();
            prop_assert!(found.iter().map(|(.., data)| data).eq(payloads.iter().map(|(_, data)| data)));
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if kind(&bytes, 100).is_none() {
            prop_assert!(bytes.is_empty());
        }
    }
}

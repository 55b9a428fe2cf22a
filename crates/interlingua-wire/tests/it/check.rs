//! The one check of each boundary. Cases are folders under `tests/cases/<protocol>/<case>/`.
//!
//! A case holds `stream.sse`, `stream.ndjson`, `stream.aws` (see `core/messages.rs`) or `body.json` (what the provider sends, status 200),
//! or `refusal.json` (`status`, `headers`, `body`), and `expected.json`, which is rewritten when the environment has `UPDATE_EXPECTED=1`.

use std::fs;
use std::path::{Path, PathBuf};

use http::HeaderMap;
use interlingua_model::{Error, Event, Fold, Request, Response};
use interlingua_wire::{Call, Codec, Grammar, Limits, Mint, Mode, Refusal, Serve};
use serde::{Deserialize, Serialize};

use crate::core::messages::bytes_of;

/// What one answer decoded to.
#[derive(Debug, Clone)]
pub(crate) struct Decoded {
    pub(crate) events: Vec<Event>,
    pub(crate) error: Option<String>,
    pub(crate) response: Response,
}

/// What a case expects: the folded answer, and the error with which it ended, if it did.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Expected {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response: Option<Response>,
}

#[derive(Deserialize)]
struct RefusalFile {
    status: u16,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    body: serde_json::Value,
}

/// Decodes with the given cuts, checks the grammar on the way.
pub(crate) fn decode(codec: &dyn Codec, mode: Mode, bytes: &[u8], cuts: &[usize]) -> Decoded {
    drain(codec.decoder(mode, Limits::default()), bytes, cuts)
}

/// Decodes with every frame read in full.
pub(crate) fn decode_in_full(codec: &dyn Codec, mode: Mode, bytes: &[u8]) -> Decoded {
    drain(codec.decoder(mode, Limits::default()).with_shortcut(false), bytes, &[])
}

fn drain(mut decoder: interlingua_wire::Decoder, bytes: &[u8], cuts: &[usize]) -> Decoded {
    let (mut grammar, mut fold, mut events) = (Grammar::default(), Fold::new(), Vec::new());
    let mut take = |decoder: &mut interlingua_wire::Decoder, events: &mut Vec<Event>| {
        while let Some(event) = decoder.poll() {
            grammar.check(&event).unwrap_or_else(|violation| panic!("{violation}\nafter {events:#?}"));
            fold.push(&event);
            events.push(event);
        }
    };
    let mut outcome = Ok(());
    let mut from = 0;
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        outcome = decoder.push(&bytes[from..cut]);
        take(&mut decoder, &mut events);
        from = cut;
        if outcome.is_err() {
            break;
        }
    }
    if outcome.is_ok() {
        outcome = decoder.end();
        take(&mut decoder, &mut events);
    }
    if outcome.is_ok() {
        grammar.end().unwrap_or_else(|violation| panic!("{violation}: {events:#?}"));
    }
    Decoded { error: outcome.err().map(|error| describe(&error)), response: fold.response(), events }
}

/// Decodes in one piece and byte by byte, which must agree (L1, L2).
pub(crate) fn decoded(codec: &dyn Codec, mode: Mode, bytes: &[u8]) -> Decoded {
    let whole = decode(codec, mode, bytes, &[]);
    let every: Vec<usize> = (1..bytes.len()).collect();
    let pieces = decode(codec, mode, bytes, &every);
    assert_eq!(whole.events, pieces.events, "cut at every byte, the events differ");
    let full = decode_in_full(codec, mode, bytes);
    assert_eq!(whole.events, full.events, "with every frame read in full, the events differ");
    assert_eq!(whole.error, full.error, "with every frame read in full, the error differs");
    assert_eq!(whole.error, pieces.error, "cut at every byte, the outcome differs");
    whole
}

/// Runs every case of a protocol. There must be at least one.
pub(crate) fn cases(codec_of: &dyn Fn(&str) -> Box<dyn Serve>, protocol: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(protocol);
    let mut folders: Vec<PathBuf> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty(), "no cases in {}", root.display());
    let failures: Vec<String> = folders.iter().filter_map(|folder| case(codec_of, folder)).collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases fail:\n{}",
        failures.len(),
        folders.len(),
        failures.join("\n")
    );
}

fn case(codec_of: &dyn Fn(&str) -> Box<dyn Serve>, folder: &Path) -> Option<String> {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let codec = codec_of(&name);
    let found = observed(&*codec, folder);
    let path = folder.join("expected.json");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
        return None;
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let expected: Expected =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (found != expected).then(|| format!("{name}: found {}", serde_json::to_string_pretty(&found).unwrap()))
}

fn observed(codec: &dyn Codec, folder: &Path) -> Expected {
    let stream = ["stream.sse", "stream.ndjson"].iter().find_map(|name| fs::read(folder.join(name)).ok());
    if let Some(bytes) = stream {
        return expected(decoded(codec, Mode::Stream, &bytes));
    }
    if let Ok(text) = fs::read_to_string(folder.join("stream.aws")) {
        return expected(decoded(codec, Mode::Stream, &bytes_of(&text)));
    }
    if let Ok(bytes) = fs::read(folder.join("body.json")) {
        return expected(decoded(codec, Mode::Whole, &bytes));
    }
    let text = fs::read_to_string(folder.join("refusal.json")).unwrap();
    let file: RefusalFile = serde_json::from_str(&text).unwrap();
    let headers: HeaderMap =
        file.headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let body = match &file.body {
        serde_json::Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let error = codec.refusal(&Refusal::new(file.status, &headers, body.as_bytes()));
    Expected { error: Some(describe(&error)), response: None }
}

fn expected(decoded: Decoded) -> Expected {
    Expected { error: decoded.error, response: Some(decoded.response) }
}

/// An error in one line, for comparison.
pub(crate) fn describe(error: &Error) -> String {
    format!("{:?} {:?} {:?}: {}", error.kind(), error.retry(), error.code().unwrap_or("-"), error.message())
}

/// A request goes out and comes back (L4); the encoding is deterministic (L7).
pub(crate) fn round_trip(codec: &dyn Serve, request: &Request, mode: Mode) -> Request {
    let encoded = codec.encode(request, mode).unwrap();
    let again = codec.encode(request, mode).unwrap();
    assert_eq!(encoded.call.body, again.call.body, "encoding the same request twice gives other bytes");
    let (back, mode_back) = codec.decode_request(&encoded.call).unwrap_or_else(|error| {
        panic!("{error}\nin {}", String::from_utf8_lossy(&encoded.call.body));
    });
    assert_eq!(mode_back, mode);
    back
}

/// Events go out through the server half and come back through the client half (L8).
pub(crate) fn events_round_trip(codec: &dyn Serve, asked: &Request, mode: Mode, events: &[Event]) -> Decoded {
    let mut encoder = codec.encoder(asked, mode, Mint::new(1_795_000_000, "0a1b2c"));
    for event in events {
        encoder.push(event).unwrap();
    }
    assert!(encoder.is_finished());
    decode(codec, mode, &encoder.take(), &[])
}

/// A call as a client of the provider would make it.
pub(crate) fn call(path: &str, headers: &[(&'static str, &str)], body: &serde_json::Value) -> Call {
    let mut call = Call::post(path, body.to_string());
    for (name, value) in headers {
        call.headers.insert(*name, value.parse().unwrap());
    }
    call
}

/// The recorded exchanges of a protocol, or `None` where the collection is absent, which is said aloud.
pub(crate) fn corpus(protocol: &str) -> Option<PathBuf> {
    let root = std::env::var_os("INTERLINGUA_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"), PathBuf::from);
    let folder = root.join(protocol);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no recorded traffic at {}", folder.display());
    None
}

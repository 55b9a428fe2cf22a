//! Recorded traffic, for protocols whose recordings are all of one kind: everything must be read, served and asked again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use http::HeaderMap;
use interlingua_model::{Request, Response};
use interlingua_wire::{Call, Codec, Mode, Refusal, Serve};
use serde::Deserialize;

use crate::check::{Decoded, corpus, decode, decode_in_full, events_round_trip};

#[derive(Deserialize)]
struct Meta {
    status: u16,
    #[serde(default)]
    streaming: bool,
}

#[derive(Deserialize)]
struct Explained {
    #[serde(default)]
    explained: Vec<Explanation>,
}

#[derive(Deserialize)]
struct Explanation {
    name: String,
    reason: String,
}

fn recordings(protocol: &str) -> Vec<PathBuf> {
    let Some(root) = corpus(protocol) else { return Vec::new() };
    let mut found = Vec::new();
    for provider in fs::read_dir(root).unwrap() {
        for recording in fs::read_dir(provider.unwrap().path()).unwrap() {
            found.push(recording.unwrap().path());
        }
    }
    found.sort();
    found
}

fn name(folder: &Path) -> String {
    let names: Vec<_> = folder.iter().rev().take(3).map(|name| name.to_string_lossy()).collect();
    names.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// The recordings that are known not to be whole answers, with our reason.
pub(crate) fn explained(file: &str) -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(file).with_extension("toml");
    let list: Explained = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    list.explained.into_iter().map(|explanation| (explanation.name, explanation.reason)).collect()
}

/// Checks every recording of a protocol; what fails must be explained, and what is explained must fail.
pub(crate) fn walk(protocol: &str, file: &str, prefix: &str, check: &dyn Fn(&Path) -> Option<String>) {
    let explained = explained(file);
    assert!(explained.values().all(|reason| reason.len() > 10), "an explanation without a reason");
    let (mut count, mut failures) = (0, Vec::new());
    for folder in recordings(protocol) {
        count += 1;
        let (key, failure) = (format!("{prefix}{}", name(&folder)), check(&folder));
        match (failure, explained.contains_key(&key)) {
            (Some(failure), false) => failures.push(format!("{key}: {failure}")),
            (None, true) => failures.push(format!("{key}: explained as a failure, yet it passes")),
            _ => {}
        }
    }
    println!("{count} recordings");
    assert!(failures.is_empty(), "{} of {count} fail:\n{}", failures.len(), failures.join("\n"));
}

/// Reads the answer of one recording; what is wrong with it, or what it says, which is nothing for a refusal.
pub(crate) fn answer(codec: &dyn Codec, folder: &Path) -> Result<Option<Decoded>, String> {
    let meta: Meta = serde_json::from_slice(&fs::read(folder.join("meta.json")).unwrap()).unwrap();
    let kinds = ["sse", "ndjson", "json", "txt"];
    let body = kinds.iter().find_map(|kind| fs::read(folder.join("response").with_extension(kind)).ok());
    let Some(body) = body else { return Ok(None) };
    if meta.status >= 400 {
        let error = codec.refusal(&Refusal::new(meta.status, &HeaderMap::new(), &body));
        assert_eq!(error.status(), Some(meta.status));
        let is_generic = error.message().ends_with("gave no reason");
        return if is_generic {
            Err(format!("no message in {}", String::from_utf8_lossy(&body)))
        } else {
            Ok(None)
        };
    }
    let mode = if meta.streaming { Mode::Stream } else { Mode::Whole };
    let whole = decode(codec, mode, &body, &[]);
    let full = decode_in_full(codec, mode, &body);
    assert_eq!(whole.events, full.events, "{}: with every frame read in full", folder.display());
    let cuts: Vec<usize> = (1..body.len()).step_by(97).collect();
    let pieces = decode(codec, mode, &body, &cuts);
    assert_eq!(whole.events, pieces.events, "{}: cut into pieces, the events differ", folder.display());
    match &whole.error {
        Some(error) => Err(error.clone()),
        None if !whole.response.warnings.is_empty() => Err(format!("{:?}", whole.response.warnings)),
        None => Ok(Some(whole)),
    }
}

/// An answer that was read is served again, streamed and whole, and read again it is the same.
pub(crate) fn served(
    codec: &dyn Serve,
    read: &Decoded,
    canonical: &dyn Fn(Response) -> Response,
) -> Option<String> {
    [Mode::Stream, Mode::Whole].into_iter().find_map(|mode| {
        let again = events_round_trip(codec, &Request::new("m"), mode, &read.events);
        if again.error.is_some() {
            return again.error;
        }
        let tree = |response: &Response| serde_json::to_value(canonical(response.clone())).unwrap();
        let (told, heard) = (tree(&read.response), tree(&again.response));
        (told != heard).then(|| format!("served again ({mode:?}), {told:#}\nbecame {heard:#}"))
    })
}

/// Reads the request of one recording and writes it again; what got lost, if anything did.
pub(crate) fn asked(codec: &dyn Serve, folder: &Path, path: &str) -> Option<String> {
    let body = fs::read(folder.join("request.json")).ok()?;
    let (request, mode) = match codec.decode_request(&Call::post(path, body)) {
        Ok(read) => read,
        Err(error) => return Some(error.to_string()),
    };
    let encoded = codec.encode(&request, mode).unwrap();
    if !encoded.warnings.is_empty() {
        return Some(format!("{:?}", encoded.warnings));
    }
    let (again, mode_again) = codec.decode_request(&encoded.call).unwrap();
    assert_eq!(mode, mode_again);
    (request != again).then(|| format!("read, {request:#?}\nwritten and read again, {again:#?}"))
}

//! Recorded traffic of the service: all of it must be read, served and asked again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use http::HeaderMap;
use interlingua_model::{Format, Request, Response};
use interlingua_wire::gemini_interactions::GeminiInteractions;
use interlingua_wire::{Call, Codec, Mode, Refusal, Serve};
use serde::Deserialize;

use super::lossless;
use crate::check::{Decoded, corpus, decode, decode_in_full, events_round_trip};

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    status: Option<u16>,
    path: Option<String>,
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

fn recordings() -> Vec<PathBuf> {
    let Some(root) = corpus("gemini-interactions") else { return Vec::new() };
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
fn explained() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/gemini_interactions.toml");
    let list: Explained = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    list.explained.into_iter().map(|explanation| (explanation.name, explanation.reason)).collect()
}

fn meta(folder: &Path) -> Meta {
    serde_json::from_slice(&fs::read(folder.join("meta.json")).unwrap()).unwrap()
}

/// Reads the answer of one recording; what is wrong with it, if anything is.
fn answer(folder: &Path) -> Option<String> {
    let codec = GeminiInteractions::default();
    let meta = meta(folder);
    let read = |file: &str| fs::read(folder.join(file)).ok();
    let body = read("response.sse").or_else(|| read("response.json")).or_else(|| read("response.txt"))?;
    let status = meta.status.unwrap_or(200);
    if status >= 400 {
        let error = codec.refusal(&Refusal::new(status, &HeaderMap::new(), &body));
        assert_eq!(error.status(), Some(status));
        let is_generic = error.message().contains("gave no reason");
        return is_generic.then(|| format!("no message in {}", String::from_utf8_lossy(&body)));
    }
    let is_stream = meta.streaming || folder.join("response.sse").exists();
    let mode = if is_stream { Mode::Stream } else { Mode::Whole };
    let whole = decode(&codec, mode, &body, &[]);
    let cuts: Vec<usize> = (1..body.len()).step_by(97).collect();
    let full = decode_in_full(&codec, mode, &body);
    assert_eq!(whole.events, full.events, "{}: with every frame read in full", folder.display());
    let pieces = decode(&codec, mode, &body, &cuts);
    assert_eq!(whole.events, pieces.events, "{}: cut into pieces, the events differ", folder.display());
    let warnings = &whole.response.warnings;
    match &whole.error {
        Some(error) => Some(error.clone()),
        None if !warnings.is_empty() => Some(format!("{warnings:?}")),
        None => [Mode::Stream, Mode::Whole].into_iter().find_map(|mode| served(&whole, mode)),
    }
}

/// An answer that was read is served again, and read again it is the same.
fn served(read: &Decoded, mode: Mode) -> Option<String> {
    let again = events_round_trip(&lossless(), &Request::new("m"), mode, &read.events);
    if again.error.is_some() {
        return again.error;
    }
    let (told, heard) = (canonical(&read.response), canonical(&again.response));
    (told != heard).then(|| format!("served again ({mode:?}), {told:#}\nbecame {heard:#}"))
}

/// An answer without what has to be made up for a client.
fn canonical(response: &Response) -> serde_json::Value {
    let mut response = response.clone();
    response.id.get_or_insert_with(|| "int_0a1b2c".to_owned());
    response.model.get_or_insert_with(|| "m".to_owned());
    serde_json::to_value(response).unwrap()
}

/// Reads the request of one recording and writes it again; what got lost, if anything did.
fn asked(folder: &Path) -> Option<String> {
    let body = fs::read(folder.join("request.json")).ok()?;
    let codec = lossless();
    let path = meta(folder).path.filter(|path| !path.is_empty());
    let path = path.unwrap_or_else(|| "/interactions".to_owned());
    let (mut request, mode) = match codec.decode_request(&Call::post(path, body)) {
        Ok(read) => read,
        Err(error) => return Some(error.to_string()),
    };
    let encoded = codec.encode(&request, mode).unwrap();
    let (mut again, mode_again) = codec.decode_request(&encoded.call).unwrap();
    assert_eq!(mode, mode_again);
    if !encoded.warnings.is_empty() {
        return Some(format!("{:?}", encoded.warnings));
    }
    if let (Some(Format::Schema(told)), Some(Format::Schema(heard))) =
        (&mut request.format, &mut again.format)
    {
        // A schema is rewritten on its way out; once that is done it stays as it is.
        told.schema = interlingua_wire::schema::for_gemini(&told.schema).0;
        heard.schema = interlingua_wire::schema::for_gemini(&heard.schema).0;
    }
    (request != again).then(|| format!("read, {request:#?}\nwritten and read again, {again:#?}"))
}

fn walk(check: impl Fn(&Path) -> Option<String>, prefix: &str) {
    let explained = explained();
    let (mut count, mut failures) = (0, Vec::new());
    for folder in recordings() {
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

#[test]
fn recorded_answers() {
    walk(answer, "");
}

#[test]
fn recorded_requests() {
    walk(asked, "request of ");
}

#[test]
fn every_explanation_gives_a_reason() {
    assert!(explained().values().all(|reason| reason.len() > 10));
}

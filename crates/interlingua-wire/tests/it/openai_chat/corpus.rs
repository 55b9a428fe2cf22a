//! Recorded traffic of many services: everything must be read, and what is no answer must be explained.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use http::HeaderMap;
use interlingua_model::{Request, Response};
use interlingua_wire::openai_chat::OpenaiChat;
use interlingua_wire::{Call, Codec, Mode, Refusal, Serve};
use serde::Deserialize;

use crate::check::{Decoded, corpus, decode, decode_in_full, events_round_trip};

#[derive(Deserialize)]
struct Meta {
    status: u16,
    operation: String,
    method: String,
}

/// The folders of recordings of one protocol.
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

fn meta(folder: &Path) -> Meta {
    serde_json::from_slice(&fs::read(folder.join("meta.json")).unwrap()).unwrap()
}

fn name(folder: &Path) -> String {
    let names: Vec<_> = folder.iter().rev().take(3).map(|name| name.to_string_lossy()).collect();
    names.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// The recordings that are known not to be answers, with our reason.
fn explained() -> BTreeMap<String, String> {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/openai_chat.toml"))
            .unwrap();
    let value = |line: &str| line.split_once('=').unwrap().1.trim().trim_matches('"').to_owned();
    let names = text.lines().filter(|line| line.starts_with("name")).map(value);
    let reasons = text.lines().filter(|line| line.starts_with("reason")).map(value);
    names.zip(reasons).collect()
}

/// Decodes the answer of one recording; the error with which it ends, if it does.
fn answer(folder: &Path, meta: &Meta) -> Option<String> {
    let chat = OpenaiChat::default();
    let read = |file: &str| fs::read(folder.join(file)).ok();
    let body = read("response.sse").or_else(|| read("response.json")).or_else(|| read("response.txt"))?;
    if meta.status >= 400 {
        let error = chat.refusal(&Refusal::new(meta.status, &HeaderMap::new(), &body));
        assert_eq!(error.status(), Some(meta.status));
        assert!(!error.message().is_empty());
        let web_page = body.starts_with(b"<");
        let generic = error.message() == format!("the provider answered {}", meta.status);
        return (generic && !web_page).then(|| format!("no message in {}", String::from_utf8_lossy(&body)));
    }
    let mode = if folder.join("response.sse").exists() { Mode::Stream } else { Mode::Whole };
    let whole = decode(&chat, mode, &body, &[]);
    let cuts: Vec<usize> = (1..body.len()).step_by(97).collect();
    let full = decode_in_full(&chat, mode, &body);
    assert_eq!(whole.events, full.events, "{}: with every frame read in full", folder.display());
    let pieces = decode(&chat, mode, &body, &cuts);
    assert_eq!(whole.events, pieces.events, "{}: cut into pieces, the events differ", folder.display());
    if whole.error.is_some() {
        return whole.error;
    }
    let warnings = &whole.response.warnings;
    if warnings.is_empty() { served(&chat, &whole) } else { Some(format!("{warnings:?}")) }
}

/// An answer that was read is served again, and read again it is the same.
fn served(chat: &OpenaiChat, read: &Decoded) -> Option<String> {
    let again = events_round_trip(chat, &Request::new("m"), Mode::Stream, &read.events);
    if again.error.is_some() {
        return again.error;
    }
    let canonical = |response: &Response| {
        let mut response = response.clone();
        // What a service does not say is made up for the client.
        (response.id, response.model) = (None, None);
        // The words of other services are said in OpenAI's.
        response.finish.as_mut().unwrap().raw = None;
        response.created = None;
        serde_json::to_value(response).unwrap()
    };
    let (told, heard) = (canonical(&read.response), canonical(&again.response));
    (told != heard).then(|| format!("served again, {told}\nbecame {heard}"))
}

fn walk(protocol: &str) {
    let explained = explained();
    let (mut decoded, mut failures) = (0, Vec::new());
    for folder in recordings(protocol) {
        let meta = meta(&folder);
        if meta.operation != "chat.completions" || meta.method != "POST" {
            continue;
        }
        decoded += 1;
        let (name, error) = (name(&folder), answer(&folder, &meta));
        match (error, explained.contains_key(&name)) {
            (Some(error), false) => failures.push(format!("{name}: {error}")),
            (None, true) => failures.push(format!("{name}: explained as a failure, yet it passes")),
            _ => {}
        }
    }
    println!("{protocol}: {decoded} recordings");
    assert!(failures.is_empty(), "{} of {decoded} fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn recorded_answers() {
    walk("openai-chat");
}

#[test]
fn recorded_answers_of_mistral() {
    walk("mistral-chat");
}

#[test]
fn recorded_answers_of_writer() {
    walk("writer-chat");
}

/// A dialect that refuses nothing.
fn eloquent(files: &str, reasoning: &str) -> OpenaiChat {
    let text = r#"{
        "custom_tools": true, "cache_marks": "cache_control", "tool_choice": {"allowed": true}, "video": true,
        "files": "FILES", "reasoning": "REASONING", "metadata": true, "verbosity": true, "service_tier": true, "prompt_cache_key": true,
        "automatic_cache": "retention", "reasoning_echo": "as_received", "tool_result_name": true,
        "reasoning_display": "include_reasoning"
    }"#;
    OpenaiChat::new(
        serde_json::from_str(&text.replace("FILES", files).replace("REASONING", reasoning)).unwrap(),
    )
}

/// What is wrong with one recorded request, if anything: read, written and read again it must be the same, and
/// nothing may be lost on the way.
fn asked(body: Vec<u8>) -> Option<String> {
    let said = |word| serde_json::from_slice::<serde_json::Value>(&body).unwrap().get(word).is_some();
    let mistral = String::from_utf8_lossy(&body).contains("document_url");
    let chat = eloquent(
        if mistral { "document_url" } else { "file" },
        if said("reasoning") { "reasoning_object" } else { "effort" },
    );
    let (mut first, mode) = match chat.decode_request(&Call::post("/chat/completions", body)) {
        Ok(read) => read,
        Err(error) => return Some(error.to_string()),
    };
    // That a client did not ask for usage is no part of the request that goes on.
    first.extra.take("openai_chat", "stream_options");
    let encoded = chat.encode(&first, mode).unwrap();
    if !encoded.warnings.is_empty() {
        return Some(format!("{:?}", encoded.warnings));
    }
    let (mut second, _) = chat.decode_request(&encoded.call).unwrap();
    second.extra.take("openai_chat", "stream_options");
    (first != second).then(|| format!("{first:#?}\nbecame\n{second:#?}"))
}

#[test]
fn recorded_requests() {
    let (mut read, mut failures) = (0, Vec::new());
    for folder in ["openai-chat", "mistral-chat", "writer-chat"].into_iter().flat_map(recordings) {
        let meta = meta(&folder);
        let Ok(body) = fs::read(folder.join("request.json")) else { continue };
        if meta.operation != "chat.completions" || meta.method != "POST" {
            continue;
        }
        if serde_json::from_slice::<serde_json::Value>(&body).unwrap().get("messages").is_none() {
            println!("{}: not a body that can be read", name(&folder));
            continue;
        }
        read += 1;
        failures.extend(asked(body).map(|failure| format!("{}: {failure}", name(&folder))));
    }
    println!("{read} requests");
    assert!(failures.is_empty(), "{} of {read} fail:\n{}", failures.len(), failures.join("\n"));
}

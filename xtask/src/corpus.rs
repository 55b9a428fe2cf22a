//! `cargo xtask corpus`: every recorded exchange is decoded, and what came of it is counted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use http::HeaderMap;
use interlingua_model::{Data, Effort, Error, Event, Fold, Output, Request, Response};
use interlingua_wire::anthropic::Anthropic;
use interlingua_wire::bedrock::{self, Bedrock};
use interlingua_wire::cohere::{self, Cohere};
use interlingua_wire::frame::Aws;
use interlingua_wire::gemini::{self, Gemini};
use interlingua_wire::gemini_interactions::{self, GeminiInteractions};
use interlingua_wire::ollama::Ollama;
use interlingua_wire::openai_chat::{self, OpenaiChat};
use interlingua_wire::openai_responses::{self, OpenaiResponses};
use interlingua_wire::{Call, Codec, Grammar, Limits, Mode, Protocol, Refusal, Serve, catalog};
use serde::Deserialize;
use serde_json::Value;

use crate::audit::{self, Haystack};
use crate::root;

/// What a recording says of itself, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Meta {
    protocol: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    streaming: bool,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    response_headers: BTreeMap<String, Value>,
}

/// Recordings that end in an error for a reason of their own, by name.
#[derive(Debug, Default, Deserialize)]
struct Explained {
    #[serde(default)]
    explained: Vec<Explanation>,
}

#[derive(Debug, Deserialize)]
struct Explanation {
    name: String,
    reason: String,
}

/// What came of the recordings of one provider.
#[derive(Debug, Default)]
struct Row {
    recordings: usize,
    decoded: usize,
    refused: usize,
    events: usize,
    unknown: usize,
    warnings: usize,
    lost: usize,
    requests: usize,
    explained: usize,
    failures: usize,
}

/// What came of one recording.
#[derive(Debug, Default)]
struct Outcome {
    row: Row,
    failures: Vec<String>,
    lost: Vec<String>,
}

pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let show_lost = arguments.contains(&"--lost");
    let folder = arguments.iter().find(|word| !word.starts_with("--"));
    let folder = folder.map_or_else(|| root().join("../shared/corpus"), PathBuf::from);
    if !folder.is_dir() {
        if arguments.is_empty() {
            println!("== corpus: skipped, there is no recorded traffic at ../shared/corpus");
            return Ok(());
        }
        return Err(format!("{} is not a folder", folder.display()));
    }
    let explained = explanations()?;
    let mut table: BTreeMap<(String, String), Row> = BTreeMap::new();
    let mut failures = 0;
    for folder in recordings(&folder) {
        let Some((meta, protocol)) = read_meta(&folder) else { continue };
        let name = name_of(&folder);
        let mut outcome = examine(&folder, &meta, protocol);
        report(&name, &mut outcome, &explained, show_lost);
        failures += outcome.row.failures;
        table.entry((protocol.id().to_owned(), meta.provider.clone())).or_default().add(&outcome.row);
    }
    print_table(&table);
    if failures > 0 {
        return Err(format!("{failures} recordings fail and nothing explains it"));
    }
    Ok(())
}

/// Prints the failures of a recording, or counts them as explained.
fn report(name: &str, outcome: &mut Outcome, explained: &BTreeMap<String, String>, show_lost: bool) {
    let failed = !outcome.failures.is_empty();
    let reason = explained
        .iter()
        .find(|(known, _)| name.ends_with(known.trim_start_matches("request of ")))
        .map(|(_, reason)| reason);
    match reason {
        Some(_) if failed => outcome.row.explained = 1,
        Some(reason) => {
            outcome.row.failures = 1;
            println!("NOT FAILING {name}: explained by \"{reason}\", and it does not fail");
        }
        None if failed => {
            outcome.row.failures = 1;
            println!("FAILED {name}: {}", outcome.failures.join("; "));
        }
        None => {}
    }
    for lost in outcome.lost.iter().filter(|_| show_lost) {
        println!("LOST {name}: {lost}");
    }
}

/// The last three folders of a recording: protocol, provider, name.
fn name_of(folder: &Path) -> String {
    let words: Vec<_> = folder.iter().rev().take(3).map(|word| word.to_string_lossy()).collect();
    words.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// The folders below `folder` that hold a recording, sorted.
fn recordings(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().is_some_and(|name| name == "meta.json") {
                found.push(folder.clone());
            }
        }
    }
    found.sort();
    found
}

fn read_meta(folder: &Path) -> Option<(Meta, Protocol)> {
    let text = fs::read_to_string(folder.join("meta.json")).ok()?;
    let mut meta: Meta = serde_json::from_str(&text).ok()?;
    // Lists of stored answers lie beside the answers and are no messages.
    if meta.method.as_deref() == Some("GET") {
        return None;
    }
    // Where the protocol has an envelope, the row that says so is one of its own.
    if matches!(meta.protocol.as_str(), "dashscope-native" | "cloudflare-run") {
        meta.provider.clone_from(&meta.protocol);
    }
    let protocol = match meta.protocol.as_str() {
        "openai-chat" | "dashscope-native" | "cloudflare-run" => Protocol::OpenaiChat,
        "openai-responses" => Protocol::OpenaiResponses,
        "anthropic-messages" => Protocol::Anthropic,
        "cohere-v2" => Protocol::Cohere,
        "bedrock-converse" => Protocol::Bedrock,
        "bedrock-invoke" if is_claude(&meta) => Protocol::Anthropic,
        "gemini" => Protocol::Gemini,
        "ollama-chat" => Protocol::Ollama,
        "gemini-interactions" => Protocol::GeminiInteractions,
        _ => return None,
    };
    Some((meta, protocol))
}

fn explanations() -> Result<BTreeMap<String, String>, String> {
    let mut all = BTreeMap::new();
    for protocol in Protocol::ALL {
        let path = root().join(format!("crates/interlingua-wire/tests/corpus/{protocol}.toml"));
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let file: Explained =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        all.extend(file.explained.into_iter().map(|entry| (entry.name, entry.reason)));
    }
    Ok(all)
}

fn examine(folder: &Path, meta: &Meta, protocol: Protocol) -> Outcome {
    let codec = codec_for(meta, protocol);
    let mut outcome = Outcome { row: Row { recordings: 1, ..Row::default() }, ..Outcome::default() };
    if let Some((bytes, extension)) = response_file(folder) {
        let status = meta.status.unwrap_or(200);
        if status >= 400 {
            refuse(&*codec, meta, status, &bytes, &mut outcome);
        } else {
            let mode = if meta.streaming || extension == "sse" { Mode::Stream } else { Mode::Whole };
            for answer in answers(protocol, &bytes) {
                decode(&*codec, mode, answer, &mut outcome);
            }
        }
    }
    if let Ok(body) = fs::read_to_string(folder.join("request.json")) {
        request(&*server_of(protocol, meta), meta, &body, &mut outcome);
    }
    outcome
}

/// The codec that the table gives this service, else the plain one of the protocol.
fn codec_for(meta: &Meta, protocol: Protocol) -> Box<dyn Codec> {
    let model = meta.model.as_deref().unwrap_or_default();
    let provider = catalog::find(&meta.provider).filter(|provider| provider.endpoint(protocol).is_ok());
    match (provider.and_then(|provider| provider.codec(protocol, model).ok()), protocol) {
        (Some(codec), _) => codec,
        (None, Protocol::OpenaiChat) => Box::new(OpenaiChat::default()),
        (None, Protocol::OpenaiResponses) => Box::new(OpenaiResponses::default()),
        (None, Protocol::Cohere) => Box::new(Cohere::default()),
        (None, Protocol::Bedrock) => Box::new(Bedrock::default()),
        (None, Protocol::Gemini) => Box::new(Gemini::default()),
        (None, Protocol::Ollama) => Box::new(Ollama::default()),
        (None, Protocol::GeminiInteractions) => Box::new(GeminiInteractions::default()),
        (None, _) => Box::new(Anthropic::default()),
    }
}

/// The server half of a protocol in a dialect that can say everything, so that what is lost is the codec's doing.
fn server_of(protocol: Protocol, meta: &Meta) -> Box<dyn Serve> {
    match protocol {
        Protocol::OpenaiChat => {
            let mut dialect = openai_chat::Dialect::openai();
            dialect.top_k = true;
            dialect.video = true;
            dialect.tool_result_name = true;
            dialect.reasoning_echo = openai_chat::ReasoningEcho::AsReceived;
            dialect.cache_marks = openai_chat::CacheMarks::Breakpoint;
            dialect.envelope = match meta.provider.as_str() {
                "dashscope-native" => openai_chat::Envelope::Parameters,
                "cloudflare-run" => openai_chat::Envelope::Result,
                _ => openai_chat::Envelope::None,
            };
            Box::new(OpenaiChat::new(dialect))
        }
        Protocol::OpenaiResponses => {
            let mut dialect = openai_responses::Dialect::openai();
            dialect.reasoning_echo = openai_responses::ReasoningEcho::All;
            dialect.min_max_output = None;
            Box::new(OpenaiResponses::new(dialect))
        }
        Protocol::Cohere => {
            let mut dialect = cohere::Dialect::default();
            dialect.format_with_tools = true;
            Box::new(Cohere::new(dialect))
        }
        Protocol::Bedrock => {
            let mut dialect = bedrock::Dialect::default();
            dialect.reasoning = bedrock::ReasoningField::Adaptive;
            dialect.top_k = Some("top_k".to_owned());
            dialect.single_calls = true;
            dialect.system_anywhere = true;
            Box::new(Bedrock::new(dialect))
        }
        Protocol::Gemini => {
            let mut dialect = gemini::Dialect::default();
            dialect.thinking_levels =
                Effort::ALL.into_iter().filter(|level| *level != Effort::None).collect();
            dialect.thinking_off = true;
            dialect.display_name = true;
            dialect.labels = true;
            Box::new(Gemini::new(dialect))
        }
        Protocol::Ollama => Box::new(Ollama::default()),
        Protocol::GeminiInteractions => {
            let mut dialect = gemini_interactions::Dialect::default();
            dialect.thinking_levels = Effort::ALL.to_vec();
            Box::new(GeminiInteractions::new(dialect))
        }
        _ => Box::new(Anthropic::default()),
    }
}

fn response_file(folder: &Path) -> Option<(Vec<u8>, String)> {
    let entries = fs::read_dir(folder).ok()?;
    let path = entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.file_stem().is_some_and(|stem| stem == "response"))?;
    let extension = path.extension()?.to_string_lossy().into_owned();
    Some((fs::read(&path).ok()?, extension))
}

fn refuse(codec: &dyn Codec, meta: &Meta, status: u16, body: &[u8], outcome: &mut Outcome) {
    let headers: HeaderMap = meta
        .response_headers
        .iter()
        .filter_map(|(name, value)| Some((name.parse().ok()?, value.as_str()?.parse().ok()?)))
        .collect::<Vec<(http::HeaderName, http::HeaderValue)>>()
        .into_iter()
        .collect();
    let error = codec.refusal(&Refusal::new(status, &headers, body));
    outcome.row.refused = 1;
    if error.message().trim().is_empty() || error.message().contains('\n') {
        outcome.failures.push(format!("the message of the refusal is {:?}", error.message()));
    }
}

/// The answers of a recording, in which several may stand behind one another: each begins with its protocol's first event.
fn answers(protocol: Protocol, bytes: &[u8]) -> Vec<&[u8]> {
    let first: &[u8] = match protocol {
        Protocol::Anthropic => b"event: message_start\n",
        Protocol::OpenaiResponses => b"event: response.created\n",
        _ => return vec![bytes],
    };
    let begins = |at: &usize| bytes.get(*at..).is_some_and(|rest| rest.starts_with(first));
    let mut cuts: Vec<usize> = (0..bytes.len()).filter(begins).skip(1).collect();
    cuts.push(bytes.len());
    let mut from = 0;
    let mut until = |to| bytes.get(std::mem::replace(&mut from, to)..to).unwrap_or_default();
    cuts.into_iter().map(&mut until).collect()
}

fn decode(codec: &dyn Codec, mode: Mode, bytes: &[u8], outcome: &mut Outcome) {
    let mut decoder = codec.decoder(mode, Limits::default());
    let (mut grammar, mut fold) = (Grammar::default(), Fold::new());
    let mut result = Ok(());
    for piece in bytes.chunks(1021) {
        result = decoder.push(piece);
        if result.is_err() {
            break;
        }
    }
    let result = result.and_then(|()| decoder.end());
    while let Some(event) = decoder.poll() {
        outcome.row.events += 1;
        if let Err(violation) = grammar.check(&event) {
            outcome.failures.push(violation.to_string());
        }
        outcome.row.unknown += usize::from(is_unknown(&event));
        fold.push(&event);
    }
    let response = fold.response();
    outcome.row.warnings += response.warnings.len();
    match result {
        Ok(()) => outcome.row.decoded = 1,
        Err(error) => outcome.failures.push(format!("{:?}: {}", error.kind(), error.message())),
    }
    if outcome.failures.is_empty() {
        let lost = lost(codec.protocol(), bytes, &response);
        if !lost.is_empty() {
            outcome.failures.push(format!("lost {}", lost.join(", ")));
        }
        outcome.row.lost += lost.len();
        outcome.lost.extend(lost);
    }
}

fn is_unknown(event: &Event) -> bool {
    match event {
        Event::Open { part, .. } => matches!(**part, Output::Custom(_)),
        Event::Other(_) => true,
        _ => false,
    }
}

/// What stood in the frames, or in the body, and is not in the answer.
fn lost(protocol: Protocol, bytes: &[u8], response: &Response) -> Vec<String> {
    let Ok(kept) = serde_json::to_value(response) else {
        return vec!["the answer does not serialize".to_owned()];
    };
    let mut kept = Haystack::of(&kept);
    // Input came in pieces that are no JSON of their own.
    for part in &response.message.parts {
        if let Output::ToolCall(call) = part {
            kept.add(call.input.as_str());
        }
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(body) = serde_json::from_str::<Value>(&text) {
        return audit::lost(protocol.id(), &body, &kept).into_iter().collect();
    }
    let mut missing = std::collections::BTreeSet::new();
    let _ = Aws::new(bytes.len()).push(bytes, &mut |frame| {
        if let Ok(payload) = serde_json::from_slice::<Value>(frame.data) {
            // An event of another protocol may stand inside.
            let inner =
                payload.get("bytes").and_then(Value::as_str).and_then(|inner| Data::from_base64(inner).ok());
            let inner = inner.and_then(|inner| serde_json::from_slice(inner.as_bytes()).ok());
            let payload = inner.unwrap_or(payload);
            missing.extend(audit::lost(protocol.id(), &payload, &kept));
        }
        Ok(())
    });
    let lines = text.split(['\n', '\r']);
    let frames =
        lines.filter_map(|line| line.strip_prefix("data:").or(line.starts_with('{').then_some(line)));
    let mut frames: Vec<Value> = frames.filter_map(|data| serde_json::from_str(data).ok()).collect();
    audit::supersede(&mut frames);
    for frame in &frames {
        missing.extend(audit::lost(protocol.id(), frame, &kept));
    }
    missing.into_iter().collect()
}

/// A recorded request goes through the server half, out again and in again: nothing of its meaning is lost, or a
/// warning says what is.
fn request(codec: &dyn Serve, meta: &Meta, body: &str, outcome: &mut Outcome) {
    if !body.trim_start().starts_with('{') || body.contains("\"_not_json\"") {
        return;
    }
    let call = Call::post(path_of(meta, codec.protocol()), body.to_owned());
    match pass(codec, &call).and_then(|first| Ok((pass(codec, &first.encoded)?, first))) {
        Err(error) => outcome.failures.push(format!("request: {}", error.message())),
        Ok((second, first)) if first.request == second.request || first.warned && !second.warned => {
            outcome.row.requests = 1;
        }
        Ok((second, first)) => {
            let tree = |request| serde_json::to_value(request).unwrap_or_default();
            let place =
                audit::difference(&tree(&first.request), &tree(&second.request), "").unwrap_or_default();
            // A schema is rewritten for the target: it loses `$schema` and is closed.
            if place.starts_with(".format.schema.schema") {
                outcome.row.requests = 1;
                return;
            }
            outcome.failures.push(format!("request: comes back with another meaning at {place}"));
        }
    }
}

/// Whether a model was invoked that speaks Messages; the second generation had a protocol of its own.
fn is_claude(meta: &Meta) -> bool {
    let model = meta.model.as_deref().unwrap_or_default();
    model.contains("claude") && !model.contains("claude-v2")
}

/// The path of a recording; one that was not kept is one that the protocol takes.
fn path_of(meta: &Meta, protocol: Protocol) -> &str {
    let kept = meta.path.as_deref().filter(|path| !path.is_empty());
    kept.unwrap_or(if protocol == Protocol::Bedrock { "/model/m/converse" } else { "/" })
}

/// A request as it was read, and as it goes out again.
struct Passed {
    request: Request,
    encoded: Call,
    warned: bool,
}

fn pass(codec: &dyn Serve, call: &Call) -> Result<Passed, Error> {
    let (mut request, mode) = codec.decode_request(call)?;
    let encoded = codec.encode(&request, mode)?;
    // That a client did not ask for usage is no part of the request that goes on.
    request.extra.take("openai_chat", "stream_options");
    Ok(Passed { request, encoded: encoded.call, warned: !encoded.warnings.is_empty() })
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.recordings += other.recordings;
        self.decoded += other.decoded;
        self.refused += other.refused;
        self.events += other.events;
        self.unknown += other.unknown;
        self.warnings += other.warnings;
        self.lost += other.lost;
        self.requests += other.requests;
        self.explained += other.explained;
        self.failures += other.failures;
    }

    fn print(&self, protocol: &str, provider: &str) {
        println!(
            "{protocol:<17} {provider:<28} {:>6} {:>8} {:>8} {:>8} {:>8} {:>9} {:>6} {:>9} {:>10} {:>9}",
            self.recordings,
            self.decoded,
            self.refused,
            self.requests,
            self.events,
            self.unknown,
            self.lost,
            self.warnings,
            self.explained,
            self.failures
        );
    }
}

fn print_table(table: &BTreeMap<(String, String), Row>) {
    println!(
        "{:<17} {:<28} {:>6} {:>8} {:>8} {:>8} {:>8} {:>9} {:>6} {:>9} {:>10} {:>9}",
        "protocol",
        "provider",
        "all",
        "decoded",
        "refused",
        "requests",
        "events",
        "unknown",
        "lost",
        "warnings",
        "explained",
        "failures"
    );
    let mut total = Row::default();
    for ((protocol, provider), row) in table {
        row.print(protocol, provider);
        total.add(row);
    }
    total.print("all", "");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_behind_one_another_are_read_one_by_one() {
        let two =
            b"\nevent: message_start\ndata: 1\n\nevent: message_stop\n\nevent: message_start\ndata: 2\n\n";
        let found = answers(Protocol::Anthropic, two);
        assert_eq!(found.len(), 2);
        assert_eq!(found.concat(), two);
        assert!(found[1].starts_with(b"event: message_start\ndata: 2"));
        assert_eq!(answers(Protocol::Anthropic, b"{}"), [b"{}"]);
        assert_eq!(answers(Protocol::OpenaiChat, two), [&two[..]]);
    }
}

//! What a delta costs to decode, beside floors that do less: `cargo bench -p interlingua-wire`.
//!
//! Every row reads a stream of 5,000 deltas; time and allocations are of the whole stream. `bytes` looks at every byte,
//! `lines` splits lines, `typed` splits lines and reads each with serde into borrowed structs; `ours` makes events, as
//! users get them, and `ours_in_full` does so without the shortcut for frames that repeat the last one. `frame` hands
//! in one frame at a time, as services send them, `block` 16 KiB at once.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may fail")]

mod floor;
mod streams;

use std::hint::black_box;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use interlingua_model::PartialJson;
use interlingua_wire::anthropic::Anthropic;
use interlingua_wire::bedrock::Bedrock;
use interlingua_wire::cohere::Cohere;
use interlingua_wire::gemini::Gemini;
use interlingua_wire::gemini_interactions::GeminiInteractions;
use interlingua_wire::ollama::Ollama;
use interlingua_wire::openai_chat::OpenaiChat;
use interlingua_wire::openai_responses::{Dialect, OpenaiResponses};
use interlingua_wire::{Codec, Limits, Mode};

use floor::lines;
use streams::{BINARY, DELTAS, KINDS, frames};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

fn codec(kind: &str) -> Box<dyn Codec> {
    match kind.split_once('_') {
        Some(("chat", _)) => Box::new(OpenaiChat::default()),
        Some(("responses", _)) => Box::new(OpenaiResponses::new(Dialect::openai())),
        Some(("gemini", _)) => Box::new(Gemini::default()),
        Some(("interactions", _)) => Box::new(GeminiInteractions::default()),
        Some(("cohere", _)) => Box::new(Cohere::default()),
        Some(("ollama", _)) => Box::new(Ollama::default()),
        Some(("bedrock", _)) => Box::new(Bedrock::default()),
        _ => Box::new(Anthropic::default()),
    }
}

#[divan::bench(args = KINDS)]
fn bytes(bencher: Bencher<'_, '_>, kind: &str) {
    let all = frames(kind).concat();
    bencher
        .counter(ItemsCount::new(DELTAS))
        .bench_local(|| black_box(&all).iter().fold(0_u8, |sum, byte| sum ^ byte));
}

#[divan::bench(args = KINDS, name = "lines")]
fn split(bencher: Bencher<'_, '_>, kind: &str) {
    let all = frames(kind).concat();
    bencher.counter(ItemsCount::new(DELTAS)).bench_local(|| {
        let mut count = 0;
        lines(black_box(&all), |data| count += data.len());
        count
    });
}

#[divan::bench(args = KINDS)]
fn typed(bencher: Bencher<'_, '_>, kind: &str) {
    let all = frames(kind).concat();
    let protocol = kind.split('_').next().unwrap();
    assert!(floor::typed(protocol, &all) > DELTAS, "the floor of {kind} reads nothing");
    bencher.counter(ItemsCount::new(DELTAS)).bench_local(|| floor::typed(protocol, black_box(&all)));
}

fn decode(kind: &str, pieces: &[&[u8]], shortcut: bool) -> usize {
    let mut decoder = codec(kind).decoder(Mode::Stream, Limits::default()).with_shortcut(shortcut);
    let mut events = 0;
    for piece in pieces {
        decoder.push(black_box(piece)).unwrap();
        while let Some(event) = decoder.poll() {
            black_box(event);
            events += 1;
        }
    }
    // Some streams end with their bytes.
    decoder.end().unwrap();
    while let Some(event) = decoder.poll() {
        black_box(event);
        events += 1;
    }
    assert!(decoder.is_finished() && events > DELTAS);
    events
}

#[divan::bench(args = KINDS.iter().chain(&BINARY))]
fn ours_frame(bencher: Bencher<'_, '_>, kind: &str) {
    let frames = frames(kind);
    let pieces: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    bencher.counter(ItemsCount::new(DELTAS)).bench_local(|| decode(kind, &pieces, true));
}

#[divan::bench(args = KINDS.iter().chain(&BINARY))]
fn ours_block(bencher: Bencher<'_, '_>, kind: &str) {
    let all = frames(kind).concat();
    let pieces: Vec<&[u8]> = all.chunks(16 << 10).collect();
    bencher.counter(ItemsCount::new(DELTAS)).bench_local(|| decode(kind, &pieces, true));
}

#[divan::bench(args = KINDS.iter().chain(&BINARY))]
fn ours_in_full(bencher: Bencher<'_, '_>, kind: &str) {
    let frames = frames(kind);
    let pieces: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    bencher.counter(ItemsCount::new(DELTAS)).bench_local(|| decode(kind, &pieces, false));
}

/// The arguments of a call, in pieces the size of a token.
fn arguments(kilobytes: usize) -> Vec<String> {
    let item = |at: usize| {
        format!(r#"{{"id":{at},"name":"Item \"{at}\"","tags":["a","b"],"note":"some words of text"}}"#)
    };
    let items: Vec<String> = (0..kilobytes * 1024 / 72).map(item).collect();
    let text = format!(r#"{{"items":[{}]}}"#, items.join(","));
    text.as_bytes().chunks(4).map(|piece| String::from_utf8_lossy(piece).into_owned()).collect()
}

/// The value so far after each piece, by the reader that goes on where it stood.
#[divan::bench(args = [1, 8, 64])]
fn partial_json(bencher: Bencher<'_, '_>, kilobytes: usize) {
    let pieces = arguments(kilobytes);
    bencher.counter(ItemsCount::new(pieces.len())).bench_local(|| {
        let mut reader = PartialJson::new();
        for piece in &pieces {
            reader.push(black_box(piece)).unwrap();
            black_box(reader.value());
        }
        reader.into_value().unwrap()
    });
}

/// The floor of every way that begins anew: `serde_json` on all that came, after each piece.
#[divan::bench(args = [1, 8], sample_count = 10)]
fn partial_json_anew(bencher: Bencher<'_, '_>, kilobytes: usize) {
    let pieces = arguments(kilobytes);
    bencher.counter(ItemsCount::new(pieces.len())).bench_local(|| {
        let mut text = String::new();
        for piece in &pieces {
            text.push_str(black_box(piece));
            black_box(serde_json::from_str::<serde_json::Value>(&text).ok());
        }
    });
}

/// The floor of all: `serde_json` on the whole text, once.
#[divan::bench(args = [1, 8, 64])]
fn partial_json_once(bencher: Bencher<'_, '_>, kilobytes: usize) {
    let pieces = arguments(kilobytes);
    let text = pieces.concat();
    bencher
        .counter(ItemsCount::new(pieces.len()))
        .bench_local(|| serde_json::from_str::<serde_json::Value>(black_box(&text)).unwrap());
}

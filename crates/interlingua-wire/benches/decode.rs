//! What a delta costs to decode, beside floors that do less: `cargo bench -p interlingua-wire`.
//!
//! Every row reads a stream of 5,000 deltas; time and allocations are of the whole stream. `bytes` looks at every byte,
//! `lines` splits lines, `typed` splits lines and reads each with serde into borrowed structs; `ours` makes events, as
//! users get them, and `ours_in_full` does so without the shortcut for frames that repeat the last one. `frame` hands
//! in one frame at a time, as services send them, `block` 16 KiB at once.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark may fail")]

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hint::black_box;

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use interlingua_model::PartialJson;
use interlingua_wire::anthropic::Anthropic;
use interlingua_wire::bedrock::Bedrock;
use interlingua_wire::frame::{Value, write_message};
use interlingua_wire::gemini::Gemini;
use interlingua_wire::openai_chat::OpenaiChat;
use interlingua_wire::openai_responses::{Dialect, OpenaiResponses};
use interlingua_wire::{Codec, Limits, Mode};
use serde::Deserialize;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const DELTAS: usize = 5_000;
const KINDS: [&str; 7] = [
    "chat_text",
    "chat_tool",
    "responses_text",
    "responses_tool",
    "anthropic_text",
    "anthropic_tool",
    "gemini_text",
];
/// The streams that are no lines of text, for which the floors mean nothing.
const BINARY: [&str; 1] = ["bedrock_text"];
const WORDS: [&str; 8] = [" the", " sky", " is", ",", " bl", "ue", ".\\n", " \\\"so\\\""];

fn main() {
    divan::main();
}

/// A stream as it is sent: its frames.
fn frames(kind: &str) -> Vec<Vec<u8>> {
    if kind == "bedrock_text" {
        return messages();
    }
    let (before, behind) = edges(kind);
    let delta = |number: usize| {
        let word = WORDS[number % WORDS.len()];
        let mut frame = String::new();
        match kind {
            "chat_text" => write!(frame, r#"data: {{"id":"chatcmpl-0a1b2c3d4e5f","object":"chat.completion.chunk","created":1795000000,"model":"model-1-2026-11-01","service_tier":"default","system_fingerprint":"fp_0a1b2c3d","choices":[{{"index":0,"delta":{{"content":"{word}"}},"logprobs":null,"finish_reason":null}}]}}"#),
            "chat_tool" => write!(frame, r#"data: {{"id":"chatcmpl-0a1b2c3d4e5f","object":"chat.completion.chunk","created":1795000000,"model":"model-1-2026-11-01","choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"function":{{"arguments":"{word}"}}}}]}},"logprobs":null,"finish_reason":null}}]}}"#),
            "responses_text" => write!(frame, "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\"sequence_number\":{number},\"item_id\":\"msg_0a1b2c\",\"output_index\":0,\"content_index\":0,\"delta\":\"{word}\",\"logprobs\":[],\"obfuscation\":\"{:01$}\"}}", 0, 1 + number % 9),
            "responses_tool" => write!(frame, "event: response.function_call_arguments.delta\ndata: {{\"type\":\"response.function_call_arguments.delta\",\"sequence_number\":{number},\"item_id\":\"fc_0a1b2c\",\"output_index\":0,\"delta\":\"{word}\",\"obfuscation\":\"{:01$}\"}}", 0, 1 + number % 9),
            "anthropic_text" => write!(frame, "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{word}\"}}}}"),
            "gemini_text" => write!(frame, r#"data: {{"candidates":[{{"content":{{"parts":[{{"text":"{word}"}}],"role":"model"}},"index":0}}],"usageMetadata":{{"promptTokenCount":12,"candidatesTokenCount":{number},"totalTokenCount":{0},"promptTokensDetails":[{{"modality":"TEXT","tokenCount":12}}]}},"modelVersion":"model-1-2026-11","responseId":"0a1b2c3d4e5f"}}"#, number + 12),
            _ => write!(frame, "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"input_json_delta\",\"partial_json\":\"{word}\"}}}}"),
        }
        .unwrap();
        frame.push_str("\n\n");
        frame.into_bytes()
    };
    let edge = |frames: &[&str]| -> Vec<Vec<u8>> {
        frames.iter().map(|frame| format!("data: {frame}\n\n").into_bytes()).collect()
    };
    edge(before).into_iter().chain((0..DELTAS).map(delta)).chain(edge(behind)).collect()
}

/// A stream of AWS messages.
fn messages() -> Vec<Vec<u8>> {
    let message = |name: &str, payload: &str| {
        let (mut bytes, json) = (Vec::new(), Value::Text("application/json"));
        let headers = [
            (":event-type", Value::Text(name)),
            (":content-type", json),
            (":message-type", Value::Text("event")),
        ];
        write_message(&headers, payload.as_bytes(), &mut bytes).unwrap();
        bytes
    };
    let delta = |number: usize| {
        let word = WORDS[number % WORDS.len()];
        let padding = &"abcdefghijklmnopqrstuvwxyz"[..=number % 20];
        message(
            "contentBlockDelta",
            &format!(r#"{{"contentBlockIndex":0,"delta":{{"text":"{word}"}},"p":"{padding}"}}"#),
        )
    };
    let end = [
        message("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        message("messageStop", r#"{"stopReason":"end_turn"}"#),
        message("metadata", r#"{"usage":{"inputTokens":1,"outputTokens":9,"totalTokens":10}}"#),
    ];
    let start = message("messageStart", r#"{"role":"assistant"}"#);
    std::iter::once(start).chain((0..DELTAS).map(delta)).chain(end).collect()
}

/// What stands before the deltas, and what behind them.
fn edges(kind: &str) -> (&'static [&'static str], &'static [&'static str]) {
    const CHAT_END: &[&str] = &[r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#, "[DONE]"];
    const RESPONSES_END: &[&str] =
        &[r#"{"type":"response.completed","response":{"id":"r","status":"completed","output":[]}}"#];
    const ANTHROPIC_END: &[&str] = &[
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    const MESSAGE: &str = r#"{"type":"message_start","message":{"id":"m","role":"assistant","content":[],"usage":{"input_tokens":1}}}"#;
    const GEMINI_END: &[&str] =
        &[r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]}"#];
    match kind {
        "gemini_text" => (&[], GEMINI_END),
        "chat_text" => (&[], CHAT_END),
        "chat_tool" => (
            &[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}}]}"#,
            ],
            CHAT_END,
        ),
        "responses_text" => (
            &[
                r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"msg_0a1b2c","type":"message","role":"assistant","content":[]}}"#,
            ],
            RESPONSES_END,
        ),
        "responses_tool" => (
            &[
                r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"fc_0a1b2c","type":"function_call","call_id":"k","name":"f","arguments":""}}"#,
            ],
            RESPONSES_END,
        ),
        "anthropic_text" => (
            &[
                MESSAGE,
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            ],
            ANTHROPIC_END,
        ),
        _ => (
            &[
                MESSAGE,
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}"#,
            ],
            ANTHROPIC_END,
        ),
    }
}

fn codec(kind: &str) -> Box<dyn Codec> {
    match kind.split_once('_') {
        Some(("chat", _)) => Box::new(OpenaiChat::default()),
        Some(("responses", _)) => Box::new(OpenaiResponses::new(Dialect::openai())),
        Some(("gemini", _)) => Box::new(Gemini::default()),
        Some(("bedrock", _)) => Box::new(Bedrock::default()),
        _ => Box::new(Anthropic::default()),
    }
}

/// Text that is borrowed where it holds no escapes.
#[derive(Deserialize, Default)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The least that any of the protocols needs of a frame.
#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Fields<'a>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Delta<'a> {
    Text(#[serde(borrow)] Text<'a>),
    Fields(#[serde(borrow)] Fields<'a>),
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    content: Option<Text<'a>>,
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(borrow, default)]
    partial_json: Option<Text<'a>>,
    #[serde(borrow, default)]
    tool_calls: Vec<Call<'a>>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    function: Function<'a>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    arguments: Text<'a>,
}

impl Typed<'_> {
    fn length(&self) -> usize {
        let text = |text: &Option<Text<'_>>| text.as_ref().map_or(0, |text| text.0.len());
        let of = |fields: &Fields<'_>| {
            let calls: usize = fields.tool_calls.iter().map(|call| call.function.arguments.0.len()).sum();
            text(&fields.content) + text(&fields.text) + text(&fields.partial_json) + calls
        };
        let delta = match &self.delta {
            Some(Delta::Text(text)) => text.0.len(),
            Some(Delta::Fields(fields)) => of(fields),
            None => 0,
        };
        delta + self.choices.iter().map(|choice| of(&choice.delta)).sum::<usize>()
    }
}

fn lines(bytes: &[u8], mut each: impl FnMut(&[u8])) {
    let mut from = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        if let Some(data) = bytes[from..end].strip_prefix(b"data: ") {
            each(data);
        }
        from = end + 1;
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
    bencher.counter(ItemsCount::new(DELTAS)).bench_local(|| {
        let mut length = 0;
        lines(black_box(&all), |data| {
            length += serde_json::from_slice::<Typed<'_>>(data).map_or(0, |frame| frame.length());
        });
        length
    });
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
#[divan::bench(args = [1, 8, 64])]
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

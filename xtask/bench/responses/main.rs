//! One stream of Responses over loopback: read raw by reqwest, and by the client. `responses serve PORT` is the server;
//! `responses measure PORT` prints the CPU time of each per delta and their ratio.
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use interlingua::{Client, Delta, Event, Protocol, Provider, Request};

const DELTAS: usize = 20_000;
const ROUNDS: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match words.as_slice() {
        ["serve", port] => serve(port),
        ["measure", port] => measure(port),
        _ => eprintln!("responses serve PORT | responses measure PORT"),
    }
}

fn serve(port: &str) {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).expect("a free port");
    let streams = Arc::new([stream(false), stream(true)]);
    for stream in listener.incoming().flatten() {
        let streams = Arc::clone(&streams);
        std::thread::spawn(move || answer(stream, &streams));
    }
}

/// Answers every request of a connection with the stream of text, or of a tool's input where the path says so.
fn answer(mut stream: TcpStream, streams: &[Vec<Vec<u8>>; 2]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (mut line, mut length, mut tool) = (String::new(), 0_usize, false);
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            tool |= line.starts_with("POST /tool");
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
            if line.trim().is_empty() {
                break;
            }
        }
        std::io::copy(&mut std::io::Read::take(&mut reader, length as u64), &mut std::io::sink())?;
        for piece in &streams[usize::from(tool)] {
            stream.write_all(piece)?;
        }
    }
}

/// A head and one HTTP chunk for every event.
fn stream(tool: bool) -> Vec<Vec<u8>> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut pieces = vec![head.as_bytes().to_vec()];
    let mut number = 0;
    let mut event = |kind: &str, rest: String| {
        let text = format!("event: {kind}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":{number},{rest}}}\n\n");
        number += 1;
        pieces.push(format!("{:x}\r\n{text}\r\n", text.len()).into_bytes());
    };
    let response = |status: &str| format!("\"response\":{{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"{status}\",\"model\":\"m\",\"output\":[]}}");
    event("response.created", response("in_progress"));
    let (id, item, kind) = if tool {
        ("fc_0b1c2d3e4f", "\"type\":\"function_call\",\"id\":\"fc_0b1c2d3e4f\",\"call_id\":\"call_1\",\"name\":\"search\",\"arguments\":\"\"", "response.function_call_arguments.delta")
    } else {
        ("msg_0b1c2d3e4f", "\"type\":\"message\",\"id\":\"msg_0b1c2d3e4f\",\"role\":\"assistant\",\"content\":[]", "response.output_text.delta")
    };
    event("response.output_item.added", format!("\"output_index\":0,\"item\":{{{item}}}"));
    let place = if tool { "" } else { "\"content_index\":0," };
    for at in 0..DELTAS {
        let word = if tool { format!("{at:08}") } else { format!(" word{:04}", at % 9000) };
        let word = match (tool, at) {
            (true, 0) => "{\\\"a\\\":\\\"".to_owned(),
            (true, at) if at == DELTAS - 1 => "\\\"}".to_owned(),
            _ => word,
        };
        event(kind, format!("\"item_id\":\"{id}\",\"output_index\":0,{place}\"delta\":\"{word}\",\"obfuscation\":\"{:x<1$}\"", "", at % 16));
    }
    event("response.completed", response("completed"));
    pieces.push(b"0\r\n\r\n".to_vec());
    pieces
}

fn measure(port: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for what in ["text", "tool"] {
        let url = format!("http://127.0.0.1:{port}/{what}");
        let mut row = Provider::new("bench", Protocol::OpenaiResponses, url.clone());
        row.keys = Vec::new();
        let client = Client::builder().env(|_| None).provider(row).key("bench", "k").build().expect("a client");
        let raw = reqwest::Client::new();
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..=ROUNDS {
            theirs.push(timed(&runtime, read_raw(&raw, &url)));
            ours.push(timed(&runtime, read(&client)));
        }
        let (theirs, ours) = (median(theirs), median(ours));
        println!("  responses {what:<14} {:<22} {theirs:>10.2}     1.00 x", "reqwest-raw");
        println!("  responses {what:<14} {:<22} {ours:>10.2} {:>8.2} x", "interlingua", ours / theirs);
    }
}

/// CPU time per delta in microseconds.
fn timed(runtime: &tokio::runtime::Runtime, work: impl Future<Output = usize>) -> f64 {
    let before = cpu();
    let got = runtime.block_on(work);
    let used = cpu() - before;
    assert!(got >= DELTAS, "only {got} of {DELTAS} came");
    used / 1e3 / DELTAS as f64
}

/// Nanoseconds that this thread has run.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    text.split(' ').next().and_then(|word| word.parse().ok()).expect("a number")
}

async fn read_raw(client: &reqwest::Client, url: &str) -> usize {
    let mut answer = client.post(format!("{url}/responses")).body("{}").send().await.expect("an answer");
    let mut bytes = 0;
    while let Some(chunk) = answer.chunk().await.expect("a chunk") {
        bytes += chunk.len();
    }
    bytes
}

async fn read(client: &Client) -> usize {
    let mut events = client.stream(&Request::new("bench/m").user("hi")).await.expect("an answer");
    let mut deltas = 0;
    while let Some(event) = events.next().await {
        if let Event::Delta { delta: Delta::Text(_) | Delta::Input(_), .. } = event.expect("an event") {
            deltas += 1;
        }
    }
    deltas
}

/// The first round warms up.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.remove(0);
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

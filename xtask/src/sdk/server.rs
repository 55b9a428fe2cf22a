//! A server on loopback that is made of the server halves.
//!
//! The path of a request says what is answered: `/text/v1/messages` is the scenario `text` in the protocol of
//! `/v1/messages`. Connections are kept open and each has a thread of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use http::{HeaderName, HeaderValue};
use interlingua_model::{Error, ErrorKind, Event, Request};
use interlingua_wire::{Call, Encoder, Mint, Mode, Protocol, Reply, Serve};

use super::mirror::{self, Mirrored};
use super::scenario::Scenario;

/// A running server. It runs until the process ends.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    mirrored: Arc<Mutex<Vec<Mirrored>>>,
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) fn start() -> Result<Self, String> {
        let cannot = |error: std::io::Error| format!("no server on loopback: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(cannot)?;
        let server = Self { address: listener.local_addr().map_err(cannot)?, mirrored: Arc::default() };
        let mirrored = Arc::clone(&server.mirrored);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mirrored = Arc::clone(&mirrored);
                // A client that goes away in the middle is its own business.
                thread::spawn(move || serve(&stream, &mirrored).ok());
            }
        });
        Ok(server)
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes what came of the rich requests so far.
    pub(crate) fn mirrored(&self) -> Vec<Mirrored> {
        std::mem::take(&mut *self.mirrored.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Answers the requests of one connection.
fn serve(stream: &TcpStream, mirrored: &Mutex<Vec<Mirrored>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(call) = receive(&mut reader)? {
        let Some(place) = Place::of(&call.path) else {
            send(stream, &Reply::json(404, "{\"error\":{\"message\":\"there is no such path here\"}}"))?;
            continue;
        };
        match answer(place, &call, mirrored) {
            Ok(Answer::Stream(kind, pieces)) => stream_out(stream, kind, &pieces)?,
            Ok(Answer::Whole(reply)) => send(stream, &reply)?,
            Err(error) => send(stream, &Reply::json(500, format!("{{\"error\":{:?}}}", error.message())))?,
        }
    }
    Ok(())
}

/// What a path stands for.
#[derive(Debug, Clone, Copy)]
struct Place {
    scenario: Scenario,
    vendor: &'static str,
    protocol: Protocol,
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        let path = path.split('?').next()?.strip_prefix('/')?;
        let (scenario, rest) = path.split_once('/')?;
        let (vendor, protocol) = match rest {
            "v1/chat/completions" => ("openai", Protocol::OpenaiChat),
            "v1/responses" => ("openai", Protocol::OpenaiResponses),
            "v1/messages" => ("anthropic", Protocol::Anthropic),
            "mistral/v1/chat/completions" => ("mistral", Protocol::OpenaiChat),
            "v2/chat" => ("cohere", Protocol::Cohere),
            "api/chat" => ("ollama", Protocol::Ollama),
            "v1beta/interactions" => ("google", Protocol::GeminiInteractions),
            rest if rest.starts_with("v1beta/models/") => ("google", Protocol::Gemini),
            rest if rest.starts_with("model/") => ("bedrock", Protocol::Bedrock),
            _ => return None,
        };
        Some(Self { scenario: Scenario::named(scenario)?, vendor, protocol })
    }
}

/// What goes back.
enum Answer {
    Stream(&'static str, Vec<Vec<u8>>),
    Whole(Reply),
}

fn answer(place: Place, call: &Call, mirrored: &Mutex<Vec<Mirrored>>) -> Result<Answer, Error> {
    let Place { scenario, vendor, protocol } = place;
    let codec = mirror::codec(vendor, protocol, call)?;
    if scenario == Scenario::Rich {
        let outcome = mirror::hold(protocol, &*codec, call);
        mirrored.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
    }
    let (request, mode) = match codec.decode_request(call) {
        Ok(read) => read,
        Err(error) => return Ok(Answer::Whole(codec.encode_error(&error))),
    };
    if let Some(error) = scenario.refusal() {
        return Ok(Answer::Whole(codec.encode_error(&error)));
    }
    let failure = scenario.failure();
    match (mode, failure) {
        (Mode::Whole, Some(error)) => Ok(Answer::Whole(codec.encode_error(&error))),
        (_, failure) => said(&*codec, &request, mode, &scenario.events(protocol), failure.as_ref()),
    }
}

/// What a server half makes of events, and then perhaps of an error.
fn said(
    codec: &dyn Serve,
    request: &Request,
    mode: Mode,
    events: &[Event],
    failure: Option<&Error>,
) -> Result<Answer, Error> {
    let mut encoder = codec.encoder(request, mode, Mint::new(1_790_000_000, "x1"));
    let mut pieces = Vec::new();
    for event in events {
        encoder.push(event)?;
        pieces.push(encoder.take().to_vec());
    }
    if let Some(failure) = failure {
        encoder.fail(failure);
        pieces.push(encoder.take().to_vec());
    }
    Ok(finished(&encoder, pieces))
}

fn finished(encoder: &Encoder, pieces: Vec<Vec<u8>>) -> Answer {
    let kind = encoder.content_type();
    match kind {
        "application/json" => Answer::Whole(Reply::json(200, pieces.concat())),
        kind => Answer::Stream(kind, pieces),
    }
}

/// Reads one request; `None` when the client has closed the connection.
fn receive(reader: &mut impl BufRead) -> std::io::Result<Option<Call>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut call = Call::post(path, Vec::new());
    let mut length = 0;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            break;
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value.trim())) {
            call.headers.insert(name, value);
        }
    }
    let mut body = Vec::new();
    reader.by_ref().take(length).read_to_end(&mut body)?;
    call.body = body.into();
    Ok(Some(call))
}

fn send(mut stream: &TcpStream, reply: &Reply) -> std::io::Result<()> {
    let mut head =
        format!("HTTP/1.1 {} Answer\r\ncontent-length: {}\r\n", reply.status, reply.body.len()).into_bytes();
    for (name, value) in &reply.headers {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    head.extend_from_slice(b"\r\n");
    stream.write_all(&[&head[..], &reply.body[..]].concat())
}

/// Each piece is a chunk and a write of its own, as a stream that is worth its name sends them.
fn stream_out(mut stream: &TcpStream, kind: &str, pieces: &[Vec<u8>]) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        stream.write_all(&[format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat())?;
    }
    stream.write_all(b"0\r\n\r\n")
}

/// An error of this program, not of the library under test.
pub(super) fn broken(message: String) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

//! A server on loopback that is made of the server halves and fails as it is told.

mod history;
mod http;
mod script;
mod tally;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use interlingua::wire::{Call, Protocol, Provider, Serve};
use interlingua::{Error, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::fault::Fault;
use crate::nonce::Nonce;
use http::Incoming;
use script::{Attempt, Step};
use tally::Tally;

pub(crate) use history::{output, same_json};
pub(crate) use tally::Counts;

/// A server that is ready.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    seed: u64,
    tally: Arc<Tally>,
}

/// What a connection is after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Open,
    Closed,
}

impl Server {
    /// Listens on a free port.
    pub(crate) async fn bind(seed: u64) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok(Self { listener, seed, tally: Arc::default() })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What it counts.
    pub(crate) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Takes connections for as long as it is polled.
    pub(crate) async fn run(self) {
        loop {
            // One that was gone before it was taken is none.
            let Ok((stream, _)) = self.listener.accept().await else { continue };
            self.tally.connection();
            tokio::spawn(serve(stream, self.seed, Arc::clone(&self.tally)));
        }
    }
}

/// Answers the requests of one connection until either side closes it.
async fn serve(mut stream: TcpStream, seed: u64, tally: Arc<Tally>) {
    let _ = stream.set_nodelay(true);
    let mut incoming = Incoming::default();
    while let Ok(Some(call)) = incoming.receive(&mut stream).await {
        let steps = answer(&call, seed, &tally).unwrap_or_else(|error| {
            tally.fail(&error);
            script::apology(&error)
        });
        for step in steps {
            if perform(&mut stream, step).await == Left::Closed {
                return;
            }
        }
    }
}

/// What is done about a request.
fn answer(call: &Call, seed: u64, tally: &Tally) -> Result<Vec<Step>, Error> {
    let protocol = protocol(&call.path)?;
    let codec = codec(protocol)?;
    let (request, mode) = codec.decode_request(call)?;
    let nonce = history::check(&request)?;
    let number = tally.attempt(nonce);
    let fault = Fault::of(seed, nonce, number);
    tally.fault(fault);
    Attempt { codec: &*codec, protocol, request: &request, mode, nonce, number, fault, seed }.steps()
}

fn protocol(path: &str) -> Result<Protocol, Error> {
    match path {
        "/v1/chat/completions" => Ok(Protocol::OpenaiChat),
        "/v1/responses" => Ok(Protocol::OpenaiResponses),
        "/v1/messages" => Ok(Protocol::Anthropic),
        other if other.starts_with("/model/") => Ok(Protocol::Bedrock),
        "/v2/chat" => Ok(Protocol::Cohere),
        other if other.starts_with("/interactions") => Ok(Protocol::GeminiInteractions),
        other if other.starts_with("/models/") => Ok(Protocol::Gemini),
        "/api/chat" => Ok(Protocol::Ollama),
        other => Err(broken(format!("nothing is at {other}"))),
    }
}

fn codec(protocol: Protocol) -> Result<Box<dyn Serve>, Error> {
    Provider::new("soak", protocol, "").server(protocol, "model-1")
}

async fn perform(stream: &mut TcpStream, step: Step) -> Left {
    match step {
        Step::Write(bytes) => match stream.write_all(&bytes).await {
            Ok(()) => Left::Open,
            Err(_) => Left::Closed,
        },
        Step::Pause(time) => {
            tokio::time::sleep(time).await;
            Left::Open
        }
        Step::Flood { bytes, times } => {
            for _ in 0..times {
                if stream.write_all(&bytes).await.is_err() {
                    break;
                }
            }
            Left::Closed
        }
        Step::Close => Left::Closed,
        Step::Reset => {
            let _ = stream.set_zero_linger();
            Left::Closed
        }
        Step::Hold => {
            hold(stream).await;
            Left::Closed
        }
    }
}

/// Says nothing until the client goes away.
async fn hold(stream: &mut TcpStream) {
    let mut rest = [0; 64];
    let gone = async { while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {} };
    let _ = tokio::time::timeout(Duration::from_secs(60), gone).await;
}

/// An error of this program, not of the library.
fn broken(message: String) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

/// The question that a text asks.
fn asked(text: &str) -> Result<Nonce, Error> {
    Nonce::find(text).ok_or_else(|| broken("a message bears no mark".to_owned()))
}

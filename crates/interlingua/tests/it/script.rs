//! A transport that says what it is told, for everything about time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use interlingua::wire::{Protocol, Provider};
use interlingua::{Body, BoxFuture, Client, ClientBuilder, Error, ErrorKind, Timeouts, Transport};
use tokio::time::{Instant, sleep};

/// A piece of a body.
#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Text(String),
    Wait(Duration),
    Break,
    Forever,
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) pieces: Vec<Piece>,
}

impl Said {
    pub(crate) fn ok(text: impl Into<String>) -> Self {
        Self::status(200, text)
    }

    pub(crate) fn status(status: u16, text: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), pieces: vec![Piece::Text(text.into())] }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn then(mut self, piece: Piece) -> Self {
        self.pieces.push(piece);
        self
    }
}

/// What stands in for an answer.
#[derive(Debug, Clone)]
pub(crate) enum Turn {
    Answer(Said),
    Fail(ErrorKind),
    Never,
}

/// A request as it was sent, and when.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) at: Instant,
    pub(crate) request: http::Request<Bytes>,
}

#[derive(Debug, Default)]
pub(crate) struct Script {
    turns: Mutex<VecDeque<Turn>>,
    sent: Mutex<Vec<Sent>>,
}

impl Script {
    pub(crate) fn new(turns: impl IntoIterator<Item = Turn>) -> Arc<Self> {
        Arc::new(Self { turns: Mutex::new(turns.into_iter().collect()), sent: Mutex::default() })
    }

    pub(crate) fn answers(answers: impl IntoIterator<Item = Said>) -> Arc<Self> {
        Self::new(answers.into_iter().map(Turn::Answer))
    }

    pub(crate) fn builder(self: &Arc<Self>) -> ClientBuilder {
        let row = Provider::new("test", Protocol::OpenaiChat, "https://api.test/v1");
        let transport = Arc::clone(self) as Arc<dyn Transport>;
        Client::builder().env(|_| None).provider(row).key("test", "sk-test-1").transport(transport)
    }

    pub(crate) fn client(self: &Arc<Self>) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }

    /// The pauses between the calls.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        let times: Vec<_> = self.sent.lock().unwrap().iter().map(|sent| sent.at).collect();
        times.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    pub(crate) fn with_sent<T>(&self, at: usize, look: impl FnOnce(&http::Request<Bytes>) -> T) -> T {
        look(&self.sent.lock().unwrap()[at].request)
    }

    pub(crate) fn body(&self, at: usize) -> serde_json::Value {
        self.with_sent(at, |request| serde_json::from_slice(request.body()).unwrap())
    }
}

impl Transport for Script {
    fn send(
        &self,
        request: http::Request<Bytes>,
        _: Timeouts,
    ) -> BoxFuture<'_, Result<http::Response<Body>, Error>> {
        self.sent.lock().unwrap().push(Sent { at: Instant::now(), request });
        let turn = self.turns.lock().unwrap().pop_front().expect("one call more than the script has answers");
        Box::pin(async move {
            match turn {
                Turn::Answer(said) => Ok(said.into_response()),
                Turn::Fail(kind) => Err(Error::new(kind, "as scripted")),
                Turn::Never => std::future::pending().await,
            }
        })
    }
}

impl Said {
    fn into_response(self) -> http::Response<Body> {
        let pieces = stream::unfold(self.pieces.into_iter(), |mut pieces| async move {
            loop {
                match pieces.next()? {
                    Piece::Text(text) => return Some((Ok(Bytes::from(text)), pieces)),
                    Piece::Wait(time) => sleep(time).await,
                    Piece::Break => return Some((Err(Error::new(ErrorKind::Truncated, "cut")), pieces)),
                    Piece::Forever => std::future::pending().await,
                }
            }
        });
        let mut response = http::Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        response.body(Body::from_stream(pieces)).unwrap()
    }
}

//! A server on loopback that does as it is told, faults included.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use interlingua::wire::{Listing, Protocol, Provider};
use interlingua::{Client, ClientBuilder, RetryPolicy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// One thing that the server does.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Writes bytes.
    Write(Vec<u8>),
    /// Waits until the test says so.
    Await(Arc<Notify>),
    /// Writes the same bytes over and over, counting them, and stops after so many.
    Flood { bytes: Vec<u8>, times: usize, written: Arc<AtomicUsize> },
    /// Reads until the client closes, then tells the test.
    Watch(Arc<Notify>),
    /// Closes the connection.
    Close,
    /// Resets the connection.
    Reset,
}

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    open: watch::Sender<usize>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// Starts a server that answers the n-th request, from 0, as the script says.
    pub(crate) async fn start(script: impl Fn(usize) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self::start_with(move |number, _| script(number)).await
    }

    /// Starts a server whose answers depend on what is asked.
    pub(crate) async fn start_with(
        script: impl Fn(usize, &Received) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            open: watch::Sender::new(0),
            received: Arc::default(),
        };
        let (own, script) = (server.clone(), Arc::new(script));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                own.connections.fetch_add(1, Ordering::SeqCst);
                own.open.send_modify(|open| *open += 1);
                let (own, script) = (own.clone(), Arc::clone(&script));
                tokio::spawn(async move {
                    own.serve(stream, &*script).await;
                    own.open.send_modify(|open| *open -= 1);
                });
            }
        });
        server
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Waits until no connection is open.
    pub(crate) async fn left(&self) {
        self.open.subscribe().wait_for(|open| *open == 0).await.unwrap();
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A row for this server.
    pub(crate) fn row(&self) -> Provider {
        self.row_of(Protocol::OpenaiChat)
    }

    /// A row for this server, which speaks a protocol.
    pub(crate) fn row_of(&self, protocol: Protocol) -> Provider {
        let mut row = Provider::new("test", protocol, self.url());
        row.keys = vec![interlingua::wire::Key::new("TEST_KEY")];
        row.models = Some(Listing::new("/models"));
        row
    }

    /// A client that knows this server, has a key for it, and retries at once.
    pub(crate) fn builder(&self) -> ClientBuilder {
        let at_once = RetryPolicy::default().pauses(std::time::Duration::ZERO, std::time::Duration::ZERO);
        Client::builder().env(|_| None).provider(self.row()).key("test", "sk-test-1").retry(at_once)
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    async fn serve(
        &self,
        mut stream: TcpStream,
        script: &(dyn Fn(usize, &Received) -> Vec<Step> + Send + Sync),
    ) {
        while let Some(received) = receive(&mut stream).await {
            let number = {
                let mut all = self.received.lock().unwrap();
                all.push(received.clone());
                all.len() - 1
            };
            for step in script(number, &received) {
                if !perform(&mut stream, step).await {
                    return;
                }
            }
        }
    }
}

async fn receive(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut received =
        Received { head: String::from_utf8(bytes[..end].to_vec()).unwrap(), body: String::new() };
    let length: usize = received.header("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    received.body = String::from_utf8(bytes[end..].to_vec()).unwrap();
    Some(received)
}

/// Does one thing; `false` when the connection is no more.
async fn perform(stream: &mut TcpStream, step: Step) -> bool {
    match step {
        Step::Write(bytes) => stream.write_all(&bytes).await.is_ok(),
        Step::Await(notify) => {
            notify.notified().await;
            true
        }
        Step::Flood { bytes, times, written } => {
            for _ in 0..times {
                if stream.write_all(&bytes).await.is_err() {
                    return false;
                }
                written.fetch_add(bytes.len(), Ordering::SeqCst);
            }
            true
        }
        Step::Watch(gone) => {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            gone.notify_one();
            false
        }
        Step::Close => false,
        Step::Reset => {
            stream.set_zero_linger().unwrap();
            false
        }
    }
}

/// A whole answer of a status.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let text = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
    vec![Step::Write(text.into_bytes())]
}

/// The head of a stream in chunks.
pub(crate) fn stream_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: req-7\r\ntransfer-encoding: chunked\r\n\r\n"
        .to_vec()
}

/// One chunk of a body.
pub(crate) fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// The end of a body in chunks.
pub(crate) fn last_chunk() -> Vec<u8> {
    b"0\r\n\r\n".to_vec()
}

/// A frame that adds text.
pub(crate) fn text_frame(text: &str) -> String {
    let content = serde_json::Value::from(text);
    format!(
        "data: {{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{content}}},\"finish_reason\":null}}]}}\n\n"
    )
}

/// The frames that end an answer.
pub(crate) fn last_frames() -> &'static str {
    "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
     data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\n\
     data: [DONE]\n\n"
}

/// A stream that says `Hello, wörld`.
pub(crate) fn hello() -> String {
    [&text_frame("Hel"), &text_frame("lo, wörld"), last_frames()].concat()
}

/// A whole answer that says `Hello, wörld`.
pub(crate) fn whole_hello() -> &'static str {
    r#"{"id":"c1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hello, wörld"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2}}"#
}

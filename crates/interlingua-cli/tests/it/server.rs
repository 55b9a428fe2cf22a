//! A provider on the loopback that says what a test wants it to say, through the server halves of the protocols.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use interlingua::{Delta, Error, Event, Finish, FinishReason, Output, Request, Start, Text, Usage};
use interlingua_wire::{Call, Mint, Mode, Protocol, Serve};

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Answers with these events.
    Say(Vec<Event>),
    /// Sends these events and closes the connection.
    Cut(Vec<Event>),
    /// Sends these events and waits until the client goes away.
    Stall(Vec<Event>),
    /// Refuses.
    Refuse(Arc<Error>),
    /// Answers with a body of its own.
    Body(u16, &'static str, &'static str),
    /// Accepts a connection and closes it without reading.
    Hang,
}

/// A request as the server read it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) request: Request,
    pub(crate) headers: Vec<(String, String)>,
}

/// A server that acts once per request, in order.
pub(crate) struct Server {
    address: String,
    protocol: Protocol,
    asked: Arc<Mutex<Vec<Asked>>>,
    gone: Receiver<()>,
}

impl Server {
    pub(crate) fn new(protocol: Protocol, acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (sender, gone) = channel();
        let (record, acts) = (Arc::clone(&asked), acts.into_iter().collect::<Vec<_>>());
        thread::spawn(move || serve(&listener, protocol, acts, &record, &sender));
        Self { address, protocol, asked, gone }
    }

    /// A server that lists models and does nothing else.
    pub(crate) fn listing(models: &'static str) -> Self {
        Self::new(Protocol::OpenaiChat, [Act::Body(200, "application/json", models)])
    }

    /// The address without a path.
    pub(crate) fn host(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The config file's row for this server.
    pub(crate) fn provider_row(&self, id: &str) -> String {
        let (protocol, url) = (self.protocol.id(), self.base_url());
        format!(
            "[[provider]]\nid = \"{id}\"\nkeys = [\"TEST_KEY\"]\nendpoints = [{{ protocol = \"{protocol}\", base_url = \"{url}\" }}]\n"
        )
    }

    pub(crate) fn base_url(&self) -> String {
        let path = if self.protocol == Protocol::Anthropic { "" } else { "/v1" };
        format!("http://{}{path}", self.address)
    }

    /// The requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits until the client of a stalled answer has gone away.
    pub(crate) fn wait_for_hang_up(&self) {
        self.gone.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
    }
}

/// The events of an answer in pieces.
pub(crate) fn text(pieces: &[&str]) -> Vec<Event> {
    finished(pieces, FinishReason::Stop)
}

/// The same with another end.
pub(crate) fn finished(pieces: &[&str], reason: FinishReason) -> Vec<Event> {
    let mut events = begun(pieces);
    let mut usage = Usage::default();
    usage.input = Some(7);
    usage.output = Some(3);
    events.extend([Event::close(0), Event::usage(usage), Event::finish(Finish::new(reason))]);
    events
}

/// The same without an end.
pub(crate) fn begun(pieces: &[&str]) -> Vec<Event> {
    let mut events = vec![
        Event::start(Start::new(Some("answer-1".into()), Some("model".into()))),
        Event::open(0, Output::Text(Text::default())),
    ];
    events.extend(pieces.iter().map(|piece| Event::delta(0, Delta::text(*piece))));
    events
}

fn codec(protocol: Protocol) -> Box<dyn Serve> {
    interlingua_wire::Provider::new("test", protocol, "").server(protocol, "model").unwrap()
}

fn serve(
    listener: &TcpListener,
    protocol: Protocol,
    acts: Vec<Act>,
    record: &Mutex<Vec<Asked>>,
    gone: &Sender<()>,
) {
    let codec = codec(protocol);
    for act in acts {
        let Ok((mut stream, _)) = listener.accept() else { return };
        if matches!(act, Act::Hang) {
            continue;
        }
        let (call, headers) = read(&mut stream);
        if let Act::Body(status, kind, body) = act {
            // Such a request may be one for the list of models, which no protocol reads.
            let _ = answer(&mut stream, status, kind, body.as_bytes());
            continue;
        }
        let (request, mode) = codec.decode_request(&call).unwrap();
        record.lock().unwrap().push(Asked { request: request.clone(), headers });
        // The client may hang up at any time; that is what some tests are about.
        let _ = perform(&act, &*codec, &request, mode, &mut stream);
        if matches!(act, Act::Stall(_)) {
            let _ = stream.read(&mut [0]);
            let _ = gone.send(());
        }
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn perform(
    act: &Act,
    codec: &dyn Serve,
    request: &Request,
    mode: Mode,
    stream: &mut TcpStream,
) -> std::io::Result<()> {
    let events = match act {
        Act::Say(events) | Act::Cut(events) | Act::Stall(events) => events,
        Act::Refuse(error) => {
            let reply = codec.encode_error(error);
            return answer(stream, reply.status, "application/json", &reply.body);
        }
        Act::Body(..) | Act::Hang => return Ok(()),
    };
    let mut encoder = codec.encoder(request, mode, Mint::new(1_700_000_000, "test1"));
    if mode == Mode::Whole {
        for event in events {
            encoder.push(event).unwrap();
        }
        return answer(stream, 200, "application/json", &encoder.take());
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {}\r\nx-request-id: req-1\r\ntransfer-encoding: chunked\r\n\r\n",
        encoder.content_type()
    );
    stream.write_all(head.as_bytes())?;
    for event in events {
        encoder.push(event).unwrap();
        let bytes = encoder.take();
        if !bytes.is_empty() {
            write!(stream, "{:x}\r\n", bytes.len())?;
            stream.write_all(&bytes)?;
            stream.write_all(b"\r\n")?;
        }
    }
    if matches!(act, Act::Say(_)) {
        stream.write_all(b"0\r\n\r\n")?;
    }
    stream.flush()
}

fn answer(stream: &mut TcpStream, status: u16, kind: &str, body: &[u8]) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: {kind}\r\nx-request-id: req-1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

/// Reads one HTTP/1.1 request.
fn read(stream: &mut TcpStream) -> (Call, Vec<(String, String)>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let mut call = Call::post(path, body);
    for (name, value) in &headers {
        let name: http::HeaderName = name.parse().unwrap();
        call.headers.insert(name, value.parse().unwrap());
    }
    (call, headers)
}

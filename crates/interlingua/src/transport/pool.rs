//! Connections, and those that wait for the next call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
#[cfg(feature = "http2")]
use hyper::client::conn::http2;
use hyper::client::conn::{TrySendError, http1};
use interlingua_model::{Error, ErrorKind};
use tokio::time::{Instant, sleep, timeout};

use crate::named::Named;
use crate::origin::Origin;
use crate::transport::connector::Connector;
use crate::transport::stream::Connection;
use crate::transport::{Body, failure};

/// Connections that are not used for this long are closed; servers and balancers usually wait 60 s or longer.
const IDLE: Duration = Duration::from_secs(50);
/// How long is waited for a connection whose last answer has just ended, before another one is made.
const SETTLE: Duration = Duration::from_millis(20);
/// Most bytes of the head of an answer, and of one read.
const READ_BUFFER: usize = 128 << 10;
/// How often a silent HTTP/2 connection with open streams is asked whether it is alive, and how long it may take.
#[cfg(feature = "http2")]
const PING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));

/// The body of a request, on the heap: each connection keeps room for 32 requests.
pub(crate) type RequestBody = Box<Full<Bytes>>;

/// Sends requests over connections, and keeps these.
pub(crate) struct Pool {
    connector: Connector,
    kept: Arc<Kept>,
}

/// The connections that no call uses, or that any number can.
#[derive(Default)]
struct Kept(Mutex<Places>);

#[derive(Default)]
struct Places {
    idle: Named<Vec<Idle>, Origin>,
    is_swept: bool,
}

struct Idle {
    sender: Sender,
    since: Instant,
}

/// The end of a connection where requests go in.
enum Sender {
    /// HTTP/1: one call at a time. A proxy wants to see whole URLs.
    One { sender: http1::SendRequest<RequestBody>, proxied: bool },
    #[cfg(feature = "http2")]
    Many(http2::SendRequest<RequestBody>),
}

/// A connection that belongs to a call until the body of its answer has ended.
pub(crate) struct Lease {
    kept: Weak<Kept>,
    origin: Origin,
    sender: Sender,
}

impl Pool {
    pub(crate) fn new(connector: Connector) -> Self {
        Self { connector, kept: Arc::default() }
    }

    /// Sends a request and waits for the head of the answer. A connection that was kept may have been closed meanwhile; then
    /// the request, of which nothing was sent, goes out over another one.
    pub(crate) async fn send(
        &self,
        mut request: Request<RequestBody>,
        time: Duration,
    ) -> Result<Response<Body>, Error> {
        let uri = request.uri().clone();
        let Some(origin) = Origin::of(&uri) else {
            return Err(Error::new(ErrorKind::Configuration, format!("`{uri}` names no host")));
        };
        loop {
            let (mut sender, is_new) = match self.kept.take(&origin).await {
                Some(sender) => (sender, false),
                None => (self.connect(&origin, &uri, time).await?, true),
            };
            sender.address(&mut request, &uri);
            match sender.send(request).await {
                Ok(answer) => return Ok(self.lend(answer, origin, sender)),
                Err(mut error) => {
                    let Some(unsent) = error.take_message().filter(|_| !is_new) else {
                        return Err(failure::of_call(error.into_error(), uri.host().unwrap_or_default()));
                    };
                    #[cfg(feature = "http2")]
                    self.kept.forget_shared(&origin);
                    request = unsent;
                }
            }
        }
    }

    #[cfg_attr(not(feature = "http2"), expect(unused_variables, reason = "HTTP/2 alone keeps what is new"))]
    async fn connect(&self, origin: &Origin, uri: &Uri, time: Duration) -> Result<Sender, Error> {
        let connection = self.connector.connect(uri, time).await?;
        let sender = Sender::over(connection).await;
        let sender = sender.map_err(|error| failure::of_call(error, uri.host().unwrap_or_default()))?;
        #[cfg(feature = "http2")]
        let sender = Kept::shared(&self.kept, origin, sender);
        Ok(sender)
    }

    fn lend(&self, answer: Response<Incoming>, origin: Origin, sender: Sender) -> Response<Body> {
        let lease = match sender {
            Sender::One { .. } => Some(Box::new(Lease { kept: Arc::downgrade(&self.kept), origin, sender })),
            #[cfg(feature = "http2")]
            Sender::Many(_) => None,
        };
        answer.map(|body| Body::from_hyper(body, lease))
    }
}

impl Lease {
    /// The body has ended: the connection waits for the next call.
    pub(crate) fn end(self) {
        if let Some(kept) = self.kept.upgrade() {
            Kept::keep(&kept, self.origin, self.sender);
        }
    }
}

impl Kept {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that can be used.
    async fn take(&self, origin: &Origin) -> Option<Sender> {
        loop {
            let mut sender = self.pick(origin)?;
            if sender.is_ready() {
                return Some(sender);
            }
            if matches!(timeout(SETTLE, sender.ready()).await, Ok(Ok(()))) {
                return Some(sender);
            }
        }
    }

    /// The connection that was used last, if there is one that is ready; else one that soon may be.
    fn pick(&self, origin: &Origin) -> Option<Sender> {
        let mut places = self.places();
        let list = places.idle.get_mut(origin)?;
        list.retain(Idle::is_alive);
        let at =
            list.iter().rposition(|idle| idle.sender.is_ready()).or_else(|| list.len().checked_sub(1))?;
        #[cfg(feature = "http2")]
        if let Some(Idle { sender: Sender::Many(shared), since }) = list.get_mut(at) {
            *since = Instant::now();
            return Some(Sender::Many(shared.clone()));
        }
        Some(list.remove(at).sender)
    }

    /// A connection that calls share is kept from the beginning. Of several that were made at once, one stays.
    #[cfg(feature = "http2")]
    fn shared(kept: &Arc<Self>, origin: &Origin, sender: Sender) -> Sender {
        let Sender::Many(shared) = &sender else { return sender };
        let known = kept.places().idle.get_mut(origin).and_then(|list| {
            list.iter().filter(|idle| idle.is_alive()).find_map(|idle| match &idle.sender {
                Sender::Many(known) => Some(Sender::Many(known.clone())),
                Sender::One { .. } => None,
            })
        });
        if let Some(known) = known {
            return known;
        }
        Self::keep(kept, origin.clone(), Sender::Many(shared.clone()));
        sender
    }

    /// A connection that calls share took none any more, and may not have said so yet: nobody asks it again.
    #[cfg(feature = "http2")]
    fn forget_shared(&self, origin: &Origin) {
        if let Some(list) = self.places().idle.get_mut(origin) {
            list.retain(|idle| matches!(idle.sender, Sender::One { .. }));
        }
    }

    fn keep(kept: &Arc<Self>, origin: Origin, sender: Sender) {
        let idle = Idle { sender, since: Instant::now() };
        if !idle.is_alive() {
            return;
        }
        let mut places = kept.places();
        match places.idle.get_mut(&origin) {
            Some(list) => list.push(idle),
            None => places.idle.insert(origin, vec![idle]),
        }
        if !std::mem::replace(&mut places.is_swept, true) {
            drop(places);
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn(Sweep(Arc::downgrade(kept)).run())),
                Err(_) => kept.places().is_swept = false,
            }
        }
    }
}

/// Closes connections that nobody has used for a while.
struct Sweep(Weak<Kept>);

impl Sweep {
    async fn run(self) {
        loop {
            sleep(IDLE / 4).await;
            let Some(kept) = self.0.upgrade() else { return };
            let mut places = kept.places();
            places.idle.retain(|list| {
                list.retain(Idle::is_alive);
                !list.is_empty()
            });
            if places.idle.len() == 0 {
                places.is_swept = false;
                return;
            }
        }
    }
}

impl Drop for Sweep {
    /// Also where the runtime ends before the connections do.
    fn drop(&mut self) {
        if let Some(kept) = self.0.upgrade() {
            kept.places().is_swept = false;
        }
    }
}

impl Idle {
    fn is_alive(&self) -> bool {
        !self.sender.is_closed() && self.since.elapsed() < IDLE
    }
}

impl Sender {
    /// Speaks HTTP over a connection, which is a task of its own from here on.
    async fn over(connection: Connection) -> hyper::Result<Self> {
        #[cfg(feature = "http2")]
        if connection.speaks_http2() {
            let mut builder = http2::Builder::new(hyper_util::rt::TokioExecutor::new());
            builder.timer(hyper_util::rt::TokioTimer::new());
            builder.keep_alive_interval(PING.0).keep_alive_timeout(PING.1);
            let (sender, connection) = builder.handshake(connection).await?;
            tokio::spawn(connection);
            return Ok(Self::Many(sender));
        }
        let proxied = connection.is_proxied();
        let (sender, connection) =
            http1::Builder::new().max_buf_size(READ_BUFFER).handshake(connection).await?;
        tokio::spawn(connection);
        Ok(Self::One { sender, proxied })
    }

    /// Writes the address as the connection wants it.
    fn address(&self, request: &mut Request<RequestBody>, uri: &Uri) {
        match self {
            Self::One { proxied, .. } => {
                if !request.headers().contains_key(HOST)
                    && let Some(host) = host(uri)
                {
                    request.headers_mut().insert(HOST, host);
                }
                *request.uri_mut() = match uri.path_and_query().filter(|_| !proxied) {
                    Some(path) => Uri::from(path.clone()),
                    None => uri.clone(),
                };
            }
            #[cfg(feature = "http2")]
            Self::Many(_) => *request.uri_mut() = uri.clone(),
        }
    }

    async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, TrySendError<Request<RequestBody>>> {
        match self {
            Self::One { sender, .. } => sender.try_send_request(request).await,
            #[cfg(feature = "http2")]
            Self::Many(sender) => sender.try_send_request(request).await,
        }
    }

    async fn ready(&mut self) -> hyper::Result<()> {
        match self {
            Self::One { sender, .. } => sender.ready().await,
            #[cfg(feature = "http2")]
            Self::Many(sender) => sender.ready().await,
        }
    }

    fn is_ready(&self) -> bool {
        match self {
            Self::One { sender, .. } => sender.is_ready(),
            #[cfg(feature = "http2")]
            Self::Many(sender) => sender.is_ready(),
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Self::One { sender, .. } => sender.is_closed(),
            #[cfg(feature = "http2")]
            Self::Many(sender) => sender.is_closed(),
        }
    }
}

/// Host and port of a URL, as a header tells them: without the user, and without the usual port.
fn host(uri: &Uri) -> Option<HeaderValue> {
    let name = uri.host()?;
    let usual = if uri.scheme_str() == Some("http") { 80 } else { 443 };
    let value = match uri.port_u16().filter(|port| *port != usual) {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    HeaderValue::try_from(value).ok()
}

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use interlingua_model::Error;

use crate::transport::connector::{CONNECT_TIME, Connector};
use crate::transport::proxy::Proxies;
use crate::transport::{Body, BoxFuture, Transport, failure};
use crate::{Lookup, Timeouts};

/// The transport that is built in: HTTP/1.1 and 2 over pooled connections, TLS with the system's trust store.
///
/// Proxies are taken from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in small letters as well; this
/// machine itself is never reached through one. `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's trust store,
/// which is read once, at the first connection that needs it. It must be used within a Tokio runtime.
pub struct HttpTransport {
    client: Client<Connector, RequestBody>,
    proxies: Arc<Proxies>,
}

/// The body of a request, on the heap: each connection keeps room for 32 requests.
type RequestBody = Box<Full<Bytes>>;

/// Connections that are not used for this long are closed; servers and balancers usually wait 60 s or longer.
const IDLE: Duration = Duration::from_secs(50);
/// Most bytes of the head of an answer, and of one read.
const READ_BUFFER: usize = 128 << 10;
/// How often a silent HTTP/2 connection with open streams is asked whether it is alive, and how long it may take.
#[cfg(feature = "http2")]
const PING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));

impl HttpTransport {
    /// A transport with proxies and certificates from the environment of the process.
    pub fn new() -> Self {
        Self::with_lookup(&|name| std::env::var(name).ok())
    }

    pub(crate) fn with_lookup(lookup: &Lookup) -> Self {
        let proxies = Arc::new(Proxies::new(lookup));
        let mut client = Client::builder(TokioExecutor::new());
        client
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .http1_max_buf_size(READ_BUFFER);
        #[cfg(feature = "http2")]
        client.http2_keep_alive_interval(PING.0).http2_keep_alive_timeout(PING.1);
        let client = client.build(Connector::new(Arc::clone(&proxies)));
        Self { client, proxies }
    }
}

impl Default for HttpTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpTransport")
    }
}

impl Transport for HttpTransport {
    fn send(
        &self,
        call: http::Request<Bytes>,
        timeouts: Timeouts,
    ) -> BoxFuture<'_, Result<http::Response<Body>, Error>> {
        let mut call = call.map(|body| Box::new(Full::new(body)));
        if let Some(value) = self.proxies.authorization(call.uri()) {
            call.headers_mut().insert(PROXY_AUTHORIZATION, value);
        }
        let uri = call.uri().clone();
        let answer = CONNECT_TIME.scope(timeouts.connect, self.client.request(call));
        Box::pin(async move {
            let answer = answer.await;
            let failed = |error| failure::of_call(error, uri.host().unwrap_or_default());
            Ok(answer.map_err(failed)?.map(Body::from_hyper))
        })
    }
}

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::PROXY_AUTHORIZATION;
use http_body_util::Full;
use interlingua_model::Error;

use crate::transport::connector::Connector;
use crate::transport::pool::Pool;
use crate::transport::proxy::Proxies;
use crate::transport::{Body, BoxFuture, Transport};
use crate::{Lookup, Timeouts};

/// The transport that is built in: HTTP/1.1 and 2 over pooled connections, TLS with the system's trust store.
///
/// Proxies are taken from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in small letters as well; this
/// machine itself is never reached through one. `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's trust store,
/// which is read once, at the first connection that needs it. It must be used within a Tokio runtime.
pub struct HttpTransport {
    pool: Pool,
    proxies: Arc<Proxies>,
}

impl HttpTransport {
    /// A transport with proxies and certificates from the environment of the process.
    pub fn new() -> Self {
        Self::with_lookup(&|name| std::env::var(name).ok())
    }

    pub(crate) fn with_lookup(lookup: &Lookup) -> Self {
        let proxies = Arc::new(Proxies::new(lookup));
        let pool = Pool::new(Connector::new(Arc::clone(&proxies)));
        Self { pool, proxies }
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
        Box::pin(self.pool.send(call, timeouts.connect))
    }
}

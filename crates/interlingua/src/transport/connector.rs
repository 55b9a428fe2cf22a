use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use interlingua_model::{Error, ErrorKind};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::transport::proxy::Proxies;
use crate::transport::stream::Connection;
use crate::transport::{BoxFuture, failure, tls};

/// Makes connections: directly or through a proxy, plain or with TLS.
#[derive(Debug)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    proxies: Arc<Proxies>,
}

/// After this much silence the kernel asks whether the other side is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

impl Connector {
    pub(crate) fn new(proxies: Arc<Proxies>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEP_ALIVE));
        Self { tcp, proxies }
    }

    /// A connection to a host, made in at most this time.
    pub(crate) async fn connect(&self, uri: &Uri, time: Duration) -> Result<Connection, Error> {
        let connecting: BoxFuture<'_, _> = Box::pin(self.reach(uri));
        tokio::time::timeout(time, connecting).await.unwrap_or_else(|_| {
            let host = uri.host().unwrap_or_default();
            let message = format!("no connection to {host} within {} s", time.as_secs_f64());
            Err(Error::new(ErrorKind::Timeout, message))
        })
    }

    async fn reach(&self, uri: &Uri) -> Result<Connection, Error> {
        if let Some(proxy) = self.proxies.intercept(uri) {
            return Box::pin(proxy.connect(self.tcp.clone(), uri)).await;
        }
        let tcp = dial(self.tcp.clone(), uri).await?;
        if uri.scheme_str() == Some("https") {
            Box::pin(tls::connect(tcp, uri)).await
        } else {
            Ok(Connection::plain(tcp, false))
        }
    }
}

/// A plain connection to a host.
pub(crate) async fn dial(mut tcp: HttpConnector, uri: &Uri) -> Result<TokioIo<TcpStream>, Error> {
    tcp.call(uri.clone()).await.map_err(|error| failure::of_dial(error, uri))
}

use std::sync::Arc;
use std::task::{Context, Poll};
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

tokio::task_local! {
    /// How long the connection that is made for the current call may take. The pool stands between the call and the
    /// connector and has no other way to hand it on.
    pub(crate) static CONNECT_TIME: Duration;
}

/// Makes connections: directly or through a proxy, plain or with TLS.
#[derive(Debug, Clone)]
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

    async fn connect(self, uri: Uri) -> Result<Connection, Error> {
        if let Some(proxy) = self.proxies.intercept(&uri) {
            return Box::pin(proxy.connect(self.tcp, &uri)).await;
        }
        let tcp = dial(self.tcp, &uri).await?;
        if uri.scheme_str() == Some("https") {
            Box::pin(tls::connect(tcp, &uri)).await
        } else {
            Ok(Connection::plain(tcp, false))
        }
    }
}

/// A plain connection to a host.
pub(crate) async fn dial(mut tcp: HttpConnector, uri: &Uri) -> Result<TokioIo<TcpStream>, Error> {
    tcp.call(uri.clone()).await.map_err(|error| failure::of_dial(error, uri))
}

impl Service<Uri> for Connector {
    type Response = Connection;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Connection, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let time = CONNECT_TIME.try_with(|time| *time).ok();
        let host = uri.host().unwrap_or_default().to_owned();
        let connecting = Box::pin(self.clone().connect(uri));
        match time {
            Some(time) => Box::pin(within(time, connecting, host)),
            None => connecting,
        }
    }
}

async fn within(
    time: Duration,
    connecting: BoxFuture<'static, Result<Connection, Error>>,
    host: String,
) -> Result<Connection, Error> {
    tokio::time::timeout(time, connecting).await.unwrap_or_else(|_| {
        let message = format!("no connection to {host} within {} s", time.as_secs_f64());
        Err(Error::new(ErrorKind::Timeout, message))
    })
}

//! Calls over TLS, in HTTP/1.1 and 2. The trust store is read once in the life of a process, so that these calls are made in
//! a process of their own, which is told of another store.

use std::convert::Infallible;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use interlingua::wire::{Protocol, Provider};
use interlingua::{Client, Request, RetryPolicy};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use crate::server::whole_hello;

/// Where the child finds its trust store.
const STORE: &str = "SSL_CERT_FILE";

#[test]
fn calls_go_over_tls_in_http_1_and_2() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.pem");
    let tests = ["tls::one_connection_carries_all_calls_of_http_2", "tls::http_1_takes_turns"];
    for test in tests {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let ran = child.args(["--ignored", "--exact", test]).env(STORE, &store).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && said.contains("1 passed"), "{said}");
    }
}

/// A server with a certificate of its own, which goes into the trust store.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    close: Arc<Notify>,
}

impl Server {
    async fn start(spoken: &[&str]) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(Path::new(&std::env::var(STORE).unwrap()), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth();
        let mut config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        config.alpn_protocols = spoken.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, connections: Arc::default(), close: Arc::default() };
        let (connections, close) = (Arc::clone(&server.connections), Arc::clone(&server.close));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let number = connections.fetch_add(1, Ordering::SeqCst);
                assert!(number < 50, "too many connections");
                let (acceptor, close) = (acceptor.clone(), Arc::clone(&close));
                tokio::spawn(async move {
                    let Ok(tls) = acceptor.accept(tcp).await else { return };
                    let io = TokioIo::new(tls);
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    tokio::select! {
                        _ = builder.serve_connection(io, service_fn(hello)) => {}
                        () = close.notified() => {}
                    }
                });
            }
        });
        server
    }

    fn client(&self) -> Client {
        let url = format!("https://localhost:{}/v1", self.port);
        let row = Provider::new("test", Protocol::OpenaiChat, url);
        let builder = Client::builder().env(|_| None).provider(row).key("test", "sk-test-1");
        builder.retry(RetryPolicy::never()).build().unwrap()
    }

    /// Closes all connections, and lets the client hear of it.
    async fn close(&self) {
        self.close.notify_waiters();
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn hello(request: http::Request<Incoming>) -> Result<http::Response<Full<Bytes>>, Infallible> {
    // HTTP/2 names the host in the address, HTTP/1.1 in a header.
    let named = request.uri().host().map(str::to_owned).or_else(|| {
        request.headers().get("host").map(|host| host.to_str().unwrap().split(':').next().unwrap().to_owned())
    });
    assert_eq!(named.as_deref(), Some("localhost"));
    assert_eq!(request.uri().path(), "/v1/chat/completions");
    let asked = request.into_body().collect().await.unwrap().to_bytes();
    assert!(asked.starts_with(b"{\"model\":\"m\""), "{asked:?}");
    let answer = http::Response::builder().header("content-type", "application/json");
    Ok(answer.body(Full::from(whole_hello())).unwrap())
}

fn ask() -> Request {
    Request::new("test/m").user("hi")
}

#[tokio::test]
#[ignore = "another test runs it in a process of its own"]
async fn one_connection_carries_all_calls_of_http_2() {
    let server = Server::start(&["h2", "http/1.1"]).await;
    let client = server.client();
    for _ in 0..5 {
        client.send(&ask()).await.unwrap();
    }
    join_all((0..20).map(|_| async { client.send(&ask()).await.unwrap() })).await;
    assert_eq!(server.connections(), 1);
    // A connection that was closed while it waited costs no call.
    server.close().await;
    client.send(&ask()).await.unwrap();
    assert_eq!(server.connections(), 2);
    // Of those that were made at once, one stays.
    let client = server.client();
    join_all((0..8).map(|_| async { client.send(&ask()).await.unwrap() })).await;
    let made = server.connections();
    join_all((0..8).map(|_| async { client.send(&ask()).await.unwrap() })).await;
    assert_eq!(server.connections(), made);
}

#[tokio::test]
#[ignore = "another test runs it in a process of its own"]
async fn http_1_takes_turns() {
    let server = Server::start(&["http/1.1"]).await;
    let client = server.client();
    for _ in 0..5 {
        client.send(&ask()).await.unwrap();
    }
    assert_eq!(server.connections(), 1);
    join_all((0..4).map(|_| async { client.send(&ask()).await.unwrap() })).await;
    assert!(server.connections() <= 4);
    server.close().await;
    client.send(&ask()).await.unwrap();
}

use std::sync::{Arc, OnceLock};

use http::Uri;
use hyper_util::rt::TokioIo;
use interlingua_model::{Error, ErrorKind};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::transport::failure;
use crate::transport::stream::Connection;

/// Shakes hands with a host over a connection.
pub(crate) async fn connect(tcp: TokioIo<TcpStream>, uri: &Uri) -> Result<Connection, Error> {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned()).map_err(|error| {
        Error::new(ErrorKind::Configuration, format!("`{host}` is not a host name")).with_source(error)
    })?;
    let connector = TlsConnector::from(config().await?);
    let stream = connector.connect(name, tcp.into_inner()).await;
    stream.map(Connection::tls).map_err(|error| failure::of_handshake(error, host))
}

/// The settings, made once in the life of the process; reading the trust store takes some milliseconds of file work,
/// which is kept away from the runtime's own threads.
async fn config() -> Result<Arc<ClientConfig>, Error> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let made = tokio::task::spawn_blocking(make).await;
    let made =
        made.map_err(|error| Error::new(ErrorKind::Tls, "cannot read the trust store").with_source(error))??;
    Ok(Arc::clone(CONFIG.get_or_init(|| made)))
}

fn make() -> Result<Arc<ClientConfig>, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        return Err(no_roots(&found.errors));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let versions = versions.map_err(|error| Error::new(ErrorKind::Tls, error.to_string()))?;
    let mut config = versions.with_root_certificates(roots).with_no_client_auth();
    let spoken: &[&[u8]] = if cfg!(feature = "http2") { &[b"h2", b"http/1.1"] } else { &[b"http/1.1"] };
    config.alpn_protocols = spoken.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

fn no_roots(errors: &[rustls_native_certs::Error]) -> Error {
    let why = errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
    let message = format!(
        "this system has no root certificates to trust{why}: install its `ca-certificates` or set SSL_CERT_FILE"
    );
    Error::new(ErrorKind::Tls, message)
}

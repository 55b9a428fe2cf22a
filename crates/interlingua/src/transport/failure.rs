//! Makes one error type out of what the layers below report.

use std::error::Error as StdError;
use std::io;

use http::Uri;
use interlingua_model::{Error, ErrorKind, Retry};

/// A call that brought no answer.
pub(crate) fn of_call(error: hyper::Error, host: &str) -> Error {
    let (kind, message, retry) = before_head(&error, host);
    Error::new(kind, message).with_retry(retry).with_source(error)
}

fn before_head(error: &(dyn StdError + 'static), host: &str) -> (ErrorKind, String, Retry) {
    let hyper = chain(error).find_map(|cause| cause.downcast_ref::<hyper::Error>());
    let (kind, message) = match hyper {
        Some(parse) if parse.is_parse() && parse.to_string().contains("too large") => {
            (ErrorKind::TooLarge, format!("the head of the answer of {host} is too large"))
        }
        Some(parse) if parse.is_parse() => {
            (ErrorKind::Protocol, format!("{host} does not answer in HTTP: {}", root(error)))
        }
        _ => {
            (ErrorKind::Connect, format!("{host} closed the connection before it answered: {}", root(error)))
        }
    };
    (kind, message, kind.retry())
}

/// A body that breaks off.
pub(crate) fn of_body(error: hyper::Error) -> Error {
    let message = format!("the answer was cut off: {}", root(&error));
    Error::new(ErrorKind::Truncated, message).with_source(error)
}

/// A host that cannot be reached.
pub(crate) fn of_dial(error: impl StdError + Send + Sync + 'static, uri: &Uri) -> Error {
    let message = format!("cannot connect to {}: {}", place(uri), root(&error));
    Error::new(ErrorKind::Connect, message).with_source(error)
}

#[cfg(feature = "proxy")]
/// A proxy that does not let through.
pub(crate) fn of_proxy(error: impl StdError + Send + Sync + 'static, proxy: &Uri) -> Error {
    let message = format!("the proxy {} does not connect: {}", place(proxy), root(&error));
    Error::new(ErrorKind::Connect, message).with_source(error)
}

/// A handshake that fails: for good when it is about certificates, for now when the connection broke.
pub(crate) fn of_handshake(error: io::Error, host: &str) -> Error {
    let about_tls = chain(&error).any(<dyn StdError>::is::<rustls::Error>);
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let (kind, advice) = match inner {
        Some(rustls::Error::InvalidCertificate(_)) => {
            (ErrorKind::Tls, "; SSL_CERT_FILE can name a file of certificates to trust")
        }
        _ if about_tls || inner.is_some() => (ErrorKind::Tls, ""),
        _ => (ErrorKind::Connect, ""),
    };
    Error::new(kind, format!("the TLS handshake with {host} failed: {}{advice}", root(&error)))
        .with_source(error)
}

fn place(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// The innermost cause, which says most.
pub(crate) fn root(error: &(dyn StdError + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

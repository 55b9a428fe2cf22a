use bytes::Bytes;
use interlingua_model::{Error, ErrorKind};

use crate::Timeouts;
use crate::transport::{Body, BoxFuture, Transport, failure};

/// A transport over a `reqwest::Client` of your own.
///
/// Its time to connect, proxies and certificates are those of that client. Build it without redirects, so that the
/// rules of this crate hold: a client that follows them may take a key to another host.
#[derive(Debug, Clone)]
pub struct ReqwestTransport(reqwest::Client);

impl ReqwestTransport {
    /// A transport over a client.
    pub const fn new(client: reqwest::Client) -> Self {
        Self(client)
    }
}

impl Transport for ReqwestTransport {
    fn send(
        &self,
        call: http::Request<Bytes>,
        _: Timeouts,
    ) -> BoxFuture<'_, Result<http::Response<Body>, Error>> {
        Box::pin(async move {
            let (head, body) = call.into_parts();
            let url = head.uri.to_string();
            let request = self.0.request(head.method, url).headers(head.headers).body(body);
            let mut answer = request.send().await.map_err(before_head)?;
            let mut response = http::Response::new(());
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            let pieces = futures_util::stream::unfold(Some(answer), |answer| async move {
                let mut answer = answer?;
                match answer.chunk().await {
                    Ok(bytes) => Some((Ok(bytes?), Some(answer))),
                    Err(error) => Some((Err(cut(error)), None)),
                }
            });
            Ok(response.map(|()| Body::from_stream(pieces)))
        })
    }
}

fn before_head(error: reqwest::Error) -> Error {
    let kind = if error.is_timeout() {
        ErrorKind::Timeout
    } else if error.is_builder() {
        ErrorKind::Configuration
    } else {
        ErrorKind::Connect
    };
    let error = error.without_url();
    Error::new(kind, format!("no answer: {}", failure::root(&error))).with_source(error)
}

fn cut(error: reqwest::Error) -> Error {
    let error = error.without_url();
    Error::new(ErrorKind::Truncated, format!("the answer was cut off: {}", failure::root(&error)))
        .with_source(error)
}

//! Requests to authorization servers: over the transport of the client, bounded, never redirected.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, StatusCode};
use interlingua::{Secret, Timeouts, Transport};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::form;
use crate::text;

/// The longest answer, in bytes.
const MOST: usize = 256 << 10;
/// What errors say when a request was understood and refused.
pub(super) const REFUSED: &str = " refuses with HTTP ";
const TIME: Duration = Duration::from_secs(20);

/// Asks on behalf of a login to one server.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) transport: &'a dyn Transport,
    /// The address of the MCP server.
    pub(super) server: &'a str,
}

/// What an authorization server says when it refuses.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Asker<'_> {
    /// A document; `None` where there is none.
    pub(super) async fn get<T: DeserializeOwned>(&self, address: &str) -> Result<Option<T>, String> {
        let (status, body) = self.send(Method::GET, address, "", None, String::new()).await?;
        match status {
            StatusCode::OK => read(address, &body).map(Some),
            status if status.is_client_error() => Ok(None),
            status => Err(format!("{} answers with HTTP {status}", host(address))),
        }
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        address: &str,
        mime: &'static str,
        authorization: Option<&Secret>,
        body: String,
    ) -> Result<T, String> {
        let (status, body) = self.send(Method::POST, address, mime, authorization, body).await?;
        if status.is_success() {
            return read(address, &body);
        }
        // A description could quote what was sent; the code of the error cannot.
        let code = serde_json::from_slice::<Refusal>(&body).map_or_else(|_| String::new(), |said| said.error);
        let is_code = !code.is_empty()
            && code.len() < 64
            && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let code = if is_code { format!(": {code}") } else { String::new() };
        // A server that is busy has not refused: what was asked for may be had later.
        let is_busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        let said = if status.is_client_error() && !is_busy { REFUSED } else { " answers with HTTP " };
        Err(format!("{}{said}{status}{code}", host(address)))
    }

    async fn send(
        &self,
        method: Method,
        address: &str,
        mime: &'static str,
        authorization: Option<&Secret>,
        body: String,
    ) -> Result<(StatusCode, Vec<u8>), String> {
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = method;
        *request.uri_mut() = form::allowed(address, self.server)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if !mime.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(mime));
        }
        if let Some(secret) = authorization {
            headers.insert(AUTHORIZATION, sensitive(secret)?);
        }
        let late = |_| format!("{} does not answer", host(address));
        timeout(TIME, self.exchanged(request)).await.map_err(late)?
    }

    async fn exchanged(&self, request: Request<Bytes>) -> Result<(StatusCode, Vec<u8>), String> {
        let failed = |error: interlingua::Error| text::line(&error.to_string(), text::MESSAGE);
        let response = self.transport.send(request, Timeouts::default()).await.map_err(failed)?;
        let (status, mut body, mut bytes) = (response.status(), response.into_body(), Vec::new());
        while let Some(chunk) = body.chunk().await {
            bytes.extend_from_slice(&chunk.map_err(failed)?);
            if bytes.len() > MOST {
                return Err(format!("an answer about the login is longer than {MOST} bytes"));
            }
        }
        Ok((status, bytes))
    }
}

/// A header that is never shown.
pub(super) fn sensitive(secret: &Secret) -> Result<HeaderValue, String> {
    let mut value = HeaderValue::from_str(secret.expose())
        .map_err(|_| "the token holds characters that no header has".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a parser says may quote a token.
fn read<T: DeserializeOwned>(address: &str, body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body)
        .map_err(|_| format!("{} answers something else than was asked for", host(address)))
}

pub(super) fn host(address: &str) -> String {
    let host = address.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    text::line(&host.unwrap_or_default(), text::NAME)
}

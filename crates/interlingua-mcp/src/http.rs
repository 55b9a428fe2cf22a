//! Streamable HTTP, carried by the transport of the client crate.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt as _;
use futures_util::stream::once;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use interlingua::{Body, BoxStream, Error, ErrorKind, Timeouts};
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, ErrorData, JsonRpcMessage, RequestId, ServerJsonRpcMessage,
};
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, HttpStatusError, InsufficientScopeError, SseError, StreamableHttpClient,
    StreamableHttpError, StreamableHttpPostResponse, StreamableHttpResponseLimits,
};
use sse_stream::{Sse, SseStream};
use tokio::time::sleep;

use crate::oauth::Refusal;
use crate::server::Http;
use crate::text;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

type Failure = StreamableHttpError<Error>;
type Headers = HashMap<HeaderName, HeaderValue>;
type Events = BoxStream<'static, Result<Sse, SseError>>;

impl Http {
    /// Sends one request; the headers of the server's configuration go to its own address alone.
    async fn send(
        &self,
        method: Method,
        session: Option<Arc<str>>,
        headers: Headers,
        body: Bytes,
    ) -> Result<Response<Body>, Failure> {
        let mut request = http::Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.url.parse().map_err(|_| unexpected("the address is no URL"))?;
        let sent = request.headers_mut();
        sent.extend(headers);
        sent.extend(self.headers.clone());
        sent.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        if let Some(session) = session {
            let session = HeaderValue::from_str(&session).map_err(|_| unexpected("the session has no id"))?;
            sent.insert(SESSION, session);
        }
        if !request.body().is_empty() {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        }
        let response = self.authorized(request).await?;
        refused(response.status(), response.headers())?;
        Ok(response)
    }

    /// Sends a request with the token of the login, and again when the server wants another token.
    async fn authorized(&self, mut request: http::Request<Bytes>) -> Result<Response<Body>, Failure> {
        let sent = |request| async {
            self.transport.send(request, Timeouts::default()).await.map_err(Failure::Client)
        };
        let login = self.login.as_ref().filter(|_| !self.headers.contains_key(AUTHORIZATION));
        let Some(login) = login else { return sent(request).await };
        let mut used = login.header(self).await.map_err(not_in)?;
        let mut tries = 1;
        loop {
            if let Some(used) = &used {
                request.headers_mut().insert(AUTHORIZATION, used.clone());
            }
            let response = sent(request.clone()).await?;
            let refusal = Refusal { status: response.status(), headers: response.headers(), tries };
            match login.better(self, used.as_ref(), &refusal).await.map_err(not_in)? {
                Some(better) => (used, tries) = (Some(better), tries + 1),
                None => return Ok(response),
            }
        }
    }
}

impl StreamableHttpClient for Http {
    type Error = Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        token: Option<String>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(uri, message, session, token, headers, limits).await
    }

    async fn post_message_with_response_limits(
        &self,
        _uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _token: Option<String>,
        headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let body = Bytes::from(serde_json::to_vec(&message)?);
        let has_session = session.is_some();
        let response = self.send(Method::POST, session, headers, body).await?;
        let status = response.status();
        if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        if status == StatusCode::NOT_FOUND && has_session {
            return Err(StreamableHttpError::SessionExpired);
        }
        let session = response.headers().get(SESSION).and_then(|id| id.to_str().ok()).map(str::to_owned);
        if status.is_success() && is(response.headers(), EVENTS) {
            return Ok(StreamableHttpPostResponse::Sse(events(response, limits.max_sse_event_size), session));
        }
        let is_json = is(response.headers(), JSON);
        let body = whole(response.into_body(), limits.max_json_response_size).await?;
        answer(&message, status, is_json, &body, has_session, session)
    }

    async fn delete_session(
        &self,
        _uri: Arc<str>,
        session: Arc<str>,
        _token: Option<String>,
        headers: Headers,
    ) -> Result<(), Failure> {
        let response = self.send(Method::DELETE, Some(session), headers, Bytes::new()).await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND => Ok(()),
            status => Err(HttpStatusError::new(status.as_u16(), None).into()),
        }
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last: Option<String>,
        token: Option<String>,
        headers: Headers,
    ) -> Result<Events, Failure> {
        let most = StreamableHttpResponseLimits::default().max_sse_event_size;
        self.get_stream_with_max_sse_event_size(uri, session, last, token, headers, most).await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        _uri: Arc<str>,
        session: Option<Arc<str>>,
        last: Option<String>,
        _token: Option<String>,
        mut headers: Headers,
        most: usize,
    ) -> Result<Events, Failure> {
        if let Some(last) = last.and_then(|id| HeaderValue::from_str(&id).ok()) {
            headers.insert(LAST_EVENT, last);
        }
        let response = self.send(Method::GET, session, headers, Bytes::new()).await?;
        match response.status() {
            StatusCode::METHOD_NOT_ALLOWED => Err(StreamableHttpError::ServerDoesNotSupportSse),
            status if !status.is_success() => Err(HttpStatusError::new(status.as_u16(), None).into()),
            _ if !is(response.headers(), EVENTS) => {
                Err(StreamableHttpError::UnexpectedContentType(content_type(response.headers())))
            }
            _ => Ok(events(response, most)),
        }
    }
}

/// What a body that is no stream means.
fn answer(
    message: &ClientJsonRpcMessage,
    status: StatusCode,
    is_json: bool,
    body: &[u8],
    has_session: bool,
    session: Option<String>,
) -> Result<StreamableHttpPostResponse, Failure> {
    let wants_answer = matches!(message, JsonRpcMessage::Request(_));
    if status.is_success() && !wants_answer {
        return Ok(StreamableHttpPostResponse::Accepted);
    }
    let parsed = serde_json::from_slice::<ServerJsonRpcMessage>(body);
    if let Some(id) = probe(message).filter(|_| status.is_client_error() && !has_session) {
        return Ok(StreamableHttpPostResponse::Json(refused_probe(id, status, parsed.ok()), None));
    }
    match parsed {
        Ok(message) if status.is_success() || matches!(message, JsonRpcMessage::Error(_)) => {
            Ok(StreamableHttpPostResponse::Json(message, session))
        }
        _ if !status.is_success() => Err(HttpStatusError::new(status.as_u16(), None).into()),
        _ if !is_json => Err(unexpected("the answer is neither JSON nor a stream of events")),
        _ => Err(unexpected("the answer is no JSON-RPC message")),
    }
}

/// The id of the question by which a server's era is found out.
fn probe(message: &ClientJsonRpcMessage) -> Option<RequestId> {
    match message {
        JsonRpcMessage::Request(request) if matches!(request.request, ClientRequest::DiscoverRequest(_)) => {
            Some(request.id.clone())
        }
        _ => None,
    }
}

/// A server of before 2026-07-28 answers the probe with any status of 4xx, often without a JSON-RPC error or with
/// another id: that is no failure but how such a server is recognised.
fn refused_probe(
    id: RequestId,
    status: StatusCode,
    said: Option<ServerJsonRpcMessage>,
) -> ServerJsonRpcMessage {
    let error = match said {
        Some(JsonRpcMessage::Error(error)) => error.error,
        _ => ErrorData::invalid_request(format!("refused with HTTP {status}"), None),
    };
    ServerJsonRpcMessage::error(error, Some(id))
}

/// Answers that are errors whatever their body says.
fn refused(status: StatusCode, headers: &HeaderMap) -> Result<(), Failure> {
    let told = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let challenge = || text::line(told(WWW_AUTHENTICATE).unwrap_or("no challenge"), text::MESSAGE);
    match status {
        StatusCode::UNAUTHORIZED => {
            Err(StreamableHttpError::AuthRequired(AuthRequiredError::new(challenge())))
        }
        StatusCode::FORBIDDEN => {
            Err(StreamableHttpError::InsufficientScope(InsufficientScopeError::new(challenge(), None)))
        }
        StatusCode::TOO_MANY_REQUESTS => {
            Err(HttpStatusError::new(status.as_u16(), told(RETRY_AFTER).map(str::to_owned)).into())
        }
        status if status.is_redirection() => Err(unexpected("the server is elsewhere: set its new address")),
        _ => Ok(()),
    }
}

fn not_in(why: String) -> Failure {
    Failure::Client(Error::new(ErrorKind::Authentication, why))
}

fn unexpected(problem: &'static str) -> Failure {
    StreamableHttpError::UnexpectedServerResponse(problem.into())
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(text::line(value, text::MESSAGE))
}

fn is(headers: &HeaderMap, mime: &str) -> bool {
    let value = content_type(headers).unwrap_or_default();
    value.split(';').next().is_some_and(|value| value.trim().eq_ignore_ascii_case(mime))
}

async fn whole(mut body: Body, most: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = body.chunk().await {
        let chunk = chunk.map_err(StreamableHttpError::Client)?;
        if bytes.len() + chunk.len() > most {
            return Err(StreamableHttpError::ResponseBodyTooLarge { max_size: most });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn events(response: Response<Body>, most: usize) -> Events {
    let pieces = Pieces { body: response.into_body(), since: 0, line: 0, most };
    // `rmcp` reads which parameters a server wants as headers from a list of tools, but not when the stream ends before
    // the list has been taken up, as short streams do.
    let end = once(async {
        sleep(Duration::from_millis(10)).await;
        Ok(Bytes::new())
    });
    SseStream::from_bytes_stream(pieces.chain(end)).boxed()
}

/// The body of a stream of events, none of which may be longer than a limit.
struct Pieces {
    body: Body,
    /// Bytes since the last empty line.
    since: usize,
    /// Bytes of the line so far.
    line: usize,
    most: usize,
}

impl Pieces {
    fn fits(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            match byte {
                b'\n' if self.line == 0 => self.since = 0,
                b'\n' => self.line = 0,
                b'\r' => {}
                _ => self.line += 1,
            }
            self.since += 1;
        }
        self.since <= self.most
    }
}

impl Stream for Pieces {
    type Item = Result<Bytes, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = std::task::ready!(self.body.poll_chunk(context));
        Poll::Ready(piece.map(|piece| {
            let piece = piece.map_err(|error| Broken(error.to_string()))?;
            if self.fits(&piece) { Ok(piece) } else { Err(Broken("an event is too long".into())) }
        }))
    }
}

/// Why a stream of events ended.
#[derive(Debug)]
struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

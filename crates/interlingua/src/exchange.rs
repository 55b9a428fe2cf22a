//! Makes a call, again if need be, until the head of an answer is there.

use std::borrow::Cow;
use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use interlingua_model::{Error, ErrorKind};
use interlingua_wire::{Decoder, Mode, Refusal};
use tokio::time::{Instant, sleep, timeout};

use crate::client::Inner;
use crate::drain::Drains;
use crate::gzip::Gunzip;
use crate::origin::Origin;
use crate::plan::{Outgoing, Plan};
use crate::signer::Signer;
use crate::{Body, RetryNote, Secret, Timeouts, observe};

/// A call as it is made, once or again.
pub(crate) struct Call {
    pub(crate) inner: Arc<Inner>,
    pub(crate) plan: Plan,
    pub(crate) begun: Instant,
    pub(crate) retries: Vec<RetryNote>,
    span: observe::Span,
}

/// An answer whose head is there.
pub(crate) struct Opened {
    pub(crate) call: Box<Call>,
    pub(crate) head: Head,
    pub(crate) answering: Box<Answering>,
}

/// What an answer is read with.
pub(crate) struct Answering {
    pub(crate) body: Body,
    pub(crate) decoder: Decoder,
    pub(crate) gunzip: Option<Gunzip>,
    /// The key, which must not be shown.
    pub(crate) secret: Option<Secret>,
    /// Where the connection goes, if it belongs to this call until its body has ended.
    pub(crate) alone: Option<(Arc<Drains>, Uri)>,
}

/// The head of an answer.
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// How long it took.
    pub(crate) first_byte: Duration,
}

/// Most bytes of a refusal that are read, unless the limit of a body is lower.
const REFUSAL: usize = 256 << 10;
/// How long the reading of a refusal may take in all.
const REFUSAL_TIME: Duration = Duration::from_secs(20);
/// Most redirects of one call.
const HOPS: usize = 5;

impl Call {
    pub(crate) fn new(inner: Arc<Inner>, plan: Plan) -> Box<Self> {
        let (begun, retries, span) = (Instant::now(), Vec::new(), observe::Span::here());
        Box::new(Self { inner, plan, begun, retries, span })
    }

    /// The pause before the next attempt, if there is to be one; it is noted and told.
    pub(crate) fn next(&mut self, error: &Error) -> Option<Duration> {
        let done = u32::try_from(self.retries.len()).unwrap_or(u32::MAX);
        let pause = self.plan.retry.pause(error, done)?;
        let note = RetryNote::new(done.saturating_add(1), pause, error);
        if let Some(told) = &self.inner.on_retry {
            told(&note);
        }
        self.inner.observe.retried(&self.span, &note);
        self.retries.push(note);
        Some(pause)
    }

    fn with_target(&self, error: Error) -> Error {
        self.plan.route.sign(error)
    }
}

/// Makes a call until the head of a success is there or no retry is left.
pub(crate) async fn open(mut call: Box<Call>) -> Result<Opened, Error> {
    loop {
        let error = match attempt(&call.inner, &call.plan).await {
            Ok(answer) => return opened(call, answer),
            Err(error) => call.with_target(error),
        };
        let Some(pause) = call.next(&error) else { return Err(error) };
        sleep(pause).await;
    }
}

/// Makes a call whose answer is read at once, again if need be: the body of the success, without the key.
pub(crate) async fn whole(mut call: Box<Call>) -> Result<Vec<u8>, Error> {
    loop {
        let error = match attempt(&call.inner, &call.plan).await {
            Ok(answer) => {
                let (head, body) = answer.into_parts();
                let read = read_some(body, &head.headers, call.plan.limits.body).await;
                return Ok(scrubbed(&read, call.plan.outgoing.secret.as_ref()).into_owned());
            }
            Err(error) => call.with_target(error),
        };
        let Some(pause) = call.next(&error) else { return Err(error) };
        sleep(pause).await;
    }
}

/// Makes a call again after a pause, when the answer failed before its first piece of content.
pub(crate) async fn reopen(call: Box<Call>, pause: Duration) -> Result<Opened, Error> {
    sleep(pause).await;
    open(call).await
}

fn opened(call: Box<Call>, answer: Response<Body>) -> Result<Opened, Error> {
    let (mut head, body) = answer.into_parts();
    let secret = call.plan.outgoing.secret.clone();
    conceal(&mut head.headers, secret.as_ref());
    if call.plan.mode == Mode::Stream {
        detach(&mut head.headers);
    }
    let gunzip = Gunzip::wanted(&head.headers)
        .map_err(|error| call.with_target(scrubbed_error(error, secret.as_ref())))?;
    let plan = &call.plan;
    let decoder = plan.route.codec.decoder(plan.mode, plan.limits).with_raw(plan.raw);
    let is_alone = head.version < Version::HTTP_2;
    let alone = is_alone.then(|| (Arc::clone(&call.inner.drains), plan.outgoing.uri.clone()));
    let head = Head { status: head.status, headers: head.headers, first_byte: call.begun.elapsed() };
    let answering = Box::new(Answering { body, decoder, gunzip, secret, alone });
    Ok(Opened { call, head, answering })
}

/// Marks headers that send the key back, so that they are never printed.
fn conceal(headers: &mut HeaderMap, secret: Option<&Secret>) {
    let Some(key) = secret.map(|secret| secret.expose().as_bytes()).filter(|key| !key.is_empty()) else {
        return;
    };
    let shows = |text: &[u8]| text.windows(key.len()).any(|part| part.first() == key.first() && part == key);
    for value in headers.values_mut().filter(|value| shows(value.as_bytes())) {
        value.set_sensitive(true);
    }
}

/// Copies headers, which otherwise hold for as long as the stream lasts the whole buffer that they were read into, and the
/// room that those of the request took.
fn detach(headers: &mut HeaderMap) {
    let all: Vec<u8> = headers.values().flat_map(|value| value.as_bytes().iter().copied()).collect();
    let mut rest = Bytes::from(all);
    for value in headers.values_mut() {
        let own = rest.split_to(value.len());
        let Ok(mut copy) = HeaderValue::from_maybe_shared(own) else { continue };
        copy.set_sensitive(value.is_sensitive());
        *value = copy;
    }
    *headers = headers.clone();
}

async fn attempt(inner: &Inner, plan: &Plan) -> Result<Response<Body>, Error> {
    let answer = fetch(inner, &plan.outgoing, plan.timeouts).await?;
    if answer.status().is_success() {
        return Ok(answer);
    }
    let (head, body) = answer.into_parts();
    let body = read_some(body, &head.headers, REFUSAL.min(plan.limits.body)).await;
    let body = scrubbed(&body, plan.outgoing.secret.as_ref());
    let refusal = Refusal::new(head.status.as_u16(), &head.headers, &body).at(SystemTime::now());
    Err(scrubbed_error(plan.route.codec.refusal(&refusal), plan.outgoing.secret.as_ref()))
}

/// Sends a request and follows redirects where that is allowed. Any status is a success but that of a redirect.
pub(crate) async fn fetch(
    inner: &Inner,
    outgoing: &Outgoing,
    timeouts: Timeouts,
) -> Result<Response<Body>, Error> {
    let answer = follow(inner, outgoing, timeouts).await;
    answer.map_err(|error| scrubbed_error(error, outgoing.secret.as_ref()))
}

async fn follow(inner: &Inner, outgoing: &Outgoing, timeouts: Timeouts) -> Result<Response<Body>, Error> {
    let mut uri = outgoing.uri.clone();
    let mut headers = Cow::Borrowed(&outgoing.headers);
    let is_home = |uri: &Uri| Origin::of(uri) == Origin::of(&outgoing.uri);
    for _ in 0..=HOPS {
        if let Some(turn) = inner.drains.turn(&uri) {
            turn.await;
        }
        let signer = outgoing.signer.as_ref().filter(|_| is_home(&uri));
        let request = request(outgoing, &uri, headers.clone().into_owned(), signer)?;
        let sending = inner.transport.send(request, timeouts);
        let limit = timeouts.connect.saturating_add(timeouts.first_byte);
        let answer = timeout(limit, sending).await.map_err(|_| silent(&uri, timeouts.first_byte))??;
        let Some(next) = redirect(&answer, &uri, &outgoing.method)? else { return Ok(answer) };
        if !inner.settings.redirects {
            return Err(redirected(answer.status(), &uri, &next));
        }
        if Origin::of(&next) != Origin::of(&uri) {
            headers = Cow::Owned(harmless(&headers));
        }
        uri = next;
    }
    Err(Error::new(ErrorKind::Protocol, format!("{} redirects without end", place(&uri))))
}

fn request(
    outgoing: &Outgoing,
    uri: &Uri,
    headers: HeaderMap,
    signer: Option<&Signer>,
) -> Result<Request<Bytes>, Error> {
    let mut request = Request::new(outgoing.body.clone());
    *request.method_mut() = outgoing.method.clone();
    *request.uri_mut() = uri.clone();
    *request.headers_mut() = headers;
    // A signature is for one host and one time, so that it is made anew whenever the call is sent.
    if let Some(signer) = signer {
        signer.sign(&mut request, SystemTime::now())?;
    }
    Ok(request)
}

/// Where an answer sends us; `None` when it sends us nowhere. Only a redirect that keeps method and body is one.
fn redirect(answer: &Response<Body>, from: &Uri, method: &Method) -> Result<Option<Uri>, Error> {
    let status = answer.status();
    let keeps = matches!(status.as_u16(), 307 | 308)
        || (method == Method::GET && matches!(status.as_u16(), 301..=303));
    if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
        return Ok(None);
    }
    let target = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = target.and_then(|target| resolve(from, target)).ok_or_else(|| {
        let message = format!("{} answers with the redirect {status} to nowhere", place(from));
        Error::new(ErrorKind::Protocol, message).with_status(status.as_u16())
    })?;
    if keeps { Ok(Some(target)) } else { Err(redirected(status, from, &target)) }
}

fn resolve(from: &Uri, target: &str) -> Option<Uri> {
    if target.contains("://") {
        return target.parse().ok().filter(|uri| Origin::of(uri).is_some());
    }
    let (scheme, authority) = (from.scheme_str()?, from.authority()?);
    let whole = match target.strip_prefix("//") {
        Some(other) => format!("{scheme}://{other}"),
        None if target.starts_with('/') => format!("{scheme}://{authority}{target}"),
        None => {
            let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{scheme}://{authority}{folder}/{target}")
        }
    };
    whole.parse().ok()
}

fn redirected(status: StatusCode, from: &Uri, to: &Uri) -> Error {
    let message = format!(
        "{} redirects to {}, which is not followed: check the base URL or allow redirects",
        place(from),
        place(to)
    );
    Error::new(ErrorKind::Protocol, message).with_status(status.as_u16())
}

/// What may be said to a host that the request was not made for.
fn harmless(headers: &HeaderMap) -> HeaderMap {
    let kept = [ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT];
    kept.into_iter().filter_map(|name| Some((name.clone(), headers.get(&name)?.clone()))).collect()
}

fn silent(uri: &Uri, time: Duration) -> Error {
    let message = format!("{} did not answer within {} s", place(uri), time.as_secs_f64());
    Error::new(ErrorKind::Timeout, message)
}

fn place(uri: &Uri) -> String {
    Origin::of(uri).map(|origin| origin.to_string()).unwrap_or_default()
}

/// Reads a body up to a limit, and no longer than a refusal deserves. What breaks off is taken as far as it came.
pub(crate) async fn read_some(mut body: Body, headers: &HeaderMap, limit: usize) -> Vec<u8> {
    let mut read = Vec::new();
    let mut gunzip = Gunzip::wanted(headers).ok().flatten();
    let reading = async {
        while let Some(Ok(chunk)) = body.chunk().await {
            let mut take = |bytes: &[u8]| {
                let room = limit.saturating_sub(read.len());
                read.extend(bytes.iter().take(room));
                Ok(())
            };
            let taken = match &mut gunzip {
                Some(gunzip) => gunzip.push(&chunk, &mut take),
                None => take(&chunk),
            };
            if taken.is_err() || read.len() >= limit {
                break;
            }
        }
    };
    let _ = timeout(REFUSAL_TIME, reading).await;
    read
}

/// The bytes without the key, which some servers send back.
pub(crate) fn scrubbed<'b>(bytes: &'b [u8], secret: Option<&Secret>) -> Cow<'b, [u8]> {
    let Some(key) = secret.map(Secret::expose).filter(|key| !key.is_empty()) else {
        return Cow::Borrowed(bytes);
    };
    let text = String::from_utf8_lossy(bytes);
    if text.contains(key) {
        Cow::Owned(text.replace(key, "[key]").into_bytes())
    } else {
        Cow::Borrowed(bytes)
    }
}

/// A word of an answer without the key.
pub(crate) fn scrubbed_word(word: &str, secret: Option<&Secret>) -> String {
    match secret.map(Secret::expose).filter(|key| !key.is_empty()) {
        Some(key) if word.contains(key) => word.replace(key, "[key]"),
        _ => word.to_owned(),
    }
}

/// The same error, without the key.
pub(crate) fn scrubbed_error(error: Error, secret: Option<&Secret>) -> Error {
    let Some(key) = secret.map(Secret::expose).filter(|key| !key.is_empty()) else { return error };
    let shows = |text: Option<&str>| text.is_some_and(|text| text.contains(key));
    let said = [Some(error.message()), error.body(), error.code(), error.request_id()];
    if !said.into_iter().any(shows) && !shows_below(&error, key) {
        return error;
    }
    let clean = |text: &str| text.replace(key, "[key]");
    let mut copy = Error::new(error.kind(), clean(error.message())).with_retry(error.retry());
    if let Some(status) = error.status() {
        copy = copy.with_status(status);
    }
    if let Some(code) = error.code() {
        copy = copy.with_code(clean(code));
    }
    if let Some(body) = error.body() {
        copy = copy.with_body(clean(body));
    }
    match error.request_id() {
        Some(id) => copy.with_request_id(clean(id)),
        None => copy,
    }
}

/// Whether what an error was made of shows the key: parsers quote what they do not expect.
fn shows_below(error: &Error, key: &str) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if format!("{inner} {inner:?}").contains(key) {
            return true;
        }
        cause = inner.source();
    }
    false
}

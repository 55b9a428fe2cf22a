//! How bytes travel: a trait, and the transport that is built in.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use interlingua_model::Error;

use crate::Timeouts;

mod cassette;
mod connector;
mod failure;
mod pool;
#[cfg_attr(not(feature = "proxy"), path = "proxy_absent.rs")]
mod proxy;
#[cfg(all(test, feature = "proxy"))]
#[expect(dead_code, reason = "its tests alone use it here")]
mod proxy_absent;
#[cfg(feature = "reqwest")]
mod reqwest;
mod stream;
mod tls;
mod wire;

#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestTransport;
pub use cassette::{Cassette, Timing, Unrecorded};
pub use wire::HttpTransport;

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// A stream on the heap.
pub type BoxStream<'a, T> = Pin<Box<dyn Stream<Item = T> + Send + 'a>>;

/// Carries one HTTP request and brings the answer.
///
/// A transport follows no redirects, sends nothing again, decodes nothing, and hands out the body as it comes. The
/// time until the head is there is the client's to watch; a transport watches the time to connect.
///
/// ```
/// use std::sync::Arc;
///
/// use bytes::Bytes;
/// use interlingua::{Body, BoxFuture, Client, Error, Request, Timeouts, Transport};
///
/// #[derive(Debug)]
/// struct Canned;
///
/// impl Transport for Canned {
///     fn send(
///         &self,
///         _: http::Request<Bytes>,
///         _: Timeouts,
///     ) -> BoxFuture<'_, Result<http::Response<Body>, Error>> {
///         let body = r#"{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}"#;
///         Box::pin(async move { Ok(http::Response::new(Body::from(body))) })
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let client = Client::builder().transport(Arc::new(Canned)).key("groq", "gsk-1").build()?;
/// let response = client.send(&Request::new("groq/any").user("hi")).await?;
/// assert_eq!(response.text(), "Hello");
/// # Ok::<(), Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends a request and waits for the head of the answer.
    ///
    /// # Errors
    /// When there is no answer. An answer with any status is a success.
    fn send(
        &self,
        call: http::Request<Bytes>,
        timeouts: Timeouts,
    ) -> BoxFuture<'_, Result<http::Response<Body>, Error>>;
}

/// The body of an answer, in pieces as they come. It is read only when it is polled, so a slow reader slows the
/// sender down.
pub struct Body(Inner);

enum Inner {
    Whole(Option<Bytes>),
    Hyper(hyper::body::Incoming, Option<Box<pool::Lease>>),
    Stream(BoxStream<'static, Result<Bytes, Error>>),
}

impl Body {
    /// A body out of a stream of pieces.
    pub fn from_stream(stream: impl Stream<Item = Result<Bytes, Error>> + Send + 'static) -> Self {
        Self(Inner::Stream(Box::pin(stream)))
    }

    /// The body of an answer, which gives the connection back when it has ended.
    pub(crate) fn from_hyper(body: hyper::body::Incoming, mut lease: Option<Box<pool::Lease>>) -> Self {
        give_back(&body, &mut lease);
        Self(Inner::Hyper(body, lease))
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the body breaks off.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|context| self.poll_chunk(context)).await
    }

    /// Polls for the next piece.
    pub fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        match &mut self.0 {
            Inner::Whole(bytes) => Poll::Ready(bytes.take().filter(|bytes| !bytes.is_empty()).map(Ok)),
            Inner::Hyper(body, lease) => poll_hyper(body, lease, context),
            Inner::Stream(stream) => {
                let chunk = std::task::ready!(stream.as_mut().poll_next(context));
                if chunk.is_none() {
                    self.0 = Inner::Whole(None);
                }
                Poll::Ready(chunk)
            }
        }
    }
}

fn poll_hyper(
    body: &mut hyper::body::Incoming,
    lease: &mut Option<Box<pool::Lease>>,
    context: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, Error>>> {
    use hyper::body::Body as _;
    loop {
        let frame = std::task::ready!(Pin::new(&mut *body).poll_frame(context));
        if matches!(frame, Some(Err(_))) {
            *lease = None;
        }
        give_back(body, lease);
        return Poll::Ready(match frame {
            None => {
                if let Some(lease) = lease.take() {
                    lease.end();
                }
                None
            }
            Some(Err(error)) => Some(Err(failure::of_body(error))),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => Some(Ok(data)),
                Err(_) => continue,
            },
        });
    }
}

/// Gives the connection back as soon as it is known that nothing follows.
fn give_back(body: &hyper::body::Incoming, lease: &mut Option<Box<pool::Lease>>) {
    use hyper::body::Body as _;
    if body.is_end_stream()
        && let Some(lease) = lease.take()
    {
        lease.end();
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body")
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Inner::Whole(Some(bytes)))
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::from(Bytes::from_static(text.as_bytes()))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::from(Bytes::from(text))
    }
}

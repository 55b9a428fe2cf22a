use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::named::Named;
use crate::origin::Origin;
use crate::{Body, BoxFuture};

/// Most bytes that are read behind the end of an answer.
const BYTES: usize = 64 << 10;
/// How long is waited for the end of the body behind the end of the answer.
const TIME: Duration = Duration::from_secs(1);
/// How long a call waits for a connection that is about to be free. A new one with TLS takes about as long.
const PATIENCE: Duration = Duration::from_millis(100);

/// The bodies that are read on behind the end of their answers, so that their connections can be used again.
///
/// An answer is over at its end marker, its connection only when the body has ended as well. A call that comes between
/// would open a connection although one is about to be free, so it waits for that one, for a moment.
#[derive(Debug, Default)]
pub(crate) struct Drains {
    running: AtomicUsize,
    places: Mutex<Named<Place, Origin>>,
}

/// What goes on at one server.
#[derive(Debug, Default)]
struct Place {
    running: usize,
    waiting: usize,
    free: Arc<Notify>,
}

/// A connection that is about to be free.
#[derive(Debug)]
struct Draining(Arc<Drains>, Origin);

/// A call that waits for one.
struct Waiting<'d>(&'d Drains, Origin);

impl Drains {
    /// Reads what is left of a body, in the background and within bounds. Where that takes too long, closing the
    /// connection is cheaper.
    pub(crate) fn rest(self: &Arc<Self>, mut body: Body, from: &Uri, context: &mut Context<'_>) {
        let mut room = BYTES;
        loop {
            match body.poll_chunk(context) {
                Poll::Ready(Some(Ok(chunk))) if chunk.len() <= room => room -= chunk.len(),
                Poll::Ready(Some(_)) => return,
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let Some(draining) = self.begin(from) else { return };
        runtime.spawn(async move {
            let reading = async {
                while let Some(Ok(chunk)) = body.chunk().await {
                    let Some(left) = room.checked_sub(chunk.len()) else { return };
                    room = left;
                }
            };
            let _ = timeout(TIME, reading).await;
            drop(draining);
        });
    }

    /// A wait for a connection to this address that is about to be free, if there is one for this call.
    pub(crate) fn turn<'d>(&'d self, to: &Uri) -> Option<BoxFuture<'d, ()>> {
        if self.running.load(Ordering::Acquire) == 0 {
            return None;
        }
        let (waiting, free) = self.wait(to)?;
        Some(Box::pin(async move {
            let _ = timeout(PATIENCE, free.notified()).await;
            drop(waiting);
        }))
    }

    fn begin(self: &Arc<Self>, from: &Uri) -> Option<Draining> {
        let origin = Origin::of(from)?;
        self.running.fetch_add(1, Ordering::AcqRel);
        self.at(&origin, |place| place.running += 1);
        Some(Draining(Arc::clone(self), origin))
    }

    fn wait(&self, to: &Uri) -> Option<(Waiting<'_>, Arc<Notify>)> {
        let origin = Origin::of(to)?;
        let free = self.at(&origin, |place| {
            (place.waiting < place.running).then(|| {
                place.waiting += 1;
                Arc::clone(&place.free)
            })
        })?;
        Some((Waiting(self, origin), free))
    }

    /// Does something to a place; one where nothing goes on is forgotten.
    fn at<T>(&self, origin: &Origin, change: impl FnOnce(&mut Place) -> T) -> T {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get_mut(origin) {
            let outcome = change(place);
            if place.running == 0 && place.waiting == 0 {
                places.retain(|place| place.running > 0 || place.waiting > 0);
            }
            return outcome;
        }
        let mut place = Place::default();
        let outcome = change(&mut place);
        if place.running > 0 || place.waiting > 0 {
            places.insert(origin.clone(), place);
        }
        outcome
    }
}

impl Drop for Draining {
    fn drop(&mut self) {
        let Self(drains, origin) = self;
        drains.running.fetch_sub(1, Ordering::AcqRel);
        drains.at(origin, |place| {
            place.running = place.running.saturating_sub(1);
            if place.waiting > 0 {
                place.free.notify_one();
            }
        });
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Self(drains, origin) = self;
        drains.at(origin, |place| place.waiting = place.waiting.saturating_sub(1));
    }
}

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use futures_core::Stream;
use interlingua_model::{Assistant, Error, ErrorKind, Event, Fold, Origin, Response};
use interlingua_wire::RateLimits;
use tokio::time::{Instant, Sleep, sleep};

use crate::exchange::{self, Opened};
use crate::{Answer, Body, BoxFuture, BoxStream, Meta, Timeouts};

/// The events of one answer, as they come.
///
/// It is a [`Stream`], and [`next`](Self::next) needs no trait. The finish is handed out at the protocol's own end
/// marker; the rest of the body is read in the background, so that the connection can be used again. An answer that
/// breaks off ends with an error that carries what had come ([`Error::partial`]). Dropping it cancels the call.
///
/// What comes before the first piece of content is held back until that piece is there, so that an answer that fails
/// at its very beginning can be asked for again unseen.
pub struct Events(Box<Inner>);

/// Kept apart, so that an answer is moved about as one word.
struct Inner {
    state: State,
    held: VecDeque<Event>,
    committed: bool,
    fold: Fold,
    meta: Meta,
    begun: Instant,
    target: (Arc<str>, Arc<str>),
}

enum State {
    Reading(Reading),
    Reopening(BoxFuture<'static, Result<Box<Opened>, Error>>),
    Backend(BoxStream<'static, Result<Event, Error>>),
    /// The end was seen; an error is still to be handed out, or nothing.
    Ended(Option<Error>),
}

/// The body of an answer that is read.
struct Reading {
    opened: Box<Opened>,
    failure: Option<Error>,
    clock: Clock,
}

/// Watches how long nothing comes. It rings in steps and counts the quiet ones, so that a piece that comes costs no look
/// at a clock; the idle time is kept to within one step.
struct Clock {
    timer: Pin<Box<Sleep>>,
    timeouts: Timeouts,
    begun: bool,
    /// Whether the timer is still set to the first byte, which has come. It is set anew only where something must be waited
    /// for: a timer that rings before all others costs the runtime a system call.
    late: bool,
    quiet: u32,
    /// Whom the timer wakes.
    wakes: Option<Waker>,
}

/// The steps of the idle time.
const STEPS: u32 = 16;

/// Most events that are held back. A provider that says so much before its first word will say it.
const HELD: usize = 256;

impl Events {
    pub(crate) fn of_call(opened: Box<Opened>) -> Self {
        let plan = &opened.call.plan;
        let mut inner = Inner {
            state: State::Ended(None),
            held: VecDeque::new(),
            committed: false,
            fold: Fold::with_origin(plan.route.author.clone()),
            meta: Meta { warnings: plan.warnings.clone(), ..Meta::default() },
            begun: opened.call.begun,
            target: (Arc::clone(&plan.route.provider), Arc::clone(&plan.route.model)),
        };
        inner.read(opened);
        Self(Box::new(inner))
    }

    pub(crate) fn of_backend(
        stream: BoxStream<'static, Result<Event, Error>>,
        provider: &str,
        model: &str,
    ) -> Self {
        Self(Box::new(Inner {
            state: State::Backend(stream),
            held: VecDeque::new(),
            committed: true,
            fold: Fold::with_origin(Origin::new("", provider, model)),
            meta: Meta::default(),
            begun: Instant::now(),
            target: (provider.into(), model.into()),
        }))
    }

    /// The next event; `None` at the end.
    ///
    /// # Errors
    /// When the answer breaks off, breaks the protocol, or reports an error. No event follows it.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        poll_fn(|context| self.0.poll(context)).await
    }

    /// The message as it stands.
    pub fn message(&self) -> Assistant {
        self.0.fold.message()
    }

    /// The answer as it stands; without a finish until the end.
    pub fn response(&self) -> Response {
        self.0.fold.response()
    }

    /// What is known of the call so far.
    pub const fn meta(&self) -> &Meta {
        &self.0.meta
    }

    /// Reads to the end and returns the whole answer, with what was read before.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn into_response(self) -> Result<Response, Error> {
        Ok(self.into_answer().await?.response)
    }

    /// Reads to the end and returns the whole answer with what is known of the call.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn into_answer(mut self) -> Result<Answer, Error> {
        while let Some(event) = self.next().await {
            event?;
        }
        let Inner { fold, meta, target: (provider, model), .. } = *self.0;
        let response = fold.into_response().map_err(|error| error.with_target(&provider, &model))?;
        Ok(Answer { response, meta })
    }
}

impl Inner {
    fn read(&mut self, mut opened: Box<Opened>) {
        let headers = std::mem::take(&mut opened.headers);
        self.meta.status = Some(opened.status.as_u16());
        let secret = opened.call.plan.outgoing.secret.as_ref();
        let id = interlingua_wire::request_id(&headers);
        self.meta.request_id = id.map(|id| exchange::scrubbed_word(id, secret));
        self.meta.rate_limits = RateLimits::of(&headers);
        self.meta.headers = headers;
        self.meta.timings.first_byte = Some(opened.first_byte);
        self.meta.retries.clone_from(&opened.call.retries);
        let clock = Clock::new(opened.call.plan.timeouts);
        self.state = State::Reading(Reading { opened, failure: None, clock });
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Event, Error>>> {
        loop {
            if self.committed
                && let Some(event) = self.held.pop_front()
            {
                return Poll::Ready(Some(Ok(self.hand_out(event))));
            }
            match &mut self.state {
                State::Ended(error) => {
                    let error = error.take();
                    return Poll::Ready(error.map(|error| Err(self.with_partial(error))));
                }
                State::Backend(stream) => {
                    let item = ready!(stream.as_mut().poll_next(context));
                    self.take(item);
                }
                State::Reopening(opening) => match ready!(opening.as_mut().poll(context)) {
                    Ok(opened) => self.read(opened),
                    Err(error) => self.end(Some(error)),
                },
                State::Reading(reading) => {
                    if let Some(event) = reading.opened.decoder.poll() {
                        if self.committed {
                            return Poll::Ready(Some(Ok(self.hand_out(event))));
                        }
                        self.hold(event);
                    } else if let Some(error) = reading.failure.take() {
                        self.broken(error);
                    } else if reading.opened.decoder.is_finished() {
                        self.end(None);
                    } else {
                        ready!(reading.poll(context));
                    }
                }
            }
        }
    }

    /// Keeps an event until it is certain that the call is not made again.
    fn hold(&mut self, event: Event) {
        if !self.committed && (event.is_content() || self.held.len() >= HELD) {
            self.commit();
        }
        let starts = matches!(event, Event::Start(_));
        self.held.push_back(event);
        if starts {
            self.held.extend(self.meta.warnings.iter().cloned().map(Event::warning));
        }
    }

    /// From now on events are handed out, and the call is not made again.
    fn commit(&mut self) {
        self.committed = true;
        if let State::Reading(reading) = &mut self.state {
            reading.opened.call.settle();
        }
    }

    fn hand_out(&mut self, event: Event) -> Event {
        self.fold.push(&event);
        let timings = &mut self.meta.timings;
        if matches!(event, Event::Finish(_)) {
            timings.total = Some(self.begun.elapsed());
        } else if timings.first_token.is_none() && event.is_content() {
            timings.first_token = Some(self.begun.elapsed());
        }
        event
    }

    /// Takes what a model in the process says.
    fn take(&mut self, item: Option<Result<Event, Error>>) {
        match item {
            Some(Ok(event)) => self.held.push_back(event),
            Some(Err(error)) => self.end(Some(error)),
            None if self.fold.is_finished() => self.end(None),
            None => self.end(Some(Error::new(ErrorKind::Truncated, "the answer ended before its finish"))),
        }
    }

    /// An answer failed: it is asked for again when nothing of it was seen and the error may pass.
    fn broken(&mut self, error: Error) {
        let State::Reading(reading) = std::mem::replace(&mut self.state, State::Ended(None)) else { return };
        let mut call = reading.opened.call;
        let error = exchange::scrubbed_error(error, call.plan.outgoing.secret.as_ref());
        let error = self.with_target(error);
        let again = if self.committed { None } else { call.next(&error) };
        let Some(pause) = again else { return self.end(Some(error)) };
        self.held.retain(|event| matches!(event, Event::Raw(_)));
        self.meta.retries.clone_from(&call.retries);
        self.state = State::Reopening(Box::pin(exchange::reopen(call, pause)));
    }

    fn end(&mut self, error: Option<Error>) {
        self.committed = true;
        self.meta.timings.total.get_or_insert_with(|| self.begun.elapsed());
        self.state = State::Ended(error.map(|error| self.with_target(error)));
    }

    fn with_target(&self, error: Error) -> Error {
        let (provider, model) = &self.target;
        error.with_target(provider, model)
    }

    fn with_partial(&self, error: Error) -> Error {
        if error.partial().is_some() { error } else { error.with_partial(self.fold.response()) }
    }
}

impl Reading {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let polled = self.opened.body.poll_chunk(context);
        let Poll::Ready(chunk) = polled else {
            self.failure = Some(ready!(self.clock.poll(context)));
            return Poll::Ready(());
        };
        self.clock.tick();
        let more = chunk.is_some();
        self.failure = match chunk {
            Some(Ok(bytes)) => self.push(&bytes).err(),
            Some(Err(error)) => Some(error),
            None => self.finish().err(),
        };
        if more && self.opened.decoder.is_finished() {
            let body = std::mem::replace(&mut self.opened.body, Body::from(Bytes::new()));
            if self.opened.alone {
                self.opened.call.inner.drains.rest(body, &self.opened.call.plan.outgoing.uri, context);
            }
        }
        Poll::Ready(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Opened { decoder, gunzip, .. } = &mut *self.opened;
        match gunzip {
            None => decoder.push(bytes),
            Some(gunzip) => gunzip.push(bytes, &mut |bytes| decoder.push(bytes)),
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        if let Some(gunzip) = &mut self.opened.gunzip {
            gunzip.end()?;
        }
        self.opened.decoder.end()
    }
}

impl Clock {
    fn new(timeouts: Timeouts) -> Self {
        let timer = Box::pin(sleep(timeouts.first_byte));
        Self { timer, timeouts, begun: false, late: false, quiet: 0, wakes: None }
    }

    /// Something came.
    fn tick(&mut self) {
        self.quiet = 0;
        if !self.begun {
            self.begun = true;
            self.late = true;
        }
    }

    fn wind(&mut self) {
        self.late = false;
        self.timer.as_mut().reset(Instant::now() + self.timeouts.idle / STEPS);
        self.wakes = None;
    }

    /// Is ready when nothing came for too long.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        if self.late {
            self.wind();
        }
        let waits = self.wakes.as_ref().is_some_and(|waker| waker.will_wake(context.waker()));
        if waits && !self.timer.is_elapsed() {
            return Poll::Pending;
        }
        loop {
            if self.timer.as_mut().poll(context).is_pending() {
                self.wakes = Some(context.waker().clone());
                return Poll::Pending;
            }
            // The first step may have begun before the last piece came.
            if !self.begun || self.quiet >= STEPS {
                let limit = if self.begun { self.timeouts.idle } else { self.timeouts.first_byte };
                let message = format!("nothing came for {} s", limit.as_secs_f64());
                return Poll::Ready(Error::new(ErrorKind::Timeout, message));
            }
            self.quiet += 1;
            self.wind();
        }
    }
}

impl Stream for Events {
    type Item = Result<Event, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().0.poll(context)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("target", &self.0.target)
            .field("meta", &self.0.meta)
            .finish_non_exhaustive()
    }
}

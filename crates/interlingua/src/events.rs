use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use interlingua_model::{Assistant, Error, ErrorKind, Event, Fold, Origin, Output, Response};
use interlingua_wire::RateLimits;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::exchange::{self, Answering, Call, Opened};
use crate::layer::{Teller, Watch, Watches};
use crate::{Answer, Body, BoxFuture, BoxStream, Meta};

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
    watches: Watches,
}

enum State {
    Reading(Reading),
    Reopening(BoxFuture<'static, Result<Opened, Error>>),
    Stream(BoxStream<'static, Result<Event, Error>>),
    /// The end was seen; an error is still to be handed out, or nothing.
    Ended(Option<Error>),
}

/// An answer that is read, and what is watched of it.
struct Reading {
    answering: Box<Answering>,
    /// The call, as long as it may be made again.
    call: Option<Box<Call>>,
    failure: Option<Error>,
    clock: Clock,
}

/// Most events that are held back. A provider that says so much before its first word will say it.
const HELD: usize = 256;

impl Events {
    pub(crate) fn of_call(opened: Opened) -> Self {
        let plan = &opened.call.plan;
        let mut inner = Inner {
            state: State::Ended(None),
            held: VecDeque::new(),
            committed: false,
            fold: Fold::with_origin(plan.route.author.clone()),
            meta: Meta { warnings: plan.warnings.clone(), ..Meta::default() },
            begun: opened.call.begun,
            target: (Arc::clone(&plan.route.provider), Arc::clone(&plan.route.model)),
            watches: Watches::default(),
        };
        inner.read(opened);
        Self(Box::new(inner))
    }

    /// The answer that a stream of events makes, which must obey the [`Grammar`](crate::wire::Grammar): for a
    /// [`Layer`](crate::layer::Layer) that answers by itself, or changes what comes.
    ///
    /// `origin` says who answers, and `meta` what is known of the call; of its timings, those that are not set are
    /// measured from now on.
    ///
    /// ```
    /// use futures_util::stream;
    /// use interlingua::{Event, Events, Finish, FinishReason, Meta, Origin, Start};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
    /// let said = [Event::start(Start::default()), Event::finish(Finish::new(FinishReason::Stop))];
    /// let events = Events::from_stream(
    ///     Origin::new("", "mine", "none"),
    ///     Meta::default(),
    ///     Box::pin(stream::iter(said.map(Ok))),
    /// );
    /// assert_eq!(events.into_response().await?.text(), "");
    /// # Ok::<(), interlingua::Error>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_stream(origin: Origin, meta: Meta, stream: BoxStream<'static, Result<Event, Error>>) -> Self {
        let target = (Arc::from(&*origin.provider), Arc::from(&*origin.model));
        Self(Box::new(Inner {
            state: State::Stream(stream),
            held: VecDeque::new(),
            committed: false,
            fold: Fold::with_origin(origin),
            meta,
            begun: Instant::now(),
            target,
            watches: Watches::default(),
        }))
    }

    /// Waits until the first piece of content is there, and takes nothing: [`next`](Self::next) hands out everything from
    /// the start on. Once this is `Ok`, the call is not made again. An answer that says much before its first word (256
    /// events) counts as begun.
    ///
    /// # Errors
    /// When the answer fails before its first piece of content; no event follows then.
    pub async fn begin(&mut self) -> Result<(), Error> {
        poll_fn(|context| self.0.poll_begin(context)).await
    }

    /// The same answer, watched: each event as it is handed out, and the end. A watch lives until the end was handed out or
    /// the answer is dropped.
    #[must_use]
    pub fn watch(mut self, watch: impl Watch + 'static) -> Self {
        self.0.watches.add(Box::new(watch));
        self
    }

    /// The same answer to a call that began at a time, with what its layers tell.
    pub(crate) fn told_by(mut self, teller: Teller, begun: Instant) -> Self {
        let before = self.0.begun.saturating_duration_since(begun);
        let timings = &mut self.0.meta.timings;
        for time in [&mut timings.first_byte, &mut timings.first_token, &mut timings.total] {
            *time = time.map(|time| time + before);
        }
        self.0.begun = self.0.begun.min(begun);
        self.0.watches.tell_by(teller, &mut self.0.meta);
        self
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
    pub async fn into_response(mut self) -> Result<Response, Error> {
        poll_fn(|context| self.0.poll_end(context)).await?;
        Ok(self.whole()?.response)
    }

    /// Reads to the end and returns the whole answer with what is known of the call.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn into_answer(mut self) -> Result<Answer, Error> {
        poll_fn(|context| self.0.poll_end(context)).await?;
        self.whole()
    }

    /// A part as it stands.
    pub fn part(&self, at: u32) -> Option<Output> {
        self.0.fold.part(at)
    }

    /// The answer of events that were read to their end.
    pub(crate) fn whole(self) -> Result<Answer, Error> {
        let Inner { fold, meta, target: (provider, model), .. } = *self.0;
        let response = fold.into_response().map_err(|error| error.with_target(&provider, &model))?;
        Ok(Answer { response, meta })
    }
}

impl Inner {
    fn read(&mut self, opened: Opened) {
        let Opened { call, head, answering } = opened;
        self.meta.status = Some(head.status.as_u16());
        let id = interlingua_wire::request_id(&head.headers);
        self.meta.request_id = id.map(|id| exchange::scrubbed_word(id, answering.secret.as_ref()));
        self.meta.rate_limits = RateLimits::of(&head.headers);
        self.meta.headers = head.headers;
        self.meta.timings.first_byte = Some(head.first_byte);
        self.meta.retries.clone_from(&call.retries);
        let clock = Clock::new(call.plan.timeouts);
        self.state = State::Reading(Reading { answering, call: Some(call), failure: None, clock });
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Event, Error>>> {
        self.poll_for(context, |inner, event| Some(inner.hand_out(event)))
    }

    /// Reads to the end, for one who looks at no event.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let end = ready!(self.poll_for(context, |inner, event| {
            inner.take(event);
            None::<()>
        }));
        Poll::Ready(end.unwrap_or(Ok(())))
    }

    /// Goes on until something is made of an event that may be seen.
    #[inline]
    fn poll_for<T>(
        &mut self,
        context: &mut Context<'_>,
        mut see: impl FnMut(&mut Self, Event) -> Option<T>,
    ) -> Poll<Option<Result<T, Error>>> {
        loop {
            if self.committed
                && let Some(event) = self.held.pop_front()
            {
                if self.held.is_empty() {
                    self.held = VecDeque::new();
                }
                if let Some(seen) = see(self, event) {
                    return Poll::Ready(Some(Ok(seen)));
                }
                continue;
            }
            if matches!(self.state, State::Ended(_)) {
                return Poll::Ready(self.failure().map(Err));
            }
            match ready!(self.pull(context)) {
                Some(event) if self.committed => {
                    if let Some(seen) = see(self, event) {
                        return Poll::Ready(Some(Ok(seen)));
                    }
                }
                Some(event) => self.hold(event),
                None => {}
            }
        }
    }

    fn poll_begin(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.committed {
            return Poll::Ready(Ok(()));
        }
        while !self.committed {
            if let Some(event) = ready!(self.pull(context)) {
                self.hold(event);
            }
        }
        Poll::Ready(self.failure().map_or(Ok(()), Err))
    }

    /// Goes one step: the event that it brings, or none.
    #[inline]
    fn pull(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        match &mut self.state {
            State::Ended(_) => {}
            State::Stream(stream) => match ready!(stream.as_mut().poll_next(context)) {
                Some(Ok(event)) => return Poll::Ready(Some(event)),
                Some(Err(error)) => self.end(Some(error)),
                None => self.stream_ended(),
            },
            State::Reopening(opening) => match ready!(opening.as_mut().poll(context)) {
                Ok(opened) => self.read(opened),
                Err(error) => self.end(Some(error)),
            },
            State::Reading(reading) => {
                if let Some(event) = reading.answering.decoder.poll() {
                    return Poll::Ready(Some(event));
                }
                if let Some(error) = reading.failure.take() {
                    self.broken(error);
                } else if reading.answering.decoder.is_finished() {
                    self.end(None);
                } else {
                    ready!(reading.poll(context));
                }
            }
        }
        Poll::Ready(None)
    }

    /// Keeps an event until it is certain that the call is not made again.
    fn hold(&mut self, event: Event) {
        if !self.committed && (event.is_content() || self.held.len() >= HELD) {
            self.commit();
        }
        let starts = matches!((&event, &self.state), (Event::Start(_), State::Reading(_)));
        self.held.push_back(event);
        if starts {
            self.held.extend(self.meta.warnings.iter().cloned().map(Event::warning));
        }
    }

    /// From now on events are handed out, and the call is not made again.
    fn commit(&mut self) {
        self.committed = true;
        if let State::Reading(reading) = &mut self.state {
            reading.call = None;
        }
    }

    fn hand_out(&mut self, event: Event) -> Event {
        self.fold.push(&event);
        if self.seen(&event) {
            self.watches.end(&self.fold, &mut self.meta, None);
        }
        event
    }

    fn take(&mut self, event: Event) {
        let finishes = self.seen(&event);
        self.fold.extend([event]);
        if finishes {
            self.watches.end(&self.fold, &mut self.meta, None);
        }
    }

    /// Notes an event, and tells whether it is the last.
    fn seen(&mut self, event: &Event) -> bool {
        let timings = &mut self.meta.timings;
        let finishes = matches!(event, Event::Finish(_));
        if finishes {
            timings.total = Some(self.begun.elapsed());
        } else if timings.first_token.is_none() && event.is_content() {
            timings.first_token = Some(self.begun.elapsed());
        }
        self.watches.event(event);
        finishes
    }

    fn stream_ended(&mut self) {
        let finished = self.fold.is_finished();
        self.end((!finished).then(|| Error::new(ErrorKind::Truncated, "the answer ended before its finish")));
    }

    /// The error that the answer ended with, once.
    fn failure(&mut self) -> Option<Error> {
        let State::Ended(error) = &mut self.state else { return None };
        let error = error.take()?;
        let error = self.with_partial(error);
        self.watches.end(&self.fold, &mut self.meta, Some(&error));
        Some(error)
    }

    /// An answer failed: it is asked for again when nothing of it was seen and the error may pass.
    fn broken(&mut self, error: Error) {
        let State::Reading(reading) = std::mem::replace(&mut self.state, State::Ended(None)) else { return };
        let error = exchange::scrubbed_error(error, reading.answering.secret.as_ref());
        let error = self.with_target(error);
        let Some(mut call) = reading.call else { return self.end(Some(error)) };
        let Some(pause) = call.next(&error) else { return self.end(Some(error)) };
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
        let polled = self.answering.body.poll_chunk(context);
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
        if more && self.answering.decoder.is_finished() {
            let body = std::mem::replace(&mut self.answering.body, Body::from(Bytes::new()));
            if let Some((drains, from)) = self.answering.alone.take() {
                drains.rest(body, &from, context);
            }
        }
        Poll::Ready(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Answering { decoder, gunzip, .. } = &mut *self.answering;
        match gunzip {
            None => decoder.push(bytes),
            Some(gunzip) => gunzip.push(bytes, &mut |bytes| decoder.push(bytes)),
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        if let Some(gunzip) = &mut self.answering.gunzip {
            gunzip.end()?;
        }
        self.answering.decoder.end()
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

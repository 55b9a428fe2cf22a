//! Models in the process that do as they are told, and remember how they were asked. Time is the test's own.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream;
use interlingua::{
    Backend, BoxFuture, BoxStream, Client, ClientBuilder, Delta, Error, ErrorKind, Event, Finish,
    FinishReason, ModelInfo, Output, Request, Start, Text, Usage,
};
use tokio::time::{Instant, sleep};

/// What a model does.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Waits.
    Wait(Duration),
    /// Has no answer at all.
    Refuse(ErrorKind),
    /// Says something.
    Say(&'static str),
    /// Tells what it used: tokens of prompt and of answer.
    Use(u64, u64),
    /// Ends the answer.
    Finish,
    /// Fails in the middle.
    Break(ErrorKind),
}

/// An answer of one word, which takes a time to begin and another to end.
pub(crate) fn word(word: &'static str, before: u64, after: u64) -> Vec<Act> {
    let wait = |ms| Act::Wait(Duration::from_millis(ms));
    vec![wait(before), Act::Say(word), wait(after), Act::Use(10, 5), Act::Finish]
}

/// Numbers that look like chance and are the same in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

type Play = dyn Fn(usize, &Request) -> Vec<Act> + Send + Sync;

/// A model that plays for each call what it is told.
pub(crate) struct Stand {
    play: Box<Play>,
    /// When it was asked, and for which model.
    pub(crate) asked: Mutex<Vec<(Instant, String)>>,
    live: AtomicUsize,
    /// The most answers that were under way at once.
    pub(crate) most: AtomicUsize,
}

impl Stand {
    pub(crate) fn new(play: impl Fn(usize, &Request) -> Vec<Act> + Send + Sync + 'static) -> Arc<Self> {
        let play = Box::new(play);
        Arc::new(Self { play, asked: Mutex::default(), live: AtomicUsize::new(0), most: AtomicUsize::new(0) })
    }

    /// A client whose providers `a`, `b` and `c` are all this model.
    pub(crate) fn builder(self: &Arc<Self>) -> ClientBuilder {
        let builder = Client::builder().env(|_| None);
        ["a", "b", "c"].into_iter().fold(builder, |builder, id| {
            builder.backend(id, Arc::new(Named(id, Arc::clone(self))) as Arc<dyn Backend>)
        })
    }

    pub(crate) fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// The models that were asked, in order.
    pub(crate) fn models(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(_, model)| model.clone()).collect()
    }

    /// When the calls came, since a moment.
    pub(crate) fn times(&self, since: Instant) -> Vec<Duration> {
        self.asked.lock().unwrap().iter().map(|(at, _)| *at - since).collect()
    }

    /// How many answers are under way.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::SeqCst)
    }
}

impl std::fmt::Debug for Stand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stand")
    }
}

/// The model as a provider.
#[derive(Debug)]
struct Named(&'static str, Arc<Stand>);

/// An answer under way.
struct Live(Arc<Stand>);

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Backend for Named {
    fn stream(
        &self,
        request: Request,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<Event, Error>>, Error>> {
        let stand = Arc::clone(&self.1);
        let number = {
            let mut asked = stand.asked.lock().unwrap();
            asked.push((Instant::now(), format!("{}/{}", self.0, request.model)));
            asked.len() - 1
        };
        let acts = (stand.play)(number, &request);
        let live = stand.live.fetch_add(1, Ordering::SeqCst) + 1;
        stand.most.fetch_max(live, Ordering::SeqCst);
        let live = Live(stand);
        Box::pin(async move {
            let mut acts = acts.into_iter().peekable();
            while let Some(Act::Wait(time)) = acts.next_if(|act| matches!(act, Act::Wait(_))) {
                sleep(time).await;
            }
            if let Some(Act::Refuse(kind)) = acts.peek() {
                return Err(Error::new(*kind, "as told"));
            }
            let start = Event::start(Start::new(None, Some(request.model)));
            let played = Played { acts: acts.collect(), queue: VecDeque::from([start]), parts: 0, live };
            Ok(Box::pin(stream::unfold(played, Played::next)) as BoxStream<'static, _>)
        })
    }

    fn models(&self) -> BoxFuture<'static, Result<Vec<ModelInfo>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

struct Played {
    acts: VecDeque<Act>,
    queue: VecDeque<Event>,
    parts: u32,
    #[expect(dead_code, reason = "it counts by being dropped")]
    live: Live,
}

impl Played {
    async fn next(mut self) -> Option<(Result<Event, Error>, Self)> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some((Ok(event), self));
            }
            match self.acts.pop_front()? {
                Act::Wait(time) => sleep(time).await,
                Act::Refuse(kind) | Act::Break(kind) => {
                    return Some((Err(Error::new(kind, "as told")), self));
                }
                Act::Say(text) => {
                    let at = self.parts;
                    self.parts += 1;
                    self.queue.extend([
                        Event::open(at, Output::Text(Text::default())),
                        Event::delta(at, Delta::text(text)),
                        Event::close(at),
                    ]);
                }
                Act::Use(input, output) => {
                    let mut usage = Usage::default();
                    (usage.input, usage.output) = (Some(input), Some(output));
                    self.queue.push_back(Event::usage(usage));
                }
                Act::Finish => self.queue.push_back(Event::finish(Finish::new(FinishReason::Stop))),
            }
        }
    }
}

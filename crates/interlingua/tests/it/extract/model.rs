//! A model in the process that says what it is told and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use futures_util::stream;
use interlingua::{
    Backend, BoxFuture, BoxStream, Client, Delta, Error, Event, Finish, FinishReason, Json, ModelInfo,
    Output, Request, Start, Text, ToolCall, Usage,
};

#[derive(Debug, Default)]
pub(super) struct Model {
    turns: Mutex<VecDeque<Vec<Result<Event, Error>>>>,
    asked: Mutex<Vec<Request>>,
}

impl Model {
    pub(super) fn new<T: IntoIterator<Item = Result<Event, Error>>>(
        turns: impl IntoIterator<Item = T>,
    ) -> Arc<Self> {
        let turns = turns.into_iter().map(|turn| turn.into_iter().collect()).collect();
        Arc::new(Self { turns: Mutex::new(turns), asked: Mutex::default() })
    }

    /// One that says these texts, one after the other.
    pub(super) fn saying<'t>(texts: impl IntoIterator<Item = &'t str>) -> Arc<Self> {
        Self::new(texts.into_iter().map(|text| said(text, FinishReason::Stop)))
    }

    pub(super) fn client(self: &Arc<Self>) -> Client {
        let backend = Arc::clone(self) as Arc<dyn Backend>;
        Client::builder().env(|_| None).backend("test", backend).build().unwrap()
    }

    pub(super) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

impl Backend for Model {
    fn stream(
        &self,
        request: Request,
    ) -> BoxFuture<'static, Result<BoxStream<'static, Result<Event, Error>>, Error>> {
        self.asked.lock().unwrap().push(request);
        let turn = self.turns.lock().unwrap().pop_front().expect("one call more than there are turns");
        Box::pin(async move { Ok(Box::pin(stream::iter(turn)) as BoxStream<'static, _>) })
    }

    fn models(&self) -> BoxFuture<'static, Result<Vec<ModelInfo>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// A text in pieces of a few characters.
pub(super) fn said(text: &str, reason: FinishReason) -> Vec<Result<Event, Error>> {
    let letters: Vec<char> = text.chars().collect();
    let pieces = letters.chunks(3).map(|piece| Event::delta(0, Delta::text(&*String::from_iter(piece))));
    let open = Event::open(0, Output::Text(Text::default()));
    [Event::start(Start::default()), open].into_iter().chain(pieces).chain(ending(reason)).map(Ok).collect()
}

/// A call of the tool by which answers are given.
pub(super) fn called(arguments: &str) -> Vec<Event> {
    let call = ToolCall::new("call_1", "answer", Json::from_text(""));
    let (first, second) = arguments.split_at(arguments.len() / 2);
    let begun = [
        Event::start(Start::default()),
        Event::open(0, Output::ToolCall(call)),
        Event::delta(0, Delta::input(first)),
        Event::delta(0, Delta::input(second)),
    ];
    begun.into_iter().chain(ending(FinishReason::ToolUse)).collect()
}

fn ending(reason: FinishReason) -> [Event; 3] {
    let mut usage = Usage::default();
    (usage.input, usage.output) = (Some(10), Some(5));
    [Event::close(0), Event::usage(usage), Event::finish(Finish::new(reason))]
}

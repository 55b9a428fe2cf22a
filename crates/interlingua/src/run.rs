//! The loop that asks, runs tools, and asks again.

use std::fmt;

use futures_util::future::join_all;
use interlingua_model::{
    Error, ErrorKind, Event, FinishReason, Message, Request, Response, ToolCall, ToolResult, Usage,
};
use interlingua_wire::Mode;

use crate::{BoxFuture, Client, Options, ToolOutput, Toolbox};

/// How far a run may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunLimits {
    /// Most answers of the model; 16 by default.
    pub turns: u32,
}

/// A run that came to its end.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Run {
    /// The last answer.
    pub response: Response,
    /// The whole conversation, the last answer included.
    pub messages: Vec<Message>,
    /// What all answers used together.
    pub usage: Usage,
    /// How many answers there were.
    pub turns: u32,
}

/// A run that did not come to its end, with the conversation as far as it came: every call in it has its result.
pub struct RunError(Box<Stopped>);

struct Stopped {
    error: Error,
    messages: Vec<Message>,
    usage: Usage,
    turns: u32,
}

/// Watches a run and has a say in it.
///
/// Each method does nothing, or agrees, unless it is written.
pub trait Observer: Send {
    /// Sees an event of the answer of a turn, counted from 1.
    fn event(&mut self, turn: u32, event: &Event) {
        let _ = (turn, event);
    }

    /// Is asked before a call runs, one call after the other.
    fn approve<'a>(&'a mut self, call: &'a ToolCall) -> BoxFuture<'a, Approval> {
        let _ = call;
        Box::pin(std::future::ready(Approval::Run))
    }

    /// Sees the result of a call.
    fn result(&mut self, result: &ToolResult) {
        let _ = result;
    }
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Approval {
    /// It runs.
    Run,
    /// It does not run, and this is told to the model as an error.
    Deny(String),
    /// This is its result.
    Answer(ToolOutput),
    /// The run ends here, with [`ErrorKind::Cancelled`].
    Stop,
}

/// Watches nothing and agrees to everything.
pub(crate) struct Nobody;

impl Observer for Nobody {}

impl RunLimits {
    /// Sets the most answers of the model.
    #[must_use]
    pub const fn turns(mut self, turns: u32) -> Self {
        self.turns = turns;
        self
    }
}

impl Default for RunLimits {
    fn default() -> Self {
        Self { turns: 16 }
    }
}

/// A run under way.
struct Conversation<'a> {
    client: &'a Client,
    tools: &'a Toolbox,
    options: &'a Options,
    mode: Mode,
    request: Request,
    usage: Option<Usage>,
    turns: u32,
}

pub(crate) async fn run(
    client: &Client,
    mut request: Request,
    tools: &Toolbox,
    limits: RunLimits,
    options: &Options,
    mode: Mode,
    observer: &mut dyn Observer,
) -> Result<Run, RunError> {
    for definition in tools.definitions() {
        if !request.tools.iter().any(|tool| tool.name() == definition.name()) {
            request.tools.push(definition.clone());
        }
    }
    let mut conversation = Conversation { client, tools, options, mode, request, usage: None, turns: 0 };
    while conversation.turns < limits.turns {
        match conversation.turn(observer).await {
            Ok(None) => {}
            Ok(Some(response)) => return Ok(conversation.done(response)),
            Err(error) => return Err(conversation.stopped(error)),
        }
    }
    let message = format!("the model was not done after {} answers", limits.turns);
    Err(conversation.stopped(Error::new(ErrorKind::Tool, message)))
}

impl Conversation<'_> {
    /// One answer and the tools that it calls; the answer, when it is the last one.
    async fn turn(&mut self, observer: &mut dyn Observer) -> Result<Option<Response>, Error> {
        self.turns += 1;
        let mut events = self.client.events_with(&self.request, self.mode, self.options).await?;
        while let Some(event) = events.next().await {
            observer.event(self.turns, &event?);
        }
        let response = events.into_response().await?;
        add(&mut self.usage, &response.usage);
        self.request.messages.push(response.message.clone().into());
        let calls: Vec<ToolCall> = response.tool_calls().cloned().collect();
        let paused = response.finish.as_ref().is_some_and(|finish| finish.reason == FinishReason::Paused);
        if calls.is_empty() {
            return Ok((!paused).then_some(response));
        }
        let results = self.results(&calls, observer).await;
        let (results, stop) = results;
        self.request.messages.push(Message::tool_results(results));
        if stop {
            Err(Error::new(ErrorKind::Cancelled, "the run was stopped before a tool ran"))
        } else {
            Ok(None)
        }
    }

    /// The results of calls, in their order; the calls run at the same time.
    async fn results(&self, calls: &[ToolCall], observer: &mut dyn Observer) -> (Vec<ToolResult>, bool) {
        let mut decided = Vec::with_capacity(calls.len());
        let mut stop = false;
        for call in calls {
            let approval = if stop { Approval::Stop } else { observer.approve(call).await };
            stop |= approval == Approval::Stop;
            decided.push(approval);
        }
        let running = calls.iter().zip(decided).map(|(call, approval)| self.result(call, approval, stop));
        let results = join_all(running).await;
        for result in &results {
            observer.result(result);
        }
        (results, stop)
    }

    async fn result(&self, call: &ToolCall, approval: Approval, stop: bool) -> ToolResult {
        match approval {
            Approval::Run if !stop => self.tools.call(call).await,
            Approval::Run | Approval::Stop => {
                ToolOutput::error("the user stopped before this ran").answer(call)
            }
            Approval::Deny(reason) => ToolOutput::error(reason).answer(call),
            Approval::Answer(output) => output.answer(call),
        }
    }

    fn done(self, response: Response) -> Run {
        let usage = self.usage.unwrap_or_default();
        Run { response, messages: self.request.messages, usage, turns: self.turns }
    }

    fn stopped(self, error: Error) -> RunError {
        let usage = self.usage.unwrap_or_default();
        let messages = self.request.messages;
        RunError(Box::new(Stopped { error, messages, usage, turns: self.turns }))
    }
}

/// Adds the figures of one answer. A figure that one of them lacks is unknown for all.
fn add(sum: &mut Option<Usage>, usage: &Usage) {
    let Some(sum) = sum else {
        *sum = Some(usage.clone());
        return;
    };
    let both = |a: Option<u64>, b: Option<u64>| a?.checked_add(b?);
    sum.input = both(sum.input, usage.input);
    sum.cache_read = both(sum.cache_read, usage.cache_read);
    sum.cache_write = both(sum.cache_write, usage.cache_write);
    sum.cache_write_long = both(sum.cache_write_long, usage.cache_write_long);
    sum.input_audio = both(sum.input_audio, usage.input_audio);
    sum.output = both(sum.output, usage.output);
    sum.reasoning = both(sum.reasoning, usage.reasoning);
    sum.output_audio = both(sum.output_audio, usage.output_audio);
}

impl RunError {
    /// What went wrong.
    pub fn error(&self) -> &Error {
        &self.0.error
    }

    /// The conversation as far as it came. Sent again, it goes on from there.
    pub fn messages(&self) -> &[Message] {
        &self.0.messages
    }

    /// What all answers used together.
    pub fn usage(&self) -> &Usage {
        &self.0.usage
    }

    /// How many answers were asked for.
    pub fn turns(&self) -> u32 {
        self.0.turns
    }

    /// Takes the error and the conversation.
    pub fn into_parts(self) -> (Error, Vec<Message>) {
        (self.0.error, self.0.messages)
    }
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Self {
        error.0.error
    }
}

impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stopped { error, messages, usage, turns } = &*self.0;
        let mut shown = f.debug_struct("RunError");
        shown.field("error", error).field("messages", &messages.len()).field("usage", usage);
        shown.field("turns", turns).finish()
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.error, f)
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.error)
    }
}

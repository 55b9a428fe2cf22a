use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream::FuturesUnordered;
use interlingua_model::{Error, Event, Message, Output, Response, Tool, ToolCall};
use interlingua_wire::Mode;
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep, sleep};

use super::event::undecided;
use super::{Approvals, Compaction, OnError, RunError, RunEvent, Runner};
use crate::observe::Sight;
use crate::tools::Reports;
use crate::{Answer, Approval, BoxFuture, Events, Run, Spent, Step, Stop, ToolContext, ToolOutput};

/// A run under way: a stream of what happens. Dropping it cancels what is under way; [`run`](Self::run) may be stored at
/// any time and be gone on with by [`Runner::start`].
pub struct Running {
    runner: Runner,
    run: Run,
    asking: Asking,
    calls: FuturesUnordered<Call>,
    reports: Reports,
    permits: Arc<Semaphore>,
    told: VecDeque<RunEvent>,
    /// The error that ended the run.
    error: Option<Error>,
    clock: Clock,
    sight: Sight,
    offered: Offered,
    /// Whether the end was told.
    ended: bool,
}

/// A call that runs: its place, what came of it, what it spent.
type Call = BoxFuture<'static, (u32, ToolOutput, Spent)>;

/// What the model is being asked.
enum Asking {
    Nothing,
    Opening(BoxFuture<'static, Result<Events, Error>>),
    Reading(Events),
    /// A summary is being written, in place of these messages.
    Summing(BoxFuture<'static, Result<Answer, Error>>, Range<usize>),
}

/// Counts the time of a run, and rings when it is over.
struct Clock {
    since: Instant,
    alarm: Option<Pin<Box<Sleep>>>,
}

/// The tools of the request before those of the box, and which version of the box was offered last.
struct Offered {
    own: Vec<Tool>,
    version: Option<u64>,
    /// Whether the history was looked at for this turn.
    compacted: bool,
}

impl Running {
    pub(super) fn new(runner: Runner, mut run: Run) -> Self {
        run.restarted(|call| runner.tools.is_harmless(call));
        let left = run.limits().time.map(|time| time.saturating_sub(run.spent().time));
        let names: Vec<String> =
            runner.tools.definitions().iter().map(|tool| tool.name().to_owned()).collect();
        let own = run.request().tools.iter().filter(|tool| !names.iter().any(|name| name == tool.name()));
        let offered = Offered { own: own.cloned().collect(), version: None, compacted: false };
        Self {
            offered,
            permits: Arc::new(Semaphore::new(runner.parallel)),
            clock: Clock { since: Instant::now(), alarm: left.map(|left| Box::pin(sleep(left))) },
            sight: Sight::new(&runner.client, &run.request().model, &runner.options),
            reports: Reports::new(),
            asking: Asking::Nothing,
            calls: FuturesUnordered::new(),
            told: VecDeque::new(),
            error: None,
            ended: false,
            runner,
            run,
        }
    }

    /// What happens next; `None` when the run has ended, or nothing is left to do until a call is decided.
    pub async fn next(&mut self) -> Option<RunEvent> {
        poll_fn(|context| self.poll(context)).await
    }

    /// The run as it stands. Stored now, it goes on from here.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Decides about a call.
    ///
    /// # Errors
    /// When there is no such call, or it was decided before.
    pub fn decide(&mut self, at: u32, approval: Approval) -> Result<(), Error> {
        if approval == Approval::Stop {
            self.cancel();
            return Ok(());
        }
        self.run.decide(at, approval)
    }

    /// Says something at the next turn, behind the results of the calls that run now.
    pub fn say(&mut self, message: impl Into<Message>) {
        self.run.say(message);
    }

    /// Ends the run. Calls that run are dropped, and of an answer under way the text is kept.
    pub fn cancel(&mut self) {
        self.stop(Stop::Cancelled);
    }

    /// Ends the run for a reason, as [`cancel`](Self::cancel) does.
    pub fn stop(&mut self, stop: Stop) {
        let partial = match std::mem::replace(&mut self.asking, Asking::Nothing) {
            Asking::Reading(events) => Some(events.message()),
            _ => None,
        };
        self.calls.clear();
        if self.run.outcome().is_none() {
            self.run.stop_with(stop, partial);
            self.tell_end();
        }
    }

    /// Leaves the run as it stands, with what is under way not done.
    pub fn into_run(mut self) -> Run {
        self.keep_time();
        self.run
    }

    /// Goes on to the end.
    ///
    /// # Errors
    /// [`RunError`], which carries the run as far as it came: what a call of the model fails with, the limit that it reached,
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) when it was cancelled or calls wait for a decision.
    pub async fn finish(mut self) -> Result<Run, RunError> {
        while self.next().await.is_some() {}
        let error = match self.run.outcome() {
            None => Some(undecided(&self.run)),
            Some(outcome) => outcome.error(),
        };
        match self.error.take().or(error) {
            Some(error) => Err(RunError::new(error, self.into_run())),
            None => Ok(self.into_run()),
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<RunEvent>> {
        loop {
            if let Some(event) = self.told.pop_front() {
                return Poll::Ready(Some(event));
            }
            if let Poll::Ready(Some((at, progress))) = self.reports.receiver.poll_recv(context) {
                return Poll::Ready(Some(RunEvent::Progress { at, progress }));
            }
            if self.clock.rings(context) {
                self.stop(Stop::Time);
                continue;
            }
            if self.poll_model(context) || self.poll_calls(context) || self.advance() {
                continue;
            }
            let is_idle = matches!(self.asking, Asking::Nothing) && self.calls.is_empty();
            return if is_idle { Poll::Ready(None) } else { Poll::Pending };
        }
    }

    /// Reads what comes of the model; `true` when something came.
    fn poll_model(&mut self, context: &mut Context<'_>) -> bool {
        match std::mem::replace(&mut self.asking, Asking::Nothing) {
            Asking::Nothing => false,
            Asking::Opening(mut opening) => match opening.as_mut().poll(context) {
                Poll::Pending => {
                    self.asking = Asking::Opening(opening);
                    false
                }
                Poll::Ready(Ok(events)) => {
                    self.asking = Asking::Reading(events);
                    true
                }
                Poll::Ready(Err(error)) => self.failed(error),
            },
            Asking::Reading(mut events) => match Pin::new(&mut events).poll_next(context) {
                Poll::Pending => {
                    self.asking = Asking::Reading(events);
                    false
                }
                Poll::Ready(Some(Ok(event))) => {
                    self.early(&event, &events);
                    self.told.push_back(RunEvent::Model(event));
                    self.asking = Asking::Reading(events);
                    true
                }
                Poll::Ready(Some(Err(error))) => self.failed(error),
                Poll::Ready(None) => match events.whole() {
                    Ok(answer) => self.answered(answer.response),
                    Err(error) => self.failed(error),
                },
            },
            Asking::Summing(mut summing, gone) => match summing.as_mut().poll(context) {
                Poll::Pending => {
                    self.asking = Asking::Summing(summing, gone);
                    false
                }
                Poll::Ready(summary) => self.summed(summary, gone),
            },
        }
    }

    /// Begins a harmless call before the rest of the answer has come.
    fn early(&mut self, event: &Event, events: &Events) {
        let Event::Close { at } = event else { return };
        if let Some(Output::ToolCall(call)) = events.part(*at)
            && self.runner.tools.is_harmless(&call)
            && call.input.is_valid()
        {
            let _ = self.run.called(*at, call);
        }
    }

    fn answered(&mut self, response: Response) -> bool {
        #[cfg(feature = "models")]
        let price = self.runner.client.cost(&response).map(|cost| cost.total());
        if let Err(error) = self.run.answered(response) {
            return self.failed(error);
        }
        #[cfg(feature = "models")]
        if let Some(price) = price {
            self.run.priced(price);
        }
        self.keep_time();
        self.told.push_back(RunEvent::Answered(self.run.spent().clone()));
        let stop = self.runner.hooks.iter().find_map(|hook| hook.after_response(&self.run));
        if let Some(stop) = stop {
            self.stop(stop);
        }
        true
    }

    fn failed(&mut self, error: Error) -> bool {
        self.calls.clear();
        let _ = self.run.failed(&error);
        let again = self.runner.hooks.iter().any(|hook| hook.on_error(&error) == OnError::Again);
        if again {
            self.run.again();
            self.told.push_back(RunEvent::Again(error));
        } else {
            self.error = Some(error);
            self.tell_end();
        }
        true
    }

    /// Takes what came of the calls; `true` when one is done.
    fn poll_calls(&mut self, context: &mut Context<'_>) -> bool {
        let Poll::Ready(Some((at, mut output, spent))) = Pin::new(&mut self.calls).poll_next(context) else {
            return false;
        };
        self.run.add_expense(&spent);
        let Some(call) = self.run.call(at).cloned() else { return true };
        for hook in &self.runner.hooks {
            hook.after_call(&call, &mut output);
        }
        while let Ok((at, progress)) = self.reports.receiver.try_recv() {
            self.told.push_back(RunEvent::Progress { at, progress });
        }
        if self.run.result(at, output.clone()).is_ok() {
            self.told.push_back(RunEvent::Returned { at, call, output });
        }
        true
    }

    /// Does what the run says is to be done next; `false` when that is to wait.
    fn advance(&mut self) -> bool {
        if !matches!(self.asking, Asking::Nothing) && self.run.is_between_turns() {
            return false;
        }
        if self.run.is_between_turns() {
            self.keep_time();
            if self.compact() {
                return true;
            }
            self.prepare();
        }
        let todo = match self.run.step() {
            Step::Ask(request) => {
                let (client, options, mode) =
                    (self.runner.client.clone(), Arc::clone(&self.runner.options), self.runner.mode);
                let request = Arc::clone(request);
                self.asking = Asking::Opening(
                    self.sight.within(async move { client.events_with(&request, mode, &options).await }),
                );
                self.offered.compacted = false;
                self.told.push_back(RunEvent::Turn(self.run.turns() + 1));
                return true;
            }
            Step::Decide(at, call) => Some((at, call.clone(), false)),
            Step::Start(at, call) => Some((at, call.clone(), true)),
            Step::Wait | Step::Done(_) => None,
        };
        match todo {
            Some((at, call, true)) => self.begin(at, call),
            Some((at, call, false)) => self.ask_for(at, call),
            None => return self.end(),
        }
        true
    }

    /// Tells of an end that the run came to by itself.
    fn end(&mut self) -> bool {
        let is_new = self.run.outcome().is_some() && !self.ended;
        if is_new {
            self.tell_end();
        }
        is_new
    }

    fn tell_end(&mut self) {
        self.keep_time();
        self.ended = true;
        self.clock.alarm = None;
        if let Some(outcome) = self.run.outcome() {
            self.sight.ended(&self.run, outcome);
            self.told.push_back(RunEvent::Ended(outcome.clone()));
        }
    }

    fn begin(&mut self, at: u32, call: ToolCall) {
        let context = self.reports.context(at);
        let running = self.runner.tools.start(call.clone(), context.clone());
        let running = self.sight.tool(&call, running);
        self.calls.push(within(Arc::clone(&self.permits), at, running, context));
        self.told.push_back(RunEvent::Started { at, call });
    }

    fn ask_for(&mut self, at: u32, call: ToolCall) {
        let said = self.runner.hooks.iter().find_map(|hook| hook.before_call(&call));
        let runs = match self.runner.approvals {
            Approvals::All => true,
            Approvals::Harmless => self.runner.tools.is_harmless(&call),
            Approvals::Ask => false,
        };
        match said.or_else(|| runs.then_some(Approval::Run)) {
            Some(approval) => {
                let _ = self.decide(at, approval);
            }
            None => self.told.push_back(RunEvent::Undecided { at, call }),
        }
    }

    /// Offers the tools as they are now, and lets the hooks see the request.
    fn prepare(&mut self) {
        let version = self.runner.tools.version();
        let changed = self.offered.version != Some(version);
        if !changed && self.runner.hooks.is_empty() {
            return;
        }
        let Self { run, runner, offered, .. } = self;
        let _ = run.edit(|request| {
            if changed {
                request.tools.clone_from(&offered.own);
                request.tools.extend(runner.tools.definitions());
            }
            for hook in &runner.hooks {
                hook.before_request(request);
            }
        });
        offered.version = Some(version);
    }

    /// Makes a long history shorter; `true` when that has begun.
    fn compact(&mut self) -> bool {
        let Some(compaction) = &self.runner.compaction else { return false };
        if std::mem::replace(&mut self.offered.compacted, true) {
            return false;
        }
        let Some(gone) = compaction.plan(self.run.request()) else { return false };
        let Some(question) = compaction.question(self.run.request(), &gone) else {
            self.cut(gone, None);
            return true;
        };
        let (client, options) = (self.runner.client.clone(), Arc::clone(&self.runner.options));
        let summing =
            async move { client.events_with(&question, Mode::Whole, &options).await?.into_answer().await };
        self.asking = Asking::Summing(self.sight.within(summing), gone);
        true
    }

    fn summed(&mut self, summary: Result<Answer, Error>, gone: Range<usize>) -> bool {
        let Answer { response, .. } = match summary {
            Ok(answer) => answer,
            Err(error) => {
                self.told.push_back(RunEvent::NotCompacted(error));
                return true;
            }
        };
        #[cfg_attr(not(feature = "models"), expect(unused_mut, reason = "prices are a feature"))]
        let mut spent = Spent::of(&response.usage);
        #[cfg(feature = "models")]
        if let Some(cost) = self.runner.client.cost(&response) {
            spent.add_price(cost.total());
        }
        self.run.add_expense(&spent);
        let text = response.text();
        if !text.trim().is_empty() {
            self.cut(gone, Some(text));
        }
        true
    }

    fn cut(&mut self, gone: Range<usize>, summary: Option<String>) {
        let messages = gone.len();
        let _ = self.run.edit(|request| Compaction::cut(request, gone, summary.as_deref()));
        self.told.push_back(RunEvent::Compacted { messages, summary });
    }

    fn keep_time(&mut self) {
        let time = self.clock.lap();
        self.run.took(time);
    }
}

/// A call that waits for its turn.
fn within(
    permits: Arc<Semaphore>,
    at: u32,
    running: BoxFuture<'static, ToolOutput>,
    context: ToolContext,
) -> Call {
    Box::pin(async move {
        let _permit = permits.acquire().await.ok();
        let output = running.await;
        (at, output, context.take_spent())
    })
}

impl Clock {
    /// The time since it was asked last.
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let time = now - self.since;
        self.since = now;
        time
    }

    fn rings(&mut self, context: &mut Context<'_>) -> bool {
        let rings = self.alarm.as_mut().is_some_and(|alarm| alarm.as_mut().poll(context).is_ready());
        if rings {
            self.alarm = None;
        }
        rings
    }
}

impl Stream for Running {
    type Item = RunEvent;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<RunEvent>> {
        self.get_mut().poll(context)
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("turns", &self.run.turns())
            .field("calls", &self.calls.len())
            .finish_non_exhaustive()
    }
}

//! The run of an agent as a state machine: it is told what happened and says what to do next.

mod calls;
mod limits;

use std::sync::Arc;
use std::time::Duration;

use interlingua_model::{
    Assistant, Error, ErrorKind, FinishReason, Message, Output, Request, Response, ToolCall, Usage, Version,
};
use serde::{Deserialize, Serialize};

use crate::ToolOutput;
use calls::Calls;

pub use limits::{Outcome, RunLimits, Spent, Stop};

/// A conversation that runs by itself: the model is asked, the tools that it calls run, and it is asked again, until it
/// is done.
///
/// It does nothing on its own. [`step`](Self::step) says what is to be done next, and each thing is handed out once;
/// what came of it is told by [`answered`](Self::answered), [`decide`](Self::decide), [`result`](Self::result) and
/// [`failed`](Self::failed). It serializes at any point, so that a run survives a restart of the program
/// ([`restarted`](Self::restarted)) and a person may allow a call a day later. A [`Runner`](crate::Runner) drives it.
///
/// Whatever happens, every call in [`request`](Self::request) has exactly one result by the time that the model is asked
/// or the run has ended, and the calls of an answer keep their order.
///
/// ```
/// use interlingua::{Approval, Event, Finish, FinishReason, Fold, Output, Request, Run, Start, Step, Text};
///
/// let mut run = Run::new(Request::new("openai/gpt-6-sol").user("hi"));
/// assert!(matches!(run.step(), Step::Ask(request) if request.messages.len() == 1));
/// assert!(matches!(run.step(), Step::Wait));
///
/// // The run is stored, and the program starts again: the model is asked again.
/// let mut run: Run = serde_json::from_str(&serde_json::to_string(&run)?)?;
/// run.restarted(|_| false);
/// assert!(matches!(run.step(), Step::Ask(_)));
///
/// let mut fold = Fold::new();
/// for event in [
///     Event::start(Start::default()),
///     Event::open(0, Output::Text(Text::new("Hello."))),
///     Event::close(0),
///     Event::finish(Finish::new(FinishReason::Stop)),
/// ] {
///     fold.push(&event);
/// }
/// run.answered(fold.into_response()?)?;
/// assert!(matches!(run.step(), Step::Done(outcome) if outcome.is_finished()));
/// assert_eq!(run.text(), "Hello.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    #[serde(default)]
    interlingua: Version,
    request: Arc<Request>,
    limits: RunLimits,
    phase: Phase,
    #[serde(default, skip_serializing_if = "Calls::is_empty")]
    calls: Calls,
    /// What is said at the next turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    queued: Vec<Message>,
    spent: Spent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response: Option<Response>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
}

/// What is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// The model is to be asked.
    Ask,
    /// The model was asked.
    Asked,
    /// The calls of the last answer are decided and run.
    Calls,
}

/// What is to be done next. A call is named by the place that it has in its message.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub enum Step<'r> {
    /// Ask the model this, then tell [`Run::answered`] or [`Run::failed`].
    Ask(&'r Arc<Request>),
    /// Decide whether this call may run, now or at any later time: [`Run::decide`].
    Decide(u32, &'r ToolCall),
    /// Run this call, then tell [`Run::result`].
    Start(u32, &'r ToolCall),
    /// Something that was handed out is not done yet.
    Wait,
    /// The run has ended.
    Done(&'r Outcome),
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Approval {
    /// It runs.
    Run,
    /// It does not run, and this is told to the model as an error.
    Deny(String),
    /// It does not run; this is its result.
    Answer(ToolOutput),
    /// The run ends here, with [`Stop::Cancelled`].
    Stop,
}

impl Run {
    /// A run that begins with a request.
    pub fn new(request: Request) -> Self {
        Self {
            interlingua: Version::default(),
            request: Arc::new(request),
            limits: RunLimits::default(),
            phase: Phase::Ask,
            calls: Calls::default(),
            queued: Vec::new(),
            spent: Spent::default(),
            response: None,
            outcome: None,
        }
    }

    /// Sets how far it may go.
    #[must_use]
    pub fn with_limits(mut self, limits: RunLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets how far it may go from now on.
    pub fn set_limits(&mut self, limits: RunLimits) {
        self.limits = limits;
    }

    /// The next thing to do. Each is handed out once.
    pub fn step(&mut self) -> Step<'_> {
        self.advance();
        if let Some(outcome) = &self.outcome {
            return Step::Done(outcome);
        }
        if let Some((at, starts)) = self.calls.hand_out() {
            let Some(call) = self.calls.call(at) else { return Step::Wait };
            return if starts { Step::Start(at, call) } else { Step::Decide(at, call) };
        }
        if self.phase == Phase::Ask {
            self.phase = Phase::Asked;
            return Step::Ask(&self.request);
        }
        Step::Wait
    }

    /// Goes from a turn whose calls all have results to the next one, if the limits allow it.
    fn advance(&mut self) {
        if self.phase == Phase::Calls && self.calls.are_done() && self.outcome.is_none() {
            self.settle();
            self.phase = Phase::Ask;
        }
        if self.phase == Phase::Ask && self.outcome.is_none() {
            match self.limits.reached(&self.spent) {
                Some(stop) => self.outcome = Some(Outcome::Stopped(stop)),
                None => self.take_queued(),
            }
        }
    }

    fn take_queued(&mut self) {
        if !self.queued.is_empty() {
            Arc::make_mut(&mut self.request).messages.append(&mut self.queued);
        }
    }

    /// Puts the results behind their calls.
    fn settle(&mut self) {
        let results = self.calls.take_results();
        if !results.is_empty() {
            Arc::make_mut(&mut self.request).messages.push(Message::tool_results(results));
        }
    }

    /// Tells of a call of the answer that still comes, which is complete and may be decided and run already. Only for
    /// calls that may as well run twice, or not at all: the answer may yet fail.
    ///
    /// # Errors
    /// When no answer is under way.
    pub fn called(&mut self, at: u32, call: ToolCall) -> Result<(), Error> {
        self.expect(Phase::Asked, "a call came while no answer was under way")?;
        if !call.partial && call.run_by.is_caller() {
            self.calls.add(at, call);
        }
        Ok(())
    }

    /// Tells of the whole answer. Calls that were cut are not run.
    ///
    /// # Errors
    /// When no answer is under way.
    pub fn answered(&mut self, response: Response) -> Result<(), Error> {
        self.expect(Phase::Asked, "an answer came that was not asked for")?;
        self.spent.add_answer(&response.usage);
        let calls: Vec<_> = calls_of(&response).map(|(at, call)| (at, call.clone())).collect();
        self.calls.keep(&calls);
        for (at, call) in calls {
            self.calls.add(at, call);
        }
        Arc::make_mut(&mut self.request).messages.push(response.message.clone().into());
        let paused = response.finish.as_ref().is_some_and(|finish| finish.reason == FinishReason::Paused);
        self.response = Some(response);
        self.phase = if self.calls.is_empty() { Phase::Ask } else { Phase::Calls };
        if self.phase == Phase::Ask && !paused && self.queued.is_empty() {
            self.outcome = Some(Outcome::Finished);
        }
        Ok(())
    }

    /// Tells that there is no answer: the run has ended with [`Outcome::Failed`], and [`again`](Self::again) asks anew.
    ///
    /// # Errors
    /// When no answer is under way.
    pub fn failed(&mut self, error: &Error) -> Result<(), Error> {
        self.expect(Phase::Asked, "an error came while no answer was under way")?;
        self.calls.clear();
        self.phase = Phase::Ask;
        self.outcome = Some(Outcome::failed(error));
        Ok(())
    }

    /// Decides about a call that was handed out by [`Step::Decide`], or is going to be.
    ///
    /// # Errors
    /// When there is no such call, or it was decided before.
    pub fn decide(&mut self, at: u32, approval: Approval) -> Result<(), Error> {
        if approval == Approval::Stop {
            self.stop(Stop::Cancelled);
            return Ok(());
        }
        self.calls.decide(at, approval)
    }

    /// Tells what came of a call that was handed out by [`Step::Start`].
    ///
    /// # Errors
    /// When there is no such call, or it is not running.
    pub fn result(&mut self, at: u32, output: ToolOutput) -> Result<(), Error> {
        self.calls.finish(at, output)
    }

    /// Ends the run. Calls that have no result are told to have been stopped, so that the conversation can be sent again;
    /// an answer under way is dropped, and its calls with it.
    pub fn stop(&mut self, stop: Stop) {
        self.stop_with(stop, None);
    }

    /// Ends the run as [`stop`](Self::stop) does, and keeps the text of an answer under way.
    pub fn stop_with(&mut self, stop: Stop, partial: Option<Assistant>) {
        if self.outcome.is_some() {
            return;
        }
        match self.phase {
            Phase::Ask => {}
            Phase::Asked => {
                self.calls.clear();
                self.keep(partial);
            }
            Phase::Calls => {
                self.calls.stop();
                self.settle();
            }
        }
        self.phase = Phase::Ask;
        self.outcome = Some(Outcome::Stopped(stop));
    }

    /// Keeps the text of an answer that was stopped. Its calls and its reasoning are not whole, so they go.
    fn keep(&mut self, partial: Option<Assistant>) {
        let Some(mut message) = partial else { return };
        message.parts.retain(|part| matches!(part, Output::Text(text) if !text.text.trim().is_empty()));
        if !message.parts.is_empty() {
            Arc::make_mut(&mut self.request).messages.push(message.into());
        }
    }

    /// Says something at the next turn: behind the results of the calls that run now. A run that would be done goes on for
    /// it; one that has ended goes on after [`again`](Self::again).
    pub fn say(&mut self, message: impl Into<Message>) {
        self.queued.push(message.into());
    }

    /// Goes on after the end: asks the model again.
    pub fn again(&mut self) {
        if self.outcome.take().is_some() {
            self.phase = Phase::Ask;
        }
    }

    /// Changes the request, history included, between two turns. Every call in it must keep its result.
    ///
    /// # Errors
    /// When an answer or calls are under way.
    pub fn edit(&mut self, change: impl FnOnce(&mut Request)) -> Result<(), Error> {
        self.advance();
        self.expect(Phase::Ask, "the request cannot be changed while an answer or calls are under way")?;
        change(Arc::make_mut(&mut self.request));
        Ok(())
    }

    /// Whether the model is to be asked next.
    pub(crate) fn is_between_turns(&mut self) -> bool {
        self.advance();
        self.phase == Phase::Ask && self.outcome.is_none()
    }

    /// Says that whatever was handed out was lost, since the program has started again. The model is asked again, open
    /// decisions are asked for again. Of a call that was running nobody knows whether it ran: it runs again when `harmless`
    /// says that it may run twice, and else the model is told.
    pub fn restarted(&mut self, harmless: impl Fn(&ToolCall) -> bool) {
        if self.phase == Phase::Asked {
            self.phase = Phase::Ask;
            self.calls.clear();
        }
        self.calls.restart(harmless);
    }

    /// Adds time that the run took.
    pub fn took(&mut self, time: Duration) {
        self.spent.time = self.spent.time.saturating_add(time);
    }

    /// Adds what was spent besides the answers, as by a run within a tool.
    pub fn add_expense(&mut self, spent: &Spent) {
        self.spent.add(spent);
    }

    /// Adds the price of the newest answer. Until the price of every answer is told, what the run cost is unknown.
    #[cfg(feature = "models")]
    pub fn priced(&mut self, cost: crate::catalog::Money) {
        self.spent.add_price(cost);
    }

    /// The request: what was asked, and the conversation since. Sent again after an end, it goes on from there.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The conversation so far.
    pub fn messages(&self) -> &[Message] {
        &self.request.messages
    }

    /// Takes the conversation.
    pub fn into_messages(self) -> Vec<Message> {
        Arc::unwrap_or_clone(self.request).messages
    }

    /// The newest answer.
    pub fn response(&self) -> Option<&Response> {
        self.response.as_ref()
    }

    /// The text of the newest answer.
    pub fn text(&self) -> String {
        self.response.as_ref().map(Response::text).unwrap_or_default()
    }

    /// What all answers used together.
    pub fn usage(&self) -> Usage {
        self.spent.usage.clone().unwrap_or_default()
    }

    /// How many answers there were.
    pub fn turns(&self) -> u32 {
        self.spent.turns
    }

    /// What the run has spent.
    pub fn spent(&self) -> &Spent {
        &self.spent
    }

    /// How far it may go.
    pub fn limits(&self) -> RunLimits {
        self.limits
    }

    /// How it ended; `None` while it goes on.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// The calls that wait for a decision, by their places.
    pub fn undecided(&self) -> impl Iterator<Item = (u32, &ToolCall)> {
        self.calls.undecided()
    }

    /// A call of the answer under way, or of the newest one, until all of those have results.
    pub(crate) fn call(&self, at: u32) -> Option<&ToolCall> {
        self.calls.call(at)
    }

    fn expect(&self, phase: Phase, message: &str) -> Result<(), Error> {
        if self.phase == phase && (self.outcome.is_none() || phase == Phase::Ask) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::InvalidRequest, message))
    }
}

impl From<Request> for Run {
    fn from(request: Request) -> Self {
        Self::new(request)
    }
}

/// The calls that the caller has to run, with their places.
fn calls_of(response: &Response) -> impl Iterator<Item = (u32, &ToolCall)> {
    let mut wanted = response.tool_calls().peekable();
    response.message.parts.iter().zip(0_u32..).filter_map(move |(part, at)| {
        let Output::ToolCall(call) = part else { return None };
        wanted.next_if(|next| std::ptr::eq(*next, call))?;
        Some((at, call))
    })
}

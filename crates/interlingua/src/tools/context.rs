use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::{Run, Spent};

/// What a tool may tell while it runs.
#[derive(Debug, Clone, Default)]
pub struct ToolContext(Option<Arc<Line>>);

#[derive(Debug)]
struct Line {
    at: u32,
    reports: mpsc::Sender<(u32, Progress)>,
    spent: Mutex<Spent>,
}

/// How far a tool has come.
///
/// ```
/// use interlingua::Progress;
///
/// let progress = Progress::new("reading").of(3.0, 10.0);
/// assert_eq!((progress.message.as_str(), progress.total), ("reading", Some(10.0)));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// What it does now, for people.
    pub message: String,
    /// How much is done, in units of its own.
    pub done: Option<f64>,
    /// How much there is to do, in the same units.
    pub total: Option<f64>,
}

/// The other end of the contexts of a run.
#[derive(Debug)]
pub(crate) struct Reports {
    sender: mpsc::Sender<(u32, Progress)>,
    pub(crate) receiver: mpsc::Receiver<(u32, Progress)>,
}

/// Most reports that wait to be read; what comes beyond them is dropped, since a newer one follows.
const WAITING: usize = 256;

impl ToolContext {
    /// Tells how far the tool has come. Nothing waits for it to be read; what nobody reads in time is dropped.
    pub fn progress(&self, progress: impl Into<Progress>) {
        if let Some(line) = &self.0 {
            let _ = line.reports.try_send((line.at, progress.into()));
        }
    }

    /// Adds what a run within the tool has spent to what the run outside has.
    pub fn spent(&self, run: &Run) {
        if let Some(line) = &self.0 {
            line.spent.lock().unwrap_or_else(PoisonError::into_inner).add(run.spent());
        }
    }

    /// What was told to have been spent.
    pub(crate) fn take_spent(&self) -> Spent {
        let take = |line: &Arc<Line>| {
            std::mem::take(&mut *line.spent.lock().unwrap_or_else(PoisonError::into_inner))
        };
        self.0.as_ref().map(take).unwrap_or_default()
    }
}

impl Reports {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self { sender, receiver }
    }

    /// The context of the call at a place.
    pub(crate) fn context(&self, at: u32) -> ToolContext {
        let reports = self.sender.clone();
        ToolContext(Some(Arc::new(Line { at, reports, spent: Mutex::default() })))
    }
}

impl Progress {
    /// What the tool does now.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// How much of how much is done.
    #[must_use]
    pub const fn of(mut self, done: f64, total: f64) -> Self {
        self.done = Some(done);
        self.total = Some(total);
        self
    }
}

impl From<&str> for Progress {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for Progress {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

//! Drives a run: asks the model, runs the calls, tells what happens.

mod compact;
mod drive;
mod event;
mod hook;
mod nested;

use std::fmt;
use std::sync::Arc;

use interlingua_wire::Mode;

use crate::{Client, Options, Run, Toolbox};

pub use compact::Compaction;
pub use drive::Running;
pub use event::{RunError, RunEvent};
pub use hook::{Hook, OnError};

/// How runs are driven: with which client, tools and rules. It is cheap to clone and drives any number of runs.
///
/// ```no_run
/// use interlingua::{Approval, Approvals, Client, Delta, Event, Request, RunEvent, Runner, Toolbox};
///
/// # async fn example(tools: Toolbox) -> Result<(), Box<dyn std::error::Error>> {
/// let runner = Runner::new(&Client::from_env()?).tools(&tools).approvals(Approvals::Ask);
/// let mut running = runner.start(Request::new("anthropic/claude-sonnet-5").user("Tidy up this folder."));
/// while let Some(event) = running.next().await {
///     match event {
///         RunEvent::Model(Event::Delta { delta: Delta::Text(text), .. }) => print!("{text}"),
///         RunEvent::Undecided { at, call } => {
///             let fine = call.name != "delete";
///             running.decide(at, if fine { Approval::Run } else { Approval::Deny("not that".into()) })?;
///         }
///         _ => {}
///     }
/// }
/// let run = running.finish().await?;
/// println!("{} answers, {:?} tokens", run.turns(), run.spent().tokens());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Runner {
    client: Client,
    tools: Toolbox,
    options: Arc<Options>,
    mode: Mode,
    approvals: Approvals,
    parallel: usize,
    compaction: Option<Compaction>,
    hooks: Vec<Arc<dyn Hook>>,
}

/// Which calls run without being asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Approvals {
    /// All.
    #[default]
    All,
    /// Those of tools that may run twice without harm; the others are [`RunEvent::Undecided`].
    Harmless,
    /// None: each call is [`RunEvent::Undecided`].
    Ask,
}

/// Most calls at once, unless it is set.
const PARALLEL: usize = 16;

impl Runner {
    /// A runner without tools, which streams answers.
    pub fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            tools: Toolbox::default(),
            options: Arc::default(),
            mode: Mode::Stream,
            approvals: Approvals::All,
            parallel: PARALLEL,
            compaction: None,
            hooks: Vec::new(),
        }
    }

    /// Sets the tools. The box may change while runs go on: each turn offers what is in it.
    #[must_use]
    pub fn tools(mut self, tools: &Toolbox) -> Self {
        self.tools = tools.clone();
        self
    }

    /// Sets the options of every call of the model.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = Arc::new(options);
        self
    }

    /// Sets whether answers are streamed.
    #[must_use]
    pub const fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets which calls run without being asked for.
    #[must_use]
    pub const fn approvals(mut self, approvals: Approvals) -> Self {
        self.approvals = approvals;
        self
    }

    /// Sets how many calls of a run may run at once; 16 by default.
    #[must_use]
    pub fn parallel(mut self, calls: usize) -> Self {
        self.parallel = calls.max(1);
        self
    }

    /// Sets when and how a long history is made shorter. It is never by default.
    #[must_use]
    pub fn compaction(mut self, compaction: Compaction) -> Self {
        self.compaction = Some(compaction);
        self
    }

    /// Adds a hook, behind those that are there.
    #[must_use]
    pub fn hook(mut self, hook: impl Hook + 'static) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// Begins a run, or goes on with one that was stored. What was under way when it was stored is done again, as
    /// [`Run::restarted`] says.
    pub fn start(&self, run: impl Into<Run>) -> Running {
        Running::new(self.clone(), run.into())
    }

    /// Begins a run and goes on to its end.
    ///
    /// # Errors
    /// As [`Running::finish`].
    pub async fn complete(&self, run: impl Into<Run>) -> Result<Run, RunError> {
        self.start(run).finish().await
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Runner");
        shown.field("tools", &self.tools).field("approvals", &self.approvals).finish_non_exhaustive()
    }
}

#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../../../../docs/agents.md")]
struct Page;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use interlingua_model::{Tool, ToolCall};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::arguments::Schema;
use super::{ToolContext, ToolOutput};
use crate::BoxFuture;

/// A tool and what runs it, with its rules.
///
/// ```
/// use std::time::Duration;
///
/// use interlingua::{FunctionTool, Handler, Json};
///
/// let definition = FunctionTool::new("now", "The time.", Json::object());
/// let clock = Handler::new(definition, |_call| async { "12:00" })
///     .timeout(Duration::from_secs(5))
///     .concurrency(1)
///     .idempotent(true);
/// assert_eq!(clock.name(), "now");
/// ```
#[derive(Clone)]
pub struct Handler {
    definition: Arc<Tool>,
    run: Arc<Run>,
    timeout: Option<Duration>,
    permits: Option<Arc<Semaphore>>,
    idempotent: bool,
    schema: Arc<Schema>,
    repair: bool,
}

type Run = dyn Fn(ToolCall, ToolContext) -> BoxFuture<'static, ToolOutput> + Send + Sync;

/// A tool that is a type of its own.
///
/// ```
/// use std::sync::Arc;
///
/// use interlingua::{BoxFuture, Callable, FunctionTool, Json, Tool, ToolCall, ToolContext, ToolOutput, Toolbox};
///
/// struct Counter(Arc<std::sync::atomic::AtomicU64>);
///
/// impl Callable for Counter {
///     fn definition(&self) -> Tool {
///         FunctionTool::new("count", "The next number.", Json::object()).into()
///     }
///
///     fn call(&self, _call: ToolCall, context: ToolContext) -> BoxFuture<'static, ToolOutput> {
///         let counter = Arc::clone(&self.0);
///         Box::pin(async move {
///             context.progress("counting");
///             counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string().into()
///         })
///     }
/// }
///
/// let tools = Toolbox::new().add(Counter(Arc::default()));
/// assert_eq!(tools.definitions()[0].name(), "count");
/// ```
pub trait Callable: Send + Sync + 'static {
    /// What the model is told of the tool. Asked once, when it is added.
    fn definition(&self) -> Tool;

    /// Runs a call. Dropping the future must stop the work: that is how calls are cancelled.
    fn call(&self, call: ToolCall, context: ToolContext) -> BoxFuture<'static, ToolOutput>;
}

impl Handler {
    /// A tool of any definition, and a closure that runs its calls. Dropping its future must stop the work.
    pub fn new<F, T>(definition: impl Into<Tool>, run: F) -> Self
    where
        F: Fn(ToolCall) -> T + Send + Sync + 'static,
        T: Future + Send + 'static,
        T::Output: Into<ToolOutput>,
    {
        Self::with_context(definition, move |call, _| run(call))
    }

    /// A tool of any definition, and a closure that may tell how far it has come.
    pub fn with_context<F, T>(definition: impl Into<Tool>, run: F) -> Self
    where
        F: Fn(ToolCall, ToolContext) -> T + Send + Sync + 'static,
        T: Future + Send + 'static,
        T::Output: Into<ToolOutput>,
    {
        Self::boxed(definition.into(), move |call, context| {
            let running = run(call, context);
            Box::pin(async move { running.await.into() })
        })
    }

    fn boxed(
        definition: Tool,
        run: impl Fn(ToolCall, ToolContext) -> BoxFuture<'static, ToolOutput> + Send + Sync + 'static,
    ) -> Self {
        let definition = Arc::new(definition);
        let (run, schema) = (Arc::new(run), Arc::default());
        Self { definition, run, timeout: None, permits: None, idempotent: false, schema, repair: false }
    }

    /// Sets the longest time of a call; then it is stopped, and the model is told.
    #[must_use]
    pub const fn timeout(mut self, time: Duration) -> Self {
        self.timeout = Some(time);
        self
    }

    /// Sets how many calls may run at once, in all runs together; further ones wait, and their time does not count yet.
    #[must_use]
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.permits = Some(Arc::new(Semaphore::new(calls.clamp(1, Semaphore::MAX_PERMITS))));
        self
    }

    /// Says that a call may run twice, or be stopped half-way, without harm. Such calls are begun as soon as they are
    /// complete, while the rest of the answer still comes, and they run again after a restart.
    #[must_use]
    pub const fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Repairs arguments that are nearly JSON: in a fence or in a text of their own, with a comma too many, or without the last
    /// brackets. It is told as progress. What does not fit the schema then is still refused. Off by default.
    #[must_use]
    pub const fn repair(mut self, repair: bool) -> Self {
        self.repair = repair;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.definition.name()
    }

    /// What the model is told of the tool.
    pub fn definition(&self) -> &Tool {
        &self.definition
    }

    /// Whether a call may run twice without harm.
    pub const fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    /// Runs a call by the rules. Arguments that do not fit the schema never reach the tool: the model is told what is wrong
    /// with them.
    pub(crate) fn start(&self, call: ToolCall, context: ToolContext) -> BoxFuture<'static, ToolOutput> {
        let checked = match self.schema.check(&self.definition, call, self.repair) {
            Ok(checked) => checked,
            Err(output) => return Box::pin(std::future::ready(output)),
        };
        if checked.repaired {
            context.progress("the arguments were no JSON, and were repaired");
        }
        let call = checked.call;
        if self.timeout.is_none() && self.permits.is_none() {
            return (self.run)(call, context);
        }
        let Self { run, timeout: time, permits, .. } = self.clone();
        Box::pin(async move {
            let _permit = match &permits {
                Some(permits) => permits.acquire().await.ok(),
                None => None,
            };
            let running = run(call, context);
            let Some(time) = time else { return running.await };
            let late =
                || ToolOutput::error(format!("the tool was stopped, for it took longer than {time:?}"));
            timeout(time, running).await.unwrap_or_else(|_| late())
        })
    }
}

impl<C: Callable> From<C> for Handler {
    fn from(tool: C) -> Self {
        Self::boxed(tool.definition(), move |call, context| tool.call(call, context))
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handler").field(&self.name()).finish()
    }
}

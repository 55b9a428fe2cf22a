//! Tools that run in this program.

mod arguments;
mod context;
mod handler;
mod output;
#[cfg(feature = "tools")]
mod typed;

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::Poll;

use interlingua_model::{Tool, ToolCall, ToolResult};

use crate::BoxFuture;

pub use context::{Progress, ToolContext};
pub use handler::{Callable, Handler};
pub use output::ToolOutput;
#[cfg(feature = "tools")]
pub use typed::{tool, tool_with};

pub(crate) use context::Reports;

/// Tools that run in this program, in the order in which they were added, for [`Client::run`](crate::Client::run) and
/// [`Runner`](crate::Runner).
///
/// Clones share their contents: a run sees what was added and removed when it asks the model next.
///
/// ```
/// use interlingua::{Toolbox, schemars, tool};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Place {
///     /// The city, in English.
///     city: String,
/// }
///
/// let tools = Toolbox::new().add(tool("weather", "The weather now.", |place: Place| async move {
///     if place.city == "Atlantis" { Err("no such city") } else { Ok(format!("{}: sunny", place.city)) }
/// }));
/// assert_eq!(tools.definitions().len(), 1);
/// ```
#[derive(Clone, Default)]
pub struct Toolbox(Arc<RwLock<Shelf>>);

#[derive(Default)]
struct Shelf {
    handlers: Vec<Handler>,
    /// Grows with every change.
    version: u64,
}

impl Toolbox {
    /// An empty box.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool, or replaces the one of the same name.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "a box is not a number")]
    pub fn add(self, handler: impl Into<Handler>) -> Self {
        self.insert(handler);
        self
    }

    /// Adds a tool to a box that may be in use, or replaces the one of the same name.
    pub fn insert(&self, handler: impl Into<Handler>) {
        let handler = handler.into();
        let mut inside = self.write();
        inside.version += 1;
        match inside.handlers.iter_mut().find(|known| known.name() == handler.name()) {
            Some(known) => *known = handler,
            None => inside.handlers.push(handler),
        }
    }

    /// Takes a tool out of a box that may be in use.
    pub fn remove(&self, name: &str) -> Option<Handler> {
        let mut inside = self.write();
        let place = inside.handlers.iter().position(|known| known.name() == name)?;
        inside.version += 1;
        Some(inside.handlers.remove(place))
    }

    /// The tool of a name.
    pub fn get(&self, name: &str) -> Option<Handler> {
        self.read().handlers.iter().find(|known| known.name() == name).cloned()
    }

    /// The definitions, in order.
    pub fn definitions(&self) -> Vec<Tool> {
        self.read().handlers.iter().map(|handler| handler.definition().clone()).collect()
    }

    /// How many tools there are.
    pub fn len(&self) -> usize {
        self.read().handlers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs one call. A tool that is not there is told to the model as an error.
    pub async fn call(&self, call: &ToolCall) -> ToolResult {
        self.start(call.clone(), ToolContext::default()).await.answer(call)
    }

    /// Runs one call, and hears how far it has come. Dropping the future stops the call.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// use interlingua::{FunctionTool, Handler, Json, ToolCall, ToolContext, Toolbox};
    ///
    /// let definition = FunctionTool::new("dig", "Digs.", Json::object());
    /// let tools = Toolbox::new().add(Handler::with_context(definition, |_call, context: ToolContext| async move {
    ///     context.progress("digging");
    ///     "found"
    /// }));
    /// let mut heard = Vec::new();
    /// let call = ToolCall::new("1", "dig", Json::object());
    /// let result = tools.call_with(&call, |progress| heard.push(progress.message)).await;
    /// assert_eq!((result.text().as_str(), heard), ("found", vec!["digging".to_owned()]));
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn call_with(&self, call: &ToolCall, mut hear: impl FnMut(Progress)) -> ToolResult {
        let mut reports = Reports::new();
        let mut running = self.start(call.clone(), reports.context(0));
        let output = poll_fn(|context| {
            let output = running.as_mut().poll(context);
            while let Poll::Ready(Some((_, progress))) = reports.receiver.poll_recv(context) {
                hear(progress);
            }
            output
        });
        output.await.answer(call)
    }

    /// Runs one call with a context.
    pub(crate) fn start(&self, call: ToolCall, context: ToolContext) -> BoxFuture<'static, ToolOutput> {
        if let Some(handler) = self.get(&call.name) {
            return handler.start(call, context);
        }
        let inside = self.read();
        let known: Vec<_> = inside.handlers.iter().map(Handler::name).collect();
        let message = format!("there is no tool `{}`, only: {}", call.name, known.join(", "));
        Box::pin(std::future::ready(ToolOutput::error(message)))
    }

    /// Whether a call may run twice, or be dropped, without harm.
    pub(crate) fn is_harmless(&self, call: &ToolCall) -> bool {
        self.get(&call.name).is_some_and(|handler| handler.is_idempotent())
    }

    pub(crate) fn version(&self) -> u64 {
        self.read().version
    }

    fn read(&self) -> RwLockReadGuard<'_, Shelf> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shelf> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.read().handlers).finish()
    }
}

impl<H: Into<Handler>> FromIterator<H> for Toolbox {
    fn from_iter<I: IntoIterator<Item = H>>(handlers: I) -> Self {
        handlers.into_iter().fold(Self::new(), Self::add)
    }
}

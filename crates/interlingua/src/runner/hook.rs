use interlingua_model::{Error, Request, ToolCall};

use crate::{Approval, Run, Stop, ToolOutput};

/// Watches a run and has a say in it. Each method does nothing, or agrees, unless it is written.
///
/// Several hooks are asked in the order in which they were added; the first that says something decides.
///
/// ```
/// use interlingua::{Hook, Run, Stop};
///
/// /// Ends a run as soon as the model says so.
/// struct UntilDone;
///
/// impl Hook for UntilDone {
///     fn after_response(&self, run: &Run) -> Option<Stop> {
///         run.text().contains("DONE").then(|| Stop::Condition("it said DONE".to_owned()))
///     }
/// }
/// ```
pub trait Hook: Send + Sync {
    /// Sees the request before the model is asked, and may change it, the history included. What is changed stays
    /// changed. Every call in the history must keep its result.
    fn before_request(&self, request: &mut Request) {
        let _ = request;
    }

    /// Sees a whole answer; it may end the run.
    fn after_response(&self, run: &Run) -> Option<Stop> {
        let _ = run;
        None
    }

    /// Is asked before a call runs; `None` leaves it to the next hook, and at last to [`Approvals`](crate::Approvals).
    fn before_call(&self, call: &ToolCall) -> Option<Approval> {
        let _ = call;
        None
    }

    /// Sees what came of a call before the model is told, and may change it.
    fn after_call(&self, call: &ToolCall, output: &mut ToolOutput) {
        let _ = (call, output);
    }

    /// Sees an error of a call of the model, whose own retries are over. [`OnError::Again`] asks once more, without a
    /// bound of its own.
    fn on_error(&self, error: &Error) -> OnError {
        let _ = error;
        OnError::End
    }
}

/// What becomes of a run whose call of the model failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnError {
    /// It ends.
    #[default]
    End,
    /// The model is asked again.
    Again,
}

//! What is said where no model is built in.

use std::future::{Ready, ready};

use interlingua::ClientBuilder;

use crate::exit::{Exit, Failure, Result};
use crate::terminal::Terminal;

/// There is no provider for models in the process.
pub(crate) const PROVIDER: Option<&str> = None;
/// There is no model for someone who has neither key nor server.
pub(crate) const DEFAULT_MODEL: Option<&str> = None;

/// Adds nothing.
pub(crate) fn install(builder: ClientBuilder) -> ClientBuilder {
    builder
}

/// Needs nothing.
pub(crate) fn provide(_model: &str, _terminal: &mut Terminal) -> Ready<Result<()>> {
    ready(Ok(()))
}

/// Refuses: there is nothing to run a model with.
pub(crate) fn pull(_name: Option<&str>, _terminal: &mut Terminal) -> Ready<Result<Exit>> {
    ready(Err(Failure::new(
        Exit::Local,
        "this il runs no model itself: it was built without the feature `local`",
    )))
}

/// What there is, in a few words.
pub(crate) fn state() -> String {
    "none: this il was built without the feature `local`".into()
}

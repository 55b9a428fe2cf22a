//! Nobody asks for spans.

use std::future::Future;
use std::time::Duration;

use interlingua_model::{Request, ToolCall};
use interlingua_wire::Mode;

use super::{Asked, Ended};
use crate::layer::Notice;
use crate::{Outcome, RetryNote, Run, ToolOutput};

#[derive(Debug, Clone)]
pub(crate) struct Span;

pub(super) const fn is_on() -> bool {
    false
}

#[expect(clippy::unused_self, reason = "its twin looks at it")]
impl Span {
    pub(crate) const fn here() -> Self {
        Self
    }

    pub(super) const fn call(_: &Asked, _: &Request, _: Mode, _: bool) -> Self {
        Self
    }

    pub(super) const fn run(_: &Asked) -> Self {
        Self
    }

    pub(super) const fn tool(&self, _: &ToolCall, _: bool) -> Self {
        Self
    }

    pub(crate) const fn within<F: Future>(&self, future: F) -> F {
        future
    }

    pub(crate) const fn retried(&self, _: &RetryNote) {}

    pub(crate) const fn noticed(&self, _: &Notice) {}

    pub(super) const fn first_chunk(&self, _: Duration) {}

    pub(super) const fn ended(&self, _: &Ended, _: bool) {}

    pub(super) const fn run_ended(&self, _: &Run, _: &Outcome) {}

    pub(super) const fn returned(&self, _: &ToolOutput, _: bool) {}
}

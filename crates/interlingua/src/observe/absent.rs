//! Nobody looks.

use std::future::Future;

use interlingua_model::ToolCall;

use crate::layer::Notice;
use crate::{BoxFuture, Client, Options, Outcome, RetryNote, Run, ToolOutput};

#[derive(Debug, Clone, Default)]
pub(crate) struct Settings(());

#[derive(Debug, Clone)]
pub(crate) struct Span;

#[derive(Debug)]
pub(crate) struct Sight;

impl Span {
    pub(crate) const fn here() -> Self {
        Self
    }
}

#[expect(clippy::unused_self, reason = "others look at it")]
impl Settings {
    pub(crate) const fn retried(&self, _: &Span, _: &RetryNote) {}

    pub(crate) const fn noticed(&self, _: &Span, _: &Notice) {}
}

#[expect(clippy::unused_self, reason = "others look at it")]
impl Sight {
    pub(crate) const fn new(_: &Client, _: &str, _: &Options) -> Self {
        Self
    }

    pub(crate) fn within<T: 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> BoxFuture<'static, T> {
        Box::pin(future)
    }

    pub(crate) fn tool(
        &self,
        _: &ToolCall,
        running: BoxFuture<'static, ToolOutput>,
    ) -> BoxFuture<'static, ToolOutput> {
        running
    }

    pub(crate) const fn ended(&self, _: &Run, _: &Outcome) {}
}

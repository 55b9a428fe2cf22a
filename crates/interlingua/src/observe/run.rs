use std::future::Future;

use interlingua_model::ToolCall;
use tokio::time::Instant;

use super::{Asked, Settings, Span, word};
use crate::{BoxFuture, Client, Options, Outcome, Run, ToolOutput};

/// A run under way, for those who look.
#[derive(Debug)]
pub(crate) struct Sight(Option<Box<Looked>>);

#[derive(Debug)]
struct Looked {
    asked: Asked,
    span: Span,
    settings: Settings,
    begun: Instant,
}

impl Sight {
    pub(crate) fn new(client: &Client, model: &str, options: &Options) -> Self {
        let settings = &client.0.observe;
        if !settings.is_on() {
            return Self(None);
        }
        let asked = Asked::of(client, model, options);
        let (span, begun) = (Span::run(&asked), Instant::now());
        Self(Some(Box::new(Looked { asked, span, settings: settings.clone(), begun })))
    }

    /// What the run waits for: what happens in it belongs to the run.
    pub(crate) fn within<T: 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> BoxFuture<'static, T> {
        match &self.0 {
            Some(looked) => Box::pin(looked.span.within(future)),
            None => Box::pin(future),
        }
    }

    /// A call of a tool.
    pub(crate) fn tool(
        &self,
        call: &ToolCall,
        running: BoxFuture<'static, ToolOutput>,
    ) -> BoxFuture<'static, ToolOutput> {
        let Some(looked) = &self.0 else { return running };
        let (settings, name) = (looked.settings.clone(), call.name.clone());
        let span = looked.span.tool(call, settings.content);
        Box::pin(async move {
            let begun = Instant::now();
            let output = span.within(running).await;
            span.returned(&output, settings.content);
            if let Some(metrics) = &settings.metrics {
                metrics.tool(&name, output.is_error, begun.elapsed());
            }
            output
        })
    }

    /// The run has ended.
    pub(crate) fn ended(&self, run: &Run, outcome: &Outcome) {
        let Some(looked) = &self.0 else { return };
        looked.span.run_ended(run, outcome);
        let error = match outcome {
            Outcome::Failed { kind, .. } => Some(word(*kind)),
            _ => None,
        };
        if let Some(metrics) = &looked.settings.metrics {
            metrics.run(&looked.asked, error.as_deref(), looked.begun.elapsed());
        }
    }
}

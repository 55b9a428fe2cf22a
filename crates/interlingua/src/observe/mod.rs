//! What others see of calls, runs and tools: spans and metrics, by OpenTelemetry's conventions for generative AI.

#[cfg_attr(not(feature = "otel"), path = "metrics_absent.rs")]
mod metrics;
mod run;
#[cfg_attr(not(feature = "tracing"), path = "span_absent.rs")]
mod span;

#[cfg(feature = "tracing")]
mod content;

use http::Uri;
use interlingua_model::{Error, ErrorKind, Event, Request};
use interlingua_wire::Mode;
use tokio::time::Instant;

use crate::layer::{End, Notice, Watch};
use crate::{BoxFuture, Client, Events, Options, RetryNote};

pub(crate) use metrics::Metrics;
pub(crate) use run::Sight;
pub(crate) use span::Span;

/// What a program wants to be seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) content: bool,
    pub(crate) metrics: Option<Metrics>,
}

/// What is asked, and of whom.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) provider: String,
    pub(crate) model: String,
    /// Host and port; `None` for a model in the process.
    pub(crate) server: Option<(String, u16)>,
}

/// How a call ended.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(crate) response: interlingua_model::Response,
    pub(crate) error: Option<String>,
}

/// A call under way. What is not ended when it is dropped was cancelled.
struct Seen {
    asked: Asked,
    span: Span,
    settings: Settings,
    begun: Instant,
    /// When the last piece of content came.
    last: Option<Instant>,
    ended: bool,
}

/// A call that is seen, when somebody looks.
pub(crate) async fn call(
    client: &Client,
    request: &Request,
    mode: Mode,
    options: &Options,
    asking: BoxFuture<'_, Result<Events, Error>>,
) -> Result<Events, Error> {
    let settings = &client.0.observe;
    if !settings.is_on() {
        return asking.await;
    }
    let mut seen = Seen::begin(Asked::of(client, &request.model, options), request, mode, settings);
    match seen.span.within(asking).await {
        Ok(events) => Ok(events.watch(seen)),
        Err(error) => {
            seen.end(&Ended { error: Some(word(error.kind())), ..Ended::default() });
            Err(error)
        }
    }
}

/// The word of a kind of error.
pub(crate) fn word(kind: ErrorKind) -> String {
    let value = serde_json::to_value(kind).ok();
    value.as_ref().and_then(serde_json::Value::as_str).unwrap_or("_OTHER").to_owned()
}

impl Settings {
    /// Whether anybody looks.
    pub(crate) fn is_on(&self) -> bool {
        self.metrics.is_some() || span::is_on()
    }

    /// A retry begins to wait.
    pub(crate) fn retried(&self, span: &Span, note: &RetryNote) {
        span.retried(note);
        if let Some(metrics) = &self.metrics {
            metrics.retried(note);
        }
    }

    /// A layer has done something.
    pub(crate) fn noticed(&self, span: &Span, notice: &Notice) {
        span.noticed(notice);
        if let Some(metrics) = &self.metrics {
            metrics.noticed(notice);
        }
    }
}

impl Asked {
    pub(crate) fn of(client: &Client, model: &str, options: &Options) -> Self {
        let (word, bare) = client.0.registry.split(model).unwrap_or(("", model));
        let row = client.provider(word).ok();
        let url = options.base_url.clone().or_else(|| client.address(word));
        Self {
            provider: row
                .map_or(word, |row| match &*row.telemetry {
                    "" => &*row.id,
                    name => name,
                })
                .to_owned(),
            model: bare.to_owned(),
            server: url.and_then(|url| server(&url)),
        }
    }
}

fn server(url: &str) -> Option<(String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    Some((uri.host()?.to_owned(), port))
}

impl Seen {
    fn begin(asked: Asked, request: &Request, mode: Mode, settings: &Settings) -> Self {
        let span = Span::call(&asked, request, mode, settings.content);
        Self { asked, span, settings: settings.clone(), begun: Instant::now(), last: None, ended: false }
    }

    fn end(&mut self, ended: &Ended) {
        self.ended = true;
        self.span.ended(ended, self.settings.content);
        if let Some(metrics) = &self.settings.metrics {
            metrics.ended(&self.asked, ended, self.begun.elapsed());
        }
    }
}

impl Watch for Seen {
    fn event(&mut self, event: &Event) {
        if !event.is_content() || (self.last.is_some() && self.settings.metrics.is_none()) {
            return;
        }
        let now = Instant::now();
        let last = self.last.replace(now);
        let time = now - last.unwrap_or(self.begun);
        if last.is_none() {
            self.span.first_chunk(time);
        }
        if let Some(metrics) = &self.settings.metrics {
            metrics.chunk(&self.asked, time, last.is_none());
        }
    }

    fn end(&mut self, end: &End<'_>) {
        let error = end.error().map(|error| word(error.kind()));
        self.end(&Ended { response: end.response(), error });
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        if !self.ended {
            self.end(&Ended { error: Some(word(ErrorKind::Cancelled)), ..Ended::default() });
        }
    }
}

use std::future::Future;
use std::time::Duration;

use interlingua_model::{Format, Request, ToolCall, Usage};
use interlingua_wire::Mode;
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument as _, Level, Span as Traced};

use super::{Asked, Ended, content, word};
use crate::layer::Notice;
use crate::{Outcome, RetryNote, Run, ToolOutput};

/// Where something happens.
#[derive(Debug, Clone)]
pub(crate) struct Span(Traced);

/// Whether anybody may listen at all.
pub(super) fn is_on() -> bool {
    LevelFilter::current() >= LevelFilter::INFO
}

/// The figure as exporters take it.
fn figure(number: impl TryInto<i64>) -> Option<i64> {
    number.try_into().ok()
}

impl Span {
    pub(crate) fn here() -> Self {
        Self(Traced::current())
    }

    /// A call of a model.
    pub(super) fn call(asked: &Asked, request: &Request, mode: Mode, with_content: bool) -> Self {
        let sampling = &request.sampling;
        let span = tracing::span!(
            target: "interlingua",
            Level::INFO,
            "chat",
            "otel.name" = format!("chat {}", asked.model),
            "otel.kind" = if asked.server.is_some() { "client" } else { "internal" },
            "otel.status_code" = Empty,
            "gen_ai.operation.name" = "chat",
            "gen_ai.provider.name" = asked.provider,
            "gen_ai.request.model" = asked.model,
            "gen_ai.request.stream" = mode == Mode::Stream,
            "gen_ai.request.max_tokens" = request.max_output.and_then(figure),
            "gen_ai.request.temperature" = sampling.temperature,
            "gen_ai.request.top_p" = sampling.top_p,
            "gen_ai.request.top_k" = sampling.top_k.and_then(figure),
            "gen_ai.request.seed" = sampling.seed,
            "gen_ai.request.reasoning.level" = request.effort.map(interlingua_model::Effort::as_str),
            "gen_ai.output.type" = Empty,
            "server.address" = asked.server.as_ref().map(|(host, _)| host.as_str()),
            "server.port" = asked.server.as_ref().and_then(|(_, port)| figure(*port)),
            "error.type" = Empty,
            "gen_ai.response.id" = Empty,
            "gen_ai.response.model" = Empty,
            "gen_ai.response.finish_reasons" = Empty,
            "gen_ai.response.time_to_first_chunk" = Empty,
            "gen_ai.usage.input_tokens" = Empty,
            "gen_ai.usage.output_tokens" = Empty,
            "gen_ai.usage.cache_read.input_tokens" = Empty,
            "gen_ai.usage.cache_write.input_tokens" = Empty,
            "gen_ai.usage.reasoning.output_tokens" = Empty,
            "gen_ai.system_instructions" = Empty,
            "gen_ai.input.messages" = Empty,
            "gen_ai.output.messages" = Empty,
        );
        if let Some(Format::Json | Format::Schema(_)) = request.format {
            span.record("gen_ai.output.type", "json");
        }
        if with_content && !span.is_disabled() {
            span.record("gen_ai.system_instructions", content::instructions(request).to_string());
            span.record("gen_ai.input.messages", content::input(request).to_string());
        }
        Self(span)
    }

    /// A run of an agent.
    pub(super) fn run(asked: &Asked) -> Self {
        Self(tracing::span!(
            target: "interlingua",
            Level::INFO,
            "invoke_agent",
            "otel.kind" = "internal",
            "otel.status_code" = Empty,
            "gen_ai.operation.name" = "invoke_agent",
            "gen_ai.provider.name" = asked.provider,
            "gen_ai.request.model" = asked.model,
            "gen_ai.usage.input_tokens" = Empty,
            "gen_ai.usage.output_tokens" = Empty,
            "interlingua.turns" = Empty,
            "interlingua.stop" = Empty,
            "error.type" = Empty,
        ))
    }

    /// A call of a tool within a run.
    pub(super) fn tool(&self, call: &ToolCall, with_content: bool) -> Self {
        let span = tracing::span!(
            target: "interlingua",
            parent: &self.0,
            Level::INFO,
            "execute_tool",
            "otel.name" = format!("execute_tool {}", call.name),
            "otel.kind" = "internal",
            "otel.status_code" = Empty,
            "gen_ai.operation.name" = "execute_tool",
            "gen_ai.tool.name" = call.name,
            "gen_ai.tool.type" = "function",
            "gen_ai.tool.call.id" = call.id,
            "gen_ai.tool.call.arguments" = Empty,
            "gen_ai.tool.call.result" = Empty,
            "error.type" = Empty,
        );
        if with_content {
            span.record("gen_ai.tool.call.arguments", call.input.as_str());
        }
        Self(span)
    }

    pub(crate) fn within<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future.instrument(self.0.clone())
    }

    /// A retry begins to wait.
    pub(crate) fn retried(&self, note: &RetryNote) {
        tracing::event!(
            target: "interlingua",
            parent: &self.0,
            Level::WARN,
            {
                message = format_args!("retry: {}", note.reason),
                "interlingua.retry.attempt" = note.attempt,
                "interlingua.retry.pause" = note.pause.as_secs_f64(),
                "error.type" = word(note.kind),
                "http.response.status_code" = note.status
            }
        );
    }

    /// A layer has done something.
    pub(crate) fn noticed(&self, notice: &Notice) {
        tracing::event!(
            target: "interlingua",
            parent: &self.0,
            Level::INFO,
            { message = %notice, "interlingua.notice" = notice.name() }
        );
    }

    pub(super) fn first_chunk(&self, time: Duration) {
        self.0.record("gen_ai.response.time_to_first_chunk", time.as_secs_f64());
    }

    pub(super) fn ended(&self, ended: &Ended, with_content: bool) {
        if self.0.is_disabled() {
            return;
        }
        let response = &ended.response;
        self.0.record("gen_ai.response.id", response.id.as_deref());
        self.0.record("gen_ai.response.model", response.model.as_deref());
        if let Some(finish) = &response.finish {
            // A field is no list: the list is written as JSON.
            self.0.record(
                "gen_ai.response.finish_reasons",
                format!("[\"{}\"]", content::reason(finish.reason)),
            );
        }
        self.used(&response.usage);
        let usage = &response.usage;
        self.0.record("gen_ai.usage.cache_read.input_tokens", usage.cache_read.and_then(figure));
        self.0.record("gen_ai.usage.cache_write.input_tokens", usage.cache_write.and_then(figure));
        self.0.record("gen_ai.usage.reasoning.output_tokens", usage.reasoning.and_then(figure));
        if with_content {
            self.0.record("gen_ai.output.messages", content::output(response).to_string());
        }
        self.failed(ended.error.as_deref());
    }

    pub(super) fn run_ended(&self, run: &Run, outcome: &Outcome) {
        self.used(&run.usage());
        self.0.record("interlingua.turns", figure(run.turns()));
        match outcome {
            Outcome::Finished => {}
            Outcome::Stopped(stop) => {
                self.0.record("interlingua.stop", stop.to_string());
            }
            Outcome::Failed { kind, .. } => self.failed(Some(&word(*kind))),
        }
    }

    pub(super) fn returned(&self, output: &ToolOutput, with_content: bool) {
        if with_content {
            self.0.record("gen_ai.tool.call.result", content::said(&output.content));
        }
        self.failed(output.is_error.then_some("tool_error"));
    }

    fn used(&self, usage: &Usage) {
        self.0.record("gen_ai.usage.input_tokens", usage.input.and_then(figure));
        self.0.record("gen_ai.usage.output_tokens", usage.output.and_then(figure));
    }

    fn failed(&self, kind: Option<&str>) {
        if let Some(kind) = kind {
            self.0.record("error.type", kind);
            self.0.record("otel.status_code", "ERROR");
        }
    }
}

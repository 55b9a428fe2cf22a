use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram, Meter};

use super::{Asked, Ended, word};
use crate::RetryNote;
use crate::layer::Notice;

/// The instruments of a client.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    tokens: Histogram<u64>,
    duration: Histogram<f64>,
    first_chunk: Histogram<f64>,
    per_chunk: Histogram<f64>,
    runs: Histogram<f64>,
    tools: Histogram<f64>,
    notices: Counter<u64>,
    retries: Counter<u64>,
}

impl Metrics {
    pub(crate) fn new(meter: &Meter) -> Self {
        let seconds = |name: &'static str, what: &'static str| {
            let bounds = (0..14).map(|power| 0.01 * f64::from(1 << power)).collect();
            meter.f64_histogram(name).with_unit("s").with_description(what).with_boundaries(bounds).build()
        };
        let bounds = (0..14).map(|power| f64::from(1 << (2 * power))).collect();
        Self {
            tokens: meter
                .u64_histogram("gen_ai.client.token.usage")
                .with_unit("{token}")
                .with_description("Tokens of a call.")
                .with_boundaries(bounds)
                .build(),
            duration: seconds("gen_ai.client.operation.duration", "How long a call took."),
            first_chunk: seconds(
                "gen_ai.client.operation.time_to_first_chunk",
                "How long the first piece of an answer took.",
            ),
            per_chunk: seconds(
                "gen_ai.client.operation.time_per_output_chunk",
                "How long each further piece of an answer took.",
            ),
            runs: seconds("gen_ai.invoke_agent.duration", "How long a run took."),
            tools: seconds("gen_ai.execute_tool.duration", "How long a call of a tool took."),
            notices: meter
                .u64_counter("interlingua.notices")
                .with_unit("{notice}")
                .with_description("What layers did.")
                .build(),
            retries: meter
                .u64_counter("interlingua.retries")
                .with_unit("{retry}")
                .with_description("Calls that were made again.")
                .build(),
        }
    }

    pub(super) fn ended(&self, asked: &Asked, ended: &Ended, time: Duration) {
        let mut attributes = attributes(asked, "chat");
        let model = ended.response.model.clone();
        attributes.extend(model.map(|model| KeyValue::new("gen_ai.response.model", model)));
        let usage = &ended.response.usage;
        for (kind, tokens) in [("input", usage.input), ("output", usage.output)] {
            if let Some(tokens) = tokens {
                attributes.push(KeyValue::new("gen_ai.token.type", kind));
                self.tokens.record(tokens, &attributes);
                attributes.pop();
            }
        }
        attributes.extend(ended.error.clone().map(|error| KeyValue::new("error.type", error)));
        self.duration.record(time.as_secs_f64(), &attributes);
    }

    pub(super) fn chunk(&self, asked: &Asked, time: Duration, is_first: bool) {
        let histogram = if is_first { &self.first_chunk } else { &self.per_chunk };
        histogram.record(time.as_secs_f64(), &attributes(asked, "chat"));
    }

    pub(super) fn run(&self, asked: &Asked, error: Option<&str>, time: Duration) {
        let mut attributes = attributes(asked, "invoke_agent");
        attributes.extend(error.map(|error| KeyValue::new("error.type", error.to_owned())));
        self.runs.record(time.as_secs_f64(), &attributes);
    }

    pub(super) fn tool(&self, name: &str, is_error: bool, time: Duration) {
        let mut attributes = vec![
            KeyValue::new("gen_ai.operation.name", "execute_tool"),
            KeyValue::new("gen_ai.tool.name", name.to_owned()),
        ];
        attributes.extend(is_error.then(|| KeyValue::new("error.type", "tool_error")));
        self.tools.record(time.as_secs_f64(), &attributes);
    }

    pub(crate) fn noticed(&self, notice: &Notice) {
        self.notices.add(1, &[KeyValue::new("interlingua.notice", notice.name())]);
    }

    pub(crate) fn retried(&self, note: &RetryNote) {
        self.retries.add(1, &[KeyValue::new("error.type", word(note.kind))]);
    }
}

fn attributes(asked: &Asked, operation: &'static str) -> Vec<KeyValue> {
    let mut all = vec![
        KeyValue::new("gen_ai.operation.name", operation),
        KeyValue::new("gen_ai.provider.name", asked.provider.clone()),
        KeyValue::new("gen_ai.request.model", asked.model.clone()),
    ];
    if let Some((host, port)) = &asked.server {
        all.push(KeyValue::new("server.address", host.clone()));
        all.push(KeyValue::new("server.port", i64::from(*port)));
    }
    all
}

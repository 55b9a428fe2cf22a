//! Usage figures. The wire's `input_tokens` leaves out what came from or went to a cache; ours includes it.

use interlingua_model::{Fields, Json, Usage};
use serde_json::value::RawValue;

use super::PROTOCOL;
use crate::Object;

/// The figures as they stand on the wire; each keeps its last value that was a number.
#[derive(Debug, Default)]
pub(super) struct Counts {
    input: Option<u64>,
    cache_read: Option<u64>,
    cache_creation: Option<u64>,
    hour: Option<u64>,
    output: Option<u64>,
    thinking: Option<u64>,
    /// What has no place of its own, such as the requests of server tools.
    other: Fields,
}

impl Counts {
    /// Takes a `usage` object over, and returns all that is known now.
    pub(super) fn update(&mut self, usage: &RawValue) -> Usage {
        let Ok(mut usage) = Object::parse(usage.get()) else { return Usage::default() };
        let details = usage.peek::<Object<'_>>("output_tokens_details");
        // The split by time to live is an object of its own, whose sum is `cache_creation_input_tokens`.
        let split = usage.peek::<Object<'_>>("cache_creation");
        keep(&mut self.hour, split.as_ref().and_then(|split| split.peek("ephemeral_1h_input_tokens")));
        keep(&mut self.thinking, details.as_ref().and_then(|details| details.peek("thinking_tokens")));
        for (name, figure) in [
            ("input_tokens", &mut self.input),
            ("cache_read_input_tokens", &mut self.cache_read),
            ("cache_creation_input_tokens", &mut self.cache_creation),
            ("output_tokens", &mut self.output),
        ] {
            keep(figure, usage.peek(name));
            usage.take_raw(name);
        }
        usage.take_raw("cache_creation");
        usage.take_raw("output_tokens_details");
        for (name, value) in usage.iter().filter(|(_, value)| value.get() != "null") {
            self.other.set(name, Json::from(value));
        }
        self.usage()
    }

    fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        let cached = self.cache_read.unwrap_or(0).saturating_add(self.cache_creation.unwrap_or(0));
        usage.input = self.input.map(|input| input.saturating_add(cached));
        usage.cache_read = self.cache_read;
        usage.cache_write = self.cache_creation;
        usage.cache_write_long = self.hour;
        usage.output = self.output;
        usage.reasoning = self.thinking;
        for (name, value) in self.other.iter() {
            usage.extra.set(PROTOCOL, name, value.clone());
        }
        usage
    }
}

/// The `usage` object of a message. The protocol wants input and output to be numbers in any case.
pub(super) fn write(usage: &Usage) -> Json {
    let mut fields = Fields::default();
    let cached = usage.cache_read.unwrap_or(0).saturating_add(usage.cache_write.unwrap_or(0));
    let number = |number: u64| Json::from_text(number.to_string());
    fields.set("input_tokens", number(usage.input.unwrap_or(0).saturating_sub(cached)));
    if let Some(written) = usage.cache_write {
        fields.set("cache_creation_input_tokens", number(written));
    }
    if let Some(read) = usage.cache_read {
        fields.set("cache_read_input_tokens", number(read));
    }
    if let Some(hour) = usage.cache_write_long {
        let minutes = usage.cache_write.unwrap_or(hour).saturating_sub(hour);
        let split =
            format!("{{\"ephemeral_5m_input_tokens\":{minutes},\"ephemeral_1h_input_tokens\":{hour}}}");
        fields.set("cache_creation", Json::from_text(split));
    }
    fields.set("output_tokens", number(usage.output.unwrap_or(0)));
    if let Some(thinking) = usage.reasoning {
        fields.set("output_tokens_details", Json::from_text(format!("{{\"thinking_tokens\":{thinking}}}")));
    }
    for (name, value) in usage.extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter) {
        fields.set(name, value.clone());
    }
    super::block::json(&fields)
}

fn keep(figure: &mut Option<u64>, newer: Option<u64>) {
    if newer.is_some() {
        *figure = newer;
    }
}

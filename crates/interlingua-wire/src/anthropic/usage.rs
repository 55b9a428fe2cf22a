//! Usage figures. The wire's `input_tokens` leaves out what came from or went to a cache; ours includes it.

use interlingua_model::{Fields, Json, Usage};
use serde_json::value::RawValue;

use super::PROTOCOL;
use crate::object;

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
        let is_read = object::each(usage, |name, value| self.take(name, value)).is_ok();
        if is_read { self.usage() } else { Usage::default() }
    }

    fn take(&mut self, name: &str, value: &RawValue) {
        match name {
            "input_tokens" => keep(&mut self.input, number(value)),
            "cache_read_input_tokens" => keep(&mut self.cache_read, number(value)),
            "cache_creation_input_tokens" => keep(&mut self.cache_creation, number(value)),
            "output_tokens" => keep(&mut self.output, number(value)),
            // The split by time to live is an object of its own, whose sum is `cache_creation_input_tokens`.
            "cache_creation" => keep(&mut self.hour, part(value, "ephemeral_1h_input_tokens")),
            "output_tokens_details" => keep(&mut self.thinking, part(value, "thinking_tokens")),
            _ if value.get() == "null" => {}
            _ => self.other.set(name, Json::from(value)),
        }
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

/// A count; anything else is none.
fn number(value: &RawValue) -> Option<u64> {
    value.get().parse().ok()
}

/// A count that stands in an object.
fn part(object: &RawValue, name: &str) -> Option<u64> {
    let mut found = None;
    object::each(object, |known, value| {
        if known == name {
            found = number(value);
        }
    })
    .ok()?;
    found
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

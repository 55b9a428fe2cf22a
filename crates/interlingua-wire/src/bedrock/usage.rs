//! Usage figures. The wire's `inputTokens` leaves out what came from or went to a cache; ours includes it.

use interlingua_model::{Json, Usage};
use serde_json::value::RawValue;

use super::PROTOCOL;
use super::node::{Node, array};
use crate::Object;

/// Reads a `usage` object.
pub(super) fn read(raw: &RawValue) -> Usage {
    let Ok(mut object) = Object::parse(raw.get()) else { return Usage::default() };
    let mut usage = Usage::default();
    let input = number(&mut object, "inputTokens");
    usage.output = number(&mut object, "outputTokens");
    usage.cache_read = number(&mut object, "cacheReadInputTokens");
    usage.cache_write = number(&mut object, "cacheWriteInputTokens");
    let total = number(&mut object, "totalTokens");
    // Older spellings of the same figures.
    usage.cache_read = usage.cache_read.or(number(&mut object, "cacheReadInputTokenCount"));
    usage.cache_write = usage.cache_write.or(number(&mut object, "cacheWriteInputTokenCount"));
    for name in ["cacheReadInputTokenCount", "cacheWriteInputTokenCount"] {
        object.take_raw(name);
    }
    let cached = usage.cache_read.unwrap_or(0).saturating_add(usage.cache_write.unwrap_or(0));
    // The total is what is certain: models differ in whether the input includes what was cached.
    let by_total = total.zip(usage.output).and_then(|(total, output)| total.checked_sub(output));
    usage.input = input.map(|input| match by_total {
        Some(by_total) if by_total > input || by_total == input && cached <= input => by_total,
        _ => input.saturating_add(cached),
    });
    usage.cache_write_long = written_for_long(&object);
    for (name, value) in object.iter().filter(|(_, value)| value.get() != "null") {
        usage.extra.set(PROTOCOL, name, Json::from(value));
    }
    usage
}

fn number(object: &mut Object<'_>, name: &str) -> Option<u64> {
    let found = object.peek(name);
    if found.is_some() {
        object.take_raw(name);
    }
    found
}

/// What was written to a cache for an hour, of the details by time to live, which are kept.
fn written_for_long(object: &Object<'_>) -> Option<u64> {
    let details: Vec<Object<'_>> = object.peek("cacheDetails")?;
    let mut long = None;
    for detail in &details {
        let (ttl, count): (&str, u64) = (detail.peek("ttl")?, detail.peek("inputTokens")?);
        if ttl == "1h" {
            long = Some(count.saturating_add(long.unwrap_or(0)));
        }
    }
    long
}

/// The `usage` object of an answer. The protocol wants input, output and total to be numbers in any case.
pub(super) fn write(usage: &Usage) -> Json {
    let cached = usage.cache_read.unwrap_or(0).saturating_add(usage.cache_write.unwrap_or(0));
    let (input, output) = (usage.input.unwrap_or(0), usage.output.unwrap_or(0));
    let mut node = Node::default()
        .number("inputTokens", input.saturating_sub(cached))
        .number("outputTokens", output)
        .number("totalTokens", input.max(cached).saturating_add(output));
    if let Some(read) = usage.cache_read {
        node = node.number("cacheReadInputTokens", read);
    }
    if let Some(written) = usage.cache_write {
        node = node.number("cacheWriteInputTokens", written);
    }
    if let Some(long) = usage.cache_write_long {
        let detail = |ttl, count| Node::default().text("ttl", ttl).number("inputTokens", count).json();
        let short = usage.cache_write.unwrap_or(long).saturating_sub(long);
        let mut details = vec![detail("1h", long)];
        if short > 0 {
            details.insert(0, detail("5m", short));
        }
        node = node.set("cacheDetails", array(&details));
    }
    node.extra(&usage.extra).json()
}

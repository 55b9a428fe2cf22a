//! Token figures, in all the places and spellings in which services report them.

use interlingua_model::{Extra, Json, Usage};
use serde_json::value::RawValue;

use super::PROTOCOL;
use super::types::Count;
use crate::Object;

/// Reads a usage object; what is not one reports nothing.
///
/// `prompt_tokens` includes cached tokens everywhere. `completion_tokens` includes reasoning, but for xAI, where the
/// total tells: then the reasoning is added, so that the totals of [`Usage`] mean the same for every service.
pub(super) fn usage(value: &RawValue) -> Usage {
    let Ok(mut object) = Object::parse(value.get()) else { return Usage::default() };
    let mut found = Usage::default();
    let mut prompt = details(&mut object, &["prompt_tokens_details", "input_tokens_details"]);
    let mut completion = details(&mut object, &["completion_tokens_details", "output_tokens_details"]);
    found.input = take(&mut object, &["prompt_tokens", "input_tokens"]);
    found.output = take(&mut object, &["completion_tokens", "output_tokens"]);
    found.cache_read = first([
        take(&mut prompt, &["cached_tokens", "cache_read_input_tokens"]),
        take(&mut object, &["prompt_cache_hit_tokens"]),
        take(&mut object, &["cached_tokens"]),
        take(&mut object, &["cache_read_input_tokens"]),
    ]);
    found.cache_write = first([
        take(&mut prompt, &["cache_write_tokens", "cache_creation_input_tokens"]),
        take(&mut object, &["cache_creation_input_tokens"]),
        take(&mut object, &["cache_write_tokens"]),
    ]);
    found.input_audio = take(&mut prompt, &["audio_tokens"]);
    found.reasoning =
        first([take(&mut completion, &["reasoning_tokens"]), take(&mut object, &["reasoning_tokens"])]);
    found.output_audio = take(&mut completion, &["audio_tokens"]);
    total(&mut found, take(&mut object, &["total_tokens"]));
    keep(&mut found.extra, "prompt_tokens_details", &prompt);
    keep(&mut found.extra, "completion_tokens_details", &completion);
    for (name, value) in object.iter().filter(|(_, value)| value.get() != "null") {
        found.extra.set(PROTOCOL, name, Json::from(value));
    }
    found
}

/// Adds the reasoning where the total says that the output excludes it; keeps a total that is not the sum.
fn total(found: &mut Usage, total: Option<u64>) {
    let (Some(total), Some(input), Some(output)) = (total, found.input, found.output) else { return };
    let sum = input.saturating_add(output);
    let reasoning = found.reasoning.unwrap_or(0);
    if reasoning > 0 && sum.checked_add(reasoning) == Some(total) {
        found.output = output.checked_add(reasoning);
    } else if total != sum {
        found.extra.set(PROTOCOL, "total_tokens", Json::from_text(total.to_string()));
    }
}

fn details<'a>(object: &mut Object<'a>, names: &[&str]) -> Object<'a> {
    let found = names.iter().find_map(|name| object.take_raw(name));
    found.and_then(|value| Object::parse(value.get()).ok()).unwrap_or_default()
}

fn take(object: &mut Object<'_>, names: &[&str]) -> Option<u64> {
    names.iter().find_map(|name| object.take::<Count>(name).ok().flatten().and_then(|Count(count)| count))
}

/// The first figure that is not zero, else the first figure.
fn first<const N: usize>(figures: [Option<u64>; N]) -> Option<u64> {
    let reported = || figures.iter().copied().flatten();
    reported().find(|figure| *figure > 0).or_else(|| reported().next())
}

/// Keeps what is not understood, unless it is nothing.
fn keep(extra: &mut Extra, name: &str, object: &Object<'_>) {
    let left: Vec<_> = object.iter().filter(|(_, value)| !matches!(value.get(), "null" | "0")).collect();
    if left.is_empty() {
        return;
    }
    let fields: Vec<String> =
        left.iter().map(|(name, value)| format!("{}:{}", Json::string(name), value.get())).collect();
    extra.set(PROTOCOL, name, Json::from_text(format!("{{{}}}", fields.join(","))));
}

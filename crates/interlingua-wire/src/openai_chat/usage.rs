//! Token figures, in all the places and spellings in which services report them.

use std::collections::BTreeSet;

use interlingua_model::{Extra, Json, Usage};
use serde_json::value::RawValue;

use super::PROTOCOL;
use super::types::{Count, Figures, Rest, says_nothing};
use crate::Object;

/// Reads a usage object; what is not one reports nothing.
///
/// `prompt_tokens` includes cached tokens everywhere. `completion_tokens` includes reasoning, but for xAI, where the
/// total tells: then the reasoning is added, so that the totals of [`Usage`] mean the same for every service.
pub(super) fn usage(value: &RawValue) -> Usage {
    plain(value).unwrap_or_else(|| complete(value))
}

/// Reads the figures of a service that has no others than the protocol's own, which is nearly every one.
fn plain(value: &RawValue) -> Option<Usage> {
    let figures: Figures<'_> = serde_json::from_str(value.get()).ok()?;
    let prompt = figures.prompt_details.unwrap_or_default();
    let completion = figures.completion_details.unwrap_or_default();
    let is_zero =
        |rest: &Rest<'_>| rest.iter().all(|(name, value)| value.get() == "0" && !name.starts_with("cache_"));
    let is_plain = figures.rest.is_empty() && is_zero(&prompt.rest) && is_zero(&completion.rest);
    let is_elsewhere =
        prompt.reasoning.is_some() || completion.cached.is_some() || completion.written.is_some();
    if !is_plain || is_elsewhere {
        return None;
    }
    let figure = |count: Option<Count>| count.and_then(|Count(count)| count);
    let mut found = Usage::default();
    found.input = figure(figures.prompt);
    found.output = figure(figures.completion);
    found.cache_read = figure(prompt.cached);
    found.cache_write = figure(prompt.written);
    found.input_audio = figure(prompt.audio);
    found.reasoning = figure(completion.reasoning);
    found.output_audio = figure(completion.audio);
    total(&mut found, figure(figures.total));
    Some(found)
}

/// Reads the figures in every spelling.
fn complete(value: &RawValue) -> Usage {
    let Ok(mut object) = Object::parse(value.get()) else { return Usage::default() };
    let mut found = Usage::default();
    let mut prompt = details(&mut object, &["prompt_tokens_details", "input_tokens_details"]);
    let mut completion = details(&mut object, &["completion_tokens_details", "output_tokens_details"]);
    found.input = take(&mut object, &["prompt_tokens", "input_tokens"]);
    found.output = take(&mut object, &["completion_tokens", "output_tokens"]);
    found.cache_read = first([
        take(&mut prompt, &["cached_tokens", "cache_read_input_tokens"]),
        take(&mut object, &["prompt_cache_hit_tokens"]),
        take(&mut object, &["cached_tokens", "num_cached_tokens"]),
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
    for (name, value) in latest(&object).into_iter().filter(|(_, value)| !says_nothing(value)) {
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
    let mut left = latest(object);
    left.retain(|(_, value)| !says_nothing(value) && value.get() != "0");
    if left.is_empty() {
        return;
    }
    let fields: Vec<String> =
        left.iter().map(|(name, value)| format!("{}:{}", Json::string(name), value.get())).collect();
    extra.set(PROTOCOL, name, Json::from_text(format!("{{{}}}", fields.join(","))));
}

/// The fields in order, where of several by one name the last one counts, be it null.
fn latest<'o>(object: &'o Object<'_>) -> Vec<(&'o str, &'o RawValue)> {
    let mut fields: Vec<_> = object.iter().collect();
    fields.reverse();
    let mut seen = BTreeSet::new();
    fields.retain(|(name, _)| seen.insert(*name));
    fields.reverse();
    fields
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::{complete, plain, usage};

    const NAMES: [&str; 8] = [
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "input_tokens",
        "prompt_tokens_details",
        "completion_tokens_details",
        "reasoning_tokens",
        "cost",
    ];
    const DETAILS: [&str; 6] = [
        "cached_tokens",
        "cache_write_tokens",
        "cache_read_input_tokens",
        "audio_tokens",
        "reasoning_tokens",
        "accepted_prediction_tokens",
    ];

    fn figure() -> impl Strategy<Value = String> {
        prop_oneof![
            (0..9_u64).prop_map(|number| number.to_string()),
            prop_oneof![Just("null"), Just("-1"), Just("2.0"), Just("\"3\""), Just("[]")]
                .prop_map(str::to_owned),
        ]
    }

    fn object(
        names: &'static [&'static str],
        value: impl Strategy<Value = String>,
    ) -> impl Strategy<Value = String> {
        proptest::collection::vec((proptest::sample::select(names), value), 0..7).prop_map(|fields| {
            let fields: Vec<_> =
                fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", fields.join(","))
        })
    }

    proptest! {
        #[test]
        fn the_short_way_reads_the_same(text in object(&NAMES, prop_oneof![figure(), object(&DETAILS, figure())])) {
            let value = RawValue::from_string(text).unwrap();
            if let Some(found) = plain(&value) {
                prop_assert_eq!(found, complete(&value));
            }
        }
    }

    #[test]
    fn the_last_of_two_figures_counts() {
        let text = r#"{"prompt_tokens_details":{"reasoning_tokens":1,"reasoning_tokens":null}}"#;
        let value = RawValue::from_string(text.to_owned()).unwrap();
        assert_eq!(plain(&value), Some(complete(&value)));
        assert!(complete(&value).is_empty());
    }

    #[test]
    fn usual_figures_go_the_short_way() {
        let text = r#"{"prompt_tokens":12,"completion_tokens":345,"total_tokens":357,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0}}"#;
        let value = RawValue::from_string(text.to_owned()).unwrap();
        assert_eq!(plain(&value), Some(complete(&value)));
        assert_eq!(usage(&value).cache_read, Some(4));
    }
}

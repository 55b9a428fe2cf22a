//! Token figures: `tokens` counts what the model read and wrote, `billed_units` what is paid for.

use interlingua_model::{Fields, Json, Usage};
use serde_json::value::RawValue;

use super::PROTOCOL;
use crate::Object;
use crate::draft::Draft;

/// Before the name of a figure that stood among `tokens`.
const TOKENS: &str = "tokens.";

/// Reads a usage object; what is not one reports nothing. `tokens.input_tokens` includes `cached_tokens`.
pub(super) fn read(raw: &RawValue) -> Usage {
    let mut usage = Usage::default();
    let Ok(mut object) = Object::parse(raw.get()) else { return usage };
    let mut tokens: Object<'_> = object.peek("tokens").unwrap_or_default();
    if object.peek::<Object<'_>>("tokens").is_some() {
        object.take_raw("tokens");
    }
    usage.input = take(&mut tokens, "input_tokens");
    usage.output = take(&mut tokens, "output_tokens");
    usage.reasoning = take(&mut tokens, "reasoning_tokens");
    usage.cache_read = take(&mut object, "cached_tokens");
    for (name, value) in object.iter().filter(|(_, value)| value.get() != "null") {
        usage.extra.set(PROTOCOL, name, Json::from(value));
    }
    for (name, value) in tokens.iter().filter(|(_, value)| value.get() != "null") {
        usage.extra.set(PROTOCOL, &format!("{TOKENS}{name}"), Json::from(value));
    }
    usage
}

fn take(object: &mut Object<'_>, name: &str) -> Option<u64> {
    let count: f64 = object.peek(name)?;
    // Some figures came as `12.0`.
    let count = object.peek::<u64>(name).or_else(|| format!("{count:.0}").parse().ok())?;
    object.take_raw(name);
    Some(count)
}

/// Writes the figures.
pub(super) fn write(usage: &Usage) -> Json {
    let own = || usage.extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter);
    let mut tokens = Draft::default();
    let figures = [
        ("input_tokens", usage.input),
        ("output_tokens", usage.output),
        ("reasoning_tokens", usage.reasoning),
    ];
    for (name, figure) in figures {
        if let Some(figure) = figure {
            tokens = tokens.figure(name, figure);
        }
    }
    for (name, value) in own() {
        if let Some(name) = name.strip_prefix(TOKENS) {
            tokens = tokens.set(name, value.clone());
        }
    }
    let mut written = Draft::default().fields(own().filter(|(name, _)| !name.starts_with(TOKENS)));
    if !tokens.is_empty() {
        written = written.set("tokens", tokens.json());
    }
    if let Some(cached) = usage.cache_read {
        written = written.figure("cached_tokens", cached);
    }
    written.json()
}

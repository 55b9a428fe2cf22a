//! Usage figures. On the wire the output leaves out the thoughts and the input what server tools have read; our totals hold
//! all of it.

use interlingua_model::{Fields, Json, Usage};
use serde_json::value::RawValue;

use super::PROTOCOL;
use crate::Object;
use crate::tree::Tree;

const TOOL_USE: &str = "total_tool_use_tokens";

/// Reads a `usage` object.
pub(super) fn read(raw: &RawValue) -> Usage {
    let mut usage = Usage::default();
    let Ok(mut figures) = Object::parse(raw.get()) else { return usage };
    let input = number(&mut figures, "total_input_tokens");
    let tools: Option<u64> = figures.peek(TOOL_USE);
    let output = number(&mut figures, "total_output_tokens");
    let thoughts = number(&mut figures, "total_thought_tokens");
    usage.input = sum(input, tools);
    usage.output = sum(output, thoughts);
    usage.reasoning = thoughts;
    usage.cache_read = number(&mut figures, "total_cached_tokens");
    usage.input_audio = audio(&figures, "input_tokens_by_modality");
    usage.output_audio = audio(&figures, "output_tokens_by_modality");
    // The total is that of the others.
    figures.take_raw("total_tokens");
    for (name, value) in figures.iter().filter(|(_, value)| value.get() != "null") {
        usage.extra.set(PROTOCOL, name, Json::from(value));
    }
    usage
}

fn number(figures: &mut Object<'_>, name: &str) -> Option<u64> {
    let found = figures.peek(name)?;
    figures.take_raw(name);
    Some(found)
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    if one.is_none() && other.is_none() {
        return None;
    }
    Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0)))
}

fn audio(figures: &Object<'_>, name: &str) -> Option<u64> {
    let details: Vec<Object<'_>> = figures.peek(name)?;
    let is_audio = |detail: &&Object<'_>| detail.peek::<String>("modality").as_deref() == Some("audio");
    details.iter().find(is_audio)?.peek("tokens")
}

/// Writes a `usage` object.
#[cfg(feature = "server")]
pub(super) fn write(usage: &Usage) -> Json {
    let tools: u64 = usage.extra.read(PROTOCOL, TOOL_USE).unwrap_or(0);
    let thoughts = usage.reasoning.unwrap_or(0);
    let figures = [
        ("total_input_tokens", usage.input.map(|input| input.saturating_sub(tools))),
        ("total_cached_tokens", usage.cache_read),
        ("total_output_tokens", usage.output.map(|output| output.saturating_sub(thoughts))),
        ("total_thought_tokens", usage.reasoning),
        ("total_tokens", sum(usage.input, usage.output)),
    ];
    let known = figures.into_iter().filter_map(|(name, figure)| Some((name, figure?)));
    let mut tree = known.fold(Tree::default(), |tree, (name, figure)| tree.plain(name, figure));
    for (name, value) in usage.extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter) {
        tree.put(name, value.clone());
    }
    tree.json()
}

//! Usage figures. On the wire the prompt leaves out what server tools have read, and the candidates leave out the thoughts;
//! our totals hold all of it.

use interlingua_model::{Fields, Json, Usage};
use serde_json::value::RawValue;

use super::PROTOCOL;
use crate::Object;
use crate::tree::{Tree, array};

const TOOL_USE: &str = "toolUsePromptTokenCount";

/// Reads a `usageMetadata` object.
pub(super) fn read(raw: &RawValue) -> Usage {
    let mut usage = Usage::default();
    let Ok(mut figures) = Object::parse(raw.get()) else { return usage };
    let prompt = number(&mut figures, "promptTokenCount");
    let tools: Option<u64> = figures.peek(TOOL_USE);
    let candidates = number(&mut figures, "candidatesTokenCount");
    let thoughts = number(&mut figures, "thoughtsTokenCount");
    usage.input = sum(prompt, tools);
    usage.output = sum(candidates, thoughts);
    usage.reasoning = thoughts;
    usage.cache_read = number(&mut figures, "cachedContentTokenCount");
    usage.input_audio = audio(&figures, "promptTokensDetails");
    usage.output_audio = audio(&figures, "candidatesTokensDetails");
    // The total is that of the others.
    figures.take_raw("totalTokenCount");
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
    let is_audio = |detail: &&Object<'_>| detail.peek::<String>("modality").as_deref() == Some("AUDIO");
    details.iter().find(is_audio)?.peek("tokenCount")
}

/// Writes a `usageMetadata` object.
pub(super) fn write(usage: &Usage) -> Json {
    let tools: u64 = usage.extra.read(PROTOCOL, TOOL_USE).unwrap_or(0);
    let thoughts = usage.reasoning.unwrap_or(0);
    let mut tree = Tree::default();
    let figures = [
        ("promptTokenCount", usage.input.map(|input| input.saturating_sub(tools))),
        ("cachedContentTokenCount", usage.cache_read),
        ("candidatesTokenCount", usage.output.map(|output| output.saturating_sub(thoughts))),
        ("thoughtsTokenCount", usage.reasoning),
        ("totalTokenCount", sum(usage.input, usage.output)),
    ];
    for (name, figure) in figures {
        tree = figure.map_or(tree.clone(), |figure| tree.plain(name, figure));
    }
    let details =
        [("promptTokensDetails", usage.input_audio), ("candidatesTokensDetails", usage.output_audio)];
    for (name, figure) in details {
        if let Some(figure) = figure {
            let detail = Tree::default().text("modality", "AUDIO").plain("tokenCount", figure);
            tree.put(name, array(&[detail.json()]));
        }
    }
    for (name, value) in usage.extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter) {
        tree.put(name, value.clone());
    }
    tree.json()
}

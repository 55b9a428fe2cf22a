//! Usage figures. On the wire the prompt leaves out what server tools have read, and the candidates leave out the thoughts;
//! our totals hold all of it.

use interlingua_model::{Fields, Json, Usage};
use serde_json::value::RawValue;

use super::PROTOCOL;
use crate::Object;
use crate::tree::{Tree, array};

const TOOL_USE: &str = "toolUsePromptTokenCount";

/// The counts that change from frame to frame.
pub(super) const COUNTS: &[&str] = &[
    "promptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
    "totalTokenCount",
];

/// The counts of the wire from which the totals are made.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    prompt: Option<u64>,
    tools: Option<u64>,
    candidates: Option<u64>,
    thoughts: Option<u64>,
    cached: Option<u64>,
}

impl Counts {
    /// Takes one of [`COUNTS`].
    pub(super) fn set(&mut self, name: &[u8], count: u64) {
        match name {
            b"promptTokenCount" => self.prompt = Some(count),
            b"candidatesTokenCount" => self.candidates = Some(count),
            b"thoughtsTokenCount" => self.thoughts = Some(count),
            b"cachedContentTokenCount" => self.cached = Some(count),
            // The total is that of the others.
            _ => {}
        }
    }

    /// Writes the totals; says whether one has changed.
    pub(super) fn total(self, usage: &mut Usage) -> bool {
        let totals =
            (sum(self.prompt, self.tools), sum(self.candidates, self.thoughts), self.thoughts, self.cached);
        let changed = totals != (usage.input, usage.output, usage.reasoning, usage.cache_read);
        (usage.input, usage.output, usage.reasoning, usage.cache_read) = totals;
        changed
    }
}

/// Reads a `usageMetadata` object.
pub(super) fn read(raw: &RawValue) -> (Usage, Counts) {
    let (mut usage, mut counts) = (Usage::default(), Counts::default());
    let Ok(mut figures) = Object::parse(raw.get()) else { return (usage, counts) };
    counts.prompt = number(&mut figures, "promptTokenCount");
    counts.tools = figures.peek(TOOL_USE);
    counts.candidates = number(&mut figures, "candidatesTokenCount");
    counts.thoughts = number(&mut figures, "thoughtsTokenCount");
    counts.cached = number(&mut figures, "cachedContentTokenCount");
    counts.total(&mut usage);
    usage.input_audio = audio(&figures, "promptTokensDetails");
    usage.output_audio = audio(&figures, "candidatesTokensDetails");
    // The total is that of the others.
    figures.take_raw("totalTokenCount");
    for (name, value) in figures.iter().filter(|(_, value)| value.get() != "null") {
        usage.extra.set(PROTOCOL, name, Json::from(value));
    }
    (usage, counts)
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

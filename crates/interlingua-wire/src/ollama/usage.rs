//! Token figures and durations, which stand beside the message in the last line.

use interlingua_model::{Fields, Json, Usage};

use super::PROTOCOL;
use crate::Object;
use crate::draft::Draft;

const INPUT: &str = "prompt_eval_count";
const OUTPUT: &str = "eval_count";
const CACHED: &str = "prompt_eval_cached_count";

/// Takes the figures out of a line.
pub(super) fn take(line: &mut Object<'_>) -> Usage {
    let mut usage = Usage::default();
    let mut figure = |name| {
        let count: u64 = line.peek(name)?;
        line.take_raw(name);
        Some(count)
    };
    (usage.input, usage.output, usage.cache_read) = (figure(INPUT), figure(OUTPUT), figure(CACHED));
    let names: Vec<String> =
        line.iter().map(|(name, _)| name.to_owned()).filter(|name| is_figure(name)).collect();
    for name in names {
        if let Some(value) = line.take_raw(&name).filter(|value| value.get() != "null") {
            usage.extra.set(PROTOCOL, &name, Json::from(value));
        }
    }
    usage
}

fn is_figure(name: &str) -> bool {
    name.ends_with("_duration") || name.ends_with("_count")
}

/// Adds the figures to a line.
pub(super) fn add(mut line: Draft, usage: &Usage) -> Draft {
    for (name, figure) in [(INPUT, usage.input), (OUTPUT, usage.output), (CACHED, usage.cache_read)] {
        if let Some(figure) = figure {
            line = line.figure(name, figure);
        }
    }
    line.fields(usage.extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter))
}

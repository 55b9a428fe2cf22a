//! JSON within a text.

use serde_json::{Deserializer, Value};

use super::answer::{Trouble, fitted};

/// Most places at which JSON is looked for.
const TRIES: usize = 256;

/// The value in a text: all of it, what stands in a code fence, or what stands somewhere in it. The first that follows the
/// schema is taken; where none does, what is wrong with the longest is told.
pub(super) fn value(text: &str, schema: &Value) -> Result<Value, Trouble> {
    let mut longest: Option<(usize, Trouble)> = None;
    for (length, value) in whole(text).into_iter().chain(fenced(text)).chain(scattered(text)) {
        match fitted(schema, value) {
            Ok(value) => return Ok(value),
            Err(trouble) => {
                if longest.as_ref().is_none_or(|(known, _)| *known < length) {
                    longest = Some((length, trouble));
                }
            }
        }
    }
    let none = || Trouble::NoJson("there is no complete JSON value in the answer".to_owned());
    Err(longest.map_or_else(none, |(_, trouble)| trouble))
}

fn whole(text: &str) -> Option<(usize, Value)> {
    Some((text.len(), serde_json::from_str(text).ok()?))
}

fn fenced(text: &str) -> impl Iterator<Item = (usize, Value)> {
    text.split("```").skip(1).step_by(2).filter_map(|block| {
        // The word behind the fence names a language.
        let inner = block.split_once('\n').map_or(block, |(_, inner)| inner);
        whole(inner).or_else(|| whole(block))
    })
}

/// The values that begin somewhere with a bracket, none within another.
fn scattered(text: &str) -> impl Iterator<Item = (usize, Value)> {
    let mut rest = text;
    let mut tries = 0;
    std::iter::from_fn(move || {
        while tries < TRIES {
            tries += 1;
            rest = rest.get(rest.find(['{', '['])?..)?;
            let mut values = Deserializer::from_str(rest).into_iter::<Value>();
            let found = values.next().and_then(Result::ok);
            let length = if found.is_some() { values.byte_offset() } else { 1 };
            rest = rest.get(length..)?;
            if let Some(value) = found {
                return Some((length, value));
            }
        }
        None
    })
}

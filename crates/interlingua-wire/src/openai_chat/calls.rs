//! Tool calls as they grow: told apart by index, id or place, opened when the name is known.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use interlingua_model::{Custom, Delta, Extra, Json, Output, ToolCall, ToolKind, Warning};
use serde_json::value::RawValue;

use super::PROTOCOL;
use super::dialect::ToolDeltas;
use super::reasoning::extra_of;
use super::types::{Count, FunctionDelta, Str, ToolDelta, string};
use crate::Parts;
use crate::markup::Written;

/// The name in `extra` that marks a call which came as `function_call`.
pub(super) const LEGACY: &str = "function_call";

/// Before the type of a call that is neither a function nor a custom tool, in the kind of the part that keeps it.
pub(super) const CALL_KIND: &str = "tool_calls.";

/// The calls of one answer.
#[derive(Debug, Default)]
pub(super) struct Calls {
    list: Vec<Call>,
    /// The newest call of each index, and the calls of each id: a stream may open very many.
    by_index: BTreeMap<u64, usize>,
    by_id: BTreeMap<String, BTreeSet<usize>>,
    rule: ToolDeltas,
    cumulative: bool,
    /// The id of the answer, of which calls without an id get theirs.
    pub(super) answer: Option<String>,
}

#[derive(Debug)]
struct Call {
    id: String,
    name: String,
    kind: ToolKind,
    /// The part, once it is open.
    at: Option<u32>,
    /// Input that came before the name, or all of it where deltas are cumulative.
    input: String,
}

/// A piece of a call in neutral terms.
struct Fragment<'a> {
    index: Option<u64>,
    id: Cow<'a, str>,
    name: Cow<'a, str>,
    kind: ToolKind,
    input: Cow<'a, str>,
    extra: Extra,
}

impl Calls {
    /// No calls yet.
    pub(super) fn new(rule: ToolDeltas, cumulative: bool) -> Self {
        Self { rule, cumulative, ..Self::default() }
    }

    /// Whether a call was opened.
    pub(super) fn is_empty(&self) -> bool {
        self.list.iter().all(|call| call.at.is_none())
    }

    /// Takes one item of `tool_calls`. What is neither a function nor a custom tool is kept as it is.
    ///
    /// # Errors
    /// When the item is not an object of the known shape.
    pub(super) fn take(&mut self, raw: &RawValue, out: &mut Parts) -> Result<(), serde_json::Error> {
        let delta: ToolDelta<'_> = serde_json::from_str(raw.get())?;
        let kind = delta.kind.and_then(Str::filled).unwrap_or_default();
        let index = delta.index.and_then(|Count(index)| index);
        let (body, kind) = match (delta.function, delta.custom) {
            (Some(function), Some(custom)) if !function.is_filled() && custom.is_filled() => {
                (custom, ToolKind::Custom)
            }
            (Some(function), _) => (function, ToolKind::Function),
            (None, Some(custom)) => (custom, ToolKind::Custom),
            (None, None) if matches!(&*kind, "" | "function" | "custom") => {
                (FunctionDelta::default(), ToolKind::Function)
            }
            (None, None) => {
                out.whole(Output::Custom(Custom::new(
                    PROTOCOL,
                    format!("{CALL_KIND}{kind}"),
                    Json::from(raw),
                )));
                return Ok(());
            }
        };
        let fragment = Fragment {
            index,
            id: delta.id.and_then(Str::filled).unwrap_or_default(),
            name: body.name.and_then(Str::filled).unwrap_or_default(),
            kind,
            input: input_text(body.arguments),
            extra: extra_of(&delta.rest),
        };
        self.grow(fragment, out);
        Ok(())
    }

    /// Takes a `function_call`, the form before `tool_calls`. An empty one is none.
    pub(super) fn legacy(&mut self, delta: &FunctionDelta<'_>, out: &mut Parts) {
        let name = delta.name.clone().and_then(Str::filled).unwrap_or_default();
        let input = input_text(delta.arguments);
        if name.is_empty() && input.is_empty() {
            return;
        }
        let extra = Extra::of(PROTOCOL, LEGACY, Json::from_text("true"));
        let fragment =
            Fragment { index: None, id: Cow::Borrowed(""), name, kind: ToolKind::Function, input, extra };
        self.grow(fragment, out);
    }

    /// Takes a call that stood in the text.
    pub(super) fn written(&mut self, call: Written, out: &mut Parts) {
        let fragment = Fragment {
            index: None,
            id: Cow::Owned(call.id.unwrap_or_default()),
            name: Cow::Owned(call.name),
            kind: ToolKind::Function,
            input: Cow::Borrowed(call.input.as_str()),
            extra: Extra::default(),
        };
        self.grow(fragment, out);
    }

    /// Opens what can be opened, and reports calls that never got a name.
    pub(super) fn finish(&mut self, out: &mut Parts) {
        for call in self.list.iter().filter(|call| call.at.is_none()) {
            let detail = format!("a call without a name, with the input {:?}", call.input);
            out.warning(Warning::dropped("tool_calls", detail));
        }
    }

    fn grow(&mut self, fragment: Fragment<'_>, out: &mut Parts) {
        let position = match self.locate(&fragment) {
            Some(position) => position,
            None => self.begin(&fragment),
        };
        let fallback = self.fallback_id(position);
        let cumulative = self.cumulative;
        let Some(call) = self.list.get_mut(position) else { return };
        if call.name.is_empty() {
            call.name.push_str(&fragment.name);
        }
        let input = if cumulative { rest_of(&call.input, &fragment.input) } else { &fragment.input };
        if call.at.is_none() || cumulative {
            call.input.push_str(input);
        }
        match call.at {
            Some(at) => {
                if !input.is_empty() {
                    out.input(at, input);
                }
                if !fragment.extra.is_empty() {
                    out.delta(at, Delta::extra(fragment.extra));
                }
            }
            None if !call.name.is_empty() => {
                let before = fallback.map(|id| std::mem::replace(&mut call.id, id));
                call.open(fragment.extra, out);
                if let Some(before) = before {
                    let after = call.id.clone();
                    self.renamed(position, &before, after);
                }
            }
            None => {}
        }
    }

    /// The call that a fragment belongs to, or `None` when it begins a new one.
    fn locate(&self, fragment: &Fragment<'_>) -> Option<usize> {
        if let Some(index) = fragment.index {
            let position = *self.by_index.get(&index)?;
            let call = self.list.get(position)?;
            let renewed = self.rule == ToolDeltas::IndexAndId
                && !fragment.name.is_empty()
                && !fragment.id.is_empty()
                && !call.id.is_empty()
                && call.id != fragment.id;
            return (!renewed).then_some(position);
        }
        let named = self.by_id.get(&*fragment.id).and_then(BTreeSet::last).copied();
        let continues = fragment.name.is_empty() || self.list.last().is_some_and(|call| call.name.is_empty());
        named.or_else(|| self.list.len().checked_sub(1).filter(|_| continues))
    }

    fn begin(&mut self, fragment: &Fragment<'_>) -> usize {
        let position = self.list.len();
        if let Some(index) = fragment.index {
            self.by_index.insert(index, position);
        }
        if !fragment.id.is_empty() {
            self.by_id.entry(fragment.id.clone().into_owned()).or_default().insert(position);
        }
        self.list.push(Call {
            id: fragment.id.clone().into_owned(),
            name: String::new(),
            kind: fragment.kind,
            at: None,
            input: String::new(),
        });
        position
    }

    /// A call has got another id.
    fn renamed(&mut self, position: usize, before: &str, after: String) {
        if let Some(places) = self.by_id.get_mut(before) {
            places.remove(&position);
        }
        self.by_id.entry(after).or_default().insert(position);
    }

    /// An id for a call that came without one, or with that of another: the same bytes give the same id.
    fn fallback_id(&self, position: usize) -> Option<String> {
        let call = self.list.get(position)?;
        let taken = self.by_id.get(&call.id).and_then(BTreeSet::first).is_some_and(|first| *first < position);
        (call.at.is_none() && (call.id.is_empty() || taken)).then(|| {
            match &*self.answer.as_deref().map(unique_word).unwrap_or_default() {
                "" => format!("call_{position}"),
                answer => format!("call_{answer}_{position}"),
            }
        })
    }
}

/// The letters and digits of an answer's id that tell it from others, at most 24 of them.
fn unique_word(id: &str) -> String {
    let letters: Vec<char> = id.chars().filter(char::is_ascii_alphanumeric).collect();
    letters.iter().skip(letters.len().saturating_sub(24)).collect()
}

impl Call {
    fn open(&mut self, extra: Extra, out: &mut Parts) {
        let mut call = ToolCall::new(&*self.id, &*self.name, Json::from_text(""));
        call.kind = self.kind;
        call.extra = extra;
        let at = out.open(Output::ToolCall(call));
        if !self.input.is_empty() {
            out.input(at, &*self.input);
        }
        self.at = Some(at);
    }
}

impl FunctionDelta<'_> {
    /// Whether it says anything.
    pub(super) fn is_filled(&self) -> bool {
        self.name.as_ref().is_some_and(|Str(name)| !name.is_empty()) || !input_text(self.arguments).is_empty()
    }
}

/// The input as text: most services write it into a string, some as an object.
pub(super) fn input_text(value: Option<&RawValue>) -> Cow<'_, str> {
    let Some(value) = value.filter(|value| value.get() != "null") else { return Cow::Borrowed("") };
    string(value).unwrap_or(Cow::Borrowed(value.get()))
}

/// What is new in a text that repeats all that came before.
pub(super) fn rest_of<'a>(before: &str, text: &'a str) -> &'a str {
    text.strip_prefix(before).unwrap_or(text)
}

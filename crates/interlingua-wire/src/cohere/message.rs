//! An assistant's message, both ways: what it holds in answers, in the first event of a stream and in a history.
//!
//! The parts of a message are in the order in which its fields stand, and are written in the order in which they came.

use interlingua_model::{Custom, Extra, Fields, Json, Output, Reasoning, Text, ToolCall, ToolKind};
use serde_json::value::RawValue;

use super::{FIELD, PLAN, PROTOCOL, citation};
use crate::Object;
use crate::draft::{Draft, array};

/// Before the name of a field that stood inside `function`.
const FUNCTION: &str = "function.";

/// What a message on the wire holds.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) parts: Vec<Output>,
    /// Citations that belong to no text.
    pub(super) citations: Vec<Custom>,
    /// Fields that are not known.
    pub(super) extra: Extra,
}

/// Reads a message; a field of another shape than it should have is kept with those that are not known.
pub(super) fn read(message: &Object<'_>) -> Heard {
    let mut heard = Heard::default();
    let mut places = Vec::new();
    let mut citations: Vec<&RawValue> = Vec::new();
    for (name, value) in message.iter().filter(|(_, value)| value.get() != "null") {
        match name {
            "role" => {}
            "content" => contents(value, &mut heard.parts, &mut places),
            PLAN if plan(value, &mut heard.parts) => {}
            "tool_calls" if calls(value, &mut heard.parts) => {}
            "citations" => citations = serde_json::from_str(value.get()).unwrap_or_default(),
            _ => heard.extra.set(PROTOCOL, name, Json::from(value)),
        }
    }
    for raw in citations {
        if !cite(&mut heard.parts, &places, raw) {
            heard.citations.push(Custom::new(PROTOCOL, "citation-start", Json::from(raw)));
        }
    }
    heard
}

fn contents(value: &RawValue, parts: &mut Vec<Output>, places: &mut Vec<usize>) {
    if let Ok(text) = serde_json::from_str::<String>(value.get()) {
        if !text.is_empty() {
            places.push(parts.len());
            parts.push(Output::Text(Text::new(text)));
        }
        return;
    }
    let blocks: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
    for block in blocks {
        places.push(parts.len());
        parts.push(content(block));
    }
}

fn plan(value: &RawValue, parts: &mut Vec<Output>) -> bool {
    let Ok(text) = serde_json::from_str::<String>(value.get()) else { return false };
    if !text.is_empty() {
        let mut plan = planned();
        plan.text = text;
        parts.push(Output::Reasoning(plan));
    }
    true
}

fn calls(value: &RawValue, parts: &mut Vec<Output>) -> bool {
    let Ok(calls) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else { return false };
    parts.extend(calls.into_iter().map(|raw| match call(raw) {
        Some(call) => Output::ToolCall(call),
        None => Output::Custom(Custom::new(PROTOCOL, "tool_call", Json::from(raw))),
    }));
    true
}

/// Gives a citation to the text it belongs to: that of its content block, else the last one.
fn cite(parts: &mut [Output], places: &[usize], raw: &RawValue) -> bool {
    let (index, is_of_text) = citation::target(raw);
    let named = index.and_then(|index| places.get(usize::try_from(index).ok()?).copied());
    let last = || parts.iter().rposition(|part| matches!(part, Output::Text(_)));
    let place = named.or_else(last).filter(|_| is_of_text);
    match (place.and_then(|place| parts.get_mut(place)), citation::read(raw)) {
        (Some(Output::Text(text)), Some(citation)) => {
            text.citations.push(citation);
            true
        }
        _ => false,
    }
}

/// An empty plan.
pub(super) fn planned() -> Reasoning {
    let mut plan = Reasoning::default();
    plan.extra.set(PROTOCOL, FIELD, Json::string(PLAN));
    plan
}

/// A content block.
pub(super) fn content(raw: &RawValue) -> Output {
    let unknown = |kind: &str| Output::Custom(Custom::new(PROTOCOL, kind, Json::from(raw)));
    let Ok(mut block) = Object::parse(raw.get()) else { return unknown("unknown") };
    let kind: String = block.peek("type").unwrap_or_default();
    let text = match kind.as_str() {
        "text" | "thinking" => block.take::<String>(&kind).ok().flatten(),
        _ => None,
    };
    let Some(words) = text else { return unknown(&kind) };
    block.take_raw("type");
    if kind == "text" {
        let mut text = Text::new(words);
        block.rest_into(&mut text.extra, PROTOCOL);
        return Output::Text(text);
    }
    let mut reasoning = Reasoning::new(words);
    block.rest_into(&mut reasoning.extra, PROTOCOL);
    Output::Reasoning(reasoning)
}

/// A call; `None` when it has no name.
pub(super) fn call(raw: &RawValue) -> Option<ToolCall> {
    let mut object = Object::parse(raw.get()).ok()?;
    let mut function: Object<'_> = object.take("function").ok()??;
    let name: String = function.take("name").ok()??;
    let id: Option<String> = object.take("id").ok()?;
    let input = function.take_raw("arguments").map_or_else(|| Json::from_text(""), arguments);
    let mut call = ToolCall::new(id.unwrap_or_default(), name, input);
    object.take_raw("type");
    call.extra = call_extra(&object, &function);
    Some(call)
}

/// What is not known of a call.
pub(super) fn call_extra(object: &Object<'_>, function: &Object<'_>) -> Extra {
    let mut extra = Extra::default();
    for (name, value) in object.iter().filter(|(_, value)| value.get() != "null") {
        extra.set(PROTOCOL, name, Json::from(value));
    }
    for (name, value) in function.iter().filter(|(_, value)| value.get() != "null") {
        extra.set(PROTOCOL, &format!("{FUNCTION}{name}"), Json::from(value));
    }
    extra
}

/// Arguments are a text that holds JSON; an object is taken as it is.
fn arguments(raw: &RawValue) -> Json {
    match serde_json::from_str::<Option<String>>(raw.get()) {
        Ok(text) => Json::from_text(text.unwrap_or_default()),
        Err(_) => Json::from(raw),
    }
}

/// A message being written, its fields in the order in which the first part of each came.
#[derive(Debug, Default)]
pub(super) struct Said {
    order: Vec<&'static str>,
    content: Vec<Json>,
    plan: String,
    calls: Vec<Json>,
    citations: Vec<Json>,
}

impl Said {
    /// Adds a text; `false` when it cannot stand in its place among the parts.
    pub(super) fn text(&mut self, text: &Text) -> bool {
        for citation in &text.citations {
            self.citations.push(citation::write(citation, self.content.len(), &text.text));
        }
        self.content.push(write_text(text));
        self.place("content")
    }

    /// Adds reasoning, or a plan.
    pub(super) fn reasoning(&mut self, reasoning: &Reasoning) -> bool {
        if is_plan(reasoning) {
            self.plan.push_str(&reasoning.text);
            return self.place(PLAN);
        }
        self.content.push(write_reasoning(reasoning));
        self.place("content")
    }

    /// Adds a call.
    pub(super) fn call(&mut self, call: &ToolCall) -> bool {
        self.calls.push(write_call(call));
        self.place("tool_calls")
    }

    /// Adds a block of this protocol that is not known.
    pub(super) fn custom(&mut self, custom: &Custom) -> bool {
        match custom.kind.as_str() {
            "tool_call" => {
                self.calls.push(custom.value.clone());
                self.place("tool_calls")
            }
            "citation-start" => {
                self.citations.push(custom.value.clone());
                true
            }
            _ => {
                self.content.push(custom.value.clone());
                self.place("content")
            }
        }
    }

    /// Whether there is nothing in the message.
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn place(&mut self, field: &'static str) -> bool {
        if !self.order.contains(&field) {
            self.order.push(field);
        }
        self.order.last() == Some(&field)
    }

    /// The message.
    pub(super) fn draft(&self) -> Draft {
        let mut message = Draft::default().text("role", "assistant");
        for field in &self.order {
            message = match *field {
                "content" => message.set("content", array(&self.content)),
                "tool_calls" => message.set("tool_calls", array(&self.calls)),
                _ => message.text(PLAN, &self.plan),
            };
        }
        if !self.citations.is_empty() {
            message = message.set("citations", array(&self.citations));
        }
        message
    }
}

/// Whether reasoning is a plan.
pub(super) fn is_plan(reasoning: &Reasoning) -> bool {
    reasoning.extra.read::<String>(PROTOCOL, FIELD).is_some_and(|field| field == PLAN)
}

/// A text as a content block.
pub(super) fn write_text(text: &Text) -> Json {
    Draft::of("text").text("text", &text.text).extra(&text.extra, PROTOCOL).json()
}

/// Reasoning as a content block.
pub(super) fn write_reasoning(reasoning: &Reasoning) -> Json {
    Draft::of("thinking").text("thinking", &reasoning.text).extra(&reasoning.extra, PROTOCOL).json()
}

/// A call. Free text, which the protocol does not have, is the one text of an object.
fn write_call(call: &ToolCall) -> Json {
    let input = match call.kind {
        ToolKind::Custom => Draft::default().text("input", call.input.as_str()).json(),
        _ if call.input.is_blank() => Json::object(),
        _ => call.input.clone(),
    };
    call_object(call, input.as_str())
}

/// A call with these arguments.
pub(super) fn call_object(call: &ToolCall, arguments: &str) -> Json {
    let own = || call.extra.fields(PROTOCOL).into_iter().flat_map(Fields::iter);
    let inner = own().filter_map(|(name, value)| Some((name.strip_prefix(FUNCTION)?, value)));
    let function = Draft::default().text("name", &call.name).text("arguments", arguments).fields(inner);
    let call =
        Draft::default().text("id", &call.id).text("type", "function").set("function", function.json());
    call.fields(own().filter(|(name, _)| !name.starts_with(FUNCTION))).json()
}

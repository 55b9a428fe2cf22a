//! Recorded traffic: whatever real services sent is understood, and nothing of it is lost.

use interlingua_model::{Format, Json, Request, Response, Tool, Usage};
use interlingua_wire::Mode;
use interlingua_wire::openai_responses::{Dialect, OpenaiResponses, ReasoningEcho};
use interlingua_wire::schema::for_openai;
use serde_json::Value;

use super::codec;
use crate::recorded::{Answers, Recorded, Requests};

const RECORDINGS: Recorded<'_> =
    Recorded { folder: "openai-responses", list: "openai_responses", prefix: "" };

/// What was told, without what a client cannot be told, and what was heard.
fn compare(told: &Response, heard: &Response, mode: Mode) -> (Value, Value) {
    let (mut told, mut heard) = (told.clone(), heard.clone());
    // Events that belong to no part have no place in a whole answer.
    if mode == Mode::Whole {
        told.other.clear();
    }
    told.other.iter_mut().chain(&mut heard.other).for_each(|custom| custom.value = Json::object());
    told.created = told.created.or(heard.created);
    told.id = told.id.or_else(|| heard.id.clone());
    told.model = told.model.or_else(|| heard.model.clone());
    // One service says it in its own way.
    if let Some(finish) = told.finish.as_mut().filter(|finish| finish.raw.as_deref() == Some("complete")) {
        finish.raw = Some("completed".to_owned());
    }
    told.usage = again_usage(&told.usage);
    (plain(&told), plain(&heard))
}

/// A response without white space inside verbatim JSON and without ids that the server half made up.
fn plain(response: &Response) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                let minted = |value: &Value| value.as_str().is_some_and(|text| text.contains("_0a1b2c"));
                fields.retain(|name, value| name != "id" || !minted(value));
                fields.values_mut().for_each(strip);
                fields.retain(|_, value| value.as_object().is_none_or(|inner| !inner.is_empty()));
            }
            Value::Array(list) => list.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(response).unwrap();
    strip(&mut value);
    value
}

/// Figures that clients want are written as zero where the provider did not report them.
fn again_usage(usage: &Usage) -> Usage {
    let mut usage = usage.clone();
    if !usage.is_empty() {
        for figure in [&mut usage.input, &mut usage.output, &mut usage.cache_read, &mut usage.reasoning] {
            figure.get_or_insert(0);
        }
    }
    usage
}

/// A dialect that says everything.
fn lossless() -> OpenaiResponses {
    let mut dialect = Dialect::openai();
    dialect.reasoning_echo = ReasoningEcho::All;
    dialect.min_max_output = None;
    OpenaiResponses::new(dialect)
}

/// Strict schemas as the service takes them, which many clients do not send.
fn strictly(request: &mut Request) {
    for tool in &mut request.tools {
        if let Tool::Function(function) = tool
            && function.strict == Some(true)
        {
            function.input = for_openai(&function.input).0;
        }
    }
    if let Some(Format::Schema(format)) = &mut request.format
        && format.strict == Some(true)
    {
        format.schema = for_openai(&format.schema).0;
    }
}

#[test]
fn recorded_answers() {
    RECORDINGS.answers(&Answers {
        reader: &codec(),
        server: &codec(),
        modes: &[Mode::Stream, Mode::Whole],
        stride: 7,
        compare: &compare,
    });
}

#[test]
fn recorded_requests() {
    Recorded { prefix: "request of ", ..RECORDINGS }.requests(&Requests {
        codec: &|_| Some(Box::new(lossless())),
        path: &|_| "/responses".to_owned(),
        mend: &strictly,
        plain: &|_| {},
    });
}

//! Any value of every type of the model.

use std::fmt::Debug;

use interlingua_model::{
    Assistant, Citation, Content, Custom, CustomTool, Data, Delta, Effort, Event, Extra, Finish,
    FinishReason, Fold, Format, Frame, FunctionTool, Grammar, Input, Json, Logprob, Media, Message, Origin,
    Output, Piece, Place, ProviderTool, Reasoning, Request, Response, Retention, RunBy, SchemaFormat, Source,
    Span, Start, System, Text, TokenLogprob, Tool, ToolCall, ToolChoice, ToolKind, ToolMode, ToolResult,
    Usage, User, Verbosity, Warning,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

/// A value made by changing an empty one, since most types cannot be written out from here.
fn with<A: Debug, T: Debug>(
    parts: impl Strategy<Value = A>,
    empty: impl Fn() -> T,
    fill: impl Fn(&mut T, A),
) -> impl Strategy<Value = T> {
    parts.prop_map(move |parts| {
        let mut value = empty();
        fill(&mut value, parts);
        value
    })
}

fn word() -> impl Strategy<Value = String> {
    "[a-zé\"\\\\\n ]{0,8}"
}

/// Exact in few decimal digits, as everything that people and services write.
fn number() -> impl Strategy<Value = f64> {
    (-4_000..4_000i32).prop_map(|figure| f64::from(figure) / 1_000.0)
}

pub(crate) fn json() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::object()),
        Just(Json::from_text(r#"{ "b":1.0,"a": [ 1e3, null ] }"#)),
        Just(Json::from_text("{\n  \"pretty\": true\n}")),
        Just(Json::from_text("null")),
        Just(Json::from_text("12345678901234567890123")),
        word().prop_map(|text| Json::string(&text)),
        word().prop_map(Json::from_text),
        Just(Json::from_text("{\"cut\": [1, ")),
        Just(Json::from_text(" {} ")),
    ]
}

pub(crate) fn extra() -> impl Strategy<Value = Extra> {
    let values = vec((prop_oneof![Just("anthropic"), Just("openai_chat")], "[a-c]", json()), 0..4);
    prop_oneof![
        2 => Just(Extra::default()),
        1 => with(values, Extra::default, |extra, values| {
            for (protocol, name, value) in values {
                extra.set(protocol, &name, value);
            }
        }),
    ]
}

fn retention() -> impl Strategy<Value = Retention> {
    prop_oneof![Just(Retention::Default), Just(Retention::Short), Just(Retention::Long)]
}

pub(crate) fn custom() -> impl Strategy<Value = Custom> {
    (word(), word(), json()).prop_map(|(protocol, kind, value)| {
        let shape = serde_json::json!({"protocol": protocol, "kind": kind, "value": value});
        serde_json::from_str(&shape.to_string()).unwrap()
    })
}

fn span() -> impl Strategy<Value = Span> {
    (any::<u64>(), any::<u64>()).prop_map(|(start, end)| Span { start, end })
}

pub(crate) fn citation() -> impl Strategy<Value = Citation> {
    let place = (0..4u8, any::<u64>(), span()).prop_map(|(kind, document, span)| match kind {
        0 => Place::Characters { document, span },
        1 => Place::Pages { document, span },
        2 => Place::Blocks { document, span },
        _ => Place::SearchResult { result: document, span },
    });
    let parts = (word(), of(word()), of(word()), of(word()), of(word()), of(span()), of(place), extra());
    parts.prop_map(|(kind, title, url, file, quote, span, place, extra)| {
        let mut citation = Citation::new(kind);
        (citation.title, citation.url, citation.file, citation.quote) = (title, url, file, quote);
        (citation.span, citation.place, citation.extra) = (span, place, extra);
        citation
    })
}

fn logprob() -> impl Strategy<Value = Logprob> {
    (word(), number(), of(vec(any::<u8>(), 0..3))).prop_map(|(token, logprob, bytes)| {
        let shape = serde_json::json!({"token": token, "logprob": logprob, "bytes": bytes});
        serde_json::from_value(shape).unwrap()
    })
}

pub(crate) fn token_logprob() -> impl Strategy<Value = TokenLogprob> {
    (logprob(), vec(logprob(), 0..2)).prop_map(|(chosen, top)| {
        serde_json::from_value(serde_json::json!({"chosen": chosen, "top": top})).unwrap()
    })
}

pub(crate) fn text() -> impl Strategy<Value = Text> {
    let parts =
        (word(), any::<bool>(), vec(citation(), 0..2), vec(token_logprob(), 0..2), of(retention()), extra());
    with(parts, Text::default, |text, parts| {
        (text.text, text.refusal, text.citations, text.logprobs, text.cache, text.extra) = parts;
    })
}

pub(crate) fn reasoning() -> impl Strategy<Value = Reasoning> {
    with((word(), extra()), Reasoning::default, |reasoning, parts| (reasoning.text, reasoning.extra) = parts)
}

pub(crate) fn data() -> impl Strategy<Value = Data> {
    vec(any::<u8>(), 0..20).prop_map(Data::from)
}

pub(crate) fn media() -> impl Strategy<Value = Media> {
    let source = prop_oneof![
        data().prop_map(Source::Bytes),
        word().prop_map(Source::Url),
        word().prop_map(Source::File)
    ];
    (word(), source, of(word()), of(word()), of(retention()), extra()).prop_map(
        |(mime, source, name, transcript, cache, extra)| {
            let mut media = Media::new(mime, source);
            (media.name, media.transcript, media.cache, media.extra) = (name, transcript, cache, extra);
            media
        },
    )
}

fn kind() -> impl Strategy<Value = ToolKind> {
    prop_oneof![Just(ToolKind::Function), Just(ToolKind::Custom)]
}

pub(crate) fn tool_call() -> impl Strategy<Value = ToolCall> {
    let run_by = prop_oneof![Just(RunBy::Caller), Just(RunBy::Provider)];
    (word(), word(), json(), kind(), run_by, any::<bool>(), of(retention()), extra()).prop_map(
        |(id, name, input, kind, run_by, partial, cache, extra)| {
            let mut call = ToolCall::new(id, name, input);
            (call.kind, call.run_by, call.partial, call.cache, call.extra) =
                (kind, run_by, partial, cache, extra);
            call
        },
    )
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        text().prop_map(Content::Text),
        media().prop_map(Content::Media),
        custom().prop_map(Content::Custom)
    ]
}

pub(crate) fn tool_result() -> impl Strategy<Value = ToolResult> {
    let parts = (word(), word(), vec(content(), 0..3), any::<bool>(), kind(), of(retention()), extra());
    with(parts, ToolResult::default, |result, parts| {
        (
            result.call,
            result.name,
            result.content,
            result.is_error,
            result.kind,
            result.cache,
            result.extra,
        ) = parts;
    })
}

pub(crate) fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        text().prop_map(Input::Text),
        media().prop_map(Input::Media),
        tool_result().prop_map(Input::ToolResult),
        custom().prop_map(Input::Custom),
    ]
}

pub(crate) fn output() -> impl Strategy<Value = Output> {
    prop_oneof![
        text().prop_map(Output::Text),
        reasoning().prop_map(Output::Reasoning),
        media().prop_map(Output::Media),
        tool_call().prop_map(Output::ToolCall),
        tool_result().prop_map(Output::ToolResult),
        custom().prop_map(Output::Custom),
    ]
}

fn assistant() -> impl Strategy<Value = Assistant> {
    let origin = (word(), word(), word())
        .prop_map(|(protocol, provider, model)| Origin::new(protocol, provider, model));
    with((vec(output(), 0..4), of(origin), extra()), Assistant::default, |message, parts| {
        (message.parts, message.origin, message.extra) = parts;
    })
}

pub(crate) fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        with((vec(input(), 0..3), extra()), System::default, |message, parts| (
            message.parts,
            message.extra
        ) = parts)
        .prop_map(Message::System),
        with((vec(input(), 0..3), extra()), User::default, |message, parts| (message.parts, message.extra) =
            parts)
        .prop_map(Message::User),
        assistant().prop_map(Message::Assistant),
    ]
}

fn tool() -> impl Strategy<Value = Tool> {
    let grammar = (word(), word()).prop_map(|(syntax, definition)| Grammar::new(syntax, definition));
    prop_oneof![
        (word(), word(), json(), of(any::<bool>()), of(retention()), extra()).prop_map(
            |(name, description, input, strict, cache, extra)| {
                let mut tool = FunctionTool::new(name, description, input);
                (tool.strict, tool.cache, tool.extra) = (strict, cache, extra);
                Tool::Function(tool)
            }
        ),
        (word(), word(), of(grammar), extra()).prop_map(|(name, description, grammar, extra)| {
            let mut tool = CustomTool::new(name, description, grammar);
            tool.extra = extra;
            Tool::Custom(tool)
        }),
        (word(), word(), json())
            .prop_map(|(protocol, kind, value)| ProviderTool::new(protocol, kind, value).into()),
    ]
}

fn tool_choice() -> impl Strategy<Value = ToolChoice> {
    let mode = prop_oneof![Just(ToolMode::Auto), Just(ToolMode::Required)];
    prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        word().prop_map(ToolChoice::Tool),
        (mode, vec(word(), 0..3)).prop_map(|(mode, names)| ToolChoice::Allowed { mode, names }),
    ]
}

fn format() -> impl Strategy<Value = Format> {
    prop_oneof![
        Just(Format::Text),
        Just(Format::Json),
        (word(), of(word()), json(), of(any::<bool>())).prop_map(|(name, description, schema, strict)| {
            let mut format = SchemaFormat::new(name, schema);
            (format.description, format.strict) = (description, strict);
            Format::Schema(format)
        }),
    ]
}

/// A request with every knob.
pub(crate) fn request() -> impl Strategy<Value = Request> {
    let said =
        (word(), vec(message(), 0..4), vec(tool(), 0..3), of(tool_choice()), of(any::<bool>()), of(format()));
    let sampling =
        (of(number()), of(number()), of(any::<u32>()), of(any::<i64>()), of(number()), of(number()));
    let more =
        (vec(word(), 0..2), of(any::<u8>()), of(any::<u32>()), of(0..Effort::ALL.len()), of(any::<u32>()));
    let rest = (of(any::<bool>()), of(0..3u8), of(retention()), of(word()), of(word()));
    let last = (vec((word(), word()), 0..3), of(word()), extra());
    with(
        (said, sampling, more, rest, last),
        Request::default,
        |request, (said, sampling, more, rest, last)| {
            (
                request.model,
                request.messages,
                request.tools,
                request.tool_choice,
                request.parallel_tool_calls,
                request.format,
            ) = said;
            let knobs = &mut request.sampling;
            (
                knobs.temperature,
                knobs.top_p,
                knobs.top_k,
                knobs.seed,
                knobs.presence_penalty,
                knobs.frequency_penalty,
            ) = sampling;
            let effort;
            (knobs.stop, knobs.logprobs, request.max_output, effort, request.reasoning_budget) = more;
            request.effort = effort.map(|index| Effort::ALL[index]);
            let verbosity;
            (
                request.show_reasoning,
                verbosity,
                request.cache.automatic,
                request.cache.key,
                request.service_tier,
            ) = rest;
            request.verbosity = verbosity
                .map(|index| [Verbosity::Low, Verbosity::Medium, Verbosity::High][usize::from(index)]);
            (request.metadata, request.end_user, request.extra) = last;
        },
    )
}

fn usage() -> impl Strategy<Value = Usage> {
    let figure = || of(any::<u64>());
    let parts = (figure(), figure(), figure(), figure(), figure(), figure(), figure(), figure(), extra());
    with(parts, Usage::default, |usage, parts| {
        (
            usage.input,
            usage.cache_read,
            usage.cache_write,
            usage.cache_write_long,
            usage.input_audio,
            usage.output,
            usage.reasoning,
            usage.output_audio,
            usage.extra,
        ) = parts;
    })
}

fn start() -> impl Strategy<Value = Start> {
    with((of(word()), of(word()), of(any::<u64>()), extra()), Start::default, |start, parts| {
        (start.id, start.model, start.created, start.extra) = parts;
    })
}

fn finish() -> impl Strategy<Value = Finish> {
    use FinishReason as Reason;
    let reasons = [
        Reason::Stop,
        Reason::Length,
        Reason::ToolUse,
        Reason::Filtered,
        Reason::Refused,
        Reason::Paused,
        Reason::Other,
    ];
    (prop::sample::select(reasons.to_vec()), of(word()), of(word()), extra()).prop_map(
        |(reason, raw, stop_sequence, extra)| {
            let mut finish = Finish::new(reason);
            (finish.raw, finish.stop_sequence, finish.extra) = (raw, stop_sequence, extra);
            finish
        },
    )
}

fn warning() -> impl Strategy<Value = Warning> {
    (0..3u8, word(), word()).prop_map(|(kind, setting, detail)| match kind {
        0 => Warning::ignored(setting, detail),
        1 => Warning::adjusted(setting, detail),
        _ => Warning::dropped(setting, detail),
    })
}

pub(crate) fn delta() -> impl Strategy<Value = Delta> {
    let piece = || "[a-zé]{0,60}".prop_map(Piece::from);
    prop_oneof![
        piece().prop_map(Delta::Text),
        piece().prop_map(Delta::Input),
        data().prop_map(Delta::Data),
        citation().prop_map(|citation| Delta::Citation(Box::new(citation))),
        vec(token_logprob(), 0..2).prop_map(Delta::Logprobs),
        extra().prop_map(Delta::extra),
        custom().prop_map(|custom| Delta::Value(Box::new(custom))),
        custom().prop_map(|custom| Delta::Progress(Box::new(custom))),
    ]
}

/// An event, wherever it may stand.
pub(crate) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        start().prop_map(Event::start),
        (0..4u32, output()).prop_map(|(at, part)| Event::open(at, part)),
        (0..4u32, delta()).prop_map(|(at, delta)| Event::delta(at, delta)),
        (0..4u32).prop_map(Event::close),
        usage().prop_map(Event::usage),
        warning().prop_map(Event::warning),
        custom().prop_map(Event::other),
        finish().prop_map(Event::finish),
        (of(word()), word()).prop_map(|(name, data)| Event::raw(Frame::new(name.as_deref(), data))),
    ]
}

/// An answer, as some events make it, in whatever order.
pub(crate) fn response() -> impl Strategy<Value = Response> {
    vec(event(), 0..12).prop_map(|events| {
        let mut fold = Fold::new();
        for event in &events {
            fold.push(event);
        }
        fold.response()
    })
}

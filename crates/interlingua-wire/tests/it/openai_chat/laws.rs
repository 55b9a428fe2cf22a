//! Laws that hold for everything that the protocol can say.

use interlingua_model::{
    Cache, Citation, Custom, CustomTool, Delta, Effort, Event, Extra, Finish, FinishReason, Format,
    FunctionTool, Grammar, Input, Json, Logprob, Media, Message, Output, Reasoning, Request, Retention,
    SchemaFormat, Span, Start, System, Text, TokenLogprob, Tool, ToolCall, ToolChoice, ToolKind, ToolMode,
    ToolResult, Usage, User, Verbosity,
};
use interlingua_wire::Mode;
use interlingua_wire::openai_chat::{CacheMarks, Dialect, OpenaiChat, ReasoningEcho};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::check::{decode, round_trip};
use crate::laws::{self, fold, name, words};

/// A dialect that can say everything.
fn eloquent() -> OpenaiChat {
    let mut dialect = Dialect::openai();
    dialect.top_k = true;
    dialect.video = true;
    dialect.tool_result_name = true;
    dialect.reasoning_echo = ReasoningEcho::AsReceived;
    dialect.cache_marks = CacheMarks::Breakpoint;
    OpenaiChat::new(dialect)
}

fn extra(field: &'static str) -> impl Strategy<Value = Extra> {
    laws::extra("openai_chat", field)
}

fn retention() -> impl Strategy<Value = Option<Retention>> {
    of(prop_oneof![Just(Retention::Default), Just(Retention::Short), Just(Retention::Long)])
}

fn text() -> impl Strategy<Value = Text> {
    (words(), retention(), extra("note")).prop_map(|(words, cache, extra)| {
        let mut text = Text::new(words);
        text.cache = cache;
        text.extra = extra;
        text
    })
}

fn media() -> impl Strategy<Value = Media> {
    let bytes = vec(any::<u8>(), 0..20);
    let media = prop_oneof![
        bytes.clone().prop_map(|bytes| Media::bytes("image/png", bytes)),
        "https://[a-z]{1,9}/x".prop_map(|url| Media::url("image/*", url)),
        bytes.clone().prop_map(|bytes| Media::bytes("audio/mpeg", bytes)),
        bytes.clone().prop_map(|bytes| Media::bytes("audio/wav", bytes)),
        (bytes, name()).prop_map(|(bytes, name)| Media::bytes("application/pdf", bytes).named(name)),
        name().prop_map(|id| Media::file("application/*", id)),
        "https://[a-z]{1,9}/v".prop_map(|url| Media::url("video/*", url)),
    ];
    (media, retention()).prop_map(|(mut media, cache)| {
        media.cache = cache;
        media
    })
}

fn custom() -> impl Strategy<Value = Custom> {
    name().prop_map(|kind| {
        let kind = format!("x_{kind}");
        let value = Json::from_text(format!(r#"{{"type": "{kind}", "x": [1]}}"#));
        Custom::new("openai_chat", kind, value)
    })
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        3 => text().prop_map(Input::Text),
        2 => media().prop_map(Input::Media),
        1 => custom().prop_map(Input::Custom),
    ]
}

fn reasoning() -> impl Strategy<Value = Reasoning> {
    (words(), 0..4_u8).prop_map(|(words, way)| {
        let mut reasoning = Reasoning::new(words);
        match way {
            1 => reasoning.extra.set("openai_chat", "field", Json::string("reasoning")),
            2 => {
                reasoning.extra.set("openai_chat", "field", Json::string("thinking"));
                reasoning.extra.set("openai_chat", "signature", Json::string("c2ln"));
            }
            3 => {
                let details = format!(
                    r#"[{{"type":"reasoning.text","text":{},"signature":"c2ln","index":0}}]"#,
                    Json::string(&reasoning.text)
                );
                reasoning.extra.set("openai_chat", "reasoning_details", Json::from_text(details));
            }
            _ => {}
        }
        reasoning
    })
}

/// What an assistant says, and the calls in it, whose ids are made unique by `turn`.
fn assistant(turn: usize) -> impl Strategy<Value = (Vec<Output>, Vec<ToolCall>)> {
    let calls = vec((name(), laws::input(), any::<bool>(), extra("extra_content")), 0..3);
    (of(reasoning()), of(words()), of(words()), calls).prop_map(move |(reasoning, said, refusal, calls)| {
        let mut parts: Vec<Output> = reasoning.map(Output::Reasoning).into_iter().collect();
        parts.extend(said.map(|said| Output::Text(Text::new(said))));
        parts.extend(refusal.map(|refusal| Output::Text(Text::refusal(refusal))));
        let calls: Vec<ToolCall> = calls
            .into_iter()
            .enumerate()
            .map(|(at, (name, input, custom, extra))| {
                let mut call = ToolCall::new(format!("call_{turn}_{at}"), name, input);
                call.kind = if custom { ToolKind::Custom } else { ToolKind::Function };
                call.extra = extra;
                call
            })
            .collect();
        parts.extend(calls.iter().cloned().map(Output::ToolCall));
        (parts, calls)
    })
}

/// A user's message, an answer, and the results of its calls.
fn turn(turn: usize) -> impl Strategy<Value = Vec<Message>> {
    (vec(input(), 1..4), assistant(turn), words(), extra("name")).prop_map(
        |(parts, (said, calls), result, extra)| {
            let mut user = User::new(parts);
            user.extra = extra;
            let mut messages = vec![Message::User(user), interlingua_model::Assistant::new(said).into()];
            if !calls.is_empty() {
                let results = calls.into_iter().map(|call| {
                    let mut answer = ToolResult::new(call.id, call.name, result.clone());
                    answer.kind = call.kind;
                    answer
                });
                messages.push(Message::tool_results(results));
            }
            messages
        },
    )
}

fn tool() -> impl Strategy<Value = Tool> {
    prop_oneof![
        (name(), words(), of(any::<bool>()), extra("function.note")).prop_map(
            |(name, words, strict, extra)| {
                let mut tool =
                    FunctionTool::new(name, words, Json::from_text(r#"{"type":"object","properties":{}}"#));
                tool.strict = strict;
                tool.extra = extra;
                Tool::Function(tool)
            }
        ),
        (name(), of(words())).prop_map(|(name, grammar)| {
            Tool::Custom(CustomTool::new(name, "x", grammar.map(|words| Grammar::new("lark", words))))
        }),
    ]
}

fn tool_choice() -> impl Strategy<Value = ToolChoice> {
    prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        name().prop_map(ToolChoice::Tool),
        vec(name(), 1..3).prop_map(|names| ToolChoice::Allowed { mode: ToolMode::Required, names }),
        vec(name(), 1..3).prop_map(|names| ToolChoice::Allowed { mode: ToolMode::Auto, names }),
    ]
}

fn format() -> impl Strategy<Value = Format> {
    prop_oneof![
        Just(Format::Text),
        Just(Format::Json),
        (name(), of(any::<bool>())).prop_map(|(name, strict)| {
            let mut schema = SchemaFormat::new(name, Json::from_text(r#"{"type": "object"}"#));
            schema.strict = strict;
            Format::Schema(schema)
        }),
    ]
}

fn knobs() -> impl Strategy<Value = Request> {
    let sampling =
        (of(0.0..2.0), of(0.0..1.0), of(1..99_u32), of(any::<i64>()), vec(name(), 0..4), of(0..20_u8));
    let output = (of(1..9999_u32), of(0..Effort::ALL.len()), of(format()), of(0..3_u8));
    let service = (of(name()), vec((name(), words()), 0..3), of(name()), of(name()), of(any::<bool>()));
    (vec(tool(), 0..3), of(tool_choice()), of(any::<bool>()), sampling, output, service).prop_map(
        |(tools, choice, parallel, sampling, output, service)| {
            let mut request = Request::new("model-1");
            if !tools.is_empty() {
                request.tool_choice = choice;
                request.parallel_tool_calls = parallel;
            }
            request.tools = tools;
            let knobs = &mut request.sampling;
            (knobs.temperature, knobs.top_p, knobs.top_k, knobs.seed, knobs.stop, knobs.logprobs) = sampling;
            let (max_output, effort, format, verbosity) = output;
            (request.max_output, request.format) = (max_output, format);
            request.effort = effort.map(|level| Effort::ALL[level]);
            let levels = [Verbosity::Low, Verbosity::Medium, Verbosity::High];
            request.verbosity = verbosity.map(|level| levels[usize::from(level)]);
            let (tier, mut metadata, user, key, implicit) = service;
            metadata.sort();
            metadata.dedup_by(|a, b| a.0 == b.0);
            (request.service_tier, request.metadata, request.end_user) = (tier, metadata, user);
            let mut cache = Cache::default();
            cache.key = key;
            cache.automatic = implicit.map(|short| if short { Retention::Short } else { Retention::Default });
            request.cache = cache;
            request
        },
    )
}

fn request() -> impl Strategy<Value = Request> {
    (knobs(), of(vec(text(), 1..3)), turn(0), of(turn(1)), extra("n")).prop_map(
        |(mut request, system, first, second, extra)| {
            let system = system.map(|parts| System::new(parts.into_iter().map(Input::Text).collect()).into());
            request.messages = system.into_iter().chain(first).chain(second.into_iter().flatten()).collect();
            request.extra = extra;
            request
        },
    )
}

/// The events of an answer: what the client half would make of what a service says.
fn answer() -> impl Strategy<Value = Vec<Event>> {
    let counts = (of(0..999_u64), of(0..999_u64), of(0..99_u64), of(0..99_u64));
    let start = (of("[a-zA-Z0-9-]{1,20}"), of(1..1_900_000_000_u64), extra("system_fingerprint"));
    (start, assistant(0), counts, 0..3_u8, extra("timings"), any::<bool>()).prop_map(
        |((id, created, extra), (mut parts, calls), counts, finish, end, cited)| {
            let mut start =
                Start::new(Some(id.unwrap_or_else(|| "chatcmpl-1".into())), Some("model-1".into()));
            (start.created, start.extra) = (Some(created.unwrap_or(1)), extra);
            // Between text and refusal there is nothing to tell two texts apart.
            parts.retain(|part| !matches!(part, Output::Text(text) if text.refusal));
            let mut events = vec![Event::start(start)];
            for (at, part) in (0..).zip(parts) {
                events.extend(pieces(at, part, cited));
            }
            let (input, output, cached, reasoning) = counts;
            let mut usage = Usage::default();
            (usage.cache_read, usage.reasoning) = (cached, reasoning);
            if !usage.is_empty() || input.is_some() || output.is_some() {
                (usage.input, usage.output) = (Some(input.unwrap_or(0)), Some(output.unwrap_or(0)));
                events.push(Event::usage(usage));
            }
            let (reason, raw) = match finish {
                0 => (FinishReason::Length, "length"),
                1 => (FinishReason::Filtered, "content_filter"),
                _ if calls.is_empty() => (FinishReason::Stop, "stop"),
                _ => (FinishReason::ToolUse, "tool_calls"),
            };
            let mut finish = Finish::new(reason).with_raw(raw);
            finish.extra = end;
            events.push(Event::finish(finish));
            events
        },
    )
}

/// A part as a stream tells it.
fn pieces(at: u32, part: Output, cited: bool) -> Vec<Event> {
    let mut events = Vec::new();
    match part {
        Output::Text(text) => {
            events.push(Event::open(at, Output::Text(Text::default())));
            let middle = text.text.char_indices().nth(3).map_or(0, |(at, _)| at);
            for piece in [&text.text[..middle], &text.text[middle..]] {
                if !piece.is_empty() {
                    events.push(Event::delta(at, Delta::text(piece)));
                }
            }
            if cited {
                let mut citation = Citation::new("url_citation");
                citation.url = Some("https://a.example".into());
                citation.span = Some(Span { start: 0, end: 3 });
                events.push(Event::delta(at, Delta::Citation(Box::new(citation))));
                let token =
                    TokenLogprob::new(Logprob::new("a", -0.5, None), vec![Logprob::new("b", -1.0, None)]);
                events.push(Event::delta(at, Delta::Logprobs(vec![token])));
            }
        }
        Output::Reasoning(mut reasoning) => {
            let words = std::mem::take(&mut reasoning.text);
            let sealed = std::mem::take(&mut reasoning.extra);
            let field = sealed.get("openai_chat", "field").cloned();
            if let Some(field) = field {
                reasoning.extra.set("openai_chat", "field", field);
            }
            events.push(Event::open(at, Output::Reasoning(reasoning)));
            events.push(Event::delta(at, Delta::text(words)));
            for seal in ["signature", "reasoning_details"] {
                if let Some(value) = sealed.get("openai_chat", seal) {
                    let extra = Extra::of("openai_chat", seal, value.clone());
                    events.push(Event::delta(at, Delta::extra(extra)));
                }
            }
        }
        Output::ToolCall(mut call) => {
            let input = std::mem::replace(&mut call.input, Json::from_text(""));
            events.push(Event::open(at, Output::ToolCall(call)));
            events.push(Event::delta(at, Delta::input(input.as_str())));
        }
        other => events.push(Event::open(at, other)),
    }
    events.push(Event::close(at));
    events
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    /// L4: a request that the protocol can express comes back as it was, and nothing is said to be lost.
    #[test]
    fn requests_come_back(request in request(), stream in any::<bool>()) {
        laws::a_request_comes_back(&eloquent(), &request, stream);
    }

    /// L7: the body of a longer conversation begins with the bytes of the shorter one.
    #[test]
    fn bodies_grow_at_their_end(request in request(), more in turn(9)) {
        let mut longer = request.clone();
        longer.messages.extend(more);
        laws::a_body_grows_at_its_end(&eloquent(), &request, &longer);
    }

    /// L3 and L8: an answer comes back the same, streamed and whole.
    #[test]
    fn answers_come_back(events in answer()) {
        laws::an_answer_comes_back(&eloquent(), &events);
    }

    /// L5: what seals an answer goes back byte for byte.
    #[test]
    fn seals_go_back(events in answer()) {
        let chat = eloquent();
        let message = fold(&events).message;
        let request = Request::new("model-1").message(message.clone());
        let back = round_trip(&chat, &request, Mode::Whole);
        let [Message::Assistant(back)] = back.messages.as_slice() else { panic!("{back:?}") };
        let seals = |parts: &[Output]| -> Vec<Extra> {
            parts.iter().filter_map(|part| match part {
                Output::Reasoning(reasoning) => Some(reasoning.extra.clone()),
                Output::ToolCall(call) => Some(call.extra.clone()),
                _ => None,
            }).collect()
        };
        prop_assert_eq!(seals(&back.parts), seals(&message.parts));
    }

    /// L1: any cuts of the bytes of a stream give the same events.
    #[test]
    fn cuts_do_not_matter(events in answer(), cuts in vec(any::<Index>(), 0..9)) {
        laws::a_split_does_not_matter(&eloquent(), &laws::bytes(&eloquent(), &events, Mode::Stream), &cuts);
    }

    /// L6: any bytes give events or an error.
    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..300), stream in any::<bool>()) {
        laws::any_bytes_are_survived(&eloquent(), &bytes, stream);
    }

    /// L6: so does any JSON that looks like a chunk.
    #[test]
    fn any_chunks_are_survived(chunks in vec(chunk(), 0..6), whole in any::<bool>()) {
        let mut bytes = Vec::new();
        for chunk in &chunks {
            bytes.extend_from_slice(format!("data: {chunk}\n\n").as_bytes());
        }
        let chat = OpenaiChat::default();
        decode(&chat, Mode::Stream, &bytes, &[]);
        if let (true, Some(chunk)) = (whole, chunks.first()) {
            decode(&chat, Mode::Whole, chunk.to_string().as_bytes(), &[]);
        }
    }
}

/// Chunks of known fields with values of any shape.
fn chunk() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::json!(null)),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        "[a-z ]{0,5}".prop_map(serde_json::Value::from),
        Just(serde_json::json!("stop")),
    ];
    laws::shapes(
        leaf,
        &[
            "choices",
            "delta",
            "message",
            "content",
            "tool_calls",
            "index",
            "id",
            "function",
            "name",
            "arguments",
            "type",
            "reasoning",
            "reasoning_details",
            "thinking",
            "text",
            "usage",
            "prompt_tokens",
            "prompt_tokens_details",
            "finish_reason",
            "audio",
            "annotations",
            "logprobs",
            "error",
            "image_url",
            "images",
            "x_groq",
            "base_resp",
        ],
    )
}

//! What the codec promises, for whatever is said.

use interlingua_model::{
    Assistant, Citation, Content, Custom, Delta, Effort, Event, Extra, Finish, FinishReason, Format,
    FunctionTool, Input, Json, Logprob, Media, Message, Output, ProviderTool, Reasoning, Request, RunBy,
    SchemaFormat, Span, Start, System, Text, TokenLogprob, ToolCall, ToolChoice, ToolMode, ToolResult, Usage,
    User,
};
use interlingua_wire::{Codec, Mode};
use proptest::prelude::*;
use proptest::sample::Index;

use super::{PROTOCOL, codec, lossless};
use crate::{check, laws};

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Z ,.\n\"\\\\]{1,24}",
        1 => "[à-ÿ日本🌍\u{1}\t]{1,8}",
    ]
}

fn seal() -> impl Strategy<Value = Extra> {
    "[a-zA-Z0-9+/]{4,12}".prop_map(|seal| Extra::of(PROTOCOL, "thoughtSignature", Json::string(&seal)))
}

fn perhaps_sealed() -> impl Strategy<Value = Extra> {
    prop_oneof![2 => Just(Extra::default()), 1 => seal()]
}

fn object() -> impl Strategy<Value = Json> {
    words().prop_map(|text| Json::from(serde_json::json!({ "z": text, "a": [1, null] })))
}

fn text() -> impl Strategy<Value = Text> {
    (words(), perhaps_sealed()).prop_map(|(words, extra)| {
        let mut text = Text::new(words);
        text.extra = extra;
        text
    })
}

fn reasoning() -> impl Strategy<Value = Reasoning> {
    let sealed = seal().prop_map(|mut extra| {
        extra.set(PROTOCOL, "thought", Json::from_text("false"));
        let mut reasoning = Reasoning::default();
        reasoning.extra = extra;
        reasoning
    });
    let readable = (words(), perhaps_sealed()).prop_map(|(text, extra)| {
        let mut reasoning = Reasoning::new(text);
        reasoning.extra = extra;
        reasoning
    });
    prop_oneof![readable, sealed]
}

fn call() -> impl Strategy<Value = ToolCall> {
    ("[a-z0-9]{6}", "[a-z_]{3,8}", prop_oneof![object(), Just(Json::from_text(""))], perhaps_sealed())
        .prop_map(|(id, name, input, extra)| {
            let mut call = ToolCall::new(id, name, input);
            call.extra = extra;
            call
        })
}

/// Code with its result, or a search with its result.
fn run() -> impl Strategy<Value = Vec<Output>> {
    (words(), any::<bool>(), any::<bool>()).prop_map(|(words, is_code, fails)| {
        let (call_kind, result_kind, name) = if is_code {
            ("executableCode", "codeExecutionResult", "code_execution")
        } else {
            ("toolCall", "toolResponse", "GOOGLE_SEARCH_WEB")
        };
        let input = if is_code {
            serde_json::json!({ "language": "PYTHON", "code": words })
        } else {
            serde_json::json!({ "queries": [words] })
        };
        let mut call = ToolCall::new("x1", name, Json::from(input));
        call.run_by = RunBy::Provider;
        call.extra.set(PROTOCOL, "part", Json::string(call_kind));
        let mut result = ToolResult::new("x1", name, "");
        result.extra.set(PROTOCOL, "part", Json::string(result_kind));
        if is_code {
            result.is_error = fails;
            result.content = vec![Content::Text(Text::new(words))];
            let outcome = if fails { "OUTCOME_DEADLINE_EXCEEDED" } else { "OUTCOME_OK" };
            let inner = Json::from(serde_json::json!({ "outcome": outcome }));
            result.extra.set(PROTOCOL, "codeExecutionResult", inner);
        } else {
            let found = Json::from(serde_json::json!({ "found": words }));
            result.content = vec![Content::Custom(Custom::new(PROTOCOL, "toolResponse", found))];
        }
        vec![Output::ToolCall(call), Output::ToolResult(result)]
    })
}

fn item() -> impl Strategy<Value = Vec<Output>> {
    prop_oneof![
        3 => text().prop_map(|text| vec![Output::Text(text)]),
        2 => reasoning().prop_map(|reasoning| vec![Output::Reasoning(reasoning)]),
        2 => call().prop_map(|call| vec![Output::ToolCall(call)]),
        1 => run(),
        1 => (words(), perhaps_sealed()).prop_map(|(bytes, extra)| {
            let mut media = Media::bytes("image/png", bytes.into_bytes());
            media.extra = extra;
            vec![Output::Media(media)]
        }),
        1 => words().prop_map(|text| {
            let value = Json::from(serde_json::json!({ "hologram": text }));
            vec![Output::Custom(Custom::new(PROTOCOL, "", value))]
        }),
    ]
}

/// The parts of an answer. Bare texts that follow each other are one on this wire, so there are none.
fn parts() -> impl Strategy<Value = Vec<Output>> {
    prop::collection::vec(item(), 0..6).prop_map(|items| {
        let mut parts: Vec<Output> = Vec::new();
        for part in items.into_iter().flatten() {
            let is_bare = |part: &Output| match part {
                Output::Text(text) => Some(text.extra.is_empty()),
                Output::Reasoning(reasoning) => Some(reasoning.extra.is_empty()),
                _ => None,
            };
            let is_joined = parts.last().is_some_and(|last| {
                std::mem::discriminant(last) == std::mem::discriminant(&part)
                    && is_bare(last) == Some(true)
                    && is_bare(&part) == Some(true)
            });
            if !is_joined {
                parts.push(part);
            }
        }
        parts
    })
}

fn usage() -> impl Strategy<Value = Usage> {
    (0..9_000_u64, 0..9_000_u64, prop::option::of(0..100_u64)).prop_map(|(input, output, tools)| {
        let mut usage = Usage::default();
        usage.input = Some(input + tools.unwrap_or(0));
        usage.output = Some(output);
        usage.cache_read = Some(input / 2);
        usage.reasoning = Some(output / 3);
        if let Some(tools) = tools {
            usage.extra.set(PROTOCOL, "toolUsePromptTokenCount", Json::from(serde_json::json!(tools)));
        }
        usage
    })
}

fn finish(parts: &[Output], cut: bool) -> Finish {
    let calls = parts.iter().any(|part| matches!(part, Output::ToolCall(call) if call.run_by.is_caller()));
    let mut finish = match (cut, calls) {
        (true, _) => Finish::new(FinishReason::Length).with_raw("MAX_TOKENS"),
        (_, true) => Finish::new(FinishReason::ToolUse).with_raw("STOP"),
        _ => Finish::new(FinishReason::Stop).with_raw("STOP"),
    };
    finish.extra.set(PROTOCOL, "finishMessage", Json::string("done"));
    finish
}

/// The events by which a provider would stream these parts.
fn events(parts: &[Output], usage: &Usage, cut: bool) -> Vec<Event> {
    let mut start = Start::new(Some("r1".to_owned()), Some("gemini-test-1".to_owned()));
    start.extra.set(PROTOCOL, "zone", Json::string("z"));
    let mut events = vec![Event::start(start)];
    for (at, part) in (0..).zip(parts) {
        stream(at, part, &mut events);
    }
    events.push(Event::usage(usage.clone()));
    events.push(Event::finish(finish(parts, cut)));
    events
}

fn stream(at: u32, part: &Output, events: &mut Vec<Event>) {
    let mut begun = part.clone();
    let mut deltas = Vec::new();
    let mut pieces = |text: &str, delta: &dyn Fn(&str) -> Delta| deltas.extend(laws::in_pieces(text, delta));
    match &mut begun {
        Output::Text(text) => pieces(&std::mem::take(&mut text.text), &|text| Delta::text(text)),
        Output::Reasoning(reasoning) => {
            pieces(&std::mem::take(&mut reasoning.text), &|text| Delta::text(text));
        }
        Output::ToolCall(call) => {
            pieces(call.input.as_str(), &|text| Delta::input(text));
            call.input = Json::from_text("");
        }
        _ => {}
    }
    events.push(Event::open(at, begun));
    events.extend(deltas.into_iter().map(|delta| Event::delta(at, delta)));
    events.push(Event::close(at));
}

fn sent(parts: &[Output], usage: &Usage) -> Vec<u8> {
    laws::bytes(&codec(), &events(parts, usage, false), Mode::Stream)
}

/// A turn of the user, an answer, and the results of its calls.
fn turn() -> impl Strategy<Value = Vec<Message>> {
    let media = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..9)
            .prop_map(|bytes| Media::bytes("image/png", bytes).named("a.png")),
        Just(Media::url("video/mp4", "https://example.org/a.mp4")),
        Just(Media::url("application/*", "gs://bucket/a")),
        Just(Media::file("application/pdf", "files/abc")),
    ];
    let said = prop_oneof![text().prop_map(Input::Text), media.prop_map(Input::Media)];
    let answer = (prop::collection::vec(said, 1..4), parts(), words(), 0..4_u8);
    answer.prop_map(|(said, mut parts, result, kind)| {
        let mut results = Vec::new();
        for (number, part) in parts.iter_mut().enumerate() {
            let Output::ToolCall(call) = part else { continue };
            if !call.run_by.is_caller() {
                continue;
            }
            call.id = format!("call_{number}");
            results.push(match kind {
                0 => ToolResult::error(&*call.id, &*call.name, &*result),
                1 => ToolResult::new(&*call.id, &*call.name, r#"{"degrees": 18}"#),
                2 => {
                    let mut result = ToolResult::new(&*call.id, &*call.name, &*result);
                    result.content.push(Media::bytes("image/png", vec![9]).into());
                    result
                }
                _ => ToolResult::new(&*call.id, &*call.name, &*result),
            });
        }
        let mut messages = vec![Message::User(User::new(said))];
        if !parts.is_empty() {
            messages.push(Assistant::new(parts).into());
        }
        if !results.is_empty() {
            messages.push(Message::tool_results(results));
        }
        messages
    })
}

/// Makes ids unique in the conversation.
fn renumber(message: &mut Message, turn: usize) {
    match message {
        Message::Assistant(said) => {
            for part in &mut said.parts {
                if let Output::ToolCall(call) = part {
                    call.id = format!("{}_{turn}", call.id);
                } else if let Output::ToolResult(result) = part {
                    result.call = format!("{}_{turn}", result.call);
                }
            }
        }
        Message::User(user) => {
            for part in &mut user.parts {
                if let Input::ToolResult(result) = part {
                    result.call = format!("{}_{turn}", result.call);
                }
            }
        }
        _ => {}
    }
}

type Knobs = (Option<u32>, Option<f64>, Option<Effort>, Option<u32>, bool, usize);

fn request() -> impl Strategy<Value = Request> {
    let knobs = (
        prop::option::of(1..9_000_u32),
        prop::option::of(0.0..2.0_f64),
        prop::option::of(prop::sample::select(Effort::ALL.to_vec())),
        prop::option::of(1..9_000_u32),
        any::<bool>(),
        0..7_usize,
    );
    (prop::collection::vec(turn(), 1..4), knobs, any::<bool>()).prop_map(|(turns, knobs, system)| {
        let mut request = Request::new("gemini-test-1");
        if system {
            let more = vec!["Be brief.".into(), "More.".into()];
            request = request.message(System::new(more));
        }
        for (number, mut turn) in turns.into_iter().enumerate() {
            for message in &mut turn {
                renumber(message, number);
            }
            request.messages.extend(turn);
        }
        set_knobs(&mut request, knobs);
        request
    })
}

fn set_knobs(request: &mut Request, (max_output, temperature, effort, budget, flag, choice): Knobs) {
    let schema = r#"{"type":"object","properties":{"b":{"type":"string"},"a":{}},"required":["b"]}"#;
    let schema = Json::from_text(schema);
    request.max_output = max_output;
    request.sampling.temperature = temperature;
    request.effort = effort;
    request.reasoning_budget = budget.filter(|_| effort.is_none());
    request.show_reasoning = flag.then_some(true);
    if flag {
        request.sampling.stop = vec!["END".to_owned()];
        request.sampling.seed = Some(-7);
        request.sampling.top_k = Some(40);
        request.sampling.logprobs = Some(3);
        request.metadata = vec![("team".to_owned(), "a".to_owned())];
        request.service_tier = Some("flex".to_owned());
        let more = Json::from_text(r#"{"responseModalities":["TEXT"],"imageConfig":{"aspectRatio":"1:1"}}"#);
        request.extra.set(PROTOCOL, "generationConfig", more);
        request.extra.set(PROTOCOL, "cachedContent", Json::string("cachedContents/1"));
        request.format = Some(Format::Schema(SchemaFormat::new("output", schema.clone())));
    }
    let search = Json::from_text(r#"{"googleSearch":{}}"#);
    request.tools.push(FunctionTool::new("see", "Looks", schema).into());
    request.tools.push(FunctionTool::new("now", "", Json::from_text("")).into());
    request.tools.push(ProviderTool::new(PROTOCOL, "googleSearch", search).into());
    let names = vec!["see".to_owned(), "now".to_owned()];
    let choices = [
        Some(ToolChoice::Auto),
        Some(ToolChoice::None),
        Some(ToolChoice::Required),
        Some(ToolChoice::Tool("see".to_owned())),
        Some(ToolChoice::Allowed { mode: ToolMode::Required, names: names.clone() }),
        Some(ToolChoice::Allowed { mode: ToolMode::Auto, names }),
    ];
    request.tool_choice = choices.into_iter().nth(choice).flatten();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// L3 and L8: what goes out through the server half comes back through the client half, in either mode.
    #[test]
    fn answers_come_back(parts in parts(), usage in usage(), cut in any::<bool>()) {
        // A call that ends a cut answer is partial on the way in, and cannot be told from a whole one on this wire.
        let cut = cut && !matches!(parts.last(), Some(Output::ToolCall(_)));
        laws::an_answer_comes_back(&codec(), &events(&parts, &usage, cut));
    }

    /// A stream that is one list says the same.
    #[test]
    fn lists_say_the_same(parts in parts(), usage in usage()) {
        let events = events(&parts, &usage, false);
        let mut asked = Request::new("m");
        asked.extra.set(PROTOCOL, "alt", Json::string("json"));
        let listed = check::events_round_trip(&codec(), &asked, Mode::Stream, &events);
        let framed = check::events_round_trip(&codec(), &Request::new("m"), Mode::Stream, &events);
        prop_assert_eq!(listed.events, framed.events);
    }

    /// L1 and L2: any split of the bytes decodes the same, and obeys the grammar.
    #[test]
    fn any_split_decodes_the_same(parts in parts(), usage in usage(), cuts in prop::collection::vec(any::<Index>(), 0..12)) {
        laws::a_split_does_not_matter(&codec(), &sent(&parts, &usage), &cuts);
    }

    /// L4 and L7: a request goes out and comes back without a warning.
    #[test]
    fn requests_come_back(request in request(), stream in any::<bool>()) {
        laws::a_request_comes_back(&lossless(), &request, stream);
    }

    /// L5: what is sealed goes back byte for byte, on the part on which it stood.
    #[test]
    fn seals_go_back_as_they_came(parts in parts(), usage in usage()) {
        let answered = check::events_round_trip(&codec(), &Request::new("m"), Mode::Stream, &events(&parts, &usage, false));
        let seals = |parts: &[Output]| -> Vec<String> {
            let request = Request::new("m").message(Assistant::new(parts.to_vec()));
            let body = codec().encode(&request, Mode::Whole).unwrap().call.body;
            let body = String::from_utf8(body.to_vec()).unwrap();
            body.split("\"thoughtSignature\":").skip(1).map(|rest| rest.split('}').next().unwrap().to_owned()).collect()
        };
        prop_assert_eq!(seals(&answered.response.message.parts), seals(&parts));
    }

    /// L7: the body of a longer conversation begins with the bytes of the shorter one.
    #[test]
    fn longer_conversations_keep_their_prefix(request in request(), more in words()) {
        let longer = request.clone().message(Message::assistant("And?")).user(more);
        laws::a_body_grows_at_its_end(&codec(), &request, &longer);
    }

    /// L6: any bytes give events or an error.
    #[test]
    fn broken_streams_do_no_harm(
        parts in parts(), usage in usage(), breaks in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        laws::broken_bytes_do_no_harm(&codec(), &events(&parts, &usage, false), "/models/m:generateContent", &breaks);
    }

    /// A stream that was cut before its last event is an error.
    #[test]
    fn a_cut_stream_is_no_answer(parts in parts(), usage in usage(), at in any::<Index>()) {
        let mut bytes = sent(&parts, &usage);
        let text = String::from_utf8(bytes.clone()).unwrap();
        let last = text.trim_end().rfind("data: ").unwrap();
        bytes.truncate(at.index(last.max(1)));
        prop_assert!(check::decode(&codec(), Mode::Stream, &bytes, &[]).error.is_some());
    }

    /// L6: so do events in any order.
    #[test]
    fn shuffled_events_do_no_harm(parts in parts(), usage in usage(), order in prop::collection::vec(any::<Index>(), 1..40)) {
        laws::shuffled_frames_do_no_harm(&codec(), &sent(&parts, &usage), "\r\n\r\n", &order);
    }

    #[test]
    fn overlapping_parts_are_written_one_after_another(texts in prop::collection::vec(words(), 2..4)) {
        laws::overlapping_parts_are_told_apart(&codec(), &texts);
    }

    /// Sources and probabilities come back, those of other protocols as what the answer was grounded in.
    #[test]
    fn sources_come_back(said in "[a-zà-ÿ世]{4,12}", title in words(), start in 0..3_u64) {
        let span = Some(Span { start, end: start + 1 });
        let mut recited = Citation::new("citation");
        (recited.url, recited.span) = (Some("https://a.example".to_owned()), span);
        let mut foreign = Citation::new("url_citation");
        (foreign.url, foreign.title, foreign.span) = (Some("https://b.example".to_owned()), Some(title.clone()), span);
        let token = TokenLogprob::new(Logprob::new(&*said, -0.5, None), vec![Logprob::new("x", -2.0, None)]);
        let events = vec![
            Event::start(Start::default()),
            Event::open(0, Output::Text(Text::default())),
            Event::delta(0, Delta::text(&*said)),
            Event::delta(0, Delta::Citation(Box::new(recited.clone()))),
            Event::delta(0, Delta::Citation(Box::new(foreign.clone()))),
            Event::delta(0, Delta::Logprobs(vec![token.clone()])),
            Event::close(0),
            Event::finish(Finish::new(FinishReason::Stop)),
        ];
        let mut grounded = foreign;
        grounded.kind = "grounding".to_owned();
        for mode in [Mode::Stream, Mode::Whole] {
            let back = check::events_round_trip(&codec(), &Request::new("m"), mode, &events);
            let [Output::Text(text)] = back.response.message.parts.as_slice() else { panic!("{back:?}") };
            prop_assert_eq!(&text.citations, &vec![recited.clone(), grounded.clone()]);
            prop_assert_eq!(&text.logprobs, &vec![token.clone()]);
        }
    }
}

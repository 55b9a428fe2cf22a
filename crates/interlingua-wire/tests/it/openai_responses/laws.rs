//! What the codec promises, for whatever is said.

use interlingua_model::{
    Assistant, Citation, Custom, Delta, Effort, Event, Extra, Finish, FinishReason, Format, FunctionTool,
    Json, Logprob, Media, Message, Output, Reasoning, Request, Retention, SchemaFormat, Span, Start, System,
    Text, TokenLogprob, Tool, ToolCall, ToolChoice, ToolKind, ToolMode, ToolResult, Usage, User, Verbosity,
};
use interlingua_wire::{Codec, Mode};
use proptest::prelude::*;
use proptest::sample::Index;

use super::codec;
use crate::laws;

const P: &str = "openai_responses";

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Z ,.\n\"\\\\]{1,24}",
        1 => "[à-ÿ日本🌍\u{1}\t]{1,8}",
    ]
}

fn object() -> impl Strategy<Value = Json> {
    words().prop_map(|text| Json::from(serde_json::json!({ "z": text, "a": [1, null] })))
}

fn sealed(extra: &mut Extra, fields: &[(&str, Option<String>)]) {
    for (name, value) in fields {
        if let Some(value) = value {
            extra.set(P, name, Json::string(value));
        }
    }
}

/// One item of output as parts, whose ids the caller completes.
fn item() -> impl Strategy<Value = Vec<Output>> {
    prop_oneof![message(), reasoning(), call(), hosted(), other()]
}

fn message() -> impl Strategy<Value = Vec<Output>> {
    let phase = proptest::option::of(Just("commentary".to_owned()));
    let part = (words(), any::<bool>(), proptest::option::of(words()), any::<bool>());
    (phase, proptest::collection::vec(part, 1..3)).prop_map(|(phase, parts)| {
        let text = |(words, refusal, title, probable): (String, bool, Option<String>, bool)| {
            let mut text = if refusal { Text::refusal(&*words) } else { Text::new(&*words) };
            sealed(&mut text.extra, &[("id", Some("msg".to_owned())), ("phase", phase.clone())]);
            if let Some(title) = title.filter(|_| !refusal) {
                let mut citation = Citation::new("url_citation");
                citation.title = Some(title);
                citation.span = Some(Span { start: 1, end: 4 });
                text.citations.push(citation);
            }
            if probable && !refusal {
                let near = vec![Logprob::new("b", -2.5, None)];
                text.logprobs.push(TokenLogprob::new(Logprob::new(words, -0.125, Some(vec![1, 2])), near));
            }
            Output::Text(text)
        };
        parts.into_iter().map(text).collect()
    })
}

fn reasoning() -> impl Strategy<Value = Vec<Output>> {
    let kind = prop_oneof![Just("summary"), Just("content")];
    (kind, proptest::collection::vec(words(), 0..3), proptest::option::of(words())).prop_map(
        |(kind, texts, seal)| {
            let part = |text: &str, kind: Option<&str>| {
                let mut reasoning = Reasoning::new(text);
                sealed(
                    &mut reasoning.extra,
                    &[("id", Some("rs".to_owned())), ("kind", kind.map(str::to_owned))],
                );
                reasoning
            };
            let mut parts: Vec<Reasoning> = texts.iter().map(|text| part(text, Some(kind))).collect();
            if parts.is_empty() {
                parts.push(part("", None));
            }
            sealed(&mut parts.last_mut().unwrap().extra, &[("encrypted_content", seal)]);
            parts.into_iter().map(Output::Reasoning).collect()
        },
    )
}

fn call() -> impl Strategy<Value = Vec<Output>> {
    let sloppy = words().prop_map(|text| Json::from_text(format!("{{\"cut\": \"{text}")));
    (prop_oneof![object(), sloppy], any::<bool>(), proptest::option::of(Just("geo".to_owned()))).prop_map(
        |(input, custom, namespace)| {
            let mut call = ToolCall::new("call", "get_weather", input);
            call.kind = if custom { ToolKind::Custom } else { ToolKind::Function };
            sealed(&mut call.extra, &[("id", Some("fc".to_owned())), ("namespace", namespace)]);
            vec![Output::ToolCall(call)]
        },
    )
}

fn hosted() -> impl Strategy<Value = Vec<Output>> {
    words().prop_map(|query| {
        let action = serde_json::json!({ "type": "search", "query": query });
        let item = serde_json::json!({ "id": "ws", "type": "web_search_call", "status": "completed", "action": action });
        let mut call = ToolCall::new("ws", "web_search", Json::from(&action));
        call.run_by = interlingua_model::RunBy::Provider;
        sealed(&mut call.extra, &[("id", Some("ws".to_owned())), ("type", Some("web_search_call".to_owned()))]);
        call.extra.set(P, "item", Json::from(&item));
        vec![Output::ToolCall(call)]
    })
}

fn other() -> impl Strategy<Value = Vec<Output>> {
    (words(), any::<bool>()).prop_map(|(text, image)| {
        if image {
            let mut media = Media::bytes("image/webp", text.into_bytes());
            sealed(
                &mut media.extra,
                &[("id", Some("ig".to_owned())), ("status", Some("completed".to_owned()))],
            );
            return vec![Output::Media(media)];
        }
        let value = serde_json::json!({ "id": "x", "type": "oracle", "says": text });
        vec![Output::Custom(Custom::new(P, "oracle", Json::from(value)))]
    })
}

/// The parts of an answer, each item with an id of its own.
fn parts() -> impl Strategy<Value = Vec<Output>> {
    proptest::collection::vec(item(), 0..5).prop_map(|items| {
        let numbered = |(number, mut item): (usize, Vec<Output>)| {
            for part in &mut item {
                renumber(part, number);
            }
            item
        };
        items.into_iter().enumerate().flat_map(numbered).collect()
    })
}

fn renumber(part: &mut Output, number: usize) {
    let extra = match part {
        Output::Text(text) => &mut text.extra,
        Output::Reasoning(reasoning) => &mut reasoning.extra,
        Output::Media(media) => &mut media.extra,
        Output::ToolCall(call) if call.run_by.is_caller() => {
            call.id = format!("call_{number}");
            &mut call.extra
        }
        _ => return,
    };
    let id: String = extra.read(P, "id").unwrap();
    extra.set(P, "id", Json::string(&format!("{id}_{number}")));
}

fn usage() -> impl Strategy<Value = Usage> {
    (0..9_000_u64, 0..9_000_u64, proptest::option::of(0..100_u64)).prop_map(|(input, output, long)| {
        let mut usage = Usage::default();
        usage.input = Some(input);
        usage.output = Some(output);
        usage.cache_read = Some(input / 2);
        usage.cache_write = long.map(|long| long + 5);
        usage.cache_write_long = long;
        usage.reasoning = Some(output / 3);
        usage
    })
}

fn finish(parts: &[Output], cut: bool) -> Finish {
    let calls = parts.iter().any(|part| matches!(part, Output::ToolCall(call) if call.run_by.is_caller()));
    let refusal = parts.iter().any(|part| matches!(part, Output::Text(text) if text.refusal));
    let mut finish = match (cut, calls, refusal) {
        (true, ..) => Finish::new(FinishReason::Length).with_raw("max_output_tokens"),
        (_, true, _) => Finish::new(FinishReason::ToolUse).with_raw("completed"),
        (_, _, true) => Finish::new(FinishReason::Refused).with_raw("completed"),
        _ => Finish::new(FinishReason::Stop).with_raw("completed"),
    };
    finish.extra.set(P, "service_tier", Json::string("flex"));
    finish
}

/// The events by which a provider would stream these parts.
fn events(parts: &[Output], usage: &Usage, cut: bool) -> Vec<Event> {
    let mut start = Start::new(Some("resp_1".to_owned()), Some("gpt-6-sol".to_owned()));
    start.created = Some(1_795_000_000);
    let mut events = vec![Event::start(start)];
    for (at, part) in (0..).zip(parts) {
        stream(at, part, &mut events);
    }
    if let Some(Output::ToolCall(call)) = parts.last()
        && cut
        && call.run_by.is_caller()
    {
        let status = Extra::of(P, "status", Json::string("incomplete"));
        let at = u32::try_from(parts.len() - 1).unwrap();
        events.insert(events.len() - 1, Event::delta(at, Delta::extra(status)));
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
        Output::Text(text) => {
            pieces(&std::mem::take(&mut text.text), &|text| Delta::text(text));
            deltas.extend(text.citations.drain(..).map(|citation| Delta::Citation(Box::new(citation))));
            if !text.logprobs.is_empty() {
                deltas.push(Delta::Logprobs(std::mem::take(&mut text.logprobs)));
            }
        }
        Output::Reasoning(reasoning) => {
            pieces(&std::mem::take(&mut reasoning.text), &|text| Delta::text(text));
            if let Some(seal) = reasoning.extra.take(P, "encrypted_content") {
                deltas.push(Delta::extra(Extra::of(P, "encrypted_content", seal)));
            }
        }
        Output::ToolCall(call) => {
            pieces(call.input.as_str(), &|text| Delta::input(text));
            call.input = Json::from_text("");
            if let Some(item) = call.extra.take(P, "item") {
                deltas.push(Delta::extra(Extra::of(P, "item", item)));
            }
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

/// A conversation that the protocol can express, turn by turn.
fn request() -> impl Strategy<Value = Request> {
    let turn = (words(), parts(), proptest::option::of(Just(Retention::Long)));
    let knobs = (
        proptest::option::of(16..9_000_u32),
        proptest::option::of(0.0..2.0_f64),
        proptest::option::of(proptest::sample::select(Effort::ALL.to_vec())),
        any::<bool>(),
        proptest::option::of(words()),
        0..4_usize,
    );
    (proptest::collection::vec(turn, 1..4), knobs, any::<bool>()).prop_map(|(turns, knobs, system)| {
        let mut request = Request::new("gpt-6-sol");
        if system {
            request =
                request.system("Be brief.").message(System::new(vec!["More.".into(), "And more.".into()]));
        }
        for (number, (said, parts, cache)) in turns.into_iter().enumerate() {
            add_turn(&mut request, number, said, parts, cache);
        }
        set_knobs(&mut request, knobs);
        request
    })
}

fn add_turn(
    request: &mut Request,
    number: usize,
    said: String,
    mut parts: Vec<Output>,
    cache: Option<Retention>,
) {
    let mut text = Text::new(said);
    text.cache = cache;
    let image = Media::bytes("image/png", vec![1, 2, 3]);
    let user = User::new(vec![text.into(), image.into(), Media::file("application/*", "file-1").into()]);
    request.messages.push(user.into());
    // Reasoning that nothing follows is refused, and unsealed reasoning means nothing to a service that keeps nothing.
    parts.retain(|part| !matches!(part, Output::Reasoning(_)));
    let mut sealed = Reasoning::new("");
    sealed.extra.set(P, "id", Json::string(&format!("rs_sealed_{number}")));
    sealed.extra.set(P, "encrypted_content", Json::string("c2VhbGVk=="));
    parts.insert(0, Output::Reasoning(sealed));
    let mut end = Text::new("So much for that.");
    end.extra.set(P, "id", Json::string(&format!("msg_end_{number}")));
    parts.push(Output::Text(end));
    let mut results = Vec::new();
    for part in &mut parts {
        rename(part, number);
        if let Output::ToolCall(call) = part
            && call.run_by.is_caller()
        {
            let mut result = ToolResult::new(&*call.id, &*call.name, "18 °C");
            result.kind = call.kind;
            if call.kind.is_function() {
                result.content.push(Media::bytes("image/png", vec![9]).into());
            }
            results.push(result);
        }
    }
    request.messages.push(Assistant::new(parts).into());
    if !results.is_empty() {
        request.messages.push(Message::tool_results(results));
    }
}

/// Makes ids unique in the conversation.
fn rename(part: &mut Output, turn: usize) {
    renumber(part, turn);
    if let Output::ToolCall(call) = part
        && call.run_by.is_caller()
    {
        let id: String = call.extra.read(P, "id").unwrap();
        call.id = format!("call_{id}");
    }
}

type Knobs = (Option<u32>, Option<f64>, Option<Effort>, bool, Option<String>, usize);

fn set_knobs(request: &mut Request, (max_output, temperature, effort, flag, name, choice): Knobs) {
    let schema = Json::new(r#"{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"string"}},"required":["b","a"],"additionalProperties":false}"#).unwrap();
    request.max_output = max_output;
    request.sampling.temperature = temperature;
    request.sampling.logprobs = flag.then_some(3);
    request.effort = effort;
    request.show_reasoning = flag.then_some(true);
    request.verbosity = flag.then_some(Verbosity::Low);
    request.parallel_tool_calls = flag.then_some(false);
    request.cache.key = name.clone();
    request.cache.automatic = flag.then_some(Retention::Short);
    request.metadata = name.iter().map(|name| (name.clone(), "v".to_owned())).collect();
    request.end_user = name.clone();
    request.service_tier = name;
    request.tools.push(FunctionTool::new("get_weather", "Weather", schema.clone()).strict(true).into());
    request.tools.push(Tool::Custom(interlingua_model::CustomTool::new("sql", "Asks", None)));
    request.tool_choice = [
        None,
        Some(ToolChoice::Required),
        Some(ToolChoice::Tool("sql".to_owned())),
        Some(ToolChoice::Allowed { mode: ToolMode::Required, names: vec!["get_weather".to_owned()] }),
    ]
    .into_iter()
    .nth(choice)
    .flatten();
    request.format = flag.then(|| Format::Schema(SchemaFormat::new("answer", schema).strict(true)));
    if flag {
        request.extra.set(P, "truncation", Json::string("auto"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// L3 and L8: what goes out through the server half comes back through the client half, in either mode.
    #[test]
    fn answers_come_back(parts in parts(), usage in usage(), cut in any::<bool>()) {
        laws::an_answer_comes_back(&codec(), &events(&parts, &usage, cut));
    }

    /// L1 and L2: any split of the bytes decodes the same, and obeys the grammar.
    #[test]
    fn any_split_decodes_the_same(parts in parts(), usage in usage(), cuts in proptest::collection::vec(any::<Index>(), 0..12)) {
        laws::a_split_does_not_matter(&codec(), &sent(&parts, &usage), &cuts);
    }

    /// L4, L5 and L7: a request goes out and comes back, and what is sealed in it is there byte for byte.
    #[test]
    fn requests_come_back(request in request(), stream in any::<bool>()) {
        laws::a_request_comes_back(&codec(), &request, stream);
        let body = codec().encode(&request, Mode::Stream).unwrap().call.body;
        let text = String::from_utf8(body.to_vec()).unwrap();
        prop_assert!(text.contains(r#""encrypted_content":"c2VhbGVk==""#));
    }

    /// L7: the body of a longer conversation begins with the bytes of the shorter one.
    #[test]
    fn longer_conversations_keep_their_prefix(request in request()) {
        let mut shorter = request.clone();
        shorter.messages.pop();
        laws::a_body_grows_at_its_end(&codec(), &shorter, &request);
    }

    /// L6: any bytes give events or an error.
    #[test]
    fn broken_streams_do_no_harm(
        parts in parts(), usage in usage(), breaks in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..6),
    ) {
        laws::broken_bytes_do_no_harm(&codec(), &events(&parts, &usage, false), "/responses", &breaks);
    }

    /// L6: so do events in any order.
    #[test]
    fn shuffled_events_do_no_harm(parts in parts(), usage in usage(), order in proptest::collection::vec(any::<Index>(), 1..60)) {
        laws::shuffled_frames_do_no_harm(&codec(), &sent(&parts, &usage), "\n\n", &order);
    }
}

//! Laws that hold for everything that the protocol can say.

use interlingua_model::{
    Assistant, Citation, Custom, Delta, Effort, Event, Extra, Finish, FinishReason, Format, FunctionTool,
    Input, Json, Logprob, Media, Message, Output, Reasoning, Request, SchemaFormat, Span, Start, Text,
    TokenLogprob, ToolCall, ToolChoice, ToolResult, Usage, User,
};
use interlingua_wire::Mode;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::{PROTOCOL, codec};
use crate::check::{decode, decoded, events_round_trip, round_trip};
use crate::laws::{self, fold, name, words};

fn extra(field: &'static str) -> impl Strategy<Value = Extra> {
    laws::extra(PROTOCOL, field)
}

fn citation() -> impl Strategy<Value = Citation> {
    (0_u64..9, 9_u64..20, words(), of(name())).prop_map(|(start, end, words, title)| {
        let mut citation = Citation::new("TEXT_CONTENT");
        citation.span = Some(Span { start, end });
        let mut about = json!({"id": "d1", "snippet": words});
        if let Some(title) = &title {
            about["title"] = json!(title);
        }
        let sources = json!([{"type": "document", "id": "d1", "document": about}]);
        citation.extra.set(PROTOCOL, "text", Json::string(&words));
        citation.extra.set(PROTOCOL, "sources", Json::from(&sources));
        (citation.title, citation.quote, citation.file) = (title, Some(words), Some("d1".to_owned()));
        citation
    })
}

fn plan(words: String) -> Reasoning {
    let mut plan = Reasoning::new(words);
    plan.extra.set(PROTOCOL, "field", Json::string("tool_plan"));
    plan
}

/// What an assistant says: reasoning or a plan, text, calls, each in one stretch.
fn said(turn: usize) -> impl Strategy<Value = Vec<Output>> {
    let text = (words(), vec(citation(), 0..3), extra("note"));
    let thought = of((words(), extra("note")));
    let calls = vec((name(), laws::input(), extra("function.note")), 0..3);
    (thought, of(text), of(words()), calls, any::<bool>()).prop_map(
        move |(thought, text, planned, calls, plan_first)| {
            let mut content: Vec<Output> = Vec::new();
            if let Some((words, extra)) = thought {
                let mut thought = Reasoning::new(words);
                thought.extra = extra;
                content.push(Output::Reasoning(thought));
            }
            if let Some((words, citations, extra)) = text {
                let mut text = Text::new(words);
                (text.citations, text.extra) = (citations, extra);
                content.push(Output::Text(text));
            }
            let planned = planned.map(|words| Output::Reasoning(plan(words)));
            let mut parts = Vec::new();
            if plan_first {
                parts.extend(planned);
                parts.extend(content);
            } else {
                parts.extend(content);
                parts.extend(planned);
            }
            parts.extend(calls.into_iter().enumerate().map(|(at, (name, input, extra))| {
                let mut call = ToolCall::new(format!("call_{turn}_{at}"), name, input);
                call.extra = extra;
                Output::ToolCall(call)
            }));
            parts
        },
    )
}

fn asked() -> impl Strategy<Value = Input> {
    prop_oneof![
        3 => (words(), extra("note")).prop_map(|(words, extra)| {
            let mut text = Text::new(words);
            text.extra = extra;
            Input::Text(text)
        }),
        1 => vec(any::<u8>(), 0..20).prop_map(|bytes| Input::Media(Media::bytes("image/png", bytes))),
        1 => ("https://[a-z]{1,9}/x", extra("detail")).prop_map(|(url, extra)| {
            let mut media = Media::url("image/*", url);
            media.extra = extra;
            Input::Media(media)
        }),
        1 => name().prop_map(|kind| {
            let kind = format!("x_{kind}");
            let value = Json::from_text(format!(r#"{{"type": "{kind}", "x": [1]}}"#));
            Input::Custom(Custom::new(PROTOCOL, kind, value))
        }),
    ]
}

fn document() -> impl Strategy<Value = Input> {
    prop_oneof![
        words().prop_map(|words| Media::bytes("text/plain", words.into_bytes())),
        (words(), name()).prop_map(|(words, id)| {
            let mut media = Media::bytes("text/plain", words.into_bytes()).named(id.clone());
            media.extra.set(PROTOCOL, "id", Json::string(&id));
            media
        }),
        words().prop_map(|words| {
            let mut media =
                Media::bytes("application/json", json!({ "snippet": words }).to_string().into_bytes());
            media.extra.set(PROTOCOL, "id", Json::string("d9"));
            media
        }),
    ]
    .prop_map(Input::Media)
}

/// A user's message, an answer, and the results of its calls.
fn turn(turn: usize) -> impl Strategy<Value = Vec<Message>> {
    (vec(asked(), 1..4), said(turn), words(), extra("name")).prop_map(|(parts, said, result, extra)| {
        let mut user = User::new(parts);
        user.extra = extra;
        let results: Vec<ToolResult> = said
            .iter()
            .filter_map(|part| match part {
                Output::ToolCall(call) => Some(ToolResult::new(&*call.id, &*call.name, &*result)),
                _ => None,
            })
            .collect();
        let mut messages = vec![Message::User(user)];
        if !said.is_empty() {
            messages.push(Assistant::new(said).into());
        }
        if !results.is_empty() {
            messages.push(Message::tool_results(results));
        }
        messages
    })
}

fn request() -> impl Strategy<Value = Request> {
    let sampling =
        (of(0.0..1.0), of(0.0..1.0), of(1..99_u32), of(any::<i64>()), vec(name(), 0..5), any::<bool>());
    let tools = (vec((name(), words(), extra("function.note")), 0..3), of(any::<bool>()), 0..3_u8);
    let output = (of(1..9999_u32), 0..4_u8, 0..3_u8);
    let talk = (of(words()), vec(document(), 0..3), turn(0), of(turn(1)));
    (sampling, tools, output, talk, extra("safety_mode")).prop_map(
        |(sampling, tools, output, talk, extra)| {
            let mut request = Request::new("command-test-1");
            let knobs = &mut request.sampling;
            let logprobs;
            (knobs.temperature, knobs.top_p, knobs.top_k, knobs.seed, knobs.stop, logprobs) = sampling;
            knobs.logprobs = logprobs.then_some(0);
            let (tools, strict, choice) = tools;
            for (name, words, extra) in tools {
                let mut tool = FunctionTool::new(name, words, Json::from_text(r#"{"type":"object"}"#));
                (tool.strict, tool.extra) = (strict, extra);
                request = request.tool(tool);
            }
            if !request.tools.is_empty() {
                request.tool_choice =
                    [None, Some(ToolChoice::None), Some(ToolChoice::Required)][usize::from(choice)].clone();
            }
            let (most, thinking, format) = output;
            request.max_output = most;
            match thinking {
                1 => request.effort = Some(Effort::None),
                2 => request.reasoning_budget = Some(77),
                _ => {}
            }
            let (system, documents, mut first, second) = talk;
            if request.tools.is_empty() && documents.is_empty() {
                let schema = SchemaFormat::new("output", Json::from_text(r#"{"type": "object"}"#));
                request.format =
                    [None, Some(Format::Json), Some(Format::Schema(schema))][usize::from(format)].clone();
            }
            if let Some(Message::User(user)) = first.first_mut() {
                user.parts.splice(..0, documents);
            }
            request.messages = system
                .map(Message::system)
                .into_iter()
                .chain(first)
                .chain(second.into_iter().flatten())
                .collect();
            request.extra = extra;
            request
        },
    )
}

/// The events of an answer: what the client half would make of what the service says.
fn answer() -> impl Strategy<Value = Vec<Event>> {
    let counts = (of(0..999_u64), of(0..999_u64), of(0..99_u64), of(0..99_u64), any::<bool>());
    ((of("[a-z0-9-]{1,20}"), extra("prompt")), said(0), counts, 0..4_u8, any::<bool>()).prop_map(
        |((id, extra), parts, counts, finish, probable)| {
            let mut start = Start::new(Some(id.unwrap_or_else(|| "c1".into())), None);
            start.extra = extra;
            let mut events = vec![Event::start(start)];
            let calls = parts.iter().any(|part| matches!(part, Output::ToolCall(_)));
            let alone = parts.len() == 1;
            for (at, part) in (0..).zip(parts) {
                events.extend(pieces(at, part, probable && alone));
            }
            let (input, output, cached, reasoning, billed) = counts;
            let mut usage = Usage::default();
            (usage.input, usage.output, usage.cache_read, usage.reasoning) =
                (input, output, cached, reasoning);
            if billed {
                usage.extra.set(PROTOCOL, "billed_units", Json::from_text(r#"{"input_tokens":3}"#));
                usage.extra.set(PROTOCOL, "tokens.image_tokens", Json::from_text("7"));
            }
            if !usage.is_empty() {
                events.push(Event::usage(usage));
            }
            let (reason, raw) = match finish {
                0 => (FinishReason::Length, "MAX_TOKENS"),
                1 => (FinishReason::Stop, "STOP_SEQUENCE"),
                2 => (FinishReason::Other, "TIMEOUT"),
                _ if calls => (FinishReason::ToolUse, "TOOL_CALL"),
                _ => (FinishReason::Stop, "COMPLETE"),
            };
            events.push(Event::finish(Finish::new(reason).with_raw(raw)));
            events
        },
    )
}

/// A part as a stream tells it.
fn pieces(at: u32, part: Output, probable: bool) -> Vec<Event> {
    let mut events = Vec::new();
    let cut = |text: &str| text.char_indices().nth(3).map_or(0, |(at, _)| at);
    let grow = |events: &mut Vec<Event>, text: &str, input: bool| {
        let (one, two) = text.split_at(cut(text));
        for piece in [one, two].into_iter().filter(|piece| !piece.is_empty()) {
            events.push(Event::delta(at, if input { Delta::input(piece) } else { Delta::text(piece) }));
        }
    };
    match part {
        Output::Text(mut text) => {
            let (words, citations) = (std::mem::take(&mut text.text), std::mem::take(&mut text.citations));
            events.push(Event::open(at, Output::Text(text)));
            grow(&mut events, &words, false);
            events.extend(
                citations.into_iter().map(|citation| Event::delta(at, Delta::Citation(Box::new(citation)))),
            );
            if probable {
                let token = TokenLogprob::new(Logprob::new("a", -0.5, None), Vec::new());
                events.push(Event::delta(at, Delta::Logprobs(vec![token])));
            }
        }
        Output::Reasoning(mut reasoning) => {
            let words = std::mem::take(&mut reasoning.text);
            events.push(Event::open(at, Output::Reasoning(reasoning)));
            grow(&mut events, &words, false);
        }
        Output::ToolCall(mut call) => {
            let input = std::mem::replace(&mut call.input, Json::from_text(""));
            events.push(Event::open(at, Output::ToolCall(call)));
            grow(&mut events, input.as_str(), true);
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
        laws::a_request_comes_back(&codec(), &request, stream);
    }

    /// L7: the body of a longer conversation begins with the bytes of the shorter one.
    #[test]
    fn bodies_grow_at_their_end(request in request(), more in turn(9)) {
        let mut longer = request.clone();
        longer.messages.extend(more);
        laws::a_body_grows_at_its_end(&codec(), &request, &longer);
    }

    /// L3 and L8: an answer comes back the same, streamed and whole.
    #[test]
    fn answers_come_back(events in answer()) {
        laws::an_answer_comes_back(&codec(), &events);
        let streamed = events_round_trip(&codec(), &Request::new("command-test-1"), Mode::Stream, &events);
        prop_assert_eq!(&streamed.events, &events);
    }

    /// L5: what an answer held goes back as it came.
    #[test]
    fn answers_go_back(events in answer()) {
        let message = fold(&events).message;
        prop_assume!(!message.parts.is_empty());
        let request = Request::new("m").message(message);
        prop_assert_eq!(without_logprobs(round_trip(&codec(), &request, Mode::Whole)), without_logprobs(request));
    }

    /// L1: any cuts of the bytes of a stream give the same events.
    #[test]
    fn cuts_do_not_matter(events in answer(), cuts in vec(any::<Index>(), 0..9)) {
        laws::a_split_does_not_matter(&codec(), &laws::bytes(&codec(), &events, Mode::Stream), &cuts);
    }

    /// Parts that overlap keep their text and their order.
    #[test]
    fn overlapping_parts_are_told_apart(texts in vec(words(), 2..4)) {
        let back = laws::overlapping_parts_are_told_apart(&codec(), &texts);
        prop_assert_eq!(back.message.parts.len(), texts.len());
    }

    /// L6: any bytes give events or an error.
    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..300), stream in any::<bool>()) {
        laws::any_bytes_are_survived(&codec(), &bytes, stream);
    }

    /// L6: so does any JSON that looks like an event.
    #[test]
    fn any_events_are_survived(events in vec(event(), 0..6), whole in any::<bool>()) {
        let mut bytes = Vec::new();
        for event in &events {
            bytes.extend_from_slice(format!("data: {event}\n\n").as_bytes());
        }
        decoded(&codec(), Mode::Stream, &bytes);
        if let (true, Some(event)) = (whole, events.first()) {
            decode(&codec(), Mode::Whole, event.to_string().as_bytes(), &[]);
        }
    }

    /// A stream that was damaged or cut is events or an error, and never passes for a whole one.
    #[test]
    fn a_cut_stream_is_an_error(events in answer(), at in any::<Index>(), byte in any::<u8>()) {
        let bytes = laws::bytes(&codec(), &events, Mode::Stream);
        laws::a_cut_stream_is_an_error(&codec(), bytes, at, byte, |at, total, _| at >= total - "\n\ndata: [DONE]\n\n".len());
    }
}

/// Probabilities are of no use to the model.
fn without_logprobs(mut request: Request) -> Request {
    for message in &mut request.messages {
        let Message::Assistant(assistant) = message else { continue };
        for part in &mut assistant.parts {
            if let Output::Text(text) = part {
                text.logprobs.clear();
            }
            if let Output::ToolCall(call) = part {
                call.partial = false;
            }
        }
    }
    request
}

/// Events of known fields with values of any shape.
fn event() -> impl Strategy<Value = serde_json::Value> {
    let kinds = prop::sample::select(vec![
        "message-start",
        "content-start",
        "content-delta",
        "content-end",
        "tool-plan-delta",
        "tool-call-start",
        "tool-call-delta",
        "tool-call-end",
        "citation-start",
        "citation-end",
        "message-end",
        "debug",
        "text",
        "thinking",
        "hologram",
    ]);
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<i64>().prop_map(serde_json::Value::from),
        (0..3_i64).prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        "[a-z ]{0,5}".prop_map(serde_json::Value::from),
        kinds.clone().prop_map(serde_json::Value::from),
    ];
    let inner = laws::shapes(
        leaf,
        &[
            "type",
            "index",
            "delta",
            "message",
            "content",
            "text",
            "thinking",
            "tool_plan",
            "tool_calls",
            "function",
            "name",
            "arguments",
            "id",
            "citations",
            "content_index",
            "sources",
            "finish_reason",
            "usage",
            "tokens",
            "logprobs",
            "error",
        ],
    );
    (kinds, 0..3_u8, inner)
        .prop_map(|(kind, index, delta)| json!({"type": kind, "index": index, "delta": {"message": delta}}))
}

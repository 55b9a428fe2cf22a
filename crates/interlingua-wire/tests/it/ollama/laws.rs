//! Laws that hold for everything that the protocol can say.

use interlingua_model::{
    Assistant, Delta, Effort, Event, Extra, Finish, FinishReason, Format, FunctionTool, Input, Json, Logprob,
    Media, Message, Output, Reasoning, Request, SchemaFormat, Start, Text, TokenLogprob, ToolCall,
    ToolResult, Usage, User,
};
use interlingua_wire::Mode;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use super::{PNG, PROTOCOL, codec};
use crate::check::{decode, decoded, events_round_trip, round_trip};
use crate::laws::{self, fold, name, object, words};

fn extra(field: &'static str) -> impl Strategy<Value = Extra> {
    laws::extra(PROTOCOL, field)
}

/// What an assistant says, in the order of the wire.
fn said(turn: usize) -> impl Strategy<Value = Vec<Output>> {
    let calls = vec((name(), object(), extra("function.note")), 0..3);
    (of(words()), of(words()), calls).prop_map(move |(thought, text, calls)| {
        let mut parts: Vec<Output> = Vec::new();
        parts.extend(thought.map(|words| Output::Reasoning(Reasoning::new(words))));
        parts.extend(text.map(|words| Output::Text(Text::new(words))));
        parts.extend(calls.into_iter().enumerate().map(|(at, (name, input, extra))| {
            let mut call = ToolCall::new(format!("call_{turn}_{at}"), name, input);
            call.extra = extra;
            Output::ToolCall(call)
        }));
        parts
    })
}

/// A user's message, an answer, and the results of its calls.
fn turn(turn: usize) -> impl Strategy<Value = Vec<Message>> {
    let pictures = vec(any::<u8>(), 0..20).prop_map(|mut bytes| {
        bytes.splice(0..0, PNG);
        Input::Media(Media::bytes("image/png", bytes))
    });
    (words(), vec(pictures, 0..3), said(turn), words(), extra("name")).prop_map(
        |(words, pictures, said, result, extra)| {
            let mut parts = vec![Input::Text(Text::new(words))];
            parts.extend(pictures);
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
        },
    )
}

fn request() -> impl Strategy<Value = Request> {
    let sampling =
        (of(0.0..2.0), of(0.0..1.0), of(1..99_u32), of(any::<i64>()), vec(name(), 0..5), of(0..20_u8));
    let tools = vec((name(), words(), extra("function.note")), 0..3);
    let output = (of(1..9999_u32), 0..6_u8, 0..3_u8, of(-2.0..2.0));
    let talk = (of(words()), turn(0), of(turn(1)));
    (sampling, tools, output, talk, extra("keep_alive")).prop_map(|(sampling, tools, output, talk, extra)| {
        let mut request = Request::new("model-1");
        let knobs = &mut request.sampling;
        (knobs.temperature, knobs.top_p, knobs.top_k, knobs.seed, knobs.stop, knobs.logprobs) = sampling;
        for (name, words, extra) in tools {
            let mut tool = FunctionTool::new(name, words, Json::from_text(r#"{"type":"object"}"#));
            tool.extra = extra;
            request = request.tool(tool);
        }
        let (most, thinking, format, penalty) = output;
        (request.max_output, request.sampling.presence_penalty) = (most, penalty);
        match thinking {
            1 => request.show_reasoning = Some(true),
            2 => request.effort = Some(Effort::None),
            3 => request.effort = Some(Effort::Low),
            4 => request.effort = Some(Effort::High),
            _ => {}
        }
        let schema = SchemaFormat::new("output", Json::from_text(r#"{"type": "object"}"#));
        request.format =
            [None, Some(Format::Json), Some(Format::Schema(schema))][usize::from(format)].clone();
        let (system, first, second) = talk;
        request.messages = system
            .map(Message::system)
            .into_iter()
            .chain(first)
            .chain(second.into_iter().flatten())
            .collect();
        request.extra = extra;
        request
    })
}

/// The events of an answer: what the client half would make of what the service says.
fn answer() -> impl Strategy<Value = Vec<Event>> {
    let counts = (of(0..999_u64), of(0..999_u64), of(0..99_u64), any::<bool>());
    ((1..1_900_000_000_u64, extra("remote_host")), said(0), counts, 0..3_u8, any::<bool>()).prop_map(
        |((created, extra), parts, counts, finish, probable)| {
            let mut start = Start::new(None, Some("model-1".to_owned()));
            (start.created, start.extra) = (Some(created), extra);
            let mut events = vec![Event::start(start)];
            let calls = parts.iter().any(|part| matches!(part, Output::ToolCall(_)));
            let alone = matches!(parts.as_slice(), [Output::Text(_)]);
            for (at, part) in (0..).zip(parts) {
                events.extend(pieces(at, part, probable && alone));
            }
            let (input, output, cached, timed) = counts;
            let mut usage = Usage::default();
            (usage.input, usage.output, usage.cache_read) = (input, output, cached);
            if timed {
                usage.extra.set(PROTOCOL, "total_duration", Json::from_text("3000000000"));
                usage.extra.set(PROTOCOL, "load_duration", Json::from_text("7"));
            }
            if !usage.is_empty() {
                events.push(Event::usage(usage));
            }
            let (reason, raw) = match finish {
                0 => (FinishReason::Length, "length"),
                1 => (FinishReason::Other, "load"),
                _ if calls => (FinishReason::ToolUse, "stop"),
                _ => (FinishReason::Stop, "stop"),
            };
            events.push(Event::finish(Finish::new(reason).with_raw(raw)));
            events
        },
    )
}

/// A part as a stream tells it; a call comes whole.
fn pieces(at: u32, part: Output, probable: bool) -> Vec<Event> {
    let mut events = Vec::new();
    let grow = |events: &mut Vec<Event>, text: &str| {
        let middle = text.char_indices().nth(3).map_or(0, |(at, _)| at);
        let (one, two) = text.split_at(middle);
        let pieces = [one, two].into_iter().filter(|piece| !piece.is_empty());
        events.extend(pieces.map(|piece| Event::delta(at, Delta::text(piece))));
    };
    match part {
        Output::Text(mut text) => {
            let words = std::mem::take(&mut text.text);
            events.push(Event::open(at, Output::Text(text)));
            grow(&mut events, &words);
            if probable {
                let chosen = Logprob::new("a", -0.5, Some(vec![97]));
                let token = TokenLogprob::new(chosen, vec![Logprob::new("b", -1.5, None)]);
                events.push(Event::delta(at, Delta::Logprobs(vec![token])));
            }
        }
        Output::Reasoning(mut reasoning) => {
            let words = std::mem::take(&mut reasoning.text);
            events.push(Event::open(at, Output::Reasoning(reasoning)));
            grow(&mut events, &words);
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
        let streamed = events_round_trip(&codec(), &Request::new("model-1"), Mode::Stream, &events);
        prop_assert_eq!(&streamed.events, &events);
    }

    /// L5: what an answer held goes back as it came.
    #[test]
    fn answers_go_back(events in answer()) {
        let mut message = fold(&events).message;
        prop_assume!(!message.parts.is_empty());
        for part in &mut message.parts {
            match part {
                Output::Text(text) => text.logprobs.clear(),
                Output::ToolCall(call) => call.partial = false,
                _ => {}
            }
        }
        let request = Request::new("m").message(message);
        prop_assert_eq!(round_trip(&codec(), &request, Mode::Whole), request);
    }

    /// L1: any cuts of the bytes of a stream give the same events.
    #[test]
    fn cuts_do_not_matter(events in answer(), cuts in vec(any::<Index>(), 0..9)) {
        laws::a_split_does_not_matter(&codec(), &laws::bytes(&codec(), &events, Mode::Stream), &cuts);
    }

    /// L6: any bytes give events or an error.
    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..300), stream in any::<bool>()) {
        laws::any_bytes_are_survived(&codec(), &bytes, stream);
    }

    /// L6: so does any JSON that looks like a line.
    #[test]
    fn any_lines_are_survived(lines in vec(line(), 0..6), whole in any::<bool>()) {
        let mut bytes = Vec::new();
        for line in &lines {
            bytes.extend_from_slice(format!("{line}\n").as_bytes());
        }
        decoded(&codec(), Mode::Stream, &bytes);
        if let (true, Some(line)) = (whole, lines.first()) {
            decode(&codec(), Mode::Whole, line.to_string().as_bytes(), &[]);
        }
    }

    /// A stream that was damaged or cut is events or an error, and never passes for a whole one.
    #[test]
    fn a_cut_stream_is_an_error(events in answer(), at in any::<Index>(), byte in any::<u8>()) {
        let bytes = laws::bytes(&codec(), &events, Mode::Stream);
        laws::a_cut_stream_is_an_error(&codec(), bytes, at, byte, |at, total, _| at >= total - 1);
    }
}

/// Lines of known fields with values of any shape.
fn line() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        "[a-z ]{0,5}".prop_map(serde_json::Value::from),
        Just(json!("stop")),
    ];
    let fields = laws::shapes(
        leaf,
        &[
            "model",
            "created_at",
            "message",
            "role",
            "content",
            "thinking",
            "images",
            "tool_calls",
            "function",
            "name",
            "arguments",
            "index",
            "id",
            "done",
            "done_reason",
            "prompt_eval_count",
            "eval_count",
            "total_duration",
            "logprobs",
            "token",
            "logprob",
            "error",
        ],
    );
    prop_oneof![
        2 => (fields.clone(), any::<bool>()).prop_map(|(message, done)| json!({"model": "m", "message": message, "done": done})),
        1 => fields,
    ]
}

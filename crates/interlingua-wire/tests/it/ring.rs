//! One conversation walks through all protocols in a ring. Each answers some turns, with reasoning that it seals, text and
//! calls of tools, and each is handed all that was said before it, whoever said it.

use std::collections::BTreeMap;

use interlingua_model::{
    Assistant, Content, Event, Extra, Finish, FinishReason, FunctionTool, Input, Json, Media, Message,
    Origin, Output, Reasoning, Request, Start, Text, ToolCall, ToolResult, Usage, User, Warning, WarningKind,
};
use interlingua_wire::replay::{Rules, encode, prepare};
use interlingua_wire::{Mode, Protocol, Provider, Serve};
use serde_json::Value;

use crate::check::events_round_trip;

/// Where each protocol keeps the seal of its reasoning; Chat Completions and Cohere seal nothing in this way.
const SEALS: [(&str, &str); 4] = [
    ("anthropic", "signature"),
    ("openai_responses", "encrypted_content"),
    ("bedrock", "signature"),
    ("gemini", "thoughtSignature"),
];

/// A picture of one pixel.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn origin(protocol: Protocol) -> Origin {
    Origin::new(protocol.id(), format!("house-of-{}", protocol.id()), model(protocol))
}

fn model(protocol: Protocol) -> String {
    format!("model-of-{}", protocol.id())
}

fn codec(protocol: Protocol) -> Box<dyn Serve> {
    let provider = Provider::new("house", protocol, "https://house.test");
    provider.server(protocol, &model(protocol)).unwrap()
}

/// The word by which the seal of a protocol's reasoning is known again, in base64 since some want that.
fn seal(protocol: Protocol, turn: usize) -> String {
    let word = format!("seal {turn} of {protocol:?}");
    interlingua_model::Data::from(word.into_bytes()).to_base64()
}

fn pixel() -> Media {
    Media::bytes("image/png", interlingua_model::Data::from_base64(PIXEL).unwrap())
}

fn begun() -> Request {
    let schema = r#"{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"]}"#;
    let tool = |name: &str| FunctionTool::new(name, format!("The {name}."), Json::new(schema).unwrap());
    Request::new("begun")
        .system("You are a travel agent.")
        .message(User::new(vec![
            Input::from("Where is this, and how is the weather there?"),
            Input::Media(pixel()),
        ]))
        .tool(tool("weather"))
        .tool(tool("tides"))
}

/// What a model answers in a turn: a thought, a sentence, and on every other turn two calls, one of them without input.
fn answer(protocol: Protocol, turn: usize) -> Vec<Event> {
    let mut thought = Reasoning::new(format!("Thought {turn}."));
    if let Some((_, name)) = SEALS.iter().find(|(id, _)| *id == protocol.id()) {
        thought.extra = Extra::of(protocol.id(), name, Json::string(&seal(protocol, turn)));
    }
    let mut start = Start::default();
    start.model = Some(model(protocol));
    let mut parts =
        vec![Output::Reasoning(thought), Output::Text(Text::new(format!("Sentence {turn} – ünïcode.")))];
    if turn.is_multiple_of(2) {
        let input = Json::from_text(format!(r#"{{"city":"Sète {turn}","days":{turn}}}"#));
        parts.push(Output::ToolCall(ToolCall::new(format!("call_{turn}_a"), "weather", input)));
        parts.push(Output::ToolCall(ToolCall::new(
            format!("call_{turn}_b"),
            "tides",
            Json::from_text(r#"{"city":"x"}"#),
        )));
    }
    let mut events = vec![Event::start(start)];
    for (at, part) in (0..).zip(parts) {
        events.extend([Event::open(at, part), Event::close(at)]);
    }
    let mut usage = Usage::default();
    (usage.input, usage.output) = (Some(100), Some(10));
    let reason = if turn.is_multiple_of(2) { FinishReason::ToolUse } else { FinishReason::Stop };
    events.extend([Event::usage(usage), Event::finish(Finish::new(reason))]);
    events
}

/// What a target hears: everything in a conversation that has a meaning, whoever said it.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    texts: Vec<String>,
    calls: Vec<(String, Value)>,
    results: Vec<String>,
    images: usize,
}

impl Heard {
    fn of(request: &Request) -> Self {
        let mut heard = Self::default();
        for message in &request.messages {
            match message {
                Message::System(system) => system.parts.iter().for_each(|part| heard.input(part)),
                Message::User(user) => user.parts.iter().for_each(|part| heard.input(part)),
                Message::Assistant(assistant) => assistant.parts.iter().for_each(|part| heard.output(part)),
                other => panic!("{other:?}"),
            }
        }
        heard
    }

    fn input(&mut self, part: &Input) {
        match part {
            Input::Text(text) => self.texts.push(text.text.clone()),
            Input::Media(_) => self.images += 1,
            Input::ToolResult(result) => self.result(result),
            other => panic!("{other:?}"),
        }
    }

    fn output(&mut self, part: &Output) {
        match part {
            Output::Text(text) => self.texts.push(text.text.clone()),
            Output::ToolCall(call) => self.calls.push((call.name.clone(), call.input.parse().unwrap())),
            _ => {}
        }
    }

    fn result(&mut self, result: &ToolResult) {
        for part in &result.content {
            match part {
                Content::Text(text) => self.results.push(text.text.clone()),
                Content::Media(_) => self.images += 1,
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Every call has its result behind it, under the same id, and no id means two calls.
fn assert_paired(request: &Request, who: &str) {
    let mut open: BTreeMap<String, bool> = BTreeMap::new();
    for message in &request.messages {
        match message {
            Message::Assistant(assistant) => {
                for part in &assistant.parts {
                    if let Output::ToolCall(call) = part {
                        assert_eq!(
                            open.insert(call.id.clone(), false),
                            None,
                            "{who}: `{}` is called twice",
                            call.id
                        );
                    }
                }
            }
            Message::User(user) => {
                for part in &user.parts {
                    if let Input::ToolResult(result) = part {
                        let answered = open.insert(result.call.clone(), true);
                        assert_eq!(answered, Some(false), "{who}: a result for `{}`", result.call);
                    }
                }
            }
            _ => {}
        }
    }
    assert!(open.values().all(|answered| *answered), "{who}: calls without a result: {open:?}");
}

fn spoken(warnings: &[Warning]) -> String {
    warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Hands the conversation to a protocol: what its server half hears of it, and what was warned of on the way.
fn hand_over(request: &Request, protocol: Protocol) -> (Request, String, Vec<Warning>) {
    let codec = codec(protocol);
    let (history, mut warnings) = prepare(request, &origin(protocol), Rules::default());
    let encoded = encode(&*codec, &model(protocol), &history, Mode::Stream).unwrap();
    warnings.extend(encoded.warnings);
    let body = String::from_utf8(encoded.call.body.to_vec()).unwrap();
    let (heard, _) =
        codec.decode_request(&encoded.call).unwrap_or_else(|error| panic!("{protocol}: {error}\n{body}"));
    (heard, body, warnings)
}

/// Nothing that was said is missing from what is heard, but for pictures of which a warning tells and a text in their place.
fn assert_heard(said: &Request, heard: &Request, warnings: &[Warning], who: &str) {
    assert_paired(heard, who);
    let (said, heard) = (Heard::of(said), Heard::of(heard));
    let everything = heard.texts.join("\n");
    for text in &said.texts {
        assert!(everything.contains(text.as_str()), "{who} does not hear `{text}` in {everything}");
    }
    assert_eq!(heard.calls, said.calls, "{who} hears other calls");
    let results = format!("{}\n{everything}", heard.results.join("\n"));
    for result in &said.results {
        assert!(results.contains(result.as_str()), "{who} does not hear the result `{result}` in {results}");
    }
    if heard.images < said.images {
        let said_so = spoken(warnings);
        assert!(
            said_so.contains("image") || said_so.contains("media"),
            "{who} loses pictures in silence: {said_so}"
        );
        assert!(
            results.contains("was here, which this model does not take]"),
            "{who} has no note in place of a picture: {results}"
        );
    }
}

/// The body holds the seals of its own reasoning and nobody else's.
fn assert_sealed(body: &str, protocol: Protocol, sealed: &[(Protocol, String)]) {
    for (author, seal) in sealed {
        let holds = body.contains(seal.as_str());
        assert_eq!(holds, *author == protocol, "{protocol} and the seal `{seal}` of {author}:\n{body}");
    }
}

/// A turn by a protocol: it is handed the conversation, answers in its own words, and its tools are run.
fn turn(
    request: &mut Request,
    protocol: Protocol,
    number: usize,
    mode: Mode,
    sealed: &mut Vec<(Protocol, String)>,
) {
    let who = format!("{protocol} in turn {number}");
    let (heard, body, warnings) = hand_over(request, protocol);
    assert_heard(request, &heard, &warnings, &who);
    assert_sealed(&body, protocol, sealed);

    let decoded = events_round_trip(&*codec(protocol), &heard, mode, &answer(protocol, number));
    assert_eq!(decoded.error, None, "{who}");
    let mut message: Assistant = decoded.response.message;
    message.origin = Some(origin(protocol));
    let own = seal(protocol, number);
    if serde_json::to_string(&message).unwrap().contains(&own) {
        sealed.push((protocol, own));
    } else {
        assert!(SEALS.iter().all(|(id, _)| *id != protocol.id()), "{who} has lost its seal: {message:?}");
    }
    let calls = calls_of(&message);
    assert_eq!(calls.len(), if number.is_multiple_of(2) { 2 } else { 0 }, "{who}");
    request.messages.push(message.into());
    if calls.is_empty() {
        request.messages.push(Message::user(format!("Question {number}?")));
        return;
    }
    let mut results: Vec<_> = calls
        .iter()
        .map(|call| ToolResult::new(&*call.id, &*call.name, format!("Result of {} in {number}.", call.name)))
        .collect();
    results[0].content.push(Content::Media(pixel()));
    results[1].is_error = true;
    request.messages.push(Message::tool_results(results));
}

fn calls_of(message: &Assistant) -> Vec<ToolCall> {
    let calls = message.parts.iter().filter_map(|part| match part {
        Output::ToolCall(call) => Some(call.clone()),
        _ => None,
    });
    calls.collect()
}

#[test]
fn a_conversation_walks_through_all_protocols() {
    for (mode, lag) in [(Mode::Stream, 0), (Mode::Whole, 0), (Mode::Stream, 1)] {
        let mut request = begun();
        let mut sealed = Vec::new();
        for number in 0..Protocol::ALL.len() * 2 {
            let protocol = Protocol::ALL[number % Protocol::ALL.len()];
            turn(&mut request, protocol, number + lag, mode, &mut sealed);
        }
    }
}

/// Whatever cannot be taken is told of by a warning, and to the model by a note: pictures, sounds, films, files, from the
/// user and from a tool.
#[test]
fn media_of_all_kinds_reach_the_target_or_leave_a_note() {
    let media = [
        Media::bytes("image/tiff", vec![1, 2, 3]).named("scan.tiff"),
        Media::bytes("audio/wav", vec![1, 2, 3]).named("bell.wav"),
        Media::bytes("video/mp4", vec![1, 2, 3]).named("film.mp4"),
        Media::bytes("application/pdf", b"%PDF-1.4".to_vec()).named("plan.pdf"),
        Media::bytes("application/x-unheard-of", vec![1, 2, 3]).named("thing.bin"),
        Media::url("audio/mpeg", "https://sounds.test/long.mp3").named("long.mp3"),
    ];
    for protocol in Protocol::ALL {
        for medium in &media {
            let mut result = ToolResult::new("call_1", "weather", "See:");
            result.content.push(Content::Media(medium.clone()));
            let call = ToolCall::new("call_1", "weather", Json::object());
            let request = begun()
                .message(Assistant::new(vec![Output::ToolCall(call)]))
                .message(Message::tool_results([result]))
                .message(User::new(vec![Input::from("And this?"), Input::Media(medium.clone())]));
            let (heard, body, warnings) = hand_over(&request, protocol);
            let who = format!("{protocol} and {}", medium.mime);
            assert_paired(&heard, &who);
            let notes = body.matches("was here, which this model does not take").count();
            let dropped = warnings.iter().filter(|warning| warning.kind == WarningKind::Dropped).count();
            assert_eq!(notes, dropped, "{who}: {}\n{body}", spoken(&warnings));
            let kept = Heard::of(&heard).images - 1;
            assert!(kept + notes == 2 || !warnings.is_empty(), "{who}: {kept} kept, {notes} noted\n{body}");
        }
    }
}

/// Of two media in one result, the one that the target takes stays.
#[test]
fn a_note_stands_in_place_of_one_medium_alone() {
    for protocol in Protocol::ALL {
        let mut result = ToolResult::new("call_1", "weather", "See:");
        result.content.push(Content::Media(pixel()));
        result.content.push(Content::Media(Media::url("video/x-unheard-of", "ftp://films.test/long")));
        let call = ToolCall::new("call_1", "weather", Json::object());
        let request = begun()
            .message(Assistant::new(vec![Output::ToolCall(call)]))
            .message(Message::tool_results([result]));
        let (heard, body, warnings) = hand_over(&request, protocol);
        assert!(Heard::of(&heard).images >= 2, "{protocol} loses the picture: {}\n{body}", spoken(&warnings));
    }
}

#[test]
fn every_protocol_takes_over_from_every_other_with_calls_open() {
    for from in Protocol::ALL {
        for to in Protocol::ALL {
            let mut request = begun();
            let mut sealed = Vec::new();
            turn(&mut request, from, 0, Mode::Stream, &mut sealed);
            let Some(Message::User(results)) = request.messages.last_mut() else { panic!("no results") };
            results.parts.pop();
            let (heard, body, warnings) = hand_over(&request, to);
            let who = format!("{to} after {from}");
            assert_paired(&heard, &who);
            assert_sealed(&body, to, &sealed);
            assert!(spoken(&warnings).contains("without a result"), "{who}: {}", spoken(&warnings));
            assert_eq!(Heard::of(&heard).calls.len(), 2, "{who}");
        }
    }
}

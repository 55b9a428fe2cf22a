//! The laws. Any bytes at all go in; a law that is broken panics.

use std::borrow::Cow;
use std::fmt::Debug;

use interlingua_model::{
    Content, Error, ErrorKind, Event, Fold, Format, Input, Json, Message, Origin, Output, PartialJson,
    Request, Response, System, Text, Tool, User, WarningKind,
};
use interlingua_wire::anthropic::Anthropic;
use interlingua_wire::bedrock::Bedrock;
use interlingua_wire::cohere::Cohere;
use interlingua_wire::frame::{Aws, Frame, Ndjson, Sse};
use interlingua_wire::gemini::Gemini;
use interlingua_wire::gemini_interactions::GeminiInteractions;
use interlingua_wire::ollama::Ollama;
use interlingua_wire::openai_chat::OpenaiChat;
use interlingua_wire::openai_responses::OpenaiResponses;
use interlingua_wire::replay::{Rules, prepare};
use interlingua_wire::schema::{check, for_anthropic, for_gemini, for_openai};
use interlingua_wire::{Call, Codec, Decoder, Grammar, Limits, Mint, Mode, Protocol, Serve};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[path = "../../crates/interlingua-wire/tests/it/core/fit.rs"]
mod fit;
#[path = "../../crates/interlingua-wire/tests/it/core/strict.rs"]
mod strict;

/// Small enough for a fuzzer to reach.
const LIMITS: Limits = Limits::new(1 << 16, 1 << 18);

/// The bytes that tell where to cut, and the bytes that are cut.
fn split(data: &[u8]) -> Option<(Mode, Vec<usize>, &[u8])> {
    let (flags, rest) = data.split_first()?;
    let (steps, body) = rest.split_at_checked(usize::from(flags >> 4))?;
    let mode = if flags & 1 == 0 { Mode::Stream } else { Mode::Whole };
    let mut at = 0;
    let cuts = steps.iter().map(|step| {
        at += usize::from(*step);
        at
    });
    let cuts = cuts.take_while(|cut| *cut < body.len()).collect();
    Some((mode, cuts, body))
}

/// Any split of the bytes gives the same frames.
pub(super) fn sse(data: &[u8]) {
    split_alike(data, || {
        let mut splitter = Sse::new(LIMITS.frame);
        Box::new(move |bytes, each| match bytes {
            Some(bytes) => splitter.push(bytes, each),
            None => splitter.end(each),
        })
    });
}

/// The same of lines.
pub(super) fn ndjson(data: &[u8]) {
    split_alike(data, || {
        let mut splitter = Ndjson::new(LIMITS.frame);
        Box::new(move |bytes, each| match bytes {
            Some(bytes) => splitter.push(bytes, each),
            None => splitter.end(each),
        })
    });
}

/// The same of the messages of AWS. Checksums that are wrong are mended first, or nothing would come past them.
pub(super) fn aws(data: &[u8]) {
    let new = || -> Splitting {
        let mut splitter = Aws::new(LIMITS.frame);
        Box::new(move |bytes, each| match bytes {
            Some(bytes) => splitter.push(bytes, each),
            None => splitter.end(),
        })
    };
    split_alike(data, new);
    if let Some((_, cuts, body)) = split(data) {
        let body = mended(body);
        assert_eq!(frames(new(), &body, &[]), frames(new(), &body, &cuts));
    }
}

/// Takes bytes, or the end of them, and gives frames.
type Splitting = Box<dyn FnMut(Option<&[u8]>, Each<'_>) -> Result<(), Error>>;
type Each<'e> = &'e mut dyn FnMut(&Frame<'_>) -> Result<(), Error>;

fn split_alike(data: &[u8], new: impl Fn() -> Splitting) {
    let Some((_, cuts, body)) = split(data) else { return };
    assert_eq!(frames(new(), body, &[]), frames(new(), body, &cuts));
}

/// What bytes are split into, and how that ended.
fn frames(mut splitting: Splitting, body: &[u8], cuts: &[usize]) -> (Vec<String>, Option<ErrorKind>) {
    let mut frames = Vec::new();
    let mut from = 0;
    let pieces = cuts.iter().copied().chain([body.len()]).map(|cut| {
        let piece = &body[from..cut];
        from = cut;
        Some(piece)
    });
    let outcome = pieces.chain([None]).try_for_each(|bytes| {
        splitting(bytes, &mut |frame| {
            let headers: Vec<_> = frame.headers.iter().collect();
            frames.push(format!("{:?} {:?} {} {headers:?}", frame.name, frame.data, frame.cut));
            Ok(())
        })
    });
    (frames, outcome.err().map(|error| error.kind()))
}

/// Messages whose checksums are right, however long they say that they are.
fn mended(body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    let mut at = 0;
    while let Some(prelude) = body.get(at..at + 8) {
        let length = prelude[..4].iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
        let sum = checksum(prelude);
        let Some(place) = body.get_mut(at + 8..at + 12) else { break };
        place.copy_from_slice(&sum);
        let end = at.saturating_add(length).saturating_sub(4);
        let Some(sum) = body.get(at..end).map(checksum) else { break };
        let Some(place) = body.get_mut(end..end + 4) else { break };
        place.copy_from_slice(&sum);
        at += length.max(16);
    }
    body
}

/// CRC-32, bit by bit.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    });
    (!sum).to_be_bytes()
}

/// Any bytes give events that obey the grammar, or an error; any split of them gives the same,
/// and so does reading every frame in full.
pub(super) fn decode(codec: &dyn Codec, data: &[u8]) {
    let Some((mode, cuts, body)) = split(data) else { return };
    let whole = decoded(codec, mode, body, &[]);
    let pieces = decoded(codec, mode, body, &cuts);
    assert_eq!(whole, pieces);
    let full = drained(codec.decoder(mode, LIMITS).with_shortcut(false), body, &[]);
    assert_eq!(whole, full);
}

/// Any bytes are a client's request or an error. What came through once comes through again unchanged.
pub(super) fn serve(codec: &dyn Serve, data: &[u8]) {
    let call = Call::post(path(codec.protocol()), data.to_vec());
    let Ok((request, mode)) = codec.decode_request(&call) else { return };
    if let Some((once, _)) = passed(codec, &request, mode) {
        settled(codec, once, mode);
    }
}

/// What one half decodes the other half encodes; the bytes that it makes decode again.
pub(super) fn answer(codec: &dyn Serve, data: &[u8]) {
    let Some((mode, _, body)) = split(data) else { return };
    let (events, error) = decoded(codec, mode, body, &[]);
    // Half of a surrogate pair is no text: verbatim JSON that holds one is passed on and cannot be read.
    let is_text = !body.windows(3).any(|bytes| bytes.eq_ignore_ascii_case(br"\ud"));
    if error.is_none() && is_text {
        echo(codec, mode, &events);
    }
}

/// What our own shape reads it writes, and reads the same again.
pub(super) fn shape(data: &[u8]) {
    fn again<T: Serialize + DeserializeOwned + PartialEq + Debug>(data: &[u8]) {
        let Ok(value) = serde_json::from_slice::<T>(data) else { return };
        let text = serde_json::to_string(&value).unwrap_or_else(|error| panic!("{error}: {value:#?}"));
        let back: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"));
        assert_eq!(back, value, "through {text}");
    }
    again::<Request>(data);
    again::<Response>(data);
    again::<Event>(data);
    again::<Vec<Event>>(data);
}

/// Any request goes out by every protocol and is read there; what that half made of it comes back the same.
pub(super) fn request(data: &[u8]) {
    let Ok(request) = serde_json::from_slice::<Request>(data) else { return };
    for codec in codecs() {
        for mode in [Mode::Stream, Mode::Whole] {
            let Some((call, _)) = sent(codec, &request, mode) else { continue };
            // What stands in the namespace of a protocol goes out as it is, be it sensible or not.
            let Ok((once, mode)) = codec.decode_request(&call) else { continue };
            settled(codec, once, mode);
        }
    }
}

/// Any events fold; those of an answer go out by every protocol and come back as an answer.
pub(super) fn events(data: &[u8]) {
    let Ok(events) = serde_json::from_slice::<Vec<Event>>(data) else { return };
    let (mut grammar, mut fold) = (Grammar::default(), Fold::new());
    let mut is_answer = true;
    for event in &events {
        is_answer &= grammar.check(event).is_ok();
        fold.push(event);
    }
    let _ = fold.into_response();
    if is_answer && grammar.end().is_ok() {
        for codec in codecs() {
            for mode in [Mode::Stream, Mode::Whole] {
                // What stands in the namespace of a protocol goes out as it is, be it sensible or not.
                if let Some((_, once, None)) = heard(codec, mode, &events) {
                    echo(codec, mode, &once);
                }
            }
        }
    }
}

/// Any split of a text gives the same value, which is the one of `serde_json`, and shows its parts in the same order.
pub(super) fn partial_json(data: &[u8]) {
    let Some((_, cuts, body)) = split(data) else { return };
    // By this name `serde_json` tells itself that a string holds a text of its own.
    if body.windows(13).any(|window| window == b"::private::Raw") {
        return;
    }
    let whole = read_json(body, &[]);
    assert_eq!(read_json(body, &cuts), whole);
    assert_eq!(whole.1.ok(), serde_json::from_slice::<serde_json::Value>(body).ok());
}

/// What was completed on the way, and the value.
fn read_json(body: &[u8], cuts: &[usize]) -> (Vec<String>, Result<serde_json::Value, String>) {
    let mut reader = PartialJson::new();
    let mut seen = Vec::new();
    let mut from = 0;
    let mut outcome = Ok(());
    for cut in cuts.iter().copied().chain([body.len()]) {
        let read = reader.push_with(&body[from..cut], |path, value| seen.push(format!("{path} {value}")));
        outcome = outcome.and(read);
        from = cut;
    }
    let value = outcome.and_then(|()| reader.into_value());
    (seen, value.map_err(|error| error.message().to_owned()))
}

/// Any schema becomes one that keeps the rules of the target and is left alone the second time; any schema can be checked against.
pub(super) fn schema(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let schema = Json::from_text(text);
    for (target, rewrite) in [("openai", for_openai as fn(&Json) -> _), ("anthropic", for_anthropic)] {
        let (once, warnings) = rewrite(&schema);
        let Ok(found) = once.to_value() else {
            assert_eq!((&once, warnings.len()), (&schema, 1));
            continue;
        };
        if schema.to_value().is_ok() && !schema.is_blank() {
            strict::check(target, &found);
        }
        let (twice, warnings) = rewrite(&once);
        assert_eq!(twice, once, "for {target}");
        let changes = warnings.iter().find(|warning| warning.kind != WarningKind::Ignored);
        assert_eq!(changes, None, "for {target} in {once}");
    }
    if let Ok(schema) = schema.to_value() {
        // A schema is a value like any other.
        for mismatch in check(&schema, &schema) {
            assert!(schema.pointer(&mismatch.path).is_some(), "{mismatch:?}");
        }
    }
    let (once, _) = for_gemini(&schema);
    let (twice, warnings) = for_gemini(&once);
    assert_eq!(twice, once, "for gemini");
    let changes = warnings.iter().find(|warning| warning.kind != WarningKind::Ignored);
    assert_eq!(changes, None, "for gemini in {once}");
}

/// Any history becomes one that the target takes, in which nothing is changed the second time.
pub(super) fn replay(data: &[u8]) {
    let Some((choice, body)) = data.split_first() else { return };
    let Ok(request) = serde_json::from_slice::<Request>(body) else { return };
    let protocol = Protocol::ALL[usize::from(choice >> 5 ^ choice & 7) % Protocol::ALL.len()];
    let target = Origin::new(protocol.id(), if choice & 4 == 0 { "s" } else { "t" }, "m");
    let rules =
        Rules::default().with_reasoning_as_text(choice & 8 != 0).with_trust_in_unknown(choice & 16 != 0);
    let (found, warnings) = prepare(&request, &target, rules);
    fit::assert_nothing_foreign(&found, protocol.id());
    // The calls of a conversation that goes on from what the provider keeps lie with the provider.
    let is_continued = request.extra.fields(protocol.id()).is_some()
        || String::from_utf8_lossy(body).contains("item_reference");
    if protocol != Protocol::OpenaiChat && !is_continued {
        fit::assert_paired(&found);
    }
    assert_eq!(found.with_messages(Vec::new()), request.with_messages(Vec::new()));
    if matches!(found, Cow::Borrowed(_)) {
        assert_eq!(warnings, []);
    }
    let (again, warnings) = prepare(&found, &target, rules);
    assert_eq!(again, found, "the second time");
    assert_eq!(warnings, [], "the second time");
}

fn codecs() -> [&'static dyn Serve; 8] {
    use std::sync::LazyLock;
    static CHAT: LazyLock<OpenaiChat> = LazyLock::new(OpenaiChat::default);
    static RESPONSES: LazyLock<OpenaiResponses> = LazyLock::new(OpenaiResponses::default);
    static ANTHROPIC: LazyLock<Anthropic> = LazyLock::new(Anthropic::default);
    static COHERE: LazyLock<Cohere> = LazyLock::new(Cohere::default);
    static BEDROCK: LazyLock<Bedrock> = LazyLock::new(Bedrock::default);
    static OLLAMA: LazyLock<Ollama> = LazyLock::new(Ollama::default);
    static GEMINI: LazyLock<Gemini> = LazyLock::new(Gemini::default);
    static INTERACTIONS: LazyLock<GeminiInteractions> = LazyLock::new(GeminiInteractions::default);
    [&*CHAT, &*RESPONSES, &*ANTHROPIC, &*COHERE, &*BEDROCK, &*OLLAMA, &*GEMINI, &*INTERACTIONS]
}

pub(super) const fn path(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::OpenaiChat => "/v1/chat/completions",
        Protocol::OpenaiResponses => "/v1/responses",
        Protocol::Cohere => "/v2/chat",
        Protocol::Bedrock => "/model/m/converse-stream",
        Protocol::Ollama => "/api/chat",
        Protocol::GeminiInteractions => "/interactions",
        Protocol::Gemini => "/models/m:streamGenerateContent?alt=sse",
        _ => "/v1/messages",
    }
}

/// A request as it goes out, and whether something could not be said; `None` when it cannot be made at all.
fn sent(codec: &dyn Serve, request: &Request, mode: Mode) -> Option<(Call, bool)> {
    let encoded = codec.encode(request, mode).ok()?;
    let again = codec.encode(request, mode).map(|again| again.call.body);
    assert_eq!(
        Some(&encoded.call.body),
        again.as_ref().ok(),
        "encoding the same request twice gives other bytes"
    );
    Some((encoded.call, !encoded.warnings.is_empty()))
}

/// A request as it comes back, and whether something could not be said.
fn passed(codec: &dyn Serve, request: &Request, mode: Mode) -> Option<(Request, bool)> {
    let (call, is_warned) = sent(codec, request, mode)?;
    let (back, mode_back) = codec
        .decode_request(&call)
        .unwrap_or_else(|error| panic!("{error}\nin {}", String::from_utf8_lossy(&call.body)));
    assert_eq!(mode, mode_back);
    Some((back, is_warned))
}

/// What came through once comes through again unchanged, or a warning says what does not.
fn settled(codec: &dyn Serve, once: Request, mode: Mode) {
    if let Some((twice, false)) = passed(codec, &once, mode) {
        assert_eq!(meaning(once), meaning(twice));
    }
}

/// A request without what may change on its way: a schema takes the form of its target, an empty text may stand for
/// nothing, and that a client did not ask for usage is no part of what goes on.
fn meaning(mut request: Request) -> Request {
    request.extra.take("openai_chat", "stream_options");
    if let Some(Format::Schema(format)) = &mut request.format {
        format.schema = for_anthropic(&for_openai(&format.schema).0).0;
    }
    for tool in &mut request.tools {
        if let Tool::Function(function) = tool {
            function.input = for_anthropic(&for_openai(&function.input).0).0;
        }
    }
    for message in &mut request.messages {
        match message {
            Message::System(System { parts, .. }) | Message::User(User { parts, .. }) => {
                parts.retain(|part| !matches!(part, Input::Text(text) if is_nothing(text)));
                for part in parts {
                    if let Input::ToolResult(result) = part {
                        result
                            .content
                            .retain(|part| !matches!(part, Content::Text(text) if is_nothing(text)));
                    }
                }
            }
            Message::Assistant(assistant) => {
                assistant.parts.retain(|part| !matches!(part, Output::Text(text) if is_nothing(text)));
            }
            _ => {}
        }
    }
    request
}

fn is_nothing(text: &Text) -> bool {
    *text == Text::default()
}

/// Events that a decoder made go out as bytes that decode, and so do the events of those.
fn echo(codec: &dyn Serve, mode: Mode, events: &[Event]) {
    let Some((bytes, once, error)) = heard(codec, mode, events) else { return };
    assert_eq!(error, None, "in {}", String::from_utf8_lossy(&bytes));
    let Some((bytes, _, error)) = heard(codec, mode, &once) else { return };
    assert_eq!(error, None, "in {}", String::from_utf8_lossy(&bytes));
}

/// The bytes that events make, and what they decode to; `None` when the protocol cannot express them.
fn heard(codec: &dyn Serve, mode: Mode, events: &[Event]) -> Option<(Vec<u8>, Vec<Event>, Option<String>)> {
    let mut encoder = codec.encoder(&Request::new("m"), mode, Mint::new(1_795_000_000, "0a1b2c"));
    events.iter().try_for_each(|event| encoder.push(event)).ok()?;
    assert!(encoder.is_finished());
    let bytes = encoder.take().to_vec();
    let (events, error) = decoded(codec, mode, &bytes, &[]);
    Some((bytes, events, error))
}

fn decoded(codec: &dyn Codec, mode: Mode, body: &[u8], cuts: &[usize]) -> (Vec<Event>, Option<String>) {
    drained(codec.decoder(mode, LIMITS), body, cuts)
}

fn drained(mut decoder: Decoder, body: &[u8], cuts: &[usize]) -> (Vec<Event>, Option<String>) {
    let (mut grammar, mut fold, mut events) = (Grammar::default(), Fold::new(), Vec::new());
    let mut outcome = Ok(());
    let mut from = 0;
    for cut in cuts.iter().copied().map(Some).chain([Some(body.len()), None]) {
        outcome = match cut {
            Some(cut) => decoder.push(&body[from..cut]),
            None => decoder.end(),
        };
        from = cut.unwrap_or(from);
        while let Some(event) = decoder.poll() {
            if let Err(violation) = grammar.check(&event) {
                panic!("{violation}\nafter {events:#?}");
            }
            fold.push(&event);
            events.push(event);
        }
        if outcome.is_err() {
            break;
        }
    }
    if outcome.is_ok()
        && let Err(violation) = grammar.end()
    {
        panic!("{violation}: {events:#?}");
    }
    let _ = fold.response();
    (events, outcome.err().map(|error| error.to_string()))
}

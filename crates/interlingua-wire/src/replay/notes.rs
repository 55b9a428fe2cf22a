//! Media that a target does not take: a text in their place says that they were there.

use std::borrow::Cow;

use interlingua_model::{
    Assistant, Content, Error, Input, Json, Media, MediaKind, Message, Output, Request, Text, ToolCall,
    ToolResult, Warning, WarningKind,
};

use crate::{Codec, Encoded, Mode};

/// Writes a request as [`Codec::encode_as`] does, with a short text in place of each picture, sound or file that the codec would
/// leave out, so that the model knows that there was one. The warnings are those of the codec.
///
/// ```
/// use interlingua_model::{Media, Request, User, Input};
/// use interlingua_wire::{Codec, Mode, anthropic::Anthropic, replay};
///
/// let sound = Media::bytes("audio/wav", vec![0; 4]).named("bell.wav");
/// let request = Request::new("any").message(User::new(vec![Input::from("Which note?"), Input::Media(sound)]));
/// let encoded = replay::encode(&Anthropic::default(), "any", &request, Mode::Whole)?;
/// assert!(String::from_utf8_lossy(&encoded.call.body).contains("[audio/wav bell.wav was here, which this model does not take]"));
/// assert_eq!(encoded.warnings.len(), 1);
/// # Ok::<(), interlingua_model::Error>(())
/// ```
///
/// # Errors
/// As [`Codec::encode_as`].
pub fn encode(codec: &dyn Codec, model: &str, request: &Request, mode: Mode) -> Result<Encoded, Error> {
    let encoded = codec.encode_as(model, request, mode)?;
    let places: Vec<_> = encoded.warnings.iter().filter_map(|warning| place(request, warning)).collect();
    if places.is_empty() {
        return Ok(encoded);
    }
    let taken = |result: &ToolResult, medium: usize| is_taken(codec, model, result, medium);
    let noted = noted(request, &places, &taken);
    let mut again = codec.encode_as(model, &noted, mode)?;
    let left_out: Vec<_> =
        encoded.warnings.into_iter().filter(|warning| place(request, warning).is_some()).collect();
    again.warnings.splice(0..0, left_out);
    Ok(again)
}

/// Says whether a medium in a tool's result is taken.
type Taken<'a> = &'a dyn Fn(&ToolResult, usize) -> bool;

/// Whether a medium would be taken if it were the only one in a tool's result.
fn is_taken(codec: &dyn Codec, model: &str, result: &ToolResult, medium: usize) -> bool {
    let Some(part) = result.content.get(medium) else { return false };
    let call = ToolCall::new(&*result.call, &*result.name, Json::object());
    let mut alone = ToolResult::new(&*result.call, &*result.name, "");
    alone.content = vec![part.clone()];
    let probe = Request::new(model)
        .message(Assistant::new(vec![Output::ToolCall(call)]))
        .message(Message::tool_results([alone]));
    let encoded = codec.encode_as(model, &probe, Mode::Whole);
    encoded.is_ok_and(|encoded| encoded.warnings.iter().all(|warning| place(&probe, warning).is_none()))
}

/// The request with notes in place of the media that were left out.
fn noted(request: &Request, places: &[Place], taken: Taken<'_>) -> Request {
    let mut noted = request.clone();
    for place in places {
        if let Some(message) = noted.messages.get_mut(place.message) {
            put(message, *place, taken);
        }
    }
    noted
}

/// Where a medium was left out: its message, its part, and its place in the content of a tool's result; without that, one or
/// more of the media there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    message: usize,
    part: usize,
    content: Option<usize>,
}

/// The place that a warning is about, if a medium was left out there.
fn place(request: &Request, warning: &Warning) -> Option<Place> {
    if warning.kind != WarningKind::Dropped {
        return None;
    }
    let (message, rest) = index(&warning.setting, "messages[")?;
    let (part, rest) = index(rest, ".parts[")?;
    let content = index(rest, ".content[");
    let ends = matches!(rest, "" | ".content") || content.is_some_and(|(_, rest)| rest.is_empty());
    let place = Place { message, part, content: content.map(|(content, _)| content) };
    (ends && holds_medium(request.messages.get(message)?, place)).then_some(place)
}

fn index<'t>(text: &'t str, before: &str) -> Option<(usize, &'t str)> {
    let (digits, rest) = text.strip_prefix(before)?.split_once(']')?;
    Some((digits.parse().ok()?, rest))
}

fn holds_medium(message: &Message, place: Place) -> bool {
    let in_inputs = |parts: &[Input]| match parts.get(place.part) {
        Some(Input::Media(_)) => true,
        Some(Input::ToolResult(result)) => {
            result.content.iter().enumerate().any(|(at, part)| is_left_out(part, at, place))
        }
        _ => false,
    };
    match message {
        Message::System(system) => in_inputs(&system.parts),
        Message::User(user) => in_inputs(&user.parts),
        Message::Assistant(assistant) => matches!(assistant.parts.get(place.part), Some(Output::Media(_))),
        _ => false,
    }
}

fn is_left_out(part: &Content, at: usize, place: Place) -> bool {
    matches!(part, Content::Media(_)) && place.content.is_none_or(|left_out| left_out == at)
}

fn put(message: &mut Message, place: Place, taken: Taken<'_>) {
    let in_inputs = |parts: &mut Vec<Input>| match parts.get_mut(place.part) {
        Some(part @ Input::Media(_)) => {
            let Input::Media(media) = part else { return };
            *part = Input::Text(note(media));
        }
        Some(Input::ToolResult(result)) => put_in_result(result, place, taken),
        _ => {}
    };
    match message {
        Message::System(system) => in_inputs(&mut system.parts),
        Message::User(user) => in_inputs(&mut user.parts),
        Message::Assistant(assistant) => {
            if let Some(Output::Media(media)) = assistant.parts.get(place.part) {
                let note = note(media);
                if let Some(part) = assistant.parts.get_mut(place.part) {
                    *part = Output::Text(note);
                }
            }
        }
        _ => {}
    }
}

fn put_in_result(result: &mut ToolResult, place: Place, taken: Taken<'_>) {
    let media = result.content.iter().enumerate().filter(|(at, part)| is_left_out(part, *at, place));
    let media: Vec<_> = media.map(|(at, _)| at).collect();
    let one = media.len() == 1;
    let left_out: Vec<_> = media.into_iter().filter(|at| one || !taken(result, *at)).collect();
    for at in left_out {
        if let Some(part) = result.content.get_mut(at)
            && let Content::Media(medium) = &*part
        {
            *part = Content::Text(note(medium));
        }
    }
}

/// What stands in place of a medium: its type, its name, and its words, where it has any.
fn note(media: &Media) -> Text {
    let what = match media.kind() {
        MediaKind::Document if media.mime.is_empty() => Cow::Borrowed("a file"),
        _ => Cow::Borrowed(&*media.mime),
    };
    let name = media.name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    let words = media.transcript.as_deref().map(|words| format!(": {words}")).unwrap_or_default();
    let mut text = Text::new(format!("[{what}{name} was here, which this model does not take{words}]"));
    text.cache = media.cache;
    text
}

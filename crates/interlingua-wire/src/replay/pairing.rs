use std::borrow::Cow;

use interlingua_model::{Content, Input, Message, Origin, Output, Request, Text, ToolCall, ToolResult, User};

use super::{Loss, Losses, Passed};
use crate::places::Words;

/// Most characters of an id that services take.
const LONGEST: usize = 64;

/// Puts every result behind its call, and makes up for what is missing.
#[derive(Debug)]
pub(super) struct Pairing<'p> {
    losses: &'p mut Losses,
    /// Ids may hold letters, digits, `_` and `-` alone.
    is_narrow: bool,
    /// Ids must be unique within the conversation.
    is_unique: bool,
    /// Earlier messages lie with the provider, and so may the calls of results.
    is_continued: bool,
    used: Words,
}

/// Where a result stands: index of the message and of the part.
type Place = (usize, usize);

/// A call of the caller's tools, its result, and the id that both will carry.
#[derive(Debug)]
struct Pair {
    message: usize,
    part: usize,
    /// Which of the results it is.
    result: Option<usize>,
    id: Option<String>,
}

/// The results of a conversation in order.
struct Results {
    list: Vec<Found>,
    /// The first result of each id that no call has got yet, as far as one may still come.
    first: Words,
}

/// A result, and what becomes of it.
struct Found {
    place: Place,
    /// The next result of the same id.
    next: usize,
    /// The message of the call that it belongs to.
    turn: Option<usize>,
    /// It goes to where its call is.
    is_moved: bool,
    /// The id that it gets.
    id: Option<String>,
}

impl<'p> Pairing<'p> {
    pub(super) fn new(request: &Request, target: &Origin, losses: &'p mut Losses) -> Self {
        let protocol = &*target.protocol;
        let is_continued = ["previous_response_id", "previous_interaction_id", "conversation", "thread"]
            .iter()
            .any(|name| request.extra.get(protocol, name).is_some_and(|value| value.as_str() != "null"));
        Self {
            losses,
            is_narrow: matches!(protocol, "anthropic" | "bedrock"),
            is_unique: matches!(protocol, "anthropic" | "bedrock" | "openai_responses"),
            is_continued: is_continued || refers_to_stored_items(request),
            used: Words::default(),
        }
    }

    pub(super) fn pair(mut self, messages: Vec<Passed<'_>>) -> Vec<Passed<'_>> {
        let mut results = Results::of(&messages);
        let mut turns: Vec<Vec<Pair>> = Vec::with_capacity(messages.len());
        for (at, message) in messages.iter().enumerate() {
            let pairs = calls_of(message).map(|(part, call)| Pair {
                message: at,
                part,
                result: results.take(&call.id, at),
                id: self.identify(&call.id, at, part),
            });
            turns.push(pairs.collect());
        }
        let in_place = |(at, pairs): (usize, &Vec<Pair>)| results.are_in_place(&messages, at, pairs);
        let in_place: Vec<bool> = turns.iter().enumerate().map(in_place).collect();
        let is_whole = in_place.iter().all(|is_in_place| *is_in_place)
            && turns.iter().flatten().all(|pair| pair.id.is_none())
            && !results.list.iter().any(|result| self.is_orphan(result));
        if is_whole { messages } else { self.rebuild(messages, turns, &in_place, results) }
    }

    /// Whether a result has no call in the conversation.
    const fn is_orphan(&self, result: &Found) -> bool {
        result.turn.is_none() && !self.is_continued
    }

    /// Another id, where the target does not take this one.
    fn identify(&mut self, id: &str, message: usize, part: usize) -> Option<String> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let is_fine = !id.is_empty()
            && id.chars().count() <= LONGEST
            && (!self.is_narrow || id.chars().all(is_allowed))
            && !(self.is_unique && self.used.get(id).is_some());
        if is_fine {
            self.used.set(id, message);
            return None;
        }
        self.losses.add(Loss::Identifier, || format!("messages[{message}].parts[{part}]"));
        let clean: String = id.chars().map(|c| if is_allowed(c) { c } else { '_' }).take(40).collect();
        // Where the id repeats, the place tells the calls apart; earlier places never change as a conversation grows.
        let mut salt =
            if self.used.get(id).is_some() || id.is_empty() { message * 1_000 + part + 1 } else { 0 };
        loop {
            let found = format!("{clean}_{:016x}", hash(id, salt));
            if self.used.set(&found, message).is_none() {
                return Some(found);
            }
            salt += 1;
        }
    }

    fn rebuild<'a>(
        &mut self,
        messages: Vec<Passed<'a>>,
        turns: Vec<Vec<Pair>>,
        in_place: &[bool],
        mut results: Results,
    ) -> Vec<Passed<'a>> {
        let mut inserted: Vec<Option<Message>> = Vec::with_capacity(turns.len());
        for (pairs, is_in_place) in turns.iter().zip(in_place) {
            for pair in pairs {
                if let Some(result) = pair.result.and_then(|at| results.list.get_mut(at)) {
                    result.id.clone_from(&pair.id);
                    result.is_moved = !is_in_place;
                }
            }
            inserted.push((!is_in_place).then(|| self.answers(&messages, pairs, &results)));
        }
        let mut out = Vec::with_capacity(messages.len());
        for (((at, message), pairs), answers) in messages.into_iter().enumerate().zip(turns).zip(inserted) {
            let message = rename_calls(message, &pairs);
            out.extend(self.inputs(at, message, &results));
            out.extend(answers.map(Cow::Owned));
        }
        out
    }

    /// The message that answers every call of a turn, in the order of the calls.
    fn answers(&mut self, messages: &[Passed<'_>], pairs: &[Pair], results: &Results) -> Message {
        let mut has_moved = false;
        let mut answers = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let Some(call) = call_at(messages, pair) else { continue };
            let id = pair.id.as_ref().unwrap_or(&call.id);
            if let Some(result) = pair.result.and_then(|at| result_at(messages, results.list.get(at)?.place))
            {
                has_moved = true;
                answers.push(answering(result, id));
            } else {
                self.losses
                    .add(Loss::MissingResult, || format!("messages[{}].parts[{}]", pair.message, pair.part));
                let mut result = ToolResult::error(&**id, &*call.name, "no result");
                result.kind = call.kind;
                answers.push(result);
            }
        }
        if let Some(pair) = pairs.first().filter(|_| has_moved) {
            self.losses.add(Loss::Moved, || format!("messages[{}]", pair.message));
        }
        Message::tool_results(answers)
    }

    /// A user message without the results that have moved, with those renamed that stay and orphans as text.
    fn inputs<'a>(&mut self, at: usize, message: Passed<'a>, results: &Results) -> Option<Passed<'a>> {
        let Message::User(user) = &*message else { return Some(message) };
        let is_changed = |result: &Found| result.is_moved || result.id.is_some() || self.is_orphan(result);
        if !(0..user.parts.len()).any(|part| results.at((at, part)).is_some_and(is_changed)) {
            return Some(message);
        }
        let mut parts = Vec::with_capacity(user.parts.len());
        for (number, part) in user.parts.iter().enumerate() {
            match (part, results.at((at, number))) {
                (_, Some(found)) if found.is_moved => {}
                (Input::ToolResult(result), Some(found)) if self.is_orphan(found) => {
                    self.losses.add(Loss::OrphanResult, || format!("messages[{at}].parts[{number}]"));
                    parts.extend(as_text(result));
                }
                (Input::ToolResult(result), Some(found)) => {
                    let id = found.id.as_ref().unwrap_or(&result.call);
                    parts.push(Input::ToolResult(answering(result, id)));
                }
                (other, _) => parts.push(other.clone()),
            }
        }
        let mut changed = User::new(parts);
        changed.extra = user.extra.clone();
        (!changed.parts.is_empty()).then(|| Cow::Owned(changed.into()))
    }
}

impl Results {
    fn of(messages: &[Passed<'_>]) -> Self {
        let mut list = Vec::new();
        let mut ids = Vec::new();
        for (at, message) in messages.iter().enumerate() {
            let Message::User(user) = &**message else { continue };
            for (part, input) in user.parts.iter().enumerate() {
                if let Input::ToolResult(result) = input {
                    let place = (at, part);
                    list.push(Found { place, next: usize::MAX, turn: None, is_moved: false, id: None });
                    ids.push(&*result.call);
                }
            }
        }
        let mut first = Words::default();
        for (at, (found, id)) in list.iter_mut().zip(&ids).enumerate().rev() {
            found.next = first.set(id, at).unwrap_or(usize::MAX);
        }
        Self { list, first }
    }

    /// The result of a call: the nearest one behind it that carries its id and belongs to no call yet. Calls are asked for in
    /// the order of their messages, so that what stands before this one is of no use to a later one either.
    fn take(&mut self, id: &str, message: usize) -> Option<usize> {
        let mut at = self.first.get(id)?;
        while let Some(found) = self.list.get_mut(at) {
            let (taken, next) = (at, found.next);
            at = next;
            if found.place.0 > message {
                found.turn = Some(message);
                self.first.set(id, next);
                return Some(taken);
            }
        }
        self.first.set(id, usize::MAX);
        None
    }

    fn at(&self, place: Place) -> Option<&Found> {
        self.list.get(self.list.binary_search_by(|found| found.place.cmp(&place)).ok()?)
    }

    /// Whether the results of a turn lead what follows it: in the next user messages, before anything else.
    fn are_in_place(&self, messages: &[Passed<'_>], at: usize, pairs: &[Pair]) -> bool {
        if pairs.iter().any(|pair| pair.result.is_none()) {
            return false;
        }
        let mut missing = pairs.len();
        for (number, message) in messages.iter().enumerate().skip(at + 1) {
            let Message::User(user) = &**message else { break };
            for part in 0..user.parts.len() {
                if missing == 0 {
                    return true;
                }
                if self.at((number, part)).is_none_or(|found| found.turn != Some(at)) {
                    return false;
                }
                missing -= 1;
            }
        }
        missing == 0
    }
}

fn calls_of(message: &Message) -> impl Iterator<Item = (usize, &ToolCall)> {
    let parts = match message {
        Message::Assistant(assistant) => &*assistant.parts,
        _ => &[],
    };
    parts.iter().enumerate().filter_map(|(index, part)| match part {
        Output::ToolCall(call) if call.run_by.is_caller() => Some((index, call)),
        _ => None,
    })
}

fn call_at<'m>(messages: &'m [Passed<'_>], pair: &Pair) -> Option<&'m ToolCall> {
    let message = messages.get(pair.message)?;
    calls_of(message).find(|(index, _)| *index == pair.part).map(|(_, call)| call)
}

fn result_at<'m>(messages: &'m [Passed<'_>], (message, part): Place) -> Option<&'m ToolResult> {
    match &**messages.get(message)? {
        Message::User(user) => match user.parts.get(part)? {
            Input::ToolResult(result) => Some(result),
            _ => None,
        },
        _ => None,
    }
}

fn rename_calls<'a>(message: Passed<'a>, pairs: &[Pair]) -> Passed<'a> {
    if pairs.iter().all(|pair| pair.id.is_none()) {
        return message;
    }
    let mut owned = message.into_owned();
    if let Message::Assistant(assistant) = &mut owned {
        for pair in pairs {
            if let (Some(Output::ToolCall(call)), Some(id)) = (assistant.parts.get_mut(pair.part), &pair.id) {
                call.id.clone_from(id);
            }
        }
    }
    Cow::Owned(owned)
}

/// A result as that of another id.
fn answering(result: &ToolResult, id: &str) -> ToolResult {
    let mut result = result.clone();
    id.clone_into(&mut result.call);
    result
}

/// A result without its call, as something that the user says.
fn as_text(result: &ToolResult) -> Vec<Input> {
    let tool = if result.name.is_empty() { "a tool" } else { &*result.name };
    let outcome = if result.is_error { "Error" } else { "Result" };
    let heading = Text::new(format!("{outcome} of {tool}:"));
    let content = result.content.iter().cloned().map(|part| match part {
        Content::Text(text) => Input::Text(text),
        Content::Media(media) => Input::Media(media),
        Content::Custom(custom) => Input::Custom(custom),
        _ => Input::Text(Text::default()),
    });
    std::iter::once(Input::Text(heading)).chain(content).collect()
}

/// Whether a part stands for an item that lies with the provider, which may be a call.
fn refers_to_stored_items(request: &Request) -> bool {
    request.messages.iter().any(|message| match message {
        Message::User(user) => user
            .parts
            .iter()
            .any(|part| matches!(part, Input::Custom(custom) if custom.kind == "item_reference")),
        Message::Assistant(assistant) => assistant
            .parts
            .iter()
            .any(|part| matches!(part, Output::Custom(custom) if custom.kind == "item_reference")),
        _ => false,
    })
}

/// FNV-1a, so that the same conversation always gets the same ids.
fn hash(id: &str, salt: usize) -> u64 {
    let bytes = id.bytes().chain(salt.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};

use interlingua_model::{Content, Input, Message, Origin, Output, Request, Text, ToolCall, ToolResult, User};

use super::{Loss, Losses, Passed};

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
    used: HashSet<String>,
}

/// Where a result stands: index of the message and of the part.
type Place = (usize, usize);

/// A call of the caller's tools, its result, and the id that both will carry.
#[derive(Debug)]
struct Pair {
    message: usize,
    part: usize,
    result: Option<Place>,
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
            used: HashSet::new(),
        }
    }

    pub(super) fn pair(mut self, messages: Vec<Passed<'_>>) -> Vec<Passed<'_>> {
        let mut results = results_of(&messages);
        let mut turns: Vec<Vec<Pair>> = Vec::with_capacity(messages.len());
        for (at, message) in messages.iter().enumerate() {
            let pairs = calls_of(message).map(|(part, call)| self.pair_one(at, part, call, &mut results));
            turns.push(pairs.collect());
        }
        let orphans: HashSet<Place> =
            if self.is_continued { HashSet::new() } else { results.into_values().flatten().collect() };
        let is_whole = orphans.is_empty()
            && turns.iter().flatten().all(|pair| pair.id.is_none())
            && turns.iter().enumerate().all(|(at, pairs)| is_in_place(&messages, at, pairs));
        if is_whole { messages } else { self.rebuild(messages, turns, &orphans) }
    }

    fn pair_one(
        &mut self,
        message: usize,
        part: usize,
        call: &ToolCall,
        results: &mut HashMap<String, VecDeque<Place>>,
    ) -> Pair {
        // A result belongs to the nearest call before it that carries its id.
        let places = results.get_mut(&call.id);
        let result = places.and_then(|places| {
            let index = places.iter().position(|(at, _)| *at > message)?;
            places.remove(index)
        });
        let id = self.identify(&call.id, message, part);
        Pair { message, part, result, id }
    }

    /// Another id, where the target does not take this one.
    fn identify(&mut self, id: &str, message: usize, part: usize) -> Option<String> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let is_fine = !id.is_empty()
            && id.chars().count() <= LONGEST
            && (!self.is_narrow || id.chars().all(is_allowed))
            && !(self.is_unique && self.used.contains(id));
        if is_fine {
            self.used.insert(id.to_owned());
            return None;
        }
        self.losses.add(Loss::Identifier, || format!("messages[{message}].parts[{part}]"));
        let clean: String = id.chars().map(|c| if is_allowed(c) { c } else { '_' }).take(40).collect();
        // Where the id repeats, the place tells the calls apart; earlier places never change as a conversation grows.
        let mut salt = if self.used.contains(id) || id.is_empty() { message * 1_000 + part + 1 } else { 0 };
        loop {
            let found = format!("{clean}_{:016x}", hash(id, salt));
            if self.used.insert(found.clone()) {
                return Some(found);
            }
            salt += 1;
        }
    }

    fn rebuild<'a>(
        &mut self,
        messages: Vec<Passed<'a>>,
        turns: Vec<Vec<Pair>>,
        orphans: &HashSet<Place>,
    ) -> Vec<Passed<'a>> {
        let in_place: Vec<bool> = (0..turns.len())
            .map(|at| turns.get(at).is_none_or(|pairs| is_in_place(&messages, at, pairs)))
            .collect();
        let mut renamed: HashMap<Place, String> = HashMap::new();
        let mut moved: HashSet<Place> = HashSet::new();
        for (pairs, is_in_place) in turns.iter().zip(&in_place) {
            for pair in pairs {
                let Some(place) = pair.result else { continue };
                renamed.extend(pair.id.clone().map(|id| (place, id)));
                if !is_in_place {
                    moved.insert(place);
                }
            }
        }
        let mut inserted: Vec<Option<Message>> = Vec::with_capacity(turns.len());
        for (pairs, is_in_place) in turns.iter().zip(&in_place) {
            inserted.push((!is_in_place).then(|| self.answers(&messages, pairs)));
        }
        let mut out = Vec::with_capacity(messages.len());
        for (((at, message), pairs), answers) in messages.into_iter().enumerate().zip(turns).zip(inserted) {
            let message = rename_calls(message, &pairs);
            out.extend(self.inputs(at, message, &renamed, &moved, orphans));
            out.extend(answers.map(Cow::Owned));
        }
        out
    }

    /// The message that answers every call of a turn, in the order of the calls.
    fn answers(&mut self, messages: &[Passed<'_>], pairs: &[Pair]) -> Message {
        let mut has_moved = false;
        let mut results = Vec::with_capacity(pairs.len());
        for pair in pairs {
            let Some(call) = call_at(messages, pair) else { continue };
            let id = pair.id.as_ref().unwrap_or(&call.id);
            if let Some(result) = pair.result.and_then(|place| result_at(messages, place)) {
                has_moved = true;
                results.push(answering(result, id));
            } else {
                self.losses
                    .add(Loss::MissingResult, || format!("messages[{}].parts[{}]", pair.message, pair.part));
                let mut result = ToolResult::error(&**id, &*call.name, "no result");
                result.kind = call.kind;
                results.push(result);
            }
        }
        if let Some(pair) = pairs.first().filter(|_| has_moved) {
            self.losses.add(Loss::Moved, || format!("messages[{}]", pair.message));
        }
        Message::tool_results(results)
    }

    /// A user message without the results that have moved, with those renamed that stay and orphans as text.
    fn inputs<'a>(
        &mut self,
        at: usize,
        message: Passed<'a>,
        renamed: &HashMap<Place, String>,
        moved: &HashSet<Place>,
        orphans: &HashSet<Place>,
    ) -> Option<Passed<'a>> {
        let Message::User(user) = &*message else { return Some(message) };
        let places = || (0..user.parts.len()).map(|part| (at, part));
        if !places()
            .any(|place| renamed.contains_key(&place) || moved.contains(&place) || orphans.contains(&place))
        {
            return Some(message);
        }
        let mut parts = Vec::with_capacity(user.parts.len());
        for (place, part) in places().zip(&user.parts) {
            match part {
                Input::ToolResult(_) if moved.contains(&place) => {}
                Input::ToolResult(result) if orphans.contains(&place) => {
                    self.losses.add(Loss::OrphanResult, || format!("messages[{at}].parts[{}]", place.1));
                    parts.extend(as_text(result));
                }
                Input::ToolResult(result) => {
                    let id = renamed.get(&place).unwrap_or(&result.call);
                    parts.push(Input::ToolResult(answering(result, id)));
                }
                other => parts.push(other.clone()),
            }
        }
        let mut changed = User::new(parts);
        changed.extra = user.extra.clone();
        (!changed.parts.is_empty()).then(|| Cow::Owned(changed.into()))
    }
}

/// Whether the results of a turn lead what follows it: in the next user messages, before anything else.
fn is_in_place(messages: &[Passed<'_>], at: usize, pairs: &[Pair]) -> bool {
    let wanted: HashSet<Place> = pairs.iter().filter_map(|pair| pair.result).collect();
    if wanted.len() < pairs.len() {
        return false;
    }
    let following = messages.iter().enumerate().skip(at + 1);
    let users = following.map_while(|(at, message)| match &**message {
        Message::User(user) => Some((at, user)),
        _ => None,
    });
    let places = users.flat_map(|(at, user)| (0..user.parts.len()).map(move |part| (at, part)));
    places.take(wanted.len()).filter(|place| wanted.contains(place)).count() == wanted.len()
}

/// The results of a conversation by the id of their call, in order.
fn results_of(messages: &[Passed<'_>]) -> HashMap<String, VecDeque<Place>> {
    let mut results: HashMap<String, VecDeque<Place>> = HashMap::new();
    for (at, message) in messages.iter().enumerate() {
        let Message::User(user) = &**message else { continue };
        for (part, input) in user.parts.iter().enumerate() {
            if let Input::ToolResult(result) = input {
                results.entry(result.call.clone()).or_default().push_back((at, part));
            }
        }
    }
    results
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

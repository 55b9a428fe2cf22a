//! What of a conversation may go back to which target.
//!
//! A history is sent again with every turn, often to another model than the one that wrote it. Much of an answer is
//! bound to its author: signatures and encrypted reasoning, ids of stored items, tools that the provider ran. What
//! happens to it depends on who wrote the message ([`Assistant::origin`](interlingua_model::Assistant)):
//!
//! | | the target itself | another model of the same provider | anyone else | nobody said |
//! |---|---|---|---|---|
//! | text, media, calls | as they are | as they are | as they are | as they are |
//! | reasoning | as it is | dropped; kept where nothing seals it | dropped, or text | dropped; kept where nothing seals it |
//! | tools the provider ran | as they are | as they are; dropped on Responses | dropped | as they are, if of this protocol |
//! | custom parts | as they are | as they are | dropped | as they are, if of this protocol |
//! | values in `extra` | as they are | without item ids and seals | dropped | without item ids and seals |
//!
//! Nothing seals reasoning on Chat Completions, Cohere and Ollama. The target itself means: the same protocol, the same provider, and the same model as it was asked for. A dated name of
//! the same model counts as another, since seals may be bound to either.
//!
//! Calls and results are paired in any case, because every service refuses a history in which they are not: a call
//! without a result is answered with an error, a result without a call becomes text, a call that was cut is removed,
//! results stand directly behind their calls, and ids that the target refuses are rewritten in both.

mod notes;
mod pairing;
mod parts;

use std::borrow::Cow;

use interlingua_model::{Input, Message, Origin, Request, Warning};

pub use notes::encode;
use pairing::Pairing;
use parts::Author;

/// What the caller decides about replay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rules {
    /// Readable reasoning that cannot go back as reasoning goes back as plain text instead of being dropped.
    pub reasoning_as_text: bool,
    /// A message without an origin counts as the target's own: what a gateway wants that passes a history on.
    pub trust_unknown: bool,
}

impl Rules {
    /// The same rules, with readable reasoning as plain text or without it.
    #[must_use]
    pub const fn with_reasoning_as_text(mut self, allowed: bool) -> Self {
        self.reasoning_as_text = allowed;
        self
    }

    /// The same rules, with trust in messages without an origin or without it.
    #[must_use]
    pub const fn with_trust_in_unknown(mut self, trusted: bool) -> Self {
        self.trust_unknown = trusted;
        self
    }
}

/// Makes of a request one whose history the target takes, and says what was lost.
///
/// Nothing but `messages` is changed, and no message that need not be. The request is borrowed when none is. What is
/// lost of one kind makes one warning, however often it occurs. Preparing twice is the same as preparing once.
///
/// ```
/// use interlingua_model::{Assistant, Extra, Json, Message, Origin, Output, Reasoning, Request, Text};
/// use interlingua_wire::replay::{Rules, prepare};
///
/// let mut thought = Reasoning::new("The user greets me.");
/// thought.extra = Extra::of("anthropic", "signature", Json::string("c2VhbA=="));
/// let mut answer = Assistant::new(vec![Output::Reasoning(thought), Output::Text(Text::new("Hello!"))]);
/// answer.origin = Some(Origin::new("anthropic", "anthropic", "claude-opus-5-5"));
/// let request = Request::new("gpt-6").user("Hi").message(answer).user("How are you?");
///
/// let (own, warnings) = prepare(&request, &Origin::new("anthropic", "anthropic", "claude-opus-5-5"), Rules::default());
/// assert_eq!((&*own, warnings.len()), (&request, 0));
///
/// let (other, warnings) = prepare(&request, &Origin::new("openai_responses", "openai", "gpt-6"), Rules::default());
/// assert_eq!(other.messages[1], {
///     let mut message = Assistant::new(vec![Output::Text(Text::new("Hello!"))]);
///     message.origin = Some(Origin::new("anthropic", "anthropic", "claude-opus-5-5"));
///     Message::from(message)
/// });
/// assert_eq!(warnings.len(), 1);
/// ```
pub fn prepare<'a>(request: &'a Request, target: &Origin, rules: Rules) -> (Cow<'a, Request>, Vec<Warning>) {
    if request.messages.iter().all(is_plain) {
        return (Cow::Borrowed(request), Vec::new());
    }
    let mut losses = Losses::default();
    let mut messages = Vec::with_capacity(request.messages.len());
    for (at, message) in request.messages.iter().enumerate() {
        messages.extend(Author::new(target, rules, at).message(message, &mut losses));
    }
    let messages = Pairing::new(request, target, &mut losses).pair(messages);
    let is_same = messages.len() == request.messages.len()
        && messages.iter().all(|message| matches!(message, Cow::Borrowed(_)));
    let warnings = losses.warnings();
    if is_same {
        return (Cow::Borrowed(request), warnings);
    }
    let messages = messages.into_iter().map(Cow::into_owned).collect();
    (Cow::Owned(request.with_messages(messages)), warnings)
}

/// A message on its way to the target.
/// Whether a message is text of the caller alone, which may go to anyone.
fn is_plain(message: &Message) -> bool {
    let (parts, extra) = match message {
        Message::System(system) => (&system.parts, &system.extra),
        Message::User(user) => (&user.parts, &user.extra),
        _ => return false,
    };
    let is_text = |part: &Input| matches!(part, Input::Text(text) if text.extra.is_empty());
    extra.is_empty() && parts.iter().all(is_text)
}

type Passed<'a> = Cow<'a, Message>;

/// What was lost or changed, by kind: where it happened first, and how often.
#[derive(Debug, Default)]
struct Losses(Vec<(Loss, String, usize)>);

/// A kind of loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Reasoning,
    ReasoningAsText,
    ProviderTool,
    Custom,
    PartialCall,
    MissingResult,
    OrphanResult,
    Moved,
    Identifier,
}

impl Losses {
    fn add(&mut self, loss: Loss, place: impl FnOnce() -> String) {
        match self.0.iter_mut().find(|(known, ..)| *known == loss) {
            Some((_, _, count)) => *count += 1,
            None => self.0.push((loss, place(), 1)),
        }
    }

    fn warnings(self) -> Vec<Warning> {
        let warning = |(loss, place, count): (Loss, String, usize)| {
            let detail = match count {
                1 => loss.detail().to_owned(),
                _ => format!("{} ({count} times, here first)", loss.detail()),
            };
            if loss.is_drop() { Warning::dropped(place, detail) } else { Warning::adjusted(place, detail) }
        };
        self.0.into_iter().map(warning).collect()
    }
}

impl Loss {
    const fn is_drop(self) -> bool {
        matches!(self, Self::Reasoning | Self::ProviderTool | Self::Custom | Self::PartialCall)
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Reasoning => "reasoning goes back only to the model that wrote it",
            Self::ReasoningAsText => "reasoning of another model goes back as plain text",
            Self::ProviderTool => {
                "calls and results of tools that a provider ran go back only to that provider"
            }
            Self::Custom => "a part that only another protocol or provider knows",
            Self::PartialCall => "a tool call that was cut is no call",
            Self::MissingResult => "a tool call without a result was answered with an error",
            Self::OrphanResult => "a tool result without a call became text",
            Self::Moved => "tool results were moved directly behind their calls",
            Self::Identifier => "a tool call id that the target does not take was rewritten",
        }
    }
}

use std::borrow::Cow;

use interlingua_model::{
    Assistant, Content, Custom, Extra, Input, Media, Message, Origin, Output, Reasoning, Text, ToolCall,
    ToolResult,
};

use super::{Loss, Losses, Passed, Rules};

/// Protocols on which nothing binds reasoning to the model that wrote it.
const UNSEALED: [&str; 3] = ["openai_chat", "cohere", "ollama"];
const RESPONSES: &str = "openai_responses";
const GEMINI: &str = "gemini";
/// Fields of `extra` that go back to their author alone, by protocol: ids of items, and seals of parts that are no reasoning.
const BOUND: [(&str, &str); 3] =
    [(RESPONSES, "id"), (GEMINI, "thoughtSignature"), ("gemini_interactions", "signature")];

/// How the author of a message is related to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bond {
    /// It is the target.
    Own,
    /// Another model of the same provider, spoken to in the same protocol.
    Sibling,
    /// Nobody said who it is.
    Unknown,
    /// Anyone else.
    Foreign,
}

/// Decides what of one message goes to the target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Author<'t> {
    target: &'t Origin,
    rules: Rules,
    bond: Bond,
    /// Index of the message.
    at: usize,
}

impl<'t> Author<'t> {
    pub(super) const fn new(target: &'t Origin, rules: Rules, at: usize) -> Self {
        Self { target, rules, bond: Bond::Own, at }
    }

    /// The message as it may go out, or nothing when nothing of it may.
    pub(super) fn message<'a>(mut self, message: &'a Message, losses: &mut Losses) -> Option<Passed<'a>> {
        match message {
            Message::System(system) => {
                let found = self.inputs(&system.parts, &system.extra, losses);
                let Some((parts, extra)) = found else { return Some(Cow::Borrowed(message)) };
                let mut system = interlingua_model::System::new(parts);
                system.extra = extra;
                (!system.parts.is_empty()).then(|| Cow::Owned(system.into()))
            }
            Message::User(user) => {
                let found = self.inputs(&user.parts, &user.extra, losses);
                let Some((parts, extra)) = found else { return Some(Cow::Borrowed(message)) };
                let mut user = interlingua_model::User::new(parts);
                user.extra = extra;
                (!user.parts.is_empty()).then(|| Cow::Owned(user.into()))
            }
            Message::Assistant(assistant) => {
                self.bond = self.bond_of(assistant.origin.as_ref());
                let Some(changed) = self.assistant(assistant, losses) else {
                    return Some(Cow::Borrowed(message));
                };
                let is_gone = changed.parts.is_empty() && !assistant.parts.is_empty();
                (!is_gone).then(|| Cow::Owned(changed.into()))
            }
            _ => Some(Cow::Borrowed(message)),
        }
    }

    fn bond_of(&self, origin: Option<&Origin>) -> Bond {
        match origin {
            None if self.rules.trust_unknown => Bond::Own,
            None => Bond::Unknown,
            Some(origin) if origin == self.target => Bond::Own,
            Some(origin)
                if origin.protocol == self.target.protocol && origin.provider == self.target.provider =>
            {
                Bond::Sibling
            }
            Some(_) => Bond::Foreign,
        }
    }

    fn inputs(&self, parts: &[Input], extra: &Extra, losses: &mut Losses) -> Option<(Vec<Input>, Extra)> {
        let found = changed(parts, |index, part| self.input(part, index, losses));
        let trimmed = self.trimmed(extra);
        if found.is_none() && trimmed.is_none() {
            return None;
        }
        Some((found.unwrap_or_else(|| parts.to_vec()), trimmed.unwrap_or_else(|| extra.clone())))
    }

    fn input<'a>(&self, part: &'a Input, index: usize, losses: &mut Losses) -> Option<Cow<'a, Input>> {
        let changed = match part {
            Input::Text(text) => self.text(text).map(Input::Text),
            Input::Media(media) => self.media(media).map(Input::Media),
            Input::ToolResult(result) => self.result(result, index, losses).map(Input::ToolResult),
            Input::Custom(custom) if !self.knows(custom) => {
                losses.add(Loss::Custom, || self.place(index));
                return None;
            }
            _ => None,
        };
        Some(changed.map_or(Cow::Borrowed(part), Cow::Owned))
    }

    fn assistant(&self, message: &Assistant, losses: &mut Losses) -> Option<Assistant> {
        let found = changed(&message.parts, |index, part| self.output(part, index, &message.parts, losses));
        let trimmed = self.trimmed(&message.extra);
        if found.is_none() && trimmed.is_none() {
            return None;
        }
        let mut own = Assistant::new(found.unwrap_or_else(|| message.parts.clone()));
        own.origin.clone_from(&message.origin);
        own.extra = trimmed.unwrap_or_else(|| message.extra.clone());
        Some(own)
    }

    fn output<'a>(
        &self,
        part: &'a Output,
        index: usize,
        all: &[Output],
        losses: &mut Losses,
    ) -> Option<Cow<'a, Output>> {
        let changed = match part {
            Output::Text(text) => self.text(text).map(Output::Text),
            Output::Media(media) => self.media(media).map(Output::Media),
            Output::Reasoning(reasoning) => return self.reasoning(part, reasoning, index, losses),
            Output::ToolCall(call) if call.partial => {
                losses.add(Loss::PartialCall, || self.place(index));
                return None;
            }
            Output::ToolCall(call) if !call.run_by.is_caller() && !self.keeps_provider_call(call) => {
                losses.add(Loss::ProviderTool, || self.place(index));
                return None;
            }
            Output::ToolCall(call) => self.call(call).map(Output::ToolCall),
            Output::ToolResult(result) if !self.keeps_provider_result(result, all) => {
                losses.add(Loss::ProviderTool, || self.place(index));
                return None;
            }
            Output::ToolResult(result) => self.result(result, index, losses).map(Output::ToolResult),
            Output::Custom(custom) if self.bond == Bond::Foreign || !self.knows(custom) => {
                losses.add(Loss::Custom, || self.place(index));
                return None;
            }
            _ => None,
        };
        Some(changed.map_or(Cow::Borrowed(part), Cow::Owned))
    }

    fn reasoning<'a>(
        &self,
        part: &'a Output,
        reasoning: &Reasoning,
        index: usize,
        losses: &mut Losses,
    ) -> Option<Cow<'a, Output>> {
        let is_kept = match self.bond {
            Bond::Own => true,
            // Services that want reasoning back on such a protocol want it of whichever model; the dialect decides.
            Bond::Sibling | Bond::Unknown => UNSEALED.contains(&&*self.target.protocol),
            Bond::Foreign => false,
        };
        if is_kept {
            let Some(extra) = self.trimmed(&reasoning.extra) else { return Some(Cow::Borrowed(part)) };
            let mut kept = Reasoning::new(&*reasoning.text);
            kept.extra = extra;
            // A seal of another protocol with nothing to read beside it has become nothing.
            if !kept.text.is_empty() || !kept.extra.is_empty() {
                return Some(Cow::Owned(Output::Reasoning(kept)));
            }
        } else if self.rules.reasoning_as_text && !reasoning.text.trim().is_empty() {
            losses.add(Loss::ReasoningAsText, || self.place(index));
            return Some(Cow::Owned(Output::Text(Text::new(&*reasoning.text))));
        }
        losses.add(Loss::Reasoning, || self.place(index));
        None
    }

    fn keeps_provider_call(&self, call: &ToolCall) -> bool {
        match self.bond {
            Bond::Own => true,
            // An item of Responses is tied to the reasoning before it, which does not go along.
            Bond::Sibling => self.target.protocol != RESPONSES,
            Bond::Unknown => {
                self.target.protocol != RESPONSES && call.extra.fields(&self.target.protocol).is_some()
            }
            Bond::Foreign => false,
        }
    }

    /// A result of the provider goes where its call goes; one without a call in the message, where such a call would.
    fn keeps_provider_result(&self, result: &ToolResult, all: &[Output]) -> bool {
        let call = all.iter().find_map(|part| match part {
            Output::ToolCall(call) if !call.run_by.is_caller() && call.id == result.call => Some(call),
            _ => None,
        });
        match call {
            Some(call) => self.keeps_provider_call(call),
            None => match self.bond {
                Bond::Own => true,
                Bond::Sibling => self.target.protocol != RESPONSES,
                Bond::Unknown => {
                    self.target.protocol != RESPONSES && result.extra.fields(&self.target.protocol).is_some()
                }
                Bond::Foreign => false,
            },
        }
    }

    fn text(&self, text: &Text) -> Option<Text> {
        let extra = self.trimmed(&text.extra);
        let cites = text.citations.iter().any(|citation| self.trimmed(&citation.extra).is_some());
        if extra.is_none() && !cites {
            return None;
        }
        let mut changed = text.clone();
        changed.extra = extra.unwrap_or(changed.extra);
        for citation in &mut changed.citations {
            if let Some(extra) = self.trimmed(&citation.extra) {
                citation.extra = extra;
            }
        }
        Some(changed)
    }

    fn media(&self, media: &Media) -> Option<Media> {
        let extra = self.trimmed(&media.extra)?;
        let mut changed = media.clone();
        changed.extra = extra;
        Some(changed)
    }

    fn call(&self, call: &ToolCall) -> Option<ToolCall> {
        let extra = self.trimmed(&call.extra)?;
        let mut changed = call.clone();
        changed.extra = extra;
        Some(changed)
    }

    fn result(&self, result: &ToolResult, index: usize, losses: &mut Losses) -> Option<ToolResult> {
        let content: Vec<_> =
            result.content.iter().filter_map(|part| self.content(part, index, losses)).collect();
        let extra = self.trimmed(&result.extra);
        if content.len() == result.content.len()
            && content.iter().all(|part| matches!(part, Cow::Borrowed(_)))
            && extra.is_none()
        {
            return None;
        }
        let content = content.into_iter().map(Cow::into_owned).collect();
        let mut changed = result.clone();
        changed.content = content;
        changed.extra = extra.unwrap_or(changed.extra);
        Some(changed)
    }

    fn content<'a>(&self, part: &'a Content, index: usize, losses: &mut Losses) -> Option<Cow<'a, Content>> {
        let changed = match part {
            Content::Text(text) => self.text(text).map(Content::Text),
            Content::Media(media) => self.media(media).map(Content::Media),
            Content::Custom(custom) if !self.knows(custom) => {
                losses.add(Loss::Custom, || self.place(index));
                return None;
            }
            _ => None,
        };
        Some(changed.map_or(Cow::Borrowed(part), Cow::Owned))
    }

    fn knows(&self, custom: &Custom) -> bool {
        custom.protocol == self.target.protocol
    }

    /// The values that go along, when they are not all that there are.
    fn trimmed(&self, extra: &Extra) -> Option<Extra> {
        let protocol = &*self.target.protocol;
        extra.protocols().next()?;
        if self.bond == Bond::Foreign {
            return Some(Extra::default());
        }
        let is_others = extra.protocols().any(|other| other != protocol);
        let bound = BOUND.iter().find(|(known, _)| self.bond != Bond::Own && *known == protocol);
        let bound = bound.map(|(_, name)| *name).filter(|name| extra.get(protocol, name).is_some());
        if !is_others && bound.is_none() {
            return None;
        }
        let mut kept = extra.clone();
        kept.retain(protocol);
        if let Some(name) = bound {
            kept.take(protocol, name);
        }
        Some(kept)
    }

    fn place(&self, index: usize) -> String {
        format!("messages[{}].parts[{index}]", self.at)
    }
}

/// The parts as they go to the target; `None` when they go as they are, which is most often so and costs nothing.
fn changed<'p, T: Clone>(
    parts: &'p [T],
    mut each: impl FnMut(usize, &'p T) -> Option<Cow<'p, T>>,
) -> Option<Vec<T>> {
    let mut own: Option<Vec<T>> = None;
    for (index, part) in parts.iter().enumerate() {
        match (each(index, part), &mut own) {
            (Some(Cow::Borrowed(_)), None) => {}
            (found, Some(own)) => own.extend(found.map(Cow::into_owned)),
            (found, None) => {
                let before = parts.get(..index).unwrap_or_default().iter().cloned();
                own = Some(before.chain(found.map(Cow::into_owned)).collect());
            }
        }
    }
    own
}

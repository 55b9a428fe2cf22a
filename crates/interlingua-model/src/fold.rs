use crate::pile::Pile;
use crate::{
    Assistant, Data, Delta, Error, ErrorKind, Event, FinishReason, Json, Origin, Output, Response, Source,
    Start, ToolCall, Usage,
};

/// Makes a [`Response`] out of [`Event`]s, for streamed and whole answers alike.
///
/// Events that break the grammar of a stream are taken as far as they make sense: a delta for a part that was never
/// opened is kept as a warning of the response, never dropped in silence.
#[derive(Debug, Clone, Default)]
pub struct Fold {
    response: Response,
    parts: Vec<Slot>,
}

/// A part under construction. What grows of it is piled up until the part is complete.
#[derive(Debug, Clone)]
struct Slot {
    part: Output,
    /// Text, or the input of a call.
    text: Pile,
    /// Whether text came, if only an empty one.
    spoken: bool,
    /// The bytes of a medium; most parts have none.
    data: Option<Box<Pile>>,
    open: bool,
}

impl Fold {
    /// An empty fold.
    pub fn new() -> Self {
        Self::default()
    }

    /// A fold whose message will carry an origin.
    pub fn with_origin(origin: Origin) -> Self {
        let mut fold = Self::default();
        fold.response.message.origin = Some(origin);
        fold
    }

    /// Takes one event. Where it is not needed any more, [`extend`](Extend::extend) takes it without a copy.
    pub fn push(&mut self, event: &Event) {
        match event {
            Event::Delta { at, delta } => self.delta(*at, delta),
            Event::Usage(usage) => self.response.usage.update(usage),
            Event::Raw(_) => {}
            event => self.take(event.clone()),
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Start(start) => self.start(*start),
            Event::Open { at, part } => self.open(at, *part),
            Event::Delta { at, delta } => self.delta(at, &delta),
            Event::Close { at } => self.close(at),
            Event::Usage(usage) if self.response.usage.is_empty() => self.response.usage = *usage,
            Event::Usage(usage) => self.response.usage.update(&usage),
            Event::Warning(warning) => self.response.warnings.push(*warning),
            Event::Other(custom) => self.response.other.push(*custom),
            Event::Finish(finish) => self.response.finish = Some(*finish),
            Event::Raw(_) => {}
        }
    }

    /// Whether the end of the answer was seen.
    pub const fn is_finished(&self) -> bool {
        self.response.finish.is_some()
    }

    /// What the answer used, as far as it was told.
    pub const fn usage(&self) -> &Usage {
        &self.response.usage
    }

    /// The answer as it stands; calls that are still open are marked as partial.
    pub fn response(&self) -> Response {
        self.clone().assemble()
    }

    /// The message as it stands; calls that are still open are marked as partial.
    pub fn message(&self) -> Assistant {
        self.response().message
    }

    /// A part as it stands; a call that is still open is marked as partial.
    pub fn part(&self, at: u32) -> Option<Output> {
        let slot = self.parts.get(usize::try_from(at).ok()?)?;
        Some(slot.clone().into_part(false))
    }

    /// The whole answer.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`], with the partial answer inside, when no finish was seen.
    pub fn into_response(self) -> Result<Response, Error> {
        if self.is_finished() {
            return Ok(self.assemble());
        }
        Err(Error::new(ErrorKind::Truncated, "the answer ended before its end marker")
            .with_partial(self.assemble()))
    }

    fn start(&mut self, start: Start) {
        let Start { interlingua: _, id, model, created, extra } = start;
        self.response.id = id;
        self.response.model = model;
        self.response.created = created;
        if self.response.extra.is_empty() {
            self.response.extra = extra;
        } else {
            self.response.extra.merge(&extra);
        }
    }

    fn open(&mut self, at: u32, part: Output) {
        if usize::try_from(at) != Ok(self.parts.len()) {
            self.complain(format!("part {at} was opened out of order"));
        }
        if self.parts.is_empty() {
            // Most answers have one part, and a slot is large.
            self.parts.reserve_exact(1);
        }
        self.parts.push(Slot::new(part));
    }

    fn delta(&mut self, at: u32, delta: &Delta) {
        let slot = usize::try_from(at).ok().and_then(|at| self.parts.get_mut(at));
        let taken = slot.is_some_and(|slot| slot.grow(delta));
        if !taken {
            self.complain(format!("part {at} cannot take {delta:?}"));
        }
    }

    fn close(&mut self, at: u32) {
        match usize::try_from(at).ok().and_then(|at| self.parts.get_mut(at)) {
            Some(slot) => slot.open = false,
            None => self.complain(format!("part {at} was closed and never opened")),
        }
    }

    fn complain(&mut self, detail: String) {
        self.response.warnings.push(crate::Warning::dropped("events", detail));
    }

    fn assemble(self) -> Response {
        let Self { mut response, parts } = self;
        let cut = response.finish.as_ref().is_none_or(|finish| finish.reason == FinishReason::Length);
        let last = parts.len().saturating_sub(1);
        response.message.parts =
            parts.into_iter().enumerate().map(|(at, slot)| slot.into_part(cut && at == last)).collect();
        response
    }
}

impl Extend<Event> for Fold {
    fn extend<I: IntoIterator<Item = Event>>(&mut self, events: I) {
        for event in events {
            self.take(event);
        }
    }
}

impl Slot {
    fn new(part: Output) -> Self {
        Self { part, text: Pile::default(), spoken: false, data: None, open: true }
    }

    /// Adds a delta; `false` when this kind of part does not take it.
    fn grow(&mut self, delta: &Delta) -> bool {
        match (&mut self.part, delta) {
            (Output::Text(_) | Output::Reasoning(_) | Output::Media(_), Delta::Text(piece)) => {
                self.text.push(piece.as_bytes());
                self.spoken = true;
            }
            (Output::ToolCall(_), Delta::Input(piece)) => self.text.push(piece.as_bytes()),
            (Output::Media(_), Delta::Data(data)) => self.data.get_or_insert_default().push(data.as_bytes()),
            (Output::Text(text), Delta::Citation(citation)) => text.citations.push((**citation).clone()),
            (Output::Text(text), Delta::Logprobs(logprobs)) => text.logprobs.extend_from_slice(logprobs),
            (Output::Custom(custom), Delta::Value(value)) => custom.clone_from(value),
            (part, Delta::Extra(extra)) => return merge_extra(part, extra),
            (_, Delta::Progress(_)) => {}
            _ => return false,
        }
        true
    }

    fn into_part(self, cut: bool) -> Output {
        let Self { mut part, text, spoken, data, open } = self;
        match &mut part {
            Output::Text(part) => text.add_to(&mut part.text),
            Output::Reasoning(part) => text.add_to(&mut part.text),
            Output::ToolCall(call) => finish_call(call, &text.into_text(), open || cut),
            Output::Media(media) => {
                if spoken {
                    text.add_to(media.transcript.get_or_insert_default());
                }
                let Some(data) = data.map(|data| data.into_bytes()).filter(|data| !data.is_empty()) else {
                    return part;
                };
                let mut bytes = match &media.source {
                    Source::Bytes(begun) => begun.as_bytes().to_vec(),
                    Source::Url(_) | Source::File(_) => Vec::new(),
                };
                bytes.extend_from_slice(&data);
                media.source = Source::Bytes(Data::from(bytes));
            }
            _ => {}
        }
        part
    }
}

/// A call without any input is one without arguments: `{}`. One that was cut is never to be run.
fn finish_call(call: &mut ToolCall, input: &str, cut: bool) {
    call.partial |= cut && call.run_by.is_caller();
    if !input.is_empty() {
        call.input = Json::from_text(format!("{}{input}", call.input));
    }
    if call.input.is_blank() && call.kind.is_function() && !call.partial {
        call.input = Json::object();
    }
}

fn merge_extra(part: &mut Output, extra: &crate::Extra) -> bool {
    match part {
        Output::Text(text) => text.extra.merge(extra),
        Output::Reasoning(reasoning) => reasoning.extra.merge(extra),
        Output::Media(media) => media.extra.merge(extra),
        Output::ToolCall(call) => call.extra.merge(extra),
        Output::ToolResult(result) => result.extra.merge(extra),
        Output::Custom(_) => return false,
    }
    true
}

//! What the server says: neutral events by scenario, and how they end.

use interlingua_model::{
    Delta, Error, ErrorKind, Event, Extra, Finish, FinishReason, Json, Output, Reasoning, Start, Text,
    ToolCall, Usage,
};
use interlingua_wire::Protocol;

/// One answer, and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Text in several pieces, with letters of several bytes.
    Text,
    /// Reasoning that is sealed, then text.
    Reasoning,
    /// Text, then two calls one after another.
    Tools,
    /// Two calls whose input comes in turns.
    Interleaved,
    /// A call without arguments, beside one with.
    Bare,
    /// Text that is the JSON of a schema.
    Structured,
    /// The model refuses.
    Refusal,
    /// The output limit cuts the text.
    Length,
    /// The output limit cuts a call.
    CutCall,
    /// Reasoning, text, a call: everything at once.
    Mixed,
    /// Figures of a prompt that is partly cached.
    Usage,
    /// No text at all.
    Empty,
    /// Refused before the first byte: too many requests.
    Limited,
    /// Refused before the first byte: the key.
    Key,
    /// Refused before the first byte: the request.
    Invalid,
    /// Refused before the first byte: no room.
    Overloaded,
    /// Fails after the first words.
    Broken,
    /// The server takes a rich request and holds it against what it makes of it.
    Rich,
}

impl Scenario {
    /// Every answer; the rich request is apart.
    pub(crate) const ANSWERS: [Self; 17] = [
        Self::Text,
        Self::Reasoning,
        Self::Tools,
        Self::Interleaved,
        Self::Bare,
        Self::Structured,
        Self::Refusal,
        Self::Length,
        Self::CutCall,
        Self::Mixed,
        Self::Usage,
        Self::Empty,
        Self::Limited,
        Self::Key,
        Self::Invalid,
        Self::Overloaded,
        Self::Broken,
    ];

    /// The word that stands in the path of a request.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Reasoning => "reasoning",
            Self::Tools => "tools",
            Self::Interleaved => "interleaved",
            Self::Bare => "bare",
            Self::Structured => "structured",
            Self::Refusal => "refusal",
            Self::Length => "length",
            Self::CutCall => "cut-call",
            Self::Mixed => "mixed",
            Self::Usage => "usage",
            Self::Empty => "empty",
            Self::Limited => "limited",
            Self::Key => "key",
            Self::Invalid => "invalid",
            Self::Overloaded => "overloaded",
            Self::Broken => "broken",
            Self::Rich => "rich",
        }
    }

    /// The scenario of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ANSWERS.into_iter().chain([Self::Rich]).find(|scenario| scenario.name() == name)
    }

    /// The error that comes in place of an answer.
    pub(crate) fn refusal(self) -> Option<Error> {
        let (kind, message) = match self {
            Self::Limited => (ErrorKind::RateLimited, "too many requests for now"),
            Self::Key => (ErrorKind::Authentication, "this key is not known"),
            Self::Invalid => (ErrorKind::InvalidRequest, "temperature is out of range"),
            Self::Overloaded => (ErrorKind::Overloaded, "no room for now"),
            _ => return None,
        };
        Some(Error::new(kind, message).with_request_id("req_7"))
    }

    /// The error that comes after the events.
    pub(crate) fn failure(self) -> Option<Error> {
        (self == Self::Broken).then(|| Error::new(ErrorKind::Overloaded, "no room in the middle"))
    }

    /// What is said, in a protocol: only the seal of reasoning depends on it.
    pub(crate) fn events(self, protocol: Protocol) -> Vec<Event> {
        let mut said = Said::default();
        said.events.push(Event::start(Start::new(None, Some("model-1".into()))));
        let (reason, usage) = self.say(protocol, &mut said);
        if self == Self::Broken {
            return said.events;
        }
        said.events.push(Event::usage(usage));
        said.events.push(Event::finish(Finish::new(reason)));
        said.events
    }

    fn say(self, protocol: Protocol, said: &mut Said) -> (FinishReason, Usage) {
        let mut reason = FinishReason::Stop;
        match self {
            Self::Reasoning => {
                said.reasoning(protocol);
                said.text(&["It is ", "warm."]);
            }
            Self::Tools => {
                said.text(&["Let me ", "look."]);
                said.call("call_a1", "weather", &["{\"city\":", "\"Má", "laga\",\"days\":2}"]);
                said.call("call_b2", "weather", &["{\"city\":\"Oslo\",\"days\":1}"]);
                reason = FinishReason::ToolUse;
            }
            Self::Interleaved => {
                said.calls_in_turns();
                reason = FinishReason::ToolUse;
            }
            Self::Bare => {
                said.call("call_a1", "now", &[]);
                said.call("call_b2", "weather", &["{\"city\":\"Oslo\",\"days\":1}"]);
                reason = FinishReason::ToolUse;
            }
            Self::Structured | Self::Rich => said.text(&["{\"city\":\"Mála", "ga\",\"deg", "rees\":21.5}"]),
            Self::Refusal => {
                said.part(Output::Text(Text::refusal("")), &["I will not ", "help with that."]);
                reason = FinishReason::Refused;
            }
            Self::Length => {
                said.text(&["It is wa"]);
                reason = FinishReason::Length;
            }
            Self::CutCall => {
                said.call("call_a1", "weather", &["{\"city\":\"Os"]);
                reason = FinishReason::Length;
            }
            Self::Mixed => {
                said.reasoning(protocol);
                said.text(&["Let me look."]);
                said.call("call_a1", "weather", &["{\"city\":\"Oslo\",\"days\":1}"]);
                reason = FinishReason::ToolUse;
            }
            Self::Empty => {}
            _ => said.text(&["Looking at ", "Málaga:\n\n", "☀ 你好 🌍"]),
        }
        (reason, if self == Self::Usage { full() } else { brief() })
    }
}

/// A seal. Google's SDK for Python reads it as bytes and takes their one proper spelling alone.
pub(super) const fn seal_of(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Gemini | Protocol::GeminiInteractions => "c2VhbGVk/w==",
        _ => "c2VhbGVk/+==",
    }
}

/// Figures of a plain prompt.
fn brief() -> Usage {
    let mut usage = Usage::default();
    usage.input = Some(12);
    usage.output = Some(9);
    usage
}

/// Figures of a prompt that was partly read from a cache and partly written to it.
fn full() -> Usage {
    let mut usage = Usage::default();
    usage.input = Some(100);
    usage.cache_read = Some(60);
    usage.cache_write = Some(30);
    usage.output = Some(20);
    usage.reasoning = Some(5);
    usage
}

/// The events of an answer while it is put together.
#[derive(Debug, Default)]
struct Said {
    events: Vec<Event>,
    parts: u32,
}

impl Said {
    fn open(&mut self, part: Output) -> u32 {
        let at = self.parts;
        self.parts += 1;
        self.events.push(Event::open(at, part));
        at
    }

    fn part(&mut self, part: Output, pieces: &[&str]) {
        let is_call = matches!(part, Output::ToolCall(_));
        let at = self.open(part);
        for piece in pieces {
            let delta = if is_call { Delta::input(*piece) } else { Delta::text(*piece) };
            self.events.push(Event::delta(at, delta));
        }
        self.events.push(Event::close(at));
    }

    fn text(&mut self, pieces: &[&str]) {
        self.part(Output::Text(Text::default()), pieces);
    }

    fn call(&mut self, id: &str, name: &str, pieces: &[&str]) {
        self.part(Output::ToolCall(ToolCall::new(id, name, Json::from_text(""))), pieces);
    }

    fn reasoning(&mut self, protocol: Protocol) {
        let at = self.open(Output::Reasoning(Reasoning::default()));
        for piece in ["South means ", "sun."] {
            self.events.push(Event::delta(at, Delta::text(piece)));
        }
        let seal = match protocol {
            Protocol::Anthropic | Protocol::Bedrock | Protocol::GeminiInteractions => "signature",
            Protocol::Gemini => "thoughtSignature",
            _ => "encrypted_content",
        };
        let extra = Extra::of(protocol.id(), seal, Json::string(seal_of(protocol)));
        self.events.push(Event::delta(at, Delta::extra(extra)));
        self.events.push(Event::close(at));
    }

    fn calls_in_turns(&mut self) {
        let call = |id: &str| Output::ToolCall(ToolCall::new(id, "weather", Json::from_text("")));
        let (first, second) = (self.open(call("call_a1")), self.open(call("call_b2")));
        let turns = [
            (first, "{\"city\":"),
            (second, "{\"city\":\"Os"),
            (first, "\"Málaga\""),
            (second, "lo\",\"days\":1}"),
            (first, ",\"days\":2}"),
        ];
        for (at, piece) in turns {
            self.events.push(Event::delta(at, Delta::input(piece)));
        }
        self.events.extend([Event::close(second), Event::close(first)]);
    }
}

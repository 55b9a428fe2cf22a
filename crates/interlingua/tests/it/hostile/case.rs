//! What a case is.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use interlingua::{ClientBuilder, ErrorKind, Mode, Output, Protocol, Response};

use super::check::brief;
use super::phrasebook::{Phrasebook, SAID, WORDS};
use crate::server::Step;

/// The key, which the servers send back wherever they can.
pub(crate) const KEY: &str = "sk-test-1";

/// What a server may use in its part.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) book: &'a Phrasebook,
    /// The bytes that a flood has got rid of.
    pub(crate) written: Arc<AtomicUsize>,
    /// Another server, which answers like a good one.
    pub(crate) elsewhere: &'a str,
}

/// What the server does in a scene.
type Steps = Box<dyn Fn(&Scene<'_>) -> Vec<Step>>;

/// One line of the table.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What the server does.
    pub(crate) about: &'static str,
    pub(crate) mode: Mode,
    pub(crate) steps: Steps,
    pub(crate) settings: fn(ClientBuilder) -> ClientBuilder,
    /// What a right answer says.
    pub(crate) right: Said,
    expected: Outcome,
    exceptions: Vec<(Protocol, Outcome)>,
}

/// What was said, whole or cut.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// Name, input, and whether the call was cut.
    pub(crate) calls: Vec<(String, String, bool)>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Says(Said),
    Fails { kind: ErrorKind, retry: Option<Duration>, kept: Said },
    Hangs,
}

impl Case {
    /// A streamed call that is answered as it should be.
    pub(crate) fn streamed(
        name: &'static str,
        about: &'static str,
        steps: impl Fn(&Scene<'_>) -> Vec<Step> + 'static,
    ) -> Self {
        let right = Said::text(&WORDS.concat());
        Self {
            name,
            about,
            mode: Mode::Stream,
            steps: Box::new(steps),
            settings: |builder| builder,
            expected: Outcome::Says(right.clone()),
            right,
            exceptions: Vec::new(),
        }
    }

    /// A call that is not streamed and is answered as it should be.
    pub(crate) fn whole(
        name: &'static str,
        about: &'static str,
        steps: impl Fn(&Scene<'_>) -> Vec<Step> + 'static,
    ) -> Self {
        Self { mode: Mode::Whole, ..Self::streamed(name, about, steps) }
    }

    /// The right answer is another one.
    pub(crate) fn says(mut self, right: Said) -> Self {
        self.expected = Outcome::Says(right.clone());
        self.right = right;
        self
    }

    /// The call fails, and nothing had come.
    pub(crate) fn fails(self, kind: ErrorKind) -> Self {
        self.keeps(kind, Said::default())
    }

    /// The call fails, and what had come is kept.
    pub(crate) fn keeps(mut self, kind: ErrorKind, kept: Said) -> Self {
        self.expected = Outcome::Fails { kind, retry: None, kept };
        self
    }

    /// The call fails in the middle of the text.
    pub(crate) fn cut(self, kind: ErrorKind) -> Self {
        self.keeps(kind, Said::text(&WORDS[..SAID].concat()))
    }

    /// The call fails, and the provider says when to come back.
    pub(crate) fn waits(mut self, kind: ErrorKind, milliseconds: u64) -> Self {
        let retry = Some(Duration::from_millis(milliseconds));
        self.expected = Outcome::Fails { kind, retry, kept: Said::default() };
        self
    }

    /// In one protocol it is otherwise.
    pub(crate) fn but(mut self, protocol: Protocol, expected: Outcome) -> Self {
        self.exceptions.push((protocol, expected));
        self
    }

    pub(crate) fn with(mut self, settings: fn(ClientBuilder) -> ClientBuilder) -> Self {
        self.settings = settings;
        self
    }

    pub(crate) fn expected(&self, protocol: Protocol) -> &Outcome {
        let exception = self.exceptions.iter().find(|(of, _)| *of == protocol);
        exception.map_or(&self.expected, |(_, outcome)| outcome)
    }
}

impl Said {
    pub(crate) fn text(text: &str) -> Self {
        Self { text: text.to_owned(), calls: Vec::new() }
    }

    pub(crate) fn of(response: &Response) -> Self {
        let calls = response.message.parts.iter().filter_map(|part| match part {
            Output::ToolCall(call) => Some((call.name.clone(), call.input.as_str().to_owned(), call.partial)),
            _ => None,
        });
        Self { text: response.text(), calls: calls.collect() }
    }
}

impl Outcome {
    pub(crate) fn cut(kind: ErrorKind, kept: &str) -> Self {
        Self::Fails { kind, retry: None, kept: Said::text(kept) }
    }

    /// What the table says of it.
    pub(crate) fn cell(&self, right: &Said) -> String {
        match self {
            Self::Says(said) if said == right && said.text.contains('\u{fffd}') => "ok, U+FFFD".to_owned(),
            Self::Says(said) if said == right => "ok".to_owned(),
            Self::Says(said) => format!("WRONG {}", brief(&said.text)),
            Self::Hangs => "HANGS".to_owned(),
            Self::Fails { kind, retry, kept } => {
                let kind = serde_json::to_value(kind).unwrap();
                let mut cell = format!("err {}", kind.as_str().unwrap());
                if *kept != Said::default() {
                    cell.push_str(", partial kept");
                }
                if let Some(pause) = retry {
                    write!(cell, ", retry {} s", pause.as_secs_f64()).unwrap();
                }
                cell
            }
        }
    }
}

/// An answer with echoes of the key in its head.
pub(crate) fn reply(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let length = format!("content-length: {}\r\n", body.len());
    vec![Step::Write([&head(status, &[headers, &length].concat()), body.as_bytes()].concat())]
}

/// The head of an answer, with echoes of the key.
pub(crate) fn head(status: &str, headers: &str) -> Vec<u8> {
    let echoes = format!("x-request-id: for {KEY}\r\nx-echo: Bearer {KEY}\r\n");
    format!("HTTP/1.1 {status}\r\n{echoes}{headers}\r\n").into_bytes()
}

//! Decisions: typed questions about an input, answered with probabilities. Not a conversation, so it has no codec: a call
//! goes out and one body comes back.
//!
//! Three protocols ask them. `Style::Decisions` is `POST /decisions` beside Responses, whose input items it takes:
//!
//! ```text
//! {"model":"m","input":"…","questions":[{"type":"predicate","instructions":"Is it urgent?","name":"urgent"}]}
//! {"model":"m","answers":[{"type":"predicate","name":"urgent","probability":0.93}],"usage":{…}}
//! ```
//!
//! `Style::SystemOne` is `POST /systemone` of local servers, where questions and answers stand under names:
//!
//! ```text
//! {"model":"m","state":"…","questions":{"urgent":{"type":"noul","instructions":"Is it urgent?"}}}
//! {"model":"m","answers":{"urgent":{"type":"noul","noul":0.93}},"usage":{…}}
//! ```
//!
//! `Style::Gemini` is `POST /decisions` of Gemini, where what is asked about stands in `input` as content.
//!
//! Shapes after the types of the vendors' own SDKs (openai 3.57.0, ollama 0.6.3, google-genai 3.6.1).

mod listed;
mod named;

use interlingua_model::{Error, ErrorKind, Json, Message, Usage, Warning};
use serde_json::value::RawValue;

pub use crate::DecisionStyle as Style;
use crate::openai_responses::OpenaiResponses;
use crate::{Codec, Encoded, Object, Refusal};

/// What is asked.
///
/// ```
/// use interlingua_model::Message;
/// use interlingua_wire::decision::{Answered, Asked, Question, Style};
///
/// let asked = Asked::new("m", Message::user("The house is on fire!")).question(Question::predicate("Is it urgent?"));
/// let call = Style::Decisions.encode(&asked)?.call;
/// assert_eq!(
///     &call.body[..],
///     br#"{"model":"m","input":"The house is on fire!","questions":[{"type":"predicate","instructions":"Is it urgent?"}]}"#
/// );
/// let decided = Style::Decisions.decode(&asked, br#"{"answers":[{"type":"predicate","probability":0.93}]}"#)?;
/// assert_eq!(decided.answers[0].answered, Answered::Predicate { probability: 0.93 });
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Asked {
    /// The bare name of the model.
    pub model: String,
    /// What the questions are about.
    pub input: Vec<Message>,
    /// The questions, in order.
    pub questions: Vec<Question>,
    /// Requests with the same key are routed to the same cache.
    pub cache_key: Option<String>,
    /// An opaque id of the person behind the request.
    pub end_user: Option<String>,
}

/// One question.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Question {
    /// A name that comes back with the answer.
    pub name: Option<String>,
    /// What is to be decided.
    pub instructions: String,
    /// Which answers there are.
    pub kind: Kind,
}

/// Which answers a question has.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// How likely the statement is.
    Predicate,
    /// One of these, 2 to 255 of them.
    Choice(Vec<Choice>),
    /// A place on a scale from the lowest level to the highest.
    Score(Vec<Level>),
}

/// A value that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// The value.
    pub value: Value,
    /// What it stands for.
    pub description: Option<String>,
}

/// A value: a text and a truth value of the same spelling are two.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A text.
    Text(String),
    /// True or false.
    Truth(bool),
}

/// A level of a scale.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Level {
    /// Its name.
    pub label: String,
    /// What it stands for.
    pub description: Option<String>,
}

/// What was decided.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Decided {
    /// The model that answered.
    pub model: Option<String>,
    /// The answers, in the order of the questions.
    pub answers: Vec<Answer>,
    /// Tokens.
    pub usage: Usage,
    /// What could not be said in the question.
    pub warnings: Vec<Warning>,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The name of the question.
    pub name: Option<String>,
    /// What the model says.
    pub answered: Answered,
}

/// What a model says to a question.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Answered {
    /// The statement is true with this probability.
    Predicate {
        /// From 0 to 1.
        probability: f64,
    },
    /// This value.
    Choice {
        /// The value.
        value: Value,
        /// From 0 to 1.
        confidence: f64,
        /// The probability of each value.
        probabilities: Vec<(Value, f64)>,
    },
    /// This place on the scale.
    Score {
        /// The expected level, from 0; it may lie between two.
        score: f64,
        /// From 0 to 1.
        confidence: f64,
        /// The probability of each level, by its label.
        probabilities: Vec<(String, f64)>,
    },
    /// The model refuses to answer this question.
    Refusal,
    /// There is no answer to this question.
    Missing,
    /// An answer of a kind that is not known, verbatim.
    Other(Json),
}

impl Style {
    /// The call that asks, and what could not be said in it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] when there is no question, or the input cannot be written.
    pub fn encode(self, asked: &Asked) -> Result<Encoded, Error> {
        if asked.questions.is_empty() {
            return Err(Error::new(ErrorKind::InvalidRequest, "a decision needs a question"));
        }
        match self {
            Self::Decisions => listed::encode(asked),
            Self::SystemOne | Self::Gemini => Ok(named::encode(self, asked)),
        }
    }

    /// The answers in a body of a success.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] when the body holds no answers, and what the body reports when it is an error.
    pub fn decode(self, asked: &Asked, body: &[u8]) -> Result<Decided, Error> {
        let answer = Object::from_slice(body).map_err(|error| {
            Error::new(ErrorKind::Protocol, format!("the answer is not JSON: {error}")).with_source(error)
        })?;
        if answer.get("answers").is_none() {
            return named::blocked(asked, &answer).ok_or_else(|| refused(200, body));
        }
        Ok(match self {
            Self::Decisions => listed::decode(asked, &answer),
            Self::SystemOne | Self::Gemini => named::decode(asked, &answer),
        })
    }

    /// Makes an error out of an answer whose status is not a success.
    pub fn refusal(self, refusal: &Refusal<'_>) -> Error {
        OpenaiResponses::default().refusal(refusal)
    }
}

/// The error of a body that should hold answers.
fn refused(status: u16, body: &[u8]) -> Error {
    let headers = http::HeaderMap::new();
    let told = Object::from_slice(body).is_ok_and(|body| body.get("error").is_some());
    if told {
        return OpenaiResponses::default().refusal(&Refusal::new(status, &headers, body));
    }
    Error::new(ErrorKind::Protocol, "the answer holds no answers")
}

impl Asked {
    /// Questions to a model about a message.
    pub fn new(model: impl Into<String>, input: impl Into<Message>) -> Self {
        Self { model: model.into(), input: vec![input.into()], ..Self::default() }
    }

    /// Adds a question.
    #[must_use]
    pub fn question(mut self, question: Question) -> Self {
        self.questions.push(question);
        self
    }
}

impl Question {
    /// How likely a statement is.
    pub fn predicate(instructions: impl Into<String>) -> Self {
        Self { name: None, instructions: instructions.into(), kind: Kind::Predicate }
    }

    /// Which of some values.
    pub fn choice(instructions: impl Into<String>, choices: impl IntoIterator<Item = Choice>) -> Self {
        Self {
            name: None,
            instructions: instructions.into(),
            kind: Kind::Choice(choices.into_iter().collect()),
        }
    }

    /// Where on a scale, from its lowest level.
    pub fn score(instructions: impl Into<String>, levels: impl IntoIterator<Item = Level>) -> Self {
        Self {
            name: None,
            instructions: instructions.into(),
            kind: Kind::Score(levels.into_iter().collect()),
        }
    }

    /// The same with a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl Choice {
    /// A value without a description.
    pub fn new(value: impl Into<Value>) -> Self {
        Self { value: value.into(), description: None }
    }

    /// The same with a description.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

impl Level {
    /// A level without a description.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), description: None }
    }

    /// The same with a description.
    #[must_use]
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

/// The figures of an answer.
fn usage(raw: Option<&RawValue>) -> Usage {
    let mut usage = Usage::default();
    let Some(figures) = raw.and_then(|raw| Object::parse(raw.get()).ok()) else { return usage };
    let details = |name| figures.peek::<Object<'_>>(name).unwrap_or_default();
    let (input, output) = (details("input_tokens_details"), details("output_tokens_details"));
    // Gemini counts the total of each kind.
    let either = |one, other| figures.peek(one).or_else(|| figures.peek(other));
    usage.input = either("input_tokens", "total_input_tokens");
    usage.output = either("output_tokens", "total_output_tokens");
    usage.cache_read =
        input.peek("cached_tokens").or_else(|| either("cached_input_tokens", "total_cached_tokens"));
    usage.cache_write = input.peek("cache_write_tokens");
    usage.reasoning = output.peek("reasoning_tokens").or_else(|| figures.peek("total_thought_tokens"));
    usage
}

//! What goes over the wire in an answer, in serde structs.

use std::borrow::Cow;

use interlingua_model::{Citation, Json, TokenLogprob, Usage};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::PROTOCOL;
use super::body::{Verbatim, raw};

/// A chunk of a stream, or a whole answer.
#[derive(Debug, Serialize)]
pub(super) struct Chunk<'a> {
    pub(super) id: &'a str,
    pub(super) object: &'static str,
    pub(super) created: u64,
    pub(super) model: &'a str,
    pub(super) choices: Vec<AnyChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<Figures<'a>>,
    #[serde(flatten)]
    pub(super) extra: Verbatim<'a>,
}

/// One of the answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum AnyChoice<'a> {
    Known(Box<Choice<'a>>),
    Verbatim(&'a RawValue),
}

/// The answer that counts.
#[derive(Debug, Default, Serialize)]
pub(super) struct Choice<'a> {
    pub(super) index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<Delta<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<Delta<'a>>,
    pub(super) logprobs: Option<AnyLogprobs<'a>>,
    pub(super) finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stop_reason: Option<&'a str>,
    #[serde(flatten)]
    pub(super) extra: Verbatim<'a>,
}

/// A message, or what is added to it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) reasoning_details: Vec<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) annotations: Vec<Annotation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audio: Option<Audio<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) images: Vec<Image>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<AnyCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<Function<'a>>,
    #[serde(flatten)]
    pub(super) extra: Verbatim<'a>,
}

/// Content: nothing, a text, or parts.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Null(()),
    Text(Cow<'a, str>),
    Parts(Vec<Part<'a>>),
}

/// A part of content; only what cannot be said otherwise is said in parts.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Part<'a> {
    Known(TextPart<'a>),
    Thinking(Thinking<'a>),
    Verbatim(&'a RawValue),
}

/// A text.
#[derive(Debug, Serialize)]
pub(super) struct TextPart<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) text: Cow<'a, str>,
}

/// Mistral's form of reasoning.
#[derive(Debug, Serialize)]
pub(super) struct Thinking<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(rename = "thinking")]
    pub(super) parts: Vec<TextPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<&'a RawValue>,
}

/// Sound, or what is added to it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Audio<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) transcript: Option<Cow<'a, str>>,
    #[serde(flatten)]
    pub(super) extra: Verbatim<'a>,
}

/// A picture, in OpenRouter's form.
#[derive(Debug, Serialize)]
pub(super) struct Image {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) image_url: ImageUrl,
}

/// Where a picture is.
#[derive(Debug, Serialize)]
pub(super) struct ImageUrl {
    pub(super) url: String,
}

/// A call, or what is added to it, of whatever kind.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum AnyCall<'a> {
    Known(Box<Call<'a>>),
    Verbatim(&'a RawValue),
}

/// A call, or what is added to it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Call<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<Function<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<Custom<'a>>,
    #[serde(flatten)]
    pub(super) extra: Verbatim<'a>,
}

/// A function call.
#[derive(Debug, Serialize)]
pub(super) struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    pub(super) arguments: &'a str,
}

/// A call of a custom tool.
#[derive(Debug, Serialize)]
pub(super) struct Custom<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    pub(super) input: &'a str,
}

/// A source of the text.
#[derive(Debug)]
pub(super) struct Annotation<'a>(pub(super) &'a Citation);

/// A citation in the words of `url_citation`.
#[derive(Debug, Serialize)]
struct UrlCitation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    start_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(flatten)]
    extra: Verbatim<'a>,
}

impl Serialize for Annotation<'_> {
    /// A source with an address is a `url_citation`, whatever its protocol called it; other kinds stand in their own
    /// fields.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(citation) = self;
        let extra = Verbatim::of(citation.extra.fields(PROTOCOL));
        let mut map = serializer.serialize_map(None)?;
        if citation.url.is_none() && citation.kind != "url_citation" {
            map.serialize_entry("type", &citation.kind)?;
            for (name, value) in &extra.0 {
                map.serialize_entry(name, value)?;
            }
            return map.end();
        }
        map.serialize_entry("type", "url_citation")?;
        let page = UrlCitation {
            start_index: citation.span.map(|span| span.start),
            end_index: citation.span.map(|span| span.end),
            url: citation.url.as_deref(),
            title: citation.title.as_deref(),
            extra,
        };
        map.serialize_entry("url_citation", &page)?;
        map.end()
    }
}

/// Token probabilities, of text or of whatever else.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum AnyLogprobs<'a> {
    Known(Logprobs<'a>),
    Verbatim(&'a RawValue),
}

/// Token probabilities.
#[derive(Debug, Serialize)]
pub(super) struct Logprobs<'a> {
    pub(super) content: Vec<Token<'a>>,
    pub(super) refusal: Option<()>,
}

/// The probability of a token and its neighbours.
#[derive(Debug, Serialize)]
pub(super) struct Token<'a> {
    #[serde(rename = "token")]
    text: &'a str,
    logprob: f64,
    bytes: Option<&'a [u8]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<Vec<Self>>,
}

impl<'a> Logprobs<'a> {
    /// The probabilities of text.
    pub(super) fn of(tokens: &'a [TokenLogprob]) -> Self {
        let plain = |token: &'a interlingua_model::Logprob| Token {
            text: &token.token,
            logprob: token.logprob,
            bytes: token.bytes.as_deref(),
            top_logprobs: None,
        };
        let content = tokens.iter().map(|token| Token {
            top_logprobs: Some(token.top.iter().map(plain).collect()),
            ..plain(&token.chosen)
        });
        Self { content: content.collect(), refusal: None }
    }
}

/// Figures of use; those that are not known and that every client demands are 0.
#[derive(Debug)]
pub(super) struct Figures<'a>(pub(super) &'a Usage);

impl Serialize for Figures<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(usage) = self;
        let (input, output) = (usage.input.unwrap_or(0), usage.output.unwrap_or(0));
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("prompt_tokens", &input)?;
        map.serialize_entry("completion_tokens", &output)?;
        match usage.extra.get(PROTOCOL, "total_tokens").and_then(raw) {
            Some(total) => map.serialize_entry("total_tokens", total)?,
            None => map.serialize_entry("total_tokens", &input.saturating_add(output))?,
        }
        let prompt = Details {
            figures: [
                ("cached_tokens", usage.cache_read),
                ("cache_write_tokens", usage.cache_write),
                ("audio_tokens", usage.input_audio),
            ],
            more: usage.extra.get(PROTOCOL, "prompt_tokens_details"),
        };
        let completion = Details {
            figures: [
                ("reasoning_tokens", usage.reasoning),
                ("audio_tokens", usage.output_audio),
                ("", None),
            ],
            more: usage.extra.get(PROTOCOL, "completion_tokens_details"),
        };
        if !prompt.is_empty() {
            map.serialize_entry("prompt_tokens_details", &prompt)?;
        }
        if !completion.is_empty() {
            map.serialize_entry("completion_tokens_details", &completion)?;
        }
        let known = ["total_tokens", "prompt_tokens_details", "completion_tokens_details"];
        for (name, value) in Verbatim::of(usage.extra.fields(PROTOCOL)).0 {
            if !known.contains(&name) {
                map.serialize_entry(name, &value)?;
            }
        }
        map.end()
    }
}

/// The parts of a total.
struct Details<'a> {
    figures: [(&'static str, Option<u64>); 3],
    more: Option<&'a Json>,
}

impl Details<'_> {
    fn is_empty(&self) -> bool {
        self.more.is_none() && self.figures.iter().all(|(_, figure)| figure.is_none())
    }
}

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, figure) in self.figures {
            if let Some(figure) = figure {
                map.serialize_entry(name, &figure)?;
            }
        }
        let more = self.more.and_then(|more| crate::Object::parse(more.as_str()).ok()).unwrap_or_default();
        for (name, value) in more.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The envelope of an error.
#[derive(Debug, Serialize)]
pub(super) struct Failure<'a> {
    pub(super) error: FailureBody<'a>,
}

/// What an error says.
#[derive(Debug, Serialize)]
pub(super) struct FailureBody<'a> {
    pub(super) message: &'a str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) param: Option<()>,
    pub(super) code: Option<&'a str>,
}

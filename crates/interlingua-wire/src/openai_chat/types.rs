//! What comes over the wire, in types that borrow from the bytes.
//!
//! Reading is lenient where services differ: a number may stand for a text, `null` for an absent field. Unknown fields
//! are kept in `rest`, in order and verbatim; a chunk without any costs no allocation.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

pub(super) use crate::object::string;

/// A text; a number or a truth value reads as its own text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Str<'a>(pub(super) Cow<'a, str>);

/// A count; anything that is not a number that a count can be reads as 0 where it is negative, else as nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Count(pub(super) Option<u64>);

/// A field whose value is of no interest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Skip;

/// Whether an unknown field is not worth keeping.
pub(super) fn says_nothing(value: &RawValue) -> bool {
    matches!(value.get(), "null" | "\"\"" | "[]" | "{}")
}

/// Unknown fields, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Rest<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Str<'a> {
    /// The text, if there is any.
    pub(super) fn filled(self) -> Option<Cow<'a, str>> {
        Some(self.0).filter(|text| !text.is_empty())
    }
}

impl<'a> Rest<'a> {
    /// Keeps a field, unless it says nothing.
    fn push(&mut self, name: Cow<'a, str>, value: &'a RawValue) {
        if !says_nothing(value) {
            self.0.push((name, value));
        }
    }

    /// Names and verbatim values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    /// Whether there is no field.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A struct of optional borrowed fields that keeps the fields it does not know. What is rare and large stands in a box, since
/// each level of the JSON moves the one below.
macro_rules! wire {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty = $($key:literal)|+,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name<'a> {
            $(pub(super) $field: Option<$type>,)+
            pub(super) rest: Rest<'a>,
        }

        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields<'a>(std::marker::PhantomData<&'a ()>);
                impl<'de: 'a, 'a> Visitor<'de> for Fields<'a> {
                    type Value = $name<'a>;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        let mut found = $name::default();
                        while let Some(Str(key)) = map.next_key::<Str<'de>>()? {
                            match &*key {
                                $($($key)|+ => found.$field = map.next_value::<Option<$type>>()?,)+
                                _ => found.rest.push(key, map.next_value()?),
                            }
                        }
                        Ok(found)
                    }
                }
                deserializer.deserialize_map(Fields(std::marker::PhantomData))
            }
        }
    };
}

wire! {
    /// A chunk of a stream, or a whole answer.
    Chunk {
        id: Str<'a> = "id",
        created: Count = "created",
        model: Str<'a> = "model",
        object: Str<'a> = "object",
        choices: Choices<'a> = "choices",
        usage: &'a RawValue = "usage",
        x_groq: Box<Groq<'a>> = "x_groq",
        error: &'a RawValue = "error",
        base_resp: Box<BaseResp<'a>> = "base_resp",
        service_tier: &'a RawValue = "service_tier",
        system_fingerprint: &'a RawValue = "system_fingerprint",
        provider: &'a RawValue = "provider",
        padding: Skip = "obfuscation" | "p",
    }
}

wire! {
    /// One of the answers in a chunk.
    Choice {
        index: Count = "index",
        delta: Delta<'a> = "delta",
        message: Box<Delta<'a>> = "message",
        finish_reason: Str<'a> = "finish_reason",
        stop_reason: &'a RawValue = "stop_reason" | "matched_stop",
        logprobs: &'a RawValue = "logprobs",
        usage: &'a RawValue = "usage",
        error: &'a RawValue = "error",
        padding: Skip = "obfuscation" | "text" | "token_ids",
    }
}

wire! {
    /// A message, or what is added to it.
    Delta {
        role: Skip = "role" | "index" | "token_id" | "padding",
        content: &'a RawValue = "content",
        refusal: Str<'a> = "refusal",
        reasoning_content: &'a RawValue = "reasoning_content",
        reasoning: &'a RawValue = "reasoning",
        reasoning_text: &'a RawValue = "reasoning_text",
        reasoning_details: Vec<&'a RawValue> = "reasoning_details",
        tool_calls: Vec<&'a RawValue> = "tool_calls",
        function_call: Box<FunctionDelta<'a>> = "function_call",
        audio: Box<Audio<'a>> = "audio",
        annotations: Vec<&'a RawValue> = "annotations",
        images: Vec<&'a RawValue> = "images",
    }
}

wire! {
    /// A tool call, or what is added to it.
    ToolDelta {
        index: Count = "index",
        id: Str<'a> = "id",
        kind: Str<'a> = "type",
        function: FunctionDelta<'a> = "function",
        custom: FunctionDelta<'a> = "custom",
    }
}

wire! {
    /// A function call, or what is added to it; the free text of a custom tool is called `input`.
    FunctionDelta {
        name: Str<'a> = "name",
        arguments: &'a RawValue = "arguments" | "input",
    }
}

wire! {
    /// Sound, or what is added to it.
    Audio {
        id: Str<'a> = "id",
        data: Str<'a> = "data",
        transcript: Str<'a> = "transcript",
        expires_at: Count = "expires_at",
    }
}

wire! {
    /// Token figures as nearly every service reports them.
    Figures {
        prompt: Count = "prompt_tokens",
        completion: Count = "completion_tokens",
        total: Count = "total_tokens",
        prompt_details: FigureDetails<'a> = "prompt_tokens_details",
        completion_details: FigureDetails<'a> = "completion_tokens_details",
    }
}

wire! {
    /// What the tokens were.
    FigureDetails {
        cached: Count = "cached_tokens",
        written: Count = "cache_write_tokens",
        audio: Count = "audio_tokens",
        reasoning: Count = "reasoning_tokens",
    }
}

wire! {
    /// What Groq says besides.
    Groq {
        usage: &'a RawValue = "usage",
        id: Str<'a> = "id",
        error: &'a RawValue = "error",
    }
}

wire! {
    /// How MiniMax reports errors with a status of success.
    BaseResp {
        status_code: Count = "status_code",
        status_msg: Str<'a> = "status_msg",
    }
}

wire! {
    /// A part of `content`.
    ContentPart {
        kind: Str<'a> = "type",
        text: Str<'a> = "text",
        refusal: Str<'a> = "refusal",
        thinking: &'a RawValue = "thinking",
        signature: Str<'a> = "signature",
        image_url: &'a RawValue = "image_url",
        reference_ids: &'a RawValue = "reference_ids",
        closed: Skip = "closed",
    }
}

wire! {
    /// The address of an image.
    ImageUrl {
        url: Str<'a> = "url",
        detail: Str<'a> = "detail",
    }
}

wire! {
    /// An annotation, whose fields stand in it or in an object named after its type.
    Annotation {
        kind: Str<'a> = "type",
        url_citation: UrlCitation<'a> = "url_citation",
    }
}

wire! {
    /// A cited page.
    UrlCitation {
        kind: Skip = "type",
        url: Str<'a> = "url",
        title: Str<'a> = "title",
        start_index: Count = "start_index",
        end_index: Count = "end_index",
    }
}

wire! {
    /// Token probabilities.
    Logprobs {
        content: Vec<TokenLogprob<'a>> = "content",
        refusal: Vec<TokenLogprob<'a>> = "refusal",
    }
}

wire! {
    /// The probability of a token and its neighbours.
    TokenLogprob {
        token: Str<'a> = "token",
        logprob: f64 = "logprob",
        bytes: Vec<u8> = "bytes",
        top_logprobs: Vec<TokenLogprob<'a>> = "top_logprobs",
    }
}

/// The answers in a chunk. The first is read; whether there are others is noted.
#[derive(Debug, Default)]
pub(super) struct Choices<'a> {
    /// The answer with the index 0, or without an index.
    pub(super) first: Option<Choice<'a>>,
    /// Whether there are others.
    pub(super) others: bool,
}

/// The answers in a chunk, verbatim.
#[derive(Debug, Deserialize)]
pub(super) struct RawChoices<'a> {
    /// All of them.
    #[serde(borrow)]
    pub(super) choices: Vec<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Choices<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Items<'a> {
            type Value = Choices<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of choices")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut found = Choices::default();
                while let Some(choice) = items.next_element::<Choice<'a>>()? {
                    if found.first.is_none() && choice.is_first() {
                        found.first = Some(choice);
                    } else {
                        found.others = true;
                    }
                }
                Ok(found)
            }
        }
        deserializer.deserialize_seq(Items(std::marker::PhantomData))
    }
}

impl Chunk<'_> {
    /// The name of the field with the words of this chunk, when there is but one and nothing else in the chunk is ever
    /// added up.
    pub(super) fn only_word(&self) -> Option<&'static str> {
        let choices = self.choices.as_ref().filter(|choices| !choices.others)?;
        let choice = choices.first.as_ref()?;
        let bare =
            self.usage.is_none() && self.x_groq.is_none() && self.error.is_none() && self.base_resp.is_none();
        let alone = choice.usage.is_none()
            && choice.error.is_none()
            && choice.logprobs.is_none()
            && choice.message.is_none()
            && choice.finish_reason.is_none();
        choice.delta.as_ref().filter(|_| bare && alone)?.only_word()
    }
}

impl Delta<'_> {
    fn only_word(&self) -> Option<&'static str> {
        let fields = [
            ("content", self.content.is_some()),
            ("reasoning_content", self.reasoning_content.is_some()),
            ("reasoning", self.reasoning.is_some()),
            ("reasoning_text", self.reasoning_text.is_some()),
            ("arguments", self.tool_calls.as_ref().is_some_and(|calls| !calls.is_empty())),
        ];
        let bare = self.rest.is_empty()
            && self.refusal.is_none()
            && self.function_call.is_none()
            && self.audio.is_none()
            && self.reasoning_details.as_ref().is_none_or(Vec::is_empty)
            && self.annotations.as_ref().is_none_or(Vec::is_empty)
            && self.images.as_ref().is_none_or(Vec::is_empty);
        let mut said = fields.iter().filter(|(_, said)| *said);
        let (name, _) = said.next().filter(|_| bare)?;
        said.next().is_none().then_some(*name)
    }
}

impl Choice<'_> {
    /// Whether this is the answer that counts.
    pub(super) fn is_first(&self) -> bool {
        self.index.and_then(|Count(index)| index).unwrap_or(0) == 0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Text<'a> {
            type Value = Str<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Str<'a>, E> {
                Ok(Str(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Str<'a>, E> {
                Ok(Str(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Str<'a>, E> {
                Ok(Str(Cow::Owned(text)))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Str<'a>, E> {
                Ok(Str(Cow::Owned(number.to_string())))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Str<'a>, E> {
                Ok(Str(Cow::Owned(number.to_string())))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Str<'a>, E> {
                Ok(Str(Cow::Owned(number.to_string())))
            }

            fn visit_bool<E>(self, truth: bool) -> Result<Str<'a>, E> {
                Ok(Str(Cow::Owned(truth.to_string())))
            }
        }
        deserializer.deserialize_any(Text(std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl<'de> Visitor<'de> for Number {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Count, E> {
                Ok(Count(Some(number)))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Count, E> {
                Ok(Count(Some(u64::try_from(number).unwrap_or(0))))
            }

            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a cast of floats saturates"
            )]
            fn visit_f64<E>(self, number: f64) -> Result<Count, E> {
                Ok(Count(Some(number as u64)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Count, E> {
                Ok(Count(text.parse().ok()))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Count, E> {
                Ok(Count(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Count, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Count(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Count, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Count(None))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

impl<'de> Deserialize<'de> for Skip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self).map_err(D::Error::custom)
    }
}

//! What goes over the wire in a request, in serde structs; the order of fields is the order on the wire.

use std::borrow::Cow;

use interlingua_model::{Fields, Json};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Fields that are written as they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Verbatim<'a>(pub(super) Vec<(&'a str, Plain<'a>)>);

/// A value that is written as it is; what is not valid JSON is written as a text, lest it be lost.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub(super) enum Plain<'a> {
    Json(&'a RawValue),
    Text(&'a str),
}

impl<'a> Plain<'a> {
    /// A value.
    pub(super) fn of(value: &'a Json) -> Self {
        raw(value).map_or(Self::Text(value.as_str()), Self::Json)
    }
}

impl<'a> Verbatim<'a> {
    /// All fields of a namespace.
    pub(super) fn of(fields: Option<&'a Fields>) -> Self {
        Self(
            fields.into_iter().flat_map(Fields::iter).map(|(name, value)| (name, Plain::of(value))).collect(),
        )
    }
}

/// JSON text as it is written into a body, or `None` when it is not valid.
pub(super) fn raw(value: &Json) -> Option<&RawValue> {
    serde_json::from_str(value.as_str()).ok()
}

impl Serialize for Verbatim<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// A list of names and values as an object.
#[derive(Debug)]
pub(super) struct Labels<'a>(pub(super) &'a [(String, String)]);

impl Serialize for Labels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A message.
#[derive(Debug, Default, Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_call_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning_text: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) reasoning_details: Vec<Detail<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audio: Option<StoredAudio<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<AnyCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_call: Option<Function<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) prefix: bool,
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

/// A part of content.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Part<'a> {
    Known(Box<KnownPart<'a>>),
    Verbatim(&'a RawValue),
}

/// A part of a known kind.
#[derive(Debug, Default, Serialize)]
pub(super) struct KnownPart<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) thinking: Vec<Self>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_url: Option<Address<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) video_url: Option<Address<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document_url: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) document_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input_audio: Option<Sound<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<File<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) file_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference_ids: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<CacheControl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prompt_cache_breakpoint: Option<Breakpoint>,
    #[serde(flatten)]
    pub(super) extra: Verbatim<'a>,
}

/// An address with what belongs to it.
#[derive(Debug, Serialize)]
pub(super) struct Address<'a> {
    pub(super) url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<&'a RawValue>,
    #[serde(flatten)]
    pub(super) extra: Verbatim<'a>,
}

/// Sound that goes in.
#[derive(Debug, Serialize)]
pub(super) struct Sound<'a> {
    pub(super) data: String,
    pub(super) format: &'a str,
}

/// A document.
#[derive(Debug, Default, Serialize)]
pub(super) struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) filename: Option<&'a str>,
    #[serde(rename = "file_data", skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<String>,
    #[serde(rename = "file_id", skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<&'a str>,
}

/// A cache mark in Anthropic's words.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct CacheControl {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<&'static str>,
}

/// A cache mark in OpenAI's words.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Breakpoint {
    pub(super) mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<&'static str>,
}

/// An item of `reasoning_details`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Detail<'a> {
    Verbatim(&'a RawValue),
    Text {
        #[serde(rename = "type")]
        kind: &'static str,
        text: &'a str,
    },
}

/// Sound that the service has stored.
#[derive(Debug, Serialize)]
pub(super) struct StoredAudio<'a> {
    pub(super) id: &'a RawValue,
}

/// A call in history, of whatever kind.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum AnyCall<'a> {
    Known(Box<Call<'a>>),
    Verbatim(&'a RawValue),
}

/// A call of a known kind in history.
#[derive(Debug, Serialize)]
pub(super) struct Call<'a> {
    pub(super) id: Cow<'a, str>,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<Function<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<Custom<'a>>,
    #[serde(flatten)]
    pub(super) extra: Verbatim<'a>,
}

/// A function and the arguments it was called with.
#[derive(Debug, Serialize)]
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: Cow<'a, str>,
}

/// A custom tool and the text it was called with.
#[derive(Debug, Serialize)]
pub(super) struct Custom<'a> {
    pub(super) name: &'a str,
    pub(super) input: &'a str,
}

/// A tool on offer.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Tool<'a> {
    Known(Box<KnownTool<'a>>),
    Verbatim(&'a RawValue),
}

/// A tool of a known kind.
#[derive(Debug, Default, Serialize)]
pub(super) struct KnownTool<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<FunctionSpec<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<CustomSpec<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<CacheControl>,
    #[serde(flatten)]
    pub(super) extra: Verbatim<'a>,
}

/// A function on offer.
#[derive(Debug, Serialize)]
pub(super) struct FunctionSpec<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strict: Option<bool>,
    #[serde(flatten)]
    pub(super) extra: Verbatim<'a>,
}

/// A custom tool on offer.
#[derive(Debug, Serialize)]
pub(super) struct CustomSpec<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<CustomFormat<'a>>,
}

/// What the text of a custom tool must look like.
#[derive(Debug, Serialize)]
pub(super) struct CustomFormat<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) grammar: GrammarSpec<'a>,
}

/// A grammar.
#[derive(Debug, Serialize)]
pub(super) struct GrammarSpec<'a> {
    pub(super) syntax: &'a str,
    pub(super) definition: &'a str,
}

/// Which tool is to be called.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Choice<'a> {
    Word(&'static str),
    Named(NamedTool<'a>),
    Allowed {
        #[serde(rename = "type")]
        kind: &'static str,
        allowed_tools: AllowedTools<'a>,
    },
}

/// A tool by its name.
#[derive(Debug, Serialize)]
pub(super) struct NamedTool<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function: Option<Name<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<Name<'a>>,
}

/// A name.
#[derive(Debug, Serialize)]
pub(super) struct Name<'a> {
    pub(super) name: &'a str,
}

/// The tools that may be called.
#[derive(Debug, Serialize)]
pub(super) struct AllowedTools<'a> {
    pub(super) mode: &'static str,
    pub(super) tools: Vec<NamedTool<'a>>,
}

/// The form of the answer.
#[derive(Debug, Serialize)]
pub(super) struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) json_schema: Option<SchemaSpec<'a>>,
}

/// A schema for the answer.
#[derive(Debug, Serialize)]
pub(super) struct SchemaSpec<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a str>,
    pub(super) schema: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strict: Option<bool>,
}

/// OpenRouter's switch of reasoning.
#[derive(Debug, Default, Serialize)]
pub(super) struct ReasoningObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effort: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exclude: Option<bool>,
}

/// DeepSeek's switch of reasoning.
#[derive(Debug, Serialize)]
pub(super) struct ThinkingType {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
}

/// Switches for the chat template of a local server.
#[derive(Debug, Default, Serialize)]
pub(super) struct TemplateSwitch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) enable_thinking: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<bool>,
}

/// What a stream is to hold besides.
#[derive(Debug, Serialize)]
pub(super) struct StreamOptions {
    pub(super) include_usage: bool,
}

/// Caching of the whole prompt.
#[derive(Debug, Serialize)]
pub(super) struct CacheOptions {
    pub(super) mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<&'static str>,
}

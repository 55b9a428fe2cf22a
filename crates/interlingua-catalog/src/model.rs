use std::fmt;

use interlingua_model::Effort;

use crate::Prices;

/// What is known of one model at one provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Model {
    /// The id of the provider.
    pub provider: String,
    /// The name that requests use.
    pub id: String,
    /// What it is for.
    pub kind: Kind,
    /// Most tokens of a prompt.
    pub context: Option<u64>,
    /// Most tokens of an answer; for embeddings, the length of a vector stands in [`dimensions`](Self::dimensions).
    pub output: Option<u64>,
    /// The length of its vectors, for embeddings.
    pub dimensions: Option<u64>,
    /// The shortest prompt that is cached, in tokens.
    pub cache_from: Option<u64>,
    /// What it can and cannot do.
    pub traits: Traits,
    /// What its tokens cost.
    pub prices: Prices,
    /// The day from which it is no longer served, as `YYYY-MM-DD`.
    pub ends: Option<String>,
    /// The model that its provider names in its place.
    pub successor: Option<String>,
}

/// What a model is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Conversations, in a chat protocol.
    #[default]
    Chat,
    /// Conversations, in the Responses protocol alone.
    Responses,
    /// The continuation of a text.
    Completion,
    /// Vectors.
    Embedding,
    /// The order of documents.
    Rerank,
    /// Pictures.
    Image,
    /// Moving pictures.
    Video,
    /// Speech out of text.
    Speech,
    /// Text out of speech.
    Transcription,
    /// Conversations by voice.
    Realtime,
    /// Whether a text is decent.
    Moderation,
    /// Text out of pictures of pages.
    Ocr,
    /// Decisions.
    Decision,
}

/// Something that a model can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Trait {
    /// It calls tools.
    Tools,
    /// It calls several tools at once.
    ParallelTools,
    /// It takes a choice of tool.
    ToolChoice,
    /// It takes a choice that demands a tool.
    ForcedTools,
    /// It takes pictures.
    Images,
    /// It takes PDF files.
    Pdf,
    /// It takes sound.
    Audio,
    /// It takes video.
    Video,
    /// It makes sound.
    AudioOut,
    /// It makes pictures.
    ImagesOut,
    /// Its answers can be bound to a JSON Schema.
    Schema,
    /// It reasons before it answers.
    Reasoning,
    /// It cannot be kept from reasoning.
    AlwaysReasons,
    /// It decides for itself how much to reason.
    AdaptiveReasoning,
    /// It takes a number of tokens for its reasoning.
    ReasoningBudget,
    /// Prompts are cached.
    Caching,
    /// It takes instructions of the system.
    System,
    /// It takes instructions of the system between the turns.
    SystemAnywhere,
    /// It goes on with an answer that the request begins.
    Prefill,
    /// It takes temperature and top-p.
    Sampling,
    /// It searches the web by itself.
    WebSearch,
    /// It reads addresses by itself.
    UrlContext,
    /// It uses a computer.
    ComputerUse,
    /// It searches among many tools.
    ToolSearch,
    /// Its answers stream.
    Streaming,
    /// It knows the effort `none`.
    EffortNone,
    /// It knows the effort `minimal`.
    EffortMinimal,
    /// It knows the effort `low`.
    EffortLow,
    /// It knows the effort `xhigh`.
    EffortXHigh,
    /// It knows the effort `max`.
    EffortMax,
}

/// What a model can do, cannot do, and of what nothing is known.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Traits {
    yes: u32,
    no: u32,
}

impl Model {
    /// A model of a provider, of which nothing is known yet.
    pub fn new(provider: impl Into<String>, id: impl Into<String>) -> Self {
        Self { provider: provider.into(), id: id.into(), ..Self::default() }
    }

    /// Whether it can do something; `None` when that is not known.
    pub const fn can(&self, what: Trait) -> Option<bool> {
        self.traits.get(what)
    }

    /// Whether it knows a level of effort; `None` when that is not known, as it is for the levels that every model
    /// with levels has.
    pub const fn knows_effort(&self, effort: Effort) -> Option<bool> {
        match effort {
            Effort::None => self.can(Trait::EffortNone),
            Effort::Minimal => self.can(Trait::EffortMinimal),
            Effort::Low => self.can(Trait::EffortLow),
            Effort::XHigh => self.can(Trait::EffortXHigh),
            Effort::Max => self.can(Trait::EffortMax),
            _ => None,
        }
    }

    /// Whether it is no longer served on a day, which is written `YYYY-MM-DD`; `None` when no end is known.
    pub fn has_ended(&self, day: &str) -> Option<bool> {
        self.ends.as_deref().map(|end| day >= end)
    }
}

impl Traits {
    /// Notes whether the model can do something.
    pub const fn set(&mut self, what: Trait, can: bool) {
        let bit = 1 << what as u32;
        (self.yes, self.no) =
            if can { (self.yes | bit, self.no & !bit) } else { (self.yes & !bit, self.no | bit) };
    }

    /// Whether the model can do something; `None` when that is not known.
    pub const fn get(&self, what: Trait) -> Option<bool> {
        let bit = 1 << what as u32;
        if self.yes & bit != 0 {
            Some(true)
        } else if self.no & bit != 0 {
            Some(false)
        } else {
            None
        }
    }

    /// What is known, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Trait, bool)> {
        Trait::ALL.into_iter().filter_map(|what| Some((what, self.get(what)?)))
    }
}

impl fmt::Debug for Traits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

macro_rules! words {
    ($name:ident, $count:literal: $($variant:ident = $word:literal,)+) => {
        impl $name {
            /// All of them, in order.
            pub const ALL: [Self; $count] = [$(Self::$variant,)+];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// What a word means.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|known| known.word() == word)
            }
        }
    };
}

words! { Kind, 13:
    Chat = "chat",
    Responses = "responses",
    Completion = "completion",
    Embedding = "embedding",
    Rerank = "rerank",
    Image = "image",
    Video = "video",
    Speech = "speech",
    Transcription = "transcription",
    Realtime = "realtime",
    Moderation = "moderation",
    Ocr = "ocr",
    Decision = "decision",
}

words! { Trait, 30:
    Tools = "tools",
    ParallelTools = "parallel",
    ToolChoice = "choice",
    ForcedTools = "forced",
    Images = "images",
    Pdf = "pdf",
    Audio = "audio",
    Video = "video",
    AudioOut = "audio_out",
    ImagesOut = "images_out",
    Schema = "schema",
    Reasoning = "reasoning",
    AlwaysReasons = "always_reasons",
    AdaptiveReasoning = "adaptive",
    ReasoningBudget = "budget",
    Caching = "caching",
    System = "system",
    SystemAnywhere = "system_anywhere",
    Prefill = "prefill",
    Sampling = "sampling",
    WebSearch = "web_search",
    UrlContext = "url_context",
    ComputerUse = "computer",
    ToolSearch = "tool_search",
    Streaming = "streaming",
    EffortNone = "effort_none",
    EffortMinimal = "effort_minimal",
    EffortLow = "effort_low",
    EffortXHigh = "effort_xhigh",
    EffortMax = "effort_max",
}

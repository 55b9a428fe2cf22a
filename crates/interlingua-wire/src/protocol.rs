use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The wire protocols.
///
/// | id | endpoint | framing | usual key | end of a stream |
/// |---|---|---|---|---|
/// | `openai_chat` | `POST /chat/completions` | SSE, data only | bearer | `[DONE]` |
/// | `openai_responses` | `POST /responses` | SSE, named events | bearer | `response.completed`, `.incomplete`, `.failed` |
/// | `anthropic` | `POST /v1/messages` | SSE, named events | `x-api-key` | `message_stop` |
/// | `cohere` | `POST /v2/chat` | SSE, named events | bearer | `message-end` |
/// | `bedrock` | `POST /model/{model}/converse` | AWS event stream | SigV4 or bearer | `metadata` |
/// | `gemini` | `POST /models/{model}:generateContent` | SSE, data only | `x-goog-api-key` | the end of the body, after a finish reason |
/// | `ollama` | `POST /chat` | lines of JSON | none, or bearer | `"done":true` |
/// | `gemini_interactions` | `POST /interactions` | SSE, data only | `x-goog-api-key` | `interaction.completed` |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Protocol {
    /// OpenAI Chat Completions, the common tongue of compatible services.
    OpenaiChat,
    /// OpenAI Responses.
    OpenaiResponses,
    /// Anthropic Messages.
    Anthropic,
    /// Cohere v2 chat.
    Cohere,
    /// Amazon Bedrock Converse.
    Bedrock,
    /// Gemini's `generateContent`, of the Gemini Developer API and of Vertex AI.
    Gemini,
    /// The native chat protocol of Ollama.
    Ollama,
    /// Gemini's Interactions, which is to take the place of `generateContent`.
    GeminiInteractions,
}

impl Protocol {
    /// All protocols, be they built or not.
    pub const ALL: [Self; 8] = [
        Self::OpenaiChat,
        Self::OpenaiResponses,
        Self::Anthropic,
        Self::Cohere,
        Self::Bedrock,
        Self::Gemini,
        Self::Ollama,
        Self::GeminiInteractions,
    ];

    /// The id, which is also the namespace of the protocol in an [`Extra`](interlingua_model::Extra).
    pub const fn id(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai_chat",
            Self::OpenaiResponses => "openai_responses",
            Self::Anthropic => "anthropic",
            Self::Cohere => "cohere",
            Self::Bedrock => "bedrock",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
            Self::GeminiInteractions => "gemini_interactions",
        }
    }
}

impl Protocol {
    /// Whether the codec is part of this program, which is a matter of cargo features.
    pub const fn is_built(self) -> bool {
        match self {
            Self::OpenaiChat => cfg!(feature = "openai-chat"),
            Self::OpenaiResponses => cfg!(feature = "openai-responses"),
            Self::Anthropic => cfg!(feature = "anthropic"),
            Self::Cohere => cfg!(feature = "cohere"),
            Self::Bedrock => cfg!(feature = "bedrock"),
            Self::Gemini => cfg!(feature = "gemini"),
            Self::Ollama => cfg!(feature = "ollama"),
            Self::GeminiInteractions => cfg!(feature = "gemini-interactions"),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(id: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|protocol| protocol.id() == id);
        found.ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|protocol| protocol.id()).collect();
            format!("unknown protocol `{id}`, expected one of {}", known.join(", "))
        })
    }
}

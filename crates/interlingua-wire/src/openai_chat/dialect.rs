use interlingua_model::{Effort, FinishReason};
use serde::Serialize;

use super::envelope::Envelope;
use crate::Table;
use crate::fields::{fields, words};
use crate::markup::Markup;

fields! {
    /// How one service speaks Chat Completions: one field per quirk.
    ///
    /// The default suits an unknown compatible service (vLLM, llama.cpp, a gateway): it asks for nothing that such a
    /// service commonly refuses, and says so by a warning. [`Dialect::openai`] is OpenAI itself.
    ///
    /// Fields steer what is *sent*. Reading is lenient for everyone, because nothing is lost by it: reasoning is read in
    /// every known spelling (`reasoning_content`, `reasoning`, `reasoning_text`, `reasoning_details`, thinking parts in
    /// `content`), usage wherever it stands (`usage`, `choices[].usage`, `x_groq.usage`), tool arguments as text or as an
    /// object, and so on.
    ///
    /// ```
    /// use interlingua_wire::openai_chat::{Dialect, MaxTokens};
    ///
    /// let dialect: Dialect = serde_json::from_str(r#"{"max_tokens":"max_completion_tokens","strict":false}"#)?;
    /// assert_eq!(dialect.max_tokens, MaxTokens::MaxCompletionTokens);
    /// assert!(dialect.parallel_tool_calls);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[non_exhaustive]
    pub struct Dialect {
        /// The field for the most tokens of answer.
        pub max_tokens: MaxTokens,
        /// The field for the seed.
        pub seed: Seed,
        /// The role of instructions.
        pub system_role: SystemRole,
        /// The service takes `content` as a string only: text parts are joined, other parts dropped.
        pub string_content: bool,
        /// What `content` is in an assistant message that has none, such as one of tool calls alone.
        pub empty_content: EmptyContent,
        /// Results of tools carry the tool's `name` (Mistral, some local servers).
        pub tool_result_name: bool,
        /// A user message must not follow a tool result directly: an assistant message is put between.
        pub assistant_after_tool: bool,
        /// Assistant messages are kept open for the model to go on by `prefix: true` (Mistral, DeepSeek).
        pub prefix: bool,

        /// Tools are accepted at all.
        pub tools: bool,
        /// Tools may go together with an effort above none; elsewhere the effort becomes none.
        pub effort_with_tools: bool,
        /// What `tool_choice` may say.
        pub tool_choice: ToolChoiceWords,
        /// Tools may say `strict`.
        pub strict: bool,
        /// Tools may take free text (`type: "custom"`).
        pub custom_tools: bool,
        /// `parallel_tool_calls` is accepted.
        pub parallel_tool_calls: bool,
        /// `tools: []` is sent when there are no tools and the history has calls (`LiteLLM` in front of Anthropic).
        pub empty_tools: bool,
        /// Longest tool name, in characters of `A–Z a–z 0–9 _ -`; `None` leaves the check to the service.
        pub tool_name_limit: Option<u16>,
        /// The form of tool call ids; others are rewritten, the same way in calls and results.
        pub tool_call_ids: ToolCallIds,

        /// `response_format` may be a JSON Schema.
        pub json_schema: bool,
        /// `response_format` may be `json_object`.
        pub json_object: bool,

        /// How reasoning is switched.
        pub reasoning: ReasoningSwitch,
        /// The words of the levels of effort. Levels that are not listed become the nearest that is. Empty: where the
        /// switch is [`ReasoningSwitch::Effort`] the usual words of all levels, elsewhere levels above none are all `on`.
        pub effort_words: Table<Effort, String>,
        /// Whether the service lets readable reasoning be hidden.
        pub reasoning_display: ReasoningDisplay,
        /// How reasoning of earlier turns goes back.
        pub reasoning_echo: ReasoningEcho,
        /// Assistant messages without reasoning carry an empty `reasoning_content` (DeepSeek V4 in tool loops).
        pub reasoning_echo_empty: bool,

        /// Whether `temperature` and `top_p` are accepted.
        pub sampling: SamplingRule,
        /// The highest temperature; a higher one is lowered to it.
        pub max_temperature: Option<f64>,
        /// `top_k` is accepted.
        pub top_k: bool,
        /// `presence_penalty` and `frequency_penalty` are accepted.
        pub penalties: bool,
        /// `logprobs` and `top_logprobs` are accepted.
        pub logprobs: bool,
        /// Most stop sequences: `None` without a limit, 0 when `stop` is refused. OpenAI takes 4.
        pub stop_limit: Option<u8>,

        /// `stream_options.include_usage` is accepted; without it some services report no usage in a stream.
        pub stream_usage: bool,
        /// The service streams each call in one piece, and its clients read no other (Mistral). Only the server half asks.
        pub whole_calls: bool,
        /// What asks for a prompt cache mark after a part.
        pub cache_marks: CacheMarks,
        /// What asks for automatic caching of the whole prompt.
        pub automatic_cache: AutomaticCache,
        /// `prompt_cache_key` is accepted.
        pub prompt_cache_key: bool,
        /// `metadata` is accepted.
        pub metadata: bool,
        /// `verbosity` is accepted.
        pub verbosity: bool,
        /// `service_tier` is accepted.
        pub service_tier: bool,
        /// The field for the person behind the request.
        pub end_user: EndUser,

        /// `image_url` parts are accepted.
        pub images: bool,
        /// `input_audio` parts are accepted.
        pub audio: bool,
        /// The part for documents.
        pub files: FileParts,
        /// References to sources stand among the content of an assistant's message, and go back there (Mistral).
        pub references: bool,
        /// `video_url` parts are accepted (`DashScope`, Moonshot, vLLM).
        pub video: bool,

        /// Fields that go into every body unless the request sets them, such as `tool_stream`.
        pub body: Table<String, serde_json::Value>,
        /// Fields of a request's `extra` that the service answers with an error: left out, with a warning.
        pub refused_fields: Vec<String>,

        /// What the service puts around the bodies of the protocol.
        pub envelope: Envelope,
        /// What the models write into their text although it has places of its own: reasoning in tags, calls of tools.
        pub markup: Markup,
        /// Finish words beyond the well-known ones.
        pub finish_words: Table<String, FinishReason>,
        /// Each delta repeats the whole text so far (some Qwen hosts).
        pub cumulative_deltas: bool,
        /// What tells the calls of an answer apart.
        pub tool_deltas: ToolDeltas,
        /// What ends a stream.
        pub stream_end: StreamEnd,
    }
}

words! {
    /// The field for the most tokens of answer.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum MaxTokens {
        /// `max_tokens`, which every compatible service knows.
        #[default]
        MaxTokens = "max_tokens",
        /// `max_completion_tokens`, which OpenAI's reasoning models demand.
        MaxCompletionTokens = "max_completion_tokens",
        /// There is none.
        Refused = "refused",
    }
}

words! {
    /// The field for the seed.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Seed {
        /// `seed`.
        #[default]
        Seed = "seed",
        /// `random_seed` (Mistral).
        RandomSeed = "random_seed",
        /// There is none.
        Refused = "refused",
    }
}

words! {
    /// The role of instructions.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum SystemRole {
        /// `system`, which every service knows.
        #[default]
        System = "system",
        /// `developer`, OpenAI's word for its reasoning models.
        Developer = "developer",
    }
}

words! {
    /// What `content` is where an assistant message has none.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum EmptyContent {
        /// `null`.
        #[default]
        Null = "null",
        /// `""`.
        EmptyString = "empty_string",
        /// The field is left out.
        Omitted = "omitted",
    }
}

fields! {
    /// What `tool_choice` may say. `auto` is always understood.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct ToolChoiceWords {
        /// `none`; elsewhere the tools are left out.
        pub none: bool,
        /// The word for "some tool must be called".
        pub required: RequiredWord,
        /// One tool by its name; elsewhere "required" takes its place.
        pub named: bool,
        /// `allowed_tools`; elsewhere only those tools are sent.
        pub allowed: bool,
    }
}

words! {
    /// The word for "some tool must be called".
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum RequiredWord {
        /// `required`.
        #[default]
        Required = "required",
        /// `any` (older Mistral deployments).
        Any = "any",
        /// There is none (Moonshot, z.ai).
        Refused = "refused",
    }
}

words! {
    /// The form of tool call ids.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum ToolCallIds {
        /// Any text.
        #[default]
        Any = "any",
        /// At most 64 characters of `A–Z a–z 0–9 _ -`.
        Token64 = "token64",
        /// Exactly nine letters and digits (older Mistral deployments).
        Alphanumeric9 = "alphanumeric9",
    }
}

words! {
    /// How reasoning is switched.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum ReasoningSwitch {
        /// `reasoning_effort: "low"`.
        #[default]
        Effort = "effort",
        /// `reasoning: {effort | max_tokens | enabled, exclude}` (OpenRouter).
        ReasoningObject = "reasoning_object",
        /// `reasoning: {enabled: true}` (Together), with `reasoning_effort` beside it where words are listed.
        ReasoningEnabled = "reasoning_enabled",
        /// `thinking: {type: "enabled" | "disabled"}` (DeepSeek, z.ai, Moonshot), with `reasoning_effort` beside it where
        /// words are listed.
        ThinkingType = "thinking_type",
        /// `enable_thinking: true`, `thinking_budget: tokens` (Qwen on `DashScope`).
        EnableThinking = "enable_thinking",
        /// `chat_template_kwargs: {enable_thinking: true}` (Qwen and others on vLLM and `SGLang`).
        ChatTemplateEnableThinking = "chat_template_enable_thinking",
        /// `chat_template_kwargs: {thinking: true}` (DeepSeek on vLLM and `SGLang`).
        ChatTemplateThinking = "chat_template_thinking",
        /// `prompt_mode: "reasoning"` (Magistral), which cannot be turned off.
        PromptMode = "prompt_mode",
        /// Reasoning cannot be switched.
        Refused = "refused",
    }
}

words! {
    /// Whether the service lets readable reasoning be hidden.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum ReasoningDisplay {
        /// Reasoning is always returned, where the model writes any.
        #[default]
        Always = "always",
        /// Reasoning is never returned (OpenAI).
        Never = "never",
        /// `include_reasoning: bool` decides (Groq, vLLM).
        IncludeReasoning = "include_reasoning",
    }
}

words! {
    /// How reasoning of earlier turns goes back to the service.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum ReasoningEcho {
        /// Sealed reasoning goes back as it came (`reasoning_details`, thinking chunks with a signature); the rest is
        /// dropped, because many services refuse fields of a message that they do not know.
        #[default]
        Sealed = "sealed",
        /// All reasoning goes back in the field it came in.
        AsReceived = "as_received",
        /// As `reasoning_content` (DeepSeek, Moonshot, Xiaomi).
        ReasoningContent = "reasoning_content",
        /// As `reasoning`.
        Reasoning = "reasoning",
        /// As `reasoning_details` (OpenRouter): sealed details verbatim, readable reasoning as a `reasoning.text` item.
        Details = "details",
        /// As leading thinking chunks of `content` (Mistral).
        ThinkingChunks = "thinking_chunks",
        /// Nothing goes back.
        Never = "never",
    }
}

words! {
    /// Whether `temperature` and `top_p` are accepted.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum SamplingRule {
        /// Always.
        #[default]
        Accepted = "accepted",
        /// Only when the effort is none (GPT-5.1 to 5.6).
        WithoutReasoning = "without_reasoning",
        /// Never (GPT-6, the o-series).
        Refused = "refused",
    }
}

words! {
    /// What asks for a prompt cache mark after a part.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum CacheMarks {
        /// Marks are not accepted.
        #[default]
        Refused = "refused",
        /// `cache_control: {type: "ephemeral"}` (OpenRouter, `DashScope`, MiniMax).
        CacheControl = "cache_control",
        /// `prompt_cache_breakpoint: {mode: "explicit"}` (OpenAI).
        Breakpoint = "breakpoint",
    }
}

words! {
    /// What asks for automatic caching of the whole prompt.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum AutomaticCache {
        /// Nothing; the service caches by itself or not at all.
        #[default]
        Refused = "refused",
        /// `prompt_cache_retention: "in_memory" | "24h"` (OpenAI before GPT-5.6).
        Retention = "retention",
        /// `prompt_cache_options: {mode: "implicit", ttl}` (OpenAI from GPT-5.6 on).
        Options = "options",
    }
}

words! {
    /// The field for the person behind the request.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum EndUser {
        /// `user`.
        #[default]
        User = "user",
        /// `safety_identifier` (OpenAI).
        SafetyIdentifier = "safety_identifier",
        /// There is none.
        Refused = "refused",
    }
}

words! {
    /// The part for documents.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum FileParts {
        /// `file: {file_data | file_id, filename}`.
        #[default]
        File = "file",
        /// `document_url` for addresses and content, `file_id` beside the type for stored files (Mistral).
        DocumentUrl = "document_url",
        /// There is none.
        Refused = "refused",
    }
}

words! {
    /// What tells the calls of an answer apart.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum ToolDeltas {
        /// The index, and also a new id that comes with a name (Groq and Gemini give every call the index 0).
        #[default]
        IndexAndId = "index_and_id",
        /// The index alone.
        Index = "index",
    }
}

words! {
    /// What ends a stream.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum StreamEnd {
        /// `[DONE]`, or the end of the stream after a finish reason. Azure and others leave out `[DONE]`.
        #[default]
        DoneOrEof = "done_or_eof",
        /// `[DONE]` alone; a stream without it is cut.
        Done = "done",
    }
}

impl Dialect {
    /// OpenAI itself, its current models.
    pub fn openai() -> Self {
        Self {
            max_tokens: MaxTokens::MaxCompletionTokens,
            system_role: SystemRole::Developer,
            custom_tools: true,
            tool_choice: ToolChoiceWords { allowed: true, ..ToolChoiceWords::default() },
            tool_name_limit: Some(64),
            reasoning_display: ReasoningDisplay::Never,
            reasoning_echo: ReasoningEcho::Never,
            top_k: false,
            stop_limit: Some(4),
            cache_marks: CacheMarks::Breakpoint,
            automatic_cache: AutomaticCache::Options,
            prompt_cache_key: true,
            metadata: true,
            verbosity: true,
            service_tier: true,
            end_user: EndUser::SafetyIdentifier,
            tool_deltas: ToolDeltas::Index,
            ..Self::default()
        }
    }
}

impl crate::Dialect for Dialect {
    const PROTOCOL: crate::Protocol = crate::Protocol::OpenaiChat;
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            max_tokens: MaxTokens::default(),
            seed: Seed::default(),
            system_role: SystemRole::default(),
            string_content: false,
            empty_content: EmptyContent::default(),
            tool_result_name: false,
            assistant_after_tool: false,
            prefix: false,
            tools: true,
            effort_with_tools: true,
            tool_choice: ToolChoiceWords::default(),
            strict: true,
            custom_tools: false,
            parallel_tool_calls: true,
            empty_tools: false,
            tool_name_limit: None,
            tool_call_ids: ToolCallIds::default(),
            json_schema: true,
            json_object: true,
            reasoning: ReasoningSwitch::default(),
            effort_words: Table::new(),
            reasoning_display: ReasoningDisplay::default(),
            reasoning_echo: ReasoningEcho::default(),
            reasoning_echo_empty: false,
            sampling: SamplingRule::default(),
            max_temperature: None,
            top_k: true,
            penalties: true,
            logprobs: true,
            stop_limit: None,
            stream_usage: true,
            whole_calls: false,
            cache_marks: CacheMarks::default(),
            automatic_cache: AutomaticCache::default(),
            prompt_cache_key: false,
            metadata: false,
            verbosity: false,
            service_tier: false,
            end_user: EndUser::default(),
            images: true,
            audio: true,
            files: FileParts::default(),
            references: false,
            video: false,
            body: Table::new(),
            refused_fields: Vec::new(),
            envelope: Envelope::default(),
            markup: Markup::default(),
            finish_words: Table::new(),
            cumulative_deltas: false,
            tool_deltas: ToolDeltas::default(),
            stream_end: StreamEnd::default(),
        }
    }
}

impl Default for ToolChoiceWords {
    fn default() -> Self {
        Self { none: true, required: RequiredWord::Required, named: true, allowed: false }
    }
}

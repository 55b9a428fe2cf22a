use crate::Table;
use crate::fields::{fields, words};
use interlingua_model::Effort;
use serde::Serialize;

fields! {
    /// How one service speaks Responses: one field per quirk.
    ///
    /// The default suits an unknown compatible service (xAI, OpenRouter, vLLM, LM Studio, llama.cpp): it asks for nothing
    /// that such a service commonly refuses, and says so by a warning. [`Dialect::openai`] is OpenAI itself.
    ///
    /// Fields steer what is *sent*, but for [`hosted_custom_calls`](Self::hosted_custom_calls). Reading is lenient for
    /// everyone, because nothing is lost by it.
    ///
    /// ```
    /// use interlingua_wire::openai_responses::{Dialect, Store};
    ///
    /// let dialect: Dialect = serde_json::from_str(r#"{"store":"omitted","strict":false}"#)?;
    /// assert_eq!(dialect.store, Store::Omitted);
    /// assert!(dialect.reasoning_summary);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[non_exhaustive]
    pub struct Dialect {
        /// Whether the service keeps the answer. The default is [`Store::Never`]: a call is stateless unless it says
        /// otherwise, and the whole conversation goes out with each.
        pub store: Store,
        /// Where leading instructions go.
        pub instructions: Instructions,
        /// The role of instructions that are items of `input`.
        pub system_role: SystemRole,
        /// Items go back with the id they came with. Ids longer than 64 characters are left out.
        pub item_ids: bool,
        /// Assistant messages go back with their `phase`.
        pub phase: bool,
        /// How reasoning of earlier turns goes back.
        pub reasoning_echo: ReasoningEcho,

        /// `include` is accepted. Without it neither sealed reasoning nor token probabilities can be asked for.
        pub include: bool,
        /// `include: ["reasoning.encrypted_content"]` is sent with every call that is not stored.
        pub encrypted_reasoning: bool,
        /// `reasoning.effort` is accepted.
        pub effort: bool,
        /// The words of the levels of effort. Levels that are not listed become the nearest that is. Empty: the usual
        /// words of all levels.
        pub effort_words: Table<Effort, String>,
        /// `reasoning.summary` is accepted.
        pub reasoning_summary: bool,

        /// Tools and schemas may say `strict`. Where they may, functions always say it, since OpenAI takes a function
        /// that does not say it for a strict one.
        pub strict: bool,
        /// Tools may take free text (`type: "custom"`).
        pub custom_tools: bool,
        /// Calls of custom tools that come in an answer were run by the service itself (xAI reports its search of X so).
        pub hosted_custom_calls: bool,
        /// `parallel_tool_calls` is accepted.
        pub parallel_tool_calls: bool,
        /// `tool_choice` may be `allowed_tools`; elsewhere only those tools are sent.
        pub allowed_tools: bool,
        /// `tool_choice` may name one tool; elsewhere "required" takes its place.
        pub named_tool: bool,
        /// The output of a tool may be a list of parts; elsewhere it is text alone.
        pub rich_tool_results: bool,

        /// `text.format` may be a JSON Schema.
        pub json_schema: bool,
        /// `text.format` may be `json_object`.
        pub json_object: bool,
        /// `text.verbosity` is accepted.
        pub verbosity: bool,

        /// Whether `temperature` and `top_p` are accepted.
        pub sampling: SamplingRule,
        /// `top_logprobs` is accepted.
        pub logprobs: bool,
        /// `max_output_tokens` is accepted (the `ChatGPT` backend of Codex refuses it).
        pub max_output: bool,
        /// The least `max_output_tokens`; a smaller one is raised to it. OpenAI's is 16.
        pub min_max_output: Option<u32>,

        /// What asks for a prompt cache mark after a part.
        pub cache_marks: CacheMarks,
        /// What asks for automatic caching of the whole prompt.
        pub automatic_cache: AutomaticCache,
        /// `prompt_cache_key` is accepted.
        pub prompt_cache_key: bool,
        /// `metadata` is accepted.
        pub metadata: bool,
        /// `service_tier` is accepted.
        pub service_tier: bool,
        /// The field for the person behind the request.
        pub end_user: EndUser,

        /// The service counts the tokens of a prompt (`/responses/input_tokens`).
        pub count_tokens: bool,
        /// `input_image` parts are accepted.
        pub images: bool,
        /// `input_file` parts are accepted.
        pub files: bool,
        /// `input_audio` parts are accepted; OpenAI has none in this protocol.
        pub audio: bool,

        /// Fields that go into every body unless the request sets them.
        pub body: Table<String, serde_json::Value>,
        /// Top-level fields that the service answers with an error: they are left out, with a warning.
        pub refused_fields: Vec<String>,
    }
}

words! {
    /// Whether the service keeps the answer.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Store {
        /// `store: false`.
        #[default]
        Never = "never",
        /// `store: true`.
        Always = "always",
        /// The field is left out: the service's default holds (OpenAI keeps answers), or it does not know the field.
        Omitted = "omitted",
    }
}

words! {
    /// Where leading instructions go.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Instructions {
        /// A first system message of one plain text goes into `instructions`, all others become items.
        #[default]
        Field = "field",
        /// All become items of `input`.
        Items = "items",
    }
}

words! {
    /// The role of instructions that are items of `input`.
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
    /// How reasoning of earlier turns goes back to the service.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum ReasoningEcho {
        /// Every reasoning item of this protocol goes back as it came.
        #[default]
        All = "all",
        /// Only items with encrypted content go back: a service that keeps nothing can do nothing with others.
        Sealed = "sealed",
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

impl Dialect {
    /// OpenAI itself, its current models.
    pub fn openai() -> Self {
        Self {
            system_role: SystemRole::Developer,
            reasoning_echo: ReasoningEcho::Sealed,
            custom_tools: true,
            allowed_tools: true,
            min_max_output: Some(16),
            cache_marks: CacheMarks::Breakpoint,
            automatic_cache: AutomaticCache::Options,
            prompt_cache_key: true,
            metadata: true,
            service_tier: true,
            end_user: EndUser::SafetyIdentifier,
            count_tokens: true,
            ..Self::default()
        }
    }
}

impl crate::Dialect for Dialect {
    const PROTOCOL: crate::Protocol = crate::Protocol::OpenaiResponses;
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            store: Store::default(),
            instructions: Instructions::default(),
            system_role: SystemRole::default(),
            item_ids: true,
            phase: true,
            reasoning_echo: ReasoningEcho::default(),
            include: true,
            encrypted_reasoning: true,
            effort: true,
            effort_words: Table::new(),
            reasoning_summary: true,
            strict: true,
            custom_tools: false,
            hosted_custom_calls: false,
            parallel_tool_calls: true,
            allowed_tools: false,
            named_tool: true,
            rich_tool_results: true,
            json_schema: true,
            json_object: true,
            verbosity: true,
            sampling: SamplingRule::default(),
            logprobs: true,
            max_output: true,
            min_max_output: None,
            cache_marks: CacheMarks::default(),
            automatic_cache: AutomaticCache::default(),
            prompt_cache_key: false,
            metadata: false,
            service_tier: false,
            end_user: EndUser::default(),
            count_tokens: false,
            images: true,
            files: true,
            audio: false,
            body: Table::new(),
            refused_fields: Vec::new(),
        }
    }
}

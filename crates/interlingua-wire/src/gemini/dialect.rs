use crate::fields::fields;
use interlingua_model::Effort;
use serde::Serialize;

fields! {
    /// How one service, or one family of models, differs in what it takes.
    ///
    /// The default takes what Gemini 3 and the Gemini Developer API take; a row of the provider table changes what a model or Vertex AI
    /// does differently.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[non_exhaustive]
    pub struct Dialect {
        /// The levels of thinking that are known (`thinkingLevel`); others become the nearest. Empty: none, and a level becomes a
        /// budget. Models before Gemini 3 know none.
        pub thinking_levels: Vec<Effort>,
        /// Whether thinking takes a number of tokens (`thinkingBudget`), which Gemini 2.5 does and later models suffer.
        pub thinking_budget: bool,
        /// Whether a budget of 0 turns thinking off, as it does for Gemini 2.5 Flash; other models do their least.
        pub thinking_off: bool,
        /// Whether temperature, top-p and top-k are taken. Models from 3.6 on refuse them.
        pub sampling: bool,
        /// Whether ids of function calls go along. Vertex AI refuses them.
        pub call_ids: bool,
        /// Whether a function call without a signature gets the word that says so (`skip_thought_signature_validator`), without
        /// which Gemini 3 refuses calls that it has not made.
        pub unsigned_calls: bool,
        /// Whether images and documents may stand in the result of a function. Models before Gemini 3 do not take them there;
        /// they then stand behind the results.
        pub media_in_results: bool,
        /// Whether media may have a name (`displayName`). Only Vertex AI takes one.
        pub display_name: bool,
        /// Whether functions beside tools of the provider want `includeServerSideToolInvocations`, which Vertex AI refuses.
        pub server_side_invocations: bool,
        /// Whether a request may carry labels. Only Vertex AI takes them.
        pub labels: bool,
        /// Whether the class of service stands in the body (`serviceTier`). Vertex AI wants it in a header,
        /// `X-Vertex-AI-LLM-Shared-Request-Type`.
        pub service_tier: bool,
        /// Whether the call that counts tokens takes the fields of a request as they are. The Gemini Developer API wants a
        /// whole request in `generateContentRequest`.
        pub count_bare: bool,
    }
}

impl crate::Dialect for Dialect {
    const PROTOCOL: crate::Protocol = crate::Protocol::Gemini;
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            thinking_levels: vec![Effort::Minimal, Effort::Low, Effort::Medium, Effort::High],
            thinking_budget: true,
            thinking_off: false,
            sampling: true,
            call_ids: true,
            unsigned_calls: true,
            media_in_results: true,
            display_name: false,
            server_side_invocations: true,
            labels: false,
            service_tier: true,
            count_bare: false,
        }
    }
}

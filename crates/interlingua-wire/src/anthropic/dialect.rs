use crate::fields::{fields, words};
use interlingua_model::Effort;
use serde::Serialize;

fields! {
    /// How one service, or one family of models, differs in what it takes.
    ///
    /// The default takes what most models and the vendor's own service take; a row of the provider table turns off what a model refuses. The
    /// facts behind the families are those of the vendor's Models API and of its SDKs' capability tables.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[non_exhaustive]
    pub struct Dialect {
        /// Which version of the protocol is asked for.
        pub version: Version,
        /// How a call is made.
        pub call: CallForm,
        /// What stands in the body as `anthropic_version`; `None` leaves it out. Vertex AI wants `vertex-2023-10-16`.
        pub version_in_body: Option<String>,
        /// Whether the body names the model. Vertex AI has it in the address alone.
        pub model_in_body: bool,
        /// Whether features in beta are listed in the body, as `anthropic_beta`, and not in the header of that name.
        pub betas_in_body: bool,
        /// Most tokens of an answer when a request does not say, for the protocol needs a number.
        pub max_output: u32,
        /// Whether temperature, top-p and top-k are taken. Models from 4.7 on refuse them.
        pub sampling: bool,
        /// Whether temperature and top-p are taken together. Models from 4.5 on take one of them.
        pub temperature_with_top_p: bool,
        /// Whether thinking can be left to the model (`adaptive`), which models up to 4.5 do not know.
        pub adaptive_thinking: bool,
        /// Whether thinking takes a number of tokens (`enabled`), which models from 5.5 on refuse.
        pub thinking_budget: bool,
        /// Whether thinking can be turned off.
        pub thinking_off: bool,
        /// Whether the model can be told to think between tool calls only (`between_tools`), its least of thinking.
        pub between_tools: bool,
        /// Whether thinking without a signature goes back, as services want it that sign nothing.
        pub unsigned_thinking: bool,
        /// The levels of effort that are known; others become the nearest. Empty: none, and a level becomes a budget.
        pub efforts: Vec<Effort>,
        /// Whether a tool can be demanded (`any`, `tool`). Models that always think refuse it.
        pub forced_tool_choice: bool,
        /// Whether instructions may stand between the turns.
        pub system_anywhere: bool,
        /// Whether an answer can be bound to a JSON Schema (`output_config.format`).
        pub schema: bool,
        /// Whether cache marks are taken; compatible services often ignore or refuse them.
        pub cache: bool,
        /// Whether `strict` is taken on tools.
        pub strict_tools: bool,
        /// Whether the service counts the tokens of a prompt (`/v1/messages/count_tokens`).
        pub count_tokens: bool,
    }
}

words! {
    /// How a call is made: what the path is, where the model stands, and how an answer is framed.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum CallForm {
        /// As the vendor's own service takes it: `POST /v1/messages`.
        #[default]
        Messages = "messages",
        /// As AWS invokes a model: `POST /model/{model}/invoke` or `…/invoke-with-response-stream`. A stream is one of AWS, whose
        /// messages hold the events of the protocol in base64.
        Invoke = "invoke",
        /// As Google Cloud predicts: `POST /models/{model}:rawPredict` or `:streamRawPredict`.
        RawPredict = "raw_predict",
    }
}

words! {
    /// A version of the protocol.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum Version {
        /// The newest that has what the request asks for: `2023-06-01` with sampling parameters, else `2026-10-21`.
        #[default]
        Newest = "newest",
        /// Always `2023-06-01`, the one that compatible services know.
        V2023 = "2023-06-01",
        /// Always `2026-10-21`.
        V2026 = "2026-10-21",
    }
}

impl crate::Dialect for Dialect {
    const PROTOCOL: crate::Protocol = crate::Protocol::Anthropic;
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            version: Version::default(),
            call: CallForm::default(),
            version_in_body: None,
            model_in_body: true,
            betas_in_body: false,
            max_output: 8192,
            sampling: true,
            temperature_with_top_p: true,
            adaptive_thinking: true,
            thinking_budget: true,
            thinking_off: true,
            between_tools: false,
            unsigned_thinking: false,
            efforts: vec![Effort::Low, Effort::Medium, Effort::High, Effort::XHigh, Effort::Max],
            forced_tool_choice: true,
            system_anywhere: true,
            schema: true,
            cache: true,
            strict_tools: true,
            count_tokens: false,
        }
    }
}

impl Version {
    /// The word of the `anthropic-version` header for a request that has sampling parameters or not.
    pub(super) const fn word(self, sampling: bool) -> &'static str {
        match (self, sampling) {
            (Self::V2023, _) | (Self::Newest, true) => "2023-06-01",
            (Self::V2026, _) | (Self::Newest, false) => "2026-10-21",
        }
    }
}

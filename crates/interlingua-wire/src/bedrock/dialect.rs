use crate::fields::{fields, words};
use interlingua_model::Effort;
use serde::Serialize;

fields! {
    /// How the models of one publisher differ in what they take.
    ///
    /// The default takes what the protocol has words for; a row of the provider table says what a publisher's models take
    /// in `additionalModelRequestFields`, and turns off what they refuse.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[non_exhaustive]
    pub struct Dialect {
        /// Where it is said how much to reason.
        pub reasoning: ReasoningField,
        /// The levels of effort that are known; others become the nearest. Empty: none.
        pub efforts: Vec<Effort>,
        /// Whether reasoning can be turned off.
        pub reasoning_off: bool,
        /// Whether reasoning without a signature goes back, as models want it that sign nothing.
        pub unsigned_reasoning: bool,
        /// Whether temperature, top-p and top-k are taken. Claude from 4.7 on refuses them.
        pub sampling: bool,
        /// Where top-k stands in `additionalModelRequestFields`, as names with dots between: `top_k` for Claude,
        /// `inferenceConfig.topK` for Nova. `None`: it is not taken.
        pub top_k: Option<String>,
        /// Whether several calls in one answer can be forbidden, in the way of Claude
        /// (`additionalModelRequestFields.tool_choice.disable_parallel_tool_use`).
        pub single_calls: bool,
        /// Whether a tool can be demanded (`any`, `tool`).
        pub forced_tool_choice: bool,
        /// Whether instructions may stand between the turns.
        pub system_anywhere: bool,
        /// Whether instructions are taken at all; where not, the user says them.
        pub system: bool,
        /// Whether an answer can be bound to a JSON Schema (`outputConfig.textFormat`).
        pub schema: bool,
        /// Whether cache marks are taken.
        pub cache: bool,
        /// Whether `strict` is taken on tools.
        pub strict_tools: bool,
    }
}

impl crate::Dialect for Dialect {
    const PROTOCOL: crate::Protocol = crate::Protocol::Bedrock;
}

words! {
    /// Where a request says how much the model should reason.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum ReasoningField {
        /// A level in the protocol's own `outputConfig.effort`.
        #[default]
        OutputConfig = "output_config",
        /// As Claude takes it that decides itself how much to think: a level in `output_config.effort` and
        /// `thinking.type = adaptive`, or a budget.
        Adaptive = "adaptive",
        /// As older Claude takes it: a budget in `thinking.budget_tokens`.
        Budget = "budget",
        /// As Nova takes it: `reasoningConfig.maxReasoningEffort`.
        ReasoningConfig = "reasoning_config",
        /// A level in `reasoning_effort`, as gpt-oss and DeepSeek take it.
        ReasoningEffort = "reasoning_effort",
        /// A level in `reasoning.effort`, as the GPT models take it.
        ReasoningObject = "reasoning_object",
        /// Nowhere.
        None = "none",
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            reasoning: ReasoningField::default(),
            efforts: vec![Effort::Low, Effort::Medium, Effort::High, Effort::XHigh, Effort::Max],
            reasoning_off: true,
            unsigned_reasoning: false,
            sampling: true,
            top_k: None,
            single_calls: false,
            forced_tool_choice: true,
            system_anywhere: false,
            system: true,
            schema: true,
            cache: true,
            strict_tools: true,
        }
    }
}

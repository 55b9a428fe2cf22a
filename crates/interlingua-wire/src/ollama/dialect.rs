use crate::fields::fields;
use interlingua_model::Effort;
use serde::Serialize;

fields! {
    /// How one service, or one family of models, differs in what it takes.
    ///
    /// The default is a local server of the newest version.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Dialect {
        /// Whether `think` is taken. A model that does not think refuses it.
        pub thinking: bool,
        /// The levels of thinking that are known; others become the nearest. Empty: thinking is on or off.
        pub efforts: Vec<Effort>,
        /// Whether images are taken.
        pub images: bool,
        /// The size of the context to ask for when a request does not say. A longer conversation is cut without a word.
        pub num_ctx: Option<u32>,
    }
}

impl crate::Dialect for Dialect {
    const PROTOCOL: crate::Protocol = crate::Protocol::Ollama;
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            thinking: true,
            efforts: vec![Effort::Low, Effort::Medium, Effort::High],
            images: true,
            num_ctx: None,
        }
    }
}

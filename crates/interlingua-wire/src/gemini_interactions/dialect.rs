use crate::fields::fields;
use interlingua_model::Effort;
use serde::Serialize;

fields! {
    /// How one service, or one family of models, differs in what it takes.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    #[non_exhaustive]
    pub struct Dialect {
        /// The levels of thinking that are known (`thinking_level`); others become the nearest. Empty: none.
        pub thinking_levels: Vec<Effort>,
        /// Whether temperature and top-p are taken. Models from 3.6 on refuse them.
        pub sampling: bool,
        /// Whether a request may carry labels.
        pub labels: bool,
    }
}

impl crate::Dialect for Dialect {
    const PROTOCOL: crate::Protocol = crate::Protocol::GeminiInteractions;
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            thinking_levels: vec![Effort::Minimal, Effort::Low, Effort::Medium, Effort::High],
            sampling: true,
            labels: true,
        }
    }
}

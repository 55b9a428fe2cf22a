use crate::fields::fields;
use serde::Serialize;

fields! {
    /// How one service, or one family of models, differs in what it takes.
    ///
    /// The default is the vendor's own service with its newest models.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Dialect {
        /// Whether images are taken. Models without sight refuse them: "image content is not supported for this model".
        pub images: bool,
        /// Whether `thinking` is taken. Models from before Command A Reasoning do not know it.
        pub thinking: bool,
        /// Whether `strict_tools` is taken, which holds for all tools of a request.
        pub strict_tools: bool,
        /// Whether `response_format` is taken together with tools or documents, which the vendor refuses.
        pub format_with_tools: bool,
    }
}

impl crate::Dialect for Dialect {
    const PROTOCOL: crate::Protocol = crate::Protocol::Cohere;
}

impl Default for Dialect {
    fn default() -> Self {
        Self { images: true, thinking: true, strict_tools: true, format_with_tools: false }
    }
}

use serde::Serialize;

use crate::fields::{fields, words};
use crate::provider::Text;

fields! {
    from Self { url: Text::default(), style: DecisionStyle::Decisions }; needs "url", "style";

    /// Where a provider decides typed questions, and in whose words it is asked to.
    ///
    /// ```
    /// use interlingua_wire::{DecisionStyle, catalog};
    ///
    /// let openai = catalog::find("openai").expect("a row");
    /// assert_eq!(openai.decisions.as_ref().expect("it decides").style, DecisionStyle::Decisions);
    /// assert_eq!(openai.decisions_url(None, &|_| None)?.as_deref(), Some("https://api.openai.com/v1/decisions"));
    /// # Ok::<(), interlingua_model::Error>(())
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Decisions {
        /// The URL, below the root of the row or whole.
        pub url: Text,
        /// In whose words.
        pub style: DecisionStyle,
    }
}

words! {
    /// In whose words a decision is asked for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum DecisionStyle {
        /// `POST /decisions` as OpenAI takes it: questions are a list.
        Decisions = "decisions",
        /// `POST /systemone` as local servers and others take it: questions have names.
        SystemOne = "system_one",
        /// `POST /decisions` as Gemini takes it: questions have names, and what they are about is content.
        Gemini = "gemini",
    }
}

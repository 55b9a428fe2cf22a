//! What models write into their text although protocols have a place for it: reasoning between tags, and calls of tools.
//!
//! Servers mostly take it out themselves. Where one does not, a dialect says which markup its models write, and a
//! [`Splitter`] takes it out of the deltas. Nothing is guessed: only what the dialect names is looked for, and what looks like
//! it and is not goes out as the text that it is, byte for byte.

mod parse;
mod splitter;

use crate::fields::{fields, words};
use interlingua_model::Json;
use serde::Serialize;

pub use splitter::Splitter;

fields! {
    /// Which markup a model writes.
    ///
    /// ```
    /// use interlingua_wire::markup::{Found, Markup, Splitter, Thinking};
    ///
    /// let mut markup = Markup::default();
    /// markup.thinking = Thinking::Tags;
    /// let mut splitter = Splitter::new(markup);
    /// let (mut thought, mut said) = (String::new(), String::new());
    /// let mut take = |found: Found<'_>| match found {
    ///     Found::Reasoning(text) => thought.push_str(text),
    ///     Found::Text(text) => said.push_str(text),
    ///     _ => {}
    /// };
    /// for delta in ["<thi", "nk>2 and 2…</th", "ink>\n\n4"] {
    ///     splitter.push(delta, &mut take);
    /// }
    /// splitter.end(&mut take);
    /// assert_eq!((thought.as_str(), said.as_str()), ("2 and 2…", "4"));
    /// ```
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    #[non_exhaustive]
    pub struct Markup {
        /// How reasoning is told apart.
        pub thinking: Thinking,
        /// How calls are written; several ways are tried side by side.
        pub calls: Vec<Calls>,
    }
}

words! {
    /// How reasoning is told apart from text.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Thinking {
        /// It is not in the text.
        #[default]
        None = "none",
        /// `<think>…</think>` at the beginning, and again behind reasoning or calls.
        Tags = "tags",
        /// The text begins inside the reasoning, since the template of the prompt ends in `<think>`. The tag may be there as well.
        Begun = "begun",
    }
}

words! {
    /// How calls are written into text.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Calls {
        /// `<tool_call>…</tool_call>` around JSON (Hermes, Qwen), `<arg_key>` and `<arg_value>` (GLM) or `<function=…>` (Qwen Coder).
        ToolCallTags = "tool_call_tags",
        /// `[TOOL_CALLS]` before a list of JSON, or before a name, `[ARGS]` and JSON (Mistral); to the end of the text.
        ToolCallsToken = "tool_calls_token",
        /// `<|python_tag|>` before JSON (Llama); to the end of the text.
        PythonTag = "python_tag",
        /// The whole text is JSON with a `name` and `parameters` (small Llama models). Text that begins with a brace is held
        /// back to its end, so this is for models that need it.
        BareJson = "bare_json",
        /// `<｜tool▁calls▁begin｜>…<｜tool▁calls▁end｜>` (DeepSeek).
        DeepSeekTokens = "deep_seek_tokens",
        /// `<|tool_calls_section_begin|>…<|tool_calls_section_end|>` (Kimi).
        SectionTokens = "section_tokens",
    }
}

/// A piece of what a model said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found<'t> {
    /// Text.
    Text(&'t str),
    /// Reasoning.
    Reasoning(&'t str),
    /// A call.
    Call(Written),
}

/// A call that was written into the text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The id, where the model wrote one.
    pub id: Option<String>,
    /// The name of the tool.
    pub name: String,
    /// The arguments.
    pub input: Json,
}

impl Markup {
    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Calls {
    /// What stands before the calls; nothing where the text itself is one.
    const fn opening(self) -> &'static str {
        match self {
            Self::ToolCallTags => "<tool_call>",
            Self::ToolCallsToken => "[TOOL_CALLS]",
            Self::PythonTag => "<|python_tag|>",
            Self::BareJson => "",
            Self::DeepSeekTokens => "<｜tool▁calls▁begin｜>",
            Self::SectionTokens => "<|tool_calls_section_begin|>",
        }
    }

    /// What stands behind them; nothing where they go on to the end.
    const fn closing(self) -> Option<&'static str> {
        match self {
            Self::ToolCallTags => Some("</tool_call>"),
            Self::DeepSeekTokens => Some("<｜tool▁calls▁end｜>"),
            Self::SectionTokens => Some("<|tool_calls_section_end|>"),
            Self::ToolCallsToken | Self::PythonTag | Self::BareJson => None,
        }
    }
}

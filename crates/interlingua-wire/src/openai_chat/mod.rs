//! `OpenAI` Chat Completions, the common tongue of compatible services.

mod dialect;

pub use dialect::{
    AutomaticCache, CacheMarks, Dialect, EmptyContent, EndUser, FileParts, MaxTokens, ReasoningDisplay,
    ReasoningEcho, ReasoningSwitch, RequiredWord, SamplingRule, Seed, StreamEnd, SystemRole, ToolCallIds,
    ToolChoiceWords, ToolDeltas,
};

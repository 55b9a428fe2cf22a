//! The OpenAI Responses protocol.

mod dialect;

pub use dialect::{
    AutomaticCache, CacheMarks, Dialect, EndUser, Instructions, ReasoningEcho, SamplingRule, Store,
    SystemRole,
};

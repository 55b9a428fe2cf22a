//! Chat Completions, both halves.

mod corpus;

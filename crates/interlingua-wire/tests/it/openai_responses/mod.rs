//! `OpenAI` Responses, tried from outside.

mod corpus;

//! The program from outside: what it prints where, and how it ends.

#![cfg(test)]

mod agents;
mod answers;
mod bad_input;
mod docs;
mod il;
mod lists;
mod mcp;
mod server;

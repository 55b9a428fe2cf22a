//! The crate from outside: servers in this process, programs, and HTTP. Nothing leaves this machine.

#![cfg(test)]

mod child;
mod config;
mod http;
mod link;
mod script;
mod tools;

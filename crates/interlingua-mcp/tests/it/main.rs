//! The crate from outside: servers in this process, programs, and HTTP. Nothing leaves this machine.

#![cfg(test)]

mod child;
mod config;
mod foreign;
mod http;
mod link;
mod oauth;
mod offers;
mod script;
mod tools;

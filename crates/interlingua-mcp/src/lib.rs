//! The Model Context Protocol for [`interlingua`]: the tools of servers for its models, and its tools for clients.
//!
//! An [`McpServer`] says how a server is reached: a program on its standard streams, or an address. Connected it is an
//! [`McpClient`], whose tools go into a [`Toolbox`](interlingua::Toolbox) beside others; [`McpConfig`] reads the file of
//! `mcpServers` that MCP programs share. [`ToolServer`] is the reverse: it serves a toolbox.
//!
//! Both eras of the protocol are spoken: the stateless one since 2026-07-28, and that of sessions before.
//!
//! What a server says is data of a stranger. Names and descriptions are cleaned of what cannot be seen, everything is
//! bounded, nothing is fetched or run because a server said so, and its hints about harmless tools count only when the
//! program [trusts](McpServer::trusted) it. What the texts say to a model is another matter: offer a model only tools of
//! servers that you would install, and ask before calls that cannot be undone.

mod answers;
mod child;
mod client;
mod config;
mod content;
mod elicit;
mod error;
mod http;
mod mirror;
mod oauth;
mod offers;
mod sample;
mod serve;
mod server;
mod session;
mod text;

pub use client::McpClient;
pub use config::McpConfig;
pub use elicit::{Elicitation, ElicitationAnswer};
pub use error::McpError;
pub use oauth::{FileStore, McpLogin, TokenStore};
pub use offers::{McpArgument, McpPrompt, McpResource};
pub use serve::ToolServer;
pub use server::McpServer;

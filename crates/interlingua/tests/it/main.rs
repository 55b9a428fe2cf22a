//! The client against servers on loopback and against scripted transports. Nothing leaves this machine.

#![cfg(test)]

#[cfg(feature = "aws")]
mod aws;
mod calls;
mod clouds;
#[cfg(feature = "tools")]
mod extract;
#[cfg(feature = "google")]
mod google;
mod halves;
mod hostile;
mod keys;
mod known;
mod layers;
mod logins;
mod machine;
mod macros;
mod proxies;
mod retries;
mod runs;
mod script;
mod server;
mod shape;
mod sockets;

//! The client against servers on loopback and against scripted transports. Nothing leaves this machine.

#![cfg(test)]

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "aws")]
mod aws_roles;
mod calls;
mod cassettes;
mod clouds;
#[cfg(all(feature = "otel", feature = "tracing", feature = "tools"))]
mod collector;
mod decisions;
#[cfg(feature = "models")]
mod doubts;
mod examples;
#[cfg(feature = "tools")]
mod extract;
#[cfg(feature = "google")]
mod google;
#[cfg(feature = "google")]
mod google_federated;
mod halves;
mod hostile;
mod keys;
mod known;
mod layers;
mod logins;
mod machine;
mod macros;
#[cfg(all(feature = "otel", feature = "tracing", feature = "tools"))]
mod observed;
#[cfg(feature = "oracle")]
mod oracle;
mod proxies;
mod retries;
mod runs;
mod script;
mod server;
mod shape;
mod sockets;
mod tls;

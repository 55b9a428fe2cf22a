//! The model that runs in this program, where it is built in (feature `local`).

#[cfg(not(feature = "local"))]
mod absent;
#[cfg(feature = "local")]
mod present;
#[cfg(feature = "local")]
mod progress;

#[cfg(not(feature = "local"))]
pub(crate) use absent::{DEFAULT_MODEL, PROVIDER, install, provide, pull, state};
#[cfg(feature = "local")]
pub(crate) use present::{DEFAULT_MODEL, PROVIDER, install, provide, pull, state};

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

/// Whether a model, as `provider/model`, runs in this program.
pub(crate) fn runs(model: &str) -> bool {
    PROVIDER.is_some_and(|provider| model.split_once('/').is_some_and(|(word, _)| word == provider))
}

//! Calls of Amazon's services: credentials and where they come from, and the signature that is made with them.

mod chain;
mod container;
mod instance;
mod profile;
mod sigv4;
mod sso;
mod sts;

use std::fmt;
use std::time::SystemTime;

use crate::Secret;

pub(crate) use chain::{Chain, is_set, with_region};
pub(crate) use sigv4::Signer;

/// A key of Amazon's: its id, which is sent, and its secret, which is not.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    /// Sent with every call, where the key is one for a time.
    pub(crate) token: Option<Secret>,
    pub(crate) expires: Option<SystemTime>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("expires", &self.expires).finish_non_exhaustive()
    }
}

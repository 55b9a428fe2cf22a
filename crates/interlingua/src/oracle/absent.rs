//! In place of `oracle` where that feature is not built: signatures are asked for and cannot be made.

use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use interlingua_model::{Error, ErrorKind};

use crate::{Lookup, Secret};

#[derive(Debug, Default)]
pub(crate) struct Keys(());

/// There is none.
#[derive(Debug, Clone)]
pub(crate) enum Signer {}

impl Keys {
    #[expect(clippy::unused_async, reason = "as where the feature is built")]
    pub(crate) async fn signer(&self, _: &Lookup) -> Result<Signer, Error> {
        let message = "calls signed in Oracle's way are not part of this program: build it with the feature `oracle`, or give a key";
        Err(Error::new(ErrorKind::Unsupported, message))
    }
}

impl Signer {
    pub(crate) const fn sign(&self, _: &mut Request<Bytes>, _: SystemTime) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) const fn secret(&self) -> Option<Secret> {
        match *self {}
    }
}

pub(crate) const fn is_set(_: &Lookup) -> Option<String> {
    None
}

pub(crate) fn with_profile(lookup: Box<Lookup>) -> Box<Lookup> {
    lookup
}

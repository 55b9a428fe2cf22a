//! In place of `google` where that feature is not built: tokens are asked for and cannot be got.

use interlingua_model::{Error, ErrorKind};

use crate::{Lookup, Secret, Transport};

#[derive(Debug, Default)]
pub(crate) struct Tokens(());

impl Tokens {
    #[expect(clippy::unused_async, reason = "as where the feature is built")]
    pub(crate) async fn token(&self, _: &dyn Transport, _: &Lookup) -> Result<Secret, Error> {
        let message = "tokens of Google Cloud are not part of this program: build it with the feature `google`, or give a token as the key";
        Err(Error::new(ErrorKind::Unsupported, message))
    }
}

pub(crate) const fn is_set(_: &Lookup) -> Option<String> {
    None
}

//! Calls of Oracle Cloud: who the user is by the file of Oracle's own tools, and the signature that is made with the key.

mod profile;
mod signature;

use std::sync::Arc;

use interlingua_model::{Error, ErrorKind};
use ring::signature::RsaKeyPair;
use tokio::sync::Mutex;

use crate::machine::contents;
use crate::{Lookup, Secret, pem};
use profile::Profile;

pub(crate) use profile::{is_set, with_profile};
pub(crate) use signature::Signer;

/// The key of a client, which is parsed again only when its file has changed.
#[derive(Debug, Default)]
pub(crate) struct Keys(Mutex<Option<(Secret, Arc<RsaKeyPair>)>>);

impl Keys {
    /// Who signs the calls. The files are read for each call, since a login renews its token in them.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`], with what is missing, when there is no profile that can sign.
    pub(crate) async fn signer(&self, lookup: &Lookup) -> Result<Signer, Error> {
        let failed = |why: String| {
            Error::new(ErrorKind::Authentication, format!("there are no credentials of Oracle Cloud: {why}"))
        };
        let profile = Profile::read(lookup).map_err(failed)?;
        let (id, token) = profile.identity().map_err(failed)?;
        let text =
            profile.file("key_file").and_then(|path| contents(&path)).map(Secret::new).map_err(failed)?;
        let mut kept = self.0.lock().await;
        if let Some((_, pair)) = kept.as_ref().filter(|(known, _)| known.expose() == text.expose()) {
            return Ok(Signer { id, token, pair: Arc::clone(pair) });
        }
        let read = pem::rsa(text.expose());
        let pair = Arc::new(read.map_err(|what| failed(format!("the file of `key_file` {what}")))?);
        *kept = Some((text, Arc::clone(&pair)));
        Ok(Signer { id, token, pair })
    }
}

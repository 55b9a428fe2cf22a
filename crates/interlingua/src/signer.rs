use std::time::SystemTime;

use bytes::Bytes;
use http::Request;
use interlingua_model::Error;

use crate::{Secret, aws, oracle};

/// Who signs the calls of a cloud whose keys are never sent.
#[derive(Debug, Clone)]
pub(crate) enum Signer {
    Aws(aws::Signer),
    Oracle(oracle::Signer),
}

impl Signer {
    /// Signs a request as it will be sent. What an earlier signature added is replaced.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`](interlingua_model::ErrorKind::Authentication) when it cannot be signed.
    pub(crate) fn sign(&self, request: &mut Request<Bytes>, now: SystemTime) -> Result<(), Error> {
        match self {
            Self::Aws(signer) => signer.sign(request, now),
            Self::Oracle(signer) => signer.sign(request, now),
        }
    }

    /// What is sent with a call, and may come back.
    pub(crate) fn secret(&self) -> Option<Secret> {
        match self {
            Self::Aws(signer) => signer.secret(),
            Self::Oracle(signer) => signer.secret(),
        }
    }
}

use interlingua_model::{Error, ErrorKind};

use crate::Refusal;

/// What an error envelope says, whatever its protocol.
#[derive(Debug, Clone, Default)]
pub(crate) struct Complaint {
    /// The words for people.
    pub(crate) message: Option<String>,
    /// The word for programs: `code` where there is one, else `type`.
    pub(crate) code: Option<String>,
    /// The envelope's `type`.
    pub(crate) kind: Option<String>,
    /// The request id inside the body.
    pub(crate) request_id: Option<String>,
}

impl Complaint {
    /// The error that a refused call ends with.
    pub(crate) fn refused(self, refusal: &Refusal<'_>) -> Error {
        let text = String::from_utf8_lossy(refusal.body);
        let message =
            self.message.clone().unwrap_or_else(|| format!("the provider answered {}", refusal.status));
        let mut error = Error::new(ErrorKind::from_status(refusal.status), message)
            .with_status(refusal.status)
            .with_body(text);
        if let Some(code) = self.code.or(self.kind) {
            error = error.with_code(code);
        }
        if let Some(id) = self.request_id {
            error = error.with_request_id(id);
        }
        error
    }

    /// The error that a stream ends with when it reports one after a status of success.
    pub(crate) fn reported(self) -> Error {
        let message =
            self.message.clone().unwrap_or_else(|| "the provider reported an error in the stream".to_owned());
        let mut error = Error::new(ErrorKind::Server, message);
        if let Some(code) = self.code.or(self.kind) {
            error = error.with_code(code);
        }
        error
    }
}

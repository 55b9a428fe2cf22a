//! Tokens of Google Cloud, by the way that Google calls application default credentials.

mod external;
mod impersonation;
mod jwt;
mod source;

use std::time::{Duration, SystemTime};

use interlingua_model::{Error, ErrorKind};
use tokio::sync::Mutex;

use crate::machine::{Asking, set};
use crate::{Lookup, Secret, Transport};

/// A token is renewed so long before it expires.
const EARLY: Duration = Duration::from_secs(5 * 60);

/// The token of a client, got at the first call and renewed before it expires.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<Option<Token>>);

#[derive(Debug, Clone)]
struct Token {
    secret: Secret,
    expires: SystemTime,
}

impl Tokens {
    /// A token that lasts for the call.
    ///
    /// # Errors
    /// [`ErrorKind::Authentication`], with what every place said, when there is none.
    pub(crate) async fn token(&self, http: &dyn Transport, lookup: &Lookup) -> Result<Secret, Error> {
        let now = SystemTime::now();
        let mut kept = self.0.lock().await;
        let lasts = |token: &Token, margin: Duration| {
            now.checked_add(margin).is_some_and(|then| then < token.expires)
        };
        if let Some(token) = kept.as_ref().filter(|token| lasts(token, EARLY)) {
            return Ok(token.secret.clone());
        }
        let why = match source::find(Asking { http, lookup }, now).await {
            Ok(token) => return Ok(kept.insert(token).secret.clone()),
            Err(why) => why,
        };
        // What is good for some minutes yet is better than nothing.
        let kept = kept.as_ref().filter(|token| lasts(token, Duration::ZERO));
        kept.map(|token| token.secret.clone()).ok_or_else(|| {
            Error::new(ErrorKind::Authentication, format!("there are no Google credentials: {why}"))
        })
    }
}

/// What tells that there are credentials, without asking anyone.
pub(crate) fn is_set(lookup: &Lookup) -> Option<String> {
    set(lookup, source::FILE).map(|_| format!("env {}", source::FILE))
}

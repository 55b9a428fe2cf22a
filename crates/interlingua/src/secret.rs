use std::fmt;
use std::sync::Arc;

use interlingua_model::{Error, ErrorKind};
use zeroize::Zeroizing;

/// A key. It is wiped from memory when the last clone of it is dropped, and is never shown.
///
/// ```
/// let key = interlingua::Secret::new("sk-1234");
/// assert_eq!(format!("{key} {key:?}"), "[secret] [secret]");
/// ```
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes a key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(Arc::new(Zeroizing::new(key.into())))
    }

    /// The key itself. Keep it out of logs, errors and URLs.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Checks that the key can stand in a header; `from` says where it came from, for the message.
    pub(crate) fn check(&self, from: impl Fn() -> String) -> Result<(), Error> {
        let wrong = |what: &str| {
            Err(Error::new(
                ErrorKind::Authentication,
                format!("the key from {} {what}: check how it is set", from()),
            ))
        };
        let key = self.expose();
        if key.is_empty() {
            return wrong("is empty");
        }
        if key.contains(['\n', '\r']) {
            return wrong("holds a line break");
        }
        if key.contains(char::is_whitespace) {
            return wrong("holds white space");
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("holds a character that no key has");
        }
        Ok(())
    }
}

impl From<&str> for Secret {
    fn from(key: &str) -> Self {
        Self::new(key)
    }
}

impl From<String> for Secret {
    fn from(key: String) -> Self {
        Self::new(key)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

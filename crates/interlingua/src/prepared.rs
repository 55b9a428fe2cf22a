use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method};
use interlingua_model::Warning;
use interlingua_wire::Protocol;

/// An HTTP request that was not sent. Its `Display` is the request as text, head and body.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Prepared {
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: String,
    /// The headers; the key is masked.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The protocol that is spoken.
    pub protocol: Protocol,
    /// What of the request could not be expressed.
    pub warnings: Vec<Warning>,
}

impl fmt::Display for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.method, self.url)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        write!(f, "\n{}", String::from_utf8_lossy(&self.body))
    }
}

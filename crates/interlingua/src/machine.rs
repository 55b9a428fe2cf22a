//! What tells of the user and the machine: variables, files in the user's folder, services beside the machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::time::timeout;

use crate::exchange::read_some;
use crate::{Lookup, Timeouts, Transport};

/// Most bytes of an answer that holds credentials.
const ANSWER: usize = 64 << 10;

/// What it is that credentials are asked of.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) http: &'a dyn Transport,
    pub(crate) lookup: &'a Lookup,
}

/// The value of a variable that holds something.
pub(crate) fn set(lookup: &Lookup, name: &str) -> Option<String> {
    lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The folder of the user.
pub(crate) fn home(lookup: &Lookup) -> Option<PathBuf> {
    set(lookup, "HOME").or_else(|| set(lookup, "USERPROFILE")).map(PathBuf::from)
}

/// Reads a small file.
pub(crate) fn contents(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Asks a server in a given time. What it says is not part of an error, for it may be a secret.
pub(crate) async fn fetch(
    http: &dyn Transport,
    request: Request<Bytes>,
    time: Duration,
) -> Result<(StatusCode, Vec<u8>), String> {
    let limits = Timeouts::default().connect(time);
    let answer = timeout(time, http.send(request, limits)).await.map_err(|_| "does not answer".to_owned())?;
    let (head, body) = answer.map_err(|error| error.message().to_owned())?.into_parts();
    Ok((head.status, read_some(body, &head.headers, ANSWER).await))
}

/// The host as it is sent: without the port that the scheme has anyway.
#[cfg(any(feature = "aws", feature = "oracle"))]
pub(crate) fn host(uri: &http::Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let usual = if uri.scheme_str() == Some("http") { 80 } else { 443 };
    match uri.port_u16().filter(|port| *port != usual) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The body of a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| format!("{}={}", escaped(name), escaped(value));
    fields.iter().map(field).collect::<Vec<_>>().join("&")
}

/// A word of a form, with everything but letters, digits and `-._~` escaped.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_escaped() {
        assert_eq!(form(&[("a b", "urn:a b&c=é"), ("c", "-._~")]), "a%20b=urn%3Aa%20b%26c%3D%C3%A9&c=-._~");
    }

    #[cfg(any(feature = "aws", feature = "oracle"))]
    #[test]
    fn the_host_is_signed_as_it_is_sent() {
        for (url, expected) in [
            ("https://a.example/x", "a.example"),
            ("https://a.example:443/x", "a.example"),
            ("http://a.example:80/x", "a.example"),
            ("http://127.0.0.1:8080/x", "127.0.0.1:8080"),
        ] {
            assert_eq!(host(&url.parse().unwrap()), expected);
        }
    }
}

//! What stands in for unpacking where it is not part of the program: nothing packed is asked for.

use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use interlingua_model::{Error, ErrorKind};

/// What is asked for.
pub(crate) const ACCEPTED: &str = "identity";

/// No body can be unpacked.
#[derive(Debug)]
pub(crate) enum Gunzip {}

impl Gunzip {
    /// What the headers of an answer call for: nothing, or an error.
    pub(crate) fn wanted(headers: &HeaderMap) -> Result<Option<Self>, Error> {
        let Some(value) = headers.get(CONTENT_ENCODING) else { return Ok(None) };
        if value.is_empty() || value.as_bytes().eq_ignore_ascii_case(b"identity") {
            return Ok(None);
        }
        let name = String::from_utf8_lossy(value.as_bytes());
        let message = format!(
            "the answer is packed with `{name}`, which was not asked for; the feature `gzip` unpacks gzip"
        );
        Err(Error::new(ErrorKind::Protocol, message))
    }

    /// Unpacks a piece and hands out what came of it, in pieces.
    pub(crate) fn push(
        &mut self,
        _bytes: &[u8],
        _take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match *self {}
    }

    /// Says that the packed body has ended.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn what_is_packed_is_an_error() {
        let wanted = |word| {
            Gunzip::wanted(&HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(word))]))
        };
        assert!(wanted("Identity").is_ok_and(|found| found.is_none()));
        assert!(Gunzip::wanted(&HeaderMap::new()).is_ok_and(|found| found.is_none()));
        assert!(wanted("gzip").unwrap_err().message().contains("the feature `gzip`"));
    }
}

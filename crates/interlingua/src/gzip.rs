use std::io::Write as _;

use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use interlingua_model::{Error, ErrorKind};

/// What is asked for where an answer comes at once. One that streams is best not packed.
pub(crate) const ACCEPTED: &str = "gzip";

/// Unpacks a body as it comes.
pub(crate) struct Gunzip(Box<MultiGzDecoder<Vec<u8>>>);

/// Most packed bytes that are unpacked at once. They may become a thousand times as many, and whoever takes them has
/// limits of his own.
const STEP: usize = 4 << 10;

impl Gunzip {
    /// What the headers of an answer call for: nothing, or unpacking.
    pub(crate) fn wanted(headers: &HeaderMap) -> Result<Option<Self>, Error> {
        let Some(value) = headers.get(CONTENT_ENCODING) else { return Ok(None) };
        match value.as_bytes().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(None),
            b"gzip" | b"x-gzip" => Ok(Some(Self(Box::new(MultiGzDecoder::new(Vec::new()))))),
            other => {
                let name = String::from_utf8_lossy(other);
                let message = format!("the answer is packed with `{name}`, which was not asked for");
                Err(Error::new(ErrorKind::Protocol, message))
            }
        }
    }

    /// Unpacks a piece and hands out what came of it, in pieces.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        take: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for step in bytes.chunks(STEP) {
            self.0.write_all(step).and_then(|()| self.0.flush()).map_err(|error| {
                Error::new(
                    ErrorKind::Protocol,
                    format!("the answer is not the gzip it claims to be: {error}"),
                )
            })?;
            let unpacked = self.0.get_mut();
            take(unpacked)?;
            unpacked.clear();
        }
        Ok(())
    }

    /// Says that the packed body has ended.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.0
            .try_finish()
            .map_err(|error| Error::new(ErrorKind::Truncated, format!("the packed answer is cut: {error}")))
    }
}

impl std::fmt::Debug for Gunzip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gunzip")
    }
}

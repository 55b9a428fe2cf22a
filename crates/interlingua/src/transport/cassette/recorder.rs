use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, response};
use interlingua_model::Error;
use tokio::time::Instant;

use super::asked::Asked;
use super::mask::{Mask, carries_key};
use super::tape::{Chunk, Content, End, Recording, Said, Tape};
use crate::Body;
use crate::gzip::Gunzip;

/// Sees an answer pass and writes it down when it ends or is given up.
pub(crate) struct Recorder {
    tape: Arc<Tape>,
    /// What was asked and how the answer begins, until it is written.
    begun: Option<(Asked, Said)>,
    mask: Mask,
    credential: bool,
    gunzip: Option<Gunzip>,
    since: Instant,
    bytes: Vec<u8>,
    /// Where each piece ends, and how long after the one before it came.
    pieces: Vec<(usize, u64)>,
}

/// A body that is recorded.
struct Recorded {
    body: Body,
    recorder: Recorder,
}

impl Recorder {
    pub(crate) fn new(
        tape: Arc<Tape>,
        asked: Asked,
        mask: Mask,
        credential: bool,
        begun: Instant,
        head: &response::Parts,
    ) -> Self {
        let gunzip = Gunzip::wanted(&head.headers).ok().flatten();
        let said = Said {
            status: head.status.as_u16(),
            after_ms: ms(begun),
            headers: headers(&head.headers, &mask, gunzip.is_some()),
            chunks: Vec::new(),
            end: End::GivenUp,
        };
        Self {
            tape,
            begun: Some((asked, said)),
            mask,
            credential,
            gunzip,
            since: Instant::now(),
            bytes: Vec::new(),
            pieces: Vec::new(),
        }
    }

    pub(crate) fn watch(self, body: Body) -> Body {
        Body::from_stream(Recorded { body, recorder: self })
    }

    fn push(&mut self, bytes: &[u8]) {
        let Self { gunzip, bytes: kept, .. } = self;
        match gunzip {
            // What cannot be unpacked breaks the call as well, and the recording has what came before.
            Some(gunzip) => {
                let _ = gunzip.push(bytes, &mut |bytes| {
                    kept.extend_from_slice(bytes);
                    Ok(())
                });
            }
            None => kept.extend_from_slice(bytes),
        }
        self.pieces.push((self.bytes.len(), ms(self.since)));
        self.since = Instant::now();
    }

    /// Writes the recording, once.
    fn write(&mut self, end: End) -> Result<(), Error> {
        let Some((request, mut answer)) = self.begun.take() else { return Ok(()) };
        self.mask.answer(&mut self.bytes, self.credential);
        let mut from = 0;
        answer.chunks = std::mem::take(&mut self.pieces)
            .into_iter()
            .map(|(to, after_ms)| {
                let piece = self.bytes.get(from..to).unwrap_or_default();
                from = to;
                Chunk { after_ms, content: Content::of(piece) }
            })
            .collect();
        answer.end = end;
        self.tape.add(Recording { request, answer })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // A failure is told by the next call.
        let _ = self.write(End::GivenUp);
    }
}

impl Stream for Recorded {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { body, recorder } = self.get_mut();
        let chunk = ready!(body.poll_chunk(context));
        Poll::Ready(match chunk {
            Some(Ok(bytes)) => {
                recorder.push(&bytes);
                Some(Ok(bytes))
            }
            Some(Err(error)) => {
                let message = recorder.mask.text(error.message());
                let _ = recorder.write(End::Broken { kind: error.kind(), message });
                Some(Err(error))
            }
            None => recorder.write(End::Whole).err().map(Err),
        })
    }
}

/// The headers of an answer, without cookies, keys, and what is no longer true of its body.
fn headers(all: &HeaderMap, mask: &Mask, unpacked: bool) -> Vec<(String, String)> {
    let kept = all.iter().filter(|(name, value)| {
        let of_body = unpacked && [CONTENT_ENCODING, CONTENT_LENGTH].contains(name);
        let limits = name.as_str().contains("ratelimit");
        let secret = **name == SET_COOKIE || value.is_sensitive() || (carries_key(name) && !limits);
        !of_body && !secret && **name != TRANSFER_ENCODING
    });
    kept.filter_map(|(name, value)| Some((name.to_string(), mask.text(value.to_str().ok()?)))).collect()
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

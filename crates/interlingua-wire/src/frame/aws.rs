use interlingua_model::{Error, ErrorKind};

use super::{Each, Frame, Headers, Value, too_large};

/// Splits an AWS event stream into its messages.
///
/// A message is, with big-endian numbers:
///
/// ```text
/// u32 length of all | u32 length of the headers | u32 CRC-32 of these 8 bytes | headers | payload | u32 CRC-32 of all before
/// ```
///
/// Both checksums are compared and every header is read before a frame is handed on. Its name is the `:event-type`, or
/// else the `:exception-type` or `:error-code`; which of them it is says the header `:message-type`.
///
/// A message that lies in one chunk is borrowed from it. Time is linear in the bytes; memory is bounded by the limit,
/// which is the largest length of all of a message.
///
/// Source: the [event stream encoding](https://smithy.io/2.0/aws/amazon-eventstream.html) of Smithy.
///
/// ```
/// use interlingua_wire::frame::{Aws, Value, write_message};
///
/// let mut bytes = Vec::new();
/// write_message(&[(":event-type", Value::Text("word"))], b"{}", &mut bytes)?;
/// let mut names = Vec::new();
/// Aws::new(1 << 20).push(&bytes, &mut |frame| {
///     names.push(frame.name.map(<[u8]>::to_vec));
///     Ok(())
/// })?;
/// assert_eq!(names, [Some(b"word".to_vec())]);
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug)]
pub struct Aws {
    limit: usize,
    /// A message that has begun in an earlier chunk.
    message: Vec<u8>,
    /// The length of that message, once its prelude is there and right.
    length: Option<usize>,
}

/// Two lengths and their checksum.
const PRELUDE: usize = 12;

/// The bytes of a message that are neither headers nor payload.
const FRAME: usize = 16;

/// Bytes of a buffer that are kept for the next message.
const KEPT: usize = 64 << 10;

impl Aws {
    /// A splitter that takes messages of at most `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        Self { limit, message: Vec::new(), length: None }
    }

    /// Takes the next bytes and hands each message that is complete to `each`.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] when a message exceeds the limit, [`ErrorKind::Protocol`] when it is broken, and whatever
    /// `each` returns.
    pub fn push(
        &mut self,
        bytes: &[u8],
        each: &mut dyn FnMut(&Frame<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.message.is_empty()
                && let Some(length) = self.length_of(rest)?
                && let Some((message, tail)) = rest.split_at_checked(length)
            {
                rest = tail;
                each(&frame(message)?)?;
                continue;
            }
            rest = self.gather(rest)?;
            if self.length == Some(self.message.len()) {
                self.hand_on_held(each)?;
            }
        }
        Ok(())
    }

    /// Says that no more bytes come.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when the last message is not complete.
    pub fn end(&mut self) -> Result<(), Error> {
        if self.message.is_empty() {
            return Ok(());
        }
        self.message = Vec::new();
        self.length = None;
        Err(Error::new(ErrorKind::Truncated, "the stream was cut inside a message"))
    }

    /// Adds to the message that has begun, and returns what lies beyond it or beyond its prelude.
    fn gather<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Error> {
        let wanted = self.length.unwrap_or(PRELUDE).saturating_sub(self.message.len());
        let (taken, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        self.message.extend_from_slice(taken);
        if self.length.is_none() {
            self.length = self.length_of(&self.message)?;
        }
        Ok(rest)
    }

    fn hand_on_held(&mut self, each: Each<'_>) -> Result<(), Error> {
        self.length = None;
        let mut message = std::mem::take(&mut self.message);
        let outcome = frame(&message).and_then(|frame| each(&frame));
        message.clear();
        message.shrink_to(KEPT);
        self.message = message;
        outcome
    }

    /// The length of the message that begins here, as soon as its prelude is there.
    fn length_of(&self, bytes: &[u8]) -> Result<Option<usize>, Error> {
        let Some((prelude, _)) = bytes.split_at_checked(PRELUDE) else { return Ok(None) };
        let [length, headers, sum] = [0, 4, 8].map(|at| number(prelude, at).unwrap_or_default());
        if checksum(prelude, 8) != Some(sum) {
            return Err(broken("the checksum of a prelude is wrong"));
        }
        let (length, headers) = (size(length), size(headers));
        if headers.saturating_add(FRAME) > length {
            return Err(broken("a message is shorter than its headers"));
        }
        if length > self.limit { Err(too_large(self.limit)) } else { Ok(Some(length)) }
    }
}

/// Appends one message of an AWS event stream.
///
/// # Errors
/// When a name is longer than 255 bytes, a value longer than 65,535, or the message longer than its length can say.
pub fn write_message(headers: &[(&str, Value<'_>)], payload: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let start = out.len();
    out.extend_from_slice(&[0; PRELUDE]);
    let written = headers.iter().try_for_each(|(name, value)| {
        out.push(u8::try_from(name.len()).ok()?);
        out.extend_from_slice(name.as_bytes());
        value.write(out)
    });
    let headers = out.len() - start - PRELUDE;
    out.extend_from_slice(payload);
    let length = out.len() - start + 4;
    let sizes = written.and_then(|()| Some((u32::try_from(length).ok()?, u32::try_from(headers).ok()?)));
    let Some((length, headers)) = sizes else {
        out.truncate(start);
        return Err(Error::new(ErrorKind::TooLarge, "a header or message is too long for an event stream"));
    };
    let mut prelude = [length.to_be_bytes(), headers.to_be_bytes()].concat();
    prelude.extend(crc32fast::hash(&prelude).to_be_bytes());
    if let Some(place) = out.get_mut(start..start + PRELUDE) {
        place.copy_from_slice(&prelude);
    }
    let sum = crc32fast::hash(out.get(start..).unwrap_or_default());
    out.extend(sum.to_be_bytes());
    Ok(())
}

/// A message whose prelude is right.
fn frame(message: &[u8]) -> Result<Frame<'_>, Error> {
    let end = message.len().saturating_sub(4);
    if checksum(message, end) != number(message, end) {
        return Err(broken("the checksum of a message is wrong"));
    }
    let headers = number(message, 4).map_or(0, size);
    let inside = message.get(PRELUDE..end).and_then(|inside| inside.split_at_checked(headers));
    let (headers, data) = inside.ok_or_else(|| broken("a message is shorter than its headers"))?;
    let headers = Headers::parse(headers).ok_or_else(|| broken("the headers of a message are malformed"))?;
    let name = [":event-type", ":exception-type", ":error-code"].iter().find_map(|name| headers.text(name));
    Ok(Frame { name: name.map(str::as_bytes), data, id: None, headers, cut: false })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

fn checksum(bytes: &[u8], end: usize) -> Option<u32> {
    bytes.get(..end).map(crc32fast::hash)
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn broken(message: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("the event stream is broken: {message}"))
}

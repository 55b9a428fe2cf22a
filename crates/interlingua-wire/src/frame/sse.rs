use std::ops::Range;

use interlingua_model::{Error, ErrorKind};
use memchr::memchr2;

use super::Frame;

/// Splits a stream of server-sent events into frames, as the WHATWG HTML standard (section 9.2.6) says.
///
/// Lines end in CR, LF or CRLF, cut anywhere; a byte order mark at the start is skipped; comments and unknown fields
/// are ignored; several `data` fields are joined by LF; an event without data is none. Two things differ from the
/// standard, since real servers need it: the last event counts even when no blank line follows (it is then marked
/// [`Frame::cut`]), and payloads are bytes, because decoding them is the reader's work.
///
/// A frame that lies in one chunk is borrowed from it. Time is linear in the bytes, memory is bounded by the limit.
///
/// ```
/// use interlingua_wire::frame::Sse;
///
/// let mut frames = Vec::new();
/// let mut sse = Sse::new(1 << 20);
/// for chunk in [&b"data: one\r"[..], b"\n\r\nda", b"ta:two\n\n"] {
///     sse.push(chunk, &mut |frame| {
///         frames.push(frame.data.to_vec());
///         Ok(())
///     })?;
/// }
/// assert_eq!(frames, [b"one", b"two"]);
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug)]
pub struct Sse {
    limit: usize,
    /// The bytes of an event that has begun in an earlier chunk.
    carry: Vec<u8>,
    /// What is known of the event so far; ranges point into `carry`, or into the chunk while that is empty.
    event: Pending,
    /// Data of several lines, joined.
    joined: Vec<u8>,
    skip_line_feed: bool,
    /// Bytes of the byte order mark that were seen; past the first bytes of the stream it is [`BOM`]'s length + 1.
    bom: usize,
}

/// An event whose blank line has not come yet.
#[derive(Debug, Default)]
struct Pending {
    /// Where the line begins that is being read.
    line: usize,
    name: Option<Range<usize>>,
    id: Option<Range<usize>>,
    data: Option<Range<usize>>,
    /// More than one data line: the payload is in `joined`.
    is_joined: bool,
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

impl Sse {
    /// A splitter that takes frames of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            carry: Vec::new(),
            event: Pending::default(),
            joined: Vec::new(),
            skip_line_feed: false,
            bom: 0,
        }
    }

    /// Takes the next bytes and hands each frame that is complete to `each`.
    ///
    /// # Errors
    /// [`ErrorKind::TooLarge`] when a frame exceeds the limit, and whatever `each` returns.
    pub fn push(
        &mut self,
        bytes: &[u8],
        each: &mut dyn FnMut(&Frame<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut rest = self.after_bom(bytes);
        while !rest.is_empty() && !self.carry.is_empty() {
            rest = self.push_carried(rest, each)?;
        }
        self.push_borrowed(rest, each)
    }

    /// Says that no more bytes come; an event that lacks its blank line is handed on as cut.
    ///
    /// # Errors
    /// Whatever `each` returns.
    pub fn end(&mut self, each: &mut dyn FnMut(&Frame<'_>) -> Result<(), Error>) -> Result<(), Error> {
        let carry = std::mem::take(&mut self.carry);
        if self.event.line < carry.len() {
            self.field(&carry, self.event.line..carry.len());
        }
        self.dispatch(&carry, true, each)
    }

    /// Reads lines from the carried bytes, to which it adds no more of the chunk than the line needs.
    fn push_carried<'b>(
        &mut self,
        bytes: &'b [u8],
        each: &mut dyn FnMut(&Frame<'_>) -> Result<(), Error>,
    ) -> Result<&'b [u8], Error> {
        if self.skip_line_feed {
            self.skip_line_feed = false;
            if let Some(rest) = bytes.strip_prefix(b"\n") {
                return Ok(rest);
            }
        }
        let end = memchr2(b'\n', b'\r', bytes);
        let taken = end.map_or(bytes.len(), |end| end);
        let (line, rest) = bytes.split_at(taken);
        self.carry.extend_from_slice(line);
        self.check_limit(self.carry.len())?;
        let Some((terminator, rest)) = rest.split_first() else { return Ok(rest) };
        self.skip_line_feed = *terminator == b'\r';
        let carry = std::mem::take(&mut self.carry);
        let line = self.event.line..carry.len();
        if line.is_empty() {
            self.dispatch(&carry, false, each)?;
            self.carry = carry;
            self.carry.clear();
            self.event = Pending::default();
            return Ok(rest);
        }
        self.field(&carry, line);
        self.carry = carry;
        self.carry.push(b'\n');
        if self.event.is_fresh() {
            self.carry.clear();
        }
        self.event.line = self.carry.len();
        Ok(rest)
    }

    /// Reads lines from the chunk itself and carries what is left of an event that is not complete.
    fn push_borrowed(
        &mut self,
        bytes: &[u8],
        each: &mut dyn FnMut(&Frame<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut event_start = 0;
        let mut position = 0;
        while let Some(rest) = bytes.get(position..).filter(|rest| !rest.is_empty()) {
            if self.skip_line_feed {
                self.skip_line_feed = false;
                if rest.starts_with(b"\n") {
                    position += 1;
                    if self.event.is_fresh() {
                        event_start = position;
                    }
                    continue;
                }
            }
            let Some(length) = memchr2(b'\n', b'\r', rest) else { break };
            self.skip_line_feed = rest.get(length) == Some(&b'\r');
            let line = position..position + length;
            position += length + 1;
            if line.is_empty() {
                self.dispatch(bytes, false, each)?;
                event_start = position;
            } else {
                self.field(bytes, line);
                // A comment belongs to no event and need not be carried.
                if self.event.is_fresh() {
                    event_start = position;
                }
            }
        }
        self.carry_over(bytes, event_start, position)
    }

    fn carry_over(&mut self, bytes: &[u8], event_start: usize, line_start: usize) -> Result<(), Error> {
        let left = bytes.get(event_start..).unwrap_or_default();
        if left.is_empty() {
            return Ok(());
        }
        self.check_limit(left.len())?;
        self.carry.extend_from_slice(left);
        self.event.shift(event_start);
        self.event.line = line_start - event_start;
        Ok(())
    }

    /// Takes one line that is not blank, of `text`.
    fn field(&mut self, text: &[u8], line: Range<usize>) {
        let Some(bytes) = text.get(line.clone()) else { return };
        if let Some(value) = value_of(bytes, b"data") {
            let value = line.end - value..line.end;
            match self.event.data.clone() {
                None => self.event.data = Some(value),
                Some(first) => self.join(text, first, value),
            }
        } else if let Some(value) = value_of(bytes, b"event") {
            self.event.name = Some(line.end - value..line.end);
        } else if let Some(value) = value_of(bytes, b"id") {
            self.event.id = Some(line.end - value..line.end);
        }
    }

    fn join(&mut self, text: &[u8], first: Range<usize>, value: Range<usize>) {
        if !self.event.is_joined {
            self.event.is_joined = true;
            self.joined.clear();
            self.joined.extend_from_slice(text.get(first).unwrap_or_default());
        }
        self.joined.push(b'\n');
        self.joined.extend_from_slice(text.get(value).unwrap_or_default());
    }

    fn dispatch(
        &mut self,
        text: &[u8],
        cut: bool,
        each: &mut dyn FnMut(&Frame<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let event = std::mem::take(&mut self.event);
        let Some(data) = event.data else { return Ok(()) };
        let slice = |range: Range<usize>| text.get(range).unwrap_or_default();
        let data = if event.is_joined { &*self.joined } else { slice(data) };
        let name = event.name.map(slice).filter(|name| !name.is_empty());
        each(&Frame { name, data, id: event.id.map(slice), cut })
    }

    fn check_limit(&self, length: usize) -> Result<(), Error> {
        if length <= self.limit {
            return Ok(());
        }
        let message = format!("a frame of the stream is larger than the limit of {} bytes", self.limit);
        Err(Error::new(ErrorKind::TooLarge, message))
    }

    /// Skips a byte order mark at the very start of the stream, even one that is cut.
    fn after_bom<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let mut rest = bytes;
        while let (Some(expected), Some((first, tail))) = (BOM.get(self.bom), rest.split_first()) {
            if first != expected {
                self.carry.extend_from_slice(BOM.get(..self.bom).unwrap_or_default());
                self.bom = BOM.len() + 1;
                return rest;
            }
            self.bom += 1;
            rest = tail;
        }
        rest
    }
}

impl Pending {
    /// Whether nothing of the event has been read.
    const fn is_fresh(&self) -> bool {
        self.name.is_none() && self.id.is_none() && self.data.is_none()
    }

    /// Moves what points into the chunk to where it will lie in the carried bytes.
    fn shift(&mut self, by: usize) {
        for range in [&mut self.name, &mut self.id, &mut self.data].into_iter().flatten() {
            *range = range.start - by..range.end - by;
        }
    }
}

/// The length of the value of a field line, when it is the field of this name.
fn value_of(line: &[u8], name: &[u8]) -> Option<usize> {
    match line.strip_prefix(name)? {
        [] => Some(0),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value.len()),
        _ => None,
    }
}

use interlingua_model::Error;
use memchr::memchr2;

use super::{Each, Frame, Headers, too_large};

/// Splits a stream of server-sent events into frames, as the WHATWG HTML standard (section 9.2.6) says.
///
/// Lines end in CR, LF or CRLF, cut anywhere; a byte order mark at the start is skipped; comments and unknown fields
/// are ignored; several `data` fields are joined by LF; an event without data is none. Two things differ from the
/// standard, since real servers need it: the last event counts even when no blank line follows (it is then marked
/// [`Frame::cut`]), and payloads are bytes, because decoding them is the reader's work.
///
/// A frame of one data line that lies in one chunk is borrowed from it. Time is linear in the bytes; memory is bounded
/// by twice the limit, and comments take none.
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
    /// A line that has begun in an earlier chunk.
    line: Vec<u8>,
    /// What earlier chunks said of the event that is being read.
    held: Held,
    skip_line_feed: bool,
    /// Whether bare JSON is a frame.
    with_json: bool,
    /// Whether bare JSON has begun, which goes on to the next blank line.
    in_json: bool,
    /// Bytes of the byte order mark that were seen; past the first bytes of the stream it is [`BOM`]'s length + 1.
    bom: usize,
}

/// The fields of an event, in memory of their own.
#[derive(Debug, Default)]
struct Held {
    name: Option<Vec<u8>>,
    id: Option<Vec<u8>>,
    data: Option<Data>,
}

/// The data of an event, from a place in a buffer on: a long line stays where it was gathered.
#[derive(Debug)]
struct Data {
    bytes: Vec<u8>,
    from: usize,
}

/// The fields of an event that lie in the chunk which is being read; they override what is held.
#[derive(Debug, Default)]
struct Fresh<'b> {
    name: Option<&'b [u8]>,
    id: Option<&'b [u8]>,
    /// The only data line so far; several are joined in what is held.
    data: Option<&'b [u8]>,
}

/// A line that means something.
enum Field<'b> {
    Name(&'b [u8]),
    Id(&'b [u8]),
    Data(&'b [u8]),
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Bytes of a line beyond its value: `event: `.
const HEADING: usize = 7;

/// Bytes of a buffer that are kept for the next event.
const KEPT: usize = 64 << 10;

impl Sse {
    /// A splitter that takes frames of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            held: Held::default(),
            skip_line_feed: false,
            with_json: false,
            in_json: false,
            bom: 0,
        }
    }

    /// Takes JSON that stands between the events without a `data:` for a frame of its own, up to the next blank line.
    #[must_use]
    pub const fn with_json(mut self, allowed: bool) -> Self {
        self.with_json = allowed;
        self
    }

    /// Takes the next bytes and hands each frame that is complete to `each`.
    ///
    /// # Errors
    /// [`TooLarge`](interlingua_model::ErrorKind::TooLarge) when a frame exceeds the limit, and whatever `each` returns.
    pub fn push(
        &mut self,
        bytes: &[u8],
        each: &mut dyn FnMut(&Frame<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut rest = self.after_bom(bytes);
        let mut fresh = Fresh::default();
        while !rest.is_empty() {
            if std::mem::take(&mut self.skip_line_feed)
                && let Some(tail) = rest.strip_prefix(b"\n")
            {
                rest = tail;
                continue;
            }
            if let (Some(tail), true) = (rest.strip_prefix(b"\n"), self.line.is_empty()) {
                rest = tail;
                self.dispatch(&mut fresh, false, each)?;
                continue;
            }
            let Some(end) = memchr2(b'\n', b'\r', rest) else {
                self.begin_line(rest)?;
                break;
            };
            let (line, tail) = rest.split_at(end);
            self.skip_line_feed = tail.first() == Some(&b'\r');
            rest = tail.get(1..).unwrap_or_default();
            if self.line.is_empty() {
                self.take_line(line, &mut fresh, each)?;
            } else {
                self.begin_line(line)?;
                self.take_held_line()?;
            }
        }
        self.hold(&fresh);
        Ok(())
    }

    /// Says that no more bytes come; an event that lacks its blank line is handed on as cut.
    ///
    /// # Errors
    /// [`TooLarge`](interlingua_model::ErrorKind::TooLarge) when the frame exceeds the limit, and whatever `each` returns.
    pub fn end(&mut self, each: &mut dyn FnMut(&Frame<'_>) -> Result<(), Error>) -> Result<(), Error> {
        self.take_held_line()?;
        self.dispatch(&mut Fresh::default(), true, each)
    }

    /// Keeps the beginning of a line whose end is not there yet. Of a comment its colon is enough.
    fn begin_line(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let is_comment = self.line.first().or(bytes.first()) == Some(&b':');
        let kept = if !is_comment {
            bytes
        } else if self.line.is_empty() {
            &b":"[..]
        } else {
            b""
        };
        self.check_line(self.line.len().saturating_add(kept.len()))?;
        self.line.extend_from_slice(kept);
        Ok(())
    }

    /// Takes a line that lies in one chunk.
    fn take_line<'b>(&mut self, line: &'b [u8], fresh: &mut Fresh<'b>, each: Each<'_>) -> Result<(), Error> {
        if line.is_empty() {
            return self.dispatch(fresh, false, each);
        }
        match self.field(line) {
            Some(Field::Name(name)) => fresh.name = Some(name),
            Some(Field::Id(id)) => fresh.id = Some(id),
            Some(Field::Data(data)) if fresh.data.is_none() && self.held.data.is_none() => {
                fresh.data = Some(data);
            }
            Some(Field::Data(data)) => {
                if let Some(first) = fresh.data.take() {
                    self.held.add_data(first);
                }
                self.held.add_data(data);
            }
            None if line.first() != Some(&b':') => self.check_line(line.len())?,
            None => {}
        }
        self.check_frame(fresh)
    }

    /// Takes the line that has begun in an earlier chunk; it is never blank.
    fn take_held_line(&mut self) -> Result<(), Error> {
        let mut line = std::mem::take(&mut self.line);
        match self.field(&line) {
            Some(Field::Name(name)) => self.held.name = Some(name.to_vec()),
            Some(Field::Id(id)) => self.held.id = Some(id.to_vec()),
            Some(Field::Data(data)) if data.len() > KEPT && self.held.data.is_none() => {
                let from = line.len() - data.len();
                self.held.data = Some(Data { bytes: std::mem::take(&mut line), from });
            }
            Some(Field::Data(data)) => self.held.add_data(data),
            None => {}
        }
        line.clear();
        line.shrink_to(KEPT);
        self.line = line;
        self.check_frame(&Fresh::default())
    }

    /// What a line means here.
    #[inline]
    fn field<'b>(&mut self, line: &'b [u8]) -> Option<Field<'b>> {
        if self.with_json { self.field_or_json(line) } else { Field::of(line) }
    }

    fn field_or_json<'b>(&mut self, line: &'b [u8]) -> Option<Field<'b>> {
        self.in_json |= matches!(line.first(), Some(b'{' | b'['));
        if self.in_json && line.first() != Some(&b':') {
            return Some(Field::Data(line));
        }
        Field::of(line)
    }

    /// Copies what would go away with the chunk.
    fn hold(&mut self, fresh: &Fresh<'_>) {
        if let Some(name) = fresh.name {
            self.held.name = Some(name.to_vec());
        }
        if let Some(id) = fresh.id {
            self.held.id = Some(id.to_vec());
        }
        if let Some(data) = fresh.data {
            self.held.add_data(data);
        }
    }

    fn dispatch(&mut self, fresh: &mut Fresh<'_>, cut: bool, each: Each<'_>) -> Result<(), Error> {
        self.in_json = false;
        let fresh = std::mem::take(fresh);
        if self.held.is_empty() {
            let Some(data) = fresh.data else { return Ok(()) };
            let name = fresh.name.filter(|name| !name.is_empty());
            return each(&Frame { name, data, id: fresh.id, headers: Headers::default(), cut });
        }
        let held = std::mem::take(&mut self.held);
        let Some(data) = fresh.data.or(held.data.as_ref().map(Data::as_slice)) else { return Ok(()) };
        let name = fresh.name.or(held.name.as_deref()).filter(|name| !name.is_empty());
        let id = fresh.id.or(held.id.as_deref());
        each(&Frame { name, data, id, headers: Headers::default(), cut })
    }

    fn check_frame(&self, fresh: &Fresh<'_>) -> Result<(), Error> {
        let length = |fresh: Option<&[u8]>, held: Option<&[u8]>| fresh.or(held).map_or(0, <[u8]>::len);
        let held = &self.held;
        let total = length(fresh.data, held.data.as_ref().map(Data::as_slice))
            .saturating_add(length(fresh.name, held.name.as_deref()))
            .saturating_add(length(fresh.id, held.id.as_deref()));
        if total > self.limit { Err(too_large(self.limit)) } else { Ok(()) }
    }

    fn check_line(&self, length: usize) -> Result<(), Error> {
        if length > self.limit.saturating_add(HEADING) { Err(too_large(self.limit)) } else { Ok(()) }
    }

    /// Skips a byte order mark at the very start of the stream, even one that is cut.
    fn after_bom<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let mut rest = bytes;
        while let (Some(expected), Some((first, tail))) = (BOM.get(self.bom), rest.split_first()) {
            if first != expected {
                self.line.extend_from_slice(BOM.get(..self.bom).unwrap_or_default());
                self.bom = BOM.len() + 1;
                return rest;
            }
            self.bom += 1;
            rest = tail;
        }
        rest
    }
}

impl Held {
    const fn is_empty(&self) -> bool {
        self.name.is_none() && self.id.is_none() && self.data.is_none()
    }

    fn add_data(&mut self, line: &[u8]) {
        match &mut self.data {
            Some(Data { bytes, .. }) => {
                bytes.push(b'\n');
                bytes.extend_from_slice(line);
            }
            None => self.data = Some(Data { bytes: line.to_vec(), from: 0 }),
        }
    }
}

impl Data {
    fn as_slice(&self) -> &[u8] {
        self.bytes.get(self.from..).unwrap_or_default()
    }
}

impl<'b> Field<'b> {
    /// The field that a line sets; comments, unknown fields, `retry` and an id with a null set none.
    fn of(line: &'b [u8]) -> Option<Self> {
        if let Some(value) = value_of(line, b"data") {
            Some(Self::Data(value))
        } else if let Some(value) = value_of(line, b"event") {
            Some(Self::Name(value))
        } else {
            value_of(line, b"id").filter(|value| !value.contains(&0)).map(Self::Id)
        }
    }
}

/// The value of a field line, when it is the field of this name.
fn value_of<'b>(line: &'b [u8], name: &[u8]) -> Option<&'b [u8]> {
    match line.strip_prefix(name)? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

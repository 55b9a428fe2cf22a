use interlingua_model::Error;
use memchr::memchr;

use super::{Each, Frame, Headers, too_large};

/// Splits a stream into its lines, each of which is one JSON value.
///
/// Lines end in LF or CRLF, cut anywhere; blank lines are no frames; a byte order mark at the start is skipped, and so
/// is white space around a line. The last line counts even when it does not end; it is then marked [`Frame::cut`].
///
/// A line that lies in one chunk is borrowed from it. Time is linear in the bytes; memory is bounded by the limit, and
/// white space takes none.
///
/// ```
/// use interlingua_wire::frame::Ndjson;
///
/// let mut frames = Vec::new();
/// let mut lines = Ndjson::new(1 << 20);
/// for chunk in [&b"{\"a\":1}\r\n\n{\"a\""[..], b":2}\n"] {
///     lines.push(chunk, &mut |frame| {
///         frames.push(frame.data.to_vec());
///         Ok(())
///     })?;
/// }
/// assert_eq!(frames, [b"{\"a\":1}", b"{\"a\":2}"]);
/// # Ok::<(), interlingua_model::Error>(())
/// ```
#[derive(Debug)]
pub struct Ndjson {
    limit: usize,
    /// A line that has begun in an earlier chunk, without the white space before it.
    line: Vec<u8>,
    /// Nothing but white space has come yet.
    fresh: bool,
}

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Bytes of a buffer that are kept for the next line.
const KEPT: usize = 64 << 10;

impl Ndjson {
    /// A splitter that takes lines of at most `limit` bytes.
    pub const fn new(limit: usize) -> Self {
        Self { limit, line: Vec::new(), fresh: true }
    }

    /// Takes the next bytes and hands each line that is complete to `each`.
    ///
    /// # Errors
    /// [`TooLarge`](interlingua_model::ErrorKind::TooLarge) when a line exceeds the limit, and whatever `each` returns.
    pub fn push(
        &mut self,
        bytes: &[u8],
        each: &mut dyn FnMut(&Frame<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut rest = bytes;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, tail) = rest.split_at(end);
            rest = tail.get(1..).unwrap_or_default();
            if self.line.is_empty() {
                self.hand_on(line, false, each)?;
            } else {
                self.begin_line(line)?;
                self.hand_on_held(false, each)?;
            }
        }
        self.begin_line(rest)
    }

    /// Says that no more bytes come; a line that did not end is handed on as cut.
    ///
    /// # Errors
    /// Whatever `each` returns.
    pub fn end(&mut self, each: &mut dyn FnMut(&Frame<'_>) -> Result<(), Error>) -> Result<(), Error> {
        self.hand_on_held(true, each)
    }

    /// Keeps the beginning of a line whose end is not there yet.
    fn begin_line(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let bytes = if self.line.is_empty() { bytes.trim_ascii_start() } else { bytes };
        self.check(self.line.len().saturating_add(bytes.len()))?;
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn hand_on_held(&mut self, cut: bool, each: Each<'_>) -> Result<(), Error> {
        let mut line = std::mem::take(&mut self.line);
        let outcome = self.hand_on(&line, cut, each);
        line.clear();
        line.shrink_to(KEPT);
        self.line = line;
        outcome
    }

    fn hand_on(&mut self, line: &[u8], cut: bool, each: Each<'_>) -> Result<(), Error> {
        self.check(line.trim_ascii_start().len())?;
        let mut data = line.trim_ascii();
        if self.fresh && !data.is_empty() {
            self.fresh = false;
            data = data.strip_prefix(MARK).unwrap_or(data).trim_ascii_start();
        }
        if data.is_empty() {
            return Ok(());
        }
        each(&Frame { name: None, data, id: None, headers: Headers::default(), cut })
    }

    /// A line may be as long as the limit, without the CR of its end.
    fn check(&self, length: usize) -> Result<(), Error> {
        if length > self.limit.saturating_add(1) { Err(too_large(self.limit)) } else { Ok(()) }
    }
}

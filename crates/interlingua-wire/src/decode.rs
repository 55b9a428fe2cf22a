use std::borrow::Cow;
use std::fmt;

use interlingua_model::{Error, ErrorKind, Event, Frame as RawFrame};
use memchr::memchr;
use serde::de::IgnoredAny;

use crate::frame::{Frame, Framing, Splitter};
use crate::refusal::kept;
use crate::repeat::{Figures, Pattern, Repeat, Target, Varying};
use crate::{Limits, Mode, Parts};

/// Makes events out of the bytes of one answer.
///
/// Bytes go in by [`push`](Self::push), events come out by [`poll`](Self::poll), and [`end`](Self::end) says that there
/// are no more bytes. Events that were read before an error are still there to be polled. Once
/// [`is_finished`](Self::is_finished), the protocol's own end marker was seen and further bytes are ignored.
///
/// Servers do not always send what was asked for: a whole JSON answer to a streamed call, and the reverse, are read
/// as what they are, and so are server-sent events where another [`Framing`] was expected; a web page is an error that
/// quotes it.
#[derive(Debug)]
pub struct Decoder {
    body: Body,
    framing: Framing,
    frames: Frames,
    limits: Limits,
}

/// What a protocol does with frames and whole bodies.
pub trait Reader: Send {
    /// Reads one frame of a stream.
    ///
    /// # Errors
    /// When the frame reports an error or cannot be understood.
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error>;

    /// Reads a whole answer.
    ///
    /// # Errors
    /// When the body reports an error or cannot be understood.
    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error>;

    /// Says that the stream has ended, which a protocol without an end marker takes as its end.
    ///
    /// # Errors
    /// When the stream must not end here.
    fn end(&mut self, out: &mut Parts) -> Result<(), Error>;

    /// What may differ in a next frame that repeats the one just read, which brought one delta. Such a frame is not
    /// given to [`frame`](Self::frame): its text is added to the same part, and its figures are told to
    /// [`repeated`](Self::repeated). Only for frames that leave the reader as
    /// they found it, so that reading one of them again would bring one delta to the same part again.
    fn varying(&self) -> Option<Varying> {
        None
    }

    /// Says that a frame repeated the last one with this text, which was added, and these figures, of which the
    /// reader tells by itself.
    fn repeated(&mut self, text: &str, figures: Figures<'_>, out: &mut Parts) {
        let _ = (text, figures, out);
    }
}

impl fmt::Debug for dyn Reader + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

#[derive(Debug)]
enum Body {
    /// Too little has come to tell what it is: these bytes, after so many of white space.
    Unknown(Mode, Vec<u8>, usize),
    /// The beginning of a line of JSON, which is a frame when it is JSON by itself, or else the first line of a body.
    Line(Vec<u8>),
    Stream(Splitter),
    Whole(Vec<u8>),
}

impl Decoder {
    /// A decoder for an answer that was asked for in this mode.
    pub fn new(mode: Mode, limits: Limits, reader: Box<dyn Reader>) -> Self {
        let frames =
            Frames { reader, parts: Parts::default(), raw: false, pattern: Some(Pattern::default()) };
        Self { body: Body::Unknown(mode, Vec::new(), 0), framing: Framing::default(), frames, limits }
    }

    /// A decoder for streams of another framing than server-sent events.
    #[must_use]
    pub const fn with_framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Passes on every frame (or whole body) as it came, before the events that are read from it.
    #[must_use]
    pub const fn with_raw(mut self, raw: bool) -> Self {
        self.frames.raw = raw;
        self
    }

    /// Reads every frame in full, or takes the shortcut for frames that repeat the last one (the default). Both give
    /// the same events; this is for tests of that law.
    #[must_use]
    pub fn with_shortcut(mut self, shortcut: bool) -> Self {
        self.frames.pattern = shortcut.then(Pattern::default);
        self
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// When the answer reports an error, breaks the protocol or a limit. The decoder is of no further use then,
    /// but for the events that it still holds.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.is_finished() {
            return Ok(());
        }
        let bytes = self.recognise(bytes)?;
        match &mut self.body {
            Body::Unknown(..) => Ok(()),
            Body::Line(_) => self.push_line(&bytes),
            Body::Whole(body) => collect(body, &bytes, self.limits.body),
            Body::Stream(splitter) => splitter.push(&bytes, &mut |frame| self.frames.read(frame)),
        }
    }

    /// Takes the next event.
    pub fn poll(&mut self) -> Option<Event> {
        self.frames.parts.poll()
    }

    /// Says that no more bytes come.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] when the answer is not complete, and everything that [`push`](Self::push) reports.
    pub fn end(&mut self) -> Result<(), Error> {
        if self.is_finished() {
            return Ok(());
        }
        match &mut self.body {
            Body::Unknown(_, start, _) if start.is_empty() => return Err(truncated("the answer is empty")),
            Body::Unknown(_, body, _) | Body::Whole(body) => {
                let body = std::mem::take(body);
                if self.framing == Framing::Ndjson && has_lines(&body) {
                    self.read_stream(&body)?;
                } else {
                    self.read_body(&body)?;
                }
            }
            Body::Line(line) => {
                let line = std::mem::take(line);
                self.read_stream(&line)?;
            }
            Body::Stream(_) => self.read_stream(&[])?,
        }
        if self.is_finished() { Ok(()) } else { Err(truncated("the stream ended before its end marker")) }
    }

    /// Whether the end of the answer was seen.
    pub const fn is_finished(&self) -> bool {
        self.frames.parts.is_finished()
    }

    /// Decides by the first bytes whether this is a stream of events or a whole body, and skips a byte order mark and
    /// white space before it.
    fn recognise<'b>(&mut self, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, Error> {
        let Body::Unknown(mode, start, blank) = &mut self.body else { return Ok(Cow::Borrowed(bytes)) };
        let text = if start.is_empty() {
            Cow::Borrowed(skip_mark(bytes))
        } else {
            start.extend_from_slice(bytes);
            Cow::Owned(skip_mark(start).to_vec())
        };
        let Some(shape) = shape(*mode, self.framing, &text) else {
            *blank += bytes.len();
            if *blank > self.limits.body {
                return Err(too_large(self.limits.body));
            }
            *start = text.into_owned();
            return Ok(Cow::Borrowed(&[]));
        };
        self.body = match shape {
            Shape::Line => Body::Line(Vec::new()),
            Shape::Stream(framing) => Body::Stream(framing.splitter(self.limits.frame)),
            Shape::Whole => Body::Whole(Vec::new()),
        };
        Ok(text)
    }

    /// Reads on in the first line, until it shows whether it is a frame.
    fn push_line(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Body::Line(held) = &mut self.body else { return Ok(()) };
        let Some(end) = memchr(b'\n', bytes) else {
            return collect(held, bytes, self.limits.body);
        };
        let (line, rest) = bytes.split_at(end);
        let held = std::mem::take(held);
        let mut first = Cow::Borrowed(line);
        if !held.is_empty() {
            let mut line = held;
            collect(&mut line, first.as_ref(), self.limits.body)?;
            first = Cow::Owned(line);
        }
        if is_begun_json(&first) {
            let mut body = first.into_owned();
            let outcome = collect(&mut body, rest, self.limits.body);
            self.body = Body::Whole(body);
            return outcome;
        }
        let mut splitter = self.framing.splitter(self.limits.frame);
        let outcome = [&*first, rest]
            .into_iter()
            .try_for_each(|bytes| splitter.push(bytes, &mut |frame| self.frames.read(frame)));
        self.body = Body::Stream(splitter);
        outcome
    }

    /// Reads the last bytes of a stream.
    fn read_stream(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if !matches!(self.body, Body::Stream(_)) {
            self.body = Body::Stream(self.framing.splitter(self.limits.frame));
        }
        let Body::Stream(splitter) = &mut self.body else { return Ok(()) };
        let frames = &mut self.frames;
        splitter.push(bytes, &mut |frame| frames.read(frame))?;
        splitter.end(&mut |frame| frames.read(frame))?;
        if frames.parts.is_finished() { Ok(()) } else { frames.reader.end(&mut frames.parts) }
    }

    fn read_body(&mut self, body: &[u8]) -> Result<(), Error> {
        if self.frames.raw {
            self.frames.parts.raw(RawFrame::new(None, &*String::from_utf8_lossy(body)));
        }
        if body.starts_with(b"<") {
            let message = "the answer is a web page, not the JSON of a model service: check the base URL";
            return Err(Error::new(ErrorKind::Protocol, message).with_body(kept(body)));
        }
        self.frames.parts.reserve(EVENTS);
        self.frames.reader.body(body, &mut self.frames.parts).map_err(|error| {
            if error.kind() == ErrorKind::Protocol && error.body().is_none() {
                error.with_body(kept(body))
            } else {
                error
            }
        })
    }
}

/// As many events of a whole answer as there is room for at once: those of one part, and two more.
const EVENTS: usize = 8;

/// What a line of an event stream can begin with.
const FIELDS: [&[u8]; 5] = [b":", b"id:", b"data:", b"event:", b"retry:"];

/// What an answer is.
enum Shape {
    /// Lines of JSON or one body of several lines.
    Line,
    Stream(Framing),
    Whole,
}

/// What begins here, as far as can be told yet.
///
/// No line of an event stream begins with a bracket, and JSON, when it is not a bare word, with nothing else. The first
/// byte of an AWS message is the highest of its length, so it is lower than any character of a text.
fn shape(mode: Mode, framing: Framing, text: &[u8]) -> Option<Shape> {
    let first = text.first()?;
    let is_cut_mark = text.len() < MARK.len() && MARK.starts_with(text);
    let events = if framing == Framing::SseWithJson { framing } else { Framing::Sse };
    match (framing, mode, first) {
        _ if is_cut_mark => None,
        (Framing::Ndjson, Mode::Stream, b'{') => Some(Shape::Line),
        (_, _, b'{' | b'[' | b'<') => Some(Shape::Whole),
        (Framing::Aws, _, 0..b'\t') => Some(Shape::Stream(framing)),
        (Framing::Sse | Framing::SseWithJson | Framing::JsonList, Mode::Stream, _) => {
            Some(Shape::Stream(framing))
        }
        _ if FIELDS.iter().any(|field| text.starts_with(field)) => Some(Shape::Stream(events)),
        _ if FIELDS.iter().any(|field| field.starts_with(text)) => None,
        _ => Some(Shape::Whole),
    }
}

/// Whether this is JSON that goes on in the next line.
fn is_begun_json(line: &[u8]) -> bool {
    serde_json::from_str::<IgnoredAny>(&String::from_utf8_lossy(line)).is_err_and(|error| error.is_eof())
}

/// Whether this is not one JSON value, but one in each line.
fn has_lines(body: &[u8]) -> bool {
    let Some((line, rest)) = memchr(b'\n', body).and_then(|end| body.split_at_checked(end)) else {
        return false;
    };
    !rest.trim_ascii().is_empty()
        && serde_json::from_str::<IgnoredAny>(&String::from_utf8_lossy(line)).is_ok()
}

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// What is behind white space and byte order marks, of which there may be several.
fn skip_mark(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes.trim_ascii_start();
    while let Some(rest) = bytes.strip_prefix(MARK) {
        bytes = rest.trim_ascii_start();
    }
    bytes
}

/// Where frames go to.
#[derive(Debug)]
struct Frames {
    reader: Box<dyn Reader>,
    parts: Parts,
    raw: bool,
    /// The shortcut for frames that repeat the last one, unless it is switched off.
    pattern: Option<Pattern>,
}

impl Frames {
    fn read(&mut self, frame: &Frame<'_>) -> Result<(), Error> {
        if self.parts.is_finished() {
            return Ok(());
        }
        if self.raw {
            let name = frame.name.map(String::from_utf8_lossy);
            self.parts.raw(RawFrame::new(name.as_deref(), &*String::from_utf8_lossy(frame.data)));
        }
        let Some(pattern) = &mut self.pattern else { return self.read_in_full(frame) };
        if let Some(Repeat { target, text, figures }) = pattern.read(frame) {
            match target {
                Target::Text(at) => self.parts.text(at, text),
                Target::Input(at) => self.parts.input(at, text),
            }
            self.reader.repeated(text, figures, &mut self.parts);
            return Ok(());
        }
        pattern.forget();
        let before = self.parts.waiting();
        self.read_in_full(frame)?;
        if let (Some(pattern), Some(varying)) = (&mut self.pattern, self.reader.varying())
            && let Some(delta) = self.parts.only_delta(before, varying.figures.is_some())
        {
            pattern.learn(frame, varying, delta);
        }
        Ok(())
    }

    fn read_in_full(&mut self, frame: &Frame<'_>) -> Result<(), Error> {
        self.reader.frame(frame, &mut self.parts).map_err(|error| {
            if frame.cut && error.kind() == ErrorKind::Protocol {
                return truncated("the stream was cut inside a frame").with_source(error);
            }
            error
        })
    }
}

fn collect(body: &mut Vec<u8>, bytes: &[u8], limit: usize) -> Result<(), Error> {
    if body.len() + bytes.len() > limit {
        return Err(too_large(limit));
    }
    body.extend_from_slice(bytes);
    Ok(())
}

fn too_large(limit: usize) -> Error {
    Error::new(ErrorKind::TooLarge, format!("the answer is larger than the limit of {limit} bytes"))
}

fn truncated(message: &str) -> Error {
    Error::new(ErrorKind::Truncated, message)
}

//! Reads a frame that repeats the last one but for a text, without parsing it.
//!
//! A stream of deltas says the same thing over and over: its frames are equal byte for byte, but for the text that is
//! added and a number or some padding that nobody reads. Once a frame was read in full and brought exactly one delta,
//! it becomes a pattern; a next frame that fits brings the same delta with its own text. Whatever does not fit is read
//! in full. That both ways give the same events is a law that tests try with every case and with any bytes.

use std::ops::Range;

use interlingua_model::{Delta, Event};
use memchr::memchr2;

use crate::frame::Frame;

/// What may differ between two frames that a reader takes for the same but for their text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Varying {
    /// The name of the field whose text is the delta. It must occur once in the frame, at any depth.
    pub text: &'static str,
    /// Names of fields of the frame itself that the reader never reads, as long as they hold numbers or texts.
    pub unread: &'static [&'static str],
    /// The name of an object of the frame itself, and those of its whole numbers that the reader takes from
    /// [`Figures`].
    pub figures: Option<(&'static str, &'static [&'static str])>,
}

/// Whole numbers of a frame that repeats the last one: those that [`Varying::figures`] names and the frame has.
#[derive(Debug, Clone, Copy)]
pub struct Figures<'p> {
    frame: &'p [u8],
    holes: &'p [Hole],
}

impl<'p> Figures<'p> {
    /// Name and value of each, in the order of the frame.
    pub fn iter(self) -> impl Iterator<Item = (&'p [u8], u64)> {
        let figures = self.holes.iter().filter(|hole| hole.kind == Kind::Figure);
        figures.filter_map(move |hole| Some((self.frame.get(hole.name.clone())?, hole.value)))
    }
}

impl Varying {
    /// A text in this field, beside fields that are never read.
    pub const fn new(text: &'static str, unread: &'static [&'static str]) -> Self {
        Self { text, unread, figures: None }
    }

    /// With whole numbers in an object of the frame.
    #[must_use]
    pub const fn with_figures(mut self, object: &'static str, names: &'static [&'static str]) -> Self {
        self.figures = Some((object, names));
        self
    }
}

/// What a pattern adds its text to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Text(u32),
    Input(u32),
}

/// The last frame that was read in full, if the next may repeat it.
#[derive(Debug, Default)]
pub(crate) struct Pattern {
    target: Option<Target>,
    name: Option<Vec<u8>>,
    headers: Vec<u8>,
    frame: Vec<u8>,
    /// What may differ, in the order of the frame.
    holes: Vec<Hole>,
    /// A text whose escapes are resolved.
    plain: String,
    /// Patterns in a row that no frame has fitted.
    unused: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Hole {
    /// Where the value stands in the frame; that of a text without its quotes.
    at: Range<usize>,
    kind: Kind,
    /// Where the name of a figure stands in the frame.
    name: Range<usize>,
    /// A figure as it stands in the frame.
    value: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Padding,
    Number,
    /// A whole number that is read.
    Figure,
}

/// What a frame that repeats the last one brings.
#[derive(Debug)]
pub(crate) struct Repeat<'p> {
    pub(crate) target: Target,
    pub(crate) text: &'p str,
    pub(crate) figures: Figures<'p>,
}

/// Longest frame that becomes a pattern, and longest text whose escapes are resolved here.
const LONGEST: usize = 16 << 10;
/// Texts up to this length are searched byte by byte.
const SHORT: usize = 48;
/// After so many patterns that were of no use, only some frames are tried.
const PATIENCE: u32 = 8;

impl Pattern {
    /// What the frame adds, if it fits.
    pub(crate) fn read<'f>(&'f mut self, frame: &Frame<'f>) -> Option<Repeat<'f>> {
        let target = self.target?;
        if frame.cut
            || frame.name != self.name.as_deref()
            || !is_same(frame.headers.as_bytes(), &self.headers)
        {
            return None;
        }
        let text = self.fit(frame.data)?;
        self.unused = 0;
        let text = std::str::from_utf8(text).ok()?;
        let mut text = text;
        if has_escape(text) {
            if text.len() > LONGEST {
                return None;
            }
            self.plain.clear();
            unescape(text, &mut self.plain)?;
            text = &self.plain;
        }
        Some(Repeat { target, text, figures: Figures { frame: &self.frame, holes: &self.holes } })
    }

    /// The text that stands in the place of the pattern's, with its escapes; never an empty one.
    fn fit<'d>(&mut self, data: &'d [u8]) -> Option<&'d [u8]> {
        let text = self.holes.iter().position(|hole| hole.kind == Kind::Text)?;
        let (before, rest) = self.holes.split_at_mut(text);
        let (place, after) = rest.split_first_mut()?;
        let rest = skip(&mut self.frame, 0..place.at.start, before, data)?;
        let (value, rest) = rest.split_at_checked(Kind::Text.length(rest)?)?;
        let end = self.frame.len();
        let rest = skip(&mut self.frame, place.at.end..end, after, rest)?;
        rest.is_empty().then_some(value)
    }

    /// Takes a frame that was read in full as the pattern, if it brought this delta and nothing but figures beside it.
    pub(crate) fn learn(&mut self, frame: &Frame<'_>, varying: Varying, event: &Event) {
        self.forget();
        let (target, text) = match event {
            Event::Delta { at, delta: Delta::Text(text) } => (Target::Text(*at), text),
            Event::Delta { at, delta: Delta::Input(text) } => (Target::Input(*at), text),
            _ => return,
        };
        self.unused = self.unused.saturating_add(1);
        let tired = self.unused > PATIENCE && !self.unused.is_multiple_of(PATIENCE);
        if frame.cut || frame.data.len() > LONGEST || tired || !self.find(frame.data, varying) {
            return;
        }
        self.frame.clear();
        self.frame.extend_from_slice(frame.data);
        self.headers.clear();
        self.headers.extend_from_slice(frame.headers.as_bytes());
        self.plain.clear();
        let said =
            self.fit(frame.data).and_then(|text| unescape(std::str::from_utf8(text).ok()?, &mut self.plain));
        if said.is_none() || self.plain != **text {
            return;
        }
        match (&mut self.name, frame.name) {
            (Some(name), Some(new)) => {
                name.clear();
                name.extend_from_slice(new);
            }
            (name, new) => *name = new.map(<[u8]>::to_vec),
        }
        self.target = Some(target);
    }

    /// The next frame is read in full.
    pub(crate) const fn forget(&mut self) {
        self.target = None;
    }

    /// Finds what may differ in a frame of valid JSON; `false` when it is not just one text.
    fn find(&mut self, data: &[u8], varying: Varying) -> bool {
        self.holes.clear();
        let (mut at, mut depth, mut texts) = (0_usize, 0_usize, 0_usize);
        // The name of the field of the frame itself that is being read.
        let mut field: &[u8] = &[];
        while let Some(byte) = data.get(at) {
            at += 1;
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => {
                    let Some(key) = string_at(data, at) else { return false };
                    at = key.end + 1;
                    let Some(value) = value_after(data, at) else { continue };
                    let Some(name) = data.get(key.clone()) else { return false };
                    if name.contains(&b'\\') {
                        return false;
                    }
                    if depth == 1 {
                        field = name;
                    }
                    if name == varying.text.as_bytes() {
                        texts += 1;
                        let Some(range) = text_at(data, value) else { return false };
                        at = range.end + 1;
                        self.holes.push(Hole::new(range, Kind::Text));
                    } else if depth == 1 && has(varying.unread, name) {
                        let Some(hole) = unread_at(data, value) else { continue };
                        at = hole.at.end + usize::from(hole.kind == Kind::Padding);
                        self.holes.push(hole);
                    } else if let Some((object, names)) = varying.figures
                        && (depth, field) == (2, object.as_bytes())
                        && has(names, name)
                    {
                        if self.has_figure(data, name) {
                            return false;
                        }
                        let Some(hole) = figure_at(data, key, value) else { continue };
                        at = hole.at.end;
                        self.holes.push(hole);
                    }
                }
                _ => {}
            }
        }
        texts == 1
    }

    /// Whether a figure of this name was found in the data.
    fn has_figure(&self, data: &[u8], name: &[u8]) -> bool {
        self.holes.iter().any(|hole| hole.kind == Kind::Figure && data.get(hole.name.clone()) == Some(name))
    }
}

fn has(names: &[&str], name: &[u8]) -> bool {
    names.iter().any(|known| known.as_bytes() == name)
}

/// Whether two stretches of bytes, which are mostly both empty, are equal.
///
/// The C library may compare by masked loads. A processor takes a hundred nanoseconds over one whose address is that of
/// no memory, as is the one of an empty slice, even though nothing is read there.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && (one.is_empty() || one == other)
}

/// What follows a stretch of the frame in the data, if the data repeat it but for its holes. Values of the same length
/// are taken over, since the next frame mostly has them again.
///
/// A figure must keep its length, so that the frame always has the newest.
fn skip<'d>(frame: &mut [u8], stretch: Range<usize>, holes: &mut [Hole], data: &'d [u8]) -> Option<&'d [u8]> {
    if let Some(rest) = data.strip_prefix(frame.get(stretch.clone())?) {
        return Some(rest);
    }
    let (mut rest, mut from) = (data, stretch.start);
    for hole in holes {
        rest = rest.strip_prefix(frame.get(from..hole.at.start)?)?;
        let (value, tail) = rest.split_at_checked(hole.kind.length(rest)?)?;
        if value.len() == hole.at.len() {
            frame.get_mut(hole.at.clone())?.copy_from_slice(value);
            if hole.kind == Kind::Figure {
                hole.value = whole(value)?;
            }
        } else if hole.kind == Kind::Figure {
            return None;
        }
        (rest, from) = (tail, hole.at.end);
    }
    rest.strip_prefix(frame.get(from..stretch.end)?)
}

impl Hole {
    const fn new(at: Range<usize>, kind: Kind) -> Self {
        Self { at, kind, name: 0..0, value: 0 }
    }
}

impl Kind {
    /// The length of a value of this kind at the beginning of the bytes, if it may be taken unread.
    fn length(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Text => text_length(bytes).filter(|length| *length > 0),
            Self::Padding => {
                let length = memchr2(b'"', b'\\', bytes)?;
                let value = bytes.get(..=length)?;
                value.iter().all(|byte| (0x20..0x7f).contains(byte) && *byte != b'\\').then_some(length)
            }
            Self::Number | Self::Figure => {
                let length = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let leading_zero = length > 1 && bytes.first() == Some(&b'0');
                let goes_on = matches!(bytes.get(length), Some(b'.' | b'e' | b'E' | b'-' | b'+'));
                ((1..=18).contains(&length) && !leading_zero && !goes_on).then_some(length)
            }
        }
    }
}

/// The length of a text up to its closing quote; nothing when it needs the complete reader.
fn text_length(bytes: &[u8]) -> Option<usize> {
    let mut escaped = false;
    for (length, byte) in bytes.iter().take(SHORT).enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'"' => return Some(length),
            b'\\' => escaped = true,
            0..0x20 => return None,
            _ => {}
        }
    }
    long_length(bytes, SHORT + usize::from(escaped))
}

/// The same for a text whose first bytes hold no end, from a place where no escape is cut.
fn long_length(bytes: &[u8], from: usize) -> Option<usize> {
    let mut length = from;
    loop {
        let step = memchr2(b'"', b'\\', bytes.get(length..)?)?;
        length += step;
        if bytes.get(length) == Some(&b'"') {
            break;
        }
        length += 2;
    }
    let has_control = bytes.get(..length)?.iter().any(|byte| *byte < 0x20);
    (!has_control).then_some(length)
}

/// The contents of the string whose opening quote stands before `at`.
fn string_at(data: &[u8], at: usize) -> Option<Range<usize>> {
    Some(at..at.checked_add(text_length(data.get(at..)?)?)?)
}

/// Where the value begins, when what ended before `at` is a name.
fn value_after(data: &[u8], at: usize) -> Option<usize> {
    let skip =
        |at: usize| data.get(at..)?.iter().position(|byte| !byte.is_ascii_whitespace()).map(|gap| at + gap);
    let colon = skip(at).filter(|at| data.get(*at) == Some(&b':'))?;
    skip(colon + 1)
}

/// The contents of the string that begins at `at`.
fn text_at(data: &[u8], at: usize) -> Option<Range<usize>> {
    if data.get(at) == Some(&b'"') { string_at(data, at + 1) } else { None }
}

/// The value of a field that nobody reads.
fn unread_at(data: &[u8], at: usize) -> Option<Hole> {
    let (start, kind) =
        if data.get(at) == Some(&b'"') { (at + 1, Kind::Padding) } else { (at, Kind::Number) };
    let length = kind.length(data.get(start..)?)?;
    Some(Hole::new(start..start + length, kind))
}

/// The value of a figure of this name, when it is a whole number.
fn figure_at(data: &[u8], name: Range<usize>, at: usize) -> Option<Hole> {
    let at = at..at + Kind::Figure.length(data.get(at..)?)?;
    let value = whole(data.get(at.clone())?)?;
    Some(Hole { at, kind: Kind::Figure, name, value })
}

/// The number that digits mean.
fn whole(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit.checked_sub(b'0')?))
    })
}

fn has_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() <= SHORT { bytes.contains(&b'\\') } else { memchr::memchr(b'\\', bytes).is_some() }
}

/// Adds a text with its escapes resolved; nothing when it holds one that is not of the common kinds.
fn unescape(text: &str, plain: &mut String) -> Option<()> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        plain.push_str(rest.get(..at)?);
        let escape = *rest.as_bytes().get(at + 1)?;
        let mut next = at + 2;
        plain.push(match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let digits = rest.get(next..next + 4)?;
                next += 4;
                let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                // Half of a pair is no character, and is left to the complete reader.
                char::from_u32(u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?)?
            }
            _ => return None,
        });
        rest = rest.get(next..)?;
    }
    plain.push_str(rest);
    Some(())
}

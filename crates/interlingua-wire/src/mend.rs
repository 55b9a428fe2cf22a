//! Answers that are almost JSON: bytes that are no UTF-8, and halves of characters.

use std::borrow::Cow;

use interlingua_model::{Error, Warning};

use crate::frame::Frame;
use crate::{Figures, Parts, Reader, Varying};

/// A reader that is given whole characters alone: U+FFFD stands for what was broken, and a warning says so once.
///
/// A character that lost a byte costs an answer that character, and nothing else.
#[derive(Debug)]
pub(crate) struct Mending<R> {
    reader: R,
    has_warned: bool,
}

impl<R> Mending<R> {
    pub(crate) const fn new(reader: R) -> Self {
        Self { reader, has_warned: false }
    }

    fn warn(&mut self, out: &mut Parts) {
        if !std::mem::replace(&mut self.has_warned, true) {
            out.early_warning(Warning::adjusted("answer", "broken characters were replaced by U+FFFD"));
        }
    }
}

impl<R: Reader> Reader for Mending<R> {
    fn frame(&mut self, frame: &Frame<'_>, out: &mut Parts) -> Result<(), Error> {
        // What was cut off may end inside a character, and is an error of its own.
        let (text, true) = mended(frame.data) else { return self.reader.frame(frame, out) };
        if frame.cut {
            return self.reader.frame(frame, out);
        }
        self.warn(out);
        self.reader.frame(&Frame { data: text.as_bytes(), ..*frame }, out)
    }

    fn body(&mut self, body: &[u8], out: &mut Parts) -> Result<(), Error> {
        let (text, true) = mended(body) else { return self.reader.body(body, out) };
        self.warn(out);
        self.reader.body(text.as_bytes(), out)
    }

    fn end(&mut self, out: &mut Parts) -> Result<(), Error> {
        self.reader.end(out)
    }

    fn varying(&self) -> Option<Varying> {
        self.reader.varying()
    }

    fn repeated(&mut self, text: &str, figures: Figures<'_>, out: &mut Parts) {
        self.reader.repeated(text, figures, out);
    }
}

/// The bytes as text in which every escape is one of a whole character.
///
/// Servers that cut a character in two write the halves as lone surrogates (`\ud83d`), which no JSON reader takes;
/// they become U+FFFD, as do bytes that are no UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    mended(bytes).0
}

/// The same, and whether anything had to be replaced.
pub(crate) fn mended(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    // The check is many times faster than the repair.
    let text = std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed);
    let mut broken = matches!(text, Cow::Owned(_));
    if !has_surrogate(text.as_bytes()) {
        return (text, broken);
    }
    let mut mended = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let taken = match (surrogate(escape), surrogate(escape.get(6..).unwrap_or_default())) {
            (Some(High), Some(Low)) => 12,
            (Some(_), _) => {
                mended.push_str("\\ufffd");
                broken = true;
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            (None, _) => 2,
        };
        let taken = if escape.is_char_boundary(taken) { taken.min(escape.len()) } else { 1 };
        let (kept, after) = escape.split_at(taken);
        mended.push_str(kept);
        rest = after;
    }
    mended.push_str(rest);
    (Cow::Owned(mended), broken)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Surrogate {
    High,
    Low,
}
use Surrogate::{High, Low};

fn has_surrogate(bytes: &[u8]) -> bool {
    let is_half = |at| {
        matches!(bytes.get(at..at + 4), Some([_, b'u', b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F']))
    };
    memchr::memchr_iter(b'\\', bytes).any(is_half)
}

/// Which half of a character an escape stands for, if for one.
fn surrogate(escape: &str) -> Option<Surrogate> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(High),
        0xdc00..=0xdfff => Some(Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{mended, text};

    #[test]
    fn whole_characters_are_not_broken() {
        assert!(!mended(br#""\ud83d\ude00 \u00e9""#).1);
        assert!(mended(br#""\ud83d""#).1 && mended(b"\xff").1);
    }

    #[test]
    fn halves_are_replaced_and_pairs_are_kept() {
        assert_eq!(
            text(br#"{"a":"\ud83d\ude00 \ud83d x \\ud83d"}"#),
            r#"{"a":"\ud83d\ude00 \ufffd x \\ud83d"}"#
        );
        assert_eq!(text(br#""\ude00""#), r#""\ufffd""#);
        assert_eq!(text(b"\"\\ud83d"), "\"\\ufffd");
        assert_eq!(text(b"a\\"), "a\\");
        assert_eq!(text("\\ud83d\\é".as_bytes()), "\\ufffd\\é");
    }
}

use std::fmt;

/// The headers of one message of an AWS event stream, as they came.
///
/// They were checked when the message was: whatever [`iter`](Self::iter) gives is all there is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Headers<'a>(&'a [u8]);

/// The value of a header of an AWS event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Yes or no.
    Bool(bool),
    /// A number of 8 bits.
    I8(i8),
    /// A number of 16 bits.
    I16(i16),
    /// A number of 32 bits.
    I32(i32),
    /// A number of 64 bits.
    I64(i64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A text.
    Text(&'a str),
    /// Milliseconds since 1970.
    Timestamp(i64),
    /// A UUID.
    Uuid([u8; 16]),
}

impl<'a> Headers<'a> {
    /// The headers that these bytes hold, if they hold nothing else.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = split(rest)?.2;
        }
        Some(Self(bytes))
    }

    /// Each name and its value, in the order of the message.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (name, value, tail) = split(rest)?;
            rest = tail;
            Some((name, value))
        })
    }

    /// The first value of this name that is a text.
    pub fn text(self, name: &str) -> Option<&'a str> {
        self.iter().find_map(|(found, value)| match value {
            Value::Text(text) if found == name => Some(text),
            _ => None,
        })
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The bytes that they came in.
    pub(crate) const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Value<'_> {
    /// Writes the number of the type and the value; `None` when it is too long.
    pub(super) fn write(self, out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Bool(is_true) => out.push(u8::from(!is_true)),
            Self::I8(number) => typed(2, &number.to_be_bytes(), out),
            Self::I16(number) => typed(3, &number.to_be_bytes(), out),
            Self::I32(number) => typed(4, &number.to_be_bytes(), out),
            Self::I64(number) => typed(5, &number.to_be_bytes(), out),
            Self::Bytes(bytes) => counted(6, bytes, out)?,
            Self::Text(text) => counted(7, text.as_bytes(), out)?,
            Self::Timestamp(number) => typed(8, &number.to_be_bytes(), out),
            Self::Uuid(bytes) => typed(9, &bytes, out),
        }
        Some(())
    }
}

fn typed(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(bytes);
}

fn counted(kind: u8, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let length = u16::try_from(bytes.len()).ok()?;
    out.push(kind);
    typed_length(length, bytes, out);
    Some(())
}

fn typed_length(length: u16, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// The first header, and what follows it.
fn split(bytes: &[u8]) -> Option<(&str, Value<'_>, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (kind, rest) = rest.split_first()?;
    let (value, rest) = value(*kind, rest)?;
    Some((std::str::from_utf8(name).ok()?, value, rest))
}

fn value(kind: u8, bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    Some(match kind {
        0 => (Value::Bool(true), bytes),
        1 => (Value::Bool(false), bytes),
        2 => fixed(bytes, |bytes| Value::I8(i8::from_be_bytes(bytes)))?,
        3 => fixed(bytes, |bytes| Value::I16(i16::from_be_bytes(bytes)))?,
        4 => fixed(bytes, |bytes| Value::I32(i32::from_be_bytes(bytes)))?,
        5 => fixed(bytes, |bytes| Value::I64(i64::from_be_bytes(bytes)))?,
        6 => {
            let (bytes, rest) = run(bytes)?;
            (Value::Bytes(bytes), rest)
        }
        7 => {
            let (bytes, rest) = run(bytes)?;
            (Value::Text(std::str::from_utf8(bytes).ok()?), rest)
        }
        8 => fixed(bytes, |bytes| Value::Timestamp(i64::from_be_bytes(bytes)))?,
        9 => fixed(bytes, Value::Uuid)?,
        _ => return None,
    })
}

fn fixed<const LENGTH: usize>(
    bytes: &[u8],
    value: impl FnOnce([u8; LENGTH]) -> Value<'static>,
) -> Option<(Value<'static>, &[u8])> {
    let (first, rest) = bytes.split_first_chunk()?;
    Some((value(*first), rest))
}

/// Bytes after their number.
fn run(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

//! Where a reader stands between two bytes.

use serde_json::Value;

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// A value.
    Value,
    /// A value, or the end of the list that has just begun.
    ValueOrEnd,
    /// A key, or the end of the object that has just begun.
    KeyOrEnd,
    /// A key.
    Key,
    /// More of a key.
    InKey,
    /// The colon behind a key.
    Colon,
    /// More of a string.
    Text,
    /// More of a number.
    Number,
    /// More of `true`, `false` or `null`.
    Word,
    /// What follows a value: a comma, the end of the container, or of the text.
    After,
}

/// An escape that is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    None,
    /// Behind the backslash.
    Begun,
    /// Within four hexadecimal digits: how many came, and what they make.
    Hex {
        digits: u8,
        unit: u16,
        high: Option<u16>,
    },
    /// Behind the first half of a pair.
    High(u16),
    /// Behind the first half of a pair and a backslash.
    HighBegun(u16),
}

/// What a byte of an escape comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escaped {
    More(Escape),
    Char(char),
    Wrong,
}

impl Escape {
    /// Takes one byte.
    pub(super) fn byte(self, byte: u8) -> Escaped {
        match self {
            Self::None | Self::Begun => begun(byte),
            Self::High(high) if byte == b'\\' => Escaped::More(Self::HighBegun(high)),
            Self::HighBegun(high) if byte == b'u' => {
                Escaped::More(Self::Hex { digits: 0, unit: 0, high: Some(high) })
            }
            Self::High(_) | Self::HighBegun(_) => Escaped::Wrong,
            Self::Hex { digits, unit, high } => {
                let Some(digit) = char::from(byte).to_digit(16).and_then(|digit| u16::try_from(digit).ok())
                else {
                    return Escaped::Wrong;
                };
                let unit = (unit << 4) | digit;
                if digits < 3 {
                    Escaped::More(Self::Hex { digits: digits + 1, unit, high })
                } else {
                    unit_of(unit, high)
                }
            }
        }
    }
}

fn begun(byte: u8) -> Escaped {
    Escaped::Char(match byte {
        b'"' | b'\\' | b'/' => char::from(byte),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return Escaped::More(Escape::Hex { digits: 0, unit: 0, high: None }),
        _ => return Escaped::Wrong,
    })
}

/// What a unit of UTF-16 comes to, behind the first half of a pair or not.
fn unit_of(unit: u16, high: Option<u16>) -> Escaped {
    if high.is_none() && (0xD800..0xDC00).contains(&unit) {
        return Escaped::More(Escape::High(unit));
    }
    let units = high.into_iter().chain([unit]);
    match (char::decode_utf16(units).next(), high.is_some()) {
        (Some(Ok(char)), is_pair) if is_pair == (char.len_utf16() == 2) => Escaped::Char(char),
        _ => Escaped::Wrong,
    }
}

/// A container that is open.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// The length of its own path.
    pub(super) path: usize,
    /// The name of the member that was begun last.
    pub(super) key: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Document,
    List,
    Object,
}

impl Frame {
    pub(super) const fn document() -> Self {
        Self::new(Kind::Document, 0)
    }

    pub(super) const fn new(kind: Kind, path: usize) -> Self {
        Self { kind, path, key: String::new() }
    }

    /// The member that was begun last.
    pub(super) fn last<'v>(&self, container: &'v mut Value) -> Option<&'v mut Value> {
        match container {
            Value::Array(items) => items.last_mut(),
            Value::Object(members) => members.get_mut(&self.key),
            _ => None,
        }
    }

    /// Puts a member into the container.
    pub(super) fn put<'v>(&self, container: &'v mut Value, value: Value) -> Option<&'v mut Value> {
        match container {
            Value::Array(items) => {
                items.push(value);
                items.last_mut()
            }
            Value::Object(members) => {
                members.insert(self.key.clone(), value);
                members.get_mut(&self.key)
            }
            _ => None,
        }
    }

    /// Writes the path of a member that begins behind that of the container.
    pub(super) fn enter(&self, path: &mut String, container: &Value) {
        path.truncate(self.path);
        match self.kind {
            Kind::Document => {}
            Kind::List => {
                let at = container.as_array().map_or(0, Vec::len);
                path.push('/');
                path.push_str(&at.to_string());
            }
            Kind::Object => {
                path.push('/');
                path.push_str(&self.key.replace('~', "~0").replace('/', "~1"));
            }
        }
    }
}

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The bytes that a [`Piece`] holds without an allocation.
const INLINE: usize = 38;

/// A small piece of streamed text; one the size of a token costs no allocation.
///
/// It dereferences to `str` and is as cheap to move as 40 bytes.
///
/// ```
/// use interlingua_model::Piece;
///
/// let piece = Piece::from("Bonjour");
/// assert_eq!(&*piece, "Bonjour");
/// assert!(piece.is_inline());
/// ```
#[derive(Clone)]
pub struct Piece(Repr);

#[derive(Clone)]
enum Repr {
    Inline { length: u8, bytes: [u8; INLINE] },
    Heap(Box<str>),
}

impl Piece {
    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Inline { length, bytes } => {
                let bytes = bytes.get(..usize::from(*length)).unwrap_or_default();
                std::str::from_utf8(bytes).unwrap_or_default()
            }
            Repr::Heap(text) => text,
        }
    }

    /// The bytes of the text, without a check that they are one.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Repr::Heap(text) => text.as_bytes(),
        }
    }

    /// Whether the text lies in the value itself and not on the heap.
    pub const fn is_inline(&self) -> bool {
        matches!(self.0, Repr::Inline { .. })
    }
}

impl From<&str> for Piece {
    fn from(text: &str) -> Self {
        let mut bytes = [0; INLINE];
        let (Some(room), Ok(length)) = (bytes.get_mut(..text.len()), u8::try_from(text.len())) else {
            return Self(Repr::Heap(text.into()));
        };
        room.copy_from_slice(text.as_bytes());
        Self(Repr::Inline { length, bytes })
    }
}

impl From<String> for Piece {
    fn from(text: String) -> Self {
        if text.len() <= INLINE { Self::from(&*text) } else { Self(Repr::Heap(text.into_boxed_str())) }
    }
}

impl From<std::borrow::Cow<'_, str>> for Piece {
    fn from(text: std::borrow::Cow<'_, str>) -> Self {
        match text {
            std::borrow::Cow::Borrowed(text) => Self::from(text),
            std::borrow::Cow::Owned(text) => Self::from(text),
        }
    }
}

impl Default for Piece {
    fn default() -> Self {
        Self::from("")
    }
}

impl Deref for Piece {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Piece {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Piece {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Piece {}

impl PartialEq<str> for Piece {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Piece {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Piece {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(deserializer)?))
    }
}

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version of our own serialized shape; it takes no memory.
///
/// It is written as the number 1 and refuses to be read from any other, so that a stored conversation is never
/// misread by a program that does not know its shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Version(());

impl Version {
    /// The number that is written.
    pub const NUMBER: u32 = 1;
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(Self::NUMBER)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        if number == Self::NUMBER {
            return Ok(Self::default());
        }
        Err(D::Error::custom(format!("shape version {number} is not supported, expected {}", Self::NUMBER)))
    }
}

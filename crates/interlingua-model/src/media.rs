use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Extra, Retention};

/// An image, a document, a sound or a video, in either direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Media {
    /// MIME type; `image/*`, `audio/*`, `video/*` or `application/*` where only the kind is known.
    pub mime: String,
    /// Where the content is.
    pub source: Source,
    /// File name or title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The words of a sound, where the provider writes them beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
    /// Ask the provider to cache the prompt up to and including this part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Retention>,
    /// What only one protocol knows of it.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// Where the content of a [`Media`] part is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// Here.
    Bytes(Data),
    /// At an address that the provider fetches.
    Url(String),
    /// In the provider's file store, under this id.
    File(String),
}

/// Bytes that are cheap to clone; serialized as standard base64.
#[derive(Clone, PartialEq, Eq)]
pub struct Data(Arc<[u8]>);

/// The broad kind of a [`Media`] part, by its MIME type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MediaKind {
    /// `image/…`
    Image,
    /// `audio/…`
    Audio,
    /// `video/…`
    Video,
    /// Everything else: PDF, text, office files.
    Document,
}

impl Media {
    /// Media of a MIME type from a source.
    pub fn new(mime: impl Into<String>, source: Source) -> Self {
        Self { mime: mime.into(), source, name: None, transcript: None, cache: None, extra: Extra::default() }
    }

    /// Media whose content is at hand.
    pub fn bytes(mime: impl Into<String>, bytes: impl Into<Data>) -> Self {
        Self::new(mime, Source::Bytes(bytes.into()))
    }

    /// Media that the provider fetches from an address; the type may be a wildcard such as `image/*`.
    pub fn url(mime: impl Into<String>, url: impl Into<String>) -> Self {
        Self::new(mime, Source::Url(url.into()))
    }

    /// Media in the provider's file store.
    pub fn file(mime: impl Into<String>, id: impl Into<String>) -> Self {
        Self::new(mime, Source::File(id.into()))
    }

    /// The same with a file name or title.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The broad kind.
    pub fn kind(&self) -> MediaKind {
        match self.mime.split('/').next() {
            Some("image") => MediaKind::Image,
            Some("audio") => MediaKind::Audio,
            Some("video") => MediaKind::Video,
            _ => MediaKind::Document,
        }
    }
}

impl Data {
    /// Reads standard base64.
    ///
    /// # Errors
    /// When the text is not standard, padded base64.
    pub fn from_base64(text: &str) -> Result<Self, base64::DecodeError> {
        Ok(Self(STANDARD.decode(text)?.into()))
    }

    /// Writes standard, padded base64.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.0)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<T: Into<Arc<[u8]>>> From<T> for Data {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Data({} bytes)", self.0.len())
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_base64(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

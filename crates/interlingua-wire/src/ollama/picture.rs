//! Images, which are bare base64: the type is told by their first bytes.

use interlingua_model::{Data, Media, Source};

/// The kind of a custom part that is an image which is not base64.
pub(super) const KIND: &str = "image";

/// An image; `None` when it is not base64.
pub(super) fn read(base64: &str) -> Option<Media> {
    // Some clients send the whole data URL.
    let base64 = base64.split_once(";base64,").map_or(base64, |(_, content)| content);
    let data = Data::from_base64(base64).ok()?;
    let mime = mime(data.as_bytes());
    Some(Media::bytes(mime, data))
}

fn mime(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ => "image/*",
    }
}

/// The bytes of an image; `None` when it lies elsewhere.
pub(super) fn write(media: &Media) -> Option<String> {
    match &media.source {
        Source::Bytes(data) => Some(data.to_base64()),
        _ => None,
    }
}

//! Media on the wire: addresses, data URLs, formats of sound.

use interlingua_model::{Data, Media, Source};

/// Media at an address; a base64 data URL is content at hand.
pub(super) fn of_url(mime: &str, url: &str) -> Media {
    match of_data_url(url) {
        Some((mime, data)) => Media::new(mime, Source::Bytes(data)),
        None => Media::url(mime, url),
    }
}

/// The type and the content of a base64 data URL.
pub(super) fn of_data_url(url: &str) -> Option<(&str, Data)> {
    let (mime, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some((mime, Data::from_base64(data).ok()?))
}

/// A base64 data URL.
pub(super) fn data_url(mime: &str, data: &Data) -> String {
    format!("data:{mime};base64,{}", data.to_base64())
}

/// The word for a sound's format: `mp3`, `wav`, else the MIME subtype.
pub(super) fn audio_format(mime: &str) -> &str {
    let subtype = mime.strip_prefix("audio/").unwrap_or(mime);
    match subtype {
        "mpeg" | "mp3" | "mpeg3" | "x-mpeg" => "mp3",
        "wav" | "x-wav" | "wave" | "vnd.wave" => "wav",
        other => other,
    }
}

/// The MIME type of a sound's format.
pub(super) fn audio_mime(format: &str) -> String {
    match format {
        "mp3" => "audio/mpeg".to_owned(),
        other => format!("audio/{other}"),
    }
}

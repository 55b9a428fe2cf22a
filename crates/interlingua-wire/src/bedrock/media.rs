//! Images, documents, sounds and videos, both ways. A type is a word here (`png`), not a MIME type.

use interlingua_model::{Data, Json, Media, MediaKind, Source};
use serde_json::value::RawValue;

use super::PROTOCOL;
use super::node::Node;
use crate::Object;

/// The words for types. Where two words mean one type, the first is written.
const IMAGES: &[(&str, &str)] =
    &[("png", "image/png"), ("jpeg", "image/jpeg"), ("gif", "image/gif"), ("webp", "image/webp")];
const DOCUMENTS: &[(&str, &str)] = &[
    ("pdf", "application/pdf"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("html", "text/html"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
];
const VIDEOS: &[(&str, &str)] = &[
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("flv", "video/x-flv"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("wmv", "video/x-ms-wmv"),
    ("three_gp", "video/3gpp"),
];
const SOUNDS: &[(&str, &str)] = &[
    ("mp3", "audio/mpeg"),
    ("wav", "audio/wav"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/opus"),
    ("m4a", "audio/mp4"),
    ("mp4", "audio/mp4"),
    ("webm", "audio/webm"),
    ("mkv", "audio/x-matroska"),
    ("pcm", "audio/pcm"),
];
/// Other spellings of types.
const SPELLINGS: &[(&str, &str)] = &[
    ("image/jpg", "jpeg"),
    ("audio/mp3", "mp3"),
    ("audio/x-wav", "wav"),
    ("audio/x-m4a", "m4a"),
    ("text/x-markdown", "md"),
    ("application/csv", "csv"),
];

fn table(kind: &str) -> &'static [(&'static str, &'static str)] {
    match kind {
        "image" => IMAGES,
        "document" => DOCUMENTS,
        "video" => VIDEOS,
        "audio" => SOUNDS,
        _ => &[],
    }
}

/// The name of the block that holds media of a kind.
const fn word(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        _ => "document",
    }
}

/// The MIME type that a word stands for.
pub(super) fn mime_of(kind: &str, format: &str) -> Option<&'static str> {
    table(kind).iter().find(|(word, _)| *word == format).map(|(_, mime)| *mime)
}

fn format_of(kind: &str, mime: &str) -> Option<&'static str> {
    let plain = mime.split(';').next().unwrap_or(mime).trim().to_ascii_lowercase();
    let spelled = SPELLINGS.iter().find(|(other, _)| *other == plain).map(|(_, word)| *word);
    spelled.or_else(|| table(kind).iter().find(|(_, mime)| *mime == plain).map(|(word, _)| *word))
}

/// Reads the inside of a block; `None` for what has no neutral form.
pub(super) fn read(kind: &str, mut block: Object<'_>) -> Option<Media> {
    let format: Option<String> = block.take("format").ok()?;
    let source = block.take_raw("source")?;
    let (from, is_plain) = read_source(source)?;
    let is_text = Object::parse(source.get()).ok()?.get("text").is_some();
    // A text need not say that it is one.
    let format = format.or_else(|| is_text.then(|| "txt".to_owned()))?;
    let mime = mime_of(kind, &format)?;
    let mut media = Media::new(mime, from);
    if kind == "document" {
        media.name = block.take("name").ok()?;
    }
    block.rest_into(&mut media.extra, PROTOCOL);
    if format_of(kind, mime) != Some(&*format) {
        media.extra.set(PROTOCOL, "format", Json::string(&format));
    }
    if !is_plain {
        media.extra.set(PROTOCOL, "source", Json::from(source));
    }
    Some(media)
}

/// Where the content is, and whether that is all that the source says.
pub(super) fn read_source(raw: &RawValue) -> Option<(Source, bool)> {
    let mut source = Object::parse(raw.get()).ok()?;
    if let Some(bytes) = source.take::<String>("bytes").ok()? {
        return Some((Source::Bytes(Data::from_base64(&bytes).ok()?), source.is_empty()));
    }
    if let Some(text) = source.take::<String>("text").ok()? {
        return Some((Source::Bytes(Data::from(text.into_bytes())), false));
    }
    let mut place: Object<'_> = source.take("s3Location").ok()??;
    let uri: String = place.take("uri").ok()??;
    Some((Source::Url(uri), source.is_empty() && place.is_empty()))
}

/// The source of a block, for what can be one.
pub(super) fn write_source(source: &Source) -> Option<Json> {
    let node = match source {
        Source::Bytes(data) => Node::default().text("bytes", &data.to_base64()),
        Source::Url(uri) if uri.starts_with("s3://") => {
            Node::of("s3Location", Node::default().text("uri", uri).json())
        }
        _ => return None,
    };
    Some(node.json())
}

/// A block; or why the protocol cannot carry it. `name` is that of a document.
pub(super) fn write(media: &Media, name: Option<&str>) -> Result<Json, &'static str> {
    let kind = word(media.kind());
    let Some(format) = format_of(kind, &media.mime) else {
        return Err("the protocol has no word for media of this type");
    };
    let Some(source) = write_source(&media.source) else {
        return Err("media must be at hand or in S3; an address or a file elsewhere is not fetched");
    };
    let mut node = Node::default();
    if kind == "document" {
        node = node.maybe("name", name);
    }
    let node = node.text("format", format).set("source", source).extra(&media.extra);
    Ok(Node::of(kind, node.json()).json())
}

/// The word for the type of an image, as a stream tells it before its bytes.
pub(super) fn image_format(media: &Media) -> Option<&'static str> {
    format_of("image", &media.mime).filter(|_| media.kind() == MediaKind::Image)
}

/// A name as documents may have it: letters, digits, single spaces, `-`, `(`, `)`, `[` and `]`.
pub(super) fn clean_name(name: &str) -> String {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-()[] ".contains(c);
    let replaced: String = name.chars().map(|c| if is_allowed(c) { c } else { '-' }).take(180).collect();
    replaced.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

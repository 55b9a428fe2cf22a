//! Files that go along with a prompt.

use std::path::Path;

use interlingua::{Input, Media, Text};

use crate::exit::{Failure, Result};

/// Makes a part of a file or of an address: media as media, text as a fenced block under its name.
///
/// # Errors
/// When the file cannot be read, or is neither media of a known type nor UTF-8 text.
pub(crate) fn file(path: &Path) -> Result<Input> {
    if let Some(url) = path.to_str().filter(|text| is_address(text)) {
        return Ok(Input::Media(Media::url(mime_of_name(url).unwrap_or("image/*"), url)));
    }
    let bytes = std::fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
    let name =
        path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into());
    match classify(bytes, Some(&name)) {
        Sort::Media(mime, bytes) => Ok(Input::Media(Media::bytes(mime, bytes).named(name))),
        Sort::Text(text) => Ok(Input::Text(Text::new(fenced(&path.display().to_string(), &text)))),
        Sort::Unknown => Err(Failure::usage(format!(
            "cannot attach {}: it is neither UTF-8 text nor an image, a PDF, a sound or a video of a known type",
            path.display()
        ))),
    }
}

/// What some bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Media of a MIME type.
    Media(&'static str, Vec<u8>),
    /// UTF-8 text, without a byte order mark.
    Text(String),
    /// Something else.
    Unknown,
}

/// Says what bytes are: by their first bytes, then by whether they are text, then by a file name's ending.
pub(crate) fn classify(bytes: Vec<u8>, name: Option<&str>) -> Sort {
    if let Some(mime) = mime_of_bytes(&bytes) {
        return Sort::Media(mime, bytes);
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => {
            Sort::Text(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
        }
        Ok(text) => by_name(text.into_bytes(), name),
        Err(error) => by_name(error.into_bytes(), name),
    }
}

fn by_name(bytes: Vec<u8>, name: Option<&str>) -> Sort {
    match name.and_then(mime_of_name) {
        Some(mime) => Sort::Media(mime, bytes),
        None => Sort::Unknown,
    }
}

/// The media types that at least one provider takes, by the bytes with which they begin.
fn mime_of_bytes(bytes: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let mime = match bytes {
        _ if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        _ if at(0, b"\xff\xd8\xff") => "image/jpeg",
        _ if at(0, b"GIF87a") || at(0, b"GIF89a") => "image/gif",
        _ if at(0, b"RIFF") && at(8, b"WEBP") => "image/webp",
        _ if at(0, b"RIFF") && at(8, b"WAVE") => "audio/wav",
        _ if at(0, b"%PDF-") => "application/pdf",
        _ if at(0, b"ID3") || at(0, b"\xff\xfb") || at(0, b"\xff\xf3") || at(0, b"\xff\xf2") => "audio/mpeg",
        _ if at(0, b"OggS") => "audio/ogg",
        _ if at(0, b"fLaC") => "audio/flac",
        _ if at(4, b"ftypheic") || at(4, b"ftypheix") || at(4, b"ftypmif1") => "image/heic",
        _ if at(4, b"ftypavif") => "image/avif",
        _ if at(4, b"ftypM4A") => "audio/mp4",
        _ if at(4, b"ftypqt") => "video/quicktime",
        _ if at(4, b"ftyp") => "video/mp4",
        _ if at(0, b"\x1a\x45\xdf\xa3") => "video/webm",
        _ if at(0, b"II*\0") || at(0, b"MM\0*") => "image/tiff",
        _ if at(0, b"BM") && at(6, b"\0\0\0\0") => "image/bmp",
        _ => return None,
    };
    Some(mime)
}

fn mime_of_name(name: &str) -> Option<&'static str> {
    let name = name.split(['?', '#']).next().unwrap_or_default();
    let extension = Path::new(name).extension()?.to_str()?.to_ascii_lowercase();
    let mime = match extension.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "flac" => "audio/flac",
        "m4a" => "audio/mp4",
        "aac" => "audio/aac",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        _ => return None,
    };
    Some(mime)
}

fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// A text file as a block that its own content cannot close.
fn fenced(name: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let language =
        Path::new(name).extension().map(|extension| extension.to_string_lossy()).unwrap_or_default();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{name}:\n{fence}{language}\n{text}{end}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_say_what_they_are() {
        for (bytes, name, expected) in [
            (&b"\x89PNG\r\n\x1a\nrest"[..], Some("lies.txt"), Some("image/png")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", None, Some("image/webp")),
            (b"%PDF-1.7\n%\xe2\xe3", None, Some("application/pdf")),
            (
                b"PK\x03\x04\0\xff",
                Some("Report.DOCX"),
                Some("application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            ),
            (b"\x7fELF\x02\0", Some("a.out"), None),
            (b"\xff\xfeh\0i\0", Some("utf16.txt"), None),
        ] {
            let found = match classify(bytes.to_vec(), name) {
                Sort::Media(mime, _) => Some(mime),
                Sort::Text(text) => panic!("{text:?} is no text"),
                Sort::Unknown => None,
            };
            assert_eq!(found, expected, "{bytes:?}");
        }
        assert_eq!(classify(b"\xef\xbb\xbfplain".to_vec(), None), Sort::Text("plain".into()));
        assert_eq!(classify(Vec::new(), None), Sort::Text(String::new()));
    }

    #[test]
    fn a_fence_cannot_be_closed_by_what_it_holds() {
        assert_eq!(fenced("a.md", "```rust\n````\n"), "a.md:\n`````md\n```rust\n````\n`````");
        assert_eq!(fenced("notes", "x"), "notes:\n```\nx\n```");
    }

    #[test]
    fn an_address_is_passed_on() {
        let part = file(Path::new("https://example.org/cat.JPG?size=1")).unwrap();
        let Input::Media(media) = part else { panic!("{part:?}") };
        assert_eq!(media, Media::url("image/jpeg", "https://example.org/cat.JPG?size=1"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let failure = file(Path::new("/nowhere/at/all.txt")).unwrap_err();
        assert_eq!(failure.message(), "cannot read /nowhere/at/all.txt: there is no such file");
        assert_eq!(failure.exit(), crate::exit::Exit::File);
    }
}

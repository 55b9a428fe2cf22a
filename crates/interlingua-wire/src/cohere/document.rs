//! Documents, both ways: `{"id","data":{…}}`, or a bare text.
//!
//! A document of text alone is media of type `text/plain` whose name is the title; one with fields of its own is media
//! of type `application/json` whose bytes are its `data`.

use interlingua_model::{Fields, Json, Media, Source};
use serde_json::value::RawValue;

use super::PROTOCOL;
use crate::Object;
use crate::draft::Draft;

const PLAIN: &str = "text/plain";
const FIELDS: &str = "application/json";

/// A document of a request, or of a tool's result; `None` for what is none.
pub(super) fn read(raw: &RawValue) -> Option<Media> {
    if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
        return Some(Media::bytes(PLAIN, text.into_bytes()));
    }
    let mut document = Object::parse(raw.get()).ok()?;
    let data = document.take_raw("data")?;
    let mut media = match plain(data) {
        Some(media) => media,
        None if data.get().starts_with('{') => Media::bytes(FIELDS, data.get().as_bytes().to_vec()),
        None => return None,
    };
    // An object without an id is not the bare text that it would else become.
    media.extra.set(PROTOCOL, "id", Json::from_text("null"));
    document.rest_into(&mut media.extra, PROTOCOL);
    Some(media)
}

/// A document of text and title alone.
fn plain(data: &RawValue) -> Option<Media> {
    let mut data = Object::parse(data.get()).ok()?;
    let text: String = data.take("text").ok()??;
    let title: Option<String> = data.take("title").ok()?;
    if !data.is_empty() || title.as_ref().is_some_and(String::is_empty) {
        return None;
    }
    let media = Media::bytes(PLAIN, text.into_bytes());
    Some(match title {
        Some(title) => media.named(title),
        None => media,
    })
}

/// A document of text, or of fields; `None` for what the protocol cannot carry.
pub(super) fn write(media: &Media) -> Option<Json> {
    let Source::Bytes(bytes) = &media.source else { return None };
    let text = std::str::from_utf8(bytes.as_bytes()).ok()?;
    let extra = media.extra.fields(PROTOCOL);
    if media.mime == FIELDS && Json::from_text(text).is_object() {
        return Some(object(extra, Json::from_text(text)));
    }
    if !is_text(&media.mime) {
        return None;
    }
    if extra.is_none() && media.name.is_none() {
        return Some(Json::string(text));
    }
    let data = Draft::default().text("text", text).maybe("title", media.name.as_deref());
    Some(object(extra, data.json()))
}

fn object(extra: Option<&Fields>, data: Json) -> Json {
    let known = extra.into_iter().flat_map(Fields::iter).filter(|(_, value)| value.as_str() != "null");
    Draft::default().fields(known).set("data", data).json()
}

/// Types whose bytes are words for people.
fn is_text(mime: &str) -> bool {
    mime.starts_with("text/") || matches!(mime, FIELDS | "application/xml" | "application/yaml")
}

/// A document as a block of a tool's result, which is always an object.
pub(super) fn write_block(media: &Media) -> Option<Json> {
    let document = write(media)?;
    let document = if document.is_object() {
        document
    } else {
        Draft::default().set("data", Draft::default().set("text", document).json()).json()
    };
    Some(Draft::of("document").set("document", document).json())
}

//! What servers say, as parts of messages, and the other way round.

use std::fmt::Write as _;

use interlingua::{Content, Data, Input, Json, Media, Output, Source, Text, ToolOutput};
use rmcp::model::{CallToolResult, ContentBlock, Resource, ResourceContents};
use serde_json::Value;

use crate::text;

/// The result of a call, its text cut to `most` bytes.
pub(crate) fn output(result: CallToolResult, most: usize) -> ToolOutput {
    let mut content: Vec<Content> = result.content.into_iter().map(part).collect();
    let has_text = content.iter().any(|part| matches!(part, Content::Text(_)));
    if let Some(value) = result.structured_content.filter(|_| !has_text) {
        content.insert(0, Content::Text(Text::new(value.to_string())));
    }
    let mut output = ToolOutput::from(limited(content, most));
    output.is_error = result.is_error.unwrap_or_default();
    output
}

/// Parts whose text has at most so many bytes together.
pub(crate) fn limited(mut content: Vec<Content>, most: usize) -> Vec<Content> {
    let mut left = most;
    for part in &mut content {
        let Content::Text(words) = part else { continue };
        words.text = text::cut(std::mem::take(&mut words.text), left);
        left = left.saturating_sub(words.text.len());
    }
    content
}

/// One block, as a part.
pub(crate) fn part(block: ContentBlock) -> Content {
    match block {
        ContentBlock::Text(text) => Content::Text(Text::new(text.text)),
        ContentBlock::Image(image) => media(&image.mime_type, &image.data, None),
        ContentBlock::Audio(audio) => media(&audio.mime_type, &audio.data, None),
        ContentBlock::Resource(resource) => contents(resource.resource),
        ContentBlock::ResourceLink(link) => Content::Text(Text::new(described(&link))),
        _ => Content::Text(Text::new("[content of a kind that is not known here]")),
    }
}

/// The contents of a resource: text as it is, bytes as media.
pub(crate) fn contents(contents: ResourceContents) -> Content {
    match contents {
        ResourceContents::TextResourceContents { text, .. } => Content::Text(Text::new(text)),
        ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
            let mime = mime_type.unwrap_or_else(|| "application/octet-stream".into());
            media(&mime, &blob, Some(&uri))
        }
        _ => Content::Text(Text::new("[a resource of a kind that is not known here]")),
    }
}

fn media(mime: &str, base64: &str, uri: Option<&str>) -> Content {
    let Ok(data) = Data::from_base64(base64) else {
        return Content::Text(Text::new("[data that is no base64]"));
    };
    let mut media = Media::bytes(text::line(mime, text::NAME), data);
    media.name = uri.map(|uri| text::line(uri.rsplit('/').next().unwrap_or(uri), text::MESSAGE));
    Content::Media(media)
}

/// A link is told in words: nothing is fetched that nobody asked for.
fn described(link: &Resource) -> String {
    let clean = |text: &str| text::line(text, text::MESSAGE);
    let mut told = format!("[resource {}: {}", clean(&link.name), clean(&link.uri));
    if let Some(mime) = &link.mime_type {
        let _ = write!(told, " ({})", clean(mime));
    }
    if let Some(description) = &link.description {
        let _ = write!(told, ", {}", clean(description));
    }
    told + "]"
}

/// A part of what a user says.
pub(crate) fn input(content: Content) -> Input {
    match content {
        Content::Text(text) => Input::Text(text),
        Content::Media(media) => Input::Media(media),
        Content::Custom(custom) => Input::Custom(custom),
        _ => Input::Text(Text::new("[content of a kind that is not known here]")),
    }
}

/// A part of what a model said.
pub(crate) fn said(content: Content) -> Output {
    match content {
        Content::Text(text) => Output::Text(text),
        Content::Media(media) => Output::Media(media),
        _ => Output::Text(Text::new("[content of a kind that is not known here]")),
    }
}

/// What a tool of ours said, as blocks.
pub(crate) fn block(content: Content) -> ContentBlock {
    match content {
        Content::Text(text) => ContentBlock::text(text.text),
        Content::Media(media) => media_block(media),
        Content::Custom(custom) => ContentBlock::text(custom.value.as_str()),
        _ => ContentBlock::text("[content of a kind that MCP does not know]"),
    }
}

fn media_block(media: Media) -> ContentBlock {
    let name = media.name.unwrap_or_else(|| "file".into());
    match media.source {
        Source::Bytes(data) if media.mime.starts_with("image/") => {
            ContentBlock::image(data.to_base64(), media.mime)
        }
        Source::Bytes(data) if media.mime.starts_with("audio/") => {
            ContentBlock::audio(data.to_base64(), media.mime)
        }
        Source::Bytes(data) => ContentBlock::resource(
            ResourceContents::blob(data.to_base64(), format!("file:///{name}")).with_mime_type(media.mime),
        ),
        Source::Url(url) => ContentBlock::ResourceLink(Resource::new(url, name).with_mime_type(media.mime)),
        Source::File(id) => ContentBlock::text(format!("[the file {id} of a provider]")),
        _ => ContentBlock::text("[media of a kind that MCP does not know]"),
    }
}

/// The arguments of a call; none at all are an empty object.
pub(crate) fn arguments(input: &Json) -> Result<serde_json::Map<String, Value>, String> {
    if input.is_blank() {
        return Ok(serde_json::Map::new());
    }
    input.parse().map_err(|error| format!("the arguments are no JSON object: {error}"))
}

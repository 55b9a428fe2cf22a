//! Sources: what the model recites (`citationMetadata`) and what it was grounded in (`groundingMetadata`).
//!
//! What an answer was grounded in also stays as it came, among the last words, since it has to be shown as a whole.

use interlingua_model::{Citation, Json, Span};
use serde_json::value::RawValue;

use super::PROTOCOL;
use crate::Object;
use crate::tree::{Tree, array};

/// The kind of a citation of a text that the model recites.
pub(super) const RECITED: &str = "citation";
/// The kind of a citation of what a tool of the provider has found.
pub(super) const GROUNDED: &str = "grounding";

/// The citations of a `citationMetadata` object.
pub(super) fn recited(raw: &RawValue) -> Vec<Citation> {
    let Ok(metadata) = Object::parse(raw.get()) else { return Vec::new() };
    let found = ["citations", "citationSources"].iter().find_map(|name| metadata.peek(name));
    let list: Vec<Object<'_>> = found.unwrap_or_default();
    list.into_iter().map(citation).collect()
}

fn citation(mut fields: Object<'_>) -> Citation {
    let mut citation = Citation::new(RECITED);
    citation.span = span(&mut fields);
    citation.url = words(&mut fields, "uri");
    citation.title = words(&mut fields, "title");
    fields.rest_into(&mut citation.extra, PROTOCOL);
    citation
}

fn words(fields: &mut Object<'_>, name: &str) -> Option<String> {
    let text = fields.peek(name)?;
    fields.take_raw(name);
    Some(text)
}

/// A range; one that begins at the beginning has no start on the wire.
fn span(fields: &mut Object<'_>) -> Option<Span> {
    let end: u64 = fields.peek("endIndex")?;
    let start: u64 = fields.peek("startIndex").unwrap_or(0);
    fields.take_raw("startIndex");
    fields.take_raw("endIndex");
    Some(Span { start, end })
}

/// The citations of a `groundingMetadata` object, for a text whose bytes its ranges count.
pub(super) fn grounded(metadata: &Json, text: &str) -> Vec<Citation> {
    let Ok(metadata) = Object::parse(metadata.as_str()) else { return Vec::new() };
    let chunks: Vec<Object<'_>> = metadata.peek("groundingChunks").unwrap_or_default();
    let supports: Vec<Object<'_>> = metadata.peek("groundingSupports").unwrap_or_default();
    let mut found = Vec::new();
    for support in supports {
        let indices: Vec<usize> = support.peek("groundingChunkIndices").unwrap_or_default();
        let segment: Option<Object<'_>> = support.peek("segment");
        let bytes = segment.and_then(|mut segment| span(&mut segment));
        for chunk in indices.into_iter().filter_map(|index| chunks.get(index)) {
            let mut citation = source(chunk);
            citation.span = bytes.map(|bytes| characters(bytes, text));
            found.push(citation);
        }
    }
    found
}

fn source(chunk: &Object<'_>) -> Citation {
    let mut citation = Citation::new(GROUNDED);
    let kinds = ["web", "retrievedContext", "maps", "image"];
    if let Some(source) = kinds.iter().find_map(|kind| chunk.peek::<Object<'_>>(kind)) {
        citation.url = ["uri", "sourceUri"].iter().find_map(|name| source.peek(name));
        citation.title = source.peek("title");
        citation.file = source.peek("documentName");
        citation.quote = source.peek("text");
    }
    citation
}

/// A range of bytes as one of characters. One that does not fit the text stays as it is.
fn characters(bytes: Span, text: &str) -> Span {
    let count = |at: u64| {
        let at = usize::try_from(at).ok()?;
        u64::try_from(text.get(..at)?.chars().count()).ok()
    };
    match (count(bytes.start), count(bytes.end)) {
        (Some(start), Some(end)) => Span { start, end },
        _ => bytes,
    }
}

/// A range of characters as one of bytes.
#[cfg(feature = "server")]
pub(super) fn bytes(characters: Span, text: &str) -> Span {
    let place = |at: u64| {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let byte = text.char_indices().map(|(byte, _)| byte).chain([text.len()]).nth(at);
        u64::try_from(byte.unwrap_or(text.len())).unwrap_or(u64::MAX)
    };
    Span { start: place(characters.start), end: place(characters.end) }
}

/// A `citationMetadata` object of the citations that are recited.
#[cfg(feature = "server")]
pub(super) fn write_recited<'c>(citations: impl IntoIterator<Item = &'c Citation>) -> Option<Json> {
    let recited = citations.into_iter().filter(|citation| citation.kind == RECITED);
    let list: Vec<Json> = recited
        .map(|citation| {
            let tree = with_span(Tree::default(), citation.span);
            let tree = tree.maybe("uri", citation.url.as_deref()).maybe("title", citation.title.as_deref());
            tree.extra(PROTOCOL, &citation.extra).json()
        })
        .collect();
    (!list.is_empty()).then(|| Tree::of("citations", array(&list)).json())
}

#[cfg(feature = "server")]
fn with_span(tree: Tree, span: Option<Span>) -> Tree {
    match span {
        Some(span) => tree.plain("startIndex", span.start).plain("endIndex", span.end),
        None => tree,
    }
}

/// Whether a citation is one of another protocol, which goes out as what the answer was grounded in.
#[cfg(feature = "server")]
pub(super) fn is_foreign(citation: &Citation) -> bool {
    citation.kind != RECITED
        && citation.kind != GROUNDED
        && (citation.url.is_some() || citation.title.is_some())
}

/// A `groundingMetadata` object of citations of other protocols, whose ranges count bytes.
#[cfg(feature = "server")]
pub(super) fn write_grounded(citations: &[Citation]) -> Option<Json> {
    let (mut chunks, mut supports): (Vec<Json>, Vec<Json>) = (Vec::new(), Vec::new());
    for citation in citations {
        let web =
            Tree::default().maybe("uri", citation.url.as_deref()).maybe("title", citation.title.as_deref());
        let chunk = Tree::of("web", web.json()).json();
        let index = chunks.iter().position(|known| *known == chunk).unwrap_or_else(|| {
            chunks.push(chunk);
            chunks.len() - 1
        });
        if citation.span.is_some() {
            let segment = with_span(Tree::default(), citation.span).json();
            let support = Tree::of("segment", segment)
                .set("groundingChunkIndices", array(&[Json::from_text(index.to_string())]));
            supports.push(support.json());
        }
    }
    let tree = Tree::of("groundingChunks", array(&chunks)).set("groundingSupports", array(&supports));
    (!chunks.is_empty()).then(|| tree.json())
}

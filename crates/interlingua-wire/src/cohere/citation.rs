//! Citations, both ways. A citation names a stretch of one content block and the sources of it, which stay verbatim in
//! `extra`; the first of them is told in neutral terms as well.

use interlingua_model::{Citation, Json, Span};
use serde_json::value::RawValue;

use super::PROTOCOL;
use crate::Object;
use crate::draft::{Draft, array};

/// The kind of a citation of text, which is nearly all.
pub(super) const OF_TEXT: &str = "TEXT_CONTENT";
/// The field that says which content block is cited.
pub(super) const CONTENT_INDEX: &str = "content_index";
const SOURCES: &str = "sources";

/// What a citation belongs to, as far as it says so.
pub(super) fn target(raw: &RawValue) -> (Option<u64>, bool) {
    let fields = Object::parse(raw.get()).unwrap_or_default();
    let kind: Option<String> = fields.peek("type");
    (fields.peek(CONTENT_INDEX), kind.is_none_or(|kind| kind == OF_TEXT))
}

/// A citation of a text; `None` when it is no object.
pub(super) fn read(raw: &RawValue) -> Option<Citation> {
    let mut fields = Object::parse(raw.get()).ok()?;
    let kind: Option<String> = fields.take("type").ok()?;
    let mut citation = Citation::new(kind.unwrap_or_else(|| OF_TEXT.to_owned()));
    if let (Some(start), Some(end)) = (fields.peek("start"), fields.peek("end")) {
        citation.span = Some(Span { start, end });
        fields.take_raw("start");
        fields.take_raw("end");
    }
    fields.take_raw(CONTENT_INDEX);
    let sources: Vec<Object<'_>> = fields.peek(SOURCES).unwrap_or_default();
    if let Some(source) = sources.first() {
        name(&mut citation, source);
    }
    fields.rest_into(&mut citation.extra, PROTOCOL);
    Some(citation)
}

/// What a source says in terms that everyone has.
fn name(citation: &mut Citation, source: &Object<'_>) {
    let is_document = source.peek::<String>("type").is_some_and(|kind| kind == "document");
    let about: Object<'_> =
        source.peek(if is_document { "document" } else { "tool_output" }).unwrap_or_default();
    citation.title = about.peek("title");
    citation.url = about.peek("url");
    if is_document {
        citation.file = source.peek("id");
        citation.quote = about.peek("snippet").or_else(|| about.peek("text"));
    }
}

/// A citation of the content block with this index; `cited` is the block's text, where it is at hand.
pub(super) fn write(citation: &Citation, index: usize, cited: &str) -> Json {
    let own = citation.extra.get(PROTOCOL, SOURCES).is_some();
    let kind = if own { &*citation.kind } else { OF_TEXT };
    let span = citation.span.unwrap_or(Span { start: 0, end: 0 });
    let mut written = Draft::default();
    if citation.span.is_some() || !own {
        written = written.figure("start", span.start).figure("end", span.end);
    }
    if !own {
        written = written.text("text", &stretch(cited, span)).set(SOURCES, array(&[source(citation)]));
    }
    let written = written.extra(&citation.extra, PROTOCOL);
    written.text("type", kind).figure(CONTENT_INDEX, index).json()
}

/// The source of a citation of another protocol.
fn source(citation: &Citation) -> Json {
    let id = [&citation.file, &citation.url, &citation.title].into_iter().flatten().next();
    let id = id.map_or("source", String::as_str);
    let document = Draft::default()
        .text("id", id)
        .maybe("title", citation.title.as_deref())
        .maybe("url", citation.url.as_deref())
        .maybe("snippet", citation.quote.as_deref());
    Draft::of("document").text("id", id).set("document", document.json()).json()
}

fn stretch(text: &str, span: Span) -> String {
    let start = usize::try_from(span.start).unwrap_or(usize::MAX);
    let length = usize::try_from(span.end.saturating_sub(span.start)).unwrap_or(usize::MAX);
    text.chars().skip(start).take(length).collect()
}

//! Citations: what a text of the model rests on.

use interlingua_model::{Citation, Json, Place, Span};
use serde_json::value::RawValue;

use super::PROTOCOL;
use super::node::{Node, array};
use crate::Object;

/// The word for a citation that tells no place.
const PLACELESS: &str = "citation";

/// The kinds of places, and the field that tells in which document.
const PLACES: [(&str, &str); 4] = [
    ("documentChar", "documentIndex"),
    ("documentPage", "documentIndex"),
    ("documentChunk", "documentIndex"),
    ("searchResultLocation", "searchResultIndex"),
];

/// Whether a citation is one of this protocol.
pub(super) fn is_own(citation: &Citation) -> bool {
    matches!(&*citation.kind, "web" | PLACELESS)
        || PLACES.iter().any(|(kind, _)| *kind == citation.kind)
        || citation.extra.get(PROTOCOL, "location").is_some()
}

/// Reads a citation of a text.
pub(super) fn read(raw: &RawValue) -> Option<Citation> {
    let mut fields = Object::parse(raw.get()).ok()?;
    let mut citation = Citation::new(PLACELESS);
    citation.title = fields.take("title").ok()?;
    let sources = fields.take_raw("sourceContent");
    if let Some(location) = fields.take_raw("location") {
        read_location(location, &mut citation);
    }
    fields.rest_into(&mut citation.extra, PROTOCOL);
    if let Some(sources) = sources {
        citation.quote = read_quote(sources);
        // What the quote cannot hold is kept as it came.
        if citation.quote.as_deref().map(write_quote).is_none_or(|quote| !is_same(&quote, sources)) {
            citation.extra.set(PROTOCOL, "sourceContent", Json::from(sources));
        }
    }
    Some(citation)
}

fn is_same(written: &Json, raw: &RawValue) -> bool {
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    value(written.as_str()) == value(raw.get())
}

fn read_quote(sources: &RawValue) -> Option<String> {
    let sources: Vec<Object<'_>> = serde_json::from_str(sources.get()).ok()?;
    let texts: Option<Vec<String>> = sources.iter().map(|source| source.peek("text")).collect();
    texts.filter(|texts| !texts.is_empty()).map(|texts| texts.concat())
}

fn write_quote(quote: &str) -> Json {
    array(&[Node::default().text("text", quote).json()])
}

/// A location is an object of one kind.
fn read_location(raw: &RawValue, citation: &mut Citation) {
    let location = Object::parse(raw.get()).unwrap_or_default();
    let first = location.iter().next().map(|(kind, inner)| (kind.to_owned(), inner));
    if let Some((kind, inner)) = first {
        let parsed = Object::parse(inner.get()).ok();
        let understood = parsed.is_some_and(|mut inner| read_place(&kind, &mut inner, citation));
        citation.kind = kind;
        if understood && location.iter().count() == 1 {
            return;
        }
    }
    citation.extra.set(PROTOCOL, "location", Json::from(raw));
}

fn read_place(kind: &str, inner: &mut Object<'_>, citation: &mut Citation) -> bool {
    if kind == "web" {
        citation.url = inner.take("url").ok().flatten();
        if let Some(domain) = inner.take_raw("domain") {
            citation.extra.set(PROTOCOL, "domain", Json::from(domain));
        }
        return inner.is_empty();
    }
    let Some((_, index)) = PLACES.iter().find(|(known, _)| *known == kind) else { return false };
    let (Some(document), Some(start), Some(end)) =
        (inner.peek(index), inner.peek("start"), inner.peek("end"))
    else {
        return false;
    };
    let span = Span { start, end };
    citation.place = Some(match kind {
        "documentChar" => Place::Characters { document, span },
        "documentPage" => Place::Pages { document, span },
        "documentChunk" => Place::Blocks { document, span },
        _ => Place::SearchResult { result: document, span },
    });
    for name in [index, "start", "end"] {
        inner.take_raw(name);
    }
    inner.is_empty()
}

/// A citation as it stands in a list.
pub(super) fn write(citation: &Citation) -> Json {
    let mut node = Node::default().maybe("title", citation.title.as_deref());
    if let Some(quote) = &citation.quote {
        node = node.set("sourceContent", write_quote(quote));
    }
    if let Some(location) = write_location(citation) {
        node = node.set("location", location);
    }
    for (name, value) in citation.extra.fields(PROTOCOL).into_iter().flat_map(interlingua_model::Fields::iter)
    {
        if name != "domain" {
            node.put(name, value.clone());
        }
    }
    node.json()
}

fn write_location(citation: &Citation) -> Option<Json> {
    if citation.kind == "web" {
        let mut web = Node::default().maybe("url", citation.url.as_deref());
        if let Some(domain) = citation.extra.get(PROTOCOL, "domain") {
            web.put("domain", domain.clone());
        }
        return Some(Node::of("web", web.json()).json());
    }
    let (kind, index) = PLACES.iter().find(|(kind, _)| *kind == citation.kind)?;
    let Some(
        Place::Characters { document, span }
        | Place::Pages { document, span }
        | Place::Blocks { document, span }
        | Place::SearchResult { result: document, span },
    ) = &citation.place
    else {
        return None;
    };
    let place = Node::default().number(index, *document).number("start", span.start).number("end", span.end);
    Some(Node::of(kind, place.json()).json())
}

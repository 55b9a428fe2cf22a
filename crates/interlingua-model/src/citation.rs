use serde::{Deserialize, Serialize};

use crate::Extra;

/// A source that the model names for a stretch of its text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Citation {
    /// The provider's word for this kind of citation, such as `url_citation` or `page_location`.
    pub kind: String,
    /// Title of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Address of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The provider's id of the cited file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The cited words, as they stand in the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// The stretch of the answer that the citation supports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The place in the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What only one protocol says of it, such as an encrypted index that must go back unchanged.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// A half-open range, in characters of the text part it belongs to unless the protocol counts otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a range has two ends")]
pub struct Span {
    /// First position.
    pub start: u64,
    /// Position after the last.
    pub end: u64,
}

/// A place in a cited source; ends are exclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Place {
    /// Characters of the document with this index in the request.
    Characters {
        /// Index of the document among the request's documents.
        document: u64,
        /// The range.
        span: Span,
    },
    /// Pages, counted from 1.
    Pages {
        /// Index of the document among the request's documents.
        document: u64,
        /// The range.
        span: Span,
    },
    /// Content blocks of a document.
    Blocks {
        /// Index of the document among the request's documents.
        document: u64,
        /// The range.
        span: Span,
    },
    /// Content blocks of a search result.
    SearchResult {
        /// Index of the search result among the request's search results.
        result: u64,
        /// The range.
        span: Span,
    },
}

impl Citation {
    /// An empty citation of a kind.
    pub fn new(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), ..Self::default() }
    }
}

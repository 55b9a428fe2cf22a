use std::sync::Arc;

use futures_util::stream;
use interlingua_model::{Delta, Event, Origin, Warning};
use serde::{Deserialize, Serialize};

use crate::{Events, Meta};

/// The version of the form in which answers are written.
pub(crate) const VERSION: u32 = 1;

/// An answer that is kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) interlingua: u32,
    /// When it was kept, in seconds since 1970.
    #[serde(default)]
    pub(crate) kept: u64,
    origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
    events: Vec<Event>,
}

impl Entry {
    pub(crate) fn new(origin: Origin, meta: &Meta, events: Vec<Event>) -> Self {
        let (request_id, warnings) = (meta.request_id.clone(), meta.warnings.clone());
        Self { interlingua: VERSION, kept: 0, origin, request_id, warnings, events }
    }

    /// The answer, once more.
    pub(crate) fn replay(self: Arc<Self>) -> Events {
        let mut meta = Meta::default();
        (meta.request_id, meta.warnings) = (self.request_id.clone(), self.warnings.clone());
        let origin = self.origin.clone();
        let events = stream::unfold((self, 0), |(entry, at)| async move {
            let event = entry.events.get(at)?.clone();
            Some((Ok(event), (entry, at + 1)))
        });
        Events::from_stream(origin, meta, Box::pin(events))
    }
}

/// About how many bytes an event takes in memory.
pub(crate) fn weight(event: &Event) -> u64 {
    let inside = match event {
        Event::Delta { delta, .. } => match delta {
            Delta::Text(piece) | Delta::Input(piece) => piece.len(),
            Delta::Data(data) => data.as_bytes().len(),
            // Signatures, sources and what only one protocol knows.
            other => written(other),
        },
        Event::Close { .. } => 0,
        other => written(other),
    };
    u64::try_from(size_of::<Event>() + inside).unwrap_or(u64::MAX)
}

/// How long it is when it is written down.
fn written(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |bytes| bytes.len())
}

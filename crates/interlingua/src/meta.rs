use std::time::Duration;

use http::HeaderMap;
use interlingua_model::{Response, Warning};
use interlingua_wire::RateLimits;

use crate::RetryNote;
use crate::layer::Notice;

/// What is known of a call besides the answer itself.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Meta {
    /// The HTTP status; `None` for a model in the process.
    pub status: Option<u16>,
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The provider's id of the call.
    pub request_id: Option<String>,
    /// The rate limits that the headers tell of, and how much of them is left.
    pub rate_limits: RateLimits,
    /// How long things took.
    pub timings: Timings,
    /// The retries that were made, in order.
    pub retries: Vec<RetryNote>,
    /// What of the request could not be expressed.
    pub warnings: Vec<Warning>,
    /// What the layers did, in order; some is told when the answer ends.
    pub notices: Vec<Notice>,
}

impl Meta {
    /// Whether the answer came out of a [`Cache`](crate::layer::Cache), so that nobody was asked or paid.
    pub fn is_cached(&self) -> bool {
        self.notices.iter().any(|notice| matches!(notice, Notice::CacheHit { .. }))
    }
}

/// How long things took, since the call was begun; retries and their pauses are included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// Until the head of the answer was there.
    pub first_byte: Option<Duration>,
    /// Until the first piece of content was there.
    pub first_token: Option<Duration>,
    /// Until the end of the answer.
    pub total: Option<Duration>,
}

/// A whole answer and what is known of the call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The answer.
    pub response: Response,
    /// What is known of the call.
    pub meta: Meta,
}

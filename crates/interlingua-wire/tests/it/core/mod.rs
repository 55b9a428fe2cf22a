//! What all protocols share.

mod aws;
mod count;
mod decoder;
mod fit;
mod limits;
mod markup;
mod mend;
pub(crate) mod messages;
mod ndjson;
mod replay;
mod schema;
mod schema_check;
mod sse;
mod strict;

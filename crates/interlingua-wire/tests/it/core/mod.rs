//! What all protocols share.

mod aws;
mod decoder;
mod fit;
mod limits;
mod ndjson;
mod replay;
mod schema;
mod sse;
mod strict;

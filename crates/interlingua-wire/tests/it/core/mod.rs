//! What all protocols share.

mod limits;
mod replay;
mod schema;
mod sse;

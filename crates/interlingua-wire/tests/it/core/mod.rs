//! What all protocols share.

mod decoder;
mod limits;
mod replay;
mod schema;
mod sse;

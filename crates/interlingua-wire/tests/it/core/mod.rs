//! What all protocols share.

mod decoder;
mod fit;
mod limits;
mod replay;
mod schema;
mod sse;
mod strict;

//! What all protocols share.

mod limits;
mod schema;

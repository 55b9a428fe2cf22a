//! What all protocols share.

mod schema;

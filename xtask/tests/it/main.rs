//! What must hold for the workspace as a whole and no lint can see.

mod dependencies;
mod metadata;
mod tidy;

//! What must hold for the workspace as a whole and no lint can see.

#![cfg(test)]

mod api;
mod dependencies;
mod metadata;
mod sdk;
mod tidy;

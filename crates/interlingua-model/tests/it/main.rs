//! What the neutral model promises, tried from outside.

#![cfg(test)]

mod any;
mod fold;
mod partial_json;
mod pins;
mod shape;

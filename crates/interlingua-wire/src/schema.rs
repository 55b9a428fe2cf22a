//! JSON Schema to the dialect of a protocol, reporting what was lost.

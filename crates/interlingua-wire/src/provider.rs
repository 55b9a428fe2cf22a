//! A provider as data.

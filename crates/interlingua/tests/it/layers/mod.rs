//! What stands between a client and its models.

mod core;
mod fallback;
mod key_pool;
mod stand;

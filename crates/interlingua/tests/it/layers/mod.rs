//! What stands between a client and its models.

mod circuit_breaker;
mod concurrency;
mod core;
mod fallback;
mod key_pool;
mod rate_limit;
mod stand;

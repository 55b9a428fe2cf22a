//! What stands between a client and its models.

mod budget;
mod cache;
mod circuit_breaker;
mod concurrency;
mod core;
mod fallback;
mod hedge;
mod key_pool;
mod loopback;
mod rate_limit;
mod stand;

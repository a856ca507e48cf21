//! What the fuzz targets share: the questions they ask and the ways they change their inputs.
//!
//! A target fails by panicking (libFuzzer's hook turns that into an abort, overflow checks and
//! debug assertions are on), by taking too long over one input, or by taking too much memory;
//! the last two are libFuzzer's `-timeout` and `-rss_limit_mb`.

pub mod ask;
pub mod change;
pub mod index;
pub mod pack;

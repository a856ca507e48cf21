//! The cache folder as the shelf on which answers about images are kept.

use kwhy_diagnose::writers::VERSION;
use kwhy_fetch::cache::{Cache, Shelved};
use std::time::UNIX_EPOCH;

/// The cache that the environment names; without one, nothing outlives the process.
pub fn shelf() -> Shelved {
    Shelved::new(Cache::from_environment(), version())
}

/// Another build of the command may know better: its answers are its own.
fn version() -> u32 {
    let mut text = format!("{} {VERSION}", env!("CARGO_PKG_VERSION"));
    if let Ok(about) = std::env::current_exe().and_then(std::fs::metadata) {
        let changed = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        text.push_str(&format!(" {} {}", about.len(), changed.map_or(0, |time| time.as_nanos())));
    }
    // FNV-1a, 32 bits.
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

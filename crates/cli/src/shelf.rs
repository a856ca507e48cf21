//! The cache folder as the shelf on which answers about images are kept.

use kwhy_diagnose::writers::{Shelf, VERSION};
use kwhy_fetch::cache::{Cache, Kind};
use std::time::UNIX_EPOCH;

/// The cache, where there is a folder for one.
pub struct Disk {
    cache: Option<Cache>,
    version: u32,
}

impl Disk {
    /// The cache that the environment names.
    pub fn new() -> Disk {
        Disk { cache: Cache::from_environment(), version: version() }
    }
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

impl Shelf for Disk {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.cache.as_ref()?.get(Kind::Index, key, self.version).map(|blob| blob.to_vec())
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        // A cache that cannot be written makes the next run slower, and that is all.
        if let Some(cache) = &self.cache {
            let _ = cache.put(Kind::Index, key, self.version, bytes);
        }
    }
}

//! The cache: what was learned or fetched and may be wanted again.
//!
//! # What is kept
//!
//! One folder per [`Kind`] below the cache's root, and in it one entry per key, which for an
//! image is its build-id. An entry of small bytes ([`Cache::put`]) is a file with a header; what
//! was learned about an image is a folder of such files ([`Shelved`]); an image is a file as it is,
//! so that every other tool can read it as well.
//!
//! # Why it may be trusted
//!
//! - An entry appears whole or not at all: it is written under another name, flushed to the disk
//!   and renamed. Of two processes that write the same entry, the later one wins, and both wrote
//!   the same.
//! - An entry is checked when it is read: length, checksum, key and the version of whoever wrote
//!   it. One that does not fit is removed and counts as absent. An image is known by its own
//!   build-id, which [`crate::identify`] reads.
//! - A mapped entry that is removed or replaced meanwhile stays readable: files are never
//!   changed in place.
//! - Nothing depends on it: without a folder to write to, everything works and is learned anew.
//!
//! # What goes
//!
//! Using an entry sets its modification time (at most once a minute). When the entries together
//! exceed the limit, those unused for longest are removed, until nine tenths of it are left; images
//! that were fetched or used within the hour stay. What
//! a dead process left half written goes after a day.

mod blob;
mod evict;
mod image;
mod shelved;

pub use blob::Blob;
pub use image::{CachedImage, Incoming};
pub use shelved::Shelved;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Bytes that the cache may take unless `$KWHY_CACHE_SIZE` says otherwise: a handful of
/// distribution kernels with debug information.
pub const DEFAULT_LIMIT: u64 = 10 << 30;

/// A shorter time since the last use is not written down.
const USE_NOTED: Duration = Duration::from_secs(60);

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What was learned about an image, by its build-id and fingerprint.
    Index,
    /// An image, by its build-id.
    Image,
    /// An image of which a part was received.
    Partial,
    /// A distribution's packages, and the lists that they are found by.
    Packages,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Index, Kind::Image, Kind::Partial, Kind::Packages];

    /// The folder's name, and the word on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Index => "index",
            Kind::Image => "image",
            Kind::Partial => "partial",
            Kind::Packages => "packages",
        }
    }
}

/// One entry, as `kwhy cache list` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Its key, as the name of its file or folder.
    pub key: String,
    /// Where it is.
    pub path: PathBuf,
    /// Bytes of its files.
    pub size: u64,
    /// When it was used last; `None` where the file system does not say.
    pub used: Option<SystemTime>,
    /// What it holds: the files of an image, with their release.
    pub holds: Vec<String>,
}

/// The folder and its limit.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
    /// Bytes.
    limit: u64,
}

/// Where the environment says that the cache is: `$KWHY_CACHE_DIR`, else `kwhy` below
/// `$XDG_CACHE_HOME`, else below `~/.cache`. `variable` looks one up.
pub fn folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // The XDG specification: a relative path is to be ignored.
    let absolute = |name: &str| set(name).filter(|path| path.is_absolute());
    set("KWHY_CACHE_DIR")
        .or_else(|| absolute("XDG_CACHE_HOME").map(|base| base.join("kwhy")))
        .or_else(|| absolute("HOME").map(|home| home.join(".cache/kwhy")))
}

/// Bytes from a number with an optional `K`, `M`, `G` or `T` (powers of 1024).
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    let unit = unit.trim_start().to_ascii_uppercase();
    let shift = match unit.trim_end_matches("IB").trim_end_matches('B') {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

impl Cache {
    /// The cache in this folder, which need not exist yet.
    #[must_use]
    pub fn at(root: PathBuf, limit: u64) -> Cache {
        Cache { root, limit }
    }

    /// The cache that the environment names; `None` where it names no folder.
    #[must_use]
    pub fn from_environment() -> Option<Cache> {
        let limit = std::env::var("KWHY_CACHE_SIZE").ok().and_then(|text| parse_size(&text));
        Some(Cache::at(folder(|name| std::env::var_os(name))?, limit.unwrap_or(DEFAULT_LIMIT)))
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How many bytes it may take.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// The folder of one kind's entries, which need not exist.
    #[must_use]
    pub fn folder(&self, kind: Kind) -> PathBuf {
        self.root.join(kind.name())
    }

    /// Where an entry is or would be; `None` for a key that can be no file name.
    #[must_use]
    pub fn path(&self, kind: Kind, key: &str) -> Option<PathBuf> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-+~:=,@".contains(c);
        let fits = !key.is_empty() && key.len() <= 200 && !key.starts_with('.') && key.chars().all(plain);
        fits.then(|| self.folder(kind).join(key))
    }

    /// The bytes kept under a key by the same `version` of their writer, mapped and checked.
    #[must_use]
    pub fn get(&self, kind: Kind, key: &str, version: u32) -> Option<Blob> {
        let path = self.path(kind, key)?;
        match Blob::open(&path, key, version)? {
            Ok(blob) => {
                touch(&path);
                Some(blob)
            }
            Err(_damaged) => {
                // Another process may just have replaced it by a good one, which is then
                // written once more: no harm.
                let _ = fs::remove_file(&path);
                None
            }
        }
    }

    /// Keeps bytes under a key. `version` is raised by their writer whenever what they mean
    /// changes. Then the cache is brought below its limit.
    ///
    /// # Errors
    /// What writing says; callers that only wanted to be quicker next time ignore it.
    pub fn put(&self, kind: Kind, key: &str, version: u32, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(kind, key).ok_or(io::ErrorKind::InvalidInput)?;
        let header = blob::header(key, version, bytes);
        self.prepare(kind)?;
        write_atomically(&path, &[&header, bytes])?;
        self.shrink(&path);
        Ok(())
    }

    /// Makes a kind's folder.
    pub(crate) fn prepare(&self, kind: Kind) -> io::Result<PathBuf> {
        let folder = self.folder(kind);
        if !folder.is_dir() {
            fs::create_dir_all(&folder)?;
            // Backups leave out what carries this mark (bford.info/cachedir).
            let tag = self.root.join("CACHEDIR.TAG");
            if !tag.exists() {
                fs::write(tag, "Signature: 8a477f597d28d172789f06886806bc55\n# kwhy's cache\n")?;
            }
        }
        Ok(folder)
    }
}

/// A name for a file that is still being written, in the folder where it will stay.
fn temporary(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".tmp-{}-{count}", std::process::id()))
}

/// Writes a file that appears whole or not at all.
fn write_atomically(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let partial = temporary(path);
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(&partial)?;
        for part in parts {
            io::Write::write_all(&mut file, part)?;
        }
        // Without this a power cut could leave the name with nothing behind it.
        file.sync_data()?;
        fs::rename(&partial, path)
    };
    write().inspect_err(|_| drop(fs::remove_file(&partial)))
}

/// Notes that a file was used.
fn touch(path: &Path) {
    let Ok(before) = fs::metadata(path).and_then(|about| about.modified()) else { return };
    let now = SystemTime::now();
    if now.duration_since(before).is_ok_and(|age| age < USE_NOTED) {
        return;
    }
    // Only the owner may; a cache that is shared read-only keeps the times of its writing.
    if let Ok(file) = fs::File::open(path) {
        let _ = file.set_modified(now);
    }
}

#[cfg(test)]
mod tests;

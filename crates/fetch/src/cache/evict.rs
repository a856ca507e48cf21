//! What the cache holds, and what has to go.

use super::image::names;
use super::{Cache, Entry, Kind};
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A half-written file of a process that ended is kept so long: a download may be resumed.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// What was fetched or used a moment ago is about to be used: a vmlinux must not make room for the
/// module that was fetched with it.
const IN_USE: Duration = Duration::from_secs(3600);

/// Folders below an entry: build-id, release.
const DEEPEST: usize = 6;

impl Cache {
    /// Every entry, by kind and key.
    #[must_use]
    pub fn list(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for kind in Kind::ALL {
            for path in names(&self.folder(kind)) {
                let Some(key) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
                    continue;
                };
                let mut entry =
                    Entry { kind, key, path: path.clone(), size: 0, used: None, holds: Vec::new() };
                measure(&path, &path, &mut entry, 0);
                entries.push(entry);
            }
        }
        entries
    }

    /// Removes the entries that `wanted` says, and what was left half written if `all`.
    ///
    /// # Errors
    /// The first failure; the rest is removed all the same.
    pub fn remove(&self, wanted: impl Fn(&Entry) -> bool) -> io::Result<Vec<Entry>> {
        let mut removed = Vec::new();
        let mut failed = None;
        for entry in self.list().into_iter().filter(wanted) {
            match remove(&entry.path) {
                Ok(()) => removed.push(entry),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        for kind in Kind::ALL {
            sweep(&self.folder(kind));
        }
        failed.map_or(Ok(removed), Err)
    }

    /// Removes what was not used for longest until the limit is kept with a tenth to spare; what
    /// was just written, `newest`, stays however large it is, and so do images in use.
    pub(super) fn shrink(&self, newest: &Path) {
        let mut entries = self.list();
        let mut total: u64 = entries.iter().map(|entry| entry.size).fold(0, u64::saturating_add);
        if total <= self.limit {
            return;
        }
        entries.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
        let enough = self.limit.saturating_sub(self.limit / 10);
        for entry in entries {
            if total <= enough {
                break;
            }
            // What another process is receiving now is young and not in the way.
            if newest.starts_with(&entry.path)
                || entry.kind == Kind::Image && is_in_use(entry.used)
                || entry.kind == Kind::Partial && !is_abandoned(entry.used)
            {
                continue;
            }
            if remove(&entry.path).is_ok() {
                total = total.saturating_sub(entry.size);
            }
        }
        for kind in Kind::ALL {
            sweep(&self.folder(kind));
        }
    }
}

fn is_in_use(used: Option<SystemTime>) -> bool {
    used.and_then(|used| used.elapsed().ok()).is_some_and(|age| age < IN_USE)
}

fn is_abandoned(used: Option<SystemTime>) -> bool {
    used.and_then(|used| used.elapsed().ok()).is_some_and(|age| age > ABANDONED)
}

/// Adds up what lies at `path`.
fn measure(path: &Path, top: &Path, entry: &mut Entry, depth: usize) {
    let Ok(about) = fs::symlink_metadata(path) else { return };
    if about.is_dir() && depth < DEEPEST {
        for inner in names(path) {
            measure(&inner, top, entry, depth.saturating_add(1));
        }
        return;
    }
    entry.size = entry.size.saturating_add(about.len());
    entry.used = entry.used.max(about.modified().ok());
    if let Ok(below) = path.strip_prefix(top)
        && below.components().next().is_some()
        && entry.holds.len() < 100
    {
        entry.holds.push(below.to_string_lossy().into_owned());
    }
}

fn remove(path: &Path) -> io::Result<()> {
    let gone = |error: io::Error| match error.kind() {
        // Another process was quicker.
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    };
    if fs::symlink_metadata(path).is_ok_and(|about| about.is_dir()) {
        fs::remove_dir_all(path).or_else(gone)
    } else {
        fs::remove_file(path).or_else(gone)
    }
}

/// Removes what dead processes left half written.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let left = entry.file_name().as_encoded_bytes().starts_with(b".tmp-");
        if left && is_abandoned(entry.metadata().and_then(|about| about.modified()).ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

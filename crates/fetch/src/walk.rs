//! Walking a folder by names alone, within limits.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Deeper than any tree of kernels and modules.
const MAX_DEPTH: usize = 32;
/// Names looked at; a debug package of a full distribution kernel has some 5000.
const MAX_NAMES: usize = 1_000_000;
const MAX_UNREADABLE: usize = 5;

/// What a walk came upon.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Files whose name was wanted, or that lie under a `.build-id` folder.
    pub files: Vec<PathBuf>,
    /// How many names were looked at.
    pub names: usize,
    pub cut_short: bool,
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Walks a folder, nearest files first. Links to folders are not followed: build trees are full
/// of them, and they lead in circles.
pub(crate) fn walk(root: &Path, is_wanted: impl Fn(&str) -> bool) -> Walked {
    walk_within(root, is_wanted, MAX_NAMES)
}

pub(crate) fn walk_within(root: &Path, is_wanted: impl Fn(&str) -> bool, limit: usize) -> Walked {
    let mut walked = Walked::default();
    let mut open = VecDeque::from([(root.to_path_buf(), 0usize)]);
    while let Some((folder, depth)) = open.pop_front() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                if walked.unreadable.len() < MAX_UNREADABLE {
                    walked.unreadable.push((folder, error.to_string()));
                }
                continue;
            }
        };
        let build_ids = folder.parent().and_then(Path::file_name).is_some_and(|name| name == ".build-id");
        let mut folders = Vec::new();
        for entry in entries.flatten() {
            if walked.names >= limit {
                walked.cut_short = true;
                walked.files.sort();
                return walked;
            }
            walked.names += 1;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                // The kernel's own views of itself hold no images, and have no end.
                let view = folder == Path::new("/") && matches!(name.as_ref(), "proc" | "sys" | "dev");
                if depth < MAX_DEPTH && !view {
                    folders.push(entry.path());
                }
            } else if (is_wanted(&name) || build_ids && name.ends_with(".debug"))
                && (kind.is_file() || entry.path().is_file())
            {
                walked.files.push(entry.path());
            }
        }
        folders.sort();
        open.extend(folders.into_iter().map(|folder| (folder, depth + 1)));
    }
    walked.files.sort();
    walked
}

//! A folder given as input: the logs in it, found by name and content, in sorted order.
//!
//! Crash collectors make folders (kdump's and ABRT's, systemd-pstore's archive), and people put
//! what they have got into one. A crash collector's folder tells of one crash in several files;
//! one of them is read.

use crate::command_error::CommandError;
use crate::input::{self, Failure, LogText, read_from};
use kwhy_base::catalogue::input as say;
use kwhy_base::{Prose, prose};
use kwhy_oops::input::{Kind, SAMPLE, is_log, is_text, kind_of, problem, pstore};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

/// Folders in folders that are looked into.
const DEEPEST: usize = 3;
/// Entries that are looked at.
const MOST_ENTRIES: usize = 20_000;
/// Logs that are read.
const MOST_LOGS: usize = 64;

/// A part that pstore saved is not larger than the memory set aside for it.
const LARGEST_PART: u64 = 4 << 20;

/// Reads the logs in the folder at `path`.
pub fn read(path: &Path) -> Result<Vec<LogText>, CommandError> {
    let mut found = Found { entries: MOST_ENTRIES, ..Found::default() };
    found.walk(path, DEEPEST).map_err(|error| input::unreadable(path, &error))?;
    let name = path.to_string_lossy().into_owned();
    let mut logs = Vec::new();
    let mut remarks = Vec::new();
    for file in found.logs.iter().take(MOST_LOGS) {
        match one(file) {
            Ok(own) => logs.extend(own),
            // A file that cannot be read is told of; the others are.
            Err(error) => remarks.push(error.into_prose()),
        }
    }
    for (folder, parts) in &found.saved {
        match together(folder, parts) {
            Ok(own) => logs.extend(own),
            Err(error) => remarks.push(error.into_prose()),
        }
    }
    // Where some tell of crashes, those that do not have nothing to say.
    if logs.iter().any(|log| !log.log.crashes.is_empty()) {
        logs.retain(|log| !log.log.crashes.is_empty());
    } else {
        logs.truncate(1);
    }
    if found.skipped > 0 {
        remarks.push(prose!(say::FOLDER_SKIPPED, count = found.skipped, path = &name));
    }
    if found.logs.len() > MOST_LOGS {
        remarks.push(prose!(say::FOLDER_LIMIT, count = MOST_LOGS, path = &name));
    }
    remarks.extend(found.remarks);
    let Some(first) = logs.first_mut() else {
        let error = CommandError::unusable(prose!(say::FOLDER_EMPTY, path = &name));
        let error = remarks.into_iter().fold(error, CommandError::hint);
        return Err(error.hint(prose!(say::HINT_FOLDER, path = &name)));
    };
    first.oddities.extend(remarks);
    Ok(logs)
}

fn one(path: &Path) -> Result<Vec<LogText>, CommandError> {
    let name = path.to_string_lossy();
    read_from(input::open(path)?, &name).map_err(|error| match error {
        Failure::Broken(error) => input::unreadable(path, &error),
        Failure::Unusable(error) => error,
    })
}

/// What a folder holds.
#[derive(Default)]
struct Found {
    logs: Vec<PathBuf>,
    /// Folders with parts of a log that pstore saved.
    saved: Vec<(PathBuf, Vec<PathBuf>)>,
    /// Files that are no logs.
    skipped: usize,
    /// Entries that may still be looked at.
    entries: usize,
    remarks: Vec<Prose>,
}

impl Found {
    fn walk(&mut self, folder: &Path, depth: usize) -> std::io::Result<()> {
        let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
        let mut folders = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let Some(left) = self.entries.checked_sub(1) else { break };
            self.entries = left;
            let Ok(entry) = entry else { continue };
            // Links may lead in circles, and devices never end: only what a file is itself counts.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() || (kind.is_symlink() && entry.path().is_file()) {
                files.insert(entry.file_name().to_string_lossy().into_owned(), entry.path());
            }
        }
        self.take(folder, &files);
        folders.sort();
        let Some(deeper) = depth.checked_sub(1) else { return Ok(()) };
        for folder in folders {
            // One that may not be read is no reason to stop.
            let _ = self.walk(&folder, deeper);
        }
        Ok(())
    }

    /// Takes one folder's files.
    fn take(&mut self, folder: &Path, files: &BTreeMap<String, PathBuf>) {
        let names: Vec<String> = files.keys().cloned().collect();
        if let Some(ranked) = problem(&names) {
            let best =
                ranked.iter().filter_map(|name| Some((name, files.get(name)?))).find(|(_, p)| tells(p));
            if let Some((name, path)) = best {
                let folder = folder.to_string_lossy();
                self.remarks.push(prose!(say::FOLDER_PICKED, path = &*folder, name = name));
                self.logs.push(path.clone());
                return;
            }
        }
        let parts: Vec<PathBuf> =
            files.iter().filter(|(name, path)| is_saved(name, path)).map(|(_, path)| path.clone()).collect();
        for (name, path) in files {
            if parts.len() > 1 && parts.contains(path) {
                continue;
            }
            let wanted = match kind_of(name) {
                Kind::Other => false,
                Kind::Unknown => head(path).is_some_and(|head| is_log(&head)),
                // A long log may tell of its crash later than in its first bytes.
                Kind::Log => {
                    head(path).is_some_and(|head| is_log(&head) || head.len() == SAMPLE && is_text(&head))
                }
            };
            if wanted {
                self.logs.push(path.clone());
            } else {
                self.skipped = self.skipped.saturating_add(1);
            }
        }
        if parts.len() > 1 {
            self.saved.push((folder.to_owned(), parts));
        }
    }
}

/// Whether a file is a part of a log that pstore saved: `dmesg-ramoops-0`, `dmesg-efi-1234.enc.z`.
fn is_saved(name: &str, path: &Path) -> bool {
    name.starts_with("dmesg-") && head(path).is_some_and(|head| pstore::is_part(&head))
}

/// The parts in `paths` as one log, under their folder's name.
fn together(folder: &Path, paths: &[PathBuf]) -> Result<Vec<LogText>, CommandError> {
    let mut parts = Vec::new();
    for path in paths {
        let mut part = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LARGEST_PART).read_to_end(&mut part));
        read.map_err(|error| input::unreadable(path, &error))?;
        parts.push(part);
    }
    let Some(bytes) = pstore::together(parts.iter().map(Vec::as_slice)) else { return Ok(Vec::new()) };
    let name = folder.to_string_lossy();
    read_from(Box::new(Cursor::new(bytes)), &name).map_err(|error| match error {
        Failure::Broken(error) => input::unreadable(folder, &error),
        Failure::Unusable(error) => error,
    })
}

/// Whether the log at `path` tells of a crash.
fn tells(path: &Path) -> bool {
    one(path).is_ok_and(|logs| logs.iter().any(|log| !log.log.crashes.is_empty()))
}

fn head(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(SAMPLE as u64).read_to_end(&mut head).ok()?;
    Some(head)
}

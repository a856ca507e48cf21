//! tar archives: bug reports come as folders packed into one file.

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;

use super::folder::{self, Kind};
use super::unpack::drain;
use super::{Budget, Layer};

/// Entries looked at.
const MOST_ENTRIES: usize = 10_000;
/// Logs taken.
const MOST_LOGS: usize = 64;

/// `ustar` at offset 257 of the first header, as POSIX and GNU write it.
pub(super) fn sniff(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

pub(super) fn read(bytes: &[u8], budget: &mut Budget) -> Option<Vec<Layer>> {
    let mut archive = tar::Archive::new(bytes);
    let mut layers: Vec<Layer> = Vec::new();
    let mut skipped = 0usize;
    for entry in archive.entries().ok()?.take(MOST_ENTRIES) {
        // A damaged header ends the archive; what came before it is there.
        let Ok(entry) = entry else { break };
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if folder::kind_of(&name) == Kind::Other || layers.len() >= MOST_LOGS || budget.bytes == 0 {
            skipped = skipped.saturating_add(1);
            continue;
        }
        let (text, _) = drain(entry, budget.bytes);
        budget.bytes = budget.bytes.saturating_sub(text.len());
        if folder::is_log(&text) {
            layers.push(Layer { part: name, text, ..Layer::default() });
        } else {
            skipped = skipped.saturating_add(1);
        }
    }
    layers.sort_by(|a, b| a.part.cmp(&b.part));
    if let (Some(first), true) = (layers.first_mut(), skipped > 0) {
        first.remarks.push(prose!(say::MEMBERS_SKIPPED, count = skipped));
    }
    (!layers.is_empty()).then_some(layers)
}

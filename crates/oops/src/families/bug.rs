//! `kernel BUG at FILE:LINE!` and the state reports of memory management.

use super::stack::Source;
use super::{Named, View};
use crate::record::Family;

fn is_bug(view: &View<'_>) -> bool {
    view.header.to_ascii_lowercase().starts_with("kernel bug at")
}

/// `kernel BUG at lib/list_debug.c:53!`.
pub(super) fn list(view: &View<'_>) -> Option<Named> {
    (is_bug(view) && view.header.contains("lib/list_debug.c")).then(|| {
        let found = view.function(Source::Trace, None, &[]);
        view.named(Family::ListCorruption, "list-corruption", "BUG: corrupted list", found, &["bad-access"])
    })
}

/// `kernel BUG at mm/usercopy.c:99!`, and the WARNING of 4.16 and 4.17.
pub(super) fn usercopy(view: &View<'_>) -> Option<Named> {
    if !view.header.contains("mm/usercopy.c") {
        return None;
    }
    let title = if is_bug(view) {
        "BUG: bad usercopy"
    } else if view.header.starts_with("WARNING: ") {
        "WARNING: bad usercopy"
    } else {
        return None;
    };
    let found = view.function(Source::Trace, None, &["usercopy", "__check", "^check_"]);
    Some(view.named(Family::Usercopy, "usercopy", title, found, &[]))
}

/// Any other BUG().
pub(super) fn kernel_bug(view: &View<'_>) -> Option<Named> {
    if !is_bug(view) {
        return None;
    }
    let found = view.function(Source::PcThenTrace, None, &["^skb_", "^__skb_over", "^skb_panic"]);
    Some(view.named(Family::Bug, "kernel-bug", "kernel BUG", found, &[]))
}

/// Pages, caches, dentries found in an impossible state.
pub(super) fn memory_state(view: &View<'_>) -> Option<Named> {
    let text = view.header;
    if text.starts_with("BUG: Bad page state") {
        let at = view.lines.iter().position(|line| line.contains("page last allocated")).unwrap_or(0);
        let lines = view.lines.get(at..).unwrap_or_default();
        let skip = [
            "page",
            "folio",
            "alloc",
            "prep_new",
            "rmqueue",
            "stack_trace",
            "^set_page_owner",
            "^__set_page",
        ];
        let found = super::stack::function(lines, Source::Below, None, &skip);
        return Some(view.named(Family::Slab, "other", "BUG: Bad page state", found, &[]));
    }
    if text.starts_with("BUG: Bad rss-counter state") {
        return Some(view.plain(Family::Other, "other", "BUG: Bad rss-counter state"));
    }
    if text.starts_with("BUG: non-zero pgtables_bytes") {
        return Some(view.plain(Family::Other, "other", "BUG: non-zero pgtables_bytes on freeing mm"));
    }
    if text.starts_with("BUG: Dentry") && text.contains("still in use") {
        let mut named = view.plain(Family::Other, "vfs", "BUG: Dentry still in use in unmount");
        // Which file system it was tells reports apart.
        named.alt_titles.extend(
            text.rfind('[')
                .and_then(|at| text.get(at..))
                .map(|what| format!("BUG: Dentry still in use {what}")),
        );
        return Some(named);
    }
    if text.starts_with("BUG kmalloc-") || text.starts_with("BUG: ") && text.contains(": Object already free")
    {
        let what = text.split_once(": ").map_or(text, |(_, what)| what);
        if what.contains("Object already free") {
            let corrupted = !view.lines.iter().any(|line| super::stack::is_trace(line));
            let named = view.plain(Family::Slab, "slab", "BUG: Object already free");
            return Some(Named { corrupted, ..named });
        }
    }
    if text.starts_with("VFS: Busy inodes after unmount") {
        return Some(view.plain(Family::Other, "vfs", "VFS: Busy inodes after unmount (use-after-free)"));
    }
    if text.starts_with("VFS: Close: file count") {
        return Some(view.plain(Family::Other, "vfs", "VFS: Close: file count is zero (use-after-free)"));
    }
    if text.starts_with("unregister_netdevice: waiting for ") {
        return Some(view.plain(
            Family::Other,
            "netdev-refcount",
            "unregister_netdevice: waiting for DEV to become free",
        ));
    }
    None
}

//! `kernel BUG at FILE:LINE!` and the state reports of memory management.

use super::stack::{self, Plan, Step};
use super::{Named, View};
use crate::record::Family;
use crate::words::Words;

fn is_bug(view: &View<'_>) -> bool {
    view.header.to_ascii_lowercase().starts_with("kernel bug at ")
}

/// `kernel BUG at lib/list_debug.c:53!`.
pub(super) fn list(view: &View<'_>) -> Option<Named> {
    (is_bug(view) && view.header.contains("lib/list_debug.c")).then(|| {
        let found = view.function(stack::TRACE, &[]);
        view.named(Family::ListCorruption, "list-corruption", "BUG: corrupted list", found, &["bad-access"])
    })
}

/// `kernel BUG at mm/usercopy.c:99!`. The warning of 4.16 and 4.17 is among the WARNs.
pub(super) fn usercopy(view: &View<'_>) -> Option<Named> {
    (is_bug(view) && view.header.contains("mm/usercopy.c")).then(|| {
        let found = view.function(stack::TRACE, &["usercopy", "__check"]);
        view.named(Family::Usercopy, "usercopy", "BUG: bad usercopy", found, &[])
    })
}

/// Any other BUG(). MIPS and LoongArch have a trap of their own for it, and riscv prints a second
/// line.
pub(super) fn kernel_bug(view: &View<'_>) -> Option<Named> {
    let other_cpus =
        view.header.starts_with("Kernel bug detected") || view.header.starts_with("Kernel BUG [#");
    if !is_bug(view) && !other_cpus {
        return None;
    }
    // Packet buffers check their lengths on behalf of whoever changes them.
    let found = view.function(stack::PC_THEN_TRACE, &["^skb_"]);
    Some(view.named(Family::Bug, "kernel-bug", "kernel BUG", found, &[]))
}

/// Pages are freed and allocated by these on behalf of who is meant.
const PAGE_FRAMES: &[&str] = &[
    "free_page",
    "put_page",
    "get_page",
    "update_page",
    "release_page",
    "prep_new_page",
    "prep_compound_page",
    "rmqueue",
    "free_unref",
    "^folio",
    "^_folio",
    "^__folio",
    "truncate_inode_pages",
    "page_frag_free",
    "alloc",
    "vmap",
    "page_owner",
];

fn last_allocated(line: &str) -> Option<Vec<String>> {
    line.contains("page last allocated").then(Vec::new)
}

/// Pages, caches, dentries found in an impossible state.
pub(super) fn memory_state(view: &View<'_>) -> Option<Named> {
    let text = view.header.as_str();
    for what in ["state", "cache"] {
        if text.strip_prefix("BUG: Bad page ").is_some_and(|rest| rest.starts_with(what)) {
            // Where the page is found bad is chance; who allocated it is not.
            let steps = &[Step::Line(last_allocated), Step::Frames];
            let found = view.find(&Plan { steps, skip: PAGE_FRAMES, ..Plan::default() });
            return Some(view.named(Family::Slab, "other", &format!("BUG: Bad page {what}"), found, &[]));
        }
    }
    // The process, the page and the address differ from one instance to the next.
    for (begins, stackless) in [
        ("BUG: Bad page map", false),
        ("BUG: Bad rss-counter state", true),
        ("BUG: non-zero nr_ptes on freeing mm", true),
        ("BUG: non-zero nr_pmds on freeing mm", true),
    ] {
        if text.starts_with(begins) {
            return Some(Named { stackless, ..view.plain(Family::Other, "other", begins) });
        }
    }
    if text.starts_with("BUG: Dentry") && text.contains(" still in use") {
        return Some(dentry(view));
    }
    if text.starts_with("BUG ") && text.contains("ainted): ") {
        return Some(slub(view));
    }
    if text.starts_with("BUG kmalloc-") && text.contains(": Object already free") {
        return Some(view.plain(Family::Slab, "slab", "BUG: Object already free"));
    }
    for (begins, title) in [
        ("VFS: Busy inodes after unmount", "VFS: Busy inodes after unmount (use-after-free)"),
        ("VFS: Close: file count is 0", "VFS: Close: file count is zero (use-after-free)"),
    ] {
        if text.starts_with(begins) {
            return Some(view.plain(Family::Other, "vfs", title).stackless());
        }
    }
    if text.starts_with("unregister_netdevice: waiting for ") && text.contains(" to become free") {
        let title = "unregister_netdevice: waiting for DEV to become free";
        return Some(view.plain(Family::Other, "netdev-refcount", title).stackless());
    }
    None
}

/// `BUG: Dentry ffff…{i=1,n=x}  still in use (1) [unmount of ext4 loop0]`.
fn dentry(view: &View<'_>) -> Named {
    let whole = || {
        let (_, rest) = view.header.cut(" still in use (")?;
        let (count, rest) = rest.cut(") [")?;
        let (action, rest) = rest.cut(" of ")?;
        let (what, _) = rest.split_once(']')?;
        let counted = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
        (counted && action == "unmount").then_some((action, what))
    };
    match whole() {
        Some((action, what)) => {
            let mut named =
                view.plain(Family::Other, "vfs", &format!("BUG: Dentry still in use in {action}"));
            // Which file system it was tells reports apart.
            named.alt_titles.push(format!("BUG: Dentry still in use [{action} of {what}]"));
            named
        }
        None => view.plain(Family::Other, "vfs", &view.header).torn(),
    }
}

/// `BUG kmalloc-64 (Tainted: G B): Redzone overwritten` (mm/slub.c, slab_bug()).
fn slub(view: &View<'_>) -> Named {
    let (cache, what) = view.header.cut("ainted): ").unwrap_or((&view.header, ""));
    let cache = cache.trim_start_matches("BUG ").split(' ').next().unwrap_or_default();
    if what.starts_with("Object already free") && cache.starts_with("kmalloc-") {
        return view.plain(Family::Slab, "slab", "BUG: Object already free");
    }
    Named { unknown: true, ..view.plain(Family::Slab, "slab", &view.header) }
}

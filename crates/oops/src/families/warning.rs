//! `WARNING: … at FILE:LINE fn+0x…` of the WARN macros.

use super::stack::{self, Source};
use super::{Named, View};
use crate::record::Family;

/// Whether the header is a WARN's, and its text after `WARNING: `.
fn place<'a>(view: &View<'a>) -> Option<&'a str> {
    let rest = view.header.strip_prefix("WARNING: ")?;
    let warn = rest.starts_with("CPU: ")
        || rest.contains(" at ") && rest.contains(", CPU#")
        || rest.starts_with("at ");
    warn.then_some(rest)
}

/// Files whose warnings are about their callers: (part of the place, part of the function, title, skip list).
const SPECIAL: &[(&str, &str, &str, &[&str])] = &[
    ("lib/refcount.c:", "", "WARNING: refcount bug", &["refcount", "kobject", "kref"]),
    ("kernel/locking/lockdep.c:", "", "WARNING: locking bug", &["lock_sock", "release_sock"]),
    (
        "lib/debugobjects.c:",
        "",
        "WARNING: ODEBUG bug",
        &[
            "debug_", "rcu", "timer", "^work_", "percpu", "vunmap", "vfree", "kfree", "kobject", "__call_",
            "^slab", "^free", "cache",
        ],
    ),
    ("mm/vmalloc.c:", "__vmalloc_node", "WARNING: zero-size vmalloc", &["alloc"]),
    ("mm/", " kmalloc", "WARNING: kmalloc bug", &["alloc", "kmalloc", "^krealloc", "memdup", "slab"]),
    ("mm/", " kvmalloc", "WARNING: kmalloc bug", &["alloc", "memdup"]),
    ("mm/", " __kmalloc", "WARNING: kmalloc bug", &["alloc", "kmalloc", "^krealloc", "memdup", "slab"]),
    ("mm/util.c:", "vmalloc", "WARNING: kmalloc bug", &["alloc", "memdup"]),
    ("lib/kobject.c:", "kobject_", "WARNING: kobject bug", &["kobject_"]),
    ("fs/proc/generic.c:", "proc_register", "WARNING: proc registration bug", &["proc_"]),
];

/// Warnings that are about their callers.
pub(super) fn special(view: &View<'_>) -> Option<Named> {
    let rest = place(view)?;
    let (_, _, title, skip) =
        SPECIAL.iter().find(|(file, function, _, _)| rest.contains(file) && rest.contains(function))?;
    let found = view.function(Source::Warn, None, skip);
    let (family, kind) = match *title {
        "WARNING: refcount bug" => (Family::Refcount, "refcount"),
        "WARNING: locking bug" => (Family::Lockdep, "lockdep-other"),
        _ => (Family::Warning, "warning"),
    };
    Some(view.named(family, kind, title, found, &[]))
}

/// Any other.
pub(super) fn generic(view: &View<'_>) -> Option<Named> {
    if let Some(rest) = view.header.strip_prefix("WARNING: kernel stack ") {
        let what = if rest.starts_with("regs") { "regs" } else { "frame pointer" };
        let value = if rest.contains("bad 'bp' value") { "bad 'bp' value" } else { "bad value" };
        return Some(view.plain(
            Family::Other,
            "warning",
            &format!("WARNING: kernel stack {what} has {value}"),
        ));
    }
    let rest = place(view)?;
    let found = view.function(Source::Warn, None, &[]);
    let mut named = view.named(Family::Warning, "warning", "WARNING", found, &[]);
    if rest.contains("usb_submit_urb") {
        named.title.push_str("/usb_submit_urb");
    }
    if rest.contains("lib/list_debug.c") {
        named.family = Some(Family::ListCorruption);
    }
    if !view.lines.iter().any(|line| stack::is_trace(line)) && named.title.contains("corrupted") {
        named.corrupted = true;
    }
    Some(named)
}

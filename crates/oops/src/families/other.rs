//! Panics with nothing above them, leaks, Rust, and what is not the kernel's own.

use super::stack::{self, Found, Key, Plan, Step};
use super::{Named, View};
use crate::record::Family;
use crate::words::Words;

/// Memory is obtained by these on behalf of who leaks it.
const ALLOCATING: &[&str] = &[
    "kmemleak",
    "mmap",
    "kmem",
    "slab",
    "alloc",
    "create_object",
    "idr_get",
    "list_lru_init",
    "kasprintf",
    "kvasprintf",
    "pcpu_create",
    "strdup",
    "strndup",
    "memdup",
];

fn leak_stack(line: &str) -> Option<Vec<String>> {
    stack::leak_backtrace(line).then(Vec::new)
}

/// `BUG: memory leak`.
pub(super) fn leak(view: &View<'_>) -> Option<Named> {
    if !view.header.starts_with("BUG: memory leak") && !view.header.starts_with("unreferenced object") {
        return None;
    }
    let steps = &[Step::Line(leak_stack), Step::Frames];
    let found = view.find(&Plan { steps, skip: ALLOCATING, ..Plan::default() });
    Some(view.named(Family::Other, "leak", "memory leak", found, &[]))
}

/// Panics that follow a report: where they are all there is, the report is lost.
const CONSEQUENCES: &[&str] = &["Fatal exception", "panic_on_warn set", "hung_task: blocked tasks"];

/// Panics whose text ends in what differs from one instance to the next: the exit code, the device.
const VARYING: &[&str] = &["Attempted to kill init!", "Couldn't open N_TTY ldisc"];

/// `Kernel panic - not syncing: …` with nothing above it.
pub(super) fn panic(view: &View<'_>) -> Option<Named> {
    let text = view.after("Kernel panic - not syncing:")?.trim_start();
    if let Some(rest) = text.strip_prefix("stack-protector:") {
        return Some(stack_protector(view, rest));
    }
    if text.starts_with("corrupted stack end detected inside scheduler") {
        let skip = &["schedule", "retint_kernel"][..];
        let found = view.find(&Plan { steps: stack::TRACE, skip, key: Key::Stall, ..Plan::default() });
        let title = "kernel panic: corrupted stack end";
        return Some(view.named(Family::Stack, "stack-corruption", title, found, &["stack-overflow"]));
    }
    if let Some(lost) = CONSEQUENCES.iter().find(|words| text.starts_with(**words)) {
        let kind = if lost.starts_with("hung_task") { "hung-task" } else { "panic" };
        return Some(view.plain(Family::Panic, kind, &format!("kernel panic: {lost}")).torn());
    }
    let lower = text.to_ascii_lowercase();
    let (family, kind) =
        if lower.contains("out of memory") || lower.contains("system is deadlocked on memory") {
            (Family::Panic, "oom")
        } else if lower.contains("machine check") {
            (Family::Hardware, "machine-check")
        } else if lower.contains("hardware error") {
            (Family::Hardware, "panic")
        } else if text.contains("Hard LOCKUP") {
            (Family::HardLockup, "hard-lockup")
        } else if text.contains("softlockup: hung tasks") {
            (Family::SoftLockup, "soft-lockup")
        } else if text.contains("SError Interrupt") {
            (Family::Hardware, "arm-fault")
        } else {
            (Family::Panic, "panic")
        };
    let title = VARYING.iter().copied().find(|words| text.starts_with(*words)).unwrap_or(text);
    Some(view.plain(family, kind, &format!("kernel panic: {title}")))
}

/// `stack-protector: Kernel stack is corrupted in: fn+0x…` or, of old kernels, an address.
fn stack_protector(view: &View<'_>, rest: &str) -> Named {
    let title = "kernel panic: stack is corrupted";
    let Some((_, place)) = rest.cut("Kernel stack is corrupted in: ") else {
        return view.plain(Family::Stack, "stack-corruption", &view.header).torn();
    };
    if let Some(name) = View::symbol(place) {
        let named = view.named(Family::Stack, "stack-corruption", title, Found::whole(&name), &[]);
        return named.stackless();
    }
    let found = view.function(stack::TRACE, &["stack_chk"]);
    view.named(Family::Stack, "stack-corruption", title, found, &[])
}

/// `rust_kernel: panicked at FILE:LINE:COLUMN:` and the message on the next line.
pub(super) fn rust(view: &View<'_>) -> Option<Named> {
    if !view.whole.contains("rust_kernel: panicked at") {
        return None;
    }
    let Some(message) = view.lines.get(1).filter(|line| !line.is_empty()) else {
        return Some(view.plain(Family::Bug, "rust-panic", &view.header).torn());
    };
    let found =
        view.function(stack::TRACE, &["__rustc::rust_begin_unwind", "rust_begin_unwind", "rust_helper_BUG"]);
    Some(view.named(Family::Bug, "rust-panic", message, found, &[]))
}

/// What other programs write to the kernel's console.
pub(super) fn foreign(view: &View<'_>) -> Option<Named> {
    let text = view.header.as_str();
    if let Some(rest) = text.strip_prefix("trusty: panic") {
        return Some(trusty(view, rest));
    }
    if text.starts_with("SYZFAIL:") || text.starts_with("SYZFATAL:") {
        let mut named = view.plain(Family::Other, "fuzzer-failure", text).stackless();
        named.alt_titles.push(text.split(':').next().unwrap_or(text).to_owned());
        return Some(named);
    }
    if text.starts_with("Booting the kernel.") {
        return Some(view.plain(Family::Other, "reboot", "unexpected kernel reboot").stackless());
    }
    if text.starts_with("fatal error:") {
        return Some(view.plain(Family::Other, "runtime-error", "go runtime error").stackless());
    }
    None
}

/// ` (caller 0x…): ASSERT FAILED at (file:line): condition`, ` (caller 0x…): text` of the Trusty
/// secure world, which prints through the kernel.
fn trusty(view: &View<'_>, rest: &str) -> Named {
    let plain = |title: String| view.plain(Family::Other, "firmware", &title).stackless();
    let text = rest.strip_prefix(" (").and_then(|rest| rest.cut("): ")).map(|(_, text)| text);
    if rest.contains(" ASSERT FAILED") {
        let assertion = text.map(|text| text.strip_prefix("DEBUG ").unwrap_or(text));
        let whole = assertion
            .and_then(|text| text.strip_prefix("ASSERT FAILED at ("))
            .and_then(|text| text.cut("): "))
            .filter(|(_, condition)| !condition.trim().is_empty());
        return match whole {
            // Another message between the panic and its assertion shows that lines were torn.
            Some((_, condition)) if !super::view::holds_stamp(rest) => {
                plain(format!("trusty: ASSERT FAILED: {condition}"))
            }
            _ => {
                let last = rest.rsplit_once(':').map_or("", |(_, last)| last);
                plain(format!("trusty: ASSERT FAILED: {}", last.trim())).torn()
            }
        };
    }
    match text {
        Some(text) if !text.is_empty() => plain(format!("trusty: panic: {text}")),
        _ => plain(view.header.clone()).torn(),
    }
}

/// What the kernel says when it does without: no crash, but what a machine dies of.
pub(super) fn remark(view: &View<'_>) -> Option<Named> {
    let text = view.whole.as_str();
    let (family, kind, title) = if text.contains("invoked oom-killer:") {
        (Family::Other, "oom", "out of memory")
    } else if text.contains("Out of memory and no killable") {
        (Family::Panic, "oom", "kernel panic: Out of memory and no killable processes")
    } else if text.contains("page allocation failure: ") {
        (Family::Other, "other", "page allocation failure")
    } else if text.contains(": nobody cared ") {
        (Family::Other, "other", "irq: nobody cared")
    } else {
        return None;
    };
    if title.starts_with("kernel panic") {
        return Some(view.plain(family, kind, title));
    }
    let found = view.function(
        stack::TRACE,
        &[
            "warn_alloc",
            "oom",
            "out_of_memory",
            "dump_header",
            "note_interrupt",
            "handle_irq",
            "handle_irq_event",
            "__report_bad_irq",
        ],
    );
    Some(view.named(family, kind, title, found, &[]))
}

/// Headers of which nothing but the first word is left, and what is left of old slab reports.
pub(super) fn torn_header(view: &View<'_>) -> Option<Named> {
    let text = view.header.trim();
    for label in ["BUG", "WARNING", "INFO"] {
        if text.strip_prefix(label) == Some(":") {
            let kind = if label == "WARNING" { "warning" } else { "other" };
            return Some(view.plain(Family::Other, kind, &format!("{label}: corrupted")).torn());
        }
    }
    let remains = ["INFO: Allocated in ", "INFO: Freed in "].iter().any(|words| text.starts_with(words));
    remains.then(|| view.plain(Family::Slab, "other", text).torn())
}

/// A header that no rule knows: its own text.
pub(super) fn verbatim(view: &View<'_>) -> Option<Named> {
    let kind = if view.header.starts_with("WARNING:") { "warning" } else { "other" };
    Some(Named { unknown: true, ..view.plain(Family::Other, kind, &view.header) })
}

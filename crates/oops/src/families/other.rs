//! Panics with nothing above them, leaks, Rust, and what is not the kernel's own.

use super::stack::{self, Found, Source};
use super::{Named, View};
use crate::record::Family;

/// `BUG: memory leak`.
pub(super) fn leak(view: &View<'_>) -> Option<Named> {
    if !view.header.starts_with("BUG: memory leak") && !view.header.starts_with("unreferenced object") {
        return None;
    }
    let at = view.lines.iter().position(|line| line.trim_start().starts_with("backtrace"));
    let skip = [
        "alloc",
        "mmap",
        "strdup",
        "memdup",
        "idr_",
        "list_lru",
        "kmemleak",
        "^create_object",
        "^__create_object",
        "dup_",
        "^skb_clone",
        "^__skb",
        "^slab",
    ];
    let found = match at {
        Some(at) => stack::function(view.lines.get(at..).unwrap_or_default(), Source::Below, None, &skip),
        None => Found::nothing(),
    };
    Some(view.named(Family::Other, "leak", "memory leak", found, &[]))
}

/// `Kernel panic - not syncing: …` with nothing above it.
pub(super) fn panic(view: &View<'_>) -> Option<Named> {
    let rest = view.header.strip_prefix("Kernel panic")?;
    let text = rest.trim_start_matches(" - not syncing").trim_start_matches(':').trim();
    if text.contains("stack-protector") && text.contains("corrupted in") {
        let place = text.split("corrupted in:").nth(1).unwrap_or_default().trim();
        let header = View::symbol(place)
            .filter(|name| !name.starts_with(|c: char| c.is_ascii_digit()) && !is_address(name));
        let found = match header {
            Some(name) => Found::whole(&name, false),
            None => view.function(Source::Trace, None, &["stack_chk", "stack_check"]),
        };
        return Some(view.named(
            Family::Stack,
            "stack-corruption",
            "kernel panic: stack is corrupted",
            found,
            &[],
        ));
    }
    if text.starts_with("corrupted stack end detected") {
        let at = view.lines.iter().position(|line| stack::is_trace(line)).unwrap_or(0);
        let found = stack::representative(&view.lines, at);
        return Some(view.named(
            Family::Stack,
            "stack-corruption",
            "kernel panic: corrupted stack end",
            found,
            &["stack-overflow"],
        ));
    }
    let consequence = ["Fatal exception", "panic_on_warn set", "hung_task: blocked tasks", "Oops"];
    let lost = consequence.iter().any(|word| text.starts_with(word));
    let kind = if text.to_ascii_lowercase().contains("out of memory")
        || text.contains("System is deadlocked on memory")
    {
        "oom"
    } else if text.to_ascii_lowercase().contains("machine check") {
        "machine-check"
    } else if text.contains("hung_task") {
        "hung-task"
    } else {
        "panic"
    };
    let no_stack = !view.lines.iter().any(|line| stack::is_trace(line));
    let title = text.split(" in interrupt").next().filter(|_| lost).unwrap_or(text);
    // The device and the error differ from one instance to the next.
    let title =
        if title.starts_with("Couldn't open N_TTY ldisc") { "Couldn't open N_TTY ldisc" } else { title };
    let named = view.plain(Family::Panic, kind, &format!("kernel panic: {title}"));
    Some(Named { corrupted: lost || no_stack, ..named })
}

fn is_address(name: &str) -> bool {
    name.len() >= 8 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `rust_kernel: panicked at FILE:LINE:COLUMN:` and the message on the next line.
pub(super) fn rust(view: &View<'_>) -> Option<Named> {
    if !view.whole.contains("rust_kernel: panicked at") {
        return None;
    }
    let message = view.lines.get(1).copied().unwrap_or_default();
    let found = view.function(
        Source::PcThenTrace,
        None,
        &["panic", "rust_begin_unwind", "core::", "rust_helper_", "rust_panic", "^_R"],
    );
    Some(view.named(Family::Bug, "rust-panic", message, found, &[]))
}

/// What other programs write to the kernel's console.
pub(super) fn foreign(view: &View<'_>) -> Option<Named> {
    let text = view.header;
    if text.starts_with("trusty: ") {
        let rest = text.strip_prefix("trusty: ").unwrap_or(text);
        let title = match rest.split_once("ASSERT FAILED at (") {
            Some((_, rest)) => format!(
                "trusty: ASSERT FAILED: {}",
                rest.split_once("): ").map_or("", |(_, condition)| condition)
            ),
            None => format!("trusty: panic: {}", rest.split_once("): ").map_or(rest, |(_, text)| text)),
        };
        return Some(view.plain(Family::Other, "firmware", &title));
    }
    if text.starts_with("SYZFAIL:") || text.starts_with("SYZFATAL:") {
        let mut named = view.plain(Family::Other, "fuzzer-failure", text);
        named.alt_titles.push(text.split(':').next().unwrap_or(text).to_owned());
        return Some(named);
    }
    if text.starts_with("Booting the kernel.") {
        return Some(view.plain(Family::Other, "reboot", "unexpected kernel reboot"));
    }
    if text.starts_with("fatal error:") {
        return Some(view.plain(Family::Other, "runtime-error", "go runtime error"));
    }
    None
}

/// A header that no rule knows: its own text.
pub(super) fn verbatim(view: &View<'_>) -> Option<Named> {
    let text = view.header.trim_end_matches(']').trim();
    let kind = if text.starts_with("WARNING:") { "warning" } else { "other" };
    let bare = text == "INFO:";
    let remains = text.starts_with("INFO: Allocated in") || text.starts_with("INFO: Freed in");
    let title = if bare { "INFO: corrupted" } else { text };
    Some(Named { corrupted: bare || remains, ..view.plain(Family::Other, kind, title) })
}

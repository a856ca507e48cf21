//! lockdep, spinlock debugging, sleeping where one must not.

use super::stack::{self, Found, Source};
use super::{Named, View};
use crate::record::Family;

/// The report's words after `WARNING: `, `INFO: `, `BUG: ` or old `[ INFO: … ]`.
fn words<'a>(view: &View<'a>) -> (&'a str, &'a str) {
    for label in ["WARNING", "INFO", "BUG"] {
        if let Some(rest) = view.header.strip_prefix(label).and_then(|r| r.strip_prefix(": ")) {
            return (label, rest.trim_end_matches(']').trim());
        }
    }
    ("", view.header)
}

/// The functions behind `at:` in the report's lines, with the line's index.
fn at_functions(lines: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some((_, rest)) = line.split_once(" at: ").or_else(|| line.split_once("at: ")) else {
            // The address may stand on the next line.
            if line.trim_end().ends_with(" at:") {
                found.extend(lines.get(index + 1).and_then(|next| View::symbol(next)));
            }
            continue;
        };
        found.extend(View::symbol(rest));
    }
    found
}

/// Every lockdep report.
pub(super) fn lockdep(view: &View<'_>) -> Option<Named> {
    let (label, text) = words(view);
    if label.is_empty() {
        return None;
    }
    let primitives: &[&str] =
        &["flush_work", "process_one_work", "worker_thread", "cancel_work", "^lock_sock", "^__lock"];
    if text.starts_with("possible circular locking") {
        let found =
            first_at(view, primitives).unwrap_or_else(|| view.function(Source::Trace, None, primitives));
        return Some(deadlock(view, "possible circular locking dependency detected", found));
    }
    if text.starts_with("possible recursive locking") {
        let found = first_at(view, &[]).unwrap_or_else(Found::nothing);
        return Some(deadlock(view, "possible recursive locking detected", found));
    }
    if text.starts_with("possible irq lock inversion") {
        let found = first_at(view, &[]).unwrap_or_else(Found::nothing);
        return Some(deadlock(view, "possible irq lock inversion dependency detected", found));
    }
    if text.contains("lock order detected") {
        let found = match view.lines.iter().position(|line| line.contains("which became")) {
            Some(at) => stack::function(view.lines.get(at..).unwrap_or_default(), Source::Below, None, &[]),
            None => first_at(view, &[]).unwrap_or_else(Found::nothing),
        };
        return Some(deadlock(view, text, found));
    }
    if text.starts_with("inconsistent lock state") {
        let found = view.function(Source::Trace, None, &[]);
        return Some(view.named(Family::Lockdep, "lockdep-irq-state", "inconsistent lock state", found, &[]));
    }
    if text.to_ascii_lowercase().starts_with("suspicious rcu usage") {
        let title = format!("{label}: suspicious RCU usage");
        if !view.lines.iter().skip(1).any(|line| {
            line.contains("suspicious rcu_dereference")
                || line.contains(" suspicious ")
                || line.contains("RCU-list traversed")
                || line.contains("Illegal")
        }) {
            return Some(Named { corrupted: true, ..view.plain(Family::Lockdep, "rcu-usage", &title) });
        }
        let found = view.function(Source::Trace, None, &["rcu", "kmem", "slab"]);
        return Some(view.named(Family::Lockdep, "rcu-usage", &title, found, &[]));
    }
    if text.starts_with("trying to register non-static key") {
        let found = view.function(Source::Trace, None, &["stack", "lock", "IRQ", "irq"]);
        return Some(view.named(
            Family::Lockdep,
            "lockdep-other",
            "INFO: trying to register non-static key",
            found,
            &[],
        ));
    }
    if text.starts_with("Invalid wait context") {
        let found = view.function(Source::Trace, None, &["lock_sock", "release_sock"]);
        return Some(view.named(Family::Lockdep, "lockdep-other", "WARNING: locking bug", found, &[]));
    }
    balance(view, label, text)
}

/// Locks released, freed or kept where they must not be.
fn balance(view: &View<'_>, label: &str, text: &str) -> Option<Named> {
    let known = [
        ("bad unlock balance", "bad unlock balance"),
        ("bad contention detected", "bad contention"),
        ("held lock freed", "held lock freed"),
        ("lock held when returning to user space", "lock held when returning to user space"),
        ("lock held at task exit time", "lock held at task exit time"),
    ];
    for (wording, title) in known {
        if text.starts_with(wording) {
            let skip: &[&str] = if title == "bad unlock balance" { &["lock", "rwsem"] } else { &[] };
            let found = first_at(view, skip)
                .unwrap_or_else(|| view.function(Source::Trace, None, &["lock", "rwsem"]));
            return Some(view.named(
                Family::Lockdep,
                "lockdep-balance",
                &format!("{label}: {title}"),
                found,
                &[],
            ));
        }
    }
    if text.contains("still has locks held") {
        let found = first_at(view, &[]).unwrap_or_else(Found::nothing);
        return Some(view.named(
            Family::Lockdep,
            "lockdep-balance",
            &format!("{label}: still has locks held"),
            found,
            &[],
        ));
    }
    if text.starts_with("Nested lock was not taken") {
        let found = view.function(Source::Warn, None, &[]);
        return Some(view.named(
            Family::Lockdep,
            "lockdep-balance",
            &format!("{label}: nested lock was not taken"),
            found,
            &[],
        ));
    }
    if text.starts_with("workqueue leaked lock or atomic") {
        let name = view
            .lines
            .iter()
            .find_map(|line| line.split_once("last function: "))
            .and_then(|(_, f)| View::symbol(f));
        let found = name.map_or_else(Found::nothing, |name| Found::whole(&name, false));
        return Some(view.named(
            Family::Lockdep,
            "lockdep-balance",
            "BUG: workqueue leaked lock or atomic",
            found,
            &[],
        ));
    }
    if text.starts_with("MAX_") && text.contains("too low") {
        return Some(view.plain(Family::Lockdep, "lockdep-other", &format!("{label}: {text}")));
    }
    None
}

fn deadlock(view: &View<'_>, wording: &str, found: Found) -> Named {
    if found.name.is_none() {
        let title = format!("WARNING: {wording}");
        return Named { corrupted: true, ..view.plain(Family::Lockdep, "lockdep-deadlock", &title) };
    }
    view.named(Family::Lockdep, "lockdep-deadlock", "possible deadlock", found, &[])
}

/// The first function behind `at:` that is not a primitive.
fn first_at(view: &View<'_>, skip: &[&str]) -> Option<Found> {
    let name = at_functions(&view.lines)
        .into_iter()
        .find(|name| !super::skip::matches(name, skip) && (skip.is_empty() || !super::skip::always(name)))?;
    Some(Found::whole(&name, !view.lines.iter().any(|line| stack::is_trace(line))))
}

/// `BUG: spinlock bad magic on CPU#0`.
pub(super) fn spinlock(view: &View<'_>) -> Option<Named> {
    let rest = view.header.strip_prefix("BUG: ")?;
    if !rest.starts_with("spinlock ")
        && !rest.starts_with("rwlock ")
        && !rest.starts_with("rwlock-")
        && !rest.starts_with("write-lock")
    {
        return None;
    }
    let what = rest.split(" on CPU").next().unwrap_or(rest).trim();
    let found = view.function(Source::Trace, None, &["lock"]);
    Some(view.named(Family::Lockdep, "spinlock", &format!("BUG: {what}"), found, &[]))
}

/// Sleeping or scheduling in atomic context, per-CPU data while preemptible.
pub(super) fn atomic(view: &View<'_>) -> Option<Named> {
    let rest = view.header.strip_prefix("BUG: ")?;
    if rest.starts_with("scheduling while atomic") {
        let found = view.function(Source::Trace, None, &["schedule"]);
        return Some(view.named(
            Family::AtomicSleep,
            "sched-atomic",
            "BUG: scheduling while atomic",
            found,
            &[],
        ));
    }
    if rest.starts_with("sleeping function called from invalid context") {
        let found = view.function(Source::Trace, None, &["might_sleep", "__might_resched", "might_resched"]);
        return Some(view.named(
            Family::AtomicSleep,
            "atomic-sleep",
            "BUG: sleeping function called from invalid context",
            found,
            &[],
        ));
    }
    if let Some(call) = rest.strip_prefix("using ")
        && let Some((call, _)) = call.split_once(" in preemptible")
    {
        let found = view.function(Source::Trace, None, &["preempt", "smp_processor_id", "this_cpu"]);
        return Some(view.named(
            Family::Other,
            "preemptible",
            &format!("BUG: using {call} in preemptible code"),
            found,
            &[],
        ));
    }
    None
}

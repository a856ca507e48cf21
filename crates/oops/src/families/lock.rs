//! lockdep, spinlock debugging, sleeping where one must not.

use super::stack::{self, Found, Key, Plan, Step};
use super::{Named, View};
use crate::record::Family;
use crate::words::Words;

/// Work items bring locks of their own; a deadlock over them is the work's, not the queue's.
const WORK_QUEUE: &[&str] = &["process_one_work", "flush_workqueue", "drain_workqueue", "destroy_workqueue"];

/// The report's words after `WARNING: `, `INFO: `, `BUG: ` or old `[ INFO: … ]`.
fn words(header: &str) -> Option<(&'static str, &str)> {
    ["WARNING", "INFO", "BUG"].into_iter().find_map(|label| {
        let rest = header.strip_prefix(label).and_then(|rest| rest.strip_prefix(": "))?;
        Some((label, rest.trim_end_matches(']').trim()))
    })
}

/// The function behind `at:`, address or not.
fn at_function(line: &str) -> Option<Vec<String>> {
    let (_, rest) = line.cut("at: ")?;
    View::symbol(rest).map(|name| vec![name])
}

/// The function behind an address in brackets.
fn place_function(line: &str) -> Option<Vec<String>> {
    let at = line.place_of("[<")?;
    View::symbol(line.get(at..)?).map(|name| vec![name])
}

fn became_at(line: &str) -> Option<Vec<String>> {
    (line.contains("which became ") && line.contains(" at:")).then(Vec::new)
}

/// The first function that `find` sees below the line with `mark`. It is what the kernel itself
/// names, so nothing is passed over.
fn named_below(view: &View<'_>, mark: &str, find: fn(&str) -> Option<Vec<String>>) -> Option<Found> {
    let at = view.lines.iter().position(|line| line.contains(mark))?;
    let mut below = view.lines.iter().skip(at);
    below.find_map(|line| find(line)).and_then(|names| names.first().map(|name| Found::whole(name)))
}

/// Every lockdep report.
pub(super) fn lockdep(view: &View<'_>) -> Option<Named> {
    let (label, text) = words(&view.header)?;
    if !["possible ", "inconsistent lock", "suspicious", "trying to register", "Invalid wait"]
        .iter()
        .any(|s| text.starts_with(s))
        && !text.contains("lock order detected")
    {
        return balance(view, label, text);
    }
    order(view, label, text).or_else(|| usage(view, label, text))
}

/// Locks taken in an order that can deadlock.
fn order(view: &View<'_>, label: &str, text: &str) -> Option<Named> {
    let acquiring = "is trying to acquire lock";
    let found = if text.starts_with("possible circular locking dependency detected") {
        if label == "WARNING" {
            let steps = &[Step::Line(at_function), Step::Line(at_function), Step::Frames];
            let plan = Plan { steps, skip: WORK_QUEUE, ..Plan::default() };
            view.lines.iter().any(|line| line.contains(acquiring)).then(|| view.find(&plan))
        } else {
            named_below(view, acquiring, at_function)
        }
    } else if text.starts_with("possible recursive locking detected") {
        named_below(view, acquiring, at_function)
    } else if text.starts_with("possible irq lock inversion dependency detected") {
        named_below(view, "just changed the state of lock", at_function)
    } else if text.contains("-safe -> ") && text.contains("-unsafe lock order detected") {
        if label == "WARNING" {
            Some(view.function(&[Step::Line(became_at), Step::Frames], &[]))
        } else {
            named_below(view, "is trying to acquire", at_function)
        }
    } else {
        return None;
    };
    Some(match found {
        Some(found) => view.named(Family::Lockdep, "lockdep-deadlock", "possible deadlock", found, &[]),
        None => view.plain(Family::Lockdep, "lockdep-deadlock", &format!("{label}: {text}")).torn(),
    })
}

/// Locks taken where they must not be, and what must not be done without one.
fn usage(view: &View<'_>, label: &str, text: &str) -> Option<Named> {
    let torn = |kind, text: &str| Some(view.plain(Family::Lockdep, kind, &format!("{label}: {text}")).torn());
    if text.starts_with("inconsistent lock state") {
        let Some(at) = named_below(view, "takes", at_function) else {
            return torn("lockdep-irq-state", text);
        };
        let found = if label == "WARNING" { view.function(stack::TRACE, &[]) } else { at };
        return Some(view.named(Family::Lockdep, "lockdep-irq-state", "inconsistent lock state", found, &[]));
    }
    if text.to_ascii_lowercase().starts_with("suspicious rcu usage") {
        let title = format!("{label}: suspicious RCU usage");
        if !view.lines.iter().skip(1).any(|line| names_source(line)) {
            return Some(view.plain(Family::Lockdep, "rcu-usage", &format!("{label}: {text}")).torn());
        }
        let found = view.function(stack::TRACE, &["rcu", "kmem", "slab"]);
        return Some(view.named(Family::Lockdep, "rcu-usage", &title, found, &[]));
    }
    if text.starts_with("trying to register non-static key") {
        // The lock's initialisation is missing; the first who takes it finds out.
        let found = view.function(stack::TRACE, &["stack", "lock", "IRQ"]);
        let title = "INFO: trying to register non-static key";
        return Some(view.named(Family::Lockdep, "lockdep-other", title, found, &[]));
    }
    if text.starts_with("Invalid wait context") {
        let found = view.function(stack::TRACE, &["lock_sock", "release_sock"]);
        return Some(view.named(Family::Lockdep, "lockdep-other", "WARNING: locking bug", found, &[]));
    }
    None
}

/// Whether `line` names a place in the source: `net/x.c:12 suspicious rcu_dereference_check() usage!`.
fn names_source(line: &str) -> bool {
    line.split_ascii_whitespace().any(|word| {
        word.rsplit_once(':').is_some_and(|(file, number)| {
            let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
            number.starts_with(|c: char| c.is_ascii_digit())
                && !ending.is_empty()
                && ending.bytes().all(|b| b.is_ascii_lowercase())
        })
    })
}

/// Locks released, freed or kept where they must not be.
fn balance(view: &View<'_>, label: &str, text: &str) -> Option<Named> {
    let named = |wording: &str, found| {
        view.named(Family::Lockdep, "lockdep-balance", &format!("{label}: {wording}"), found, &[])
    };
    let torn = || Some(view.plain(Family::Lockdep, "lockdep-balance", &format!("{label}: {text}")).torn());
    let old = label == "BUG";
    if text.starts_with("bad unlock balance detected!") || text.starts_with("bad contention detected!") {
        let what = if text.starts_with("bad unlock") { "bad unlock balance" } else { "bad contention" };
        // The place of the release, or where that is a lock's own function, its caller.
        let steps = &[Step::Line(place_function), Step::Trace, Step::Frames];
        let mut found = view.function(steps, &[]);
        if found.name.is_none() {
            found = view.function(&[Step::Line(at_function), Step::Trace, Step::Frames], &[]);
        }
        return Some(named(what, found));
    }
    if text.starts_with("held lock freed!") {
        let found = named_below(view, "held lock freed!", place_function)
            .or_else(|| named_below(view, "held lock freed!", at_function));
        return found.map(|found| named("held lock freed", found)).or_else(torn);
    }
    for wording in ["lock held when returning to user space", "lock held at task exit time"] {
        if text.starts_with(wording) {
            let left = named_below(view, "with locks still held", at_function);
            return left.map(|found| named(wording, found)).or_else(torn).map(Named::stackless);
        }
    }
    if text.contains("still has locks held!") {
        let find = if old { place_function } else { at_function };
        let found = named_below(view, "still has locks held!", find)
            .or_else(|| named_below(view, "still has locks held!", at_function));
        return found.map(|found| named("still has locks held", found)).or_else(torn);
    }
    if text.starts_with("Nested lock was not taken") {
        let plan = Plan { steps: stack::WARN, instead: stack::TRACE, ..Plan::default() };
        return Some(named("nested lock was not taken", view.find(&plan)));
    }
    if text.starts_with("workqueue leaked ") {
        let name = view.lines.iter().find_map(|line| line.cut("last function: "));
        // The work's function stands alone, without an offset.
        let name =
            name.and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next());
        let found = name.filter(|name| !name.is_empty()).map(Found::whole);
        let title = "workqueue leaked lock or atomic";
        return found.map(|found| named(title, found)).or_else(torn).map(Named::stackless);
    }
    if text.starts_with("MAX_") && text.contains("too low") {
        return Some(Named { unknown: true, ..view.plain(Family::Lockdep, "lockdep-other", &view.header) });
    }
    None
}

/// `BUG: spinlock bad magic on CPU#0` (kernel/locking/spinlock_debug.c).
pub(super) fn spinlock(view: &View<'_>) -> Option<Named> {
    const COMPLAINTS: &[&str] = &[
        "lockup suspected",
        "already unlocked",
        "recursion",
        "cpu recursion",
        "bad magic",
        "wrong owner",
        "wrong CPU",
        "trylock failure on UP",
        "uninitialized",
    ];
    let rest = view.after("BUG: ")?;
    let (lock, what) =
        rest.split_once(' ').filter(|(lock, _)| matches!(*lock, "spinlock" | "rwlock" | "rwlock-lockup"))?;
    let what = COMPLAINTS.iter().find(|words| what.starts_with(**words))?;
    let found = view.function(stack::TRACE, &["spin_", "_lock", "_unlock"]);
    Some(view.named(Family::Lockdep, "spinlock", &format!("BUG: {lock} {what}"), found, &[]))
}

/// Sleeping or scheduling in atomic context, per-CPU data while preemptible.
pub(super) fn atomic(view: &View<'_>) -> Option<Named> {
    let rest = view.after("BUG: ")?;
    if rest.starts_with("scheduling while atomic") {
        let found = view.function(stack::TRACE, &["schedule"]);
        let title = "BUG: scheduling while atomic";
        return Some(view.named(Family::AtomicSleep, "sched-atomic", title, found, &[]));
    }
    if rest.starts_with("sleeping function called from invalid context at ") {
        let found = view.function(stack::TRACE, &[]);
        let title = "BUG: sleeping function called from invalid context";
        return Some(view.named(Family::AtomicSleep, "atomic-sleep", title, found, &[]));
    }
    if let Some((call, _)) = rest.strip_prefix("using ").and_then(|call| call.cut(" in preemptible"))
        && call.ends_with("()")
    {
        let skip = &["dump_stack", "preempt", "debug_", "processor_id", "this_cpu"];
        let found = view.find(&Plan { steps: stack::TRACE, skip, key: Key::First, ..Plan::default() });
        let title = format!("BUG: using {call} in preemptible code");
        return Some(view.named(Family::Other, "preemptible", &title, found, &[]));
    }
    None
}

//! Lockups, stalls, hung tasks.

use super::stack::{self, Found, Key, Plan, Step};
use super::{Named, View};
use crate::record::Family;

/// `BUG: soft lockup - CPU#0 stuck for 22s!`.
pub(super) fn soft_lockup(view: &View<'_>) -> Option<Named> {
    if !view.header.starts_with("BUG: soft lockup") {
        return None;
    }
    let found = view.find(&Plan { steps: stack::PC_THEN_TRACE, key: Key::Stall, ..Plan::default() });
    Some(view.named(Family::SoftLockup, "soft-lockup", "BUG: soft lockup", found, &["stall"]))
}

/// `Watchdog detected hard LOCKUP on cpu 1`.
pub(super) fn hard_lockup(view: &View<'_>) -> Option<Named> {
    if !view.header.starts_with("hard LOCKUP") {
        return None;
    }
    let found = view.function(stack::PC_THEN_TRACE, &[]);
    Some(view.named(Family::HardLockup, "hard-lockup", "hard lockup", found, &["stall"]))
}

/// The interrupt that found the stall: what the CPU was doing stands below it. x86 goes on with
/// the registers of the place that it interrupted.
fn x86_timer(line: &str) -> Option<Vec<String>> {
    line.contains("apic_timer_interrupt").then(Vec::new)
}

/// The same for CPUs that print the registers in another shape or not at all.
fn any_timer(line: &str) -> Option<Vec<String>> {
    ["apic_timer_interrupt", "Exception stack", "el1h_64_irq"]
        .iter()
        .any(|mark| line.contains(mark))
        .then(Vec::new)
}

/// arm64 before 5.13, arm, riscv and ppc.
fn other_timer(line: &str) -> Option<Vec<String>> {
    ["el1_irq", "__irq_svc", "ret_from_exception", "do_irq_handler", "decrementer_common", "timer_interrupt+"]
        .iter()
        .any(|mark| line.contains(mark))
        .then(Vec::new)
}

/// `rcu: INFO: rcu_preempt self-detected stall on CPU`.
pub(super) fn rcu(view: &View<'_>) -> Option<Named> {
    let rest = view.after("INFO: rcu")?;
    let flavour = rest.split_once(' ').map_or("", |(flavour, _)| flavour);
    if !["_preempt", "_sched", "_bh", "_tasks", ""].contains(&flavour) || !rest.contains("stall") {
        return None;
    }
    let skip = &["apic_timer_interrupt", "rcu"][..];
    let plan = Plan {
        steps: &[Step::Line(x86_timer), Step::Pc, Step::Frames],
        instead: &[Step::Line(any_timer), Step::Frames],
        skip,
        key: Key::Stall,
        first: None,
    };
    let found = view.find(&plan);
    let mut named = view.named(Family::RcuStall, "rcu-stall", "INFO: rcu detected stall", found, &["stall"]);
    if named.corrupted {
        // No stack of the kind that names a stall. What the other CPUs and tasks were doing is
        // worth having for a reader, but too uncertain for the title.
        let others: [&[Step]; 3] =
            [&[Step::Line(other_timer), Step::Frames], stack::PC_THEN_TRACE, &[Step::Trace, Step::Frames]];
        let guess = others
            .into_iter()
            .map(|steps| view.find(&Plan { steps, skip, key: Key::Stall, ..Plan::default() }))
            .find(|found| found.name.is_some())
            .unwrap_or_else(Found::nothing);
        if let Some(name) = guess.name {
            named.alt_titles.push(format!("INFO: rcu detected stall in {name}"));
        }
    }
    Some(named)
}

/// `INFO: task x:1 blocked for more than 143 seconds.`
pub(super) fn hung_task(view: &View<'_>) -> Option<Named> {
    // The header may be torn over two lines, even within its first word.
    if !view.header.starts_with("INFO: t") {
        return None;
    }
    let torn = !view.header.contains(" for more than ");
    let whole: String = if torn { view.lines.iter().take(3).copied().collect() } else { view.header.clone() };
    if !whole.contains("INFO: task ") {
        return None;
    }
    if whole.contains("can't die for more than") {
        let found = view.function(stack::TRACE, &["schedule"]);
        return Some(view.named(Family::HungTask, "hung-task", "INFO: task can't die", found, &["hang"]));
    }
    if !whole.contains("blocked for more than") && !whole.contains("blocked in I/O wait") {
        return None;
    }
    let found = view.find(&Plan { steps: stack::TRACE, key: Key::Hang, ..Plan::default() });
    Some(view.named(Family::HungTask, "hung-task", "INFO: task hung", found, &["hang"]))
}

/// `BUG: workqueue lockup - pool …`.
pub(super) fn workqueue(view: &View<'_>) -> Option<Named> {
    view.header
        .starts_with("BUG: workqueue lockup")
        .then(|| view.plain(Family::Other, "other", "BUG: workqueue lockup").stackless())
}

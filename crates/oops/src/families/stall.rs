//! Lockups, stalls, hung tasks.

use super::stack::{self, Found, Source};
use super::{Named, View};
use crate::record::Family;

/// `BUG: soft lockup - CPU#0 stuck for 22s!`.
pub(super) fn soft_lockup(view: &View<'_>) -> Option<Named> {
    if !view.header.starts_with("BUG: soft lockup") {
        return None;
    }
    let start = stack::pc(&view.lines).map_or(0, |(at, _)| at);
    let found = stack::representative(&view.lines, start);
    Some(view.named(Family::SoftLockup, "soft-lockup", "BUG: soft lockup", found, &["stall"]))
}

/// `Watchdog detected hard LOCKUP on cpu 1`.
pub(super) fn hard_lockup(view: &View<'_>) -> Option<Named> {
    let panic = view.header.starts_with("Kernel panic") && view.header.contains("Hard LOCKUP");
    if !panic && !view.header.starts_with("hard LOCKUP") {
        return None;
    }
    let found = view.function(Source::PcThenTrace, None, &[]);
    Some(view.named(Family::HardLockup, "hard-lockup", "hard lockup", found, &["stall"]))
}

/// `rcu: INFO: rcu_preempt self-detected stall on CPU`.
pub(super) fn rcu(view: &View<'_>) -> Option<Named> {
    let header = view.header;
    let second = || view.lines.iter().take(3).any(|line| line.contains("detected stall"));
    if !(header.starts_with("INFO: rcu") && (header.contains("stall") || second())) {
        return None;
    }
    // The stalled CPU is interrupted by the timer (or an NMI) that reports it: what it was doing
    // stands below that frame.
    let timer = [
        "apic_timer_interrupt",
        "sysvec_apic_timer",
        "el1h_64_irq",
        "el1_irq",
        "Exception stack",
        "__irq_svc",
    ];
    let is_timer = |line: &&str| {
        stack::names(line).iter().any(|name| timer.iter().any(|t| name.contains(t)))
            || line.contains("Exception stack")
    };
    let mut found = Found::nothing();
    if let Some(first) = view.lines.iter().position(is_timer) {
        // The entry code consists of several frames; the interrupted place is below the last of
        // those that stand together.
        const TOGETHER: usize = 6;
        let near = view.lines.iter().skip(first).take(TOGETHER).take_while(|line| !line.contains("RIP: "));
        let last = near.enumerate().filter(|(_, line)| is_timer(line)).map(|(at, _)| first + at).last();
        found = stack::representative(&view.lines, last.unwrap_or(first) + 1);
    }
    if found.name.is_none()
        && let Some((at, _)) = stack::pc(&view.lines)
    {
        found = stack::representative(&view.lines, at);
    }
    if found.name.is_none()
        && let Some(at) = view.lines.iter().position(|line| stack::is_trace(line))
    {
        found = stack::representative(&view.lines, at + 1);
    }
    Some(view.named(Family::RcuStall, "rcu-stall", "INFO: rcu detected stall", found, &["stall"]))
}

/// `INFO: task x:1 blocked for more than 143 seconds.`
pub(super) fn hung_task(view: &View<'_>) -> Option<Named> {
    let header = view.header;
    // The header may be torn over two lines.
    let torn =
        header.starts_with("INFO: t")
            && view.lines.iter().take(3).any(|line| {
                line.contains("blocked for more than") || line.contains("can't die for more than")
            });
    if !header.starts_with("INFO: task ") && !torn {
        return None;
    }
    let whole = view.lines.iter().take(3).copied().collect::<String>();
    let title = if whole.contains("can't die for more") {
        "INFO: task can't die"
    } else if whole.contains("blocked for more") || whole.contains("blocked in I/O wait") {
        "INFO: task hung"
    } else {
        return None;
    };
    Some(view.named(Family::HungTask, "hung-task", title, stack::hung(&view.lines), &["hang"]))
}

/// `BUG: workqueue lockup - pool …`.
pub(super) fn workqueue(view: &View<'_>) -> Option<Named> {
    view.header
        .starts_with("BUG: workqueue lockup")
        .then(|| view.plain(Family::Other, "other", "BUG: workqueue lockup"))
}

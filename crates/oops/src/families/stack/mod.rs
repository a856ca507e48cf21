//! Which function a crash is named after.
//!
//! A report is walked with a plan: a list of steps that are taken one after the other down its
//! lines, each gathering what it finds. The first function that is no helper names the crash, or
//! for stalls and hangs the one that a rule of their own picks from all of them ([`keys`]).

mod keys;
mod lines;
mod prefix;

pub(super) use lines::{has_stack, leak_backtrace, plain};
use lines::{is_trace, names, opens, pc_name};

use super::skip;
use crate::fields::values::code_ref;
use crate::words::Words;

/// One step of a plan.
#[derive(Clone, Copy)]
pub(super) enum Step {
    /// Down to the line of the program counter; its function counts.
    Pc,
    /// The same, or ppc's `--- interrupt: 700 at fn+0x…`, which is where a WARN trapped.
    WarnPc,
    /// Down to the header of a call trace.
    Trace,
    /// Down to a line that the function knows; what it returns counts as functions.
    Line(fn(&str) -> Option<Vec<String>>),
    /// The frames from here to where the next stack opens.
    Frames,
}

/// Which of the functions that a walk gathered names the crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Key {
    /// The first.
    #[default]
    First,
    /// The one inside the dispatcher: stalls, lockups, stack overflows.
    Stall,
    /// The one that waits: hung tasks.
    Hang,
}

/// How to find a crash's function.
#[derive(Clone, Copy, Default)]
pub(super) struct Plan<'a> {
    /// The function that the header names, which comes before all others.
    pub first: Option<&'a str>,
    /// The steps.
    pub steps: &'a [Step],
    /// The steps to take instead where these find nothing.
    pub instead: &'a [Step],
    /// What this family passes over besides what is always passed over.
    pub skip: &'a [&'a str],
    /// What names the crash.
    pub key: Key,
}

/// The program counter, then the call trace below it: faults and BUGs.
pub(super) const PC_THEN_TRACE: &[Step] = &[Step::Pc, Step::Trace, Step::Frames];
/// The program counter alone: exceptions that are about one instruction.
pub(super) const PC_ONLY: &[Step] = &[Step::Pc];
/// The next call trace.
pub(super) const TRACE: &[Step] = &[Step::Trace, Step::Frames];
/// The frames right below the header.
pub(super) const BELOW: &[Step] = &[Step::Frames];
/// Where a WARN trapped and the frames below it. 4.x kernels print the registers in the middle of
/// the trace: what stands above them is the machinery of the warning.
pub(super) const WARN: &[Step] = &[Step::WarnPc, Step::Frames];

/// What came of looking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The function, suffixes and one system-call prefix off.
    pub name: Option<String>,
    /// Other names of it that reports are merged by: the whole name, each prefix off.
    pub others: Vec<String>,
    /// The stack shows that the text is torn.
    pub torn: bool,
}

impl Found {
    /// A function by its whole name.
    pub(crate) fn whole(name: &str) -> Found {
        let short = prefix::shorten(name);
        let others = prefix::variants(name).filter(|other| *other != short).map(str::to_owned).collect();
        Found { name: Some(short.to_owned()), others, torn: false }
    }

    /// A function under the name of its group.
    fn grouped(group: &str, name: &str) -> Found {
        let others = prefix::variants(name).filter(|other| *other != group).map(str::to_owned).collect();
        Found { name: Some(group.to_owned()), others, torn: false }
    }

    /// No function at all.
    pub(crate) fn nothing() -> Found {
        Found { torn: true, ..Found::default() }
    }
}

/// The first function that `plan` finds in `lines`, the header's line first.
pub(super) fn function(lines: &[&str], plan: &Plan<'_>) -> Found {
    every(lines, plan).into_iter().next().unwrap_or_else(Found::nothing)
}

/// The functions of all stacks that `plan` goes through. Where one of them is missing or torn, the
/// first is marked so.
pub(super) fn every(lines: &[&str], plan: &Plan<'_>) -> Vec<Found> {
    let found = walk(lines, plan, plan.steps);
    if plan.instead.is_empty() || !found.first().is_none_or(|first| first.torn) {
        return found;
    }
    walk(lines, plan, plan.instead)
}

/// The fault-injection framework's own frames: a stack with one is of a failure made on purpose,
/// which another task printed into this report.
fn injected(line: &str) -> bool {
    line.contains("should_fail")
        && names(line).first().is_some_and(|name| matches!(name.as_str(), "should_fail" | "should_failslab"))
}

fn walk(lines: &[&str], plan: &Plan<'_>, steps: &[Step]) -> Vec<Found> {
    let useful = |name: &str| !skip::always(name) && !skip::matches(name, plan.skip);
    let mut rest = lines.iter();
    let mut gathered: Vec<String> = Vec::new();
    let mut stacks: Vec<Found> = Vec::new();
    let (mut torn, mut in_stack) = (false, false);
    let first = plan.first.map(plain).filter(|name| useful(name));
    gathered.extend(first);
    let mut steps = steps.iter().peekable();
    loop {
        let step = steps.next();
        if step.is_none() || in_stack && matches!(step, Some(Step::Frames)) {
            stacks.push(keys::pick(plan.key, &gathered));
            gathered.clear();
        }
        let Some(step) = step else { break };
        let frames = matches!(step, Step::Frames);
        in_stack |= frames;
        for line in rest.by_ref() {
            if injected(line) {
                torn = true;
                break;
            }
            if !frames {
                if let Some(found) = step.matches(line) {
                    gathered.extend(found.into_iter().filter(|name| useful(name)));
                    break;
                }
                continue;
            }
            if opens(line) {
                break;
            }
            if let Some(found) = steps.peek().and_then(|next| next.matches(line)) {
                gathered.extend(found.into_iter().filter(|name| useful(name)));
                steps.next();
                break;
            }
            // Where the first one decides, the others need not be looked at.
            if plan.key != Key::First || gathered.is_empty() {
                gathered.extend(names(line).into_iter().filter(|name| useful(name)));
            }
        }
    }
    torn |= stacks.iter().any(|found| found.name.is_none());
    if let Some(found) = stacks.first_mut() {
        found.torn |= torn;
    }
    stacks
}

impl Step {
    /// The functions of `line` where it is the one that the step looks for.
    fn matches(&self, line: &str) -> Option<Vec<String>> {
        match self {
            Step::Pc => pc_name(line).map(|name| name.into_iter().collect()),
            Step::WarnPc => match line.cut("--- interrupt: ").and_then(|(_, rest)| rest.cut(" at ")) {
                Some((_, place)) => Some(
                    code_ref(place)
                        .and_then(|(at, _)| at.symbol)
                        .map(|name| plain(&name))
                        .into_iter()
                        .collect(),
                ),
                None => Step::Pc.matches(line),
            },
            Step::Trace => is_trace(line).then(Vec::new),
            Step::Line(known) => known(line),
            Step::Frames => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(lines: &[&str], steps: &[Step], key: Key) -> Found {
        function(lines, &Plan { steps, key, ..Plan::default() })
    }

    #[test]
    fn the_pc_line_first_then_the_trace() {
        let lines = [
            "BUG: x",
            "RIP: 0010:memcpy+0x1/0x2",
            "Call Trace:",
            " ? a+0x1/0x2",
            " kfree+0x1/0x2",
            " driver_fn.isra.0+0x1/0x2 [m]",
        ];
        assert_eq!(named(&lines, PC_THEN_TRACE, Key::First).name.as_deref(), Some("driver_fn"));
        let lines = ["BUG: x", "RIP: 0010:driver+0x1/0x2", "Call Trace:", " b+0x1/0x2"];
        assert_eq!(named(&lines, PC_THEN_TRACE, Key::First).name.as_deref(), Some("driver"));
        let none = named(&["BUG: x", "Call Trace:", " b+0x1/0x2"], PC_THEN_TRACE, Key::First);
        assert_eq!(none, Found::nothing());
    }

    #[test]
    fn a_stack_of_another_task_is_not_taken() {
        let lines = ["KASAN", "Call Trace:", " kfree+0x1/0x2", "Allocated by task 7:", " other+0x1/0x2"];
        assert_eq!(named(&lines, TRACE, Key::First), Found::nothing());
    }

    #[test]
    fn a_failure_made_on_purpose_tears_the_report() {
        let lines = [
            "x",
            "RIP: 0010:memcpy+0x1/0x2",
            "Call Trace:",
            " go+0x1/0x2",
            " should_fail+0x1/0x2",
            " b+0x1/0x2",
        ];
        let found = named(&lines, PC_THEN_TRACE, Key::First);
        assert_eq!((found.name.as_deref(), found.torn), (Some("go"), true));
    }

    #[test]
    fn a_warnings_registers_stand_in_its_trace() {
        let lines = [
            "WARNING: CPU: 0 PID: 1 at a.c:1 go+0x1/0x2",
            "Call Trace:",
            " dump_stack+0x1/0x2",
            " not_this+0x1/0x2",
            "RIP: 0010:refcount_inc+0x1/0x2",
            "RSP: 0018:ffff EFLAGS: 00010046",
            " go+0x1/0x2",
        ];
        let plan = Plan { steps: WARN, instead: TRACE, ..Plan::default() };
        assert_eq!(function(&lines, &plan).name.as_deref(), Some("go"));
        let lines = [
            "WARNING: x",
            "Call Trace:",
            " dump_stack+0x1/0x2",
            " go+0x1/0x2",
            " b+0x1/0x2",
            "RIP: 0033:0x401000",
        ];
        assert_eq!(function(&lines, &plan).name.as_deref(), Some("go"));
        let lines = ["WARNING: x", "NIP [c1] foo+0x1/0x2", "--- interrupt: 700 at bar+0x1/0x2"];
        assert_eq!(function(&lines, &plan).name.as_deref(), Some("foo"));
        let lines = ["WARNING: x", "--- interrupt: 700 at bar+0x1/0x2"];
        assert_eq!(function(&lines, &plan).name.as_deref(), Some("bar"));
    }
}

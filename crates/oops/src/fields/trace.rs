//! Call traces: the crash's own and the others of a report.

use super::State;
use super::system::ends_trace;
use super::values::frames;
use crate::record::{CrashRecord, Family, Located};
use crate::text::Line;
use crate::words::{Words, begins_any};

/// Deeper traces are cut by the kernel itself long before.
const MOST_FRAMES: usize = 4096;

/// Lines that open a stack of their own, besides `Call Trace:`.
const OPENERS: &[&str] = &[
    "Allocated by task",
    "Freed by task",
    "Last potentially related work creation",
    "Second to last potentially related work creation",
    "Uninit was stored to memory at",
    "Uninit was created at",
    "Local variable",
    "allocated by task",
    "freed by task",
    "Allocated in ",
    "Freed in ",
    "INFO: Allocated in ",
    "INFO: Freed in ",
    "Last call_rcu()",
    "which lock already depends on",
    "the existing dependency chain",
    "stack backtrace",
    "NMI backtrace for cpu",
    "Allocated:",
    "Freed:",
    "backtrace:",
    "backtrace (crc",
    "page last allocated",
    "page last free",
    "hardirqs last",
    "softirqs last",
];

pub(super) fn line(line: &Line<'_>, state: &mut State, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    if is_call_trace(text) {
        open(text, line.number, state, record);
        return true;
    }
    if opens_access(text) && !state.own_trace {
        state.own_trace = true;
        state.trace = Some(None);
        state.trace_to_blank = true;
        return true;
    }
    if begins_any(text, OPENERS) || opens_access(text) || opens_lock(text) {
        record.other_stacks.push((Located { value: text.to_owned(), line: line.number }, Vec::new()));
        state.trace = Some(Some(record.other_stacks.len().saturating_sub(1)));
        return true;
    }
    if ends_trace(text) {
        state.trace = None;
        return true;
    }
    // 32-bit Arm's trace has no heading before 6.9.
    if state.trace.is_none()
        && !state.own_trace
        && text.contains(" from ")
        && frames(text, line.number).len() == 2
    {
        unannounced(state, record);
    }
    let Some(trace) = state.trace else { return false };
    if matches!(
        text,
        "<TASK>"
            | "</TASK>"
            | "<IRQ>"
            | "</IRQ>"
            | "<NMI>"
            | "</NMI>"
            | "<EOI>"
            | "<#DF>"
            | "<#PF>"
            | "</#PF>"
    ) {
        state.left_interrupt |= text == "</IRQ>" && trace.is_none();
        return true;
    }
    // 4.x kernels print `<IRQ>` and `<EOI>` on the frame's own line.
    let mut body = text;
    while let Some((_, rest)) = body.strip_prefix('<').and_then(|t| t.cut("> ")).filter(|(m, _)| m.len() < 6)
    {
        body = rest.trim_start();
    }
    let mut found = frames(body, line.number);
    let known = !found.is_empty();
    let target = match trace {
        None => Some(&mut record.frames),
        Some(index) => record.other_stacks.get_mut(index).map(|(_, frames)| frames),
    };
    if let Some(target) = target
        && target.len() < MOST_FRAMES
    {
        // Arm prints each step with both of its ends: `a from b+0x1/0x2`, `b from c+0x3/0x4`.
        if let ([callee, _], Some(last)) = (found.as_slice(), target.last())
            && callee.at.symbol == last.at.symbol
        {
            found.remove(0);
        }
        target.extend(found);
    }
    known
}

/// Lines of KCSAN and KFENCE that say what was accessed, and whose stack is below: the first
/// access is the crash's own.
fn opens_access(text: &str) -> bool {
    let race = text.ends_with(':') && text.contains(" bytes by ") && text.contains(" on cpu ");
    let block = text.contains("kfence-#");
    race || block && (text.contains("in kfence-#") || text.contains("of kfence-#"))
        || text.starts_with("kfence-#") && text.contains("allocated by task")
        || begins_any(text, &["Invalid read at ", "Invalid write at ", "Invalid free of "])
}

/// Lines of lockdep with a stack of the past below: links of the dependency chain, uses of a lock.
fn opens_lock(text: &str) -> bool {
    let state = ["HARDIRQ-ON", "SOFTIRQ-ON", "IN-HARDIRQ", "IN-SOFTIRQ", "INITIAL "];
    text.starts_with("-> #")
        || text.ends_with(" state was registered at:")
        || text.contains("... which became ") && text.ends_with(" at:")
        || text.starts_with("... acquired at:")
        || text.ends_with(" at:") && state.iter().any(|start| text.starts_with(start))
}

/// KMSAN prints the stack of the use right below its header.
pub(super) fn header(text: &str, state: &mut State) {
    if text.contains("BUG: KMSAN: ") {
        state.own_trace = true;
        state.trace = Some(None);
        state.trace_to_blank = true;
    }
}

/// `Call Trace:`, `Call trace:`, `Backtrace:` of every CPU.
pub(crate) fn is_call_trace(text: &str) -> bool {
    // Another task's line without an end may stand in front.
    text.contains("Call Trace:") || text.starts_with("Call trace:") || text.starts_with("Backtrace:")
}

fn open(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) {
    // A report that already has its trace (or whose first trace another opener announced) goes on
    // with those of other tasks and CPUs.
    let announced = matches!(state.trace, Some(Some(index)) if record.other_stacks.get(index).is_some_and(|(head, frames)| {
        frames.is_empty() && !head.value.starts_with("stack backtrace")
    }));
    if announced && record.family != Some(Family::Lockdep) && state.own_trace {
        return;
    }
    if !state.own_trace {
        state.own_trace = true;
        state.trace = Some(None);
        return;
    }
    if record.frames.is_empty() {
        state.trace = Some(None);
        return;
    }
    record.other_stacks.push((Located { value: text.to_owned(), line: number }, Vec::new()));
    state.trace = Some(Some(record.other_stacks.len().saturating_sub(1)));
}

/// Opens the crash's own trace where the kernel prints it without a heading.
pub(super) fn unannounced(state: &mut State, record: &CrashRecord) {
    if !state.own_trace && record.frames.is_empty() {
        state.own_trace = true;
        state.trace = Some(None);
    }
}

/// What a register dump does to the trace it interrupts.
///
/// 4.x kernels print a WARN's registers in the middle of the trace: what stands above them is the
/// warning machinery, and the crash's own frames begin below.
pub(super) fn interrupted_by_registers(state: &State, record: &mut CrashRecord) {
    if state.trace == Some(None) && record.pc.is_none() {
        record.frames.clear();
    }
}

/// Whether registers that follow are those of a context that the report only interrupted: a report
/// that begins with the trace of whoever it complains about goes on below with what ran before.
pub(super) fn complains(state: &State, record: &CrashRecord) -> bool {
    // Who prints such a report, without leading underscores.
    const PRINTERS: &[&str] = &[
        "schedule_bug",
        "might_resched",
        "might_sleep",
        "kasan_report",
        "print_report",
        "print_address_description",
        "kmsan_report",
        "kmsan_print_report",
        "kfence_report",
        "kfence_handle_page_fault",
        "kcsan_report",
        "ubsan_epilogue",
        "print_circular_bug",
        "print_usage_bug",
        "print_bad_irq_dependency",
        "lockdep_rcu_suspicious",
        "object_err",
        "check_bytes_and_report",
        "check_preemption_disabled",
    ];
    let printers = record.frames.iter().take(12).filter_map(|frame| frame.at.symbol.as_deref());
    let complaint = printers
        .map(|symbol| symbol.trim_start_matches('_'))
        .any(|symbol| PRINTERS.iter().any(|printer| symbol.starts_with(printer)));
    complaint && state.trace == Some(None) && record.pc.is_none()
}

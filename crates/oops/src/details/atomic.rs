//! Contexts that were not what the code took them for, stacks that ran over, and last words
//! (kernel/sched/core.c, lib/smp_processor_id.c, arch/*/kernel/traps.c, kernel/panic.c).

use super::scan::{begins, place, scan};
use super::{Field, Task, View, details};
use crate::record::{Family, PrintedHex};
use crate::words::Words;

details! {
    /// Sleeping, scheduling or using per-cpu data where one must not.
    Atomic = "atomic" {
        /// `scheduling while atomic`, `sleeping function called from invalid context`…
        sort: String,
        /// Where it would have slept.
        place: (String, u32),
        /// The task.
        task: Task,
        /// `preempt_count` as printed: the nesting of preemption, softirq, hardirq and NMI.
        preempt_count: PrintedHex,
        /// What it should be.
        preempt_count_expected: PrintedHex,
        /// `in_atomic()`.
        in_atomic: u32,
        /// `irqs_disabled()`.
        irqs_disabled: u32,
        /// In a section that must not block.
        non_block: u32,
        /// Depth of RCU read-side sections.
        rcu_depth: u32,
        /// What it should be.
        rcu_depth_expected: u32,
        /// Where preemption was disabled.
        preempt_disabled_at: String,
        /// The last work function, of a workqueue that leaked a lock.
        last_function: String,
        /// Who used the CPU's number.
        caller: String,
    }
}

pub(super) fn atomic(view: &View<'_>) -> Option<Atomic> {
    let mut atomic = Atomic::default();
    if let Some((row, [rest])) = view.find("BUG: sleeping function called from invalid context at {}") {
        atomic.sort = row.words("sleeping function called from invalid context");
        if let Some((file, line)) = rest.split_once(':').and_then(|(f, l)| Some((f, super::scan::number(l)?)))
        {
            atomic.place = row.at((file.to_owned(), line));
        }
    } else if let Some((row, [what, rest])) = view
        .find("BUG: scheduling {}: {}")
        .or_else(|| view.find("BUG: atomic {}: {}"))
        .or_else(|| view.find("BUG: workqueue leaked {}: {}"))
    {
        let full = row.text.cut("BUG: ").map_or("", |(_, t)| t);
        let head = full.cut(": ").map_or(what, |(head, _)| head);
        atomic.sort = row.words(head);
        // `comm/pid/count` of the scheduler, `comm/count/pid` of workqueues.
        let mut words = rest.rsplitn(3, '/');
        let ends = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (last, middle) = (ends.0.split(' ').next().unwrap_or_default(), ends.1);
        let (pid, count) = if middle.starts_with("0x") { (last, middle) } else { (middle, last) };
        atomic.preempt_count = count.strip_prefix("0x").and_then(|count| row.hex(count));
        atomic.task = words.next().and_then(|comm| row.task(&format!("{comm}/{pid}")));
    } else if let Some((row, [what, count, task])) = view.find("BUG: using {} in preemptible [{}] code: {}") {
        atomic.sort = row.words(&format!("using {what} in preemptible code"));
        (atomic.preempt_count, atomic.task) = (row.hex(count), row.task(task));
    } else {
        return None;
    }
    for row in &view.rows {
        let text = row.text;
        if text.starts_with("in_atomic(): ") {
            let number = |key: &str| -> Field<u32> {
                row.number(text.split_once(key).map(|(_, rest)| rest.trim_start())?)
            };
            atomic.in_atomic = number("in_atomic():");
            atomic.irqs_disabled = number("irqs_disabled():");
            atomic.non_block = number("non_block:");
            if let Some([pid, comm]) = scan(text, "pid: {}, name: {}") {
                atomic.task = row.at(Task { comm: comm.to_owned(), pid: super::scan::number(pid) });
            }
        } else if let Some([count, expected]) = begins(text, "preempt_count: {}, expected: {}") {
            (atomic.preempt_count, atomic.preempt_count_expected) = (row.hex(count), row.hex(expected));
        } else if let Some([depth, expected]) = begins(text, "RCU nest depth: {}, expected: {}") {
            (atomic.rcu_depth, atomic.rcu_depth_expected) = (row.number(depth), row.number(expected));
        } else if let Some((_, rest)) = text.cut("Preemption disabled at:") {
            let below = view.below(row).next();
            atomic.preempt_disabled_at =
                row.words(&place(rest)).or_else(|| below.and_then(|below| below.words(&place(below.text))));
        } else if let Some([function]) = scan(text, "last function: {}") {
            atomic.last_function = row.words(function);
        } else if let Some([caller]) = begins(text, "caller is {}") {
            atomic.caller = row.words(&place(caller));
        }
    }
    Some(atomic)
}

details! {
    /// A stack that ran over, or was overwritten.
    StackOverflow = "stack_overflow" {
        /// `stack guard page`, `kernel stack overflow`, `stack-protector`, `corrupted stack end`, `double fault`.
        sort: String,
        /// Which stack: `TASK`, `IRQ`, `#DF`…
        which: String,
        /// The address that was hit.
        address: PrintedHex,
        /// The stack's lowest address.
        stack_from: PrintedHex,
        /// Its end.
        stack_to: PrintedHex,
        /// The interrupt stack's lowest address (arm64).
        irq_stack_from: PrintedHex,
        /// Its end.
        irq_stack_to: PrintedHex,
        /// The overflow stack's lowest address (arm64).
        overflow_stack_from: PrintedHex,
        /// Its end.
        overflow_stack_to: PrintedHex,
        /// The function whose canary was overwritten.
        function: String,
        /// The double fault's error code.
        error_code: PrintedHex,
    }
}

pub(super) fn stack_overflow(view: &View<'_>) -> Option<StackOverflow> {
    // What the loop takes for a sort.
    view.may_have_any(&[
        "stack guard page was hit at ",
        "PANIC: double fault, error_code: ",
        "Kernel stack is corrupted in: ",
        "corrupted stack end detected",
        "kernel stack overflow",
    ])
    .then_some(())?;
    let mut stack = StackOverflow::default();
    for row in &view.rows {
        let text = row.text;
        if let Some([which, address, from, to]) =
            scan(text, "BUG: {}stack guard page was hit at {} (stack is {}..{})")
        {
            stack.sort = row.words("stack guard page");
            stack.which = row.words(which);
            stack.address = row.hex(address);
            (stack.stack_from, stack.stack_to) = (row.hex(from), row.hex(to));
        } else if let Some([code]) = scan(text, "PANIC: double fault, error_code: {}") {
            stack.sort = stack.sort.take().or_else(|| row.words("double fault"));
            stack.error_code = row.hex(code);
        } else if let Some([function]) = scan(text, "Kernel stack is corrupted in: {}") {
            stack.sort = row.words("stack-protector");
            stack.function = row.words(&place(function));
        } else if text.contains("corrupted stack end detected") {
            stack.sort = row.words("corrupted stack end");
        } else if text.contains("kernel stack overflow") && text.contains("Kernel panic") {
            stack.sort = row.words("kernel stack overflow");
        } else if let Some((which, [from, to])) = ["Task", "IRQ", "Overflow"]
            .iter()
            .find_map(|which| Some((*which, begins(text, &format!("{which} stack:{{}}..{{}}"))?)))
        {
            let (from, to) = (row.hex(from), row.hex(to));
            match which {
                "Task" => (stack.stack_from, stack.stack_to) = (from, to),
                "IRQ" => (stack.irq_stack_from, stack.irq_stack_to) = (from, to),
                _ => (stack.overflow_stack_from, stack.overflow_stack_to) = (from, to),
            }
        } else if let Some([far]) = begins(text, "FAR: {}") {
            stack.address = stack.address.take().or_else(|| row.hex(far));
        }
    }
    stack.sort.is_some().then_some(stack)
}

details! {
    /// The panic that ended it.
    Panic = "panic" {
        /// Its words.
        message: String,
        /// It ended another crash rather than being one itself.
        consequence: bool,
    }
}

pub(super) fn panic(view: &View<'_>) -> Option<Panic> {
    let (row, [message]) = view.find("Kernel panic - not syncing: {}")?;
    let consequence = view.record.family != Some(Family::Panic) && view.record.first_line != row.line;
    Some(Panic { message: row.words(message), consequence: row.at(consequence) })
}

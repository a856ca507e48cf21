//! How far a report reaches: where, below its last line, nothing more can belong to it.
//!
//! Most reports have no last line that says so, and without a bound everything below the last
//! report of a log would be a part of it and have to be read. The rule: a report is over when so
//! many lines in a row have shown none of the marks that lines of reports have. Other tasks and
//! programs print into a report while it is written, but not that much.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// Lines without any mark after which a report is over.
const QUIET: usize = 512;

/// The same for a report that has printed its end marker: what follows it (the repetition of the
/// registers, the panic) follows at once.
const QUIET_AFTER_END: usize = 64;

/// The most lines of a report. The longest that kernels print are the stacks of every CPU and
/// every lock of a big machine; what is longer only looks like one.
const MOST_LINES: usize = 32 * 1024;

/// Parts of lines that reports have and healthy kernels do not print: one of them is enough.
const MARKS: &[&str] = &[
    "Call Trace",
    "Call trace",
    "acktrace:",
    "---[ end",
    "Kernel panic",
    "Kernel Offset",
    "Modules linked in",
    "NMI backtrace",
    "Sending NMI",
    "Code: ",
    "RIP: ",
    "PC is at",
    "pc : ",
    "Hardware name: ",
    "llocated by task",
    "reed by task",
    "locks held by",
    "lock held by",
    "all locks held",
    "Memory state around",
    "Mem-Info",
    "Rebooting in",
    "<TASK>",
];

/// Parts of lines that reports have many of and healthy kernels some: several lines in a row must
/// have one.
const SIGNS: &[&str] = &[
    // Places and addresses, in frames, registers, dumps and lists of locks.
    "+0x",
    "[<",
    "ffff",
    "00000000",
    "0x00000",
    "lr :",
    "sp :",
    "LR is at",
    // Headings.
    "CPU: ",
    "PID: ",
    "pid:",
    "Comm: ",
    "comm ",
    "ainted",
    "Workqueue: ",
    "Stack:",
    "TASK>",
    "IRQ>",
    "EOI>",
    "llocated",
    "Freed in",
    "Object ",
    "Redzone",
    "Padding",
    "buggy address",
    "Register",
    "GPR",
    "PSW",
    "EFLAGS",
    "=====",
    "-----",
    // Locks, stalls, memory.
    "holding",
    "holder",
    "at: ",
    "#0: ",
    "stall",
    "blocked for",
    "task:",
    "locked",
    "active_",
    "oom",
    // The end.
    "PHYS_OFFSET",
    "CPU features",
    "Memory Limit",
];

/// So many lines in a row with a sign are as good as a mark.
const ROW: usize = 3;

static FINDER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(MARKS.iter().chain(SIGNS)).ok());

/// What is known of one report's reach.
pub(crate) struct Extent {
    last: usize,
    count: usize,
    /// Lines with a sign or a mark, in a row.
    row: usize,
}

impl Extent {
    /// Of a report whose trigger is the line at `index`.
    pub(crate) fn new(index: usize) -> Extent {
        Extent { last: index, count: 1, row: 1 }
    }

    /// The report takes the line at `index`.
    pub(crate) fn take(&mut self, index: usize, text: &str) {
        self.count += 1;
        let Some(finder) = FINDER.as_ref() else { return };
        let (mut sign, mut mark) = (false, false);
        for found in finder.find_overlapping_iter(text) {
            sign = true;
            mark = found.pattern().as_usize() < MARKS.len();
            if mark {
                break;
            }
        }
        self.row = if sign { self.row + 1 } else { 0 };
        if mark || self.row >= ROW {
            self.last = index;
        }
    }

    /// Whether the line at `index` can be no part of it any more.
    pub(crate) fn is_over(&self, index: usize, ended: bool) -> bool {
        let quiet = if ended { QUIET_AFTER_END } else { QUIET };
        index.saturating_sub(self.last) > quiet || self.count >= MOST_LINES
    }
}

//! Cuts a log into reports: which lines belong to which crash.

use crate::extent::Extent;
use crate::store::Store;
use crate::text::{Caller, Line};
use crate::trigger::{self, Hit};

/// One report's lines, by index into the log's lines.
pub(crate) struct Report {
    /// Lines just before the trigger that already speak of the crash.
    pub preface: Vec<usize>,
    /// The trigger line and what belongs to it.
    pub lines: Vec<usize>,
    /// What its caller printed on, below the next report: kept where the report itself has no
    /// stack, because the rest of a torn report, or its stack, may be among it.
    pub later: Vec<usize>,
    /// Where in the trigger line the trigger stands.
    pub hit: Hit,
    caller: Caller,
    stamped: bool,
    /// Where the next report took its place, while it waits for what comes later.
    waiting: Option<usize>,
    /// The lines of a stack that it has, its header included.
    stacked: usize,
    /// Nothing more belongs to it.
    closed: bool,
    ended: bool,
    oopsed: bool,
    any_cpu: bool,
    extent: Extent,
}

/// Lines that precede the trigger line of the report they belong to.
const PREFACES: &[&str] = &[
    "------------[ cut here",
    "list_add ",
    "list_add_",
    "list_del ",
    "list_del_",
    "refcount_t: ",
    "usercopy: ",
    "skbuff: skb_over_panic",
    "skbuff: skb_under_panic",
    "skb_over_panic",
    "ODEBUG: ",
    "kernel tried to execute",
    "Insufficient stack space",
    "detected buffer overflow",
    "=====",
    "mce: [Hardware Error]",
    "[Hardware Error]",
    "DEBUG_LOCKS_WARN_ON",
    "rust_kernel: panicked",
    "attempt to ",
];

/// How far above its trigger a preface may stand.
const PREFACE_LINES: usize = 6;

/// Cuts a log into reports, line by line: those that can still grow, in the order of their triggers.
#[derive(Default)]
pub(crate) struct Cutter {
    reports: Vec<Report>,
    /// The trigger line of the latest report of all, finished or not.
    latest: Option<usize>,
}

impl Cutter {
    /// Takes the line at `index` of `lines`; the line after it must be there already unless there
    /// is none.
    pub(crate) fn line(&mut self, lines: &Store, index: usize) {
        let Some(line) = lines.get(index) else { return };
        let text = line.text.as_ref();
        let reports = &mut self.reports;
        for report in reports.iter_mut().filter(|report| !report.closed) {
            report.closed = match report.waiting {
                Some(since) => index.saturating_sub(since) > LATER_LINES,
                None => report.extent.is_over(index, report.ended),
            };
        }
        if reports.iter().all(|report| report.closed || report.waiting.is_some()) {
            reports.iter_mut().for_each(|report| report.closed = true);
        }
        if text.starts_with("Linux version ") || text.starts_with("Booting Linux on physical CPU") {
            // The next boot: nothing below belongs to what crashed before it.
            reports.iter_mut().for_each(|report| report.closed = true);
        }
        if let Some(hit) = trigger::find(text) {
            // A line that printk replays after dropping messages comes whole again below.
            let replayed = lines
                .get(index + 1)
                .is_some_and(|l| l.text.starts_with("** replaying previous printk message"));
            if replayed {
                return;
            }
            let owner = owner(reports, &line);
            let unfolded =
                index.checked_sub(1).and_then(|i| lines.get(i)).is_some_and(|l| unfolds(&l.text, text, hit));
            let follows = owner.and_then(|o| reports.get(o)).is_some_and(|report| {
                unfolded && !report.ended || hit.mild && !report.hit.mild || report.continues_with(hit, text)
            });
            if !follows {
                let preface = preface(lines, index, self.latest);
                if let Some(last) = reports.last_mut() {
                    while last.lines.len() > 1 && last.lines.last().is_some_and(|l| preface.contains(l)) {
                        last.lines.pop();
                    }
                }
                if !hit.mild {
                    self.latest = Some(index);
                }
                reports.push(Report {
                    preface,
                    lines: vec![index],
                    later: Vec::new(),
                    hit,
                    caller: line.caller,
                    stamped: line.time.is_some(),
                    waiting: None,
                    stacked: 0,
                    closed: false,
                    ended: false,
                    oopsed: text.contains("[#"),
                    any_cpu: false,
                    extent: Extent::new(index),
                });
                close_superseded(reports, index);
                // The header, too: it is where a title's lines end.
                reports.iter_mut().for_each(|report| report.overhear(&line, index));
                return;
            }
        }
        reports.iter_mut().for_each(|report| report.overhear(&line, index));
        if let Some(report) = owner(reports, &line).and_then(|owner| reports.get_mut(owner)) {
            report.take(index, text);
        }
    }

    /// The first report, once nothing can be added to it.
    pub(crate) fn finished(&mut self) -> Option<Report> {
        self.reports.first().is_some_and(|report| report.closed).then(|| self.reports.remove(0))
    }

    /// Whether no report is being read, so that lines without a trigger mean nothing.
    pub(crate) fn is_idle(&self) -> bool {
        self.reports.iter().all(|report| report.closed)
    }

    /// Nothing more belongs to the reports so far.
    pub(crate) fn close(&mut self) {
        self.reports.iter_mut().for_each(|report| report.closed = true);
    }

    /// The first line that is still needed: of a report, or above one that the next line may open.
    pub(crate) fn needs(&self, next: usize) -> usize {
        let report = self.reports.first().and_then(|report| report.preface.first().or(report.lines.first()));
        let above = next.saturating_sub(LINES_ABOVE);
        report.map_or(above, |first| above.min(*first))
    }
}

/// How many lines above a trigger may matter to its report.
pub(crate) const LINES_ABOVE: usize = 128;

/// How many reports may be open at a time. Few are; looking further back would make a log of many
/// thousand reports quadratic.
const LOOK_BACK: usize = 8;

/// How far below the next report a report's caller is listened to: torn reports and the stacks
/// of other CPUs are over by then.
const LATER_LINES: usize = 1000;

/// Fewer lines of a stack than this, its header included, are none to name a report by.
const STACK_LINES: usize = 4;

/// Closes the reports to which no line can come any more because a later one takes it first.
fn close_superseded(reports: &mut [Report], index: usize) {
    let old = reports.len().saturating_sub(LOOK_BACK);
    let Some((newest, before)) = reports.split_last_mut() else { return };
    for (nth, report) in before.iter_mut().enumerate() {
        let same = newest.caller == Caller::Unknown || report.caller == newest.caller;
        let superseded = same && !report.any_cpu;
        if superseded && !report.closed && report.waiting.is_none() && report.stacked < STACK_LINES {
            report.waiting = Some(index);
        } else {
            report.closed |= superseded && report.waiting.is_none();
        }
        report.closed |= nth < old;
    }
}

/// Whether `text` is the header `before` once more, for the next function outwards: a symboliser
/// repeats a line for each call that was inlined at its place.
fn unfolds(before: &str, text: &str, hit: Hit) -> bool {
    let same = before.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    // What differs begins with the function's name, behind the header's words.
    before.contains(" [inline]") && same > hit.at.saturating_add(hit.needle.len()).saturating_add(1)
}

/// The report that a line belongs to: the latest one of the same printk caller, where the log
/// names callers; otherwise the latest.
fn owner(reports: &[Report], line: &Line<'_>) -> Option<usize> {
    let open = |report: &Report| !report.closed && report.waiting.is_none();
    let recent = || reports.iter().enumerate().rev().filter(|(_, report)| open(report));
    if line.caller == Caller::Unknown {
        return recent().next().map(|(index, _)| index);
    }
    let own = recent().find(|(_, report)| report.caller == line.caller);
    let other = || {
        recent().find(|(_, report)| {
            report.caller == Caller::Unknown || report.any_cpu && matches!(line.caller, Caller::Cpu(_))
        })
    };
    own.or_else(other).map(|(index, _)| index)
}

/// What ARM64 prints first when an exception finds no room on the stack: the state of the crash
/// stands between it and the panic that ends it (`panic_bad_stack()` in arch/arm64/kernel/traps.c).
/// RISC-V says the same; IBM Z has words of its own.
pub(crate) const NO_STACK: [&str; 2] =
    ["Insufficient stack space to handle exception!", "Kernel stack overflow."];

/// The panics that end it.
const NO_STACK_PANICS: [&str; 3] =
    ["kernel stack overflow", "Kernel stack overflow", "Corrupt kernel stack, can't continue"];

/// How many lines that state takes at the most.
const NO_STACK_LINES: usize = 60;

/// The lines from [`NO_STACK`] up to the panic at `index`.
fn bad_stack(lines: &Store, index: usize, last: Option<usize>) -> Option<Vec<usize>> {
    let own = lines.get(index)?;
    if !NO_STACK_PANICS.iter().any(|words| own.text.contains(words)) {
        return None;
    }
    let from = index.saturating_sub(NO_STACK_LINES);
    let from = from.max(last.map_or(0, |first| first + 1));
    let start = (from..index).rev().find(|at| {
        lines.get(*at).is_some_and(|line| line.caller == own.caller && NO_STACK.contains(&line.text.trim()))
    })?;
    let same = |at: &usize| lines.get(*at).is_some_and(|line| line.caller == own.caller);
    Some((start..index).filter(same).collect())
}

fn preface(lines: &Store, index: usize, last: Option<usize>) -> Vec<usize> {
    if let Some(state) = bad_stack(lines, index, last) {
        return state;
    }
    let from = index.saturating_sub(PREFACE_LINES);
    let from = from.max(last.map_or(0, |first| first + 1));
    let Some(own) = lines.get(index) else { return Vec::new() };
    (from..index)
        .filter(|at| {
            lines.get(*at).is_some_and(|line| {
                let text = line.text.trim_start();
                line.caller == own.caller && PREFACES.iter().any(|start| text.starts_with(start))
            })
        })
        .collect()
}

impl Report {
    fn take(&mut self, index: usize, text: &str) {
        self.lines.push(index);
        self.extent.take(index, text);
        if self.stacked > 0
            || text.contains("all Trace")
            || text.contains("all trace")
            || text.contains("acktrace:")
        {
            self.stacked += usize::from(self.stacked == 0 || text.contains("+0x"));
        }
        self.ended |= text.trim_start().starts_with("---[ end trace");
        self.oopsed |= text.contains("[#");
        self.any_cpu |= text.contains("Sending NMI from CPU") || text.contains("Sending NMI to ");
    }

    /// Notes a line that is another report's, if the same caller printed it.
    fn overhear(&mut self, line: &Line<'_>, index: usize) {
        let own = line.caller == self.caller || self.any_cpu && matches!(line.caller, Caller::Cpu(_));
        if self.waiting.is_some() && !self.closed && own && line.time.is_some() == self.stamped {
            self.later.push(index);
            self.any_cpu |= line.text.contains("Sending NMI from CPU");
        }
    }

    /// Whether a trigger in a line of this report's context goes on with it instead of opening another.
    fn continues_with(&self, hit: Hit, text: &str) -> bool {
        if self.hit.mild {
            return false;
        }
        match hit.needle {
            // A panic that only says that the kernel stops because of what stands above.
            "Kernel panic" => !self.ended || PANIC_CONSEQUENCES.iter().any(|word| text.contains(word)),
            // The die() line of a fault or of a BUG.
            "Internal error:" | "Oops" | "invalid opcode:" | ": 0000 [#" | "exception: 00"
            | "operation: 000" => !self.ended && !self.oopsed && self.announces_oops(),
            // riscv's second line of a BUG.
            "Kernel BUG" if text.contains("Kernel BUG [#") => {
                !self.ended && !self.oopsed && self.announces_oops()
            }
            // `Oops: invalid opcode: …`, `traps: PANIC: double fault`: one line, two words.
            "PANIC: double fault" => false,
            "SError Interrupt" | "unregister_netdevice: waiting for" => !self.ended,
            "kernel BUG" | "Kernel BUG" => {
                !self.ended && matches!(self.hit.needle, "panicked at" | "BUG kmalloc-")
            }
            "INFO:" => {
                !self.ended && matches!(self.hit.needle, "BUG:" | "BUG kmalloc-") && is_slab_detail(text)
            }
            "unreferenced object" => self.hit.needle == "BUG:" && self.lines.len() < 3,
            // The secure world's panic, and what its driver says to it at once.
            "WARNING:" => self.hit.needle.starts_with("trusty: ") && self.lines.len() <= SECURE_WORLD_LINES,
            _ => false,
        }
    }

    fn announces_oops(&self) -> bool {
        matches!(
            self.hit.needle,
            "Unable to handle kernel"
                | "BUG:"
                | "kernel BUG"
                | "Kernel BUG"
                | "panicked at"
                | "Unhandled fault:"
                | "Unhandled prefetch abort:"
                | "Alignment trap:"
        )
    }
}

/// How many lines the secure world has to say before its driver warns.
const SECURE_WORLD_LINES: usize = 8;

/// SLUB's own lines within its report.
fn is_slab_detail(text: &str) -> bool {
    ["INFO: Allocated in", "INFO: Freed in", "INFO: Slab", "INFO: Object"]
        .iter()
        .any(|start| text.contains(start))
}

/// Texts of panics that are the consequence of an earlier report.
const PANIC_CONSEQUENCES: &[&str] = &[
    "Fatal exception",
    "Oops",
    "panic_on_warn set",
    "hung_task",
    "softlockup",
    "Hard LOCKUP",
    "RCU Stall",
    "kasan.fault=panic set",
    "KFENCE: ",
    "UBSAN: ",
    "Attempted to kill init",
    "Aiee, killing interrupt handler",
    "System is deadlocked",
    "panic_on_oops",
    "BUG!",
    "Asynchronous SError",
];

//! What each family of reports says beyond an oops: typed, with the line of every field.
//!
//! One file a group of families. A reader looks for the kernel's own wordings, older and newer,
//! and fills what it finds; what a report does not say stays `None`. Stacks are not kept twice:
//! a [`StackRef`] names the one of the record.
//!
//! [`Details::sections`] shows all of it in one uniform, language-free shape, for reports.

mod atomic;
mod hardware;
mod heap;
mod locks;
mod memory;
mod race;
mod sanitizer;
mod scan;
mod stall;
#[cfg(test)]
mod tests;

pub use atomic::{Atomic, Panic, StackOverflow};
pub use hardware::{Edac, Ghes, GhesSection, MachineCheck};
pub use heap::{BadPage, Leak, ListCorruption, Refcount, Slab, SlabTrack, Usercopy};
pub use locks::{Link, Lock, Lockdep, Step, TaskLocks, Usage};
pub use memory::{AllocationFailure, Oom};
pub use race::{Kcsan, KcsanAccess, Ubsan};
pub use sanitizer::{FrameObject, Kasan, Kfence, Kmsan, Track};
pub use stall::{BusyQueue, CpuStack, HungTask, Lockup, RcuStall, StalledCpu, WorkerPool, WorkqueueLockup};

use crate::record::{CrashRecord, Located, PrintedHex};
use crate::text::Line;
use crate::words::Index;

/// What is known of a field: `None` where the report does not print it.
pub type Field<T> = Option<Located<T>>;

/// A stack of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackRef {
    /// [`CrashRecord::frames`].
    Own,
    /// [`CrashRecord::other_stacks`] at this index.
    Other(usize),
}

/// A task as reports name it: `comm/pid`, `comm:pid`, or the pid alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// Its name; empty where only the pid is printed.
    pub comm: String,
    /// Its process id.
    pub pid: Option<u32>,
}

/// A value of a field, in a uniform shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A count, size or id.
    Number(u64),
    /// A number that may be below zero.
    Signed(i64),
    /// An address or a raw value.
    Hex(PrintedHex),
    /// Yes or no.
    Flag(bool),
    /// Words of the log.
    Text(String),
}

/// A field that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The field's name in its struct.
    pub name: &'static str,
    /// What it says.
    pub value: Value,
    /// 1-based line of the log.
    pub line: u32,
}

/// A struct of details, in a uniform shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Which: `kasan`, `lock`, `hung_task`…
    pub key: &'static str,
    /// The fields found, in the struct's order.
    pub facts: Vec<Fact>,
    /// Its stack, where it has one.
    pub stack: Option<StackRef>,
    /// What it is made of: locks, tracks, accesses…
    pub parts: Vec<Section>,
}

/// A struct of details that can be shown.
pub trait Show {
    /// Its uniform shape; `None` where nothing was found.
    fn section(&self) -> Option<Section>;
}

/// A type of field.
trait Shown {
    fn shown(&self) -> Value;
}

macro_rules! numbers { ($($t:ty),*) => { $(impl Shown for $t {
    fn shown(&self) -> Value { Value::Number(u64::from(*self)) }
})* } }
numbers!(u8, u32, u64);

impl Shown for i64 {
    fn shown(&self) -> Value {
        Value::Signed(*self)
    }
}
impl Shown for bool {
    fn shown(&self) -> Value {
        Value::Flag(*self)
    }
}
impl Shown for String {
    fn shown(&self) -> Value {
        Value::Text(self.clone())
    }
}
impl Shown for PrintedHex {
    fn shown(&self) -> Value {
        Value::Hex(self.clone())
    }
}
impl Shown for Task {
    fn shown(&self) -> Value {
        Value::Text(match (self.comm.as_str(), self.pid) {
            ("", Some(pid)) => pid.to_string(),
            (comm, Some(pid)) => format!("{comm}/{pid}"),
            (comm, None) => comm.to_owned(),
        })
    }
}
impl Shown for (String, u32) {
    fn shown(&self) -> Value {
        Value::Text(format!("{}:{}", self.0, self.1))
    }
}

/// Several, or perhaps one, struct of details within another.
trait Within {
    fn within(&self, parts: &mut Vec<Section>);
}
impl<T: Show> Within for Vec<T> {
    fn within(&self, parts: &mut Vec<Section>) {
        parts.extend(self.iter().filter_map(Show::section));
    }
}
impl<T: Show> Within for Option<T> {
    fn within(&self, parts: &mut Vec<Section>) {
        parts.extend(self.iter().filter_map(Show::section));
    }
}

/// Declares a struct of details: its fields, then `stack` where it has one, then its parts.
macro_rules! details {
    (@stack $s:ident) => { None };
    (@stack $s:ident stack) => { $s.stack };
    ($(#[$doc:meta])* $name:ident = $key:literal {
        $($(#[$fdoc:meta])* $field:ident: $t:ty,)*
        $(; stack $(#[$sdoc:meta])* $stack:ident)?
        $(; parts $($(#[$pdoc:meta])* $part:ident: $pt:ty,)*)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[$fdoc])* pub $field: $crate::details::Field<$t>,)*
            $($(#[$sdoc])* pub $stack: Option<$crate::details::StackRef>,)?
            $($($(#[$pdoc])* pub $part: $pt,)*)?
        }
        impl $crate::details::Show for $name {
            fn section(&self) -> Option<$crate::details::Section> {
                #[allow(unused_mut)]
                let mut facts: Vec<$crate::details::Fact> = Vec::new();
                $(if let Some(field) = &self.$field {
                    facts.push($crate::details::Fact {
                        name: stringify!($field),
                        value: $crate::details::Shown::shown(&field.value),
                        line: field.line,
                    });
                })*
                #[allow(unused_mut)]
                let mut parts: Vec<$crate::details::Section> = Vec::new();
                $($($crate::details::Within::within(&self.$part, &mut parts);)*)?
                let stack = details!(@stack self $($stack)?);
                if facts.is_empty() && parts.is_empty() && stack.is_none() {
                    return None;
                }
                Some($crate::details::Section { key: $key, facts, stack, parts })
            }
        }
        #[cfg(test)]
        impl $crate::details::tests::Named for $name {
            const KEY: &'static str = $key;
            const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];
        }
    };
}
pub(crate) use details;

/// Everything of this sort that a report says.
#[derive(Clone, Default, PartialEq)]
pub struct Details {
    /// KASAN, all modes.
    pub kasan: Option<Kasan>,
    /// KFENCE.
    pub kfence: Option<Kfence>,
    /// KMSAN.
    pub kmsan: Option<Kmsan>,
    /// KCSAN.
    pub kcsan: Option<Kcsan>,
    /// UBSAN.
    pub ubsan: Option<Ubsan>,
    /// lockdep's reports, suspicious RCU usage among them.
    pub lockdep: Option<Lockdep>,
    /// Locks held, by task.
    pub held: Vec<TaskLocks>,
    /// RCU stalls.
    pub rcu_stall: Option<RcuStall>,
    /// Soft and hard lockups.
    pub lockup: Option<Lockup>,
    /// Hung tasks.
    pub hung_tasks: Vec<HungTask>,
    /// Workqueue lockups.
    pub workqueue: Option<WorkqueueLockup>,
    /// `refcount_t: …`.
    pub refcount: Option<Refcount>,
    /// `list_add corruption`, `list_del corruption`.
    pub list: Option<ListCorruption>,
    /// Hardened usercopy.
    pub usercopy: Option<Usercopy>,
    /// SLUB's own reports.
    pub slab: Option<Slab>,
    /// `Bad page state` and other page dumps.
    pub bad_page: Option<BadPage>,
    /// Memory leaks.
    pub leaks: Vec<Leak>,
    /// OOM kills.
    pub oom: Option<Oom>,
    /// Allocations that failed.
    pub allocation: Option<AllocationFailure>,
    /// Sleeping, scheduling or using per-cpu data where one must not.
    pub atomic: Option<Atomic>,
    /// Stacks that ran over.
    pub stack_overflow: Option<StackOverflow>,
    /// The panic's words.
    pub panic: Option<Panic>,
    /// Machine checks, one a bank.
    pub machine_checks: Vec<MachineCheck>,
    /// Memory controllers' errors.
    pub edac: Vec<Edac>,
    /// Errors that firmware reports.
    pub ghes: Option<Ghes>,
}

impl Details {
    /// All of it, in one shape; empty where the report says nothing of the sort.
    #[must_use]
    pub fn sections(&self) -> Vec<Section> {
        let mut all = Vec::new();
        self.kasan.within(&mut all);
        self.kfence.within(&mut all);
        self.kmsan.within(&mut all);
        self.kcsan.within(&mut all);
        self.ubsan.within(&mut all);
        self.slab.within(&mut all);
        self.list.within(&mut all);
        self.refcount.within(&mut all);
        self.usercopy.within(&mut all);
        self.lockdep.within(&mut all);
        self.rcu_stall.within(&mut all);
        self.lockup.within(&mut all);
        self.hung_tasks.within(&mut all);
        self.workqueue.within(&mut all);
        self.atomic.within(&mut all);
        self.held.within(&mut all);
        self.bad_page.within(&mut all);
        self.leaks.within(&mut all);
        self.oom.within(&mut all);
        self.allocation.within(&mut all);
        self.stack_overflow.within(&mut all);
        self.machine_checks.within(&mut all);
        self.edac.within(&mut all);
        self.ghes.within(&mut all);
        self.panic.within(&mut all);
        all
    }
}

impl Details {
    /// 1-based line of the log that the last of the fields stands on; 0 where there are none.
    pub(crate) fn last_line(&self) -> u32 {
        fn last(section: &Section) -> u32 {
            let own = section.facts.iter().map(|fact| fact.line);
            own.chain(section.parts.iter().map(last)).max().unwrap_or(0)
        }
        self.sections().iter().map(last).max().unwrap_or(0)
    }
}

/// Only what was found: most reports are of one family.
impl std::fmt::Debug for Details {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.sections()).finish()
    }
}

/// A line as the readers see it.
#[derive(Clone, Copy)]
struct Row<'a> {
    /// Which of the report's lines it is.
    index: usize,
    /// 1-based line of the log.
    line: u32,
    /// Trimmed on the right alone: tables keep their columns.
    raw: &'a str,
    text: &'a str,
}

/// A report as the readers see it.
struct View<'a> {
    rows: Vec<Row<'a>>,
    /// Which words its lines may have.
    index: Index,
    record: &'a CrashRecord,
}

/// Reads the details of the report that `preface` and `lines` make, whose fields are in `record`.
pub(crate) fn read(preface: &[&Line<'_>], lines: &[&Line<'_>], record: &CrashRecord) -> Details {
    let rows = preface.iter().chain(lines).enumerate().map(|(index, line)| {
        let raw = line.text.trim_end();
        // RCU and others say once more on each line who speaks.
        let text = raw.trim_start();
        Row { index, line: line.number, raw, text: text.strip_prefix("rcu: ").unwrap_or(text).trim_start() }
    });
    let rows: Vec<Row<'_>> = rows.collect();
    let index = Index::of(rows.iter().map(|row| row.text));
    let view = View { rows, index, record };
    Details {
        kasan: sanitizer::kasan(&view),
        kfence: sanitizer::kfence(&view),
        kmsan: sanitizer::kmsan(&view),
        kcsan: race::kcsan(&view),
        ubsan: race::ubsan(&view),
        lockdep: locks::lockdep(&view),
        held: locks::held(&view),
        rcu_stall: stall::rcu(&view),
        lockup: stall::lockup(&view),
        hung_tasks: stall::hung(&view),
        workqueue: stall::workqueue(&view),
        refcount: heap::refcount(&view),
        list: heap::list(&view),
        usercopy: heap::usercopy(&view),
        slab: heap::slab(&view),
        bad_page: heap::bad_page(&view),
        leaks: heap::leaks(&view),
        oom: memory::oom(&view),
        allocation: memory::allocation(&view),
        atomic: atomic::atomic(&view),
        stack_overflow: atomic::stack_overflow(&view),
        panic: atomic::panic(&view),
        machine_checks: hardware::machine_checks(&view),
        edac: hardware::edac(&view),
        ghes: hardware::ghes(&view),
    }
}

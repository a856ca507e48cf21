//! Fills a [`CrashRecord`] from the lines of one report.
//!
//! One pass over the lines, one small recogniser a kind of line. Three rules decide what a line may
//! fill: the first register block is the crash's; a block that follows a user-space `RIP`/`pc` is
//! the user's; and after `---[ end trace` only what the kernel prints last (panic, KASLR offset)
//! counts, because registers printed there are a repetition.

mod arm;
mod arm32;
mod cpus;
mod header;
mod i386;
mod loongarch;
mod mips;
mod ppc;
mod riscv;
mod s390;
mod system;
mod trace;
pub(crate) mod values;
mod x86;

pub(crate) use system::looks_cut;
pub(crate) use trace::is_call_trace;

use std::collections::BTreeSet;

use kwhy_base::{Reg, RegValue};

use crate::record::{CrashRecord, Located, PrintedHex};
use crate::text::Line;
use crate::words::begins_any;

/// Where in the report the reader is.
#[derive(Default)]
struct State {
    /// Inside the user's register block.
    user: bool,
    /// After `---[ end trace`.
    ended: bool,
    /// Inside a call trace, and which: `None` outside, `Some(None)` the crash's own, `Some(Some(i))` `other_stacks[i]`.
    trace: Option<Option<usize>>,
    /// The crash's own trace has been opened.
    own_trace: bool,
    /// The trace goes on to the next empty line only.
    trace_to_blank: bool,
    /// The line before was part of the module list.
    in_modules: bool,
    /// What the line before opened that goes on without a mark of its own.
    rows: cpus::Rows,
    /// The crash's own trace has left the interrupt's stack: what follows is what was interrupted.
    left_interrupt: bool,
    /// Inside an x86 `Stack:` dump.
    in_stack: bool,
    /// The program counter so far is only the short form of old kernels' headers.
    pc_from_header: bool,
    /// A `Code:` line of the crash was seen.
    code_seen: bool,
    /// Names printed so far in the first block.
    names: BTreeSet<String>,
}

/// The record of the report that `lines` make; the first of them is the trigger line.
/// `preface` are the lines just before it that already speak of it.
pub(crate) fn read(preface: &[&Line<'_>], lines: &[&Line<'_>]) -> CrashRecord {
    let mut record = CrashRecord::default();
    let mut state = State::default();
    if let Some(first) = lines.first() {
        record.first_line = preface.first().map_or(first.number, |line| line.number);
        record.last_line = first.number;
        record.header = first.text.trim().to_owned();
    }
    // Where the stack was full the whole state comes before the panic that names the crash.
    let state_first =
        preface.first().is_some_and(|line| crate::segment::NO_STACK.contains(&line.text.trim()));
    for (index, line) in preface.iter().enumerate() {
        if state_first && index > 0 {
            let far = line.text.trim().strip_prefix("FAR: ").and_then(values::hex_token);
            if let Some(value) = far {
                record.fault_address = Some(Located { value, line: line.number });
            }
            read_line(line, false, &mut state, &mut record);
        } else {
            header::preface(line, &mut record);
        }
        note_time(line, &mut record);
    }
    for (index, line) in lines.iter().enumerate() {
        let known = read_line(line, index == 0, &mut state, &mut record);
        if known {
            record.last_line = record.last_line.max(line.number);
            note_time(line, &mut record);
        }
    }
    record.arch = record.arch.or_else(|| cpus::guess(&record));
    let closed = record.modules.iter().any(|m| m.last_unloaded);
    record.modules_cut |=
        !closed && record.modules.last().is_some_and(|m| m.taints.is_empty() && looks_cut(&m.name));
    record
}

fn note_time(line: &Line<'_>, record: &mut CrashRecord) {
    if let Some(time) = line.time {
        record.timestamps.push((line.number, time));
    }
}

/// Reads one line; `false` when nothing in it was understood.
fn read_line(line: &Line<'_>, first: bool, state: &mut State, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    if text.is_empty() {
        state.in_modules = false;
        if std::mem::take(&mut state.trace_to_blank) {
            state.trace = None;
        }
        return false;
    }
    if first {
        header::trigger(line, record);
        trace::header(text, state);
    }
    if std::mem::take(&mut state.in_modules) && system::more_modules(text, line.number, record) {
        state.in_modules = true;
        return true;
    }
    if system::last_words(line, record) {
        return true;
    }
    if state.ended {
        return after_end(text);
    }
    if text.starts_with("---[ end trace") {
        state.ended = true;
        state.trace = None;
        return true;
    }
    if let Some(list) = text.strip_prefix("Modules linked in:") {
        if record.modules.is_empty() {
            system::modules(list, line.number, record);
            state.in_modules = true;
        }
        state.trace = None;
        return true;
    }
    if std::mem::take(&mut state.in_stack) && x86::more_stack(text, record) {
        state.in_stack = true;
        return true;
    }
    first
        || header::follow_up(line, record)
            | (system::machine(line, record)
                || cpus::line(line, state, record)
                || trace::line(line, state, record))
}

/// Lines after `---[ end trace` that still belong to the report: the repetition of the registers.
fn after_end(text: &str) -> bool {
    const HEADS: &[&str] = &[
        "RIP: ", "RSP: ", "Code: ", "RAX: ", "RDX: ", "RBP: ", "R10: ", "R13: ", "FS: ", "CS: ", "CR2: ",
        "PKRU: ", "EIP: ", "EAX: ", "ESI: ", "DS: ", "CR0: ", "note: ",
    ];
    begins_any(text, HEADS)
}

impl State {
    /// Stores a register of the first block; later blocks and the user's are passed over.
    fn register(&mut self, record: &mut CrashRecord, name: &str, reg: Reg, digits: &str, line: u32) {
        self.register_of(record, name, reg, digits, &[16], line);
    }

    /// The same for a register whose value has as many digits as one of `widths`.
    fn register_of(
        &mut self,
        record: &mut CrashRecord,
        name: &str,
        reg: Reg,
        digits: &str,
        widths: &[usize],
        line: u32,
    ) {
        if self.user || self.ended || !self.names.insert(name.to_owned()) {
            return;
        }
        let printed = PrintedHex::new(digits);
        let value = match printed.value {
            // The kernel prints lower case: a `D` is rather a zero that was misread.
            Some(value)
                if widths.contains(&digits.len()) && !digits.bytes().any(|b| b.is_ascii_uppercase()) =>
            {
                RegValue::Known { value, line }
            }
            digits => RegValue::Damaged { printed: printed.digits, digits, line },
        };
        record.registers.0.insert(reg, value);
    }

    /// Stores a control register, under the same rule.
    fn control(&mut self, record: &mut CrashRecord, name: &str, digits: &str, line: u32) {
        if self.user || self.ended || !self.names.insert(name.to_owned()) {
            return;
        }
        let value = Located { value: PrintedHex::new(digits), line };
        record.control_registers.push((name.to_owned(), value));
    }
}

//! x86's register dump (arch/x86/kernel/process_64.c, dumpstack.c) and page-fault lines (mm/fault.c).

use kwhy_base::{Arch, Reg};

use super::State;
use super::arm::pairs;
use super::trace::{complains, interrupted_by_registers};
use super::values::{code_ref, hex_token};
use crate::record::{CodeDump, CodeRef, CrashRecord, Located, PrintedHex};
use crate::text::Line;

/// General registers by their DWARF numbers (psABI table 3.36).
const GENERAL: &[(&str, u16)] = &[
    ("RAX", 0),
    ("RDX", 1),
    ("RCX", 2),
    ("RBX", 3),
    ("RSI", 4),
    ("RDI", 5),
    ("RBP", 6),
    ("RSP", 7),
    ("R08", 8),
    ("R09", 9),
    ("R8", 8),
    ("R9", 9),
    ("R10", 10),
    ("R11", 11),
    ("R12", 12),
    ("R13", 13),
    ("R14", 14),
    ("R15", 15),
];

/// 32-bit registers: their presence says i386, their values have no DWARF numbers in common with
/// the 64-bit ones and are not kept.
const NARROW: &[&str] = &["EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP"];

pub(super) fn line(line: &Line<'_>, state: &mut State, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    page_fault(text, line.number, record)
        || header_pointer(text, line.number, state, record)
        || instruction_pointer(text, line.number, state, record)
        || code(text, line.number, state, record)
        || stack(text, state, record)
        || registers(text, line.number, state, record)
}

fn page_fault(text: &str, number: u32, record: &mut CrashRecord) -> bool {
    if text.starts_with("#PF: ") {
        record.arch = Some(Arch::X86_64);
        record.pf_lines.push(Located { value: text.to_owned(), line: number });
        return true;
    }
    if text.starts_with("PGD ") {
        record.remarks.push(Located { value: text.to_owned(), line: number });
        return true;
    }
    false
}

/// `IP: [<addr>] fn+0x1/0x2` and `IP: fn+0x1/0x2`, which kernels before 4.19 print right below the
/// header; the register dump repeats it better.
fn header_pointer(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some(rest) = text.strip_prefix("IP: ") else { return false };
    if record.pc.is_none() && !state.user && !state.ended {
        state.pc_from_header = true;
        record.pc = code_ref(rest).map(|(value, _)| Located { value, line: number });
    }
    true
}

/// `RIP: 0010:fn+0x1/0x2 [mod]`, `RIP: 0010:[<…>] [<…>] fn+…`, `RIP: 0010:0x0`, `RIP: fn+…`.
fn instruction_pointer(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some(rest) = text
        .strip_prefix("RIP: ")
        .or_else(|| text.strip_prefix("EIP: "))
        .or_else(|| text.strip_prefix("RIP "))
    else {
        return false;
    };
    let (selector, place) = match rest.split_once(':') {
        Some((cs, place)) if cs.len() == 4 && cs.bytes().all(|b| b.is_ascii_hexdigit()) => (Some(cs), place),
        _ => (None, rest),
    };
    // The two low bits of CS are the privilege level (SDM vol. 3, 5.5): 3 is user space.
    let user = selector.and_then(|cs| u16::from_str_radix(cs, 16).ok()).is_some_and(|cs| cs & 3 == 3);
    if user {
        state.user = true;
        return true;
    }
    if std::mem::take(&mut state.pc_from_header) {
        record.pc = None;
    }
    // A report without registers of its own (sleeping in an interrupt, say) shows those of the
    // context that the interrupt came upon, below the interrupt's part of the trace.
    let came_upon = state.left_interrupt && record.frames.iter().any(|frame| frame.reliable);
    if record.pc.is_some() || complains(state, record) || came_upon {
        record.arch.get_or_insert(if text.starts_with("EIP") { Arch::I386 } else { Arch::X86_64 });
        // An interrupted context further down the stack.
        state.user = true;
        return true;
    }
    if state.ended {
        return true;
    }
    interrupted_by_registers(state, record);
    state.user = false;
    record.arch = Some(if text.starts_with("EIP") { Arch::I386 } else { Arch::X86_64 });
    let value = match code_ref(place) {
        Some((at, _)) => at,
        None => CodeRef { unreadable: true, ..CodeRef::default() },
    };
    record.pc = Some(Located { value, line: number });
    true
}

/// `Code: 00 4c <48> 8b`, `Code: Bad RIP value.`, `Code: Unable to access opcode bytes at 0x….`
fn code(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some(rest) = text.strip_prefix("Code:") else { return false };
    let rest = rest.trim();
    if state.user || state.ended || std::mem::replace(&mut state.code_seen, true) {
        return true;
    }
    if rest.starts_with("Bad ") || rest.starts_with("Unable ") {
        record.code_note = Some(Located { value: rest.to_owned(), line: number });
        return true;
    }
    let mut dump = CodeDump { bytes: Vec::new(), fault_index: None, line: number };
    for word in rest.split_ascii_whitespace() {
        if word.starts_with('<') {
            dump.fault_index = Some(dump.bytes.len());
        }
        let digits = word.trim_matches(['<', '>']);
        dump.bytes.push((digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok()).flatten());
    }
    if !dump.bytes.is_empty() {
        record.code = Some(dump);
    }
    true
}

/// `Stack:` of kernels before 4.10, four words a line, the first line possibly on its own.
fn stack(text: &str, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some(rest) = text.strip_prefix("Stack:") else { return false };
    if state.user || state.ended || !record.stack_words.is_empty() {
        return true;
    }
    state.in_stack = true;
    more_stack(rest.trim(), record);
    true
}

/// One line of words; `false` for any other line, which ends the dump.
pub(super) fn more_stack(text: &str, record: &mut CrashRecord) -> bool {
    const MOST_WORDS: usize = 1024;
    let words = text.split_ascii_whitespace().filter(|w| *w != "Stack:");
    let values = words
        .map(|w| (w.len() == 16).then(|| PrintedHex::new(w).value).flatten())
        .collect::<Option<Vec<_>>>();
    match values {
        Some(values) if !values.is_empty() && record.stack_words.len() < MOST_WORDS => {
            record.stack_words.extend(values);
            true
        }
        _ => false,
    }
}

fn registers(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let mut any = false;
    for (name, value) in pairs(text) {
        if let Some((_, reg)) = GENERAL.iter().find(|(n, _)| *n == name) {
            any = true;
            // `RSP: 0018:ffff…` carries the stack segment.
            let digits = value.rsplit_once(':').map_or(value, |(_, digits)| digits);
            state.register(record, name, Reg(*reg), digits, number);
            record.arch = record.arch.or(Some(Arch::X86_64));
        } else if NARROW.contains(&name) {
            any = true;
            record.arch = record.arch.or(Some(Arch::I386));
        } else if let Some(base) = match name {
            "FS" => Some(58),
            "GS" => Some(59),
            _ => None,
        } {
            any = true;
            // `FS:  base(selector)`; with `GS` in the i386 sense the base is short.
            let digits = value.split('(').next().unwrap_or(value);
            if digits.len() > 4 {
                state.register(record, name, Reg(base), digits, number);
            }
        } else if name == "EFLAGS" {
            any = true;
            if record.flags.is_none() && !state.user && !state.ended {
                record.flags = hex_token(value).map(|value| (Located { value, line: number }, String::new()));
            }
        } else if matches!(name, "CS" | "DS" | "ES" | "SS" | "knlGS") {
            any = true;
            if name == "knlGS" {
                state.control(record, name, value.split('(').next().unwrap_or(value), number);
            }
        } else if matches!(
            name,
            "CR0"
                | "CR3"
                | "CR4"
                | "CR8"
                | "ORIG_RAX"
                | "PKRU"
                | "DR0"
                | "DR1"
                | "DR2"
                | "DR3"
                | "DR6"
                | "DR7"
        ) {
            any = true;
            state.control(record, name, value, number);
        } else if name == "CR2" {
            any = true;
            // `CR2:` alone on its line, printed last, is the fault's own; the one within the dump
            // may already be that of a fault taken while dumping (`Code:` not readable).
            if record.fault_address.is_none()
                && text.starts_with("CR2:")
                && !text.contains("CR3")
                && !state.ended
            {
                record.fault_address = Some(Located { value: PrintedHex::new(value), line: number });
            }
            state.control(record, name, value, number);
        }
    }
    any
}

//! 32-bit Arm's register dump (arch/arm/kernel/process.c, traps.c). What it words as ARM64 once did
//! (`PC is at`, `pc : [<…>]`) is read there.

use kwhy_base::Arch;

use super::State;
use super::arm::pairs;
use super::cpus::{Rows, own, process, register, stack_words};
use super::values::hex_token;
use crate::record::{CodeDump, CrashRecord, Located, PrintedHex};
use crate::text::Line;
use crate::words::Words;

pub(super) fn line(line: &Line<'_>, state: &mut State, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    pointers(text, line.number, state, record);
    general(text, line.number, state, record)
        || machine(text, line.number, state, record)
        || stack(text, state, record)
        || thumb_code(text, line.number, state, record)
}

/// `Unhandled fault: page domain fault (0x01b) at 0x00000018`: the fault status and address.
pub(super) fn trigger(text: &str, number: u32, record: &mut CrashRecord) {
    let fault = text.contains("Unhandled fault: ") || text.contains("Unhandled prefetch abort: ");
    let Some((words, place)) = text.cut_last(") at 0x").filter(|_| fault) else { return };
    let Some((_, status)) = words.cut_last("(0x") else { return };
    if record.fault_address.is_none() {
        record.fault_address = hex_token(place).map(|value| Located { value, line: number });
    }
    if record.oops_code.is_none() {
        record.oops_code = hex_token(status).map(|value| Located { value, line: number });
    }
}

/// The values of `pc : [<bf000044>] lr : [<bf00003c>] psr: 600f0013`; the places are read as ARM64's.
fn pointers(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) {
    if !text.starts_with("pc : [<") || !text.contains("psr: ") {
        return;
    }
    // An interrupted context further down the stack has its own.
    if record.pc.as_ref().is_some_and(|pc| pc.value.address.is_some()) {
        state.user = true;
    }
    for name in ["pc", "lr"] {
        let value = text.split_once(&format!("{name} : [<")).and_then(|(_, rest)| rest.cut(">]"));
        if let Some((digits, _)) = value {
            register(state, record, Arch::Arm, name, digits, number);
        }
    }
}

/// `sp : e0985e88  ip : ffffefff  fp : e0985e90`, `r10: 0000017b  r9 : …`.
fn general(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let numbered = text.strip_prefix('r').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let named = text.starts_with("sp : ") && text.contains(" ip : ") && text.contains(" fp : ");
    if !(named || numbered && record.arch == Some(Arch::Arm)) {
        return false;
    }
    let mut any = false;
    for (name, value) in pairs(text) {
        let known = matches!(name, "sp" | "ip" | "fp")
            || name.strip_prefix('r').and_then(|n| n.parse::<u16>().ok()).is_some_and(|n| n <= 10);
        if known {
            any = true;
            record.arch = Some(Arch::Arm);
            register(state, record, Arch::Arm, name, value, number);
        }
    }
    any
}

/// `Flags: nZCv …`, `Control: 10c5387d  Table: 41ca406a  DAC: 00000051`, `Register r0 information: …`.
fn machine(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    if record.arch != Some(Arch::Arm) {
        return false;
    }
    if let Some(words) = text.strip_prefix("Flags: ") {
        if own(state)
            && let Some((_, explained)) = &mut record.flags
            && explained.is_empty()
        {
            words.clone_into(explained);
        }
        return true;
    }
    if text.starts_with("Control: ") || text.starts_with("xPSR: ") {
        for (name, value) in pairs(text) {
            state.control(record, name, value, number);
        }
        return true;
    }
    let described = text.starts_with("Register r") && text.contains(" information:");
    if described && own(state) {
        record.remarks.push(Located { value: text.to_owned(), line: number });
    }
    described || process(text, number, record) || text.starts_with("Exception stack(0x")
}

/// `Stack: (0xe0985e88 to 0xe0986000)`, rows of words below it.
fn stack(text: &str, state: &mut State, record: &mut CrashRecord) -> bool {
    if record.arch != Some(Arch::Arm) || !text.starts_with("Stack: (0x") {
        return false;
    }
    if own(state) && record.stack_words.is_empty() {
        state.rows = Rows::ArmStack;
    }
    true
}

/// `5e80: bf000000 0000017b …`: the low half of the address, then up to eight words.
pub(super) fn more_stack(text: &str, state: &mut State, record: &mut CrashRecord) -> bool {
    let row = text.cut(": ").filter(|(at, _)| at.len() == 4 && at.bytes().all(|b| b.is_ascii_hexdigit()));
    let known = row.is_some_and(|(_, words)| stack_words(words, record));
    if known {
        state.rows = Rows::ArmStack;
    }
    known
}

/// `Code: 4770 b510 (6803) bd10`, 16-bit words of Thumb code.
fn thumb_code(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    if record.arch != Some(Arch::Arm) {
        return false;
    }
    let Some(rest) = text.strip_prefix("Code: ") else { return false };
    halfwords(rest, number, state, record)
}

/// 16-bit words with the faulting one in parentheses; Arm's and RISC-V's are little-endian in memory.
pub(super) fn halfwords(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let words = text.split_ascii_whitespace().collect::<Vec<_>>();
    let is_word = |w: &&str| w.trim_matches(['(', ')']).len() == 4;
    if words.is_empty() || words.iter().filter(|w| is_word(w)).count() * 2 < words.len() {
        return false;
    }
    if !own(state) || std::mem::replace(&mut state.code_seen, true) {
        return true;
    }
    let mut dump = CodeDump { bytes: Vec::new(), fault_index: None, line: number };
    for word in words {
        if word.starts_with('(') {
            dump.fault_index = Some(dump.bytes.len());
        }
        let digits = word.trim_matches(['(', ')']);
        // A 32-bit Thumb instruction may stand as one word, its first half in front.
        match PrintedHex::new(digits).value.filter(|_| matches!(digits.len(), 4 | 8)) {
            Some(value) if digits.len() == 4 => dump.bytes.extend((value as u16).to_le_bytes().map(Some)),
            Some(value) => {
                dump.bytes.extend(((value >> 16) as u16).to_le_bytes().map(Some));
                dump.bytes.extend((value as u16).to_le_bytes().map(Some));
            }
            None => dump.bytes.extend([None; 2]),
        }
    }
    record.code = Some(dump);
    true
}

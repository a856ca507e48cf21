//! MIPS' register dump (arch/mips/kernel/traps.c, mm/fault.c). LoongArch printed the same way until
//! 6.3, with names of its own for the program counter and the cause.

use kwhy_base::{Arch, Reg};

use super::State;
use super::arm::pairs;
use super::cpus::{Rows, address, flags, is_value, numbered, own, place, process, register, stack_words};
use super::trace::interrupted_by_registers;
use super::values::{code_ref, hex_token};
use crate::record::{CodeDump, CodeRef, CrashRecord, Located, PrintedHex};
use crate::text::Line;

pub(super) fn line(line: &Line<'_>, state: &mut State, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    general(text, line.number, state, record)
        || places(text, line.number, state, record)
        || special(text, line.number, state, record)
        || stack(text, state, record)
        || process(text, line.number, record)
        || code(text, line.number, state, record)
}

/// `CPU 0 Unable to handle kernel paging request at virtual address …, epc == …, ra == …`; LoongArch
/// has `era` there.
pub(super) fn trigger(text: &str, number: u32, record: &mut CrashRecord) {
    let (pc, arch) = if text.contains(", epc == ") {
        (", epc == ", Arch::Mips)
    } else if text.contains(", era == ") {
        (", era == ", Arch::Loongarch64)
    } else {
        return;
    };
    record.arch = Some(arch);
    if let Some((cpu, _)) = text.strip_prefix("CPU ").and_then(|rest| rest.split_once(' ')) {
        record.cpu = record.cpu.or_else(|| cpu.parse().ok());
    }
    for (mark, slot) in [(pc, &mut record.pc), (", ra == ", &mut record.lr)] {
        if let Some(value) = text.split_once(mark).and_then(|(_, rest)| hex_token(rest)) {
            place(slot, address(&value.digits), number);
        }
    }
}

fn arch(record: &CrashRecord) -> Arch {
    if record.arch == Some(Arch::Loongarch64) { Arch::Loongarch64 } else { Arch::Mips }
}

/// `$ 4   : c00190e0 3fffefff 8247fc98 8247fc90`: four registers a line.
fn general(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some((first, rest)) = text.strip_prefix('$').and_then(|t| t.split_once(':')) else { return false };
    let Ok(first) = first.trim().parse::<u16>() else { return false };
    let values = rest.split_ascii_whitespace().collect::<Vec<_>>();
    if first > 28 || values.is_empty() || !values.iter().all(|value| is_value(value)) {
        return false;
    }
    if first == 0 && state.names.contains(&format!("{}:0", arch(record))) {
        state.user = true;
    }
    if first == 0 {
        interrupted_by_registers(state, record);
    }
    record.arch = Some(arch(record));
    // Both CPUs number their registers alike in DWARF, so it does not matter that the line that
    // names the CPU may come later.
    for (index, digits) in values.iter().take(4).enumerate() {
        numbered(state, record, arch(record), Reg(first.saturating_add(index as u16)), digits, number);
    }
    true
}

/// `epc   : c001907c fn+0x4/0x10 [mod]`, `era   : …`, `ra    : …`.
fn places(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let (name, rest) = match text.split_once(':') {
        Some((name, rest)) if matches!(name.trim_end(), "epc" | "era" | "ra") && name.ends_with("  ") => {
            (name.trim_end(), rest)
        }
        _ => return false,
    };
    let rest = rest.trim_start();
    let (digits, symbol) = rest.split_once(' ').unwrap_or((rest, ""));
    if !is_value(digits) {
        return false;
    }
    match name {
        "epc" => record.arch = Some(Arch::Mips),
        "era" => record.arch = Some(Arch::Loongarch64),
        _ => {}
    }
    if !own(state) {
        return true;
    }
    let mut at = address(digits);
    if let Some((found, _)) = code_ref(symbol).filter(|(found, _)| found.symbol.is_some()) {
        at = CodeRef { address: at.address, ..found };
    }
    if name == "ra" {
        place(&mut record.lr, at, number);
    } else {
        place(&mut record.pc, at, number);
        let arch = arch(record);
        register(state, record, arch, "pc", digits, number);
    }
    true
}

/// `Hi    : …`, `Status: 1400a403 KERNEL EXL IE`, `Cause : 10800008 (ExcCode 02)`, `BadVA : …`,
/// `PrId  : …`; LoongArch's `CSR estat: …`.
fn special(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    if text.starts_with("CSR ") {
        for part in text.split("CSR ").skip(1) {
            if let Some((name, digits)) = pairs(part).first() {
                if *name == "prmd" {
                    flags(digits, "", number, state, record);
                }
                state.control(record, &name.to_ascii_uppercase(), digits, number);
            }
        }
        return true;
    }
    let Some((name, rest)) = text.split_once(':') else { return false };
    let name = name.trim_end();
    // The numbered registers come first, and with them the CPU.
    if !matches!(record.arch, Some(Arch::Mips | Arch::Loongarch64)) {
        return false;
    }
    if !matches!(name, "Hi" | "Lo" | "Acx" | "Status" | "Cause" | "BadVA" | "PrId" | "ExcCode") {
        return false;
    }
    let Some(value) = hex_token(rest) else { return false };
    let after = rest.split_once(value.digits.as_str()).map_or("", |(_, after)| after).trim();
    match name {
        // Kernels without a stack of flag names print them in the same place.
        "Hi" | "Lo" => register(state, record, Arch::Mips, &name.to_ascii_lowercase(), &value.digits, number),
        "Status" => flags(&value.digits, after, number, state, record),
        "BadVA" => {
            state.control(record, name, &value.digits, number);
            if own(state) && record.fault_address.is_none() {
                record.fault_address = Some(Located { value, line: number });
            }
        }
        "PrId" => {
            state.control(record, name, &value.digits, number);
            if own(state) && record.hardware.is_none() {
                let model = after.trim_matches(['(', ')']);
                record.hardware =
                    (!model.is_empty()).then(|| Located { value: model.to_owned(), line: number });
            }
        }
        _ => state.control(record, name, &value.digits, number),
    }
    true
}

/// `Stack : 00000000 c0019092 …`, with more rows below, the last one `...`.
fn stack(text: &str, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some(rest) = text.strip_prefix("Stack :") else { return false };
    if own(state) && record.stack_words.is_empty() && stack_words(rest, record) {
        state.rows = Rows::MipsStack;
    }
    true
}

pub(super) fn more_stack(text: &str, state: &mut State, record: &mut CrashRecord) -> bool {
    if text == "..." {
        return true;
    }
    let known = stack_words(text.trim_end_matches("..."), record);
    if known {
        state.rows = Rows::MipsStack;
    }
    known
}

/// `Code: 03e00008  27bd0018  8c810008 <8c220018> 03e00008`: numbers in the kernel's byte order, which
/// for MIPS the log does not tell; LoongArch is little-endian.
fn code(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    if !matches!(record.arch, Some(Arch::Mips | Arch::Loongarch64)) {
        return false;
    }
    let Some(rest) = text.strip_prefix("Code:") else { return false };
    if rest.trim().starts_with('(') || rest.trim().starts_with("Unable") {
        if own(state) && record.code_note.is_none() {
            record.code_note = Some(Located { value: rest.trim().to_owned(), line: number });
        }
        return true;
    }
    let words = rest.split_ascii_whitespace().filter(|w| !w.starts_with("(Bad")).collect::<Vec<_>>();
    let bare = |w: &&str| w.trim_matches(['<', '>', '(', ')']).len();
    if words.iter().filter(|w| bare(w) == 8).count() * 2 < words.len() || words.is_empty() {
        return false;
    }
    if !own(state) || std::mem::replace(&mut state.code_seen, true) {
        return true;
    }
    let little = record.arch == Some(Arch::Loongarch64);
    let mut dump = CodeDump { bytes: Vec::new(), fault_index: None, line: number };
    for word in words {
        if word.starts_with(['<', '(']) {
            dump.fault_index = Some(dump.bytes.len());
        }
        let value = PrintedHex::new(word.trim_matches(['<', '>', '(', ')'])).value;
        match value.and_then(|v| u32::try_from(v).ok()) {
            Some(value) if little => dump.bytes.extend(value.to_le_bytes().map(Some)),
            Some(value) => dump.bytes.extend(value.to_be_bytes().map(Some)),
            None => dump.bytes.extend([None; 4]),
        }
    }
    record.code = Some(dump);
    true
}

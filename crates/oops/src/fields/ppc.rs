//! PowerPC's register dump (arch/powerpc/kernel/process.c, traps.c).

use kwhy_base::{Arch, Reg};

use super::State;
use super::arm::pairs;
use super::cpus::{Rows, address, is_value, numbered, own, place, register};
use super::trace::interrupted_by_registers;
use super::values::{code_ref, hex_token};
use crate::record::{CodeDump, CrashRecord, Located, PrintedHex};
use crate::text::Line;
use crate::words::Words;

pub(super) fn line(line: &Line<'_>, state: &mut State, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    interrupt(text, state, record)
        || places(text, line.number, state, record)
        || general(text, line.number, state, record)
        || special(text, line.number, state, record)
        || machine(text, line.number, record)
        || code(text, line.number, state, record)
}

/// `BUG: Kernel NULL pointer dereference on read at 0x00000030`, `BUG: Unable to handle kernel data
/// access at 0x…`.
pub(super) fn trigger(text: &str, number: u32, record: &mut CrashRecord) {
    const MARKS: &[&str] = &[
        " on read at 0x",
        " on write at 0x",
        " data access at 0x",
        " unaligned access at 0x",
        " paging fault at 0x",
    ];
    let found = MARKS.iter().find_map(|mark| text.split_once(mark)).filter(|_| text.contains("BUG: "));
    if let Some((_, rest)) = found
        && record.fault_address.is_none()
    {
        record.fault_address = hex_token(rest).map(|value| Located { value, line: number });
    }
    if text.contains("BUG: Unable to handle kernel ") || text.contains("BUG: Kernel NULL pointer dereference")
    {
        record.arch = record.arch.or(Some(Arch::Ppc64));
    }
}

fn is_ppc(record: &CrashRecord) -> bool {
    matches!(record.arch, Some(Arch::Ppc64 | Arch::Ppc))
}

fn arch_of(digits: &str) -> Arch {
    if digits.len() <= 9 { Arch::Ppc } else { Arch::Ppc64 }
}

/// `--- interrupt: 300 at fn+0x1/0x2`: the registers below are those of what was interrupted there.
/// They are the crash's only where no others came before; at a bare address they are the user's.
fn interrupt(text: &str, state: &mut State, record: &CrashRecord) -> bool {
    let Some(rest) = text.strip_prefix("--- interrupt: ").or_else(|| text.strip_prefix("--- Exception: "))
    else {
        return false;
    };
    if let Some((_, at)) = rest.cut(" at ") {
        state.user = record.pc.is_some() || at.starts_with("0x");
    }
    true
}

/// `NIP:  c0080000003100b4 LR: … CTR: …`, `NIP [c0080000003100b4] fn+0x4/0x50 [mod]`, `LR […] fn+…`.
fn places(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    if text.starts_with("NIP: ") {
        if !own(state) {
            return true;
        }
        if record.pc.is_some() {
            state.user = true;
            return true;
        }
        interrupted_by_registers(state, record);
        for (name, digits) in pairs(text) {
            let arch = arch_of(digits);
            match name {
                "NIP" => {
                    record.arch = Some(arch);
                    place(&mut record.pc, address(digits), number);
                    register(state, record, arch, "nip", digits, number);
                }
                "LR" => {
                    place(&mut record.lr, address(digits), number);
                    register(state, record, arch, "lr", digits, number);
                }
                "CTR" => register(state, record, arch, "ctr", digits, number),
                _ => {}
            }
        }
        return true;
    }
    let (is_pc, rest) = match (text.strip_prefix("NIP ["), text.strip_prefix("LR [")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        _ => return false,
    };
    let Some((digits, rest)) = rest.split_once(']') else { return false };
    if !own(state) {
        return true;
    }
    let mut at = address(digits);
    if let Some((found, _)) = code_ref(rest) {
        at = crate::record::CodeRef { address: at.address, ..found };
    }
    record.arch = record.arch.or(Some(arch_of(digits)));
    place(if is_pc { &mut record.pc } else { &mut record.lr }, at, number);
    true
}

/// `GPR04: 00000000ffffefff c000000004763780 …`: four registers a line, eight on 32 bits.
fn general(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some((first, rest)) = text.strip_prefix("GPR").and_then(|t| t.split_once(':')) else { return false };
    let Ok(first) = first.parse::<u16>() else { return false };
    for (index, digits) in rest.split_ascii_whitespace().take(8).enumerate() {
        let number_of = first.saturating_add(index as u16);
        if number_of < 32 && is_value(digits) {
            let arch =
                record.arch.filter(|a| matches!(a, Arch::Ppc64 | Arch::Ppc)).unwrap_or(arch_of(digits));
            record.arch = Some(arch);
            numbered(state, record, arch, Reg(number_of), digits, number);
        }
    }
    true
}

/// `REGS: … TRAP: 0300 …`, `MSR: … <SF,EE> CR: … XER: …`, `CFAR: … DAR: … DSISR: … IRQMASK: 0`.
fn special(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    const FIRSTS: &[&str] =
        &["REGS: ", "MSR: ", "CFAR: ", "DAR: ", "DEAR: ", "IRQMASK: ", "SOFTE: ", "PACATMSCRATCH: "];
    if !FIRSTS.iter().any(|first| text.starts_with(first)) {
        return false;
    }
    if text.starts_with("MSR: ") {
        let words =
            text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(words, _)| words);
        // PR is the problem state: user space.
        if words.split(',').any(|word| word == "PR") && record.flags.is_some() {
            state.user = true;
        }
        if let Some((_, digits)) = pairs(text).first() {
            super::cpus::flags(digits, words, number, state, record);
        }
    }
    for (name, digits) in pairs(text) {
        if matches!(
            name,
            "TRAP" | "CR" | "XER" | "CFAR" | "DAR" | "DSISR" | "DEAR" | "ESR" | "IRQMASK" | "SOFTE"
        ) {
            state.control(record, name, digits, number);
            if matches!(name, "DAR" | "DEAR")
                && own(state)
                && record.fault_address.is_none()
                && is_ppc(record)
            {
                record.fault_address = Some(Located { value: PrintedHex::new(digits), line: number });
            }
        }
    }
    true
}

/// `LE PAGE_SIZE=64K MMU=Radix SMP NR_CPUS=2048 NUMA pSeries`, `Faulting instruction address: 0x…`,
/// `TASK = c000…[123] 'sh' THREAD: …`.
fn machine(text: &str, number: u32, record: &mut CrashRecord) -> bool {
    if is_ppc(record) && text.contains("NR_CPUS=")
        || text.starts_with("BE PAGE_SIZE=")
        || text.starts_with("LE PAGE_SIZE=")
    {
        record.oops_flags.extend(text.split_ascii_whitespace().map(str::to_owned));
        return true;
    }
    if let Some(rest) = text.strip_prefix("TASK = ").or_else(|| text.strip_prefix("TASK: ")) {
        let task = rest.split_once('[').and_then(|(_, r)| r.split_once(']'));
        if let Some((pid, after)) = task {
            record.pid = record.pid.or_else(|| pid.parse().ok());
            if let Some(comm) = after.split('\'').nth(1) {
                record.comm.get_or_insert_with(|| comm.to_owned());
            }
        }
        return task.is_some();
    }
    let known = text.starts_with("Faulting instruction address: ")
        || text.starts_with("Thread overran stack, or stack corrupted");
    if known {
        record.remarks.push(Located { value: text.to_owned(), line: number });
    }
    known
}

/// `Instruction dump:`, with the words on the lines below it; `Code: ` of some 4.x and 5.x kernels.
fn code(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some(rest) = text.strip_prefix("Instruction dump:") else { return false };
    state.trace = None;
    if own_code(state, record) {
        state.code_seen = true;
        record.code = Some(CodeDump { bytes: Vec::new(), fault_index: None, line: number });
        state.rows = Rows::PpcCode;
        if !rest.trim().is_empty() {
            more_code(rest.trim(), state, record);
        }
    }
    true
}

/// The dump is printed last, below the user's registers, and is the crash's nevertheless.
fn own_code(state: &State, record: &CrashRecord) -> bool {
    !state.ended && !state.code_seen && record.code.is_none()
}

/// `60000000 e8630010 <80630030> 4e800020 XXXXXXXX`: numbers in the kernel's own byte order.
pub(super) fn more_code(text: &str, state: &mut State, record: &mut CrashRecord) -> bool {
    let words = text.split_ascii_whitespace().collect::<Vec<_>>();
    let is_word = |w: &&str| w.trim_matches(['<', '>']).len() == 8;
    if words.is_empty() || words.iter().filter(|w| is_word(w)).count() * 2 < words.len() {
        drop_empty(record);
        return false;
    }
    let little = record.oops_flags.iter().any(|flag| flag == "LE")
        || record.flags.as_ref().is_some_and(|(_, words)| words.split(',').any(|word| word == "LE"));
    if let Some(dump) = &mut record.code {
        for word in words {
            if word.starts_with('<') {
                dump.fault_index = Some(dump.bytes.len());
            }
            let value = PrintedHex::new(word.trim_matches(['<', '>'])).value;
            match value.and_then(|v| u32::try_from(v).ok()) {
                Some(value) if little => dump.bytes.extend(value.to_le_bytes().map(Some)),
                Some(value) => dump.bytes.extend(value.to_be_bytes().map(Some)),
                None => dump.bytes.extend([None; 4]),
            }
        }
    }
    state.rows = Rows::PpcCode;
    true
}

/// A dump without a single word is none.
fn drop_empty(record: &mut CrashRecord) {
    if record.code.as_ref().is_some_and(|code| code.bytes.is_empty()) {
        record.code = None;
    }
}

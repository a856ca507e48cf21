//! RISC-V's register dump (arch/riscv/kernel/process.c, traps.c).

use kwhy_base::Arch;

use super::State;
use super::arm::pairs;
use super::arm32::halfwords;
use super::cpus::{address, own, place, register};
use super::trace::{interrupted_by_registers, unannounced};
use super::values::code_ref;
use crate::record::{CrashRecord, Located, PrintedHex};
use crate::text::Line;

pub(super) fn line(line: &Line<'_>, state: &mut State, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    pointers(text, line.number, state, record)
        || general(text, line.number, state, record)
        || status(text, line.number, state, record)
        || code(text, line.number, state, record)
}

/// `Oops - illegal instruction [#1]`: only RISC-V prints it without `Internal error:` and `Oops - BUG`
/// is Arm's and LoongArch's too.
pub(super) fn trigger(text: &str, record: &mut CrashRecord) {
    const ONLY_HERE: &[&str] = &[
        "Oops - instruction address misaligned",
        "Oops - instruction access fault",
        "Oops - illegal instruction",
        "Oops - load address misaligned",
        "Oops - load access fault",
        "Oops - store (or AMO) a",
        "Oops - environment call from",
        "Unable to handle kernel access to user memory without uaccess routines at",
    ];
    if ONLY_HERE.iter().any(|words| text.starts_with(words)) {
        record.arch = record.arch.or(Some(Arch::Riscv64));
    }
}

/// The width of what is printed tells the two sizes apart.
fn arch_of(digits: &str) -> Arch {
    if digits.len() <= 9 { Arch::Riscv32 } else { Arch::Riscv64 }
}

/// `epc : fn+0x1/0x2 [mod]`, ` ra : fn+…`, and in kernels before 5.12 only
/// `epc: ffffffe0001fdb4c ra : ffffffe0001fdb40 sp : …` (`sepc:` before 5.6).
fn pointers(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let epc = ["epc : ", "epc: ", "sepc: "].iter().find_map(|start| text.strip_prefix(start));
    let (is_pc, rest) = match (epc, text.strip_prefix("ra : ")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        _ => return false,
    };
    let numbers = rest.contains(" sp : ");
    if is_pc && (if numbers { closed(state, record) } else { record.pc.is_some() }) {
        state.user = true;
    }
    if !own(state) {
        return true;
    }
    if is_pc {
        interrupted_by_registers(state, record);
    }
    if numbers {
        for (name, digits) in pairs(text) {
            let arch = arch_of(digits);
            match name {
                "epc" | "sepc" => {
                    record.arch = Some(arch);
                    place(&mut record.pc, address(digits), number);
                    register(state, record, arch, "pc", digits, number);
                }
                "ra" => {
                    place(&mut record.lr, address(digits), number);
                    register(state, record, arch, name, digits, number);
                }
                _ => register(state, record, arch, name, digits, number),
            }
        }
        return true;
    }
    let slot = if is_pc { &mut record.pc } else { &mut record.lr };
    if let Some((at, _)) = code_ref(rest) {
        record.arch = record.arch.or(Some(Arch::Riscv64));
        place(slot, at, number);
        return true;
    }
    false
}

/// Whether the numbers of the first block are complete, so that others are another context's.
fn closed(state: &State, record: &CrashRecord) -> bool {
    let arch = record.arch.unwrap_or(Arch::Riscv64);
    state.names.iter().any(|name| *name == format!("{arch}:2"))
}

/// ` gp : ffffffff81db6718 tp : … t0 : …`.
fn general(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    const FIRSTS: &[&str] =
        &["gp : ", "t1 : ", "s1 : ", "a2 : ", "a5 : ", "s2 : ", "s5 : ", "s8 : ", "s11: ", "t5 : "];
    if !FIRSTS.iter().any(|first| text.starts_with(first)) {
        return false;
    }
    for (name, digits) in pairs(text) {
        let arch =
            record.arch.filter(|a| matches!(a, Arch::Riscv64 | Arch::Riscv32)).unwrap_or(arch_of(digits));
        record.arch = Some(arch);
        register(state, record, arch, name, digits, number);
    }
    true
}

/// `status: 0000000200000120 badaddr: 0000000000000030 cause: 000000000000000d`; the trace follows
/// without a heading.
fn status(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    let Some(rest) = text.strip_prefix("status: ").or_else(|| text.strip_prefix("sstatus: ")) else {
        return false;
    };
    if !rest.contains("cause: ") {
        return false;
    }
    let printed = pairs(text);
    let value = |names: &[&str]| printed.iter().find(|(n, _)| names.contains(n)).map(|(_, digits)| *digits);
    if own(state) {
        if let Some(digits) = value(&["status", "sstatus"]) {
            record.flags.get_or_insert_with(|| {
                (Located { value: PrintedHex::new(digits), line: number }, String::new())
            });
        }
        if let Some(digits) = value(&["badaddr", "sbadaddr", "stval"]) {
            state.control(record, "badaddr", digits, number);
        }
        if let Some(digits) = value(&["cause", "scause"]) {
            state.control(record, "cause", digits, number);
        }
        // The header names the address of most faults; not where the stack was full.
        let cause = record.control_registers.iter().find(|(name, _)| name == "cause");
        let arch = record.arch.unwrap_or(Arch::Riscv64);
        let access = cause.and_then(|(_, v)| kwhy_arch::scause_access(arch, v.value.value?));
        if record.fault_address.is_none() && access.is_some() {
            let address = record.control_registers.iter().find(|(name, _)| name == "badaddr");
            record.fault_address = address.map(|(_, value)| value.clone());
        }
        unannounced(state, record);
    }
    true
}

/// `Code: 60e2 6442 (5908) 60a2`, 16-bit words; `Code: Unable to access instruction at 0x….`.
fn code(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    if !matches!(record.arch, Some(Arch::Riscv64 | Arch::Riscv32)) {
        return false;
    }
    let Some(rest) = text.strip_prefix("Code: ") else { return false };
    if rest.starts_with("Unable ") || rest.starts_with("bad ") || rest.starts_with("Bad ") {
        if own(state) && record.code_note.is_none() {
            record.code_note = Some(Located { value: rest.to_owned(), line: number });
        }
        return true;
    }
    halfwords(rest, number, state, record)
}

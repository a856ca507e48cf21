//! i386's register dump (arch/x86/kernel/process_32.c), where it differs from x86-64's.

use kwhy_base::Arch;

use super::State;
use super::arm::pairs;
use super::cpus::{address, own, place, process, register};
use super::trace::interrupted_by_registers;
use super::values::{code_ref, hex_token};
use crate::record::{CrashRecord, Located};
use crate::text::Line;
use crate::words::Words;

const GENERAL: &[&str] = &["EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP"];

pub(super) fn line(line: &Line<'_>, state: &mut State, record: &mut CrashRecord) -> bool {
    let text = line.text.trim();
    old_pointer(text, line.number, state, record)
        || general(text, line.number, state, record)
        || old_process(text, line.number, record)
        || page_table(text, line.number, record)
}

/// `EIP: 0060:[<c0123456>] EFLAGS: 00010246 CPU: 0` with `EIP is at fn+0x1/0x2` below it, before 4.11.
fn old_pointer(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    if let Some(rest) = text.strip_prefix("EIP is at ") {
        if own(state)
            && let Some((at, _)) = code_ref(rest)
        {
            place(&mut record.pc, at, number);
        }
        return true;
    }
    let Some(rest) = text.strip_prefix("EIP: ") else { return false };
    let Some((selector, rest)) = rest.cut(":[<") else { return false };
    let Some((digits, rest)) = rest.cut(">]") else { return false };
    record.arch = Some(Arch::I386);
    // The two low bits of CS are the privilege level: 3 is user space.
    let user = u16::from_str_radix(selector, 16).is_ok_and(|cs| cs & 3 == 3);
    if user || record.pc.is_some() && !std::mem::take(&mut state.pc_from_header) {
        state.user = true;
        return true;
    }
    interrupted_by_registers(state, record);
    record.pc = Some(Located { value: address(digits), line: number });
    register(state, record, Arch::I386, "eip", digits, number);
    if let Some((_, rest)) = rest.cut("EFLAGS: ")
        && let Some(value) = hex_token(rest)
        && record.flags.is_none()
    {
        record.flags = Some((Located { value, line: number }, String::new()));
    }
    if let Some((_, cpu)) = rest.cut("CPU: ") {
        record.cpu = record.cpu.or_else(|| cpu.trim().parse().ok());
    }
    true
}

/// `EAX: 00000000 EBX: …`.
fn general(text: &str, number: u32, state: &mut State, record: &mut CrashRecord) -> bool {
    if !GENERAL.iter().any(|name| text.starts_with(name)) {
        return false;
    }
    let mut any = false;
    for (name, value) in pairs(text) {
        if GENERAL.contains(&name) {
            any = true;
            record.arch = Some(Arch::I386);
            register(state, record, Arch::I386, &name.to_ascii_lowercase(), value, number);
        }
    }
    any
}

/// `Process foo (pid: 1, ti=c1 task=c2 task.ti=c3)` of old kernels.
fn old_process(text: &str, number: u32, record: &mut CrashRecord) -> bool {
    text.contains(", ti=") && process(text, number, record)
}

/// `*pde = 00000000`, `*pdpt = … *pde = …`.
fn page_table(text: &str, number: u32, record: &mut CrashRecord) -> bool {
    let known = text.starts_with("*pde = ") || text.starts_with("*pdpt = ");
    if known {
        record.arch = Some(Arch::I386);
        record.remarks.push(Located { value: text.to_owned(), line: number });
    }
    known
}

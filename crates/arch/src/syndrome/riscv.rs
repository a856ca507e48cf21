//! RISC-V: the supervisor cause register (Privileged Architecture, "Supervisor Cause Register",
//! table of scause values; `asm/csr.h`). Its top bit, by the register's width, says interrupt.

use super::named;
use crate::decoded::{Decoded, bit};
use crate::esr::Access;
use crate::layout::{Meaning, field, flag, take_apart};
use kwhy_base::Arch;
use kwhy_base::catalogue::arch_cpus as m;
use kwhy_base::prose::Message;

static CODES: &[(u64, &Message)] = &[
    (0, &m::CAUSE_FETCH_MISALIGNED),
    (1, &m::CAUSE_FETCH_ACCESS),
    (2, &m::CAUSE_ILLEGAL),
    (3, &m::CAUSE_BREAKPOINT),
    (4, &m::CAUSE_LOAD_MISALIGNED),
    (5, &m::CAUSE_LOAD_ACCESS),
    (6, &m::CAUSE_STORE_MISALIGNED),
    (7, &m::CAUSE_STORE_ACCESS),
    (8, &m::CAUSE_ECALL),
    (9, &m::CAUSE_ECALL),
    (10, &m::CAUSE_ECALL),
    (11, &m::CAUSE_ECALL),
    (12, &m::CAUSE_FETCH_PAGE),
    (13, &m::CAUSE_LOAD_PAGE),
    (15, &m::CAUSE_STORE_PAGE),
    (18, &m::CAUSE_SOFTWARE_CHECK),
    (19, &m::CAUSE_HARDWARE),
    (20, &m::CAUSE_GUEST),
    (21, &m::CAUSE_GUEST),
    (22, &m::CAUSE_GUEST),
    (23, &m::CAUSE_GUEST),
];

fn top(arch: Arch) -> u8 {
    if arch == Arch::Riscv32 { 31 } else { 63 }
}

/// Decodes scause.
#[must_use]
pub fn decode_scause(arch: Arch, value: u64) -> Decoded {
    let top = top(arch);
    let code = match bit(value, top) {
        true => field("code", top - 1, 0, Meaning::Always(&m::CAUSE_INTERRUPT)),
        false => field("code", top - 1, 0, Meaning::Says(|n| named(CODES, n))),
    };
    let mut fields = Vec::new();
    let specs = [flag("Interrupt", top, &m::CAUSE_EXCEPTION, &m::CAUSE_INTERRUPT), code];
    take_apart(value, 63, 0, &specs, &m::UNNAMED_BITS, &mut fields);
    Decoded { name: "scause", value, fields }
}

/// What the access did; `None` for what is no access.
#[must_use]
pub fn scause_access(arch: Arch, value: u64) -> Option<Access> {
    if bit(value, top(arch)) {
        return None;
    }
    match value {
        4 | 5 | 13 => Some(Access::Read),
        6 | 7 | 15 => Some(Access::Write),
        0 | 1 | 12 => Some(Access::Execute),
        _ => None,
    }
}

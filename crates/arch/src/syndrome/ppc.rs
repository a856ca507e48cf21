//! PowerPC: the data storage interrupt status register and the interrupt vectors (Power ISA, book III,
//! "Data Storage Interrupt" and "Interrupt Definitions"; `asm/reg.h`, `asm/interrupt.h`).

use super::named;
use crate::decoded::{Decoded, bit};
use crate::esr::Access;
use crate::layout::{Meaning, Spec, field, flag, if_set, take_apart};
use kwhy_base::catalogue::arch_cpus as m;
use kwhy_base::prose::Message;

const DSISR: &[Spec] = &[
    if_set("BAD_DIRECT_ST", 31, &m::DSISR_DIRECT),
    if_set("NOHPTE", 30, &m::DSISR_NO_PTE),
    if_set("ATTR_CONFLICT", 29, &m::DSISR_ATTRIBUTES),
    if_set("NOEXEC_OR_G", 28, &m::DSISR_NOEXEC),
    if_set("PROTFAULT", 27, &m::DSISR_PROTECTED),
    if_set("BADACCESS", 26, &m::DSISR_BAD),
    flag("ISSTORE", 25, &m::DSISR_LOAD, &m::DSISR_STORE),
    if_set("DABRMATCH", 22, &m::DSISR_WATCH),
    if_set("KEYFAULT", 21, &m::DSISR_KEY),
    if_set("BAD_EXT_CTRL", 20, &m::DSISR_CONTROL),
    if_set("UNSUPP_MMU", 19, &m::DSISR_MMU),
    if_set("SET_RC", 18, &m::DSISR_RC),
    if_set("PRTABLE_FAULT", 17, &m::DSISR_TABLE),
    if_set("ICSWX_NO_CT", 14, &m::DSISR_COPY),
    if_set("BAD_COPYPASTE", 3, &m::DSISR_COPY),
    if_set("BAD_AMO", 2, &m::DSISR_COPY),
    if_set("BAD_CI_LDST", 1, &m::DSISR_COPY),
];

static VECTORS: &[(u64, &Message)] = &[
    (0x100, &m::TRAP_RESET),
    (0x200, &m::TRAP_MCE),
    (0x300, &m::TRAP_DSI),
    (0x380, &m::TRAP_DSEG),
    (0x400, &m::TRAP_ISI),
    (0x480, &m::TRAP_ISEG),
    (0x500, &m::TRAP_EXTERNAL),
    (0x600, &m::TRAP_ALIGN),
    (0x700, &m::TRAP_PROGRAM),
    (0x800, &m::TRAP_UNIT),
    (0x900, &m::TRAP_TIMER),
    (0xa00, &m::TRAP_DOORBELL),
    (0xc00, &m::TRAP_SYSCALL),
    (0xd00, &m::TRAP_TRACE),
    (0xe40, &m::TRAP_DOORBELL),
    (0xe80, &m::TRAP_DOORBELL),
    (0xea0, &m::TRAP_DOORBELL),
    (0xf00, &m::TRAP_TRACE),
    (0xf20, &m::TRAP_UNIT),
    (0xf40, &m::TRAP_UNIT),
    (0xf60, &m::TRAP_UNIT),
    (0xf80, &m::TRAP_UNIT),
    (0x3000, &m::TRAP_SYSCALL),
];

/// Decodes the DSISR of a data storage interrupt.
#[must_use]
pub fn decode_dsisr(value: u64) -> Decoded {
    let mut fields = Vec::new();
    take_apart(value, 63, 0, DSISR, &m::UNNAMED_BITS, &mut fields);
    Decoded { name: "DSISR", value, fields }
}

/// Decodes `TRAP:`, the interrupt's vector. The four low bits are the kernel's own flags.
#[must_use]
pub fn decode_trap(value: u64) -> Decoded {
    let mut fields = Vec::new();
    let specs = [
        field("TRAP", 63, 4, Meaning::Says(|n| named(VECTORS, n << 4))),
        field("flags", 3, 0, Meaning::IfSet(&m::UNNAMED_BITS)),
    ];
    take_apart(value, 63, 0, &specs, &m::UNNAMED_BITS, &mut fields);
    Decoded { name: "TRAP", value, fields }
}

/// What the access of a data storage interrupt did.
#[must_use]
pub fn dsisr_access(dsisr: u64) -> Access {
    if bit(dsisr, 25) { Access::Write } else { Access::Read }
}

/// What the access did where the vector alone says it: instruction fetches.
#[must_use]
pub fn trap_access(trap: u64) -> Option<Access> {
    matches!(trap & !0xf, 0x400 | 0x480).then_some(Access::Execute)
}

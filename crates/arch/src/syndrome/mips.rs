//! MIPS: the Cause register (MIPS Architecture For Programmers, volume III, "Cause Register" and its
//! table of ExcCode values; `asm/mipsregs.h`).

use super::named;
use crate::decoded::{Decoded, bits};
use crate::esr::Access;
use crate::layout::{Meaning, Spec, field, if_set, take_apart};
use kwhy_base::catalogue::arch_cpus as m;
use kwhy_base::prose::Message;

static CODES: &[(u64, &Message)] = &[
    (0, &m::MIPS_INT),
    (1, &m::MIPS_MOD),
    (2, &m::MIPS_TLBL),
    (3, &m::MIPS_TLBS),
    (4, &m::MIPS_ADEL),
    (5, &m::MIPS_ADES),
    (6, &m::MIPS_IBE),
    (7, &m::MIPS_DBE),
    (8, &m::MIPS_SYS),
    (9, &m::MIPS_BP),
    (10, &m::MIPS_RI),
    (11, &m::MIPS_CPU),
    (12, &m::MIPS_OV),
    (13, &m::MIPS_TR),
    (14, &m::MIPS_VECTOR),
    (15, &m::MIPS_FPE),
    (16, &m::MIPS_OTHER),
    (17, &m::MIPS_OTHER),
    (18, &m::MIPS_OTHER),
    (19, &m::MIPS_TLBRI),
    (20, &m::MIPS_TLBXI),
    (21, &m::MIPS_VECTOR),
    (22, &m::MIPS_VECTOR),
    (23, &m::MIPS_WATCH),
    (24, &m::MIPS_MCHECK),
    (25, &m::MIPS_OTHER),
    (26, &m::MIPS_VECTOR),
    (27, &m::MIPS_OTHER),
    (30, &m::MIPS_CACHE),
];

const CAUSE: &[Spec] = &[
    if_set("BD", 31, &m::MIPS_BD),
    if_set("TI", 30, &m::MIPS_TI),
    field("CE", 29, 28, Meaning::IfSet(&m::MIPS_CE)),
    if_set("DC", 27, &m::MIPS_DC),
    if_set("PCI", 26, &m::MIPS_PCI),
    if_set("IV", 23, &m::MIPS_IV),
    if_set("WP", 22, &m::MIPS_WP),
    field("IP", 15, 8, Meaning::IfSet(&m::MIPS_IP)),
    field("ExcCode", 6, 2, Meaning::Says(|n| named(CODES, n))),
];

/// Decodes Cause.
#[must_use]
pub fn decode_mips_cause(value: u64) -> Decoded {
    let mut fields = Vec::new();
    take_apart(value, 63, 0, CAUSE, &m::UNNAMED_BITS, &mut fields);
    Decoded { name: "Cause", value, fields }
}

/// What the access did, where the code says: TLBL and AdEL are loads or instruction fetches.
#[must_use]
pub fn mips_access(cause: u64) -> Option<Access> {
    match bits(cause, 6, 2) {
        1 | 3 | 5 => Some(Access::Write),
        19 => Some(Access::Read),
        6 | 20 => Some(Access::Execute),
        _ => None,
    }
}

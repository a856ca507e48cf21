//! LoongArch: the exception status register (LoongArch Reference Manual, volume 1, 7.4.6 ESTAT, and
//! table 21 of exception codes; `asm/loongarch.h`).

use super::named;
use crate::decoded::{Decoded, bits};
use crate::esr::Access;
use crate::layout::{Meaning, Spec, field, take_apart};
use kwhy_base::catalogue::arch_cpus as m;
use kwhy_base::prose::Message;

static CODES: &[(u64, &Message)] = &[
    (0x00, &m::LOONG_INT),
    (0x01, &m::LOONG_PIL),
    (0x02, &m::LOONG_PIS),
    (0x03, &m::LOONG_PIF),
    (0x04, &m::LOONG_PME),
    (0x05, &m::LOONG_PNR),
    (0x06, &m::LOONG_PNX),
    (0x07, &m::LOONG_PPI),
    (0x08, &m::LOONG_ADE),
    (0x09, &m::LOONG_ALE),
    (0x0a, &m::LOONG_BCE),
    (0x0b, &m::LOONG_SYS),
    (0x0c, &m::LOONG_BRK),
    (0x0d, &m::LOONG_INE),
    (0x0e, &m::LOONG_IPE),
    (0x0f, &m::LOONG_UNIT),
    (0x10, &m::LOONG_UNIT),
    (0x11, &m::LOONG_UNIT),
    (0x12, &m::LOONG_UNIT),
    (0x13, &m::LOONG_WATCH),
    (0x14, &m::LOONG_UNIT),
    (0x15, &m::LOONG_UNIT),
    (0x16, &m::LOONG_GUEST),
    (0x17, &m::LOONG_GUEST),
    (0x18, &m::LOONG_GUEST),
];

const ESTAT: &[Spec] = &[
    field("EsubCode", 30, 22, Meaning::Always(&m::LOONG_SUB)),
    field("Ecode", 21, 16, Meaning::Says(|n| named(CODES, n))),
    field("IS", 12, 0, Meaning::IfSet(&m::LOONG_IS)),
];

/// Decodes ESTAT.
#[must_use]
pub fn decode_estat(value: u64) -> Decoded {
    let mut fields = Vec::new();
    take_apart(value, 63, 0, ESTAT, &m::UNNAMED_BITS, &mut fields);
    Decoded { name: "ESTAT", value, fields }
}

/// What the access did, where the code says; an address error with subcode 0 is one of a fetch.
#[must_use]
pub fn estat_access(estat: u64) -> Option<Access> {
    match (bits(estat, 21, 16), bits(estat, 30, 22)) {
        (1 | 5, _) => Some(Access::Read),
        (2 | 4, _) => Some(Access::Write),
        (3 | 6, _) | (8, 0) => Some(Access::Execute),
        _ => None,
    }
}

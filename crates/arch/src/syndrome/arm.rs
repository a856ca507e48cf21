//! 32-bit Arm: the fault status registers (ARM ARM for ARMv7-A, B4.1.52 DFSR and B4.1.96 IFSR;
//! codes in tables B3-23 and B3-24), as `arch/arm/mm/fault.c` prints them.

use crate::decoded::{Decoded, bit};
use crate::esr::Access;
use crate::layout::{Meaning, Spec, field, flag, if_set, take_apart};
use kwhy_base::catalogue::arch_cpus as m;
use kwhy_base::prose::Message;

/// `FSR_LNX_PF`: the kernel's own mark of a prefetch abort.
const PREFETCH: u8 = 31;

/// Short-descriptor codes, FS[4:0] (bit 10 is FS[4]).
static SHORT: &[(u64, &Message)] = &[
    (0x01, &m::FSR_ALIGNMENT),
    (0x02, &m::FSR_DEBUG),
    (0x03, &m::FSR_ACCESS_FLAG),
    (0x04, &m::FSR_CACHE),
    (0x05, &m::FSR_TRANSLATION_1),
    (0x06, &m::FSR_ACCESS_FLAG),
    (0x07, &m::FSR_TRANSLATION_2),
    (0x08, &m::FSR_EXTERNAL),
    (0x09, &m::FSR_DOMAIN_FAULT),
    (0x0b, &m::FSR_DOMAIN_FAULT),
    (0x0c, &m::FSR_EXTERNAL_WALK),
    (0x0d, &m::FSR_PERMISSION),
    (0x0e, &m::FSR_EXTERNAL_WALK),
    (0x0f, &m::FSR_PERMISSION),
    (0x10, &m::FSR_TLB),
    (0x14, &m::FSR_LOCKDOWN),
    (0x16, &m::FSR_ASYNC),
    (0x18, &m::FSR_ASYNC_PARITY),
    (0x19, &m::FSR_PARITY),
    (0x1a, &m::FSR_COPROCESSOR),
    (0x1c, &m::FSR_PARITY_WALK),
    (0x1e, &m::FSR_PARITY_WALK),
];

/// What a long-descriptor status means; the two low bits of the first groups are the level.
fn long(status: u64) -> &'static Message {
    match status {
        0x04..=0x07 => &m::FSR_TRANSLATION,
        0x08..=0x0b => &m::FSR_ACCESS_FLAG,
        0x0c..=0x0f => &m::FSR_PERMISSION,
        0x10 => &m::FSR_EXTERNAL,
        0x11 => &m::FSR_ASYNC,
        0x14..=0x17 => &m::FSR_EXTERNAL_WALK,
        0x18 => &m::FSR_PARITY,
        0x19 => &m::FSR_ASYNC_PARITY,
        0x1c..=0x1f => &m::FSR_PARITY_WALK,
        0x21 => &m::FSR_ALIGNMENT,
        0x22 => &m::FSR_DEBUG,
        0x30 => &m::FSR_TLB,
        0x34 => &m::FSR_LOCKDOWN,
        0x3a => &m::FSR_COPROCESSOR,
        _ => &m::UNKNOWN_CODE,
    }
}

const HIGH: [Spec; 4] = [
    if_set("PREFETCH", PREFETCH, &m::FSR_PREFETCH),
    if_set("CM", 13, &m::FSR_CM),
    if_set("ExT", 12, &m::FSR_EXT),
    flag("WnR", 11, &m::FSR_READ, &m::FSR_WRITE),
];

/// Decodes a fault status register as the kernel prints it.
#[must_use]
pub fn decode_fsr(value: u64) -> Decoded {
    let mut fields = Vec::new();
    if bit(value, 9) {
        take_apart(value, 63, 10, &HIGH, &m::UNNAMED_BITS, &mut fields);
        let low = [
            if_set("LPAE", 9, &m::FSR_LPAE),
            field("STATUS", 5, 0, Meaning::Says(|n| crate::layout::says(long(n)))),
        ];
        take_apart(value, 9, 0, &low, &m::UNNAMED_BITS, &mut fields);
    } else {
        take_apart(value, 63, 11, &HIGH, &m::UNNAMED_BITS, &mut fields);
        // FS is in two parts; its meaning goes with the low one, which is always there.
        let fs = (value & 0xf) | (u64::from(bit(value, 10)) << 4);
        take_apart(value, 10, 8, &[if_set("FS[4]", 10, &m::FSR_EXT_CODE)], &m::UNNAMED_BITS, &mut fields);
        take_apart(
            value,
            7,
            4,
            &[field("Domain", 7, 4, Meaning::Always(&m::FSR_DOMAIN))],
            &m::UNNAMED_BITS,
            &mut fields,
        );
        fields.push(crate::Field::new("FS", 3, 0, value, super::named(SHORT, fs)));
    }
    Decoded { name: "FSR", value, fields }
}

/// What the access did.
#[must_use]
pub fn fsr_access(value: u64) -> Option<Access> {
    Some(if bit(value, PREFETCH) {
        Access::Execute
    } else if bit(value, 11) {
        Access::Write
    } else {
        Access::Read
    })
}

/// Whether it is a permission fault, of either table format.
pub(super) fn permission(value: u64) -> bool {
    if bit(value, 9) { value & 0x3c == 0x0c } else { matches!(value & 0x40f, 0x0d | 0x0f) }
}

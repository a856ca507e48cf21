//! EFLAGS (SDM volume 1, 3.4.3), CR0 and CR4 (SDM volume 3, 2.5; `asm/processor-flags.h`).

use super::m;
use crate::decoded::Decoded;
use crate::layout::{Meaning, Spec, field, flag, if_set, take_apart};
use kwhy_base::prose;

const EFLAGS: &[Spec] = &[
    if_set("ID", 21, &m::FLAG_ID),
    if_set("VIP", 20, &m::FLAG_VIP),
    if_set("VIF", 19, &m::FLAG_VIF),
    if_set("AC", 18, &m::FLAG_AC),
    if_set("VM", 17, &m::FLAG_VM),
    if_set("RF", 16, &m::FLAG_RF),
    if_set("NT", 14, &m::FLAG_NT),
    field("IOPL", 13, 12, Meaning::Says(|n| prose!(m::FLAG_IOPL, n = n))),
    if_set("OF", 11, &m::FLAG_OF),
    if_set("DF", 10, &m::FLAG_DF),
    flag("IF", 9, &m::FLAG_IF_0, &m::FLAG_IF_1),
    if_set("TF", 8, &m::FLAG_TF),
    if_set("SF", 7, &m::FLAG_SF),
    if_set("ZF", 6, &m::FLAG_ZF),
    if_set("AF", 4, &m::FLAG_AF),
    if_set("PF", 2, &m::FLAG_PF),
    if_set("fixed", 1, &m::FLAG_FIXED),
    if_set("CF", 0, &m::FLAG_CF),
];

const CR0: &[Spec] = &[
    if_set("PG", 31, &m::CR0_PG),
    if_set("CD", 30, &m::CR0_CD),
    if_set("NW", 29, &m::CR0_NW),
    if_set("AM", 18, &m::CR0_AM),
    flag("WP", 16, &m::CR0_WP_0, &m::CR0_WP_1),
    if_set("NE", 5, &m::CR0_NE),
    if_set("ET", 4, &m::CR0_ET),
    if_set("TS", 3, &m::CR0_TS),
    if_set("EM", 2, &m::CR0_EM),
    if_set("MP", 1, &m::CR0_MP),
    if_set("PE", 0, &m::CR0_PE),
];

const CR4: &[Spec] = &[
    if_set("FRED", 32, &m::CR4_FRED),
    if_set("LAM_SUP", 28, &m::CR4_LAM_SUP),
    if_set("LASS", 27, &m::CR4_LASS),
    if_set("UINTR", 25, &m::CR4_UINTR),
    if_set("PKS", 24, &m::CR4_PKS),
    if_set("CET", 23, &m::CR4_CET),
    if_set("PKE", 22, &m::CR4_PKE),
    if_set("SMAP", 21, &m::CR4_SMAP),
    if_set("SMEP", 20, &m::CR4_SMEP),
    if_set("KL", 19, &m::CR4_KL),
    if_set("OSXSAVE", 18, &m::CR4_OSXSAVE),
    if_set("PCIDE", 17, &m::CR4_PCIDE),
    if_set("FSGSBASE", 16, &m::CR4_FSGSBASE),
    if_set("SMXE", 14, &m::CR4_SMXE),
    if_set("VMXE", 13, &m::CR4_VMXE),
    if_set("LA57", 12, &m::CR4_LA57),
    if_set("UMIP", 11, &m::CR4_UMIP),
    if_set("OSXMMEXCPT", 10, &m::CR4_OSXMMEXCPT),
    if_set("OSFXSR", 9, &m::CR4_OSFXSR),
    if_set("PCE", 8, &m::CR4_PCE),
    if_set("PGE", 7, &m::CR4_PGE),
    if_set("MCE", 6, &m::CR4_MCE),
    if_set("PAE", 5, &m::CR4_PAE),
    if_set("PSE", 4, &m::CR4_PSE),
    if_set("DE", 3, &m::CR4_DE),
    if_set("TSD", 2, &m::CR4_TSD),
    if_set("PVI", 1, &m::CR4_PVI),
    if_set("VME", 0, &m::CR4_VME),
];

fn decode(name: &'static str, value: u64, specs: &[Spec]) -> Decoded {
    let mut fields = Vec::new();
    take_apart(value, 63, 0, specs, &m::RESERVED_SET, &mut fields);
    Decoded { name, value, fields }
}

/// Decodes EFLAGS; flags that are clear are left out, except IF and IOPL.
#[must_use]
pub fn decode_eflags(flags: u64) -> Decoded {
    decode("EFLAGS", flags, EFLAGS)
}

/// Decodes CR0; clear bits are left out, except WP.
#[must_use]
pub fn decode_cr0(value: u64) -> Decoded {
    decode("CR0", value, CR0)
}

/// Decodes CR4; clear bits are left out. LA57 tells five-level from four-level page tables.
#[must_use]
pub fn decode_cr4(value: u64) -> Decoded {
    decode("CR4", value, CR4)
}

#[cfg(test)]
mod tests {
    use super::{decode_cr0, decode_cr4, decode_eflags};

    fn names(decoded: &crate::Decoded) -> Vec<&'static str> {
        decoded.fields.iter().map(|f| f.name).collect()
    }

    #[test]
    fn registers_of_real_logs() {
        assert_eq!(names(&decode_eflags(0x10246)), ["RF", "IOPL", "IF", "ZF", "PF", "fixed"]);
        assert_eq!(names(&decode_cr0(0x8005_0033)), ["PG", "AM", "WP", "NE", "ET", "MP", "PE"]);
        assert!(names(&decode_cr4(0x751ef0)).contains(&"LA57"));
        assert!(!names(&decode_cr4(0x3506e0)).contains(&"LA57"));
    }
}

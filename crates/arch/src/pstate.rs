//! ARM64 PSTATE as saved in SPSR_EL1 and printed as `pstate:` (Arm ARM C5.2.20 SPSR_EL1;
//! `asm/ptrace.h` PSR_*).

use crate::decoded::{Decoded, bit};
use crate::layout::{Meaning, Spec, field, flag, if_set, says, take_apart};
use kwhy_base::catalogue::{arch_esr, arch_state as m};
use kwhy_base::{Prose, prose};

/// The fields of a PSTATE saved from AArch64.
const AARCH64: &[Spec] = &[
    if_set("UINJ", 36, &m::UINJ_1),
    if_set("PACM", 35, &m::PACM_1),
    if_set("EXLOCK", 34, &m::EXLOCK_1),
    if_set("PPEND", 33, &m::PPEND_1),
    if_set("PM", 32, &m::PM_1),
    flag("N", 31, &m::N_0, &m::N_1),
    flag("Z", 30, &m::Z_0, &m::Z_1),
    flag("C", 29, &m::C_0, &m::C_1),
    flag("V", 28, &m::V_0, &m::V_1),
    flag("TCO", 25, &m::TCO_0, &m::TCO_1),
    flag("DIT", 24, &m::DIT_0, &m::DIT_1),
    flag("UAO", 23, &m::UAO_0, &m::UAO_1),
    flag("PAN", 22, &m::PAN_0, &m::PAN_1),
    flag("SS", 21, &m::SS_0, &m::SS_1),
    flag("IL", 20, &m::IL_0, &m::IL_1),
    if_set("ALLINT", 13, &m::ALLINT_1),
    flag("SSBS", 12, &m::SSBS_0, &m::SSBS_1),
    field("BTYPE", 11, 10, Meaning::Values(&[&m::BTYPE_0, &m::BTYPE_1, &m::BTYPE_2], &m::BTYPE_3)),
    flag("D", 9, &m::D_0, &m::D_1),
    flag("A", 8, &m::A_0, &m::A_1),
    flag("I", 7, &m::I_0, &m::I_1),
    flag("F", 6, &m::F_0, &m::F_1),
    flag("nRW", 4, &m::NRW_0, &m::NRW_1),
    field("M", 3, 0, Meaning::Says(mode)),
];

/// The fields of one saved from AArch32, where the low bits and the middle differ.
const AARCH32: &[Spec] = &[
    flag("N", 31, &m::N_0, &m::N_1),
    flag("Z", 30, &m::Z_0, &m::Z_1),
    flag("C", 29, &m::C_0, &m::C_1),
    flag("V", 28, &m::V_0, &m::V_1),
    field("Q:IT:J", 27, 24, Meaning::Always(&m::A32_STATE)),
    flag("SSBS", 23, &m::SSBS_0, &m::SSBS_1),
    flag("PAN", 22, &m::PAN_0, &m::PAN_1),
    flag("DIT", 21, &m::DIT_0, &m::DIT_1),
    flag("IL", 20, &m::IL_0, &m::IL_1),
    field("GE:IT:E", 19, 9, Meaning::Always(&m::A32_STATE)),
    flag("A", 8, &m::A_0, &m::A_1),
    flag("I", 7, &m::I_0, &m::I_1),
    flag("F", 6, &m::F_0, &m::F_1),
    field("T", 5, 5, Meaning::Always(&m::A32_STATE)),
    flag("nRW", 4, &m::NRW_0, &m::NRW_1),
    field("M", 3, 0, Meaning::Says(mode32)),
];

fn mode(n: u64) -> Prose {
    says(match n {
        0x0 => &m::MODE_EL0T,
        0x4 => &m::MODE_EL1T,
        0x5 => &m::MODE_EL1H,
        0x8 => &m::MODE_EL2T,
        0x9 => &m::MODE_EL2H,
        0xc => &m::MODE_EL3T,
        0xd => &m::MODE_EL3H,
        _ => &m::MODE_RESERVED,
    })
}

fn mode32(n: u64) -> Prose {
    let name = match n {
        0x0 => "User",
        0x1 => "FIQ",
        0x2 => "IRQ",
        0x3 => "Supervisor",
        0x6 => "Monitor",
        0x7 => "Abort",
        0xa => "Hyp",
        0xb => "Undefined",
        0xf => "System",
        _ => return says(&m::MODE_RESERVED),
    };
    prose!(m::MODE_A32, name = name)
}

/// Decodes the saved processor state of `pstate`.
#[must_use]
pub fn decode_pstate(pstate: u64) -> Decoded {
    let mut fields = Vec::new();
    let specs = if bit(pstate, 4) { AARCH32 } else { AARCH64 };
    take_apart(pstate, 63, 0, specs, &arch_esr::RESERVED_SET, &mut fields);
    Decoded { name: "PSTATE", value: pstate, fields }
}

/// Whether the state is user mode (EL0, or AArch32 User).
#[must_use]
pub fn is_user_mode(pstate: u64) -> bool {
    pstate & 0xf == 0
}

#[cfg(test)]
mod tests {
    use super::{decode_pstate, is_user_mode};
    use crate::layout::{awkward_values, covers};
    use kwhy_base::Lang;

    #[test]
    fn as_the_kernel_prints_it() {
        // `pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)`
        let decoded = decode_pstate(0x6040_0005);
        let value = |name: &str| decoded.field(name).map(|f| f.value);
        assert_eq!((value("N"), value("Z"), value("C"), value("V")), (Some(0), Some(1), Some(1), Some(0)));
        assert_eq!(
            (value("PAN"), value("UAO"), value("TCO"), value("I")),
            (Some(1), Some(0), Some(0), Some(0))
        );
        assert_eq!(value("BTYPE"), Some(0));
        let mode = decoded.field("M").map(|f| f.meaning.render(Lang::En));
        assert!(mode.is_some_and(|text| text.starts_with("EL1h")));
        // `204000c5 (nzCv daIF …)`
        let masked = decode_pstate(0x2040_00c5);
        assert_eq!(masked.field("I").map(|f| f.value), Some(1));
        assert_eq!(masked.field("F").map(|f| f.value), Some(1));
    }

    #[test]
    fn user_mode() {
        assert!(is_user_mode(0x6000_0000));
        assert!(is_user_mode(0x6000_0010));
        assert!(!is_user_mode(0x6040_0005));
        assert!(!is_user_mode(0x6040_0009));
    }

    #[test]
    fn nothing_panics_and_no_set_bit_is_lost() {
        for value in awkward_values() {
            assert!(covers(&decode_pstate(value)), "{value:#x}");
        }
    }
}

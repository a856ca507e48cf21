//! What some exceptions mean in practice, for those whose name does not say it: ARM64 pointer
//! authentication and branch targets, aborts that are no missing page, SErrors.

use crate::decoded::{bit, bits};
use crate::esr::{BrkUse, FaultKind, brk_use, exception_class, fault_status};
use crate::layout::says;
use kwhy_base::catalogue::arch as m;
use kwhy_base::{Arch, Prose, prose};

/// What to know about an exception when diagnosing it; `None` where there is nothing to add to its
/// decoded fields. `syndrome` is ESR_EL1 on ARM64 and the page-fault error code on x86-64.
#[must_use]
pub fn exception_hint(arch: Arch, syndrome: u64) -> Option<Prose> {
    match arch {
        Arch::Arm64 => arm64(syndrome),
        Arch::X86_64 => x86_page_fault(syndrome),
        _ => None,
    }
}

/// `IA`, `IB`, `DA`, `DB`: the key of a pointer authentication failure (ESR bits 1:0).
#[must_use]
pub fn pac_key(esr: u64) -> Option<&'static str> {
    (exception_class(esr) == 0x1c).then(|| match bits(esr, 1, 0) {
        0 => "IA",
        1 => "IB",
        2 => "DA",
        _ => "DB",
    })
}

fn arm64(esr: u64) -> Option<Prose> {
    Some(match exception_class(esr) {
        0x00 => says(&m::HINT_UNKNOWN),
        0x0d => {
            let how = if bits(esr, 1, 0) == 2 { says(&m::HOW_CALL) } else { says(&m::HOW_JUMP) };
            prose!(m::HINT_BTI, how = how)
        }
        0x0e => says(&m::HINT_ILLEGAL_STATE),
        0x1c => prose!(m::HINT_FPAC, key = pac_key(esr).unwrap_or("?")),
        class @ (0x20 | 0x21 | 0x24 | 0x25) => return abort(esr, class),
        0x22 => says(&m::HINT_PC_ALIGN),
        0x26 => says(&m::HINT_SP_ALIGN),
        0x2d => says(&m::HINT_GCS),
        0x2f => says(&m::HINT_SERROR),
        0x3c if brk_use(bits(esr, 15, 0) as u16) == BrkUse::Cfi => says(&m::HINT_CFI),
        _ => return None,
    })
}

fn abort(esr: u64, class: u8) -> Option<Prose> {
    Some(says(match fault_status(bits(esr, 5, 0) as u8).kind {
        FaultKind::ExternalAbort | FaultKind::Parity => &m::HINT_EXTERNAL_ABORT,
        FaultKind::Alignment => &m::HINT_ALIGNMENT,
        FaultKind::TagCheck => &m::HINT_TAG_CHECK,
        FaultKind::TlbConflict => &m::HINT_TLB_CONFLICT,
        FaultKind::Permission if class <= 0x21 => &m::HINT_PERMISSION_EXECUTE,
        // With cache maintenance WnR says nothing.
        FaultKind::Permission if bit(esr, 8) => return None,
        FaultKind::Permission if bit(esr, 6) => &m::HINT_PERMISSION_WRITE,
        FaultKind::Permission => &m::HINT_PERMISSION_READ,
        _ => return None,
    }))
}

fn x86_page_fault(code: u64) -> Option<Prose> {
    let (present, write, user) = (bit(code, 0), bit(code, 1), bit(code, 2));
    if bit(code, 3) {
        return Some(says(&m::HINT_X86_RSVD));
    }
    if !present || user {
        return None;
    }
    if bit(code, 4) {
        return Some(says(&m::HINT_X86_NX));
    }
    Some(says(if write { &m::HINT_PERMISSION_WRITE } else { &m::HINT_X86_SMAP }))
}

#[cfg(test)]
mod tests {
    use super::{exception_hint, pac_key};
    use kwhy_base::{Arch, Lang};

    fn hint(arch: Arch, syndrome: u64) -> String {
        exception_hint(arch, syndrome).map(|h| h.render(Lang::En)).unwrap_or_default()
    }

    #[test]
    fn pac_and_bti() {
        assert_eq!(pac_key(0x7200_0000), Some("IA"));
        assert_eq!(pac_key(0x7200_0003), Some("DB"));
        assert_eq!(pac_key(0x9600_0004), None);
        assert!(hint(Arch::Arm64, 0x7200_0000).contains("(IA)"));
        assert!(hint(Arch::Arm64, 0x3600_0002).contains("indirect call"));
        assert!(hint(Arch::Arm64, 0x3600_0003).contains("indirect jump"));
    }

    #[test]
    fn aborts() {
        assert_eq!(hint(Arch::Arm64, 0x9600_0004), "");
        assert!(hint(Arch::Arm64, 0x9600_004f).contains("write"));
        assert!(hint(Arch::Arm64, 0x8600_000f).contains("jump into data"));
        assert!(hint(Arch::Arm64, 0x9600_0010).contains("external abort"));
        assert!(hint(Arch::Arm64, 0xbe00_0011).contains("SError"));
    }

    #[test]
    fn page_faults() {
        assert_eq!(hint(Arch::X86_64, 0), "");
        assert_eq!(hint(Arch::X86_64, 2), "");
        assert!(hint(Arch::X86_64, 3).contains("read-only"));
        assert!(hint(Arch::X86_64, 0x11).contains("not executable"));
        assert!(hint(Arch::X86_64, 9).contains("reserved bits"));
    }
}

//! Fault status codes: DFSC and IFSC, ESR bits 5:0 of an abort.

use super::m;
use crate::layout::says;
use kwhy_base::{Prose, prose};

/// The sort of fault an abort's status code reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The translated address is wider than the hardware's.
    AddressSize,
    /// Nothing is mapped at the address.
    Translation,
    /// Mapped, access flag clear.
    AccessFlag,
    /// Mapped, access not allowed.
    Permission,
    /// The bus or memory answered with an error.
    ExternalAbort,
    /// MTE tag mismatch.
    TagCheck,
    /// Parity or ECC error.
    Parity,
    /// Misaligned access.
    Alignment,
    /// A debug exception.
    Debug,
    /// Granule protection.
    GranuleProtection,
    /// Two TLB entries match.
    TlbConflict,
    /// Anything else, reserved codes included.
    Other,
}

/// A fault status code, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultStatus {
    /// What sort.
    pub kind: FaultKind,
    /// The translation table level, −2 to 3, where the code has one.
    pub level: Option<i8>,
}

/// Decodes the status code `fsc` (six bits) by Arm ARM D24.2.40, "DFSC, bits \[5:0\]".
#[must_use]
pub fn fault_status(fsc: u8) -> FaultStatus {
    let by_level = |kind, level| FaultStatus { kind, level: Some(level) };
    let plain = |kind| FaultStatus { kind, level: None };
    let low = (fsc & 3) as i8;
    match fsc & 0x3f {
        0x00..=0x03 => by_level(FaultKind::AddressSize, low),
        0x04..=0x07 => by_level(FaultKind::Translation, low),
        0x08..=0x0b => by_level(FaultKind::AccessFlag, low),
        0x0c..=0x0f => by_level(FaultKind::Permission, low),
        0x10 => plain(FaultKind::ExternalAbort),
        0x11 => plain(FaultKind::TagCheck),
        0x12 => by_level(FaultKind::ExternalAbort, -2),
        0x13 => by_level(FaultKind::ExternalAbort, -1),
        0x14..=0x17 => by_level(FaultKind::ExternalAbort, low),
        0x18 => plain(FaultKind::Parity),
        0x1b => by_level(FaultKind::Parity, -1),
        0x1c..=0x1f => by_level(FaultKind::Parity, low),
        0x21 => plain(FaultKind::Alignment),
        0x22 => by_level(FaultKind::GranuleProtection, -2),
        0x23 => by_level(FaultKind::GranuleProtection, -1),
        0x24..=0x27 => by_level(FaultKind::GranuleProtection, low),
        0x28 => plain(FaultKind::GranuleProtection),
        0x29 => by_level(FaultKind::AddressSize, -1),
        0x2a => by_level(FaultKind::Translation, -2),
        0x2b => by_level(FaultKind::Translation, -1),
        0x2c => by_level(FaultKind::AddressSize, -2),
        0x30 => plain(FaultKind::TlbConflict),
        _ => plain(FaultKind::Other),
    }
}

/// A status code of an abort in words.
pub(super) fn fsc_meaning(fsc: u64) -> Prose {
    let code = (fsc & 0x3f) as u8;
    let status = fault_status(code);
    match (status.kind, status.level) {
        (FaultKind::AddressSize, Some(level)) => prose!(m::FSC_ADDRESS_SIZE, level = level.to_string()),
        (FaultKind::Translation, Some(level)) => prose!(m::FSC_TRANSLATION, level = level.to_string()),
        (FaultKind::AccessFlag, Some(level)) => prose!(m::FSC_ACCESS_FLAG, level = level.to_string()),
        (FaultKind::Permission, Some(level)) => prose!(m::FSC_PERMISSION, level = level.to_string()),
        (FaultKind::ExternalAbort, Some(level)) => prose!(m::FSC_SEA_WALK, level = level.to_string()),
        (FaultKind::ExternalAbort, None) => says(&m::FSC_SEA),
        (FaultKind::TagCheck, _) => says(&m::FSC_TAG),
        (FaultKind::Parity, Some(level)) => prose!(m::FSC_PARITY_WALK, level = level.to_string()),
        (FaultKind::Parity, None) => says(&m::FSC_PARITY),
        (FaultKind::Alignment, _) => says(&m::FSC_ALIGNMENT),
        (FaultKind::GranuleProtection, Some(level)) => prose!(m::FSC_GPF_WALK, level = level.to_string()),
        (FaultKind::GranuleProtection, None) => says(&m::FSC_GPF),
        (FaultKind::TlbConflict, _) => says(&m::FSC_TLB_CONFLICT),
        _ => says(match code {
            0x31 => &m::FSC_HW_UPDATE,
            0x34 => &m::FSC_LOCKDOWN,
            0x35 => &m::FSC_EXCLUSIVE,
            0x3d => &m::FSC_SECTION_DOMAIN,
            0x3e => &m::FSC_PAGE_DOMAIN,
            _ => &m::FSC_RESERVED,
        }),
    }
}

/// A status code of a debug exception: 0x22 is the only one there is.
pub(super) fn debug_fsc_meaning(fsc: u64) -> Prose {
    says(if fsc == 0x22 { &m::FSC_DEBUG } else { &m::FSC_RESERVED })
}

/// A status code of an SError.
pub(super) fn serror_fsc_meaning(fsc: u64) -> Prose {
    says(match fsc {
        0x00 => &m::FSC_UNCATEGORIZED,
        0x11 => &m::FSC_ASYNC_SERROR,
        _ => &m::FSC_RESERVED,
    })
}

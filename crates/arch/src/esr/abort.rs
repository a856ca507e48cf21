//! The syndrome of data aborts, instruction aborts and SErrors.

use super::m;
use super::status::{fsc_meaning, serror_fsc_meaning};
use super::trap::register_name;
use crate::decoded::{Field, bit, bits};
use crate::layout::{Meaning, Spec, field, flag, if_set, take_apart};
use kwhy_base::prose;

/// ISS2 of a data abort, ESR bits 55:32.
pub(super) const DATA_ISS2: &[Spec] = &[
    if_set("HDBSSF", 43, &m::HDBSSF),
    if_set("TnD", 42, &m::TND),
    if_set("TagAccess", 41, &m::TAG_ACCESS),
    if_set("GCS", 40, &m::GCS_ACCESS),
    if_set("AssuredOnly", 39, &m::ASSURED_ONLY),
    if_set("Overlay", 38, &m::OVERLAY),
    if_set("DirtyBit", 37, &m::DIRTY_BIT),
    field("Xs", 36, 32, Meaning::Says(|n| prose!(m::XS, register = register_name(n)))),
];

/// ISS2 of an instruction abort.
pub(super) const INSTRUCTION_ISS2: &[Spec] = &[
    if_set("HDBSSF", 43, &m::HDBSSF),
    if_set("AssuredOnly", 39, &m::ASSURED_ONLY),
    if_set("Overlay", 38, &m::OVERLAY),
    if_set("DirtyBit", 37, &m::DIRTY_BIT),
];

/// Bits 23:14 of a data abort when ISV says that they describe the instruction.
const INSTRUCTION_SYNDROME: &[Spec] = &[
    field("SAS", 23, 22, Meaning::Values(&[&m::SAS_1, &m::SAS_2, &m::SAS_4, &m::SAS_8], &m::SAS_8)),
    flag("SSE", 21, &m::SSE_0, &m::SSE_1),
    field("SRT", 20, 16, Meaning::Says(|n| prose!(m::SRT, register = register_name(n)))),
    flag("SF", 15, &m::SF_0, &m::SF_1),
    flag("AR", 14, &m::AR_0, &m::AR_1),
];

/// Bits 23:14 when ISV is clear: newer architectures put other facts there.
const NO_INSTRUCTION_SYNDROME: &[Spec] = &[if_set("FnP", 15, &m::FNP_1), if_set("PFV", 14, &m::PFV_1)];

const SET: Spec = field(
    "SET",
    12,
    11,
    Meaning::Values(&[&m::SET_UER, &m::RESERVED_SET, &m::SET_UC, &m::SET_UEO], &m::RESERVED_SET),
);

/// For an unsupported exclusive or atomic access the same bits name a 64-byte instruction.
const LST: Spec = field(
    "LST",
    12,
    11,
    Meaning::Values(&[&m::LST_NONE, &m::LST_ST64BV, &m::LST_LD64B, &m::LST_ST64BV0], &m::LST_NONE),
);

/// In every other case they mean nothing.
const SET_NONE: Spec = field("SET", 12, 11, Meaning::Always(&m::SET_NONE));

/// What bits 12:11 are, by the status code.
fn set_or_lst(fsc: u64) -> &'static Spec {
    match fsc {
        0x10 => &SET,
        0x35 => &LST,
        _ => &SET_NONE,
    }
}

/// The ISS of a data abort, bits 24:0 (Arm ARM, "ISS encoding for an exception from a Data Abort").
pub(super) fn data(esr: u64, out: &mut Vec<Field>) {
    take_apart(esr, 24, 24, &[flag("ISV", 24, &m::ISV_0, &m::ISV_1)], &m::RESERVED_SET, out);
    let middle = if bit(esr, 24) { INSTRUCTION_SYNDROME } else { NO_INSTRUCTION_SYNDROME };
    take_apart(esr, 23, 14, middle, &m::RESERVED_SET, out);
    take_apart(esr, 13, 13, &[flag("VNCR", 13, &m::VNCR_0, &m::VNCR_1)], &m::RESERVED_SET, out);
    take_apart(esr, 12, 11, std::slice::from_ref(set_or_lst(bits(esr, 5, 0))), &m::RESERVED_SET, out);
    let written = if bit(esr, 8) { &m::WNR_CM } else { &m::WNR_1 };
    let rest = [
        flag("FnV", 10, &m::FNV_0, &m::FNV_1),
        flag("EA", 9, &m::EA_0, &m::EA_1),
        flag("CM", 8, &m::CM_0, &m::CM_1),
        flag("S1PTW", 7, &m::S1PTW_0, &m::S1PTW_1),
        flag("WnR", 6, &m::WNR_0, written),
        field("DFSC", 5, 0, Meaning::Says(fsc_meaning)),
    ];
    take_apart(esr, 10, 0, &rest, &m::RESERVED_SET, out);
}

/// The ISS of an instruction abort, bits 24:0.
pub(super) fn instruction(esr: u64, out: &mut Vec<Field>) {
    take_apart(esr, 24, 13, &[if_set("PFV", 14, &m::PFV_1)], &m::RESERVED_SET, out);
    take_apart(esr, 12, 11, std::slice::from_ref(set_or_lst(bits(esr, 5, 0))), &m::RESERVED_SET, out);
    let rest = [
        flag("FnV", 10, &m::FNV_0, &m::FNV_1),
        flag("EA", 9, &m::EA_0, &m::EA_1),
        flag("S1PTW", 7, &m::S1PTW_0, &m::S1PTW_1),
        field("IFSC", 5, 0, Meaning::Says(fsc_meaning)),
    ];
    take_apart(esr, 10, 0, &rest, &m::RESERVED_SET, out);
}

/// The ISS of an SError, bits 24:0.
pub(super) fn serror(esr: u64, out: &mut Vec<Field>) {
    take_apart(esr, 24, 24, &[flag("IDS", 24, &m::IDS_0, &m::IDS_1)], &m::RESERVED_SET, out);
    if bit(esr, 24) {
        let raw = [field("IMPDEF", 23, 0, Meaning::Always(&m::IMPDEF_BITS))];
        take_apart(esr, 23, 0, &raw, &m::RESERVED_SET, out);
        return;
    }
    const AET: &[&kwhy_base::Message] = &[
        &m::AET_UC,
        &m::AET_UEU,
        &m::AET_UEO,
        &m::AET_UER,
        &m::AET_RESERVED,
        &m::AET_RESERVED,
        &m::AET_CE,
        &m::AET_RESERVED,
    ];
    let specs = [
        if_set("PFV", 14, &m::PFV_1),
        flag("IESB", 13, &m::IESB_0, &m::IESB_1),
        field("AET", 12, 10, Meaning::Values(AET, &m::AET_RESERVED)),
        flag("EA", 9, &m::EA_0, &m::EA_1),
        flag("WnRV", 8, &m::WNRV_0, &m::WNRV_1),
        flag("WnR", 6, &m::WNR_0, &m::WNR_1),
        field("DFSC", 5, 0, Meaning::Says(serror_fsc_meaning)),
    ];
    take_apart(esr, 23, 0, &specs, &m::RESERVED_SET, out);
}

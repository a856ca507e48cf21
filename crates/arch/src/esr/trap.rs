//! The syndromes with a fixed layout: traps, immediates, debug exceptions, BTI, PAC, MOPS, GCS.

use super::m;
use super::status::{debug_fsc_meaning, fsc_meaning};
use crate::decoded::Field;
use crate::layout::{Meaning, Spec, field, flag, if_set, take_apart};
use kwhy_base::{Prose, prose};

/// `x0`…`x30`, `xzr` for 31, as the SRT, Rt and Rn fields number registers.
pub(super) fn register_name(n: u64) -> String {
    if n == 31 { "xzr".to_owned() } else { format!("x{n}") }
}

fn operand(n: u64) -> Prose {
    prose!(m::OPERAND, n = n)
}

fn register(n: u64) -> Prose {
    prose!(m::REGISTER, register = register_name(n))
}

const fn number(name: &'static str, hi: u8, lo: u8) -> Spec {
    field(name, hi, lo, Meaning::Says(operand))
}

const fn register_at(name: &'static str, hi: u8, lo: u8) -> Spec {
    field(name, hi, lo, Meaning::Says(register))
}

const CV: Spec = flag("CV", 24, &m::CV_0, &m::CV_1);
const COND: Spec = field("COND", 23, 20, Meaning::Says(|n| prose!(m::COND, n = n)));
const DIRECTION: Spec = flag("Direction", 0, &m::DIR_WRITE, &m::DIR_READ);

pub(super) const WFX: &[Spec] = &[
    CV,
    COND,
    register_at("RN", 9, 5),
    flag("RV", 2, &m::RV_0, &m::RV_1),
    field("TI", 1, 0, Meaning::Values(&[&m::TI_WFI, &m::TI_WFE, &m::TI_WFIT], &m::TI_WFET)),
];

pub(super) const COPROCESSOR_32: &[Spec] = &[
    CV,
    COND,
    number("Opc2", 19, 17),
    number("Opc1", 16, 14),
    number("CRn", 13, 10),
    register_at("Rt", 9, 5),
    number("CRm", 4, 1),
    DIRECTION,
];

pub(super) const COPROCESSOR_64: &[Spec] = &[
    CV,
    COND,
    number("Opc1", 19, 16),
    register_at("Rt2", 14, 10),
    register_at("Rt", 9, 5),
    number("CRm", 4, 1),
    DIRECTION,
];

pub(super) const COPROCESSOR_LDC: &[Spec] = &[
    CV,
    COND,
    number("imm8", 19, 12),
    register_at("Rn", 9, 5),
    flag("Offset", 4, &m::LDC_OFFSET_SUB, &m::LDC_OFFSET_ADD),
    number("AM", 3, 1),
    flag("Direction", 0, &m::LDC_STORE, &m::LDC_LOAD),
];

pub(super) const CONDITION: &[Spec] = &[CV, COND];

pub(super) const OTHER: &[Spec] = &[field("ISS", 24, 0, Meaning::Says(|n| prose!(m::LS64_WHICH, n = n)))];

pub(super) const IMMEDIATE: &[Spec] =
    &[field("imm16", 15, 0, Meaning::Says(|n| prose!(m::IMM16, imm = format_args!("{n:#x}"))))];

pub(super) const SMC32: &[Spec] = &[CV, COND, flag("CCKNOWNPASS", 19, &m::CCKNOWNPASS_0, &m::CCKNOWNPASS_1)];

pub(super) const BTI: &[Spec] =
    &[field("BTYPE", 1, 0, Meaning::Values(&[&m::BTYPE_NONE, &m::BTYPE_JC, &m::BTYPE_C], &m::BTYPE_J))];

pub(super) const FPAC: &[Spec] =
    &[flag("DnI", 1, &m::PAC_INSTRUCTION, &m::PAC_DATA), flag("BnA", 0, &m::PAC_A, &m::PAC_B)];

pub(super) const ERET: &[Spec] =
    &[flag("ERET", 1, &m::ERET_PLAIN, &m::ERET_AUTH), flag("ERETA", 0, &m::ERETA_A, &m::ERETA_B)];

pub(super) const TSTART: &[Spec] = &[register_at("Rd", 9, 5)];

pub(super) const SME: &[Spec] = &[field(
    "SMTC",
    2,
    0,
    Meaning::Values(
        &[&m::SME_DISABLED, &m::SME_ILLEGAL, &m::SME_NOT_STREAMING, &m::SME_ZA_OFF, &m::SME_ZT0],
        &m::SME_RESERVED,
    ),
)];

pub(super) const GPC: &[Spec] = &[
    if_set("S2PTW", 21, &m::GPC_S2PTW_1),
    flag("InD", 20, &m::GPC_IND_0, &m::GPC_IND_1),
    field("GPCSC", 19, 14, Meaning::Says(|n| prose!(m::GPC_CODE, n = n))),
    flag("VNCR", 13, &m::VNCR_0, &m::VNCR_1),
    flag("CM", 8, &m::CM_0, &m::CM_1),
    flag("S1PTW", 7, &m::S1PTW_0, &m::S1PTW_1),
    flag("WnR", 6, &m::WNR_0, &m::WNR_1),
    field("xFSC", 5, 0, Meaning::Says(fsc_meaning)),
];

pub(super) const MOPS: &[Spec] = &[
    flag("MemInst", 24, &m::MOPS_CPY, &m::MOPS_SET),
    flag("isSETG", 23, &m::MOPS_SETG_0, &m::MOPS_SETG_1),
    field("Options", 22, 19, Meaning::Always(&m::MOPS_OPTIONS)),
    flag("FromEpilogue", 18, &m::MOPS_EPILOGUE_0, &m::MOPS_EPILOGUE_1),
    flag("WrongOption", 17, &m::MOPS_WRONG_0, &m::MOPS_WRONG_1),
    flag("OptionA", 16, &m::MOPS_OPTION_B, &m::MOPS_OPTION_A),
    register_at("destreg", 14, 10),
    register_at("srcreg", 9, 5),
    register_at("sizereg", 4, 0),
];

pub(super) const FLOATING_POINT: &[Spec] = &[
    flag("TFV", 23, &m::TFV_0, &m::TFV_1),
    field("VECITR", 10, 8, Meaning::Always(&m::VECITR)),
    flag("IDF", 7, &m::FP_FLAG_OFF, &m::FP_IDF),
    flag("IXF", 4, &m::FP_FLAG_OFF, &m::FP_IXF),
    flag("UFF", 3, &m::FP_FLAG_OFF, &m::FP_UFF),
    flag("OFF", 2, &m::FP_FLAG_OFF, &m::FP_OFF),
    flag("DZF", 1, &m::FP_FLAG_OFF, &m::FP_DZF),
    flag("IOF", 0, &m::FP_FLAG_OFF, &m::FP_IOF),
];

pub(super) const GCS: &[Spec] = &[
    field(
        "ExType",
        23,
        20,
        Meaning::Values(&[&m::GCS_DATA_CHECK, &m::GCS_EXLOCK, &m::GCS_STR], &m::GCS_TYPE_RESERVED),
    ),
    register_at("Raddr", 14, 10),
    register_at("Rvalue", 9, 5),
    field("IT", 4, 0, Meaning::Says(gcs_instruction)),
];

fn gcs_instruction(n: u64) -> Prose {
    let name = match n {
        0 => "RET",
        1 => "GCSPOPM",
        2 => "RETAA",
        3 => "RETAB",
        4 => "GCSSS1",
        5 => "GCSSS2",
        6 => "GCSPOPCX",
        7 => "GCSPOPX",
        _ => "?",
    };
    prose!(m::GCS_IT, name = name)
}

pub(super) const BREAKPOINT: &[Spec] = &[field("IFSC", 5, 0, Meaning::Says(debug_fsc_meaning))];

pub(super) const STEP: &[Spec] = &[
    flag("ISV", 24, &m::STEP_ISV_0, &m::STEP_ISV_1),
    flag("EX", 6, &m::STEP_EX_0, &m::STEP_EX_1),
    field("IFSC", 5, 0, Meaning::Says(debug_fsc_meaning)),
];

pub(super) const WATCHPOINT: &[Spec] = &[
    field("WPT", 23, 18, Meaning::Says(|n| prose!(m::WPT, n = n))),
    flag("WPTV", 17, &m::WPTV_0, &m::WPTV_1),
    if_set("WPF", 16, &m::WPF_1),
    flag("FnP", 15, &m::FNP_0, &m::FNP_1),
    flag("VNCR", 13, &m::VNCR_0, &m::VNCR_1),
    flag("FnV", 10, &m::FNV_0, &m::FNV_1),
    flag("CM", 8, &m::CM_0, &m::CM_1),
    flag("WnR", 6, &m::WNR_0, &m::WNR_1),
    field("DFSC", 5, 0, Meaning::Says(debug_fsc_meaning)),
];

pub(super) const PROFILING: &[Spec] = &[flag("SYNC", 0, &m::PROFILING_SYNC_0, &m::PROFILING_SYNC_1)];

/// EL3's implementation-defined class: nothing in it is the architecture's.
pub(super) fn implementation_defined(esr: u64, out: &mut Vec<Field>) {
    let raw = [field("IMPDEF", 24, 0, Meaning::Always(&m::IMPDEF_BITS))];
    take_apart(esr, 24, 0, &raw, &m::RESERVED_SET, out);
}

//! IBM Z: program interruption codes (z/Architecture Principles of Operation, chapter 6, "Program
//! Interruption" and figure "Program-Interruption Conditions") and the translation-exception
//! identification (chapter 3, "Translation-Exception Identification"; `asm/fault.h`).

use super::named;
use crate::decoded::{Decoded, Field, bits};
use crate::esr::Access;
use crate::layout::{Meaning, Spec, field, if_set, take_apart};
use kwhy_base::catalogue::arch_cpus as m;
use kwhy_base::prose::Message;

static CODES: &[(u64, &Message)] = &[
    (0x01, &m::PGM_OPERATION),
    (0x02, &m::PGM_PRIVILEGED),
    (0x03, &m::PGM_EXECUTE),
    (0x04, &m::PGM_PROTECTION),
    (0x05, &m::PGM_ADDRESSING),
    (0x06, &m::PGM_SPECIFICATION),
    (0x07, &m::PGM_DATA),
    (0x08, &m::PGM_FIXED_OVERFLOW),
    (0x09, &m::PGM_FIXED_DIVIDE),
    (0x0a, &m::PGM_DECIMAL),
    (0x0b, &m::PGM_DECIMAL),
    (0x0c, &m::PGM_FLOAT),
    (0x0d, &m::PGM_FLOAT),
    (0x0e, &m::PGM_FLOAT),
    (0x0f, &m::PGM_FLOAT),
    (0x10, &m::PGM_SEGMENT),
    (0x11, &m::PGM_PAGE),
    (0x12, &m::PGM_TRANSLATION_SPEC),
    (0x13, &m::PGM_SPECIAL),
    (0x15, &m::PGM_OPERAND),
    (0x18, &m::PGM_TRANSACTION),
    (0x1b, &m::PGM_TRANSACTION),
    (0x1d, &m::PGM_FLOAT),
    (0x38, &m::PGM_ASCE),
    (0x39, &m::PGM_REGION),
    (0x3a, &m::PGM_REGION),
    (0x3b, &m::PGM_REGION),
    (0x3d, &m::PGM_SECURE),
    (0x3e, &m::PGM_SECURE),
    (0x3f, &m::PGM_SECURE),
    (0x40, &m::PGM_MONITOR),
];

const PROGRAM: &[Spec] = &[
    if_set("PER", 7, &m::PGM_PER),
    field(
        "code",
        6,
        0,
        Meaning::Says(|n| if n == 0 { crate::layout::says(&m::PGM_PER_ONLY) } else { named(CODES, n) }),
    ),
];

const TEID: &[Spec] = &[
    field("TEID.address", 63, 12, Meaning::Always(&m::TEID_ADDRESS)),
    field(
        "TEID.FSI",
        11,
        10,
        Meaning::Values(&[&m::TEID_FSI_0, &m::TEID_FSI_STORE, &m::TEID_FSI_FETCH], &m::UNKNOWN_CODE),
    ),
    if_set("TEID.56", 7, &m::TEID_BIT_56),
    if_set("TEID.60", 3, &m::TEID_BIT_60),
    if_set("TEID.61", 2, &m::TEID_BIT_61),
    field(
        "TEID.AS",
        1,
        0,
        Meaning::Values(
            &[&m::TEID_SPACE_PRIMARY, &m::TEID_SPACE_AR, &m::TEID_SPACE_SECONDARY, &m::TEID_SPACE_HOME],
            &m::UNKNOWN_CODE,
        ),
    ),
];

/// Decodes a program interruption code: the first number of `Oops: 0004 ilc:3`.
#[must_use]
pub fn decode_program_interruption(value: u64) -> Decoded {
    let mut fields = Vec::new();
    take_apart(value, 63, 0, PROGRAM, &m::UNNAMED_BITS, &mut fields);
    Decoded { name: "PGM", value, fields }
}

/// Adds the fields of the TEID, whose bit numbers are the TEID's own.
pub fn add_teid(decoded: &mut Decoded, teid: u64) {
    let mut fields: Vec<Field> = Vec::new();
    take_apart(teid, 63, 0, TEID, &m::TEID_ZERO, &mut fields);
    // What is reserved in the TEID must not look reserved in the interruption code.
    for field in &mut fields {
        if field.name == "RES0" {
            field.name = "TEID.RES0";
        }
    }
    decoded.fields.extend(fields);
}

/// What the access did, by the fetch/store indication.
#[must_use]
pub fn teid_access(teid: u64) -> Option<Access> {
    match bits(teid, 11, 10) {
        1 => Some(Access::Write),
        2 => Some(Access::Read),
        _ => None,
    }
}

/// What the access did, by interruption code and TEID; only translation and protection have one.
#[must_use]
pub fn s390_access(code: u64, teid: Option<u64>) -> Option<Access> {
    matches!(code & 0x7f, 4 | 0x10 | 0x11 | 0x38..=0x3b).then_some(teid)?.and_then(teid_access)
}

/// Where the PSW points when the program is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// At the instruction: it was nullified, or the kernel wound the PSW back.
    At,
    /// After the instruction: it was suppressed, terminated or completed.
    After,
}

/// How an interruption of this code ends. Translation exceptions nullify; for protection the kernel
/// winds the PSW back (`do_protection_exception()` in arch/s390/mm/fault.c).
#[must_use]
pub fn ending(code: u64) -> Ending {
    if matches!(code & 0x7f, 4 | 0x10 | 0x11 | 0x38..=0x3b) { Ending::At } else { Ending::After }
}

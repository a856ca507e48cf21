//! ARM64 PSTATE as saved in SPSR_EL1 and printed as `pstate:` (Arm ARM C5.2.20 SPSR_EL1).

use crate::decoded::Decoded;

/// Decodes the saved processor state of `pstate`.
#[must_use]
pub fn decode_pstate(pstate: u64) -> Decoded {
    Decoded { name: "PSTATE", value: pstate, fields: Vec::new() }
}

//! x86-64: exception vectors, error codes, EFLAGS and control registers (Intel SDM, AMD APM).

mod control;
mod vector;

use crate::decoded::Decoded;
use crate::esr::Access;
use crate::layout::{Meaning, Spec, field, flag, if_set, says, take_apart};
use kwhy_base::catalogue::arch_x86 as m;
use kwhy_base::prose;

pub use control::{decode_cr0, decode_cr4, decode_eflags};
pub use vector::{Vector, exception_vector, vector_of_text};

/// Bits of a page-fault error code (SDM volume 3, 4.7; `asm/trap_pf.h`; bit 31 from the AMD APM).
const PAGE_FAULT: &[Spec] = &[
    if_set("RMP", 31, &m::PF_RMP),
    if_set("SGX", 15, &m::PF_SGX),
    if_set("HLAT", 7, &m::PF_HLAT),
    if_set("SS", 6, &m::PF_SS),
    if_set("PK", 5, &m::PF_PK),
    flag("I/D", 4, &m::PF_ID_0, &m::PF_ID_1),
    flag("RSVD", 3, &m::PF_RSVD_0, &m::PF_RSVD_1),
    flag("U/S", 2, &m::PF_U_0, &m::PF_U_1),
    flag("W/R", 1, &m::PF_W_0, &m::PF_W_1),
    flag("P", 0, &m::PF_P_0, &m::PF_P_1),
];

/// Decodes a page-fault error code.
#[must_use]
pub fn decode_page_fault(code: u64) -> Decoded {
    let mut fields = Vec::new();
    take_apart(code, 63, 0, PAGE_FAULT, &m::RESERVED_SET, &mut fields);
    Decoded { name: "error_code", value: code, fields }
}

/// What the access did, by a page-fault error code.
#[must_use]
pub fn page_fault_access(code: u64) -> Access {
    if code & 0x10 != 0 {
        Access::Execute
    } else if code & 2 != 0 {
        Access::Write
    } else {
        Access::Read
    }
}

/// Decodes the selector error code of #TS, #NP, #SS, #GP (SDM volume 3, 6.13). Zero means that
/// no segment was involved, as in every non-canonical access.
#[must_use]
pub fn decode_selector_error(code: u64) -> Decoded {
    let mut fields = Vec::new();
    let gate = code & 2 != 0;
    let index = if gate {
        field("Index", 15, 3, Meaning::Says(|n| prose!(m::SELECTOR_VECTOR, index = n)))
    } else {
        field("Index", 15, 3, Meaning::Says(|n| prose!(m::SELECTOR_INDEX, index = n)))
    };
    let table = field(
        "TI:IDT",
        2,
        1,
        Meaning::Values(&[&m::SELECTOR_GDT, &m::SELECTOR_IDT, &m::SELECTOR_LDT], &m::SELECTOR_IDT),
    );
    let specs = [index, table, flag("EXT", 0, &m::SELECTOR_EXT_0, &m::SELECTOR_EXT_1)];
    if code == 0 {
        fields.push(crate::Field::new("Index", 15, 0, code, says(&m::SELECTOR_NONE)));
    } else {
        take_apart(code, 63, 0, &specs, &m::RESERVED_SET, &mut fields);
    }
    Decoded { name: "error_code", value: code, fields }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{awkward_values, covers};
    use kwhy_base::Lang;

    fn said(decoded: &Decoded, name: &str) -> String {
        decoded.field(name).map(|f| f.meaning.render(Lang::En)).unwrap_or_default()
    }

    #[test]
    fn page_faults_of_real_logs() {
        // `Oops: 0000`, `Oops: 0003`, `Oops: 0010`.
        let read = decode_page_fault(0);
        assert!(said(&read, "P").starts_with("not-present page"));
        assert!(said(&read, "U/S").starts_with("supervisor"));
        assert_eq!(page_fault_access(0), Access::Read);
        assert_eq!(page_fault_access(3), Access::Write);
        assert!(said(&decode_page_fault(3), "P").contains("protection violation"));
        assert_eq!(page_fault_access(0x10), Access::Execute);
        assert!(said(&decode_page_fault(0x8000_0003), "RMP").contains("SEV-SNP"));
        assert!(said(&decode_page_fault(1 << 20), "RES0").contains("newer"));
    }

    #[test]
    fn selector_errors() {
        assert!(said(&decode_selector_error(0), "Index").contains("no segment"));
        let gate = decode_selector_error(0x0082 | 0x100);
        assert!(said(&gate, "TI:IDT").contains("IDT"));
        assert_eq!(said(&gate, "Index"), "vector 48");
        assert!(said(&decode_selector_error(0x18 | 4), "TI:IDT").contains("LDT"));
    }

    #[test]
    fn nothing_panics_and_no_set_bit_is_lost() {
        for value in awkward_values() {
            for decoded in [
                decode_page_fault(value),
                decode_selector_error(value),
                decode_eflags(value),
                decode_cr0(value),
                decode_cr4(value),
            ] {
                assert!(covers(&decoded), "{} {value:#x}", decoded.name);
            }
        }
    }
}

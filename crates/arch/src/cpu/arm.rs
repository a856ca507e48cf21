//! 32-bit Arm.

use super::{Cpu, r};
use kwhy_base::Arch;

/// Arm, by AAPCS. DWARF numbers: `aadwarf32`. `code_alignment` is Thumb's.
pub(super) static CPU: Cpu = Cpu {
    arch: Arch::Arm,
    registers: &[
        ("r0", r(0)),
        ("r1", r(1)),
        ("r2", r(2)),
        ("r3", r(3)),
        ("r4", r(4)),
        ("r5", r(5)),
        ("r6", r(6)),
        ("r7", r(7)),
        ("r8", r(8)),
        ("r9", r(9)),
        ("r10", r(10)),
        ("fp", r(11)),
        ("ip", r(12)),
        ("sp", r(13)),
        ("lr", r(14)),
        ("pc", r(15)),
    ],
    sp: r(13),
    fp: r(11),
    pc: r(15),
    lr: Some(r(14)),
    arguments: &[r(0), r(1), r(2), r(3)],
    result: r(0),
    callee_saved: &[r(4), r(5), r(6), r(7), r(8), r(9), r(10), r(11)],
    code_alignment: 2,
    digits: &[8],
    flags: "psr",
};

//! 32-bit x86.

use super::{Cpu, r};
use kwhy_base::Arch;

/// i386, by the System V ABI with the kernel's `-mregparm=3`. DWARF numbers: i386 psABI, table 2.14.
pub(super) static CPU: Cpu = Cpu {
    arch: Arch::I386,
    registers: &[
        ("eax", r(0)),
        ("ecx", r(1)),
        ("edx", r(2)),
        ("ebx", r(3)),
        ("esp", r(4)),
        ("ebp", r(5)),
        ("esi", r(6)),
        ("edi", r(7)),
        ("eip", r(8)),
    ],
    sp: r(4),
    fp: r(5),
    pc: r(8),
    lr: None,
    arguments: &[r(0), r(2), r(1)],
    result: r(0),
    callee_saved: &[r(3), r(5), r(6), r(7)],
    code_alignment: 1,
    digits: &[8],
    flags: "EFLAGS",
};

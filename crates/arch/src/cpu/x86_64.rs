//! x86-64.

use super::{Cpu, r};
use kwhy_base::Arch;

/// x86-64, by the System V psABI with the kernel's integer-only use of it.
pub(super) static CPU: Cpu = Cpu {
    arch: Arch::X86_64,
    registers: &[
        ("rax", r(0)),
        ("rbx", r(3)),
        ("rcx", r(2)),
        ("rdx", r(1)),
        ("rsi", r(4)),
        ("rdi", r(5)),
        ("rbp", r(6)),
        ("r8", r(8)),
        ("r9", r(9)),
        ("r10", r(10)),
        ("r11", r(11)),
        ("r12", r(12)),
        ("r13", r(13)),
        ("r14", r(14)),
        ("r15", r(15)),
        ("rsp", r(7)),
        ("rip", r(16)),
        ("fs.base", r(58)),
        ("gs.base", r(59)),
    ],
    sp: r(7),
    fp: r(6),
    pc: r(16),
    lr: None,
    arguments: &[r(5), r(4), r(1), r(2), r(8), r(9)],
    result: r(0),
    callee_saved: &[r(3), r(6), r(12), r(13), r(14), r(15)],
    code_alignment: 1,
    digits: &[16],
    flags: "EFLAGS",
};

//! IBM Z.

use super::{Cpu, r};
use kwhy_base::Arch;

/// s390x, by its ELF ABI supplement, whose DWARF numbers these are (65 is the PSW's address).
pub(super) static CPU: Cpu = Cpu {
    arch: Arch::S390x,
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
        ("r11", r(11)),
        ("r12", r(12)),
        ("r13", r(13)),
        ("r14", r(14)),
        ("r15", r(15)),
        ("psw.addr", r(65)),
    ],
    sp: r(15),
    fp: r(11),
    pc: r(65),
    lr: Some(r(14)),
    arguments: &[r(2), r(3), r(4), r(5), r(6)],
    result: r(2),
    callee_saved: &[r(6), r(7), r(8), r(9), r(10), r(11), r(12), r(13)],
    code_alignment: 2,
    digits: &[16],
    flags: "PSW",
};

//! MIPS.

use super::{Cpu, r};
use kwhy_base::Arch;

/// MIPS, 32 and 64 bits. DWARF numbers: 0–31 the general registers, 64 and 65 HI and LO (GCC's
/// `mips.h`); the program counter has none, 66 stands for it here. 8–15 keep their numbers: o32
/// and n64 name them differently. The arguments are those that both ABIs have.
pub(super) static CPU: Cpu = Cpu {
    arch: Arch::Mips,
    registers: &[
        ("zero", r(0)),
        ("at", r(1)),
        ("v0", r(2)),
        ("v1", r(3)),
        ("a0", r(4)),
        ("a1", r(5)),
        ("a2", r(6)),
        ("a3", r(7)),
        ("$8", r(8)),
        ("$9", r(9)),
        ("$10", r(10)),
        ("$11", r(11)),
        ("$12", r(12)),
        ("$13", r(13)),
        ("$14", r(14)),
        ("$15", r(15)),
        ("s0", r(16)),
        ("s1", r(17)),
        ("s2", r(18)),
        ("s3", r(19)),
        ("s4", r(20)),
        ("s5", r(21)),
        ("s6", r(22)),
        ("s7", r(23)),
        ("t8", r(24)),
        ("t9", r(25)),
        ("k0", r(26)),
        ("k1", r(27)),
        ("gp", r(28)),
        ("sp", r(29)),
        ("s8", r(30)),
        ("ra", r(31)),
        ("hi", r(64)),
        ("lo", r(65)),
        ("pc", r(66)),
    ],
    sp: r(29),
    fp: r(30),
    pc: r(66),
    lr: Some(r(31)),
    arguments: &[r(4), r(5), r(6), r(7)],
    result: r(2),
    callee_saved: &[r(16), r(17), r(18), r(19), r(20), r(21), r(22), r(23), r(28), r(30)],
    code_alignment: 2,
    digits: &[8, 16],
    flags: "Status",
};

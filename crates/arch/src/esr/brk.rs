//! The comment of a BRK instruction: which part of the kernel put it there (`asm/brk-imm.h`).

use super::m;
use crate::layout::{Meaning, Spec, field};
use kwhy_base::{Prose, prose};

/// Who uses a BRK immediate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BrkUse {
    /// kprobes and kretprobes.
    Kprobes,
    /// uprobes.
    Uprobes,
    /// Reserved for faulting on purpose.
    Fault,
    /// kgdb.
    Kgdb,
    /// BUG() and WARN().
    Bug,
    /// KASAN with software tags.
    Kasan,
    /// UBSAN traps.
    Ubsan,
    /// Control-flow integrity.
    Cfi,
    /// The compiler's `__builtin_trap`.
    Compiler,
    /// None of the kernel's.
    Other,
}

/// Who uses the immediate `imm`.
#[must_use]
pub fn brk_use(imm: u16) -> BrkUse {
    match imm {
        0x004 | 0x006 | 0x007 => BrkUse::Kprobes,
        0x005 => BrkUse::Uprobes,
        0x100 => BrkUse::Fault,
        0x400..=0x7ff => BrkUse::Kgdb,
        0x800 => BrkUse::Bug,
        0x900..=0x9ff => BrkUse::Kasan,
        0x5500..=0x55ff => BrkUse::Ubsan,
        0x8000..=0x83ff => BrkUse::Cfi,
        // GCC's __builtin_trap is brk #1000, LLVM's brk #1.
        0x001 | 0x3e8 => BrkUse::Compiler,
        _ => BrkUse::Other,
    }
}

pub(super) const BRK: &[Spec] = &[field("Comment", 15, 0, Meaning::Says(brk_meaning))];

/// UBSAN's checks by number (`lib/ubsan.h`, enum ubsan_checks).
const UBSAN_CHECKS: &[&str] = &[
    "add_overflow",
    "builtin_unreachable",
    "cfi_check_fail",
    "divrem_overflow",
    "dynamic_type_cache_miss",
    "float_cast_overflow",
    "function_type_mismatch",
    "implicit_conversion",
    "invalid_builtin",
    "invalid_objc_cast",
    "load_invalid_value",
    "missing_return",
    "mul_overflow",
    "negate_overflow",
    "nullability_arg",
    "nullability_return",
    "nonnull_arg",
    "nonnull_return",
    "out_of_bounds",
    "pointer_overflow",
    "shift_out_of_bounds",
    "sub_overflow",
    "type_mismatch",
    "alignment_assumption",
    "vla_bound_not_positive",
];

fn brk_meaning(n: u64) -> Prose {
    let code = (n & 0xffff) as u16;
    let imm = format!("{code:#x}");
    match brk_use(code) {
        BrkUse::Kprobes if code == 4 => prose!(m::BRK_KPROBES, imm = imm),
        BrkUse::Kprobes if code == 6 => prose!(m::BRK_KPROBES_SS, imm = imm),
        BrkUse::Kprobes => prose!(m::BRK_KRETPROBES, imm = imm),
        BrkUse::Uprobes => prose!(m::BRK_UPROBES, imm = imm),
        BrkUse::Fault => prose!(m::BRK_FAULT, imm = imm),
        BrkUse::Kgdb if code == 0x400 => prose!(m::BRK_KGDB_DYNAMIC, imm = imm),
        BrkUse::Kgdb if code == 0x401 => prose!(m::BRK_KGDB_COMPILED, imm = imm),
        BrkUse::Kgdb => prose!(m::BRK_KGDB, imm = imm),
        BrkUse::Bug => prose!(m::BRK_BUG, imm = imm),
        BrkUse::Kasan => {
            // KASAN_ESR_WRITE is 0x10, KASAN_ESR_SIZE 1 << (code & 0xf), in `arch/arm64/kernel/traps.c`.
            let access = if code & 0x10 != 0 { prose!(m::BRK_WRITE) } else { prose!(m::BRK_READ) };
            let size = prose!(m::BRK_BYTES, bytes = 1u64 << (code & 0xf));
            prose!(m::BRK_KASAN, imm = imm, access = access, size = size)
        }
        BrkUse::Ubsan => {
            let index = code & 0xff;
            let check =
                UBSAN_CHECKS.get(usize::from(index)).map_or_else(|| index.to_string(), |c| (*c).to_owned());
            prose!(m::BRK_UBSAN, imm = imm, check = check)
        }
        BrkUse::Cfi => {
            let register = |n: u16| format!("x{}", n & 0x1f);
            prose!(m::BRK_CFI, imm = imm, target = register(code), kind = format!("w{}", (code >> 5) & 0x1f))
        }
        BrkUse::Compiler => prose!(m::BRK_COMPILER, imm = imm),
        BrkUse::Other => prose!(m::BRK_OTHER, imm = imm),
    }
}

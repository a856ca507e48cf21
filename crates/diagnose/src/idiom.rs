//! Whether a 64-bit value is machine code, judged strictly: almost any 32 bits are *some*
//! instruction, so only the idioms that compilers put into every function count.

use kwhy_base::{Arch, ImageAddr};
use kwhy_flow::insn;

/// The instructions that `value` is, in memory order and separated by `; `, where it holds an
/// idiom of compiled code; `None` where it does not.
///
/// The value is taken apart little-endian, as a load of eight bytes of code would have made it.
pub fn instructions(arch: Arch, value: u64) -> Option<String> {
    let bytes = value.to_le_bytes();
    let idiomatic = match arch {
        Arch::Arm64 => arm64(value),
        Arch::X86_64 => x86_64(&bytes),
        _ => false,
    };
    if !idiomatic {
        return None;
    }
    let mut text = Vec::new();
    let mut at = 0usize;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match insn::decode(arch, rest, ImageAddr(at as u64)) {
            Some(insn) => {
                text.push(insn.text());
                at = at.checked_add(usize::from(insn.len.max(1)))?;
            }
            // The last instruction may be cut off on x86; an undecodable first one is no code.
            None if arch == Arch::X86_64 && text.len() >= 2 => break,
            None => return None,
        }
    }
    Some(text.join("; "))
}

/// Both words are of the commonest kinds, and one of them is of a kind that frames functions.
fn arm64(value: u64) -> bool {
    let words = [value as u32, (value >> 32) as u32];
    words.iter().any(|word| frames_a_function(*word)) && words.iter().all(|word| common(*word))
}

/// Instructions that occur at the edges of functions and have long fixed encodings.
///
/// Encodings from Arm ARM C6.2: HINT, RET/RETAA, LDP/STP of x29 and x30 at sp, MOV x29 from sp.
fn frames_a_function(word: u32) -> bool {
    word & 0xffff_f01f == 0xd503_201f
        || word == 0xd65f_03c0
        || word == 0xd65f_0bff
        || (word & 0xfe00_7fff == 0xa800_7bfd)
        || word == 0x9100_03fd
}

/// Instructions common enough in any function to stand beside one of the above.
fn common(word: u32) -> bool {
    frames_a_function(word)
        // LDP/STP of 64-bit registers, any base; LDR/STR 64 and 32 bits, unsigned offset.
        || word & 0xfe00_0000 == 0xa800_0000
        || word & 0xff80_0000 == 0xf900_0000
        || word & 0xff80_0000 == 0xb900_0000
        // ADD/SUB immediate and MOV between registers, 64 bits.
        || word & 0xff80_0000 == 0x9100_0000
        || word & 0xff80_0000 == 0xd100_0000
        || word & 0xffe0_ffe0 == 0xaa00_03e0
        // BL, ADRP, MRS from SP_EL0 (`current`), MOVZ.
        || word & 0xfc00_0000 == 0x9400_0000
        || word & 0x9f00_0000 == 0x9000_0000
        || word & 0xffff_ffe0 == 0xd538_4100
        || word & 0x7f80_0000 == 0x5280_0000
        // CBZ/CBNZ.
        || word & 0x7e00_0000 == 0x3400_0000
}

/// Byte sequences at the edges of functions; together they must cover five of the eight bytes.
const X86_64_IDIOMS: &[&[u8]] = &[
    &[0xf3, 0x0f, 0x1e, 0xfa],       // endbr64
    &[0x0f, 0x1f, 0x44, 0x00, 0x00], // the 5-byte nop at a traced function's entry
    &[0x55, 0x48, 0x89, 0xe5],       // push %rbp; mov %rsp,%rbp
    &[0x55, 0x48, 0x83, 0xec],       // push %rbp; sub $imm,%rsp
    &[0x41, 0x57, 0x41, 0x56],       // push %r15; push %r14
    &[0x41, 0x55, 0x41, 0x54],       // push %r13; push %r12
    &[0x41, 0x5c, 0x41, 0x5d],       // pop %r12; pop %r13
    &[0x41, 0x5e, 0x41, 0x5f],       // pop %r14; pop %r15
    &[0x48, 0x83, 0xec],             // sub $imm,%rsp
    &[0x48, 0x83, 0xc4],             // add $imm,%rsp
    &[0x5b, 0x5d, 0xc3],             // pop %rbx; pop %rbp; ret
    &[0xc3, 0xcc, 0xcc],             // ret and padding
    &[0x5d, 0xc3],                   // pop %rbp; ret
    &[0x5b, 0xc3],                   // pop %rbx; ret
    &[0xc9, 0xc3],                   // leave; ret
    &[0x41, 0x5c],                   // pop %r12
    &[0xc3, 0xcc],                   // ret; int3
];

fn x86_64(bytes: &[u8; 8]) -> bool {
    let mut covered = [false; 8];
    for idiom in X86_64_IDIOMS {
        for (at, window) in bytes.windows(idiom.len()).enumerate() {
            if window == *idiom {
                covered.iter_mut().skip(at).take(idiom.len()).for_each(|c| *c = true);
            }
        }
    }
    covered.iter().filter(|c| **c).count() >= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_functions_are_code() {
        // ldp x29, x30, [sp], #16; autiasp — and paciasp; stp x29, x30, [sp, #-32]!
        assert!(arm64(0xd503_23bf_a8c1_7bfd));
        assert!(arm64(0xa9be_7bfd_d503_233f));
        // push %rbp; sub $0x5b,%rsp; pop %rbp; ret; int3
        assert!(x86_64(&0xccc3_5d5b_ec83_4855_u64.to_le_bytes()));
    }

    #[test]
    fn pointers_text_poison_and_numbers_are_not() {
        for value in [
            0xffff_8000_0859_b960,
            0xffff_ffff_8108_3a20,
            0xdead_0000_0000_0100,
            0x6b6b_6b6b_6b6b_6b6b,
            0x7368_7274_65a7_2782,
            0x736f_6d65_7465_7874,
            0,
            u64::MAX,
            0x0503_23bf_a8c1_7bfd,
        ] {
            assert!(!arm64(value), "{value:#x}");
            assert!(!x86_64(&value.to_le_bytes()), "{value:#x}");
        }
    }

    #[test]
    fn random_values_are_hardly_ever_taken_for_code() {
        // A fixed linear congruential sequence (Knuth's MMIX constants): no randomness in tests.
        let mut state = 1u64;
        let mut hits = [0u32; 2];
        for _ in 0..1_000_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = state ^ (state >> 29);
            hits[0] += u32::from(arm64(value));
            hits[1] += u32::from(x86_64(&value.to_le_bytes()));
        }
        assert!(hits[0] <= 20 && hits[1] <= 20, "{hits:?} in a million");
    }
}

//! The disassembly of instructions from real kernels, as binutils 2.40 writes it.
//!
//! The tables hold about 2000 instructions each, every mnemonic of the kernel's `.text` among
//! them: bytes in memory order, address, text without symbols and comments. `cargo xtask objdump`
//! compares whole kernels and writes such tables.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are not tests to the lint")]

use kwhy_base::{Arch, ImageAddr};
use kwhy_flow::insn::decode;

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: u8| (c as char).to_digit(16).unwrap() as u8;
    hex.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn check(arch: Arch, table: &str) {
    let mut different = Vec::new();
    let mut count = 0;
    for line in table.lines() {
        let (hex, rest) = line.split_once(' ').unwrap();
        let (address, expected) = rest.split_once(' ').unwrap();
        let bytes = bytes(hex);
        let address = ImageAddr(u64::from_str_radix(address, 16).unwrap());
        count += 1;
        match decode(arch, &bytes, address) {
            Some(insn) if usize::from(insn.len) == bytes.len() && insn.text() == expected => {}
            Some(insn) => different.push(format!("{hex}: {expected} | {}", insn.text())),
            None => different.push(format!("{hex}: {expected} | nothing")),
        }
    }
    assert!(count > 1000, "{count} lines");
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn arm64_reads_as_in_objdump() {
    check(Arch::Arm64, include_str!("data/arm64.txt"));
}

#[test]
fn x86_64_reads_as_in_objdump() {
    check(Arch::X86_64, include_str!("data/x86_64.txt"));
}

/// A small generator (xorshift64), so that the test needs no crate and finds the same every time.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn any_bytes_decode_without_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..200_000 {
        let mut buffer = [0_u8; 16];
        buffer[..8].copy_from_slice(&random(&mut state).to_le_bytes());
        buffer[8..].copy_from_slice(&random(&mut state).to_le_bytes());
        let length = (random(&mut state) % 17) as usize;
        let address = ImageAddr(random(&mut state));
        for arch in [Arch::Arm64, Arch::X86_64, Arch::Riscv64] {
            if let Some(insn) = decode(arch, &buffer[..length], address) {
                assert!(usize::from(insn.len) <= length);
                assert!(!insn.text().is_empty());
                let _ = insn.accesses();
            }
        }
    }
}

#[test]
fn truncated_instructions_are_none_or_shorter() {
    for (arch, table) in
        [(Arch::Arm64, include_str!("data/arm64.txt")), (Arch::X86_64, include_str!("data/x86_64.txt"))]
    {
        for line in table.lines() {
            let whole = bytes(line.split(' ').next().unwrap());
            for length in 0..whole.len() {
                if let Some(insn) = decode(arch, &whole[..length], ImageAddr(0)) {
                    assert!(usize::from(insn.len) <= length, "{line}");
                }
            }
        }
    }
}

//! What the listing says of instructions from real kernels.

use super::{Naming, NoNames, explain};
use crate::insn::{MemOperand, decode};
use kwhy_base::{Arch, ImageAddr, Lang, Reg};

/// A function with a name for x21, rdi and what they point to.
struct Names;

impl Naming for Names {
    fn register(&self, register: Reg) -> Option<String> {
        (register == Reg(21) || register == Reg(5)).then(|| "use".to_owned())
    }

    fn memory(&self, memory: &MemOperand, _: u8) -> Option<String> {
        let known = memory.base == Some(Reg(21)) || memory.base == Some(Reg(5));
        (known && memory.displacement == 40).then(|| "use->target".to_owned())
    }

    fn address(&self, address: ImageAddr) -> Option<String> {
        (address.0 == 0x1010).then(|| "sysfs_create_link".to_owned())
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn arm64(word: u32) -> String {
    let insn = decode(Arch::Arm64, &word.to_le_bytes(), ImageAddr(0x1000)).unwrap();
    explain(&insn, &Names).render(Lang::En)
}

fn x86(hex: &str) -> String {
    let insn = decode(Arch::X86_64, &bytes(hex), ImageAddr(0x1000)).unwrap();
    explain(&insn, &Names).render(Lang::En)
}

#[test]
fn arm64_in_plain_words() {
    assert_eq!(arm64(0xf940_16a0), "load x0 from x21 + 40: `use->target`");
    assert_eq!(arm64(0xf900_16a1), "store x1 (8 bytes) to x21 + 40: `use->target`");
    assert_eq!(arm64(0xb900_0841), "store w1 (4 bytes) to x2 + 8");
    assert_eq!(arm64(0x9400_0004), "call `sysfs_create_link`");
    assert_eq!(arm64(0xb400_0060), "if x0 is zero go to 0x100c");
    assert_eq!(arm64(0xb500_0095), "if x21 (`use`) is not zero go to `sysfs_create_link`");
    assert_eq!(arm64(0x3770_0080), "if bit 14 of w0 is set go to `sysfs_create_link`");
    assert_eq!(arm64(0x5400_0081), "if not equal, or not zero go to `sysfs_create_link`");
    assert_eq!(arm64(0x9100_4294), "add 16 to x20");
    assert_eq!(arm64(0xd65f_03c0), "return to the caller");
    assert_eq!(arm64(0xd421_0000), "trap: `BUG()` or `WARN()`");
    assert_eq!(arm64(0xd538_4100), "set x0 to `current`, the running task (from sp_el0)");
    assert_eq!(arm64(0x7101_0c3f), "compare w1 with 67");
    assert_eq!(arm64(0xd503_233f), "sign the return address");
    assert_eq!(arm64(0x1280_0420), "set w0 to 0xffffffde (-34)");
    assert_eq!(arm64(0xd63f_0020), "call the function whose address is in x1");
    assert_eq!(
        arm64(0xf821_001f).replace("8 bytes", "n"),
        "read, change and write back n at x0: `[x0] += x1`"
    );
    assert_eq!(
        arm64(0xa9bd_7bfd),
        "save x29 on the stack (sp - 48); save x30 on the stack (sp - 40); make 48 bytes of room on the stack"
    );
}

#[test]
fn x86_in_plain_words() {
    assert_eq!(x86("488b4728"), "load rax from rdi + 40: `use->target`");
    assert_eq!(x86("8b4708"), "load eax from rdi + 8 (4 bytes)");
    assert_eq!(x86("e80b000000"), "call `sysfs_create_link`");
    assert_eq!(x86("31c0"), "set eax to 0");
    assert_eq!(x86("b8eaffffff"), "set eax to 0xffffffea (-22)");
    assert_eq!(x86("4885ff"), "check rdi (`use`) for zero and sign");
    assert_eq!(x86("740e"), "if equal, or zero go to `sysfs_create_link`");
    assert_eq!(x86("0f0b"), "trap: `BUG()` or `WARN()`");
    assert_eq!(x86("c3"), "return to the caller");
    assert_eq!(x86("55"), "save rbp on the stack (rsp - 8); make 8 bytes of room on the stack");
    assert_eq!(x86("ff5028"), "call the function whose address is in [rax + 40]");
    assert_eq!(x86("f0ff4728"), "read, change and write back 4 bytes at rdi + 40: `use->target += 1`");
    assert_eq!(
        x86("f0480fb117"),
        "write rdx (8 bytes) to rdi if it holds the expected value; the old value goes to rax"
    );
    assert_eq!(x86("0f1f440000"), "do nothing");
}

#[test]
fn chinese_says_the_same() {
    let insn = decode(Arch::Arm64, &0xf940_16a0_u32.to_le_bytes(), ImageAddr(0)).unwrap();
    assert_eq!(explain(&insn, &Names).render(Lang::Zh), "从 x21 + 40 读入 x0：`use->target`");
}

/// Every instruction of the samples gets words, without a hole where an argument should be.
#[test]
fn everything_is_explained() {
    let tables = [
        (Arch::Arm64, include_str!("../tests/data/arm64.txt")),
        (Arch::X86_64, include_str!("../tests/data/x86_64.txt")),
    ];
    for (arch, table) in tables {
        let mut unmodelled = 0;
        for line in table.lines() {
            let raw = bytes(line.split(' ').next().unwrap());
            let insn = decode(arch, &raw, ImageAddr(0)).unwrap();
            for lang in [Lang::En, Lang::Zh] {
                let words = explain(&insn, &NoNames).render(lang);
                assert!(!words.is_empty() && !words.contains('{') || line.contains('{'), "{line}: {words}");
                if words.contains("not modelled") {
                    unmodelled += 1;
                    println!("{line}");
                }
            }
        }
        assert!(unmodelled < 10, "{arch}: {unmodelled} without a word of what they do");
    }
}

//! The CPUs a crash can come from.

use std::fmt;

/// An instruction-set architecture, named as the kernel's `arch/` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Arch {
    /// AMD64 and Intel 64.
    X86_64,
    /// AArch64.
    Arm64,
    /// 32-bit x86.
    I386,
    /// 32-bit Arm.
    Arm,
    /// 64-bit RISC-V.
    Riscv64,
    /// 64-bit PowerPC, either endianness.
    Ppc64,
    /// IBM Z.
    S390x,
    /// 64-bit LoongArch.
    Loongarch64,
    /// MIPS, 32 or 64 bits.
    Mips,
}

impl Arch {
    /// The name used in reports: `x86_64`, `arm64`…
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64",
            Arch::Arm64 => "arm64",
            Arch::I386 => "i386",
            Arch::Arm => "arm",
            Arch::Riscv64 => "riscv64",
            Arch::Ppc64 => "ppc64",
            Arch::S390x => "s390x",
            Arch::Loongarch64 => "loongarch64",
            Arch::Mips => "mips",
        }
    }

    /// The architecture that people or packages call `name` (`amd64`, `aarch64`… included).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Arch> {
        Some(match name.to_ascii_lowercase().as_str() {
            "x86_64" | "x86-64" | "amd64" | "x64" => Arch::X86_64,
            "arm64" | "aarch64" => Arch::Arm64,
            "i386" | "i486" | "i586" | "i686" | "x86" => Arch::I386,
            "arm" | "armhf" | "armel" | "armv7l" => Arch::Arm,
            "riscv64" | "riscv" => Arch::Riscv64,
            "ppc64" | "ppc64le" | "ppc64el" | "powerpc64" => Arch::Ppc64,
            "s390x" | "s390" => Arch::S390x,
            "loongarch64" | "loong64" | "loongarch" => Arch::Loongarch64,
            "mips" | "mips64" | "mipsel" | "mips64el" => Arch::Mips,
            _ => return None,
        })
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

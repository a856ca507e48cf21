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
    /// 32-bit RISC-V.
    Riscv32,
    /// 64-bit PowerPC, either endianness.
    Ppc64,
    /// 32-bit PowerPC.
    Ppc,
    /// IBM Z.
    S390x,
    /// 64-bit LoongArch.
    Loongarch64,
    /// MIPS, 32 or 64 bits.
    Mips,
}

/// One architecture's names: which, the name in reports, and what else people and packages call it.
struct Names(Arch, &'static str, &'static [&'static str]);

/// The table: a new CPU is one line here.
static NAMES: &[Names] = &[
    Names(Arch::X86_64, "x86_64", &["x86-64", "amd64", "x64"]),
    Names(Arch::Arm64, "arm64", &["aarch64"]),
    Names(Arch::I386, "i386", &["i486", "i586", "i686", "x86"]),
    Names(Arch::Arm, "arm", &["armhf", "armel", "armv6l", "armv7l"]),
    Names(Arch::Riscv64, "riscv64", &["riscv"]),
    Names(Arch::Riscv32, "riscv32", &[]),
    Names(Arch::Ppc64, "ppc64", &["ppc64le", "ppc64el", "powerpc64", "powerpc64le"]),
    Names(Arch::Ppc, "ppc", &["ppc32", "powerpc"]),
    Names(Arch::S390x, "s390x", &["s390"]),
    Names(Arch::Loongarch64, "loongarch64", &["loong64", "loongarch"]),
    Names(Arch::Mips, "mips", &["mips64", "mipsel", "mips64el"]),
];

impl Arch {
    /// Every architecture there is a name for.
    pub fn all() -> impl Iterator<Item = Arch> {
        NAMES.iter().map(|names| names.0)
    }

    /// The name used in reports: `x86_64`, `arm64`…
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|names| names.0 == self).map_or("", |names| names.1)
    }

    /// The architecture that people or packages call `name` (`amd64`, `aarch64`… included).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Arch> {
        let name = name.to_ascii_lowercase();
        NAMES.iter().find(|names| names.1 == name || names.2.contains(&name.as_str())).map(|names| names.0)
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back() {
        // The match makes the compiler ask for a line of the table when an architecture is added.
        for arch in Arch::all() {
            match arch {
                Arch::X86_64 | Arch::Arm64 | Arch::I386 | Arch::Arm | Arch::Riscv64 | Arch::Riscv32 => {}
                Arch::Ppc64 | Arch::Ppc | Arch::S390x | Arch::Loongarch64 | Arch::Mips => {}
            }
            assert!(!arch.name().is_empty());
            assert_eq!(Arch::from_name(arch.name()), Some(arch));
        }
        assert_eq!(Arch::all().count(), 11);
        assert_eq!(Arch::from_name("AMD64"), Some(Arch::X86_64));
        assert_eq!(Arch::from_name("ppc64el"), Some(Arch::Ppc64));
        assert_eq!(Arch::from_name("z80"), None);
    }
}

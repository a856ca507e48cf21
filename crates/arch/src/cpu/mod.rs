//! The seam between CPUs: one [`Cpu`] each, one file each, in one table.

mod arm;
mod arm64;
mod i386;
mod loongarch;
mod mips;
mod ppc;
mod riscv;
mod s390;
mod x86_64;

use kwhy_base::{Arch, Reg};

/// Register names and the kernel's calling convention on one architecture.
#[derive(Debug)]
pub struct Cpu {
    /// Which.
    pub arch: Arch,
    /// (name in reports and disassembly, register), general registers first.
    pub registers: &'static [(&'static str, Reg)],
    /// The stack pointer.
    pub sp: Reg,
    /// The frame pointer.
    pub fp: Reg,
    /// The program counter.
    pub pc: Reg,
    /// The link register, where there is one.
    pub lr: Option<Reg>,
    /// Integer arguments, in order.
    pub arguments: &'static [Reg],
    /// The integer result.
    pub result: Reg,
    /// Registers a function must preserve (sp excluded).
    pub callee_saved: &'static [Reg],
    /// Every instruction's address is a multiple of this.
    pub code_alignment: u64,
    /// How many digits the kernel prints a register's value with. MIPS has two widths under one
    /// name; all registers of one dump have the same.
    pub digits: &'static [usize],
    /// What the kernel calls the processor state in its dump (`pstate`, `EFLAGS`, `psr`…).
    pub flags: &'static str,
}

const fn r(n: u16) -> Reg {
    Reg(n)
}

/// The table: a new CPU is one entry here.
static CPUS: &[&Cpu] = &[
    &arm64::CPU,
    &x86_64::CPU,
    &i386::CPU,
    &arm::CPU,
    &riscv::CPU,
    &riscv::CPU32,
    &ppc::CPU,
    &ppc::CPU32,
    &s390::CPU,
    &loongarch::CPU,
    &mips::CPU,
];

/// What is known of `arch`.
#[must_use]
pub fn cpu(arch: Arch) -> Option<&'static Cpu> {
    CPUS.iter().copied().find(|cpu| cpu.arch == arch)
}

/// How many digits a register's value of `arch` is printed with; 16 where nothing is known.
#[must_use]
pub fn register_digits(arch: Arch) -> &'static [usize] {
    cpu(arch).map_or(&[16], |cpu| cpu.digits)
}

impl Cpu {
    /// The name of `register` in reports.
    #[must_use]
    pub fn name(&self, register: Reg) -> Option<&'static str> {
        self.registers.iter().find(|(_, reg)| *reg == register).map(|(name, _)| *name)
    }

    /// The register called `name` in logs and disassembly, any case; `lr` and `fp` too.
    #[must_use]
    pub fn register(&self, name: &str) -> Option<Reg> {
        let by_name = self.registers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, reg)| *reg);
        by_name.or(match name {
            "lr" | "ra" => self.lr,
            "fp" => Some(self.fp),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{cpu, register_digits};
    use kwhy_base::{Arch, Reg};
    use std::collections::BTreeSet;

    #[test]
    fn every_cpu_is_in_the_table_and_consistent() {
        for arch in Arch::all() {
            let cpu = cpu(arch).unwrap_or_else(|| panic!("{arch}"));
            assert_eq!(cpu.arch, arch);
            let names = cpu.registers.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>();
            let numbers = cpu.registers.iter().map(|(_, reg)| *reg).collect::<BTreeSet<_>>();
            assert_eq!((names.len(), numbers.len()), (cpu.registers.len(), cpu.registers.len()), "{arch}");
            let special = [Some(cpu.sp), Some(cpu.fp), Some(cpu.pc), Some(cpu.result), cpu.lr];
            let all = special.into_iter().flatten().chain(cpu.arguments.iter().copied());
            for reg in all.chain(cpu.callee_saved.iter().copied()) {
                assert!(cpu.name(reg).is_some(), "{arch} {reg:?}");
            }
            assert!(!register_digits(arch).is_empty());
        }
    }

    #[test]
    fn registers_by_name() {
        let number = |arch, name| cpu(arch).and_then(|cpu| cpu.register(name));
        assert_eq!(number(Arch::I386, "EIP"), Some(Reg(8)));
        assert_eq!(number(Arch::Riscv64, "s11"), Some(Reg(27)));
        assert_eq!(number(Arch::Ppc64, "lr"), Some(Reg(65)));
        assert_eq!(number(Arch::Mips, "ra"), Some(Reg(31)));
        assert_eq!(number(Arch::Loongarch64, "s8"), Some(Reg(31)));
        assert_eq!(number(Arch::S390x, "sp"), None);
    }
}

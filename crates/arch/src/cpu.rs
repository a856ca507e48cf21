//! The seam between CPUs: one [`Cpu`] each, in one table.

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
}

const fn r(n: u16) -> Reg {
    Reg(n)
}

/// ARM64, by AAPCS64 and the kernel's `ptrace.h`.
static ARM64: Cpu = Cpu {
    arch: Arch::Arm64,
    registers: &[
        ("x0", r(0)),
        ("x1", r(1)),
        ("x2", r(2)),
        ("x3", r(3)),
        ("x4", r(4)),
        ("x5", r(5)),
        ("x6", r(6)),
        ("x7", r(7)),
        ("x8", r(8)),
        ("x9", r(9)),
        ("x10", r(10)),
        ("x11", r(11)),
        ("x12", r(12)),
        ("x13", r(13)),
        ("x14", r(14)),
        ("x15", r(15)),
        ("x16", r(16)),
        ("x17", r(17)),
        ("x18", r(18)),
        ("x19", r(19)),
        ("x20", r(20)),
        ("x21", r(21)),
        ("x22", r(22)),
        ("x23", r(23)),
        ("x24", r(24)),
        ("x25", r(25)),
        ("x26", r(26)),
        ("x27", r(27)),
        ("x28", r(28)),
        ("x29", r(29)),
        ("x30", r(30)),
        ("sp", r(31)),
        ("pc", r(32)),
    ],
    sp: r(31),
    fp: r(29),
    pc: r(32),
    lr: Some(r(30)),
    arguments: &[r(0), r(1), r(2), r(3), r(4), r(5), r(6), r(7)],
    result: r(0),
    callee_saved: &[r(19), r(20), r(21), r(22), r(23), r(24), r(25), r(26), r(27), r(28), r(29)],
    code_alignment: 4,
};

/// x86-64, by the System V psABI with the kernel's integer-only use of it.
static X86_64: Cpu = Cpu {
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
};

/// The table: a new CPU is one entry here.
static CPUS: &[&Cpu] = &[&ARM64, &X86_64];

/// What is known of `arch`; `None` where only its logs are read.
#[must_use]
pub fn cpu(arch: Arch) -> Option<&'static Cpu> {
    CPUS.iter().copied().find(|cpu| cpu.arch == arch)
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
            "lr" => self.lr,
            "fp" => Some(self.fp),
            _ => None,
        })
    }
}

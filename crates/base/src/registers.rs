//! Registers by DWARF number, with values that may be known, damaged or missing.

use std::collections::BTreeMap;

/// A register, by its DWARF number on the architecture in question.
///
/// ARM64 (`aadwarf64`): 0–30 = x0–x30, 31 = sp, 32 = pc. x86-64 (psABI table 3.36): 0 rax,
/// 1 rdx, 2 rcx, 3 rbx, 4 rsi, 5 rdi, 6 rbp, 7 rsp, 8–15 r8–r15, 16 return address (used
/// here for rip), 49 rflags, 50–55 es cs ss ds fs gs, 58 fs.base, 59 gs.base. The other CPUs'
/// numbers and their sources stand in `kwhy_arch`, one file a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reg(pub u16);

/// What is known of one register's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegValue {
    /// Printed whole.
    Known {
        /// The value.
        value: u64,
        /// 1-based line of the log.
        line: u32,
    },
    /// Printed, but not as a whole value of the register's width.
    Damaged {
        /// The digits as printed.
        printed: String,
        /// Those digits read as a number where they are one; never to be trusted as the value.
        digits: Option<u64>,
        /// 1-based line of the log.
        line: u32,
    },
}

/// The registers that a log printed; what is not in it was not printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registers(pub BTreeMap<Reg, RegValue>);

impl Registers {
    /// The value of `reg`, where it was printed whole.
    #[must_use]
    pub fn known(&self, reg: Reg) -> Option<u64> {
        match self.0.get(&reg)? {
            RegValue::Known { value, .. } => Some(*value),
            RegValue::Damaged { .. } => None,
        }
    }

    /// Whether no register at all was printed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

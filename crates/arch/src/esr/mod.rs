//! ARM64 ESR_EL1: the syndrome of an exception (Arm ARM DDI 0487, D24.2.40 ESR_EL1).

mod abort;
mod brk;
mod status;
mod sysreg;
mod system;
mod trap;

use crate::decoded::{Decoded, Field, bit, bits};
use crate::layout::{Meaning, Spec, field, flag, says, take_apart};
use kwhy_base::catalogue::arch_esr as m;
use kwhy_base::prose::Message;

pub use brk::{BrkUse, brk_use};
pub use status::{FaultKind, FaultStatus, fault_status};

/// What an access that aborted was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An instruction fetch.
    Execute,
}

impl Access {
    /// The word of the JSON contract: `read`, `write`, `execute`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write",
            Access::Execute => "execute",
        }
    }
}

/// How the ISS of a class is laid out.
enum Iss {
    /// By a table of fields.
    Table(&'static [Spec]),
    /// By a function, where the layout depends on the value.
    Function(fn(u64, &mut Vec<Field>)),
}

/// One exception class.
struct Class {
    name: &'static Message,
    iss: Iss,
}

const NO_ISS: Iss = Iss::Table(&[]);

const fn class(name: &'static Message, iss: Iss) -> Option<Class> {
    Some(Class { name, iss })
}

/// By exception class, 0x00–0x3f; `None` for those that the architecture has not allocated.
static CLASSES: [Option<Class>; 64] = [
    class(&m::EC_UNKNOWN, NO_ISS),
    class(&m::EC_WFX, Iss::Table(trap::WFX)),
    None,
    class(&m::EC_CP15_32, Iss::Table(trap::COPROCESSOR_32)),
    class(&m::EC_CP15_64, Iss::Table(trap::COPROCESSOR_64)),
    class(&m::EC_CP14_MR, Iss::Table(trap::COPROCESSOR_32)),
    class(&m::EC_CP14_LS, Iss::Table(trap::COPROCESSOR_LDC)),
    class(&m::EC_FP_ASIMD, Iss::Table(trap::CONDITION)),
    class(&m::EC_CP10_ID, Iss::Table(trap::COPROCESSOR_32)),
    class(&m::EC_PAC_TRAP, NO_ISS),
    class(&m::EC_OTHER, Iss::Table(trap::OTHER)),
    None,
    class(&m::EC_CP14_64, Iss::Table(trap::COPROCESSOR_64)),
    class(&m::EC_BTI, Iss::Table(trap::BTI)),
    class(&m::EC_ILL, NO_ISS),
    None,
    None,
    class(&m::EC_SVC32, Iss::Table(trap::IMMEDIATE)),
    class(&m::EC_HVC32, Iss::Table(trap::IMMEDIATE)),
    class(&m::EC_SMC32, Iss::Table(trap::SMC32)),
    class(&m::EC_SYS128, Iss::Function(system::register_128)),
    class(&m::EC_SVC64, Iss::Table(trap::IMMEDIATE)),
    class(&m::EC_HVC64, Iss::Table(trap::IMMEDIATE)),
    class(&m::EC_SMC64, Iss::Table(trap::IMMEDIATE)),
    class(&m::EC_SYS64, Iss::Function(system::register_64)),
    class(&m::EC_SVE, NO_ISS),
    class(&m::EC_ERET, Iss::Table(trap::ERET)),
    class(&m::EC_TSTART, Iss::Table(trap::TSTART)),
    class(&m::EC_FPAC, Iss::Table(trap::FPAC)),
    class(&m::EC_SME, Iss::Table(trap::SME)),
    class(&m::EC_GPC, Iss::Table(trap::GPC)),
    class(&m::EC_IMP_DEF, Iss::Function(trap::implementation_defined)),
    class(&m::EC_IABT_LOW, Iss::Function(abort::instruction)),
    class(&m::EC_IABT_CUR, Iss::Function(abort::instruction)),
    class(&m::EC_PC_ALIGN, NO_ISS),
    None,
    class(&m::EC_DABT_LOW, Iss::Function(abort::data)),
    class(&m::EC_DABT_CUR, Iss::Function(abort::data)),
    class(&m::EC_SP_ALIGN, NO_ISS),
    class(&m::EC_MOPS, Iss::Table(trap::MOPS)),
    class(&m::EC_FP_EXC32, Iss::Table(trap::FLOATING_POINT)),
    None,
    None,
    None,
    class(&m::EC_FP_EXC64, Iss::Table(trap::FLOATING_POINT)),
    class(&m::EC_GCS, Iss::Table(trap::GCS)),
    None,
    class(&m::EC_SERROR, Iss::Function(abort::serror)),
    class(&m::EC_BREAKPT_LOW, Iss::Table(trap::BREAKPOINT)),
    class(&m::EC_BREAKPT_CUR, Iss::Table(trap::BREAKPOINT)),
    class(&m::EC_SOFTSTP_LOW, Iss::Table(trap::STEP)),
    class(&m::EC_SOFTSTP_CUR, Iss::Table(trap::STEP)),
    class(&m::EC_WATCHPT_LOW, Iss::Table(trap::WATCHPOINT)),
    class(&m::EC_WATCHPT_CUR, Iss::Table(trap::WATCHPOINT)),
    None,
    None,
    class(&m::EC_BKPT32, Iss::Table(trap::IMMEDIATE)),
    None,
    class(&m::EC_VECTOR32, NO_ISS),
    None,
    class(&m::EC_BRK64, Iss::Table(brk::BRK)),
    class(&m::EC_PROFILING, Iss::Table(trap::PROFILING)),
    None,
    None,
];

/// The exception class, ESR bits 31:26.
#[must_use]
pub fn exception_class(esr: u64) -> u8 {
    bits(esr, 31, 26) as u8
}

/// Decodes every field of `esr`; never gives up on a reserved class or bit.
#[must_use]
pub fn decode_esr(esr: u64) -> Decoded {
    let mut fields = Vec::new();
    let ec = exception_class(esr);
    let known = CLASSES.get(usize::from(ec)).and_then(Option::as_ref);
    match ec {
        0x20 | 0x21 => take_apart(esr, 63, 32, abort::INSTRUCTION_ISS2, &m::RESERVED_SET, &mut fields),
        0x24 | 0x25 => {
            // Xs numbers a register for one rare instruction; zero there is no news of x0.
            let specs = match abort::DATA_ISS2 {
                [most @ .., _xs] if bits(esr, 36, 32) == 0 => most,
                all => all,
            };
            take_apart(esr, 63, 32, specs, &m::RESERVED_SET, &mut fields);
        }
        _ => take_apart(esr, 63, 32, &[], &m::RESERVED_SET, &mut fields),
    }
    let name = known.map_or(&m::EC_UNALLOCATED, |class| class.name);
    fields.push(Field::new("EC", 31, 26, esr, says(name)));
    take_apart(esr, 25, 25, &[flag("IL", 25, &m::IL_16, &m::IL_32)], &m::RESERVED_SET, &mut fields);
    match known {
        Some(Class { iss: Iss::Table([]), .. }) if bits(esr, 24, 0) == 0 => {
            fields.push(Field::new("ISS", 24, 0, esr, says(&m::ISS_NONE)));
        }
        Some(Class { iss: Iss::Table(specs), .. }) => {
            take_apart(esr, 24, 0, specs, &m::RESERVED_SET, &mut fields);
        }
        Some(Class { iss: Iss::Function(decode), .. }) => decode(esr, &mut fields),
        None => {
            let raw = [field("ISS", 24, 0, Meaning::Always(&m::ISS_RAW))];
            take_apart(esr, 24, 0, &raw, &m::RESERVED_SET, &mut fields);
        }
    }
    Decoded { name: "ESR_EL1", value: esr, fields }
}

/// What the access did, where the exception is an abort and says so.
///
/// For cache maintenance (CM) the CPU sets WnR whatever the instruction does, and for an
/// external abort on an atomic the direction may not be known: then this is `None`.
#[must_use]
pub fn esr_access(esr: u64) -> Option<Access> {
    match exception_class(esr) {
        0x20 | 0x21 => Some(Access::Execute),
        0x24 | 0x25 if bit(esr, 8) => None,
        0x24 | 0x25 => Some(if bit(esr, 6) { Access::Write } else { Access::Read }),
        _ => None,
    }
}

/// Whether the fault address register is valid for this abort (FnV clear; it only means
/// something for synchronous external aborts).
#[must_use]
pub fn fault_address_valid(esr: u64) -> bool {
    match exception_class(esr) {
        0x20 | 0x21 | 0x24 | 0x25 => !(bits(esr, 5, 0) == 0x10 && bit(esr, 10)),
        0x22 | 0x34 | 0x35 => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests;

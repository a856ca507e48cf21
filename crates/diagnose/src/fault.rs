//! The fault: its address and the region it lies in, what was attempted, and the syndrome.

use kwhy_arch::{Access, AddressClass, AddressContext, Decoded, classify_address};
use kwhy_base::Arch;
use kwhy_oops::{CrashRecord, Damage, Family, Located, PrintedHex};
use kwhy_report::model::{self, Hex};

/// The decoded fault.
#[derive(Clone, Debug, Default)]
pub struct FaultFacts {
    /// The fault address as printed, with its line.
    pub address: Option<Located<PrintedHex>>,
    /// The printed address, or its mended reading where the log's own redundancy gives one.
    pub best: Option<u64>,
    /// Where it lies.
    pub class: Option<AddressClass>,
    /// What was attempted.
    pub access: Option<Access>,
    /// The line of the log that says so.
    pub access_line: Option<u32>,
    /// The syndrome.
    pub syndrome: Option<Decoded>,
    /// Processor flags.
    pub flags: Option<Decoded>,
}

/// The value of `printed`, or the better one that the log reader put beside it.
pub fn mended(record: &CrashRecord, field: &str, printed: Option<&Located<PrintedHex>>) -> Option<u64> {
    let better = |damage: &&Damage| damage.field == field && damage.likely.is_some();
    record
        .damage
        .iter()
        .find(better)
        .and_then(|damage| parse_hex(damage.likely.as_deref()?))
        .or_else(|| printed.and_then(|printed| printed.value.value))
}

/// A number of the log in hexadecimal, with or without `0x`.
pub fn parse_hex(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
}

/// Decodes the fault of `record`.
pub fn facts(record: &CrashRecord, space: &AddressContext) -> FaultFacts {
    let address = record.fault_address.clone();
    let best = mended(record, "fault address", address.as_ref());
    let class = match (record.arch, best) {
        (Some(arch), Some(best)) => Some(classify_address(arch, best, space)),
        _ => None,
    };
    let syndrome = syndrome(record);
    let (access, access_line) = access(record, syndrome.as_ref());
    let flags = record.flags.as_ref().and_then(|(printed, _)| {
        let value = printed.value.value?;
        match record.arch? {
            Arch::Arm64 => Some(kwhy_arch::decode_pstate(value)),
            Arch::X86_64 | Arch::I386 => Some(kwhy_arch::decode_eflags(value)),
            _ => None,
        }
    });
    FaultFacts { address, best, class, access, access_line, syndrome, flags }
}

/// A register that the log prints by name besides the general ones.
fn control<'a>(record: &'a CrashRecord, name: &str) -> Option<(u64, &'a Located<PrintedHex>)> {
    let (_, printed) = record.control_registers.iter().find(|(found, _)| found == name)?;
    Some((printed.value.value?, printed))
}

fn syndrome(record: &CrashRecord) -> Option<Decoded> {
    let arch = record.arch?;
    let code = || record.oops_code.as_ref().and_then(|code| code.value.value);
    match arch {
        // The number after `Internal error: …:` is the ESR too (die() prints `err`, which is it).
        Arch::Arm64 => mended(record, "ESR", record.esr.as_ref())
            .or_else(|| record.oops_code.as_ref().and_then(|code| code.value.value).filter(|code| *code != 0))
            .map(kwhy_arch::decode_esr),
        Arch::X86_64 | Arch::I386 => {
            let code = code()?;
            match record.family? {
                Family::PageFault => Some(kwhy_arch::decode_page_fault(code)),
                Family::GeneralProtection => Some(kwhy_arch::decode_selector_error(code)),
                _ => None,
            }
        }
        Arch::Arm => match record.oops_text.as_deref() {
            // The other words of die() come with a 0, or with a signal.
            Some("Oops" | "") => code().map(kwhy_arch::decode_fsr),
            _ => None,
        },
        Arch::Riscv64 | Arch::Riscv32 => {
            control(record, "cause").map(|(cause, _)| kwhy_arch::decode_scause(arch, cause))
        }
        // An alignment interrupt's DSISR describes the instruction, not the fault.
        Arch::Ppc64 | Arch::Ppc => match (control(record, "TRAP"), control(record, "DSISR")) {
            (Some((0x300, _)), Some((dsisr, _))) => Some(kwhy_arch::decode_dsisr(dsisr)),
            (trap, _) => trap.map(|(trap, _)| kwhy_arch::decode_trap(trap)),
        },
        Arch::S390x => code().map(|code| {
            let mut decoded = kwhy_arch::decode_program_interruption(code);
            if let Some((teid, _)) = control(record, "TEID") {
                kwhy_arch::add_teid(&mut decoded, teid);
            }
            decoded
        }),
        Arch::Mips => control(record, "Cause").map(|(cause, _)| kwhy_arch::decode_mips_cause(cause)),
        Arch::Loongarch64 => control(record, "ESTAT").map(|(estat, _)| kwhy_arch::decode_estat(estat)),
        _ => None,
    }
}

/// What a CPU besides x86 and ARM64 says of the access in its registers, with the line.
fn other_access(record: &CrashRecord) -> Option<(Access, u32)> {
    let arch = record.arch?;
    let by = |name: &str, access: &dyn Fn(u64) -> Option<Access>| {
        let (value, printed) = control(record, name)?;
        Some((access(value)?, printed.line))
    };
    match arch {
        Arch::Arm if record.oops_text.as_deref().is_some_and(|text| matches!(text, "Oops" | "")) => {
            let code = record.oops_code.as_ref()?;
            let access = kwhy_arch::fsr_access(code.value.value?)?;
            // The kernel marks its own copy of the status, not always the one it prints.
            let fetch = record.header.contains("prefetch abort");
            Some((if fetch { Access::Execute } else { access }, code.line))
        }
        Arch::Riscv64 | Arch::Riscv32 => by("cause", &|cause| kwhy_arch::scause_access(arch, cause)),
        Arch::Ppc64 | Arch::Ppc if control(record, "TRAP").is_some_and(|(trap, _)| trap == 0x300) => {
            by("DSISR", &|dsisr| Some(kwhy_arch::dsisr_access(dsisr)))
        }
        Arch::Ppc64 | Arch::Ppc => by("TRAP", &kwhy_arch::trap_access),
        Arch::S390x => {
            let code = record.oops_code.as_ref()?.value.value?;
            by("TEID", &|teid| kwhy_arch::s390_access(code, Some(teid)))
        }
        // A load and a fetch have the same code; the program counter tells them apart.
        Arch::Mips => by("Cause", &|cause| {
            kwhy_arch::mips_access(cause).or_else(|| {
                let fault = record.fault_address.as_ref()?.value.value?;
                let pc = record.pc.as_ref()?.value.address?;
                matches!(cause >> 2 & 0x1f, 2 | 4).then_some(if fault == pc {
                    Access::Execute
                } else {
                    Access::Read
                })
            })
        }),
        Arch::Loongarch64 => by("ESTAT", &kwhy_arch::estat_access),
        _ => None,
    }
}

/// The header's own words: `… at virtual address 00000000 when read` of 32-bit Arm, PowerPC's `on
/// write at 0x…`.
fn words_access(header: &str) -> Option<Access> {
    const WORDS: &[(&str, Access)] = &[
        (" when read", Access::Read),
        (" when write", Access::Write),
        (" when execute", Access::Execute),
        (" on read at ", Access::Read),
        (" on write at ", Access::Write),
        ("instruction fetch", Access::Execute),
    ];
    WORDS.iter().find(|(words, _)| header.contains(words)).map(|(_, access)| *access)
}

/// What was attempted and the line that says so. Nothing is claimed for reports of other sorts:
/// an ESR of a `brk` has no direction, and neither has a protection fault's selector code.
fn access(record: &CrashRecord, syndrome: Option<&Decoded>) -> (Option<Access>, Option<u32>) {
    let oops_line = record.oops_code.as_ref().map(|code| code.line);
    match record.arch {
        Some(Arch::Arm64) => {
            let access = syndrome.and_then(|esr| kwhy_arch::esr_access(esr.value));
            (access, access.and(record.esr.as_ref().map(|esr| esr.line).or(oops_line)))
        }
        Some(Arch::X86_64 | Arch::I386) if record.family == Some(Family::PageFault) => {
            let access = syndrome.map(|code| kwhy_arch::page_fault_access(code.value));
            (access, access.and(oops_line))
        }
        _ => {
            // Other CPUs say it in words or not at all.
            let words = record.pf_lines.iter().find_map(|line| {
                let access = if line.value.contains("write access") {
                    Access::Write
                } else if line.value.contains("instruction fetch") {
                    Access::Execute
                } else if line.value.contains("read access") {
                    Access::Read
                } else {
                    return None;
                };
                Some((access, line.line))
            });
            let header = || {
                words_access(&record.header).map(|access| {
                    (access, record.fault_address.as_ref().map_or(record.first_line, |at| at.line))
                })
            };
            let found = other_access(record).or(words).or_else(header);
            (found.map(|(access, _)| access), found.map(|(_, line)| line))
        }
    }
}

/// A decoder's answer in the report's terms.
pub fn to_model(decoded: &Decoded) -> model::Syndrome {
    model::Syndrome {
        name: decoded.name.to_owned(),
        value: Some(Hex(decoded.value)),
        fields: decoded
            .fields
            .iter()
            .map(|field| model::SyndromeField {
                name: field.name.to_owned(),
                bits: field.bits(),
                value: Hex(field.value),
                meaning: field.meaning.clone().into(),
            })
            .collect(),
    }
}

/// The fault in the report's terms; `None` for a report that is about no access.
pub fn describe(facts: &crate::context::Facts<'_>) -> Option<model::Fault> {
    let fault = &facts.fault;
    if fault.address.is_none() && fault.syndrome.is_none() && fault.access.is_none() {
        return None;
    }
    let printed = fault.address.as_ref().and_then(|address| address.value.value);
    let likely = facts.findings.address_likely.or(fault.best).filter(|best| Some(*best) != printed);
    Some(model::Fault {
        address: printed.map(Hex),
        address_likely: likely.map(Hex),
        address_class: fault.class.as_ref().map(|class| class.word().to_owned()),
        address_reason: fault.class.as_ref().map(|class| class.reason.clone().into()),
        access: fault
            .access
            .or_else(|| facts.faulting.as_ref().and_then(|faulting| faulting.access_kind(fault.best)))
            .map(|access| access.word().to_owned()),
        syndrome: fault.syndrome.as_ref().map(to_model),
    })
}

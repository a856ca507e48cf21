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
            Arch::X86_64 => Some(kwhy_arch::decode_eflags(value)),
            _ => None,
        }
    });
    FaultFacts { address, best, class, access, access_line, syndrome, flags }
}

fn syndrome(record: &CrashRecord) -> Option<Decoded> {
    match record.arch? {
        // The number after `Internal error: …:` is the ESR too (die() prints `err`, which is it).
        Arch::Arm64 => mended(record, "ESR", record.esr.as_ref())
            .or_else(|| record.oops_code.as_ref().and_then(|code| code.value.value).filter(|code| *code != 0))
            .map(kwhy_arch::decode_esr),
        Arch::X86_64 => {
            let code = record.oops_code.as_ref()?.value.value?;
            match record.family? {
                Family::PageFault => Some(kwhy_arch::decode_page_fault(code)),
                Family::GeneralProtection => Some(kwhy_arch::decode_selector_error(code)),
                _ => None,
            }
        }
        _ => None,
    }
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
        Some(Arch::X86_64) if record.family == Some(Family::PageFault) => {
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
            (words.map(|(access, _)| access), words.map(|(_, line)| line))
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

//! Contradictions that show only when the log is understood: the fault address against the
//! registers it must have been computed from.
//!
//! A slip of the pen is only claimed where the mended register value means something by
//! itself (machine code, text, a poison) *and* register + displacement gives the mended
//! fault address: two independent facts that chance does not bring together. Everything so
//! found is an inference and graded `likely`, never more.

use crate::code::{Faulting, as_code};
use crate::fault::FaultFacts;
use crate::slip::{Mended, SlipKind, distance, one_slip};
use kwhy_arch::{AddressContext, ValueKind, classify_value, prints_as, untag_for_print};
use kwhy_base::catalogue::evidence as say;
use kwhy_base::{Arch, Prose, Reg, RegValue, prose};
use kwhy_oops::slip::near_miss;
use kwhy_oops::{CrashRecord, Damage, Family, Grade};

/// The longest displacement considered where the instruction is not known, in bytes: members
/// of most structures lie below a page.
const REACH: u64 = 0x1000;

/// The most slips believed in one number.
const SLIPS: usize = 2;

/// What comparing registers and fault address came to.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// New contradictions.
    pub damage: Vec<Damage>,
    /// The fault address mended.
    pub address_likely: Option<u64>,
    /// The register that gives the fault address, where the instruction is not known.
    pub matched: Option<Match>,
}

/// A register whose value plus a small displacement is the fault address.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Which.
    pub register: Reg,
    /// Its value, mended where it had to be.
    pub value: u64,
    /// Fault address minus value.
    pub displacement: u64,
    /// 1-based line of the register.
    pub line: u32,
    /// Slips assumed, in words; empty for an exact match.
    pub slips: Vec<Prose>,
    /// Other registers that match as well as this one.
    pub rivals: Vec<Reg>,
}

/// Compares fault address and registers.
pub fn cross_check(
    record: &CrashRecord,
    fault: &FaultFacts,
    faulting: Option<&Faulting>,
    space: &AddressContext,
) -> Findings {
    let (Some(arch), Some(address)) = (record.arch, &fault.address) else { return Findings::default() };
    let access_fault = matches!(record.family, Some(Family::PageFault | Family::GeneralProtection));
    if !access_fault || fault.access == Some(kwhy_arch::Access::Execute) {
        return Findings::default();
    }
    if let Some(faulting) = faulting {
        return with_instruction(arch, record, &address.value.digits, address.line, faulting);
    }
    let (Some(cpu), Some(value)) = (kwhy_arch::cpu(arch), fault.best) else { return Findings::default() };
    let name = |reg| cpu.name(reg).unwrap_or("?").to_owned();
    if let Some(matched) = exact(arch, record, value, space) {
        return Findings { matched: Some(matched), ..Findings::default() };
    }
    match slipped(arch, record, &address.value.digits, space) {
        Some(found) => found.into_findings(&name, address.line, &address.value.digits),
        None => Findings::default(),
    }
}

/// With the instruction known, register and displacement are fixed: only the address can be off.
fn with_instruction(
    arch: Arch,
    record: &CrashRecord,
    digits: &str,
    line: u32,
    faulting: &Faulting,
) -> Findings {
    let printed = record.fault_address.as_ref().and_then(|a| a.value.value);
    if printed.is_some_and(|printed| faulting.accesses.iter().any(|touch| touch.hits(arch, printed))) {
        return Findings::default();
    }
    // Printed twice alike, it is not the address that was miscopied.
    if crate::mend::registers::address_repeated(record) {
        return Findings::default();
    }
    let near = faulting
        .accesses
        .iter()
        .filter_map(|touch| touch.address)
        .map(|address| as_printed(arch, address))
        .filter(|address| distance(digits, *address) <= SLIPS && near_miss(digits, *address).is_some())
        .min_by_key(|address| distance(digits, *address));
    let Some(address) = near else { return Findings::default() };
    Findings {
        damage: vec![Damage {
            line,
            field: "fault address".to_owned(),
            printed: digits.to_owned(),
            likely: Some(format!("{address:016x}")),
            grade: Grade::Likely,
            reason: prose!(
                say::DAMAGE_ADDRESS_BY_INSTRUCTION,
                instruction = faulting.insn.text(),
                address = format_args!("{address:016x}"),
                slip = misprint(digits, address),
            ),
        }],
        address_likely: Some(address),
        matched: None,
    }
}

/// Registers printed with all their digits readable, and those printed damaged, by number.
fn printed_registers(record: &CrashRecord) -> Vec<(Reg, String, Option<u64>, u32)> {
    record
        .registers
        .0
        .iter()
        .map(|(reg, value)| match value {
            RegValue::Known { value, line } => (*reg, format!("{value:016x}"), Some(*value), *line),
            RegValue::Damaged { printed, line, .. } => (*reg, printed.clone(), None, *line),
        })
        .filter(|(reg, ..)| reg.0 <= 31)
        .collect()
}

/// Whether a value is telling enough by itself to be the bad one.
fn telling(kind: ValueKind) -> bool {
    matches!(
        kind,
        ValueKind::MachineCode
            | ValueKind::AsciiText
            | ValueKind::ListPoison
            | ValueKind::SlabPoison
            | ValueKind::ErrorPointer
    )
}

/// A telling register value that reaches the printed fault address as it stands.
fn exact(arch: Arch, record: &CrashRecord, fault: u64, space: &AddressContext) -> Option<Match> {
    // Nearly every tiny address is NULL plus an offset, and NULL is in many registers: an error
    // pointer that happens to lie in another one proves nothing.
    if fault < REACH {
        return None;
    }
    let mut matches: Vec<Match> = Vec::new();
    for (register, _, value, line) in printed_registers(record) {
        let Some(value) = value else { continue };
        let displacement = reach(arch, value, fault);
        let kind = classify_value(arch, value, space, &|v| as_code(arch, v)).kind;
        // A non-canonical number that reaches the (equally non-canonical) address is no accident either.
        let odd = telling(kind) || (kind == ValueKind::Integer && value >> 47 != 0 && fault >> 47 != 0);
        if let (Some(displacement), true) = (displacement, odd) {
            matches.push(Match {
                register,
                value,
                displacement,
                line,
                slips: Vec::new(),
                rivals: Vec::new(),
            });
        }
    }
    // An aligned and smaller displacement is the likelier member offset.
    matches.sort_by_key(|m| (m.displacement % 4 != 0, m.displacement, m.register));
    let mut best = matches.first()?.clone();
    best.rivals = matches.iter().skip(1).filter(|m| m.value != best.value).map(|m| m.register).collect();
    Some(best)
}

/// The displacement from `value` to `fault`, where it is small; the address may have lost its tag.
fn reach(arch: Arch, value: u64, fault: u64) -> Option<u64> {
    let plain = fault.wrapping_sub(value);
    if plain < REACH {
        return Some(plain);
    }
    if arch != Arch::Arm64 {
        return None;
    }
    let displacement = fault.wrapping_sub(untag_for_print(value));
    (displacement < REACH && prints_as(arch, value.wrapping_add(displacement), fault)).then_some(displacement)
}

/// A match that assumes slips.
struct Slipped {
    matched: Match,
    printed: String,
    register_slip: Option<Mended>,
    /// Slips in the address.
    address_slips: usize,
    address: u64,
}

/// Looks for the one telling value, at most one slip away from a printed register, that plus a
/// small displacement gives the fault address at most two slips away from the printed one.
///
/// The displacement reaches the lowest three digits only, so ten or more digits of the address
/// must be those of the value: chance does not do that.
fn slipped(arch: Arch, record: &CrashRecord, digits: &str, space: &AddressContext) -> Option<Slipped> {
    if digits.len().abs_diff(16) > SLIPS {
        return None;
    }
    let mut found: Vec<Slipped> = Vec::new();
    for (register, printed, value, line) in printed_registers(record) {
        let mut readings: Vec<(u64, Option<Mended>)> =
            one_slip(&printed).into_iter().map(|mended| (mended.value, Some(mended))).collect();
        readings.extend(value.map(|value| (value, None)));
        for (reading, register_slip) in readings {
            let class = classify_value(arch, reading, space, &|v| as_code(arch, v));
            if !telling(class.kind) || class.kind == ValueKind::ErrorPointer {
                continue;
            }
            // Members are aligned more often than not; chance prefers odd displacements.
            let best = (0..REACH)
                .step_by(4)
                .map(|displacement| {
                    let address = as_printed(arch, reading.wrapping_add(displacement));
                    (distance(digits, address), displacement, address)
                })
                .min();
            let Some((address_slips, displacement, address)) =
                best.filter(|best| best.0 == 0 || (best.0 <= SLIPS && near_miss(digits, best.2).is_some()))
            else {
                continue;
            };
            if register_slip.is_none() && address_slips == 0 {
                continue;
            }
            let matched =
                Match { register, value: reading, displacement, line, slips: Vec::new(), rivals: Vec::new() };
            found.push(Slipped { matched, printed: printed.clone(), register_slip, address_slips, address });
        }
    }
    found.sort_by_key(|s| (usize::from(s.register_slip.is_some()) + s.address_slips, s.matched.register));
    let best = found.first()?;
    // Two different values that would both do are no proof of either.
    if found.iter().any(|other| other.matched.value != best.matched.value) {
        return None;
    }
    found.into_iter().next()
}

/// The address as the kernel prints it: ARM64 leaves the tag out.
fn as_printed(arch: Arch, address: u64) -> u64 {
    if arch == Arch::Arm64 { untag_for_print(address) } else { address }
}

/// How a miscopied number came about, in words.
fn misprint(printed: &str, meant: u64) -> Prose {
    near_miss(printed, meant).map_or_else(|| Prose::verbatim(format!("{meant:016x}")), |slip| slip.prose)
}

impl Slipped {
    fn into_findings(self, name: &dyn Fn(Reg) -> String, address_line: u32, digits: &str) -> Findings {
        let Slipped { mut matched, printed, register_slip, address_slips, address } = self;
        let register = name(matched.register);
        let value = format!("{:016x}", matched.value);
        let mut damage = Vec::new();
        if let Some(slip) = &register_slip {
            damage.push(Damage {
                line: matched.line,
                field: register.clone(),
                printed: printed.clone(),
                likely: Some(value.clone()),
                grade: Grade::Likely,
                reason: prose!(
                    say::DAMAGE_REGISTER_BY_ADDRESS,
                    register = &register,
                    value = &value,
                    displacement = format_args!("{:#x}", matched.displacement),
                    address = format_args!("{address:016x}"),
                    slip = in_words(slip),
                ),
            });
            matched.slips.push(prose!(
                say::SLIP_IN,
                field = &register,
                printed = &printed,
                mended = &value,
                slip = in_words(slip)
            ));
        }
        if address_slips > 0 {
            damage.push(Damage {
                line: address_line,
                field: "fault address".to_owned(),
                printed: digits.to_owned(),
                likely: Some(format!("{address:016x}")),
                grade: Grade::Likely,
                reason: prose!(
                    say::DAMAGE_ADDRESS_BY_REGISTER,
                    register = &register,
                    value = &value,
                    displacement = format_args!("{:#x}", matched.displacement),
                    address = format_args!("{address:016x}"),
                    slip = misprint(digits, address),
                ),
            });
            matched.slips.push(prose!(
                say::SLIP_IN,
                field = prose!(say::THE_FAULT_ADDRESS),
                printed = digits,
                mended = format_args!("{address:016x}"),
                slip = misprint(digits, address)
            ));
        }
        let address_likely = (address_slips > 0).then_some(address);
        Findings { damage, address_likely, matched: Some(matched) }
    }
}

/// A slip in words, with the digit's 1-based position.
fn in_words(mended: &Mended) -> Prose {
    let position = mended.at + 1;
    match mended.kind {
        SlipKind::Swapped => prose!(say::SLIP_SWAPPED, first = position, second = position + 1),
        SlipKind::Misread => prose!(say::SLIP_MISREAD, position = position),
        SlipKind::Dropped => prose!(say::SLIP_DROPPED, position = position),
        SlipKind::Doubled => prose!(say::SLIP_DOUBLED, position = position),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{access_fault, with_register};

    fn check(record: &CrashRecord) -> Findings {
        let space = AddressContext::default();
        cross_check(record, &crate::fault::facts(record, &space), None, &space)
    }

    /// x20 and the fault address of a log that was copied by hand, a digit of one misread and a
    /// run of the other begun with the wrong digit.
    #[test]
    fn a_register_that_is_code_mends_the_address_and_itself() {
        let record =
            with_register(access_fault(Arch::Arm64, 0x0002_32bf_a8c1_7cc5), "x20", 0x0503_23bf_a8c1_7bfd);
        let found = check(&record);
        let matched = found.matched.expect("x20 is found");
        assert_eq!((matched.value, matched.displacement), (0xd503_23bf_a8c1_7bfd, 0xc8));
        assert_eq!(found.address_likely, Some(0x0003_23bf_a8c1_7cc5));
        let fields: Vec<&str> = found.damage.iter().map(|d| d.field.as_str()).collect();
        assert_eq!(fields, ["x20", "fault address"]);
        assert!(found.damage.iter().all(|d| d.grade == Grade::Likely));
    }

    #[test]
    fn an_exact_match_needs_no_slip() {
        let record =
            with_register(access_fault(Arch::Arm64, 0x0003_23bf_a8c1_7cc5), "x0", 0xd503_23bf_a8c1_7bfd);
        let found = check(&record);
        assert!(found.damage.is_empty() && found.address_likely.is_none());
        assert_eq!(found.matched.map(|m| m.displacement), Some(0xc8));
    }

    #[test]
    fn a_good_pointer_near_the_address_is_no_slip() {
        // Two kernel pointers a digit apart: nothing says which of them is miscopied, or that either is.
        let record =
            with_register(access_fault(Arch::Arm64, 0xffff_8000_0859_b960), "x1", 0xffff_8000_0895_b960);
        let found = check(&record);
        assert!(found.damage.is_empty() && found.matched.is_none());
    }
}

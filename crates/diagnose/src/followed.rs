//! The value that was followed, used or called, as far as the log alone shows it.

use crate::code::{CodeSource, Faulting, as_code};
use crate::damage::Findings;
use crate::fault::FaultFacts;
use crate::location::Places;
use kwhy_arch::{AddressContext, Region, ValueClass, classify_value};
use kwhy_base::catalogue::evidence as say;
use kwhy_base::{Arch, Prose, Reg, prose};
use kwhy_oops::{CrashRecord, Family, Grade};

/// How the value is known.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// Control was sent to it: it is the PC.
    CallTarget,
    /// It is the base register of the faulting instruction.
    Instruction {
        /// Base + index + displacement against the fault address; `None` where one of them is not known.
        agrees: Option<bool>,
        /// Where the instruction was read.
        source: CodeSource,
    },
    /// The instruction is not known; this register plus a small displacement is the fault address.
    Register {
        /// Slips assumed.
        slips: Vec<Prose>,
    },
}

/// The value.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    /// The value.
    pub value: u64,
    /// What it looks like.
    pub class: ValueClass,
    /// The register that held it.
    pub register: Option<Reg>,
    /// Added to it to make the fault address.
    pub displacement: Option<i64>,
    /// How it is known.
    pub how: How,
    /// How sure it is that this is the value.
    pub grade: Grade,
}

/// The value of this crash; `None` where the log does not show it.
pub fn followed(
    record: &CrashRecord,
    fault: &FaultFacts,
    places: &Places,
    faulting: Option<&Faulting>,
    findings: &Findings,
    space: &AddressContext,
) -> Option<Followed> {
    let arch = record.arch?;
    let classify = |value| classify_value(arch, value, space, &|v| as_code(arch, v));
    let make = |value, register, displacement, how, grade| {
        Some(Followed { value, class: classify(value), register, displacement, how, grade })
    };
    if in_shadow(record) {
        return None;
    }
    if places.pc_is_garbage {
        let target = record.pc.as_ref().and_then(|pc| pc.value.address).or(fault.best)?;
        return make(target, None, None, How::CallTarget, Grade::Proved);
    }
    // Only reports about an access follow a pointer: a `brk` or `ud2` touches nothing.
    if !matches!(record.family, Some(Family::PageFault | Family::GeneralProtection | Family::DoubleFault)) {
        return None;
    }
    if let Some(faulting) = faulting {
        if let Some(found) = by_instruction(arch, record, fault, faulting, findings) {
            let (value, register, displacement, agrees) = found;
            let grade = if agrees == Some(true) { Grade::Proved } else { Grade::Likely };
            let how = How::Instruction { agrees, source: faulting.source.clone() };
            // A disagreement means that the registers or the code are not of this moment: claim nothing.
            return if agrees == Some(false) {
                None
            } else {
                make(value, Some(register), displacement, how, grade)
            };
        }
        return thunk(record).and_then(|(register, value)| {
            let how = How::Instruction { agrees: None, source: faulting.source.clone() };
            make(value, Some(register), None, how, Grade::Likely)
        });
    }
    let matched = findings.matched.as_ref()?;
    let grade = if matched.rivals.is_empty() { Grade::Likely } else { Grade::Possible };
    let how = How::Register { slips: matched.slips.clone() };
    make(matched.value, Some(matched.register), i64::try_from(matched.displacement).ok(), how, grade)
}

/// Whether the access was KASAN's own, to the shadow of an address that it names
/// (`kasan_non_canonical_hook()`, mm/kasan/report.c): the register then holds an index into the shadow.
fn in_shadow(record: &CrashRecord) -> bool {
    let says =
        |text: &str| text.contains("-memory-access in range") || text.contains("null-ptr-deref in range");
    // `maybe wild-memory-access` is said of every wild address, one of the shadow or not.
    let sure = |text: &str| says(text) && !text.contains("maybe wild-memory-access");
    record.remarks.iter().any(|remark| remark.value.contains("KASAN: ") && sure(&remark.value))
}

type ByInstruction = (u64, Reg, Option<i64>, Option<bool>);

fn by_instruction(
    arch: Arch,
    record: &CrashRecord,
    fault: &FaultFacts,
    faulting: &Faulting,
    findings: &Findings,
) -> Option<ByInstruction> {
    let known = |reg| record.registers.known(reg);
    if let Some(register) = faulting.call_register() {
        return Some((known(register)?, register, None, None));
    }
    let address = findings.address_likely.or(fault.best);
    let touch = faulting.touch(arch, address)?;
    let memory = &touch.access.memory;
    let agrees = match (touch.address, address) {
        (Some(_), Some(address)) => Some(touch.hits(arch, address)),
        // x86 protection faults name no address unless the kernel decoded it; what shows then is
        // that the computed one cannot be mapped at all.
        (Some(computed), None) if record.family == Some(Family::GeneralProtection) => {
            let region = kwhy_arch::classify_address(arch, computed, &AddressContext::default()).region;
            matches!(region, Region::NonCanonical | Region::Poison).then_some(true)
        }
        _ => None,
    };
    // With an index the pointer is the part that is none: a good base with a wild index is followed by the index.
    let base = touch.base_register()?;
    Some((known(base)?, base, Some(memory.displacement), agrees))
}

/// The register that a retpoline thunk jumps through is in the thunk's name.
fn thunk(record: &CrashRecord) -> Option<(Reg, u64)> {
    let symbol = record.pc.as_ref()?.value.symbol.as_deref()?;
    let name = symbol.strip_prefix("__x86_indirect_thunk_")?;
    let register = kwhy_arch::cpu(Arch::X86_64)?.register(name)?;
    Some((register, record.registers.known(register)?))
}

impl Followed {
    /// How the value is known, as evidence.
    pub fn evidence(&self, facts: &crate::context::Facts<'_>) -> Prose {
        let value = format!("{:#x}", self.value);
        let register = self.register.map(|reg| facts.name(reg)).unwrap_or_default();
        let displacement = displacement(self.displacement.unwrap_or(0));
        let address = facts
            .findings
            .address_likely
            .or(facts.fault.best)
            .map_or_else(|| "?".to_owned(), |address| format!("{address:#x}"));
        match &self.how {
            How::CallTarget => prose!(say::FOLLOWED_CALL_TARGET, value = &value),
            How::Instruction { agrees, source } => {
                let instruction = facts.faulting.as_ref().map(|f| f.insn.text()).unwrap_or_default();
                let place = source_words(source);
                match agrees {
                    Some(true) if facts.fault.address.is_some() => prose!(
                        say::FOLLOWED_AGREES,
                        instruction = &instruction,
                        place = place,
                        register = &register,
                        value = &value,
                        displacement = &displacement,
                        address = &address
                    ),
                    _ => prose!(
                        say::FOLLOWED_INSTRUCTION,
                        instruction = &instruction,
                        place = place,
                        register = &register,
                        value = &value
                    ),
                }
            }
            How::Register { slips } if slips.is_empty() => prose!(
                say::FOLLOWED_REGISTER,
                register = &register,
                value = &value,
                displacement = &displacement,
                address = &address
            ),
            How::Register { slips } => prose!(
                say::FOLLOWED_SLIP,
                register = &register,
                value = &value,
                displacement = &displacement,
                address = &address,
                slips = slips.clone()
            ),
        }
    }
}

/// ` + 0xc8`, ` - 0x10`, or nothing.
pub fn displacement(displacement: i64) -> String {
    match displacement {
        0 => String::new(),
        positive if positive > 0 => format!(" + {positive:#x}"),
        negative => format!(" - {:#x}", negative.unsigned_abs()),
    }
}

/// Where an instruction was read, in words.
pub fn source_words(source: &CodeSource) -> Prose {
    match source {
        CodeSource::Log(line) => prose!(say::CODE_LINE, line = *line),
        CodeSource::Image { name, address } => {
            prose!(say::IMAGE_ADDRESS, name = name, address = format_args!("{:#x}", address.0))
        }
    }
}

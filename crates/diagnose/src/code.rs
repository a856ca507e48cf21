//! The faulting instruction, from the `Code:` line alone or from a checked image: what it
//! touches, through which register, and whether that gives the fault address.

use crate::images::Images;
use crate::location::Places;
use kwhy_arch::{Access as Attempt, prints_as};
use kwhy_base::{Arch, ImageAddr, Reg, Registers};
use kwhy_flow::insn::{self, Access, AccessKind, Flow, Insn, MemOperand, Target};
use kwhy_flow::insn::{Strength, plausible_code};
use kwhy_oops::CrashRecord;

/// Where an instruction's bytes come from.
#[derive(Clone, Debug, PartialEq)]
pub enum CodeSource {
    /// The log's `Code:` line (1-based line).
    Log(u32),
    /// An image that was checked against the log.
    Image {
        /// The image's name as given.
        name: String,
        /// Where in it.
        address: ImageAddr,
    },
}

/// The instruction at the PC.
#[derive(Clone, Debug)]
pub struct Faulting {
    /// Decoded.
    pub insn: Insn,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where they come from.
    pub source: CodeSource,
    /// What it touches, with the registers of the log filled in.
    pub accesses: Vec<Touch>,
}

/// One memory access with the log's registers filled in.
#[derive(Clone, Debug)]
pub struct Touch {
    /// The access.
    pub access: Access,
    /// Base + index * scale + displacement, where every part is known.
    pub address: Option<u64>,
}

/// The longest instruction, in bytes (SDM volume 2, 2.3.11).
const LONGEST: usize = 15;

/// The faulting instruction of `record`.
pub fn faulting(record: &CrashRecord, places: &Places, images: &Images<'_, '_>) -> Option<Faulting> {
    let arch = record.arch?;
    if places.pc_is_garbage {
        return None;
    }
    let (bytes, source, address) = from_log(record, places).or_else(|| from_image(places, images))?;
    let insn = insn::decode(arch, &bytes, address)?;
    let bytes = bytes.get(..usize::from(insn.len))?.to_vec();
    let accesses = insn
        .accesses()
        .into_iter()
        .map(|access| {
            let address = resolve(&access.memory, &record.registers);
            Touch { access, address }
        })
        .collect();
    Some(Faulting { insn, bytes, source, accesses })
}

fn from_log(record: &CrashRecord, places: &Places) -> Option<(Vec<u8>, CodeSource, ImageAddr)> {
    let code = record.code.as_ref()?;
    let bytes: Vec<u8> =
        code.bytes.get(code.fault_index?..)?.iter().take(LONGEST).map_while(|byte| *byte).collect();
    // Without an image the place is only a name: branch targets are shown relative to 0, and
    // nothing else depends on the address.
    let in_image = places.pc.as_ref().and_then(|pc| pc.address);
    let printed = record.pc.as_ref().and_then(|pc| pc.value.address).map(ImageAddr);
    let address = in_image.or(printed).unwrap_or(ImageAddr(0));
    Some((bytes, CodeSource::Log(code.line), address))
}

fn from_image(places: &Places, images: &Images<'_, '_>) -> Option<(Vec<u8>, CodeSource, ImageAddr)> {
    let address = places.pc.as_ref()?.address?;
    let image = images.image_of(places.pc.as_ref()?)?;
    let bytes = image.bytes(address, LONGEST)?;
    Some((
        bytes.into_owned(),
        CodeSource::Image { name: images.name_of(places.pc.as_ref()?)?, address },
        address,
    ))
}

/// The effective address of `memory`.
fn resolve(memory: &MemOperand, registers: &Registers) -> Option<u64> {
    if memory.segment.is_some() || (memory.base.is_none() && memory.index.is_none()) {
        // Segment bases of the moment are not printed, and an absolute operand needs the load address.
        return None;
    }
    let mut address = memory.displacement as u64;
    if let Some(reg) = memory.base {
        address = address.wrapping_add(registers.known(reg)?);
    }
    if let Some(index) = memory.index {
        let value = registers.known(index.register)?;
        let value = match (index.narrow, index.signed) {
            (true, true) => i64::from(value as u32 as i32) as u64,
            (true, false) => u64::from(value as u32),
            _ => value,
        };
        address = address.wrapping_add(value.wrapping_mul(u64::from(index.scale)));
    }
    Some(address)
}

impl Touch {
    /// Whether the kernel would have reported `fault` for this access: any byte of it may be the one.
    pub fn hits(&self, arch: Arch, fault: u64) -> bool {
        let Some(address) = self.address else { return false };
        (0..u64::from(self.access.width.max(1)))
            .any(|byte| prints_as(arch, address.wrapping_add(byte), fault))
    }

    /// The base register.
    pub fn base_register(&self) -> Option<Reg> {
        self.access.memory.base
    }
}

impl Faulting {
    /// The access that faulted: the one that hits the fault address; else, where the
    /// instruction has but one, that one.
    pub fn touch(&self, arch: Arch, fault: Option<u64>) -> Option<&Touch> {
        if let Some(fault) = fault
            && let Some(touch) = self.accesses.iter().find(|touch| touch.hits(arch, fault))
        {
            return Some(touch);
        }
        match self.accesses.as_slice() {
            [only] => Some(only),
            // A pair or a read-modify-write through one operand is one access to the mind.
            [first, rest @ ..] if rest.iter().all(|t| t.access.memory.base == first.access.memory.base) => {
                Some(first)
            }
            _ => None,
        }
    }

    /// What the access does, by the instruction.
    pub fn access_kind(&self, fault: Option<u64>) -> Option<Attempt> {
        let touch = match fault {
            Some(fault) => self.accesses.iter().find(|t| t.address == Some(fault)).or(self.accesses.first()),
            None => self.accesses.first(),
        }?;
        Some(match touch.access.kind {
            AccessKind::Read => Attempt::Read,
            AccessKind::Write | AccessKind::Modify => Attempt::Write,
        })
    }

    /// The register that an indirect call or jump takes its target from.
    pub fn call_register(&self) -> Option<Reg> {
        match &self.insn.flow {
            Flow::CallIndirect(Target::Register(reg)) | Flow::JumpIndirect(Target::Register(reg)) => {
                Some(*reg)
            }
            _ => None,
        }
    }

    /// The bytes in hexadecimal, as the report shows them.
    pub fn hex(&self) -> String {
        self.bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
    }
}

/// The instructions that `value` is, where it holds an idiom of compiled code of `arch`; a value
/// that merely decodes is not called code, because nearly every value decodes.
pub fn as_code(arch: Arch, value: u64) -> Option<String> {
    let code = plausible_code(arch, value).filter(|code| code.strength == Strength::Strong)?;
    Some(code.instructions.join("; "))
}

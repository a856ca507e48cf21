//! What a log proves about the address space, and the conclusions that hold on any CPU.

use super::{AddressClass, Region};
use crate::decoded::Grade;
use crate::layout::says;
use kwhy_base::catalogue::arch as m;
use kwhy_base::{Prose, prose};
use std::ops::Range;

/// What the kernel itself said of an address in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelNote {
    /// `address between user and kernel address ranges`.
    Gap,
    /// `user address but active_mm is swapper`, `user pgtable: …`.
    User,
    /// `swapper pgtable: …`: the kernel half.
    Kernel,
    /// `probably for non-canonical address`.
    NonCanonical,
}

/// What the log (and an image, if any) proves about the crashed machine's address space.
/// Everything is optional; the more there is, the surer the answers.
#[derive(Clone, Debug, Default)]
pub struct AddressContext {
    /// How far KASLR moved the kernel image, in bytes; `Some(0)` when the log says it is disabled.
    pub kernel_offset: Option<u64>,
    /// Where the image was linked to start (`Kernel Offset: … from 0x…`).
    pub kernel_base: Option<u64>,
    /// The kernel image's code, as the crashed machine had it.
    pub kernel_text: Option<Range<u64>>,
    /// The whole kernel image, code and data.
    pub kernel_image: Option<Range<u64>>,
    /// Addresses known to be in the kernel image's code: PC, LR and raw frame addresses with symbols of no module.
    pub text_samples: Vec<u64>,
    /// Addresses known to be in modules' code, with the module's name.
    pub module_samples: Vec<(String, u64)>,
    /// Modules' memory, where known exactly.
    pub module_ranges: Vec<(String, Range<u64>)>,
    /// The stack pointer at the crash.
    pub stack_pointer: Option<u64>,
    /// Pointers known to be good: frame pointer, registers that earlier instructions went through.
    pub good_pointers: Vec<u64>,
    /// Addresses known to be in the linear map (x86-64: the kernel GS base, per-cpu memory).
    pub linear_samples: Vec<u64>,
    /// Virtual address size in bits where the log says it (ARM64 `48-bit VAs`; x86 48 or 57, by CR4.LA57).
    pub va_bits: Option<u8>,
    /// Page size in bytes where the log says it (ARM64 `4k pages`).
    pub page_size: Option<u64>,
    /// Where physical memory starts, as the linear map counts (ARM64 `PHYS_OFFSET`).
    pub phys_offset: Option<u64>,
    /// An address that the page tables were found not to map.
    pub unmapped: Option<u64>,
    /// Other values of the log that look like kernel pointers, none of them known to be good:
    /// registers. They vouch for the bits that every pointer into one region has.
    pub seen: Vec<u64>,
    /// What the kernel said of one address (as printed).
    pub noted: Option<(u64, KernelNote)>,
}

impl AddressContext {
    /// Every pointer the log vouches for, ascending, each once.
    pub(crate) fn vouched(&self) -> Vec<u64> {
        let mut all: Vec<u64> = self
            .good_pointers
            .iter()
            .chain(&self.text_samples)
            .chain(&self.linear_samples)
            .chain(self.module_samples.iter().map(|(_, sample)| sample))
            .copied()
            .chain(self.stack_pointer)
            .filter(|pointer| pointer >> 63 == 1)
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Where KASLR put the start of the image, where the log prints both numbers.
    pub(crate) fn image_start(&self) -> Option<u64> {
        Some(self.kernel_base?.wrapping_add(self.kernel_offset?))
    }
}

/// The largest kernel stack there is: 64 KiB (THREAD_SIZE with KASAN).
const STACK_REACH: u64 = 0x1_0000;

/// How far from a code address of a module the rest of the module is likely to be.
const MODULE_REACH: u64 = 0x10_0000;

/// How large a kernel image may be taken to be when its end is unknown.
const IMAGE_REACH: u64 = 64 << 20;

pub(super) fn class(region: Region, name: Prose, reason: Prose, grade: Grade) -> AddressClass {
    AddressClass { region, name, reason, grade, offset: None }
}

/// `0x1c8`, the distance between two addresses.
pub(crate) fn distance(a: u64, b: u64) -> String {
    format!("{:#x}", a.abs_diff(b))
}

/// Where ranges or neighbours that the log proves put a kernel-half address, whatever the CPU.
pub(super) fn by_evidence(addr: u64, context: &AddressContext) -> Option<AddressClass> {
    if context.kernel_text.as_ref().is_some_and(|range| range.contains(&addr)) {
        return Some(class(
            Region::KernelText,
            says(&m::KERNEL_TEXT),
            says(&m::WHY_IMAGE_RANGE),
            Grade::Proved,
        ));
    }
    if context.kernel_image.as_ref().is_some_and(|range| range.contains(&addr)) {
        // With the code's range known, the rest of the image is data; without it, it may be either.
        let (region, name, grade) = match context.kernel_text {
            Some(_) => (Region::KernelData, says(&m::KERNEL_DATA), Grade::Proved),
            None => (Region::KernelData, says(&m::KERNEL_IMAGE), Grade::Possible),
        };
        let within_samples = context.kernel_text.is_none() && below_a_text_sample(addr, context).is_some();
        if !within_samples {
            return Some(class(region, name, says(&m::WHY_IMAGE_RANGE), grade));
        }
    }
    if let Some((module, _)) = context.module_ranges.iter().find(|(_, range)| range.contains(&addr)) {
        let name = prose!(m::MODULE_NAMED, module = module);
        return Some(class(Region::Module, name, says(&m::WHY_MODULE_RANGE), Grade::Proved));
    }
    if let Some(sample) = below_a_text_sample(addr, context) {
        let reason = prose!(m::WHY_TEXT_SAMPLES, sample = hex(sample));
        return Some(class(Region::KernelText, says(&m::KERNEL_TEXT), reason, Grade::Likely));
    }
    let nearest = context.module_samples.iter().min_by_key(|(_, sample)| sample.abs_diff(addr));
    if let Some((module, sample)) = nearest.filter(|(_, sample)| sample.abs_diff(addr) < MODULE_REACH) {
        let reason = prose!(m::WHY_NEAR_MODULE, distance = distance(addr, *sample), sample = hex(*sample));
        let name = prose!(m::MODULE_NAMED, module = module);
        return Some(class(Region::Module, name, reason, Grade::Likely));
    }
    None
}

/// A code address above `addr` such that all between the image's start and it is code. Without the
/// image's start, the lowest known code address stands in for it.
fn below_a_text_sample(addr: u64, context: &AddressContext) -> Option<u64> {
    let highest = context.text_samples.iter().copied().max()?;
    let lowest = context.text_samples.iter().copied().min()?;
    let start = context
        .image_start()
        .filter(|start| *start <= lowest && lowest - start < IMAGE_REACH)
        .unwrap_or(lowest);
    // Samples of one image cannot be further apart than an image is large.
    (start <= addr && addr <= highest && highest - start < IMAGE_REACH).then_some(highest)
}

/// The image around its known start or code addresses, when nothing says exactly where it ends.
pub(super) fn near_image(addr: u64, context: &AddressContext) -> Option<AddressClass> {
    if context.kernel_image.is_some() {
        return None;
    }
    if let Some(start) = context.image_start().filter(|start| addr >= *start && addr - start < IMAGE_REACH) {
        let reason = prose!(m::WHY_NEAR_START, distance = distance(addr, start), start = hex(start));
        // Code comes first in the image, and no distribution's kernel has less than 8 MiB of it.
        let region = if addr - start < 8 << 20 { Region::KernelText } else { Region::KernelData };
        return Some(class(region, says(&m::KERNEL_IMAGE), reason, Grade::Possible));
    }
    if context.image_start().is_some() {
        return None;
    }
    let nearest = context.text_samples.iter().copied().min_by_key(|sample| sample.abs_diff(addr))?;
    (nearest.abs_diff(addr) < IMAGE_REACH / 2).then(|| {
        let reason = prose!(m::WHY_NEAR_TEXT, distance = distance(addr, nearest), sample = hex(nearest));
        class(Region::KernelData, says(&m::KERNEL_IMAGE), reason, Grade::Possible)
    })
}

/// Whether `addr` is on the stack that the stack pointer is on, as far as distance tells: the
/// name and reason to use instead of the region's.
pub(super) fn on_stack(addr: u64, context: &AddressContext) -> Option<(Prose, Prose)> {
    let sp = context.stack_pointer.filter(|sp| sp >> 63 == 1 && *sp != 0)?;
    // The stack grows down and its size is a power of two, to which it is aligned: an address in
    // another block of that size is not on it.
    if sp / STACK_REACH != addr / STACK_REACH || sp.abs_diff(addr) >= STACK_REACH / 2 {
        return None;
    }
    if sp == addr {
        return Some((says(&m::STACK_POINTER), prose!(m::WHY_STACK, sp = hex(sp))));
    }
    let offset = super::poison::signed_hex(addr.wrapping_sub(sp) as i64);
    Some((prose!(m::STACK, distance = offset), prose!(m::WHY_STACK, sp = hex(sp))))
}

/// `0xffff…`.
pub(crate) fn hex(value: u64) -> String {
    format!("{value:#x}")
}

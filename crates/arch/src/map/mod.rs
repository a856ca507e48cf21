//! The kernel's address-space map: which region an address lies in, and how that is known.

use crate::decoded::Grade;
use kwhy_base::{Arch, Prose};
use std::ops::Range;

/// The contract's `address_class` words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// Exactly 0.
    Null,
    /// Below 0x1000: a member of a structure at NULL.
    NearNull,
    /// The user half.
    User,
    /// Neither half: no page table can map it.
    NonCanonical,
    /// The direct map of physical memory: kmalloc, pages.
    LinearMap,
    /// vmalloc, ioremap, vmapped stacks.
    Vmalloc,
    /// The kernel image's code.
    KernelText,
    /// The kernel image's data.
    KernelData,
    /// A module.
    Module,
    /// The array of struct page.
    Vmemmap,
    /// Fixed mappings.
    Fixmap,
    /// `ERR_PTR(-errno)`, or an offset from one.
    ErrorPointer,
    /// A poison value or an offset from one.
    Poison,
    /// Another part of the kernel half.
    KernelOther,
}

impl Region {
    /// The contract's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Region::Null => "null",
            Region::NearNull => "near-null",
            Region::User => "user",
            Region::NonCanonical => "non-canonical",
            Region::LinearMap => "linear-map",
            Region::Vmalloc => "vmalloc",
            Region::KernelText => "kernel-text",
            Region::KernelData => "kernel-data",
            Region::Module => "module",
            Region::Vmemmap => "vmemmap",
            Region::Fixmap => "fixmap",
            Region::ErrorPointer => "error-pointer",
            Region::Poison => "poison",
            Region::KernelOther => "kernel-other",
        }
    }
}

/// What the kernel itself said of an address in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelNote {
    /// `address between user and kernel address ranges`.
    Gap,
    /// `user address but active_mm is swapper`, `user pgtable: …`, `access to user memory…`.
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
    /// Virtual address size in bits where the log says it (ARM64 `48-bit VAs`; x86 48 or 57).
    pub va_bits: Option<u8>,
    /// Page size in bytes where the log says it (ARM64 `4k pages`).
    pub page_size: Option<u64>,
    /// What the kernel said of one address (as printed).
    pub noted: Option<(u64, KernelNote)>,
}

/// Where an address lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressClass {
    /// The contract's class.
    pub region: Region,
    /// The region by name, as the kernel's documentation calls it, offsets included.
    pub name: Prose,
    /// How that is known.
    pub reason: Prose,
    /// How sure.
    pub grade: Grade,
    /// For a poison, error pointer or NULL: how far from its base the address lies.
    pub offset: Option<i64>,
}

impl AddressClass {
    /// The contract's word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.region.word()
    }
}

/// Where `addr` lies on a machine of `arch`.
#[must_use]
pub fn classify_address(arch: Arch, addr: u64, context: &AddressContext) -> AddressClass {
    let _ = (arch, addr, context);
    AddressClass {
        region: Region::KernelOther,
        name: Prose::verbatim(""),
        reason: Prose::verbatim(""),
        grade: Grade::Possible,
        offset: None,
    }
}

/// ARM64 prints fault addresses through `untagged_addr`: bit 55 = 0 clears bits 63:56
/// (sign-extension from bit 55, for user-half addresses only).
#[must_use]
pub fn untag_for_print(addr: u64) -> u64 {
    if addr & (1 << 55) == 0 { addr & ((1 << 56) - 1) } else { addr }
}

/// Whether `printed`, an ARM64 fault address as printed, may have lost its top byte: then any
/// of the 256 values of bits 63:56 would have been printed the same.
#[must_use]
pub fn may_have_lost_top_byte(printed: u64) -> bool {
    printed & (1 << 55) == 0 && printed >> 56 == 0
}

/// Whether the pointer `value` used as an address would be printed as `printed` on `arch`.
#[must_use]
pub fn prints_as(arch: Arch, value: u64, printed: u64) -> bool {
    match arch {
        Arch::Arm64 => value == printed || untag_for_print(value) == printed,
        _ => value == printed,
    }
}

/// What an ARM64 `swapper pgtable: 4k pages, 48-bit VAs, pgdp=…` line proves: (page size in bytes, VA bits).
#[must_use]
pub fn parse_pgtable_line(line: &str) -> Option<(u64, u8)> {
    let (before, after) = line.split_once("k pages, ")?;
    let pages: u64 = before.rsplit(' ').next()?.parse().ok()?;
    let bits: u8 = after.split_once("-bit VAs")?.0.parse().ok()?;
    Some((pages.checked_mul(1024)?, bits))
}

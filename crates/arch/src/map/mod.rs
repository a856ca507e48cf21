//! The kernel's address-space map: which region an address lies in, and how that is known.

mod arm64;
mod context;
mod others;
mod poison;
mod x86;

#[cfg(test)]
mod tests;

use crate::decoded::Grade;
use crate::errno::error_pointer;
use crate::layout::says;
use kwhy_base::catalogue::arch as m;
use kwhy_base::{Arch, Prose, prose};

pub(crate) use arm64::failed_authentication;
pub use arm64::{
    Layout, layout as arm64_layout, may_have_lost_top_byte, parse_pgtable_line, untag_for_print,
};
pub use context::{AddressContext, KernelNote};
pub(crate) use context::{distance, hex};
pub use poison::{Poison, PoisonKind, poison};
pub(crate) use poison::{kasan_shadow_of, signed_hex};
pub use x86::va_bits_of_cr4;

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

    /// Whether the kernel keeps code or data there that a valid pointer can point to.
    #[must_use]
    pub fn is_kernel(self) -> bool {
        matches!(
            self,
            Region::LinearMap
                | Region::Vmalloc
                | Region::KernelText
                | Region::KernelData
                | Region::Module
                | Region::Vmemmap
                | Region::Fixmap
        )
    }
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
///
/// The order matters: a poison wins over the region it happens to lie in, because addresses are
/// hardly ever that regular by chance; what the kernel itself said of the address wins over the map.
#[must_use]
pub fn classify_address(arch: Arch, addr: u64, context: &AddressContext) -> AddressClass {
    if let Some(found) = special(arch, addr) {
        return found;
    }
    let noted = context.noted.filter(|(noted, _)| *noted == addr).and_then(|(_, note)| arm64::by_note(note));
    if let Some(found) = noted {
        return found;
    }
    match arch {
        Arch::X86_64 => x86::classify(addr, context),
        Arch::Arm64 => arm64::classify(addr, context),
        _ => others::classify(arch, addr, context),
    }
}

/// The values that mean something wherever the regions are.
fn special(arch: Arch, addr: u64) -> Option<AddressClass> {
    let class = |region, name, reason, grade, offset| {
        Some(AddressClass { region, name, reason, grade, offset: Some(offset) })
    };
    match addr {
        0 => return class(Region::Null, says(&m::NULL), says(&m::WHY_NULL), Grade::Proved, 0),
        1..0x1000 => {
            let name = prose!(m::NEAR_NULL, offset = hex(addr));
            let reason = prose!(m::WHY_NEAR_NULL, offset = hex(addr));
            return class(Region::NearNull, name, reason, Grade::Proved, addr as i64);
        }
        _ => {}
    }
    if let Some(n) = error_pointer(others::widened(arch, addr)) {
        let name = Prose::verbatim(format!("ERR_PTR(-{n})"));
        let reason = prose!(m::WHY_ERROR_POINTER, number = format_args!("-{n}"));
        return class(Region::ErrorPointer, name, reason, Grade::Proved, (n as i64).wrapping_neg());
    }
    if let Some(found) = poison(arch, addr).filter(|p| p.kind != PoisonKind::Magic && p.base >> 32 != 0) {
        let name = if found.offset == 0 {
            Prose::verbatim(found.name)
        } else {
            Prose::verbatim(format!("{}{}", found.name, signed_hex(found.offset)))
        };
        let mut reason = if found.offset == 0 {
            prose!(m::WHY_POISON_EXACT, base = found.name, meaning = found.meaning)
        } else {
            prose!(
                m::WHY_POISON,
                base = found.name,
                offset = signed_hex(found.offset),
                meaning = found.meaning
            )
        };
        if let Some(byte) = found.lost_top_byte {
            let untagged =
                prose!(m::WHY_POISON_UNTAGGED, byte = format_args!("{byte:#x}"), base = found.name);
            reason = Prose::Sequence(vec![untagged, reason]);
        }
        let grade = if found.lost_top_byte.is_some() { Grade::Likely } else { Grade::Proved };
        return class(Region::Poison, name, reason, grade, found.offset);
    }
    if let Some((shadowed, base)) = poison::kasan_shadow_of(arch, addr) {
        let name = prose!(m::KASAN_SHADOW_OF, address = hex(shadowed));
        let reason = prose!(m::KASAN_SHADOW_REASON, base = hex(base));
        return Some(AddressClass {
            region: Region::NonCanonical,
            name,
            reason,
            grade: if shadowed < 1 << 27 { Grade::Likely } else { Grade::Possible },
            offset: None,
        });
    }
    None
}

/// Whether the pointer `value` used as an address would be printed as `printed` on `arch`.
#[must_use]
pub fn prints_as(arch: Arch, value: u64, printed: u64) -> bool {
    match arch {
        Arch::Arm64 => value == printed || untag_for_print(value) == printed,
        _ => value == printed,
    }
}

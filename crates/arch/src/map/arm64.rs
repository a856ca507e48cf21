//! The address-space map of ARM64 (`Documentation/arch/arm64/memory.rst`, `asm/memory.h`).
//!
//! Two layouts are in use. Since the flip, the linear map is the lower half of the kernel's
//! addresses and modules, image, vmalloc and vmemmap the upper; before it, the other way round.
//! The width of addresses (39, 42, 47, 48, 52 bits…) is in the log's page-table line, or follows
//! from where kernel code is: it is never in the linear map.

use super::context::{by_evidence, class, distance, hex, near_image, on_stack};
use super::{AddressClass, AddressContext, KernelNote, Region};
use crate::decoded::Grade;
use crate::layout::says;
use kwhy_base::catalogue::arch as m;
use kwhy_base::prose::Message;
use kwhy_base::{Prose, prose};

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

/// What an ARM64 `swapper pgtable: 4k pages, 48-bit VAs, pgdp=…` line proves: (page size in bytes, VA bits).
#[must_use]
pub fn parse_pgtable_line(line: &str) -> Option<(u64, u8)> {
    let (before, after) = line.split_once("k pages, ")?;
    let pages: u64 = before.rsplit(' ').next()?.parse().ok()?;
    let bits: u8 = after.split_once("-bit VAs")?.0.parse().ok()?;
    (matches!(pages, 4 | 16 | 64) && (36..=52).contains(&bits)).then_some((pages * 1024, bits))
}

/// The layout a log shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The width of addresses, 36–52 bits.
    pub bits: u8,
    /// Whether the width is only assumed: then a 52-bit kernel cannot be excluded.
    pub assumed: bool,
    /// Whether the linear map is in the upper half, as before the flip.
    pub linear_high: bool,
    /// Whether which half is which is certain: kernel code was seen in one, or only one layout has
    /// addresses that wide. A stack alone is no proof, it may be in the linear map (no VMAP_STACK).
    halves_proved: bool,
    /// How it is known.
    evidence: Prose,
}

impl Layout {
    /// The first address of the kernel half.
    #[must_use]
    pub fn kernel_start(&self) -> u64 {
        minus_two_to(self.bits)
    }

    /// The middle, where the linear map ends (or, before the flip, starts). A kernel for 52 bits
    /// keeps it where 48 bits have it.
    #[must_use]
    pub fn middle(&self) -> u64 {
        minus_two_to(self.bits.min(48).saturating_sub(1))
    }
}

/// −2^n as an address.
fn minus_two_to(n: u8) -> u64 {
    1u64.checked_shl(u32::from(n)).map_or(0, u64::wrapping_neg)
}

/// What kernel code at `sample` says: (address bits, linear map in the upper half). Code is never in
/// the linear map: its leading ones are those of its half of the layout, and one to three more where
/// KASLR moved it (by an eighth to three eighths of the kernel's space).
fn by_code_address(sample: u64) -> Option<(u8, bool)> {
    Some(match sample.leading_ones() {
        16 => (48, true),
        17..=19 => (48, false),
        22 => (42, true),
        23..=24 => (42, false),
        25 => (39, true),
        26..=28 => (39, false),
        29..=31 => (36, false),
        _ => return None,
    })
}

/// The layout that the log shows or, failing that, the commonest.
#[must_use]
pub fn layout(context: &AddressContext) -> Layout {
    let code = context.image_start().or_else(|| context.text_samples.iter().copied().min());
    let from_code = code.and_then(by_code_address);
    let stack = context.stack_pointer.filter(|sp| sp >> 63 == 1);
    // Kernel stacks are vmalloced, beside the code.
    let from_stack = stack.and_then(by_code_address);
    let linear_high = from_code.or(from_stack).is_some_and(|(_, high)| high);
    if let Some(bits) = context.va_bits.filter(|bits| (36..=52).contains(bits)) {
        return Layout {
            bits,
            assumed: false,
            linear_high: linear_high && bits <= 48,
            halves_proved: from_code.is_some() || bits > 48,
            evidence: prose!(m::EVIDENCE_PGTABLE_LINE, bits = bits),
        };
    }
    match (from_code, from_stack) {
        (Some((bits, linear_high)), _) => {
            let evidence = prose!(m::EVIDENCE_TEXT_AT, sample = hex(code.unwrap_or_default()));
            Layout { bits, assumed: bits == 48, linear_high, halves_proved: true, evidence }
        }
        (None, Some((bits, linear_high))) => {
            let evidence = prose!(m::EVIDENCE_SP_AT, sample = hex(stack.unwrap_or_default()));
            Layout { bits, assumed: bits == 48, linear_high, halves_proved: false, evidence }
        }
        (None, None) => Layout {
            bits: 48,
            assumed: true,
            linear_high: false,
            halves_proved: false,
            evidence: says(&m::EVIDENCE_ASSUMED),
        },
    }
}

/// Where `addr` lies, special values already excluded.
pub(super) fn classify(addr: u64, context: &AddressContext) -> AddressClass {
    let layout = layout(context);
    if addr & (1 << 55) == 0 {
        return user_half(addr, &layout);
    }
    if let Some((pointer, key)) = failed_authentication(addr, &layout) {
        let reason =
            prose!(m::WHY_ARM64_AUTH_FAILED, tag = hex(addr >> 56), key = key, pointer = hex(pointer));
        return class(Region::NonCanonical, says(&m::GAP), reason, Grade::Likely);
    }
    if addr >> 56 != 0xff {
        let reason = prose!(m::WHY_ARM64_TOP_BYTE, tag = hex(addr >> 56));
        return class(Region::NonCanonical, says(&m::GAP), reason, Grade::Likely);
    }
    if addr < layout.kernel_start() {
        // A kernel that can use 52 bits has its linear map there.
        if layout.assumed && addr >= minus_two_to(52) {
            return class(Region::NonCanonical, says(&m::GAP), says(&m::WHY_ARM64_GAP_OR_52), Grade::Likely);
        }
        let reason = prose!(m::WHY_ARM64_GAP, start = hex(layout.kernel_start()), bits = layout.bits);
        return class(Region::NonCanonical, says(&m::GAP), reason, Grade::Proved);
    }
    if let Some(found) = by_evidence(addr, context) {
        return found;
    }
    let in_linear_map = if layout.linear_high { addr >= layout.middle() } else { addr < layout.middle() };
    let mut found = if in_linear_map {
        let grade = if layout.halves_proved && !layout.assumed { Grade::Proved } else { Grade::Likely };
        class(Region::LinearMap, says(&m::LINEAR_MAP), why(&layout), grade)
    } else if layout.linear_high {
        lower_half_before_the_flip(addr, context, &layout)
    } else {
        upper_half(addr, context, &layout)
    };
    if let Some((name, reason)) = on_stack(addr, context) {
        found.name = name;
        found.reason = Prose::Sequence(vec![reason, found.reason]);
        found.grade = found.grade.min(Grade::Likely);
    }
    found
}

/// The kernel pointer and the key, where `addr` is what a failed AUT instruction leaves of it (Arm ARM,
/// pseudocode Auth()): the error code, 0b01 for an A key and 0b10 for a B key, in bits 62:61, all other
/// bits of the extension restored.
pub(crate) fn failed_authentication(addr: u64, layout: &Layout) -> Option<(u64, &'static str)> {
    let key = match addr >> 56 {
        0xbf => "A",
        0xdf => "B",
        _ => return None,
    };
    let pointer = addr | 0xff << 56;
    (pointer >= layout.kernel_start()).then_some((pointer, key))
}

fn why(layout: &Layout) -> Prose {
    let evidence = layout.evidence.clone();
    if layout.linear_high {
        prose!(m::WHY_ARM64_OLD_LAYOUT, bits = layout.bits, evidence = evidence)
    } else {
        prose!(m::WHY_ARM64_LAYOUT, bits = layout.bits, evidence = evidence)
    }
}

/// Bit 55 clear: TTBR0 translates it and, as Linux sets TCR_EL1.TBI0, ignores the top byte.
fn user_half(addr: u64, layout: &Layout) -> AddressClass {
    let rest = untag_for_print(addr);
    let tag = addr >> 56;
    let limit = 1u64 << layout.bits;
    if rest < limit {
        if tag == 0 {
            let reason = prose!(m::WHY_ARM64_USER, limit = hex(limit), bits = layout.bits);
            return class(Region::User, says(&m::USER_SPACE), reason, Grade::Proved);
        }
        let reason = prose!(m::WHY_ARM64_USER_TAG, limit = hex(limit));
        return class(Region::User, prose!(m::USER_TAGGED, tag = hex(tag)), reason, Grade::Proved);
    }
    if layout.assumed && rest < 1 << 52 {
        return class(Region::NonCanonical, says(&m::GAP), says(&m::WHY_ARM64_GAP_OR_52), Grade::Likely);
    }
    let reason = if tag == 0 {
        prose!(m::WHY_ARM64_GAP, start = hex(layout.kernel_start()), bits = layout.bits)
    } else {
        prose!(m::WHY_ARM64_GAP_TAG, rest = hex(rest), limit = hex(limit))
    };
    class(Region::NonCanonical, says(&m::GAP), reason, Grade::Proved)
}

/// Modules, image, vmalloc, fixed mappings, vmemmap: the upper half since the flip.
fn upper_half(addr: u64, context: &AddressContext, layout: &Layout) -> AddressClass {
    let of = |region, name: &'static Message, reason, grade| class(region, says(name), reason, grade);
    // struct page is 64 bytes: one for every page of the linear map.
    let page_shift =
        context.page_size.filter(|size| size.is_power_of_two()).map_or(12, u64::trailing_zeros) as u8;
    let shift = page_shift.saturating_sub(6);
    let vmemmap_early = minus_two_to(layout.bits.saturating_sub(shift));
    let linear_size = layout.middle().wrapping_sub(layout.kernel_start());
    let vmemmap_late = (linear_size >> shift).wrapping_neg().wrapping_sub(1 << 30);
    if addr >= 0xffff_ffff_c000_0000 {
        return of(Region::Fixmap, &m::PCI_IO, why(layout), Grade::Possible);
    }
    if addr >= vmemmap_early.min(vmemmap_late) {
        let grade = if addr >= vmemmap_early.max(vmemmap_late) { Grade::Likely } else { Grade::Possible };
        return of(Region::Vmemmap, &m::VMEMMAP, says(&m::WHY_ARM64_VERSIONS), grade);
    }
    if vmemmap_early.wrapping_sub(addr) <= 256 << 20 {
        return of(Region::Fixmap, &m::PCI_IO, why(layout), Grade::Possible);
    }
    if let Some(found) = near_image(addr, context) {
        return found;
    }
    if addr - layout.middle() < module_area(context, layout) {
        return of(Region::Module, &m::MODULES, why(layout), Grade::Likely);
    }
    // With KASLR modules are near the image instead, within reach of a branch or of its veneers.
    let image = context.image_start().or_else(|| context.text_samples.iter().copied().min());
    let moved = context.kernel_offset != Some(0);
    if let Some(image) =
        image.filter(|image| moved && image.abs_diff(addr) < 2 << 30 && !is_on_stack(addr, context))
    {
        let reason = prose!(m::WHY_ARM64_NEAR_IMAGE, sample = hex(image));
        return of(Region::Module, &m::MODULES, reason, Grade::Likely);
    }
    let neighbour = context.module_samples.iter().map(|(_, sample)| *sample).min_by_key(|s| s.abs_diff(addr));
    if let Some(sample) =
        neighbour.filter(|s| moved && s.abs_diff(addr) < 128 << 20 && !is_on_stack(addr, context))
    {
        let reason = prose!(m::WHY_MODULES_NEARBY, distance = distance(addr, sample), sample = hex(sample));
        return of(Region::Module, &m::MODULES, reason, Grade::Possible);
    }
    let low_stack =
        context.stack_pointer.filter(|sp| *sp >= layout.middle() && *sp - layout.middle() < FILLED);
    if let Some(sp) = low_stack.filter(|_| image.is_none() && moved && addr - layout.middle() > FILLED) {
        let reason = prose!(m::WHY_ARM64_FAR_ABOVE, distance = distance(addr, sp), sp = hex(sp));
        return of(Region::KernelOther, &m::IMAGE_OR_MODULE, reason, Grade::Likely);
    }
    let known = context.va_bits.is_some() && image.is_some() || low_stack.is_some();
    let grade = if known { Grade::Likely } else { Grade::Possible };
    of(Region::Vmalloc, &m::VMALLOC, why(layout), grade)
}

/// More than any machine vmallocs from the start of the area, and far less than KASLR moves the image.
const FILLED: u64 = 1 << 40;

/// How large the module area at the start of the upper half is, in bytes: 128 MiB, 256 MiB (with
/// BPF's code before it) or 2 GiB, in the order of kernel generations. The image is linked just behind it,
/// and the vmalloc area, filled from its start with kernel stacks among others, begins there.
fn module_area(context: &AddressContext, layout: &Layout) -> u64 {
    const SIZES: [u64; 3] = [2 << 30, 256 << 20, 128 << 20];
    let linked = context.kernel_base.map(|base| base.wrapping_sub(layout.middle()));
    if let Some(size) = linked.filter(|size| SIZES.contains(size)) {
        return size;
    }
    let behind = context.stack_pointer.map(|sp| sp.wrapping_sub(layout.middle()));
    let found =
        behind.and_then(|offset| SIZES.into_iter().find(|size| offset >= *size && offset - size < 4 << 30));
    found.unwrap_or(128 << 20)
}

fn is_on_stack(addr: u64, context: &AddressContext) -> bool {
    on_stack(addr, context).is_some()
}

/// The lower half before the flip: modules, then vmalloc with the image in it, then vmemmap.
fn lower_half_before_the_flip(addr: u64, context: &AddressContext, layout: &Layout) -> AddressClass {
    let of = |region, name: &'static Message, grade| class(region, says(name), why(layout), grade);
    if let Some(found) = near_image(addr, context) {
        return found;
    }
    let linear_size = layout.middle().wrapping_neg();
    if layout.middle() - addr <= linear_size >> 6 {
        return of(Region::Vmemmap, &m::VMEMMAP, Grade::Likely);
    }
    if addr - layout.kernel_start() < 128 << 20 {
        return of(Region::Module, &m::MODULES, Grade::Likely);
    }
    of(Region::Vmalloc, &m::VMALLOC, Grade::Possible)
}

/// What the kernel's own words about the address leave no doubt of, if anything.
pub(super) fn by_note(note: KernelNote) -> Option<AddressClass> {
    match note {
        KernelNote::Gap => {
            Some(class(Region::NonCanonical, says(&m::GAP), says(&m::WHY_KERNEL_SAYS_GAP), Grade::Proved))
        }
        KernelNote::NonCanonical => Some(class(
            Region::NonCanonical,
            says(&m::NON_CANONICAL),
            says(&m::WHY_KERNEL_SAYS_NON_CANONICAL),
            Grade::Proved,
        )),
        KernelNote::User => {
            Some(class(Region::User, says(&m::USER_SPACE), says(&m::WHY_KERNEL_SAYS_USER), Grade::Proved))
        }
        KernelNote::Kernel => None,
    }
}

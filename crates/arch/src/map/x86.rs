//! The address-space map of x86-64 (`Documentation/arch/x86/x86_64/mm.rst`, `arch/x86/mm/kaslr.c`).
//!
//! Everything from 0xfffffc0000000000 up never moves. Below, the linear map, the vmalloc area and
//! vmemmap are moved by KASLR (CONFIG_RANDOMIZE_MEMORY) but keep their order, so there neighbours
//! decide: the kernel's GS base is per-cpu memory, in the linear map, and the stack pointer is in
//! the vmalloc area (CONFIG_VMAP_STACK).

use super::context::{by_evidence, class, distance, hex, near_image, on_stack};
use super::{AddressClass, AddressContext, Region};
use crate::decoded::Grade;
use crate::layout::says;
use kwhy_base::catalogue::arch as m;
use kwhy_base::prose::Message;
use kwhy_base::{Prose, prose};

/// CR4.LA57: five-level page tables, 57-bit addresses.
#[must_use]
pub fn va_bits_of_cr4(cr4: u64) -> u8 {
    if cr4 & (1 << 12) != 0 { 57 } else { 48 }
}

/// (first address, region, name); each runs to the next.
type Map = &'static [(u64, Region, &'static Message)];

/// The part that never moves.
static TOP: Map = &[
    (0xffff_fc00_0000_0000, Region::KernelOther, &m::KERNEL_HOLE),
    (0xffff_fe00_0000_0000, Region::KernelOther, &m::CPU_ENTRY_AREA),
    (0xffff_fe80_0000_0000, Region::KernelOther, &m::KERNEL_HOLE),
    (0xffff_ff00_0000_0000, Region::KernelOther, &m::ESPFIX),
    (0xffff_ff80_0000_0000, Region::KernelOther, &m::KERNEL_HOLE),
    (0xffff_ffef_0000_0000, Region::KernelOther, &m::EFI_REGION),
    (0xffff_ffff_0000_0000, Region::KernelOther, &m::KERNEL_HOLE),
    (0xffff_ffff_8000_0000, Region::KernelData, &m::KERNEL_IMAGE),
    (0xffff_ffff_a000_0000, Region::Module, &m::MODULES),
    (0xffff_ffff_ff00_0000, Region::Fixmap, &m::FIXMAP),
    (0xffff_ffff_ff60_0000, Region::User, &m::VSYSCALL),
    (0xffff_ffff_ff60_1000, Region::Fixmap, &m::FIXMAP),
    (0xffff_ffff_ffe0_0000, Region::KernelOther, &m::KERNEL_HOLE),
];

/// Four-level page tables without KASLR.
static FOUR_LEVELS: Map = &[
    (0xffff_8000_0000_0000, Region::KernelOther, &m::HYPERVISOR_HOLE),
    (0xffff_8800_0000_0000, Region::KernelOther, &m::LDT_REMAP),
    (0xffff_8880_0000_0000, Region::LinearMap, &m::LINEAR_MAP),
    (0xffff_c880_0000_0000, Region::KernelOther, &m::KERNEL_HOLE),
    (0xffff_c900_0000_0000, Region::Vmalloc, &m::VMALLOC),
    (0xffff_e900_0000_0000, Region::KernelOther, &m::KERNEL_HOLE),
    (0xffff_ea00_0000_0000, Region::Vmemmap, &m::VMEMMAP),
    (0xffff_eb00_0000_0000, Region::KernelOther, &m::KERNEL_HOLE),
    (0xffff_ec00_0000_0000, Region::KernelOther, &m::KASAN_SHADOW_AREA),
];

/// Five-level page tables without KASLR.
static FIVE_LEVELS: Map = &[
    (0xff00_0000_0000_0000, Region::KernelOther, &m::HYPERVISOR_HOLE),
    (0xff10_0000_0000_0000, Region::KernelOther, &m::LDT_REMAP),
    (0xff11_0000_0000_0000, Region::LinearMap, &m::LINEAR_MAP),
    (0xff91_0000_0000_0000, Region::KernelOther, &m::KERNEL_HOLE),
    (0xffa0_0000_0000_0000, Region::Vmalloc, &m::VMALLOC),
    (0xffd2_0000_0000_0000, Region::KernelOther, &m::KERNEL_HOLE),
    (0xffd4_0000_0000_0000, Region::Vmemmap, &m::VMEMMAP),
    (0xffd6_0000_0000_0000, Region::KernelOther, &m::KERNEL_HOLE),
    (0xffdf_0000_0000_0000, Region::KernelOther, &m::KASAN_SHADOW_AREA),
];

/// What distinguishes four from five levels of page tables.
struct Paging {
    levels: u8,
    bits: u8,
    /// Whether the log proves it.
    known: bool,
    map: Map,
    linear_base: u64,
    vmalloc_base: u64,
    vmalloc_size: u64,
    /// The lowest place of the vmalloc area: the linear map is at least 10 TiB (the default of
    /// CONFIG_RANDOMIZE_MEMORY_PHYSICAL_PADDING).
    vmalloc_lowest: u64,
    /// Above it the linear map can hardly reach: a third of the free space, plus 16 TiB of memory.
    linear_highest: u64,
}

const FOUR: Paging = Paging {
    levels: 4,
    bits: 48,
    known: true,
    map: FOUR_LEVELS,
    linear_base: 0xffff_8880_0000_0000,
    vmalloc_base: 0xffff_c900_0000_0000,
    vmalloc_size: 32 << 40,
    vmalloc_lowest: 0xffff_9280_0000_0000,
    linear_highest: 0xffff_b200_0000_0000,
};

const FIVE: Paging = Paging {
    levels: 5,
    bits: 57,
    known: true,
    map: FIVE_LEVELS,
    linear_base: 0xff11_0000_0000_0000,
    vmalloc_base: 0xffa0_0000_0000_0000,
    vmalloc_size: 12_800 << 40,
    vmalloc_lowest: 0xff11_0a00_0000_0000,
    linear_highest: 0xff22_0000_0000_0000,
};

/// Four or five levels: by CR4, else by where per-cpu memory or the stack is, else four.
fn paging(context: &AddressContext) -> Paging {
    match context.va_bits {
        Some(57) => return FIVE,
        Some(48) => return FOUR,
        _ => {}
    }
    let five = |addr: &u64| (0xff00_0000_0000_0000..0xffff_8000_0000_0000).contains(addr);
    let four = |addr: &u64| (0xffff_8000_0000_0000..0xffff_fc00_0000_0000).contains(addr);
    let mut samples = context.linear_samples.iter().copied().chain(context.stack_pointer);
    if samples.clone().any(|addr| five(&addr)) {
        return FIVE;
    }
    Paging { known: samples.any(|addr| four(&addr)), ..FOUR }
}

fn region_of(map: Map, addr: u64) -> Option<(Region, &'static Message)> {
    map.iter().rev().find(|(start, ..)| *start <= addr).map(|(_, region, name)| (*region, *name))
}

/// Where `addr` lies, special values already excluded.
pub(super) fn classify(addr: u64, context: &AddressContext) -> AddressClass {
    let paging = paging(context);
    if let Some(found) = outside_the_kernel(addr, &paging) {
        return found;
    }
    if let Some(found) = by_evidence(addr, context) {
        return found;
    }
    if addr >= 0xffff_fc00_0000_0000 {
        return in_the_fixed_part(addr, context, &paging);
    }
    let mut found = in_the_moving_part(addr, context, &paging);
    if let Some((name, reason)) = on_stack(addr, context) {
        found.name = name;
        found.reason = Prose::Sequence(vec![reason, found.reason]);
        found.grade = found.grade.min(Grade::Likely);
    }
    found
}

/// The user half and the non-canonical hole.
fn outside_the_kernel(addr: u64, paging: &Paging) -> Option<AddressClass> {
    let top = 64 - u32::from(paging.bits);
    let ones = addr.leading_ones();
    let zeros = addr.leading_zeros();
    if zeros > top {
        let limit = hex(1u64 << (paging.bits - 1));
        let reason = prose!(m::WHY_X86_USER, limit = limit, bits = paging.bits);
        return Some(class(Region::User, says(&m::USER_SPACE), reason, Grade::Proved));
    }
    if ones > top {
        return None;
    }
    // In five levels bits 63:56 decide, in four 63:47.
    if !paging.known && (zeros > 7 || ones > 7) {
        let reason = says(&m::WHY_X86_LEVELS_UNKNOWN);
        return Some(class(Region::NonCanonical, says(&m::NON_CANONICAL), reason, Grade::Likely));
    }
    let reason = prose!(m::WHY_X86_NON_CANONICAL, bit = paging.bits - 1, bits = paging.bits);
    Some(class(Region::NonCanonical, says(&m::NON_CANONICAL), reason, Grade::Proved))
}

fn in_the_fixed_part(addr: u64, context: &AddressContext, paging: &Paging) -> AddressClass {
    let (mut region, mut name) = region_of(TOP, addr).unwrap_or((Region::KernelOther, &m::KERNEL_HALF));
    // KASLR gives the image 1 GiB, and then modules start at 0xffffffffc0000000; without it the
    // image has 512 MiB. The image ends where modules start: a code address or a known start beyond
    // 0xffffffffa0000000 shows which.
    let wide = context.kernel_offset.is_some_and(|offset| offset != 0)
        || context.text_samples.iter().any(|s| (0xffff_ffff_a000_0000..0xffff_ffff_c000_0000).contains(s))
        || context.module_samples.iter().any(|(_, s)| *s >= 0xffff_ffff_c000_0000);
    if wide && (0xffff_ffff_a000_0000..0xffff_ffff_c000_0000).contains(&addr) {
        (region, name) = (Region::KernelData, &m::KERNEL_IMAGE);
    }
    if let Some(start) = context.image_start().filter(|start| region == Region::KernelData && addr < *start) {
        let reason = prose!(m::WHY_BELOW_IMAGE, start = hex(start));
        return class(Region::KernelOther, says(&m::KERNEL_HOLE), reason, Grade::Likely);
    }
    match region {
        Region::KernelData => near_image(addr, context).unwrap_or_else(|| {
            class(Region::KernelText, says(name), says(&m::WHY_X86_TEXT_MAP), Grade::Possible)
        }),
        Region::Module => class(region, says(name), says(&m::WHY_X86_MODULES), Grade::Likely),
        _ => class(region, says(name), prose!(m::WHY_X86_FIXED, levels = paging.levels), Grade::Proved),
    }
}

/// How near to a known inhabitant of a region an address must be to be taken for another one.
const NEIGHBOURHOOD: u64 = 64 << 30;

fn in_the_moving_part(addr: u64, context: &AddressContext, paging: &Paging) -> AddressClass {
    let of = |region, name: &'static Message, reason, grade| class(region, says(name), reason, grade);
    let linear = context
        .linear_samples
        .iter()
        .copied()
        .filter(|s| (paging.linear_base..0xffff_fc00_0000_0000).contains(s));
    let linear: Vec<u64> = linear.collect();
    let vmalloc_stack =
        context.stack_pointer.filter(|sp| (paging.vmalloc_lowest..0xffff_fc00_0000_0000).contains(sp));
    if let Some(evidence) = no_kaslr(context, paging, &linear, vmalloc_stack) {
        let (region, name) = region_of(paging.map, addr).unwrap_or((Region::KernelOther, &m::KERNEL_HALF));
        let grade = if context.kernel_offset == Some(0) { Grade::Proved } else { Grade::Likely };
        let reason = prose!(m::WHY_X86_NO_KASLR, levels = paging.levels, evidence = evidence);
        return of(region, name, reason, grade);
    }
    if addr < paging.linear_base {
        let (region, name) = region_of(paging.map, addr).unwrap_or((Region::KernelOther, &m::KERNEL_HALF));
        return of(region, name, prose!(m::WHY_X86_FIXED, levels = paging.levels), Grade::Likely);
    }
    let nearest = linear.iter().copied().min_by_key(|sample| sample.abs_diff(addr));
    if let Some(sample) = nearest.filter(|sample| sample.abs_diff(addr) < NEIGHBOURHOOD) {
        let reason = prose!(m::WHY_X86_NEAR_LINEAR, distance = distance(addr, sample), sample = hex(sample));
        return of(Region::LinearMap, &m::LINEAR_MAP, reason, Grade::Likely);
    }
    if let Some(sample) = linear.iter().copied().max().filter(|sample| addr < *sample) {
        let reason = prose!(m::WHY_X86_BELOW_LINEAR, sample = hex(sample));
        return of(Region::LinearMap, &m::LINEAR_MAP, reason, Grade::Likely);
    }
    if let Some(sp) = vmalloc_stack.filter(|sp| linear.iter().all(|l| l.abs_diff(*sp) >= NEIGHBOURHOOD)) {
        // The stack is somewhere in the vmalloc area; on small machines near its start.
        if addr >= sp && addr - sp >= paging.vmalloc_size {
            let reason = prose!(m::WHY_X86_ABOVE_VMALLOC, sample = hex(sp));
            return of(Region::Vmemmap, &m::VMEMMAP, reason, Grade::Likely);
        }
        if addr.abs_diff(sp) < NEIGHBOURHOOD {
            let reason = prose!(m::WHY_X86_NEAR_STACK, distance = distance(addr, sp), sample = hex(sp));
            return of(Region::Vmalloc, &m::VMALLOC, reason, Grade::Likely);
        }
        if addr > sp {
            let reason = prose!(m::WHY_X86_NEAR_STACK, distance = distance(addr, sp), sample = hex(sp));
            return of(Region::Vmalloc, &m::VMALLOC, reason, Grade::Possible);
        }
        if !linear.is_empty() {
            return of(Region::LinearMap, &m::LINEAR_MAP, says(&m::WHY_X86_BETWEEN), Grade::Possible);
        }
    }
    by_height(addr, paging)
}

/// Whether the moving regions are where they are without KASLR, and how that is known.
fn no_kaslr(context: &AddressContext, paging: &Paging, linear: &[u64], stack: Option<u64>) -> Option<Prose> {
    if context.kernel_offset == Some(0) {
        return Some(says(&m::EVIDENCE_NO_KASLR));
    }
    // With KASAN the image may move while the regions stay; then both lie just above their fixed bases.
    let near_base = |addr: u64, base: u64| addr >= base && addr - base < NEIGHBOURHOOD;
    let both = linear.iter().any(|sample| near_base(*sample, paging.linear_base))
        && stack.is_some_and(|sp| near_base(sp, paging.vmalloc_base));
    both.then(|| says(&m::EVIDENCE_BASES))
}

/// With no neighbour to go by: what is most likely at that height under KASLR.
fn by_height(addr: u64, paging: &Paging) -> AddressClass {
    let (region, name, grade) = if addr < paging.vmalloc_lowest {
        (Region::LinearMap, &m::LINEAR_MAP, Grade::Likely)
    } else if addr < paging.linear_highest {
        (Region::LinearMap, &m::LINEAR_MAP, Grade::Possible)
    } else if addr < region_start(paging.map, Region::Vmemmap) {
        (Region::Vmalloc, &m::VMALLOC, Grade::Possible)
    } else {
        (Region::Vmemmap, &m::VMEMMAP, Grade::Possible)
    };
    class(region, says(name), says(&m::WHY_X86_ORDER), grade)
}

fn region_start(map: Map, region: Region) -> u64 {
    map.iter().find(|(_, r, _)| *r == region).map_or(u64::MAX, |(start, ..)| *start)
}

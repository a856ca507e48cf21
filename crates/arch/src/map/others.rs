//! The address-space maps of the CPUs besides x86-64 and ARM64, as far as they are fixed by the
//! architecture or documented; the rest of the kernel's half is `kernel-other`.

use super::context::{by_evidence, class};
use super::{AddressClass, AddressContext, Region};
use crate::decoded::Grade;
use crate::layout::says;
use kwhy_base::Arch;
use kwhy_base::catalogue::{arch as m, arch_cpus as c};
use kwhy_base::prose::Message;

/// (first address, region, name, how it is known, how sure); each runs to the next.
type Map = &'static [(u64, Region, &'static Message, &'static Message, Grade)];

/// Documentation/arm/memory.rst. The split is a choice of configuration (CONFIG_VMSPLIT_3G is the
/// default); modules stand in the 16 MiB below it.
const ARM: Map = &[
    (0, Region::User, &m::USER_SPACE, &c::WHY_DEFAULT_SPLIT, Grade::Likely),
    (0xbf00_0000, Region::Module, &m::MODULES, &c::WHY_DEFAULT_SPLIT, Grade::Likely),
    (0xc000_0000, Region::KernelOther, &m::KERNEL_HALF, &c::WHY_DEFAULT_SPLIT, Grade::Likely),
    (0xffc8_0000, Region::Fixmap, &m::FIXMAP, &c::WHY_ARM_FIXMAP, Grade::Likely),
    (0xfff0_0000, Region::KernelOther, &m::KERNEL_HALF, &c::WHY_DEFAULT_SPLIT, Grade::Likely),
];

/// i386 (CONFIG_VMSPLIT_3G), 32-bit PowerPC and RISC-V (PAGE_OFFSET of their default configurations).
const SPLIT_AT_3G: Map = &[
    (0, Region::User, &m::USER_SPACE, &c::WHY_DEFAULT_SPLIT, Grade::Likely),
    (0xc000_0000, Region::KernelOther, &m::KERNEL_HALF, &c::WHY_DEFAULT_SPLIT, Grade::Likely),
];

/// Documentation/riscv/vm-layout.rst. Where the kernel half begins depends on the paging mode; its
/// last 4 GiB do not. No mode translates what Sv57 does not.
const RISCV64: Map = &[
    (0, Region::User, &m::USER_SPACE, &c::WHY_RISCV_MODES, Grade::Likely),
    (1 << 56, Region::NonCanonical, &m::NON_CANONICAL, &c::WHY_RISCV_SV57, Grade::Proved),
    (0xff00_0000_0000_0000, Region::KernelOther, &m::KERNEL_HALF, &c::WHY_RISCV_MODES, Grade::Likely),
    (0xffff_ffff_0000_0000, Region::Module, &m::MODULES, &c::WHY_RISCV_TOP, Grade::Likely),
    (0xffff_ffff_8000_0000, Region::KernelData, &m::KERNEL_IMAGE, &c::WHY_RISCV_TOP, Grade::Likely),
];

/// asm/book3s/64/radix.h and hash.h with 64 KiB pages; with 4 KiB pages the parts of 0xc… are smaller.
const PPC64: Map = &[
    (0, Region::User, &m::USER_SPACE, &c::WHY_PPC_QUADRANT, Grade::Likely),
    (1 << 60, Region::NonCanonical, &m::NON_CANONICAL, &c::WHY_PPC_QUADRANT, Grade::Likely),
    (0xc000_0000_0000_0000, Region::LinearMap, &m::LINEAR_MAP, &c::WHY_PPC_REGIONS, Grade::Possible),
    (0xc008_0000_0000_0000, Region::Vmalloc, &m::VMALLOC, &c::WHY_PPC_REGIONS, Grade::Possible),
    (0xc00a_0000_0000_0000, Region::KernelOther, &m::KERNEL_HALF, &c::WHY_PPC_REGIONS, Grade::Possible),
    (0xc00c_0000_0000_0000, Region::Vmemmap, &m::VMEMMAP, &c::WHY_PPC_REGIONS, Grade::Possible),
    (0xc00e_0000_0000_0000, Region::KernelOther, &m::KERNEL_HALF, &c::WHY_PPC_QUADRANT, Grade::Likely),
];

/// IBM Z: kernel and user have address spaces of their own, so the number alone tells nothing.
const S390X: Map = &[(0, Region::KernelOther, &m::KERNEL_HALF, &c::WHY_S390_SPACES, Grade::Possible)];

/// The direct mapping windows that the kernel sets up (asm/addrspace.h) and the page-mapped ends.
const LOONGARCH64: Map = &[
    (0, Region::User, &m::USER_SPACE, &c::WHY_LOONG_WINDOWS, Grade::Likely),
    (1 << 47, Region::NonCanonical, &m::NON_CANONICAL, &c::WHY_LOONG_WINDOWS, Grade::Likely),
    (0x8000_0000_0000_0000, Region::KernelOther, &m::KERNEL_HALF, &c::WHY_LOONG_WINDOWS, Grade::Likely),
    (0x9000_0000_0000_0000, Region::LinearMap, &c::LINEAR_OR_IMAGE, &c::WHY_LOONG_WINDOWS, Grade::Likely),
    (0x9001_0000_0000_0000, Region::NonCanonical, &m::NON_CANONICAL, &c::WHY_LOONG_WINDOWS, Grade::Possible),
    (0xa000_0000_0000_0000, Region::KernelOther, &m::KERNEL_HALF, &c::WHY_LOONG_WINDOWS, Grade::Possible),
    (0xffff_0000_0000_0000, Region::Vmalloc, &c::VMALLOC_OR_MODULES, &c::WHY_LOONG_WINDOWS, Grade::Possible),
];

/// The segments of the MIPS architecture (volume III, "Virtual Memory"; asm/addrspace.h).
const MIPS32: Map = &[
    (0, Region::User, &m::USER_SPACE, &c::WHY_MIPS_SEGMENTS, Grade::Proved),
    (0x8000_0000, Region::LinearMap, &c::LINEAR_OR_IMAGE, &c::WHY_MIPS_SEGMENTS, Grade::Proved),
    (0xa000_0000, Region::KernelOther, &c::UNCACHED, &c::WHY_MIPS_SEGMENTS, Grade::Proved),
    (0xc000_0000, Region::Vmalloc, &c::VMALLOC_OR_MODULES, &c::WHY_MIPS_SEGMENTS, Grade::Likely),
    (0xfe00_0000, Region::KernelOther, &m::KERNEL_HALF, &c::WHY_MIPS_SEGMENTS, Grade::Likely),
];

/// The same on 64 bits.
const MIPS64: Map = &[
    (0, Region::User, &m::USER_SPACE, &c::WHY_MIPS_SEGMENTS, Grade::Likely),
    (1 << 62, Region::NonCanonical, &m::NON_CANONICAL, &c::WHY_MIPS_SEGMENTS, Grade::Likely),
    (0x8000_0000_0000_0000, Region::LinearMap, &m::LINEAR_MAP, &c::WHY_MIPS_SEGMENTS, Grade::Likely),
    (0xc000_0000_0000_0000, Region::Vmalloc, &m::VMALLOC, &c::WHY_MIPS_SEGMENTS, Grade::Likely),
    (0xc001_0000_0000_0000, Region::NonCanonical, &m::NON_CANONICAL, &c::WHY_MIPS_SEGMENTS, Grade::Possible),
    (0xffff_ffff_8000_0000, Region::KernelData, &m::KERNEL_IMAGE, &c::WHY_MIPS_SEGMENTS, Grade::Likely),
    (0xffff_ffff_a000_0000, Region::KernelOther, &c::UNCACHED, &c::WHY_MIPS_SEGMENTS, Grade::Likely),
    (0xffff_ffff_c000_0000, Region::Module, &m::MODULES, &c::WHY_MIPS_SEGMENTS, Grade::Likely),
];

/// Whether `arch` has addresses of 32 bits; `None` for MIPS, which has both.
fn narrow(arch: Arch) -> Option<bool> {
    match crate::register_digits(arch) {
        [8] => Some(true),
        [16] => Some(false),
        _ => None,
    }
}

/// `addr` as the same CPU with 64 bits would have it, so that `-errno` is one number everywhere.
pub(super) fn widened(arch: Arch, addr: u64) -> u64 {
    // On 64-bit MIPS so small a number is a user's address, and no error pointer either way.
    if narrow(arch) != Some(false) && addr >> 32 == 0 && addr >> 31 == 1 { addr | !0xffff_ffff } else { addr }
}

/// Where `addr` lies, special values already excluded.
pub(super) fn classify(arch: Arch, addr: u64, context: &AddressContext) -> AddressClass {
    if let Some(found) = by_evidence(addr, context) {
        return found;
    }
    let map = match arch {
        Arch::Arm => ARM,
        Arch::Riscv64 => RISCV64,
        Arch::Ppc64 => PPC64,
        Arch::S390x => S390X,
        Arch::Loongarch64 => LOONGARCH64,
        // The stack pointer tells which of the two it is; without one the address's own size must do.
        Arch::Mips => match context.stack_pointer {
            Some(sp) if sp >> 32 != 0 => MIPS64,
            Some(_) => MIPS32,
            None if addr >> 32 != 0 => MIPS64,
            None => MIPS32,
        },
        _ => SPLIT_AT_3G,
    };
    let found = map.iter().rev().find(|(start, ..)| *start <= addr);
    match found {
        Some((_, region, name, why, grade)) => class(*region, says(name), says(why), *grade),
        None => class(Region::KernelOther, says(&m::KERNEL_HALF), says(&m::WHY_HALF_ONLY), Grade::Possible),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify_address;

    #[test]
    fn addresses_of_real_logs() {
        let word = |arch, addr| classify_address(arch, addr, &AddressContext::default()).word();
        for (arch, addr, expected) in [
            (Arch::I386, 0x18, "near-null"),
            (Arch::I386, 0x1000_0118, "user"),
            (Arch::I386, 0xf1ba_d0c8, "kernel-other"),
            (Arch::I386, 0xffff_fff4, "error-pointer"),
            (Arch::Arm, 0xbf01_0050, "module"),
            (Arch::Arm, 0xfb00_ba76, "kernel-other"),
            (Arch::Arm, 0xffff_f001, "error-pointer"),
            (Arch::Riscv64, 0xd0ba_d0ba_d0ba_d0e0, "non-canonical"),
            (Arch::Riscv64, 0xffff_ffff_01e9_5000, "module"),
            (Arch::Riscv64, 0xff20_0000_001e_fff8, "kernel-other"),
            (Arch::Riscv64, 0x1000_0130, "user"),
            (Arch::Ppc64, 0xc000_0000_0471_c300, "linear-map"),
            (Arch::Ppc64, 0xc008_0000_0031_00b4, "vmalloc"),
            (Arch::Ppc64, 0xd0ba_d0ba_d0ba_d0e0, "kernel-other"),
            (Arch::S390x, 0xa1_8000, "kernel-other"),
            (Arch::Loongarch64, 0x9000_0000_0020_0000, "linear-map"),
            (Arch::Mips, 0x8247_fdc8, "linear-map"),
            (Arch::Mips, 0xf0ba_d0c8, "vmalloc"),
            (Arch::Mips, 0xffff_ffff_c000_a0e4, "module"),
            (Arch::Mips, 0x9000_0000_04ad_3d10, "linear-map"),
            (Arch::Mips, 0xffff_fff4, "error-pointer"),
        ] {
            assert_eq!(word(arch, addr), expected, "{arch} {addr:#x}");
        }
        let wide = AddressContext { stack_pointer: Some(0x9000_0000_04ad_3d10), ..AddressContext::default() };
        assert_eq!(classify_address(Arch::Mips, 0x9000_0000, &wide).word(), "user");
    }

    #[test]
    fn maps_ascend_from_zero() {
        for map in [ARM, SPLIT_AT_3G, RISCV64, PPC64, S390X, LOONGARCH64, MIPS32, MIPS64] {
            assert_eq!(map.first().map(|part| part.0), Some(0));
            assert!(map.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }
}

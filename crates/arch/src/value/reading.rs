//! Readings of a value that is no pointer as it stands: page-table entries, physical addresses,
//! patterns. Each says only what the value could be.

use super::damage::near_vouched;
use crate::map::{AddressContext, arm64_layout, distance, hex};
use kwhy_base::catalogue::meaning as m;
use kwhy_base::{Arch, Prose, prose};

/// What `value` could be besides what [`super::classify_value`] calls it, the most telling first.
#[must_use]
pub fn readings(arch: Arch, value: u64, context: &AddressContext) -> Vec<Prose> {
    let mut found = Vec::new();
    // What points near known memory needs no other reading.
    if near_vouched(value, context, 1 << 30).is_some() {
        return found;
    }
    if let Some((frame, bits)) = page_table_entry(arch, value) {
        found.push(prose!(m::READ_PTE, frame = hex(frame), bits = bits.join(", ")));
    }
    if let Some((pointer, near)) = physical(arch, value, context) {
        found.push(prose!(
            m::READ_PHYSICAL,
            pointer = hex(pointer),
            distance = distance(pointer, near),
            near = hex(near)
        ));
    }
    found.extend(pattern(value));
    found
}

/// Whether `value` has the bits of a last-level page-table entry: the frame's physical address, and
/// the names of the bits. Only combinations that the kernel itself writes are taken.
#[must_use]
pub fn page_table_entry(arch: Arch, value: u64) -> Option<(u64, Vec<&'static str>)> {
    match arch {
        Arch::X86_64 => x86_entry(value),
        Arch::Arm64 => arm64_entry(value),
        _ => None,
    }
}

/// No frame below the first megabyte or above 64 TiB is worth the name.
fn plausible_frame(frame: u64) -> bool {
    (0x10_0000..1 << 46).contains(&frame)
}

/// SDM volume 3, table 4-20; the combinations are `arch/x86/include/asm/pgtable_types.h`'s
/// `PAGE_KERNEL` to `PAGE_READONLY`, with or without the soft-dirty bit (11).
fn x86_entry(value: u64) -> Option<(u64, Vec<&'static str>)> {
    let frame = value & 0x000f_ffff_ffff_f000;
    let no_execute = value >> 63 == 1;
    // Bits 52 to 62 are ignored or protection keys: the kernel leaves them 0 where there are none.
    if value >> 52 & 0x7ff != 0 || !plausible_frame(frame) {
        return None;
    }
    let low = value & 0x7ff;
    let known = match low {
        // Present, accessed and dirty, global or not, writable or not: the kernel's own.
        0x163 | 0x161 | 0x121 | 0x1e3 | 0x1e1 => true,
        // A user's page: present, user, accessed.
        0x025 | 0x027 | 0x065 | 0x067 => true,
        // The kernel's data without the global bit (page-table isolation).
        0x063 | 0x061 => no_execute,
        _ => false,
    };
    // Without the execute-never bit a small value is as well a number: only global ones are sure.
    if !known || !(no_execute || low & 0x100 != 0) {
        return None;
    }
    let names: [(u64, &'static str); 8] = [
        (1, "P"),
        (1 << 1, "RW"),
        (1 << 2, "US"),
        (1 << 5, "A"),
        (1 << 6, "D"),
        (1 << 7, "PS"),
        (1 << 8, "G"),
        (1 << 63, "NX"),
    ];
    Some((frame, names.iter().filter(|(bit, _)| value & bit != 0).map(|(_, name)| *name).collect()))
}

/// Arm ARM, D8.3 (VMSAv8-64 descriptors): valid, access flag, inner shareable, and never
/// executed by the kernel, as `PAGE_KERNEL` and `PAGE_SHARED` have them (asm/pgtable-prot.h).
fn arm64_entry(value: u64) -> Option<(u64, Vec<&'static str>)> {
    let frame = value & 0x0000_ffff_ffff_f000;
    let has = |bit: u32| value >> bit & 1 == 1;
    // A page's, which the kernel itself never executes.
    if !has(0) || !has(1) || !has(10) || !has(53) || value >> 8 & 3 != 3 || !plausible_frame(frame) {
        return None;
    }
    // Bits 63 to 59 are ignored or attributes that Linux leaves 0; 50 to 48 are reserved or guard
    // code, 5 is the other world's.
    if value >> 59 != 0 || value >> 48 & 7 != 0 || has(5) {
        return None;
    }
    let names: [(u32, &'static str); 8] =
        [(1, "page"), (6, "EL0"), (7, "RO"), (10, "AF"), (11, "nG"), (51, "DBM"), (53, "PXN"), (54, "UXN")];
    Some((frame, names.iter().filter(|(bit, _)| has(*bit)).map(|(_, name)| *name).collect()))
}

/// Where x86-64's linear map starts without KASLR (Documentation/x86/x86_64/mm.rst).
const PAGE_OFFSET_X86: u64 = 0xffff_8880_0000_0000;

/// `value` as a physical address: the pointer to the same memory in the linear map and a good
/// pointer near it.
fn physical(arch: Arch, value: u64, context: &AddressContext) -> Option<(u64, u64)> {
    if !(1 << 24..1 << 40).contains(&value) || !value.is_multiple_of(8) {
        return None;
    }
    let pointer = match arch {
        Arch::X86_64 => PAGE_OFFSET_X86.wrapping_add(value),
        Arch::Arm64 => {
            let start = arm64_layout(context);
            // The linear map is the lower half since 5.4, the upper before.
            let base = if start.linear_high { start.middle() } else { u64::MAX << start.bits.min(63) };
            base.wrapping_add(value.checked_sub(context.phys_offset?)?)
        }
        _ => return None,
    };
    Some((pointer, near_vouched(pointer, context, 1 << 28)?))
}

/// Patterns that fills and counters leave.
fn pattern(value: u64) -> Option<Prose> {
    let bytes = value.to_le_bytes();
    let [first, rest @ ..] = bytes;
    if rest.iter().all(|byte| *byte == first) && first != 0 && first != 0xff {
        return Some(prose!(m::READ_REPEATED, byte = format!("{first:#04x}")));
    }
    let step = |pair: &[u8]| matches!(pair, [a, b] if a.wrapping_add(1) == *b);
    let back = |pair: &[u8]| matches!(pair, [a, b] if b.wrapping_add(1) == *a);
    if bytes.windows(2).all(step) || bytes.windows(2).all(back) {
        return Some(prose!(m::READ_COUNTING));
    }
    // INITIAL_JIFFIES is -300 * HZ as 32 bits (include/linux/jiffies.h): at most 1000 Hz; then
    // about a day of them.
    if (0xfffb_6c20..0x1_0500_0000).contains(&value) && !(0xffff_0000..=0xffff_ffff).contains(&value) {
        return Some(prose!(m::READ_JIFFIES));
    }
    let (low, high) = (value & 0xffff_ffff, value >> 32);
    // Both small, and neither a coincidence: an address has a large half.
    ((1..0x1_0000).contains(&low) && (1..0x1000).contains(&high))
        .then(|| prose!(m::READ_HALVES, low = low, high = high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::awkward_values;
    use kwhy_base::Lang;

    fn x86() -> AddressContext {
        AddressContext { good_pointers: vec![0xffff_8880_0454_5e00], ..AddressContext::default() }
    }

    fn said(arch: Arch, value: u64, context: &AddressContext) -> String {
        readings(arch, value, context).iter().map(|r| r.render(Lang::En)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn page_table_entries_of_the_kernels_own_kinds() {
        let (frame, bits) = page_table_entry(Arch::X86_64, 0x8000_0001_2345_6163).unwrap();
        assert_eq!((frame, bits.join(" ").as_str()), (0x1_2345_6000, "P RW A D G NX"));
        assert!(page_table_entry(Arch::X86_64, 0x8000_0000_1fd8_3867).is_some());
        let (frame, bits) = page_table_entry(Arch::Arm64, 0x0068_0000_4454_5f13).unwrap();
        assert_eq!(frame, 0x4454_5000);
        assert!(bits.contains(&"UXN") && bits.contains(&"AF"));
    }

    #[test]
    fn pointers_and_numbers_are_no_page_table_entries() {
        for value in [0, 0x67, 0x1_2345_6067, 0xffff_8880_0454_5163, 0x7ffc_b23f_d963, 0x8000_0000_0000_0163]
        {
            assert_eq!(page_table_entry(Arch::X86_64, value), None, "{value:#x}");
        }
        for value in [0, 0xffff_0000_0454_5f13, 0xd503_23bf_a8c1_7bfd, 0x0000_aaaa_4454_5f13] {
            assert_eq!(page_table_entry(Arch::Arm64, value), None, "{value:#x}");
        }
        for arch in [Arch::X86_64, Arch::Arm64] {
            let by_chance = awkward_values().skip(256).filter(|v| page_table_entry(arch, *v).is_some());
            assert!(by_chance.count() <= 1);
        }
    }

    #[test]
    fn physical_addresses_need_a_good_pointer_near_their_place() {
        assert!(said(Arch::X86_64, 0x0454_5e08, &x86()).contains("0xffff888004545e08"));
        assert_eq!(said(Arch::X86_64, 0x0454_5e08, &AddressContext::default()), "");
        assert_eq!(said(Arch::X86_64, 0x44_0454_5e08, &x86()), "");
        let arm = AddressContext {
            good_pointers: vec![0xffff_0000_0454_5e00],
            va_bits: Some(48),
            phys_offset: Some(0x4000_0000),
            ..AddressContext::default()
        };
        assert!(said(Arch::Arm64, 0x4454_5e08, &arm).contains("0xffff000004545e08"));
    }

    #[test]
    fn patterns() {
        let none = AddressContext::default();
        assert!(said(Arch::X86_64, 0x4141_4141_4141_4141, &none).contains("0x41"));
        assert!(said(Arch::X86_64, 0x0706_0504_0302_0100, &none).contains("count"));
        assert!(said(Arch::X86_64, 0x0000_0002_0000_0007, &none).contains("7 and 2"));
        assert!(said(Arch::X86_64, 0x1_0001_0000, &none).contains("jiffies"));
        for value in [0, 5, u64::MAX, 0xffff_888e_1ff8_8740, 0x7ffc_b23f_d978, 0xdead_beef_1234_5678] {
            assert_eq!(said(Arch::X86_64, value, &none), "", "{value:#x}");
        }
    }
}

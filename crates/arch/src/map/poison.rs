//! Poison values: what the kernel writes into memory so that using it shows
//! (`include/linux/poison.h`, `mm/`, `linux/spinlock_types*.h`, `linux/magic.h`).

use crate::layout::says;
use kwhy_base::catalogue::arch as m;
use kwhy_base::prose::Message;
use kwhy_base::{Arch, Prose};

/// What sort of poison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PoisonKind {
    /// A pointer value written into list entries and kin, `CONFIG_ILLEGAL_POINTER_VALUE` + n.
    List,
    /// A fill byte of an allocator or a debugging tool, or a red zone.
    Slab,
    /// A magic number that marks an object.
    Magic,
}

/// A poison value that was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poison {
    /// What sort.
    pub kind: PoisonKind,
    /// `LIST_POISON1`, `POISON_FREE (0x6b)`….
    pub name: &'static str,
    /// The poison itself.
    pub base: u64,
    /// How far the value is from it, in bytes: a member's offset.
    pub offset: i64,
    /// What it marks.
    pub meaning: Prose,
    /// The top byte that has to be put back because ARM64 printed the address without it.
    pub lost_top_byte: Option<u8>,
}

/// `CONFIG_ILLEGAL_POINTER_VALUE` on 64-bit x86, ARM64, RISC-V and PowerPC.
const ILLEGAL: u64 = 0xdead_0000_0000_0000;

/// Pointer poisons: the distance from `ILLEGAL`, and whether values near it count as offsets.
static POINTERS: &[(u64, &str, &Message, bool)] = &[
    (0x40, "PP_SIGNATURE", &m::POISON_PAGE_POOL, false),
    (0xf5, "VFS_PTR_POISON", &m::POISON_VFS, false),
    (0x100, "LIST_POISON1", &m::POISON_LIST, true),
    (0x122, "LIST_POISON2", &m::POISON_LIST, true),
    (0x200, "LIST_POISON2", &m::POISON_LIST, false),
    (0x300, "TIMER_ENTRY_STATIC", &m::POISON_TIMER, false),
    (0x400, "TAIL_MAPPING", &m::POISON_TAIL_MAPPING, false),
    (0x500, "MUTEX_POISON_WW_CTX", &m::POISON_WW_CTX, false),
    (0xeb9f, "BPF_PTR_POISON", &m::POISON_BPF, false),
];

/// Fill bytes.
static FILLS: &[(u8, &str, &Message)] = &[
    (0x6b, "POISON_FREE (0x6b)", &m::POISON_FREE),
    (0x5a, "POISON_INUSE (0x5a)", &m::POISON_INUSE),
    (0xa5, "POISON_END (0xa5)", &m::POISON_END),
    (0xbb, "SLUB_RED_INACTIVE (0xbb)", &m::POISON_RED_INACTIVE),
    (0xcc, "SLUB_RED_ACTIVE (0xcc)", &m::POISON_RED_ACTIVE),
    (0xaa, "PAGE_POISON (0xaa)", &m::POISON_PAGE),
    (0xfe, "0xfe", &m::POISON_STACK_INIT),
    (0xa7, "POOL_POISON_FREED (0xa7)", &m::POISON_DMA_FREED),
    (0xa9, "POOL_POISON_ALLOCATED (0xa9)", &m::POISON_DMA_ALLOCATED),
    (0x5b, "JBD_POISON_FREE (0x5b)", &m::POISON_JBD2),
    (0x5c, "JBD2_POISON_FREE (0x5c)", &m::POISON_JBD2),
    (0xbd, "KEY_DESTROY (0xbd)", &m::POISON_KEY),
    (0x22, "MUTEX_DEBUG_FREE (0x22)", &m::POISON_MUTEX_FREE),
];

/// Whole 64-bit words that are no byte repeated.
static WORDS: &[(u64, &str, &Message)] = &[
    (0x09f9_1102_9d74_e35b, "RED_INACTIVE", &m::POISON_SLAB_RED_INACTIVE),
    (0xd841_56c5_6356_88c0, "RED_ACTIVE", &m::POISON_SLAB_RED_ACTIVE),
    (0xffff_ffff_ffff_4111, "STACKLEAK_POISON", &m::POISON_STACKLEAK),
    // `asm/word-at-a-time.h` and the assembler string functions keep these in registers.
    (0xfefe_fefe_fefe_feff, "0xfefefefefefefeff", &m::POISON_STRING_CONSTANT),
    (0x7f7f_7f7f_7f7f_7f7f, "0x7f7f7f7f7f7f7f7f", &m::POISON_STRING_CONSTANT),
    (0x8080_8080_8080_8080, "0x8080808080808080", &m::POISON_STRING_CONSTANT),
    (0x0101_0101_0101_0101, "0x101010101010101", &m::POISON_STRING_CONSTANT),
];

/// 32-bit magic numbers, recognised as a whole value only.
static MAGICS: &[(u32, &str, &Message)] = &[
    (0xdead_4ead, "SPINLOCK_MAGIC", &m::POISON_SPINLOCK),
    (0xdeaf_1eed, "RWLOCK_MAGIC", &m::POISON_RWLOCK),
    (0x57ac_6e9d, "STACK_END_MAGIC", &m::POISON_STACK_END),
    (0xdead_beef, "0xdeadbeef", &m::POISON_DEADBEEF),
];

/// How far from a fill an address may be and still count as an offset from it.
const REACH: u64 = 0x1_0000;

/// How far from a list poison: members of one structure.
const LIST_REACH: u64 = 0x1000;

/// `value` as a poison or an offset from one, on a machine of `arch`.
///
/// On ARM64 a fault address whose top byte the kernel has cleared is recognised too.
#[must_use]
pub fn poison(arch: Arch, value: u64) -> Option<Poison> {
    if let Some(found) = whole(value) {
        return Some(found);
    }
    if arch != Arch::Arm64 || value >> 56 != 0 || value < 1 << 48 {
        return None;
    }
    // Only poisons with bit 55 clear lose their top byte; it is that of the poison.
    let tops = [0xdeu64, 0x6b, 0x5a, 0x5b, 0x5c, 0x22];
    tops.into_iter().find_map(|top| {
        let found = whole(value | top << 56).filter(|p| p.kind != PoisonKind::Magic)?;
        Some(Poison { lost_top_byte: Some(top as u8), ..found })
    })
}

/// Recognises `value` taken as it is.
fn whole(value: u64) -> Option<Poison> {
    let exact = |kind, name, message| Poison {
        kind,
        name,
        base: value,
        offset: 0,
        meaning: says(message),
        lost_top_byte: None,
    };
    if let Some((_, name, message)) = WORDS.iter().find(|(word, ..)| *word == value) {
        let kind = if value == 0xffff_ffff_ffff_4111 { PoisonKind::Slab } else { PoisonKind::Magic };
        return Some(exact(kind, *name, message));
    }
    if let Some(found) = list_poison(value) {
        return Some(found);
    }
    for (byte, name, message) in FILLS {
        let fill = u64::from(*byte).wrapping_mul(0x0101_0101_0101_0101);
        // The last byte of a poisoned object is POISON_END.
        let ended = fill & 0x00ff_ffff_ffff_ffff | 0xa5 << 56;
        for base in [fill, ended] {
            if base == ended && *byte != 0x6b && *byte != 0x5a {
                continue;
            }
            let offset = value.wrapping_sub(base) as i64;
            if offset.unsigned_abs() < REACH {
                return Some(Poison { base, offset, ..exact(PoisonKind::Slab, *name, message) });
            }
        }
        // A 32-bit load gives half a fill.
        if value == fill & 0xffff_ffff && matches!(byte, 0x6b | 0x5a | 0xa5 | 0xaa | 0xbb | 0xcc) {
            return Some(exact(PoisonKind::Slab, *name, message));
        }
    }
    let magic = MAGICS.iter().find(|(magic, ..)| u64::from(*magic) == value);
    magic.map(|(_, name, message)| exact(PoisonKind::Magic, *name, message))
}

/// `value` as one of the pointer poisons: exactly, or as a member's offset from a list poison
/// (below it too, where an entry was turned into its container).
fn list_poison(value: u64) -> Option<Poison> {
    let distance = value.wrapping_sub(ILLEGAL) as i64;
    let make = |(base, name, message): (u64, &'static str, &'static Message)| Poison {
        kind: PoisonKind::List,
        name,
        base: ILLEGAL.wrapping_add(base),
        offset: distance.wrapping_sub(base as i64),
        meaning: says(message),
        lost_top_byte: None,
    };
    if let Some((base, name, message, _)) = POINTERS.iter().find(|(base, ..)| *base as i64 == distance) {
        return Some(make((*base, name, message)));
    }
    if distance.unsigned_abs() >= LIST_REACH {
        return None;
    }
    let reachable = POINTERS.iter().filter(|(.., near)| *near);
    let (base, name, message, _) = reachable.min_by_key(|(base, ..)| {
        let offset = distance.wrapping_sub(*base as i64);
        // Going up from a poison is commoner than going down from the next one.
        (offset < 0, offset.unsigned_abs())
    })?;
    Some(make((*base, name, message)))
}

/// `+0x8`, `-0x28`: an offset in hexadecimal with its sign.
pub(crate) fn signed_hex(offset: i64) -> String {
    if offset < 0 { format!("-{:#x}", offset.unsigned_abs()) } else { format!("+{offset:#x}") }
}

/// KASAN's shadow offset, the ones in use: x86-64; ARM64 48-bit now and before 5.11.
const SHADOWS: &[(Arch, u64)] = &[
    (Arch::X86_64, 0xdfff_fc00_0000_0000),
    (Arch::Arm64, 0xdfff_8000_0000_0000),
    (Arch::Arm64, 0xdfff_a000_0000_0000),
];

/// Where `addr` is generic KASAN's shadow of an address in the user half, which has no shadow: (the
/// shadowed address, the shadow's base). User addresses are 47 bits wide on x86-64, 48 on ARM64, and
/// their shadow an eighth of that.
pub(crate) fn kasan_shadow_of(arch: Arch, addr: u64) -> Option<(u64, u64)> {
    let width = if arch == Arch::Arm64 { 45 } else { 44 };
    let bases = SHADOWS.iter().filter(|(a, _)| *a == arch);
    let (_, base) = bases.min_by_key(|(_, base)| addr.wrapping_sub(*base))?;
    let index = addr.wrapping_sub(*base);
    (index < 1 << width).then_some((index << 3, *base))
}

#[cfg(test)]
mod tests {
    use super::{PoisonKind, poison};
    use crate::layout::awkward_values;
    use kwhy_base::Arch;

    fn name(arch: Arch, value: u64) -> Option<(&'static str, i64)> {
        poison(arch, value).map(|p| (p.name, p.offset))
    }

    #[test]
    fn list_poisons_and_members_through_them() {
        let x86 = Arch::X86_64;
        assert_eq!(name(x86, 0xdead_0000_0000_0100), Some(("LIST_POISON1", 0)));
        assert_eq!(name(x86, 0xdead_0000_0000_0108), Some(("LIST_POISON1", 8)));
        assert_eq!(name(x86, 0xdead_0000_0000_0122), Some(("LIST_POISON2", 0)));
        assert_eq!(name(x86, 0xdead_0000_0000_012a), Some(("LIST_POISON2", 8)));
        assert_eq!(name(x86, 0xdead_0000_0000_00d8), Some(("LIST_POISON1", -0x28)));
        assert_eq!(name(x86, 0xdead_0000_0000_0400), Some(("TAIL_MAPPING", 0)));
        assert_eq!(name(x86, 0xdead_0000_0001_0000), None);
    }

    #[test]
    fn fills_and_members_through_them() {
        let x86 = Arch::X86_64;
        assert_eq!(name(x86, 0x6b6b_6b6b_6b6b_6b6b), Some(("POISON_FREE (0x6b)", 0)));
        assert_eq!(name(x86, 0x6b6b_6b6b_6b6b_6b83), Some(("POISON_FREE (0x6b)", 0x18)));
        assert_eq!(name(x86, 0xa56b_6b6b_6b6b_6b6b), Some(("POISON_FREE (0x6b)", 0)));
        assert_eq!(name(x86, 0x5a5a_5a5a_5a5a_5a5a), Some(("POISON_INUSE (0x5a)", 0)));
        assert_eq!(name(x86, 0xaaaa_aaaa_aaaa_aaaa), Some(("PAGE_POISON (0xaa)", 0)));
        assert_eq!(name(x86, 0x6b6b_6b6b), Some(("POISON_FREE (0x6b)", 0)));
        assert_eq!(name(x86, 0xdead_4ead), Some(("SPINLOCK_MAGIC", 0)));
        assert_eq!(poison(x86, 0xdead_4ead).map(|p| p.kind), Some(PoisonKind::Magic));
    }

    #[test]
    fn arm64_prints_them_without_the_top_byte() {
        let lost = poison(Arch::Arm64, 0x00ad_0000_0000_0108);
        assert_eq!(
            lost.as_ref().map(|p| (p.name, p.offset, p.lost_top_byte)),
            Some(("LIST_POISON1", 8, Some(0xde)))
        );
        let free = poison(Arch::Arm64, 0x006b_6b6b_6b6b_6b7b);
        assert_eq!(free.map(|p| (p.offset, p.lost_top_byte)), Some((0x10, Some(0x6b))));
        assert_eq!(poison(Arch::X86_64, 0x00ad_0000_0000_0108), None);
    }

    #[test]
    fn constants_of_the_string_functions_are_no_poison() {
        for value in [0xfefe_fefe_fefe_feff, 0x7f7f_7f7f_7f7f_7f7f, 0x0101_0101_0101_0101] {
            assert_eq!(poison(Arch::Arm64, value).map(|p| p.kind), Some(PoisonKind::Magic), "{value:#x}");
        }
    }

    #[test]
    fn ordinary_values_are_no_poison() {
        for value in
            [0, 8, 0x1000, 0xffff_8000_0824_bb30, 0x0003_23bf_a8c1_7cc5, u64::MAX, 0xd503_23bf_a8c1_7bfd]
        {
            assert_eq!(poison(Arch::Arm64, value), None, "{value:#x}");
        }
        for value in awkward_values() {
            let _ = poison(Arch::Arm64, value);
        }
    }
}

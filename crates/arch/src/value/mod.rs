//! What a 64-bit value looks like: pointer, poison, text, error, code.

mod damage;
mod reading;
mod text;

#[cfg(test)]
mod tests;

use crate::decoded::Grade;
use crate::errno::{errno, error_pointer};
use crate::layout::says;
use crate::map::{
    AddressClass, AddressContext, PoisonKind, Region, classify_address, hex, poison, signed_hex,
};
use kwhy_base::catalogue::arch as m;
use kwhy_base::{Arch, Prose, prose};

pub use damage::{BitFlip, Reshaped, bit_flips, reshaped, strip_pointer};
pub use reading::{page_table_entry, readings};
pub use text::{Text, ascii_text};

/// The contract's `bad_value.class` words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// 0.
    Null,
    /// A number too small for a pointer.
    SmallInteger,
    /// `ERR_PTR(-errno)`.
    ErrorPointer,
    /// LIST_POISON1/2 and kin.
    ListPoison,
    /// A fill byte of the slab or page allocator, or of a debugging tool.
    SlabPoison,
    /// Instructions.
    MachineCode,
    /// Printable characters.
    AsciiText,
    /// An address of the user half.
    UserPointer,
    /// An address of the kernel half that is not kernel text.
    KernelPointer,
    /// An address in the kernel's or a module's code.
    KernelText,
    /// One or two bits away from a plausible pointer.
    BitFlip,
    /// A pointer with a tag or a PAC in its top bits.
    TaggedPointer,
    /// None of these.
    Integer,
}

impl ValueKind {
    /// The contract's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            ValueKind::Null => "null",
            ValueKind::SmallInteger => "small-integer",
            ValueKind::ErrorPointer => "error-pointer",
            ValueKind::ListPoison => "list-poison",
            ValueKind::SlabPoison => "slab-poison",
            ValueKind::MachineCode => "machine-code",
            ValueKind::AsciiText => "ascii-text",
            ValueKind::UserPointer => "user-pointer",
            ValueKind::KernelPointer => "kernel-pointer",
            ValueKind::KernelText => "kernel-text",
            ValueKind::BitFlip => "bit-flip",
            ValueKind::TaggedPointer => "tagged-pointer",
            ValueKind::Integer => "integer",
        }
    }
}

/// What a value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueClass {
    /// The class.
    pub kind: ValueKind,
    /// In words: the errno, the text, the region, the poison's name.
    pub detail: Prose,
    /// How sure.
    pub grade: Grade,
    /// Where it points, for what is a pointer or can be read as one.
    pub address: Option<AddressClass>,
    /// The value it probably should be: tag or PAC stripped, bit flipped back.
    pub better: Option<u64>,
}

impl ValueClass {
    /// The contract's word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.kind.word()
    }
}

/// Below it a value is taken for a number: nothing is ever mapped there (vm.mmap_min_addr).
const SMALL: u64 = 0x1_0000;

/// What `value` looks like on a machine of `arch`.
///
/// `decodes` judges machine code (the disassembler lives elsewhere): it returns the
/// instructions where the value is plausibly code, `None` where it is not or nobody can say. It is
/// asked only of values that are no plausible pointer, text or poison.
#[must_use]
pub fn classify_value(
    arch: Arch,
    value: u64,
    context: &AddressContext,
    decodes: &dyn Fn(u64) -> Option<String>,
) -> ValueClass {
    if let Some(found) = special(arch, value).or_else(|| number(value)) {
        return found;
    }
    let address = classify_address(arch, value, context);
    let flips = bit_flips(arch, value, context);
    let one_flip = flips.first().filter(|flip| flip.bits.len() == 1);
    if let Some(flip) = damage::flipped_out_of_its_region(arch, value, &address, context) {
        return flipped(arch, &flip, context);
    }
    if let Some(found) = as_it_stands(arch, value, &address, one_flip.is_some()) {
        return found;
    }
    if let Some(found) = failed_authentication(arch, value, context) {
        return found;
    }
    // From here on the value is no pointer as it stands: a damaged or decorated one, code, or a number.
    if let Some(flip) = one_flip {
        return flipped(arch, flip, context);
    }
    if let Some(found) = decorated(arch, value, context, true) {
        return found;
    }
    if let Some(text) = decodes(value) {
        let detail = prose!(m::VALUE_CODE, text = text);
        return placed(ValueKind::MachineCode, detail, Grade::Likely, &address);
    }
    if let Some(flip) = flips.first() {
        return flipped(arch, flip, context);
    }
    if let Some(found) = decorated(arch, value, context, false) {
        return found;
    }
    match address.region {
        // A tag that the hardware ignores, over an address above 4 GiB.
        Region::User if value << 8 >> 40 != 0 => {
            placed(ValueKind::TaggedPointer, address.name.clone(), Grade::Possible, &address)
        }
        Region::User => {
            placed(ValueKind::Integer, prose!(m::VALUE_WORD, value = hex(value)), Grade::Possible, &address)
        }
        _ => {
            let detail = prose!(m::VALUE_NON_CANONICAL, region = address.name.clone());
            placed(ValueKind::Integer, detail, Grade::Likely, &address)
        }
    }
}

/// A class of a value that is an address too.
fn placed(kind: ValueKind, detail: Prose, grade: Grade, address: &AddressClass) -> ValueClass {
    ValueClass { kind, detail, grade, address: Some(address.clone()), better: None }
}

/// The value as a pointer into the kernel or user space, or as text, as it stands. Where one flipped
/// bit would make it a good pointer, a hole in the kernel's space is not believed.
fn as_it_stands(arch: Arch, value: u64, address: &AddressClass, flips: bool) -> Option<ValueClass> {
    let name = address.name.clone();
    if address.region == Region::KernelText {
        return Some(placed(ValueKind::KernelText, name, address.grade, address));
    }
    if address.region.is_kernel() {
        return Some(placed(ValueKind::KernelPointer, name, address.grade, address));
    }
    if address.region == Region::KernelOther && !flips {
        return Some(placed(ValueKind::KernelPointer, name, address.grade.max(Grade::Likely), address));
    }
    // Six printable bytes of which the last is U or V are a position-independent program's address.
    let text = ascii_text(value).filter(|text| text.sure || !matches!(value >> 40, 0x55 | 0x56));
    if let Some(text) = text {
        let grade = if text.sure { Grade::Likely } else { Grade::Possible };
        let detail = prose!(m::VALUE_ASCII, text = text.quoted());
        return Some(placed(ValueKind::AsciiText, detail, grade, address));
    }
    // Only ARM64 ignores a top byte; on x86-64 the one user address up there is the vsyscall page.
    if address.region != Region::User || (arch == Arch::Arm64 && value >> 56 != 0) {
        return None;
    }
    if value >> 32 == 0 {
        let detail = prose!(m::VALUE_WORD, value = hex(value));
        return Some(placed(ValueKind::Integer, detail, Grade::Possible, address));
    }
    let grade = if usual_in_user_space(arch, value) { Grade::Likely } else { Grade::Possible };
    Some(placed(ValueKind::UserPointer, name, grade, address))
}

/// Whether programs usually have something there: position-independent programs, libraries and stacks
/// start at fixed places, which randomisation moves within limits (`asm/elf.h`, `asm/processor.h`).
fn usual_in_user_space(arch: Arch, value: u64) -> bool {
    match arch {
        Arch::X86_64 => matches!(value >> 40, 0x55 | 0x56 | 0x7e | 0x7f),
        Arch::Arm64 => matches!(value >> 40, 0xaa..=0xca | 0xf0..=0xff | 0x55 | 0x7f),
        _ => false,
    }
}

/// NULL, error pointers and poisons.
fn special(arch: Arch, value: u64) -> Option<ValueClass> {
    let of = |kind, detail, grade| Some(ValueClass { kind, detail, grade, address: None, better: None });
    if value == 0 {
        return of(ValueKind::Null, says(&m::VALUE_NULL), Grade::Proved);
    }
    if let Some(n) = error_pointer(value) {
        let number = format!("-{n}");
        let detail = match errno(n) {
            Some(e) => prose!(m::VALUE_ERRNO, number = number, name = e.name, meaning = e.meaning),
            None => prose!(m::VALUE_ERRNO_UNKNOWN, number = number),
        };
        // -1 is also what a plain integer function returns, and most of the range has no errno.
        let grade = if errno(n).is_some() && n > 1 { Grade::Likely } else { Grade::Possible };
        return of(ValueKind::ErrorPointer, detail, grade);
    }
    let found = poison(arch, value)?;
    let detail = if found.offset == 0 {
        prose!(m::VALUE_POISON, name = found.name, meaning = found.meaning)
    } else {
        prose!(
            m::VALUE_POISON_OFFSET,
            name = found.name,
            offset = signed_hex(found.offset),
            meaning = found.meaning
        )
    };
    let kind = match found.kind {
        PoisonKind::List => ValueKind::ListPoison,
        PoisonKind::Slab => ValueKind::SlabPoison,
        PoisonKind::Magic => ValueKind::Integer,
    };
    let exact = found.offset == 0 && found.lost_top_byte.is_none();
    let grade = match found.base {
        // 0xfe repeated is as common in the string functions as in uninitialised variables.
        0xfefe_fefe_fefe_fefe => Grade::Possible,
        _ if exact => Grade::Proved,
        _ => Grade::Likely,
    };
    of(kind, detail, grade)
}

/// Small numbers, positive or 32-bit negative.
fn number(value: u64) -> Option<ValueClass> {
    let of = |detail| {
        Some(ValueClass {
            kind: ValueKind::SmallInteger,
            detail,
            grade: Grade::Likely,
            address: None,
            better: None,
        })
    };
    if value < SMALL {
        return of(prose!(m::VALUE_SMALL, value = format!("{value:#x} ({value})")));
    }
    let low = u32::try_from(value).ok()?;
    let signed = i64::from(low.cast_signed());
    (-4095..0).contains(&signed).then(|| of(prose!(m::VALUE_NEGATIVE, value = signed))).flatten()
}

/// `value` as an ARM64 kernel pointer that failed its authentication. It differs from the pointer in
/// one bit, so this must be asked before flipped bits are.
fn failed_authentication(arch: Arch, value: u64, context: &AddressContext) -> Option<ValueClass> {
    if arch != Arch::Arm64 || crate::map::kasan_shadow_of(arch, value).is_some() {
        return None;
    }
    let (pointer, key) = crate::map::failed_authentication(value, &crate::map::arm64_layout(context))?;
    let address = classify_address(arch, pointer, context);
    let vouched = damage::near_vouched(pointer, context, damage::REACH).is_some();
    let grade = if vouched { Grade::Likely } else { Grade::Possible };
    let detail =
        prose!(m::VALUE_AUTH_FAILED, key = key, pointer = hex(pointer), region = address.name.clone());
    Some(ValueClass { better: Some(pointer), ..placed(ValueKind::TaggedPointer, detail, grade, &address) })
}

fn flipped(arch: Arch, flip: &BitFlip, context: &AddressContext) -> ValueClass {
    let bits: Vec<String> = flip.bits.iter().map(u8::to_string).collect();
    let detail = prose!(
        m::VALUE_BIT_FLIP,
        pointer = hex(flip.corrected),
        bits = bits.join(", "),
        distance = crate::map::distance(flip.corrected, flip.near),
        near = hex(flip.near)
    );
    let address = Some(classify_address(arch, flip.corrected, context));
    ValueClass {
        kind: ValueKind::BitFlip,
        detail,
        grade: Grade::Possible,
        address,
        better: Some(flip.corrected),
    }
}

/// `value` as a pointer with a tag or a PAC. With `near` only one that, stripped, is close to a pointer
/// that the log vouches for or inside a known range: that hardly happens by chance.
fn decorated(arch: Arch, value: u64, context: &AddressContext, near: bool) -> Option<ValueClass> {
    let pointer = strip_pointer(arch, value, context)?;
    let address = classify_address(arch, pointer, context);
    if !address.region.is_kernel() && address.region != Region::KernelOther {
        return None;
    }
    let tag = value >> 56;
    let only_the_top_byte = value | 0xff << 56 == pointer;
    let vouched = damage::near_vouched(pointer, context, damage::REACH).is_some()
        || (address.grade == Grade::Proved && matches!(address.region, Region::KernelText | Region::Module));
    // Without a neighbour, only KASAN's hardware tags (0xf0–0xfe) are regular enough to be believed.
    let regular = only_the_top_byte && tag >> 4 == 0xf;
    if vouched != near || !(near || regular) {
        return None;
    }
    let region = address.name.clone();
    let detail = if !only_the_top_byte {
        prose!(m::VALUE_PAC, pointer = hex(pointer), region = region)
    } else if tag >> 4 == 0xf {
        prose!(m::VALUE_TAGGED, tag = hex(tag), pointer = hex(pointer), region = region)
    } else {
        prose!(m::VALUE_TAG_OR_PAC, pointer = hex(pointer), region = region)
    };
    let grade = if near { Grade::Likely } else { Grade::Possible };
    Some(ValueClass {
        kind: ValueKind::TaggedPointer,
        detail,
        grade,
        address: Some(address),
        better: Some(pointer),
    })
}

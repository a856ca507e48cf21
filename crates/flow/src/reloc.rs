//! Code as it stands after relocation.
//!
//! A module's code has holes that the module loader fills. Filling them here, with the image's
//! own layout for what the module defines and made-up addresses for what it imports, lets
//! everything after this treat modules like the kernel.

use kwhy_base::{Arch, ImageAddr};
use kwhy_image::{Image, Relocation};
use std::collections::BTreeMap;
use std::ops::Range;

/// Made-up addresses of imported symbols, by name. They are far from all code and data of the
/// image and a page apart.
#[derive(Clone, Debug, Default)]
pub struct Imports {
    by_address: BTreeMap<u64, String>,
    by_name: BTreeMap<String, u64>,
}

/// Above every layout an image reader makes up (modules start at 256 MB and are far smaller than
/// the 64 MB left to them), within reach of an ARM64 call (128 MB) and of a positive 32-bit number.
const IMPORTS_BASE: u64 = 0x1400_0000;
/// Room for the members of an imported object, so that an addend does not reach the next one.
const IMPORTS_STEP: u64 = 4096;

impl Imports {
    /// The symbol at a made-up address, and the distance from its start.
    #[must_use]
    pub fn name(&self, address: ImageAddr) -> Option<&str> {
        self.by_address.get(&address.0).map(String::as_str)
    }

    /// The made-up address of an import.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ImageAddr> {
        self.by_name.get(name).copied().map(ImageAddr)
    }

    /// The import that `address` lies in, and how far from its start.
    #[must_use]
    pub fn within(&self, address: ImageAddr) -> Option<(&str, u64)> {
        let (start, name) = self.by_address.range(..=address.0).next_back()?;
        let offset = address.0.wrapping_sub(*start);
        (offset < IMPORTS_STEP).then_some((name.as_str(), offset))
    }

    /// All of them, ascending.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = ImageAddr> + '_ {
        self.by_address.keys().copied().map(ImageAddr)
    }

    fn address(&mut self, name: &str) -> u64 {
        if let Some(address) = self.by_name.get(name) {
            return *address;
        }
        let address = IMPORTS_BASE + IMPORTS_STEP * self.by_name.len() as u64;
        self.by_name.insert(name.to_owned(), address);
        self.by_address.insert(address, name.to_owned());
        address
    }
}

/// The code of `range`, relocated. Shorter than the range where the image ends early.
#[must_use]
pub fn relocated_code(image: &Image<'_>, range: Range<ImageAddr>, imports: &mut Imports) -> Vec<u8> {
    let len = range.end.0.saturating_sub(range.start.0);
    // A function of more than 16 MB is damage, not code.
    let len = usize::try_from(len.min(16 << 20)).unwrap_or(0);
    let Some(bytes) = image.bytes(range.start, len) else {
        return Vec::new();
    };
    let mut code = bytes.into_owned();
    for (place, relocation) in image.relocations(range.clone()) {
        let target = match relocation.address {
            Some(address) => address.0,
            None => imports.address(&relocation.symbol),
        };
        let at = place.0.wrapping_sub(range.start.0);
        if let Ok(at) = usize::try_from(at) {
            apply(image.arch(), &mut code, at, place.0, target, &relocation);
        }
    }
    code
}

/// Fills one hole. Kinds that do not occur in code, and holes that do not fit, are left alone.
fn apply(arch: Arch, code: &mut [u8], at: usize, place: u64, symbol: u64, relocation: &Relocation) {
    let value = symbol.wrapping_add_signed(relocation.addend);
    let relative = value.wrapping_sub(place);
    let mut put = |bytes: &[u8]| {
        if let Some(hole) = at.checked_add(bytes.len()).and_then(|end| code.get_mut(at..end)) {
            hole.copy_from_slice(bytes);
        }
    };
    match (arch, relocation.kind) {
        // x86-64 psABI table 4.9: R_X86_64_64, PC32/PLT32, 32/32S, PC64.
        (Arch::X86_64, 1) => put(&value.to_le_bytes()),
        (Arch::X86_64, 2 | 4) => put(&(relative as u32).to_le_bytes()),
        (Arch::X86_64, 10 | 11) => put(&(value as u32).to_le_bytes()),
        (Arch::X86_64, 24) => put(&relative.to_le_bytes()),
        // aaelf64 section 5.7: ABS64, ABS32, PREL64, PREL32.
        (Arch::Arm64, 257) => put(&value.to_le_bytes()),
        (Arch::Arm64, 258) => put(&(value as u32).to_le_bytes()),
        (Arch::Arm64, 260) => put(&relative.to_le_bytes()),
        (Arch::Arm64, 261) => put(&(relative as u32).to_le_bytes()),
        (Arch::Arm64, kind) => {
            let word = at.checked_add(4).and_then(|end| code.get(at..end)).and_then(|b| b.try_into().ok());
            let Some(word) = word.map(u32::from_le_bytes) else { return };
            let imm12 = |shift: u32| (word & !(0xfff << 10)) | ((((value & 0xfff) >> shift) as u32) << 10);
            let patched = match kind {
                // ADR_PREL_LO21; ADR_PREL_PG_HI21 and _NC.
                274 => adr(word, relative),
                275 | 276 => adr(word, (value & !0xfff).wrapping_sub(place & !0xfff) >> 12),
                // ADD_ABS_LO12_NC and LDST8/16/32/64/128_ABS_LO12_NC.
                277 | 278 => imm12(0),
                284 => imm12(1),
                285 => imm12(2),
                286 => imm12(3),
                299 => imm12(4),
                // TSTBR14, CONDBR19, JUMP26, CALL26.
                279 => (word & !(0x3fff << 5)) | ((((relative >> 2) & 0x3fff) as u32) << 5),
                280 => (word & !(0x7_ffff << 5)) | ((((relative >> 2) & 0x7_ffff) as u32) << 5),
                282 | 283 => (word & !0x3ff_ffff) | ((relative >> 2) & 0x3ff_ffff) as u32,
                _ => return,
            };
            if let Some(hole) = at.checked_add(4).and_then(|end| code.get_mut(at..end)) {
                hole.copy_from_slice(&patched.to_le_bytes());
            }
        }
        _ => {}
    }
}

fn adr(word: u32, imm: u64) -> u32 {
    let imm = imm as u32;
    (word & !((3 << 29) | (0x7_ffff << 5))) | ((imm & 3) << 29) | (((imm >> 2) & 0x7_ffff) << 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(arch: Arch, kind: u32, bytes: &[u8], place: u64, symbol: u64, addend: i64) -> Vec<u8> {
        let mut code = bytes.to_vec();
        let relocation = Relocation { symbol: "s".into(), address: None, addend, kind };
        apply(arch, &mut code, 0, place, symbol, &relocation);
        code
    }

    #[test]
    fn arm64_call_reaches_its_symbol() {
        // bl . at 0x1000 to 0x2000: imm26 = 0x400.
        let code = patched(Arch::Arm64, 283, &0x9400_0000u32.to_le_bytes(), 0x1000, 0x2000, 0);
        assert_eq!(code, 0x9400_0400u32.to_le_bytes());
    }

    #[test]
    fn arm64_page_and_low_bits() {
        // adrp x0 at 0x1000 to 0x5678: 4 pages on.
        let code = patched(Arch::Arm64, 275, &0x9000_0000u32.to_le_bytes(), 0x1000, 0x5678, 0);
        assert_eq!(code, 0x9000_0020u32.to_le_bytes());
        // ldr x0, [x0, :lo12:] with a 8-byte scale.
        let code = patched(Arch::Arm64, 286, &0xf940_0000u32.to_le_bytes(), 0x1004, 0x5678, 0);
        assert_eq!(code, (0xf940_0000u32 | (0x678 >> 3) << 10).to_le_bytes());
    }

    #[test]
    fn x86_call_and_short_hole() {
        let code = patched(Arch::X86_64, 4, &[0; 4], 0x1001, 0x2000, -4);
        assert_eq!(code, 0xffbu32.to_le_bytes());
        assert_eq!(patched(Arch::X86_64, 1, &[7; 3], 0, 1, 0), [7; 3]);
    }
}

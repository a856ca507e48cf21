//! Who calls whom, over a whole image, by its direct calls.
//!
//! A kernel has some 700 000 calls in 20 MB of code. They are found without decoding it: on ARM64
//! every word is an instruction, on x86-64 a byte `e8` or `e9` counts when the four after it lead
//! to the very start of a function, which almost no other bytes do; a path that is shown has its
//! calls decoded. Jumps to the start of another function are calls too: tail calls.
//!
//! Sources: Arm ARM C6.2.34 and C6.2.26 (BL, B: `imm26 * 4` from the instruction), Intel SDM
//! volume 2, CALL and JMP (E8, E9: `rel32` from the next instruction).

use crate::reloc::{Imports, relocated_code};
use kwhy_base::{Arch, ImageAddr};
use kwhy_image::{Image, ImageKind};

/// A call or a tail call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The function called, by its entry.
    pub callee: ImageAddr,
    /// The function that calls, by its symbol's address.
    pub caller: ImageAddr,
    /// The instruction.
    pub site: ImageAddr,
}

/// All direct calls of an image.
pub struct Calls {
    by_callee: Vec<Call>,
    by_caller: Vec<(ImageAddr, ImageAddr, ImageAddr)>,
    imports: Imports,
}

/// More calls than this are no kernel's: the largest have a few millions.
const MAX_CALLS: usize = 16_000_000;

impl Calls {
    /// Finds the calls of `image`.
    #[must_use]
    pub fn scan(image: &Image<'_>) -> Calls {
        let functions = image.function_addresses();
        let mut imports = Imports::default();
        let mut calls: Vec<Call> = Vec::new();
        for (start, linked) in image.code_sections() {
            let owned;
            let code = if matches!(image.kind(), ImageKind::Kernel) {
                linked
            } else {
                let end = ImageAddr(start.0.saturating_add(linked.len() as u64));
                owned = relocated_code(image, start..end, &mut imports);
                &owned
            };
            match image.arch() {
                Arch::Arm64 => arm64(start, code, &functions, &imports, &mut calls),
                Arch::X86_64 => x86(start, code, &functions, &imports, &mut calls),
                _ => {}
            }
        }
        calls.sort_unstable();
        calls.dedup();
        let mut by_caller: Vec<_> = calls.iter().map(|call| (call.caller, call.site, call.callee)).collect();
        by_caller.sort_unstable();
        Calls { by_callee: calls, by_caller, imports }
    }

    /// The calls of the function that begins at `entry`, in the order of their callers.
    #[must_use]
    pub fn of(&self, entry: ImageAddr) -> &[Call] {
        let from = self.by_callee.partition_point(|call| call.callee < entry);
        let to = self.by_callee.partition_point(|call| call.callee <= entry);
        self.by_callee.get(from..to).unwrap_or_default()
    }

    /// What the function at `caller` calls: instruction and callee, in the order of the code.
    pub fn from(&self, caller: ImageAddr) -> impl Iterator<Item = (ImageAddr, ImageAddr)> + '_ {
        let from = self.by_caller.partition_point(|call| call.0 < caller);
        let to = self.by_caller.partition_point(|call| call.0 <= caller);
        self.by_caller.get(from..to).unwrap_or_default().iter().map(|(_, site, callee)| (*site, *callee))
    }

    /// The name of an import that a module calls, by the address that stands for it here.
    #[must_use]
    pub fn import(&self, callee: ImageAddr) -> Option<&str> {
        self.imports.name(callee)
    }

    /// The address that stands for an import here, where the code calls or uses it.
    #[must_use]
    pub fn import_named(&self, name: &str) -> Option<ImageAddr> {
        self.imports.find(name)
    }
}

/// The instructions that make the address `target` in a register or store it, in a linked image: on
/// x86-64 four bytes that are it or lead to it (some may only seem to), on ARM64 the ADRP of a pair.
#[must_use]
pub fn uses_of(image: &Image<'_>, target: ImageAddr) -> Vec<ImageAddr> {
    /// More are no table's, and no function's that tables hold.
    const MAX_USES: usize = 256;
    let mut found = Vec::new();
    for (start, code) in image.code_sections() {
        match image.arch() {
            Arch::X86_64 => {
                let absolute = (target.0 as u32).to_le_bytes();
                let place = |at: usize| start.0.wrapping_add(at as u64);
                // `mov $imm32`, sign-extended: only such addresses can be written so.
                if target.0 as i32 as u64 == target.0 {
                    found.extend(memchr::memmem::find_iter(code, &absolute).map(place).take(MAX_USES));
                }
                // `lea rel32(%rip)`: ModRM with mod 0 and r/m 5 stands before the four bytes.
                for (at, window) in code.windows(5).enumerate() {
                    let [modrm, a, b, c, d] = *window else { continue };
                    if modrm & 0xc7 == 5 {
                        let next = place(at.saturating_add(5));
                        let offset = i64::from(i32::from_le_bytes([a, b, c, d]));
                        if next.wrapping_add_signed(offset) == target.0 && found.len() < MAX_USES {
                            found.push(place(at));
                        }
                    }
                }
            }
            Arch::Arm64 => {
                // Arm ARM C6.2.10, ADRP: immhi:immlo pages from this one; C6.2.4, ADD (immediate).
                let words: Vec<u32> = code
                    .chunks_exact(4)
                    .filter_map(|word| word.try_into().ok().map(u32::from_le_bytes))
                    .collect();
                for (index, word) in words.iter().enumerate() {
                    if word & 0x9f00_0000 != 0x9000_0000 {
                        continue;
                    }
                    let site = start.0.wrapping_add(index as u64 * 4);
                    let pages = ((word >> 29) & 3) | ((word >> 3) & 0x1f_fffc);
                    let pages = i64::from((pages << 11) as i32 >> 11);
                    let page = (site & !0xfff).wrapping_add_signed(pages.wrapping_mul(4096));
                    let register = word & 0x1f;
                    let adds = |word: &u32| {
                        word & 0xffc0_0000 == 0x9100_0000
                            && (word >> 5) & 0x1f == register
                            && page.wrapping_add(u64::from((word >> 10) & 0xfff)) == target.0
                    };
                    let near = words.get(index..words.len().min(index.saturating_add(16)));
                    if near.is_some_and(|near| near.iter().any(adds)) && found.len() < MAX_USES {
                        found.push(site);
                    }
                }
            }
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(ImageAddr).collect()
}

/// The function that covers `site`, if `callee` is one's start.
fn call(site: u64, callee: u64, functions: &[ImageAddr], imports: &Imports) -> Option<Call> {
    let callee = ImageAddr(callee);
    if functions.binary_search(&callee).is_err() && imports.name(callee).is_none() {
        return None;
    }
    let next = functions.partition_point(|start| start.0 <= site);
    let caller = *functions.get(next.checked_sub(1)?)?;
    Some(Call { callee, caller, site: ImageAddr(site) })
}

fn arm64(start: ImageAddr, code: &[u8], functions: &[ImageAddr], imports: &Imports, calls: &mut Vec<Call>) {
    for (index, word) in code.chunks_exact(4).enumerate() {
        let Ok(word) = <[u8; 4]>::try_from(word).map(u32::from_le_bytes) else { continue };
        let link = word & 0xfc00_0000 == 0x9400_0000;
        if !link && word & 0xfc00_0000 != 0x1400_0000 {
            continue;
        }
        let site = start.0.wrapping_add(index as u64 * 4);
        // imm26, sign-extended, times four.
        let offset = i64::from((word << 6) as i32 >> 4);
        let found = call(site, site.wrapping_add_signed(offset), functions, imports);
        // A jump to one's own start is a loop.
        if let Some(found) = found.filter(|found| link || found.caller != found.callee)
            && calls.len() < MAX_CALLS
        {
            calls.push(found);
        }
    }
}

fn x86(start: ImageAddr, code: &[u8], functions: &[ImageAddr], imports: &Imports, calls: &mut Vec<Call>) {
    for at in memchr::memchr2_iter(0xe8, 0xe9, code) {
        let Some(operand) = code.get(at.saturating_add(1)..at.saturating_add(5)) else { continue };
        let Ok(offset) = operand.try_into().map(i32::from_le_bytes) else { continue };
        let site = start.0.wrapping_add(at as u64);
        let callee = site.wrapping_add(5).wrapping_add_signed(i64::from(offset));
        let link = code.get(at) == Some(&0xe8);
        if let Some(found) = call(site, callee, functions, imports)
            && (link || found.caller != found.callee)
            && calls.len() < MAX_CALLS
        {
            calls.push(found);
        }
    }
}

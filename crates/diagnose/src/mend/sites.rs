//! Where a function may have been left: the places behind its calls, and what each call calls.
//!
//! A frame's return address stands behind a call, and the call goes to the function of the frame
//! above. That is redundancy enough to mend most of a damaged frame.

use kwhy_base::{Arch, ImageAddr};
use kwhy_flow::code::Code;
use kwhy_flow::insn::Flow;
use kwhy_image::{Image, Symbol};

/// Functions beyond this size are not searched, in bytes.
const LARGEST: u64 = 1 << 17;

/// What a call calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callee {
    /// This symbol: defined in the image, or imported by the module.
    Named(String),
    /// Whatever a register or memory holds.
    Any,
}

/// The call whose return address is `address`, read from the few bytes before it: cheap, and on
/// x86 a guess at where the instruction begins.
pub fn call_before(image: &Image<'_>, address: ImageAddr) -> Option<Callee> {
    match image.arch() {
        Arch::Arm64 => {
            let at = address.offset(-4);
            let word = u32::from_le_bytes(image.bytes(at, 4)?.as_ref().try_into().ok()?);
            // Arm ARM C6.2: BL; BLR and its forms that authenticate.
            if word >> 26 == 0b10_0101 {
                let delta = i64::from(((word << 6) as i32) >> 6).wrapping_mul(4);
                return Some(callee(image, at..address, at.offset(delta)));
            }
            let indirect = word & 0xffff_fc1f == 0xd63f_0000 || word & 0xfeff_f800 == 0xd63f_0800;
            indirect.then_some(Callee::Any)
        }
        Arch::X86_64 => {
            let near = address.offset(-5);
            if let Some(bytes) = image.bytes(near, 5)
                && let [0xe8, rest @ ..] = bytes.as_ref()
                && let Ok(delta) = <[u8; 4]>::try_from(rest)
            {
                let target = address.offset(i64::from(i32::from_le_bytes(delta)));
                let named = callee(image, near..address, target);
                // Any byte may be e8; that what follows reaches a symbol's start is no accident.
                if named != Callee::Any {
                    return Some(named);
                }
            }
            // ff /2 with its possible lengths: register, displacement of none, one or four bytes,
            // with a SIB byte or not, with a prefix or not.
            let indirect = [2_i64, 3, 4, 5, 6, 7, 8].into_iter().any(|len| {
                let bytes = image.bytes(address.offset(-len), len as usize).unwrap_or_default();
                let opcode = match bytes.as_ref() {
                    [0x40..=0x4f | 0x65 | 0x2e | 0x3e, rest @ ..] => rest,
                    all => all,
                };
                matches!(opcode, [0xff, modrm, ..] if modrm & 0x38 == 0x10)
                    && kwhy_flow::insn::decode(Arch::X86_64, &bytes, address)
                        .is_some_and(|insn| i64::from(insn.len) == len)
            });
            (indirect || patched(image, address)).then_some(Callee::Any)
        }
        _ => None,
    }
}

/// Whether the kernel may have put a shorter call before `address` than the image has there:
/// `call *%reg` for one through a retpoline's thunk (`apply_retpolines()`), a direct call for
/// one through `pv_ops` (`apply_paravirt()`).
fn patched(image: &Image<'_>, address: ImageAddr) -> bool {
    let through_thunk = [3_i64, 2].into_iter().any(|more| {
        let end = address.offset(more);
        let bytes = image.bytes(end.offset(-5), 5);
        bytes.is_some_and(|bytes| bytes.first() == Some(&0xe8))
            && thunk_at(image, end).is_some_and(|name| name.starts_with("__x86_indirect_"))
    });
    let hook = image.bytes(address.offset(-5), 3).unwrap_or_default();
    through_thunk || matches!(hook.as_ref(), [0xff, 0x14, 0x25] | [0xff, 0x15, _])
}

/// The symbol that the five-byte call ending at `end` reaches.
fn thunk_at(image: &Image<'_>, end: ImageAddr) -> Option<String> {
    let start = end.offset(-5);
    if let Some((_, relocation)) = image.relocations(start..end).into_iter().next() {
        return relocation.address.is_none().then_some(relocation.symbol);
    }
    let bytes = image.bytes(start.offset(1), 4)?;
    let delta = i32::from_le_bytes(bytes.as_ref().try_into().ok()?);
    let target = end.offset(i64::from(delta));
    image.symbol_at(target).filter(|symbol| symbol.address == target).map(|symbol| symbol.name)
}

/// The symbol that a call in `range` reaches at `target`; a relocation there knows better.
fn callee(image: &Image<'_>, range: std::ops::Range<ImageAddr>, target: ImageAddr) -> Callee {
    let relocated = image.relocations(range).into_iter().next();
    if let Some((_, relocation)) = relocated {
        return match relocation.address {
            // The addend of an x86 call makes up for the operand's own four bytes.
            Some(address) => {
                let addend = relocation.addend.wrapping_add(if image.arch() == Arch::X86_64 { 4 } else { 0 });
                start_of(image, address.offset(addend))
            }
            None => thunk(relocation.symbol),
        };
    }
    start_of(image, target)
}

fn start_of(image: &Image<'_>, target: ImageAddr) -> Callee {
    match image.symbol_at(target).filter(|symbol| symbol.address == target) {
        Some(symbol) => thunk(symbol.name),
        None => Callee::Any,
    }
}

/// A retpoline thunk goes wherever its register says.
fn thunk(name: String) -> Callee {
    if name.starts_with("__x86_indirect_") || name.starts_with("__SCT__") || name.starts_with("__static_call")
    {
        Callee::Any
    } else {
        Callee::Named(name)
    }
}

/// Every place in the function behind a call, by its offset, with what is called.
pub fn returns(image: &Image<'_>, symbol: &Symbol) -> Vec<(u64, Callee)> {
    let code = code(image, symbol);
    code.insns
        .iter()
        .filter(|insn| matches!(insn.flow, Flow::Call(_) | Flow::CallIndirect(_)) || calls_thunk(image, insn))
        .flat_map(|insn| {
            let whole = i64::from(insn.len);
            // Where the kernel patches the call to a shorter one, that one's end.
            let shorter: &[i64] = match image.arch() {
                Arch::X86_64 if whole == 5 => &[2, 3],
                Arch::X86_64 if whole > 5 => &[5],
                _ => &[],
            };
            let ends = shorter.iter().filter(move |len| patched(image, insn.address.offset(**len)));
            ends.copied().chain([whole]).map(|len| insn.address.offset(len)).collect::<Vec<_>>()
        })
        .filter_map(|back| {
            let callee = call_before(image, back).unwrap_or(Callee::Any);
            Some((back.0.checked_sub(symbol.address.0)?, callee))
        })
        .collect()
}

/// A call to `__fentry__` is no call to the analysis, but a place where a tracer is entered from.
fn calls_thunk(image: &Image<'_>, insn: &kwhy_flow::insn::Insn) -> bool {
    image.arch() == Arch::X86_64 && insn.bytes().first() == Some(&0xe8)
}

/// Where each instruction of the function begins, by its offset.
pub fn boundaries(image: &Image<'_>, symbol: &Symbol) -> Vec<u64> {
    let code = code(image, symbol);
    code.insns.iter().filter_map(|insn| insn.address.0.checked_sub(symbol.address.0)).collect()
}

fn code(image: &Image<'_>, symbol: &Symbol) -> Code {
    let size = symbol.size.max(symbol.elf_size).min(LARGEST);
    let end = ImageAddr(symbol.address.0.saturating_add(size));
    Code::read(image, symbol.address, &[symbol.address..end])
}

/// Whether a function passes control on by jumping, to `wanted` or to wherever a value says.
pub fn jumps_to(image: &Image<'_>, symbol: &Symbol, wanted: &str) -> bool {
    let code = code(image, symbol);
    code.insns.iter().any(|insn| match &insn.flow {
        Flow::Jump(target) | Flow::Branch(target) => {
            code.index_of(*target).is_none()
                && code.symbol_name(image, *target).is_none_or(|name| same(&name, wanted))
        }
        Flow::JumpIndirect(_) => true,
        _ => false,
    })
}

/// Whether two symbols are one function: aliases differ in underscores and `__pi_`, clones in suffixes.
pub fn same(a: &str, b: &str) -> bool {
    let plain = |name: &str| {
        let name = crate::names::base_name(name);
        name.strip_prefix("__pi_").unwrap_or(name).trim_start_matches('_').to_owned()
    };
    a == b || plain(a) == plain(b)
}

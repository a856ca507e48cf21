//! What the types say of arrays near the fault: a subscript that is no element of its array, and
//! a pointer that stands directly behind an array of characters.

use kwhy_arch::AddressContext;
use kwhy_base::{ImageAddr, Reg};
use kwhy_flow::expr::Recovered;
use kwhy_flow::scene::Scene;
use kwhy_image::{Image, Type, TypeId};

/// An element that its array does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The subscript in C: `slot`.
    pub index: String,
    /// Its value, as the register has it.
    pub value: i64,
    /// How many elements the array has.
    pub count: u64,
    /// The register that holds the subscript.
    pub register: Reg,
}

/// An array of characters that ends where a pointer begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextBefore {
    /// The struct that holds both.
    pub record: String,
    /// The array.
    pub array: String,
    /// Its length in bytes.
    pub length: u64,
    /// Where the array begins, in bytes from the struct's start.
    pub offset: u64,
    /// The pointer's member.
    pub pointer: String,
}

/// The subscript of the recovered expression whose value, as the registers have it, is none of
/// the array's, where the pointer that the array was reached through looks like one of the kernel's.
pub fn outside(
    scene: &Scene<'_, '_>,
    pc: ImageAddr,
    recovered: &Recovered,
    fault: Option<u64>,
    registers: &dyn Fn(Reg) -> Option<u64>,
    space: &AddressContext,
) -> Option<Outside> {
    let cpu = kwhy_arch::cpu(scene.arch())?;
    let record = recovered.main.record.as_deref()?;
    let member = recovered.main.member.as_deref()?;
    let ty = scene.image.find_type_near(record, pc)?;
    let offset = recovered.main.offset?;
    for subscript in subscripts(scene.image, ty, member) {
        let (Some(count), Some(size)) = (subscript.count, subscript.size) else { continue };
        let (name, plus) = without_constant(&subscript.text);
        if name.parse::<u64>().is_ok() {
            continue;
        }
        let holder = cpu
            .registers
            .iter()
            .map(|(_, register)| *register)
            .find(|register| scene.holds(pc, *register).as_deref() == Some(name));
        let Some((register, printed)) = holder.and_then(|r| Some((r, registers(r)?))) else { continue };
        // What is above the subscript's own width says nothing; the width that leads from the
        // fault address back to a good pointer is the right one.
        let forms = [printed as i64, i64::from(printed as u32), i64::from(printed as i32)];
        let found = forms.into_iter().find(|value| {
            let element = value.wrapping_add(plus);
            let beyond = element < 0 || element.unsigned_abs() >= count;
            let pointer = fault.map(|fault| {
                fault
                    .wrapping_sub((value.wrapping_mul(size as i64)) as u64)
                    .wrapping_add_signed(offset.wrapping_neg())
            });
            beyond && pointer.is_some_and(|pointer| is_kernels(scene, pointer, space))
        });
        if let Some(value) = found {
            return Some(Outside { index: subscript.text, value: value.wrapping_add(plus), count, register });
        }
    }
    None
}

/// Whether a value is an address that kernel data may have.
fn is_kernels(scene: &Scene<'_, '_>, value: u64, space: &AddressContext) -> bool {
    use kwhy_arch::Region;
    let region = kwhy_arch::classify_address(scene.arch(), value, space).region;
    matches!(
        region,
        Region::LinearMap | Region::Vmalloc | Region::KernelData | Region::Module | Region::KernelText
    )
}

/// One subscript of a member path.
#[derive(Debug, PartialEq, Eq)]
struct Subscript {
    text: String,
    count: Option<u64>,
    /// Bytes an element.
    size: Option<u64>,
}

/// The subscripts of a path like `rows[i].cell[j + 1]` into `ty`, with the arrays they are for.
fn subscripts(image: &Image<'_>, ty: TypeId, path: &str) -> Vec<Subscript> {
    let mut found = Vec::new();
    let mut at = Some(ty);
    let mut rest = path;
    // A path of hostile debug information is as long as its text at most.
    while let Some(first) = rest.chars().next() {
        if first == '[' {
            let Some(end) = closing(rest) else { break };
            let text = rest.get(1..end).unwrap_or_default().to_owned();
            rest = rest.get(end.saturating_add(1)..).unwrap_or_default();
            let array = at.map(|ty| image.strip(ty));
            let (element, count) = match array {
                Some(Type::Array { element, count }) => (Some(element), count),
                _ => (None, None),
            };
            found.push(Subscript { text, count, size: element.and_then(|element| image.size_of(element)) });
            at = element;
        } else {
            let start = rest.strip_prefix('.').unwrap_or(rest);
            let end = start.find(['.', '[']).unwrap_or(start.len());
            let name = start.get(..end).unwrap_or_default();
            rest = start.get(end..).unwrap_or_default();
            at = at.and_then(|ty| member(image, ty, name, 0)).map(|(_, ty)| ty);
            if name.is_empty() {
                break;
            }
        }
    }
    found
}

/// Where the bracket that `text` begins with is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth = depth.saturating_add(1),
            ']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// `slot + 3` as `slot` and 3; compilers fold the constant part of a subscript into the offset.
fn without_constant(text: &str) -> (&str, i64) {
    for (sign, mark) in [(1i64, " + "), (-1, " - ")] {
        if let Some((name, number)) = text.rsplit_once(mark)
            && let Ok(number) = number.parse::<i64>()
        {
            return (name, number.wrapping_mul(sign));
        }
    }
    (text, 0)
}

/// How deep anonymous members are looked into.
const MAX_DEPTH: u32 = 8;

/// A member by its name, anonymous ones looked into: its offset and type.
fn member(image: &Image<'_>, ty: TypeId, name: &str, depth: u32) -> Option<(u64, TypeId)> {
    let Type::Record(record) = image.strip(ty) else { return None };
    if depth > MAX_DEPTH {
        return None;
    }
    record.members.iter().find_map(|at| match &at.name {
        Some(own) => (**own == *name && at.bits.is_none()).then_some((at.offset, at.ty)),
        None => member(image, at.ty, name, depth.saturating_add(1))
            .map(|(offset, ty)| (at.offset.saturating_add(offset), ty)),
    })
}

/// Where a member, given as a path without subscripts, lies in a struct, in bytes.
pub fn offset_of(image: &Image<'_>, near: ImageAddr, record: &str, path: &str) -> Option<u64> {
    let mut at = (0u64, image.find_type_near(record, near)?);
    for name in path.split('.') {
        let (offset, ty) = member(image, at.1, name, 0)?;
        at = (at.0.checked_add(offset)?, ty);
    }
    Some(at.0)
}

/// The array of characters that ends where `pointer` of `record` begins, padding apart.
pub fn text_before(image: &Image<'_>, near: ImageAddr, record: &str, pointer: &str) -> Option<TextBefore> {
    let ty = image.find_type_near(record, near)?;
    // `names.alias` lies in the struct that `names` is.
    let (outer, last) = match pointer.rsplit_once('.') {
        Some((outer, last)) => (Some(outer), last),
        None => (None, pointer),
    };
    let holder = outer
        .into_iter()
        .flat_map(|path| path.split('.'))
        .try_fold(ty, |ty, name| member(image, ty, name, 0).map(|(_, ty)| ty))?;
    let (offset, _) = member(image, holder, last, 0)?;
    let Type::Record(members) = image.strip(holder) else { return None };
    members.members.iter().find_map(|at| {
        let Type::Array { element, count: Some(count) } = image.strip(at.ty) else { return None };
        let character = matches!(image.strip(element), Type::Base { size: 1, .. });
        let gap = offset.checked_sub(at.offset.checked_add(count)?)?;
        (character && gap < 8 && count > 0).then(|| TextBefore {
            record: image.type_name(holder),
            array: at.name.as_deref().unwrap_or_default().to_owned(),
            length: count,
            offset: at.offset,
            pointer: last.to_owned(),
        })
    })
}

/// How many of a value's bytes, from the lowest on, are printable characters.
pub fn text_bytes(value: u64) -> usize {
    value.to_le_bytes().iter().take_while(|byte| (0x20..0x7f).contains(*byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constant_part_of_a_subscript_is_taken_off() {
        assert_eq!(without_constant("slot"), ("slot", 0));
        assert_eq!(without_constant("slot + 3"), ("slot", 3));
        assert_eq!(without_constant("h->n - 1"), ("h->n", -1));
        assert_eq!(without_constant("a + b"), ("a + b", 0));
    }

    #[test]
    fn brackets_close_where_they_were_opened() {
        assert_eq!(closing("[a[i]].x"), Some(5));
        assert_eq!(closing("[a"), None);
    }

    #[test]
    fn text_is_counted_from_the_lowest_byte() {
        assert_eq!(text_bytes(0xffff_ff58_6563_6976), 5);
        assert_eq!(text_bytes(0xffff_8880_0123_4510), 0);
        assert_eq!(text_bytes(0x2174_736f_6f62_2d73), 8);
    }
}

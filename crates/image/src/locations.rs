//! DWARF location descriptions, as far as they are simple enough to say in one [`Place`].

use crate::function::{Place, VariableLocation};
use crate::reader::Bytes;
use crate::units::{Debug, Die, Unit};
use gimli::{AttributeValue, Expression, Operation, Reader};
use kwhy_base::{ImageAddr, Reg};

const MAX_OPERATIONS: usize = 64;
const MAX_LOCATIONS: usize = 20_000;

/// The base of a sum.
#[derive(Clone, Copy, PartialEq)]
enum Base {
    None,
    Register(Reg),
    Cfa,
    Address(u64),
    Entry(Reg),
}

/// What a frame-relative location counts from (`DW_AT_frame_base`).
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum FrameBase {
    /// `DW_OP_call_frame_cfa`: what GCC writes.
    Cfa,
    /// A register: what clang writes.
    Register(Reg),
    Unknown,
}

impl<'d> Debug<'d> {
    pub(crate) fn frame_base(&self, unit: &Unit<'d>, function: &Die<'d>) -> FrameBase {
        let Some(AttributeValue::Exprloc(expression)) = function.attr_value(gimli::DW_AT_frame_base) else {
            return FrameBase::Unknown;
        };
        let mut operations = expression.operations(unit.unit.encoding());
        match (operations.next(), operations.next()) {
            (Ok(Some(Operation::CallFrameCFA)), Ok(None)) => FrameBase::Cfa,
            (Ok(Some(Operation::Register { register })), Ok(None)) => FrameBase::Register(Reg(register.0)),
            _ => FrameBase::Unknown,
        }
    }

    /// Where a variable is: from `DW_AT_location` or `DW_AT_const_value`.
    pub(crate) fn variable_locations(
        &self,
        unit: &Unit<'d>,
        entry: &Die<'d>,
        frame: FrameBase,
    ) -> Vec<VariableLocation> {
        if let Some(value) = entry.attr_value(gimli::DW_AT_const_value) {
            let place = constant(&value).map_or(Place::Other, Place::Constant);
            return vec![VariableLocation { range: None, place }];
        }
        let Some(value) = entry.attr_value(gimli::DW_AT_location) else { return Vec::new() };
        if let AttributeValue::Exprloc(expression) = value {
            if Reader::is_empty(&expression.0) {
                return Vec::new();
            }
            return vec![VariableLocation { range: None, place: self.place(unit, expression, frame) }];
        }
        let mut found = Vec::new();
        match self.dwarf.attr_locations(&unit.unit, value) {
            Ok(Some(mut list)) => loop {
                match next_location(&mut list) {
                    Ok(Some((begin, end, data))) => {
                        if begin <= end && !Reader::is_empty(&data.0) {
                            let range = Some(ImageAddr(begin)..ImageAddr(end));
                            found.push(VariableLocation { range, place: self.place(unit, data, frame) });
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        self.problem(format!(
                            "unit at {:#x}: a location list is damaged: {error}",
                            unit.offset
                        ));
                        break;
                    }
                }
                if found.len() >= MAX_LOCATIONS {
                    break;
                }
            },
            Ok(None) => {}
            Err(error) => {
                self.problem(format!("unit at {:#x}: a location list is damaged: {error}", unit.offset));
            }
        }
        found
    }

    fn place(&self, unit: &Unit<'d>, expression: Expression<Bytes<'d>>, frame: FrameBase) -> Place {
        let pieces = || pieces(unit, expression.clone()).map(Place::Pieces);
        self.evaluate(unit, expression.clone(), frame).or_else(pieces).unwrap_or(Place::Other)
    }

    /// Sums of one base and constants are followed; `None` for all else.
    fn evaluate(
        &self,
        unit: &Unit<'d>,
        expression: Expression<Bytes<'d>>,
        frame: FrameBase,
    ) -> Option<Place> {
        let encoding = unit.unit.encoding();
        let mut operations = expression.operations(encoding);
        let mut stack: Vec<(Base, i64)> = Vec::new();
        let mut is_value = false;
        for step in 0..MAX_OPERATIONS {
            let Some(operation) = operations.next().ok()? else { break };
            if is_value {
                // Pieces and the like after the end of a description.
                return None;
            }
            match operation {
                Operation::Register { register } => {
                    let last = operations.next().ok()?.is_none();
                    return (step == 0 && last).then_some(Place::Register(Reg(register.0)));
                }
                Operation::ImplicitValue { data } => {
                    let last = operations.next().ok()?.is_none();
                    return (step == 0 && last)
                        .then(|| little_endian(data.as_slice()).map(Place::Constant))?;
                }
                Operation::RegisterOffset { register, offset, base_type } if base_type.0 == 0 => {
                    stack.push((Base::Register(Reg(register.0)), offset));
                }
                Operation::FrameOffset { offset } => match frame {
                    FrameBase::Cfa => stack.push((Base::Cfa, offset)),
                    FrameBase::Register(register) => stack.push((Base::Register(register), offset)),
                    FrameBase::Unknown => return None,
                },
                Operation::CallFrameCFA => stack.push((Base::Cfa, 0)),
                Operation::Address { address } => stack.push((Base::Address(address), 0)),
                Operation::AddressIndex { index } => {
                    stack.push((Base::Address(self.dwarf.address(&unit.unit, index).ok()?), 0));
                }
                Operation::UnsignedConstant { value } => stack.push((Base::None, value as i64)),
                Operation::SignedConstant { value } => stack.push((Base::None, value)),
                Operation::PlusConstant { value } => {
                    let top = stack.last_mut()?;
                    top.1 = top.1.wrapping_add(value as i64);
                }
                Operation::Plus => {
                    let (right, left) = (stack.pop()?, stack.pop()?);
                    let base = match (left.0, right.0) {
                        (base, Base::None) | (Base::None, base) => base,
                        _ => return None,
                    };
                    stack.push((base, left.1.wrapping_add(right.1)));
                }
                Operation::Minus => {
                    let (right, left) = (stack.pop()?, stack.pop()?);
                    if right.0 != Base::None {
                        return None;
                    }
                    stack.push((left.0, left.1.wrapping_sub(right.1)));
                }
                Operation::EntryValue { expression } => {
                    let mut inner = Expression(expression).operations(encoding);
                    match (inner.next().ok()?, inner.next().ok()?) {
                        (Some(Operation::Register { register }), None) => {
                            stack.push((Base::Entry(Reg(register.0)), 0));
                        }
                        _ => return None,
                    }
                }
                Operation::Nop => {}
                Operation::StackValue => is_value = true,
                _ => return None,
            }
        }
        let [(base, offset)] = stack.as_slice() else { return None };
        Some(match (base, is_value) {
            (Base::Register(register), false) => Place::Memory(*register, *offset),
            (Base::Register(register), true) => Place::Computed(*register, *offset),
            (Base::Cfa, false) => Place::Frame(*offset),
            (Base::Cfa, true) => Place::FrameAddress(*offset),
            (Base::Address(address), false) => {
                Place::Address(ImageAddr(address.wrapping_add_signed(*offset)))
            }
            (Base::Address(address), true) => {
                Place::AddressOf(ImageAddr(address.wrapping_add_signed(*offset)))
            }
            (Base::None, true) => Place::Constant(*offset as u64),
            (Base::Entry(register), true) => Place::Entry(*register, *offset),
            // Memory at an absolute number (per-cpu and thread-local storage) or at what a
            // register once held.
            (Base::None | Base::Entry(_), false) => return None,
        })
    }
}

/// A constant attribute as the 64 bits that it stands for.
pub(crate) fn constant(value: &AttributeValue<Bytes<'_>>) -> Option<u64> {
    match value {
        AttributeValue::Sdata(value) => Some(*value as u64),
        AttributeValue::Block(bytes) => little_endian(bytes.as_slice()),
        other => other.udata_value(),
    }
}

fn little_endian(bytes: &[u8]) -> Option<u64> {
    let mut whole = [0u8; 8];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    (!bytes.is_empty()).then(|| u64::from_le_bytes(whole))
}

/// The next entry of a location list, empty ones included.
///
/// An empty range holds between two instructions (a location view of GCC): the value is there,
/// if only until the next instruction runs. `LocListIter::next` passes over those, so a
/// range that is empty is made one byte long for the conversion and emptied again after it.
fn next_location<'d>(
    list: &mut gimli::LocListIter<Bytes<'d>>,
) -> gimli::Result<Option<(u64, u64, Expression<Bytes<'d>>)>> {
    use gimli::RawLocListEntry as Raw;
    while let Some(mut raw) = list.next_raw()? {
        let empty = match &mut raw {
            Raw::OffsetPair { begin, end, .. }
            | Raw::AddressOrOffsetPair { begin, end, .. }
            | Raw::StartEnd { begin, end, .. }
                if begin == end =>
            {
                *end = end.wrapping_add(1);
                true
            }
            Raw::StartLength { length, .. } | Raw::StartxLength { length, .. } if *length == 0 => {
                *length = 1;
                true
            }
            _ => false,
        };
        if let Some(entry) = list.convert_raw(raw)? {
            let end = if empty { entry.range.begin } else { entry.range.end };
            return Ok(Some((entry.range.begin, end, entry.data)));
        }
    }
    Ok(None)
}

/// An object that lies in several registers (a struct passed by value): byte offset, bytes and
/// register of each part. Parts that are nowhere, or not in a register, are left out.
fn pieces<'d>(unit: &Unit<'d>, expression: Expression<Bytes<'d>>) -> Option<Vec<(u64, u64, Reg)>> {
    let mut operations = expression.operations(unit.unit.encoding());
    let mut found = Vec::new();
    let mut register = None;
    let mut plain = true;
    let mut offset = 0u64;
    for _ in 0..MAX_OPERATIONS {
        let Some(operation) = operations.next().ok()? else { break };
        match operation {
            Operation::Register { register: r } if plain && register.is_none() => register = Some(Reg(r.0)),
            Operation::Piece { size_in_bits, bit_offset: None } if size_in_bits % 8 == 0 => {
                let size = size_in_bits / 8;
                if let Some(register) = register.take().filter(|_| plain) {
                    found.push((offset, size, register));
                }
                plain = true;
                offset = offset.checked_add(size)?;
            }
            _ => plain = false,
        }
    }
    (!found.is_empty()).then_some(found)
}

//! C types from DWARF, read one at a time when they are asked for.

use crate::image::Image;
use crate::locations::constant;
use crate::reader::Bytes;
use crate::types::{Member, Record, Type, TypeId};
use crate::units::{Debug, Die, Unit, Value};
use gimli::{DwTag, UnitOffset};
use std::rc::Rc;

/// Longest chain of qualifiers and typedefs that is followed; hostile ones may be circular.
pub(crate) const MAX_CHAIN: usize = 64;
const MAX_MEMBERS: usize = 100_000;
const MAX_TYPES: usize = 4_000_000;

/// What a [`TypeId`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Void,
    /// The entry at this offset of `.debug_info`.
    Dwarf(usize),
    /// An array's dimensions from this one on; the first is the entry itself.
    Dimension(usize, u32),
    /// The type with this number in `.BTF`.
    Btf(u32),
}

fn is_qualifier(tag: DwTag) -> bool {
    matches!(
        tag,
        gimli::DW_TAG_const_type
            | gimli::DW_TAG_volatile_type
            | gimli::DW_TAG_restrict_type
            | gimli::DW_TAG_atomic_type
            | gimli::DW_TAG_packed_type
            | gimli::DW_TAG_immutable_type
    )
}

impl<'d> Image<'d> {
    pub(crate) fn intern(&self, key: Key) -> TypeId {
        if let Some(id) = self.types.ids.borrow().get(&key) {
            return *id;
        }
        let mut keys = self.types.keys.borrow_mut();
        if keys.len() >= MAX_TYPES {
            return TypeId(0);
        }
        let id = TypeId(u32::try_from(keys.len()).unwrap_or(0));
        keys.push(key);
        self.types.ids.borrow_mut().insert(key, id);
        id
    }

    pub(crate) fn key_of(&self, id: TypeId) -> Key {
        self.types.keys.borrow().get(id.0 as usize).copied().unwrap_or(Key::Void)
    }

    /// The type that a `DW_AT_type` refers to, qualifiers dropped.
    pub(crate) fn intern_reference(
        &self,
        debug: &Debug<'d>,
        unit: &Rc<Unit<'d>>,
        value: &Value<'d>,
    ) -> TypeId {
        let Some(mut target) = debug.target(unit, value) else { return TypeId(0) };
        let mut unit = Rc::clone(unit);
        for _ in 0..MAX_CHAIN {
            // Known already: the common case, and no need to read the entry again.
            if let Some(id) = self.types.ids.borrow().get(&Key::Dwarf(target)) {
                return *id;
            }
            if !(unit.offset <= target && target < unit.end) {
                match debug.unit_of_die(target) {
                    Some(other) => unit = other,
                    None => return TypeId(0),
                }
            }
            let Some(entry) = debug.entry(&unit, UnitOffset(target.saturating_sub(unit.offset))) else {
                return TypeId(0);
            };
            if !is_qualifier(entry.tag()) {
                return self.intern(Key::Dwarf(target));
            }
            match entry.attr_value(gimli::DW_AT_type).and_then(|value| debug.target(&unit, &value)) {
                Some(next) => target = next,
                None => return TypeId(0),
            }
        }
        TypeId(0)
    }

    fn own_type(&self, debug: &Debug<'d>, unit: &Rc<Unit<'d>>, entry: &Die<'d>) -> TypeId {
        match entry.attr_value(gimli::DW_AT_type) {
            Some(value) => self.intern_reference(debug, unit, &value),
            None => TypeId(0),
        }
    }

    /// Reads one type. `None` where the entry is unreadable or no type.
    pub(crate) fn read_dwarf_type(&self, offset: usize, dimension: u32) -> Option<Type> {
        let debug = self.debug()?;
        let unit = debug.unit_of_die(offset)?;
        let entry = debug.entry(&unit, UnitOffset(offset.checked_sub(unit.offset)?))?;
        let name = || debug.own_name(&unit, &entry);
        let size = || entry.attr_value(gimli::DW_AT_byte_size).and_then(|value| value.udata_value());
        Some(match entry.tag() {
            gimli::DW_TAG_base_type => {
                let encoding = match entry.attr_value(gimli::DW_AT_encoding) {
                    Some(gimli::AttributeValue::Encoding(encoding)) => encoding,
                    _ => gimli::DwAte(0),
                };
                let name = name().unwrap_or_else(|| Rc::from("?"));
                let character = matches!(
                    encoding,
                    gimli::DW_ATE_signed_char | gimli::DW_ATE_unsigned_char | gimli::DW_ATE_UTF
                );
                Type::Base {
                    // `u8` is `unsigned char` for the compiler as well; only the name of the
                    // typedef tells them apart, and that is the caller's to judge.
                    char_like: character && size() == Some(1),
                    size: size().unwrap_or(0),
                    signed: matches!(encoding, gimli::DW_ATE_signed | gimli::DW_ATE_signed_char),
                    name,
                }
            }
            gimli::DW_TAG_pointer_type
            | gimli::DW_TAG_reference_type
            | gimli::DW_TAG_rvalue_reference_type => Type::Pointer(self.own_type(debug, &unit, &entry)),
            gimli::DW_TAG_structure_type | gimli::DW_TAG_union_type | gimli::DW_TAG_class_type => {
                if entry.attr_value(gimli::DW_AT_declaration).is_some() {
                    return Some(self.completed(entry.tag() == gimli::DW_TAG_union_type, name()));
                }
                Type::Record(Rc::new(Record {
                    union: entry.tag() == gimli::DW_TAG_union_type,
                    name: name(),
                    size: size().unwrap_or(0),
                    members: self.members(debug, &unit, &entry),
                }))
            }
            gimli::DW_TAG_array_type => self.array(debug, &unit, &entry, offset, dimension),
            gimli::DW_TAG_enumeration_type => Type::Enum {
                name: name(),
                size: size().unwrap_or(0),
                values: enumerators(debug, &unit, &entry),
            },
            gimli::DW_TAG_typedef => Type::Typedef {
                name: name().unwrap_or_else(|| Rc::from("?")),
                target: self.own_type(debug, &unit, &entry),
            },
            gimli::DW_TAG_subroutine_type | gimli::DW_TAG_subprogram => {
                let mut parameters = Vec::new();
                children(debug, &unit, &entry, |child| {
                    if child.tag() == gimli::DW_TAG_formal_parameter {
                        parameters.push(self.own_type(debug, &unit, child));
                    }
                });
                Type::Function { returns: self.own_type(debug, &unit, &entry), parameters: parameters.into() }
            }
            tag if is_qualifier(tag) => {
                let id = self.own_type(debug, &unit, &entry);
                match self.key_of(id) {
                    Key::Dwarf(target) if target != offset => self.type_of(id),
                    _ => Type::Void,
                }
            }
            _ => Type::Void,
        })
    }

    fn array(
        &self,
        debug: &Debug<'d>,
        unit: &Rc<Unit<'d>>,
        entry: &Die<'d>,
        offset: usize,
        dimension: u32,
    ) -> Type {
        let mut counts: Vec<Option<u64>> = Vec::new();
        children(debug, unit, entry, |child| {
            if child.tag() == gimli::DW_TAG_subrange_type || child.tag() == gimli::DW_TAG_enumeration_type {
                counts.push(count(child));
            }
        });
        let element = if (dimension as usize).saturating_add(1) < counts.len() {
            self.intern(Key::Dimension(offset, dimension.saturating_add(1)))
        } else {
            self.own_type(debug, unit, entry)
        };
        Type::Array { element, count: counts.get(dimension as usize).copied().flatten() }
    }

    fn members(&self, debug: &Debug<'d>, unit: &Rc<Unit<'d>>, entry: &Die<'d>) -> Vec<Member> {
        let mut members = Vec::new();
        children(debug, unit, entry, |child| {
            // A member that is only declared is a static member of another language.
            let is_static = child.attr_value(gimli::DW_AT_external).is_some();
            if child.tag() == gimli::DW_TAG_member && !is_static && members.len() < MAX_MEMBERS {
                members.push(self.member(debug, unit, child));
            }
        });
        members
    }

    fn member(&self, debug: &Debug<'d>, unit: &Rc<Unit<'d>>, entry: &Die<'d>) -> Member {
        let number = |name| entry.attr_value(name).as_ref().and_then(constant);
        let ty = self.own_type(debug, unit, entry);
        let start = match entry.attr_value(gimli::DW_AT_data_member_location) {
            Some(gimli::AttributeValue::Exprloc(expression)) => {
                // DWARF 2 wrote offsets as `DW_OP_plus_uconst N`.
                match expression.operations(unit.unit.encoding()).next() {
                    Ok(Some(gimli::Operation::PlusConstant { value })) => value,
                    _ => 0,
                }
            }
            Some(value) => constant(&value).unwrap_or(0),
            None => 0,
        };
        let width = number(gimli::DW_AT_bit_size);
        let bits = width.map(|width| {
            let first = match number(gimli::DW_AT_data_bit_offset) {
                Some(first) => start.wrapping_mul(8).wrapping_add(first),
                // Before DWARF 5: bits from the most significant end of the storage unit
                // (DWARF 3, section 5.5.6), which is turned round for little-endian machines.
                None => match number(gimli::DW_AT_bit_offset) {
                    Some(from_top) => {
                        let storage =
                            number(gimli::DW_AT_byte_size).or_else(|| self.size_of(ty)).unwrap_or(0);
                        start
                            .wrapping_mul(8)
                            .wrapping_add(storage.wrapping_mul(8))
                            .wrapping_sub(from_top)
                            .wrapping_sub(width)
                    }
                    None => start.wrapping_mul(8),
                },
            };
            (first, width)
        });
        Member {
            name: debug.own_name(unit, entry),
            offset: bits.map_or(start, |(first, _)| first / 8),
            ty,
            bits,
        }
    }

    /// The full definition of a struct or union that a unit only declares.
    fn completed(&self, union: bool, name: Option<Rc<str>>) -> Type {
        let keyword = if union { "union" } else { "struct" };
        let full = name.as_ref().and_then(|name| self.only_definition(keyword, name));
        match full.map(|id| self.type_of(id)) {
            Some(Type::Record(record)) => Type::Record(record),
            _ => Type::Record(Rc::new(Record { union, name, size: 0, members: Vec::new() })),
        }
    }
}

/// `DW_AT_count`, or the upper bound plus one; `None` for a flexible array.
fn count(entry: &Die<'_>) -> Option<u64> {
    let fixed = |name| match entry.attr_value(name)? {
        gimli::AttributeValue::Exprloc(_) => None,
        value => constant(&value),
    };
    // `int x[0]` is written as a count of 0 or an upper bound of -1.
    fixed(gimli::DW_AT_count).or_else(|| Some(fixed(gimli::DW_AT_upper_bound)?.wrapping_add(1)))
}

fn enumerators<'d>(debug: &Debug<'d>, unit: &Rc<Unit<'d>>, entry: &Die<'d>) -> Rc<[(Rc<str>, i64)]> {
    let mut values = Vec::new();
    children(debug, unit, entry, |child| {
        if child.tag() == gimli::DW_TAG_enumerator
            && let Some(name) = debug.own_name(unit, child)
            && let Some(value) = child.attr_value(gimli::DW_AT_const_value)
        {
            values.push((name, constant(&value).unwrap_or(0) as i64));
        }
    });
    values.into()
}

/// Calls `visit` for each entry right below `entry`.
pub(crate) fn children<'d>(
    debug: &Debug<'d>,
    unit: &Rc<Unit<'d>>,
    entry: &Die<'d>,
    mut visit: impl FnMut(&Die<'d>),
) {
    if !entry.has_children() {
        return;
    }
    let mut walk = || -> gimli::Result<()> {
        let mut raw = unit.unit.entries_raw(Some(entry.offset()))?;
        let mut child = gimli::DebuggingInformationEntry::<Bytes<'d>>::null();
        raw.read_entry(&mut child)?;
        let mut depth = 1usize;
        let mut seen = 0usize;
        while depth > 0 && seen < MAX_MEMBERS * 4 {
            seen += 1;
            if !raw.read_entry(&mut child)? {
                depth -= 1;
                continue;
            }
            if depth == 1 {
                visit(&child);
            }
            if child.has_children() {
                depth += 1;
            }
        }
        Ok(())
    };
    if let Err(error) = walk() {
        let place = unit.offset.saturating_add(entry.offset().0);
        debug.problem(format!("the type at {place:#x} of .debug_info is damaged: {error}"));
    }
}

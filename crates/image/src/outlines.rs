//! The outlines of structs: their size and where their members lie, without the members' types.
//!
//! Two images that share a struct must lay it out alike. A module of a few thousand lines knows
//! hundreds of the kernel's structs, so what is compared is read in one pass over each side, and
//! no type is followed.

use crate::builder::file_number;
use crate::dwarf_types::children;
use crate::image::Image;
use crate::locations::constant;
use crate::units::{Debug, Die, Unit};
use gimli::UnitOffset;
use kwhy_base::ImageAddr;
use std::collections::BTreeSet;
use std::rc::Rc;

/// A struct or union, as far as its layout goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// `true` for a union.
    pub union: bool,
    /// The tag.
    pub name: Rc<str>,
    /// Bytes.
    pub size: u64,
    /// In the order of declaration.
    pub members: Vec<OutlineMember>,
    /// Where it is declared, as in the kernel's tree; `None` where the image does not say (BTF).
    pub file: Option<Rc<str>>,
}

/// A member's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlineMember {
    /// `None` for an anonymous struct or union.
    pub name: Option<Rc<str>>,
    /// Bits from the start; `None` where the debug information leaves it to the member's type
    /// (bit-fields before DWARF 4).
    pub bit: Option<u64>,
}

impl<'d> Image<'d> {
    /// The named structs and unions that the image's debug information defines, each name once,
    /// in the order of the units. Reads at most `budget` bytes of debug information.
    #[must_use]
    pub fn outlines(&self, budget: usize) -> Vec<Outline> {
        let Some(debug) = self.debug() else { return Vec::new() };
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut left = budget;
        for (start, end) in debug.headers() {
            let Some(rest) = left.checked_sub(end.saturating_sub(*start)) else { break };
            left = rest;
            if let Some(unit) = debug.unit(*start) {
                self.outlines_of(debug, &unit, &|_| true, &mut seen, &mut found);
            }
        }
        found
    }

    /// The outlines of the structs and unions of these names; several of one name where files
    /// define different ones. From BTF; without it from the units that cover `near`.
    #[must_use]
    pub fn outlines_named(&self, names: &BTreeSet<Rc<str>>, near: &[ImageAddr]) -> Vec<Outline> {
        if let Some(btf) = self.btf() {
            return btf.outlines(names);
        }
        let Some(debug) = self.debug() else { return Vec::new() };
        let mut found = Vec::new();
        let mut units = BTreeSet::new();
        for address in near {
            let Some(unit) = debug.unit_at(address.0) else { continue };
            if units.insert(unit.offset) {
                let wanted = |name: &str| names.contains(name);
                self.outlines_of(debug, &unit, &wanted, &mut BTreeSet::new(), &mut found);
            }
        }
        found
    }

    fn outlines_of(
        &self,
        debug: &Debug<'d>,
        unit: &Rc<Unit<'d>>,
        wanted: &dyn Fn(&str) -> bool,
        seen: &mut BTreeSet<(bool, Rc<str>)>,
        found: &mut Vec<Outline>,
    ) {
        for (offset, tag) in debug.top(unit) {
            let union = match *tag {
                gimli::DW_TAG_structure_type => false,
                gimli::DW_TAG_union_type => true,
                _ => continue,
            };
            let Some(entry) = debug.entry(unit, UnitOffset(*offset)) else { continue };
            if entry.attr_value(gimli::DW_AT_declaration).is_some() {
                continue;
            }
            let Some(name) = debug.own_name(unit, &entry).filter(|name| wanted(name)) else { continue };
            let size = entry.attr_value(gimli::DW_AT_byte_size).and_then(|value| value.udata_value());
            let Some(size) = size else { continue };
            if !seen.insert((union, Rc::clone(&name))) {
                continue;
            }
            let mut members = Vec::new();
            children(debug, unit, &entry, |child| {
                // A static member of another language takes no place.
                if child.tag() == gimli::DW_TAG_member
                    && child.attr_value(gimli::DW_AT_external).is_none()
                    && members.len() < MAX_MEMBERS
                {
                    members.push(OutlineMember { name: debug.own_name(unit, child), bit: bit_of(child) });
                }
            });
            let file = entry.attr_value(gimli::DW_AT_decl_file);
            let file = file.and_then(|value| debug.file(unit, file_number(&value)?)).map(|file| file.shown);
            found.push(Outline { union, name, size, members, file });
        }
    }
}

const MAX_MEMBERS: usize = 20_000;

/// Where a member begins, in bits (DWARF 5, section 5.7.6).
fn bit_of(member: &Die<'_>) -> Option<u64> {
    let number = |name| member.attr_value(name).as_ref().and_then(constant);
    if member.attr_value(gimli::DW_AT_bit_offset).is_some() {
        return None;
    }
    let start = match member.attr_value(gimli::DW_AT_data_member_location) {
        Some(gimli::AttributeValue::Exprloc(_)) => return None,
        Some(value) => constant(&value)?,
        None => 0,
    };
    start.checked_mul(8)?.checked_add(number(gimli::DW_AT_data_bit_offset).unwrap_or(0))
}

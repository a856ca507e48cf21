//! Variables at fixed addresses: all of a unit's, with where they are declared.

use crate::UnitId;
use crate::function::Place;
use crate::image::Image;
use crate::locations::FrameBase;
use crate::types::TypeId;
use crate::units::{Debug, Die, Unit};
use gimli::UnitOffset;
use kwhy_base::ImageAddr;
use std::rc::Rc;

/// A variable that lives at a fixed address as long as its image does.
#[derive(Clone, Debug, PartialEq)]
pub struct StaticVariable {
    /// The name in the source.
    pub name: Rc<str>,
    /// Its type.
    pub ty: Option<TypeId>,
    /// Where it starts; for a per-cpu variable, where its original is.
    pub address: ImageAddr,
    /// File and line of the definition (`DW_AT_decl_file`, `DW_AT_decl_line`).
    pub declared: Option<(Rc<str>, u32)>,
}

impl<'d> Image<'d> {
    /// Every compilation unit, in the order of the image.
    #[must_use]
    pub fn units(&self) -> Vec<UnitId> {
        let Some(debug) = self.debug() else { return Vec::new() };
        debug.headers().iter().map(|(start, _)| UnitId(*start)).collect()
    }

    /// The unit that covers a piece of code.
    #[must_use]
    pub fn unit_of(&self, code: ImageAddr) -> Option<UnitId> {
        Some(UnitId(self.debug()?.unit_at(code.0)?.offset))
    }

    /// The variables of a unit that have a place of their own outside functions, in the order of
    /// the source; those inside functions follow.
    #[must_use]
    pub fn statics_of(&self, unit: UnitId) -> Vec<StaticVariable> {
        let Some(debug) = self.debug() else { return Vec::new() };
        let Some(unit) = debug.unit(unit.0) else { return Vec::new() };
        let mut found = Vec::new();
        for (offset, tag) in debug.top(&unit) {
            match *tag {
                gimli::DW_TAG_variable => found.extend(self.static_at_entry(debug, &unit, *offset)),
                gimli::DW_TAG_subprogram => self.statics_inside(debug, &unit, *offset, &mut found),
                _ => {}
            }
        }
        found
    }

    fn static_at_entry(
        &self,
        debug: &Debug<'d>,
        unit: &Rc<Unit<'d>>,
        offset: usize,
    ) -> Option<StaticVariable> {
        let entry = debug.entry(unit, UnitOffset(offset))?;
        let places = debug.variable_locations(unit, &entry, FrameBase::Unknown);
        let Place::Address(address) = places.first()?.place else { return None };
        Some(StaticVariable {
            name: debug.name(unit, &entry)?,
            ty: self.type_through(debug, unit, &entry),
            address,
            declared: self.declaration(debug, unit, &entry),
        })
    }

    /// File and line where the function at `code` declares the local variable `name`; `None`
    /// where several of that name are declared.
    #[must_use]
    pub fn local_declared(&self, code: ImageAddr, name: &str) -> Option<(Rc<str>, u32)> {
        let debug = self.debug()?;
        let (unit, function) = self.function_place(debug, code)?;
        let mut found: Vec<(Rc<str>, u32)> = Vec::new();
        inside(&unit, function, |entry| {
            if entry.tag() == gimli::DW_TAG_variable
                && debug.name(&unit, entry).as_deref() == Some(name)
                && let Some(declared) = self.declaration(debug, &unit, entry)
                && !found.contains(&declared)
            {
                found.push(declared);
            }
        });
        match found.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    /// The static variables that a function declares in its body.
    fn statics_inside(
        &self,
        debug: &Debug<'d>,
        unit: &Rc<Unit<'d>>,
        function: usize,
        found: &mut Vec<StaticVariable>,
    ) {
        inside(unit, function, |entry| {
            if entry.tag() == gimli::DW_TAG_variable {
                found.extend(self.static_at_entry(debug, unit, entry.offset().0));
            }
        });
    }
}

/// Visits every entry below a function's.
fn inside<'d>(unit: &Rc<Unit<'d>>, function: usize, mut visit: impl FnMut(&Die<'d>)) {
    /// No function of the kernel has so many entries; a damaged one might.
    const MAX_ENTRIES: usize = 200_000;
    let Ok(mut raw) = unit.unit.entries_raw(Some(UnitOffset(function))) else { return };
    let mut entry = Die::null();
    if !matches!(raw.read_entry(&mut entry), Ok(true)) || !entry.has_children() {
        return;
    }
    let mut depth = 1usize;
    for _ in 0..MAX_ENTRIES {
        match raw.read_entry(&mut entry) {
            Ok(true) => {}
            Ok(false) => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return;
                }
                continue;
            }
            Err(_) => return,
        }
        visit(&entry);
        if entry.has_children() {
            depth = depth.saturating_add(1);
        }
    }
}

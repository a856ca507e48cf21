//! Questions that join the symbol table, the line table and the debug entries.

use crate::function::{CodeRange, Place, Scope, ScopeKind};
use crate::image::Image;
use crate::types::TypeId;
use crate::units::{Debug, Die, Unit};
use crate::{Global, LineRow, Prototype, SourceFrame};
use gimli::UnitOffset;
use kwhy_base::ImageAddr;
use std::rc::Rc;

const MAX_PARAMETERS: usize = 256;

/// Levels of source as they are kept: of each the function, a zero, the file, a zero, the line and
/// whether file and line are known (u32, u8, of which bit 0 is the file's and bit 1 the line's).
fn pack_frames(frames: &[SourceFrame]) -> Vec<u8> {
    let mut out = Vec::new();
    for frame in frames {
        for text in [frame.function.as_ref(), frame.file.as_deref().unwrap_or_default()] {
            out.extend(text.bytes().map(|byte| byte.max(1)));
            out.push(0);
        }
        out.extend(frame.line.unwrap_or(0).to_le_bytes());
        out.push(u8::from(frame.file.is_some()) | u8::from(frame.line.is_some()) << 1);
    }
    out
}

fn unpack_frames(mut bytes: &[u8]) -> Option<Vec<SourceFrame>> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let mut text = || {
            let (text, rest) = bytes.split_at_checked(memchr::memchr(0, bytes)?)?;
            bytes = rest.get(1..)?;
            std::str::from_utf8(text).ok().map(Rc::<str>::from)
        };
        let (function, file) = (text()?, text()?);
        let ([a, b, c, d, known], rest) = bytes.split_first_chunk::<5>()?;
        bytes = rest;
        let line = u32::from_le_bytes([*a, *b, *c, *d]);
        frames.push(SourceFrame {
            function,
            file: (known & 1 != 0).then_some(file),
            line: (known & 2 != 0).then_some(line),
        });
    }
    Some(frames)
}

/// Longest stretch of patchable instructions that a compiler puts before the code that its
/// debug information covers; two `nop`s (8 bytes) in arm64 kernels.
pub(crate) const MAX_PROLOGUE: u64 = 64;

impl<'d> Image<'d> {
    /// The unit and the entry of the function that covers `address`.
    ///
    /// GCC before version 13 leaves the instructions of `-fpatchable-function-entry` out of the
    /// function's range, though the symbol covers them: an address there belongs to the
    /// function that starts right after it under the same symbol.
    pub(crate) fn function_place(
        &self,
        debug: &Debug<'d>,
        address: ImageAddr,
    ) -> Option<(Rc<Unit<'d>>, usize)> {
        let exact = |address: u64| {
            let unit = debug.unit_at(address)?;
            let die = debug.function_die(&unit, address)?;
            Some((unit, die))
        };
        if let Some(found) = exact(address.0) {
            return Some(found);
        }
        let symbol = self.symbol_at(address).filter(|symbol| symbol.function)?;
        if address.0.checked_sub(symbol.address.0)? >= MAX_PROLOGUE {
            return None;
        }
        (address.0..address.0.saturating_add(MAX_PROLOGUE.min(symbol.size))).skip(1).find_map(exact)
    }

    /// What an earlier run found, or else what is read now.
    pub(crate) fn find_source(&self, address: ImageAddr) -> Vec<SourceFrame> {
        let Some(debug) = self.debug() else { return Vec::new() };
        let Some(lent) = debug.lent() else { return self.read_source(debug, address) };
        let question = format!("?source {:x}", address.0);
        if let Some(frames) = lent.get(&question).and_then(|kept| unpack_frames(kept.all()?)) {
            return frames;
        }
        let mut frames = Vec::new();
        let made = debug.made(|| {
            frames = self.read_source(debug, address);
            pack_frames(&frames)
        });
        if made.sound {
            lent.put(&question, &made.content);
        }
        frames
    }

    fn read_source(&self, debug: &Debug<'d>, address: ImageAddr) -> Vec<SourceFrame> {
        let place = self.function_place(debug, address);
        let Some(unit) = place.map(|(unit, _)| unit).or_else(|| debug.unit_at(address.0)) else {
            return Vec::new();
        };
        let row = debug.lines(&unit).at(address.0);
        // Where the innermost level is; then, going outwards, where each call was.
        let mut file = row.and_then(|row| debug.file(&unit, u64::from(row.file))).map(|file| file.shown);
        let mut line = row.map(|row| row.line).filter(|line| *line > 0);
        let Some(function) = self.function_at(address) else {
            let name = self.symbols.source_name(&self.elf, address.0).filter(|_| row.is_some());
            let Some(name) = name else { return Vec::new() };
            return vec![SourceFrame { function: Rc::from(name), file, line }];
        };
        // In front of the code that the line table covers: the line of the declaration.
        if row.is_none()
            && let Some((declared_file, declared_line)) = &function.declared
        {
            (file, line) = (Some(Rc::clone(declared_file)), Some(*declared_line));
        }
        let mut frames = Vec::new();
        for scope in function.body.chain(address).into_iter().rev() {
            match &scope.kind {
                ScopeKind::Inlined { name, call_file, call_line, .. } => {
                    frames.push(SourceFrame { function: Rc::clone(name), file, line });
                    file = call_file.clone();
                    line = *call_line;
                }
                ScopeKind::Function => {
                    frames.push(SourceFrame {
                        function: Rc::clone(&function.name),
                        file: file.clone(),
                        line,
                    });
                }
                ScopeKind::Block => {}
            }
        }
        frames
    }

    pub(crate) fn find_lines(&self, range: CodeRange) -> Vec<LineRow> {
        let Some(debug) = self.debug() else { return Vec::new() };
        let place = self.function_place(debug, range.start).map(|(unit, _)| unit);
        let Some(unit) = place.or_else(|| debug.unit_at(range.start.0)) else { return Vec::new() };
        let rows = debug.lines(&unit).within(range.start.0..range.end.0);
        rows.into_iter()
            .filter_map(|row| {
                let file = debug.file(&unit, u64::from(row.file))?;
                Some(LineRow {
                    address: ImageAddr(row.address),
                    file: file.recorded,
                    shown: file.shown,
                    comp_dir: unit.comp_dir.clone(),
                    line: row.line,
                    column: row.column,
                    is_stmt: row.is_stmt,
                })
            })
            .collect()
    }

    pub(crate) fn find_prototype(&self, name: &str, near: ImageAddr) -> Option<Prototype> {
        let Some(debug) = self.debug() else { return self.described_prototype(name) };
        if let Some(unit) = debug.unit_at(near.0)
            && let Some(found) = self.prototype_in(debug, &unit, name)
        {
            return Some(found);
        }
        // Not declared there (a call that the compiler made up, or another image's view): the
        // unit that defines it.
        let symbol = self.symbols_named(name).into_iter().find(|symbol| symbol.function)?;
        let unit = debug.unit_at(symbol.address.0)?;
        let die = debug.function_die(&unit, symbol.address.0)?;
        let entry = debug.entry(&unit, UnitOffset(die))?;
        self.prototype_of(debug, &unit, &entry)
    }

    fn prototype_in(&self, debug: &Debug<'d>, unit: &Rc<Unit<'d>>, name: &str) -> Option<Prototype> {
        debug
            .named(unit, name)
            .into_iter()
            .filter(|(_, tag)| *tag == gimli::DW_TAG_subprogram)
            .filter_map(|(offset, _)| debug.entry(unit, UnitOffset(offset)))
            .filter_map(|entry| self.prototype_of(debug, unit, &entry))
            // A declaration has the types, a definition the names as well.
            .max_by_key(|found| found.parameters.iter().filter(|(name, _)| name.is_some()).count())
    }

    fn prototype_of(&self, debug: &Debug<'d>, unit: &Rc<Unit<'d>>, entry: &Die<'d>) -> Option<Prototype> {
        // An assembler's entry for a function says nothing of its parameters.
        if debug.is_assembler(unit) {
            return None;
        }
        let mut parameters = Vec::new();
        crate::dwarf_types::children(debug, unit, entry, |child| {
            if child.tag() == gimli::DW_TAG_formal_parameter && parameters.len() < MAX_PARAMETERS {
                parameters.push((debug.name(unit, child), self.type_through(debug, unit, child)));
            }
        });
        Some(Prototype {
            name: debug.name(unit, entry)?,
            parameters,
            returns: self.type_through(debug, unit, entry),
        })
    }

    pub(crate) fn find_global(&self, address: ImageAddr, near: ImageAddr) -> Option<Global> {
        let per_cpu = self.section_at(address).is_some_and(|section| section.name.contains("percpu"));
        let Some(debug) = self.debug() else {
            let symbol = self.symbol_at(address).filter(|symbol| !symbol.function)?;
            let (name, ty) = self.described_variable(&symbol.name)?;
            let size = ty.and_then(|ty| self.size_of(ty)).unwrap_or(1);
            let inside = address.0.wrapping_sub(symbol.address.0) < size.max(1);
            return inside.then_some(Global { name, ty, address: symbol.address, per_cpu });
        };
        let unit = debug.unit_at(near.0);
        // A static variable inside the function: its symbol has a number appended.
        if let Some(function) = self.function_at(near)
            && let Some((name, ty, start)) = self.static_local(&function.body, address)
        {
            return Some(Global { name, ty, address: start, per_cpu });
        }
        let symbol = self.symbol_at(address).filter(|symbol| !symbol.function)?;
        let inside = |ty: Option<TypeId>| {
            // The symbol found may be an earlier one that ends before the address.
            let size = ty.and_then(|ty| self.size_of(ty)).or(Some(symbol.elf_size).filter(|size| *size > 0));
            size.is_none_or(|size| address.0.wrapping_sub(symbol.address.0) < size.max(1))
        };
        let (name, ty) = unit.and_then(|unit| self.declared_variable(debug, &unit, &symbol.name))?;
        inside(ty).then_some(Global { name, ty, address: symbol.address, per_cpu })
    }

    /// Whether the object at `start` is a variable of this name, not what a variable was copied
    /// from: a copy that the compiler never made is said to be "at" the original. The symbol of
    /// a static variable is its name, or its name and a number.
    fn is_static(&self, name: &str, start: ImageAddr) -> bool {
        self.symbol_at(start).is_none_or(|symbol| {
            let rest = symbol.name.strip_prefix(name).filter(|_| symbol.address == start);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    fn static_local(
        &self,
        scope: &Scope,
        address: ImageAddr,
    ) -> Option<(Rc<str>, Option<TypeId>, ImageAddr)> {
        let mut open = vec![scope];
        while let Some(scope) = open.pop() {
            for variable in &scope.variables {
                for location in &variable.locations {
                    let Place::Address(start) = location.place else { continue };
                    let size = variable.ty.and_then(|ty| self.size_of(ty)).unwrap_or(1);
                    if address.0.checked_sub(start.0).is_some_and(|offset| offset < size)
                        && self.is_static(&variable.name, start)
                    {
                        return Some((Rc::clone(&variable.name), variable.ty, start));
                    }
                }
            }
            open.extend(&scope.children);
        }
        None
    }

    /// The type of the variable `name` in a unit; a definition's before a declaration's, because
    /// only it knows an array's size.
    pub(crate) fn declared_variable(
        &self,
        debug: &Debug<'d>,
        unit: &Rc<Unit<'d>>,
        name: &str,
    ) -> Option<(Rc<str>, Option<TypeId>)> {
        let mut declared = None;
        for (offset, tag) in debug.named(unit, name) {
            if tag != gimli::DW_TAG_variable {
                continue;
            }
            let Some(entry) = debug.entry(unit, UnitOffset(offset)) else { continue };
            let found = (Rc::from(name), self.type_through(debug, unit, &entry));
            if entry.attr_value(gimli::DW_AT_declaration).is_none() {
                return Some(found);
            }
            declared = declared.or(Some(found));
        }
        declared
    }
}

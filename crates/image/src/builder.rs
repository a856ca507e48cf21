//! Builds a [`Function`] from its entry in the debug information.

use crate::function::{CodeRange, Function, Scope, ScopeKind, Variable};
use crate::image::Image;
use crate::locations::FrameBase;
use crate::queries::MAX_PROLOGUE;
use crate::types::TypeId;
use crate::units::{Debug, Die, Unit};
use gimli::{AttributeValue, UnitOffset};
use kwhy_base::ImageAddr;
use std::rc::Rc;

/// Bounds against hostile nesting and sizes; the largest kernel functions have some 50 levels
/// of inlining and 50 000 entries.
const MAX_DEPTH: usize = 400;
const MAX_ENTRIES: usize = 1_000_000;

/// An entry whose children are being read.
enum Frame {
    Scope(Scope),
    /// Call sites, nested functions, types: their children are of no interest.
    Skipped,
}

impl<'d> Image<'d> {
    pub(crate) fn build_function(
        &self,
        debug: &Debug<'d>,
        unit: &Rc<Unit<'d>>,
        offset: usize,
    ) -> Option<Function> {
        let entry = debug.entry(unit, UnitOffset(offset))?;
        let mut ranges = code_ranges(debug, unit, &entry);
        let low = entry
            .attr_value(gimli::DW_AT_entry_pc)
            .or_else(|| entry.attr_value(gimli::DW_AT_low_pc))
            .and_then(|value| debug.dwarf.attr_address(&unit.unit, value).ok().flatten())
            .map(ImageAddr);
        // The first range is the function proper; a split-off part comes after it.
        let first = ranges.first()?.start;
        let mut entry_point =
            low.filter(|low| ranges.iter().any(|range| range.contains(low))).unwrap_or(first);
        // Instructions for patching come first where the symbol says so; see `function_place()`.
        if let Some(symbol) = self.symbol_at(entry_point).filter(|symbol| symbol.function)
            && (1..MAX_PROLOGUE).contains(&entry_point.0.wrapping_sub(symbol.address.0))
            && let Some(range) = ranges.iter_mut().find(|range| range.start == entry_point)
        {
            range.start = symbol.address;
            entry_point = symbol.address;
        }
        let name = debug.name(unit, &entry).unwrap_or_else(|| Rc::from("?"));
        Some(Function {
            name,
            entry: entry_point,
            returns: self.type_through(debug, unit, &entry),
            declared: self.declaration(debug, unit, &entry),
            body: self.body(debug, unit, offset, ranges.clone()),
            ranges,
        })
    }

    pub(crate) fn declaration(
        &self,
        debug: &Debug<'d>,
        unit: &Rc<Unit<'d>>,
        entry: &Die<'d>,
    ) -> Option<(Rc<str>, u32)> {
        let (file_unit, file) = debug.attr_through(unit, entry, gimli::DW_AT_decl_file)?;
        let (_, line) = debug.attr_through(unit, entry, gimli::DW_AT_decl_line)?;
        let file = debug.file(&file_unit, file_number(&file)?)?;
        Some((file.shown, u32::try_from(line.udata_value()?).ok()?))
    }

    pub(crate) fn type_through(
        &self,
        debug: &Debug<'d>,
        unit: &Rc<Unit<'d>>,
        entry: &Die<'d>,
    ) -> Option<TypeId> {
        let (unit, value) = debug.attr_through(unit, entry, gimli::DW_AT_type)?;
        Some(self.intern_reference(debug, &unit, &value))
    }

    /// Reads the tree below the function's entry, without recursion.
    fn body(&self, debug: &Debug<'d>, unit: &Rc<Unit<'d>>, offset: usize, ranges: Vec<CodeRange>) -> Scope {
        let root = scope(ScopeKind::Function, ranges);
        let Ok(mut raw) = unit.unit.entries_raw(Some(UnitOffset(offset))) else { return root };
        let mut entry = Die::null();
        if !matches!(raw.read_entry(&mut entry), Ok(true)) || !entry.has_children() {
            return root;
        }
        let frame_base = debug.frame_base(unit, &entry);
        let mut stack = vec![Frame::Scope(root)];
        for _ in 0..MAX_ENTRIES {
            match raw.read_entry(&mut entry) {
                Ok(true) => {}
                Ok(false) => {
                    match close(&mut stack) {
                        Some(whole) => return whole,
                        None => continue,
                    };
                }
                Err(error) => {
                    debug.problem(format!(
                        "the function at {:#x} of .debug_info is damaged: {error}",
                        unit.offset.saturating_add(offset)
                    ));
                    break;
                }
            }
            let open = matches!(stack.last(), Some(Frame::Scope(_))) && stack.len() < MAX_DEPTH;
            let tag = entry.tag();
            let new = match tag {
                _ if !open => None,
                gimli::DW_TAG_formal_parameter | gimli::DW_TAG_variable => {
                    let variable = self.variable(debug, unit, &entry, frame_base);
                    if let (Some(variable), Some(Frame::Scope(scope))) = (variable, stack.last_mut()) {
                        scope.variables.push(variable);
                    }
                    None
                }
                gimli::DW_TAG_lexical_block | gimli::DW_TAG_try_block | gimli::DW_TAG_catch_block => {
                    Some(scope(ScopeKind::Block, code_ranges(debug, unit, &entry)))
                }
                gimli::DW_TAG_inlined_subroutine => Some(inlined(debug, unit, &entry)),
                _ => None,
            };
            match new {
                Some(new) if entry.has_children() => stack.push(Frame::Scope(new)),
                Some(new) => {
                    stack.push(Frame::Scope(new));
                    close(&mut stack);
                }
                None if entry.has_children() => stack.push(Frame::Skipped),
                None => {}
            }
        }
        // Damaged or cut off: what was read so far is still right.
        loop {
            match stack.len() {
                0 => return scope(ScopeKind::Function, Vec::new()),
                _ => {
                    if let Some(whole) = close(&mut stack) {
                        return whole;
                    }
                }
            }
        }
    }

    fn variable(
        &self,
        debug: &Debug<'d>,
        unit: &Rc<Unit<'d>>,
        entry: &Die<'d>,
        frame: FrameBase,
    ) -> Option<Variable> {
        // A declaration of something that lives elsewhere is no variable of this scope.
        if entry.attr_value(gimli::DW_AT_declaration).is_some() {
            return None;
        }
        Some(Variable {
            name: debug.name(unit, entry)?,
            ty: self.type_through(debug, unit, entry),
            parameter: entry.tag() == gimli::DW_TAG_formal_parameter,
            locations: debug.variable_locations(unit, entry, frame),
            declared: self.declaration(debug, unit, entry),
        })
    }
}

fn scope(kind: ScopeKind, ranges: Vec<CodeRange>) -> Scope {
    Scope { kind, ranges, variables: Vec::new(), children: Vec::new() }
}

/// Ends the innermost scope; gives the whole back when it was the outermost.
///
/// A block without code of its own (GCC writes them for blocks whose code was all moved) is
/// dissolved: its children, which may have code, go to the parent, and so do its variables
/// that have a value somewhere.
fn close(stack: &mut Vec<Frame>) -> Option<Scope> {
    let Some(Frame::Scope(done)) = stack.pop() else { return None };
    let Some(parent) = stack.iter_mut().rev().find_map(|frame| match frame {
        Frame::Scope(scope) => Some(scope),
        Frame::Skipped => None,
    }) else {
        return Some(done);
    };
    if done.kind == ScopeKind::Block && done.ranges.is_empty() {
        parent.variables.extend(done.variables.into_iter().filter(|variable| !variable.locations.is_empty()));
        parent.children.extend(done.children);
    } else {
        parent.children.push(done);
    }
    None
}

fn code_ranges<'d>(debug: &Debug<'d>, unit: &Unit<'d>, entry: &Die<'d>) -> Vec<CodeRange> {
    debug.ranges(unit, entry).into_iter().map(|(start, end)| ImageAddr(start)..ImageAddr(end)).collect()
}

pub(crate) fn file_number(value: &crate::units::Value<'_>) -> Option<u64> {
    match value {
        AttributeValue::FileIndex(number) => Some(*number),
        other => other.udata_value(),
    }
}

fn inlined<'d>(debug: &Debug<'d>, unit: &Rc<Unit<'d>>, entry: &Die<'d>) -> Scope {
    let number = |name| entry.attr_value(name).and_then(|value| u32::try_from(value.udata_value()?).ok());
    let file = entry
        .attr_value(gimli::DW_AT_call_file)
        .and_then(|value| debug.file(unit, file_number(&value)?))
        .map(|file| file.shown);
    let kind = ScopeKind::Inlined {
        name: debug.name(unit, entry).unwrap_or_else(|| Rc::from("?")),
        call_file: file,
        call_line: number(gimli::DW_AT_call_line).filter(|line| *line > 0),
        call_column: number(gimli::DW_AT_call_column).filter(|column| *column > 0),
    };
    scope(kind, code_ranges(debug, unit, entry))
}

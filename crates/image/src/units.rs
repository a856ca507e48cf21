//! Finding and loading compilation units. A vmlinux has thousands; a question touches one or two.

use crate::elf::Elf;
use crate::function::Function;
use crate::index::{Learned, Lent, Made, Part, partition};
use crate::lines::Lines;
use crate::reader::Bytes;
use crate::symbols::Symbols;
use crate::types::{Type, TypeId};
use crate::{modules, paths};
use gimli::{
    AttributeValue, DebugInfoOffset, DebuggingInformationEntry, DwAt, DwTag, Reader, SectionId, UnitOffset,
};
use kwhy_base::Arch;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

pub(crate) type Die<'d> = DebuggingInformationEntry<Bytes<'d>>;
pub(crate) type Value<'d> = AttributeValue<Bytes<'d>>;

/// Bounds on what hostile debug information can make us do; far above any real unit.
const MAX_ENTRIES: usize = 4_000_000;
const MAX_RANGES: usize = 200_000;
/// Longest chain of `DW_AT_abstract_origin` / `DW_AT_specification` that is followed.
pub(crate) const MAX_HOPS: usize = 8;
const MAX_PROBLEMS: usize = 20;

/// Top-level entries by name: offset in the unit, and tag.
pub(crate) type Names = HashMap<Rc<str>, Vec<(usize, DwTag)>>;

/// A compilation unit.
pub(crate) struct Unit<'d> {
    pub unit: gimli::Unit<Bytes<'d>>,
    /// Where its header is in `.debug_info`.
    pub offset: usize,
    pub end: usize,
    pub name: Option<Rc<str>>,
    pub comp_dir: Option<Rc<str>>,
    top: OnceCell<Vec<(usize, DwTag)>>,
    functions: OnceCell<Vec<(u64, u64, usize)>>,
    pub(crate) names: OnceCell<Names>,
    pub(crate) lines: OnceCell<Lines>,
    pub(crate) files: RefCell<HashMap<u64, Option<File>>>,
}

/// A source file of a unit's line table.
#[derive(Clone)]
pub(crate) struct File {
    /// As recorded, relative to the compilation directory unless absolute.
    pub recorded: Rc<str>,
    /// As in the kernel's tree.
    pub shown: Rc<str>,
}

/// The DWARF of an image, and what has been read of it.
pub(crate) struct Debug<'d> {
    pub dwarf: gimli::Dwarf<Bytes<'d>>,
    /// `.debug_frame`, empty where there is none.
    pub frames: gimli::DebugFrame<Bytes<'d>>,
    lent: Option<Lent<'d>>,
    /// Of each stretch of code: start, end, and its unit's offset (u64 each), sorted.
    aranges: Learned,
    /// Start and end of each unit (u64 each).
    spans: Learned,
    headers: OnceCell<Vec<(usize, usize)>>,
    /// As `aranges`, of the units that are left out there.
    others: Learned,
    units: RefCell<HashMap<usize, Option<Rc<Unit<'d>>>>>,
    pub(crate) built: RefCell<HashMap<usize, Option<Rc<Function>>>>,
    pub(crate) problems: RefCell<Vec<String>>,
}

impl<'d> Debug<'d> {
    /// `None` when the file has no debug information.
    pub(crate) fn load(
        elf: &Elf<'d>,
        symbols: &Symbols<'d>,
        problems: &mut Vec<String>,
    ) -> Option<Debug<'d>> {
        elf.section(SectionId::DebugInfo.name())?;
        let mut load = |id: SectionId| -> Result<Bytes<'d>, gimli::Error> {
            let Some((index, section)) = elf.section(id.name()) else { return Ok(Bytes::default()) };
            let contents = match elf.contents(section) {
                Ok(contents) => contents,
                Err(problem) => {
                    problems.push(format!("section {}: {problem}", section.name));
                    return Ok(Bytes::default());
                }
            };
            // The relocations that some vmlinux files keep (`--emit-relocs`) are already applied.
            if !elf.relocatable {
                return Ok(contents);
            }
            Ok(modules::relocated(elf, symbols, index, &contents, problems).unwrap_or(contents))
        };
        let dwarf = gimli::Dwarf::load(&mut load).ok()?;
        let mut frames = gimli::DebugFrame::from(load(SectionId::DebugFrame).ok()?);
        frames.set_address_size(8);
        frames.set_vendor(if elf.arch == Arch::Arm64 {
            gimli::Vendor::AArch64
        } else {
            gimli::Vendor::Default
        });
        Some(Debug {
            dwarf,
            frames,
            lent: None,
            aranges: Learned::default(),
            spans: Learned::default(),
            headers: OnceCell::new(),
            others: Learned::default(),
            units: RefCell::default(),
            built: RefCell::default(),
            problems: RefCell::default(),
        })
    }

    /// Lends it the image's shelf, if tables are worth keeping.
    pub(crate) fn with_shelf(mut self, lent: Option<Lent<'d>>) -> Debug<'d> {
        self.lent = lent;
        self
    }

    /// The shelf, for an image of which something is worth keeping.
    pub(crate) fn lent(&self) -> Option<&Lent<'d>> {
        self.lent.as_ref()
    }

    /// Makes a table; what gives rise to problems is not kept.
    pub(crate) fn made(&self, make: impl FnOnce() -> Vec<u8>) -> Made {
        let before = self.problems.borrow().len();
        let content = make();
        Made { content, sound: before < MAX_PROBLEMS && self.problems.borrow().len() == before }
    }

    pub(crate) fn problem(&self, text: String) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < MAX_PROBLEMS && !problems.contains(&text) {
            problems.push(text);
        }
    }

    /// The unit whose code covers `address`.
    pub(crate) fn unit_at(&self, address: u64) -> Option<Rc<Unit<'d>>> {
        let lent = self.lent.as_ref();
        let make = || self.made(|| triples(&self.read_aranges()));
        let known = self.aranges.ask(lent, "units.ranges", make, |part| covering_in(part, address)).flatten();
        let offset = known.or_else(|| {
            let make = || self.made(|| triples(&self.read_other_ranges()));
            self.others.ask(lent, "units.others", make, |part| covering_in(part, address)).flatten()
        })?;
        self.unit(offset)
    }

    fn read_aranges(&self) -> Vec<(u64, u64, usize)> {
        let mut ranges = Vec::new();
        let mut sets = self.dwarf.debug_aranges.headers();
        loop {
            let set = match sets.next() {
                Ok(Some(set)) => set,
                Ok(None) => break,
                Err(error) => {
                    self.problem(format!(".debug_aranges: {error}"));
                    break;
                }
            };
            let mut entries = set.entries();
            while let Ok(Some(entry)) = entries.next() {
                let start = entry.address();
                let end = start.wrapping_add(entry.length());
                if end > start {
                    ranges.push((start, end, set.debug_info_offset().0));
                }
            }
        }
        ranges.sort_unstable();
        ranges
    }

    /// The ranges of units that `.debug_aranges` leaves out (clang writes none by default).
    fn read_other_ranges(&self) -> Vec<(u64, u64, usize)> {
        let mut known: Vec<usize> = self.read_aranges().iter().map(|(_, _, offset)| *offset).collect();
        known.sort_unstable();
        known.dedup();
        let mut ranges = Vec::new();
        for (offset, _) in self.headers() {
            if known.binary_search(offset).is_ok() {
                continue;
            }
            // Not kept: a vmlinux without .debug_aranges has thousands of units.
            let Some(unit) = self.parse_unit(*offset) else { continue };
            let Some(root) = self.entry(&unit, unit.unit.header.root_offset()) else { continue };
            let room = MAX_ENTRIES.saturating_sub(ranges.len());
            let found = self.ranges(&unit, &root).into_iter().take(room);
            ranges.extend(found.map(|(start, end)| (start, end, *offset)));
        }
        ranges.sort_unstable();
        ranges
    }

    /// Start and end of every unit in `.debug_info`: a walk over the headers.
    pub(crate) fn headers(&self) -> &[(usize, usize)] {
        self.headers.get_or_init(|| {
            let make = || self.made(|| self.read_headers());
            let number = |bytes: &[u8; 8]| usize::try_from(u64::from_le_bytes(*bytes)).ok();
            let spans = self.spans.ask(self.lent.as_ref(), "units.spans", make, |part| {
                let pairs = part.all()?.as_chunks::<8>().0.chunks_exact(2);
                let pairs: Option<Vec<(usize, usize)>> =
                    pairs.map(|pair| Some((number(pair.first()?)?, number(pair.last()?)?))).collect();
                pairs.filter(|pairs| pairs.is_sorted())
            });
            spans.unwrap_or_default()
        })
    }

    fn read_headers(&self) -> Vec<u8> {
        let mut headers = Vec::new();
        let mut iter = self.dwarf.units();
        loop {
            match iter.next() {
                Ok(Some(header)) => {
                    if let Some(offset) = header.debug_info_offset() {
                        let end = offset.0.saturating_add(header.length_including_self());
                        headers.extend((offset.0 as u64).to_le_bytes());
                        headers.extend((end as u64).to_le_bytes());
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    self.problem(format!(".debug_info: a unit header is damaged: {error}"));
                    break;
                }
            }
        }
        headers
    }

    pub(crate) fn unit(&self, offset: usize) -> Option<Rc<Unit<'d>>> {
        if let Some(unit) = self.units.borrow().get(&offset) {
            return unit.clone();
        }
        let unit = self.parse_unit(offset).map(Rc::new);
        self.units.borrow_mut().insert(offset, unit.clone());
        unit
    }

    fn parse_unit(&self, offset: usize) -> Option<Unit<'d>> {
        let header = self.dwarf.unit_header(DebugInfoOffset(offset));
        let parsed = header.and_then(|header| {
            let end = offset.saturating_add(header.length_including_self());
            self.dwarf.unit(header).map(|unit| (unit, end))
        });
        match parsed {
            Ok((unit, end)) => {
                let text = |bytes: &Option<Bytes<'d>>| {
                    bytes.as_ref().map(|bytes| Rc::from(String::from_utf8_lossy(bytes.as_slice())))
                };
                Some(Unit {
                    name: text(&unit.name),
                    comp_dir: text(&unit.comp_dir),
                    unit,
                    offset,
                    end,
                    top: OnceCell::new(),
                    functions: OnceCell::new(),
                    names: OnceCell::new(),
                    lines: OnceCell::new(),
                    files: RefCell::default(),
                })
            }
            Err(error) => {
                self.problem(format!("the unit at {offset:#x} of .debug_info cannot be read: {error}"));
                None
            }
        }
    }

    /// The unit that holds a DIE, by the DIE's offset in `.debug_info`.
    pub(crate) fn unit_of_die(&self, die: usize) -> Option<Rc<Unit<'d>>> {
        let loaded =
            self.units.borrow().values().flatten().find(|unit| unit.offset <= die && die < unit.end).cloned();
        loaded.or_else(|| {
            let headers = self.headers();
            let next = headers.partition_point(|(start, _)| *start <= die);
            let (start, end) = *headers.get(next.checked_sub(1)?)?;
            if die < end { self.unit(start) } else { None }
        })
    }

    /// What a reference attribute points at.
    pub(crate) fn follow(&self, unit: &Rc<Unit<'d>>, value: &Value<'d>) -> Option<(Rc<Unit<'d>>, Die<'d>)> {
        match value {
            AttributeValue::UnitRef(offset) => Some((Rc::clone(unit), self.entry(unit, *offset)?)),
            AttributeValue::DebugInfoRef(offset) => {
                let target = self.unit_of_die(offset.0)?;
                let entry = self.entry(&target, UnitOffset(offset.0.checked_sub(target.offset)?))?;
                Some((target, entry))
            }
            _ => None,
        }
    }

    /// Where a reference attribute points, as an offset in `.debug_info`.
    pub(crate) fn target(&self, unit: &Unit<'d>, value: &Value<'d>) -> Option<usize> {
        match value {
            AttributeValue::UnitRef(offset) => unit.offset.checked_add(offset.0),
            AttributeValue::DebugInfoRef(offset) => Some(offset.0),
            _ => None,
        }
    }

    pub(crate) fn entry(&self, unit: &Unit<'d>, offset: UnitOffset) -> Option<Die<'d>> {
        match unit.unit.entry(offset) {
            Ok(entry) => Some(entry),
            Err(error) => {
                let place = unit.offset.saturating_add(offset.0);
                self.problem(format!("the entry at {place:#x} of .debug_info cannot be read: {error}"));
                None
            }
        }
    }

    /// An attribute of the entry, or of what it is an instance or the definition of; with the
    /// unit that the attribute stands in.
    pub(crate) fn attr_through(
        &self,
        unit: &Rc<Unit<'d>>,
        entry: &Die<'d>,
        name: DwAt,
    ) -> Option<(Rc<Unit<'d>>, Value<'d>)> {
        let mut unit = Rc::clone(unit);
        let mut owned: Die<'d>;
        let mut entry = entry;
        for _ in 0..MAX_HOPS {
            if let Some(value) = entry.attr_value(name) {
                return Some((unit, value));
            }
            let origin = entry
                .attr_value(gimli::DW_AT_abstract_origin)
                .or_else(|| entry.attr_value(gimli::DW_AT_specification))?;
            let (next_unit, next_entry) = self.follow(&unit, &origin)?;
            unit = next_unit;
            owned = next_entry;
            entry = &owned;
        }
        None
    }

    pub(crate) fn string(&self, unit: &Unit<'d>, value: Value<'d>) -> Option<Rc<str>> {
        let bytes = self.dwarf.attr_string(&unit.unit, value).ok()?;
        let text = bytes.to_string_lossy().ok()?;
        Some(Rc::from(text.as_ref()))
    }

    /// `DW_AT_name`, through abstract origins and specifications.
    pub(crate) fn name(&self, unit: &Rc<Unit<'d>>, entry: &Die<'d>) -> Option<Rc<str>> {
        let (unit, value) = self.attr_through(unit, entry, gimli::DW_AT_name)?;
        self.string(&unit, value)
    }

    /// `DW_AT_name` of the very entry.
    pub(crate) fn own_name(&self, unit: &Unit<'d>, entry: &Die<'d>) -> Option<Rc<str>> {
        self.string(unit, entry.attr_value(gimli::DW_AT_name)?)
    }

    /// Whether the unit was written in assembly.
    pub(crate) fn is_assembler(&self, unit: &Unit<'d>) -> bool {
        let root = self.entry(unit, unit.unit.header.root_offset());
        matches!(
            root.and_then(|root| root.attr_value(gimli::DW_AT_language)),
            Some(AttributeValue::Language(gimli::DW_LANG_Mips_Assembler))
        )
    }

    pub(crate) fn ranges(&self, unit: &Unit<'d>, entry: &Die<'d>) -> Vec<(u64, u64)> {
        let mut found = Vec::new();
        if self.wraps(unit, entry) {
            self.problem(format!("unit at {:#x}: code past the last address", unit.offset));
            return found;
        }
        match self.dwarf.die_ranges(&unit.unit, entry) {
            Ok(mut iter) => {
                while let Ok(Some(range)) = iter.next() {
                    if range.begin < range.end && found.len() < MAX_RANGES {
                        found.push((range.begin, range.end));
                    }
                }
            }
            Err(error) => {
                self.problem(format!("unit at {:#x}: a range list is damaged: {error}", unit.offset))
            }
        }
        found
    }

    /// Whether the size in `DW_AT_high_pc` leads past the last address: gimli adds without a look.
    fn wraps(&self, unit: &Unit<'d>, entry: &Die<'d>) -> bool {
        let Some(AttributeValue::Udata(size)) = entry.attr_value(gimli::DW_AT_high_pc) else { return false };
        let low = entry.attr_value(gimli::DW_AT_low_pc);
        let low = low.and_then(|low| self.dwarf.attr_address(&unit.unit, low).ok().flatten());
        low.is_some_and(|low| low.checked_add(size).is_none())
    }

    /// The entries right below the unit's root (and inside namespaces), in order.
    pub(crate) fn top<'u>(&self, unit: &'u Unit<'d>) -> &'u [(usize, DwTag)] {
        unit.top.get_or_init(|| {
            let mut found = Vec::new();
            if let Err(error) = walk_top(&unit.unit, &mut found) {
                self.problem(format!("the unit at {:#x} of .debug_info is damaged: {error}", unit.offset));
            }
            found
        })
    }

    /// The entry of the out-of-line function that covers `address`.
    pub(crate) fn function_die(&self, unit: &Rc<Unit<'d>>, address: u64) -> Option<usize> {
        let functions = unit.functions.get_or_init(|| {
            let mut found = Vec::new();
            for (offset, tag) in self.top(unit) {
                if *tag != gimli::DW_TAG_subprogram {
                    continue;
                }
                let Some(entry) = self.entry(unit, UnitOffset(*offset)) else { continue };
                if entry.has_attr(gimli::DW_AT_low_pc) || entry.has_attr(gimli::DW_AT_ranges) {
                    found.extend(
                        self.ranges(unit, &entry).into_iter().map(|(start, end)| (start, end, *offset)),
                    );
                }
            }
            found.sort_unstable();
            found
        });
        covering(functions, address)
    }

    /// A file of the unit's line table, by its number there.
    pub(crate) fn file(&self, unit: &Unit<'d>, number: u64) -> Option<File> {
        if let Some(file) = unit.files.borrow().get(&number) {
            return file.clone();
        }
        let file = self.read_file(unit, number);
        unit.files.borrow_mut().insert(number, file.clone());
        file
    }

    fn read_file(&self, unit: &Unit<'d>, number: u64) -> Option<File> {
        let header = unit.unit.line_program.as_ref()?.header();
        let file = header.file(number)?;
        let name = self.string(unit, file.path_name())?;
        let comp_dir = unit.comp_dir.as_deref();
        // Directory 0 is the compilation directory, in DWARF 5 by name, before without one.
        let directory = if file.directory_index() == 0 {
            None
        } else {
            file.directory(header).and_then(|value| self.string(unit, value))
        };
        let recorded = match directory {
            Some(directory) if !name.starts_with('/') && Some(directory.as_ref()) != comp_dir => {
                Rc::from(format!("{directory}/{name}"))
            }
            _ => name,
        };
        let shown = Rc::from(paths::shown(&recorded, comp_dir, unit.name.as_deref()));
        Some(File { recorded, shown })
    }
}

/// The entry of a sorted list of ranges that covers `address`. Ranges seldom overlap; where
/// they do the one that starts last wins.
fn covering(ranges: &[(u64, u64, usize)], address: u64) -> Option<usize> {
    let next = ranges.partition_point(|(start, _, _)| *start <= address);
    ranges.get(..next)?.iter().rev().take(16).find(|(_, end, _)| address < *end).map(|(_, _, offset)| *offset)
}

/// The same in a table.
fn covering_in(part: &Part, address: u64) -> Option<Option<usize>> {
    let next = partition(part.len() / 24, |index| Some(part.u64(index.checked_mul(24)?)? <= address))?;
    for index in (0..next).rev().take(16) {
        let at = index.checked_mul(24)?;
        if address < part.u64(at.checked_add(8)?)? {
            return usize::try_from(part.u64(at.checked_add(16)?)?).ok().map(Some);
        }
    }
    Some(None)
}

fn triples(ranges: &[(u64, u64, usize)]) -> Vec<u8> {
    let numbers = ranges.iter().flat_map(|(start, end, offset)| [*start, *end, *offset as u64]);
    numbers.flat_map(u64::to_le_bytes).collect()
}

fn walk_top(unit: &gimli::Unit<Bytes<'_>>, found: &mut Vec<(usize, DwTag)>) -> gimli::Result<()> {
    let mut raw = unit.entries_raw(None)?;
    let Some(root) = raw.read_abbreviation()? else { return Ok(()) };
    raw.skip_attributes(root.attributes())?;
    if !root.has_children() {
        return Ok(());
    }
    // How deep in the entries that are walked through the next one is.
    let mut level = 0usize;
    // How many of those levels are inside an entry whose children are of no interest.
    let mut skipping = 0usize;
    while !raw.is_empty() && found.len() < MAX_ENTRIES {
        let offset = raw.next_offset();
        let Some(abbrev) = raw.read_abbreviation()? else {
            if skipping > 0 {
                skipping -= 1;
            } else if level == 0 {
                break;
            } else {
                level -= 1;
            }
            continue;
        };
        if skipping == 0 {
            found.push((offset.0, abbrev.tag()));
        }
        if !abbrev.has_children() {
            raw.skip_attributes(abbrev.attributes())?;
            continue;
        }
        let mut sibling = None;
        for spec in abbrev.attributes() {
            let attribute = raw.read_attribute(*spec)?;
            if attribute.name() == gimli::DW_AT_sibling
                && let AttributeValue::UnitRef(target) = attribute.value()
            {
                sibling = Some(target);
            }
        }
        if skipping == 0 && abbrev.tag() == gimli::DW_TAG_namespace {
            level += 1;
            continue;
        }
        match sibling {
            // Only forward: a sibling that points back would loop.
            Some(target) if target.0 > raw.next_offset().0 => raw = unit.entries_raw(Some(target))?,
            _ => skipping += 1,
        }
    }
    Ok(())
}

/// Types read so far. Kept apart from [`Debug`] because BTF shares it.
#[derive(Default)]
pub(crate) struct TypeTable {
    pub keys: RefCell<Vec<crate::dwarf_types::Key>>,
    pub ids: RefCell<HashMap<crate::dwarf_types::Key, TypeId>>,
    pub read: RefCell<HashMap<TypeId, Type>>,
}

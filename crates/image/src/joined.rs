//! Debug information that was split off its image: the two files read as the one that they were.
//!
//! RPM's find-debuginfo, `objcopy --only-keep-debug` and `eu-strip -f` leave a file with the
//! debug information, the symbols and every section's header, but without the bytes of code and
//! data (`SHT_NOBITS`); what was installed has those. Together they are the image before it was
//! split. The debug file's headers, symbols and order of sections are kept, because its debug
//! information counts by them; the bytes come from the other file, a module's by the sections'
//! names and sizes, a kernel's by their addresses.

use crate::elf::{Elf, Section, consts};
use crate::image::Image;
use crate::symbols::{RawSymbol, Symbols};
use crate::{ImageError, ImageKind};

/// The file that has the code.
pub(crate) struct Other<'d> {
    data: &'d [u8],
    symbols: Symbols<'d>,
    /// The number of each of its sections in the joined image; 0 for those that are not in it.
    sections: Vec<u16>,
}

impl<'d> Other<'d> {
    /// A symbol of that file with its name; its section is numbered as in the joined image.
    pub(crate) fn symbol(&self, index: usize) -> Option<(RawSymbol, &'d str)> {
        let mut symbol = self.symbols.get(index)?;
        let name = self.symbols.name(symbol);
        if symbol.section < consts::SHN_LORESERVE {
            symbol.section = self.sections.get(usize::from(symbol.section)).copied().unwrap_or(0);
        }
        Some((symbol, name))
    }
}

impl<'d> Image<'d> {
    /// Whether the file describes code that it does not hold: its debug information was split off.
    #[must_use]
    pub fn lacks_code(&self) -> bool {
        let code = || self.elf.sections.iter().filter(|section| section.executable() && section.size > 0);
        self.has_dwarf() && code().next().is_some() && code().all(|section| self.elf.raw(section).is_empty())
    }

    /// Reads debug information from one file and everything else from the other.
    ///
    /// # Errors
    ///
    /// When either is no such file, or the two do not belong together.
    pub fn parse_joined(debug: &'d [u8], code: &'d [u8]) -> Result<Image<'d>, ImageError> {
        let mut problems = Vec::new();
        let mut elf = Elf::parse(debug, &mut problems)?;
        fill(&mut elf, Elf::parse(code, &mut problems)?, &mut problems)?;
        Ok(Image::of(elf, problems))
    }

    /// This image's debug information with the code of `code`; `None` unless the two were one
    /// file: of one build-id, or, where a build-id is missing, with all code of the same size at
    /// the same place.
    #[must_use]
    pub fn joined_with(&self, code: &Image<'d>) -> Option<Image<'d>> {
        let kernels = [self, code].map(|image| *image.kind() == ImageKind::Kernel);
        if !self.lacks_code() || code.lacks_code() || kernels[0] != kernels[1] {
            return None;
        }
        if let (Some(own), Some(other)) = (self.build_id(), code.build_id())
            && own != other
        {
            return None;
        }
        let joined = Image::parse_joined(self.elf.data, code.elf.data).ok()?;
        Some(joined.with_shelf(self.shelf().or(code.shelf())))
    }

    /// The bytes of the file that the code came from, where it is not the one of [`Image::data`].
    #[must_use]
    pub fn code_data(&self) -> Option<&'d [u8]> {
        self.elf.other.as_ref().map(|other| other.data)
    }
}

/// The pairs among `images` that were one file, of those that may be one by their places in the
/// list: where the debug information is, where the code, and the two joined.
#[must_use]
pub fn join_split<'d>(
    images: &[Option<&Image<'d>>],
    may: &dyn Fn(usize, usize) -> bool,
) -> Vec<(usize, usize, Image<'d>)> {
    let join = |debug: usize, code: usize| images.get(debug)?.as_ref()?.joined_with((*images.get(code)?)?);
    let all = 0..images.len();
    let joined = all.clone().filter_map(|debug| {
        let mut codes = all.clone().filter(|code| may(debug, *code));
        codes.find_map(|code| Some((debug, code, join(debug, code)?)))
    });
    joined.collect()
}

/// Gives the sections of `debug` that have no bytes those of `code`.
fn fill<'d>(debug: &mut Elf<'d>, code: Elf<'d>, problems: &mut Vec<String>) -> Result<(), ImageError> {
    let apart = |what: &str| ImageError::Damaged(format!("the debug information is of another file: {what}"));
    if debug.arch != code.arch || debug.relocatable != code.relocatable {
        return Err(apart("another CPU, or one of the two is a module"));
    }
    for section in
        debug.sections.iter_mut().filter(|section| section.kind == consts::SHT_NOBITS && section.size > 0)
    {
        let found = if code.relocatable || !section.loaded() {
            let same = |other: &&Section<'d>| other.name == section.name && other.size == section.size;
            code.sections.iter().find(same).map(|other| (other.kind, code.raw(other)))
        } else {
            covering(&code, section)
        };
        match found.filter(|(_, bytes)| !bytes.is_empty()) {
            Some((kind, bytes)) => (section.kind, section.elsewhere) = (kind, Some(bytes)),
            None if section.executable() && code.relocatable => return Err(apart(section.name)),
            None => {}
        }
    }
    // A boot image may lack what is discarded, but not all of the code.
    if !debug.sections.iter().any(|section| section.executable() && section.elsewhere.is_some()) {
        return Err(apart("none of its code is there"));
    }
    let number = |index: usize, section: &Section<'d>| {
        let same = |other: &Section<'d>| other.name == section.name && other.size == section.size;
        let at_its_place = debug.sections.get(index).is_some_and(same).then_some(index);
        at_its_place
            .or_else(|| debug.sections.iter().position(same))
            .and_then(|index| u16::try_from(index).ok())
    };
    let numbers: Vec<u16> = code
        .sections
        .iter()
        .enumerate()
        .map(|(index, section)| number(index, section).unwrap_or(0))
        .collect();
    let mut tables = Vec::new();
    for table in code.sections.iter().filter(|table| code.relocatable && table.kind == consts::SHT_RELA) {
        let Some(target) = numbers.get(table.info as usize).copied().filter(|target| *target > 0) else {
            continue;
        };
        // objcopy leaves the relocations in both files; eu-strip in this one only.
        let own = debug.sections.iter().any(|own| {
            own.kind == consts::SHT_RELA
                && own.info == u32::from(target)
                && own.elsewhere.is_none()
                && own.size > 0
        });
        if !own {
            let bytes = code.raw(table);
            tables.push(Section {
                info: u32::from(target),
                elsewhere: Some(bytes),
                foreign: true,
                ..table.clone()
            });
        }
    }
    // What took its bytes from the other file as a table counts by that file's symbols, too, and is among those added.
    for section in debug.sections.iter_mut().filter(|s| s.kind == consts::SHT_RELA && s.elsewhere.is_some()) {
        section.kind = consts::SHT_NULL;
    }
    debug.sections.extend(tables);
    let symbols = Symbols::new(&code, problems);
    debug.other = Some(Box::new(Other { data: code.data, symbols, sections: numbers }));
    Ok(())
}

/// The bytes of `code` where a section of a linked image lies, as many as one section of it has.
fn covering<'d>(code: &Elf<'d>, section: &Section<'d>) -> Option<(u32, &'d [u8])> {
    let holds = |other: &&Section<'d>| {
        other.loaded() && other.contains(section.address) && !code.raw(other).is_empty()
    };
    let other = code.sections.iter().find(holds)?;
    let start = usize::try_from(section.address.checked_sub(other.address)?).ok()?;
    let rest = code.raw(other).get(start..)?;
    let size = usize::try_from(section.size).unwrap_or(usize::MAX);
    Some((other.kind, rest.get(..size).unwrap_or(rest)))
}

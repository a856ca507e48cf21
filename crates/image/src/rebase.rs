//! Modules that bring a base of their own: `.BTF.base` (since 6.11; Documentation/bpf/btf.rst,
//! "BTF base section").
//!
//! The types of a module that was built outside the kernel's tree count on from a *distilled*
//! base: the scalars, and of structs, unions and enums that it uses no more than names and sizes.
//! The kernel looks each of them up in its own BTF when the module is loaded
//! (`btf__relocate()`, tools/lib/bpf/btf_relocate.c), and so it is done here. What the kernel has
//! no match for stays as it is: a name and a size.

use crate::btf::{self, Btf, Header};
use crate::elf::u32_at;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The BTF `split`, whose base is `distilled`, as one whose base is the kernel's.
pub(crate) fn rebase<'d>(split: &'d [u8], distilled: &'d [u8], kernel: &Rc<Btf<'d>>) -> Option<Btf<'d>> {
    let distilled = Rc::new(Btf::parse(distilled, None)?);
    let split = Btf::parse(split, Some(Rc::clone(&distilled)))?;
    let mut new = Rebased {
        places: places(kernel.parts().1),
        numbers: Vec::new(),
        types: Vec::with_capacity(split.parts().0.len()),
        strings: split.parts().1.to_vec(),
        added: BTreeMap::new(),
        split: &split,
        distilled: &distilled,
        kernel,
    };
    new.match_all();
    for start in split.starts() {
        new.copy(*start as usize)?;
    }
    new.keep_unmatched();
    let (types, strings) = (new.types, new.strings);
    Btf::of_parts(Cow::Owned(types), Cow::Owned(strings), Some(Rc::clone(kernel)))
}

/// Where each string begins, the first of equals.
fn places(strings: &[u8]) -> BTreeMap<&[u8], u32> {
    let mut found = BTreeMap::new();
    let mut at = 0usize;
    for text in strings.split(|byte| *byte == 0) {
        if let Ok(place) = u32::try_from(at) {
            found.entry(text).or_insert(place);
        }
        at = at.saturating_add(text.len()).saturating_add(1);
    }
    found
}

struct Rebased<'b, 'd> {
    split: &'b Btf<'d>,
    distilled: &'b Rc<Btf<'d>>,
    kernel: &'b Rc<Btf<'d>>,
    /// The kernel's strings.
    places: BTreeMap<&'b [u8], u32>,
    /// The new number of each type of the distilled base.
    numbers: Vec<u32>,
    types: Vec<u8>,
    strings: Vec<u8>,
    /// Strings of the distilled base that the kernel does not have.
    added: BTreeMap<u32, u32>,
}

impl Rebased<'_, '_> {
    /// Gives every type of the distilled base its number: the kernel's, or one behind all others.
    fn match_all(&mut self) {
        let mut next =
            self.kernel.end().saturating_add(self.split.end().saturating_sub(self.distilled.end()));
        for number in 1..self.distilled.end() {
            let found = self.distilled.header(number).and_then(|header| self.like(header));
            self.numbers.push(found.unwrap_or(next));
            if found.is_none() {
                next = next.saturating_add(1);
            }
        }
    }

    /// The one type of the kernel that a distilled one stands for.
    fn like(&self, wanted: Header) -> Option<u32> {
        let name = self.distilled.text(wanted.name)?;
        // A struct that only pointers lead to is distilled to a declaration.
        let kinds: &[u8] = match (wanted.kind, wanted.flag) {
            (btf::STRUCT, _) | (btf::FWD, false) => &[btf::STRUCT],
            (btf::UNION, _) | (btf::FWD, true) => &[btf::UNION],
            (btf::ENUM | btf::ENUM64, _) => &[btf::ENUM, btf::ENUM64],
            (btf::INT, _) => &[btf::INT],
            (btf::FLOAT, _) => &[btf::FLOAT],
            _ => return None,
        };
        let fits = |number: &u32| {
            let header = self.kernel.header(*number);
            header.is_some_and(|header| wanted.kind == btf::FWD || header.value == wanted.value)
        };
        match self.kernel.find(kinds, &name).into_iter().filter(fits).collect::<Vec<_>>()[..] {
            [one] => Some(one),
            _ => None,
        }
    }

    fn number(&self, old: u32) -> u32 {
        match old.checked_sub(1) {
            None => 0,
            Some(index) if old < self.distilled.end() => {
                self.numbers.get(index as usize).copied().unwrap_or(0)
            }
            Some(_) => self.kernel.end().saturating_add(old.saturating_sub(self.distilled.end())),
        }
    }

    fn string(&mut self, old: u32) -> u32 {
        let shared = self.distilled.end_of_strings();
        if old == 0 {
            return 0;
        }
        if old >= shared {
            return self.kernel.end_of_strings().saturating_add(old - shared);
        }
        let Some(text) = self.distilled.text(old) else { return 0 };
        if let Some(place) = self.places.get(text.as_bytes()) {
            return *place;
        }
        if let Some(known) = self.added.get(&old) {
            return *known;
        }
        let at = u32::try_from(self.strings.len()).unwrap_or(u32::MAX);
        let new = self.kernel.end_of_strings().saturating_add(at);
        self.strings.extend_from_slice(text.as_bytes());
        self.strings.push(0);
        self.added.insert(old, new);
        new
    }

    /// Adds a type of the split part, with the numbers and the names that it has now.
    fn copy(&mut self, start: usize) -> Option<()> {
        let split = self.split;
        let bytes = split.parts().0;
        let word = |at: usize| u32_at(bytes, at).unwrap_or(0);
        let info = word(start.checked_add(4)?);
        let header = split.header_at(start)?;
        let is_type = matches!(
            header.kind,
            btf::PTR
                | btf::TYPEDEF
                | btf::VOLATILE
                | btf::CONST
                | btf::RESTRICT
                | btf::FUNC
                | btf::FUNC_PROTO
                | btf::VAR
                | btf::DECL_TAG
                | btf::TYPE_TAG
        );
        let value = if is_type { self.number(header.value) } else { header.value };
        let name = self.string(header.name);
        self.put([name, info, value]);
        let entries =
            header.rest..header.rest.checked_add(btf::extra(header.kind, usize::from(header.count))?)?;
        let at = |step: usize| entries.clone().step_by(step);
        match header.kind {
            btf::STRUCT | btf::UNION => {
                for entry in at(12) {
                    let name = self.string(word(entry));
                    let ty = self.number(word(entry.checked_add(4)?));
                    self.put([name, ty, word(entry.checked_add(8)?)]);
                }
            }
            btf::FUNC_PROTO => {
                for entry in at(8) {
                    let name = self.string(word(entry));
                    let ty = self.number(word(entry.checked_add(4)?));
                    self.put([name, ty]);
                }
            }
            btf::ENUM => {
                for entry in at(8) {
                    let name = self.string(word(entry));
                    self.put([name, word(entry.checked_add(4)?)]);
                }
            }
            btf::ENUM64 => {
                for entry in at(12) {
                    let name = self.string(word(entry));
                    self.put([name, word(entry.checked_add(4)?), word(entry.checked_add(8)?)]);
                }
            }
            btf::ARRAY => {
                let (element, index) = (word(entries.start), word(entries.start.checked_add(4)?));
                self.put([self.number(element), self.number(index), word(entries.start.checked_add(8)?)]);
            }
            btf::DATASEC => {
                for entry in at(12) {
                    self.put([
                        self.number(word(entry)),
                        word(entry.checked_add(4)?),
                        word(entry.checked_add(8)?),
                    ]);
                }
            }
            _ => at(4).for_each(|entry| self.types.extend(word(entry).to_le_bytes())),
        }
        Some(())
    }

    /// Adds the types of the distilled base that are not the kernel's.
    fn keep_unmatched(&mut self) {
        for number in 1..self.distilled.end() {
            let Some(header) = self.distilled.header(number) else { continue };
            let own = (number - 1) as usize;
            let known = self.numbers.get(own).is_some_and(|new| *new < self.kernel.end());
            if known {
                continue;
            }
            let name = self.string(header.name);
            // Whatever it was, without members. (An integer's encoding follows it.)
            let info = u32::from(header.kind) << 24 | u32::from(header.flag) << 31;
            match header.kind {
                btf::INT => {
                    let encoding = self.distilled.word(header.rest);
                    self.put([name, info, header.value, encoding]);
                }
                btf::STRUCT | btf::UNION | btf::ENUM | btf::ENUM64 | btf::FLOAT | btf::FWD => {
                    self.put([name, info, header.value]);
                }
                // Nothing else is in a distilled base; a declaration keeps the count.
                _ => self.put([name, u32::from(btf::FWD) << 24, 0]),
            }
        }
    }

    fn put<const N: usize>(&mut self, words: [u32; N]) {
        self.types.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }
}

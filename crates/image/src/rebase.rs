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

#[cfg(test)]
mod tests {
    use super::*;

    /// BTF in the making.
    struct Maker {
        types: Vec<u8>,
        strings: Vec<u8>,
        /// Where its strings begin among those of its base.
        first: u32,
    }

    impl Maker {
        fn name(&mut self, name: &str) -> u32 {
            let at = self.strings.len() as u32;
            self.strings.extend(name.as_bytes());
            self.strings.push(0);
            self.first + at
        }

        /// A type, and the words of what follows it.
        fn add(&mut self, name: &str, kind: u8, count: u32, value: u32, words: &[u32]) {
            let name = if name.is_empty() { 0 } else { self.name(name) };
            let head = [name, u32::from(kind) << 24 | count, value];
            self.types.extend(head.iter().chain(words).flat_map(|word| word.to_le_bytes()));
        }

        fn finish(self) -> Vec<u8> {
            let (types, strings) = (self.types.len() as u32, self.strings.len() as u32);
            let mut file = vec![0x9f, 0xeb, 1, 0];
            file.extend([24, 0, types, types, strings].iter().flat_map(|word: &u32| word.to_le_bytes()));
            file.extend(self.types);
            file.extend(self.strings);
            file
        }
    }

    const SIGNED: u32 = 1 << 24 | 32;

    fn kernel() -> Vec<u8> {
        let mut made = Maker { types: Vec::new(), strings: vec![0], first: 0 };
        let (next, list, count) = (made.name("next"), made.name("list"), made.name("count"));
        made.add("other", btf::STRUCT, 0, 24, &[]);
        made.add("int", btf::INT, 0, 4, &[SIGNED]);
        made.add("", btf::PTR, 0, 4, &[]);
        made.add("list_head", btf::STRUCT, 1, 8, &[next, 3, 0]);
        made.add("node", btf::STRUCT, 2, 24, &[list, 4, 0, count, 2, 64]);
        made.finish()
    }

    fn base() -> Vec<u8> {
        let mut made = Maker { types: Vec::new(), strings: vec![0], first: 0 };
        made.add("int", btf::INT, 0, 4, &[SIGNED]);
        made.add("node", btf::STRUCT, 0, 24, &[]);
        made.add("gone", btf::STRUCT, 0, 8, &[]);
        made.add("list_head", btf::FWD, 0, 0, &[]);
        // Of the same name, and not the same: the kernel's has 24 bytes.
        made.add("other", btf::STRUCT, 0, 32, &[]);
        made.finish()
    }

    fn split() -> Vec<u8> {
        let first = Btf::parse(&base(), None).unwrap().end_of_strings();
        let mut made = Maker { types: Vec::new(), strings: Vec::new(), first };
        let (n, i, p, g) = (made.name("n"), made.name("i"), made.name("p"), made.name("g"));
        made.add("own", btf::STRUCT, 3, 40, &[n, 2, 0, i, 1, 192, p, 7, 256]);
        made.add("", btf::PTR, 0, 4, &[]);
        made.add("", btf::PTR, 0, 3, &[]);
        made.add("", btf::FUNC_PROTO, 2, 1, &[p, 7, g, 8]);
        made.add("handle", btf::FUNC, 0, 9, &[]);
        made.add("", btf::ARRAY, 0, 0, &[5, 1, 4]);
        made.finish()
    }

    #[test]
    fn a_base_of_its_own_becomes_the_kernel_s() {
        let (kernel, base, split) = (kernel(), base(), split());
        let kernel = Rc::new(Btf::parse(&kernel, None).unwrap());
        let made = rebase(&split, &base, &kernel).unwrap();
        let name = |number: u32| made.text(made.header(number).unwrap().name);
        let [own] = made.find(&[btf::STRUCT], "own")[..] else { panic!("struct own") };
        assert_eq!(own, kernel.end());
        let members = made.header(own).unwrap();
        let at = members.rest;
        assert_eq!(made.text(made.word(at)).as_deref(), Some("n"));
        // The kernel's own node, with its members.
        assert_eq!((made.word(at + 4), made.header(5).unwrap().count), (5, 2));
        assert_eq!(made.word(at + 16), 2, "the kernel's int");
        let [function] = &made.functions("handle")[..] else { panic!("handle()") };
        assert_eq!(function.returns, 2);
        let led = |index: usize| made.header(function.parameters[index].1).unwrap().value;
        assert_eq!((function.parameters[0].0.as_deref(), led(0)), (Some("p"), 4));
        // What the kernel does not have keeps its name and its size.
        assert_eq!((name(led(1)).as_deref(), made.header(led(1)).unwrap().value), (Some("gone"), 8));
        let array = made.header(own + 5).unwrap();
        let element = made.word(array.rest);
        assert_eq!((name(element).as_deref(), made.header(element).unwrap().value), (Some("other"), 32));
        assert_eq!(made.find(&[btf::STRUCT], "gone"), [led(1)]);
        // Without the kernel's, the base says what it can.
        let alone = Btf::parse(&split, Some(Rc::new(Btf::parse(&base, None).unwrap()))).unwrap();
        assert_eq!(alone.find(&[btf::STRUCT], "own"), [6]);
    }

    #[test]
    fn damaged_bases_are_no_catastrophe() {
        let (kernel, base, split) = (kernel(), base(), split());
        let kernel = Rc::new(Btf::parse(&kernel, None).unwrap());
        for at in 0..base.len().max(split.len()) {
            for value in [0, 1, 0x7f, 0xff] {
                let (mut base, mut split) = (base.clone(), split.clone());
                if let Some(byte) = base.get_mut(at) {
                    *byte = value;
                }
                let one = rebase(&split, &base, &kernel).map(|made| made.functions("handle").len());
                if let Some(byte) = split.get_mut(at) {
                    *byte = value;
                }
                let two = rebase(&split, &base, &kernel).map(|made| made.functions("handle").len());
                assert!(one.into_iter().chain(two).all(|count| count <= 8));
            }
        }
    }

    /// Seeds of the fuzzer: `KWHY_UPDATE_BOOT=1 cargo test -p kwhy-image --lib seeds`.
    #[test]
    fn seeds_are_made_anew_when_asked() {
        if std::env::var_os("KWHY_UPDATE_BOOT").is_some() {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
            std::fs::write(folder.join("base.btf"), base()).unwrap();
            std::fs::write(folder.join("split.btf"), split()).unwrap();
        }
    }
}

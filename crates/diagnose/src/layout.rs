//! Whether a module was built against the kernel that it was loaded into: `vermagic`, the
//! checksums of the symbols that it imports, its `struct module`, and every struct that both know.
//!
//! A module that was built against other headers writes members where the kernel keeps others:
//! memory corruption that no line of its source shows.

use kwhy_base::catalogue::suspects as say;
use kwhy_base::{Prose, prose};
use kwhy_image::{Image, Outline, OutlineMember};
use kwhy_oops::CrashRecord;
use kwhy_report::model::{self, Hex};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How a module's view of the kernel compares with the kernel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The module's `vermagic`, and what the kernel demands.
    pub magic: (Option<String>, Option<String>),
    /// The release that the log prints.
    pub release: Option<String>,
    /// Imported symbols with another checksum.
    pub checksums: Vec<String>,
    /// Size of the module's `struct module` and of the kernel's, where they differ.
    pub this_module: Option<(u64, u64)>,
    /// How many structs were compared.
    pub compared: usize,
    /// Those that differ, by name.
    pub structs: Vec<Difference>,
}

/// A struct that both know and lay out differently.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// `struct module`.
    pub name: String,
    /// Bytes in the module.
    pub module_size: u64,
    /// Bytes in the kernel.
    pub kernel_size: u64,
    /// Members at other places: name, bytes from the start in the module and in the kernel.
    pub members: Vec<(String, Option<u64>, Option<u64>)>,
}

/// So much of a module's debug information is read: more than all but the largest drivers have.
const BUDGET: usize = 8 << 20;
/// So many imports are compared by checksum, besides `module_layout`, which stands for the
/// structs that the loader itself depends on.
const MAX_SUMS: usize = 24;
/// So many differing structs are kept, and so many members of each.
const MAX_STRUCTS: usize = 64;
const MAX_MEMBERS: usize = 32;
/// So many members and structs are named in a sentence.
const NAMED: usize = 3;

/// Compares them.
pub fn compare(module: &Image<'_>, kernel: &Image<'_>, record: &CrashRecord) -> Layout {
    let mut layout = Layout {
        magic: (module.vermagic(), kernel.vermagic()),
        release: record.release.as_ref().map(|release| release.value.clone()),
        checksums: checksums(module, kernel),
        ..Layout::default()
    };
    let known: Vec<Outline> = module.outlines(BUDGET).into_iter().filter(shared).collect();
    let mut names: BTreeSet<Rc<str>> = known.iter().map(|outline| Rc::clone(&outline.name)).collect();
    names.insert(Rc::from("module"));
    // Without BTF, the unit of the module loader is the one that knows what modules share with it.
    let near: Vec<_> =
        kernel.symbols_named("load_module").into_iter().map(|symbol| symbol.address).take(1).collect();
    let mut of_kernel: BTreeMap<(bool, Rc<str>), Vec<Outline>> = BTreeMap::new();
    for outline in kernel.outlines_named(&names, &near) {
        of_kernel.entry((outline.union, Rc::clone(&outline.name))).or_default().push(outline);
    }
    if let Some([own]) = of_kernel.get(&(false, Rc::from("module"))).map(Vec::as_slice)
        && let Some(size) = module.section_size(".gnu.linkonce.this_module")
        && size != own.size
    {
        layout.this_module = Some((size, own.size));
    }
    for outline in &known {
        let Some(others) = of_kernel.get(&(outline.union, Rc::clone(&outline.name))) else { continue };
        layout.compared = layout.compared.saturating_add(1);
        // Of several structs of one name it is enough that one is the same.
        let differences: Vec<Difference> =
            others.iter().map_while(|other| difference(outline, other)).collect();
        if differences.len() == others.len()
            && layout.structs.len() < MAX_STRUCTS
            && let Some(first) = differences.into_iter().next()
        {
            layout.structs.push(first);
        }
    }
    layout.structs.sort_by(|a, b| a.name.cmp(&b.name));
    layout
}

/// Whether a struct is declared in a header that the kernel offers to modules: a driver's own may
/// have the name of another's.
fn shared(outline: &Outline) -> bool {
    outline.file.as_deref().is_some_and(|file| {
        file.starts_with("include/") || (file.starts_with("arch/") && file.contains("/include/"))
    })
}

fn checksums(module: &Image<'_>, kernel: &Image<'_>) -> Vec<String> {
    let versions = module.symbol_versions();
    let first = versions.iter().filter(|(name, _)| name == "module_layout");
    let rest = versions.iter().filter(|(name, _)| name != "module_layout");
    first
        .chain(rest.take(MAX_SUMS))
        .filter(|(name, sum)| kernel.export_checksum(name).is_some_and(|of_kernel| of_kernel != *sum))
        .map(|(name, _)| name.clone())
        .collect()
}

/// What differs; `None` where the two are alike.
fn difference(module: &Outline, kernel: &Outline) -> Option<Difference> {
    let same = |(a, b): (&OutlineMember, &OutlineMember)| {
        a.name == b.name && (a.bit.is_none() || b.bit.is_none() || a.bit == b.bit)
    };
    if module.size == kernel.size
        && module.members.len() == kernel.members.len()
        && module.members.iter().zip(&kernel.members).all(same)
    {
        return None;
    }
    let places = |outline: &Outline| -> BTreeMap<Rc<str>, Option<u64>> {
        let named = outline.members.iter();
        named.filter_map(|member| Some((Rc::clone(member.name.as_ref()?), member.bit))).collect()
    };
    let (ours, theirs) = (places(module), places(kernel));
    let byte = |bit: &Option<u64>| bit.map(|bit| bit / 8);
    let mut members: Vec<(String, Option<u64>, Option<u64>)> = Vec::new();
    for (name, bit) in &ours {
        match theirs.get(name) {
            Some(other) if byte(bit) == byte(other) || bit.is_none() || other.is_none() => {}
            other => members.push((name.to_string(), byte(bit), other.and_then(byte))),
        }
    }
    let new = theirs.iter().filter(|(name, _)| !ours.contains_key(*name));
    members.extend(new.map(|(name, bit)| (name.to_string(), None, byte(bit))));
    members.sort_by_key(|(_, ours, theirs)| (ours.or(*theirs), *theirs));
    // Alike but for the names of what has none, or within one byte: nobody writes past that.
    if members.is_empty() && module.size == kernel.size {
        return None;
    }
    members.truncate(MAX_MEMBERS);
    let keyword = if module.union { "union" } else { "struct" };
    Some(Difference {
        name: format!("{keyword} {}", module.name),
        module_size: module.size,
        kernel_size: kernel.size,
        members,
    })
}

impl Difference {
    /// In words: the size, and the first members that moved.
    fn words(&self) -> Vec<Prose> {
        let hex = |offset: u64| format!("{offset:#x}");
        let mut parts = Vec::new();
        if self.module_size != self.kernel_size {
            parts.push(prose!(say::SIZE_IS, module = hex(self.module_size), kernel = hex(self.kernel_size)));
        }
        // A member that moved says more than one that came or went.
        let (moved, others): (Vec<_>, Vec<_>) =
            self.members.iter().partition(|(_, module, kernel)| module.is_some() && kernel.is_some());
        for (member, module, kernel) in moved.into_iter().chain(others).take(NAMED) {
            parts.push(match (module, kernel) {
                (Some(module), Some(kernel)) => {
                    prose!(say::MEMBER_MOVED, member = member, module = hex(*module), kernel = hex(*kernel))
                }
                (Some(module), None) => prose!(say::MEMBER_GONE, member = member, module = hex(*module)),
                (None, kernel) => prose!(say::MEMBER_NEW, member = member, kernel = hex(kernel.unwrap_or(0))),
            });
        }
        if self.members.len() > NAMED {
            parts.push(prose!(say::MORE_MEMBERS, count = self.members.len() - NAMED));
        }
        parts
    }
}

impl Layout {
    /// The suspicions that follow, the weightiest first. `concerned` are structs of the crash:
    /// they are told before others.
    pub fn suspicions(&self, concerned: &[String]) -> Vec<Prose> {
        let mut found = Vec::new();
        let mut structs: Vec<&Difference> = self.structs.iter().collect();
        structs.sort_by_key(|difference| !concerned.contains(&difference.name));
        for difference in structs.iter().take(NAMED) {
            found.push(prose!(say::STRUCT_DIFFERS, name = &difference.name, how = difference.words()));
        }
        if structs.len() > NAMED {
            let rest: Vec<&str> = structs.iter().skip(NAMED).map(|d| d.name.as_str()).take(8).collect();
            found.push(prose!(say::STRUCTS_MORE, count = structs.len() - NAMED, names = rest.join(", ")));
        }
        if let Some((module, kernel)) = self.this_module {
            found.push(prose!(say::STRUCT_MODULE_SIZE, module = module, kernel = kernel));
        }
        if !self.checksums.is_empty() {
            let names: Vec<&str> = self.checksums.iter().map(String::as_str).take(NAMED + 1).collect();
            found.push(prose!(
                say::CHECKSUMS_DIFFER,
                count = self.checksums.len(),
                symbols = names.join(", ")
            ));
        }
        found.extend(self.magic_words());
        found
    }

    /// How the `vermagic` strings differ (`same_magic()`, kernel/module/version.c): word by word.
    fn magic_words(&self) -> Option<Prose> {
        let module = self.magic.0.as_deref()?.trim();
        let release = module.split_whitespace().next()?;
        if let Some(kernel) = self.magic.1.as_deref().map(str::trim) {
            let split = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let (ours, theirs) = (split(module), split(kernel));
            let lacks = theirs.iter().filter(|word| !ours.contains(word));
            let adds = ours.iter().filter(|word| !theirs.contains(word));
            let words: Vec<Prose> = lacks
                .map(|word| prose!(say::MAGIC_LACKS, word = word))
                .chain(adds.map(|word| prose!(say::MAGIC_ADDS, word = word)))
                .collect();
            if !words.is_empty() {
                return Some(prose!(say::MAGIC_DIFFERS, module = module, kernel = kernel, words = words));
            }
        }
        let running = self.release.as_deref()?;
        (running != release).then(|| prose!(say::MAGIC_RELEASE, module = release, kernel = running))
    }

    /// Whether it is proved to have been built against other headers.
    pub fn differs(&self) -> bool {
        !self.structs.is_empty() || self.this_module.is_some() || !self.checksums.is_empty()
    }

    /// As the report has it.
    pub fn to_model(&self) -> model::ModuleLayout {
        let structs = self.structs.iter().map(|difference| model::StructDifference {
            name: difference.name.clone(),
            module_size: Hex(difference.module_size),
            kernel_size: Hex(difference.kernel_size),
            members: difference
                .members
                .iter()
                .map(|(name, module, kernel)| model::MemberDifference {
                    name: name.clone(),
                    module: module.map(Hex),
                    kernel: kernel.map(Hex),
                })
                .collect(),
        });
        model::ModuleLayout {
            vermagic: self.magic.0.clone(),
            kernel_vermagic: self.magic.1.clone(),
            checksums: self.checksums.clone(),
            compared: u32::try_from(self.compared).unwrap_or(u32::MAX),
            structs: structs.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kwhy_base::Lang;

    fn outline(size: u64, members: &[(&str, u64)]) -> Outline {
        Outline {
            union: false,
            name: Rc::from("foo"),
            size,
            members: members
                .iter()
                .map(|(name, byte)| OutlineMember {
                    name: (!name.is_empty()).then(|| Rc::from(*name)),
                    bit: Some(byte * 8),
                })
                .collect(),
            file: Some(Rc::from("include/linux/foo.h")),
        }
    }

    #[test]
    fn members_that_moved_are_named_with_both_places() {
        let module = outline(0x18, &[("next", 0), ("bar", 0x10)]);
        let kernel = outline(0x20, &[("next", 0), ("lock", 0x10), ("bar", 0x18)]);
        let found = difference(&module, &kernel).unwrap();
        assert_eq!(found.members.len(), 2);
        let layout = Layout { structs: vec![found], ..Layout::default() };
        let said = layout.suspicions(&[])[0].render(Lang::En);
        assert!(said.contains("struct foo") && said.contains("bar moved from 0x10 to 0x18"), "{said}");
        assert!(said.contains("lock (at 0x10) is only in the kernel's"), "{said}");
        assert!(layout.differs());
        assert!(layout.suspicions(&[])[0].render(Lang::Zh).contains("bar 从 0x10 移到 0x18"));
    }

    #[test]
    fn the_same_layout_is_no_difference() {
        let foo = outline(0x18, &[("next", 0), ("", 8), ("bar", 0x10)]);
        assert_eq!(difference(&foo, &foo), None);
        // An anonymous struct that got a name moves nobody.
        let renamed = outline(0x18, &[("next", 0), ("", 8), ("bar", 0x10)]);
        assert_eq!(difference(&foo, &renamed), None);
        assert!(!Layout::default().differs());
        assert!(Layout::default().suspicions(&[]).is_empty());
    }

    #[test]
    fn bits_whose_place_is_left_to_the_type_are_not_compared() {
        let mut old = outline(8, &[("flags", 0), ("bit", 4)]);
        old.members[1].bit = None;
        assert_eq!(difference(&old, &outline(8, &[("flags", 0), ("bit", 5)])), None);
    }

    #[test]
    fn a_drivers_own_struct_is_not_compared() {
        let mut own = outline(8, &[("a", 0)]);
        own.file = Some(Rc::from("drivers/foo/foo.h"));
        assert!(!shared(&own));
        own.file = Some(Rc::from("arch/x86/include/asm/page.h"));
        assert!(shared(&own));
        own.file = None;
        assert!(!shared(&own));
    }

    #[test]
    fn vermagic_is_compared_word_by_word() {
        let magic = |module: &str, kernel: Option<&str>, release: &str| {
            let layout = Layout {
                magic: (Some(module.to_owned()), kernel.map(str::to_owned)),
                release: Some(release.to_owned()),
                ..Layout::default()
            };
            layout.suspicions(&[]).first().map(|said| said.render(Lang::En))
        };
        let said = magic("6.1.0 mod_unload", Some("6.1.0 SMP mod_unload "), "6.1.0").unwrap();
        assert!(said.contains("it lacks SMP"), "{said}");
        assert!(magic("6.1.0 SMP mod_unload ", Some("6.1.0 SMP mod_unload "), "6.1.0").is_none());
        assert!(magic("6.1.1 SMP", None, "6.1.0").unwrap().contains("6.1.1"));
        assert!(magic("6.1.0 SMP", None, "6.1.0").is_none());
    }
}

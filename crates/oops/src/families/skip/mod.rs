//! Functions that never name a crash, as data: each group with the reason it is passed over.
//!
//! A pattern is a part of a name; `^` ties it to the name's beginning, `$` to its end. Parts are
//! preferred to whole names because kernels rename helpers by putting prefixes and suffixes round
//! them (`_raw_spin_lock_irqsave`, `__kmalloc_node_noprof`).
//!
//! What is *not* here is as deliberate: a helper is passed over only where a crash in it says
//! nothing about it, and where trackers agree, because a title is good for nothing if it is not
//! the one that others use.

mod checks;
mod data;
mod devices;
mod locks;
mod memory;

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// One group of the list.
pub(crate) struct Group {
    /// Why a crash is not about these functions. Kept beside them so that the list can be judged.
    #[allow(dead_code, reason = "for the reader of the table")]
    pub reason: &'static str,
    /// The patterns.
    pub patterns: &'static [&'static str],
}

/// Never a crash's name, whatever the family.
static ALWAYS: &[&[Group]] = &[checks::GROUPS, memory::GROUPS, locks::GROUPS, data::GROUPS, devices::GROUPS];

/// A pattern taken apart.
#[derive(Clone, Copy)]
struct Pattern<'a> {
    begins: bool,
    part: &'a str,
    ends: bool,
}

impl<'a> Pattern<'a> {
    fn of(pattern: &'a str) -> Pattern<'a> {
        let (begins, rest) = pattern.strip_prefix('^').map_or((false, pattern), |rest| (true, rest));
        let (ends, part) = rest.strip_suffix('$').map_or((false, rest), |rest| (true, rest));
        Pattern { begins, part, ends }
    }

    fn fits(self, name: &str, start: usize, end: usize) -> bool {
        (!self.begins || start == 0) && (!self.ends || end == name.len())
    }
}

/// All patterns of [`ALWAYS`], and what finds their parts in one pass over a name.
static FINDER: LazyLock<(Vec<Pattern<'static>>, Option<AhoCorasick>)> = LazyLock::new(|| {
    let groups = ALWAYS.iter().flat_map(|groups| groups.iter());
    let patterns: Vec<Pattern<'static>> =
        groups.flat_map(|group| group.patterns).map(|pattern| Pattern::of(pattern)).collect();
    let finder = AhoCorasick::new(patterns.iter().map(|pattern| pattern.part)).ok();
    (patterns, finder)
});

/// Whether `name` matches any of `patterns`.
pub(crate) fn matches(name: &str, patterns: &[&str]) -> bool {
    patterns.iter().map(|pattern| Pattern::of(pattern)).any(|pattern| match (pattern.begins, pattern.ends) {
        (true, true) => name == pattern.part,
        (true, false) => name.starts_with(pattern.part),
        (false, true) => name.ends_with(pattern.part),
        (false, false) => name.contains(pattern.part),
    })
}

/// Whether `name` is passed over in every family.
pub(crate) fn always(name: &str) -> bool {
    let (patterns, finder) = &*FINDER;
    finder.as_ref().is_some_and(|finder| {
        finder.find_overlapping_iter(name).any(|found| {
            let pattern = patterns.get(found.pattern().as_usize());
            pattern.is_some_and(|pattern| pattern.fits(name, found.start(), found.end()))
        })
    })
}

#[cfg(test)]
mod tests;

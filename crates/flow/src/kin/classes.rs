//! Pointers of one type: a union-find whose members lie at fixed distances from each other.
//!
//! Two values that the code makes equal, or a constant apart (`node`, and `node - 16`), point into
//! the same object. Each member of a class knows how far it is from the class's root.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Terms by number; what a term is, only its owner knows.
#[derive(Default)]
pub(crate) struct Classes {
    /// (parent, this term less its parent).
    parents: Vec<(usize, i64)>,
    /// By root: strides by which loops advance its members.
    pub steps: BTreeMap<usize, BTreeSet<u64>>,
}

/// Chains are halved as they are walked; this bounds a damaged one.
const MAX_CHAIN: usize = 1 << 16;

impl Classes {
    /// `count` terms, each on its own.
    pub(crate) fn new(count: usize) -> Classes {
        Classes { parents: (0..count).map(|term| (term, 0)).collect(), steps: BTreeMap::new() }
    }

    /// One more term.
    pub(crate) fn add(&mut self) -> usize {
        let term = self.parents.len();
        self.parents.push((term, 0));
        term
    }

    /// The root of a term's class, and the term less the root.
    pub(crate) fn find(&self, term: usize) -> (usize, i64) {
        let (mut at, mut delta) = (term, 0i64);
        for _ in 0..MAX_CHAIN {
            match self.parents.get(at) {
                Some((parent, less)) if *parent != at => {
                    delta = delta.wrapping_add(*less);
                    at = *parent;
                }
                _ => break,
            }
        }
        (at, delta)
    }

    /// Says that `a` is `b + plus`. `true` where that was news.
    pub(crate) fn unite(&mut self, a: usize, b: usize, plus: i64) -> bool {
        let ((root, from), (other, to)) = (self.find(a), self.find(b));
        // a = root + from = other + to + plus.
        let delta = to.wrapping_add(plus).wrapping_sub(from);
        if root == other {
            // A pointer that is moved within an array.
            if delta != 0 {
                self.step(root, delta.unsigned_abs());
            }
            return false;
        }
        // The lower number stays the root, so that the order of the work does not show.
        let (child, parent, delta) =
            if root > other { (root, other, delta) } else { (other, root, delta.wrapping_neg()) };
        if let Some(slot) = self.parents.get_mut(child) {
            *slot = (parent, delta);
        }
        if let Some(steps) = self.steps.remove(&child) {
            self.steps.entry(parent).or_default().extend(steps);
        }
        true
    }

    /// A member of the class is moved by so many bytes.
    pub(crate) fn step(&mut self, root: usize, by: u64) {
        self.steps.entry(root).or_default().insert(by);
    }

    /// Makes every later search short.
    pub(crate) fn settle(&mut self) {
        let settled: Vec<(usize, i64)> = (0..self.parents.len()).map(|term| self.find(term)).collect();
        self.parents = settled;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_add_up_on_both_sides() {
        let mut classes = Classes::new(4);
        assert!(classes.unite(1, 0, 8));
        assert!(classes.unite(3, 2, -16));
        assert!(classes.unite(1, 3, 4));
        // 1 = 0 + 8, 1 = 3 + 4, 3 = 2 - 16: so 2 is 0 + 20.
        assert_eq!(classes.find(2).0, classes.find(0).0);
        assert_eq!(classes.find(2).1 - classes.find(0).1, 20);
        assert!(!classes.unite(2, 0, 20));
        assert!(classes.steps.is_empty());
        assert!(!classes.unite(2, 0, 28));
        assert_eq!(classes.steps.values().flatten().copied().collect::<Vec<_>>(), [8]);
    }
}

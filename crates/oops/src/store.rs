//! Keeps the clean text of the lines that are being read, and no others.
//!
//! A log may be of any size, so lines cannot borrow from it: their text is copied into one arena
//! that is cut off in front as reports are finished. Lines are known by a number that never
//! changes while they are kept.

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::text::{Caller, Line};

/// One line, its text being a piece of the arena.
struct Kept {
    start: usize,
    length: usize,
    number: u32,
    time: Option<f64>,
    caller: Caller,
    torn: bool,
}

/// The lines being read.
#[derive(Default)]
pub(crate) struct Store {
    arena: String,
    /// What was cut off the arena so far, in bytes: `Kept::start` counts from the beginning.
    dropped: usize,
    lines: VecDeque<Kept>,
    /// The index of the first line kept.
    first: usize,
}

/// The arena is not moved for less than this.
const WORTH_MOVING: usize = 64 * 1024;

impl Store {
    /// Adds a line; its index.
    pub(crate) fn push(&mut self, line: &Line<'_>) -> usize {
        let start = self.dropped + self.arena.len();
        self.arena.push_str(&line.text);
        self.lines.push_back(Kept {
            start,
            length: line.text.len(),
            number: line.number,
            time: line.time,
            caller: line.caller,
            torn: line.torn,
        });
        self.end() - 1
    }

    /// One past the last line's index.
    pub(crate) fn end(&self) -> usize {
        self.first + self.lines.len()
    }

    /// The first index kept.
    pub(crate) fn first(&self) -> usize {
        self.first
    }

    /// The line at `index`, while it is kept.
    pub(crate) fn get(&self, index: usize) -> Option<Line<'_>> {
        let kept = self.lines.get(index.checked_sub(self.first)?)?;
        let start = kept.start.checked_sub(self.dropped)?;
        Some(Line {
            number: kept.number,
            text: Cow::Borrowed(self.arena.get(start..start + kept.length)?),
            time: kept.time,
            caller: kept.caller,
            torn: kept.torn,
        })
    }

    /// Forgets all lines before `index`.
    pub(crate) fn drop_before(&mut self, index: usize) {
        let count = index.saturating_sub(self.first).min(self.lines.len());
        self.lines.drain(..count);
        self.first += count;
        let live = self.lines.front().map_or(self.dropped + self.arena.len(), |line| line.start);
        let dead = live.saturating_sub(self.dropped);
        // Moving only what is less than what goes keeps the whole linear.
        if dead > WORTH_MOVING && dead > self.arena.len() / 2 || dead == self.arena.len() {
            self.arena.drain(..dead);
            self.dropped += dead;
        }
    }

    /// Forgets the lines from `index` on.
    pub(crate) fn truncate(&mut self, index: usize) {
        if let Some(cut) = self.lines.get(index.wrapping_sub(self.first)) {
            self.arena.truncate(cut.start.saturating_sub(self.dropped));
            self.lines.truncate(index.saturating_sub(self.first));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u32, text: &str) -> Line<'_> {
        Line { number, text: Cow::Borrowed(text), time: None, caller: Caller::Unknown, torn: false }
    }

    #[test]
    fn what_is_kept_keeps_its_index() {
        let mut store = Store::default();
        for number in 0..10_000 {
            let text = format!("line {number}");
            assert_eq!(store.push(&line(number, &text)), number as usize);
            store.drop_before((number as usize).saturating_sub(20));
            assert!(store.arena.len() < 3 * WORTH_MOVING);
        }
        assert_eq!(store.get(9990).map(|l| l.text.into_owned()).as_deref(), Some("line 9990"));
        assert!(store.get(9000).is_none() && store.get(10_000).is_none());
        store.truncate(9995);
        assert_eq!((store.first(), store.end()), (9979, 9995));
        assert_eq!(store.push(&line(1, "again")), 9995);
        assert_eq!(store.get(9995).map(|l| l.text.into_owned()).as_deref(), Some("again"));
        assert_eq!(store.get(9994).map(|l| l.text.into_owned()).as_deref(), Some("line 9994"));
        store.drop_before(20_000);
        assert_eq!((store.first(), store.end(), store.arena.len()), (9996, 9996, 0));
    }
}

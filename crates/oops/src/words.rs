//! Looking for words in lines, made for the case that they are not there.
//!
//! Readers ask every line for many words, few of which it has. The standard library prepares each
//! such question for texts of any length before it looks at the first byte, which takes longer
//! than the line does; only its `contains` does without. So that is asked first.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use memchr::memmem;

/// Questions to a line.
pub(crate) trait Words {
    /// As [`str::find`].
    fn place_of(&self, words: &str) -> Option<usize>;

    /// As [`str::split_once`].
    fn cut(&self, words: &str) -> Option<(&str, &str)>;

    /// As [`str::rsplit_once`].
    fn cut_last(&self, words: &str) -> Option<(&str, &str)>;
}

impl Words for str {
    fn place_of(&self, words: &str) -> Option<usize> {
        if !self.contains(words) {
            return None;
        }
        memmem::find(self.as_bytes(), words.as_bytes())
    }

    fn cut(&self, words: &str) -> Option<(&str, &str)> {
        let at = self.place_of(words)?;
        Some((self.get(..at)?, self.get(at.checked_add(words.len())?..)?))
    }

    fn cut_last(&self, words: &str) -> Option<(&str, &str)> {
        if !self.contains(words) {
            return None;
        }
        self.rsplit_once(words)
    }
}

/// Whether `text` begins with any of `heads`.
pub(crate) fn begins_any(text: &str, heads: &[&str]) -> bool {
    let first = text.as_bytes().first();
    heads.iter().any(|head| head.as_bytes().first() == first && text.starts_with(head))
}

/// Several words that lines are asked for at once.
pub(crate) struct AnyOf {
    words: &'static [&'static str],
    finder: OnceLock<Option<AhoCorasick>>,
}

impl AnyOf {
    /// Any of these.
    pub(crate) const fn new(words: &'static [&'static str]) -> AnyOf {
        AnyOf { words, finder: OnceLock::new() }
    }

    /// Whether `text` has one.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        let finder = self
            .finder
            .get_or_init(|| AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(self.words).ok());
        match finder {
            Some(finder) => finder.is_match(text),
            None => self.words.iter().any(|words| text.contains(words)),
        }
    }
}

/// Which words a report may have: groups of four letters, as bits of a table.
///
/// What it denies is in none of the lines; what it allows must be looked for.
pub(crate) struct Index {
    bits: Vec<u64>,
}

/// Letters of a group.
const GROUP: usize = 4;

impl Index {
    /// Of these lines.
    pub(crate) fn of<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> Index {
        let letters: usize = lines.clone().map(str::len).sum();
        // Eight bits a group leave one in eight set at the most.
        let words = (letters / 8).clamp(64, 1 << 20).next_power_of_two();
        let mut index = Index { bits: vec![0; words] };
        for line in lines {
            for group in line.as_bytes().windows(GROUP) {
                let (word, bit) = index.slot(group);
                if let Some(word) = index.bits.get_mut(word) {
                    *word |= bit;
                }
            }
        }
        index
    }

    fn slot(&self, group: &[u8]) -> (usize, u64) {
        let group: [u8; GROUP] = group.try_into().unwrap_or_default();
        // Fibonacci hashing; the upper bits are the well mixed ones.
        let hash = u32::from_le_bytes(group).wrapping_mul(0x9e37_79b1);
        ((hash >> 6) as usize & self.bits.len().wrapping_sub(1), 1 << (hash & 63))
    }

    /// Whether any of the lines may have `words`.
    pub(crate) fn may_have(&self, words: &str) -> bool {
        words.as_bytes().windows(GROUP).all(|group| {
            let (word, bit) = self.slot(group);
            self.bits.get(word).is_none_or(|word| word & bit != 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_standard_library_has_it() {
        for text in ["", "a", "ab: c", "x: y: z", "é: ü: ", ": "] {
            for words in [": ", "a", "z", "é", "", "x: y: z", "longer than any of the texts"] {
                assert_eq!(text.place_of(words), text.find(words), "{text} {words}");
                assert_eq!(text.cut(words), text.split_once(words), "{text} {words}");
                assert_eq!(text.cut_last(words), text.rsplit_once(words), "{text} {words}");
            }
        }
    }

    #[test]
    fn what_is_there_is_never_denied() {
        let lines: Vec<String> = (0..500).map(|n| format!("line {n} of {}", n * 7919)).collect();
        let index = Index::of(lines.iter().map(String::as_str));
        for line in &lines {
            for length in 1..line.len() {
                assert!(
                    line.as_bytes()
                        .windows(length)
                        .all(|part| { index.may_have(std::str::from_utf8(part).unwrap()) })
                );
            }
        }
        assert!(index.may_have("abc") && !index.may_have("none of these words"));
        assert!(Index::of(std::iter::empty()).may_have(""));
    }
}

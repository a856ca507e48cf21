//! Wrapping to a width in terminal columns, where a Chinese character takes two.

use crate::doc::{Inline, Span, Tone};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that `text` takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// Columns that `inline` takes on one line, with the backticks of its quoted code.
#[must_use]
pub fn inline_width(inline: &Inline) -> usize {
    inline.0.iter().map(|span| width(&span.text) + if span.tone == Tone::Quoted { 2 } else { 0 }).sum()
}

/// Marks that may not begin a line.
const CLOSING: &str = "，。、；：！？）」』】》…”’,.;:!?)]}";
/// Marks that may not end one.
const OPENING: &str = "（「『【《“‘([{";

/// What must stay on one line: a word, or one wide character with its punctuation.
struct Atom {
    text: Vec<(char, Tone)>,
    width: usize,
    /// A blank came before it.
    spaced: bool,
}

/// Breaks `inline` into lines of at most `columns`. A word longer than that (a path, a symbol)
/// is left whole, so that it can be copied. Blanks at the very beginning indent every line.
#[must_use]
pub fn wrap(inline: &Inline, columns: usize) -> Vec<Inline> {
    let indent = inline.0.iter().flat_map(|span| span.text.chars()).take_while(|c| *c == ' ').count();
    let columns = columns.saturating_sub(indent);
    let mut lines: Vec<Vec<(char, Tone)>> = Vec::new();
    let mut line: Vec<(char, Tone)> = Vec::new();
    let mut used = 0usize;
    for atom in atoms(inline) {
        let blank = usize::from(atom.spaced && !line.is_empty());
        if !line.is_empty() && used + blank + atom.width > columns {
            lines.push(std::mem::take(&mut line));
            used = 0;
        } else if blank == 1 {
            let tone = match (line.last(), atom.text.first()) {
                (Some((_, a)), Some((_, b))) if a == b => *a,
                _ => Tone::Plain,
            };
            line.push((' ', tone));
            used += 1;
        }
        used += atom.width;
        line.extend(atom.text);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    let blank = std::iter::repeat_n((' ', Tone::Plain), indent);
    lines.into_iter().map(|line| spans(blank.clone().chain(line))).collect()
}

fn atoms(inline: &Inline) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = Vec::new();
    let mut spaced = false;
    let mut glued = false;
    let mut previous_wide = false;
    let mut previous_opening = false;
    let characters = inline.0.iter().flat_map(|span| {
        let tick = (span.tone == Tone::Quoted).then_some(('`', span.tone));
        tick.into_iter().chain(span.text.chars().map(|c| (c, span.tone))).chain(tick)
    });
    for (c, tone) in characters {
        if c == ' ' {
            spaced = true;
            glued = false;
            continue;
        }
        let columns = c.width().unwrap_or(0);
        let wide = columns == 2;
        let may_break = (wide || previous_wide) && !CLOSING.contains(c) && !previous_opening;
        match atoms.last_mut() {
            Some(atom) if glued && !may_break => {
                atom.text.push((c, tone));
                atom.width += columns;
            }
            _ => atoms.push(Atom { text: vec![(c, tone)], width: columns, spaced }),
        }
        spaced = false;
        glued = true;
        previous_wide = wide;
        previous_opening = OPENING.contains(c);
    }
    atoms
}

/// The backticks of quoted code are characters by now, so the tone alone remains to be shown.
fn spans(characters: impl Iterator<Item = (char, Tone)>) -> Inline {
    let mut spans: Vec<Span> = Vec::new();
    for (c, tone) in characters {
        match spans.last_mut() {
            Some(span) if span.tone == tone => span.text.push(c),
            _ => spans.push(Span { text: c.to_string(), tone }),
        }
    }
    Inline(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, columns: usize) -> Vec<String> {
        wrap(&Inline::sentence(text), columns)
            .into_iter()
            .map(|line| line.0.into_iter().map(|span| span.text).collect())
            .collect()
    }

    #[test]
    fn words_stay_whole_and_blanks_vanish_at_breaks() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("a/very/long/path x", 5), ["a/very/long/path", "x"]);
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("  one two", 5), ["  one", "  two"]);
    }

    #[test]
    fn chinese_breaks_anywhere_but_before_a_full_stop_and_counts_double() {
        assert_eq!(wrapped("内核读取了坏指针。", 8), ["内核读取", "了坏指", "针。"]);
        for line in wrapped("内核在 mod_sysfs_setup 中读取了 `use->target` 指向的内存（错误）。", 20)
        {
            assert!(width(&line) <= 20, "{line}");
            assert!(!line.starts_with('。') && !line.ends_with('（'), "{line}");
        }
    }

    #[test]
    fn quoted_code_keeps_its_backticks() {
        assert_eq!(wrapped("load `a b` now", 80), ["load `a b` now"]);
    }
}

//! Whatever stands in front of every line, when it stands in front of every line: a tool's own
//! clock, line numbers, a container's name, a comment's mark, indentation. No table can name them
//! all; that they are all of one shape, and that the kernel's own time follows, gives them away.

use std::collections::{BTreeMap, BTreeSet};

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;

use super::lines::{Rows, numbered};
use super::{Budget, Layer};

/// A lead is not longer than this.
const LONGEST: usize = 80;
/// So many lines must show it.
const FEWEST: usize = 4;

/// Different leads that are remembered.
const MOST_WORDS: usize = 256;

/// The shape of a lead: runs of digits and runs of letters are one each, blanks are blanks.
fn shape(lead: &[u8]) -> Vec<u8> {
    let mut shape = Vec::with_capacity(lead.len());
    for byte in lead {
        let class = match byte {
            b'0'..=b'9' => b'0',
            b'A'..=b'Z' | b'a'..=b'z' => b'a',
            b'\t' => b' ',
            other => *other,
        };
        if shape.last() != Some(&class) || !matches!(class, b'0' | b'a' | b' ') {
            shape.push(class);
        }
    }
    shape
}

/// The shape with its words kept.
fn words(lead: &[u8]) -> Vec<u8> {
    lead.iter().map(|b| if b.is_ascii_digit() { b'0' } else { *b }).fold(Vec::new(), |mut words, byte| {
        if !(matches!(byte, b'0' | b' ') && words.last() == Some(&byte)) {
            words.push(byte);
        }
        words
    })
}

/// Bytes before a line's printk time, where the known prefixes do not account for them.
fn unknown(line: &[u8]) -> Option<&[u8]> {
    let head = line.get(..LONGEST + 24).unwrap_or(line);
    let text = String::from_utf8_lossy(head);
    let at = memchr::memchr_iter(b'[', head)
        .find(|at| *at > 0 && *at <= LONGEST && head.get(*at..).is_some_and(stamp))?;
    let known = crate::text::is_stamped(&text);
    if known { None } else { line.get(..at) }
}

/// `[   12.345678]`.
fn stamp(text: &[u8]) -> bool {
    let Some(inner) = text.strip_prefix(b"[") else { return false };
    let number = inner.trim_ascii_start();
    let whole = number.iter().take_while(|b| b.is_ascii_digit()).count();
    let fraction = number.get(whole..).and_then(|rest| rest.strip_prefix(b"."));
    let digits = fraction.map_or(0, |f| f.iter().take_while(|b| b.is_ascii_digit()).count());
    whole > 0 && digits == 6 && fraction.and_then(|f| f.get(6)) == Some(&b']')
}

/// The lead of `head`, as its shape, where most lines with a time have it.
fn common(head: &[u8]) -> Option<Vec<u8>> {
    let mut shapes: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let mut stamped = 0usize;
    for (_, line) in numbered(head) {
        if let Some(lead) = unknown(line) {
            *shapes.entry(shape(lead)).or_default() += 1;
            stamped += 1;
        } else if crate::text::is_stamped(&String::from_utf8_lossy(line.get(..LONGEST).unwrap_or(line))) {
            stamped += 1;
        }
    }
    let (shape, count) = shapes.into_iter().max_by_key(|(_, count)| *count)?;
    (count >= FEWEST && count * 10 >= stamped * 6).then_some(shape)
}

pub(super) fn sniff(head: &[u8]) -> bool {
    // Most logs begin with the kernel's own time or a known prefix: a look at few lines decides.
    let few = head.get(..8192).unwrap_or(head);
    let some = numbered(few).filter(|(_, line)| unknown(line).is_some()).take(FEWEST).count();
    some >= FEWEST || (head.len() > few.len() && common(head).is_some())
}

/// The bytes at the start of `line` that are of the shape.
fn of_shape(line: &[u8], wanted: &[u8]) -> Option<usize> {
    // Shapes grow with the text, so that the longest start of the shape is found in one pass.
    let mut best = None;
    let limit = line.len().min(LONGEST);
    for end in 1..=limit {
        let own = shape(line.get(..end)?);
        if own == wanted {
            best = Some(end);
        } else if own.len() > wanted.len() {
            break;
        }
    }
    best
}

pub(super) fn read(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    let wanted = common(super::sample(bytes))?;
    let mut example = String::new();
    let mut text = Rows::default();
    // Words that leads before a time had: a line without one is cut only at the same words, for
    // the kernel's own text has shapes too.
    let mut known: BTreeSet<Vec<u8>> = BTreeSet::new();
    for (number, line) in numbered(bytes) {
        let lead = unknown(line).filter(|lead| shape(lead) == wanted);
        if let (Some(lead), true) = (lead, known.len() < MOST_WORDS) {
            known.insert(words(lead));
        }
        let bare = || {
            let end = of_shape(line, &wanted)?;
            line.get(..end).filter(|lead| known.contains(&words(lead))).map(<[u8]>::len)
        };
        let cut = lead.map(<[u8]>::len).or_else(bare).unwrap_or(0);
        if cut > 0 && example.is_empty() {
            example = String::from_utf8_lossy(line.get(..cut).unwrap_or_default()).into_owned();
        }
        text.push(line.get(cut..).unwrap_or_default(), number);
    }
    let (text, numbers) = text.done();
    Some(vec![Layer {
        text,
        numbers,
        remarks: vec![prose!(say::QUOTED, lead = example)],
        part: String::new(),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &str) -> Option<String> {
        let bytes = bytes.as_bytes();
        sniff(bytes)
            .then(|| read(bytes, &mut Budget { bytes: 0 }))
            .flatten()
            .map(|mut l| String::from_utf8(l.remove(0).text).unwrap())
    }

    #[test]
    fn a_lead_of_one_shape_comes_off() {
        let kernel = "[    1.000000] a\n[    1.000001]  b\n[    1.000002] c\n[   12.000003] d\n";
        for lead in ["build 3 | ", "  17: ", "# ", "host0 console: ", "[web-1] "] {
            let dressed: String = kernel.lines().map(|line| format!("{lead}{line}\n")).collect();
            assert_eq!(text(&dressed).as_deref(), Some(kernel), "{lead}");
        }
        let numbered: String = kernel.lines().zip(7..).map(|(line, n)| format!("{n:>4}\t{line}\n")).collect();
        assert_eq!(text(&numbered).as_deref(), Some(kernel));
        // A line without the time has the lead too.
        let mixed =
            format!("{}# no time\n", kernel.lines().map(|line| format!("# {line}\n")).collect::<String>());
        assert_eq!(text(&mixed), Some(format!("{kernel}no time\n")));
    }

    #[test]
    fn known_prefixes_are_the_parsers() {
        assert_eq!(text(&"[    1.000000] a\n".repeat(9)), None);
        assert_eq!(text(&"Nov 22 11:44:54 host kernel: [    1.000000] a\n".repeat(9)), None);
        assert_eq!(text(&"2026-11-22 14:00:00 | [    1.000000] a\n".repeat(9)), None);
        assert_eq!(text(&"a torn line [    1.000000] a\n[    1.000000] b\n".repeat(2)), None);
        assert_eq!(text(&"no time at all\n".repeat(9)), None);
    }
}

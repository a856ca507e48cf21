//! What people paste a log into: Markdown, trackers' markup, quoted mail. Code blocks are cut
//! out, quotation marks and indentation come off.

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;

use super::lines::{Rows, numbered};
use super::{Budget, Layer};

/// Lines in a row that must be marked before the mark is one: KASAN marks one line of its memory
/// dump with `>`.
const RUN: usize = 3;
/// Indented lines in a row that make a code block.
const BLOCK: usize = 4;

pub(super) fn sniff(head: &[u8]) -> bool {
    fenced(head) || quoted(head) || indented(head)
}

pub(super) fn read(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    let (rows, remark) = blocks(bytes)
        .map(|rows| (rows, prose!(say::FENCED)))
        .or_else(|| unquote(bytes).map(|(rows, lead)| (rows, prose!(say::QUOTED, lead = lead))))
        .or_else(|| unindent(bytes).map(|(rows, lead)| (rows, prose!(say::QUOTED, lead = lead))))?;
    let (text, numbers) = rows.done();
    Some(vec![Layer { text, numbers, remarks: vec![remark], part: String::new() }])
}

/// How a block opens and closes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fence {
    /// Markdown's, of that many of that character.
    Marks(u8, usize),
    /// Markup that ends with this text.
    Until(&'static [u8]),
}

/// Markup of trackers and forums: what opens a block (up to `}` or `]` where it takes
/// parameters), and what closes it.
const MARKUP: &[(&[u8], &[u8])] = &[
    (b"{noformat", b"{noformat}"),
    (b"{code", b"{code}"),
    (b"[code", b"[/code]"),
    (b"[CODE", b"[/CODE]"),
    (b"<<<", b">>>"),
];

/// The fence that a line opens, and the text behind it.
fn opens(line: &[u8]) -> Option<(Fence, &[u8])> {
    let trimmed = line.trim_ascii_start();
    for mark in *b"`~" {
        let count = trimmed.iter().take_while(|b| **b == mark).count();
        let info = trimmed.get(count..).unwrap_or_default();
        // The rest is a language's name; a line with further marks is code in a sentence.
        if count >= 3 && !info.contains(&mark) && info.len() < 40 {
            return Some((Fence::Marks(mark, count), &[]));
        }
    }
    for (open, close) in MARKUP {
        let Some(rest) = trimmed.strip_prefix(*open) else { continue };
        if *open == b"<<<" {
            continue;
        }
        let end = match rest.first() {
            Some(b'}' | b']') => 1,
            Some(b':' | b'=') => {
                rest.iter().take(60).position(|b| matches!(b, b'}' | b']'))?.saturating_add(1)
            }
            _ => continue,
        };
        return Some((Fence::Until(close), rest.get(end..).unwrap_or_default()));
    }
    None
}

fn fenced(head: &[u8]) -> bool {
    numbered(head).any(|(_, line)| opens(line).is_some())
}

/// What stands in blocks, where a report is among it. Prose about a crash names it too.
fn blocks(bytes: &[u8]) -> Option<Rows> {
    let mut rows = Rows::default();
    let mut fence: Option<Fence> = None;
    for (number, line) in numbered(bytes) {
        match fence {
            None => {
                let Some((open, rest)) = opens(line) else { continue };
                fence = Some(open);
                if let Some(rest) = until(open, rest, &mut fence)
                    && !rest.trim_ascii().is_empty()
                {
                    rows.push(rest, number);
                }
            }
            Some(open) => {
                if let Some(text) = until(open, line, &mut fence) {
                    rows.push(text, number);
                }
            }
        }
    }
    super::tells(rows.text()).then_some(rows)
}

/// The part of a line inside the block; closes the block where the line does.
fn until<'a>(open: Fence, line: &'a [u8], fence: &mut Option<Fence>) -> Option<&'a [u8]> {
    match open {
        Fence::Marks(mark, count) => {
            let trimmed = line.trim_ascii();
            if trimmed.len() >= count && trimmed.iter().all(|b| *b == mark) {
                *fence = None;
                return None;
            }
            Some(line)
        }
        Fence::Until(close) => match memchr::memmem::find(line, close) {
            Some(at) => {
                *fence = None;
                line.get(..at).filter(|text| !text.is_empty())
            }
            None => Some(line),
        },
    }
}

/// The quotation marks in front of a line: how many, and their bytes with the blanks between.
/// What follows the last mark stays.
fn marks(line: &[u8], most: usize) -> (usize, usize) {
    let (mut count, mut length, mut at) = (0, 0, 0);
    while count < most {
        match line.get(at) {
            Some(b'>' | b'|') => {
                at += 1;
                count += 1;
                length = at;
            }
            Some(b' ') if count > 0 && matches!(line.get(at + 1), Some(b'>' | b'|')) => at += 1,
            _ => break,
        }
    }
    (count, length)
}

/// Whether enough lines in a row are quoted.
fn quoted(head: &[u8]) -> bool {
    let mut run = 0;
    numbered(head).any(|(_, line)| {
        run = if marks(line, 1).0 > 0 { run + 1 } else { 0 };
        run >= RUN
    })
}

/// Takes quotation marks off. In a run of quoted lines the depth is that of most of them: a deeper
/// line's further mark is the kernel's own.
fn unquote(bytes: &[u8]) -> Option<(Rows, String)> {
    let lines: Vec<(u32, &[u8])> = numbered(bytes).collect();
    let mut rows = Rows::default();
    let mut changed: Option<String> = None;
    let mut at = 0;
    while let Some((number, line)) = lines.get(at) {
        let run: Vec<&(u32, &[u8])> =
            lines.get(at..).unwrap_or_default().iter().take_while(|(_, line)| marks(line, 1).0 > 0).collect();
        if run.len() < RUN {
            rows.push(line, *number);
            at += 1;
            continue;
        }
        let depth = most_common(run.iter().map(|(_, line)| marks(line, 16).0));
        let rest = |line: &'_ [u8]| -> usize { marks(line, depth).1 };
        // A blank after the marks is the quoter's where (nearly) every line has it.
        let bodies =
            run.iter().filter_map(|(_, line)| line.get(rest(line)..)).filter(|body| !body.is_empty());
        let (blank, all) =
            bodies.fold((0usize, 0usize), |(b, n), body| (b + usize::from(body[0..1] == *b" "), n + 1));
        let skip = usize::from(blank * 10 >= all * 9);
        for (number, line) in &run {
            let start = rest(line);
            let body = line.get(start..).unwrap_or_default();
            let body = if skip == 1 { body.strip_prefix(b" ").unwrap_or(body) } else { body };
            rows.push(body, *number);
            changed.get_or_insert_with(|| {
                String::from_utf8_lossy(line.get(..start).unwrap_or_default()).into_owned()
            });
        }
        at += run.len();
    }
    changed.map(|lead| (rows, lead))
}

fn most_common(values: impl Iterator<Item = usize>) -> usize {
    let mut counts = std::collections::BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0usize) += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(value, count)| (*count, std::cmp::Reverse(*value)))
        .map_or(1, |(value, _)| value)
}

/// The indentation that makes a code block: four blanks, or a tab.
fn indentation(line: &[u8]) -> usize {
    if line.starts_with(b"\t") {
        return 1;
    }
    line.iter().take_while(|b| **b == b' ').count()
}

fn is_indented(line: &[u8]) -> bool {
    line.starts_with(b"\t") || line.starts_with(b"    ")
}

/// Whether a report stands in an indented block: the kernel indents what follows a report's
/// first line, never that line.
fn indented(head: &[u8]) -> bool {
    let mut run = 0;
    let mut report = false;
    numbered(head).any(|(_, line)| {
        if is_indented(line) {
            run += 1;
            report |= super::tells(line);
        } else if !line.trim_ascii().is_empty() {
            (run, report) = (0, false);
        }
        run >= BLOCK && report
    })
}

/// Takes a block's common indentation off.
fn unindent(bytes: &[u8]) -> Option<(Rows, String)> {
    let lines: Vec<(u32, &[u8])> = numbered(bytes).collect();
    let mut rows = Rows::default();
    let mut changed = false;
    let mut at = 0;
    while let Some((number, line)) = lines.get(at) {
        let rest = lines.get(at..).unwrap_or_default();
        let run =
            rest.iter().take_while(|(_, line)| is_indented(line) || line.trim_ascii().is_empty()).count();
        let run = rest.get(..run).unwrap_or_default();
        if run.len() < BLOCK || !run.iter().any(|(_, line)| super::tells(line)) {
            let count = run.len().max(1);
            for (number, line) in rest.iter().take(count) {
                rows.push(line, *number);
            }
            at += count;
            let _ = (number, line);
            continue;
        }
        let common = run
            .iter()
            .filter(|(_, l)| !l.trim_ascii().is_empty())
            .map(|(_, l)| indentation(l))
            .min()
            .unwrap_or(0);
        for (number, line) in run {
            rows.push(line.get(common..).unwrap_or_default(), *number);
        }
        changed = true;
        at += run.len();
    }
    changed.then(|| (rows, "    ".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::LineMap;

    fn text(bytes: &[u8]) -> Option<(String, LineMap)> {
        sniff(bytes).then(|| read(bytes, &mut Budget { bytes: 0 })).flatten().map(|mut l| {
            let layer = l.remove(0);
            (String::from_utf8(layer.text).unwrap(), layer.numbers)
        })
    }

    #[test]
    fn code_blocks_are_cut_out() {
        let markdown =
            b"# BUG: it crashed\nSee:\n```console\nkernel BUG at a.c:1!\n f+0x1/0x2\n```\nthen nothing\n";
        assert_eq!(
            text(markdown),
            Some(("kernel BUG at a.c:1!\n f+0x1/0x2\n".into(), LineMap::Each(vec![4, 5])))
        );
        let jira = b"BUG: x\n{noformat:title=a}kernel BUG at a.c:1!\nb{noformat} after\nmore\n";
        assert_eq!(text(jira), Some(("kernel BUG at a.c:1!\nb\n".into(), LineMap::Each(vec![2, 3]))));
        // A block that holds no report is not all there is.
        assert_eq!(text(b"```\nmake\n```\nkernel BUG at a.c:1!\n"), None);
    }

    #[test]
    fn quotes_of_every_depth() {
        let mail = b"On x wrote:\n> > BUG: a\n> >  f\n> >\n> > >ffff8880: fb\n> > Code: 00\nok\n";
        assert_eq!(
            text(mail).map(|t| t.0),
            Some("On x wrote:\nBUG: a\n f\n\n>ffff8880: fb\nCode: 00\nok\n".into())
        );
        assert_eq!(text(b">BUG: a\n> f\n>Code: 00\n").map(|t| t.0), Some("BUG: a\n f\nCode: 00\n".into()));
        assert_eq!(text(b"| BUG: a\n|  f\n| Code: 00\n").map(|t| t.0), Some("BUG: a\n f\nCode: 00\n".into()));
        assert_eq!(text(b" ffff8880: fb\n>ffff8880: fb\n ffff8880: fb\n"), None);
    }

    #[test]
    fn indented_blocks() {
        let block = b"I saw\n\n    BUG: a\n     f+0x1\n\n    Code: 00\n    end\nlater\n";
        assert_eq!(
            text(block),
            Some((
                "I saw\n\nBUG: a\n f+0x1\n\nCode: 00\nend\nlater\n".into(),
                LineMap::Each((1..=8).collect())
            ))
        );
        assert_eq!(text(b"BUG: a\n    b\n    c\n    d\n    e\n"), None);
    }
}

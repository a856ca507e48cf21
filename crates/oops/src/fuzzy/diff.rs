//! What differs between a line as printed and as mended, word by word.

use kwhy_base::catalogue::damage as say;
use kwhy_base::prose;

use super::{Repair, Row, shapes};

/// A word, or a place in the code, of a mended line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Part {
    field: String,
    printed: String,
    likely: String,
}

/// One repair for each part of the line that differs.
pub(super) fn repairs(row: &Row) -> Vec<Repair> {
    let changed = parts(&row.before, &row.text, row.kind);
    let repair = |part: Part| Repair {
        line: row.number,
        field: part.field,
        printed: part.printed,
        likely: digits(&part.likely),
        reason: match row.kind {
            shapes::OPENER => prose!(say::SHAPE_OPENER),
            _ if row.named => prose!(say::SHAPE_NAME),
            _ => prose!(say::SHAPE_LINE),
        },
    };
    changed.into_iter().map(repair).collect()
}

/// `text` with its long numbers freed of characters that are no digits: in the text they stay as they are
/// printed, and are mended where they are read.
fn digits(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for run in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = run.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let mended: Option<String> = word.chars().map(super::shape::mended_digit).collect();
        out.push_str(mended.filter(|_| word.len() == 16).as_deref().unwrap_or(word));
        out.push_str(run.get(word.len()..).unwrap_or_default());
    }
    out
}

fn parts(before: &str, after: &str, kind: &str) -> Vec<Part> {
    let pairs = aligned(before.trim(), after.trim());
    let is_place = matches!(kind, shapes::PC | shapes::LR | shapes::FRAME);
    let mut all = vec![Part::default()];
    let mut label = String::new();
    // A place is one part, from its name to its module.
    let mut in_place = kind == shapes::FRAME;
    for (printed, meant) in pairs {
        // A blank that is missing belongs to the word that it is missing from.
        let boundary = meant == Some(' ') && printed.is_some() || meant == Some(':') && kind == shapes::PC;
        if boundary && !(is_place && in_place) {
            if let Some(last) = all.last_mut() {
                if meant == Some(':') {
                    last.likely.push(':');
                    last.printed.extend(printed);
                    in_place = last.likely.len() > 2 && last.likely.ends_with("0010:");
                }
                match last.likely.strip_suffix(':') {
                    Some("") => {}
                    Some(register) => label = register.to_ascii_lowercase(),
                    None if last.likely.is_empty() => {}
                    None => label.clear(),
                }
                in_place |= is_place && matches!(last.likely.as_str(), ":");
                if last.likely.chars().all(|c| c.is_ascii_alphanumeric()) && kind == shapes::ROW {
                    // `x9 :`, whose colon stands apart.
                    label = last.likely.to_ascii_lowercase();
                }
            }
            all.push(Part::default());
            if let (Some(' '), Some(stray)) = (meant, printed.filter(|c| *c != ' '))
                && let Some(part) = all.last_mut()
            {
                part.printed.push(stray);
            }
            if let Some(part) = all.last_mut() {
                part.field = match kind {
                    _ if in_place => kind.to_owned(),
                    shapes::ROW if !label.is_empty() => label.clone(),
                    _ => shapes::WORDS.to_owned(),
                };
            }
            continue;
        }
        if let Some(part) = all.last_mut() {
            part.printed.extend(printed);
            part.likely.extend(meant);
        }
    }
    all.retain(|part| part.printed.trim() != part.likely.trim() && !part.likely.trim().is_empty());
    for part in &mut all {
        part.printed = part.printed.trim().to_owned();
        part.likely = part.likely.trim().to_owned();
        if part.field.is_empty() {
            part.field = if in_place && kind == shapes::FRAME { kind } else { shapes::WORDS }.to_owned();
        }
    }
    all
}

/// The characters of both texts side by side (Wagner and Fischer's least edits).
fn aligned(before: &str, after: &str) -> Vec<(Option<char>, Option<char>)> {
    const LONGEST: usize = 800;
    let a: Vec<char> = before.chars().take(LONGEST).collect();
    let b: Vec<char> = after.chars().take(LONGEST).collect();
    let width = b.len() + 1;
    let mut table = vec![0u32; (a.len() + 1) * width];
    let value = |table: &[u32], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(u32::MAX / 2);
    for i in (0..=a.len()).rev() {
        for j in (0..=b.len()).rev() {
            let cost = match (a.get(i), b.get(j)) {
                (None, None) => 0,
                (None, Some(_)) => value(&table, i, j + 1) + 1,
                (Some(_), None) => value(&table, i + 1, j) + 1,
                (Some(x), Some(y)) => {
                    let both = value(&table, i + 1, j + 1) + u32::from(x != y);
                    both.min(value(&table, i + 1, j) + 1).min(value(&table, i, j + 1) + 1)
                }
            };
            if let Some(slot) = table.get_mut(i * width + j) {
                *slot = cost;
            }
        }
    }
    let mut pairs = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let own = value(&table, i, j);
        match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) if own == value(&table, i + 1, j + 1) + u32::from(x != y) => {
                pairs.push((Some(*x), Some(*y)));
                (i, j) = (i + 1, j + 1);
            }
            (Some(x), _) if own == value(&table, i + 1, j) + 1 => {
                pairs.push((Some(*x), None));
                i += 1;
            }
            (_, Some(y)) => {
                pairs.push((None, Some(*y)));
                j += 1;
            }
            _ => break,
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, before: &str, after: &str, expected: &[(&str, &str, &str)]) {
        let found = parts(before, after, kind);
        let found: Vec<(&str, &str, &str)> =
            found.iter().map(|p| (p.field.as_str(), p.printed.as_str(), p.likely.as_str())).collect();
        assert_eq!(found, expected, "{before}");
    }

    #[test]
    fn parts_are_named_by_what_they_are() {
        check(
            shapes::ROW,
            "x2S: ffff0000 00000001 x25: 0000000000000002",
            "x25: ffff000000000001 x25: 0000000000000002",
            &[("line", "x2S:", "x25:"), ("x25", "ffff0000 00000001", "ffff000000000001")],
        );
        check(
            shapes::FRAME,
            "do it+Ox1/0x2[m]",
            "do_it+0x1/0x2 [m]",
            &[("frame", "do it+Ox1/0x2[m]", "do_it+0x1/0x2 [m]")],
        );
        check(
            shapes::PC,
            "pc ; f+Ox1/0x2",
            "pc : f+0x1/0x2",
            &[("line", ";", ":"), ("pc", "f+Ox1/0x2", "f+0x1/0x2")],
        );
        check(
            shapes::PC,
            "RlP: 0010:f+Ox1/0x2 [a]",
            "RIP: 0010:f+0x1/0x2 [a]",
            &[("line", "RlP:", "RIP:"), ("pc", "f+Ox1/0x2 [a]", "f+0x1/0x2 [a]")],
        );
        check(shapes::WORDS, "Ca11 trace:", "Call trace:", &[("line", "Ca11", "Call")]);
        check(shapes::WORDS, "Memabort info:", "Mem abort info:", &[("line", "Memabort", "Mem abort")]);
    }
}

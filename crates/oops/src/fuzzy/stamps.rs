//! Timestamps with slips in them, at the beginning of lines and where two lines became one.

use kwhy_base::catalogue::damage as say;
use kwhy_base::prose;

use super::shapes::STAMP;
use super::{Repair, Row};

/// The most that a damaged timestamp may cost at the beginning of a line, and in the middle of one,
/// where nothing but its own shape speaks for it.
const LIMIT: u32 = 11;
const LIMIT_INSIDE: u32 = 5;

/// Recognises damaged timestamps in a log whose lines have them.
pub(super) fn mend(rows: &mut Vec<Row>, repairs: &mut Vec<Repair>) {
    let old = std::mem::take(rows);
    for mut row in old {
        if !row.timed {
            at_start(&mut row, repairs);
        }
        while let Some(tail) = inside(&mut row, repairs) {
            rows.push(std::mem::replace(&mut row, tail));
        }
        rows.push(row);
    }
}

/// Lays `text` over a timestamp: the timestamp as printed and as meant, and what follows it.
fn stamp(text: &str, limit: u32) -> Option<(String, String, String)> {
    // The shape is that of a short text; what follows it needs no table.
    let (head, rest) = match text.char_indices().nth(24) {
        Some((at, _)) => text.split_at_checked(at)?,
        None => (text, ""),
    };
    let (_, pieces) = STAMP.lay(head, limit)?;
    let end = pieces.iter().rposition(|piece| piece.place == super::shape::Place::Is(']'))?;
    let (stamp, tail) = pieces.split_at_checked(end + 1)?;
    let printed: String = stamp.iter().map(|piece| piece.printed.as_str()).collect();
    let meant: String = stamp.iter().filter_map(|piece| piece.meant).collect();
    // A point must show, or the blanks that pad the seconds: any number in brackets would do otherwise.
    let point = stamp.iter().any(|piece| piece.meant == Some('.') && !piece.printed.trim().is_empty());
    if !point && !printed.trim_start_matches(['[', '(']).starts_with(' ') {
        return None;
    }
    // Enough of it must be there as it should be.
    let digits = printed.chars().filter(char::is_ascii_digit).count();
    let tail: String = tail.iter().map(|piece| piece.printed.as_str()).collect();
    (digits >= 4 && meant.contains('.')).then(|| (printed, meant, format!("{tail}{rest}")))
}

fn at_start(row: &mut Row, repairs: &mut Vec<Repair>) {
    let Some((printed, meant, tail)) = stamp(&row.text, LIMIT) else { return };
    set(row, &printed, &meant, &tail, repairs);
}

/// Tries again, the line having become another.
pub(super) fn again(row: &mut Row) -> bool {
    at_start(row, &mut Vec::new());
    row.timed
}

fn set(row: &mut Row, printed: &str, meant: &str, tail: &str, repairs: &mut Vec<Repair>) {
    row.timed = true;
    // A stamp with a digit too few is none that others could read.
    let digits = meant.trim_matches(['[', ']', ' ']);
    let whole = digits.split_once('.').is_some_and(|(_, fraction)| fraction.len() == 6);
    row.stamp = if whole { format!("{meant} ") } else { String::new() };
    row.text = tail.strip_prefix(' ').unwrap_or(tail).to_owned();
    row.before.clone_from(&row.text);
    row.raw = None;
    let inner = |text: &str| text.trim_matches(['[', ']', '(', ')', ' ']).to_owned();
    if whole && inner(printed) != inner(meant) {
        repairs.push(Repair {
            line: row.number,
            field: "timestamp".to_owned(),
            printed: inner(printed),
            likely: inner(meant),
            reason: prose!(say::SHAPE_STAMP),
        });
    }
}

/// Cuts the row where another's timestamp begins; returns that row.
fn inside(row: &mut Row, repairs: &mut Vec<Repair>) -> Option<Row> {
    let starts = row.text.char_indices().filter(|(at, c)| *at > 0 && matches!(c, '[' | '(' | '{'));
    let (at, (printed, meant, tail)) = starts
        .filter(|(at, _)| {
            // Blanks and digits, or what looks like them.
            let next = row.text.get(at + 1..).unwrap_or_default();
            next.starts_with(' ') || next.starts_with(|c: char| c.is_ascii_digit())
        })
        .find_map(|(at, _)| Some((at, stamp(row.text.get(at..)?, LIMIT_INSIDE)?)))?;
    let mut next = row.clone();
    set(&mut next, &printed, &meant, &tail, repairs);
    row.text = row.text.get(..at).unwrap_or_default().trim_end().to_owned();
    row.before.clone_from(&row.text);
    row.raw = None;
    Some(next)
}

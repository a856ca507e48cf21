//! Lines that were broken in two, or run together.

use super::fit::{Fitter, is_plain};
use super::{Row, stamps};

/// Puts broken lines together again.
///
/// In a log with timestamps a line without one may be the rest of the line above; it is where both
/// together have a shape of a report's, and the line above by itself has none or a worse one.
pub(super) fn mend(rows: &mut Vec<Row>, stamped: bool, near: &[bool], fitter: &mut Fitter) {
    let old = std::mem::take(rows);
    for (index, mut row) in old.into_iter().enumerate() {
        let continues = near.get(index) == Some(&true)
            && !row.timed
            && !row.text.trim().is_empty()
            && rows.last().is_some_and(|last| !last.text.trim().is_empty() && (last.timed || !stamped));
        if continues
            && let Some(last) = rows.last_mut()
            && let Some(joined) = joined(last, &row, fitter)
        {
            last.text = joined;
            last.before = format!("{} {}", last.before.trim_end(), row.before.trim_start());
            last.raw = None;
            continue;
        }
        // The break may be within the timestamp.
        if stamped
            && !row.timed
            && let Some(last) = rows.last()
            && !last.timed
            && last.text.trim_start().starts_with(['[', '('])
            && last.text.trim().len() < 8
        {
            let text = format!("{} {}", last.text.trim_end(), row.text.trim_start());
            let mut whole = Row { text: text.clone(), before: text, raw: None, ..row.clone() };
            if stamps::again(&mut whole) {
                rows.pop();
                row = whole;
            }
        }
        rows.push(row);
    }
}

fn joined(last: &Row, row: &Row, fitter: &mut Fitter) -> Option<String> {
    let (head, tail) = (last.text.trim_end(), row.text.trim());
    let text = format!("{head} {tail}");
    let body = text.trim();
    if is_plain(tail) || body.len() > 400 {
        return None;
    }
    if is_plain(body) && !is_plain(head.trim()) {
        return Some(text);
    }
    if is_plain(head.trim()) {
        return None;
    }
    let together = fitter.cost(body)?;
    let apart = fitter.cost(head.trim());
    // The rest by itself must not be a better line of its own.
    let own = fitter.cost(tail);
    (apart.is_none_or(|apart| together < apart) && own.is_none_or(|own| together <= own)).then_some(text)
}

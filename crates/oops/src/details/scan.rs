//! Taking lines apart by the kernel's format strings.

use super::{Field, Row, StackRef, Task, View};
use crate::record::{Located, PrintedHex};
use crate::words::Words;

/// What stands for each `{}` of `pattern` in `text`, as the kernel's format string has it.
///
/// The first literal may stand anywhere; every `{}` takes the shortest text before the next
/// literal, the last one all the rest. Blanks around are taken off.
pub(super) fn scan<'a, const N: usize>(text: &'a str, pattern: &str) -> Option<[&'a str; N]> {
    let (head, mut pattern) = literal(pattern);
    let (_, mut rest) = text.cut(head)?;
    let mut found = [""; N];
    for slot in &mut found {
        let (literal, after) = literal(pattern?);
        pattern = after;
        if literal.is_empty() {
            *slot = rest.trim();
            rest = "";
        } else {
            let (before, after) = rest.cut(literal)?;
            *slot = before.trim();
            rest = after;
        }
    }
    Some(found)
}

/// What stands before the first `{}` of `pattern`, and what behind it, where there is one.
fn literal(pattern: &str) -> (&str, Option<&str>) {
    let end = pattern.as_bytes().windows(2).position(|pair| pair == b"{}");
    match end.and_then(|end| Some((pattern.get(..end)?, pattern.get(end.checked_add(2)?..)?))) {
        Some((before, behind)) => (before, Some(behind)),
        None => (pattern, None),
    }
}

/// The same, where `text` begins with the pattern.
pub(super) fn begins<'a, const N: usize>(text: &'a str, pattern: &str) -> Option<[&'a str; N]> {
    let (head, _) = literal(pattern);
    text.starts_with(head).then(|| scan(text, pattern))?
}

impl<'a> View<'a> {
    /// The first line that `pattern` fits, and what stands for each `{}`.
    pub(super) fn find<const N: usize>(&self, pattern: &str) -> Option<(Row<'a>, [&'a str; N])> {
        if !self.may_fit(pattern) {
            return None;
        }
        self.rows.iter().find_map(|row| Some((*row, scan(row.text, pattern)?)))
    }

    /// The first line that has `words`.
    pub(super) fn with(&self, words: &str) -> Option<Row<'a>> {
        if !self.index.may_have(words) {
            return None;
        }
        self.rows.iter().find(|row| row.text.contains(words)).copied()
    }

    /// Whether any of the lines may have any of `words`.
    pub(super) fn may_have_any(&self, words: &[&str]) -> bool {
        words.iter().any(|words| self.index.may_have(words))
    }

    /// Whether `pattern` may fit any of the lines.
    fn may_fit(&self, pattern: &str) -> bool {
        let mut rest = Some(pattern);
        while let Some(pattern) = rest {
            let (words, after) = literal(pattern);
            if !self.index.may_have(words) {
                return false;
            }
            rest = after;
        }
        true
    }

    /// The lines below `row`.
    pub(super) fn below(&self, row: &Row<'_>) -> impl Iterator<Item = Row<'a>> + '_ {
        self.rows.iter().copied().skip(row.index.saturating_add(1))
    }

    /// The stack that `row` opens.
    pub(super) fn stack(&self, row: &Row<'_>) -> Option<StackRef> {
        let other = self.record.other_stacks.iter().position(|(head, _)| head.line == row.line);
        if let Some(index) = other {
            return Some(StackRef::Other(index));
        }
        // The crash's own is opened by the last line that is no frame above its first.
        let first = self.record.frames.first()?.line;
        let next = self.below(row).find(|below| {
            // `<TASK>`, `<IRQ>` on a line of their own.
            !(below.text.is_empty() || below.text.starts_with('<') && below.text.ends_with('>'))
        })?;
        (next.line == first).then_some(StackRef::Own)
    }
}

impl Row<'_> {
    /// `value` as a field that stands on this line.
    pub(super) fn at<T>(&self, value: T) -> Field<T> {
        Some(Located { value, line: self.line })
    }

    /// Words, where there are any.
    pub(super) fn words(&self, text: &str) -> Field<String> {
        let text = text.trim();
        (!text.is_empty()).then(|| Located { value: text.to_owned(), line: self.line })
    }

    /// A decimal number: the digits that `text` begins with.
    pub(super) fn number<T: std::str::FromStr>(&self, text: &str) -> Field<T> {
        Some(Located { value: number(text)?, line: self.line })
    }

    /// A hexadecimal one, with or without `0x`.
    pub(super) fn hex(&self, text: &str) -> Field<PrintedHex> {
        let value = crate::fields::values::hex_token(text.trim_start_matches(['<', '[', '(']))?;
        // `(____ptrval____)` and other words are no numbers at all.
        (value.value.is_some() || value.digits.bytes().any(|b| b.is_ascii_digit()))
            .then_some(Located { value, line: self.line })
    }

    /// `comm/pid` or `comm:pid`.
    pub(super) fn task(&self, text: &str) -> Field<Task> {
        task(text).map(|value| Located { value, line: self.line })
    }
}

/// The digits that `text` begins with, as a number.
pub(super) fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let text = text.trim();
    let sign = usize::from(text.starts_with('-'));
    let digits = text.get(sign..)?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    text.get(..sign.checked_add(end)?)?.parse().ok()
}

/// `comm/pid`, `comm:pid` (a name may hold either sign itself), or a bare pid.
pub(super) fn task(text: &str) -> Option<Task> {
    let text = text.trim().trim_end_matches([':', ',', '.', ']', '!']).trim_start_matches('[');
    if let Ok(pid) = text.parse() {
        return Some(Task { comm: String::new(), pid: Some(pid) });
    }
    let (comm, pid) = text.rsplit_once(['/', ':'])?;
    let pid = pid.trim().parse().ok()?;
    Some(Task { comm: comm.trim().to_owned(), pid: Some(pid) })
}

/// The text of `key=value` up to the next blank or comma.
pub(super) fn keyed<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let at = text.match_indices(key).map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).and_then(|t| t.chars().next_back());
        before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
    })?;
    let rest = text.get(at.checked_add(key.len())?..)?;
    let end = rest.find([' ', ',', ';', ')', '\t']).unwrap_or(rest.len());
    rest.get(..end).filter(|value| !value.is_empty())
}

/// `function+0x1/0x2 [module]` of a place, without an address before it or anything after.
pub(super) fn place(text: &str) -> String {
    let mut text = text.trim();
    while let Some((_, rest)) = text.strip_prefix("[<").and_then(|inner| inner.cut(">]")) {
        text = rest.trim_start();
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_strings_read_backwards() {
        assert_eq!(
            scan("x: Read of size 8 at addr ffff by task a b/7", "Read of size {} at addr {} by task {}"),
            Some(["8", "ffff", "a b/7"])
        );
        assert_eq!(scan::<2>("Read of size 8", "Read of size {} at addr {}"), None);
        assert_eq!(scan("", "{}"), Some([""]));
        assert_eq!(begins::<1>("x lock", "lock{}"), None);
        assert_eq!(number::<u32>("120s!"), Some(120));
        assert_eq!(number::<i64>("-5 bytes"), Some(-5));
        assert_eq!(number::<u32>("99999999999999"), None);
        assert_eq!(task("kworker/1:2/33"), Some(Task { comm: "kworker/1:2".into(), pid: Some(33) }));
        assert_eq!(task("kworker/u4:1:33"), Some(Task { comm: "kworker/u4:1".into(), pid: Some(33) }));
        assert_eq!(task("nobody"), None);
        assert_eq!(keyed("total-vm:1kB, vm:2kB", "vm:"), Some("2kB"));
        assert_eq!(keyed("a=b", "c="), None);
    }
}

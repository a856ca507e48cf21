//! Splits bytes into lines and cleans each: carriage returns, escape sequences, NULs and
//! non-UTF-8 go; lines that two writers tore into one another are taken apart.

use std::borrow::Cow;

use super::prefix;

/// Who printed a line, by printk's caller id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Caller {
    /// The log does not say.
    #[default]
    Unknown,
    /// `T123`: a task.
    Task(u32),
    /// `C1`: a CPU, in interrupt context.
    Cpu(u32),
}

impl Caller {
    /// Reads `T123` or `C1`.
    #[must_use]
    pub fn parse(id: &str) -> Caller {
        let number = |digits: &str| digits.parse().ok();
        match (id.strip_prefix('T').and_then(number), id.strip_prefix('C').and_then(number)) {
            (Some(task), _) => Caller::Task(task),
            (_, Some(cpu)) => Caller::Cpu(cpu),
            _ => Caller::Unknown,
        }
    }
}

/// One line as the kernel printed it, its transport's prefix taken off.
#[derive(Clone, Debug, PartialEq)]
pub struct Line<'a> {
    /// 1-based number of the physical line.
    pub number: u32,
    /// The text, its own indentation kept, without trailing blanks.
    pub text: Cow<'a, str>,
    /// printk's time, in seconds since boot.
    pub time: Option<f64>,
    /// printk's caller.
    pub caller: Caller,
    /// The line was cut short by another that begins in its middle.
    pub torn: bool,
}

/// No kernel prints lines near this long; what is beyond it is dropped so that one endless line
/// cannot cost more than its bytes.
pub(crate) const LONGEST_LINE: usize = 16 * 1024;

/// Splits `bytes` into lines.
#[must_use]
pub fn split(bytes: &[u8]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut number = 0u32;
    let mut rest = bytes;
    // UTF-8 with a byte-order mark, as editors on other systems save it.
    if let Some(tail) = rest.strip_prefix(b"\xef\xbb\xbf") {
        rest = tail;
    }
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (raw, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        rest = tail.get(1..).unwrap_or_default();
        number = number.saturating_add(1);
        push(raw, number, &mut lines);
    }
    lines
}

/// Adds the line `raw` (without its line break), which is one or, where two writers tore it, several.
pub(crate) fn push<'a>(raw: &'a [u8], number: u32, lines: &mut Vec<Line<'a>>) {
    let raw = raw.get(..LONGEST_LINE).unwrap_or(raw);
    match clean(raw) {
        Cow::Borrowed(text) => push_parts(text, number, lines, Cow::Borrowed),
        Cow::Owned(text) => push_parts(&text, number, lines, |part| Cow::Owned(part.to_owned())),
    }
}

/// Pushes `text` as one line, or as several where further timestamps stand in it.
fn push_parts<'t, 'a>(
    text: &'t str,
    number: u32,
    lines: &mut Vec<Line<'a>>,
    keep: impl Fn(&'t str) -> Cow<'a, str>,
) {
    let mut rest = text;
    loop {
        let found = prefix::strip(rest);
        let body = rest.get(found.length..).unwrap_or_default();
        let cut = next_stamp(body);
        let own = body.get(..cut.unwrap_or(body.len())).unwrap_or(body);
        // Text before the first timestamp that is nothing but a prompt is no line of the kernel's.
        lines.push(Line {
            number,
            text: keep(own.trim_end()),
            time: found.time,
            caller: found.caller,
            torn: cut.is_some(),
        });
        match cut.and_then(|at| body.get(at..)) {
            Some(tail) => rest = tail,
            None => return,
        }
    }
}

/// Where, beyond its start, a line holds another's timestamp.
fn next_stamp(body: &str) -> Option<usize> {
    memchr::memchr_iter(b'[', body.as_bytes()).find(|at| body.get(*at..).and_then(prefix::stamp).is_some())
}

/// Text without escape sequences, control characters (tabs become blanks) and broken UTF-8.
fn clean(raw: &[u8]) -> Cow<'_, str> {
    let trimmed = raw.strip_suffix(b"\r").unwrap_or(raw);
    if trimmed.iter().all(|b| (0x20..0x7f).contains(b))
        && let Ok(text) = std::str::from_utf8(trimmed)
    {
        return Cow::Borrowed(text);
    }
    let text = String::from_utf8_lossy(trimmed);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                // CSI ends at a letter; any other escape is two characters.
                if chars.next_if_eq(&'[').is_some() {
                    for c in chars.by_ref() {
                        if ('@'..='~').contains(&c) {
                            break;
                        }
                    }
                } else {
                    chars.next();
                }
            }
            '\t' | '\u{a0}' | '\u{3000}' => out.push(' '),
            '\u{fffd}' | '\u{feff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<(u32, String)> {
        split(bytes).into_iter().map(|line| (line.number, line.text.into_owned())).collect()
    }

    #[test]
    fn transport_dirt_goes() {
        assert_eq!(
            texts(b"a\r\n\x1b[1;31mred\x1b[0m\0\xff\n\n b\t"),
            [(1, "a".into()), (2, "red".into()), (3, String::new()), (4, " b".into())]
        );
        assert_eq!(texts(b""), []);
        assert_eq!(texts(b"\xef\xbb\xbfx\n"), [(1, "x".into())]);
    }

    #[test]
    fn a_line_with_two_stamps_is_two_lines() {
        let lines = split(b"[    1.000001] RIP: 0010:a[    1.000002] Code: 90");
        assert_eq!(lines.len(), 2);
        assert!(lines[0].torn && !lines[1].torn);
        assert_eq!((lines[1].number, lines[1].text.as_ref()), (1, "Code: 90"));
    }

    #[test]
    fn an_endless_line_is_cut() {
        let long = vec![b'x'; 1 << 20];
        assert_eq!(split(&long)[0].text.len(), LONGEST_LINE);
    }
}

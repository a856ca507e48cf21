//! Splits bytes into lines and cleans each: carriage returns, escape sequences, NULs and
//! non-UTF-8 go; lines that two writers tore into one another are taken apart.

use std::borrow::Cow;

use super::clean::{clean, unescape};
use super::prefix::{self, Escapes, Prefix};
use super::{lead, stamp};
use crate::words::Words;

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

/// Adds the line `raw` (without its line break), which is one or, where several writers share it,
/// several.
pub(crate) fn push<'a>(raw: &'a [u8], number: u32, lines: &mut Vec<Line<'a>>) {
    let raw = raw.get(..LONGEST_LINE).unwrap_or(raw);
    // Terminals and their recorders write any number of returns before and after a line break.
    let end = raw.iter().rposition(|b| *b != b'\r').map_or(0, |last| last + 1);
    let raw = raw.get(..end).unwrap_or_default();
    let raw = raw.get(stamp::run(raw, |b| b == b'\r')..).unwrap_or_default();
    if memchr::memchr(b'\r', raw).is_none() {
        return push_cleaned(raw, number, lines);
    }
    for part in raw.split(|b| *b == b'\r').filter(|part| !part.is_empty()) {
        push_cleaned(part, number, lines);
    }
}

fn push_cleaned<'a>(raw: &'a [u8], number: u32, lines: &mut Vec<Line<'a>>) {
    let from = From { number, time: None, caller: Caller::Unknown, depth: 0 };
    match clean(raw) {
        Cow::Borrowed(text) => push_parts(text, from, lines, Cow::Borrowed),
        Cow::Owned(text) => push_parts(&text, from, lines, copied),
    }
}

fn copied<'a>(text: &str) -> Cow<'a, str> {
    Cow::Owned(text.to_owned())
}

/// Where text comes from, and what is known of it from outside.
#[derive(Clone, Copy)]
struct From {
    number: u32,
    time: Option<f64>,
    caller: Caller,
    /// In how many transports' escapes it was wrapped.
    depth: u32,
}

/// A console's messages logged by syslog and sent on over another: more than this nobody does.
const DEEPEST: u32 = 3;

/// Pushes `text` as one line, or as several where further timestamps stand in it.
fn push_parts<'t, 'a>(
    text: &'t str,
    from: From,
    lines: &mut Vec<Line<'a>>,
    keep: fn(&'t str) -> Cow<'a, str>,
) {
    let mut rest = text;
    loop {
        let found = prefix::strip(rest);
        let body = rest.get(found.length..).unwrap_or_default();
        let caller = if found.caller == Caller::Unknown { from.caller } else { found.caller };
        let time = found.time.or(from.time);
        if found.escapes != Escapes::None && from.depth < DEEPEST {
            let inner = From { time, caller, depth: from.depth + 1, ..from };
            if let Some(message) = repeated(body, &found) {
                return push_parts(message, inner, lines, keep);
            }
            if let Some(plain) = unescape(body, found.escapes) {
                // The message may be several lines, and hold escape sequences.
                for part in plain.split('\n') {
                    push_parts(&clean(part.as_bytes()), inner, lines, copied);
                }
                return;
            }
        }
        let cut = next_stamp(body);
        let own = body.get(..cut.unwrap_or(body.len())).unwrap_or(body);
        let skipped = cut.is_some() && found.time.is_none() && lead::is_lead(own)
            || found.length == 0 && cut.is_none() && goes_on(own, from.number, lines)
            || is_no_text(own, &found);
        if !skipped {
            let text = keep(own.trim_end());
            lines.push(Line { number: from.number, text, time, caller, torn: cut.is_some() });
        }
        match cut.and_then(|at| body.get(at..)) {
            Some(tail) => rest = tail,
            None => return,
        }
    }
}

/// The message in rsyslog's `message repeated 2 times: [ text]`.
fn repeated<'t>(own: &'t str, found: &Prefix) -> Option<&'t str> {
    if found.escapes != Escapes::Octal {
        return None;
    }
    let (count, text) = own.strip_prefix("message repeated ")?.cut(" times: [")?;
    let text = text.strip_suffix(']').unwrap_or(text);
    count.bytes().all(|b| b.is_ascii_digit()).then(|| text.strip_prefix(' ').unwrap_or(text))
}

/// Lines that transports write about themselves: that a message came again, which device a kmsg
/// record is about.
fn is_no_text(own: &str, found: &Prefix) -> bool {
    if found.escapes == Escapes::Octal {
        return own.starts_with("last message repeated ")
            || own.starts_with("Last message '") && own.contains("' repeated ");
    }
    found.length == 0 && (own.starts_with(" SUBSYSTEM=") || own.starts_with(" DEVICE="))
}

/// Whether `own` is the rest of the line before last, which the last line tore: then it is put there.
///
/// Consoles that do not lock out other CPUs write `[1.0] RIP: 00[1.1] other`, a line break, `10:fn`.
fn goes_on(own: &str, number: u32, lines: &mut [Line<'_>]) -> bool {
    let [.., torn, other] = lines else { return false };
    let stamped = torn.time.is_some() && other.time.is_some();
    let adjoining = torn.number == other.number && other.number.checked_add(1) == Some(number);
    if !(torn.torn && !other.torn && stamped && adjoining) || own.trim().is_empty() {
        return false;
    }
    torn.text.to_mut().push_str(own.trim_end());
    true
}

/// Where, beyond its start, a line holds another's timestamp.
fn next_stamp(body: &str) -> Option<usize> {
    memchr::memchr_iter(b'[', body.as_bytes())
        .find(|at| body.get(*at..).and_then(stamp::stamp).is_some())
        .map(|at| priority_before(body, at))
}

/// The start of a `<4>` that stands right before the stamp at `at`.
fn priority_before(body: &str, at: usize) -> usize {
    let head = body.as_bytes().get(..at).unwrap_or_default();
    let level = head.iter().rev().take(5).position(|b| *b == b'<');
    match level.and_then(|back| at.checked_sub(back + 1)) {
        Some(from)
            if head
                .get(from + 1..at)
                .is_some_and(|t| t.ends_with(b">") && t.len() > 1 && stamp::digits(t) + 1 == t.len()) =>
        {
            from
        }
        _ => at,
    }
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

    #[test]
    fn prompts_before_a_stamp_are_no_line() {
        for line in
            ["debian login: [    1.000001] x", "root@host:~# [    1.000001] x", "web-3: [    1.000001] x"]
        {
            let lines = split(line.as_bytes());
            assert_eq!((lines.len(), lines[0].text.as_ref(), lines[0].torn), (1, "x", false), "{line}");
        }
    }

    #[test]
    fn a_line_with_another_in_its_middle_is_put_together() {
        let lines = split(b"[    1.000001] RIP: 00[    1.000002] Code: 90\n10:a+0x1/0x2\n[    1.000003] x");
        let texts = lines.iter().map(|line| line.text.as_ref()).collect::<Vec<_>>();
        assert_eq!(texts, ["RIP: 0010:a+0x1/0x2", "Code: 90", "x"]);
        assert!(lines[0].torn);
    }

    #[test]
    fn what_transports_escape_and_repeat() {
        let text =
            b"6,1,2000000,-;two\\x0alines\\x09\\x1b[31mred\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:1f.2\n\
            Nov 22 11:44:54 host kernel: [    3.000000] a#011b#033[0m\n\
            Nov 22 11:44:54 host kernel: #033[33m[    3.000000] #033[0mc\n\
            Nov 22 11:44:54 host kernel: message repeated 2 times: [ [    4.000000] d]\n\
            Nov 22 11:44:54 host last message repeated 3 times\n\
            Nov 22 11:44:54 host kernel: last message repeated 3 times\n";
        let lines = split(text);
        let all = lines.iter().map(|l| (l.number, l.text.as_ref(), l.time)).collect::<Vec<_>>();
        assert_eq!(
            all,
            [
                (1, "two", Some(2.0)),
                (1, "lines red", Some(2.0)),
                (4, "a b", Some(3.0)),
                (5, "c", Some(3.0)),
                (6, "d", Some(4.0)),
                (7, "host last message repeated 3 times", None),
            ]
        );
    }

    #[test]
    fn returns_in_every_place() {
        assert_eq!(
            texts(b"a\r\r\n\rb\rc\n\r\n"),
            [(1, "a".into()), (2, "b".into()), (2, "c".into()), (3, String::new())]
        );
    }
}

//! Takes off what transports put in front of the kernel's own text: quoting, priorities,
//! timestamps of every writer, host names, printk's caller ids.
//!
//! Every line of a report passes here, so that the first byte decides which forms are tried, and
//! nothing is copied.

use super::Caller;
use super::stamp::{after_stamp, relative, run, stamp};
use super::{clock, lead, syslog};
use crate::words::Words;

/// How a transport writes characters that do not print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// It passes them on.
    #[default]
    None,
    /// `#011`: syslog daemons.
    Octal,
    /// `\x0a`: /dev/kmsg.
    Hex,
}

/// What stood in front of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Prefix {
    /// Bytes of it.
    pub length: usize,
    /// printk's own time, in seconds since boot.
    pub time: Option<f64>,
    /// printk's caller id.
    pub caller: Caller,
    /// How what follows is written.
    pub escapes: Escapes,
    /// It is a /dev/kmsg record.
    pub record: bool,
}

/// A log may be quoted mail of a journal of a console: several prefixes stand in a row, but never
/// very many, and the bound keeps hostile lines cheap.
const MOST_PREFIXES: usize = 8;

/// Measures the prefix of `line`.
pub(crate) fn strip(line: &str) -> Prefix {
    let mut found = Prefix::default();
    let mut before = Step::Start;
    for _ in 0..MOST_PREFIXES {
        let rest = line.get(found.length..).unwrap_or_default();
        let Some((length, step)) = step(rest, before, &mut found) else { break };
        found.length += length;
        before = step;
    }
    found
}

/// What a prefix was, and with that what may follow it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing yet.
    Start,
    /// The kernel's own time: its text follows, or another of its times.
    Stamp,
    /// A time of day: hosts follow.
    Clock,
    /// Anything else.
    Other,
}

fn step(rest: &str, before: Step, found: &mut Prefix) -> Option<(usize, Step)> {
    let other = |length: usize| (length, Step::Other);
    match *rest.as_bytes().first()? {
        b'[' => bracket(rest, before, found),
        b'<' => syslog::priority(rest, found).map(other),
        b'>' if before != Step::Stamp => quote(rest).map(other),
        b'*' => dropped(rest).map(other),
        b'(' if before != Step::Stamp => xen(rest).map(other),
        b' ' if before != Step::Stamp => indented(rest, before, found),
        b'|' | b'-' | b':' if before == Step::Clock => {
            // `2026-11-22 11:44:54: text`, `11:44:54 | text`.
            let mark = usize::from(rest.as_bytes().get(1) == Some(&b' '));
            (mark == 1).then_some((2, Step::Clock))
        }
        b'0'..=b'9' if before != Step::Stamp => syslog::kmsg_prefix(rest, found)
            .or_else(|| syslog::netconsd(rest, found))
            .map(|length| (length, Step::Stamp))
            .or_else(|| wall(rest))
            .or_else(|| host(rest, before, found)),
        b'A'..=b'Z' if before != Step::Stamp => wall(rest).or_else(|| host(rest, before, found)),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b':' => {
            syslog::facility(rest).map(other).or_else(|| host(rest, before, found))
        }
        _ => None,
    }
}

/// Prefixes in square brackets.
fn bracket(rest: &str, before: Step, found: &mut Prefix) -> Option<(usize, Step)> {
    if let Some((time, length)) = stamp(rest) {
        found.time = Some(time);
        let tail = rest.get(length..).unwrap_or_default();
        return Some((length + after_stamp(tail, found), Step::Stamp));
    }
    if before == Step::Stamp {
        return None;
    }
    let inner = rest.get(1..)?;
    let blank = |length: usize| length + usize::from(rest.as_bytes().get(length) == Some(&b' '));
    if let Some(length) = relative(inner.as_bytes()) {
        return Some((blank(1 + length), Step::Stamp));
    }
    if let Some(length) = clock::bracketed(inner) {
        return Some((blank(length), Step::Clock));
    }
    syslog::sender(rest).map(|(_, length)| (length, Step::Clock))
}

/// A time of day without brackets.
fn wall(rest: &str) -> Option<(usize, Step)> {
    let length = clock::clock(rest)?;
    Some((length + usize::from(rest.as_bytes().get(length) == Some(&b' ')), Step::Clock))
}

/// Who wrote the line, and as what.
fn host(rest: &str, before: Step, found: &mut Prefix) -> Option<(usize, Step)> {
    let length = syslog::host_and_tag(rest, found)
        .or_else(|| (before == Step::Clock).then(|| syslog::after_clock(rest)).flatten())
        .or_else(|| {
            let (_, length) = (before != Step::Stamp).then(|| syslog::sender(rest)).flatten()?;
            Some(length)
        })
        .or_else(|| (before == Step::Start).then(|| lead::login(rest)).flatten())?;
    Some((length, Step::Other))
}

/// Blanks before a prefix: code blocks of pastes, padded addresses. Blanks before text are its own.
fn indented(rest: &str, before: Step, found: &mut Prefix) -> Option<(usize, Step)> {
    let blanks = run(rest.as_bytes(), |b| b == b' ');
    if before == Step::Clock
        && let Some(length) = syslog::after_clock(rest)
    {
        return Some((length, Step::Other));
    }
    let tail = rest.get(blanks..).unwrap_or_default();
    let is_prefix = blanks <= 40
        && match tail.as_bytes().first()? {
            b'[' => stamp(tail).is_some(),
            b'<' => syslog::priority(tail, &mut Prefix::default()).is_some(),
            b'0'..=b'9' | b'a'..=b'f' | b':' => syslog::sender(tail).is_some(),
            _ => false,
        };
    is_prefix.then_some(())?;
    let _ = found;
    Some((blanks, before))
}

/// `> ` of mail, any depth. A `>` without a blank after it is left alone.
fn quote(rest: &str) -> Option<usize> {
    let marks = run(rest.as_bytes(), |b| b == b'>');
    (rest.as_bytes().get(marks) == Some(&b' ')).then_some(marks + 1)
}

/// `(XEN) `, `(d1) ` and `(d1v0) ` of the Xen console.
fn xen(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('(')?;
    let close = memchr::memchr(b')', inner.as_bytes().get(..12).unwrap_or(inner.as_bytes()))?;
    let name = inner.get(..close)?;
    let domain = name.strip_prefix('d').is_some_and(|n| {
        n.starts_with(|c: char| c.is_ascii_digit()) && n.bytes().all(|b| b.is_ascii_digit() || b == b'v')
    });
    let blank = inner.as_bytes().get(close + 1) == Some(&b' ');
    (blank && (name == "XEN" || domain)).then_some(close + 3)
}

/// `** 12 printk messages dropped ** `, which consoles print before the line they go on with.
fn dropped(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix("** ")?;
    let (middle, after) = inner.get(..80).unwrap_or(inner).cut(" **")?;
    middle.ends_with("dropped").then_some(3 + middle.len() + 3 + usize::from(after.starts_with(' ')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, text: &str, time: Option<f64>, caller: Caller) {
        let found = strip(line);
        assert_eq!(&line[found.length..], text, "{line}");
        assert_eq!(found.time, time, "{line}");
        assert_eq!(found.caller, caller, "{line}");
    }

    #[test]
    fn every_transport_comes_off() {
        let none = Caller::Unknown;
        let stamped = Some(12.000001);
        check("[    1.343173] Mem abort info:", "Mem abort info:", Some(1.343173), none);
        check("[    1.343292]   ESR = 0x96", "  ESR = 0x96", Some(1.343292), none);
        check("[   12.000001][  T298]  fn+0x1/0x2", " fn+0x1/0x2", stamped, Caller::Task(298));
        check("[   12.000001] [ C1] x", "x", stamped, Caller::Cpu(1));
        check("[   12.000001] [ T1] x", "x", stamped, Caller::Task(1));
        for line in [
            "[   12.000001] x",
            "<4>[   12.000001] x",
            "> > [   12.000001] x",
            "[   12.000001 <    0.000012>] x",
            "[   12.000001] host kernel: x",
            "Nov 22 11:44:54 host kernel: [   12.000001] x",
            "Nov 22 11:44:54 host kern.warn kernel: [   12.000001] x",
            "Sun Nov 22 11:44:54 2026 kern.warn kernel: [   12.000001] x",
            "Nov 22 11:44:54 10.0.2.15 [   12.000001] x",
            "<4>Nov 22 11:44:54 host kernel: [   12.000001] x",
            "<4>1 2026-11-22T14:47:43.838459+00:00 host kernel - - - [   12.000001] x",
            "kern  :warn  : [   12.000001] x",
            "4,339,12000001,-;x",
            "6.4.0,4,339,12000001,-;x",
            "** 5 printk messages dropped ** [   12.000001] x",
            "** 5 printk messages dropped **[   12.000001] x",
            "(d1) [   12.000001] x",
            "debian login: [   12.000001] x",
            "10.0.2.15: [   12.000001] x",
            "          ::ffff:10.0.2.15: 6.1.0 S000402 T00000012000001 F0/L1 x",
            "000402 00000012000001 0 1 x",
            "    [   12.000001] x",
            "[   12.000001] [3:  swapper/3:    0] x",
            "[   12.000001]  (2)[123:kworker/2:1]x",
            "[   12.000001] <1>.(2)[123:kworker/2:1]x",
            "[   12.000001] c0 123 x",
            "[   12.000001] (CPU:1-pid:23:name) x",
            "[   12.000001,0] x",
            "11-22 11:44:54.123     0     0 W kernel  : [   12.000001] x",
            "[Sun Nov 22 11:44:54 2026][   12.000001] x",
            "Nov 22 11:44:54 [   12.000001] x",
            "11:44:54 | [   12.000001] x",
            "2026-11-22 11:44:54: [   12.000001] x",
        ] {
            check(line, "x", stamped, none);
        }
        for line in [
            "[Sun Nov 22 11:44:54 2026] x",
            "2026-11-22T11:44:54,123456+00:00 x",
            "2026-11-22T11:44:54.1+00:00 host kernel: x",
            "[  +0.000012] x",
            "[Nov22 14:00] x",
            "kern  :alert : [Sun Nov 22 14:47:43 2026 <    0.045696>] x",
            "kern  :alert : [  +0.000012] x",
            "Sun 2026-11-22 14:51:58 UTC host kernel: x",
            "1795359118.090638 host kernel: x",
            "1795359117 host kernel: x",
            "2026 Nov 22 14:51:57.984168 host kernel: x",
            "<1>1 2026-11-22T14:51:57+00:00 host kernel - 428 [meta sequenceId=\"4\"] x",
            "Nov 22 14:51:58 kernel: x",
            "(XEN) [2026-11-22 11:44:54.123] x",
            "kernel: x",
        ] {
            check(line, "x", None, none);
        }
        check("4,339,5140900,-,caller=T7;x", "x", Some(5.1409), Caller::Task(7));
    }

    #[test]
    fn text_that_only_resembles_a_prefix_stays() {
        for line in [
            "[00232bfa8c17cc5] address",
            "<TASK>",
            ">x",
            "[<ffff>] f",
            "[1.2] x",
            "[ T12] x",
            "",
            " fn+0x1/0x2",
            "Call Trace:",
            "CPU: 0 PID: 1",
            "Code: 48 89",
            "general protection fault: 0000 [#1] SMP",
            "(detected by 1, t=21002 jiffies)",
            "52:54:00:12:34:56 x",
            "2147483647 + 1 cannot be represented in type 'int'",
            "kernel BUG at a.c:1!",
            "kernel tried to execute NX-protected page",
        ] {
            check(line, line, None, Caller::Unknown);
        }
        for text in
            ["> x", "(d1) x", "Nov 22 11:44:54 x", "12:00:01 x", "  c0 1", "[3] x", "c1x", "(0)", "   <4>x"]
        {
            check(&format!("[    1.000000] {text}"), text, Some(1.0), Caller::Unknown);
        }
    }
}

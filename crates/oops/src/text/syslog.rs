//! What the programs that carry kernel messages put before them: facilities and levels, hosts and
//! tags, record headers.

use super::Caller;
use super::clock::clock;
use super::prefix::{Escapes, Prefix};
use super::stamp::{digits, run, stamp};
use crate::words::Words;

const FACILITIES: &[&str] = &[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
const LEVELS: &[&str] = &["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];
/// Names that syslog daemons give the kernel as a program.
const KERNEL: &[&str] = &["kernel", "vmunix"];

/// Names and addresses of hosts.
fn is_host(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:%/@".contains(&b))
}

/// `<6>`, and the rest of an RFC 5424 header where one follows.
pub(super) fn priority(rest: &str, found: &mut Prefix) -> Option<usize> {
    let inner = rest.strip_prefix('<')?;
    let level = digits(inner.as_bytes());
    if !(1..=3).contains(&level) || inner.as_bytes().get(level) != Some(&b'>') {
        return None;
    }
    let length = level + 2;
    match rest.get(length..).and_then(rfc5424) {
        Some(header) => {
            found.escapes = Escapes::Octal;
            Some(length + header)
        }
        None => Some(length),
    }
}

/// `1 2026-11-22T14:51:57+00:00 host kernel - 428 [meta sequenceId="4"] `, RFC 5424 section 6.
fn rfc5424(rest: &str) -> Option<usize> {
    let mut at = 2;
    let time = rest.strip_prefix("1 ")?;
    let length = if time.starts_with('-') { 1 } else { clock(time)? };
    at += length + 1;
    let field = |at: &mut usize| {
        let tail = rest.get(*at..)?;
        let end = memchr::memchr(b' ', tail.as_bytes().get(..256).unwrap_or(tail.as_bytes()))?;
        *at += end + 1;
        tail.get(..end)
    };
    field(&mut at).filter(|host| is_host(host))?;
    field(&mut at).filter(|program| *program == "-" || KERNEL.contains(program))?;
    field(&mut at)?;
    field(&mut at)?;
    at += structured_data(rest.get(at..)?.as_bytes())?;
    let tail = rest.get(at..)?;
    at += usize::from(tail.starts_with(' '));
    // The byte-order mark that says the message is UTF-8.
    let mark = rest.get(at..).is_some_and(|t| t.starts_with('\u{feff}'));
    Some(at + if mark { '\u{feff}'.len_utf8() } else { 0 })
}

/// `-` or `[id name="value"][…]`.
fn structured_data(bytes: &[u8]) -> Option<usize> {
    if bytes.first() == Some(&b'-') {
        return Some(1);
    }
    let (mut at, mut quoted, mut open) = (0usize, false, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' if !open => open = true,
            b']' if open => {
                open = false;
                if bytes.get(at + 1) != Some(&b'[') {
                    return Some(at + 1);
                }
            }
            _ if !open => return None,
            _ => {}
        }
        at += 1;
    }
    None
}

/// `kern  :warn  : ` of `dmesg -x`.
pub(super) fn facility(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    // Every line with a small letter in front passes here, and few hold a colon this early.
    let colon = memchr::memchr(b':', bytes.get(..10).unwrap_or(bytes))?;
    let tail = bytes.get(colon + 1..)?;
    let second = memchr::memchr(b':', tail.get(..10).unwrap_or(tail))?;
    let name = rest.get(..colon)?;
    let level = rest.get(colon + 1..colon + 1 + second)?;
    if !FACILITIES.contains(&name.trim_end()) || !LEVELS.contains(&level.trim()) {
        return None;
    }
    let end = colon + 1 + second + 1;
    Some(end + usize::from(bytes.get(end) == Some(&b' ')))
}

/// `kern.warn ` of busybox.
fn dotted_level(rest: &str) -> Option<usize> {
    let end = memchr::memchr(b' ', rest.as_bytes().get(..20).unwrap_or(rest.as_bytes()))?;
    let (facility, level) = rest.get(..end)?.split_once('.')?;
    (FACILITIES.contains(&facility) && (LEVELS.contains(&level) || matches!(level, "warning" | "error")))
        .then_some(end + 1)
}

/// `kernel: `, `kernel[1]: `.
fn tag(rest: &str) -> Option<usize> {
    let name = KERNEL.iter().find(|name| rest.starts_with(**name))?;
    let mut at = name.len();
    if rest.as_bytes().get(at) == Some(&b'[') {
        let tail = rest.as_bytes().get(at..)?;
        at += memchr::memchr(b']', tail.get(..16).unwrap_or(tail))? + 1;
    }
    if rest.as_bytes().get(at) != Some(&b':') {
        return None;
    }
    at += 1;
    Some(at + usize::from(rest.as_bytes().get(at) == Some(&b' ')))
}

/// `host kernel: `, `host kern.warn kernel: `, `kern.warn kernel: `, `kernel: `.
pub(super) fn host_and_tag(rest: &str, found: &mut Prefix) -> Option<usize> {
    if let Some(length) = tag(rest) {
        found.escapes = Escapes::Octal;
        return Some(length);
    }
    let mut at = 0;
    if dotted_level(rest).is_none() {
        // Hosts' names are short; reading on for a blank would make long words quadratic.
        let end = memchr::memchr(b' ', rest.as_bytes().get(..64).unwrap_or(rest.as_bytes()))?;
        at = end + 1;
        if !is_host(rest.get(..end)?) {
            return None;
        }
    }
    at += rest.get(at..).and_then(dotted_level).unwrap_or(0);
    let length = tag(rest.get(at..)?)?;
    found.escapes = Escapes::Octal;
    Some(at + length)
}

/// What may stand between a time of day and the kernel's own stamp: a host without a tag (as
/// syslog daemons write what netconsole sends), logcat's process, task, level and tag.
pub(super) fn after_clock(rest: &str) -> Option<usize> {
    if let Some(length) = logcat(rest) {
        return Some(length);
    }
    let end = memchr::memchr(b' ', rest.as_bytes().get(..64).unwrap_or(rest.as_bytes()))?;
    let host = rest.get(..end)?;
    let tail = rest.get(end + 1..)?;
    let kernel = || stamp(tail).is_some() || kmsg(tail).is_some() || tail.starts_with("<") && bare(tail);
    (is_host(host.strip_suffix(':').unwrap_or(host)) && kernel()).then_some(end + 1)
}

/// `<6>[   12.345678] `.
fn bare(text: &str) -> bool {
    priority(text, &mut Prefix::default()).and_then(|n| text.get(n..)).is_some_and(|t| stamp(t).is_some())
}

/// `    0     0 W kernel  : ` of `logcat -v threadtime`.
fn logcat(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut at = 0;
    for _ in 0..2 {
        at += run(bytes.get(at..)?, |b| b == b' ');
        let id = digits(bytes.get(at..)?);
        if id == 0 || id > 7 {
            return None;
        }
        at += id;
    }
    let [b' ', b'V' | b'D' | b'I' | b'W' | b'E' | b'F', b' ', tag @ ..] = bytes.get(at..)? else {
        return None;
    };
    let colon = memchr::memchr(b':', tag.get(..40).unwrap_or(tag))?;
    at += 3 + colon + 1;
    Some(at + usize::from(bytes.get(at) == Some(&b' ')))
}

/// The header of a /dev/kmsg record, and of what netconsole sends in its extended form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Kmsg {
    /// Bytes of it, the semicolon included.
    pub length: usize,
    /// The record's number.
    pub sequence: u64,
    /// Microseconds since boot.
    pub micros: u64,
    /// printk's caller id.
    pub caller: Caller,
    /// This much of the record's text stands before what follows, out of so much.
    pub fragment: Option<(usize, usize)>,
}

/// `6,339,5140900,-;`, `6,339,5140900,-,caller=T1,ncfrag=0/33;`, and `6.4.0,6,339,…` of newer
/// netconsoles, which put the release in front (Documentation/ABI/testing/dev-kmsg,
/// Documentation/networking/netconsole.rst).
pub(crate) fn kmsg(rest: &str) -> Option<Kmsg> {
    let bytes = rest.as_bytes();
    // The header's own fields are short; a release is at most 64 bytes (`__NEW_UTS_LEN`).
    let semicolon = memchr::memchr(b';', bytes.get(..160).unwrap_or(bytes))?;
    let head = rest.get(..semicolon)?;
    let mut fields = head.split(',');
    let mut first = fields.next()?;
    if first.bytes().any(|b| !b.is_ascii_digit()) {
        if !first.contains('.') {
            return None;
        }
        first = fields.next()?;
    }
    first.parse::<u32>().ok()?;
    let sequence = fields.next()?.parse().ok()?;
    let micros = fields.next()?.parse().ok()?;
    if !matches!(fields.next()?, "-" | "c" | "+") {
        return None;
    }
    let mut record =
        Kmsg { length: semicolon + 1, sequence, micros, caller: Caller::Unknown, fragment: None };
    for field in fields {
        if let Some(id) = field.strip_prefix("caller=") {
            record.caller = Caller::parse(id);
        } else if let Some((at, whole)) = field.strip_prefix("ncfrag=").and_then(|f| f.split_once('/')) {
            record.fragment = at.parse().ok().zip(whole.parse().ok());
        }
    }
    Some(record)
}

/// The header of a kmsg record as a prefix.
pub(super) fn kmsg_prefix(rest: &str, found: &mut Prefix) -> Option<usize> {
    let record = kmsg(rest)?;
    found.time = Some(record.micros as f64 / 1e6);
    found.caller = record.caller;
    found.escapes = Escapes::Hex;
    found.record = true;
    Some(record.length)
}

/// A line of netconsd (Facebook's collector of netconsole): `::ffff:10.0.2.15: 6.1.0 S000402
/// T00000010450316 F0/L1 text` of its printer, `000402 00000010450316 0 1 text` of its logger.
pub(super) fn netconsd(rest: &str, found: &mut Prefix) -> Option<usize> {
    let bytes = rest.as_bytes();
    let printer = memchr::memchr(b' ', bytes.get(..65).unwrap_or(bytes)).and_then(|release| {
        let tail = bytes.get(release + 1..)?;
        let sequence = digits(tail.strip_prefix(b"S")?);
        let time = tail.get(1 + sequence..)?.strip_prefix(b" T")?;
        let length = digits(time);
        let micros = std::str::from_utf8(time.get(..length)?).ok()?.parse::<u64>().ok()?;
        let level = time.get(length..)?.strip_prefix(b" F")?;
        let facility = digits(level);
        let level = level.get(facility..)?.strip_prefix(b"/L")?;
        let last = digits(level);
        (sequence >= 6 && length >= 14 && level.get(last) == Some(&b' '))
            .then_some((micros, release + 1 + 1 + sequence + 2 + length + 2 + facility + 2 + last + 1))
    });
    let logger = || {
        let sequence = digits(bytes);
        let time = bytes.get(sequence..)?.strip_prefix(b" ")?;
        let length = digits(time);
        let micros = std::str::from_utf8(time.get(..length)?).ok()?.parse::<u64>().ok()?;
        let [b' ', b'0'..=b'9', b' ', b'0'..=b'7', b' ', ..] = time.get(length..)? else { return None };
        (sequence >= 6 && length >= 14).then_some((micros, sequence + 1 + length + 5))
    };
    let (micros, mut length) = printer.or_else(logger)?;
    found.time = Some(micros as f64 / 1e6);
    for mark in ["[CONT START] ", "[CONT] ", "[OOS] ", "[SEQ RESET] "] {
        if rest.get(length..).is_some_and(|tail| tail.starts_with(mark)) {
            length += mark.len();
        }
    }
    Some(length)
}

/// The address of who sent a line, as collectors of netconsole print it: `10.0.2.15: `,
/// `10.0.2.15:6665 `, `[10.0.2.15] `, `    ::ffff:10.0.2.15: `. Returns the address and all bytes.
pub(crate) fn sender(rest: &str) -> Option<(&str, usize)> {
    let indent = run(rest.as_bytes(), |b| b == b' ');
    let tail = rest.get(indent..)?;
    let open = usize::from(tail.starts_with('['));
    let address = tail.get(open..)?;
    let length = run(address.as_bytes(), |b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':'));
    let word = address.get(..length)?;
    let name = word.strip_suffix(':').unwrap_or(word);
    let (host, port) = match name.rsplit_once(':') {
        Some((host, port)) if host.contains('.') && !port.contains('.') => (host, port),
        _ => (name, "0"),
    };
    let is_address =
        host.parse::<core::net::Ipv4Addr>().is_ok() || host.parse::<core::net::Ipv6Addr>().is_ok();
    if indent > 40 || !is_address || port.parse::<u16>().is_err() {
        return None;
    }
    let mut at = indent + open + length;
    if open == 1 {
        at += usize::from(rest.as_bytes().get(at) == Some(&b']'));
    }
    at += usize::from(word.len() == name.len() && rest.as_bytes().get(at) == Some(&b':'));
    (rest.as_bytes().get(at) == Some(&b' ')).then_some((host, at + 1))
}

/// Which host a line came from, where its prefix names one: the address that a collector of
/// netconsole prints, the host of a syslog line of the kernel's.
pub(crate) fn source(line: &str) -> Option<&str> {
    if let Some((host, _)) = sender(line) {
        return Some(host);
    }
    let mut rest = line;
    if let Some(length) = priority(rest, &mut Prefix::default()) {
        // RFC 5424 names its host inside the header.
        let header = rest.get(..length)?;
        if let Some((_, fields)) = header.cut(">1 ") {
            return fields.split(' ').nth(1).filter(|host| *host != "-");
        }
        rest = rest.get(length..)?;
    }
    let time = clock(rest).unwrap_or(0);
    rest = rest.get(time..)?.trim_start();
    if let Some((host, _)) = sender(rest) {
        return Some(host);
    }
    let end = memchr::memchr(b' ', rest.as_bytes().get(..64).unwrap_or(rest.as_bytes()))?;
    let word = rest.get(..end)?;
    let tail = rest.get(end + 1..)?;
    let named =
        is_host(word) && dotted_level(rest).is_none() && !KERNEL.contains(&word.trim_end_matches(':'));
    let level = dotted_level(tail).unwrap_or(0);
    let kernel = tail.get(level..).is_some_and(|t| tag(t).is_some());
    let bare = || word.ends_with(':') && word.len() > 1 && (stamp(tail).is_some() || kmsg(tail).is_some());
    (named && (kernel || bare())).then(|| word.strip_suffix(':').unwrap_or(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records() {
        let record = kmsg("6.4.0,13,444,501151268,-,ncfrag=16/33;text").unwrap();
        assert_eq!((record.sequence, record.micros, record.fragment), (444, 501_151_268, Some((16, 33))));
        assert_eq!(kmsg("4,1,2,-,caller=C3;x").unwrap().caller, Caller::Cpu(3));
        for text in ["", ";", "1;", "6,1,2;x", "a,1,2,-;x", "6,1,2,x;y", "6,1,99999999999999999999999,-;x"] {
            assert_eq!(kmsg(text), None, "{text}");
        }
    }

    #[test]
    fn senders() {
        assert_eq!(sender("10.0.2.15: x"), Some(("10.0.2.15", 11)));
        assert_eq!(sender("10.0.2.15:6665: x"), Some(("10.0.2.15", 16)));
        assert_eq!(sender("[10.0.2.15]: x"), Some(("10.0.2.15", 13)));
        assert_eq!(sender("  ::ffff:10.0.2.15: x"), Some(("::ffff:10.0.2.15", 20)));
        assert_eq!(sender("fe80::1 x"), Some(("fe80::1", 8)));
        for text in ["", "10.0.2: x", "1.2.3.4", "dead: beef", "[   12.345678] x", "a: b", "CPU: 1"] {
            assert_eq!(sender(text), None, "{text}");
        }
    }

    #[test]
    fn sources() {
        for line in [
            "Nov 22 11:44:54 web-1 kernel: x",
            "<4>Nov 22 11:44:54 web-1 kern.warn kernel: x",
            "2026-11-22T11:44:54.1+00:00 web-1 kernel: x",
            "<4>1 2026-11-22T14:47:43.838459+00:00 web-1 kernel - - - x",
            "web-1: [   12.000001] x",
            "web-1: 6,1,2,-;x",
        ] {
            assert_eq!(source(line), Some("web-1"), "{line}");
        }
        assert_eq!(source("Nov 22 11:44:54 10.0.2.15 [   12.000001] x"), Some("10.0.2.15"));
        for line in [
            "",
            "[   12.000001] x",
            "kernel: x",
            "Nov 22 11:44:54 kernel: x",
            "Call Trace:",
            "a: b",
            "6,1,2,-;x",
        ] {
            assert_eq!(source(line), None, "{line}");
        }
    }

    #[test]
    fn structured() {
        for (text, length) in [("- x", 1), ("[a b=\"c]\\\"\"][d] x", 15)] {
            assert_eq!(structured_data(text.as_bytes()), Some(length), "{text}");
        }
        for text in ["", "x", "[a", "[a b=\"]"] {
            assert_eq!(structured_data(text.as_bytes()), None, "{text}");
        }
    }
}

//! Takes off what transports put in front of the kernel's own text: quoting, priorities,
//! timestamps of every writer, host names, printk's caller ids.

use super::Caller;

/// What stood in front of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Prefix {
    /// Bytes of it.
    pub length: usize,
    /// printk's own time, in seconds since boot.
    pub time: Option<f64>,
    /// printk's caller id.
    pub caller: Caller,
}

/// A log may be quoted mail of a journal of a console: several prefixes stand in a row, but never
/// very many, and the bound keeps hostile lines cheap.
const MOST_PREFIXES: usize = 8;

/// Measures the prefix of `line`.
pub(crate) fn strip(line: &str) -> Prefix {
    let mut found = Prefix::default();
    for _ in 0..MOST_PREFIXES {
        let rest = line.get(found.length..).unwrap_or_default();
        let step = quote(rest)
            .or_else(|| priority(rest))
            .or_else(|| dmesg_facility(rest))
            .or_else(|| kmsg_record(rest, &mut found))
            .or_else(|| printk_time(rest, &mut found))
            .or_else(|| human_time(rest))
            .or_else(|| syslog(rest))
            .or_else(|| noise(rest));
        match step {
            Some(length) if length > 0 => found.length += length,
            _ => break,
        }
    }
    found
}

/// `> ` of mail, any depth. A `>` without a blank after it is left alone.
fn quote(rest: &str) -> Option<usize> {
    let marks = rest.bytes().take_while(|b| *b == b'>').count();
    (marks > 0 && rest.as_bytes().get(marks) == Some(&b' ')).then_some(marks + 1)
}

/// `<6>`.
fn priority(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('<')?;
    let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
    ((1..=3).contains(&digits) && inner.as_bytes().get(digits) == Some(&b'>')).then_some(digits + 2)
}

/// `kern  :warn  : ` of `dmesg -x`.
fn dmesg_facility(rest: &str) -> Option<usize> {
    const FACILITIES: &[&str] = &["kern", "user", "daemon", "auth", "syslog"];
    const LEVELS: &[&str] = &["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];
    // Every line passes here, and few hold a colon this early.
    let colon = memchr::memchr(b':', rest.as_bytes().get(..9).unwrap_or(rest.as_bytes()))?;
    let (facility, after) = (rest.get(..colon)?, rest.get(colon + 1..)?);
    if !FACILITIES.contains(&facility.trim_end()) {
        return None;
    }
    let (level, _) = after.split_once(':')?;
    if !LEVELS.contains(&level.trim()) {
        return None;
    }
    let end = facility.len() + level.len() + 2;
    let blank = usize::from(rest.as_bytes().get(end) == Some(&b' '));
    Some(end + blank)
}

/// `6,339,5140900,-;text` of /dev/kmsg (time in microseconds).
fn kmsg_record(rest: &str, found: &mut Prefix) -> Option<usize> {
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let semicolon = memchr::memchr(b';', rest.as_bytes().get(..81).unwrap_or(rest.as_bytes()))?;
    let head = rest.get(..semicolon)?;
    let mut fields = head.split(',');
    fields.next()?.parse::<u32>().ok()?;
    fields.next()?.parse::<u64>().ok()?;
    let micros = fields.next()?.parse::<u64>().ok()?;
    fields.next()?;
    found.time = Some(micros as f64 / 1e6);
    for field in fields {
        if let Some(id) = field.strip_prefix("caller=") {
            found.caller = Caller::parse(id);
        }
    }
    Some(head.len() + 1)
}

/// `[   12.345678] `, `[   12.345678][ T123] `, `[   12.345678,3] `.
///
/// One blank after it is the console's; further ones are the message's own indentation.
fn printk_time(rest: &str, found: &mut Prefix) -> Option<usize> {
    let (time, mut length) = stamp(rest)?;
    found.time = Some(time);
    let after = rest.get(length..).unwrap_or_default();
    let blank = usize::from(after.starts_with(' ') && after.get(1..).is_some_and(|t| caller(t).is_some()));
    if let Some((id, size)) = caller(after.get(blank..).unwrap_or_default()) {
        found.caller = id;
        length += blank + size;
    }
    if rest.as_bytes().get(length) == Some(&b' ') {
        length += 1;
    }
    Some(length)
}

/// Reads `[   12.345678]` at the start of `rest`: the time, and its bytes.
pub(super) fn stamp(rest: &str) -> Option<(f64, usize)> {
    let inner = rest.strip_prefix('[')?;
    let bytes = inner.as_bytes();
    let blanks = bytes.iter().take_while(|b| **b == b' ').count();
    let number = inner.get(blanks..)?;
    let whole = number.bytes().take_while(u8::is_ascii_digit).count();
    if whole == 0 || whole > 10 || blanks > 12 || number.as_bytes().get(whole) != Some(&b'.') {
        return None;
    }
    let fraction = number.get(whole + 1..)?.bytes().take_while(u8::is_ascii_digit).count();
    if !(3..=9).contains(&fraction) {
        return None;
    }
    let digits = whole + 1 + fraction;
    let time = number.get(..digits)?.parse().ok()?;
    let tail = number.get(digits..)?;
    // `,3` is the CPU that some vendors' kernels add.
    let cpu = match tail.strip_prefix(',') {
        Some(t) => 1 + t.bytes().take_while(|b| b.is_ascii_digit() || *b == b' ').count(),
        None => 0,
    };
    (tail.as_bytes().get(cpu) == Some(&b']')).then_some((time, 1 + blanks + digits + cpu + 1))
}

/// `[ T123]`, `[    C1]`: who printed the line (CONFIG_PRINTK_CALLER).
fn caller(rest: &str) -> Option<(Caller, usize)> {
    let inner = rest.strip_prefix('[')?;
    let (id, _) = inner.split_once(']')?;
    let caller = Caller::parse(id.trim_start());
    (id.len() <= 12 && caller != Caller::Unknown).then_some((caller, id.len() + 2))
}

/// `[Sun Nov 22 11:44:54 2026] ` of `dmesg -T`, and ISO times of `dmesg --time-format iso`.
fn human_time(rest: &str) -> Option<usize> {
    if let Some(inner) = rest.strip_prefix('[') {
        let (text, _) = inner.split_once(']')?;
        let mut words = text.split_ascii_whitespace();
        let named = words.next().is_some_and(|day| DAYS.contains(&day)) && words.count() == 4;
        if !(named || iso_time(text) == Some(text.len())) {
            return None;
        }
        return Some(1 + text.len() + 1 + usize::from(inner.as_bytes().get(text.len() + 1) == Some(&b' ')));
    }
    let length = iso_time(rest)?;
    Some(length + usize::from(rest.as_bytes().get(length) == Some(&b' ')))
}

const DAYS: &[&str] = &["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: &[&str] = &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `2026-11-22T11:44:54,123456+00:00`, with a blank for the `T` and the rest optional.
fn iso_time(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let head = bytes.get(..shape.len())?;
    let fits = head.iter().zip(shape).all(|(b, s)| match s {
        b'd' => b.is_ascii_digit(),
        b'T' => matches!(b, b'T' | b' '),
        other => b == other,
    });
    if !fits {
        return None;
    }
    let tail = rest.get(shape.len()..)?;
    let zone = tail
        .bytes()
        .take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'+' | b'-' | b':' | b'Z'))
        .count();
    Some(shape.len() + zone)
}

/// `Nov 22 11:44:54 host kernel: `, or after an ISO time only `host kernel: `.
fn syslog(rest: &str) -> Option<usize> {
    let mut length = 0;
    if let Some(month) = rest.get(..3)
        && MONTHS.contains(&month)
    {
        let time = rest.find(':').filter(|at| *at < 12)?;
        length = time.checked_add(7)?;
        let clock = rest.get(time.checked_sub(2)?..time + 6)?;
        if !clock.bytes().all(|b| b.is_ascii_digit() || b == b':') {
            return None;
        }
        // Fractions of a second.
        let fraction = rest.get(time + 6..)?.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        length += fraction;
    }
    let after = rest.get(length..)?;
    let (host, tail) = after.split_once(' ')?;
    let plain =
        |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    let tag = ["kernel: ", "kernel:"].iter().find(|tag| tail.starts_with(**tag));
    match tag {
        Some(tag) if plain(host) => Some(length + host.len() + 1 + tag.len()),
        _ if rest.starts_with("kernel: ") => Some("kernel: ".len()),
        _ => None,
    }
}

/// Text that consoles put before a line's own timestamp.
fn noise(rest: &str) -> Option<usize> {
    if let Some(inner) = rest.strip_prefix("** ") {
        let (middle, _) = inner.split_once(" ** ")?;
        if middle.ends_with("dropped") && middle.len() < 64 {
            return Some(middle.len() + 7);
        }
    }
    None
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
        check("[    1.343173] Mem abort info:", "Mem abort info:", Some(1.343173), none);
        check("[    1.343292]   ESR = 0x96", "  ESR = 0x96", Some(1.343292), none);
        check("[   12.000001][  T298]  fn+0x1/0x2", " fn+0x1/0x2", Some(12.000001), Caller::Task(298));
        check("[   12.000001] [ C1] x", "x", Some(12.000001), Caller::Cpu(1));
        check("<4>[   12.000001] x", "x", Some(12.000001), none);
        check("> > [   12.000001] x", "x", Some(12.000001), none);
        check("[Sun Nov 22 11:44:54 2026] x", "x", None, none);
        check("2026-11-22T11:44:54,123456+00:00 x", "x", None, none);
        check("Nov 22 11:44:54 host kernel: [   12.000001] x", "x", Some(12.000001), none);
        check("2026-11-22T11:44:54.1+00:00 host kernel: x", "x", None, none);
        check("kern  :warn  : [   12.000001] x", "x", Some(12.000001), none);
        check("4,339,5140900,-,caller=T7;x", "x", Some(5.1409), Caller::Task(7));
        check("** 5 printk messages dropped ** [   12.000001] x", "x", Some(12.000001), none);
    }

    #[test]
    fn text_that_only_resembles_a_prefix_stays() {
        for line in ["[00232bfa8c17cc5] address", "<TASK>", ">x", "[<ffff>] f", "[1.2] x", "[ T12] x", ""] {
            check(line, line, None, Caller::Unknown);
        }
    }
}

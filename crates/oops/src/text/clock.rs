//! Times of day, in the forms that logging programs write them.

use super::stamp::{delta, digits, run};

const DAYS: &[&[u8]] = &[b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
const MONTHS: &[&[u8]] =
    &[b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The bytes of the time of day at the start of `text`, whoever wrote it; blanks after it do not
/// count.
///
/// - `2026-11-22T11:44:54,123456+00:00`, with a blank or `_` for the `T` and the rest optional
/// - `2026/11/22 11:44:54`, `2026.11.22 11:44:54`
/// - `Nov 22 11:44:54`, `Nov 22 11:44:54.123456`, `2026 Nov 22 11:44:54.123456`
/// - `Sun Nov 22 11:44:54 2026`, `Sun Nov 22 11:44:54 UTC 2026`, `Sun Nov 22 2026 11:44:54`
/// - `Sun 2026-11-22 11:44:54 UTC`
/// - `22 Nov 2026 11:44:54`, `11-22 11:44:54.123`
/// - `1795359118.090638` and `1795359117`, seconds since 1970
/// - `11:44:54`, `00:00:12.345`
pub(super) fn clock(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let first = *bytes.first()?;
    let length = if first.is_ascii_digit() {
        iso(bytes)
            .or_else(|| time_of_day(bytes))
            .or_else(|| year_first(bytes))
            .or_else(|| day_first(bytes))
            .or_else(|| month_day(bytes))
            .or_else(|| epoch(bytes))?
    } else if first.is_ascii_uppercase() {
        named(bytes)?
    } else {
        return None;
    };
    // What goes on without a gap is a word that only begins like a time.
    match bytes.get(length) {
        None | Some(b' ' | b']' | b'|' | b'>') => Some(length),
        Some(b':' | b',') if matches!(bytes.get(length + 1), None | Some(b' ')) => Some(length),
        _ => None,
    }
}

/// `Nov22 14:00` in the brackets of `dmesg -e`.
pub(super) fn month_glued(bytes: &[u8]) -> Option<usize> {
    let after = bytes.get(3..).filter(|_| is_in(MONTHS, bytes))?;
    let day = run(after, |b| b == b' ').min(1);
    let day = day + digits(after.get(day..)?);
    if !(1..=2).contains(&day) || after.get(day) != Some(&b' ') {
        return None;
    }
    let clock = after.get(day + 1..day + 6)?;
    shaped(clock, b"dd:dd").then_some(3 + day + 6)
}

/// Whether `bytes` follows `shape`, in which `d` is a digit and `?` anything.
fn shaped(bytes: &[u8], shape: &[u8]) -> bool {
    bytes.len() >= shape.len()
        && bytes.iter().zip(shape).all(|(b, s)| match s {
            b'd' => b.is_ascii_digit(),
            b'?' => true,
            other => b == other,
        })
}

fn is_in(names: &[&[u8]], bytes: &[u8]) -> bool {
    bytes.get(..3).is_some_and(|name| names.contains(&name))
}

/// `11:44:54` with a fraction and a zone.
fn time_of_day(bytes: &[u8]) -> Option<usize> {
    // No hour begins with more than a 2: hardware addresses look like times otherwise.
    if !shaped(bytes, b"dd:dd:dd")
        || !matches!(bytes, [b'0'..=b'2', _, _, b'0'..=b'5', _, _, b'0'..=b'6', ..])
    {
        return None;
    }
    let mut at = 8;
    if matches!(bytes.get(at), Some(b'.' | b',')) {
        let fraction = digits(bytes.get(at + 1..)?);
        if (1..=9).contains(&fraction) {
            at += 1 + fraction;
        }
    }
    match bytes.get(at) {
        Some(b'Z') => at += 1,
        Some(b'+' | b'-') => {
            let zone = run(bytes.get(at + 1..)?, |b| b.is_ascii_digit() || b == b':');
            if (2..=5).contains(&zone) {
                at += 1 + zone;
            }
        }
        _ => {}
    }
    Some(at)
}

/// ` UTC`, ` CEST`, ` +0200`: a zone after a time, with the blank before it.
fn zone(bytes: &[u8]) -> usize {
    let Some(after) = bytes.strip_prefix(b" ") else { return 0 };
    let letters = run(after, |b| b.is_ascii_uppercase());
    // `host kernel:` may be in capitals, but is not so short and followed by a number.
    if (2..=5).contains(&letters) && after.get(letters) == Some(&b' ') {
        return 1 + letters;
    }
    if matches!(after.first(), Some(b'+' | b'-')) && digits(after.get(1..).unwrap_or_default()) == 4 {
        return 6;
    }
    0
}

/// `2026-11-22T11:44:54,123456+00:00`.
fn iso(bytes: &[u8]) -> Option<usize> {
    if !shaped(bytes, b"dddd?dd?dd?dd:dd:dd") {
        return None;
    }
    let date = (bytes.get(4)?, bytes.get(7)?, bytes.get(10)?);
    let fits = matches!(date, (b'-', b'-', b'T' | b' ' | b'_') | (b'/', b'/', b' ') | (b'.', b'.', b' '));
    if !fits {
        return None;
    }
    Some(11 + time_of_day(bytes.get(11..)?)?)
}

/// `2026 Nov 22 11:44:54.123456`.
fn year_first(bytes: &[u8]) -> Option<usize> {
    if !shaped(bytes, b"dddd ") {
        return None;
    }
    Some(5 + month_time(bytes.get(5..)?)?)
}

/// `22 Nov 2026 11:44:54`.
fn day_first(bytes: &[u8]) -> Option<usize> {
    let day = digits(bytes);
    let after = bytes.get(day + 1..).filter(|_| (1..=2).contains(&day) && bytes.get(day) == Some(&b' '))?;
    if !is_in(MONTHS, after) || !shaped(after.get(3..)?, b" dddd dd:dd:dd") {
        return None;
    }
    Some(day + 1 + 9 + time_of_day(after.get(9..)?)?)
}

/// `11-22 11:44:54.123` of logcat.
fn month_day(bytes: &[u8]) -> Option<usize> {
    if !shaped(bytes, b"dd-dd dd:dd:dd.ddd") {
        return None;
    }
    Some(6 + time_of_day(bytes.get(6..)?)?)
}

/// Seconds since 1970, in this century.
fn epoch(bytes: &[u8]) -> Option<usize> {
    if digits(bytes) != 10 || !matches!(bytes.first(), Some(b'1'..=b'3')) {
        return None;
    }
    let fraction = match bytes.get(10) {
        Some(b'.') => 1 + digits(bytes.get(11..)?),
        // `2147483647 + 1 cannot be represented` (UBSAN) is a sum, no time.
        Some(b' ') if !matches!(bytes.get(11), Some(b'+' | b'-' | b'*' | b'/')) => 0,
        _ => return None,
    };
    (fraction <= 10).then_some(10 + fraction)
}

/// What begins with a day's or a month's name.
fn named(bytes: &[u8]) -> Option<usize> {
    if is_in(MONTHS, bytes) {
        let length = month_time(bytes)?;
        return Some(length + year(bytes.get(length..)?));
    }
    if !is_in(DAYS, bytes) {
        return None;
    }
    let comma = usize::from(bytes.get(3) == Some(&b','));
    let at = 3 + comma + 1;
    if bytes.get(at - 1) != Some(&b' ') {
        return None;
    }
    let after = bytes.get(at..)?;
    if let Some(length) = iso(after).or_else(|| day_first(after)) {
        let length = at + length;
        return Some(length + zone(bytes.get(length..)?));
    }
    let length = at + month_time(after)?;
    // `UTC 2026` of date(1), or the year alone of ctime(3).
    let zone = zone(bytes.get(length..)?);
    Some(length + zone + year(bytes.get(length + zone..)?))
}

/// ` 2026`, with the blank before it.
fn year(bytes: &[u8]) -> usize {
    let is = shaped(bytes, b" 20dd") && !bytes.get(5).is_some_and(u8::is_ascii_alphanumeric);
    if is { 5 } else { 0 }
}

/// `Nov 22 11:44:54.123456` or `Nov 22 2026 11:44:54`.
fn month_time(bytes: &[u8]) -> Option<usize> {
    if !is_in(MONTHS, bytes) || bytes.get(3) != Some(&b' ') {
        return None;
    }
    let after = bytes.get(4..)?;
    let blank = run(after, |b| b == b' ').min(1);
    let day = digits(after.get(blank..)?);
    if !(1..=2).contains(&day) || after.get(blank + day) != Some(&b' ') {
        return None;
    }
    let mut at = 4 + blank + day + 1;
    if shaped(bytes.get(at..)?, b"dddd dd:") {
        at += 5;
    }
    Some(at + time_of_day(bytes.get(at..)?)?)
}

/// `[…]` around a time: its bytes, brackets included. `inner` begins after the bracket.
pub(super) fn bracketed(inner: &str) -> Option<usize> {
    let bytes = inner.as_bytes();
    let length = clock(inner).or_else(|| month_glued(bytes))?;
    let tail = bytes.get(length..)?;
    let delta = delta(tail).unwrap_or(0);
    (tail.get(delta) == Some(&b']')).then_some(1 + length + delta + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_writer() {
        for time in [
            "2026-11-22T11:44:54,123456+00:00",
            "2026-11-22T11:44:54+0000",
            "2026-11-22T11:44:54.123456789Z",
            "2026-11-22 11:44:54",
            "2026/11/22 11:44:54",
            "Nov 22 11:44:54",
            "Nov  2 11:44:54.123456",
            "Nov 22 2026 11:44:54.123",
            "2026 Nov 22 14:51:57.984168",
            "Sun Nov 22 11:44:54 2026",
            "Sun Nov 22 11:44:54 UTC 2026",
            "Sun 2026-11-22 14:51:58 UTC",
            "Sun 2026-11-22 14:51:58 CEST",
            "22 Nov 2026 11:44:54",
            "Sun, 22 Nov 2026 11:44:54 +0000",
            "11-22 11:44:54.123",
            "1795359118.090638",
            "1795359117",
            "11:44:54",
            "00:00:12.345",
        ] {
            assert_eq!(clock(&format!("{time} host")), Some(time.len()), "{time}");
            assert!(clock(&format!("{time}x")).is_none_or(|length| length < time.len()), "{time}");
        }
        assert_eq!(bracketed("Sun Nov 22 14:47:43 2026 <    0.045696>] x"), Some(41));
        assert_eq!(bracketed("Nov22 14:47] x"), Some(13));
        assert_eq!(bracketed("00:00:01.234] x"), Some(14));
    }

    #[test]
    fn what_only_begins_like_a_time() {
        for text in [
            "",
            "N",
            "Nov",
            "Nov 22",
            "Sun",
            "Sun ",
            "Marvell 88 11:22:33",
            "11:44",
            "2026",
            "2026-11-22",
            "00:1f.2 Class",
            "0000:00:1f.2: x",
            "1795359117",
            "4096 blocks",
            "12345678901 x",
        ] {
            let found = clock(text);
            assert!(found.is_none() || text.len() == 10, "{text}: {found:?}");
        }
    }
}

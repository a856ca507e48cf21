//! What printk itself puts before a line: its time in brackets, its caller, and what vendors'
//! kernels add; and the forms that `dmesg` rewrites that time into.

use super::Caller;
use super::prefix::Prefix;

/// The number of bytes at the start of `bytes` for which `is` holds.
pub(super) fn run(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|b| is(**b)).count()
}

/// The number of decimal digits at the start of `bytes`.
pub(super) fn digits(bytes: &[u8]) -> usize {
    run(bytes, |b| b.is_ascii_digit())
}

/// A number of at most 18 decimal digits.
fn number(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || bytes.len() > 18 {
        return None;
    }
    bytes.iter().try_fold(0u64, |sum, b| {
        b.is_ascii_digit().then(|| sum.wrapping_mul(10).wrapping_add(u64::from(b - b'0')))
    })
}

/// `12.345678` at the start of `bytes`: the seconds and the bytes.
///
/// Both halves fit a double's 53 bits, so the one division rounds exactly as reading the decimal
/// text would.
fn seconds(bytes: &[u8]) -> Option<(f64, usize)> {
    const POWERS: [u64; 10] =
        [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];
    let whole = digits(bytes);
    if whole == 0 || whole > 10 || bytes.get(whole) != Some(&b'.') {
        return None;
    }
    let fraction = digits(bytes.get(whole + 1..)?);
    if !(3..=9).contains(&fraction) {
        return None;
    }
    let power = *POWERS.get(fraction)?;
    let high = number(bytes.get(..whole)?)?.checked_mul(power)?;
    let all = high.checked_add(number(bytes.get(whole + 1..whole + 1 + fraction)?)?)?;
    let time = if all < 1 << 53 {
        all as f64 / power as f64
    } else {
        std::str::from_utf8(bytes.get(..whole + 1 + fraction)?).ok()?.parse().ok()?
    };
    Some((time, whole + 1 + fraction))
}

/// Reads `[   12.345678]` at the start of `text`: the time, and its bytes.
///
/// `[   12.345678,3]` names the CPU in some vendors' kernels; `[   12.345678 <    0.000012>]` is
/// `dmesg -d`.
pub(super) fn stamp(text: &str) -> Option<(f64, usize)> {
    let bytes = text.as_bytes().strip_prefix(b"[")?;
    let blanks = run(bytes, |b| b == b' ');
    if blanks > 12 {
        return None;
    }
    let rest = bytes.get(blanks..)?;
    let (time, length) = seconds(rest)?;
    let tail = rest.get(length..)?;
    let more = match tail.first()? {
        b']' => 0,
        b',' => 1 + run(tail.get(1..)?, |b| b.is_ascii_digit() || b == b' '),
        b' ' => delta(tail)?,
        _ => return None,
    };
    (tail.get(more) == Some(&b']')).then_some((time, 1 + blanks + length + more + 1))
}

/// ` <    0.000012>` of `dmesg -d`, with the blank before it.
pub(super) fn delta(tail: &[u8]) -> Option<usize> {
    let inner = tail.strip_prefix(b" <")?;
    let blanks = run(inner, |b| b == b' ');
    let (_, length) = seconds(inner.get(blanks..)?)?;
    (inner.get(blanks + length) == Some(&b'>')).then_some(2 + blanks + length + 1)
}

/// `[  +0.000012]` of `dmesg --reltime` and `[<    0.000012>]` of `dmesg -d` without times: how
/// much later than the line above. `inner` begins after the bracket; the bytes include `]`.
pub(super) fn relative(inner: &[u8]) -> Option<usize> {
    let (open, close): (&[u8], &[u8]) =
        if inner.first() == Some(&b'<') { (b"<", b">]") } else { (b"", b"]") };
    let mut at = open.len();
    at += run(inner.get(at..)?, |b| b == b' ');
    match inner.get(at) {
        Some(b'+') if open.is_empty() => at += 1,
        _ if open.is_empty() => return None,
        _ => {}
    }
    let (_, length) = seconds(inner.get(at..)?)?;
    at += length;
    inner.get(at..)?.starts_with(close).then_some(at + close.len())
}

/// What stands between printk's time and its text: its caller, a vendor's task or CPU.
///
/// Returns the bytes; one blank after them is the console's, further ones are the message's own
/// indentation.
pub(super) fn after_stamp(rest: &str, found: &mut Prefix) -> usize {
    let bytes = rest.as_bytes();
    let mut length = 0;
    let blank = run(bytes, |b| b == b' ').min(2);
    let tail = rest.get(blank..).unwrap_or_default();
    let own = match tail.as_bytes().first() {
        Some(b'[') => caller(tail).map(|(id, size)| {
            found.caller = id;
            size
        }),
        _ => None,
    };
    if let Some(size) = own.or_else(|| vendor(tail)) {
        length = blank + size;
    }
    length + usize::from(bytes.get(length) == Some(&b' '))
}

/// `[ T123]`, `[    C1]`: who printed the line (CONFIG_PRINTK_CALLER).
fn caller(rest: &str) -> Option<(Caller, usize)> {
    let inner = rest.strip_prefix('[')?;
    let close = memchr::memchr(b']', inner.as_bytes().get(..13).unwrap_or(inner.as_bytes()))?;
    let id = inner.get(..close)?;
    let caller = Caller::parse(id.trim_start());
    (caller != Caller::Unknown).then_some((caller, close + 2))
}

/// What makers of telephones add: `[3:  swapper/3:    0]` (Samsung), `(2)[123:kworker/2:1]` and
/// `<1>.(2)[123:kworker/2:1]` (MediaTek), `c0 123` (a CPU and a task), `(CPU:1-pid:23:name)` (LG).
fn vendor(rest: &str) -> Option<usize> {
    match rest.as_bytes().first()? {
        b'[' => task(rest),
        b'<' => {
            let inner = rest.get(1..)?;
            let level = digits(inner.as_bytes());
            let tail = inner.get(level..)?.strip_prefix(">.")?;
            Some(level + 3 + cpu_task(tail)?)
        }
        b'(' => cpu_task(rest).or_else(|| {
            let inner = rest.strip_prefix("(CPU:")?;
            let close = memchr::memchr(b')', inner.as_bytes().get(..48).unwrap_or(inner.as_bytes()))?;
            inner.get(..close)?.contains("-pid:").then_some(5 + close + 1)
        }),
        b'c' => {
            let inner = rest.as_bytes().get(1..)?;
            let cpu = digits(inner);
            let blanks = run(inner.get(cpu..)?, |b| b == b' ');
            let task = digits(inner.get(cpu + blanks..)?);
            let end = cpu + blanks + task;
            let fits = (1..=3).contains(&cpu) && blanks > 0 && (1..=7).contains(&task);
            (fits && inner.get(end) == Some(&b' ')).then_some(1 + end)
        }
        _ => None,
    }
}

/// `(2)[123:kworker/2:1]`.
fn cpu_task(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('(')?;
    let cpu = digits(inner.as_bytes());
    if !(1..=3).contains(&cpu) {
        return None;
    }
    let tail = inner.get(cpu..)?.strip_prefix(')')?;
    Some(1 + cpu + 1 + task(tail)?)
}

/// `[3:  swapper/3:    0]` or `[123:kworker/2:1]`: a number, a colon, a name, perhaps a number.
fn task(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('[')?;
    let first = run(inner.as_bytes(), |b| b.is_ascii_digit() || b == b' ');
    if first == 0 || first > 8 || inner.as_bytes().get(first) != Some(&b':') {
        return None;
    }
    let close = memchr::memchr(b']', inner.as_bytes().get(..48).unwrap_or(inner.as_bytes()))?;
    let name = inner.get(first + 1..close)?.trim();
    let fits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    fits.then_some(close + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_the_decimal_number_s() {
        for text in ["0.000000", "12.345678", "4294967.295999", "9999999999.999999999", "1.234", "86400.1234"]
        {
            let (time, length) = seconds(text.as_bytes()).unwrap();
            assert_eq!((time.to_bits(), length), (text.parse::<f64>().unwrap().to_bits(), text.len()));
        }
        for text in ["", ".5", "1.2", "1.1234567890", "12345678901.000000", "1,000000"] {
            assert_eq!(seconds(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn stamps_of_dmesg() {
        assert_eq!(stamp("[   12.345678] x"), Some((12.345678, 14)));
        assert_eq!(stamp("[   12.345678,3] x"), Some((12.345678, 16)));
        assert_eq!(stamp("[   12.345678 <    0.000012>] x"), Some((12.345678, 29)));
        assert_eq!(relative(b"  +0.000012] x"), Some(12));
        assert_eq!(relative(b"<    0.000012>] x"), Some(15));
        for text in ["[   12.345678", "[12.345678 ]", "[12.345678 <x>]", "[]", "[", "", "[+0.000012]"] {
            assert_eq!(stamp(text), None, "{text}");
        }
        for text in ["0.000012]", "<ffffffff81000000>]", "<", "+", "  +0.000012 "] {
            assert_eq!(relative(text.as_bytes()), None, "{text}");
        }
    }
}

//! Slips of the pen: what a number may have been before somebody (or an OCR program) copied
//! it with one mistake.

/// The mistakes considered, each of them one slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SlipKind {
    /// Two adjacent digits changed places.
    Swapped,
    /// One character was read as another that looks like it.
    Misread,
    /// A digit was left out.
    Dropped,
    /// A digit was written twice.
    Doubled,
}

/// A mended number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mended {
    /// The number.
    pub value: u64,
    /// What would have happened to it.
    pub kind: SlipKind,
    /// 0-based position of the slip among the digits.
    pub at: usize,
}

/// Characters that are taken for one another in print, each pair both ways.
const LOOKALIKES: &[(u8, u8)] = &[
    (b'0', b'8'),
    (b'0', b'd'),
    (b'0', b'6'),
    (b'0', b'9'),
    (b'0', b'o'),
    (b'0', b'q'),
    (b'1', b'7'),
    (b'1', b'l'),
    (b'1', b'i'),
    (b'2', b'z'),
    (b'2', b'7'),
    (b'3', b'8'),
    (b'3', b'5'),
    (b'4', b'9'),
    (b'5', b'6'),
    (b'5', b's'),
    (b'6', b'8'),
    (b'6', b'b'),
    (b'6', b'g'),
    (b'8', b'b'),
    (b'8', b'9'),
    (b'9', b'g'),
    (b'9', b'q'),
    (b'b', b'd'),
    (b'c', b'e'),
];

/// Digits of a 64-bit value as `%016lx` prints it.
const FULL: usize = 16;

/// Every 64-bit number that one slip turns into the digits `printed`, without repeats, in order.
///
/// Only numbers printed at full width are considered: fewer digits than 15 or more than 17 are
/// not one slip away from 16.
pub fn one_slip(printed: &str) -> Vec<Mended> {
    let digits: Vec<u8> = printed.bytes().map(|b| b.to_ascii_lowercase()).collect();
    let mut found = Vec::new();
    let mut add = |digits: &[u8], kind, at| {
        if let Some(value) = number(digits) {
            found.push(Mended { value, kind, at });
        }
    };
    match digits.len() {
        FULL => {
            for at in 0..digits.len() {
                let mut swapped = digits.clone();
                if at + 1 < swapped.len() && swapped.get(at) != swapped.get(at + 1) {
                    swapped.swap(at, at + 1);
                    add(&swapped, SlipKind::Swapped, at);
                }
                let Some(&here) = digits.get(at) else { continue };
                for other in lookalikes(here) {
                    let mut other_digits = digits.clone();
                    if let Some(slot) = other_digits.get_mut(at) {
                        *slot = other;
                    }
                    add(&other_digits, SlipKind::Misread, at);
                }
            }
        }
        15 => {
            for at in 0..=digits.len() {
                for digit in b"0123456789abcdef" {
                    let mut longer = digits.clone();
                    longer.insert(at, *digit);
                    add(&longer, SlipKind::Dropped, at);
                }
            }
        }
        17 => {
            for at in 1..digits.len() {
                // A digit too many is nearly always the one before it written twice.
                if digits.get(at) == digits.get(at - 1) {
                    let mut shorter = digits.clone();
                    shorter.remove(at);
                    add(&shorter, SlipKind::Doubled, at);
                }
            }
        }
        _ => {}
    }
    found.sort();
    found.dedup_by_key(|mended| mended.value);
    found
}

fn lookalikes(character: u8) -> impl Iterator<Item = u8> {
    LOOKALIKES.iter().filter_map(move |(a, b)| {
        if *a == character {
            Some(*b)
        } else if *b == character {
            Some(*a)
        } else {
            None
        }
    })
}

fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    if digits.len() != FULL || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(text, 16).ok()
}

/// How many slips turn `meant` into the digits `printed`: characters changed, left out, added,
/// or swapped with their neighbour (optimal string alignment distance); at most 3, which stands
/// for "too many".
pub fn distance(printed: &str, meant: u64) -> usize {
    const TOO_MANY: usize = 3;
    let meant = format!("{meant:016x}");
    let (a, b) = (printed.as_bytes(), meant.as_bytes());
    if a.len().abs_diff(b.len()) >= TOO_MANY || a.len() > 32 {
        return TOO_MANY;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(TOO_MANY);
            let same = x.eq_ignore_ascii_case(y);
            let mut best = (at(&last, j) + usize::from(!same)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let crossed = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if crossed && !same {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(TOO_MANY).min(TOO_MANY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(printed: &str, value: u64) -> Option<SlipKind> {
        one_slip(printed).into_iter().find(|m| m.value == value).map(|m| m.kind)
    }

    #[test]
    fn each_kind_of_slip_is_undone() {
        assert_eq!(find("000233bfa8c17cc5", 0x0003_23bf_a8c1_7cc5), Some(SlipKind::Swapped));
        assert_eq!(find("050323bfa8c17bfd", 0xd503_23bf_a8c1_7bfd), Some(SlipKind::Misread));
        assert_eq!(find("ffff8008973700o0", 0xffff_8008_9737_0000), Some(SlipKind::Misread));
        assert_eq!(find("ffff80089737000", 0xffff_8000_8973_7000), Some(SlipKind::Dropped));
        assert_eq!(find("ffff80000897370000", 0), None);
        assert_eq!(find("fffff800089737000", 0xffff_8000_8973_7000), Some(SlipKind::Doubled));
    }

    #[test]
    fn slips_are_counted_and_shown() {
        assert_eq!(distance("000323bfa8c17cc5", 0x0003_23bf_a8c1_7cc5), 0);
        assert_eq!(distance("000233bfa8c17cc5", 0x0003_23bf_a8c1_7cc5), 1);
        assert_eq!(distance("000232bfa8c17cc5", 0x0003_23bf_a8c1_7cc5), 2);
        assert_eq!(distance("00232bfa8c17cc5", 0x0002_32bf_a8c1_7cc5), 1);
        assert_eq!(distance("ffff800008000000", 0x0002_32bf_a8c1_7cc5), 3);
    }

    #[test]
    fn two_slips_are_not_one() {
        assert_eq!(find("000232bfa8c17c5c", 0x0003_23bf_a8c1_7cc5), None);
        assert!(one_slip("24").is_empty());
        assert!(one_slip("").is_empty());
    }
}

//! Slips of the pen: how a number that was typed, read off a photo or recognised by a machine
//! differs from the one that was meant.

use kwhy_base::catalogue::damage as say;
use kwhy_base::{Prose, prose};

use crate::record::Grade;

/// One way to write a number wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlipKind {
    /// Two neighbouring digits exchanged: `12` for `21`.
    SwappedDigits,
    /// A run that alternates between two digits begun with the wrong one: `232` for `323`.
    AlternatingRun,
    /// A character that looks like the digit meant: `O` for `0`, `8` for `b`.
    ConfusedCharacter,
    /// Another digit.
    WrongDigit,
    /// A digit left out.
    DroppedDigit,
    /// A digit written twice.
    DoubledDigit,
    /// A digit too many.
    InsertedDigit,
}

/// How a printed number arises from the one that was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// The slip; of two, the first.
    pub kind: SlipKind,
    /// The second slip, where it takes two.
    pub second: Option<SlipKind>,
    /// `Likely` for one slip, `Possible` for two.
    pub grade: Grade,
    /// In words, to stand in a sentence.
    pub prose: Prose,
}

/// One step from the digits meant to the digits written.
struct Step {
    kind: SlipKind,
    prose: Prose,
}

/// Whether the printed hexadecimal digits (without `0x`) arise from `candidate` by one simple
/// slip, or by two of which at most one is an arbitrary digit.
///
/// `None` where they are equal, or where it would take more. Letters' case does not count. The
/// candidate is compared as 16 digits where about as many are printed, and otherwise as the
/// kernel's `%x` prints it.
#[must_use]
pub fn near_miss(printed: &str, candidate: u64) -> Option<Slip> {
    let written = printed.bytes().map(|b| b.to_ascii_lowercase()).collect::<Vec<_>>();
    if written.is_empty() || written.len() > 18 {
        return None;
    }
    let meant = if written.len() >= 14 { format!("{candidate:016x}") } else { format!("{candidate:x}") };
    let meant = meant.into_bytes();
    if written == meant {
        return None;
    }
    if let Some(step) = one_step(&meant, &written) {
        return Some(Slip { kind: step.kind, second: None, grade: Grade::Likely, prose: step.prose });
    }
    // Short numbers are two slips away from far too many others.
    if meant.len() < 12 {
        return None;
    }
    intermediate(&meant).into_iter().find_map(|(first, between)| {
        let second = one_step(&between, &written)?;
        Some(Slip {
            kind: first.kind,
            second: Some(second.kind),
            grade: Grade::Possible,
            prose: prose!(say::SLIP_TWO, first = first.prose, second = second.prose),
        })
    })
}

/// The single slip that turns `meant` into `written`.
fn one_step(meant: &[u8], written: &[u8]) -> Option<Step> {
    let same = meant.iter().zip(written).take_while(|(m, w)| m == w).count();
    let tail = |text: &[u8], from: usize| text.get(from..).map(<[u8]>::to_vec).unwrap_or_default();
    if written.len() == meant.len() {
        let differing = meant
            .iter()
            .zip(written)
            .enumerate()
            .filter(|(_, (m, w))| m != w)
            .map(|(at, _)| at)
            .collect::<Vec<_>>();
        let at = *differing.first()?;
        let last = *differing.last()?;
        let (m, w) = (meant.get(at..=last)?, written.get(at..=last)?);
        return match (m, w) {
            ([m], [w]) => Some(substituted(*m, *w)),
            ([a, b], [c, d]) if a == d && b == c => {
                Some(Step { kind: SlipKind::SwappedDigits, prose: prose!(say::SLIP_SWAPPED) })
            }
            _ if alternates(m) && alternates(w) && m.first() == w.get(1) && w.first() == m.get(1) => {
                let run = String::from_utf8_lossy(m).into_owned();
                Some(Step { kind: SlipKind::AlternatingRun, prose: prose!(say::SLIP_ALTERNATING, run = run) })
            }
            _ => None,
        };
    }
    if written.len() + 1 == meant.len() && tail(meant, same + 1) == tail(written, same) {
        let digit = char::from(*meant.get(same)?);
        return Some(Step { kind: SlipKind::DroppedDigit, prose: prose!(say::SLIP_DROPPED, digit = digit) });
    }
    if written.len() == meant.len() + 1 && tail(meant, same) == tail(written, same + 1) {
        let digit = *written.get(same)?;
        let doubled = same.checked_sub(1).and_then(|before| written.get(before)) == Some(&digit);
        let character = char::from(digit);
        return Some(if doubled {
            Step { kind: SlipKind::DoubledDigit, prose: prose!(say::SLIP_DOUBLED, digit = character) }
        } else {
            Step { kind: SlipKind::InsertedDigit, prose: prose!(say::SLIP_INSERTED, digit = character) }
        });
    }
    None
}

/// Three or more digits that alternate between two.
fn alternates(run: &[u8]) -> bool {
    run.len() >= 3 && run.first() != run.get(1) && run.iter().zip(run.iter().skip(2)).all(|(a, b)| a == b)
}

fn substituted(meant: u8, written: u8) -> Step {
    let (m, w) = (char::from(meant), char::from(written));
    if looks_like(m, w) {
        Step { kind: SlipKind::ConfusedCharacter, prose: prose!(say::SLIP_CONFUSED, written = w, meant = m) }
    } else {
        Step { kind: SlipKind::WrongDigit, prose: prose!(say::SLIP_WRONG, written = w, meant = m) }
    }
}

/// Characters that readers, human and machine, take for one another in console fonts.
const ALIKE: &[(char, &str)] = &[
    ('0', "odq8c"),
    ('1', "li7t"),
    ('2', "z7"),
    ('3', "8"),
    ('4', "a9"),
    ('5', "s6"),
    ('6', "b8g5"),
    ('7', "1t"),
    ('8', "b3069"),
    ('9', "gq8"),
    ('a', "e4o"),
    ('b', "68h"),
    ('c', "eo0"),
    ('d', "0o"),
    ('e', "ca"),
    ('f', "t"),
];

/// Whether `written` may stand for the digit `meant` because the two look alike.
#[must_use]
pub fn looks_like(meant: char, written: char) -> bool {
    let written = written.to_ascii_lowercase();
    ALIKE.iter().any(|(digit, others)| *digit == meant && others.contains(written))
}

/// The digit that a character which is no digit most likely stands for.
#[must_use]
pub fn digit_for(written: char) -> Option<char> {
    match written {
        'O' | 'o' | 'Q' | 'D' => Some('0'),
        'l' | 'I' | 'i' | '|' | '!' => Some('1'),
        'Z' | 'z' => Some('2'),
        'S' | 's' => Some('5'),
        'G' => Some('6'),
        'g' | 'q' => Some('9'),
        'h' => Some('b'),
        't' => Some('f'),
        _ => None,
    }
}

/// What one slip that is not an arbitrary digit makes of `meant`.
fn intermediate(meant: &[u8]) -> Vec<(Step, Vec<u8>)> {
    let mut all = Vec::new();
    for at in 0..meant.len() {
        let mut swapped = meant.to_vec();
        if at + 1 < swapped.len() && swapped.get(at) != swapped.get(at + 1) {
            swapped.swap(at, at + 1);
            all.push((Step { kind: SlipKind::SwappedDigits, prose: prose!(say::SLIP_SWAPPED) }, swapped));
        }
        let mut dropped = meant.to_vec();
        let digit = dropped.remove(at);
        let character = char::from(digit);
        all.push((
            Step { kind: SlipKind::DroppedDigit, prose: prose!(say::SLIP_DROPPED, digit = character) },
            dropped,
        ));
        let mut doubled = meant.to_vec();
        doubled.insert(at, digit);
        all.push((
            Step { kind: SlipKind::DoubledDigit, prose: prose!(say::SLIP_DOUBLED, digit = character) },
            doubled,
        ));
        for (_, others) in ALIKE.iter().filter(|(c, _)| *c == character) {
            for other in others.bytes() {
                let mut confused = meant.to_vec();
                if let Some(slot) = confused.get_mut(at) {
                    *slot = other;
                }
                all.push((substituted(digit, other), confused));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(printed: &str, candidate: u64) -> Option<(SlipKind, Option<SlipKind>)> {
        near_miss(printed, candidate).map(|slip| (slip.kind, slip.second))
    }

    #[test]
    fn one_slip() {
        let value = 0xd503_23bf_a8c1_7bfd;
        assert_eq!(kind("d50323bfa8c17bfd", value), None, "equal is no slip");
        assert_eq!(kind("D50323BFA8C17BFD", value), None);
        assert_eq!(kind("050323bfa8c17bfd", value), Some((SlipKind::ConfusedCharacter, None)));
        assert_eq!(kind("d50332bfa8c17bfd", value), Some((SlipKind::SwappedDigits, None)));
        assert_eq!(kind("d5032bfa8c17bfd", value), Some((SlipKind::DroppedDigit, None)));
        assert_eq!(kind("d500323bfa8c17bfd", value), Some((SlipKind::DoubledDigit, None)));
        assert_eq!(kind("d50323bfa8c197bfd", value), Some((SlipKind::InsertedDigit, None)));
        assert_eq!(kind("d50323bfa8c17bf2", value), Some((SlipKind::WrongDigit, None)));
        assert_eq!(kind("ffff80089737000", 0xffff_8000_8973_7000), Some((SlipKind::DroppedDigit, None)));
    }

    #[test]
    fn an_alternating_run_begun_wrongly() {
        assert_eq!(kind("000232bfa8c17cc5", 0x0003_23bf_a8c1_7cc5), Some((SlipKind::AlternatingRun, None)));
        // The same number with its leading zero lost.
        assert_eq!(
            near_miss("00232bfa8c17cc5", 0x0003_23bf_a8c1_7cc5).map(|s| (s.grade, s.second.is_some())),
            Some((Grade::Possible, true))
        );
    }

    #[test]
    fn what_is_too_far_is_no_slip() {
        for (printed, candidate) in [
            ("ffff800012345678", 0xffff_8000_8765_4321),
            ("0000000000000000", 0xd503_23bf_a8c1_7bfd),
            ("ffff8000112233ff", 0xffff_8000_aa22_bbcc),
            ("", 1),
            ("12345", 0x54321),
        ] {
            assert_eq!(kind(printed, candidate), None, "{printed}");
        }
    }

    #[test]
    fn random_pairs_hardly_ever_match() {
        // A generator of numbers, the same in every run (Knuth's MMIX constants).
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 31
        };
        let matches = (0..2000).filter(|_| near_miss(&format!("{:016x}", next()), next()).is_some()).count();
        assert_eq!(matches, 0);
    }
}

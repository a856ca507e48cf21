//! How a log is damaged on its way through a camera, a text recogniser and a pair of hands.
//!
//! Each kind of slip has a weight, with its reason beside it. The rate is the share of all characters
//! of a log that are hit: a character that several slips can befall (a `0`, an `l`) is hit more often
//! than one that nothing resembles (an `f`), as in life.

/// A source of numbers that is the same in every run (Steele, Lea and Flood's SplitMix64).
pub struct Dice(u64);

impl Dice {
    /// One for a log and a seed.
    pub fn new(name: &str, seed: u64) -> Dice {
        // FNV-1a, so that every log is damaged in other places.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Dice(hash ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `limit`; 0 where there is none.
    fn below(&mut self, limit: u32) -> u32 {
        u32::try_from(self.next() >> 33).unwrap_or(0).checked_rem(limit).unwrap_or(0)
    }
}

/// A slip that a character can suffer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Slip {
    /// This text stands in its place; the second number is how many characters it replaces.
    Reads(&'static str, usize),
    Dropped,
    Doubled,
    SwappedWithNext,
    BlankLost,
    BlankInserted,
    /// The line goes on where the next should begin.
    Joined,
    /// The line ends at this blank.
    Split,
    FullWidth,
    CaseChanged,
}

/// What a recogniser takes for what: (meant, read, weight). Of all slips these are the most: a console
/// font at photo resolution leaves a handful of strokes a character, and nothing spells hexadecimal for it.
const ALIKE: &[(&str, &str, u32)] = &[
    ("0", "O", 30),
    ("0", "o", 18),
    ("0", "D", 12),
    ("O", "0", 60),
    ("o", "0", 40),
    ("D", "0", 40),
    ("1", "l", 30),
    ("1", "I", 20),
    ("1", "|", 10),
    ("l", "1", 30),
    ("l", "I", 20),
    ("I", "l", 30),
    ("I", "1", 30),
    ("5", "S", 35),
    ("5", "s", 15),
    ("S", "5", 50),
    ("s", "5", 15),
    ("8", "B", 30),
    ("8", "3", 20),
    ("B", "8", 50),
    ("3", "8", 20),
    ("6", "b", 30),
    ("b", "6", 30),
    ("d", "0", 10),
    ("d", "cl", 20),
    ("9", "g", 25),
    ("9", "q", 15),
    ("g", "9", 25),
    ("q", "9", 25),
    ("2", "Z", 40),
    ("Z", "2", 50),
    ("rn", "m", 50),
    ("m", "rn", 30),
    ("cl", "d", 50),
    ("vv", "w", 50),
    ("w", "vv", 25),
    // Points of one or two pixels.
    (",", ".", 50),
    (".", ",", 30),
    (":", ";", 20),
    // The underscore touches the line below, or is cropped with the line's bottom.
    ("_", "-", 12),
    ("_", " ", 12),
    ("-", "_", 15),
    ("[", "(", 25),
    ("]", ")", 25),
    ("(", "[", 15),
    (")", "]", 15),
    // What word processors and chat programs make of quotes while one types.
    ("'", "\u{2019}", 60),
    ("`", "\u{2018}", 60),
    ("\"", "\u{201d}", 60),
    ("--", "\u{2014}", 15),
];

/// A finger that misses a key, or a faint stroke: any character.
const DROPPED: u32 = 4;
/// A key that bounces, or an eye that loses its place.
const DOUBLED: u32 = 3;
/// Two hands out of step; recognisers never do it.
const SWAPPED: u32 = 3;
/// Recognisers guess blanks from gaps: with fixed pitch they both miss and invent them.
const BLANK_LOST: u32 = 12;
/// The same, in the middle of a word.
const BLANK_INSERTED: u32 = 3;
/// A screen's line taken for two columns' or wrapped by the editor.
const SPLIT: u32 = 3;
/// Two lines of a wrapped display taken for one, at any line end.
const JOINED: u32 = 12;
/// An input method left in its wide mode.
const FULL_WIDTH: u32 = 1;
/// A shift key held too long.
const CASE: u32 = 2;

/// All slips that the character at the start of `rest` can suffer, with their weights.
fn slips(rest: &[char]) -> Vec<(Slip, u32)> {
    let (Some(&own), next) = (rest.first(), rest.get(1).copied()) else { return Vec::new() };
    if own == '\n' {
        return if next.is_some() { vec![(Slip::Joined, JOINED)] } else { Vec::new() };
    }
    let starts = |text: &str| text.chars().zip(rest).filter(|(a, b)| a == *b).count() == text.len();
    let mut all: Vec<(Slip, u32)> = ALIKE
        .iter()
        .filter(|(meant, _, _)| meant.starts_with(own) && starts(meant))
        .map(|(meant, read, weight)| (Slip::Reads(read, meant.len()), *weight))
        .collect();
    if own == ' ' {
        all.extend([(Slip::BlankLost, BLANK_LOST), (Slip::Split, SPLIT)]);
        return all;
    }
    all.extend([(Slip::Dropped, DROPPED), (Slip::Doubled, DOUBLED)]);
    if next.is_some_and(|next| next != own && !next.is_whitespace()) {
        all.extend([(Slip::SwappedWithNext, SWAPPED), (Slip::BlankInserted, BLANK_INSERTED)]);
    }
    if own.is_ascii_graphic() {
        all.push((Slip::FullWidth, FULL_WIDTH));
    }
    if own.is_ascii_alphabetic() {
        all.push((Slip::CaseChanged, CASE));
    }
    all
}

/// A damaged text, and where each of its lines comes from.
pub struct Damaged {
    /// The text.
    pub text: String,
    /// For each line (0-based) the first and last line (1-based) of the clean text that it holds.
    pub from: Vec<(u32, u32)>,
    /// How many characters were hit.
    pub slips: usize,
}

/// Damages `rate` of the characters of `clean`.
pub fn damage(clean: &str, rate: f64, dice: &mut Dice) -> Damaged {
    let chars: Vec<char> = clean.chars().filter(|c| *c != '\r').collect();
    let weights: Vec<u32> = (0..chars.len())
        .map(|at| slips(chars.get(at..).unwrap_or_default()).iter().map(|(_, weight)| weight).sum())
        .collect();
    let total: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
    // The chance of a character is in proportion to its weight, and on average the rate.
    let scale = rate * f64::from(u32::try_from(chars.len()).unwrap_or(u32::MAX)) / total.max(1.0);
    let mut out = Damaged { text: String::with_capacity(clean.len()), from: vec![(1, 1)], slips: 0 };
    let mut line = 1u32;
    let mut at = 0;
    while let Some(&own) = chars.get(at) {
        const FINE: u32 = 1 << 30;
        let sum = weights.get(at).copied().unwrap_or(0);
        let hit = f64::from(dice.below(FINE)) < f64::from(sum) * scale * f64::from(FINE);
        at += 1;
        if !hit {
            out.put(own, &mut line);
            continue;
        }
        let choices = slips(chars.get(at - 1..).unwrap_or_default());
        out.slips += 1;
        let mut pick = dice.below(sum);
        let slip = choices.into_iter().find(|(_, weight)| match pick.checked_sub(*weight) {
            Some(rest) => {
                pick = rest;
                false
            }
            None => true,
        });
        match slip.map(|(slip, _)| slip) {
            Some(Slip::Reads(text, length)) => {
                out.text.push_str(text);
                at += length - 1;
            }
            Some(Slip::Doubled) => {
                out.put(own, &mut line);
                out.put(own, &mut line);
            }
            Some(Slip::SwappedWithNext) => {
                if let Some(&next) = chars.get(at) {
                    out.put(next, &mut line);
                    at += 1;
                }
                out.put(own, &mut line);
            }
            Some(Slip::BlankInserted) => {
                out.put(own, &mut line);
                out.text.push(' ');
            }
            Some(Slip::Joined) => {
                line += 1;
                out.text.push(' ');
                if let Some(last) = out.from.last_mut() {
                    last.1 = line;
                }
            }
            Some(Slip::Split) => {
                out.text.push('\n');
                out.from.push((line, line));
            }
            Some(Slip::FullWidth) => {
                let wide = u32::from(own).checked_add(0xfee0).and_then(char::from_u32);
                out.text.push(wide.unwrap_or(own));
            }
            Some(Slip::CaseChanged) => {
                let other = if own.is_ascii_lowercase() {
                    own.to_ascii_uppercase()
                } else {
                    own.to_ascii_lowercase()
                };
                out.text.push(other);
            }
            Some(Slip::Dropped | Slip::BlankLost) | None => {}
        }
    }
    out
}

impl Damaged {
    fn put(&mut self, c: char, line: &mut u32) {
        self.text.push(c);
        if c == '\n' {
            *line += 1;
            self.from.push((*line, *line));
        }
    }

    /// The lines (1-based, inclusive) of the clean text that line `number` (1-based) holds.
    pub fn source(&self, number: u32) -> (u32, u32) {
        let index = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        self.from.get(index).copied().unwrap_or((number, number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> String {
        (0..4000)
            .map(|n| format!("[    1.0{n:05}] x26: ffffa051c2a{n:05x} pc : fn_call+0x5d/0x80 [mod]\n"))
            .collect()
    }

    #[test]
    fn the_rate_is_met_and_the_seed_decides() {
        let clean = log();
        for rate in [0.002, 0.02] {
            let one = damage(&clean, rate, &mut Dice::new("a", 1));
            let expected = rate * clean.len() as f64;
            assert!((one.slips as f64 - expected).abs() < expected * 0.25, "{} of {expected}", one.slips);
            assert_eq!(one.text, damage(&clean, rate, &mut Dice::new("a", 1)).text);
            assert_ne!(one.text, damage(&clean, rate, &mut Dice::new("a", 2)).text);
            assert_ne!(one.text, damage(&clean, rate, &mut Dice::new("b", 1)).text);
        }
        assert_eq!(damage(&clean, 0.0, &mut Dice::new("a", 1)).text, clean);
    }

    #[test]
    fn every_line_knows_where_it_comes_from() {
        let clean = log();
        let damaged = damage(&clean, 0.02, &mut Dice::new("lines", 3));
        assert_eq!(damaged.from.len(), damaged.text.lines().count() + 1);
        let lines: Vec<&str> = clean.lines().collect();
        let alike = damaged
            .text
            .lines()
            .zip(1u32..)
            .filter(|(line, number)| {
                let (first, last) = damaged.source(*number);
                lines[first as usize - 1..last as usize].iter().any(|clean| {
                    let common = clean.chars().filter(|c| line.contains(*c)).count();
                    common * 2 > clean.chars().count()
                })
            })
            .count();
        assert!(alike * 10 > lines.len() * 9, "{alike} of {}", lines.len());
    }
}

//! Lines of known shape, and how far a text is from one.
//!
//! A shape is a line of the kernel's with holes for its values. Text is laid over it at the least cost,
//! where characters that look alike are cheap to exchange (the way of dynamic programming over edit
//! distances: Wagner and Fischer, 1974, with transpositions and holes that hold any number of characters).

use crate::slip;

/// What a character costs that should not be there, or a digit that is missing.
const STRAY: u32 = 4;
/// The same for a digit within a number: it says something, and it is rather exchanged than too many.
const STRAY_DIGIT: u32 = 5;
/// What fixed text costs of which a character is missing.
const MISSING: u32 = 3;
/// The same for a blank: recognisers guess them from gaps.
const STRAY_BLANK: u32 = 1;
/// A character taken for one that looks like it.
const ALIKE: u32 = 2;
/// A character taken for any other.
const OTHER: u32 = 5;
/// Two neighbours exchanged.
const SWAPPED: u32 = 4;

/// One place of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// This character.
    Is(char),
    /// One hexadecimal digit of a number with a fixed number of digits; it stays as it is printed.
    Digit,
    /// Any number of hexadecimal digits, which are mended where a character is none.
    Hex,
    /// Any number of decimal digits, mended likewise.
    Decimal,
    /// One decimal digit, mended likewise.
    OneDecimal,
    /// A symbol or a module's name.
    Name,
    /// Blanks.
    Blanks,
    /// Anything.
    Any,
}

impl Place {
    fn repeats(self) -> bool {
        matches!(self, Place::Hex | Place::Decimal | Place::Name | Place::Blanks | Place::Any)
    }

    /// What it costs that `c` stands here, and what is meant by it.
    fn takes(self, c: char) -> Option<(u32, Option<char>)> {
        match self {
            Place::Is(own) if own == c => Some((0, Some(own))),
            Place::Is(own) if alike(own, c) => Some((ALIKE, Some(own))),
            Place::Is(' ') => None,
            Place::Is(own) => Some((OTHER, Some(own))),
            Place::Digit if c.is_ascii_hexdigit() => Some((0, Some(c))),
            Place::Digit => {
                slip::digit_for(c).map(|_| (ALIKE, Some(if c == '|' || c == '!' { '1' } else { c })))
            }
            Place::Hex => match mended_digit(c) {
                Some(digit) if digit == c => Some((0, Some(c))),
                Some(digit) => Some((ALIKE, Some(digit))),
                None => None,
            },
            Place::Decimal | Place::OneDecimal => match decimal_for(c) {
                Some(digit) if digit == c => Some((0, Some(c))),
                Some(digit) => Some((ALIKE, Some(digit))),
                None => None,
            },
            Place::Name if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$') => Some((0, Some(c))),
            // What follows from these is for those who know names.
            Place::Name if c == ' ' => Some((STRAY_BLANK, Some(c))),
            Place::Name if matches!(c, '-' | ',' | '|') => Some((ALIKE, Some(c))),
            Place::Name => None,
            Place::Blanks if c == ' ' => Some((0, Some(c))),
            Place::Blanks => None,
            Place::Any => Some((0, Some(c))),
        }
    }

    /// What it costs that nothing stands here.
    fn missing(self) -> u32 {
        match self {
            Place::Is(' ') => STRAY_BLANK,
            Place::Any | Place::Blanks => 0,
            Place::Is(_) => MISSING,
            _ => STRAY,
        }
    }
}

/// The digit of a lower-case hexadecimal number that `c` stands for.
///
/// The kernel prints such numbers in lower case: a `D` is rather a zero that was misread, and a `B`
/// an eight, than a letter that changed its case.
pub(crate) fn mended_digit(c: char) -> Option<char> {
    match c {
        '0'..='9' | 'a'..='f' => Some(c),
        'D' => Some('0'),
        'B' => Some('8'),
        'A'..='F' => Some(c.to_ascii_lowercase()),
        _ => slip::digit_for(c),
    }
}

/// The decimal digit that `c` stands for.
pub(super) fn decimal_for(c: char) -> Option<char> {
    match c {
        '0'..='9' => Some(c),
        'b' => Some('6'),
        'B' => Some('8'),
        _ => slip::digit_for(c).filter(char::is_ascii_digit),
    }
}

/// Groups of characters that are taken for one another; a character may be in several.
const GROUPS: &[&str] = &[
    "0OoDQ", "1lI|!i", "5Ss", "8B3", "6b", "9gq", "2Zz", ",.", ":;.", "_-", "[({", "])}", "'`", "\"", "d0",
    "ec", "=-",
];

/// Whether one may be taken for the other.
pub(super) fn alike(a: char, b: char) -> bool {
    a.eq_ignore_ascii_case(&b) || GROUPS.iter().any(|group| group.contains(a) && group.contains(b))
}

/// Two characters that are taken for one.
const PAIRS: &[(&str, char)] = &[("rn", 'm'), ("cl", 'd'), ("vv", 'w')];

/// A line with holes.
#[derive(Debug)]
pub(super) struct Shape {
    /// What sort of line it is.
    pub name: &'static str,
    places: Vec<Place>,
    /// Fixed text at its start, by which whole lines are known quickly.
    pub head: String,
    /// How often each folded character occurs in its fixed text.
    bag: [u8; BAG],
    /// Characters of fixed text, blanks left out.
    fixed: u32,
    /// The most that a text may cost.
    pub limit: u32,
}

const BAG: usize = 40;

fn slot(c: char) -> Option<usize> {
    // Characters that look alike fall together, so that the bag of a damaged line stays the same.
    let folded = match c.to_ascii_lowercase() {
        'o' | 'q' | 'd' => '0',
        'l' | 'i' | '|' => '1',
        's' => '5',
        'b' | '3' | '6' => '8',
        'g' => '9',
        'z' => '2',
        ';' | '.' | ',' => ':',
        '-' => '_',
        '(' => '[',
        ')' => ']',
        other => other,
    };
    let at = match folded {
        '0'..='9' => u32::from(folded) - u32::from('0'),
        'a'..='z' => 10 + u32::from(folded) - u32::from('a'),
        ':' => 36,
        '[' | ']' => 37,
        '+' | '/' => 38,
        '=' | '#' => 39,
        _ => return None,
    };
    usize::try_from(at).ok()
}

/// How often each character occurs in `text`, those that look alike counted as one.
pub(super) fn bag(text: &str) -> [u8; BAG] {
    let mut bag = [0u8; BAG];
    for slot in text.chars().filter_map(slot) {
        if let Some(count) = bag.get_mut(slot) {
            *count = count.saturating_add(1);
        }
    }
    bag
}

/// A piece of text as laid over a shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The character that is meant; `None` for one too many.
    pub meant: Option<char>,
    /// As printed; empty for one that is missing.
    pub printed: String,
    /// What it cost.
    pub cost: u32,
    /// Which place of the shape it belongs to.
    pub place: Place,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    cost: u32,
    /// Places of the shape and characters of the text that it goes back.
    back: (u8, u8),
}

const UNREACHED: Step = Step { cost: u32::MAX / 2, back: (0, 0) };

impl Shape {
    /// Reads a shape: `{h16}` sixteen digits that stay as printed (`{h8}`, `{h4}` likewise), `{h}` a number
    /// of any length, `{d}` a decimal one, `{d6}` six digits of one, `{s}` a name, `{b}` blanks, `{*}` anything.
    pub fn new(name: &'static str, pattern: &str) -> Shape {
        let mut places = Vec::new();
        let mut rest = pattern;
        while let Some(c) = rest.chars().next() {
            if c == '{'
                && let Some((hole, tail)) = rest.get(1..).and_then(|inside| inside.split_once('}'))
            {
                let count = |digits: &str| digits.parse::<usize>().unwrap_or(1);
                match hole {
                    "h" => places.push(Place::Hex),
                    "d" => places.push(Place::Decimal),
                    "s" => places.push(Place::Name),
                    "b" => places.push(Place::Blanks),
                    "*" => places.push(Place::Any),
                    _ => match hole.strip_prefix('d') {
                        Some(digits) => places.extend(vec![Place::OneDecimal; count(digits)]),
                        None => places.extend(vec![Place::Digit; count(hole.trim_start_matches('h'))]),
                    },
                }
                rest = tail;
                continue;
            }
            places.push(Place::Is(c));
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        let literal = |place: &Place| match place {
            Place::Is(c) => Some(*c),
            _ => None,
        };
        let head: String = places.iter().map_while(literal).collect();
        let fixed_text: String = places.iter().filter_map(literal).filter(|c| *c != ' ').collect();
        let size = |count: usize| u32::try_from(count).unwrap_or(u32::MAX / 64);
        let fixed = size(fixed_text.chars().count());
        let digits = size(places.iter().filter(|place| **place == Place::Digit).count());
        // A few slips in a short line, and a few more in a long one.
        let limit = 4 + fixed.min(8) / 2 + fixed.saturating_sub(8) / 5 + digits / 5;
        // Where anything may follow, the fixed text must speak for itself.
        let limit = if places.last() == Some(&Place::Any) { limit.min(fixed / 2) } else { limit };
        Shape { name, bag: bag(&fixed_text), places, head, fixed, limit }
    }

    /// Whether so many of the fixed text's characters are in a text with this bag that trying is worth it.
    pub fn may_hold(&self, bag: &[u8; BAG]) -> bool {
        let missing: u32 =
            self.bag.iter().zip(bag).map(|(own, other)| u32::from(own.saturating_sub(*other))).sum();
        missing <= 1 + self.fixed / 6
    }

    /// Whether `text` has exactly this shape.
    pub fn is(&self, text: &str) -> bool {
        text.starts_with(&self.head) && exact(&self.places, text)
    }

    /// Lays `text` over the shape; `None` where that would cost more than `limit`.
    pub fn lay(&self, text: &str, limit: u32) -> Option<(u32, Vec<Piece>)> {
        const LONGEST: usize = 400;
        let chars: Vec<char> = text.chars().take(LONGEST + 1).collect();
        if chars.len() > LONGEST {
            return None;
        }
        let (rows, columns) = (self.places.len() + 1, chars.len() + 1);
        let mut table = vec![UNREACHED; rows * columns];
        if let Some(first) = table.first_mut() {
            *first = Step { cost: 0, back: (0, 0) };
        }
        // The furthest row that something within the limit leads to.
        let mut furthest = 0;
        for row in 0..rows {
            if row > furthest {
                return None;
            }
            for column in 0..columns {
                let Some(own) = table.get(row * columns + column).copied() else { continue };
                if own.cost > limit {
                    continue;
                }
                let mut put = |down: u8, right: u8, cost: u32| {
                    let at = (row + usize::from(down)) * columns + column + usize::from(right);
                    if column + usize::from(right) < columns
                        && let Some(slot) = table.get_mut(at)
                        && own.cost + cost < slot.cost
                    {
                        *slot = Step { cost: own.cost + cost, back: (down, right) };
                        if own.cost + cost <= limit {
                            furthest = furthest.max(row + usize::from(down));
                        }
                    }
                };
                let place = self.places.get(row).copied();
                let c = chars.get(column).copied();
                if let Some(c) = c {
                    // A character too many.
                    put(
                        0,
                        1,
                        match c {
                            ' ' => STRAY_BLANK,
                            '0'..='9' | 'a'..='f' => STRAY_DIGIT,
                            _ => STRAY,
                        },
                    );
                    // One more in a hole that holds many.
                    if let Some(before) = row.checked_sub(1).and_then(|r| self.places.get(r))
                        && before.repeats()
                        && let Some((cost, _)) = before.takes(c)
                    {
                        put(0, 1, cost);
                    }
                }
                let Some(place) = place else { continue };
                put(1, 0, place.missing());
                let Some(c) = c else { continue };
                let next = chars.get(column + 1).copied();
                if let Some((cost, _)) = place.takes(c) {
                    // `%lx` pads nothing: a number of several digits that begins with zero is rather
                    // misread.
                    let prefixed =
                        row.checked_sub(1).and_then(|r| self.places.get(r)) == Some(&Place::Is('x'));
                    let padded = prefixed
                        && place == Place::Hex
                        && c == '0'
                        && next.is_some_and(|n| n.is_ascii_hexdigit());
                    put(1, 1, cost + if padded { ALIKE } else { 0 });
                }
                if let (Place::Is(a), Some(Place::Is(b))) = (place, self.places.get(row + 1).copied()) {
                    if Some(a) == next && b == c && a != b {
                        put(2, 2, SWAPPED);
                    }
                    if PAIRS.iter().any(|(two, one)| *one == c && two.chars().eq([a, b])) {
                        put(2, 1, ALIKE);
                    }
                }
                // The first digit and the character before its number, exchanged.
                if let (Place::Is(a), Some(hole), Some(next)) = (place, self.places.get(row + 1), next)
                    && hole.repeats()
                    && !matches!(hole, Place::Any | Place::Blanks)
                    && a == next
                    && hole.takes(c).is_some_and(|(cost, _)| cost == 0)
                {
                    put(2, 2, SWAPPED);
                }
                // A digit and the character behind its number, exchanged.
                if place.repeats()
                    && let (Some(Place::Is(b)), Some(next)) = (self.places.get(row + 1).copied(), next)
                    && b == c
                    && place.takes(next).is_some_and(|(cost, _)| cost == 0)
                    && place != Place::Any
                {
                    put(2, 2, SWAPPED);
                }
                // The same where the number has begun already.
                if let (Some(before), Some(next)) =
                    (row.checked_sub(1).and_then(|r| self.places.get(r)), next)
                    && before.repeats()
                    && !matches!(before, Place::Any | Place::Blanks)
                    && place == Place::Is(c)
                    && before.takes(next).is_some_and(|(cost, _)| cost == 0)
                {
                    put(1, 2, SWAPPED);
                }
                if let Some((_, one)) = PAIRS.iter().find(|(two, _)| two.chars().eq([c, next.unwrap_or(' ')]))
                    && place != Place::Name
                    && place != Place::Any
                    && place.takes(*one).is_some_and(|(cost, _)| cost == 0)
                {
                    put(1, 2, ALIKE);
                }
            }
        }
        let total = table.last()?.cost;
        if total > limit {
            return None;
        }
        Some((total, self.trace(&table, &chars, columns)?))
    }

    fn trace(&self, table: &[Step], chars: &[char], columns: usize) -> Option<Vec<Piece>> {
        let (mut row, mut column) = (self.places.len(), chars.len());
        let mut pieces = Vec::new();
        while row > 0 || column > 0 {
            let step = table.get(row * columns + column)?;
            let (down, right) = (usize::from(step.back.0), usize::from(step.back.1));
            let (from_row, from_column) = (row.checked_sub(down)?, column.checked_sub(right)?);
            let before = table.get(from_row * columns + from_column)?.cost;
            let cost = step.cost.checked_sub(before)?;
            let printed: String = chars.get(from_column..column)?.iter().collect();
            let first = chars.get(from_column).copied();
            let mut push = |meant: Option<char>, printed: String, place: Place| {
                pieces.push(Piece { meant, printed, cost, place });
            };
            match (down, right) {
                (0, 1) => {
                    let inside = from_row.checked_sub(1).and_then(|r| self.places.get(r)).copied();
                    let taken = inside.filter(|place| place.repeats()).and_then(|place| {
                        let (price, meant) = place.takes(first?)?;
                        (price == cost).then_some((meant, place))
                    });
                    // One digit too many of a number that is kept as it is printed: which, is for others.
                    let beside = [inside, self.places.get(from_row).copied()];
                    let surplus = beside.contains(&Some(Place::Digit))
                        && first.is_some_and(|c| Place::Digit.takes(c).is_some());
                    match taken {
                        Some((meant, place)) => push(meant, printed, place),
                        None if surplus => push(first, printed, Place::Digit),
                        None => push(None, printed, inside.unwrap_or(Place::Any)),
                    }
                }
                (1, 2) if !PAIRS.iter().any(|(two, _)| *two == printed) => {
                    let before = *self.places.get(from_row.checked_sub(1)?)?;
                    push(first, String::new(), *self.places.get(from_row)?);
                    push(Some(*chars.get(from_column + 1)?), printed, before);
                }
                (1, _) => {
                    let place = *self.places.get(from_row)?;
                    let meant = match (place, right) {
                        (Place::Is(c), _) => Some(c),
                        (_, 0) => None,
                        (_, 2) => PAIRS.iter().find(|(two, _)| *two == printed).map(|(_, one)| *one),
                        (_, _) => place.takes(first?).and_then(|(_, meant)| meant),
                    };
                    push(meant, printed, place);
                }
                (2, _) => {
                    // Backwards: the second place first.
                    let (a, b) = (*self.places.get(from_row)?, *self.places.get(from_row + 1)?);
                    let second = match b {
                        Place::Is(c) => c,
                        _ => first?,
                    };
                    let one = match a {
                        Place::Is(c) => c,
                        _ => *chars.get(from_column + 1)?,
                    };
                    push(Some(second), String::new(), b);
                    push(Some(one), printed, a);
                }
                _ => return None,
            }
            (row, column) = (from_row, from_column);
        }
        pieces.reverse();
        Some(pieces)
    }
}

/// Whether `text` fits without any slip. Holes take as much as they can; what follows a hole in the
/// shapes never begins with a character of it, but for names and for anything, which go back.
fn exact(places: &[Place], text: &str) -> bool {
    let (mut places, mut text) = (places, text);
    while let Some((place, rest)) = places.split_first() {
        if *place == Place::Any || *place == Place::Name {
            if rest.is_empty() {
                return *place == Place::Any
                    || text.chars().all(|c| place.takes(c).is_some_and(|t| t.0 == 0));
            }
            // To the last place where the rest fits; shapes have few such holes.
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            let ends = ends.take_while(|at| {
                *place == Place::Any
                    || text
                        .get(..*at)
                        .and_then(|t| t.chars().next_back())
                        .is_none_or(|c| place.takes(c).is_some_and(|taken| taken.0 == 0))
            });
            let Some(Place::Is(next)) = rest.first() else { return false };
            return ends
                .filter(|at| text.get(*at..).is_some_and(|t| t.starts_with(*next)))
                .any(|at| text.get(at..).is_some_and(|t| exact(rest, t)));
        }
        if place.repeats() {
            let end = text.find(|c| place.takes(c).is_none_or(|taken| taken.0 > 0)).unwrap_or(text.len());
            if end == 0 && *place != Place::Blanks {
                return false;
            }
            text = text.get(end..).unwrap_or_default();
        } else {
            let Some(c) = text.chars().next() else { return false };
            if place.takes(c).is_none_or(|taken| taken.0 > 0) {
                return false;
            }
            text = text.get(c.len_utf8()..).unwrap_or_default();
        }
        places = rest;
    }
    text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(shape: &Shape, text: &str) -> Option<String> {
        let (_, pieces) = shape.lay(text, shape.limit)?;
        assert_eq!(pieces.iter().map(|p| p.printed.as_str()).collect::<String>(), text);
        Some(pieces.iter().filter_map(|piece| piece.meant).collect())
    }

    #[test]
    fn rows_of_registers() {
        let shape = Shape::new("row", "x26: {h16} x25: {h16} x24: {h16}");
        let clean = "x26: ffffa051c2a92058 x25: ffff80000859bb50 x24: ffffa051c2a92370";
        assert!(shape.is(clean));
        for damaged in [
            "x2S: ffffa051c2a92058 x25; ffff80000859bb50 x24: ffffa051c2a92370",
            "xZ6:ffffa051c2a92058 x25: ffff8000 0859bb50x24: ffffa051c2a92370",
            "26: ffffa051c2a92058 x25: ffff80000859bb50 x2 4 ffffa051c2a92370",
        ] {
            assert!(!shape.is(damaged));
            assert_eq!(meant(&shape, damaged).as_deref(), Some(clean), "{damaged}");
        }
        assert_eq!(
            meant(&shape, "x26; ffffaO51c2a9058 x25: ffff80000859bb50 x24: ffffa051c2a92370").as_deref(),
            Some("x26: ffffaO51c2a9058 x25: ffff80000859bb50 x24: ffffa051c2a92370"),
            "digits stay as they are printed"
        );
        assert_eq!(meant(&shape, "x23: ffffa051c2a92090 rest of another line"), None);
    }

    #[test]
    fn frames() {
        let shape = Shape::new("frame", "{s}+0x{h}/0x{h} [{s}]");
        assert!(shape.is("driver_start+0x3c/0x7c [driver]"));
        for damaged in [
            "driver_start+Ox3c/0x7c [driver]",
            "driver_start+0x3c/0x7c[driver)",
            "driver_start+x03c/Ox7c (driver]",
            "driver_start+0x3/c0x7c [driver]",
            "driver_start+0x3c/0xx7c [driver]",
        ] {
            assert_eq!(
                meant(&shape, damaged).as_deref(),
                Some("driver_start+0x3c/0x7c [driver]"),
                "{damaged}"
            );
        }
        let plain = Shape::new("frame", "{s}+0x{h}/0x{h}");
        assert_eq!(meant(&plain, "do_dup2+0x96/0xcl0").as_deref(), Some("do_dup2+0x96/0xd0"));
        assert!(!plain.is("do_dup2+0x96/0xd0 [x]") && !plain.is("a b+0x1/0x2"));
    }

    #[test]
    fn sentences() {
        let shape = Shape::new("header", "Unable to handle kernel paging request at virtual address {h16}");
        assert_eq!(
            meant(&shape, "Unab1e to hand1e kerne1 pagingrequest at virtua1 address 000aaabbbbccccdd")
                .as_deref(),
            Some("Unable to handle kernel paging request at virtual address 000aaabbbbccccdd")
        );
        let shape = Shape::new("oops", "Internal error: {*}: {h} [#{d}]{*}");
        assert!(shape.is("Internal error: Oops - BUG: f2000800 [#1] SMP"));
        assert_eq!(
            meant(&shape, "Internal errar: Oops; 96000004 (#1] SMP").as_deref(),
            Some("Internal error: Oops: 96000004 [#1] SMP")
        );
        assert!(shape.may_hold(&bag("lnternal errar: Oops; 96000004 (#1] SMP")));
        assert!(!shape.may_hold(&bag("all is well in the state of denmark")));
    }
}

//! Compares what was understood of a damaged log with what the clean one says.

use super::model::Damaged;
use super::reading::{Mend, Place, Reading, hex};
use std::fmt;

/// What is recovered or lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Pc,
    Address,
    Syndrome,
    Register,
    Frame,
}

impl Field {
    /// All of them.
    pub const ALL: [Field; 5] = [Field::Pc, Field::Address, Field::Syndrome, Field::Register, Field::Frame];
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Pc => "pc: symbol, offset, size",
            Field::Address => "fault address",
            Field::Syndrome => "syndrome",
            Field::Register => "registers",
            Field::Frame => "call trace: frames",
        })
    }
}

/// Values of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many the clean log has.
    pub all: usize,
    /// How many the record of the damaged one has right.
    pub read: usize,
    /// How many it has right, or offers the right better value for.
    pub recovered: usize,
}

/// What came of one or more damaged logs.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// By field, in the order of [`Field::ALL`].
    pub counts: [Count; Field::ALL.len()],
    /// Better values that are right.
    pub right: usize,
    /// Better values that are not.
    pub wrong: usize,
    /// Of those, how many are graded "proved".
    pub proved_wrong: usize,
    /// Logs whose crash was not found at all.
    pub unseen: usize,
    /// A line for each value that is lost and each mend that is wrong.
    pub details: Vec<String>,
}

impl Score {
    /// Adds another's numbers.
    pub fn add(&mut self, other: Score) {
        for (own, new) in self.counts.iter_mut().zip(other.counts) {
            own.all += new.all;
            own.read += new.read;
            own.recovered += new.recovered;
        }
        self.right += other.right;
        self.wrong += other.wrong;
        self.proved_wrong += other.proved_wrong;
        self.unseen += other.unseen;
        self.details.extend(other.details);
    }

    /// The numbers of a field.
    pub fn of(&self, field: Field) -> Count {
        let at = Field::ALL.iter().position(|other| *other == field);
        at.and_then(|at| self.counts.get(at)).copied().unwrap_or_default()
    }

    fn count(&mut self, field: Field, read: bool, mended: bool, lost: impl FnOnce() -> String) {
        let at = Field::ALL.iter().position(|other| *other == field);
        if let Some(count) = at.and_then(|at| self.counts.get_mut(at)) {
            count.all += 1;
            count.read += usize::from(read);
            count.recovered += usize::from(read || mended);
        }
        if !read && !mended {
            self.details.push(format!("lost {field}: {}", lost()));
        }
    }
}

/// Judges the reading of `damaged`, given as all its crashes, by the first crash of the clean log.
pub fn judge(clean: &Reading, text: &str, got: &[Reading], damaged: &Damaged) -> Score {
    let mut score = Score::default();
    let empty = Reading::default();
    let overlap = |reading: &Reading| {
        let (first, last) = (damaged.source(reading.lines.0).0, damaged.source(reading.lines.1).1);
        (last.min(clean.lines.1) + 1).saturating_sub(first.max(clean.lines.0))
    };
    // Of equals the first.
    let best = got.iter().rev().max_by_key(|reading| overlap(reading)).filter(|best| overlap(best) > 0);
    score.unseen = usize::from(best.is_none());
    let best = best.unwrap_or(&empty);
    let of = |names: &'static [&'static str]| {
        best.mends.iter().filter(move |mend| names.contains(&mend.field.as_str()))
    };
    let at = |line: u32| -> Vec<String> {
        // What became of the clean log's line.
        let lines = damaged.text.lines().zip(1u32..);
        let here = lines.filter(|(_, number)| {
            let (first, last) = damaged.source(*number);
            (first..=last).contains(&line)
        });
        here.map(|(line, _)| line.to_owned()).collect()
    };
    if let Some(pc) = clean.pc.as_ref().filter(|pc| pc.symbol.is_some()) {
        let read = best.pc.as_ref().is_some_and(|got| got.same(pc));
        let mended = of(&["pc", "rip"]).any(|mend| mend.place().is_some_and(|place| place.same(pc)));
        score.count(Field::Pc, read, mended, || {
            format!("{} got {:?} in {:?}", pc.show(), best.pc.as_ref().map(Place::show), at(pc.line))
        });
    }
    for (field, want, got, names) in [
        (Field::Address, clean.address, best.address, &["fault address"] as &'static [&'static str]),
        (Field::Syndrome, clean.syndrome, best.syndrome, &["ESR", "error code"]),
    ] {
        let Some(want) = want else { continue };
        let mended = of(names).any(|mend| mend.number() == Some(want));
        score.count(field, got == Some(want), mended, || format!("{want:x} got {got:x?}"));
    }
    for (name, want) in &clean.registers {
        let got = best.registers.get(name);
        let mended = best.mends.iter().any(|mend| mend.field == *name && mend.number() == Some(*want));
        score
            .count(Field::Register, got == Some(want), mended, || format!("{name} {want:016x} got {got:x?}"));
    }
    frames(clean, best, damaged, &mut score, &at);
    let lines: Vec<&str> = text.lines().collect();
    for mend in got.iter().flat_map(|reading| &reading.mends) {
        if is_right(mend, clean, std::ptr::eq(best, &empty), &lines, damaged) {
            score.right += 1;
            continue;
        }
        score.wrong += 1;
        score.proved_wrong += usize::from(mend.proved);
        let grade = if mend.proved { " AND PROVED" } else { "" };
        let (line, field, printed, likely) = (mend.line, &mend.field, &mend.printed, &mend.likely);
        score.details.push(format!("wrong mend{grade}: line {line}, {field}: {printed} -> {likely}"));
    }
    score
}

/// Counts the frames that are there in the clean trace's order.
fn frames(
    clean: &Reading,
    best: &Reading,
    damaged: &Damaged,
    score: &mut Score,
    at: &dyn Fn(u32) -> Vec<String>,
) {
    let read: Vec<Vec<Place>> = best.frames.iter().map(|frame| vec![frame.clone()]).collect();
    let mended: Vec<Vec<Place>> = best
        .frames
        .iter()
        .map(|frame| {
            let mends = best.mends.iter().filter(|mend| frame.line > 0 && mend.line == frame.line);
            std::iter::once(frame.clone()).chain(mends.filter_map(Mend::place)).collect()
        })
        .collect();
    let (plain, better) = (in_order(&clean.frames, &read), in_order(&clean.frames, &mended));
    for ((frame, read), mended) in clean.frames.iter().zip(plain).zip(better) {
        score.count(Field::Frame, read, mended, || {
            let near = best.frames.iter().filter(|got| {
                let (first, last) = damaged.source(got.line);
                (first..=last).contains(&frame.line)
            });
            let near: Vec<String> = near.map(Place::show).collect();
            format!("{} got {near:?} in {:?}", frame.show(), at(frame.line))
        });
    }
}

/// Which of `want` a longest common subsequence finds in `got`, where each place has several readings.
fn in_order(want: &[Place], got: &[Vec<Place>]) -> Vec<bool> {
    let fits = |w: usize, g: usize| -> bool {
        let (Some(want), Some(readings)) = (want.get(w), got.get(g)) else { return false };
        readings.iter().any(|reading| reading.same(want))
    };
    let width = got.len() + 1;
    let mut best = vec![0usize; (want.len() + 1) * width];
    let value = |best: &[usize], w: usize, g: usize| best.get(w * width + g).copied().unwrap_or(0);
    for w in (0..want.len()).rev() {
        for g in (0..got.len()).rev() {
            let both = if fits(w, g) { value(&best, w + 1, g + 1) + 1 } else { 0 };
            let longest = both.max(value(&best, w + 1, g)).max(value(&best, w, g + 1));
            if let Some(slot) = best.get_mut(w * width + g) {
                *slot = longest;
            }
        }
    }
    let mut found = vec![false; want.len()];
    let (mut w, mut g) = (0, 0);
    while w < want.len() && g < got.len() {
        if fits(w, g) && value(&best, w, g) == value(&best, w + 1, g + 1) + 1 {
            if let Some(slot) = found.get_mut(w) {
                *slot = true;
            }
            (w, g) = (w + 1, g + 1);
        } else if value(&best, w + 1, g) >= value(&best, w, g + 1) {
            w += 1;
        } else {
            g += 1;
        }
    }
    found
}

/// Whether the better value is what the clean log prints there.
fn is_right(mend: &Mend, clean: &Reading, unseen: bool, lines: &[&str], damaged: &Damaged) -> bool {
    if let (Some(value), false) = (clean.registers.get(&mend.field), unseen)
        && mend.number() == Some(*value)
    {
        return true;
    }
    let (first, last) = damaged.source(mend.line);
    let index = |line: u32| usize::try_from(line).unwrap_or(usize::MAX);
    let here = lines.get(index(first).saturating_sub(1)..index(last).min(lines.len())).unwrap_or_default();
    let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    if solid(&here.concat()).contains(&solid(&mend.likely)) {
        // A number must be a whole number there.
        return hex(&mend.likely).is_none()
            || mend.likely.len() < 8
            || numbers(here).any(|n| Some(n) == hex(&mend.likely))
            || mend.likely.contains('.');
    }
    hex(&mend.likely).is_some_and(|value| numbers(here).any(|number| number == value))
}

fn numbers<'a>(lines: &'a [&'a str]) -> impl Iterator<Item = u64> + 'a {
    lines.iter().flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric())).filter_map(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(symbol: &str, offset: u64) -> Place {
        Place { symbol: Some(symbol.to_owned()), offset: Some(offset), size: Some(0x80), line: 1 }
    }

    #[test]
    fn frames_count_in_order_only() {
        let want = [place("a", 1), place("b", 2), place("c", 3)];
        let got = |places: &[Place]| places.iter().map(|p| vec![p.clone()]).collect::<Vec<_>>();
        assert_eq!(in_order(&want, &got(&want)), [true; 3]);
        assert_eq!(in_order(&want, &got(&[place("a", 1), place("c", 3)])), [true, false, true]);
        assert_eq!(
            in_order(&want, &got(&[place("c", 3), place("b", 2), place("a", 1)]))
                .iter()
                .filter(|x| **x)
                .count(),
            1
        );
        assert_eq!(in_order(&want, &[vec![place("x", 1), place("a", 1)]]), [true, false, false]);
    }
}

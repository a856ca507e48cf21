//! Registers described as tables of fields, and the one function that takes a value apart by
//! such a table. Whatever bit no field covers is reported as reserved when it is set, so that
//! no set bit of the input goes unmentioned and no value is refused.

use crate::decoded::{Field, bits};
use kwhy_base::Prose;
use kwhy_base::prose::{Message, filled};

/// How a field's value turns into words.
pub(crate) enum Meaning {
    /// One message for 0, another for anything else.
    Flag(&'static Message, &'static Message),
    /// Reported only when not 0.
    IfSet(&'static Message),
    /// One message whatever the value.
    Always(&'static Message),
    /// A message for each value; the last one for all others.
    Values(&'static [&'static Message], &'static Message),
    /// Whatever this makes of the field's value.
    Says(fn(u64) -> Prose),
}

/// One field of a layout.
pub(crate) struct Spec {
    /// Its name in the manual.
    pub name: &'static str,
    /// Its highest bit.
    pub hi: u8,
    /// Its lowest bit.
    pub lo: u8,
    /// Its meaning.
    pub meaning: Meaning,
}

/// A field of several bits.
pub(crate) const fn field(name: &'static str, hi: u8, lo: u8, meaning: Meaning) -> Spec {
    Spec { name, hi, lo, meaning }
}

/// A field of one bit, with a message for 0 and one for 1.
pub(crate) const fn flag(name: &'static str, at: u8, zero: &'static Message, one: &'static Message) -> Spec {
    Spec { name, hi: at, lo: at, meaning: Meaning::Flag(zero, one) }
}

/// A field of one bit that is worth mentioning only when set.
pub(crate) const fn if_set(name: &'static str, at: u8, one: &'static Message) -> Spec {
    Spec { name, hi: at, lo: at, meaning: Meaning::IfSet(one) }
}

/// A message without arguments.
pub(crate) fn says(message: &'static Message) -> Prose {
    filled(message, Vec::new())
}

/// Takes bits `hi..=lo` of `value` apart. `specs` are in descending order of bits and do not
/// overlap; set bits between them become fields called `RES0` with the meaning `reserved`.
pub(crate) fn take_apart(
    value: u64,
    hi: u8,
    lo: u8,
    specs: &[Spec],
    reserved: &'static Message,
    out: &mut Vec<Field>,
) {
    // `next` is one above the highest bit not yet accounted for.
    let mut next = hi.saturating_add(1);
    for spec in specs {
        gap(value, next, spec.hi.saturating_add(1), reserved, out);
        next = spec.lo;
        let n = bits(value, spec.hi, spec.lo);
        let meaning = match &spec.meaning {
            Meaning::Flag(zero, one) => says(if n == 0 { zero } else { one }),
            Meaning::IfSet(_) if n == 0 => continue,
            Meaning::IfSet(one) | Meaning::Always(one) => says(one),
            Meaning::Values(table, other) => {
                says(usize::try_from(n).ok().and_then(|n| table.get(n)).copied().unwrap_or(other))
            }
            Meaning::Says(f) => f(n),
        };
        out.push(Field::new(spec.name, spec.hi, spec.lo, value, meaning));
    }
    gap(value, next, lo, reserved, out);
}

/// Reports the set bits of `lo..above`, if any, as reserved.
fn gap(value: u64, above: u8, lo: u8, reserved: &'static Message, out: &mut Vec<Field>) {
    if above > lo && bits(value, above - 1, lo) != 0 {
        out.push(Field::new("RES0", above - 1, lo, value, says(reserved)));
    }
}

/// Whether the fields cover every set bit of `value` exactly once; what every decoder promises.
#[cfg(test)]
pub(crate) fn covers(decoded: &crate::Decoded) -> bool {
    let mut seen = 0u64;
    for f in &decoded.fields {
        for n in f.lo..=f.hi {
            if seen & (1 << n) != 0 {
                return false;
            }
            seen |= 1 << n;
        }
        assert_eq!(f.value, bits(decoded.value, f.hi, f.lo), "{}", f.name);
    }
    decoded.value & !seen == 0
}

/// A fixed sequence of awkward values for tests that must hold for any input: xorshift64, no state.
#[cfg(test)]
pub(crate) fn awkward_values() -> impl Iterator<Item = u64> {
    let mut x = 0x9e37_79b9_7f4a_7c15u64;
    let random = std::iter::repeat_with(move || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    })
    .take(20_000);
    let edges = (0..64).flat_map(|n| [1u64 << n, (1u64 << n).wrapping_sub(1), !(1u64 << n), u64::MAX << n]);
    edges.chain(random)
}

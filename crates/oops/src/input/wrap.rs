//! Lines that a terminal or a mail client broke at its width. Only redundancy can tell: many
//! lines end at the very same column, and what follows them begins nothing.
//!
//! Two sorts: *hard*, at exactly the width, in the middle of a word (terminals, serial captures);
//! and *soft*, at the last blank before it (mail clients, editors).

use std::collections::BTreeMap;

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;

use super::lines::{Rows, numbered};
use super::{Budget, Layer, sample};

/// Widths that anything wraps at.
const NARROWEST: usize = 36;
const WIDEST: usize = 255;
/// A soft wrap is for people to read; nobody sets it wider.
const WIDEST_SOFT: usize = 132;
/// So many breaks make a habit.
const FEWEST: usize = 3;

/// How the lines were broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrap {
    /// At exactly this many characters.
    Hard(usize),
    /// At a blank, so that no line is longer than this.
    Soft(usize),
}

/// A line's length in characters, as a terminal counts them.
fn width(line: &[u8]) -> usize {
    if line.is_ascii() { line.len() } else { String::from_utf8_lossy(line).chars().count() }
}

/// Whether a line begins something: it has a time of its own, or the shape of a line that the
/// kernel prints. What goes on from the line before it does not.
fn begins(line: &[u8], stamped: bool) -> bool {
    let parsed = crate::text::split(line.get(..160).unwrap_or(line));
    let Some(first) = parsed.first() else { return true };
    // Also in the middle: two writers tore such lines, no width did.
    if parsed.iter().any(|line| line.time.is_some()) {
        return true;
    }
    if first.text.is_empty() {
        return true;
    }
    // In a log with times, only a known prefix begins a line without one.
    if stamped {
        return first.text.len() < String::from_utf8_lossy(line).trim_end().len();
    }
    opens(&first.text)
}

/// Shapes of the beginnings of kernel lines.
fn opens(text: &str) -> bool {
    let blank = text.len() - text.trim_start().len();
    let body = text.trim_start();
    let word = body.split([' ', '\t']).next().unwrap_or_default();
    const OPENERS: &[&str] = &[
        "---",
        "===",
        "Call ",
        "Code:",
        "Modules linked",
        "CPU:",
        "CPU ",
        "Hardware name",
        "RIP",
        "RSP",
        "EIP",
        "PC is",
        "LR is",
        "pc :",
        "lr :",
        "sp :",
        "pstate",
        "Oops",
        "Internal error",
        "Kernel panic",
        "Unable to handle",
        "Mem abort",
        "Data abort",
        "BUG",
        "WARNING",
        "INFO:",
        "Tainted",
        "Workqueue",
        "Process ",
        "Stack:",
        "Backtrace",
        "Comm:",
        "Read of",
        "Write of",
        "Allocated by",
        "Freed by",
        "The buggy",
        "Memory state",
        "Sending NMI",
        "#PF",
        "PGD",
        "SMP",
        "Trace;",
        "Registers",
        "NMI backtrace",
        "PKRU",
        "note:",
        "Kernel Offset",
        "user pgtable",
        "swapper pgtable",
        "[<",
        "<T",
        "</",
        "<I",
    ];
    if OPENERS.iter().any(|open| body.starts_with(open)) {
        return true;
    }
    // A frame: `symbol+0x`, indented; a register with its value; a heading.
    let frame = blank > 0 && (word.contains("+0x") || body.starts_with("? "));
    let register = word.strip_suffix(':').is_some_and(|name| {
        (2..=8).contains(&name.len()) && name.starts_with(|c: char| c.is_ascii_alphabetic())
    }) || (word.len() <= 3
        && body.get(word.len()..).is_some_and(|rest| rest.trim_start().starts_with(": ")));
    // `7f60: 00000005 ab48c000`: a dump of memory, every line as long as the other.
    let dump =
        word.strip_suffix(':').is_some_and(|at| at.len() >= 2 && at.bytes().all(|b| b.is_ascii_hexdigit()));
    frame || register || dump
}

/// What the sample says.
fn find(head: &[u8]) -> Option<Wrap> {
    let lines: Vec<&[u8]> = numbered(head).map(|(_, line)| line).collect();
    // The sample may end in the middle of a line.
    let lines =
        if head.len() >= super::SAMPLE { lines.get(..lines.len().saturating_sub(1))? } else { &lines };
    let widths: Vec<usize> = lines.iter().map(|line| width(line)).collect();
    let most = widths.iter().copied().max()?;
    let times = lines.iter().filter(|line| has_time(line)).count();
    let filled = lines.iter().filter(|line| !line.trim_ascii().is_empty()).count();
    let stamped = times >= FEWEST && times * 3 >= filled;
    let hard = hard(lines, &widths, most, stamped);
    hard.or_else(|| {
        // A single word that is longer than the width stays whole.
        let several = lines.iter().zip(&widths).filter(|(line, _)| line.trim_ascii().contains(&b' '));
        soft(lines, &widths, several.map(|(_, width)| *width).max()?, stamped)
    })
}

fn has_time(line: &[u8]) -> bool {
    let text = crate::text::split(line.get(..160).unwrap_or(line));
    text.first().is_some_and(|first| first.time.is_some())
}

/// Lines of exactly `most` characters, more of them than of any width near it, and what follows
/// them begins nothing.
fn hard(lines: &[&[u8]], widths: &[usize], most: usize, stamped: bool) -> Option<Wrap> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for width in widths {
        *counts.entry(*width).or_default() += 1;
    }
    if !(NARROWEST..=WIDEST).contains(&most) {
        return None;
    }
    let at = counts.get(&most).copied().unwrap_or_default();
    let near: usize =
        counts.range(most.saturating_sub(2)..most).map(|(_, n)| n).max().copied().unwrap_or_default();
    if at < FEWEST || at < 2 * near {
        return None;
    }
    // A terminal breaks nowhere else: one sure break before that column, and a person did it.
    let mut pairs = widths.iter().zip(lines).zip(lines.iter().skip(1));
    if pairs
        .any(|((width, line), next)| *width < most && surely(line, next) && goes_on_soft(line, next, stamped))
    {
        return None;
    }
    let followers = || {
        let pairs = widths.iter().zip(lines.iter().skip(1));
        pairs.filter(|(width, _)| **width == most).map(|(_, next)| *next)
    };
    let all = followers().count();
    let going_on = followers().filter(|next| !begins(next, stamped)).count();
    // Whole lines of that very length are no rarity: arm64's lines of three registers have 80. And
    // without times a break may by chance stand where a word of the kernel's begins.
    let enough = going_on * 10 >= all * 6;
    (going_on >= FEWEST && enough).then_some(Wrap::Hard(most))
}

/// No line is longer than `most`, and wherever a line goes on, its first word would not have fitted
/// before the break.
fn soft(lines: &[&[u8]], widths: &[usize], most: usize, stamped: bool) -> Option<Wrap> {
    if !(NARROWEST..=WIDEST_SOFT).contains(&most) {
        return None;
    }
    let (mut fits, mut all, mut certain) = (0usize, 0usize, 0usize);
    for ((width, line), next) in widths.iter().zip(lines).zip(lines.iter().skip(1)) {
        if !goes_on_soft(line, next, stamped) || line.trim_ascii().is_empty() || !(stamped || long(line)) {
            continue;
        }
        all += 1;
        // Blanks at the break are gone, so that what is sure need not fit.
        let sure = surely(line, next);
        certain += usize::from(sure);
        fits += usize::from(sure || *width + 1 + first_word(next) > most);
    }
    // With times every line that goes on must fit; without, a long line may as well have ended, and
    // only what can be nothing else is proof.
    let enough = if stamped { fits >= FEWEST && fits * 10 >= all * 8 } else { fits >= 2 && certain >= 1 };
    enough.then_some(Wrap::Soft(most))
}

/// Whether `next` goes on from the line before it. Whoever wraps at a blank leaves none in front,
/// unless there were two.
fn goes_on_soft(line: &[u8], next: &[u8], stamped: bool) -> bool {
    // `knlGS` stands behind `FS` and `GS`, never by itself.
    if next.starts_with(b"knlGS:") && line.starts_with(b"FS:") {
        return true;
    }
    !begins(next, stamped) && (stamped || !next.starts_with(b" ") || surely(line, next))
}

/// Whether `next` can be nothing but the rest of `line`: bytes of code, the list of modules, the
/// kernel's version behind the process.
fn surely(line: &[u8], next: &[u8]) -> bool {
    let has = |text: &[u8], needle: &[u8]| memchr::memmem::find(text, needle).is_some();
    let digits = |word: &[u8]| {
        let word = word.strip_prefix(b"<").or(word.strip_prefix(b"(")).unwrap_or(word);
        let word = word.strip_suffix(b">").or(word.strip_suffix(b")")).unwrap_or(word);
        matches!(word.len(), 2 | 4 | 8) && word.iter().all(u8::is_ascii_hexdigit)
    };
    let code = || has(line, b"Code: ") && next.split(|b| *b == b' ').all(digits);
    let process = || has(line, b"CPU: ") && has(line, b"Comm: ") && has(next, b"#") && !has(line, b"#");
    let address = || {
        line.ends_with(b" address") && matches!(next.len(), 8 | 16) && next.iter().all(u8::is_ascii_hexdigit)
    };
    let segments = || line.starts_with(b"FS:") && next.starts_with(b"knlGS:");
    // The list of modules may end anywhere; at its end the kernel's own next line begins something.
    code() || process() || address() || segments() || has(line, b"Modules linked in:")
}

/// Lines that the kernel prints longer than a screen is wide.
fn long(line: &[u8]) -> bool {
    const LONG: &[&str] = &[
        "Code:",
        "Modules linked in:",
        "CPU:",
        "Hardware name:",
        "WARNING:",
        "BUG:",
        "Unable to handle",
        "Internal error",
        "Workqueue:",
        "watchdog:",
        "general protection",
        "Oops:",
        "list_add",
        "list_del",
        "refcount_t",
        "rcu:",
        "INFO:",
        "Kernel panic",
        "kobject",
        "FS: ",
        "ainted",
        "pgd=",
        "task:",
    ];
    let text = crate::text::split(line.get(..160).unwrap_or(line));
    text.first().is_some_and(|first| LONG.iter().any(|word| first.text.contains(word)))
}

fn first_word(line: &[u8]) -> usize {
    line.trim_ascii_start().iter().take_while(|b| **b != b' ').count()
}

pub(super) fn sniff(head: &[u8]) -> bool {
    // What is wrapped holds long lines of several words nowhere, and any other log does: this is
    // all that most logs cost.
    let long =
        |line: &[u8]| line.len() > WIDEST * 4 || line.len() > WIDEST && line.trim_ascii().contains(&b' ');
    !numbered(head).any(|(_, line)| long(line)) && find(head).is_some()
}

pub(super) fn read(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    let wrap = find(sample(bytes))?;
    let lines: Vec<(u32, &[u8])> = numbered(bytes).collect();
    let times = lines.iter().filter(|(_, line)| has_time(line)).count();
    let stamped = times >= FEWEST && times * 3 >= lines.len();
    let mut rows = Rows::default();
    let mut joined = 0usize;
    let mut before: Option<(usize, bool)> = None;
    let mut last: &[u8] = &[];
    for (number, line) in &lines {
        let own = width(line);
        let goes_on = match wrap {
            Wrap::Hard(_) => !begins(line, stamped),
            Wrap::Soft(_) => goes_on_soft(last, line, stamped),
        };
        let previous = std::mem::replace(&mut last, line);
        match (wrap, before) {
            (Wrap::Hard(most), Some((width, _))) if width == most && goes_on => {
                rows.extend(line, *number);
                joined += 1;
            }
            (Wrap::Soft(most), Some((width, is_long)))
                if goes_on
                    && (stamped || is_long)
                    && width > 0
                    && (surely(previous, line) || width + 1 + first_word(line) > most) =>
            {
                let word = [b" ", line.trim_ascii_start()].concat();
                rows.extend(&word, *number);
                joined += 1;
                before = Some((own, is_long));
                continue;
            }
            _ => rows.push(line, *number),
        }
        before = Some((own, long(line)));
    }
    if joined == 0 {
        return None;
    }
    let (Wrap::Hard(width) | Wrap::Soft(width)) = wrap;
    let (text, numbers) = rows.done();
    let remarks = vec![prose!(say::WRAPPED, width = width, count = joined)];
    Some(vec![Layer { text, numbers, remarks, part: String::new() }])
}

//! Reads logs that were photographed, recognised or retyped: lines of a report that a slip of the
//! pen has made unreadable are brought back into their shape, and every such mend is told.
//!
//! A log is read as it is first. Only where that leaves something that looks like a damaged line (in
//! a report, or lines of a report outside of any) are all of its lines laid over the shapes that
//! reports consist of, and the text so mended is read again. What a log says that the kernel printed
//! never comes this far.

mod diff;
mod fit;
mod joins;
mod places;
mod shape;
mod shapes;
mod stamps;
mod words;

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use kwhy_base::{Arch, Prose};

use crate::input::LineMap;
use crate::record::{Damage, Grade};
use crate::text::{self, Line};
use crate::{Log, scan};
use fit::{Fitter, is_plain};
pub(crate) use shape::mended_digit;
use shapes::{PLAIN, SHAPES, WORDS};

/// Nobody photographs or types more than this, in bytes; larger logs are read as they are.
const LARGEST: usize = 4 << 20;

/// A piece of text that was brought back into its shape.
#[derive(Clone, Debug)]
pub(crate) struct Repair {
    /// 1-based line of the log.
    line: u32,
    field: String,
    printed: String,
    likely: String,
    reason: Prose,
}

/// A line of the log while it is mended.
#[derive(Clone, Debug)]
struct Row {
    /// 1-based.
    number: u32,
    /// The text without its prefix, as printed.
    before: String,
    /// The same as mended so far.
    text: String,
    /// The line as it stands in the log; `None` where it is more or less than one.
    raw: Option<Vec<u8>>,
    /// What stands before the text where it was changed.
    stamp: String,
    /// Whether it has a timestamp of its own.
    timed: bool,
    /// The sort of line it was brought into the shape of.
    kind: &'static str,
    /// Whether a name in it was mended by what other lines say.
    named: bool,
}

/// Whether a log is small enough for that.
pub(crate) fn may_read_again(text: &[u8]) -> bool {
    text.len() <= LARGEST
}

/// Reads `text` again where it looks damaged; `None` where it does not, or nothing came of it.
pub(crate) fn read_again(text: &[u8], numbers: &LineMap, log: &Log, suspect: bool) -> Option<Log> {
    if !may_read_again(text) || !(suspect || has_orphans(text, numbers, log)) {
        return None;
    }
    // The shapes are those of x86-64 and ARM64; whole lines of other CPUs look like torn ones of theirs.
    if log.crashes.iter().any(|crash| !matches!(crash.arch, None | Some(Arch::X86_64 | Arch::Arm64))) {
        return None;
    }
    let (mended, own, repairs) = mend(text)?;
    let repairs: Vec<Repair> =
        repairs.into_iter().map(|repair| Repair { line: numbers.line(repair.line), ..repair }).collect();
    let (mut better, _) = scan::whole(&mended, own.of(numbers));
    // A report that was there before stays, whatever else was found.
    if better.crashes.len() < log.crashes.len() {
        return None;
    }
    for record in &mut better.crashes {
        let range = record.first_line..=record.last_line;
        record
            .damage
            .extend(repairs.iter().filter(|repair| range.contains(&repair.line)).map(Repair::damage));
        record.damage.sort_by(|a, b| (a.line, &a.field).cmp(&(b.line, &b.field)));
        record.damage.truncate(crate::damage::MOST);
    }
    Some(better)
}

impl Repair {
    fn damage(&self) -> Damage {
        Damage {
            line: self.line,
            field: self.field.clone(),
            printed: self.printed.clone(),
            likely: Some(self.likely.clone()),
            grade: Grade::Likely,
            reason: self.reason.clone(),
        }
    }
}

/// Words of reports that do not open one.
const BODY: &[&str] = &[
    "Call trace:",
    "Call Trace:",
    "Modules linked in:",
    "Mem abort info:",
    "Data abort info:",
    "RIP: 0010:",
    "#PF: ",
    "---[ end trace ",
    "Hardware name: ",
    "pstate: ",
    "EFLAGS: ",
    "Code: ",
    "x29: ",
    "x26: ",
];

static BODY_FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(BODY).ok());

/// Whether lines of a report stand outside of any.
fn has_orphans(text: &[u8], numbers: &LineMap, log: &Log) -> bool {
    let Some(finder) = BODY_FINDER.as_ref() else { return false };
    let (mut line, mut counted) = (1u32, 0usize);
    // Registers are printed again after a report's end.
    const BEYOND: u32 = 40;
    finder.find_iter(text).any(|found| {
        let new = text.get(counted..found.start()).unwrap_or_default();
        let breaks = u32::try_from(memchr::memchr_iter(b'\n', new).count()).unwrap_or(u32::MAX);
        line = line.saturating_add(breaks);
        counted = found.start();
        let own = numbers.line(line);
        !log.crashes
            .iter()
            .any(|crash| (crash.first_line..=crash.last_line.saturating_add(BEYOND)).contains(&own))
    })
}

/// Whether a line of a report looks damaged. This is asked of every line of every report, and is
/// answered quickly for those that are as the kernel prints them.
pub(crate) fn suspicious(lines: &[&Line<'_>]) -> bool {
    lines.iter().any(|line| {
        let text = line.text.trim();
        !text.is_empty() && !is_plain(text) && {
            !text.is_ascii() || {
                let bag = shape::bag(text);
                SHAPES.iter().any(|shape| shape.name != PLAIN && shape.may_hold(&bag))
            }
        }
    })
}

/// The log with its lines brought back into shape; `None` where there was nothing to do.
fn mend(text: &[u8]) -> Option<(Vec<u8>, LineMap, Vec<Repair>)> {
    let mut repairs = Vec::new();
    let mut rows = rows(text);
    let stamped = rows.iter().filter(|row| row.timed).count() * 2 > rows.len();
    for row in rows.iter_mut().filter(|row| !row.text.is_ascii()) {
        row.text = narrowed(&row.text);
    }
    if stamped {
        stamps::mend(&mut rows, &mut repairs);
    }
    let near = near_reports(&rows);
    let mut fitter = Fitter::default();
    joins::mend(&mut rows, stamped, &near, &mut fitter);
    let near = near_reports(&rows);
    for (row, near) in rows.iter_mut().zip(&near) {
        let body = row.text.trim();
        if !near || body.is_empty() || is_plain(body) {
            continue;
        }
        if let Some(fit) = fitter.fit(body) {
            row.kind = fit.kind;
            let indent = row.text.len() - row.text.trim_start().len();
            row.text = format!("{}{}", " ".repeat(indent), fit.text);
        }
    }
    places::mend(&mut rows, &near, &mut repairs);
    repairs.extend(rows.iter().filter(|row| row.before != row.text).flat_map(diff::repairs));
    if repairs.is_empty() {
        return None;
    }
    let (mut out, mut numbers) = (Vec::with_capacity(text.len()), Vec::with_capacity(rows.len()));
    for row in &rows {
        match &row.raw {
            Some(raw) if row.before == row.text => out.extend_from_slice(raw),
            _ => out.extend(row.stamp.bytes().chain(row.text.bytes())),
        }
        out.push(b'\n');
        numbers.push(row.number);
    }
    Some((out, LineMap::Each(numbers), repairs))
}

/// Which rows stand near a line that only reports have.
fn near_reports(rows: &[Row]) -> Vec<bool> {
    /// The longest stretch without an undamaged line of that sort: a module list, a long trace.
    const REACH: usize = 60;
    let mut near = vec![false; rows.len()];
    let Some(finder) = BODY_FINDER.as_ref() else { return near };
    let mut marked = 0;
    for (at, row) in rows.iter().enumerate() {
        if row.text.contains("+0x") || finder.is_match(&row.text) {
            let from = at.saturating_sub(REACH).max(marked);
            let to = (at + REACH + 1).min(rows.len());
            near.get_mut(from..to).into_iter().flatten().for_each(|near| *near = true);
            marked = to.max(marked);
        }
    }
    near
}

/// The log's lines. A line that two writers tore comes in its parts.
fn rows(text: &[u8]) -> Vec<Row> {
    let mut rows = Vec::new();
    let lines = text.strip_suffix(b"\n").unwrap_or(text).split(|b| *b == b'\n');
    for (raw, number) in lines.zip(1u32..) {
        let mut parts = Vec::new();
        text::push(raw, number, &mut parts);
        let whole = parts.len() == 1;
        for part in parts {
            let caller = match part.caller {
                text::Caller::Task(id) => format!("[ T{id}]"),
                text::Caller::Cpu(id) => format!("[ C{id}]"),
                text::Caller::Unknown => String::new(),
            };
            let stamp = part.time.map(|time| format!("[{time:12.6}]{caller} ")).unwrap_or_default();
            rows.push(Row {
                number,
                before: part.text.to_string(),
                text: part.text.into_owned(),
                raw: whole.then(|| raw.to_vec()),
                stamp,
                timed: part.time.is_some(),
                kind: WORDS,
                named: false,
            });
        }
    }
    rows
}

/// Characters of input methods and word processors, for what the kernel prints: full-width forms,
/// curly quotes, long dashes.
fn narrow(c: char) -> Option<&'static str> {
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' => "'",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2033}' => "\"",
        '\u{2013}' => "-",
        '\u{2014}' | '\u{2015}' => "--",
        '\u{2212}' | '\u{2010}' | '\u{2011}' => "-",
        '\u{d7}' => "x",
        '\u{2026}' => "...",
        '\u{3010}' => "[",
        '\u{3011}' => "]",
        '\u{3002}' => ".",
        '\u{2002}'..='\u{200a}' => " ",
        _ => return None,
    })
}

fn narrowed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match narrow(c) {
            Some(plain) => out.push_str(plain),
            None => match u32::from(c) {
                wide @ 0xff01..=0xff5e => out.extend(char::from_u32(wide - 0xfee0)),
                _ => out.push(c),
            },
        }
    }
    out
}

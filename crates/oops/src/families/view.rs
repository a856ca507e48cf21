//! The lines of a report that its name is taken from.

use crate::text::{Caller, Line};
use crate::trigger::{self, Hit};
use crate::words::AnyOf;

/// What the families look at.
pub(super) struct View<'a> {
    /// The header from the trigger on.
    pub header: String,
    /// The whole header line.
    pub whole: String,
    /// The lines of the report that count for its title, header first.
    pub lines: Vec<&'a str>,
    /// The trigger's word.
    needle: &'static str,
    /// How many lines of `wide` are `lines`; `wide` is empty where both are the same.
    wide: Vec<&'a str>,
    /// Whether printk named the line's caller.
    called: bool,
}

/// After this many lines a panic, or a lockdep report, only repeats what the report has said: the
/// kernel was told to panic on warnings, or printing the report took locks in a new order.
const ENOUGH_LINES: usize = 22;

/// The same for KMSAN, whose reports are shorter: registers and modules are not in them.
const ENOUGH_LINES_KMSAN: usize = 16;

/// Stacks that are no bug. Where printk does not say who prints, what follows one of them is not
/// known to be this report's.
static NO_BUG_STACKS: AnyOf = AnyOf::new(&[
    "vmalloc: allocation failure:",
    "FAULT_INJECTION: forcing a failure",
    "FAULT_FLAG_ALLOW_RETRY missing",
]);

/// What goes on with a report: what the kernel prints as the consequence of what it has just said.
const CONSEQUENCES: &[&str] = &[
    "invalid opcode: 0000",
    "Kernel panic - not syncing",
    "unregister_netdevice: waiting for",
    "PANIC: double fault",
    "Internal error:",
];

/// Triggers of lines that `die()` prints below the header that says why.
const DIE_LINES: &[&str] = &["Oops", ": 0000 [#", "exception: 00", "operation: 000", "in kernel code[#"];

impl<'a> View<'a> {
    /// The view of a report's own lines.
    pub(super) fn of(hit: Hit, own: &[&'a Line<'_>]) -> Option<View<'a>> {
        let first = *own.first()?;
        let whole = physical(first, own);
        let mut view = View {
            header: whole.get(hit.at..).unwrap_or_default().to_owned(),
            whole,
            lines: Vec::new(),
            needle: hit.needle,
            wide: Vec::new(),
            called: first.caller != Caller::Unknown,
        };
        let same = own.iter().copied().filter(|line| line.time.is_some() == first.time.is_some());
        let (mut texts, end) = collect(same, first, |text| !view.called && NO_BUG_STACKS.is_in(text));
        texts.truncate(end);
        view.lines = texts;
        Some(view)
    }

    /// The view of a report together with what its caller printed `later`. Where the log does not
    /// name callers, the title's lines end at the next report; whether there is a stack at all is
    /// still asked of everything below.
    pub(super) fn widened(&self, own: &[&'a Line<'_>], later: &[&'a Line<'_>]) -> Option<View<'a>> {
        let first = *own.first()?;
        let same = own.iter().chain(later).copied();
        let same = same.filter(|line| line.time.is_some() == first.time.is_some());
        let (wide, end) = collect(same, first, |text| {
            NO_BUG_STACKS.is_in(text)
                || trigger::find(text).is_some_and(|hit| !hit.mild && !DIE_LINES.contains(&hit.needle))
                    && !CONSEQUENCES.iter().any(|word| text.contains(word))
        });
        let title = if self.called { wide.len() } else { end };
        Some(View {
            header: self.header.clone(),
            whole: self.whole.clone(),
            lines: wide.get(..title).unwrap_or_default().to_vec(),
            needle: self.needle,
            wide,
            called: self.called,
        })
    }

    /// All lines that may hold the report's stack.
    pub(super) fn all(&self) -> &[&'a str] {
        if self.wide.is_empty() { &self.lines } else { &self.wide }
    }

    /// Where this header says nothing that is known, the next ones of the same caller that begin
    /// with the same word: a driver's free text often stands right above the report it belongs to.
    pub(super) fn later_headers(&self) -> impl Iterator<Item = View<'a>> {
        const MOST: usize = 8;
        let called = self.called;
        let at = self.lines.iter().enumerate().skip(1).filter(move |_| called).filter_map(|(at, text)| {
            trigger::find(text).filter(|hit| hit.needle == self.needle).map(|hit| (at, hit.at))
        });
        at.take(MOST).map(|(at, from)| {
            let lines = self.lines.get(at..).unwrap_or_default().to_vec();
            let whole = lines.first().copied().unwrap_or_default().to_owned();
            View {
                header: whole.get(from..).unwrap_or_default().to_owned(),
                whole,
                lines,
                needle: self.needle,
                wide: self.all().to_vec(),
                called: true,
            }
        })
    }

    /// The header as the kernel printed it: a symboliser repeats the line for each function that
    /// was inlined at its place, and the last one has the function's own name.
    pub(super) fn folded(&self) -> &str {
        const MOST: usize = 16;
        if !self.header.contains(" [inline]") {
            return &self.header;
        }
        // The headers agree up to the name, which follows the last word they share.
        let shared = |text: &str| {
            let same = self.header.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            same > self.needle.len() + 1
        };
        let own = self.lines.iter().skip(1).take(MOST).filter_map(|line| {
            let at = line.find(self.needle)?;
            line.get(at..)
        });
        own.take_while(|text| shared(text)).find(|text| !text.contains(" [inline]")).unwrap_or(&self.header)
    }

    /// The text that follows `words` in the header.
    pub(super) fn after(&self, words: &str) -> Option<&str> {
        self.header.strip_prefix(words)
    }
}

/// The texts of `lines`, and how many of them come before the first that `ends` says ends the
/// title's part.
fn collect<'a, 'l: 'a>(
    lines: impl Iterator<Item = &'a Line<'l>>,
    first: &Line<'_>,
    ends: impl Fn(&str) -> bool,
) -> (Vec<&'a str>, usize) {
    let enough = if first.text.contains("BUG: KMSAN:") { ENOUGH_LINES_KMSAN } else { ENOUGH_LINES };
    let stamped = first.time.is_some();
    let mut texts: Vec<&str> = Vec::new();
    let mut counted = 0usize;
    let mut end = None;
    for (nth, line) in lines.enumerate() {
        let text = line.text.as_ref();
        if nth > 0 && end.is_none() && ends(text) {
            end = Some(texts.len());
        }
        // Frames that were found on the stack, not by unwinding, are no part of what is known.
        let doubtful =
            stamped && (text.contains(" ? ") || text.ends_with(" (unreliable)")) && !text.contains("<EOI>");
        if nth > 0 && doubtful {
            continue;
        }
        counted += 1;
        if text.contains("Disabling lock debugging due to kernel taint") {
            continue;
        }
        let repetition = text.contains("Kernel panic - not syncing")
            || text.contains("WARNING: possible circular locking dependency detected");
        if nth > 0 && counted > enough && repetition {
            break;
        }
        texts.push(text);
    }
    let end = end.unwrap_or(texts.len());
    (texts, end)
}

/// The header's physical line, put together again where another line was printed into it.
fn physical(first: &Line<'_>, own: &[&Line<'_>]) -> String {
    let mut whole = first.text.clone().into_owned();
    if first.torn {
        for part in own.iter().skip(1).take_while(|line| line.number == first.number) {
            if let Some(time) = part.time {
                whole.push_str(&format!(" [{time:12.6}] "));
            }
            whole.push_str(&part.text);
        }
    }
    whole
}

/// Whether a timestamp stands in `title`: another line's text was taken for this one's.
pub(super) fn holds_stamp(title: &str) -> bool {
    title.match_indices('[').any(|(at, _)| {
        let Some((inside, _)) = title.get(at + 1..).and_then(|rest| rest.split_once(']')) else {
            return false;
        };
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        inside.trim_start().split_once('.').is_some_and(|(seconds, rest)| digits(seconds) && digits(rest))
    })
}

/// The lines that count for the source file to blame: all of the report's, doubtful ones too.
pub(super) fn for_blame<'a>(own: &[&'a Line<'_>]) -> Vec<&'a str> {
    let stamped = own.first().is_some_and(|first| first.time.is_some());
    let same = own.iter().filter(|line| line.time.is_some() == stamped).map(|line| line.text.as_ref());
    same.take_while(|text| !NO_BUG_STACKS.is_in(text)).collect()
}

/// Some hosts' serial consoles say so when they lose the machine: what they showed of it is cut.
pub(super) const CONSOLE_LOST: &str = "serialport: VM disconnected.";

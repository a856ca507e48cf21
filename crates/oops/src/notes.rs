//! What is to be said about an input as a whole.

use kwhy_base::catalogue::damage as say;
use kwhy_base::{Prose, prose};

use crate::record::{CrashRecord, Note};
use crate::text::Line;

fn note(text: Prose) -> Note {
    Note { line: None, text }
}

/// Files that are no text, by their first bytes: (magic, name, command that unpacks).
const PACKED: &[(&[u8], &str, &str)] = &[
    (b"\x1f\x8b", "gzip", "gzip -dc FILE | kwhy -"),
    (b"\xfd7zXZ\0", "xz", "xz -dc FILE | kwhy -"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dc FILE | kwhy -"),
    (b"BZh", "bzip2", "bzip2 -dc FILE | kwhy -"),
];

/// Why what begins with `text` can be no log at all.
pub(crate) fn not_a_log(text: &[u8]) -> Option<Note> {
    if text.is_empty() {
        return Some(note(prose!(say::NOTE_EMPTY)));
    }
    if text.starts_with(b"\x7fELF") {
        return Some(note(prose!(say::NOTE_ELF)));
    }
    if let Some((_, format, command)) = PACKED.iter().find(|(magic, _, _)| text.starts_with(magic)) {
        return Some(note(prose!(say::NOTE_COMPRESSED, format = *format, command = *command)));
    }
    None
}

/// What is noticed of an input as it passes, should it hold no report.
#[derive(Default)]
pub(crate) struct Sample {
    seen: u64,
    /// Bytes among the first that no text has.
    strange: usize,
    /// Anything that is not blank.
    ink: bool,
    last: Option<u8>,
}

impl Sample {
    /// How much of the input is looked at.
    const MOST: u64 = 64 * 1024;

    /// Takes `bytes`, which begin at the offset `base`; some may have been seen before.
    pub(crate) fn see(&mut self, base: u64, bytes: &[u8]) {
        let end = base.saturating_add(bytes.len() as u64);
        let from = usize::try_from(self.seen.saturating_sub(base)).unwrap_or(usize::MAX);
        let Some(new) = bytes.get(from..).filter(|new| !new.is_empty()) else { return };
        if self.seen < Sample::MOST {
            let most = usize::try_from(Sample::MOST - self.seen).unwrap_or(usize::MAX);
            // Consoles add stray bytes; what is mostly not text is something else.
            let odd = |b: &&u8| **b < 0x20 && !matches!(**b, b'\n' | b'\r' | b'\t' | 0x1b);
            self.strange += new.get(..most).unwrap_or(new).iter().filter(odd).count();
        }
        self.ink = self.ink || !new.iter().all(u8::is_ascii_whitespace);
        self.last = new.last().copied();
        self.seen = end;
    }

    /// What an input without a report is instead; `breaks` are its line breaks.
    pub(crate) fn no_crash(&self, breaks: u64) -> Option<Note> {
        if !self.ink {
            return Some(note(prose!(say::NOTE_BLANK)));
        }
        let sample = usize::try_from(self.seen.min(Sample::MOST)).unwrap_or(usize::MAX);
        if self.strange > sample / 10 {
            return Some(note(prose!(say::NOTE_BINARY)));
        }
        let lines = breaks + u64::from(self.last != Some(b'\n'));
        Some(note(prose!(say::NOTE_NO_CRASH, lines = lines)))
    }
}

/// The limit on reports was reached.
pub(crate) fn too_many(limit: usize) -> Note {
    note(prose!(say::NOTE_MANY, limit = limit))
}

/// Whether the last report was still being printed when the log ends.
#[derive(Default)]
pub(crate) struct Tail {
    /// The last line that is not blank, among those read.
    inked: u32,
    /// The last line that ends an oops or tells of the panic after it.
    ending: u32,
    /// The first and the last line of the last report; `None` for one that has no end marker.
    crash: Option<(u32, u32)>,
    /// The log went on below the lines that were read.
    pub went_on: bool,
}

impl Tail {
    /// Takes a line that is read.
    pub(crate) fn see(&mut self, line: &Line<'_>) {
        if !line.text.trim().is_empty() {
            self.inked = line.number;
        }
        if line.text.contains("---[ end") || line.text.contains("Kernel panic") {
            self.ending = line.number;
        }
    }

    /// Takes a report.
    pub(crate) fn crash(&mut self, record: &CrashRecord) {
        let oops = record.oops_count.is_some() || record.esr.is_some() || !record.pf_lines.is_empty();
        self.crash = oops.then_some((record.first_line, record.last_line));
        self.went_on = false;
    }

    /// An oops that is announced, but whose trace or end never comes.
    pub(crate) fn cut_short(&self) -> Option<Note> {
        let (first, last) = self.crash?;
        // Something printed after the report shows that the kernel (and the log) went on.
        (self.ending < first && self.inked == last && !self.went_on)
            .then(|| Note { line: Some(last), text: prose!(say::NOTE_TRUNCATED) })
    }
}

#[cfg(test)]
mod tests {
    use crate::parse;
    use kwhy_base::Lang;

    fn notes(text: &[u8]) -> Vec<String> {
        parse(text).notes.iter().map(|note| note.text.render(Lang::En)).collect()
    }

    #[test]
    fn what_is_no_log_is_named() {
        assert!(notes(b"")[0].contains("empty"));
        assert!(notes(b" \n\n")[0].contains("blanks"));
        assert!(notes(b"\x7fELF\x02\x01\x01\0")[0].contains("ELF"));
        assert!(notes(b"\x1f\x8b\x08")[0].contains("gzip"));
        assert!(notes(&[0u8, 1, 2, 3, 4, 5, 6])[0].contains("binary"));
        assert!(notes(b"[    1.000000] all is well\nyes\n")[0].contains("none of its 2 lines"));
    }

    #[test]
    fn a_report_that_breaks_off() {
        let log = crate::damage::tests::ARM64;
        assert!(notes(log.as_bytes()).is_empty());
        let (head, _) = log.split_once("x20:").unwrap();
        assert!(notes(head.as_bytes())[0].contains("in the middle"));
    }
}
